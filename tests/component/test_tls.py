"""TLS for visitors: certificates that change, sessions that resume, handshakes that are cut up or never end."""
import os
import pathlib
import shutil
import socket
import ssl
import struct
import subprocess
import json

import pytest

import pki
import visitor
from edge import ROUTES
from programs import BIN, PATIENCE, wait_until

REQUEST = "GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n"
FAILURES = "adit_gateway_tls_handshake_failures_total"
CACHE = pathlib.Path(os.environ.get("ADIT_CACHE") or pathlib.Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "adit")


@pytest.fixture
def start(edge, origin):
    """A gateway with its flags that serves shop.test and other.test by one certificate."""
    def start(*flags, routes=ROUTES + "  - {host: other.test}\n"):
        edge.write_default(routes=routes, tls="shop-tls")
        edge.write_tls("shop.test", "other.test")
        edge.start(f"http://127.0.0.1:{origin.port}", gateway=flags)
        return edge
    return start


@pytest.fixture
def secure(start):
    return start()


def client(edge, version=None):
    context = visitor.trusting(edge.authority.file)
    if version:
        context.minimum_version = context.maximum_version = version
    return context


def serial(edge):
    """Of the certificate that a new visitor is shown."""
    with visitor.Raw(edge.https, client(edge)) as raw:
        return raw.socket.getpeercert()["serialNumber"]


def tls_works(edge):
    try:
        return bool(serial(edge))
    except ssl.SSLError:
        return False


def visit(edge, context, name="shop.test", session=None):
    """(the session to resume next time, whether this one was resumed)"""
    plain = socket.create_connection(("127.0.0.1", edge.https), PATIENCE)
    with context.wrap_socket(plain, server_hostname=name, session=session) as secure:
        secure.sendall(REQUEST.replace("shop.test", name).encode())
        assert secure.recv(65536).startswith(b"HTTP/1.1 200")
        return secure.session, secure.session_reused


# Certificates that change


def test_a_new_certificate_leaves_connections_alone(secure):
    before = serial(secure)
    with visitor.Raw(secure.https, client(secure)) as live:
        live.send(REQUEST)
        assert live.status() == 200
        live.read_until(b"GET /")
        secure.write_tls("shop.test", "other.test")
        wait_until(lambda: serial(secure) != before, "the new certificate is served")
        live.send(REQUEST)
        assert live.status() == 200
        assert live.socket.getpeercert()["serialNumber"] == before
    assert secure.metrics()[FAILURES] == 0


@pytest.fixture(params=["mismatch", "no key", "no chain"])
def spoilt(secure, request):
    """Its Secret is replaced by one that cannot be used, which the log tells."""
    secure.before = serial(secure)
    nonsense, other = secure.folder / "nonsense", secure.folder / "other.key"
    nonsense.write_text("nonsense")
    shutil.copy(secure.authority.issue("shop.test")[1], other)
    chain, key = secure.authority.issue("shop.test", "other.test")
    pair, secure.named = {"mismatch": ((chain, other), "tls.key"), "no key": ((chain, nonsense), "tls.key"),
                          "no chain": ((nonsense, key), "tls.crt")}[request.param]
    secure.log_before = len(secure.gateway.err)
    secure.write("shop-tls.yaml", pki.tls_secret("shop-tls", *pair))
    wait_until(lambda: "shop-tls" in secure.gateway.err[secure.log_before:], "the log names the Secret")
    return secure


def test_a_wrong_key_is_told(spoilt):
    told = [line for line in spoilt.gateway.err[spoilt.log_before:].splitlines() if "shop-tls" in line]
    assert any(spoilt.named in line for line in told), told
    spoilt.write_tls("shop.test", "other.test")
    wait_until(lambda: tls_works(spoilt), "a right one is served")


def test_the_old_certificate_stays_when_the_new_one_is_wrong(spoilt):
    assert tls_works(spoilt)
    assert serial(spoilt) == spoilt.before


# Sessions


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=["1.2", "1.3"])
def test_sessions_resume_for_the_same_host_and_certificate(start, version):
    edge = start("--workers", "2")  # whichever worker takes the next connection
    context = client(edge, version)
    session, reused = visit(edge, context)
    assert not reused
    for _ in range(8):
        assert visit(edge, context, session=session)[1]
    assert not visit(edge, context, "other.test", session)[1], "a session of another host"
    before = serial(edge)
    edge.write_tls("shop.test", "other.test")
    wait_until(lambda: serial(edge) != before, "the new certificate is served")
    assert not visit(edge, context, session=session)[1], "a session of another certificate"


# Versions and ciphers


def test_versions_and_ciphers_can_be_set(start):
    edge = start("--tls-min-version", "1.3", "--tls-cipher-suites", "TLS_AES_256_GCM_SHA384")
    with pytest.raises(ssl.SSLError):
        visit(edge, client(edge, ssl.TLSVersion.TLSv1_2))
    with visitor.Raw(edge.https, client(edge)) as raw:
        assert raw.socket.version() == "TLSv1.3"
        assert raw.socket.cipher()[0] == "TLS_AES_256_GCM_SHA384"
        assert raw.socket.selected_alpn_protocol() is None


@pytest.mark.parametrize("flag, value", [("--tls-ciphers", "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-TYPO"),
                                         ("--tls-cipher-suites", "TLS_AES_128_GCM_SHA265"), ("--tls-min-version", "1.1")])
def test_a_wrong_setting_is_told_at_the_start(edge, flag, value):
    done = subprocess.run([BIN / "adit-gateway", *map(str, edge.gateway_flags()), flag, value], capture_output=True,
                          text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 2
    assert flag in done.stderr and value.rsplit(":", 1)[-1] in done.stdout + done.stderr + "1.1"


# Handshakes


def client_hello(context):
    """The first bytes of a handshake, and the objects to go on with it."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(incoming, outgoing, server_hostname="shop.test")
    with pytest.raises(ssl.SSLWantReadError):
        tls.do_handshake()
    return outgoing.read(), tls, incoming, outgoing


def cut_records(hello, most):
    payload = hello[5:]
    pieces = [payload[at:at + most] for at in range(0, len(payload), most)]
    return [b"\x16\x03\x01" + struct.pack(">H", len(piece)) + piece for piece in pieces]


@pytest.mark.parametrize("how", ["bytes", "records", "bytes of records"])
def test_a_client_hello_in_pieces(secure, how):
    hello, tls, incoming, outgoing = client_hello(client(secure))
    pieces = [hello] if how == "bytes" else cut_records(hello, 16)
    if "bytes" in how:
        pieces = [bytes([byte]) for byte in b"".join(pieces)]
    with socket.create_connection(("127.0.0.1", secure.https), PATIENCE) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for piece in pieces:
            connection.sendall(piece)
        while True:
            incoming.write(connection.recv(65536))
            try:
                tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                continue
        tls.write(REQUEST.encode())
        connection.sendall(outgoing.read())
        while True:
            incoming.write(connection.recv(65536))
            try:
                assert tls.read(1024).startswith(b"HTTP/1.1 200")
                break
            except ssl.SSLWantReadError:
                continue


HALF = "16030100c8010000c40303" + "00" * 40
ENDLESS = b"\x16\x03\x01\x40\x00\x01\x01\xff\xff" + bytes(16380) + (b"\x16\x03\x01\x40\x00" + bytes(16384)) * 7


@pytest.mark.parametrize("bytes_sent", [b"", bytes.fromhex(HALF), b"GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n", bytes(1000),
                                        ENDLESS], ids=["nothing", "half a hello", "HTTP", "zeros", "a hello of 128 KiB"])
def test_what_is_no_handshake_is_closed(start, bytes_sent):
    edge = start("--header-timeout", "1s")
    with visitor.Raw(edge.https) as raw:
        try:
            raw.send(bytes_sent)
        except ConnectionError:
            pass  # refused before it was whole
        assert b"HTTP" not in raw.read_all()
    wait_until(lambda: edge.metrics()["adit_gateway_connections_open"] == 0, "the connection is gone")
    assert visit(edge, client(edge))


# Scanners: nothing obsolete, nothing vulnerable


@pytest.fixture
def scanned(start):
    return start(routes=ROUTES + '  - {host: "*"}\n')  # for what they try without a server name


def test_sslyze_finds_nothing_obsolete(scanned, tmp_path):
    programs = sorted(CACHE.glob("sslyze-*/bin/python"))
    if not programs:
        pytest.skip("sslyze is not there: .ci/deps test")
    report = tmp_path / "sslyze.json"
    scans = ("sslv2 sslv3 tlsv1 tlsv1_1 tlsv1_2 tlsv1_3 compression early_data openssl_ccs heartbleed fallback robot reneg "
             "resum elliptic_curves ems").split()
    subprocess.run([programs[-1], "-m", "sslyze", *(f"--{scan}" for scan in scans), "--sni", "shop.test", "--mozilla_config",
                    "disable", f"--json_out={report}", f"127.0.0.1:{scanned.https}"],
                   capture_output=True, timeout=120, check=True)
    found = json.loads(report.read_text())["server_scan_results"][0]["scan_result"]
    found = {name: scan["result"] for name, scan in found.items() if scan["status"] == "COMPLETED"}
    assert len(found) == len(scans)
    for version in ("ssl_2_0", "ssl_3_0", "tls_1_0", "tls_1_1"):
        assert not found[f"{version}_cipher_suites"]["is_tls_version_supported"], version
    for version in ("tls_1_2", "tls_1_3"):
        names = {suite["cipher_suite"]["name"] for suite in found[f"{version}_cipher_suites"]["accepted_cipher_suites"]}
        assert names
        for name in names:
            assert name.startswith("TLS_ECDHE_") or version == "tls_1_3", name
            assert "_GCM_" in name or "_CHACHA20_" in name, name
    assert {curve["name"] for curve in found["elliptic_curves"]["supported_curves"]} == {"X25519", "secp256r1", "secp384r1"}
    assert not found["tls_compression"]["supports_compression"]
    assert not found["tls_1_3_early_data"]["supports_early_data"]
    assert not found["openssl_ccs_injection"]["is_vulnerable_to_ccs_injection"]
    assert not found["heartbleed"]["is_vulnerable_to_heartbleed"]
    assert found["robot"]["robot_result"].startswith("NOT_VULNERABLE")
    assert found["session_renegotiation"]["supports_secure_renegotiation"]
    assert not found["session_renegotiation"]["is_vulnerable_to_client_renegotiation_dos"]
    assert found["tls_fallback_scsv"]["supports_fallback_scsv"]
    assert found["tls_extended_master_secret"]["supports_ems_extension"]
    assert found["session_resumption"]["session_id_resumption_result"] == "NOT_SUPPORTED"
    assert found["session_resumption"]["tls_ticket_resumption_result"] == "FULLY_SUPPORTED"


# About the certificate of the test, its authority and this machine rather than about the gateway.
NOT_OURS = ("cert_", "DNS_CAArecord", "engine_problem", "scanTime")


def scan_by_testssl(program, port, report):
    """What it found. Its own connections time out on a busy machine; then it says so, and is asked again."""
    for _ in range(3):
        report.unlink(missing_ok=True)
        subprocess.run([program, "--quiet", "--warnings", "off", "--openssl-timeout", "20", "--jsonfile", report, "--color",
                        "0", "-p", "-s", "-f", "-P", "-S", "-U", "--ip", "127.0.0.1", f"https://shop.test:{port}"],
                       capture_output=True, stdin=subprocess.DEVNULL, timeout=270, check=False)  # counts findings as failure
        found = json.loads(report.read_text())
        if not any("check failed because of connect problem" in f["finding"] for f in found):
            break
    return found


def test_testssl_finds_nothing_vulnerable(scanned, tmp_path):
    program = shutil.which("testssl") or shutil.which("testssl.sh")
    if not program:
        pytest.skip("testssl.sh is not there: .ci/deps test")
    found = scan_by_testssl(program, scanned.https, tmp_path / "testssl.json")
    assert len(found) > 60, "the scan was cut short"
    ours = [f"{f['id']}: {f['severity']} {f['finding']}" for f in found
            if f["severity"] not in ("OK", "INFO") and not f["id"].startswith(NOT_OURS)]
    assert not ours, "\n".join(ours)
