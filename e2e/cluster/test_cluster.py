"""That the cluster can do what the cases lean on, and that its private side is one. In a minute."""
import subprocess

import pytest

from kube import wait_until
from node import IP

PORT = 30999


@pytest.fixture(scope="module")
def two_sides(kube, sample_on):
    """The same service on both sides; with a node port on the open one."""
    with kube.namespaces("open", "private-test"):
        for space in ("open", "private-test"):
            sample_on(space)
        kube.apply({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "outside", "namespace": "open"},
                    "spec": {"type": "NodePort", "selector": {"app": "sample"},
                             "ports": [{"port": 80, "targetPort": 8000, "nodePort": PORT}]}})
        yield


def from_host(url):
    done = subprocess.run(["curl", "-sS", "-m", "2", url], capture_output=True, text=True, check=False)
    return done.stdout or done.stderr


def from_pod(kube, space, url):
    """What a pod of the namespace gets, or why it gets nothing."""
    script = f"import urllib.request as r\ntry: print(r.urlopen({url!r}, timeout=2).read().decode())\nexcept OSError as e: print(e)"
    return kube("-n", space, "exec", "deployment/sample", "--", "/usr/bin/python3.11", "-c", script).strip()


def address(kube, space):
    return kube.pods("app=sample", space)[0]["status"]["podIP"]


def test_names_and_services(kube, two_sides):
    assert from_pod(kube, "open", "http://sample.open.svc.cluster.local:8000/x") == "GET /x"


def test_a_node_port_from_outside(two_sides):
    wait_until(lambda: from_host(f"http://{IP}:{PORT}/x") == "GET /x", "the node port answers", 10)


def test_the_public_name_leads_to_the_node(kube, two_sides):
    assert from_pod(kube, "private-test", f"http://edge.test:{PORT}/x") == "GET /x", "dialling out is allowed"


def test_a_pod_reaches_itself_by_its_service(kube, two_sides):
    assert from_pod(kube, "open", "http://sample:8000/x") == "GET /x"


def test_within_the_private_side(kube, two_sides):
    assert from_pod(kube, "private-test", "http://sample:8000/x") == "GET /x"


def test_nobody_dials_into_the_private_side(kube, two_sides):
    inside = address(kube, "private-test")
    service = kube.get("service", "sample", "private-test")["spec"]["clusterIP"]
    for target in (inside, service):
        assert "timed out" in from_pod(kube, "open", f"http://{target}:8000/x")
        assert "timed out" in from_host(f"http://{target}:8000/x")
    assert from_host(f"http://{address(kube, 'open')}:8000/x") == "GET /x", "the same way leads to the other side"


def test_pods_reach_nothing_beyond_the_machine(kube, two_sides):
    assert from_pod(kube, "open", "http://192.0.2.1/x") != "GET /x"


def test_what_is_not_restricted_is_refused(kube, two_sides):
    with pytest.raises(AssertionError, match="violates PodSecurity"):
        kube("-n", "open", "run", "root", "--image=adit.test/sample:1")
