"""The table of targets: ratios of Adit to others within one run, and how far Adit may go on its own."""
from statistics import median

import load
import tls_cost
from tunnels import HOSTS, OTHERS

YES, NO = "yes", "**no**"


def ratio(kind, name, other):
    """The median of the rounds' ratios of `kind` (load.cpu, load.rate) in workload `name`: Adit ÷ other. Of each round,
    since the machine's speed moves from round to round by more than what is looked for."""
    def value(found):
        rounds = found.rounds(name, "adit", other)
        each = [(kind(load.WORKLOADS[name], ours), kind(load.WORKLOADS[name], theirs)) for ours, theirs in rounds]
        return median(ours / theirs for ours, theirs in each) if each and all(theirs for _, theirs in each) else None
    return value


def idle(system, tls, program=0):
    """KiB for each idle connection at a program, in the row with the most connections."""
    def value(found):
        rows = [row for row in found.idle if row.system == system and row.tls == tls]
        return max(rows, key=lambda row: row.count).kib[program] if rows else None
    return value


def idle_tls_ratio(found):
    ours, theirs = idle("adit", True)(found), idle("nginx1", True)(found)
    return ours / theirs if ours is not None and theirs else None


def idle_streams(found):
    """The most streams open on the links while visitors were idle."""
    return max((row.streams for row in found.idle if row.streams is not None), default=None)


def added_latency(name, other):
    """p50 of one client beyond that of the upstream alone: Adit ÷ other."""
    def value(found):
        p50 = [[figures["p50_us"] for figures in turn] for turn in found.rounds(name, "adit", other, "direct")]
        if not p50 or any(theirs <= alone for _, theirs, alone in p50):
            return None
        return median((ours - alone) / (theirs - alone) for ours, theirs, alone in p50)
    return value


def of_streams(read):
    return lambda found: read(found.streams) if found.streams else None


def of_distance(read):
    return lambda found: read(found.distance) if found.distance else None


def of_tunnels(read):
    return lambda found: read(found.tunnels) if found.tunnels else None


def spread_cost(tunnels):
    small = load.WORKLOADS["small"]
    turns = zip(tunnels.figures[(OTHERS, HOSTS)], tunnels.figures[(0, 1)])
    return median(load.cpu(small, many) / load.cpu(small, one) for many, one in turns)


# what, value, sign that says which way is better, must, aim.
TARGETS = (
    ("small: CPU per request ÷ nginx2", ratio(load.cpu, "small", "nginx2"), "≤", 0.6, None),
    ("small: CPU per request ÷ haproxy2", ratio(load.cpu, "small", "haproxy2"), "≤", 1.0, None),
    ("small: CPU per request ÷ nginx1", ratio(load.cpu, "small", "nginx1"), "≤", None, 1.2),
    ("small: requests/s ÷ nginx1", ratio(load.rate, "small", "nginx1"), "≥", 0.8, 1.0),
    ("bulk: Gbit/s ÷ nginx2", ratio(load.rate, "bulk", "nginx2"), "≥", 1.2, 1.7),
    ("bulk: CPU s/GB ÷ nginx2", ratio(load.cpu, "bulk", "nginx2"), "≤", 1.0, 0.8),
    ("bulk, one download: Gbit/s ÷ nginx2", ratio(load.rate, "bulk1", "nginx2"), "≥", 1.0, None),
    ("upload, 8 at once: Gbit/s ÷ nginx2", ratio(load.rate, "upload", "nginx2"), "≥", 1.0, None),
    ("upload, 8 at once: CPU s/GB ÷ nginx2", ratio(load.cpu, "upload", "nginx2"), "≤", 1.0, None),
    ("one client: p50 beyond the upstream's own ÷ nginx2", added_latency("one", "nginx2"), "≤", 1.0, None),
    ("four clients: CPU per request ÷ nginx2", ratio(load.cpu, "four", "nginx2"), "≤", 1.0, None),
    ("far: one download at 100 ms ÷ raw TCP", of_distance(lambda d: d.ratio("download")), "≥", 0.9, None),
    ("far: one upload at 100 ms ÷ raw TCP", of_distance(lambda d: d.ratio("upload")), "≥", 0.9, None),
    ("far: p99 of small requests beside bulk ÷ alone", of_distance(lambda d: d.beside_ratio()), "≤", 3, None),
    ("idle streams: gateway, KiB each", of_streams(lambda s: s.gateway_kib), "≤", 16, 8),
    ("idle streams: connector, KiB each", of_streams(lambda s: s.connector_kib), "≤", 16, 8),
    ("close: CPU per request ÷ nginx2", ratio(load.cpu, "close", "nginx2"), "≤", 1.0, None),
    ("close: CPU per request ÷ nginx1", ratio(load.cpu, "close", "nginx1"), "≤", None, 1.5),
    ("tls: CPU per request that TLS adds to small ÷ nginx1", lambda found: tls_cost.ratio(found.tls_cost), "≤", 1.2, None),
    ("handshake: handshakes/s ÷ nginx1", ratio(load.rate, "handshake", "nginx1"), "≥", 0.9, None),
    ("idle: gateway, KiB for each plain connection", idle("adit", False), "≤", 8, 4),
    ("idle: gateway, KiB for each TLS connection ÷ nginx1", idle_tls_ratio, "≤", 1.2, None),
    # Not 0: the connector's memory moves by a page or two.
    ("idle: connector, KiB for each plain connection", idle("adit", False, 1), "≤", 0.1, None),
    ("idle: connector, KiB for each TLS connection", idle("adit", True, 1), "≤", 0.1, None),
    # One that was opened for the requests one after the other, and is kept for the next.
    ("idle: streams open for all of them", idle_streams, "≤", 2, None),
    ("tunnels: gateway, KiB for each that is configured", of_tunnels(lambda t: t.configured_kib), "≤", 4, None),
    ("tunnels: gateway, KiB more after its first request", of_tunnels(lambda t: t.used_kib), "≤", 8, None),
    ("tunnels: CPU per request, 10,001 configured and 1,000 hosts ÷ 1 and 1", of_tunnels(spread_cost), "≤", 1.1, None),
    ("tunnels: ns to find one host of 10,000", of_tunnels(lambda t: t.lookup_ns), "≤", 200, None),
)


def within(value, sign, limit):
    if limit is None:
        return "–"
    return YES if (value <= limit if sign == "≤" else value >= limit) else NO


def table(found):
    """The table, and whether every must that was measured is reached."""
    lines = ["| workload: what | Adit | must | reached | aim | reached |", "|---|---|---|---|---|---|"]
    all_reached = True
    for what, read, sign, must, aim in TARGETS:
        value = read(found)
        if value is None:
            continue
        reached = within(value, sign, must)
        all_reached &= reached != NO
        shown = [f"{sign} {limit}" if limit is not None else "–" for limit in (must, aim)]
        lines.append(f"| {what} | {value:.2f} | {shown[0]} | {reached} | {shown[1]} | {within(value, sign, aim)} |")
    failed = found.errors("adit")
    if failed:
        lines.append(f"| requests that failed through Adit | {failed} | 0 | {NO} | – | – |")
        all_reached = False
    return ("\n".join(lines) if len(lines) > 2 else "Adit was not measured."), all_reached
