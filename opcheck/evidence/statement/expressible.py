"""Whether a worst case over a class can stand behind a statement."""

from __future__ import annotations

import contextlib

from opcheck.engine.steps import from_the_start
from opcheck.errors import OpcheckError, Undecided
from opcheck.evidence.statement.evaluation import plan
from opcheck.model.text import text
from opcheck.model.theorem import Theorem


def refusal(theorem: Theorem) -> str:
    """Why no worst case over a class stands behind a statement; "" where one may."""
    if theorem.claim == "must fail":
        return "it says that something must fail: there is no upper bound to certify"
    if theorem.on:
        return f"it is about {' or '.join(theorem.on)} only, which is no class of operators"
    if theorem.claim == "equality":
        return "it is an equality: a worst case bounds from above only"
    # a text that is no combination of points is refused when it is read
    with contextlib.suppress(TypeError, Undecided):
        try:
            steps = from_the_start(theorem.iteration, theorem.A)
            for use in plan(theorem).takes.values():
                steps.measured(use, 1)
        except OpcheckError as error:
            return str(error)
    kinds = {p.kind.name for p in theorem.asked if p.of == "A"}
    if kinds and not theorem.constrained:
        return f"it asks {', '.join(sorted(kinds))} of A, and A = 0"
    return ""


def one_step(theorem: Theorem) -> bool:
    """Whether a statement is about a step alone, and not about k, R or earlier steps."""
    spoken = symbols(theorem) & {"k", "R", "K"}
    accumulates = theorem.left.accumulates or theorem.right.accumulates
    return theorem.claim == "one-step" and not spoken and not accumulates


def symbols(theorem: Theorem) -> set[str]:
    """The symbols of a statement, and those behind each that ``let`` defines."""
    names = set(theorem.left.names | theorem.right.names)
    names |= {p.symbol for p in theorem.iteration.parameters}
    waiting = list(names & theorem.let.keys())
    while waiting:
        more = text(theorem.let[waiting.pop()]).names - names
        names |= more
        waiting += more & theorem.let.keys()
    return names
