#!/usr/bin/python3
"""Runs the scenarios of scenarios.py for ROUNDS rounds each, with requests of 20 s, and prints what became of them.

    tests/availability/run.py [--bin DIR] [--rounds N] [--quick] [--only WORDS]

Ends with 1 if any request failed.
"""
import argparse
import os
import pathlib
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "component"), str(HERE.parent)]


def parsed():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", default="build/release/bin", help="where the programs are")
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--quick", action="store_true", help="requests of 3 s instead of 20")
    parser.add_argument("--only", default="", help="scenarios whose name has these words")
    return parser.parse_args()


def main():
    asked = parsed()
    os.environ["ADIT_BIN"] = asked.bin
    import pki
    from journal import merged
    from scenarios import FULL, QUICK, SCENARIOS, run

    failed = 0
    with tempfile.TemporaryDirectory(prefix="adit-availability-") as folder:
        folder = pathlib.Path(folder)
        authority = pki.Authority(folder)
        for scenario in SCENARIOS.values():
            if asked.only not in scenario.name:
                continue
            journals = []
            for number in range(asked.rounds):
                journal, began = run(scenario, folder / f"{scenario.steps.__name__}-{scenario.gateways}-{number}", authority,
                                     QUICK if asked.quick else FULL)
                journals.append(journal)
                print(f"{scenario.name}: round {number + 1}: {journal.done()} done, {len(journal.failed())} failed", flush=True)
                print("".join(f"  {line}\n" for line in journal.complaints(began)), end="", flush=True)
            whole = merged(journals)
            failed += len(whole.failed())
            print(f"\n{scenario.name}, {asked.rounds} rounds\n\n{whole.table()}\n", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
