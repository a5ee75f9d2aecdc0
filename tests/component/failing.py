"""What a connector may meet instead of a gateway: ports that stay silent, certificates that are wrong, answers that none gives."""
import contextlib
import datetime
import email.utils
import socket
import ssl
import subprocess
import threading


@contextlib.contextmanager
def full_port():
    """A port whose backlog is full: it answers no SYN any more."""
    with socket.socket() as listener, contextlib.ExitStack() as held:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        address = listener.getsockname()
        for _ in range(8):
            client = held.enter_context(socket.socket())
            client.settimeout(0.2)
            try:
                client.connect(address)
            except TimeoutError:
                break
        yield address[1]


@contextlib.contextmanager
def answering(answer, certificate=None):
    """A server that takes one head from each connection, after TLS when it has a certificate (chain, key), and answers
    with those bytes: b"" closes, None says nothing for ever. Yields its port and the heads that came."""
    context = None
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
    heads, open_sockets = [], []

    def serve(connection):
        open_sockets.append(connection)
        with contextlib.suppress(OSError):
            if context:
                connection = context.wrap_socket(connection, server_side=True)
            open_sockets.append(connection)
            head = b""
            while b"\r\n\r\n" not in head and (piece := connection.recv(4096)):
                head += piece
            heads.append(head)
            if answer is not None:
                connection.sendall(answer)
                connection.close()

    with _serving(serve) as port:
        yield port, heads
    for connection in open_sockets:
        with contextlib.suppress(OSError):
            connection.close()


@contextlib.contextmanager
def closing():
    """A port that closes each connection as soon as something has come."""
    def serve(connection):
        with connection, contextlib.suppress(OSError):
            connection.recv(1)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\0" * 8)

    with _serving(serve) as port:
        yield port


@contextlib.contextmanager
def forwarding(target, answer):
    """A proxy that answers CONNECT with those bytes and leads to 127.0.0.1:target."""
    def pump(one, other):
        with contextlib.suppress(OSError):
            while piece := one.recv(65536):
                other.sendall(piece)
            other.shutdown(socket.SHUT_WR)

    def serve(connection):
        with connection, contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", target)) as other:
            head = b""
            while b"\r\n\r\n" not in head:
                head += connection.recv(1)
            connection.sendall(answer)
            back = threading.Thread(target=pump, args=[other, connection], daemon=True)
            back.start()
            pump(connection, other)
            back.join()

    with _serving(serve) as port:
        yield port


@contextlib.contextmanager
def _serving(serve):
    def accept():
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=serve, args=[listener.accept()[0]], daemon=True).start()

    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)
        threading.Thread(target=accept, daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)


def http(status, body=b"", **fields):
    """An answer; field names with "_" for "-"."""
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}", "Connection: close"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in fields.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def refusal(status, reason, gateway=True, **fields):
    """As a gateway refuses a link; `gateway` False: as something before it does."""
    if gateway:
        fields["Adit_Gateway"] = "gw-1"
    body = f'{{"type":"about:blank","status":{status},"detail":"{reason}"}}'.encode()
    return http(status, body, Content_Type="application/problem+json", **fields)


def date_in(hours):
    moment = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=hours)
    return email.utils.format_datetime(moment, usegmt=True)


def out_of_time(authority, folder, begin, end, name="localhost"):
    """A key pair whose certificate is valid between two days from today, which may both be past or to come."""
    day = lambda n: (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=n)).strftime("%Y%m%d%H%M%SZ")
    folder.mkdir()
    (folder / "index.txt").touch()
    (folder / "serial").write_text("01\n")
    (folder / "ca.cnf").write_text(
        f"[ca]\ndefault_ca=d\n[d]\ndatabase={folder}/index.txt\nserial={folder}/serial\nnew_certs_dir={folder}\n"
        f"default_md=sha256\npolicy=p\n[p]\ncommonName=supplied\n[e]\nsubjectAltName=DNS:{name}\n")
    run = lambda *arguments: subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True, timeout=60)
    run("req", *authority.new_key(folder / "key.pem"), "-out", folder / "request", "-subj", f"/CN={name}")
    run("ca", "-batch", "-notext", "-config", folder / "ca.cnf", "-extensions", "e", "-cert", authority.file, "-keyfile",
        authority.key, "-in", folder / "request", "-out", folder / "chain.pem", "-startdate", day(begin), "-enddate", day(end))
    return folder / "chain.pem", folder / "key.pem"


def self_signed(authority, folder, name="localhost"):
    folder.mkdir()
    chain, key = folder / "chain.pem", folder / "key.pem"
    subprocess.run(["openssl", "req", "-x509", *map(str, authority.new_key(key)), "-out", chain, "-days", "30", "-subj",
                    f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}"], check=True, capture_output=True, timeout=60)
    return chain, key
