"""How every drawing looks: the sizes and fonts of a journal, and nothing of the user's settings."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator, Mapping
from typing import Any

from opcheck.errors import OpcheckError

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


STYLES = ("", "usetex")
SIGNS = {  # what LaTeX has no letter for in the fonts that it starts with
    "γ": r"\gamma", "λ": r"\lambda", "τ": r"\tau", "ρ": r"\rho", "α": r"\alpha", "β": r"\beta",
    "η": r"\eta", "σ": r"\sigma", "μ": r"\mu", "ε": r"\varepsilon", "φ": r"\varphi",
    "θ": r"\theta", "δ": r"\delta", "κ": r"\kappa", "−": "-", "≤": r"\leq", "≥": r"\geq",
    "‖": r"\Vert", "∞": r"\infty", "²": "^2", "…": r"\dots", "→": r"\to", "∈": r"\in",
}  # fmt: skip


@contextlib.contextmanager
def style(variant: str = "") -> Iterator[None]:
    """matplotlib's defaults with ours, for what is drawn or saved inside.

    Args:
        variant: ``usetex`` sets text by LaTeX, which must be installed.

    Raises OpcheckError for another variant, or where LaTeX is not there.
    """
    import matplotlib

    if variant not in STYLES:
        raise OpcheckError(f"style={variant!r}; there is 'usetex', and the usual one without")
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(STYLE)
        if variant == "usetex":
            missing = [name for name in ("latex", "dvipng") if shutil.which(name) is None]
            if missing:
                raise OpcheckError(
                    f"style 'usetex' needs {' and '.join(missing)}, which is not installed; "
                    "leave the style out: drawings need no LaTeX"
                )
            signs = "".join(
                rf"\DeclareUnicodeCharacter{{{ord(sign):04X}}}{{\ensuremath{{{code}}}}}"
                for sign, code in SIGNS.items()
            )
            preamble = rf"\usepackage{{mathptmx}}{signs}"
            matplotlib.rcParams.update({"text.usetex": True, "text.latex.preamble": preamble})
        yield
