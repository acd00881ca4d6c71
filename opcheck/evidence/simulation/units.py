"""How a statement changes with the unit of F, and what rounding float64 may have made in a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from opcheck.engine.run import run_batch
from opcheck.errors import OpcheckError
from opcheck.evidence.statement.evaluation import parameters_of, plan
from opcheck.evidence.statement.hypotheses import Constants
from opcheck.evidence.statement.parameters import Values, choices, lowest
from opcheck.model.operator import linear
from opcheck.model.problem import Problem
from opcheck.model.theorem import Theorem

TRIAL = (0, 1, 2, 3)  # the k at which units are told
CANCELLED = 64 * np.finfo(float).eps  # relative rounding of one recorded value, or one symbol
SMALLEST = float(np.finfo(float).tiny)  # below, a float keeps no relative accuracy


@dataclass(frozen=True)
class Units:
    """How what a theorem records, and its parameters, change with the unit of F.

    Attributes:
        degrees: written form of a measure -> n, where it is multiplied by c^n as F is by c and
            every step is divided by it.
        steps: symbols of the parameters that are then divided by c.
    """

    degrees: Mapping[str, int]
    steps: frozenset[str]


_UNITS: dict[Any, Units] = {}  # found by trial, once a statement


def units(theorem: Theorem, known: Constants) -> Units:
    """The units of a statement, from two runs on a linear operator and on twice that operator."""
    texts = theorem.where, theorem.measure, theorem.bound, tuple(theorem.let.items())
    key = theorem.method, theorem.asked, texts
    if key not in _UNITS:
        _UNITS[key] = _units(theorem, known)
    return _UNITS[key]


def _units(theorem: Theorem, known: Constants) -> Units:
    takes = plan(theorem).takes
    none = Units(dict.fromkeys(takes, 0), frozenset())
    rate = _rate(known.values)
    if rate is None:
        return none
    plain = dict(known.values)
    if "rho" in plain:  # not 0, which says nothing of its unit
        plain["rho"] = (lowest(theorem) / 4 or 0.01) / rate
    factor = {"L": 2.0, "mu": 2.0, "rho": 0.5, "beta": 0.5}
    doubled = {n: v * factor.get(n, 1.0) for n, v in plain.items()}
    seen, values = [], []
    try:
        for turn, constants in enumerate((plain, doubled)):
            own_known = replace(known, values=constants)
            sample = next(iter(choices(theorem, own_known, TRIAL[-1])))
            slope = rate * 2**turn / 2
            operator = linear([[0.25 * slope, slope], [-slope, 0.5 * slope]])
            plane = Problem(operator, start=np.array([1.0, 0.5]), solution=np.zeros(2))
            own = parameters_of(theorem.iteration, sample)
            batch = run_batch(plane, theorem.iteration, [own], TRIAL, list(takes.values()))
            seen.append(np.abs(batch.record[0]))
            values.append(sample)
    except (OpcheckError, StopIteration):
        return none
    with np.errstate(all="ignore"):
        powers = np.log2(seen[1] / seen[0])
    degrees = {}
    for j, name in enumerate(takes):
        told = powers[j, 1:][np.isfinite(powers[j, 1:])]
        degrees[name] = round(float(np.median(told))) if told.size else 0
    steps = {
        symbol
        for p in theorem.iteration.parameters
        if (symbol := p.symbol) in values[0]
        and np.allclose(2 * np.asarray(values[1][symbol]), values[0][symbol])
        and np.any(values[0][symbol])
    }
    return Units(degrees, frozenset(steps))


def _rate(values: Mapping[str, float]) -> float | None:
    """What F is measured in where z is a length: L, or 1/β; None where no constant tells."""
    if values.get("L"):
        return float(values["L"])
    return 1 / float(values["beta"]) if values.get("beta") else None


def squared_point(
    theorem: Theorem, known: Constants, values: Values, extent: float, name: str
) -> float:
    """A squared point as far out as a run goes, in the units in which a measure sees it."""
    own = units(theorem, known)
    rate = np.float64(_rate(known.values) or 1.0)
    # a parameter above 1, as an over-relaxation, multiplies what was rounded
    weight = np.float64(1.0)
    for p in theorem.iteration.parameters:
        value = values.get(p.symbol, 0.0)
        if np.ndim(value) == 0:
            weight = np.fmax(
                weight, abs(np.float64(value)) * (rate if p.symbol in own.steps else 1.0)
            )
    with np.errstate(over="ignore"):
        return float(np.float64(extent * weight) ** 2 * rate ** own.degrees[name])


def rounding(
    series: NDArray[np.float64], size: float, dim: int, in_step: bool
) -> NDArray[np.float64]:
    """Error that float64 may have made in a recorded squared measure at each k.

    Each step rounds z by some ulp of its size, (k + 1)(d + 10)·8ε in all where the iteration does
    not amplify. ``size`` is a squared point of that size as the measure sees it, and so the root of
    the measure is off by that share of its root. All is in units of the measure: at any scale of F
    and of z the share is the same. It is an allowance for rounding, not a tolerance: within it
    float64 decides nothing.
    """
    value = np.abs(series)
    if in_step:
        value[0] = 0.0  # no step was made yet
    step = (np.arange(len(series)) + 1.0) * (dim + 10) * 8 * np.finfo(float).eps
    largest = np.fmax(size, np.fmax.accumulate(value))
    off = step * np.sqrt(largest)
    return np.asarray(off * (2 * np.sqrt(value) + off) + CANCELLED * value + SMALLEST)
