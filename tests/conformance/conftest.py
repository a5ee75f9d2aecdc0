"""One gateway, one connector and one recording service for all cases of a file."""
import pytest

import proxies
import recorder
from fixtures import authority  # noqa: F401
from programs import free_port


@pytest.fixture(scope="module")
def service():
    service = recorder.Recorder(free_port())
    yield service
    service.stop()


@pytest.fixture(scope="module")
def adit(tmp_path_factory, authority, service):  # noqa: F811
    adit = proxies.Adit(tmp_path_factory.mktemp("adit"), authority, service.port, ["--workers", "1"])
    yield adit
    adit.stop()
