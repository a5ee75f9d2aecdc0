#!/usr/bin/env python3
"""make bench: Adit beside nginx and haproxy on this machine, interleaved in one run; writes bench/RESULTS.md.

Load generator, upstream and the system under test share the machine's cores, nothing is pinned. Only ratios within one
run and CPU per request say something; absolute figures differ between machines and days.
"""
import argparse
import pathlib
import resource
import shutil
import sys
import tempfile
import time

import distance
import idle
import results
import streams
import tls_cost
import tunnels
from load import WORKLOADS, load, one_line
from systems import NAMES, Bench

HERE = pathlib.Path(__file__).resolve().parent
OWN_WAY = ("idle", "streams", "tunnels", "distance")  # measured by modules of their own, from programs of their own


def wait_for(system, seconds=20):
    deadline = time.monotonic() + seconds
    while not system.answers():
        if time.monotonic() > deadline:
            logs = "\n".join(f"--- {p.name}\n{p.log.read_text()[-2000:]}" for p in system.programs)
            raise SystemExit(f"{system.name} does not answer the small page:\n{logs}")
        time.sleep(0.1)


def measure_loads(options, found):
    """The rounds go through all systems in turn."""
    workloads = [w for name, w in WORKLOADS.items() if name in options.only]
    tools = options.bin and pathlib.Path(options.bin)
    runs = [(w, s) for w in workloads for s in found.systems if w.includes(s.name)]
    for workload, system in runs:
        load(system, workload, 1, tools=tools)  # connections made, memory touched
    for number in range(options.rounds):
        for workload, system in runs:
            figures = load(system, workload, options.seconds, tools=tools)
            found.figures.setdefault((system.name, workload.name), []).append(figures)
            print(f"round {number + 1} {one_line(system, workload, figures)}", flush=True)


def measure(bench, options):
    found = results.Found()
    found.systems = [bench.system(name) for name in options.systems]
    for system in found.systems:
        wait_for(system)
    measure_loads(options, found)
    if "tls" in options.only:
        found.tls_cost = tls_cost.measure(found.systems)
    for system in found.systems:
        system.stop()
    if "idle" in options.only:
        found.idle = idle.measure(bench, options.systems, options.seconds)
    if "tunnels" in options.only and "adit" in options.systems:
        found.tunnels = tunnels.measure(bench, options.rounds, pathlib.Path(options.bin))
    if "streams" in options.only and "adit" in options.systems:
        found.streams = streams.measure(bench, pathlib.Path(options.bin).resolve())
    if "distance" in options.only and "adit" in options.systems:
        found.distance, found.no_distance = measure_distance(bench, options)
    return found


def measure_distance(bench, options):
    """What was found, or why nothing could be."""
    why = distance.why_not()
    if why:
        print(f"distance  not measured: {why}", flush=True)
        return None, why
    return distance.measure(bench, options.rounds, options.seconds, pathlib.Path(options.bin).resolve()), None


def parse(arguments):
    def listed(known):
        def split(text):
            names = text.split(",")
            unknown = [n for n in names if n not in known]
            if unknown:
                raise argparse.ArgumentTypeError(f"{unknown[0]} is none of {', '.join(known)}")
            return names
        return split

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bin", help="folder of the programs that make bench builds")
    parser.add_argument("--systems", type=listed(NAMES), default=list(NAMES))
    parser.add_argument("--only", type=listed((*WORKLOADS, *OWN_WAY)), default=[*WORKLOADS, *OWN_WAY],
                        help="of " + ", ".join((*WORKLOADS, *OWN_WAY)))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=4, help="of each run; below 3 the figures are rough")
    parser.add_argument("--quick", action="store_true", help="one round of 2 s: shows that it works, no more")
    parser.add_argument("--output", default=str(HERE / "RESULTS.md"), help="- for none")
    parser.add_argument("--enforce", action="store_true", help="end with 1 when a must is not reached")
    options = parser.parse_args(arguments)
    if options.quick:
        options.rounds, options.seconds = 1, 2
    if {"adit", "adit-two"} & set(options.systems) and not options.bin:
        parser.error("--bin is needed to measure adit (or leave it out of --systems)")
    for name in {"handshake", "upload"} & set(options.only):
        if not options.bin:
            parser.error(f"--bin is needed for {name} (or leave it out of --only)")
    return options


def main():
    options = parse(sys.argv[1:])
    # Thousands of connections for one process, and for the programs, which inherit this.
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    memory = "/dev/shm" if pathlib.Path("/dev/shm").is_dir() and shutil.disk_usage("/dev/shm").free > 1 << 30 else None
    with tempfile.TemporaryDirectory(prefix="adit-bench-", dir=memory) as folder:
        bench = None
        try:
            bench = Bench(folder, options.bin)
            found = measure(bench, options)
        finally:
            if bench:
                bench.stop()
    text, reached = results.report(found, options)
    print("\n" + text)
    if options.output != "-":
        pathlib.Path(options.output).write_text(text)
    return 1 if options.enforce and not reached else 0


if __name__ == "__main__":
    sys.exit(main())
