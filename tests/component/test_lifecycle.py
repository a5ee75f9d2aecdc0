"""Programs that end, die, come back and are replaced while visitors go on asking."""
import signal
import socket
import threading

import pytest

import visitor
from programs import PATIENCE, wait_until


class Load:
    """Visitors that ask one request after the other on keep-alive connections, and count what they get."""

    def __init__(self, edge, path="/", visitors=8):
        self.edge, self.path = edge, path
        self.statuses, self.broken = [], []
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._ask, daemon=True) for _ in range(visitors)]

    def _ask(self):
        while not self._stop.is_set():
            try:
                self.statuses.append(visitor.get(self.edge.http, self.path).status)
            except OSError as error:
                self.broken.append(error)

    def wait_for_more(self, count):
        goal = len(self.statuses) + count
        wait_until(lambda: len(self.statuses) + len(self.broken) >= goal, f"{count} more answers")

    def failed(self):
        return len(self.broken) + sum(status != 200 for status in self.statuses)

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        for thread in self._threads:
            thread.join(PATIENCE)


def ask_in_background(edge, path):
    """A request in its own thread; result() waits for the answer."""
    class Asked(threading.Thread):
        def run(self):
            self.answer = edge.get(path)

        def result(self):
            self.join(PATIENCE)
            return self.answer
    asked = Asked(daemon=True)
    asked.start()
    return asked


@pytest.mark.parametrize("which", ["gateway", "connector"])
def test_sigterm_lets_a_request_finish(tunnelled, origin, which):
    asked = ask_in_background(tunnelled, "/hold")
    wait_until(lambda: origin.requests, "the service has the request")
    program = tunnelled.gateway if which == "gateway" else tunnelled.connector
    program.signal(signal.SIGTERM)
    wait_until(lambda: tunnelled.admin_page("/readyz", program.admin if which == "connector" else None)[0] != 200, "no longer ready")
    assert program.running()
    origin.let_go()
    answer = asked.result()
    assert (answer.status, answer.body) == (200, b"at last")
    program.judged = True
    assert program.wait() == 0


@pytest.mark.parametrize("which", ["gateway", "connector"])
def test_a_second_sigterm_ends_at_once(tunnelled, origin, which):
    with tunnelled.raw() as raw:
        raw.send("GET /hold HTTP/1.1\r\nHost: shop.test\r\n\r\n")
        wait_until(lambda: origin.requests, "the service has the request")
        program = tunnelled.gateway if which == "gateway" else tunnelled.connector
        program.signal(signal.SIGTERM)
        wait_until(lambda: tunnelled.admin_page("/readyz", program.admin if which == "connector" else None)[0] != 200, "no longer ready")
        program.signal(signal.SIGTERM)
        program.judged = True
        program.wait(10)


def test_R2_who_came_just_before_the_end_is_served(tunnelled):
    """Its connection was made, so it has no way to know that it should ask elsewhere."""
    with socket.create_connection(("127.0.0.1", tunnelled.http), PATIENCE) as late:
        tunnelled.gateway.signal(signal.SIGTERM)
        wait_until(lambda: "shutting down" in tunnelled.gateway.err, "the gateway drains")
        late.sendall(b"GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n")
        answer = b"".join(iter(lambda: late.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.1 200 ") and b"Connection: close\r\n" in answer
    tunnelled.gateway.judged = True
    tunnelled.gateway.wait(10)


def test_sigterm_while_idle_ends_at_once(tunnelled):
    """An idle keep-alive connection does not hold the end back."""
    with tunnelled.raw() as raw:
        raw.send("GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n")
        raw.read_until(b"GET /")
        tunnelled.gateway.signal(signal.SIGTERM)
        tunnelled.gateway.judged = True
        assert tunnelled.gateway.wait(10) == 0


def test_kill_9_of_the_only_connector_is_503_at_once_and_a_new_one_serves(tunnelled, origin, record_property):
    tunnelled.connector.kill()
    statuses = []

    def answers_503():
        statuses.append(tunnelled.get().status)
        return statuses[-1] == 503
    wait_until(answers_503, "the answer is 503", 2)
    assert set(statuses) <= {502, 503} and len(statuses) <= 5, statuses  # the first on each link may have met its end
    assert int(tunnelled.get().field("retry-after")) > 0
    tunnelled.start_connector(f"http://127.0.0.1:{origin.port}", name="again", wait=False)
    record_property("seconds until served again", tunnelled.wait_status(200))


def test_S2_C17_a_gateway_that_dies_and_comes_back_finds_its_connector_again(tunnelled):
    tunnelled.gateway.kill()
    tunnelled.start_gateway(name="gateway-2")
    tunnelled.wait_status(200)


def test_a_connector_that_leaves_fails_no_request(tunnelled, origin):
    tunnelled.start_connector(f"http://127.0.0.1:{origin.port}", name="second")
    with Load(tunnelled) as load:
        load.wait_for_more(200)
        tunnelled.connector.stop()
        load.wait_for_more(200)
    assert load.failed() == 0, f"{load.broken} {[s for s in load.statuses if s != 200]}"


def test_S3_P1_connectors_rolled_one_after_the_other_fail_no_request(tunnelled, origin):
    current = tunnelled.connector
    with Load(tunnelled) as load:
        for number in range(4):
            following = tunnelled.start_connector(f"http://127.0.0.1:{origin.port}", name=f"roll-{number}")
            current.stop()
            current = following
            load.wait_for_more(100)
    assert load.failed() == 0, f"{load.broken} {[s for s in load.statuses if s != 200]}"


def test_S1_P5_one_of_two_connectors_killed_fails_only_requests_that_had_left(tunnelled, origin, record_property):
    tunnelled.start_connector(f"http://127.0.0.1:{origin.port}", name="second")
    visitors = 8
    with Load(tunnelled, visitors=visitors) as load:
        load.wait_for_more(200)
        tunnelled.connector.kill()
        load.wait_for_more(200)
    record_property("failed", load.failed())
    assert load.failed() <= visitors, "more failed than were under way"
    assert tunnelled.get().status == 200


def test_a_connector_that_falls_silent_is_passed_over(tunnelled, origin):
    """SIGSTOP: the TCP connection stands and nothing answers."""
    tunnelled.start_connector(f"http://127.0.0.1:{origin.port}", name="second")
    tunnelled.connector.signal(signal.SIGSTOP)
    try:
        for _ in range(20):
            assert tunnelled.get().status == 200
    finally:
        tunnelled.connector.signal(signal.SIGCONT)
    assert tunnelled.get().status == 200


def test_retried_requests_reach_a_service_once(tunnelled, origin):
    """Bodies are never sent twice, whatever happens to the connector that carried them."""
    tunnelled.start_connector(f"http://127.0.0.1:{origin.port}", name="second")
    targets = []
    for number in range(50):
        target = f"/pay-{number}"
        if number == 25:
            tunnelled.connector.kill()
        targets.append((target, tunnelled.get(target, method="POST", body=b"once").status))
    for target, status in targets:
        times = sum(r.target == target for r in origin.requests)
        assert times == 1 if status == 200 else times <= 1, f"{target} {status}: {times} times"
