"""A connector written from docs/link.md in a few lines: it does what a test wants, also what no connector should do."""
import base64
import functools
import hashlib
import json
import os
import socket
import ssl
import struct
import threading

from edge import TOKEN, TUNNEL
from programs import PATIENCE

PATH = "/.well-known/adit/link"
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY = 0, 1, 3, 4, 6, 7
ACK = END_STREAM = 1
END_HEADERS = 4
STATUS_200 = b"\x88"  # HPACK: entry 8 of the static table


@functools.cache
def trusting(ca_file):
    context = ssl.create_default_context(cafile=str(ca_file))
    context.set_alpn_protocols(["http/1.1"])
    return context


class RawLink:
    """Connects and shakes hands; `status` tells how that went, `problem` why not."""

    def __init__(self, port, ca_file=None, transport="upgrade", host="localhost", prefix="", token=TOKEN, tunnel=TUNNEL,
                 instance="raw-instance", slot=0, headers=(), server_name=None, address="127.0.0.1"):
        self.transport, self.host = transport, host
        self.inbox, self.wire, self.pings = b"", b"", 0
        self.socket = socket.create_connection((address, port), PATIENCE)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if ca_file:
            self.socket = trusting(ca_file).wrap_socket(self.socket, server_hostname=server_name or host)
        self.key = base64.b64encode(os.urandom(16)).decode()
        upgrade = ["Upgrade: adit-link/1"] if transport == "upgrade" else [
            "Upgrade: websocket", "Sec-WebSocket-Version: 13", f"Sec-WebSocket-Key: {self.key}",
            "Sec-WebSocket-Protocol: adit-link.v1"]
        lines = [f"GET {prefix}{PATH} HTTP/1.1", f"Host: {host}", "Connection: Upgrade", *upgrade,
                 f"Authorization: Bearer {token}", f"Adit-Tunnel: {tunnel}", "Adit-Connector: raw",
                 f"Adit-Instance: {instance}", "Adit-Version: 0.0.1", *headers]
        if slot is not None:
            lines.append(f"Adit-Slot: {slot}")
        self.socket.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        self.read_answer()

    def read_answer(self):
        while b"\r\n\r\n" not in self.wire:
            more = self.socket.recv(65536)
            assert more, f"closed after {self.wire!r}"
            self.wire += more
        head, self.wire = self.wire.split(b"\r\n\r\n", 1)
        line, *fields = head.decode().split("\r\n")
        self.status = int(line.split()[1])
        self.fields = {name.lower(): value.strip() for name, value in (field.split(":", 1) for field in fields)}
        self.problem = None
        if self.status != 101:
            while len(self.wire) < int(self.fields.get("content-length", 0)):
                self.wire += self.socket.recv(65536)
            if self.fields.get("content-type") == "application/problem+json":
                self.problem = json.loads(self.wire)
        elif self.transport == "websocket":
            digest = hashlib.sha1((self.key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()
            assert self.fields["sec-websocket-accept"] == base64.b64encode(digest).decode()
            assert self.fields["sec-websocket-protocol"] == "adit-link.v1"

    # Bytes, whatever they travel in

    def send(self, data):
        self.socket.sendall(self.message(data) if self.transport == "websocket" else data)

    @staticmethod
    def message(data, first=0x82):
        size = len(data)
        length = bytes([0x80 | size]) if size < 126 else struct.pack(
            *((">BH", 0x80 | 126, size) if size < 65536 else (">BQ", 0x80 | 127, size)))
        mask = os.urandom(4)
        return bytes([first]) + length + mask + bytes(c ^ mask[i % 4] for i, c in enumerate(data))

    def need(self, size):
        """The wire holds `size` bytes; False at its end."""
        while len(self.wire) < size:
            more = self.socket.recv(65536)
            if not more:
                return False
            self.wire += more
        return True

    def take(self, size):
        while len(self.inbox) < size:
            if self.transport == "upgrade":
                if not self.need(1):
                    return None
                self.inbox, self.wire = self.inbox + self.wire, b""
            elif not self.take_message():
                return None
        part, self.inbox = self.inbox[:size], self.inbox[size:]
        return part

    def take_message(self):
        if not self.need(2):
            return False
        opcode, size, head = self.wire[0] & 15, self.wire[1] & 127, 2
        assert not self.wire[1] & 0x80, "a server does not mask"
        if size > 125:
            head = 4 if size == 126 else 10
            if not self.need(head):
                return False
            size = int.from_bytes(self.wire[2:head], "big")
        if not self.need(head + size):
            return False
        payload, self.wire = self.wire[head:head + size], self.wire[head + size:]
        if opcode == 2:
            self.inbox += payload
        elif opcode == 8:
            self.closed_with = payload
            return False
        return True

    # HTTP/2

    def frame(self, kind, flags=0, stream=0, payload=b""):
        self.send(len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload)

    def take_frame(self):
        """(type, flags, stream, payload), or None at the end."""
        head = self.take(9)
        if head is None:
            return None
        payload = self.take(int.from_bytes(head[:3], "big"))
        return None if payload is None else (head[3], head[4], int.from_bytes(head[5:9], "big"), payload)

    def up(self, *services):
        """Brings the link up: from here on it gets streams for the services ("default")."""
        assert self.status == 101, (self.status, self.problem)
        self.frame(SETTINGS, payload=struct.pack(">HIHI", 3, 100, 8, 1))
        assert self.take(len(PREFACE)) == PREFACE
        while True:
            kind, flags, stream, payload = self.take_frame()
            if kind == SETTINGS and not flags & ACK:
                self.frame(SETTINGS, ACK)
            elif kind == PING and not flags & ACK:
                self.frame(PING, ACK, payload=payload)
            elif kind == HEADERS:
                self.frame(HEADERS, END_HEADERS, stream, STATUS_200)
                offers = [{"name": name, "protocol": "tcp"} for name in services or ["default"]]
                self.frame(DATA, 0, stream, json.dumps({"type": "offers", "services": offers}).encode() + b"\n")
            elif kind == DATA and b'"gateways"' in payload:
                return self

    def serve(self, body=b"raw"):
        """Answers every request with `body`, on a thread, until the link's end."""
        def answer():
            try:
                while frame := self.take_frame():
                    kind, flags, stream, payload = frame
                    if kind == PING and not flags & ACK:
                        self.pings += 1
                        self.frame(PING, ACK, payload=payload)
                    elif kind == HEADERS:
                        self.frame(HEADERS, END_HEADERS, stream, STATUS_200)
                    elif kind == DATA and b"\r\n\r\n" in payload:
                        self.frame(DATA, 0, stream, b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
            except OSError:
                pass  # closed by the test
        self.thread = threading.Thread(target=answer, daemon=True)
        self.thread.start()
        return self

    def at_end(self):
        """Reads until the gateway closes."""
        try:
            while self.take_frame() is not None:
                pass
        except OSError:
            pass
        return True

    def close(self):
        try:
            self.socket.shutdown(socket.SHUT_RDWR)  # wakes the thread of serve()
        except OSError:
            pass
        self.socket.close()
