"""The API server without kubectl, for what has to be quick or counted."""
import http.client
import json
import re
import ssl
import threading
import urllib.parse

TUNNELS = "/apis/adit.dev/v1alpha1"


class Rest:
    """As the cluster's administrator; a connection for each thread."""

    def __init__(self, cluster):
        self._context = ssl.create_default_context(cafile=cluster.authority.certificate)
        self._context.load_cert_chain(cluster.folder / "pki/admin.crt", cluster.folder / "pki/admin.key")
        self._port, self._local = cluster.port, threading.local()

    def request(self, method, path, body=None):
        connection = getattr(self._local, "connection", None)
        if connection is None:
            connection = http.client.HTTPSConnection("127.0.0.1", self._port, context=self._context, timeout=60)
            self._local.connection = connection
        try:
            connection.request(method, path, json.dumps(body) if body is not None else None,
                               {"Content-Type": "application/merge-patch+json" if method == "PATCH"
                                else "application/json"})
            answer = connection.getresponse()
            text = answer.read().decode()
        except (OSError, http.client.HTTPException):
            connection.close()
            self._local.connection = None
            raise
        assert answer.status < 300, f"{method} {path}: {answer.status} {text[:300]}"
        return text

    def create_all(self, space, objects, threads=8):
        """Tunnels, in several threads."""
        waiting, failures = list(objects), []

        def work():
            while waiting and not failures:
                try:
                    self.request("POST", f"{TUNNELS}/namespaces/{space}/tunnels", waiting.pop())
                except IndexError:
                    return
                except (AssertionError, OSError) as error:
                    failures.append(error)
        workers = [threading.Thread(target=work) for _ in range(threads)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        assert not failures, failures[0]

    def patch_tunnel(self, space, name, patch):
        self.request("PATCH", f"{TUNNELS}/namespaces/{space}/tunnels/{name}", patch)

    def tunnels(self, space):
        """All, in pages."""
        items, more = [], ""
        while True:
            page = json.loads(self.request("GET", f"{TUNNELS}/namespaces/{space}/tunnels?limit=500&continue="
                                                  f"{urllib.parse.quote(more)}"))
            items += page["items"]
            more = page["metadata"].get("continue", "")
            if not more:
                return items

    def writes(self, *resources):
        """How many writing requests the API server has answered for these resources."""
        total = 0.0
        for line in self.request("GET", "/metrics").splitlines():
            found = re.match(r'apiserver_request_total\{(.*)\} (\S+)$', line)
            if not found:
                continue
            labels = dict(re.findall(r'(\w+)="([^"]*)"', found[1]))
            if labels["resource"] in resources and labels["verb"] in ("APPLY", "PATCH", "POST", "PUT", "DELETE"):
                total += float(found[2])
        return total
