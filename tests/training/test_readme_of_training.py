"""The README's lines on training, as they are written."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")


def test_the_lines_of_the_readme_arrive() -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    (block,) = [b for b in re.findall(r"```python\n(.*?)```", readme, re.DOTALL) if "torch" in b]
    scope: dict[str, object] = {}
    exec(compile(block, "README", "exec"), scope)
    for player in (scope["x"], scope["y"]):
        assert torch.linalg.norm(player) < 1e-3
