"""Bad pairs of points of a graph, sought at all scales, and what each kind's constant is on them.

A pair is two points w of which z = J_A(w) are points of the graph. It starts from random points of
the region and of the set, their faces, edges and corners, and from all scales about solutions,
start and 0; the worst are moved, halved, and turned to where finite differences say that slopes are
worst along the set. Every pair counts for every kind, whatever it was sought for.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from opcheck.engine import jit as compiler
from opcheck.engine.budget import budget, share
from opcheck.engine.run import graph_at
from opcheck.evidence.operators.climb import Pace, Points, climb
from opcheck.evidence.operators.pairs import Pair, products
from opcheck.model.operator import NO_CONSTRAINT, Resolvent
from opcheck.model.problem import Problem
from opcheck.model.property import Kind, Lipschitz, Of, StronglyMonotone
from opcheck.model.region import ends_of

Floats = NDArray[np.float64]
Values = tuple[Floats, Floats, Floats]
SEEDS = 3  # independent searches, whose spread is stated
RUNS = 16  # of each: pairs that are moved
ROUNDS, TRIALS = 64, 8  # steps of each run, tries a step
STEP = 0.3  # of a run at first, in units of a pair, of the distance from 0 or of the region
POOL = 1536  # pairs of each search to start from
EFFORT = 6_000_000  # coordinates that a search may move: large problems get fewer rounds
FEWEST = 8  # of them where calls of F are counted
SLOW = 4  # steps of each run at least, and no more of an interpreted operator
HALVINGS = 40
LOCAL = 6  # points at which finite differences are taken
LINES, PER_DECADE = 8, 12  # through centres, and points on them, to see where slopes change
BENDS, BISECTIONS = 24, 24  # places of change that are followed, and how often each is halved
MANY = 8000  # calls from which there are as many lines as that
FROM = (4, 7, 10, 13, 16, 19)  # binary powers of how near slopes are taken on both sides
CORNERS = 96  # of a set at which they are taken at most
DIRECTIONS = 40  # of a set, along which they are taken at most
EXACT = 60  # dimensions up to which the worst pairs are read in balls
CLOSEST = 1e-6  # least distance to a solution, in units of the largest coordinate
NOISY, BLURRED = 1e-3, 1e-4  # share of Δu that rounding has: a pair counts up to one, and is
# so close to what does not count beyond the other that it is no end
DECADES, SIZES = 25, 81  # of ‖z‖ and of ‖u‖ for which rounding is measured
SCALES = (-9.0, 4.0)  # decades about a centre


@dataclass
class Graph:
    """The graph of F (on the set of A where ``on_set``) or of S = F + A, and pairs met on it."""

    problem: Problem
    of: Of
    on_set: bool
    seed: int
    first: Floats = field(init=False)
    second: Floats = field(init=False)
    about_bends: tuple[Floats, Floats] | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        """With no pairs."""
        self.first = self.second = np.empty((0, self.problem.dim))

    def meet(self, pairs: Sequence[Pair]) -> None:
        """Keep pairs that were found otherwise."""
        both = [(pair.first, pair.second) for pair in pairs if pair.second is not None]
        if both:
            self.first = np.concatenate([self.first, [p for p, _ in both]])
            self.second = np.concatenate([self.second, [q for _, q in both]])

    @property
    def projects(self) -> bool:
        """Whether a point w stands for z = J_A(w)."""
        return self.problem.constrained and (self.on_set or self.of == "S")

    def at(self, w: Floats) -> Values:
        """Points z, values u and the size of the terms that u is a sum of; NaN outside the region.

        Raises OpcheckError for an operator that fails its guards.
        """
        problem = self.problem if self.projects else without_set(self.problem)
        z, u, normal = graph_at(problem, w)
        terms = np.linalg.norm(u, axis=1)
        if self.of == "S" and self.problem.constrained:
            u = u + normal
            terms = terms + np.linalg.norm(normal, axis=1) + np.linalg.norm(w, axis=1)
        region = self.problem.region
        if region is not None:
            u[~region.contains(z)] = np.nan
        return z, u, terms

    @functools.cached_property
    def bends(self) -> Bends:
        """Where slopes change most, looked for once, with a third of the calls that are left."""
        with share(3):
            return _bends(self)

    @functools.cached_property
    @np.errstate(all="ignore")
    def noise(self) -> Floats:
        """How much F moves when z does by a few units in the last place, shape (DECADES, SIZES).

        By decades of ‖z‖ and of ‖u‖: where F is small after terms cancel it has the noise of its
        terms, and where it is small on its own, as exp far to the left, its own. That is what
        slopes and what cancels inside F leave, each with all below; of sizes at which F was not
        met it is that of all of the decade. At least the rounding of a usual value: constants
        inside F are not seen near 0.
        """
        rng = np.random.default_rng([self.seed, 5])
        count = 64 if self.problem.operator.interpreted else 1024
        z = points(self, count, rng)
        moved = z * (1 + np.finfo(float).eps * rng.integers(-4, 5, z.shape))
        problem = without_set(self.problem)
        u = graph_at(problem, np.concatenate([z, moved]))[1]
        by = np.linalg.norm(u[:count] - u[count:], axis=1)
        by[~np.isfinite(by)] = 0.0
        size, length = np.linalg.norm(u[:count], axis=1), np.linalg.norm(z, axis=1)
        # far out, as in the corners of a set without end, values say nothing of constants
        near = length <= 10 * (1 + np.linalg.norm(centres(self.problem), axis=1).max())
        known = np.isfinite(size) & (size > 0)
        usual = size[known & near] if (known & near).any() else size[known]
        floor = 4 * np.finfo(float).eps * float(np.median(usual)) if len(usual) else 0.0
        return by_decades(length, size, by, floor)

    def inside(self, w: Floats) -> Floats:
        """Points moved into the region; of S they are w, whose z are looked at later."""
        region = self.problem.region
        return w if region is None or self.of == "S" else region.clip(w)

    @np.errstate(all="ignore")
    def products(self, first: Floats, second: Floats | None) -> Products:
        """Of pairs, or of points against the solution where ``second`` is None."""
        m = len(first)
        at = self.at(first if second is None else np.concatenate([first, second]))
        if second is None:
            assert self.problem.solution is not None
            zero = self.problem.solution[None]
            return self.compared(first, at, None, (zero, np.zeros_like(zero), np.zeros(1)))
        z, u, terms = at
        ends = (z[:m], u[:m], terms[:m]), (z[m:], u[m:], terms[m:])
        return self.compared(first, ends[0], second, ends[1])

    @np.errstate(all="ignore")  # a pair on which F overflows counts for nothing
    def compared(
        self, first: Floats, of_first: Values, second: Floats | None, of_second: Values
    ) -> Products:
        """Of pairs of points w whose z, values and sizes of terms, as ``at`` has them, are known.

        ``second`` is None for the solution.
        """
        m = len(first)
        (z, u, terms), (y, v, more) = of_first, of_second
        dx, du = z - y, u - v
        xx, xu, uu = ((p * q).sum(axis=1) for p, q in ((dx, dx), (dx, du), (du, du)))
        ends = np.linalg.norm(z, axis=1) + np.linalg.norm(y, axis=1)
        lost = 16 * np.finfo(float).eps * (terms + more + ends * np.sqrt(uu / xx))
        size = np.linalg.norm(u, axis=1), np.linalg.norm(v, axis=1)
        lost += 4 * self.noise[decade(ends), decade(np.maximum(*size), SIZES)]
        # nearer to the solution, its own rounding decides
        near = CLOSEST * np.abs(y).max() if second is None else 0.0
        # a resolvent rounds its point, too
        off = np.zeros(m)
        if self.projects:
            beyond = 0.0 if second is None else np.linalg.norm(second, axis=1)
            off = 16 * np.finfo(float).eps * (np.linalg.norm(first, axis=1) + beyond)
        return Products(xx=xx, xu=xu, uu=uu, lost=lost, bad=xx <= near**2, off=off)


@dataclass(frozen=True)
class Bends:
    """Points on both sides of places at which slopes change.

    Attributes:
        at: the points, shape (m, d).
        step: steps from them that should stay on their side, shape (m,).
        along: unit vectors across the place, shape (m, d).
    """

    at: Floats
    step: Floats
    along: Floats


@dataclass(frozen=True)
class Products:
    """‖Δx‖², ⟨Δx, Δu⟩, ‖Δu‖² of pairs, and which of them don't count.

    Attributes:
        lost, off: what rounding may have done to Δu, and to Δx.
    """

    xx: Floats
    xu: Floats
    uu: Floats
    lost: Floats
    bad: NDArray[np.bool_]
    off: Floats

    @np.errstate(all="ignore")
    def badness(self, kind: Kind) -> Floats:
        """The constant of each pair, larger where it is worse, less what rounding may have done."""
        worse = 1.0 if kind.better == "smaller" else -1.0
        constant = critical(kind, self.xx, self.xu, self.uu)
        out = worse * constant - moved(
            self.lost, constant, self.xx, uu=self.uu, against_u=uses_u(kind), off=self.off
        )
        noisy = (self.lost > NOISY * np.sqrt(self.uu)) & (self.uu > 0)
        bad = self.bad | np.isnan(out) | ~np.isfinite(self.uu) | noisy
        if uses_u(kind):
            # Δu = 0 says something of a modulus only where it is one exactly
            bad |= self.uu == 0
        return np.where(bad, -np.inf, out)


def decade(size: Floats, count: int = DECADES) -> NDArray[np.int64]:
    """Which of so many decades about 1 a length falls into."""
    least = 10.0 ** -(count // 2)
    at = np.log10(np.where(np.isfinite(size) & (size > 0), size, least))
    return np.asarray(np.clip(np.ceil(at) + count // 2, 0, count - 1), dtype=np.int64)


def by_decades(length: Floats, size: Floats, by: Floats, floor: float) -> Floats:
    """The largest of some errors by decades of ‖z‖ and ‖u‖, shape (DECADES, SIZES).

    Args:
        length, size, by: ‖z‖, ‖u‖ and the error at each point, shape (m,).
        floor: no error is less.
    """
    i, j = decade(length), decade(size, SIZES)
    of_length, table = np.full(DECADES, floor), np.full((DECADES, SIZES), floor)
    np.maximum.at(of_length, i, by)
    np.maximum.at(table, (i, j), by)
    looked_at = np.zeros(table.shape, dtype=bool)
    for near in (-1, 0, 1):
        looked_at[i, np.clip(j + near, 0, SIZES - 1)] = True
    for axis in (0, 1):
        table = np.maximum.accumulate(table, axis=axis)
    return np.where(looked_at, table, np.maximum.accumulate(of_length)[:, None])


def uses_u(kind: Kind) -> bool:
    """Whether it is a modulus against ‖Δu‖²."""
    return bool(kind.form(1)[0] == 0 and kind.form(1)[2] != 0)


def moved(
    lost: Floats,
    constant: Floats,
    xx: Floats,
    uu: Floats,
    against_u: bool,
    off: Floats | float = 0.0,
) -> Floats:
    """How far errors of Δu and, ``off``, of Δx may have moved a constant.

    ∞ or NaN for a modulus against Δu = 0.
    """
    size, length = np.sqrt(uu), np.sqrt(xx)
    if against_u:
        return np.asarray(lost / size * (np.abs(constant) + length / size) + off / size)
    by_u = lost * (np.where(size > 0, np.abs(constant) / size, 0.0) + 1 / length)
    return np.asarray(by_u + off * (size / xx + 2 * np.abs(constant) / length))


def critical(kind: Kind, xx: Floats, xu: Floats, uu: Floats) -> Floats:
    """The constant that makes the form vanish on pairs with ‖Δx‖², ⟨Δx, Δu⟩ and ‖Δu‖² as given.

    It is the zero of the form as a polynomial in the constant, of degree one or purely quadratic.
    """
    f0, linear, square = (a * xx + 2 * b * xu + c * uu for a, b, c in _coefficients(kind))
    with np.errstate(all="ignore"):
        quadratic = np.abs(square) > np.abs(linear)
        out: Floats = np.where(quadratic, np.sqrt(-f0 / square), -f0 / linear)
    return out


@functools.cache
def _coefficients(kind: Kind) -> list[list[float]]:
    """Of 1, the constant and its square in the form; differences of its values would cancel."""
    at = [[Fraction(v) for v in kind.form(constant)] for constant in (0, 1, 2)]
    squares = [(q - 2 * p + o) / 2 for o, p, q in zip(*at, strict=True)]
    linears = [p - o - s for o, p, s in zip(at[0], at[1], squares, strict=True)]
    return [[float(v) for v in form] for form in (at[0], linears, squares)]


@dataclass(frozen=True)
class Found:
    """What a search came to.

    Attributes:
        worst: the constant, rounded away from what it could overstate; ±∞ where no pair counts.
        pair: that shows it, None where there is none.
        spread: the best and the worst of independent searches.
        typical: the median slope of random pairs.
        of: the graph's.
        blurred: whether a worse pair of a modulus may be lost in the rounding of F.
    """

    worst: float
    pair: Pair | None
    spread: tuple[float, float]
    typical: float
    of: Of
    blurred: bool = False

    @property
    def apart(self) -> float:
        """How far the independent searches differ."""
        low, high = sorted(self.spread)
        return high - low if np.isfinite(high - low) else 0.0

    @property
    def note(self) -> str:
        """How it was sought, and how far independent searches differ."""
        low, high = sorted(self.spread)
        how = f"search over pairs, {SEEDS} of {RUNS} runs of up to {ROUNDS} steps"
        if not np.isfinite(low) or high - low <= 1e-6 * max(abs(low), abs(high)):
            return how
        return f"{how}, which came to {low:.6g} to {high:.6g}"


def search(graph: Graph, kind: Kind) -> Found:
    """The worst constant on the pairs of a graph, which keeps the worst pairs for other kinds.

    Raises OpcheckError for an operator that fails its guards.
    """
    d, slow = graph.problem.dim, graph.problem.operator.interpreted
    worse = 1.0 if kind.better == "smaller" else -1.0
    p, q, slopes = _best_of_many(graph, kind)
    work = SEEDS * RUNS * TRIALS * d * max(1.0, d / 64)  # of a round, coordinates and their pairs
    rounds = SLOW if slow else int(np.clip(EFFORT / work, SLOW, ROUNDS))
    p, q, value = (
        _moved_points(graph, kind, p, q, 3 * rounds)
        if kind.star
        else _moved(graph, kind, p, q, rounds)
    )
    tops = [float(v.max(initial=-np.inf)) for v in np.split(value, SEEDS)]
    if not kind.star:
        p, q, value = _halved(graph, kind, p, q, value)
        p, q, value = _turned(graph, kind, p, q, value)
        p, q, value = _moved(graph, kind, p, q, max(rounds // 4, 2))
        tops = [
            max(t, float(v.max(initial=-np.inf)))
            for t, v in zip(tops, np.split(value[: SEEDS * RUNS], SEEDS), strict=True)
        ]
    best = np.argsort(-value, kind="stable")[:8]
    if not kind.star and d <= EXACT:
        value[best] = _confirmed(graph, kind, p[best], q[best], value[best])
        best = best[np.argsort(-value[best], kind="stable")]
    graph.first = np.concatenate([graph.first, p[best]])
    graph.second = np.concatenate([graph.second, q[best]])
    top = float(value[best[0]])
    usual = float(np.median(slopes)) if len(slopes) else 0.0
    spread = worse * min(tops), worse * max(tops)
    if not np.isfinite(top):
        return Found(-worse * np.inf if top < 0 else worse * np.inf, None, spread, usual, graph.of)
    top = max(top, 0.0) if kind is Lipschitz else top
    pair = Pair(p[best[0]], None if kind.star else q[best[0]])
    blurred = False
    if uses_u(kind):
        end = graph.products(p[best[:1]], None if kind.star else q[best[:1]])
        blurred = bool(end.lost[0] > BLURRED * np.sqrt(end.uu[0]))
    return Found(
        worst=worse * top, pair=pair, spread=spread, typical=usual, of=graph.of, blurred=blurred
    )


def _best_of_many(graph: Graph, kind: Kind) -> tuple[Floats, Floats, Floats]:
    """Pairs to move, RUNS of each of SEEDS searches, and the slopes of all that were looked at.

    Half of them are the worst, the others the worst at each distance, so that no scale takes all.
    """
    d, slow = graph.problem.dim, graph.problem.operator.interpreted
    first, second, typical = [], [], []
    pool = POOL // 24 if slow else POOL // 8 if d > 64 else POOL
    room = budget().left  # a quarter of the calls for pairs to start from, half of them to move
    pool = int(np.clip(room / (8 * SEEDS), FEWEST, pool))
    for group in range(SEEDS):
        rng = np.random.default_rng([graph.seed, group])
        p, q = pairs_of(graph, pool, rng)
        if not group and len(graph.first):
            p, q = np.concatenate([graph.first, p]), np.concatenate([graph.second, q])
        if not group and len(graph.bends.at):
            across = graph.bends.step[:, None] * graph.bends.along
            p = np.concatenate([p, graph.inside(graph.bends.at - across)])
            q = np.concatenate([q, graph.inside(graph.bends.at + across)])
        if room < np.inf and not group:
            fine = _fine(graph, rng)  # of few pairs none may be of a scale
            p, q = np.concatenate([p, fine[0]]), np.concatenate([q, fine[1]])
        of = graph.products(p, q)
        with np.errstate(all="ignore"):
            slopes = np.sqrt(of.uu / of.xx)
        typical.append(slopes[np.isfinite(slopes) & (slopes > 0)])
        value = (graph.products(p, None) if kind.star else of).badness(kind)
        kept = np.argsort(-value, kind="stable")[: RUNS // 2]
        apart = np.floor(np.log10(np.maximum(of.xx, 1e-300)) / 2)
        rank = np.lexsort((-value, apart))
        by_scale = rank[np.unique(apart[rank], return_index=True)[1]]
        by_scale = by_scale[np.argsort(-value[by_scale], kind="stable")]
        kept = np.resize(np.concatenate([kept, by_scale[: RUNS - len(kept)]]), RUNS)
        first.append(p[kept])
        second.append(q[kept])
    return np.concatenate(first), np.concatenate(second), np.concatenate(typical)


def _confirmed(graph: Graph, kind: Kind, p: Floats, q: Floats, value: Floats) -> Floats:
    """Values of pairs, no worse than what F read in balls allows where it can be."""
    problem = graph.problem if graph.projects else without_set(graph.problem)
    worse = 1.0 if kind.better == "smaller" else -1.0
    out = value.copy()
    for i, pair in enumerate(zip(p, q, strict=True)):
        of = products(problem, Pair(*pair), graph.of) if np.isfinite(value[i]) else None
        if of is not None and of.exact:
            dots = (np.array([float(v.mid())]) for v in (of.xx, of.xu, of.uu))
            exact = worse * float(critical(kind, *dots)[0])
            out[i] = -np.inf if np.isnan(exact) else min(value[i], exact)
    return out


def met(graph: Graph, kind: Kind) -> tuple[float, Pair | None]:
    """The worst constant on the pairs that all searches met, and one that shows it."""
    worse = 1.0 if kind.better == "smaller" else -1.0
    if not len(graph.first):
        return -worse * np.inf, None
    p, q = graph.first, graph.second
    if kind.star:
        p = np.concatenate([p, q])
    value = graph.products(p, None if kind.star else q).badness(kind)
    best = int(np.argmax(value))
    if value[best] == -np.inf:
        return -worse * np.inf, None
    return worse * float(value[best]), Pair(p[best], None if kind.star else q[best])


# ---- where to look -------------------------------------------------------------------------------


def centres(problem: Problem) -> Floats:
    """0, the solution and the start, those that are known, shape (m, d)."""
    points = [np.zeros(problem.dim), problem.start, problem.solution]
    return np.unique([c for c in points if c is not None and c.size == problem.dim], axis=0)


def points(graph: Graph, count: int, rng: np.random.Generator) -> Floats:
    """``count`` points of the region and, where the graph lies on it, of the set of A."""
    problem, d = graph.problem, graph.problem.dim
    region, middle = problem.region, centres(problem)
    some = middle[rng.integers(len(middle), size=count)]
    scale = 10.0 ** rng.uniform(*SCALES, (count, 1))
    z = some + scale * _directions(count, d, rng)
    uniform = rng.uniform(size=count) < 0.5
    if (region is not None and region.bounded) or region is not None:
        z[uniform] = region.sample(count, d, rng)[uniform]
    else:
        wide = 10.0 ** rng.uniform(-1, 1.5, (count, 1))
        z[uniform] = (some + wide * rng.uniform(-1, 1, (count, d)))[uniform]
    low, high = ends_of(region, d)
    if problem.resolvent.ends is not None and graph.projects:
        low, high = (
            np.maximum(low, problem.resolvent.ends[0]),
            np.minimum(high, problem.resolvent.ends[1]),
        )
    end = np.where(rng.uniform(size=z.shape) < 0.5, low, high)
    share = rng.uniform(size=(count, 1)) * (rng.uniform(size=(count, 1)) < 0.3)
    on_face = (rng.uniform(size=z.shape) < share) & np.isfinite(end)
    z = np.where(on_face, end, z)
    if graph.projects and problem.resolvent.contains is not None:
        z = _in_set(problem, z, rng)
    return z if region is None else region.clip(z)


def _directions(count: int, d: int, rng: np.random.Generator) -> Floats:
    """Unit vectors: random ones, and along few coordinates."""
    v = rng.standard_normal((count, d))
    sparse = rng.uniform(size=count) < 0.3
    keep = rng.uniform(size=(count, d)) < 1.5 / d
    v[sparse] = np.where(keep, v, 0.0)[sparse]
    axis = rng.integers(d, size=count)
    empty = ~v.any(axis=1)
    v[empty, axis[empty]] = 1.0
    return np.asarray(v / np.linalg.norm(v, axis=1, keepdims=True))


def _in_set(problem: Problem, z: Floats, rng: np.random.Generator) -> Floats:
    """Points of the set of A: nearest ones, far corners, and random means of both."""
    count, d = z.shape
    near = resolved(problem, z)
    reach = 10.0 * (1 + np.abs(near).max())
    corners = resolved(problem, reach * 1e3 * _directions(count, d, rng) + z[:1])
    size = np.abs(corners).max()
    if not size < 0.1 * reach * 1e3:  # the set is unbounded
        corners = resolved(problem, reach * _directions(count, d, rng))
    weights = rng.dirichlet(np.full(3, 0.5), count)
    rows = rng.integers(count, size=(3, count))
    stack = np.concatenate([near, corners])[rng.integers(2 * count, size=(3, count))]
    stack[1:] = corners[rows[1:]]
    means = np.einsum("mk,kmd->md", weights, stack)
    share = rng.uniform(size=(count, 1))
    return np.where(share < 0.25, near, np.where(share < 0.5, corners, means))


def resolved(problem: Problem, w: Floats) -> Floats:
    """J_A of points, shape (m, d), without a look at F."""
    z = np.array(w, dtype=float)
    J: Resolvent = problem.resolvent
    kernel = J.kernel
    if not problem.operator.interpreted:
        from numba.core.errors import NumbaError

        try:
            kernel = compiler.jit(J.kernel, "resolvent")
        except NumbaError:
            kernel = J.kernel
    with np.errstate(all="ignore"):
        for row in z:
            kernel(row, 1.0, row, J.data)
    return z


def pairs_of(graph: Graph, count: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Pairs to start from: of random points, of close ones, of corners; of S with normals."""
    problem, d = graph.problem, graph.problem.dim
    p = points(graph, count, rng)
    q = points(graph, count, rng)
    middle = centres(problem)
    out = np.abs(p[:, None] - middle[None]).max(axis=2).min(axis=1)[:, None]
    length = np.where(
        rng.uniform(size=(count, 1)) < 0.5,
        10.0 ** rng.uniform(-6, 0.5, (count, 1)) * np.where(out > 0, out, 1.0),
        10.0 ** rng.uniform(-7, 1, (count, 1)),
    )
    close = rng.uniform(size=count) < 0.6
    q[close] = (p + length * _directions(count, d, rng))[close]
    ends = rng.uniform(size=count) < 0.08
    q[ends] = middle[rng.integers(len(middle), size=int(ends.sum()))]
    if graph.of == "S" and problem.constrained:
        for w in (p, q):
            beyond = w + 10.0 ** rng.uniform(-4, 3, (count, 1)) * _directions(count, d, rng)
            with_normal = rng.uniform(size=count) < 0.5
            w[with_normal] = beyond[with_normal]
    return graph.inside(p), graph.inside(q)


def _fine(graph: Graph, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """A pair of each scale from 1e-8 to 1 about each centre, along one direction."""
    middle = centres(graph.problem)
    scales = np.tile(10.0 ** np.arange(-8.0, 1.0), len(middle))[:, None]
    at = np.repeat(middle, 9, axis=0)
    step = scales * _directions(len(at), graph.problem.dim, rng)
    return graph.inside(at + step), graph.inside(at - step)


# ---- how they are made worse ---------------------------------------------------------------------


def _badness(graph: Graph, kind: Kind, p: Floats, q: Floats) -> Floats:
    return graph.products(p, None if kind.star else q).badness(kind)


def _trials(graph: Graph) -> int:
    """Tries a step; a Python function is asked less often."""
    return 2 if graph.problem.operator.interpreted else TRIALS


def _moved(
    graph: Graph, kind: Kind, p: Floats, q: Floats, rounds: int
) -> tuple[Floats, Floats, Floats]:
    """Random steps of middle, length and direction of pairs."""
    runs, d = p.shape
    trials = _trials(graph)
    rng = np.random.default_rng([graph.seed, 7])
    rows, region = np.arange(runs), graph.problem.region
    size = 1 + np.abs(centres(graph.problem)).max() if region is None else region.size

    def propose(pair: Points, step: Floats) -> Points:
        p, q = pair
        middle, half = p / 2 + q / 2, q / 2 - p / 2
        length = np.linalg.norm(half, axis=1)
        length = np.where(length > 0, length, 1e-6 * size)
        by = step[None, :, None]
        shape = (trials, runs, 1)
        # the middle moves by the pair's own length, by the distance from 0, or by the region
        far = np.stack([length, np.abs(middle).max(axis=1), np.full(runs, size)])
        own = far[rng.integers(3, size=(trials, runs)), rows][:, :, None]
        few = rng.uniform(size=(trials, runs, d)) < np.where(
            rng.uniform(size=shape) < 0.3, 1.5 / d, 1.0
        )
        new_middle = middle + by * own * few * rng.standard_normal((trials, runs, d))
        turn = rng.standard_normal((trials, runs, d)) * few * length[None, :, None] / np.sqrt(d)
        grow = np.exp(by * 2 * rng.standard_normal(shape))
        new_half = (half + by * 2 * turn) * grow
        keep = rng.integers(4, size=shape)
        new_middle = np.where(keep == 0, middle, new_middle)
        new_half = np.where(keep == 1, half, new_half)
        # one end alone, too
        alone = rng.uniform(size=shape) < 0.2
        first = np.where(alone, p, new_middle - new_half)
        return _all_inside(graph, first), _all_inside(graph, new_middle + new_half)

    (p, q), best = climb(
        lambda a, b: _badness(graph, kind, a, b),
        propose,
        (p, q),
        step=np.full(runs, STEP),
        pace=Pace(shrink=0.75, least=1e-8, again=STEP, most=2.0),
        rounds=rounds,
    )
    return p, q, best


def _moved_points(
    graph: Graph, kind: Kind, p: Floats, q: Floats, rounds: int
) -> tuple[Floats, Floats, Floats]:
    """Random steps of single points, against the solution; their partners stay."""
    runs, d = p.shape
    trials = _trials(graph)
    rng = np.random.default_rng([graph.seed, 9])
    rows, zero, region = np.arange(runs), graph.problem.solution, graph.problem.region
    assert zero is not None
    size = 1 + np.abs(centres(graph.problem)).max() if region is None else region.size

    def propose(points: Points, step: Floats) -> Points:
        (p,) = points
        far = np.stack([np.linalg.norm(p - zero, axis=1), np.full(runs, size)])
        own = far[rng.integers(2, size=(trials, runs)), rows][:, :, None]
        few = rng.uniform(size=(trials, runs, d)) < np.where(
            rng.uniform(size=(trials, runs, 1)) < 0.3, 1.5 / d, 1.0
        )
        moved = p + step[None, :, None] * own * few * rng.standard_normal((trials, runs, d))
        return (_all_inside(graph, moved),)

    (p,), best = climb(
        lambda a: _badness(graph, kind, a, a),
        propose,
        (p,),
        step=np.full(runs, STEP),
        pace=Pace(shrink=0.8, least=1e-10, again=STEP, most=2.0),
        rounds=rounds,
    )
    return p, q, best


def _all_inside(graph: Graph, tries: Floats) -> Floats:
    return graph.inside(tries.reshape(-1, tries.shape[-1])).reshape(tries.shape)


def _halved(
    graph: Graph, kind: Kind, p: Floats, q: Floats, value: Floats
) -> tuple[Floats, Floats, Floats]:
    """Pairs cut in two, the worse half kept: by the triangle inequality it loses nothing of L."""
    a, b = p.copy(), q.copy()
    p, q, value = p.copy(), q.copy(), value.copy()
    few = 8 if graph.problem.operator.interpreted else 4 if graph.problem.dim > 64 else 1
    for _ in range(HALVINGS // few):
        if budget().over:
            break
        middle = graph.inside(a / 2 + b / 2)
        halves = np.concatenate([a, middle]), np.concatenate([middle, b])
        left, right = np.split(_badness(graph, kind, *halves), 2)
        nearer = (left >= right)[:, None]
        a, b = np.where(nearer, a, middle), np.where(nearer, middle, b)
        now = np.maximum(left, right)
        better = now > value
        p[better], q[better], value[better] = a[better], b[better], now[better]
    return p, q, value


@np.errstate(all="ignore")
def _turned(
    graph: Graph, kind: Kind, p: Floats, q: Floats, value: Floats
) -> tuple[Floats, Floats, Floats]:
    """More pairs, about the middles of the worst, along the direction in which slopes are worst.

    Differences are taken along a basis of the directions that the set has.
    """
    problem, d = graph.problem, graph.problem.dim
    if budget().over or (problem.operator.interpreted and d > DIRECTIONS):
        return p, q, value
    rng = np.random.default_rng([graph.seed, 8])
    some = points(graph, max(4 * d + 8, 64) if d <= DIRECTIONS else 64, rng)
    basis = np.eye(d)
    if graph.projects:
        u, s, _ = np.linalg.svd((some - some.mean(axis=0)).T, full_matrices=False)
        basis = u[:, s > 1e-9 * max(s[0], 1e-300)].T
    if len(basis) > DIRECTIONS:
        return p, q, value
    worst = np.argsort(-value, kind="stable")[:LOCAL]
    near = graph.bends
    parts = [p[worst] / 2 + q[worst] / 2, some[: 3 * LOCAL]]
    compiled = not problem.operator.interpreted
    if graph.projects and problem.resolvent.contains is not None and compiled:
        far = resolved(problem, 1e4 * (1 + np.abs(some).max()) * _directions(256, d, rng))
        parts.append(np.unique(np.round(far, 12), axis=0)[:CORNERS])
    bases = np.concatenate(parts)
    if graph.projects:
        # at a corner differences are one-sided; a little inside they are not
        bases = np.concatenate([bases, bases + 1e-3 * (some.mean(axis=0) - bases)])
    size = np.abs(bases).max(axis=1)
    size = np.where(size > 1e-12, size, 1.0)
    if graph.about_bends is None:
        graph.about_bends = _differences(graph, near.at, near.step, basis)
    dx, du = (
        np.concatenate(parts)
        for parts in zip(
            _differences(graph, bases, 1e-5 * size, basis), graph.about_bends, strict=True
        )
    )
    bases, t = np.concatenate([bases, near.at]), np.concatenate([1e-5 * size, near.step])
    reach = np.concatenate([size, 1e4 * near.step])
    good = np.isfinite(du).all(axis=2) & (np.linalg.norm(dx, axis=2) > 0.1 * t[:, None])
    lengths = np.array([1e-1, 1e-2, 1e-3, 1e-4, 1e-5])[:, None]
    first, second = [p], [q]
    for i in np.flatnonzero(good.any(axis=1)):
        # slopes along an orthonormal basis of the differences met
        V, s, W = np.linalg.svd(dx[i][good[i]].T, full_matrices=False)
        rank = s > 1e-6 * s[0]
        V, G = V[:, rank], (du[i][good[i]].T @ W.T[:, rank]) / s[rank]
        x = _worst_of(kind, V, G)
        if x is not None:
            # on one side of a bend, at which it was not looked from farther
            half = (reach[i] * lengths if i < len(size) else reach[i] * lengths[-2:]) * x
            first.append(graph.inside(bases[i] - half))
            second.append(graph.inside(bases[i] + half))
    p, q = np.concatenate(first), np.concatenate(second)
    tail = _badness(graph, kind, p[len(value) :], q[len(value) :])
    kept = np.argsort(-tail, kind="stable")[:RUNS]
    rows = np.concatenate([np.arange(len(value)), len(value) + kept])
    return p[rows], q[rows], np.concatenate([value, tail[kept]])


def _differences(graph: Graph, bases: Floats, step: Floats, basis: Floats) -> tuple[Floats, Floats]:
    """Central differences of points and of values along a basis, shape (m, k, d) each."""
    steps = step[:, None, None] * basis
    around = np.concatenate([bases[:, None] + steps, bases[:, None] - steps], axis=1)
    y, u, _ = graph.at(graph.inside(around.reshape(-1, graph.problem.dim)))
    y, u = (v.reshape(-1, 2, len(basis), graph.problem.dim) for v in (y, u))
    return y[:, 0] - y[:, 1], u[:, 0] - u[:, 1]


@np.errstate(all="ignore")
def _bends(graph: Graph) -> Bends:
    """Points on both sides of where slopes along lines through centres change most.

    Kinks may be as thin as they are near to a centre; most lines cross each of them. What bends
    most is halved again and again, and looked at from ever nearer.
    """
    problem, d = graph.problem, graph.problem.dim
    rng = np.random.default_rng([graph.seed, 10])
    each = 2 * BISECTIONS + 4 * d * len(FROM)  # calls for a bend
    room = budget().left
    lines, grid = (2, 4) if d > 16 or room < MANY else (LINES, PER_DECADE)
    count = int(min(room / each, 2 * lines if d > 16 else BENDS))
    scales = 10.0 ** np.arange(-8, 1, 1 / grid)
    scales = np.concatenate([-scales[::-1], scales])
    count = min(count, int((room - lines * len(scales)) / each)) if room < MANY else count
    if count < 1:
        return Bends(np.empty((0, d)), np.empty(0), np.empty((0, d)))
    middle = centres(problem)[np.arange(lines) % len(centres(problem))]
    along = _directions(lines, d, rng)

    def at(line: NDArray[np.int64], t: Floats) -> tuple[Floats, Floats]:
        z, u, _ = graph.at(graph.inside(middle[line] + t[:, None] * along[line]))
        return z, u

    z, u = at(np.repeat(np.arange(lines), len(scales)), np.tile(scales, lines))
    z, u = z.reshape(lines, -1, d), u.reshape(lines, -1, d)
    apart = np.linalg.norm(np.diff(z, axis=1), axis=2, keepdims=True)
    bend = np.linalg.norm(np.diff(np.diff(u, axis=1) / apart, axis=1), axis=2)
    bend[~np.isfinite(bend)] = -1.0
    # the most bent places of each line, no two of them in one decade of its sides
    part = np.sign(scales[1:-1]) * (9 + np.floor(np.log10(np.abs(scales[1:-1]))))
    places: list[tuple[float, int, int]] = []
    for line in range(lines):
        order = np.argsort(-bend[line], kind="stable")
        first_of_part = np.unique(part[order], return_index=True)[1]
        places += [(float(bend[line, i]), line, int(i)) for i in order[np.sort(first_of_part)]]
    places = sorted(places, key=lambda place: -place[0])[:count]
    on = np.array([place[1] for place in places])
    low, high = (scales[[i + k for _, _, i in places]] for k in (0, 2))
    width, here = high - low, _bisected(at, on, low, high)
    distance = np.concatenate([side * width / 2.0**k for k in FROM for side in (-1, 1)])
    on, here = np.tile(on, 2 * len(FROM)), np.tile(here, 2 * len(FROM))
    bases = middle[on] + (here + distance)[:, None] * along[on]
    return Bends(graph.inside(bases), np.abs(distance) / 8, along[on])


@np.errstate(all="ignore")
def _bisected(
    at: Callable[[NDArray[np.int64], Floats], tuple[Floats, Floats]],
    line: NDArray[np.int64],
    low: Floats,
    high: Floats,
) -> Floats:
    """Where on each line, between two of its points, second differences are largest."""
    half = (low + high) / 2
    of_low, of_half, of_high = (at(line, t)[1] for t in (low, half, high))
    rows = np.arange(len(line))
    for _ in range(BISECTIONS):
        if budget().over:
            break
        left, right = (low + half) / 2, (half + high) / 2
        of_left, of_right = at(line, left)[1], at(line, right)[1]
        t = np.stack([low, left, half, right, high])
        u = np.stack([of_low, of_left, of_half, of_right, of_high])
        bend = np.linalg.norm(u[:-2] - 2 * u[1:-1] + u[2:], axis=2)
        most = np.where(np.isfinite(bend), bend, -1.0).argmax(axis=0)
        low, half, high = (t[most + k, rows] for k in range(3))
        of_low, of_half, of_high = (u[most + k, rows] for k in range(3))
    return half


def _worst_of(kind: Kind, V: Floats, G: Floats) -> Floats | None:
    """A unit Δx in the span of V, with Δu = G Vᵀ Δx, on which the form is worst."""
    try:
        if kind is Lipschitz:
            x = np.linalg.svd(G)[2][0]
        elif kind is StronglyMonotone or not uses_u(kind):
            half = V.T @ G
            x = np.linalg.eigh(half + half.T)[1][:, 0]
        else:
            half = V.T @ G
            _, s, w = np.linalg.svd(G, full_matrices=False)
            s = np.maximum(s, 1e-9 * s[0])
            root = w.T / s  # Δx = root y has ‖Δu‖ = ‖y‖
            form = root.T @ (half + half.T) @ root
            x = root @ np.linalg.eigh(form)[1][:, 0]
    except np.linalg.LinAlgError:
        return None
    x = V @ x
    length = np.linalg.norm(x)
    return np.asarray(x / length) if np.isfinite(length) and length > 0 else None


def without_set(problem: Problem) -> Problem:
    """The problem of F alone, of which a solution of F + A is none."""
    if not problem.constrained:
        return problem
    return replace(problem, resolvent=NO_CONSTRAINT, solution=None, project=None)
