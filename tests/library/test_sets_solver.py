"""Every registered set against Clarabel, which knows it as a cone program and not as a formula."""

from __future__ import annotations

import pytest

from opcheck import registry
from opcheck.testing.minimiser import program_of, solver_error


@pytest.mark.parametrize("name", registry.names("sets"))
def test_resolvent_equals_a_solver(name: str) -> None:
    """A new set also says how a solver sees it: ``@resolvent_family(program=...)``."""
    J = registry.get("sets", name)()
    program = program_of(name)
    assert J.dim in (0, program.dim)
    assert solver_error(J, program) <= 1
    assert solver_error(J, program, off=1e-5) > 1
