#!/usr/bin/env python3
"""make bench: Adit beside nginx and haproxy on this machine, interleaved in one run; writes bench/RESULTS.md.

Load generator, upstream and the system under test share the machine's cores, nothing is pinned. Only ratios within one
run and CPU per request say something; absolute figures differ between machines and days.
"""
import argparse
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

import results
from systems import Bench, answers

HERE = pathlib.Path(__file__).resolve().parent
SYSTEMS = ("direct", "nginx1", "nginx2", "haproxy1", "haproxy2", "adit")
WORKLOADS = {"small": (64, "/small"), "bulk": (8, "/big")}


def load(system, workload, seconds):
    """One wrk run: its figures, with the CPU seconds that each program of the system used meanwhile."""
    connections, path = WORKLOADS[workload]
    before = [program.cpu_seconds() for program in system.programs]
    run = subprocess.run(
        ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s", "--latency", "-s",
         str(HERE / "report.lua"), f"http://127.0.0.1:{system.port}{path}"],
        capture_output=True, text=True, timeout=seconds + 30, check=False)
    after = [program.cpu_seconds() for program in system.programs]
    line = next((l for l in run.stdout.splitlines() if l.startswith("RESULT ")), None)
    if line is None:
        raise SystemExit(f"wrk gave no result for {system.name} {workload}:\n{run.stdout}{run.stderr}")
    figures = json.loads(line[len("RESULT "):])
    figures["cpu"] = [b - a for a, b in zip(before, after)]
    return figures


def wait_for(system, seconds=20):
    deadline = time.monotonic() + seconds
    while not answers(system.port):
        if time.monotonic() > deadline:
            logs = "\n".join(f"--- {p.name}\n{p.log.read_text()[-2000:]}" for p in system.programs)
            raise SystemExit(f"{system.name} does not answer the small page:\n{logs}")
        time.sleep(0.1)


def measure(bench, options):
    """(system, workload) → figures of each round; the rounds go through all systems in turn."""
    systems = [getattr(bench, name)() for name in options.systems]
    for system in systems:
        wait_for(system)
        for workload in options.only:
            load(system, workload, 1)  # connections made, memory touched
    figures = {}
    for number in range(options.rounds):
        for workload in options.only:
            for system in systems:
                found = load(system, workload, options.seconds)
                figures.setdefault((system.name, workload), []).append(found)
                print(f"round {number + 1} {workload:5} {results.one_line(system, workload, found)}", flush=True)
    return systems, figures


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
    parser.add_argument("--bin", help="folder of adit-gateway and adit-connector")
    parser.add_argument("--systems", type=listed(SYSTEMS), default=list(SYSTEMS))
    parser.add_argument("--only", type=listed(WORKLOADS), default=list(WORKLOADS))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=5, help="of each run; below 3 the figures are rough")
    parser.add_argument("--quick", action="store_true", help="one round of 2 s: shows that it works, no more")
    parser.add_argument("--output", default=str(HERE / "RESULTS.md"), help="- for none")
    parser.add_argument("--enforce", action="store_true", help="end with 1 when a must is not reached")
    options = parser.parse_args(arguments)
    if options.quick:
        options.rounds, options.seconds = 1, 2
    if "adit" in options.systems and not options.bin:
        parser.error("--bin is needed to measure adit (or leave it out of --systems)")
    return options


def main():
    options = parse(sys.argv[1:])
    memory = "/dev/shm" if pathlib.Path("/dev/shm").is_dir() and shutil.disk_usage("/dev/shm").free > 1 << 30 else None
    with tempfile.TemporaryDirectory(prefix="adit-bench-", dir=memory) as folder:
        bench = None
        try:
            bench = Bench(folder, options.bin)
            systems, figures = measure(bench, options)
        finally:
            if bench:
                bench.stop()
    text, reached = results.report(systems, figures, options)
    print("\n" + text)
    if options.output != "-":
        pathlib.Path(options.output).write_text(text)
    return 1 if options.enforce and not reached else 0


if __name__ == "__main__":
    sys.exit(main())
