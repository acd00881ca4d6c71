"""What ``opcheck plot`` draws: from a few words to a result, by what the kind is of."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from opcheck import registry
from opcheck.errors import OpcheckError
from opcheck.model.problem import Problem
from opcheck.model.table import read_csv
from opcheck.report.figure import SUBJECTS, FigureKind, drawable, options_of, save_all

Progress = Callable[[str], None] | None
TEXTS = (".csv", ".md", ".tex")  # of a table
USUAL = range(1, 6)  # k of a worst case
CERTIFIED = 3  # k of a certificate


@dataclass(frozen=True)
class Words:
    """What stands behind the kind on a command line.

    Attributes:
        target: a theorem, methods, or a file; "" for none.
        problem: on which methods run; None for none.
        parameters: of methods, as numbers; ``exact`` holds the same as they were written.
        ks: k of a worst case or a certificate; none for the usual.
        iterations: of a run.
        seeds: of runs; (None,) for one.
        progress: called with a word when a part is done.
    """

    target: str = ""
    problem: Problem | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    exact: Mapping[str, Any] = field(default_factory=dict)
    ks: Sequence[int] = ()
    iterations: int = 1000
    seeds: Sequence[int | None] = (None,)
    jobs: int = 1
    progress: Progress = None


@dataclass(frozen=True)
class Drawable:
    """What is drawn, options that go with it, and what is to be said of how it came about."""

    what: Any
    options: Mapping[str, Any] = field(default_factory=dict)
    notes: Sequence[str] = ()


def drawable_of(kind: FigureKind, words: Words) -> Drawable:
    """What a kind draws of the words behind it.

    Raises OpcheckError for words that are missing or too many, and what the work raises.
    """
    if not words.target and kind.source != "implications":
        raise OpcheckError(f"plot {kind.name} needs {USAGE[kind.source]}")
    if words.problem is not None and kind.source not in ("runs", "eigenvalues"):
        raise OpcheckError(f"plot {kind.name} takes {USAGE[kind.source]}, and no problem")
    if "table" in kind.of and words.target.lower().endswith(".csv"):
        return Drawable(read_csv(words.target))
    if words.target and kind.source == "implications":
        raise OpcheckError(f"plot {kind.name} takes {USAGE[kind.source]}, not {words.target!r}")
    return MAKERS[kind.source](kind, words)


def _runs(kind: FigureKind, words: Words) -> Drawable:
    from opcheck.evidence.picture import each, methods_in
    from opcheck.report.runs import labelled

    series = each(
        methods_in(words.target),
        _problem(kind, words),
        words.iterations,
        parameters=words.parameters,
        seeds=words.seeds,
        iterates="iterates" in kind.needs,
    )
    return Drawable(labelled(series), notes=[s.note for s in series if s.note])


def _eigenvalues(kind: FigureKind, words: Words) -> Drawable:
    from opcheck.engine.growth import spectrum_of
    from opcheck.evidence.picture import each, methods_in
    from opcheck.report.figure import label_of

    problem = _problem(kind, words)
    # a run of one iteration completes the parameters as every other command does
    series = each(methods_in(words.target), problem, 1, parameters=words.parameters)
    ran = [s.runs[0] for s in series if s.runs]
    methods = {label_of(t): (t.method, dict(t.parameters)) for t in ran}
    notes = [s.note for s in series if s.note]
    return Drawable(spectrum_of(problem), {"methods": methods}, notes)


def _worst_cases(kind: FigureKind, words: Words) -> Drawable:
    from opcheck.evidence.worst_case.table import worst_cases

    name = registry.one("theorems", words.target)
    return Drawable(worst_cases(name, words.ks or USUAL, progress=words.progress, **words.exact))


def _dossier(kind: FigureKind, words: Words) -> Drawable:
    from opcheck.evidence.dossier import dossier

    return Drawable(dossier(registry.one("theorems", words.target)))


def _report(kind: FigureKind, words: Words) -> Drawable:
    from opcheck.evidence.simulation.verify import verify

    selectors = words.target.split(",")
    return Drawable(verify(selectors, jobs=words.jobs, progress=words.progress))


def _certificate(kind: FigureKind, words: Words) -> Drawable:
    from opcheck.evidence.certificates.certificate import certify, read_certificate

    if words.target.lower().endswith(".json"):
        return Drawable(read_certificate(words.target))
    if len(words.ks) > 1:
        raise OpcheckError(f"plot {kind.name} draws one certificate; give one k, as -k 3")
    k = words.ks[0] if words.ks else CERTIFIED
    return Drawable(certify(registry.one("theorems", words.target), k, **words.exact))


def _implications(kind: FigureKind, words: Words) -> Drawable:
    from opcheck.model.implications import implications

    return Drawable(implications())


def _table(kind: FigureKind, words: Words) -> Drawable:
    raise OpcheckError(f"plot {kind.name} draws {USAGE['table']}, and {words.target!r} is none")


MAKERS: Mapping[str, Callable[[FigureKind, Words], Drawable]] = {
    "runs": _runs,
    "eigenvalues": _eigenvalues,
    "worst cases": _worst_cases,
    "dossier": _dossier,
    "report": _report,
    "certificate": _certificate,
    "implications": _implications,
    "table": _table,
}
USAGE: Mapping[str, str] = {
    "runs": "METHODS PROBLEM, as 'extragradient,rapp bilinear'",
    "eigenvalues": "METHODS PROBLEM, as 'extragradient,rapp M.npy', or a table of eigenvalues.csv",
    "worst cases": "a THEOREM, or a table of worst cases.csv",
    "dossier": "a THEOREM",
    "report": "THEOREMS, names or prefixes separated by commas",
    "certificate": "a certificate's FILE.json, or a THEOREM",
    "implications": "nothing, or a table of implications.csv",
    "table": "a table's FILE.csv",
}


def _problem(kind: FigureKind, words: Words) -> Problem:
    if words.problem is None:
        raise OpcheckError(f"plot {kind.name} needs {USAGE[kind.source]}")
    return words.problem


def listed() -> list[dict[str, Any]]:
    """Every kind: what it draws, of what, and its options."""
    kinds = [registry.get("figures", name) for name in registry.names("figures")]
    return [
        {
            "kind": kind.name,
            "draws": kind.doc.partition("\n\n")[0].replace("\n", " "),
            "of": [SUBJECTS[word].article for word in kind.of],
            "takes": USAGE[kind.source],
            "options": {n: p.default for n, p in options_of(kind).items()},
        }
        for kind in kinds
    ]


def lines() -> Iterator[str]:
    """The same for people."""
    for entry in listed():
        yield f"{entry['kind']}: {entry['draws']}"
        yield f"    opcheck plot {entry['kind']} takes {entry['takes']}"
        options = (f"{n}={_shown(v)}" if _shown(v) else n for n, v in entry["options"].items())
        yield f"    -o {', '.join(options)}"


def _shown(default: Any) -> str:
    """A default as one would write it; "" for none."""
    if isinstance(default, bool):
        return "yes" if default else "no"
    if isinstance(default, tuple):
        return "[" + ",".join(f"{v:g}" for v in default) + "]" if default else ""
    return "" if default is None or isinstance(default, Mapping) else str(default)


def options_from(kind: FigureKind, texts: Mapping[str, str]) -> dict[str, Any]:
    """Options of a kind from words, read as what their defaults are.

    Raises OpcheckError for an option that is not there, or can't be given in words.
    """
    known = options_of(kind)
    values = {}
    for name, text in texts.items():
        if name not in known:
            raise OpcheckError(
                f"figure {kind.name!r} has no option {name!r}; it takes {', '.join(known)}"
            )
        values[name] = _read(name, text, known[name].default)
    return values


def _read(name: str, text: str, default: Any) -> Any:
    try:
        if isinstance(default, bool):
            return {"true": True, "yes": True, "false": False, "no": False}[text.lower()]
        if isinstance(default, int):
            return int(text)
        if isinstance(default, float):
            return float(text)
        if isinstance(default, tuple) and default:
            return tuple(float(part) for part in text.split(","))
    except (ValueError, KeyError):
        kind = "numbers" if isinstance(default, tuple) else type(default).__name__
        usual = "true or false" if isinstance(default, bool) else f"as {default!r}"
        raise OpcheckError(f"-o {name}={text} is no {kind}; give {usual}") from None
    if isinstance(default, Mapping):
        raise OpcheckError(f"option {name!r} can't be given in words; call it from Python")
    if default is None:
        try:
            return float(text)
        except ValueError:
            return text
    return text


def steps(kind: FigureKind, target: str, ks: Sequence[int] | None) -> int:
    """How often ``progress`` is called."""
    if kind.source == "report" and target:
        return len(registry.select("theorems", target.split(",")))
    return len(ks or USUAL)


def check(path: str | Path) -> Path:
    """The path that is written to. Raises OpcheckError for a suffix of no drawing or table."""
    target = Path(path)
    suffix = target.suffix.lower()
    return target if suffix in ("", *TEXTS) else drawable(target)


def draw(
    kind: FigureKind, ready: Drawable, path: str | Path, **options: Any
) -> tuple[list[Path], str]:
    """Draw and write: the files, and the caption.

    Args:
        path: a stem or a drawing's name, as ``save_all`` takes it; or a table's, for the numbers
            alone.
        options: of the kind, and ``width`` and ``style``.

    Raises OpcheckError for another suffix, a place that can't be written, and what the kind raises.
    """
    target = check(path)
    alone = target.suffix.lower() in TEXTS
    if alone and kind.name == "table":  # which may be too long for a picture
        return [ready.what.save(target)], ready.what.caption
    drawing = kind(ready.what, **{**ready.options, **options})
    if alone:
        return [drawing.data[0].save(target)], drawing.caption
    return save_all(drawing, target), drawing.caption
