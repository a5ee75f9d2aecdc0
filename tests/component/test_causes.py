"""Why there is no link: every cause is told in log, /status, /readyz and metrics, and none ends the connector (S4_P2)."""
import os
import pathlib
import re

import pytest

import failing
import pki
from edge import TOKEN
from fronts import start_nginx
from programs import free_port, wait_until
from watching import links, log_lines, told_everywhere, wait_cause

QUICK = ["--dial-timeout", "300ms", "--links", "1"]


def dial(edge, gateway, *flags, **rest):
    return edge.start_connector("http://127.0.0.1:1", wait=False, gateway=gateway, flags=[*QUICK, *flags], **rest)


# Before TLS

def test_S4_P2_name_not_found(edge):
    # A machine without a name server can't know that there is no such name.
    told_everywhere(edge, dial(edge, "no-such-host.invalid"), "name_not_found", "resolver_failed", "resolve_timeout")


def test_S4_P2_connection_refused(edge):
    port = free_port()
    link = told_everywhere(edge, dial(edge, f"localhost:{port}"), "connection_refused")
    assert f"127.0.0.1:{port}" in link["lastError"]


def test_S4_P2_timeout_of_the_connection(edge):
    with failing.full_port() as port:
        told_everywhere(edge, dial(edge, f"127.0.0.1:{port}"), "connect_timeout")


def test_S4_P2_timeout_of_tls(edge):
    with failing.answering(None) as (port, _):
        told_everywhere(edge, dial(edge, f"localhost:{port}"), "tls_timeout")


def test_S4_P2_connection_closed_during_tls(edge):
    with failing.closing() as port:
        told_everywhere(edge, dial(edge, f"localhost:{port}"), "tls_closed")


def test_S4_P2_no_tls_there(edge, nginx):
    told_everywhere(edge, dial(edge, f"localhost:{nginx.port}"), "not_tls")


@pytest.mark.parametrize("transport", ["upgrade", "websocket"])
def test_S4_P2_timeout_of_the_handshake(edge, transport):
    with failing.answering(None, edge.authority.issue("localhost")) as (port, _):
        told_everywhere(edge, dial(edge, f"localhost:{port}", "--transport", transport), "handshake_timeout")


def test_S4_P2_both_transports_are_named(edge):
    with failing.answering(None, edge.authority.issue("localhost")) as (port, heads):
        link = told_everywhere(edge, dial(edge, f"localhost:{port}"), "handshake_timeout")
        assert "by upgrade: nothing answered" in link["lastError"]
        assert "by websocket: nothing answered" in link["lastError"]
        assert b"Upgrade: adit-link/1" in heads[0] and b"Upgrade: websocket" in heads[1]


# Certificates

def gateway_with(edge, chain, key):
    edge.link_chain, edge.link_key = chain, key
    edge.write_default()
    edge.start_gateway()


def test_S2_C2_S4_P4_certificate_for_another_name(edge):
    gateway_with(edge, *edge.authority.issue("elsewhere.test", "*.other.test", "192.0.2.1"))
    link = told_everywhere(edge, dial(edge, f"localhost:{edge.link}"), "certificate_wrong_name")
    for text in ("elsewhere.test, *.other.test, 192.0.2.1", "CN=test ca", "dialled was localhost"):
        assert text in link["lastError"]
    assert "links" in edge.admin_page("/status")[1] and edge.get().status == 503


def test_S2_C2_certificate_of_an_unknown_authority(edge, tmp_path):
    gateway_with(edge, edge.link_chain, edge.link_key)
    other = pki.Authority(tmp_path, "other")
    link = told_everywhere(edge, dial(edge, f"localhost:{edge.link}", ca_file=other.file), "certificate_unknown_authority")
    assert "issued by CN=test ca" in link["lastError"] and "--ca-file" in link["lastFix"]


def test_S2_C2_self_signed_certificate(edge, tmp_path):
    gateway_with(edge, *failing.self_signed(edge.authority, tmp_path / "own"))
    told_everywhere(edge, dial(edge, f"localhost:{edge.link}"), "certificate_self_signed")


@pytest.mark.parametrize("begin,end,name", [(-30, -2, "certificate_expired"), (2, 30, "certificate_not_yet_valid")])
def test_S2_C2_certificate_out_of_its_time(edge, tmp_path, begin, end, name):
    gateway_with(edge, *failing.out_of_time(edge.authority, tmp_path / "ca", begin, end))
    link = told_everywhere(edge, dial(edge, f"localhost:{edge.link}"), name)
    assert "valid from" in link["lastError"] and "the clock here says" in link["lastError"]
    assert "clock" in link["lastFix"]


def test_S4_P2_tls_1_2_only(edge):
    port = start_nginx(edge, "return 200;", tls="TLSv1.2")
    told_everywhere(edge, dial(edge, f"localhost:{port}"), "tls_version")


# The gateway's answers

def test_S4_P2_wrong_token(edge):
    edge.write_default()
    edge.start_gateway()
    connector = dial(edge, f"localhost:{edge.link}", token="a-wrong-token-0123456789")
    link = told_everywhere(edge, connector, "token_refused")
    assert "status 401" in link["lastError"] and "--token-file" not in link["lastError"]
    assert "a-wrong-token" not in connector.err + edge.gateway.err + edge.admin_page("/status", connector.admin)[1]


@pytest.mark.parametrize("status,gateway,name", [
    (401, True, "token_refused"), (403, True, "forbidden"), (409, True, "conflict"), (426, True, "version_refused"),
    (429, True, "too_many_attempts"), (503, True, "not_ready"), (404, False, "not_a_gateway"),
    (401, False, "front_refused"), (502, False, "front_failed")])
def test_S4_P2_refusals_with_their_reason(edge, status, gateway, name):
    answer = failing.refusal(status, f"reason {status} of a test", gateway)
    with failing.answering(answer, edge.authority.issue("localhost")) as (port, _):
        link = told_everywhere(edge, dial(edge, f"localhost:{port}"), name)
        assert f"reason {status} of a test" in link["lastError"]


@pytest.mark.parametrize("answer", [b"SSH-2.0-OpenSSH_9.2\r\n\r\n", failing.http(200, b"<html>")])
def test_S4_P2_another_kind_of_server(edge, answer):
    with failing.answering(answer, edge.authority.issue("localhost")) as (port, _):
        told_everywhere(edge, dial(edge, f"localhost:{port}"), "not_a_gateway")


def test_S4_P2_closed_without_an_answer(edge):
    with failing.answering(b"", edge.authority.issue("localhost")) as (port, _):
        told_everywhere(edge, dial(edge, f"localhost:{port}"), "handshake_closed")


@pytest.mark.parametrize("hours", [-1, 1])
def test_S4_P2_clocks_that_differ(edge, hours):
    answer = failing.refusal(401, "the token is not known", Date=failing.date_in(hours))
    with failing.answering(answer, edge.authority.issue("localhost")) as (port, _):
        link = told_everywhere(edge, dial(edge, f"localhost:{port}"), "token_refused")
        assert "the clock here says" in link["lastError"] and "that of the gateway" in link["lastError"]


def test_clocks_that_agree_are_not_mentioned(edge):
    answer = failing.refusal(401, "the token is not known", Date=failing.date_in(0))
    with failing.answering(answer, edge.authority.issue("localhost")) as (port, _):
        link = told_everywhere(edge, dial(edge, f"localhost:{port}"), "token_refused")
        assert "clock" not in link["lastError"]


# Files

def test_S4_P2_missing_files(edge):
    told_everywhere(edge, dial(edge, "localhost:1", token=None), "token_file")
    told_everywhere(edge, dial(edge, "localhost:1", ca_file="/nowhere.pem", name="without-ca"), "ca_file")


def mounted(folder, generation, **files):
    """As the kubelet does it: files are links through ..data, which is replaced in one step."""
    data = folder / f"..{generation}"
    data.mkdir(parents=True)
    for name, text in files.items():
        (data / name).write_text(text)
        if not (folder / name).is_symlink():
            (folder / name).symlink_to(f"..data/{name}")
    (folder / "..new").symlink_to(data.name)
    os.replace(folder / "..new", folder / "..data")


def test_credentials_of_a_mounted_secret_are_followed(edge, origin, tmp_path):
    edge.write_default()
    edge.start_gateway()
    secret = tmp_path / "secret"
    mounted(secret, 1, token="wrong-token-0123456789", ca=pki.Authority(tmp_path, "other").file.read_text())
    connector = edge.start_connector(f"http://127.0.0.1:{origin.port}", wait=False, flags=["--links", "1"],
                                     token_file=secret / "token", ca_file=secret / "ca")
    wait_cause(edge, connector, "certificate_unknown_authority")
    mounted(secret, 2, token="wrong-token-0123456789", ca=edge.authority.file.read_text())
    wait_cause(edge, connector, "token_refused")
    mounted(secret, 3, token=TOKEN, ca=edge.authority.file.read_text())
    edge.wait_status(200)


# Afterwards

def test_S3_P9_a_link_that_breaks_is_dialled_again(edge, origin):
    edge.write_default()
    connector = edge.start(f"http://127.0.0.1:{origin.port}", flags=["--links", "1"])
    edge.wait_status(200)
    for _ in range(2):
        edge.gateway.kill()
        wait_cause(edge, connector, "connection_refused")
        assert sum(value for name, value in edge.metrics(connector.admin).items()
                   if name.startswith("adit_connector_reconnects_total")) >= 1
        edge.start_gateway()
        edge.wait_status(200)
    assert links(edge, connector)[0]["state"] == "up"
    assert all("cause" in line and "reason" in line for line in log_lines(connector, "link is down"))


def test_equal_failures_are_not_logged_each_time(edge):
    port = free_port()
    connector = dial(edge, f"localhost:{port}")
    wait_cause(edge, connector, "connection_refused")
    wait_until(lambda: edge.metrics(connector.admin)['adit_connector_dials_total{result="connection_refused"}'] >= 4,
               "four dials have failed")
    assert len(log_lines(connector, "link can't be opened")) == 1


def test_the_table_of_causes_is_that_of_the_program(edge):
    page = pathlib.Path(__file__).parents[2] / "docs" / "connecting.md"
    documented = set(re.findall(r"^\| `(\w+)` \|", page.read_text(), re.MULTILINE))
    connector = dial(edge, "localhost:1")
    wait_cause(edge, connector, "connection_refused")
    counted = {name.split('"')[1] for name in edge.metrics(connector.admin) if name.startswith("adit_connector_dials_total")}
    assert documented == counted - {"up"}
