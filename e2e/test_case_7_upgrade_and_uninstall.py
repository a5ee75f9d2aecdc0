"""7. An upgrade from the previous chart with a changed CRD; `helm uninstall` keeps Tunnels, a new install adopts them, and
nothing else is left behind; two installs side by side leave each other's objects alone."""
import time

import pytest

import previous_chart
from installation import Edge, Ports, Private, covered, tunnel
from kube import wait_until
from test_case_4_rolling_restarts import none_failed

PAGE = '{"spec": {"offlinePage": {"html": "<h1>back soon</h1>"}}}'


def fields(kube):
    crd = kube.get("crd", "tunnels.adit.dev")
    return crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]


def left_in(kube, space):
    """What a namespace holds beside what every namespace has."""
    every = kube("api-resources", "--namespaced", "--verbs=list", "-o", "name").split()
    kinds = ",".join(kind for kind in every if not kind.startswith("events"))
    found = kube("-n", space, "get", kinds, "-o", "name", "--ignore-not-found").split()
    return set(found) - {"serviceaccount/default", "configmap/kube-root-ca.crt"}


def left_in_cluster(kube, release):
    every = kube("api-resources", "--namespaced=false", "--verbs=list", "-o", "name").split()
    kinds = ",".join(kind for kind in every if "namespaces" not in kind)
    return set(kube("get", kinds, "-l", f"app.kubernetes.io/instance={release}", "-o", "name", "--ignore-not-found").split())


@pytest.fixture
def uninstalled(kube, edge, shop):
    """The edge of all other cases is away; it is installed again in the end."""
    edge.uninstall()
    yield
    edge.install()
    shop.take_credentials("team-shop", edge)
    kube.restart(shop.connector, shop.space)
    edge.serves()


def test_case_7_uninstall_and_upgrade(kube, edge, shop, tmp_path):
    edge.uninstall()
    assert kube.exists("tunnel", "shop", "team-shop"), "Tunnels are kept"
    assert left_in_cluster(kube, edge.release) == {"customresourcedefinition.apiextensions.k8s.io/tunnels.adit.dev"}
    wait_until(lambda: not left_in(kube, edge.space), f"nothing is left: {left_in(kube, edge.space)}", 30)

    edge.helm.upgrade(edge.release, previous_chart.make(tmp_path), edge.space, edge.values())
    assert previous_chart.FIELD not in fields(kube)
    # The authority is a new one, and so is what connectors must trust.
    wait_until(lambda: "True" in str(kube.conditions("tunnel", "shop", "team-shop")), "the Tunnel is adopted", 30)
    shop.take_credentials("team-shop", edge)
    kube.restart(shop.connector, shop.space)
    kube.condition("tunnel", "shop", "team-shop", "Ready", seconds=60)
    edge.serves()
    covered(edge, shop)

    began = time.monotonic()
    with edge.load() as load:
        edge.install()
        assert previous_chart.FIELD in fields(kube), "the CRD was upgraded"
        kube("-n", "team-shop", "patch", "tunnel", "shop", "--type=merge", "-p", PAGE)
        kube.condition("tunnel", "shop", "team-shop", "Ready")
    none_failed(load, began)


class Side:
    """One of two installs, with a Tunnel and a connector."""

    def __init__(self, kube, helm, name, ports):
        self.kube, self.name, self.host = kube, name, f"{name}.test"
        self.team, self.private = f"team-{name}", f"private-{name}"
        self.edge = Edge(kube, helm, f"edge-{name}", f"adit-{name}", ports, {
            "crds": {"enabled": False}, "watchNamespaces": [self.team], "publicAddresses": [f"public-{name}.test"],
            "ingressClass": {"enabled": False}, "gateway": {"replicas": 1}, "operator": {"replicas": 1}})
        self.connector = Private(kube, helm, self.private, tunnel=name, values={"replicas": 1})
        self.spaces = (self.edge.space, self.team, self.private)

    def install(self):
        self.edge.install()
        self.kube.apply(tunnel(self.name, self.team, self.host))
        self.connector.take_credentials(self.team, self.edge)
        self.connector.install()
        self.edge.serves("/x", self.host)

    def marks(self):
        """What would change if anybody wrote one of its objects."""
        objects = [self.kube.get("tunnel", self.name, self.team), self.kube.get("secret", f"{self.name}-connector", self.team)]
        return [o["metadata"]["resourceVersion"] for o in objects]


def test_case_7_side_by_side(kube, helm, uninstalled):
    one = Side(kube, helm, "left", Ports(30081, 30444, 30744))
    two = Side(kube, helm, "right", Ports(30082, 30445, 30745))
    with kube.namespaces(*one.spaces, *two.spaces):
        one.install()
        marks = one.marks()
        two.install()
        for side, other in ((one, two), (two, one)):
            addresses = kube.get("tunnel", side.name, side.team)["status"]["addresses"]
            assert addresses == [{"value": f"public-{side.name}.test"}]
            assert other.edge.get(host=side.host)[0] == 404, "neither serves what the other one has"
        two.edge.uninstall()
        assert one.marks() == marks
        assert one.edge.get("/x", one.host)[:2] == (200, "GET /x")
        one.edge.uninstall()
