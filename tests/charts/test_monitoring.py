"""What the charts bring for Prometheus and Grafana."""
import json
import subprocess

import pytest
import yaml

from charts import ADIT, CHARTS, CONNECTOR, objects, of_kind, one, refusal

ALL = {"serviceMonitor": {"enabled": True}, "podMonitor": {"enabled": True}, "prometheusRule": {"enabled": True},
       "dashboards": {"enabled": True}}
MADE = ("ServiceMonitor", "PodMonitor", "PrometheusRule")


def with_rules(**settings):
    return {"metrics": {"prometheusRule": {"enabled": True, **settings}}}


def alerts(found):
    return {rule["alert"]: rule for made in of_kind(found, "PrometheusRule") for group in made["spec"]["groups"] for rule in group["rules"]}


def dashboards(found):
    return [o for o in of_kind(found, "ConfigMap") if "-dashboard-" in o["metadata"]["name"]]


def written(chart):
    """The alerts of the chart's files."""
    groups = [group for file in (chart / "alerts").glob("*.yaml") for group in yaml.safe_load(file.read_text())["groups"]]
    return {rule["alert"]: rule for group in groups for rule in group["rules"]}


@pytest.mark.parametrize("chart", CHARTS, ids=lambda c: c.name)
def test_all_of_it_is_off_by_default(chart):
    found = objects(chart)
    assert not of_kind(found, *MADE) and not dashboards(found)


@pytest.mark.parametrize("kind,key,endpoints", [("ServiceMonitor", "serviceMonitor", "endpoints"), ("PodMonitor", "podMonitor", "podMetricsEndpoints")])
def test_monitors_select_gateways_and_operators_and_their_admin_port(kind, key, endpoints):
    settings = {"enabled": True, "labels": {"release": "prometheus"}, "interval": "15s", "scrapeTimeout": "5s"}
    found = objects(ADIT, {"metrics": {key: settings}})
    assert len(of_kind(found, *MADE)) == 2
    for component, selected_kind in (("gateway", "Deployment"), ("operator", "Deployment")):
        monitor = one(found, kind, f"adit-{component}")
        assert monitor["metadata"]["labels"]["release"] == "prometheus"
        assert monitor["spec"]["namespaceSelector"] == {"matchNames": ["edge"]}
        (endpoint,) = monitor["spec"][endpoints]
        assert endpoint == {"port": "admin", "path": "/metrics", "interval": "15s", "scrapeTimeout": "5s"}
        wanted = monitor["spec"]["selector"]["matchLabels"].items()
        if kind == "ServiceMonitor":
            (service,) = [o for o in of_kind(found, "Service") if wanted <= o["metadata"]["labels"].items()]
            assert [port["name"] for port in service["spec"]["ports"]] == ["admin"], "not the public one"
            continue
        (workload,) = [o for o in of_kind(found, selected_kind) if wanted <= o["spec"]["template"]["metadata"]["labels"].items()]
        (container,) = workload["spec"]["template"]["spec"]["containers"]
        assert "admin" in [port["name"] for port in container["ports"]]


def test_what_the_monitors_do_not_say_is_left_to_prometheus():
    found = objects(ADIT, {"metrics": {"podMonitor": {"enabled": True}}})
    assert one(found, "PodMonitor", "adit-gateway")["spec"]["podMetricsEndpoints"] == [{"port": "admin", "path": "/metrics"}]


def test_connectors_have_a_pod_monitor():
    found = objects(CONNECTOR, {"metrics": {"podMonitor": {"enabled": True, "labels": {"release": "prometheus"}}}})
    (monitor,) = of_kind(found, *MADE)
    assert monitor["kind"] == "PodMonitor" and monitor["metadata"]["labels"]["release"] == "prometheus"
    wanted = monitor["spec"]["selector"]["matchLabels"].items()
    (deployment,) = of_kind(found, "Deployment")
    assert wanted <= deployment["spec"]["template"]["metadata"]["labels"].items()


@pytest.mark.parametrize("chart", CHARTS, ids=lambda c: c.name)
def test_alerts_are_those_of_the_files_word_by_word(chart, tmp_path):
    found = objects(chart, with_rules(labels={"release": "prometheus"}))
    assert alerts(found) == written(chart)
    (made,) = of_kind(found, "PrometheusRule")
    assert made["metadata"]["labels"]["release"] == "prometheus"
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump(made["spec"]))
    checked = subprocess.run(["promtool", "check", "rules", tmp_path / "rules.yaml"], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_an_alert_can_be_changed_by_its_name():
    changes = {"AditErrorRatioHigh": {"threshold": 0.02, "for": "10m", "severity": "warning", "labels": {"team": "edge"}},
               "AditNoGateway": {"enabled": False}}
    changed, before = alerts(objects(ADIT, with_rules(rules=changes))), written(ADIT)
    one_of_them = changed["AditErrorRatioHigh"]
    assert one_of_them["expr"] == before["AditErrorRatioHigh"]["expr"].removesuffix("0.05") + "0.02"
    assert one_of_them["for"] == "10m" and one_of_them["labels"] == {"severity": "warning", "team": "edge"}
    assert before.keys() - changed.keys() == {"AditNoGateway"}
    assert all(rule == before[name] for name, rule in changed.items() if name != "AditErrorRatioHigh")


def test_a_group_without_alerts_is_left_out():
    found = objects(ADIT, with_rules(rules={"AditPeersUnreachable": {"enabled": False}}))
    groups = of_kind(found, "PrometheusRule")[0]["spec"]["groups"]
    assert all(group["rules"] for group in groups) and "adit-peers" not in [group["name"] for group in groups]


@pytest.mark.parametrize("chart", CHARTS, ids=lambda c: c.name)
def test_an_alert_that_is_not_there_is_an_error(chart):
    assert "no alert is called AditTypo" in refusal(chart, with_rules(rules={"AditTypo": {"enabled": False}}))


def test_runbooks_may_be_elsewhere():
    found = alerts(objects(ADIT, with_rules(runbookURL="https://wiki.test/adit")))
    assert found["AditNoLeader"]["annotations"]["runbook_url"] == "https://wiki.test/adit#aditnoleader"


def test_dashboards_are_the_files_in_a_folder():
    found = dashboards(objects(ADIT, {"metrics": {"dashboards": {"enabled": True, "annotations": {"team": "edge"}}}}))
    files = {file.name: json.loads(file.read_text()) for file in (ADIT / "dashboards").glob("*.json")}
    assert len(found) == len(files) == 3
    for made in found:
        ((name, text),) = made["data"].items()
        assert json.loads(text) == files[name]
        assert made["metadata"]["labels"]["grafana_dashboard"] == "1"
        assert made["metadata"]["annotations"] == {"grafana_folder": "Adit", "team": "edge"}
        assert len(text) < 900_000, "a ConfigMap holds a mebibyte"


def test_dashboards_without_a_folder():
    found = dashboards(objects(ADIT, {"metrics": {"dashboards": {"enabled": True, "folder": ""}}}))
    assert found and all("annotations" not in made["metadata"] for made in found)


def test_names_of_objects_are_unique_with_everything_on():
    found = objects(ADIT, {"metrics": ALL})
    names = [(o["kind"], o["metadata"].get("namespace"), o["metadata"]["name"]) for o in found]
    assert len(names) == len(set(names))
