"""Helm as a user runs it, on the charts of this checkout."""
import json
import os
import pathlib
import subprocess
import tempfile

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[1]
CHARTS = ROOT / "charts"


class Helm:
    def __init__(self, node):
        self._node = node
        self._program = os.environ.get("HELM") or subprocess.run(
            [ROOT / "e2e/tools/get", "helm"], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()

    def __call__(self, *arguments, seconds=200, check=True):
        """Its standard output."""
        done = subprocess.run([self._program, f"--kubeconfig={self._node.kubeconfig}", *map(str, arguments)],
                              capture_output=True, text=True, timeout=seconds + 30, check=False)
        if check and done.returncode:
            raise AssertionError(f"helm {' '.join(map(str, arguments))}: {done.stderr.strip()}\n{done.stdout.strip()}")
        return done.stdout

    def _with_values(self, command, release, chart, space, values, *rest, seconds):
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            yaml.safe_dump(values or {}, file)
            file.flush()
            return self(*command, release, chart, "-n", space, "-f", file.name, "--wait", f"--timeout={seconds}s", *rest,
                        seconds=seconds)

    def install(self, release, chart, space, values=None, *rest, seconds=150):
        """--wait: until all that it has made is ready. `chart`: a folder, or the name of one of ours."""
        return self._with_values(["install"], release, self._found(chart), space, values, *rest, seconds=seconds)

    def upgrade(self, release, chart, space, values=None, *rest, seconds=150):
        return self._with_values(["upgrade", "--install"], release, self._found(chart), space, values, *rest, seconds=seconds)

    def uninstall(self, release, space, seconds=120):
        return self("uninstall", release, "-n", space, "--wait", f"--timeout={seconds}s", seconds=seconds)

    def test(self, release, space, seconds=120):
        return self("test", release, "-n", space, f"--timeout={seconds}s", seconds=seconds)

    def template(self, release, chart, space, values=None):
        """The objects that it would make."""
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            yaml.safe_dump(values or {}, file)
            file.flush()
            text = self("template", release, self._found(chart), "-n", space, "-f", file.name)
        return [document for document in yaml.safe_load_all(text) if document]

    def releases(self, space):
        return [release["name"] for release in json.loads(self("list", "-n", space, "-o", "json"))]

    @staticmethod
    def _found(chart):
        return CHARTS / chart if (CHARTS / str(chart)).is_dir() else chart
