"""Figures → the results page: medians of the rounds with their range."""
import datetime
import os
import pathlib
import platform
from statistics import median

import streams
import targets
from load import WORKLOADS, cpu, rate
from systems import version


class Found:
    """All that one run has found."""

    def __init__(self):
        self.systems = []
        self.figures = {}  # (system, workload) → figures of each round
        self.idle = []  # idle.Idle
        self.streams = None  # streams.Streams
        self.distance = None  # distance.Distance
        self.no_distance = None  # why it was not measured
        self.tls_cost = None  # of tls_cost.measure
        self.tunnels = None  # tunnels.Tunnels

    def rounds(self, name, *systems):
        """What each round found for these systems in workload `name`; empty if one of them was not measured."""
        return list(zip(*(self.figures.get((system, name), []) for system in systems)))

    def errors(self, system):
        more = [f for rounds in self.tunnels.figures.values() for f in rounds] if self.tunnels else []
        own = [f for (name, _), rounds in self.figures.items() if name == system for f in rounds]
        return sum(f["errors"] for f in own + more)


def spread(values, digits):
    """Median [least–most]."""
    middle = f"{median(values):,.{digits}f}"
    return middle if len(values) == 1 else f"{middle} [{min(values):,.{digits}f}–{max(values):,.{digits}f}]"


def table(head, rows):
    return "\n".join(["| " + " | ".join(head) + " |", "|---" * len(head) + "|",
                      *("| " + " | ".join(row) + " |" for row in rows)])


def load_row(workload, title, programs, rounds):
    digits = (1, 2) if workload.bulk else (0, 1)
    each = " + ".join(f"{median(cpu(workload, f, i) for f in rounds):.{digits[1]}f}" for i in range(programs))
    times = [] if workload.bulk else [f"{median(f[p] for f in rounds):,.0f}" for p in ("p50_us", "p99_us")]
    return [title, spread([rate(workload, f) for f in rounds], digits[0]), *times, each or "–",
            spread([cpu(workload, f) for f in rounds], digits[1]) if programs else "–",
            str(sum(f["errors"] for f in rounds))]


def load_table(workload, rows):
    """`rows`: (title, number of programs, figures of each round)."""
    times = [] if workload.bulk else ["p50 µs", "p99 µs"]
    cost = "CPU s/GB" if workload.bulk else "CPU µs/request"
    return table(["system", workload.unit, *times, f"{cost}: public + private", "in all", "errors"],
                 [load_row(workload, *row) for row in rows])


def idle_table(found):
    titles = {system.name: system.title for system in found.systems}
    rows = []
    for tls in (False, True):
        for row in (row for row in found.idle if row.tls == tls):
            rows.append([titles[row.system], f"{row.count:,} {'TLS' if tls else 'plain'}",
                         " + ".join(f"{kib:.2f}" for kib in row.kib),
                         f"{row.rate_ratio:.2f}" if row.rate_ratio else "–",
                         f"{row.streams:.0f}" if row.streams is not None else "–"])
    return table(["system", "idle connections", "KiB each: public + private", "small req/s with them ÷ without",
                  "streams open"], rows)


def tunnels_table(tunnels):
    rows = [(f"{others + 1:,} configured, requests to {hosts:,} of the hosts", 2, rounds)
            for (others, hosts), rounds in tunnels.figures.items()]
    lookup = f"{tunnels.lookup_ns:.0f} ns" if tunnels.lookup_ns is not None else "not measured"
    return (load_table(WORKLOADS["small"], rows) +
            f"\n\nGateway: {tunnels.configured_kib:.2f} KiB for each that is configured, {tunnels.used_kib:.2f} KiB more"
            f" once it was asked for. To find one host of 10,000: {lookup}.")


def distance_table(found):
    rows = [[network, way, spread([raw for raw, _ in rounds], 0), spread([adit for _, adit in rounds], 0),
             spread([adit / raw for raw, adit in rounds], 2)] for (network, way), rounds in found.streams.items()]
    return table(["network", "one", "raw TCP, Mbit/s", "Adit, Mbit/s", "Adit ÷ raw"], rows)


def beside_table(found):
    rows = [[what, f"{median(r[i]['p50_us'] for r in found.beside) / 1e3:.1f}",
             f"{median(r[i]['p99_us'] for r in found.beside) / 1e3:.1f}"]
            for i, what in enumerate(("alone", "beside four downloads of "
                                      f"{median(r[2] for r in found.beside):.0f} Mbit/s on the only link"))]
    return table(["small requests of four visitors, 20 ms and 200 Mbit/s", "p50 ms", "p99 ms"], rows)


def machine():
    model = next((l.split(":", 1)[1].strip() for l in pathlib.Path("/proc/cpuinfo").read_text().splitlines()
                  if l.startswith("model name")), platform.machine())
    return f"{os.cpu_count()} × {model}, Linux {platform.release()}"


def versions(options):
    found = [version(["nginx", "-v"]), version(["haproxy", "-v"]).split(" 20")[0],
             version(["openssl", "version"]).split(" (")[0]]
    if options.bin:
        found.insert(0, version([str(pathlib.Path(options.bin, "adit-gateway")), "--version"]))
    return "; ".join(found)


def report(found, options):
    """The whole page, and whether every must is reached."""
    judged, reached = targets.table(found)
    parts = [
        "# Results of `make bench`", "",
        f"{datetime.date.today()}; {machine()}; {versions(options)}.", "",
        f"Medians [least–most] of {options.rounds} rounds of {options.seconds} s that go through all systems in turn. Load",
        "generator (wrk, one thread), upstream (nginx, one worker) and the system share the cores; nothing is pinned. So only",
        "ratios within one run and CPU per unit of work say something. Every program has one worker; all TLS is 1.3 with",
        "AES-128-GCM and the same ECDSA P-256 certificate; nginx and haproxy write no access log; Adit runs with routing,",
        "metrics and an access log to a file.", "", "## Targets", "",
        "A ratio is the median of the rounds' ratios: the machine's speed moves between rounds more than within one.", "",
        "nginx1, nginx2: nginx with one hop and with two, TLS between; haproxy2: the same with HTTP/2.", "", judged, ""]
    for workload in (w for name, w in WORKLOADS.items() if name in options.only):
        rows = [(s.title, len(s.programs), found.figures[s.name, workload.name])
                for s in found.systems if (s.name, workload.name) in found.figures]
        parts += [f"## {workload.title}", "", load_table(workload, rows), ""]
    if found.tls_cost:
        costs = "; ".join(f"{name} {spread(added, 2)} µs" for name, added in found.tls_cost.items())
        parts += ["What TLS adds to the CPU of a small request, by pairs of short runs with and without it: " + costs + ".", ""]
    if found.idle:
        parts += ["## Idle visitors", "", "Keep-alive connections after one request each; resident memory 2 s later, less "
                  "that of before, by their number.", "", idle_table(found), ""]
    if found.tunnels:
        parts += ["## One tunnel and 10,000", "",
                  "The small workload. The tunnel that is asked for has 1,000 hosts; the others have one each.", "",
                  tunnels_table(found.tunnels), ""]
    if found.streams:
        parts += ["## Idle streams", "", f"{streams.COUNT:,} upgraded connections that nobody uses: gateway "
                  f"{found.streams.gateway_kib:.2f} KiB each, the visitor's connection included; connector "
                  f"{found.streams.connector_kib:.2f} KiB.", ""]
    if found.distance:
        parts += ["## Far apart", "", "Gateway and connector in network namespaces, joined by a user-space link; TCP of",
                  "this machine with its own buffers and congestion control.", "", distance_table(found.distance), "",
                  beside_table(found.distance), ""]
    elif found.no_distance:
        parts += ["## Far apart", "", f"Not measured: {found.no_distance}.", ""]
    return "\n".join(parts), reached
