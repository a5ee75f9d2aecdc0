"""Fixtures: installations are made by scenarios.installation(), which ends what it started and judges it."""
import pytest

from edge import Edge
from fixtures import authority, origin, pytest_runtest_makereport  # noqa: F401
from journal import TOLD
from scenarios import QUICK, SCENARIOS, installation, run

KINDS = ("keep-alive", "new connection", "long", "upload", "websocket", "events")


@pytest.fixture
def play(tmp_path, authority):  # noqa: F811
    """Runs a scenario of the table at the quick pace: no request may fail."""
    def played(name):
        journal, began = run(SCENARIOS[name], tmp_path / "fleet", authority, QUICK)
        print(journal.table())
        for kind in KINDS:
            assert journal.of(kind), f"the load had nothing of the kind {kind}"
        assert not journal.failed(), "\n".join([f"{len(journal.failed())} failed", *journal.complaints(began)[:50]])
        assert all(record.kind == "websocket" for record in journal.records if record.outcome == TOLD)
        return journal
    return played


@pytest.fixture
def install(tmp_path, authority):  # noqa: F811
    """install(gateways, connectors, …) as a context manager: a fleet at the quick pace."""
    def make(gateways, connectors, pace=QUICK, **settings):
        return installation(tmp_path / "fleet", authority, pace, gateways, connectors, **settings)
    return make


@pytest.fixture
def edge(tmp_path, authority):  # noqa: F811
    """One gateway without a balancer, as in tests/component."""
    edge = Edge(tmp_path, authority)
    yield edge
    wrong = edge.finish()
    assert not wrong, "; ".join(wrong)
