"""The table of answers: one line a case. See Case for what each constructor expects."""
import dataclasses


@dataclasses.dataclass(frozen=True)
class Case:
    """`rule`: what the RFC asks of a proxy for this answer: refuse, may, pass. `outcome`: what Adit does:
    bad:    502, or, if bytes of the answer were already on their way, an answer that is seen to be cut short;
    passed: the visitor gets `shown`, whole.
    `kept`: the connection to the service carries the next request too. `method`: of the request that is answered;
    `shut`: the service ends the connection behind the answer."""
    name: str
    raw: bytes
    rule: str
    outcome: str
    shown: tuple = ()   # status, body
    has: tuple = ()     # bytes that the visitor gets
    lacks: tuple = ()   # bytes that it does not get
    kept: bool = False
    shut: bool = False
    method: str = "GET"
    fields: str = ""    # further lines of the request
    version: str = "1.1"
    cut: bool = False   # bad: only an answer cut short is possible


def case(name, raw, rule, outcome, **rest):
    return Case(name, raw.encode("latin-1"), rule, outcome, **rest)


def must(name, raw, **rest):
    return case(name, raw, "refuse", "bad", **rest)


def may(name, raw, **rest):
    return case(name, raw, "may", "bad", **rest)


def passed(name, raw, status=200, body=b"ok", rule="pass", kept=True, **rest):
    return case(name, raw, rule, "passed", shown=(status, body), kept=kept, **rest)


def ok(*fields, body="", line="HTTP/1.1 200 OK"):
    return f"{line}\r\n" + "".join(f"{f}\r\n" for f in fields) + "\r\n" + body


def coded(value, body="2\r\nok\r\n0\r\n\r\n"):
    return ok(f"Transfer-Encoding: {value}", body=body)


def sized(value, body="ok"):
    return ok(f"Content-Length: {value}", body=body)


def status(line):
    return ok("Content-Length: 2", line=line, body="ok")


def chunks(body):
    return ok("Transfer-Encoding: chunked", body=body)


CHUNK = "2\r\nok\r\n0\r\n\r\n"
OK = sized("2")
POISON = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison"

STATUS_LINES = [
    passed("HTTP/1.1 200 OK", status("HTTP/1.1 200 OK")),
    passed("empty reason", status("HTTP/1.1 200 ")),
    passed("reason beyond ASCII", status("HTTP/1.1 200 \xe4"), has=(b"\xe4",)),
    passed("unknown status", status("HTTP/1.1 299 Odd"), 299),
    passed("HTTP/1.0", status("HTTP/1.0 200 OK"), kept=False),
    passed("HTTP/1.0 with keep-alive", ok("Connection: keep-alive", "Content-Length: 2", line="HTTP/1.0 200 OK", body="ok")),
    may("no space behind the status", status("HTTP/1.1 200")),
    must("status of two digits", status("HTTP/1.1 20 OK")),
    must("status of four digits", status("HTTP/1.1 2000 OK")),
    must("status with a letter", status("HTTP/1.1 2x0 OK")),
    must("negative status", status("HTTP/1.1 -20 OK")),
    may("status 099", status("HTTP/1.1 099 OK")),
    may("status 600", status("HTTP/1.1 600 OK")),
    must("two spaces before the status", status("HTTP/1.1  200 OK")),
    must("no status", status("HTTP/1.1")),
    may("HTTP/2.0", status("HTTP/2.0 200 OK")),
    may("HTTP/1.2", status("HTTP/1.2 200 OK")),
    must("HTTP/1.10", status("HTTP/1.10 200 OK")),
    must("http/1.1", status("http/1.1 200 OK")),
    must("another protocol", "SSH-2.0-OpenSSH_9.2\r\n\r\n"),
    may("ICY", status("ICY 200 OK")),
    may("HTTP/0.9", "<h1>ok</h1>", shut=True),
    must("a request", "GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n"),
    must("NUL in the reason", status("HTTP/1.1 200 O\0K")),
    may("CR in the reason", status("HTTP/1.1 200 O\rK")),
    may("empty line before the answer", "\r\n" + OK),
    must("space before the answer", " " + OK),
]

FIELDS = [
    passed("a field as it was", ok("X-A: b", "Content-Length: 2", body="ok"), has=(b"\r\nX-A: b\r\n",)),
    passed("two of Set-Cookie, in order", ok("Set-Cookie: a=b", "Set-Cookie: c=d", "Content-Length: 2", body="ok"), has=(b"\r\nSet-Cookie: a=b\r\nSet-Cookie: c=d\r\n",)),
    passed("hop-by-hop fields are removed", ok("Connection: X-A", "X-A: secret", "Keep-Alive: max=9", "Proxy-Authenticate: secret", "Content-Length: 2", body="ok"), lacks=(b"secret", b"max=9")),
    passed("an Upgrade that was not asked for is removed", ok("Upgrade: h2c", "Content-Length: 2", body="ok"), lacks=(b"h2c",)),
    passed("150 fields", ok(*["X: a"] * 149, "Content-Length: 2", body="ok"), rule="may"),
    may("space before the colon", ok("X-A : b", "Content-Length: 2", body="ok")),
    may("folded value", ok("X-A: b\r\n c", "Content-Length: 2", body="ok")),
    may("LF for all line ends", "HTTP/1.1 200 OK\nContent-Length: 2\n\nok"),
    may("LF in a value", ok("X-A: b\nSet-Cookie: c=d", "Content-Length: 2", body="ok")),
    may("CR in a value", ok("X-A: b\rSet-Cookie: c=d", "Content-Length: 2", body="ok")),
    may("NUL in a value", ok("X-A: b\0c", "Content-Length: 2", body="ok")),
    may("escape in a value", ok("X-A: \x1b[31m", "Content-Length: 2", body="ok")),
    must("NUL in a name", ok("X-\0A: b", "Content-Length: 2", body="ok")),
    must("no colon", ok("X-A", "Content-Length: 2", body="ok")),
    must("no name", ok(": b", "Content-Length: 2", body="ok")),
    may("head of 100 KiB", ok("X-A: " + "a" * 102400, "Content-Length: 2", body="ok")),
    may("head without end", "HTTP/1.1 200 OK\r\n" + "X-A: b\r\n" * 100_000),
    may("2000 fields", ok(*["X: a"] * 2000, "Content-Length: 2", body="ok")),
    must("end within the head", "HTTP/1.1 200 OK\r\nContent-Le", shut=True),
    must("end behind the status line", "HTTP/1.1 200 OK\r\n", shut=True),
    must("end before any byte", "", shut=True),
]

BODIES = [
    passed("Content-Length", OK),
    passed("Content-Length of 0", sized("0", ""), body=b""),
    passed("chunked", chunks(CHUNK)),
    passed("chunked, with an extension", chunks("2;a=b\r\nok\r\n0\r\n\r\n"), lacks=(b"a=b",)),
    passed("chunked, with a trailer", ok("Trailer: X-Sum", "Transfer-Encoding: chunked", body="2\r\nok\r\n0\r\nX-Sum: 9\r\n\r\n"), has=(b"\r\n0\r\nX-Sum: 9\r\n\r\n",), fields="TE: trailers\r\nConnection: close, TE\r\n"),
    passed("chunked, for HTTP/1.0", chunks(CHUNK), version="1.0", lacks=(b"chunked",)),
    passed("until the end", ok(body="ok"), shut=True, kept=False),
    passed("until the end, in HTTP/1.0", ok(line="HTTP/1.0 200 OK", body="ok"), shut=True, kept=False),
    passed("no fields and no body, until the end", ok(), body=b"", shut=True, kept=False),
    passed("Connection: close and a length", ok("Connection: close", "Content-Length: 2", body="ok"), shut=True, kept=False),
    passed("HEAD with a length", ok("Content-Length: 1000"), body=b"", method="HEAD", has=(b"\r\nContent-Length: 1000\r\n",)),
    passed("HEAD, chunked", ok("Transfer-Encoding: chunked"), body=b"", method="HEAD"),
    passed("HEAD without either", ok(), body=b"", method="HEAD"),
    passed("204", ok(line="HTTP/1.1 204 No Content"), 204, b""),
    passed("204 with a length of 0", ok("Content-Length: 0", line="HTTP/1.1 204 No Content"), 204, b"", lacks=(b"Content-Length",)),
    passed("204 with a body", ok("Content-Length: 6", line="HTTP/1.1 204 No Content", body="poison"), 204, b"", kept=False, lacks=(b"poison",)),
    passed("204, chunked", ok("Transfer-Encoding: chunked", line="HTTP/1.1 204 No Content", body=CHUNK), 204, b"", kept=False, lacks=(b"chunked",)),
    passed("304 with a length", ok("Content-Length: 1000", line="HTTP/1.1 304 Not Modified"), 304, b""),
    passed("304 with a body", ok("Content-Length: 6", line="HTTP/1.1 304 Not Modified", body="poison"), 304, b"", kept=False, lacks=(b"poison",)),
    passed("HEAD with a body", sized("6", "poison"), body=b"", method="HEAD", kept=False, lacks=(b"poison",)),
    may("length and chunked", ok("Content-Length: 2", "Transfer-Encoding: chunked", body=CHUNK)),
    may("chunked and length", ok("Transfer-Encoding: chunked", "Content-Length: 2", body=CHUNK)),
    must("two Content-Lengths", ok("Content-Length: 2", "Content-Length: 3", body="ok")),
    may("the same Content-Length twice", ok("Content-Length: 2", "Content-Length: 2", body="ok")),
    may("list of the same Content-Length", sized("2, 2")),
    must("list of Content-Lengths", sized("2, 3")),
    must("Content-Length: +2", sized("+2")),
    must("Content-Length: -2", sized("-2")),
    must("Content-Length: 0x2", sized("0x2")),
    must("Content-Length: 2 2", sized("2 2")),
    must("Content-Length without value", sized("")),
    must("Content-Length: 2^64 + 2", sized("18446744073709551618")),
    may("gzip", coded("gzip", "")),
    may("gzip, chunked", coded("gzip, chunked")),
    may("chunked, gzip", coded("chunked, gzip")),
    may("xchunked", coded("xchunked")),
    may("identity", coded("identity", "ok"), shut=True),
    must("chunked twice", ok("Transfer-Encoding: chunked", "Transfer-Encoding: chunked", body=CHUNK)),
    must("\\vchunked", coded("\x0bchunked")),
    must("chunked in HTTP/1.0", ok("Transfer-Encoding: chunked", line="HTTP/1.0 200 OK", body=CHUNK), shut=True),
    must("chunk size 0x2", chunks("0x2\r\nok\r\n0\r\n\r\n"), cut=True),
    must("chunk size -2", chunks("-2\r\nok\r\n0\r\n\r\n"), cut=True),
    must("chunk size g", chunks("g\r\nok\r\n0\r\n\r\n"), cut=True),
    must("chunk size of 17 digits", chunks("10000000000000002\r\nok\r\n0\r\n\r\n"), cut=True),
    must("nothing behind the data", chunks("2\r\nok0\r\n\r\n"), cut=True),
    must("more data than the size says", chunks("2\r\nokay\r\n0\r\n\r\n"), cut=True),
    may("LF behind the chunk size", chunks("2\nok\r\n0\r\n\r\n"), cut=True),
    may("folded trailer", chunks("2\r\nok\r\n0\r\nX: y\r\n z\r\n\r\n"), cut=True),
    must("end within a body", sized("9"), shut=True, cut=True),
    must("end within a chunk", chunks("9\r\nok"), shut=True, cut=True),
    must("end before the last chunk", chunks("2\r\nok\r\n"), shut=True, cut=True),
    must("end within the trailers", chunks("2\r\nok\r\n0\r\nX-A"), shut=True, cut=True),
]

CONNECTIONS = [
    passed("100, then 200", "HTTP/1.1 100 Continue\r\n\r\n" + OK),
    passed("102 and 103, then 200", "HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + OK, has=(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n",)),
    passed("five times 103, then 200", "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * 5 + OK, has=(b"HTTP/1.1 103 Early Hints\r\n",)),
    passed("103 is not for HTTP/1.0", "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + OK, version="1.0", lacks=(b" 103 ",)),
    must("100 with a length", "HTTP/1.1 100 Continue\r\nContent-Length: 6\r\n\r\npoison" + OK),
    must("103 that is chunked", "HTTP/1.1 103 Early Hints\r\nTransfer-Encoding: chunked\r\n\r\n" + CHUNK + OK),
    must("103, then the end", "HTTP/1.1 103 Early Hints\r\n\r\n", shut=True),
    must("103, then no HTTP", "HTTP/1.1 103 Early Hints\r\n\r\njunk\r\n\r\n"),
    must("101 that nobody asked for", "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: foo\r\n\r\npoison"),
    must("101 to HTTP/1.0", "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: foo\r\n\r\npoison", version="1.0", fields="Connection: close, Upgrade\r\nUpgrade: foo\r\n"),
    must("101 to an Upgrade to h2c", "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\npoison", fields="Connection: close, Upgrade\r\nUpgrade: h2c\r\n"),
    passed("bytes behind the end", OK + "poison", kept=False, lacks=(b"poison",)),
    passed("CRLF behind the end", OK + "\r\n", kept=False),
    passed("a second answer", OK + POISON, kept=False, lacks=(b"poison",)),
    passed("a second answer behind chunks", chunks(CHUNK) + POISON, kept=False, lacks=(b"poison",)),
    passed("a split answer", "HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n" + POISON, 302, b"", kept=False, lacks=(b"poison",)),
    passed("a second answer behind 304", "HTTP/1.1 304 Not Modified\r\n\r\n" + POISON, 304, b"", kept=False, lacks=(b"poison",)),
    passed("a second answer behind HEAD", ok("Content-Length: 2") + POISON, body=b"", method="HEAD", kept=False, lacks=(b"poison",)),
]

GROUPS = (
    ("Status line", "9112 4", STATUS_LINES),
    ("Fields of an answer", "9112 5", FIELDS),
    ("Body of an answer", "9112 6, 7", BODIES),
    ("Interim answers, surplus bytes", "9110 15.2, 9112 9.2", CONNECTIONS),
)
