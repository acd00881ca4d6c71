"""What is known of a worst case from both sides, as a table."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from opcheck.arguments import asked
from opcheck.evidence.statement.places import Place
from opcheck.evidence.worst_case.attack import attack
from opcheck.evidence.worst_case.worst_case import each
from opcheck.model.table import Table
from opcheck.model.theorem import Theorem, theorem_of


@asked
def worst_cases(
    theorem: str | Theorem,
    ks: Sequence[int],
    *,
    place: Place = "middle",
    progress: Callable[[str], None] | None = None,
    **fixed: Any,
) -> Table:
    """Bound, worst case by the solver and by search at each k: ``k, bound, worst, attack``.

    In units of R² where the bound is a multiple of it, else of the bound. The true worst case lies
    between the last two, up to the solver's tolerance.

    Args:
        place: of the parameters in their ranges: "low", "middle" or "high".
        progress: called with a word when each k is done.
        fixed: constants and parameters by name, as numbers or formulas.

    Raises OpcheckError as ``worst`` and ``attack`` do.
    """
    entry = theorem_of(theorem)
    cases = []
    for case in each(entry, ks, fixed, place=place):
        cases.append(case)
        if progress is not None:
            progress(f"k = {case.k}")
    k = [case.k for case in cases]
    reached = {r.k: r.ratio for r in attack(entry, k, place=place, ends=False, **fixed).reached}
    in_units = all(case.bound is not None for case in cases)
    bound = [float(case.bound or 1.0) if in_units else 1.0 for case in cases]
    both = {**cases[0].constants, **cases[0].parameters}
    at = ", ".join(f"{name} = {value}" for name, value in both.items())
    unit = f"{entry.measure} / {'R²' if in_units else 'bound'}"
    columns = {
        "k": k,
        "bound": bound,
        "worst": [case.ratio * b for case, b in zip(cases, bound, strict=True)],
        "attack": [reached.get(i, math.nan) * b for i, b in zip(k, bound, strict=True)],
    }
    caption = f"{entry.name}: {entry.measure} in the worst case" + (f", at {at}" if at else "")
    caption += f"; {cases[0].covers}" if cases[0].covers.every else ""
    return Table(columns, dict.fromkeys(("bound", "worst", "attack"), unit), caption)
