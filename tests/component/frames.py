"""HTTP/2 frames and link handshakes made by hand (RFC 9113 §4.1), for peers that no library would let us be."""
import contextlib
import socket
import ssl
import struct
import threading

from edge import TOKEN, TUNNEL
from programs import PATIENCE

DATA, HEADERS, PRIORITY, RST, SETTINGS, PUSH, PING, GOAWAY, WINDOW, CONTINUATION = range(10)
END_STREAM = ACK = 1
END_HEADERS = 4
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


def frame(kind, flags=0, stream=0, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def number(value):
    return struct.pack(">I", value)


def field(name, value):
    """A literal without indexing (RFC 7541 §6.2.2); both shorter than 127."""
    return b"\0" + b"".join(bytes([len(text)]) + text for text in (name, value))


def setting(identifier, value):
    return struct.pack(">HI", identifier, value)


CONNECTOR_HELLO = frame(SETTINGS, payload=setting(8, 1)) + frame(SETTINGS, ACK)
GATEWAY_HELLO = PREFACE + frame(SETTINGS) + frame(SETTINGS, ACK)
OK = b"\x88"
OFFERS = b'{"type":"offers","services":[{"name":"default","protocol":"tcp"}]}\n'
# What a connector says once the gateway has opened the control stream, its first: then the link is live.
CONNECTOR_UP = frame(HEADERS, END_HEADERS, 1, OK) + frame(DATA, 0, 1, OFFERS)
OPEN_CONTROL = frame(HEADERS, END_HEADERS, 1, field(b":method", b"CONNECT") + field(b":protocol", b"adit-control") +
                     field(b":scheme", b"https") + field(b":authority", b"control") + field(b":path", b"/"))


def open_stream(stream, service=b"default"):
    return frame(HEADERS, END_HEADERS, stream, field(b":method", b"CONNECT") + field(b":authority", service))


class Peer:
    """One end of a link after its handshake. Reads only when asked to."""

    def __init__(self, connection, rest=b""):
        self.socket, self.bytes, self.closed, self.reader = connection, rest, False, None
        self.socket.settimeout(PATIENCE)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.reader:  # a thread that still reads would go on with whatever gets the number of the closed socket
            with contextlib.suppress(OSError):
                self.socket.shutdown(socket.SHUT_RDWR)
            self.reader.join(PATIENCE)
        self.socket.close()

    def send(self, data):
        """False once the other side has ended the connection."""
        try:
            self.socket.sendall(data)
        except (ConnectionError, ssl.SSLError):
            self.closed = True
        return not self.closed

    def read(self):
        """Some bytes more; False at the end."""
        try:
            piece = self.socket.recv(1 << 16)
        except (ConnectionError, ssl.SSLError, ValueError):  # ValueError: TLS is shut down here already
            piece = b""
        self.closed = self.closed or not piece
        self.bytes += piece
        return not self.closed

    def frames(self):
        """The whole frames that came so far: (kind, flags, stream, payload), which are consumed."""
        found = []
        if b"PRI * ".startswith(self.bytes[:6]):  # the gateway's preface
            if len(self.bytes) < len(PREFACE):
                return found
            self.bytes = self.bytes[len(PREFACE):]
        while len(self.bytes) >= 9 and len(self.bytes) >= 9 + (size := int.from_bytes(self.bytes[:3], "big")):
            found.append((self.bytes[3], self.bytes[4], int.from_bytes(self.bytes[5:9], "big"), self.bytes[9:9 + size]))
            self.bytes = self.bytes[9 + size:]
        return found

    def wait_frame(self, kind, stream=None):
        """The next frame of that kind; what comes before it is dropped."""
        while True:
            for found in self.frames():
                if found[0] == kind and stream in (None, found[2]) and not (kind in (SETTINGS, PING) and found[1] & ACK):
                    return found
            assert self.read(), f"closed before a frame of type {kind}"

    def come_up(self, said=CONNECTOR_UP):
        """A connector: SETTINGS, and `said` once the control stream was opened."""
        self.send(CONNECTOR_HELLO)
        self.wait_frame(HEADERS, 1)
        self.send(said)

    def read_beside(self):
        """Reads to the end in a thread, which ends with this peer."""
        self.reader = threading.Thread(target=self.read_to_end, daemon=True)
        self.reader.start()

    def read_to_end(self):
        """Until the other side ends the connection; answers nothing."""
        with contextlib.suppress(TimeoutError, socket.timeout):
            while self.read():
                self.bytes = b""
            return True
        return False


def hello(token=TOKEN, tunnel=TUNNEL, connector="hostile", instance="hostile-1"):
    return (f"GET /.well-known/adit/link HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: adit-link/1\r\n"
            f"Authorization: Bearer {token}\r\nAdit-Tunnel: {tunnel}\r\nAdit-Connector: {connector}\r\n"
            f"Adit-Instance: {instance}\r\nAdit-Version: 0.0.0\r\n\r\n").encode()


def dial(edge, receive_buffer=None, **identity):
    """A connector made by hand whose handshake is done."""
    raw = socket.socket()
    if receive_buffer:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    raw.settimeout(PATIENCE)
    raw.connect(("127.0.0.1", edge.link))
    connection = ssl.create_default_context(cafile=str(edge.authority.file)).wrap_socket(raw, server_hostname="localhost")
    connection.sendall(hello(**identity))
    answer = b""
    while b"\r\n\r\n" not in answer:
        piece = connection.recv(4096)
        assert piece, answer
        answer += piece
    head, rest = answer.split(b"\r\n\r\n", 1)
    assert head.startswith(b"HTTP/1.1 101 "), head
    return Peer(connection, rest)
