"""Gateways that reach each other's links: a visitor is served whichever replica it meets."""
import asyncio
import contextlib
import hashlib
import json
import signal
import socket
import ssl
import threading
import time

import pytest
import websockets

import frames
import pki
import visitor
from edge import TUNNEL
from programs import PATIENCE, SANITIZED, free_port, wait_until
from raw_link import RawLink
from replicas import PEER_NAME, Fleet, Replica


@pytest.fixture
def fleet(edge):
    edge.write_default()
    return Fleet(edge)


@pytest.fixture
def two(fleet, origin):
    """Gateways a and b; the connector has a link to a only."""
    a, b = fleet.start("a", "b", flags=("--workers", "2"))
    fleet.a_connector = fleet.connector(a, f"http://127.0.0.1:{origin.port}")
    b.wait_sees(a, tunnels=1)
    origin.requests.clear()
    return a, b


def test_R2_R10_the_wrong_replica_serves_too(two, origin):
    a, b = two
    for path in ("/one", "/two"):
        answer = b.get(path)
        assert (answer.status, answer.body) == (200, f"GET {path}".encode())
    body = bytes(range(256)) * 2000
    answer = b.get("/echo", method="POST", body=body)
    assert answer.status == 200 and answer.body == body
    assert [request.target for request in origin.requests] == ["/one", "/two", "/echo"]
    lines = b.access_log(3)
    assert [line["peer"] for line in lines] == [a.id] * 3
    assert [line["attempts"] for line in lines] == [1] * 3
    assert "peer" not in json.dumps(a.program.out), "what a relays is no request of its visitors"
    sent, taken = "adit_gateway_peer_streams_sent_total", "adit_gateway_peer_streams_taken_total"
    assert b.metrics()[sent + '{result="served"}'] >= 1 and b.metrics()[taken + '{result="served"}'] == 0
    assert a.metrics()[taken + '{result="served"}'] >= 1 and a.metrics()[sent + '{result="served"}'] == 0


def test_an_idle_stream_is_used_again_until_there_is_a_link_of_ones_own(two, origin, fleet):
    a, b = two
    for _ in range(5):
        assert b.get().status == 200
    assert origin.connections <= 2, "each worker keeps the connection that it has"
    fleet.connector(b, f"http://127.0.0.1:{origin.port}", name="second")
    asked = 5

    def nothing_left_at_a():
        nonlocal asked
        asked += 1
        return b.get().status == 200 and a.metrics()["adit_gateway_peer_streams_taken_open"] == 0
    wait_until(nothing_left_at_a, "what is idle is used once more at most")
    assert b.get().status == 200
    newest = max(b.access_log(asked + 1), key=lambda line: line["time"])  # each worker writes its lines by itself
    assert newest.get("peer") is None


def test_a_service_that_nobody_offers_is_503_at_once(two, fleet):
    fleet.edge.write_default(routes="  - {host: shop.test}\n  - {host: shop.test, path: /api, service: api}\n")
    b = two[1]
    wait_until(lambda: b.get("/api").status == 503, "the route is there")
    assert b.metrics()['adit_gateway_peer_streams_sent_total{result="refused"}'] == 0


def test_websocket(fleet):
    a, b = fleet.start("a", "b")
    port, up = free_port(), threading.Event()
    loop = asyncio.new_event_loop()
    stop = loop.create_future()

    async def echo(connection):
        async for message in connection:
            await connection.send(message)

    async def serve():
        async with websockets.serve(echo, "127.0.0.1", port, max_size=None):
            up.set()
            await stop

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()), daemon=True)
    thread.start()
    assert up.wait(10)
    fleet.connector(a, f"http://127.0.0.1:{port}")
    b.wait_sees(a, tunnels=1)

    async def talk():
        async with websockets.connect(f"ws://shop.test:{b.http}/", host="127.0.0.1", port=b.http, max_size=None) as chat:
            for message in ("text", b"\x00\xff", "x" * 1_000_000):
                await chat.send(message)
                assert await chat.recv() == message
    asyncio.run(asyncio.wait_for(talk(), PATIENCE))
    loop.call_soon_threadsafe(stop.set_result, None)
    thread.join(10)


def test_events_are_not_held_back(two, origin):
    with visitor.Raw(two[1].http) as raw:
        raw.send("GET /sse HTTP/1.1\r\nHost: shop.test\r\n\r\n")
        raw.read_until(b"data: one\n\n")  # the service waits: nothing later pushes it out
        origin.let_go()
        raw.read_until(b"0\r\n\r\n")


def test_twenty_MiB_each_way(two, origin):
    b = two[1]
    size = 20 << 20
    answer = b.get(f"/big?bytes={size}")
    assert answer.status == 200 and len(answer.body) == size
    body = answer.body
    answer = b.get("/seen", method="POST", body=body)
    assert json.loads(answer.body)["digest"] == hashlib.sha256(body).hexdigest()


def test_a_slow_visitor_holds_the_service_back(two, origin):
    """Nothing is spooled on the way: the service gets as far as windows and sockets reach."""
    a, b = two
    size = 200 << 20
    with socket.socket() as slow:
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        slow.connect(("127.0.0.1", b.http))
        slow.sendall(f"GET /big?bytes={size} HTTP/1.1\r\nHost: shop.test\r\n\r\n".encode())
        assert slow.recv(1000)
        seen = -1

        def stands_still():
            nonlocal seen
            before, seen = seen, origin.requests[0].body_size
            if seen == before:
                return True
            threading.Event().wait(0.3)
            return False
        wait_until(stands_still, "the service waits")
        assert seen < 64 << 20
        if not SANITIZED:
            assert a.program.rss() < 150 << 20 and b.program.rss() < 150 << 20
    wait_until(lambda: a.metrics()["adit_gateway_peer_streams_taken_open"] == 0, "the visitor's end has reached a")


def test_three_gateways_and_the_tunnel_nowhere(fleet, origin):
    gateways = fleet.start("a", "b", "c")
    for one in gateways:
        for other in gateways:
            if one is not other:
                one.wait_sees(other, tunnels=0)
    for one in gateways:
        assert one.get().status == 503
    connector = fleet.connector(gateways[0], f"http://127.0.0.1:{origin.port}")
    gateways[1].wait_sees(gateways[0], tunnels=1)
    gateways[2].wait_sees(gateways[0], tunnels=1)
    assert [one.get().status for one in gateways] == [200, 200, 200]
    connector.kill()
    for one in gateways[1:]:
        one.wait_sees(gateways[0], tunnels=0)
        assert one.get().status == 503
    for one in gateways[1:]:
        assert one.metrics()['adit_gateway_peer_streams_taken_total{result="served"}'] == 0, "one hop only"


# By hand: what no gateway of ours would say.

class RawPeer(frames.Peer):
    """A gateway that dials `replica` in the clear, and opens streams as it likes."""

    def __init__(self, replica, hello=None):
        connection = socket.create_connection(("127.0.0.1", replica.peer), PATIENCE)
        connection.sendall(hello or (b"GET /.well-known/adit/peer HTTP/1.1\r\nHost: adit-gateway-peer\r\n"
                                     b"Connection: Upgrade\r\nUpgrade: adit-peer/1\r\nAdit-Gateway: by-hand\r\n"
                                     b"Adit-Version: 0\r\n\r\n"))
        answer = b""
        while b"\r\n\r\n" not in answer:
            piece = connection.recv(65536)
            if not piece:
                break
            answer += piece
        head, _, rest = answer.partition(b"\r\n\r\n")
        self.head = head
        super().__init__(connection, rest)

    def up(self):
        """Opens the control stream and reads until the other side has told how it stands."""
        self.send(frames.PREFACE + frames.frame(frames.SETTINGS) + frames.frame(frames.SETTINGS, frames.ACK))
        self.send(frames.OPEN_CONTROL)
        self.said = b""
        while b'"replica"' not in self.said:
            self.said += self.wait_frame(frames.DATA, 1)[3]
        return [json.loads(line) for line in self.said.splitlines()]

    def open(self, stream, tunnel=TUNNEL.encode()):
        fields = frames.field(b":method", b"CONNECT") + frames.field(b":authority", b"default")
        self.send(frames.frame(frames.HEADERS, frames.END_HEADERS, stream, fields + frames.field(b"adit-tunnel", tunnel)))

    def outcome(self, stream):
        """"refused" or the status's HPACK byte."""
        while True:
            for kind, _, of, payload in self.frames():
                if of == stream and kind == frames.RST:
                    return "refused" if payload == frames.number(7) else payload
                if of == stream and kind == frames.HEADERS:
                    return payload[:1]
            assert self.read(), "closed"


@pytest.fixture
def in_the_clear(fleet):
    fleet.keys = None
    return fleet


def test_what_comes_from_a_peer_goes_to_no_other_peer(in_the_clear):
    a, b = in_the_clear.start("a", "b")
    link = RawLink(a.link, None).up().serve()
    b.wait_sees(a, tunnels=1)
    assert b.get().body == b"raw"
    with RawPeer(b) as peer:
        said = peer.up()
        assert [line for line in said if line["type"] == "presence"] == [], "b tells of its own links only"
        peer.open(3)
        assert peer.outcome(3) == "refused"
        peer.open(5, tunnel=b"")
        assert peer.outcome(5) == "refused"
    before = a.metrics()['adit_gateway_peer_streams_taken_total{result="served"}']
    with RawPeer(a) as peer:
        said = peer.up()
        instances = [line.pop("instances") for line in said if line["type"] == "presence"]
        assert [[len(instance) for instance in of_line] for of_line in instances] == [[16]], "the connector has one"
        assert {"type": "presence", "tunnel": TUNNEL, "services": ["default"], "suspect": False, "adds": False} in said
        assert said[-1] == {"type": "replica", "ready": True, "leaving": False}
        peer.open(3)
        assert peer.outcome(3) == frames.OK
    assert a.metrics()['adit_gateway_peer_streams_taken_total{result="served"}'] == before + 1
    link.close()


@pytest.mark.parametrize("change, status", [
    ((b"/.well-known/adit/peer", b"/.well-known/adit/link"), 404),
    ((b"adit-peer/1", b"adit-peer/2"), 426),
    ((b"adit-peer/1", b"adit-link/1"), 426),
    ((b"Adit-Gateway: by-hand\r\n", b""), 400),
    ((b"by-hand", b"by hand"), 400),
    ((b"GET", b"POST"), 400),
], ids=lambda value: value[1].decode() or "nothing" if isinstance(value, tuple) else str(value))
def test_a_wrong_handshake_is_refused_with_the_reason(in_the_clear, change, status):
    (a,) = in_the_clear.start("a")
    hello = (b"GET /.well-known/adit/peer HTTP/1.1\r\nHost: adit-gateway-peer\r\nConnection: Upgrade\r\n"
             b"Upgrade: adit-peer/1\r\nAdit-Gateway: by-hand\r\nAdit-Version: 0\r\n\r\n")
    with RawPeer(a, hello.replace(*change)) as peer:
        assert peer.head.startswith(b"HTTP/1.1 %d " % status), peer.head
    wait_until(lambda: "peer refused" in a.program.err, "it is logged")
    assert a.metrics()["adit_gateway_peer_handshakes_refused_total"] == 1


def test_visitors_cannot_dial_as_a_peer(two):
    for fields in ({"Upgrade": "adit-peer/1", "Connection": "Upgrade", "Adit-Gateway": "x", "Adit-Version": "1"},
                   {"Upgrade": "ADIT-PEER/9", "Connection": "Upgrade"}):
        assert two[0].get("/", fields=fields).status == 404
    assert two[0].get("/.well-known/adit/peer").status == 404


# Certificates

def wrong_keys(kind, fleet, folder):
    chain, key, ca = fleet.keys
    if kind == "name":
        return (*fleet.edge.authority.issue("another-name"), ca)
    (folder / "other").mkdir()
    other = pki.Authority(folder / "other", "other-ca")
    return (*other.issue(PEER_NAME), ca)


@pytest.mark.parametrize("kind, reason", [("ca", "certificate refused"), ("name", "certificate refused: hostname mismatch")])
def test_a_gateway_with_a_wrong_certificate_is_refused(fleet, tmp_path, kind, reason):
    (a,) = fleet.start("a")
    wrong = Replica(fleet.edge, "wrong", wrong_keys(kind, fleet, tmp_path))
    wrong.start([a])
    assert wrong.peers()[f"127.0.0.1:{a.peer}"]["state"] in ("waiting", "dialling")
    wait_until(lambda: "peer refused" in a.program.err, "a refuses it")
    assert reason in a.program.err
    a_again = fleet.make("again")[0]
    a_again.start([wrong])
    assert reason in a_again.peers()[f"127.0.0.1:{wrong.peer}"]["lastError"], "nor is it believed when it is dialled"


def test_who_shows_no_certificate_is_refused(fleet):
    (a,) = fleet.start("a")
    context = ssl.create_default_context(cafile=str(fleet.edge.authority.file))
    with socket.create_connection(("127.0.0.1", a.peer), PATIENCE) as plain:
        with context.wrap_socket(plain, server_hostname=PEER_NAME) as tls:
            with pytest.raises((ssl.SSLError, ConnectionError)):
                tls.sendall(b"GET /.well-known/adit/peer HTTP/1.1\r\n\r\n")
                tls.recv(100)
                raise ConnectionError("closed")
    wait_until(lambda: "peer refused" in a.program.err, "it is logged")
    assert "certificate" in a.program.err


def test_certificates_are_read_again(fleet, tmp_path):
    """Both sides of a rotation: the new pair is used by the next connection, without a restart."""
    (a,) = fleet.start("a")
    late = Replica(fleet.edge, "late", wrong_keys("name", fleet, tmp_path))
    late.start([a])
    chain, key, _ = fleet.keys
    for good, bad in ((chain, late.keys[0]), (key, late.keys[1])):
        bad.write_bytes(good.read_bytes())
    late.wait_sees(a)
    assert "peer certificate read again" in late.program.err


# Who is there

def gateways_told(link):
    """The ids of the newest line "gateways" that the link has got."""
    lines = [line for line in link.control.split(b"\n") if b'"gateways"' in line]
    return sorted(json.loads(lines[-1])["ids"]) if lines else []


class ToldLink(RawLink):
    """Keeps what comes on the control stream."""

    def up(self, *services):
        self.control = b""
        original = self.take_frame

        def take_frame():
            frame = original()
            if frame and frame[0] == frames.DATA and frame[2] == 1:
                self.control += frame[3]
            return frame
        self.take_frame = take_frame
        return super().up(*services)


def test_connectors_hear_of_all_ready_gateways(fleet):
    a, b = fleet.start("a", "b")
    a.wait_sees(b)
    link = ToldLink(a.link, fleet.edge.authority.file).up().serve()
    wait_until(lambda: gateways_told(link) == sorted([a.id, b.id]), "both are named")
    b.program.kill()
    wait_until(lambda: gateways_told(link) == [a.id], "b is taken out")
    b.start([a])
    wait_until(lambda: gateways_told(link) == sorted([a.id, b.id]), "b is back, with a new id")
    b.program.stop()
    wait_until(lambda: gateways_told(link) == [a.id], "b has left")
    link.close()


def test_a_peer_that_is_killed_is_out_at_once_and_comes_back(two, fleet, origin):
    a, b = two
    assert b.get().status == 200
    a.program.kill()
    took = wait_until(lambda: not b.sees(a), "b knows")
    assert took < (10 if SANITIZED else 3)
    assert b.get().status == 503
    a.start([b])
    b.wait_sees(a, tunnels=1)  # the connector has come back too
    assert b.get().status == 200


def test_the_other_gateways_carry_on_when_one_of_two_with_the_tunnel_dies(fleet, origin):
    a, b, c = fleet.start("a", "b", "c")
    for number, replica in enumerate((a, b)):
        fleet.connector(replica, f"http://127.0.0.1:{origin.port}", name=f"connector-{number}")
        c.wait_sees(replica, tunnels=1)
    for _ in range(10):
        assert c.get().status == 200
    a.program.kill()
    assert [c.get().status for _ in range(20)] == [200] * 20


def test_R10_a_new_gateway_is_ready_without_a_connector(two, fleet, origin):
    a, b = two
    (c,) = fleet.make("c")
    c.start([a, b])
    c.wait_sees(a, tunnels=1)
    assert c.get().status == 200


def test_a_gateway_whose_peers_are_not_there_is_ready(fleet):
    (a,) = fleet.make("a")
    a.start([f"127.0.0.1:{free_port()}", f"nowhere.invalid:{free_port()}"])
    assert "peer cannot be reached" in a.program.err
    wait_until(lambda: "name of peers not found" in a.program.err, "the name is told")


def test_ones_own_address_is_recognised(fleet):
    a, b = fleet.make("a", "b")
    a.start([f"localhost:{a.peer}", b], wait=False)
    b.start([a, b])
    fleet.edge.wait_ready(a.program, a.admin)
    wait_until(lambda: a.peers()[f"127.0.0.1:{a.peer}"]["state"] == "self", "a knows itself")
    wait_until(lambda: b.peers()[f"127.0.0.1:{b.peer}"]["state"] == "self", "b knows itself")
    wait_until(lambda: a.metrics()["adit_gateway_peers_up"] == 1, "a has a link to b, once it has dialled again")
    assert b.metrics()["adit_gateway_peers"] == 1


# Leaving

def test_R2_drain_delay_keeps_accepting(two, fleet):
    a, b = two
    (c,) = fleet.make("c")
    c.start([a, b], "--drain-delay", "3s")
    c.wait_sees(a, tunnels=1)
    c.program.signal(signal.SIGTERM)
    wait_until(lambda: fleet.edge.admin_page("/readyz", c.admin)[0] == 503, "c is unready")
    assert c.get().status == 200, "new visitors are still served"
    c.program.judged = True
    assert c.program.wait() == 0


def test_a_gateway_that_leaves_serves_peers_until_its_end(two, fleet, origin):
    """The tunnel is nowhere else: as long as the gateway with the link is there, requests lead through it."""
    a, b = two
    began = time.monotonic()
    held = {}
    thread = threading.Thread(target=lambda: held.update(answer=b.get("/hold")), daemon=True)
    thread.start()
    wait_until(lambda: any(request.target == "/hold" for request in origin.requests), "the service has the request")
    a.program.signal(signal.SIGTERM)
    wait_until(lambda: b.peers()[f"127.0.0.1:{a.peer}"].get("leaving"), "b knows that a leaves")
    assert b.get().status == 200
    threading.Event().wait(2)  # longer than a silent link is waited for: that one leaves is no silence
    assert "answer" not in held
    assert a.program.running(), "it waits for what it relays"
    origin.let_go()
    thread.join(PATIENCE)
    assert held["answer"].status == 200
    a.program.judged = True
    assert a.program.wait() == 0
    assert time.monotonic() - began < 30, "idle streams of b do not hold a up"


def test_a_silent_connector_behind_the_peer_fails_no_request(two, fleet, origin):
    """At a one of two links dies silently; b's requests move on before a byte has left."""
    a, b = two
    silent = [RawLink(a.link, fleet.edge.authority.file, slot=slot).up() for slot in range(2)]
    statuses, slowest = [], 0
    for _ in range(12):
        began = time.monotonic()
        with contextlib.closing(visitor.Raw(b.http).socket) as one:
            one.sendall(b"GET / HTTP/1.1\r\nHost: shop.test\r\nConnection: close\r\n\r\n")
            statuses.append(one.recv(100)[9:12])
        slowest = max(slowest, time.monotonic() - began)
    assert set(statuses) == {b"200"}
    if not SANITIZED:
        assert slowest < 3
    for one in silent:
        one.close()


def test_hello_is_bounded(in_the_clear):
    (a,) = in_the_clear.start("a")
    with socket.create_connection(("127.0.0.1", a.peer), PATIENCE) as one:
        one.sendall(b"GET /.well-known/adit/peer HTTP/1.1\r\nX: " + b"x" * 20000)
        assert b" 431 " in one.recv(1000)
