"""9. Namespaced mode with rights in namespaces alone; restricted pod security in every namespace."""
import json

import pytest

from installation import Edge, Ports, Private, tunnel
from kube import RESTRICTED
from test_case_7_upgrade_and_uninstall import uninstalled  # noqa: F401

TEAM, EDGE = "team-nine", "edge-nine"


def bound_to(kube, kind, account):
    """Names of the bindings that give the account rights."""
    return [binding["metadata"]["name"] for binding in kube.get(kind, space=None if kind.startswith("cluster") else EDGE)
            if any(s.get("name") == account and s.get("namespace") == EDGE for s in binding.get("subjects", []))]


def may(kube, verb, what, account, space):
    answer = kube("auth", "can-i", verb, what, "-n", space, f"--as=system:serviceaccount:{EDGE}:{account}", check=False)
    return answer.strip() == "yes"


@pytest.mark.usefixtures("uninstalled")
def test_case_9_namespaced(kube, helm):
    edge = Edge(kube, helm, EDGE, "adit-nine", Ports(30083, 30446, 30746),
                {"crds": {"enabled": False}, "watchNamespaces": [TEAM], "rbac": {"aggregate": False},
                 "ingressClass": {"enabled": False}, "gateway": {"replicas": 1}, "operator": {"replicas": 2}})
    made = helm.template("adit-nine", "adit", EDGE, edge.values())
    assert not {o["kind"] for o in made} & {"ClusterRole", "ClusterRoleBinding"}
    with kube.namespaces(EDGE, TEAM, "team-other", "private-nine"):
        edge.install()
        for space in (TEAM, "team-other"):
            kube.apply(tunnel("nine", space, f"{space}.test"))
        private = Private(kube, helm, "private-nine", tunnel="nine", values={"replicas": 1})
        private.take_credentials(TEAM, edge)
        private.install()
        kube.condition("tunnel", "nine", TEAM, "Ready")
        assert edge.get("/x", f"{TEAM}.test")[:2] == (200, "GET /x")
        assert "status" not in kube.get("tunnel", "nine", "team-other"), "what it does not watch it does not touch"

        operator, gateway = "adit-nine-operator", "adit-nine-gateway"
        assert not bound_to(kube, "clusterrolebindings", operator)
        assert may(kube, "list", "secrets", operator, TEAM) and not may(kube, "list", "secrets", operator, "team-other")
        for verb, what in (("get", "secrets"), ("list", "pods"), ("get", "tunnels.adit.dev"), ("get", "configmaps")):
            assert not may(kube, verb, what, gateway, EDGE), "gateways have no rights"
        edge.uninstall()


def test_case_9_restricted_pods_everywhere(kube):
    for namespace in kube.get("namespaces"):
        name, labels = namespace["metadata"]["name"], namespace["metadata"]["labels"]
        if name not in ("kube-public", "kube-node-lease"):  # where nothing runs
            assert RESTRICTED.items() <= labels.items(), f"{name} is not restricted"
        else:
            assert not kube.get("pods", space=name)


def test_case_9_gateways_have_no_token_but_the_operators(kube, edge):
    for pod in edge.gateways():
        sources = [s for v in pod["spec"]["volumes"] for s in v.get("projected", {}).get("sources", [])]
        audiences = [s["serviceAccountToken"].get("audience") for s in sources if "serviceAccountToken" in s]
        assert audiences == [f"adit.dev/{edge.space}"], json.dumps(pod["spec"]["volumes"])
