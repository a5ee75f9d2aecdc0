#!/usr/bin/env python3
"""readme.py CHART [--check] — writes the table of values in CHART/README.md from the `# --` comments of values.yaml; with
--check only says whether it is as it should be."""
import json
import pathlib
import re
import sys

import yaml

BEGIN = "<!-- The table is made by charts/readme.py from values.yaml. -->"


def described(chart):
    """(path, default, description) of each value with a `# --` comment."""
    text = (chart / "values.yaml").read_text()
    defaults, path, comment = yaml.safe_load(text), [], None
    for line in text.splitlines():
        if found := re.match(r" *# -- (.*)", line):
            comment = found[1]
        elif found := re.match(r"( *)([A-Za-z0-9]+):", line):
            path[len(found[1]) // 2:] = [found[2]]
            if comment is not None:
                value = defaults
                for name in path:
                    value = value[name]
                yield ".".join(path), value, comment
            comment = None


def table(chart):
    rows = [f"| `{path}` | `{json.dumps(value, ensure_ascii=False)}` | {text.replace('|', chr(92) + '|')} |"
            for path, value, text in described(chart)]
    return "\n".join([BEGIN, "", "| value | default | |", "|---|---|---|", *rows, ""])


def main():
    chart = pathlib.Path(sys.argv[1])
    readme = chart / "README.md"
    old = readme.read_text()
    new = old.partition(BEGIN)[0] + table(chart)
    if "--check" in sys.argv[2:]:
        sys.exit(0 if new == old else f"{readme} is not current: run charts/readme.py {chart}")
    readme.write_text(new)


main()
