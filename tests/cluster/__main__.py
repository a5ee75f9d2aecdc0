"""python3 -m cluster up|down: a cluster that a keeper in the background owns."""
import argparse
import os
import sys

from . import keeper


def main():
    parser = argparse.ArgumentParser(prog="cluster")
    parser.add_argument("command", choices=("up", "down", "keep"))
    parser.add_argument("--state", required=True, help="folder for kubeconfig, keeper.pid and keeper.log")
    parser.add_argument("--limit", type=int, default=8 * 3600, help="seconds after which it ends by itself")
    parser.add_argument("--with-parent", action="store_true", help="it ends when the caller of this command ends")
    parser.add_argument("--controllers", action="store_true", help="garbage collection, and deletion of namespaces")
    parser.add_argument("--manifest", action="append", default=[], help="file or folder to apply first, such as CRDs")
    parser.add_argument("--parent", type=int, default=0, help=argparse.SUPPRESS)
    parser.add_argument("--ready", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.command == "keep":
        return keeper.keep(options)
    if options.command == "down":
        return keeper.down(options.state)
    if options.with_parent:
        options.parent = os.getppid()
    return keeper.up(options)


if __name__ == "__main__":
    sys.exit(main())
