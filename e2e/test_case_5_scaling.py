"""5. Gateways from 1 to 3 to 2, connectors from 1 to 3 to 1, under load: no request fails; each connector is linked to each
gateway, and to none that has gone."""
import time

import pytest

from installation import covered
from test_case_4_rolling_restarts import QUIET, none_failed


@pytest.fixture
def one_of_each(kube, edge, shop):
    kube.scale(f"{edge.release}-gateway", 1, edge.space)
    kube.scale(f"{shop.release}-adit-connector", 1, shop.space)
    edge.settled(1)
    shop.settled(1)
    yield
    kube.scale(f"{edge.release}-gateway", 2, edge.space)
    kube.scale(f"{shop.release}-adit-connector", 2, shop.space)


def test_case_5_scaling(kube, edge, shop, one_of_each):
    covered(edge, shop)
    began = time.monotonic()
    with edge.load() as load:
        time.sleep(QUIET)
        kube.scale(f"{edge.release}-gateway", 3, edge.space)
        covered(edge, shop)
        kube.scale(f"{shop.release}-adit-connector", 3, shop.space)
        covered(edge, shop)
        time.sleep(QUIET)
        kube.scale(f"{edge.release}-gateway", 2, edge.space)
        edge.settled(2)
        covered(edge, shop)
        kube.scale(f"{shop.release}-adit-connector", 1, shop.space)
        shop.settled(1)
        covered(edge, shop)
        time.sleep(QUIET)
    none_failed(load, began)
