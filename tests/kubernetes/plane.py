"""One installation on the cluster: namespaces of its own, operators, gateways and connectors as real programs."""
import json
import re
import urllib.error
import urllib.request
import uuid

import visitor
from kube import namespace
from programs import BIN, Program, free_port, wait_until

HOST = "shop.test"


class Gateway:
    """Ports of one gateway, and the program once it runs."""

    def __init__(self, name):
        self.name, self.program = name, None
        self.http, self.https, self.link, self.admin = (free_port() for _ in range(4))


class Plane:
    """Programs start when asked. The operator watches the namespaces of this installation only, unless told."""

    def __init__(self, kube, folder, spaces=2):
        self.kube, self.folder = kube, folder
        unique = uuid.uuid4().hex[:8]
        self.space = f"adit-{unique}"  # the operator's own
        self.spaces = [f"team-{letter}-{unique}" for letter in "abcdef"[:spaces]]
        self.link_port = free_port()
        self.programs, self.controls, self.admins = [], [], []
        kube.apply(*map(namespace, [self.space, *self.spaces]),
                   {"apiVersion": "v1", "kind": "ServiceAccount",
                    "metadata": {"name": "adit-gateway", "namespace": self.space}})
        self.ca_file = folder / "adit-ca.crt"
        self.token_file = folder / "gateway-token"
        self.write_token()

    # Programs

    def run(self, name, argv):
        program = Program(name, argv, self.folder)
        self.programs.append(program)
        return program

    def write_token(self, account="adit-gateway", audience=None, seconds=3600):
        self.token_file.write_text(self.kube.run("create", "token", account, "-n", self.space, "--audience",
                                                 audience or f"adit.dev/{self.space}", f"--duration={seconds}s"))

    def start_operator(self, *flags, name="operator", kubeconfig=None, all_spaces=False, wait=True,
                       control=None):
        control, admin = control or free_port(), free_port()
        argv = [BIN / "adit-operator", "--kubeconfig", kubeconfig or self.kube.kubeconfig, "--namespace", self.space,
                "--control", f"127.0.0.1:{control}", "--control-name", "localhost", "--admin", f"127.0.0.1:{admin}",
                "--gateway-address", f"localhost:{self.link_port}", "--public-address", "edge.test",
                "--lease-duration", "3s", "--renew-deadline", "2s", "--retry-period", "250ms"]
        if not all_spaces:
            for space in self.spaces:
                argv += ["--namespaces", space]
        operator = self.run(name, [*argv, *flags])
        operator.control, operator.admin = control, admin
        self.controls.append(control)
        if wait:
            self.wait_ready(operator, admin)
        return operator

    def write_ca(self):
        wait_until(lambda: self.kube.get("configmap", "adit-ca", self.space), "the operator has made its CA")
        self.ca_file.write_text(self.kube.get("configmap", "adit-ca", self.space)["data"]["ca.crt"])

    def start_gateway(self, *flags, name="gateway", link=None, operator=None, wait=True, gateway=None,
                      ca=True):
        """`ca`: the operator's CA is fetched; False while the API server is away."""
        gateway = gateway or Gateway(name)
        gateway.link = link or self.link_port
        if ca:
            self.write_ca()
        gateway.program = self.run(name, [
            BIN / "adit-gateway", "--operator", f"wss://localhost:{operator or self.controls[-1]}",
            "--operator-token-file", self.token_file, "--operator-ca-file", self.ca_file, "--link-host", "localhost",
            "--http", f"127.0.0.1:{gateway.http}", "--https", f"127.0.0.1:{gateway.https}",
            "--link", f"127.0.0.1:{gateway.link}", "--admin", f"127.0.0.1:{gateway.admin}", *flags])
        if wait:
            self.wait_ready(gateway.program, gateway.admin)
        return gateway

    def mount(self, tunnel, space, name):
        """The Secret that the operator made, as files; (its data, their folder)."""
        secret_name = f"{tunnel}-connector"
        wait_until(lambda: self.kube.secret(secret_name, space), f"Secret {secret_name}")
        secret = self.kube.secret(secret_name, space)
        files = self.folder / f"{name}-{uuid.uuid4().hex[:4]}"
        files.mkdir()
        for key, value in secret.items():
            (files / key).write_text(value)
        return secret, files

    def start_connector(self, tunnel, service, space=None, name="connector", wait=True, flags=(), like=None):
        """From the Secret that the operator made, as a user would mount it; or with the files of the connector `like`."""
        secret, files = (like.secret, like.files) if like else self.mount(tunnel, space or self.spaces[0], name)
        admin = free_port()
        connector = self.run(name, [
            BIN / "adit-connector", "--gateway", secret["gateway"], "--tunnel", secret["tunnel"], "--token-file",
            files / "token", "--ca-file", files / "ca.crt", "--admin", f"127.0.0.1:{admin}", "--service", service,
            *flags])
        connector.admin, connector.files, connector.secret = admin, files, secret
        if wait:
            self.wait_ready(connector, admin)
        return connector

    def start(self, service, hosts=(HOST,)):
        """The usual case: a Tunnel `shop` in the first namespace that works."""
        from kube import tunnel
        operator = self.start_operator()
        gateway = self.start_gateway()
        self.kube.apply(tunnel("shop", self.spaces[0], *hosts))
        connector = self.start_connector("shop", service)
        self.kube.wait_condition("True", "shop", self.spaces[0])
        return operator, gateway, connector

    # Watch and use

    def wait_ready(self, program, admin):
        def ready():
            assert program.running(), f"{program.name} ended with {program.process.returncode}: {program.err[-2000:]}"
            return self.page("/readyz", admin)[0] == 200
        wait_until(ready, f"{program.name} is ready", 40)

    def page(self, path, admin):
        """(status, text) of an admin page; (0, "") when nobody listens."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{admin}{path}", timeout=5) as page:
                return page.status, page.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError:
            return 0, ""

    def status(self, admin):
        return json.loads(self.page("/status", admin)[1])

    def metric(self, admin, name):
        """The value of a sample; None when it is not there."""
        found = re.search(rf"^{re.escape(name)} (\S+)$", self.page("/metrics", admin)[1], re.MULTILINE)
        return float(found[1]) if found else None

    def leader(self, operators):
        leading = [o for o in operators if o.running() and self.status(o.admin)["leading"]]
        return leading[0] if len(leading) == 1 else None

    def get(self, gateway, path="/", host=HOST):
        return visitor.get(gateway.http, path, host=host)

    def answers(self, gateway, path="/", host=HOST):
        """The status of an answer; 0 when there is none."""
        try:
            return self.get(gateway, path, host).status
        except OSError:
            return 0

    def finish(self):
        wrong = [text for program in reversed(self.programs) for text in program.judge()]
        for space in [*self.spaces, self.space]:
            self.kube.run("delete", "namespace", space, "--wait=false", "--ignore-not-found", check=False)
        return wrong

    def logs(self):
        return [(f"{p.name} {stream}", text[-8000:]) for p in self.programs
                for stream, text in (("stdout", p.out), ("stderr", p.err)) if text]
