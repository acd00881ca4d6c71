"""The constants of a whole library side by side: published, stated, found by search, proved."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from opcheck import registry
from opcheck.evidence.operators.constant import Constant
from opcheck.evidence.operators.constants import constants
from opcheck.model.problem import Problem
from opcheck.model.property import Fact
from opcheck.model.result import Result
from opcheck.processes import over_processes
from opcheck.watchdog import Interrupted

CLOSE = 1e-3  # relative; within it a stated constant is the best one
ROUNDING = 1e-6  # relative; what a published decimal may be off by


@dataclass(frozen=True)
class Line(Result):
    """One constant of one problem.

    Attributes:
        stated: the problem's fact, or None.
        value: its constant; NaN where nothing is stated.
        published: what the literature states, where that is another number.
    """

    problem: str
    constant: Constant
    stated: Fact | None
    value: float
    published: float | None = None

    @property
    def judgement(self) -> str:
        """How the numbers agree, in a word or two."""
        said = []
        if self.published is not None:
            wrong = _beaten(self.constant, self.published, ROUNDING)
            said.append("published value is wrong" if wrong else "published value holds")
        if self.stated is not None:
            near = [v for v in (self.constant.lower, self.constant.upper) if np.isfinite(v)]
            if _beaten(self.constant, self.value, 1e-9):
                said.append("REFUTED")
            elif any(abs(v - self.value) <= CLOSE * max(abs(self.value), 1e-6) for v in near):
                said.append("best")
            else:
                said.append("holds, no pair comes near")
        return "; ".join(said)

    def as_dict(self) -> dict[str, Any]:
        """Plain data, for JSON."""
        return {
            "problem": self.problem,
            **self.constant.as_dict(),
            "stated": None if self.stated is None else self.value,
            "stated_provenance": None if self.stated is None else self.stated.provenance,
            "published": self.published,
            "judgement": self.judgement,
        }


def _beaten(constant: Constant, value: float, room: float) -> bool:
    """Whether a pair of points refutes the value."""
    allowed = room * (1 + abs(value))
    if constant.kind.better == "smaller":
        return constant.lower > value + allowed
    return constant.upper < value - allowed


def survey(
    families: Sequence[str] = (),
    jobs: int = 1,
    progress: Callable[[str], None] | None = None,
    seed: int = 0,
) -> list[Line]:
    """Every constant of the default instance of each family, proved where that is possible.

    Args:
        families: names; all by default.
        jobs: processes.
        progress: called with the name of each family when it is done.
    """
    names = list(families) or registry.names("problems")
    work = functools.partial(lines, seed=seed)
    try:
        of_families = over_processes(work, names, jobs, progress)
    except Interrupted as stop:
        raise Interrupted([line for some in stop.finished for line in some]) from None
    return [line for some in of_families for line in some]


def lines(name: str, seed: int = 0) -> list[Line]:
    """The lines of one family."""
    p: Problem = registry.get("problems", name)()
    op = p.operator
    known = op.slopes is not None or op.matrix is not None or op.sparse_matrix() is not None
    out = []
    for c in constants(p, rigorous=known, seed=seed):
        facts = [f for f in p.facts if (f.property.kind, f.property.of) == (c.kind, c.of)]
        stated = facts[0] if facts else None
        if stated is None:
            out.append(Line(p.name, c, None, np.nan))
        else:
            out.append(Line(p.name, c, stated, p.constant(stated), p.published(stated)))
    return out
