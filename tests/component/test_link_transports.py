"""Links as connectors open them: both transports, on the link listener and beside HTTPS, and what is refused there."""
import socket

import pytest

import pki
from edge import TOKEN
from programs import wait_until

TRANSPORTS = pytest.mark.parametrize("transport", ["upgrade", "websocket"])
BEHIND_PROXY = ["--trusted-proxies", "127.0.0.0/8"]


def links(edge):
    return [link for tunnel in edge.status()["tunnels"] for link in tunnel["links"]]


@pytest.fixture
def gateway(edge):
    edge.write_default()
    edge.start_gateway()
    return edge


@TRANSPORTS
def test_S1_C3_on_the_link_listener(gateway, link, transport):
    link(transport=transport).up().serve()
    gateway.wait_status(200)
    assert gateway.get().body == b"raw"
    assert links(gateway)[0]["transport"] == transport


@TRANSPORTS
@pytest.mark.parametrize("alone", [False, True], ids=["beside", "alone"])
@pytest.mark.parametrize("prefix", ["", "/behind/a/prefix"], ids=["root", "prefix"])
def test_S4_P6_beside_https(edge, link, transport, alone, prefix):
    """Only 443 may be open: links and visitors share it, told apart by the link host."""
    edge.write_default(tls="shop-tls")
    edge.write_tls("shop.test")
    if alone:
        edge.link_address = "off"
    edge.start_gateway()
    link(edge.https, transport=transport, prefix=prefix).up().serve()
    edge.wait_status(200)
    assert edge.curl(edge.url(https=True), https=True) == b"raw", "visitors still get their own certificate and service"


@TRANSPORTS
def test_the_rest_of_the_connection_is_the_links(gateway, link, transport):
    """Frames and messages of other sizes than a handshake's, both ways."""
    body = bytes(range(256)) * 200
    link(gateway.https, transport=transport).up().serve(body)
    gateway.wait_status(200)
    for _ in range(3):
        assert gateway.get().body == body


def test_links_of_other_hosts_are_never_forwarded(tunnelled, link, origin):
    for host, prefix in (("shop.test", ""), ("shop.test", "/x"), ("elsewhere.test", "")):
        for transport in ("upgrade", "websocket"):
            answer = link(tunnelled.http, tls=False, transport=transport, host=host, prefix=prefix)
            assert answer.status == 404
            assert answer.problem is None, "a page for visitors: nothing says that links are known here"
    assert not origin.requests


def test_S1_C6_not_in_the_clear(gateway, link):
    """On plain HTTP a link is opened neither by the host nor by what a stranger says of himself."""
    assert link(gateway.http, tls=False).status == 404
    assert link(gateway.http, tls=False, headers=["X-Forwarded-Proto: https"]).status == 404


def test_S1_C6_in_the_clear_when_told_so(edge, link):
    edge.write_default()
    edge.start_gateway("--insecure")
    link(edge.http, tls=False).up().serve()
    edge.wait_status(200)


def test_S2_C15_behind_a_trusted_proxy_that_ends_tls(edge, link):
    edge.write_default()
    edge.start_gateway(*BEHIND_PROXY)
    assert link(edge.http, tls=False, headers=["X-Forwarded-Proto: http"]).status == 404
    assert link(edge.http, tls=False).status == 404
    said = ["X-Forwarded-Proto: https", "X-Forwarded-For: 198.51.100.9, 192.0.2.7"]
    link(edge.http, tls=False, headers=said).up().serve()
    edge.wait_status(200)
    assert links(edge)[0]["remote"] == "192.0.2.7"


@TRANSPORTS
@pytest.mark.parametrize("listener", ["link", "https"])
def test_S1_C4_S3_P8_a_stranger_gets_nothing(gateway, link, transport, listener):
    answer = link(getattr(gateway, listener), transport=transport, token="a-wrong-token-0123456789")
    assert (answer.status, answer.problem["status"]) == (401, 401)
    assert answer.problem["detail"] == "the gateway knows no tunnel with this id and token"
    assert answer.fields["adit-gateway"] == gateway.status()["id"]
    assert answer.fields["date"].endswith(" GMT")
    assert answer.at_end(), "the gateway closes"
    assert gateway.get().status == 503
    wait_until(lambda: "link refused" in gateway.gateway.err, "the refusal is logged")
    assert "a-wrong-token" not in gateway.gateway.err + gateway.gateway.out


@pytest.mark.parametrize("listener", ["link", "https"])
def test_what_is_not_quite_a_link_is_told_why(gateway, link, listener):
    port = getattr(gateway, listener)
    cases = [({"headers": ["Adit-Slot: 1"]}, 400, "Adit-Slot is there more than once"),
             ({"transport": "websocket", "headers": ["Sec-WebSocket-Version: 8"]}, 400, "Sec-WebSocket-Version"),
             ({"instance": "a b"}, 400, "Adit-Instance is not a name"),
             ({"prefix": "/x", "headers": ["Transfer-Encoding: chunked"]}, 400, "the request has a body")]
    for settings, status, reason in cases:
        answer = link(port, **settings)
        assert answer.status == status
        assert reason in answer.problem["detail"]
        answer.close()


def test_wrong_tokens_are_limited_by_the_address_wherever_they_come(edge, link):
    """30 at once from one address, whichever listener; an IPv6 /64 counts as one."""
    edge.write_default()
    edge.start_gateway(*BEHIND_PROXY)

    def attempt(address, port=None, token="a-wrong-token-0123456789"):
        answer = link(port or edge.https, token=token, headers=[f"X-Forwarded-For: {address}"])
        answer.close()
        return answer.status

    statuses = [attempt("192.0.2.1", edge.https if n % 2 else edge.link) for n in range(34)]
    assert statuses.count(401) >= 30 and statuses[-1] == 429
    assert attempt("192.0.2.1", token=TOKEN) == 429, "its tokens are not looked at any more"
    assert attempt("192.0.2.2", token=TOKEN) == 101
    statuses = [attempt(f"2001:db8:0:1::{n:x}") for n in range(34)]
    assert statuses[-1] == 429
    assert attempt("2001:db8:0:1:ffff::1", token=TOKEN) == 429
    assert attempt("2001:db8:0:2::1", token=TOKEN) == 101


def test_connections_that_ask_for_links_count_until_they_are_let_in(edge, link):
    edge.write_default()
    edge.start_gateway("--max-connections-per-address", "3")
    for slot in range(6):
        link(edge.https, slot=slot).up().serve()
    wait_until(lambda: len(links(edge)) == 6, "six links: they are no visitors")
    refused = [link(edge.https, token="a-wrong-token-0123456789") for _ in range(3)]  # and kept open
    assert [answer.status for answer in refused] == [401] * 3
    with socket.create_connection(("127.0.0.1", edge.http), 10) as visitor:
        visitor.sendall(b"GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n")
        assert visitor.recv(100).startswith(b"HTTP/1.1 429")
    for answer in refused:
        answer.close()
    edge.wait_status(200)


def test_the_certificate_of_the_link_host_is_no_tunnels(edge, link, tmp_path):
    """A tunnel that routes the link host does not get its certificate, nor connectors, in its place."""
    edge.write_default(routes="  - {host: localhost}\n  - {host: shop.test}\n", tls="stolen")
    stranger = pki.Authority(tmp_path, "stranger")
    edge.write("stolen.yaml", pki.tls_secret("stolen", *stranger.issue("localhost", "shop.test")))
    edge.start_gateway()
    link(edge.https).up().serve()
    edge.wait_status(200)
