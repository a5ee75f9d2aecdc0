"""docs/availability.md: the tests that its table names are there and carry their ids; the balancer in it is the tested one."""
import re

import documented_tests
import fleet

PAGE = documented_tests.ROOT / "docs" / "availability.md"
ROW = re.compile(r"^\| (R\d+) \| (.+) \| (.+) \|$", re.MULTILINE)
# What belongs to availability; the other ids are of other topics.
EXPECTED = ["R1", "R2", "R3", "R4", "R5", "R7", "R8", "R9", "R10", "R19", "R21", "R31"]


def test_every_case_has_tests_that_are_there_and_carry_its_id():
    rows = ROW.findall(PAGE.read_text(encoding="utf-8"))
    assert [identifier for identifier, _, _ in rows] == EXPECTED
    wrong = []
    for identifier, _, where in rows:
        named = documented_tests.tests_named(where)
        wrong += [f"{identifier}: {test} is not there" for test in documented_tests.missing(named)]
        if not any(re.search(rf"(^|_|\.){identifier}(_|$)", name, re.IGNORECASE) for _, name in named):
            wrong.append(f"{identifier}: no test carries its id")
    assert not wrong, wrong


def test_the_balancer_of_the_page_is_the_tested_one():
    text = PAGE.read_text(encoding="utf-8")
    shown = re.search(r"```haproxy\n(.*?)```", text, re.DOTALL)[1]
    assert shown.startswith(fleet.BALANCER)
    assert shown.count(fleet.CHECKS) == 2, "visitors and links"
