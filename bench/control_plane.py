#!/usr/bin/env python3
"""What thousands of Tunnels cost operator and gateway: time to the first whole state, memory, and one change.

Boots an API server of its own. Writes bench/CONTROL_PLANE.md. Usage: control_plane.py --bin DIR [--tunnels N…]
"""
import argparse
import os
import pathlib
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests/component"), str(ROOT / "tests/kubernetes")]

TOKEN = "a-token-of-many-tunnels-0123456789"


def measure(cluster, folder, count, pki, certificates):
    """A row of the table: one installation with `count` Tunnels, of which the first `certificates` have one each."""
    from kube import Kube, tls_secret, tunnel
    from plane import Plane
    from programs import wait_until
    from rest import Rest
    plane, kube, rest = Plane(Kube(cluster.kubeconfig), folder, spaces=1), Kube(cluster.kubeconfig), Rest(cluster)
    space = plane.spaces[0]
    kube.apply({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "shared", "namespace": space},
                "type": "adit.dev/connector-token", "stringData": {"token": TOKEN}})

    def spec(i):
        more = {"tls": {"secretName": f"tls-{i}"}} if i < certificates else {}
        return tunnel(f"t{i}", space, f"h{i}.test", connectorTokens=[{"secretName": "shared"}], **more)
    empty = plane.start_operator("--writes-per-second", "1000", name="empty")
    empty_gateway = plane.start_gateway(name="empty-gateway")
    idle = empty.rss(), empty_gateway.program.rss()
    empty_gateway.program.stop()
    empty.stop()

    for i in range(certificates):
        kube.apply(tls_secret(f"tls-{i}", space, *pki.issue(f"h{i}.test")))
    rest.create_all(space, map(spec, range(count)))
    operator = plane.start_operator("--writes-per-second", "1000")
    wait_until(lambda: all("observedGeneration" in t.get("status", {}) for t in rest.tunnels(space)),
               "each has a status", 600)
    began = time.monotonic()
    gateway = plane.start_gateway()
    sync = time.monotonic() - began
    assert plane.answers(gateway, host=f"h{count - 1}.test") == 503

    metric = "adit_gateway_operator_messages_total"
    live, messages = [], []
    for i in range(10):
        before = plane.metric(gateway.admin, metric)
        began = time.monotonic()
        rest.patch_tunnel(space, f"t{count // 2}", {"spec": {"routes": [{"host": f"new{i}.test"}]}})
        wait_until(lambda n=i: plane.answers(gateway, host=f"new{n}.test") == 503, "the change is live")
        live.append(time.monotonic() - began)
        if before is not None:
            messages.append(plane.metric(gateway.admin, metric) - before)
    memory = [(program.rss() - base) / count / 1024
              for program, base in zip((operator, gateway.program), idle)]
    wrong = plane.finish()
    assert not wrong, wrong
    return (f"| {count:,} | {certificates:,} | {sync * 1000:.0f} ms | {sorted(live)[5] * 1000:.0f} ms, "
            f"{max(live) * 1000:.0f} ms | {max(messages) if messages else '?'} | {memory[0]:.1f} KiB | {memory[1]:.1f} KiB |")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bin", required=True, type=pathlib.Path)
    parser.add_argument("--tunnels", type=int, nargs="*", default=[500, 5000])
    parser.add_argument("--certificates", type=int, default=100)
    options = parser.parse_args()
    os.environ["ADIT_BIN"] = str(options.bin.resolve())
    import pki
    from cluster.cluster import Cluster
    rows = []
    for count in options.tunnels:
        # A cluster for each, so that no row pays for the objects of another.
        with tempfile.TemporaryDirectory(prefix="adit-bench-") as folder, \
                Cluster(controllers=True, manifests=[ROOT / "crds/adit.dev_tunnels.yaml"]) as cluster:
            authority = pki.Authority(pathlib.Path(folder))
            rows.append(measure(cluster, pathlib.Path(folder), count, authority, min(options.certificates, count)))
        print(rows[-1], flush=True)
    (ROOT / "bench/CONTROL_PLANE.md").write_text(f"""# What Tunnels cost operator and gateway

Written by `bench/control_plane.py` (a part of `make bench`): a real API server, release build, {os.cpu_count()} cores that
all programs share. Memory is resident growth over the same program without Tunnels, divided by their number; the API
server's own copy is not in it.

| Tunnels | with a certificate | gateway start to ready | one change live: median, most of 10 | messages for it | operator, each | gateway, each |
|---|---|---|---|---|---|---|
""" + "\n".join(rows) + "\n")


if __name__ == "__main__":
    main()
