"""One cluster for all cases; what a failing one leaves; how long each took."""
import pathlib
import sys
import time

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / path) for path in ("e2e", "e2e/cluster", "tests/availability", "tests/component", "tests")]

import artefacts  # noqa: E402
import tarballs  # noqa: E402
import workloads  # noqa: E402
from helm import Helm  # noqa: E402
from installation import Edge, Private, covered, tunnel  # noqa: E402
from kube import Kube  # noqa: E402
from node import Node  # noqa: E402

_left = []


@pytest.fixture(scope="session")
def node():
    """That `e2e/run` has brought up, with all images."""
    node = Node()
    assert node.pid(), "the cluster is not up: e2e/run brings it up, or e2e/cluster/cluster up"
    return node


@pytest.fixture(scope="session")
def kube(node):
    return Kube(node)


@pytest.fixture(scope="session")
def helm(node):
    return Helm(node)


@pytest.fixture(scope="session")
def sample_on(kube):
    """sample_on(namespace): the sample service runs there."""
    def run(space, replicas=1):
        kube.apply(*workloads.sample(space, replicas))
        kube.rolled_out("deployment/sample", space)
    return run


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    report = (yield).get_result()
    if report.failed and "kube" in item.funcargs:
        began = time.monotonic()
        _left.append((item.name, artefacts.collect(item.name, item.funcargs["kube"], report.longreprtext)))
        print(f"artefacts collected in {time.monotonic() - began:.1f} s")


def pytest_terminal_summary(terminalreporter):
    reports = [r for key in ("passed", "failed") for r in terminalreporter.stats.get(key, [])]
    spent = {}
    for report in reports:
        spent[report.nodeid] = spent.get(report.nodeid, 0) + report.duration
    for nodeid, seconds in spent.items():
        terminalreporter.write_line(f"{seconds:7.1f} s  {nodeid}")
    for name, folder in _left:
        terminalreporter.write_line(f"{name}: logs, events and objects are in {folder}")


# What most cases share: an edge with two gateways and two operators, and a private side with two connectors.

@pytest.fixture(scope="session")
def edge(kube, helm):
    kube.namespace("edge")
    edge = Edge(kube, helm)
    edge.install()
    return edge


@pytest.fixture(scope="session")
def shop(kube, helm, edge):
    """The private side of the Tunnel `shop`, linked to all gateways."""
    for space in ("team-shop", "private"):
        kube.namespace(space)
    kube.apply(tunnel("shop", "team-shop"))
    private = Private(kube, helm)
    private.take_credentials("team-shop", edge)
    private.install()
    edge.serves()
    covered(edge, private)
    return private
