"""Links: who may open one, what a refusal says, and what a connector reaches at its end."""
import socket
import ssl

import pytest

import origin as scripted
import pki
from edge import TOKEN, documents, token_secret, tunnel_manifest
from programs import wait_until


@pytest.fixture
def gateway(edge):
    edge.write_default()
    edge.start_gateway()
    return edge


def refused(edge, *reasons, **credentials):
    """A connector that is refused says one of the reasons, keeps trying, and is not ready."""
    connector = edge.start_connector("http://127.0.0.1:1", name="refused", wait=False, **credentials)
    wait_until(lambda: any(r in connector.err for r in reasons), f"the connector's log says one of {reasons}")
    assert connector.running()
    assert edge.admin_page("/readyz", connector.admin)[0] == 503
    assert edge.admin_page("/healthz", connector.admin)[0] == 200, "not ready is no reason to be restarted"
    assert edge.get().status == 503
    return connector


def test_wrong_token(gateway):
    connector = refused(gateway, "401", token="wrong-token-wrong-token")
    assert "wrong-token-wrong-token" not in connector.err + gateway.gateway.err


def test_unknown_tunnel(gateway):
    refused(gateway, "401", "403", "404", tunnel="77777777-2222-4333-8444-555555555555")


def test_a_token_alone_tells_the_tunnel(gateway, origin):
    gateway.start_connector(f"http://127.0.0.1:{origin.port}", tunnel=None)
    gateway.wait_status(200)


def test_a_token_of_several_tunnels_does_not(gateway):
    gateway.write("other.yaml", documents(
        tunnel_manifest(name="other", tunnel="77777777-2222-4333-8444-555555555555", routes="  - {host: other.test}\n"),
        token_secret(name="other-connector")))
    wait_until(lambda: gateway.get(host="other.test").status == 503, "the second tunnel is there")
    refused(gateway, "several tunnels have this token", tunnel=None)


def test_a_wrong_token_alone(gateway):
    refused(gateway, "401", token="wrong-token-wrong-token", tunnel=None)


def test_wrong_authority(gateway, tmp_path):
    other = pki.Authority(tmp_path, "other")
    refused(gateway, "certificate", ca_file=other.file)


def test_wrong_name(edge, origin):
    """The gateway's certificate is for another name than the one dialled."""
    edge.link_chain, edge.link_key = edge.authority.issue("elsewhere.test")
    edge.write_default()
    edge.start_gateway()
    refused(edge, "certificate", "hostname")


def test_a_gateway_that_comes_later_is_found(edge, origin):
    edge.write_default()
    edge.start_connector(f"http://127.0.0.1:{origin.port}", wait=False)
    edge.start_gateway()
    edge.wait_status(200)


def test_two_tokens_are_valid_at_once_and_a_revoked_one_ends_its_links(edge, origin):
    def manifest(*secrets):
        return documents(tunnel_manifest(tokens=secrets), *(token_secret(s, f"{s}-0123456789abcdef") for s in secrets))
    edge.write("shop.yaml", manifest("old", "new"))
    edge.start_gateway()
    edge.start_connector(f"http://127.0.0.1:{origin.port}", name="old", token="old-0123456789abcdef")
    new = edge.start_connector(f"http://127.0.0.1:{origin.port}", name="new", token="new-0123456789abcdef")
    new.stop()
    edge.wait_status(200)
    edge.write("shop.yaml", manifest("new"))
    edge.wait_status(503)


def test_a_token_file_is_read_again(edge, origin):
    edge.write_default()
    edge.start_gateway()
    connector = edge.start_connector(f"http://127.0.0.1:{origin.port}", token="first-is-wrong-0123456789", wait=False)
    wait_until(lambda: "401" in connector.err, "the first token is refused")
    file = next(edge.folder.glob("token-*"))
    file.write_text(TOKEN)
    edge.wait_status(200)


def test_a_missing_token_file_is_named_and_waited_for(gateway):
    """A Secret may be mounted after the program has started."""
    connector = gateway.start_connector("http://127.0.0.1:1", token=None, wait=False)
    wait_until(lambda: "/token-" in connector.err, "the log names the file")
    assert connector.running()


def test_links_are_as_many_as_asked(gateway, origin):
    connector = gateway.start_connector(f"http://127.0.0.1:{origin.port}", flags=["--links", "3"])
    def links(port):
        return [v for k, v in gateway.metrics(port).items() if "links" in k and "total" not in k]
    wait_until(lambda: 3 in links(connector.admin), "the connector counts three links")
    wait_until(lambda: 3 in links(None), "the gateway counts three links")


# What a connector reaches

def test_a_service_on_a_unix_socket(gateway, tmp_path):
    with scripted.running(path=str(tmp_path / "s")):
        gateway.start_connector(f"unix://{tmp_path}/s")
        gateway.wait_status(200)


def test_a_service_as_tcp(gateway, origin):
    gateway.start_connector(f"tcp://127.0.0.1:{origin.port}")
    gateway.wait_status(200)


def test_a_service_over_tls_is_verified(gateway, tls_origin):
    connector = gateway.start_connector(f"https://localhost:{tls_origin.port}")
    gateway.wait_status(502)
    wait_until(lambda: "certificate" in connector.err, "the connector says that the certificate is not trusted")
    assert not tls_origin.requests


@pytest.mark.parametrize("settings", ["caFile={ca}", "insecureSkipVerify=true"])
def test_a_service_over_tls_with_own_authority_or_without_verification(gateway, tls_origin, settings):
    gateway.start_connector(f"https://localhost:{tls_origin.port}?" + settings.format(ca=gateway.authority.file))
    gateway.wait_status(200)


def test_only_what_is_mapped_is_reached(edge, origin):
    edge.write_default(routes="  - {host: shop.test, service: '127.0.0.1'}\n  - {host: shop.test, path: /ok, service: api}\n")
    edge.start_gateway()
    edge.start_connector(f"api=http://127.0.0.1:{origin.port}")
    edge.wait_status(200, "/ok")
    assert edge.get("/").status in (502, 503)


def shown_on_link_port(edge):
    """The certificate that a connector would be shown now, DER."""
    context = ssl.create_default_context(cafile=edge.authority.file)
    with socket.create_connection(("127.0.0.1", edge.link), timeout=10) as plain:
        with context.wrap_socket(plain, server_hostname="localhost") as tls:
            return tls.getpeercert(binary_form=True)


def test_link_certificate_is_read_again(gateway, origin):
    connector = gateway.start_connector(f"http://127.0.0.1:{origin.port}")
    first = shown_on_link_port(gateway)
    gateway.authority.issue("localhost", "127.0.0.1")  # into the same files
    wait_until(lambda: shown_on_link_port(gateway) != first, "the new certificate is shown")
    second = shown_on_link_port(gateway)
    gateway.link_key.write_text("no key")
    wait_until(lambda: "link certificate cannot be used" in gateway.gateway.err, "the bad pair is told")
    assert shown_on_link_port(gateway) == second
    assert gateway.get().status == 200
    assert "link is down" not in connector.err, "links that stand are not touched"
