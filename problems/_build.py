"""What several families are built of: blocks, planted solutions, games, proved constants."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from opcheck import Monotone, Problem, exact, linear
from opcheck.plugin import Vector, facts_of
from opcheck_problems._checks import require
from opcheck_problems.sets import simplices

Matrix = NDArray[np.float64]
MONOTONE = (exact(Monotone()),)
ASYMMETRIC = "-(q - r)/(2*q*r)"  # ρ of F = (q y, −r x)
SEARCH = "least ratio found by multi-start minimisation, rounded down"


def rotation_blocks(blocks: list[tuple[str, str]]) -> list[list[str]]:
    """Block diagonal of 2×2 matrices [[a, b], [−b, a]] given as formulas (a, b)."""
    d = 2 * len(blocks)
    rows = [["0"] * d for _ in range(d)]
    for i, (a, b) in enumerate(blocks):
        rows[2 * i][2 * i : 2 * i + 2] = [a, b]
        rows[2 * i + 1][2 * i : 2 * i + 2] = [f"-({b})", a]
    return rows


def orthogonal(n: int, generator: np.random.Generator) -> Matrix:
    """A random orthogonal matrix, to rounding."""
    return np.linalg.qr(generator.standard_normal((n, n)))[0]


def asymmetric(q: float, r: float) -> None:
    """Raises OpcheckError unless q ≥ r > 0."""
    require(q >= r > 0, f"q = {q} and r = {r} must satisfy q >= r > 0")


def planted(matrix: Matrix, solution: Vector, normal: Vector) -> Vector:
    """q = −M z* − normal, so that z* solves 0 ∈ Mz + q + A(z) when normal ∈ A(z*)."""
    return -(matrix @ solution) - normal


def integer_monotone(n: int, generator: np.random.Generator) -> Matrix:
    """Skew plus nonnegative diagonal, in small integers: monotone without any rounding."""
    draws = generator.integers(-3, 4, (n, n)).astype(float)
    return draws - draws.T + np.diag(generator.integers(0, 3, n).astype(float))


def game(payoff: Matrix, x: list[float], y: list[float]) -> Problem:
    """min_x max_y yᵀPx over mixed strategies: F = (Pᵀy, −Px); start at pure strategies."""
    m, n = payoff.shape
    matrix = np.block([[np.zeros((n, n)), payoff.T], [-payoff, np.zeros((m, m))]])
    start = np.zeros(n + m)
    start[0] = start[n + 1] = 1
    return Problem(
        linear(matrix), simplices(n, m), start=start, solution=np.array([*x, *y], dtype=float)
    )


def with_certified_constants(matrix: Matrix, problem: Problem) -> Problem:
    """The problem with the proved constants of its matrix, which is monotone by construction."""
    proved = [f for f in facts_of(matrix) if f.property.constant > 0]
    return dataclasses.replace(problem, facts=(*proved, *MONOTONE))
