"""Resolvents: the variational inequality that defines them, and three readings of one text.

Every registered set is tested at its defaults; the cases below add parameters, and points of the
sets that are drawn without any projection.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator

import numpy as np
import pytest
import scipy.optimize
from flint import arb, fmpq
from flint.utils.flint_exceptions import DomainError
from numpy.typing import NDArray

from opcheck import registry
from opcheck.engine import jit as compiler
from opcheck.engine.interpret import Balls, Rationals
from opcheck.engine.numbers import Ball, precision, rational
from opcheck.engine.run import run
from opcheck.errors import OpcheckError, Undecided
from opcheck.model.operator import Resolvent, linear
from opcheck.model.primitives import axpy, norm2
from opcheck.model.problem import Problem
from opcheck_problems import sets
from opcheck_problems.sets import affine, bounded, losses, norms, polyhedra
from opcheck_problems.sets._kernels import soft

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


def member_of_polyhedron(g: np.random.Generator, rows: Vector, b: Vector) -> Vector:
    """On the way from an interior point towards a random direction, up to the boundary."""
    v = g.standard_normal(rows.shape[1])
    rates = rows @ v
    reach = min((b[i] / r for i, r in enumerate(rates) if r > 0), default=10.0)
    return g.uniform() ** 0.3 * min(reach, 10.0) * v


def member_by_rejection(
    g: np.random.Generator, lo: Vector, hi: Vector, a: Vector, b: float
) -> Vector:
    while True:
        v = np.where(g.uniform(size=lo.size) < 0.2, lo, g.uniform(lo, hi))
        if a @ v <= b:
            return v


def member_of_capped_simplex(g: np.random.Generator) -> Vector:
    v = g.uniform(0, 1, 4)
    v *= 2 / v.sum()
    return v if v.max() <= 1 else g.permutation([1.0, 1.0, 0.0, 0.0])


def member_of_cone(g: np.random.Generator, slope: float) -> Vector:
    v = g.standard_normal(3)
    return np.append(v, np.linalg.norm(v) / slope + g.integers(0, 2) * g.exponential())


def member_of_exponential(g: np.random.Generator) -> Vector:
    y, ratio = g.exponential(), 3 * g.standard_normal()
    if g.uniform() < 0.1:
        return np.array([-y, 0.0, g.exponential()])
    return np.array([y * ratio, y, y * np.exp(ratio) + g.integers(0, 2) * g.exponential()])


def positive_matrix(g: np.random.Generator, n: int) -> Vector:
    v = g.standard_normal((n, int(g.integers(1, n + 1))))
    return v @ v.T


def matrix_of_norm_one(g: np.random.Generator, m: int, n: int) -> Vector:
    v = g.standard_normal((m, n))
    return v / np.linalg.norm(v, 2)


LO, HI = np.array([-1.0, 0.5, 0.0, -3.0]), np.array([2.0, 0.5, 1.0, -1.0])
CUT = np.array([2.0, 1.0, 0.0, -1.5])
ROWS = np.array([[1.0, 2, -1], [0, 1, 1], [-1, 0.5, 0.25], [3, 0, -1], [-1, -2, -3]])
SIDES = np.array([1.0, 0.5, 2.0, 1.5, 4.0])
# a row twice, an equation as two inequalities, four planes through one corner
TWICE = np.array([[1.0, 1, 1], [-1, -1, -1], [1, 0, 0], [1, 0, 0], [0, 1, 0], [1, 1, 0]])
TWICE_SIDES = np.array([0.0, 0.0, 1.0, 1.0, 1.0, 2.0])
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
    "simplex of many": (sets.simplex(70), 70, lambda g: member_of_simplex(g, 70)),
    "box without ends": (
        sets.box([1.0, -np.inf, -np.inf, -2.0], [np.inf, 3.0, np.inf, 0.5]),
        4,
        lambda g: np.array([1, 3, 0, 0]) + [1, -1, 1, 0] * g.exponential(1, 4),
    ),
    "ray": (sets.box(-np.inf, 2.0), 3, lambda g: 2 - g.exponential(1, 3)),
    "exponential cone": (sets.exponential_cone(), 3, lambda g: member_of_exponential(g)),
    "product with a box of any dimension": (
        sets.product(sets.simplex(3), sets.box(0.0, 2.0), m=2),
        5,
        lambda g: np.concatenate([member_of_simplex(g, 3), g.uniform(0, 2, 2)]),
    ),
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
    "l1 ball": (
        sets.l1_ball(2.0),
        4,
        lambda g: 2 * member_of_simplex(g, 4) * g.choice([-1.0, 1.0], 4) * g.uniform() ** 0.2,
    ),
    "linf ball": (sets.linf_ball(0.5), 4, lambda g: g.uniform(-0.5, 0.5, 4)),
    "ellipsoid": (
        sets.ellipsoid([3.0, 0.1, 1.0], CENTRE),
        3,
        lambda g: CENTRE + [3.0, 0.1, 1.0] * member_of_ball(g, 1.0, np.zeros(3)),
    ),
    "slab": (
        sets.slab(NORMAL, -1.0, 0.5),
        3,
        lambda g: (
            (np.eye(3) - np.outer(NORMAL, NORMAL) / 14) @ g.standard_normal(3)
            + g.uniform(-1, 0.5) * NORMAL / 14
        ),
    ),
    "box cut by a half-space": (
        sets.box_half_space(CUT, 1.0, LO, HI),
        4,
        lambda g: member_by_rejection(g, LO, HI, CUT, 1.0),
    ),
    "corner of a box": (  # ⟨a, z⟩ ≤ b meets the box in one point
        sets.box_half_space([1.0, -1.0], -2.0, -1.0, 1.0),
        2,
        lambda g: np.array([-1.0, 1.0]),
    ),
    "capped simplex": (sets.capped_simplex(4, 2.0, 1.0), 4, member_of_capped_simplex),
    "second-order cone": (sets.second_order_cone(4, 2.0), 4, lambda g: member_of_cone(g, 2.0)),
    "psd cone": (sets.psd_cone(3), 9, lambda g: positive_matrix(g, 3).ravel()),
    "spectraplex": (
        sets.spectraplex(3, 2.0),
        9,
        lambda g: (lambda v: 2 * v / np.trace(v))(positive_matrix(g, 3)).ravel(),
    ),
    "spectral ball": (
        sets.spectral_ball(2, 3, 0.5),
        6,
        lambda g: 0.5 * g.uniform() ** 0.2 * matrix_of_norm_one(g, 2, 3).ravel(),
    ),
    "monotone cone": (sets.monotone_cone(), 6, lambda g: np.sort(g.standard_normal(6))),
    "polyhedron": (
        sets.polyhedron(ROWS, SIDES),
        3,
        lambda g: member_of_polyhedron(g, ROWS, SIDES),
    ),
    "degenerate polyhedron": (
        sets.polyhedron(TWICE, TWICE_SIDES),
        3,
        lambda g: (lambda x, y: np.array([x, y, -x - y]))(*(1 - g.exponential(1, 2))),
    ),
    "product of unlike kernels": (
        sets.product(sets.psd_cone(2), sets.product(sets.polyhedron(), sets.simplex(2))),
        8,
        lambda g: np.concatenate(
            [
                positive_matrix(g, 2).ravel(),
                2 * g.dirichlet([1, 1, 1])[:2] * [1, 0.5],
                member_of_simplex(g, 2),
            ]
        ),
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
REGULARISERS: dict[str, tuple[Resolvent, int]] = {
    "l1": (sets.l1(0.75), 4),
    "l2": (sets.l2(2.0), 3),
    "groups": (sets.group_l2(0.5, 3, 2), 6),
    "linf": (sets.linf(0.5), 5),
    "largest": (sets.largest_entry(3.0), 4),
    "elastic net": (sets.elastic_net(0.5, 3.0), 3),
    "huber": (sets.huber(2.0, 0.1), 4),
    "hinge": (sets.hinge(0.3), 4),
    "pinball": (sets.pinball(2.0, 0.9), 4),
    "log barrier": (sets.log_barrier(0.01), 3),
    "entropy": (sets.entropy(0.1), 3),
    "total variation": (sets.total_variation(0.2), 12),
    "total variation of two": (sets.total_variation(2.0), 2),
    "total variation of one": (sets.total_variation(), 1),
    "semidefinite quadratic": (
        sets.quadratic([[1.0, -1.0, 0.0], [-1.0, 1.0, 0.0], [0.0, 0.0, 5.0]], [1, 1, -2]),
        3,
    ),
    "squared norm": (sets.squared_l2(4.0, CENTRE), 3),
    "nuclear norm": (sets.nuclear_norm(0.7, 3, 2), 6),
    "product": (sets.product(sets.quadratic(), sets.ball()), 4),
    "conjugate of a set": (sets.conjugate(sets.simplex(4)), 4),
    "conjugate of entropy": (sets.conjugate(sets.entropy()), 3),
}


def registered() -> Iterator[tuple[str, Resolvent]]:
    """The sets of opcheck's own packs at their defaults."""
    for name in registry.names("sets"):
        family = registry.get("sets", name)
        if family.function.__module__.startswith("opcheck_"):
            yield name, family()


EVERY = (
    {f"default {name}": (J, J.dim or 5) for name, J in registered()}
    | {n: (J, d) for n, (J, d, _) in INDICATORS.items()}
    | {f"prox {n}": (J, d) for n, (J, d) in REGULARISERS.items()}
)
ON_BALLS = pytest.mark.parametrize(
    ("J", "d"),
    [pytest.param(*v, id=n) for n, v in EVERY.items() if n != "degenerate polyhedron"],
)
GENERAL = pytest.mark.parametrize(("J", "d"), EVERY.values(), ids=EVERY.keys())
PROJECTIONS = pytest.mark.parametrize(
    ("J", "d", "draw"), INDICATORS.values(), ids=INDICATORS.keys()
)


def starting_points(d: int, count: int = 60) -> Vector:
    g = np.random.default_rng(13)
    return 10.0 ** g.uniform(-2, 2, (count, 1)) * g.standard_normal((count, d))


def rounding(*values: Vector | float) -> float:
    """What a few dozen operations on these values can leave."""
    return 64 * UNIT * (1 + sum(float(np.linalg.norm(v)) for v in values))


@PROJECTIONS
@pytest.mark.sampled(4)
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


Apply = Callable[[Vector, float], Vector]


def faults(J: Resolvent, apply: Apply, d: int, starts: int = 15) -> Iterator[str]:
    """What of the resolvent's definition ``apply`` breaks, tried on candidates about its images.

    With p the image of z, A = ∂g asks γ(g(w) − g(p)) ≥ ⟨z − p, w − p⟩ for every w. Only where g
    is finite is taken from J, and never from its kernel.
    """
    g = np.random.default_rng(29)
    points = [10.0 ** g.uniform(-1, 1.3) * g.standard_normal(d) for _ in range(starts)]
    for gamma in (0.3, 2.5):
        images = [apply(z, gamma) for z in points]
        for z, p in zip(points, images, strict=True):
            at_p = cost(J, p)
            if not np.isfinite(at_p):
                yield f"outside at {z}"
                continue
            for w in candidates(g, p, images):
                at_w = cost(J, w)
                slack = rounding(z, p) * np.linalg.norm(w - p) + gamma * rounding(at_p)
                if J.contains is not None:  # which lets in what is outside to rounding
                    slack = 1e-11 * (1 + np.linalg.norm(z) + np.linalg.norm(w)) ** 2
                if not gamma * (at_w - at_p) - (z - p) @ (w - p) >= -slack:
                    yield f"improved at {z} by {w}"
        for z in images[:10] if J.contains is not None else []:
            if np.linalg.norm(apply(z, gamma) - z) > 1e-11 * (1 + np.linalg.norm(z)):
                yield f"moves {z}"


def cost(J: Resolvent, z: Vector) -> float:
    """g(z)."""
    if J.contains is not None:
        return 0.0 if J.contains(z) else np.inf
    assert J.value is not None
    return J.value(z)


def candidates(g: np.random.Generator, p: Vector, images: list[Vector]) -> Iterator[Vector]:
    """Other images; points from p along differences of images, random directions and axes."""
    d = p.size
    for _ in range(8):
        i, j = g.integers(0, len(images), 2)
        scale = 10.0 ** g.uniform(-5, 1) * g.choice([-1, 1])
        yield images[i]
        yield p + scale * (images[i] - images[j])
        yield p + scale * g.standard_normal(d)
        yield p + scale * np.eye(d)[g.integers(0, d)]


@GENERAL
@pytest.mark.sampled(4)
def test_resolvent_meets_its_definition(J: Resolvent, d: int) -> None:
    assert (J.contains is None) != (J.value is None)
    assert next(faults(J, J, d), None) is None


PLANTED: dict[str, Callable[[Resolvent, Vector, float, float], Vector]] = {
    "scaled": lambda J, z, gamma, e: J(z, gamma) * (1 + e),
    "moved": lambda J, z, gamma, e: J(z, gamma) + e * np.eye(z.size)[0],
    "short": lambda J, z, gamma, e: J(z, gamma) + e * (z - J(z, gamma)),
    "too far inside": lambda J, z, gamma, e: (1 - e) * J(z, gamma) + e * J(0 * z, gamma),
    "another step": lambda J, z, gamma, e: J(z, gamma * (1 + e)),
}


@pytest.mark.parametrize("error", PLANTED)
@GENERAL
@pytest.mark.sampled(4)
def test_planted_errors_are_found(J: Resolvent, d: int, error: str) -> None:
    """Where g is smooth, an error in p is seen by its square only."""
    size = 1e-4 if J.contains is None else 1e-6

    def wrong(z: Vector, gamma: float) -> Vector:
        return PLANTED[error](J, z, gamma, size)

    points = 3 * np.random.default_rng(2).standard_normal((20, d))
    if max(np.abs(wrong(z, 1.0) - J(z, 1.0)).max() for z in points) > 0.01 * size:
        assert next(faults(J, wrong, d, 8), None)
    else:  # a normal cone whatever γ, a set of one point or of all, g(z) = 0
        assert error in ("another step", "too far inside", "short")


def first_then_other(z: Vector, gamma: float, out: Vector, data: Vector) -> None:
    """Onto the box, then onto the half-space: not onto what both share."""
    d = z.size
    polyhedra.project_box_half_space(z, gamma, out, np.append(data[: 3 * d], np.inf))
    affine.project_half_space(out, gamma, out, data[[*range(d), 3 * d]])


def one_pass(z: Vector, gamma: float, out: Vector, data: Vector) -> None:
    out[:] = np.maximum(z - (z.sum() - data[0]) / z.size, 0)
    out *= data[0] / out.sum()


def absolute_eigenvalues(z: Vector, gamma: float, out: Vector, data: Vector) -> None:
    n = int(z.size**0.5)
    S = z.reshape(n, n)
    values, V = np.linalg.eigh((S + S.T) / 2)
    out[:] = ((V * abs(values)) @ V.T).ravel()


def entry_by_entry(z: Vector, gamma: float, out: Vector, data: Vector) -> None:
    for i, v in enumerate(z):
        out[i] = soft(v, gamma * data[0])


def neighbours_only(z: Vector, gamma: float, out: Vector, data: Vector) -> None:
    out[:] = np.maximum.accumulate(z)


def without_leaving(z: Vector, gamma: float, out: Vector, data: Vector) -> None:
    """Onto the violated constraints one after the other, for good."""
    d = z.size
    out[:] = z
    for row in data.reshape(-1, d + 1):
        axpy(out, out, -max(row[:d] @ out - row[d], 0) / norm2(row[:d]), row[:d])


def scaled_back(z: Vector, gamma: float, out: Vector, data: Vector) -> None:
    """Along the ray to the centre: on the boundary, but not the nearest point."""
    out[:] = z / max(1, np.linalg.norm(z / data[: z.size]))


@pytest.mark.parametrize(
    ("J", "kernel", "d"),
    [
        (sets.box_half_space(), first_then_other, 3),
        (sets.simplex(5), one_pass, 5),
        (sets.psd_cone(2), absolute_eigenvalues, 4),
        (sets.l2(), entry_by_entry, 3),
        (sets.monotone_cone(), neighbours_only, 4),
        (sets.polyhedron(), without_leaving, 2),
        (sets.ellipsoid(), scaled_back, 2),
        (sets.huber(), norms.shrink, 3),
        (sets.l1(2.0), bounded.project_l1_ball, 3),
        (sets.linf(), norms.cut_largest, 3),
    ],
    ids=lambda v: getattr(v, "__name__", None),
)
def test_plausible_wrong_kernels_are_found(
    J: Resolvent, kernel: Callable[..., None], d: int
) -> None:
    assert next(faults(J, dataclasses.replace(J, kernel=kernel), d), None)


def outcome(J: Resolvent, z: Vector, gamma: float) -> Vector:
    out = np.empty_like(z)
    compiler.jit(J.kernel, "resolvent")(z, gamma, out, J.data)
    return out


@pytest.mark.parametrize("name", [name for name, _ in registered()])
def test_set_in_a_compiled_run(name: str) -> None:
    """Extragradient, compiled with the set, makes the steps that two lines of numpy make."""
    J = registry.get("sets", name)()
    d = J.dim or 5
    g = np.random.default_rng(6)
    draws = g.standard_normal((d, d))
    M, q = (draws - draws.T) / 4 + np.eye(d) / 4, g.standard_normal(d)
    problem = Problem(linear(M, q.tolist()), J, start=3 * g.standard_normal(d))
    z = problem.start
    for _ in range(20):
        z = J(z - 0.3 * (M @ J(z - 0.3 * (M @ z + q), 0.3) + q), 0.3)
    found = run("extragradient", problem, iterations=20, gamma=0.3).z
    assert np.abs(found - z).max() <= 20 * rounding(z, problem.start)


MOREAU: list[tuple[Resolvent, Callable[[float], Resolvent], int]] = [
    (sets.l1(0.7), lambda g: sets.linf_ball(0.7 * g), 4),
    (sets.linf(0.7), lambda g: sets.l1_ball(0.7 * g), 4),
    (sets.l2(0.7), lambda g: sets.ball(0.7 * g, [0.0] * 4), 4),
    (sets.nuclear_norm(0.7, 2, 3), lambda g: sets.spectral_ball(2, 3, 0.7 * g), 6),
    (sets.largest_entry(0.7), lambda g: sets.simplex(4, 0.7 * g), 4),
    (
        sets.group_l2(0.7, 2, 2),
        lambda g: sets.product(sets.ball(0.7 * g), sets.ball(0.7 * g)),
        4,
    ),
    (sets.pinball(1.0, 0.25), lambda g: sets.box([-0.75 * g] * 3, [0.25 * g] * 3), 3),
]


@pytest.mark.parametrize(("norm", "dual", "d"), MOREAU, ids=[j.name for j, _, _ in MOREAU])
def test_moreau_with_the_dual_ball(
    norm: Resolvent, dual: Callable[[float], Resolvent], d: int
) -> None:
    """z = prox_{γg}(z) + P_{γC}(z), where g is the support function of C."""
    for z in starting_points(d, 30):
        for gamma in (0.1, 3.0):
            assert np.abs(norm(z, gamma) + dual(gamma)(z) - z).max() <= rounding(z)


@pytest.mark.parametrize(
    ("J", "slope"),
    [
        (sets.orthant(), 1.0),
        (sets.psd_cone(2), 1.0),
        (sets.second_order_cone(4), 1.0),
        (sets.second_order_cone(4, 0.5), 0.5),
    ],
    ids=lambda v: v.name if isinstance(v, Resolvent) else None,
)
def test_moreau_with_the_polar_cone(J: Resolvent, slope: float) -> None:
    """z = P_K(z) − P_{K*}(−z); the dual cone K* is K, or that of the inverse slope."""
    dual = sets.second_order_cone(4, 1 / slope) if slope != 1 else J
    for z in starting_points(4, 50):
        if J.name.startswith("psd"):
            z[1] = z[2]
        p, q = J(z), dual(-z)
        assert np.abs(p - q - z).max() <= rounding(z)
        assert abs(p @ q) <= rounding(z) * (1 + np.linalg.norm(z))


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


@ON_BALLS
@pytest.mark.sampled(4)
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


@ON_BALLS
@pytest.mark.sampled(4)
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


def test_balls_leave_a_degenerate_vertex_open() -> None:
    """Whether a superfluous constraint is violated can't be seen there, and is not guessed."""
    J = sets.polyhedron(TWICE, TWICE_SIDES)
    with precision(200):
        reading = Balls()
        z, data = reading.vector([0.1, 0.3, 0.7]), reading.vector(J.data.tolist())
        with pytest.raises(Undecided):
            reading.resolvent(J)(z, reading.number(0.5), z, data)


@ON_BALLS
@pytest.mark.sampled(4)
def test_balls_of_more_bits_lie_within_those_of_less(J: Resolvent, d: int) -> None:
    """What an enclosure says of the true point, a finer one can't contradict."""
    for w in starting_points(d, 6):
        found = []
        for bits in (80, 300):
            with precision(bits):
                reading, out = Balls(), np.empty(d, dtype=object)
                data = reading.vector(J.data.tolist())
                z = reading.vector(w.tolist())
                reading.resolvent(J)(z, reading.number(0.5), out, data)
                found.append(out)
        with precision(300):
            for coarse, fine in zip(*found, strict=True):
                assert coarse.ball.contains(fine.ball)


@pytest.mark.parametrize(
    "J",
    [sets.entropy(), sets.psd_cone(2), sets.spectral_ball(), sets.nuclear_norm()],
    ids=lambda J: J.name,
)
def test_an_enclosure_without_its_residual_is_refuted(
    J: Resolvent, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So the test above can fail."""
    monkeypatch.setattr(Ball, "within", lambda self, error: self)
    with pytest.raises(AssertionError):
        test_balls_of_more_bits_lie_within_those_of_less(J, 4)


def test_matrices_whose_positive_part_is_known() -> None:
    with precision(150):
        reading = Balls()
        for z, expected in (
            ([0.0, 1.0, 1.0, 0.0], [fmpq(1, 2)] * 4),
            ([7.0, 24.0, 24.0, -7.0], [fmpq(16), fmpq(12), fmpq(12), fmpq(9)]),  # ±25
            ([1.0, 2.0, 0.0, 1.0], [fmpq(1)] * 4),  # of its symmetric part
            ([-1.0, 0.0, 0.0, -2.0], [fmpq(0)] * 4),
        ):
            out = np.empty(4, dtype=object)
            data = reading.vector([0.0])
            reading.resolvent(sets.psd_cone(2))(reading.vector(z), reading.number(1), out, data)
            for found, value in zip(out, expected, strict=True):
                assert found.ball.contains(arb(value))
                assert float(found.ball.rad()) <= 1e-40


@pytest.mark.parametrize("name", EVERY)
def test_rational_reading_is_exact(name: str) -> None:
    """On rationals the projection is exact: applying it again changes nothing.

    Square roots, logarithms and iterations to rounding have no rational value in general: a set
    whose kernel takes them says so, ``@resolvent_family(irrational=True)``.
    """
    J, d = EVERY[name]
    reading = Rationals()
    data = reading.vector(J.data.tolist())
    p, again = np.empty(d, dtype=object), np.empty(d, dtype=object)
    if J.irrational:
        z = reading.vector((2.0 + np.arange(d) ** 3).tolist())
        try:
            J.kernel(z, fmpq(1, 2), p, data)
        except (OpcheckError, DomainError, TypeError):
            return
        assert not name.startswith("default "), "it need not say that it is irrational"
    for w in starting_points(d, 10):
        J.kernel(reading.vector(w.tolist()), fmpq(1, 2), p, data)
        found = np.array([float(int(v.p) / int(v.q)) for v in p])
        assert np.abs(found - J(w, 0.5)).max() <= rounding(w)
        if J.contains is not None:
            J.kernel(p, fmpq(1, 2), again, data)
            assert list(again) == list(p)


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
    for n in (1, 2, 3, 10, 63, 64, 200, 5000):
        J = sets.simplex(n)
        for w in (
            g.standard_normal(n),
            1e6 * g.standard_normal(n),
            np.zeros(n),
            g.integers(-1, 2, n).astype(float),
            np.append(np.zeros(n - 1), 7.0),  # one is active
            1e-9 * g.standard_normal(n),  # all are
        ):
            ordered = np.sort(w)[::-1]
            shifts = (np.cumsum(ordered) - 1) / np.arange(1, n + 1)
            tau = shifts[np.flatnonzero(ordered > shifts)[-1]]
            assert np.abs(J(w) - np.maximum(w - tau, 0)).max() <= rounding(w)


def test_simplex_keeps_its_sum_far_from_the_origin() -> None:
    """The distance to the largest entry is what counts, not the size of the entries."""
    assert np.array_equal(sets.simplex(3)([1e17, 0.0, 1e17]), [0.5, 0.0, 0.5])
    w = 1e12 + np.array([0.5, 0.25, -4.0])
    assert np.array_equal(sets.simplex(3)(w), [0.625, 0.375, 0.0])
    assert np.array_equal(sets.l1_ball(1.0)(-w), [-0.625, -0.375, 0.0])


def test_wright_function_against_lambert() -> None:
    """ω(x) = W(e^x), in float64 and on balls."""
    for x in (-800.0, -30.0, -1.0, -1e-9, 0.0, 0.5, 1.0, 1.5, 700.0, 1e5, 1e15):
        with precision(200):
            true = arb(x).exp().lambertw()
            found = losses.omega(Ball(rational(x)))
            assert found.ball.overlaps(true)
            assert float(found.ball.rad()) <= 1e-50 * (1 + abs(x))
            assert abs(losses.omega(x) - float(true)) <= 1e-15 * max(1, abs(x)) * float(true)


def test_entropy_and_barrier_at_extremes() -> None:
    """Optimality where powers would overflow or cancel: p + c(1 + log p) = z, p − c/p = z."""
    z = np.array([-1e6, -300.0, -1.0, 0.0, 1e-8, 3.0, 1e8])
    p = sets.entropy(0.5)(z, 2.0)
    live = p > 0
    assert np.array_equal(live, [False, True, True, True, True, True, True])
    assert np.all(
        abs((p + 1 + np.log(np.where(live, p, 1)) - z)[live]) <= 1e-15 * abs(z[live]) + 5e-16
    )
    p = sets.log_barrier(0.5)(z, 2.0)
    assert np.all(p > 0)
    assert np.all(abs(p - 1 / p - z) <= 4e-16 * (p + 1 / p))


def test_ellipsoid_of_extreme_axes() -> None:
    """z − p is a nonnegative multiple of the normal p/a², and p is on the boundary."""
    axes = np.array([1e-6, 1.0, 1e3])
    J = sets.ellipsoid(axes)
    for w in starting_points(3):
        p = J(w)
        if np.linalg.norm(w / axes) <= 1:
            assert np.array_equal(p, w)
            continue
        assert abs(np.linalg.norm(p / axes) - 1) <= 1e-14
        normal = p / axes**2
        along = (w - p) @ normal
        assert along >= 0
        assert np.linalg.norm(w - p - along / (normal @ normal) * normal) <= rounding(w)


def test_matrix_sets_against_numpy() -> None:
    g = np.random.default_rng(8)
    for n in (1, 2, 5, 20):
        z = g.standard_normal((n, n))
        values, V = np.linalg.eigh((z + z.T) / 2)
        expected = (V * np.maximum(values, 0)) @ V.T
        for apply in (lambda J, w: J(w), lambda J, w: outcome(J, w, 1.0)):
            found = apply(sets.psd_cone(n), z.ravel())
            assert np.abs(found - expected.ravel()).max() <= n * rounding(z)
    for m, n in ((1, 4), (3, 2), (6, 6)):
        z = g.standard_normal((m, n))
        u, s, v = np.linalg.svd(z, full_matrices=False)
        for J, kept in (
            (sets.spectral_ball(m, n, 0.7), np.minimum(s, 0.7)),
            (sets.nuclear_norm(0.7, m, n), np.maximum(s - 0.7, 0)),
        ):
            for found in (J(z.ravel()), outcome(J, z.ravel(), 1.0)):
                assert np.abs(found - ((u * kept) @ v).ravel()).max() <= m * n * rounding(z)


def test_repeated_and_zero_eigenvalues() -> None:
    for S in (np.eye(3), -np.eye(3), np.zeros((3, 3)), np.ones((3, 3)), np.diag([1.0, 0, -1])):
        expected = np.diag([1.0, 0, 0]) if S[2, 2] == -1 and S[0, 0] == 1 else max(S[0, 0], 0) * S
        J = sets.psd_cone(3)
        for found in (J(S.ravel()), outcome(J, S.ravel(), 1.0)):
            assert np.abs(found - expected.ravel()).max() <= rounding(S)


def test_random_polyhedra_by_their_multipliers() -> None:
    """z − p is a nonnegative combination of the normals of the constraints that are tight."""
    g = np.random.default_rng(12)
    kernel = compiler.jit(polyhedra.project_polyhedron, "resolvent")
    for trial in range(60):
        d, m = int(g.integers(1, 8)), int(g.integers(1, 25))
        if trial % 2:
            rows, inside = g.standard_normal((m, d)), g.standard_normal(d)
            sides = rows @ inside + g.exponential(1, m)
        else:  # small integers: many corners of more than d planes
            rows, inside = g.integers(-2, 3, (m, d)).astype(float), g.integers(-1, 2, d)
            rows[~rows.any(axis=1), 0] = 1
            sides = rows @ inside + g.integers(0, 2, m)
        if trial % 5 == 0:  # an equation
            sides[0] = rows[0] @ inside
            rows, sides = np.vstack([rows, -rows[:1]]), np.append(sides, -sides[0])
        J = sets.polyhedron(rows, sides)
        for z in starting_points(d, 10):
            p = np.empty(d)
            kernel(z, 1.0, p, J.data)
            scale = (1 + np.linalg.norm(z) + np.linalg.norm(p)) * (1 + abs(rows).sum(axis=1))
            assert np.all(rows @ p - sides <= 1e-12 * scale)
            tight = rows[rows @ p - sides >= -1e-10 * scale]
            left = scipy.optimize.nnls(tight.T, z - p)[1] if len(tight) else np.linalg.norm(z - p)
            assert left <= 1e-11 * (1 + np.linalg.norm(z))


# Eleven planes through (−1, 1, 0, 0, 0, −1), the last column being b. Without projecting anew onto
# the active planes, and that twice, rounding makes this corner look like an empty set.
CORNER = np.array(
    [
        [2, -2, 0, 1, -1, 2, -6],
        [1, -2, 0, 1, -2, -1, -1],
        [0, 1, 1, -2, -1, 0, 2],
        [2, -1, -1, 2, -1, 1, -4],
        [2, -1, 0, -2, 0, -1, -2],
        [2, 2, -2, 2, 1, -2, 3],
        [1, 2, -2, 0, 2, 1, 1],
        [-2, 0, 1, 0, 0, 2, 0],
        [-2, -2, 0, 2, 2, 2, -1],
        [2, 1, 2, 1, 1, -1, 1],
        [0, 2, 2, -2, 1, -2, 5],
        [0, -1, 1, 2, -1, 0, -1],
        [-1, -1, 1, 1, -1, -1, 2],
        [-2, 0, -2, -1, 2, -1, 4],
        [1, -2, 2, 1, 0, -1, -2],
        [-2, 2, 0, 2, 2, 0, 5],
        [0, 2, -2, 0, 2, 1, 1],
        [-2, 2, 0, 1, -1, 2, 2],
        [1, -2, 1, 1, -1, -1, -1],
        [-2, 2, 0, -1, 1, -2, 6],
        [2, -2, 0, 1, -1, 2, -6],
    ],
    dtype=float,
)


def test_a_corner_of_many_planes_is_found() -> None:
    rows, sides = CORNER[:, :-1], CORNER[:, -1]
    J = sets.polyhedron(rows, sides)
    for z in starting_points(6, 300):
        p = outcome(J, z, 1.0)
        scale = 1 + np.linalg.norm(z)
        assert (rows @ p - sides).max() <= 2e-13 * scale
        tight = rows[rows @ p - sides >= -1e-11 * scale]
        assert scipy.optimize.nnls(tight.T, z - p)[1] <= 1e-11 * scale


@pytest.mark.ci
def test_polyhedra_of_nearly_parallel_planes() -> None:
    """Normals that differ by 1e-7 to 1e-2: feasible to rounding, and optimal by what is tight."""
    g = np.random.default_rng(15)
    for _ in range(60):
        d, m = int(g.integers(2, 7)), int(g.integers(2, 20))
        rows = g.standard_normal((2, d))[g.integers(0, 2, m)]
        rows += 10.0 ** g.uniform(-7, -2) * g.standard_normal((m, d))
        sides = rows @ g.standard_normal(d) + 1e-3 * g.exponential(1, m)
        for z in 3 * g.standard_normal((5, d)):
            p = outcome(sets.polyhedron(rows, sides), z, 1.0)
            sizes = np.linalg.norm(rows, axis=1)
            over = (rows @ p - sides) / sizes
            assert over.max() <= 1e-13 * (1 + abs(p).max())
            tight = rows[over >= -1e-9]
            left = scipy.optimize.nnls(tight.T, z - p)[1] if len(tight) else np.linalg.norm(z - p)
            assert left <= 1e-9


def test_box_cuts_by_bisection() -> None:
    """clip(z − τa) with the τ that bisection finds."""
    g = np.random.default_rng(14)
    for n in (1, 2, 10, 300):
        lo = g.integers(-3, 1, n).astype(float)
        hi = lo + g.integers(0, 4, n)
        a = g.integers(-2, 3, n) * g.choice([1.0, 0.1], n)
        a[0] = 1.0
        for z in (10 * g.standard_normal(n), np.zeros(n), hi + 1.0, lo):
            b = float(a @ (lo + g.uniform() * (hi - lo)))
            low, high = -1e4, 1e4
            while (middle := (low + high) / 2) not in (low, high):
                over = a @ np.clip(z - middle * a, lo, hi) > b
                low, high = (middle, high) if over else (low, middle)
            expected = np.clip(z - high * a, lo, hi)
            p = sets.box_hyperplane(a, b, lo, hi)(z)
            assert np.abs(p - expected).max() <= 1e-11
            assert abs(a @ p - b) <= 1e-12 * (1 + abs(a) @ abs(p))
            cut = sets.box_half_space(a, b, lo, hi)(z)
            fits = a @ np.clip(z, lo, hi) <= b
            assert np.abs(cut - (np.clip(z, lo, hi) if fits else p)).max() <= 1e-12


def test_a_corner_that_is_met_to_rounding_is_no_empty_set() -> None:
    """3 · 0.1 is 0.3 to rounding, from above or from below."""
    for total, cap in ((0.3, 0.1), (0.3, 0.3 / 3), (1 - 2**-53, (1 - 2**-53) / 3), (0.7, 0.7 / 3)):
        J = sets.capped_simplex(3, total, cap)
        for z in (np.zeros(3), np.array([5.0, -1.0, 2.0])):
            assert np.abs(J(z) - cap).max() <= 1e-15
            assert J.contains is not None
            assert J.contains(J(z))


SIGNALS = {
    "walk": np.random.default_rng(1).standard_normal(3000).cumsum(),
    "noise": np.random.default_rng(2).standard_normal(3000),
    "steps": np.repeat([0.0, 3.0, -1.0, 1.0], 50),
    "ramp": np.arange(1000.0),
    "falling": -(np.arange(1000.0) ** 2),
    "constant": np.ones(100),
    "impulse": np.eye(40)[17],
}


@pytest.mark.parametrize("name", SIGNALS)
@pytest.mark.parametrize("lam", [0.01, 1.0, 1e5])
def test_total_variation_by_its_dual(name: str, lam: float) -> None:
    """The sums of z − p stay in [−λ, λ], end at 0, and are ±λ where p rises or falls."""
    z = SIGNALS[name]
    p = outcome(sets.total_variation(lam), z, 1.0)
    u = np.cumsum(p - z)
    slack = 1e-13 * (abs(z).sum() + lam)
    assert abs(u[-1]) <= slack
    assert abs(u).max() <= lam + slack
    jumps = np.diff(p)
    steep = abs(jumps) > 1e-9 * abs(z).max()
    assert np.abs(u[:-1] - lam * np.sign(jumps))[steep].max(initial=0) <= slack


@pytest.mark.parametrize("name", SIGNALS)
def test_isotonic_regression_by_its_dual(name: str) -> None:
    """p rises; the sums of z − p are nonnegative, end at 0, and are 0 where p rises."""
    z = SIGNALS[name]
    p = outcome(sets.monotone_cone(), z, 1.0)
    u = np.cumsum(z - p)
    slack = 1e-13 * abs(z).sum()
    assert np.all(np.diff(p) >= 0)
    assert u.min() >= -slack
    assert abs(u[-1]) <= slack
    assert u[:-1][np.diff(p) > 1e-9 * abs(z).max()].max(initial=0) <= slack


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
    assert rows[0] @ rows[1] == 0


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: sets.box(1.0, 0.0), "empty"),
        (lambda: sets.box([0.0, 2.0], [1.0, 1.0]), "empty"),
        (lambda: sets.box([0.0, 0.0], [1.0, 1.0, 1.0]), "2 lower ends but 3 upper ends"),
        (lambda: sets.box(0.0, np.nan), "hi must be finite numbers or inf"),
        (lambda: sets.box(np.inf, np.inf), "lo must be finite numbers or -inf"),
        (lambda: sets.ball(0.0), "radius = 0.0"),
        (lambda: sets.ball(np.nan), "radius = nan"),
        (lambda: sets.ball(1.0, [np.nan]), "centre"),
        (lambda: sets.simplex(0), "n = 0"),
        (lambda: sets.simplex(2.5), "n = 2.5"),
        (lambda: sets.simplex(3, -1.0), "scale = -1.0"),
        (lambda: sets.simplices(2, 0), "m = 0"),
        (lambda: sets.affine_subspace([[1.0, 1.0]], [1.0, 2.0]), "do not fit"),
        (lambda: sets.affine_subspace([[1.0, 1.0], [2.0, 2.0]], [1.0, 2.0]), "dependent"),
        (lambda: sets.affine_subspace([[np.inf, 1.0]], [1.0]), "A must be rows of finite"),
        (lambda: sets.affine_subspace([[1.0, 2.0], [1.0]], [1.0]), "all of one length"),
        (lambda: sets.half_space([0.0, 0.0], 1.0), "normal"),
        (lambda: sets.half_space([1.0], np.inf), "b must be finite"),
        (lambda: sets.l1(0.0), "lam = 0.0"),
        (lambda: sets.whole_space(0), "n = 0"),
        (lambda: sets.product(sets.box(), sets.ball()), "fixed dimension"),
        (lambda: sets.ball()([1.0, 2.0, 3.0]), "2 coordinates"),
        (lambda: sets.ball()([1.0, 2.0], 0.0), "gamma > 0"),
        (lambda: sets.l1()([1.0], np.nan), "gamma > 0"),
        (lambda: sets.box()([[1.0, 2.0], [3.0, 4.0]]), r"one row of coordinates, not on .*2, 2"),
        (lambda: sets.box()([]), "one row"),
        (lambda: sets.box("wide"), "lo must be finite numbers"),
        (lambda: sets.linf_ball(-1.0), "radius = -1"),
        (lambda: sets.l1_ball(-1.0), "radius = -1"),
        (lambda: sets.l1_ball(np.inf), "radius = inf"),
        (lambda: sets.ellipsoid([1.0, 0.0]), "semi-axes must be positive"),
        (lambda: sets.ellipsoid([1.0, np.nan]), "axes must be finite"),
        (lambda: sets.ellipsoid([1.0, 2.0, 3.0], [0.0, 0.0]), "3 semi-axes but 2"),
        (lambda: sets.hyperplane([0.0, 0.0]), "normal"),
        (lambda: sets.hyperplane([1.0, 0.0], np.nan), "b must be finite"),
        (lambda: sets.hyperplane([1.0, 0.0], [1.0, 2.0]), "b must be one number, not 2"),
        (lambda: sets.slab([1.0], 1.0, 0.0), "slab is empty"),
        (lambda: sets.slab([0.0]), "normal"),
        (lambda: sets.box_half_space([1.0, 1.0], -2.1, -1.0, 1.0), "the set is empty"),
        (lambda: sets.box_half_space([1.0, 1.0], 0.0, 1.0, -1.0), "box is empty"),
        (lambda: sets.box_half_space([1.0, 1.0], 0.0, [0.0] * 3, 1.0), "2 entries, the box 3"),
        (lambda: sets.box_half_space([0.0, 0.0], 0.0), "normal"),
        (lambda: sets.box_hyperplane([1.0, 1.0], 2.1, -1.0, 1.0), "from -2 to 2"),
        (lambda: sets.box_hyperplane([1.0, 1.0], -2.1, -1.0, 1.0), "the set is empty"),
        (lambda: sets.box_hyperplane([1.0, np.inf], 0.0), "a must be finite"),
        (lambda: sets.capped_simplex(4, 5.0, 1.0), "the set is empty"),
        (lambda: sets.capped_simplex(4, -1.0), "total = -1"),
        (lambda: sets.capped_simplex(4, 1.0, 0.0), "cap = 0"),
        (lambda: sets.polyhedron([[1.0], [-1.0]], [0.0, -1.0]), "polyhedron is empty"),
        (lambda: sets.polyhedron([[1.0], [0.0]], [0.0, 1.0]), "a row of A is zero"),
        (lambda: sets.polyhedron([[1.0, 1.0]], [0.0, 1.0]), "2 right-hand sides"),
        (lambda: sets.polyhedron([[np.nan]], [0.0]), "A must be rows"),
        (lambda: sets.second_order_cone(1), "n = 1"),
        (lambda: sets.second_order_cone(3, 0.0), "slope = 0"),
        (lambda: sets.psd_cone(0), "n = 0"),
        (lambda: sets.psd_cone(2)([1.0, 0.0, 1.0]), r"4 coordinates, not on shape \(3,\)"),
        (lambda: sets.spectraplex(2, np.inf), "trace = inf"),
        (lambda: sets.spectral_ball(2, 0), "n = 0"),
        (lambda: sets.spectral_ball(2, 3, 0.0), "radius = 0"),
        (lambda: sets.spectral_ball(2, 3)(np.zeros(5)), "6 coordinates"),
        (lambda: sets.nuclear_norm(-1.0), "lam = -1"),
        (lambda: sets.l2(0.0), "lam = 0"),
        (lambda: sets.group_l2(1.0, 0, 2), "groups = 0"),
        (lambda: sets.group_l2(1.0, 2, 1.5), "size = 1.5"),
        (lambda: sets.linf(np.nan), "lam = nan"),
        (lambda: sets.largest_entry(0.0), "lam = 0"),
        (lambda: sets.elastic_net(1.0, -1.0), "mu = -1"),
        (lambda: sets.huber(1.0, 0.0), "delta = 0"),
        (lambda: sets.hinge(0.0), "lam = 0"),
        (lambda: sets.pinball(1.0, 1.0), "level = 1.0 must lie between 0 and 1"),
        (lambda: sets.log_barrier(0.0), "lam = 0"),
        (lambda: sets.entropy(np.inf), "lam = inf"),
        (lambda: sets.total_variation(-1.0), "lam = -1"),
        (lambda: sets.quadratic([[1.0, 2.0]]), "Q must be square"),
        (lambda: sets.quadratic([[1.0, 2.0], [0.0, 1.0]]), "Q must be symmetric"),
        (lambda: sets.quadratic([[1.0, 2.0], [2.0, 1.0]]), "least eigenvalue is -1"),
        (lambda: sets.quadratic([[1.0]], [1.0, 2.0]), "q has 2 entries for a 1×1"),
        (lambda: sets.squared_l2(0.0), "mu = 0"),
        (lambda: sets.squared_l2(1.0, [np.inf]), "centre must be finite"),
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
