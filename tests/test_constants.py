"""Constants: searches never beat closed forms, enclosures hold them, nothing false is proved."""

from __future__ import annotations

import dataclasses
import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from scipy import sparse

import opcheck
from opcheck import registry
from opcheck.engine.intervals import Intervals, enclosure
from opcheck.errors import OpcheckError
from opcheck.evidence import enclose
from opcheck.evidence.constants import Constant, constants, critical, search
from opcheck.evidence.hypotheses import classes
from opcheck.evidence.survey import lines, survey
from opcheck.evidence.verify import library
from opcheck.model.operator import linear, operator
from opcheck.model.problem import Problem, problem
from opcheck.model.property import (
    KINDS,
    Comonotone,
    Fact,
    Lipschitz,
    Monotone,
    StronglyMonotone,
    WeakMinty,
    exact,
)
from opcheck.report.terminal import survey_table

SMALL = [p for p in library() if p.dim <= 12]
FAMILIES = registry.names("problems")  # also the names of their default instances
SYMBOLIC = [p for p in SMALL if p.operator.slopes is not None]
named: Any = {"ids": lambda p: p.name}


def found(p: Problem, kind: Any, of: str = "F", **options: Any) -> Constant:
    (one,) = [c for c in constants(p, **options) if (c.kind, c.of) == (kind, of)]
    return one


# ---- intervals ---------------------------------------------------------------------------------


@pytest.mark.parametrize("p", SYMBOLIC, **named)
def test_slopes_at_points_lie_in_the_enclosure_of_their_box(p: Problem) -> None:
    generator = np.random.default_rng(0)
    lo = generator.uniform(-1.2, 1.0, (40, p.dim))
    hi = lo + generator.uniform(0, 0.4, (40, p.dim))
    for op in (p.operator, p.operator.slopes):
        assert op is not None
        below, above = enclosure(op, lo, hi)
        for t in (0.0, 0.3, 1.0):
            at = np.array([op(z) for z in lo + t * (hi - lo)])
            assert (below <= at).all()
            assert (at <= above).all()


@pytest.mark.parametrize("p", SYMBOLIC, **named)
def test_the_enclosure_of_a_point_is_a_few_units_wide(p: Problem) -> None:
    z = np.random.default_rng(1).uniform(-1, 1, (20, p.dim))
    below, above = enclosure(p.operator, z, z)
    assert (above - below <= 1e-13 * (1 + np.abs(below))).all()


def interval(lo: float, hi: float) -> Intervals:
    return Intervals(np.array([lo]), np.array([hi]))


def ends(value: Intervals) -> tuple[float, float]:
    return float(value.lo[0]), float(value.hi[0])


@pytest.mark.parametrize(
    ("value", "lo", "hi"),
    [
        (interval(-2, 3) * interval(-5, 1), -15, 10),
        (interval(-2, 3) ** 2, 0, 9),
        (interval(-2, 3) ** 3, -8, 27),
        (1 / interval(2, 4), 0.25, 0.5),
        (1 / interval(-1, 1), -math.inf, math.inf),
        (2 - interval(1, 3), -1, 1),
        (interval(0, math.inf) * interval(0, 2), 0, math.inf),
        (interval(-math.inf, math.inf).tanh(), -1, 1),
        (interval(-math.inf, 0).exp(), 0, 1),
        (interval(0, 4).sqrt(), 0, 2),
        (interval(0, 3.2).sin(), math.sin(3.2), 1),
        (interval(-0.1, 0.1).cos(), math.cos(0.1), 1),
    ],
)
def test_interval_arithmetic_encloses_and_is_sharp(value: Intervals, lo: float, hi: float) -> None:
    below, above = ends(value)
    assert below <= lo
    assert above >= hi
    for got, want in ((below, lo), (above, hi)):
        # 30-bit radii of balls are what sin and cos of a wide interval lose
        assert got == want or abs(got - want) <= 1e-6 * (1 + abs(want))


def test_interval_arithmetic_holds_the_exact_result_of_floats() -> None:
    x, y = np.random.default_rng(8).standard_normal((2, 200))
    a, b = Intervals(x, x), Intervals(y, y)
    of = {
        "+": (a + b, lambda p, q: p + q),
        "-": (a - b, lambda p, q: p - q),
        "*": (a * b, lambda p, q: p * q),
        "/": (a / b, lambda p, q: p / q),
        "cube": (a**3, lambda p, q: p**3),
        "square": (a * a, lambda p, q: p * p),
        "1 -": (1 - a, lambda p, q: 1 - p),
    }
    for name, (found, exactly) in of.items():
        for i in range(len(x)):
            value = exactly(Fraction(x[i]), Fraction(y[i]))
            assert Fraction(found.lo[i]) <= value <= Fraction(found.hi[i]), name


def test_a_square_of_one_number_is_no_product_of_two() -> None:
    x = interval(-1, 1)
    assert ends(x * x)[0] >= -1e-300
    assert ends(x * interval(-1, 1))[0] <= -1


def branching(z, out, data):
    out[0] = z[0] if z[0] > 0 else -z[0]


def test_a_branch_has_no_enclosure() -> None:
    with pytest.raises(OpcheckError, match="branches"):
        enclosure(operator(branching, 1), np.zeros((1, 1)), np.ones((1, 1)))


def test_infinite_boxes_of_an_operator_with_bounded_slopes() -> None:
    slopes = problem("tanh_saddle").operator.slopes
    assert slopes is not None
    whole = np.full((1, 2), np.inf)
    below, above = enclosure(slopes, -whole, whole)
    assert below[0, 0] == pytest.approx(-0.6)  # 0.2 − 0.4 (1 − t²), its t² taken twice
    assert above[0, 0] == pytest.approx(0.2)


# ---- search ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "p",
    [p if p.name in FAMILIES else pytest.param(p, marks=pytest.mark.slow) for p in SMALL],
    **named,
)
def test_no_stated_fact_is_beaten_by_the_search(p: Problem) -> None:
    for fact in p.facts:
        kind, of = fact.property.kind, fact.property.of
        if kind.better is None or of not in ("F", "S") or (of == "S" and not p.constrained):
            continue
        if kind.of_values or (kind.star and p.solution is None):
            continue
        where = p if fact.local else dataclasses.replace(p, region=None)
        best, stated = search(where, kind, of), p.constant(fact)
        room = 1e-9 * (1 + abs(stated))
        assert best <= stated + room if kind.better == "smaller" else best >= stated - room, kind


@pytest.mark.parametrize(
    ("name", "kind", "value"),
    [
        ("tight_linear", Lipschitz, 1.0),
        ("tight_linear", Comonotone, -0.1),
        ("tanh_saddle", Lipschitz, 1.2),
        ("tanh_saddle", Comonotone, -0.2 / 0.96),
        ("forsaken", Lipschitz, 12.402569),
        ("polar_game", Lipschitz, 6.3060896),
        ("bilinear", StronglyMonotone, 0.0),
        ("right_shift", Comonotone, 0.5),
    ],
)
def test_the_search_comes_close_to_known_constants(name: str, kind: Any, value: float) -> None:
    assert search(problem(name), kind, "F") == pytest.approx(value, rel=1e-4, abs=1e-9)


def test_a_search_is_repeated_to_the_bit_by_its_seed() -> None:
    p = problem("polar_game")
    assert search(p, Lipschitz, "F", 3) == search(p, Lipschitz, "F", 3)
    assert search(p, Lipschitz, "F", 3) != search(p, Lipschitz, "F", 4)


@pytest.mark.parametrize(
    "kind", [k for k in KINDS if k.better and k.symbol != "theta" and not k.of_values]
)
def test_the_critical_constant_makes_the_form_vanish(kind: Any) -> None:
    dx, du = np.random.default_rng(2).standard_normal((2, 50, 3))
    xx, xu, uu = ((a * b).sum(axis=1) for a, b in ((dx, dx), (dx, du), (du, du)))
    value = critical(kind, xx, xu, uu)
    for c, s, t, u in zip(value, xx, xu, uu, strict=True):
        a, b, d = (float(v) for v in kind.form(c))
        assert abs(a * s + 2 * b * t + d * u) < 1e-9 * (s + abs(t) + u) * (1 + abs(c)) ** 2


def test_an_unbounded_constant_is_infinite_and_no_fact() -> None:
    cubic = problem("cubic_saddle")
    free = dataclasses.replace(cubic, region=None)
    assert search(free, Lipschitz, "F") > 100  # it grows with the radius that is looked at
    assert search(problem("nilpotent"), Comonotone, "F") == -math.inf


# ---- proofs ------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("p", [p for p in SYMBOLIC if p.dim == 2], **named)
def test_an_enclosure_holds_what_is_known(p: Problem) -> None:
    for c in constants(p, rigorous=True):
        assert c.lower <= c.upper
        for fact in p.facts:
            if (fact.property.kind, fact.property.of) != (c.kind, c.of):
                continue
            if fact.provenance == "exact" and not (fact.local and p.region is None):
                stated, room = p.constant(fact), 1e-9 * (1 + abs(p.constant(fact)))
                # a fact need not be tight, but no certified value may contradict it
                beaten = c.lower > stated + room if c.kind is Lipschitz else c.upper < stated - room
                assert not beaten


@pytest.mark.parametrize(
    ("name", "kind", "value"),
    [
        pytest.param("tanh_saddle", Lipschitz, 1.2, marks=pytest.mark.slow),
        pytest.param("tanh_saddle", Comonotone, -0.2 / 0.96, marks=pytest.mark.slow),
        ("tight_linear", Lipschitz, 1.0),
        ("tight_linear", Comonotone, -0.1),
        ("forsaken", Lipschitz, 12.402569242368148),
        pytest.param("global_forsaken", Lipschitz, 3.0223976419603726, marks=pytest.mark.slow),
        ("polar_game", Lipschitz, 6.306089579516582),
        ("almost_bilinear", Lipschitz, 1.328007688582838),
    ],
)
def test_closed_forms_lie_in_enclosures_of_a_thousandth(name: str, kind: Any, value: float) -> None:
    p = problem(name)
    best = search(p, kind, "F")
    radius = p.region.radius if p.region else np.inf
    proved, _ = enclose.constant(p, kind, best, radius)
    assert proved is not None
    low, high = sorted((best, proved))
    room = 1e-9 * abs(value)
    assert low - room <= value <= high + room
    assert high - low <= 1.2e-3 * abs(value)


@pytest.mark.parametrize("name", ["polar_game", "tight_linear", "forsaken"])
def test_a_constant_cut_below_its_value_is_never_proved(name: str) -> None:
    p = problem(name)
    radius = p.region.radius if p.region else np.inf
    L = next(p.constant(f) for f in p.facts if f.property.kind is Lipschitz)
    proved, _ = enclose.everywhere(p.operator, Lipschitz.form(L * 0.999), radius, 50_000)
    assert proved is not True
    assert enclose.everywhere(p.operator, Lipschitz.form(L * 1.05), radius)[0] is True


@pytest.mark.parametrize(
    ("name", "value", "room"),
    [("almost_bilinear", -0.1, 2e-4), ("polar_game", -(49 / 3072) / (1 + (49 / 3072) ** 2), 4e-3)],
)
def test_a_modulus_against_one_solution_is_proved_far_and_near(
    name: str, value: float, room: float
) -> None:
    p = problem(name, box=0.0) if name == "polar_game" else problem(name)
    proved, _ = enclose.constant(p, WeakMinty, search(p, WeakMinty, "F"), 1.5)
    assert proved is not None
    assert value * (1 + room) <= proved <= value * (1 - 1e-4) + 1e-5


def test_a_negative_modulus_on_a_bounded_region_stays_one_sided() -> None:
    proved, note = enclose.constant(problem("polar_game", a=0.1), Comonotone, -0.05, 1.1)
    assert proved is None
    assert "whole space" in note


def test_nonnegative_against_random_matrices() -> None:
    generator = np.random.default_rng(3)
    lo = generator.standard_normal((300, 3, 3))
    hi = lo + generator.uniform(0, 0.02, lo.shape)
    form = (0.1, 0.5, 0.3)
    shown = enclose.nonnegative(form, lo, hi)
    assert 20 < shown.sum() < 280
    for i in np.flatnonzero(shown):
        J = lo[i] + generator.uniform(0, 1, (3, 3)) * (hi[i] - lo[i])
        K = 0.1 * np.eye(3) + 0.5 * (J + J.T) + 0.3 * J.T @ J
        assert np.linalg.eigvalsh(K)[0] >= 0


@pytest.mark.parametrize("form", [Lipschitz.form(1.0), Comonotone.form(-0.5), (-0.25, 0.5, 0)])
def test_nonnegative_on_intervals_of_one_dimension(form: Any) -> None:
    """Where every value can be compared: shown only if it holds on the whole interval."""
    a, b, c = (float(v) for v in form)
    m, r = (v.ravel() for v in np.meshgrid(np.linspace(-3, 3, 41), np.linspace(0, 3, 31)))
    shown = enclose.nonnegative(form, (m - r)[:, None, None], (m + r)[:, None, None])
    at = m[:, None] + r[:, None] * np.linspace(-1, 1, 201)
    least = (a + 2 * b * at + c * at**2).min(axis=1)
    assert not (shown & (least < 0)).any()
    assert shown[(r == 0) & (least > 1e-9)].all()
    assert 10 < shown.sum() < len(m) / 2


def test_nonnegative_against_the_worst_corner() -> None:
    generator = np.random.default_rng(6)
    M = 0.8 * np.eye(3) + 0.6 * generator.standard_normal((2000, 3, 3))
    R = 0.15 * generator.uniform(0, 1, M.shape)
    a, b, c = form = (0.1, 0.5, 0.3)
    shown = enclose.nonnegative(form, M - R, M + R)
    assert shown.sum() > 20
    for mid, reach in zip(M[shown], R[shown], strict=True):
        K = a * np.eye(3) + b * (mid + mid.T) + c * mid.T @ mid
        v = np.linalg.eigh(K)[1][:, 0]
        N = b * np.eye(3) + c * mid
        J = mid - reach * np.sign(np.outer(N @ v, v))
        worst = a * np.eye(3) + b * (J + J.T) + c * J.T @ J
        assert np.linalg.eigvalsh(worst)[0] >= -1e-12


def test_nothing_is_proved_of_a_kernel() -> None:
    def F(z, out, data):
        out[0] = z[0]

    with pytest.raises(OpcheckError, match="only a kernel"):
        constants(Problem("own", operator(F, 1), start=np.ones(1)), rigorous=True)


def test_a_dense_matrix_is_certified_without_asking() -> None:
    M = np.random.default_rng(4).standard_normal((30, 30))
    p = Problem("M", linear(M), start=np.ones(30), solution=np.zeros(30))
    c = found(p, Lipschitz)
    assert c.provenance == "certified"
    assert c.lower <= np.linalg.norm(M, 2) * (1 + 1e-12)
    assert c.upper == pytest.approx(np.linalg.norm(M, 2), rel=1e-12)


def test_a_sparse_operator_is_bounded_by_its_norms() -> None:
    M = sparse.random_array((60, 60), density=0.1, rng=np.random.default_rng(5), format="csr")
    M = M + 8 * sparse.eye_array(60)
    p = Problem("M", linear(M), start=np.ones(60), solution=np.zeros(60))
    assert (p.operator.sparse_matrix() != M).nnz == 0
    got = {c.kind: c for c in constants(p)}
    dense = M.toarray()
    assert got[Lipschitz].lower <= np.linalg.norm(dense, 2) <= got[Lipschitz].upper
    mu = np.linalg.eigvalsh((dense + dense.T) / 2)[0]
    assert 0 < got[StronglyMonotone].lower <= mu <= got[StronglyMonotone].upper
    rho = np.linalg.eigvalsh((np.linalg.inv(dense) + np.linalg.inv(dense).T) / 2)[0]
    assert 0 < got[Comonotone].lower <= rho


@pytest.mark.parametrize("diagonal", [[0.0, 0.0], [0.5, 2.0]])
def test_a_skew_coupling_is_exact(diagonal: list[float]) -> None:
    M = np.diag(diagonal) + np.array([[0.0, 0.1], [-0.1, 0.0]])
    p = Problem("M", linear(M), start=np.ones(2), solution=np.zeros(2))
    assert found(p, StronglyMonotone).lower == min(diagonal)
    if not any(diagonal):
        assert found(p, Comonotone).lower == 0.0


def test_every_modulus_holds_of_a_constant_operator() -> None:
    c = found(problem("translation"), Comonotone)
    assert (c.lower, c.upper, c.provenance) == (-math.inf, math.inf, "estimated")


def test_a_singular_matrix_without_an_ep_inverse_has_no_modulus() -> None:
    p = Problem("M", linear([[0.0, 1.0], [0.0, 0.0]]), start=np.ones(2), solution=np.zeros(2))
    assert found(p, Comonotone).upper == -math.inf
    both = Problem("M", linear([[2.0, 0.0], [0.0, 0.0]]), start=np.ones(2), solution=np.zeros(2))
    assert found(both, Comonotone).upper == pytest.approx(0.5)


def test_a_radius_must_be_positive() -> None:
    with pytest.raises(OpcheckError, match="positive radius"):
        constants(problem("forsaken"), box=-1.0)


# ---- classes -----------------------------------------------------------------------------------


def names(p: Problem) -> dict[str, float | None]:
    return {str(f.property.kind.name): f.property.constant for f in classes(p)}


def test_classes_follow_from_facts() -> None:
    where = Problem(
        "own", opcheck.linear([[2.0, 0.0], [0.0, 2.0]]), start=np.ones(2), facts=(
            exact(Lipschitz(2.0)), exact(StronglyMonotone(2.0)),
        ),
    )  # fmt: skip
    assert names(where) == {
        "Lipschitz": 2.0,
        "Monotone": None,
        "StronglyMonotone": 2.0,
        "Comonotone": 0.5,
        "Cocoercive": 0.5,
        "WeakMinty": 0.5,
    }
    only = dataclasses.replace(where, facts=(exact(Monotone()),))
    assert names(only) == {"Monotone": None, "Comonotone": 0.0, "WeakMinty": 0.0}
    assert names(dataclasses.replace(where, facts=())) == {}


def test_a_class_is_never_better_known_than_its_facts() -> None:
    for p in [p for p in SMALL if p.name in FAMILIES]:
        grades = {f.provenance for f in p.all_facts()}
        assert all(isinstance(c, Fact) and c.provenance in grades for c in classes(p))


def test_the_registry_of_kinds_is_complete() -> None:
    assert len({k.name for k in KINDS}) == len(KINDS) == 10
    stated = {f.property.kind for p in library() for f in p.facts}
    asked = {q.kind for n in registry.names("theorems") for q in registry.get("theorems", n).asked}
    assert stated | asked <= set(KINDS)


# ---- the library side by side ------------------------------------------------------------------


def test_a_line_judges_what_is_stated_and_published() -> None:
    by = {(x.found.kind, x.found.of): x for x in lines("tight_linear")}
    line = by[Lipschitz, "F"]
    assert (line.value, line.judgement) == (1.0, "best")
    assert by[StronglyMonotone, "F"].stated is None
    assert by[StronglyMonotone, "F"].judgement == ""

    def judged(stated: float, published: float | None = None) -> str:
        new = {"stated": exact(Lipschitz(stated)), "value": stated, "published": published}
        return dataclasses.replace(line, **new).judgement

    assert judged(1.5) == "holds, no pair comes near"
    assert judged(0.99) == "REFUTED"
    assert judged(1.0, 0.9) == "published value is wrong; best"
    assert judged(1.0, 1.2) == "published value holds; best"


def test_the_survey_is_a_markdown_table() -> None:
    table = survey_table(survey(["bilinear", "nilpotent"])).splitlines()
    assert len(table) == 2 + 4 + 4
    assert all(row.count("|") == table[0].count("|") for row in table)
