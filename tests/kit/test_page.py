"""docs/testing.md: its blocks run as they stand, and it names every check."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from opcheck import testing
from opcheck.cli.new import source

PAGE = (Path(__file__).parents[2] / "docs" / "testing.md").read_text(encoding="utf-8")
CHECKS, ASSERTIONS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.usefixtures("own_registry")
def test_the_first_block_parametrizes_a_test(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "my_file.py").write_text(source("measure", "kit_page"), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    exec(CHECKS, names)
    (mark,) = names["test_conformance"].pytestmark  # type: ignore[attr-defined]
    assert [p.id for p in mark.args[1]] == ["measure kit_page", "method extragradient"]
    for parameter in mark.args[1]:
        names["test_conformance"](*parameter.values)  # type: ignore[operator]


def test_the_assertions_hold() -> None:
    exec(ASSERTIONS, {})


def test_the_table_is_one() -> None:
    (table,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    assert tomllib.loads(table) == {"tool": {"opcheck": {"plugins": ["my_file.py", "my_package"]}}}


def test_every_check_and_assertion_is_named() -> None:
    for name in testing.__all__:
        if name.startswith(("check_", "assert_")):
            assert f"`{name}`" in PAGE or name in ASSERTIONS, name
