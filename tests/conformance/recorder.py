"""A service that stores every byte that reaches it, and answers each whole request with the bytes it was told to."""
import re
import socket
import threading

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
FENCE = b"/fence"


class Seen:
    """A whole request as the service reads it, by the plainest reading of RFC 9112."""

    def __init__(self, head, body, connection):
        self.head, self.body, self.connection = head, body, connection
        self.method, _, rest = head.split(b"\r\n", 1)[0].partition(b" ")
        self.target = rest.rpartition(b" ")[0]

    def __str__(self):
        text = f"{self.method.decode('latin-1')} {self.target.decode('latin-1')}"
        return text + (f" {self.body.decode('latin-1')!r}" if self.body else "")


def field(head, name):
    found = re.search(rb"\r\n" + name + rb":[ \t]*([^\r]*)", head, re.IGNORECASE)
    return found[1].strip() if found else None


def take_chunked(data):
    """(the body with its trailers in brackets, how many bytes it was), or None while it is not whole."""
    body, at = b"", 0
    while True:
        end = data.find(b"\r\n", at)
        if end < 0:
            return None
        size = int(data[at:end].split(b";")[0], 16)
        at = end + 2
        if size == 0:
            break
        if len(data) < at + size + 2:
            return None
        body += data[at:at + size]
        at += size + 2
    end = data.find(b"\r\n", at) if data[at:at + 2] == b"\r\n" else data.find(b"\r\n\r\n", at) + 2
    if end < at:
        return None
    trailers = data[at:end].strip()
    return body + (b"[" + trailers + b"]" if trailers else b""), end + 2


def take_request(data, connection):
    """(request, how many bytes it was), or None while it is not whole; ValueError for what is no request."""
    end = data.find(b"\r\n\r\n")
    if end < 0:
        return None
    head, rest = data[:end + 4], data[end + 4:]
    if field(head, b"transfer-encoding") is not None:
        chunked = take_chunked(rest)
        return chunked and (Seen(head, chunked[0], connection), len(head) + chunked[1])
    length = int(field(head, b"content-length") or 0)
    return (Seen(head, rest[:length], connection), len(head) + length) if len(rest) >= length else None


class Recorder:
    """Listens on `port` of loopback until stop(). begin() forgets what came before."""

    def __init__(self, port):
        self.port, self.lock = port, threading.Condition()
        self.connections, self.open = 0, {}
        self.begin()
        self.listener = socket.create_server(("127.0.0.1", port), backlog=100)
        threading.Thread(target=self._accept, daemon=True).start()

    def begin(self, answer=OK, closes=False):
        """What every request but a fence is answered, as one write or a list of them. `closes`: and then the connection
        ends."""
        with self.lock:
            self.raw, self.requests = b"", []
            self.answer, self.closes = answer, closes
            self.ended, self.ended_within = 0, 0  # connections that the other side has ended; within a request

    def say(self, connection, data):
        """Sends bytes that no request asked for on the connection of that number."""
        with self.lock:
            self.open[connection].sendall(data)

    def stop(self):
        self.listener.close()

    def wait_for(self, condition, seconds):
        with self.lock:
            return self.lock.wait_for(condition, seconds)

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            with self.lock:
                self.connections += 1
                self.open[self.connections] = connection
            threading.Thread(target=self._serve, args=(connection, self.connections), daemon=True).start()

    def _serve(self, connection, number):
        data = b""
        with connection:
            try:
                while piece := connection.recv(65536):
                    data += piece
                    self._record(piece)
                    while taken := take_request(data, number):
                        data = data[taken[1]:]
                        self._answer(connection, taken[0])
            except (OSError, ValueError):
                pass  # it was reset, or what came is no request
            with self.lock:
                del self.open[number]
                self.ended += 1
                self.ended_within += bool(data)
                self.lock.notify_all()

    def _record(self, piece):
        with self.lock:
            if FENCE not in piece:
                self.raw += piece
            self.lock.notify_all()

    def _answer(self, connection, request):
        fence = FENCE in request.target
        with self.lock:
            self.requests.append(request)
            self.lock.notify_all()
        if fence:
            return connection.sendall(OK)
        for piece in self.answer if isinstance(self.answer, list) else [self.answer]:
            connection.sendall(piece)
        if self.closes:
            connection.shutdown(socket.SHUT_RDWR)
