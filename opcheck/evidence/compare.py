"""One theorem on one problem: admissible runs, and a comparison at every k."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from opcheck.engine.run import Take, run_batch, take
from opcheck.errors import OpcheckError
from opcheck.evidence.choices import Values, check, choices, conditions_hold, settle
from opcheck.evidence.hypotheses import Constants
from opcheck.model.method import Method
from opcheck.model.problem import Problem
from opcheck.model.text import FLOAT, Arithmetic, text
from opcheck.model.theorem import Theorem
from opcheck.model.verdict import Status, Verdict, worst

SOLVE = 50  # operator calls that a resolvent of the sum is taken to cost
WORK_LIMIT = 5e5  # operator calls times size that one run may cost; the horizon gives way to it
RUNAWAY = 1e60  # norm at which a run counts as diverged: sums of squares must not overflow
UNDECIDABLE = 0.1  # a rounding budget above this means that float64 says nothing: the floor


@dataclass(frozen=True)
class Plan:
    """What a theorem records: measures by their written form, and how many k it speaks of."""

    takes: Mapping[str, Take]
    ahead: frozenset[str]
    in_steps: bool

    def count(self, horizon: int) -> int:
        """Number of comparisons up to the horizon."""
        return horizon if self.in_steps else horizon + 1


def plan(theorem: Theorem) -> Plan:
    """Read off the texts what must be recorded."""
    texts = [theorem.left, theorem.right]
    recorded = {key: take(*use) for t in texts for key, use in t.recorded.items()}
    ahead = frozenset(key for t in texts for key in t.ahead)
    shifted = bool(ahead) or any(t.in_step for t in recorded.values())
    return Plan(recorded, ahead, shifted)


def sides(
    theorem: Theorem,
    plan: Plan,
    values: Values,
    record: Mapping[str, NDArray[Any]],
    horizon: int,
    arithmetic: Arithmetic = FLOAT,
    keep: Mapping[str, Any] = {},
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Measured and bound at every k, from recorded values (index k = 0..horizon)."""
    count = plan.count(horizon)
    scope = dict(values)
    settle(theorem, scope, arithmetic, keep)
    for name, value in scope.items():
        if isinstance(value, np.ndarray) and value.ndim:
            scope[name] = value[:count]
    for key, series in record.items():
        begin = 1 if plan.takes[key].in_step else 0
        scope[key] = series[begin : begin + count]
        scope[f"next {key}"] = series[begin + 1 : begin + 1 + count]
    blank = np.ones(count) if arithmetic is FLOAT else np.full(count, 1, dtype=object)
    left = theorem.left.evaluate(scope, arithmetic) * blank
    right = theorem.right.evaluate(scope, arithmetic) * blank
    return left, right


@dataclass
class Comparison:
    """One run, compared."""

    values: Values
    horizon: int
    ratio: NDArray[np.float64]
    close: list[int]  # k that float64 leaves open
    status: Status
    reason: str = ""
    decided: str = "float64"
    profile: tuple[float, ...] = ()

    @property
    def k(self) -> int:
        """The last k at which measured/bound is largest."""
        if np.isnan(self.ratio).all():
            return 0
        return len(self.ratio) - 1 - int(np.nanargmax(self.ratio[::-1]))


def compare(
    theorem: Theorem,
    problem: Problem,
    known: Constants,
    method: Method | None = None,
    scale: float = 1.0,
    fixed: Mapping[str, Any] = {},
) -> list[Comparison]:
    """Run a theorem's method on a problem with admissible parameters and compare at every k.

    Args:
        known: constants of the hypotheses.
        method: another text for the method (a mutant).
        scale: factor on the bound (a mutant).
        fixed: parameters to use instead of the sample; all of them.

    Raises Empty where a range is empty on the problem, OpcheckError for fixed parameters outside.
    """
    method = method or theorem.method
    jobs = _jobs(theorem, problem, method, known, fixed)
    recording = plan(theorem)
    compared: list[Comparison] = []
    for horizon, group in itertools.groupby(sorted(jobs, key=lambda j: j[0]), lambda j: j[0]):
        runs = [values for _, values in group]
        compared += _compare(theorem, problem, method, recording, known, horizon, runs, scale)
    return compared


def needs_solution(theorem: Theorem) -> bool:
    """Whether the statement speaks of the solution: by R, or by a measure taken to it."""
    names = set(theorem.left.names | theorem.right.names)
    for formula in theorem.let.values():
        names |= text(formula).names
    return "R" in names or any("solution" in t.rows for t in plan(theorem).takes.values())


def _solves_sum(kernel: Callable[..., Any]) -> bool:
    """Whether a text takes the resolvent of the sum: dear, and NaN where it is not found."""
    return "resolvent_of_sum" in kernel.__code__.co_names


def _jobs(
    theorem: Theorem,
    problem: Problem,
    method: Method,
    known: Constants,
    fixed: Mapping[str, Any],
) -> list[tuple[int, Values]]:
    size = max(1.0, problem.operator.data.size / 10, problem.dim / 2)
    solves = sum(_solves_sum(t.measure.kernel) for t in plan(theorem).takes.values())
    solve = SOLVE * (_solves_sum(method.kernel) or solves > 0) or 1
    jobs: list[tuple[int, Values]] = []
    seen: set[tuple[float, ...]] = set()
    for horizon in theorem.horizons:
        sample = (
            [_fixed(theorem, known, horizon, fixed)] if fixed else choices(theorem, known, horizon)
        )
        for values in sample:
            calls = np.maximum(method.calls_at(values), solve) + SOLVE * solves
            step = size * float(np.max(calls))
            if step > 4 * WORK_LIMIT and not fixed:
                continue  # one step costs too much here; smaller problems try this edge
            affordable = int(WORK_LIMIT / step)
            here = min(horizon, max(affordable, 1))
            if here < horizon:
                again = {c.name: values[c.name] for c in theorem.chains}
                values = _fixed(theorem, known, here, again)
            key = (here, *(float(values[c.name]) for c in theorem.chains))
            if key in seen:
                continue  # two horizons, cut to the same affordable one
            seen.add(key)
            radius = problem.solution_near(problem.start)
            if radius is not None:
                values["R"] = float(np.linalg.norm(problem.start - radius))
            jobs.append((here, values))
    return jobs


def _fixed(theorem: Theorem, known: Constants, horizon: int, fixed: Mapping[str, Any]) -> Values:
    k = np.arange(horizon + 1.0)
    values: Values = {**known.values, "K": float(horizon), "k": k, "j": k, **fixed}
    conditions_hold(theorem, values)
    own = [c.name for c in theorem.chains]
    for name, value in fixed.items():
        if name not in own:
            open_ = ", ".join(own) or "nothing"
            raise OpcheckError(f"{theorem.name} leaves {open_} to choose, not {name}")
        if not isinstance(value, int | float | np.number):
            raise OpcheckError(f"{theorem.name}: {name} = {value!r} is not a number")
    missing = [c for c in own if c not in values]
    if missing:
        raise OpcheckError(f"{theorem.name} needs a value for {', '.join(missing)}")
    check(theorem, values)
    return values


def parameters_of(method: Method, values: Mapping[str, Any]) -> dict[str, Any]:
    """The method's parameters among a theorem's symbols."""
    return {p.name: values[p.symbol] for p in method.parameters if p.symbol in values}


def _compare(
    theorem: Theorem,
    problem: Problem,
    method: Method,
    recording: Plan,
    known: Constants,
    horizon: int,
    runs: list[Values],
    scale: float,
) -> list[Comparison]:
    takes = dict(recording.takes)
    watched = {f"max_norm({p})": take("max_norm", (p,)) for p in method.points}
    watch = problem.region is not None and known.local
    ordered = [*takes.values(), *(watched.values() if watch else ())]
    batch = run_batch(
        problem,
        method,
        [parameters_of(method, v) for v in runs],
        range(horizon + 1),
        ordered,
        limit=RUNAWAY,
    )
    out = []
    for i, values in enumerate(runs):
        with np.errstate(over="ignore"):
            farthest = float(np.linalg.norm(problem.start) + np.linalg.norm(batch.state[i, 0]))
        record = {key: batch.record[i, j] for j, key in enumerate(takes)}
        if batch.status[i]:
            for series in record.values():
                series[abs(int(batch.status[i])) - 1 :] = np.inf if batch.status[i] > 0 else np.nan
        with np.errstate(all="ignore"):
            left, right = sides(theorem, recording, values, record, horizon)
            right = right * scale
            if batch.status[i] > 0 and theorem.claim == "equality":
                last = int(np.flatnonzero(~np.isfinite(left + right))[0])
                left, right = left[:last], right[:last]
            elif batch.status[i] > 0:
                # past the norm limit, infinite against infinite says nothing
                lost = np.isnan(left) | np.isnan(right)
                left[lost], right[lost] = 0.0, np.inf
            terms = np.zeros(len(left))
            for series in record.values():
                # a recorded sequence stands in the texts at k or, by next, at k + 1
                both = np.fmax(series, np.append(series[1:], series[-1]))
                terms = np.fmax(terms, both[: len(left)])
            one = _judge(theorem, problem, values, horizon, left, right, farthest, terms)
            if batch.status[i] < 0 and not _solves_sum(method.kernel):
                k = -int(batch.status[i]) - 1
                one.status, one.reason, one.close = "error", f"the iterate is NaN at k = {k}", []
        if watch and one.status != "inconclusive":
            assert problem.region is not None
            reach = np.fmax.reduce(batch.record[i, len(takes) :], axis=0)
            outside = np.flatnonzero(~(reach <= problem.region.radius * (1 + 1e-12)))
            if outside.size:
                one.status, one.close = "inconclusive", []
                one.reason = (
                    f"the run leaves the region ‖z‖∞ ≤ {problem.region.radius:g} on which the "
                    f"constants hold, at k = {outside[0]}"
                )
        out.append(one)
    return out


def budget(
    left: NDArray[np.float64],
    right: NDArray[np.float64],
    dim: int,
    size: float,
    terms: NDArray[np.float64] | float = 0.0,
) -> NDArray[np.float64]:
    """Relative error that float64 may have made in measured/bound at each k.

    Each step rounds z by some ulp of its size, (k + 1)(d + 10)·8ε in all where the iteration does
    not amplify; in a squared measure that weighs as the root of ``size`` (a squared point, as the
    measure sees it) over its present value. ``terms`` is how large what the texts add up and may
    cancel is at each k. The constant part covers the rest of their evaluation. It is an allowance
    for rounding, not a tolerance: within it float64 decides nothing.
    """
    k = np.arange(len(left), dtype=float)
    step = (k + 1) * (dim + 10) * 8 * np.finfo(float).eps
    size = max(size, float(np.abs(left[0])), float(np.abs(right[np.isfinite(right)][:1].sum())))
    with np.errstate(divide="ignore", invalid="ignore"):
        value = np.fmax(np.abs(left), np.abs(right))
        root = np.sqrt(size / value)
        cancelled = 64 * np.finfo(float).eps * terms / value
    lost = 2 * step * root + cancelled
    return 2.0**-30 + np.where(np.isfinite(lost), lost, np.inf)


def _judge(
    theorem: Theorem,
    problem: Problem,
    values: Values,
    horizon: int,
    left: NDArray[np.float64],
    right: NDArray[np.float64],
    farthest: float,
    terms: NDArray[np.float64],
) -> Comparison:
    centre = problem.solution_near(problem.start)
    size = farthest**2 + (0 if centre is None else float(centre @ centre))
    # a parameter above 1, as an over-relaxation, multiplies what was rounded
    weights = [
        abs(float(v)) for v in parameters_of(theorem.method, values).values() if np.ndim(v) == 0
    ]
    weight = max(1.0, values.get("L", 1.0), *weights) ** 2
    allowance = budget(left, right, problem.dim, size * weight, terms * weight)
    allowance[np.isinf(left)] = 0.0  # it left the numbers: that is no rounding
    ratio = np.where(left == right, 1.0, left / right)
    ratio = np.where((left == 0) & (right >= 0), 0.0, ratio)
    ratio = np.where((right < 0) & (left > right), np.inf, ratio)  # a bound below 0 is broken
    if values.get("R") == 0:
        ratio = np.zeros_like(ratio)  # it starts at the solution: 0 against 0
    ratio[: theorem.first] = np.nan
    finite = np.isfinite(left) & np.isfinite(right)
    ratio[finite & (allowance > UNDECIDABLE)] = np.nan
    ratio[np.isinf(left) & np.isinf(right)] = np.nan
    unknown = np.isnan(left) | np.isnan(right)
    if unknown[theorem.first :].any():
        reason = f"NaN at k = {np.flatnonzero(unknown)[-1]}: the resolvent of the sum was not found"
        return Comparison(values, horizon, ratio, [], "inconclusive", reason)
    if theorem.claim == "equality":
        violated = np.abs(ratio - 1) > allowance
        close = np.abs(ratio - 1) <= allowance
    elif theorem.claim == "must fail":
        broken = bool((ratio > 1 + allowance).any())
        status: Status = "holds" if broken else "violated"
        reason = "" if broken else "it was to fail, and nothing failed"
        return Comparison(values, horizon, ratio, [], status, reason)
    else:
        violated = ratio > 1 + allowance
        # a bound below 0 by rounding alone is as open as a ratio close to 1
        gap = np.abs(left - right) <= allowance * np.fmax(np.abs(left), np.abs(right))
        violated &= ~gap
        close = (np.abs(ratio - 1) <= allowance) | (gap & np.isinf(ratio))
    status = "violated" if violated.any() else "holds"
    undecided = np.flatnonzero(close).tolist()
    profile = _profile(ratio, right) if horizon == max(theorem.horizons) else ()
    return Comparison(values, horizon, ratio, undecided, status, profile=profile)


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
    """One verdict from the comparisons of all runs; ``blank`` names theorem and problem."""
    # the run that decides: of the most severe status, the one with the largest ratio
    status = worst([c.status for c in compared])
    pool = (
        [c for c in compared if c.status == status] if status in ("violated", "error") else compared
    )

    def key(c: Comparison) -> float:
        top = c.ratio[c.k]
        if theorem.claim == "equality":
            return abs(float(top) - 1)
        return float(top) if np.isfinite(top) else (np.inf if np.isinf(top) else -1.0)

    top = max(pool, key=key)
    reasons = [c.reason for c in compared if c.status == status and c.reason]
    decided = next((c.decided for c in compared if c.decided != "float64"), "float64")
    shown = {n: float(v) for n, v in top.values.items() if np.ndim(v) == 0 and n not in ("k", "j")}
    value = float(top.ratio[top.k])
    return replace(
        blank,
        status=status,
        reason=reasons[0] if reasons else "",
        ratio=value if np.isfinite(value) or np.isinf(value) else 0.0,
        k=top.k,
        parameters=shown,
        runs=len(compared),
        compared=sum(int(np.isfinite(c.ratio).sum()) for c in compared),
        profile=tuple(_envelope([c.profile for c in compared])),
        decided=decided,
    )
