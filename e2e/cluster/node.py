"""A real Kubernetes node on this machine: containerd, kubelet, kube-proxy and the control plane, in network, mount, process
and host-name namespaces of their own. One on a machine at a time; needs root.

A process on the machine is a client from outside: it reaches node ports at Node.IP, and, for tests that look inside, also
the API server, ClusterIPs and pods by routes. The machine does not forward, so pods reach nothing beyond it.
"""
import base64
import contextlib
import json
import os
import pathlib
import shutil
import signal
import string
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.append(str(HERE.parents[1] / "tests"))

from cluster import pki  # noqa: E402

import archive  # noqa: E402

NAME = "adit-e2e"
IP, HOST_IP = "10.124.0.2", "10.124.0.1"
SERVICES, API_IP, DNS_IP = "10.97.0.0/16", "10.97.0.1", "10.97.0.10"
PODS = "10.245.0.0/24"
PAUSE, COREDNS = "adit.test/pause:1", "adit.test/coredns:1"
STATE = pathlib.Path(os.environ.get("ADIT_E2E_STATE", "/var/lib/adit-e2e"))
_OUTSIDE, _INSIDE = "adite2e-host", "adite2e-node"  # the two ends of the cable
# The kubelet sets these for the whole machine.
_SYSCTLS = ("vm.overcommit_memory", "vm.panic_on_oom", "kernel.panic", "kernel.panic_on_oops",
            "kernel.keys.root_maxkeys", "kernel.keys.root_maxbytes")
# Folders with fixed names that the components write to; init puts memory over them, so on the machine they stay empty.
_COVERED = [pathlib.Path(f) for f in ("/run/netns", "/run/containerd", "/var/lib/cni", "/var/lib/kubelet",
                                      "/var/log/containers")]
_CGROUPS = pathlib.Path("/sys/fs/cgroup")


def _run(*argv, check=True, **rest):
    return subprocess.run([str(a) for a in argv], check=check, capture_output=True, text=True, **rest)


def _birth(pid):
    """Tells a process from a later one of the same number; None when there is none, or it is but a zombie."""
    try:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] == "Z" else fields[19]


def wait_until(condition, what, seconds):
    """Polls; a RuntimeError when it takes longer."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise RuntimeError(f"not within {seconds} s: {what}")
        time.sleep(0.1)


class Node:
    def __init__(self, state=STATE, programs=None):
        self.state = pathlib.Path(state)
        self.kubeconfig, self.pki = self.state / "kubeconfig", self.state / "pki"
        self._record, self._sysctls, self._made = (self.state / file for file in ("init.pid", "sysctls", "made"))
        self.programs = programs or pathlib.Path(_run(HERE / "components").stdout.strip())

    # Life

    def pid(self):
        """Of its first process, or None."""
        try:
            pid, birth = self._record.read_text().split()
        except (OSError, ValueError):
            return None
        return int(pid) if _birth(pid) == birth else None

    def up(self, say=print):
        """Until CoreDNS serves. One that is up is left alone."""
        if self.pid():
            return
        self.down()
        began = time.monotonic()
        for folder in ("logs", "etc", "etcd", "kubelet", "containerd", "cni/conf", "cni/bin", "images", "run"):
            (self.state / folder).mkdir(parents=True, exist_ok=True)
        self.state.chmod(0o755)
        self._sysctls.write_text("".join(f"{key}={_run('sysctl', '-n', key).stdout}" for key in _SYSCTLS))
        missing = [folder for folder in _COVERED if not folder.exists()]
        self._made.write_text("".join(f"{folder}\n" for folder in missing))
        for folder in missing:
            folder.mkdir(parents=True)
        self._cgroups_up()
        self._certificates()
        self._configure()
        self._network_up(self._start())

        def passed(what):
            say(f"  {time.monotonic() - began:5.1f} s  {what}")
        try:
            self._wait(lambda: self.kubectl("get", "--raw=/readyz", check=False).stdout == "ok", "API server is ready")
            (self.state / "served").touch()
            passed("API server")
            self._wait(self._containerd_answers, "containerd answers")
            for image in sorted((self.state / "images").iterdir()):
                self.load(image)
            self._wait(lambda: "True" in self.kubectl(
                "get", "node", "-o", "jsonpath={.items[*].status.conditions[?(@.type=='Ready')].status}", check=False).stdout,
                "node is ready")
            passed("node")
            self.kubectl("apply", "-f", "-", input=self._rendered("cluster.yaml"))
            self.kubectl("-n", "kube-system", "rollout", "status", "deployment/coredns", "--timeout=90s")
            passed("DNS")
        except BaseException:
            if os.environ.get("ADIT_E2E_KEEP") != "1":
                self.down()
            raise

    def down(self):
        """Ends what up() has started, by its process id, and leaves the machine as it was."""
        pid = self.pid()
        if pid:
            os.kill(pid, signal.SIGKILL)  # the first process of a namespace: the kernel ends all others
            wait_until(lambda: not _birth(pid), "the node has ended", 20)
        _run("ip", "link", "del", _OUTSIDE, check=False)  # it may have gone with the node
        for folder in self._cgroup_folders():
            self._remove_cgroup(folder)
        if self._sysctls.exists():
            for line in self._sysctls.read_text().splitlines():
                _run("sysctl", "-qw", line)
        for folder in self._made.read_text().split() if self._made.exists() else []:
            with contextlib.suppress(OSError):
                os.rmdir(folder)
        mounts = [line.split()[4] for line in pathlib.Path("/proc/self/mountinfo").read_text().splitlines()]
        if any(mount.startswith(f"{self.state}/") for mount in mounts):
            raise RuntimeError(f"there are mounts below {self.state}: it is not removed")
        shutil.rmtree(self.state, ignore_errors=True)

    def _wait(self, condition, what, seconds=120):
        def either():
            if not self.pid():
                raise RuntimeError(f"the node has ended:\n{(self.state / 'logs/init.log').read_text()}")
            return condition()
        wait_until(either, what, seconds)

    # Its parts

    def _network_up(self, pid):
        """A cable between the machine and the node."""
        _run("ip", "link", "add", _OUTSIDE, "type", "veth", "peer", "name", _INSIDE, "netns", pid)
        _run("ip", "addr", "add", f"{HOST_IP}/24", "dev", _OUTSIDE)
        _run("ip", "link", "set", _OUTSIDE, "up")
        for words in (("link", "set", "lo", "up"), ("addr", "add", f"{IP}/24", "dev", _INSIDE),
                      ("link", "set", _INSIDE, "up"),
                      ("route", "add", "default", "via", HOST_IP)):  # ClusterIPs need some route before they are rewritten
            _run("nsenter", "-t", pid, "--net", "ip", *words)
        for network in (SERVICES, PODS):
            _run("ip", "route", "add", network, "via", IP)
        (self.state / "connected").touch()

    @staticmethod
    def _cgroup_folders():
        if (_CGROUPS / "cgroup.controllers").exists():
            return [_CGROUPS / NAME]
        return [folder / NAME for folder in _CGROUPS.iterdir() if folder.is_dir() and not folder.is_symlink()]

    def _cgroups_up(self):
        for folder in self._cgroup_folders():
            folder.mkdir(exist_ok=True)
            if (folder / "cpuset.mems").exists() and not (folder / "cgroup.controllers").exists():
                for file in ("cpuset.cpus", "cpuset.mems"):  # version 1: empty at first, and then nothing can run in it
                    (folder / file).write_text((folder.parent / file).read_text())
        control = _CGROUPS / "cgroup.subtree_control"
        if control.exists():
            for controller in (_CGROUPS / "cgroup.controllers").read_text().split():
                with contextlib.suppress(OSError):
                    control.write_text(f"+{controller}")

    @staticmethod
    def _remove_cgroup(folder):
        def removed():
            for inner, _, _ in os.walk(folder, topdown=False):
                with contextlib.suppress(OSError):
                    os.rmdir(inner)
            return not folder.exists()
        wait_until(removed, f"{folder} is empty", 20)

    def _certificates(self):
        self.pki.mkdir(mode=0o700, exist_ok=True)
        authority, front = pki.Authority(self.pki), pki.Authority(self.pki, "front-proxy")
        del front  # its certificate is all that is wanted
        pki.signing_key(self.pki / "sa.key", self.pki / "sa.pub")
        names = ("localhost", NAME, "kubernetes", "kubernetes.default", "kubernetes.default.svc",
                 "kubernetes.default.svc.cluster.local")
        addresses = ",".join([*(f"DNS:{name}" for name in names), f"IP:{IP}", f"IP:{API_IP}", "IP:127.0.0.1"])
        authority.issue("apiserver", "/CN=kube-apiserver", "serverAuth", addresses)
        authority.issue("kubelet-server", f"/O=system:nodes/CN=system:node:{NAME}", "serverAuth", f"DNS:{NAME},IP:{IP}")
        authority.issue("kubelet-client", "/O=system:masters/CN=kube-apiserver-kubelet-client", "clientAuth")
        for user, subject in (("kube-controller-manager", "/CN=system:kube-controller-manager"),
                              ("kube-scheduler", "/CN=system:kube-scheduler"), ("kube-proxy", "/CN=system:kube-proxy"),
                              ("kubelet", f"/O=system:nodes/CN=system:node:{NAME}"),
                              ("admin", "/O=system:masters/CN=admin")):
            certificate, key = authority.issue(user, subject, "clientAuth")
            self._write_kubeconfig(self.pki / f"{user}.kubeconfig", authority.certificate, certificate, key)
        shutil.copy(self.pki / "admin.kubeconfig", self.kubeconfig)

    @staticmethod
    def _write_kubeconfig(file, authority, certificate, key):
        ca, client, secret = (base64.b64encode(f.read_bytes()).decode() for f in (authority, certificate, key))
        file.touch(mode=0o600)
        file.write_text(json.dumps({  # which is YAML too
            "apiVersion": "v1", "kind": "Config", "current-context": NAME,
            "clusters": [{"name": NAME, "cluster": {"server": f"https://{IP}:6443", "certificate-authority-data": ca}}],
            "users": [{"name": NAME, "user": {"client-certificate-data": client, "client-key-data": secret}}],
            "contexts": [{"name": NAME, "context": {"cluster": NAME, "user": NAME}}]}, indent=1))

    def _settings(self):
        path = f"{self.programs}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        return {"name": NAME, "node": NAME, "node_ip": IP, "state": self.state, "run": self.state / "run", "pki": self.pki,
                "pod_cidr": PODS, "service_cidr": SERVICES, "dns_ip": DNS_IP, "pause": PAUSE, "coredns": COREDNS,
                "covered": " ".join(map(str, _COVERED)), "runc": shutil.which("runc"), "PATH": path}

    def _rendered(self, file):
        return string.Template((HERE / "config" / file).read_text()).substitute(self._settings())

    def _configure(self):
        for file, target in (("containerd.toml", "etc"), ("kubelet.yaml", "etc"), ("kube-proxy.yaml", "etc"),
                             ("network.conflist", "cni/conf")):
            (self.state / target / file).write_text(self._rendered(file))
        (self.state / "etc/resolv.conf").write_text("nameserver 127.0.0.1\n")
        for plugin in ("bridge", "host-local", "portmap", "loopback"):
            (self.state / "cni/bin" / plugin).symlink_to(f"/usr/lib/cni/{plugin}")
        shutil.copy(HERE / "config/sides", self.state / "cni/bin/sides")
        pause = self.state / "pause"
        _run("gcc", "-Os", "-static", "-s", "-o", pause, HERE / "pause.c")
        archive.write(self.state / "images/pause.tar", PAUSE, {"/pause": pause}, {"Entrypoint": ["/pause"]})
        archive.write(self.state / "images/coredns.tar", COREDNS, {"/coredns": self.programs / "coredns"},
                      {"Entrypoint": ["/coredns"], "User": "65532:65532"})
        (self.state / "settings").write_text("".join(f"export {k}='{v}'\n" for k, v in self._settings().items()))

    def _start(self):
        with (self.state / "logs/init.log").open("ab") as log:
            outer = subprocess.Popen(  # unshare waits for its child, which is the node's first process
                ["unshare", "--net", "--mount", "--pid", "--uts", "--fork", "--mount-proc", "--kill-child=SIGKILL",
                 HERE / "init", self.state],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        children = pathlib.Path(f"/proc/{outer.pid}/task/{outer.pid}/children")

        def born():
            if outer.poll() is not None:
                raise RuntimeError(f"the node did not start:\n{(self.state / 'logs/init.log').read_text()}")
            return children.read_text().split()
        wait_until(born, "the node's first process is there", 10)
        pid = born()[0]
        self._record.write_text(f"{pid} {_birth(pid)}\n")
        return pid

    # What tests do with it

    def kubectl(self, *arguments, check=True, **rest):
        return _run(self.programs / "kubectl", f"--kubeconfig={self.kubeconfig}", *arguments, check=check, timeout=180, **rest)

    def inside(self, *argv, check=True, **rest):
        """Runs a program among the node's processes."""
        return _run("nsenter", "-t", self.pid(), "--net", "--mount", "--pid", "--", *argv, check=check, **rest)

    def ctr(self, *arguments, **rest):
        return self.inside("ctr", "-a", self.state / "run/containerd.sock", "-n", "k8s.io", *arguments, **rest)

    def _containerd_answers(self):
        return self.ctr("version", check=False).returncode == 0

    def load(self, image):
        """A tarball as docker or buildah save them, or of the OCI layout."""
        self.ctr("images", "import", pathlib.Path(image).resolve())

    def hold(self, component):
        """kill -9, and it is not started again until resume()."""
        (self.state / "held" / component).touch()
        self.inside("kill", "-9", (self.state / "pids" / component).read_text().strip())

    def resume(self, component):
        (self.state / "held" / component).unlink()
