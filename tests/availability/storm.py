"""The driver reconnect_storm as an object: thousands of connectors, and what they did when."""
import subprocess
import threading

from edge import TUNNEL
from programs import BIN, wait_until


class Storm:
    """samples: (time, dials begun, links opened, links that serve now), times as time.monotonic()."""

    def __init__(self, gateway, token_file, ca_file, connectors, apart_ms=0, tunnel=TUNNEL, nice=10):
        self.connectors, self.samples = connectors, []
        # It stands for machines elsewhere: what it costs must not be missing where the gateway runs.
        self.process = subprocess.Popen(
            ["nice", "-n", str(nice), str(BIN / "reconnect_storm"), "--gateway", gateway, "--tunnel", tunnel, "--token-file",
             str(token_file), "--ca-file", str(ca_file), "--connectors", str(connectors), "--apart", str(apart_ms)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self):
        for line in self.process.stdout:
            time, *counts = line.split()
            self.samples.append((float(time), *map(int, counts)))

    def links(self):
        assert self.process.poll() is None, "the driver has ended"
        return self.samples[-1][3] if self.samples else 0

    def wait_all(self, seconds):
        """Until every connector has its link; returns how long that took."""
        return wait_until(lambda: self.links() == self.connectors, f"{self.connectors} links are up", seconds)

    def begun(self):
        """(time, dials begun so far) of each sample."""
        return [sample[:2] for sample in list(self.samples)]

    def all_up_at(self, since):
        """The first sample after `since` at which all links served."""
        return next(time for time, _, _, links in self.samples if time > since and links == self.connectors)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait(10)
        self.process.stdout.close()
