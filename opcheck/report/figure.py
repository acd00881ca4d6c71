"""Figure kinds: entering one, the sheet that panels are drawn on, and saving it.

Only the object interface of matplotlib is used, and its defaults instead of the user's settings,
so that the same runs give the same bytes whatever else a program draws.
"""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from opcheck import registry
from opcheck.errors import OpcheckError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from opcheck.engine.run import Trajectory

    Runs = Mapping[str, Trajectory]
    Draw = Callable[..., None]

PANEL = (3.5, 3.0)  # inches
LEGEND_ROW = 0.18
ENTRY, HANDLE = 0.058, 0.7  # of the legend: one character, and what stands beside the text
STYLE: Mapping[Any, Any] = {
    "figure.dpi": 200,
    "savefig.dpi": "figure",
    "font.size": 8,
    "axes.titlesize": 9,
    "figure.titlesize": 9,
    "legend.fontsize": 7.5,
    "legend.frameon": False,
    "legend.handlelength": 3.2,
    "axes.linewidth": 0.6,
    "lines.linewidth": 1.1,
    "figure.constrained_layout.w_pad": 0.1,
    "lines.markersize": 4,
    "svg.hashsalt": "opcheck",
}
# a date or a version in a file makes two equal drawings differ
METADATA: Mapping[str, Mapping[str, None]] = {
    ".svg": {"Date": None, "Creator": None},
    ".png": {"Software": None},
    ".pdf": {"CreationDate": None, "Producer": None, "Creator": None},
}


@dataclass(frozen=True)
class FigureKind:
    """A way to draw runs.

    Attributes:
        draw: ``draw(axes, runs, **options)``; ``runs`` maps labels to trajectories. An artist that
            belongs into the legend carries a label. It may resize ``axes.figure``.
        of: what is drawn: runs, or a report of verdicts.
    """

    name: str
    draw: Draw
    of: Literal["runs", "report"]
    doc: str

    def __call__(self, what: Any, **options: Any) -> Figure:
        """A sheet of one panel.

        Args:
            what: a trajectory, a sequence of them, or a mapping from labels to them; a report for
                a kind that draws reports.
            options: of the kind.

        Raises OpcheckError for an unknown option, and what the kind raises.
        """
        return sheet([(self, options)], labelled(what) if self.of == "runs" else what)


def figure(name: str, of: Literal["runs", "report"] = "runs") -> Callable[[Draw], Draw]:
    """Register a figure kind; the function draws, its signature lists the options."""

    def enter(function: Draw) -> Draw:
        kind = FigureKind(name, function, of, inspect.cleandoc(function.__doc__ or ""))
        registry.register("figures", name, kind, registry.place_of(function))
        return function

    return enter


def labelled(runs: Any) -> dict[str, Trajectory]:
    """Label -> trajectory; without labels, method and parameters, and the problem where it varies.

    Raises OpcheckError for no trajectory at all.
    """
    if isinstance(runs, Mapping):
        named = dict(runs)
    else:
        several = list(runs) if isinstance(runs, Sequence) else [runs]
        same = len({t.problem.name for t in several}) < 2
        named = {}
        for t in several:
            label = f"{t.method}: {settings(t.parameters)}"
            label += "" if same else f", {t.problem.name}"
            named[label if label not in named else f"{label} ({len(named) + 1})"] = t
    if not named:
        raise OpcheckError("there is no run to draw; give at least one trajectory")
    return named


def settings(parameters: Mapping[str, Any]) -> str:
    """Parameters as the legend shows them: ``γ = 0.3, λ = 0.1, τ = 5``."""
    letters = {"gamma": "γ", "alpha": "α", "beta": "β", "lam": "λ", "tau": "τ", "eta": "η"}
    shown = []
    for name, value in parameters.items():
        symbol = name.rpartition(".")[2]
        number = f"{value:.4g}" if isinstance(value, int | float) else "…"
        shown.append(f"{letters.get(symbol, symbol)} = {number}")
    return ", ".join(shown)


def sheet(
    panels: Sequence[tuple[FigureKind, Mapping[str, Any]]], what: Any, title: str = ""
) -> Figure:
    """Panels side by side over the same thing, with one legend below them.

    Args:
        panels: kinds and their options, from left to right.
        what: label -> trajectory, or a report.
        title: above all panels.

    Raises OpcheckError for an unknown option.
    """
    from matplotlib.figure import Figure

    with _style():
        drawing = Figure((PANEL[0] * len(panels), PANEL[1]), layout="constrained")
        row = drawing.subplots(1, len(panels), squeeze=False)[0]
        entries: dict[str, Any] = {}
        for axes, (kind, options) in zip(row, panels, strict=True):
            _check_options(kind, options)
            kind.draw(axes, what, **options)
            for handle, label in zip(*axes.get_legend_handles_labels(), strict=True):
                entries.setdefault(label, handle)
        width, height = drawing.get_size_inches()
        longest = ENTRY * max(map(len, entries), default=0) + HANDLE
        width = max(width, longest)
        columns = 1 if len(entries) < 2 or 2 * longest > width else 2
        rows = -(-len(entries) // columns) + bool(title)
        drawing.set_size_inches(width, height + LEGEND_ROW * rows)
        drawing.legend(
            list(entries.values()), list(entries), loc="outside lower center", ncols=columns
        )
        if title:
            drawing.suptitle(title)
    return drawing


def _check_options(kind: FigureKind, options: Mapping[str, Any]) -> None:
    known = list(inspect.signature(kind.draw).parameters)[2:]
    for name in options:
        if name not in known:
            raise OpcheckError(
                f"figure {kind.name!r} has no option {name!r}; it takes {', '.join(known)}"
            )


def save(drawing: Figure, path: str | Path) -> Path:
    """Write a drawing as .svg, .png or .pdf; equal drawings give equal bytes.

    Raises OpcheckError for another suffix or a place that can't be written.
    """
    target = Path(path)
    suffix = target.suffix.lower()
    if suffix not in METADATA:
        raise OpcheckError(f"{target.name!r} is not a drawing; end it in {', '.join(METADATA)}")
    with _style(), writing(target):
        drawing.savefig(target, metadata=METADATA[suffix])
    return target


@contextlib.contextmanager
def writing(target: Path) -> Iterator[None]:
    """Make the folder of ``target``; turn what the file system refuses into an OpcheckError."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as error:
        raise OpcheckError(
            f"can't write {str(target)!r}: {error.strerror}; name a folder that can be written"
        ) from error


@contextlib.contextmanager
def _style() -> Iterator[None]:
    import matplotlib

    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(STYLE)
        yield
