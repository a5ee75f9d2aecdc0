"""The alerts: promtool accepts them, each fires, stays silent and clears in promtool's unit tests, and says what to do."""
import os
import pathlib
import re
import subprocess

import pytest
import yaml

import rules
from exported import exported

HERE = pathlib.Path(__file__).parent
RUNBOOK = rules.ROOT / "docs" / "alerts.md"
CASES = yaml.safe_load((HERE / "alert_cases.yaml").read_text(encoding="utf-8"))
TARGETS = {  # what Prometheus adds to every sample
    "E": 'namespace="edge", job="gateways", instance="e:9090"', "E2": 'namespace="edge", job="gateways", instance="e2:9090"',
    "O": 'namespace="edge", job="operators", instance="o:9092"', "O2": 'namespace="edge", job="operators", instance="o2:9092"',
    "C": 'namespace="private", job="connectors", instance="c:9091"'}
# Each unit test makes a database of its own and waits for the disk again and again: 1 s in memory, a minute on a busy disk.
MEMORY = pathlib.Path("/dev/shm")
ENVIRONMENT = {**os.environ, **({"TMPDIR": str(MEMORY)} if MEMORY.is_dir() else {})}
PER_ALERT = pytest.mark.parametrize("alert", rules.alerts(), ids=lambda alert: alert["alert"])


def promtool(*arguments):
    done = subprocess.run(["promtool", *map(str, arguments)], capture_output=True, text=True, timeout=60, check=False, env=ENVIRONMENT)
    return done.returncode == 0, done.stdout + done.stderr


def test_promtool_finds_nothing_wrong():
    fine, said = promtool("check", "rules", "--lint=all", "--lint-fatal", *rules.FILES)
    assert fine, said


def test_names_are_used_once_and_each_has_cases():
    names = [alert["alert"] for alert in rules.alerts()]
    assert len(names) == len(set(names)) and set(names) == CASES.keys()
    groups = [group["name"] for group in rules.groups()]
    assert len(groups) == len(set(groups))


def samples(series):
    """Series of a case as promtool wants them."""
    def written(name):
        return re.sub(r"\{(\w+)", lambda target: "{" + TARGETS[target[1]], name, count=1)
    return [{"series": written(name), "values": values} for name, values in series.items()]


def as_unit_test(name, case):
    if "never" in case:
        checks = [{"eval_time": f"{minute}m", "alertname": name} for minute in range(0, 61, 5)]
    else:
        labels = {key: str(value) for key, value in case["labels"].items()}
        checks = [{"eval_time": at, "alertname": name} for at in case["silent"]]
        checks.append({"eval_time": case["fires"], "alertname": name, "exp_alerts": [{"exp_labels": labels}]})
    return {"name": f"{name} {case.get('why', '')}", "interval": "1m", "input_series": samples(case.get("series") or case["never"]),
            "alert_rule_test": checks}


def judge(name, cases, folder):
    """Runs cases of one alert; its annotations, which promtool compares word by word, are tested below."""
    alert = next(dict(alert) for alert in rules.alerts() if alert["alert"] == name)
    del alert["annotations"]
    (folder / "rules.yaml").write_text(yaml.safe_dump({"groups": [{"name": "one", "rules": [alert]}]}))
    (folder / "tests.yaml").write_text(yaml.safe_dump({"rule_files": ["rules.yaml"], "evaluation_interval": "1m",
                                                       "tests": [as_unit_test(name, case) for case in cases]}))
    return promtool("test", "rules", folder / "tests.yaml")


@pytest.mark.parametrize("name", CASES)
def test_fires_stays_silent_and_clears(name, tmp_path):
    assert any("fires" in case for case in CASES[name])
    fine, said = judge(name, CASES[name], tmp_path)
    assert fine, said


def test_the_unit_tests_can_fail(tmp_path):
    case = dict(CASES["AditConfigurationRefused"][0], fires="12m")
    fine, said = judge("AditConfigurationRefused", [case], tmp_path)
    assert not fine and "AditConfigurationRefused" in said


@PER_ALERT
def test_says_what_is_wrong_where_and_what_to_do(alert):
    name, annotations = alert["alert"], alert["annotations"]
    assert alert["labels"]["severity"] in ("critical", "warning") and alert["for"]
    assert annotations.keys() == {"summary", "description", "runbook_url"}
    fired = next(case["labels"] for case in CASES[name] if "labels" in case)
    named = set(re.findall(r"\$labels\.(\w+)", annotations["summary"] + annotations["description"]))
    assert named <= fired.keys(), "labels that the alert does not have"
    assert set(fired) - {"severity", "program"} <= named, "labels that tell where"
    page, _, anchor = annotations["runbook_url"].partition("#")
    assert page == "docs/alerts.md" and anchor == name.lower()


@PER_ALERT
def test_asks_for_what_the_programs_export(alert):
    known = exported()
    names = set(re.findall(r"\b(?:adit|process)_[a-z0-9_]+\b", alert["expr"]))
    families = {re.sub("_(bucket|sum|count)$", "", name) for name in names}
    assert families and families <= known.keys()


@PER_ALERT
def test_ends_with_its_threshold(alert):
    """So that the chart's values can replace it."""
    assert re.search(r"[<>] [0-9.]+$", alert["expr"])


def test_the_runbook_has_a_section_for_each_alert():
    text = RUNBOOK.read_text(encoding="utf-8")
    sections = dict(re.findall(r"^### (\w+)\n(.*?)(?=^##|\Z)", text, re.MULTILINE | re.DOTALL))
    assert sections.keys() == CASES.keys()
    for alert in rules.alerts():
        section = sections[alert["alert"]]
        assert all(f"**{part}**" in section for part in ("Meaning", "Look at", "Do")), alert["alert"]


def test_the_table_of_alerts_is_that_of_the_rules():
    text = (rules.ROOT / "docs" / "monitoring.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| \[(\w+)\]\(alerts.md#(\w+)\) \| (\w+) \| .+, for (\w+) \|$", text, re.MULTILINE)
    assert rows == [(alert["alert"], alert["alert"].lower(), alert["labels"]["severity"], alert["for"]) for alert in rules.alerts()]
