"""What commands show, as tables: for a terminal, a paper (booktabs), a page (Markdown) or CSV."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from opcheck.model.table import Table

if TYPE_CHECKING:  # a line is on the screen sooner without them
    from opcheck.evidence.dossier import Standing
    from opcheck.evidence.operators.constant import Constant
    from opcheck.evidence.operators.table import Line
    from opcheck.evidence.simulation.verify import Report, Summary

COLUMNS = ("theorem", "problems", "worst", "where", "k", "order", "constants", "verdict")


def number(value: float | None, digits: int = 4, excess: float | None = None) -> str:
    """A ratio, as tables show it: never rounded up to 1, nor down to it.

    Where a ball decided, it says how far from 1 it is: ``excess``, which a float may not hold.
    """
    if value is None:
        return "–"
    if excess is not None and abs(excess) < 10.0**-digits:
        return f"1 {'+' if excess > 0 else '−'} {abs(excess):.2e}" if excess else f"{1:.{digits}f}"
    text = f"{value:.{digits}f}" if abs(value) < 1e5 else f"{value:.3g}"
    if value < 1 and float(text) == 1:
        text = "0." + "9" * digits + "…"
    elif value > 1 and float(text) == 1:
        text = f"1 + {value - 1:.1e}"
    return text


def verdict_table(report: Report, standing: Mapping[str, Standing] = {}) -> Table:
    """A row for each theorem; ``evidence`` is a column where it was looked for."""
    from opcheck.evidence.dossier import in_a_word

    rows = []
    for s in report.summaries:
        worst = s.worst
        undecided = sum(v.status == "inconclusive" for v in s.verdicts)
        entry = standing.get(s.theorem.name)
        row = {
            "theorem": s.theorem.name,
            "problems": f"{len(s.admissible)}" + (f" ({undecided}?)" if undecided else ""),
            "worst": number(worst.ratio, excess=worst.excess) if worst else number(None),
            "where": worst.problem if worst else "",
            "k": str(worst.k) if worst else "",
            "order": _order(s),
            "constants": s.provenance,
            "verdict": in_a_word(s, entry),
        }
        rows.append({**row, "evidence": "" if entry is None else str(entry)} if standing else row)
    caption = "Largest measured/bound of each theorem over its problems, parameters and k"
    return _table(rows, caption, empty=COLUMNS)


def _order(s: Summary) -> str:
    if not s.theorem.order:
        return ""
    fitted = f"k^{s.order:.2f}" if s.order is not None else "–"
    return f"{s.theorem.order} / {fitted}"


def constant_table(constants: Sequence[Constant]) -> Table:
    """A row for each constant of one problem: an enclosure, its mark, and how it is known."""
    rows = [
        {
            "property": c.kind.name,
            "constant": f"{c.kind.symbol} of {c.of}",
            "at least": _bound(c.lower),
            "at most": _bound(c.upper),
            "on": str(c.region or ""),
            "mark": c.provenance,
            "how": c.note,
        }
        for c in constants
    ]
    return _table(rows, "Constants of the operator")


def _bound(value: float) -> str:
    return f"{value:.9g}" if math.isfinite(value) else ""


def survey_table(lines: Sequence[Line], *, code: bool = False) -> Table:
    """A row for each constant of a library.

    Args:
        code: problems stand between the marks that Markdown has for code.
    """
    rows = []
    for line in lines:
        c, smaller = line.constant, line.constant.kind.better == "smaller"
        seen, proved = (c.lower, c.upper) if smaller else (c.upper, c.lower)
        region = f", {c.region}" if c.region else ""
        stated = f"{line.value:.7g} ({line.stated.provenance})" if line.stated else ""
        signs = "≥≤" if smaller else "≤≥"
        rows.append(
            {
                "problem": f"`{line.problem}`" if code else line.problem,
                "constant": f"{c.kind.symbol} of {c.of} ({c.kind.name}){region}",
                "published": "" if line.published is None else f"{line.published:.7g}",
                "stated": stated,
                "search": f"{signs[0]} {seen:.7g}" if math.isfinite(seen) else "",
                "proved": f"{signs[1]} {proved:.7g}" if math.isfinite(proved) else "",
                "judgement": line.judgement,
            }
        )
    return _table(rows, "Constants of the library")


def _table(rows: Sequence[Mapping[str, str]], caption: str, *, empty: Sequence[str] = ()) -> Table:
    names = list(rows[0]) if rows else empty
    return Table({name: [row[name] for row in rows] for name in names}, caption=caption)
