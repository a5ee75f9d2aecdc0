"""The service behind the tunnel: what every kind of the load asks for, and, when told so, failures that are counted."""
import asyncio
import collections
import contextlib

import websockets

import origin
from programs import free_port


class Service(origin.Origin):
    """HTTP on `port`, WebSocket echo on `chat`, by default free ones. With `fail_every` = N each Nth of a kind fails, and
    `failed` counts them."""

    def __init__(self, fail_every=0, port=None, chat=None, address="127.0.0.1"):
        self.fail_every, self.failed, self.asked = fail_every, collections.Counter(), collections.Counter()
        self.chat = chat or free_port()
        super().__init__(port=port or free_port(), address=address)

    def _fails(self, kind):
        self.asked[kind] += 1
        fails = bool(self.fail_every) and self.asked[kind] % self.fail_every == 0
        self.failed[kind] += fails
        return fails

    async def _one(self, reader, writer, number):
        kept = await super()._one(reader, writer, number)
        self.requests.clear()  # a load is long
        return kept

    async def _listen(self):
        self._chat = await websockets.serve(self._talk, self.address, self.chat, ping_interval=None)
        return await super()._listen()

    async def _answer_or_fail(self, kind, request, writer, text):
        if self._fails(kind):
            return await self._fixed(request, writer, "failed as told", status="500 Internal Server Error")
        return await self._fixed(request, writer, text)

    async def _do_kept(self, request, _, writer, __):
        return await self._answer_or_fail("keep-alive", request, writer, f"{request.method} {request.target}")

    async def _do_fresh(self, request, _, writer, __):
        return await self._answer_or_fail("new connection", request, writer, f"{request.method} {request.target}")

    async def _do_slow(self, request, _, writer, query):
        """Nothing for some seconds, then the answer."""
        await asyncio.sleep(float(query["seconds"]))
        return await self._answer_or_fail("long", request, writer, f"{request.method} {request.target}")

    async def _do_upload(self, request, reader, writer, _):
        await self._read_body(request, reader)
        text = "a wrong digest" if self._fails("upload") else f"{request.body_size} {request.digest}"
        return await self._fixed(request, writer, text)

    async def _do_events(self, _, __, writer, query):
        """One event every 100 ms; a stream that fails leaves its last one out."""
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
        count = int(query["count"]) - self._fails("events")
        for number in range(count):
            event = f"data: {number}\n\n".encode()
            writer.write(b"%x\r\n%s\r\n" % (len(event), event))
            await writer.drain()
            await asyncio.sleep(0.1)
        writer.write(b"0\r\n\r\n")
        await writer.drain()
        return True

    async def _talk(self, chat):
        fails = self._fails("websocket")
        with contextlib.suppress(websockets.ConnectionClosed):
            async for message in chat:
                if fails:
                    return await chat.close(1011)
                await chat.send(message)


@contextlib.contextmanager
def running(**settings):
    service = Service(**settings)
    try:
        yield service
    finally:
        service.stop()
