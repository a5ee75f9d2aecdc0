"""Visitors that come through a trusted proxy: haproxy as a real one, and headers written by hand."""
import shutil
import socket
import ssl
import struct

import pytest

from programs import PATIENCE, Program, free_port, listens, wait_until

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
REQUEST = b"GET / HTTP/1.1\r\nHost: shop.test\r\nConnection: close\r\n\r\n"
V1 = b"PROXY TCP4 203.0.113.7 198.51.100.1 4711 8000\r\n"
V2 = SIGNATURE + b"\x21\x11" + struct.pack(">H", 12) + bytes([203, 0, 113, 7, 198, 51, 100, 1]) + struct.pack(">HH", 4711, 8000)
V6 = b"PROXY TCP6 2001:db8::7 2001:db8::1 4711 8000\r\n"
LOCAL = SIGNATURE + b"\x20\x00\x00\x00"
REFUSED = "adit_gateway_proxy_headers_refused_total"


def start(edge, origin, trusted="127.0.0.0/8", *flags):
    edge.write_default(tls="shop-tls")
    edge.write_tls("shop.test")
    edge.start(f"http://127.0.0.1:{origin.port}",
               gateway=("--trusted-proxies", trusted, "--http-proxy-protocol", "--https-proxy-protocol", *flags))
    return edge


@pytest.fixture
def trusting(edge, origin):
    return start(edge, origin)


@pytest.fixture
def distrusting(edge, origin):
    """The proxies that it trusts are elsewhere."""
    return start(edge, origin, "192.0.2.0/24")


def say(port, *pieces):
    """All that comes back for the pieces, each sent on its own."""
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for piece in pieces:
            connection.sendall(piece)
        return read_all(connection)


def read_all(connection):
    answer = b""
    try:
        while piece := connection.recv(65536):
            answer += piece
    except ConnectionResetError:
        pass
    return answer


def say_over_tls(edge, header, request=REQUEST):
    context = ssl.create_default_context(cafile=edge.authority.file)
    with socket.create_connection(("127.0.0.1", edge.https), PATIENCE) as connection:
        connection.sendall(header)
        with context.wrap_socket(connection, server_hostname="shop.test") as secure:
            secure.sendall(request)
            return read_all(secure)


def header(request, name):
    return [value for key, value in request.fields if key.lower() == name]


def visitors(edge, count):
    return [line["visitor"] for line in edge.wait_access_log(count)]


@pytest.mark.parametrize("said, visitor", [(V1, "203.0.113.7"), (V2, "203.0.113.7"), (V6, "2001:db8::7"),
                                           (b"PROXY UNKNOWN\r\n", "127.0.0.1"), (LOCAL, "127.0.0.1")],
                         ids=["v1", "v2", "v6", "unknown", "local"])
def test_the_visitors_address_is_that_of_the_header(trusting, origin, said, visitor):
    assert say(trusting.http, said + REQUEST).startswith(b"HTTP/1.1 200")
    assert say(trusting.http, said, REQUEST).startswith(b"HTTP/1.1 200")
    assert say_over_tls(trusting, said).startswith(b"HTTP/1.1 200")
    assert visitors(trusting, 3) == [visitor] * 3
    for request in origin.requests:
        assert any(visitor in value for value in header(request, "x-forwarded-for"))
    assert trusting.metrics()[REFUSED] == 0


def test_a_header_and_a_request_byte_by_byte(trusting):
    for said in (V1, V2):
        pieces = [bytes([byte]) for byte in said + REQUEST]
        assert say(trusting.http, *pieces).startswith(b"HTTP/1.1 200")
    assert visitors(trusting, 2) == ["203.0.113.7"] * 2


def test_the_public_port_is_that_of_the_header(trusting, origin):
    say(trusting.http, V1 + REQUEST)
    assert header(origin.requests[0], "x-forwarded-port") == ["8000"]
    say(trusting.http, LOCAL + REQUEST)
    assert header(origin.requests[1], "x-forwarded-port") == [str(trusting.http)]


@pytest.mark.parametrize("said", [b"", b"PROXY TCP4 203.0.113.7\r\n", b"PROXY TCP4 203.0.113.7 1.2.3.4 1 65536\r\n",
                                  SIGNATURE + b"\x31\x11\x00\x0c" + bytes(12)],
                         ids=["none", "no addresses", "wrong port", "version 3"])
def test_a_trusted_proxy_must_say_it_right(trusting, origin, said):
    assert say(trusting.http, said + REQUEST) == b""
    assert trusting.metrics()[REFUSED] == 1
    assert not origin.requests
    assert "connection of a trusted proxy refused" in trusting.gateway.err
    with pytest.raises((ssl.SSLError, ConnectionError)):
        say_over_tls(trusting, said)
    assert trusting.metrics()[REFUSED] == 2


def test_it_must_come_in_time(edge, origin):
    start(edge, origin, "127.0.0.0/8", "--header-timeout", "500ms")
    assert say(edge.http, V1[:20]) == b""
    assert say(edge.https) == b""
    assert edge.metrics()[REFUSED] == 2
    assert say(edge.http, V1 + REQUEST).startswith(b"HTTP/1.1 200")


def test_a_look_whether_the_port_is_open_counts_for_nothing(trusting):
    for port in (trusting.http, trusting.https):
        with socket.create_connection(("127.0.0.1", port), PATIENCE) as connection:
            connection.shutdown(socket.SHUT_WR)
            assert read_all(connection) == b""
    assert trusting.metrics()[REFUSED] == 0


def test_others_cannot_say_who_they_are(distrusting, origin):
    for said in (V1, V2):
        answer = say(distrusting.http, said + REQUEST)
        assert answer.startswith(b"HTTP/1.1 400") or (said == V2 and answer.startswith(b"HTTP/1.1 4")), answer
        with pytest.raises((ssl.SSLError, ConnectionError)):
            say_over_tls(distrusting, said)
    assert not origin.requests
    assert say(distrusting.http, REQUEST).startswith(b"HTTP/1.1 200")
    assert say_over_tls(distrusting, b"").startswith(b"HTTP/1.1 200")
    assert distrusting.metrics()[REFUSED] == 0


def test_waiting_connections_do_not_hold_up_the_end(trusting):
    with socket.create_connection(("127.0.0.1", trusting.http), PATIENCE) as waiting:
        waiting.sendall(V1[:10])
        trusting.gateway.stop()
        assert read_all(waiting) == b""


HAPROXY = """
global
  log stderr format raw local0
defaults
  timeout connect 5s
  timeout client 20s
  timeout server 20s
frontend plain
  mode http
  bind 127.0.0.1:{plain}
  default_backend plain
backend plain
  mode http
  server edge 127.0.0.1:{edge.http} {send}
frontend secure
  mode tcp
  bind 127.0.0.1:{secure}
  default_backend secure
backend secure
  mode tcp
  server edge 127.0.0.1:{edge.https} {send} check inter 100ms {check}
"""


@pytest.fixture
def haproxy(trusting, tmp_path, request):
    ports = {"plain": free_port(), "secure": free_port()}
    check = "check-send-proxy"
    (tmp_path / "haproxy.cfg").write_text(HAPROXY.format(edge=trusting, send=request.param, check=check, **ports))
    proxy = Program("haproxy", [shutil.which("haproxy") or "/usr/sbin/haproxy", "-f", tmp_path / "haproxy.cfg"], tmp_path)
    wait_until(lambda: listens(ports["plain"]) and listens(ports["secure"]), "haproxy listens")
    proxy.ports = ports
    yield proxy
    proxy.kill()


@pytest.mark.parametrize("haproxy", ["send-proxy", "send-proxy-v2", "send-proxy-v2 proxy-v2-options crc32c,unique-id"],
                         indirect=True)
def test_behind_haproxy(trusting, origin, haproxy):
    """haproxy tells the address that its visitor came from: another one of loopback than its own."""
    with socket.socket() as visitor:
        visitor.bind(("127.0.0.77", 0))
        visitor.settimeout(PATIENCE)
        visitor.connect(("127.0.0.1", haproxy.ports["plain"]))
        visitor.sendall(REQUEST)
        assert read_all(visitor).startswith(b"HTTP/1.1 200")
    context = ssl.create_default_context(cafile=trusting.authority.file)
    with socket.socket() as visitor:
        visitor.bind(("127.0.0.77", 0))
        visitor.settimeout(PATIENCE)
        visitor.connect(("127.0.0.1", haproxy.ports["secure"]))
        with context.wrap_socket(visitor, server_hostname="shop.test") as secure:
            secure.sendall(REQUEST)
            assert read_all(secure).startswith(b"HTTP/1.1 200")
    assert visitors(trusting, 2) == ["127.0.0.77"] * 2
    assert header(origin.requests[1], "x-forwarded-port") == [str(haproxy.ports["secure"])]
    assert trusting.metrics()[REFUSED] == 0
