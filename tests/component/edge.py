"""One installation in a temporary folder: manifests, a gateway, and connectors, with shortcuts to use and watch them."""
import json
import os
import subprocess
import urllib.error
import urllib.request

import pki
import visitor
from programs import BIN, PATIENCE, Program, free_port, wait_until

TUNNEL = "4d21094e-b74c-4916-86c1-d9fa36ea677b"
TOKEN = "a-token-of-the-component-tests-0123456789"
ROUTES = '  - {host: shop.test}\n'


def tunnel_manifest(name="shop", tunnel=TUNNEL, routes=ROUTES, tls=None, tokens=None, space="default"):
    text = (f"apiVersion: adit.dev/v1alpha1\nkind: Tunnel\nmetadata: {{name: {name}, namespace: {space}}}\n"
            f"spec:\n  id: {tunnel}\n  routes:\n{routes}")
    if tls:
        text += f"  tls: {{mode: Terminate, secretName: {tls}}}\n"
    if tokens:
        text += "  connectorTokens:\n" + "".join(f"  - {{secretName: {t}}}\n" for t in tokens)
    return text


def token_secret(name="shop-connector", token=TOKEN, space="default"):
    return (f"apiVersion: v1\nkind: Secret\nmetadata: {{name: {name}, namespace: {space}}}\n"
            f"type: adit.dev/connector-token\nstringData: {{token: {token}}}\n")


def documents(*texts):
    return "---\n".join(texts)


class Edge:
    """Ports are chosen at once; the programs start when asked. Link certificate: for localhost, by the edge's own CA."""

    def __init__(self, folder, authority):
        self.folder, self.authority = folder, authority
        self.manifests = folder / "manifests"
        self.manifests.mkdir()
        self.http, self.https, self.link, self.admin = (free_port() for _ in range(4))
        self.link_address = f"127.0.0.1:{self.link}"  # "off": links come to the public listeners only
        self.link_chain, self.link_key = authority.issue("localhost", "127.0.0.1")
        self.programs = []
        self.gateway = None

    # Manifests

    def write(self, name, text):
        """Puts a manifest in place as an editor does: a new file renamed over the old one."""
        temporary = self.folder / f".{name}.new"
        temporary.write_text(text)
        os.replace(temporary, self.manifests / name)

    def write_default(self, routes=ROUTES, **rest):
        self.write("shop.yaml", documents(tunnel_manifest(routes=routes, **rest), token_secret()))

    def write_tls(self, *names, secret="shop-tls"):
        self.write(f"{secret}.yaml", pki.tls_secret(secret, *self.authority.issue(*names)))

    # Programs

    def run(self, name, argv, env=None):
        program = Program(name, argv, self.folder, env)
        self.programs.append(program)
        return program

    def gateway_flags(self):
        return ["--manifests", self.manifests, "--http", f"127.0.0.1:{self.http}", "--https", f"127.0.0.1:{self.https}",
                "--link", self.link_address, "--link-host", "localhost", "--link-cert", self.link_chain,
                "--link-key", self.link_key, "--admin", f"127.0.0.1:{self.admin}"]

    def start_gateway(self, *flags, name="gateway"):
        self.gateway = self.run(name, [BIN / "adit-gateway", *self.gateway_flags(), *flags])
        self.wait_ready(self.gateway, self.admin)
        return self.gateway

    def connector_flags(self, token=TOKEN, tunnel=TUNNEL, ca_file=None, gateway=None, token_file=None):
        """`token` None: the file that the flag names is not there."""
        file = token_file or self.folder / f"token-{len(self.programs)}"
        if token is not None and not token_file:
            file.write_text(token + "\n")
        return ["--gateway", gateway or f"localhost:{self.link}", *(["--tunnel", tunnel] if tunnel else []), "--token-file", file,
                "--ca-file", ca_file or self.authority.file]

    def start_connector(self, *services, flags=(), name="connector", wait=True, env=None, **credentials):
        admin = free_port()
        argv = [BIN / "adit-connector", *self.connector_flags(**credentials), "--admin", f"127.0.0.1:{admin}"]
        for service in services:
            argv += ["--service", service]
        connector = self.run(name, [*argv, *flags], env)
        connector.admin = admin
        if wait:
            self.wait_ready(connector, admin)
        return connector

    def start(self, *services, gateway=(), **connector):
        """A gateway and a connector, both ready and serving."""
        self.start_gateway(*gateway)
        return self.start_connector(*services, **connector)

    def wait_ready(self, program, admin):
        def ready():
            assert program.running(), f"{program.name} ended with {program.process.returncode}"
            return self.admin_page("/readyz", admin)[0] == 200
        wait_until(ready, f"{program.name} is ready")

    # Use

    def get(self, path="/", **rest):
        return visitor.get(self.http, path, **rest)

    def raw(self):
        return visitor.Raw(self.http)

    def wait_status(self, status, path="/", **rest):
        """Asks until the answer has that status, and returns the seconds that it took."""
        return wait_until(lambda: self.get(path, **rest).status == status, f"{path} {rest} answers {status}")

    def curl(self, *arguments, https=False, name="shop.test"):
        """curl's output; the public name resolves to the edge."""
        port = self.https if https else self.http
        done = subprocess.run(
            ["curl", "-sS", "--max-time", str(PATIENCE), "--resolve", f"{name}:{port}:127.0.0.1", "--cacert",
             str(self.authority.file), *map(str, arguments)], capture_output=True, timeout=PATIENCE + 10, check=False)
        assert done.returncode == 0, f"curl ended with {done.returncode}: {done.stderr.decode()}"
        return done.stdout

    def url(self, path="/", https=False, name="shop.test"):
        return f"https://{name}:{self.https}{path}" if https else f"http://{name}:{self.http}{path}"

    # Watch

    def admin_page(self, path, admin=None):
        """(status, text) of an admin page; (0, "") when nobody listens."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{admin or self.admin}{path}", timeout=5) as page:
                return page.status, page.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError:
            return 0, ""

    def status(self, admin=None):
        """What /status says."""
        return json.loads(self.admin_page("/status", admin)[1])

    def metrics(self, admin=None):
        """name{labels} → value."""
        status, text = self.admin_page("/metrics", admin)
        assert status == 200
        samples = (line.rsplit(" ", 1) for line in text.splitlines() if line and not line.startswith("#"))
        return {name: float(value) for name, value in samples}

    def access_log(self):
        """The gateway's access log, a dict for each line."""
        return [json.loads(line) for line in self.gateway.out.splitlines() if line.startswith("{")]

    def wait_access_log(self, count):
        """The log once it has `count` lines; it is written behind the requests."""
        wait_until(lambda: len(self.access_log()) >= count, f"{count} lines in the access log")
        return self.access_log()

    def finish(self):
        """Ends all programs, connectors first, and returns what was wrong with them."""
        return [wrong for program in reversed(self.programs) for wrong in program.judge()]

    def logs(self):
        return [(f"{p.name} {stream}", text[-8000:]) for p in self.programs
                for stream, text in (("stdout", p.out), ("stderr", p.err)) if text]
