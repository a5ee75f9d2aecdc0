"""R1: connectors that lose their gateway together do not come back together, and wait as long as they are told.

The short version has 200 connectors and judges what does not depend on the machine; with ADIT_STORM=2000 it is the whole."""
import os
import shutil
import signal
import time

import pytest

import rates
from edge import TOKEN, documents, token_secret, tunnel_manifest
from load import Load, Mix
from programs import SANITIZED, free_port, listens, wait_until
from storm import Storm

CONNECTORS = int(os.environ.get("ADIT_STORM", "60" if SANITIZED else "200"))
WHOLE = CONNECTORS >= 2000
AWAY = 5.0
OTHER = "77777777-2222-4333-8444-555555555555"


def peak_memory(program):
    """Most resident bytes so far."""
    for line in open(f"/proc/{program.process.pid}/status", encoding="ascii"):
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise AssertionError("no VmHWM")


def rss_at_rest(program):
    """Once it does not change any more."""
    last = 0
    for _ in range(20):
        now = program.rss()
        if abs(now - last) < 1 << 18:
            break
        last = now
        time.sleep(0.5)
    return now


@pytest.fixture
def shared(edge, origin):
    """A gateway with the storm's tunnel, which nobody asks for, and another one that is served."""
    edge.write("shop.yaml", documents(tunnel_manifest(), token_secret()))
    edge.write("other.yaml", documents(
        tunnel_manifest(name="other", tunnel=OTHER, routes="  - {host: other.test}\n"), token_secret(name="other-connector")))
    edge.start_gateway("--access-log", "off", "--log-level", "warning")
    edge.start_connector(f"http://127.0.0.1:{origin.port}", tunnel=OTHER)
    edge.wait_status(200, "/", host="other.test")
    (edge.folder / "storm-token").write_text(TOKEN)
    return edge


def begin(edge, port=None, connectors=CONNECTORS, wait=True):
    storm = Storm(f"127.0.0.1:{port or edge.link}", edge.folder / "storm-token", edge.authority.file, connectors,
                  apart_ms=max(1, 5000 // connectors) if wait else 0)
    if wait:
        storm.wait_all(60)
    return storm


def p99(edge, seconds):
    """Of another tunnel's requests on new connections, 50 a second, in seconds."""
    with Load(edge.http, Mix(keep_alive=0, fresh_rate=50, long=0, uploads=0, web_sockets=0, events=0), "other.test") as load:
        time.sleep(seconds)
    assert not load.journal.failed(), load.journal.complaints()
    return rates.percentile([record.seconds for record in load.journal.records], 99)


def test_R1_a_gateway_that_is_away_for_five_seconds(shared, origin, record_property):
    with begin(shared) as storm:
        before = rss_at_rest(shared.gateway)
        quiet = p99(shared, 5)
        lost = time.monotonic()
        shared.gateway.kill()
        time.sleep(AWAY)
        shared.start_gateway("--access-log", "off", "--log-level", "warning", name="gateway-again")
        back = time.monotonic()
        shared.wait_status(200, "/", host="other.test")
        busy = p99(shared, 5)
        storm.wait_all(60)
        whole = storm.all_up_at(back)
        counts = rates.increments(storm.begun(), back, whole)
        away = rates.increments(storm.begun(), lost, back)
        after = rss_at_rest(shared.gateway)
        peak = rates.peak_to_mean(counts, whole - back)
        found = {"dials in each second while it was away": away, "and since it was back": counts,
                 "peak to mean": round(peak, 2), "seconds until all were back": round(whole - back, 2),
                 "p99 ms before and meanwhile": (round(quiet * 1e3, 2), round(busy * 1e3, 2)),
                 "gateway MiB before, after, most": [m >> 20 for m in (before, after, peak_memory(shared.gateway))]}
        print(found)
        for name, value in found.items():
            record_property(name, value)
        assert whole - back < 60
        assert peak < 3 or whole - back < 3, "if all are back in three seconds there was no storm"
        assert after < before + (8 << 20) and peak_memory(shared.gateway) < 1.5 * before + (8 << 20)
        if WHOLE:
            assert busy < 2 * quiet + 0.002


class Refusing:
    """A real haproxy in the gateway's place that answers every dial with 503 and Retry-After."""

    def __init__(self, edge, port, seconds):
        self.admin = free_port()
        both = edge.folder / "refusing.pem"
        both.write_text(edge.link_chain.read_text() + edge.link_key.read_text())
        file = edge.folder / "refusing.cfg"
        file.write_text(f"""\
defaults
  mode http
  timeout connect 5s
  timeout client 30s
  timeout server 30s
frontend links
  bind 127.0.0.1:{port} ssl crt {both} alpn http/1.1
  http-request return status 503 hdr Retry-After {seconds}
""")
        self.program = edge.run("refusing", [shutil.which("haproxy") or "/usr/sbin/haproxy", "-db", "-f", file])
        self.program.end = -signal.SIGTERM
        wait_until(lambda: listens(port), "haproxy listens")


def test_R1_retry_after_is_a_floor_for_everybody(shared, record_property):
    """Each is refused once in the time that it was told to wait, at least: nobody asks again before."""
    port, wait = free_port(), 4
    connectors = min(CONNECTORS, 200)
    refusing = Refusing(shared, port, wait)
    with begin(shared, port, connectors, wait=False) as storm:
        wait_until(lambda: storm.begun() and storm.begun()[-1][1] >= connectors, "all have dialled")
        first = storm.begun()[0][0]
        time.sleep(max(0, first + wait - 0.3 - time.monotonic()))
        assert storm.begun()[-1][1] == connectors, "somebody dialled again before Retry-After was over"
        refusing.program.stop()
        # A gateway takes the place: from here on everybody comes, spread by the jitter on top of the floor.
        shared.gateway.stop()
        shared.link_address = f"127.0.0.1:{port}"
        shared.start_gateway("--log-level", "warning", name="in its place")
        record_property("seconds until all were there", round(storm.wait_all(40), 2))
