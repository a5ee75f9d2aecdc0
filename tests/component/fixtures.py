"""Fixtures that several folders of tests use."""
import pytest

import origin as scripted
import pki
from programs import free_port


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """Adds the logs of the programs under test to the report of a test that failed."""
    report = (yield).get_result()
    if report.failed:
        for installation in ("edge", "plane"):
            if installation in getattr(item, "funcargs", {}):
                report.sections += item.funcargs[installation].logs()


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    return pki.Authority(tmp_path_factory.mktemp("pki"))


@pytest.fixture
def origin():
    with scripted.running(port=free_port()) as service:
        service.url = f"http://127.0.0.1:{service.port}"
        yield service
