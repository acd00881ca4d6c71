"""Worst cases against PEPit with the same solver: build and solve, side by side in one process.

``python benchmarks/proofs.py`` prints a table; needs ``pip install pepit``.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from typing import Any

import PEPit
import PEPit.operators
from PEPit.primitive_steps import proximal_step

from opcheck.evidence.certificate import certify
from opcheck.evidence.worst_case import worst

KS = (3, 4, 5, 6)
BOTH = PEPit.operators.LipschitzStronglyMonotoneOperatorCheap


def peer(kind: Any, measured: Callable[[Any, Any, int], Any], k: int, **constants: float) -> float:
    """PEPit's value, solved by Clarabel through cvxpy."""
    problem = PEPit.PEP()
    F = problem.declare_function(kind, **constants)
    solution = F.stationary_point()
    start = problem.set_initial_point()
    problem.set_initial_condition((start - solution) ** 2 <= 1)
    problem.set_performance_metric(measured(F, start, k))
    return float(problem.solve(wrapper="cvxpy", solver="CLARABEL", verbose=0))


def extragradient(F: Any, z: Any, k: int) -> Any:
    for _ in range(k):
        z = z - 0.5 * F.gradient(z - 0.5 * F.gradient(z))
    return F.gradient(z) ** 2


def past_extragradient(F: Any, z: Any, k: int) -> Any:
    value = 0 * z
    for _ in range(k):
        value = F.gradient(z - value / 6)
        z = z - value / 6
    return F.gradient(z) ** 2


def halpern(F: Any, start: Any, k: int) -> Any:
    z = start
    for i in range(k):
        z = start / (i + 2) + (1 - 1 / (i + 2)) * (z - F.gradient(z))
    return F.gradient(z) ** 2


def proximal_point(F: Any, z: Any, k: int) -> Any:
    before = z
    for _ in range(k + 1):
        before, z = z, proximal_step(z, F, 0.5)[0]
    return (z - before) ** 2


CASES: dict[str, Callable[[int], float]] = {
    "gorbunov2022_eg_last": lambda k: peer(BOTH, extragradient, k, mu=0.0, L=1.0),
    "gorbunov2022_peg_last": lambda k: peer(BOTH, past_extragradient, k, mu=0.0, L=1.0),
    "lieder2021_halpern": lambda k: peer(PEPit.operators.CocoerciveOperator, halpern, k, beta=0.5),
    "gu2020_ppm_last": lambda k: peer(PEPit.operators.MonotoneOperator, proximal_point, k),
}


def fastest(run: Callable[[], Any], times: int = 3) -> tuple[float, Any]:
    """Seconds of the fastest of a few runs, and what it returned."""
    best, value = float("inf"), None
    for _ in range(times):
        begin = time.perf_counter()
        value = run()
        best = min(best, time.perf_counter() - begin)
    return best, value


def main() -> None:
    warnings.simplefilter("ignore")
    print("theorem                   k   opcheck     PEPit  times   difference   certified in")
    for name, theirs in CASES.items():
        worst(name, 1)
        for k in KS:
            ours, found = fastest(lambda name=name, k=k: worst(name, k))
            other, value = fastest(lambda theirs=theirs, k=k: theirs(k))
            proof, certificate = fastest(lambda name=name, k=k: certify(name, k), 1)
            off = abs(found.value - value) / value
            print(
                f"{name:24} {k:2} {1e3 * ours:6.1f} ms {1e3 * other:6.0f} ms {other / ours:5.1f}x"
                f"   {off:10.1e}   {1e3 * proof:6.0f} ms at {float(certificate.ratio):.7g}"
            )


if __name__ == "__main__":
    main()
