"""The lines of the README and of docs/training.md on training, as they are written."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
ROOT = Path(__file__).parents[2]


def blocks(page: str) -> list[str]:
    text = (ROOT / page).read_text(encoding="utf-8")
    return [b for b in re.findall(r"```python\n(.*?)```", text, re.DOTALL) if "torch" in b]


def test_the_lines_of_the_readme_arrive() -> None:
    (block,) = blocks("README.md")
    scope: dict[str, object] = {}
    exec(compile(block, "README", "exec"), scope)
    for player in (scope["x"], scope["y"]):
        assert torch.linalg.norm(player) < 1e-3


@pytest.mark.parametrize("block", blocks("docs/training.md"))
def test_the_page_on_training_is_true(block: str) -> None:
    assert "assert" in block, "a block says what it arrives at"
    exec(compile(block, "docs/training.md", "exec"), {})
