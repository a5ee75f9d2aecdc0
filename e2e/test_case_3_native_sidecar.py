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


def test_case_3_native_sidecar(kube, helm, edge):
    with kube.namespaces("team-three", "private-three"):
        kube.apply(tunnel("three", "team-three", "three.test"))
        Private(kube, helm, "private-three", tunnel="three").take_credentials("team-three", edge)

        kube.apply(workloads.from_example("Deployment", SECRET, 8000), space="private-three")
        kube.rolled_out("deployment/shop", "private-three")
        edge.serves("/x", "three.test", 15)
        kube("-n", "private-three", "delete", "deployment", "shop", "--wait")
        wait_until(lambda: edge.get(host="three.test")[0] == 503, "nobody is left", 45)

        job = workloads.from_example("Job", SECRET, 8000, command=["/usr/bin/python3.11", "-u", "-c", WORK])
        kube.apply(job, space="private-three")
        wait_until(lambda: edge.get("/x", "three.test")[:2] == (200, "job /x"), "the job's container is served", 60)
        assert edge.get("/finish", "three.test")[1] == "job /finish"
        kube.condition("job", "shop-import", "private-three", "Complete", seconds=60)
        pod = kube.get("pods", space="private-three", selector="job-name=shop-import")[0]
        assert pod["status"]["phase"] == "Succeeded"
        sidecar = pod["status"]["initContainerStatuses"][0]
        assert sidecar["state"]["terminated"]["exitCode"] == 0, "the connector left in good order"
