"""The edge and the private side, installed as a user installs them: both charts, one Tunnel, one service."""
import base64
import dataclasses
import json
import urllib.error
import urllib.request

import node
import tarballs
import workloads
from kube import wait_until
from load import Load, Mix

# The longest request of the load takes 20 s. Seconds.
LONG, DRAIN, DELAY = 20, 24, 4
# Two processors have to do for everything: of each kind a little.
MIX = Mix(keep_alive=4, pause=0.1, fresh_rate=10, long=4, long_seconds=LONG, uploads=1, upload_pieces=16, web_sockets=3,
          events=2)
_SMALL = {"requests": {"cpu": "10m", "memory": "32Mi", "ephemeral-storage": "1Mi"}}


@dataclasses.dataclass(frozen=True)
class Ports:
    """Of the node, by which a visitor, or a connector of another cluster, reaches the gateways."""
    http: int = 30080
    https: int = 30443
    link: int = 30743


class Edge:
    """A release of charts/adit."""

    def __init__(self, kube, helm, space="edge", release="adit", ports=Ports(), values=None):
        self.kube, self.helm, self.space, self.release, self.ports = kube, helm, space, release, ports
        self._values = values or {}
        self.gateway = f"deployment/{release}-gateway"
        self.operator = f"deployment/{release}-operator"
        self.gateways_selector = f"app.kubernetes.io/instance={release},app.kubernetes.io/component=gateway"
        self.operators_selector = f"app.kubernetes.io/instance={release},app.kubernetes.io/component=operator"

    def values(self):
        image = {"image": {"tag": tarballs.TAG, "pullPolicy": "Never"}}
        own = {"links": {"address": f"edge.test:{self.ports.link}"}, "publicAddresses": ["edge.test"],
               "gateway": {**image, "replicas": 2, "workers": 1, "drainDelaySeconds": DELAY, "drainTimeSeconds": DRAIN,
                           "resources": _SMALL,
                           "service": {"type": "NodePort", "nodePorts": dataclasses.asdict(self.ports)}},
               "operator": {**image, "resources": _SMALL}}
        return merged(own, self._values)

    def install(self, *rest):
        return self.helm.upgrade(self.release, "adit", self.space, self.values(), *rest)

    def uninstall(self):
        self.helm.uninstall(self.release, self.space)
        self.kube.gone(f"app.kubernetes.io/instance={self.release}", self.space)

    # From outside

    def get(self, path="/", host="shop.test", port=None, timeout=10):
        """(status, body, headers) of one request by a visitor."""
        request = urllib.request.Request(f"http://{node.IP}:{port or self.ports.http}{path}", headers={"Host": host})
        opener = urllib.request.build_opener(_NoRedirect)
        try:
            with opener.open(request, timeout=timeout) as answer:
                return answer.status, answer.read().decode(), dict(answer.headers)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode(), dict(error.headers)

    def serves(self, path="/", host="shop.test", seconds=60):
        """Waits until a visitor gets the service's answer."""
        wait_until(lambda: self.get(path, host)[:2] == (200, f"GET {path}"), f"{host}{path} is served", seconds)

    def load(self, host="shop.test", mix=MIX):
        return Load(self.ports.http, mix, host=host, address=node.IP)

    # Inside

    def gateways(self):
        return self.kube.pods(self.gateways_selector, self.space)

    def operators(self):
        return self.kube.pods(self.operators_selector, self.space)

    def leader(self):
        """The name of the operator's pod that leads."""
        holder = self.kube.get("lease", f"{self.release}-operator", self.space)["spec"]["holderIdentity"]
        return next(pod["metadata"]["name"] for pod in self.operators() if pod["metadata"]["name"] in holder)

    def settled(self, count=None, seconds=120):
        """No pod is on its way in or out."""
        for selector, wanted in ((self.gateways_selector, count), (self.operators_selector, None)):
            def all_ready(selector=selector, wanted=wanted):
                pods = self.kube.get("pods", space=self.space, selector=selector)
                return (wanted in (None, len(pods)) and pods
                        and all("deletionTimestamp" not in pod["metadata"] and is_ready(pod) for pod in pods))
            wait_until(all_ready, f"{selector}: all are ready, none is leaving", seconds)


class Private:
    """A release of charts/adit-connector and the service behind it."""

    def __init__(self, kube, helm, space="private", release="shop", tunnel="shop", values=None):
        self.kube, self.helm, self.space, self.release, self.tunnel = kube, helm, space, release, tunnel
        self._values = values or {}
        self.connector = f"deployment/{release}-adit-connector"
        self.selector = f"app.kubernetes.io/instance={release},app.kubernetes.io/component=connector"

    def take_credentials(self, edge_space, edge):
        """What the owner of the Tunnel hands over: the Secret that the operator made, once it has the authority of this
        install of the edge, which is a new one after each."""
        name = f"{self.tunnel}-connector"

        def is_there():
            trusted = self.kube.get("configmap", "adit-ca", edge.space)["data"]["ca.crt"]
            told = self.kube.get("secret", name, edge_space)["data"]["ca.crt"]
            return base64.b64decode(told).decode() == trusted
        wait_until(is_there, f"the operator makes {name}", 60)
        given = self.kube.get("secret", name, edge_space)
        self.kube.apply({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": self.space},
                         "type": given["type"], "data": given["data"]})
        return {key: base64.b64decode(value).decode() for key, value in given["data"].items()}

    def values(self):
        own = {"existingSecret": f"{self.tunnel}-connector", "image": {"tag": tarballs.TAG, "pullPolicy": "Never"}, "replicas": 2, "links": 2, "drainTimeSeconds": DRAIN,
               "resources": _SMALL, "services": {"default": "http://sample:8000", "chat": "http://sample:8001"}}
        return merged(own, self._values)

    def install(self):
        self.kube.apply(*workloads.sample(self.space, replicas=2))
        self.kube.rolled_out("deployment/sample", self.space)
        return self.helm.upgrade(self.release, "adit-connector", self.space, self.values())

    def connectors(self):
        return self.kube.pods(self.selector, self.space)

    def status(self, pod):
        """Of a connector, by way of the API server: nobody else can ask it from outside."""
        return json.loads(self.kube(
            "get", "--raw", f"/api/v1/namespaces/{self.space}/pods/{pod['metadata']['name']}:9091/proxy/status"))

    def settled(self, count, seconds=120):
        def all_ready():
            pods = self.kube.get("pods", space=self.space, selector=self.selector)
            return len(pods) == count and all("deletionTimestamp" not in pod["metadata"] and is_ready(pod) for pod in pods)
        wait_until(all_ready, f"{count} connectors, none is leaving", seconds)


def tunnel(name, space, host="shop.test", **spec):
    """With a route to the service's WebSocket."""
    routes = [{"host": host}, {"host": host, "path": "/chat", "service": "chat"}]
    return {"apiVersion": "adit.dev/v1alpha1", "kind": "Tunnel", "metadata": {"name": name, "namespace": space},
            "spec": {"routes": routes, **spec}}


def covered(edge, private, seconds=60):
    """Each connector holds all its links to each gateway there is, and to no other; and gateways know no other connector."""
    def each_has_all():
        gateways = [page(pod, 9090, "/status") for pod in edge.gateways()]
        ids = {gateway["id"] for gateway in gateways}
        connectors = [private.status(pod) for pod in private.connectors()]
        held = [{row["id"]: (row["links"], row["wanted"]) for row in connector["gateways"]} for connector in connectors]
        live = [{link["instance"] for tunnel in gateway["tunnels"] if tunnel["name"].endswith(f"/{private.tunnel}")
                 for link in tunnel["links"]} for gateway in gateways]
        assert all(set(rows) == ids for rows in held), f"{held} of {ids}"
        assert all(links == wanted for rows in held for links, wanted in rows.values()), f"{held}"
        instances = {connector["instance"] for connector in connectors}
        assert all(known == instances for known in live), f"{live} of {instances}"
        return connectors and gateways
    wait_until(each_has_all, "each connector is linked to each gateway, and to no other", seconds)


def page(pod, port, path):
    """JSON of the admin port of a pod of the edge, without the API server."""
    with urllib.request.urlopen(f"http://{pod['status']['podIP']}:{port}{path}", timeout=5) as answer:
        return json.load(answer)


def is_ready(pod):
    return any(c["type"] == "Ready" and c["status"] == "True" for c in pod["status"].get("conditions", []))


def merged(low, high):
    """Of two trees of values; the second one wins."""
    if not (isinstance(low, dict) and isinstance(high, dict)):
        return high
    return {key: merged(low[key], high[key]) if key in low and key in high else high.get(key, low.get(key))
            for key in {**low, **high}}


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None
