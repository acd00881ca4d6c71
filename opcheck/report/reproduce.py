"""Redrawing a paper's figure: run, draw, write the data behind it, and test what must be seen."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from opcheck import registry
from opcheck.document import writing
from opcheck.engine.run import Trajectory, run
from opcheck.errors import OpcheckError
from opcheck.model.paper import Paper, PaperFigure
from opcheck.model.problem import problem
from opcheck.model.result import Result
from opcheck.report.figure import save, settings, sheet


@dataclass(frozen=True)
class Reproduction(Result):
    """A redrawn figure.

    Attributes:
        svg, png: the drawing.
        csv: the data behind it, one row for each recorded point.
        checks: (sentence, whether the runs show it).
        theorems: run -> the theorem that covers it.
        note: what the figure is evidence for.
    """

    paper: str
    figure: str
    svg: Path
    png: Path
    csv: Path
    checks: tuple[tuple[str, bool], ...]
    theorems: Mapping[str, str]
    caption: str
    note: str

    @property
    def ok(self) -> bool:
        """Whether everything that must be seen is seen."""
        return all(passed for _, passed in self.checks)

    @property
    def paths(self) -> tuple[Path, ...]:
        """Every file written."""
        return self.svg, self.png, self.csv

    def lines(self) -> Iterator[str]:
        """What people are told: the files, the note, and each check."""
        yield from map(str, self.paths)
        if self.note:
            yield f"note: {self.note}"
        for sentence, passed in self.checks:
            yield f"{'seen' if passed else 'NOT SEEN'}: {sentence}"

    def as_dict(self) -> dict[str, Any]:
        """Plain data, for JSON."""
        return asdict(self) | {"ok": self.ok, **{p.suffix[1:]: str(p) for p in self.paths}}


def figures_of(paper: str) -> tuple[PaperFigure, ...]:
    """The figures of a registered paper. Raises OpcheckError for an unknown one."""
    entry: Paper = registry.get("papers", paper)
    return entry.figures


def reproduce(paper: str, figure: str, out: str | Path = ".") -> Reproduction:
    """Redraw one figure into the folder ``out``: ``FIGURE.svg``, ``.png`` and ``.csv``.

    Two calls write the same bytes. Raises OpcheckError for an unknown paper or figure, or a folder
    that can't be written.
    """
    entry: Paper = registry.get("papers", paper)
    drawn = entry.figure(figure)
    runs = simulate(drawn)
    stem = Path(out) / drawn.id
    table = write_csv(runs, stem.with_suffix(".csv"))
    panels = [(registry.get("figures", p.kind), p.options) for p in drawn.panels]
    legend = {f"{label}: {settings(drawn.runs[label].parameters)}": t for label, t in runs.items()}
    drawing = sheet(panels, legend, drawn.title)
    return Reproduction(
        paper,
        drawn.id,
        save(drawing, stem.with_suffix(".svg")),
        save(drawing, stem.with_suffix(".png")),
        table,
        evaluate(drawn, runs),
        {label: r.theorem for label, r in drawn.runs.items() if r.theorem},
        drawn.caption,
        drawn.note,
    )


def simulate(figure: PaperFigure) -> dict[str, Trajectory]:
    """The runs of a figure by label. Raises OpcheckError for an unknown problem or method."""
    target = problem(figure.problem, **figure.problem_parameters)
    return {
        label: run(
            r.method,
            target,
            r.iterations,
            start=figure.start,
            record=r.every,
            iterates=True,
            **r.parameters,
        )
        for label, r in figure.runs.items()
    }


def evaluate(figure: PaperFigure, runs: Mapping[str, Trajectory]) -> tuple[tuple[str, bool], ...]:
    """Each check of a figure on given runs: (sentence, passed)."""
    return tuple((check.sentence, check.passes(runs)) for check in figure.checks)


def write_csv(runs: Mapping[str, Trajectory], path: str | Path) -> Path:
    """One row for each recorded point: run, k, oracle calls, z where it was kept, measures.

    Numbers have the shortest form that reads back to the same float64.

    Raises OpcheckError for runs with different measures or dimensions, or a place that can't be
    written.
    """
    target = Path(path)
    shapes = {
        (tuple(t.measures), t.iterates.shape[1] if len(t.iterates) else 0) for t in runs.values()
    }
    if len(shapes) != 1:
        raise OpcheckError(f"{target.name!r} needs runs with the same measures and coordinates")
    ((measures, dim),) = shapes
    coordinates = [f"z{i}" for i in range(1, dim + 1)]
    with writing(target), target.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(["run", "k", "oracle_calls", *coordinates, *measures])
        for label, t in runs.items():
            columns = [t.oracle_calls, *(t.iterates.T if dim else ()), *t.measures.values()]
            for k, *numbers in zip(t.k, *columns, strict=True):
                rows.writerow([label, int(k), *[repr(float(n)) for n in numbers]])
    return target
