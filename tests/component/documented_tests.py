"""The tests that pages of docs/ name, as `tests/folder/file.py::name` or `tests/folder/file.cc::Suite.Name`."""
import pathlib
import re

ROOT = pathlib.Path(__file__).parents[2]
NAMED = re.compile(r"`(tests/[\w/]+\.(?:py|cc))::([\w.]+)`")


def names_in(file):
    """The names of the tests in a file: functions of Python, Suite.Name of GoogleTest."""
    text = (ROOT / file).read_text(encoding="utf-8")
    if file.endswith(".py"):
        return set(re.findall(r"^def (test_\w+)\(", text, re.MULTILINE))
    return {f"{suite}.{name}" for suite, name in re.findall(r"^TEST(?:_[FP])?\((\w+), (\w+)\)", text, re.MULTILINE)}


def tests_named(text):
    """What a piece of a page names: (file, test) each."""
    return NAMED.findall(text)


def missing(named):
    return [f"{file}::{name}" for file, name in named if not (ROOT / file).exists() or name not in names_in(file)]
