"""One theorem on one problem: admissible runs, and a comparison at every k."""

from __future__ import annotations

import itertools
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from opcheck.engine.budget import budget
from opcheck.engine.run import Take, run_batch
from opcheck.errors import OpcheckError
from opcheck.evidence.statement.evaluation import Plan, parameters_of, plan, sides
from opcheck.evidence.statement.hypotheses import Constants
from opcheck.evidence.statement.parameters import (
    Empty,
    Values,
    check,
    choices,
    conditions_hold,
    entered,
    lowest,
    settle,
    weaker,
)
from opcheck.model.measure import Measure
from opcheck.model.method import Method
from opcheck.model.operator import linear
from opcheck.model.problem import Problem
from opcheck.model.theorem import Theorem
from opcheck.model.verdict import Status, Verdict, worst

SOLVE = 50  # operator calls that a resolvent of the sum is taken to cost
TRIAL = (0, 1, 2, 3)  # the k at which units are told
WEAK, WEAK_SHARE = 2, 0.4  # runs with weaker constants: how many at least, and per other run
WORK_LIMIT = 5e5  # operator calls times size that one run may cost; the horizon gives way to it
FEW, SHORT = 4, 8  # runs that share an allotment of calls; steps below which one run takes it all
UNDECIDABLE = 0.1  # rounding above this share of both sides: float64 says nothing, the floor
CANCELLED = 64 * np.finfo(float).eps  # relative rounding of one recorded value, or one symbol
EVALUATED = 2.0**-30  # of the larger side: the rest, and resolvents found to their tolerance
SMALLEST = float(np.finfo(float).tiny)  # below, a float keeps no relative accuracy
LARGEST = 1e150  # products of records beyond it overflow, and differences of them are NaN


@dataclass
class Comparison:
    """One run, compared.

    Attributes:
        known: the constants it was run with.
        weak: they are weaker than the problem's best.
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
    jobs: list[Job] = []
    empty: Empty | None = None
    try:
        if fixed:
            sample = [(known, _fixed(theorem, known, h, fixed), h) for h in theorem.horizons]
        else:
            sample = [(known, v, h) for h in theorem.horizons for v in choices(theorem, known, h)]
        jobs = _jobs(theorem, problem, method, sample, bool(fixed))
    except Empty as reason:
        if fixed or not weaken:
            raise
        empty = reason
    if weaken and not fixed and budget().left == np.inf:
        jobs += _jobs(theorem, problem, method, _weak_sample(theorem, problem, known, len(jobs)))
        if empty is not None and not jobs:
            raise empty
    recording = plan(theorem)
    compared: list[Comparison] = []
    for horizon, group in itertools.groupby(sorted(jobs, key=lambda j: j[2]), lambda j: j[2]):
        runs = [(own, values) for own, values, _ in group]
        compared += _compare(theorem, problem, method, recording, horizon, runs, scale)
    for one in compared:
        one.weak = one.known is not known
    return compared


Job = tuple[Constants, Values, int]  # constants, parameters, horizon


def _weak_sample(
    theorem: Theorem, problem: Problem, known: Constants, strong: int
) -> list[tuple[Constants, Values, int]]:
    """Some of the runs with weaker constants, others on each problem."""
    if theorem.on:
        return []  # its symbols are the family's parameters, and no other constants
    pool = weaker(theorem, known)
    seed = zlib.crc32(f"{theorem.name} {problem.name}".encode())
    generator = np.random.default_rng(seed)
    wanted = max(WEAK, int(WEAK_SHARE * strong))
    sample: list[tuple[Constants, Values, int]] = []
    for i in generator.permutation(len(pool)):
        if len(sample) >= wanted:
            break
        horizon = theorem.horizons[int(generator.integers(len(theorem.horizons)))]
        try:
            values = list(choices(theorem, pool[i], horizon))
        except Empty:
            continue
        some = generator.permutation(len(values))[: max(1, wanted // 3)]
        sample += [(pool[i], values[j], horizon) for j in some]
    return sample


def solves_sum(theorem: Theorem) -> bool:
    """Whether its method, or a measure, takes the resolvent of the sum: the dearest steps."""
    kernels = [theorem.iteration.kernel, *(t.measure.kernel for t in plan(theorem).takes.values())]
    return any(_solves_sum(kernel) for kernel in kernels)


def _solves_sum(kernel: Callable[..., Any]) -> bool:
    """Whether a text takes the resolvent of the sum: dear, and NaN where it is not found."""
    return "resolvent_of_sum" in kernel.__code__.co_names


def _jobs(
    theorem: Theorem,
    problem: Problem,
    method: Method,
    sample: Sequence[Job],
    asked: bool = False,
) -> list[Job]:
    """The runs that are affordable, each once, with R.

    Raises Empty where the theorem's own formula for a parameter is infinite for all of them, as
    1/L is for L = 0.
    """
    size = max(1.0, problem.operator.data.size / 10, problem.dim / 2)
    solves = sum(_solves_sum(t.measure.kernel) for t in plan(theorem).takes.values())
    solve = SOLVE * (_solves_sum(method.kernel) or solves > 0) or 1
    jobs: list[Job] = []
    seen: set[tuple[float, ...]] = set()
    allotted = left = budget().left
    endless = ""
    for known, sampled, horizon in sample:
        values = sampled
        given = parameters_of(method, values)
        infinite = [name for name, v in given.items() if not np.isfinite(v).all()]
        if infinite and not asked:
            endless = infinite[0]
            continue
        calls = np.maximum(method.calls_at(values), solve) + SOLVE * solves
        step = size * float(np.max(calls))
        if step > 4 * WORK_LIMIT and not asked:
            continue  # one step costs too much here; smaller problems try this edge
        affordable = WORK_LIMIT / step
        if allotted < np.inf:
            each = float(np.max(calls)) + len(plan(theorem).takes)
            affordable = min(affordable, allotted / (FEW * each + each))
            if affordable < SHORT and not jobs:
                affordable = left / (2 * each)
            left -= each * (min(horizon, int(affordable)) + 1)
            if affordable < 1 or left < 0:
                break
        here = min(horizon, max(int(affordable), 1))
        if here < horizon:
            again = {c.name: values[c.name] for c in theorem.chains}
            values = _fixed(theorem, known, here, again)
        own = (*known.values.values(), *(values[c.name] for c in theorem.chains))
        key = (here, *map(float, own))
        if key in seen:
            continue  # two horizons, cut to the same affordable one
        seen.add(key)
        target = problem.solution_near(problem.start)
        if target is not None:
            values["R"] = length(problem.start - target)
        jobs.append((known, values, here))
    if endless and not jobs:
        raise Empty(f"{theorem.name}: {endless} is not finite on this problem")
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


def _compare(
    theorem: Theorem,
    problem: Problem,
    method: Method,
    recording: Plan,
    horizon: int,
    runs: Sequence[tuple[Constants, Values]],
    scale: float,
) -> list[Comparison]:
    takes = dict(recording.takes)
    region = problem.region if any(known.local for known, _ in runs) else None
    watched = []
    if region is not None:
        outside = Measure(name="outside", kernel=region.watch(problem.dim))
        watched = [Take(outside, (p,)) for p in method.points]
    ordered = [*takes.values(), *watched]
    parameters = [parameters_of(method, values) for _, values in runs]
    batch = run_batch(problem, method, parameters, range(horizon + 1), ordered)
    extents = [_extent(problem, horizon, batch.state[i, 0]) for i in range(len(runs))]
    out = []
    for i, (known, values) in enumerate(runs):
        record = {key: batch.record[i, j] for j, key in enumerate(takes)}
        left_at = int(batch.status[i]) - 1  # where it left the norm limit
        count = recording.count(horizon)
        if left_at >= 0:
            whole = all(np.isfinite(series[left_at]) for series in record.values())
            count = min(count, left_at + whole - recording.in_steps)
        with np.errstate(all="ignore"):
            rounding = {}
            for key, series in record.items():
                size = _size(theorem, known, values, extents[i], key)
                rounding[key] = _rounding(series, size, problem.dim, takes[key].in_step)
            left, right, error = _with_errors(
                theorem, recording, values, record, rounding, horizon, scale
            )
            one = _judge(
                theorem, known, values, horizon, *(v[:count] for v in (left, right, error))
            )
            _say_why(one, theorem, values, record, left[:count], right[:count])
            if left_at >= 0 and not one.compared and not one.close:
                one.reason = f"a square is beyond what a float64 holds, at k = {left_at}"
            if batch.status[i] < 0 and not _solves_sum(method.kernel):
                k = -int(batch.status[i]) - 1
                one.status, one.reason, one.close = "error", f"the iterate is NaN at k = {k}", []
        if region is not None and known.local and one.status != "inconclusive":
            beyond = np.fmax.reduce(batch.record[i, len(takes) :], axis=0)
            gone = np.flatnonzero(~(beyond <= region.room))
            if gone.size:
                one.status, one.close = "inconclusive", []
                one.reason = (
                    f"the run leaves the region {region} on which the constants hold, "
                    f"at k = {gone[0]}"
                )
        out.append(one)
    return out


def length(vector: NDArray[np.float64]) -> float:
    """‖v‖ without a square that over- or underflows."""
    largest = float(np.abs(vector).max(initial=0.0))
    return largest * float(np.linalg.norm(vector / largest)) if 0 < largest < np.inf else largest


def _extent(problem: Problem, horizon: int, last: NDArray[np.float64]) -> float:
    """How far out a run goes: its start, the solution and its end, as lengths added up.

    Of an end that is farther out than steps of equal length lead, no more is taken: a run that
    grows so fast is seen in its measures, at the k at which it grows.
    """
    target = problem.solution_near(problem.start)
    near = length(problem.start) + (0.0 if target is None else length(target))
    far = length(last)
    if not np.isfinite(far):
        return near
    return near + min(far, (horizon + 1) * near) if near else far


@dataclass(frozen=True)
class Units:
    """How what a theorem records, and its parameters, change with the unit of F.

    Attributes:
        degrees: written form of a measure -> n, where it is multiplied by c^n as F is by c and
            every step is divided by it.
        steps: symbols of the parameters that are then divided by c.
    """

    degrees: Mapping[str, int]
    steps: frozenset[str]


_UNITS: dict[Any, Units] = {}  # found by trial, once a statement


def units(theorem: Theorem, known: Constants) -> Units:
    """The units of a statement, from two runs on a linear operator and on twice that operator."""
    texts = theorem.where, theorem.measure, theorem.bound, tuple(theorem.let.items())
    key = theorem.method, theorem.asked, texts
    if key not in _UNITS:
        _UNITS[key] = _units(theorem, known)
    return _UNITS[key]


def _units(theorem: Theorem, known: Constants) -> Units:
    takes = plan(theorem).takes
    none = Units(dict.fromkeys(takes, 0), frozenset())
    rate = _rate(known.values)
    if rate is None:
        return none
    plain = dict(known.values)
    if "rho" in plain:  # not 0, which says nothing of its unit
        plain["rho"] = (lowest(theorem) / 4 or 0.01) / rate
    factor = {"L": 2.0, "mu": 2.0, "rho": 0.5, "beta": 0.5}
    doubled = {n: v * factor.get(n, 1.0) for n, v in plain.items()}
    seen, values = [], []
    try:
        for turn, constants in enumerate((plain, doubled)):
            own_known = replace(known, values=constants)
            sample = next(iter(choices(theorem, own_known, TRIAL[-1])))
            slope = rate * 2**turn / 2
            operator = linear([[0.25 * slope, slope], [-slope, 0.5 * slope]])
            plane = Problem(operator, start=np.array([1.0, 0.5]), solution=np.zeros(2))
            own = parameters_of(theorem.iteration, sample)
            batch = run_batch(plane, theorem.iteration, [own], TRIAL, list(takes.values()))
            seen.append(np.abs(batch.record[0]))
            values.append(sample)
    except (OpcheckError, StopIteration):
        return none
    with np.errstate(all="ignore"):
        powers = np.log2(seen[1] / seen[0])
    degrees = {}
    for j, name in enumerate(takes):
        told = powers[j, 1:][np.isfinite(powers[j, 1:])]
        degrees[name] = round(float(np.median(told))) if told.size else 0
    steps = {
        symbol
        for p in theorem.iteration.parameters
        if (symbol := p.symbol) in values[0]
        and np.allclose(2 * np.asarray(values[1][symbol]), values[0][symbol])
        and np.any(values[0][symbol])
    }
    return Units(degrees, frozenset(steps))


def _rate(values: Mapping[str, float]) -> float | None:
    """What F is measured in where z is a length: L, or 1/β; None where no constant tells."""
    if values.get("L"):
        return float(values["L"])
    return 1 / float(values["beta"]) if values.get("beta") else None


def _size(theorem: Theorem, known: Constants, values: Values, extent: float, name: str) -> float:
    """A squared point as far out as a run goes, in the units in which a measure sees it."""
    own = units(theorem, known)
    rate = np.float64(_rate(known.values) or 1.0)
    # a parameter above 1, as an over-relaxation, multiplies what was rounded
    weight = np.float64(1.0)
    for p in theorem.iteration.parameters:
        value = values.get(p.symbol, 0.0)
        if np.ndim(value) == 0:
            weight = np.fmax(
                weight, abs(np.float64(value)) * (rate if p.symbol in own.steps else 1.0)
            )
    with np.errstate(over="ignore"):
        return float(np.float64(extent * weight) ** 2 * rate ** own.degrees[name])


def _rounding(
    series: NDArray[np.float64], size: float, dim: int, in_step: bool
) -> NDArray[np.float64]:
    """Error that float64 may have made in a recorded squared measure at each k.

    Each step rounds z by some ulp of its size, (k + 1)(d + 10)·8ε in all where the iteration does
    not amplify. ``size`` is a squared point of that size as the measure sees it, and so the root of
    the measure is off by that share of its root. All is in units of the measure: at any scale of F
    and of z the share is the same. It is an allowance for rounding, not a tolerance: within it
    float64 decides nothing.
    """
    value = np.abs(series)
    if in_step:
        value[0] = 0.0  # no step was made yet
    step = (np.arange(len(series)) + 1.0) * (dim + 10) * 8 * np.finfo(float).eps
    largest = np.fmax(size, np.fmax.accumulate(value))
    off = step * np.sqrt(largest)
    return np.asarray(off * (2 * np.sqrt(value) + off) + CANCELLED * value + SMALLEST)


def _with_errors(
    theorem: Theorem,
    recording: Plan,
    values: Values,
    record: Mapping[str, NDArray[np.float64]],
    rounding: Mapping[str, NDArray[np.float64]],
    horizon: int,
    scale: float,
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Measured, bound, and how far rounding may have moved their difference, at every k.

    The texts are evaluated once more for each recorded sequence moved by its rounding, and for the
    symbols moved by theirs, so what cancels in them is seen.
    """

    def both(scope: Values, series: Mapping[str, NDArray[np.float64]]) -> list[NDArray[Any]]:
        left, right = sides(theorem, recording, scope, series, horizon)
        return [left, right * scale]

    settled = dict(values)
    settle(theorem, settled)
    here = both(settled, record)
    error = EVALUATED * np.fmax(np.abs(here[0]), np.abs(here[1]))
    moved = [both(settled, {**record, key: record[key] + rounding[key]}) for key in record]
    symbols = [n for n, v in values.items() if isinstance(v, float) and n not in theorem.let]
    for turn in (1, -1):
        scope = dict(values)
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


def _judge(
    theorem: Theorem,
    known: Constants,
    values: Values,
    horizon: int,
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
    own = Comparison(known, values, horizon, ratio, [], "holds", positive=right > 0)
    own.compared = int(above.sum() + below.sum())
    if theorem.claim == "must fail":
        if own.compared and not above.any():
            own.status, own.reason = "violated", "it was to fail, and nothing failed"
        return own
    broken = above | below if theorem.claim == "equality" else above
    own.status = "violated" if broken.any() else "holds"
    own.close = np.flatnonzero(close).tolist()
    if horizon == max(theorem.horizons):
        own.profile = _profile(ratio, right)
    return own


def _say_why(
    own: Comparison,
    theorem: Theorem,
    values: Values,
    record: Mapping[str, NDArray[np.float64]],
    left: NDArray[np.float64],
    right: NDArray[np.float64],
) -> None:
    """Where a value is missing, or nothing was compared: the reason."""
    first = theorem.first
    if first >= len(left):
        own.reason = f"the statement is about k ≥ {first}, and the run ends at k = {own.horizon}"
        return
    lost = [series[: len(left)] for series in record.values()]
    missing = np.isnan(np.sum(lost, axis=0))[first:] if lost else np.zeros(0, dtype=bool)
    infinite = bool(lost) and bool(np.nanmax(np.abs(lost), initial=0.0) > LARGEST)
    unknown = (np.isnan(left) | np.isnan(right))[first:]
    if own.status == "violated":
        return  # at an earlier k
    if missing.any():
        k = first + np.flatnonzero(missing)[-1]
        own.status, own.close = "inconclusive", []
        own.reason = f"NaN at k = {k}: the resolvent of the sum was not found"
    elif unknown.any() and not infinite:
        k = first + np.flatnonzero(unknown)[0]
        side = "measured" if np.isnan(left[k]) else "the bound"
        own.status, own.close = "inconclusive", []
        own.reason = f"{side} has no value at k = {k}"
    elif not own.compared and not own.close:
        rest = np.append(left[first:], right[first:])
        if values.get("R") == 0:
            own.reason = "the run starts at the solution, and nothing moves"
        elif infinite or not np.isfinite(rest).any() or np.isinf(right[first:]).all():
            own.reason = "measured or bound is infinite, or a square is beyond what a float64 holds"
        elif np.nanmax(np.abs(rest)) < SMALLEST / np.finfo(float).eps:
            own.reason = "the squares are below what a float64 holds"
        else:
            own.reason = "measured and bound are within the rounding of float64 at every k"


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
    # runs with weaker constants are further tries: one that says nothing takes nothing back
    telling = [c for c in compared if not (c.weak and c.status == "inconclusive")]
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
    )


def _exceeded(compared: Sequence[Comparison]) -> bool:
    """Whether some run decided on a k at which the bound is exceeded."""
    return any(c.compared and np.nanmax(c.ratio, initial=0.0) > 1 for c in compared)
