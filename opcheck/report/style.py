"""How every drawing looks: the sizes and fonts of a journal, and nothing of the user's settings."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

WIDTHS = {"single": 3.3, "double": 6.9}  # inches: one and two columns of a journal
STYLE: Mapping[Any, Any] = {
    "figure.dpi": 300,
    "savefig.dpi": "figure",
    "font.family": ["STIXGeneral", "DejaVu Serif"],  # as Times; the other for what it lacks
    "mathtext.fontset": "stix",
    "font.size": 8.5,
    "axes.titlesize": 9,
    "figure.titlesize": 9.5,
    "legend.fontsize": 8,
    "legend.frameon": False,
    "legend.handlelength": 3.2,
    "legend.labelspacing": 0.3,
    "axes.linewidth": 0.6,
    "lines.linewidth": 1.1,
    "figure.constrained_layout.w_pad": 0.04,
    "lines.markersize": 4,
    "svg.hashsalt": "opcheck",
    "pdf.fonttype": 42,  # outlines that every publisher takes
}
# a date or a version in a file makes two equal drawings differ
METADATA: Mapping[str, Mapping[str, None]] = {
    ".svg": {"Date": None, "Creator": None},
    ".png": {"Software": None},
    ".pdf": {"CreationDate": None, "Producer": None, "Creator": None},
}
DESCRIPTION = {".svg": "Description", ".png": "Description", ".pdf": "Subject"}  # for the caption


@contextlib.contextmanager
def style() -> Iterator[None]:
    """matplotlib's defaults with ours, for what is drawn or saved inside."""
    import matplotlib

    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(STYLE)
        yield
