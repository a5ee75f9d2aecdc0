"""Constant, bounded load of all kinds at once, on a thread of its own. Every request is in the journal."""
import asyncio
import contextlib
import dataclasses
import hashlib
import threading

import websockets

from client import Connection, Lost
from journal import FAILED, Journal

PIECE = bytes(range(256)) * 256  # 64 KiB


@dataclasses.dataclass(frozen=True)
class Mix:
    """How much of each kind; 0 leaves it out. Rates are in total, and every number is small: two processors suffice."""
    keep_alive: int = 6  # connections, each of which asks again `pause` after an answer
    pause: float = 0.05
    fresh_rate: float = 30  # new connections a second, with one request each
    long: int = 4  # at once, on a new connection each
    long_seconds: float = 20
    uploads: int = 2  # at once; a piece every `upload_pause`
    upload_pieces: int = 48
    upload_pause: float = 0.02
    web_sockets: int = 4  # one message every 100 ms that must come back
    events: int = 2  # streams at once of one event every 100 ms, as long as a long request

    def most_at_once(self):
        """Requests that can be under way at one moment, if none of those on new connections takes half a second."""
        return self.keep_alive + int(self.fresh_rate / 2) + self.long + self.uploads + self.web_sockets + self.events


class Load:
    """with Load(port, mix) as load: …; load.journal.  Ends with its block: what is under way is finished first."""

    LIMIT = 15.0  # of one request beyond the time that it is meant to take

    def __init__(self, port, mix, host="shop.test", chat_port=None, address="127.0.0.1"):
        self.port, self.chat_port, self.mix, self.host, self.address = port, chat_port or port, mix, host, address
        self.journal = Journal()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join(self.mix.long_seconds + 2 * self.LIMIT)
        assert not self._thread.is_alive(), "the load did not end"

    def _run(self):
        asyncio.set_event_loop(self._loop)
        self._stopping = asyncio.Event()
        self._loop.run_until_complete(self._all())
        self._loop.close()

    async def _all(self):
        mix = self.mix
        kinds = ((self._keep_alive, mix.keep_alive), (self._fresh, bool(mix.fresh_rate)), (self._long, mix.long),
                 (self._uploads, mix.uploads), (self._web_sockets, mix.web_sockets), (self._events, mix.events))
        await asyncio.gather(*(self._repeat(kind) for kind, count in kinds for _ in range(int(count))))

    async def _repeat(self, kind):
        while not self._stopping.is_set():
            await kind()

    async def _pause(self, seconds):
        """At most so long: the end comes sooner."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)

    @contextlib.asynccontextmanager
    async def _request(self, kind, seconds=0.0):
        with self.journal.record(kind) as record:
            async with asyncio.timeout(seconds + self.LIMIT):
                yield record

    def _connection(self):
        return Connection(self.port, self.host, self.address)

    async def _once(self, kind, method, path, seconds=0.0, **rest):
        """One request on a connection of its own."""
        connection = self._connection()
        async with self._request(kind, seconds) as record:
            await connection.open()
            judge(record, await connection.ask(method, path, **rest), f"{method} {path}")
        connection.close()
        return record

    # The kinds

    async def _keep_alive(self):
        """The life of one connection."""
        connection, first = self._connection(), True
        while (first or connection.usable()) and not self._stopping.is_set():
            async with self._request("keep-alive") as record:
                if first:
                    await connection.open()
                judge(record, await connection.ask("GET", "/kept"), "GET /kept")
            first = False
            await self._pause(self.mix.pause)
            if record.outcome == FAILED:
                break
        connection.close()

    async def _fresh(self):
        asked = set()
        while not self._stopping.is_set():
            task = asyncio.create_task(self._once("new connection", "GET", "/fresh"))
            asked.add(task)
            task.add_done_callback(asked.discard)
            await self._pause(1 / self.mix.fresh_rate)
        await asyncio.gather(*asked)

    async def _long(self):
        seconds = self.mix.long_seconds
        record = await self._once("long", "GET", f"/slow?seconds={seconds}", seconds)
        await self._after(record)

    async def _uploads(self):
        mix, digest = self.mix, hashlib.sha256(PIECE * self.mix.upload_pieces).hexdigest()
        size, seconds = len(PIECE) * mix.upload_pieces, mix.upload_pieces * mix.upload_pause

        async def pieces():
            for _ in range(mix.upload_pieces):
                yield PIECE
                await asyncio.sleep(mix.upload_pause)
        connection = self._connection()
        async with self._request("upload", seconds) as record:
            await connection.open()
            answer = await connection.ask("POST", "/upload", pieces(), size)
            judge(record, answer, f"{size} {digest}")
        connection.close()
        await self._after(record)

    async def _events(self):
        count = int(self.mix.long_seconds * 10)
        seen = bytearray()
        connection = self._connection()
        async with self._request("events", self.mix.long_seconds) as record:
            await connection.open()
            answer = await connection.ask("GET", f"/events?count={count}", on_piece=seen.extend)
            answer.body = bytes(seen)
            judge(record, answer, "".join(f"data: {number}\n\n" for number in range(count)))
        connection.close()
        await self._after(record)

    async def _web_sockets(self):
        """The life of one. Closed with 1001 it was told, and another one is opened."""
        record, messages = None, 0
        with self.journal.record("websocket") as record:
            url = f"ws://{self.host}:{self.chat_port}/chat"
            try:
                async with websockets.connect(url, host=self.address, port=self.chat_port, open_timeout=self.LIMIT,
                                              ping_interval=None, close_timeout=2) as chat:
                    while not self._stopping.is_set():
                        async with asyncio.timeout(self.LIMIT):
                            await chat.send(f"message {messages}")
                            if await chat.recv() != f"message {messages}":
                                raise Lost("another message than was sent")
                        messages += 1
                        await self._pause(0.1)
                record.ok(101)
            except websockets.ConnectionClosed as closed:
                code = closed.rcvd.code if closed.rcvd else None
                record.told(f"closed with {code}") if code == 1001 else record.fail(f"closed with {code}")
            except websockets.InvalidStatusCode as refused:
                record.fail("refused", refused.status_code)
        await self._after(record)

    async def _after(self, record):
        """What fails at once must not be asked in a hot loop."""
        if record.outcome == FAILED:
            await self._pause(0.1)


def judge(record, answer, expected):
    """200 with the expected text, or it has failed."""
    if answer.status != 200:
        record.fail(f"answered {answer.status}", answer.status)
    elif answer.body != expected.encode():
        record.fail("another answer than expected", answer.status)
    else:
        record.ok()
