"""Sends a case to a proxy, and tells what its visitor and the service behind it saw."""
import dataclasses
import re
import socket

import recorder

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

    after = ("GET /after",)
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
        whole = case.seen + (after if case.outcome == "served" and case.after else ())
        check(seen.statuses == (200,) * len(whole), f"answered {seen.statuses}")
        check(seen.seen == whole, f"the service saw {seen.seen}")
        own = seen.raw.partition(b"GET /after ")[0]
        wrong += [f"{text!r} did not reach the service" for text in case.has if text not in own]
        wrong += [f"{text!r} reached the service" for text in case.lacks if text in own]
    return wrong
