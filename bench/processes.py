"""Programs under test: started on loopback, watched, their CPU time and memory read from /proc, and ended by PID."""
import os
import pathlib
import signal
import socket
import subprocess
import time


def free_port():
    """A port that was free a moment ago. Outside the ephemeral range's reach only by luck; good enough for loopback."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Program:
    """One program and its children, for instance nginx's master and worker."""

    def __init__(self, name, argv, folder, port=None):
        self.name = name
        self.port = port
        self.log = pathlib.Path(folder, f"{name}.log")
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [str(a) for a in argv], cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def wait_until_listening(self, seconds=10):
        deadline = time.monotonic() + seconds
        while self.port is not None:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise SystemExit(f"{self.name} does not listen on {self.port}:\n{self.log.read_text()[-3000:]}")
                time.sleep(0.05)

    def _pids(self):
        found, todo = [], [self.process.pid]
        while todo:
            pid = todo.pop()
            found.append(pid)
            for task in pathlib.Path(f"/proc/{pid}/task").glob("*/children"):
                todo += [int(child) for child in task.read_text().split()]
        return found

    def cpu_seconds(self):
        """CPU time used so far by all threads of all its processes: schedstat in ns, or stat in clock ticks."""
        total = 0.0
        for pid in self._pids():
            try:
                for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
                    total += int((task / "schedstat").read_text().split()[0]) / 1e9
            except OSError:
                fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
                total += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        return total

    def rss(self):
        """Resident memory of all its processes, KiB."""
        pages = sum(int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in self._pids())
        return pages * os.sysconf("SC_PAGE_SIZE") / 1024

    def stop(self):
        if self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            for pid in self._pids():
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            self.process.wait()
