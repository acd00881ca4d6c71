"""What is registered, a line for each."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from opcheck import registry
from opcheck.model.property import KINDS


def lines(names: Mapping[str, Sequence[str]], *, headed: bool) -> Iterator[str]:
    """A line for each name, cut at a terminal's width; with ``headed`` below their kinds."""
    room = shutil.get_terminal_size().columns if sys.stdout.isatty() else 9999
    for kind, of_kind in names.items():
        if headed:
            yield f"{kind} ({len(of_kind)})"
        width = max(map(len, of_kind), default=0)
        for name in of_kind:
            line = f"{'  ' * headed}{name:{width}}  {in_a_line(registry.get(kind, name))}"
            yield line if len(line) <= room else line[: room - 1] + "…"


def of_properties() -> dict[str, str]:
    """What theorems may ask of operators, each with what it says of u = F x and v = F y."""
    return {kind.name + (f"({kind.symbol})" if kind.better else ""): kind.meaning for kind in KINDS}


def in_a_line(entry: Any) -> str:
    """What a registered thing is: a title, a statement, or the first sentence of its text."""
    if hasattr(entry, "bound"):
        sign = {"equality": "=", "must fail": "≤ (must fail)"}.get(entry.claim, "≤")
        return f"{entry.method}: {entry.measure} {sign} {entry.bound}"
    doc = getattr(entry, "title", "") or getattr(entry, "doc", "") or entry.__doc__ or ""
    return " ".join(doc.strip().partition("\n\n")[0].split())
