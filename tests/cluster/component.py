"""One program of the control plane, that never outlives whoever started it."""
import ctypes
import os
import pathlib
import signal
import subprocess

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


def _die_with_parent(parent):
    def prepare():
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it has died already
            os._exit(1)
    return prepare


class Component:
    """Start it from the main thread: the kernel ends it together with the thread that started it."""

    def __init__(self, name, program, arguments, folder):
        self.name, self._folder = name, pathlib.Path(folder)
        self._argv = [str(program), *map(str, arguments)]
        self.log_file = self._folder / f"{name}.log"
        self.process = None

    def start(self):
        with self.log_file.open("ab") as log:
            self.process = subprocess.Popen(self._argv, cwd=self._folder, stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=log, preexec_fn=_die_with_parent(os.getpid()))
        (self._folder / f"{self.name}.pid").write_text(f"{self.process.pid}\n")

    def running(self):
        return self.process is not None and self.process.poll() is None

    def stall(self):
        """As a machine that hangs: connections stay, nothing answers."""
        self.process.send_signal(signal.SIGSTOP)

    def resume(self):
        self.process.send_signal(signal.SIGCONT)

    def stop(self, patience=10):
        """In order if it can, else at once. The data stays."""
        if self.running():
            self.process.send_signal(signal.SIGCONT)
            self.process.terminate()
            try:
                self.process.wait(patience)
            except subprocess.TimeoutExpired:
                pass
        self.kill()

    def kill(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def last_words(self, lines=15):
        text = self.log_file.read_text(errors="replace") if self.log_file.exists() else ""
        return "\n".join(text.splitlines()[-lines:])
