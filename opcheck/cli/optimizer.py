"""Somebody's optimiser against the methods of the library."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click

from opcheck.cli import options
from opcheck.cli.emit import emit, json_option, working


@click.command("check-optimizer")
@click.argument("target")
@click.option(
    *("--as", "method"),
    metavar="METHOD",
    default="",
    shell_complete=options.names_of("methods"),
    help="What it should be, as 'lookahead(extragradient)'; the nearest by default.",
)
@options.problem_option(
    "problems", multiple=True, metavar="PROBLEM", help="Compare on this one; several by default."
)
@click.option("-n", "steps", default=200, show_default=True, help="Steps on each problem.")
@click.option("--own-losses", is_flag=True, help="Each player minimises a loss of its own.")
@options.parameters_option(help="A keyword of the factory, as lr=0.1.")
@json_option
def check_optimizer(
    target: str, method: str, problems: tuple[str, ...], steps: int, **ask: Any
) -> None:
    """Is this optimiser the method that it should be? If not, which step goes wrong, and how.

    TARGET is MODULE:NAME or FILE.py:NAME: a factory make(groups), or make(groups, project), that
    returns an optimiser of PyTorch, or a transformation of optax. It is run in float64 on two
    groups of parameters, one that descends and one that ascends, on problems of the library or on
    PROBLEM, which may be all that check takes.

    Exit code 1 if a step differs from the method's by more than 1e-12.
    """
    from opcheck.adapters.agreement import check_optimizer as check
    from opcheck.adapters.named import optimizer_named

    with working(f"check-optimizer {target}"):
        optimizer = optimizer_named(target, own_losses=ask["own_losses"], options=ask["parameters"])
        result = check(optimizer, method=method, problems=list(problems), steps=steps)
    emit(result, lines(result))


def lines(result: Any) -> Iterator[str]:
    """What people read of a comparison."""
    values = ", ".join(f"{n} = {v:.10g}" for n, v in result.parameters.items())
    at = f" at {values}" if values else ""
    row = {"z": "", "shadow": "; the parameters are the shadow of z"}.get(
        result.returns, f"; the parameters are the row {result.returns}"
    )
    yield f"optimizer   {result.optimizer}"
    yield f"reference   {result.reference}{at}{row}"
    yield f"problems    {', '.join(result.problems)}; {result.steps} steps on each, float64"
    for note in result.notes:
        yield f"note        {note}"
    if result.ok:
        yield f"verdict     every step is the reference's, to {result.distance:.1e}"
        return
    yield f"verdict     deviates, first at step {result.step} on {result.problem}"
    yield f"reference   z = {_point(result.expected)}"
    yield f"optimizer   z = {_point(result.observed)}"
    yield f"difference  {result.distance:.2e} at most, of the farthest point"
    if not result.diagnosis:
        yield "diagnosis   no single change of a method's text does the same; --as names another"
        return
    yield f"diagnosis   {result.diagnosis}"
    if result.reproduced == result.reproduced:
        yield f"            so changed, the reference does the same to {result.reproduced:.1e}"
    for other in result.also:
        yield f"the same    {other}"


def _point(z: tuple[float, ...]) -> str:
    """Every digit: the first difference may be in the last ones."""
    return f"({', '.join(repr(v) for v in z[:6])}{', ...' * (len(z) > 6)})"
