"""Worst cases against PEPit with the same solver, and what their certificates cost.

    python benchmarks/proofs.py [-k 3..12] [--json | --markdown]

Building and solving, side by side in one process, by the CPU time of the process; then rounding and
checking against that, and the stand-alone checker as a process of its own. Needs ``pip install
pepit``. Exits 1 if a target is missed, or the two values differ by more than 1e-6.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import PEPit
import PEPit.operators
from measuring import Row, arguments, machine, show, side_by_side
from PEPit.primitive_steps import proximal_step

from opcheck import recheck, registry
from opcheck.evidence.certificates.certificate import at, certify
from opcheck.evidence.worst_case.claim import claim
from opcheck.evidence.worst_case.worst_case import Program, worst

CLOSE = 1e-6  # to which both values must agree
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


def beside(name: str, theirs: Callable[[int], float], k: int) -> tuple[Row, float]:
    """Forms and solve beside PEPit's, and how far the values are apart."""
    values: dict[str, Any] = {}
    runs = {
        "ours": lambda: values.update(ours=worst(name, k).value),
        "theirs": lambda: values.update(theirs=theirs(k)),
    }
    best = side_by_side(runs, 3, time.process_time)
    row = Row(
        f"{name} k = {k}, worst case", best["ours"], "PEPit", best["theirs"], 5, at_least=True
    )
    return row, abs(values["ours"] - values["theirs"]) / values["theirs"]


def certificate(name: str, k: int, repeats: int) -> tuple[Row, str]:
    """Rounding and checking against forms and solve; what was not certified at the bound."""
    found: dict[str, Any] = {}

    def solve() -> None:
        found["program"] = Program(claim(registry.get("theorems", name), k))
        found["solution"] = found["program"].smallest()

    def prove() -> None:
        found["proof"] = at(found["program"], Fraction(1), found["solution"])

    best = side_by_side({"solve": solve, "prove": prove}, repeats, time.process_time)
    missed = "" if found["proof"] else f"{name} at k = {k}: no certificate at the bound itself"
    case = f"{name} k = {k}, certificate"
    return Row(case, best["prove"], "forms and solve", best["solve"], target=2), missed


def alone(name: str, k: int) -> Row:
    """The stand-alone checker on one file, as a process."""
    with tempfile.TemporaryDirectory() as folder:
        path = certify(name, k).save(Path(folder) / "proof.json")
        words = [sys.executable, "-I", "-S", str(recheck.__file__), str(path)]
        best = side_by_side(
            {"": lambda: subprocess.run(words, check=True, capture_output=True)},
            3,
            time.perf_counter,
        )
    return Row(f"{name} k = {k}, recheck.py", best[""], target=2)


def main() -> int:
    """Time and print."""
    warnings.simplefilter("ignore")
    parser = arguments(__doc__)
    parser.add_argument("-k", default="3..12", help="as 3..12 or 5")
    chosen, info = parser.parse_args(), machine()
    low, _, high = chosen.k.partition("..")
    rows: list[Row] = []
    notes: list[str] = []
    farthest = 0.0
    for name, theirs in CASES.items():
        worst(name, 1)
        for k in range(int(low), int(high or low) + 1):
            row, off = beside(name, theirs, k)
            rows.append(row)
            farthest = max(farthest, off)
            row, missed = certificate(name, k, 3)
            rows.append(row)
            notes += [missed] if missed else []
            if k == 10:
                rows.append(alone(name, k))
    notes.append(f"Values differ by {farthest:.1e} of themselves at most.")
    return max(show(rows, info, notes, chosen.form), int(farthest > CLOSE))


if __name__ == "__main__":
    raise SystemExit(main())
