"""Figure kinds: entering one, the sheet that panels are drawn on, and saving it.

Only the object interface of matplotlib is used, and its defaults instead of the user's settings,
so that the same runs give the same bytes whatever else a program draws.
"""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from opcheck import registry
from opcheck.document import writing
from opcheck.errors import OpcheckError
from opcheck.report.style import DESCRIPTION, METADATA, WIDTHS, style

if TYPE_CHECKING:
    from opcheck.engine.run import Trajectory
    from opcheck.report.drawing import Drawing

    Runs = Mapping[str, Trajectory | Sequence[Trajectory]]
    Draw = Callable[..., str | None]

HEIGHT, TALLEST = 0.83, 3.0  # of a panel: in units of its width, and inches
LEGEND_ROW = 0.155  # inches
LETTER, HANDLE = 0.058, 0.62  # inches: of a text one character, and what stands beside a legend's
TITLE_LETTER = 0.066
SPACING = 1.0  # of lines, in units of the font's own
LINES = 3  # of a title; what is longer ends in an ellipsis


@dataclass(frozen=True)
class FigureKind:
    """A way to draw runs.

    Attributes:
        draw: ``draw(axes, runs, **options)``; ``runs`` maps labels to trajectories, or to several
            of one kind (seeds). An artist that belongs into the legend carries a label. It may
            resize ``axes.figure``, and may return its part of the caption.
        of: what is drawn: runs, or a report of verdicts.
    """

    name: str
    draw: Draw
    of: Literal["runs", "report"]
    doc: str

    def __call__(self, what: Any, width: str | float = "single", **options: Any) -> Drawing:
        """A sheet of one panel.

        Args:
            what: a trajectory, a sequence of them, or a mapping from labels to them, or to a
                sequence that differs by seed alone; a report for a kind that draws reports.
            width: ``single`` (3.3 inches, one column of a journal), ``double`` (6.9), or inches.
            options: of the kind.

        Raises OpcheckError for an unknown option or width, and what the kind raises.
        """
        return sheet([(self, options, labelled(what) if self.of == "runs" else what)], width=width)


def figure(name: str, of: Literal["runs", "report"] = "runs") -> Callable[[Draw], Draw]:
    """Register a figure kind; the function draws, its signature lists the options."""

    def enter(function: Draw) -> Draw:
        kind = FigureKind(name, function, of, inspect.cleandoc(function.__doc__ or ""))
        registry.register("figures", name, kind, registry.place_of(function))
        return function

    return enter


def labelled(runs: Any) -> dict[str, Trajectory | Sequence[Trajectory]]:
    """Label -> trajectory; without labels, method and parameters, and the problem where it varies.

    Raises OpcheckError for no trajectory at all.
    """
    named: dict[str, Trajectory | Sequence[Trajectory]]
    if isinstance(runs, Mapping):
        named = dict(runs)
    else:
        several = list(runs) if isinstance(runs, Sequence) else [runs]
        same = len({t.problem.name for t in several}) < 2
        named = {}
        for t in several:
            label = label_of(t) + ("" if same else f", {t.problem.name}")
            named[label if label not in named else f"{label} ({len(named) + 1})"] = t
    if not named or any(isinstance(t, Sequence) and not t for t in named.values()):
        raise OpcheckError("there is no run to draw; give at least one trajectory")
    return named


def label_of(run: Trajectory) -> str:
    """Method and parameters, as in ``rapp: γ = 0.3, λ = 0.1, τ = 5``."""
    shown = settings(run.parameters)
    return f"{run.method}: {shown}" if shown else run.method


def settings(parameters: Mapping[str, Any]) -> str:
    """Parameters as the legend shows them: ``γ = 0.3, λ = 0.1, τ = 5``; of sequences both ends."""
    letters = {"gamma": "γ", "alpha": "α", "beta": "β", "lam": "λ", "tau": "τ", "eta": "η"}
    shown = []
    for name, value in parameters.items():
        symbol = name.rpartition(".")[2]
        entries = value if isinstance(value, Sequence | np.ndarray) else [value]
        ends = [f"{v:.4g}" for v in (entries[0], entries[-1])]
        varies = any(v != entries[0] for v in entries)
        shown.append(f"{letters.get(symbol, symbol)} = {' … '.join(ends) if varies else ends[0]}")
    return ", ".join(shown)


def sheet(
    panels: Sequence[tuple[FigureKind, Mapping[str, Any], Any]],
    title: str = "",
    width: str | float | None = None,
) -> Drawing:
    """Panels side by side, with one legend below them.

    Several panels carry (a), (b), ...; the caption of the drawing says what their axes show.

    Args:
        panels: kinds, their options and what they draw, from left to right.
        title: above all panels.
        width: ``single``, ``double``, or inches; default single for one panel, else double.

    Raises OpcheckError for an unknown option or width.
    """
    from opcheck.report.drawing import Drawing

    inches = _inches(width or ("single" if len(panels) == 1 else "double"))
    with style():
        each = inches / len(panels)
        drawing = Drawing((inches, min(each * HEIGHT, TALLEST)), layout="constrained")
        row = drawing.subplots(1, len(panels), squeeze=False)[0]
        entries: dict[str, Any] = {}
        captions = []
        tallest = 0  # of the panels' titles, in further lines
        for axes, (kind, options, what) in zip(row, panels, strict=True):
            _check_options(kind, options)
            captions.append(kind.draw(axes, what, **options))
            heading = _folded(axes.get_title(), each - 0.7, TITLE_LETTER)
            axes.set_title(heading, linespacing=SPACING)
            tallest = max(tallest, heading.count("\n"))
            if len(panels) > 1:
                axes.set_title(f"({chr(ord('a') + len(captions) - 1)})", loc="left")
            for handle, label in zip(*axes.get_legend_handles_labels(), strict=True):
                entries.setdefault(label, handle)
        inches, height = drawing.get_size_inches()
        labels = [_folded(label, inches - HANDLE, LETTER, 9) for label in entries]
        columns = _columns(labels, inches)
        rows = sum(_in_rows(labels, columns))
        heading = _folded(title, inches, TITLE_LETTER)
        extra = LEGEND_ROW * (rows + tallest + 1.2 * bool(title) * (1 + heading.count("\n")))
        drawing.set_size_inches(inches, height + extra)
        legend = drawing.legend(
            list(entries.values()), labels, loc="outside lower center", ncols=columns
        )
        for text in legend.get_texts():
            text.set_linespacing(SPACING)
        if title:
            drawing.suptitle(heading, linespacing=SPACING)
        drawing.caption = _joined(captions)
    return drawing


def _inches(width: str | float) -> float:
    if isinstance(width, str) and width in WIDTHS:
        return WIDTHS[width]
    if isinstance(width, int | float) and not isinstance(width, bool) and 1 <= width <= 100:
        return float(width)
    raise OpcheckError(f"width={width!r}; give 'single', 'double' or inches from 1 to 100")


def _folded(text: str, inches: float, letter: float, most: int = LINES) -> str:
    """The text in lines that fit, at most ``most`` of them."""
    kept = text.replace(" = ", "\u00a0=\u00a0")  # in one piece
    lines = textwrap.wrap(kept, max(int(inches / letter), 8))
    lines = [line.replace("\u00a0", " ") for line in lines]
    if len(lines) > most:
        lines = [*lines[: most - 1], lines[most - 1][:-1] + "…"]
    return "\n".join(lines)


def _columns(labels: Sequence[str], inches: float) -> int:
    """Two where there are several entries and any two fit side by side."""
    longest = max((len(line) for label in labels for line in label.split("\n")), default=0)
    return 2 if len(labels) > 1 and 2 * (longest * LETTER + HANDLE) <= inches else 1


def _in_rows(labels: Sequence[str], columns: int) -> list[int]:
    """The lines that each row of the legend takes, which is filled column by column."""
    if not labels:
        return []
    lines = [1 + label.count("\n") for label in labels]
    length = -(-len(lines) // columns)
    parts = [lines[i : i + length] for i in range(0, len(lines), length)]
    return [max(p[i] for p in parts if i < len(p)) for i in range(length)]


def _joined(captions: Sequence[str | None]) -> str:
    if len(captions) == 1:
        return captions[0] or ""
    letters = [f"({chr(ord('a') + i)}) {text}" for i, text in enumerate(captions) if text]
    return " ".join(letters)


def _check_options(kind: FigureKind, options: Mapping[str, Any]) -> None:
    known = list(inspect.signature(kind.draw).parameters)[2:]
    for name in options:
        if name not in known:
            raise OpcheckError(
                f"figure {kind.name!r} has no option {name!r}; it takes {', '.join(known)}"
            )


def drawable(path: str | Path) -> Path:
    """The path of a drawing. Raises OpcheckError for another suffix."""
    target = Path(path)
    if target.suffix.lower() not in METADATA:
        raise OpcheckError(f"{target.name!r} is not a drawing; end it in {', '.join(METADATA)}")
    return target


def save(drawing: Drawing, path: str | Path) -> Path:
    """Write a drawing as .svg, .png or .pdf, its caption among the file's metadata.

    Equal drawings give equal bytes.

    Raises OpcheckError for another suffix or a place that can't be written.
    """
    target = drawable(path)
    suffix = target.suffix.lower()
    with style(), writing(target):
        told = {DESCRIPTION[suffix]: drawing.caption} if drawing.caption else {}
        drawing.savefig(target, metadata={**METADATA[suffix], **told})
    return target
