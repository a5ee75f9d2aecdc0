"""Each rule of the schema refuses what it should, and says what to do about it."""
import copy

import pytest

from api import tunnel

ID = "4d21094e-b74c-4916-86c1-d9fa36ea677b"
OTHER_ID = "7d2b6d5e-3f0c-4a3d-9b1e-0c6f3a5b8e11"
LABEL = "a" * 63
LONGEST_HOST = ".".join([LABEL, LABEL, LABEL, "a" * 61])


def host(text):
    return {"routes": [{"host": text}]}


def path(text):
    return {"routes": [{"host": "a.example", "path": text}]}


def route(**more):
    return {"routes": [{"host": "a.example", **more}]}


def with_route(**more):
    return {"routes": [{"host": "a.example"}], **more}


def port(**more):
    return with_route(ports=[{"name": "ssh", "protocol": "TCP", "port": 22, **more}])


def ports(*entries):
    return with_route(ports=[{"name": n, "protocol": p, "port": number} for n, p, number in entries])


def tokens(*names):
    return with_route(connectorTokens=[{"secretName": name} for name in names])


HOST_FORM = 'must be a host name in lower case, such as "shop.example.com"'
NUMBER = "ends in a number, so it would have to be an IPv4 address"
IPV6_FORM = "must be an IPv6 address in brackets in its shortest form"
PATH_FORM = "other characters percent-encoded in upper case"
SERVICE_FORM = "must be a name that connectors offer"
SECRET_FORM = "must be the name of a Secret in the Tunnel's namespace"
TIME_FORM = "must be a whole number with a unit"

REFUSED = [
    # The whole
    ("no spec", None, "spec: Required value"),
    ("no routes and no ports", {}, "spec.routes: Required value: needs at least one entry, such as {host: shop.example.com}"),
    ("empty routes", {"routes": []}, "needs at least one entry"),
    ("empty routes and ports", {"routes": [], "ports": []}, "needs at least one entry"),
    ("unknown field", with_route(route=[]), 'unknown field "spec.route"'),
    ("unknown field of a route", route(paths="/"), 'unknown field "spec.routes[0].paths"'),
    # Hosts
    ("no host", {"routes": [{"path": "/"}]}, "spec.routes[0].host: Required value"),
    ("empty host", host(""), HOST_FORM),
    ("upper case", host("Shop.example.com"), HOST_FORM),
    ("final dot", host("a.example."), HOST_FORM),
    ("two dots", host("a..example"), HOST_FORM),
    ("first dot", host(".example"), HOST_FORM),
    ("scheme", host("https://a.example"), HOST_FORM),
    ("port in host", host("a.example:80"), HOST_FORM),
    ("path in host", host("a.example/api"), HOST_FORM),
    ("underscore", host("a_b.example"), HOST_FORM),
    ("space", host("a b.example"), HOST_FORM),
    ("line break", host("a.example\n"), HOST_FORM),
    ("no ASCII", host("müller.example"), HOST_FORM),
    ("hyphen at the end", host("a-.example"), HOST_FORM),
    ("hyphen at the beginning", host("-a.example"), HOST_FORM),
    ("label of 64", host("a" * 64 + ".example"), HOST_FORM),
    ("wildcard inside", host("a.*.example"), HOST_FORM),
    ("half a wildcard", host("a*.example"), HOST_FORM),
    ("two wildcards", host("*.*.example"), HOST_FORM),
    ("wildcard of nothing", host("*."), HOST_FORM),
    ("host of 254", host(LONGEST_HOST + "a"), "may not be more than 253"),
    ("IPv4 address in hex", host("0xc0000207"), NUMBER),
    ("ends in a number", host("a.5"), NUMBER),
    ("wildcard over a number", host("*.5"), NUMBER),
    ("IPv4 address with leading zeros", host("192.0.2.07"), NUMBER),
    ("IPv6 address without brackets", host("2001:db8::1"), HOST_FORM),
    ("IPv6 address in upper case", host("[2001:DB8::1]"), IPV6_FORM),
    ("IPv6 address in a long form", host("[2001:db8:0::1]"), IPV6_FORM),
    ("IPv6 address with a port", host("[2001:db8::1]:80"), IPV6_FORM),
    ("IPv6 address with a zone", host("[fe80::1%eth0]"), IPV6_FORM),
    ("IPv4-mapped address", host("[::ffff:192.0.2.7]"), IPV6_FORM),
    ("IPv4 address in brackets", host("[192.0.2.7]"), IPV6_FORM),
    ("bracket alone", host("["), IPV6_FORM),
    # Paths
    ("relative path", path("api"), 'must begin with "/"'),
    ("empty path", path(""), 'must begin with "/"'),
    ("final slash", path("/api/"), 'must not end with "/" nor hold "//"'),
    ("empty segment", path("/a//b"), 'must not end with "/" nor hold "//"'),
    ("two slashes", path("//"), 'must not end with "/" nor hold "//"'),
    ("dot segment", path("/a/./b"), 'must not hold the segments "." and ".."'),
    ("two dots as segment", path("/../a"), 'must not hold the segments "." and ".."'),
    ("dot at the end", path("/a/.."), 'must not hold the segments "." and ".."'),
    ("query", path("/a?b"), PATH_FORM),
    ("fragment", path("/a#b"), PATH_FORM),
    ("space in path", path("/a b"), PATH_FORM),
    ("encoding in lower case", path("/a%2fb"), PATH_FORM),
    ("encoded letter", path("/%61"), PATH_FORM),
    ("encoded dot", path("/a%2Eb"), PATH_FORM),
    ("encoded tilde", path("/%7E"), PATH_FORM),
    ("broken encoding", path("/%zz"), PATH_FORM),
    ("half an encoding", path("/a%2"), PATH_FORM),
    ("path with no ASCII", path("/ü"), PATH_FORM),
    ("path of 1025", path("/" + "a" * 1024), "may not be more than 1024"),
    # The rest of a route
    ("empty service", route(service=""), SERVICE_FORM),
    ("slash in service", route(service="a/b"), SERVICE_FORM),
    ("service begins with a dot", route(service=".a"), SERVICE_FORM),
    ("service of 254", route(service="a" * 254), "may not be more than 253"),
    ("visibility", route(visibility="private"), 'supported values: "Public", "Private"'),
    ("same route twice", {"routes": [{"host": "a.example", "path": "/"}, {"host": "a.example"}]},
     "spec.routes[1]: Duplicate value"),
    ("1001 routes", {"routes": [{"host": f"h{i}.example"} for i in range(1001)]}, "must have at most 1000 items"),
    # Id
    ("id", with_route(id="shop"), "spec.id: Invalid value: \"shop\": must be a UUID in lower case, such as 4d21094e"),
    ("id in upper case", with_route(id=ID.upper()), "must be a UUID in lower case"),
    ("Nil UUID", with_route(id="00000000-0000-0000-0000-000000000000"), "make one with uuidgen, or leave id out"),
    # TLS
    ("mode", with_route(tls={"mode": "terminate"}), 'supported values: "Terminate", "Passthrough"'),
    ("Passthrough with a certificate", with_route(tls={"mode": "Passthrough", "secretName": "a"}),
     "must be without secretName where mode is Passthrough"),
    ("Passthrough with a path", {**path("/a"), "tls": {"mode": "Passthrough"}},
     "spec.routes: Invalid value: must be without path where tls.mode is Passthrough"),
    ("certificate", with_route(tls={"secretName": "a/b"}), SECRET_FORM),
    ("certificate in upper case", with_route(tls={"secretName": "A"}), SECRET_FORM),
    # Tokens
    ("token without a name", with_route(connectorTokens=[{}]), "spec.connectorTokens[0].secretName: Required value"),
    ("token's name", tokens("a_b"), SECRET_FORM),
    ("same token twice", tokens("a", "a"), "spec.connectorTokens[1]: Duplicate value"),
    ("17 tokens", tokens(*(f"t{i}" for i in range(17))), "must have at most 16 items"),
    # Ports
    ("port 0", port(port=0), "spec.ports[0].port: Invalid value: 0"),
    ("port 65536", port(port=65536), "spec.ports[0].port: Invalid value: 65536"),
    ("protocol", port(protocol="SCTP"), 'supported values: "TCP", "UDP"'),
    ("port's name", port(name="Ssh"), "must be of lower-case letters, digits and inner hyphens"),
    ("port's service", port(service="a b"), SERVICE_FORM),
    ("idle timeout without a unit", port(idleTimeout="60"), TIME_FORM),
    ("idle timeout of nothing", port(idleTimeout="0s"), TIME_FORM),
    ("no port number", with_route(ports=[{"name": "a", "protocol": "TCP"}]), "spec.ports[0].port: Required value"),
    ("same port name", ports(("a", "TCP", 1), ("a", "UDP", 2)), "spec.ports[1]: Duplicate value"),
    ("same port", ports(("a", "TCP", 1), ("b", "TCP", 1)), "must not name the same protocol and port twice"),
    ("65 ports", ports(*((f"p{i}", "TCP", i + 1) for i in range(65))), "must have at most 64 items"),
    # Limits and the PROXY protocol
    ("connections", with_route(limits={"connections": -1}), "spec.limits.connections: Invalid value: -1"),
    ("requests", with_route(limits={"requestsPerSecond": 1.5}), "spec.limits.requestsPerSecond"),
    ("PROXY protocol", with_route(proxyProtocol="V1"), 'supported values: "V2"'),
]

ACCEPTED = [
    ("host alone", host("a.example")),
    ("single label", host("localhost")),
    ("wildcard", host("*.example.com")),
    ("wildcard of one label", host("*.com")),
    ("any host", host("*")),
    ("IPv4 address", host("192.0.2.7")),
    ("IPv6 address", host("[2001:db8::1]")),
    ("loopback", host("[::1]")),
    ("A-label", host("xn--mller-kva.example")),
    ("digits that are no address", host("1.2.3.4a")),
    ("label of 63", host(LABEL + ".example")),
    ("host of 253", host(LONGEST_HOST)),
    ("root", path("/")),
    ("dots in segments", path("/.well-known/a..b/...")),
    ("every character", path("/-._~!$&'()*+,;=:@")),
    ("encodings", path("/%20%2F%25%C3%BC")),
    ("path of 1024", path("/" + "a" * 1023)),
    ("service of a port", route(service="api:8080")),
    ("1000 routes", {"routes": [{"host": f"h{i}.example", "path": "/a/b/c", "service": "s"} for i in range(1000)]}),
    ("1000 paths", {"routes": [{"host": "a.example", "path": f"/p/{i}"} for i in range(1000)]}),
    ("ports alone", {"ports": [{"name": "ssh", "protocol": "TCP", "port": 22}]}),
    ("one port, two protocols", ports(("a", "TCP", 1), ("b", "UDP", 1))),
    ("64 ports", ports(*((f"p{i}", "TCP", i + 1) for i in range(64)))),
    ("Passthrough", with_route(tls={"mode": "Passthrough"})),
    ("empty tls", with_route(tls={})),
    ("16 tokens", tokens(*(f"t{i}" for i in range(16)))),
    ("long name of a Secret", tokens("a" * 253)),
    ("idle timeouts", port(idleTimeout="250ms")),
]

# (before, after, a part of the message; "" when it is accepted)
CHANGES = [
    ("id added", with_route(), with_route(id=ID), "spec.id: Forbidden: is immutable, and can be neither added nor removed"),
    ("id removed", with_route(id=ID), with_route(), "spec.id: Forbidden: is immutable"),
    ("id changed", with_route(id=ID), with_route(id=OTHER_ID), "delete the Tunnel and create it anew"),
    ("id kept", with_route(id=ID), {**host("b.example"), "id": ID}, ""),
    ("no id kept", with_route(), host("b.example"), ""),
]


@pytest.mark.parametrize("spec, reason", [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED])
def test_refused(api, spec, reason):
    case = tunnel(spec)
    if spec is None:
        del case["spec"]
    answer = api.try_create(case)
    assert not answer.accepted
    assert reason in answer.message


@pytest.mark.parametrize("spec", [case[1] for case in ACCEPTED], ids=[case[0] for case in ACCEPTED])
def test_accepted(api, spec):
    answer = api.try_create(tunnel(spec))
    assert answer.accepted, answer.message


@pytest.mark.parametrize("length, accepted", [(243, True), (244, False)])
def test_room_for_the_name_of_the_connectors_secret(api, length, accepted):
    answer = api.try_create(tunnel(with_route(), name="a" * length))
    assert answer.accepted == accepted
    assert accepted or "must be at most 243 characters long, since the Secret" in answer.message


@pytest.mark.parametrize("number", range(len(CHANGES)), ids=[case[0] for case in CHANGES])
def test_change(api, stored, number):
    _, before, after, reason = CHANGES[number]
    changed = copy.deepcopy(stored(f"change-{number}", before))
    changed["spec"] = after
    answer = api.try_replace(changed)
    assert answer.accepted == (reason == "")
    assert reason in answer.message


def test_defaults(api):
    answer = api.try_create(tunnel({**host("a.example"), "tls": {}}))
    assert answer.body["spec"] == {
        "routes": [{"host": "a.example", "path": "/", "service": "default", "visibility": "Public"}],
        "tls": {"mode": "Terminate", "redirectHTTP": False}}
