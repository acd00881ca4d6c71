"""Which class lies in which, as a diagram."""

from __future__ import annotations

import itertools
from typing import Any

from opcheck import OpcheckError, Table
from opcheck.plugin import figure
from opcheck_figures.style import COLOURS

Pairs = list[tuple[str, str]]
LETTER = 0.0038  # half of one in a box, in units of the width
LAYER = 0.7  # inches between two layers


def _pairs(table: Table, premise: str = "premise", conclusion: str = "conclusion") -> Pairs:
    return list(zip(table[premise].tolist(), table[conclusion].tolist(), strict=True))


def _height(table: Table, width: float) -> float:
    return 0.3 + LAYER * (max(_layers(_pairs(table)).values(), default=0) + 1)


@figure("implications", of="table", source="implications", width="double", height=_height)
def implications(
    axes: Any,
    table: Table,
    premise: str = "premise",
    conclusion: str = "conclusion",
    label: str = "with",
    title: str = "",
) -> tuple[str, Table]:
    """Arrows from each class to those that hold it, the strongest above.

    Two classes with arrows both ways are equal, and joined by a double line.

    Args:
        premise: column of the stronger class.
        conclusion: column of the weaker one.
        label: column of what stands beside the arrow.

    Raises OpcheckError for columns that are not there, and arrows that go in a circle of three.
    """
    pairs = _pairs(table, premise, conclusion)
    beside = dict(zip(pairs, table[label].tolist(), strict=True))
    layers = _layers(pairs)
    at = _places(layers, pairs)
    boxes = {}
    for name in layers:
        x, y = at[name]
        box = {"boxstyle": "round,pad=0.3", "facecolor": "#e3eef6", "edgecolor": COLOURS[0]}
        shown = name.replace(", ", "\n")
        text = axes.text(x, y, shown, ha="center", va="center", fontsize=8, bbox=box, zorder=4)
        boxes[name] = text.get_bbox_patch()
    for (a, b), text in beside.items():
        equal = (b, a) in beside
        if equal and pairs.index((b, a)) < pairs.index((a, b)):
            continue
        line = {"color": COLOURS[3] if equal else "#404040", "linewidth": 1.0}
        ends = {"patchA": boxes.get(a), "patchB": boxes[b], "shrinkA": 1, "shrinkB": 1}
        way = [at[point] for point in _way(a, b, layers)]
        if len(way) > 2:
            axes.plot(*zip(*way[:-1], strict=True), zorder=2, label="_nolegend_", **line)
            ends |= {"patchA": None, "shrinkA": 0}
        style = "<|-|>" if equal else "-|>"
        axes.annotate("", way[-1], way[-2], arrowprops={"arrowstyle": style, **line, **ends})
        (x0, y0), (x1, y1) = way[0], way[1]
        x, y = (x0 + x1) / 2, (y0 + y1) / 2
        if equal:  # between the boxes, which are not equally wide
            x += LETTER * (len(a) - len(b)) / 2 * (1 if x0 < x1 else -1)
        box = {"facecolor": "white", "edgecolor": "none", "pad": 0.6}
        axes.text(x, y, text, ha="center", va="center", fontsize=7, bbox=box, zorder=3)
    axes.set_xlim(0, 1)
    axes.set_ylim(-max(layers.values(), default=0) - 0.5, 0.5)
    axes.set_axis_off()
    axes.set_title(title)
    return f"{table.caption.rstrip('.')}. An arrow is an implication that is proved.", table


def _layers(pairs: Pairs) -> dict[str, int]:
    """From 0 on, each class above all that it lies in, as low as possible; equal ones level."""
    below = dict.fromkeys([name for pair in pairs for name in pair], 0)
    for _ in range(len(below) + 1):
        before = dict(below)
        for a, b in pairs:
            below[a] = max(below[a], below[b] + ((b, a) not in pairs))
        if below == before:
            top = max(below.values(), default=0)
            return {name: top - depth for name, depth in below.items()}
    raise OpcheckError("the arrows of the table go in a circle; an implication goes one way")


def _way(a: str, b: str, layers: dict[str, int]) -> list[Any]:
    """From a class to another, with a point in each layer between that keeps it off the boxes."""
    return [a, *((a, b, layer) for layer in range(layers[a] + 1, layers[b])), b]


def _places(layers: dict[str, int], pairs: Pairs) -> dict[Any, tuple[float, float]]:
    """A layer is spread over the width, in the order of what leads to it."""
    at: dict[Any, tuple[float, float]] = {}
    ways = [_way(a, b, layers) for a, b in pairs]
    steps = [step for way in ways for step in itertools.pairwise(way)]
    for layer in range(max(layers.values(), default=-1) + 1):
        points: list[Any] = [name for name in layers if layers[name] == layer]
        points += [point for way in ways for point in way[1:-1] if point[2] == layer]
        middle = {}
        for point in points:
            same = {point, *(a for a, b in pairs if b == point and (b, a) in pairs)}
            above = [at[a][0] for a, b in steps if b in same and a in at]
            middle[point] = sum(above) / len(above) if above else 1.0
        points.sort(key=lambda point: middle[point])
        for i, point in enumerate(points):
            at[point] = ((i + 0.5) / len(points), -float(layer))
    return at
