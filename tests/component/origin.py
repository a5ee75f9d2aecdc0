"""A service whose behaviour is scripted byte by byte, unlike that of any real server. It runs in a thread of its own.

The path says what it does; see Origin._answer. What holds back (/hold, /sse, /drip) goes on after let_go().
"""
import asyncio
import contextlib
import hashlib
import json
import re
import socket
import struct
import threading
import urllib.parse

BLOCK = bytes(range(256)) * 256  # 64 KiB


class Request:
    """What the service saw. body_size and digest are filled once the body was read."""

    def __init__(self, method, target, fields, connection):
        self.method, self.target, self.fields, self.connection = method, target, fields, connection
        self.body_size, self.digest = 0, None

    def field(self, name):
        return next((value for key, value in self.fields if key.lower() == name), None)


class Origin:
    """Listens on `port` of `address`, or on a Unix socket `path`; with `tls` (an SSLContext) over TLS."""

    def __init__(self, port=None, path=None, tls=None, address="127.0.0.1"):
        self.address = address
        self.port, self.path, self.tls = port, path, tls
        self.requests = []
        self.connections, self.open, self.bytes_seen = 0, 0, 0  # connections: ever; open: now
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._started, self._failure = threading.Event(), None
        self._thread.start()
        self._started.wait(10)
        if self._failure:
            raise self._failure

    def _run(self):
        asyncio.set_event_loop(self._loop)
        self._go = asyncio.Event()
        self._tasks = set()
        try:
            self._server = self._loop.run_until_complete(self._listen())
        except OSError as error:
            self._failure = error
            return
        finally:
            self._started.set()
        self._loop.run_forever()

    def _listen(self):
        if self.path:
            return asyncio.start_unix_server(self._serve, self.path)
        return asyncio.start_server(self._serve, self.address, self.port, ssl=self.tls)

    def let_go(self):
        self._loop.call_soon_threadsafe(self._go.set)

    def stop(self):
        async def end():
            self._server.close()
            for task in list(self._tasks):
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            self._loop.stop()
        if self._thread.is_alive():
            asyncio.run_coroutine_threadsafe(end(), self._loop)
            self._thread.join(10)

    async def _serve(self, reader, writer):
        self._tasks.add(asyncio.current_task())
        self.connections += 1
        self.open += 1
        number = self.connections
        try:
            while await self._one(reader, writer, number):
                pass
        except (OSError, ValueError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the peer went away, or sent what is no request
        finally:
            self.open -= 1
            self._tasks.discard(asyncio.current_task())
            writer.close()

    async def _one(self, reader, writer, number):
        head = await reader.readuntil(b"\r\n\r\n")
        self.bytes_seen += len(head)
        first, *lines = head.decode("latin-1").split("\r\n")[:-2]
        method, target, _ = first.split(" ")
        fields = [(k, v.strip()) for k, _, v in (line.partition(":") for line in lines)]
        request = Request(method, target, fields, number)
        self.requests.append(request)
        return await self._answer(request, reader, writer)

    async def _read_body(self, request, reader, sink=None):
        digest = hashlib.sha256()

        async def take(size):
            while size:
                piece = await reader.read(min(size, 1 << 18))
                if not piece:
                    raise asyncio.IncompleteReadError(b"", size)
                size -= len(piece)
                request.body_size += len(piece)
                digest.update(piece)
                if sink:
                    await sink(piece)

        if request.field("transfer-encoding") == "chunked":
            while size := int((await reader.readline()).split(b";")[0], 16):
                await take(size)
                await reader.readline()
            while (await reader.readline()).strip():
                pass
        else:
            await take(int(request.field("content-length") or 0))
        request.digest = digest.hexdigest()

    async def _fixed(self, request, writer, body, status="200 OK", extra=""):
        if isinstance(body, str):
            body = body.encode()
        head = f"HTTP/1.1 {status}\r\nContent-Type: text/plain\r\n{extra}Content-Length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + (b"" if request.method == "HEAD" else body))
        await writer.drain()
        return True

    async def _answer(self, request, reader, writer):
        url = urllib.parse.urlsplit(request.target)
        name = re.sub(r"\W", "_", url.path.strip("/").split("/")[0])
        return await getattr(self, f"_do_{name}", self._do_)(request, reader, writer, dict(urllib.parse.parse_qsl(url.query)))

    async def _do_(self, request, reader, writer, _):
        """Everything else: reads the body, then says what was asked."""
        await self._read_body(request, reader)
        return await self._fixed(request, writer, f"{request.method} {request.target}")

    async def _do_seen(self, request, reader, writer, _):
        """The request as JSON."""
        await self._read_body(request, reader)
        return await self._fixed(request, writer, json.dumps({
            "method": request.method, "target": request.target, "fields": request.fields,
            "body_size": request.body_size, "digest": request.digest}))

    async def _do_status(self, request, reader, writer, query):
        await self._read_body(request, reader)
        if query["code"] in ("204", "304"):
            writer.write(f"HTTP/1.1 {query['code']} X\r\nETag: \"a\"\r\n\r\n".encode())
            return True
        return await self._fixed(request, writer, "body", status=f"{query['code']} X")

    async def _do_chunked(self, request, _, writer, __):
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n")
        if request.method != "HEAD":
            for piece in (b"one ", b"two ", b"three"):
                writer.write(b"%x;ext=1\r\n%s\r\n" % (len(piece), piece))
                await writer.drain()
            writer.write(b"0\r\nX-Sum: 3\r\n\r\n")
        await writer.drain()
        return True

    async def _do_echo(self, request, reader, writer, _):
        """Sends each piece of the body back as it comes."""
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")

        async def send(piece):
            writer.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            await writer.drain()
        await self._read_body(request, reader, send)
        writer.write(b"0\r\n\r\n")
        await writer.drain()
        return True

    async def _do_continue(self, request, reader, writer, _):
        if (request.field("expect") or "").lower() == "100-continue":
            writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            await writer.drain()
        await self._read_body(request, reader)
        return await self._fixed(request, writer, f"took {request.body_size}")

    async def _do_refuse_body(self, request, _, writer, __):
        """A final answer without reading the body."""
        await self._fixed(request, writer, "no", status="413 Content Too Large", extra="Connection: close\r\n")
        return False

    async def _do_hold(self, request, reader, writer, _):
        await self._read_body(request, reader)
        await self._go.wait()
        return await self._fixed(request, writer, "at last")

    async def _do_sse(self, request, _, writer, __):
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
        for event in (b"data: one\n\n", b"data: two\n\n"):
            writer.write(b"%x\r\n%s\r\n" % (len(event), event))
            await writer.drain()
            await self._go.wait()
        writer.write(b"0\r\n\r\n")
        await writer.drain()
        return True

    async def _do_http10(self, _, __, writer, ___):
        writer.write(b"HTTP/1.0 200 OK\r\nServer: old\r\n\r\nends with the connection")
        await writer.drain()
        return False

    async def _do_cut(self, _, __, writer, ___):
        """Promises 100 bytes and closes after 10."""
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n0123456789")
        await writer.drain()
        return False

    async def _do_cut_chunked(self, _, __, writer, ___):
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\na\r\n0123456789\r\n")
        await writer.drain()
        return False

    async def _do_drop(self, _, __, ___, ____):
        """Closes without an answer."""
        return False

    async def _do_reset(self, _, __, writer, ___):
        """Closes by RST."""
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return False

    async def _do_garbage(self, _, __, writer, ___):
        writer.write(b"SSH-2.0-OpenSSH_9.2\r\n\r\n")
        await writer.drain()
        return False

    async def _do_both_framings(self, _, __, writer, ___):
        """An answer that two parsers could read in two ways."""
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
        await writer.drain()
        return False

    async def _do_once(self, request, _, writer, __):
        """Answers as if the connection stayed, then closes it: the next user of it finds it dead."""
        await self._fixed(request, writer, "once")
        return False

    async def _do_big(self, request, _, writer, query):
        """`bytes` bytes of BLOCK over and over."""
        left = int(query["bytes"])
        writer.write(f"HTTP/1.1 200 OK\r\nContent-Length: {left}\r\n\r\n".encode())
        while left and request.method != "HEAD":
            piece = BLOCK[:min(left, len(BLOCK))]
            writer.write(piece)
            left -= len(piece)
            request.body_size += len(piece)  # how far the service got, for tests of back-pressure
            await writer.drain()
        return True


@contextlib.contextmanager
def running(**where):
    origin = Origin(**where)
    try:
        yield origin
    finally:
        origin.stop()
