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

ROLE = {"RequestHeaderModifier": {"remove": ["Cookie"]}, "ResponseHeaderModifier": {"remove": ["Server"]},
        "RequestRedirect": {"scheme": "https"}, "URLRewrite": {"hostname": "localhost"},
        "IPAllowList": {"cidrs": ["10.0.0.0/8"]}, "BasicAuth": {"secretName": "staff"},
        "RequestBodySize": {"max": "10Mi"}}


def member(kind):
    return {"URLRewrite": "urlRewrite", "IPAllowList": "ipAllowList"}.get(kind, kind[0].lower() + kind[1:])


def a_filter(kind, value=None):
    return {"type": kind, member(kind): ROLE[kind] if value is None else value}


def filters(*entries):
    return route(filters=list(entries))


def filtered(kind, **value):
    return filters(a_filter(kind, value))


def headers(**lists):
    return filtered("RequestHeaderModifier", **lists)


def written(name, value="a"):
    return headers(set=[{"name": name, "value": value}])


def new_path(kind, **value):
    return filtered(kind, path=value)


FULL, PREFIX = "ReplaceFullPath", "ReplacePrefixMatch"
OF_THE_EDGE = "is a field that the gateways write themselves"
SIZE_FORM = "must be a whole number of bytes, such as 1048576, 500k or 10Mi"
NETWORK_FORM = "must be a network such as 10.0.0.0/8"
ONE_HOST = 'must be one host name in lower case, such as "shop.example.com"'

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
    ("secretName and secretNames", with_route(tls={"secretName": "a", "secretNames": ["b", "c"]}),
     "spec.tls.secretNames: Invalid value: must be absent where there is secretName"),
    ("one of secretNames", with_route(tls={"secretNames": ["a"]}), "should have at least 2 items"),
    ("five secretNames", with_route(tls={"secretNames": list("abcde")}), "must have at most 4 items"),
    ("same of secretNames", with_route(tls={"secretNames": ["a", "a"]}), "spec.tls.secretNames[1]: Duplicate value"),
    ("wrong of secretNames", with_route(tls={"secretNames": ["a", "B"]}), SECRET_FORM),
    ("Passthrough with certificates", with_route(tls={"mode": "Passthrough", "secretNames": ["a", "b"]}),
     "must be without secretName where mode is Passthrough"),
    ("Passthrough with a redirect", with_route(tls={"mode": "Passthrough", "redirectHTTP": True}),
     "spec.tls.redirectHTTP: Invalid value: must be false where mode is Passthrough"),
    # Filters
    ("filter without a type", filters({"urlRewrite": {"hostname": "a"}}), "spec.routes[0].filters[0].type: Required value"),
    ("filter of an unknown type", filters({"type": "RequestMirror"}), 'Unsupported value: "RequestMirror"'),
    ("filter twice", filters(a_filter("BasicAuth"), a_filter("BasicAuth")), "spec.routes[0].filters[1]: Duplicate value"),
    ("redirect and rewrite", filters(a_filter("RequestRedirect"), a_filter("URLRewrite")),
     "must not hold both RequestRedirect and URLRewrite"),
    *((f"{kind} without its field", filters({"type": kind}), f"{member(kind)}: Invalid value: must be given where type is {kind}")
      for kind in ROLE),
    *((f"{kind} in a filter of another type", filters({**a_filter("RequestBodySize" if kind != "RequestBodySize" else "BasicAuth"),
                                                       member(kind): ROLE[kind]}),
       f"{member(kind)}: Invalid value: must be given where type is {kind}, and only there") for kind in ROLE),
    ("no change of headers", headers(), "needs at least one of set, add and remove"),
    ("header without a name", headers(set=[{"value": "a"}]), "set[0].name: Required value"),
    ("header without a value", headers(add=[{"name": "a"}]), "add[0].value: Required value"),
    ("header with a space", written("a b"), "should match"),
    ("header of 49", written("a" * 49), "may not be more than 48"),
    ("header without a value", written("a", ""), "should be at least 1 chars long"),
    ("header with a line break", written("a", "b\r\nc: d"), "should match"),
    ("header with a final space", written("a", "b "), "should match"),
    ("header of 4097", written("a", "b" * 4097), "may not be more than 4096"),
    ("header twice", headers(set=[{"name": "a", "value": "b"}, {"name": "a", "value": "c"}]), "set[1]: Duplicate value"),
    ("header removed twice", headers(remove=["a", "a"]), "remove[1]: Duplicate value"),
    ("17 headers", headers(remove=[f"h{i}" for i in range(17)]), "must have at most 16 items"),
    *((f"header {name}", headers(remove=[name]), OF_THE_EDGE)
      for name in ["Host", "host", "Connection", "Content-Length", "Transfer-Encoding", "TE", "Via", "X-Forwarded-For",
                   "x-forwarded-anything", "Forwarded", "X-Request-Id", "Expect", "Upgrade", "Keep-Alive", "Trailer"]),
    ("header set that is of the edge", written("Host"), OF_THE_EDGE),
    ("header of the edge in an answer", filtered("ResponseHeaderModifier", add=[{"name": "Via", "value": "a"}]), OF_THE_EDGE),
    ("redirect to nowhere", filtered("RequestRedirect", statusCode=301), "needs at least one of scheme, hostname, port and path"),
    ("redirect to a scheme", filtered("RequestRedirect", scheme="ftp"), 'supported values: "http", "https"'),
    ("redirect to a wildcard", filtered("RequestRedirect", hostname="*.example.com"), ONE_HOST),
    ("redirect to a port in the host", filtered("RequestRedirect", hostname="a:80"), ONE_HOST),
    ("redirect to an address", filtered("RequestRedirect", hostname="192.0.2.7"), "must be a name, not an IP address"),
    ("redirect to port 0", filtered("RequestRedirect", port=0), "requestRedirect.port: Invalid value: 0"),
    ("redirect with 304", filtered("RequestRedirect", scheme="https", statusCode=304), "Unsupported value: 304"),
    ("path without a type", new_path("RequestRedirect", replaceFullPath="/"), "path.type: Required value"),
    ("path of another type", new_path("RequestRedirect", type="Regex"), 'supported values: "ReplaceFullPath", "ReplacePrefixMatch"'),
    ("path that is not there", new_path("URLRewrite", type=FULL), f"path.replaceFullPath: Invalid value: must be given where type is {FULL}"),
    ("path of both kinds", new_path("URLRewrite", type=PREFIX, replacePrefixMatch="/a", replaceFullPath="/a"),
     "path.replaceFullPath: Invalid value: must be given where type is ReplaceFullPath, and only there"),
    ("relative new path", new_path("URLRewrite", type=PREFIX, replacePrefixMatch="a"), 'must begin with "/"'),
    ("new prefix with a final slash", new_path("URLRewrite", type=PREFIX, replacePrefixMatch="/a/"), 'must not end with "/"'),
    ("new path with two slashes", new_path("URLRewrite", type=FULL, replaceFullPath="//evil.example"), 'must not hold "//"'),
    ("new path with dots", new_path("RequestRedirect", type=FULL, replaceFullPath="/a/../b"), 'must not hold the segments "." and ".."'),
    ("new path with a query", new_path("RequestRedirect", type=FULL, replaceFullPath="/a?b"), "should match"),
    ("rewrite of nothing", filtered("URLRewrite"), "needs hostname or path"),
    ("rewrite with a scheme", filtered("URLRewrite", hostname="https://a"), ONE_HOST),
    ("no network", filtered("IPAllowList"), "cidrs: Required value"),
    ("no networks", filtered("IPAllowList", cidrs=[]), "should have at least 1 items"),
    ("33 networks", filtered("IPAllowList", cidrs=[f"10.0.{i}.0/24" for i in range(33)]), "must have at most 32 items"),
    ("name as a network", filtered("IPAllowList", cidrs=["intranet"]), NETWORK_FORM),
    ("address as a network", filtered("IPAllowList", cidrs=["192.0.2.7"]), NETWORK_FORM),
    ("prefix of 33", filtered("IPAllowList", cidrs=["10.0.0.0/33"]), NETWORK_FORM),
    ("login without a Secret", filtered("BasicAuth", realm="a"), "basicAuth.secretName: Required value"),
    ("login with a wrong Secret", filtered("BasicAuth", secretName="a/b"), SECRET_FORM),
    ("realm with a quote", filtered("BasicAuth", secretName="a", realm='a"b'), "should match"),
    ("no size", filtered("RequestBodySize"), "requestBodySize.max: Required value"),
    ("size with a wrong unit", filtered("RequestBodySize", max="10MB"), SIZE_FORM),
    ("size with a fraction", filtered("RequestBodySize", max="1.5Gi"), SIZE_FORM),
    ("negative size", filtered("RequestBodySize", max=-1), SIZE_FORM),
    ("too large a size", filtered("RequestBodySize", max="1000000Ti"), SIZE_FORM),
    ("much too large a size", filtered("RequestBodySize", max=1000000000000000), SIZE_FORM),
    # Offline page
    ("page as text", with_route(offlinePage="a"), "spec.offlinePage: Invalid value"),
    ("page of nothing", with_route(offlinePage={}), "spec.offlinePage.html: Required value"),
    ("empty page", with_route(offlinePage={"html": ""}), "should be at least 1 chars long"),
    ("page of 32769", with_route(offlinePage={"html": "a" * 32769}), "may not be more than 32768"),
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
    ("affinity without mode", with_route(affinity={}), "spec.affinity.mode: Required value"),
    ("affinity of another mode", with_route(affinity={"mode": "Header"}), 'spec.affinity.mode: Unsupported value: "Header"'),
    ("cookie of an address", with_route(affinity={"mode": "Address", "cookieName": "a"}), "must be given where mode is Cookie only"),
    ("age of an address", with_route(affinity={"mode": "Address", "maxAge": "1h"}), "must be given where mode is Cookie only"),
    ("cookie without name", with_route(affinity={"mode": "Cookie", "cookieName": ""}), "spec.affinity.cookieName"),
    ("cookie of two words", with_route(affinity={"mode": "Cookie", "cookieName": "a b"}), "must be of letters, digits and"),
    ("long name of a cookie", with_route(affinity={"mode": "Cookie", "cookieName": "a" * 65}), "may not be more than 64"),
    ("age in milliseconds", with_route(affinity={"mode": "Cookie", "maxAge": "1000ms"}), TIME_FORM),
    ("age 0", with_route(affinity={"mode": "Cookie", "maxAge": "0s"}), TIME_FORM),
    ("age of more than a year", with_route(affinity={"mode": "Cookie", "maxAge": "8785h"}), "must be 8784h (366 days) at most"),
    ("negative weight", route(weight=-1), "spec.routes[0].weight: Invalid value: -1"),
    ("weight 1001", route(weight=1001), "should be less than or equal to 1000"),
    ("half a weight", route(weight=0.5), "spec.routes[0].weight"),
    ("connections", with_route(limits={"connections": -1}), "spec.limits.connections: Invalid value: -1"),
    ("requests", with_route(limits={"requestsPerSecond": 1.5}), "spec.limits.requestsPerSecond"),
    ("many connections", with_route(limits={"connections": 1000001}), "should be less than or equal to 1000000"),
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
    ("every filter", filters(*(a_filter(kind) for kind in ROLE if kind != "URLRewrite"))),
    ("every other filter", filters(*(a_filter(kind) for kind in ROLE if kind != "RequestRedirect"))),
    ("headers", headers(set=[{"name": "X_a!#$%&'*+.^`|~-1", "value": "a b; c=\"d\" ü"}], add=[{"name": "a", "value": "b"}])),
    ("16 headers", headers(set=[{"name": f"h{i}", "value": "a" * 4096} for i in range(16)])),
    ("whole redirect", filtered("RequestRedirect", scheme="https", hostname="www.example.com", port=8443, statusCode=308,
                                path={"type": FULL, "replaceFullPath": "/a%20b/"})),
    ("prefix that goes away", new_path("URLRewrite", type=PREFIX, replacePrefixMatch="/")),
    ("networks", filtered("IPAllowList", cidrs=["0.0.0.0/0", "::/0", "192.0.2.7/32", "2001:db8::/32"])),
    ("sizes", filtered("RequestBodySize", max=0)),
    ("size as text", filtered("RequestBodySize", max="999999Ti")),
    ("large size", filtered("RequestBodySize", max=999999999999999)),
    ("certificates side by side", with_route(tls={"secretNames": ["ecdsa", "rsa"], "redirectHTTP": True})),
    ("limits", with_route(limits={"connections": 0, "requestsPerSecond": 1000000})),
    ("affinity by cookie", with_route(affinity={"mode": "Cookie"})),
    ("affinity with all", with_route(affinity={"mode": "Cookie", "cookieName": "__Host-a!#$%&'*+.^_`|~" + "a" * 42, "maxAge": "8784h"})),
    ("affinity by address", with_route(affinity={"mode": "Address"})),
    ("weight 0", route(weight=0)),
    ("weight 1000", route(weight=1000)),
    ("offline page", with_route(offlinePage={"html": "a" * 32768})),
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


def test_widest_tunnel(api):
    """A thousand routes with every filter are still validated within the API server's limits."""
    everything = [a_filter(kind) for kind in ROLE if kind != "URLRewrite"]
    answer = api.try_create(tunnel({"routes": [{"host": f"h{i}.example", "path": "/a/b", "filters": everything}
                                               for i in range(1000)]}))
    assert answer.accepted, answer.message


def test_defaults_of_filters(api):
    answer = api.try_create(tunnel(filters(a_filter("RequestRedirect"), a_filter("BasicAuth"))))
    redirect, login = answer.body["spec"]["routes"][0]["filters"]
    assert redirect["requestRedirect"] == {"scheme": "https", "statusCode": 302}
    assert login["basicAuth"] == {"secretName": "staff", "realm": "Restricted"}


def test_defaults(api):
    answer = api.try_create(tunnel({**host("a.example"), "tls": {}}))
    assert answer.body["spec"] == {
        "routes": [{"host": "a.example", "path": "/", "service": "default", "visibility": "Public"}],
        "tls": {"mode": "Terminate", "redirectHTTP": False}}
