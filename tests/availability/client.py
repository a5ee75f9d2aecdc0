"""A strict visitor: HTTP/1.1 on asyncio that repeats nothing by itself and says how far an exchange had come."""
import asyncio
import contextlib


class Lost(Exception):
    """The connection could not be had, or ended too early."""


class Answer:
    def __init__(self, status, fields):
        self.status, self.fields, self.body = status, fields, b""


class Connection:
    """One connection to address:port; open() it first."""

    def __init__(self, port, host="shop.test", address="127.0.0.1"):
        self._port, self._host, self._address = port, host, address
        self._reader = self._writer = None
        self.asked = 0
        self._keeps, self._head_read = True, False

    async def open(self):
        try:
            self._reader, self._writer = await asyncio.open_connection(self._address, self._port)
        except OSError as error:
            raise Lost(f"connect: {error.strerror or error}") from None
        return self

    def close(self):
        if self._writer:
            self._writer.close()

    def usable(self):
        """May carry another request: neither side has said that it ends. Ordinary clients look too."""
        return self._keeps and self._writer is not None and not self._reader.at_eof() and not self._writer.is_closing()

    async def ask(self, method, path, pieces=None, size=None, on_piece=None):
        """One request. `pieces`: an asynchronous iterator over a body of `size` bytes; `on_piece` gets each chunk of the
        answer's body as it comes."""
        self.asked += 1
        self._head_read = False
        length = "" if size is None else f"Content-Length: {size}\r\n"
        try:
            self._writer.write(f"{method} {path} HTTP/1.1\r\nHost: {self._host}\r\n{length}\r\n".encode())
            with contextlib.suppress(ConnectionError):  # an answer may have come before the whole body had left
                if pieces:
                    await self._send(pieces)
            return await self._read_answer(on_piece)
        except ConnectionError as error:
            raise Lost(f"{error.strerror or error} {self._where()}") from None
        except asyncio.IncompleteReadError as error:
            far = "within the answer" if error.partial or self._head_read else "before a byte of the answer"
            raise Lost(f"closed {far} {self._where()}") from None

    def _where(self):
        return f"(request {self.asked} of its connection)"

    async def _send(self, pieces):
        async for piece in pieces:
            self._writer.write(piece)
            await self._writer.drain()
            if self._reader.at_eof():
                return

    async def _read_answer(self, on_piece):
        head = await self._reader.readuntil(b"\r\n\r\n")
        self._head_read = True
        line, *fields = head.decode("latin-1").split("\r\n")[:-2]
        fields = {name.lower(): value.strip() for name, _, value in (field.partition(":") for field in fields)}
        answer = Answer(int(line.split(" ")[1]), fields)
        self._keeps = "close" not in fields.get("connection", "").lower()
        if fields.get("transfer-encoding") == "chunked":
            await self._read_chunks(answer, on_piece)
        else:
            answer.body = await self._reader.readexactly(int(fields.get("content-length", 0)))
        return answer

    async def _read_chunks(self, answer, on_piece):
        while size := int(await self._line(), 16):
            piece = await self._reader.readexactly(size)
            await self._line()
            if on_piece:
                on_piece(piece)
            else:
                answer.body += piece
        await self._line()

    async def _line(self):
        return (await self._reader.readuntil(b"\r\n"))[:-2]
