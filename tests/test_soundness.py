"""Holes through which a false statement could pass: each was open once, or could be opened."""

import dataclasses

import pytest

from opcheck import registry
from opcheck.evidence.verify import confront


def statement(name, **changes):
    return dataclasses.replace(registry.get("theorems", name), **changes)


def on(name, **parameters):
    return registry.get("problems", name)(**parameters)


@pytest.mark.parametrize("problem", ["tight_linear", "bilinear", "neg_identity"])
def test_a_bound_below_zero_is_broken(problem):
    """measured/bound is negative there, and small: it must not read as far below 1."""
    false = statement("pethick2023_relaxed_fejer", bound="distance - 3*a*resolvent_residual")
    assert confront(false, on(problem)).status == "violated"


def test_a_run_off_to_infinity_breaks_a_finite_bound():
    false = statement(
        "elementary_bilinear_gradient_descent_ascent",
        claim="upper bound",
        measure="distance",
        bound="R**2",
        horizons=(300,),
    )
    verdict = confront(false, on("bilinear"))
    assert verdict.status == "violated"
    assert verdict.ratio == float("inf")


def test_infinity_against_infinity_says_nothing_and_the_finite_part_is_still_compared():
    verdict = confront(
        registry.get("theorems", "elementary_bilinear_extragradient"), on("bilinear")
    )
    assert verdict.status == "attained"
    false = statement("elementary_bilinear_extragradient", bound="(1 - s**2 + 1.001*s**4)*distance")
    assert confront(false, on("bilinear")).status == "violated"


def test_rounding_of_a_cancelling_bound_is_no_violation():
    """1 − (1 − tiny): float64 alone would report one for small γ."""
    for problem in ("rotation_map", "two_subspaces", "translation"):
        for name in ("pethick2023_relaxed_fejer", "pethick2023_relaxed_monotone"):
            verdict = confront(registry.get("theorems", name), on(problem))
            assert verdict.status != "violated", verdict


def test_starting_at_the_solution_proves_nothing_and_breaks_nothing():
    p = on("bilinear")
    at_rest = dataclasses.replace(p, start=p.solution)
    verdict = confront(registry.get("theorems", "gorbunov2022_eg_last"), at_rest)
    assert verdict.status == "holds"
    assert verdict.ratio == 0.0


def test_a_constant_better_than_the_truth_is_found_out():
    """The facts are the hypotheses: a false one must show where the theorem is tight."""
    from opcheck.model.property import Fact, Lipschitz, Monotone

    p = on("bilinear")
    boast = dataclasses.replace(
        p, facts=(Fact(Lipschitz(0.9), "claimed"), Fact(Monotone(), "exact"))
    )
    verdict = confront(registry.get("theorems", "lee2021_feg"), boast)
    assert verdict.status == "violated"
    assert verdict.provenance == "claimed"
