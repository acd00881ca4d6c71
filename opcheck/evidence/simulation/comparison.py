"""One theorem on one problem: measured and bound compared at every k of every run."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from opcheck.evidence.simulation.runs import Run, runs
from opcheck.evidence.simulation.units import CANCELLED, SMALLEST, rounding, squared_point
from opcheck.evidence.statement.evaluation import plan, sides
from opcheck.evidence.statement.hypotheses import Constants
from opcheck.evidence.statement.parameters import Values, entered, settle
from opcheck.evidence.statement.switches import Turns
from opcheck.model.method import Method
from opcheck.model.problem import Problem
from opcheck.model.theorem import Theorem
from opcheck.model.verdict import Status, Verdict, worst

UNDECIDABLE = 0.1  # rounding above this share of both sides: float64 says nothing, the floor
EVALUATED = 2.0**-30  # of the larger side: the rest, and resolvents found to their tolerance
LARGEST = 1e150  # products of records beyond it overflow, and differences of them are NaN
OTHER_UNITS = "measure F or z in other units"


@dataclass(frozen=True)
class Comparison:
    """One run, compared.

    Attributes:
        known: the constants it was run with.
        weak: they are weaker than the problem's best.
        far: it is of a run beyond the horizon, to where a text has switched.
        behind: part of the statement's texts that switches -> number of k decided, or left to
            balls, at and after the last k at which it does.
        positive: whether the bound is positive, at each k.
        ratio: measured/bound at each k; where the bound is not positive, 1 plus the excess over
            it, in units of both sides; NaN where nothing was compared.
        close: k that float64 leaves open and balls may decide.
        compared: number of k that float64, and then balls, decided.
        excess: measured/bound - 1 at the k that balls decided, as they have it.
    """

    known: Constants
    values: Values
    horizon: int
    ratio: NDArray[np.float64]
    close: list[int]
    status: Status
    reason: str = ""
    decided: str = "float64"
    profile: tuple[float, ...] = ()
    compared: int = 0
    excess: dict[int, float] = field(default_factory=dict)
    weak: bool = False
    far: bool = False
    behind: Mapping[str, int] = field(default_factory=dict)
    switches: Mapping[str, Turns] = field(default_factory=dict)
    positive: NDArray[np.bool_] = field(default_factory=lambda: np.ones(0, dtype=bool))

    @property
    def k(self) -> int:
        """The last k at which measured/bound is largest."""
        if np.isnan(self.ratio).all():  # or empty
            return 0
        return len(self.ratio) - 1 - int(np.nanargmax(self.ratio[::-1]))


def compare(
    theorem: Theorem,
    problem: Problem,
    known: Constants,
    *,
    method: Method | None = None,
    scale: float = 1.0,
    fixed: Mapping[str, Any] = {},
    weaken: bool = False,
) -> list[Comparison]:
    """Run a theorem's method on a problem with admissible parameters and compare at every k.

    Args:
        known: constants of the hypotheses.
        method: another text for the method (a mutant).
        scale: factor on the bound (a mutant).
        fixed: parameters to use instead of the sample; all of them.
        weaken: also run with some constants weaker than ``known``.

    Raises Empty where no parameter is admissible, OpcheckError for fixed parameters outside.
    """
    method = method or theorem.iteration
    recorded = runs(theorem, problem, known, method=method, fixed=fixed, weaken=weaken)
    return [
        replace(judge(theorem, run, scale=scale), weak=run.known is not known, far=run.far)
        for run in recorded
    ]


def judge(theorem: Theorem, run: Run, *, scale: float = 1.0) -> Comparison:
    """Measured and bound of one run compared at each k, and what stands in the way of that."""
    count = plan(theorem).count(run.horizon)
    if run.ended is not None:
        whole = all(np.isfinite(series[run.ended]) for series in run.record.values())
        count = min(count, run.ended + whole - plan(theorem).in_steps)
    with np.errstate(all="ignore"):
        left, right, error = (side[:count] for side in _sides(theorem, run, scale))
        comparison = _by_difference(theorem, run, left, right, error)
        status, reason = _doubt(theorem, run, comparison, left, right)
    if not reason:
        return comparison
    return replace(comparison, status=status, reason=reason, close=[])


def _sides(
    theorem: Theorem, run: Run, scale: float
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Measured, bound, and how far rounding may have moved their difference, at every k.

    The texts are evaluated once more for each recorded sequence moved by its rounding, and for the
    symbols moved by theirs, so what cancels in them is seen.
    """

    def both(scope: Values, series: Mapping[str, NDArray[np.float64]]) -> list[NDArray[Any]]:
        left, right = sides(theorem, plan(theorem), scope, series, run.horizon)
        return [left, right * scale]

    values, record = run.values, run.record
    allowance = {}
    for key, series in record.items():
        size = squared_point(theorem, run.known, values, extent=run.extent, name=key)
        allowance[key] = rounding(series, size, run.dim, plan(theorem).takes[key].in_step)
    settled = dict(values)
    settle(theorem, settled)
    here = both(settled, record)
    error = EVALUATED * np.fmax(np.abs(here[0]), np.abs(here[1]))
    moved = [both(settled, {**record, key: record[key] + allowance[key]}) for key in record]
    symbols = [n for n, v in values.items() if isinstance(v, float) and n not in theorem.let]
    for turn in (1, -1):
        scope = {n: v for n, v in values.items() if n not in theorem.let}  # they follow
        for i, name in enumerate(n for n in symbols if n != "K"):
            share = CANCELLED + (_lost(values[name]) if name == "R" else 0.0)
            scope[name] = values[name] * (1 + share * turn**i)
        moved.append(both(scope, record))
    for there in moved:
        for a, b in zip(here, there, strict=True):
            error = error + np.abs(b - a)
    return here[0], here[1], error


def _lost(R: float) -> float:
    """Relative accuracy that R loses where its square is too small for a float."""
    return SMALLEST / R / R if R else 0.0


def _by_difference(
    theorem: Theorem,
    run: Run,
    left: NDArray[np.float64],
    right: NDArray[np.float64],
    error: NDArray[np.float64],
) -> Comparison:
    """Compare by the difference: above, below, or within what rounding may have moved it."""
    gap, value = left - right, np.fmax(np.abs(left), np.abs(right))
    finite = np.isfinite(gap) & np.isfinite(error)
    finite[: theorem.first] = False
    above, below = finite & (gap > error), finite & (gap < -error)
    close = finite & ~above & ~below & (error <= UNDECIDABLE * value) & (value > 0)
    ratio = np.where(right > 0, left / right, 1 + gap / (np.abs(left) + np.abs(right)))
    ratio[~(above | below | close)] = np.nan
    if run.far:  # balls do not go so far
        ratio[close], close[:] = np.nan, False
    told = above | below | close | (finite & (left == 0) & (right == 0))
    broken = above | below if theorem.claim == "equality" else above
    comparison = Comparison(
        run.known,
        run.values,
        run.horizon,
        ratio,
        close=np.flatnonzero(close).tolist(),
        status="violated" if broken.any() else "holds",
        compared=int(above.sum() + below.sum()),
        profile=_profile(ratio, right) if run.horizon == max(theorem.horizons) else (),
        positive=right > 0,
        behind={
            part: int(
                told[max(turns.at) if turns.of_k else 0 :].sum() * (max(turns.at) <= run.horizon)
            )
            for part, turns in run.switches.items()
        },
        switches=run.switches,
    )
    if theorem.claim != "must fail":
        return comparison
    comparison = replace(comparison, status="holds", close=[], profile=())
    if not comparison.compared or above.any():
        return comparison
    return replace(comparison, status="violated", reason="it was to fail, and nothing failed")


def _doubt(
    theorem: Theorem,
    run: Run,
    comparison: Comparison,
    left: NDArray[np.float64],
    right: NDArray[np.float64],
) -> tuple[Status, str]:
    """The status that a run's end leaves to its comparison, and the reason; "" for none."""
    status, reason = _unsaid(theorem, run, comparison, left, right)
    if run.ended is not None and not comparison.compared and (reason or not comparison.close):
        reason = f"a square is beyond what a float64 holds, at k = {run.ended}; {OTHER_UNITS}"
    if run.lost is not None:
        status, reason = "error", f"the iterate is NaN at k = {run.lost}"
    if run.outside and status != "inconclusive":
        status, reason = "inconclusive", f"the run leaves {run.outside}"
    return status, reason


def _unsaid(
    theorem: Theorem,
    run: Run,
    comparison: Comparison,
    left: NDArray[np.float64],
    right: NDArray[np.float64],
) -> tuple[Status, str]:
    """Where a value is missing, or nothing was compared: the status, and the reason."""
    first, status = theorem.first, comparison.status
    if first >= len(left):
        return status, f"the statement is about k ≥ {first}, and the run ends at k = {run.horizon}"
    if status == "violated":
        return status, comparison.reason  # at an earlier k
    series = [values[: len(left)] for values in run.record.values()]
    missing = np.isnan(np.sum(series, axis=0))[first:] if series else np.zeros(0, dtype=bool)
    infinite = bool(series) and bool(np.nanmax(np.abs(series), initial=0.0) > LARGEST)
    unknown = (np.isnan(left) | np.isnan(right))[first:]
    if missing.any():
        k = first + np.flatnonzero(missing)[-1]
        return "inconclusive", f"NaN at k = {k}: the resolvent of the sum was not found"
    if unknown.any() and not infinite:
        k = first + np.flatnonzero(unknown)[0]
        side = "measured" if np.isnan(left[k]) else "the bound"
        return "inconclusive", f"{side} has no value at k = {k}"
    if comparison.compared or comparison.close:
        return status, ""
    rest = np.append(left[first:], right[first:])
    if run.values.get("R") == 0:
        return status, "the run starts at the solution, and nothing moves"
    if infinite or not np.isfinite(rest).any() or np.isinf(right[first:]).all():
        said = "measured or bound is infinite, or a square is beyond what a float64 holds"
        return status, f"{said}; {OTHER_UNITS}"
    if np.nanmax(np.abs(rest)) < SMALLEST / np.finfo(float).eps:
        return status, f"the squares are below what a float64 holds; {OTHER_UNITS}"
    return status, "measured and bound are within the rounding of float64 at every k"


def _profile(ratio: NDArray[np.float64], right: NDArray[np.float64]) -> tuple[float, ...]:
    """Slope of the bound in log k, then the largest ratio in [K/8, K/4), [K/4, K/2), [K/2, K]."""
    edges = [len(ratio) // 8, len(ratio) // 4, len(ratio) // 2, len(ratio)]
    k = np.arange(edges[0], edges[3])
    tail = right[edges[0] :]
    if edges[0] < 2 or not (tail > 0).all() or not np.isfinite(tail).all():
        return ()
    slope = float(np.polyfit(np.log(k + 1), np.log(tail), 1)[0])
    tops = [float(np.fmax.reduce(ratio[a:b])) for a, b in itertools.pairwise(edges)]
    return (slope, *(0.0 if np.isnan(t) else t for t in tops))


def _envelope(profiles: Sequence[tuple[float, ...]]) -> list[float]:
    used = [p for p in profiles if p]
    if not used:
        return []
    slope = float(np.median([p[0] for p in used]))
    return [slope, *(max(p[i] for p in used) for i in (1, 2, 3))]


def conclude(theorem: Theorem, blank: Verdict, compared: Sequence[Comparison]) -> Verdict:
    """One verdict from the comparisons of all runs; ``blank`` names theorem and problem.

    Without a single decided comparison it is inconclusive. A run with weaker constants that decides
    nothing is left out of account.
    """
    if not compared:
        return replace(blank, status="inconclusive", reason="no admissible run is affordable here")
    # runs with weaker constants, and far ones, are further tries: silence takes nothing back
    telling = [c for c in compared if not ((c.weak or c.far) and c.status == "inconclusive")]
    if any(c.compared for c in telling):
        compared = telling
    # the run that decides: of the most severe status, the one with the largest ratio
    status = worst([c.status for c in compared])
    pool = (
        [c for c in compared if c.status == status] if status in ("violated", "error") else compared
    )
    if theorem.claim == "must fail" and status == "holds" and not _exceeded(compared):
        status = "inconclusive"

    def key(c: Comparison) -> tuple[float, float]:
        top, more = float(c.ratio[c.k]) if len(c.ratio) else -1.0, c.excess.get(c.k, 0.0)
        if np.isnan(top):
            return -1.0, 0.0
        return (abs(top - 1), abs(more)) if theorem.claim == "equality" else (top, more)

    top = max(pool, key=key)
    reasons = [c.reason for c in compared if c.status == status and c.reason]
    count = sum(c.compared for c in compared)
    if not count and status in ("holds", "attained"):
        status = "inconclusive"
    if status in ("holds", "attained"):
        reasons = []
    decided = next((c.decided for c in compared if c.decided != "float64"), "float64")
    shown = {n: float(v) for n, v in top.values.items() if np.ndim(v) == 0 and n not in ("k", "j")}
    value = key(top)[0] if theorem.claim != "equality" else float(top.ratio[top.k])
    cover: dict[str, dict[str, int]] = {}
    for c in compared:
        for symbol, part in entered(theorem, c.values).items() if c.compared else ():
            cover.setdefault(symbol, {}).setdefault(part, 0)
            cover[symbol][part] += c.compared
        for part, behind in c.behind.items() if c.status not in ("inconclusive", "error") else ():
            parts = cover.setdefault("k", {})
            parts[f"past {part}"] = parts.get(f"past {part}", 0) + behind
    return replace(
        blank,
        status=status,
        reason=reasons[0] if reasons else "",
        ratio=0.0 if np.isnan(value) or key(top)[0] < 0 else value,
        excess=top.excess.get(top.k),
        k=top.k,
        positive=not len(top.positive) or bool(top.positive[top.k]),
        parameters=shown,
        runs=len(compared),
        compared=count,
        profile=tuple(_envelope([c.profile for c in compared])),
        decided=decided,
        entered=cover,
        switches={f"past {part}": max(t.at) for c in compared for part, t in c.switches.items()},
    )


def _exceeded(compared: Sequence[Comparison]) -> bool:
    """Whether some run decided on a k at which the bound is exceeded."""
    return any(c.compared and np.nanmax(c.ratio, initial=0.0) > 1 for c in compared)
