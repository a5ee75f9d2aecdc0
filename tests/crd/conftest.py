import os
import pathlib
import subprocess

import pytest

from api import TUNNELS, Api, tunnel
from cluster import Cluster, components

ROOT = pathlib.Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def kubeconfig():
    """That of the run's cluster, or, when the tests are started by hand, of one of their own."""
    if "ADIT_TEST_KUBECONFIG" in os.environ:
        yield os.environ["ADIT_TEST_KUBECONFIG"]
        return
    with Cluster(manifests=sorted(ROOT.glob("crds/*.yaml"))) as own:
        yield own.kubeconfig


@pytest.fixture(scope="session")
def api(kubeconfig):
    return Api(kubeconfig)


@pytest.fixture(scope="session")
def kubectl(kubeconfig):
    def run(*arguments, stdin=None):
        done = subprocess.run([components() / "kubectl", f"--kubeconfig={kubeconfig}", *map(str, arguments)],
                              input=stdin, capture_output=True, text=True, timeout=60, check=False)
        return done.returncode, done.stdout, done.stderr
    return run


@pytest.fixture(scope="session")
def namespace(api):
    name = f"crd-{os.getpid()}"
    made = api.ask("POST", "/api/v1/namespaces", {"metadata": {"name": name}})
    assert made.accepted, made.message
    yield name
    api.ask("DELETE", f"/api/v1/namespaces/{name}")


@pytest.fixture(scope="session")
def stored(api, namespace):
    """Stores a Tunnel that is there until the tests end."""
    paths = []

    def store(name, spec):
        made = api.ask("POST", TUNNELS.format(namespace), tunnel(spec, name))
        assert made.accepted, made.message
        paths.append(TUNNELS.format(namespace) + "/" + name)
        return made.body
    yield store
    for path in paths:
        api.ask("DELETE", path)
