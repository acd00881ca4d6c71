"""Every registered set against Clarabel, which knows it as a cone program and not as a formula."""

from __future__ import annotations

import pytest
from conformance import program_of, solver_error

from opcheck import registry


@pytest.mark.parametrize("name", registry.names("sets"))
def test_resolvent_equals_a_solver(name: str) -> None:
    """A new set also says how a solver sees it: ``@resolvent_family(program=...)``."""
    J = registry.get("sets", name)()
    assert J.dim in (0, program_of(name).dim)
    assert solver_error(name, J) <= 1
    assert solver_error(name, lambda z, gamma: J(z, gamma) + 1e-5) > 1
