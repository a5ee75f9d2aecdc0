"""Every request of the table, through gateway and connector to a service that records."""
import pytest

import request_cases
from observe import mistakes, observe
from programs import PATIENCE

CASES = [pytest.param(case, id=f"{group}: {case.name}") for group, _, cases in request_cases.GROUPS for case in cases]


@pytest.mark.parametrize("case", CASES)
def test_request(adit, service, case):
    seen = observe(adit, service, case.sent, PATIENCE)
    wrong = mistakes(case, seen)
    assert not wrong, f"{'; '.join(wrong)}\nanswers: {seen.answers[:400]!r}\nservice: {seen.raw[:400]!r}"
