"""Links through corporate proxies and through what stands before the gateway (S4_C13, S4_P6, O10)."""
import shutil

import pytest

import failing
from fronts import PASSWORD, USER, start_nginx, start_squid, start_tinyproxy, to_gateway
from programs import free_port, wait_until
from watching import links, told_everywhere, wait_cause

QUICK = ["--links", "1", "--dial-timeout", "5s"]


@pytest.fixture(params=["squid", "tinyproxy"])
def start_proxy(request, edge):
    folders = []

    def start(*ports, **rest):
        proxy = (start_squid if request.param == "squid" else start_tinyproxy)(edge, ports, **rest)
        folders.append(getattr(proxy, "folder", None))
        return proxy
    yield start
    for program in reversed(edge.programs):
        if program.running():
            program.stop()
    for folder in filter(None, folders):
        shutil.rmtree(folder)


@pytest.fixture
def gateway(edge):
    edge.write_default()
    edge.start_gateway()
    return edge


def secret_free(edge, *programs):
    """Nothing that anybody can read holds the proxy's password."""
    for program in programs:
        assert PASSWORD not in program.err + program.out
        for page in ("/status", "/readyz", "/metrics"):
            assert PASSWORD not in edge.admin_page(page, program.admin)[1]


def proxied(edge, origin, *flags, wait=True, **rest):
    return edge.start_connector(f"http://127.0.0.1:{origin.port}", flags=[*QUICK, *flags], wait=wait, **rest)


def test_S4_C13_link_through_a_proxy_with_a_password(gateway, origin, start_proxy):
    proxy = start_proxy(gateway.link)
    connector = proxied(gateway, origin, "--proxy", proxy.url_with_password)
    gateway.wait_status(200)
    link = links(gateway, connector)[0]
    assert link["remote"] == f"127.0.0.1:{proxy.port}", "the proxy is what was dialled"
    assert link["transport"] == "upgrade"
    assert f'"proxy": "{proxy.url}"' in gateway.admin_page("/status", connector.admin)[1]
    secret_free(gateway, connector)


def test_S4_C13_password_from_a_file_that_is_read_anew(gateway, origin, start_proxy):
    proxy = start_proxy(gateway.link)
    file = gateway.folder / "proxy-credentials"
    file.write_text(f"{USER}:wrong\n")
    connector = proxied(gateway, origin, "--proxy", proxy.url, "--proxy-credentials-file", file, wait=False)
    link = told_everywhere(gateway, connector, "proxy_authentication")
    assert f"to CONNECT localhost:{gateway.link}" in link["lastError"]
    file.write_text(f"{USER}:{PASSWORD}\n")
    gateway.wait_status(200)
    secret_free(gateway, connector)


def test_S4_C13_services_are_not_dialled_through_the_proxy(gateway, origin, start_proxy):
    """The proxy lets nothing through but the gateway's port."""
    proxy = start_proxy(gateway.link, password=False)
    proxied(gateway, origin, "--proxy", proxy.url)
    gateway.wait_status(200)


def test_S4_P6_O10_proxy_that_refuses_the_port(gateway, origin, start_proxy):
    proxy = start_proxy(443, password=False)
    connector = proxied(gateway, origin, "--proxy", proxy.url, wait=False)
    link = told_everywhere(gateway, connector, "proxy_refused")
    assert f"status 403 to CONNECT localhost:{gateway.link}" in link["lastError"]
    assert "port 443" in link["lastFix"]


def test_S4_P6_link_through_the_public_https_port(edge, origin, start_proxy):
    """Only the public port is open: the link shares it with the visitors."""
    edge.write_default()
    edge.start_gateway()
    proxy = start_proxy(edge.https, password=False)
    proxied(edge, origin, "--proxy", proxy.url, gateway=f"https://localhost:{edge.https}")
    edge.wait_status(200)


def test_O10_proxy_that_does_not_reach_the_gateway(edge, origin, start_proxy):
    port = free_port()
    proxy = start_proxy(port, password=False)
    connector = proxied(edge, origin, "--proxy", proxy.url, gateway=f"127.0.0.1:{port}", wait=False)
    link = told_everywhere(edge, connector, "proxy_failed")
    assert "status 50" in link["lastError"]


def test_O10_proxy_that_is_not_there(gateway, origin):
    connector = proxied(gateway, origin, "--proxy", f"http://127.0.0.1:{free_port()}", wait=False)
    told_everywhere(gateway, connector, "proxy_unreachable")


def test_O10_proxy_that_says_nothing(gateway):
    with failing.answering(None) as (port, _):
        connector = gateway.start_connector("http://127.0.0.1:1", wait=False, flags=[
            "--links", "1", "--dial-timeout", "300ms", "--proxy", f"http://127.0.0.1:{port}"])
        told_everywhere(gateway, connector, "proxy_timeout")


def test_O10_clock_that_is_wrong_by_the_proxys(edge, origin, tmp_path):
    """The certificate is of the future, and so is the proxy's clock."""
    edge.link_chain, edge.link_key = failing.out_of_time(edge.authority, tmp_path / "ca", 9, 30)
    edge.write_default()
    edge.start_gateway()
    answer = f"HTTP/1.1 200 X\r\nDate: {failing.date_in(24 * 10)}\r\n\r\n".encode()
    with failing.forwarding(edge.link, answer) as port:
        connector = proxied(edge, origin, "--proxy", f"http://127.0.0.1:{port}", wait=False)
        link = told_everywhere(edge, connector, "clock_skew")
        assert "that of the proxy" in link["lastError"]


# The environment

def test_S4_C13_proxy_of_the_environment_resolves_the_name(edge, origin):
    """Only the proxy knows the gateway's name: the connector never asks for it."""
    edge.link_chain, edge.link_key = edge.authority.issue("gateway.invalid")
    edge.write_default()
    edge.start_gateway()
    proxy = start_squid(edge, [edge.link], hosts={"gateway.invalid": "127.0.0.1"})
    connector = proxied(edge, origin, gateway=f"gateway.invalid:{edge.link}", env={"HTTPS_PROXY": proxy.url_with_password})
    edge.wait_status(200)
    secret_free(edge, connector)
    connector.stop()
    proxy.program.stop()
    shutil.rmtree(proxy.folder)


@pytest.mark.parametrize("flags,env", [
    (["--proxy", "off"], {"HTTPS_PROXY": "http://127.0.0.1:1"}),
    ([], {"HTTPS_PROXY": "http://127.0.0.1:1"}),  # localhost is spared
    (["--proxy", "http://127.0.0.1:1"], {"NO_PROXY": "localhost"}),
    (["--proxy", "http://127.0.0.1:1"], {"no_proxy": ".test, LOCALHOST"}),
])
def test_S4_C13_exceptions(gateway, origin, flags, env):
    connector = proxied(gateway, origin, *flags, env=env)
    gateway.wait_status(200)
    assert links(gateway, connector)[0]["remote"] == f"127.0.0.1:{gateway.link}"


# Before the gateway

def test_upgrades_that_do_not_get_through_become_websockets(gateway, origin):
    """nginx lets no Upgrade through but that to WebSocket."""
    port = start_nginx(gateway, to_gateway(gateway, "$ws"), http='map $http_upgrade $ws { default ""; websocket websocket; }')
    connector = proxied(gateway, origin, gateway=f"https://localhost:{port}")
    gateway.wait_status(200)
    assert links(gateway, connector)[0]["transport"] == "websocket"
    assert gateway.get("/bytes/300000").status in (200, 404)
    only = gateway.start_connector("http://127.0.0.1:1", name="upgrade-only", wait=False, gateway=f"https://localhost:{port}",
                                   flags=[*QUICK, "--transport", "upgrade"])
    wait_cause(gateway, only, "version_refused", "gateway_refused")


def test_upgrades_through_nginx_and_a_path(gateway, origin):
    port = start_nginx(gateway, "return 404;", server=f"location /edge/ {{ {to_gateway(gateway, '$http_upgrade', '/')} }}")
    connector = proxied(gateway, origin, gateway=f"https://localhost:{port}/edge")
    gateway.wait_status(200)
    assert links(gateway, connector)[0]["transport"] == "upgrade"
    assert links(gateway, connector)[0]["gateway"] == f"https://localhost:{port}/edge"


def test_nothing_gets_through(gateway, origin):
    port = start_nginx(gateway, to_gateway(gateway, '""'))
    connector = proxied(gateway, origin, gateway=f"https://localhost:{port}", wait=False)
    link = told_everywhere(gateway, connector, "version_refused", "gateway_refused", "not_a_gateway")
    assert "by upgrade: " in link["lastError"] and "by websocket: " in link["lastError"]


def test_nginx_without_a_gateway_behind_it(edge, origin):
    port = start_nginx(edge, to_gateway(edge, "$http_upgrade"))
    connector = proxied(edge, origin, gateway=f"https://localhost:{port}", wait=False)
    link = told_everywhere(edge, connector, "front_failed")
    assert "status 502" in link["lastError"]
    edge.write_default()
    edge.start_gateway()
    edge.wait_status(200)
    wait_until(lambda: links(edge, connector)[0]["state"] == "up", "the link is up")
