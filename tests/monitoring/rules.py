"""The alerts as Prometheus reads them."""
import pathlib

import yaml

ROOT = pathlib.Path(__file__).parents[2]
FILES = sorted((ROOT / "charts").glob("*/alerts/*.yaml"))


def groups():
    return [group for file in FILES for group in yaml.safe_load(file.read_text(encoding="utf-8"))["groups"]]


def alerts():
    return [rule for group in groups() for rule in group["rules"]]
