"""R3: who leaves says so first; replacements are there before the old links have ended, and old streams finish."""
import signal
import time

from load import Load, Mix
from programs import wait_until
from scenarios import QUICK

LONG = Mix(keep_alive=0, fresh_rate=0, long=3, long_seconds=QUICK.long, uploads=0, web_sockets=0, events=1)


def live(fleet, gateway):
    return [name for name, state in fleet.links_of(gateway) if state == "live"]


def test_R3_a_replacement_is_there_before_the_old_link_ends(install):
    """Behind one address: the balancer sends the new links to the gateway that stays."""
    with install(1, 1, balanced_links=True) as fleet:
        leaving, staying = fleet.gateways[0], fleet.gateways[1]
        fleet.add_gateway(1)
        with Load(fleet.public, LONG) as load:
            time.sleep(0.5)
            leaving.program.signal(signal.SIGTERM)
            wait_until(lambda: live(fleet, staying), "there are links to the one that stays")
            assert leaving.program.running(), "the old one still finishes what it has"
            assert load.journal.done() == 0, "the requests are still under way"
            load.stop()
        assert not load.journal.failed(), load.journal.complaints()
        assert leaving.program.wait() == 0
        leaving.program.judged = True


def test_R3_a_connector_that_leaves_gets_no_new_streams_and_finishes_old_ones(install):
    with install(1, 2) as fleet:
        gateway, leaving = fleet.gateways[0], fleet.connectors["c0"]
        with Load(fleet.public, LONG) as load:
            time.sleep(0.5)
            leaving.signal(signal.SIGTERM)
            wait_until(lambda: set(live(fleet, gateway)) == {"c1"}, "its links are out of rotation")
            assert leaving.running() and load.journal.done() == 0
            with Load(fleet.public, Mix(keep_alive=0, fresh_rate=50, long=0, uploads=0, web_sockets=0, events=0)) as beside:
                time.sleep(1)
            load.stop()
        for journal in (load.journal, beside.journal):
            assert journal.done() and not journal.failed(), journal.complaints()
        assert leaving.wait() == 0
        leaving.judged = True
