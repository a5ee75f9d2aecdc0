"""The table of requests: one line a case. See Case for what each constructor expects.

Every case is sent with `GET /after` behind it in the same write, which asks for the connection to be closed: a
connection that was kept answers it, one that was closed does not.
"""
import dataclasses

HOST = "Host: shop.test\r\n"
AFTER = "GET /after HTTP/1.1\r\nHost: shop.test\r\nConnection: close\r\n\r\n"


@dataclasses.dataclass(frozen=True)
class Case:
    """`rule`: what the RFC asks for: refuse, may (refuse or serve), serve. `outcome`: what Adit does:
    refused: one of `statuses`, closed, no byte reaches the service;
    broken:  as refused, but the head may already be on its way: no whole request reaches the service;
    served:  the service sees `seen`, and the connection is kept;
    closes:  the service sees `seen`, and the connection is closed behind the answer."""
    name: str
    raw: bytes
    rule: str
    outcome: str
    statuses: tuple
    seen: tuple = ()
    has: tuple = ()    # bytes that the service sees
    lacks: tuple = ()  # bytes that it does not see
    after: bool = True
    rfc: str = ""

    @property
    def sent(self):
        return self.raw + (AFTER.encode() if self.after else b"")


def case(name, raw, rule, outcome, statuses, **rest):
    statuses = statuses if isinstance(statuses, tuple) else (statuses,)
    return Case(name, raw.encode("latin-1"), rule, outcome, statuses, **rest)


def must(name, raw, status=400, **rest):
    return case(name, raw, "refuse", "refused", status, **rest)


def may(name, raw, status=400, **rest):
    return case(name, raw, "may", "refused", status, **rest)


def broken(name, raw, status=400, rule="refuse", **rest):
    return case(name, raw, rule, "broken", status, **rest)


def serve(name, raw, *seen, rule="serve", **rest):
    return case(name, raw, rule, "served", 200, seen=seen or ("GET /x",), **rest)


def closes(name, raw, *seen, rule="serve", **rest):
    return case(name, raw, rule, "closes", 200, seen=seen or ("GET /x",), **rest)


def line(text, fields=HOST):
    return f"{text}\r\n{fields}\r\n"


def get(*fields, target="/x", host=HOST, version="1.1"):
    return f"GET {target} HTTP/{version}\r\n{host}" + "".join(f"{f}\r\n" for f in fields) + "\r\n"


def post(*fields, body="", version="1.1"):
    return f"POST /x HTTP/{version}\r\n{HOST}" + "".join(f"{f}\r\n" for f in fields) + "\r\n" + body


def to(host):
    return get(host=f"Host: {host}\r\n")


def at(target):
    return get(target=target)


def coded(value, body="3\r\nabc\r\n0\r\n\r\n"):
    return post(f"Transfer-Encoding: {value}", body=body)


def sized(value, body="abc"):
    return post(f"Content-Length: {value}", body=body)


def chunks(body):
    return post("Transfer-Encoding: chunked", body=body)


ABC = "POST /x 'abc'"
CHUNK = "3\r\nabc\r\n0\r\n\r\n"
SMUGGLED = "GET /smuggled HTTP/1.1\r\nHost: shop.test\r\n\r\n"

FRAMING = [
    serve("Content-Length", sized("3"), ABC),
    serve("Content-Length of 0", sized("0", ""), "POST /x"),
    serve("Content-Length with leading zeros", sized("003"), ABC),
    serve("neither, with POST", post(), "POST /x"),
    serve("body of a GET", get("Content-Length: 3") + "abc", "GET /x 'abc'"),
    serve("Transfer-Encoding: chunked", coded("chunked"), ABC),
    serve("Transfer-Encoding: Chunked, between tabs and spaces", coded("\t cHUNKED \t"), ABC),
    may("length, then chunked", post("Content-Length: 3", "Transfer-Encoding: chunked", body=CHUNK)),
    may("chunked, then length", post("Transfer-Encoding: chunked", "Content-Length: 3", body=CHUNK)),
    may("length that covers a smuggled request, and chunked", post(f"Content-Length: {5 + len(SMUGGLED)}", "Transfer-Encoding: chunked", body="0\r\n\r\n" + SMUGGLED)),
    must("length and an unknown coding", post("Content-Length: 3", "Transfer-Encoding: xchunked", body="abc"), (400, 501)),
    must("length and identity", post("Content-Length: 3", "Transfer-Encoding: identity", body="abc"), (400, 501)),
    may("the same Content-Length twice", post("Content-Length: 3", "Content-Length: 3", body="abc")),
    must("two Content-Lengths", post("Content-Length: 3", "content-length: 5", body="abcde")),
    must("two Content-Lengths, one of 0", post("Content-Length: 0", "Content-Length: 3", body="abc")),
    may("list of the same Content-Length", sized("3, 3")),
    must("list of Content-Lengths", sized("3, 5", "abcde")),
    must("Content-Length: +3", sized("+3")),
    must("Content-Length: -3", sized("-3")),
    must("Content-Length: -0", sized("-0", "")),
    must("Content-Length: 3.0", sized("3.0")),
    must("Content-Length: 0x3", sized("0x3")),
    must("Content-Length: 3e0", sized("3e0")),
    must("Content-Length: 3 3", sized("3 3")),
    must("Content-Length: 3,", sized("3,")),
    must("Content-Length: ,3", sized(",3")),
    must("Content-Length: \"3\"", sized('"3"')),
    must("Content-Length: three", sized("three")),
    must("Content-Length: 3;a", sized("3;a")),
    must("Content-Length: 3\\v", sized("3\x0b")),
    must("Content-Length: \\xb3", sized("\xb3")),
    must("Content-Length without value", sized("")),
    must("Content-Length: 2^64", sized("18446744073709551616")),
    must("Content-Length: 2^64 + 3", sized("18446744073709551619")),
    must("Content-Length of 40 digits", sized("9" * 40)),
    must("Content-Length with a space before the colon", post("Content-Length : 3", body="abc")),
    must("xchunked", coded("xchunked"), (400, 501)),
    must("chunkedx", coded("chunkedx"), (400, 501)),
    must("chunked, identity", coded("chunked, identity"), (400, 501)),
    must("identity, chunked", coded("identity, chunked"), (400, 501)),
    must("identity", coded("identity", ""), (400, 501)),
    must("gzip", coded("gzip", ""), (400, 501)),
    may("gzip, chunked", coded("gzip, chunked"), (400, 501)),
    must("chunked, gzip", coded("chunked, gzip"), (400, 501)),
    must("chunked, chunked", coded("chunked, chunked"), (400, 501)),
    may("chunked with a comma behind", coded("chunked,"), (400, 501)),
    may("chunked with a comma before", coded(", chunked"), (400, 501)),
    must("chunked twice, two lines", post("Transfer-Encoding: chunked", "Transfer-Encoding: chunked", body=CHUNK), (400, 501)),
    must("chunked, then identity, two lines", post("Transfer-Encoding: chunked", "Transfer-Encoding: identity", body=CHUNK), (400, 501)),
    must("identity, then chunked, two lines", post("Transfer-Encoding: identity", "Transfer-Encoding: chunked", body=CHUNK), (400, 501)),
    must("chunked;q=1", coded("chunked;q=1"), (400, 501)),
    must("chunk ed", coded("chunk ed"), (400, 501)),
    must("\"chunked\"", coded('"chunked"'), (400, 501)),
    must("'chunked'", coded("'chunked'"), (400, 501)),
    must("\\vchunked", coded("\x0bchunked"), (400, 501)),
    must("chunked\\v", coded("chunked\x0b"), (400, 501)),
    must("chunked\\f", coded("chunked\x0c"), (400, 501)),
    must("chunked\\x00", coded("chunked\0"), (400, 501)),
    must("\\xa0chunked", coded("\xa0chunked"), (400, 501)),
    must("chun\\x1fked", coded("chun\x1fked"), (400, 501)),
    must("Transfer-Encoding without value", coded("", ""), (400, 501)),
    may("chunked on a folded line", post("Transfer-Encoding:\r\n chunked", body=CHUNK)),
    may("chunked folded in itself", post("Transfer-Encoding: chunk\r\n ed", body=CHUNK)),
    must("Transfer-Encoding with a space before the colon", post("Transfer-Encoding : chunked", body=CHUNK)),
    must("Transfer-Encoding with a tab before the colon", post("Transfer-Encoding\t: chunked", body=CHUNK)),
    must("Transfer-Encoding: chunked behind a space", post("X: y", " Transfer-Encoding: chunked", body=CHUNK)),
    must("Transfer Encoding", post("Transfer Encoding: chunked", body=CHUNK)),
    must("Transfer-Encoding without colon", post("Transfer-Encoding chunked", body=CHUNK)),
    may("Transfer_Encoding", post("Transfer_Encoding: chunked", body=CHUNK)),
    may("Content_Length", post("Content_Length: 3", body="abc")),
    must("chunked in HTTP/1.0", post("Transfer-Encoding: chunked", body=CHUNK, version="1.0"), rfc="9112 6.1"),
    must("chunked and length in HTTP/1.0", post("Transfer-Encoding: chunked", "Content-Length: 3", body=CHUNK, version="1.0"), rfc="9112 6.1"),
    must("chunked in HTTP/1.0 that would be kept", post("Connection: keep-alive", "Transfer-Encoding: chunked", body=CHUNK, version="1.0"), rfc="9112 6.1"),
    serve("Content-Length named by Connection", post("Content-Length: 3", "Connection: content-length", body="abc"), ABC),
    serve("Transfer-Encoding named by Connection", post("Transfer-Encoding: chunked", "Connection: transfer-encoding", body=CHUNK), ABC),
]

CHUNKED = [
    serve("two chunks", chunks("3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"), "POST /x 'abcde'"),
    serve("hexadecimal sizes of both cases", chunks("a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n"), "POST /x '01234567890123456789'"),
    serve("sizes with leading zeros", chunks("0003\r\nabc\r\n000\r\n\r\n"), ABC),
    serve("CRLF in the data", chunks("4\r\n\r\n\r\n\r\n0\r\n\r\n"), "POST /x '\\r\\n\\r\\n'"),
    serve("a request in the data", chunks(f"{len(SMUGGLED):x}\r\n{SMUGGLED}\r\n0\r\n\r\n"), f"POST /x {SMUGGLED!r}"),
    serve("an extension is taken and dropped", chunks("3;a=b\r\nabc\r\n0;c\r\n\r\n"), ABC, lacks=(b"a=b",)),
    serve("a quoted extension", chunks('3;a="b;c"\r\nabc\r\n0\r\n\r\n'), ABC),
    serve("a trailer", chunks("3\r\nabc\r\n0\r\nX-Sum: 9\r\n\r\n"), "POST /x 'abc[X-Sum: 9]'"),
    serve("trailers that frame or route are dropped", chunks("3\r\nabc\r\n0\r\nContent-Length: 9\r\nHost: evil\r\nTransfer-Encoding: x\r\nX-Sum: 9\r\n\r\n"), "POST /x 'abc[X-Sum: 9]'", lacks=(b"evil",), rule="may"),
    broken("size 0x3", chunks("0x3\r\nabc\r\n0\r\n\r\n")),
    broken("size +3", chunks("+3\r\nabc\r\n0\r\n\r\n")),
    broken("size -3", chunks("-3\r\nabc\r\n0\r\n\r\n")),
    broken("size -0", chunks("3\r\nabc\r\n-0\r\n\r\n")),
    broken("size 3,3", chunks("3,3\r\nabc\r\n0\r\n\r\n")),
    broken("size 3.0", chunks("3.0\r\nabc\r\n0\r\n\r\n")),
    broken("size g", chunks("g\r\nabc\r\n0\r\n\r\n")),
    broken("size \\xb3", chunks("\xb3\r\nabc\r\n0\r\n\r\n")),
    broken("no size", chunks("\r\nabc\r\n0\r\n\r\n")),
    broken("no size but an extension", chunks(";a\r\nabc\r\n0\r\n\r\n")),
    broken("empty line before the size", chunks("\r\n3\r\nabc\r\n0\r\n\r\n")),
    broken("space before the size", chunks(" 3\r\nabc\r\n0\r\n\r\n")),
    broken("space behind the size", chunks("3 \r\nabc\r\n0\r\n\r\n"), rule="may"),
    broken("tab behind the size", chunks("3\t\r\nabc\r\n0\r\n\r\n"), rule="may"),
    broken("space before an extension", chunks("3 ;a\r\nabc\r\n0\r\n\r\n"), rule="may"),
    broken("NUL behind the size", chunks("3\0\r\nabc\r\n0\r\n\r\n")),
    broken("vertical tab behind the size", chunks("3\x0b\r\nabc\r\n0\r\n\r\n")),
    broken("size of 17 digits", chunks("10000000000000003\r\nabc\r\n0\r\n\r\n")),
    broken("size of 17 digits, mostly zeros", chunks("00000000000000003\r\nabc\r\n0\r\n\r\n"), rule="may"),
    broken("size of 2^64 - 1 with data behind", chunks("ffffffffffffffff1\r\nabc\r\n0\r\n\r\n")),
    broken("size that wraps to 3", chunks("100000003".rjust(33, "1") + "\r\nabc\r\n0\r\n\r\n")),
    broken("LF behind the size", chunks("3\nabc\r\n0\r\n\r\n"), rule="may"),
    broken("LF behind the data", chunks("3\r\nabc\n0\r\n\r\n")),
    broken("CR behind the size", chunks("3\rabc\r\n0\r\n\r\n")),
    broken("CR CR LF behind the size", chunks("3\r\r\nabc\r\n0\r\n\r\n")),
    broken("LF for all line ends", chunks("3\nabc\n0\n\n")),
    broken("nothing behind the data", chunks("3\r\nabc0\r\n\r\n")),
    broken("more data than the size says", chunks("3\r\nabcd\r\n0\r\n\r\n")),
    broken("less data than the size says", chunks("5\r\nabc\r\n0\r\n\r\n")),
    broken("two bytes that are no CRLF behind the data", chunks("3\r\nabcXX0\r\n\r\n")),
    broken("LF in an extension", chunks("3;a\nb\r\nabc\r\n0\r\n\r\n"), rule="may"),
    broken("LF in a quoted extension", chunks('3;a="\n"\r\nabc\r\n0\r\n\r\n')),
    broken("CR in an extension", chunks("3;a\rb\r\nabc\r\n0\r\n\r\n")),
    broken("NUL in an extension", chunks("3;a\0\r\nabc\r\n0\r\n\r\n")),
    broken("long extension", chunks(f"3;{'a' * 300}\r\nabc\r\n0\r\n\r\n"), rule="may"),
    broken("20 KiB of extensions", chunks(f"1;{'a' * 200}\r\nx\r\n" * 100 + "0\r\n\r\n"), rule="may"),
    broken("trailer with a space before the colon", chunks("3\r\nabc\r\n0\r\nX : y\r\n\r\n")),
    broken("trailer without name", chunks("3\r\nabc\r\n0\r\n: y\r\n\r\n")),
    broken("trailer without colon", chunks("3\r\nabc\r\n0\r\nXy\r\n\r\n")),
    broken("folded trailer", chunks("3\r\nabc\r\n0\r\nX: y\r\n z\r\n\r\n"), rule="may"),
    broken("CR in a trailer", chunks("3\r\nabc\r\n0\r\nX: a\rb\r\n\r\n"), rule="may"),
    broken("NUL in a trailer", chunks("3\r\nabc\r\n0\r\nX: a\0b\r\n\r\n"), rule="may"),
    broken("LF behind a trailer", chunks("3\r\nabc\r\n0\r\nX: a\n\r\n"), rule="may"),
    broken("LF for the last line", chunks("3\r\nabc\r\n0\r\n\n"), rule="may"),
    broken("trailers of 10 KiB", chunks(f"3\r\nabc\r\n0\r\nX: {'a' * 10240}\r\n\r\n"), 431, rule="may"),
    broken("300 trailers", chunks("3\r\nabc\r\n0\r\n" + "X: a\r\n" * 300 + "\r\n"), (400, 431), rule="may"),
]

LINES = [
    serve("a field", get("X-A: b"), has=(b"\r\nX-A: b\r\n",)),
    serve("an empty value", get("X-A:", "X-B:  \t "), has=(b"\r\nX-A: \r\n",)),
    serve("white space around a value", get("X-A:\t b c\t"), has=(b"\r\nX-A: b c\r\n",)),
    serve("bytes beyond ASCII in a value", get("X-A: \xe4\xff"), has=(b"\xe4\xff",)),
    serve("a tab in a value", get("X-A: b\tc"), has=(b"X-A: b\tc",)),
    serve("every character of a token in a name", get("!#$%&'*+-.^`|~0aZ: b"), has=(b"!#$%&'*+-.^`|~0aZ: b",)),
    serve("a name of 1000 characters", get("N" * 1000 + ": b"), has=(b"N" * 1000,), rule="may"),
    serve("the same field twice, in order", get("X-A: b", "X-A: c"), has=(b"\r\nX-A: b\r\nX-A: c\r\n",)),
    serve("two empty lines before the request", "\r\n\r\n" + get(), rfc="9112 2.2"),
    may("three empty lines before the request", "\r\n\r\n\r\n" + get()),
    may("LF before the request", "\n" + get()),
    may("space before the request", " " + get()),
    must("space before the first field", "GET /x HTTP/1.1\r\n " + HOST + "\r\n", rfc="9112 2.2"),
    must("tab before the first field", "GET /x HTTP/1.1\r\n\t" + HOST + "\r\n", rfc="9112 2.2"),
    may("LF for all line ends", "GET /x HTTP/1.1\nHost: shop.test\n\n"),
    may("LF behind the request line", "GET /x HTTP/1.1\nHost: shop.test\r\n\r\n"),
    may("LF behind a field", "GET /x HTTP/1.1\r\nHost: shop.test\nX-A: b\r\n\r\n"),
    may("LF for the empty line", "GET /x HTTP/1.1\r\nHost: shop.test\r\n\n"),
    may("LF in a value", get("X-A: b\nX-B: c")),
    must("CR behind the request line", "GET /x HTTP/1.1\rHost: shop.test\r\n\r\n"),
    may("CR in a value", get("X-A: b\rX-B: c")),
    may("CR before CRLF", get("X-A: b\r")),
    may("CR as a value", get("X-A: \r")),
    must("CR in a name", get("X-\rA: b")),
    must("CR for the empty line", "GET /x HTTP/1.1\r\nHost: shop.test\r\n\r\r\n"),
    may("CR in the target", at("/x\ry")),
    may("CR in the version", line("GET /x HTTP/1.1\r")),
    may("folded value", get("X-A: b\r\n c")),
    may("value folded by a tab", get("X-A: b\r\n\tc")),
    may("value folded at once", get("X-A:\r\n b")),
    may("folded white space", get("X-A: b\r\n ")),
    must("space before the colon", get("X-A : b")),
    must("tab before the colon", get("X-A\t: b")),
    must("space in a name", get("X A: b")),
    must("no name", get(": b")),
    must("no colon", get("X-A")),
    must("byte beyond ASCII in a name", get("X-\xe4: b")),
    must("separator in a name", get("X(A): b")),
    must("quoted name", get('"X-A": b')),
    must("NUL in a name", get("X-\0A: b")),
    must("DEL in a name", get("X-\x7fA: b")),
    may("NUL in a value", get("X-A: b\0c")),
    may("NUL behind a value", get("X-A: b\0")),
    may("\\x01 in a value", get("X-A: b\x01c")),
    may("backspace in a value", get("X-A: b\x08c")),
    may("vertical tab in a value", get("X-A: b\x0bc")),
    may("escape in a value", get("X-A: \x1b[31m")),
    may("DEL in a value", get("X-A: b\x7fc")),
    must("NUL before the request", "\0" + get()),
    must("a TLS handshake", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"),
]

REQUEST_LINES = [
    serve("lower-case method", line("get /x HTTP/1.1"), "get /x", rule="may", rfc="9110 9.1"),
    serve("unknown method", line("BREW /x HTTP/1.1"), "BREW /x", rule="may"),
    serve("method with a hyphen", line("M-SEARCH /x HTTP/1.1"), "M-SEARCH /x", rule="may"),
    serve("HEAD", line("HEAD /x HTTP/1.1"), "HEAD /x"),
    serve("OPTIONS *", line("OPTIONS * HTTP/1.1"), "OPTIONS *"),
    serve("OPTIONS of an authority", line("OPTIONS http://shop.test HTTP/1.1"), "OPTIONS *", rfc="9112 3.2.4"),
    serve("DELETE", line("DELETE /x HTTP/1.1"), "DELETE /x"),
    may("CONNECT", "CONNECT shop.test:80 HTTP/1.1\r\nHost: shop.test:80\r\n\r\n", 405),
    may("CONNECT with a path", line("CONNECT /x HTTP/1.1"), (400, 405)),
    may("TRACE", line("TRACE /x HTTP/1.1"), 405),
    may("connect", line("connect shop.test:80 HTTP/1.1"), (400, 405)),
    may("trace", line("trace /x HTTP/1.1"), (400, 405)),
    must("* with GET", line("GET * HTTP/1.1")),
    must("*x with OPTIONS", line("OPTIONS *x HTTP/1.1")),
    must("no target", line("GET HTTP/1.1")),
    must("no target but two spaces", line("GET  HTTP/1.1")),
    must("only a method", line("GET")),
    must("target without slash", line("GET x HTTP/1.1")),
    must("target that begins with ?", line("GET ?x HTTP/1.1")),
    may("two spaces behind the method", line("GET  /x HTTP/1.1")),
    may("two spaces behind the target", line("GET /x  HTTP/1.1")),
    may("space behind the version", line("GET /x HTTP/1.1 ")),
    may("tab for a space", line("GET\t/x HTTP/1.1")),
    may("vertical tab for a space", line("GET\x0b/x HTTP/1.1")),
    must("space in the target", line("GET /x y HTTP/1.1")),
    must("separator in the method", line("G@T /x HTTP/1.1")),
    must("byte beyond ASCII in the method", line("G\xc4T /x HTTP/1.1")),
    must("NUL in the method", line("G\0T /x HTTP/1.1")),
    may("HTTP/0.9", "GET /x\r\n", after=True),
    may("HTTP/0.9 with an empty line", "GET /x\r\n\r\n"),
    may("HTTP/0.9 by name", line("GET /x HTTP/0.9"), (400, 505)),
    may("HTTP/1.2", line("GET /x HTTP/1.2"), (400, 505)),
    may("HTTP/2.0", line("GET /x HTTP/2.0"), (400, 505)),
    may("HTTP/3.0", line("GET /x HTTP/3.0"), (400, 505)),
    may("the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", (400, 505)),
    must("HTTP/1", line("GET /x HTTP/1")),
    must("HTTP/1.", line("GET /x HTTP/1.")),
    must("HTTP/1.10", line("GET /x HTTP/1.10")),
    must("HTTP/01.1", line("GET /x HTTP/01.1")),
    must("HTTP/1.01", line("GET /x HTTP/1.01")),
    must("HTTP/+1.1", line("GET /x HTTP/+1.1")),
    must("HTTP/1,1", line("GET /x HTTP/1,1")),
    must("http/1.1", line("GET /x http/1.1")),
    must("HTTPS/1.1", line("GET /x HTTPS/1.1")),
    must("HTTP 1.1", line("GET /x HTTP 1.1")),
]

HOSTS = [
    serve("name", to("shop.test"), has=(b"\r\nHost: shop.test\r\n",)),
    serve("name and port", to("shop.test:8080"), has=(b"\r\nHost: shop.test:8080\r\n",)),
    serve("name of mixed case", to("Shop.TEST")),
    serve("trailing dot", to("shop.test.")),
    serve("A-label", to("xn--bcher-kva.test")),
    serve("IPv4 address", to("127.0.0.1:80")),
    serve("IPv6 literal", to("[2001:db8::1]:80")),
    serve("empty port", to("shop.test:"), rfc="9110 4.2.3"),
    closes("none, in HTTP/1.0", get(host="", version="1.0"), rule="may"),
    must("none", get(host="")),
    may("empty", to("")),
    must("twice the same", get(host=HOST * 2)),
    must("twice", get(host=HOST + "Host: evil.test\r\n")),
    must("twice, in HTTP/1.0", get(host=HOST + "Host: evil.test\r\n", version="1.0")),
    must("userinfo", to("user@shop.test")),
    must("userinfo and password", to("user:pw@shop.test")),
    must("port of letters", to("shop.test:http")),
    must("port with a sign", to("shop.test:+80")),
    may("port 65536", to("shop.test:65536"), rfc="RFC 793"),
    may("port 0", to("shop.test:0")),
    must("two ports", to("shop.test:80:80")),
    must("port with junk", to("shop.test:80a")),
    may("port of 20 digits", to("shop.test:" + "8" * 20)),
    must("space before the port", to("shop.test: 80")),
    must("space within", to("shop test")),
    may("only a port", to(":80")),
    must("path", to("shop.test/x")),
    must("query", to("shop.test?x")),
    must("fragment", to("shop.test#x")),
    must("backslash", to("shop.test\\x")),
    may("comma", to("shop.test,evil.test")),
    may("percent-encoded", to("shop%2etest")),
    must("byte beyond ASCII", to("sh\xf6p.test")),
    must("URL", to("http://shop.test")),
    may("two dots", to("shop..test")),
    may("leading dot", to(".shop.test")),
    may("only a dot", to(".")),
    must("angle brackets", to("<shop.test>")),
    must("quotes", to('"shop.test"')),
    must("IPv6 without brackets", to("2001:db8::1")),
    must("IPv6 without end", to("[2001:db8::1")),
    must("IPv6 with junk behind", to("[2001:db8::1]x")),
    must("IPv6 with a zone", to("[fe80::1%eth0]")),
    must("empty brackets", to("[]")),
    may("label of 300 characters", to("a" * 300 + ".test")),
    may("NUL", to("shop.test\0")),
    may("vertical tab", to("shop.test\x0b")),
    serve("absolute form", line("GET http://shop.test/x?y HTTP/1.1"), "GET /x?y", rfc="9112 3.2.2"),
    serve("absolute form, scheme in capitals", line("GET HTTP://shop.test/x HTTP/1.1")),
    serve("absolute form without path", line("GET http://shop.test HTTP/1.1"), "GET /"),
    closes("absolute form in HTTP/1.0 without Host", line("GET http://shop.test/x HTTP/1.0", ""), has=(b"\r\nHost: shop.test\r\n",)),
    must("absolute form without Host", line("GET http://shop.test/x HTTP/1.1", "")),
    may("absolute form that differs from Host", line("GET http://evil.test/x HTTP/1.1")),
    may("absolute form whose port differs from Host", line("GET http://shop.test:81/x HTTP/1.1")),
    must("absolute form with userinfo", line("GET http://user@shop.test/x HTTP/1.1")),
    must("absolute form with an empty authority", line("GET http:///x HTTP/1.1")),
    must("absolute form with a junk port", line("GET http://shop.test:8a/x HTTP/1.1")),
    may("absolute form of another scheme", line("GET ftp://shop.test/x HTTP/1.1")),
    must("absolute form with one slash", line("GET http:/shop.test/x HTTP/1.1")),
    must("authority form with GET", line("GET shop.test:80 HTTP/1.1")),
]

PATHS = [
    serve("path and query as they were", at("/a%20b/%7Ec?d=%2F&e"), "GET /a%20b/%7Ec?d=%2F&e"),
    serve("dot segments within", at("/a/./b/../x"), "GET /a/./b/../x"),
    serve("percent-encoded dots within", at("/a/b/%2e%2E/x"), "GET /a/b/%2e%2E/x"),
    serve("percent-encoded slash", at("/a%2fx"), "GET /a%2fx"),
    serve("two slashes", at("//x"), "GET //x"),
    serve("two slashes and a name", at("//evil.test/x"), "GET //evil.test/x"),
    serve("semicolon", at("/x;a=b"), "GET /x;a=b"),
    serve("question mark in the query", at("/x??"), "GET /x??"),
    serve("URL in the query", at("/x?u=http://evil.test/"), "GET /x?u=http://evil.test/"),
    may("backslash", at("/a\\..\\x")),
    must("fragment", at("/x#y")),
    must("fragment in the query", at("/x?y#z")),
    must("UTF-8", at("/\xc3\xa4")),
    must("byte beyond ASCII in the query", at("/x?\xe4")),
    must("NUL", at("/x\0y")),
    must("\\x01", at("/x\x01")),
    must("vertical tab", at("/x\x0by")),
    must("DEL", at("/x\x7f")),
    must("tab", at("/x\ty")),
    may("LF", at("/x\ny")),
]

CONNECTIONS = [
    closes("Connection: close", get("Connection: close")),
    closes("Connection: keep-alive, Close", get("Connection: keep-alive, Close")),
    closes("close on the second of two lines", get("Connection: keep-alive", "Connection: close")),
    serve("Connection: Keep-Alive", get("Connection: Keep-Alive", "Keep-Alive: timeout=5"), lacks=(b"Keep-Alive: timeout",)),
    serve("Connection without value", get("Connection:")),
    serve("Connection with empty items", get("Connection: a, , b,")),
    serve("Proxy-Connection: close counts for nothing", get("Proxy-Connection: close"), lacks=(b"Proxy-Connection",)),
    may("Connection with a space within an option", get("Connection: clo se")),
    may("Connection with a quoted option", get('Connection: "close"')),
    may("Connection with 40 options", get("Connection: " + ", ".join(f"a{n}" for n in range(40)))),
    serve("a field named by Connection", get("Connection: x-a", "X-A: secret"), lacks=(b"secret",), rfc="9110 7.6.1"),
    serve("a field named by the second Connection", get("Connection: x-b", "X-A: secret", "Connection: X-A"), lacks=(b"secret",)),
    serve("Host named by Connection stays", get("Connection: host"), has=(b"\r\nHost: shop.test\r\n",)),
    serve("Proxy-Authorization is not passed on", get("Proxy-Authorization: Basic secret"), lacks=(b"secret",)),
    closes("HTTP/1.0", get(version="1.0")),
    serve("HTTP/1.0 with keep-alive", get("Connection: keep-alive", version="1.0")),
    closes("HTTP/1.0 with keep-alive and close", get("Connection: keep-alive, close", version="1.0")),
    closes("HTTP/1.0 with a body", post("Content-Length: 3", body="abc", version="1.0"), ABC),
    serve("Expect: 100-continue with the body at once", post("Expect: 100-continue", "Content-Length: 3", body="abc"), ABC, rfc="9110 10.1.1"),
    serve("Expect: 100-Continue without body", get("Expect: 100-Continue")),
    may("another expectation", post("Expect: 200-ok", "Content-Length: 3", body="abc"), 417),
    closes("Expect in HTTP/1.0", post("Expect: 100-continue", "Content-Length: 3", body="abc", version="1.0"), ABC, lacks=(b"Expect",)),
    serve("TE: trailers", get("TE: trailers", "Connection: TE"), has=(b"\r\nTE: trailers\r\n",), rfc="9110 10.1.4"),
    serve("TE: gzip, trailers", get("TE: gzip, trailers", "Connection: TE"), lacks=(b"gzip",)),
    serve("TE: gzip", get("TE: gzip", "Connection: TE"), lacks=(b"gzip", b"TE:")),
    serve("Upgrade that the service does not take", get("Connection: Upgrade", "Upgrade: foo/2"), has=(b"\r\nUpgrade: foo/2\r\n",), rfc="9110 7.8"),
    serve("Upgrade that Connection does not name", get("Upgrade: foo/2"), lacks=(b"Upgrade",)),
    serve("Upgrade: h2c", get("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA"), lacks=(b"h2c", b"HTTP2-Settings")),
    serve("Upgrade: h2c among others", get("Connection: Upgrade", "Upgrade: foo/2, h2c"), lacks=(b"h2c",)),
    serve("Upgrade: HTTP/2.0", get("Connection: Upgrade", "Upgrade: HTTP/2.0"), lacks=(b"HTTP/2.0",)),
    closes("Upgrade in HTTP/1.0", get("Connection: Upgrade", "Upgrade: foo/2", version="1.0"), lacks=(b"Upgrade",)),
    serve("Upgrade with a body", post("Connection: Upgrade", "Upgrade: foo/2", "Content-Length: 3", body="abc"), ABC),
    serve("pipelined: three in order", get(target="/1") + get(target="/2") + get(target="/x"), "GET /1", "GET /2", "GET /x"),
    serve("pipelined: bodies of both framings", sized("3") + chunks("1\r\nd\r\n0\r\n\r\n") + get(), ABC, "POST /x 'd'", "GET /x"),
    serve("pipelined: empty line between", get(target="/1") + "\r\n" + get(), "GET /1", "GET /x"),
    serve("pipelined: HEAD, then GET", line("HEAD /1 HTTP/1.1") + get(), "HEAD /1", "GET /x"),
    serve("pipelined: 100 requests", "".join(get(target=f"/{n}") for n in range(100)), *(f"GET /{n}" for n in range(100))),
    closes("pipelined: what follows close is not served", get("Connection: close") + get(target="/2")),
]

LIMITS = [
    serve("target of 4 KiB", at("/" + "a" * 4095), "GET /" + "a" * 4095),
    serve("target of 16 KiB", at("/" + "a" * 16383), "GET /" + "a" * 16383, rule="may"),
    may("target of 16 KiB and a byte", at("/" + "a" * 16384), 414),
    may("target of 100 KiB", at("/" + "a" * 102400), 414),
    may("method of 100 KiB", line("A" * 102400 + " / HTTP/1.1"), (400, 414, 431)),
    serve("value of 4 KiB", get("X-A: " + "a" * 4096)),
    serve("value of 60 KiB", get("X-A: " + "a" * 61440), rule="may"),
    may("value of 64 KiB", get("X-A: " + "a" * 65536), 431),
    may("name of 64 KiB", get("N" * 65536 + ": a"), 431),
    may("head of 1 MiB", get(*(f"X-{n}: " + "a" * 10240 for n in range(100))), 431),
    serve("100 fields", get(*["X-A: b"] * 99)),
    serve("200 fields", get(*["X-A: b"] * 199), rule="may"),
    may("201 fields", get(*["X-A: b"] * 200), 431),
    may("2000 fields", get(*["X: a"] * 2000), 431),
]

GROUPS = (
    ("Where a body ends", "9112 6", FRAMING),
    ("Chunked bodies", "9112 7.1", CHUNKED),
    ("Lines and fields", "9112 2.2, 5", LINES),
    ("Request line", "9112 3", REQUEST_LINES),
    ("Host and authority", "9112 3.2, 9110 7.2", HOSTS),
    ("Paths", "3986 3.3", PATHS),
    ("Connection, Expect, TE, Upgrade, pipelining", "9112 9, 9110 7.6, 7.8, 10.1", CONNECTIONS),
    ("Limits", "9110 15.5.15, 6585 5", LIMITS),
)
