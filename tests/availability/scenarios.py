"""What happens to an installation under load, as a table; and how one is run."""
import contextlib
import dataclasses
import time
from collections.abc import Callable

import service
from fleet import NOTICED_WITHIN, Fleet
from load import Load, Mix


@dataclasses.dataclass(frozen=True)
class Pace:
    """How long requests last, and with them the time to drain. Seconds."""
    long: float
    drain: float
    delay: float
    quiet: float  # before the first step, between steps and after the last

    def mix(self):
        return Mix(long_seconds=self.long)


QUICK = Pace(long=3, drain=4, delay=1, quiet=0.7)
FULL = Pace(long=20, drain=22, delay=2, quiet=3)


# Steps: each is what an operator or Kubernetes does, one after the other, waiting as they wait.

def roll_gateways(fleet, settle):
    for gateway in fleet.serving():
        fleet.stop_gateway(gateway.number)
        fleet.add_gateway(gateway.number)
        settle()


def roll_connectors(fleet, settle):
    for name in list(fleet.connectors):
        fleet.stop_connector(name)
        fleet.add_connector(name)
        settle()


def scale_gateways_1_3_2(fleet, settle):
    for number in (1, 2):
        fleet.add_gateway(number)
        settle()
    fleet.stop_gateway(0)


def scale_connectors_1_3_1(fleet, settle):
    for name in ("c1", "c2"):
        fleet.add_connector(name)
        settle()
    for name in ("c0", "c1"):
        fleet.stop_connector(name)
        settle()


@dataclasses.dataclass(frozen=True)
class Scenario:
    name: str
    gateways: int
    connectors: int
    steps: Callable


SCENARIOS = {scenario.name: scenario for scenario in (
    Scenario("two gateways are restarted one after the other", 2, 2, roll_gateways),
    Scenario("three gateways are restarted one after the other", 3, 2, roll_gateways),
    Scenario("two connectors are restarted one after the other", 2, 2, roll_connectors),
    Scenario("gateways are scaled from 1 to 3 to 2", 1, 2, scale_gateways_1_3_2),
    Scenario("connectors are scaled from 1 to 3 to 1", 2, 1, scale_connectors_1_3_1),
)}


@contextlib.contextmanager
def installation(folder, authority, pace, gateways, connectors, **settings):
    """A fleet that serves; judged at the end."""
    with service.running() as behind:
        fleet = Fleet(folder, authority, behind, drain_seconds=pace.drain, delay_seconds=pace.delay, **settings)
        try:
            fleet.start(gateways, connectors)
            time.sleep(NOTICED_WITHIN)  # the balancer has seen them all
            yield fleet
        finally:
            wrong = fleet.finish()
        assert not wrong, "; ".join(wrong)


def run(scenario, folder, authority, pace):
    """One round; (journal, when the load began)."""
    with installation(folder, authority, pace, scenario.gateways, scenario.connectors) as fleet:
        began = time.monotonic()
        with Load(fleet.public, pace.mix()) as load:
            time.sleep(pace.quiet)
            scenario.steps(fleet, lambda: time.sleep(pace.quiet))
            time.sleep(pace.quiet)
        for note in fleet.notes:
            print(note, flush=True)
        return load.journal, began
