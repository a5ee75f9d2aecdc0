"""2. A chart that knows nothing of Adit gets class and annotation, and is served; a certificate that is renewed as cert-manager
does is shown within 5 s, and no connection is dropped."""
import asyncio
import http.client
import ssl
import subprocess
import threading
import time

import pytest
import websockets

import node
import pki
from helm import ROOT
from installation import Private
from kube import wait_until

HOST, SPACE = "existing.test", "private-two"
TUNNEL = {"apiVersion": "adit.dev/v1alpha1", "kind": "Tunnel", "metadata": {"name": "two", "namespace": SPACE},
          "spec": {"routes": [{"host": "chat." + HOST, "service": "chat"}], "tls": {"secretName": "existing-tls"}}}
INGRESS = {"enabled": True, "className": "adit", "annotations": {"adit.dev/tunnel": "two"},
           "hosts": [{"host": HOST, "paths": [{"path": "/", "pathType": "Prefix"}]}],
           "tls": [{"secretName": "existing-tls", "hosts": [HOST]}]}


class Kept:
    """One TLS connection by which requests follow each other, for as long as the block lasts. It is never opened anew."""

    def __init__(self, port, context):
        self.answers, self.problem, self._stop = 0, None, threading.Event()
        self._connection = http.client.HTTPSConnection(node.IP, port, timeout=10)
        plain = self._connection._create_connection((node.IP, port), 10)
        self._connection.sock = context.wrap_socket(plain, server_hostname=HOST)
        self._connection.auto_open = False
        self._thread = threading.Thread(target=self._ask)

    def _ask(self):
        try:
            while not self._stop.wait(0.05):
                self._connection.request("GET", "/kept", headers={"Host": HOST})
                answer = self._connection.getresponse()
                assert (answer.status, answer.read()) == (200, b"GET /kept")
                self.answers += 1
        except (OSError, http.client.HTTPException, AssertionError) as error:
            self.problem = error

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()


class Chat:
    """The same with one WebSocket."""

    def __init__(self, port, context):
        self.answers, self.problem, self._stop = 0, None, threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._talk(port, context)))

    async def _talk(self, port, context):
        try:
            async with websockets.connect(f"wss://chat.{HOST}:{port}/", host=node.IP, port=port, ssl=context) as chat:
                while not self._stop.is_set():
                    await chat.send("word")
                    assert await chat.recv() == "word"
                    self.answers += 1
                    await asyncio.sleep(0.05)
        except (OSError, websockets.WebSocketException, AssertionError) as error:
            self.problem = error

    __enter__, __exit__ = Kept.__enter__, Kept.__exit__


def serial(port):
    """Of the certificate that a new visitor is shown."""
    shown = subprocess.run(["openssl", "s_client", "-connect", f"{node.IP}:{port}", "-servername", HOST], input="",
                           capture_output=True, text=True, check=False).stdout
    return subprocess.run(["openssl", "x509", "-noout", "-serial"], input=shown, capture_output=True, text=True,
                          check=False).stdout.strip()


@pytest.fixture
def served(kube, helm, edge, tmp_path):
    """(authority, TLS context): the chart is installed, with its Ingress, and the connector beside it."""
    authority = pki.Authority(tmp_path)
    with kube.namespaces(SPACE):
        kube.apply(pki.tls_secret("existing-tls", *authority.issue(HOST, f"chat.{HOST}"), SPACE), TUNNEL)
        helm.install("shop", ROOT / "e2e/web-chart", SPACE, {"ingress": INGRESS})
        services = {"shop-web:80": "http://shop-web:80", "chat": "http://shop-web:81"}
        private = Private(kube, helm, SPACE, release="two", tunnel="two", values={"replicas": 1})
        private.take_credentials(SPACE, edge)
        helm.upgrade("two", "adit-connector", SPACE, {**private.values(), "services": services})
        context = ssl.create_default_context(cafile=authority.file)
        yield authority, context


def test_case_2_ingress_and_renewal(kube, edge, served):
    authority, context = served
    edge.serves("/x", HOST, 30)
    address = kube.get("ingress", "shop-web", SPACE)["status"]["loadBalancer"]["ingress"]
    assert address == [{"hostname": "edge.test"}]

    before = serial(edge.ports.https)
    with Kept(edge.ports.https, context) as one, Kept(edge.ports.https, context) as two, \
            Chat(edge.ports.https, context) as chat:
        wait_until(lambda: one.answers > 5 and two.answers > 5 and chat.answers > 5, "all three talk", 20)
        kube.apply(pki.tls_secret("existing-tls", *authority.issue(HOST, f"chat.{HOST}"), SPACE))
        renewed = time.monotonic()
        wait_until(lambda: serial(edge.ports.https) not in ("", before), "the new certificate is shown", 5)
        print(f"shown after {time.monotonic() - renewed:.1f} s")
        marks = [talk.answers for talk in (one, two, chat)]
        wait_until(lambda: all(talk.answers > mark + 10 for talk, mark in zip((one, two, chat), marks)), "all talk on", 20)
    assert [talk.problem for talk in (one, two, chat)] == [None] * 3


def test_case_2_other_classes_are_left_alone(kube, edge):
    with kube.namespaces("team-others"):
        rule = {"host": "others.test", "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": {
            "service": {"name": "web", "port": {"number": 80}}}}]}}
        kube.apply({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress",
                    "metadata": {"name": "others", "namespace": "team-others"},
                    "spec": {"ingressClassName": "nginx", "rules": [rule]}})
        mark = kube.get("ingress", "others", "team-others")["metadata"]["resourceVersion"]
        kube.apply({"apiVersion": "adit.dev/v1alpha1", "kind": "Tunnel", "metadata": {"name": "t", "namespace": "team-others"},
                    "spec": {"routes": [{"host": "after.test"}]}})
        wait_until(lambda: edge.get(host="after.test")[0] == 503, "what came later is in force", 20)
        assert edge.get(host="others.test")[0] == 404
        assert kube.get("ingress", "others", "team-others")["metadata"]["resourceVersion"] == mark
