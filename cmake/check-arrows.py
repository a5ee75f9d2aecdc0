#!/usr/bin/env python3
"""Fails when an include crosses an arrow that docs/architecture.md does not draw.

Every folder is one library. ARROWS says which folders each may include; there is no cycle. Tests, benches and examples
may include anything. Prints FILE:LINE: REASON for each wrong include.
"""
import argparse
import pathlib
import re
import sys
import tempfile

ARROWS = {
    "base": (),
    "http": ("base",),
    "link": ("http", "base"),
    "routing": ("base",),
    "control": ("routing", "base"),
    "net": ("link", "base"),
    "telemetry": ("net", "base"),
    "kube": ("base",),
    "gateway": ("net", "http", "link", "routing", "control", "telemetry", "base"),
    "connector": ("net", "link", "telemetry", "base"),
    "operator": ("kube", "routing", "control", "net", "telemetry", "base"),
}
FREE = {"tests", "bench", "e2e", "examples"}
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
ENDINGS = {".h", ".hh", ".hpp", ".ipp", ".cc", ".cpp", ".cxx", ".c"}


def problems_of(root, file):
    """The wrong includes of one file, as FILE:LINE: REASON."""
    name = file.relative_to(root)
    folder = name.parts[0]
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
        found = INCLUDE.match(line)
        if not found:
            continue
        target = found[2].split("/")[0]
        if found[1] == "<":
            if target in ARROWS and (root / found[2]).exists():
                yield f"{name}:{number}: {found[2]} is ours: include it with quotes"
        elif "/" not in found[2]:
            yield f'{name}:{number}: "{found[2]}": name the folder, "{folder}/{found[2]}"'
        elif target not in ARROWS:
            yield f'{name}:{number}: "{found[2]}": no folder of that name may be included'
        elif target != folder and target not in ARROWS[folder]:
            yield f"{name}:{number}: {folder}/ may not include {target}/"


def check(root):
    """All problems below root."""
    for top in sorted(p for p in root.iterdir() if p.is_dir()):
        if top.name.startswith(".") or top.name in FREE | {"build"}:
            continue
        files = sorted(f for f in top.rglob("*") if f.suffix in ENDINGS)
        if files and top.name not in ARROWS:
            yield f"{top.name}/: a folder with sources that the table of arrows does not know"
            continue
        for file in files:
            yield from problems_of(root, file)


def cycle():
    """A folder from which the arrows lead back to itself, or None."""
    def reachable(folder, seen):
        for target in ARROWS[folder]:
            if target not in seen:
                seen.add(target)
                reachable(target, seen)
        return seen
    return next((folder for folder in ARROWS if folder in reachable(folder, set())), None)


def self_test():
    cases = [  # file, text, what the one problem must say; None: no problem
        ("link/a.h", '#include "http/parser.h"', None),
        ("link/a.h", '#include "link/b.h"', None),
        ("gateway/a.cc", '  #  include "routing/table.h"', None),
        ("link/a.h", "#include <vector>", None),
        ("http/a.cc", '// #include "link/a.h"', None),
        ("tests/http/a_test.cc", '#include "gateway/a.h"', None),
        ("build/dev/x/a.cc", '#include "nowhere/a.h"', None),
        ("http/a.cc", '\n#include "link/a.h"', "http/a.cc:2: http/ may not include link/"),
        ("routing/deep/a.h", '#include "net/a.h"', "routing/deep/a.h:1: routing/ may not include net/"),
        ("connector/a.cc", '#include "http/parser.h"', "connector/ may not include http/"),
        ("base/a.h", '#include "tests/x.h"', "no folder of that name"),
        ("base/a.h", '#include "text.h"', 'name the folder, "base/text.h"'),
        ("base/a.h", "#include <base/a.h>", "include it with quotes"),
        ("utils/a.h", "", "utils/: a folder with sources"),
    ]
    failures = 0
    for name, text, expected in cases:
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder, name)
            file.parent.mkdir(parents=True)
            file.write_text(text)
            found = list(check(pathlib.Path(folder)))
        good = not found if expected is None else len(found) == 1 and expected in found[0]
        if not good:
            failures += 1
            print(f"self-test: {name}: {text!r}: expected {expected!r}, found {found}")
    if cycle():
        failures += 1
        print(f"self-test: the arrows form a cycle through {cycle()}/")
    return failures


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--self-test", action="store_true", help="check the checker")
    if parser.parse_args().self_test:
        return 1 if self_test() else 0
    found = list(check(pathlib.Path(__file__).resolve().parent.parent))
    print("\n".join(found) if found else "arrows: every include follows one")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
