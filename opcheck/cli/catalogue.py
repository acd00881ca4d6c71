"""What there is, by name."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import click

from opcheck import registry
from opcheck.cli.emit import emit
from opcheck.cli.options import json_option, names_of
from opcheck.errors import OpcheckError


@click.command("list")
@click.argument("kind", type=click.Choice(registry.KINDS), required=False)
@json_option
def list_(kind: str | None) -> None:
    """What there is, by name: problems, methods, measures, theorems, sets, figures, papers."""
    names = {k: registry.names(k) for k in ([kind] if kind else registry.KINDS)}
    emit(names[kind] if kind else names, _lines(names, headed=kind is None))


def _lines(names: Mapping[str, Sequence[str]], *, headed: bool) -> Iterator[str]:
    """A line for each name, cut at a terminal's width; with ``headed`` below their kinds."""
    room = shutil.get_terminal_size().columns if sys.stdout.isatty() else 9999
    for kind, of_kind in names.items():
        if headed:
            yield f"{kind} ({len(of_kind)})"
        width = max(map(len, of_kind), default=0)
        for name in of_kind:
            line = f"{'  ' * headed}{name:{width}}  {_in_a_line(registry.get(kind, name))}"
            yield line if len(line) <= room else line[: room - 1] + "…"


def _in_a_line(entry: Any) -> str:
    """What a registered thing is: a title, a statement, or the first sentence of its text."""
    if hasattr(entry, "bound"):
        sign = {"equality": "=", "must fail": "≤ (must fail)"}.get(entry.claim, "≤")
        return f"{entry.method_name}: {entry.measure} {sign} {entry.bound}"
    doc = getattr(entry, "title", "") or getattr(entry, "doc", "") or entry.__doc__ or ""
    return " ".join(doc.strip().partition("\n\n")[0].split())


@click.command()
@click.argument("name", shell_complete=names_of(*registry.KINDS))
@click.option("--evidence", is_flag=True, help="Of a theorem: all that speaks for it.")
@json_option
def show(name: str, evidence: bool) -> None:
    """Anything by name: statement, formula, parameters, source; a theorem's evidence.

    NAME is that of anything listed, FILE.py:NAME, or a problem as check takes it: a payoff, a
    matrix file, "bilinear(L=2)".
    """
    from opcheck.report.describe import describe, names_meant
    from opcheck.report.terminal import pairs

    names = names_meant(name)
    if evidence:
        for each in names:
            _evidence(each, describe(each))
        return
    described = [rows for each in names for rows in describe(each)]
    emit(
        [dict(rows) for rows in described],
        lambda console: [pairs(rows, console) for rows in described],
    )


def _evidence(name: str, described: Any) -> None:
    from opcheck.evidence.dossier import dossier
    from opcheck.report import terminal

    if name not in registry.names("theorems"):
        raise OpcheckError(f"{name!r} is no theorem; --evidence is about theorems")
    statement = next(rows for rows in described if rows[0][0] == "theorem")
    found = dossier(name)

    def show(console: Any) -> None:
        terminal.pairs(statement, console)
        console.print()
        terminal.show_dossier(found, console)

    emit(found, show, data=lambda: {**found.as_dict(), "statement": dict(statement)})
