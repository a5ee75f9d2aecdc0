"""Tunnels of one namespace that share a host and path by weight."""
import collections
import re

import pytest

import origin as scripted
import visitor
from edge import TOKEN, documents, token_secret
from programs import free_port, wait_until
from replicas import Fleet

IDS = {"stable": "11111111-1111-4111-8111-111111111111", "canary": "22222222-2222-4222-8222-222222222222"}


def sharer(name, weight, path="/", more="", visibility="Public"):
    """A Tunnel whose connectors have the token of all."""
    weight = "" if weight is None else f", weight: {weight}"
    return (f"apiVersion: adit.dev/v1alpha1\nkind: Tunnel\nmetadata: {{name: {name}}}\nspec:\n  id: {IDS[name]}\n"
            f"  routes: [{{host: shop.test, path: {path}, visibility: {visibility}{weight}}}]\n"
            f"  connectorTokens: [{{secretName: tokens-{name}}}]\n{more}")


def write(edge, stable, canary, more="", **rest):
    """`more`: of both."""
    edge.write("tunnels.yaml", documents(
        sharer("stable", stable, more=more), sharer("canary", canary, more=more, **rest),
        token_secret("tokens-stable"), token_secret("tokens-canary", TOKEN + "-canary")))


@pytest.fixture
def services():
    with scripted.running(port=free_port()) as stable, scripted.running(port=free_port()) as canary:
        yield {"stable": stable, "canary": canary}


def connect(edge, services, name, gateway=None):
    token = TOKEN if name == "stable" else TOKEN + "-canary"
    return edge.start_connector(f"http://127.0.0.1:{services[name].port}", name=name, token=token, tunnel=IDS[name],
                                **({"gateway": f"localhost:{gateway.link}"} if gateway else {}))


@pytest.fixture
def shared(edge, services):
    def start(stable, canary, more="", workers=2, **rest):
        write(edge, stable, canary, more, **rest)
        edge.start_gateway("--workers", str(workers))
        edge.connectors = {name: connect(edge, services, name) for name in services}
        return edge
    return start


def spread(services, ask, count):
    """How many of `count` requests each service got."""
    before = {name: len(service.requests) for name, service in services.items()}
    statuses = collections.Counter(ask().status for _ in range(count))
    got = {name: len(service.requests) - before[name] for name, service in services.items()}
    assert sum(got.values()) == statuses[200], "each came once"
    return got, statuses


def test_requests_are_shared_by_weight(shared, services):
    edge = shared(90, 10)
    got, statuses = spread(services, edge.get, 400)
    assert statuses == {200: 400}
    assert abs(got["canary"] - 40) <= 6, "each of two workers is off by a few at most"
    tunnels = collections.Counter(line["tunnel"] for line in edge.wait_access_log(400))
    assert tunnels == {"default/stable": got["stable"], "default/canary": got["canary"]}
    assert edge.metrics()["adit_gateway_shares_moved_total"] == 0


def test_weights_change_while_it_runs(shared, services, edge):
    shared(100, 0)
    assert spread(services, edge.get, 50)[0] == {"stable": 50, "canary": 0}
    write(edge, 0, 1000)
    wait_until(lambda: spread(services, edge.get, 1)[0]["canary"] == 1, "the new weights are in force")
    assert spread(services, edge.get, 50)[0] == {"stable": 0, "canary": 50}
    write(edge, 0, 0)
    edge.wait_status(503)
    got, statuses = spread(services, edge.get, 10)
    assert statuses == {503: 10}
    unserved = {value for name, value in edge.metrics().items() if name.startswith("adit_gateway_no_connector_total")}
    assert unserved == {0}, "connectors are there"
    wait_until(lambda: any("weights" in line.get("reason", "") for line in edge.access_log()), "the log says why")
    edge.write("tunnels.yaml", documents(sharer("stable", 0), token_secret("tokens-stable")))
    edge.wait_status(200)


def test_where_one_has_no_connector_the_other_serves(shared, services, edge):
    shared(50, 50)
    edge.connectors["canary"].stop()
    wait_until(lambda: not any(tunnel["connectors"] for tunnel in edge.status()["tunnels"] if tunnel["id"] == IDS["canary"]),
               "the canary is gone")
    before = edge.metrics()["adit_gateway_shares_moved_total"]
    got, statuses = spread(services, edge.get, 100)
    assert statuses == {200: 100} and got == {"stable": 100, "canary": 0}
    assert abs(edge.metrics()["adit_gateway_shares_moved_total"] - before - 50) <= 6
    edge.connectors["stable"].stop()
    edge.wait_status(503)


def test_without_two_weights_the_first_claim_stands(edge, services):
    write(edge, None, 10)
    edge.start_gateway()
    for name in services:
        connect(edge, services, name)
    got, _ = spread(services, edge.get, 20)
    assert sorted(got.values()) == [0, 20]
    assert "has the host and path of a route of Tunnel" in edge.gateway.err + edge.gateway.out


def test_another_visibility_is_refused(edge, services):
    write(edge, 10, 10, visibility="Private")
    edge.start_gateway()
    for name in services:
        connect(edge, services, name)
    first = "canary"  # of the same age: by name
    assert {edge.get().status for _ in range(10)} == {404}, first
    assert "cannot share it by weight, since its visibility is another" in edge.gateway.err + edge.gateway.out


def test_a_visitor_stays_with_its_tunnel(shared, services, edge):
    shared(50, 50, more="  affinity: {mode: Cookie}\n")
    homes = []
    for _ in range(12):
        cookie = re.match(r"adit-affinity=[0-9a-f]{32}", edge.get().field("Set-Cookie")).group(0)
        got, _ = spread(services, lambda cookie=cookie: edge.get(fields={"Cookie": cookie}), 8)
        assert sorted(got.values()) == [0, 8]
        homes.append((cookie, max(got, key=got.get)))
    assert {home for _, home in homes} == {"stable", "canary"}
    edge.connectors["canary"].stop()
    wait_until(lambda: spread(services, edge.get, 8)[0]["canary"] == 0, "the canary is gone")
    for cookie, home in homes:
        answer = edge.get(fields={"Cookie": cookie})
        moved = answer.field("Set-Cookie") is not None
        assert answer.status == 200 and moved == (home == "canary")
        assert not any("adit" in (request.field("cookie") or "") for request in services["stable"].requests)


def test_a_weight_of_nothing_moves_visitors_too(shared, services, edge):
    shared(50, 50, more="  affinity: {mode: Cookie}\n")
    cookies = {}
    while len(cookies) < 2:
        got, cookie = which(services, edge)
        cookies[got] = cookie
    write(edge, 50, 0, more="  affinity: {mode: Cookie}\n")
    wait_until(lambda: which(services, edge, cookies["canary"])[0] == "stable", "the weight is in force")
    assert {which(services, edge, cookie)[0] for cookie in cookies.values() for _ in range(5)} == {"stable"}


def which(services, edge, cookie=None):
    """The service that a request reached, and the cookie that came back."""
    before = {name: len(service.requests) for name, service in services.items()}
    answer = edge.get(fields={"Cookie": cookie} if cookie else {})
    assert answer.status == 200
    reached, = (name for name, service in services.items() if len(service.requests) > before[name])
    return reached, (answer.field("Set-Cookie") or "").split(";")[0]


def test_every_gateway_keeps_the_visitor_at_its_tunnel(edge, services):
    """Two gateways of which each has the links of one Tunnel only."""
    write(edge, 50, 50, more="  affinity: {mode: Cookie}\n")
    a, b = Fleet(edge).start("a", "b", flags=("--workers", "2"))
    connect(edge, services, "stable", a)
    connect(edge, services, "canary", b)
    a.wait_sees(b, tunnels=1)
    b.wait_sees(a, tunnels=1)
    homes = set()
    for gateway in (a, b) * 6:
        first = visitor.get(gateway.http)
        cookie = first.field("Set-Cookie").split(";")[0]
        reached = []
        for other in (a, b, a, b):
            before = {name: len(service.requests) for name, service in services.items()}
            answer = visitor.get(other.http, fields={"Cookie": cookie})
            assert answer.status == 200 and answer.field("Set-Cookie") is None
            reached += [name for name, service in services.items() if len(service.requests) > before[name]]
        assert len(reached) == 4 and len(set(reached)) == 1
        homes.add(reached[0])
    assert homes == {"stable", "canary"}
