"""One tunnel configured against 10,000: what each costs in memory, and whether requests get dearer.

A connector serves one tunnel, and many links would batch worse than one, whatever is configured. So the requests go to a
tunnel with 1,000 hosts, and the others are configured beside it and answer 503 for want of a connector.
"""
import dataclasses
import http.client
import re
import subprocess
import time

from load import WORKLOADS, load, one_line

OTHERS = 10_000
HOSTS = 1_000
LOOKUPS = 25
TURNS, SECONDS = 3, 2  # for each round: the costs are close, so they are compared in many short turns


@dataclasses.dataclass
class Tunnels:
    """What was found of Adit with one and with OTHERS more tunnels."""
    configured_kib: float  # for each, at the gateway
    used_kib: float  # in addition, once it was asked for
    figures: dict  # (others, hosts) → figures of each round
    lookup_ns: float | None  # one host of 10,000 in a route table


def wait_for(system, host, seconds=30):
    deadline = time.monotonic() + seconds
    while not system.answers(host):
        if time.monotonic() > deadline:
            raise SystemExit(f"{host} is not answered:\n{system.programs[0].log.read_text()[-2000:]}")
        time.sleep(0.1)


def ask_each(system):
    """One request to each of the tunnels that are only configured."""
    visitor = http.client.HTTPConnection("127.0.0.1", system.port, timeout=10)
    for number in range(OTHERS):
        visitor.request("GET", "/", headers={"Host": f"other-{number}.test"})
        answer = visitor.getresponse()
        answer.read()
        if answer.status != 503:
            raise SystemExit(f"tunnel {number} answered {answer.status}, not 503")
    visitor.close()


def lookup(tools):
    """Nanoseconds, by the benchmark of the route table; the least of runs over some seconds, since others on the
    machine only add."""
    program = tools / "bench_table"
    if not program.exists():
        return None
    found = []
    for _ in range(LOOKUPS):
        time.sleep(0.3)
        text = subprocess.run([str(program), str(OTHERS), "50"], capture_output=True, text=True, check=True).stdout
        found.append(float(re.search(r"^hosts in turn\s+([\d.]+) ns", text, re.M)[1]))
    return min(found)


def measure(bench, rounds, tools):
    hosts = [f"h{number}.test" for number in range(HOSTS)]
    systems = {others: bench.adit(f"-{others}-tunnels", hosts, others) for others in (0, OTHERS)}
    for system in systems.values():
        wait_for(system, hosts[-1])
    time.sleep(6)  # the gateway reads the folder once more, two seconds after the start
    few, many = (system.programs[0].rss() for system in systems.values())
    runs = ((0, 1), (OTHERS, 1), (OTHERS, HOSTS))
    figures = {run: [] for run in runs}
    small = WORKLOADS["small"]
    for others, count in runs:
        load(systems[others], small, 1, count)
    for number in range(rounds * TURNS):
        for others, count in runs:
            found = load(systems[others], small, SECONDS, count)
            figures[others, count].append(found)
            print(f"turn {number + 1:2} {others + 1:6,} tunnels, {count:5,} hosts: "
                  f"{one_line(systems[others], small, found)}", flush=True)
    unused = systems[OTHERS].programs[0].rss()
    ask_each(systems[OTHERS])
    used = systems[OTHERS].programs[0].rss()
    for system in systems.values():
        system.stop()
    return Tunnels((many - few) / OTHERS, (used - unused) / OTHERS, figures, lookup(tools))
