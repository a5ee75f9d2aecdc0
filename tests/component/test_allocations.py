"""The byte path allocates nothing once it is warm: counted in the real programs, access log on."""
import math
import mmap
import os
import re
import shutil
import struct
import subprocess
import time

import pytest

from edge import ROUTES
from programs import BIN, SANITIZED, Program, free_port, listens, wait_until
from visitor import Raw, trusting

pytestmark = pytest.mark.skipif(SANITIZED, reason="sanitizers bring an allocator of their own")

LIBRARY = BIN.parent / "tests" / "system" / "libcount_allocations.so"
MIB = 1 << 20
# What comes with time (ticks, watched folders) is taken off, and the load's few connections are no matter; an allocation
# that comes with every hundredth request is.
PER_REQUEST = 0.01
PER_MIB = 1
IDLE_SECONDS = 4
LEAST_REQUESTS = 20_000  # among which the handshakes of the load's connections are no matter


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
def service(tmp_path):
    """nginx: /small, /chunked (compressed, so that its length is unknown) and /big."""
    port = free_port()
    folders = "".join(f"{kind}_temp_path {tmp_path}/nginx-{kind};\n"
                      for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    user = "user root;" if os.geteuid() == 0 else ""
    (tmp_path / "big").write_bytes(bytes(64 * MIB))
    (tmp_path / "nginx.conf").write_text(
        f"{user} daemon off; worker_processes 1; pid {tmp_path}/nginx.pid; error_log stderr;\n"
        f"events {{ worker_connections 1024; }}\n"
        f"http {{ {folders} access_log off; sendfile on; keepalive_requests 100000000;\n"
        f"  server {{ listen 127.0.0.1:{port}; root {tmp_path};\n"
        f"    location / {{ return 200 '{'x' * 200}'; }}\n"
        f"    location /chunked {{ gzip on; gzip_proxied any; gzip_types text/plain; return 200 '{'chunked ' * 200}'; }}\n"
        f"    location /big {{ }} }} }}\n")
    nginx = Program("nginx", [shutil.which("nginx") or "/usr/sbin/nginx", "-p", tmp_path, "-e", "stderr", "-c",
                              tmp_path / "nginx.conf"], tmp_path)
    wait_until(lambda: listens(port), "nginx listens")
    yield port
    nginx.stop()


@pytest.fixture
def counts(edge, service, tmp_path):
    """Both programs, counted, in front of the service; their counts by name."""
    counts = {name: Counted(tmp_path, name) for name in ("gateway", "connector")}
    run = edge.run
    edge.run = lambda name, argv, env=None: run(name, argv, counts[name].env)
    # wrk asks for the server name 127.0.0.1: the default certificate, which is that of a "*" rule.
    edge.write_default(routes=ROUTES + '  - {host: "*"}\n', tls="shop-tls")
    edge.write_tls("shop.test")
    # One worker: each makes its TLS contexts at its own first handshake, and which of several meets it is chance.
    edge.start(f"http://127.0.0.1:{service}", gateway=("--workers", "1"))
    edge.wait_status(200)
    assert all(count.count() for count in counts.values()), "the programs are not counted"
    return counts


def allocations(counts, work):
    """How much each program allocates during work(), over what work() returns."""
    before = {name: counted.count() for name, counted in counts.items()}
    for counted in counts.values():
        counted.trace(True)
    amount = work()
    for counted in counts.values():
        counted.trace(False)
    return {name: (counted.count() - before[name]) / amount for name, counted in counts.items()}


def load(url, script, seconds):
    """Keep-alive requests over a few connections; how many were answered."""
    # The handshakes count too, and take some fifty allocations each.
    connections = 2 if url.startswith("https") else 8
    address = url.replace("shop.test", "127.0.0.1")
    fields = ["Host: shop.test", "Accept-Encoding: gzip", "User-Agent: component test",
              "Cookie: session=0123456789abcdef0123456789abcdef"]
    done = subprocess.run(["wrk", "-t1", f"-c{connections}", f"-d{seconds}s",
                           *(argument for field in fields for argument in ("-H", field)),
                           *(["-s", str(script)] if script else []), address],
                          capture_output=True, text=True, timeout=seconds + 60, check=True)
    assert "Non-2xx" not in done.stdout and "Socket errors" not in done.stdout, done.stdout
    return int(re.search(r"(\d+) requests in", done.stdout)[1])


def check_load(edge, counts, path, https=False, script=None):
    url = edge.url(path, https)
    rate = load(url, script, seconds=1)  # on a busy machine it takes longer to see enough
    seconds = max(2, math.ceil(1.5 * LEAST_REQUESTS / rate))
    idle = allocations(counts, lambda: time.sleep(IDLE_SECONDS) or IDLE_SECONDS)  # a second: folders are looked at, …
    began = time.monotonic()
    requests = 0

    def work():
        nonlocal requests
        requests = load(url, script, seconds)
        return requests
    counted = allocations(counts, work)
    took = time.monotonic() - began
    own = {name: count - idle[name] * took / requests for name, count in counted.items()}
    assert max(own.values()) <= PER_REQUEST, (own, idle, requests)


def test_a_small_request(edge, counts):
    check_load(edge, counts, "/small?a=b")


def test_a_small_request_over_tls(edge, counts):
    check_load(edge, counts, "/small", https=True)


def test_a_request_with_a_body(edge, counts, tmp_path):
    script = tmp_path / "post.lua"
    script.write_text('wrk.method = "POST"\nwrk.body = string.rep("b", 8192)\n')
    check_load(edge, counts, "/upload", script=script)


def test_a_chunked_answer(edge, counts):
    assert "Transfer-Encoding: chunked" in edge.curl("-i", "--compressed", edge.url("/chunked")).decode()
    check_load(edge, counts, "/chunked")


@pytest.mark.parametrize("https", [False, True], ids=["plain", "tls"])
def test_a_download(edge, counts, https):
    with Raw(edge.https, trusting(edge.authority.file)) if https else Raw(edge.http) as raw:
        def download():
            raw.send("GET /big HTTP/1.1\r\nHost: shop.test\r\n\r\n")
            assert raw.status() == 200
            left = 64 * MIB - len(raw.bytes)
            raw.bytes = b""
            while left:
                piece = raw.socket.recv(min(left, MIB))
                assert piece, f"{left} bytes are missing"
                left -= len(piece)
            return 64

        download()
        counted = allocations(counts, download)
    assert max(counted.values()) <= PER_MIB, counted
