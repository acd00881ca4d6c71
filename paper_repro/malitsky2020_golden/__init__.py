"""Malitsky (2020): the golden ratio algorithm (GRAAL), with fixed and with adaptive steps."""

from collections.abc import Mapping

import numpy as np

from opcheck import Table
from opcheck.plugin import (
    Check,
    Claim,
    Panel,
    PaperFigure,
    PaperRun,
    Runs,
    column,
    ends_within,
    paper,
)
from opcheck_paper_repro.malitsky2020_golden.experiment import (
    GOLDEN,
    adaptive_steps,
    against_library,
    ranges,
)

LIPSCHITZ = 335.792  # of harker_pang_simplex, n = 10
ARRIVES = ends_within("GRAAL", 1e-6, last=5)


def residual(method: str, high: float) -> Check:
    """The last natural residual on Sun's problem."""
    return column(
        "adaptive",
        "residual",
        lambda values: float(values[-1]),
        sentence=f"{method} on Sun's problem: natural residual at the end",
        high=high,
        method=method,
    )


def _calls(tables: Mapping[str, Table], method: str) -> float:
    table = tables["adaptive"].where(method=method)
    return float(table["calls"][table["residual"] <= 1e-8].min())


def _longest(tables: Mapping[str, Table]) -> float:
    table = tables["ranges"].where(phi=round(float(GOLDEN), 3))
    return float(table["step"][table["radius"] <= 1].max())


ADAPTIVE = Check(
    "aGRAAL on Sun's problem: calls to a natural residual of 1e-8, as share of Tseng's method",
    lambda tables: _calls(tables, "aGRAAL") / _calls(tables, "FBF"),
    high=0.7,
)
PROVED = column(
    "ranges",
    "radius",
    np.max,
    sentence="largest spectral radius for λ ≤ φ/(2L), φ up to the golden ratio",
    high=1,
    proved=True,
)
LONGER = Check(
    "longest step (1/L) that no linear map defeats, golden φ",
    _longest,
    low=1.1,
    high=1.2,
)


fixed = PaperFigure(
    id="fixed",
    title="Harker and Pang's problem, n = 10",
    caption="GRAAL with λ = φ/(2L), forward-reflected-backward and Tseng's method by calls of F on "
    "a strongly monotone problem on a simplex.",
    note="The family of the paper's tests (Harker and Pang); seed and size are ours.",
    experiment=Runs(
        "harker_pang_simplex",
        {
            "GRAAL": PaperRun(
                "golden_ratio",
                800,
                {"gamma": GOLDEN / (2 * LIPSCHITZ), "phi": GOLDEN},
                every=10,
                theorem="malitsky2020_golden_ratio",
            ),
            "FRB": PaperRun(
                "forward_reflected_backward", 800, {"gamma": 0.49 / LIPSCHITZ}, every=10
            ),
            "FBF": PaperRun("forward_backward_forward", 400, {"gamma": 0.9 / LIPSCHITZ}, every=5),
        },
    ),
    panels=(Panel("rate", {"against": "oracle calls", "title": "", "horizontal": "linear"}),),
    checks=(ARRIVES, ends_within("FRB", 1e-6, last=5), ends_within("FBF", 1e-6, last=5)),
)

adaptive = PaperFigure(
    id="adaptive",
    title="Sun's problem on a box, n = 100",
    caption="GRAAL whose step follows the differences of F, against fixed steps with L known.",
    note="A problem of the paper's tests; size, start and L are ours. F is strongly monotone on "
    "the box.",
    experiment=adaptive_steps,
    panels=(
        Panel(
            "lines",
            {
                "x": "calls",
                "y": "residual",
                "by": "method",
                "vertical": "log",
                "ylabel": r"$\Vert z - P(z - F z)\Vert$",
            },
        ),
    ),
    checks=(
        residual("aGRAAL", 1e-12),
        residual("GRAAL", 1e-9),
        residual("FBF", 1e-9),
        ADAPTIVE,
        Check(
            "aGRAAL for n = 6: distance from the zero that the library states",
            lambda tables: against_library(),
            high=1e-10,
        ),
    ),
)

step_ranges = PaperFigure(
    id="ranges",
    title="GRAAL on monotone linear maps",
    caption="The spectral radius on the worst map by step. Below φ/(2L), where it is proved, "
    "nothing fails; on linear maps more is possible.",
    experiment=ranges,
    panels=(Panel("lines", {"x": "step", "y": "radius", "by": "phi"}),),
    checks=(PROVED, LONGER),
    note="Rotations by 0 to 90° and slow ones by 90°.",
)

paper(
    "malitsky2020_golden",
    source="malitsky2020golden",
    figures=(fixed, adaptive, step_ranges),
    claims=(
        Claim(
            "Theorem 1",
            "GRAAL with λ ≤ φ/(2L): its energy decreases by Σφ‖z − z̄‖²",
            theorem="malitsky2020_golden_ratio",
        ),
        Claim("Theorem 1, data", "GRAAL converges", check=ARRIVES, figure="fixed"),
        Claim(
            "range of steps",
            "λ ≤ φ/(2L) suffices (on linear maps, 1.17/L does)",
            check=PROVED,
            figure="ranges",
        ),
        Claim(
            "aGRAAL",
            "with a step from the last difference of F it needs no L, and fewer calls than Tseng's "
            "method",
            check=ADAPTIVE,
            figure="adaptive",
        ),
        Claim(
            "Theorem 2",
            "aGRAAL converges for every locally Lipschitz monotone F",
            waiting="methods whose step is computed from the iterates",
        ),
        Claim(
            "linear rate",
            "GRAAL converges linearly under an error bound",
            waiting="error bounds as hypotheses",
        ),
    ),
    doc="Read: the abstract, and public code of the method and its tests. Remembered: the numbers "
    "of the theorems.",
)
