"""The schema and the compiler take the same: what the API server accepts, adit-gateway --check accepts too, and the other
way round but for spellings that the compiler would turn into others, of which the API server wants the final one."""
import ipaddress
import itertools
import json
import os
import random
import re
import subprocess

import pytest

from api import tunnel

GATEWAY = os.path.join(os.environ.get("ADIT_BIN", "build/dev/bin"), "adit-gateway")
LABEL = "a" * 63


def host_of(text):
    return {"routes": [{"host": text}]}


def path_of(text):
    return {"routes": [{"host": "a.example", "path": text}]}


def service_of(text):
    return {"routes": [{"host": "a.example", "service": text}]}


def certificate_of(text):
    return {"routes": [{"host": "a.example"}], "tls": {"secretName": text}}


def token_of(text):
    return {"routes": [{"host": "a.example"}], "connectorTokens": [{"secretName": text}]}


def filtered(kind, member, value):
    return {"routes": [{"host": "a.example", "filters": [{"type": kind, member: value}]}]}


def network_of(text):
    return filtered("IPAllowList", "ipAllowList", {"cidrs": [text]})


def size_of(text):
    return filtered("RequestBodySize", "requestBodySize", {"max": text})


def realm_of(text):
    return filtered("BasicAuth", "basicAuth", {"secretName": "missing", "realm": text})


def login_of(text):
    return filtered("BasicAuth", "basicAuth", {"secretName": text})


def header_of(text):
    return filtered("RequestHeaderModifier", "requestHeaderModifier", {"remove": [text]})


def value_of(text):
    return filtered("RequestHeaderModifier", "requestHeaderModifier", {"set": [{"name": "a", "value": text}]})


def cookie_of(text):
    return {"routes": [{"host": "a.example"}], "affinity": {"mode": "Cookie", "cookieName": text}}


def age_of(text):
    return {"routes": [{"host": "a.example"}], "affinity": {"mode": "Cookie", "maxAge": text}}


def id_of(text):
    return {"routes": [{"host": "a.example"}], "id": text}


def final_host(text):
    if text.startswith("["):
        return f"[{ipaddress.ip_address(text[1:-1])}]"
    return text.lower().removesuffix(".")


def _decoded(match):
    character = chr(int(match.group(1), 16))
    return character if re.match(r"[A-Za-z0-9._~-]", character) else match.group(0).upper()


def final_path(text):
    """Of a path that the compiler takes."""
    segments = []
    for segment in re.sub(r"%([0-9A-Fa-f]{2})", _decoded, text).split("/"):
        if segment == "..":
            segments.pop()
        elif segment not in ("", "."):
            segments.append(segment)
    return "/" + "/".join(segments)


def same(text):
    return text


def joined(parts, most):
    for count in range(1, most + 1):
        yield from ("".join(chosen) for chosen in itertools.product(parts, repeat=count))


def sample(texts, count):
    """Always the same ones."""
    texts = sorted(set(texts))
    return random.Random(4).sample(texts, min(count, len(texts)))


HOSTS = sample(joined(["a", "Z", "5", "-", ".", "*", "_", "0x", "é", "xn--"], 4), 500) + [
    "*", "", LABEL, LABEL + "a", ".".join([LABEL] * 3 + ["a" * 61]), ".".join([LABEL] * 3 + ["a" * 62]), "a" * 253,
    "*." + ".".join([LABEL] * 3 + ["a" * 59]), "*." + ".".join([LABEL] * 3 + ["a" * 60]), "0x", "0xg", "a.0xfg", "a.0xff",
    "1.2.3.4", "1.2.3.04", "1.2.3.256", "1.2.3", "*.1.2.3.4", "[2001:db8::1]", "[2001:DB8::1]", "[2001:db8:0:0::1]",
    "[fe80::1%1]", "[::ffff:1.2.3.4]", "[1.2.3.4]", "[", "[]", "::1", "[::1]:80", "a.1", "1.a", "a.1a", "*.0x1", "[::1]", "a:1", "http://a", "a/b", "a\n", "\na", "a\x00", "*.*", "*a", "a.*"]
PATHS = sample(joined(["/", "a", ".", "..", "%2F", "%2f", "%61", "%2e", "%", "?", "é", "~"], 5), 500) + [
    "/", "", "*", "//", "/a", "/" + "a" * 1023, "/" + "a" * 1024] + [
    "/%" + high + low for high in "0123456789ABCDEFaf" for low in "0123456789ABCDEFaf"] + [
    "/" + chr(code) for code in range(0x01, 0x80)]
NAMES = sample(joined(["a", "Z", "5", "-", ".", "_", ":", "/", " ", "é"], 4), 300) + [
    "", "a" * 63, "a" * 64, "a" * 253, "a" * 254, "a\n", ".".join(["a" * 64] * 3)]
IDS = ["4d21094e-b74c-4916-86c1-d9fa36ea677b", "4D21094E-B74C-4916-86C1-D9FA36EA677B", "", "x" * 36,
       "00000000-0000-0000-0000-000000000000", "00000000-0000-0000-0000-000000000001",
       "4d21094eb74c491686c1d9fa36ea677b", "4d21094e-b74c-4916-86c1-d9fa36ea677b ", "4d21094e-b74c-4916-86c1-d9fa36ea677g",
       "{4d21094e-b74c-4916-86c1-d9fa36ea677b}", "ffffffff-ffff-ffff-ffff-ffffffffffff"]

HEADERS = [chr(code) for code in range(0x01, 0x80)] + ["", "é", "X-A", "a b", "a" * 48] + [
    "Host", "TE", "Via", "Expect", "x-forwarded-", "X-Forwarded-For", "X-Forwarded", "x-request-id", "X-Request-Idea"]
VALUES = [chr(code) for code in range(0x01, 0x80)] + ["", "é", "a b", " a", "a ", "a\tb", "a\x7fb", "a\r\nb", "a" * 4096, "a" * 4097]
REALMS = [chr(code) for code in range(0x01, 0x80)] + ["", "é", "Staff only", "a" * 128, "a" * 129]
SIZES = sample(joined(["0", "1", "9", "k", "M", "Mi", "Ti", "i", ".", "-", " ", "e", "G"], 4), 300) + [
    "", "9" * 15, "9" * 16, "999999Ti", "1000000Ti", "0Ki"]
NETWORKS = ["10.0.0.0/8", "0.0.0.0/0", "192.0.2.7/32", "2001:db8::/32", "::/0", "::1/128", "", "10.0.0.0/33", "10.0.0.0/-1",
            "2001:db8::/129", "a", "10.0.0/8", "10.0.0.0/", "/8", "010.0.0.0/8", "10.0.0.0 /8", "fe80::%1/64"]

COOKIES = [chr(code) for code in range(0x01, 0x80)] + ["", "é", "a b", "__Host-a", "a" * 64, "a" * 65]
AGES = ["1s", "60s", "5m", "1h", "8784h", "8785h", "527040m", "527041m", "31622400s", "31622401s", "99999999s", "100000000s",
        "0s", "01s", "1000ms", "1", "s", "", "-1s", "1.5h", "1d", "1H", " 1s", "1s ", "1s1s", "1s\n", "9" * 30 + "h"]

SYNTAXES = {
    "cookie": (COOKIES, cookie_of, "spec.affinity.cookieName", same),
    "age": (AGES, age_of, "spec.affinity.maxAge", same),
    "network": (NETWORKS, network_of, "spec.routes[0].filters[0].ipAllowList.cidrs[0]", same),
    "size": (SIZES, size_of, "spec.routes[0].filters[0].requestBodySize.max", same),
    "realm": (REALMS, realm_of, "spec.routes[0].filters[0].basicAuth.realm", same),
    "login": (NAMES, login_of, "spec.routes[0].filters[0].basicAuth.secretName", same),
    "header": (HEADERS, header_of, "spec.routes[0].filters[0].requestHeaderModifier.remove[0]", same),
    "value": (VALUES, value_of, "spec.routes[0].filters[0].requestHeaderModifier.set[0].value", same),
    "host": (HOSTS, host_of, "spec.routes[0].host", final_host),
    "path": (PATHS, path_of, "spec.routes[0].path", final_path),
    "service": (NAMES, service_of, "spec.routes[0].service", same),
    "certificate": (NAMES, certificate_of, "spec.tls.secretName", same),
    "token": (NAMES, token_of, "spec.connectorTokens[0].secretName", same),
    "id": (IDS, id_of, "spec.id", str.lower),
}


def refused_by_the_compiler(folder, texts, spec_of, field):
    """The indices of texts in which `field` is wrong by itself; a Secret that is not there does not count."""
    for number, text in enumerate(texts):
        file = folder / f"{number}.json"
        file.write_text(json.dumps(tunnel(spec_of(text), name=f"case-{number}")), encoding="ascii")
    done = subprocess.run([GATEWAY, "--manifests", folder, "--check"], capture_output=True, text=True, timeout=120,
                          check=False)
    assert done.returncode in (0, 1), done.stderr
    refused = set()
    for line in (done.stdout + done.stderr).splitlines():
        problem = re.search(r"/(\d+)\.json:\d+: [^:]+: " + re.escape(field) + ": (.*)", line)
        if problem and "does not exist" not in problem.group(2) and "is the id of" not in problem.group(2):
            refused.add(int(problem.group(1)))
    return refused


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_same_verdict(api, tmp_path, syntax):
    texts, spec_of, field, final = SYNTAXES[syntax]
    texts = list(dict.fromkeys(texts))
    refused = refused_by_the_compiler(tmp_path, texts, spec_of, field)
    accepted_by_both, wrong = 0, []
    for number, text in enumerate(texts):
        answer = api.try_create(tunnel(spec_of(text), name=f"case-{number}"))
        assert answer.accepted or field in answer.message, answer.message
        expected = number not in refused and final(text) == text
        accepted_by_both += expected
        if answer.accepted != expected:
            wrong.append((text, "the API server " + ("accepts" if answer.accepted else "refuses"), answer.message))
    assert not wrong
    assert accepted_by_both >= 3 and len(refused) >= 3, "both sides of the rule were tried"
