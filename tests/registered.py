"""Selections of what is registered, to generate tests from."""

from __future__ import annotations

from opcheck import registry
from opcheck.errors import OpcheckError
from opcheck.evidence.statement.expressible import refusal
from opcheck.evidence.worst_case.claim import claim


def about_a_class() -> list[str]:
    """Names of the theorems that bound something from above over a class of operators."""
    registry.load()
    return [n for n in registry.names("theorems") if not refusal(registry.get("theorems", n))]


def expressible() -> list[str]:
    """Those of them of which a run can be written as quadratic forms."""
    names = []
    for name in about_a_class():
        entry = registry.get("theorems", name)
        try:
            claim(entry, max(entry.first, 1))
        except OpcheckError:
            continue
        names.append(name)
    return names
