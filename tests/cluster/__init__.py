"""A Kubernetes control plane for tests: etcd and kube-apiserver, and kube-controller-manager if asked for, on loopback.

    with Cluster(folder) as cluster:
        cluster.kubectl("apply", "-f", "-", stdin=manifest)
        cluster.apiserver.stall()

By hand and for ctest: `tests/cluster/up`, `tests/cluster/down`.
"""
from .cluster import Cluster, components
from .pki import Authority

__all__ = ["Authority", "Cluster", "components"]
