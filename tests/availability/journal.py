"""What became of every request of a load, and the verdict on it."""
import collections
import contextlib
import dataclasses
import time

OK, TOLD, FAILED = "ok", "told", "failed"  # told: ended in order, and the visitor was told so (WebSocket 1001)


@dataclasses.dataclass
class Record:
    """One request, upload, event stream or WebSocket, from its first try to connect to its end. Times: time.monotonic()."""
    kind: str
    began: float
    seconds: float = 0.0
    outcome: str = FAILED
    status: int = 0
    reason: str = "was still under way at the end"

    @property
    def ended(self):
        return self.began + self.seconds

    def ok(self, status=200):
        self.outcome, self.status, self.reason = OK, status, ""

    def told(self, reason):
        self.outcome, self.reason = TOLD, reason

    def fail(self, reason, status=0):
        self.outcome, self.reason, self.status = FAILED, reason, status


class Journal:
    """Written by the load's thread, read by any."""

    def __init__(self):
        self.records = []

    @contextlib.contextmanager
    def record(self, kind):
        """One request. What the block raises is its failure, and goes no further."""
        record = Record(kind, time.monotonic())
        self.records.append(record)
        try:
            yield record
        except TimeoutError:
            record.fail("timed out")
        except Exception as error:  # whatever it was: the request has failed, and the load goes on
            record.fail(str(error) or repr(error))
        finally:
            record.seconds = time.monotonic() - record.began

    def of(self, kind):
        return [record for record in self.records if record.kind == kind]

    def failed(self):
        return [record for record in list(self.records) if record.outcome == FAILED]

    def done(self, kind=None):
        return sum(1 for r in list(self.records) if r.outcome != FAILED and kind in (None, r.kind))

    def failed_by_kind(self):
        return dict(collections.Counter(record.kind for record in self.failed()))

    def began_after(self, moment):
        """Failures of requests that began after `moment`: what a fault still costs when it should be over."""
        return [record for record in self.failed() if record.began > moment]

    def table(self):
        """Markdown: a line for each kind."""
        lines = ["| kind | asked | ok | told | failed | slowest ms |", "|---|---|---|---|---|---|"]
        for kind in dict.fromkeys(record.kind for record in self.records):
            records = self.of(kind)
            counts = collections.Counter(record.outcome for record in records)
            slowest = max((r.seconds for r in records if r.outcome == OK), default=0)
            lines.append(f"| {kind} | {len(records)} | {counts[OK]} | {counts[TOLD]} | {counts[FAILED]} | {slowest * 1000:.0f} |")
        return "\n".join(lines)

    def complaints(self, since=0.0):
        """A line for each failure; `since` is where its times count from."""
        return [f"{record.began - since:8.3f} s  {record.kind}: {record.reason}"
                f"{f' (status {record.status})' if record.status else ''}, after {record.seconds:.3f} s"
                for record in self.failed()]


def merged(journals):
    """One journal of several rounds."""
    whole = Journal()
    for journal in journals:
        whole.records += journal.records
    return whole
