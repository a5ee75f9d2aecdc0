"""Every answer of the table, from a service through connector and gateway to a visitor."""
import pytest

import answer_cases
from observe import answer_mistakes, observe_answer
from programs import PATIENCE

CASES = [pytest.param(case, id=f"{group}: {case.name}") for group, _, cases in answer_cases.GROUPS for case in cases]


@pytest.mark.parametrize("case", CASES)
def test_answer(adit, service, case):
    seen = observe_answer(adit, service, case, PATIENCE)
    wrong = answer_mistakes(case, seen)
    assert not wrong, f"{'; '.join(wrong)}\nanswers: {seen.answers[:400]!r}"
