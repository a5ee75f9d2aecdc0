"""Filters and TLS Secrets of a real API server on their way to a gateway; what gateways make of filters is tested in
tests/component."""
import visitor
from kube import tls_secret, tunnel
from programs import SANITIZED, wait_until

SOON = 20 if SANITIZED else 8
HASH = "$2b$10$qvmSQtX2GQyuprjKPwoNduSzdjGnH5w2qDxqlRrn52WMz2qThwx/a"

FILTERS = [
    {"type": "IPAllowList", "ipAllowList": {"cidrs": ["127.0.0.0/8", "::1/128"]}},
    {"type": "BasicAuth", "basicAuth": {"secretName": "staff"}},
    {"type": "RequestBodySize", "requestBodySize": {"max": "10Mi"}},
    {"type": "URLRewrite", "urlRewrite": {"hostname": "localhost",
                                          "path": {"type": "ReplacePrefixMatch", "replacePrefixMatch": "/v2"}}},
    {"type": "RequestHeaderModifier", "requestHeaderModifier": {"set": [{"name": "X-Tenant", "value": "shop"}]}},
    {"type": "ResponseHeaderModifier", "responseHeaderModifier": {"remove": ["Server"]}},
]


def logins(space, text):
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "staff", "namespace": space},
            "stringData": {"auth": text}}


def test_a_tunnel_with_filters_is_in_force(plane, kube, origin):
    space = plane.spaces[0]
    plane.start_operator()
    gateway = plane.start_gateway()
    kube.apply(tunnel("shop", space, routes=[
        {"host": "shop.test"},
        {"host": "shop.test", "path": "/api", "filters": FILTERS},
        {"host": "old.test", "filters": [{"type": "RequestRedirect", "requestRedirect": {"hostname": "shop.test"}}]},
        {"host": "[2001:db8::1]"}],
        limits={"connections": 100, "requestsPerSecond": 0}, offlinePage={"html": "<p>Back soon"}))
    plane.start_connector("shop", origin.url)
    field = r"spec.routes[1].filters[1].basicAuth.secretName: Secret " + space + "/staff "
    kube.wait_condition(f"False SecretNotFound: {field}does not exist: nobody can log in", "shop", space, "ResolvedRefs")
    kube.wait_condition("True Programmed", "shop", space, "Programmed")
    kube.apply(logins(space, f"ann:{HASH}\nbob:a-password\n"))
    kube.wait_condition(f"False SecretInvalid: {field}has line 2 of auth", "shop", space, "ResolvedRefs")
    assert "a-password" not in kube.condition("shop", space, "ResolvedRefs")
    kube.apply(logins(space, f"ann:{HASH}\n"))
    kube.wait_condition("True Ready", "shop", space)
    assert kube.tunnel("shop", space)["status"]["hosts"] == ["[2001:db8::1]", "old.test", "shop.test"]
    assert plane.answers(gateway) == 200
    kube.delete("secret", "staff", space)
    assert kube.wait_condition("False SecretNotFound", "shop", space) < SOON


def test_a_tls_secret_that_turns_bad_takes_nothing_away(plane, kube, origin, authority):
    space = plane.spaces[0]
    operator = plane.start_operator()
    gateway = plane.start_gateway()
    kube.apply(tls_secret("shop-tls", space, *authority.issue("shop.test")))
    kube.apply(tunnel("shop", space, "shop.test", tls={"secretName": "shop-tls"}))
    plane.start_connector("shop", origin.url)
    kube.wait_condition("True Ready", "shop", space)
    context = visitor.trusting(authority.file)

    def serial():
        with visitor.Raw(gateway.https, context) as connection:
            return connection.socket.getpeercert()["serialNumber"]

    first = serial()
    chain, _ = authority.issue("shop.test")
    _, key = authority.issue("other.test")
    kube.apply(tls_secret("shop-tls", space, chain, key))
    said = f"False SecretInvalid: spec.tls.secretName: Secret {space}/shop-tls has a tls.key that does not belong"
    kube.wait_condition(said, "shop", space, "ResolvedRefs")
    assert "its former key pair stays in service" in kube.condition("shop", space, "ResolvedRefs")
    assert serial() == first
    # A new leader does not know the former key pair; the gateway does.
    operator.stop()
    second = plane.start_operator(name="operator-2", control=operator.control)
    kube.wait_condition("False Pending: waits until the TLS Secret can be used", "shop", space, "Programmed")
    wait_until(lambda: plane.metric(second.admin, "adit_operator_gateways_current") == 1.0, "the gateway is linked again")
    assert serial() == first and plane.answers(gateway) == 200
    kube.apply(tls_secret("shop-tls", space, *authority.issue("shop.test")))
    kube.wait_condition("True Ready", "shop", space)
    assert serial() != first
