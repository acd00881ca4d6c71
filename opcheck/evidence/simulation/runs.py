"""The runs that a statement is confronted with: admissible, affordable, recorded."""

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
from opcheck.evidence.statement.evaluation import length, parameters_of, plan, start_distance
from opcheck.evidence.statement.hypotheses import Constants
from opcheck.evidence.statement.parameters import (
    Empty,
    Values,
    base_scope,
    check,
    choices,
    conditions_hold,
    weaker,
)
from opcheck.evidence.statement.switches import Turns, switches
from opcheck.model.measure import Measure
from opcheck.model.method import Method
from opcheck.model.problem import Problem
from opcheck.model.theorem import Theorem

SOLVE = 50  # operator calls that a resolvent of the sum is taken to cost
WEAK, WEAK_SHARE = 2, 0.4  # runs with weaker constants: how many at least, and per other run
WORK_LIMIT = 5e5  # operator calls times size that one run may cost; the horizon gives way to it
FEW, SHORT = 4, 8  # runs that share an allotment of calls; steps below which one run takes it all
Job = tuple[Constants, Values, int]  # constants, parameters, horizon


@dataclass(frozen=True)
class Run:
    """One run of a statement's method, as it was recorded.

    Attributes:
        known: the constants it was run with.
        values: every symbol of the statement.
        record: written form of a measure -> its value at k = 0..horizon.
        dim: d.
        extent: how far out it went, a length.
        ended: the k at which it left the norm limit; None where it did not.
        lost: the k at which the iterate is NaN; None where it never is.
        far: it is one beyond the horizon, to where a text of the statement has switched.
        switches: parts of the statement's texts -> where each switches; only of runs in the middle
            of the range.
        outside: the region on which the constants hold, and the k at which the run left it, in
            words; "" where it stayed inside.
    """

    known: Constants
    values: Values
    horizon: int
    record: Mapping[str, NDArray[np.float64]]
    dim: int
    extent: float
    ended: int | None
    lost: int | None
    outside: str
    far: bool = False
    switches: Mapping[str, Turns] = field(default_factory=dict)


def runs(
    theorem: Theorem,
    problem: Problem,
    known: Constants,
    *,
    method: Method,
    fixed: Mapping[str, Any],
    weaken: bool,
) -> list[Run]:
    """Runs of a theorem's method with admissible parameters, those of one horizon at once.

    Args:
        known: constants of the hypotheses.
        method: the theorem's, or another text for it (a mutant).
        fixed: parameters to use instead of the sample; all of them.
        weaken: also run with some constants weaker than ``known``.

    Raises Empty where no parameter is admissible, OpcheckError for fixed parameters outside.
    """
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
    turns, beyond = _behind_switches(theorem, problem, method, jobs) if weaken else ({}, [])
    recorded: list[Run] = []
    for horizon, group in itertools.groupby(sorted(jobs, key=lambda j: j[2]), lambda j: j[2]):
        recorded += _recorded(theorem, problem, method, horizon, [job[:2] for job in group])
    for _, values, horizon in beyond:
        (run,) = _recorded(theorem, problem, method, horizon, [(jobs[0][0], values)])
        recorded.append(replace(run, far=True))
    if not turns:
        return recorded
    own = [jobs[0][1][c.name] for c in theorem.chains]
    return [
        replace(run, switches=turns)
        if run.known is jobs[0][0] and [run.values[c.name] for c in theorem.chains] == own
        else run
        for run in recorded
    ]


def _behind_switches(
    theorem: Theorem, problem: Problem, method: Method, jobs: Sequence[Job]
) -> tuple[Mapping[str, Turns], list[Job]]:
    """Where the texts switch, and a run to behind as many of these k as can be afforded.

    The run has the parameters of the first; there is none where all lies before the last horizon.
    """
    if not jobs:
        return {}, []
    known, values, _ = jobs[0]
    turns = switches(theorem, values)
    late = {max(turn.at) for turn in turns.values()}
    late = {at for at in late if max(theorem.horizons) <= at < WORK_LIMIT}
    if budget().left < np.inf:
        return turns, []
    parameters = {c.name: values[c.name] for c in theorem.chains}
    for at in sorted(late, reverse=True):
        horizon = at + 2
        try:
            far = (known, _fixed(theorem, known, horizon, parameters), horizon)
            beyond = _jobs(theorem, problem, method, [far])
        except OpcheckError:  # the range moves with the horizon
            continue
        if beyond and beyond[0][2] == horizon:
            return turns, beyond
    return turns, []


def _recorded(
    theorem: Theorem,
    problem: Problem,
    method: Method,
    horizon: int,
    sample: Sequence[tuple[Constants, Values]],
) -> list[Run]:
    takes = dict(plan(theorem).takes)
    region = problem.region if any(known.local for known, _ in sample) else None
    watched = []
    if region is not None:
        outside = Measure(name="outside", kernel=region.watch(problem.dim))
        watched = [Take(outside, (p,)) for p in method.points]
    parameters = [parameters_of(method, values) for _, values in sample]
    batch = run_batch(problem, method, parameters, range(horizon + 1), [*takes.values(), *watched])
    recorded = []
    for i, (known, values) in enumerate(sample):
        left = ""
        if region is not None and known.local:
            beyond = np.fmax.reduce(batch.record[i, len(takes) :], axis=0)
            gone = np.flatnonzero(~(beyond <= region.room))
            if gone.size:
                left = f"the region {region} on which the constants hold, at k = {gone[0]}"
        status = int(batch.status[i])
        recorded.append(
            Run(
                known,
                values,
                horizon,
                {key: batch.record[i, j] for j, key in enumerate(takes)},
                dim=problem.dim,
                extent=_extent(problem, horizon, batch.state[i, 0]),
                ended=status - 1 if status > 0 else None,
                # NaN says of a resolvent of the sum that it was not found, and not of F
                lost=-status - 1 if status < 0 and not _solves_sum(method.kernel) else None,
                outside=left,
            )
        )
    return recorded


def _weak_sample(theorem: Theorem, problem: Problem, known: Constants, strong: int) -> list[Job]:
    """Some of the runs with weaker constants, others on each problem."""
    if theorem.on:
        return []  # its symbols are the family's parameters, and no other constants
    pool = weaker(theorem, known)
    generator = np.random.default_rng(_seed(theorem, problem))
    most = max(WEAK, int(WEAK_SHARE * strong))
    sample: list[Job] = []
    for i in generator.permutation(len(pool)):
        if len(sample) >= most:
            break
        horizon = theorem.horizons[int(generator.integers(len(theorem.horizons)))]
        try:
            values = list(choices(theorem, pool[i], horizon))
        except Empty:
            continue
        some = generator.permutation(len(values))[: max(1, most // 3)]
        sample += [(pool[i], values[j], horizon) for j in some]
    return sample


def _seed(theorem: Theorem, problem: Problem) -> int:
    """Of what is stated and of the numbers of F and the start: names, and files', change nothing.

    Constants that were searched for don't enter, since their last digits differ by machine.
    """
    texts = theorem.method, theorem.where, theorem.measure, theorem.bound
    # mantissas: the same in all units that are powers of two
    numbers = b"".join(np.frexp(v)[0].tobytes() for v in (problem.operator.data, problem.start))
    return zlib.crc32(numbers, zlib.crc32("\n".join(texts).encode()))


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
        parameters = parameters_of(method, values)
        infinite = [name for name, v in parameters.items() if not np.isfinite(v).all()]
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
        if (distance := start_distance(problem)) is not None:
            values["R"] = distance
        jobs.append((known, values, here))
    if endless and not jobs:
        raise Empty(f"{theorem.name}: {endless} is not finite on this problem")
    return jobs


def _fixed(theorem: Theorem, known: Constants, horizon: int, fixed: Mapping[str, Any]) -> Values:
    values = {**base_scope(known.values, horizon), **fixed}
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
