"""A worst case from above and from below, beside the bound."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from opcheck import OpcheckError, Table
from opcheck.plugin import figure
from opcheck_figures.columns import Floats, numbers
from opcheck_figures.style import COLOURS, dashed, framed, scaled
from opcheck_figures.symbols import name_of, symbol_of

if TYPE_CHECKING:
    from opcheck import Dossier


@figure("gap", of=("table", "dossier"), source="worst cases")
def gap(
    axes: Any,
    what: Table | Dossier,
    k: str = "k",
    bound: str = "bound",
    worst: str = "worst",
    attack: str = "attack",
    horizontal: str = "linear",
    vertical: str = "log",
    ylabel: str = "",
    title: str = "",
) -> tuple[str, Table]:
    """What the bound says, what the solver finds from above and a search from below, against k.

    Shaded is what is not known: the true worst case lies between the last two.

    Args:
        k: of a table, the column of k.
        bound: column of the bound.
        worst: column of the worst case by the solver, from above.
        attack: column of the largest that a search found; where it is "" or NaN there is none.
        horizontal: scale of the axis of k, "linear" or "log".
        vertical: scale of the other axis.
        ylabel: default what is measured, and its unit.

    Raises OpcheckError for columns that are not there, and a dossier whose statement the solver
    has no worst case of.
    """
    table = what if isinstance(what, Table) else _of_dossier(what)
    scaled(axes, horizontal, vertical)
    at = numbers(table, k)
    above = numbers(table, worst)
    below = numbers(table, attack) if attack else np.full(len(at), np.nan)
    limit = numbers(table, bound)
    point = {"linewidth": 1.1, "markeredgecolor": "white", "markeredgewidth": 0.4}
    axes.plot(at, limit, label="bound", **dashed(0))
    axes.plot(at, above, marker="v", color=COLOURS[0], label="worst case, by the solver", **point)
    if np.isfinite(below).any():
        axes.plot(at, below, marker="^", color=COLOURS[1], label="reached by search", **point)
        axes.fill_between(at, below, above, color=COLOURS[1], alpha=0.18, linewidth=0)
    framed(axes)
    _whole_ticks(axes, at, horizontal)
    axes.set_xlabel(name_of("k"))
    axes.set_ylabel(ylabel or _unit(table.units.get(worst, "")))
    axes.set_title(title)
    share = np.nanmin(below / above) if np.isfinite(below).any() else np.nan
    said = f"{table.caption.rstrip('.')}: " if table.caption else ""
    said += f"the solver's worst case is at most {np.nanmax(above / limit):.4g} of the bound"
    said += f", and the search reaches at least {share:.4g} of it." if share == share else "."
    return said[0].upper() * (not table.caption) + said[not table.caption :], table


def _of_dossier(dossier: Dossier) -> Table:
    rows = dossier.rung("worst case").data.get("rows", [])
    if not rows:
        raise OpcheckError(
            f"figure 'gap' needs a worst case by the solver, and {dossier.theorem} has none: "
            f"{dossier.rung('worst case').says[0]}"
        )
    columns = {
        "k": [row["k"] for row in rows],
        "bound": [1.0] * len(rows),
        "worst": [row["ratio"] for row in rows],
        "attack": [np.nan if row["attack"] is None else row["attack"] for row in rows],
    }
    return Table(columns, {"worst": "worst case / bound"}, dossier.theorem)


def _unit(unit: str) -> str:
    """``residual / R²`` with the symbols of both."""
    measure, slash, of = unit.partition(" / ")
    return f"{symbol_of(measure)} / {of.replace('R²', '$R^2$')}" if slash else unit or "worst case"


def _whole_ticks(axes: Any, at: Floats, horizontal: str) -> None:
    """A tick at each k where they are few."""
    if horizontal == "linear" and len(at) <= 12:
        axes.set_xticks(at, [f"{v:g}" for v in at])
