"""Alerts fire and clear with a real Prometheus that scrapes real programs. Their `for` is shortened, nothing else."""
import pytest
import yaml

import pki
import rules
from edge import documents, token_secret, tunnel_manifest
from programs import wait_until
from prometheus import Prometheus

LABELS = {"namespace": "adit", "pod": "gateway-0"}
SOON = 40


@pytest.fixture
def watched(edge, service):
    """A tunnel that works, with TLS, its gateway scraped and every rule of the chart loaded."""
    groups = rules.groups()
    for group in groups:
        for alert in group["rules"]:
            alert["for"] = "1s"
    (edge.folder / "rules.yaml").write_text(yaml.safe_dump({"groups": groups}))
    edge.write_default(tls="shop-tls")
    edge.write_tls("shop.test")
    edge.start_gateway()
    edge.connector = edge.start_connector(service.url)
    edge.wait_status(200)
    edge.prometheus = Prometheus(edge.folder, [("adit-gateway", LABELS, f"127.0.0.1:{edge.admin}")], [edge.folder / "rules.yaml"])
    edge.programs.append(edge.prometheus.program)
    edge.prometheus.wait_ready()
    wait_until(lambda: edge.prometheus.query("adit_gateway_connectors > 0"), "the gateway is scraped", SOON)
    wait_until(lambda: not edge.prometheus.firing(), "all is well, AditNoGateway of the time before included", SOON)
    return edge


def fires(edge, name):
    """Waits until the alert fires, and returns it; what it says is complete."""
    wait_until(lambda: name in edge.prometheus.firing(), f"{name} fires", SOON)
    (alert,) = edge.prometheus.firing()[name]
    assert alert["labels"]["namespace"] == "adit" and alert["labels"]["job"] == "adit-gateway"
    for text in alert["annotations"].values():
        assert text and "error expanding" not in text and "<no value>" not in text and "{{" not in text
    return alert


def clears(edge, name):
    wait_until(lambda: name not in edge.prometheus.firing(), f"{name} is over", SOON)


def test_a_tunnel_without_a_connector(watched, service):
    watched.connector.stop()
    alert = fires(watched, "AditTunnelWithoutConnector")
    assert alert["labels"]["tunnel"] == "default/shop"
    assert "AditTunnelDown" not in watched.prometheus.firing(), "nobody asks"

    def asked_until_it_fires():
        watched.get()
        return "AditTunnelDown" in watched.prometheus.firing()
    wait_until(asked_until_it_fires, "AditTunnelDown fires once visitors ask", SOON)
    assert "default/shop" in fires(watched, "AditTunnelDown")["annotations"]["summary"]
    watched.start_connector(service.url, name="again")
    clears(watched, "AditTunnelWithoutConnector")
    clears(watched, "AditTunnelDown")


def test_a_configuration_that_is_refused(watched):
    good = documents(tunnel_manifest(tls="shop-tls"), token_secret())
    watched.write("shop.yaml", good.replace("spec:", "spec: [", 1))
    assert fires(watched, "AditConfigurationRefused")["annotations"]["description"].startswith("1 manifest")
    assert watched.get().status == 200, "the last good state serves"
    watched.write("shop.yaml", good)
    clears(watched, "AditConfigurationRefused")
    assert not watched.prometheus.firing()


def test_a_certificate_that_ends_soon(watched):
    def put(days):
        chain, key = watched.authority.issue("shop.test", days=days)
        watched.write("shop-tls.yaml", pki.tls_secret("shop-tls", chain, key))
    put(5)
    alert = fires(watched, "AditCertificateExpiresSoon")
    assert alert["labels"]["secret"] == "default/shop-tls" and alert["labels"]["tunnel"] == "default/shop"
    assert "AditCertificateExpires" not in watched.prometheus.firing(), "five days are not two"
    put(1)
    assert fires(watched, "AditCertificateExpires")["labels"]["severity"] == "critical"
    put(30)
    clears(watched, "AditCertificateExpires")
    clears(watched, "AditCertificateExpiresSoon")
    assert not watched.prometheus.firing()
