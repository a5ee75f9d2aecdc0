"""What an operator of the programs sees: health, readiness, state, metrics, logs."""
import json
import re

import pytest

from programs import wait_until

SAMPLE = re.compile(r'^[a-zA-Z_:][a-zA-Z0-9_:]*(\{([a-zA-Z_]\w*="(\\.|[^"\\])*",?)*\})? (-?[0-9.e+-]+|NaN|[+-]Inf)$')
FIELDS = {  # of an access log line, and the type of its value
    "time": str, "request_id": str, "visitor": str, "method": str, "host": str, "path": str, "status": int,
    "bytes_in": int, "bytes_out": int, "duration_ms": (int, float), "tunnel": str, "connector": str, "reason": str,
}


def admin_ports(edge):
    return {"gateway": edge.admin, "connector": edge.connector.admin}


@pytest.mark.parametrize("which", ["gateway", "connector"])
def test_admin_pages(tunnelled, which):
    port = admin_ports(tunnelled)[which]
    assert tunnelled.admin_page("/healthz", port)[0] == 200
    assert tunnelled.admin_page("/readyz", port)[0] == 200
    assert tunnelled.admin_page("/nothing", port)[0] == 404
    status, text = tunnelled.admin_page("/status", port)
    assert status == 200 and json.loads(text)


@pytest.mark.parametrize("which", ["gateway", "connector"])
def test_metrics_are_valid_and_count(tunnelled, which):
    port = admin_ports(tunnelled)[which]
    _, text = tunnelled.admin_page("/metrics", port)
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    wrong = [line for line in lines if not SAMPLE.match(line)]
    assert lines and not wrong
    assert all(line.startswith(("adit_", "process_", "exposer_")) for line in lines)
    before = tunnelled.metrics(port)
    for _ in range(7):
        tunnelled.get()
    wait_until(lambda: any(tunnelled.metrics(port).get(n, 0) >= v + 1 for n, v in before.items() if "total" in n or "count" in n),
               "a counter has grown")


def test_the_gateway_counts_requests_by_status(tunnelled):
    for _ in range(5):
        tunnelled.get("/status?code=418")
    wait_until(lambda: any("requests" in name and "418" in name and value >= 5 or "requests" in name and "4xx" in name and value >= 5
                           for name, value in tunnelled.metrics().items()), "five answers of status 418 or class 4xx are counted")


def test_metrics_do_not_grow_with_what_visitors_invent(tunnelled):
    tunnelled.get()
    before = len(tunnelled.metrics())
    for number in range(300):
        tunnelled.get(f"/path-{number}", host=f"host-{number}.test")
    assert len(tunnelled.metrics()) <= before + 40


def settled(edge):
    """How many lines the access log has once everything asked so far is in it: it is written behind the requests."""
    edge.get("/marker")
    wait_until(lambda: any(line["path"] == "/marker" for line in edge.access_log()), "the marker is in the access log")
    wait_until(lambda: sum(
        value for name, value in edge.metrics().items() if name.startswith("adit_gateway_requests_total")) == len(edge.access_log()),
        "every counted request is in the access log")
    return len(edge.access_log())


def test_one_access_log_line_per_request_with_all_fields(tunnelled, origin):
    before = settled(tunnelled)
    tunnelled.get("/a/path?secret=1", method="POST", body=b"12345")
    tunnelled.get("/gone", host="nobody.test")
    lines = tunnelled.wait_access_log(before + 2)[before:]
    assert len(lines) == 2
    served, unrouted = sorted(lines, key=lambda line: line["time"])  # workers write on their own
    missing = [name for name, kind in FIELDS.items() if not isinstance(served.get(name), kind)]
    assert not missing, f"{missing} missing or of another type in {served}"
    assert (served["method"], served["host"], served["status"]) == ("POST", "shop.test", 200)
    assert served["path"].startswith("/a/path") and served["visitor"].startswith("127.0.0.1")
    assert served["bytes_in"] >= 5 and served["bytes_out"] >= 5 and served["duration_ms"] >= 0
    assert served["tunnel"] in ("default/shop", "4d21094e-b74c-4916-86c1-d9fa36ea677b") and served["connector"]
    assert (unrouted["host"], unrouted["status"]) == ("nobody.test", 404) and unrouted["reason"]


def test_the_request_id_of_the_log_is_that_of_the_service(tunnelled, origin):
    before = settled(tunnelled)
    tunnelled.get("/id")
    line = tunnelled.wait_access_log(before + 1)[-1]
    assert origin.requests[-1].field("x-request-id") == line["request_id"]


def test_refused_requests_are_logged_with_their_reason(tunnelled):
    before = settled(tunnelled)
    with tunnelled.raw() as raw:
        raw.send("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n")
        raw.read_all()
    line = tunnelled.wait_access_log(before + 1)[-1]
    assert line["status"] == 400 and line["reason"]


def test_what_a_visitor_sends_cannot_break_a_log_line(tunnelled):
    before = settled(tunnelled)
    tunnelled.get("/%22%0A{}", host='sh"op\\.test')
    tunnelled.get('/"quote\\"', fields={"User-Agent": '"}\x7f'})
    assert len(tunnelled.wait_access_log(before + 2)) == before + 2


def test_access_log_to_a_file_and_off(edge, origin):
    edge.write_default()
    edge.start(f"http://127.0.0.1:{origin.port}", gateway=["--access-log", edge.folder / "access.log"])
    edge.get()
    wait_until(lambda: '"status":200' in (edge.folder / "access.log").read_text().replace(" ", ""), "the line is in the file")
    assert not edge.access_log()
    edge.gateway.stop()
    edge.start_gateway("--access-log", "off", name="quiet")
    edge.wait_status(200)
    edge.gateway.stop()
    assert not edge.access_log()


@pytest.mark.parametrize("which", ["gateway", "connector"])
def test_the_programs_log_is_json_lines(tunnelled, which):
    tunnelled.get()
    program = tunnelled.gateway if which == "gateway" else tunnelled.connector
    lines = [json.loads(line) for line in program.err.splitlines()]
    assert lines and all({"time", "level", "program", "message"} <= line.keys() for line in lines)
