"""What is put between visitor and recording service: Adit's two programs, and nginx and haproxy with one hop."""
import os
import shutil

from edge import Edge
from programs import Program, free_port, listens, wait_until

NGINX = """{user}daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log stderr error;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  upstream service {{ server 127.0.0.1:{service}; keepalive 16; }}
  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_pass http://service; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $host;
    }}
  }}
}}
"""
HAPROXY = """global
  nbthread 1
defaults
  mode http
  timeout connect 5s
  timeout client 30s
  timeout server 30s
  http-reuse always
frontend public
  bind 127.0.0.1:{port}
  default_backend service
backend service
  server service 127.0.0.1:{service}
"""


class Adit:
    """A gateway and a connector; any host leads to the service."""

    def __init__(self, folder, authority, service_port, flags=()):
        folder.mkdir(exist_ok=True)
        self.edge = Edge(folder, authority)
        self.edge.write_default(routes='  - {host: "*"}\n')
        self.edge.start(f"http://127.0.0.1:{service_port}", gateway=flags)
        self.port = self.edge.http
        self.edge.wait_status(200, path="/fence")

    def stop(self):
        wrong = self.edge.finish()
        assert not wrong, "; ".join(wrong)


class Other:
    """A real proxy, as its packages set it up but for what proxying over connections that are kept needs."""

    def __init__(self, folder, name, argv, config, service_port):
        folder.mkdir(exist_ok=True)
        self.port = free_port()
        user = "user root; " if os.geteuid() == 0 else ""
        file = folder / f"{name}.conf"
        file.write_text(config.format(port=self.port, service=service_port, folder=folder, user=user))
        self.program = Program(name, [*argv, file], folder)
        wait_until(lambda: listens(self.port), f"{name} listens")

    def stop(self):
        self.program.kill()


def executable(name):
    return shutil.which(name) or f"/usr/sbin/{name}"


def nginx(folder, service_port):
    return Other(folder, "nginx", [executable("nginx"), "-p", folder, "-e", "stderr", "-c"], NGINX, service_port)


def haproxy(folder, service_port):
    return Other(folder, "haproxy", [executable("haproxy"), "-db", "-q", "-f"], HAPROXY, service_port)
