"""Resolvents far out, close in and moved (row G13): what holds at one scale holds at all."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest
import scipy.optimize
from numpy.typing import NDArray

from opcheck import registry
from opcheck.engine import jit as compiler
from opcheck.engine.interpret import Balls
from opcheck.engine.numbers import precision
from opcheck.engine.resolvents import guard_resolvent
from opcheck.errors import OpcheckError, Undecided
from opcheck.evidence.operators.constraint import set_of
from opcheck.model.operator import Resolvent
from opcheck.model.primitives import identity
from opcheck.model.problem import resolvent_family
from opcheck_problems import sets

Vector = NDArray[np.float64]
SCALES = (-250, -160, -30, -12, -6, -3, 0, 3, 6, 9, 12, 30, 100, 153, 160, 200, 300)


def every() -> dict[str, Resolvent]:
    """Each registered set at its defaults, and with other parameters or far from the origin."""
    found = {}
    for name in registry.names("sets"):
        family = registry.get("sets", name)
        if family.function.__module__.startswith("opcheck_"):
            found[name] = family()
    far = (1e6, -3e6)
    return found | {
        "ball far away": sets.ball(1.0, far),
        "small ball": sets.ball(1e-9, (1.0, 2.0)),
        "ellipsoid far away": sets.ellipsoid((1e3, 1e-3), far),
        "ray": sets.box(1.0, np.inf),
        "box without ends": sets.box([-np.inf, -1.0, 2.0], [3.0, np.inf, 2.0]),
        "thin cone": sets.second_order_cone(3, 1e-4),
        "wide cone": sets.second_order_cone(3, 1e4),
        "affine, nearly dependent": sets.affine_subspace(
            [[1, 1, 1], [1, 1, 1 + 1e-13]], [1.0, 1.0]
        ),
        "small polyhedron": sets.polyhedron([[1.0, 1], [-1, 0], [0, -1]], [1e-9, 0, 0]),
        "cone of rows": sets.polyhedron([[1.0, 1, 0], [-1, 2, 1]], [0.0, 0.0]),
        "small knapsack": sets.capped_simplex(4, 2e-9, 1e-9),
        "large simplex": sets.simplex(4, 1e9),
        "spectraplex of many": sets.spectraplex(3, 1e-6),
        "spectral ball, wide": sets.spectral_ball(2, 3, 1e3),
        "simplex and box": sets.product(sets.simplex(3), sets.box([0.0, 0.0], [1.0, np.inf])),
        "simplex and ray": sets.product(sets.simplex(3), sets.box(1.0, np.inf), m=2),
        "conjugate of l1": sets.conjugate(sets.l1()),
        "conjugate of a simplex": sets.conjugate(sets.simplex(3)),
    }


EVERY = every()
ALL = pytest.mark.parametrize("name", EVERY)


def draws(d: int, exponent: int, count: int = 12) -> Vector:
    g = np.random.default_rng(abs(exponent) + d)
    spread = 10.0 ** g.uniform(-6, 0, (count, d)) * (g.uniform(size=(count, 1)) < 0.3)
    return 10.0**exponent * np.where(spread > 0, spread, 1.0) * g.standard_normal((count, d))


def images(name: str, exponent: int) -> tuple[Vector, Vector]:
    J = EVERY[name]
    points = draws(J.dim or 4, exponent)
    return points, np.array([J(z) for z in points])


@ALL
def test_an_image_is_finite_and_in_the_set(name: str) -> None:
    for exponent in SCALES:
        _, found = images(name, exponent)
        assert np.isfinite(found).all()
        contains = EVERY[name].contains
        if contains is not None:
            assert all(contains(p) for p in found)


@ALL
def test_an_image_of_a_member_is_itself(name: str) -> None:
    for exponent in SCALES:
        if EVERY[name].contains is None:
            return
        _, found = images(name, exponent)
        for p in found:
            again = EVERY[name](p)
            assert np.abs(again - p).max() <= 1e-12 * np.abs(p).max() + 1e-300


@ALL
@pytest.mark.sampled(8)
def test_images_of_all_scales_are_firmly_nonexpansive(name: str) -> None:
    """In units of the larger point, so that no square leaves the range of floats."""
    for exponent in SCALES:
        points, found = images(name, exponent)
        nearer, other = images(name, exponent - 1)
        points, found = np.concatenate([points, nearer]), np.concatenate([found, other])
        for i, j in itertools.combinations(range(len(points)), 2):
            u, v = points[i] - points[j], found[i] - found[j]
            unit = max(np.abs(u).max(), np.abs(v).max())
            if unit == 0:
                continue
            size = max(np.abs(points[[i, j]]).max(), np.abs(found[[i, j]]).max())
            with np.errstate(over="ignore"):
                rounded = 1e-15 * size / unit
                gap = (v / unit) @ (u / unit) - (v / unit) @ (v / unit)
                assert gap >= -40 * rounded * (1 + rounded)


@ALL
@pytest.mark.sampled(4)
def test_compiled_and_interpreted_agree(name: str) -> None:
    for exponent in SCALES:
        J = EVERY[name]
        kernel = compiler.jit(J.kernel, "resolvent")
        points, found = images(name, exponent)
        for z, p in zip(points, found, strict=True):
            out = np.empty_like(z)
            kernel(z, 1.0, out, J.data)
            assert np.abs(out - p).max() <= 1e-12 * max(np.abs(z).max(), np.abs(p).max())


@ALL
@pytest.mark.sampled(4)
def test_floats_are_off_by_rounding_alone(name: str) -> None:
    """Against the same text in balls, in units of the point and its image."""
    J = EVERY[name]
    for exponent in (-160, -12, -6, 0, 3, 6, 12, 16, 100):
        with precision(300 + 8 * abs(exponent)):
            reading = Balls()
            kernel, data = reading.resolvent(J), reading.vector(J.data.tolist())
            for z in draws(J.dim or 4, exponent, 3):
                out = np.empty(z.size, dtype=object)
                try:
                    kernel(reading.vector(z.tolist()), reading.number(1.0), out, data)
                except Undecided:  # on a boundary
                    continue
                found, true = J(z), np.array([float(v.ball.mid()) for v in out])
                size = max(np.abs(z).max(), np.abs(true).max())
                assert np.abs(found - true).max() <= 64 * 2.0**-53 * size


@pytest.mark.parametrize("name", [n for n, J in EVERY.items() if J.contains is None])
def test_steps_of_all_sizes(name: str) -> None:
    """As above, for the γ of a proximal map."""
    J = EVERY[name]
    for gamma, exponent in itertools.product((1e-200, 1e-30, 1e-8, 1e8, 1e30), (-12, 0, 12, 100)):
        (z,) = draws(J.dim or 4, exponent, 1)
        with precision(2000 if gamma == 1e-200 else 1200):
            reading, out = Balls(), np.empty(z.size, dtype=object)
            data = reading.vector(J.data.tolist())
            reading.resolvent(J)(reading.vector(z.tolist()), reading.number(gamma), out, data)
            true = np.array([float(v.ball.mid()) for v in out])
        size = max(np.abs(z).max(), np.abs(true).max())
        assert np.abs(J(z, gamma) - true).max() <= 256 * 2.0**-53 * size


SCALED: dict[str, Callable[[float], Resolvent]] = {
    "box": lambda s: sets.box([-s, 2 * s], [s, np.inf]),
    "ball": lambda s: sets.ball(s, (s, -2 * s)),
    "ellipsoid": lambda s: sets.ellipsoid((2 * s, s), (s, 0.0)),
    "l1 ball": lambda s: sets.l1_ball(s),
    "simplex": lambda s: sets.simplex(2, s),
    "half-space": lambda s: sets.half_space((1.0, 2.0), s),
    "slab": lambda s: sets.slab((1.0, 2.0), -s, 3 * s),
    "hyperplane": lambda s: sets.hyperplane((1.0, 3.0), s),
    "box and half-space": lambda s: sets.box_half_space((1.0, 2.0), s, -s, s),
    "box and hyperplane": lambda s: sets.box_hyperplane((1.0, 2.0), s, -s, s),
    "polyhedron": lambda s: sets.polyhedron([[1.0, 2], [-1, 0]], [2 * s, s]),
    "l1": lambda s: sets.l1(s),
    "l2": lambda s: sets.l2(s),
    "linf": lambda s: sets.linf(s),
    "hinge of nothing": lambda s: sets.pinball(s, 0.25),
    "total variation": lambda s: sets.total_variation(s),
    "second-order cone": lambda s: sets.second_order_cone(2, 0.5),
    "monotone cone": lambda s: sets.monotone_cone(),
    "conjugate": lambda s: sets.conjugate(sets.ball(s)) if s == 1 else sets.conjugate(sets.ball()),
}


@pytest.mark.parametrize("name", [n for n in SCALED if n != "conjugate"])
@pytest.mark.parametrize("power", [-300, -120, -40, 40, 120, 300])
def test_a_scaled_problem_has_the_scaled_answer(name: str, power: int) -> None:
    """P of sC at sz is s P of C at z; for a norm, the prox of sλ."""
    s = 2.0**power
    one, other = SCALED[name](1.0), SCALED[name](s)
    for z in draws(2, 0, 20):
        assert np.abs(other(s * z) / s - one(z)).max() <= 1e-14 * (1 + np.abs(z).max())


MOVED: dict[str, Callable[[Vector], Resolvent]] = {
    "box": lambda c: sets.box(c - 1, c + np.array([1, np.inf])),
    "ball": lambda c: sets.ball(1.5, c),
    "ellipsoid": lambda c: sets.ellipsoid((2.0, 1.0), c),
    "half-space": lambda c: sets.half_space((1.0, 2.0), 1 + c @ [1, 2]),
    "hyperplane": lambda c: sets.hyperplane((1.0, 2.0), 1 + c @ [1, 2]),
    "polyhedron": lambda c: sets.polyhedron([[1.0, 2], [-1, 0]], [2 + c @ [1, 2], 1 - c[0]]),
    "squared norm": lambda c: sets.squared_l2(3.0, c),
}


@pytest.mark.parametrize("name", MOVED)
def test_a_moved_set_has_the_moved_projection(name: str) -> None:
    for c in (np.array([3.0, -5.0]), np.array([2.0**20, -(2.0**19)])):
        one, other = MOVED[name](np.zeros(2)), MOVED[name](c)
        for z in draws(2, 0, 20):
            assert np.abs(other(z + c) - c - one(z)).max() <= 1e-14 * (1 + np.abs(c).max())


# ---- the exponential cone ------------------------------------------------------------------------


def multiplier_gap(z: Vector, p: Vector) -> float:
    """How far p is from the KKT conditions at z: p ∈ K, p − z ∈ K*, orthogonal; in units of z."""
    unit = np.abs(z).max()
    p, n = p / unit, (p - z) / unit
    dual = np.array([-n[0], n[1], n[2]])  # K* = cl{u < 0, −u exp(v/u − 1) ≤ w}
    return max(outside(p[0], p[1], p[2]), outside_dual(*dual), abs(p @ n))


def outside(x: float, y: float, t: float) -> float:
    """The least δ for which (x − δ, y + δ or y − δ, t + δ) is in the cone, to a factor of 2."""
    for delta in (0.0, *10.0 ** np.arange(-17, 1, 0.25)):
        for level in (y, y + delta, max(y - delta, 0.0)):
            a, b = x - delta, level
            if (b > 0 and np.log(b) + a / b <= np.log(t + delta)) if t + delta > 0 else False:
                return delta
            if b == 0 and a <= 0 and t + delta >= 0:
                return delta
    return 1.0


def outside_dual(u: float, v: float, w: float) -> float:
    """The same of u > 0, u exp(−v/u − 1) ≤ w, its closure with u = 0, v ≥ 0, w ≥ 0."""
    for delta in (0.0, *10.0 ** np.arange(-17, 1, 0.25)):
        for level in (u, u + delta, max(u - delta, 0.0)):
            a, b = v + delta, level
            if (b > 0 and np.log(b) - a / b - 1 <= np.log(w + delta)) if w + delta > 0 else False:
                return delta
            if b == 0 and a >= 0 and w + delta >= 0:
                return delta
    return 1.0


def hard_points() -> list[Vector]:
    g = np.random.default_rng(5)
    found = [g.choice([-1, 1], 3) * 10.0 ** g.uniform(-4, 4, 3) for _ in range(300)]
    found += [s * g.standard_normal(3) for s in (1e-200, 1e-6, 1.0, 1e6, 1e200) for _ in range(40)]
    found += [
        np.array(v, dtype=float)
        for v in itertools.product([-1e3, -1, -1e-9, 0, 1e-9, 1, 1e3], repeat=3)
        if any(v)
    ]
    return found


def test_exponential_cone_meets_its_optimality_conditions() -> None:
    J = sets.exponential_cone()
    with np.errstate(all="ignore"):
        worst = max((multiplier_gap(z, J(z)), z.tolist()) for z in hard_points())
    assert worst[0] <= 1e-13, worst
    assert multiplier_gap(np.array([1.0, 1, 1]), J(np.array([1.0, 1, 1.001]))) > 1e-5


@pytest.mark.ci
def test_exponential_cone_against_a_minimiser_that_does_not_know_it() -> None:
    """Over y > 0, r and an excess e ≥ 0 of (ry, y, y exp(r) + e), by scipy from many starts."""
    J = sets.exponential_cone()
    g = np.random.default_rng(8)
    for _ in range(12):
        z = 2 * g.standard_normal(3)

        def cost(v: Vector, z: Vector = z) -> float:
            y = np.exp(v[0])
            point = np.array([v[1] * y, y, y * np.exp(v[1]) + v[2] ** 2])
            return float(np.sum((point - z) ** 2))

        best = min(
            scipy.optimize.minimize(cost, start, method="BFGS", tol=1e-10).fun
            for start in 1.5 * g.standard_normal((8, 3))
        )
        p = J(z)
        assert np.sum((p - z) ** 2) <= best + 1e-9
        assert np.sum((p - z) ** 2) >= best - 1e-3 or not p.any() or p[1] < 1e-2


# ---- affine sets ---------------------------------------------------------------------------------


def exact_projection(rows: Vector, right: Vector, z: Vector) -> list[Fraction]:
    """z − Aᵀ(AAᵀ)⁻¹(Az − b) by elimination in rationals."""
    A = [[Fraction(v) for v in row] for row in rows.tolist()]
    point = [Fraction(v) for v in z.tolist()]
    m = len(A)
    system = [
        [sum(a * b for a, b in zip(A[i], A[j], strict=True)) for j in range(m)]
        + [sum(a * b for a, b in zip(A[i], point, strict=True)) - Fraction(right[i])]
        for i in range(m)
    ]
    for i in range(m):
        pivot = next(j for j in range(i, m) if system[j][i])
        system[i], system[pivot] = system[pivot], system[i]
        for j in range(m):
            if j != i and system[j][i]:
                share = system[j][i] / system[i][i]
                system[j] = [u - share * v for u, v in zip(system[j], system[i], strict=True)]
    u = [system[i][m] / system[i][i] for i in range(m)]
    return [p - sum(u[i] * A[i][k] for i in range(m)) for k, p in enumerate(point)]


def test_nearly_dependent_rows_are_taken_as_the_floats_they_are() -> None:
    J = sets.affine_subspace([[1, 1, 1], [1, 1, 1 + 1e-13]], [1, 1])
    assert np.abs(J(np.array([1.0, 2.0, 3.0])) - [0, 1, 0]).max() <= 1e-15


@pytest.mark.parametrize("size", [1.0, 1e-4, 1e-8, 1e-12, 1e-15])
def test_affine_sets_against_rationals(size: float) -> None:
    """Rows that differ by ``size``: the error doesn't grow with the condition of A."""
    g = np.random.default_rng(3)
    for d, m in ((2, 2), (3, 2), (5, 3)):
        for _ in range(5):
            rows = g.standard_normal((1, d)) + size * g.standard_normal((m, d))
            member = g.standard_normal(d)
            right = rows @ member
            z = g.standard_normal(d)
            p = [float(v) for v in exact_projection(rows, right, z)]
            found = sets.affine_subspace(rows, right)(z)
            assert np.abs(found - p).max() <= 1e-14 * (1 + np.abs(p).max() + np.abs(z).max())


def test_many_rows_are_taken_if_float64_can_tell_them_apart() -> None:
    g = np.random.default_rng(4)
    rows, z = g.standard_normal((60, 100)), g.standard_normal(100)
    right = rows @ g.standard_normal(100)
    p = z - np.linalg.pinv(rows) @ (rows @ z - right)
    J = sets.affine_subspace(rows, right)
    assert np.abs(J(z) - p).max() <= 1e-11
    assert J.contains is not None
    assert J.contains(J(1e6 * z))
    rows[1] = rows[0] + 1e-12 * rows[2]
    with pytest.raises(OpcheckError, match="too nearly so for float64"):
        sets.affine_subspace(rows, right)


# ---- conjugates ----------------------------------------------------------------------------------

PAIRS: list[tuple[Resolvent, Resolvent, int]] = [
    (sets.l1(0.7), sets.linf_ball(0.7), 3),
    (sets.ball(0.7, np.zeros(3)), sets.l2(0.7), 3),
    (sets.simplex(4, 0.7), sets.largest_entry(0.7), 4),
    (sets.orthant(), sets.box(-np.inf, 0.0), 3),
    (sets.whole_space(2), sets.box(0.0, 0.0), 2),
    (sets.squared_l2(4.0), sets.squared_l2(0.25), 3),
    (sets.conjugate(sets.huber()), sets.huber(), 3),
]


@pytest.mark.parametrize(("g", "dual", "d"), PAIRS, ids=[g.name for g, _, _ in PAIRS])
def test_conjugates_that_are_known(g: Resolvent, dual: Resolvent, d: int) -> None:
    J = sets.conjugate(g)
    for exponent in (-6, 0, 6):
        for z in draws(d, exponent):
            for gamma in (0.1, 1.0, 8.0):
                size = 1e-14 * (gamma + np.abs(z).max())
                assert np.abs(J(z, gamma) - dual(z, gamma)).max() <= size


def test_the_inverse_of_a_monotone_operator_that_is_no_subdifferential() -> None:
    """A a quarter turn: A⁻¹ is the turn back, and nothing is said of values."""

    def turn(z: Vector, gamma: float, out: Vector, data: Vector) -> None:
        x, y = z[0], z[1]
        size = 1 + gamma * gamma
        out[0], out[1] = (x - gamma * y) / size, (y + gamma * x) / size

    A = Resolvent(turn, np.zeros(0), 2, "turn")
    J = sets.conjugate(A)
    assert not J.subdifferential
    for z in draws(2, 0):
        p = J(z, 0.5)
        assert np.allclose(p + 0.5 * np.array([-p[1], p[0]]), z, atol=1e-15)


def test_values_of_a_conjugate() -> None:
    of_norm, of_disc = sets.conjugate(sets.l1(0.5)).value, sets.conjugate(sets.ball()).value
    entropy = sets.conjugate(sets.entropy()).value
    assert of_norm is not None
    assert of_disc is not None
    assert entropy is not None
    assert of_norm(np.array([0.5, -0.2])) == 0
    assert of_norm(np.array([0.5001, 0.0])) == np.inf
    assert of_disc(np.array([3.0, 4.0])) == pytest.approx(5)
    assert of_disc(np.array([3e-9, 4e-9])) == pytest.approx(5e-9)
    assert entropy(np.array([1.0, -2.0])) == pytest.approx(1 + np.exp(-3), rel=1e-5)


def test_sets_within_sets_by_name() -> None:
    z = np.array([0.3, -2.0, 1.5, -0.5, 3.0])
    by_name = sets.product("simplex(3)", "box(0, sqrt(2))", m=2)
    assert np.array_equal(by_name(z), sets.product(sets.simplex(3), sets.box(0.0, 2**0.5), m=2)(z))
    assert np.array_equal(sets.conjugate("l1:0.5")(z), sets.conjugate(sets.l1(0.5))(z))
    nested = set_of("product(conjugate(l1(0.5)), second=simplex(2), n=3)", 5)
    assert np.array_equal(nested(z)[:3], np.clip(z[:3], -0.5, 0.5))


@ALL
@pytest.mark.sampled(4)
def test_the_guard_of_foreign_resolvents_passes_them(name: str) -> None:
    """What a stranger's resolvent is asked, which knows nothing of ours."""
    J = EVERY[name]
    guard_resolvent(J, np.array([np.ones(J.dim or 4)]))


# ---- mistakes ------------------------------------------------------------------------------------

ODD = (None, "two", [], [[1.0, 2.0], [3.0]], 1j, np.nan, [np.inf, 1.0], -1, 2.5, [[[1.0]]], 0, {})


@pytest.mark.parametrize(
    "name", [n for n in registry.names("sets") if n in EVERY and n not in ("product", "conjugate")]
)
def test_a_wrong_parameter_is_a_sentence_or_a_set(name: str) -> None:
    """Each parameter in turn: OpcheckError, or a resolvent that does what one does."""
    import inspect

    family = registry.get("sets", name)
    for parameter in inspect.signature(family.function).parameters:
        for value in ODD:
            try:
                J = family(**{parameter: value})
            except OpcheckError:
                continue
            z = np.linspace(-2, 3, J.dim or 3)
            assert np.isfinite(J(z)).all()


@pytest.mark.usefixtures("own_registry")
def test_a_constructor_that_fails_is_one_sentence() -> None:
    """As that of a problem family is; a stranger's looks at nothing that it is given."""

    @resolvent_family
    def stout(radius: float = 1.0) -> Resolvent:
        return Resolvent(identity, np.empty(0), 0, f"stout({radius:g})")

    with pytest.raises(OpcheckError, match="set 'stout' raises TypeError: unsupported format"):
        registry.get("sets", "stout")(radius=None)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: sets.product(sets.simplex(3), sets.box(0.0, 1.0)), r"has none; give m$"),
        (lambda: sets.product(sets.simplex(3), sets.ball(), n=2), "acts on 3 .*not on n = 2"),
        (lambda: sets.product(sets.orthant(), n=1.5), "n = 1.5 must be a whole number"),
        (lambda: sets.product(3), "product takes a resolvent, not 3"),
        (lambda: sets.conjugate([1.0]), "conjugate takes a resolvent"),
        (lambda: sets.conjugate("l3"), "did you mean 'l[12]'"),
        (lambda: sets.conjugate("l1(wide=2)"), "l1 has no argument 'wide'"),
        (lambda: sets.product("simplex(3)", "box(1, 0)", m=2), "the box is empty"),
        (lambda: sets.affine_subspace([[1.0, 1], [2, 2]], [1.0, 2]), "row 2 of A .*dependent"),
        (lambda: sets.affine_subspace([[0.0, 0.0]], [1.0]), "row 1 of A is zero"),
        (lambda: sets.affine_subspace([[1.0], [2.0]], [1.0, 2.0]), "2 rows of 1 entries"),
        (lambda: sets.simplex([1, 2]), "n = .* must be a whole number"),
        (lambda: sets.box(2.0, -np.inf), "hi must be finite numbers or inf"),
        (lambda: sets.box_hyperplane(hi=np.inf), "hi must be finite numbers"),
        (lambda: sets.exponential_cone()(np.zeros(2)), "acts on 3 coordinates"),
    ],
)
def test_mistakes_are_named(make: Callable[[], object], says: str) -> None:
    with pytest.raises(OpcheckError, match=says):
        make()


def test_a_set_without_an_end_says_so() -> None:
    assert sets.box(1.0, np.inf).name == "box[1, ∞)"
    assert sets.box(-np.inf, 3.0).name == "box(−∞, 3]"
    J = sets.product(sets.simplex(3), sets.box(1.0, np.inf), m=2)
    assert J.dim == 5
    assert dataclasses.replace(J, name="").contains is not None
