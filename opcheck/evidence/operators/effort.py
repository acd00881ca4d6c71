"""How much work fits, for an F that may be slow."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import numpy as np

from opcheck.engine.guard import guard, pace, slow
from opcheck.engine.jit import foreign
from opcheck.engine.run import graph_at, interpreted
from opcheck.model.problem import Problem

FAST = 3e-6  # seconds a call below which F is called as often as anything asks


SLOW_SECONDS = 9.0  # what calls of a slower F may take in all


SEARCH_SHARE = 1 / 3  # of a time limit, for the constants


SEARCH, APPLY = 0.4, 60  # share of them for the constants; theorems that share the rest


TIMED, TOLD = (4, 64, 1024), 2e-3  # calls that are timed, more where they took less than this


TRIES = 3
STEADY = 5e-3  # seconds; a call of Python text that takes longer takes as long again


DRIVEN = 3e-5  # seconds a call that a method costs where it runs interpreted


QUICK = (4000.0, 400.0)  # calls of a quick check: for the search at least, for each theorem
QUICK_SECONDS = 1.0  # for the search, where more calls than that fit


QUICKLY = "quick: shorter searches, and a few short runs of each theorem; leave out --quick for all"


LEAST = 2500  # calls of the shortest search for constants that says anything


SOUGHT, PATIENT = 4.5, 20.0  # seconds for it in a check, and on its own, where no limit is given


USEFUL = 20  # calls below which no theorem is run: every run would be too short to say anything


@dataclass(frozen=True)
class Effort:
    """How much of a check fits: calls of F for the search and for each theorem.

    An F that runs interpreted may take a millisecond or a second a call; the number of calls is
    what fits into ``SLOW_SECONDS``, or the time limit, rounded so that most runs agree on it.
    """

    search: float = np.inf
    run: float = np.inf
    quick: bool = False
    each: float = 0.0  # seconds a call of an F that is slow; 0 of any other

    @property
    def runs(self) -> bool:
        """Whether a theorem's calls are enough for a run that says something."""
        return self.run >= USEFUL

    def sentences(self, calls: float, searched: bool) -> tuple[str, ...]:
        """What was done with less effort.

        Args:
            calls: that were made for the constants.
            searched: whether they made a whole search.
        """
        said = (QUICKLY,) if self.quick else ()
        if not self.each:
            return said
        slow = f"F is slow, {self.each:.1g} s a call: {calls:.0f} calls were made for the constants"
        if searched and self.runs:
            return (
                *said,
                f"{slow} and up to {self.run:.0f} for each theorem, so runs are few and short; "
                "--time-limit SECONDS allows more",
            )
        left = [] if searched else ["that bounds them from one side, and theorems can't rely on it"]
        left += [] if self.runs else ["no theorem is run, which takes more calls than there are"]
        needed = max(LEAST / SEARCH_SHARE, USEFUL * APPLY / (1 - SEARCH)) * self.each
        return (*said, f"{slow}; {'; '.join(left)}; --time-limit {_rounded(needed)} allows it")

    @classmethod
    def of(cls, problem: Problem, quick: bool, time_limit: float | None) -> Effort:
        """Of a problem whose calls are timed here."""
        own = cls(run=QUICK[1], quick=True) if quick else cls()
        each = seconds_a_call(problem)
        if each < FAST:
            return own  # a search by far fewer calls would say false things, and save no time
        if quick:
            own = replace(own, search=max(QUICK[0], np.ceil(QUICK_SECONDS / each)))
        seconds = SLOW_SECONDS if time_limit is None else time_limit
        calls = 10.0 ** (np.floor(4 * np.log10(seconds / each)) / 4)
        search = min(own.search, np.ceil(SEARCH * calls))
        run = min(own.run, np.ceil((1 - SEARCH) * calls / APPLY))
        if run == own.run and (search == own.search or quick):
            return replace(own, search=search)
        return cls(search, run, quick, each)


def seconds_a_call(problem: Problem) -> float:
    """What a call of a foreign F costs where it runs as the searches and runs call it; else 0."""
    if not foreign(problem.operator.kernel):
        return 0.0
    guard(problem)
    if slow(problem) or (interpreted(problem) and pace(problem) > STEADY):
        return pace(problem)  # timing it again would take longer than it tells
    graph_at(problem, problem.start[None])  # compiled, and guarded
    # compiled, it never waits: what other work of the machine takes is not counted
    clock = time.perf_counter if interpreted(problem) else time.process_time
    taken = 0.0
    for count in TIMED:
        points, times = problem.start + np.zeros((count, 1)), []
        for _ in range(TRIES):  # the least: other work of the machine only adds
            begun = clock()
            graph_at(problem, points)
            times.append((clock() - begun) / count)
        taken = min(times)
        if taken * count > TOLD:
            break
    return taken + (DRIVEN if interpreted(problem) else 0.0)


def few_calls(problem: Problem, seconds: float) -> int | None:
    """How many calls of a slow F fit into so many seconds; None where a whole search does."""
    each = seconds_a_call(problem)
    return None if LEAST * each <= seconds else int(seconds / each)


def unaffordable(problem: Problem) -> str:
    """Why no search for the constants of a slow F is made where it has no limit; "" where it is."""
    if few_calls(problem, PATIENT) is None:
        return ""
    each = seconds_a_call(problem)
    needed = _rounded(LEAST * each / SEARCH_SHARE)
    return (
        f"F of {problem.name!r} is slow, {each:.2g} s a call, and its constants take at least "
        f"{LEAST} calls; opcheck check with --time-limit {needed} has them"
    )


def _rounded(seconds: float) -> str:
    """Up to two digits."""
    unit = 10.0 ** (np.floor(np.log10(seconds)) - 1)
    return f"{np.ceil(seconds / unit) * unit:.0f}"
