"""References: what a method or a measure does, in plain numpy, as its declaration names it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from opcheck import registry
from opcheck.errors import OpcheckError
from opcheck.model.measure import Measure
from opcheck.model.method import Method, Over, Reference
from opcheck.model.operator import Vector
from opcheck.model.primitives import BEFORE, OTHER, SOLUTION
from opcheck.watchdog import limited

Map = Callable[[Vector], Vector]
Prox = Callable[[Vector, float], Vector]
Memory = dict[str, Any]
TAKEN = frozenset({"F", "J", "z", "z0", "k", "memory", "step"})
TAKEN_BY_A_MEASURE = frozenset({"F", "J", "z", "other", "before", "solution", "gamma"})
KEPT = 64  # steps that a schedule is laid out for


def reference_of(method: str | Method | Over) -> Reference:
    """One step in numpy, which names each of the method's parameters with a value.

    Raises OpcheckError where there is none, or where it takes other names.
    """
    entry = registry.get("methods", method) if isinstance(method, str) else method
    if entry.reference is None:
        raise OpcheckError(
            f"{entry.name} has no reference; say what one step is in numpy, "
            "@method(..., reference=)"
        )
    taken = inspect.signature(entry.reference).parameters
    own = {p.name for p in entry.parameters}
    if unknown := set(taken) - TAKEN - own:
        raise OpcheckError(
            f"the reference of {entry.name} takes {', '.join(sorted(unknown))}, which is no "
            f"parameter of it; it may take {', '.join(sorted(TAKEN | own))}"
        )
    for name in sorted(own):
        if name not in taken or taken[name].default is inspect.Parameter.empty:
            raise OpcheckError(
                f"the reference of {entry.name} gives no value to {name}; write {name}=0.5, the "
                "value at which the two are compared"
            )
    return entry.reference


def kept(value: Any) -> Any:
    """A schedule with its last entry for every later step, as long as the longest run here."""
    return [*value, *value[-1:] * KEPT] if isinstance(value, list | tuple) else value


def values_of(method: str | Method | Over) -> dict[str, Any]:
    """Parameters at which a method is compared with its reference. Errors as ``reference_of``."""
    taken = inspect.signature(reference_of(method)).parameters
    return {n: kept(p.default) for n, p in taken.items() if n not in TAKEN}


def step_of(method: str | Method | Over, **known: Any) -> Callable[[Vector, int, Memory], Vector]:
    """(z, k, memory) ↦ z⁺ by the reference.

    Args:
        known: F, J and z0 of a method; ``step``, (z, k) ↦ z after the base's step k, of one over
            another.

    Raises OpcheckError as ``reference_of``; the step does where the reference fails.
    """
    reference, values = reference_of(method), values_of(method)
    name = method if isinstance(method, str) else method.name
    taken = set(inspect.signature(reference).parameters)

    def step(z: Vector, k: int, memory: Memory) -> Vector:
        whole = {**known, "z": z, "k": k, "memory": memory, **values}
        what = f"the reference of {name}"
        copied = {n: v.copy() if isinstance(v, np.ndarray) else v for n, v in whole.items()}
        after = _answered(reference, {n: v for n, v in copied.items() if n in taken}, what)
        if after.shape != z.shape or not np.isfinite(after).all():
            raise OpcheckError(
                f"{what} returns {after.tolist()} at k = {k}; it must return z⁺, {z.size} finite "
                "numbers"
            )
        return after

    return step


def _answered(reference: Reference, known: Mapping[str, Any], what: str) -> Vector:
    try:
        with np.errstate(all="ignore"), limited(what):
            return np.asarray(reference(**known), dtype=float)
    except OpcheckError:
        raise
    except (Exception, SystemExit) as error:
        raise OpcheckError(f"{what} raises {registry.raised(error)}") from error


def by_reference(method: str | Method, F: Map, J: Prox, z0: Vector, count: int) -> Vector:
    """z₀, ..., z_count by the reference, shape (count + 1, d). Errors as ``step_of``."""
    step = step_of(method, F=F, J=J, z0=z0)
    memory: Memory = {}
    points = [z0]
    for k in range(count):
        points.append(step(points[-1], k, memory))
    return np.array(points)


# ---- measures ----------------------------------------------------------------------------------

D, ROWS = 5, 6
GAMMAS = (0.75, 1.25)


class Scene:
    """Unrelated rows, an affine F and a box, seen after a rotation and in another unit.

    Args:
        Q: orthogonal, shape (d, d).
        unit: what both z and F are multiplied by; a step stays.
        slope: what F alone is multiplied by, and a step divided by.
    """

    def __init__(self, Q: Vector, *, unit: float = 1.0, slope: float = 1.0) -> None:
        random = np.random.default_rng(7)
        turn = 0.4 * np.linalg.qr(random.standard_normal((D, D)))[0]
        self.offset = slope * unit * Q @ random.standard_normal(D)
        self.matrix = slope * Q @ turn @ Q.T
        self.rows = [unit * random.standard_normal((ROWS, D)) @ Q.T for _ in GAMMAS]
        self.Q, self.unit, self.slope = Q, unit, slope

    def F(self, z: Vector) -> Vector:
        return np.asarray(self.matrix @ z + self.offset)

    def J(self, z: Vector, gamma: float) -> Vector:
        return np.asarray(self.Q @ (self.unit * np.clip(self.Q.T @ z / self.unit, -0.5, 0.75)))

    def taken(self, measure: Measure) -> list[float]:
        """The measure of each, by its kernel; a row by the name of Fz is in units of F.

        Raises OpcheckError where it writes to a row.
        """

        def F(z: Vector, out: Vector, data: Vector) -> None:
            out[:] = self.F(z)

        def J(z: Vector, gamma: float, out: Vector, data: Vector) -> None:
            out[:] = self.J(z, gamma)

        data, values = np.zeros(1), []
        for rows, gamma in zip(self.rows, GAMMAS, strict=True):
            before = rows.copy()
            for row, name in zip((0, OTHER), measure.rows, strict=False):
                before[row] *= self.slope if name.startswith("F") else 1.0
            state, step = before.copy(), np.array([gamma / self.slope])
            values.append(float(measure.kernel(F, data, J, data, state, step, 3)))
            for name, row in (("z", 0), ("before", BEFORE), ("solution", SOLUTION)):
                if not np.array_equal(state[row], before[row]):
                    raise OpcheckError(
                        f"the measure {measure.name!r} writes to the row of {name}; write to "
                        "state[WORK] and state[WORK_2] only"
                    )
        return values


def measure_error(measure: Measure) -> float:
    """How far kernel and reference are from each other, relative, on states of unrelated rows.

    Raises OpcheckError where there is no reference, or where it fails.
    """
    what = f"the reference of the measure {measure.name!r}"
    if measure.reference is None:
        raise OpcheckError(
            f"the measure {measure.name!r} has no reference; say in numpy what it is, "
            "@measure(..., reference=)"
        )
    names = inspect.signature(measure.reference).parameters
    if unknown := set(names) - TAKEN_BY_A_MEASURE:
        raise OpcheckError(
            f"{what} takes {', '.join(sorted(unknown))}; it may take "
            f"{', '.join(sorted(TAKEN_BY_A_MEASURE))}"
        )
    scene = Scene(np.eye(D))
    worst = 0.0
    for rows, gamma, ours in zip(scene.rows, GAMMAS, scene.taken(measure), strict=True):
        whole: dict[str, Any] = {
            "F": scene.F,
            "J": scene.J,
            "z": rows[0].copy(),
            "other": rows[OTHER].copy(),
            "before": rows[BEFORE].copy(),
            "solution": rows[SOLUTION].copy(),
            "gamma": gamma,
        }
        theirs = _answered(measure.reference, {name: whole[name] for name in names}, what)
        if theirs.shape != () or not np.isfinite(theirs):
            raise OpcheckError(f"{what} returns {theirs.tolist()}; it must return a number")
        worst = max(worst, abs(ours - float(theirs)) / max(abs(float(theirs)), 1e-300))
    return worst
