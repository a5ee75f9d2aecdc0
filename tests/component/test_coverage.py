"""Links to each gateway, whether behind one address, one name or several addresses, as gateways come and go (R10, R31)."""
import shutil
import subprocess

import pytest

from edge import Edge
from programs import BIN, PATIENCE, free_port, listens, wait_until

LINKS = 4


class Gateway(Edge):
    """One more gateway of an installation, with the same manifests."""

    def __init__(self, edge, name, **settings):
        folder = edge.folder / name
        folder.mkdir()
        super().__init__(folder, edge.authority)
        self.manifests, self.name = edge.manifests, name
        self.__dict__.update(settings)
        self.id = None

    def begin(self, *flags):
        self.start_gateway(*flags, name=self.name)
        self.id = self.status()["id"]
        return self


@pytest.fixture
def fleet(edge):
    """Makes gateways; they end behind the connectors of `edge`."""
    edge.write_default()
    gateways = []

    def add(name, **settings):
        gateways.append(Gateway(edge, name, **settings))
        return gateways[-1]

    yield add
    wrong = edge.finish()
    edge.programs.clear()
    for gateway in gateways:
        wrong += gateway.finish()
    assert not wrong, "; ".join(wrong)


def up(edge, connector):
    """Gateway id → links that are up, as the connector says."""
    held = {}
    for link in edge.status(connector.admin)["links"]:
        if link["state"] == "up":
            held[link["gatewayId"]] = held.get(link["gatewayId"], 0) + 1
    return held


def wait_covered(edge, connectors, *gateways, seconds=PATIENCE):
    """Each connector has all its links to each of the gateways, and no other; and the gateways say so, too."""
    wanted = {gateway.id: LINKS for gateway in gateways}
    for connector in connectors:
        wait_until(lambda: up(edge, connector) == wanted, f"{connector.name} holds {wanted}: {up(edge, connector)}", seconds)
    for gateway in gateways:
        wait_until(lambda: sum(link["state"] == "live" for link in gateway.status()["tunnels"][0]["links"])
                   == LINKS * len(connectors), f"{gateway.name} has the links", seconds)


def start_balancer(edge, *gateways, balance="roundrobin"):
    """A real haproxy (layer 4) before the gateways, which it checks by connecting; its port."""
    port = free_port()
    servers = "".join(f"  server {g.name} 127.0.0.1:{g.link} check inter 100ms fall 1 rise 1\n" for g in gateways)
    file = edge.folder / "haproxy.cfg"
    file.write_text(
        f"global\n  maxconn 2000\ndefaults\n  mode tcp\n  timeout connect 2s\n  timeout client 1h\n  timeout server 1h\n"
        f"  option redispatch\n  retries 3\nfrontend links\n  bind 127.0.0.1:{port}\n  default_backend gateways\n"
        f"backend gateways\n  balance {balance}\n{servers}")
    program = edge.run("haproxy", [shutil.which("haproxy") or "/usr/sbin/haproxy", "-db", "-f", file])
    program.end = -15  # it leaves SIGTERM as it is
    wait_until(lambda: listens(port), "haproxy listens")
    return port


def test_r10_each_address_has_links_as_gateways_come_and_go(edge, fleet, origin):
    one, two, three = (fleet(name) for name in ("one", "two", "three"))
    one.begin()
    connector = edge.start_connector(f"http://127.0.0.1:{origin.port}", gateway=f"localhost:{one.link}", flags=[
        "--gateway", f"localhost:{two.link}", "--gateway", f"localhost:{three.link}"])
    wait_covered(edge, [connector], one)
    two.begin()
    three.begin()
    wait_covered(edge, [connector], one, two, three, seconds=2 * PATIENCE)
    for gateway in (one, two, three):
        gateway.wait_status(200)
    two.gateway.kill()
    three.gateway.stop()
    wait_covered(edge, [connector], one)
    two.begin()
    wait_covered(edge, [connector], one, two, seconds=2 * PATIENCE)


def test_r10_gateways_behind_one_balancer_each_have_links(edge, fleet, origin):
    one, two = fleet("one").begin(), fleet("two").begin()
    port = start_balancer(edge, one, two)
    connectors = [edge.start_connector(f"http://127.0.0.1:{origin.port}", name=f"connector-{i}", gateway=f"localhost:{port}",
                                       flags=["--workers", "2"]) for i in range(2)]
    wait_covered(edge, connectors, one, two)
    for connector in connectors:
        page = edge.metrics(connector.admin)
        assert page["adit_connector_links_wanted"] == 2 * LINKS
        assert page["adit_connector_gateways_covered"] == page["adit_connector_gateways_known"] == 2
        assert page['adit_connector_dials_total{result="up"}'] <= 3 * 2 * LINKS
    ended = one.metrics().get('adit_gateway_links_ended_total{tunnel="default/shop",cause="finished"}', 0)
    surplus = sum(edge.metrics(c.admin)["adit_connector_surplus_links_total"] for c in connectors)
    assert ended <= surplus, "what is surplus ends in good order"
    two.gateway.kill()
    wait_covered(edge, connectors, one)
    assert edge.admin_page("/readyz", connectors[0].admin)[0] == 200


def test_r10_scaled_behind_one_balancer_each_gateway_has_links_and_dead_ones_none(edge, fleet, origin):
    """1 → 3 → 2, once in good order and once by a crash; what is new is learnt from the gateways that are there."""
    chain, key = edge.authority.issue("adit-gateway-peer")
    gateways = [fleet(name, peer=free_port()) for name in ("one", "two", "three")]
    everyone = ",".join(f"localhost:{g.peer}" for g in gateways)
    port = start_balancer(edge, *gateways, balance="leastconn")

    def begin(gateway):
        gateway.begin("--peer-listen", f"127.0.0.1:{gateway.peer}", "--peers", everyone, "--peer-cert", chain, "--peer-key", key,
                      "--peer-ca", edge.authority.file)

    one, two, three = gateways
    begin(one)
    connectors = [edge.start_connector(f"http://127.0.0.1:{origin.port}", name=f"connector-{i}", gateway=f"localhost:{port}")
                  for i in range(2)]
    wait_covered(edge, connectors, one)
    begin(two)
    begin(three)
    wait_covered(edge, connectors, one, two, three, seconds=3 * PATIENCE)
    three.gateway.stop()
    wait_covered(edge, connectors, one, two)
    begin(three)
    wait_covered(edge, connectors, one, two, three, seconds=3 * PATIENCE)
    two.gateway.kill()
    wait_covered(edge, connectors, one, three)


# Names. The programs run with an /etc/hosts of their own, in a mount namespace.

NAMESPACES = subprocess.run(["unshare", "-rm", "true"], capture_output=True, check=False).returncode == 0
needs_namespaces = pytest.mark.skipif(not NAMESPACES, reason="no mount namespaces here")


@pytest.fixture
def hosts(edge, monkeypatch):
    """Writes what edge.test leads to; a connector that is started afterwards sees it, also when it changes."""
    file = edge.folder / "hosts"

    def write(*addresses):
        file.write_text("127.0.0.1 localhost\n" + "".join(f"{address} edge.test\n" for address in addresses))

    run = edge.run

    def run_with_hosts(name, argv, env=None):
        return run(name, ["unshare", "-rm", "sh", "-c", f'mount --bind {file} /etc/hosts && exec "$@"', "sh", *argv], env)

    monkeypatch.setattr(edge, "run", run_with_hosts)
    return write


def named(edge, fleet, port, *addresses):
    """Gateways on one port of several addresses, with a certificate for edge.test."""
    chain, key = edge.authority.issue("edge.test")
    return [fleet(f"gateway-{address}", link=port, link_address=f"{address}:{port}", link_chain=chain, link_key=key)
            for address in addresses]


@needs_namespaces
def test_r31_a_name_that_moves_is_followed(edge, fleet, origin, hosts):
    port = free_port()
    old, new = (gateway.begin() for gateway in named(edge, fleet, port, "127.0.0.1", "127.0.0.2"))
    hosts("127.0.0.1")
    connector = edge.start_connector(f"http://127.0.0.1:{origin.port}", gateway=f"edge.test:{port}")
    wait_covered(edge, [connector], old)
    hosts("127.0.0.2")
    old.gateway.kill()
    wait_covered(edge, [connector], new, seconds=5)
    new.wait_status(200)


@needs_namespaces
def test_r10_a_name_with_several_addresses_leads_to_all_of_them(edge, fleet, origin, hosts):
    port = free_port()
    gateways = [gateway.begin() for gateway in named(edge, fleet, port, "127.0.0.1", "127.0.0.2", "127.0.0.3")]
    hosts("127.0.0.1", "127.0.0.2", "127.0.0.3")
    connector = edge.start_connector(f"http://127.0.0.1:{origin.port}", gateway=f"edge.test:{port}")
    wait_covered(edge, [connector], *gateways)
    assert edge.metrics(connector.admin)["adit_connector_surplus_links_total"] <= 2
