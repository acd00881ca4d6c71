"""The command line in this process."""

from __future__ import annotations

from click.testing import CliRunner, Result

from opcheck.cli import main


def invoke(*words: str) -> Result:
    """What a command did, whatever that was."""
    return CliRunner().invoke(main, list(words))


def good(*words: str) -> str:
    """All that a command printed; it must end well."""
    done = invoke(*words)
    assert done.exit_code == 0, done.output
    return str(done.output)


def good_json(*words: str) -> str:
    """The document of a command; it must end well."""
    done = invoke(*words, "--json")
    assert done.exit_code == 0, done.output
    return str(done.stdout)
