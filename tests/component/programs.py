"""The programs under test and other real ones: started with their own logs, watched, and ended by PID."""
import fcntl
import itertools
import os
import pathlib
import re
import signal
import socket
import subprocess
import tempfile
import time

BIN = pathlib.Path(os.environ.get("ADIT_BIN", "build/dev/bin")).resolve()
SANITIZED = bool(os.environ.get("ADIT_SANITIZE"))
# Deadlines are there to end a test that hangs, never to measure.
PATIENCE = 40 if SANITIZED else 15
SANITIZER_REPORT = re.compile(r"(ERROR: \w+Sanitizer|WARNING: ThreadSanitizer|runtime error:)")

# Below the range of ephemeral ports, so that no outgoing connection takes a port between choice and use; each process
# holds a block of its own for its life, since several test programs run side by side.
_FIRST_PORT, _BLOCKS, _BLOCK_SIZE = 10_000, 44, 500


def _own_block():
    for number in range(_BLOCKS):
        block = (os.getpid() + number) % _BLOCKS
        lock = open(pathlib.Path(tempfile.gettempdir()) / f"adit-test-ports-{block}", "w", encoding="ascii")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.close()
            continue
        first = _FIRST_PORT + block * _BLOCK_SIZE
        return lock, itertools.cycle(range(first, first + _BLOCK_SIZE))
    raise RuntimeError("all blocks of ports are taken")


_port_lock, _ports = _own_block()  # the lock ends with the process


def free_port():
    for port in _ports:
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
    raise AssertionError("unreachable")


def wait_until(condition, what, seconds=PATIENCE):
    """Polls until condition() is true and returns the seconds that it took."""
    began = time.monotonic()
    while not condition():
        if time.monotonic() - began > seconds:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.01)
    return time.monotonic() - began


def listens(port):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
        return True
    except OSError:
        return False


class Program:
    """One program. stop() or kill() it, or the fixture that owns it will end it and judge how it ended."""

    def __init__(self, name, argv, folder, env=None):
        self.name = name
        self.out_file, self.err_file = folder / f"{name}.out", folder / f"{name}.err"
        self.judged = False
        self.end = 0  # what it ends with after SIGTERM
        clean = {k: v for k, v in os.environ.items() if not k.startswith("ADIT_") and not k.lower().endswith("_proxy")}
        with self.out_file.open("ab") as out, self.err_file.open("ab") as err:
            self.process = subprocess.Popen([str(a) for a in argv], cwd=folder, stdin=subprocess.DEVNULL,
                                            stdout=out, stderr=err, env={**clean, **(env or {})})

    @property
    def out(self):
        return self.out_file.read_text(errors="replace")

    @property
    def err(self):
        return self.err_file.read_text(errors="replace")

    def running(self):
        return self.process.poll() is None

    def signal(self, number):
        self.process.send_signal(number)

    def wait(self, seconds=PATIENCE):
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.name} did not end within {seconds} s") from None

    def stop(self):
        """SIGTERM: must end by itself, with 0."""
        if self.running():
            self.signal(signal.SIGTERM)
            code = self.wait()
            self.judged = True
            assert code == self.end, f"{self.name} ended with {code} after SIGTERM"

    def kill(self):
        """As a crash or a lost machine: kill -9."""
        self.judged = True
        if self.running():
            self.process.kill()
            self.process.wait()

    def rss(self):
        """Resident bytes now."""
        for line in pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
        raise AssertionError(f"{self.name} has ended")

    def judge(self):
        """At the end of a test: ends it if it still runs, and lists what was wrong with it."""
        wrong = []
        if not self.judged:
            if not self.running():
                wrong.append(f"{self.name} had ended by itself with {self.process.returncode}")
            else:
                try:
                    self.stop()
                except AssertionError as error:
                    wrong.append(str(error))
                    self.kill()
        report = SANITIZER_REPORT.search(self.err)
        if report:
            wrong.append(f"{self.name}: {report[0]}")
        return wrong
