"""Words of a drawing: what is measured, as a symbol and for a caption; titles, names of columns."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from opcheck.plugin import entered, row_symbol
from opcheck_figures.style import literally

if TYPE_CHECKING:
    from opcheck import Table, Trajectory

GREEK = frozenset(
    [
        "alpha",
        "beta",
        "gamma",
        "delta",
        "epsilon",
        "zeta",
        "eta",
        "theta",
        "kappa",
        "lambda",
        "mu",
        "nu",
        "xi",
        "rho",
        "sigma",
        "tau",
        "phi",
        "chi",
        "psi",
        "omega",
    ]
)
PLAIN = {"k": "iteration $k$", "calls": "oracle calls", "oracle_calls": "oracle calls"}


def symbol_of(measure: str, run: Trajectory | None = None) -> str:
    """As in ``$\\Vert F\\,z_k\\Vert^2$``; of a measure of someone else its text."""
    head, rows = _parts(measure)
    entry = entered("measures").get(head)
    if entry is None or not entry.latex:
        return literally(measure)
    is_set = run is not None and run.problem.resolvent.contains is not None
    symbols = [row_symbol(row) for row in rows] + ["", ""]
    return f"${entry.latex.format(*symbols, P='P_C' if is_set else 'J_A')}$"


def caption_of(measure: str) -> str:
    """In words, with the unit: ``the squared residual (residual, in squared units of F)``."""
    head, _ = _parts(measure)
    entry = entered("measures").get(head)
    if entry is None:
        return measure
    if entry.words:
        told = measure + (f", in {entry.unit}" if entry.unit else "")
        return f"{entry.words[0].upper()}{entry.words[1:]} ({told})"
    doc = entry.doc.partition("\n\n")[0].replace("\n", " ")
    return f"{measure}: {doc.rstrip('.')}"


def title_of(run: Trajectory, *, alone: bool) -> str:
    """Method and problem of one run; of several the problem they share."""
    problem = literally(run.problem.name)
    title = f"{literally(run.method)} on {problem}" if alone else problem
    return title + (", noisy" if run.noise else "")


def name_of(column: str) -> str:
    """A column's name on an axis: a measure by its symbol, ``gammaL`` as γL, words as words."""
    if column in PLAIN:
        return PLAIN[column]
    head, _ = _parts(column)
    if head in entered("measures"):
        return symbol_of(column)
    letters = "|".join(["epsilon", *GREEK, "lam", "eps"])
    match = re.fullmatch(rf"(-?)(1/)?({letters})?_?([A-Z]|\d+)?", column)
    if (match and column) or len(column) == 1:
        sign, over, greek, rest = match.groups() if match else ("", "", None, column)
        known = {"lam": "lambda", "eps": "varepsilon", "epsilon": "varepsilon"}
        letter = rf"\{known.get(greek, greek)} " if greek else ""
        below = f"_{{{rest}}}" if rest and greek and rest.isdigit() else rest or ""
        return f"${sign or ''}{over or ''}{letter}{below}$"
    return literally(column.replace("_", " "))


def heading(table: Table, column: str, *, axis: bool = True) -> str:
    """The name of a column and its unit: ``γL``, ``time (s)``; on an axis ``iteration k``."""
    unit = table.units.get(column, "")
    name = name_of(column) if axis or column != "k" else "$k$"
    return name + (f" ({literally(unit)})" if unit else "")


def _parts(measure: str) -> tuple[str, tuple[str, ...]]:
    """Name and rows, those named first, then the measure's own."""
    head, _, rest = measure.partition("(")
    head = head.strip()
    named = tuple(r.strip() for r in rest.rstrip(") ").split(",") if r.strip())
    entry = entered("measures").get(head)
    own = ("z",) if entry is None else entry.rows
    return head, (*named, *own[len(named) :])
