"""Gateway and connector far apart. Figures are compared within one run and leave much room; bench/distance.py measures."""
import contextlib
import os
import pathlib
import socket
import statistics
import threading
import time

import pytest

import delay
import origin as scripted
from edge import TUNNEL, token_secret, tunnel_manifest, documents, TOKEN
from fixtures import authority  # noqa: F401
from programs import BIN, PATIENCE, SANITIZED, Program, wait_until

HTTP, LINK, ADMIN, SERVICE = 8080, 7443, 9090, 5000
MIB = 1 << 20
REASON = delay.missing_right()
pytestmark = pytest.mark.skipif(REASON is not None, reason=str(REASON))


class Place:
    """Gateway and visitors on the near host, connector and service on the far one."""

    def __init__(self, network, folder, authority):  # noqa: F811
        self.network, self.folder = network, folder
        near, far = network.near, network.far
        (folder / "manifests").mkdir()
        (folder / "manifests" / "shop.yaml").write_text(
            documents(tunnel_manifest(routes='  - {host: "*"}\n'), token_secret()))
        (folder / "token").write_text(TOKEN)
        chain, key = authority.issue("localhost", near.address)
        with far.inside():  # a thread begins where its maker is
            self.service = scripted.Origin(port=SERVICE, address="0.0.0.0")
        self.gateway = Program("gateway", [
            *near.enter, BIN / "adit-gateway", "--manifests", folder / "manifests", "--http", f"127.0.0.1:{HTTP}",
            "--https", "off", "--link", f"0.0.0.0:{LINK}", "--link-host", "localhost", "--link-cert", chain,
            "--link-key", key, "--admin", f"127.0.0.1:{ADMIN}"], folder)
        self.connector = Program("connector", [
            *far.enter, BIN / "adit-connector", "--gateway", f"{near.address}:{LINK}", "--tunnel", TUNNEL,
            "--token-file", folder / "token", "--ca-file", authority.file, "--links", "1",
            "--service", f"http://127.0.0.1:{SERVICE}", "--admin", "off"], folder)

    def connect(self, tunnelled=True):
        with self.network.near.inside():
            visitor = socket.create_connection(
                ("127.0.0.1", HTTP) if tunnelled else (self.network.far.address, SERVICE), PATIENCE)
        visitor.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return visitor

    def ask(self, path, visitor, method="GET", size=None):
        length = "" if size is None else f"Content-Length: {size}\r\n"
        visitor.sendall(f"{method} {path} HTTP/1.1\r\nHost: shop.test\r\n{length}\r\n".encode())

    def serves(self):
        with contextlib.suppress(OSError), self.connect() as visitor:
            self.ask("/", visitor)
            return visitor.recv(12) == b"HTTP/1.1 200"
        return False

    def download(self, tunnelled, size):
        """Bytes a second."""
        with self.connect(tunnelled) as visitor:
            begin, left = time.monotonic(), size
            self.ask(f"/big?bytes={size}", visitor)
            buffer = bytearray(MIB)
            while left > 0:
                count = visitor.recv_into(buffer)
                assert count, f"closed {left} bytes before the end"
                left -= count
            return size / (time.monotonic() - begin)

    def upload(self, tunnelled, size):
        with self.connect(tunnelled) as visitor:
            begin = time.monotonic()
            self.ask("/", visitor, "POST", size)
            for _ in range(size // MIB):
                visitor.sendall(bytes(MIB))
            assert visitor.recv(12) == b"HTTP/1.1 200"
            return size / (time.monotonic() - begin)

    def metric(self, name):
        with self.network.near.inside():
            page = socket.create_connection(("127.0.0.1", ADMIN), PATIENCE)
        with page:
            page.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            text = b"".join(iter(lambda: page.recv(65536), b"")).decode()
        return sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line.startswith(name))

    def finish(self):
        self.service.stop()
        wrong = [text for program in (self.connector, self.gateway) for text in program.judge()]
        assert not wrong, "; ".join(wrong)


@pytest.fixture
def far(request, tmp_path, authority):  # noqa: F811
    """Parameter: the network's conditions, as for delay.Far."""
    program = pathlib.Path(os.environ.get("ADIT_BIN", "build/dev/bin")).resolve() / "delay_link"
    with delay.Far(program, **request.param) as network:
        place = Place(network, tmp_path, authority)
        try:
            wait_until(place.serves, "the service answers through the tunnel")
            yield place
        finally:
            place.finish()


def attempts(works, count=3):
    """Noise must not fail what is right: one of a few attempts is enough."""
    return any(works() for _ in range(count))


FAR = {"delay_ms": 50, "rate_mbit": 80, "queue_bytes": 1_000_000}


@pytest.mark.parametrize("far", [{"delay_ms": 20}], indirect=True)
def test_the_network_is_as_it_was_asked_for(far):
    begin = time.monotonic()
    far.connect(False).close()
    assert time.monotonic() - begin >= 0.04
    far.network.drop()
    with far.connect() as visitor:
        visitor.settimeout(0.3)
        far.ask("/", visitor)
        with pytest.raises(TimeoutError):
            visitor.recv(1)
        far.network.drop(False)
        visitor.settimeout(PATIENCE)
        assert visitor.recv(12).startswith(b"HTTP/1.1 ")


@pytest.mark.skipif(SANITIZED, reason="compares speeds")
@pytest.mark.parametrize("way", ["download", "upload"])
@pytest.mark.parametrize("far", [FAR], indirect=True)
def test_one_stream_fills_a_long_path(far, way):
    """R12. Without windows that grow it would be 5 Mbit/s."""
    def works():
        raw, tunnelled = (getattr(far, way)(through, 32 * MIB) for through in (False, True))
        return tunnelled >= 0.6 * raw
    assert attempts(works)


@pytest.mark.skipif(SANITIZED, reason="compares speeds")
@pytest.mark.parametrize("far", [{"delay_ms": 10, "rate_mbit": 40, "queue_bytes": 100_000}], indirect=True)
def test_a_small_request_overtakes_bulk(far):
    """R11. Behind what a socket takes by default it would wait for a second."""
    bulk = [far.connect() for _ in range(4)]
    for visitor in bulk:
        far.ask(f"/big?bytes={1 << 30}", visitor)
        threading.Thread(target=lambda v=visitor: [None for _ in iter(lambda: len(v.recv(65536)), 0)],
                         daemon=True).start()

    def once(visitor):
        begin = time.monotonic()
        far.ask("/", visitor)
        assert visitor.recv(65536).startswith(b"HTTP/1.1 200")
        return time.monotonic() - begin

    def works():
        with far.connect() as visitor:
            return statistics.median(once(visitor) for _ in range(15)) < 0.3
    try:
        assert attempts(works)
    finally:
        for visitor in bulk:
            visitor.shutdown(socket.SHUT_RDWR)
            visitor.close()


@pytest.mark.parametrize("far", [FAR], indirect=True)
def test_a_stalled_visitor_is_counted_and_holds_nobody_up(far):
    """R11, R13."""
    with far.connect() as stalled:
        stalled.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        far.ask(f"/big?bytes={64 * MIB}", stalled)
        wait_until(lambda: far.metric("adit_gateway_buffered_bytes{") > 0, "bytes wait for the visitor")
        assert far.download(True, 4 * MIB) > 0
    wait_until(lambda: far.metric("adit_gateway_buffered_bytes{") == 0, "nobody waits any more")
    wait_until(lambda: far.metric("adit_gateway_window_growth_bytes{") == 0, "idle streams give their growth back")


@pytest.mark.parametrize("far", [FAR], indirect=True)
def test_a_download_that_is_given_up_leaves_the_link_in_order(far):
    for _ in range(5):
        with far.connect() as visitor:
            far.ask(f"/big?bytes={1 << 30}", visitor)
            for _ in range(100):
                assert visitor.recv(65536)
        assert far.serves()
    assert far.metric("adit_gateway_links{") == 1
