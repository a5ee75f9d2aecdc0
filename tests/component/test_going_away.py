"""R5, S4_C15: at the drain deadline both ends of a WebSocket hear Close 1001, at a frame boundary and nowhere else."""
import asyncio
import os
import signal
import socket
import threading

import pytest
import websockets

from programs import PATIENCE, free_port, wait_until
from test_websocket import RawService, switching, upgrade

DRAIN = ("--drain-time", "500ms")
GOING_AWAY = b"\x88\x02\x03\xe9"  # what a server sends


class ChatService:
    """A WebSocket server of which each connection says `messages`, one after the other, and notes its close code."""

    def __init__(self, messages):
        self.port, self.codes, self._messages = free_port(), [], messages
        self._loop, up = asyncio.new_event_loop(), threading.Event()
        self._stop = self._loop.create_future()
        self._thread = threading.Thread(target=lambda: self._loop.run_until_complete(self._main(up)), daemon=True)
        self._thread.start()
        assert up.wait(10)

    async def _main(self, up):
        async with websockets.serve(self._talk, "127.0.0.1", self.port, max_size=None, subprotocols=["chat"]):
            up.set()
            await self._stop

    async def _talk(self, chat):
        try:
            async for message in self._messages():
                await chat.send(message)
        except (websockets.ConnectionClosed, websockets.InvalidState):  # the latter: between two fragments
            pass
        await chat.wait_closed()
        self.codes.append(chat.close_code)

    def stop(self):
        self._loop.call_soon_threadsafe(self._stop.set_result, None)
        self._thread.join(10)


async def nothing():
    yield "hello"


async def whole_messages():
    """Compressed, and too random to become small; for ever."""
    while True:
        text = os.urandom(40_000).hex()
        yield text
        await asyncio.sleep(0)


async def one_message_in_fragments():
    async def fragments():
        while True:
            yield "piece "
            await asyncio.sleep(0.01)
    yield fragments()


def is_whole(message):
    return message == "hello" or len(message) == 80_000


def leave(edge, which):
    """SIGTERM to the gateway or to the connector."""
    program = edge.gateway if which == "gateway" else edge.connector
    program.signal(signal.SIGTERM)
    program.judged = True
    return program


@pytest.mark.parametrize("which", ["gateway", "connector"])
@pytest.mark.parametrize("messages", [nothing, whole_messages, one_message_in_fragments])
def test_R5_websockets_hear_1001_at_the_drain_deadline(edge, messages, which):
    service = ChatService(messages)
    edge.write_default()
    edge.connector = edge.start(f"http://127.0.0.1:{service.port}", gateway=DRAIN, flags=DRAIN)
    edge.wait_status(426)  # the service's answer to what is no WebSocket

    async def visit():
        async with websockets.connect(f"ws://shop.test:{edge.http}/chat", host="127.0.0.1", port=edge.http, max_size=None,
                                      subprotocols=["chat"]) as chat:
            if messages is not one_message_in_fragments:
                assert is_whole(await chat.recv())
            leaving = leave(edge, which)
            try:
                while True:
                    assert is_whole(await chat.recv())
            except websockets.ConnectionClosed:
                pass
            return leaving, chat.close_code

    leaving, code = asyncio.run(asyncio.wait_for(visit(), PATIENCE))
    assert code == 1001
    assert leaving.wait() == 0
    if which == "gateway":  # a connector's end takes the stream along
        wait_until(lambda: service.codes, "the service's connection has ended")
        assert service.codes == [1001]
    service.stop()


@pytest.fixture
def pipe(edge):
    """A visitor and a service, byte by byte, after the handshake; edge.gateway drains for half a second."""
    with socket.create_server(("127.0.0.1", free_port())) as listener:
        listener.settimeout(PATIENCE)
        service = RawService(listener)
        edge.write_default()
        edge.connector = edge.start(f"http://127.0.0.1:{service.port}", gateway=DRAIN)
        edge.raw_service = service
        yield edge


def opened(pipe, raw, token="websocket"):
    raw.send(upgrade(token))
    service = pipe.raw_service.answer(switching(token))
    assert raw.status() == 101
    return service


def wait_for_the_deadline(pipe):
    """The gateway says so once the drain time is over."""
    wait_until(lambda: "drain time is over" in pipe.gateway.err, "the drain time is over")


def test_R5_a_long_frame_under_way_is_finished_first(pipe):
    payload = b"\x00" * 300_000
    frame = b"\x82\x7f" + len(payload).to_bytes(8, "big") + payload
    with pipe.raw() as raw, opened(pipe, raw) as service:
        service.send(frame[:100_000])
        raw.read_until(frame[:90_000])
        gateway = leave(pipe, "gateway")
        wait_for_the_deadline(pipe)
        service.send(frame[100_000:] + b"\x81\x05after")
        rest = frame[90_000:]
        assert raw.read_until(GOING_AWAY)[-len(rest) - 4:] == rest + GOING_AWAY
        raw.send(b"\x88\x80\0\0\0\0")
        assert raw.read_all() == b"", "nothing behind a Close"
        gateway.wait()


def test_R5_a_frame_that_does_not_end_is_cut(pipe):
    with pipe.raw() as raw, opened(pipe, raw) as service:
        service.send(b"\x82\x7f" + (1 << 40).to_bytes(8, "big") + b"begun")
        raw.read_until(b"begun")
        gateway = leave(pipe, "gateway")
        assert raw.read_all() == b"", "no Close within a frame"
        gateway.wait()


def test_R5_the_services_close_is_masked_and_at_a_boundary_of_its_own(pipe):
    with pipe.raw() as raw, opened(pipe, raw) as service:
        raw.send(b"\x82\x85mask")
        service.read_until(b"mask")
        gateway = leave(pipe, "gateway")
        raw.read_until(GOING_AWAY)
        raw.send(b"hello\x88\x80mask")
        assert service.read_until(b"hello") == b"hello"
        head, mask = service.read_until(b"\x88\x82"), b""
        while len(service.bytes) < 6:
            service.bytes += service.socket.recv(100)
        mask, code = service.bytes[:4], service.bytes[4:6]
        assert head == b"\x88\x82" and bytes(a ^ b for a, b in zip(code, mask)) == b"\x03\xe9"
        service.send(b"\x88\x02\x03\xe9")
        service.socket.close()
        assert raw.read_all() == b""
        raw.socket.close()
        assert gateway.wait() == 0


def test_R5_pipes_of_other_protocols_are_left_alone(pipe):
    with pipe.raw() as raw, opened(pipe, raw, "foo/2") as service:
        gateway = leave(pipe, "gateway")
        service.send("last words")
        assert raw.read_all() == b"last words"
        gateway.wait()
