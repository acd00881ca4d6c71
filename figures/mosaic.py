"""Small images side by side."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from opcheck import OpcheckError
from opcheck.plugin import figure
from opcheck_figures.columns import numbers

if TYPE_CHECKING:
    from opcheck import Table

INDICES = ("image", "channel", "row", "column")


def _square(table: Table, width: float) -> float:
    return width


@figure("mosaic", of="table", height=_square)
def mosaic(axes: Any, table: Table, low: float = -1.0, high: float = 1.0, title: str = "") -> str:
    """Images of a table with a row for each pixel: columns image, channel, row, column and value.

    Args:
        low: value that is drawn black, or without the colour of its channel.
        high: value that is drawn white, or with all of it.

    Raises OpcheckError for columns that are not there or hold words, other than 1 or 3 channels,
    and low ≥ high.
    """
    if not low < high:
        raise OpcheckError(f"low={low:g}, high={high:g}; give low < high")
    image, channel, row, column = (numbers(table, n).astype(int) for n in INDICES)
    count, channels, height, width = (int(i.max()) + 1 for i in (image, channel, row, column))
    if channels not in (1, 3):
        raise OpcheckError(f"images of {channels} channels; 1 and 3 are drawn")
    across = math.ceil(math.sqrt(count))
    down = math.ceil(count / across)
    sheet = np.ones((down * (height + 1) - 1, across * (width + 1) - 1, channels))
    place = (image // across * (height + 1) + row, image % across * (width + 1) + column, channel)
    sheet[place] = np.clip((numbers(table, "value") - low) / (high - low), 0, 1)
    shown = sheet[:, :, 0] if channels == 1 else sheet
    axes.imshow(shown, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_title(title)
    return ""
