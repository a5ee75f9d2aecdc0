"""charts/adit-connector."""
import pytest
import yaml
from charts import CONNECTOR, container, objects, of_kind, one, refusal

DEFAULT = objects(CONNECTOR, release="shop")
NAME = "shop-adit-connector"


def config(values=None):
    found = objects(CONNECTOR, values, release="shop")
    return yaml.safe_load(one(found, "ConfigMap", NAME)["data"]["connector.yaml"])


def spec_of(found):
    return one(found, "Deployment", NAME)["spec"]["template"]["spec"]


def test_all_comes_from_the_operators_secret():
    spec = spec_of(DEFAULT)
    assert next(v for v in spec["volumes"] if v["name"] == "credentials")["secret"]["secretName"] == "shop-connector"
    assert config()["tokenFile"] == "/run/adit/connector/token"
    assert config()["caFile"] == "/run/adit/connector/ca.crt"
    env = {e["name"]: e["valueFrom"]["secretKeyRef"] for e in container(DEFAULT, NAME)["env"]}
    assert env["ADIT_GATEWAY"] == {"name": "shop-connector", "key": "gateway"}
    assert env["ADIT_TUNNEL"]["key"] == "tunnel"


def test_gateways_of_ones_own():
    values = {"gateway": {"addresses": ["https://edge.example.com/adit", "b.example.com"], "systemRoots": True}}
    assert config(values)["gateways"] == ["https://edge.example.com/adit", "b.example.com"]
    assert "caFile" not in config(values)
    env = [e["name"] for e in container(objects(CONNECTOR, values, release="shop"), NAME)["env"]]
    assert "ADIT_GATEWAY" not in env


def test_services_and_probes():
    services = {"default": "http://web:80", "api": "https://api:8443?serverName=api", "ssh": "tcp://10.0.0.1:22"}
    found = config({"services": services, "probes": {"api": "http:/healthz?interval=2s"}})
    assert found["services"] == services
    assert found["probes"] == {"api": "http:/healthz?interval=2s"}


def test_a_way_through_a_proxy():
    values = {"proxy": {"url": "http://proxy:3128", "existingSecret": "proxy-login"}, "transport": "websocket"}
    found = config(values)
    assert (found["proxy"], found["proxyCredentialsFile"], found["transport"]) == (
        "http://proxy:3128", "/run/adit/proxy/credentials", "websocket")
    assert "proxy-login" in [v["secret"]["secretName"] for v in spec_of(objects(CONNECTOR, values, release="shop"))["volumes"]
                             if "secret" in v]


def test_settings_do_not_win_over_values():
    found = config({"settings": {"dialTimeout": "5s", "links": 9}, "links": 2})
    assert (found["dialTimeout"], found["links"]) == ("5s", 2)


def test_a_change_of_services_restarts():
    sums = {one(objects(CONNECTOR, {"services": {"default": url}}, release="shop"), "Deployment", NAME)
            ["spec"]["template"]["metadata"]["annotations"]["checksum/settings"] for url in ("http://a:1", "http://b:1")}
    assert len(sums) == 2


@pytest.mark.parametrize("values, seconds", [({}, 40), ({"drainTimeSeconds": 5}, 15), ({"terminationGracePeriodSeconds": 99}, 99)])
def test_termination_leaves_time_to_drain(values, seconds):
    assert spec_of(objects(CONNECTOR, values, release="shop"))["terminationGracePeriodSeconds"] == seconds


def test_it_has_no_rights_and_nobody_dials_it():
    assert not of_kind(DEFAULT, "Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding")
    assert spec_of(DEFAULT)["automountServiceAccountToken"] is False
    assert [p["name"] for s in of_kind(DEFAULT, "Service") for p in s["spec"]["ports"]] == ["admin"]


@pytest.mark.parametrize("values, said", [
    ({"existingSecret": ""}, "existingSecret is needed"),
    ({"services": {}}, "services is needed"),
    ({"services": {"default": "web:80"}}, "services"),
    ({"transport": "quic"}, "transport"),
    ({"proxy": {"url": "socks5://a:1"}}, "proxy"),
    ({"token": "secret"}, "token"),
])
def test_what_is_missing_or_wrong_is_said(values, said):
    assert said in refusal(CONNECTOR, values)
