"""The bounds that theorems put on a given run."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from opcheck import registry
from opcheck.engine.run import Trajectory
from opcheck.errors import OpcheckError
from opcheck.evidence.choices import Values, check, conditions_hold, settle
from opcheck.evidence.hypotheses import constants
from opcheck.model.text import text
from opcheck.model.theorem import Theorem


def with_bounds(trajectory: Trajectory) -> tuple[Trajectory, list[str]]:
    """The trajectory with every bound that covers it, and a sentence for each that just doesn't.

    A theorem covers a run if its hypotheses are known of the problem, the run's parameters lie in
    its range, and it bounds a recorded measure by a formula in k.
    """
    bounds: dict[str, dict[str, NDArray[np.float64]]] = {}
    notes: list[str] = []
    for name in registry.names("theorems"):
        theorem: Theorem = registry.get("theorems", name)
        if theorem.method_name != trajectory.method or theorem.claim != "upper bound":
            continue
        if theorem.measure not in trajectory.measures or theorem.right.recorded:
            continue
        known = constants(theorem, trajectory.problem)
        if isinstance(known, str):
            notes.append(f"{name} does not apply: {known}")
            continue
        try:
            found = _bound(theorem, trajectory, dict(known.values))
            bounds.setdefault(theorem.measure, {})[name] = found
        except OpcheckError as outside:
            notes.append(str(outside))
    return replace(trajectory, bounds=bounds), notes


def bounded_measures(method: str) -> list[str]:
    """The measures of a run that theorems about its method bound by a formula in k."""
    theorems = [registry.get("theorems", name) for name in registry.names("theorems")]
    found = {t.measure for t in theorems if t.method_name == method and t.claim == "upper bound"}
    return sorted(found & set(registry.names("measures")))


def _bound(theorem: Theorem, trajectory: Trajectory, values: Values) -> NDArray[np.float64]:
    horizon = int(trajectory.k[-1])
    k = np.arange(horizon + 1.0)
    values |= {"K": float(horizon), "k": k, "j": k}
    target = trajectory.problem.solution_near(trajectory.problem.start)
    if target is not None:
        values["R"] = float(np.linalg.norm(trajectory.problem.start - target))
    given: dict[str, Any] = {n.rpartition(".")[2]: v for n, v in trajectory.parameters.items()}
    conditions_hold(theorem, values)
    for name, value in given.items():
        if name in theorem.let:
            stated = text(theorem.let[name])
            if stated.names <= values.keys() and not np.allclose(
                stated.evaluate(values), value, rtol=1e-12
            ):
                raise OpcheckError(
                    f"{theorem.name} needs {name} = {stated}, which fails: {name} = {value}"
                )
        values[name] = value
    free = [s for s in theorem.free if s not in values]
    if free:
        raise OpcheckError(f"{theorem.name} leaves {', '.join(free)} open")
    check(theorem, values)
    settle(theorem, values)
    with np.errstate(all="ignore"):
        full = np.asarray(theorem.right.evaluate(values), dtype=float) * np.ones(horizon + 1)
    full[: theorem.first] = np.nan
    return full[trajectory.k]
