"""What tests ask of a declaration, of a run and of a statement: for opcheck's suite and for yours.

Each ``check_...`` takes a declaration or its name and raises ``CheckFailed``, an AssertionError of
one sentence, for the first promise that it does not keep; ``assert_...`` do the same of a run or a
statement. Only ``parametrize_with_checks`` needs pytest.
"""

from opcheck.testing.assertions import (
    assert_bound,
    assert_certified,
    assert_proved,
    assert_rate,
)
from opcheck.testing.checks import (
    CheckFailed,
    check_figure,
    check_measure,
    check_method,
    check_operator,
    check_paper,
    check_problem,
    check_resolvent,
    check_theorem,
)
from opcheck.testing.collected import Item, checks_of, parametrize_with_checks

__all__ = [
    "CheckFailed",
    "Item",
    "assert_bound",
    "assert_certified",
    "assert_proved",
    "assert_rate",
    "check_figure",
    "check_measure",
    "check_method",
    "check_operator",
    "check_paper",
    "check_problem",
    "check_resolvent",
    "check_theorem",
    "checks_of",
    "parametrize_with_checks",
]
