"""What every command does: progress, --quiet, colours, widths, pipes, Ctrl-C, completion."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import click
import pytest
from command_line import invoke

from opcheck.cli import emit, main
from opcheck.evidence.certificates import certificate
from opcheck.evidence.proofs import prove

NAMES = ("lee2021_feg", "gorbunov2022_eg_last", "malitsky2020_frb_gap", "tseng2000_fbf_fejer")
PROVE = ("prove", *NAMES)


def test_progress_is_on_standard_error_and_quiet_leaves_it_out() -> None:
    told = invoke(*PROVE)
    assert "prove 4/4 tseng2000_fbf_fejer" in told.stderr
    for words in (("--quiet", *PROVE), (*PROVE, "--quiet")):
        done = invoke(*words)
        assert done.stderr == ""
        assert done.stdout == told.stdout


@pytest.mark.parametrize("name", main.list_commands(click.Context(main)))
def test_every_command_can_be_quiet(name: str) -> None:
    assert "--quiet" in invoke(name, "--help").output


@pytest.mark.parametrize("quiet", [False, True])
def test_work_without_pieces_says_so_once(quiet: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(emit, "PATIENCE", 0.0)
    said: list[str] = []
    monkeypatch.setattr(emit, "say", said.append)
    with click.Context(main) as context:
        context.meta[emit.QUIET] = quiet
        with emit.working("search"):
            time.sleep(0.2)
    assert said == [] if quiet else ["at work: search"]


def after(count: int, function: Callable[..., Any]) -> Callable[..., Any]:
    """The function so many times, then Ctrl-C."""
    calls = iter(range(count))

    def interrupted(*arguments: Any, **options: Any) -> Any:
        if next(calls, None) is None:
            raise KeyboardInterrupt
        return function(*arguments, **options)

    return interrupted


def test_ctrl_c_shows_the_proofs_that_are_finished(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prove, "attempt", after(2, prove.attempt))
    done = invoke(*PROVE)
    assert done.exit_code == 130
    assert "interrupted: 2 of 4 theorems were finished, and are shown" in done.stderr
    assert [name for name in NAMES if name in done.stdout] == list(NAMES[:2])


def test_ctrl_c_shows_the_certificates_that_are_finished(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(certificate, "attempts", after(1, certificate.attempts))
    done = invoke("certify", *NAMES[:2], "-k", "1")
    assert done.exit_code == 130
    assert "interrupted: what was finished is shown" in done.stderr
    assert [name for name in NAMES if name in done.stdout] == list(NAMES[:1])
    monkeypatch.setattr(certificate, "attempts", after(0, certificate.attempts))
    assert invoke("certify", NAMES[0], "-k", "1").exit_code == 130


RUN = [sys.executable, "-m", "opcheck", "prove", *NAMES]


def on_a_terminal(**environment: str) -> str:
    """All that a command writes where it stands at a terminal of 80 columns."""
    mine, its = pty.openpty()
    asked = {"COLUMNS": "80", "TERM": "xterm-256color", **environment}
    kept = {n: v for n, v in os.environ.items() if n not in ("NO_COLOR", "FORCE_COLOR")}
    done = subprocess.Popen(RUN, stdin=its, stdout=its, stderr=its, env={**kept, **asked})
    os.close(its)
    parts = []
    try:
        while part := os.read(mine, 65536):
            parts.append(part)
    except OSError:  # how a terminal says that the other side is closed
        pass
    os.close(mine)
    assert done.wait() == 0
    return b"".join(parts).decode()


@pytest.mark.ci
def test_a_terminal_has_colours_unless_they_are_refused_and_80_columns() -> None:
    colour = re.compile(r"\x1b\[[0-9;]*3[0-7]m")
    plain = on_a_terminal(NO_COLOR="1")
    assert colour.search(on_a_terminal())
    assert not colour.search(plain)
    for line in re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", plain).splitlines():
        assert len(line.rpartition("\r")[2]) <= 80


def test_a_pipe_is_plain() -> None:
    done = subprocess.run(RUN, capture_output=True, text=True, check=True)
    assert "\x1b" not in done.stdout + done.stderr


def test_names_are_completed() -> None:
    asked = {"_OPCHECK_COMPLETE": "bash_complete", "COMP_WORDS": "opcheck prove lee20"}
    code = "from opcheck.cli import main; main(prog_name='opcheck')"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={**os.environ, **asked, "COMP_CWORD": "2"},
    )
    assert done.stdout.split() == ["plain,lee2021_feg", "plain,lee2021_feg_equality"]
