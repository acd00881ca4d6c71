"""A check as people see it: each thing it finds is printed when it is found."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from rich.console import Console

from opcheck import registry
from opcheck.evidence.check import Check, described
from opcheck.model.problem import Problem
from opcheck.model.property import KINDS
from opcheck.report.tables import number
from opcheck.report.terminal import STYLE, constant_rows, named, show_verdict
from opcheck.watchdog import answer

WIDTH = max(len(kind.name) for kind in KINDS)  # of labels: kinds of constants are the longest


class Checking:
    """Prints what is new in a growing ``Check``, and at the end what needs a closer look."""

    def __init__(self, console: Console, *, silent: bool = False) -> None:
        self.console = console
        self.silent = silent
        self.shown: Check | None = None
        self.named = False
        self.theorems: set[str] = set()

    def reading(self, target: str) -> None:
        """Tell a reader at a terminal what is read: a file may import for seconds."""
        if not self.silent and self.console.is_terminal:
            self._rows([("reading", target)])

    def read(self, problem: Problem) -> None:
        """Tell a reader at a terminal of a problem when it is read: nothing is computed yet.

        What may still be refused doesn't go down a pipe.
        """
        if not self.silent and self.console.is_terminal:
            self._name(problem)

    def _name(self, problem: Problem) -> None:
        if not self.named:
            self._rows(_as_read(problem))
        self.named = True

    def follow(self, growing: Iterable[Check]) -> tuple[Check, bool]:
        """Print a check as it comes; the last of it, and whether Ctrl-C ended it.

        Raises KeyboardInterrupt where there is nothing yet.
        """
        latest: Check | None = None
        try:
            for latest in growing:
                if not self.silent:
                    self.update(latest)
        except KeyboardInterrupt as stop:
            answer()
            latest = getattr(stop, "finished", latest)
            if latest is None:
                raise
            return latest, True
        assert latest is not None
        return latest, False

    def update(self, check: Check) -> None:
        """Print what was not known at the last call."""
        before = self.shown
        if before is None:
            self._name(check.problem)
            self._rows([("solution", _solution(check.problem))])
        if check.constants and not (before and before.constants):
            self._rows(constant_rows(check.constants))
            self._rows([("wrong", str(c)) for c in check.contradictions])
            self._rows([("class", described(f, check.problem)) for f in check.classes])
        for v in check.verdicts:
            if v.theorem not in self.theorems:
                self._verdict(v)
        self.shown = check

    def close(self, check: Check) -> None:
        """What failed or stayed open, and what was left out."""
        self.update(check)
        if check.constants and not check.verdicts and not check.left_out:
            self.console.print("\nNo theorem applies: the constants are outside every range.")
        for v in check.verdicts:
            if v.status in ("violated", "error"):
                show_verdict(v, self.console)
        open_: dict[str, list[str]] = {}
        for v in check.verdicts:
            if v.status == "inconclusive":
                open_.setdefault(v.reason, []).append(v.theorem)
        for reason, names in open_.items():
            self.console.print(f"[{STYLE['inconclusive']}]inconclusive[/] {', '.join(names)}:")
            self.console.print(f"  {reason}", highlight=False, markup=False)
        for sentence in check.left_out:
            self.console.print(f"note: {sentence}", highlight=False, markup=False)

    def _rows(self, rows: Sequence[tuple[str, Any]]) -> None:
        for label, value in rows:
            self._print(f"{label:{WIDTH}}  {value}")

    def _verdict(self, v: Any) -> None:
        width = max(map(len, registry.names("theorems")))
        wide = self.console.width >= width + 48  # a verdict stays on one line
        if not self.theorems:
            head = f"\n{'theorem that applies':{width}}  {'worst':>13}  {'k':>4}"
            self._print(f"{head}{'  constants' if wide else ''}  verdict")
        self.theorems.add(v.theorem)
        # of nothing compared there is no ratio, and no k
        worst, k = (number(v.ratio, excess=v.excess), str(v.k)) if v.compared else ("–", "–")
        line = f"{v.theorem:{width}}  {worst:>13}  {k:>4}{f'  {v.provenance:9}' if wide else ''}"
        self.console.print(f"{line}  [{STYLE[v.status]}]{v.status}[/]", highlight=False)

    def _print(self, line: str) -> None:
        self.console.print(line, highlight=False, markup=False)


def _as_read(problem: Problem) -> list[tuple[str, Any]]:
    rows = [*named(problem), ("dimension", problem.dim)]
    formula = problem.operator.formula
    rows += [("F", formula)] if formula not in ("", problem.name) else []
    return [*rows, ("A", problem.resolvent.name)] if problem.constrained else rows


def _solution(problem: Problem) -> str:
    zero = problem.solution
    if zero is None:
        return "not known; theorems that speak of it are left out"
    shown = ", ".join(f"{v:.9g}" for v in zero[:6]) + (", ..." if problem.dim > 6 else "")
    return f"({shown})"
