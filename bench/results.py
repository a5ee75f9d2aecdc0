"""Figures → tables: medians of the rounds with their range, and the targets as ratios within this run."""
import datetime
import os
import pathlib
import platform
from statistics import median

from systems import BIG_BYTES, version

# workload, what, of, compared with, must, aim; the sign says which way is better.
TARGETS = (
    ("small", "CPU per request", "cpu", "nginx2", "≤", 0.6, None),
    ("small", "CPU per request", "cpu", "haproxy2", "≤", 1.0, None),
    ("small", "CPU per request", "cpu", "nginx1", "≤", None, 1.2),
    ("small", "requests/s", "rate", "nginx1", "≥", 0.8, 1.0),
    ("bulk", "Gbit/s", "rate", "nginx2", "≥", 1.2, 1.7),
    ("bulk", "CPU s/GB", "cpu", "nginx2", "≤", 1.0, 0.8),
)


def unit(workload, found):
    """What the rate counts and CPU is divided by: requests, or 10^9 bytes."""
    return found["requests"] if workload == "small" else found["bytes"] / 1e9


def rate(workload, found):
    """Requests or Gbit a second."""
    return unit(workload, found) / found["seconds"] * (1 if workload == "small" else 8)


def cpu(workload, found, program=None):
    """CPU µs per request or CPU s per GB, of one program or of all together."""
    used = sum(found["cpu"]) if program is None else found["cpu"][program]
    return used / max(unit(workload, found), 1e-9) * (1e6 if workload == "small" else 1)


def one_line(system, workload, found):
    cost = " + ".join(f"{cpu(workload, found, i):.2f}" for i in range(len(found["cpu"])))
    errors = f", {found['errors']} ERRORS" if found["errors"] else ""
    return (f"{system.name:9} {rate(workload, found):10,.1f} {'req/s' if workload == 'small' else 'Gbit/s'}"
            f"  CPU {cost or '–'} {'µs/req' if workload == 'small' else 's/GB'}  p99 {found['p99_us']} µs{errors}")


def spread(values, digits):
    """Median [least–most]."""
    middle = f"{median(values):,.{digits}f}"
    return middle if len(values) == 1 else f"{middle} [{min(values):,.{digits}f}–{max(values):,.{digits}f}]"


def table(workload, systems, figures):
    head = {"small": "| system | req/s | p50 µs | p99 µs | CPU µs/request: public + private | in all | errors |",
            "bulk": "| system | Gbit/s | CPU s/GB: public + private | in all | errors |"}[workload]
    lines = [head, "|---" * (head.count("|") - 1) + "|"]
    digits = {"small": (0, 1), "bulk": (1, 2)}[workload]
    for system in systems:
        rounds = figures[system.name, workload]
        each = " + ".join(f"{median([cpu(workload, f, i) for f in rounds]):.{digits[1]}f}"
                          for i in range(len(system.programs)))
        cells = [system.title, spread([rate(workload, f) for f in rounds], digits[0])]
        if workload == "small":
            cells += [f"{median([f[p] for f in rounds]):,.0f}" for p in ("p50_us", "p99_us")]
        cells += [each or "–", spread([cpu(workload, f) for f in rounds], digits[1]) if system.programs else "–",
                  str(sum(f["errors"] for f in rounds))]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def within(value, sign, limit):
    if limit is None:
        return "–"
    return "yes" if (value <= limit if sign == "≤" else value >= limit) else "**no**"


def targets(figures):
    """The table of must and aim, and whether every must that was measured is reached."""
    measure = {"cpu": cpu, "rate": rate}
    lines = ["| workload | Adit ÷ | ratio | must | reached | aim | reached |", "|---|---|---|---|---|---|---|"]
    all_reached = True
    for workload, what, kind, other, sign, must, aim in TARGETS:
        if ("adit", workload) not in figures or (other, workload) not in figures:
            continue
        ours, theirs = (median([measure[kind](workload, f) for f in figures[name, workload]])
                        for name in ("adit", other))
        ratio = ours / theirs
        must_reached = within(ratio, sign, must)
        all_reached &= must_reached != "**no**"
        shown = [f"{sign} {limit}" if limit is not None else "–" for limit in (must, aim)]
        lines.append(f"| {workload}: {what} | {other} | {ratio:.2f} | {shown[0]} | {must_reached} | {shown[1]} | "
                     f"{within(ratio, sign, aim)} |")
    failed = sum(f["errors"] for (name, _), rounds in figures.items() if name == "adit" for f in rounds)
    if failed:
        lines.append(f"| requests that failed through Adit | – | {failed} | 0 | **no** | – | – |")
        all_reached = False
    return ("\n".join(lines) if len(lines) > 2 else "Adit was not measured."), all_reached


def machine():
    model = next((l.split(":", 1)[1].strip() for l in pathlib.Path("/proc/cpuinfo").read_text().splitlines()
                  if l.startswith("model name")), platform.machine())
    return f"{os.cpu_count()} × {model}, Linux {platform.release()}"


def report(systems, figures, options):
    """The whole page, and whether every must is reached."""
    judged, reached = targets(figures)
    names = {"small": "Small answers: 200 bytes, keep-alive, 64 connections",
             "bulk": f"Bulk: 8 downloads at once of {BIG_BYTES >> 20} MiB"}
    versions = [version(["nginx", "-v"]), version(["haproxy", "-v"]).split(" 20")[0], version(["openssl", "version"]).split(" (")[0]]
    if options.bin:
        versions.insert(0, version([str(pathlib.Path(options.bin, "adit-gateway")), "--version"]))
    parts = [
        "# Results of `make bench`", "",
        f"{datetime.date.today()}; {machine()}; {'; '.join(versions)}.", "",
        f"Medians [least–most] of {options.rounds} rounds of {options.seconds} s that go through all systems in turn. Load",
        "generator (wrk, one thread), upstream (nginx, one worker) and the system share the cores; nothing is pinned. So only",
        "ratios within one run and CPU per unit of work say something. Every program has one worker; halves speak TLS 1.3 with",
        "AES-128-GCM; nginx and haproxy write no access log; Adit runs with routing, metrics and an access log to a file.", "",
        "## Targets", "", judged, ""]
    for workload in options.only:
        parts += [f"## {names[workload]}", "", table(workload, systems, figures), ""]
    return "\n".join(parts), reached
