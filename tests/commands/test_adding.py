"""The whole files of docs/adding.md: each is held to what the tests of its kind ask."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import opcheck
from opcheck import registry
from opcheck.cli.new import EXAMPLES, TEMPLATES
from opcheck.report.reproduce import simulate
from opcheck.testing import check_figure, checks_of

PAGE = (Path(__file__).parents[2] / "docs" / "adding.md").read_text(encoding="utf-8")
BLOCKS = dict(re.findall(r"```python\n# (\S+), complete\n(.*?)```", PAGE, re.DOTALL))


@pytest.fixture(scope="module", autouse=True)
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Every file of the page as a user's own; forgotten afterwards."""
    registry.load()
    before = {kind: dict(table) for kind, table in registry._entries.items()}
    folder = tmp_path_factory.mktemp("added")
    for path, source in BLOCKS.items():
        file = folder / path.replace("/", "_")
        file.write_text(source, encoding="utf-8")
        registry.load_file(file)
    yield
    registry._entries.update(before)


def test_the_page_quotes_what_opcheck_new_writes() -> None:
    """One text: the page shows the templates, and ``opcheck new`` renames what they register."""
    templates = {path.stem: path.read_text(encoding="utf-8") for path in TEMPLATES.glob("*.txt")}
    del templates["test"]
    assert sorted(BLOCKS.values()) == sorted(templates.values())
    assert {example.template for example in EXAMPLES.values()} == templates.keys()


def test_the_page_has_a_whole_file_of_each_kind() -> None:
    for kind in registry.KINDS:
        own = [n for n in registry.names(kind) if "added" in registry.place(kind, n)]
        assert len(own) == 1, f"{kind}: {own}"


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("methods", "reflected_gradient"),
        ("measures", "angle"),
        ("sets", "consensus"),
        ("problems", "turning"),
    ],
)
def test_what_the_page_declares_keeps_its_promises(kind: str, name: str) -> None:
    entry = registry.get(kind, name)
    for item in checks_of(entry):
        item()


def test_the_theorem_holds_and_is_proved() -> None:
    assert opcheck.verify("elementary_gradient_sum", "turning").status in ("holds", "attained")
    assert opcheck.prove("elementary_gradient_sum")


def test_the_figure_kind_draws_its_runs() -> None:
    runs = {
        f"gamma {gamma:g}": opcheck.run("extragradient", "bilinear", 20, gamma=gamma, iterates=True)
        for gamma in (0.25, 0.5)
    }
    check_figure("steps", runs)


def test_the_paper_shows_what_it_says() -> None:
    figure = registry.get("papers", "korpelevich1976").figure("bilinear")
    runs = simulate(figure)
    for check in figure.checks:
        assert check.seen(runs).passed, check.sentence
