"""The operator's part of charts/adit: its rights above all."""
import pathlib
import re

import pytest
import yaml
from charts import ADIT, ROOT, flags, objects, of_kind, one, refusal

DEFAULT = objects(ADIT)
NAMESPACED = objects(ADIT, {"watchNamespaces": ["team-a", "team-b"]})
KEPT = {"adit-authority", "adit-operator-tls", "adit-gateway-link-tls", "adit-gateway-peer-tls"}


def rights(rules):
    """(group, resource, name or "") → verbs."""
    found = {}
    for rule in rules:
        for group in rule["apiGroups"]:
            for resource in rule["resources"]:
                for name in rule.get("resourceNames", [""]):
                    found.setdefault((group, resource, name), set()).update(rule["verbs"])
    return found


def test_no_right_is_a_star():
    for role in of_kind(DEFAULT, "Role", "ClusterRole"):
        for rule in role["rules"]:
            assert "*" not in rule["verbs"] + rule["resources"] + rule["apiGroups"]


def test_rights_in_the_cluster():
    found = rights(one(DEFAULT, "ClusterRole", "edge-adit-operator")["rules"])
    assert found["adit.dev", "tunnels", ""] == {"get", "list", "watch"}
    assert found["adit.dev", "tunnels/status", ""] == {"patch"}
    assert found["", "secrets", ""] == {"get", "list", "watch", "create", "patch"}
    assert found["", "events", ""] == {"create", "patch"}
    assert found["authentication.k8s.io", "tokenreviews", ""] == {"create"}


def test_rights_in_its_own_namespace_are_by_name():
    found = rights(one(DEFAULT, "Role", "adit-operator")["rules"])
    assert {name for (_, resource, name) in found if resource == "secrets"} == KEPT | {""}
    assert all(found["", "secrets", name] == {"get", "patch"} for name in KEPT)
    assert found["", "secrets", ""] == found["", "configmaps", ""] == {"create"}
    assert found["coordination.k8s.io", "leases", flags(DEFAULT, "adit-operator")["--lease-name"][0]] == {"get", "patch"}


def test_secrets_are_not_listed_if_that_is_too_much():
    for values in ({"rbac": {"watchSecrets": False}}, {"rbac": {"watchSecrets": False}, "watchNamespaces": ["a"]}):
        role = next(r for r in of_kind(objects(ADIT, values), "Role", "ClusterRole")
                    if ("", "events", "") in rights(r["rules"]))
        assert rights(role["rules"])["", "secrets", ""] == {"get", "create", "patch"}


def test_what_it_keeps_is_of_the_release_and_without_content():
    for name in KEPT:
        secret = one(DEFAULT, "Secret", name)
        assert "data" not in secret and "stringData" not in secret and secret["type"] == "Opaque"
        assert "helm.sh/resource-policy" not in secret["metadata"].get("annotations", {})
    assert "data" not in one(DEFAULT, "ConfigMap", "adit-ca")
    assert "spec" not in one(DEFAULT, "Lease", flags(DEFAULT, "adit-operator")["--lease-name"][0])
    # The names are those of the program.
    source = (ROOT / "operator/certificate_keeper.cc").read_text()
    assert set(re.findall(r'const std::string k\w+ = "(adit-[a-z-]+)"', source)) == KEPT | {"adit-ca"}


def test_the_authority_is_kept_if_wanted():
    kept = objects(ADIT, {"operator": {"keepAuthority": True}})
    assert one(kept, "Secret", "adit-authority")["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"


def test_namespaced_mode_has_nothing_of_the_cluster_but_what_is_installed_for_all():
    rules = of_kind(NAMESPACED, "ClusterRole", "ClusterRoleBinding")
    assert all(r["metadata"]["name"] in ("edge-adit-viewer", "edge-adit-editor") for r in rules)
    bare = objects(ADIT, {"watchNamespaces": ["team-a"], "crds": {"enabled": False}, "rbac": {"aggregate": False},
                          "ingressClass": {"enabled": False}})
    assert {o["metadata"].get("namespace") for o in bare} == {"edge", "team-a"}, "all in namespaces"
    assert not of_kind(bare, "ClusterRole", "ClusterRoleBinding", "IngressClass", "CustomResourceDefinition")


def test_namespaced_mode_has_a_role_in_each_namespace():
    assert flags(NAMESPACED, "adit-operator")["--namespaces"] == ["team-a", "team-b"]
    roles = {r["metadata"]["namespace"]: r for r in of_kind(NAMESPACED, "Role")}
    assert set(roles) == {"team-a", "team-b", "edge"}
    assert ("authentication.k8s.io", "tokenreviews", "") not in rights(roles["team-a"]["rules"])
    for namespace in ("team-a", "team-b"):
        binding = next(b for b in of_kind(NAMESPACED, "RoleBinding") if b["metadata"]["namespace"] == namespace)
        assert binding["roleRef"]["name"] == roles[namespace]["metadata"]["name"]
        assert binding["subjects"] == [{"kind": "ServiceAccount", "name": "adit-operator", "namespace": "edge"}]


def test_namespaced_mode_shares_a_token_since_reviews_are_of_the_cluster():
    operator, gateway = flags(NAMESPACED, "adit-operator"), flags(NAMESPACED, "adit-gateway")
    assert operator["--gateway-token-file"] == ["/run/adit/gateway-token/token"]
    assert gateway["--operator-token-file"] == ["/run/adit/operator-token/token"]
    assert len(one(NAMESPACED, "Secret", "adit-gateway-token")["data"]["token"]) >= 48
    for name in ("gateway", "operator"):
        volumes = one(NAMESPACED, "Deployment", f"adit-{name}")["spec"]["template"]["spec"]["volumes"]
        assert "adit-gateway-token" in [v["secret"]["secretName"] for v in volumes if "secret" in v]


def test_a_shared_token_of_ones_own():
    found = objects(ADIT, {"gatewayToken": {"mode": "Secret", "existingSecret": "mine", "key": "t"}})
    assert flags(found, "adit-operator")["--gateway-token-file"] == ["/run/adit/gateway-token/t"]
    assert not [s for s in of_kind(found, "Secret") if s["metadata"]["name"] not in KEPT]
    assert ("authentication.k8s.io", "tokenreviews", "") not in rights(
        one(found, "ClusterRole", "edge-adit-operator")["rules"])


def test_service_account_tokens_in_namespaced_mode_if_asked_for():
    found = objects(ADIT, {"watchNamespaces": ["team-a"], "gatewayToken": {"mode": "ServiceAccount"}})
    assert rights(one(found, "ClusterRole", "edge-adit-operator")["rules"]) == {
        ("authentication.k8s.io", "tokenreviews", ""): {"create"}}
    assert "--gateway-token-file" not in flags(found, "adit-operator")


def test_two_releases_share_nothing_of_the_cluster_but_the_class_and_the_kinds():
    shared = {(o["kind"], o["metadata"]["name"]) for o in objects(ADIT, namespace="a") if "namespace" not in o["metadata"]}
    shared &= {(o["kind"], o["metadata"]["name"]) for o in objects(ADIT, namespace="b") if "namespace" not in o["metadata"]}
    assert {kind for kind, _ in shared} == {"CustomResourceDefinition", "IngressClass"}


def test_lists_become_flags():
    found = objects(ADIT, {"hostPolicy": ["team-a=a.example.com", "*=*"], "publicAddresses": ["192.0.2.1", "edge.example.com"]})
    assert flags(found, "adit-operator")["--host-policy"] == ["team-a=a.example.com", "*=*"]
    assert flags(found, "adit-operator")["--public-address"] == ["192.0.2.1", "edge.example.com"]


@pytest.mark.parametrize("keep", [True, False])
def test_the_kinds_are_those_of_the_source_and_kept(keep):
    found = {o["metadata"]["name"]: o for o in
             of_kind(objects(ADIT, {"crds": {"keep": keep}}), "CustomResourceDefinition")}
    sources = [yaml.safe_load(p.read_text()) for p in sorted(pathlib.Path(ROOT / "crds").glob("*.yaml"))]
    assert sorted(found) == sorted(s["metadata"]["name"] for s in sources)
    for source in sources:
        rendered = found[source["metadata"]["name"]]
        assert rendered["spec"] == source["spec"]
        assert rendered["metadata"]["annotations"].get("helm.sh/resource-policy") == ("keep" if keep else None)
    assert not of_kind(objects(ADIT, {"crds": {"enabled": False}}), "CustomResourceDefinition")


def test_ingress_class():
    ingress_class = one(DEFAULT, "IngressClass", "adit")
    assert ingress_class["spec"]["controller"] == "adit.dev/ingress"
    assert "annotations" not in ingress_class["metadata"]
    default = one(objects(ADIT, {"ingressClass": {"default": True, "name": "edge"}}), "IngressClass", "edge")
    assert default["metadata"]["annotations"] == {"ingressclass.kubernetes.io/is-default-class": "true"}


def test_aggregated_roles():
    viewer, editor = (one(DEFAULT, "ClusterRole", f"edge-adit-{name}") for name in ("viewer", "editor"))
    assert rights(viewer["rules"])["adit.dev", "tunnels", ""] == {"get", "list", "watch"}
    assert "rbac.authorization.k8s.io/aggregate-to-view" in viewer["metadata"]["labels"]
    assert "rbac.authorization.k8s.io/aggregate-to-view" not in editor["metadata"]["labels"]
    assert "rbac.authorization.k8s.io/aggregate-to-edit" in editor["metadata"]["labels"]


@pytest.mark.parametrize("values, said", [
    ({"gateway": {"replica": 3}}, "replica"),
    ({"gatewayReplicas": 3}, "gatewayReplicas"),
    ({"gateway": {"service": {"type": "ExternalName"}}}, "type"),
    ({"links": {"address": "edge.example.com"}}, "address"),
    ({"watchNamespaces": ["Team"]}, "watchNamespaces"),
    ({"gateway": {"image": {"digest": "latest"}}}, "digest"),
    ({"operator": {"logLevel": "trace"}}, "logLevel"),
    ({"gateway": {"settings": {"idle-timeout": "1m"}}}, "idle-timeout"),
])
def test_wrong_values_are_refused_by_name(values, said):
    assert said in refusal(ADIT, values)
