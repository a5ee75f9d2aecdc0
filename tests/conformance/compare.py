#!/usr/bin/python3
"""Runs the tables through Adit, nginx and haproxy, and writes what each did as docs/conformance.md."""
import argparse
import os
import pathlib
import re
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "component")]

PATIENCE = 1.0  # seconds of silence after which a proxy is said to wait
INTRODUCTION = """# Conformance: what becomes of unusual requests and answers

Each case of `tests/conformance/cases_of_*.py` and `answer_cases.py` went, byte for byte, through Adit (gateway and
connector), nginx and haproxy to a service that records what reaches it. The same cases are tests
(`ctest --preset dev -R conformance`); this page is made by

```
make conformance
```

| program | version | configuration |
|---|---|---|
{versions}

nginx and haproxy run as their packages come, as one hop with kept connections to the service
(`tests/conformance/proxies.py`). The page compares readings of one RFC, not the worth of programs: where the RFC leaves
a choice, an edge that forwards for others' parsers has reason to be stricter than a server.

**RFC**: *refuse*: it breaks the grammar or a MUST of RFC 9110 and 9112, and neither gives leave to make sense of it;
*may*: they leave it to the recipient whether it refuses or makes sense of it (all limits are of this kind); *serve*,
*pass*: valid.
**A cell** has the status that the visitor got, then what the service saw if that is not just the request that was
sent. `begun`: a part of it, never a whole request. `kept`: nothing of it, and the visitor's connection went on.
`closed`: ended without a status. `waits`: neither answer nor end within {patience:g} s. `cut`: an answer that the
visitor can tell is not whole. `reused`: the connection to the service carried the next request too.
**Bold**: not what the RFC asks for.

## Summary

{summary}
"""


def refused(seen):
    """No whole request of the case reached the service, and the visitor was told so or cut off."""
    return not seen.own and all(status >= 400 for status in seen.statuses[:1])


def bare(requests):
    """Without trailers, which a proxy may drop."""
    return [re.sub(r"\[[^]]*\]'$", "'", text) for text in requests]


def conforms(case, seen):
    if case.rule == "refuse":
        return refused(seen)
    own = bare(seen.own)
    if case.rule == "serve":
        return own == bare(case.seen)
    return refused(seen) or "GET /smuggled" not in own


def request_cell(case, seen):
    own = seen.own
    statuses = seen.statuses[:max(1, len(own))] if len(set(seen.statuses)) > 1 or not own else seen.statuses[:1]
    text = " ".join(map(str, statuses)) or ("closed" if seen.closed else "waits")
    if own and bare(own) != bare(case.seen or ["GET /x"]):
        text += ": " + ", ".join(own)
    elif not own and seen.own_raw:
        text += ", begun"
    elif not own and seen.seen:
        text += ", kept"
    return text, conforms(case, seen)


def answer_conforms(case, seen):
    if b"poison" in seen.answers and (seen.status, seen.body, seen.whole) != (*case.shown, True):
        return False
    if case.rule == "refuse":
        return not seen.reused and (seen.status >= 500 or not seen.whole)
    if case.rule == "pass":
        return (seen.status, seen.body, seen.whole) == (*case.shown, True) and (case.kept or not seen.reused)
    return True


def answer_cell(case, seen):
    text = str(seen.status or ("closed" if seen.closed else "waits"))
    if seen.status >= 200 and not seen.whole:
        text += " cut"
    elif seen.status == 200 and seen.body != (case.shown[1] if case.shown else b"ok"):
        text += f": {seen.body[:30].decode('latin-1')!r}"
    if seen.reused and not case.kept:
        text += ", reused"
    return text, answer_conforms(case, seen)


def escape(text, most=60):
    text = text if len(text) <= most else text[:most - 1] + "…"
    text = "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text)
    return re.sub(r"([\\|*_<>`#])", r"\\\1", text)


def table(title, group, names, rows):
    lines = [f"### {title} (RFC {group})", "", "| case | RFC | " + " | ".join(names) + " |", "|---" * (2 + len(names)) + "|"]
    for case, cells in rows:
        shown = [escape(text) if fine else f"**{escape(text)}**" for text, fine in cells]
        lines.append(f"| {escape(case.name, 80)} | {case.rule} | " + " | ".join(shown) + " |")
    return "\n".join(lines) + "\n"


class Tally:
    """What one proxy did over a table."""

    def __init__(self):
        self.counts = {}

    def add(self, rule, what):
        for kind in what:
            self.counts[rule, kind] = self.counts.get((rule, kind), 0) + 1


def count_request(tally, case, seen):
    tally.add(case.rule, ["all", "refused" if refused(seen) else "served", *(["reached"] if seen.own_raw else []),
                          *(["fine"] if conforms(case, seen) else [])])


def count_answer(tally, case, seen):
    bad = seen.status >= 500 or not seen.whole
    tally.add(case.rule, ["all", "refused" if bad else "served", *(["reused"] if seen.reused else []),
                          *(["fine"] if answer_conforms(case, seen) else [])])


def run(cases_of, observed, names, proxies, service, cell, count, describe):
    tallies, tables = {name: Tally() for name in names}, []
    for title, rfc, cases in cases_of:
        rows = []
        for case in cases:
            cells = []
            for name, proxy in zip(names, proxies):
                seen = observed(proxy, service, case)
                count(tallies[name], case, seen)
                cells.append(cell(case, seen))
            rows.append((case, cells))
        tables.append(table(title, rfc, names, rows))
    return describe(names, tallies), tables


def summary(rows, names, tallies):
    lines = ["| | cases | " + " | ".join(names) + " |", "|---" * (2 + len(names)) + "|"]
    for text, rule, kind in rows:
        value = [tallies[name].counts.get((rule, kind), 0) for name in names]
        lines.append(f"| {text} | {tallies[names[0]].counts.get((rule, 'all'), 0)} | " + " | ".join(map(str, value)) + " |")
    return "\n".join(lines)


REQUEST_ROWS = (("must be refused: refused", "refuse", "refused"),
                ("must be refused: bytes of it reached the service", "refuse", "reached"),
                ("must be refused: a whole request reached the service", "refuse", "served"),
                ("may be refused: refused", "may", "refused"),
                ("may be refused: a whole request reached the service", "may", "served"),
                ("must be served: served as it was sent", "serve", "fine"))
ANSWER_ROWS = (("must be refused: 502, or seen to be cut short", "refuse", "refused"),
               ("must be refused: the connection was used again", "refuse", "reused"),
               ("must be refused: passed as whole", "refuse", "served"),
               ("may be refused: refused", "may", "refused"),
               ("must be passed: passed, and the connection is not used again when bytes are left on it", "pass", "fine"))


def version(*argv):
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    return re.search(r"\d+\.\d+[.\d]*", done.stdout + done.stderr)[0]


def versions(programs):
    import proxies
    return "\n".join([
        f"| Adit | {version(programs / 'adit-gateway', '--version')} | defaults, any host routed to the service |",
        f"| nginx | {version(proxies.executable('nginx'), '-v')} (Debian 12) | `proxy_http_version 1.1`, `keepalive` |",
        f"| haproxy | {version(proxies.executable('haproxy'), '-v')} (Debian 12) | `mode http`, `http-reuse always` |"])


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--bin", type=pathlib.Path, default=pathlib.Path("build/dev/bin"), help="Adit's programs")
    arguments.add_argument("--out", type=pathlib.Path, default=pathlib.Path("docs/conformance.md"))
    options = arguments.parse_args()
    os.environ["ADIT_BIN"] = str(options.bin)
    # Only now: programs.py reads ADIT_BIN.
    import answer_cases
    import observe
    import pki
    import proxies
    import recorder
    import request_cases
    from programs import free_port

    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        service = recorder.Recorder(free_port())
        names = ("Adit", "nginx", "haproxy")
        started = [proxies.Adit(folder / "adit", pki.Authority(folder), service.port, ["--workers", "1"]),
                   proxies.nginx(folder / "nginx", service.port), proxies.haproxy(folder / "haproxy", service.port)]
        try:
            requests, request_tables = run(
                request_cases.GROUPS, lambda proxy, service, case: observe.observe(proxy, service, case.sent, PATIENCE),
                names, started, service, request_cell, count_request, lambda *a: summary(REQUEST_ROWS, *a))
            answers, answer_tables = run(
                answer_cases.GROUPS, lambda proxy, service, case: observe.observe_answer(proxy, service, case, PATIENCE),
                names, started, service, answer_cell, count_answer, lambda *a: summary(ANSWER_ROWS, *a))
        finally:
            for proxy in started:
                proxy.stop()
    text = INTRODUCTION.format(versions=versions(options.bin.resolve()), patience=PATIENCE,
                               summary=f"Requests:\n\n{requests}\n\nAnswers:\n\n{answers}")
    options.out.write_text("\n".join([text, "## Requests\n", *request_tables, "## Answers\n", *answer_tables]))
    print(f"{options.out}: written")


if __name__ == "__main__":
    main()
