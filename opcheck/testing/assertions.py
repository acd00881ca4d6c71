"""Assertions on runs and statements, for tests that are written by hand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from opcheck.engine.run import Trajectory
from opcheck.errors import OpcheckError
from opcheck.evidence.certificates.certificate import Certificate, certify
from opcheck.evidence.proofs.prove import Proved, prove
from opcheck.evidence.simulation.bounds import FLOOR, SLACK, with_bounds
from opcheck.model.text import FLOAT, text
from opcheck.model.theorem import Theorem
from opcheck.testing.checks import failing

Floats = NDArray[np.float64]
OCTAVES = 3  # at the end of a run, on which a rate is fitted
STEEPER = 0.1  # by how much the slope over them may miss the order


@failing
def assert_rate(
    run: Trajectory,
    measure: str,
    *,
    order: str,
    bound: str | float | None = None,
    steeper: float = STEEPER,
    **symbols: float,
) -> None:
    """A run falls at least as fast as an order in k, and stays below a bound.

    Args:
        run: with the measure recorded at eight times as many k as it needs to settle: the largest
            measured/order of each of the last three octaves of k is what is fitted.
        measure: its name, as ``residual``.
        order: a formula in k, as ``1/k``, ``1/k**2`` or ``0.9**k``.
        bound: a formula in k, R = ‖z⁰ − z*‖ where z* is known, and the parameters of run and
            problem, as ``4*R**2/(gamma**2*(k + 1)**2)``; held at every recorded k from 1 on.
        steeper: by how much the fitted exponent of measured/order in k may exceed 0.
        symbols: values of further symbols of ``bound``.

    Raises CheckFailed with the exponent and k, or with measured, bound, k and the parameters.
    """
    values, k = run[measure], run.k
    if run.status != "completed":
        raise OpcheckError(f"{run.method} on {run.problem.name}: {run.status}")
    if k.size == 0 or k[-1] < 2**OCTAVES:
        raise OpcheckError(f"the run has {k[-1] if k.size else 0} steps; a rate needs 8 or more")
    known = {**run.problem.parameters, **_numbers(run.parameters), **symbols}
    at = ", ".join(f"{name} = {value:.6g}" for name, value in _numbers(run.parameters).items())
    what = f"{measure} of {run.method} on {run.problem.name}"
    if bound is not None:
        _below(run, values, _evaluated(bound, {**known, **_radius(run)}, k), f"{what} with {at}")
    share = values / np.broadcast_to(_evaluated(order, known, np.maximum(k, 1)), values.shape)
    tops, middles = [], []
    for i in range(OCTAVES):
        inside = (k > k[-1] / 2 ** (i + 1)) & (k <= k[-1] / 2**i)
        if not inside.any():
            raise OpcheckError(f"{what} is recorded too rarely: record every k of the last octaves")
        tops.append(float(np.max(share[inside])))
        middles.append(-i)
    if not np.isfinite(tops).all():
        raise OpcheckError(f"{what} is not finite by the order {order}; give another")
    if max(tops) <= FLOOR * float(np.max(np.abs(share))) or min(tops) <= 0:
        return  # it has arrived
    slope = float(np.polyfit(middles, np.log2(tops), 1)[0])
    if slope > steeper:
        raise OpcheckError(
            f"{what} does not fall as {order}: times k^{slope:.3g} over the last {OCTAVES} octaves "
            f"up to k = {k[-1]}, where it is {values[-1]:.6g}{'; ' * bool(at)}{at}"
        )


def _numbers(parameters: Mapping[str, Any]) -> dict[str, float]:
    return {n: float(v) for n, v in parameters.items() if isinstance(v, int | float | np.number)}


def _radius(run: Trajectory) -> dict[str, float]:
    start = run.problem.start
    solution = run.problem.solution_near(start)
    return {} if solution is None else {"R": float(np.linalg.norm(start - solution))}


def _evaluated(formula: str | float, known: Mapping[str, float], k: NDArray[np.int64]) -> Floats:
    values = {**known, "k": k.astype(float)}
    with np.errstate(all="ignore"):
        value = np.asarray(text(str(formula)).evaluate(values, FLOAT), dtype=float)
    return np.broadcast_to(value, k.shape)


def _below(run: Trajectory, values: Floats, bound: Floats, what: str) -> None:
    floor = FLOOR * float(np.nanmax(np.abs(values), initial=0.0))
    over = np.where(run.k >= 1, values - (bound + SLACK * np.abs(bound) + floor), -np.inf)
    i = int(np.argmax(np.where(np.isnan(over), np.inf, over)))
    if not over[i] <= 0:
        raise OpcheckError(
            f"{what} exceeds its bound at k = {run.k[i]}: {values[i]:.6g} > {bound[i]:.6g}"
        )


@failing
def assert_bound(run: Trajectory, theorem: str = "") -> None:
    """A run stays below the bound of a theorem, or of every theorem that covers it.

    Args:
        run: of a problem whose facts, and with parameters, of which the theorem speaks.
        theorem: its name; "" for all that speak of the method and a recorded measure.

    Raises CheckFailed where none covers the run, with the hypothesis that fails, or where a bound
    is exceeded, with measured, bound and k.
    """
    bounded, notes = with_bounds(run)
    covering = [name for by in bounded.bounds.values() for name in by]
    about = [n for n in notes if theorem in n]
    if exceeded := [n for n in about if "exceeds the bound" in n]:
        raise OpcheckError(f"{run.method} on {run.problem.name}: {exceeded[0]}")
    if theorem not in covering if theorem else not covering:
        which = f"{theorem} does not cover" if theorem else "no theorem covers"
        why = about[0] if about else "none speaks of its method and what it recorded"
        raise OpcheckError(f"{which} {run.method} on {run.problem.name}: {why}")


@failing
def assert_certified(
    theorem: str | Theorem,
    k: int = 1,
    *,
    place: Literal["low", "middle", "high"] = "middle",
    **fixed: Any,
) -> None:
    """The bound itself is certified at k, in rationals, over the class of the theorem.

    Arguments as ``opcheck.certify``. Raises CheckFailed where it is not, with the least multiple of
    the bound that is.
    """
    certificate: Certificate = certify(theorem, k, place=place, **fixed)
    if certificate.ratio > 1:
        raise OpcheckError(
            f"{certificate.theorem} at k = {k} is certified at {float(certificate.ratio):.12g} "
            "times its bound only"
        )


@failing
def assert_proved(theorem: str | Theorem) -> None:
    """A theorem's declared potential argument shows it for every k and its whole range.

    Raises CheckFailed with the part that does not follow, or that is left out.
    """
    proved: Proved = prove(theorem)
    if proved.only:
        raise OpcheckError(f"{proved.theorem} is proved in part, for {proved.only} only")
