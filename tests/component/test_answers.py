"""The answers when something is wrong: each says what the visitor should know, and nothing of the private side."""
import pytest

from programs import free_port


def test_S3_C5_S3_P10_503_with_retry_after_while_no_connector_is_there(edge):
    edge.write_default()
    edge.start_gateway()
    answer = edge.get()
    assert answer.status == 503 and int(answer.field("retry-after")) > 0


def test_503_when_no_connector_offers_the_service(edge, origin):
    edge.write_default(routes="  - {host: shop.test, service: other}\n")
    edge.start(f"http://127.0.0.1:{origin.port}")
    answer = edge.get()
    assert answer.status == 503 and int(answer.field("retry-after")) > 0


def test_S3_C3_502_when_nothing_listens_and_the_reason_is_in_the_log_only(edge):
    port = free_port()
    edge.write_default()
    edge.start(f"http://127.0.0.1:{port}")
    answer = edge.get()
    assert answer.status == 502
    assert str(port) not in repr(answer) and "refused" not in repr(answer).lower()
    line = edge.wait_access_log(1)[-1]
    assert line["status"] == 502 and line["reason"]


@pytest.mark.parametrize("path", ["/drop", "/reset", "/garbage", "/both-framings"])
def test_502_when_the_service_gives_no_valid_answer(tunnelled, path):
    assert tunnelled.get(path).status == 502
    assert tunnelled.get("/after").status == 200


def test_504_when_the_service_does_not_begin_its_answer(edge, origin):
    edge.write_default()
    edge.start(f"http://127.0.0.1:{origin.port}", gateway=["--answer-timeout", "300ms"])
    assert edge.get("/hold").status == 504
    assert edge.wait_access_log(1)[-1]["reason"]
    assert edge.get("/after").status == 200


def test_a_request_with_a_body_is_never_sent_twice(tunnelled, origin):
    assert tunnelled.get("/drop", method="POST", body=b"pay").status == 502
    assert len(origin.requests) == 1


# Requests that two parsers could read in two ways (RFC 9112 §6.3, §11), or that a proxy must not forward.
REFUSED = {
    "length and chunked": (400, "POST / HTTP/1.1\r\nHost: shop.test\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    "two lengths": (400, "POST / HTTP/1.1\r\nHost: shop.test\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd"),
    "length with a sign": (400, "POST / HTTP/1.1\r\nHost: shop.test\r\nContent-Length: +3\r\n\r\nabc"),
    "a list of lengths": (400, "POST / HTTP/1.1\r\nHost: shop.test\r\nContent-Length: 3, 4\r\n\r\nabcd"),
    "space before colon": (400, "GET / HTTP/1.1\r\nHost: shop.test\r\nX-A : b\r\n\r\n"),
    "folded field": (400, "GET / HTTP/1.1\r\nHost: shop.test\r\nX-A: b\r\n c\r\n\r\n"),
    "no host": (400, "GET / HTTP/1.1\r\n\r\n"),
    "two hosts": (400, "GET / HTTP/1.1\r\nHost: shop.test\r\nHost: shop.test\r\n\r\n"),
    "host with a path": (400, "GET / HTTP/1.1\r\nHost: shop.test/x\r\n\r\n"),
    "NUL in a value": (400, "GET / HTTP/1.1\r\nHost: shop.test\r\nX: a\0b\r\n\r\n"),
    "bare CR in a value": (400, "GET / HTTP/1.1\r\nHost: shop.test\r\nX: a\rb\r\n\r\n"),
    "chunked, then something": (400, "POST / HTTP/1.1\r\nHost: shop.test\r\nTransfer-Encoding: chunked, identity\r\n\r\n"),
    "chunked twice": (400, "POST / HTTP/1.1\r\nHost: shop.test\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n"),
    "chunked in HTTP/1.0": (400, "POST / HTTP/1.0\r\nHost: shop.test\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    "space in the target": (400, "GET /a b HTTP/1.1\r\nHost: shop.test\r\n\r\n"),
    "no HTTP at all": (400, "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"),
    "an HTTP/2 preface": ((400, 505), "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    "CONNECT": (405, "CONNECT shop.test:80 HTTP/1.1\r\nHost: shop.test:80\r\n\r\n"),
    "TRACE": (405, "TRACE / HTTP/1.1\r\nHost: shop.test\r\n\r\n"),
    "long target": (414, f"GET /{'a' * 40_000} HTTP/1.1\r\nHost: shop.test\r\n\r\n"),
    "large head": (431, f"GET / HTTP/1.1\r\nHost: shop.test\r\nX: {'a' * 100_000}\r\n\r\n"),
    "many fields": (431, "GET / HTTP/1.1\r\nHost: shop.test\r\n" + "X: a\r\n" * 1000 + "\r\n"),
}


def test_what_is_ambiguous_or_forbidden_is_refused_and_the_service_sees_nothing(tunnelled, origin):
    origin.bytes_seen, wrong = 0, []
    for name, (status, request) in REFUSED.items():
        with tunnelled.raw() as raw:
            try:
                raw.send(request + "GET /smuggled HTTP/1.1\r\nHost: shop.test\r\n\r\n")
            except OSError:
                pass  # it may close before it has read all
            try:
                answers = raw.read_all()  # to the end: the connection must be closed
            except TimeoutError:
                answers = b"(left open) " + raw.bytes
        expected = status if isinstance(status, tuple) else (status,)
        if answers.count(b"HTTP/1.") != 1 or not answers.startswith(b"HTTP/1.") or int(answers[9:12]) not in expected:
            wrong.append(f"{name}: expected {status} and an end, got {answers[:200]!r}")
        if origin.bytes_seen:
            wrong.append(f"{name}: the service saw {origin.requests[-1].target}")
            origin.bytes_seen = 0
    assert not wrong, "\n".join(wrong)


def test_chunk_framing_errors_never_become_a_whole_request(tunnelled, origin):
    for body in ("x\r\nabc\r\n0\r\n\r\n", "3\r\nabcX0\r\n\r\n", "-3\r\nabc\r\n0\r\n\r\n", "fffffffffffffffff\r\nabc", "3\nabc\n0\n\n"):
        with tunnelled.raw() as raw:
            raw.send("POST /seen HTTP/1.1\r\nHost: shop.test\r\nTransfer-Encoding: chunked\r\n\r\n" + body)
            raw.send("GET /smuggled HTTP/1.1\r\nHost: shop.test\r\n\r\n")
            answers = raw.read_all()
        assert b" 200 " not in answers[:20], body
        assert all(r.target != "/smuggled" and r.digest is None for r in origin.requests), body


def test_the_body_of_an_own_answer_is_small_and_says_nothing_of_the_inside(edge, origin):
    edge.write_default()
    edge.start_gateway()
    for host, status in (("nobody.test", 404), ("shop.test", 503)):
        answer = edge.get(host=host)
        assert answer.status == status and len(answer.body) < 512
        assert "127.0.0.1" not in repr(answer) and "4d21094e" not in repr(answer)


def test_head_of_an_own_answer_has_no_body_and_keeps_the_connection(tunnelled):
    with tunnelled.raw() as raw:
        raw.send("HEAD / HTTP/1.1\r\nHost: nobody.test\r\n\r\nGET /x HTTP/1.1\r\nHost: shop.test\r\n\r\n")
        assert raw.status() == 404
        assert raw.status() == 200


@pytest.mark.parametrize("asks", ["Upgrade: adit-link/1", "Upgrade: websocket\r\nSec-WebSocket-Protocol: adit-link.v1"])
def test_a_request_for_a_link_is_never_forwarded(tunnelled, origin, asks):
    with tunnelled.raw() as raw:
        raw.send(f"GET /any/path HTTP/1.1\r\nHost: shop.test\r\nConnection: Upgrade\r\n{asks}\r\n\r\n")
        assert raw.status() in (400, 403, 404, 421, 426)
    assert not origin.requests
