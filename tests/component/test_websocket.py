"""Upgrade: a WebSocket is a raw pipe through the tunnel, over ws and wss, with a real client and a real server."""
import asyncio
import socket
import struct
import threading

import pytest
import websockets

import visitor
from programs import PATIENCE, free_port


@pytest.fixture
def echo():
    """A WebSocket server that sends every message back; its port."""
    port, loop, up = free_port(), asyncio.new_event_loop(), threading.Event()

    async def answer(socket):
        async for message in socket:
            await socket.send(message)

    async def main():
        async with websockets.serve(answer, "127.0.0.1", port, max_size=None, subprotocols=["chat"]):
            up.set()
            await stop

    stop = loop.create_future()
    thread = threading.Thread(target=lambda: loop.run_until_complete(main()), daemon=True)
    thread.start()
    assert up.wait(10)
    yield port
    loop.call_soon_threadsafe(stop.set_result, None)
    thread.join(10)


@pytest.fixture
def chat(edge, echo):
    edge.write_default(tls="shop-tls")
    edge.write_tls("shop.test")
    edge.start(f"http://127.0.0.1:{echo}")
    return edge


def connect(edge, secure):
    port = edge.https if secure else edge.http
    tls = {"ssl": visitor.trusting(edge.authority.file), "server_hostname": "shop.test"} if secure else {}
    return websockets.connect(f"{'wss' if secure else 'ws'}://shop.test:{port}/chat?room=1", host="127.0.0.1", port=port,
                              max_size=None, subprotocols=["chat"], **tls)


@pytest.mark.parametrize("secure", [False, True], ids=["ws", "wss"])
def test_messages_come_back(chat, secure):
    async def talk():
        async with connect(chat, secure) as socket:
            assert socket.subprotocol == "chat"
            for message in ("text", b"\x00\xff", "", b"x" * 1_000_000):
                await socket.send(message)
                assert await socket.recv() == message
            await (await socket.ping())
    asyncio.run(asyncio.wait_for(talk(), PATIENCE))


def test_many_sockets_at_once(chat):
    async def talk(number):
        async with connect(chat, False) as socket:
            for turn in range(10):
                await socket.send(f"{number}-{turn}")
                assert await socket.recv() == f"{number}-{turn}"

    async def all_of_them():
        await asyncio.gather(*(talk(n) for n in range(50)))
    asyncio.run(asyncio.wait_for(all_of_them(), 2 * PATIENCE))


def test_the_close_code_of_the_visitor_reaches_the_service_and_back(chat):
    async def talk():
        async with connect(chat, False) as socket:
            await socket.close(4001, "enough")
            return socket.close_code
    assert asyncio.run(asyncio.wait_for(talk(), PATIENCE)) == 4001


def test_an_upgrade_that_the_service_declines_is_an_ordinary_answer(tunnelled):
    with tunnelled.raw() as raw:
        raw.send("GET /plain HTTP/1.1\r\nHost: shop.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
        assert raw.status() == 200
        raw.read_until(b"GET /plain")
        raw.send("GET /next HTTP/1.1\r\nHost: shop.test\r\n\r\n")
        assert raw.status() == 200


# What the Autobahn testsuite asks of a WebSocket, asked of the pipe between two real ends.

def test_messages_of_the_sizes_at_which_the_framing_changes(chat):
    async def talk():
        async with connect(chat, False) as socket:
            for size in (0, 1, 125, 126, 127, 65535, 65536, 1 << 20):
                for message in ("\u00e4" * (size // 2) + "x" * (size % 2), bytes(range(256)) * (size // 256) + b"z" * (size % 256)):
                    await socket.send(message)
                    assert await socket.recv() == message, size
    asyncio.run(asyncio.wait_for(talk(), PATIENCE))


def test_a_message_in_fragments(chat):
    async def talk():
        async with connect(chat, False) as socket:
            for pieces in (["a", "b", "c"], ["", "x", ""], [b"1" * 70_000, b"2", b""], ["\u20ac"] * 300):
                await socket.send(pieces)
                assert await socket.recv() == type(pieces[0])().join(pieces)
    asyncio.run(asyncio.wait_for(talk(), PATIENCE))


def test_text_of_every_plane(chat):
    async def talk():
        async with connect(chat, False) as socket:
            for text in ("\u03ba\u1f79\u03c3\u03bc\u03b5", "\U0001d11e", "\U0010ffff", "\x00\x7f", "\ufffe\uffff"):
                await socket.send(text)
                assert await socket.recv() == text
    asyncio.run(asyncio.wait_for(talk(), PATIENCE))


def test_pings_of_any_payload_are_answered(chat):
    async def talk():
        async with connect(chat, False) as socket:
            for payload in (b"", b"hello", b"\x00\xff\xfe", b"p" * 125):
                await (await socket.ping(payload))
    asyncio.run(asyncio.wait_for(talk(), PATIENCE))


def test_close_codes_and_reasons_come_back(chat):
    async def talk(code, reason):
        async with connect(chat, False) as socket:
            await socket.close(code, reason)
            return socket.close_code, socket.close_reason
    for close in ((1000, ""), (1000, "bye"), (1001, "gone"), (1008, "p" * 123), (1011, "\u00e4"), (3000, "x"), (4999, "")):
        assert asyncio.run(asyncio.wait_for(talk(*close), PATIENCE)) == close


def test_compression_is_agreed_on_by_the_two_ends(chat):
    async def talk():
        async with connect(chat, False) as socket:
            assert [e.name for e in socket.extensions] == ["permessage-deflate"]
            for message in ("a" * 200_000, b"\x00" * 70_000, "short"):
                await socket.send(message)
                assert await socket.recv() == message
    asyncio.run(asyncio.wait_for(talk(), PATIENCE))


# The pipe, byte by byte: a service that is no WebSocket server at all.

class Accepted(visitor.Raw):
    def __init__(self, connection):
        self.socket, self.bytes = connection, b""
        self.socket.settimeout(PATIENCE)


class RawService:
    def __init__(self, listener):
        self.listener, self.port = listener, listener.getsockname()[1]

    def answer(self, data):
        """Accepts a connection, reads a head, and sends `data`. The connection that it gives holds what came behind."""
        connection = Accepted(self.listener.accept()[0])
        self.head = connection.read_until(b"\r\n\r\n")
        connection.send(data)
        return connection


@pytest.fixture
def raw_service():
    with socket.create_server(("127.0.0.1", free_port())) as listener:
        listener.settimeout(PATIENCE)
        yield RawService(listener)


@pytest.fixture
def pipe(edge, raw_service):
    edge.write_default()
    edge.start(f"http://127.0.0.1:{raw_service.port}")
    return edge


def upgrade(token, extra=""):
    return f"GET /up HTTP/1.1\r\nHost: shop.test\r\nConnection: Upgrade\r\nUpgrade: {token}\r\n{extra}\r\n"


def switching(token):
    return f"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: {token}\r\n\r\n".encode()


@pytest.mark.parametrize("token", ["websocket", "foo/2", "IRC/6.9", "a-b_c.d~e"])
def test_any_token_opens_a_pipe_and_no_byte_is_lost_at_its_ends(pipe, raw_service, token):
    """Bytes are glued to the handshake on both sides; the pipe takes everything, also what looks like HTTP."""
    from_visitor, from_service = b"\x00\xffGET / HTTP/1.1\r\n\r\n", b"HTTP/1.1 404 No\r\n\r\n\x00\xfe"
    with pipe.raw() as raw:
        raw.send(upgrade(token).encode() + from_visitor)
        with raw_service.answer(switching(token) + from_service) as service:
            assert f"\r\nUpgrade: {token}".encode() in raw_service.head and b"\r\nConnection: Upgrade" in raw_service.head
            head = raw.read_until(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 101 ") and f"\r\nUpgrade: {token}\r\n".encode() in head
            raw.read_until(from_service)
            assert service.read_until(from_visitor) == from_visitor
            for piece in (b"x", b"y" * 99_999 + b"z"):
                service.send(piece)
                assert raw.read_until(piece) == piece
                raw.send(piece)
                assert service.read_until(piece) == piece


@pytest.mark.parametrize("frame", [
    b"\xff\x80\x00\x00\x00\x00",                    # reserved bits and opcode
    b"\x81\x05hello",                                # not masked
    b"\x89\xfe\x00\x7e" + b"\0" * 4 + b"p" * 126,     # a ping of 126 bytes
    b"\x81\xff" + struct.pack(">Q", 1 << 63) + b"\0" * 4,  # a length with its highest bit set
    b"\x81\x82\0\0\0\0\xc3\x28",                     # no UTF-8
    b"\x88\x81\0\0\0\0\x03",                         # a close code of one byte
], ids=["reserved", "unmasked", "long ping", "huge length", "not UTF-8", "short close"])
def test_frames_that_no_websocket_allows_pass_unchanged(pipe, raw_service, frame):
    with pipe.raw() as raw:
        raw.send(upgrade("websocket"))
        with raw_service.answer(switching("websocket")) as service:
            assert raw.status() == 101
            raw.send(frame)
            assert service.read_until(frame) == frame
            service.send(frame)
            assert raw.read_until(frame) == frame


def test_pings_between_fragments_keep_their_place(pipe, raw_service):
    frames = [b"\x01\x82\0\0\0\0ab", b"\x89\x81\0\0\0\0p", b"\x00\x82\0\0\0\0cd", b"\x8a\x80\0\0\0\0", b"\x80\x80\0\0\0\0"]
    with pipe.raw() as raw:
        raw.send(upgrade("websocket"))
        with raw_service.answer(switching("websocket")) as service:
            assert raw.status() == 101
            for frame in frames:
                raw.send(frame)
            sent = b"".join(frames)
            assert service.read_until(sent) == sent


@pytest.mark.parametrize("first", ["visitor", "service"])
def test_S3_P11_an_end_that_is_done_may_still_listen(pipe, raw_service, first):
    with pipe.raw() as raw:
        raw.send(upgrade("foo/2"))
        with raw_service.answer(switching("foo/2")) as service:
            assert raw.status() == 101
            done, other = (raw, service) if first == "visitor" else (service, raw)
            done.send("last")
            done.socket.shutdown(socket.SHUT_WR)
            assert other.read_all() == b"last"
            other.send("an answer")
            assert done.read_until(b"an answer") == b"an answer"
            other.socket.shutdown(socket.SHUT_WR)
            assert done.read_all() == b""


def test_a_service_that_refuses_answers_as_always_and_the_connection_goes_on(pipe, raw_service):
    refusal = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 4\r\n\r\nno. "
    with pipe.raw() as raw:
        raw.send(upgrade("websocket"))
        with raw_service.answer(refusal) as service:
            assert raw.status() == 403
            raw.read_until(b"no. ")
            raw.send("GET /next HTTP/1.1\r\nHost: shop.test\r\n\r\n")
            assert service.read_until(b"\r\n\r\n").startswith(b"GET /next ")
            service.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            assert raw.status() == 200
            raw.read_until(b"ok")


@pytest.mark.parametrize("token", ["h2c", "HTTP/2.0", "foo/2, h2c"])
def test_an_upgrade_to_http_itself_is_not_passed_on(pipe, raw_service, token):
    with pipe.raw() as raw:
        raw.send(upgrade(token))
        with raw_service.answer(switching("h2c")):
            assert b"upgrade" not in raw_service.head.lower()
            assert raw.status() == 502, "a 101 that was not asked for"


@pytest.mark.parametrize("extra", ["Content-Length: 3\r\n", "Transfer-Encoding: chunked\r\n"])
def test_a_body_of_the_handshake_stays_a_body(pipe, raw_service, extra):
    body = "abc" if "Length" in extra else "3\r\nabc\r\n0\r\n\r\n"
    with pipe.raw() as raw:
        raw.send(upgrade("foo/2", extra) + body + "piped")
        with raw_service.answer(b"") as service:
            assert service.read_until(body.encode()) == body.encode() and not service.bytes, "what is piped waits for the 101"
            service.send(switching("foo/2"))
            assert raw.status() == 101
            raw.send("more")
            assert service.read_until(b"more") == b"pipedmore"
