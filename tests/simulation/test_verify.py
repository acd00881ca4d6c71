"""Verdicts: against plain numpy, at the edge where balls decide, and where nothing may be said."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from flint import arb

import opcheck
from opcheck import registry
from opcheck.document import document
from opcheck.engine.numbers import Ball, precision
from opcheck.errors import OpcheckError
from opcheck.evidence.simulation.adjudication import _side as side_of_one
from opcheck.evidence.simulation.comparison import compare
from opcheck.evidence.simulation.verify import Report, Summary, _is_own, confront, library, summary
from opcheck.evidence.statement.hypotheses import Constants, match
from opcheck.model.operator import NO_CONSTRAINT, Operator, linear, operator
from opcheck.model.problem import Problem, Region, problem
from opcheck.model.property import (
    Cocoercive,
    Fact,
    Lipschitz,
    Monotone,
    Nonexpansive,
    StronglyMonotone,
    WeakMinty,
    estimated,
    exact,
)
from opcheck.model.theorem import Theorem
from opcheck.model.verdict import Verdict
from opcheck.report.tables import number

THEOREMS = registry.names("theorems")
TIGHT = [name for name in THEOREMS if registry.get("theorems", name).reaches >= 0.95]
CONTROLS = [p for p in library() if p.control]
NUMPY = 1e-11  # relative; the runs below make a few hundred steps


def theorem(name: str, **changes: Any) -> Theorem:
    return dataclasses.replace(registry.get("theorems", name), **changes)


def verdict(name: str, where: str | Problem, **parameters: float) -> Verdict:
    found = opcheck.verify(name, where, **parameters)
    assert isinstance(found, Verdict)
    return found


# Every theorem on a part of the library; all of it under -m slow.


def admissible(name: str, dim: int, count: int) -> list[Verdict]:
    found: list[Verdict] = []
    for one in library():
        if one.dim <= dim and len(found) < count:
            verdict = confront(registry.get("theorems", name), one)
            found += [verdict] if verdict.status != "inapplicable" else []
    return found


@pytest.mark.parametrize("name", THEOREMS)
@pytest.mark.sampled(8)
def test_no_statement_is_violated_on_the_first_problems(name: str) -> None:
    found = admissible(name, dim=10, count=5)
    assert len(found) >= 3
    assert [v for v in found if v.status in ("violated", "error")] == []
    assert any(v.status in ("holds", "attained") for v in found)
    assert all(v.runs > 0 for v in found)  # one that is at its fixed point at once compares nothing
    assert sum(v.compared for v in found) >= sum(v.runs for v in found)


@pytest.mark.slow
@pytest.mark.parametrize("name", THEOREMS)
def test_no_statement_is_violated_on_the_whole_library(name: str) -> None:
    found = summary(name, everything=True)
    assert len(found.admissible) >= 3
    assert found.status in ("holds", "attained"), found.worst


FIRST = ("neg_identity", "tight_linear", "slow_family", "contractive_worst", "two_subspaces")


@pytest.mark.parametrize("name", TIGHT)
@pytest.mark.sampled(4)
def test_the_tightness_that_a_theorem_states_is_reached(name: str) -> None:
    # the mutants of the bound are cut below what is stated
    one = registry.get("theorems", name)
    small = [p for p in library() if p.dim <= 10]
    small.sort(key=lambda p: not p.name.startswith(FIRST))
    best = 0.0
    for where in small:
        found = confront(one, where)
        if found.status in ("holds", "attained"):
            best = max(best, found.ratio)
        if best >= 0.999 * one.reaches:
            return
    pytest.fail(f"{name} states that {one.reaches} is reached, found {best}")


@pytest.mark.parametrize(
    ("name", "where", "parameters"),
    [
        ("lieder2021_halpern", problem("neg_identity"), {}),
        ("lieder2021_halpern", problem("halpern_worst", n=10), {}),
        ("lieder2018_km_last", problem("km_worst", n=5, g=0.5), {"a": 0.5}),
        ("lieder2018_km_last", problem("km_worst", n=20, g=0.75), {"a": 0.75}),
        ("lee2021_feg", problem("feg_tight"), {}),
        ("lee2021_feg", problem("bilinear", L=2.0), {}),
        ("gu2020_ppm_last", problem("ppm_worst", n=5, step=0.25), {"gamma": 0.25}),
        ("elementary_bilinear_extragradient", problem("bilinear", L=2.0), {"gamma": 0.25}),
        ("elementary_bilinear_proximal_point", problem("bilinear"), {"gamma": 0.75}),
        ("pethick2023_la_average", problem("neg_identity"), {"lam": 0.5, "tau": 1}),
        ("pethick2023_inner_loop", problem("tight_linear", c=0.4), {"gamma": 0.5}),
    ],
    ids=lambda v: v.name if isinstance(v, Problem) else None,
)
def test_equality_is_shown_by_a_ball(
    name: str, where: Problem, parameters: dict[str, float]
) -> None:
    found = verdict(name, where, **parameters)
    assert (found.status, found.ratio, found.provenance) == ("attained", 1.0, "exact")
    assert found.decided.endswith("bits")


def test_a_tight_map_is_met_at_its_own_step() -> None:
    found = verdict("lieder2018_km_last", problem("km_worst", n=20, g=0.75), a=0.75)
    assert found.k == 20
    found = verdict("lieder2021_halpern", problem("halpern_worst", n=9))
    assert found.k % 10 == 9


# The same runs in plain complex arithmetic: F is multiplication by m, R = |z0| = sqrt(2).


def largest(ratios: list[float]) -> tuple[float, int]:
    return max(ratios), max(range(len(ratios)), key=lambda k: (ratios[k], k))


def agrees(found: Verdict, ratios: list[float]) -> None:
    top, k = largest(ratios)
    assert found.ratio == pytest.approx(top, rel=NUMPY)
    assert ratios[found.k] == pytest.approx(top, rel=NUMPY), (found.k, k)


@pytest.mark.parametrize(("L", "gamma"), [(1.0, 0.3), (2.0, 0.4), (1.0, 0.95)])
def test_extragradient_on_the_bilinear_game(L: float, gamma: float) -> None:
    found = verdict("gorbunov2022_eg_last", problem("bilinear", L=L), gamma=gamma)
    s = gamma * L
    closed = [(L * gamma) ** 2 * (1 - s**2 + s**4) ** k * (1 - s**2) * (k + 1) for k in range(301)]
    agrees(found, closed)


def test_anchored_extragradient() -> None:
    found = verdict("yoon2021_eag_c", problem("slow_family", rho=0.0, s=10.0))
    # the worst run may be one with an L that is weaker than the problem's 1
    m, L, start = 0.1j, found.parameters["L"], 1 + 1j
    gamma = 1 / (8 * L)
    z, ratios = start, []
    for k in range(int(found.parameters["K"]) + 1):
        ratios.append(abs(m * z) ** 2 / (260 * L**2 * 2 / (k + 1) ** 2))
        pull = (start - z) / (k + 2)
        half = z + pull - gamma * m * z
        z = z + pull - gamma * m * half
    agrees(found, ratios)


def test_fast_extragradient_meets_its_bound_at_every_fourth_step() -> None:
    found = verdict("lee2021_feg", problem("bilinear"))
    m, start = 1j, 1 + 1j
    z, ratios = start, [0.0]
    for k in range(int(found.parameters["K"])):
        beta = 1 / (k + 1)
        half = z + beta * (start - z) - (1 - beta) * m * z
        z = z + beta * (start - z) - m * half
        ratios.append(abs(m * z) ** 2 * (k + 1) ** 2 / (4 * 2))
    assert [k for k, r in enumerate(ratios) if r > 1 - 1e-9] == list(range(2, len(ratios), 4))
    assert found.status == "attained"
    assert found.k % 4 == 2


def test_fast_extragradient_on_a_cohypomonotone_rotation() -> None:
    c = 0.25
    found = verdict("lee2021_feg", problem("tight_linear", c=c))
    m, start = complex(-c, math.sqrt(1 - c * c)), 1 + 1j
    z, ratios = start, [0.0]
    for k in range(int(found.parameters["K"])):
        beta = 1 / (k + 1)
        half = z + beta * (start - z) - (1 - beta) * (1 - 2 * c) * m * z
        z = z + beta * (start - z) - m * half + (1 - beta) * 2 * c * m * z
        ratios.append(abs(m * z) ** 2 * ((1 - 2 * c) * (k + 1)) ** 2 / (4 * 2))
    agrees(found, ratios)


@pytest.mark.parametrize("a", [0.5, 0.7, 0.95])
def test_krasnoselskii_mann_on_a_rotation(a: float) -> None:
    found = verdict("lieder2018_km_last", problem("rotation_map", theta=1.0), a=a)
    turn = complex(math.cos(1.0), math.sin(1.0))
    z, ratios = 1 + 1j, []
    for k in range(int(found.parameters["K"]) + 1):
        if a <= (1 + math.sqrt(k / (k + 1))) / 2:
            bound = 2 * (k / (k + 1)) ** k / ((k + 1) * a * (1 - a))
        else:
            bound = 2 * 4 * (2 * a - 1) ** (2 * k)
        ratios.append(abs(z - turn * z) ** 2 / bound)
        z = (1 - a) * z + a * turn * z
    agrees(found, ratios)


def test_halpern_on_a_rotation() -> None:
    found = verdict("lieder2021_halpern", problem("rotation_map", theta=1.0))
    turn = complex(math.cos(1.0), math.sin(1.0))
    start = z = 1 + 1j
    ratios = []
    for k in range(int(found.parameters["K"]) + 1):
        ratios.append(abs(z - turn * z) ** 2 * (k + 1) ** 2 / (4 * 2))
        z = start / (k + 2) + (1 - 1 / (k + 2)) * turn * z
    agrees(found, ratios)


def test_the_proximal_point_method_on_the_bilinear_game() -> None:
    gamma = 0.5
    found = verdict("gu2020_ppm_last", problem("bilinear"), gamma=gamma)
    ratios = [
        gamma**2 / (1 + gamma**2) ** (k + 1) / ((k / (k + 1)) ** k / (k + 1))
        for k in range(int(found.parameters["K"]))
    ]
    agrees(found, ratios)


@pytest.mark.parametrize("c", [0.0, 0.3])
def test_rapp_with_its_horizon_rule(c: float) -> None:
    gamma, lam, kappa = 0.9, 1 - c / 0.9, 0.5
    found = verdict(
        "pethick2023_rapp_last", problem("tight_linear", c=c), gamma=gamma, lam=lam, kappa=kappa
    )
    m, beta = complex(-c, math.sqrt(1 - c * c)), 1 - c / gamma
    a = lam * (2 * beta - lam)
    largest_of = {}
    for K in (1, 10, 100, 300):
        inside = math.sqrt(lam / (2 * beta - lam)) * math.sqrt(K + kappa) / kappa
        tau = max(1, math.ceil(math.log(inside) / math.log(1 / gamma)))
        z = 1 + 1j
        for k in range(K + 1):
            bound = math.exp(kappa + kappa**2) / (1 - kappa) * 2 / (a * (k + 1))
            largest_of[K, k] = abs(z - z / (1 + gamma * m)) ** 2 / bound
            w = z
            for _ in range(tau):
                w = z - gamma * m * w
            z = (1 - lam) * z + lam * w
    top = max(largest_of.values())
    assert found.runs == 4
    assert found.ratio == pytest.approx(top, rel=NUMPY)
    assert largest_of[int(found.parameters["K"]), found.k] == pytest.approx(top, rel=NUMPY)


def test_lookahead_over_gradient_descent_ascent() -> None:
    gamma, lam = 0.5, 0.2
    found = verdict("pethick2023_la_gda_two", problem("bilinear"), gamma=gamma, lam=lam)
    q, m, z, total, ratios = gamma, 1j, 1 + 1j, 0.0, []
    c2 = 1 - 2 * lam
    c1 = c2 - (1 - lam) * q**2
    for k in range(int(found.parameters["K"])):
        if k % 2 == 0:
            slow, weight = z, c1
        else:
            weight = c2
        total += weight * abs(m * z) ** 2
        ratios.append(total / (k + 1) / (2 / (lam * gamma**2 * (k + 1))))
        z = z - gamma * m * z
        if k % 2 == 1:
            z = (1 - lam) * slow + lam * z
    agrees(found, ratios)


def test_a_constrained_run_on_the_unit_disc() -> None:
    gamma, alpha = 0.8, 0.6
    found = verdict("pethick2022_ceg_plus", problem("disc_skew"), gamma=gamma, alpha=alpha)

    def F(z: complex) -> complex:  # (y + 1, -x + 2) as x + iy
        return complex(z.imag + 1, -z.real + 2)

    z, total, ratios = 1 + 0j, 0.0, []
    for _ in range(int(found.parameters["K"])):
        ahead = z - gamma * F(z)
        zbar = ahead / max(1.0, abs(ahead))
        g = ahead - zbar + gamma * F(zbar)
        total += abs(g) ** 2 / gamma**2
        radius = abs(1 + 1j) ** 2  # the solution is (0, -1)
        ratios.append(total / (radius / (alpha * gamma**2 * (1 - alpha))))
        z = z - alpha * g
    agrees(found, ratios)


# The edge: float64 leaves it open, balls decide.

EDGE = [
    ("lieder2021_halpern", problem("neg_identity")),
    ("lieder2018_km_last", problem("km_worst", n=5)),
    ("lee2021_feg", problem("feg_tight")),
    ("pethick2023_inner_loop", problem("tight_linear", c=0.4)),
]


@pytest.mark.parametrize(("name", "where"), EDGE, ids=lambda v: getattr(v, "name", v))
def test_a_bound_wrong_in_the_thirteenth_digit_is_violated(name: str, where: Problem) -> None:
    one = registry.get("theorems", name)
    low = confront(theorem(name, bound=f"({one.bound})*(1 - 1/10**13)"), where)
    assert low.status == "violated"
    assert low.decided.endswith("bits")
    assert "a ball of" in low.reason
    high = confront(theorem(name, bound=f"({one.bound})*(1 + 1/10**13)"), where)
    assert high.status == "holds"
    assert high.decided.endswith("bits")
    assert 1 - 1e-12 < high.ratio <= 1
    assert confront(one, where).status == "attained"


def test_an_equality_off_by_the_thirteenth_digit_is_violated_either_way() -> None:
    name = "elementary_bilinear_extragradient"
    bound = registry.get("theorems", name).bound
    for sign in "+-":
        found = confront(theorem(name, bound=f"({bound})*(1 {sign} 1/10**13)"), problem("bilinear"))
        assert (found.status, found.decided != "float64") == ("violated", True)


def test_a_bound_wrong_in_the_second_digit_needs_no_ball() -> None:
    bound = registry.get("theorems", "lieder2021_halpern").bound
    found = confront(
        theorem("lieder2021_halpern", bound=f"({bound})*0.98"), problem("neg_identity")
    )
    assert (found.status, found.decided) == ("violated", "float64")
    assert found.ratio == pytest.approx(1 / 0.98)


@pytest.mark.parametrize("scale", [1, 10**40])
@pytest.mark.parametrize(
    ("gap", "radius", "verdict"),
    [
        ("1e-20", "1e-21", "above"),
        ("-1e-20", "1e-21", "below"),
        ("0", "0", "one"),
        ("0", "1e-31", "one"),
        ("1e-32", "1e-31", "one"),
        ("0", "1e-29", "open"),  # equality is claimed of balls below 1e-30 only
        ("1e-20", "1e-19", "open"),
        ("0", "1", "open"),
    ],
)
def test_where_a_ball_lies(gap: str, radius: str, verdict: str, scale: int) -> None:
    with precision(400):
        ball = Ball(arb(arb(gap).mid(), arb(radius).mid()) * scale)
        assert side_of_one(ball + scale, Ball(arb(scale))) == verdict


def test_a_ball_around_anything_is_open() -> None:
    assert side_of_one(Ball(arb("nan")), Ball(arb(1))) == "open"


def test_a_rounded_solution_is_never_taken_for_a_violation() -> None:
    # z* of this disc is irrational: distances to its float are off by an ulp, and so is Fejer's
    # inequality, which the operator meets with equality
    found = verdict("pethick2023_relaxed_fejer", problem("disc_skew", q1=3.0, q2=4.0))
    assert found.status in ("holds", "inconclusive")
    if found.status == "inconclusive":
        assert "known to rounding only" in found.reason
    whole = verdict("pethick2023_relaxed_fejer", problem("disc_skew"))
    assert whole.status in ("holds", "attained", "inconclusive")
    assert "rounding only" not in whole.reason


# What must not be decided.

MONOTONE = (exact(Lipschitz(1)), exact(Monotone()))
QUARTER_TURN = linear([[0, 1], [-1, 0]])


def custom(F: Operator = QUARTER_TURN, facts: tuple[Fact, ...] = MONOTONE, **more: Any) -> Problem:
    plain: dict[str, Any] = {"start": np.ones(F.dim), "solution": np.zeros(F.dim)}
    return Problem(F, NO_CONSTRAINT, name="custom", facts=facts, **plain | more)


@pytest.mark.parametrize(
    ("name", "where", "reason"),
    [
        ("lee2021_feg", problem("nilpotent"), "Comonotone of F is not known of it"),
        ("gorbunov2022_eg_last", problem("tight_linear"), "Monotone of F is not known of it"),
        ("gorbunov2022_eg_last", problem("disc_skew"), "it needs A = 0"),
        ("pethick2023_la_gda_factor", problem("tight_linear"), "it is about bilinear only"),
        (
            "lee2021_feg",
            problem("tight_linear", c=0.6),
            "-1/(2*L) < rho fails: rho = -0.6, -1/(2*L) = -0.5",
        ),
        (
            "pethick2022_ceg_plus",
            problem("tight_linear", c=0.6),
            "max(0, -2*rho) < gamma <= 1/L is empty: max(0, -2*rho) = 1.2, 1/L = 1",
        ),
        ("gorbunov2022_eg_last", custom(solution=None), "its solution is not known"),
    ],
    ids=lambda v: getattr(v, "name", v),
)
def test_what_does_not_apply_says_why(name: str, where: Problem, reason: str) -> None:
    found = verdict(name, where)
    assert (found.status, found.reason, found.runs) == ("inapplicable", reason, 0)


def test_without_a_solution_only_statements_that_need_none_are_checked() -> None:
    unknown = custom(solution=None)
    assert verdict("gorbunov2022_eg_monotone", unknown).status in ("holds", "attained")


def test_a_run_that_leaves_the_region_decides_nothing() -> None:
    local = tuple(dataclasses.replace(f, local=True) for f in MONOTONE)
    name, gamma = "gorbunov2022_eg_last", 0.5
    inside = verdict(name, custom(facts=local, region=Region(1.5)), gamma=gamma)
    assert inside.status == "holds"
    # the first look-ahead from (1, 1) is (1/2, 3/2)
    outside = verdict(name, custom(facts=local, region=Region(1.25)), gamma=gamma)
    assert outside.status == "inconclusive"
    assert outside.reason == (
        "the run leaves the region ‖z‖∞ ≤ 1.25 on which the constants hold, at k = 1"
    )
    # facts that hold everywhere need no region
    assert verdict(name, custom(region=Region(1.25)), gamma=gamma).status == "holds"


def raising(z, out, data):
    raise ZeroDivisionError("by zero")


def not_a_number(z, out, data):
    out[0] = np.nan
    out[1] = 0


def past_the_end(z, out, data):
    out[2] = z[0]


@pytest.mark.parametrize(
    ("kernel", "reason"),
    [
        (raising, "raises ZeroDivisionError"),
        (not_a_number, "must be finite"),
        (past_the_end, "past an array"),
    ],
)
def test_an_operator_that_fails_is_an_error_and_not_a_pass(kernel: Any, reason: str) -> None:
    broken = custom(operator(kernel, 2))
    found = confront(registry.get("theorems", "gorbunov2022_eg_last"), broken)
    assert found.status == "error"
    assert reason in found.reason
    assert "custom" in found.reason
    assert not Report((Summary(registry.get("theorems", "gorbunov2022_eg_last"), (found,)),)).ok
    for parameters in ({}, {"gamma": 0.5}):
        with pytest.raises(OpcheckError, match=reason):
            verdict("gorbunov2022_eg_last", broken, **parameters)


def test_a_claim_to_fail_is_violated_if_nothing_fails() -> None:
    name, game = "pethick2023_la_gda_large_tau", problem("bilinear")
    assert confront(registry.get("theorems", name), game).status == "holds"
    found = confront(theorem(name, bound="10**200*R**2"), game)
    assert (found.status, found.reason) == ("violated", "it was to fail, and nothing failed")


def test_a_run_that_leaves_the_numbers_violates_a_bound_and_not_an_equality() -> None:
    game = problem("bilinear")
    grows = theorem("gorbunov2022_eg_last", where="0 < gamma")
    found = confront(grows, game, gamma=10.0)
    assert found.status == "violated"
    factor = confront(
        registry.get("theorems", "elementary_bilinear_extragradient"), game, gamma=10.0**4
    )
    assert factor.status == "attained"
    assert 10 < factor.compared < 20  # each step multiplies the distance by 10^8


def without_value_below(z, out, data):
    out[0] = np.sqrt(z[0] - data[0])


def test_a_run_that_becomes_nan_is_an_error_and_not_a_pass() -> None:
    # F(z) = sqrt(z - 1/2) vanishes at 1/2; a long step goes past it
    root = custom(operator(without_value_below, 1, [0.5]), solution=np.array([0.5]))
    with pytest.raises(OpcheckError, match="is not defined at"):
        verdict("gorbunov2022_eg_last", root, gamma=0.9)
    found = confront(registry.get("theorems", "gorbunov2022_eg_last"), root, gamma=0.9)
    assert (found.status, found.reason) == ("error", "the iterate is NaN at k = 1")


def test_a_resolvent_that_is_not_found_decides_nothing() -> None:
    # F = -z and gamma = 1: I + gamma F vanishes, and nothing is a resolvent of z = 1
    one = theorem("gu2020_ppm_last", given=(Lipschitz("L", of="F"),), where="0 < gamma")
    found = confront(one, problem("scalar_decreasing"), gamma=1.0)
    assert found.status == "inconclusive"
    assert found.reason.endswith("the resolvent of the sum was not found")


# Negative controls: true facts, one hypothesis broken.


@pytest.mark.parametrize("where", CONTROLS, ids=lambda p: p.name)
def test_a_control_keeps_out_the_theorems_whose_hypothesis_it_breaks(where: Problem) -> None:
    kept_out = 0
    for name in THEOREMS:
        one = registry.get("theorems", name)
        needs = any(p.kind.name == where.control for p in one.given)
        needs |= where.control == "solution" and "R" in one.right.names
        if needs:
            found = confront(one, where)
            assert found.status == "inapplicable", found
            kept_out += 1
    assert kept_out > 0


PRETENCES = [
    (problem("ryu_huber_flipped", eps=1.0), "gorbunov2022_eg_last", {"L": 1.0}),
    (problem("ryu_huber_flipped", eps=1.0), "yoon2021_eag_c", {"L": 1.0}),
    (problem("nilpotent"), "gorbunov2022_eg_last", {"L": 1.0}),
    (problem("nilpotent"), "lee2021_feg", {"L": 1.0, "rho": 0.0}),
    (problem("scalar_decreasing"), "gorbunov2022_eg_last", {"L": 1.0}),
    (problem("expansive_map"), "lieder2021_halpern", {}),
    (
        dataclasses.replace(problem("cubic_saddle"), start=np.array([3.0, 3.0])),
        "gorbunov2022_eg_last",
        {"L": 0.25},
    ),
]


@pytest.mark.parametrize(
    ("where", "name", "values"), PRETENCES, ids=lambda v: getattr(v, "name", None)
)
def test_a_broken_hypothesis_breaks_the_conclusion(
    where: Problem, name: str, values: dict[str, float]
) -> None:
    pretended = Constants(values, {}, "claimed", False)
    compared = compare(registry.get("theorems", name), where, pretended)
    assert "violated" in {c.status for c in compared}


# Just outside a range, or with the other start: the statement as it stands must break.


@pytest.mark.parametrize(
    ("name", "where", "changes", "parameters"),
    [
        # the linearised gap needs γ ≤ 1/L
        (
            "nemirovski2004_eg_gap",
            problem("strongly_monotone"),
            {"where": "0 < gamma"},
            {"gamma": 1.1},
        ),
        # Lieder's formula for a ≥ 1/2 is wrong below
        (
            "lieder2018_km_last",
            problem("clipped_line", n=4, a=0.125),
            {"where": "0 < a < 1"},
            {"a": 0.125},
        ),
        # started with F z̄_{−1} := 0
        (
            "gidel2019_peg_contraction",
            problem("strongly_monotone", mu=0.01),
            {"method": "past_extragradient"},
            {"gamma": 0.25},
        ),
        # the dual methods are fast at their horizon only
        (
            "yoon2024_dual_halpern",
            problem("neg_identity"),
            {"measure": "residual", "bound": "4*R**2/(k + 1)**2"},
            {},
        ),
        ("yoon2024_dual_feg", problem("bilinear"), {"measure": "residual"}, {}),
        ("trandinh2021_past_feg", problem("bilinear"), {"where": "0 < gamma"}, {"gamma": 0.6}),
        (
            "diakonikolas2020_halpern",
            problem("neg_identity"),
            {"where": "0 < gamma"},
            {"gamma": 1.1},
        ),
        # accelerated proximal point steps under cohypomonotonicity
        (
            "kim2021_appm",
            problem("tight_linear", c=0.25),
            {"given": (Lipschitz("L"),)},
            {"gamma": 0.9},
        ),
        # γ < 2β is sharp for the forward step
        (
            "combettes2015_fb_averaged",
            problem("neg_identity"),
            {"where": "0 < gamma", "bound": "distance"},
            {"gamma": 1.01},
        ),
        ("cai2022_peg_potential", problem("bilinear"), {"where": "0 < gamma"}, {"gamma": 1.0}),
        ("malitsky2020_frb_distance", problem("bilinear"), {"where": "0 < gamma"}, {"gamma": 0.6}),
        (
            "tseng2000_fbf_fejer",
            problem("bilinear"),
            {"where": "0 < gamma", "bound": "distance"},
            {"gamma": 1.1},
        ),
    ],
    ids=lambda v: v if isinstance(v, str) else None,
)
def test_outside_its_range_a_statement_breaks(
    name: str, where: Problem, changes: dict[str, Any], parameters: dict[str, float]
) -> None:
    outside = confront(theorem(name, **changes), where, **parameters)
    assert outside.status == "violated"
    assert outside.ratio > 1.001


def test_equal_small_weights_are_met_on_a_line() -> None:
    where = problem("clipped_line")
    found = verdict("lieder2018_km_small_weight", where, a=0.25)
    assert (found.status, found.ratio) == ("attained", 1.0)


# Verdicts and reports.


def test_the_provenance_of_a_verdict_is_that_of_its_constants() -> None:
    name = "pethick2022_ceg_plus"
    guess = (exact(Lipschitz(1)), estimated(WeakMinty(0)))
    assert verdict(name, custom(facts=guess), gamma=0.5, alpha=0.5).provenance == "estimated"
    assert verdict(name, custom(), gamma=0.5, alpha=0.5).provenance == "exact"


def test_verify_gives_a_verdict_for_one_name_and_a_report_for_several() -> None:
    found = opcheck.verify("gorbunov2022_eg", "bilinear")
    assert isinstance(found, Report)
    assert [s.theorem.name for s in found.summaries] == [
        n for n in THEOREMS if n.startswith("gorbunov2022_eg")
    ]
    assert isinstance(opcheck.verify(["gorbunov2022_eg_last"], "bilinear"), Verdict)
    with pytest.raises(OpcheckError, match="did you mean 'lieder2021_halpern'"):
        opcheck.verify("lieder2021_halpen", "bilinear")
    with pytest.raises(OpcheckError, match="one theorem by its full name"):
        opcheck.verify("gorbunov2022_eg", "bilinear", gamma=0.5)
    with pytest.raises(OpcheckError, match="one theorem by its full name"):
        opcheck.verify("gorbunov2022_eg_last", gamma=0.5)


def blank(status: Any, ratio: float = 0.5, **more: Any) -> Verdict:
    return Verdict("t", "p", status, ratio=ratio, **more)


@pytest.mark.parametrize(
    ("statuses", "status", "ok"),
    [
        (["holds", "attained", "inapplicable"], "attained", True),
        (["holds", "inconclusive"], "holds", True),
        (["inconclusive", "inapplicable"], "inconclusive", False),
        (["inapplicable"], "untried", False),
        ([], "untried", False),
        (["holds", "error"], "error", False),
        (["attained", "error", "violated"], "violated", False),
    ],
)
def test_the_status_over_several_problems(statuses: list[Any], status: str, ok: bool) -> None:
    found = Summary(registry.get("theorems", THEOREMS[0]), tuple(blank(s) for s in statuses))
    assert found.status == status
    assert Report((found,)).ok == ok
    assert len(found.admissible) == len(statuses) - statuses.count("inapplicable")


def test_the_worst_verdict_is_a_violation_where_there_is_one() -> None:
    one = registry.get("theorems", THEOREMS[0])
    shown = blank("violated", 0.7)
    assert Summary(one, (blank("holds", 0.9), shown, blank("inconclusive", 1.0))).worst is shown
    top = blank("holds", 0.9)
    assert Summary(one, (blank("holds", 0.2), top, blank("inconclusive", 1.0))).worst is top
    assert Summary(one, (blank("inapplicable"),)).worst is None
    report = Report((Summary(one, (top,)), Summary(one, (shown,))))
    assert report.worst is shown


def refuse(constant: str) -> None:
    raise AssertionError(f"{constant} is no JSON")


def read(source: str) -> Any:
    return json.loads(source, parse_constant=refuse)


def reports() -> Iterator[Report]:
    for _ in range(2):
        found = opcheck.verify(["gorbunov2022_eg_last", "lieder2021_halpern"], "bilinear")
        assert isinstance(found, Report)
        yield found


def test_a_report_is_one_json_document_with_the_same_bytes_twice(tmp_path: Path) -> None:
    first, second = (document(r) for r in reports())
    assert first == second
    path = tmp_path / "report.json"
    assert next(reports()).save(path) == path
    assert path.read_text(encoding="utf-8") == first + "\n"
    data = read(first)
    assert data["ok"] is True
    assert data["schema"] == 1
    assert data["not_loaded"] == []
    eg, halpern = data["theorems"]
    assert eg["name"] == "gorbunov2022_eg_last"
    one = registry.get("theorems", eg["name"])
    assert eg["statement"] == {
        "method": "extragradient",
        "given": ["Lipschitz(L) of F", "Monotone of F", "A = 0"],
        "where": one.where,
        "let": {},
        "measure": one.measure,
        "bound": one.bound,
        "claim": "upper bound",
        "order": one.order,
        "source": str(one.source),
    }
    (inside,) = eg["verdicts"]
    assert inside["status"] == eg["status"] == "holds"
    assert inside["ratio"] == eg["ratio"] == pytest.approx(27 / 64)
    assert inside["parameters"]["gamma"] == pytest.approx(0.5, rel=0.5)
    assert eg["where"] == inside["problem"] == "bilinear"
    assert eg["problems"] == 1
    assert halpern["status"] == "inapplicable"
    assert halpern["ratio"] is None
    assert halpern["verdicts"][0]["reason"] == "Nonexpansive of T is not known of it"


@pytest.mark.parametrize(
    ("statuses", "status"), [(["inapplicable"], "inapplicable"), (["inconclusive"], "inconclusive")]
)
def test_a_problem_that_the_user_chose_may_leave_a_theorem_untried(
    statuses: list[Any], status: str
) -> None:
    """A12: of a single problem that is an answer, and no failure."""
    met = tuple(blank(s) for s in statuses)
    found = Summary(registry.get("theorems", THEOREMS[0]), met, True)
    assert (found.status, found.ok) == (status, True)


def test_an_infinite_ratio_is_valid_json() -> None:
    one = registry.get("theorems", "gorbunov2022_eg_last")
    data = read(document(Report((Summary(one, (blank("violated", np.inf),)),))))
    assert data["ok"] is False
    assert data["theorems"][0]["verdicts"][0]["ratio"] is None


def test_a_ratio_that_a_ball_decided_is_what_the_ball_says() -> None:
    """A15: float64 has 1 + 1e-13 ± 1e-14 there, and cannot hold 1 + 1e-17."""
    one = registry.get("theorems", "lieder2021_halpern")
    for zeros, sign in ((13, "-"), (17, "-"), (17, "+")):
        bound = f"({one.bound})*(1 {sign} 1/10**{zeros})"
        found = confront(theorem("lieder2021_halpern", bound=bound), problem("neg_identity"))
        assert found.status == ("violated" if sign == "-" else "holds")
        assert found.excess is not None
        off = 10.0**-zeros if sign == "-" else -(10.0**-zeros)
        assert found.excess == pytest.approx(off, rel=1e-9)
        shown = number(found.ratio, excess=found.excess)
        assert shown == f"1 {'+' if sign == '-' else '−'} 1.00e-{zeros}"
        assert (found.ratio > 1) == (sign == "-")
    assert number(1.0, excess=0.0) == "1.0000"
    assert number(0.5, excess=None) == "0.5000"


def test_what_a_verdict_counts_was_decided() -> None:
    """F5: at the floor of float64 nothing is, and each k is counted once at most."""
    found = verdict("gorbunov2022_eg_last", "neg_identity", gamma=0.25)
    # the residual is multiplied by (1 - 2 gamma (1 - 2 gamma))^2 = 1/4 a step
    assert found.runs == 1
    assert 0 < found.compared <= 301
    late = theorem("gorbunov2022_eg_last", measure="next(residual)", bound="residual")
    assert 0 < confront(late, problem("neg_identity"), gamma=0.25).compared < 100


def test_a_theorem_about_a_family_that_there_is_not_is_one_sentence() -> None:
    """A12."""
    lost = theorem("gorbunov2022_eg_last", on=("no_such_family",))
    table = registry._entries["theorems"]
    table["lost"] = (dataclasses.replace(lost, name="lost"), "")
    try:
        with pytest.raises(OpcheckError, match="lost is about 'no_such_family', and no problem"):
            summary("lost")
    finally:
        del table["lost"]


def test_coverage_tells_a_hole() -> None:
    """F12: what decided comparisons entered, over the problems that were met."""
    one = registry.get("theorems", "pethick2023_la_gda_two")
    steep = Summary(one, (confront(one, problem("bilinear")),))
    assert {part.partition(":")[0] for part in steep.holes} <= {"rho", "lam", "gamma"}
    wide = Summary(one, tuple(confront(one, p) for p in SEVERAL))
    assert [hole for hole in wide.holes if hole.startswith("gamma")] == []
    assert any(count for part, count in wide.entered["rho"].items() if part.startswith("negative"))
    nothing = Summary(one, ())
    assert "rho: negative low" in nothing.holes
    assert not Report((nothing,)).covered
    assert nothing.as_dict()["holes"] == nothing.holes


SEVERAL = [problem(n) for n in ("bilinear", "neg_identity", "spin", "appm_worst", "ppm_worst")]


@pytest.mark.slow
def test_processes_change_nothing() -> None:
    one = opcheck.verify("elementary", jobs=1)
    two = opcheck.verify("elementary", jobs=2)
    assert isinstance(one, Report)
    assert isinstance(two, Report)
    assert len(one.summaries) >= 4  # fewer run in this process
    assert document(one) == document(two)


def test_progress_is_told_of_every_theorem() -> None:
    seen: list[str] = []
    say: Callable[[str], None] = seen.append
    opcheck.verify(["yoon2021_eag_c", "elementary_bilinear_gradient"], progress=say)
    assert seen == ["yoon2021_eag_c", "elementary_bilinear_gradient_descent_ascent"]


def test_known_constants_are_what_a_verdict_shows() -> None:
    where = problem("tight_linear", c=0.4, L=0.5)
    found = verdict("lee2021_feg", where)
    known = match(registry.get("theorems", "lee2021_feg"), where)
    shown = found.parameters
    assert shown["L"] >= known.values["L"]  # the hypotheses hold with weaker constants as well
    assert shown["rho"] <= known.values["rho"]
    assert shown["R"] == pytest.approx(2**0.5)
    assert shown["gamma"] == 1 / shown["L"]


def test_a_map_given_as_nonexpansive_only_serves_half_cocoercive_statements() -> None:
    # T = -I: F = 2I is 1/2-cocoercive, 2-Lipschitz and monotone by the form of T alone
    only = custom(linear(2 * np.eye(2)), (exact(Nonexpansive(of="T")),))
    found = verdict("lee2021_feg", only)
    assert found.status in ("holds", "attained")
    known = match(registry.get("theorems", "lee2021_feg"), only)
    assert dict(known.values) == {"L": 2.0, "rho": 0.5}


def test_a_constant_worked_out_from_an_irrational_one_is_rounded_to_the_weaker_side() -> None:
    # 1/β-Lipschitz from β-cocoercive: for β = 1/√3 a step to the next float would not do
    facts = (exact(Cocoercive("1/sqrt(3)")), exact(Monotone()))
    known = match(registry.get("theorems", "gorbunov2022_eg_last"), custom(facts=facts))
    assert Fraction(known.values["L"]) ** 2 > 3
    assert known.values["L"] == pytest.approx(3**0.5, rel=1e-14)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"measure": "residuals"}, "residuals"),
        ({"bound": "R**2/("}, r"R**2/("),
        ({"method": "extragradientt"}, "extragradientt"),
    ],
)
def test_a_declaration_that_is_none_is_an_error_of_that_theorem_alone(
    change: dict[str, str], reason: str
) -> None:
    found = confront(theorem("gorbunov2022_eg_last", **change), problem("bilinear"))
    assert found.status == "error"
    assert reason in found.reason


def test_a_decision_too_dear_for_balls_is_not_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    """Turning 160 000 entries into balls takes seconds, for each comparison of each theorem."""
    d = 400
    facts = (exact(Lipschitz(2)), exact(StronglyMonotone(2)))
    large = Problem(linear(2 * np.eye(d)), start=np.ones(d), solution=np.zeros(d), facts=facts)

    def read(*_: Any) -> Any:
        raise AssertionError("the data were read in balls")

    monkeypatch.setattr(Operator, "data_in", read)
    found = verdict("elementary_gda_contraction", large)
    assert found.status == "inconclusive"
    assert "take too long" in found.reason


def test_no_name_decides_which_constants_are_tried() -> None:
    """A renamed file gave other runs, and other ratios."""
    here = problem("bilinear", L=2)
    there = dataclasses.replace(here, name="renamed.npy")
    first, second = (verdict("pethick2022_ceg_plus", p) for p in (here, there))
    assert dataclasses.replace(second, problem=first.problem) == first


def test_opchecks_own_statements_are_known_as_its_own() -> None:
    """They are shown to be real on their range by tests, and not again before every run."""
    assert all(_is_own(registry.get("theorems", n)) for n in registry.names("theorems"))
    stranger = dataclasses.replace(registry.get("theorems", "gorbunov2022_eg_last"), name="mine")
    assert not _is_own(stranger)


def test_provenance_is_that_of_decided_verdicts() -> None:
    theorem = registry.get("theorems", "gorbunov2022_eg_last")
    holds = Verdict(theorem.name, "a", "holds", provenance="exact")
    open_ = Verdict(theorem.name, "b", "inconclusive", provenance="estimated")
    assert Summary(theorem, (holds, open_)).provenance == "exact"
    assert Summary(theorem, (open_,)).provenance == "estimated"
