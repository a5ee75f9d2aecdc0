"""Flags, environment and configuration file: the same settings; a flag wins over the environment, that over the file."""
import subprocess

import pytest

from edge import TOKEN, TUNNEL
from programs import BIN, PATIENCE, free_port, wait_until


def run_to_its_end(program, *arguments, env=None):
    done = subprocess.run([BIN / program, *map(str, arguments)], capture_output=True, text=True, timeout=PATIENCE,
                          env=env, check=False)
    return done.returncode, done.stdout + done.stderr


def test_gateway_from_a_file(edge, origin):
    edge.write_default()
    (edge.folder / "gateway.yaml").write_text(
        f"manifests: {edge.manifests}\nhttp: 127.0.0.1:{edge.http}\nhttps: 127.0.0.1:{edge.https}\n"
        f"link: 127.0.0.1:{edge.link}\nlinkHost: localhost\nlinkCert: {edge.link_chain}\nlinkKey: {edge.link_key}\n"
        f"admin: 127.0.0.1:{edge.admin}\nworkers: 2\n")
    edge.gateway = edge.run("gateway", [BIN / "adit-gateway", "--config", edge.folder / "gateway.yaml"])
    edge.wait_ready(edge.gateway, edge.admin)
    edge.start_connector(f"http://127.0.0.1:{origin.port}")
    assert edge.get().status == 200


def test_gateway_from_the_environment(edge, origin):
    edge.write_default()
    edge.gateway = edge.run("gateway", [BIN / "adit-gateway"], env={
        "ADIT_MANIFESTS": str(edge.manifests), "ADIT_HTTP": f"127.0.0.1:{edge.http}", "ADIT_HTTPS": f"127.0.0.1:{edge.https}",
        "ADIT_LINK": f"127.0.0.1:{edge.link}", "ADIT_LINK_HOST": "localhost", "ADIT_LINK_CERT": str(edge.link_chain),
        "ADIT_LINK_KEY": str(edge.link_key), "ADIT_ADMIN": f"127.0.0.1:{edge.admin}"})
    edge.wait_ready(edge.gateway, edge.admin)
    edge.start_connector(f"http://127.0.0.1:{origin.port}")
    assert edge.get().status == 200


def test_connector_from_a_file(edge, origin):
    edge.write_default()
    edge.start_gateway()
    admin = free_port()
    (edge.folder / "token").write_text(TOKEN)
    (edge.folder / "connector.yaml").write_text(
        f"gateways: [localhost:{edge.link}]\ntunnel: {TUNNEL}\ntokenFile: {edge.folder}/token\n"
        f"caFile: {edge.authority.file}\nservices:\n  default: http://127.0.0.1:{origin.port}\n"
        f"links: 2\nadmin: 127.0.0.1:{admin}\nname: from-file\n")
    connector = edge.run("connector", [BIN / "adit-connector", "--config", edge.folder / "connector.yaml"])
    edge.wait_ready(connector, admin)
    edge.wait_status(200)


def test_a_flag_wins_over_the_environment_and_that_over_the_file(edge):
    edge.write_default()
    from_file, from_environment = free_port(), free_port()
    (edge.folder / "gateway.yaml").write_text(f"admin: 127.0.0.1:{from_file}\n")
    flags = [f for f in edge.gateway_flags() if f not in ("--admin", f"127.0.0.1:{edge.admin}")]
    with_file = [BIN / "adit-gateway", "--config", edge.folder / "gateway.yaml", *flags]

    edge.gateway = edge.run("file", with_file)
    edge.wait_ready(edge.gateway, from_file)
    edge.gateway.stop()
    edge.gateway = edge.run("environment", with_file, env={"ADIT_ADMIN": f"127.0.0.1:{from_environment}"})
    edge.wait_ready(edge.gateway, from_environment)
    edge.gateway.stop()
    edge.gateway = edge.run("flag", [*with_file, "--admin", f"127.0.0.1:{edge.admin}"],
                            env={"ADIT_ADMIN": f"127.0.0.1:{from_environment}"})
    edge.wait_ready(edge.gateway, edge.admin)


@pytest.mark.parametrize("program", ["adit-gateway", "adit-connector"])
def test_help_and_version(program):
    code, text = run_to_its_end(program, "--help")
    assert code == 0 and "--config" in text and "--admin" in text
    code, text = run_to_its_end(program, "--version")
    assert code == 0 and text.strip()


WRONG = {  # program, arguments, what the message names
    "unknown flag": ("adit-gateway", ["--manifest-dir", "x"], "--manifest-dir"),
    "bad address": ("adit-gateway", ["--manifests", ".", "--http", "nonsense:port"], "http"),
    "no manifests": ("adit-gateway", [], "manifests"),
    "missing configuration file": ("adit-gateway", ["--config", "/nowhere.yaml"], "/nowhere.yaml"),
    "key without certificate": ("adit-gateway", ["--manifests", ".", "--link-key", "/nowhere.pem"], "link-"),
    "no gateway": ("adit-connector", ["--tunnel", TUNNEL, "--token-file", "/etc/hostname", "--service", "http://h:1"], "gateway"),
    "no token": ("adit-connector", ["--gateway", "h:1", "--tunnel", TUNNEL, "--service", "http://h:1"], "token"),
    "bad tunnel id": ("adit-connector", ["--gateway", "h:1", "--tunnel", "x", "--token-file", "/etc/hostname", "--service", "http://h:1"], "tunnel"),
    "bad service": ("adit-connector", ["--gateway", "h:1", "--tunnel", TUNNEL, "--token-file", "/etc/hostname", "--service", "gopher://h:1"], "gopher"),
    "service twice": ("adit-connector", ["--gateway", "h:1", "--tunnel", TUNNEL, "--token-file", "/etc/hostname",
                                         "--service", "a=http://h:1", "--service", "a=http://h:2"], "a"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_setting_ends_the_program_with_a_message_that_names_it(name):
    program, arguments, named = WRONG[name]
    code, text = run_to_its_end(program, *arguments)
    assert code not in (0, -6, -11) and named in text, f"{code}: {text}"


def test_an_unknown_key_of_the_configuration_file_is_refused(edge):
    (edge.folder / "gateway.yaml").write_text(f"manifests: {edge.manifests}\nhtttp: 127.0.0.1:1\n")
    code, text = run_to_its_end("adit-gateway", "--config", edge.folder / "gateway.yaml")
    assert code != 0 and "htttp" in text


def test_a_port_in_use_is_named(edge, origin):
    edge.write_default()
    flags = edge.gateway_flags()
    flags[flags.index("--link") + 1] = f"127.0.0.1:{origin.port}"
    code, text = run_to_its_end("adit-gateway", *flags)
    assert code != 0 and str(origin.port) in text


def test_links_without_tls_need_insecure_on_both_sides_and_every_line_says_so(edge, origin):
    edge.write_default()
    flags = [f for f in edge.gateway_flags() if f not in ("--link-cert", "--link-key", edge.link_chain, edge.link_key)]
    edge.gateway = edge.run("gateway", [BIN / "adit-gateway", *flags, "--insecure"])
    edge.wait_ready(edge.gateway, edge.admin)
    secure = edge.start_connector(f"http://127.0.0.1:{origin.port}", name="secure", wait=False)
    wait_until(lambda: "error" in secure.err.lower() or "warning" in secure.err.lower(), "the secure connector complains")
    assert edge.get().status == 503
    edge.start_connector(f"http://127.0.0.1:{origin.port}", flags=["--insecure"], name="insecure")
    edge.wait_status(200)
    for program in (edge.gateway, edge.programs[-1]):
        lines = [line for line in program.err.splitlines() if line.startswith("{")]
        assert lines and all("insecure" in line for line in lines)


def test_without_a_link_certificate_the_manifests_certificate_of_that_name_is_served(edge, origin):
    edge.write_default(routes='  - {host: "*"}\n', tls="link-tls")
    edge.write_tls("localhost", secret="link-tls")
    flags = [f for f in edge.gateway_flags() if f not in ("--link-cert", "--link-key", edge.link_chain, edge.link_key)]
    edge.gateway = edge.run("gateway", [BIN / "adit-gateway", *flags])
    edge.wait_ready(edge.gateway, edge.admin)
    edge.start_connector(f"http://127.0.0.1:{origin.port}")
    assert edge.get().status == 200
