"""Admissible parameters: the sampler against the ranges, in floats and in exact arithmetic."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

import opcheck
from opcheck import registry
from opcheck.engine.numbers import Ball, ball_arithmetic, precision, rational
from opcheck.errors import OpcheckError
from opcheck.evidence.simulation.verify import library
from opcheck.evidence.statement.hypotheses import Constants, Inapplicable, match
from opcheck.evidence.statement.parameters import (
    Empty,
    check,
    choices,
    conditions_hold,
    entered,
    lowest,
    parts,
    settle,
    weaker,
)
from opcheck.model.problem import Problem
from opcheck.model.property import Comonotone, Lipschitz
from opcheck.model.text import text
from opcheck.model.theorem import Theorem

THEOREMS = registry.names("theorems")
HORIZON = 20
Values = dict[str, Any]


def statement(where: str, method: str = "eg_plus", **changes: Any) -> Theorem:
    """A theorem of nothing but its range; ``L`` and ``rho`` are constants."""
    base = registry.get("theorems", "pethick2022_ceg_plus")
    plain: dict[str, Any] = {"method": method, "where": where, "paper": (), "let": {}}
    return dataclasses.replace(base, **plain | changes)


def of(rounded: str = "", **values: float) -> Constants:
    return Constants(values, {}, "exact", False, frozenset(rounded.split()))


def sampled(where: str, name: str, *, method: str = "eg_plus", **values: float) -> list[float]:
    alpha = "" if method != "eg_plus" or "alpha" in where else ", 1/2 <= alpha <= 1/2"
    found = choices(statement(where + alpha, method), of(**values), HORIZON)
    return sorted({v[name] for v in found})


def stays_inside(name: str, problems: tuple[Problem, ...]) -> int:
    """Check each sampled value in floats, and against its range in balls of the closed forms."""
    theorem = registry.get("theorems", name)
    empty = []
    count = 0
    for problem in problems:
        try:
            known = match(theorem, problem)
        except Inapplicable:
            continue
        try:
            found = list(choices(theorem, known, HORIZON))
        except Empty as reason:
            empty.append(str(reason))
            continue
        for values in found:
            check(theorem, values)
            conditions_hold(theorem, dict(values))
            with precision(200):
                outside = exactly_outside(theorem, problem, known, values)
            assert not outside, f"{name} on {problem.name}: {outside}, {values}"
        count += len(found)
    assert all("=" in reason for reason in empty), "an empty range without its numbers"
    return count


def exactly_outside(theorem: Theorem, problem: Problem, known: Constants, values: Values) -> str:
    """The first range that a sampled value leaves when nothing is rounded."""
    arithmetic = ball_arithmetic()
    parameters = {n: rational(float(v)) for n, v in problem.parameters.items()}
    scope: Values = {"K": HORIZON}
    for symbol, value in known.values.items():
        formula = known.formulas.get(symbol)
        exact = text(formula).evaluate(parameters, arithmetic) if formula else rational(value)
        scope[symbol] = exact
    for chain in theorem.chains:
        settle(theorem, scope, arithmetic)
        value = rational(float(values[chain.name]))
        for end, sign, strict in ((chain.lo, 1, chain.strict[0]), (chain.hi, -1, chain.strict[1])):
            if end is not None:
                room = Ball(sign * (value - end.evaluate(scope, arithmetic)))
                if not (room > 0 or (not strict and room >= 0)):
                    return f"{chain} by {room}"
        scope[chain.name] = value
    return ""


@pytest.mark.parametrize("name", THEOREMS)
@pytest.mark.sampled(4)
def test_every_sampled_value_lies_in_its_range(name: str) -> None:
    small = tuple(p for p in library() if p.dim <= 10)[::6]
    assert stays_inside(name, small) > 0 or registry.get("theorems", name).on


@pytest.mark.slow
@pytest.mark.parametrize("name", THEOREMS)
def test_every_sampled_value_lies_in_its_range_on_the_whole_library(name: str) -> None:
    assert stays_inside(name, library()) > 0


def test_open_ends_are_approached_and_not_taken() -> None:
    found = sampled("0 < gamma < 1/L", "gamma", L=4.0)
    w = 0.25
    assert found == pytest.approx(
        [1e-6 * w, 1e-2 * w, w / 2, w - 1e-2 * w, w - 1e-6 * w], rel=1e-12
    )


def test_closed_ends_are_taken_where_they_are_exact() -> None:
    found = sampled("1/L <= gamma <= 3/L", "gamma", L=4.0)
    assert (found[0], found[-1]) == (0.25, 0.75)


@pytest.mark.parametrize("L", [3.0, 7.0, 0.7, 1e-3])
def test_a_closed_end_that_no_float_holds_is_not_exceeded(L: float) -> None:
    found = sampled("1/L <= gamma <= 3*sqrt(2)/L", "gamma", L=L)
    with precision(200):
        low, high = Ball(1) / rational(L), Ball(rational(18)).sqrt() / rational(L)
        assert all(low <= rational(g) and rational(g) <= high for g in found)
    assert found[0] == pytest.approx(1 / L, rel=1e-14)
    assert found[-1] == pytest.approx(3 * 2**0.5 / L, rel=1e-14)


def test_a_closed_end_of_a_rounded_constant_is_not_exceeded() -> None:
    # the float of L may be below L, so that its reciprocal is above 1/L
    theorem = statement("0 < gamma <= 1/L, 1/2 <= alpha <= 1/2")
    top = max(v["gamma"] for v in choices(theorem, of("L", L=2.0), HORIZON))
    assert top < 0.5
    assert top == pytest.approx(0.5, rel=1e-14)


def test_a_closed_end_that_let_computes_is_not_exceeded() -> None:
    """β = 1 + ρ/γ in floats was taken for β: λ = β was then below it, by 5e-11 of 1e6."""
    theorem = statement("0 < gamma < 1/L, beta <= alpha < 2*beta", let={"beta": "1 + rho/gamma"})
    for L in (2.0, 3.0, 0.7):
        for values in choices(theorem, of(L=L, rho=0.5), HORIZON):
            beta = 1 + rational(0.5) / rational(values["gamma"])
            assert beta <= rational(values["alpha"]) < 2 * beta


def test_a_single_point_is_a_range() -> None:
    assert sampled("1/L <= gamma <= 1/L", "gamma", L=4.0) == [0.25]


def test_each_range_uses_the_values_before_it() -> None:
    theorem = statement("0 < gamma <= 1/L, 0 < alpha < 1 + 2*rho/gamma")
    found = list(choices(theorem, of(L=1.0, rho=0.1), HORIZON))
    assert len({(v["gamma"], v["alpha"]) for v in found}) == len(found) == 9
    assert all(0 < v["alpha"] < 1 + 0.2 / v["gamma"] for v in found)
    # each range close to either end with the other in the middle, and both together
    middle = found[0]
    assert middle["gamma"] == 0.5
    assert middle["alpha"] == pytest.approx(0.7)
    assert sum(v["gamma"] == 0.5 for v in found) == 3


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ("1 <= tau", [1, 2, 5]),
        ("3 < tau", [4, 5, 11]),
        ("L <= tau", [3, 4, 9]),
        ("2 <= tau <= 4", [2, 3, 4]),
        ("2 < tau < 4", [3]),
        ("2.5 <= tau <= 4.5", [3, 4]),
    ],
)
def test_whole_parameters_are_whole_and_inside(where: str, found: list[int]) -> None:
    full = f"1/2 <= gamma <= 1/2, {where}"
    got = sampled(full, "tau", method="approximate_proximal_point", L=2.5)
    assert got == found
    assert all(isinstance(v, int) for v in got)


def test_an_unbounded_range_reaches_far_beyond_its_lower_end() -> None:
    assert sampled("0 < gamma", "gamma") == pytest.approx([1e-2, 1e-1, 1, 3, 10])
    assert sampled("L <= gamma", "gamma", L=2.0) == pytest.approx([2, 2.2, 4, 8, 22])


def test_a_range_without_a_lower_end_cannot_be_sampled() -> None:
    with pytest.raises(OpcheckError, match="gamma < 1/L needs a lower end"):
        sampled("gamma < 1/L", "gamma", L=1.0)


@pytest.mark.parametrize(
    ("where", "sentence"),
    [
        (
            "max(0, -2*rho) < gamma <= 1/L",
            "max(0, -2*rho) < gamma <= 1/L is empty: max(0, -2*rho) = 1.2, 1/L = 0.5",
        ),
        ("1/L <= gamma < 1/L", "1/L <= gamma < 1/L is empty: 1/L = 0.5, 1/L = 0.5"),
        ("-1/(2*L) < rho, 0 < gamma", "-1/(2*L) < rho fails: rho = -0.6, -1/(2*L) = -0.25"),
        ("0 <= rho, 0 < gamma", "0 <= rho fails: rho = -0.6"),
        ("rho <= -1, 0 < gamma", "rho <= -1 fails: rho = -0.6"),
    ],
)
def test_an_empty_range_says_so_with_its_numbers(where: str, sentence: str) -> None:
    with pytest.raises(Empty) as empty:
        sampled(where, "gamma", L=2.0, rho=-0.6)
    assert str(empty.value) == sentence


def test_an_empty_range_of_whole_numbers() -> None:
    with pytest.raises(Empty, match=r"L < tau < L \+ 1 is empty: L = 2, L \+ 1 = 3"):
        sampled(
            "1/2 <= gamma <= 1/2, L < tau < L + 1",
            "tau",
            method="approximate_proximal_point",
            L=2.0,
        )


def test_the_papers_own_choice_comes_first() -> None:
    theorem = statement(
        "0 < gamma <= 1/L, 0 < alpha < 1 + 2*rho/gamma",
        paper=({"gamma": "1/L", "alpha": "1/2 + rho/gamma"},),
    )
    first = next(iter(choices(theorem, of(L=4.0, rho=-0.1), HORIZON)))
    assert (first["gamma"], first["alpha"]) == (0.25, pytest.approx(0.1))
    # at a closed end whose exact value is not known it steps inside
    inside = next(iter(choices(theorem, of("L", L=4.0, rho=-0.1), HORIZON)))
    assert 0.25 * (1 - 1e-14) < inside["gamma"] < 0.25


def test_a_paper_choice_outside_the_range_is_left_out() -> None:
    theorem = statement(
        "0 < gamma < 1/L, 1/2 <= alpha <= 1/2", paper=({"gamma": "2/L", "alpha": "1/2"},)
    )
    found = [v["gamma"] for v in choices(theorem, of(L=1.0), HORIZON)]
    assert max(found) < 1
    assert found[0] == 0.5


def test_symbols_of_let_are_settled_in_any_order() -> None:
    theorem = statement("0 < gamma <= 1/L, 0 < alpha <= half", let={"half": "q/2", "q": "gamma*L"})
    for values in choices(theorem, of(L=2.0), HORIZON):
        assert values["q"] == values["gamma"] * 2
        assert 0 < values["alpha"] <= values["half"] == values["q"] / 2


def test_a_let_over_k_is_a_sequence() -> None:
    values: Values = {"s": 0.25, "k": np.arange(4.0)}
    settle(registry.get("theorems", "baillon1996_km_last"), values)
    assert values["a"].tolist() == [0.25 + 0.5 / (k + 2) for k in range(4)]


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"gamma": 1.5}, "needs 0 < gamma <= 1/L, which fails: gamma = 1.5, 1/L = 1"),
        ({"gamma": 0.0}, "needs 0 < gamma <= 1/L, which fails: gamma = 0, 1/L = 1"),
        (
            {"gamma": 0.5, "alpha": 0.6},
            "needs 0 < alpha < 1 + 2*rho/gamma, which fails: alpha = 0.6, 1 + 2*rho/gamma = 0.6",
        ),
    ],
)
def test_check_names_the_range_and_the_numbers(values: Values, sentence: str) -> None:
    theorem = statement("0 < gamma <= 1/L, 0 < alpha < 1 + 2*rho/gamma")
    with pytest.raises(OpcheckError) as outside:
        check(theorem, {"L": 1.0, "rho": -0.1, "alpha": 0.5, **values})
    assert str(outside.value) == f"pethick2022_ceg_plus {sentence}"


@pytest.mark.parametrize("gamma", [1.0, 5e-324])
def test_check_admits_closed_ends(gamma: float) -> None:
    check(statement("0 < gamma <= 1/L, 0 < alpha"), {"L": 1.0, "gamma": gamma, "alpha": 1.0})


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"gamma": 2.0}, "needs 0 < gamma < 1/L, which fails: gamma = 2, 1/L = 1"),
        ({"gamma": float("nan")}, "gamma = nan is not finite"),
        ({"gamma": [0.1, 0.2]}, r"gamma = \[0.1, 0.2\] is not a number"),
        # neither a constant of the problem nor the distance may be overruled
        ({"gamma": 0.5, "L": 0.1}, "leaves gamma to choose, not L"),
        ({"gamma": 0.5, "R": 9.0}, "leaves gamma to choose, not R"),
        ({"gama": 0.5}, "leaves gamma to choose, not gama"),
    ],
)
def test_verify_refuses_parameters_outside(parameters: Values, message: str) -> None:
    with pytest.raises(OpcheckError, match=message):
        opcheck.verify("gorbunov2022_eg_last", "bilinear", **parameters)


def test_verify_asks_for_every_open_parameter() -> None:
    with pytest.raises(OpcheckError, match="needs a value for alpha"):
        opcheck.verify("diakonikolas2021_eg_plus_base", "bilinear", gamma=0.5)
    with pytest.raises(OpcheckError, match="leaves nothing to choose, not gamma"):
        opcheck.verify("lieder2021_halpern", "neg_identity", gamma=0.5)
    with pytest.raises(OpcheckError, match="must be a whole number"):
        opcheck.verify("pethick2023_la_eg", "bilinear", gamma=0.5, lam=0.5, tau=2.5)


# F12, A2: the whole hypothesis range is entered, also with constants weaker than the best.


def test_an_earlier_value_moves_to_where_a_later_range_is_open() -> None:
    # alpha has room only for gamma above 0.8 of its range
    found = list(
        choices(statement("0 < gamma <= 1/L, 0 < alpha < 1 - 0.8/(gamma*L)"), of(L=2.0), HORIZON)
    )
    gammas = sorted({v["gamma"] for v in found})
    assert gammas[0] == pytest.approx(0.4, rel=1e-5)
    assert gammas[-1] == 0.5
    assert any(v["gamma"] == pytest.approx(0.45, rel=1e-2) for v in found)
    for values in found:
        check(statement("0 < gamma <= 1/L, 0 < alpha < 1 - 0.8/(gamma*L)"), values)


def test_a_later_range_that_is_open_inside_only_is_found() -> None:
    where = "0 < gamma <= 1/L, 0 < alpha < 0.1 - (gamma*L - 0.8)**2"
    found = list(choices(statement(where), of(L=1.0), HORIZON))
    assert found
    low, high = (pick(v["gamma"] for v in found) for pick in (min, max))
    assert low == pytest.approx(0.8 - 0.1**0.5, abs=1e-3)
    assert high == pytest.approx(1.0)


def test_a_range_open_nowhere_is_empty_still() -> None:
    with pytest.raises(Empty, match="alpha < -1 is empty"):
        list(choices(statement("0 < gamma <= 1/L, 0 < alpha < -1"), of(L=1.0), HORIZON))


@pytest.mark.parametrize("exponent", [-100, -30, 30, 100])
@pytest.mark.parametrize("where", ["0 < gamma", "1/L <= gamma", "0 < gamma < 1/L"])
def test_a_sample_is_in_units_of_the_step(where: str, exponent: int) -> None:
    """F5: no absolute distance from an end."""
    plain = sampled(where, "gamma", L=1.0)
    scaled = sampled(where, "gamma", L=2.0**exponent)
    assert [g * 2.0**exponent for g in scaled] == plain


RHO = [n for n in THEOREMS if any(p.constant == "rho" for p in registry.get("theorems", n).asked)]


@pytest.mark.parametrize("name", RHO)
def test_the_end_of_the_range_of_rho_is_found_and_is_in_units_of_one_over_L(name: str) -> None:
    one = registry.get("theorems", name)
    end = lowest(one)
    assert -1 <= end <= 0
    for L in (1.0, 2.0**40):
        for share, admitted in ((0.99, True), (1.01, end > -1)):
            values = {str(p.constant): L for p in one.asked if p.kind.better is not None}
            known = of(**{**values, "rho": share * end / L})
            try:
                inside = bool(list(choices(one, known, one.horizons[0])))
            except Empty:
                inside = False
            assert inside == (share < 1) or (share > 1 and end in (-1.0, 0.0)), (share, admitted)


@pytest.mark.parametrize("name", THEOREMS)
def test_weaker_constants_are_implied_by_the_best(name: str) -> None:
    """F12: each is what the hypotheses allow as well, and none is better."""
    one = registry.get("theorems", name)
    values = {"L": 1.0, "mu": 0.25, "beta": 0.5, "rho": 0.0, "theta": 0.5, "q": 0.5}
    symbols = {str(p.constant): p for p in one.asked if p.kind.better is not None}
    known = of("L", **{s: values.get(s, 0.5) for s in symbols})
    found = weaker(one, known)
    assert bool(found) == bool(symbols)
    for other in found:
        assert other.values != known.values
        for symbol, value in other.values.items():
            if symbols[symbol].kind.better == "larger":
                assert value <= known.values[symbol]
            else:
                assert value >= known.values[symbol]
        if other.values.get("L") != known.values.get("L"):
            assert "L" not in other.rounded


def test_weaker_rho_reaches_down_to_a_closed_end() -> None:
    one = statement(
        "-1/(8*L) <= rho, rho <= 0", given=GIVEN, let={"gamma": "1/(2*L)", "alpha": "1"}
    )
    found = {k.values["rho"] for k in weaker(one, of(L=1.0, rho=0.5)) if k.values["L"] == 1.0}
    assert min(found) == pytest.approx(-1 / 8, rel=1e-6)
    assert min(found) >= -1 / 8
    assert 0.0 in found
    assert max(found) == 0.0


GIVEN = (Lipschitz("L"), Comonotone("rho"))


def test_the_part_of_a_range_is_told_in_thirds() -> None:
    one = statement("-1/(2*L) < rho, 0 < gamma < 1/L, 1/2 <= alpha <= 1/2", given=GIVEN)
    base = {"L": 2.0, "alpha": 0.5}
    told = [
        entered(one, {**base, "gamma": gamma, "rho": rho})
        for gamma, rho in ((0.01, -0.249), (0.25, -0.125), (0.49, -0.01), (0.49, 0.0), (0.49, 0.2))
    ]
    assert [t["gamma"] for t in told] == ["low", "middle", "high", "high", "high"]
    assert [t["rho"] for t in told] == [
        "negative low",
        "negative middle",
        "negative high",
        "zero",
        "positive",
    ]
    assert parts(one)["rho"] == ("negative low", "negative middle", "negative high")
