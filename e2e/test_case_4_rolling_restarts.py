"""4. Gateways, connectors and operators are restarted under constant load: no request fails."""
import time

from installation import covered

# Before the first restart, so that requests of 20 s are under way, and after each.
QUIET = 3


def none_failed(load, began):
    print(load.journal.table())
    assert not load.journal.failed(), "\n".join(load.journal.complaints(began)[:50])
    for kind in ("keep-alive", "new connection", "long", "upload", "websocket", "events"):
        assert load.journal.done(kind), f"the load had nothing of the kind {kind}"


def test_case_4_rolling_restarts(kube, edge, shop):
    edge.settled(2)
    covered(edge, shop)
    began = time.monotonic()
    with edge.load() as load:
        time.sleep(QUIET)
        kube.restart(edge.gateway, edge.space)
        edge.settled(2)
        time.sleep(QUIET)
        kube.restart(shop.connector, shop.space)
        shop.settled(2)
        time.sleep(QUIET)
        leader = edge.leader()
        kube.restart(edge.operator, edge.space)
        edge.settled(2)
        assert edge.leader() != leader
        time.sleep(QUIET)
    none_failed(load, began)
