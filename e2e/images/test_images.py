"""What is in the images, and how their programs behave as process 1. ADIT_IMAGES: the archives that e2e/images/build printed,
separated by spaces. Needs root, for namespaces."""
import json
import os
import pathlib
import signal
import stat
import subprocess
import tarfile
import time

import pytest

ARCHIVES = [pathlib.Path(p) for p in os.environ.get("ADIT_IMAGES", "").split()]
MOST = 60 * 1024 * 1024
#: How each program runs without a cluster, and the port that tells that it does.
RUNS = {
    "adit-gateway": (["--manifests", "/manifests", "--insecure"], 9090),
    "adit-connector": (["--gateway", "127.0.0.1", "--insecure", "--token-file", "/etc/passwd", "--service", "http://127.0.0.1:1"], 9091),
    "adit-operator": (["--kubeconfig", "/manifests/kubeconfig", "--namespace", "adit", "--gateway-address", "localhost:7443"], 9092),
}
KUBECONFIG = {"apiVersion": "v1", "kind": "Config", "current-context": "a",
              "clusters": [{"name": "a", "cluster": {"server": "https://127.0.0.1:1", "insecure-skip-tls-verify": True}}],
              "users": [{"name": "a", "user": {"token": "t"}}],
              "contexts": [{"name": "a", "context": {"cluster": "a", "user": "a"}}]}


class Image:
    def __init__(self, archive, root):
        with tarfile.open(archive) as tar:
            manifest = json.load(tar.extractfile("manifest.json"))[0]
            self.about = json.load(tar.extractfile(manifest["Config"]))
            for layer in manifest["Layers"]:
                with tarfile.open(fileobj=tar.extractfile(layer)) as files:
                    files.extractall(root)
        self.root, self.config = root, self.about["config"]
        self.name = pathlib.Path(self.config["Entrypoint"][0]).name

    def files(self):
        return [p for p in self.root.rglob("*") if p.is_file() and not p.is_symlink()]


@pytest.fixture(scope="module", params=ARCHIVES, ids=lambda p: p.name)
def image(request, tmp_path_factory):
    root = tmp_path_factory.mktemp("root")
    root.chmod(0o755)
    return Image(request.param, root)


def test_it_is_small_and_holds_one_program(image):
    assert sum(p.stat().st_size for p in image.files()) < MOST
    programs = [p for p in image.files() if os.access(p, os.X_OK) and ".so" not in p.name]
    executable = {p.relative_to(image.root).as_posix() for p in programs if p.stat().st_mode & 0o111}
    assert executable == {f"usr/bin/{image.name}"}


def test_nobody_becomes_root(image):
    assert image.config["User"] == "65532:65532"
    assert not [p for p in image.files() if p.stat().st_mode & (stat.S_ISUID | stat.S_ISGID)]
    assert not [p for p in image.files() if p.stat().st_mode & 0o022], "writable by others than root"


def test_labels(image):
    labels = {k.removeprefix("org.opencontainers.image."): v for k, v in image.config["Labels"].items()}
    assert labels["title"] == image.name and labels["licenses"] == "Apache-2.0"
    assert {"version", "revision", "source", "description"} <= labels.keys()
    assert image.config["Healthcheck"]["Test"][:3] == ["CMD", f"/usr/bin/{image.name}", "healthcheck"]


class Contained:
    """The entry point as process 1 of its own namespaces, with a read-only root and no capability."""

    def __init__(self, image, folder):
        arguments, self.port = RUNS[image.name]
        (folder / "kubeconfig").write_text(json.dumps(KUBECONFIG))
        folder.chmod(0o755)
        (image.root / "manifests").mkdir(exist_ok=True)
        script = ('ip link set lo up; mount --bind "$1" "$1"; mount --bind "$2" "$1/manifests"; mount -o remount,bind,ro "$1"; '
                  'root=$1; shift 2; '
                  'exec chroot --groups= --userspec=65532:65532 "$root" "$@"')
        self.out = folder / "out"
        self.image = image
        with self.out.open("w") as out:
            self.process = subprocess.Popen(
                ["unshare", "--mount", "--pid", "--net", "--fork", "--kill-child", "sh", "-c", script, "sh", image.root, folder,
                 *image.config["Entrypoint"], *arguments], stdout=out, stderr=out)
        self.pid = None

    def inside(self, *command):
        return subprocess.run(["nsenter", f"--target={self.pid}", "--net", "chroot", "--userspec=65532:65532", self.image.root,
                               *command], capture_output=True, text=True)

    def wait_healthy(self):
        until = time.monotonic() + 60
        while time.monotonic() < until:
            children = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
            if children:
                self.pid = int(children[0])
                done = self.inside(f"/usr/bin/{self.image.name}", "healthcheck", f"http://127.0.0.1:{self.port}/healthz")
                if done.returncode == 0:
                    return
            assert self.process.poll() is None, self.out.read_text()
            time.sleep(0.1)
        raise AssertionError(self.out.read_text())


def test_process_1_ends_on_sigterm(image, tmp_path):
    contained = Contained(image, tmp_path)
    try:
        contained.wait_healthy()
        status = pathlib.Path(f"/proc/{contained.pid}/status").read_text()
        assert f"Name:\t{image.name}" in status
        assert "\nUid:\t65532\t65532\t65532\t65532" in status
        assert status.split("NSpid:")[1].splitlines()[0].split()[-1] == "1"
        assert contained.inside(f"/usr/bin/{image.name}", "healthcheck", "http://127.0.0.1:1/").returncode == 1
        os.kill(contained.pid, signal.SIGTERM)
        assert contained.process.wait(60) == 0, contained.out.read_text()
    finally:
        contained.process.kill()
        contained.process.wait()
