"""What float64 leaves open is decided in ball arithmetic: above 1, at most 1, or 1 itself."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from flint import arb

from opcheck import registry
from opcheck.engine.interpret import Balls, TooCostly, run_exactly
from opcheck.engine.numbers import Ball, precision, rational
from opcheck.errors import OpcheckError, Undecided
from opcheck.evidence.simulation.comparison import Comparison
from opcheck.evidence.statement.evaluation import needs_solution, parameters_of, plan, sides
from opcheck.evidence.statement.parameters import Values, exact_base_scope, settle
from opcheck.model.method import Method
from opcheck.model.problem import Problem
from opcheck.model.text import text
from opcheck.model.theorem import Theorem

STEPS = (4, 16, 64)  # bits a step that a run may lose, tried in turn
ALLOWANCE = 150_000  # operations on balls that one decision may cost: about a second
SHARP = arb("1e-30")  # a ball around 1 with a smaller radius counts as 1
ROUNDED = arb("1e-60")  # squared residual above which a float is not the zero itself


def adjudicate(theorem: Theorem, problem: Problem, comparison: Comparison) -> Comparison:
    """A comparison with its close calls settled, at a precision that is doubled until it does."""
    last = max(comparison.close) + (1 if plan(theorem).in_steps else 0)
    reason = ""
    for step in STEPS:
        bits = 160 + step * last
        try:
            with precision(bits):
                placed = _placed(theorem, problem, comparison, last)
        except Undecided as open_question:
            reason = str(open_question)
            continue
        except (OpcheckError, TypeError) as impossible:
            reason = str(impossible)
            break
        if "open" not in [side for side, _ in placed]:
            return _settled(theorem, comparison, placed, bits)
        reason = f"a ball of {bits} bits still contains 1"
    return replace(
        comparison,
        status="inconclusive",
        reason=f"measured/bound is 1 to rounding, and no enclosure decides: {reason}",
    )


def _settled(
    theorem: Theorem, comparison: Comparison, placed: list[tuple[str, float]], bits: int
) -> Comparison:
    """The comparison with measured/bound as balls have it: what float64 made of it was rounding."""
    ratio, sides = comparison.ratio.copy(), [side for side, _ in placed]
    for k, (side, excess) in zip(comparison.close, placed, strict=True):
        ratio[k] = 1.0 + excess
        if side == "above":
            ratio[k] = max(ratio[k], float(np.nextafter(1, 2)))
        elif side == "below":
            ratio[k] = min(ratio[k], float(np.nextafter(1, 0)))
    settled = replace(
        comparison,
        ratio=ratio,
        decided=f"{bits} bits",
        compared=comparison.compared + len(placed),
        excess={k: excess for k, (_, excess) in zip(comparison.close, placed, strict=True)},
    )
    wrong = {"above", "below"} if theorem.claim == "equality" else {"above"}
    for k, side in zip(comparison.close, sides, strict=True):
        if side in wrong:
            reason = f"a ball of {bits} bits lies off 1 at k = {k}"
            return replace(settled, status="violated", reason=reason)
    return replace(settled, status="attained") if "one" in sides else settled


def _placed(
    theorem: Theorem, problem: Problem, comparison: Comparison, last: int
) -> list[tuple[str, float]]:
    """ "above", "below", "one" or "open" for each close k, and measured/bound - 1."""
    # each call reads all of F's data, and turning them into balls takes as long as a call
    calls = 1 + last * float(np.min(theorem.iteration.calls_at(comparison.values)))
    if calls * problem.operator.data.size > ALLOWANCE:
        raise TooCostly("the exact run would take too long")
    arithmetic = Balls(ALLOWANCE)
    arithmetic.solves = 2 * last + 1
    values = _exactly(theorem, problem, comparison, last, arithmetic)
    method, recording = theorem.iteration, plan(theorem)
    own = parameters_of(method, values)
    solution = problem.solution_near(problem.start)
    if solution is not None and needs_solution(theorem):
        at_solution = replace(problem, start=solution)
        residual = (registry.get("measures", "natural_residual").kernel, 0, -1)
        square = run_exactly(
            arithmetic, at_solution, method, values=own, stops=[0], takes=[residual]
        ).record[0, 0]
        if not Ball(square).ball < ROUNDED:
            raise OpcheckError(f"the solution of {problem.name!r} is known to rounding only")
    takes = [(t.measure.kernel, *t.indices(method)) for t in recording.takes.values()]
    run = run_exactly(arithmetic, problem, method, values=own, stops=range(last + 1), takes=takes)
    record = {key: run.record[j] for j, key in enumerate(recording.takes)}
    whole = _whole_numbers(method, comparison.values)
    left, right = sides(
        theorem,
        recording,
        values,
        record,
        horizon=last,
        arithmetic=arithmetic.arithmetic,
        keep=whole,
    )
    return [(_side(left[k], right[k]), _excess(left[k], right[k])) for k in comparison.close]


def _exactly(
    theorem: Theorem, problem: Problem, comparison: Comparison, last: int, arithmetic: Balls
) -> Values:
    """The symbols of a statement as rationals and balls: a formula where one is known."""
    known, texts = comparison.known, arithmetic.arithmetic
    parameters = {n: rational(float(v)) for n, v in problem.parameters.items()}

    def exact(name: str, value: float) -> Any:
        formula = known.formulas.get(name)
        return (
            rational(float(value)) if formula is None else text(formula).evaluate(parameters, texts)
        )

    constants = {n: exact(n, v) for n, v in known.values.items()}
    if "L" in constants:
        arithmetic.lipschitz = Ball(constants["L"])
    values = exact_base_scope(constants, comparison.horizon, last=last)
    whole = _whole_numbers(theorem.iteration, comparison.values)
    for chain in theorem.chains:
        value = comparison.values[chain.name]
        values[chain.name] = whole.get(chain.name) or rational(float(value))
    for name in comparison.values.keys() - values.keys() - theorem.let.keys() - {"R"}:
        values[name] = rational(float(comparison.values[name]))
    settle(theorem, values, texts, whole)
    solution = problem.solution_near(problem.start)
    if solution is not None:
        pairs = zip(problem.start.tolist(), solution.tolist(), strict=True)
        values["R"] = Ball(sum((rational(a) - rational(b)) ** 2 for a, b in pairs)).sqrt()
    return values


def _whole_numbers(method: Method, values: Values) -> Values:
    """The parameters that are whole numbers, or sequences of them, as Python has them."""
    whole: Values = {}
    for name in {p.symbol for p in method.parameters if p.integer} & values.keys():
        numbers = np.asarray([int(v) for v in np.ravel(values[name])], dtype=object)
        whole[name] = numbers if np.ndim(values[name]) else numbers[0]
    return whole


def _excess(left: Any, right: Any) -> float:
    """measured/bound - 1 where the bound is positive, else the difference over both sides."""
    gap, bound = Ball(left - right).ball, Ball(right).ball
    unit = bound if bound > 0 else abs(bound) + abs(Ball(left).ball)
    excess = float((gap / unit).mid()) if gap != 0 else 0.0
    return excess if np.isfinite(excess) else 0.0


def _side(left: Any, right: Any) -> str:
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
