"""What is measured: the upstream and, between it and the load, each system with its configuration.

Every program has one worker thread. The two-hop systems speak TLS 1.3 with AES-128-GCM and an ECDSA P-256 certificate
between their halves, which is the trust boundary of a tunnel. nginx and haproxy write no access log; Adit writes one.
"""
import base64
import os
import pathlib
import secrets
import shutil
import subprocess
import urllib.request

from processes import Program, free_port

CIPHER = "TLS_AES_128_GCM_SHA256"
SMALL_BODY = "x" * 200
BIG_BYTES = 64 * 1024 * 1024

NGINX = """{user}daemon off; worker_processes 1; pid {name}.pid; error_log stderr error;
events {{ worker_connections 4096; }}
http {{
  access_log off; tcp_nodelay on; keepalive_requests 1000000000; keepalive_timeout 300s;
  client_body_temp_path {name}.body; proxy_temp_path {name}.proxy; fastcgi_temp_path {name}.fastcgi;
  uwsgi_temp_path {name}.uwsgi; scgi_temp_path {name}.scgi;
  {http}
}}
"""
NGINX_PROXY = """upstream next {{ server 127.0.0.1:{next}; keepalive 256; keepalive_requests 1000000000; }}
  server {{
    listen 127.0.0.1:{port}{listen}; {server}
    location / {{
      proxy_pass {scheme}://next; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $host;
      proxy_set_header X-Forwarded-For $remote_addr; proxy_max_temp_file_size 0; {proxy}
    }}
  }}"""
HAPROXY = """global
  nbthread 1
  maxconn 4096
defaults
  mode http
  timeout connect 5s
  timeout client 300s
  timeout server 300s
  http-reuse always
  option forwardfor
frontend public
  bind 127.0.0.1:{port} {bind}
  default_backend next
backend next
  server next 127.0.0.1:{next} {server}
"""
MANIFEST = """apiVersion: adit.dev/v1alpha1
kind: Tunnel
metadata: {{name: bench, namespace: default}}
spec:
  id: {tunnel}
  routes:
  - {{host: "*"}}
---
apiVersion: v1
kind: Secret
metadata: {{name: bench-connector, namespace: default}}
type: adit.dev/connector-token
data: {{token: {token}}}
"""


class System:
    """A named way from the load to the upstream: its programs from the public side inwards, and the port to load."""

    def __init__(self, name, title, port, programs):
        self.name, self.title, self.port, self.programs = name, title, port, programs


class Bench:
    """Makes the files and programs of one run in `folder`; the big file lies in memory where /dev/shm exists."""

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
             "-addext", "subjectAltName=DNS:localhost"],
            cwd=self.folder, check=True, capture_output=True)
        (self.folder / "both.pem").write_text(
            (self.folder / "tls.pem").read_text() + (self.folder / "tls.key").read_text())

    def start(self, name, argv, port=None):
        program = Program(name, argv, self.folder, port)
        self.started.append(program)
        program.wait_until_listening()
        return program

    def stop(self):
        for program in reversed(self.started):
            program.stop()

    def nginx(self, name, port, http):
        conf = self.folder / f"{name}.conf"
        # A worker of another user could not read the files of this folder.
        user = "user root; " if os.geteuid() == 0 else ""
        conf.write_text(NGINX.format(name=self.folder / name, http=http, user=user))
        nginx = shutil.which("nginx") or "/usr/sbin/nginx"
        return self.start(name, [nginx, "-p", self.folder, "-e", "stderr", "-c", conf], port)

    def haproxy(self, name, port, **parts):
        conf = self.folder / f"{name}.cfg"
        conf.write_text(HAPROXY.format(port=port, **parts))
        return self.start(name, [shutil.which("haproxy") or "/usr/sbin/haproxy", "-db", "-q", "-f", conf], port)

    def upstream(self):
        files = self.folder / "files"
        files.mkdir()
        with (files / "big").open("wb") as big:
            big.truncate(BIG_BYTES)
            for _ in range(BIG_BYTES >> 20):
                big.write(secrets.token_bytes(1 << 20))
        port = free_port()
        self.nginx("upstream", port, f"""sendfile on; server {{
            listen 127.0.0.1:{port};
            location = /small {{ return 200 "{SMALL_BODY}"; }}
            location = /big {{ root {files}; }}
        }}""")
        return port

    def direct(self):
        return System("direct", "direct to the upstream", self.upstream_port, [])

    def nginx1(self):
        port = free_port()
        program = self.nginx("nginx-one-hop", port, NGINX_PROXY.format(
            port=port, listen="", server="", scheme="http", proxy="", next=self.upstream_port))
        return System("nginx1", "nginx, one hop", port, [program])

    def nginx2(self):
        port, between = free_port(), free_port()
        inner = self.nginx("nginx-private", between, NGINX_PROXY.format(
            port=between, listen=" ssl", scheme="http", proxy="", next=self.upstream_port,
            server=f"ssl_certificate {self.folder}/tls.pem; ssl_certificate_key {self.folder}/tls.key; "
                   f"ssl_protocols TLSv1.3; ssl_conf_command Ciphersuites {CIPHER};"))
        outer = self.nginx("nginx-public", port, NGINX_PROXY.format(
            port=port, listen="", server="", scheme="https", next=between,
            proxy=f"proxy_ssl_protocols TLSv1.3; proxy_ssl_session_reuse on; "
                  f"proxy_ssl_conf_command Ciphersuites {CIPHER};"))
        return System("nginx2", "nginx + nginx, TLS between", port, [outer, inner])

    def haproxy1(self):
        port = free_port()
        program = self.haproxy("haproxy-one-hop", port, bind="", next=self.upstream_port, server="")
        return System("haproxy1", "haproxy, one hop", port, [program])

    def haproxy2(self):
        port, between = free_port(), free_port()
        inner = self.haproxy(
            "haproxy-private", between, next=self.upstream_port, server="",
            bind=f"proto h2 ssl crt {self.folder}/both.pem alpn h2 ssl-min-ver TLSv1.3 ciphersuites {CIPHER}")
        outer = self.haproxy(
            "haproxy-public", port, bind="", next=between,
            server=f"proto h2 ssl verify none alpn h2 ssl-min-ver TLSv1.3 ciphersuites {CIPHER}")
        return System("haproxy2", "haproxy + haproxy, HTTP/2 over TLS between", port, [outer, inner])

    def adit(self):
        tunnel, token = "4d21094e-b74c-4916-86c1-d9fa36ea677b", secrets.token_hex(32)
        (self.folder / "manifests").mkdir()
        (self.folder / "manifests/bench.yaml").write_text(
            MANIFEST.format(tunnel=tunnel, token=base64.b64encode(token.encode()).decode()))
        (self.folder / "token").write_text(token)
        port, link, admin, connector_admin = free_port(), free_port(), free_port(), free_port()
        gateway = self.start("adit-gateway", [
            self.bin / "adit-gateway", "--manifests", "manifests", "--http", f"127.0.0.1:{port}",
            "--https", f"127.0.0.1:{free_port()}", "--link", f"127.0.0.1:{link}", "--link-host", "localhost",
            "--link-cert", "tls.pem", "--link-key", "tls.key", "--admin", f"127.0.0.1:{admin}", "--workers", "1",
            "--access-log", "access.log"], port)
        connector = self.start("adit-connector", [
            self.bin / "adit-connector", "--gateway", f"localhost:{link}", "--tunnel", tunnel, "--token-file", "token",
            "--ca-file", "tls.pem", "--service", f"http://127.0.0.1:{self.upstream_port}",
            "--admin", f"127.0.0.1:{connector_admin}"], connector_admin)
        return System("adit", "Adit: gateway + connector", port, [gateway, connector])


def version(argv):
    """The first line that a program prints of its version."""
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=10, check=False)
        return (done.stdout + done.stderr).strip().splitlines()[0]
    except (OSError, IndexError, subprocess.TimeoutExpired):
        return "unknown"


def answers(port):
    """Whether the small page arrives whole."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/small", timeout=2) as answer:
            return answer.read() == SMALL_BODY.encode()
    except OSError:
        return False
