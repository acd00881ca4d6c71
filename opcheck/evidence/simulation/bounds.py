"""The bounds that theorems put on a given run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from opcheck import registry
from opcheck.engine.run import Trajectory, named_take
from opcheck.errors import OpcheckError
from opcheck.evidence.operators.facts import admit, partial
from opcheck.evidence.statement.evaluation import start_distance
from opcheck.evidence.statement.hypotheses import Inapplicable, match
from opcheck.evidence.statement.parameters import (
    Values,
    base_scope,
    check,
    conditions_hold,
    ends,
    settle,
)
from opcheck.model.problem import Problem
from opcheck.model.theorem import Theorem


def with_bounds(trajectory: Trajectory) -> tuple[Trajectory, list[str]]:
    """The trajectory with every bound that covers it, and a sentence for each that just doesn't.

    A theorem covers a run if its hypotheses are known of the problem, the run's parameters lie in
    its range, and it bounds a recorded measure by a formula in k. None covers a run on samples.
    """
    if trajectory.noise:
        return trajectory, ["the run is noisy: no statement about the mean operator bounds it"]
    if partial(trajectory.problem):
        return trajectory, ["F is not defined everywhere: no statement bounds the run"]
    if not trajectory.problem.all_facts():
        said = (
            f"no constants are stated of {trajectory.problem.name!r}, so no bound is known to hold"
        )
        return trajectory, [f"{said}; opcheck check finds them, and the theorems that then apply"]
    admit(trajectory.problem)
    bounds: dict[str, dict[str, NDArray[np.float64]]] = {}
    notes: list[str] = []
    for name in registry.names("theorems"):
        theorem: Theorem = registry.get("theorems", name)
        if theorem.method != trajectory.method or theorem.claim != "upper bound":
            continue
        if theorem.measure not in trajectory.measures or theorem.right.recorded:
            continue
        try:
            known = match(theorem, trajectory.problem)
            bound = _bound(theorem, trajectory, known.values)
            bounds.setdefault(theorem.measure, {})[name] = bound
            notes += _exceeded(theorem, trajectory, bound, known.provenance)
        except Inapplicable as mismatch:
            notes.append(f"{name} does not apply: {mismatch}")
        except OpcheckError as outside:
            said = str(outside)
            notes.append(said if name in said else f"{name}: {said}")
    return replace(trajectory, bounds=bounds), notes


def _exceeded(
    theorem: Theorem, trajectory: Trajectory, bound: NDArray[np.float64], provenance: str
) -> list[str]:
    """A sentence where the measure passes a bound that covers the run, beyond rounding."""
    measured = trajectory.measures[theorem.measure]
    with np.errstate(invalid="ignore"):
        floor = FLOOR * np.nanmax(np.abs(measured), initial=0.0)
        passed = np.flatnonzero(measured > bound + SLACK * np.abs(bound) + floor)
    if not passed.size:
        return []
    worst = passed[np.argmax(measured[passed] - bound[passed])]
    return [
        f"{theorem.measure} exceeds the bound of {theorem.name} at {passed.size} of "
        f"{len(measured)} recorded k, first at k = {trajectory.k[passed[0]]}; at k = "
        f"{trajectory.k[worst]} it is {measured[worst]:.6g} > {bound[worst]:.6g}: the statement is "
        f"wrong, or a constant that it uses ({provenance}; opcheck check examines them)"
    ]


def bounded_measures(method: str, problem: Problem) -> list[str]:
    """The measures of a run that theorems about its method bound by a formula in k.

    Without those that are taken to a solution where none is known.
    """
    theorems = [registry.get("theorems", name) for name in registry.names("theorems")]
    bounded = {t.measure for t in theorems if t.method == method and t.claim == "upper bound"}
    known = problem.solution is not None or problem.project is not None
    named = sorted(bounded & set(registry.names("measures")))
    return [m for m in named if known or not named_take(m).to_solution]


SLACK = 1e-9  # relative; what float64 may do to a bound
FLOOR = 1e-26  # of the largest value measured; squares of rounding errors
FREE = np.linspace(0, 1, 101)[1:-1]  # where a free symbol is tried, in units of its range


def _bound(
    theorem: Theorem, trajectory: Trajectory, constants: Mapping[str, float]
) -> NDArray[np.float64]:
    """The bound at each recorded k, by the free symbols that make it smallest at the end.

    Raises OpcheckError where the run's parameters are outside the theorem's range.
    """
    horizon = int(trajectory.k[-1])
    values = base_scope(constants, horizon)
    if (distance := start_distance(trajectory.problem)) is not None:
        values["R"] = distance
    own = {n.rpartition(".")[2]: np.asarray(v) for n, v in trajectory.parameters.items()}
    for name, value in own.items():
        if value.ndim:
            if any(name == chain.name for chain in theorem.chains):
                raise OpcheckError(f"{theorem.name} is about one {name}, the same for every k")
            own[name] = value[np.minimum(np.arange(horizon + 1), value.size - 1)]
    conditions_hold(theorem, values)
    best: NDArray[np.float64] | None = None
    reason: OpcheckError | None = None
    for place in FREE if theorem.free else [0.0]:
        scope = {**values, **{n: v for n, v in own.items() if n not in theorem.let}}
        settle(theorem, scope)
        try:
            for chain in theorem.chains:
                if chain.name in theorem.free:
                    lo, hi = ends(chain, scope)
                    scope[chain.name] = lo + place * (hi - lo)
                    settle(theorem, scope)
            check(theorem, scope)
            _agree(theorem, scope, own)
        except OpcheckError as outside:
            reason = outside
            continue
        with np.errstate(all="ignore"):
            full = np.asarray(theorem.right.evaluate(scope), dtype=float) * np.ones(horizon + 1)
        best = full if best is None or full[-1] < best[-1] else best
    if best is None:
        assert reason is not None
        raise reason
    best[: theorem.first] = np.nan
    return best[trajectory.k]


def _agree(theorem: Theorem, scope: Values, own: Mapping[str, NDArray[np.float64]]) -> None:
    """Whether the run's parameters are what the statement sets them to, or more where that does."""
    for name in sorted(own.keys() & theorem.let.keys()):
        stated, value = np.broadcast_arrays(np.asarray(scope[name], dtype=float), own[name])
        more = name in theorem.at_least
        right = value >= stated if more else np.isclose(value, stated, rtol=1e-12)
        if np.all(right):
            continue
        asked = f"{theorem.name} needs {name} {'>=' if more else '='} {theorem.let[name]}"
        if not stated.ndim:
            raise OpcheckError(
                f"{asked} = {float(stated):.6g}, which fails: {name} = {float(value):.6g}"
            )
        k = int(np.argmin(right))
        raise OpcheckError(
            f"{asked} for k = 0, ..., {stated.size - 1}, n + 1 = {stated.size} numbers where a run "
            f"has n steps; at k = {k} that is {stated[k]:.6g}, and the run has {value[k]:.6g} "
            f'(write -p "{name}={theorem.let[name]}")'
        )
