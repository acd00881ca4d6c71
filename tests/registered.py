"""Selections of what is registered, to generate tests from. Each is computed once a process."""

from __future__ import annotations

import dataclasses
import functools
from typing import Any

from opcheck import registry
from opcheck.errors import OpcheckError
from opcheck.evidence.simulation.verify import library
from opcheck.evidence.statement.expressible import refusal
from opcheck.evidence.worst_case.claim import claim
from opcheck.model.problem import Problem
from opcheck.model.theorem import Theorem


def family(problem: Problem) -> str:
    """The name of the family of a problem."""
    return problem.name.partition("(")[0]


@functools.cache
def problems() -> list[Problem]:
    """Every instance of every family, in the order of their names."""
    return sorted(library(), key=family)


@functools.cache
def about_a_class() -> list[str]:
    """Names of the theorems that bound something from above over a class of operators."""
    registry.load()
    return [n for n in registry.names("theorems") if not refusal(registry.get("theorems", n))]


@functools.cache
def expressible(name: str) -> bool:
    """Whether a run of one of them can be written as quadratic forms.

    It takes a tenth of a second, so it is asked in a test and not where tests are collected.
    """
    entry = registry.get("theorems", name)
    try:
        claim(entry, max(entry.first, 1))
    except OpcheckError:
        return False
    return True


def stated(name: str, **changes: Any) -> Theorem:
    """A theorem of the library with some of its fields changed, entered nowhere."""
    entry: Theorem = registry.get("theorems", name)
    own = {"order": ""} if changes else {}  # which is that of its own bound
    return dataclasses.replace(entry, **(own | changes))


# powers that no chart shows to be positive
UNSIGNED = ("elementary_runge_kutta_2_bilinear", "elementary_runge_kutta_4_bilinear")


def exported() -> list[str]:
    """Theorems whose proofs have a form in Rocq.

    Those with a horizon have none.
    """
    registry.load()
    entries = [registry.get("theorems", name) for name in registry.names("theorems")]
    return [e.name for e in entries if e.proof and not e.proof.horizon and e.name not in UNSIGNED]
