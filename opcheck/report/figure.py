"""Figure kinds: entering one, the sheet that panels are drawn on, and saving it with its data.

Only the object interface of matplotlib is used, and its defaults instead of the user's settings,
so that the same runs give the same bytes whatever else a program draws.
"""

from __future__ import annotations

import inspect
import re
import sys
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from opcheck import registry
from opcheck.document import writing
from opcheck.errors import OpcheckError
from opcheck.report.style import DESCRIPTION, METADATA, WIDTHS
from opcheck.report.style import style as looks

if TYPE_CHECKING:
    from opcheck.engine.run import Trajectory
    from opcheck.model.table import Table
    from opcheck.report.drawing import Drawing

    Runs = Mapping[str, Trajectory | Sequence[Trajectory]]
    Draw = Callable[..., str | tuple[str, Table] | None]

HEIGHT, TALLEST = 0.83, 3.0  # of a panel: in units of its width, and inches
LEGEND_ROW = 0.155  # inches
LETTER, HANDLE = 0.058, 0.62  # inches: of a text one character, and what stands beside a legend's
TITLE_LETTER = 0.066
SPACING = 1.0  # of lines, in units of the font's own
COLUMNS = 4  # of a legend
LINES = 3  # of a title; what is longer ends in an ellipsis


@dataclass(frozen=True)
class FigureKind:
    """A way to draw results.

    Attributes:
        draw: ``draw(axes, what, **options)``; see ``figure``.
        of: what it draws, words of ``SUBJECTS``.
        needs: the parts that it needs of it, words of ``NEEDS``.
        source: what ``opcheck plot`` makes of the words behind the kind, a word of ``SOURCES``.
        width: of a sheet of it alone.
        height: (what, width of the panel) ↦ the panel's height, in inches; None for the usual.
    """

    name: str
    draw: Draw
    of: tuple[str, ...]
    doc: str
    needs: tuple[str, ...] = ()
    source: str = ""
    width: str = "single"
    height: Callable[[Any, float], float] | None = None

    def __call__(
        self, what: Any, width: str | float = "", style: str = "", **options: Any
    ) -> Drawing:
        """A sheet of one panel.

        Args:
            what: of a kind that draws runs a trajectory, a sequence of them, or a mapping from
                labels to them, or to a sequence that differs by seed alone; else a result.
            width: ``single`` (3.3 inches, one column of a journal), ``double`` (6.9), or inches;
                default the kind's own.
            style: ``usetex`` sets all text by an installed LaTeX.
            options: of the kind.

        Raises OpcheckError for what it doesn't draw, a part that it needs and that isn't there, an
        unknown option, width or style, and what the kind raises.
        """
        return sheet([(self, options, what)], width=width or self.width, style=style)

    def plot(self, what: Any, ax: Any = None, **options: Any) -> Any:
        """Draw on given matplotlib axes, or on those of a new sheet; returns these axes.

        The legend of given axes is left to whoever made them: what belongs into it has a label.

        Raises OpcheckError as a call does.
        """
        if ax is None:
            return self(what, **options).axes[0]
        _check_options(self, options)
        with looks():
            self.draw(ax, self.checked(what), **options)
        return ax

    def checked(self, what: Any) -> Any:
        """What is handed to ``draw``: runs are labelled.

        Raises OpcheckError for what this kind doesn't draw, or a part that isn't there.
        """
        word = subject_of(what)
        if word not in self.of:
            thing = SUBJECTS[word].article if word else f"a {type(what).__name__}"
            kinds = [n for n in registry.names("figures") if word in registry.get("figures", n).of]
            hint = f"; {thing} is what {', '.join(kinds)} draw" if kinds else ""
            own = " or ".join(SUBJECTS[w].article for w in self.of)
            raise OpcheckError(f"figure {self.name!r} draws {own} and not {thing}{hint}")
        ready = labelled(what) if word == "runs" else what
        for need in self.needs:
            missing = NEEDS[need](ready)
            if missing:
                raise OpcheckError(f"figure {self.name!r} {missing}")
        return ready


@dataclass(frozen=True)
class Subject:
    """A result that kinds draw: what a sentence calls it; module and name of its class."""

    article: str
    module: str
    name: str


SUBJECTS: Mapping[str, Subject] = {
    "runs": Subject("runs", "opcheck.engine.run", "Trajectory"),
    "report": Subject("a report", "opcheck.evidence.simulation.verify", "Report"),
    "dossier": Subject("a dossier", "opcheck.evidence.dossier", "Dossier"),
    "certificate": Subject(
        "a certificate", "opcheck.evidence.certificates.certificate", "Certificate"
    ),
    "table": Subject("a table", "opcheck.model.table", "Table"),
}


def subject_of(what: Any) -> str:
    """The word of ``SUBJECTS`` for a result, or for runs in a mapping or sequence; "" for none."""
    first = what
    while isinstance(first, Mapping | list | tuple):
        if not first:
            return "runs"  # without any, which is said where they are labelled
        first = next(iter(first.values() if isinstance(first, Mapping) else first))
    for word, subject in SUBJECTS.items():
        module = sys.modules.get(subject.module)  # never loaded: it is none of these
        if module is not None and isinstance(first, getattr(module, subject.name)):
            return word if first is what or word == "runs" else ""
    return ""


SOURCES = ("eigenvalues", "worst cases", "implications")  # tables that ``opcheck plot`` makes


def _no_iterates(runs: Runs) -> str:
    for label, part in runs.items():
        for run in part if isinstance(part, Sequence) else [part]:
            if not len(run.iterates):
                return f"needs iterates, and {label!r} kept none; run it with iterates=True"
    return ""


def _several(runs: Runs) -> str:
    for label, part in runs.items():
        if isinstance(part, Sequence):
            return f"draws single runs, and {label!r} holds {len(part)}; give one of them"
    return ""


def _no_plane(runs: Runs) -> str:
    for label, part in runs.items():
        run = part[0] if isinstance(part, Sequence) else part
        if run.problem.dim != 2:
            return (
                f"draws problems in two variables, and that of {label!r}, {run.problem.name!r}, "
                f"has {run.problem.dim}; 'rate' draws any"
            )
    return ""


def _no_multipliers(certificate: Any) -> str:
    if certificate.document.get("multipliers"):
        return ""
    return "needs multipliers, and this certificate has none: its bound holds without inequalities"


# part -> what is missing of it, as the end of a sentence; "" where it is there
NEEDS: Mapping[str, Callable[[Any], str]] = {
    "iterates": _no_iterates,
    "single runs": _several,
    "two variables": _no_plane,
    "multipliers": _no_multipliers,
}


def figure(
    name: str,
    of: str | Sequence[str] = "runs",
    *,
    needs: str | Sequence[str] = (),
    source: str = "",
    width: str = "single",
    height: Callable[[Any, float], float] | None = None,
) -> Callable[[Draw], Draw]:
    """Register a figure kind; the function draws, its signature lists the options.

    ``function(axes, what, **options)`` draws on matplotlib axes. Of runs, ``what`` maps labels to
    trajectories, or to several of one kind (seeds); else it is the result. An artist that belongs
    into the legend carries a label. The function returns its part of the caption, or that and a
    ``Table`` of what is drawn, where the numbers of the labelled lines do not say it.

    Args:
        of: "runs", "report", "dossier", "certificate" or "table"; or several of these.
        needs: parts that it can't do without, each refused in a sentence where it is not there:
            "iterates", "single runs" or "two variables" of runs, "multipliers" of a certificate.
        source: what ``opcheck plot`` draws where it is not that: a table of "eigenvalues" of a
            problem, of "worst cases" of a theorem, or of the "implications" between classes.
        width: of a sheet of it alone, "single" or "double".
        height: (what, width of the panel) ↦ the panel's height, in inches.

    Raises OpcheckError for a word that is none of these.
    """
    subjects = (of,) if isinstance(of, str) else tuple(of)
    parts = (needs,) if isinstance(needs, str) else tuple(needs)
    words = [*((s, SUBJECTS) for s in subjects), *((p, NEEDS) for p in parts)]
    for word, known in [*words, (source or subjects[0], (*SUBJECTS, *SOURCES))]:
        if word not in known:
            raise OpcheckError(f"figure {name!r}: {word!r} is none of {', '.join(known)}")

    def enter(function: Draw) -> Draw:
        doc = inspect.cleandoc(function.__doc__ or "")
        kind = FigureKind(
            name=name,
            draw=function,
            of=subjects,
            doc=doc,
            needs=parts,
            source=source or subjects[0],
            width=width,
            height=height,
        )
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
    style: str = "",
) -> Drawing:
    """Panels side by side, with one legend below them.

    Several panels carry (a), (b), ...; the caption of the drawing says what their axes show.

    Args:
        panels: kinds, their options and what they draw, from left to right.
        title: above all panels.
        width: ``single``, ``double``, or inches; default single for one panel, else double.
        style: ``usetex`` sets all text by an installed LaTeX.

    Raises OpcheckError as each kind's call does.
    """
    from opcheck.report.drawing import Drawing

    inches = _inches(width or ("single" if len(panels) == 1 else "double"))
    ready = [kind.checked(what) for kind, _, what in panels]
    for kind, options, _ in panels:
        _check_options(kind, options)
    with looks(style):
        each = inches / len(panels)
        heights = [_height(panels[i][0], ready[i], each) for i in range(len(panels))]
        drawing = Drawing((inches, max(heights)), layout="constrained")
        row = drawing.subplots(1, len(panels), squeeze=False)[0]
        entries: dict[str, Any] = {}
        captions: list[str] = []
        tallest = 0  # of the panels' titles, in further lines
        for axes, (kind, options, _), what in zip(row, panels, ready, strict=True):
            said = kind.draw(axes, what, **options)
            caption, data = said if isinstance(said, tuple) else (said, None)
            captions.append(caption or "")
            drawing.data.append(_lines_of(axes) if data is None else data)
            heading = _folded(axes.get_title(), each - 0.7, TITLE_LETTER)
            axes.set_title(heading, linespacing=SPACING)
            tallest = max(tallest, heading.count("\n"))
            letter = f"({chr(ord('a') + len(captions) - 1)})"
            if len(panels) > 1:
                axes.set_title(letter, loc="left")
            for handle, label in zip(*axes.get_legend_handles_labels(), strict=True):
                if label in entries and _look(entries[label]) != _look(handle):
                    label = f"{label} {letter}"  # another line of that name
                entries.setdefault(label, handle)
        labels = [_folded(label, inches - HANDLE, LETTER, 9) for label in entries]
        columns = _columns(labels, inches)
        rows = sum(_in_rows(labels, columns))
        heading = _folded(title, inches, TITLE_LETTER)
        extra = LEGEND_ROW * (rows + tallest + 1.2 * bool(title) * (1 + heading.count("\n")))
        drawing.set_size_inches(inches, max(heights) + extra)
        if entries:
            legend = drawing.legend(
                list(entries.values()), labels, loc="outside lower center", ncols=columns
            )
            for text in legend.get_texts():
                text.set_linespacing(SPACING)
        if title:
            drawing.suptitle(heading, linespacing=SPACING)
        drawing.caption = _joined(captions)
        drawing.style = style
    return drawing


def _look(handle: Any) -> Any:
    """What tells an entry of a legend apart."""
    if hasattr(handle, "get_marker"):
        return handle.get_color(), handle.get_linestyle(), handle.get_marker()
    return np.asarray(handle.get_facecolor()).tolist() if hasattr(handle, "get_facecolor") else None


def _height(kind: FigureKind, what: Any, width: float) -> float:
    return min(width * HEIGHT, TALLEST) if kind.height is None else kind.height(what, width)


def _lines_of(axes: Any) -> Table:
    """The points of every labelled line and of every labelled cloud of points."""
    from opcheck.model.table import Table

    series: list[str] = []
    points = [np.empty((0, 2))]
    artists = [(line, line.get_xydata()) for line in axes.lines]
    artists += [(cloud, cloud.get_offsets()) for cloud in axes.collections]
    for artist, xy in artists:
        label = str(artist.get_label())
        if label.startswith("_") or not len(xy):
            continue
        points.append(np.ma.filled(np.ma.asarray(xy, dtype=float), np.nan))
        series += [label] * len(xy)
    x, y = np.concatenate(points).T
    names = {"x": axes.get_xlabel(), "y": axes.get_ylabel()}
    return Table({"series": np.array(series, dtype=str), "x": x, "y": y}, names)


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
    """As many as fit side by side, whichever entries meet."""
    longest = max((_letters(line) for label in labels for line in label.split("\n")), default=0)
    return max(1, min(len(labels), COLUMNS, int(inches / (longest * LETTER + HANDLE))))


def _letters(text: str) -> int:
    """How many a text shows: a command of mathematics is one."""
    return len(re.sub(r"[${}^_]|\\,", "", re.sub(r"\\[A-Za-z]+ ?", "x", text)))


def _in_rows(labels: Sequence[str], columns: int) -> list[int]:
    """The lines that each row of the legend takes, which is filled column by column."""
    if not labels:
        return []
    lines = [1 + label.count("\n") for label in labels]
    length = -(-len(lines) // columns)
    parts = [lines[i : i + length] for i in range(0, len(lines), length)]
    return [max(p[i] for p in parts if i < len(p)) for i in range(length)]


def _joined(captions: Sequence[str]) -> str:
    if len(captions) == 1:
        return captions[0]
    letters = [f"({chr(ord('a') + i)}) {text}" for i, text in enumerate(captions) if text]
    return " ".join(letters)


def options_of(kind: FigureKind) -> dict[str, inspect.Parameter]:
    """The options of a kind, by name."""
    return dict(list(inspect.signature(kind.draw).parameters.items())[2:])


def _check_options(kind: FigureKind, options: Mapping[str, Any]) -> None:
    known = options_of(kind)
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


def save(drawing: Drawing, *paths: str | Path) -> list[Path]:
    """Write a drawing as .svg, .png or .pdf, its caption among the file's metadata: the files.

    Equal drawings give equal bytes.

    Raises OpcheckError for another suffix or a place that can't be written.
    """
    targets = [drawable(path) for path in paths]
    with looks(drawing.style), _arranged(drawing):
        for target in targets:
            suffix = target.suffix.lower()
            told = {DESCRIPTION[suffix]: drawing.caption} if drawing.caption else {}
            with writing(target):
                drawing.savefig(target, metadata={**METADATA[suffix], **told})
    return targets


@contextmanager
def _arranged(drawing: Drawing) -> Iterator[None]:
    """Arrange the parts once: every format shows the same, and is written sooner."""
    engine = drawing.get_layout_engine()
    if engine is None:
        yield
        return
    engine.execute(drawing)
    drawing.set_layout_engine("none")
    try:
        yield
    finally:
        drawing.set_layout_engine(engine)


def save_all(drawing: Drawing, path: str | Path) -> list[Path]:
    """Write a drawing and, beside it, what it draws: the files.

    Args:
        path: ``STEM`` for STEM.svg, .png and .pdf, or one of these; the data are STEM.csv, of
            several panels STEM_a.csv, STEM_b.csv, ...

    Raises OpcheckError for another suffix or a place that can't be written.
    """
    target = Path(path)
    suffixes = list(METADATA)
    if target.suffix:
        suffixes = [drawable(target).suffix]
        target = target.with_suffix("")
    files = save(drawing, *[target.with_name(target.name + suffix) for suffix in suffixes])
    for i, data in enumerate(drawing.data):
        letter = f"_{chr(ord('a') + i)}" if len(drawing.data) > 1 else ""
        files.append(data.save(target.with_name(f"{target.name}{letter}.csv")))
    return files
