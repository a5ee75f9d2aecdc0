"""Idle visitors: what a connection costs that waits after its first answer, and whether many of them slow others down.

Resident memory does not depend on what else the machine does, so one round is enough. Each figure is taken from programs
started for it: memory left over from other loads would hide the growth.
"""
import dataclasses
import socket
import ssl
import time

from load import WORKLOADS, load, rate

COUNTS = ((False, 1000), (False, 5000), (True, 1000))
REQUEST = b"GET /small HTTP/1.1\r\nHost: localhost\r\n\r\n"
SETTLE_SECONDS = 2


@dataclasses.dataclass
class Idle:
    """`count` idle connections of a system."""
    system: str
    tls: bool
    count: int
    kib: list  # of each program for each connection
    streams: float | None = None  # open on Adit's links meanwhile
    rate_ratio: float | None = None  # small requests/s with them ÷ without


class Visitors:
    """Connections that have had one answer each and then wait."""

    def __init__(self, system, tls):
        self.system, self.tls = system, tls
        self.open = []
        self.context = ssl.create_default_context()
        self.context.check_hostname, self.context.verify_mode = False, ssl.CERT_NONE

    def add(self, until):
        while len(self.open) < until:
            self.open.append(self.connect())

    def connect(self):
        plain = socket.create_connection(("127.0.0.1", self.system.tls_port if self.tls else self.system.port), 10)
        visitor = self.context.wrap_socket(plain, server_hostname="localhost") if self.tls else plain
        self.ask(visitor)
        return visitor

    def ask(self, visitor):
        visitor.sendall(REQUEST)
        answer = b""
        while not answer.endswith(b"x" * 200):
            more = visitor.recv(4096)
            if not more:
                raise SystemExit(f"{self.system.name} closed an idle visitor's connection: {answer[:200]!r}")
            answer += more

    def close(self):
        for visitor in self.open:
            visitor.close()
        self.open = []


def measure_tls(bench, name, tls):
    """The rows of one system, plain or TLS, from programs started for this."""
    system = bench.system(name, "-idle-tls" if tls else "-idle")
    wait = time.monotonic() + 20
    while not system.answers() and time.monotonic() < wait:
        time.sleep(0.1)
    visitors = Visitors(system, tls)
    visitors.add(8)  # what any visitor needs is in memory
    visitors.close()
    time.sleep(1)
    base, rows = system.rss(), []
    for count in (count for with_tls, count in COUNTS if with_tls == tls):
        visitors.add(count)
        time.sleep(SETTLE_SECONDS)
        kib = [(now - before) / count for now, before in zip(system.rss(), base)]
        rows.append(Idle(name, tls, count, kib, streams=system.open_streams()))
    return system, visitors, rows


def measure(bench, names, seconds):
    """The rows of all systems; `seconds` of load with and without the idle connections."""
    rows = []
    for name in (name for name in names if name not in ("direct", "adit-two")):
        for tls in (False, True):
            system, visitors, found = measure_tls(bench, name, tls)
            if not tls:
                busy = load(system, WORKLOADS["small"], seconds)
                visitors.ask(visitors.open[0])  # they were not thrown out for the load
                visitors.close()
                time.sleep(1)
                quiet = load(system, WORKLOADS["small"], seconds)
                found[-1].rate_ratio = rate(WORKLOADS["small"], busy) / rate(WORKLOADS["small"], quiet)
            visitors.close()
            system.stop()
            rows += found
            for row in found:
                print(f"idle      {name:9} {row.count:,} {'TLS' if tls else 'plain'}  "
                      f"KiB each {' + '.join(f'{k:.2f}' for k in row.kib)}", flush=True)
    return rows
