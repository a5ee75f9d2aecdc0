"""What a bad connector can send to a gateway, and a bad gateway to a connector: it ends that link, with the reason in the
log, and touches nobody else. Beside each case another connector serves, and none of its requests fails."""
import contextlib
import itertools
import json
import socket
import ssl
import threading

import pytest

import frames as f
import visitor
from edge import documents, token_secret, tunnel_manifest
from frames import frame, number
from programs import PATIENCE, SANITIZED, free_port, wait_until

BAD_TUNNEL, BAD_TOKEN = "77777777-2222-4333-8444-555555555555", "the-token-of-the-bad-tunnel-0123456789"
BAD = {"tunnel": BAD_TUNNEL, "token": BAD_TOKEN}


class Beside:
    """A visitor of the good tunnel that asks all the time."""

    def __init__(self, edge):
        self.edge, self.statuses, self._stop = edge, [], threading.Event()
        self._thread = threading.Thread(target=self._ask, daemon=True)

    def _ask(self):
        while not self._stop.is_set():
            try:
                self.statuses.append(visitor.get(self.edge.http).status)
            except OSError as error:
                self.statuses.append(error)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join(PATIENCE)

    def judge(self):
        seen = len(self.statuses)
        wait_until(lambda: len(self.statuses) > seen + 3, "the other tunnel still answers")
        wrong = [s for s in self.statuses if s != 200]
        assert not wrong, wrong


@pytest.fixture
def beside(tunnelled):
    """The good tunnel with its load; the bad tunnel's manifest is in force."""
    tunnelled.write("bad.yaml", documents(
        tunnel_manifest(name="bad", tunnel=BAD_TUNNEL, routes="  - {host: bad.test}\n"),
        token_secret(name="bad-connector", token=BAD_TOKEN)))
    wait_until(lambda: tunnelled.get(host="bad.test").status == 503, "the bad tunnel is there")
    with Beside(tunnelled) as load:
        tunnelled.load = load
        yield tunnelled
        load.judge()


def log_lines(edge, message):
    text = edge.gateway.err
    whole = text[:text.rfind("\n") + 1]  # the last line may be under way
    return [line for line in map(json.loads, whole.splitlines()) if line["message"] == message]


def wait_until_up(edge):
    """With the offers of UP: the link takes streams."""
    def live():
        tunnels = json.loads(edge.admin_page("/status")[1])["tunnels"]
        return any(link["state"] == "live" for t in tunnels if t["name"] == "default/bad" for link in t["links"])
    wait_until(live, "the bad connector's link is up")


def wait_for_streams(edge, count):
    def opened():
        tunnels = json.loads(edge.admin_page("/status")[1])["tunnels"]
        return sum(link["streamsOpened"] for t in tunnels if t["name"] == "default/bad" for link in t["links"]) >= count
    wait_until(opened, f"the gateway has opened {count} streams")


def reason_of_end(edge, count=1):
    """Why the newest of `count` links of the bad tunnel ended."""
    ends = []

    def seen():
        ends[:] = [line for line in log_lines(edge, "link is down") if line["tunnel"] == "default/bad"]
        return len(ends) >= count
    wait_until(seen, f"{count} links of the bad tunnel have ended")
    assert ends[-1]["reason"] and ends[-1]["cause"], ends[-1]
    return ends[-1]["reason"]


# One line a case: what is said, and a part of the reason in the log. First for links that have not come up.
NOT_AN_OPENING = {
    "no HTTP/2": (b"HTTP/1.1 400 Bad Request\r\n\r\n" * 3, "HTTP/2"),
    "noise": (bytes(range(256)) * 64, "HTTP/2"),
    "PING before SETTINGS": (frame(f.PING, payload=b"12345678"), "SETTINGS"),
    "SETTINGS without extended CONNECT": (frame(f.SETTINGS), "ENABLE_CONNECT_PROTOCOL"),
    "SETTINGS of a wrong length": (frame(f.SETTINGS, payload=b"12345"), "FRAME_SIZE_ERROR"),
}
# Instead of the answer to the control stream.
NOT_AN_ANSWER = {
    "DATA before the answer": (frame(f.DATA, 0, 1, b"{}\n"), ""),
    "the control stream refused": (frame(f.HEADERS, f.END_HEADERS | f.END_STREAM, 1, f.field(b":status", b"404")), "404"),
}
# After it.
NOT_A_LINK = {
    "an answer for a stream never opened": (frame(f.HEADERS, f.END_HEADERS, 5, f.OK), "HEADERS"),
    "a stream of its own": (f.open_stream(2), "HEADERS"),
    "a push": (frame(f.PUSH, f.END_HEADERS, 1, number(2) + f.OK), "PUSH_PROMISE"),
    "DATA of a stream never opened": (frame(f.DATA, 0, 9, b"x"), "DATA"),
    "RST_STREAM of a stream never opened": (frame(f.RST, 0, 9, number(8)), "RST_STREAM"),
    "credit beyond the largest window": (frame(f.WINDOW, 0, 0, number(0x7fffffff)), "WINDOW_UPDATE"),
    "credit of nothing": (frame(f.WINDOW, 0, 0, number(0)), "WINDOW_UPDATE"),
    "a header block without end": (frame(f.HEADERS, 0, 1, f.OK) + frame(f.CONTINUATION, 0, 1) * 40, "CONTINUATION"),
    "a header block that expands": (frame(f.HEADERS, 0, 1, b"\x40\x01x\x7f\xe0\x1e" + b"y" * 4063 + b"\xbe" * 60_000) +
                                    frame(f.CONTINUATION, f.END_HEADERS, 1, b"\xbe" * 60_000), ""),
    "HPACK that cannot be decoded": (frame(f.HEADERS, f.END_HEADERS, 1, b"\xff" * 9), "COMPRESSION_ERROR"),
    "a frame larger than allowed": (b"\x02\x00\x00\x00\x00\x00\x00\x00\x01", "frame size"),
    "more than the control stream's window": (frame(f.DATA, 0, 1, b" " * 60_000) + frame(f.DATA, 0, 1, b" " * 60_000), ""),
    "a control line without end": (frame(f.DATA, 0, 1, b"x" * 65_000) * 2, "65536"),
    "a control line that is no JSON": (frame(f.DATA, 0, 1, b"nonsense\n"), "control line"),
    "JSON of great depth": (frame(f.DATA, 0, 1, b"[" * 20_000 + b"\n"), "control line"),
    "offers of a wrong name": (frame(f.DATA, 0, 1, b'{"type":"offers","services":[{"name":"a b","protocol":"tcp"}]}\n'), "name"),
    "the control stream ended": (frame(f.DATA, f.END_STREAM, 1), "control stream"),
    "the control stream reset": (frame(f.RST, 0, 1, number(8)), "control stream"),
    "GOAWAY with an error": (frame(f.GOAWAY, payload=number(0) + number(11) + b"go\naway\x00"), "go?away?"),
}


def ended(edge, peer, reason):
    assert peer.read_to_end(), "the gateway did not end the link"
    assert reason in reason_of_end(edge)


@pytest.mark.parametrize("case", NOT_AN_OPENING)
def test_what_is_no_opening_ends_the_link(beside, case):
    said, reason = NOT_AN_OPENING[case]
    with f.dial(beside, **BAD) as peer:
        peer.send(said)
        ended(beside, peer, reason)


@pytest.mark.parametrize("case", NOT_AN_ANSWER)
def test_what_does_not_answer_the_control_stream_ends_the_link(beside, case):
    said, reason = NOT_AN_ANSWER[case]
    with f.dial(beside, **BAD) as peer:
        peer.come_up(said)
        ended(beside, peer, reason)


@pytest.mark.parametrize("case", NOT_A_LINK)
def test_what_breaks_the_rules_ends_the_link(beside, case):
    said, reason = NOT_A_LINK[case]
    with f.dial(beside, **BAD) as peer:
        peer.come_up(f.CONNECTOR_UP + said)
        ended(beside, peer, reason)


FLOODS = {
    "SETTINGS": frame(f.SETTINGS, payload=f.setting(1, 4096)),
    "acknowledgements of SETTINGS": frame(f.SETTINGS, f.ACK),
    "PING": frame(f.PING, payload=b"12345678"),
    "answers to PING": frame(f.PING, f.ACK, payload=b"12345678"),
    "WINDOW_UPDATE": frame(f.WINDOW, 0, 0, number(1)),
    "RST_STREAM of a stream that is gone": frame(f.RST, 0, 3, number(8)),
    "PRIORITY": frame(f.PRIORITY, 0, 1, number(0) + b"x"),
    "unknown types": frame(0x5a, 0xff, 0, b"x" * 100),
    "empty DATA": frame(f.DATA, 0, 1),
    "DATA for a stream that is gone": frame(f.DATA, 0, 3, b"x" * 1000),
    "offers": frame(f.DATA, 0, 1, f.OFFERS),
    "unknown control lines": frame(f.DATA, 0, 1, b'{"type":"nothing"}\n'),
    "second answers": frame(f.HEADERS, f.END_HEADERS, 1, f.field(b":status", b"103")),
}


@pytest.mark.parametrize("reads", [True, False], ids=["reading", "deaf"])
@pytest.mark.parametrize("flood", FLOODS)
def test_floods_end_the_link(beside, flood, reads):
    with f.dial(beside, **BAD) as peer:
        peer.come_up()
        wait_until_up(beside)
        if reads:
            peer.read_beside()
        if "gone" in flood:  # stream 3, for a visitor who is told 502
            visited = threading.Thread(target=beside.get, kwargs={"host": "bad.test"}, daemon=True)
            visited.start()
            wait_for_streams(beside, 1)
            peer.send(frame(f.HEADERS, f.END_HEADERS | f.END_STREAM, 3, f.field(b":status", b"502")) + frame(f.RST, 0, 3, number(0)))
        packet = FLOODS[flood] * (1 + 16_000 // len(FLOODS[flood]))
        sent = next((n for n in range(2_000) if not peer.send(packet)), None)
        assert sent is not None, "the flood was never stopped"
    assert reason_of_end(beside)


@pytest.mark.parametrize("said", [b"", frame(f.SETTINGS, payload=f.setting(8, 1))[:5], f.CONNECTOR_HELLO], ids=[
    "nothing", "half a frame", "no control stream"])
def test_an_opening_without_end_is_cut(beside, said):
    """Its pings are answered, so that it looks alive."""
    with f.dial(beside, **BAD) as peer:
        peer.send(said)
        with contextlib.suppress(AssertionError):
            while said == f.CONNECTOR_HELLO:
                ping = peer.wait_frame(f.PING)
                peer.send(frame(f.PING, f.ACK, payload=ping[3]))
        assert peer.read_to_end()
    assert "time" in reason_of_end(beside) or "silent" in reason_of_end(beside)


def test_a_connector_that_does_not_read_costs_a_bounded_amount(beside, record_property):
    """Its visitors upload as much as they like, and the gateway holds back what it does not take."""
    before = beside.gateway.rss()
    with f.dial(beside, receive_buffer=4096, **BAD) as peer, contextlib.ExitStack() as visitors:
        peer.come_up(f.CONNECTOR_UP + frame(f.WINDOW, 0, 0, number(1 << 30)) + frame(f.SETTINGS, payload=f.setting(4, 1 << 30)))
        wait_until_up(beside)
        size, uploads = 64 << 20, []
        for number_of_stream in range(3, 3 + 2 * 8, 2):
            raw = visitors.enter_context(beside.raw())
            raw.socket.settimeout(1)
            raw.send(f"POST / HTTP/1.1\r\nHost: bad.test\r\nContent-Length: {size}\r\n\r\n")
            uploads.append(raw)
            wait_for_streams(beside, len(uploads))
            peer.send(frame(f.HEADERS, f.END_HEADERS, number_of_stream, f.OK))
        taken = 0
        for raw in uploads:
            with contextlib.suppress(TimeoutError, socket.timeout):
                while taken < size:
                    taken += raw.socket.send(b"x" * 65536)
        record_property("bytes taken of visitors", taken)
        if not SANITIZED:  # which keep for a while what is freed
            assert beside.gateway.rss() - before < 48 << 20


def test_S2_C13_S3_C4_S3_P6_S3_P12_S4_C16_a_half_open_connector_is_noticed(beside):
    with f.dial(beside, **BAD) as peer:
        peer.come_up()
        wait_until_up(beside)
        assert "silent" in reason_of_end(beside)


# The other way round: gateways that connectors should not trust.

class BadGateway:
    """Accepts links on a port of its own, says its part on each, and counts them."""

    def __init__(self, edge, said, again=b""):
        self.port, self.said, self.again, self.accepted, self.ended = free_port(), said, again, 0, 0
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(edge.link_chain, edge.link_key)
        self._listener = context.wrap_socket(socket.create_server(("127.0.0.1", self.port)), server_side=True)
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        for _ in itertools.count():
            try:
                connection, _ = self._listener.accept()
            except ssl.SSLError:
                continue
            except OSError:
                return
            self.accepted += 1
            with f.Peer(connection) as peer, contextlib.suppress(OSError):
                while b"\r\n\r\n" not in peer.bytes and peer.read():
                    pass
                peer.send(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: adit-link/1\r\n"
                          b"Adit-Gateway: bad\r\n\r\n" + self.said)
                if self.again:
                    peer.read_beside()
                    while peer.send(self.again * (1 + 16_000 // len(self.again))):
                        pass
                else:
                    peer.read_to_end()
            self.ended += 1

    def close(self):
        self._listener.close()


BAD_GATEWAYS = {
    "noise": (bytes(range(256)) * 64,),
    "HTTP/1.1": (b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",),
    "a stream of the other side": (f.GATEWAY_HELLO + f.open_stream(2),),
    "DATA on a stream never opened": (f.GATEWAY_HELLO + frame(f.DATA, 0, 5, b"x"),),
    "credit beyond the largest window": (f.GATEWAY_HELLO + frame(f.WINDOW, 0, 0, number(0x7fffffff)),),
    "a header block without end": (f.GATEWAY_HELLO + frame(f.HEADERS, 0, 1) + frame(f.CONTINUATION, 0, 1) * 40,),
    "HPACK that cannot be decoded": (f.GATEWAY_HELLO + frame(f.HEADERS, f.END_HEADERS, 1, b"\xff" * 9),),
    "a control line that is no JSON": (f.GATEWAY_HELLO + f.OPEN_CONTROL + frame(f.DATA, 0, 1, b"nonsense\n"),),
    "a control line without end": (f.GATEWAY_HELLO + f.OPEN_CONTROL + frame(f.DATA, 0, 1, b"x" * 65_000) * 2,),
    "the control stream ended": (f.GATEWAY_HELLO + f.OPEN_CONTROL + frame(f.DATA, f.END_STREAM, 1),),
    "GOAWAY with an error": (f.GATEWAY_HELLO + frame(f.GOAWAY, payload=number(0) + number(2) + b"\r\nforged"),),
    "floods of PING": (f.GATEWAY_HELLO + f.OPEN_CONTROL, frame(f.PING, payload=b"12345678")),
    "floods of SETTINGS": (f.GATEWAY_HELLO + f.OPEN_CONTROL, frame(f.SETTINGS)),
    "floods of unknown types": (f.GATEWAY_HELLO + f.OPEN_CONTROL, frame(0x5a, payload=b"x" * 100)),
    "floods of control lines": (f.GATEWAY_HELLO + f.OPEN_CONTROL, frame(f.DATA, 0, 1, b'{"type":"gateways","ids":[],"count":0}\n')),
}


def test_what_a_bad_gateway_sends_does_not_hurt_the_connector(edge, origin):
    """One connector with all of them, and with a good gateway through which it serves all the time."""
    gateways = {name: BadGateway(edge, *case) for name, case in BAD_GATEWAYS.items()}
    edge.write_default()
    edge.start_gateway()
    others = [flag for gateway in gateways.values() for flag in ("--gateway", f"localhost:{gateway.port}")]
    connector = edge.start_connector(f"http://127.0.0.1:{origin.port}", flags=["--links", "1", *others])
    edge.wait_status(200)
    try:
        with Beside(edge) as load:
            for name, gateway in gateways.items():
                wait_until(lambda: gateway.accepted >= 2 and gateway.ended >= 1, f"the connector dialled again after: {name}",
                           2 * PATIENCE)
            load.judge()
        assert connector.running()
        assert "forged" not in [json.loads(line)["message"] for line in connector.err.splitlines()]
    finally:
        for gateway in gateways.values():
            gateway.close()
