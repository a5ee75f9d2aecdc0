"""What routes and tunnels do beside routing: filters, limits, redirects, pages of their own; as manifests say."""
import base64
import concurrent.futures
import warnings

import pytest

import visitor
from edge import ROUTES, documents, token_secret, tunnel_manifest
from programs import wait_until

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    import crypt


def route(filters="", host="shop.test", path="/", more=""):
    text = f"  - host: {host}\n    path: {path}\n"
    return text + (f"    filters:\n{filters}" if filters else "") + more


def write(edge, routes, *more, spec=""):
    edge.write("shop.yaml", documents(tunnel_manifest(routes=routes) + spec, token_secret(), *more))


def served(edge, origin, routes, *more, spec="", gateway=()):
    write(edge, routes, *more, spec=spec)
    edge.start(origin.url, gateway=gateway)


def test_headers_are_set_added_and_removed_both_ways(edge, origin):
    served(edge, origin, route("""\
    - type: RequestHeaderModifier
      requestHeaderModifier:
        set: [{name: X-Team, value: a}]
        add: [{name: X-List, value: two}]
        remove: [Cookie]
    - type: ResponseHeaderModifier
      responseHeaderModifier:
        set: [{name: Cache-Control, value: no-store}]
        remove: [Content-Type]
"""))
    answer = edge.get("/", fields={"X-Team": "b", "X-List": "one", "Cookie": "c=d"})
    seen = origin.requests[-1]
    assert seen.field("x-team") == "a" and seen.field("cookie") is None
    assert [value for name, value in seen.fields if name == "X-List"] == ["one", "two"]
    assert answer.field("Cache-Control") == "no-store" and answer.field("Content-Type") is None


def test_rewritten_hosts_and_paths(edge, origin):
    served(edge, origin, route("""\
    - type: URLRewrite
      urlRewrite: {hostname: "localhost", path: {type: ReplacePrefixMatch, replacePrefixMatch: /inside}}
""", path="/app"))
    assert edge.get("/app/a%20b?c=d").status == 200
    seen = origin.requests[-1]
    assert seen.target == "/inside/a%20b?c=d" and seen.field("host") == "localhost"
    assert seen.field("x-forwarded-host") == "shop.test"


def test_redirects(edge, origin):
    served(edge, origin, route("""\
    - type: RequestRedirect
      requestRedirect: {scheme: https, hostname: new.test, statusCode: 301}
"""))
    answer = edge.get("/a?b")
    assert (answer.status, answer.field("Location")) == (301, "https://new.test/a?b")
    assert not origin.requests


def test_http_becomes_https(edge, origin):
    edge.write_tls("shop.test")
    write(edge, ROUTES, spec="  tls: {secretName: shop-tls, redirectHTTP: true}\n")
    edge.start(origin.url)
    for host, location in (("shop.test", "https://shop.test/a?b"),
                           (f"shop.test:{edge.http}", f"https://shop.test:{edge.https}/a?b")):
        answer = edge.get("/a?b", host=host)
        assert (answer.status, answer.field("Location")) == (308, location)
    assert edge.curl("-o", "/dev/null", "-w", "%{http_code}", edge.url(https=True), https=True) == b"200"


def test_S1_C10_allowed_addresses_behind_a_trusted_proxy(edge, origin):
    served(edge, origin, route("    - {type: IPAllowList, ipAllowList: {cidrs: [192.0.2.0/24]}}\n"),
           gateway=("--trusted-proxies", "127.0.0.0/8"))
    assert edge.get("/").status == 403
    assert edge.get("/", fields={"X-Forwarded-For": "192.0.2.7"}).status == 200
    seen = origin.requests[-1]
    assert seen.field("x-forwarded-for") == "192.0.2.7, 127.0.0.1"
    assert edge.get("/", fields={"X-Forwarded-For": "192.0.2.7, 203.0.113.1"}).status == 403
    lines = edge.wait_access_log(3)  # each worker writes its own
    assert sorted((line["status"], line["visitor"]) for line in lines) == \
        [(200, "192.0.2.7"), (403, "127.0.0.1"), (403, "203.0.113.1")]


def test_passwords(edge, origin):
    hashes = "".join(f"{user}:{crypt.crypt(password, crypt.mksalt(crypt.METHOD_BLOWFISH, rounds=1 << 6))}\n"
                     for user, password in (("ann", "secret"), ("bob", "p:w")))
    secret = ("apiVersion: v1\nkind: Secret\nmetadata: {name: logins}\ntype: Opaque\n"
              f"data: {{auth: {base64.b64encode(hashes.encode()).decode()}}}\n")
    served(edge, origin, route("    - {type: BasicAuth, basicAuth: {secretName: logins, realm: staff}}\n"), secret)

    def status(user, password):
        value = base64.b64encode(f"{user}:{password}".encode()).decode()
        return edge.get("/", fields={"Authorization": f"Basic {value}"}).status
    answer = edge.get("/")
    assert answer.status == 401 and 'realm="staff"' in answer.field("WWW-Authenticate")
    assert [status(*login) for login in (("ann", "secret"), ("bob", "p:w"), ("ann", "p:w"), ("eve", "secret"))] == \
        [200, 200, 401, 401]
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        assert set(pool.map(lambda i: status("ann", "secret"), range(64))) == {200}
    write(edge, route("    - {type: BasicAuth, basicAuth: {secretName: logins, realm: staff}}\n"))
    wait_until(lambda: status("ann", "secret") == 401, "without its Secret nobody gets in")


def test_body_size(edge, origin):
    served(edge, origin, route("    - {type: RequestBodySize, requestBodySize: {max: 1Ki}}\n"))
    assert edge.get("/", method="POST", body=b"x" * 1024).status == 200
    count = len(origin.requests)
    assert edge.get("/", method="POST", body=b"x" * 1025).status == 413
    assert len(origin.requests) == count
    with edge.raw() as raw:
        raw.send("POST / HTTP/1.1\r\nHost: shop.test\r\nTransfer-Encoding: chunked\r\n\r\n401\r\n" + "x" * 1025 + "\r\n")
        assert raw.read_all().startswith(b"HTTP/1.1 413 ")


def test_requests_per_second(edge, origin):
    served(edge, origin, ROUTES, spec="  limits: {requestsPerSecond: 20}\n")
    answers = [edge.get("/") for _ in range(60)]
    refused = [answer for answer in answers if answer.status != 200]
    assert refused and {answer.status for answer in refused} == {429}
    assert all(answer.field("Retry-After") == "1" for answer in refused)
    edge.wait_status(200)


def test_requests_at_once(edge, origin):
    served(edge, origin, ROUTES, spec="  limits: {connections: 2}\n")
    with edge.raw() as first, edge.raw() as second:
        for raw in (first, second):
            raw.send("GET /hold HTTP/1.1\r\nHost: shop.test\r\n\r\n")
        wait_until(lambda: sum(r.target == "/hold" for r in origin.requests) == 2, "both are held")
        answer = edge.get("/")
        assert answer.status == 503 and answer.field("Retry-After") == "1"
        origin.let_go()
    edge.wait_status(200)  # the places are free again


def test_connections_per_address(edge, origin):
    served(edge, origin, ROUTES, gateway=("--max-connections-per-address", "3"))
    held = [edge.raw() for _ in range(3)]
    for raw in held:
        raw.send("GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n")
        raw.read_until(b"\r\n\r\n")
    with edge.raw() as refused:
        assert refused.read_all().startswith(b"HTTP/1.1 429 ")
    held.pop().socket.close()
    edge.wait_status(200)
    assert edge.metrics()["adit_gateway_connections_refused_total"] >= 1
    for raw in held:
        raw.socket.close()


@pytest.mark.parametrize("accept, kind, text", [
    (None, "text/html; charset=utf-8", b"<h1>Back soon</h1>"),
    ("text/html,*/*;q=0.8", "text/html; charset=utf-8", b"<h1>Back soon</h1>"),
    ("application/json", "application/problem+json", b'"status":503'),
])
def test_a_page_of_ones_own_while_nobody_is_there(edge, accept, kind, text):
    write(edge, ROUTES, spec="  offlinePage: {html: '<h1>Back soon</h1>'}\n")
    edge.start_gateway()
    answer = edge.get("/", fields={"Accept": accept} if accept else {})
    assert answer.status == 503 and answer.field("Content-Type") == kind and text in answer.body
    assert answer.field("X-Request-Id") and answer.field("Retry-After") == "1"


def test_paths_that_leave_their_prefix_reach_nobody(edge, origin):
    served(edge, origin, route(path="/public"))
    for path in ("/public/../private", "/public/%2e%2e/private", "/public/..%2fprivate", "/public/%2e%2e%2fprivate",
                 "/public/..%5cprivate", "/public/x/../../private"):
        with visitor.Raw(edge.http) as raw:
            raw.send(f"GET {path} HTTP/1.1\r\nHost: shop.test\r\nConnection: close\r\n\r\n")
            assert raw.read_all().split(b" ")[1] in (b"400", b"404"), path
    assert not origin.requests
    assert edge.get("/public/a/../b").status == 200
    assert origin.requests[-1].target == "/public/a/../b"


def test_first_event_of_a_stream_is_not_held_back(edge, origin):
    served(edge, origin, ROUTES)
    for method in ("GET", "POST"):
        with edge.raw() as raw:
            raw.send(f"{method} /sse HTTP/1.1\r\nHost: shop.test\r\nContent-Length: 0\r\n\r\n")
            raw.read_until(b"data: one\n\n")  # the service writes nothing more before it is told to
