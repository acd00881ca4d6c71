"""What there is, by name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import partial

import click

from opcheck import registry
from opcheck.cli.emit import emit, json_option, working
from opcheck.cli.options import names_of
from opcheck.errors import OpcheckError
from opcheck.references import own_entry, reference

PROPERTIES = "properties"  # which are listed and not registered
HEART = "pethick2023stable"  # the paper that opcheck was written around


@click.command("list")
@click.argument("kind", type=click.Choice((*registry.KINDS, PROPERTIES)), required=False)
@json_option
def list_(kind: str | None) -> None:
    """What there is, by name: problems, methods, measures, theorems, sets, figures, papers.

    Properties are what theorems may ask of operators.
    """
    from opcheck.report.catalogue import lines, of_properties

    if kind == PROPERTIES:
        told = of_properties()
        emit([*told], [f"{name:{max(map(len, told))}}  {says}" for name, says in told.items()])
        return
    names = {k: registry.names(k) for k in ([kind] if kind else registry.KINDS)}
    emit(names[kind] if kind else names, lines(names, headed=kind is None))


@click.command()
@click.argument("name", shell_complete=names_of(*registry.KINDS))
@click.option("--evidence", is_flag=True, help="Of a theorem: all that speaks for it.")
@click.option("--bibtex", is_flag=True, help="The entry of the paper that it is from.")
@json_option
def show(name: str, evidence: bool, bibtex: bool) -> None:
    """Anything by name: statement, formula, parameters, source; a theorem's evidence.

    NAME is that of anything listed, FILE.py:NAME, or a problem as check takes it: a payoff, a
    matrix file, "bilinear(L=2)".
    """
    from opcheck.report.describe import describe, evidence_of, names_meant, sources_of
    from opcheck.report.terminal import show_described, show_dossier

    names = names_meant(name)
    if bibtex:
        if evidence:
            raise OpcheckError("--evidence and --bibtex are two answers; take one")
        keys = list(dict.fromkeys(key for each in names for key in sources_of(each)))
        if not keys:
            raise OpcheckError(f"{name} is from no paper; theorems, methods and papers are")
        _entries(keys, missing=True)
        return
    if evidence:
        file = name.rpartition(".py")[0] + ".py" if ".py" in name else ""
        for theorem in names:
            with working(f"evidence {theorem}"):
                dossier, statement = evidence_of(theorem, file)
            data = {**dossier.as_dict(), "statement": dict(statement)}
            emit(data, partial(show_dossier, dossier, statement=statement))
        return
    described = [rows for name in names for rows in describe(name)]
    emit([dict(rows) for rows in described], partial(show_described, described))


@click.command()
@click.argument("selector", nargs=-1, shell_complete=names_of("theorems"))
@json_option
def cite(selector: tuple[str, ...]) -> None:
    """How to cite opcheck and, of theorems by name or prefix, the papers that they are from.

    Entries of BibTeX, with the theorems and methods from each paper above it. Without SELECTOR:
    opcheck alone, and the paper that it was written around.
    """
    from opcheck.report.describe import sources_of

    users: dict[str, dict[str, None]] = {} if selector else {HEART: {}}
    for name in registry.select("theorems", selector) if selector else ():
        methods = re.findall(r"\w+", registry.get("theorems", name).method)
        for user in (name, *(m for m in methods if m in registry.names("methods"))):
            for key in sources_of(user):
                users.setdefault(key, {})[user] = None
    _entries(sorted(users), first=[own_entry()], users=users)


def _entries(
    keys: list[str],
    *,
    first: Sequence[str] = (),
    users: Mapping[str, Iterable[str]] = {},
    missing: bool = False,
) -> None:
    """Print entries of BibTeX.

    Args:
        first: entries before them.
        users: key -> what is from that paper.
        missing: refuse a key without an entry; else a comment says that it has none.
    """
    blocks = list(first)
    for key in keys:
        entry = reference(key)
        if entry is None and missing:
            raise OpcheckError(f"its source {key!r} has no entry; opcheck knows its own papers")
        head = [f"% {', '.join(users[key])}"] if users.get(key) else []
        body = f"% {key} has no entry here" if entry is None else entry.bibtex
        blocks.append("\n".join([*head, body]))
    emit({"entries": blocks}, ["\n\n".join(blocks)])
