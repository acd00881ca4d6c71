"""Running methods: batches for the evidence, single runs for people."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from opcheck import registry
from opcheck.arguments import asked, indices, integer, words
from opcheck.engine import jit as compiler
from opcheck.engine.budget import available, budget
from opcheck.engine.drive import drive, graph
from opcheck.engine.guard import (
    blame,
    blame_run,
    confirm,
    guard,
    guard_measure,
    guard_method,
    trusted,
    undefined,
    watched,
    watched_resolvent,
)
from opcheck.engine.sampling import Samples, described
from opcheck.errors import OpcheckError, warn_once
from opcheck.model.brief import brief
from opcheck.model.drawn import Drawn
from opcheck.model.measure import Measure
from opcheck.model.method import Method, resolve, row_indices
from opcheck.model.oracle import sampled
from opcheck.model.primitives import BEFORE, EXTRA_ROWS, SOLUTION, identity
from opcheck.model.problem import Problem, as_point, points
from opcheck.model.problem import problem as problem_named
from opcheck.model.result import Result
from opcheck.watchdog import Beat, Interrupted, apart, limited

DRIVER_ROWS = {"before": BEFORE, "solution": SOLUTION}
NORM_LIMIT = 1e150  # where a run counts as diverging; its square is still a float
CHUNK = 4_000_000  # most iterations of one call of the driver, and its first share of them
FIRST = 16
SOON = 0.25  # seconds that one call of the driver is to take
MEMORY = 0.5  # share of the free memory that a run may fill
LAID, KEPT = 8, 80  # floats a step while a schedule is laid out; bytes a stop beside the record


@dataclass(frozen=True)
class Take:
    """A measure at named rows."""

    measure: Measure
    rows: tuple[str, ...]

    @property
    def in_step(self) -> bool:
        """Whether the values belong to steps, so that the one recorded at k + 1 is of step k."""
        return self.measure.in_step(self.rows)

    @property
    def to_solution(self) -> bool:
        """Whether the measure looks at the solution: by its rows, or by its text."""
        by_text = any(
            "SOLUTION" in f.__code__.co_names for f in compiler.visible(self.measure.kernel)
        )
        return "solution" in self.rows or by_text

    def indices(self, method: Method) -> tuple[int, int]:
        """Rows of the driver's state: the row in question counts from the front."""
        indices = row_indices(method, self.rows, DRIVER_ROWS)
        front = indices[0] if indices[0] >= 0 else len(method.rows) + EXTRA_ROWS + indices[0]
        if len(indices) == 1:
            return front, -1
        second = indices[1] if indices[1] >= 0 else len(method.rows) + EXTRA_ROWS + indices[1]
        return front, second


def take(name: str, rows: Sequence[str] = ()) -> Take:
    """A measure by name, at its own rows or at others; a single row replaces the first.

    Raises OpcheckError for an unknown measure.
    """
    entry: Measure = registry.get("measures", name)
    guard_measure(entry)
    full_rows = (*rows, *entry.rows[len(rows) :])
    return Take(entry, full_rows)


@brief
@dataclass(frozen=True)
class Batch:
    """m runs: ``record`` [m, take, stop], final states and path; status [m] as ``drive`` has it."""

    stops: NDArray[np.int64]
    record: NDArray[np.float64]
    state: NDArray[np.float64]
    status: NDArray[np.int64]
    path: NDArray[np.float64]


def _oracles(problem: Problem, noisy: bool = False) -> Any:
    """What a method calls, F and J compiled, or None where the operator is Python that can't be."""
    op = problem.operator
    if op.interpreted:
        return None
    part = f"the operator of {problem.name!r}"
    try:
        F = called = compiler.jit(op.compiled or op.kernel, "operator")
        if noisy:
            assert problem.oracle is not None
            called = compiler.jit(sampled(problem.oracle.kernel), "sampled_operator")
        part = f"the resolvent of A = {problem.resolvent.name}"
        J = compiler.jit(problem.resolvent.kernel, "resolvent")
    except compiler.Uncompilable as reason:
        warn_once(f"{part} runs interpreted, since numba can't compile it: {reason}")
        return None
    return called, F, J


def _compiled(problem: Problem, method: Method, takes: Sequence[Take], noisy: bool = False) -> Any:
    """Driver and kernels compiled, or None where the operator is Python that can't be."""
    oracles = _oracles(problem, noisy)
    if oracles is None:
        return None
    kernels = [_text(t.measure.kernel, "measure", f"measure {t.measure.name}") for t in takes]
    free = problem.resolvent.kernel is identity
    advance = compiler.without_constraint(method.kernel) if free else method.kernel
    filler = (
        kernels[0] if kernels else compiler.jit(registry.get("measures", "norm2").kernel, "measure")
    )
    return (
        compiler.jit(drive, "sampled_drive" if noisy else "drive"),
        (*kernels, *[filler] * (compiler.SLOTS - len(kernels))),
        _text(advance, "sampled_advance" if noisy else "advance", f"method {method.name}"),
        *oracles,
    )


def _text(kernel: Any, role: str, name: str) -> Any:
    """A kernel compiled. Raises OpcheckError, naming it, where numba can't."""
    try:
        return compiler.jit(kernel, role)
    except compiler.Uncompilable as reason:
        raise OpcheckError(
            f"numba can't compile the {name}: {reason}; write it in plain loops over numbers, or "
            "with the primitives of opcheck.model.primitives"
        ) from reason


def interpreted(problem: Problem) -> bool:
    """Whether F runs as Python text: it is declared so, or numba can't compile it."""
    return _oracles(problem) is None


def _foreign(problem: Problem, method: Method | None = None, takes: Sequence[Take] = ()) -> str:
    """The texts of a run that are not opcheck's own, by name; "" where all are."""
    names = []
    if compiler.foreign(problem.operator.kernel):
        names.append(f"the operator of {problem.name!r}")
    if compiler.foreign(problem.resolvent.kernel):
        names.append(f"the resolvent {problem.resolvent.name!r}")
    if method is not None and not trusted(method):
        names.append(f"the method {method.name!r}")
    names += [
        f"the measure {t.measure.name!r}" for t in takes if compiler.foreign(t.measure.kernel)
    ]
    return " or ".join(names)


def _beating(F: Any, beat: Beat) -> Any:
    """F, or J, that says when it is called: the timer is for one call of it and not for a run."""

    def called(*arguments: Any) -> None:
        beat.touch()
        F(*arguments)

    return called


def graph_at(
    problem: Problem, points: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Points z of the graph of F + A: z = J_A(w), F(z) and w − z ∈ A(z).

    Args:
        points: w, shape (m, d); with A = 0 z is w.

    Raises OpcheckError for an operator that fails its guards.
    """
    guard(problem)
    z, values = np.array(points, dtype=float), np.empty_like(points, dtype=float)
    F_data, J_data = problem.operator.data, problem.resolvent.data
    ready, foreign = _oracles(problem), _foreign(problem)
    budget().spend(len(z))
    with compiler.quiet(), np.errstate(all="ignore"):
        if ready is None:
            with limited(foreign) as beat:
                F, J = _beating(watched(problem), beat), _beating(watched_resolvent(problem), beat)
                graph(F, F_data, J, J_data=J_data, points=z, values=values)
        else:
            compiled = compiler.jit(graph, "graph")
            try:
                if foreign:
                    apart(lambda: compiled(ready[1], F_data, ready[2], J_data, z, values), foreign)
                else:
                    compiled(ready[1], F_data, ready[2], J_data, z, values)
            except (IndexError, ValueError, ArithmeticError, SystemExit) as error:
                raise blame(problem, error) from error
    return z, values, points - z


def run_batch(
    problem: Problem,
    method: Method,
    values: Sequence[Mapping[str, Any]],
    stops: Sequence[int],
    takes: Sequence[Take],
    *,
    starts: ArrayLike | None = None,
    data: NDArray[np.float64] | None = None,
    path: bool = False,
    threads: int = 1,
    limit: float = NORM_LIMIT,
    progress: Callable[[int], None] | None = None,
    seeds: Sequence[int] | None = None,
    same_sample: bool = False,
) -> Batch:
    """m runs of one method on one operator in one compiled call.

    Args:
        values: parameters of each run.
        stops: iteration counts at which to record, increasing, the first ≥ 0.
        takes: at most ``SLOTS`` measures.
        starts: [m, d]; default the problem's.
        data: [m, size] operator data of each run; default the problem's for all.
        path: keep z at every stop.
        threads: runs are split over so many.
        limit: norm at which a run counts as diverging.
        progress: called with the iteration count reached.
        seeds: of each run's samples; the method then calls the problem's sample oracle, measures
            the mean F. A run depends on its seed alone, not on the batch it is in. None: the
            method too calls the mean F.
        same_sample: one sample an iteration instead of a fresh one each call.

    Raises OpcheckError for a constrained problem with a method that has no constrained form, for
    seeds where there is no oracle, where this takes more memory than there is, and whatever
    ``Method.pack`` raises; Interrupted, with the batch up to the last stop, where Ctrl-C ends it.
    """
    _check_batch(problem, method, takes)
    ends = np.asarray(stops, dtype=np.int64)
    _afford(
        problem,
        method,
        len(values),
        stops=len(ends),
        last=int(ends[-1]),
        takes=len(takes),
        path=path,
    )
    first = problem.start if starts is None else np.asarray(starts, float)
    first = np.broadcast_to(first, (len(values), problem.dim))
    batch = Batch(
        ends,
        np.full((len(values), len(takes), len(ends)), np.nan),
        _first_state(problem, method, first),
        np.zeros(len(values), dtype=np.int64),
        np.full((len(values), len(ends) if path else 0, problem.dim), np.nan),
    )
    samples = None if seeds is None else Samples(problem, method, values, seeds, same_sample)
    drive_part = _driver(
        problem,
        method,
        takes,
        batch,
        params=method.pack_batch(values, int(ends[-1]) + 1),
        data=problem.operator.data[None] if data is None else data,
        samples=samples,
        limit=limit,
    )
    foreign = _foreign(problem, method, takes)
    compiled = _compiled(problem, method, takes, samples is not None) is not None
    budget().spend(
        len(values) * int(ends[-1]) * float(np.max(method.calls_at(values[0]), initial=1))
    )
    weight = max(len(values) * max(1, problem.dim // 8), 1) * (1 if compiled else 100)
    most = max(1, CHUNK // weight)
    pace = Pace(1 if foreign else most // FIRST, min(most, samples.affordable) if samples else most)
    return _paced(drive_part, batch, pace, samples=samples, threads=threads, progress=progress)


Part = Callable[
    [slice, int, NDArray[np.int64], NDArray[np.int64], NDArray[np.float64] | None], None
]


def _check_batch(problem: Problem, method: Method, takes: Sequence[Take]) -> None:
    """Raise OpcheckError where method, measures and problem do not go together."""
    if problem.constrained and not method.constrained:
        raise OpcheckError(
            f"{method.name} has no form for constraints, and {problem.name!r} has A = "
            f"{problem.resolvent.name}; take ceg_plus, extragradient or rapp"
        )
    if len(takes) > compiler.SLOTS:
        raise OpcheckError(f"at most {compiler.SLOTS} measures a run, not {len(takes)}")
    guard(problem)
    guard_method(method, problem.dim)
    if problem.solution is None and problem.project is None:
        for t in takes:
            if t.to_solution:
                raise OpcheckError(
                    f"the measure {t.measure.name!r} is taken to a solution, and none is known of "
                    f"{problem.name!r}; give it solution=, or take residual"
                )


def _first_state(
    problem: Problem, method: Method, starts: NDArray[np.float64]
) -> NDArray[np.float64]:
    """[m, rows, d]: every row at the start but those that begin at 0, and the solution's."""
    rows = len(method.rows) + EXTRA_ROWS
    state = np.repeat(starts[:, None, :], rows, axis=1)
    for name in method.zero:
        state[:, method.rows.index(name)] = 0
    if problem.project is not None:
        state[:, SOLUTION] = [problem.solution_near(z) for z in starts]
    elif problem.solution is not None:
        state[:, SOLUTION] = problem.solution
    return state


def _driver(
    problem: Problem,
    method: Method,
    takes: Sequence[Take],
    batch: Batch,
    *,
    params: NDArray[np.float64],
    data: NDArray[np.float64],
    samples: Samples | None,
    limit: float,
) -> Part:
    """The function that moves some of the runs on, compiled or as it is written.

    It takes the runs as a slice, the iterations made, stops and columns as ``drive`` does, and
    what was drawn for a sample oracle; it fills ``batch``.
    """
    pairs = np.array([t.indices(method) for t in takes], dtype=np.int64).reshape(-1, 2)
    J_data = problem.resolvent.data[None]
    ready = _compiled(problem, method, takes, samples is not None)
    foreign = _foreign(problem, method, takes)
    text: Any = drive

    def drive_part(
        part: slice,
        start: int,
        ends: NDArray[np.int64],
        columns: NDArray[np.int64],
        drawn: NDArray[np.float64] | None,
    ) -> None:
        f = data[part] if len(data) > 1 else data
        seen = f if drawn is None else drawn[part]
        tail: Any = (batch.state[part], params[part], start, ends, columns)
        tail += (batch.record[part], batch.path[part], batch.status[part], limit**2)

        def run_with(driver: Any, kernels: Any, advance: Any, called: Any, F: Any, J: Any) -> None:
            with np.errstate(all="ignore"):
                driver(kernels, pairs, advance, called, seen, F, f, J, J_data, *tail)

        try:
            if ready is not None:
                apart(lambda: run_with(*ready), foreign)
                return
            kernels = tuple(t.measure.kernel for t in takes)
            with limited(foreign) as beat:
                F = called = _beating(watched(problem), beat)
                J = _beating(watched_resolvent(problem), beat)
                if samples is not None:
                    called = sampled(samples.oracle.kernel)
                run_with(text, kernels, method.kernel, called=called, F=F, J=J)
        # from a foreign text alone
        except (IndexError, ValueError, ArithmeticError, SystemExit) as error:
            raise blame_run(problem, method, [t.measure for t in takes], error) from error

    return drive_part


def _paced(
    drive_part: Part,
    batch: Batch,
    pace: Pace,
    *,
    samples: Samples | None,
    threads: int,
    progress: Callable[[int], None] | None,
) -> Batch:
    """The batch when it is full: in calls short enough for Ctrl-C, over so many threads."""
    runs = np.array_split(np.arange(len(batch.status)), max(threads, 1))
    parts = [slice(some[0], some[-1] + 1) for some in runs if some.size]
    done, reached = 0, batch.state.copy()

    def fill() -> None:
        nonlocal done
        for ends, columns in pace.chunks(batch.stops):
            begun = time.monotonic()
            drawn = samples.lay(done, int(ends[-1])) if samples else None
            if len(parts) == 1:
                drive_part(parts[0], done, ends, columns, drawn)
            else:
                with ThreadPoolExecutor(len(parts)) as pool:
                    jobs = [pool.submit(drive_part, p, done, ends, columns, drawn) for p in parts]
                    for job in jobs:
                        job.result()
            if samples and drawn is not None:
                samples.check(drawn, batch.status)
            done = int(ends[-1])
            pace.took(time.monotonic() - begun)
            reached[:] = batch.state
            if progress:
                progress(done)

    try:
        with compiler.quiet():
            fill()
    except KeyboardInterrupt:
        # a call that was left may still write to what it was given
        count = int(np.searchsorted(batch.stops, done, side="right"))
        finished = Batch(
            batch.stops[:count],
            batch.record[:, :, :count].copy(),
            reached,
            batch.status.copy(),
            batch.path[:, :count].copy(),
        )
        raise Interrupted(finished) from None
    return batch


def _afford(
    problem: Problem, method: Method, runs: int, stops: int, last: int, takes: int, path: bool
) -> None:
    """Raise OpcheckError where what a batch records does not fit into the memory that is free."""
    d = problem.dim
    laid = sum(p.sequence for p in method.parameters) * LAID * (last + 1)
    need = 8.0 * runs * (stops * (2 * takes + 2 * d * path) + laid) + KEPT * stops
    need += 16.0 * runs * (len(method.rows) + EXTRA_ROWS) * d
    if need > MEMORY * available():
        raise OpcheckError(
            f"{runs} run{'s' * (runs > 1)} of {last} steps recorded at {stops} k in {d} dimensions "
            f"would take about {need / 1e9:.3g} GB, and {available() / 1e9:.3g} GB are free; take "
            "fewer iterations, or record less (--record log, or every so many)"
        )


class Pace:
    """Cuts a run into calls of the driver that each take about SOON; no value depends on where."""

    def __init__(self, first: int, most: int) -> None:
        self.most = most
        self.piece = min(max(first, 1), most)

    def took(self, seconds: float) -> None:
        """Lengthen or shorten the next call by what the last one took."""
        if seconds < SOON / 4:
            self.piece = min(4 * self.piece, self.most)
        elif seconds > 2 * SOON:
            self.piece = max(1, self.piece // 4)

    def chunks(
        self, stops: NDArray[np.int64]
    ) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
        """Stops and columns of each call, with silent stops (column −1) in long gaps."""
        ends: list[int] = []
        columns: list[int] = []
        begun = 0
        for column, stop in enumerate(stops.tolist()):
            while stop - begun > self.piece:
                begun += self.piece
                yield np.array([*ends, begun]), np.array([*columns, -1])
                ends, columns = [], []
            ends.append(stop)
            columns.append(column)
            if stop - begun >= self.piece:
                begun = stop
                yield np.array(ends), np.array(columns)
                ends, columns = [], []
        if ends:
            yield np.array(ends), np.array(columns)


@dataclass(frozen=True)
class Trajectory(Drawn, Result):
    """One run.

    Attributes:
        method, problem, parameters: what was run.
        k: recorded iteration counts.
        z: final iterate, shape (d,).
        measures: name -> one value for each recorded k.
        iterates: z at each recorded k, shape (len(k), d), if asked for.
        status: "completed", or a sentence that says where the run left the numbers.
        oracle_calls: operator calls up to each recorded k.
        seed: of the samples of a noisy run, else of the start where it was drawn.
        bounds: measure -> theorem -> its bound at each recorded k, where some were asked for.
        noise: what the method saw in place of F; "" where that is F itself.
    """

    method: str
    problem: Problem
    parameters: Mapping[str, Any]
    k: NDArray[np.int64]
    z: NDArray[np.float64]
    measures: Mapping[str, NDArray[np.float64]]
    iterates: NDArray[np.float64]
    status: str
    oracle_calls: NDArray[np.float64]
    seed: int | None = None
    bounds: Mapping[str, Mapping[str, NDArray[np.float64]]] = field(default_factory=dict)
    noise: str = ""
    picture: ClassVar[str] = "rate"

    def __getitem__(self, measure: str) -> NDArray[np.float64]:
        """The recorded values of a measure. Raises OpcheckError for one that was not taken."""
        if measure not in self.measures:
            raise OpcheckError(f"{measure!r} was not taken; taken are {', '.join(self.measures)}")
        return self.measures[measure]

    def series(self) -> Mapping[str, Any]:
        """k, the operator calls up to there, and each measure."""
        columns = {"k": self.k, "oracle_calls": self.oracle_calls, **self.measures}
        return {name: values.tolist() for name, values in columns.items()}

    def as_dict(self) -> dict[str, Any]:
        """Plain data, for JSON: numbers and lists; iterates where they were asked for."""
        iterates = {"iterates": self.iterates.tolist()} if len(self.iterates) else {}
        return {
            "method": self.method,
            "problem": self.problem.name,
            "parameters": dict(self.parameters),
            "seed": self.seed,
            "noise": self.noise or None,
            "status": self.status,
            "z": self.z.tolist(),
            "k": self.k.tolist(),
            "oracle_calls": self.oracle_calls.tolist(),
            "measures": {name: values.tolist() for name, values in self.measures.items()},
            "bounds": {
                measure: {name: values.tolist() for name, values in by.items()}
                for measure, by in self.bounds.items()
            },
            **iterates,
        }


def schedule(record: str | int | Sequence[int], iterations: int) -> list[int]:
    """Iteration counts to record: "all", "log", every so many, or a list.

    Raises OpcheckError for anything else, or a k outside 0..iterations.
    """
    if record == "all":
        return list(range(iterations + 1))
    if record == "log":
        grid = np.unique(np.geomspace(1, max(iterations, 1), 200).round().astype(int))
        return [0, *[int(k) for k in grid if k <= iterations]] if iterations else [0]
    if isinstance(record, int) and not isinstance(record, bool) and record > 0:
        return sorted({*range(0, iterations + 1, record), iterations})
    if isinstance(record, str | int | float) or record is None:
        raise OpcheckError(f"record={record!r}; give 'all', 'log', a positive step, or a list of k")
    listed = sorted({*(indices(record, "record") if len(record) else []), iterations})
    if listed[0] < 0 or listed[-1] > iterations:
        raise OpcheckError(f"record holds k = {listed[0]}..{listed[-1]}, outside 0..{iterations}")
    return listed


@asked
def run(
    method: str | Method,
    problem: str | Problem,
    iterations: int = 1000,
    *,
    start: ArrayLike | None = None,
    record: str | int | Sequence[int] = "all",
    seed: int | None = None,
    measures: Sequence[str] = (),
    iterates: bool = False,
    progress: Callable[[int], None] | None = None,
    same_sample: bool = False,
    **parameters: Any,
) -> Trajectory:
    """Run a method on a problem; on one with a sample oracle, the method sees samples only.

    Args:
        method: as in ``rapp`` or ``lookahead(extragradient)``.
        problem: a problem, or the name of a family with its defaults.
        iterations: number of steps, ≥ 0.
        start: z⁰, shape (d,); default the problem's.
        record: "all", "log", every so many iterations, or a list of k.
        seed: of the samples of a noisy problem, default 0; of any other, draw the start with it.
        measures: further measures, as ``residual(zbar)``; they see the mean F.
        iterates: keep z at every recorded k.
        same_sample: one sample an iteration instead of a fresh one each call.
        parameters: of the method.

    Raises OpcheckError for an unknown name, a parameter that is missing or out of range, a start
    of wrong dimension or not finite, a record that does not fit into memory, and for an operator
    that fails its guards or changes meanwhile; Interrupted, with the run so far, where Ctrl-C ends
    it.
    """
    method = resolve(method)
    problem = problem_named(problem) if isinstance(problem, str) else problem
    iterations = integer(iterations, "iterations")
    noisy = problem.oracle is not None
    if same_sample and not noisy:
        raise OpcheckError(f"{problem.name!r} has no sample oracle, so there is no sample to keep")
    if seed is not None:
        seed = integer(seed, "seed")
    elif noisy:
        seed = 0
    problem = _started(problem, start, None if noisy else seed)
    names = _measured(problem, words(measures, "measures"))
    takes = [named_take(name) for name in names]
    if record == "all":  # told before the list of them is made
        _afford(
            problem,
            method,
            1,
            stops=iterations + 1,
            last=iterations,
            takes=len(takes),
            path=iterates,
        )
    stops = schedule(record, iterations)
    guard(problem)
    _warn_of_domain(problem)
    interrupted = False
    try:
        batch = run_batch(
            problem,
            method,
            [parameters],
            stops,
            takes,
            path=iterates,
            progress=progress,
            seeds=[seed] if noisy and seed is not None else None,
            same_sample=same_sample,
        )
        confirm(problem)
    except Interrupted as stop:
        interrupted, batch = True, stop.finished
        if not len(batch.stops):
            raise KeyboardInterrupt from None
    trajectory = Trajectory(
        method=method.name,
        problem=problem,
        parameters={method.parameter(n).name: v for n, v in parameters.items()},
        k=batch.stops,
        z=batch.state[0, 0].copy(),
        measures={n: batch.record[0, j] for j, n in enumerate(names)},
        iterates=batch.path[0],
        status=_ended(batch, interrupted),
        oracle_calls=_calls_up_to(np.atleast_1d(method.calls_at(parameters)), batch.stops),
        seed=seed,
        noise=described(problem, same_sample),
    )
    if interrupted:
        raise Interrupted(trajectory)
    return trajectory


def _started(problem: Problem, start: ArrayLike | None, seed: int | None) -> Problem:
    """The problem from a start, or from one that a seed draws; raises OpcheckError for both."""
    if start is not None and seed is not None:
        raise OpcheckError(
            f"seed = {seed} draws the start of {problem.name!r}, which is not noisy; leave out "
            "the seed, or the start"
        )
    if start is not None:
        return replace(problem, start=as_point(start, problem))
    if seed is not None:
        return replace(problem, start=points(problem, 1, np.random.default_rng(seed))[0])
    return problem


def _measured(problem: Problem, further: Sequence[str]) -> list[str]:
    """What is measured of every run, and what was asked for beside."""
    always = ["natural_residual" if problem.constrained else "residual"]
    if problem.solution is not None or problem.project is not None:
        always.append("distance")
    return [*always, *[name for name in further if name not in always]]


def _ended(batch: Batch, interrupted: bool) -> str:
    """How a single run ended, in words."""
    status = int(batch.status[0])
    if status:
        what = "left the norm limit (diverged)" if status > 0 else "became NaN"
        return f"{what} at k = {abs(status) - 1}"
    return f"interrupted after k = {batch.stops[-1]}" if interrupted else "completed"


def _calls_up_to(calls: NDArray[np.float64], k: NDArray[np.int64]) -> NDArray[np.float64]:
    """Operator calls of the first k steps; the last entry is that of all later steps."""
    total = np.concatenate([[0.0], np.cumsum(calls)])
    beyond = np.maximum(k - calls.size, 0) * calls[-1]
    return np.asarray(total[np.minimum(k, calls.size)] + beyond)


def _warn_of_domain(problem: Problem) -> None:
    if problem.region is not None or problem.constrained:
        return  # there a point at which F is not defined is an error
    with contextlib.suppress(OpcheckError):  # what F raises far out, it may not in the run
        share, example = undefined(problem)
        if share:
            warn_once(
                f"the operator of {problem.name!r} is not defined at {share:.0%} of the points "
                f"looked at about the start, e.g. {example.tolist()}; no statement covers the run"
            )


def named_take(name: str) -> Take:
    """A measure as written, ``residual`` or ``residual(zbar)``. Raises as ``take`` does."""
    head, bracket, rest = name.partition("(")
    rows = tuple(r.strip() for r in rest.rstrip(")").split(",")) if bracket else ()
    return take(head.strip(), rows)
