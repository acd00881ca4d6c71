"""Measures: the number that a statement bounds, taken from a state row during a run."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from opcheck import registry
from opcheck.arguments import asked
from opcheck.errors import OpcheckError

# Rows that hold the point of index k between steps: what is measured there is indexed by k. Every
# other row is written during a step and is indexed by that step.
STANDING = frozenset({"z", "anchor", "solution"})
SYMBOLS = {"z": "z_k", "anchor": "z_0", "solution": "z^*", "before": "z_{k-1}"}


@dataclass(frozen=True, kw_only=True)
class Measure:
    """A number taken from a state.

    Attributes:
        kernel: ``kernel(F, F_data, J, J_data, state, params, k)``; the row in question is
            ``state[0]``, a second one is ``state[OTHER]``.
        rows: the rows it is taken at where the statement names none.
        of_point: what it measures belongs to the point reached, whatever rows it reads: after a
            step from z_k on, to k + 1.
        doc: the formula.
        latex, words, unit: as drawings show it; see ``measure``.
        reference: the same number in plain numpy; see ``measure``.
        coordinates: it changes with a rotation of the space.
    """

    name: str
    kernel: Callable[..., float]
    rows: tuple[str, ...] = ("z",)
    of_point: bool = False
    doc: str = ""
    latex: str = ""
    words: str = ""
    unit: str = ""
    reference: Callable[..., Any] | None = None
    coordinates: bool = False

    def in_step(self, rows: tuple[str, ...]) -> bool:
        """Whether its values at these rows belong to steps (k = 0..K−1) instead of to points."""
        return not (self.of_point or STANDING.issuperset(rows))


def _no_symbol(name: str) -> None:
    """Raise OpcheckError for a name that a measure would take over in every text."""
    from opcheck.model.signature import RESERVED  # its module reads texts, which name measures

    meaning = RESERVED.get(name, "")
    for theorem in registry.entered("theorems").values():
        if any(p.constant == name for p in theorem.asked):
            meaning = meaning or f"a constant of {theorem.name}"
    for method in registry.entered("methods").values():
        if any(p.symbol == name for p in method.parameters):
            meaning = meaning or f"a parameter of {method.name}"
    if meaning:
        raise OpcheckError(f"{name!r} is {meaning} and can't be a measure; call it otherwise")


def row_symbol(row: str) -> str:
    """A row of a state in LaTeX: ``z_k``, ``\\bar z_k`` for ``zbar``, ``F z_k`` for ``Fz``."""
    if row in SYMBOLS:
        return SYMBOLS[row]
    if row.startswith("F") and row[1:].startswith("z"):
        return rf"F\,{row_symbol(row[1:])}"
    bar = row.removesuffix("bar")
    if bar != row and len(bar) == 1:
        return rf"\bar {bar}_k"
    return rf"\mathrm{{{row}}}_k".replace("_", r"\_", row.count("_"))


@asked
def measure(
    name: str,
    rows: str = "z",
    *,
    of_point: bool = False,
    latex: str = "",
    words: str = "",
    unit: str = "",
    reference: Callable[..., Any] | None = None,
    coordinates: bool = False,
) -> Callable[[Callable[..., float]], Callable[..., float]]:
    """Register a measure of one row, or of two (``rows="z solution"``).

    Args:
        of_point: it speaks of the point reached although it reads what the step has written; what
            it gives at k = 0, before any step, has no meaning.
        latex: the symbol on an axis, with ``{0}`` and ``{1}`` for the rows and ``{P}`` for the
            resolvent of A; braces of LaTeX are doubled. Default: the name.
        words: what it is called in a caption; default: the formula.
        unit: as in ``squared units of z``.
        reference: the same number in plain numpy, against which the kernel is tested: a function
            that names what it takes among ``F`` (z ↦ F z), ``J`` ((z, γ) ↦ J z), ``z`` (the row),
            ``other`` (the second one), ``before`` (the point before the step), ``solution`` and
            ``gamma`` (the first parameter).
        coordinates: it is about coordinates, as the largest of them is, and so changes with a
            rotation of the space.

    Raises OpcheckError where the name is taken, by a measure or a symbol of statements, or the
    reference is no function.
    """
    _no_symbol(name)
    if reference is not None and not callable(reference):
        raise OpcheckError(
            f"the reference of measure {name!r} is {type(reference).__name__}; give a function "
            "that computes it in numpy"
        )

    def enter(function: Callable[..., float]) -> Callable[..., float]:
        entry = Measure(
            name=name,
            kernel=function,
            rows=tuple(rows.split()),
            of_point=of_point,
            doc=inspect.cleandoc(function.__doc__ or ""),
            latex=latex,
            words=words,
            unit=unit,
            reference=reference,
            coordinates=coordinates,
        )
        registry.register("measures", name, entry, registry.place_of(function))
        return function

    return enter
