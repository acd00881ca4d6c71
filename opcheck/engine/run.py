"""Running methods: batches for the evidence, single runs for people."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from opcheck import registry
from opcheck.engine import jit as compiler
from opcheck.engine.drive import drive, graph
from opcheck.engine.guard import blame, blame_run, guard, guard_measure, guard_method, watched
from opcheck.engine.sampling import Samples, described
from opcheck.errors import OpcheckError
from opcheck.model.brief import brief
from opcheck.model.measure import Measure
from opcheck.model.method import Method, resolve, row_indices
from opcheck.model.oracle import sampled
from opcheck.model.primitives import BEFORE, EXTRA_ROWS, SOLUTION, identity
from opcheck.model.problem import Problem, as_point, points
from opcheck.model.problem import problem as problem_named

DRIVER_ROWS = {"before": BEFORE, "solution": SOLUTION}
NORM_LIMIT = 1e150  # where a run counts as diverging; its square is still a float
CHUNK = 4_000_000  # iterations between two looks at Ctrl-C


@dataclass(frozen=True)
class Take:
    """A measure at named rows."""

    measure: Measure
    rows: tuple[str, ...]

    @property
    def in_step(self) -> bool:
        """Whether the values belong to steps, so that the one recorded at k + 1 is of step k."""
        return self.measure.in_step(self.rows)

    def indices(self, method: Method) -> tuple[int, int]:
        """Rows of the driver's state: the row in question counts from the front."""
        found = row_indices(method, self.rows, DRIVER_ROWS)
        front = found[0] if found[0] >= 0 else len(method.rows) + EXTRA_ROWS + found[0]
        if len(found) == 1:
            return front, -1
        second = found[1] if found[1] >= 0 else len(method.rows) + EXTRA_ROWS + found[1]
        return front, second


def take(name: str, rows: Sequence[str] = ()) -> Take:
    """A measure by name, at its own rows or at others; a single row replaces the first.

    Raises OpcheckError for an unknown measure.
    """
    entry: Measure = registry.get("measures", name)
    guard_measure(entry)
    chosen = (*rows, *entry.rows[len(rows) :])
    return Take(entry, chosen)


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
    from numba.core.errors import NumbaError

    try:
        F = called = compiler.jit(op.compiled or op.kernel, "operator")
        if noisy:
            assert problem.oracle is not None
            called = compiler.jit(sampled(problem.oracle.kernel), "sampled_operator")
    except NumbaError as error:
        warnings.warn(
            f"the operator of {problem.name!r} runs interpreted, since numba can't compile it: "
            f"{str(error).strip().splitlines()[0]}",
            stacklevel=5,
        )
        return None
    return called, F, compiler.jit(problem.resolvent.kernel, "resolvent")


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
    from numba.core.errors import NumbaError

    try:
        return compiler.jit(kernel, role)
    except NumbaError as error:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        raise OpcheckError(
            f"numba can't compile the {name}: {'; '.join(lines[1:3] or lines)}; write it in plain "
            "loops over numbers, or with the primitives of opcheck.model.primitives"
        ) from error


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
    ready = _oracles(problem)
    with compiler.quiet(), np.errstate(all="ignore"):
        if ready is None:
            graph(watched(problem), F_data, problem.resolvent.kernel, J_data, z, values)
        else:
            try:
                compiler.jit(graph, "graph")(ready[1], F_data, ready[2], J_data, z, values)
            except (IndexError, ValueError, ArithmeticError) as error:
                raise blame(problem, error) from error
    return z, values, points - z


def run_batch(
    problem: Problem,
    method: Method,
    values: Sequence[Mapping[str, Any]],
    stops: Sequence[int],
    takes: Sequence[Take],
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
        seeds: of each run's samples; the method then calls the problem's sample oracle, measures
            the mean F. A run depends on its seed alone, not on the batch it is in. None: the
            method too calls the mean F.
        same_sample: one sample an iteration instead of a fresh one each call.

    Raises OpcheckError for a constrained problem with a method that has no constrained form, for
    seeds where there is no oracle, and whatever ``Method.pack`` raises.
    """
    if problem.constrained and not method.constrained:
        raise OpcheckError(
            f"{method.name} has no form for constraints, and {problem.name!r} has A = "
            f"{problem.resolvent.name}; take ceg_plus, extragradient or rapp"
        )
    if len(takes) > compiler.SLOTS:
        raise OpcheckError(f"at most {compiler.SLOTS} measures a run, not {len(takes)}")
    guard(problem)
    guard_method(method, problem.dim)
    m, d = len(values), problem.dim
    stops_ = np.asarray(stops, dtype=np.int64)
    params = method.pack_batch(values, int(stops_[-1]) + 1)
    rows = len(method.rows) + EXTRA_ROWS
    first = np.broadcast_to(problem.start if starts is None else np.asarray(starts, float), (m, d))
    state = np.repeat(first[:, None, :], rows, axis=1)
    for name in method.zero:
        state[:, method.rows.index(name)] = 0
    if problem.project is not None:
        state[:, SOLUTION] = [problem.solution_near(z) for z in first]
    elif problem.solution is not None:
        state[:, SOLUTION] = problem.solution
    record = np.full((m, len(takes), len(stops_)), np.nan)
    kept = np.full((m, len(stops_) if path else 0, d), np.nan)
    status = np.zeros(m, dtype=np.int64)
    pairs = np.array([t.indices(method) for t in takes], dtype=np.int64).reshape(-1, 2)
    F_data = problem.operator.data[None] if data is None else data
    J_data = problem.resolvent.data[None]
    samples = None if seeds is None else Samples(problem, method, values, seeds, same_sample)
    ready = _compiled(problem, method, takes, samples is not None)
    interpreted: Any = drive

    def go(
        part: slice,
        start: int,
        ends: NDArray[np.int64],
        columns: NDArray[np.int64],
        drawn: NDArray[np.float64] | None,
    ) -> None:
        f = F_data[part] if len(F_data) > 1 else F_data
        seen = f if drawn is None else drawn[part]
        tail: Any = (state[part], params[part], start, ends, columns)
        tail += (record[part], kept[part], status[part], limit**2)
        if ready is None:
            kernels = tuple(t.measure.kernel for t in takes)
            F, J = watched(problem), problem.resolvent.kernel
            called: Any = F
            if samples is not None:
                called = sampled(samples.oracle.kernel)
            driver, advance = interpreted, method.kernel
        else:
            driver, kernels, advance, called, F, J = ready
        try:
            with np.errstate(all="ignore"):
                driver(kernels, pairs, advance, called, seen, F, f, J, J_data, *tail)
        except (IndexError, ValueError, ArithmeticError) as error:  # from a foreign text alone
            raise blame_run(problem, method, [t.measure for t in takes], error) from error

    parts = [
        slice(a[0], a[-1] + 1) for a in np.array_split(np.arange(m), max(threads, 1)) if a.size
    ]
    weight = max(m * max(1, d // 8), 1) * (1 if ready else 100)
    with compiler.quiet():
        done, piece = 0, max(1, CHUNK // weight)
        for ends, columns in _chunks(stops_, min(piece, samples.affordable) if samples else piece):
            drawn = samples.lay(done, int(ends[-1])) if samples else None
            if len(parts) == 1:
                go(parts[0], done, ends, columns, drawn)
            else:
                with ThreadPoolExecutor(len(parts)) as pool:
                    for job in [pool.submit(go, p, done, ends, columns, drawn) for p in parts]:
                        job.result()
            if samples and drawn is not None:
                samples.check(drawn, status)
            done = int(ends[-1])
            if progress:
                progress(done)
    return Batch(stops_, record, state, status, kept)


def _chunks(stops: NDArray[np.int64], budget: int) -> Any:
    """Cut the stops into calls of at most ``budget`` iterations, with silent stops in long gaps."""
    ends: list[int] = []
    columns: list[int] = []
    begun = 0
    for column, stop in enumerate(stops.tolist()):
        while stop - begun > budget:
            begun += budget
            yield np.array([*ends, begun]), np.array([*columns, -1])
            ends, columns = [], []
        ends.append(stop)
        columns.append(column)
        if stop - begun == budget:
            yield np.array(ends), np.array(columns)
            ends, columns, begun = [], [], stop
    if ends:
        yield np.array(ends), np.array(columns)


@brief
@dataclass(frozen=True)
class Trajectory:
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

    def __getitem__(self, measure: str) -> NDArray[np.float64]:
        """The recorded values of a measure. Raises OpcheckError for one that was not taken."""
        if measure not in self.measures:
            raise OpcheckError(f"{measure!r} was not taken; taken are {', '.join(self.measures)}")
        return self.measures[measure]

    def plot(self, kind: str = "rate", **options: Any) -> Any:
        """A matplotlib figure of a registered kind, ``rate`` by default."""
        return registry.get("figures", kind)(self, **options)


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
    if isinstance(record, str | int):
        raise OpcheckError(f"record={record!r}; give 'all', 'log', a positive step, or a list of k")
    wanted = sorted({int(k) for k in record} | {iterations})
    if wanted[0] < 0 or wanted[-1] > iterations:
        raise OpcheckError(f"record holds k = {wanted[0]}..{wanted[-1]}, outside 0..{iterations}")
    return wanted


def run(
    method: str,
    problem: str | Problem,
    iterations: int = 1000,
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
    of wrong dimension or not finite, and for an operator that fails its guards.
    """
    chosen = resolve(method)
    where = problem_named(problem) if isinstance(problem, str) else problem
    if iterations < 0:
        raise OpcheckError(f"iterations = {iterations} must not be negative")
    z0 = where.start
    if seed is not None and seed < 0:
        raise OpcheckError(f"seed = {seed} must not be negative")
    noisy = where.oracle is not None
    if same_sample and not noisy:
        raise OpcheckError(f"{where.name!r} has no sample oracle, so there is no sample to keep")
    if noisy and seed is None:
        seed = 0
    if start is not None:
        z0 = as_point(start, where)
    elif seed is not None and not noisy:
        z0 = points(where, 1, np.random.default_rng(seed))[0]
    base = ["natural_residual" if where.constrained else "residual"]
    base += ["distance"] if where.solution is not None or where.project is not None else []
    names = [*base, *[m for m in measures if m not in base]]
    takes = [named_take(name) for name in names]
    stops = schedule(record, iterations)
    import dataclasses

    problem_here = dataclasses.replace(where, start=z0)
    batch = run_batch(
        problem_here,
        chosen,
        [parameters],
        stops,
        takes,
        path=iterates,
        progress=progress,
        seeds=[seed] if noisy and seed is not None else None,
        same_sample=same_sample,
    )
    status = int(batch.status[0])
    values = {chosen.parameter(n).name: v for n, v in parameters.items()}
    calls = np.atleast_1d(chosen.calls_at(parameters))
    calls = calls[np.minimum(np.arange(iterations), calls.size - 1)]  # the last one is kept
    cost = np.concatenate([[0.0], np.cumsum(calls)])[stops]
    ended = "completed"
    if status:
        what = "left the norm limit (diverged)" if status > 0 else "became NaN"
        ended = f"{what} at k = {abs(status) - 1}"
    return Trajectory(
        chosen.name,
        problem_here,
        values,
        batch.stops,
        batch.state[0, 0].copy(),
        {n: batch.record[0, j] for j, n in enumerate(names)},
        batch.path[0],
        ended,
        cost,
        seed,
        noise=described(where, same_sample),
    )


def named_take(name: str) -> Take:
    """A measure as written, ``residual`` or ``residual(zbar)``. Raises as ``take`` does."""
    head, bracket, rest = name.partition("(")
    rows = tuple(r.strip() for r in rest.rstrip(")").split(",")) if bracket else ()
    return take(head.strip(), rows)
