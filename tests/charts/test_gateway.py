"""The gateways' part of charts/adit."""
import re

import pytest
from charts import ADIT, container, flags, objects, of_kind, one, template

DEFAULT = objects(ADIT)


def gateway(found=None):
    return one(DEFAULT if found is None else found, "Deployment", "adit-gateway")["spec"]


def test_no_gateway_is_missing_while_they_are_replaced():
    spec = gateway()
    assert spec["replicas"] == 2
    assert spec["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}


@pytest.mark.parametrize("values, seconds", [
    ({}, 50),
    ({"drainDelaySeconds": 5, "drainTimeSeconds": 20}, 35),
    ({"drainDelaySeconds": 0, "drainTimeSeconds": 0}, 10),
    ({"drainTimeSeconds": 600, "terminationGracePeriodSeconds": 700}, 700),
])
def test_termination_leaves_time_to_drain(values, seconds):
    found = objects(ADIT, {"gateway": values})
    flag = flags(found, "adit-gateway")
    assert gateway(found)["template"]["spec"]["terminationGracePeriodSeconds"] == seconds
    assert int(flag["--drain-delay"][0][:-1]) + int(flag["--drain-time"][0][:-1]) < seconds


def test_its_token_is_for_the_operator_alone():
    spec = gateway()["template"]["spec"]
    assert spec["automountServiceAccountToken"] is False
    token = one_volume(spec, "operator-token")["projected"]["sources"]
    assert token == [{"serviceAccountToken": {"audience": "adit.dev/edge", "expirationSeconds": 3600, "path": "token"}}]
    operator = flags(DEFAULT, "adit-operator")
    assert operator["--gateway-audience"] == ["adit.dev/edge"]
    assert operator["--gateway-service-account"] == [spec["serviceAccountName"]]


def test_it_has_no_rights():
    account = gateway()["template"]["spec"]["serviceAccountName"]
    for binding in of_kind(DEFAULT, "RoleBinding", "ClusterRoleBinding"):
        assert all(s["name"] != account for s in binding["subjects"]), binding


def one_volume(spec, name):
    return next(v for v in spec["volumes"] if v["name"] == name)


def test_keys_lie_in_memory_only():
    spec = gateway()["template"]["spec"]
    assert one_volume(spec, "state")["emptyDir"]["medium"] == "Memory"
    folder = flags(DEFAULT, "adit-gateway")["--state-dir"][0]
    mount = next(m for m in spec["containers"][0]["volumeMounts"] if m["name"] == "state")
    assert folder.startswith(mount["mountPath"] + "/"), "a folder in it, which the gateway makes for itself alone"


def test_gateways_reach_each_other_by_their_own_addresses():
    assert flags(DEFAULT, "adit-gateway")["--peer-address"] == ["$(POD_IP):7444"]
    env = {e["name"]: e for e in container(DEFAULT, "adit-gateway")["env"]}
    assert env["POD_IP"]["valueFrom"]["fieldRef"]["fieldPath"] == "status.podIP"
    alone = objects(ADIT, {"gateway": {"peers": {"enabled": False}}})
    assert "--peer-listen" not in flags(alone, "adit-gateway")


def test_it_dials_the_operators_service_by_a_name_of_its_certificate():
    url = flags(DEFAULT, "adit-gateway")["--operator"][0]
    host, port = re.fullmatch(r"wss://(.*):(\d+)", url).groups()
    assert host in flags(DEFAULT, "adit-operator")["--control-name"]
    service = one(DEFAULT, "Service", host.split(".")[0])
    assert service["spec"]["clusterIP"] == "None", "all operators, so that the leader is among them"
    assert service["spec"]["ports"][0]["port"] == int(port)


@pytest.mark.parametrize("kind, policy", [("LoadBalancer", "Local"), ("NodePort", "Local"), ("ClusterIP", None)])
def test_service_types(kind, policy):
    service = one(objects(ADIT, {"gateway": {"service": {"type": kind}}}), "Service", "adit-gateway")["spec"]
    assert service["type"] == kind
    assert service.get("externalTrafficPolicy") == policy


def test_ports_are_those_of_the_container():
    names = {p["name"]: p["containerPort"] for p in container(DEFAULT, "adit-gateway")["ports"]}
    flag = flags(DEFAULT, "adit-gateway")
    for name, option in {"http": "--http", "https": "--https", "link": "--link", "peer": "--peer-listen", "admin": "--admin"}.items():
        assert flag[option] == [f":{names[name]}"]
    for service in of_kind(DEFAULT, "Service"):
        if service["spec"]["selector"]["app.kubernetes.io/component"] == "gateway":
            assert all(p["targetPort"] in names for p in service["spec"]["ports"])


def test_node_ports():
    ports = {"http": 30080, "https": 30443, "link": 30743}
    found = objects(ADIT, {"gateway": {"service": {"type": "NodePort", "nodePorts": ports}}})
    assert {p["name"]: p["nodePort"] for p in one(found, "Service", "adit-gateway")["spec"]["ports"]} == ports


def test_a_service_of_its_own_for_links():
    found = objects(ADIT, {"gateway": {"linkService": {"enabled": True, "port": 7000, "type": "NodePort", "nodePort": 30700}}})
    assert [p["name"] for p in one(found, "Service", "adit-gateway")["spec"]["ports"]] == ["http", "https"]
    assert one(found, "Service", "adit-links")["spec"]["ports"] == [
        {"name": "link", "port": 7000, "targetPort": "link", "protocol": "TCP", "nodePort": 30700}]
    assert flags(found, "adit-operator")["--gateway-address"] == ["adit-links.edge.svc:7000"]


@pytest.mark.parametrize("address, host", [
    ("", "adit-gateway.edge.svc"),
    ("edge.example.com:443", "edge.example.com"),
    ("192.0.2.7:7443", "192.0.2.7"),
    ("[2001:db8::7]:7443", "2001:db8::7"),
])
def test_the_link_host_is_that_of_the_address_that_connectors_dial(address, host):
    found = objects(ADIT, {"links": {"address": address}})
    assert flags(found, "adit-gateway")["--link-host"] == [host]
    assert flags(found, "adit-operator")["--gateway-address"] == [address or "adit-gateway.edge.svc:7443"]


def test_a_certificate_of_ones_own_for_links():
    found = objects(ADIT, {"links": {"address": "a.example.com:7443", "tls": {"existingSecret": "mine"}}})
    assert flags(found, "adit-gateway")["--link-cert"] == ["/run/adit/link/tls.crt"]
    assert one_volume(gateway(found)["template"]["spec"], "link")["secret"]["secretName"] == "mine"


def test_settings_go_into_a_file_and_a_change_restarts():
    settings = {"trustedProxies": ["10.0.0.0/8"], "idleTimeout": "2m"}
    found = objects(ADIT, {"gateway": {"settings": settings}})
    assert one(found, "ConfigMap", "adit-gateway")["data"]["gateway.yaml"] == "idleTimeout: 2m\ntrustedProxies:\n- 10.0.0.0/8\n"
    assert flags(found, "adit-gateway")["--config"] == ["/etc/adit/config/gateway.yaml"]
    other = objects(ADIT, {"gateway": {"settings": {"idleTimeout": "3m"}}})
    sums = {gateway(f)["template"]["metadata"]["annotations"]["checksum/settings"] for f in (found, other)}
    assert len(sums) == 2


def test_as_many_workers_as_processors():
    assert flags(DEFAULT, "adit-gateway")["--workers"] == [container(DEFAULT, "adit-gateway")["resources"]["limits"]["cpu"]]


def test_autoscaling_owns_the_replicas():
    found = objects(ADIT, {"gateway": {"autoscaling": {"enabled": True, "maxReplicas": 5}}})
    assert "replicas" not in gateway(found)
    scaler = one(found, "HorizontalPodAutoscaler", "adit-gateway")["spec"]
    assert scaler["maxReplicas"] == 5 and scaler["scaleTargetRef"]["name"] == "adit-gateway"
    assert not of_kind(DEFAULT, "HorizontalPodAutoscaler")


@pytest.mark.parametrize("values, image", [
    ({}, "adit-gateway:0.1.0"),
    ({"gateway": {"image": {"tag": "dev"}}}, "adit-gateway:dev"),
    ({"gateway": {"image": {"registry": "r.example.com", "tag": "1"}}}, "r.example.com/adit-gateway:1"),
    ({"gateway": {"image": {"registry": "a"}}, "global": {"imageRegistry": "b/c/"}}, "b/c/adit-gateway:0.1.0"),
    ({"gateway": {"image": {"tag": "1", "digest": "sha256:" + "0" * 64}}}, "adit-gateway@sha256:" + "0" * 64),
])
def test_image(values, image):
    assert container(objects(ADIT, values), "adit-gateway")["image"] == image


def test_names_that_say_the_chart_once():
    assert "name: adit-gateway\n" in template(ADIT).stdout
    assert "name: shop-adit-gateway\n" in template(ADIT, release="shop").stdout
    assert "name: edge-gateway\n" in template(ADIT, {"fullnameOverride": "edge"}).stdout
