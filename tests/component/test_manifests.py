"""Manifests change while traffic flows: what is good takes effect, what is bad is refused whole and changes nothing."""
import http.client
import os
import subprocess

import pytest

from edge import ROUTES, documents, token_secret, tunnel_manifest
from programs import BIN, PATIENCE, wait_until

NEW_HOST = ROUTES + "  - {host: new.test}\n"
BAD = {  # what is wrong, text, what the message must name
    "no YAML": ("kind: [", "YAML"),
    "unknown kind": ("apiVersion: v1\nkind: Tonnel\nmetadata: {name: x}\n", "Tonnel"),
    "unknown field": (tunnel_manifest(routes="  - {host: x.test, pth: /a}\n"), "spec.routes[0].pth"),
    "bad host": (tunnel_manifest(routes='  - {host: "a..test"}\n'), "spec.routes[0].host"),
    "wildcard inside": (tunnel_manifest(routes='  - {host: "a.*.test"}\n'), "spec.routes[0].host"),
    "bad path": (tunnel_manifest(routes="  - {host: x.test, path: api}\n"), "spec.routes[0].path"),
    "bad id": (tunnel_manifest(tunnel="not-a-uuid"), "spec.id"),
    "no base64": ("apiVersion: v1\nkind: Secret\nmetadata: {name: x}\ndata: {token: '***'}\n", "data.token"),
    "broken certificate": (
        "apiVersion: v1\nkind: Secret\nmetadata: {name: x}\ntype: kubernetes.io/tls\n"
        "stringData: {tls.crt: nonsense, tls.key: nonsense}\n---\n" + tunnel_manifest("x", "22222222-2222-4333-8444-555555555555", "  - {host: x.test}\n", tls="x"),
        "tls.crt"),
}


@pytest.fixture
def held(tunnelled):
    """The usual case with one visitor's connection that was open before the change and must survive it."""
    tunnelled.connection = http.client.HTTPConnection("127.0.0.1", tunnelled.http, timeout=PATIENCE)
    tunnelled.get(connection=tunnelled.connection)
    socket = tunnelled.connection.sock
    yield tunnelled
    assert tunnelled.get(connection=tunnelled.connection).status == 200
    assert tunnelled.connection.sock is socket, "the connection was dropped"


def test_a_file_edited_by_rename(held):
    assert held.get(host="new.test").status == 404
    held.write_default(routes=NEW_HOST)
    held.wait_status(200, host="new.test")


def test_a_file_edited_in_place(held):
    file = held.manifests / "shop.yaml"
    file.write_text(documents(tunnel_manifest(routes=NEW_HOST), token_secret()))
    held.wait_status(200, host="new.test")


def test_a_file_added_and_removed(held):
    other = "33333333-2222-4333-8444-555555555555"
    held.write("added.yaml", documents(tunnel_manifest("added", other, "  - {host: new.test}\n"), token_secret("added-connector", "third-token-0123456789")))
    held.wait_status(503, host="new.test")
    (held.manifests / "added.yaml").unlink()
    held.wait_status(404, host="new.test")


def test_a_file_renamed_changes_nothing(held):
    os.rename(held.manifests / "shop.yaml", held.manifests / "renamed.yaml")
    held.write("marker.yaml", documents(tunnel_manifest("marker", "44444444-2222-4333-8444-555555555555", "  - {host: marker.test}\n"), token_secret("marker-connector", "fourth-token-0123456789")))
    held.wait_status(503, host="marker.test")
    assert held.get().status == 200


def test_symlinks_swapped_as_kubernetes_mounts_do(edge, origin):
    """A mounted volume is file → ..data/file, ..data → ..DATE; an update makes ..data a new link by rename."""
    def mount(number, routes):
        folder = edge.manifests / f"..2026_{number}"
        folder.mkdir()
        (folder / "shop.yaml").write_text(documents(tunnel_manifest(routes=routes), token_secret()))
        (edge.manifests / "..data_tmp").symlink_to(folder.name)
        os.rename(edge.manifests / "..data_tmp", edge.manifests / "..data")
    mount(1, ROUTES)
    (edge.manifests / "shop.yaml").symlink_to("..data/shop.yaml")
    edge.start(f"http://127.0.0.1:{origin.port}")
    edge.wait_status(200)
    assert edge.get(host="new.test").status == 404
    for number, routes, status in ((2, NEW_HOST, 200), (3, ROUTES, 404), (4, NEW_HOST, 200)):
        mount(number, routes)
        edge.wait_status(status, host="new.test")
        assert edge.get().status == 200


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_keeps_what_was_good(held, name):
    """The bad file also holds a good tunnel: it is refused whole. The next good change still takes effect."""
    text, named = BAD[name]
    good = documents(tunnel_manifest("other", "55555555-2222-4333-8444-555555555555", "  - {host: other.test}\n"), token_secret("other-connector", "fifth-token-0123456789"))
    held.write("bad.yaml", documents(good, text))
    wait_until(lambda: named in held.gateway.err and "bad.yaml" in held.gateway.err, f"the log names bad.yaml and {named}")
    assert held.get().status == 200
    held.write("bad.yaml", good)
    held.wait_status(503, host="other.test")


def test_a_file_that_turns_bad_keeps_its_last_good_state(held):
    held.write("shop.yaml", tunnel_manifest(routes="  - {hst: shop.test}\n"))
    wait_until(lambda: "spec.routes[0]" in held.gateway.err, "the log names the field")
    assert held.get().status == 200
    assert any(value > 0 for name, value in held.metrics().items() if "manifest" in name or "config" in name)
    held.write_default(routes=NEW_HOST)
    held.wait_status(200, host="new.test")


def test_a_new_certificate_takes_effect(edge, origin):
    edge.write_default(routes="  - {host: shop.test}\n  - {host: new.test}\n", tls="shop-tls")
    edge.write_tls("shop.test")
    edge.start(f"http://127.0.0.1:{origin.port}")

    def works(name):
        return subprocess.run(["curl", "-sS", "-o", "/dev/null", "--resolve", f"{name}:{edge.https}:127.0.0.1", "--cacert",
                               edge.authority.file, edge.url("/", True, name)], capture_output=True, timeout=PATIENCE).returncode == 0
    assert works("shop.test") and not works("new.test")
    edge.write_tls("shop.test", "new.test")
    wait_until(lambda: works("new.test"), "the new certificate is served")


def test_S1_C9_hundreds_of_changes_under_traffic_fail_no_request(held):
    for number in range(100):
        held.write_default(routes=ROUTES + f"  - {{host: h{number}.test}}\n")
        assert held.get(connection=held.connection).status == 200
        assert held.get().status == 200
    held.wait_status(200, host="h99.test")


# --check

def check(folder):
    done = subprocess.run([BIN / "adit-gateway", "--manifests", folder, "--check"], capture_output=True, text=True,
                          timeout=PATIENCE, check=False)
    return done.returncode, done.stdout + done.stderr


def test_check_of_good_manifests(edge):
    edge.write_default(tls="shop-tls")
    edge.write_tls("shop.test")
    code, text = check(edge.manifests)
    assert code == 0, text


def test_check_names_every_error_with_file_line_object_and_field(edge):
    edge.write_default()
    edge.write("a.yaml", tunnel_manifest("a", routes="  - {host: a.test}\n  - {host: 'x..y'}\n  - {host: b.test, path: nope}\n"))
    edge.write("b.yaml", "kind: Tunnel\n")
    code, text = check(edge.manifests)
    assert code == 1
    for part in ("a.yaml:8:", "a.yaml:9:", "Tunnel default/a", "spec.routes[1].host", "spec.routes[2].path", "b.yaml:"):
        assert part in text, f"{part!r} is missing in:\n{text}"


@pytest.mark.parametrize("name", BAD)
def test_check_refuses_each_bad_manifest(edge, name):
    text, named = BAD[name]
    edge.write("bad.yaml", text)
    code, said = check(edge.manifests)
    assert code == 1 and named in said and "bad.yaml:" in said, said


def test_check_of_a_missing_secret(edge):
    edge.write("shop.yaml", tunnel_manifest(tls="nowhere"))
    code, text = check(edge.manifests)
    assert code == 1 and "nowhere" in text


def test_check_of_no_folder(edge):
    code, text = check(edge.folder / "missing")
    assert code == 1 and "missing" in text


def test_S2_P5_check_never_prints_a_secret(edge):
    edge.write("shop.yaml", documents(tunnel_manifest(), token_secret(), "kind: Nothing\nstringData: {token: TOPSECRET}\n"))
    code, text = check(edge.manifests)
    assert code == 1 and "TOPSECRET" not in text
