"""Two hosts far apart: network namespaces joined by delay_link, for tests and for bench/. Needs root and /dev/net/tun.

    with Far(program, delay_ms=50) as far:
        subprocess.Popen([*far.near.enter, "adit-gateway", …])
        with far.near.inside():
            socket.create_connection((far.far.address, 80))
"""
import contextlib
import ctypes
import itertools
import os
import pathlib
import subprocess

NEAR_ADDRESS, FAR_ADDRESS = "10.93.0.1", "10.93.0.2"
_libc = ctypes.CDLL(None, use_errno=True)
_CLONE_NEWNET = 0x40000000
_numbers = itertools.count()


def missing_right():
    """Why this machine cannot do it; None if it can."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    if not pathlib.Path("/dev/net/tun").exists():
        return "there is no /dev/net/tun"
    name = f"adit-probe-{os.getpid()}"
    made = subprocess.run(["ip", "netns", "add", name], capture_output=True, text=True, check=False)
    if made.returncode != 0:
        return f"no network namespace can be made: {made.stderr.strip()}"
    subprocess.run(["ip", "netns", "del", name], check=False)
    return None


def _enter(path):
    with open(path, "rb") as namespace:
        if _libc.setns(namespace.fileno(), _CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), f"setns {path}")


class Host:
    """One of the two: a namespace with loopback of its own."""

    def __init__(self, name, address):
        self.name, self.address = name, address
        self.path = pathlib.Path("/run/netns", name)
        self.enter = ["ip", "netns", "exec", name]  # before a program's words; the program keeps the process id

    def ip(self, *words):
        subprocess.run(["ip", "-n", self.name, *words], check=True, capture_output=True, text=True)

    @contextlib.contextmanager
    def inside(self):
        """Sockets that this thread makes meanwhile belong to this host, and stay so."""
        _enter(self.path)
        try:
            yield self
        finally:
            _enter(f"/proc/self/fd/{_OWN}")


_OWN = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)


class Far:
    """near and far, and what is between them; changed by set(), cut in silence by drop(). Both ends go at the end."""

    def __init__(self, program, delay_ms=0, rate_mbit=0, queue_bytes=None, congestion=None, loss_percent=0):
        self._words = [str(program), "--delay", str(delay_ms), "--rate", str(rate_mbit), "--loss", str(loss_percent)]
        if queue_bytes is not None:
            self._words += ["--queue", str(queue_bytes)]
        tag = f"adit-{os.getpid()}-{next(_numbers)}"
        self.near, self.far = Host(f"{tag}-near", NEAR_ADDRESS), Host(f"{tag}-far", FAR_ADDRESS)
        self._congestion = congestion  # the congestion control of their connections to each other; None: the machine's
        self._link = None

    def __enter__(self):
        try:
            for host in (self.near, self.far):
                subprocess.run(["ip", "netns", "add", host.name], check=True, capture_output=True)
                host.ip("link", "set", "lo", "up")
            self._link = subprocess.Popen([*self._words, *(str(h.path) for h in (self.near, self.far))],
                                          stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            self._expect("ready")
            for host, other in ((self.near, self.far), (self.far, self.near)):
                # The device must not be the place where packets are lost.
                host.ip("link", "set", "far", "up", "txqueuelen", "20000")
                host.ip("addr", "add", f"{host.address}/32", "peer", f"{other.address}/32", "dev", "far")
                if self._congestion:
                    host.ip("route", "replace", other.address, "dev", "far", "src", host.address, "congctl", self._congestion)
            return self
        except BaseException:
            self.__exit__()
            raise

    def __exit__(self, *_):
        if self._link:
            self._link.stdin.close()  # it ends with its input, however this process ends
            self._link.wait(10)
            self._link.stdout.close()
        for host in (self.near, self.far):
            if host.path.exists():
                subprocess.run(["ip", "netns", "del", host.name], check=False)

    def _expect(self, word):
        line = self._link.stdout.readline().strip()
        if line != word:
            raise OSError(f"delay_link said {line!r}, not {word!r}")

    def _say(self, line):
        self._link.stdin.write(line + "\n")
        self._link.stdin.flush()
        self._expect("ok")

    def set(self, **numbers):
        """delay (ms one way), rate (Mbit/s), queue (bytes), loss (percent); rate and loss only if it began with some."""
        for name, number in numbers.items():
            self._say(f"{name} {number}")

    def drop(self, everything=True):
        """Packets vanish from here on: nobody is told."""
        self._say("drop" if everything else "pass")
