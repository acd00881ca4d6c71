"""Regenerating a paper: run and draw its figures, test what must be seen, and weigh its claims.

What is finished is kept in the folder under a digest of all that it depends on, so that a run
that was interrupted goes on where it stopped.
"""

from __future__ import annotations

import csv
import functools
import hashlib
import importlib.metadata
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from opcheck import registry
from opcheck.document import writing
from opcheck.engine.run import Trajectory, run
from opcheck.errors import OpcheckError
from opcheck.evidence.operators.subject import subject
from opcheck.evidence.simulation.bounds import with_bounds
from opcheck.evidence.simulation.verify import Report, confront, summary
from opcheck.model.method import resolve
from opcheck.model.paper import Claim, Outcome, Panel, Paper, PaperFigure, Parts, Runs, Seen
from opcheck.model.problem import Problem, problem
from opcheck.model.result import Result
from opcheck.model.table import Table
from opcheck.model.theorem import Theorem
from opcheck.processes import over_processes
from opcheck.report.figure import labelled, save, settings, sheet
from opcheck.report.tables import number
from opcheck.watchdog import Interrupted

DEPENDENCIES = ("numpy", "scipy", "numba", "matplotlib", "clarabel")
RECORDS = "records"
SUFFIXES = (".svg", ".png", ".pdf")


@dataclass(frozen=True)
class Redrawn(Result):
    """A redrawn figure.

    Attributes:
        number: of the figure in the paper; "" for one of ours.
        files: the drawing as SVG, PNG and PDF, then the data behind it, a CSV for each part.
        checks: what must be seen, with the numbers.
        claims: id -> what was seen of each claim that this figure is about.
        theorems: run -> the theorem that covers it.
        parameters: whose they are, the paper's or ours.
        note: what the figure is evidence for.
        training: the size of the training that it is of; "" for a figure without one.
    """

    paper: str
    figure: str
    number: str
    files: tuple[Path, ...]
    checks: tuple[Seen, ...]
    claims: Mapping[str, Seen]
    theorems: Mapping[str, str]
    title: str
    caption: str
    note: str
    parameters: str
    training: str = ""

    @property
    def ok(self) -> bool:
        """Whether everything that must be seen is seen."""
        return all(seen.passed for seen in self.checks)

    @property
    def png(self) -> Path:
        """The drawing, for a page."""
        return next(file for file in self.files if file.suffix == ".png")

    @property
    def command(self) -> str:
        """That redraws it."""
        rest = f"--gan {self.training}" if self.training else f"--figure {self.figure}"
        return f"opcheck repro {self.paper} {rest}"

    def lines(self) -> Iterator[str]:
        """What people are told: the files, the note, and each check."""
        yield from map(str, self.files)
        if self.note:
            yield f"note: {self.note}"
        yield from map(str, self.checks)

    def as_dict(self) -> dict[str, Any]:
        """Plain data, for JSON."""
        return asdict(self) | {"ok": self.ok, "files": [str(file) for file in self.files]}


@dataclass(frozen=True)
class Weighed(Result):
    """A claim, and what became of it.

    Attributes:
        outcome: "reproduced"; "differs", where the paper's wording does not check out and what is
            true instead was seen; "not reproduced"; "waiting".
        numbers: what was measured, in words.
        command: that measures it again.
    """

    claim: str
    says: str
    outcome: Outcome
    numbers: str
    command: str

    @property
    def ok(self) -> bool:
        """Whether it came out as the manifest says."""
        return self.outcome != "not reproduced"


@dataclass(frozen=True)
class Reproduction(Result):
    """A paper regenerated.

    Attributes:
        missing: number of a figure or table that is not redrawn -> why.
    """

    paper: str
    citation: str
    figures: tuple[Redrawn, ...]
    claims: tuple[Weighed, ...]
    missing: Mapping[str, str]

    @property
    def ok(self) -> bool:
        """Everything that must be seen is seen, and every claim came out as the manifest says."""
        return all(f.ok for f in self.figures) and all(c.ok for c in self.claims)

    def as_dict(self) -> dict[str, Any]:
        """Plain data, for JSON."""
        return {
            "paper": self.paper,
            "citation": self.citation,
            "ok": self.ok,
            "figures": [figure.as_dict() for figure in self.figures],
            "claims": [claim.as_dict() for claim in self.claims],
            "missing": dict(self.missing),
        }


def reproduce(
    paper: str,
    *,
    figures: Sequence[str] | None = None,
    claims: bool = True,
    out: str | Path = ".",
    jobs: int = 1,
    fresh: bool = False,
    progress: Callable[[str], None] | None = None,
) -> Reproduction:
    """Redraw figures of a paper into the folder ``out`` and weigh its claims.

    Two calls write the same bytes. What a record in ``out`` says of the same sources is not done
    again.

    Args:
        figures: ids or numbers; default all.
        claims: whether those are weighed; of some figures, the claims about these alone.
        jobs: processes.
        fresh: whether to do everything again.
        progress: called with the name of each figure and statement when it is done.

    Raises OpcheckError for an unknown paper or figure, or a folder that can't be written;
    Interrupted, with what is finished, where Ctrl-C ends it.
    """
    entry: Paper = registry.get("papers", paper)
    drawn = list(entry.figures)
    if figures is not None:
        drawn = [f for name in figures for f in entry.named(name)]
    units = [*units_of(entry, drawn, theorems=claims and figures is None)]
    do = functools.partial(_unit, paper=paper, out=str(out), fresh=fresh)
    try:
        done = over_processes(do, units, jobs, progress)
        interrupted = False
    except Interrupted as stop:
        done, interrupted = stop.finished, True
    result = _collected(entry, done, claims=claims, whole=figures is None)
    if interrupted:
        raise Interrupted(result)
    return result


def units_of(entry: Paper, figures: Sequence[PaperFigure], *, theorems: bool) -> Iterator[str]:
    """Names of the pieces of work: figures and statements.

    Raises OpcheckError for a claim that names no statement, or says that one fails which is not
    declared to.
    """
    yield from (f"figure {f.id}" for f in figures)
    if theorems:
        named = [n for c in entry.claims for n in (c.theorem, c.refuted) if n]
        for claim in entry.claims:
            if claim.refuted and registry.get("theorems", claim.refuted).claim != "must fail":
                raise OpcheckError(
                    f"claim {claim.id!r} of {entry.key}: {claim.refuted!r} is no statement that "
                    "is declared to fail; give it claim='must fail'"
                )
        yield from (f"statement {name}" for name in dict.fromkeys(named))


def _unit(name: str, paper: str, out: str, fresh: bool) -> Any:
    """One piece of work, or its record."""
    kind, _, about = name.partition(" ")
    entry: Paper = registry.get("papers", paper)
    record = Path(out) / RECORDS / f"{kind}-{about}.json"
    digest = _digest(name)
    # of a manifest that was typed nothing tells whether it changed
    written = Path(registry.place("papers", paper).rpartition(":")[0]).is_file()
    data = _kept(record, digest) if written and not fresh else None
    if data is None:
        if kind == "figure":
            result = redraw(paper, entry.figure(about), out)
            data = {**result.as_dict(), "files": [file.name for file in result.files]}
        else:
            data = _statement(about)
        with writing(record):
            kept = {"digest": digest, "sum": _sum(digest, data), "data": data}
            text = json.dumps(kept, indent=1, default=str)
            record.write_text(text + "\n", encoding="utf-8")
    return _redrawn(data, Path(out)) if kind == "figure" else data


def _kept(record: Path, digest: str) -> Any:
    """What was done before, where it was the same and its files are still there; else None."""
    folder = record.parent.parent
    try:
        kept = json.loads(record.read_text(encoding="utf-8"))
        same = kept["digest"] == digest and kept["sum"] == _sum(digest, kept["data"])
        there = all((folder / file).is_file() for file in kept["data"].get("files", ()))
        return kept["data"] if same and there else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _sum(digest: str, data: Any) -> str:
    """By which a record that was changed by hand is known."""
    plain = json.loads(json.dumps(data, default=str))
    return hashlib.sha256(f"{digest} {json.dumps(plain)}".encode()).hexdigest()


@functools.cache
def _digest(name: str) -> str:
    """Of what a piece of work depends on: all sources, and the libraries that compute and draw."""
    return hashlib.sha256(f"{name} {_sources()}".encode()).hexdigest()


@functools.cache
def _sources() -> str:
    digest = hashlib.sha256()
    for path in registry.sources():
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    for name in DEPENDENCIES:
        digest.update(importlib.metadata.version(name).encode())
    return digest.hexdigest()


def _redrawn(data: Mapping[str, Any], folder: Path) -> Redrawn:
    fields = {name: value for name, value in data.items() if name != "ok"}
    checks = tuple(Seen(**seen) for seen in fields["checks"])
    claims = {name: Seen(**seen) for name, seen in fields["claims"].items()}
    files = tuple(folder / name for name in fields["files"])
    return Redrawn(**{**fields, "checks": checks, "claims": claims, "files": files})


def _statement(name: str) -> dict[str, Any]:
    """A registered statement on the library: its status, and where the bound is nearest."""
    from opcheck.evidence.dossier import SPEAKS, standings

    over = summary(name)
    top = over.worst
    stands = ""
    if over.status in SPEAKS:
        stands = str(standings(Report((over,)))[name])
    return {
        "theorem": name,
        "claim": over.theorem.claim,
        "status": over.status,
        "reason": over.reason,
        "problems": len(over.decided),
        "ratio": top.ratio if top else None,
        "excess": top.excess if top else None,
        "where": top.problem if top else "",
        "k": top.k if top else 0,
        "stands": stands,
    }


def _collected(entry: Paper, done: Sequence[Any], *, claims: bool, whole: bool) -> Reproduction:
    figures = tuple(part for part in done if isinstance(part, Redrawn))
    statements = {part["theorem"]: part for part in done if not isinstance(part, Redrawn)}
    seen = {name: (figure, s) for figure in figures for name, s in figure.claims.items()}
    asked = entry.claims if claims else ()
    weighed = [_weighed(entry.key, c, statements, seen, whole=whole) for c in asked]
    return Reproduction(
        entry.key,
        entry.citation,
        figures,
        tuple(w for w in weighed if w is not None),
        entry.missing if whole else {},
    )


def _weighed(
    paper: str,
    claim: Claim,
    statements: Mapping[str, Mapping[str, Any]],
    seen: Mapping[str, tuple[Redrawn, Seen]],
    *,
    whole: bool,
) -> Weighed | None:
    """A claim by what was done for it; None where that is not there."""
    if claim.waiting and not whole:
        return None
    if claim.waiting:
        return Weighed(claim.id, claim.says, "waiting", f"waits for {claim.waiting}", "")
    numbers = [claim.differs] if claim.differs else []
    if claim.check is not None:
        if claim.id not in seen:
            return None
        figure, result = seen[claim.id]
        good, command = result.passed, figure.command
        numbers.append(str(result))
    else:
        names = [name for name in (claim.refuted, claim.theorem) if name]
        if any(name not in statements for name in names):
            return None
        good = all(statements[name]["status"] in ("holds", "attained") for name in names)
        numbers += [_said(statements[name]) for name in names]
        command = f"opcheck verify {' '.join(names)}"
    as_said: Outcome = "differs" if claim.differs else "reproduced"
    outcome: Outcome = as_said if good else "not reproduced"
    return Weighed(claim.id, claim.says, outcome, "; ".join(numbers), command)


def _said(data: Mapping[str, Any]) -> str:
    """As in ``holds on 44 problems, measured/bound at most 0.4219 (rotation, k = 3); proved``."""
    status, must_fail = data["status"], data["claim"] == "must fail"
    word = "fails, as it must," if must_fail and status == "holds" else str(status)
    if data["ratio"] is None:
        return f"{word}: {data['reason']}" if data["reason"] else word
    stands = f"; {data['stands']}" if data["stands"] and not must_fail else ""
    reached = "reaches" if must_fail else "at most"
    return (
        f"{word} on {data['problems']} problems, measured/bound {reached} "
        f"{number(data['ratio'], excess=data['excess'])} ({data['where']}, k = {data['k']}){stands}"
    )


def redraw(paper: str, figure: PaperFigure, out: str | Path = ".") -> Redrawn:
    """Run, draw and check one figure: ``ID.svg``, ``.png``, ``.pdf``, and the data as CSV.

    Two calls write the same bytes. Raises OpcheckError for a panel that has nothing to draw, and a
    folder that can't be written.
    """
    entry: Paper = registry.get("papers", paper)
    parts = simulate(figure)
    stem = Path(out) / figure.id
    drawing = _drawing(figure, parts)
    experiment = figure.experiment
    runs = experiment.runs if isinstance(experiment, Runs) else {}
    return Redrawn(
        paper=paper,
        figure=figure.id,
        number=figure.number,
        files=(
            *save(drawing, *[stem.with_suffix(suffix) for suffix in SUFFIXES]),
            *write_data(parts, stem),
        ),
        checks=(*[check.seen(parts) for check in figure.checks], *covered(figure, parts)),
        claims={
            c.id: c.check.seen(parts)
            for c in entry.claims
            if c.check is not None and c.figure == figure.id
        },
        theorems={label: r.theorem for label, r in runs.items() if r.theorem},
        title=figure.title,
        caption=figure.caption,
        note=figure.note,
        parameters=figure.parameters,
    )


def covered(figure: PaperFigure, parts: Parts) -> Iterator[Seen]:
    """Of each run that names a theorem, whether it covers the run: its bound, or the verdict.

    Raises OpcheckError for a theorem about another method, or parameters outside its range.
    """
    experiment = figure.experiment
    if not isinstance(experiment, Runs):
        return
    for label, r in experiment.runs.items():
        if not r.theorem:
            continue
        theorem: Theorem = registry.get("theorems", r.theorem)
        if theorem.iteration is not resolve(r.method):
            raise OpcheckError(
                f"{label!r} is a run of {r.method}, and {r.theorem} is about another"
            )
        bound = parts[label].bounds.get(theorem.measure, {}).get(theorem.name)
        if bound is not None:  # at the run's own parameters, by the free ones that suit it best
            said = parts[label].k >= theorem.first
            ratio = float(np.max(parts[label][theorem.measure][said] / bound[said]))
            passed = ratio <= 1 + 1e-9  # a bound in float64
        else:
            try:
                verdict = confront(theorem, _target(experiment), **r.parameters)
            except OpcheckError as reason:
                raise OpcheckError(f"{label!r} is not covered by {r.theorem}: {reason}") from None
            ratio, passed = verdict.ratio, verdict.status in ("holds", "attained")
        yield Seen(f"{label} is covered by {r.theorem} (measured/bound)", ratio, 0, 1, passed)


def _target(experiment: Runs) -> Problem:
    asked = experiment.problem
    target = problem(asked, **experiment.parameters) if isinstance(asked, str) else subject(asked)
    if experiment.start is None:
        return target
    return replace(target, start=np.asarray(experiment.start, dtype=float))


def simulate(figure: PaperFigure) -> Parts:
    """The parts of a figure's data by name. Raises OpcheckError for what is not registered."""
    experiment = figure.experiment
    if not isinstance(experiment, Runs):
        return experiment()
    target = _target(experiment)
    runs: dict[str, Any] = {}
    for label, r in experiment.runs.items():
        if label in registry.names("methods") and resolve(label) is not resolve(r.method):
            raise OpcheckError(f"figure {figure.id!r}: {label!r} is a run of {r.method}")
        several = [
            run(
                r.method,
                target,
                r.iterations,
                record=r.every,
                iterates=True,
                seed=seed if r.seeds > 1 or target.oracle else None,
                measures=r.measures,
                **r.parameters,
            )
            for seed in range(r.seeds)
        ]
        if r.theorem:
            several = [_with_bound(t, r.theorem) for t in several]
        runs[label] = several if r.seeds > 1 else several[0]
    return runs


def _with_bound(trajectory: Trajectory, theorem: str) -> Trajectory:
    """With the bound of that theorem, where it covers the run and bounds a recorded measure."""
    bounds = with_bounds(trajectory)[0].bounds
    own = {m: {n: b for n, b in of.items() if n == theorem} for m, of in bounds.items()}
    return replace(trajectory, bounds=own)


def _drawing(figure: PaperFigure, parts: Parts) -> Any:
    panels = []
    for panel in figure.panels:
        kind = registry.get("figures", panel.kind)
        panels.append((kind, panel.options, _part(figure, panel, parts, runs="runs" in kind.of)))
    default = "double" if len(panels) > 1 else "single"
    return sheet(panels, title=figure.title, width=figure.width or default)


def _part(figure: PaperFigure, panel: Panel, parts: Parts, *, runs: bool) -> Any:
    """What a panel draws: the named part, or all runs, or the only part that is no run."""
    place = f"panel {panel.kind!r} of figure {figure.id!r}"
    if panel.of:
        if panel.of not in parts:
            raise OpcheckError(
                f"{place} draws {panel.of!r}, which is not there: {', '.join(parts)}"
            )
        return labelled({panel.of: parts[panel.of]}) if runs else parts[panel.of]
    if runs:
        return labelled({_legend(figure, n): p for n, p in parts.items() if _is_run(p)})
    rest = [part for part in parts.values() if not _is_run(part)]
    if len(rest) != 1:
        raise OpcheckError(f"{place} must name its part, by of=: {', '.join(parts)}")
    return rest[0]


def _legend(figure: PaperFigure, label: str) -> str:
    """The label with the parameters of its run."""
    if not isinstance(figure.experiment, Runs):
        return label
    shown = settings(figure.experiment.runs[label].parameters)
    return f"{label}: {shown}" if shown else label


def _is_run(part: Any) -> bool:
    first = part[0] if isinstance(part, list | tuple) and part else part
    return isinstance(first, Trajectory)


def write_data(parts: Parts, stem: Path) -> list[Path]:
    """``STEM.csv`` of the runs, and of each table: ``STEM.csv``, or ``STEM_NAME.csv`` of several.

    Raises OpcheckError as ``write_csv`` and ``Table.save`` do.
    """
    runs = {name: part for name, part in parts.items() if _is_run(part)}
    tables = {name: part for name, part in parts.items() if isinstance(part, Table)}
    files = [write_csv(runs, stem.with_suffix(".csv"))] if runs else []
    alone = len(tables) == 1 and not runs
    for name, table in tables.items():
        place = stem.with_suffix(".csv") if alone else stem.with_name(f"{stem.name}_{name}.csv")
        files.append(table.save(place))
    return files


def write_csv(runs: Mapping[str, Trajectory | Sequence[Trajectory]], path: str | Path) -> Path:
    """One row for each recorded point: run, k, oracle calls, z where it was kept, measures.

    Numbers have the shortest form that reads back to the same float64; of several seeds each has
    its rows, with the seed.

    Raises OpcheckError for runs with different measures or dimensions, or a place that can't be
    written.
    """
    target = Path(path)
    flat = [
        (label, t)
        for label, part in runs.items()
        for t in ([part] if isinstance(part, Trajectory) else part)
    ]
    shapes = {(tuple(t.measures), t.iterates.shape[1] if len(t.iterates) else 0) for _, t in flat}
    if len(shapes) != 1:
        raise OpcheckError(f"{target.name!r} needs runs with the same measures and coordinates")
    ((measures, dim),) = shapes
    coordinates = [f"z{i}" for i in range(1, dim + 1)]
    seeded = len(flat) > len(runs)
    with writing(target), target.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(["run", *["seed"] * seeded, "k", "oracle_calls", *coordinates, *measures])
        for label, t in flat:
            columns = [t.oracle_calls, *(t.iterates.T if dim else ()), *t.measures.values()]
            head = [label, *[t.seed] * seeded]
            for k, *numbers in zip(t.k, *columns, strict=True):
                rows.writerow([*head, int(k), *[repr(float(n)) for n in numbers]])
    return target
