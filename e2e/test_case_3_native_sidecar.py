"""3. The connector as a native sidecar, in a Deployment and in a Job that completes."""
import workloads
from installation import Private, tunnel
from kube import wait_until

SECRET = "three-connector"
# Serves until a visitor has asked for /finish, and ends with 0 then.
WORK = """
import http.server

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        text = f"job {self.path}".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)
        self.server.finished = self.path == "/finish"

server = http.server.HTTPServer(("127.0.0.1", 8000), Handler)
server.finished = False
while not server.finished:
    server.handle_request()
"""


def deployment(space):
    labels = {"app": "with-sidecar"}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "with-sidecar", "namespace": space},
            "spec": {"replicas": 1, "selector": {"matchLabels": labels},
                     "template": {"metadata": {"labels": labels},
                                  "spec": workloads.with_sidecar(SECRET, workloads.sample_container())}}}


def job(space):
    container = {**workloads.CONTAINER, "name": "work", "image": workloads.tarballs.SAMPLE,
                 "command": ["/usr/bin/python3.11", "-u", "-c", WORK]}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "with-sidecar", "namespace": space},
            "spec": {"backoffLimit": 0,
                     "template": {"spec": workloads.with_sidecar(SECRET, container, restartPolicy="Never")}}}


def test_case_3_native_sidecar(kube, helm, edge):
    with kube.namespaces("team-three", "private-three"):
        kube.apply(tunnel("three", "team-three", "three.test"))
        Private(kube, helm, "private-three", tunnel="three").take_credentials("team-three")

        kube.apply(deployment("private-three"))
        kube.rolled_out("deployment/with-sidecar", "private-three")
        edge.serves("/x", "three.test", 15)
        kube("-n", "private-three", "delete", "deployment", "with-sidecar", "--wait")
        wait_until(lambda: edge.get(host="three.test")[0] == 503, "nobody is left", 45)

        kube.apply(job("private-three"))
        wait_until(lambda: edge.get("/x", "three.test")[:2] == (200, "job /x"), "the job's container is served", 60)
        assert edge.get("/finish", "three.test")[1] == "job /finish"
        kube.condition("job", "with-sidecar", "private-three", "Complete", seconds=60)
        pod = kube.get("pods", space="private-three", selector="job-name=with-sidecar")[0]
        assert pod["status"]["phase"] == "Succeeded"
        sidecar = pod["status"]["initContainerStatuses"][0]
        assert sidecar["state"]["terminated"]["exitCode"] == 0, "the connector left in good order"
