"""What holds for every object of every chart, with little and with all switched on."""
import json
import re
import subprocess

import pytest
import yaml
from charts import ADIT, CHARTS, CONNECTOR, ROOT, helm, objects, of_kind, pod_specs, tool

EVERYTHING = {
    ADIT: {
        "watchNamespaces": ["team-a"], "commonLabels": {"team": "edge"}, "publicAddresses": ["192.0.2.1"],
        "hostPolicy": ["team-a=a.example.com"], "global": {"imagePullSecrets": ["pull", {"name": "more"}]},
        "links": {"address": "edge.example.com:443", "tls": {"existingSecret": "link"}},
        "gateway": {"autoscaling": {"enabled": True}, "linkService": {"enabled": True}, "settings": {"idleTimeout": "1m"},
                    "extraArgs": ["--max-headers=100"], "extraEnv": [{"name": "A", "value": "b"}],
                    "extraVolumes": [{"name": "x", "emptyDir": {}}], "extraVolumeMounts": [{"name": "x", "mountPath": "/x"}],
                    "podAnnotations": {"a": "b"}, "podLabels": {"c": "d"}, "nodeSelector": {"e": "f"},
                    "tolerations": [{"operator": "Exists"}], "priorityClassName": "system-cluster-critical"},
        "operator": {"settings": {"tokenOverlap": "2h"}, "extraArgs": ["--writes-per-second=10"]},
        "networkPolicy": {"adminFrom": [{"namespaceSelector": {}}], "publicFrom": [{"ipBlock": {"cidr": "10.0.0.0/8"}}],
                          "apiServerCIDRs": ["10.96.0.1/32"]},
        "extraObjects": [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "{{ .Release.Name }}-extra"}},
                         "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: text}\n"],
    },
    CONNECTOR: {
        "commonLabels": {"team": "shop"}, "probes": {"default": "tcp"}, "proxy": {"url": "http://p:1", "existingSecret": "p"},
        "extraArgs": ["--dial-timeout=5s"], "settings": {"dialTimeout": "5s"}, "nodeSelector": {"a": "b"},
        "extraObjects": [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "extra"}}],
    },
}
CASES = [pytest.param(chart, values, id=f"{chart.name}-{name}") for chart in CHARTS
         for name, values in (("default", {}), ("everything", EVERYTHING[chart]))]
RENDERED = {(chart, bool(values)): objects(chart, values) for chart in CHARTS for values in ({}, EVERYTHING[chart])}


def own(chart, values):
    return [o for o in RENDERED[chart, bool(values)] if o["metadata"]["name"] not in ("adit-extra", "extra", "text")]


@pytest.mark.parametrize("chart, values", CASES)
def test_every_object_has_the_labels_and_a_namespace(chart, values):
    for o in own(chart, values):
        labels = o["metadata"]["labels"]
        for name in ("name", "instance", "version", "component", "part-of", "managed-by"):
            assert labels.get(f"app.kubernetes.io/{name}"), o["metadata"]
        assert values.get("commonLabels", {}).items() <= labels.items(), o["metadata"]
        assert "namespace" in o["metadata"] or o["kind"] in (
            "ClusterRole", "ClusterRoleBinding", "CustomResourceDefinition", "IngressClass"), o["metadata"]


@pytest.mark.parametrize("chart, values", CASES)
def test_pods_are_restricted(chart, values):
    for o, spec in pod_specs(own(chart, values)):
        assert spec["automountServiceAccountToken"] is False
        assert spec["securityContext"]["runAsUser"] == 65532 and spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        for c in spec["containers"]:
            context = c["securityContext"]
            assert context["allowPrivilegeEscalation"] is False and context["readOnlyRootFilesystem"] is True
            assert context["capabilities"] == {"drop": ["ALL"]}
            assert set(c["resources"]["requests"]) == set(c["resources"]["limits"]) == {"cpu", "memory", "ephemeral-storage"}
        assert "hostNetwork" not in spec
        for v in spec.get("volumes", []):
            assert set(v) - {"name"} <= {"configMap", "emptyDir", "projected", "secret"}, v


@pytest.mark.parametrize("chart, values", CASES)
def test_deployments_roll_spread_and_are_probed(chart, values):
    for o in of_kind(own(chart, values), "Deployment"):
        spec, pod = o["spec"], o["spec"]["template"]["spec"]
        assert spec["strategy"]["rollingUpdate"]["maxUnavailable"] == 0
        assert {p for p in pod["containers"][0] if p.endswith("Probe")} == {"startupProbe", "livenessProbe", "readinessProbe"}
        spread = pod["topologySpreadConstraints"]
        assert [s["topologyKey"] for s in spread] == ["topology.kubernetes.io/zone", "kubernetes.io/hostname"]
        assert all(s["matchLabelKeys"] == ["pod-template-hash"] for s in spread)
        assert all(s["labelSelector"]["matchLabels"] == spec["selector"]["matchLabels"] for s in spread)
        assert pod["affinity"]["podAntiAffinity"]
        budgets = [b for b in of_kind(own(chart, values), "PodDisruptionBudget")
                   if b["spec"]["selector"]["matchLabels"] == spec["selector"]["matchLabels"]]
        assert [b["spec"]["unhealthyPodEvictionPolicy"] for b in budgets] == ["AlwaysAllow"]


@pytest.mark.parametrize("chart, values", CASES)
def test_every_pod_has_a_network_policy_and_none_has_another_ones(chart, values):
    policies = of_kind(own(chart, values), "NetworkPolicy")
    for o, _ in pod_specs(own(chart, values)):
        labels = (o["spec"]["template"] if o["kind"] == "Deployment" else o)["metadata"]["labels"]
        matching = [p for p in policies if p["spec"]["podSelector"]["matchLabels"].items() <= labels.items()]
        assert len(matching) == 1 and matching[0]["spec"]["policyTypes"] == ["Ingress", "Egress"], o["metadata"]


@pytest.mark.parametrize("chart, values", CASES)
def test_nothing_comes_from_others(chart, values):
    for _, spec in pod_specs(own(chart, values)):
        assert all(re.match(r"adit-(gateway|operator|connector):", c["image"]) for c in spec["containers"])


@pytest.mark.parametrize("chart", CHARTS, ids=lambda c: c.name)
def test_lint_finds_nothing(chart):
    done = helm("lint", "--strict", chart, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "WARNING" not in done.stdout and "[ERROR]" not in done.stdout, done.stdout


@pytest.mark.parametrize("chart", CHARTS, ids=lambda c: c.name)
def test_the_readme_is_made_from_the_values(chart):
    subprocess.run(["/usr/bin/python3", ROOT / "charts/readme.py", chart, "--check"], check=True)


@pytest.mark.parametrize("chart, values", CASES)
def test_kube_score_finds_nothing(chart, values, tmp_path):
    file = tmp_path / "objects.yaml"
    file.write_text(yaml.safe_dump_all(own(chart, values)))
    done = subprocess.run([tool("kube-score"), "score", "--output-format", "ci", file], capture_output=True, text=True)
    found = [line for line in done.stdout.splitlines() if not line.startswith(("[OK]", "[SKIPPED]"))]
    assert done.stdout and not found, "\n".join(found)


def leaves(schema, values, path):
    """Whatever of `values` the schema says nothing of."""
    while "$ref" in schema:
        schema = SCHEMAS["defs"][schema["$ref"].rpartition("/")[2]]
    if not isinstance(values, dict):
        return
    for name, value in values.items():
        known = schema.get("properties", {})
        if name in known:
            yield from leaves(known[name], value, path + [name])
        elif "properties" in schema or "additionalProperties" not in schema:
            yield ".".join(path + [name])


SCHEMAS = {}


@pytest.mark.parametrize("chart", CHARTS, ids=lambda c: c.name)
def test_the_schema_knows_every_value_and_no_other(chart):
    schema = json.loads((chart / "values.schema.json").read_text())
    values = yaml.safe_load((chart / "values.yaml").read_text())
    SCHEMAS["defs"] = schema["$defs"]
    assert list(leaves(schema, values, [])) == []
    assert list(leaves(schema, {**values, "unknown": 1}, [])) == ["unknown"]

    def strict(part, given, path):
        for name, s in part.get("properties", {}).items():
            assert name in given, f"{'.'.join(path + [name])} is in no values.yaml"
            if "properties" in s:
                if path + [name] != ["global"]:
                    assert s["additionalProperties"] is False, ".".join(path + [name])
                strict(s, given[name], path + [name])
    strict(schema, values, [])
    assert schema["additionalProperties"] is False


def test_versions_are_one():
    version = re.search(r"project\(adit VERSION ([0-9.]+)", (ROOT / "CMakeLists.txt").read_text())[1]
    for chart in CHARTS:
        about = yaml.safe_load((chart / "Chart.yaml").read_text())
        assert about["appVersion"] == version, chart
    for name in ("gateway", "connector", "operator"):
        assert f"\nARG VERSION={version}\n" in (ROOT / f"Dockerfile.{name}").read_text()


def test_extra_objects_are_templates():
    names = [o["metadata"]["name"] for o in of_kind(RENDERED[ADIT, True], "ConfigMap")]
    assert "adit-extra" in names and "text" in names
