"""What stands between connector and gateway: a real nginx before it, and real HTTP proxies before the connector."""
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile

from programs import free_port, listens, wait_until

USER, PASSWORD = "blue", "a-proxy-password-0123"


def start_nginx(edge, location, server="", http="", tls="TLSv1.2 TLSv1.3"):
    """TLS on a port of its own, which is returned; `location` is what stands within "location /"."""
    port = free_port()
    chain, key = edge.authority.issue("localhost")
    folders = "".join(f"{kind}_temp_path {edge.folder}/front-{kind};\n"
                      for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    user = "user root;" if os.geteuid() == 0 else ""
    file = edge.folder / "front.conf"
    file.write_text(
        f"{user} daemon off; worker_processes 1; pid {edge.folder}/front.pid; error_log stderr;\n"
        f"events {{ worker_connections 256; }}\n"
        f"http {{ {folders} access_log off; {http}\n"
        f"  server {{ listen 127.0.0.1:{port} ssl; ssl_certificate {chain}; ssl_certificate_key {key};\n"
        f"    ssl_protocols {tls}; {server}\n"
        f"    location / {{ {location} }} }} }}\n")
    edge.run("front", [shutil.which("nginx") or "/usr/sbin/nginx", "-p", edge.folder, "-e", "stderr", "-c", file])
    wait_until(lambda: listens(port), "nginx listens")
    return port


def to_gateway(edge, upgrade, path=""):
    """Directives that lead to the gateway's link port; `upgrade` is the value of the field Upgrade that goes there."""
    return (f"proxy_pass https://127.0.0.1:{edge.link}{path}; proxy_http_version 1.1; proxy_ssl_protocols TLSv1.3; "
            f"proxy_set_header Upgrade {upgrade}; proxy_set_header Connection Upgrade; proxy_read_timeout 1h;")


def to_public_port(edge):
    """The usual directives for WebSockets; TLS ends at nginx, and the gateway takes its word for that."""
    return (f"proxy_pass http://127.0.0.1:{edge.http}; proxy_http_version 1.1; proxy_set_header Host $host; "
            f"proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade; proxy_read_timeout 1h; "
            f"proxy_set_header X-Forwarded-For $remote_addr; proxy_set_header X-Forwarded-Proto $scheme;")


def start_caddy(edge, path="/edge/*"):
    """TLS on a port of its own, which is returned; `path` leads to the gateway's --http."""
    port = free_port()
    chain, key = edge.authority.issue("localhost")
    file = edge.folder / "Caddyfile"
    file.write_text(f"{{\n admin off\n auto_https off\n storage file_system {edge.folder}/caddy\n}}\n"
                    f"https://localhost:{port} {{\n bind 127.0.0.1\n tls {chain} {key}\n"
                    f" reverse_proxy {path} 127.0.0.1:{edge.http}\n}}\n")
    edge.run("caddy", [shutil.which("caddy") or "/usr/bin/caddy", "run", "--adapter", "caddyfile", "--config", file],
             {"HOME": str(edge.folder)})
    wait_until(lambda: listens(port), "Caddy listens")
    return port


def start_haproxy(edge, path="/edge/"):
    """As start_caddy."""
    port = free_port()
    chain, key = edge.authority.issue("localhost")
    both = edge.folder / "haproxy.pem"
    both.write_text(chain.read_text() + key.read_text())
    file = edge.folder / "haproxy.cfg"
    file.write_text(f"defaults\n mode http\n timeout connect 5s\n timeout client 30s\n timeout server 30s\n timeout tunnel 1h\n"
                    f"frontend public\n bind 127.0.0.1:{port} ssl crt {both} alpn http/1.1\n option forwardfor\n"
                    f" http-request set-header X-Forwarded-Proto https\n use_backend gateway if {{ path_beg {path} }}\n"
                    f"backend gateway\n server gateway 127.0.0.1:{edge.http}\n")
    program = edge.run("haproxy", [shutil.which("haproxy") or "/usr/sbin/haproxy", "-db", "-f", file])
    program.end = -signal.SIGTERM
    wait_until(lambda: listens(port), "haproxy listens")
    return port


class Proxy:
    """A proxy on 127.0.0.1:port that asks for USER and PASSWORD unless told not to."""

    def __init__(self, port, program):
        self.port, self.program = port, program
        self.url = f"http://127.0.0.1:{port}"
        self.url_with_password = f"http://{USER}:{PASSWORD}@127.0.0.1:{port}"


def start_squid(edge, allowed_ports, hosts=None, password=True):
    """`hosts`: name → address, which squid alone knows."""
    # Squid gives up root's rights for those of "proxy", which cannot enter the tests' own folders.
    folder = pathlib.Path(tempfile.mkdtemp(prefix="adit-squid-"))
    folder.chmod(0o777)
    port = free_port()
    (folder / "hosts").write_text("".join(f"{address} {name}\n" for name, address in {"localhost": "127.0.0.1", **(hosts or {})}.items()))
    crypted = subprocess.run(["openssl", "passwd", "-apr1", PASSWORD], check=True, capture_output=True, text=True).stdout
    (folder / "users").write_text(f"{USER}:{crypted}")
    helper = next(p for p in ("/usr/lib/squid/basic_ncsa_auth", "/usr/lib64/squid/basic_ncsa_auth")
                  if pathlib.Path(p).exists())
    who = (f"auth_param basic program {helper} {folder}/users\nauth_param basic children 1 startup=1\n"
           f"auth_param basic realm test\nacl who proxy_auth REQUIRED\n") if password else "acl who src all\n"
    (folder / "squid.conf").write_text(
        f"http_port 127.0.0.1:{port}\n{who}acl open port {' '.join(map(str, allowed_ports))}\n"
        f"acl tunnel method CONNECT\nhttp_access deny !tunnel\nhttp_access deny !open\nhttp_access allow who\n"
        f"http_access deny all\nhosts_file {folder}/hosts\ncache deny all\ncache_mem 8 MB\nmemory_pools off\n"
        f"access_log none\ncache_log {folder}/cache.log\npid_filename {folder}/squid.pid\ncoredump_dir {folder}\n"
        f"netdb_filename none\npinger_enable off\nshutdown_lifetime 0 seconds\nforward_timeout 5 seconds\n"
        f"connect_timeout 5 seconds\nworkers 1\nicp_port 0\nvisible_hostname proxy.test\n")
    program = edge.run("squid", [shutil.which("squid") or "/usr/sbin/squid", "-N", "-f", folder / "squid.conf"])
    wait_until(lambda: listens(port), "squid listens")
    proxy = Proxy(port, program)
    proxy.folder = folder
    return proxy


def start_tinyproxy(edge, allowed_ports, password=True):
    port = free_port()
    file = edge.folder / "tinyproxy.conf"
    file.write_text(f"Port {port}\nListen 127.0.0.1\nTimeout 600\nAllow 127.0.0.1\nMaxClients 50\nLogLevel Warning\n"
                    + "".join(f"ConnectPort {allowed}\n" for allowed in allowed_ports)
                    + (f"BasicAuth {USER} {PASSWORD}\n" if password else ""))
    program = edge.run("tinyproxy", [shutil.which("tinyproxy") or "/usr/bin/tinyproxy", "-d", "-c", file])
    wait_until(lambda: listens(port), "tinyproxy listens")
    return Proxy(port, program)
