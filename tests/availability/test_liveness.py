"""R19: to be without a link is no reason to be restarted: not ready, alive, and trying on."""
import time

import fleet

from programs import free_port


def test_R19_a_connector_without_a_gateway_is_alive_not_ready_and_stays(edge):
    """Refused for as long as the waits between dials need to grow, which is all that time changes."""
    connector = edge.start_connector("http://127.0.0.1:1", gateway=f"localhost:{free_port()}", wait=False)
    deadline = time.monotonic() + 12
    asked = 0
    while time.monotonic() < deadline:
        assert connector.running()
        status, _ = fleet.page(connector.admin, "/healthz")
        if status == 0 and not asked:
            continue  # it has yet to listen
        asked += 1
        assert status == 200 and fleet.page(connector.admin, "/readyz")[0] == 503
        time.sleep(0.2)
    dials = sum(v for k, v in edge.metrics(connector.admin).items() if k.startswith("adit_connector_dials_total{"))
    assert asked > 20 and dials > 8


def test_R19_a_gateway_without_connectors_is_alive_ready_and_stays(edge):
    """It must be ready before connectors come, or they would never come to it."""
    edge.write_default()
    edge.start_gateway()
    deadline = time.monotonic() + 3
    while time.monotonic() < deadline:
        assert edge.admin_page("/healthz")[0] == 200 and edge.admin_page("/readyz")[0] == 200
        assert edge.get().status == 503
        time.sleep(0.1)

