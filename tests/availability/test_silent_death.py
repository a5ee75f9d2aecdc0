"""R7, R9: a connector that falls silent costs no request, leaves the rotation within 3 s, and is back at once."""
import contextlib
import os
import pathlib
import signal
import time

import pytest

import delay
import origin as scripted
from edge import TUNNEL
from load import Load, Mix
from programs import BIN, SANITIZED, Program, wait_until
from test_far import HTTP, LINK, Place

ONLY_NEW = Mix(keep_alive=0, fresh_rate=100, long=0, uploads=0, web_sockets=0, events=0)
SLOWEST = 10.0 if SANITIZED else 2.0
OUT_WITHIN = 12.0 if SANITIZED else 3.0
BACK_WITHIN = 10.0 if SANITIZED else 2.0
REASON = delay.missing_right()


def judge(journal, moment, record_property):
    slowest = max(record.seconds for record in journal.records)
    record_property("slowest of the requests, seconds", round(slowest, 3))
    record_property("slower than 0.5 s", sum(record.seconds > 0.5 for record in journal.records))
    print(journal.table())
    assert not journal.failed(), "\n".join(journal.complaints(moment))
    assert slowest < SLOWEST
    assert sum(record.began > moment for record in journal.records) > 200


def test_R7_one_of_two_connectors_is_stopped(install, record_property):
    with install(1, 2) as fleet:
        gateway, silent = fleet.gateways[0], fleet.connectors["c0"]

        def live():
            return [name for name, state in fleet.links_of(gateway) if name == "c0" and state == "live"]
        with Load(fleet.public, ONLY_NEW) as load:
            time.sleep(1)
            moment = time.monotonic()
            silent.signal(signal.SIGSTOP)
            try:
                out = wait_until(lambda: not live(), "its links are out of rotation")
                time.sleep(max(0, moment + 5 - time.monotonic()))
                assert not live()
            finally:
                silent.signal(signal.SIGCONT)
            back = wait_until(live, "it is back")
            time.sleep(0.5)
        record_property("seconds until out of rotation, until back", (round(out, 3), round(back, 3)))
        print("out", out, "back", back)
        judge(load.journal, moment, record_property)
        assert out < OUT_WITHIN and back < BACK_WITHIN


def test_R9_a_connector_that_slept_serves_again(install):
    """Suspend and resume, longer than any link stays: the links are new, the program is the same."""
    with install(1, 1) as fleet:
        gateway, connector = fleet.gateways[0], fleet.connectors["c0"]
        connector.signal(signal.SIGSTOP)
        try:
            wait_until(lambda: not fleet.links_of(gateway), "the gateway has given its links up", 20)
        finally:
            connector.signal(signal.SIGCONT)
        fleet.wait_covered()
        with Load(fleet.public, ONLY_NEW) as load:
            time.sleep(0.5)
        assert not load.journal.failed()


# Packets that vanish: hosts in namespaces

class TwoConnectors(Place):
    """As Place, and a second connector with a service beside the gateway. The balancer is left out."""

    def __init__(self, network, folder, authority):
        super().__init__(network, folder, authority)
        near = network.near
        with near.inside():
            self.near_service = scripted.Origin(port=5001)
        self.near_connector = Program("near-connector", [
            *near.enter, BIN / "adit-connector", "--gateway", f"localhost:{LINK}", "--tunnel", TUNNEL, "--token-file",
            folder / "token", "--ca-file", authority.file, "--links", "1", "--service", "http://127.0.0.1:5001", "--admin",
            "off"], folder)

    @contextlib.contextmanager
    def load(self, mix):
        load = Load(HTTP, mix)
        with self.network.near.inside():
            load.__enter__()  # its thread stays here
        try:
            yield load
        finally:
            load.stop()

    def live(self):
        return self.metric("adit_gateway_links{")

    def ended(self):
        return self.metric("adit_gateway_links_ended_total{")

    def finish(self):
        self.near_service.stop()
        wrong = self.near_connector.judge()
        super().finish()
        assert not wrong, wrong


@pytest.fixture
def far(request, tmp_path, authority):
    conditions = getattr(request, "param", {"delay_ms": 5})
    program = pathlib.Path(os.environ.get("ADIT_BIN", "build/dev/bin")).resolve() / "delay_link"
    with delay.Far(program, **conditions) as network:
        place = TwoConnectors(network, tmp_path, authority)
        try:
            wait_until(place.serves, "the gateway serves", 40)
            wait_until(lambda: place.live() == 2, "both connectors have a link", 40)
            yield place
        finally:
            network.drop(False)  # or the far one could not take leave, which it does within 2 s
            network.set(delay=0)
            place.finish()


@pytest.mark.skipif(REASON is not None, reason=str(REASON))
def test_R7_the_packets_of_one_of_two_connectors_vanish(far, record_property):
    with far.load(ONLY_NEW) as load:
        time.sleep(1)
        moment = time.monotonic()
        far.network.drop()
        out = wait_until(lambda: far.live() == 1, "its link is out of rotation")
        time.sleep(max(0, moment + 5 - time.monotonic()))
        far.network.drop(False)
        back = wait_until(lambda: far.live() == 2, "it is back", 20)
        time.sleep(0.5)
    print("out", out, "back", back)
    record_property("seconds until out of rotation, until back", (round(out, 3), round(back, 3)))
    judge(load.journal, moment, record_property)
    assert out < OUT_WITHIN


@pytest.mark.skipif(REASON is not None, reason=str(REASON))
def test_R9_a_network_that_was_gone_for_long(far):
    """Longer than both ends wait: the connector has failed to dial meanwhile, and comes back by itself."""
    far.network.drop()
    wait_until(lambda: far.ended() == 1, "the gateway has given the link up", 20)
    time.sleep(8)
    far.network.drop(False)
    wait_until(lambda: far.live() == 2, "it is back", 40)


@pytest.mark.skipif(REASON is not None, reason=str(REASON))
@pytest.mark.parametrize("far", [{"delay_ms": 1000, "loss_percent": 7}], indirect=True)
def test_R9_two_seconds_away_and_seven_percent_lost(far):
    """At the limit of what counts as a sign of life: the link may be given up, and always comes back; nobody is failed."""
    with far.load(Mix(keep_alive=0, fresh_rate=5, long=0, uploads=0, web_sockets=0, events=0)) as load:
        time.sleep(12)
    assert load.journal.done() > 40 and not load.journal.failed(), load.journal.complaints()
    wait_until(lambda: far.live() == 2, "the far one has a link", 60)
