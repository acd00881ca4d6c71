"""Potential operators and PLStar: f against F, the stated constants, search and proof."""

from __future__ import annotations

import dataclasses
from fractions import Fraction

import numpy as np
import pytest
import scipy.optimize
from numpy.typing import NDArray
from registered import problems

from opcheck.engine.run import run
from opcheck.errors import OpcheckError
from opcheck.evidence.operators import polyak
from opcheck.evidence.operators.constants import constants
from opcheck.evidence.operators.relied_on import contradictions
from opcheck.evidence.statement.hypotheses import Inapplicable, classes, match
from opcheck.model.operator import Operator
from opcheck.model.problem import Problem, Region, points, problem
from opcheck.model.property import (
    Cocoercive,
    Lipschitz,
    Monotone,
    PLStar,
    StronglyMonotone,
    exact,
    strongest,
)
from opcheck.model.symbolic import gradient
from opcheck.model.theorem import Source, theorem

Vector = NDArray[np.float64]
ALL = problems()
WITH = [p for p in ALL if p.operator.potential is not None]
STATED = [
    (p, p.constant(f)) for p in WITH for f in p.facts if f.property.kind is PLStar and not f.local
]
NAMED = {"argvalues": STATED, "ids": [p.name for p, _ in STATED]}


def f_of(operator: Operator) -> Operator:
    assert operator.potential is not None
    return operator.potential


def f_at(operator: Operator, z: Vector) -> complex:
    """f from its own text, at a point that may be complex."""
    value, out = f_of(operator), np.empty(1, dtype=complex)
    value.kernel(np.asarray(z, dtype=complex), out, value.data)
    return complex(out[0])


@pytest.mark.parametrize("p", WITH, ids=[p.name for p in WITH])
def test_the_operator_is_the_gradient_of_its_potential(p: Problem) -> None:
    """By complex steps, Im f(z + ih e)/h, which do not cancel."""
    h = 1e-30
    for z in [p.start, *points(p, 20, np.random.default_rng(0))]:
        found = [f_at(p.operator, z + 1j * h * e).imag / h for e in np.eye(p.dim)]
        F = p.operator(z)
        size = 1 + np.abs(z).max() * np.abs(p.operator.data).max(initial=10) * p.dim
        assert np.abs(np.array(found) - F).max() <= 1e-13 * size


def gap(p: Problem, z: Vector) -> float:
    assert p.solution is not None
    return f_at(p.operator, z).real - f_at(p.operator, p.solution).real


def test_every_family_of_potentials_states_its_constant() -> None:
    assert len(STATED) == len(WITH) >= 4


@pytest.mark.parametrize(("p", "mu"), **NAMED)
@pytest.mark.sampled(2)
def test_the_stated_constant_holds_and_is_close_to_the_best(p: Problem, mu: float) -> None:
    for z in points(p, 4000, np.random.default_rng(1)):
        F = p.operator(z)
        rounding = 1e-12 * (1 + abs(f_at(p.operator, z)) + abs(f_at(p.operator, p.start)))
        assert mu * gap(p, z) - rounding <= F @ F / 2
    best = polyak.search(p)
    assert mu <= best <= mu * (1 + 1e-3)


@pytest.mark.parametrize(("p", "mu"), **NAMED)
def test_gradient_descent_has_the_linear_rate_of_polyak(p: Problem, mu: float) -> None:
    """f(z_k) − f* ≤ (1 − μ/L)^k (f(z_0) − f*) with steps 1/L (Karimi et al. 2016, Theorem 1)."""
    L = next(p.constant(f) for f in p.facts if f.property.kind is Lipschitz)
    made = run("gradient_descent_ascent", p, 30, iterates=True, gamma=1 / L)
    values = np.array([gap(p, z) for z in made.iterates])
    assert values[0] > 0
    bound = (1 - mu / L) ** np.arange(31) * values[0]
    assert (values <= bound * (1 + 1e-12) + 1e-14 * values[0]).all()


def test_the_published_constant_of_the_sine_is_far_from_the_best() -> None:
    p = problem("polyak_sine")
    found = scipy.optimize.minimize_scalar(
        lambda x: float(p.operator([x])[0] ** 2 / 2 / gap(p, np.array([x]))),
        bounds=(2.0, 2.4),
        method="bounded",
        options={"xatol": 1e-10},
    )
    assert found.fun == pytest.approx(0.175530986, abs=1e-9)
    assert polyak.search(p) == pytest.approx(found.fun, rel=1e-7)
    (fact,) = (f for f in p.facts if f.property.kind is PLStar)
    assert p.published(fact) == 1 / 32 < p.constant(fact) / 5


def test_the_sine_has_its_constant_on_the_whole_line() -> None:
    p = problem("polyak_sine")
    proved, looked = polyak.on_box(p.operator, 0.1755, np.zeros(1), Region(3.0))
    assert proved
    assert looked < 1000
    # beyond 3, (2x − 3)²/2 − μ(x² + 3) is positive at 3 and grows: its slope is (4 − 2μ)x − 6
    mu, x = Fraction(1755, 10_000), Fraction(3)
    assert (2 * x - 3) ** 2 / 2 - mu * (x**2 + 3) > 0
    assert (4 - 2 * mu) * x - 6 > 0


@pytest.mark.parametrize("mu", [0.1757, 0.2, 1.0])
@pytest.mark.ci
def test_a_constant_that_is_too_large_is_not_proved(mu: float) -> None:
    p = problem("polyak_sine")
    assert not polyak.on_box(p.operator, mu, np.zeros(1), Region(3.0), 5000)[0]
    assert not polyak.on_box(
        problem("quadratic_potential").operator, 0.1251, np.zeros(2), Region(1.0)
    )[0]


def test_the_enclosure_of_the_two_sides_holds_them() -> None:
    """At random points of random boxes, with a zero elsewhere than 0."""
    F = gradient("x**2 + 3*sin(x)**2 + exp(y) - y + x*y/4 - x/4*1", "x y")
    generator, mu, zero = np.random.default_rng(4), 0.4, np.array([0.25, -0.5])
    lo = generator.uniform(-3, 2, (300, 2))
    hi = lo + 10.0 ** generator.uniform(-3, 0, (300, 1))
    found = polyak._far(F, mu, zero, lo, hi, lo / 2 + hi / 2)
    for _ in range(20):
        z = lo + generator.uniform(0, 1, lo.shape) * (hi - lo)
        value = [F(p) @ F(p) / 2 - mu * (f_at(F, p).real - f_at(F, zero).real) for p in z]
        assert (found.lo <= np.array(value) + 1e-12).all()
        assert (np.array(value) - 1e-12 <= found.hi).all()
    small = (hi - lo)[:, 0] < 0.01
    assert (found.hi - found.lo)[small].max() < 1


def test_the_near_part_asks_for_slopes_above_mu_down_to_the_zero() -> None:
    F = gradient("x**2 + 3*sin(x)**2", "x")  # f'' = 2 + 6 cos 2x is above 5 for |x| < 0.5235
    boxes = np.array([[0.4, 0.5], [-0.5, -0.4], [-0.2, 0.1], [0.5, 0.53], [3.0, 3.3]])
    shown = polyak._near(F, 5.0, np.zeros(1), boxes[:, :1], boxes[:, 1:])
    assert shown.tolist() == [True, True, True, False, False]


def test_the_near_part_alone_proves_no_more_than_it_should() -> None:
    """On a box about the zero of f = x²/2 + x³/6 the best μ is below the slope at 0."""
    F = gradient("x**2/2 + x**3/6", "x")
    best = min(
        float(F([x])[0] ** 2 / 2 / f_at(F, np.array([x])).real)
        for x in np.linspace(-0.5, 0.5, 2001)
        if x
    )
    assert polyak.on_box(F, best * 0.999, np.zeros(1), Region(0.5))[0]
    assert not polyak.on_box(F, best * 1.001, np.zeros(1), Region(0.5), 5000)[0]


@pytest.mark.ci
def test_search_and_proof_agree_in_two_dimensions() -> None:
    F = gradient("x**2 + 3*sin(x)**2 + y**2 + a*x*y", "x y", a=0.5)
    p = Problem(F, name="mixed", start=np.ones(2), solution=np.zeros(2), region=Region(3.0))
    (found,) = (c for c in constants(p, rigorous=True) if c.kind is PLStar)
    assert found.provenance == "certified"
    assert found.region == Region(3.0)
    grid = np.linspace(-3, 3, 601)
    x, y = (v.ravel() for v in np.meshgrid(grid, grid))
    g = np.stack([2 * x + 3 * np.sin(2 * x) + y / 2, 2 * y + x / 2])
    values = x**2 + 3 * np.sin(x) ** 2 + y**2 + x * y / 2
    least = float(((g**2).sum(axis=0) / 2 / np.where(values > 1e-9, values, np.nan))[x != 0].min())
    assert found.lower <= found.upper <= least * (1 + 1e-6)
    assert found.upper >= 0.99 * least
    assert found.lower >= 0.8 * found.upper


def of(p: Problem, **options: object) -> object:
    (found,) = (c for c in constants(p, **options) if c.kind is PLStar)  # type: ignore[arg-type]
    return found


@pytest.mark.slow  # the other constants have no proof there, which takes its time to tell
def test_on_the_whole_line_nothing_is_proved() -> None:
    whole = of(problem("polyak_sine"), rigorous=True)
    assert whole.provenance == "estimated"  # type: ignore[attr-defined]
    assert "needs a bounded region" in whole.note  # type: ignore[attr-defined]


@pytest.mark.ci
def test_constants_states_what_can_be_proved() -> None:
    boxed = of(problem("polyak_sine"), rigorous=True, region=3.0)
    assert boxed.provenance == "certified"  # type: ignore[attr-defined]
    assert 0.1755 < boxed.lower < 0.17553099 < boxed.upper + 2e-9  # type: ignore[attr-defined]
    plane = of(problem("overparameterized_least_squares"), rigorous=True)
    assert "singular" in plane.note  # type: ignore[attr-defined]
    assert not any(c.kind is PLStar for c in constants(problem("forsaken")))


@pytest.mark.ci
def test_a_stated_constant_that_is_too_large_is_refuted() -> None:
    p = problem("polyak_sine")
    for mu, wrong in ((0.1755, 0), (0.18, 1)):
        stated = dataclasses.replace(p, facts=(exact(PLStar(mu)),))
        assert len(contradictions(stated, constants(stated))) == wrong


def test_a_saddle_is_no_minimum() -> None:
    p = Problem(gradient("x**2 - y**2", "x y"), name="down", start=np.ones(2), solution=np.zeros(2))
    assert polyak.search(p) == 0.0


def test_values_and_forms_do_not_mix() -> None:
    with pytest.raises(OpcheckError, match="no quadratic form"):
        PLStar(1.0).form()
    assert strongest(Monotone(), [PLStar(1.0)]) is None
    assert strongest(PLStar(), [StronglyMonotone(1.0), Lipschitz(2.0), Cocoercive(0.5)]) is None
    assert strongest(PLStar(), [PLStar(0.25), PLStar(0.5), Lipschitz(2.0)]) == Fraction(1, 2)
    found = {f.property.kind: f.property.constant for f in classes(problem("quadratic_potential"))}
    assert found[PLStar] == found[StronglyMonotone] == 0.125


def test_a_theorem_may_ask_for_it(own_registry: None) -> None:
    asked = theorem(
        "own_polyak",
        method="gradient_descent_ascent",
        given=[Lipschitz("L"), PLStar("mu")],
        where="0 < gamma < 1/L",
        measure="residual",
        bound="L**2*R**2*(L/mu)*(1 - mu*gamma)**k",
        source=Source("own"),
    )
    known = match(asked, problem("polyak_sine"))
    assert (known.values["mu"], known.provenance) == (0.1755, "certified")
    with pytest.raises(Inapplicable, match="PLStar of F is not known of it"):
        match(asked, problem("tight_linear"))
