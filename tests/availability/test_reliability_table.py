"""docs/availability.md: the tests that its table names are there and carry their ids; the balancer in it is the tested one."""
import pathlib
import re

import fleet

ROOT = pathlib.Path(__file__).parents[2]
PAGE = ROOT / "docs" / "availability.md"
ROW = re.compile(r"^\| (R\d+) \| (.+) \| (.+) \|$", re.MULTILINE)
TEST = re.compile(r"`(tests/[\w/]+\.(?:py|cc))::([\w.]+)`")
# What belongs to availability; the other ids are of other topics.
EXPECTED = ["R1", "R2", "R3", "R4", "R5", "R7", "R8", "R9", "R10", "R19", "R21", "R31"]


def names_in(file):
    """The names of the tests in a file: functions of Python, Suite.Name of GoogleTest."""
    text = (ROOT / file).read_text(encoding="utf-8")
    if file.endswith(".py"):
        return set(re.findall(r"^def (test_\w+)\(", text, re.MULTILINE))
    return {f"{suite}.{name}" for suite, name in re.findall(r"^TEST(?:_[FP])?\((\w+), (\w+)\)", text, re.MULTILINE)}


def test_every_case_has_tests_that_are_there_and_carry_its_id():
    rows = ROW.findall(PAGE.read_text(encoding="utf-8"))
    assert [identifier for identifier, _, _ in rows] == EXPECTED
    wrong = []
    for identifier, _, where in rows:
        named = TEST.findall(where)
        wrong += [f"{identifier}: {file}::{name} is not there" for file, name in named
                  if not (ROOT / file).exists() or name not in names_in(file)]
        if not any(re.search(rf"(^|_|\.){identifier}(_|$)", name, re.IGNORECASE) for _, name in named):
            wrong.append(f"{identifier}: no test carries its id")
    assert not wrong, wrong


def test_the_balancer_of_the_page_is_the_tested_one():
    text = PAGE.read_text(encoding="utf-8")
    shown = re.search(r"```haproxy\n(.*?)```", text, re.DOTALL)[1]
    assert shown.startswith(fleet.BALANCER)
    assert shown.count(fleet.CHECKS) == 2, "visitors and links"
