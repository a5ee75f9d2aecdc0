"""Much and slow: bodies stream in both directions with back-pressure, in memory that does not grow with them."""
import concurrent.futures
import http.client
import os
import socket
import threading

import pytest

from origin import BLOCK
from programs import PATIENCE, SANITIZED, wait_until

MIB = 1 << 20
AMOUNT = (10 << 30) if os.environ.get("ADIT_LONG") else (128 * MIB if SANITIZED else 1 << 30)
SECONDS = max(120, AMOUNT // (20 * MIB))
# Windows and buffers of a few streams. A sanitizer keeps what is freed for a while, so there it says nothing.
ROOM = 64 * MIB


class Memory:
    """The most that the resident memory of both programs grows while it is watched."""

    def __init__(self, edge):
        self.programs = {"gateway": edge.gateway, "connector": edge.connector}
        self.before = {name: program.rss() for name, program in self.programs.items()}
        self.most = dict(self.before)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def _watch(self):
        while not self._stop.wait(0.05):
            for name, program in self.programs.items():
                if program.running():
                    self.most[name] = max(self.most[name], program.rss())

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, kind, *_):
        self._stop.set()
        self._thread.join()
        if kind is None and not SANITIZED:
            for name in self.programs:
                grown = self.most[name] - self.before[name]
                assert grown < ROOM, f"{name} grew by {grown >> 20} MiB"


def warm_up(edge):
    edge.get(f"/big?bytes={8 * MIB}")


def test_a_large_download_in_flat_memory(tunnelled):
    warm_up(tunnelled)
    with Memory(tunnelled), tunnelled.raw() as raw:
        raw.socket.settimeout(SECONDS)
        raw.send(f"GET /big?bytes={AMOUNT} HTTP/1.1\r\nHost: shop.test\r\n\r\n")
        raw.read_until(b"\r\n\r\n")
        got = len(raw.bytes)
        buffer = bytearray(MIB)
        while got < AMOUNT:
            size = raw.socket.recv_into(buffer)
            assert size, f"closed after {got} bytes"
            got += size
        # The last bytes are the last of the pattern: nothing was lost or doubled in between.
        assert got == AMOUNT and bytes(buffer[:size]).endswith(BLOCK[-min(size, 1000):])


def test_a_large_upload_in_flat_memory(tunnelled, origin):
    warm_up(tunnelled)
    with Memory(tunnelled), tunnelled.raw() as raw:
        raw.socket.settimeout(SECONDS)
        raw.send(f"POST /continue HTTP/1.1\r\nHost: shop.test\r\nContent-Length: {AMOUNT}\r\n\r\n")
        for _ in range(AMOUNT // len(BLOCK)):
            raw.send(BLOCK)
        assert raw.status() == 200
        raw.read_until(b"took %d" % AMOUNT)


def until_it_stands_still(count, what):
    """Waits until count() has not changed for a second, which is what back-pressure looks like from outside."""
    seen = [-1]

    def still():
        before, seen[0] = seen[0], count()
        threading.Event().wait(1)
        return before == seen[0]
    wait_until(still, what, 60)
    return seen[0]


def test_a_visitor_that_does_not_read_holds_the_service_back(tunnelled, origin):
    warm_up(tunnelled)
    origin.requests.clear()
    with Memory(tunnelled), tunnelled.raw() as raw:
        raw.send(f"GET /big?bytes={AMOUNT} HTTP/1.1\r\nHost: shop.test\r\n\r\n")
        wait_until(lambda: origin.requests, "the service has the request")
        sent = until_it_stands_still(lambda: origin.requests[0].body_size, "the service is held back")
        assert sent < 64 * MIB, "windows and socket buffers, not more"
        # Others are served meanwhile, over the same links.
        assert tunnelled.get("/others").status == 200
        assert len(tunnelled.get(f"/big?bytes={20 * MIB}").body) == 20 * MIB


def test_a_service_that_does_not_read_holds_the_visitor_back(tunnelled, origin):
    warm_up(tunnelled)
    sent = 0
    with Memory(tunnelled), tunnelled.raw() as raw:
        raw.send("POST /sse HTTP/1.1\r\nHost: shop.test\r\nContent-Length: 100000000000\r\n\r\n")
        raw.socket.settimeout(3)
        with pytest.raises((socket.timeout, TimeoutError)):
            while sent < 256 * MIB:
                sent += raw.socket.send(BLOCK)
        raw.socket.settimeout(PATIENCE)
        assert tunnelled.get("/others").status == 200
    assert sent < 64 * MIB


def test_64_downloads_at_once_are_all_whole(tunnelled):
    expected = BLOCK * 16

    def download(_):
        return tunnelled.get(f"/big?bytes={len(expected)}").body == expected
    with concurrent.futures.ThreadPoolExecutor(64) as pool:
        assert all(pool.map(download, range(128)))


def test_one_stalled_visitor_among_many_stalls_nobody_else(tunnelled):
    stalled = [tunnelled.raw() for _ in range(8)]
    for raw in stalled:
        raw.send(f"GET /big?bytes={64 * MIB} HTTP/1.1\r\nHost: shop.test\r\n\r\n")
        raw.read_until(b"\r\n\r\n")
    try:
        for _ in range(20):
            assert len(tunnelled.get(f"/big?bytes={MIB}").body) == MIB
    finally:
        for raw in stalled:
            raw.socket.close()


def test_upload_and_download_at_once_on_one_stream(tunnelled):
    """The echo returns each piece as it comes: neither direction waits for the end of the other."""
    amount = 64 * MIB
    with tunnelled.raw() as raw:
        raw.send(f"POST /echo HTTP/1.1\r\nHost: shop.test\r\nContent-Length: {amount}\r\nConnection: close\r\n\r\n")
        sender = threading.Thread(target=lambda: [raw.send(BLOCK) for _ in range(amount // len(BLOCK))], daemon=True)
        sender.start()
        answer = http.client.HTTPResponse(raw.socket)
        answer.begin()
        count = 0
        while piece := answer.read(len(BLOCK)):
            start = count % len(BLOCK)
            assert piece == (BLOCK + BLOCK)[start:start + len(piece)], f"changed near byte {count}"
            count += len(piece)
        sender.join(PATIENCE)
    assert count == amount
