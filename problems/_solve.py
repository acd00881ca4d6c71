"""Solutions found when a problem is built, to rounding: matrix games, affine VIs, smooth systems.

What is found is polished on its active set, so that it is a solution of the float data as far as
float64 can tell; the families that use it say so.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from opcheck import OpcheckError
from opcheck.plugin import Vector

Matrix = NDArray[np.float64]
ACTIVE = 1e-8  # what HiGHS may leave of a coordinate that is 0, or of a row that is tight


def equilibrium(payoff: Matrix) -> tuple[Vector, Vector]:
    """Optimal mixed strategies (x, y) of min_x max_y yᵀPx, by linear programming."""
    x, y = _equilibrium(payoff.tobytes(), payoff.shape)
    return x.copy(), y.copy()


@functools.lru_cache(maxsize=64)
def _equilibrium(entries: bytes, shape: tuple[int, int]) -> tuple[Vector, Vector]:
    from scipy.optimize import linprog

    payoff = np.frombuffer(entries).reshape(shape)
    m, n = shape
    program = linprog(
        np.append(np.zeros(n), 1.0),
        A_ub=np.column_stack([payoff, -np.ones(m)]),
        b_ub=np.zeros(m),
        A_eq=np.append(np.ones(n), 0.0)[None],
        b_eq=[1.0],
        bounds=[(0, None)] * n + [(None, None)],
    )
    if program.status != 0:
        raise OpcheckError(f"the linear program of a {m}×{n} game failed: {program.message}")
    value = float(program.x[-1])
    x = _polished(payoff, program.x[:-1], value)
    y = _polished(payoff.T, -program.ineqlin.marginals, value)
    return x, y


def _polished(rows: Matrix, strategy: Vector, value: float) -> Vector:
    """The nearest strategy of the same support that makes every tight row equal to the value."""
    support = np.flatnonzero(strategy > ACTIVE)
    tight = np.flatnonzero(np.abs(rows @ strategy - value) <= ACTIVE * (1 + abs(value)))
    k = len(support)
    system = np.zeros((len(tight) + 1, k + 1))
    system[:-1, :k] = rows[np.ix_(tight, support)]
    system[:-1, k] = -1
    system[-1, :k] = 1
    here = np.append(strategy[support], value)
    right = np.append(np.zeros(len(tight)), 1.0)
    for _ in range(3):
        here = here + np.linalg.lstsq(system, right - system @ here, rcond=None)[0]
    out = np.zeros_like(strategy)
    out[support] = np.maximum(here[:k], 0.0)
    return out


def on_simplex(matrix: Matrix, offset: Vector, total: float) -> list[Vector]:
    """All solutions of 0 ∈ Mz + q + N_Δ(z), Δ = {z ≥ 0, Σz = total}, that are isolated in their
    face: each support is tried, larger ones later. For up to about ten coordinates."""
    n = len(offset)
    solutions: list[Vector] = []
    for size in range(1, n + 1):
        faces = np.array(list(itertools.combinations(range(n), size)))
        systems = np.zeros((len(faces), size + 1, size + 1))
        systems[:, :size, :size] = matrix[faces[:, :, None], faces[:, None, :]]
        systems[:, :size, size], systems[:, size, :size] = -1, 1
        right = np.column_stack([-offset[faces], np.full(len(faces), total)])
        isolated = np.abs(np.linalg.det(systems)) >= 1e-9
        solved = np.linalg.solve(systems[isolated], right[isolated][:, :, None])[:, :, 0]
        for face, values in zip(faces[isolated], solved, strict=True):
            z = np.zeros(n)
            z[face] = values[:size]
            if (values[:size] > 0).all() and (matrix @ z + offset >= values[size] - 1e-10).all():
                solutions.append(z)
    return solutions


def newton(
    system: Callable[[Vector], Vector], slope: Callable[[Vector], Matrix], z: Vector
) -> Vector | None:
    """A zero of a smooth system by Newton's method, or None where it is not met."""
    moved = np.inf
    for _ in range(50):
        try:
            step = np.linalg.solve(slope(z), system(z))
        except np.linalg.LinAlgError:
            return None
        z = z - step
        moved = float(np.linalg.norm(step))
        if not moved < 1e6:
            return None
        if moved <= 1e-15 * (1 + np.linalg.norm(z)):
            return z
    return z if moved <= 1e-13 * (1 + np.linalg.norm(z)) else None


def semismooth(
    system: Callable[[Vector], Vector],
    slope: Callable[[Vector], Matrix],
    z: Vector,
    lo: float,
    hi: float = np.inf,
    total: float | None = None,
) -> Vector:
    """A solution of 0 ∈ F(z) + N_C(z), C = {lo ≤ z ≤ hi} or, with ``total``, its part Σz = total,
    by Newton's method on the free coordinates of z − F(z), from a start near enough.

    Raises OpcheckError where it does not settle.
    """
    multiplier = 0.0 if total is None else float(np.mean(system(z)))
    for _ in range(100):
        u, jacobian = system(z) - multiplier, slope(z)
        low, high = z - u <= lo, z - u >= hi
        free = np.flatnonzero(~(low | high))
        ends = np.where(low, lo, np.where(high, hi, z))
        right = -u[free] - (jacobian @ (ends - z))[free]
        matrix = jacobian[np.ix_(free, free)]
        if total is not None:
            ones = np.ones(len(free))
            matrix = np.block([[matrix, -ones[:, None]], [ones[None], np.zeros((1, 1))]])
            right = np.append(right, total - ends.sum())
        step = np.linalg.solve(matrix, right)
        new = ends.copy()
        new[free] += step[: len(free)]
        if total is None:
            new = np.clip(new, lo, hi)  # F may be undefined outside
        else:
            multiplier += float(step[-1])
        moved = float(np.linalg.norm(new - z))
        z = new
        if moved <= 1e-15 * (1 + np.linalg.norm(z)):
            return z
    if moved <= 1e-13 * (1 + np.linalg.norm(z)):
        return z
    raise OpcheckError("Newton's method did not settle on the solution of a problem")


def complementarity(matrix: Matrix, offset: Vector) -> Vector:
    """The solution of z ≥ 0, Mz + q ≥ 0, ⟨z, Mz + q⟩ = 0 for a positive definite M, by principal
    pivots on the least infeasible index (Murty 1974)."""
    n = len(offset)
    basic = np.zeros(n, dtype=bool)
    while True:
        z = np.zeros(n)
        z[basic] = np.linalg.solve(matrix[np.ix_(basic, basic)], -offset[basic])
        wrong = np.flatnonzero(np.where(basic, z, matrix @ z + offset) < 0)
        if wrong.size == 0:
            return z
        basic[wrong[0]] = ~basic[wrong[0]]
