"""Measures against the numpy references that their declarations name."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from opcheck import registry
from opcheck.model.measure import Measure, measure
from opcheck.model.operator import linear
from opcheck.model.primitives import BEFORE, OTHER, SOLUTION
from opcheck_problems.sets import box

Vector = NDArray[np.float64]
D, ROWS = 5, 6
MEASURES = [registry.get("measures", name) for name in registry.names("measures")]


def difference(entry: Measure) -> float:
    """How far kernel and reference are from each other, relative, on states of unrelated rows."""
    assert entry.reference is not None
    random = np.random.default_rng(7)
    F = linear(0.4 * np.linalg.qr(random.standard_normal((D, D)))[0], random.standard_normal(D))
    J = box(-0.5, 0.75)
    worst = 0.0
    for gamma in (0.75, 1.25):
        state = random.standard_normal((ROWS, D))
        whole: dict[str, Any] = {
            "F": F,
            "J": J,
            "z": state[0].copy(),
            "other": state[OTHER].copy(),
            "before": state[BEFORE].copy(),
            "solution": state[SOLUTION].copy(),
            "gamma": gamma,
        }
        taken = inspect.signature(entry.reference).parameters
        theirs = float(entry.reference(**{name: whole[name] for name in taken}))
        ours = entry.kernel(F.kernel, F.data, J.kernel, J.data, state, np.array([gamma]), 3)
        assert math.isfinite(theirs)
        worst = max(worst, abs(ours - theirs) / abs(theirs))
        for name, row in (("z", 0), ("before", BEFORE), ("solution", SOLUTION)):
            assert (state[row] == whole[name]).all(), f"{entry.name} writes to {name}"
    return worst


@pytest.mark.parametrize("entry", MEASURES, ids=lambda m: m.name)
def test_a_measure_is_its_reference(entry: Measure) -> None:
    """A new measure also says in numpy what it is: ``@measure(..., reference=...)``."""
    assert entry.reference is not None, f"{entry.name} has no reference"
    assert difference(entry) <= 1e-13


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
    assert difference(registry.get("measures", "moved")) <= 1e-13
    measure("moved wrongly", reference=WRONG[wrong])(norm_of_step)
    assert difference(registry.get("measures", "moved wrongly")) > 1e-3
