"""Fixtures: every test has its own gateway, connector and service on ports of its own, in a folder of its own."""
import os
import shutil
import ssl

import pytest

import origin as scripted
from edge import Edge
from fixtures import authority, origin, pytest_runtest_makereport  # noqa: F401
from programs import Program, free_port, listens, wait_until
from raw_link import RawLink


@pytest.fixture
def edge(tmp_path, authority):
    edge = Edge(tmp_path, authority)
    yield edge
    wrong = edge.finish()
    assert not wrong, "; ".join(wrong)


@pytest.fixture
def tunnelled(edge, origin):
    """The usual case: shop.test leads through gateway and connector to the scripted service."""
    edge.write_default()
    edge.connector = edge.start(f"http://127.0.0.1:{origin.port}")
    edge.wait_status(200)
    origin.requests.clear()
    return edge


@pytest.fixture
def link(edge):
    """Opens links as a connector that the test plays, by default to the link listener; ends them before the gateway."""
    opened = []

    def connect(port=None, tls=True, **rest):
        opened.append(RawLink(port or edge.link, edge.authority.file if tls else None, **rest))
        return opened[-1]

    yield connect
    for one in opened:
        one.close()


@pytest.fixture
def tls_origin(authority):
    """The scripted service over TLS, certificate for localhost."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.issue("localhost"))
    with scripted.running(port=free_port(), tls=context) as service:
        yield service


@pytest.fixture
def nginx(tmp_path):
    """A real nginx that serves the files of nginx.files on nginx.port."""
    files = tmp_path / "files"
    files.mkdir()
    port = free_port()
    folders = "".join(f"{kind}_temp_path {tmp_path}/nginx-{kind};\n"
                      for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    user = "user root;" if os.geteuid() == 0 else ""
    (tmp_path / "nginx.conf").write_text(
        f"{user} daemon off; worker_processes 1; pid {tmp_path}/nginx.pid; error_log stderr;\n"
        f"events {{ worker_connections 1024; }}\n"
        f"http {{ {folders} access_log off; sendfile on; keepalive_requests 100000;\n"
        f"  server {{ listen 127.0.0.1:{port}; root {files}; client_max_body_size 0; }} }}\n")
    nginx = Program("nginx", [shutil.which("nginx") or "/usr/sbin/nginx", "-p", tmp_path, "-e", "stderr", "-c",
                              tmp_path / "nginx.conf"], tmp_path)
    nginx.port, nginx.files = port, files
    wait_until(lambda: listens(port), "nginx listens")
    yield nginx
    nginx.stop()
