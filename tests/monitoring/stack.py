"""A whole installation with traffic of every kind, and a Prometheus that scrapes all of it.

At the edge: an operator on a real API server, two gateways that are peers, a third one with manifests. On the private side:
connectors with two services, one of which is down. What goes wrong does so on purpose, and over and over."""
import contextlib
import itertools
import signal
import threading

import visitor
from edge import Edge, documents, token_secret, tunnel_manifest
from kube import tls_secret, tunnel
from plane import Gateway, Plane
from programs import free_port, wait_until
from prometheus import Prometheus

LIMITED = "limited.test"


class Stack:
    def __init__(self, kube, folder, authority, origin):
        self.kube, self.authority, self.origin = kube, authority, origin
        (folder / "plane").mkdir()
        (folder / "standalone").mkdir()
        self.plane = Plane(kube, folder / "plane")
        self.edge = Edge(folder / "standalone", authority)
        self.prometheus = None
        self.folder = folder
        self.space = self.plane.spaces[0]
        self._end, self._visitors = threading.Event(), []

    # Programs

    def start(self):
        plane = self.plane
        self.operator = plane.start_operator()
        self.waiting = plane.start_operator(name="operator-2", wait=False)
        self.apply_tunnels()
        self.gateways = [self._gateway(name) for name in ("gateway-1", "gateway-2")]
        ports = [gateway.link for gateway in self.gateways]
        service = self.origin.url
        both = ["--gateway", f"localhost:{ports[1]}", "--service", f"api=http://127.0.0.1:{free_port()}",
                "--probe", "tcp?interval=200ms", "--probe", "api=tcp?interval=200ms&down=2"]
        self.connectors = [plane.start_connector("shop", service, name="berlin", flags=["--name", "berlin", *both])]
        self.connectors.append(plane.start_connector("shop", service, name="lisbon", flags=["--name", "lisbon", *both],
                                                     like=self.connectors[0]))
        # One of its gateways is nowhere, so dials fail.
        self.connectors.append(plane.start_connector("limited", service, name="oslo",
                                                     flags=["--name", "oslo", "--gateway", f"localhost:{free_port()}"]))
        self._start_standalone()
        self.kube.wait_condition("True", "limited", self.space)

    def _gateway(self, name):
        gateway, peer = Gateway(name), free_port()
        link = self.plane.link_port if name == "gateway-1" else free_port()
        return self.plane.start_gateway(
            "--peer-listen", f"127.0.0.1:{peer}", "--peer-address", f"127.0.0.1:{peer}", "--max-connections", "500",
            "--tunnel-max-connections", "100", "--drain-time", "2s", name=name, gateway=gateway, link=link,
            operator=self.operator.control)

    def apply_tunnels(self):
        """Those that work, one that nobody serves, one with a certificate that ends soon, and one that is refused."""
        self.kube.apply(
            tls_secret("shop-tls", self.space, *self.authority.issue("shop.test")),
            tunnel("shop", self.space, "shop.test", routes=[{"host": "shop.test"}, {"host": "shop.test", "path": "/api", "service": "api"}],
                   tls={"mode": "Terminate", "secretName": "shop-tls"}),
            tunnel("lonely", self.space, "lonely.test"),
            tunnel("limited", self.space, LIMITED, limits={"connections": 10, "requestsPerSecond": 1}))
        self.kube.apply(tunnel("wrong", self.space, "wrong.test", ports=[{"name": "ssh", "protocol": "TCP", "port": 2222}]))

    def _start_standalone(self):
        edge = self.edge
        edge.write_default()
        edge.write("other.yaml", documents(tunnel_manifest("other", "4d21094e-b74c-4916-86c1-d9fa36ea677c", "  - {host: other.test}\n"),
                                           token_secret("other-connector", "another-token-of-these-tests-0123456789")))
        edge.start_gateway()
        self.connectors.append(edge.start_connector(self.origin.url, name="vm", flags=["--name", "vm"]))
        edge.wait_status(200)
        edge.write("other.yaml", "kind: Tunnel\nspec: [nothing\n")
        wait_until(lambda: edge.metrics()["adit_gateway_config_refused"] == 1, "the file is refused")

    # Prometheus

    def targets(self):
        """(job, labels, address), with the labels that a scrape in a cluster has."""
        def target(job, pod, admin, space="adit"):
            return job, {"namespace": space, "pod": pod}, f"127.0.0.1:{admin}"
        found = [target("adit-gateway", gateway.name, gateway.admin) for gateway in self.gateways]
        found += [target("adit-operator", operator.name, operator.admin) for operator in (self.operator, self.waiting)]
        found += [target("adit-connector", connector.name, connector.admin, "private") for connector in self.connectors]
        return [*found, ("vm", {}, f"127.0.0.1:{self.edge.admin}")]

    def scrape(self, **options):
        self.prometheus = Prometheus(self.folder, self.targets(), **options)
        self.prometheus.wait_ready()
        everybody = {address for _, _, address in self.targets()}
        wait_until(lambda: self.prometheus.up() == everybody, "all programs are scraped", 30)

    # Traffic

    def begin_traffic(self, pause=0.02):
        for number in range(2):
            self._visitors.append(threading.Thread(target=self._visit, args=(number, pause), daemon=True))
            self._visitors[-1].start()

    def _visit(self, number, pause):
        first, second = (gateway.http for gateway in self.gateways)
        good = [(port, "/", "shop.test") for port in (first, second, first, second, first)]
        kinds = itertools.cycle([
            *good, (first, "/status?code=404", "shop.test"), *good, (first, "/status?code=301", "shop.test"), *good,
            (second, "/big?bytes=50000", "shop.test"), *good, (first, "/status?code=500", "shop.test"),
            (first, "/", "nobody.test"), *good, (first, "/drop", "shop.test"), *good, (first, "/api", "shop.test"), *good,
            (second, "/", "lonely.test"), (first, "/", LIMITED), (second, "/", LIMITED), *good, (self.edge.http, "/", "shop.test"),
            (self.edge.http, "/cut", "shop.test")])
        for step, (port, path, host) in enumerate(kinds):
            if self._end.wait(pause):
                return
            with contextlib.suppress(OSError, visitor.http.client.HTTPException):
                body = b"x" * 2000 if step % 5 == 0 else None
                visitor.get(port, path, host=host, method="POST" if body else "GET", body=body)
            if step % 25 == number:
                with contextlib.suppress(OSError), visitor.Raw(first) as raw:
                    raw.send("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n")
                    raw.read_all()
                with contextlib.suppress(OSError), visitor.Raw(self.gateways[0].https) as raw:
                    raw.send("no handshake\r\n\r\n")
                    raw.read_all()

    def lose_a_connector(self):
        """As a crash: its links are lost, and it comes back under the same name."""
        lost = self.connectors[1]
        lost.kill()
        flags = [str(argument) for argument in lost.process.args[1:]]
        again = self.plane.run("lisbon-again", [lost.process.args[0], *flags])
        again.name, again.admin, again.files, again.secret = lost.name, lost.admin, lost.files, lost.secret
        self.connectors[1] = again

    def freeze(self, program, seconds):
        """Stopped like one that hangs, so that its links are given up; then it goes on and comes back to them."""
        program.signal(signal.SIGSTOP)
        self._end.wait(seconds)
        program.signal(signal.SIGCONT)

    def finish(self):
        """Ends everything and returns what was wrong with it."""
        self._end.set()
        for thread in self._visitors:
            thread.join(30)
        if self.prometheus:
            self.prometheus.program.kill()
        return [*self.edge.finish(), *self.plane.finish()]

    def logs(self):
        return [*self.plane.logs(), *self.edge.logs()]
