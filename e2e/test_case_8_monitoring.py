"""8. A real Prometheus scrapes all three programs; each query of the dashboards gives data; three alerts fire and clear."""
import base64
import sys

import pytest
import yaml

import node as cluster
import pki
from helm import ROOT
from installation import tunnel
from kube import wait_until

sys.path.append(str(ROOT / "tests/monitoring"))
dashboards = pytest.importorskip("dashboards")
import rules  # noqa: E402
from prometheus import Prometheus  # noqa: E402

SPACE, HOST = "team-eight", "eight.test"
# As a Prometheus of this cluster finds pods, by the labels of the charts. It scrapes by way of the API server: nothing else
# leads to the private side from here. There, it would stand beside the connectors.
FOUND = [
    {"source_labels": ["__meta_kubernetes_pod_label_app_kubernetes_io_part_of"], "regex": "adit", "action": "keep"},
    {"source_labels": ["__meta_kubernetes_pod_container_port_name"], "regex": "admin", "action": "keep"},
    {"source_labels": ["__meta_kubernetes_pod_phase"], "regex": "Running", "action": "keep"},
    {"source_labels": ["__meta_kubernetes_pod_label_app_kubernetes_io_component"], "target_label": "job",
     "replacement": "adit-$1"},
    {"source_labels": ["__meta_kubernetes_namespace"], "target_label": "namespace"},
    {"source_labels": ["__meta_kubernetes_pod_name"], "target_label": "pod"},
    {"source_labels": ["__address__"], "target_label": "instance"},
    {"source_labels": ["__meta_kubernetes_namespace", "__meta_kubernetes_pod_name", "__meta_kubernetes_pod_container_port_number"],
     "regex": "(.+);(.+);(.+)", "target_label": "__metrics_path__",
     "replacement": "/api/v1/namespaces/$1/pods/$2:$3/proxy/metrics"},
    {"target_label": "__address__", "replacement": f"{cluster.IP}:6443"}]


def scrape_job(node):
    user = yaml.safe_load(node.kubeconfig.read_text())["users"][0]["user"]
    folder = node.state / "scrape"
    folder.mkdir(exist_ok=True)
    for name in ("client-certificate", "client-key"):
        (folder / name).write_bytes(base64.b64decode(user[f"{name}-data"]))
    return {"job_name": "pods", "scheme": "https", "relabel_configs": FOUND,
            "kubernetes_sd_configs": [{"role": "pod", "kubeconfig_file": str(node.kubeconfig)}],
            "tls_config": {"ca_file": str(node.pki / "ca.crt"), "cert_file": str(folder / "client-certificate"),
                           "key_file": str(folder / "client-key")}}


@pytest.fixture(scope="module")
def prometheus(node, kube, edge, shop, tmp_path_factory):
    """With the rules of the charts, whose `for` is cut short, and every pod scraped."""
    folder = tmp_path_factory.mktemp("monitoring")
    groups = rules.groups()
    for group in groups:
        for alert in group["rules"]:
            alert["for"] = "1s"
    (folder / "rules.yaml").write_text(yaml.safe_dump({"groups": groups}))
    edge.settled(2)
    prometheus = Prometheus(folder, rules=[folder / "rules.yaml"])
    config = yaml.safe_load(prometheus.config.read_text())
    config["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    config["scrape_configs"] = [scrape_job(node)]
    prometheus.config.write_text(yaml.safe_dump(config))
    prometheus.reload()
    wanted = {pod["metadata"]["name"] for pod in edge.gateways() + edge.operators() + shop.connectors()}
    wait_until(lambda: {labels["pod"] for labels, value in prometheus.query("up") if value} >= wanted, "all are scraped", 60)
    kube.namespace(SPACE)
    yield prometheus
    prometheus.program.kill()
    kube.delete_namespaces(SPACE)


def put_certificate(kube, tmp_path, days):
    authority = pki.Authority(tmp_path, f"ca-{days}")
    kube.apply(pki.tls_secret("eight-tls", *authority.issue(HOST, days=days), SPACE))


def test_case_8_all_programs_are_scraped(prometheus):
    versions = prometheus.query("count by (job, program) (adit_build_info)")
    assert {(labels["job"], labels["program"]) for labels, _ in versions} == {
        ("adit-gateway", "adit-gateway"), ("adit-operator", "adit-operator"), ("adit-connector", "adit-connector")}


@pytest.mark.parametrize("dashboard", dashboards.dashboards(), ids=repr)
def test_case_8_queries_give_data(kube, edge, prometheus, dashboard, tmp_path):
    put_certificate(kube, tmp_path, 30)
    kube.apply(tunnel("eight", SPACE, HOST, tls={"secretName": "eight-tls"}))
    chosen = {"tunnel": "team-shop/shop"} if dashboard.uid == "adit-tunnel" else {}
    queries = {dashboards.substitute(target["expr"], interval="10s", **chosen): panel["title"] for panel, target in dashboard.queries()
               if "> 0" not in target["expr"]}  # which give nothing while all is well
    missing = {}

    def all_answered():
        for _ in range(5):
            edge.get("/x")
        edge.get(host=HOST)
        missing.clear()
        missing.update({title: expression for expression, title in queries.items() if not prometheus.query(expression)})
        missing.pop("Certificate expires in", None)  # the Tunnel of the load has none
        return not missing
    try:
        wait_until(all_answered, "every query gives data", 40)
    except AssertionError:
        raise AssertionError(f"without data: {missing}") from None


def fires(prometheus, name):
    wait_until(lambda: name in prometheus.firing(), f"{name} fires", 40)


def clears(prometheus, name):
    wait_until(lambda: name not in prometheus.firing(), f"{name} is over", 40)


def test_case_8_three_alerts(kube, prometheus, tmp_path):
    """At the same time, since each has to be waited for."""
    kube.apply(tunnel("lonely", SPACE, "lonely.test"), tunnel("eight", SPACE, HOST, tls={"secretName": "eight-tls"}),
               tunnel("refused", SPACE, "refused.test", ports=[{"name": "ssh", "protocol": "TCP", "port": 2222}]))
    put_certificate(kube, tmp_path, 5)
    names = ("AditTunnelWithoutConnector", "AditTunnelsRefused", "AditCertificateExpiresSoon")
    for name in names:
        fires(prometheus, name)
    put_certificate(kube, tmp_path, 31)
    kube("-n", SPACE, "delete", "tunnels", "--all")
    for name in names:
        clears(prometheus, name)
