"""Resolvents: the variational inequality that defines them, and three readings of one text."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import scipy.optimize
from flint import arb, fmpq
from numpy.typing import NDArray

from opcheck import registry
from opcheck.engine import jit as compiler
from opcheck.engine.interpret import Balls, Rationals
from opcheck.engine.numbers import precision
from opcheck.errors import OpcheckError
from opcheck.model.operator import Resolvent
from opcheck_problems import sets

Vector = NDArray[np.float64]
UNIT = 2.0**-53
A = np.array([[1.0, 2.0, -1.0, 0.5], [0.25, 1.0, 1.0, 3.0]])


def member_of_simplex(g: np.random.Generator, n: int, scale: float = 1.0) -> Vector:
    return scale * g.dirichlet(np.full(n, 0.5))


def member_of_ball(g: np.random.Generator, radius: float, centre: Vector) -> Vector:
    v = g.standard_normal(centre.size)
    return centre + radius * g.uniform() ** (1 / centre.size) * v / np.linalg.norm(v)


def member_of_affine(rows: Vector, b: Vector) -> Callable[[np.random.Generator], Vector]:
    point = np.linalg.lstsq(rows, b, rcond=None)[0]
    null = np.linalg.svd(rows)[2][len(rows) :]
    return lambda g: point + null.T @ g.standard_normal(len(null))


def member_of_half_space(g: np.random.Generator, a: Vector, b: float) -> Vector:
    v = 3 * g.standard_normal(a.size)
    return v - max(a @ v - b, 0) / (a @ a) * a


CENTRE = np.array([1.0, -2.0, 0.5])
NORMAL = np.array([3.0, -1.0, 2.0])
HYPERPLANES = np.array([[1.0, 1.0, 1.0, 1.0], [1.0, -1.0, 1.0, -1.0]])
Draw = Callable[[np.random.Generator], Vector]

INDICATORS: dict[str, tuple[Resolvent, int, Draw]] = {
    "box scalar": (sets.box(-1.0, 2.0), 3, lambda g: g.uniform(-1, 2, 3)),
    "box vector": (
        sets.box([-1.0, 0.0, 2.0], [1.0, 0.0, 5.0]),
        3,
        lambda g: g.uniform([-1, 0, 2], [1, 0, 5]),
    ),
    "orthant": (sets.orthant(), 4, lambda g: g.exponential(1, 4) * g.integers(0, 2, 4)),
    "ball": (sets.ball(1.5, CENTRE), 3, lambda g: member_of_ball(g, 1.5, CENTRE)),
    "simplex": (sets.simplex(5), 5, lambda g: member_of_simplex(g, 5)),
    "simplex scaled": (sets.simplex(3, 6.0), 3, lambda g: member_of_simplex(g, 3, 6.0)),
    "simplex of one": (sets.simplex(1, 2.0), 1, lambda g: np.array([2.0])),
    "simplices": (
        sets.simplices(2, 4),
        6,
        lambda g: np.concatenate([member_of_simplex(g, 2), member_of_simplex(g, 4)]),
    ),
    "affine": (
        sets.affine_subspace(A, [1.0, -2.0]),
        4,
        member_of_affine(A, np.array([1.0, -2.0])),
    ),
    "affine orthogonal": (
        sets.affine_subspace(HYPERPLANES, [2.0, 1.0]),
        4,
        member_of_affine(HYPERPLANES, np.array([2.0, 1.0])),
    ),
    "half-space": (
        sets.half_space(NORMAL, 1.0),
        3,
        lambda g: member_of_half_space(g, NORMAL, 1.0),
    ),
    "whole space": (sets.whole_space(3), 3, lambda g: g.standard_normal(3)),
    "product with box": (
        sets.product(sets.box([0.0, 1.0], [0.5, 3.0]), sets.half_space(NORMAL, 1.0)),
        5,
        lambda g: np.concatenate(
            [g.uniform([0, 1], [0.5, 3]), member_of_half_space(g, NORMAL, 1.0)]
        ),
    ),
    "product": (
        sets.product(sets.simplex(3), sets.product(sets.whole_space(1), sets.ball(2.0, [0.0]))),
        5,
        lambda g: np.concatenate(
            [member_of_simplex(g, 3), g.standard_normal(1), g.uniform(-2, 2, 1)]
        ),
    ),
}
EVERY = {n: (J, d) for n, (J, d, _) in INDICATORS.items()} | {"l1": (sets.l1(0.75), 4)}
GENERAL = pytest.mark.parametrize(("J", "d"), EVERY.values(), ids=EVERY.keys())
PROJECTIONS = pytest.mark.parametrize(
    ("J", "d", "draw"), INDICATORS.values(), ids=INDICATORS.keys()
)


def starting_points(d: int, count: int = 200) -> Vector:
    g = np.random.default_rng(13)
    return 10.0 ** g.uniform(-2, 2, (count, 1)) * g.standard_normal((count, d))


def rounding(*values: Vector) -> float:
    """What a few dozen operations on these values can leave."""
    return 64 * UNIT * (1 + sum(float(np.linalg.norm(v)) for v in values))


@PROJECTIONS
def test_projection_solves_its_variational_inequality(J: Resolvent, d: int, draw: Draw) -> None:
    """⟨w − p, v − p⟩ ≤ 0 for every v of the set, and p is in it."""
    g = np.random.default_rng(3)
    members = [draw(g) for _ in range(50)]
    for w in starting_points(d):
        p = J(w, 0.3)
        assert J.contains is not None
        assert np.linalg.norm(J(p) - p) <= rounding(w)
        for v in members:
            # p and v are known up to rounding, which the other factor multiplies
            size = np.linalg.norm(v - p) + np.linalg.norm(w - p) + rounding(w)
            assert (w - p) @ (v - p) <= rounding(w, p, v) * size


@PROJECTIONS
def test_members_are_fixed_and_contained(J: Resolvent, d: int, draw: Draw) -> None:
    g = np.random.default_rng(4)
    for _ in range(100):
        v = draw(g)
        assert np.linalg.norm(J(v) - v) <= rounding(v)
        assert J.contains is not None
        assert J.contains(J(v))


@PROJECTIONS
def test_contains_tells_outside(J: Resolvent, d: int, draw: Draw) -> None:
    assert J.contains is not None
    for w in starting_points(d):
        gap = np.linalg.norm(J(w) - w)
        if gap > 1e-6:
            assert not J.contains(w)


@PROJECTIONS
def test_projection_does_not_depend_on_gamma(J: Resolvent, d: int, draw: Draw) -> None:
    for w in starting_points(d, 20):
        assert np.array_equal(J(w, 0.01), J(w, 100.0))


@GENERAL
def test_resolvent_is_firmly_nonexpansive(J: Resolvent, d: int) -> None:
    x = starting_points(d)
    y = x[::-1] + 0.1 * starting_points(d)
    for a, b in zip(x, y, strict=True):
        p, q = J(a, 0.7), J(b, 0.7)
        gap = (p - q) @ ((a - b) - (p - q))
        assert gap >= -rounding(a, b) * (np.linalg.norm(a - b) + rounding(a, b))


@GENERAL
def test_output_may_be_the_input(J: Resolvent, d: int) -> None:
    compiled = compiler.jit(J.kernel, "resolvent")
    for w in starting_points(d, 50):
        apart = J(w, 0.7)
        inside = w.copy()
        J.kernel(inside, 0.7, inside, J.data)
        assert np.array_equal(inside, apart)
        fast = w.copy()
        compiled(fast, 0.7, fast, J.data)
        assert np.abs(fast - apart).max() <= rounding(w)


@GENERAL
def test_nan_is_not_swallowed(J: Resolvent, d: int) -> None:
    compiled = compiler.jit(J.kernel, "resolvent")
    w = np.full(d, np.nan)
    out = np.zeros(d)
    compiled(w, 0.5, out, J.data)
    assert np.isnan(out).any()
    J.kernel(w, 0.5, out, J.data)
    assert np.isnan(out).any()


@GENERAL
def test_ball_reading_agrees(J: Resolvent, d: int) -> None:
    with precision(200):
        reading = Balls()
        kernel = reading.resolvent(J)
        for w in starting_points(d, 10):
            z, out = reading.vector(w.tolist()), np.empty(d, dtype=object)
            kernel(z, reading.number(0.5), out, reading.vector(J.data.tolist()))
            found = np.array([float(v.ball.mid()) for v in out])
            assert max(float(v.ball.rad()) for v in out) <= 1e-50 * (1 + np.linalg.norm(w))
            assert np.abs(found - J(w, 0.5)).max() <= rounding(w)


@GENERAL
def test_wide_balls_enclose_the_images_of_their_points(J: Resolvent, d: int) -> None:
    g = np.random.default_rng(17)
    with precision(100):
        reading = Balls()
        kernel = reading.resolvent(J)
        for w in starting_points(d, 10):
            z = reading.vector(w.tolist())
            for v in z:
                v.ball = arb(v.ball.mid(), 1e-3)
            out = np.empty(d, dtype=object)
            kernel(z, reading.number(0.5), out, reading.vector(J.data.tolist()))
            for _ in range(20):
                image = J(w + g.uniform(-1e-3, 1e-3, d), 0.5)
                for v, value in zip(out, image, strict=True):
                    assert abs(float(v.ball.mid()) - value) <= float(v.ball.rad()) + rounding(w)


RATIONAL = [n for n in EVERY if n not in ("ball", "product")]


@pytest.mark.parametrize("name", RATIONAL)
def test_rational_reading_is_exact(name: str) -> None:
    """On rationals the projection is exact: applying it again changes nothing."""
    J, d = EVERY[name]
    reading = Rationals()
    for w in starting_points(d, 10):
        z, p, again = (
            reading.vector(w.tolist()),
            np.empty(d, dtype=object),
            np.empty(d, dtype=object),
        )
        data = reading.vector(J.data.tolist())
        J.kernel(z, fmpq(1, 2), p, data)
        found = np.array([float(int(v.p) / int(v.q)) for v in p])
        assert np.abs(found - J(w, 0.5)).max() <= rounding(w)
        if J.contains is not None and name != "affine":
            J.kernel(p, fmpq(1, 2), again, data)
            assert list(again) == list(p)


def quadratic_program(w: Vector, constraints: list[dict[str, object]], bounds: object) -> Vector:
    found = scipy.optimize.minimize(
        lambda v: 0.5 * np.sum((v - w) ** 2),
        np.zeros(w.size),
        jac=lambda v: v - w,
        bounds=bounds,
        constraints=constraints,
        method="SLSQP",
        # the distance to the minimiser is at most √(2 ftol) by strong convexity
        options={"ftol": 1e-11, "maxiter": 500},
    )
    assert found.status in (0, 8), found.message  # 8: no descent is left to rounding
    return np.asarray(found.x)


SOLVED: dict[str, tuple[list[dict[str, object]], object]] = {
    "box vector": ([], [(-1, 1), (0, 0), (2, 5)]),
    "orthant": ([], [(0, None)] * 4),
    "ball": (
        [
            {
                "type": "ineq",
                "fun": lambda v: 1.5**2 - np.sum((v - CENTRE) ** 2),
                "jac": lambda v: -2 * (v - CENTRE),
            }
        ],
        None,
    ),
    "simplex": ([{"type": "eq", "fun": lambda v: v.sum() - 1}], [(0, None)] * 5),
    "simplex scaled": ([{"type": "eq", "fun": lambda v: v.sum() - 6}], [(0, None)] * 3),
    "simplices": (
        [
            {"type": "eq", "fun": lambda v: v[:2].sum() - 1},
            {"type": "eq", "fun": lambda v: v[2:].sum() - 1},
        ],
        [(0, None)] * 6,
    ),
    "affine": ([{"type": "eq", "fun": lambda v: A @ v - np.array([1.0, -2.0])}], None),
    "half-space": ([{"type": "ineq", "fun": lambda v: 1.0 - NORMAL @ v}], None),
}


@pytest.mark.parametrize("name", SOLVED)
def test_projection_equals_a_solver(name: str) -> None:
    J, d, _ = INDICATORS[name]
    constraints, bounds = SOLVED[name]
    for w in 2 * np.random.default_rng(5).standard_normal((6, d)):
        assert np.abs(J(w) - quadratic_program(w, constraints, bounds)).max() <= 1e-5


def test_soft_threshold_minimises() -> None:
    """p minimises λγ|v| + (v − w)²/2, coordinate by coordinate, on a fine grid."""
    J = sets.l1(0.75)
    grid = np.linspace(-5, 5, 20001)
    for w in (-3.0, -0.2, 0.0, 0.3, 0.375, 2.0):
        value = 0.75 * 0.5 * np.abs(grid) + (grid - w) ** 2 / 2
        p = J(np.array([w]), 0.5)[0]
        assert abs(p - grid[np.argmin(value)]) <= 5e-4
        assert 0.375 * abs(p) + (p - w) ** 2 / 2 <= value.min() + 1e-15
    assert J(np.array([0.2]), 0.5)[0] == 0


def test_simplex_by_sorting() -> None:
    """Michelot's active sets against the sorting formula, also for ties and wide ranges."""
    g = np.random.default_rng(23)
    for n in (1, 2, 3, 10, 200):
        J = sets.simplex(n)
        for w in (
            g.standard_normal(n),
            1e6 * g.standard_normal(n),
            np.zeros(n),
            g.integers(-1, 2, n).astype(float),
        ):
            ordered = np.sort(w)[::-1]
            shifts = (np.cumsum(ordered) - 1) / np.arange(1, n + 1)
            tau = shifts[np.flatnonzero(ordered > shifts)[-1]]
            assert np.abs(J(w) - np.maximum(w - tau, 0)).max() <= rounding(w)


def test_product_acts_block_by_block() -> None:
    left, right = sets.ball(1.0, [0.0, 0.0]), sets.l1(2.0)
    with pytest.raises(OpcheckError, match="fixed dimension"):
        sets.product(left, right)
    both = sets.product(left, sets.simplex(3))
    for w in starting_points(5, 30):
        expected = np.concatenate([left(w[:2], 0.5), sets.simplex(3)(w[2:], 0.5)])
        assert np.array_equal(both(w, 0.5), expected)
    same = sets.product(sets.ball(2.0, [0.0]), sets.simplex(4))
    assert same.kernel is both.kernel


def test_affine_rows_that_are_orthogonal_are_kept() -> None:
    J = sets.affine_subspace(HYPERPLANES, [2.0, 1.0])
    assert np.array_equal(J.data.reshape(2, 5)[:, :4], HYPERPLANES)
    other = sets.affine_subspace(A, [1.0, -2.0])
    rows = other.data.reshape(2, 5)[:, :4]
    assert np.allclose(rows @ rows.T, np.eye(2), atol=1e-15)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: sets.box(1.0, 0.0), "empty"),
        (lambda: sets.box([0.0, 2.0], [1.0, 1.0]), "empty"),
        (lambda: sets.box([0.0, 0.0], [1.0, 1.0, 1.0]), "2 lower ends but 3 upper ends"),
        (lambda: sets.box(0.0, np.inf), "finite"),
        (lambda: sets.ball(0.0), "radius = 0.0"),
        (lambda: sets.ball(np.nan), "radius = nan"),
        (lambda: sets.ball(1.0, [np.nan]), "centre"),
        (lambda: sets.simplex(0), "n = 0"),
        (lambda: sets.simplex(2.5), "n = 2.5"),
        (lambda: sets.simplex(3, -1.0), "scale = -1.0"),
        (lambda: sets.simplices(2, 0), "m = 0"),
        (lambda: sets.affine_subspace([[1.0, 1.0]], [1.0, 2.0]), "do not fit"),
        (lambda: sets.affine_subspace([[1.0, 1.0], [2.0, 2.0]], [1.0, 2.0]), "dependent"),
        (lambda: sets.affine_subspace([[np.inf, 1.0]], [1.0]), "shape"),
        (lambda: sets.half_space([0.0, 0.0], 1.0), "normal"),
        (lambda: sets.half_space([1.0], np.inf), "b must be finite"),
        (lambda: sets.l1(0.0), "lam = 0.0"),
        (lambda: sets.whole_space(0), "n = 0"),
        (lambda: sets.product(sets.box(), sets.ball()), "fixed dimension"),
        (lambda: sets.ball()([1.0, 2.0, 3.0]), "2 coordinates"),
        (lambda: sets.ball()([1.0, 2.0], 0.0), "gamma > 0"),
    ],
)
def test_bad_parameters_say_so(make: Callable[[], object], says: str) -> None:
    with pytest.raises(OpcheckError, match=says) as caught:
        make()
    assert "\n" not in str(caught.value)


def test_every_set_is_registered_and_has_defaults() -> None:
    names = registry.names("sets")
    assert {"box", "ball", "simplex", "affine_subspace", "half_space", "l1", "orthant"} <= set(
        names
    )
    for name in names:
        family = registry.get("sets", name)
        assert isinstance(family(), Resolvent)
        assert family.doc
