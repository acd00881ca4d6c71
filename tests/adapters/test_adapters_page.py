"""docs/adapters.md: its blocks run as they stand, and its commands say what is shown."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from command_line import invoke

PAGE = (Path(__file__).parents[2] / "docs" / "adapters.md").read_text(encoding="utf-8")
FILE, *BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
COMMANDS = re.findall(r"^\$ opcheck (check-optimizer .*)$", PAGE, re.MULTILINE)


@pytest.mark.parametrize("block", BLOCKS, ids=range(len(BLOCKS)))
@pytest.mark.ci
def test_a_block_runs_as_it_stands(block: str) -> None:
    for package in re.findall(r"^import (torch|optax)$", block, re.MULTILINE):
        pytest.importorskip(package)
    exec(compile(block, "adapters.md", "exec"), {})


@pytest.mark.ci
def test_the_commands_say_what_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("torch")
    (tmp_path / "my_steps.py").write_text(FILE, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    wrong, named, right = (invoke(*shlex.split(command)) for command in COMMANDS)
    assert [done.exit_code for done in (wrong, named, right)] == [1, 1, 0]
    (shown,) = re.findall(r"```text\n(.*?)```", PAGE, re.DOTALL)
    for line in shown.splitlines():
        assert line in wrong.output
    assert "the step is taken from the look-ahead point" in named.output
    assert "complex_momentum at gamma = 0.1, beta_re = 0.5" in right.output
