"""Constants of a problem: searched for, and enclosed where its formula or matrix is known.

Every kind of property has one critical constant on a pair of points, the one that makes its form
vanish there; the constant of the operator is the worst of them. A search finds bad pairs, and so
bounds it from one side; a proof over a subdivision of the region bounds it from the other.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from opcheck.arguments import asked
from opcheck.engine.intervals import enclosure, values
from opcheck.engine.numbers import rational
from opcheck.engine.run import graph_at
from opcheck.errors import InternalError, OpcheckError
from opcheck.evidence import enclose, growth, polyak
from opcheck.evidence.pairs import Pair
from opcheck.evidence.subject import Given, subject
from opcheck.model import matrix_facts
from opcheck.model.brief import brief
from opcheck.model.problem import Problem, Region, as_region
from opcheck.model.problem import points as points_of
from opcheck.model.property import (
    Comonotone,
    Fact,
    Kind,
    Lipschitz,
    Of,
    PLStar,
    Property,
    Provenance,
    StronglyMonotone,
    WeakMinty,
)
from opcheck.model.region import ends_of

Floats = NDArray[np.float64]
KINDS = (Lipschitz, Comonotone, StronglyMonotone, WeakMinty)
RUNS, ROUNDS, TRIALS = 48, 200, 4  # of the search: independent runs, steps of each, tries a step
STARTS, KEPT, ZOOMS = 4096, 24, 80  # of the search over slopes: points, those moved, steps
ELIMINATED = "M + Mᵀ ⪰ 0 by an elimination in rationals"
UNITS = 2.0**-46  # relative; what rounding leaves between an eigenvector and a proof
CLOSEST = 1e-6  # least distance of a pair, in units of the region; nearer, differences round
HUGE = 1e6  # a value beyond it, in units of a common slope or its inverse, counts as infinite
EXACT = 60  # dimensions up to which a matrix is eliminated in rationals


@brief
@dataclass(frozen=True)
class Constant:
    """What is known of one constant: it lies in [lower, upper].

    Attributes:
        kind, of: which constant, as ``Comonotone`` of ``S``.
        lower, upper: the enclosure; an infinite end is unknown.
        provenance: ``certified`` where the side that a theorem needs is proved, else ``estimated``.
        region: on which it is meant; None for the whole space.
        note: how it was found, and why no more was.
        pairs: the worst points that the search met; they may refute properties of other kinds.

    Raises OpcheckError where the two sides contradict each other, a fault of opcheck's own.
    """

    kind: Kind
    of: Of
    lower: float
    upper: float
    provenance: Provenance
    region: Region | None
    note: str
    pairs: tuple[Pair, ...] = field(default=(), repr=False, compare=False)

    def __post_init__(self) -> None:
        """A proof and a pair of points can't both be right if they exclude each other."""
        if self.lower > self.upper:
            raise InternalError(
                f"internal error: {self.kind.symbol} of {self.of} is shown to lie in "
                f"[{self.lower!r}, {self.upper!r}], an empty interval; please report the operator"
            )

    @property
    def value(self) -> float:
        """The side that a theorem needs if it is proved, else the best that the search found."""
        proved, found = (
            (self.upper, self.lower) if self.kind.better == "smaller" else (self.lower, self.upper)
        )
        return proved if self.provenance == "certified" else found

    @property
    def fact(self) -> Fact:
        """The constant as a fact; an estimate is no more than that."""
        note = self.note if self.provenance == "certified" else f"no worse pair found; {self.note}"
        local = self.region is not None
        return Fact(Property(self.kind, self.value, self.of), self.provenance, local, note)

    def as_dict(self) -> dict[str, Any]:
        """Plain data, for JSON."""
        return {
            "kind": self.kind.name,
            "symbol": self.kind.symbol,
            "of": self.of,
            "lower": self.lower,
            "upper": self.upper,
            "provenance": self.provenance,
            "region": None if self.region is None else self.region.as_dict(),
            "note": self.note,
        }


@asked
def constants(
    problem: Given,
    rigorous: bool = False,
    region: Region | float | str | None = None,
    seed: int = 0,
) -> list[Constant]:
    """L, ρ, μ and the weak Minty constant of F, and the moduli of S = F + A where A ≠ 0.

    Where F = ∇f has a potential and A = 0, the constant of PLStar too.

    Args:
        problem: whatever ``subject`` takes: a name, a Problem, an operator, a function, a matrix.
        rigorous: also prove them, which takes a matrix or a formula.
        region: on which they are meant, or r for ‖z‖∞ ≤ r, or a text as ``[.2,2]x[-1,1]``; default
            the problem's region, else the whole space.
        seed: of the search.

    Raises OpcheckError for a region that is empty or of another dimension, and for a rigorous
    request on an operator of which only a kernel is known.
    """
    problem = subject(problem)
    if region is not None:
        problem = replace(problem, region=as_region(region, problem.dim))
    where = problem.region
    operator = problem.operator
    known = operator.slopes is not None or operator.matrix is not None
    if rigorous and not known and operator.sparse_matrix() is None:
        raise OpcheckError(
            f"nothing can be proved of {problem.name!r}: only a kernel of its operator is known; "
            "give it as a matrix (opcheck.linear) or a formula (opcheck.minmax, opcheck.field), or "
            "leave out --rigorous"
        )
    wanted: list[tuple[Kind, Of]] = [(kind, "F") for kind in KINDS]
    wanted += [(kind, "S") for kind in KINDS[1:]] if problem.constrained else []
    found = []
    for kind, of in wanted:
        if kind.star and (problem.solution is None or (problem.constrained and of == "F")):
            continue
        if of == "F" and (matrix := operator.sparse_matrix()) is not None:
            if not kind.star:
                found.append(_sparse(kind, matrix, where))
        elif of == "F" and operator.matrix is not None:
            # on all pairs, against a solution and on a region are one for an affine operator
            before = [replace(c, kind=kind) for c in found if kind.star and c.kind is Comonotone]
            found.append(before[0] if before else _affine(problem, kind, rigorous))
        else:
            found.append(_constant(problem, kind, of, seed, rigorous and known))
    if operator.potential is not None and problem.solution is not None and not problem.constrained:
        found.append(_polyak(problem, rigorous, seed))
    for implied in (_by_sum, _by_pairs):
        found = [implied(c, found) for c in found]
    return found


def _by_sum(one: Constant, others: list[Constant]) -> Constant:
    """What monotone A leaves of F: μ, and ρ = 0 where F is monotone; not a ρ < 0."""
    if one.of != "S" or one.kind not in (StronglyMonotone, Comonotone):
        return one
    for c in others:
        if (c.kind, c.of, c.provenance) != (StronglyMonotone, "F", "certified"):
            continue
        if one.kind is StronglyMonotone and c.lower > one.lower:
            lower = min(c.lower, one.upper)  # the pairs seen decide a last unit
            return replace(
                one, lower=lower, provenance="certified", note="that of F: A is monotone"
            )
        if one.kind is Comonotone and c.lower >= 0 > one.lower:
            return replace(one, lower=0.0, provenance="certified", note="F and A are monotone")
    if one.kind is Comonotone:
        why = "ρ < 0 of F says nothing of F + A: a normal that jumps at a corner undoes it"
        return replace(one, note=f"{one.note}; {why}" if one.upper < 0 else one.note)
    return one


def _polyak(problem: Problem, rigorous: bool, seed: int) -> Constant:
    best = polyak.search(problem, seed)
    seen = Constant(PLStar, "F", -np.inf, best, "estimated", problem.region, polyak.SEARCHED)
    if not rigorous or not best > 0:
        return seen
    if (reason := enclose.singular(problem)) is not None:
        return replace(seen, note=f"{polyak.SEARCHED}; {reason}")
    proved, note = polyak.prove(problem, best)
    if proved is None:
        return replace(seen, note=f"{polyak.SEARCHED}; {note}")
    return replace(seen, lower=proved, provenance="certified", note=note)


def _by_pairs(one: Constant, others: list[Constant]) -> Constant:
    """What holds on all pairs holds against a solution."""
    if one.kind is not WeakMinty:
        return one
    pairs = [c for c in others if c.kind is Comonotone and c.of == one.of]
    for c in pairs:
        if c.provenance == "certified" and c.lower > one.lower:
            return replace(one, lower=c.lower, provenance="certified", note="from all pairs")
    return one


def _constant(problem: Problem, kind: Kind, of: Of, seed: int, rigorous: bool) -> Constant:
    smaller = kind.better == "smaller"
    best, found, pairs = _worst(problem, kind, of, seed)
    lower, upper = (best, np.inf) if smaller else (-np.inf, best)
    seen = Constant(kind, of, lower, upper, "estimated", problem.region, found, pairs)
    if not rigorous or not np.isfinite(best):
        return seen
    if of == "S" and not kind.star:
        return seen
    proved, note = enclose.constant(problem, kind, best, of)
    if proved is None:
        return replace(seen, note=f"{found}; {note}")
    side = {"upper": proved} if smaller else {"lower": proved}
    return replace(seen, **side, provenance="certified", note=note)  # type: ignore[arg-type]


def _worst(problem: Problem, kind: Kind, of: Of, seed: int) -> tuple[float, str, tuple[Pair, ...]]:
    """The worst constant that a search finds, where it looked, and the pairs that show it.

    On a convex region slopes are all that L and μ depend on where F is smooth, and on the whole
    space all that the ρ of F does; A, monotone, adds nothing to the μ of F.
    """
    over_pairs = f"search over pairs, {RUNS} runs of {ROUNDS} steps"
    if problem.operator.slopes is None or (of == "S" and not _inside(problem, kind)):
        best, pairs = _search(problem, kind, of, seed)
        note = over_pairs
    else:
        near, pairs = _steepest(problem, kind, of, seed)
        smooth = enclose.singular(problem, of)
        enough = kind in (Lipschitz, StronglyMonotone) or (problem.region is None and of == "F")
        if enough and not kind.star and np.isfinite(near) and smooth is None:
            best, note = near, f"search over slopes, {KEPT} runs of {ZOOMS} steps"
        else:
            far, more = _search(problem, kind, of, seed)
            worst = max if kind.better == "smaller" else min
            best, pairs = worst(near, far), (*more, *pairs)
            note = f"search over pairs and slopes, {RUNS} runs of {ROUNDS} steps"
            note += f"; {smooth}" if smooth is not None else ""
    if kind is Lipschitz:
        grows = growth.unbounded(problem, seed)
        for pair in pairs:
            grows = grows or growth.at_pair(problem, pair)
        if grows is not None:
            return np.inf, grows, pairs
    return best, note, pairs


def _affine(problem: Problem, kind: Kind, rigorous: bool) -> Constant:
    """A constant of F(z) = Mz + q: the pair by an eigenvector, the proof by a factorisation."""
    operator, matrix, region = problem.operator, problem.operator.matrix, problem.region
    assert matrix is not None
    smaller = kind.better == "smaller"
    if not matrix.any() and kind in (Comonotone, WeakMinty):
        return Constant(kind, "F", -np.inf, np.inf, "estimated", region, "M = 0: any value holds")
    w = _worst_direction(kind, matrix)
    semidefinite = (
        kind is not Lipschitz
        and operator.entries is None
        and len(matrix) <= EXACT
        and _semidefinite(matrix)
    )
    if w is None:
        if semidefinite:
            return Constant(kind, "F", 0.0, np.inf, "certified", region, ELIMINATED)
        return Constant(kind, "F", -np.inf, -np.inf, "estimated", region, "M has no EP inverse")
    pairs = (Pair(w, np.zeros(len(w))),)
    best = _of_direction(kind, matrix, w, operator.entries is None)
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
    if proved is None:
        return Constant(kind, "F", lower, upper, "estimated", region, note, pairs)
    if abs(best - proved) <= UNITS * abs(proved):
        best = proved  # the pair decides a last unit
    lower, upper = (best, proved) if smaller else (proved, best)
    return Constant(kind, "F", lower, upper, "certified", region, note, pairs)


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


def _semidefinite(matrix: Floats) -> bool:
    """Whether M + Mᵀ ⪰ 0, by an elimination LDLᵀ in rationals; also where it is singular."""
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


def _sparse(kind: Kind, matrix: Any, region: Region | None) -> Constant:
    """Bounds by norms and Gershgorin discs, in one pass over the entries; no search."""
    L, mu = matrix_facts.sparse_bounds(matrix)
    note = "norms and Gershgorin discs"
    if kind is Lipschitz:
        columns = np.sqrt((matrix.power(2)).sum(axis=0).max())  # ‖M e_i‖ of the longest column
        return Constant(kind, "F", float(columns) * (1 - 1e-12), L, "certified", region, note)
    top = float(matrix.diagonal().min())  # ⟨M e_i, e_i⟩
    if kind is StronglyMonotone:
        return Constant(kind, "F", mu, max(mu, top), "certified", region, note)
    # ⟨Mx, x⟩ ≥ μ‖x‖² ≥ (μ/L²)‖Mx‖² for μ ≥ 0
    low = mu / L**2 * (1 - 1e-12) if mu > 0 else 0.0 if mu == 0 else -np.inf
    grade: Provenance = "certified" if np.isfinite(low) else "estimated"
    return Constant(kind, "F", low, np.inf, grade, region, note)


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


def steepest(problem: Problem, kind: Kind, of: Of = "F", seed: int = 0) -> float:
    """The value of ``_steepest`` alone."""
    return _steepest(problem, kind, of, seed)[0]


def _steepest(problem: Problem, kind: Kind, of: Of, seed: int) -> tuple[float, tuple[Pair, ...]]:
    """The worst critical constant of the slopes in the region: of pairs infinitely close.

    Points spread over the region are tried; the worst are moved at random, by less and less.
    Against a solution only its own slopes count. For S = F + A, A the normal cone of a box, these
    are the slopes of F in the box, where a normal is 0.

    Returns:
        The value, rounded away from what it could overstate, ±∞ where no bound seems to exist; and
        pairs about the point, along its worst direction.

    Raises OpcheckError where no formula for the slopes is known.
    """
    slopes = problem.operator.slopes
    if slopes is None:
        raise OpcheckError("no formula for the slopes is known")
    d, worse = problem.dim, 1.0 if kind.better == "smaller" else -1.0
    low, high = ends_of(problem.region, d)
    if of == "S" and problem.resolvent.ends is not None:
        low, high = (
            np.maximum(low, problem.resolvent.ends[0]),
            np.minimum(high, problem.resolvent.ends[1]),
        )

    def value(points: Floats) -> Floats:
        matrices = values(slopes, points).reshape(-1, d, d)
        finite = np.isfinite(matrices).all(axis=(1, 2))
        matrices[~finite] = 0.0
        found = _on_slopes(kind, matrices, np.zeros_like(matrices))
        return np.where(finite, worse * found, -np.inf)

    if kind.star:
        assert problem.solution is not None
        best = problem.solution
        typical = values(slopes, best[None])
    else:
        generator = np.random.default_rng(seed)
        at = points_of(problem, STARTS, generator)
        typical = values(slopes, at)
        end = np.where(generator.uniform(size=at.shape) < 0.5, low, high)
        corner = generator.uniform(size=at.shape) < 0.25  # on faces, edges and at corners
        at = np.clip(np.where(corner & np.isfinite(end), end, at), low, high)
        at = at if problem.region is None else problem.region.clip(at)
        got = value(at)
        kept = np.argsort(-got, kind="stable")[:KEPT]
        at, got = at[kept], got[kept]
        width = (high - low) / 2
        size = np.where(np.isfinite(width), width, 1 + np.abs(at).max(axis=1, keepdims=True))
        for zoom in range(ZOOMS):
            step = size * 0.75**zoom * generator.uniform(-1, 1, (8, *at.shape))
            tried = np.clip(at + step, low, high)
            tried = tried if problem.region is None else problem.region.clip(tried)
            new = value(tried.reshape(-1, d)).reshape(8, -1)
            first, rows = new.argmax(axis=0), np.arange(len(at))
            better = new[first, rows] > got
            at[better], got[better] = tried[first, rows][better], new[first, rows][better]
        best = at[got.argmax()]
        # a slope that is steep at one scale about a centre only
        fine = growth.scales_about(problem, seed)
        fine = fine[((low <= fine) & (fine <= high)).all(axis=1)]
        if len(fine) and (there := value(fine)).max() > got.max():
            best = fine[there.argmax()]
    below, above = (e.reshape(1, d, d) for e in enclosure(slopes, best[None], best[None]))
    middle = below / 2 + above / 2
    top = float(worse * _on_slopes(kind, middle, above - below)[0])
    top = max(top, 0.0) if kind is Lipschitz else top
    if not abs(top) <= HUGE * _unit(kind, np.linalg.norm(typical, axis=1)):
        top = np.inf
    if not np.isfinite(middle).all():
        return worse * top, ()
    w = _directions(kind, middle)[0]
    steps = (1 + np.abs(best).max()) * np.array([1e-2, 1e-4, 1e-6])
    pairs = tuple(
        Pair(np.clip(best + t * w, low, high), np.clip(best - t * w, low, high)) for t in steps
    )
    if kind.star:
        pairs = tuple(Pair(pair.first, None) for pair in pairs)
    return worse * top, pairs


def _unit(kind: Kind, slopes: Floats) -> float:
    """What a constant is measured in: a common slope, its inverse for a modulus against ‖Δu‖²;
    ∞ for L, which is finite unless it grows."""
    slopes = slopes[np.isfinite(slopes) & (slopes > 0)]
    if kind is Lipschitz or not len(slopes):
        return np.inf if kind is Lipschitz else 1.0
    unit = float(np.median(slopes))
    return 1 / unit if kind.form(1)[0] == 0 and kind.form(1)[2] != 0 else unit


def _inside(problem: Problem, kind: Kind) -> bool:
    """Whether A is the normal cone of a box with an inside, where also a star property looks."""
    if problem.resolvent.ends is None:
        return False
    low, high = problem.resolvent.ends
    zero = problem.solution if kind.star else None
    return bool((low < high).all() and (zero is None or ((low < zero) & (zero < high)).all()))


@np.errstate(all="ignore")
def _directions(kind: Kind, matrices: Floats) -> Floats:
    """The direction on which the form of each matrix is worst, shape (m, d)."""
    if kind is Lipschitz:
        return np.asarray(np.linalg.eigh(matrices.transpose(0, 2, 1) @ matrices)[1][:, :, -1])
    if kind is StronglyMonotone:
        return np.asarray(np.linalg.eigh(matrices + matrices.transpose(0, 2, 1))[1][:, :, 0])
    # w = M⁻¹u for the u on which M⁻¹ is least; a singular M is seen as one that is nearly so
    size = np.linalg.norm(matrices, axis=(1, 2))[:, None, None]
    size = np.where(np.isfinite(size) & (size > 0), size, 1.0)
    eye = np.eye(matrices.shape[1])
    nearly = matrices / size + 1e-300 * eye
    singular = np.linalg.det(nearly) == 0
    nearly[singular] += 1e-9 * eye
    inverse = np.linalg.inv(nearly)
    u = np.linalg.eigh(inverse + inverse.transpose(0, 2, 1))[1][:, :, 0]
    w = np.einsum("mij,mj->mi", inverse, u)
    return np.asarray(w / np.linalg.norm(w, axis=1, keepdims=True))


@np.errstate(all="ignore")
def _on_slopes(kind: Kind, matrices: Floats, width: Floats) -> Floats:
    """The critical constant of each matrix on its worst direction, less what rounding may add."""
    worse = 1.0 if kind.better == "smaller" else -1.0
    w = _directions(kind, matrices)
    du = np.einsum("mij,mj->mi", matrices, w)
    xx, xu, uu = ((p * q).sum(axis=1) for p, q in ((w, w), (w, du), (du, du)))
    found = critical(kind, xx, xu, uu)
    size = np.linalg.norm(matrices, axis=(1, 2))
    lost = 16 * matrices.shape[1] * np.finfo(float).eps * size + np.linalg.norm(width, axis=(1, 2))
    uses_u = kind.form(1)[0] == 0 and kind.form(1)[2] != 0  # a modulus against ‖Δu‖²
    lost = _moved(lost, found, xx, uu, uses_u)
    return np.asarray(np.where(np.isnan(found), -worse * np.inf, found - worse * lost))


def _moved(lost: Floats, found: Floats, xx: Floats, uu: Floats, uses_u: bool) -> Floats:
    """How far an error of Δu may have moved a constant; ∞ or NaN for a modulus against Δu = 0."""
    size = np.sqrt(uu)
    if uses_u:
        return np.asarray(lost / size * (np.abs(found) + np.sqrt(xx / uu)))
    return np.asarray(lost * (np.where(size > 0, np.abs(found) / size, 0.0) + 1 / np.sqrt(xx)))


def critical(kind: Kind, xx: Floats, xu: Floats, uu: Floats) -> Floats:
    """The constant that makes the form vanish on pairs with ‖Δx‖², ⟨Δx, Δu⟩ and ‖Δu‖² as given.

    It is the zero of the form as a polynomial in the constant, of degree one or purely quadratic.
    """

    # the coefficients come from the form alone: differences of its values would cancel
    at = [[Fraction(v) for v in kind.form(constant)] for constant in (0, 1, 2)]
    squares = [(q - 2 * p + o) / 2 for o, p, q in zip(*at, strict=True)]
    linears = [p - o - s for o, p, s in zip(at[0], at[1], squares, strict=True)]

    def combined(form: list[Fraction]) -> Floats:
        a, b, c = (float(v) for v in form)
        return a * xx + 2 * b * xu + c * uu

    f0, linear, square = combined(at[0]), combined(linears), combined(squares)
    with np.errstate(all="ignore"):
        quadratic = np.abs(square) > np.abs(linear)
        out: Floats = np.where(quadratic, np.sqrt(-f0 / square), -f0 / linear)
    return out


def search(problem: Problem, kind: Kind, of: Of, seed: int = 0) -> float:
    """The value of ``_search`` alone."""
    return _search(problem, kind, of, seed)[0]


def _search(problem: Problem, kind: Kind, of: Of, seed: int) -> tuple[float, tuple[Pair, ...]]:
    """The worst critical constant found by many evolution strategies over pairs of the graph.

    A pair is a point, a direction and the logarithm of a distance, so that close pairs, where the
    Jacobian decides, are reached as easily as far ones. Each run keeps a step that improves and
    widens the next, or narrows it (the 1/5 rule).

    Returns:
        The value, rounded away from what it could overstate, ±∞ where no bound seems to exist; and
        the pairs that show it.

    Raises OpcheckError for an operator that fails its guards.
    """
    generator = np.random.default_rng(seed)
    d = problem.dim
    worse = 1.0 if kind.better == "smaller" else -1.0
    low, high = ends_of(problem.region, d)
    solution = problem.solution
    centre = np.zeros(d) if solution is None else solution.copy()
    width = np.full(d, 10 * (1 + float(np.abs(centre).max(initial=0))))
    sided = np.isfinite(high - low)
    centre[sided] = low[sided] / 2 + high[sided] / 2
    width[sided] = (high[sided] - low[sided]) / 2
    size = float(width.max(initial=0.0))
    region = problem.region
    uses_u = kind.form(1)[0] == 0 and kind.form(1)[2] != 0  # a modulus against ‖Δu‖²
    typical: list[Floats] = []  # slopes of the first pairs

    def both(pairs: Floats) -> tuple[Floats, Floats | None]:
        w = centre + width * pairs[:, :d]
        if kind.star:
            return w if region is None else region.clip(w), None
        direction = pairs[:, d : 2 * d]
        length = np.exp(np.clip(pairs[:, 2 * d], np.log(CLOSEST), np.log(2.0)))
        norm = np.linalg.norm(direction, axis=1)
        half = (size / 2 * length / np.where(norm > 0, norm, 1))[:, None] * direction
        if region is not None:  # both ends inside, so that a corner's pairs are as good as others
            half = np.clip(half, -width, width)
            w = np.clip(w, low + np.abs(half), high - np.abs(half))
            return region.clip(w - half), region.clip(w + half)
        return w - half, w + half

    @np.errstate(all="ignore")  # a pair on which F overflows counts for nothing
    def value(pairs: Floats) -> Floats:
        w, other = both(pairs)
        if other is None:
            assert solution is not None
            z, v, normal = graph_at(problem, w)
            dx, du = z - solution, v + (normal if of == "S" else 0.0)
            terms = np.linalg.norm(v, axis=1) + np.linalg.norm(normal, axis=1)
            ends, enough = np.linalg.norm(z, axis=1), 1e-4 * size
        else:
            z, v, normal = graph_at(problem, np.concatenate([w, other]))
            u = v + (normal if of == "S" else 0.0)
            m = len(pairs)
            dx, du = z[:m] - z[m:], u[:m] - u[m:]
            each = np.linalg.norm(v, axis=1) + np.linalg.norm(normal, axis=1)
            terms, ends = each[:m] + each[m:], np.linalg.norm(z, axis=1)
            ends, enough = ends[:m] + ends[m:], CLOSEST * size / 2
        xx, xu, uu = ((p * q).sum(axis=1) for p, q in ((dx, dx), (dx, du), (du, du)))
        if not typical:
            typical.append(np.sqrt(uu / xx))
        steepest = np.sqrt(np.nanmax(uu / xx, initial=0.0, where=xx > 0))
        lost = 16 * np.finfo(float).eps * (terms + ends * steepest)
        found = critical(kind, xx, xu, uu)
        # what rounding may have done to Δu, and by it to the constant, does not count
        out = worse * found - _moved(lost, found, xx, uu, uses_u)
        bad = np.isnan(out) | (xx < enough**2) | ((lost > 1e-3 * np.sqrt(uu)) & (uu > 0))
        return np.where(bad, -np.inf, out)

    runs = RUNS if d <= 64 else 8
    at = generator.standard_normal((runs, 2 * d + 1))
    at[:, :d] *= 1.0 if problem.region else 10.0 ** generator.uniform(-2, 1, (runs, 1))
    at[:, -1] = generator.uniform(np.log(CLOSEST), 0, runs)
    best, step = value(at), np.full(runs, 0.3)
    rows = np.arange(runs)
    for _ in range(ROUNDS):
        tried = at + step[:, None] * generator.standard_normal((TRIALS, *at.shape))
        tried[..., -1] = np.clip(tried[..., -1], np.log(CLOSEST), np.log(2.0))
        got = value(tried.reshape(TRIALS * runs, -1)).reshape(TRIALS, runs)
        first = got.argmax(axis=0)
        got = got[first, rows]
        better = got > best
        at[better], best[better] = tried[first, rows][better], got[better]
        step = np.clip(np.where(better, 1.5 * step, 0.7 * step), 1e-9, 3.0)
        lost = step <= 1e-8  # has converged: starts again from the best found, more widely
        at[lost], best[lost], step[lost] = at[best.argmax()], best.max(), 0.05
    top = float(best.max())
    top = max(top, 0.0) if kind is Lipschitz and np.isfinite(top) else top
    ends = both(at[best.argmax()][None])
    pairs = (Pair(ends[0][0], None if ends[1] is None else ends[1][0]),)
    if not np.isfinite(top):
        return float("inf") * worse, ()
    if abs(top) > HUGE * _unit(kind, typical[0]):
        return float("inf") * worse, pairs
    return worse * top, pairs
