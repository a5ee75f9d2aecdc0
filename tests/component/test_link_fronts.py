"""Links through the reverse proxies that stand before a gateway, real ones: they end TLS and know a path of their own."""
import pytest

from fronts import start_caddy, start_haproxy, start_nginx, to_gateway, to_public_port
from programs import wait_until

TOKENS_ALIKE = "a-wrong-token-0123456789"


def nginx_with_tls_behind_it(edge):
    """To the link listener, over TLS again, and the path is cut."""
    location = to_gateway(edge, "$http_upgrade", "/") + " proxy_set_header X-Forwarded-For $remote_addr;"
    return start_nginx(edge, "return 404;", server=f"location /edge/ {{ {location} }}")


def nginx(edge):
    return start_nginx(edge, "return 404;", server=f"location /edge/ {{ {to_public_port(edge)} }}")


FRONTS = pytest.mark.parametrize("start_front", [nginx, nginx_with_tls_behind_it, start_caddy, start_haproxy],
                                 ids=["nginx", "nginx-tls", "caddy", "haproxy"])


@pytest.fixture
def gateway(edge):
    edge.write_default()
    edge.start_gateway("--trusted-proxies", "127.0.0.1/32")
    return edge


@FRONTS
@pytest.mark.parametrize("transport", ["upgrade", "websocket"])
def test_S1_C7_S2_C14_through_tls_and_a_path(gateway, origin, start_front, transport):
    port = start_front(gateway)
    gateway.start_connector(f"http://127.0.0.1:{origin.port}", gateway=f"https://localhost:{port}/edge",
                            flags=["--transport", transport, "--links", "2"])
    gateway.wait_status(200)
    size = 3_000_000
    assert len(gateway.get(f"/big?bytes={size}").body) == size
    upload = bytes(range(256)) * 4000
    assert gateway.get("/", method="POST", body=upload).status == 200
    links = gateway.status()["tunnels"][0]["links"]
    assert [link["transport"] for link in links] == [transport] * 2
    assert all(link["remote"].startswith("127.0.0.1") for link in links)


@FRONTS
def test_what_the_gateway_says_gets_through(gateway, link, start_front):
    """A refusal with its reason; and the address that is limited is not the proxy's."""
    port = start_front(gateway)
    for transport in ("upgrade", "websocket"):
        answer = link(port, prefix="/edge", transport=transport, token=TOKENS_ALIKE)
        assert answer.status == 401
        assert answer.problem["detail"] == "the gateway knows no tunnel with this id and token"
        assert answer.fields["adit-gateway"] == gateway.status()["id"]


@FRONTS
def test_a_link_that_is_silent_stays_up(gateway, link, start_front):
    """Nobody on the way minds a link without traffic of visitors: the PINGs of both sides come through."""
    port = start_front(gateway)
    silent = link(port, prefix="/edge", transport="websocket").up().serve()
    wait_until(lambda: silent.pings >= 1, "a PING has come through the proxy")
    assert gateway.get().body == b"raw"


def test_S2_C15_an_address_that_a_stranger_forges_is_not_believed(edge, link):
    edge.write_default()
    edge.start_gateway()
    link(edge.https, headers=["X-Forwarded-For: 192.0.2.7"]).up()
    assert edge.status()["tunnels"][0]["links"][0]["remote"].startswith("127.0.0.1:")
