"""`adit-connector doctor`: goes through the steps, and says of each how it is and what to do."""
import json
import subprocess

import pytest

import failing
import pki
from edge import TUNNEL
from fronts import PASSWORD, start_nginx, start_tinyproxy, to_gateway
from programs import BIN, PATIENCE, free_port

QUICK = ["--dial-timeout", "1s"]


def doctor(edge, *flags, services=(), env=None, **credentials):
    """(exit code, findings by subject and step)."""
    argv = [BIN / "adit-connector", "doctor", *edge.connector_flags(**credentials), *QUICK, "--output", "json", *flags]
    for service in services:
        argv += ["--service", service]
    done = subprocess.run(list(map(str, argv)), capture_output=True, text=True, timeout=PATIENCE * 2, check=False,
                          env={"PATH": "/usr/bin", **(env or {})})
    assert done.stdout, done.stderr
    findings = json.loads(done.stdout)
    assert findings["ok"] == (done.returncode == 0)
    assert PASSWORD not in done.stdout + done.stderr
    return done.returncode, {subject["name"].split(" ")[0]: subject for subject in findings["subjects"]}


def steps(subject):
    return {step["step"]: step for step in subject["steps"]}


def results(subject):
    return {step["step"]: step["result"] for step in subject["steps"]}


@pytest.fixture
def gateway(edge):
    edge.write_default()
    edge.start_gateway()
    return edge


def test_everything_is_right(gateway, origin, tls_origin):
    tls_service = f"safe=https://localhost:{tls_origin.port}?caFile={gateway.authority.file}"
    code, found = doctor(gateway, services=[f"http://127.0.0.1:{origin.port}", tls_service])
    assert code == 0
    assert set(results(found["settings"]).values()) == {"ok"}
    assert results(found["gateway"]) == {
        "proxy": "ok", "name": "ok", "connection": "ok", "proxy tunnel": "skipped", "TLS": "ok", "upgrade": "ok",
        "upgrade link": "ok", "websocket": "ok", "websocket link": "ok"}
    tls = steps(found["gateway"])["TLS"]["detail"]
    assert "TLSv1.3" in tls and "for localhost, 127.0.0.1, issued by CN=test ca, valid from" in tls
    assert "round trip" in steps(found["gateway"])["upgrade link"]["detail"]
    assert found["service"]["ok"]
    # The doctor's links offered nothing, so no visitor was led to them.
    assert gateway.get().status == 503


def test_text_names_the_step_that_failed_and_its_fix(edge):
    port = free_port()
    argv = [BIN / "adit-connector", "doctor", *edge.connector_flags(gateway=f"localhost:{port}"), *QUICK, "--service",
            f"tcp://127.0.0.1:{port}"]
    done = subprocess.run(list(map(str, argv)), capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    failed = next(i for i, line in enumerate(lines) if "connection" in line and "failed" in line)
    assert "nobody listens there" in lines[failed] and "fix: Check the port" in lines[failed + 1]
    assert all("skipped" in line for line in lines[failed + 2:failed + 6])
    assert f"not all right: gateway localhost:{port}, service default (tcp://127.0.0.1:{port})" in lines[-1]


def only_failure(subject, step, cause):
    """That step failed for that cause, what was before it is right, and what needs it was skipped."""
    names = list(results(subject))
    at = names.index(step)
    for name, result in results(subject).items():
        expected = ("ok", "skipped") if names.index(name) < at else ("failed",) if name == step else ("skipped",)
        assert result in expected, f"{name}: {result}"
    assert steps(subject)[step]["cause"] == cause
    assert steps(subject)[step]["fix"]
    assert not subject["ok"]


def test_name(edge):
    code, found = doctor(edge, gateway="no-such-host.invalid", services=["tcp://127.0.0.1:1"])
    assert code == 1
    cause = steps(found["gateway"])["name"]["cause"]
    assert cause in ("name_not_found", "resolver_failed", "resolve_timeout")
    only_failure(found["gateway"], "name", cause)


def test_black_hole(edge):
    with failing.full_port() as port:
        _, found = doctor(edge, gateway=f"127.0.0.1:{port}", services=["tcp://127.0.0.1:1"])
    only_failure(found["gateway"], "connection", "connect_timeout")
    assert found["service"]["steps"][0]["cause"] == "refused"


def test_certificate(gateway, tmp_path):
    _, found = doctor(gateway, ca_file=pki.Authority(tmp_path, "other").file, services=["tcp://127.0.0.1:1"])
    only_failure(found["gateway"], "TLS", "certificate_unknown_authority")


def test_token(gateway):
    _, found = doctor(gateway, token="a-wrong-token-0123456789", services=["tcp://127.0.0.1:1"])
    only_failure(found["gateway"], "upgrade", "token_refused")
    assert steps(found["gateway"])["websocket"]["detail"] == "it would be answered alike"


def test_missing_files(edge):
    _, found = doctor(edge, token=None, ca_file="/nowhere.pem", services=[
        "https://localhost:1?caFile=/nowhere-else.pem"])
    assert results(found["settings"])["token file"] == results(found["settings"])["CA file"] == "failed"
    assert results(found["settings"])["services' CAs"] == "failed"
    assert results(found["gateway"])["credentials"] == "failed"
    assert results(found["service"]) == {"connection": "skipped"}


def test_proxy(gateway, origin):
    proxy = start_tinyproxy(gateway, [gateway.link])
    service = f"http://127.0.0.1:{origin.port}"
    code, found = doctor(gateway, "--proxy", proxy.url_with_password, services=[service])
    assert code == 0
    assert results(found["gateway"])["proxy tunnel"] == "ok"
    assert steps(found["gateway"])["proxy"]["detail"] == f"{proxy.url} (--proxy)"
    _, found = doctor(gateway, "--proxy", proxy.url, services=[service])
    only_failure(found["gateway"], "proxy tunnel", "proxy_authentication")
    _, found = doctor(gateway, services=[service], env={"HTTPS_PROXY": proxy.url, "NO_PROXY": "localhost"})
    assert steps(found["gateway"])["proxy"]["detail"] == "none (NO_PROXY: localhost)"


def test_one_transport_is_enough(gateway, origin):
    port = start_nginx(gateway, to_gateway(gateway, "$ws"), http='map $http_upgrade $ws { default ""; websocket websocket; }')
    service = f"http://127.0.0.1:{origin.port}"
    code, found = doctor(gateway, gateway=f"https://localhost:{port}", services=[service])
    assert code == 0
    assert found["gateway"]["verdict"] == "links by websocket"
    assert results(found["gateway"])["upgrade"] == "failed" and results(found["gateway"])["upgrade link"] == "skipped"
    code, found = doctor(gateway, "--transport", "upgrade", gateway=f"https://localhost:{port}", services=[service])
    assert code == 1
    assert "websocket" not in results(found["gateway"])


def test_a_running_connector_is_left_alone(gateway, origin):
    connector = gateway.start_connector(f"http://127.0.0.1:{origin.port}", flags=["--links", "1"])
    gateway.wait_status(200)
    assert doctor(gateway, services=[f"http://127.0.0.1:{origin.port}"], tunnel=TUNNEL)[0] == 0
    assert gateway.get().status == 200
    assert "link is down" not in connector.err


def test_wrong_settings_end_with_2(edge):
    done = subprocess.run([BIN / "adit-connector", "doctor", "--gateway", "edge.test:0"], capture_output=True, text=True,
                          timeout=PATIENCE, check=False)
    assert done.returncode == 2 and "--gateway" in done.stderr and "--token-file is missing" not in done.stdout
