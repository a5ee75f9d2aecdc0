"""Visitors stay with one instance of a tunnel's connectors: by a cookie of the gateways, or by their address."""
import asyncio
import contextlib
import re
import threading

import pytest
import websockets

import origin as scripted
import visitor
from edge import ROUTES
from programs import PATIENCE, free_port, wait_until
from replicas import Fleet

COOKIE = "adit-affinity"
FORM = r"adit-affinity=([0-9a-f]{32}(\.[0-9a-f]{32}){0,3}); Path=/; HttpOnly; SameSite=Lax"


def affinity(mode="Cookie", **more):
    fields = "".join(f", {name}: {value}" for name, value in more.items())
    return ROUTES + f"  affinity: {{mode: {mode}{fields}}}\n"


@pytest.fixture
def services():
    """Two services; each connector of a test leads to one of them."""
    with scripted.running(port=free_port()) as first, scripted.running(port=free_port()) as second:
        yield [first, second]


@pytest.fixture
def two(edge, services):
    """A gateway with two workers, and a connector for each service once the test has said how."""
    def start(routes, *gateway, links=()):
        edge.write_default(routes=routes)
        edge.start_gateway("--workers", "2", *gateway)
        edge.connectors = [edge.start_connector(f"http://127.0.0.1:{service.port}", name=f"c{number}", flags=links)
                           for number, service in enumerate(services)]
        wait_until(lambda: edge.status()["tunnels"][0]["connectors"] == 2, "both are up")
        return edge
    return start


def which(services, ask):
    """The number of the one service that `ask` reaches, and the answer."""
    before = [len(service.requests) for service in services]
    answer = ask()
    assert answer.status == 200, answer
    reached = [number for number, service in enumerate(services) if len(service.requests) > before[number]]
    assert len(reached) == 1, "one service, once"
    return reached[0], answer


class Browser:
    """A visitor that keeps the one cookie; each request comes on a connection of its own."""

    def __init__(self, services, port):
        self.services, self.port, self.cookie, self.given = services, port, None, 0

    def ask(self, path="/", port=None, **rest):
        fields = {"Cookie": f"theme=dark; {COOKIE}={self.cookie}; lang=en"} if self.cookie else {}
        number, answer = which(self.services, lambda: visitor.get(port or self.port, path, fields=fields, **rest))
        if answer.field("Set-Cookie"):
            form = re.fullmatch(FORM, answer.field("Set-Cookie"))
            assert form, answer.field("Set-Cookie")
            self.cookie, self.given = form.group(1), self.given + 1
        if fields:
            seen = self.services[number].requests[-1].field("cookie")
            assert seen == "theme=dark; lang=en", "the service sees the visitor's own cookies only"
        return number


# Cookie

@pytest.mark.parametrize("links", [[], ["--links", "1"]], ids=["links of every worker", "links of one worker each"])
def test_a_visitor_stays_with_its_instance(two, services, links):
    edge = two(affinity(), links=links)
    browsers = [Browser(services, edge.http) for _ in range(24)]
    homes = [browser.ask() for browser in browsers]
    assert set(homes) == {0, 1}, "newcomers are spread"
    for _ in range(4):
        # Both a stream that is kept and one that is opened anew lead there.
        assert [browser.ask() for browser in browsers] == homes
        assert [browser.ask("/http10", method="POST", body=b"") for browser in browsers] == homes
    assert {browser.given for browser in browsers} == {1}
    assert edge.metrics()['adit_gateway_affinity_cookies_total{reason="new"}'] == 24
    assert edge.metrics()['adit_gateway_affinity_cookies_total{reason="moved"}'] == 0


def test_the_cookie_says_nothing_of_the_instance(two, services):
    edge = two(affinity())
    links = edge.status()["tunnels"][0]["links"]
    secrets = {link[name] for link in links for name in ("connector", "instance", "remote")}
    text = visitor.get(edge.http).field("Set-Cookie")
    assert secrets and not any(secret in text for secret in secrets)


def test_name_age_and_https(two, services, edge):
    edge.write_tls("shop.test")
    edge = two(affinity(cookieName="__Host-home", maxAge="2h") + "  tls: {secretName: shop-tls}\n")
    assert re.fullmatch(r"__Host-home=[0-9a-f]{32}; Path=/; HttpOnly; SameSite=Lax; Max-Age=7200",
                        edge.get().field("Set-Cookie"))
    head = edge.curl("-i", edge.url(https=True), https=True).decode()
    assert re.search(r"(?m)^Set-Cookie: __Host-home=[0-9a-f]{32}; Path=/; HttpOnly; SameSite=Lax; Secure; Max-Age=7200\r$", head)


def test_without_affinity_there_is_no_cookie_and_none_is_taken_away(two, services):
    edge = two(ROUTES)
    number, answer = which(services, lambda: edge.get(fields={"Cookie": f"{COOKIE}={'a' * 32}"}))
    assert answer.field("Set-Cookie") is None
    assert services[number].requests[-1].field("cookie") == f"{COOKIE}={'a' * 32}"


def test_an_instance_that_goes_is_replaced_by_one_that_stays(two, services):
    edge = two(affinity())
    browsers = [Browser(services, edge.http) for _ in range(12)]
    homes = [browser.ask() for browser in browsers]
    former = [browser.cookie for browser in browsers]
    edge.connectors[0].stop()
    assert {browser.ask() for browser in browsers} == {1}
    moved = [cookie != browser.cookie for cookie, browser in zip(former, browsers)]
    assert moved == [home == 0 for home in homes], "who was elsewhere keeps its cookie"
    edge.start_connector(f"http://127.0.0.1:{services[0].port}", name="c2")
    wait_until(lambda: edge.status()["tunnels"][0]["connectors"] == 2, "another instance is up")
    assert {browser.ask() for browser in browsers} == {1}, "nobody moves to it"
    newcomers = wait_until(lambda: {Browser(services, edge.http).ask() for _ in range(24)} == {0, 1}, "it gets newcomers")
    assert newcomers


def test_an_instance_that_cannot_reach_its_service_is_left(two, services):
    edge = two(affinity())
    browser = Browser(services, edge.http)
    home = browser.ask()
    services[home].stop()
    assert browser.ask("/http10") == 1 - home and browser.given == 2
    assert browser.ask() == 1 - home and browser.given == 2


HOSTILE = [
    COOKIE, f"{COOKIE}=", f'{COOKIE}=""', f"{COOKIE}=x", f"{COOKIE}=" + "0" * 32, f"{COOKIE}=" + "f" * 32,
    f"{COOKIE}=" + ".".join(["a" * 32] * 4), f"{COOKIE}=" + ".".join(["a" * 32] * 5), f"{COOKIE}=" + "A" * 32,
    f"{COOKIE}=" + "a" * 10000, f"{COOKIE}=" + ";".join(["a"] * 2000), ";" * 5000, f"{COOKIE}=1;" * 400, f" {COOKIE} = 1 ",
    f"{COOKIE}=" + "." * 131, f'{COOKIE}="' + "a" * 32, f"{COOKIE}=%s%n%00../../etc/passwd",
]


def test_whatever_cookie_comes_the_visitor_is_served(two, services):
    edge = two(affinity())
    for text in HOSTILE:
        number, answer = which(services, lambda: edge.get(fields={"Cookie": text}))
        assert re.fullmatch(FORM, answer.field("Set-Cookie")), text[:80]
        assert COOKIE not in (services[number].requests[-1].field("cookie") or ""), text[:80]


def test_the_cookie_is_found_among_many(two, services):
    edge = two(affinity())
    browser = Browser(services, edge.http)
    home = browser.ask()
    own = f"{COOKIE}={browser.cookie}"
    quoted = f'{COOKIE}="{browser.cookie}"'
    cases = [([own], []), ([f"a=1;{own};b=2"], ["a=1;b=2"]), (["a=1", own, "b=2"], ["a=1", "b=2"]), ([quoted], []),
             ([f"{COOKIE}=forged; {own}"], []), ([f"x{own}; {own}x; {own}"], [f"x{own}"]),
             (["; ".join(f"c{n}=v" for n in range(300)) + "; " + own], ["; ".join(f"c{n}=v" for n in range(300))]),
             ([f"Adit-Affinity=1; {own}"], ["Adit-Affinity=1"])]
    for fields, seen in cases:
        for _ in range(4):
            before = len(services[home].requests)
            with visitor.Raw(edge.http) as raw:
                lines = "".join(f"Cookie: {field}\r\n" for field in fields)
                raw.send(f"GET / HTTP/1.1\r\nHost: shop.test\r\n{lines}Connection: close\r\n\r\n")
                answer = raw.read_all()
            assert answer.startswith(b"HTTP/1.1 200") and b"Set-Cookie" not in answer, fields
            assert len(services[home].requests) == before + 1, fields
            cookies = [value for name, value in services[home].requests[-1].fields if name.lower() == "cookie"]
            assert cookies == seen, fields


def test_services_of_several_connectors_have_a_place_each_in_the_cookie(edge, services):
    edge.write_default(routes=ROUTES + "  - {host: shop.test, path: /api, service: api}\n  affinity: {mode: Cookie}\n")
    edge.start_gateway("--workers", "2")
    with scripted.running(port=free_port()) as third, scripted.running(port=free_port()) as fourth:
        every = [*services, third, fourth]
        for number, service in enumerate(every):
            name = "default" if number < 2 else "api"
            edge.start_connector(f"{name}=http://127.0.0.1:{service.port}", name=f"c{number}")
        wait_until(lambda: edge.status()["tunnels"][0]["connectors"] == 4, "all are up")
        browser = Browser(every, edge.http)
        homes = browser.ask("/"), browser.ask("/api")
        assert homes[0] in (0, 1) and homes[1] in (2, 3)
        for _ in range(6):
            assert (browser.ask("/"), browser.ask("/api")) == homes
        assert browser.given == 2


def test_web_sockets_stay_too(two, edge, services):
    """Services that say their number; the upgrade's answer carries the cookie."""
    ports, up, stops = [free_port(), free_port()], threading.Barrier(3), []

    async def serve(number):
        async def tell(connection):
            await connection.send(str(number))
        stop = asyncio.get_running_loop().create_future()
        stops.append((asyncio.get_running_loop(), stop))
        async with websockets.serve(tell, "127.0.0.1", ports[number]):
            up.wait(10)
            await stop

    threads = [threading.Thread(target=lambda number=number: asyncio.run(serve(number)), daemon=True) for number in range(2)]
    for thread in threads:
        thread.start()
    up.wait(10)
    edge.write_default(routes=affinity())
    edge.start_gateway("--workers", "2")
    for number, port in enumerate(ports):
        edge.start_connector(f"http://127.0.0.1:{port}", name=f"c{number}")
    wait_until(lambda: edge.status()["tunnels"][0]["connectors"] == 2, "both are up")

    async def talk(cookie=None):
        fields = {"Cookie": f"{COOKIE}={cookie}"} if cookie else {}
        async with websockets.connect(f"ws://shop.test:{edge.http}/", host="127.0.0.1", port=edge.http,
                                      extra_headers=fields) as chat:
            return await chat.recv(), chat.response_headers.get("Set-Cookie")

    for _ in range(4):
        home, given = asyncio.run(asyncio.wait_for(talk(), PATIENCE))
        cookie = re.fullmatch(FORM, given).group(1)
        for _ in range(4):
            assert asyncio.run(asyncio.wait_for(talk(cookie), PATIENCE)) == (home, None)
    for loop, stop in stops:
        loop.call_soon_threadsafe(stop.set_result, None)
    for thread in threads:
        thread.join(10)


# Several gateways

@pytest.fixture
def apart(edge, services):
    """Gateways a and b; the first connector has links to a only, the second to b only."""
    @contextlib.contextmanager
    def start(routes, *flags):
        edge.write_default(routes=routes)
        fleet = Fleet(edge)
        gateways = fleet.start("a", "b", flags=("--workers", "2", *flags))
        for number, (gateway, service) in enumerate(zip(gateways, services)):
            fleet.connector(gateway, f"http://127.0.0.1:{service.port}", name=f"c{number}")
        a, b = gateways
        a.wait_sees(b, tunnels=1)
        b.wait_sees(a, tunnels=1)
        yield gateways
    return start


def test_every_gateway_knows_the_cookie(apart, services):
    with apart(affinity()) as gateways:
        for first in gateways:
            # A newcomer is served by the gateway's own link.
            browser = Browser(services, first.http)
            home = browser.ask()
            assert home == gateways.index(first)
            for _ in range(3):
                for gateway in gateways:
                    assert browser.ask(port=gateway.http) == home
                    assert browser.ask("/http10", port=gateway.http, method="POST", body=b"") == home
            assert browser.given == 1


# Address

def from_address(address):
    return {"X-Forwarded-For": address}


def homes_of(services, port, addresses):
    return {address: which(services, lambda: visitor.get(port, fields=from_address(address)))[0] for address in addresses}


ADDRESSES = [f"192.0.2.{n}" for n in range(1, 31)] + [f"2001:db8::{n:x}" for n in range(1, 31)]
TRUSTED = ("--trusted-proxies", "127.0.0.1")


def test_an_address_stays_with_its_instance(two, services):
    edge = two(affinity("Address"), *TRUSTED)
    homes = homes_of(services, edge.http, ADDRESSES)
    assert set(homes.values()) == {0, 1}, "60 addresses are at both"
    assert homes_of(services, edge.http, ADDRESSES) == homes
    assert visitor.get(edge.http, fields={**from_address(ADDRESSES[0]), "Cookie": f"{COOKIE}=1"}).field("Set-Cookie") is None
    edge.start_connector(f"http://127.0.0.1:{services[1].port}", name="c2")
    wait_until(lambda: edge.status()["tunnels"][0]["connectors"] == 3, "a third is up")
    grown = homes_of(services, edge.http, ADDRESSES)
    assert all(grown[address] == 1 for address in ADDRESSES if homes[address] == 1), "it takes from the first only what it gets"
    edge.connectors[0].stop()
    assert set(homes_of(services, edge.http, ADDRESSES).values()) == {1}


def test_the_gateway_sees_one_address_where_no_proxy_is_trusted(two, services):
    edge = two(affinity("Address"))
    assert len(set(homes_of(services, edge.http, ADDRESSES[:20]).values())) == 1


def test_every_gateway_chooses_alike_by_address(apart, services):
    with apart(affinity("Address"), *TRUSTED) as (a, b):
        homes = homes_of(services, a.http, ADDRESSES)
        assert set(homes.values()) == {0, 1}
        assert homes_of(services, b.http, ADDRESSES) == homes
