"""The lines of docs/training.md, as they are written."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

pytest.importorskip("torch")
ROOT = Path(__file__).parents[2]


def blocks(page: str) -> list[str]:
    text = (ROOT / page).read_text(encoding="utf-8")
    return [b for b in re.findall(r"```python\n(.*?)```", text, re.DOTALL) if "torch" in b]


@pytest.mark.parametrize("block", blocks("docs/training.md"))
def test_the_page_on_training_is_true(block: str) -> None:
    assert "assert" in block, "a block says what it arrives at"
    exec(compile(block, "docs/training.md", "exec"), {})
