"""What needs more than one write on either side: parts that come apart, late bytes, connections that idle."""
import socket

import pytest

import recorder
from observe import talk
from programs import PATIENCE
from visitor import Raw

HOST = "Host: shop.test\r\n"
CHUNKED = f"POST /x HTTP/1.1\r\n{HOST}Transfer-Encoding: chunked\r\n\r\n"
GET = f"GET /x HTTP/1.1\r\n{HOST}\r\n"


@pytest.mark.parametrize("rest", ["x\r\n", "3\r\nabcX", "0x3\r\nabc\r\n", "fffffffffffffffff\r\n", "3\nabc\n", "0\r\nX : y\r\n\r\n",
                                  "3\r\nabc\r\n0\r\n X: y\r\n\r\n", "0\r\n\n"])
def test_a_body_that_breaks_while_it_flows_ends_the_request(adit, service, rest):
    """The service has seen its head by then: it must see that no more comes."""
    service.begin()
    with Raw(adit.port) as visitor:
        visitor.send(CHUNKED + "2\r\nok\r\n")
        assert service.wait_for(lambda: b"ok" in service.raw, PATIENCE)
        visitor.send(rest + GET)
        answers = visitor.read_all()
    assert answers.startswith(b"HTTP/1.1 400 ") and answers.count(b"HTTP/1.1") == 1
    assert service.wait_for(lambda: service.ended_within == 1, PATIENCE), "the connection to the service has ended"
    assert not service.requests


def test_a_visitor_that_leaves_within_its_body_ends_the_request(adit, service):
    service.begin()
    with Raw(adit.port) as visitor:
        visitor.send(f"POST /x HTTP/1.1\r\n{HOST}Content-Length: 9\r\n\r\nabc")
        assert service.wait_for(lambda: b"abc" in service.raw, PATIENCE)
    assert service.wait_for(lambda: service.ended_within == 1, PATIENCE)
    assert not service.requests


def test_pieces_of_any_size_are_one_request(adit, service):
    text = CHUNKED.encode() + b"3;x=y\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n"
    for size in (1, 2, 3, 7):
        service.begin()
        with Raw(adit.port) as visitor:
            for at in range(0, len(text), size):
                visitor.send(text[at:at + size])
            assert visitor.status() == 200
        assert [str(r) for r in service.requests] == ["POST /x 'abc[X-Sum: 1]'"]


@pytest.mark.parametrize("late", [b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison", b"HTTP/1.1 408 Timeout\r\nConnection: close\r\n\r\n", b"\r\n", b"x"])
def test_what_an_idle_service_says_is_nobodys_answer(adit, service, late):
    service.begin()
    with Raw(adit.port) as visitor:
        visitor.send(GET)
        assert visitor.status() == 200
        visitor.read_until(b"ok")
        service.say(service.requests[-1].connection, late)
        # It ends that connection, since it cannot be used again.
        assert service.wait_for(lambda: service.ended, PATIENCE)
        visitor.send(GET)
        assert visitor.status() == 200
        visitor.read_until(b"ok")
        assert not visitor.bytes
    assert service.requests[0].connection != service.requests[1].connection


def test_an_interim_answer_comes_before_the_final_one_is_there(adit, service):
    service.begin([b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"])
    with Raw(adit.port) as visitor:
        visitor.send(GET)
        assert visitor.read_until(b"\r\n\r\n") == b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
        service.say(service.requests[-1].connection, recorder.OK)
        assert visitor.status() == 200
        visitor.read_until(b"ok")


def test_expect_is_passed_on_and_the_body_waits_for_the_service(adit, service):
    service.begin()
    with Raw(adit.port) as visitor:
        visitor.send(f"POST /x HTTP/1.1\r\n{HOST}Expect: 100-continue\r\nContent-Length: 3\r\n\r\n")
        assert service.wait_for(lambda: b"\r\n\r\n" in service.raw, PATIENCE)
        assert b"\r\nExpect: 100-continue\r\n" in service.raw and not visitor.bytes
        service.say(service.connections, b"HTTP/1.1 100 Continue\r\n\r\n")
        assert visitor.read_until(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        visitor.send("abc")
        assert visitor.status() == 200
    assert [str(r) for r in service.requests] == ["POST /x 'abc'"]


def test_answers_come_in_the_order_of_the_requests(adit, service):
    service.begin([b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n", b"a"])
    got, closed = talk(adit.port, (GET * 49 + GET.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n")).encode(), PATIENCE)
    assert closed and got.count(b"HTTP/1.1 200 OK") == 50
    assert len(service.requests) == 50 and len({r.connection for r in service.requests}) == 1


def test_trailers_go_both_ways_as_they_were_sent(adit, service):
    service.begin(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: B\r\n\r\n1\r\nx\r\n0\r\nA: 1\r\nB:  two \r\nA: 3\r\n\r\n")
    sent = f"POST /x HTTP/1.1\r\n{HOST}Transfer-Encoding: chunked\r\nTrailer: C\r\nTE: trailers\r\nConnection: TE, close\r\n\r\n1\r\ny\r\n0\r\nC: 4\r\n\r\n"
    got, _ = talk(adit.port, sent.encode(), PATIENCE)
    assert got.endswith(b"\r\n\r\n1\r\nx\r\n0\r\nA: 1\r\nB: two\r\nA: 3\r\n\r\n")
    assert service.raw.endswith(b"\r\n\r\n1\r\ny\r\n0\r\nC: 4\r\n\r\n")


def test_a_visitor_that_has_said_all_still_gets_its_answer(adit, service):
    """Half-close: curl and netcat do it."""
    service.begin([])
    with Raw(adit.port) as visitor:
        visitor.send(GET)
        visitor.socket.shutdown(socket.SHUT_WR)
        assert service.wait_for(lambda: service.requests, PATIENCE)
        service.say(service.requests[-1].connection, recorder.OK)
        assert visitor.read_all().endswith(b"\r\n\r\nok")


def test_an_answer_flows_while_the_request_still_flows(adit, service):
    """As gRPC-Web or an upload with progress does: both directions at once."""
    service.begin()
    with Raw(adit.port) as visitor:
        visitor.send(CHUNKED + "2\r\nab\r\n")
        assert service.wait_for(lambda: b"ab" in service.raw, PATIENCE)
        service.say(service.connections, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nA\r\n")
        visitor.read_until(b"\r\n\r\n1\r\nA\r\n")
        visitor.send("2\r\ncd\r\n")
        assert service.wait_for(lambda: b"cd" in service.raw, PATIENCE)
        service.say(service.connections, b"1\r\nB\r\n")
        visitor.read_until(b"1\r\nB\r\n")
        service.begin([b"0\r\n\r\n"])  # what it says when the request is whole
        visitor.send("0\r\n\r\n")
        visitor.read_until(b"0\r\n\r\n")


@pytest.mark.parametrize("request_text", [GET, f"POST /x HTTP/1.1\r\n{HOST}Content-Length: 2\r\n\r\n{{}}"], ids=["GET", "POST"])
def test_events_arrive_one_by_one(adit, service, request_text):
    service.begin([b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"])
    with Raw(adit.port) as visitor:
        visitor.send(request_text)
        assert visitor.status() == 200
        for event in (*(b"9\r\ndata: %d\n\n\r\n" % number for number in range(10)), b"0\r\n\r\n"):
            service.say(service.requests[-1].connection, event)
            assert visitor.read_until(event) == event
