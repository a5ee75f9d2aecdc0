"""Tunnels of a real API server: what users apply, see and get."""
import time

import pytest

import visitor
from kube import tls_secret, tunnel
from programs import SANITIZED, free_port, wait_until

# "Within two seconds" on a machine that runs other tests besides, and kubectl takes a part of that itself.
SOON = 20 if SANITIZED else 8

FIVE_LINES = """
apiVersion: adit.dev/v1alpha1
kind: Tunnel
metadata: {{name: shop, namespace: {space}}}
spec:
  routes: [{{host: shop.test}}]
"""


def test_five_lines_and_the_truth_at_each_step(plane, kube, origin):
    space = plane.spaces[0]
    plane.start_operator()
    kube.apply(FIVE_LINES.format(space=space))
    kube.wait_condition("False NoGateway", "shop", space)
    gateway = plane.start_gateway()
    kube.wait_condition("False NoConnector", "shop", space)
    assert plane.answers(gateway) == 503
    connector = plane.start_connector("shop", origin.url)
    kube.wait_condition("True Ready", "shop", space)
    assert plane.get(gateway).status == 200
    status = kube.tunnel("shop", space)["status"]
    assert status["connectors"] == 1 and status["hosts"] == ["shop.test"]
    assert status["addresses"] == [{"value": "edge.test"}]
    assert status["id"] == kube.tunnel("shop", space)["metadata"]["uid"]
    shown = kube.run("get", "tunnels", "-n", space).split()
    assert {"True", "1", "edge.test"} <= set(shown)

    connector.kill()
    assert kube.wait_condition("False NoConnector", "shop", space) < SOON
    again = plane.start_connector("shop", origin.url, name="connector-2")
    kube.wait_condition("True Ready", "shop", space)
    gateway.program.kill()
    assert kube.wait_condition("False NoGateway", "shop", space) < SOON
    plane.start_gateway(name="gateway-2", gateway=gateway)
    kube.wait_condition("True Ready", "shop", space)
    assert plane.get(gateway).status == 200
    assert ("Normal", "Ready") in kube.events(space, "shop") and ("Warning", "NoConnector") in kube.events(space, "shop")

    kube.delete("tunnel", "shop", space)
    wait_until(lambda: plane.answers(gateway) == 404, "the route is gone")
    wait_until(lambda: not kube.secret("shop-connector", space), "the owned Secret is gone", 60)
    again.kill()


def test_a_changed_spec_is_live_and_observed(plane, kube, origin):
    space = plane.spaces[0]
    _, gateway, _ = plane.start(origin.url)
    kube.apply(tunnel("shop", space, "shop.test", "new.test"))
    assert wait_until(lambda: plane.answers(gateway, host="new.test") == 200, "new.test is served") < SOON
    kube.wait_condition("True Ready", "shop", space)
    assert kube.tunnel("shop", space)["status"]["hosts"] == ["new.test", "shop.test"]
    kube.apply(tunnel("shop", space, "new.test"))
    wait_until(lambda: plane.answers(gateway) == 404, "shop.test is gone")


def test_a_service_that_no_connector_offers(plane, kube, origin):
    space = plane.spaces[0]
    plane.start_operator()
    gateway = plane.start_gateway()
    kube.apply(tunnel("shop", space, "shop.test", routes=[{"host": "shop.test"}, {"host": "shop.test", "path": "/api",
                                                                                  "service": "api"}]))
    plane.start_connector("shop", origin.url)
    kube.wait_condition("False ServiceNotOffered: no connector offers the service api", "shop", space)
    assert plane.answers(gateway) == 200 and plane.answers(gateway, "/api") == 503


def test_certificates_come_change_and_are_missed(plane, kube, origin, authority):
    space = plane.spaces[0]
    plane.start_operator()
    gateway = plane.start_gateway()
    kube.apply(tunnel("shop", space, "shop.test", tls={"mode": "Terminate", "secretName": "shop-tls"}))
    plane.start_connector("shop", origin.url)
    kube.wait_condition(f"False SecretNotFound: spec.tls.secretName: Secret {space}/shop-tls", "shop", space,
                        "ResolvedRefs")
    context = visitor.trusting(authority.file)

    def serial():
        with visitor.Raw(gateway.https, context) as connection:
            return connection.socket.getpeercert()["serialNumber"]

    kube.apply(tls_secret("shop-tls", space, *authority.issue("shop.test")))
    kube.wait_condition("True Ready", "shop", space)
    first = serial()
    kube.apply(tls_secret("shop-tls", space, *authority.issue("shop.test")))
    assert wait_until(lambda: serial() != first, "the renewed certificate is served") < SOON
    kube.delete("secret", "shop-tls", space)
    kube.wait_condition("False SecretNotFound", "shop", space, "ResolvedRefs")


def test_a_token_is_rotated_and_revoked(plane, kube, origin):
    space = plane.spaces[0]
    plane.start_operator("--token-overlap", "1h")
    gateway = plane.start_gateway()
    kube.apply(tunnel("shop", space, "shop.test"))
    old = plane.start_connector("shop", origin.url, name="old")
    kube.wait_condition("True Ready", "shop", space)
    first = kube.secret("shop-connector", space)["token"]
    kube.run("annotate", "tunnel", "shop", "-n", space, "adit.dev/rotate-token=now")
    wait_until(lambda: kube.secret("shop-connector", space)["token"] != first, "there is a new token")
    assert kube.secret("shop-connector", space)["previous-token"] == first
    plane.start_connector("shop", origin.url, name="new")
    wait_until(lambda: kube.tunnel("shop", space)["status"]["connectors"] == 2, "both tokens count")
    second = kube.secret("shop-connector", space)["token"]
    time.sleep(1)
    assert kube.secret("shop-connector", space)["token"] == second  # once for each value
    # Whoever deletes the Secret revokes: a new one comes, and links of the old tokens end.
    kube.delete("secret", "shop-connector", space)
    assert kube.wait_condition("False NoConnector", "shop", space) < SOON
    assert plane.answers(gateway) == 503
    wait_until(lambda: kube.secret("shop-connector", space), "a new Secret")
    assert kube.secret("shop-connector", space)["token"] not in (first, second)
    wait_until(lambda: plane.page("/readyz", old.admin)[0] == 503, "the old connector knows that it is out")


def test_hosts_are_held_lost_and_taken_over(plane, kube, origin):
    a, b = plane.spaces
    _, gateway, _ = plane.start(origin.url)
    kube.apply(tunnel("thief", b, "shop.test"))
    kube.wait_condition("False HostConflict", "thief", b, "Accepted")
    assert f"{a}/shop" in kube.condition("thief", b, "Accepted")
    assert kube.condition("shop", a).startswith("True")
    kube.delete("tunnel", "shop", a)
    kube.wait_condition("True Accepted", "thief", b, "Accepted")
    wait_until(lambda: plane.answers(gateway) == 503, "the host is its own, whose connector has yet to come")


def test_what_this_version_cannot_do_is_told_and_the_good_generation_stays(plane, kube, origin):
    space = plane.spaces[0]
    _, gateway, _ = plane.start(origin.url)
    kube.apply(tunnel("shop", space, "other.test", ports=[{"name": "ssh", "protocol": "TCP", "port": 2222}]))
    kube.wait_condition("False Unsupported", "shop", space, "Accepted")
    assert plane.answers(gateway) == 200 and plane.answers(gateway, host="other.test") == 404


def test_somebody_elses_secret_is_never_written(plane, kube, origin):
    space = plane.spaces[0]
    token = "a-token-that-the-user-made-0123456789"
    kube.apply({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "shop-connector", "namespace": space},
                "stringData": {"token": token}})
    before = kube.get("secret", "shop-connector", space)
    plane.start_operator()
    kube.apply(tunnel("shop", space, "shop.test"))
    kube.wait_condition("True ResolvedRefs", "shop", space, "ResolvedRefs")
    assert kube.get("secret", "shop-connector", space) == before


@pytest.mark.parametrize("operator_up", [True, False])
def test_namespace_deletion_hangs_nothing(plane, kube, origin, operator_up):
    space = plane.spaces[0]
    operator, gateway, _ = plane.start(origin.url)
    if not operator_up:
        operator.stop()
    kube.run("delete", "namespace", space, "--timeout=60s")
    if not operator_up:
        plane.start_operator(name="operator-2")
        # The gateway knows one address only, where nobody listens any more: a new one is a new gateway.
        gateway = plane.start_gateway(name="gateway-2", link=free_port())
    wait_until(lambda: plane.answers(gateway) == 404, "the route is gone")


def test_hostile_objects(plane, kube, origin):
    space = plane.spaces[0]
    _, gateway, _ = plane.start(origin.url)
    with pytest.raises(AssertionError, match="must have at most 1000 items"):
        kube.apply(tunnel("wide", space, *(f"h{i}.wide.test" for i in range(4000))))
    kube.apply(tunnel("wide", space, *(f"h{i}.wide.test" for i in range(1000))))
    kube.wait_condition("True Accepted", "wide", space, "Accepted")
    wait_until(lambda: plane.answers(gateway, host="h999.wide.test") == 503, "the wide Tunnel is served")
    large = tunnel("large", space, "large.test")
    large["metadata"]["annotations"] = {"a": "x" * (1 << 20)}
    with pytest.raises(AssertionError, match="Too long: may not be more than 262144"):
        kube.apply(large)
    large["metadata"]["annotations"] = {f"a{i}": "x" * 60_000 for i in range(4)}
    kube.apply(large)
    kube.wait_condition("True Accepted", "large", space, "Accepted")
    odd = tunnel("odd", space, "odd.test")
    odd["metadata"]["annotations"] = {"adit.dev/rotate-token": "\u0001\u0007 \"{}[]\\ \U0001f600"}
    kube.apply(odd)
    kube.wait_condition("True Accepted", "odd", space, "Accepted")
    assert plane.answers(gateway) == 200
