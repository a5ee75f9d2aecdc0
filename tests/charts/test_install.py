"""charts/adit on a real API server (no nodes): what it makes is accepted, the operator works with the rights that the chart gives
it and no others, an upgrade leaves what it wrote alone, and nothing is left behind."""
import pathlib
import uuid

import pytest
import yaml
from charts import ADIT, CONNECTOR, helm
from kube import Kube, namespace, tunnel
from programs import BIN, Program, free_port, wait_until
from test_conventions import EVERYTHING

# What the fixture's cluster has already, or what several releases cannot have at a time.
SHARED = {"crds": {"enabled": False}, "ingressClass": {"enabled": False}}
# Of every namespace, whoever uses it.
USUAL = {("ConfigMap", "kube-root-ca.crt"), ("ServiceAccount", "default")}
KINDS = ("configmaps,secrets,serviceaccounts,services,deployments,poddisruptionbudgets,networkpolicies,roles,rolebindings,"
         "leases,horizontalpodautoscalers")


class Release:
    def __init__(self, folder):
        self.kube, self.folder = Kube(), folder
        unique = uuid.uuid4().hex[:8]
        self.space, self.team = f"edge-{unique}", f"team-{unique}"
        self.kube.apply(namespace(self.space), namespace(self.team))

    def upgrade(self, chart, values):
        file = self.folder / "values.yaml"
        file.write_text(yaml.safe_dump({**SHARED, **values} if chart == ADIT else values))
        return helm("upgrade", "--install", "adit", chart, "--kubeconfig", self.kube.kubeconfig, "--namespace", self.space,
                    "--values", file).stdout

    def uninstall(self):
        helm("uninstall", "adit", "--kubeconfig", self.kube.kubeconfig, "--namespace", self.space)

    def objects(self):
        return {(o["kind"], o["metadata"]["name"]) for space in (self.space, self.team)
                for o in self.kube.list(KINDS, space)} - USUAL

    def flags(self, component):
        found = self.kube.get("deployment", f"adit-{component}", self.space)
        return found["spec"]["template"]["spec"]["containers"][0]["args"]

    def account(self, name):
        """A kubeconfig with the rights of a ServiceAccount."""
        config = yaml.safe_load(pathlib.Path(self.kube.kubeconfig).read_text())
        token = self.kube.run("create", "token", name, "-n", self.space).strip()
        for user in config["users"]:
            user["user"] = {"token": token}
        file = self.folder / f"{name}.kubeconfig"
        file.write_text(yaml.safe_dump(config))
        return file


@pytest.fixture
def release(tmp_path):
    release = Release(tmp_path)
    yield release
    for space in (release.space, release.team):
        release.kube.delete("namespace", space, wait=False)


@pytest.mark.parametrize("name", ["default", "everything"])
def test_the_api_server_takes_it_and_nothing_stays(release, name):
    values = {} if name == "default" else {**EVERYTHING[ADIT], "watchNamespaces": [release.team]}
    values.pop("extraObjects", None)
    notes = release.upgrade(ADIT, values)
    assert f"helm test adit --namespace {release.space}" in notes and "kubectl apply" in notes
    assert ("Deployment", "adit-gateway") in release.objects()
    release.uninstall()
    assert release.objects() == set()


def test_the_connectors_chart_too(release):
    notes = release.upgrade(CONNECTOR, {"existingSecret": "shop-connector", "services": {"default": "http://web:80"}})
    assert f"helm test adit --namespace {release.space}" in notes
    release.uninstall()
    assert release.objects() == set()


def test_the_operator_has_the_rights_that_it_needs(release):
    values = {"watchNamespaces": [release.team]}
    release.upgrade(ADIT, values)
    own = [f"--kubeconfig={release.account('adit-operator')}", f"--control=127.0.0.1:{free_port()}",
           f"--admin=127.0.0.1:{free_port()}", "--log-level=debug"]
    given = [f for f in release.flags("operator") if not f.startswith(("--control=", "--admin=", "--log-level="))]
    operator = Program("operator", [pathlib.Path(BIN) / "adit-operator", *given, *own], release.folder)
    try:
        release.kube.apply(tunnel("shop", release.team, "shop.test"))
        wait_until(lambda: release.kube.secret("shop-connector", release.team), "the operator has made the connector's Secret")
        wait_until(lambda: (release.kube.get("tunnel", "shop", release.team).get("status") or {}).get("conditions"), "status")
        wait_until(lambda: release.kube.list("events", release.team), "an event")
        assert "orbidden" not in operator.err, operator.err
        kept = {name: release.kube.secret(name, release.space) for name in (
            "adit-authority", "adit-operator-tls", "adit-gateway-link-tls", "adit-gateway-peer-tls")}
        assert all(secret["tls.key"] for secret in kept.values()), kept.keys()
        token = release.kube.secret("adit-gateway-token", release.space)

        # An upgrade leaves all that alone.
        release.upgrade(ADIT, {**values, "commonLabels": {"upgraded": "true"}})
        assert {name: release.kube.secret(name, release.space) for name in kept} == kept
        assert release.kube.secret("adit-gateway-token", release.space) == token
        assert release.kube.get("configmap", "adit-ca", release.space)["data"]["ca.crt"]
    finally:
        operator.stop()
    release.uninstall()
    # The Tunnel stays, and what it owns.
    assert release.objects() == {("Secret", "shop-connector")}


def test_gateways_may_nothing(release):
    release.upgrade(ADIT, {"watchNamespaces": [release.team]})
    config = release.account("adit-gateway")
    gateway = Kube(config)
    for verb, what in (("get", "secrets"), ("list", "tunnels.adit.dev"), ("get", "configmaps"), ("create", "tokenreviews")):
        assert gateway.run("auth", "can-i", verb, what, "-n", release.space, check=False) is None, f"{verb} {what}"
    release.uninstall()


def test_rights_say_nothing_of_other_namespaces(release):
    release.upgrade(ADIT, {"watchNamespaces": [release.team]})
    operator = Kube(release.account("adit-operator"))
    assert operator.run("auth", "can-i", "list", "secrets", "-n", release.team, check=False).strip() == "yes"
    for verb, what, space in (("list", "secrets", release.space), ("get", "secrets", "kube-system"), ("get", "pods", release.team),
                              ("delete", "secrets", release.team), ("update", "tunnels.adit.dev", release.team)):
        assert operator.run("auth", "can-i", verb, what, "-n", space, check=False) is None, f"{verb} {what} in {space}"
    release.uninstall()

