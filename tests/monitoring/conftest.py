"""Fixtures: a whole installation for the tests of a file, and single ones."""
import pytest

import origin as scripted
from edge import Edge
from fixtures import authority, pytest_runtest_makereport  # noqa: F401
from kube import Kube
from programs import free_port, wait_until
from stack import Stack


@pytest.fixture(scope="session")
def service():
    with scripted.running(port=free_port()) as service:
        service.url = f"http://127.0.0.1:{service.port}"
        yield service


@pytest.fixture(scope="module")
def stack(tmp_path_factory, authority, service):  # noqa: F811
    stack = Stack(Kube(), tmp_path_factory.mktemp("stack"), authority, service)
    try:
        stack.start()
        stack.scrape()
        stack.begin_traffic()
        yield stack
    finally:
        wrong = stack.finish()
    assert not wrong, "; ".join(wrong)


@pytest.fixture
def edge(tmp_path, authority):  # noqa: F811
    edge = Edge(tmp_path, authority)
    yield edge
    wrong = edge.finish()
    assert not wrong, "; ".join(wrong)
