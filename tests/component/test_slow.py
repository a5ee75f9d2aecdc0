"""Slow visitors, made by slowhttptest: they are cut off, and others do not notice."""
import http.client
import statistics
import threading
import time

import pytest

from programs import PATIENCE, Program, SANITIZED, wait_until

LIMITS = ["--header-timeout", "2s", "--body-timeout", "2s", "--idle-timeout", "3s", "--min-body-rate", "10000",
          "--min-body-rate-grace", "1s"]
CONNECTIONS, SECONDS = 200, 20
# What slowhttptest does with each connection, and what it asks for.
MODES = {
    "headers that never end": (["-H", "-i", "1"], "/"),
    "a body in drops": (["-B", "-i", "1", "-s", "1000000"], "/upload"),
    "reading in drops": (["-X", "-w", "1024", "-y", "2048", "-n", "1", "-z", "64", "-k", "3"], "/big?bytes=4000000"),
}
# Not slow but many: each asks for overlapping ranges, as what once exhausted Apache's memory.
RANGES = (["-R", "-t", "HEAD", "-a", "5", "-b", "3000"], "/big?bytes=4000000")


class Regular:
    """A visitor that asks all the time, on one connection while that is kept."""

    def __init__(self, edge):
        self.edge, self.seconds, self.wrong = edge, [], []
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self._ask, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        self.thread.join(PATIENCE)

    def _ask(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.edge.http, timeout=PATIENCE)
        while not self.stopping.is_set():
            began = time.monotonic()
            try:
                status = self.edge.get("/regular", connection=connection).status
                self.wrong += [status] if status != 200 else []
            except (OSError, http.client.HTTPException) as error:
                self.wrong.append(repr(error))
                connection.close()
            self.seconds.append(time.monotonic() - began)
            self.stopping.wait(0.002)

    def p99(self):
        return statistics.quantiles(self.seconds, n=100)[98]


def open_connections(edge):
    return edge.metrics()["adit_gateway_connections_open"]


def attack(edge, folder, mode, path):
    where = ["-u", edge.url(path, name="localhost")]
    return Program("slowhttptest", ["slowhttptest", *mode, "-c", CONNECTIONS, "-r", CONNECTIONS, "-l", SECONDS, *where], folder)


@pytest.fixture
def limited(edge, origin):
    """An edge with short limits and without open connections; edge.alone: a visitor that had it for itself."""
    edge.write_default(routes='  - {host: "*"}\n')
    edge.start(f"http://127.0.0.1:{origin.port}", gateway=LIMITS)
    edge.wait_status(200)
    with Regular(edge) as edge.alone:
        wait_until(lambda: len(edge.alone.seconds) >= 300, "300 requests before the attack")
    wait_until(lambda: open_connections(edge) == 0, "no connection is open before the attack")
    return edge


def judge(edge, beside):
    assert not beside.wrong and not edge.alone.wrong
    # Generous, since the attacker uses the same processors: what it must not do is wait for the slow ones.
    assert beside.p99() < 10 * edge.alone.p99() + (1 if SANITIZED else 0.2)
    wait_until(lambda: open_connections(edge) == 0, "every connection is closed")
    assert edge.get("/after").status == 200


@pytest.mark.parametrize("mode", MODES)
def test_slow_visitors_are_cut_off_and_others_do_not_notice(limited, tmp_path, mode):
    with Regular(limited) as beside:
        slow = attack(limited, tmp_path, *MODES[mode])
        wait_until(lambda: open_connections(limited) >= CONNECTIONS / 2, "the slow visitors are there")
        # All but the regular visitor and what slowhttptest looks after it with.
        wait_until(lambda: open_connections(limited) <= 3, "the slow visitors are cut off", SECONDS)
        # It ends by itself when it sees all its connections closed, or when its time is over.
        assert slow.running() or "No open connections left" in slow.out, slow.out
        slow.kill()
    judge(limited, beside)


def test_many_ranges_are_just_requests(limited, tmp_path):
    with Regular(limited) as beside:
        asked = limited.metrics()["adit_gateway_connections_total"]
        many = attack(limited, tmp_path, *RANGES)
        wait_until(lambda: limited.metrics()["adit_gateway_connections_total"] >= asked + CONNECTIONS, "all have asked")
        many.wait(SECONDS + 10)
    judge(limited, beside)
