"""A port that no other test takes while this process lives."""
import fcntl
import os
import pathlib
import socket
import tempfile

# Above the blocks of tests/component/programs.py and below the range of ephemeral ports.
_FIRST, _COUNT = 32_000, 768


def hold_port():
    """(port, lock): the port is ours until the lock is closed or the process ends."""
    for number in range(_COUNT):
        port = _FIRST + (os.getpid() + number) % _COUNT
        lock = open(pathlib.Path(tempfile.gettempdir()) / f"adit-cluster-port-{port}", "w", encoding="ascii")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(("127.0.0.1", port))
            return port, lock
        except OSError:
            lock.close()
    raise RuntimeError("no port is free")
