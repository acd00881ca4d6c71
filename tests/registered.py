"""Selections of what is registered, to generate tests from."""

from __future__ import annotations

from opcheck import registry
from opcheck.evidence.inequalities import refusal


def expressible() -> list[str]:
    """Names of the theorems of which a run can be written as inequalities."""
    registry.load()
    return [n for n in registry.names("theorems") if not refusal(registry.get("theorems", n))]
