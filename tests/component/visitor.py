"""Visitors: whole requests by http.client, and raw bytes on a socket for what no client library would send."""
import http.client
import socket
import ssl

from programs import PATIENCE


class Answer:
    def __init__(self, status, fields, body):
        self.status, self.fields, self.body = status, fields, body

    def field(self, name):
        return self.fields.get(name)

    def __repr__(self):
        return f"{self.status} {dict(self.fields)} {self.body[:200]!r}"


def get(port, path="/", host="shop.test", method="GET", body=None, fields=None, connection=None):
    """One request, on a connection of its own unless one is given."""
    own = connection is None
    connection = connection or http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        fields = {"Host": host, **(fields or {})}
        connection.request(method, path, body=body, headers=fields, encode_chunked="Transfer-Encoding" in fields)
        answer = connection.getresponse()
        return Answer(answer.status, answer.headers, answer.read())
    finally:
        if own:
            connection.close()


class Raw:
    """A raw connection; over TLS with a context."""

    def __init__(self, port, tls=None, name="shop.test"):
        self.socket = socket.create_connection(("127.0.0.1", port), PATIENCE)
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_hostname=name)
        self.bytes = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data if isinstance(data, bytes) else data.encode("latin-1"))

    def read_until(self, end):
        """What came up to and including `end`."""
        while end not in self.bytes:
            piece = self.socket.recv(65536)
            assert piece, f"closed before {end!r}; so far: {self.bytes[-500:]!r}"
            self.bytes += piece
        found, self.bytes = self.bytes[:self.bytes.index(end) + len(end)], self.bytes[self.bytes.index(end) + len(end):]
        return found

    def read_all(self):
        """What comes until the peer closes; a reset counts as a close."""
        try:
            while piece := self.socket.recv(65536):
                self.bytes += piece
        except ConnectionResetError:
            pass
        return self.bytes

    def status(self):
        """The status of the next answer's head, which is consumed."""
        return int(self.read_until(b"\r\n\r\n").split(b" ", 2)[1])


def trusting(ca_file):
    return ssl.create_default_context(cafile=str(ca_file))
