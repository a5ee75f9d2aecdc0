"""Gateway and connector far apart: one stream against raw TCP, and small requests beside bulk on the same link.

The hosts are network namespaces joined by tests/network/delay_link; both have the machine's own buffers and, where
nothing else is said, congestion control. Raw TCP is the same visitor that reaches the same service over the same network without a tunnel.
"""
import contextlib
import dataclasses
import json
import pathlib
import socket
import subprocess
import sys
import time
from statistics import median

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tests" / "network"))

import delay  # noqa: E402
from systems import NEAR_ADDRESS, TUNNEL_ID  # noqa: E402

SERVICE_PORT, HTTP_PORT, LINK_PORT, ADMIN_PORT = 5000, 8080, 7443, 9090
ENDLESS = 10 ** 12
MIB = 1 << 20


@dataclasses.dataclass(frozen=True)
class Network:
    """`name` stands in the tables; the queue is that of the narrow place, in bytes."""
    name: str
    delay_ms: float
    rate_mbit: float = 0
    queue_bytes: float | None = None
    congestion: str | None = None  # the kernel's congestion control; None: the machine's own


# Round trip of 100 ms, where the kernel's own buffers limit raw TCP, and with a narrow place that does.
LONG = (Network("100 ms, any rate", 50), Network("100 ms, 200 Mbit/s", 50, 200, 2.5e6))
# Of a queue of one round trip: with more, the network itself would make everybody wait. By Linux's own choice, since BBR
# sends next to nothing for 200 ms every 10 s to measure the path (PROBE_RTT): whoever is on that connection waits for it.
SHARED = Network("20 ms, 200 Mbit/s", 10, 200, 0.5e6, "cubic")


@dataclasses.dataclass
class Distance:
    """What was found."""
    streams: dict = dataclasses.field(default_factory=dict)  # (network, direction) → [(raw Mbit/s, Adit Mbit/s)]
    beside: list = dataclasses.field(default_factory=list)  # [(idle figures, busy figures, bulk Mbit/s)]

    def ratio(self, direction):
        """The least of the networks' medians of Adit ÷ raw TCP."""
        found = [median(adit / raw for raw, adit in rounds)
                 for (_, way), rounds in self.streams.items() if way == direction]
        return min(found, default=None)

    def beside_ratio(self):
        return median(busy["p99_us"] / idle["p99_us"] for idle, busy, _ in self.beside) if self.beside else None


class Place:
    """Gateway on the near host, connector and service on the far one."""

    def __init__(self, bench, tools, network, links=1):
        self.bench, self.tools = bench, tools
        self.links = links
        self.network = network
        self.programs = []

    def __enter__(self):
        net = self.network
        self.far = delay.Far(self.tools / "delay_link", net.delay_ms, net.rate_mbit, net.queue_bytes, net.congestion)
        with contextlib.ExitStack() as stack:
            stack.enter_context(self.far)
            stack.callback(self.stop)
            self.start()
            self.close = stack.pop_all().close
        return self

    def __exit__(self, *_):
        self.close()

    def stop(self):
        for program in reversed(self.programs):
            program.stop()

    def start(self):
        folder, near, far = self.bench.folder, self.far.near, self.far.far
        token = "a-token-of-the-benchmark"
        manifests = folder / "manifests-far"
        if not manifests.exists():
            self.bench.write_manifests(manifests, token, ('"*"',), 0)
            (folder / "token-far").write_text(token)
        self.run(far, "service-far", [self.tools / "bench_service", "0.0.0.0", SERVICE_PORT])
        self.run(near, "adit-gateway-far", [
            self.tools / "adit-gateway", "--manifests", manifests, "--http", f"127.0.0.1:{HTTP_PORT}", "--https", "off",
            "--link", f"0.0.0.0:{LINK_PORT}", "--link-host", "localhost", "--link-cert", "tls.pem", "--link-key",
            "tls.key", "--admin", f"127.0.0.1:{ADMIN_PORT}", "--workers", "1", "--access-log", "off"])
        self.run(far, "adit-connector-far", [
            self.tools / "adit-connector", "--gateway", f"{NEAR_ADDRESS}:{LINK_PORT}", "--tunnel", TUNNEL_ID,
            "--token-file", "token-far", "--ca-file", "tls.pem", "--service", f"http://127.0.0.1:{SERVICE_PORT}",
            "--links", str(self.links), "--admin", "off"])
        deadline = time.monotonic() + 20
        while not self.answers():
            if time.monotonic() > deadline:
                raise SystemExit(f"no answer from afar:\n{self.programs[1].log.read_text()[-2000:]}")
            time.sleep(0.1)

    def run(self, host, name, argv):
        self.programs.append(self.bench.start(name, [*host.enter, *argv]))

    def answers(self):
        try:
            with self.connect(True) as visitor:
                visitor.sendall(b"GET /bytes/2 HTTP/1.1\r\nHost: x\r\n\r\n")
                return visitor.recv(12) == b"HTTP/1.1 200"
        except OSError:
            return False

    def connect(self, tunnelled):
        address = ("127.0.0.1", HTTP_PORT) if tunnelled else (self.far.far.address, SERVICE_PORT)
        with self.far.near.inside():
            visitor = socket.create_connection(address, 10)
        visitor.settimeout(30)
        return visitor

    def download(self, tunnelled, seconds):
        """Mbit/s of one stream from its request on."""
        with self.connect(tunnelled) as visitor:
            buffer, count = bytearray(MIB), 0
            begin = time.monotonic()
            visitor.sendall(f"GET /bytes/{ENDLESS} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            while (took := time.monotonic() - begin) < seconds:
                count += visitor.recv_into(buffer)
        return count * 8e-6 / took

    def upload(self, tunnelled, size):
        """Mbit/s until the service has said that it has all."""
        size -= size % MIB
        with self.connect(tunnelled) as visitor:
            block = bytes(MIB)
            begin = time.monotonic()
            visitor.sendall(f"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {size}\r\n\r\n".encode())
            for _ in range(size // MIB):
                visitor.sendall(block)
            answer = visitor.recv(4096)
            took = time.monotonic() - begin
        if not answer.startswith(b"HTTP/1.1 200"):
            raise SystemExit(f"upload: {answer[:300]!r}")
        return size * 8e-6 / took

    def wrk(self, path, connections, seconds):
        return subprocess.Popen(
            [*self.far.near.enter, "wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "100s", "--latency",
             "-s", str(HERE / "report.lua"), f"http://127.0.0.1:{HTTP_PORT}{path}"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def figures(run):
    text, wrong = run.communicate(timeout=120)
    line = next((l for l in text.splitlines() if l.startswith("RESULT ")), None)
    if line is None:
        raise SystemExit(f"no result: {text}{wrong}")
    return json.loads(line[len("RESULT "):])


def measure_streams(place, rounds, seconds, found):
    for _ in range(rounds):
        rates = {}
        for tunnelled in (False, True):
            rates["download", tunnelled] = place.download(tunnelled, seconds)
            # As long as the download, to the byte the same for both.
            size = int(rates["download", False] * seconds / 8 * 1e6)
            rates["upload", tunnelled] = place.upload(tunnelled, size)
        for way in ("download", "upload"):
            pair = rates[way, False], rates[way, True]
            found.streams.setdefault((place.network.name, way), []).append(pair)
            print(f"distance  {place.network.name}: one {way}  raw TCP {pair[0]:.0f}  Adit {pair[1]:.0f} Mbit/s"
                  f"  {pair[1] / pair[0]:.2f}", flush=True)


def measure_beside(place, rounds, seconds, found):
    """Small requests by four visitors, alone and beside four downloads on the only link."""
    for _ in range(rounds):
        idle = figures(place.wrk("/bytes/200", 4, seconds))
        bulk = place.wrk(f"/bytes/{ENDLESS}", 4, seconds + 4)
        time.sleep(2)  # the downloads have found their rate
        busy = figures(place.wrk("/bytes/200", 4, seconds))
        mbit = figures(bulk)["bytes"] * 8e-6 / (seconds + 4)
        found.beside.append((idle, busy, mbit))
        print(f"distance  {place.network.name}: small alone p50 {idle['p50_us']} p99 {idle['p99_us']} µs, beside bulk of"
              f" {mbit:.0f} Mbit/s p50 {busy['p50_us']} p99 {busy['p99_us']} µs", flush=True)


def why_not():
    """Why this machine cannot measure it; None if it can."""
    return delay.missing_right()


def measure(bench, rounds, seconds, tools):
    found = Distance()
    seconds = max(seconds, 6)  # sixty round trips
    for network in LONG:
        with Place(bench, tools, network) as place:
            measure_streams(place, rounds, seconds, found)
    with Place(bench, tools, SHARED) as place:
        measure_beside(place, rounds, seconds, found)
    return found
