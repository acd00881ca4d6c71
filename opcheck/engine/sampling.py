"""Samples for the runs of a batch: drawn by seeded generators, laid out for the calls to come."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from opcheck.errors import OpcheckError
from opcheck.model.method import Method
from opcheck.model.oracle import HEAD
from opcheck.model.problem import Problem

FLOATS = 4_000_000  # samples laid out at a time, over all runs
BLOCK = 256  # samples drawn at a time: how a run is cut into calls does not change its draws


class Samples:
    """The samples of m runs; run i draws from its own generator, seeded with ``seeds[i]``."""

    def __init__(
        self,
        problem: Problem,
        method: Method,
        values: Sequence[Mapping[str, Any]],
        seeds: Sequence[int],
        same_sample: bool,
    ) -> None:
        if problem.oracle is None:
            raise OpcheckError(f"{problem.name!r} has no sample oracle, so a seed means nothing")
        if len(seeds) != len(values):
            raise OpcheckError(f"{len(values)} runs need as many seeds, not {len(seeds)}")
        for seed in seeds:
            if not isinstance(seed, int | np.integer) or seed < 0:
                raise OpcheckError(f"seed = {seed} must be a whole number that is not negative")
        self.problem, self.oracle, self.same = problem, problem.oracle, same_sample
        self.method = method
        known: dict[int, NDArray[np.int64]] = {}  # runs of a batch mostly share their parameters
        for v in values:
            if id(v) not in known:
                known[id(v)] = np.atleast_1d(method.calls_at(v)).astype(np.int64)
        self.calls = [known[id(v)] for v in values]
        if any((c < 1).any() for c in known.values()):
            raise OpcheckError(
                f"{method.name} takes the resolvent of the sum, of which {problem.name!r} has no "
                "samples; take rapp or inner_loop, which only call F"
            )
        self.most = max(int(c.max()) for c in known.values())
        self.generators = [np.random.default_rng(int(seed)) for seed in seeds]
        self.left = [np.empty((0, self.oracle.width))] * len(seeds)

    @property
    def affordable(self) -> int:
        """Iterations for which the samples of all runs are laid out at a time."""
        return max(1, FLOATS // (len(self.left) * self.most * self.oracle.width))

    def lay(self, start: int, stop: int) -> NDArray[np.float64]:
        """Data of ``sampled`` for the calls of iterations start..stop − 1, one row a run."""
        oracle, width = self.oracle, self.oracle.width
        own = oracle.data.size
        steps = np.arange(start, stop)
        data = np.empty((len(self.left), HEAD + own + (stop - start) * self.most * width))
        for i, calls in enumerate(self.calls):
            each = calls[np.minimum(steps, calls.size - 1)]  # the last one is kept
            rows = self._take(i, len(each) if self.same else int(each.sum()))
            if self.same:
                rows = np.repeat(rows, each, axis=0)
            data[i, :HEAD] = 0, len(rows), width, own
            data[i, HEAD + own : HEAD + own + rows.size] = rows.ravel()
        data[:, HEAD : HEAD + own] = oracle.data
        return data

    def _take(self, i: int, count: int) -> NDArray[np.float64]:
        block = max(1, min(BLOCK, 4096 // self.oracle.width))
        rows = [self.left[i]]
        taken = len(rows[0])
        while taken < count:
            rows.append(self.oracle.samples(self.generators[i], block))
            taken += block
        all_ = np.concatenate(rows) if len(rows) > 1 else rows[0]
        self.left[i] = all_[count:]
        return all_[:count]

    def check(self, data: NDArray[np.float64], status: NDArray[np.int64]) -> None:
        """Raises OpcheckError where a method made other calls than it states."""
        wrong = (data[:, 0] > data[:, 1]) | ((data[:, 0] < data[:, 1]) & (status == 0))
        if wrong.any():
            i = int(np.flatnonzero(wrong)[0])
            raise OpcheckError(
                f"{self.method.name} states {self.method.calls} operator calls an iteration, which "
                f"makes {data[i, 1]:.0f}, but it made {data[i, 0]:.0f}; samples can't be dealt out"
            )


def described(problem: Problem, same_sample: bool) -> str:
    """What a noisy run should say of its noise; "" where the problem has none."""
    oracle = problem.oracle
    if oracle is None:
        return ""
    how = "one sample an iteration" if same_sample else "a fresh sample each call"
    if np.isfinite(oracle.bound) or problem.solution is None:
        return f"{oracle.formula}; {how}"
    here = f"variance {oracle.variance(problem.solution):.6g} at the solution"
    return f"{oracle.formula}; {here}; {how}"
