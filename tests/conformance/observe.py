"""Sends a case to a proxy, and tells what its visitor and the service behind it saw."""
import dataclasses
import re
import socket

import recorder

AFTER = "GET /after"
STATUS = re.compile(rb"HTTP/1\.[01] (\d{3})")


@dataclasses.dataclass
class Observation:
    answers: bytes   # all that the visitor got
    closed: bool     # the proxy ended the connection
    raw: bytes       # all that the service got
    requests: tuple  # the whole ones among it
    alive: bool = True  # a request behind it, on a connection of its own, was served

    @property
    def statuses(self):
        """Of all answers, interim ones left out. No answer of the recording service holds such a line in its body."""
        return tuple(s for s in (int(found) for found in STATUS.findall(self.answers)) if s >= 200)

    @property
    def seen(self):
        return tuple(str(request) for request in self.requests)

    @property
    def own(self):
        """What the service saw of the case itself, without the request behind it."""
        return tuple(text for text in self.seen if text != AFTER)

    @property
    def own_raw(self):
        return self.raw.partition(AFTER.encode() + b" ")[0]


def talk(port, data, patience, until=None):
    """(what came back, whether the peer closed). Ends early once `until` has come."""
    got = b""
    with socket.create_connection(("127.0.0.1", port), patience) as connection:
        try:
            connection.sendall(data)
        except OSError:
            pass  # it may refuse before it has read all
        try:
            while piece := connection.recv(65536):
                got += piece
                if until and until in got:
                    return got, False
        except TimeoutError:
            return got, False
        except OSError:
            pass
    return got, True


def fence(proxy, service, patience):
    """A request on a connection of its own: what was sent before it has reached the service by now, if it ever will."""
    asked = len([r for r in service.requests if recorder.FENCE in r.target])
    got, _ = talk(proxy.port, b"GET /fence HTTP/1.1\r\nHost: shop.test\r\nConnection: close\r\n\r\n", patience)
    fences = [r for r in service.requests if recorder.FENCE in r.target]
    return got.startswith(b"HTTP/1.1 200") and len(fences) == asked + 1


def observe(proxy, service, data, patience):
    service.begin()
    answers, closed = talk(proxy.port, data, patience)
    alive = fence(proxy, service, patience)
    with service.lock:
        requests = tuple(r for r in service.requests if recorder.FENCE not in r.target)
        return Observation(answers, closed, service.raw, requests, alive)


def mistakes(case, seen):
    """What an observation has that the case does not allow; empty if it conforms."""
    wrong = []

    def check(holds, text):
        if not holds:
            wrong.append(text)

    check(seen.closed, "the connection was left open")
    check(seen.alive, "nothing is served behind it")
    check(b"GET /smuggled" not in seen.raw.partition(b"\r\n\r\n")[0], "a smuggled request reached the service")
    if case.outcome == "refused":
        check(len(seen.statuses) == 1 and seen.statuses[0] in case.statuses, f"answered {seen.statuses}")
        check(not seen.raw, f"the service got {seen.raw[:200]!r}")
    elif case.outcome == "broken":
        check(len(seen.statuses) <= 1 and set(seen.statuses) <= set(case.statuses), f"answered {seen.statuses}")
        check(not seen.seen, f"the service saw {seen.seen}")
    else:
        whole = case.seen + ((AFTER,) if case.outcome == "served" and case.after else ())
        check(seen.statuses == (200,) * len(whole), f"answered {seen.statuses}")
        check(seen.seen == whole, f"the service saw {seen.seen}")
        wrong += [f"{text!r} did not reach the service" for text in case.has if text not in seen.own_raw]
        wrong += [f"{text!r} reached the service" for text in case.lacks if text in seen.own_raw]
    return wrong


@dataclasses.dataclass
class AnswerObservation:
    answers: bytes
    closed: bool
    status: int      # of the final answer; 0 if there was none
    body: bytes
    whole: bool      # as the visitor can tell
    alive: bool      # the next request was answered as it should be
    reused: bool     # by the same connection to the service
    asked: int       # how often the service was asked


def final_answer(data, method, closed):
    """(status, body, whole) of the first answer that is not an interim one."""
    while True:
        head, end, rest = data.partition(b"\r\n\r\n")
        if not end or not STATUS.match(head):
            return 0, data, False
        status = int(head[9:12])
        if status >= 200 or status == 101:
            break
        data = rest
    if method == "HEAD" or status in (101, 204, 304):
        return status, rest, not rest
    if (recorder.field(head + b"\r\n", b"transfer-encoding") or b"").lower() == b"chunked":
        try:
            chunked = recorder.take_chunked(rest)
        except ValueError:
            chunked = None
        return (status, chunked[0].partition(b"[")[0], chunked[1] == len(rest)) if chunked else (status, rest, False)
    length = recorder.field(head + b"\r\n", b"content-length")
    if length is not None:
        return status, rest, len(rest) == int(length)
    return status, rest, closed


def observe_answer(proxy, service, case, patience):
    service.begin(case.raw, case.shut)
    request = f"{case.method} /x HTTP/{case.version}\r\nHost: shop.test\r\n{case.fields}".encode()
    if b"Connection:" not in request:
        request += b"Connection: close\r\n"
    answers, closed = talk(proxy.port, request + b"\r\n", patience)
    status, body, whole = final_answer(answers, case.method, closed)
    alive = fence(proxy, service, patience)
    with service.lock:
        asked = [r for r in service.requests if recorder.FENCE not in r.target]
        fenced = [r for r in service.requests if recorder.FENCE in r.target]
    reused = bool(asked and fenced) and fenced[-1].connection == asked[-1].connection
    return AnswerObservation(answers, closed, status, body, whole, alive, reused, len(asked))


def answer_mistakes(case, seen):
    wrong = []

    def check(holds, text):
        if not holds:
            wrong.append(text)

    check(seen.alive, "the next request was not answered")
    if case.outcome == "bad":
        refused = seen.status == 502 and seen.whole
        check(refused or case.cut and not seen.whole, f"answered {seen.status} {seen.body[:100]!r}")
        check(not seen.reused, "the connection to the service was used again")
        check(b"poison" not in seen.answers, "the visitor got what is no answer of its own")
    else:
        check((seen.status, seen.body, seen.whole) == (*case.shown, True),
              f"answered {seen.status} {seen.body[:100]!r}{'' if seen.whole else ', cut short'}")
        check(seen.reused == case.kept, f"the connection to the service was {'' if seen.reused else 'not '}used again")
        wrong += [f"{text!r} did not reach the visitor" for text in case.has if text not in seen.answers]
        wrong += [f"{text!r} reached the visitor" for text in case.lacks if text in seen.answers]
    return wrong
