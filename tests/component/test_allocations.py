"""The byte path allocates nothing once it is warm: counted in the real programs, access log on."""
import concurrent.futures
import mmap
import os
import struct

import pytest

from programs import BIN, SANITIZED
from visitor import Raw

pytestmark = pytest.mark.skipif(SANITIZED, reason="sanitizers bring an allocator of their own")

LIBRARY = BIN.parent / "tests" / "system" / "libcount_allocations.so"
VISITORS = 8
REQUESTS = 5000
MIB = 1 << 20
# An allocation now and then is no matter (ticks, log writer); one that comes with every hundredth request is.
PER_REQUEST = 0.01
PER_MIB = 1


class Counted:
    """A program's count of allocations; ADIT_TRACE_ALLOCATIONS=1 sends their stacks to its log."""

    def __init__(self, folder, name):
        self.file = folder / f"{name}.allocations"
        self.file.write_bytes(bytes(16))
        self.env = {"LD_PRELOAD": str(LIBRARY), "ADIT_COUNT_ALLOCATIONS": str(self.file)}
        with self.file.open("r+b") as file:
            self.page = mmap.mmap(file.fileno(), 16)

    def count(self):
        return struct.unpack_from("Q", self.page)[0]

    def trace(self, on):
        if os.environ.get("ADIT_TRACE_ALLOCATIONS"):
            struct.pack_into("Q", self.page, 8, int(on))


@pytest.fixture
def counted(edge, tmp_path):
    """Starts both programs counted, in front of the service on a port; returns their counts by name."""
    def start(port):
        counts = {name: Counted(tmp_path, name) for name in ("gateway", "connector")}
        run = edge.run
        edge.run = lambda name, argv, env=None: run(name, argv, counts[name].env)
        edge.write_default()
        edge.start(f"http://127.0.0.1:{port}")
        edge.wait_status(200)
        assert all(count.count() for count in counts.values()), "the programs are not counted"
        return counts
    return start


def allocations(counts, work):
    """How much each program allocates during work()."""
    before = {name: counted.count() for name, counted in counts.items()}
    for counted in counts.values():
        counted.trace(True)
    work()
    for counted in counts.values():
        counted.trace(False)
    return {name: counted.count() - before[name] for name, counted in counts.items()}


def ask(raw, request, answer_end):
    raw.send(request)
    assert raw.status() in (200, 201)
    raw.read_until(answer_end)


def per_request(edge, counts, request, answer_end):
    """Sends the request over and over on VISITORS connections, warm; allocations per request by program."""
    visitors = [edge.raw() for _ in range(VISITORS)]
    with concurrent.futures.ThreadPoolExecutor(VISITORS) as pool:
        def all_ask(times):
            def one(visitor):
                for _ in range(times):
                    ask(visitor, request, answer_end)
            list(pool.map(one, visitors))

        all_ask(100)
        counted = allocations(counts, lambda: all_ask(REQUESTS // VISITORS))
    for visitor in visitors:
        visitor.socket.close()
    return {name: count / REQUESTS for name, count in counted.items()}


def test_a_small_request(edge, nginx, counted):
    (nginx.files / "small").write_bytes(b"x" * 199 + b".")
    (nginx.files / "index.html").write_bytes(b"index")
    counts = counted(nginx.port)
    request = ("GET /small?a=b HTTP/1.1\r\nHost: shop.test\r\nUser-Agent: component test\r\nAccept: */*\r\n"
               "Accept-Encoding: gzip, br\r\nCookie: session=0123456789abcdef0123456789abcdef\r\n\r\n")
    counted = per_request(edge, counts, request, b"x.")
    assert max(counted.values()) <= PER_REQUEST, counted


def test_a_request_with_a_body(edge, origin, counted):
    counts = counted(origin.port)
    request = f"POST /p HTTP/1.1\r\nHost: shop.test\r\nContent-Length: {8 << 10}\r\n\r\n" + "b" * (8 << 10)
    counted = per_request(edge, counts, request, b"POST /p")
    assert max(counted.values()) <= PER_REQUEST, counted


def test_a_chunked_answer(edge, origin, counted):
    counts = counted(origin.port)
    counted = per_request(edge, counts, "GET /chunked HTTP/1.1\r\nHost: shop.test\r\n\r\n", b"0\r\n\r\n")
    assert max(counted.values()) <= PER_REQUEST, counted


def test_a_download(edge, nginx, counted):
    (nginx.files / "big").write_bytes(bytes(64 * MIB))
    (nginx.files / "index.html").write_bytes(b"index")
    counts = counted(nginx.port)
    with edge.raw() as raw:
        def download():
            raw.send("GET /big HTTP/1.1\r\nHost: shop.test\r\n\r\n")
            assert raw.status() == 200
            left = 64 * MIB - len(raw.bytes)
            raw.bytes = b""
            while left:
                piece = raw.socket.recv(min(left, MIB))
                assert piece, f"{left} bytes are missing"
                left -= len(piece)

        download()
        counted = {name: count / 64 for name, count in allocations(counts, download).items()}
    assert max(counted.values()) <= PER_MIB, counted
