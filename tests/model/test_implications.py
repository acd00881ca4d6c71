"""Which class lies in which: textbook implications are there, false ones are not."""

from __future__ import annotations

import csv
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from opcheck.model.implications import CLASSES, implications
from opcheck.model.property import Property

ARROWS = {(row["premise"], row["conclusion"]): row["with"] for row in implications().rows()}
PICTURE = Path(__file__).parents[2] / "docs" / "classes.csv"


def reached(premise: str) -> set[str]:
    """Every class that arrows lead to."""
    seen = {premise}
    for _ in CLASSES:
        seen |= {b for a, b in ARROWS if a in seen}
    return seen


def test_textbook_implications_are_found_with_their_constants() -> None:
    cocoercive, nonexpansive = "F β-cocoercive", "T nonexpansive"
    assert ARROWS[cocoercive, "F L-Lipschitz"] == "L = 1/β"
    assert ARROWS[nonexpansive, cocoercive] == "β = 1/2"
    assert ARROWS["T θ-conically nonexpansive", cocoercive] == "β = 1/(2θ)"
    assert ARROWS["T quasi-nonexpansive", "F ρ-weak Minty, ρ ≤ 0"] == "ρ = 1/2"
    assert ARROWS["F L-Lipschitz", "F μ-hypomonotone, μ ≤ 0"] == "μ = −L"
    assert "F ρ-weak Minty, ρ ≤ 0" in reached("F μ-strongly monotone")


def test_arrows_that_follow_are_left_out() -> None:
    for a, b in ARROWS:
        others = {pair for pair in ARROWS if pair != (a, b)}
        seen = {a}
        for _ in CLASSES:
            seen |= {d for c, d in others if c in seen}
        assert b not in seen or (b, a) in ARROWS, (a, b)


@pytest.mark.parametrize(
    ("premise", "conclusion", "z"),
    [
        ("F monotone", "F β-cocoercive", 1j),
        ("F monotone", "F μ-strongly monotone", 1j),
        ("F monotone", "T nonexpansive", 1j),
        ("F L-Lipschitz", "F monotone", -1),
        ("F ρ-comonotone, ρ ≤ 0", "F monotone", -1),
        ("F β-cocoercive", "T nonexpansive", 3),
        ("F β-cocoercive", "F μ-strongly monotone", 0),
        ("T θ-conically nonexpansive", "T quasi-nonexpansive", 3),
        ("F ρ-weak Minty, ρ ≤ 0", "F monotone", -1),
    ],
)
def test_what_a_multiple_of_a_rotation_breaks_is_not_implied(
    premise: str, conclusion: str, z: complex
) -> None:
    M = np.array([[z.real, -z.imag], [z.imag, z.real]])
    assert lies(premise, M)
    assert not lies(conclusion, M)
    assert conclusion not in reached(premise)


def lies(name: str, M: np.ndarray) -> bool:
    """Whether a multiple of a rotation has the property at some constant of the sign."""
    cls = CLASSES[name]
    if cls.values[0] is None:
        return form(cls.kind, cls.of, 0, M) >= -1e-12
    sign = 1 if cls.values[0] > 0 else -1
    constants = [sign * Fraction(n, 1000) for n in (1, 10, 100, 1000, 10000, 100000)]
    return any(form(cls.kind, cls.of, c, M) >= -1e-12 for c in constants)


def form(kind, of, constant, M):  # type: ignore[no-untyped-def]
    """The form on one direction: of a multiple of a rotation all are the same."""
    a, b, c = (float(v) for v in Property(kind, constant, of).form())
    x = np.array([1.0, 0.0])
    u = M @ x
    return a * (x @ x) + 2 * b * (x @ u) + c * (u @ u)


def test_the_picture_of_the_documentation_shows_these() -> None:
    with PICTURE.open(encoding="utf-8", newline="") as file:
        shown = {(row["premise"], row["conclusion"]): row["with"] for row in csv.DictReader(file)}
    assert shown == ARROWS
