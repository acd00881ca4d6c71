"""Affine inclusions 0 ∈ Mz + q + A(z) built round a solution: z* and a normal in A(z*) come first.

All data are small dyadic numbers, so the planted zero is one without any rounding.
"""

from __future__ import annotations

import numpy as np

from opcheck import (
    Comonotone,
    Lipschitz,
    OpcheckError,
    Problem,
    Resolvent,
    exact,
    linear,
    problem_family,
)
from opcheck.plugin import Vector
from opcheck_problems._build import (
    ASYMMETRIC,
    asymmetric,
    integer_monotone,
    planted,
    with_certified_constants,
)
from opcheck_problems._checks import require, whole
from opcheck_problems.sets import ball, box, l1, orthant, simplex

# for each set: z* and its normal on a block with no active coordinate, and on one with both active
SEPARABLE: dict[str, tuple[Resolvent, list[list[float]]]] = {
    "box": (box(-1.0, 1.0), [[0.5, -0.25], [0, 0], [1, -1], [0.5, -0.75]]),
    "orthant": (orthant(), [[2, 1], [0, 0], [0, 0], [-0.5, -0.75]]),
    "l1": (l1(1.0), [[1, -2], [1, -1], [0, 0], [0.5, -0.25]]),
}


def _known(name: str, table: dict[str, object]) -> None:
    if name not in table:
        raise OpcheckError(f"over = {name!r} must be one of {', '.join(table)}")


@problem_family(
    "planted_asym",
    facts=[
        exact(Lipschitz("q")),
        exact(Comonotone(ASYMMETRIC)),
        exact(Comonotone(ASYMMETRIC, of="S"), "A is separable"),
    ],
    presets=[{"over": "orthant"}, {"over": "l1"}, {"over": "box", "n": 4, "r": 0.75}],
)
def planted_asym(over: str = "box", n: int = 2, q: float = 1.0, r: float = 0.625) -> Problem:
    """n blocks (q y, −r x) with a separable A that binds on every other block: N of the box
    [−1, 1]^2n or of the orthant, or ∂‖·‖₁.

    The modulus of asym_bilinear, ρ = −(q − r)/(2qr), is kept by F + A for a separable A. On a block
    either both coordinates are active or none; with one the solutions would be a segment. q and r
    are multiples of 1/1024, so that no rounding moves the planted zero.

    Raises OpcheckError for another set, n < 1, or unless q ≥ r > 0 are multiples of 1/1024.
    """
    _known(over, SEPARABLE)  # type: ignore[arg-type]
    n = whole(n, "n")
    asymmetric(q, r)
    require(
        all(1024 * v == int(1024 * v) for v in (q, r)),
        f"q = {q} and r = {r} must be multiples of 1/1024",
    )
    resolvent, (inside, none, active, normal) = SEPARABLE[over]
    solution = np.array(([*inside, *active] * n)[: 2 * n], dtype=float)
    normals = np.array(([*none, *normal] * n)[: 2 * n], dtype=float)
    matrix = np.kron(np.eye(n), np.array([[0.0, q], [-r, 0.0]]))
    operator = linear(matrix, planted(matrix, solution, normals))
    return Problem(operator, resolvent, start=np.zeros(2 * n), solution=solution)


def _monotone_sets(n: int) -> dict[str, tuple[Resolvent, Vector, Vector, Vector]]:
    """Set, z*, a normal there, and a start in the set."""
    unit, far = np.zeros(n), np.zeros(n)
    unit[0], far[:2] = 4, (3, 4)
    corner = np.where(np.arange(n) % 2 == 0, 2.0, -1.0)
    up = np.where(np.arange(n) % 2 == 0, 1.0, 0.0)
    face = np.zeros(n)
    face[:2] = (1, 3)
    off = np.where(np.arange(n) < 2, 0.0, 1.0)
    return {
        "ball": (ball(5.0, np.zeros(n)), far, far / 2, np.zeros(n)),
        "box": (box(-2.0, 2.0), corner, up, np.zeros(n)),
        "simplex": (simplex(n, 4.0), face, 2 - off, unit),
        "orthant": (orthant(), 3 * up, up - 1, np.zeros(n)),
    }


@problem_family(
    "planted_monotone",
    presets=[
        {"over": "box", "seed": 1},
        {"over": "simplex", "n": 4},
        {"over": "orthant", "n": 8, "seed": 2},
    ],
)
def planted_monotone(over: str = "ball", n: int = 4, seed: int = 0) -> Problem:
    """A monotone M of small integers, skew plus diagonal, over a ball of radius 5, the box
    [−2, 2]^n, the simplex Σz = 4 or the orthant, with z* on the boundary and F(z*) ≠ 0.

    L and, where positive, ρ and μ are proved for the matrix.

    Raises OpcheckError for another set or n < 3.
    """
    n = whole(n, "n", 3)
    sets = _monotone_sets(n)
    _known(over, sets)  # type: ignore[arg-type]
    resolvent, solution, normal, start = sets[over]
    matrix = integer_monotone(n, np.random.default_rng(seed))
    operator = linear(matrix, planted(matrix, solution, normal))
    return with_certified_constants(
        matrix, Problem(operator, resolvent, start=start, solution=solution)
    )
