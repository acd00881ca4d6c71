"""Eigenvalues in the complex plane, and where methods converge on them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from opcheck import OpcheckError, Table
from opcheck.plugin import figure, growth
from opcheck_figures.columns import groups, numbers
from opcheck_figures.style import COLOURS, framed, literally

if TYPE_CHECKING:
    from collections.abc import Sequence

Floats = NDArray[np.float64]
GRID = 240  # points of the plane along each axis
COARSE = 60  # points along each axis where the regions are looked for
WIDENED = 4.0  # extents of the eigenvalues that are shown of a region at most
MARGIN = 0.12
STYLES = ("-", "--", "-.", ":", (0, (7, 1.2, 1.4, 1.2, 1.4, 1.2)), (0, (1, 1)))
POINTS = ("x", "+", "o", "s", "^", "D", "v")


@figure("spectrum", of="table", source="eigenvalues")
def spectrum(
    axes: Any,
    table: Table,
    methods: Mapping[str, tuple[str, Mapping[str, Any]]] = {},
    re: str = "re",
    im: str = "im",
    by: str = "",
    join: bool = False,
    title: str = "",
) -> tuple[str, Table]:
    """Eigenvalues λ of F, and for each method the border of those on which it converges.

    Inside its border the spectral radius of the method's own step on F z = λz is below 1; the
    inside of a single method is tinted. The method converges on a linear F all of whose
    eigenvalues lie inside.

    Args:
        methods: label -> name and parameters, as ``{"EG": ("extragradient", {"gamma": 0.3})}``.
        re: column of the real parts.
        im: column of the imaginary parts.
        by: column whose values part the eigenvalues into kinds with a marker each.
        join: draw a line through the eigenvalues of each kind, in the order of the rows.

    Raises OpcheckError for columns that are not there, more than six methods or seven kinds, and
    methods whose step depends on k or is not linear.
    """
    if len(methods) > len(STYLES):
        raise OpcheckError(f"a spectrum tells {len(STYLES)} methods apart; it has {len(methods)}")
    values = numbers(table, re) + 1j * numbers(table, im)
    if not len(values):
        raise OpcheckError("the table has no rows; there is nothing to draw")
    low, high = _view(values, list(methods.values()))
    x, y = np.linspace(low[0], high[0], GRID), np.linspace(low[1], high[1], GRID)
    plane = x + 1j * y[:, None]
    inside: dict[str, Any] = {}
    for i, (label, (name, parameters)) in enumerate(methods.items()):
        factor = growth(name, plane, **parameters)
        look = {"colors": COLOURS[i], "levels": [1.0]}
        shown = np.minimum(factor, 10.0)
        if len(methods) == 1:
            axes.contourf(x, y, shown, levels=[0, 1], colors=[COLOURS[i]], alpha=0.13, zorder=0)
        axes.contour(x, y, shown, linestyles=[STYLES[i]], linewidths=1.2, zorder=2, **look)
        axes.plot([], [], color=COLOURS[i], linestyle=STYLES[i], label=literally(label))
        inside[label] = growth(name, values, **parameters)
    kinds = list(groups(table, by))
    if len(kinds) > len(POINTS):
        raise OpcheckError(f"{by!r} has {len(kinds)} values; a spectrum tells {len(POINTS)} apart")
    for i, (label, rows) in enumerate(kinds):
        points = numbers(rows, re), numbers(rows, im)
        edge = {"markeredgecolor": "#303030", "markerfacecolor": "white", "zorder": 4}
        line = {"linestyle": "-" if join else "", "linewidth": 0.6, "color": "#303030"}
        size = {"marker": POINTS[i], "markersize": 4.5, "markeredgewidth": 0.9}
        axes.plot(*points, label=label or r"eigenvalues $\lambda$ of $F$", **line, **size, **edge)
    axes.axhline(0, color="#909090", linewidth=0.5, zorder=1)
    axes.axvline(0, color="#909090", linewidth=0.5, zorder=1)
    framed(axes)
    axes.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]), aspect="equal")
    axes.set_xlabel(r"$\mathrm{Re}\,\lambda$")
    axes.set_ylabel(r"$\mathrm{Im}\,\lambda$")
    axes.set_title(title)
    said = table.caption.rstrip(".") or "Eigenvalues λ of F"
    if methods:
        said += ". Lines: the spectral radius of a step on F z = λz is 1. All eigenvalues inside: "
        whole = [label for label, factors in inside.items() if (factors < 1).all()]
        said += f"{', '.join(whole) or 'of no method'}"
    factors = {f"factor of {label}": factor for label, factor in inside.items()}
    return f"{said}.", Table({**table.columns, **factors})


def _view(values: Any, methods: Sequence[tuple[str, Mapping[str, Any]]]) -> tuple[Floats, Floats]:
    """Corners of what is shown: the eigenvalues, 0, and the regions near them."""
    points = np.concatenate([[0j], values])
    size = float(np.abs(points).max()) or 1.0
    reach = WIDENED * size
    at = np.linspace(-reach, reach, 2 * COARSE + 1)
    plane = at + 1j * at[:, None]
    shown = [points]
    for name, parameters in methods:
        stable = plane[growth(name, plane, **parameters) < 1]
        bounded = stable.size and np.abs(np.stack([stable.real, stable.imag])).max() < reach
        shown.append(stable if bounded else stable[np.abs(stable) <= 1.5 * size])
    everything = np.concatenate(shown)
    corners = np.stack([everything.real, everything.imag], axis=1)
    low, high = corners.min(axis=0), corners.max(axis=0)
    margin = MARGIN * float((high - low).max())
    return low - margin, high + margin
