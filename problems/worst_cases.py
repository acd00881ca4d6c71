"""Nonlinear operators that statements true of every linear one break on."""

from __future__ import annotations

import numpy as np

from opcheck import (
    Comonotone,
    Lipschitz,
    Monotone,
    Problem,
    Resolvent,
    WeakMinty,
    exact,
    linear,
    problem_family,
)
from opcheck.plugin import Operator
from opcheck_problems._checks import positive, require

PLANE = (
    (0.7505446, -0.37957784),  # the slope at the origin, row by row
    (0.57582732, -0.01269878),
)
RAMPS = (  # F gains u · clip(⟨w, z⟩ − c, 0, h): u, w, c, h
    ((1.14825487, 0.83029163), (-0.44259, 0.87317), -1.2286, 1.73058),
    ((-0.24716627, 0.13432581), (0.18162, 0.32047), 0.00609, 0.02412),
)


def ramped_plane(z, out, data):
    """F z = L(B z + Σ u clip(⟨w, z⟩ − c, 0, h)), 0 at 0; data: L, B, then u, w, c, h of each."""
    x, y = z[0], z[1]
    out[0] = data[1] * x + data[2] * y
    out[1] = data[3] * x + data[4] * y
    for i in range(2):
        j = 5 + 6 * i
        c, h = data[j + 4], data[j + 5]
        here = data[j + 2] * x + data[j + 3] * y - c
        gain = min(max(here, 0), h) - min(max(-c, 0), h)
        out[0] += data[j] * gain
        out[1] += data[j + 1] * gain
    out[0] *= data[0]
    out[1] *= data[0]


@problem_family(
    "kinked_plane",
    facts=[exact(Lipschitz("L")), exact(Comonotone("-1/(8*L)"))],
    start=(-0.64312, 0.25866),
    solution=(0.0, 0.0),
    presets=[{"L": 3.0}],
)
def kinked_plane(L: float = 1.0) -> Operator:
    """F z = L(B z + Σ u_i (clip(⟨w_i, z⟩ − c_i, 0, h_i) − clip(−c_i, 0, h_i))) in the plane, two
    ramps: piecewise linear with four slopes J, each with |J| ≤ L and sym J ≥ −JᵀJ/(8L), and with
    some room, so that no rounding of the coefficients matters. No linear operator with these
    constants makes the residual grow under EG+ with unequal steps; this one does, by 4 % in its
    first step. Found by search; the slopes were checked in rationals (derived here).

    Raises OpcheckError for L ≤ 0.
    """
    positive(L, "L")
    ramps = [value for u, w, c, h in RAMPS for value in (*u, *w, c, h)]
    return Operator(ramped_plane, np.array([L, *PLANE[0], *PLANE[1], *ramps]), 2, "F, two ramps")


def bump(z, out, data):
    """F z = L(2 clip(z, ±1/2) − clip(z, ±(1 − ε))); data: 1/2, 1 − ε, L."""
    near = min(max(z[0], -data[0]), data[0])
    far = min(max(z[0], -data[1]), data[1])
    out[0] = data[2] * (2 * near - far)


@problem_family(
    "bump_on_a_line",
    facts=[exact(Lipschitz("L")), exact(WeakMinty("1/L"))],
    start=(1.4,),
    solution=(0.0,),
    presets=[{"eps": 0.05, "L": 2.0}],
)
def bump_on_a_line(eps: float = 0.004, L: float = 1.0) -> Problem:
    """F z = L sgn(z) min(|z|, max(ε, 1 − |z|)): slopes L, −L and 0, and |F z| ≤ L|z| of the sign of
    z, so ⟨F z, z⟩ ≥ |F z|²/L; not monotone. From far out, |F| stays at εL for long and then grows
    up to L/2: rates of the last iterate that hold of monotone operators fail (derived here).

    Raises OpcheckError unless 0 < ε < 1/2 and L > 0.
    """
    require(0 < eps < 0.5, f"eps = {eps} must lie in (0, 1/2)")
    positive(L, "L")
    return Problem(Operator(bump, np.array([0.5, 1 - eps, L]), 1, "F, a bump on a line"))


def quarter_turn(z, gamma, out, data):
    """(I + γ a Q)⁻¹ z with Q(x, y) = (y, −x); data: a."""
    x, y = z[0], z[1]
    turn = gamma * data[0]
    size = 1 + turn * turn
    out[0] = (x - turn * y) / size
    out[1] = (y + turn * x) / size


@problem_family(
    "two_rotations",
    facts=[exact(Lipschitz("L")), exact(Monotone())],
    start=(1.0, 0.0),
    solution=(0.0, 0.0),
    presets=[{"L": 1.0, "a": 0.5}],
)
def two_rotations(L: float = 1.0, a: float = 3.0) -> Problem:
    """F = L Q and A = a Q, Q(x, y) = (y, −x) a quarter turn: both are skew, so A is maximally
    monotone and no subdifferential. Fejér monotonicity of extragradient, true of A = ∂f, fails
    (derived here).

    Raises OpcheckError for L ≤ 0 or a ≤ 0.
    """
    positive(L, "L")
    positive(a, "a")
    A = Resolvent(quarter_turn, np.array([a]), 2, f"{a:g} Q")
    return Problem(linear(np.array([[0.0, L], [-L, 0.0]])), A)
