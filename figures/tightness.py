"""How near a bound is met: by runs, by search and by the solver."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from opcheck import OpcheckError, Table
from opcheck.plugin import figure
from opcheck_figures.style import COLOURS, dashed, framed, literally, marks, scaled
from opcheck_figures.symbols import name_of

if TYPE_CHECKING:
    from opcheck import Dossier

FLOOR = 1e-4  # a ratio below is drawn at the edge
POINT = {"linestyle": "", "markeredgecolor": "white", "markeredgewidth": 0.4}
FIRST = {"marker": "o", "color": COLOURS[2], "markersize": 3.5}
LOOKS = (
    {"marker": "v", "color": COLOURS[0], "markersize": 5, **POINT},
    {"marker": "^", "color": COLOURS[1], "markersize": 5, **POINT},
)
LOW = 0.05  # a ratio below it asks for a logarithmic axis


@figure("tightness", of="dossier")
def tightness(
    axes: Any, dossier: Dossier, horizontal: str = "log", vertical: str = "", title: str = ""
) -> tuple[str, Table]:
    """The largest measured/bound against k over the library, by search and by the solver.

    1 is the bound. Over the library all constants and parameters count that were tried, search
    and solver are about one choice of them; the true worst case at that choice lies between them.

    Args:
        horizontal: scale of the axis of k, "log" or "linear"; a logarithmic one leaves out k = 0.
        vertical: scale of the ratio, "log" or "linear"; default "log" for ratios below 0.05.

    Raises OpcheckError for a dossier in which nothing was compared.
    """
    series = _series(dossier, first=1 if horizontal == "log" else 0)
    if not any(len(k) for k, _ in series.values()):
        raise OpcheckError(f"nothing of {dossier.theorem} was compared; there is nothing to draw")
    lowest = min(float(ratio.min()) for _, ratio in series.values() if len(ratio))
    vertical = vertical or ("log" if lowest < LOW else "linear")
    scaled(axes, horizontal, vertical)
    data: dict[str, list[Any]] = {"series": [], "k": [], "ratio": []}
    for label, (k, ratio) in series.items():
        if not len(k):
            continue
        drawn = np.maximum(ratio, FLOOR) if vertical == "log" else ratio
        of_all = label == next(iter(series))
        look = FIRST if of_all else LOOKS[list(series).index(label) - 1]
        every = marks(k, horizontal) if of_all else None
        axes.plot(k, drawn, label=label, markevery=every, zorder=3, **look)
        for name, part in zip(data, ([label] * len(k), k, ratio), strict=True):
            data[name] += list(part)
    line = dashed(0)
    axes.axhline(1, label="bound", **{**line, "zorder": 2})
    if vertical == "log":
        axes.set_ylim(max(lowest, FLOOR) / 1.5, 1.6)
    else:
        axes.set_ylim(0, max(1.08, 1.05 * max(data["ratio"])))
    framed(axes)
    axes.set_xlabel(name_of("k"))
    axes.set_ylabel("measured/bound")
    axes.set_title(title or literally(dossier.theorem))
    top = max(range(len(data["k"])), key=lambda i: data["ratio"][i])
    return (
        f"{dossier.theorem}: measured/bound (no unit) against k, at most {data['ratio'][top]:.6g} "
        f"({data['series'][top]}, k = {int(data['k'][top])}).",
        Table(data),
    )


def _series(dossier: Dossier, first: int) -> dict[str, tuple[Any, Any]]:
    """Label -> k and ratios, from the first k on that the axis shows."""
    simulated, solver = (dossier.rung(n).data for n in ("simulated", "worst case"))
    attacked = dossier.rung("attacked").data
    choice = {**attacked.get("constants", {}), **attacked.get("parameters", {})}
    at = " at " + ", ".join(f"{n} = {v}" for n, v in choice.items()) if choice else ""
    problems = simulated.get("problems", 0)
    rows = {
        f"largest over {problems} problems": [(r["k"], r["ratio"]) for r in simulated["against_k"]],
        f"worst case{at}, by the solver": [(r["k"], r["ratio"]) for r in solver.get("rows", ())],
        f"reached by search{at}": [(r["k"], r["ratio"]) for r in attacked.get("reached", ())],
    }
    series = {}
    for label, points in rows.items():
        kept = [(k, ratio) for k, ratio in points if k >= first]
        series[label] = np.array([k for k, _ in kept]), np.array([r for _, r in kept])
    return series
