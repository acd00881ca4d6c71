"""What a statement records of a run, and both its sides at every k."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from opcheck.engine.run import Take, take
from opcheck.evidence.statement.parameters import Values, settle
from opcheck.model.method import Method
from opcheck.model.problem import Problem
from opcheck.model.text import FLOAT, Arithmetic, text
from opcheck.model.theorem import Theorem


@dataclass(frozen=True)
class Plan:
    """What a theorem records: measures by their written form, and how many k it speaks of."""

    takes: Mapping[str, Take]
    ahead: frozenset[str]
    in_steps: bool

    def count(self, horizon: int) -> int:
        """Number of comparisons up to the horizon."""
        return horizon if self.in_steps else horizon + 1


@functools.lru_cache(maxsize=256)
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


def needs_solution(theorem: Theorem) -> bool:
    """Whether the statement speaks of the solution: by R, or by a measure taken to it."""
    names = set(theorem.left.names | theorem.right.names)
    for formula in theorem.let.values():
        names |= text(formula).names
    return "R" in names or any(t.to_solution for t in plan(theorem).takes.values())


def parameters_of(method: Method, values: Mapping[str, Any]) -> dict[str, Any]:
    """The method's parameters among a theorem's symbols."""
    return {p.name: values[p.symbol] for p in method.parameters if p.symbol in values}


def start_distance(problem: Problem) -> float | None:
    """R, the distance of a problem's start from its nearest solution; None where none is known."""
    solution = problem.solution_near(problem.start)
    return None if solution is None else length(problem.start - solution)


def length(vector: NDArray[np.float64]) -> float:
    """‖v‖ without a square that over- or underflows."""
    largest = float(np.abs(vector).max(initial=0.0))
    return largest * float(np.linalg.norm(vector / largest)) if 0 < largest < np.inf else largest
