"""Proofs that are found."""

from __future__ import annotations

import shlex
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from opcheck.cli import options
from opcheck.cli.emit import emit, finished, json_option, progress, shown_of, tell, working
from opcheck.errors import OpcheckError

if TYPE_CHECKING:
    from opcheck.evidence.discover.discover import Discovery
    from opcheck.evidence.discover.improvement import Improvement
    from opcheck.model.theorem import Theorem

TYPED = ("method", "given", "where", "lets", "measure", "bound", "first", "one_step", "constrained")


@click.command()
@click.argument("theorem", required=False, shell_complete=options.names_of("theorems"))
@click.option("--method", shell_complete=options.names_of("methods"), help="Of a typed claim.")
@click.option("--given", multiple=True, metavar="PROPERTY", help="As 'Lipschitz(L) of F'.")
@click.option("--where", default="", help="Ranges, as '0 < gamma < 1/L'.")
@click.option(
    "--let", "lets", multiple=True, metavar="NAME=FORMULA", callback=options.texts, help="Symbols."
)
@click.option("--measure", help="As residual, or 'upto(residual)/(k + 1)'.")
@click.option("--bound", help="As 'R**2/(gamma**2*(k + 1))'.")
@click.option("--first", type=int, default=0, help="The first k; default 0.")
@click.option("--one-step", is_flag=True, help="The bound speaks of step k itself.")
@click.option(
    "--constrained",
    type=click.Choice(["monotone", "subdifferential"]),
    help="What A is; default 0.",
)
@click.option("--tighten", is_flag=True, help="The least constant times the bound.")
@click.option("--range", "widened", metavar="NAME", help="The widest range of a parameter.")
@click.option("--time-limit", type=float, default=60.0, show_default=True, help="In seconds.")
@click.option("--all", "everything", is_flag=True, help="Every theorem; a line each.")
@click.option("--out", type=click.Path(dir_okay=False), help="Write the declaration into a file.")
@json_option
def discover(
    theorem: str | None,
    time_limit: float,
    everything: bool,
    tighten: bool,
    widened: str | None,
    out: str | None,
    **typed: Any,
) -> None:
    """Search for a potential argument that shows THEOREM, or a claim that is typed.

    What is printed was accepted by prove, for all k and all admissible parameters, and can be
    pasted into a declaration. A proof that is declared already is not looked at.

    With --tighten the statement gets the least constant times its bound that is shown, with --range
    the widest range of a parameter.

    Exit code 1 if nothing was found; that refutes nothing.
    """
    from opcheck.evidence.discover.discover import claim
    from opcheck.report import terminal

    spoken = [n for n in TYPED if typed[n]]
    if (theorem is not None) + bool(spoken) + everything != 1 or (everything and out):
        raise OpcheckError(
            "discover takes the name of a theorem, or --method, --given, --measure and --bound, "
            "or --all without --out"
        )
    if (everything, tighten, widened is not None).count(True) > 1:
        raise OpcheckError("--tighten, --range and --all are three searches; take one")
    if everything:
        _all(time_limit)
        return
    if out and Path(out).exists():
        raise OpcheckError(f"{out} is there, and nothing is overwritten: take another name")
    if theorem is not None:
        entry = options.one_theorem(theorem)
    else:
        missing = [f"--{n}" for n in ("method", "given", "measure", "bound") if not typed[n]]
        if missing:
            raise OpcheckError(f"a typed claim needs {', '.join(missing)} as well")
        typed["let"] = typed.pop("lets")
        A = typed.pop("constrained")
        entry = claim(**typed, constrained=True if A == "monotone" else A or False)
    with working(f"discover {entry.name}"):
        discovery = _search(entry, tighten, widened, time_limit)
    command = ""
    if out and discovery.ok:
        _write(out, discovery.file)
        file = theorem.rpartition(":")[0] if theorem else ""  # what its method may stand in
        with_file = f"--plugin {shlex.quote(file)} " if file else ""
        command = f"opcheck {with_file}prove {shlex.quote(out)}"
    emit(
        discovery, partial(terminal.show_discovery, discovery, command), code=int(not discovery.ok)
    )


def _search(
    theorem: Theorem, tighten: bool, widened: str | None, time_limit: float
) -> Discovery | Improvement:
    def told(family: str) -> None:
        tell(f"tries: {family}")

    if tighten:
        from opcheck.evidence.discover.tighten import tighten as to_tighten

        return to_tighten(theorem, time_limit=time_limit, progress=told)
    if widened is not None:
        from opcheck.evidence.discover.widen import widen

        return widen(theorem, widened, time_limit=time_limit, progress=told)
    from opcheck.evidence.discover.discover import discover as search

    return search(theorem, time_limit=time_limit, progress=told)


def _all(time_limit: float) -> None:
    """A line a theorem: what is found of it without looking at what is declared."""
    from opcheck import registry
    from opcheck.evidence.discover.discover import discover as search
    from opcheck.processes import over_processes
    from opcheck.report import terminal

    names = registry.names("theorems")

    def row(name: str) -> dict[str, str]:
        entry = registry.get("theorems", name)
        cells = {"theorem": name, "declared": "yes" if entry.proof else "", "family": ""}
        try:
            discovery = search(entry, time_limit=time_limit)
        except OpcheckError as error:
            return {**cells, "outcome": str(error).removeprefix(f"{name}: ")}
        if not discovery.ok:
            return {**cells, "outcome": "nothing found"}
        return {**cells, "family": discovery.tries[-1].family, "outcome": "found"}

    with progress("discover", len(names)) as step:
        outcomes, interrupted = finished(lambda: over_processes(row, names, 1, step))
    emit(
        outcomes,
        partial(terminal.show_discoveries, outcomes),
        interrupted=shown_of(len(outcomes), len(names)) * interrupted,
        code=0,
    )


def _write(out: str, text: str) -> None:
    try:
        Path(out).write_text(text, encoding="utf-8")
    except OSError as error:
        raise OpcheckError(f"{out} can't be written: {error.strerror}") from error
