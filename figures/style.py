"""Colours, markers, bands and symbols that figure kinds share.

The colours are those of Okabe and Ito (2008), which the colour-blind tell apart. The first three
differ in lightness and are solid; the others repeat a lightness and are dash-dotted. Markers tell
all of them apart: filled ones, and from the eighth run on hollow ones. Dashes without markers are
kept for bounds.
"""

from __future__ import annotations

from typing import Any

from opcheck import OpcheckError

COLOURS = ("#0072B2", "#E69F00", "#000000", "#D55E00", "#56B4E9", "#009E73", "#CC79A7")
LINES = ("-", "-", "-", *[(0, (7, 1.2, 1.4, 1.2))] * 4)
MARKERS = ("o", "s", "^", "D", "v", "P", "X")


def look(i: int) -> dict[str, Any]:
    """Line properties of the i-th run, the same in every panel.

    Raises OpcheckError for the fifteenth, which would look like another.
    """
    count = len(COLOURS)
    if i >= 2 * count:
        raise OpcheckError(f"a figure tells {2 * count} runs apart and no more; draw fewer")
    colour, hollow = COLOURS[i % count], i >= count
    return {
        "color": colour,
        "linestyle": LINES[i % count],
        "marker": MARKERS[i % count],
        "markerfacecolor": "white" if hollow else colour,
        "markeredgecolor": colour if hollow else "white",
        "markeredgewidth": 0.8 if hollow else 0.4,
    }


def literally(text: str) -> str:
    """A name as it is written, where matplotlib would read mathematics."""
    return text.replace("$", r"\$")
