"""Sums 0 ∈ F(z) + A(z) in which A is skew: maximally monotone and no subdifferential."""

from __future__ import annotations

import numpy as np

from opcheck import (
    Comonotone,
    Lipschitz,
    Monotone,
    Problem,
    Resolvent,
    StronglyMonotone,
    exact,
    linear,
    problem_family,
)
from opcheck_problems._build import rotation_blocks
from opcheck_problems._checks import positive, require, whole


def shifted_turns(z, gamma, out, data):
    """(I + γA)⁻¹ z, A = a times a quarter turn (x, y) ↦ (y, −x) of each pair; data: a, shift.

    Pairs are the coordinates (s, s + 1), (s + 2, s + 3), ..., counted cyclically.
    """
    d = z.shape[0]
    turn = gamma * data[0]
    size = 1 + turn * turn
    for i in range(d // 2):
        if data[1] == 0:
            p, q = 2 * i, 2 * i + 1
        elif i == d // 2 - 1:
            p, q = d - 1, 0
        else:
            p, q = 2 * i + 1, 2 * i + 2
        x, y = z[p], z[q]
        out[p] = (x - turn * y) / size
        out[q] = (y + turn * x) / size


@problem_family(
    "opposed_rotations",
    presets=[
        {"n": 2},
        {"n": 3, "a": 0.5},
        {"L": 2.0, "a": 1.5},
        {"c": 0.25, "a": 0.5},
        {"n": 2, "c": 0.5, "a": 1.0},
    ],
)
def opposed_rotations(L: float = 1.0, a: float = 0.4, n: int = 1, c: float = 0.0) -> Problem:
    """F = L(c I − √(1 − c²) Q), n blocks, and A = a Q', in R^{2n}: Q turns each pair of coordinates
    by a quarter turn, (x, y) ↦ (y, −x), and Q' the same pairs, or from n = 2 on those shifted by a
    coordinate, so that F and A do not commute. A is skew: maximally monotone, no subdifferential,
    and against F. For c = 0 extragradient with γ = 9/10, a = 2/5, L = n = 1 multiplies ‖z‖² by
    10148125/7974976 > 1 in a step (derived here), which no A = ∂f does.

    Raises OpcheckError for L ≤ 0, n < 1, c outside [0, 1), or a not in (0, L) where c = 0.
    """
    positive(L, "L")
    positive(a, "a")
    n = whole(n, "n")
    require(0 <= c < 1, f"c = {c} must lie in [0, 1)")
    require(c > 0 or a < L, f"a = {a} must lie below L = {L} where c = 0, for 0 to be all zeros")
    facts = [exact(Lipschitz("L")), exact(Monotone())]
    if c > 0:
        facts = [exact(Lipschitz("L")), exact(StronglyMonotone("c*L")), exact(Comonotone("c/L"))]
    shift = float(n > 1)
    A = Resolvent(shifted_turns, np.array([a, shift]), 2 * n, f"{a:g} Q'" if n > 1 else f"{a:g} Q")
    return Problem(
        linear(rotation_blocks([("c*L", "-L*sqrt(1 - c**2)")] * n), L=L, c=c),
        A,
        start=np.eye(2 * n)[0],  # among others in the direction that grows most
        solution=np.zeros(2 * n),
        facts=tuple(facts),
    )
