"""Every Tunnel and Secret in examples/ and docs/ is accepted by a real API server as it stands."""
import json
import pathlib
import re

import pytest
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]


def sources():
    for file in sorted(ROOT.glob("examples/**/*.yaml")):
        yield str(file.relative_to(ROOT)), file.read_text(encoding="utf-8")
    for file in [ROOT / "README.md", *sorted(ROOT.glob("docs/**/*.md"))]:
        for match in re.finditer(r"^( *)```yaml\n(.*?)^ *```$", file.read_text(encoding="utf-8"), re.M | re.S):
            indent, text = match.groups()
            yield f"{file.relative_to(ROOT)}:{file.read_text(encoding='utf-8')[:match.start()].count(chr(10)) + 1}", \
                re.sub("^" + indent, "", text, flags=re.M)


def examples():
    for name, text in sources():
        objects = [o for o in yaml.safe_load_all(text) if isinstance(o, dict) and o.get("kind") in ("Tunnel", "Secret")]
        if objects:
            yield pytest.param(objects, id=name)


def test_there_are_examples():
    names = [example.id for example in examples()]
    assert len(names) >= 9
    assert any(name.startswith("docs/tunnel.md") for name in names)
    assert any(name.startswith("README.md") for name in names)


@pytest.mark.parametrize("objects", list(examples()))
def test_accepted(kubectl, namespace, objects):
    for example in objects:
        example["metadata"]["namespace"] = namespace  # that of the example need not exist
    text = json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})
    for mode in (["apply"], ["apply", "--server-side"], ["create"]):
        code, out, error = kubectl(*mode, "--dry-run=server", "--validate=strict", "-f", "-", stdin=text)
        assert code == 0, error
        assert out.count("server dry run") == len(objects)
