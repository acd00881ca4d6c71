"""The program of a worst case in hundreds of bits, where the solver's double precision stops.

A primal-dual path-following method with the direction of Helmberg, Rendl, Vanderbei and Wolkowicz
(1996) and the predictor and corrector of Mehrotra (1992), on the exact forms of a claim. Its word
is no more of a proof than the other solver's, but good to many more digits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from flint import arf, fmpq, fmpq_mat
from numpy.typing import NDArray

from opcheck.engine.numbers import precision
from opcheck.evidence.worst_case.claim import Claim, combined, constant_of

Reals = NDArray[np.object_]  # of numbers of BITS bits

BITS = 400
LARGEST = 1_000_000  # products of such numbers a step: about a fifth of a second
STEPS = 150
START = 10**4  # size of both matrices at the start, beside forms of size 1
DONE = 1e-30  # gap and residuals at which it ends, beside the value
USABLE, NOTHING = 1e-6, 1e-12  # the same, and beside the bound, with which it is of use
SHORT = arf(0.9)  # part of the way to the boundary that is gone
HALVINGS = 10


@dataclass(frozen=True)
class Optimum:
    """min θ with θ bound − measure − Σ λ_i C_i ⪰ 0, λ ≥ 0.

    Attributes:
        theta: the value.
        error: what gap and residuals leave open of it.
        lam: the multipliers of the claim's inequalities.
    """

    theta: float
    error: float
    lam: tuple[float, ...]


def optimum(stated: Claim) -> Optimum | None:
    """The least θ of a claim; None where the program is large, or the method does not converge."""
    n, free = len(stated.basis), _free(stated)
    unknowns = free.ncols() + 1
    if unknowns**2 * (n**2 + free.nrows()) + 2 * unknowns * n**3 > LARGEST:
        return None
    with precision(BITS):
        return _Path(stated, free).followed()


def _free(stated: Claim) -> Any:
    """The multipliers for which values of functions cancel: a basis, one a column."""
    m = len(stated.inequalities)
    lines = [[fmpq(int(v)) for v in line] for line in stated.balance()]
    reduced, rank = fmpq_mat(lines).rref() if lines else (fmpq_mat(0, m), 0)
    pivots = [next(c for c in range(m) if reduced[r, c] != 0) for r in range(rank)]
    others = [c for c in range(m) if c not in pivots]
    basis = fmpq_mat(m, len(others))
    for j, c in enumerate(others):
        basis[c, j] = fmpq(1)
        for r, pivot in enumerate(pivots):
            basis[pivot, j] = -reduced[r, c]
    return basis


class _Path:
    """Z = C − Σ y_j A_j, where y is (θ, w) and λ = free · w, and the dual X, ⟨A_j, X⟩ = b_j.

    Both have a matrix and a diagonal part, in capitals and small; that of Z is (θ, λ). C and each
    A_j are scaled to largest entry 1, the vectors of the basis to the size that C and A hold them.
    """

    def __init__(self, stated: Claim, free: Any) -> None:
        constant = constant_of(stated, fmpq(0))
        matrices = [constant, constant - constant_of(stated, fmpq(1))]  # −measure, −bound
        for j in range(free.ncols()):
            column = {i: free[i, j] for i in range(free.nrows()) if free[i, j] != 0}
            matrices.append(combined(stated, column))
        entries = np.array([M.tolist() for M in matrices], dtype=object)
        lengths = _lengths(entries)
        entries = entries * lengths[:, None] * lengths
        sizes = [max((abs(v) for v in M.ravel()), default=fmpq(1)) or fmpq(1) for M in entries]
        self.sizes = sizes
        entries = entries / np.array(sizes, dtype=object)[:, None, None]
        self.C, self.A = _reals(entries[0]), _reals(entries[1:])
        diagonal = np.full((len(self.A), free.nrows() + 1), fmpq(0), dtype=object)
        diagonal[0, 0] = fmpq(-1)
        for j, size in enumerate(sizes[2:], start=1):
            diagonal[j, 1:] = [-free[i, j - 1] / size for i in range(free.nrows())]
        self.a = _reals(diagonal)
        self.b = _reals(np.array([fmpq(-int(j == 0)) for j in range(len(self.A))], dtype=object))

    def applied(self, X: Reals, x: Reals) -> Reals:
        """⟨A_j, X⟩ for each j."""
        return np.asarray(self.A.reshape(len(self.A), -1) @ X.ravel() + self.a @ x)

    def followed(self) -> Optimum | None:
        """The optimum, where the path leads to one."""
        n, (count, size) = len(self.C), self.a.shape
        X = Z = _whole(np.eye(n, dtype=int) * START)
        x = z = _whole(np.full(size, START))
        y = _whole(np.zeros(count, dtype=int))
        best: Optimum | None = None
        for _ in range(STEPS):
            here = _Place(self, y=y, X=X, x=x, Z=Z, z=z)
            value = self._optimum(y, z, here.wrong)
            best = value if best is None or value.error < best.error else best
            if value.error <= DONE * value.theta or not here.factor():
                break
            G, g = here.towards_the_boundary()
            _, dX, dx, dZ, dz = here.direction(G, g)
            one, other = _reach(X, dX, x, dx), _reach(Z, dZ, z, dz)
            ahead = _inner(X + one * dX, Z + other * dZ) + (x + one * dx) @ (z + other * dz)
            target = ahead * ahead / (here.gap * (n + size))
            G = G + target * here.inverse - dX @ dZ @ here.inverse
            dy, dX, dx, dZ, dz = here.direction(G, g + (target - dx * dz) / z)
            one, other = _reach(X, dX, x, dx) * SHORT, _reach(Z, dZ, z, dz) * SHORT
            X, x = X + one * dX, x + one * dx
            y, Z, z = y + other * dy, Z + other * dZ, z + other * dz
        usable = best is not None and best.error <= max(USABLE * best.theta, NOTHING)
        return best if usable else None

    def _optimum(self, y: Reals, z: Reals, wrong: Any) -> Optimum:
        """In the units of the claim."""
        top, bound = (float(v) for v in self.sizes[:2])
        theta = top / bound
        return Optimum(
            theta=float(y[0]) * theta,
            error=2 * float(wrong) * theta,
            lam=tuple(float(v) * top for v in z[1:]),
        )


class _Place:
    """Where the method is, and Newton's directions from there."""

    inverse: Reals

    def __init__(self, path: _Path, *, y: Reals, X: Reals, x: Reals, Z: Reals, z: Reals) -> None:
        self.path, self.X, self.x, self.Z, self.z = path, X, x, Z, z
        self.off, self.off_diagonal = path.C - _sum(y, path.A) - Z, -(y @ path.a) - z
        self.short = path.b - path.applied(X, x)
        self.gap = _inner(X, Z) + x @ z
        self.wrong = self.gap + _inner(abs(self.off), abs(X))
        self.wrong += abs(self.off_diagonal) @ x + abs(self.short) @ abs(y)

    def factor(self) -> bool:
        """Whether the equations of a direction can be solved."""
        path, count = self.path, len(self.path.A)
        factors = _factored(self.Z)
        if factors is None:
            return False
        self.inverse = _solved(factors, _whole(np.eye(len(self.Z), dtype=int)))
        self.images = self.X @ path.A @ self.inverse
        self.images_diagonal = path.a * (self.x / self.z)
        schur = path.A.reshape(count, -1) @ self.images.reshape(count, -1).T
        factors = _factored(schur + path.a @ self.images_diagonal.T)
        if factors is None:
            return False
        self.schur = factors
        return True

    def towards_the_boundary(self) -> tuple[Reals, Reals]:
        """What ``direction`` takes for X Z = 0."""
        outer = self.X @ self.off @ self.inverse
        return -self.X - outer, -self.x - self.x * self.off_diagonal / self.z

    def direction(self, G: Reals, g: Reals) -> tuple[Reals, ...]:
        """Of y, X, x, Z and z, with dX + X dZ Z⁻¹ = G + X off Z⁻¹ up to its skew part."""
        dy = _solved(self.schur, self.short - self.path.applied(G, g))
        dX = G + _sum(dy, self.images)
        dx, dz = g + dy @ self.images_diagonal, self.off_diagonal - dy @ self.path.a
        return dy, (dX + dX.T) / 2, dx, self.off - _sum(dy, self.path.A), dz


def _lengths(entries: Reals) -> Reals:
    """Powers of two that bring the largest entry of each line to about 1."""
    most = [
        max((abs(float(v)) for v in entries[:, i].ravel()), default=0.0)
        for i in range(len(entries[0]))
    ]
    powers = [round(np.log2(m) / 2) if m > 0 else 0 for m in most]
    return np.array([fmpq(2) ** -p for p in powers], dtype=object)


def _reals(values: Reals) -> Reals:
    """Rationals in so many bits."""
    out = [arf(int(v.p)) / arf(int(v.q)) for v in values.ravel()]
    return np.array(out, dtype=object).reshape(values.shape)


def _whole(values: NDArray[Any]) -> Reals:
    return np.array([arf(int(v)) for v in values.ravel()], dtype=object).reshape(values.shape)


def _inner(one: Reals, other: Reals) -> Any:
    return one.ravel() @ other.ravel()


def _sum(weights: Reals, matrices: Reals) -> Reals:
    """Σ w_j M_j."""
    return np.asarray((weights @ matrices.reshape(len(weights), -1)).reshape(matrices.shape[1:]))


def _factored(matrix: Reals) -> tuple[Reals, Reals] | None:
    """L and d with L diag(d) Lᵀ the matrix; None where it is not positive definite."""
    n = len(matrix)
    root, pivots = _whole(np.eye(n, dtype=int)), _whole(np.zeros(n, dtype=int))
    for j in range(n):
        scaled = root[j, :j] * pivots[:j]
        column = matrix[j:, j] - root[j:, :j] @ scaled
        if not column[0] > 0:
            return None
        pivots[j] = column[0]
        root[j:, j] = column / column[0]
    return root, pivots


def _solved(factors: tuple[Reals, Reals], right: Reals) -> Reals:
    """x with L diag(d) Lᵀ x = right, which may be several columns."""
    root, pivots = factors
    x = right.copy()
    for i in range(len(root)):
        x[i] = x[i] - root[i, :i] @ x[:i]
    for i in reversed(range(len(root))):
        x[i] = x[i] / pivots[i] - root[i + 1 :, i] @ x[i + 1 :]
    return x


def _reach(matrix: Reals, step: Reals, diagonal: Reals, change: Reals) -> Any:
    """How much of a step leaves both parts positive, at most all of it."""

    def inside(part: Any) -> bool:
        return all(v > 0 for v in diagonal + part * change) and (
            _factored(matrix + part * step) is not None
        )

    low, high = arf(0), arf(1)
    if inside(high):
        return high
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if inside(middle) else (low, middle)
    return low
