"""HTTP/1.1 on both sides: what a visitor gets through the tunnel is what the service says, byte for byte."""
import hashlib
import http.client
import json

import pytest

from origin import BLOCK
from programs import wait_until


@pytest.mark.parametrize("https", [False, True], ids=["http", "https"])
def test_a_page_of_a_real_server_through_curl(edge, nginx, https):
    page = b"<h1>through the tunnel</h1>" * 1000
    (nginx.files / "page.html").write_bytes(page)
    edge.write_default(tls="shop-tls")
    edge.write_tls("shop.test")
    edge.start(f"http://127.0.0.1:{nginx.port}")
    assert edge.curl(edge.url("/page.html", https), https=https) == page


@pytest.mark.parametrize("tls", ["1.2", "1.3"])
def test_tls_versions(edge, origin, tls):
    edge.write_default(tls="shop-tls")
    edge.write_tls("shop.test")
    edge.start(f"http://127.0.0.1:{origin.port}")
    shown = edge.curl(f"--tlsv{tls}", "--tls-max", tls, "-w", "%{http_code} %{ssl_verify_result}", edge.url("/x", True), https=True)
    assert shown == b"GET /x200 0"


def test_method_target_and_fields_arrive_as_sent(tunnelled):
    answer = tunnelled.get("/seen/a%20b/../c?x=1&y=%2F", method="PATCH", body=b"abc", fields={"X-Mine": "v\u00e9".encode(), "Cookie": "a=b"})
    seen = json.loads(answer.body)
    assert (seen["method"], seen["target"], seen["body_size"]) == ("PATCH", "/seen/a%20b/../c?x=1&y=%2F", 3)
    fields = {k.lower(): v for k, v in seen["fields"]}
    assert fields["host"] == "shop.test" and fields["x-mine"].encode("latin-1") == "v\u00e9".encode() and fields["cookie"] == "a=b"


def test_forwarding_fields_are_the_edges_never_the_visitors(tunnelled):
    forged = {"X-Forwarded-For": "6.6.6.6", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "evil.test",
              "X-Request-Id": "mine", "Forwarded": "for=6.6.6.6", "Connection": "close, X-Drop", "X-Drop": "1"}
    seen = json.loads(tunnelled.get("/seen", fields=forged).body)
    fields = {k.lower(): v for k, v in seen["fields"]}
    assert fields["x-forwarded-for"] == "127.0.0.1"
    assert fields["x-forwarded-proto"] == "http"
    assert fields["x-request-id"] not in ("", "mine")
    assert "x-drop" not in fields
    assert "6.6.6.6" not in str(fields) and "evil" not in str(fields)


def test_head_has_no_body_and_keeps_the_connection(tunnelled):
    connection = http.client.HTTPConnection("127.0.0.1", tunnelled.http, timeout=20)
    for path in ("/", "/big?bytes=12345", "/chunked"):
        assert tunnelled.get(path, method="HEAD", connection=connection).body == b""
    assert tunnelled.get("/after", connection=connection).body == b"GET /after"


def test_head_keeps_the_length_of_the_answer(tunnelled):
    assert tunnelled.get("/big?bytes=12345", method="HEAD").field("content-length") == "12345"


@pytest.mark.parametrize("code", [204, 304])
def test_answers_without_body_keep_the_connection(tunnelled, code):
    connection = http.client.HTTPConnection("127.0.0.1", tunnelled.http, timeout=20)
    answer = tunnelled.get(f"/status?code={code}", connection=connection)
    assert (answer.status, answer.body, answer.field("etag")) == (code, b"", '"a"')
    assert tunnelled.get("/after", connection=connection).body == b"GET /after"


def test_the_services_errors_pass_unchanged(tunnelled):
    for code in (400, 404, 418, 500, 502, 503, 504):
        answer = tunnelled.get(f"/status?code={code}")
        assert (answer.status, answer.body) == (code, b"body")


def test_chunked_answer(tunnelled):
    answer = tunnelled.get("/chunked")
    assert (answer.status, answer.body) == (200, b"one two three")


def test_trailers_of_the_service_reach_the_visitor(tunnelled):
    with tunnelled.raw() as raw:
        raw.send("GET /chunked HTTP/1.1\r\nHost: shop.test\r\nTE: trailers\r\nConnection: TE, close\r\n\r\n")
        assert b"\r\n0\r\nX-Sum: 3\r\n\r\n" in raw.read_all()


def test_chunked_upload(tunnelled):
    pieces = [b"a", b"b" * 70_000, b"c" * 3]
    answer = tunnelled.get("/echo", method="POST", body=iter(pieces), fields={"Transfer-Encoding": "chunked"})
    assert answer.body == b"".join(pieces)


def test_upload_with_length(tunnelled, origin):
    body = BLOCK * 40
    assert tunnelled.get("/continue", method="PUT", body=body).body == b"took %d" % len(body)
    assert origin.requests[-1].digest == hashlib.sha256(body).hexdigest()


def test_expect_100_continue_with_curl(tunnelled, origin, tmp_path):
    (tmp_path / "body").write_bytes(BLOCK * 4)
    took = tunnelled.curl("-H", "Expect: 100-continue", "--data-binary", f"@{tmp_path}/body", tunnelled.url("/continue"))
    assert took == b"took %d" % (len(BLOCK) * 4)


def test_a_visitor_that_waits_for_100_gets_it_before_it_sends(tunnelled):
    with tunnelled.raw() as raw:
        raw.send("POST /continue HTTP/1.1\r\nHost: shop.test\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
        assert raw.status() == 100
        raw.send("hello")
        assert raw.status() == 200
        assert raw.read_until(b"took 5")


def test_a_final_answer_may_come_before_the_body(tunnelled):
    with tunnelled.raw() as raw:
        raw.send("POST /refuse-body HTTP/1.1\r\nHost: shop.test\r\nContent-Length: 1000000\r\n\r\n")
        assert raw.status() == 413


def test_S3_P3_many_requests_share_one_connection_to_the_service(tunnelled, origin):
    origin.connections = 0
    connection = http.client.HTTPConnection("127.0.0.1", tunnelled.http, timeout=20)
    for number in range(20):
        assert tunnelled.get(f"/{number}", connection=connection).body == b"GET /%d" % number
    assert len(origin.requests) == 20
    assert origin.connections <= 1, "keep-alive towards the service: no new connection, or one"


def test_pipelined_requests_are_answered_in_order(tunnelled):
    with tunnelled.raw() as raw:
        raw.send("".join(f"GET /p{n} HTTP/1.1\r\nHost: shop.test\r\n\r\n" for n in range(5)))
        for number in range(5):
            raw.read_until(b"GET /p%d" % number)


def test_a_request_that_comes_byte_by_byte(tunnelled):
    with tunnelled.raw() as raw:
        for byte in b"POST /echo HTTP/1.1\r\nHost: shop.test\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n":
            raw.send(bytes([byte]))
        assert raw.status() == 200
        body = raw.read_until(b"0\r\n\r\n")
    assert b"".join(body.split(b"\r\n")[1::2]) == b"abc"


def test_the_first_event_arrives_while_the_service_holds_the_second(tunnelled, origin):
    with tunnelled.raw() as raw:
        raw.send("GET /sse HTTP/1.1\r\nHost: shop.test\r\n\r\n")
        raw.read_until(b"data: one\n\n")
        assert b"two" not in raw.bytes
        origin.let_go()
        raw.read_until(b"data: two\n\n")
        raw.read_until(b"0\r\n\r\n")


def test_a_service_that_speaks_http_1_0(tunnelled):
    answer = tunnelled.get("/http10")
    assert (answer.status, answer.body) == (200, b"ends with the connection")


def test_a_visitor_that_speaks_http_1_0(tunnelled):
    with tunnelled.raw() as raw:
        raw.send("GET /chunked HTTP/1.0\r\nHost: shop.test\r\n\r\n")
        head, _, body = raw.read_all().partition(b"\r\n\r\n")
    assert b" 200 " in head.split(b"\r\n")[0]
    assert b"chunked" not in head.lower() and body == b"one two three"


@pytest.mark.parametrize("path", ["/cut", "/cut-chunked"])
def test_an_answer_that_is_cut_short_is_seen_as_cut_short(tunnelled, path):
    with pytest.raises((http.client.IncompleteRead, ConnectionResetError)):
        tunnelled.get(path)


def test_a_service_that_closed_its_idle_connection_is_asked_again(tunnelled, origin):
    """/once ends the connection behind an answer that promised to keep it: the race that every proxy has."""
    for number in range(20):
        assert tunnelled.get("/once").status == 200
        assert tunnelled.get(f"/next{number}").status == 200


def test_the_visitors_end_ends_the_connection_to_the_service(tunnelled, origin):
    with tunnelled.raw() as raw:
        raw.send("GET /big?bytes=100000000000 HTTP/1.1\r\nHost: shop.test\r\n\r\n")
        raw.read_until(b"\r\n\r\n")
        during = origin.open  # others may be idle in the pool
    wait_until(lambda: origin.open < during, "the connection to the service has ended")
