"""Proved constants of a dense float64 matrix: L from above, ρ and μ from below.

Each constant is an inequality "this symmetric matrix is positive semidefinite", shown by one
floating-point Cholesky factorisation of the matrix moved down by everything that rounding can have
done (Rump 2006, *Verification of positive definiteness*): if it runs to completion, the inequality
is true of the exact numbers that the floats denote.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from opcheck.errors import OpcheckError
from opcheck.model.property import Comonotone, Fact, Lipschitz, Property, StronglyMonotone

Matrix = NDArray[np.float64]
Gram = tuple[Matrix, float]  # MᵀM as rounded, and how far it may be off in norm
UNIT = 2.0**-53
TINY = 2.0**-1000  # far above what underflow can add for the sizes that fit in memory
SUBNORMAL = 2.0**-1074  # what an entry that underflows is off by
EXTREME = 300  # the binary exponent from which on sums of squares may over- or underflow
NOTE = "Cholesky factorisation with Rump's shift"


def certified(property: Property, note: str = NOTE) -> Fact:
    """A fact shown by rigorous computation."""
    return Fact(property, "certified", False, note)


def facts_of(matrix: Matrix) -> tuple[Fact, ...]:
    """Lipschitz, Comonotone where ρ is finite, and StronglyMonotone where μ > 0, all certified."""
    gram = _gram(matrix)
    found = [certified(Lipschitz(_lipschitz_above([gram]) if matrix.any() else 0.0))]
    inverse = _inverse(matrix)
    if inverse is not None:
        found.append(certified(Comonotone(_comonotone_below(matrix, inverse, gram))))
    if (mu := _monotone_below([matrix], only_above=0.0)) > 0:
        found.append(certified(StronglyMonotone(mu)))
    return tuple(found)


def lipschitz_above(*matrices: Matrix) -> float:
    """An L ≥ σ_max of every given M, square or not, within about n² units in the last place:
    L² I − MᵀM ⪰ 0 is shown of each."""
    if not any(m.any() for m in matrices):
        return 0.0
    return _lipschitz_above([_gram(m if m.shape[0] >= m.shape[1] else m.T) for m in matrices])


def _lipschitz_above(grams: list[Gram]) -> float:
    # eigenvalues are a guess here, the factorisation is the proof
    sizes = np.array([max(np.linalg.eigvalsh(product)[-1], 0.0) for product, _ in grams])
    ordered = [grams[i] for i in np.argsort(-sizes)]
    best = float(np.sqrt(sizes.max()))
    return _nearest(best, 1, max(best, TINY), lambda L: all(_lipschitz(g, L) for g in ordered))


def comonotone_below(matrix: Matrix) -> float:
    """A ρ with (M + Mᵀ)/2 − ρ MᵀM ⪰ 0, close to the largest; M must be invertible."""
    inverse: Matrix = np.asarray(np.linalg.inv(matrix), dtype=float)
    return _comonotone_below(matrix, inverse, _gram(matrix))


def _comonotone_below(matrix: Matrix, inverse: Matrix, gram: Gram) -> float:
    if not (matrix + matrix.T).any():
        return 0.0  # skew: ⟨Mx, x⟩ is 0 exactly
    best = float(np.linalg.eigvalsh((inverse + inverse.T) / 2)[0])
    return _nearest(best, -1, _size(inverse), lambda r: _comonotone(matrix, gram, r))


def of_size_one(matrix: Matrix) -> tuple[Matrix, int, float]:
    """M/2^p, p, and how far it is off in norm: p = 0 unless squares of entries leave float64.

    The constants are those of M/2^p times 2^p, or 2^−p for ρ; something is lost only where entries
    are so far apart that small ones underflow.
    """
    power = int(np.frexp(np.abs(matrix).max(initial=0.0))[1])
    if abs(power) < EXTREME:
        return matrix, 0, 0.0
    moved: Matrix = np.ldexp(matrix, -power)
    exact = bool((np.ldexp(moved, power) == matrix).all())
    return moved, power, 0.0 if exact else len(matrix) * SUBNORMAL


def _inverse(matrix: Matrix) -> Matrix | None:
    """M⁻¹ in floats, or None where M is singular to rounding."""
    try:
        inverse: Matrix = np.asarray(np.linalg.inv(matrix), dtype=float)
    except np.linalg.LinAlgError:
        return None
    regular = _size(matrix) * _size(inverse) * len(matrix) * np.finfo(float).eps < 1
    return inverse if regular else None


def _size(matrix: Matrix) -> float:
    """√(‖M‖₁‖M‖_∞) ≥ ‖M‖: what steps are measured by where a norm need not be sharp."""
    entries = np.abs(matrix)
    return float(np.sqrt(entries.sum(axis=0).max() * entries.sum(axis=1).max()))


def monotone_below(*matrices: Matrix) -> float:
    """A μ with (M + Mᵀ)/2 − μ I ⪰ 0 for every given M, close to the largest."""
    return _monotone_below(matrices)


def _monotone_below(matrices: Sequence[Matrix], only_above: float = -np.inf) -> float:
    """As ``monotone_below``; −∞ without a proof where none above ``only_above`` is in sight."""
    skew_but_diagonal = [not _off_symmetric(m).any() for m in matrices]
    if all(skew_but_diagonal):
        return float(min(np.diag(m).min() for m in matrices))  # ⟨Mx, x⟩ = Σ m_ii x_i² exactly
    halves = [(m + m.T) / 2 for m in matrices]
    least = np.array([np.linalg.eigvalsh(half)[0] for half in halves])
    if least.min() <= only_above:
        return -np.inf
    ordered = [halves[i] for i in np.argsort(least)]
    scale = max(max(_size(half) for half in halves), TINY)
    return _nearest(
        float(least.min()), -1, scale, lambda mu: all(_monotone(half, mu) for half in ordered)
    )


def _off_symmetric(matrix: Matrix) -> Matrix:
    """Twice the symmetric part without its diagonal; an entry is 0 only where the two cancel."""
    twice = matrix + matrix.T
    return twice - np.diag(np.diag(twice))


def corners(at: Callable[[Matrix], Matrix], dim: int, radius: float) -> list[Matrix]:
    """An affine Jacobian at all corners of ‖z‖∞ ≤ radius.

    Its mean along a segment in the box is a convex combination of these, so what is proved of
    every corner by ``lipschitz_above`` or ``monotone_below`` holds of all pairs in the box.
    """
    signs = itertools.product((-radius, radius), repeat=dim)
    return [at(np.array(corner)) for corner in signs]


def sparse_bounds(matrix: Any) -> tuple[float, float]:
    """(L, μ) of a scipy sparse matrix: σ_max(M) ≤ L and (M + Mᵀ)/2 ⪰ μ I.

    L² ≤ ‖M‖₁‖M‖_∞, and μ is Gershgorin's; sums of n floats are widened by n units.
    """
    size = abs(matrix)
    count = int(max(np.diff(matrix.tocsr().indptr).max(), np.diff(matrix.tocsc().indptr).max()))
    widened = 1 + 4 * (count + 4) * UNIT
    L = float(np.sqrt(size.sum(axis=0).max() * size.sum(axis=1).max())) * widened
    half = (matrix + matrix.T) / 2
    diagonal = half.diagonal()
    off = np.asarray(abs(half).sum(axis=1)).ravel() - np.abs(diagonal)
    exact = not off.any()
    rounding = 0.0 if exact else 8 * (count + 4) * UNIT * L
    return L, float((diagonal - off).min()) - rounding


def _nearest(best: float, sign: int, scale: float, proved: Callable[[float], bool]) -> float:
    """The first of best, best ± slack, ± 4 slack, ... that can be proved."""
    for power in range(-52, -8, 2):
        bound = best + sign * scale * 2.0**power
        if proved(bound):
            return float(bound)
    raise OpcheckError(
        f"no constant near {best:g} could be proved: the matrix is too badly conditioned"
    )


def _gram(matrix: Matrix) -> Gram:
    """fl(MᵀM), made symmetric, and a bound on the norm of its error."""
    product = matrix.T @ matrix
    size = float(np.sum(matrix * matrix))
    return (product + product.T) / 2, (len(matrix) + 3) * UNIT * size * 1.01 + TINY


def _lipschitz(gram: Gram, bound: float) -> bool:
    product, error = gram
    square = bound * bound
    return _semidefinite(square * np.eye(len(product)) - product, error + 2 * UNIT * square)


def _comonotone(matrix: Matrix, gram: Gram, rho: float) -> bool:
    product, error = gram
    half = (matrix + matrix.T) / 2
    rounding = 2 * UNIT * float(np.linalg.norm(half) + abs(rho) * np.linalg.norm(product))
    return _semidefinite(half - rho * product, 1.01 * abs(rho) * error + rounding)


def _monotone(half: Matrix, mu: float) -> bool:
    rounding = 2 * UNIT * float(np.linalg.norm(half) + abs(mu))
    return _semidefinite(half - mu * np.eye(len(half)), rounding)


def _semidefinite(matrix: Matrix, error: float) -> bool:
    """Whether the matrix of which this is a rounded copy is shown to be ⪰ 0.

    ``error`` bounds, in norm, how far the operands of the subtraction that formed the copy are from
    theirs; the rounding of that subtraction and of the shift is added here.
    """
    n = len(matrix)
    diagonal = np.diag(matrix)
    if not np.isfinite(matrix).all() or diagonal.min() < 0:
        return False
    gamma = (n + 2) * UNIT / (1 - (n + 2) * UNIT)
    shift = gamma / (1 - gamma) * float(diagonal.sum())
    shift += error + 2 * UNIT * float(np.linalg.norm(matrix)) + TINY
    moved = matrix - 1.01 * shift * np.eye(n)
    try:
        np.linalg.cholesky(moved)
    except np.linalg.LinAlgError:
        return False
    return True
