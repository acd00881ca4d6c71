"""Measures against the numpy references that their declarations name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from opcheck import registry
from opcheck.engine.pseudo_code import measure_error
from opcheck.errors import OpcheckError
from opcheck.model.measure import Measure, measure
from opcheck.model.primitives import BEFORE

MEASURES = [registry.get("measures", name) for name in registry.names("measures")]


@pytest.mark.parametrize("entry", MEASURES, ids=lambda m: m.name)
def test_a_measure_is_its_reference(entry: Measure) -> None:
    """A new measure also says in numpy what it is: ``@measure(..., reference=...)``."""
    assert measure_error(entry) <= 1e-13


@pytest.mark.parametrize("entry", MEASURES, ids=lambda m: m.name)
def test_a_measure_says_how_it_is_drawn(entry: Measure) -> None:
    """A symbol with its rows, words for a caption, and a unit."""
    assert entry.latex, f"{entry.name} has no symbol; see @measure(..., latex=)"
    drawn = entry.latex.format("ROW", "SECOND", P="P_C")
    assert drawn.count("{") == drawn.count("}")
    assert "ROW" in drawn or "_k" in drawn
    assert entry.words
    assert entry.unit


def norm_of_step(F: Any, F_data: Any, J: Any, J_data: Any, state: Any, params: Any, k: Any) -> Any:
    """‖z − z₋‖²."""
    return np.sum((state[0] - state[BEFORE]) ** 2)


WRONG: dict[str, Callable[..., Any]] = {
    "the other sign": lambda z, before: np.sum((z + before) ** 2),
    "no square": lambda z, before: np.linalg.norm(z - before),
    "the other row": lambda z, solution: np.sum((z - solution) ** 2),
    "a factor of the step": lambda z, before, gamma: np.sum((z - before) ** 2) * gamma,
}


@pytest.mark.usefixtures("own_registry")
@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_measure_is_told_from_its_reference(wrong: str) -> None:
    measure("moved", reference=lambda z, before: np.sum((z - before) ** 2))(norm_of_step)
    assert measure_error(registry.get("measures", "moved")) <= 1e-13
    measure("moved_wrongly", reference=WRONG[wrong])(norm_of_step)
    assert measure_error(registry.get("measures", "moved_wrongly")) > 1e-3


@pytest.mark.parametrize("name", ["R", "k", "K", "L", "rho", "gamma", "upto", "pi"])
def test_a_measure_takes_over_no_symbol_of_statements(name: str, own_registry: None) -> None:
    """Else R**2 in a bound is the square of what it measures, in every text of a file."""
    with pytest.raises(OpcheckError, match=f"'{name}' is .* and can't be a measure"):

        @measure(name)
        def own(F, F_data, J, J_data, state, params, k):  # type: ignore[no-untyped-def]
            """Ten."""
            return 10.0
