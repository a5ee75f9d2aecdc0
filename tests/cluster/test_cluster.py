"""That the control plane can do what tests ask of it, and never outlives them."""
import os
import pathlib
import signal
import socket
import ssl
import subprocess
import sys
import time

import pytest

from cluster import Cluster


@pytest.fixture(scope="module")
def cluster():
    with Cluster(controllers=True) as cluster:
        yield cluster


def wait_until(condition, what, seconds=60):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.05)


def alive(pid):
    """A zombie has ended."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def serving_certificate(cluster):
    return ssl.get_server_certificate(("127.0.0.1", cluster.port))


def test_deleting_a_namespace_deletes_what_is_in_it(cluster):
    cluster.kubectl("create", "namespace", "short")
    cluster.kubectl("create", "configmap", "-n", "short", "inside")
    cluster.kubectl("delete", "namespace", "short", "--wait", "--timeout=60s")
    assert "short" not in cluster.kubectl("get", "namespaces")


def test_what_is_owned_goes_with_its_owner(cluster):
    cluster.kubectl("create", "configmap", "owner")
    uid = cluster.kubectl("get", "configmap", "owner", "-o", "jsonpath={.metadata.uid}")
    owners = f"[{{apiVersion: v1, kind: ConfigMap, name: owner, uid: {uid}}}]"
    cluster.kubectl("apply", "-f", "-", stdin="apiVersion: v1\nkind: ConfigMap\nmetadata: {name: owned, namespace: "
                    f"default, ownerReferences: {owners}}}\n")
    cluster.kubectl("delete", "configmap", "owner")
    wait_until(lambda: "owned" not in cluster.kubectl("get", "configmaps"), "garbage is collected")


def test_users_have_the_rights_that_rbac_gives_them(cluster):
    file = cluster.kubeconfig_of_user("jane")

    def can_list():
        return cluster.kubectl("auth", "can-i", "list", "secrets", f"--kubeconfig={file}", check=False) == "yes\n"
    assert not can_list()
    cluster.kubectl("create", "clusterrolebinding", "jane", "--clusterrole=cluster-admin", "--user=jane")
    wait_until(can_list, "the binding has its effect")


def test_tokens_of_service_accounts(cluster, tmp_path):
    cluster.kubectl("create", "serviceaccount", "robot")
    file = cluster.kubeconfig_of_token(cluster.token("robot"), tmp_path / "robot")
    assert "system:serviceaccount:default:robot" in cluster.kubectl("auth", "whoami", f"--kubeconfig={file}")


def test_a_stalled_server_answers_nothing_until_it_is_resumed(cluster):
    cluster.apiserver.stall()
    try:
        # The kernel still accepts the connection: nothing but silence tells that the server hangs.
        with socket.create_connection(("127.0.0.1", cluster.port), 5) as connection:
            connection.settimeout(0.5)
            connection.sendall(b"\x16\x03\x01")
            with pytest.raises(TimeoutError):
                connection.recv(1)
    finally:
        cluster.apiserver.resume()
    cluster.kubectl("get", "namespaces")


def test_a_restart_keeps_the_data_and_takes_up_a_new_certificate(cluster):
    cluster.kubectl("create", "configmap", "kept")
    before = serving_certificate(cluster)
    cluster.rotate_certificate()
    cluster.apiserver.kill()
    cluster.start_apiserver()
    assert serving_certificate(cluster) != before
    assert "kept" in cluster.kubectl("get", "configmaps")


def test_it_ends_with_whoever_started_it(tmp_path):
    script = ("import sys, time\nfrom cluster import Cluster\ncluster = Cluster(sys.argv[1])\ncluster.start()\n"
              "print(flush=True)\ntime.sleep(600)\n")
    with subprocess.Popen([sys.executable, "-c", script, tmp_path], stdout=subprocess.PIPE) as owner:
        try:
            assert owner.stdout.readline() == b"\n"
        finally:
            owner.kill()
    pids = [int(file.read_text()) for file in tmp_path.glob("*.pid")]
    assert len(pids) == 2
    wait_until(lambda: not any(map(alive, pids)), "etcd and kube-apiserver have ended")


def keeper(state, *arguments):
    return subprocess.run([sys.executable, "-m", "cluster", *arguments, "--state", state], check=True,
                          capture_output=True, text=True, timeout=120).stdout


def test_up_and_down(tmp_path):
    said = keeper(tmp_path, "up", "--limit", "600")
    assert f"export KUBECONFIG={tmp_path}/kubeconfig\n" in said
    pid = int((tmp_path / "keeper.pid").read_text().split()[0])
    assert keeper(tmp_path, "up") == said, "a second `up` leaves the first alone"
    assert int((tmp_path / "keeper.pid").read_text().split()[0]) == pid
    data = pathlib.Path((tmp_path / "cluster").read_text().strip())
    keeper(tmp_path, "down")
    assert not alive(pid) and not data.exists() and not (tmp_path / "kubeconfig").exists()
    keeper(tmp_path, "down")  # of nothing is nothing


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_keeper_that_was_killed_leaves_nothing_that_up_cannot_clear(tmp_path, number):
    keeper(tmp_path, "up", "--limit", "600")
    pid = int((tmp_path / "keeper.pid").read_text().split()[0])
    data = pathlib.Path((tmp_path / "cluster").read_text().strip())
    pids = [int(file.read_text()) for file in data.glob("*.pid")]
    os.kill(pid, number)
    wait_until(lambda: not any(map(alive, [pid, *pids])), "all have ended")
    keeper(tmp_path, "down")
    assert not data.exists()


def test_a_keeper_ends_after_its_time(tmp_path):
    keeper(tmp_path, "up", "--limit", "0")
    wait_until(lambda: not (tmp_path / "kubeconfig").exists(), "it has ended")
    keeper(tmp_path, "down")
