"""What docs/capabilities.md lists and no other test shows; and that the tests which that table names are there."""
import hashlib
import json
import pathlib
import re
import socket
import threading

import pytest

import documented_tests
import frames
import visitor
from edge import documents, token_secret, tunnel_manifest
from programs import wait_until

TABLE = documented_tests.ROOT / "docs" / "capabilities.md"
ROW = re.compile(r"^\| ([SO]\d*-?[CP]?\d*) \| (.+) \| (.+) \|$")


def rows():
    return [match.groups() for match in map(ROW.match, TABLE.read_text(encoding="utf-8").splitlines()) if match]


def test_every_test_of_the_table_is_there():
    named, wrong = 0, []
    for identifier, _, where in rows():
        found = documented_tests.tests_named(where)
        named += len(found)
        wrong += [f"{identifier}: {test}" for test in documented_tests.missing(found)]
        if not found and not where.startswith(("not yet: ", "no test: ")):
            wrong.append(f"{identifier}: neither a test nor a reason")
    assert named > 50 and not wrong, wrong


def test_the_table_has_each_id_once_and_tests_carry_theirs():
    listed = [identifier for identifier, _, _ in rows()]
    expected = [f"S{s}-{kind}{n}" for s, kind, count in
                ((1, "C", 11), (1, "P", 5), (2, "C", 17), (2, "P", 5), (3, "C", 5), (3, "P", 12), (4, "C", 18), (4, "P", 11),
                 (5, "C", 15), (5, "P", 5)) for n in range(1, count + 1)]
    expected += [f"O{n}" for n in (1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 18)]
    assert listed == expected
    by_id = {identifier: where for identifier, _, where in rows()}
    carried = [f"S{s}-{kind}{n}" for s in (1, 2, 3) for kind in "CP" for n in range(1, 20) if f"S{s}-{kind}{n}" in by_id]
    nameless = [i for i in (*carried, "S4-P2", "S4-P6", "S4-C13")
                if "::" in by_id[i] and f"test_" in by_id[i] and i.replace("-", "_") not in by_id[i]]
    assert not nameless, f"tests that do not carry their id: {nameless}"


# S1

def test_S1_C1_a_webhook_reaches_a_service_under_development(tunnelled, origin):
    """Whatever a signature may be made of arrives as it was sent."""
    body = json.dumps({"event": "paid", "text": "\u20ac  "}).encode()
    answer = tunnelled.get("/seen?b=2&a=1", method="POST", body=body, fields={
        "Content-Type": "application/json", "X-Signature": "sha256=" + hashlib.sha256(body).hexdigest()})
    seen = json.loads(answer.body)
    assert (seen["method"], seen["target"], seen["digest"]) == ("POST", "/seen?b=2&a=1", hashlib.sha256(body).hexdigest())
    assert dict(seen["fields"])["X-Signature"] == "sha256=" + seen["digest"]


def test_S1_C2_visitors_and_links_have_ports_of_their_own(tunnelled):
    with tunnelled.raw() as raw:  # a link at the port of visitors
        raw.send(frames.hello())
        assert raw.status() == 404
    with visitor.Raw(tunnelled.link, visitor.trusting(tunnelled.authority.file), "localhost") as raw:
        raw.send("GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n")
        assert raw.status() == 404


def test_S1_C5_the_upstream_is_a_url(edge, origin):
    edge.write_default()
    edge.start(f"http://localhost:{origin.port}")
    edge.wait_status(200, "/")
    assert origin.requests


def test_S1_P1_nothing_is_limited_unless_asked(edge, origin):
    """More tunnels, connectors, visitors and bytes than any free plan."""
    names = [f"t{n}" for n in range(20)]
    edge.write("all.yaml", documents(*(documents(
        tunnel_manifest(name, f"4d21094e-b74c-4916-86c1-d9fa36ea67{n:02x}", f"  - {{host: {name}.test}}\n"),
        token_secret(f"{name}-connector", f"the-token-of-{name}-0123456789")) for n, name in enumerate(names))))
    edge.start_gateway()
    for n in (0, 19):
        edge.start_connector(f"http://127.0.0.1:{origin.port}", name=names[n], token=f"the-token-of-{names[n]}-0123456789",
                             tunnel=f"4d21094e-b74c-4916-86c1-d9fa36ea67{n:02x}")
        edge.wait_status(200, host=f"{names[n]}.test")
    assert len(edge.get(f"/big?bytes={30 << 20}", host="t0.test").body) == 30 << 20


def test_S1_P4_who_was_let_in_and_what_was_asked_is_on_record(tunnelled):
    link = next(line for line in map(json.loads, tunnelled.gateway.err.splitlines()) if line["message"] == "link is up")
    assert link["tunnel"] == "default/shop" and link["connector"] and link["instance"] and link["remote"]
    tunnelled.get("/audited")
    wait_until(lambda: any(line["path"] == "/audited" for line in tunnelled.access_log()), "the request is logged")
    line = next(line for line in tunnelled.access_log() if line["path"] == "/audited")
    assert line["visitor"] and line["connector"] == link["connector"] and line["tunnel"] == "default/shop"


class Wiretap:
    """Passes bytes on to a port and keeps a copy."""

    def __init__(self, port):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port, self.seen, self._to = self.listener.getsockname()[1], bytearray(), port
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            far = socket.create_connection(("127.0.0.1", self._to))
            for one, other in ((near, far), (far, near)):
                threading.Thread(target=self._pass, args=(one, other), daemon=True).start()

    def _pass(self, one, other):
        try:
            while piece := one.recv(65536):
                self.seen += piece
                other.sendall(piece)
            other.shutdown(socket.SHUT_WR)
        except OSError:
            pass


def test_S1_P3_S2_C4_S3_P5_both_public_legs_are_encrypted(edge, origin):
    edge.write_default(tls="shop-tls")
    edge.write_tls("shop.test")
    edge.start_gateway()
    link, public = Wiretap(edge.link), Wiretap(edge.https)
    edge.link, edge.https = link.port, public.port
    edge.start_connector(f"http://127.0.0.1:{origin.port}")
    edge.wait_status(200)
    assert b"GET /the-secret-path" in edge.curl(edge.url("/the-secret-path", https=True), https=True)
    for tap in (link, public):
        assert len(tap.seen) > 1000 and b"secret" not in tap.seen and b"shop-tls" not in tap.seen
        assert frames.TOKEN.encode() not in tap.seen
        tap.listener.close()


# S2

def test_S2_C11_who_is_connected_who_was_and_what_they_moved(edge, origin):
    edge.write_default()
    first = edge.start(f"http://127.0.0.1:{origin.port}", name="first", flags=["--name", "first"])
    edge.start_connector(f"http://127.0.0.1:{origin.port}", name="second", flags=["--name", "second"])
    edge.wait_status(200)
    assert len(edge.get("/big?bytes=3000000").body) == 3_000_000

    def shown():
        tunnel = json.loads(edge.admin_page("/status")[1])["tunnels"][0]
        return {c["connector"]: c for c in tunnel["knownConnectors"]}, tunnel["links"]
    wait_until(lambda: sum(c["bytesIn"] for c in shown()[0].values()) > 3_000_000, "the bytes are on the page")
    wait_until(lambda: all(link["lastPing"] and link["roundTripMicroseconds"] for link in shown()[1]), "pings were answered")
    for link in shown()[1]:
        assert {"connector", "instance", "remote", "transport", "since", "bytesIn", "bytesOut", "lastHeard", "streamsOpen",
                "state"} <= link.keys()
    assert any("MiB" in c["received"] for c in shown()[0].values())
    assert all(c["connected"] for c in shown()[0].values())
    first.kill()
    wait_until(lambda: not shown()[0]["first"]["connected"], "the first is shown as gone")
    gone = shown()[0]["first"]
    assert gone["gone"] and gone["lastEnd"] == "lost" and gone["lastReason"] and gone["firstConnected"] <= gone["gone"]
    assert shown()[0]["second"]["connected"]
    edge.start_connector(f"http://127.0.0.1:{origin.port}", name="third", flags=["--name", "third"])
    assert shown()[0]["third"]["connected"] and list(shown()[0])[-1] == "first", "who is there comes first"


@pytest.mark.parametrize("which", ["gateway", "connector"])
def test_S2_C6_state_is_json(tunnelled, which):
    page = json.loads(tunnelled.admin_page("/status", None if which == "gateway" else tunnelled.connector.admin)[1])
    assert page["program"] == f"adit-{which}" and page["version"]


def test_S2_P1_the_manifest_of_a_tunnel_has_five_lines(edge, origin):
    """With the Secret of its token; the id is made of namespace and name."""
    manifest = ("apiVersion: adit.dev/v1alpha1\nkind: Tunnel\nmetadata: {name: shop, namespace: default}\n"
                "spec:\n  routes: [{host: shop.test}]\n")
    assert len(manifest.splitlines()) == 5
    edge.write("shop.yaml", documents(manifest, token_secret()))
    edge.start(f"http://127.0.0.1:{origin.port}", tunnel=None)
    edge.wait_status(200)


def test_S2_P4_a_first_start_logs_no_error(edge):
    edge.start_gateway()
    connector = edge.start_connector("http://127.0.0.1:1", token=None, wait=False)
    wait_until(lambda: "/token-" in connector.err, "the missing file is named")
    for program in (edge.gateway, connector):
        text = program.err
        for line in map(json.loads, text[:text.rfind("\n") + 1].splitlines()):
            assert line["level"] in ("debug", "info", "warning"), line


# S3

def listening_ports(pid):
    """Ports of TCP sockets that the process listens on."""
    own = set()
    for entry in pathlib.Path(f"/proc/{pid}/fd").iterdir():
        try:
            own.add(str(entry.readlink()))
        except OSError:
            continue
    ports = set()
    for table in ("tcp", "tcp6"):
        for line in pathlib.Path(f"/proc/{pid}/net/{table}").read_text(encoding="ascii").splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and f"socket:[{fields[9]}]" in own:
                ports.add(int(fields[1].rsplit(":", 1)[1], 16))
    return ports


def test_S3_C1_only_the_inside_dials(tunnelled):
    assert listening_ports(tunnelled.connector.process.pid) == {tunnelled.connector.admin}
    assert {tunnelled.http, tunnelled.link} <= listening_ports(tunnelled.gateway.process.pid)


def test_S3_C2_S3_P7_each_visitor_gets_the_answer_to_its_own_request(tunnelled):
    """Many at once, each with connections of its own, over links that they share."""
    wrong, threads = [], []

    def visit(number):
        for turn in range(20):
            answer = tunnelled.get(f"/visitor-{number}-{turn}").body
            if answer != f"GET /visitor-{number}-{turn}".encode():
                wrong.append(answer)
    for number in range(40):
        threads.append(threading.Thread(target=visit, args=(number,)))
        threads[-1].start()
    for thread in threads:
        thread.join()
    assert not wrong, wrong[:5]
