"""What a command gives back: a document or what people read, sentences, and the exit code."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import click

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

T = TypeVar("T")


def emit(
    result: Any,
    show: Callable[[Console], None] | Iterable[str],
    *,
    data: Callable[[], Any] | None = None,
    paths: Sequence[Path] = (),
    interrupted: str = "",
    code: int | None = None,
) -> None:
    """Print a result, with ``--json`` as one document, and end with its exit code.

    Args:
        result: plain data, or one or several with ``as_dict`` and perhaps ``ok``.
        show: what people read instead: lines, or a function that prints.
        data: what the document holds, where that is more than the result.
        paths: files that were written, which people are told.
        interrupted: a sentence where the result is only what was finished: exit code 130.
        code: the exit code; by default 1 where ``ok`` of a result is False.
    """
    if as_json():
        document(result if data is None else data())
    else:
        if callable(show):
            show(console())
        for line in (*(() if callable(show) else show), *paths):
            click.echo(line)
    if interrupted:
        say(interrupted)
        end(130)
    several = result if isinstance(result, list | tuple) else [result]
    failed = not all(getattr(one, "ok", True) for one in several)
    if code or (code is None and failed):
        end(code or 1)


def document(data: Any) -> None:
    """Print one JSON document."""
    from opcheck.document import document as written

    click.echo(written(data))


def as_json() -> bool:
    """Whether this command was given ``--json``."""
    return bool(click.get_current_context().meta.get(__name__))


def ask_for_json(ctx: click.Context, _: click.Parameter, asked: bool) -> None:
    """Remember ``--json``."""
    ctx.meta[__name__] = asked


def console() -> Console:
    """A terminal; a pipe has no width, so nothing is cut or wrapped there."""
    from rich.console import Console

    return Console(width=None if sys.stdout.isatty() else 9999, soft_wrap=not sys.stdout.isatty())


def say(sentence: str) -> None:
    """One line on standard error."""
    click.echo(f"opcheck: {' '.join(sentence.splitlines())}", err=True)


def end(code: int) -> NoReturn:
    """End the command."""
    click.get_current_context().exit(code)


def finished(work: Callable[[], T]) -> tuple[T, bool]:
    """The result of long work; or what is finished of it where Ctrl-C ended it, and True."""
    from opcheck.watchdog import Interrupted

    try:
        return work(), False
    except Interrupted as stop:
        return stop.finished, True
