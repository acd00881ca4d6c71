"""Verdicts: what confronting a statement with a problem gave."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import numpy as np

from opcheck.model.property import Provenance
from opcheck.model.result import Result

Status = Literal[
    "holds", "attained", "violated", "inapplicable", "inconclusive", "error", "untried"
]
SEVERITY: tuple[Status, ...] = (
    "untried",
    "inapplicable",
    "holds",
    "attained",
    "inconclusive",
    "error",
    "violated",
)


@dataclass(frozen=True)
class Verdict(Result):
    """One theorem on one problem.

    Attributes:
        status: ``holds``; ``attained`` (the bound is met with equality, shown by an enclosure);
            ``violated``; ``inapplicable``, ``inconclusive``, ``error`` with a reason. Only a
            theorem over a library is ``untried``: it met no problem.
        ratio: largest measured/bound over all k, horizons and parameter choices; where the bound is
            not positive, 1 plus the excess over it in units of both sides.
        excess: ratio - 1 as the ball has it that decided there; None where float64 did.
        positive: whether the bound is positive there, so that the ratio is measured/bound.
        k: where it was reached.
        parameters: where it was reached, with the constants L, rho, ... used.
        runs: number of runs made.
        compared: number of comparisons that float64 or balls decided, at most one for each k of
            each run; 0 for no other status than ``inconclusive`` and those without runs.
        entered: symbol -> part of its range -> comparisons decided there.
            Under "k" stand the parts of its texts that switch, as "past k < 5000".
        switches: these parts -> the last k at which they do.
        profile: slope of the bound in log k, and the largest measured/bound in [K/8, K/4),
            [K/4, K/2), [K/2, K]; empty for a run too short to say.
        provenance: of the weakest constant used.
        decided: "float64", or the precision in bits at which a ball decided.
    """

    theorem: str
    problem: str
    status: Status
    reason: str = ""
    ratio: float = 0.0
    k: int = 0
    parameters: Mapping[str, float] = field(default_factory=dict)
    runs: int = 0
    compared: int = 0
    profile: tuple[float, ...] = ()
    provenance: Provenance = "exact"
    decided: str = "float64"
    excess: float | None = None
    entered: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    positive: bool = True
    switches: Mapping[str, int] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Nothing is violated and nothing failed."""
        return self.status not in ("violated", "error")

    @property
    def untried(self) -> dict[str, int]:
        """Parts of the statement that switch at a k that no comparison reached, and that k."""
        behind = self.entered.get("k", {})
        return {part: at for part, at in self.switches.items() if not behind.get(part)}

    @property
    def order(self) -> float | None:
        """Fitted exponent p of measured ~ k^p on this problem; None where there is no fit."""
        return fitted_order([self.profile])

    def as_dict(self) -> dict[str, Any]:
        """Plain data, for JSON."""
        return {**asdict(self), "order": self.order}


def fitted_order(profiles: Sequence[tuple[float, ...]]) -> float | None:
    """Exponent p of the worst case ~ k^p: the bound's own, plus that of the largest ratio seen.

    A single problem may converge faster than the theorem says; the envelope over all is what the
    stated order is about. None where nothing is left to fit.
    """
    used = [p for p in profiles if len(p) == 4]
    if not used:
        return None
    tops = [max(p[i] for p in used) for i in (1, 2, 3)]
    slope = float(np.median([p[0] for p in used]))
    if min(tops) <= 0 or not np.isfinite(tops).all():
        return None
    return slope + float(np.polyfit(np.log([1.0, 2.0, 4.0]), np.log(tops), 1)[0])


def worst(statuses: list[Status]) -> Status:
    """The most severe of several; ``inapplicable`` for none."""
    return max(statuses, key=SEVERITY.index, default="inapplicable")
