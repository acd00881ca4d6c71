"""Constants: searches never beat closed forms, enclosures hold them, nothing false is proved."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from scipy import sparse

import opcheck
from opcheck import registry
from opcheck.engine.intervals import Intervals, derivatives_over, enclosure, values
from opcheck.errors import OpcheckError
from opcheck.evidence.operators import branch_and_bound as branch
from opcheck.evidence.operators import enclose, growth, star
from opcheck.evidence.operators.branch_and_bound import cover
from opcheck.evidence.operators.constant import Constant
from opcheck.evidence.operators.constants import constants
from opcheck.evidence.operators.quadratic import least
from opcheck.evidence.operators.search import Graph, critical
from opcheck.evidence.operators.search import search as search_pairs
from opcheck.evidence.operators.slopes import steepest
from opcheck.evidence.operators.table import lines, survey
from opcheck.evidence.simulation.verify import library
from opcheck.evidence.statement.hypotheses import classes
from opcheck.model.operator import linear, operator
from opcheck.model.problem import Problem, Region, problem
from opcheck.model.property import (
    KINDS,
    Cocoercive,
    Comonotone,
    Fact,
    Lipschitz,
    Monotone,
    StronglyMonotone,
    WeakMinty,
    exact,
    strongest,
)
from opcheck.report.tables import survey_table

SMALL = [p for p in library() if p.dim <= 12]
FAMILIES = registry.names("problems")  # also the names of their default instances
SYMBOLIC = [p for p in SMALL if p.operator.slopes is not None]
cut = branch.bisect
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


def test_zeros_and_signs_are_kept_exactly() -> None:
    one = interval(1, 1)
    assert ends(one + (-one)) == (0, 0)
    assert ends(interval(0, 2) * interval(0, 3))[0] == 0
    assert ends(interval(0, 2) * interval(-3, 0))[1] == 0
    assert ends(3 * interval(-1, 2) ** 2)[0] == 0
    # a product that underflows is still not lost
    tiny = interval(1e-200, 1e-200)
    assert ends(tiny * -tiny)[0] < 0


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


def sought(p: Problem) -> tuple[list[Fact], list[Fact]]:
    """Facts that a search may beat: those whose constant no spectrum is, and the others."""
    others: list[Fact] = []
    of_matrix: list[Fact] = []
    for fact in p.facts:
        kind, of = fact.property.kind, fact.property.of
        if kind.better is None or of not in ("F", "S") or (of == "S" and not p.constrained):
            continue
        if not kind.of_values and (not kind.star or p.solution is not None):
            (of_matrix if of == "F" and p.operator.matrix is not None else others).append(fact)
    return others, of_matrix


def to_search() -> Iterator[Any]:
    """Families at their defaults, and of large matrices what library/test_problems leaves open."""
    for p in SMALL:
        for facts, quick, of in zip(sought(p), (True, p.dim <= 2), ("", " F"), strict=True):
            marks = () if p.name in FAMILIES and quick else pytest.mark.slow
            if facts:
                yield pytest.param(p, facts, marks=marks, id=f"{p.name}{of}")


@pytest.mark.parametrize(("p", "facts"), [*to_search()])
@pytest.mark.sampled(8)
def test_no_stated_fact_is_beaten_by_the_search(p: Problem, facts: list[Fact]) -> None:
    for fact in facts:
        kind, of = fact.property.kind, fact.property.of
        where = p if fact.local else dataclasses.replace(p, region=None)
        # also of a search that did not settle each pair that it met counts
        on_set = p.constrained and p.operator.slopes is None and p.resolvent.contains is not None
        best, stated = search_pairs(Graph(where, of, on_set, 0), kind).worst, p.constant(fact)
        room = 1e-9 * (1 + abs(stated))
        assert best <= stated + room if kind.better == "smaller" else best >= stated - room, kind


def searched(p: Problem, kind: Any, seed: int = 0) -> float:
    """The worst constant of F that a search over pairs meets."""
    return search_pairs(Graph(p, "F", False, seed), kind).worst


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
@pytest.mark.sampled(4)
def test_the_search_comes_close_to_known_constants(name: str, kind: Any, value: float) -> None:
    assert searched(problem(name), kind) == pytest.approx(value, rel=1e-4, abs=1e-9)


def test_a_search_is_repeated_to_the_bit_by_its_seed() -> None:
    p = problem("polar_game")
    assert searched(p, Lipschitz, 3) == searched(p, Lipschitz, 3)
    assert searched(p, Lipschitz, 3) != searched(p, Lipschitz, 4)


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
    assert searched(free, Lipschitz) > 100  # it grows with the radius that is looked at
    (rho,) = [c for c in constants(problem("nilpotent")) if c.kind is Comonotone]
    assert rho.upper == -math.inf


@pytest.mark.parametrize("p", [p for p in SYMBOLIC if p.name in FAMILIES], **named)
def test_no_stated_fact_is_beaten_by_slopes(p: Problem) -> None:
    for fact in p.facts:
        kind, of = fact.property.kind, fact.property.of
        if fact.provenance != "exact" or of != "F" or kind.better is None or kind.of_values:
            continue
        where = p if fact.local else dataclasses.replace(p, region=None)
        best, stated = steepest(where, kind)[0], p.constant(fact)
        room = 1e-9 * (1 + abs(stated))
        assert best <= stated + room if kind.better == "smaller" else best >= stated - room


def test_all_points_at_once_are_the_same_kernel() -> None:
    for p in SYMBOLIC:
        z = np.random.default_rng(3).uniform(-1, 1, (7, p.dim))
        for op in (p.operator, p.operator.slopes, p.operator.slopes.slopes):  # type: ignore[union-attr]
            assert op is not None
            assert values(op, z) == pytest.approx(
                np.array([op(v) for v in z]), rel=1e-12, abs=1e-14
            )


# ---- proofs ------------------------------------------------------------------------------------


def undecided(c: Constant) -> bool:
    """What slopes can't prove: a negative ρ on a bounded region or of a sum, or no constant."""
    one_sided = c.kind is Comonotone and c.upper < 0 and (c.of == "S" or c.region is not None)
    return one_sided or not np.isfinite(c.upper if c.kind.better == "larger" else c.lower)


# as forsaken and polar_game, with other coefficients
ALIKE = ("forsaken_variant", "global_forsaken", "polar_game_boehm")


@pytest.mark.parametrize(
    "p",
    [
        p if p.name in FAMILIES and p.name not in ALIKE else pytest.param(p, marks=pytest.mark.slow)
        for p in SYMBOLIC
        if p.dim == 2
    ],
    **named,
)
@pytest.mark.sampled(4)
def test_enclosures_are_a_millionth_wide_and_hold_what_is_known(p: Problem) -> None:
    for c in constants(p, rigorous=True):
        assert c.lower <= c.upper
        if c.kind.of_values:  # about f, not about slopes: see test_polyak
            continue
        for fact in p.facts:
            if (fact.property.kind, fact.property.of) != (c.kind, c.of):
                continue
            if fact.provenance == "exact" and not (fact.local and p.region is None):
                stated, room = p.constant(fact), 1e-9 * (1 + abs(p.constant(fact)))
                # a fact need not be tight, but no certified value may contradict it
                beaten = c.lower > stated + room if c.kind is Lipschitz else c.upper < stated - room
                assert not beaten
        if c.kind is Lipschitz and c.lower == np.inf:  # no L at all: proved on a ray, or seen
            proved = c.note.startswith("proved: no finite L")
            assert c.provenance == ("certified" if proved else "estimated")
            continue
        if undecided(c):
            assert c.provenance == "estimated"
            continue
        assert c.provenance == "certified", (c.kind.name, c.note)
        size = max(abs(c.lower), abs(c.upper))
        assert c.upper - c.lower <= 1e-6 * (size if size > 1e-6 else 1.0), c.kind.name


@pytest.mark.parametrize(
    ("name", "kind", "value"),
    [
        ("tanh_saddle", Lipschitz, 1.2),
        ("tanh_saddle", Comonotone, -0.2 / 0.96),
        ("tight_linear", Lipschitz, 1.0),
        ("tight_linear", Comonotone, -0.1),
        ("forsaken", Lipschitz, 12.402569242368148),
        ("forsaken", StronglyMonotone, -1.3),
        ("global_forsaken", Lipschitz, 3.0223976419603726),
        ("global_forsaken", StronglyMonotone, -11 / 15),
        ("polar_game", Lipschitz, 6.306089579516582),
        ("almost_bilinear", Lipschitz, 1.328007688582838),
        ("grimmer_quartic", StronglyMonotone, -20.0),
    ],
)
@pytest.mark.sampled(4)
def test_closed_forms_lie_in_enclosures_of_a_millionth(name: str, kind: Any, value: float) -> None:
    p = problem(name)
    best = searched(p, kind) if p.operator.slopes is None else steepest(p, kind)[0]
    proved, _ = enclose.constant(p, kind, best)
    assert proved is not None
    low, high = sorted((best, proved))
    room = 1e-12 * abs(value)
    assert low - room <= value <= high + room
    assert high - low <= 1e-6 * abs(value)


SAMPLES = np.concatenate(
    [np.random.default_rng(7).uniform(0, 1, (300, 2)), [[i, j] for i in (0, 1) for j in (0, 1)]]
)


def boxes(centre: float, width: float, dim: int) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(11)
    lo = generator.uniform(-centre, centre, (60, dim))
    return lo, lo + width * generator.uniform(0.2, 1, lo.shape)


def check_boxes_of_slopes() -> None:
    """No Lipschitz constant that slopes in a box exceed is shown there; a larger one is."""
    op = problem("forsaken").operator
    lo, hi = boxes(1.2, 0.25, 2)
    shown = 0
    for low, high in zip(lo, hi, strict=True):
        slopes = values(op.slopes, low + SAMPLES * (high - low)).reshape(-1, 2, 2)
        for kind, worst, sign in (
            (Lipschitz, np.linalg.norm(slopes, 2, axis=(1, 2)).max(), 1),
            (StronglyMonotone, np.diagonal(slopes, axis1=1, axis2=2).min(), -1),
        ):
            for slack in (-1e-4, 0.02):
                form = kind.form(worst + sign * slack * abs(worst))
                middle = ((low + high) / 2)[None]
                at = derivatives_over(op, 1, middle, middle)
                one, _ = enclose._centred(op, form, low[None], high[None], middle, at)
                assert slack > 0 or not one[0]
                shown += int(one[0])
    assert shown > 30


def check_boxes_of_rays() -> None:
    """No weak Minty constant that points along the rays of a box refute is shown there."""
    p = problem("forsaken", box=0.0)
    zero = star.solution_of(p)
    assert zero is not None
    t = np.random.default_rng(12).uniform(0.05, 0.8, 60)
    times = np.random.default_rng(1).uniform(0, 1, len(SAMPLES)).round(1)
    shown = 0
    for width, slack in ((0.3, -1e-4), (0.05, 0.05)):
        lo, hi = boxes(1.0, width, 2)
        for low, high, start in zip(lo, hi, t, strict=True):
            end = start + width / 2
            z = zero[0] + (start + times * (end - start))[:, None] * (low + SAMPLES * (high - low))
            F = values(p.operator, z)
            worst = (((z - zero[0]) * F).sum(axis=1) / (F * F).sum(axis=1)).min()
            test = star._along(p.operator, WeakMinty.form(worst - slack * (0.1 + abs(worst))), zero)
            found = test(np.array([[start, *low]]), np.array([[end, *high]]))
            assert slack > 0 or found is None or not found[0][0]
            shown += int(found is not None and found[0][0])
    assert shown > 20


def check_boxes_are_all_kept() -> None:
    """What a subdivision returns has the area that it started from."""

    def small(lo: np.ndarray, hi: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return (hi - lo).max(axis=1) <= 0.05 * (1 + lo[:, 0] ** 2), hi - lo

    found = cover(small, np.array([[-1.0, 0.0]]), np.array([[2.0, 1.0]]))
    assert found.shown is True
    assert (found.hi - found.lo).prod(axis=1).sum() == pytest.approx(3.0, rel=1e-12)


CHECKS = (check_boxes_of_slopes, check_boxes_of_rays, check_boxes_are_all_kept)


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.ci
def test_a_box_is_shown_only_what_its_points_allow(check: Any) -> None:
    check()


def wrong_sign(operator: Any, order: int, lo: Any, hi: Any) -> Any:
    below, above = (np.array(e) for e in derivatives_over(operator, order, lo, hi))
    first = (slice(None), *(0,) * (order + 1))
    below[first], above[first] = -above[first], -below[first]
    return below, above


def no_radius(lo: Any, hi: Any) -> Any:
    return (lo + hi) / 2, np.zeros_like(lo)


def no_spread(value: Any, g: Any, H: Any, half: Any) -> Any:
    return least(value, g, ((H[0] + H[1]) / 2, (H[0] + H[1]) / 2), half)


def first_half(lo: Any, hi: Any, middle: Any, cost: Any) -> Any:
    below, above = cut(lo, hi, middle, cost)
    return below[: len(lo)], above[: len(lo)]


@pytest.mark.parametrize(
    ("module", "name", "mutant", "check"),
    [
        (enclose, "derivatives_over", wrong_sign, check_boxes_of_slopes),
        (enclose, "_centre", no_radius, check_boxes_of_slopes),
        (star, "derivatives_over", wrong_sign, check_boxes_of_rays),
        (star, "least", no_spread, check_boxes_of_rays),
        (branch, "bisect", first_half, check_boxes_are_all_kept),
    ],
)
def test_a_mutant_of_the_enclosure_is_caught(
    module: Any, name: str, mutant: Any, check: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, name, mutant)
    with pytest.raises(AssertionError):
        check()


def test_a_quadratic_is_bounded_from_below_and_closely() -> None:
    generator = np.random.default_rng(13)
    m, n = 200, 3
    value, g = generator.standard_normal(m), generator.standard_normal((m, n))
    H = generator.standard_normal((m, n, n))
    H = H + H.transpose(0, 2, 1)
    wide = generator.uniform(0, 0.1, H.shape)
    half = generator.uniform(0, 1, (m, n))
    bound = least(value, (g - 0.1, g + 0.1), (H - wide, H + wide), half)
    for _ in range(300):
        d = half * generator.uniform(-1, 1, (m, n))
        d = np.where(generator.uniform(size=d.shape) < 0.3, np.sign(d) * half, d)
        at = g + 0.1 * generator.uniform(-1, 1, g.shape)
        M = H + wide * generator.uniform(-1, 1, H.shape)
        M = (M + M.transpose(0, 2, 1)) / 2
        assert (
            bound <= value + (at * d).sum(axis=1) + np.einsum("mij,mi,mj->m", M, d, d) / 2
        ).all()
    # with its minimiser inside, the minimum itself
    M = np.einsum("mij,mkj->mik", H, H) + np.eye(n)
    at = np.linalg.solve(M, g[:, :, None])[:, :, 0]
    sharp = least(value, (g, g), (M, M), np.abs(at).sum(axis=1, keepdims=True) * np.ones(n))
    assert sharp == pytest.approx(value - (g * at).sum(axis=1) / 2, rel=1e-9, abs=1e-9)


# ---- sums with the normals of a box ------------------------------------------------------------


def leaning(c: float, off: float) -> Problem:
    """A rotation that leans inwards, about a point of [-1, 1]²: ρ = −c for F."""
    r = math.sqrt(1 - c * c)
    M = np.array([[-c, r], [-r, -c]])
    zero = np.array([off, off])
    return Problem(
        linear(M, list(-M @ zero)),
        registry.get("sets", "box")([-1.0, -1.0], [1.0, 1.0]),
        name="leaning",
        start=np.ones(2),
        solution=zero,
    )


def worst_with_normals(p: Problem) -> float:
    """The least ⟨F + n, x⟩/‖F + n‖² over a grid of the box and of normals on its faces."""
    grid = np.linspace(-1, 1, 81)
    z = np.array([(x, y) for x in grid for y in grid])
    F = values(p.operator, z)
    worst = np.inf
    for a in np.linspace(0, 4, 161):
        for b in (0.0, a):
            normal = np.stack([a * (np.abs(z[:, 0]) == 1), b * (np.abs(z[:, 1]) == 1)], axis=1)
            u, x = F + normal * np.sign(z), z - p.solution
            away = (u * u).sum(axis=1) > 1e-9
            ratio = (u * x).sum(axis=1)[away] / (u * u).sum(axis=1)[away]
            worst = min(worst, float(ratio.min()))
    return worst


@pytest.mark.parametrize(("c", "off"), [(0.1, 0.0), (0.2, 0.3), (0.38, 0.0), (0.5, 0.2)])
@pytest.mark.ci
def test_normals_of_a_box_count_against_its_solution(c: float, off: float) -> None:
    p = leaning(c, off)
    seen = worst_with_normals(p)
    proved, _ = star.constant(p, WeakMinty, -c, "S")
    sine, cosine = 2 * c * math.sqrt(1 - c * c), 1 - 2 * c * c
    if sine * (1 + off) <= cosine * (1 - off):  # the closed-form condition of quad_box
        assert seen == pytest.approx(-c, rel=1e-3)
        assert proved == pytest.approx(-c, rel=1e-6)
    else:
        assert seen < -c * 1.05
    assert proved is None or proved <= seen
    again, _ = star.constant(p, WeakMinty, seen * (1 + 1e-3), "S")
    assert again is not None
    assert again <= seen


def test_where_a_sum_is_not_proved_a_reason_is_given() -> None:
    p = leaning(0.1, 0.0)
    ball = dataclasses.replace(p, resolvent=registry.get("sets", "ball")(1.0))
    corner = dataclasses.replace(p, solution=np.ones(2))
    assert "for boxes" in star.constant(ball, WeakMinty, -0.1, "S")[1]
    assert star.constant(corner, WeakMinty, -0.1, "S")[0] is None
    assert (
        "boundary"
        in star.constant(
            dataclasses.replace(leaning(0.1, 0.5), region=Region(0.4)), WeakMinty, -0.1, "S"
        )[1]
    )
    over, _ = star.constant(p, WeakMinty, 0.1, "S")
    assert over is None or over <= -0.1
    notes = {(c.kind, c.of): c for c in constants(p, rigorous=True)}
    assert "says nothing of F + A" in notes[Comonotone, "S"].note


def test_a_monotone_operator_stays_so_with_normals() -> None:
    p = dataclasses.replace(leaning(0.0, 0.2), operator=linear([[0.5, 1.0], [-1.0, 0.25]]))
    p = dataclasses.replace(p, solution=np.zeros(2))
    got = {(c.kind, c.of): c for c in constants(p)}
    assert got[StronglyMonotone, "S"].lower == got[StronglyMonotone, "F"].lower
    assert got[StronglyMonotone, "F"].lower == pytest.approx(0.25, rel=1e-12)
    assert got[Comonotone, "S"].lower == got[WeakMinty, "S"].lower == 0.0
    assert got[Comonotone, "F"].lower > 0  # which S does not keep


def test_a_zero_is_enclosed_or_denied() -> None:
    p = problem("forsaken", box=0.0)
    zero = star.solution_of(p)
    assert zero is not None
    assert (zero[1] - zero[0] < 1e-14).all()
    F = [values(p.operator, np.array([z]))[0] for z in np.array(zero)]
    assert (np.abs(F) < 1e-13).all()
    moved = dataclasses.replace(p, solution=p.solution + 1e-3)
    assert star.solution_of(moved) is None
    exact_zero = star.solution_of(problem("polar_game"))
    assert exact_zero is not None
    assert (exact_zero[0] == 0).all()
    assert (exact_zero[1] == 0).all()


@pytest.mark.parametrize("name", ["ppm_worst", "appm_worst", "bilinear_box", "bilinear_slow"])
def test_a_skew_matrix_of_formulas_is_monotone_in_symbols(name: str) -> None:
    got = {(c.kind, c.of): c for c in constants(problem(name), rigorous=True)}
    assert got[StronglyMonotone, "F"].lower == got[Comonotone, "F"].lower == 0.0


@pytest.mark.parametrize("name", ["polar_game", "tight_linear", "forsaken"])
def test_a_constant_cut_below_its_value_is_never_proved(name: str) -> None:
    p = problem(name)
    L = next(p.constant(f) for f in p.facts if f.property.kind is Lipschitz)
    proved, _ = enclose.everywhere(p.operator, Lipschitz.form(L * 0.999), p.region, 50_000)
    assert proved is not True
    assert enclose.everywhere(p.operator, Lipschitz.form(L * 1.05), p.region)[0] is True


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("almost_bilinear", -0.1),
        ("polar_game", -(49 / 3072) / (1 + (49 / 3072) ** 2)),
        ("tanh_saddle", -0.2 / 1.04),
        ("grimmer_quartic", -20 / (100**2 + 400)),
    ],
)
@pytest.mark.ci
def test_a_modulus_against_one_solution_is_proved_far_and_near(name: str, value: float) -> None:
    p = problem(name, box=0.0) if name == "polar_game" else problem(name)
    proved, _ = enclose.constant(p, WeakMinty, value)
    assert proved is not None
    assert value * (1 + 1e-6) <= proved <= value
    assert enclose.constant(p, WeakMinty, value * 0.9)[0] < value  # type: ignore[operator]


def test_a_negative_modulus_on_a_bounded_region_stays_one_sided() -> None:
    proved, note = enclose.constant(
        dataclasses.replace(problem("polar_game", a=0.1), region=Region(1.1)), Comonotone, -0.05
    )
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
        constants(Problem(operator(F, 1), name="own", start=np.ones(1)), rigorous=True)


def test_a_dense_matrix_is_certified_without_asking() -> None:
    M = np.random.default_rng(4).standard_normal((30, 30))
    p = Problem(linear(M), name="M", start=np.ones(30), solution=np.zeros(30))
    c = found(p, Lipschitz)
    assert c.provenance == "certified"
    assert c.lower <= np.linalg.norm(M, 2) * (1 + 1e-12)
    assert c.upper == pytest.approx(np.linalg.norm(M, 2), rel=1e-12)


def test_a_sparse_operator_is_bounded_by_its_norms() -> None:
    M = sparse.random_array((60, 60), density=0.1, rng=np.random.default_rng(5), format="csr")
    M = M + 8 * sparse.eye_array(60)
    p = Problem(linear(M), name="M", start=np.ones(60), solution=np.zeros(60))
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
    p = Problem(linear(M), name="M", start=np.ones(2), solution=np.zeros(2))
    assert found(p, StronglyMonotone).lower == min(diagonal)
    if not any(diagonal):
        assert found(p, Comonotone).lower == 0.0


def test_every_modulus_holds_of_a_constant_operator() -> None:
    c = found(problem("translation"), Comonotone)
    assert (c.lower, c.upper, c.provenance) == (-math.inf, math.inf, "estimated")


def test_a_singular_matrix_without_an_ep_inverse_has_no_modulus() -> None:
    p = Problem(linear([[0.0, 1.0], [0.0, 0.0]]), name="M", start=np.ones(2), solution=np.zeros(2))
    assert found(p, Comonotone).upper == -math.inf
    both = Problem(
        linear([[2.0, 0.0], [0.0, 0.0]]), name="M", start=np.ones(2), solution=np.zeros(2)
    )
    assert found(both, Comonotone).upper == pytest.approx(0.5)


def test_a_radius_must_be_positive() -> None:
    with pytest.raises(OpcheckError, match="positive and finite number"):
        constants(problem("forsaken"), region=-1.0)


# ---- classes -----------------------------------------------------------------------------------


def names(p: Problem) -> dict[str, float | None]:
    return {str(f.property.kind.name): f.property.constant for f in classes(p)}


def test_classes_follow_from_facts() -> None:
    where = Problem(
        opcheck.linear([[2.0, 0.0], [0.0, 2.0]]), name="own", start=np.ones(2), facts=(
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


@pytest.mark.ci
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
    by = {(x.constant.kind, x.constant.of): x for x in lines("tight_linear")}
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
    table = survey_table(survey(["bilinear", "nilpotent"])).markdown().splitlines()
    assert len(table) == 2 + 4 + 4
    assert all(row.count("|") == table[0].count("|") for row in table)


# ---- where a formula is smooth, and slopes without end -------------------------------------------


def formula(*components: str) -> Problem:
    names = "x y z"[: 2 * len(components) - 1]
    start = np.full(len(components), 0.5)
    return Problem(opcheck.field(list(components), names), name="own", start=start)


@pytest.mark.parametrize(
    ("text", "condition"),
    [
        ("atan(sin(x)/cos(x))", "cos(x) ≠ 0"),
        ("x*x/x", "x ≠ 0"),
        ("-(x/x)", "x ≠ 0"),
        ("0*(1/x) + x", "x ≠ 0"),
        ("x**-2*x**3", "x ≠ 0"),
        ("exp(log(x))", "x > 0"),
        ("sqrt(x)**2", "x > 0"),
        ("x**(1/3)*x**(2/3)", "x > 0"),
        ("x/(x**2 - 2)*(x**2 - 2)", "x**2 - 2 ≠ 0"),
        ("x + log(x**2) - log(x**2)", "x**2 > 0"),
    ],
)
def test_what_cancels_in_a_formula_is_not_smooth(text: str, condition: str) -> None:
    """F9: the formula as written decides where F is smooth, not what sympy makes of it."""
    p = formula(text)
    assert condition in [str(c) for c in p.operator.conditions]
    for kind in (Lipschitz, StronglyMonotone, Comonotone):
        proved, reason = enclose.constant(dataclasses.replace(p, region=Region(2.0)), kind, 1.0)
        assert proved is None
        assert f"the formula needs {condition}, which is not shown on ‖z‖∞ ≤ 2" in reason
    assert enclose.everywhere(p.operator, Lipschitz.form(10), Region(2.0)) == (None, 0)


def test_a_function_that_jumps_has_no_constants() -> None:
    """F9: atan(sin x/cos x) has slope 1 wherever it has one, and jumps by −π."""
    for c in constants(formula("atan(sin(x)/cos(x))"), rigorous=True):
        assert c.provenance == "estimated"
        assert not (c.kind is Lipschitz and np.isfinite(c.lower))
        assert c.kind is Lipschitz or c.upper < 0
    (L, *_) = constants(formula("atan(sin(x)/cos(x))"), rigorous=True, region=1.5)
    assert L.provenance == "certified"  # |x| ≤ 1.5 < π/2
    assert pytest.approx(1, rel=1e-5) == L.upper


@pytest.mark.parametrize(
    "text",
    [
        "x/(1 + x**2)",
        "1/(exp(x) + exp(-x))",
        "sqrt(1 + x**2)",
        "x/(2 + cos(x))",
        "2**(-x**2)/exp(x)",
    ],
)
def test_smooth_formulas_stay_so(text: str) -> None:
    """F9: what is away from its singularity on the whole space is shown to be."""
    assert enclose.singular(formula(text)) is None


def test_random_formulas_are_smooth_where_their_parts_are() -> None:
    """F9: a removable singularity at a random point is found exactly where the box holds it."""
    generator = np.random.default_rng(9)
    wrappers = (
        "({0}*({1}))/({1})",
        "exp(log({1}))+{0}",
        "{0} + sqrt({1})**2",
        "{0}*({1})**-1*({1})",
    )
    for trial in range(24):
        at = round(float(generator.uniform(0.2, 3)), 3)
        part = f"x - {at}" if trial % 2 else f"x**3 - {at}**3"
        p = formula(wrappers[trial % 4].format("sin(x)", part))
        assert enclose.singular(dataclasses.replace(p, region=Region(at + 0.01))) is not None
        smooth = enclose.singular(dataclasses.replace(p, region=Region(at - 0.01))) is None
        assert smooth == ("log" not in wrappers[trial % 4] and "sqrt" not in wrappers[trial % 4])


@pytest.mark.parametrize(
    ("components", "words"),
    [
        (("x**2*y", "-x"), r"the slope grows like \|z\|\^2"),
        (("x*y", "-x"), r"the slope grows like \|z\|\^1"),
        (("exp(x)", "y"), "faster than any power"),
    ],
)
@pytest.mark.ci
def test_slopes_that_grow_far_out_have_no_L(components: Any, words: str) -> None:
    """A6: no finite L is made up for the whole space; on a region there is one."""
    L = constants(formula(*components))[0]
    assert L.lower == math.inf
    assert re.search(words, L.note)
    assert np.isfinite(constants(formula(*components), region=1.0)[0].lower)


@pytest.mark.parametrize(
    ("components", "ray"),
    [
        (("x**3 + y", "-x"), "(1, 1) + t(1, 0)"),
        (("x*y", "-x"), "(0, 0) + t(1, 0)"),
        (("exp(-x)", "y"), "(0, 0) + t(-1, 0)"),
        (("exp(x)/(1 + exp(x))", "y"), None),
        (("x*sin(x)", "y"), None),
        (("2*x - y", "x"), None),
    ],
)
def test_growth_is_proved_on_a_ray_or_said_to_be_seen(components: Any, ray: str | None) -> None:
    p = formula(*components)
    shown = growth.proved(p)
    assert (shown is None) == (ray is None)
    assert ray is None or ray in str(shown)
    assert growth.proved(dataclasses.replace(p, region=Region(5.0))) is None
    if "sin" in components[0]:
        assert constants(p)[0].note.startswith("seen, not proved: no finite L")


def test_a_kernel_with_a_root_has_no_L() -> None:
    """A6: ‖z‖^(−1/2) z, whose slope grows like t^(−1/2) towards 0, on a region or not."""

    def F(z: Any, out: Any, data: Any) -> None:
        root = (z[0] ** 2 + z[1] ** 2) ** 0.25 + 1e-300
        out[0] = z[0] / root
        out[1] = z[1] / root

    p = Problem(operator(F, 2), name="own", start=np.ones(2))
    L = constants(p)[0]
    assert L.lower == math.inf
    assert "grows like t^(-0.5) at distance t from (0, 0)" in L.note


@pytest.mark.parametrize(("text", "L"), [("1e7*x", 1e7), ("1e-7*x", 1e-7), ("tanh(1e7*x)", 1e7)])
@pytest.mark.ci
def test_a_large_slope_is_no_infinite_one(text: str, L: float) -> None:
    """G8, F15: constants are measured in the operator's own slopes."""
    assert constants(formula(text))[0].lower == pytest.approx(L, rel=1e-3)


def test_an_empty_enclosure_is_an_error_of_our_own() -> None:
    """G1, G2: lower > upper is said, not printed."""
    with pytest.raises(OpcheckError, match="internal error: L of F is shown to lie in"):
        Constant(Lipschitz, "F", 2.0, 1.0, "certified", math.inf, "")


@pytest.mark.parametrize("scale", [1e-8, 1.0, 1e8, 1e12])
def test_coefficients_of_a_constant_do_not_cancel(scale: float) -> None:
    """G2: [[1e8]] has L = 1e8, and not −5e15."""
    L, rho, mu = constants(Problem(linear([[scale]]), name="own", start=np.ones(1)))
    for c, value in ((L, scale), (rho, 1 / scale), (mu, scale)):
        assert (c.lower, c.upper) == pytest.approx((value, value), rel=1e-12)


def test_a_singular_symmetric_part_is_decided_in_rationals() -> None:
    """G7: a KKT matrix is monotone, its symmetric part singular; a hair less is not."""
    generator = np.random.default_rng(4)
    B, A = generator.integers(-3, 4, (2, 6)), generator.integers(-3, 4, (3, 6))
    M = np.block([[B.T @ B, A.T], [-A, np.zeros((3, 3))]]).astype(float)
    _, rho, mu = constants(Problem(linear(M), name="own", start=np.ones(9)))
    assert (mu.provenance, mu.lower) == ("certified", 0.0)
    assert (rho.provenance, rho.lower) == ("certified", 0.0)
    M[8, 8] = -(2.0**-40)
    _, rho, mu = constants(Problem(linear(M), name="own", start=np.ones(9)))
    assert mu.lower < 0


# ---- matrices at the ends of float64 -------------------------------------------------------------


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("size", [0.0, 1e200, 1e-200])
def test_L_and_mu_of_a_multiple_of_the_identity_are_known_at_any_size(size: float) -> None:
    by_kind = {c.kind: c for c in constants(size * np.eye(2))}
    for kind in (Lipschitz, StronglyMonotone):
        one = by_kind[kind]
        assert one.provenance == "certified"
        needed, other = (one.upper, one.lower) if kind is Lipschitz else (-one.lower, -one.upper)
        assert needed >= (size if kind is Lipschitz else -size)
        assert needed == pytest.approx(other, rel=1e-14, abs=0)
    if size:
        rho = by_kind[Comonotone]
        assert rho.lower == pytest.approx(1 / size, rel=1e-13, abs=0)
        assert Fraction(rho.lower) * Fraction(size) <= 1


@pytest.mark.filterwarnings("error")
def test_entries_too_far_apart_for_float64_leave_constants_unknown() -> None:
    (rho,) = [c for c in constants(np.diag([1e200, 1e-200])) if c.kind is Comonotone]
    assert (rho.lower, rho.upper, rho.provenance) == (-np.inf, np.inf, "estimated")


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("small", [1e-200, -1e-200])
@pytest.mark.parametrize("turn", [0.0, 1e200])
def test_what_underflows_beside_large_entries_leaves_L_and_mu(small: float, turn: float) -> None:
    """L was estimated as 0, and theorems relied on it."""
    M = np.array([[1e200, turn], [-turn, small]])
    by_kind = {c.kind: c for c in constants(M)}
    L, mu = by_kind[Lipschitz], by_kind[StronglyMonotone]
    golden = 1e200 if not turn else 1e200 * (1 + 5**0.5) / 2
    assert L.lower == pytest.approx(golden, rel=1e-14)
    assert Fraction(L.upper) ** 2 >= Fraction(1e200) ** 2
    assert mu.lower <= small <= mu.upper
    assert (mu.lower == 0.0) == (small > 0)


@pytest.mark.parametrize("text", ["x + 2*sin(x)", "0.8*x + 1.75*cos(3*x)", "tanh(x) - x/3"])
@pytest.mark.ci
def test_slopes_are_proved_on_a_whole_line_at_once(text: str) -> None:
    """A tenth of a thousandth was given away on each box: 156 318 boxes for 3e-4, where five do."""
    p = Problem(opcheck.field([text], "x"), start=np.ones(1))
    for kind in (Lipschitz, StronglyMonotone):
        c = found(p, kind, rigorous=True)
        assert c.provenance == "certified"
        assert c.upper - c.lower <= 2e-6 * max(abs(c.upper), 1.0)
        assert int(c.note.split()[3]) < 100  # slopes enclosed on so many boxes


@pytest.mark.parametrize("size", [1e-300, 1e-200, 1e-160, 1e-140, 1e140, 1e160, 1e300])
@pytest.mark.sampled(3)
def test_classes_of_a_multiple_of_the_identity_are_true_at_any_size(size: float) -> None:
    """L² was 0 in floats, and Lipschitz(0) stated as certified of an operator that is not."""
    found = opcheck.check(np.diag([size, size]), quick=True)
    held = {f.property.kind: f.property.constant for f in found.classes}
    assert held.get(Lipschitz, size) >= size
    assert held.get(StronglyMonotone, size) <= size
    assert held.get(Comonotone, 0.0) <= 1 / size
    assert sum("no float64 holds the square" in s for s in found.left_out) <= 1
    assert found.ok


def test_a_root_is_exact_where_it_is_rational() -> None:
    tiny = Fraction(1e-200)
    assert strongest(Lipschitz(), [Lipschitz(1e-200)]) == tiny
    assert strongest(Lipschitz(), [Cocoercive(3.0)]) == Fraction(1, 3)


def test_a_constant_whose_square_is_no_float_is_left_out_of_theorems() -> None:
    """The check ended in an OverflowError, or refused the operator."""
    found = opcheck.check(np.diag([1e200, 1e-200]), quick=True)
    assert not [f for f in found.problem.facts if f.property.kind is Lipschitz]
    assert "no float64 holds the square" in found.left_out[-1]
    assert found.ok


@pytest.mark.filterwarnings("error")
def test_slopes_that_overflow_show_nothing_and_warn_of_nothing() -> None:
    J = np.array([[[0.0, 1e200], [1e200, 0.0]], [[1e308, 0.0], [0.0, -1e308]]])
    for kind in (Lipschitz, StronglyMonotone, Comonotone):
        assert not enclose.nonnegative(kind.form(1.0), -np.abs(J), np.abs(J)).any()
    H = np.full((1, 2, 2), 1.7e308)
    ends = np.full((1, 2), 1.7e308)
    assert least(np.zeros(1), (-ends, ends), (-H, H), np.ones((1, 2)))[0] == -np.inf
