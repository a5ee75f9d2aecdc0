"""Every query of the dashboards and every alert's expression, by a real Prometheus that scrapes the real programs."""
import re
import signal
import time

import pytest

import rules
from dashboards import dashboards, metrics_of, substitute
from programs import wait_until
from prometheus import QueryError

# Panels that rightly show nothing here, and why. None.
EMPTY = {}
# Alerts whose expression gives something here: what went wrong did so on purpose.
NOT_WELL = {"AditTunnelDown", "AditTunnelWithoutConnector", "AditConfigurationRefused", "AditTunnelsRefused", "AditServiceDown",
            "AditTunnelErrorRatioHigh"}


@pytest.fixture(scope="module")
def prometheus(stack):
    """Once it has seen enough for rates, one connector has died, and another was silent and has come back."""
    prometheus = stack.prometheus
    wait_until(lambda: prometheus.query("rate(adit_gateway_connector_streams_total[5s]) > 0"), "streams are counted", 30)
    stack.lose_a_connector()
    wait_until(lambda: prometheus.query('sum(adit_gateway_links_ended_total{cause="lost"}) > 0'), "the loss is counted", 30)
    stack.connectors[0].signal(signal.SIGSTOP)
    wait_until(lambda: prometheus.query('sum(adit_gateway_links_ended_total{cause="silent"}) > 0'), "the silence is noticed", 30)
    stack.connectors[0].signal(signal.SIGCONT)
    wait_until(lambda: prometheus.query("sum(adit_gateway_link_reconnects_total) > 0"), "it comes back", 30)
    return prometheus


def choices(stack, dashboard):
    """Values of the variables: All, or one tunnel, with and without a limit."""
    return [{"tunnel": f"{stack.space}/{name}"} for name in ("shop", "limited")] if dashboard.uid == "adit-tunnel" else [{}]


def expressions(stack, dashboard):
    """(panel, target, the expression for each choice). A wide interval, so that what happened once is still seen."""
    return [(panel, target, [substitute(target["expr"], interval="2m", **values) for values in choices(stack, dashboard)])
            for panel, target in dashboard.queries()]


def test_every_metric_of_the_programs_that_is_asked_for_is_there(prometheus):
    asked = {name for dashboard in dashboards() for _, target in dashboard.queries() for name in metrics_of(target["expr"])}
    asked |= {name for alert in rules.alerts() for name in metrics_of(alert["expr"])}
    assert len(asked) > 60
    missing = set()

    def all_there():
        missing.clear()
        missing.update(asked - {name.removesuffix("_bucket") for name in prometheus.ask("label/__name__/values")})
        return not missing
    try:
        wait_until(all_there, "every metric is there", 20)
    except AssertionError:
        raise AssertionError(f"without a series: {missing}") from None


@pytest.mark.parametrize("dashboard", dashboards(), ids=repr)
def test_every_query_gives_data(stack, prometheus, dashboard):
    missing = {}

    def all_answered():
        missing.clear()
        for panel, _, asked in expressions(stack, dashboard):
            if panel["title"] not in EMPTY and not any(prometheus.query(expression) for expression in asked):
                missing[asked[0]] = panel["title"]
        return not missing
    try:
        wait_until(all_answered, "every query gives data", 20)
    except AssertionError:
        raise AssertionError(f"without data: {missing}") from None


@pytest.mark.parametrize("dashboard", dashboards(), ids=repr)
def test_graphs_are_drawn_over_time(stack, prometheus, dashboard):
    """As a range, in which a set of labels that is there twice is an error too."""
    now = time.time()
    for panel, _, asked in expressions(stack, dashboard):
        if panel["type"] in ("timeseries", "state-timeline"):
            prometheus.range(asked[0], now - 10, now, 1)


@pytest.mark.parametrize("dashboard", dashboards(), ids=repr)
def test_legends_name_labels_that_the_answers_have(stack, prometheus, dashboard):
    for panel, target, asked in expressions(stack, dashboard):
        wanted = set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"])) - {"pod"}  # without Kubernetes there is none
        for labels, _ in prometheus.query(asked[0]):
            assert wanted <= labels.keys(), f"{panel['title']}: {labels}"


@pytest.mark.parametrize("dashboard", dashboards(), ids=repr)
def test_variables_offer_choices(stack, prometheus, dashboard):
    for name, variable in dashboard.variables().items():
        if variable["type"] != "query":
            continue
        match, label = re.fullmatch(r"label_values\((.+), (\w+)\)", variable["definition"]).groups()
        offered = prometheus.label_values(label, substitute(match))
        expected = {"namespace": "adit", "job": "adit-gateway", "tunnel": f"{stack.space}/shop", "connector": "berlin"}
        assert expected[name] in offered, f"{name}: {offered}"
        if name == "tunnel":
            assert f"{stack.space}/lonely" in offered, "also one that nobody serves"


def test_what_has_no_namespace_is_shown_too(prometheus):
    """The gateway with manifests is scraped without labels of a cluster."""
    shown = prometheus.query(substitute('adit_build_info{namespace=~"$namespace", job=~"$job"}'))
    assert "vm" in {labels["job"] for labels, _ in shown}


def test_the_alerts_see_what_is_wrong_here_and_nothing_else(prometheus):
    told = set()

    def all_told():
        told.clear()
        told.update(alert["alert"] for alert in rules.alerts() if prometheus.query(alert["expr"]))
        return told >= NOT_WELL
    try:
        wait_until(all_told, "what is wrong is told", 20)
    except AssertionError:
        raise AssertionError(f"not told: {NOT_WELL - told}") from None
    assert told <= NOT_WELL | {"AditErrorRatioHigh", "AditServiceUnreachable", "AditConnectorMissesGateways", "AditWorkersBusy",
                               "AditPeersUnreachable", "AditLinksFlapping"}, "not those of a machine that is well"


def test_a_query_that_prometheus_does_not_understand_is_an_error(prometheus):
    with pytest.raises(QueryError):
        prometheus.query("sum(rate(adit_gateway_requests_total[5s])")
