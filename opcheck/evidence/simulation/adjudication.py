"""What float64 leaves open is decided in ball arithmetic: above 1, at most 1, or 1 itself."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from flint import arb

from opcheck import registry
from opcheck.engine.interpret import Balls, run_exactly
from opcheck.engine.numbers import Ball, precision, rational
from opcheck.errors import OpcheckError, Undecided
from opcheck.evidence.simulation.comparison import Comparison
from opcheck.evidence.statement.evaluation import needs_solution, parameters_of, plan, sides
from opcheck.evidence.statement.parameters import settle
from opcheck.model.problem import Problem
from opcheck.model.text import text
from opcheck.model.theorem import Theorem

STEPS = (4, 16, 64)  # bits a step that a run may lose, tried in turn
ALLOWANCE = 150_000  # operations on balls that one decision may cost: about a second
SHARP = arb("1e-30")  # a ball around 1 with a smaller radius counts as 1
ROUNDED = arb("1e-60")  # squared residual above which a float is not the zero itself


def adjudicate(
    theorem: Theorem,
    problem: Problem,
    one: Comparison,
) -> None:
    """Settle the close calls of one comparison, in place, doubling the precision until it does."""
    last = max(one.close) + (1 if plan(theorem).in_steps else 0)
    reason = ""
    for step in STEPS:
        bits = 160 + step * last
        try:
            with precision(bits):
                placed = _verdicts(theorem, problem, one, last)
        except Undecided as open_question:
            reason = str(open_question)
            continue
        except (OpcheckError, TypeError) as impossible:
            reason = str(impossible)
            break
        if "open" not in [place for place, _ in placed]:
            _settle(theorem, one, placed, bits)
            return
        reason = f"a ball of {bits} bits still contains 1"
    one.status = "inconclusive"
    one.reason = f"measured/bound is 1 to rounding, and no enclosure decides: {reason}"


def _settle(theorem: Theorem, one: Comparison, placed: list[tuple[str, float]], bits: int) -> None:
    one.decided = f"{bits} bits"
    one.compared += len(placed)
    for k, (verdict, excess) in zip(one.close, placed, strict=True):
        # what float64 made of it was rounding
        one.excess[k] = excess
        one.ratio[k] = 1.0 + excess
        if verdict == "above":
            one.ratio[k] = max(one.ratio[k], float(np.nextafter(1, 2)))
        elif verdict == "below":
            one.ratio[k] = min(one.ratio[k], float(np.nextafter(1, 0)))
    verdicts = [verdict for verdict, _ in placed]
    wrong = {"above", "below"} if theorem.claim == "equality" else {"above"}
    if wrong & set(verdicts):
        one.status = "violated"
        at = one.close[next(i for i, v in enumerate(verdicts) if v in wrong)]
        one.reason = f"a ball of {bits} bits lies off 1 at k = {at}"
    elif "one" in verdicts:
        one.status = "attained"


def _verdicts(
    theorem: Theorem,
    problem: Problem,
    one: Comparison,
    last: int,
) -> list[tuple[str, float]]:
    """ "above", "below", "one" or "open" for each close k, and measured/bound - 1."""
    known = one.known
    method, recording = theorem.iteration, plan(theorem)
    lipschitz = known.formulas.get("L", known.values.get("L"))
    reading = Balls(ALLOWANCE)
    reading.solves = 2 * last + 1
    arithmetic = reading.arithmetic
    parameters = {n: rational(float(v)) for n, v in problem.parameters.items()}

    def exact(name: str, value: float) -> Any:
        formula = known.formulas.get(name)
        if formula is None:
            return rational(float(value))
        return text(formula).evaluate(parameters, arithmetic)

    if lipschitz is not None:
        reading.lipschitz = Ball(exact("L", known.values["L"]))
    values: dict[str, Any] = {n: exact(n, v) for n, v in known.values.items()}
    k = np.empty(last + 1, dtype=object)
    k[:] = range(last + 1)
    values |= {"K": one.horizon, "k": k, "j": k}
    integers = {p.symbol for p in method.parameters if p.integer}
    keep = {n: _whole(one.values[n]) for n in integers if n in one.values}
    for chain in theorem.chains:
        value = one.values[chain.name]
        values[chain.name] = keep.get(chain.name) or rational(float(value))
    for name in one.values.keys() - values.keys() - theorem.let.keys() - {"R"}:
        values[name] = rational(float(one.values[name]))
    settle(theorem, values, arithmetic, keep)
    target = problem.solution_near(problem.start)
    if target is not None:
        square = sum(
            (rational(a) - rational(b)) ** 2
            for a, b in zip(problem.start.tolist(), target.tolist(), strict=True)
        )
        values["R"] = Ball(square).sqrt()
        at_zero = replace(problem, start=target)
        residual = (registry.get("measures", "natural_residual").kernel, 0, -1)
        stay = parameters_of(method, values)
        here = run_exactly(reading, at_zero, method, stay, [0], [residual]).record[0, 0]
        if needs_solution(theorem) and not Ball(here).ball < ROUNDED:
            raise OpcheckError(f"the solution of {problem.name!r} is known to rounding only")
    takes = [(t.measure.kernel, *t.indices(method)) for t in recording.takes.values()]
    run = run_exactly(
        reading, problem, method, parameters_of(method, values), range(last + 1), takes
    )
    record = {key: run.record[j] for j, key in enumerate(recording.takes)}
    left, right = sides(theorem, recording, values, record, last, arithmetic, keep)
    return [(_place(left[i], right[i]), _excess(left[i], right[i])) for i in one.close]


def _whole(value: Any) -> Any:
    if np.ndim(value) == 0:
        return int(value)
    out = np.empty(len(value), dtype=object)
    out[:] = [int(v) for v in value]
    return out


def _excess(left: Any, right: Any) -> float:
    """measured/bound - 1 where the bound is positive, else the difference over both sides."""
    gap, bound = Ball(left - right).ball, Ball(right).ball
    unit = bound if bound > 0 else abs(bound) + abs(Ball(left).ball)
    excess = float((gap / unit).mid()) if gap != 0 else 0.0
    return excess if np.isfinite(excess) else 0.0


def _place(left: Any, right: Any) -> str:
    gap, bound = Ball(left - right).ball, abs(Ball(right).ball)
    if gap > 0:
        return "above"
    if gap < 0:
        return "below"
    if not gap.is_finite():
        return "open"
    if gap == 0:
        return "one"
    small = arb(abs(gap).upper()) <= SHARP * bound
    return "one" if small else "open"
