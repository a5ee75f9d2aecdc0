"""Makes docs/dashboards/*.png: the real programs under traffic in which things go wrong, a real Prometheus, and the
dashboards' panels drawn from its answers (render.py) by a headless Chromium. Takes about five minutes."""
import argparse
import contextlib
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "component"), str(ROOT / "tests" / "kubernetes")]

import origin as scripted  # noqa: E402
import pki  # noqa: E402
from cluster.cluster import Cluster  # noqa: E402
from dashboards import dashboards  # noqa: E402
from kube import Kube  # noqa: E402
from png import shrink  # noqa: E402
from programs import free_port  # noqa: E402
from render import Page  # noqa: E402
from stack import Stack  # noqa: E402


def live(stack, seconds):
    """Traffic, and what a bad quarter of an hour brings, in `seconds`."""
    stack.begin_traffic()
    part = seconds / 6
    time.sleep(part * 2)
    stack.lose_a_connector()
    time.sleep(part)
    stack.freeze(stack.connectors[0], 5)
    time.sleep(part)
    lonely = stack.plane.start_connector("lonely", stack.origin.url, name="turin", flags=["--name", "turin"])
    time.sleep(part)
    lonely.stop()
    time.sleep(part)


def photograph(folder, page, file):
    (folder / "page.html").write_text(page.html(), encoding="utf-8")
    width, height = page.size
    subprocess.run([shutil.which("chromium") or "chromium-browser", "--headless", "--no-sandbox", "--disable-gpu", "--disable-lcd-text",
                    "--hide-scrollbars",
                    f"--user-data-dir={folder}/chromium", f"--window-size={width},{height}", f"--screenshot={file}",
                    f"file://{folder}/page.html"], check=True, capture_output=True, timeout=120)
    shrink(file)


def nameable(text, stack):
    """Names of the test's namespaces become those of an example."""
    return re.sub(re.escape(stack.space), "team-a", text)


class Example(Page):
    def __init__(self, stack, *rest):
        super().__init__(*rest)
        self.stack = stack

    def html(self):
        return nameable(super().html(), self.stack)


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--output", type=pathlib.Path, default=ROOT / "docs" / "dashboards")
    arguments.add_argument("--seconds", type=int, default=180, help="of traffic (180)")
    arguments.add_argument("--kubeconfig", type=pathlib.Path, help="an API server that runs, with the CRDs; default: one of its own")
    options = arguments.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as running:
        folder = pathlib.Path(running.enter_context(tempfile.TemporaryDirectory()))
        kubeconfig = options.kubeconfig or running.enter_context(
            Cluster(controllers=True, manifests=sorted((ROOT / "crds").glob("*.yaml")))).kubeconfig
        origin = running.enter_context(scripted.running(port=free_port()))
        origin.url = f"http://127.0.0.1:{origin.port}"
        stack = Stack(Kube(kubeconfig), folder, pki.Authority(folder), origin)
        running.callback(stack.finish)
        stack.start()
        stack.scrape(interval="2s")
        began = time.time()
        live(stack, options.seconds)
        draw(stack, folder, options.output, began, time.time())


def draw(stack, folder, output, began, ended):
    for dashboard in dashboards():
        variables = {"tunnel": f"{stack.space}/shop"} if dashboard.uid == "adit-tunnel" else {}
        page = Example(stack, stack.prometheus, dashboard, variables, began, ended, max(1, (ended - began) // 120))
        photograph(folder, page, output / f"{dashboard.uid}.png")


if __name__ == "__main__":
    main()
