"""1. Five lines of Tunnel and the connector's chart: HTTP and HTTPS are served, the status is true, `helm test` passes."""
import subprocess

import pki
import node
from installation import Private
from kube import wait_until

HOST = "one.test"
FIVE_LINES = f"""\
apiVersion: adit.dev/v1alpha1
kind: Tunnel
metadata: {{name: one}}
spec:
  routes: [{{host: {HOST}}}]
"""
SPACE = "team-one"


def columns(kube):
    """What `kubectl get tunnels -o wide` prints, by column."""
    head, line = kube("-n", SPACE, "get", "tunnel", "one", "-o", "wide").splitlines()
    starts = [head.index(word) for word in head.split()]
    return {name: line[a:b].strip() for name, a, b in zip(head.split(), starts, [*starts[1:], None])}


def curl(edge, *arguments):
    done = subprocess.run(["curl", "-sS", "-m", "10", *map(str, arguments)], capture_output=True, text=True, check=False)
    return done.stdout or done.stderr


def test_case_1_tunnel_and_connector_chart(kube, helm, edge, tmp_path):
    with kube.namespaces(SPACE, "private-one"):
        kube.apply(FIVE_LINES, space=SPACE)
        wait_until(lambda: columns(kube).get("REASON") == "NoConnector", "the status says what is missing", 30)
        assert columns(kube)["READY"] == "False"
        status, _, headers = edge.get(host=HOST)
        assert status == 503 and "Retry-After" in headers

        private = Private(kube, helm, "private-one", release="one", tunnel="one", values={"replicas": 1})
        private.take_credentials(SPACE, edge)
        private.install()
        kube.condition("tunnel", "one", SPACE, "Ready", seconds=30)
        assert edge.get("/x", HOST)[:2] == (200, "GET /x"), "a Tunnel that is Ready serves, without further waiting"
        assert all(status == "True" for status, _ in kube.conditions("tunnel", "one", SPACE).values())
        shown = columns(kube)
        assert (shown["READY"], shown["CONNECTORS"], shown["ADDRESS"]) == ("True", "1", "edge.test"), shown

        authority = pki.Authority(tmp_path)
        chain, key = authority.issue(HOST)
        kube.apply(pki.tls_secret("one-tls", chain, key, SPACE))
        kube("-n", SPACE, "patch", "tunnel", "one", "--type=merge", "-p", '{"spec":{"tls":{"secretName":"one-tls"}}}')
        where = ["--cacert", authority.file, "--connect-to", f"{HOST}:443:{node.IP}:{edge.ports.https}"]
        wait_until(lambda: curl(edge, *where, f"https://{HOST}/x") == "GET /x", "HTTPS is served", 15)

        assert "Succeeded" in helm.test(edge.release, edge.space)
        assert "Succeeded" in helm.test("one", "private-one")

        # Nobody but the connector reaches the service: the answers came through the tunnel.
        inside = kube.pods("app=sample", "private-one")[0]["status"]["podIP"]
        assert "timed out" in curl(edge, "-m", "2", f"http://{inside}:8000/")

        helm.uninstall("one", "private-one")
        wait_until(lambda: columns(kube)["READY"] == "False", "the status is true again", 30)
