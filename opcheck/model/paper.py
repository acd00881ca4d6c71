"""Papers: what each claims, what its figures run, draw and must show. A manifest declares these."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from opcheck import registry
from opcheck.arguments import asked
from opcheck.errors import OpcheckError
from opcheck.model.table import Table
from opcheck.references import reference

Parts = Mapping[str, Any]  # what an experiment gives back: label -> trajectory, name -> table
Outcome = Literal["reproduced", "differs", "not reproduced", "waiting"]
WHOSE = ("paper", "ours")


@dataclass(frozen=True)
class PaperRun:
    """One run of a figure.

    Attributes:
        method: as in ``lookahead(gradient_descent_ascent)``.
        iterations: number of steps; of Lookahead, steps of the base.
        parameters: of the method.
        every: record every so many steps; the τ of Lookahead records its outer iterates.
        theorem: a registered theorem that covers this run; "" for none. Its bound is drawn where
            it bounds a recorded measure.
        measures: recorded beside the residual and the distance, as ``resolvent_residual``.
        seeds: of a noisy problem, so many runs from seed 0 on.
    """

    method: str
    iterations: int
    parameters: Mapping[str, Any] = field(default_factory=dict)
    every: int = 1
    theorem: str = ""
    measures: tuple[str, ...] = ()
    seeds: int = 1

    def __post_init__(self) -> None:
        """Look at the counts: a run that is not made, or not recorded, shows nothing."""
        for what, count in (("iterations", self.iterations), ("seeds", self.seeds)):
            if count < 1:
                raise OpcheckError(f"a run of {self.method} has {what} = {count}: at least 1")
        if not 1 <= self.every <= self.iterations:
            raise OpcheckError(
                f"a run of {self.method} records every {self.every} of {self.iterations} steps"
            )


@dataclass(frozen=True)
class Runs:
    """An experiment: runs on one problem from one start.

    Attributes:
        problem: family name, or whatever ``opcheck.problem`` takes; ``parameters`` are its own.
        start: z⁰ of every run; None for the problem's own.
        runs: label -> run, in the order of the legend.
    """

    problem: Any
    runs: Mapping[str, PaperRun]
    start: Sequence[float] | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Training:
    """Figures of a paper that networks are trained for: minutes or days, so on request alone.

    Attributes:
        sizes: name -> what it trains, and how long that takes.
        pieces: size -> how often ``figures`` tells of its progress.
        figures: ``figures(size, out=, data=, weights=, precision=, jobs=, progress=)`` trains and
            yields each figure when it is ready; ``out`` is a folder, ``data`` and ``weights`` are
            paths or "", ``progress`` is called with a name. A second call goes on where one ended.
    """

    sizes: Mapping[str, str]
    pieces: Callable[[str], int]
    figures: Callable[..., Iterable[PaperFigure]]


Experiment = Runs | Callable[[], Parts]


@dataclass(frozen=True)
class Panel:
    """One panel: a registered figure kind, its options, and the part of the data that it draws.

    Attributes:
        of: name of a part; "" for all runs, or for the only table.
    """

    kind: str
    options: Mapping[str, Any] = field(default_factory=dict)
    of: str = ""


class _Watched(Mapping[str, Any]):
    """Parts, and whether any was looked at."""

    def __init__(self, parts: Parts) -> None:
        self.parts, self.read = parts, False

    def __getitem__(self, name: str) -> Any:
        self.read = True
        return self.parts[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.parts)

    def __len__(self) -> int:
        return len(self.parts)


def _worded(missing: str, *texts: str) -> None:
    if not all(str(text).strip() for text in texts):
        raise OpcheckError(missing)


@dataclass(frozen=True)
class Check:
    """What must be seen in data: a sentence, and a number that must lie in an interval.

    Attributes:
        value: the number, of the parts of an experiment; NaN where there is none.
        low, high: ends of the closed interval.
    """

    sentence: str
    value: Callable[[Parts], float]
    low: float = -math.inf
    high: float = math.inf

    def __post_init__(self) -> None:
        """Raise OpcheckError for a sentence or an interval that says nothing."""
        _worded("a check has no sentence", self.sentence)
        if not self.low <= self.high or self.low == math.inf or self.high == -math.inf:
            raise OpcheckError(
                f"check {self.sentence!r}: no number is at least {self.low} and at most {self.high}"
            )
        if self.low == -math.inf and self.high == math.inf:
            raise OpcheckError(f"check {self.sentence!r}: any number passes; give low or high")

    def seen(self, parts: Parts) -> Seen:
        """The number, and whether it is as it must be.

        Raises OpcheckError for a value that can't be computed, is no number, or is one whatever the
        data are.
        """
        watched = _Watched(parts)
        try:
            number = self.value(watched)
            value = float(number)
        except OpcheckError:
            raise
        except Exception as error:  # of a manifest's author
            raise OpcheckError(
                f"check {self.sentence!r} has no value: {type(error).__name__}: {error}; the data "
                f"are of {', '.join(parts)}"
            ) from error
        if not watched.read:
            raise OpcheckError(f"check {self.sentence!r} looks at none of the data it is about")
        return Seen(self.sentence, value, self.low, self.high, self.low <= value <= self.high)


@dataclass(frozen=True)
class Seen:
    """A check on data that are there."""

    sentence: str
    value: float
    low: float
    high: float
    passed: bool

    def __str__(self) -> str:
        """As in ``seen: RAPP arrives (3.1e-07, at most 1e-06)``."""
        ends = [f"at least {self.low:.5g}"] if self.low > -math.inf else []
        ends += [f"at most {self.high:.5g}"] if self.high < math.inf else []
        word = "seen" if self.passed else "NOT SEEN"
        return f"{word}: {self.sentence} ({self.value:.5g}{''.join(f', {e}' for e in ends)})"


@dataclass(frozen=True)
class PaperFigure:
    """One figure or table of a paper, or one of ours about it.

    Attributes:
        id: unique within the paper.
        title: heading of the drawing.
        caption: what is drawn and what it shows.
        experiment: what is run: ``Runs``, or a function that returns parts by name, each a
            trajectory, several of them, or a ``Table``.
        panels: from left to right.
        checks: what must be seen.
        number: as ``Figure 2`` or ``Table 1`` of the paper; "" for a figure of ours.
        parameters: whose they are, "paper" (read in its text or code) or "ours".
        note: what the figure is evidence for, and which theorem, if any, stands behind it.
        width: "single" or "double" column, or inches; default double for several panels.
    """

    id: str
    title: str
    caption: str
    experiment: Experiment
    panels: tuple[Panel, ...]
    checks: tuple[Check, ...]
    number: str = ""
    parameters: str = "ours"
    note: str = ""
    width: str | float = ""


@dataclass(frozen=True)
class Claim:
    """One thing that a paper says, and what here is evidence for or against it.

    Exactly one of ``theorem``, ``check`` and ``waiting`` is there.

    Attributes:
        id: as in ``Theorem 6.2``, or a word of ours where the number is not known.
        says: the claim, in our words.
        theorem: a registered statement: reproduced where it holds or is attained on the library.
        check: on the data of ``figure``.
        figure: id of a figure of the paper.
        differs: where the paper's own constant or wording does not check out: what is true
            instead, with the number; the theorem or check is then about what is true.
        refuted: a registered statement, the paper's as printed, whose failure is shown here; its
            ``claim`` is "must fail".
        waiting: what must be there before the claim can be stated.
    """

    id: str
    says: str
    theorem: str = ""
    check: Check | None = None
    figure: str = ""
    differs: str = ""
    refuted: str = ""
    waiting: str = ""


@dataclass(frozen=True)
class Paper:
    """A paper: its claims, the figures of it that are redrawn here, and those that are not.

    Attributes:
        source: key in ``references.bib``.
        citation: as people cite it.
        missing: number of a figure or table -> why it is not redrawn.
        doc: what was read of the paper, and what is not known of it.
        training: figures for which networks are trained; None for none.
    """

    key: str
    source: str
    citation: str
    figures: tuple[PaperFigure, ...]
    claims: tuple[Claim, ...]
    missing: Mapping[str, str]
    doc: str
    training: Training | None = None

    @property
    def title(self) -> str:
        """For a list of names."""
        return self.citation

    def figure(self, name: str) -> PaperFigure:
        """The figure of that id. Raises OpcheckError for another."""
        return next((f for f in self.figures if f.id == name), None) or self.named(name)[0]

    def named(self, name: str) -> list[PaperFigure]:
        """The figure of that id, or those of that number; of ``2``, of Figure 2.

        Raises OpcheckError for another, and for a number that is not redrawn, with the reason.
        """
        asked_for = name.lower().strip()
        hits = [f for f in self.figures if asked_for and asked_for in {f.id, *_short(f.number)}]
        if hits:
            return hits
        for number, why in self.missing.items():
            if asked_for in _short(number):
                raise OpcheckError(f"{number} of {self.key} is not redrawn: {why}")
        known = [f.id + (f" ({f.number})" if f.number else "") for f in self.figures]
        raise OpcheckError(f"paper {self.key!r} has no figure {name!r}; it has {', '.join(known)}")


def _short(number: str) -> set[str]:
    """How people ask for ``Figure 2``."""
    return {number.lower(), number.lower().removeprefix("figure ")} - {""}


@asked
def paper(
    key: str,
    *,
    source: str,
    figures: Sequence[PaperFigure] = (),
    claims: Sequence[Claim] = (),
    missing: Mapping[str, str] | None = None,
    citation: str = "",
    doc: str = "",
    training: Training | None = None,
) -> Paper:
    """Register a paper.

    Args:
        key: as in ``pethick2023_stable``.
        source: BibTeX key, as in ``pethick2023stable``.
        citation: default that of ``references.bib``.
        training: figures for which networks are trained.

    Raises OpcheckError for a key that is taken or cited nowhere, two figures or claims of one id,
    and a claim that says nothing to check, or names a figure that is not there.
    """
    entry = reference(source)
    if entry is None and not citation:
        raise OpcheckError(
            f"paper {key!r}: {source!r} is no key of references.bib; give a citation"
        )
    for what, ids in (("figures", [f.id for f in figures]), ("claims", [c.id for c in claims])):
        twice = sorted({i for i in ids if ids.count(i) > 1})
        if twice:
            raise OpcheckError(f"paper {key!r} has two {what} of one id, {twice[0]!r}")
    if not figures and not claims and training is None:
        raise OpcheckError(f"paper {key!r} has neither figures nor claims")
    for figure in figures:
        _drawable(key, figure)
    for number, why in (missing or {}).items():
        _worded(f"paper {key!r}: {number!r} is missing without a reason", number, why)
        if number in {f.number for f in figures}:
            raise OpcheckError(f"paper {key!r}: {number} is redrawn, and said to be missing")
    known = {f.id for f in figures}
    for claim in claims:
        _checked(key, claim, known)
    manifest = Paper(
        key=key,
        source=source,
        citation=citation or str(entry),
        figures=tuple(figures),
        claims=tuple(claims),
        missing=dict(missing or {}),
        doc=doc,
        training=training,
    )
    registry.register("papers", key, manifest, registry.caller())
    return manifest


def _drawable(key: str, figure: PaperFigure) -> None:
    """Raise OpcheckError for a figure that draws or checks nothing, or can't be a file."""
    place = f"{key}/{figure.id}"
    if figure.parameters not in WHOSE:
        raise OpcheckError(f"{place}: parameters are 'paper' or 'ours'")
    if not re.fullmatch(r"\w[\w.-]*", figure.id):
        raise OpcheckError(f"{place}: an id is letters, digits, _, - and ., since it names files")
    if not figure.panels:
        raise OpcheckError(f"{place} has no panels: nothing is drawn")
    runs = figure.experiment.runs if isinstance(figure.experiment, Runs) else {}
    if not figure.checks and not any(run.theorem for run in runs.values()):
        raise OpcheckError(f"{place} has no checks, and no run of it names a theorem")


def _checked(key: str, claim: Claim, figures: set[str]) -> None:
    place = f"claim {claim.id!r} of {key}"
    _worded(f"{place} says nothing", claim.id, claim.says)
    for name in ("differs", "waiting"):
        if getattr(claim, name) and not getattr(claim, name).strip():
            raise OpcheckError(f"{place}: {name} is blank")
    ways = [bool(claim.theorem or claim.refuted), claim.check is not None, bool(claim.waiting)]
    if sum(ways) != 1:
        raise OpcheckError(f"{place} needs one of a theorem, a check, or what it waits for")
    if (claim.check is not None) != bool(claim.figure):
        raise OpcheckError(f"{place} needs a check and the figure whose data it is about")
    if claim.figure and claim.figure not in figures:
        raise OpcheckError(f"{place} is about the figure {claim.figure!r}, which is not there")
    if claim.refuted and not claim.differs:
        raise OpcheckError(f"{place} refutes a statement and does not say what is true instead")


def ends_within(label: str, distance: float, last: int = 200) -> Check:
    """max ‖z_k − z*‖ ≤ distance over the last recorded k: the run has arrived.

    Raises OpcheckError, as those below, for a distance that is not positive and finite.
    """
    _positive(label, distance)
    return Check(
        f"{label} stays within {distance:g} of the solution over its last {last} recorded steps",
        lambda runs: float(_distances(runs, label, last).max()),
        high=distance,
    )


def keeps_away(label: str, distance: float, last: int = 200) -> Check:
    """min ‖z_k − z*‖ ≥ distance over the last recorded k, inside the numbers: the run cycles."""
    _positive(label, distance)

    def nearest(runs: Parts) -> float:
        left = runs[label].status != "completed"
        return math.nan if left else float(_distances(runs, label, last).min())

    return Check(
        f"{label} stays farther than {distance:g} from the solution over its last {last} "
        "recorded steps",
        nearest,
        low=distance,
    )


def diverges(label: str, distance: float) -> Check:
    """The last recorded ‖z_k − z*‖, or ∞ where the run left the numbers, ≥ distance."""
    _positive(label, distance)

    def last(runs: Parts) -> float:
        left = runs[label].status != "completed"
        return math.inf if left else float(_distances(runs, label, 1)[-1])

    return Check(f"{label} ends farther than {distance:g} from the solution", last, low=distance)


def reaches_before(first: str, second: str, distance: float) -> Check:
    """One run comes within ``distance`` of z* after fewer oracle calls than another."""

    def share(runs: Parts) -> float:
        calls = [_calls_to(runs, label, distance) for label in (first, second)]
        return calls[0] / calls[1] if calls[0] < math.inf else math.nan

    return Check(
        f"{first} comes within {distance:g} of the solution in fewer oracle calls than {second} "
        "(share of its calls)",
        share,
        high=math.nextafter(1, 0),
    )


def slope(
    label: str, measure: str, low: float, high: float, *, part: tuple[float, float] = (0.1, 1.0)
) -> Check:
    """Slope of log measure against log k, by least squares, over a part of the recorded k > 0.

    Args:
        part: first and last k, as shares of the largest.
    """

    def fitted(runs: Parts) -> float:
        k, values = np.asarray(runs[label].k, dtype=float), runs[label][measure]
        inside = (k >= part[0] * k[-1]) & (k <= part[1] * k[-1]) & (k > 0) & (values > 0)
        if inside.sum() < 2:
            return math.nan
        return float(np.polyfit(np.log(k[inside]), np.log(values[inside]), 1)[0])

    return Check(f"the slope of {measure} of {label} in log-log axes", fitted, low, high)


def column(
    name: str,
    of: str,
    reduce: Callable[[NDArray[Any]], float],
    *,
    sentence: str,
    low: float = -math.inf,
    high: float = math.inf,
    **where: Any,
) -> Check:
    """A number from one column of a table, over the rows in which other columns have values.

    Args:
        name: of the part.
        of: the column; ``reduce`` makes a number of it, as ``np.max``.
    """

    def value(parts: Parts) -> float:
        table: Table = parts[name]
        values = table.where(**where)[of]
        return float(reduce(values)) if len(values) else math.nan

    return Check(sentence, value, low, high)


def _positive(label: str, distance: float) -> None:
    if not 0 < distance < math.inf:
        raise OpcheckError(f"a check of {label}: distance = {distance} is not positive and finite")


def _distances(runs: Parts, label: str, last: int) -> NDArray[np.float64]:
    squared: NDArray[np.float64] = runs[label]["distance"]
    if not 1 <= last <= len(squared):
        raise OpcheckError(
            f"a check of {label}: of {len(squared)} recorded steps there are no last {last}"
        )
    squared = squared[-last:]
    return np.sqrt(squared)


def _calls_to(runs: Parts, label: str, distance: float) -> float:
    inside = np.flatnonzero(runs[label]["distance"] <= distance**2)
    return float(runs[label].oracle_calls[inside[0]]) if inside.size else math.inf
