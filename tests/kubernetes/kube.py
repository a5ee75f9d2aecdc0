"""kubectl against the cluster of the test run, and short ways to write and read Tunnels."""
import base64
import json
import os
import pathlib
import subprocess

from cluster.cluster import components
from programs import PATIENCE, wait_until

KUBECONFIG = os.environ.get("ADIT_TEST_KUBECONFIG", "build/cluster/kubeconfig")


class Kube:
    """What a user has: kubectl and a kubeconfig."""

    def __init__(self, kubeconfig=KUBECONFIG):
        self.kubeconfig = pathlib.Path(kubeconfig).resolve()
        self._kubectl = components() / "kubectl"

    def run(self, *arguments, stdin=None, check=True):
        done = subprocess.run([self._kubectl, f"--kubeconfig={self.kubeconfig}", *map(str, arguments)], input=stdin,
                              capture_output=True, text=True, timeout=120, check=False)
        if check and done.returncode != 0:
            raise AssertionError(f"kubectl {' '.join(map(str, arguments))}: {done.stderr}")
        return done.stdout if done.returncode == 0 else None

    def apply(self, *objects):
        text = "\n---\n".join(o if isinstance(o, str) else json.dumps(o) for o in objects)
        return self.run("apply", "--server-side", "-f", "-", stdin=text)

    def get(self, kind, name, space):
        """The object, or None."""
        text = self.run("get", kind, name, "-n", space, "-o", "json", "--ignore-not-found")
        return json.loads(text) if text else None

    def list(self, kind, space=None):
        where = ["-n", space] if space else ["-A"]
        return json.loads(self.run("get", kind, *where, "-o", "json"))["items"]

    def delete(self, kind, name, space=None, wait=True):
        self.run("delete", kind, name, *(["-n", space] if space else []), f"--wait={str(wait).lower()}")

    def secret(self, name, space):
        """Its decoded data, or None."""
        found = self.get("secret", name, space)
        return found and {k: base64.b64decode(v).decode() for k, v in found.get("data", {}).items()}

    # Tunnels

    def tunnel(self, name, space):
        return self.get("tunnel", name, space)

    def condition(self, name, space, kind="Ready"):
        """"True Ready", "False NoConnector: message", or "" while there is none of this generation."""
        tunnel = self.tunnel(name, space)
        for condition in (tunnel or {}).get("status", {}).get("conditions", []):
            if condition["type"] == kind and condition["observedGeneration"] == tunnel["metadata"]["generation"]:
                return f"{condition['status']} {condition['reason']}: {condition['message']}"
        return ""

    def wait_condition(self, start, name, space, kind="Ready", seconds=PATIENCE):
        """Until the condition begins so; returns the seconds that it took."""
        last = [""]

        def is_so():
            last[0] = self.condition(name, space, kind)
            return last[0].startswith(start)
        try:
            return wait_until(is_so, f"{kind} of {space}/{name} is {start}", seconds)
        except AssertionError as error:
            raise AssertionError(f"{error}; it is: {last[0]}") from None

    def events(self, space, name):
        return [(e["type"], e["reason"]) for e in self.list("events", space) if e["involvedObject"]["name"] == name]


def tunnel(name, space, *hosts, **spec):
    """A Tunnel object; hosts may have a path: "shop.test/api"."""
    routes = [{"host": h.split("/")[0], **({"path": "/" + h.split("/", 1)[1]} if "/" in h else {})} for h in hosts]
    return {"apiVersion": "adit.dev/v1alpha1", "kind": "Tunnel", "metadata": {"name": name, "namespace": space},
            "spec": {"routes": routes, **spec}}


def namespace(name):
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def tls_secret(name, space, chain, key):
    return {"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls",
            "metadata": {"name": name, "namespace": space},
            "stringData": {"tls.crt": pathlib.Path(chain).read_text(), "tls.key": pathlib.Path(key).read_text()}}
