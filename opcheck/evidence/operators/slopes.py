"""The worst slopes in a region: what a constant is on pairs infinitely close to each other."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from opcheck.engine.intervals import enclosure, values
from opcheck.errors import OpcheckError
from opcheck.evidence.operators import growth
from opcheck.evidence.operators.pairs import Pair
from opcheck.evidence.operators.search import critical, moved, uses_u
from opcheck.model.problem import Problem
from opcheck.model.problem import points as points_of
from opcheck.model.property import Kind, Lipschitz, Of, StronglyMonotone
from opcheck.model.region import Region, ends_of

Floats = NDArray[np.float64]
STARTS, KEPT, ZOOMS = 4096, 24, 80  # points that are looked at, those moved, and how often
HUGE = 1e6  # a value beyond it, in units of a common slope or its inverse, counts as infinite


@np.errstate(all="ignore")  # slopes that overflow are no common ones
def steepest(
    problem: Problem, kind: Kind, of: Of = "F", seed: int = 0
) -> tuple[float, tuple[Pair, ...]]:
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
        constants = _on_slopes(kind, matrices, np.zeros_like(matrices))
        return np.where(finite, worse * constants, -np.inf)

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
        best, top = _zoomed_in(value, at, (low, high), problem.region, generator)
        # a slope that is steep at one scale about a centre only
        fine = growth.scales_about(problem, seed)
        fine = fine[((low <= fine) & (fine <= high)).all(axis=1)]
        if len(fine) and (there := value(fine)).max() > top:
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


def _zoomed_in(
    value: Callable[[Floats], Floats],
    at: Floats,
    ends: tuple[Floats, Floats],
    region: Region | None,
    generator: np.random.Generator,
) -> tuple[Floats, float]:
    """Where a value is largest, and it: the best points are moved at random, by less and less."""
    low, high = ends
    reached = value(at)
    kept = np.argsort(-reached, kind="stable")[:KEPT]
    at, reached = at[kept], reached[kept]
    width = (high - low) / 2
    size = np.where(np.isfinite(width), width, 1 + np.abs(at).max(axis=1, keepdims=True))
    for zoom in range(ZOOMS):
        step = size * 0.75**zoom * generator.uniform(-1, 1, (8, *at.shape))
        tries = np.clip(at + step, low, high)
        tries = tries if region is None else region.clip(tries)
        new = value(tries.reshape(-1, at.shape[1])).reshape(8, -1)
        first, rows = new.argmax(axis=0), np.arange(len(at))
        better = new[first, rows] > reached
        at[better], reached[better] = tries[first, rows][better], new[first, rows][better]
    best = reached.argmax()
    return at[best], float(reached[best])


def _unit(kind: Kind, slopes: Floats) -> float:
    """What a constant is measured in: a common slope, its inverse for a modulus against ‖Δu‖²;
    ∞ for L, which is finite unless it grows."""
    slopes = slopes[np.isfinite(slopes) & (slopes > 0)]
    if kind is Lipschitz or not len(slopes):
        return np.inf if kind is Lipschitz else 1.0
    unit = float(np.median(slopes))
    return 1 / unit if kind.form(1)[0] == 0 and kind.form(1)[2] != 0 else unit


@np.errstate(all="ignore")
def _directions(kind: Kind, matrices: Floats) -> Floats:
    """The direction on which the form of each matrix is worst, shape (m, d)."""
    matrices = np.where(np.isfinite(matrices).all(axis=(1, 2), keepdims=True), matrices, 0.0)
    if kind is Lipschitz:
        return np.asarray(np.linalg.eigh(matrices.transpose(0, 2, 1) @ matrices)[1][:, :, -1])
    if kind is StronglyMonotone:
        return np.asarray(np.linalg.eigh(matrices + matrices.transpose(0, 2, 1))[1][:, :, 0])
    # w = M⁻¹u for the u on which M⁻¹ is least; a singular M is seen as one that is nearly so
    size = np.linalg.norm(matrices, axis=(1, 2))[:, None, None]
    left, s, right = np.linalg.svd(matrices / np.where(size > 0, size, 1.0))
    s = np.maximum(s, np.where(s[:, -1:] > 0, 1e-300, 1e-9 * np.maximum(s[:, :1], 1e-9)))
    inverse = np.einsum("mji,mj,mkj->mik", right, 1 / s, left)
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
    constant = critical(kind, xx, xu, uu)
    size = np.linalg.norm(matrices, axis=(1, 2))
    lost = 16 * matrices.shape[1] * np.finfo(float).eps * size + np.linalg.norm(width, axis=(1, 2))
    lost = moved(lost, constant, xx, uu, uses_u(kind))
    return np.asarray(np.where(np.isnan(constant), -worse * np.inf, constant - worse * lost))
