"""Open idle streams: upgraded connections that nobody uses, each one stream of a link from visitor to service."""
import dataclasses
import socket
import time

from processes import free_port

COUNT = 4000  # so many that memory which the programs had free before does not hide them
UPGRADE = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: idle\r\n\r\n"


@dataclasses.dataclass
class Streams:
    """KiB of each for one stream; the gateway's includes the visitor's connection."""
    gateway_kib: float
    connector_kib: float
    open: float


def upgraded(port):
    visitor = socket.create_connection(("127.0.0.1", port), 10)
    visitor.sendall(UPGRADE)
    answer = b""
    while b"\r\n\r\n" not in answer:
        more = visitor.recv(4096)
        if not more:
            break
        answer += more
    if not answer.startswith(b"HTTP/1.1 101"):
        raise SystemExit(f"a stream was not upgraded: {answer[:200]!r}")
    return visitor


def measure(bench, tools):
    port = free_port()
    bench.start("service-streams", [tools / "bench_service", "127.0.0.1", port], port)
    system = bench.adit("-streams", service=port)
    deadline = time.monotonic() + 20
    visitors = []
    while not visitors:
        try:
            visitors.append(upgraded(system.port))
        except SystemExit:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
    visitors += [upgraded(system.port) for _ in range(31)]  # what any stream needs is in memory
    time.sleep(1)
    before = system.rss()
    visitors += [upgraded(system.port) for _ in range(COUNT)]
    time.sleep(2)
    gateway, connector = ((now - then) / COUNT for now, then in zip(system.rss(), before))
    found = Streams(gateway, connector, system.open_streams())
    for visitor in visitors:
        visitor.close()
    system.stop()
    print(f"streams   {COUNT:,} idle  KiB each: gateway {gateway:.2f}  connector {connector:.2f}", flush=True)
    return found
