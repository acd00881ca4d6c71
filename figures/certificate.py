"""Which inequalities a certificate adds up, and with what weight."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from opcheck import OpcheckError, Table
from opcheck.plugin import figure
from opcheck_figures.style import COLOURS, MARKERS

if TYPE_CHECKING:
    from opcheck import Certificate

SMALLEST, LARGEST = 0.1, 0.6  # of a cell's side: the marker of multiplier 0, of the largest
UP = 0.13  # of it: how far a marker moves for the number below
LETTERS = 6  # of a multiplier that is written out
WRITTEN = 9  # points up to which multipliers are written out
MOST, NAMED = 60, 16  # points that are drawn, and that are named
POINTS_AN_INCH = 72
TALLEST = 4.2  # inches


@dataclass(frozen=True)
class _Weight:
    """A multiplier: of which property, at which pair, as names and as places."""

    property: int
    pair: tuple[str, str]
    at: tuple[int, int]
    value: Fraction


@figure(
    "certificate",
    of="certificate",
    needs="multipliers",
    height=lambda _, width: min(width, TALLEST),
)
def certificate(
    axes: Any, certificate: Certificate, numbers: bool = True, title: str = ""
) -> tuple[str, Table]:
    """The multipliers of the inequalities, each at the pair of points that it is about.

    A row and a column for the solution z* and for each call of F, or of the resolvent, in the
    order of the run; the area of a marker grows with the multiplier. Of a property of ordered
    pairs those in the other order are above the diagonal.

    Args:
        numbers: write the exact multipliers out, where there are few points.

    Raises OpcheckError for a certificate with more than 60 points.
    """
    document = certificate.document
    places = ["*", *[call["name"] for call in document["calls"]]]
    if len(places) > MOST:
        raise OpcheckError(f"the triangle has {len(places)} points; at most {MOST} can be read")
    weights = _weights(document, places)
    names = [_words(declared) for declared in document["properties"]]
    used = sorted({w.property for w in weights})
    cells: dict[tuple[int, int], list[int]] = {}  # the properties that meet in each
    for w in sorted(weights, key=lambda w: w.property):
        cells.setdefault(w.at, []).append(w.property)
    written = numbers and len(places) <= WRITTEN and all(len(c) == 1 for c in cells.values())
    side = _side(axes, len(places))
    _grid(axes, len(places), whole=any(x > y for x, y in cells))
    top = max(w.value for w in weights)
    for j, p in enumerate(used):
        own = [w for w in weights if w.property == p]
        meet = [len(cells[w.at]) for w in own]
        step = [(cells[w.at].index(p) + 0.5) / n - 0.5 for w, n in zip(own, meet, strict=True)]
        x = [w.at[0] + s for w, s in zip(own, step, strict=True)]
        y = [w.at[1] - UP * written for w in own]
        most = LARGEST - UP * written
        shares = [float(w.value / top) ** 0.5 for w in own]
        widths = [
            side * (SMALLEST + (most - SMALLEST) * s) / n**0.5
            for s, n in zip(shares, meet, strict=True)
        ]
        look = {"marker": MARKERS[j % 7], "color": COLOURS[j % 7], "edgecolors": "black"}
        axes.scatter(x, y, s=[w**2 for w in widths], linewidths=0.4, label=names[p], **look)
    for w in weights if written else ():
        if len(str(w.value)) <= LETTERS:
            size = min(6.5, 0.2 * side + 2)
            axes.text(w.at[0], w.at[1] + 0.47, str(w.value), ha="center", fontsize=size)
    _name(axes, places)
    said = document["statement"]
    axes.set_title(title or f"{said['theorem']}, {said['covers']}")
    rest = [name for i, name in enumerate(names) if i not in used]
    data = {
        "property": [names[w.property] for w in weights],
        "first": [w.pair[0] for w in weights],
        "second": [w.pair[1] for w in weights],
        "multiplier": [str(w.value) for w in weights],
    }
    return (
        f"{len(weights)} inequalities and their multipliers, by area, the largest {top}; "
        f"{certificate.choice}. z*: the solution; each other point: a call, in order"
        + (f"; {', '.join(rest)}: without weight." if rest else "."),
        Table(data),
    )


def _weights(document: Mapping[str, Any], places: list[str]) -> list[_Weight]:
    weights = []
    for entry in document["multipliers"]:
        first, second = entry["pair"]
        at = places.index(first), places.index(second)
        weights.append(_Weight(entry["property"], (first, second), at, Fraction(entry["value"])))
    return weights


def _grid(axes: Any, count: int, *, whole: bool) -> None:
    """The cells of the triangle, or of the square."""
    line = {"color": "#d0d0d0", "linewidth": 0.4, "zorder": 0}
    for i in range(count):
        right, top = (count - 0.5, -0.5) if whole else (i + 0.5, i - 0.5)
        axes.plot([-0.5, right], [i + 0.5, i + 0.5], **line)
        axes.plot([i - 0.5, i - 0.5], [top, count - 0.5], **line)


def _name(axes: Any, places: list[str]) -> None:
    every = -(-len(places) // NAMED)
    ticks = [0, *range(1, len(places), every)]
    names = ["$z^*$" if p == "*" else f"${p[0]}_{{{p[1:]}}}$" for p in places]
    axes.set_xticks(ticks, [names[i] for i in ticks])
    axes.set_yticks(ticks, [names[i] for i in ticks])
    axes.tick_params(length=0, labelsize=7.5)
    ends = -0.6, len(places) - 0.4
    axes.set(xlim=ends, ylim=ends[::-1], aspect="equal")
    axes.spines[:].set_visible(False)


def _side(axes: Any, count: int) -> float:
    """About the side of a cell, in points."""
    width, height = axes.figure.get_size_inches()
    box = axes.get_position()
    return float(min(width * box.width, height * box.height) * POINTS_AN_INCH / count)


def _words(declared: Mapping[str, Any]) -> str:
    """As in ``Comonotone(-1/8) of F``."""
    constant = "" if declared["constant"] is None else f"({declared['constant']})"
    return f"{declared['kind']}{constant} of {declared['of']}"
