"""Kernels against C, BLAS and a plain numpy loop, side by side in one run.

    python benchmarks/kernels.py [--json | --markdown]

All competitors must compute the same iterates before they are timed. A time is that of one
iteration, the least of several interleaved repetitions, in CPU time of the thread; opcheck's are
whole calls of ``run_batch``, from which nothing is subtracted. Exits 1 if a target is missed.
"""

from __future__ import annotations

import os

for _name in ("OPENBLAS", "OMP", "MKL", "BLIS"):
    os.environ[f"{_name}_NUM_THREADS"] = "1"  # is read when the libraries load

# ruff: noqa: E402
import ctypes
import functools
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from measuring import Row, arguments, machine, show, side_by_side
from numpy.typing import NDArray
from scipy import sparse
from scipy.linalg import cython_blas

from opcheck import registry
from opcheck.engine import jit as compiler
from opcheck.engine.run import Batch, Take, run_batch, take
from opcheck.model.method import resolve
from opcheck.model.operator import NO_CONSTRAINT, Operator, linear, operator
from opcheck.model.problem import Problem

Vector = NDArray[np.float64]
PARAMETERS = {
    "extragradient": {"gamma": 0.1},
    "rapp": {"gamma": 0.1, "lam": 0.5, "tau": 5},
}
CALLS = {"extragradient": 2, "rapp": 5}  # of F an iteration
BOX, SHIFT, HALF = 1.5, 0.45, 0.5  # of the Forsaken field
BATCH, STEPS = 16384, 200


@dataclass(frozen=True)
class Loop:
    """``run(n)`` makes n iterations from the common start and returns z; it is timed at ``n``."""

    run: Callable[[int], Vector]
    n: int


def per_iteration(what: str, loops: Mapping[str, Loop], repeats: int) -> dict[str, float]:
    """Seconds an iteration of each loop, after a check that all compute the same."""
    least = min(loop.n for loop in loops.values())
    count = max(2, min(50, least // 5))
    same(what, {name: loop.run(count) for name, loop in loops.items()})
    runs = {name: functools.partial(loop.run, loop.n) for name, loop in loops.items()}
    best = side_by_side(runs, repeats)
    return {name: best[name] / loop.n for name, loop in loops.items()}


def same(what: str, results: Mapping[str, Vector]) -> None:
    """Raises RuntimeError unless all results equal the first up to rounding."""
    (first, expected), *others = results.items()
    for name, value in others:
        if not np.allclose(value, expected, rtol=1e-9, atol=1e-12):
            raise RuntimeError(
                f"{what}: {name} and {first} differ by {np.abs(value - expected).max():.2g}; "
                "times of different computations can't be compared"
            )


def opcheck_loop(problem: Problem, method: str, n: int) -> Loop:
    """The kernel as it always runs: one call of ``run_batch``."""
    chosen, values = resolve(method), [PARAMETERS[method]]
    return Loop(lambda n: run_batch(problem, chosen, values, [n], ()).state[0, 0], n)


def numpy_loop(
    F: Callable[[Vector], Vector], J: Callable[[Vector], Vector], start: Vector, method: str, n: int
) -> Loop:
    """The method as it is written with numpy vectors."""
    gamma, lam, tau = (PARAMETERS[method].get(name, 0) for name in ("gamma", "lam", "tau"))

    def extragradient(n: int) -> Vector:
        z = start
        for _ in range(n):
            zbar = J(z - gamma * F(z))
            z = J(z - gamma * F(zbar))
        return z

    def rapp(n: int) -> Vector:
        z = start
        for _ in range(n):
            w = z
            for _ in range(int(tau)):
                w = J(z - gamma * F(w))
            z = (1 - lam) * z + lam * w
        return z

    return Loop({"extragradient": extragradient, "rapp": rapp}[method], n)


def unconstrained(z: Vector) -> Vector:
    """J of A = 0."""
    return z


class _Data(ctypes.Structure):
    _fields_ = [(name, ctypes.c_void_p) for name in ("data", "index", "box")]


class C:
    """kernels.c, compiled for this machine, and calling the BLAS that numba calls."""

    def __init__(self, *flags: str) -> None:
        with tempfile.TemporaryDirectory() as folder:
            target = Path(folder) / "kernels.so"
            source = Path(__file__).with_name("kernels.c")
            asked = ["gcc", "-O3", "-march=native", *flags, "-shared", "-fPIC", source]
            subprocess.run([*asked, "-o", target], check=True)
            self._library = ctypes.CDLL(str(target))
        api, capsule = ctypes.pythonapi, cython_blas.__pyx_capi__["dgemv"]
        api.PyCapsule_GetName.restype = ctypes.c_char_p
        api.PyCapsule_GetPointer.restype = ctypes.c_void_p
        name = api.PyCapsule_GetName(ctypes.py_object(capsule))
        address = api.PyCapsule_GetPointer(ctypes.py_object(capsule), ctypes.c_char_p(name))
        self._library.use_dgemv(ctypes.c_void_p(address))

    def loop(self, method: str, body: str, start: Vector, n: int, **arrays: NDArray[Any]) -> Loop:
        """The function ``method_body`` on the arrays data, index, box."""
        function, data = self._function(f"{method}_{body}"), _data(arrays)
        parameters = np.array(list(PARAMETERS[method].values()), dtype=float)

        def run(n: int) -> Vector:
            rows = np.stack([start, start, start])
            function(data, start.size, n, parameters.ctypes, *(row.ctypes for row in rows))
            return rows[0]

        return Loop(run, n)

    def product(self, body: str, z: Vector, **arrays: NDArray[Any]) -> Callable[[], Vector]:
        """F(z) by the function ``product_body``."""
        function, data, out = self._function(f"product_{body}"), _data(arrays), np.empty_like(z)

        def run() -> Vector:
            function(data, z.size, z.ctypes, out.ctypes)
            return out

        return run

    def _function(self, name: str) -> Callable[..., None]:
        function = getattr(self._library, name)
        vectors = 2 if name.startswith("product") else 4
        counts = [ctypes.c_long] * (1 if name.startswith("product") else 2)
        function.argtypes = [ctypes.POINTER(_Data), *counts, *[ctypes.c_void_p] * vectors]
        function.restype = None
        return function


def _data(arrays: Mapping[str, NDArray[Any]]) -> _Data:
    found = _Data(**{name: array.ctypes.data for name, array in arrays.items()})
    found.arrays = arrays  # keeps the memory
    return found


def forsaken(z, out, data):
    """F of min max x(y − c) + φ(x) − φ(y), φ = u²/4 − u⁴/2 + u⁶/6 (Hsieh et al. 2021), by hand.

    Data: c, 1/2.
    """
    x, y, c, h = z[0], z[1], data[0], data[1]
    x2, y2 = x * x, y * y
    out[0] = y - c + x * (h + x2 * (x2 - 2))
    out[1] = y * (h + y2 * (y2 - 2)) - x


def forsaken_numpy(z: Vector) -> Vector:
    """The same with numpy."""
    x, y = z
    x2, y2 = x * x, y * y
    return np.array([y - SHIFT + x * (HALF + x2 * (x2 - 2)), y * (HALF + y2 * (y2 - 2)) - x])


def plane(c: C | None) -> list[Row]:
    """The Forsaken field in a box and without: the registered problem, and the kernel of a user."""
    start, data = np.ones(2), np.array([SHIFT, HALF])
    box = np.array([-BOX, -BOX, BOX, BOX])
    strict = C("-ffp-contract=off") if c else None

    def clip(z: Vector) -> Vector:
        return np.minimum(np.maximum(z, -BOX), BOX)

    rows = []
    for half, resolvent, J, body in (
        (BOX, registry.get("sets", "box")(box[:2], box[2:]), clip, "forsaken_box"),
        (0.0, NO_CONSTRAINT, unconstrained, "forsaken_none"),
    ):
        users = Problem(operator(forsaken, 2, data), resolvent, name="user's", start=start)
        registered = registry.get("problems", "forsaken")(box=half)
        for method, calls in CALLS.items():
            n = 3_000_000 // calls
            loops = {
                "registered": opcheck_loop(registered, method, n),
                "user's, bounds-checked": opcheck_loop(users, method, n),
                "numpy loop": numpy_loop(forsaken_numpy, J, start, method, n // 2000),
            }
            if c and strict:
                arrays = {"data": data, "box": box}
                loops["C"] = c.loop(method, body, start, n, **arrays)
                loops["C without FMA"] = strict.loop(method, body, start, n, **arrays)
                loops["C unrolled for d = 2"] = c.loop(method, f"{body}_2", start, n, **arrays)
            case = f"{method}, Forsaken{' in a box' if half else ''}"
            times = per_iteration(case, loops, 7)
            targets = {"C": 1.5, "numpy loop": 100.0}
            for kind in ("registered", "user's, bounds-checked"):
                for name in sorted(n for n in times if n.startswith(("C", "numpy"))):
                    target, slow = targets.get(name), name == "numpy loop"
                    row = Row(f"{case}, {kind}", times[kind], name, times[name], target, slow)
                    rows.append(row)
    return rows


def against_best(case: str, times: Mapping[str, float], target: float) -> list[Row]:
    """opcheck, the first entry, against the others; the target is for the fastest C, or BLAS."""
    (_, ours), *others = times.items()
    judged = min([o for o in others if o[0].startswith("C")] or others, key=lambda o: o[1])[0]
    return [Row(case, ours, name, t, target if name == judged else None) for name, t in others]


def dense(c: C | None, d: int) -> list[Row]:
    """A dense monotone M of norm 1, with a q that keeps the iterates away from 0."""
    draws = np.random.default_rng(d).standard_normal((d, d))
    matrix = draws - draws.T + np.eye(d)
    matrix /= np.linalg.norm(matrix, 2)
    q, start, out = np.linspace(-1, 1, d), np.ones(d), np.empty(d)
    problem = Problem(linear(matrix, list(q)), name="dense", start=start)
    by_columns = problem.operator.data  # the same memory: where it lies moves times by a tenth
    by_rows = np.concatenate([matrix.ravel(), q])

    def F(z: Vector) -> Vector:
        return np.dot(matrix, z, out=out) + q

    rows = []
    for method, calls in CALLS.items():
        n = 320_000_000 // (calls * d * d)
        loops = {
            "opcheck": opcheck_loop(problem, method, n),
            "numpy and BLAS": numpy_loop(F, unconstrained, start, method, n),
        }
        if c:
            for name, body, data, share in (
                ("C by rows", "rows_none", by_rows, 8),
                ("C by columns", "columns_none", by_columns, 1),
                ("C and BLAS", "blas_none", by_columns, 1),
            ):
                loops[name] = c.loop(method, body, start, n // share, data=data)
        case = f"{method}, dense d = {d}"
        rows += against_best(case, per_iteration(case, loops, 8), 1.1)
    return rows


def scattered(d: int) -> sparse.csr_array:
    """A monotone M of about 5 entries a row, at random places."""
    generator = np.random.default_rng(d)
    entries, columns = generator.choice([-1.0, 1.0], 2 * d), generator.integers(0, d, 2 * d)
    half = sparse.csr_array((entries, columns, np.arange(0, 2 * d + 1, 2)), shape=(d, d))
    return _sorted(half - half.T + sparse.eye_array(d))


def banded(d: int) -> sparse.csr_array:
    """A monotone M of 5 diagonals."""
    bands = {1000: 1.0, 1: 1.0, 0: 1.0, -1: -1.0, -1000: -1.0}
    parts = [np.full(d - abs(offset), value) for offset, value in bands.items()]
    return _sorted(sparse.diags_array(parts, offsets=list(bands)))


def _sorted(matrix: Any) -> sparse.csr_array:
    found = matrix.tocsr()
    found.sort_indices()
    return found


def compiled(op: Operator, z: Vector) -> Callable[[], Vector]:
    """F(z) by the operator's own compiled kernel."""
    F, out = compiler.jit(op.kernel, "operator"), np.empty_like(z)

    def run() -> Vector:
        F(z, out, op.data)
        return out

    return run


def large(c: C | None, d: int) -> list[Row]:
    """Sparse products with two patterns, and the methods on the scattered one."""
    rows = []
    start = np.random.default_rng(1).standard_normal(d)
    for pattern, make in (("band", banded), ("scattered", scattered)):
        matrix = make(d)
        op = linear(matrix)
        split = 1 + d + matrix.nnz  # the number of entries, q, the entries; then the indices
        arrays = {"data": op.data[1:split], "index": op.data[split:].view(np.uint32)}
        runs = {"opcheck": compiled(op, start), "scipy": functools.partial(matrix.dot, start)}
        if c:
            runs["C"] = c.product("csr", start, **arrays)
        case = f"product, sparse d = {d:,}, {pattern}"
        same(case, {name: run() for name, run in runs.items()})
        times = side_by_side(runs, 10)
        for name in list(times)[1:]:
            target = 1.5 if name == "scipy" else None
            rows.append(Row(case, times["opcheck"], name, times[name], target))
    for method, calls in CALLS.items():
        n = 40 // calls
        loops = {
            "opcheck": opcheck_loop(Problem(op, name="sparse", start=start), method, n),
            "numpy and scipy": numpy_loop(matrix.dot, unconstrained, start, method, n),
        }
        if c:
            loops["C"] = c.loop(method, "csr_none", start, n, **arrays)
        case = f"{method}, sparse d = {d:,}, scattered"
        rows += against_best(case, per_iteration(case, loops, 5), 1.1)
    return rows


def moved(d: int) -> list[Row]:
    """Extragradient on a band: the time that a gigabyte takes, against that of a plain sum."""
    matrix, n = banded(d), 20
    start, other, out = (np.random.default_rng(i).standard_normal(d) for i in range(3))
    loop = opcheck_loop(Problem(linear(matrix), name="band", start=start), "extragradient", n)
    runs = {
        "opcheck": functools.partial(loop.run, n),
        "numpy's add": lambda: np.add(start, other, out=out),
    }
    times = side_by_side(runs, 10)
    # an entry and its index; a row's end, an entry of z and one of F z; three entries a sum
    product, total = 12 * matrix.nnz + 24 * d, 24 * d
    ours = times["opcheck"] / (n * (2 * product + 2 * total))
    case = f"extragradient, sparse d = {d:,}, band: a gigabyte moved"
    theirs = times["numpy's add"] / total
    return [Row(case, 1e9 * ours, "numpy's add", 1e9 * theirs, 0.7, at_least=True)]


def batched() -> tuple[list[Row], str]:
    """Many short runs in one call, every one with its own start and step size."""
    generator = np.random.default_rng(0)
    problem, method = registry.get("problems", "forsaken")(), resolve("extragradient")
    starts = generator.uniform(-BOX, BOX, (BATCH, 2))
    values = [{"gamma": gamma} for gamma in generator.uniform(0.05, 0.15, BATCH).tolist()]

    def call(
        threads: int = 1, stops: Sequence[int] = (STEPS,), takes: Sequence[Take] = ()
    ) -> Batch:
        return run_batch(problem, method, values, stops, takes, starts=starts, threads=threads)

    one, two = call(1).state[:, 0], call(2).state[:, 0]
    if not np.array_equal(one, two):
        raise RuntimeError("a batch on two threads differs from the same on one")
    for i in range(0, BATCH, BATCH // 4):
        alone = run_batch(problem, method, [values[i]], [STEPS], (), starts=starts[i : i + 1])
        same("batch", {"in the batch": one[i], "alone": alone.state[0, 0]})

    residual = [take("residual")]
    runs = {"plain": call, "recorded": lambda: call(1, range(STEPS + 1), residual)}
    plain, recorded = (t / BATCH for t in side_by_side(runs, 10).values())
    wall, cores = {1: np.inf, 2: np.inf}, 0.0
    for _ in range(40):
        for threads in wall:
            begin, used = time.perf_counter(), time.process_time()
            call(threads)
            spent, used = time.perf_counter() - begin, time.process_time() - used
            if spent < wall[threads]:
                wall[threads], cores = spent, used / spent if threads == 2 else cores
    case = f"batch of {BATCH} runs, {STEPS} iterations"
    rows = [
        Row(
            f"{case}: runs a second and core",
            1 / plain,
            target=20_000,
            at_least=True,
            unit="runs/s",
        ),
        Row(f"{case}: 2-thread speed-up", wall[1] / wall[2], "", None, 1.6, True, "×"),
        Row(f"{case}: one run, residual at every k", recorded, "not recorded", plain),
    ]
    return rows, f"The fastest batch on two threads (wall clock) was given {cores:.2f} cores."


def main() -> int:
    """Measure everything and print it."""
    form, info = arguments(__doc__).parse_args().form, machine()
    c = C() if shutil.which("gcc") else None
    rows = [*plane(c), *dense(c, 200), *dense(c, 1000), *large(c, 1_000_000), *moved(1_000_000)]
    more, note = batched()
    notes = [note] if c else [note, "This machine has no gcc, so nothing was compared with C."]
    return show([*rows, *more], info, notes, form)


if __name__ == "__main__":
    raise SystemExit(main())
