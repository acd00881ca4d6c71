"""What became of a suite: a page of it, and two runs held against each other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click

from opcheck.cli.emit import emit, json_option


@click.command()
@click.argument("before", type=click.Path())
@click.argument("after", type=click.Path())
@json_option
def compare(before: str, after: str) -> None:
    """Hold two files of `opcheck verify --json` against each other.

    Says what got worse, is gone, got better, is new or changed, theorem by theorem. Exit code 1 if
    something got worse or is gone.
    """
    from opcheck.report.compare import compare as held

    result = held(before, after)
    emit(result, lines(result))


def lines(result: Any) -> Iterator[str]:
    """What people are told: regressions first, then a line that counts."""
    kinds = ("worse", "gone", "better", "new", "changed")
    for kind in kinds:
        for change in result.of(kind):
            yield f"{kind:8} {change.theorem}: {change.what}"
    counts = ", ".join(f"{len(result.of(kind))} {kind}" for kind in kinds)
    yield f"{counts}; {result.same} as before"
