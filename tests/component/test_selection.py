"""Which connector gets a request when one of two cannot serve it, and what visitors are told when none can."""
import concurrent.futures
import signal
import threading

import pytest

import origin as scripted
from programs import free_port, wait_until

PROBE = "?interval=100ms&timeout=1s"


@pytest.fixture
def two(edge, origin):
    """A gateway, and two connectors once the test has said where their services are."""
    edge.write_default()

    def start(first, second, first_flags=(), second_flags=(), workers=1):
        edge.start_gateway("--workers", str(workers))
        edge.first = edge.start_connector(f"http://127.0.0.1:{first}", name="first", flags=["--name", "first", *first_flags])
        edge.second = edge.start_connector(f"http://127.0.0.1:{second}", name="second", flags=["--name", "second", *second_flags])
        wait_until(lambda: edge.status()["tunnels"][0]["connectors"] == 2, "both are up")
        return edge
    return start


def fresh(edge, **rest):
    """A request whose service connection is not used again, so that each one chooses a link."""
    return edge.get("/http10", **rest)


def links_of(edge, connector):
    return [link for link in edge.status()["tunnels"][0]["links"] if link["connector"] == connector]


def labelled(edge, name):
    return {sample: value for sample, value in edge.metrics().items() if sample.split("{")[0] == name}


# Ejection

@pytest.mark.parametrize("method, workers", [("GET", 1), ("POST", 1), ("POST", 2)])
def test_nobody_sees_the_connector_that_cannot_reach_its_service(two, origin, method, workers):
    # With two workers each connector's only link is at another one: no worker has a link of its own to both.
    one_link = ["--links", "1"] if workers == 2 else []
    edge = two(free_port(), origin.port, one_link, one_link, workers)
    body = b"" if method == "POST" else None
    assert {fresh(edge, method=method, body=body).status for _ in range(100)} == {200}
    lines = edge.wait_access_log(100)
    assert {line["connector"] for line in lines} == {"second"}
    moved = [line for line in lines if line["attempts"] > 1]
    assert 1 <= len(moved) <= 10 * workers, "it is tried again, ever more seldom"
    assert all(line["attempts"] == 2 for line in moved), "and not by another of its links"
    assert edge.metrics()["adit_gateway_ejections_total"] == len(moved)
    assert len(origin.requests) == 100, "each came once"


def test_where_all_cannot_they_are_asked_all_the_same(two):
    port = free_port()
    edge = two(port, free_port())
    assert {fresh(edge).status for _ in range(20)} == {502}
    with scripted.running(port=port):
        wait_until(lambda: fresh(edge).status == 200, "the first one serves again")


# Retry budget

def test_repeats_end_with_the_budget(tunnelled, origin):
    asked = 40
    assert {tunnelled.get("/drop").status for _ in range(asked)} == {502}
    repeated = len(origin.requests) - asked
    denied = labelled(tunnelled, "adit_gateway_tunnel_retries_denied_total")['adit_gateway_tunnel_retries_denied_total{tunnel="default/shop"}']
    assert denied > 0
    assert repeated + denied == asked
    assert repeated >= 10, "a quiet tunnel has some"


def test_requests_that_have_not_left_move_whatever_the_budget(two, origin):
    """A connector falls silent: half of all requests wait for it, many more than the budget would allow."""
    edge = two(origin.port, origin.port)
    at_once = threading.Barrier(60)

    def ask():
        at_once.wait(30)
        return fresh(edge, method="POST", body=b"")

    edge.first.signal(signal.SIGSTOP)
    try:
        with concurrent.futures.ThreadPoolExecutor(60) as visitors:
            asked = [visitors.submit(ask) for _ in range(60)]
            assert {answer.result().status for answer in asked} == {200}
    finally:
        edge.first.signal(signal.SIGCONT)
    lines = edge.wait_access_log(60)
    assert {line["connector"] for line in lines} == {"second"}
    assert len([line for line in lines if line["attempts"] > 1]) > 10, "more than a quiet tunnel's budget"
    assert labelled(edge, "adit_gateway_tunnel_retries_denied_total") == {'adit_gateway_tunnel_retries_denied_total{tunnel="default/shop"}': 0}
    assert len(origin.requests) == 60, "each came once"


# Health

def down_at_gateway(edge, connector):
    return {name: reason for link in links_of(edge, connector) for name, reason in link["servicesDown"].items()}


def test_a_service_that_is_down_gets_no_requests_until_it_is_up(two, origin):
    with scripted.running(port=free_port()) as other:
        port = other.port
        edge = two(origin.port, port, first_flags=["--probe", "tcp" + PROBE], second_flags=["--probe", "tcp" + PROBE])
        assert edge.status(edge.second.admin)["services"][0]["healthy"]
    wait_until(lambda: len([link for link in links_of(edge, "second") if link["servicesDown"]]) == 4, "all its links know")
    assert "refused" in down_at_gateway(edge, "second")["default"]
    assert not down_at_gateway(edge, "first")
    before = len(edge.access_log())
    assert {fresh(edge, method="POST", body=b"").status for _ in range(50)} == {200}
    lines = edge.wait_access_log(before + 50)[before:]
    assert {(line["connector"], line["attempts"]) for line in lines} == {("first", 1)}
    # Both programs say which.
    service = edge.status(edge.second.admin)["services"][0]
    assert service["healthy"] is False and "refused" in service["reason"]
    assert edge.metrics(edge.second.admin)['adit_connector_service_healthy{service="default"}'] == 0
    assert edge.metrics(edge.first.admin)['adit_connector_service_healthy{service="default"}'] == 1
    assert {sample.split('connector="')[1].split('"')[0]: value
            for sample, value in labelled(edge, "adit_gateway_connector_services_down").items()} == {"first": 0, "second": 1}
    assert edge.admin_page("/readyz", edge.second.admin)[0] == 200, "a service's trouble is none of the connector's"
    with scripted.running(port=port) as other:
        wait_until(lambda: not down_at_gateway(edge, "second"), "it is up again")

        def came():
            assert fresh(edge).status == 200
            return other.requests
        wait_until(came, "it gets requests again")


def test_where_all_are_down_they_are_used_all_the_same(edge, origin):
    """Health is a hint: here the probe is wrong."""
    edge.write_default()
    edge.start_gateway()
    connector = edge.start_connector(f"http://127.0.0.1:{origin.port}", flags=["--probe", "http:/refuse-body" + PROBE])
    wait_until(lambda: edge.status(connector.admin)["services"][0]["healthy"] is False, "it is down")
    assert edge.status(connector.admin)["services"][0]["reason"] == "answered 413"
    wait_until(lambda: any(link["servicesDown"] for link in links_of(edge, edge.status()["tunnels"][0]["links"][0]["connector"])), "the gateway knows")
    assert edge.get("/").status == 200


# Reasons of a 503

def reasons(edge):
    """Of all 503 in the access log so far."""
    return {line["reason"] for line in edge.access_log() if line["status"] == 503}


def unserved(edge):
    return {sample.split('"')[1]: value for sample, value in labelled(edge, "adit_gateway_no_connector_total").items() if value}


@pytest.mark.parametrize("how, reason, words", [("stop", "left", "left in good order"), ("kill", "lost", "was lost")])
def test_the_503_tells_a_connector_that_left_from_one_that_was_lost(tunnelled, how, reason, words):
    getattr(tunnelled.connector, how)()
    tunnelled.wait_status(503)
    answer = tunnelled.get()
    assert answer.status == 503 and answer.field("retry-after")
    assert "lost" not in repr(answer) and "left" not in repr(answer), "the page says nothing of the inside"
    wait_until(lambda: any(words in reason for reason in reasons(tunnelled)), "the access log says it")
    assert unserved(tunnelled)[reason] >= 1
    wait_until(lambda: f'"cause":"{reason}"' in tunnelled.gateway.err, "the program's log has it too")


def test_the_503_tells_who_never_came_from_what_is_not_offered(edge, origin):
    edge.write_default(routes="  - {host: shop.test, service: other}\n")
    edge.start_gateway()
    assert edge.get().status == 503
    edge.start_connector(f"http://127.0.0.1:{origin.port}")
    assert edge.get().status == 503
    wait_until(lambda: reasons(edge) == {"no connector has connected yet", "no connector offers the service"}, "the log says both")
    assert unserved(edge) == {"never_connected": 1, "not_offered": 1}
