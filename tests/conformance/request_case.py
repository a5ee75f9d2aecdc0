"""What a case of the table of requests is, and how to write one in one line.

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
