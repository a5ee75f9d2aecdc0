"""Fixtures: every test has an installation of its own on the cluster of the test run."""
import pytest

import origin as scripted
import pki
from kube import Kube
from plane import Plane
from programs import free_port


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """Adds the programs' logs to the report of a test that failed."""
    report = (yield).get_result()
    plane = getattr(item, "funcargs", {}).get("plane")
    if report.failed and plane:
        report.sections += plane.logs()


@pytest.fixture(scope="session")
def kube():
    return Kube()


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    return pki.Authority(tmp_path_factory.mktemp("pki"))


@pytest.fixture
def plane(tmp_path, kube):
    plane = Plane(kube, tmp_path)
    yield plane
    wrong = plane.finish()
    assert not wrong, "; ".join(wrong)


@pytest.fixture
def origin():
    with scripted.running(port=free_port()) as service:
        service.url = f"http://127.0.0.1:{service.port}"
        yield service
