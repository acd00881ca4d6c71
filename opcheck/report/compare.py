"""What changed between two documents of ``verify --json``: worse, better, changed, new, gone."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from opcheck.errors import OpcheckError
from opcheck.model.result import Result

Kind = Literal["worse", "better", "changed", "new", "gone"]
SCHEMA = 1  # of the documents that are read here
# from bad to good; a statement that is met with equality holds as well as one that is not
STANDING = {
    "violated": 0,
    "error": 1,
    "untried": 2,
    "inapplicable": 2,
    "inconclusive": 3,
    "holds": 4,
    "attained": 4,
}
RUNGS = ("", "simulated", "attacked", "worst case", "certified", "proved")
ABOVE = 1e-6  # of rounding: a larger ratio beside "holds" is none that verify writes
SAME = 1e-9  # relative: a ratio that differs by less is that of another processor


@dataclass(frozen=True)
class Change(Result):
    """One thing about a theorem that is not as it was.

    Attributes:
        kind: "worse" and "gone" are regressions.
        what: as in ``status holds, was violated``.
    """

    theorem: str
    kind: Kind
    what: str


@dataclass(frozen=True)
class Comparison(Result):
    """Two documents, held against each other.

    Attributes:
        same: how many theorems are in both, and are as they were.
    """

    before: str
    after: str
    changes: tuple[Change, ...]
    same: int

    @property
    def ok(self) -> bool:
        """Nothing got worse, and nothing is gone."""
        return not any(change.kind in ("worse", "gone") for change in self.changes)

    def of(self, kind: Kind) -> list[Change]:
        """The changes of one kind."""
        return [change for change in self.changes if change.kind == kind]


def compare(before: str | Path, after: str | Path) -> Comparison:
    """Hold two documents that ``opcheck verify --json`` wrote against each other.

    Raises OpcheckError for a file that is none.
    """
    first, second = _theorems(before), _theorems(after)
    changes = [Change(name, "gone", "not in the second") for name in first if name not in second]
    same = 0
    for name, row in second.items():
        if name not in first:
            changes.append(Change(name, "new", _stands(row)))
            continue
        differences = [Change(name, kind, what) for kind, what in _differences(first[name], row)]
        changes += differences
        same += not differences
    return Comparison(str(before), str(after), tuple(changes), same)


def _theorems(path: str | Path) -> dict[str, Mapping[str, Any]]:
    """The rows of a document, by name."""
    try:
        text = Path(path).read_text(encoding="utf-8")
        document = json.loads(text, object_pairs_hook=_once)
        schema, rows = document["schema"], document["theorems"]
        theorems = {row["name"]: row for row in rows}
        wrong = next(filter(None, map(_wrong, rows)), "")
    except OSError as error:
        raise OpcheckError(f"can't read {str(path)!r}: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise OpcheckError(
            f"{str(path)!r} is no document of verdicts; write one by: "
            f"opcheck verify --json > {Path(path).stem}.json"
        ) from error
    if len(theorems) < len(rows) or not isinstance(rows, list):
        wrong = "a theorem is there twice"
    if wrong and schema == SCHEMA:
        raise OpcheckError(f"{str(path)!r} contradicts itself, or was changed: {wrong}")
    if type(schema) is not int or schema != SCHEMA:
        raise OpcheckError(
            f"{str(path)!r} has schema {schema!r}, and this opcheck reads {SCHEMA}; write it anew "
            "by: opcheck verify --json"
        )
    if document.get("interrupted"):
        raise OpcheckError(f"{str(path)!r} is of a run that was interrupted: it says too little")
    return theorems


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) < len(pairs):
        raise ValueError("a key is there twice")
    return dict(pairs)


def _wrong(row: Mapping[str, Any]) -> str:
    """What verify does not write of a theorem; "" where there is nothing.

    Raises KeyError, TypeError or AttributeError for a row of another shape.
    """
    name, status, ratio = row["name"], row["status"], row["ratio"]
    said = [verdict["status"] for verdict in row["verdicts"]]
    words = (name, *row["statement"], *(v["problem"] for v in row["verdicts"]), *row["holes"])
    if not all(isinstance(word, str) for word in words) or "bound" not in row["statement"]:
        return f"{name}: a name, a problem or a hole is no text, or the statement no statement"
    unknown = [word for word in (status, *said) if word not in STANDING]
    unknown += [row["rung"]] if row.get("rung", "") not in RUNGS else []
    if unknown:
        return f"{name}: no verdict is {unknown[0]!r}"
    if ratio is not None and (isinstance(ratio, str | bool) or not math.isfinite(ratio)):
        return f"{name}: measured/bound is {ratio!r}"
    good = status in ("holds", "attained")
    if good and "violated" in said:
        return f"{name} is said to be {status}, and its verdicts are not"
    if good and not {"holds", "attained"} & {*said}:
        return f"{name} is said to be {status}, and no verdict is"
    above = ratio is not None and ratio > 1 + ABOVE
    if good and above and row["statement"].get("claim") in ("upper bound", "one-step"):
        return f"{name} is said to be {status}, and measured/bound is {ratio:.6g}"
    return ""


def _differences(was: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[tuple[Kind, str]]:
    """What about a theorem is not as it was."""
    for part in {**now["statement"], **was["statement"]}:
        text, before = now["statement"].get(part), was["statement"].get(part)
        if text != before:
            yield "changed", f"{part} {_shown(text)}, was {_shown(before)}"
    yield from _status("status", was, now)
    if "rung" in was and "rung" in now and was["rung"] != now["rung"]:
        lower = RUNGS.index(now["rung"]) < RUNGS.index(was["rung"])
        yield "worse" if lower else "better", f"{now['rung'] or 'no rung'}, was {was['rung']}"
    for mark in ("tight", "needed"):
        if was.get(mark) != now.get(mark) and mark in was and mark in now:
            yield "better" if now[mark] else "worse", f"{'' if now[mark] else 'not '}{mark}"
    for hole in now["holes"]:
        if hole not in was["holes"]:
            yield "worse", f"nothing was decided at {hole}"
    for hole in was["holes"]:
        if hole not in now["holes"]:
            yield "better", f"something was decided at {hole}"
    yield from _verdicts(was, now)
    before, after = was["ratio"], now["ratio"]
    if (before is None) != (after is None) or (
        before is not None and abs(after - before) > SAME * max(abs(before), abs(after))
    ):
        yield "changed", f"largest measured/bound {_shown(after)}, was {_shown(before)}"


def _status(
    label: str, was: Mapping[str, Any], now: Mapping[str, Any]
) -> Iterator[tuple[Kind, str]]:
    if was["status"] != now["status"]:
        step = STANDING[now["status"]] - STANDING[was["status"]]
        kind: Kind = "worse" if step < 0 else "better" if step else "changed"
        reason = f" ({now['reason']})" if now.get("reason") else ""
        yield kind, f"{label} {now['status']}, was {was['status']}{reason}"


def _verdicts(was: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[tuple[Kind, str]]:
    """Problems on which the verdict is another, or is there no more."""
    before = {verdict["problem"]: verdict for verdict in was["verdicts"]}
    after = {verdict["problem"]: verdict for verdict in now["verdicts"]}
    for problem, verdict in after.items():
        if problem in before:
            yield from _status(f"on {problem}", before[problem], verdict)
    lost = [p for p, v in before.items() if p not in after and STANDING[v["status"]] >= 4]
    if lost:
        others = f" and {len(lost) - 1} others" if lost[1:] else ""
        yield "changed", f"not run on {lost[0]}{others}"


def _stands(row: Mapping[str, Any]) -> str:
    rung = f", {row['rung']}" if row.get("rung") else ""
    return f"{row['status']}{rung}"


def _shown(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    return "none" if value is None else str(value)
