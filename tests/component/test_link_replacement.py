"""A connector that dials a slot anew has lost the link that it had: what becomes of the old one, and of nobody else's."""
import pytest

from edge import TOKEN, documents, token_secret, tunnel_manifest
from programs import SANITIZED, wait_until

OTHER = "77777777-2222-4333-8444-555555555555"


@pytest.fixture
def gateway(edge):
    edge.write("shop.yaml", documents(tunnel_manifest(), token_secret()))
    edge.write("other.yaml", documents(
        tunnel_manifest(name="other", tunnel=OTHER, routes="  - {host: other.test}\n"),
        token_secret(name="other-connector")))
    edge.start_gateway("--workers", "2")
    return edge


def states(edge, tunnel=0):
    return [link["state"] for link in edge.status()["tunnels"][tunnel]["links"]]


def test_R7_a_half_open_link_is_replaced_at_once(gateway, link):
    silent = link().up()
    assert states(gateway) == ["live"]
    link().up().serve()
    # No request waits for the old one, though it was heard of just now.
    for _ in range(20):
        assert gateway.get().body == b"raw"
    assert all(line["attempts"] == 1 for line in gateway.wait_access_log(20))
    wait_until(lambda: states(gateway) == ["live"], "the silent link is closed")
    assert "its slot was dialled anew" in gateway.gateway.err
    assert silent.at_end()
    assert gateway.metrics()['adit_gateway_links_ended_total{tunnel="default/shop",cause="replaced"}'] == 1


def test_a_link_that_answers_stays(gateway, link):
    """Two addresses of one gateway, say: what is alive is not lost, and its streams go on."""
    link().up().serve(b"one")
    gateway.wait_status(200)
    link().up().serve(b"two")
    wait_until(lambda: sorted(states(gateway)) == ["live", "live"], "both are in rotation")
    wait_until(lambda: "its slot was dialled anew" in gateway.gateway.err, "the first was asked")
    wait_until(lambda: {gateway.get().body, gateway.get().body} <= {b"one", b"two"}, "both serve")


@pytest.mark.parametrize("other", [{"instance": "another"}, {"slot": 1}, {"slot": None}, {"tunnel": OTHER}],
                         ids=["instance", "slot", "no-slot", "tunnel"])
def test_nobody_elses_link_is_doubted(gateway, link, other):
    """A connector can put only its own instance's links in doubt, whatever else it says."""
    link().up()
    link(**other).up()
    wait_until(lambda: gateway.gateway.err.count("link is up") == 2, "both are up")
    assert "dialled anew" not in gateway.gateway.err
    assert states(gateway)[0] == "live"


def test_R8_a_thousand_silent_deaths_leave_nothing(gateway, link):
    def lose(count):
        for _ in range(count):
            link(transport="websocket").up()  # not closed: the gateway hears nothing of its end
    lose(200)
    before = gateway.gateway.rss()
    lose(1000)
    assert len(states(gateway)) <= 20, "links that were lost do not pile up"
    link().up().serve()
    gateway.wait_status(200)
    wait_until(lambda: states(gateway) == ["live"], "only the last one is left")
    if not SANITIZED:  # which keep for a while what is freed
        assert gateway.gateway.rss() - before < 8 << 20


def test_an_instance_may_have_so_many_links_and_is_told(gateway, link):
    for slot in range(256):
        link(slot=slot).up().serve()
    refused = link(slot=256)
    assert refused.status == 409
    assert refused.problem["detail"] == ("this gateway has 256 links of this instance: lower --links, or wait until lost "
                                         "ones have ended")
    assert link(instance="another", slot=256).status == 101


# Credentials

def manifest(*secrets):
    return documents(tunnel_manifest(tokens=secrets), *(token_secret(s, f"{s}-0123456789abcdef") for s in secrets))


@pytest.mark.parametrize("transport", ["upgrade", "websocket"])
def test_S2_C3_a_revoked_token_ends_its_links_within_two_seconds(gateway, link, transport):
    gateway.write("shop.yaml", manifest("old", "new"))
    wait_until(lambda: link(transport=transport, token="old-0123456789abcdef").status == 101, "the old token is accepted")
    old = link(transport=transport, token="old-0123456789abcdef", instance="old").up()
    new = link(transport=transport, token="new-0123456789abcdef", instance="new").up().serve()
    gateway.write("shop.yaml", manifest("new"))
    assert wait_until(old.at_end, "its link is closed") < (20 if SANITIZED else 2)
    assert new.thread.is_alive()
    assert gateway.get().body == b"raw", "the other token's link serves on"
    assert link(transport=transport, token="old-0123456789abcdef").status == 401
    err = gateway.gateway.err
    assert "its token is no longer valid" in err
    down = next(line for line in err.splitlines() if "its token is no longer valid" in line)
    for identity in ('"tunnel":"default/shop"', '"connector":"raw"', '"instance":"', '"remote":"127.0.0.1:'):
        assert identity in down
    assert "0123456789abcdef" not in err + gateway.gateway.out and TOKEN not in err
