"""The command line. Each command, and what it needs, loads when it is called."""

from __future__ import annotations

import importlib
import sys
import warnings
from typing import Any

import click

from opcheck.cli.emit import say
from opcheck.errors import InternalError, OpcheckError, OpcheckWarning

COMMANDS = {  # name -> module and function
    "list": ("catalogue", "list_"),
    "show": ("catalogue", "show"),
    "run": ("runs", "run"),
    "repro": ("runs", "repro"),
    "check": ("operators", "check"),
    "constants": ("operators", "constants"),
    "verify": ("statements", "verify"),
    "prove": ("statements", "prove"),
    "cross-check": ("statements", "cross_check"),
    "worst": ("worst_case", "worst"),
    "attack": ("worst_case", "attack"),
    "certify": ("certificates", "certify"),
    "lyapunov": ("certificates", "lyapunov"),
    "recheck": ("certificates", "recheck"),
}


class Commands(click.Group):
    """Bad input is one sentence on standard error and exit code 2, a fault of opcheck's own 3."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Their names, sorted."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """A command by name; its module is imported here."""
        if name not in COMMANDS:
            return None
        module, function = COMMANDS[name]
        command: click.Command = getattr(importlib.import_module(f"opcheck.cli.{module}"), function)
        return command

    def main(self, *arguments: Any, **options: Any) -> Any:
        """Run a command; end also where foreign code does not."""
        try:
            return super().main(*arguments, **options)
        except SystemExit as ending:
            from opcheck.watchdog import leave

            leave(ending.code if isinstance(ending.code, int) else int(ending.code is not None))
            raise

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; add what plug-ins could not be loaded."""
        debug = ctx.params.get("debug")
        try:
            with warnings.catch_warnings():
                warnings.showwarning = _warned
                result = super().invoke(ctx)
        except OpcheckError as error:
            if debug:
                raise
            say(str(error))
            ctx.exit(3 if isinstance(error, InternalError) else 2)
        except click.UsageError as error:
            say(error.format_message())
            ctx.exit(2)
        except MemoryError:
            say("this needs more memory than there is; record fewer k, or take a smaller problem")
            ctx.exit(2)
        except KeyboardInterrupt:
            say("interrupted")
            ctx.exit(130)
        except (click.exceptions.Exit, click.Abort, BrokenPipeError):
            raise
        except Exception as error:
            if debug:
                raise
            said = " ".join(str(error).split())[:300]
            say(
                f"internal error, please report it: {type(error).__name__}: {said} "
                "(opcheck --debug ... shows where)"
            )
            ctx.exit(3)
        if "opcheck.registry" in sys.modules:
            from opcheck import registry

            broken = registry.failures()
            for sentence in broken:
                say(sentence)
            if broken:
                ctx.exit(2)
        return result


def _warned(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: Any = None,
    line: str | None = None,
) -> None:
    """A warning of opcheck's own is a sentence, without the place in its text where it arose."""
    if issubclass(category, OpcheckWarning):
        say(str(message))
    else:
        click.echo(
            warnings.formatwarning(message, category, filename, lineno, line).rstrip(), err=True
        )


def _version(ctx: click.Context, _: click.Parameter, asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        click.echo(f"opcheck {version('opcheck')}")
        ctx.exit()


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_version)
@click.option("--debug", is_flag=True, help="Show tracebacks of bad input.")
def main(debug: bool) -> None:
    """Is this convergence statement true, how tight is it, and where does it stop being true?"""
