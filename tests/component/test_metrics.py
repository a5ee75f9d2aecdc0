"""docs/metrics.md says what the programs export, no more and no less, and promtool finds nothing wrong with a page."""
import contextlib
import pathlib
import re
import signal
import subprocess
import time

import pytest

import frames
from edge import documents, token_secret, tunnel_manifest
from programs import BIN, free_port, wait_until

DOCUMENT = pathlib.Path(__file__).parents[2] / "docs" / "metrics.md"
NARROW = "4d21094e-b74c-4916-86c1-d9fa36ea677c"
ROW = re.compile(r"^\| `(\w+)` \| (counter|gauge|histogram) \| ([\w, –]+) \| ([\w–]+) \| (.+) \|$")


def documented(*sections):
    """name → (type, label names, unit) of these sections; "Gateway+" is the second table of "Gateway"."""
    tables, section = {}, None
    for line in DOCUMENT.read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            section = line[3:]
        if line.startswith("With `--operator`"):
            section += "+"
        if line.startswith("With `--peer-listen`"):
            section = "Gateway with peers"
        row = ROW.match(line)
        assert bool(row) == line.startswith(("| `adit_", "| `process_")), f"not a row of a table: {line}"
        if row:
            labels = set() if row[3] == "–" else set(row[3].split(", "))
            assert row[1] not in tables.setdefault(section, {}), f"{row[1]} is there twice"
            tables[section][row[1]] = (row[2], labels, row[4])
    return {name: what for section in sections for name, what in tables[section].items()}


class Page:
    def __init__(self, edge, admin):
        status, self.text = edge.admin_page("/metrics", admin)
        assert status == 200
        self.types = dict(re.findall(r"^# TYPE (\S+) (\S+)$", self.text, re.MULTILINE))
        self.labels = {}
        for sample, labels in re.findall(r"^([a-z]\w*)(?:\{(.*)\})? \S+$", self.text, re.MULTILINE):
            name = sample if sample in self.types else re.sub("_(bucket|sum|count)$", "", sample)
            self.labels.setdefault(name, set()).update(set(re.findall(r'(\w+)="', labels)) - {"le"})

    def judge(self, *sections, silent=()):
        """`silent`: families that need not have a series here."""
        told = documented("Every program", *sections)
        assert {name: what[0] for name, what in told.items()} == self.types
        wrong = {name: self.labels[name] for name, what in told.items() if name in self.labels and self.labels[name] != what[1]}
        assert not wrong
        mute = [name for name in told if name not in self.labels and name not in silent]
        assert not mute, f"without a series: {mute}"
        for name, (kind, _, unit) in told.items():
            assert name.endswith("_total") == (kind == "counter"), name
            assert unit == "–" or f"_{unit}" in name, f"{name} is in {unit}"
        checked = subprocess.run(["promtool", "check", "metrics"], input=self.text, capture_output=True, text=True, check=False)
        assert checked.returncode == 0 and not checked.stderr.strip(), checked.stderr


@pytest.fixture
def busy(edge, origin):
    """Traffic, errors and a link that has ended, so that every family has something to say."""
    edge.write_default(tls="shop-tls")
    edge.write_tls("shop.test")
    edge.write("narrow.yaml", documents(
        tunnel_manifest("narrow", NARROW, "  - {host: narrow.test}\n  limits: {connections: 9, requestsPerSecond: 1}\n"),
        token_secret("narrow-connector", "a-token-that-nobody-has-0123456789")))
    edge.connector = edge.start(f"http://127.0.0.1:{origin.port}", flags=["--probe", "tcp"], gateway=["--max-connections", "1000"])
    first = edge.start_connector(f"http://127.0.0.1:{origin.port}", name="first")
    edge.wait_status(200)
    edge.get("/echo", method="POST", body=b"x" * 1000)
    edge.get("/drop")
    edge.get(host="nobody.test")
    assert {edge.get(host="narrow.test").status for _ in range(5)} == {429, 503}
    first.stop()
    wait_until(lambda: any("links_ended" in n and v for n, v in edge.metrics().items()), "a link has ended")
    return edge


def test_gateway_with_manifests(busy):
    Page(busy, busy.admin).judge("Gateway")


def test_connector(busy):
    Page(busy, busy.connector.admin).judge("Connector")


def test_gateway_with_an_operator(edge):
    """Nobody is there to connect to; the families are."""
    (edge.folder / "token").write_text("token")
    admin = free_port()
    gateway = edge.run("gateway", [
        BIN / "adit-gateway", "--operator", f"wss://localhost:{free_port()}", "--operator-token-file", edge.folder / "token",
        "--operator-ca-file", edge.authority.file, "--link-host", "localhost", "--http", f"127.0.0.1:{edge.http}",
        "--https", "off", "--link", f"127.0.0.1:{edge.link}", "--admin", f"127.0.0.1:{admin}"])
    wait_until(lambda: edge.admin_page("/healthz", admin)[0] == 200, "the gateway lives")
    assert gateway.running()
    labelled = [name for name, what in documented("Gateway", "Gateway+").items() if what[1] and what[1] != {"code"}]
    Page(edge, admin).judge("Gateway", "Gateway+", silent=[
        *labelled, "adit_gateway_tunnel_requests_total", "adit_gateway_connections_limit", "adit_gateway_operator_message_age_seconds",
        "adit_gateway_link_certificate_expiry_timestamp_seconds"])


def test_gateway_with_peers(busy):
    busy.gateway.stop()
    busy.start_gateway("--peer-listen", f"127.0.0.1:{free_port()}", "--insecure", name="with-peers")
    Page(busy, busy.admin).judge("Gateway", "Gateway with peers", silent=[
        name for name, what in documented("Gateway").items() if what[1] - {"level", "code"}
    ] + ["adit_gateway_link_certificate_expiry_timestamp_seconds", "adit_gateway_tunnel_requests_total",
         "adit_gateway_connections_limit"])


def test_operator(edge):
    """The API server is nowhere; the families are there."""
    if not (BIN / "adit-operator").exists():
        pytest.skip("the operator is not part of this build")
    kubeconfig = edge.folder / "kubeconfig"
    kubeconfig.write_text(
        "apiVersion: v1\nkind: Config\ncurrent-context: c\ncontexts: [{name: c, context: {cluster: c, user: u}}]\n"
        f"clusters: [{{name: c, cluster: {{server: 'https://127.0.0.1:{free_port()}'}}}}]\nusers: [{{name: u, user: {{token: t}}}}]\n")
    admin = free_port()
    edge.run("operator", [
        BIN / "adit-operator", "--kubeconfig", kubeconfig, "--namespace", "adit", "--control", f"127.0.0.1:{free_port()}",
        "--control-name", "localhost", "--admin", f"127.0.0.1:{admin}", "--gateway-address", "edge.test:443",
        "--public-address", "edge.test"])
    wait_until(lambda: edge.admin_page("/healthz", admin)[0] == 200, "the operator lives")
    Page(edge, admin).judge("Operator")


def values(edge, family, **labels):
    """The values of the samples of a family that have these labels."""
    wanted = [f'{name}="{value}"' for name, value in labels.items()]
    return [value for sample, value in edge.metrics().items()
            if sample.split("{")[0] == family and all(w in sample for w in wanted)]


def test_S2_C5_traffic_of_each_connector_is_counted(edge, origin):
    edge.write_default()
    edge.start(f"http://127.0.0.1:{origin.port}")
    edge.wait_status(200)
    edge.get("/echo", method="POST", body=b"x" * 500_000)

    def total(family):
        return sum(values(edge, family, tunnel="default/shop"))
    wait_until(lambda: total("adit_gateway_connector_sent_bytes_total") > 500_000, "bytes to the connector are counted")
    wait_until(lambda: total("adit_gateway_connector_received_bytes_total") > 500_000, "bytes from the connector are counted")
    assert total("adit_gateway_connector_streams_total") >= 1
    assert total("adit_gateway_tunnel_received_bytes_total") >= 500_000 <= total("adit_gateway_tunnel_sent_bytes_total")


def test_S4_C15_requests_bytes_and_durations_are_counted(tunnelled):
    before = sum(values(tunnelled, "adit_gateway_tunnel_requests_total", code="2xx"))
    for _ in range(5):
        tunnelled.get("/")
    wait_until(lambda: sum(values(tunnelled, "adit_gateway_tunnel_requests_total", code="2xx")) == before + 5, "five more requests")
    assert values(tunnelled, "adit_gateway_request_duration_seconds_sum")[0] > 0
    assert values(tunnelled, "adit_gateway_tunnel_first_byte_seconds_count", tunnel="default/shop")[0] >= 5
    line = tunnelled.wait_access_log(1)[-1]
    assert line["request_id"] and line["duration_ms"] >= 0


def test_the_bytes_of_a_websocket_are_counted_while_it_is_open(edge):
    import socket

    from test_websocket import RawService, switching, upgrade
    with socket.create_server(("127.0.0.1", free_port())) as listener:
        service = RawService(listener)
        edge.write_default()
        edge.start(f"http://127.0.0.1:{service.port}")
        with edge.raw() as raw:
            raw.send(upgrade("websocket"))
            with service.answer(switching("websocket")) as accepted:
                assert raw.status() == 101
                raw.send("x" * 5000)
                accepted.read_until(b"x" * 5000)
                assert values(edge, "adit_gateway_tunnel_received_bytes_total", tunnel="default/shop") == [5000]


def test_what_becomes_of_links_is_counted_by_cause(edge, origin):
    edge.write_default()
    edge.start_gateway()

    def ended(cause):
        return sum(values(edge, "adit_gateway_links_ended_total", tunnel="default/shop", cause=cause))
    edge.start_connector(f"http://127.0.0.1:{origin.port}", name="kind").stop()
    wait_until(lambda: ended("finished"), "links that were finished")
    edge.start_connector(f"http://127.0.0.1:{origin.port}", name="killed").kill()
    wait_until(lambda: ended("lost"), "links that were lost")
    edge.start_connector(f"http://127.0.0.1:{origin.port}", name="again")
    edge.write("shop.yaml", documents(tunnel_manifest(), token_secret(token="another-token-0123456789")))
    wait_until(lambda: ended("revoked"), "links that were revoked")


def test_names_that_connectors_choose_are_bounded(edge):
    """A hundred instances of a tunnel are listed, the others counted."""
    edge.write_default()
    edge.start_gateway()
    with contextlib.ExitStack() as links:
        peers = []

        def unlisted():
            for peer in peers:  # they answer nothing, and silence would end them before a slow program has them all
                peer.send(frames.frame(frames.PING, 0, 0, bytes(8)))
            return values(edge, "adit_gateway_unlisted_links")[0]

        for number in range(110):
            peers.append(links.enter_context(frames.dial(edge, instance=f"i-{number}")))
            peers[-1].come_up()
            if number % 10 == 0:
                unlisted()
        wait_until(lambda: unlisted() == 10, "ten are not listed")
        assert len(values(edge, "adit_gateway_connector_links")) == 100


def test_a_tunnel_without_a_connector_is_told_at_once(edge):
    edge.write_default()
    edge.start_gateway()
    assert values(edge, "adit_gateway_connectors", tunnel="default/shop") == [0]
    assert values(edge, "adit_gateway_tunnels") == [1]
    (edge.manifests / "shop.yaml").unlink()
    wait_until(lambda: not values(edge, "adit_gateway_connectors"), "it goes with its tunnel")


def test_connections_and_their_limit_are_told(edge, origin):
    """Of the gateway, and of a tunnel."""
    edge.write_default(routes="  - {host: shop.test}\n  limits: {connections: 5}\n")
    edge.start(f"http://127.0.0.1:{origin.port}", gateway=["--max-connections", "50"])
    with edge.raw() as raw:
        raw.send("GET /hold HTTP/1.1\r\nHost: shop.test\r\n\r\n")
        wait_until(lambda: values(edge, "adit_gateway_tunnel_connections_open", tunnel="default/shop") == [1], "one is under way")
        assert values(edge, "adit_gateway_tunnel_connections_limit", tunnel="default/shop") == [5]
        assert values(edge, "adit_gateway_connections_limit") == [50] and values(edge, "adit_gateway_connections_open") == [1]
        origin.let_go()
        assert raw.status() == 200
    wait_until(lambda: values(edge, "adit_gateway_tunnel_connections_open", tunnel="default/shop") == [0], "it is over")


def test_delays_of_workers_are_measured(edge):
    edge.write_default()
    edge.start_gateway()
    before = values(edge, "adit_gateway_loop_delay_seconds_count")[0]
    edge.gateway.signal(signal.SIGSTOP)
    time.sleep(0.3)  # what is measured
    edge.gateway.signal(signal.SIGCONT)
    wait_until(lambda: values(edge, "adit_gateway_loop_delay_seconds_count")[0] > before + 2, "it goes on")
    late = values(edge, "adit_gateway_loop_delay_seconds_count")[0] - values(edge, "adit_gateway_loop_delay_seconds_bucket", le="0.1")[0]
    assert late >= 1, "the stall is among the delays"
