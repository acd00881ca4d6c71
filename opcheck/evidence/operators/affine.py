"""Constants of F(z) = Mz + q: the pair by an eigenvector, the proof by a factorisation."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from opcheck.engine.numbers import rational
from opcheck.errors import OpcheckError
from opcheck.evidence.operators import enclose
from opcheck.evidence.operators.constant import Constant
from opcheck.evidence.operators.pairs import Pair
from opcheck.evidence.operators.search import critical, uses_u
from opcheck.model import matrix_facts
from opcheck.model.problem import Problem
from opcheck.model.property import (
    Comonotone,
    Kind,
    Lipschitz,
    Provenance,
    StronglyMonotone,
    WeakMinty,
)
from opcheck.model.region import Region

Floats = NDArray[np.float64]
ELIMINATED = "M + Mᵀ ⪰ 0, block by block, by eliminations in rationals or factorisations"
UNDECIDED = "M + Mᵀ is 0 on some direction to rounding, which leaves its sign open"
UNITS = 2.0**-46  # relative; what rounding leaves between an eigenvector and a proof
EXACT = 60  # dimensions up to which a matrix is eliminated in rationals


def of_matrix(problem: Problem, kind: Kind, rigorous: bool) -> Constant:
    """A constant of F(z) = Mz + q: the pair by an eigenvector, the proof by a factorisation."""
    operator = problem.operator
    assert operator.matrix is not None
    with np.errstate(all="ignore"):
        if operator.entries is not None:
            return _of_size_one(problem, kind, rigorous)
        matrix, power, lost = matrix_facts.of_size_one(operator.matrix)
        scaled = replace(problem, operator=replace(operator, matrix=matrix))
        try:
            if lost and uses_u(kind):
                raise OverflowError("what is lost decides ρ")
            constant = _of_size_one(scaled, kind, rigorous)
        except (OverflowError, np.linalg.LinAlgError):
            note = "entries are too far apart for float64"
            return Constant(
                kind=kind,
                of="F",
                lower=-np.inf,
                upper=np.inf,
                provenance="estimated",
                region=problem.region,
                note=note,
            )
    lower, upper = constant.lower, constant.upper
    if lost:  # L and μ move by no more than M does
        lower, upper = np.nextafter(lower - lost, -np.inf), np.nextafter(upper + lost, np.inf)
    power = -power if uses_u(kind) else power
    lower, upper = _times_power(lower, power, -np.inf), _times_power(upper, power, np.inf)
    if lost and kind is StronglyMonotone and lower < 0 and _semidefinite(operator.matrix):
        lower = 0.0
    return replace(constant, lower=lower, upper=upper)


def _times_power(bound: float, power: int, outward: float) -> float:
    """bound · 2^power, moved outward where that is no float64."""
    value = float(np.ldexp(bound, power))
    exact = float(np.ldexp(value, -power)) == bound
    return value if exact else float(np.nextafter(value, outward))


def _of_size_one(problem: Problem, kind: Kind, rigorous: bool) -> Constant:
    operator, matrix, region = problem.operator, problem.operator.matrix, problem.region
    assert matrix is not None
    smaller = kind.better == "smaller"
    if not matrix.any() and kind in (Comonotone, WeakMinty):
        return Constant(
            kind=kind,
            of="F",
            lower=-np.inf,
            upper=np.inf,
            provenance="estimated",
            region=region,
            note="M = 0: any value holds",
        )
    w = _worst_direction(kind, matrix)
    exact = operator.entries is None
    semidefinite = kind is not Lipschitz and exact and _semidefinite(matrix)
    # of a large singular M + Mᵀ floats can't tell; what is 0 to rounding is said to be no more
    undecided = kind is not Lipschitz and not semidefinite and len(matrix) > EXACT
    undecided = undecided and _nearly_semidefinite(matrix)
    if w is None:
        if semidefinite:
            return Constant(
                kind=kind,
                of="F",
                lower=0.0,
                upper=np.inf,
                provenance="certified",
                region=region,
                note=ELIMINATED,
            )
        if undecided or (exact and len(matrix) <= EXACT and not _endless(matrix)):
            return Constant(
                kind=kind,
                of="F",
                lower=-np.inf,
                upper=np.inf,
                provenance="estimated",
                region=region,
                note=UNDECIDED,
            )
        return Constant(
            kind=kind,
            of="F",
            lower=-np.inf,
            upper=-np.inf,
            provenance="estimated",
            region=region,
            note="M has no EP inverse",
        )
    if not np.isfinite(w).all():
        raise OverflowError("the worst direction leaves float64")
    pairs = (Pair(w, np.zeros(len(w))),)
    best = _of_direction(kind, matrix, w, exact)
    proved, note = None, "an eigenvector"
    if operator.entries is None:
        prove: dict[Kind, Callable[[Floats], float]] = {
            Lipschitz: matrix_facts.lipschitz_above,
            StronglyMonotone: matrix_facts.monotone_below,
            Comonotone: matrix_facts.comonotone_below,
        }
        try:
            proved, note = prove[kind](matrix), matrix_facts.NOTE
        except (OpcheckError, np.linalg.LinAlgError):
            note = "an eigenvector; too badly conditioned, or singular, for a proof"
    elif rigorous:
        proved, note = enclose.constant(problem, kind, best)
    if semidefinite and (proved is None or proved < 0):
        proved, note = 0.0, ELIMINATED
    lower, upper = (best, np.inf) if smaller else (-np.inf, best)
    if undecided and kind is StronglyMonotone:
        return Constant(
            kind=kind,
            of="F",
            lower=lower,
            upper=max(upper, 0.0),
            provenance="estimated",
            region=region,
            note=UNDECIDED,
            pairs=pairs,
        )
    if proved is None:
        return Constant(
            kind=kind,
            of="F",
            lower=lower,
            upper=upper,
            provenance="estimated",
            region=region,
            note=note,
            pairs=pairs,
        )
    if abs(best - proved) <= UNITS * abs(proved):
        best = proved  # the pair decides a last unit
    lower, upper = (best, proved) if smaller else (proved, best)
    return Constant(
        kind=kind,
        of="F",
        lower=lower,
        upper=upper,
        provenance="certified",
        region=region,
        note=note,
        pairs=pairs,
    )


def _of_direction(kind: Kind, matrix: Floats, w: Floats, floats: bool) -> float:
    """The critical constant of Mw against w: exact where a small M is its floats."""
    if floats and len(w) <= EXACT:
        from flint import fmpq_mat

        def exact(values: Floats) -> Any:
            rows, columns = values.shape
            return fmpq_mat(rows, columns, [rational(float(v)) for v in values.ravel()])

        x = exact(w[:, None])
        u = exact(matrix) * x
        dots = [(p.transpose() * q)[0, 0] for p, q in ((x, x), (x, u), (u, u))]
        scale = dots[0]
        if dots[2] == 0:
            return 0.0 if kind in (Lipschitz, StronglyMonotone) else np.inf
        b, c = (Fraction(int(v.p), int(v.q)) for v in (dots[1] / scale, dots[2] / scale))
        # the float nearest to each ratio: within a few units of the exact constant
        if kind is Lipschitz:
            return float(np.sqrt(float(c)))
        return float(b) if kind is StronglyMonotone else float(b / c)
    du = matrix @ w
    size = np.linalg.norm(w)
    dots = [np.array([float(p @ q)]) for p, q in ((w, w), (w, du), (du, du))]
    best = float(critical(kind, *dots)[0])
    lost = 64 * len(w) * np.finfo(float).eps
    terms = float(np.linalg.norm(np.abs(matrix) @ np.abs(w)))
    steep = float(np.sqrt(dots[2][0])) / size
    lost *= abs(best) + (
        terms / size if kind in (Lipschitz, StronglyMonotone) else terms / (size * steep**2)
    )
    return best + (-lost if kind.better == "smaller" else lost)


def _endless(matrix: Floats) -> bool:
    """Whether M sends to 0 what Mᵀ doesn't, in rationals: then ρ = −∞."""
    from flint import fmpq_mat

    rows = [[rational(float(v)) for v in row] for row in matrix]
    columns = [list(column) for column in zip(*rows, strict=True)]
    d = len(rows)
    own = fmpq_mat(d, d, [v for row in rows for v in row])
    both = fmpq_mat(2 * d, d, [v for row in (*rows, *columns) for v in row])
    return bool(own.rank() < both.rank())


def _nearly_semidefinite(matrix: Floats) -> bool:
    """Whether the least eigenvalue of M + Mᵀ is 0 to rounding."""
    least = float(np.linalg.eigvalsh(matrix + matrix.T)[0])
    room = 64 * len(matrix) * float(np.finfo(float).eps)
    return bool(abs(least) <= room * np.linalg.norm(matrix, 2))


def _semidefinite(matrix: Floats) -> bool:
    """Whether M + Mᵀ ⪰ 0 is shown, also where it is singular: block by block of what is coupled.

    A small block by an elimination in rationals, a large one by its diagonal, which outweighs the
    rest of each row, or by a factorisation, which needs it to be definite.
    """
    from scipy.sparse.csgraph import connected_components

    twice = matrix + matrix.T  # an entry is 0 only where the two cancel
    if (np.diag(twice) < 0).any():
        return False
    count, label = connected_components(twice != 0, directed=False)
    sizes = np.bincount(label, minlength=count)
    for k in np.flatnonzero(sizes > 1):
        inside = np.flatnonzero(label == k)
        block = matrix[np.ix_(inside, inside)]
        if len(block) <= EXACT:
            shown = _eliminated(block)
        else:
            shown = _dominant(block)
            if not shown:
                try:
                    shown = matrix_facts.monotone_below(block) >= 0
                except (OpcheckError, np.linalg.LinAlgError):
                    shown = False
        if not shown:
            return False
    return True


def _dominant(matrix: Floats) -> bool:
    """Whether each diagonal entry of M + Mᵀ is at least the sum of the others' absolute values."""
    signs = np.sign(matrix + matrix.T)
    np.fill_diagonal(signs, -1.0)
    # a correctly rounded sum has the right sign
    terms = np.concatenate([-signs * matrix, -signs * matrix.T], axis=1)
    return all(math.fsum(row) >= 0 for row in terms)


def _eliminated(matrix: Floats) -> bool:
    """Whether M + Mᵀ ⪰ 0, by an elimination LDLᵀ in rationals."""
    d = len(matrix)
    exact = [[rational(float(v)) for v in row] for row in matrix]
    K = [[exact[i][j] + exact[j][i] for j in range(d)] for i in range(d)]
    for k in range(d):
        pivot = K[k][k]
        if pivot < 0:
            return False
        if pivot == 0:
            if any(K[k][j] != 0 for j in range(k + 1, d)):
                return False
            continue
        for i in range(k + 1, d):
            if K[k][i] != 0:
                factor = K[k][i] / pivot
                for j in range(i, d):
                    K[i][j] -= factor * K[k][j]
    return True


def of_sparse_matrix(kind: Kind, matrix: Any, region: Region | None) -> Constant:
    """Bounds by norms and Gershgorin discs, in one pass over the entries; no search."""
    L, mu = matrix_facts.sparse_bounds(matrix)
    note = "norms and Gershgorin discs"
    if kind is Lipschitz:
        columns = np.sqrt((matrix.power(2)).sum(axis=0).max())  # ‖M e_i‖ of the longest column
        return Constant(
            kind=kind,
            of="F",
            lower=float(columns) * (1 - 1e-12),
            upper=L,
            provenance="certified",
            region=region,
            note=note,
        )
    top = float(matrix.diagonal().min())  # ⟨M e_i, e_i⟩
    if kind is StronglyMonotone:
        return Constant(
            kind=kind,
            of="F",
            lower=mu,
            upper=max(mu, top),
            provenance="certified",
            region=region,
            note=note,
        )
    # ⟨Mx, x⟩ ≥ μ‖x‖² ≥ (μ/L²)‖Mx‖² for μ ≥ 0
    low = mu / L**2 * (1 - 1e-12) if mu > 0 else 0.0 if mu == 0 else -np.inf
    grade: Provenance = "certified" if np.isfinite(low) else "estimated"
    return Constant(
        kind=kind, of="F", lower=low, upper=np.inf, provenance=grade, region=region, note=note
    )


def _worst_direction(kind: Kind, matrix: Floats) -> Floats | None:
    """The Δx on which the form of an affine operator is worst; None where there is no bound."""
    if kind is Lipschitz:
        return np.asarray(np.linalg.eigh(matrix.T @ matrix)[1][:, -1])
    if kind is StronglyMonotone:
        return np.asarray(np.linalg.eigh((matrix + matrix.T) / 2)[1][:, 0])
    if np.linalg.cond(matrix, 1) < 1e12:
        inverse = np.linalg.inv(matrix)
        w = inverse @ np.linalg.eigh(inverse + inverse.T)[1][:, 0]
        return np.asarray(w / np.linalg.norm(w))
    U, s, V = np.linalg.svd(matrix)
    rank = int((s > s[0] * len(s) * np.finfo(float).eps * 8).sum())
    gap = np.linalg.norm(U[:, rank:].T @ V[:rank].T)
    if gap > 1e-9:
        return None  # a direction that M sends to 0 is not orthogonal to its range
    inverse = (V[:rank].T / s[:rank]) @ U[:, :rank].T
    basis = U[:, :rank]
    inner = basis.T @ (inverse + inverse.T) @ basis / 2
    w = inverse @ (basis @ np.linalg.eigh(inner)[1][:, 0])
    return np.asarray(w / np.linalg.norm(w))
