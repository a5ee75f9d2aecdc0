"""What `kubectl get tunnels` shows, and the names by which it can be asked."""
import copy
import json

import pytest

TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
SPEC = {"routes": [{"host": "columns.example"}]}


def condition(kind, status, reason, message):
    return {"type": kind, "status": status, "reason": reason, "message": message, "observedGeneration": 1,
            "lastTransitionTime": "2026-01-31T12:00:00Z"}


STATUS = {
    "observedGeneration": 1, "id": "4d21094e-b74c-4916-86c1-d9fa36ea677b", "hosts": ["columns.example"],
    "sharedRoutes": ["columns.example/"], "addresses": [{"value": "edge.example.com"}], "connectors": 2,
    "conditions": [condition("Accepted", "True", "Accepted", "every rule is in force"),
                   condition("Ready", "False", "NoConnector", "no connector is linked to a gateway")]}


@pytest.fixture(scope="module")
def tunnel(stored):
    return stored("columns", SPEC)


def row(api, tunnel, status):
    """As kubectl would print it once the status were stored; another operator of the cluster has no say in it."""
    answer = api.try_replace({**copy.deepcopy(tunnel), "status": status}, subresource="/status", accept=TABLE)
    assert answer.accepted, answer.message
    columns = answer.body["columnDefinitions"]
    cells = dict(zip((c["name"] for c in columns), answer.body["rows"][0]["cells"]))
    return cells, {c["name"] for c in columns if c["priority"] > 0}


def test_values(api, tunnel):
    cells, wide = row(api, tunnel, STATUS)
    age = cells.pop("Age")
    assert age.endswith("s") or age.endswith("m") or age == "<unknown>"
    assert cells == {"Name": "columns", "Ready": "False", "Connectors": 2, "Address": "edge.example.com",
                     "Reason": "NoConnector", "Message": "no connector is linked to a gateway"}
    assert wide == {"Reason", "Message"}


def test_without_a_status(api, tunnel):
    cells, _ = row(api, tunnel, {})
    assert [cells[name] for name in ("Ready", "Connectors", "Address")] == [None, None, None] or \
        [cells[name] for name in ("Ready", "Connectors", "Address")] == ["", None, ""]


@pytest.mark.parametrize("name", ["tunnels", "tunnel", "adt", "adit", "tunnels.adit.dev", "Tunnel"])
def test_names(kubectl, namespace, tunnel, name):
    code, out, error = kubectl("get", name, "-n", namespace, "-o", "wide")
    assert code == 0, error
    assert out.splitlines()[0].split() == ["NAME", "READY", "CONNECTORS", "ADDRESS", "AGE", "REASON", "MESSAGE"]
    assert "columns" in out


def test_narrow(kubectl, namespace, tunnel):
    _, out, _ = kubectl("get", "adt", "-n", namespace)
    assert out.splitlines()[0].split() == ["NAME", "READY", "CONNECTORS", "ADDRESS", "AGE"]


def test_status_only_by_its_subresource(api, tunnel):
    answer = api.try_replace({**copy.deepcopy(tunnel), "status": STATUS})
    assert answer.accepted and "status" not in answer.body


@pytest.mark.parametrize("field, value", [
    ("connectors", -1), ("hosts", "a"), ("addresses", [{}]), ("conditions", [{"type": "Ready"}]),
    ("conditions", [condition("Ready", "Maybe", "Ready", "")]), ("conditions", [condition("Ready", "True", "not ready", "")]),
    ("conditions", [condition("Ready", "True", "Ready", "")] * 2)])
def test_wrong_status(api, tunnel, field, value):
    answer = api.try_replace({**copy.deepcopy(tunnel), "status": {**STATUS, field: value}}, subresource="/status")
    assert not answer.accepted and f"status.{field}" in answer.message


def test_every_field_has_a_description(kubectl):
    code, out, error = kubectl("get", "crd", "tunnels.adit.dev", "-o", "json")
    assert code == 0, error
    schema = json.loads(out)["spec"]["versions"][0]["schema"]["openAPIV3Schema"]

    def bare(node, path):
        for name, child in node.get("properties", {}).items():
            if path + name == "metadata":
                continue
            if not child.get("description"):
                yield path + name
            yield from bare(child, path + name + ".")
            yield from bare(child.get("items", {}), path + name + "[].")
    assert list(bare(schema, "")) == []
