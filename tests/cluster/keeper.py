"""A process in the background that owns a cluster until it is told to end, its parent ends or its time is over."""
import os
import pathlib
import select
import shutil
import signal
import subprocess
import sys

from .cluster import Cluster, components

_PATIENCE = 20


def _birth(pid):
    """Tells a process from a later one of the same number; None when there is none."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except OSError:
        return None


class _State:
    """What the keeper leaves in a folder for others to find."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder).resolve()
        self.kubeconfig, self.log = self.folder / "kubeconfig", self.folder / "keeper.log"
        self._pid, self._cluster = self.folder / "keeper.pid", self.folder / "cluster"

    def record(self, cluster_folder):
        self._pid.write_text(f"{os.getpid()} {_birth(os.getpid())}\n")
        self._cluster.write_text(f"{cluster_folder}\n")

    def keeper(self):
        """Its process id, or None when it does not run."""
        try:
            pid, birth = self._pid.read_text().split()
        except (OSError, ValueError):
            return None
        return int(pid) if _birth(pid) == birth else None

    def clear(self):
        """Also what a keeper has left that was killed."""
        if self._cluster.exists():
            shutil.rmtree(self._cluster.read_text().strip(), ignore_errors=True)
        for file in (self.kubeconfig, self._pid, self._cluster):
            file.unlink(missing_ok=True)


def up(options):
    """Prints what a shell needs. A cluster that is up already is left as it is."""
    state = _State(options.state)
    if state.keeper() is None:
        state.folder.mkdir(parents=True, exist_ok=True)
        state.clear()
        error = _start_keeper(state, options)
        if error:
            print(error, file=sys.stderr)
            return 1
    print(f"export KUBECONFIG={state.kubeconfig}\nexport PATH={components()}:$PATH")
    return 0


def _start_keeper(state, options):
    """Returns when the cluster is ready: why it is not, or nothing."""
    ready, told = os.pipe()
    argv = [sys.executable, "-m", "cluster", "keep", "--state", state.folder, "--limit", options.limit,
            "--parent", options.parent, "--ready", told]
    argv += ["--controllers"] if options.controllers else []
    argv += [f"--manifest={manifest}" for manifest in options.manifest]
    with state.log.open("wb") as log:  # not the caller's pipes: ctest waits until all of them are closed
        subprocess.Popen([str(a) for a in argv], stdin=subprocess.DEVNULL, stdout=log, stderr=log, pass_fds=[told],
                         start_new_session=True)
    os.close(told)
    with os.fdopen(ready) as pipe:
        if pipe.read() == "ready":
            return None
    return state.log.read_text(errors="replace")


def keep(options):
    state = _State(options.state)
    wake, woken = os.pipe()
    os.set_blocking(woken, False)
    signal.set_wakeup_fd(woken)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: None)
    wait_for = [wake] + ([os.pidfd_open(options.parent)] if options.parent else [])
    cluster = Cluster(controllers=options.controllers, manifests=options.manifest)
    try:
        state.record(cluster.folder)
        cluster.start()
        shutil.copy(cluster.kubeconfig, state.kubeconfig)  # with its mode
        with os.fdopen(options.ready, "w") as pipe:
            pipe.write("ready")
        select.select(wait_for, [], [], options.limit)
    finally:
        cluster.stop()
        state.clear()
    return 0


def down(folder):
    state = _State(folder)
    pid = state.keeper()
    if pid is not None:
        process = os.pidfd_open(pid)
        signal.pidfd_send_signal(process, signal.SIGTERM)
        if not select.select([process], [], [], _PATIENCE)[0]:
            signal.pidfd_send_signal(process, signal.SIGKILL)  # the kernel ends its children with it
            select.select([process], [], [], _PATIENCE)
    state.clear()
    return 0
