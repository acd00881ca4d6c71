"""Papers: what each of their figures runs, draws and must show. A manifest declares these."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from opcheck import registry
from opcheck.errors import OpcheckError

Runs = Mapping[str, Any]  # label -> trajectory


@dataclass(frozen=True)
class PaperRun:
    """One run of a figure.

    Attributes:
        method: as in ``lookahead(gradient_descent_ascent)``.
        iterations: number of steps; of Lookahead, steps of the base.
        parameters: of the method.
        every: record every so many steps; the τ of Lookahead records its outer iterates.
        theorem: a registered theorem that covers this run; "" for none.
    """

    method: str
    iterations: int
    parameters: Mapping[str, Any]
    every: int = 1
    theorem: str = ""


@dataclass(frozen=True)
class Panel:
    """One panel: a registered figure kind and its options."""

    kind: str
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Check:
    """What must be seen in a figure: a sentence, and whether the runs show it."""

    sentence: str
    passes: Callable[[Runs], bool]


@dataclass(frozen=True)
class PaperFigure:
    """One figure of a paper.

    Attributes:
        id: unique within the paper.
        title: heading of the drawing.
        caption: what is drawn and what it shows.
        note: what the figure is evidence for, and which theorem, if any, stands behind it.
        problem: family name; ``problem_parameters`` are its parameters.
        start: z⁰ of every run.
        runs: label -> run, in the order of the legend.
        panels: from left to right.
        checks: what must be seen.
    """

    id: str
    title: str
    caption: str
    note: str
    problem: str
    start: tuple[float, ...]
    runs: Mapping[str, PaperRun]
    panels: tuple[Panel, ...]
    checks: tuple[Check, ...]
    problem_parameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Paper:
    """A paper and the figures of it that are redrawn here."""

    key: str
    title: str
    authors: tuple[str, ...]
    year: int
    arxiv: str
    figures: tuple[PaperFigure, ...]

    def figure(self, id: str) -> PaperFigure:
        """The figure of that id. Raises OpcheckError for an unknown one."""
        for figure in self.figures:
            if figure.id == id:
                return figure
        ids = ", ".join(f.id for f in self.figures)
        raise OpcheckError(f"paper {self.key!r} has no figure {id!r}; it has {ids}")


def paper(
    key: str,
    *,
    title: str,
    authors: Sequence[str],
    year: int,
    arxiv: str,
    figures: Sequence[PaperFigure],
) -> Paper:
    """Register a paper.

    Args:
        key: as in ``pethick2023_stable``.
        arxiv: identifier; "" for none.

    Raises OpcheckError for a key that is taken, or two figures of one id.
    """
    ids = [f.id for f in figures]
    if len(set(ids)) < len(ids):
        raise OpcheckError(f"paper {key!r} has two figures of one id among {', '.join(ids)}")
    entry = Paper(key, title, tuple(authors), year, arxiv, tuple(figures))
    registry.register("papers", key, entry, registry.caller())
    return entry


def ends_within(label: str, distance: float, last: int = 200) -> Check:
    """max ‖z_k − z*‖ ≤ distance over the last recorded k: the run has arrived."""
    return Check(
        f"{label} stays within {distance:g} of the solution over its last {last} recorded steps",
        lambda runs: bool(_distances(runs, label, last).max() <= distance),
    )


def keeps_away(label: str, distance: float, last: int = 200) -> Check:
    """min ‖z_k − z*‖ ≥ distance over the last recorded k, inside the numbers: the run cycles."""
    return Check(
        f"{label} stays farther than {distance:g} from the solution over its last {last} "
        "recorded steps",
        lambda runs: (
            runs[label].status == "completed"
            and bool(_distances(runs, label, last).min() >= distance)
        ),
    )


def reaches_before(first: str, second: str, distance: float) -> Check:
    """One run comes within ``distance`` of z* after fewer oracle calls than another."""
    return Check(
        f"{first} comes within {distance:g} of the solution in fewer oracle calls than {second}",
        lambda runs: _calls_to(runs, first, distance) < _calls_to(runs, second, distance),
    )


def _distances(runs: Runs, label: str, last: int) -> NDArray[np.float64]:
    squared: NDArray[np.float64] = runs[label]["distance"][-last:]
    return np.sqrt(squared)


def _calls_to(runs: Runs, label: str, distance: float) -> float:
    inside = np.flatnonzero(runs[label]["distance"] <= distance**2)
    return float(runs[label].oracle_calls[inside[0]]) if inside.size else np.inf
