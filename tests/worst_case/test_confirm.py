"""A violation by attack stands in rationals and balls, or is said to be one of float64 (F12)."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from registered import stated

from opcheck.evidence.statement.exact_parameters import setting
from opcheck.evidence.worst_case.attack import attack
from opcheck.evidence.worst_case.confirm import Witness, confirmed
from opcheck.evidence.worst_case.operators_to_attack import Part, piecewise
from opcheck.model.operator import NO_CONSTRAINT, Operator, linear
from opcheck.model.theorem import Theorem

SHORT = "3.99*R**2/(k + 1)**2"  # Halpern's is 4, met by F = 2z: T = −1
FALSE: dict[str, tuple[Theorem, dict[str, Any]]] = {
    "a number": (stated("lieder2021_halpern", bound=SHORT), {}),
    "a turn": (stated("gorbunov2022_eg_last", bound="R**2/(3*gamma**2*(k + 1))"), {}),
    "a skew A": (stated("gu2020_ppm_last", bound="0.5*R**2*(k/(k + 1))**k/(k + 1)"), {}),
    "a fold": (
        stated("diakonikolas2021_eg_plus_base", bound="0.1*R**2/(alpha*gamma**2*(k + 1))"),
        {},
    ),
}


@pytest.mark.parametrize("what", FALSE)
def test_what_is_false_is_shown_exactly(what: str) -> None:
    entry, options = FALSE[what]
    found = attack(entry, 1, budget=100, ends=False, **options)
    assert not found.ok
    assert any(r.confirmed for r in (*found.reached, *found.ends))
    assert "a counterexample at k = 1" in found.ground
    assert "every hypothesis in rationals, measured/bound ≥ 1 + " in found.ground
    shown = max(r.ratio for r in (*found.reached, *found.ends) if r.confirmed)
    said = 1 + float(found.ground.partition("1 + ")[2].split()[0])
    assert said == pytest.approx(shown, rel=1e-3)


def test_a_bump_refutes_what_holds_of_the_monotone() -> None:
    """Star classes are about pairs with the solution alone: those of the bump are checked.

    Its implicit steps are too many for balls, which is said.
    """
    entry = stated(
        "gorbunov2023_ppm_star",
        measure="distance(z, before)",
        where="rho <= 0, max(0, -2*rho) < gamma < 1/L",
    )
    found = attack(entry, 1, budget=60, far=200, ends=False, rho=0, gamma=Fraction(1, 2))
    late = found.reached[-1]
    assert late.k > 1
    assert late.ratio > 1.1
    assert late.exactly.startswith("its run could not be made on balls")
    assert found.ground.startswith(f"in float64 only at k = {late.k}")


def witness(matrix: Any, entry: Theorem, k: int = 2) -> Witness:
    M = np.array(matrix, dtype=float)
    F = Operator(linear(M).kernel, np.concatenate([M.ravel(), np.zeros(len(M))]), len(M))
    start = np.eye(len(M))[0]
    at = setting(entry, k, k)
    return Witness(at, k, F, NO_CONSTRAINT, part=Part(), folded=False, start=start)


def test_what_lies_outside_of_the_class_is_none() -> None:
    """F = −z/2: T = 3/2 z is not nonexpansive, and no little mixing makes it so."""
    words, stands = confirmed(witness([[-0.5]], stated("lieder2021_halpern", bound=SHORT)))
    assert not stands
    assert "to rounding alone" in words


def test_a_bound_that_is_met_is_not_exceeded() -> None:
    words, stands = confirmed(witness([[2.0]], stated("lieder2021_halpern", first=0)))
    assert not stands
    assert "does not exceed" in words or "to rounding" in words
    words, stands = confirmed(witness([[2.0]], stated("lieder2021_halpern", bound=SHORT)))
    assert stands
    assert "measured/bound ≥ 1 + 0.002506" in words


def test_what_rounding_put_outside_is_moved_inside() -> None:
    just_out = np.nextafter(2.0, 3)
    words, stands = confirmed(witness([[just_out]], stated("lieder2021_halpern", bound=SHORT)))
    assert stands
    assert "moved into the class by 1e-13" in words


def test_an_A_of_rounding_is_not_believed() -> None:
    """The slope 0.1 + 2⁻⁵⁴ or so of a float is no 1/10."""
    entry = stated("lieder2021_halpern", bound=SHORT)
    one = witness([[2.0]], entry)
    assert not confirmed(Witness(**{**one.__dict__, "part": None}))[1]


def test_every_kind_of_constraint_is_run_on_balls() -> None:
    """What the text of a resolvent makes of balls are balls, and no whole numbers."""
    entry = stated("tseng2000_fbf_fejer", bound="distance/100")
    for part in (
        Part(0.5, 2.0),
        *(Part(0.5, 0.0, part, 1.0 * (part == 5)) for part in range(1, 6)),
    ):
        one = witness([[0.25, 0.0], [0.0, 0.25]], entry, 1)
        changed = {"part": part, "resolvent": part.resolvent}
        words, _ = confirmed(Witness(**{**one.__dict__, **changed}))
        assert "could not be made" not in words, words


def test_pieces_count_each() -> None:
    """A fold whose second slope leaves the class is in none."""
    entry = stated("lieder2021_halpern", bound=SHORT)
    data = np.zeros(18)
    data[[0, 3]] = 2.0
    data[[6, 8, 11]] = 1.0, 1.0, 1.0  # one more on z_1 in (0, 1)
    one = witness([[2.0, 0.0], [0.0, 2.0]], entry)
    bent = Operator(piecewise, data, 2)
    assert confirmed(one)[1]
    assert not confirmed(Witness(**{**one.__dict__, "operator": bent}))[1]


def test_the_only_operator_of_a_class_is_not_moved() -> None:
    """With μ = L = 1 there is the identity alone, and no middle to move towards."""
    entry = stated("elementary_gda_contraction", bound="9/10*(1 - gamma)**2*distance", proof=None)
    tried = attack(entry, 1, budget=60, ends=False, L="1", mu="1", gamma="1/2")
    assert tried.worst.confirmed
    assert tried.worst.exactly.startswith("every hypothesis in rationals")
    assert "moved" not in tried.worst.exactly
