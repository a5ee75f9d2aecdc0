"""What is measured: the upstream and, between it and the load, each system with its configuration.

Every program has one worker thread. The two-hop systems speak TLS 1.3 with AES-128-GCM and an ECDSA P-256 certificate
between their halves, which is the trust boundary of a tunnel; all serve visitors with the same certificate, protocol and
cipher. nginx and haproxy write no access log; Adit writes one.
"""
import base64
import http.client
import os
import pathlib
import secrets
import shutil
import subprocess
import urllib.request

import configurations as conf
from processes import Program, free_port

SMALL_BODY = "x" * 200
BIG_BYTES = 64 * 1024 * 1024
NEAR_ADDRESS = "10.93.0.1"  # of the gateway in distance.py
TUNNEL_ID = "4d21094e-b74c-4916-86c1-d9fa36ea677b"
NAMES = ("direct", "nginx1", "nginx2", "haproxy1", "haproxy2", "adit", "adit-two")


class System:
    """A named way from the load to the upstream: its programs from the public side inwards, and the ports to load."""

    def __init__(self, name, title, port, programs, tls_port=None, admin_port=None):
        self.name, self.title, self.port, self.programs = name, title, port, programs
        self.tls_port, self.admin_port = tls_port, admin_port

    def rss(self):
        """KiB of each program."""
        return [program.rss() for program in self.programs]

    def stop(self):
        for program in reversed(self.programs):
            program.stop()

    def answers(self, host="localhost"):
        """Whether the small page arrives whole."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/small", headers={"Host": host})
        try:
            with urllib.request.urlopen(request, timeout=2) as answer:
                return answer.read() == SMALL_BODY.encode()
        except (OSError, http.client.HTTPException):
            return False

    def open_streams(self):
        """Streams on the links of Adit, idle ones included; None for others."""
        if self.admin_port is None:
            return None
        with urllib.request.urlopen(f"http://127.0.0.1:{self.admin_port}/metrics", timeout=5) as answer:
            lines = answer.read().decode().splitlines()
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith("adit_gateway_streams_open{"))


class Bench:
    """Makes the files and programs of one run in `folder`; the big file lies in memory where /dev/shm exists.

    A system can be started more than once, each time with another `tag`.
    """

    def __init__(self, folder, programs_folder):
        self.folder = pathlib.Path(folder)
        self.bin = programs_folder and pathlib.Path(programs_folder).resolve()
        self.started = []
        self.certificate()
        self.upstream_port = self.upstream()

    def certificate(self):
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc",
             "-keyout", "tls.key", "-out", "tls.pem", "-days", "2", "-subj", "/CN=localhost",
             "-addext", f"subjectAltName=DNS:localhost,IP:{NEAR_ADDRESS}"],
            cwd=self.folder, check=True, capture_output=True)
        (self.folder / "both.pem").write_text(
            (self.folder / "tls.pem").read_text() + (self.folder / "tls.key").read_text())

    def start(self, name, argv, port=None, patience=10):
        program = Program(name, argv, self.folder, port)
        self.started.append(program)
        program.wait_until_listening(patience)
        return program

    def stop(self):
        for program in reversed(self.started):
            program.stop()

    def system(self, name, tag=""):
        """One of NAMES, started."""
        return getattr(self, name.replace("-", "_"))(tag)

    def nginx(self, name, port, http_block):
        file = self.folder / f"{name}.conf"
        # A worker of another user could not read the files of this folder.
        user = "user root; " if os.geteuid() == 0 else ""
        file.write_text(conf.NGINX.format(name=self.folder / name, http=http_block, user=user))
        nginx = shutil.which("nginx") or "/usr/sbin/nginx"
        return self.start(name, [nginx, "-p", self.folder, "-e", "stderr", "-c", file], port)

    def nginx_public(self, name, port, tls, **parts):
        return self.nginx(name, port, conf.NGINX_PROXY.format(
            listen=conf.NGINX_PUBLIC.format(port=port, tls=tls), streamed=conf.NGINX_STREAMED,
            server=conf.NGINX_CERTIFICATE.format(folder=self.folder), **parts))

    def haproxy(self, name, port, **parts):
        file = self.folder / f"{name}.cfg"
        file.write_text(conf.HAPROXY.format(**parts))
        return self.start(name, [shutil.which("haproxy") or "/usr/sbin/haproxy", "-db", "-q", "-f", file], port)

    def haproxy_public(self, name, port, tls, **parts):
        binds = conf.HAPROXY_PUBLIC.format(port=port, tls=tls, folder=self.folder)
        return self.haproxy(name, port, binds=binds, **parts)

    def upstream(self):
        files = self.folder / "files"
        files.mkdir()
        with (files / "big").open("wb") as big:
            for _ in range(BIG_BYTES >> 20):
                big.write(secrets.token_bytes(1 << 20))
        port, service = free_port(), free_port()
        if self.bin:  # uploads are measured with Adit's own service
            self.start("service", [self.bin / "bench_service", "127.0.0.1", service], service)
        self.nginx("upstream", port, conf.NGINX_UPSTREAM.format(
            port=port, body=SMALL_BODY, files=files, service=service, streamed=conf.NGINX_STREAMED))
        return port

    def direct(self, _tag=""):
        return System("direct", "direct to the upstream", self.upstream_port, [])

    def nginx1(self, tag=""):
        port, tls = free_port(), free_port()
        program = self.nginx_public(f"nginx-one-hop{tag}", port, tls, scheme="http", proxy="", next=self.upstream_port)
        return System("nginx1", "nginx, one hop", port, [program], tls)

    def nginx2(self, tag=""):
        port, tls, between = free_port(), free_port(), free_port()
        inner = self.nginx(f"nginx-private{tag}", between, conf.NGINX_PROXY.format(
            listen=f"listen 127.0.0.1:{between} ssl;", scheme="http", proxy="", next=self.upstream_port,
            streamed=conf.NGINX_STREAMED, server=conf.NGINX_CERTIFICATE.format(folder=self.folder)))
        outer = self.nginx_public(f"nginx-public{tag}", port, tls, scheme="https", next=between,
                                  proxy=conf.NGINX_TO_TLS)
        return System("nginx2", "nginx + nginx, TLS between", port, [outer, inner], tls)

    def haproxy1(self, tag=""):
        port, tls = free_port(), free_port()
        program = self.haproxy_public(f"haproxy-one-hop{tag}", port, tls, next=self.upstream_port, server="")
        return System("haproxy1", "haproxy, one hop", port, [program], tls)

    def haproxy2(self, tag=""):
        port, tls, between = free_port(), free_port(), free_port()
        inner = self.haproxy(f"haproxy-private{tag}", between, next=self.upstream_port, server="",
                             binds=conf.HAPROXY_PRIVATE.format(port=between, folder=self.folder))
        outer = self.haproxy_public(f"haproxy-public{tag}", port, tls, next=between, server=conf.HAPROXY_TO_TLS)
        return System("haproxy2", "haproxy + haproxy, HTTP/2 over TLS between", port, [outer, inner], tls)

    def adit_two(self, tag=""):
        system = self.adit(f"{tag}-two", workers=2)
        system.name, system.title = "adit-two", "Adit, two workers each"
        return system

    def adit(self, tag="", hosts=('"*"',), others=0, workers=1, service=None):
        """`hosts`: of the tunnel that is loaded; `others`: how many tunnels are configured beside it; `service`: the
        port of another one than the upstream."""
        manifests, token = self.folder / f"manifests{tag}", secrets.token_hex(32)
        self.write_manifests(manifests, token, hosts, others)
        (self.folder / f"token{tag}").write_text(token)
        port, tls, link, admin, connector_admin = (free_port() for _ in range(5))
        gateway = self.start(f"adit-gateway{tag}", [
            self.bin / "adit-gateway", "--manifests", manifests, "--http", f"127.0.0.1:{port}",
            "--https", f"127.0.0.1:{tls}", "--link", f"127.0.0.1:{link}", "--link-host", "localhost",
            "--link-cert", "tls.pem", "--link-key", "tls.key", "--admin", f"127.0.0.1:{admin}", "--workers", str(workers),
            "--access-log", f"access{tag}.log"], port, 60)
        connector = self.start(f"adit-connector{tag}", [
            self.bin / "adit-connector", "--gateway", f"localhost:{link}", "--tunnel", TUNNEL_ID,
            "--token-file", f"token{tag}", "--ca-file", "tls.pem",
            "--service", f"http://127.0.0.1:{service or self.upstream_port}", "--workers", str(workers),
            "--admin", f"127.0.0.1:{connector_admin}"], connector_admin)
        return System("adit", "Adit: gateway + connector", port, [gateway, connector], tls, admin)

    def write_manifests(self, manifests, token, hosts, others):
        def base64_of(data):
            return base64.b64encode(data).decode()

        manifests.mkdir()
        (manifests / "bench.yaml").write_text(conf.TUNNEL.format(
            tunnel=TUNNEL_ID, routes="\n".join(f"  - {{host: {host}}}" for host in hosts),
            token=base64_of(token.encode()), certificate=base64_of((self.folder / "tls.pem").read_bytes()),
            key=base64_of((self.folder / "tls.key").read_bytes())))
        for number in range(others):
            (manifests / f"other-{number}.yaml").write_text(conf.OTHER_TUNNEL.format(number=number))


def version(argv):
    """The first line that a program prints of its version."""
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=10, check=False)
        return (done.stdout + done.stderr).strip().splitlines()[0]
    except (OSError, IndexError, subprocess.TimeoutExpired):
        return "unknown"
