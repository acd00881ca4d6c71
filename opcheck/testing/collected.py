"""What is asked of all that a file, a module or a list registers, as one item each."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from opcheck import registry
from opcheck.errors import OpcheckError
from opcheck.evidence.check import applicable
from opcheck.evidence.simulation.verify import confront, library
from opcheck.evidence.statement.hypotheses import Inapplicable, match
from opcheck.model.problem import Problem
from opcheck.model.theorem import Theorem
from opcheck.report.figure import FigureKind
from opcheck.testing.assertions import assert_proved
from opcheck.testing.checks import (
    check_figure,
    check_measure,
    check_method,
    check_paper,
    check_problem,
    check_resolvent,
    check_theorem,
    declared_by,
    failing,
    kind_of,
    said,
)

CHECKS: dict[str, Callable[[Any], None]] = {
    "methods": check_method,
    "measures": check_measure,
    "sets": check_resolvent,
    "problems": check_problem,
    "theorems": check_theorem,
    "figures": check_figure,
    "papers": check_paper,
}


@dataclass(frozen=True)
class Item:
    """One thing to check: calling it raises CheckFailed where it fails.

    Attributes:
        name: as in ``method heavy_ball``, ``proof heavy_ball_rate`` or ``heavy_ball_rate on well``.
        place: file and line of what it is about; "" where that is registered nowhere.
        check: what is called.
    """

    name: str
    place: str
    check: Callable[[], None]

    def __call__(self) -> None:
        """Raises CheckFailed."""
        __tracebackhide__ = True
        self.check()


def checks_of(target: Any) -> list[Item]:
    """What is asked of a declaration, or of all that a file or a module registers.

    Args:
        target: a declaration, or the function that a decorator registered; a registered name,
            ``FILE.py``, ``FILE.py:NAME``, or the dotted name of a module.

    Raises OpcheckError for what is none of these.
    """
    if not isinstance(target, str):
        entry = target if kind_of(target) else declared_by(target)
        if not (kind := kind_of(entry)):
            raise OpcheckError(
                f"{target!r} is nothing to check; give a method, a measure, a set, a problem, a "
                "theorem, a figure kind, a paper, or a name"
            )
        return list(_of(kind, getattr(entry, "name", getattr(entry, "key", "")), entry))
    entries = registry.entries_of(target)
    if not entries:
        raise OpcheckError(
            f"{target} registers nothing that is checked, none of {', '.join(CHECKS)}"
        )
    return [item for kind, name in entries for item in _of(kind, name, registry.get(kind, name))]


def _of(kind: str, name: str, entry: Any) -> Iterator[Item]:
    if isinstance(entry, FigureKind) and "runs" not in entry.of:
        return
    registered = registry.entered(kind).get(name) is entry
    place = registry.place(kind, name) if registered else ""
    yield Item(f"{kind[:-1]} {name}", place, functools.partial(CHECKS[kind], entry))
    if isinstance(entry, Theorem) and entry.proof is not None:
        yield Item(f"proof {name}", place, functools.partial(assert_proved, entry))


def confrontations(entries: Iterable[tuple[str, str]], *, everything: bool = False) -> list[Item]:
    """Each theorem on each problem that satisfies it, one of the two among the entries.

    Args:
        entries: (kind, name), of which the problems and theorems count.
        everything: own theorems also on every problem of the library.
    """
    entries = list(entries)
    families = [name for kind, name in entries if kind == "problems"]
    theorems = [name for kind, name in entries if kind == "theorems"]
    items = []
    for family in families:
        place = registry.place("problems", family)
        for problem in registry.get("problems", family).instances():
            for name in applicable(problem):
                written = registry.place("theorems", name) if name in theorems else place
                items.append(_confrontation(registry.get("theorems", name), problem, written))
    if everything:
        rest = [p for p in library() if p.name.partition("(")[0] not in families]
        for name in theorems:
            theorem = registry.get("theorems", name)
            place = registry.place("theorems", name)
            items += [_confrontation(theorem, p, place) for p in rest if _meets(theorem, p)]
    return items


def _meets(theorem: Theorem, problem: Problem) -> bool:
    try:
        match(theorem, problem)
    except Inapplicable:
        return False
    return True


def _confrontation(theorem: Theorem, problem: Problem, place: str) -> Item:
    @failing
    def check() -> None:
        verdict = confront(theorem, problem)
        if not verdict.ok:
            raise OpcheckError(said(verdict, theorem, problem))

    return Item(f"{theorem.name} on {problem.name}", place, check)


def parametrize_with_checks(targets: str | Iterable[Any]) -> Any:
    """A decorator of a test that takes ``check``: it runs once for each thing to check.

    ::

        @parametrize_with_checks(["my_method", "my_file.py", my_problem])
        def test_conformance(check):
            check()

    Args:
        targets: one name, or several things as ``checks_of`` takes them.

    Raises OpcheckError, where tests are collected, for what is nothing to check.
    """
    import pytest

    several = [targets] if isinstance(targets, str) else targets
    items = [item for target in several for item in checks_of(target)]
    return pytest.mark.parametrize("check", [pytest.param(i, id=i.name) for i in items])
