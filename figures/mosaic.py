"""Small images side by side."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from opcheck import OpcheckError
from opcheck.plugin import figure
from opcheck_figures.columns import Floats, groups, numbers

if TYPE_CHECKING:
    from opcheck import Table

INDICES = ("image", "channel", "row", "column")
APART = 1.08  # from one sheet to the next, in widths of a sheet
LABELS = 0.25  # inches above the sheets


def _height(table: Table, width: float) -> float:
    sheets = len(set(table["method"].tolist())) if "method" in table.columns else 1
    return width / (APART * sheets) + LABELS


@figure("mosaic", of="table", width="double", height=_height)
def mosaic(
    axes: Any,
    table: Table,
    by: str = "method",
    low: float = -1.0,
    high: float = 1.0,
    title: str = "",
) -> str:
    """Images of a table with a row for each pixel: columns image, channel, row, column and value.

    Args:
        by: column whose values part the images into sheets; one sheet where there is no such.
        low: value that is drawn black, or without the colour of its channel.
        high: value that is drawn white, or with all of it.

    Raises OpcheckError for columns that are not there or hold words, other than 1 or 3 channels,
    and low ≥ high.
    """
    if not low < high:
        raise OpcheckError(f"low={low:g}, high={high:g}; give low < high")
    left = top = 0.0
    for label, rows in groups(table, by if by in table.columns else ""):
        sheet = _sheet(rows, low, high)
        height, width = sheet.shape[:2]
        axes.imshow(
            sheet,
            cmap="gray",
            vmin=0,
            vmax=1,
            interpolation="nearest",
            extent=(left, left + width, 0, height),
        )
        axes.text(left + width / 2, 1.03 * height, label, ha="center", va="bottom")
        right, top = left + width, max(top, height)
        left += APART * width
    axes.set_xlim(0, right)
    axes.set_ylim(0, top)
    axes.set_axis_off()
    axes.set_title(title)
    return ""


def _sheet(table: Table, low: float, high: float) -> Floats:
    """The images in rows, a white line between two; one number or three for each pixel."""
    image, channel, row, column = (numbers(table, n).astype(int) for n in INDICES)
    count, channels, height, width = (int(i.max()) + 1 for i in (image, channel, row, column))
    if channels not in (1, 3):
        raise OpcheckError(f"images of {channels} channels; 1 and 3 are drawn")
    across = math.ceil(math.sqrt(count))
    down = math.ceil(count / across)
    sheet = np.ones((down * (height + 1) - 1, across * (width + 1) - 1, channels))
    place = (image // across * (height + 1) + row, image % across * (width + 1) + column, channel)
    sheet[place] = np.clip((numbers(table, "value") - low) / (high - low), 0, 1)
    return sheet[:, :, 0] if channels == 1 else sheet
