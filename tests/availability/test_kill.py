"""kill -9 of a part under load: what was on its way through it fails, is counted, and nothing else; healed within 3 s.
docs/availability.md explains the figures."""
import time

import pytest

from load import Load

HEALED_WITHIN = 3.0


def killed(fleet, pace, kill, come_back):
    """The journal of a load under which a part dies and, once it must be healed, comes back; when it was killed, and when
    it was dead: until then its listeners take connections."""
    with Load(fleet.public, pace.mix()) as load:
        time.sleep(2)
        moment = time.monotonic()
        kill()
        dead = time.monotonic()
        time.sleep(HEALED_WITHIN + 1)
        come_back()
        time.sleep(1)
    return load.journal, moment, dead


def judge(journal, moment, dead, record_property):
    print(journal.table())
    print("\n".join(journal.complaints(moment)))
    for kind, count in journal.failed_by_kind().items():
        record_property(f"failed: {kind}", count)
    assert not journal.began_after(dead + HEALED_WITHIN), "it is not healed"
    late = [r for r in journal.failed() if r.began > dead]
    early = [r for r in journal.failed() if r.ended < moment]
    assert not early, "failed before anything was wrong"
    return late


@pytest.fixture
def pace():
    from scenarios import QUICK
    return QUICK


def test_a_gateway_dies(install, pace, record_property):
    with install(2, 2) as fleet:
        journal, moment, dead = killed(fleet, pace, fleet.gateways[0].program.kill, lambda: fleet.add_gateway(0))
        late = judge(journal, moment, dead, record_property)
        assert not late, "what began after its death goes to the other one"
        assert len(journal.failed()) <= pace.mix().most_at_once(), "more than were under way"


def test_a_connector_dies(install, pace, record_property):
    with install(2, 2) as fleet:
        journal, moment, dead = killed(fleet, pace, fleet.connectors["c0"].kill, lambda: fleet.add_connector("c0"))
        late = judge(journal, moment, dead, record_property)
        assert not late, "what began after its death goes to the other one"
        assert len(journal.failed()) <= pace.mix().most_at_once(), "more than were under way"


def test_all_connectors_die_and_one_comes_back(install, pace, record_property):
    """Nobody can serve until one is there; from then on everybody is served within 3 s."""
    with install(2, 2) as fleet:
        with Load(fleet.public, pace.mix()) as load:
            time.sleep(2)
            moment = time.monotonic()
            for connector in fleet.connectors.values():
                connector.kill()
            time.sleep(1)
            fleet.add_connector("c2")
            back = time.monotonic()
            time.sleep(HEALED_WITHIN + 1)
        for kind, count in load.journal.failed_by_kind().items():
            record_property(f"failed: {kind}", count)
        print(load.journal.table())
        assert not load.journal.began_after(back + HEALED_WITHIN)
        between = [r for r in load.journal.failed() if moment < r.began < back and r.status]
        assert between and all(r.status in (502, 503) for r in between), "they are told so at once"
