"""The worst case of a statement over its hypotheses, as a semidefinite program.

min θ over θ, λ ≥ 0 such that θ bound − measure − Σ λ_i C_i ⪰ 0, where C_i ≥ 0 are the inequalities
that the hypotheses give between the points of the run. Then measure ≤ θ bound for every operator
in every dimension: θ is an upper bound on the largest measured/bound. Solver tolerances prove
nothing; ``certificate`` does.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from opcheck.arguments import asked, integer
from opcheck.engine.budget import available
from opcheck.errors import OpcheckError, warn_once
from opcheck.evidence.statement.places import Place
from opcheck.evidence.worst_case.claim import (
    Claim,
    Coverage,
    Subdifferential,
    claim,
    graph_of,
    memory,
)
from opcheck.evidence.worst_case.conic import conic
from opcheck.evidence.worst_case.conic import seconds as seconds_of
from opcheck.evidence.worst_case.interior_point import BITS, Optimum, optimum
from opcheck.model.result import Result
from opcheck.model.theorem import WORDS_OF_A, Theorem, theorem_of

Floats = NDArray[np.float64]
LONG, HOPELESS = 60.0, 7200.0  # seconds of a program that is announced, or refused
EXACT = 1e-6  # part of a value that a solution may leave open
NOTHING = 1e-11  # times the bound: open as well, since it is as good as nothing
OPEN = 1e-3  # the same, above which nothing is known
RESCALED = 3  # times that a solution which leaves more open is solved for again, rescaled by it
FAR = 1e8  # times the bound, beyond which the solver can't tell a value from none
FAINT = 1e-4  # of the largest vector of a worst case, below which another is taken for this size
ABOVE = 1e-6  # a value further above the bound than this is no solver's rounding
ACTIVE = 1e-5  # a multiplier below this part of the largest counts as absent in a sparse selection


class Unconverged(OpcheckError):
    """The solver stopped before it reached its tolerance."""


@dataclass(frozen=True)
class WorstCase(Result):
    """A statement's worst case at one k.

    Attributes:
        ratio: measured/bound in the worst case, by the solver's word.
        error: of ratio, as the solver's own matrices leave it open.
        value: measured in the worst case at R = 1, where the bound is a multiple of R²; else None.
        bound: that multiple.
        covers: the k that this is about.
        basis, inequalities: sizes.
        active: after a sparse selection, the inequalities used with their multipliers.
        notes: what was rounded.
        A: what A is, in words.
    """

    theorem: str
    k: int
    ratio: float
    error: float
    value: float | None
    bound: float | None
    covers: Coverage
    constants: Mapping[str, str]
    parameters: Mapping[str, str]
    basis: int
    inequalities: int
    seconds: float
    active: tuple[tuple[str, float], ...] = ()
    notes: tuple[str, ...] = ()
    A: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Plain data, for JSON."""
        return {**super().as_dict(), "covers": str(self.covers)}


@asked
def worst(
    theorem: str | Theorem,
    k: int = 1,
    *,
    place: Place = "middle",
    sparse: bool = False,
    precise: bool = False,
    **fixed: Any,
) -> WorstCase:
    """The worst case of a theorem at index k, against its bound at the same parameters.

    Where double precision leaves it open it is solved for again in 400 bits, if it is not large.

    Args:
        place: of the parameters in their ranges: "low", "middle" or "high".
        sparse: also select multipliers, as few as are found.
        precise: solve for it in 400 bits in any case; for a program of some twenty vectors at most.
        fixed: constants and parameters by name, as numbers or formulas.

    Raises OpcheckError where no quadratic form stands behind the statement, no finite bound follows
    from the inequalities, or the solver does not converge.
    """
    entry = theorem_of(theorem)
    begin = time.perf_counter()
    stated = claim(entry, integer(k, "k"), place, fixed)
    if stated.signed:
        raise OpcheckError(
            f"{entry.name}: both sides may be negative, so that no multiple of its bound is a "
            "worst case; certify says whether it holds"
        )
    program = Program(stated)
    solution, notes = _known(program, precise)
    seconds = time.perf_counter() - begin
    active: tuple[tuple[str, float], ...] = ()
    if sparse:
        solution = program.smallest() if isinstance(solution, Optimum) else solution
        few = np.flatnonzero(program.sparse(solution))
        lam = program.smallest(few).lam * program.unit
        active = tuple((describe(stated, int(i)), float(lam[i])) for i in few)
    scale = stated.scale
    bound = None if scale is None else float(scale)
    return WorstCase(
        theorem=entry.name,
        k=stated.setting.k,
        ratio=solution.theta,
        error=solution.error,
        value=None if bound is None else solution.theta * bound,
        bound=bound,
        covers=stated.covers,
        constants={n: str(v) for n, v in stated.setting.constants.items()},
        parameters={n: str(v) for n, v in stated.setting.parameters.items()},
        basis=len(stated.basis),
        inequalities=len(stated.inequalities),
        seconds=seconds,
        active=active,
        notes=(*stated.setting.notes, *notes),
        A=WORDS_OF_A[entry.A],
    )


def _known(program: Program, precise: bool) -> tuple[Solution | Optimum, tuple[str, ...]]:
    """The least θ, and what there is to say of it."""
    solution: Solution | None = None
    stopped: Unconverged | None = None
    if not precise:
        try:
            solution = program.smallest()
        except Unconverged as error:
            stopped = error
        if solution is not None and _within(solution, EXACT):
            return solution, ()
    covers = program.claim.covers
    known = optimum(program.claim)
    if known is not None:
        return known, () if precise else (f"at {covers} solved in {BITS} bits",)
    if solution is not None:
        left = f"the solver leaves worst/bound open by about {solution.error:.0e}"
        return solution, (f"at {covers} {left}",)
    if stopped is not None:
        raise stopped
    theorem, k = program.claim.setting.theorem.name, program.claim.setting.k
    raise Unconverged(
        f"{theorem} at k = {k} is too large for {BITS} bits, or has no least value that is "
        "attained; leave precise out, or take a smaller k"
    )


def _within(solution: Solution, part: float) -> bool:
    """Whether no more than this part of a value is open, or next to nothing of the bound."""
    return solution.error <= max(part * solution.theta, NOTHING)


def each(
    theorem: str | Theorem,
    ks: Sequence[int],
    fixed: Mapping[str, Any] = {},
    *,
    place: Place = "middle",
    sparse: bool = False,
    precise: bool = False,
) -> Iterator[WorstCase]:
    """The worst case at each k; only one where it covers every k."""
    for k in ks:
        case = worst(theorem, k, place=place, sparse=sparse, precise=precise, **fixed)
        yield case
        if case.covers.every:
            return


def describe(stated: Claim, i: int) -> str:
    """An inequality in words, as ``Lipschitz(1) of F at *, F1``."""
    inequality = stated.inequalities[i]
    return f"{stated.properties[inequality.property]} at {', '.join(inequality.pair)}"


@dataclass(frozen=True)
class Solution:
    """What the solver returned: θ, the multipliers, their own duals, and both matrices."""

    status: str
    theta: float
    lam: Floats
    weight: Floats  # dual of λ ≥ 0: where it is the larger of the two, λ is 0
    slack: Floats
    gram: Floats
    heights: Floats  # duals of the equalities on λ: differences of the values of functions
    error: float = float("nan")  # of θ, where θ was minimised


class Program:
    """The forms of a claim in floats, and the programs over them.

    Scaled for the solver: each basis vector to the size that points hold it in, each inequality,
    and the larger of measure and bound, to largest entry 1. A multiplier times
    ``unit`` is the one of the unscaled forms.
    """

    def __init__(self, stated: Claim) -> None:
        self.claim = stated
        self.n = n = len(stated.basis)
        need = memory(n, len(stated.inequalities))
        if need > available():
            raise OpcheckError(
                f"{stated.setting.theorem.name} at k = {stated.setting.k} has {n} basis vectors, "
                f"{len(stated.inequalities)} inequalities and needs about {need / 1e9:.1f} GB, "
                f"more than the {available() / 1e9:.1f} GB that are free; take a smaller k"
            )
        self._announce()
        self.rows, self.columns = upper_triangle(n)
        self.root = np.where(self.rows == self.columns, 1.0, np.sqrt(2.0))
        self.stretch = self._stretch()
        self.forms = self._forms()
        self.balance = stated.balance().astype(float)
        self.measure = self.products(stated.inner(stated.measure))
        self.bound = self.products(stated.inner(stated.bound))
        sizes = np.abs(self.forms).max(axis=1, initial=0.0)
        sizes[sizes == 0] = 1.0
        both = np.concatenate([self.bound, self.measure])
        top = float(np.abs(both).max(initial=0.0)) or 1.0
        self.top = top
        self.unit = top / sizes
        self.forms /= sizes[:, None]
        self.balance *= self.unit / top
        self.measure, self.bound = self.measure / top, self.bound / top

    def _announce(self) -> None:
        """Say that the solver will take long. Raises OpcheckError where it would take hours."""
        entries, count = self.n * (self.n + 1) / 2, len(self.claim.inequalities)
        expected = seconds_of(entries + 2 * count)
        setting = self.claim.setting
        long = f"{expected / 3600:.1f} hours" if expected > 3600 else f"{expected / 60:.0f} minutes"
        said = (
            f"{setting.theorem.name} at k = {setting.k} has {self.n} basis vectors and {count} "
            f"inequalities, for which the solver takes about {long}"
        )
        if expected > HOPELESS:
            raise OpcheckError(f"{said}; take a smaller k")
        if expected > LONG:
            warn_once(f"{said}; Ctrl-C ends it")

    def _stretch(self) -> Floats:
        """For each basis vector the power of two by which points hold it at most."""
        points = [
            [float(c) for c in p] for graph in self.claim.graphs.values() for p, _ in graph.values()
        ]
        most = np.abs(np.array(points or [[1.0] * self.n])).max(axis=0)
        return np.exp2(np.round(np.log2(np.where(most > 0, most, 1.0))))

    def _forms(self) -> Floats:
        """C_i, one a row, in the solver's vector form of symmetric matrices."""
        out = np.zeros((len(self.claim.inequalities), len(self.rows)))
        places = {
            of: {name: i for i, name in enumerate(graph)} for of, graph in self.claim.graphs.items()
        }
        points = {
            of: np.array([[[float(c) for c in v] for v in pair] for pair in graph.values()])
            for of, graph in self.claim.graphs.items()
        }
        points = {of: p / self.stretch for of, p in points.items() if p.size}
        kinds = np.array([q.property for q in self.claim.inequalities])
        for i, prop in enumerate(self.claim.properties):
            which = np.flatnonzero(kinds == i)
            if not which.size:
                continue
            of = graph_of(prop, self.claim.A)
            pairs = np.array(
                [[places[of][n] for n in self.claim.inequalities[q].pair] for q in which]
            )
            d = points[of][pairs[:, 0]] - points[of][pairs[:, 1]]
            a, b, c = (float(v) for v in prop.form())
            x, u = d[:, 0], d[:, 1]
            if prop.kind is Subdifferential:
                x, u = -x, points[of][pairs[:, 0], 1]
            i_, j_ = self.rows, self.columns
            out[which] = a * x[:, i_] * x[:, j_] + c * u[:, i_] * u[:, j_]
            out[which] += b * (x[:, i_] * u[:, j_] + u[:, i_] * x[:, j_])
        return out * self.root

    def products(self, terms: Any) -> Floats:
        """A form in the solver's vector form of symmetric matrices, not scaled."""
        total = np.zeros((self.n, self.n))
        for c, u, v in terms:
            uf = np.array([float(e) for e in u]) / self.stretch
            vf = np.array([float(e) for e in v]) / self.stretch
            total += float(c) * (np.outer(uf, vf) + np.outer(vf, uf)) / 2
        return total[self.rows, self.columns] * self.root

    def vector(self, matrix: Floats) -> Floats:
        """The solver's vector form of a matrix's symmetric part."""
        return (matrix + matrix.T)[self.rows, self.columns] / 2 * self.root

    def matrix(self, vector: Floats) -> Floats:
        """The symmetric matrix behind the solver's vector."""
        full = np.zeros((self.n, self.n))
        full[self.rows, self.columns] = vector / self.root
        return full + full.T - np.diag(np.diag(full))

    def slack(self, theta: float, lam: Floats) -> Floats:
        """θ bound − measure − Σ λ_i C_i."""
        return self.matrix(theta * self.bound - self.measure - lam @ self.forms)

    def smallest(self, only: NDArray[np.int64] | None = None) -> Solution:
        """min θ. Raises OpcheckError where there is none, Unconverged where the solver fails.

        ``only``: of these inequalities, the others left out.
        """
        if only is not None:
            return self._among(only, lambda part: part.smallest())
        name = self.claim.setting.theorem.name
        best = self._least()
        if best.status == "PrimalInfeasible":
            raise OpcheckError(
                f"{name}: no finite bound follows from these inequalities, as far as the solver "
                f"tells: none below {FAR:.0e} times the stated one"
            )
        program, solution = self, best
        for _ in range(RESCALED):
            if _within(best, EXACT) or not np.isfinite(solution.gram).all():
                break
            program = program._rescaled(solution)
            solution = program._least()
            if solution.error < best.error:
                best = self._of(program, solution)
        if not _within(best, OPEN):
            how = best.status
            if np.isfinite(best.error):
                how += f", with an error of about {best.error:.1g} in {best.theta:.4g} x bound"
            raise Unconverged(f"{name}: the solver did not converge ({how}), so nothing is known")
        return best

    def _least(self) -> Solution:
        """min θ, with its error: infinite where the solver does not say that it is solved.

        For a Gram matrix G ⪰ 0 that satisfies the hypotheses, scaled to ⟨bound, G⟩ = 1, the measure
        is θ − Σ λ_i ⟨C_i, G⟩ − ⟨slack, G⟩ ≤ θ + tr G · max(0, −λ_min(slack)); and a G that falls
        short of them by δ_i reaches at most Σ λ_i δ_i more than one that does not. G, and what it
        says of values of functions, are the solver's own worst case, near the true one: twice what
        they say is the error.
        """
        solution = self._solve(first=-self.bound, at=0.0, cost=1.0, nonnegative=True)
        if solution.status != "Solved":
            return replace(solution, error=np.inf)
        solution = self._balanced(solution)
        below = max(0.0, -float(np.linalg.eigvalsh(solution.slack)[0]))
        gram, lam = self.vector(solution.gram), np.maximum(solution.lam, 0.0)
        unequal = np.abs(solution.heights) @ np.abs(self.balance @ lam)
        above = below * float(np.trace(solution.gram)) + float(unequal)
        held = self.forms @ gram + solution.heights @ self.balance
        short = float(np.maximum(-held, 0.0) @ lam)
        reached = (float(self.measure @ gram) - short) / max(float(self.bound @ gram), 1e-300)
        return replace(solution, error=2 * max(above, abs(solution.theta - reached)))

    def _balanced(self, solution: Solution) -> Solution:
        """The nearest multipliers, each in its own size, for which values of functions cancel.

        Those values may be far larger than anything that the solver's own worst case has, so that
        what is left of them is no measure of its error: the slack matrix has to pay for it.
        """
        lam = np.maximum(solution.lam, 0.0)
        if not len(self.balance) or not np.isfinite(lam).all():
            return solution
        weighted = self.balance * lam
        change = np.linalg.lstsq(weighted, -(self.balance @ lam), rcond=None)[0]
        lam = np.maximum(lam * (1 + change), 0.0)
        return replace(solution, lam=lam, slack=self.slack(solution.theta, lam))

    def _rescaled(self, solution: Solution) -> Program:
        """The same program with each basis vector of the length that it has in a worst case.

        An error of the slack matrix counts as often as these lengths say, and at the end of a range
        they may differ by orders of magnitude from what the points suggest.
        """
        lengths = np.sqrt(np.maximum(np.diag(solution.gram), 0.0))
        lengths = np.maximum(lengths, FAINT * max(float(lengths.max(initial=0.0)), 1e-300))
        lengths = np.exp2(np.round(np.log2(lengths)))
        size = lengths[self.rows] * lengths[self.columns]
        forms, measure, bound = self.forms * size, self.measure * size, self.bound * size
        top = float(np.abs([measure, bound]).max(initial=0.0)) or 1.0
        sizes = np.abs(forms).max(axis=1, initial=0.0)
        sizes[sizes == 0] = 1.0
        other = copy.copy(self)
        other.stretch, other.top = self.stretch / lengths, self.top * top
        other.unit = self.unit * top / sizes
        other.measure, other.bound = measure / top, bound / top
        other.forms, other.balance = forms / sizes[:, None], self.balance / sizes
        return other

    def _of(self, other: Program, solution: Solution) -> Solution:
        """A solution of this program rescaled, as one of this program."""
        lengths = self.stretch / other.stretch
        size, top = np.outer(lengths, lengths), other.top / self.top
        unit = other.unit / self.unit
        return replace(
            solution,
            lam=solution.lam * unit,
            weight=solution.weight / unit,
            slack=solution.slack * top / size,
            gram=solution.gram * size / top,
            heights=solution.heights / top,
        )

    def margin(self, theta: float, only: NDArray[np.int64] | None = None) -> Solution:
        """At fixed θ, multipliers that keep the slack matrix as far inside as possible.

        ``only``: of these inequalities, the others left out.
        """
        if only is not None:
            return self._among(only, lambda part: part.margin(theta))
        identity = (self.rows == self.columns).astype(float)
        return self._solve(first=identity, at=theta, cost=-1.0, cap=1.0)

    def _among(self, only: NDArray[np.int64], solve: Callable[[Program], Solution]) -> Solution:
        part = copy.copy(self)
        part.forms, part.balance = self.forms[only], self.balance[:, only]
        part.balance = part.balance[part.balance.any(axis=1)]
        solution = solve(part)
        lam, weight = np.zeros(len(self.forms)), np.full(len(self.forms), np.inf)
        lam[only], weight[only] = solution.lam, solution.weight
        return replace(solution, lam=lam, weight=weight)

    def lightest(self, theta: float, weights: Floats) -> Solution:
        """At fixed θ, multipliers of least weighted sum."""
        return self._solve(first=None, at=theta, cost=0.0, weights=weights)

    def sparse(self, start: Solution, rounds: int = 6) -> Floats:
        """Multipliers that prove θ(1 + 1e-7), as few as reweighting finds."""
        theta = start.theta + 1e-7 * max(1.0, start.theta)
        lam = start.lam
        for _ in range(rounds):
            top = max(float(lam.max(initial=0.0)), 1e-12)
            solution = self.lightest(theta, 1.0 / (np.maximum(lam, 0) / top + 1e-3))
            if solution.status not in ("Solved", "AlmostSolved"):
                break
            lam = solution.lam
        return np.where(lam > ACTIVE * max(float(lam.max(initial=0.0)), 1e-12), lam, 0.0)

    def _solve(
        self,
        first: Floats | None,
        at: float,
        cost: float,
        weights: Floats | None = None,
        nonnegative: bool = False,
        cap: float | None = None,
    ) -> Solution:
        """min cost·t + weights·λ such that at·bound − measure − Σ λ C − first·t ⪰ 0."""
        from scipy import sparse

        m = len(self.forms)
        t = np.zeros(len(self.rows)) if first is None else first
        unit = (float(np.abs(t).max(initial=0.0)) or 1.0) if nonnegative else 1.0
        t = t / unit
        top = sparse.csc_matrix(np.column_stack([t, self.forms.T]))
        size = int(nonnegative or cap is not None)
        sign = -1.0 if nonnegative else 1.0
        line = sparse.csc_matrix(([sign], ([0], [0])), shape=(1, m + 1)) if size else None
        below = sparse.hstack([sparse.csc_matrix((m, 1)), -sparse.eye(m)], format="csc")
        equal = np.column_stack([np.zeros(len(self.balance)), self.balance])
        parts = (top, below, line, sparse.csc_matrix(equal) if len(equal) else None)
        A = sparse.vstack([p for p in parts if p is not None], format="csc")
        last = [cap or 0.0] if size else []
        b = np.concatenate(
            [at * self.bound - self.measure, np.zeros(m), last, np.zeros(len(equal))]
        )
        q = np.concatenate([[cost], np.zeros(m) if weights is None else weights])
        cones = [("PSDTriangle", self.n), ("Nonnegative", m + size)]
        cones += [("Zero", len(equal))] if len(equal) else []
        status, x, z = conic(q, A, b, cones)
        z = z / unit
        count = len(self.rows)
        theta = float(x[0]) / unit if nonnegative else at
        return Solution(
            status=status,
            theta=theta,
            lam=x[1 : m + 1],
            weight=z[count : count + m],
            slack=self.slack(theta, np.maximum(x[1 : m + 1], 0.0)),
            gram=self.matrix(z[:count]),
            heights=z[count + m + size : count + m + size + len(equal)],
        )


def upper_triangle(n: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Row and column of the upper triangle, column by column."""
    columns, rows = np.tril_indices(n)
    return rows.astype(np.int64), columns.astype(np.int64)
