"""Losses and barriers: the proximal maps (I + γ∂g)⁻¹ of convex functions g, most coordinatewise."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from opcheck import Resolvent, resolvent_family
from opcheck.kernels import middle, within
from opcheck.plugin import ConeProgram, Vector, moduli_at_most, stack
from opcheck_problems._checks import matrix, number, positive, require, vector
from opcheck_problems.sets._kernels import ROUNDING, in_floats, soft, solve


def shrink_huber(z, gamma, out, data):
    """Data: λ, then δ."""
    amount, delta = gamma * data[0], data[1]
    for i in range(z.shape[0]):
        if abs(z[i]) <= delta + amount:
            out[i] = z[i] * delta / (delta + amount)
        else:
            out[i] = soft(z[i], amount)


# h(t) is the least of |t − u| + u²/2
@resolvent_family(
    program=ConeProgram(
        dim=3, extras=6, says=lambda x, y, one: ((y[:3], y[3:]), moduli_at_most(y[:3], x - y[3:]))
    ),
)
def huber(lam: float = 1.0, delta: float = 1.0) -> Resolvent:
    """Proximal map of λ Σ h(z_i), h(t) = t²/(2δ) where |t| ≤ δ, else |t| − δ/2; any dimension.

    Raises OpcheckError for λ or δ not positive and finite. Source: Huber (1964).
    """
    positive(lam, "lam")
    positive(delta, "delta")
    return Resolvent(
        shrink_huber,
        np.array([float(lam), float(delta)]),
        0,
        f"{lam:g} Huber",
        value=lambda z: float(
            lam * np.where(abs(z) <= delta, z * z / (2 * delta), abs(z) - delta / 2).sum()
        ),
    )


def shift_to_kink(z, gamma, out, data):
    """Data: how far each side of the kink moves a coordinate, then the kink."""
    kink = data[2]
    for i in range(z.shape[0]):
        below, above = z[i] + gamma * data[0], z[i] - gamma * data[1]
        if below < kink:
            out[i] = below
        elif above > kink:
            out[i] = above
        elif z[i] == z[i]:
            out[i] = kink
        else:
            out[i] = z[i]


@resolvent_family(
    program=ConeProgram(
        dim=3, extras=3, says=lambda x, y, one: (y, [("plus", y), ("plus", y - one + x)])
    ),
)
def hinge(lam: float = 1.0) -> Resolvent:
    """Proximal map of λ Σ max(1 − z_i, 0), in any dimension.

    Raises OpcheckError for a λ that is not positive and finite. Source: Cortes and Vapnik (1995).
    """
    positive(lam, "lam")
    return Resolvent(
        shift_to_kink,
        np.array([float(lam), 0.0, 1.0]),
        0,
        f"{lam:g} hinge",
        value=lambda z: float(lam * np.maximum(1 - z, 0).sum()),
    )


@resolvent_family(
    program=ConeProgram(
        dim=3, extras=3, says=lambda x, y, one: (y, [("plus", y - x / 4), ("plus", y + 3 * x / 4)])
    ),
)
def pinball(lam: float = 1.0, level: float = 0.25) -> Resolvent:
    """Proximal map of λ Σ max(level z_i, (level − 1) z_i), in any dimension: quantile regression.

    Raises OpcheckError for a λ that is not positive and finite, or a level outside (0, 1). Source:
    Koenker and Bassett (1978).
    """
    positive(lam, "lam")
    level = number(level, "level")
    require(0 < level < 1, f"level = {level} must lie between 0 and 1")
    down, up = float(lam * (1 - level)), float(lam * level)
    return Resolvent(
        shift_to_kink,
        np.array([down, up, 0.0]),
        0,
        f"{lam:g} pinball({level:g})",
        value=lambda z: float(np.maximum(up * z, -down * z).sum()),
    )


def keep_positive(z, gamma, out, data):
    """Data: λ."""
    four = 4 * gamma * data[0]
    for i in range(z.shape[0]):
        root = np.sqrt(z[i] * z[i] + four)
        if in_floats(root) and root == np.inf:
            root = abs(z[i]) * np.sqrt(1 + four / abs(z[i]) / abs(z[i]))
        if z[i] < 0:
            out[i] = four / (2 * (root - z[i]))
        else:
            out[i] = (z[i] + root) / 2


@resolvent_family(
    irrational=True,
    program=ConeProgram(
        dim=3,
        extras=3,
        says=lambda x, y, one: (y, [("exp", stack(-y[i], one, x[i])) for i in range(3)]),
    ),
)
def log_barrier(lam: float = 1.0) -> Resolvent:
    """Proximal map of −λ Σ log z_i, in any dimension: (z + √(z² + 4γλ))/2.

    Raises OpcheckError for a λ that is not positive and finite. Source: Combettes and Pesquet
    (2007).
    """
    positive(lam, "lam")

    def value(z: Vector) -> float:
        return float(-lam * np.log(z).sum()) if z.min() > 0 else np.inf

    return Resolvent(keep_positive, np.array([float(lam)]), 0, f"−{lam:g} Σ log", value=value)


def omega(x):
    """Wright's function: the ω > 0 with ω + log ω = x."""
    # Newton's method for v + e^v = x falls to v = log ω from a v that is too large
    near = middle(x)
    v = near
    if near > 1:
        v = middle(np.log(near))
    elif near > 0:
        v = near - near
    while True:
        e = np.exp(v)
        new = middle(v - (e + v - near) / (e + 1))
        if not new < v:
            break
        v = new
    # a function whose slope is below 1, and for x > 1 known better as x − log ω
    residual = e + v - x
    return within(x - v, residual) if near > 1 else within(e, residual)


def shrink_entropy(z, gamma, out, data):
    """Data: λ."""
    scale = gamma * data[0]
    for i in range(z.shape[0]):
        x = z[i] / scale - 1 - np.log(scale)
        out[i] = z[i] if in_floats(x) and x == np.inf else scale * omega(x)


@resolvent_family(
    irrational=True,
    program=ConeProgram(
        dim=3,
        extras=3,
        says=lambda x, y, one: (y, [("exp", stack(-y[i], x[i], one)) for i in range(3)]),
    ),
)
def entropy(lam: float = 1.0) -> Resolvent:
    """Proximal map of λ Σ z_i log z_i over z ≥ 0, in any dimension: γλ W(exp(z/(γλ) − 1)/(γλ)).

    W is Lambert's function, found by Newton's method in logarithms so that nothing overflows.

    Raises OpcheckError for a λ that is not positive and finite. Source: Combettes and Pesquet
    (2007); Corless, Gonnet, Hare, Jeffrey and Knuth (1996).
    """
    positive(lam, "lam")

    def value(z: Vector) -> float:
        if z.min() < 0:
            return np.inf
        return float(lam * (z * np.log(np.where(z > 0, z, 1.0))).sum())

    return Resolvent(shrink_entropy, np.array([float(lam)]), 0, f"{lam:g} entropy", value=value)


def solve_quadratic(z, gamma, out, data):
    """Data: Q by rows, then q."""
    d = z.shape[0]
    system = data.copy()
    for i in range(d):
        for j in range(d):
            system[i * d + j] = gamma * data[i * d + j] + (1 if i == j else 0)
        out[i] = z[i] - gamma * data[d * d + i]
    solve(system, out, d)


@resolvent_family(
    program=ConeProgram(
        dim=2,
        says=lambda x, y, one: ((None, np.linalg.cholesky([[2.0, 1.0], [1.0, 2.0]]).T @ x), []),
    ),
)
def quadratic(Q: ArrayLike = ((2.0, 1.0), (1.0, 2.0)), q: ArrayLike = 0.0) -> Resolvent:
    """Proximal map of ½⟨z, Qz⟩ + ⟨q, z⟩ with Q ⪰ 0: (I + γQ)⁻¹(z − γq), by elimination.

    ``q`` is one number or d.

    Raises OpcheckError for a Q that is not symmetric and positive semidefinite, or a q that
    doesn't fit.
    """
    form, slope = matrix(Q, "Q"), vector(q, "q")
    d = len(form)
    require(form.shape == (d, d), f"Q must be square, not of shape {form.shape}")
    require(bool((form == form.T).all()), "Q must be symmetric")
    require(slope.size in (1, d), f"q has {slope.size} entries for a {d}×{d} matrix Q")
    values = np.linalg.eigvalsh(form)
    require(
        values[0] >= -ROUNDING * abs(values).max(),
        f"Q must be positive semidefinite; its least eigenvalue is {values[0]:g}",
    )
    slope = np.broadcast_to(slope, d)
    return Resolvent(
        solve_quadratic,
        np.concatenate([form.ravel(), slope]),
        d,
        "quadratic",
        value=lambda z: float(z @ form @ z / 2 + slope @ z),
    )


def shrink_towards(z, gamma, out, data):
    """Data: μ, then the centre; one number serves every coordinate."""
    mu, last = gamma * data[0], data.shape[0] - 2
    for i in range(z.shape[0]):
        out[i] = (z[i] + mu * data[1 + min(i, last)]) / (1 + mu)


@resolvent_family(
    program=ConeProgram(dim=3, says=lambda x, y, one: ((None, x), [])),
)
def squared_l2(mu: float = 1.0, centre: ArrayLike = 0.0) -> Resolvent:
    """Proximal map of (μ/2)‖z − centre‖²: (z + γμ centre)/(1 + γμ).

    ``centre`` is one number (any dimension) or d.

    Raises OpcheckError for a μ that is not positive and finite, or an infinite centre.
    """
    positive(mu, "mu")
    point = vector(centre, "centre")
    return Resolvent(
        shrink_towards,
        np.concatenate([[float(mu)], point]),
        point.size if point.size > 1 else 0,
        f"{mu / 2:g}‖·‖²",
        value=lambda z: float(mu / 2 * np.sum((z - point) ** 2)),
    )
