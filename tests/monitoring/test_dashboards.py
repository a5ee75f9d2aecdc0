"""The dashboards are whole: Grafana imports them as they are, and a reader knows what each panel shows."""
import re

import pytest

from dashboards import dashboards, metrics_of
from exported import exported

PER_DASHBOARD = pytest.mark.parametrize("dashboard", dashboards(), ids=repr)
KINDS = {"row", "stat", "timeseries", "table", "state-timeline"}


def test_there_are_three_and_they_link_to_each_other():
    uids = {dashboard.uid for dashboard in dashboards()}
    assert uids == {"adit-edge", "adit-tunnel", "adit-connectors"}
    for dashboard in dashboards():
        assert dashboard.file.stem == dashboard.uid
        assert {link["url"].removeprefix("/d/") for link in dashboard.model["links"]} == uids - {dashboard.uid}
        assert all(link["includeVars"] and link["keepTime"] for link in dashboard.model["links"])


@PER_DASHBOARD
def test_what_a_file_to_import_needs(dashboard):
    model = dashboard.model
    assert model["schemaVersion"] >= 39 and model["title"] and model["description"] and model["tags"] == ["adit"]
    assert "id" not in model, "the id is Grafana's to give"
    assert "__inputs" not in model, "the data source is a variable"
    assert model["time"] and model["refresh"]


@PER_DASHBOARD
def test_each_panel_says_what_it_shows(dashboard):
    ids = [panel["id"] for panel in dashboard.panels(rows=True)]
    assert len(ids) == len(set(ids))
    for panel in dashboard.panels(rows=True):
        assert panel["type"] in KINDS and panel["title"]
    titles = [(panel["title"], panel["type"]) for panel in dashboard.panels()]
    for panel in dashboard.panels():
        name = panel["title"]
        assert len(panel["description"]) > 10 and panel["description"].endswith("."), name
        assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}, name
        assert panel["fieldConfig"]["defaults"]["unit"], name
        assert panel["targets"], name
        references = [target["refId"] for target in panel["targets"]]
        assert len(references) == len(set(references)), name
        for target in panel["targets"]:
            assert target["datasource"] == panel["datasource"] and target["expr"] and target["legendFormat"], name
        if panel["type"] == "stat":
            assert len(panel["targets"]) == 1 and panel["fieldConfig"]["defaults"]["thresholds"]["steps"], name
    assert titles


@PER_DASHBOARD
def test_panels_do_not_cover_each_other(dashboard):
    taken = set()
    for panel in dashboard.panels(rows=True):
        at = panel["gridPos"]
        assert 0 <= at["x"] and at["x"] + at["w"] <= 24, panel["title"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not cells & taken, panel["title"]
        taken |= cells


@PER_DASHBOARD
def test_variables_are_there_and_used(dashboard):
    variables = dashboard.variables()
    assert {"datasource", "namespace", "job"} <= variables.keys()
    assert variables["datasource"]["type"] == "datasource" and variables["datasource"]["query"] == "prometheus"
    text = " ".join(target["expr"] for _, target in dashboard.queries())
    builtin = {"__rate_interval"}
    assert set(re.findall(r"\$\{?(\w+)", text)) - builtin <= variables.keys()
    for name, variable in variables.items():
        if variable["type"] != "query":
            continue
        assert f"${name}" in text, f"{name} chooses nothing"
        assert variable["datasource"]["uid"] == "${datasource}" and variable["label"] and variable["description"]
        assert variable["query"]["query"] == variable["definition"]
        if variable["includeAll"]:
            assert variable["allValue"] == ".*", "so that All also takes what has no such label"
    for _, target in dashboard.queries():
        chosen = re.findall(r'(namespace|job)=~"\$(\w+)"', target["expr"])
        assert chosen and all(label == name for label, name in chosen), target["expr"]


@PER_DASHBOARD
def test_queries_name_only_what_the_documentation_does(dashboard):
    """And tests/component/test_metrics.py holds the documentation against the programs."""
    known = exported()
    for panel, target in dashboard.queries():
        unknown = metrics_of(target["expr"]) - known.keys()
        assert metrics_of(target["expr"]) and not unknown, f"{panel['title']}: {unknown}"
        assert not re.search(r"\b(rate|increase)\(\w+\{?[^}]*\}?\[(?!\$__rate_interval)", target["expr"]), target["expr"]


@PER_DASHBOARD
def test_counters_are_shown_as_rates(dashboard):
    totals = {"adit_gateway_connector_reconnects_total"}  # in a table, since the connector came
    for panel, target in dashboard.queries():
        for name in metrics_of(target["expr"]):
            if name.endswith("_total") and not (panel["type"] == "table" and name in totals):
                assert re.search(rf"rate\({name}\b", target["expr"]), f"{panel['title']}: {name}"


@PER_DASHBOARD
def test_links_within_panels_lead_to_a_dashboard_and_set_its_variables(dashboard):
    known = {other.uid: other.variables() for other in dashboards()}
    urls = re.findall(r'"url": "(/d/[^"]+)"', dashboard.file.read_text(encoding="utf-8"))
    for url in urls:
        uid, _, query = url.removeprefix("/d/").partition("?")
        assert uid in known
        assert all(name in known[uid] for name in re.findall(r"var-(\w+)=", query))
