"""What is measured, as a symbol for an axis and as words and units for a caption."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opcheck import registry
from opcheck_figures.style import literally

if TYPE_CHECKING:
    from opcheck.engine.run import Trajectory

ROWS = {
    "z": "z_k",
    "zbar": r"\bar z_k",
    "anchor": "z_0",
    "solution": "z^*",
    "before": "z_{k-1}",
}
# name: the symbol at rows {0} and {1}, in words, its unit
MEASURES = {
    "residual": (r"\Vert F\,{0}\Vert^2", "the squared residual", "squared units of F"),
    "natural_residual": (
        r"\Vert {0} - {P}({0} - F\,{0})\Vert^2",
        "the squared natural residual",
        "squared units of z",
    ),
    "resolvent_residual": (
        r"\Vert {0} - J_{{\gamma S}}\,{0}\Vert^2",
        "the squared residual of the resolvent",
        "squared units of z",
    ),
    "step_residual": (
        r"\gamma^2\Vert F\,z_k + a_k\Vert^2",
        "the squared residual with the normal that the step found",
        "squared units of z",
    ),
    "value_distance": (
        r"\Vert F\,{0} - v_k\Vert^2",
        "the squared distance of F from its last look-ahead",
        "squared units of F",
    ),
    "gap": (r"\langle v_k, {1} - z^*\rangle", "the gap", "units of F times units of z"),
    "shadow_distance": (
        r"\Vert {0} - z^* - \gamma F\,z^*\Vert^2",
        "the squared distance from the fixed point",
        "squared units of z",
    ),
    "inner_error": (
        r"\Vert w_k - J_{{\gamma S}}\,{1}\Vert^2",
        "the squared error of the inner loop",
        "squared units of z",
    ),
    "norm2": (r"\Vert {0}\Vert^2", "the squared norm", "squared units of the row"),
    "distance": (r"\Vert {0} - {1}\Vert^2", "the squared distance", "squared units of z"),
    "operator_distance": (
        r"\Vert F\,{0} - F\,{1}\Vert^2",
        "the squared distance of values of F",
        "squared units of F",
    ),
    "max_norm": (r"\Vert {0}\Vert_\infty", "the largest modulus of a coordinate", "units of z"),
}


def symbol_of(measure: str, run: Trajectory) -> str:
    """As in ``$\\Vert F\\,z_k\\Vert^2$``; of a measure of someone else its text."""
    head, rows = _parts(measure)
    if head not in MEASURES:
        return literally(measure)
    is_set = run.problem.resolvent.contains is not None
    symbols = [ROWS.get(row, rf"\mathrm{{{row}}}_k") for row in rows] + ["", ""]
    return f"${MEASURES[head][0].format(*symbols, P='P_C' if is_set else 'J_A')}$"


def caption_of(measure: str, run: Trajectory) -> str:
    """In words, with the unit: ``the squared residual (residual, in squared units of F)``."""
    head, _ = _parts(measure)
    if head in MEASURES:
        _, words, unit = MEASURES[head]
        return f"{words[0].upper()}{words[1:]} ({measure}, in {unit})"
    if head in registry.names("measures"):
        doc = registry.get("measures", head).doc.partition("\n\n")[0].replace("\n", " ")
        return f"{measure}: {doc.rstrip('.')}"
    return measure


def _parts(measure: str) -> tuple[str, tuple[str, ...]]:
    """Name and rows, those named first, then the measure's own."""
    head, _, rest = measure.partition("(")
    head = head.strip()
    named = tuple(r.strip() for r in rest.rstrip(") ").split(",") if r.strip())
    own = registry.get("measures", head).rows if head in registry.names("measures") else ("z",)
    return head, (*named, *own[len(named) :])
