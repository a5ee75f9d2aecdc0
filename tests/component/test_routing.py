"""Which service answers: host (exact, wildcard, any), longest path on whole segments, privacy; and which certificate."""
import re
import ssl

import pytest

import origin as scripted
import visitor
from edge import documents, token_secret, tunnel_manifest
from programs import free_port

OTHER = "11111111-2222-4333-8444-555555555555"
ROUTES = """  - {host: shop.test}
  - {host: shop.test, path: /api, service: api}
  - {host: shop.test, path: /api/v2, service: v2}
  - {host: shop.test, path: /api/internal, service: api, visibility: Private}
  - {host: "*.wild.test", service: api}
  - {host: own.wild.test, path: /only, service: v2}
  - {host: hidden.test, visibility: Private}
"""
CASES = [  # host, path, service or status
    ("shop.test", "/", "default"),
    ("SHOP.Test", "/", "default"),
    ("shop.test.", "/", "default"),
    ("shop.test:1234", "/", "default"),
    ("shop.test", "/api", "api"),
    ("shop.test", "/api/", "api"),
    ("shop.test", "/api?x=/api/v2", "api"),
    ("shop.test", "/apis", "default"),
    ("shop.test", "/api/v2/x", "v2"),
    ("shop.test", "/api/v22", "api"),
    ("shop.test", "/api/internal", 404),
    ("shop.test", "/api/internal/x", 404),
    ("shop.test", "/api/internals", "api"),
    ("a.wild.test", "/", "api"),
    ("own.wild.test", "/only/this", "v2"),
    ("own.wild.test", "/else", 404),
    ("wild.test", "/", 404),
    ("hidden.test", "/", 404),
    ("nobody.test", "/", 404),
    ("127.0.0.1", "/", 404),
]


@pytest.fixture(scope="module")
def services():
    with scripted.running(port=free_port()) as a, scripted.running(port=free_port()) as b, \
         scripted.running(port=free_port()) as c:
        yield {"default": a, "api": b, "v2": c}


def test_host_and_path(edge, services):
    edge.write_default(routes=ROUTES)
    edge.start(*(f"{name}=http://127.0.0.1:{service.port}" for name, service in services.items()))
    wrong = []
    for host, path, expected in CASES:
        for service in services.values():
            service.requests.clear()
        status = edge.get(path, host=host).status
        asked = [name for name, service in services.items() if service.requests]
        found = asked[0] if status == 200 and len(asked) == 1 else status
        if found != expected or (status != 200 and asked):
            wrong.append(f"{host}{path}: expected {expected}, got {status} from {asked}")
    assert not wrong, "\n".join(wrong)


def test_a_private_host_answers_exactly_as_an_unknown_one(edge, services):
    edge.write_default(routes=ROUTES)
    edge.start(*(f"{name}=http://127.0.0.1:{service.port}" for name, service in services.items()))

    def whole(host):
        with edge.raw() as raw:
            raw.send(f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")
            return re.sub(rb"[0-9a-f]{32}", b"ID", raw.read_all())
    assert whole("hidden.test") == whole("nobody.test")


def test_any_host(edge, origin):
    edge.write_default(routes='  - {host: "*"}\n')
    edge.start(f"http://127.0.0.1:{origin.port}")
    for host in ("a.test", "b.c.d.test", "127.0.0.1", "[::1]:80"):
        assert edge.get(host=host).status == 200, host


def test_one_tunnels_connector_never_serves_another_tunnel(edge, services):
    edge.write("two.yaml", documents(
        tunnel_manifest(), token_secret(),
        tunnel_manifest("other", OTHER, "  - {host: other.test}\n"), token_secret("other-connector", "another-token-0123456789")))
    edge.start(f"http://127.0.0.1:{services['default'].port}")
    edge.wait_status(200)
    assert edge.get(host="other.test").status == 503
    edge.start_connector(f"http://127.0.0.1:{services['api'].port}", name="other", token="another-token-0123456789", tunnel=OTHER)
    edge.wait_status(200, host="other.test")
    assert services["api"].requests


def served_names(edge, name):
    """The subject alternative names of the certificate shown for `name`; the alert's text when the handshake fails."""
    context = visitor.trusting(edge.authority.file)
    context.check_hostname = False
    try:
        with visitor.Raw(edge.https, context, name) as raw:
            return [value for _, value in raw.socket.getpeercert()["subjectAltName"]]
    except ssl.SSLError as error:
        return error.reason


def test_certificate_by_server_name(edge, services):
    third = "99999999-2222-4333-8444-555555555555"
    edge.write("all.yaml", documents(
        tunnel_manifest(tls="shop-tls"), token_secret(),
        tunnel_manifest("wild", OTHER, '  - {host: "*.wild.test"}\n  - {host: secret.test, visibility: Private}\n', tls="wild-tls"),
        tunnel_manifest("bare", third, "  - {host: bare.test}\n")))
    edge.write_tls("shop.test", secret="shop-tls")
    edge.write_tls("*.wild.test", "secret.test", secret="wild-tls")
    edge.start(f"http://127.0.0.1:{services['default'].port}")
    assert served_names(edge, "shop.test") == ["shop.test"]
    assert served_names(edge, "a.wild.test") == ["*.wild.test", "secret.test"]
    unknown = served_names(edge, "unknown.test")
    assert "UNRECOGNIZED_NAME" in unknown
    assert served_names(edge, "secret.test") == unknown, "a host with only Private rules handshakes like an unknown one"


def test_the_default_certificate_is_that_of_the_any_host_rule(edge, services):
    edge.write_default(routes='  - {host: "*"}\n', tls="shop-tls")
    edge.write_tls("fallback.test", secret="shop-tls")
    edge.start(f"http://127.0.0.1:{services['default'].port}")
    assert served_names(edge, "unknown.test") == ["fallback.test"]


def test_a_server_name_of_one_tunnel_with_the_host_of_another_is_misdirected(edge, services):
    edge.write("two.yaml", documents(
        tunnel_manifest(tls="shop-tls"), token_secret(),
        tunnel_manifest("other", OTHER, "  - {host: other.test}\n", tls="other-tls"), token_secret("other-connector", "another-token-0123456789")))
    edge.write_tls("shop.test", secret="shop-tls")
    edge.write_tls("other.test", secret="other-tls")
    edge.start(f"http://127.0.0.1:{services['default'].port}")
    with visitor.Raw(edge.https, visitor.trusting(edge.authority.file), "shop.test") as raw:
        raw.send("GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n")
        assert raw.status() == 200
        raw.read_until(b"GET /")
        raw.send("GET / HTTP/1.1\r\nHost: other.test\r\n\r\n")
        assert raw.status() == 421
