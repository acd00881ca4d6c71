"""Verdicts: what confronting a statement with a problem gave."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from opcheck.model.property import Provenance

Status = Literal["holds", "attained", "violated", "inapplicable", "inconclusive", "error"]
SEVERITY: tuple[Status, ...] = (
    "inapplicable",
    "holds",
    "attained",
    "inconclusive",
    "error",
    "violated",
)


@dataclass(frozen=True)
class Verdict:
    """One theorem on one problem.

    Attributes:
        status: ``holds``; ``attained`` (the bound is met with equality, shown by an enclosure);
            ``violated``; ``inapplicable``, ``inconclusive``, ``error`` with a reason.
        ratio: largest measured/bound over all k, horizons and parameter choices.
        k: where it was reached.
        parameters: where it was reached, with the constants L, rho, ... used.
        runs: number of runs made.
        compared: number of comparisons, one for each k of each run.
        order: fitted exponent p of measured ~ k^p on the worst run; None if there is no fit.
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
    order: float | None = None
    provenance: Provenance = "exact"
    decided: str = "float64"

    def as_dict(self) -> dict[str, Any]:
        """Plain data, for JSON."""
        return asdict(self)


def worst(statuses: list[Status]) -> Status:
    """The most severe of several; ``inapplicable`` for none."""
    return max(statuses, key=SEVERITY.index, default="inapplicable")
