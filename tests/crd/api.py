"""The API server, asked directly: kubectl would take ten times as long for each of the many cases."""
import base64
import http.client
import json
import ssl
import tempfile
import urllib.parse

TUNNELS = "/apis/adit.dev/v1alpha1/namespaces/{}/tunnels"


class Answer:
    def __init__(self, status, body):
        self.status, self.body = status, body

    @property
    def accepted(self):
        return self.status < 300

    @property
    def message(self):
        return self.body.get("message", "")


class Api:
    """With the client certificate of a kubeconfig as tests/cluster writes it: JSON, one cluster, one user."""

    def __init__(self, kubeconfig):
        config = json.loads(open(kubeconfig, encoding="utf-8").read())
        cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
        authority = base64.b64decode(cluster["certificate-authority-data"]).decode()
        context = ssl.create_default_context(cadata=authority)
        with tempfile.NamedTemporaryFile() as pair:  # 0600; the ssl module reads key pairs from files only
            pair.write(base64.b64decode(user["client-certificate-data"]) + base64.b64decode(user["client-key-data"]))
            pair.flush()
            context.load_cert_chain(pair.name)
        server = urllib.parse.urlsplit(cluster["server"])
        self._connection = http.client.HTTPSConnection(server.hostname, server.port, context=context, timeout=60)

    def ask(self, method, path, body=None, accept="application/json", **query):
        if query:
            path += "?" + urllib.parse.urlencode(query)
        self._connection.request(method, path, body=None if body is None else json.dumps(body),
                                 headers={"Content-Type": "application/json", "Accept": accept})
        answer = self._connection.getresponse()
        return Answer(answer.status, json.loads(answer.read()))

    def try_create(self, tunnel, namespace="default"):
        """Everything that creation checks, and nothing is stored."""
        return self.ask("POST", TUNNELS.format(namespace), tunnel, dryRun="All", fieldValidation="Strict")

    def try_replace(self, tunnel, subresource="", accept="application/json"):
        path = TUNNELS.format(tunnel["metadata"]["namespace"]) + "/" + tunnel["metadata"]["name"] + subresource
        return self.ask("PUT", path, tunnel, accept=accept, dryRun="All", fieldValidation="Strict")


def tunnel(spec, name="case"):
    return {"apiVersion": "adit.dev/v1alpha1", "kind": "Tunnel", "metadata": {"name": name}, "spec": spec}
