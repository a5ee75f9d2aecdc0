"""Fixtures: every test has an installation of its own on the cluster of the test run."""
import pytest

from fixtures import authority, origin, pytest_runtest_makereport  # noqa: F401
from kube import Kube
from plane import Plane


@pytest.fixture(scope="session")
def kube():
    return Kube()


@pytest.fixture
def plane(tmp_path, kube):
    plane = Plane(kube, tmp_path)
    yield plane
    wrong = plane.finish()
    assert not wrong, "; ".join(wrong)
