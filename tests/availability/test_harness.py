"""The harness can fail: what a service, a connection or a balancer does wrong is seen, counted exactly, and named."""
import asyncio
import threading
import time

import pytest

import rates
import service
from client import Connection, Lost
from journal import FAILED, OK, TOLD, Journal, merged
from load import Load, Mix
from programs import free_port

QUICK = Mix(pause=0.005, fresh_rate=200, long_seconds=0.1, upload_pieces=2, upload_pause=0.001)


@pytest.mark.parametrize("every", [0, 3, 10])
def test_what_the_service_fails_is_counted_to_the_request(every):
    with service.running(fail_every=every) as behind:
        with Load(behind.port, QUICK, chat_port=behind.chat) as load:
            while load.journal.done() < 400:
                time.sleep(0.05)
        by_kind = load.journal.failed_by_kind()
        assert by_kind == {kind: count for kind, count in behind.failed.items() if count}
        assert sum(by_kind.values()) >= (400 // every // 2 if every else 0)
        asked = {kind: len(load.journal.of(kind)) for kind in behind.asked}
        assert asked == dict(behind.asked), "every request is in the journal"


def test_a_service_that_is_away_fails_everything():
    with Load(free_port(), QUICK) as load:
        time.sleep(0.3)
    kinds = {"keep-alive", "new connection", "long", "upload", "websocket", "events"}
    assert set(load.journal.failed_by_kind()) == kinds and load.journal.done() == 0


class Scripted:
    """A server whose connections are served by `script(reader, writer)`."""

    def __init__(self, script):
        self.port, self._loop = free_port(), asyncio.new_event_loop()
        self._up = threading.Event()

        async def main():
            await asyncio.start_server(script, "127.0.0.1", self.port)
            self._up.set()
            await asyncio.Event().wait()
        threading.Thread(target=lambda: self._loop.run_until_complete(main()), daemon=True).start()
        assert self._up.wait(10)


async def answer(reader, writer, extra=""):
    await reader.readuntil(b"\r\n\r\n")
    writer.write(f"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n{extra}\r\nok".encode())


async def closes_on_the_second(reader, writer):
    await answer(reader, writer)
    await reader.readuntil(b"\r\n\r\n")
    writer.close()


async def closes_within(reader, writer):
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nok")
    writer.close()


async def says_close(reader, writer):
    await answer(reader, writer, "Connection: close\r\n")
    writer.close()


async def closes_idle(reader, writer):
    await answer(reader, writer)
    writer.close()


def asked(script, times):
    """What so many requests on one connection come to; False once it may not be used again."""
    async def main():
        connection = await Connection(Scripted(script).port).open()
        results = []
        for _ in range(times):
            try:
                results.append((await connection.ask("GET", "/")).body)
            except Lost as lost:
                results.append(str(lost))
            await asyncio.sleep(0.05)  # for its end to arrive
        return results, connection.usable()
    return asyncio.run(asyncio.wait_for(main(), 10))


@pytest.mark.parametrize("script, times, expected", [
    (closes_on_the_second, 2, ([b"ok", "closed before a byte of the answer (request 2 of its connection)"], False)),
    (closes_within, 1, (["closed within the answer (request 1 of its connection)"], False)),
    (says_close, 1, ([b"ok"], False)),
    (closes_idle, 1, ([b"ok"], False)),
])
def test_how_a_connection_ended_is_told(script, times, expected):
    assert asked(script, times) == expected


def test_a_journal_tells_when_a_failure_began():
    journal = Journal()
    for wrong in (False, True):
        with journal.record("kind") as record:
            record.ok()
            if wrong:
                raise Lost("for a reason")
    with journal.record("other") as record:
        record.told("1001")
    middle = journal.records[1].began
    assert [r.outcome for r in journal.records] == [OK, FAILED, TOLD]
    assert [r.reason for r in journal.began_after(middle - 1)] == ["for a reason"] and not journal.began_after(middle)
    assert journal.failed_by_kind() == {"kind": 1} and journal.done() == 2 and journal.done("other") == 1
    assert "kind: for a reason" in journal.complaints()[0]
    assert "| kind | 2 | 1 | 0 | 1 |" in journal.table()
    assert len(merged([journal, journal]).failed()) == 2


# Rates

@pytest.mark.parametrize("times, expected", [
    ([], [0, 0, 0]), ([0.0, 0.999, 1.0, 2.5], [2, 1, 1]), ([-0.1, 3.0], [0, 0, 0])])
def test_bins(times, expected):
    assert rates.bins(times, 0.0, 3.0) == expected


def test_bins_of_a_counter():
    assert rates.increments([(9.5, 100), (10.1, 103), (10.9, 103), (11.2, 108), (13.0, 109)], 10.0, 12.5) == [3, 5, 0]
    with pytest.raises(ValueError):
        rates.bins([], 1.0, 1.0)


@pytest.mark.parametrize("counts, bins, expected", [
    ([0, 0], None, 0.0), ([5, 5, 5], None, 1.0), ([9, 0, 0], None, 3.0), ([4, 2], None, 4 / 3), ([4, 2], 1.5, 1.0)])
def test_peak_to_mean(counts, bins, expected):
    assert rates.peak_to_mean(counts, bins) == pytest.approx(expected)


@pytest.mark.parametrize("percent, expected", [(50, 2), (75, 3), (99, 4), (100, 4), (1, 1)])
def test_percentile(percent, expected):
    assert rates.percentile([4, 1, 3, 2], percent) == expected
