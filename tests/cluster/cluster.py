"""The control plane: how its programs are started, and what a test may do to it."""
import base64
import json
import pathlib
import shutil
import ssl
import subprocess
import tempfile
import time
import urllib.request

from . import pki
from .component import Component
from .ports import hold_port

_ROOT = pathlib.Path(__file__).resolve().parents[2]
_ISSUER = "https://kubernetes.default.svc.cluster.local"
_CONTROLLERS = ("namespace-controller", "garbage-collector-controller", "serviceaccount-controller",
                "root-ca-certificate-publisher-controller")
BOOT_SECONDS = 120


def components():
    """The folder of the programs, which `make deps` has built."""
    folder = subprocess.run([_ROOT / "e2e/cluster/components", "--path"], check=True, capture_output=True, text=True)
    path = pathlib.Path(folder.stdout.strip())
    if not (path / "kube-apiserver").exists():
        raise RuntimeError(f"{path} is not there: run `make deps`")
    return path


class Cluster:
    """Its state is in `folder` (default: a new one that stop() removes), so that stop() and start() keep the data.

    manifests: files that are applied before the controllers start, such as CRDs (the garbage collector looks for new
    kinds only every 30 seconds).
    """

    def __init__(self, folder=None, controllers=False, manifests=()):
        self._own = folder is None
        self.folder = pathlib.Path(folder or tempfile.mkdtemp(prefix="adit-cluster-"))
        self.folder.chmod(0o700)
        self._programs = components()
        self._manifests, self._with_controllers = manifests, controllers
        self.port, self._port_lock = hold_port()
        self.server = f"https://127.0.0.1:{self.port}"
        self.kubeconfig = self.folder / "kubeconfig"
        self._pki = self.folder / "pki"
        self._pki.mkdir(mode=0o700, exist_ok=True)
        self.authority = pki.Authority(self._pki)
        self._front = pki.Authority(self._pki, "front-proxy")
        pki.signing_key(self._pki / "sa.key", self._pki / "sa.pub")
        self.rotate_certificate()
        self._write_kubeconfig(self.kubeconfig, self._certificate_user("admin", "admin", ["system:masters"]))
        self.etcd = self._etcd()
        self.apiserver = self._apiserver()
        self.controllers = self._controllers() if controllers else None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()

    # Life

    def start(self):
        """Returns when the API server is ready for everything."""
        try:
            (self.folder / "etcd.sock").unlink(missing_ok=True)
            self.etcd.start()
            self._wait_for((self.folder / "etcd.sock").exists)  # else the API server waits a second before it tries again
            self.start_apiserver()
            for manifest in self._manifests:
                self.kubectl("apply", "--server-side", "-f", manifest)
            if self.controllers:
                self.controllers.start()
        except BaseException:
            self._end()
            raise

    def stop(self):
        self._end()
        self._port_lock.close()
        if self._own:
            shutil.rmtree(self.folder, ignore_errors=True)

    def _end(self):
        # Nothing is worth an orderly end: the data is thrown away, or read again by an etcd that expects crashes.
        for component in (self.controllers, self.apiserver, self.etcd):
            if component:
                component.kill()

    def start_apiserver(self):
        """Also after apiserver.stop() or kill()."""
        self.apiserver.start()
        self._wait_until_ready()

    def rotate_certificate(self):
        """A new serving certificate by the same CA; the API server takes it up by itself within a minute, or at once
        when it is started again."""
        self.authority.issue("apiserver", "/CN=kube-apiserver", "serverAuth",
                             "IP:127.0.0.1,DNS:localhost,DNS:kubernetes.default.svc")

    def _wait_until_ready(self):
        # With a client certificate: what RBAC itself has to begin with is among the checks.
        context = ssl.create_default_context(cafile=self.authority.certificate)
        context.load_cert_chain(self._pki / "admin.crt", self._pki / "admin.key")

        def ready():
            try:
                with urllib.request.urlopen(f"{self.server}/readyz", context=context, timeout=5):
                    return True
            except OSError:  # URLError is one
                return False
        self._wait_for(ready)

    def _wait_for(self, condition):
        deadline = time.monotonic() + BOOT_SECONDS
        while not condition():
            for component in (self.etcd, self.apiserver):
                if component.process and not component.running():
                    raise RuntimeError(f"{component.name} has ended:\n{component.last_words()}")
            if time.monotonic() > deadline:
                raise RuntimeError(f"not ready within {BOOT_SECONDS} s:\n{self.apiserver.last_words()}")
            time.sleep(0.02)

    # Programs

    def _component(self, name, *arguments):
        return Component(name, self._programs / name, arguments, self.folder)

    def _etcd(self):
        # Sockets in a folder that is ours alone: no port to choose, and nobody else can read the cluster's secrets.
        client, peer = f"unix://{self.folder}/etcd.sock", f"unix://{self.folder}/etcd-peer.sock"
        nowhere = "http://127.0.0.1:9"  # a single member never dials itself, but must advertise something
        return self._component(
            "etcd", "--name=test", f"--data-dir={self.folder}/etcd", "--unsafe-no-fsync", "--log-level=warn",
            f"--listen-client-urls={client}", f"--advertise-client-urls={nowhere}", f"--listen-peer-urls={peer}",
            f"--initial-advertise-peer-urls={nowhere}", f"--initial-cluster=test={nowhere}")

    def _apiserver(self):
        p = self._pki
        return self._component(
            "kube-apiserver", f"--etcd-servers=unix://{self.folder}/etcd.sock", "--bind-address=127.0.0.1",
            f"--secure-port={self.port}", "--advertise-address=127.0.0.1", "--endpoint-reconciler-type=none",
            f"--cert-dir={p}", f"--tls-cert-file={p}/apiserver.crt", f"--tls-private-key-file={p}/apiserver.key",
            f"--client-ca-file={self.authority.certificate}", "--authorization-mode=RBAC",
            f"--service-account-issuer={_ISSUER}", f"--service-account-key-file={p}/sa.pub",
            f"--service-account-signing-key-file={p}/sa.key", "--service-cluster-ip-range=10.96.0.0/16",
            f"--requestheader-client-ca-file={self._front.certificate}", "--requestheader-allowed-names=front-proxy",
            "--requestheader-username-headers=X-Remote-User", "--shutdown-delay-duration=0s")

    def _controllers(self):
        p = self._pki
        user = self._certificate_user("controllers", "system:kube-controller-manager", [])
        config = self._write_kubeconfig(self.folder / "controllers.kubeconfig", user)
        return self._component(
            "kube-controller-manager", f"--kubeconfig={config}", f"--root-ca-file={self.authority.certificate}",
            f"--service-account-private-key-file={p}/sa.key", "--use-service-account-credentials=true",
            f"--controllers={','.join(_CONTROLLERS)}", "--leader-elect=false", "--secure-port=0",
            "--kube-api-qps=500", "--kube-api-burst=1000")

    # Users

    def _certificate_user(self, file, user, groups):
        subject = "".join(f"/O={group}" for group in groups) + f"/CN={user}"
        certificate, key = self.authority.issue(file, subject, "clientAuth")
        return {"client-certificate-data": base64.b64encode(certificate.read_bytes()).decode(),
                "client-key-data": base64.b64encode(key.read_bytes()).decode()}

    def _write_kubeconfig(self, file, user):
        ca = base64.b64encode(self.authority.certificate.read_bytes()).decode()
        file = pathlib.Path(file)
        file.touch(mode=0o600)
        file.write_text(json.dumps({  # which is YAML too
            "apiVersion": "v1", "kind": "Config", "current-context": "test",
            "clusters": [{"name": "test", "cluster": {"server": self.server, "certificate-authority-data": ca}}],
            "users": [{"name": "test", "user": user}],
            "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}]}, indent=1))
        return file

    def kubeconfig_of_user(self, user, groups=(), file=None):
        """A kubeconfig with a client certificate for any user name; RBAC says what it may do."""
        name = f"user-{user.replace('/', '_').replace(':', '_')}"
        return self._write_kubeconfig(file or self.folder / f"{name}.kubeconfig",
                                      self._certificate_user(name, user, groups))

    def token(self, account, namespace="default", audience=None, seconds=3600):
        """A token of a ServiceAccount, which must exist."""
        arguments = ["create", "token", account, "-n", namespace, f"--duration={seconds}s"]
        return self.kubectl(*arguments, *([f"--audience={audience}"] if audience else [])).strip()

    def kubeconfig_of_token(self, token, file):
        return self._write_kubeconfig(file, {"token": token})

    def kubectl(self, *arguments, stdin=None, check=True):
        """Its standard output; an AssertionError with its complaints when it fails."""
        done = subprocess.run([self._programs / "kubectl", f"--kubeconfig={self.kubeconfig}", *map(str, arguments)],
                              input=stdin, capture_output=True, text=True, timeout=120)
        if check and done.returncode != 0:
            raise AssertionError(f"kubectl {' '.join(map(str, arguments))}: {done.stderr}")
        return done.stdout
