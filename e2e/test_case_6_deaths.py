"""6. kill -9 of an operator, a connector and a gateway; the API server away for a minute: what fails is counted, and nothing
that begins once it is over fails. docs/availability.md explains each failure that is let through here."""
import time

import pytest

from installation import covered
from kube import wait_until
from test_case_4_rolling_restarts import QUIET, none_failed

# Until the kubelet has seen the death and every part has heard of it, with room for a busy machine.
OVER = 6


def died(load, moment):
    """{kind: failures} of what was under way or began while it was not over; the rest of all that failed must be none."""
    late = load.journal.began_after(moment + OVER)
    assert not late, "\n".join(load.journal.complaints(moment))
    failed = load.journal.failed_by_kind()
    print(load.journal.table(), *load.journal.complaints(moment), sep="\n")
    return failed


def kill_one(kube, edge, shop, what):
    """The moment of its death."""
    pods, container, space = {
        "operator": ([pod for pod in edge.operators() if pod["metadata"]["name"] == edge.leader()], "operator", edge.space),
        "connector": (shop.connectors(), "connector", shop.space),
        "gateway": (edge.gateways(), "gateway", edge.space)}[what]
    return kube.kill(pods[0]["metadata"]["name"], container, space)


@pytest.mark.parametrize("what, may_fail", [
    ("operator", set()),
    # What had left through its links and may not be sent twice.
    ("connector", {"upload", "websocket", "events"}),
    # What was under way through it, and new connections until its address is taken from the Service.
    ("gateway", {"upload", "websocket", "events", "long", "keep-alive", "new connection"})])
def test_case_6_kill(kube, edge, shop, what, may_fail):
    edge.settled(2)
    covered(edge, shop)
    with edge.load() as load:
        time.sleep(QUIET)
        moment = kill_one(kube, edge, shop, what)
        time.sleep(OVER + QUIET)
    assert set(died(load, moment)) <= may_fail
    edge.settled(2)
    covered(edge, shop)


def test_case_6_api_server_away_for_a_minute(kube, edge, shop, node):
    edge.settled(2)
    began = time.monotonic()
    with edge.load() as load:
        time.sleep(QUIET)
        node.hold("kube-apiserver")
        try:
            time.sleep(60)
        finally:
            node.resume("kube-apiserver")
        wait_until(lambda: kube("get", "--raw=/readyz", check=False) == "ok", "the API server is back", 60)
        time.sleep(QUIET)
    none_failed(load, began)
    # All goes on as before: what changes now takes effect.
    route = '{"op": "add", "path": "/spec/routes/-", "value": {"host": "later.test"}}'
    kube("-n", "team-shop", "patch", "tunnel", "shop", "--type=json", "-p", f"[{route}]")
    edge.serves("/x", "later.test", 60)
    covered(edge, shop)
