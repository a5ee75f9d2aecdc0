"""Gateways behind a real haproxy, and connectors, that come and go as an operator would make them."""
import functools
import json
import pathlib
import shutil
import signal
import subprocess
import urllib.error
import urllib.request

from edge import ROUTES, TOKEN, TUNNEL, documents, token_secret, tunnel_manifest
from programs import BIN, PATIENCE, Program, free_port, listens, wait_until

# What docs/availability.md tells operators to write; a test compares them.
BALANCER = """\
defaults
  mode tcp
  timeout connect 1s
  timeout client 1h
  timeout server 1h
  retries 3
  option redispatch 1
  default-server check inter 200ms fastinter 100ms downinter 200ms fall 1 rise 1
"""
CHECKS = """\
  balance leastconn
  option httpchk GET /readyz
  http-check expect status 200
"""
NOTICED_WITHIN = 0.5  # seconds until the balancer has noticed, with these checks and some room


@functools.cache
def flags_of(program):
    """The flags that a program has."""
    text = subprocess.run([BIN / program, "--help"], capture_output=True, text=True, check=True).stdout
    return frozenset(word.strip(",[]") for word in text.split() if word.startswith("--"))


class Gateway:
    """A place for one: its ports stay, its program comes and goes."""

    def __init__(self, number):
        self.number, self.program = number, None
        self.http, self.link, self.admin, self.peer = (free_port() for _ in range(4))


class Fleet:
    """Every program's log is in `folder`. finish() ends what still runs and says what was wrong."""

    def __init__(self, folder, authority, service, most_gateways=3, drain_seconds=30, delay_seconds=2, links=2,
                 balanced_links=None):
        self.folder, self.authority, self.service = pathlib.Path(folder), authority, service
        self.drain_seconds, self.delay_seconds, self.links = drain_seconds, delay_seconds, links
        # Connectors know one address, that of the balancer, instead of each gateway's.
        self.balanced_links = "--max-gateways" in flags_of("adit-connector") if balanced_links is None else balanced_links
        self.gateways = [Gateway(number) for number in range(most_gateways)]
        self.connectors = {}
        self.programs, self._starts = [], 0
        self.notes = []  # a drain that was cut short
        self.public = self.link = None
        manifests = self.folder / "manifests"
        manifests.mkdir(parents=True)
        (manifests / "shop.yaml").write_text(documents(
            tunnel_manifest(routes=ROUTES + "  - {host: shop.test, path: /chat, service: chat}\n"), token_secret()))
        (self.folder / "token").write_text(TOKEN)
        self.chain, self.key = authority.issue("localhost", "127.0.0.1")
        self.peer_chain, self.peer_key = authority.issue("adit-gateway-peer")

    def run(self, name, argv):
        self._starts += 1  # a program that starts anew has a log of its own
        program = Program(f"{name}-{self._starts}", argv, self.folder)
        self.programs.append(program)
        return program

    # The balancer

    def start_balancer(self):
        self.public, self.link = free_port(), free_port()
        file = self.folder / "haproxy.cfg"
        file.write_text(BALANCER + "".join(
            f"listen {name}\n  bind 127.0.0.1:{port}\n{CHECKS}" + "".join(
                f"  server gateway-{g.number} 127.0.0.1:{getattr(g, kind)} check port {g.admin}\n" for g in self.gateways)
            for name, port, kind in (("visitors", self.public, "http"), ("links", self.link, "link"))))
        program = self.run("haproxy", [shutil.which("haproxy") or "/usr/sbin/haproxy", "-db", "-f", file])
        program.end = -signal.SIGTERM
        wait_until(lambda: listens(self.public), "haproxy listens")

    # Gateways

    def start_gateway(self, number):
        gateway = self.gateways[number]
        gateway.program = self.run(f"gateway-{number}", [
            BIN / "adit-gateway", "--manifests", self.folder / "manifests", "--http", f"127.0.0.1:{gateway.http}",
            "--https", "off", "--link", f"127.0.0.1:{gateway.link}", "--link-host", "localhost", "--link-cert", self.chain,
            "--link-key", self.key, "--admin", f"127.0.0.1:{gateway.admin}", "--drain-time", f"{self.drain_seconds}s",
            *self.fleet_flags(gateway)])
        return gateway

    def fleet_flags(self, gateway):
        """What makes it one of several, as far as this build has it."""
        flags = []
        if "--drain-delay" in flags_of("adit-gateway"):
            flags += ["--drain-delay", f"{int(self.delay_seconds * 1000)}ms"]
        if "--peers" in flags_of("adit-gateway"):
            others = ",".join(f"127.0.0.1:{other.peer}" for other in self.gateways)
            flags += ["--peer-listen", f"127.0.0.1:{gateway.peer}", "--peers", others, "--peer-cert", self.peer_chain,
                      "--peer-key", self.peer_key, "--peer-ca", self.authority.file]
        return flags

    def serving(self):
        return [gateway for gateway in self.gateways if gateway.program and gateway.program.running()]

    def wait_gateway(self, gateway):
        """Ready, as the balancer will see, and as a rollout waits for it."""
        def ready():
            assert gateway.program.running(), f"{gateway.program.name} has ended"
            return page(gateway.admin, "/readyz")[0] == 200
        wait_until(ready, f"{gateway.program.name} is ready")

    def add_gateway(self, number):
        gateway = self.start_gateway(number)
        self.wait_gateway(gateway)
        return gateway

    def stop_gateway(self, number):
        """SIGTERM, until it has ended."""
        self._stop(self.gateways[number].program, self.delay_seconds + self.drain_seconds)

    # Connectors

    def start_connector(self, name):
        admin = free_port()
        program = self.run(f"connector-{name}", [
            BIN / "adit-connector", *self.gateway_addresses(), "--tunnel", TUNNEL, "--token-file", self.folder / "token",
            "--ca-file", self.authority.file, "--links", str(self.links), "--name", name, "--drain-time",
            f"{self.drain_seconds}s", "--service", f"http://127.0.0.1:{self.service.port}", "--service",
            f"chat=http://127.0.0.1:{self.service.chat}", "--admin", f"127.0.0.1:{admin}"])
        program.admin = admin
        self.connectors[name] = program
        return program

    def gateway_addresses(self):
        if self.balanced_links:
            return ["--gateway", f"localhost:{self.link}"]
        return [word for gateway in self.gateways for word in ("--gateway", f"localhost:{gateway.link}")]

    def add_connector(self, name):
        program = self.start_connector(name)
        wait_until(lambda: page(program.admin, "/readyz")[0] == 200, f"{program.name} is ready")
        return program

    def stop_connector(self, name):
        self._stop(self.connectors.pop(name), self.drain_seconds)

    # All

    def _stop(self, program, seconds):
        program.signal(signal.SIGTERM)
        code = program.wait(seconds + PATIENCE)
        program.judged = True
        if code not in (0, program.end):  # what that meant for visitors is in the journal
            self.notes.append(f"{program.name} ended with {code} after SIGTERM: {program.err.splitlines()[-3:]}")

    def start(self, gateways, connectors):
        self.start_balancer()
        for number in range(gateways):
            self.add_gateway(number)
        for number in range(connectors):
            self.add_connector(f"c{number}")
        self.wait_covered()

    def links_of(self, gateway):
        """(connector, state) of each link that it holds."""
        status, text = page(gateway.admin, "/status")
        tunnels = json.loads(text)["tunnels"] if status == 200 else []
        return [(link["connector"], link["state"]) for tunnel in tunnels for link in tunnel["links"]]

    def wait_covered(self, seconds=40):
        """Each gateway has a live link of each connector."""
        wanted = {(name, "live") for name in self.connectors}
        wait_until(lambda: all(wanted <= set(self.links_of(g)) for g in self.serving()), "every link is up", seconds)

    def finish(self):
        # The balancer goes last, or its health checks would be the only ones to notice that the rest went.
        wrong = [text for program in self.programs[1:] for text in program.judge()]
        return wrong + [text for program in self.programs[:1] for text in program.judge()]

    def logs(self):
        return [(p.name, p.err[-4000:]) for p in self.programs if p.err]


def page(admin, path):
    """(status, text) of an admin page; (0, "") when nobody listens."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{admin}{path}", timeout=5) as found:
            return found.status, found.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
    except OSError:
        return 0, ""
