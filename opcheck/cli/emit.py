"""What a command gives back: a document or what people read, sentences, and the exit code."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import click

from opcheck.errors import OpcheckError

if TYPE_CHECKING:
    from rich.console import Console

    from opcheck.model.table import Table
    from opcheck.report.terminal import Bar

T = TypeVar("T")


def emit(
    result: Any,
    show: Callable[[Console], None] | Iterable[Any],
    *,
    data: Callable[[], Any] | None = None,
    table: Callable[[], Table] | None = None,
    interrupted: str = "",
    code: int | None = None,
) -> None:
    """Print a result, with ``--json`` as one document, and end with its exit code.

    Args:
        result: plain data, or one or several with ``as_dict`` and perhaps ``ok``.
        show: what people read instead: lines, or a function that prints.
        data: what the document holds, where that is not the result alone.
        table: what ``--latex``, ``--markdown`` and ``--csv`` print, where the command has them.
        interrupted: a sentence where the result is only what was finished: exit code 130.
        code: the exit code; by default 1 where ``ok`` of a result is False.
    """
    if as_json():
        from opcheck.document import document

        click.echo(document(result if data is None else data()))
    elif table is not None and (form := _asked_for()):
        click.echo(getattr(table(), form)(), nl=False)
    elif callable(show):
        show(console())
    else:
        for line in show:
            click.echo(line)
    several = result if isinstance(result, list | tuple) else [result]
    if interrupted:
        say(interrupted)
        code = 130
    elif code is None:
        code = int(not all(getattr(entry, "ok", True) for entry in several))
    if code:
        click.get_current_context().exit(code)


def as_json() -> bool:
    """Whether this command was given ``--json``."""
    return bool(_asked_for() == "json")


def _asked_for() -> str | None:
    """The form that was asked for instead of what people read: json, or one of ``FORMS``."""
    form: str | None = click.get_current_context().meta.get(__name__)
    return form


def _form(ctx: click.Context, parameter: click.Parameter, asked: bool) -> None:
    if not asked:
        return
    if __name__ in ctx.meta:
        raise OpcheckError(f"--{ctx.meta[__name__]} and --{parameter.name} are two forms; take one")
    ctx.meta[__name__] = parameter.name


FORMS = {
    "latex": "A table for a paper (booktabs).",
    "markdown": "A table of Markdown.",
    "csv": "A table of CSV.",
}
FLAG: dict[str, Any] = {"is_flag": True, "expose_value": False, "callback": _form}
json_option = click.option("--json", help="One JSON document on standard output.", **FLAG)


def table_options(command: Callable[..., None]) -> Callable[..., None]:
    """``--latex``, ``--markdown`` and ``--csv``, for what is given to ``emit`` as a table."""
    for form, meaning in reversed(FORMS.items()):
        command = click.option(f"--{form}", help=meaning, **FLAG)(command)
    return command


def console() -> Console:
    """A terminal; a pipe has no width, so nothing is cut or wrapped there."""
    from rich.console import Console

    return Console(width=None if sys.stdout.isatty() else 9999, soft_wrap=not sys.stdout.isatty())


def say(sentence: str) -> None:
    """One line on standard error."""
    click.echo(f"opcheck: {' '.join(sentence.splitlines())}", err=True)


QUIET = "opcheck.quiet"  # in the metadata of the click context, which all commands share
TOLD = "opcheck.told"  # the same: what could not be loaded is in the command's own output
PATIENCE = 2.0  # seconds after which a command says that it is at work


def quiet() -> bool:
    """Whether ``--quiet`` was given: nothing is said of how far work has come."""
    context = click.get_current_context(silent=True)
    return context is not None and bool(context.meta.get(QUIET))


def tell(sentence: str) -> None:
    """One line on standard error about how far work has come."""
    if not quiet():
        say(sentence)


def progress(what: str, total: int) -> Bar:
    """Work that is done piece by piece: entered, it gives what is called after each."""
    from opcheck.report.terminal import Bar

    return Bar(what, total, silent=quiet())


@contextmanager
def working(what: str) -> Iterator[None]:
    """Work without pieces: after a while a clock on a terminal, else one line that says what."""
    if quiet():
        yield
        return
    if sys.stderr.isatty():
        from rich.console import Console

        with Console(stderr=True).status(what):
            yield
        return
    timer = threading.Timer(PATIENCE, say, (f"at work: {what}",))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def shown_of(done: int, total: int, what: str = "theorems") -> str:
    """What is said where Ctrl-C ended work of several pieces."""
    return f"interrupted: {done} of {total} {what} were finished, and are shown"


def finished(work: Callable[[], T]) -> tuple[T, bool]:
    """The result of long work; or what is finished of it where Ctrl-C ended it, and True.

    Raises KeyboardInterrupt where nothing is finished of a list.
    """
    from opcheck.watchdog import Interrupted

    try:
        return work(), False
    except Interrupted as stop:
        if stop.finished == []:
            raise
        return stop.finished, True
