"""The bilinear game: gradient steps leave, Lookahead over them arrives, and for long loops leaves.

A loop of τ gradient steps of step q = γL is multiplication by p = (1 − iq)^τ, and Lookahead by
1 − λ + λp: it contracts for some λ exactly if Re p < 1.
"""

from __future__ import annotations

import numpy as np

import opcheck
from opcheck.plugin import (
    Check,
    Panel,
    PaperFigure,
    PaperRun,
    Runs,
    diverges,
    ends_within,
)

LA_GDA = "lookahead(gradient_descent_ascent)"
STEPS = {"1": 1.0, "1/√3": 3**-0.5, "1/10": 0.1}  # γL, as written and as a number
LOOPS = np.arange(1, 61)  # τ
MAPPED = 12  # of them that the map shows
WEIGHTS = np.linspace(0.05, 1, 20)  # λ
ROUNDING = 1e-12

bilinear = PaperFigure(
    id="bilinear",
    title="Bilinear game at γ = 1/(2L): gradient steps, and Lookahead over them",
    caption="Gradient steps leave in a spiral. Lookahead with loops of 5 arrives; with loops of 12 "
    "it leaves faster than its base. Recorded at outer iterates, 600 oracle calls each.",
    note="T12 of this manifest: (1 − i/2)^12 has real part 2.9 ≥ 1, so that no λ in (0, 1] "
    "contracts.",
    experiment=Runs(
        "bilinear",
        {
            "GDA": PaperRun("gradient_descent_ascent", 600, {"gamma": 0.5}),
            "LA-GDA (5)": PaperRun(LA_GDA, 600, {"gamma": 0.5, "lam": 0.5, "tau": 5}, every=5),
            "LA-GDA (12)": PaperRun(LA_GDA, 600, {"gamma": 0.5, "lam": 0.5, "tau": 12}, every=12),
        },
        start=(1.0, 1.0),
    ),
    panels=(
        Panel("plane", {"title": ""}),
        Panel("rate", {"against": "oracle calls", "horizontal": "linear", "title": ""}),
    ),
    checks=(
        diverges("GDA", 1e10),
        ends_within("LA-GDA (5)", 1e-12, last=10),
        diverges("LA-GDA (12)", 1e10),
    ),
)


def factor(step: float, weight: float, loop: int) -> float:
    """By how much one loop moves a point of the game nearer, from the method's own kernel."""
    after = opcheck.run(LA_GDA, "bilinear", loop, record=[loop], gamma=step, lam=weight, tau=loop)
    return float(np.linalg.norm(after.z) / np.linalg.norm(after.problem.start))


def law(step: float, weight: float, loop: int) -> float:
    """The same by the formula."""
    return float(abs(1 - weight + weight * (1 - 1j * step) ** loop))


def largest_weight(step: float, loop: int) -> float:
    """Below which λ a loop contracts: 2(1 − Re p)/|1 − p|²; 0 where none does."""
    p = (1 - 1j * step) ** loop
    return max(0.0, 2 * (1 - p.real) / abs(1 - p) ** 2)


def windows() -> dict[str, opcheck.Table]:
    """Outcome of each step, weight and loop; and the window of weights that the law gives."""
    rows = [
        (name, loop, weight, factor(step, weight, loop), law(step, weight, loop))
        for name, step in STEPS.items()
        for loop in LOOPS.tolist()
        for weight in (WEIGHTS if loop <= MAPPED else WEIGHTS[[0, 9]]).tolist()
    ]
    names, loops, weights, measured, lawful = zip(*rows, strict=True)
    outcome = np.where(np.array(measured) < 1, "contracts", "leaves")
    mapped = [i for i, n in enumerate(names) if n == "1" and loops[i] <= MAPPED]
    ends = [(n, t, largest_weight(s, t)) for n, s in STEPS.items() for t in LOOPS.tolist()]
    return {
        "outcomes": opcheck.Table(
            {
                "gamma": names,
                "tau": loops,
                "lam": weights,
                "factor": measured,
                "law": lawful,
                "outcome": outcome,
            },
            units={"gamma": "1/L"},
            caption="Factor by which a loop of LA-GDA changes the distance to the solution.",
        ),
        "map": opcheck.Table(
            {
                "tau": [loops[i] for i in mapped],
                "lam": [weights[i] for i in mapped],
                "outcome": outcome[mapped],
                "window": [largest_weight(1.0, loops[i]) for i in mapped],
            },
            caption="Outcomes for γ = 1/L.",
        ),
        "window": opcheck.Table(
            dict(zip(("gamma", "tau", "largest_lam"), zip(*ends, strict=True), strict=True)),
            units={"gamma": "1/L"},
            caption="Below which λ LA-GDA contracts; 0 where it does for none.",
        ),
    }


def _closed(parts, step: str) -> list[int]:
    """Loops for which no λ contracts, by the law."""
    return parts["window"].where(gamma=step, largest_lam=0.0)["tau"].tolist()


def _disagreement(parts) -> float:
    table = parts["outcomes"]
    return float(np.max(np.abs(table["factor"] - table["law"]) / np.maximum(table["law"], 1)))


def _leaving(step: str, *loops: int):
    """The share of runs with loops of these lengths that leave."""

    def share(parts) -> float:
        table = parts["outcomes"].where(gamma=step)
        inside = np.isin(table["tau"], loops)
        return float(np.mean(table["outcome"][inside] == "leaves"))

    return share


LAW = Check(
    "the factor of the kernel is |1 − λ + λ(1 − iγL)^τ| (largest difference, relative above 1)",
    _disagreement,
    high=ROUNDING,
)
NONE_CONTRACTS = Check(
    "for γ = 1/L and τ = 7, 8, 9 every λ leaves (share of runs)", _leaving("1", 7, 8, 9), low=1
)
FIRST_BAD = Check(
    "for γ = 1/(10 L) the first loop of several steps without a window of λ",
    lambda parts: float(min(t for t in _closed(parts, "1/10") if t > 1)),
    low=56,
    high=56,
)

windows_of_tau = PaperFigure(
    id="tau_windows",
    title="LA-GDA on the bilinear game: which λ contract for loops of length τ, γ = 1/L",
    caption="Each point is a loop of the method's own kernel; the line is the window of λ that the "
    "law |1 − λ + λ(1 − iγL)^τ| < 1 gives. At γ = 1/L no λ contracts for τ = 7, 8, 9.",
    note="Long loops fail where the base has turned once around and grown: Re (1 − iγL)^τ ≥ 1.",
    experiment=windows,
    panels=(
        Panel(
            "region",
            {
                "x": "tau",
                "y": "lam",
                "boundary": {"window of the law": "window"},
                "order": ("contracts", "leaves"),
            },
            of="map",
        ),
    ),
    checks=(
        LAW,
        NONE_CONTRACTS,
        Check(
            "for γ = 1/(√3 L) every λ leaves at τ = 10, ..., 13 (share of runs)",
            _leaving("1/√3", 10, 11, 12, 13),
            low=1,
        ),
        FIRST_BAD,
    ),
)
