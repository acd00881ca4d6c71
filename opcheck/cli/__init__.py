"""The command line. Each command, and what it needs, loads when it is called."""

from __future__ import annotations

import importlib
import sys
import warnings
from typing import Any

import click

from opcheck.cli.emit import QUIET, TOLD, say
from opcheck.errors import InternalError, OpcheckError, OpcheckWarning

MODULES = {
    "catalogue": ("list", "show", "cite"),
    "runs": ("run", "repro"),
    "operators": ("check", "constants"),
    "figures": ("plot",),
    "statements": ("verify", "prove", "cross-check"),
    "worst_case": ("worst", "attack"),
    "certificates": ("certify", "lyapunov", "recheck"),
    "discover": ("discover",),
    "new": ("new",),
    "optimizer": ("check-optimizer",),
    "doctor": ("doctor",),
    "reports": ("compare", "report"),
}


class Commands(click.Group):
    """Bad input is one sentence on standard error and exit code 2, a fault of opcheck's own 3."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Their names, sorted."""
        return sorted(name for names in MODULES.values() for name in names)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """A command by name; its module is imported here."""
        for module, names in MODULES.items():
            if name in names:
                values = vars(importlib.import_module(f"opcheck.cli.{module}")).values()
                commands = [v for v in values if isinstance(v, click.Command)]
                command = next(command for command in commands if command.name == name)
                if all(option.name != "quiet" for option in command.params):
                    command.params.append(_quiet())
                return command
        return None

    def main(self, *arguments: Any, **options: Any) -> Any:
        """Run a command; end also where foreign code does not, and not where it ends."""
        from opcheck.watchdog import refuse_silent_end

        if not arguments and not options:  # the whole of a process
            from opcheck.supervisor import supervise

            supervise()
        refuse_silent_end()
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
                warnings.showwarning = _warned  # type: ignore[assignment]
                result = super().invoke(ctx)
        except OpcheckError as error:
            if debug:
                raise
            say(str(error))
            ctx.exit(3 if isinstance(error, InternalError) else 2)
        except click.UsageError as error:
            say(f"{error.format_message()}{_elsewhere(self, error)}")
            ctx.exit(2)
        except MemoryError:
            say("this needs more memory than there is; record fewer k, or take a smaller problem")
            ctx.exit(2)
        except KeyboardInterrupt:
            from opcheck.watchdog import answer

            answer()
            say("interrupted")
            ctx.exit(130)
        except (click.exceptions.Exit, click.Abort, BrokenPipeError):
            raise
        except Exception as error:
            if debug:
                raise
            what = f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
            say(f"internal error, please report it: {what} (opcheck --debug ... shows where)")
            ctx.exit(3)
        if "opcheck.registry" in sys.modules:
            from opcheck import registry

            broken = registry.failures()
            for sentence in () if ctx.meta.get(TOLD) else broken:
                say(sentence)
            if broken:
                ctx.exit(2)
        return result


def _elsewhere(group: click.Group, error: click.UsageError) -> str:
    """Of an option that a command does not know, and that stands before all of them."""
    name = error.option_name if isinstance(error, click.NoSuchOption) else ""
    if name and any(name in option.opts for option in group.params):
        return f" It stands before the command: opcheck {name} ..."
    return ""


def _warned(message: Warning | str, category: type[Warning], *place: Any) -> None:
    """A warning of opcheck's own is a sentence, without the place in its text where it arose."""
    if issubclass(category, OpcheckWarning):
        say(str(message))
    else:
        filename, number, _, line = place
        shown = warnings.formatwarning(message, category, filename, number, line)
        click.echo(shown.rstrip(), err=True)


def _named(_: click.Context, __: click.Parameter, names: tuple[str, ...]) -> None:
    """Plug-ins are named in the environment, so that every process of a command loads them."""
    import os

    # a file also where a process runs elsewhere; the registry says what is wrong with a name
    full = [os.path.abspath(n) if n.endswith(".py") or os.sep in n else n for n in names]
    if full:
        before = os.environ.get("OPCHECK_PLUGINS", "").split(os.pathsep)
        listed = dict.fromkeys(filter(None, [*before, *full]))
        os.environ["OPCHECK_PLUGINS"] = os.pathsep.join(listed)


def _hush(ctx: click.Context, _: click.Parameter, asked: bool) -> None:
    if asked:
        ctx.meta[QUIET] = True


def _quiet() -> click.Option:
    """The option that every command has."""
    told = "Don't say how far work has come."
    return click.Option(["--quiet"], is_flag=True, expose_value=False, callback=_hush, help=told)


def _version(ctx: click.Context, _: click.Parameter, asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        click.echo(f"opcheck {version('opcheck')}")
        ctx.exit()


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_version)
@click.option(
    "--plugin",
    metavar="FILE_OR_MODULE",
    multiple=True,
    expose_value=False,
    callback=_named,
    help="Also load this one; $OPCHECK_PLUGINS lists more.",
)
@click.option(
    "--quiet",
    is_flag=True,
    expose_value=False,
    callback=_hush,
    help="Don't say how far work has come.",
)
@click.option("--debug", is_flag=True, help="Show tracebacks of bad input.")
def main(debug: bool) -> None:
    """Is this convergence statement true, how tight is it, and where does it stop being true?"""
