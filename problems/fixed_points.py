"""Fixed-point problems z = Tz, given as F = I − T; T nonexpansive means F 1/2-cocoercive."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from opcheck import (
    Cocoercive,
    Comonotone,
    ConicallyNonexpansive,
    Lipschitz,
    Monotone,
    Nonexpansive,
    Problem,
    exact,
    linear,
    problem_family,
)
from opcheck.plugin import Operator
from opcheck_problems._build import rotation_blocks
from opcheck_problems._checks import positive, require, whole

NONEXPANSIVE = [exact(Nonexpansive(of="T")), exact(Cocoercive("1/2"))]


@problem_family(
    "rotation_map",
    facts=[exact(Lipschitz("abs(2*sin(theta/2))")), *NONEXPANSIVE],
    presets=[{"theta": 0.1}, {"theta": 3.0}],
)
def rotation_map(theta: float = 1.0) -> Problem:
    """T = rotation of the plane by θ: an isometry, so every pair attains nonexpansiveness.

    F = I − T = [[1 − cos θ, sin θ], [−sin θ, 1 − cos θ]]; fixed point 0.

    Raises OpcheckError unless 0 < θ ≤ 3.14.
    """
    require(0 < theta <= 3.14, f"theta = {theta} must lie in (0, 3.14]")
    blocks = rotation_blocks([("1 - cos(theta)", "sin(theta)")])
    return Problem(linear(blocks, theta=theta), solution=np.zeros(2))


@problem_family(
    "neg_identity",
    facts=[exact(Lipschitz(2)), *NONEXPANSIVE],
    presets=[{"n": 3}],
)
def neg_identity(n: int = 1) -> Problem:
    """T = −I on R^n: Halpern with weights 1/(k + 2) has |z_k − Tz_k|² = 4|z⁰|²/(k + 1)² at even k
    and 0 at odd k (Lieder 2021).

    Raises OpcheckError for n < 1.
    """
    n = whole(n, "n")
    return Problem(linear(2 * np.eye(n)), solution=np.zeros(n))


@problem_family(
    "halpern_worst",
    facts=[exact(Lipschitz("2*sin(pi/(2*(n + 1)))")), *NONEXPANSIVE],
    presets=[{"n": 1}, {"n": 2}, {"n": 10}, {"n": 50}],
)
def halpern_worst(n: int = 5) -> Problem:
    """T = rotation by π/(n + 1): Halpern meets |z_n − Tz_n|² = 4|z⁰|²/(n + 1)² (Lieder 2021).

    Raises OpcheckError for n < 1.
    """
    n = whole(n, "n")
    blocks = rotation_blocks([("1 - cos(pi/(n + 1))", "sin(pi/(n + 1))")])
    return Problem(linear(blocks, n=n), solution=np.zeros(2))


@problem_family(
    "km_worst",
    presets=[{"n": 1}, {"n": 20, "g": 0.8}, {"n": 5, "g": 0.99}, {"n": 50}],
)
def km_worst(n: int = 5, g: float = 0.5) -> Problem:
    """T = rotation by φ with sin²(φ/2) = q = min(1, 1/(4g(1 − g)(n + 1))): the slowest map for n
    Krasnoselskii-Mann steps of weight g.

    |z_n − Tz_n|²/(4|z⁰|²) = n^n/((n + 1)^(n+1) 4g(1 − g)), or (2g − 1)^(2n) where q = 1 and T = −I.

    Raises OpcheckError for n < 1, or unless 0 < g < 1.
    """
    n = whole(n, "n")
    require(0 < g < 1, f"g = {g} must lie in (0, 1)")
    weight = Fraction(g)
    if 4 * weight * (1 - weight) * (n + 1) <= 1:
        constant, operator = "2", linear(2 * np.eye(2))
    else:
        q = "1/(4*g*(1 - g)*(n + 1))"
        constant = f"2*sqrt({q})"
        blocks = rotation_blocks([(f"2*{q}", f"2*sqrt({q}*(1 - {q}))")])
        operator = linear(blocks, n=n, g=g)
    facts = (exact(Lipschitz(constant)), *NONEXPANSIVE)
    return Problem(operator, solution=np.zeros(2), facts=facts)


def twice_clipped(z, out, data):
    """F z = 2 clip(z, ±c), coordinate by coordinate; data: c."""
    for i in range(z.shape[0]):
        out[i] = 2 * min(max(z[i], -data[0]), data[0])


@problem_family(
    "clipped_line",
    facts=[exact(Lipschitz(2)), *NONEXPANSIVE],
    presets=[{"n": 4, "a": 0.125}, {"n": 112, "a": 0.03125}],
)
def clipped_line(n: int = 2, a: float = 0.25) -> Problem:
    """Tx = x − 2 clip(x, ±c) on the line with c = 1/(1 + 2na): the slowest map for n steps of
    Krasnosel'skii and Mann with a small weight a, |z_n − Tz_n|² = 4c²|z⁰|². c is 1/2, 1/4, ... as
    chosen here, and no rounding of it is in the way of equality.

    Raises OpcheckError for n < 1, or unless 0 < a < 1.
    """
    n = whole(n, "n")
    require(0 < a < 1, f"a = {a} must lie in (0, 1)")
    c = 1 / (1 + 2 * n * a)
    operator = Operator(twice_clipped, np.array([c]), 1, "F = 2 clip(z, ±c)")
    return Problem(operator, start=np.ones(1), solution=np.zeros(1))


@problem_family(
    "ppm_worst",
    facts=[exact(Lipschitz("1/(step*sqrt(n - 1))")), exact(Monotone())],
    presets=[{"n": 2}, {"n": 50}, {"n": 10, "step": 2.0}],
)
def ppm_worst(n: int = 5, step: float = 1.0) -> Problem:
    """F = w(y, −x) with step·w = 1/√(n − 1): the slowest operator for n proximal point steps,
    |z_n − z_{n−1}|² = |z⁰|²(1 − 1/n)^(n−1)/n (Gu and Yang 2020).

    Raises OpcheckError for n < 2 or a step that is not positive.
    """
    n = whole(n, "n", 2)
    positive(step, "step")
    blocks = rotation_blocks([("0", "1/(step*sqrt(n - 1))")])
    return Problem(linear(blocks, n=n, step=step), solution=np.zeros(2))


@problem_family(
    "appm_worst",
    facts=[exact(Lipschitz("sin(pi/(2*n))/(step*cos(pi/(2*n)))")), exact(Monotone())],
    presets=[{"n": 2}, {"n": 20}],
)
def appm_worst(n: int = 5, step: float = 1.0) -> Problem:
    """F = w(y, −x) with step·w = tan(π/(2n)): the slowest operator for n accelerated proximal point
    steps (Kim 2021).

    Raises OpcheckError for n < 2 or a step that is not positive.
    """
    n = whole(n, "n", 2)
    positive(step, "step")
    blocks = rotation_blocks([("0", "sin(pi/(2*n))/(step*cos(pi/(2*n)))")])
    return Problem(linear(blocks, n=n, step=step), solution=np.zeros(2))


@problem_family(
    "contractive_worst",
    facts=[
        exact(Lipschitz("1 + 1/g")),
        exact(Lipschitz("1/g", of="T")),
        exact(Nonexpansive(of="T")),
        exact(Comonotone("1/(1 + 1/g)")),
    ],
)
def contractive_worst(g: float = 1.1, n: int = 1) -> Problem:
    """T = −I/g with g > 1, a 1/g-contraction: the slowest for contractive Halpern steps at even k
    (Park and Ryu 2022). F = (1 + 1/g)I.

    Raises OpcheckError unless g > 1 and n ≥ 1.
    """
    n = whole(n, "n")
    require(g > 1, f"g = {g} must exceed 1")
    matrix = [["1 + 1/g" if i == j else "0" for j in range(n)] for i in range(n)]
    return Problem(linear(matrix, g=g), solution=np.zeros(n))


TURNING = "(g - 1)**2 + 4*g*sin(theta/2)**2"  # |g - exp(iθ)|², without cancellation


@problem_family(
    "contractive_rotation",
    facts=[
        exact(Lipschitz(f"sqrt({TURNING})/g")),
        exact(Lipschitz("1/g", of="T")),
        exact(Nonexpansive(of="T")),
        exact(Comonotone(f"g*(g - 1 + 2*sin(theta/2)**2)/({TURNING})")),
    ],
    presets=[{"theta": 0.1, "g": 1.01}, {"theta": 3.0, "g": 2.0}],
)
def contractive_rotation(theta: float = 1.0, g: float = 1.1) -> Problem:
    """T = the rotation by θ over g, g > 1: a 1/g-contraction of every distance, turning; the worst
    case of contractive Halpern steps at odd k is of this form (Park and Ryu 2022).

    Raises OpcheckError unless g > 1.
    """
    require(1 < g < float("inf"), f"g = {g} must exceed 1")
    blocks = rotation_blocks([("1 - cos(theta)/g", "sin(theta)/g")])
    return Problem(linear(blocks, theta=theta, g=g), solution=np.zeros(2))


@problem_family(
    "alternating_projections",
    facts=[
        exact(Lipschitz("sqrt((1 + sin(theta)**2 + cos(theta)*sqrt(1 + 3*sin(theta)**2))/2)")),
        exact(Nonexpansive(of="T")),
        exact(Cocoercive("1/2 + 1/(4*cos(theta/2)**2)")),
        exact(ConicallyNonexpansive("2/3", of="T"), "a bound: two firmly nonexpansive maps"),
    ],
    presets=[{"theta": 0.1}, {"theta": 1.5}],
)
def alternating_projections(theta: float = 0.5) -> Problem:
    """T = P₂P₁, the projections onto two lines at angle θ one after the other: a step along the
    second line contracts by cos²θ. T is not normal; β → 3/4 for θ → 0, which is the 2/3-averaged of
    every composition of two projections.

    Raises OpcheckError unless 0 < θ ≤ 1.57.
    """
    require(0 < theta <= 1.57, f"theta = {theta} must lie in (0, 1.57]")
    rows = [["sin(theta)**2", "0"], ["-cos(theta)*sin(theta)", "1"]]
    return Problem(linear(rows, theta=theta), solution=np.zeros(2))


@problem_family(
    "two_subspaces",
    facts=[
        exact(Lipschitz("abs(sin(theta))")),
        exact(Lipschitz("cos(theta)", of="T")),
        exact(Nonexpansive(of="T")),
        exact(Cocoercive(1)),
        exact(ConicallyNonexpansive("1/2", of="T")),
    ],
    presets=[{"theta": 0.1}, {"theta": 1.5}],
)
def two_subspaces(theta: float = 0.5) -> Problem:
    """T of Douglas and Rachford for two lines at angle θ: cos θ times the rotation by θ, so each
    step contracts by cos θ. T is firmly nonexpansive and F = I − T = sin θ times a rotation.

    Raises OpcheckError unless 0 < θ ≤ 1.57.
    """
    require(0 < theta <= 1.57, f"theta = {theta} must lie in (0, 1.57]")
    blocks = rotation_blocks([("sin(theta)**2", "sin(theta)*cos(theta)")])
    return Problem(linear(blocks, theta=theta), solution=np.zeros(2))


@problem_family(
    "resolvent_tight",
    facts=[
        exact(ConicallyNonexpansive("gamma/(2*(gamma - c/L))", of="T")),
        exact(Cocoercive("1 - c/(L*gamma)")),
        exact(Lipschitz("gamma*L/sqrt(1 - 2*gamma*c*L + gamma**2*L**2)")),
    ],
    presets=[{"c": 0.6, "gamma": 2.0}, {"c": 0.9, "gamma": 1.0}],
)
def resolvent_tight(c: float = 0.3, gamma: float = 0.5, L: float = 1.0) -> Problem:
    """T = (I + γM)⁻¹ of the problem tight_linear: θ-conically nonexpansive with
    θ = γ/(2(γ − c/L)); averaged (θ < 1) for γ > 2c/L, not nonexpansive below.

    Raises OpcheckError unless L > 0, 0 ≤ c < 1 and γ > c/L.
    """
    positive(L, "L")
    require(0 <= c < 1, f"c = {c} must lie in [0, 1)")
    require(gamma * L > c, f"gamma = {gamma} must exceed c/L = {c / L}")
    size = "(1 - 2*gamma*c*L + gamma**2*L**2)"
    blocks = rotation_blocks(
        [
            (
                f"(gamma**2*L**2 - gamma*c*L)/{size}",
                f"gamma*L*sqrt(1 - c**2)/{size}",
            )
        ]
    )
    return Problem(linear(blocks, c=c, gamma=gamma, L=L), solution=np.zeros(2))


def mean_projection(z, out, data):
    """F = I − mean of projections onto balls; data: for each ball its centre and radius."""
    d = z.shape[0]
    count = data.shape[0] // (d + 1)
    for i in range(d):
        out[i] = z[i] - z[i]
    for b in range(count):
        ball = data[b * (d + 1) : (b + 1) * (d + 1)]
        size = ball[d] - ball[d]
        for i in range(d):
            size += (z[i] - ball[i]) * (z[i] - ball[i])
        if size > ball[d] * ball[d]:
            share = (1 - ball[d] / np.sqrt(size)) / count
            for i in range(d):
                out[i] += share * (z[i] - ball[i])


@problem_family(
    "balls_feasibility",
    facts=[
        exact(Lipschitz(1)),
        exact(Cocoercive(1)),
        exact(Nonexpansive(of="T")),
        exact(ConicallyNonexpansive("1/2", of="T")),
    ],
)
def balls_feasibility(m: int = 5, d: int = 3, seed: int = 0) -> Problem:
    """T = mean of the projections onto m balls of R^d with 0 inside all: firmly nonexpansive.

    Centres are N(0, 100² I), radii |c_i| + 1/2; start 200·(1, ..., 1). The fixed points are the
    intersection; 0 is one of them.

    Raises OpcheckError for m < 1 or d < 1.
    """
    m, d = whole(m, "m"), whole(d, "d")
    centres = 100 * np.random.default_rng(seed).standard_normal((m, d))
    radii = np.linalg.norm(centres, axis=1) + 0.5
    operator = Operator(
        mean_projection,
        np.column_stack([centres, radii]).ravel(),
        d,
        "F = z − mean of projections onto balls",
    )
    return Problem(operator, start=np.full(d, 200.0), solution=np.zeros(d))
