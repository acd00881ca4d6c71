"""What there is, by name."""

from __future__ import annotations

from functools import partial

import click

from opcheck import registry
from opcheck.cli.emit import emit, json_option
from opcheck.cli.options import names_of


@click.command("list")
@click.argument("kind", type=click.Choice(registry.KINDS), required=False)
@json_option
def list_(kind: str | None) -> None:
    """What there is, by name: problems, methods, measures, theorems, sets, figures, papers."""
    from opcheck.report.catalogue import lines

    names = {k: registry.names(k) for k in ([kind] if kind else registry.KINDS)}
    emit(names[kind] if kind else names, lines(names, headed=kind is None))


@click.command()
@click.argument("name", shell_complete=names_of(*registry.KINDS))
@click.option("--evidence", is_flag=True, help="Of a theorem: all that speaks for it.")
@json_option
def show(name: str, evidence: bool) -> None:
    """Anything by name: statement, formula, parameters, source; a theorem's evidence.

    NAME is that of anything listed, FILE.py:NAME, or a problem as check takes it: a payoff, a
    matrix file, "bilinear(L=2)".
    """
    from opcheck.report.describe import describe, evidence_of, names_meant
    from opcheck.report.terminal import show_described, show_dossier

    names = names_meant(name)
    if evidence:
        for theorem in names:
            dossier, statement = evidence_of(theorem)
            data = {**dossier.as_dict(), "statement": dict(statement)}
            emit(data, partial(show_dossier, dossier, statement=statement))
        return
    described = [rows for name in names for rows in describe(name)]
    emit([dict(rows) for rows in described], partial(show_described, described))
