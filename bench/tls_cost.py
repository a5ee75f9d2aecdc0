"""What TLS adds to a request: the small workload with and without it, in short turns.

It is a difference of two figures that are close, and runs minutes apart differ by more than that: so each system is
loaded plain and by TLS right after one another, many times, and the differences within the pairs are taken.
"""
from statistics import median

from load import WORKLOADS, cpu, load

SYSTEMS = ("nginx1", "adit")
TURNS = 12
SECONDS = 1


def measure(systems):
    """System → µs of CPU that TLS adds to a request, of each turn."""
    plain, tls = WORKLOADS["small"], WORKLOADS["tls"]
    added = {system.name: [] for system in systems if system.name in SYSTEMS}
    for number in range(TURNS):
        for system in (s for s in systems if s.name in added):
            first, second = (plain, tls) if number % 2 == 0 else (tls, plain)  # whatever comes second has warmer caches
            cost = {w.name: cpu(w, load(system, w, SECONDS)) for w in (first, second)}
            added[system.name].append(cost["tls"] - cost["small"])
        print(f"turn {number + 1:2} TLS adds  " + "  ".join(f"{n} {a[-1]:.2f} µs/req" for n, a in added.items()), flush=True)
    return added


def ratio(added, ours="adit", theirs="nginx1"):
    """Of the medians; None where one was not measured."""
    if not added or ours not in added or theirs not in added:
        return None
    return median(added[ours]) / median(added[theirs])
