"""Upgrade: a WebSocket is a raw pipe through the tunnel, over ws and wss, with a real client and a real server."""
import asyncio
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
