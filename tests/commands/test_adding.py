"""The whole files of docs/adding.md: each is held to what the tests of its kind ask."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from conformance import (
    by_reference,
    check_figure_kind,
    measure_error,
    program_of,
    solver_error,
    values_of,
)

import opcheck
from opcheck import registry
from opcheck.engine.guard import guard, guard_text
from opcheck.evidence.operators.facts import admit
from opcheck.kernels import identity
from opcheck.model.method import resolve
from opcheck.report.reproduce import simulate

PAGE = (Path(__file__).parents[2] / "docs" / "adding.md").read_text(encoding="utf-8")
BLOCKS = dict(re.findall(r"```python\n# (\S+), complete\n(.*?)```", PAGE, re.DOTALL))
M = np.array([[0.5, 0.25], [-0.25, 0.5]])


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


def test_the_page_has_a_whole_file_of_each_kind() -> None:
    for kind in registry.KINDS:
        own = [n for n in registry.names(kind) if "added" in registry.place(kind, n)]
        assert len(own) == 1, f"{kind}: {own}"


def test_the_method_is_its_reference() -> None:
    F, method = opcheck.linear(M), resolve("reflected_gradient")
    start, values = np.ones(2), values_of("reflected_gradient")
    theirs = by_reference("reflected_gradient", F, lambda z, _: z, start, 20)
    state = np.array([start for _ in method.rows])  # interpreted, so that nothing is compiled
    for k in range(20):
        params = np.array(method.pack(values))
        method.kernel(F.kernel, F.data, identity, np.empty(0), state, params, k, 1)
        np.testing.assert_allclose(state[0], theirs[k + 1], rtol=0, atol=1e-15)
    guard_text(method, 2)


def test_the_set_is_its_cone_program() -> None:
    J = registry.get("sets", "consensus")()
    assert program_of("consensus").dim == 3
    assert solver_error("consensus", J) <= 1
    assert J.contains(J([1.0, 2.0, 6.0]))
    assert not J.contains(np.array([1.0, 2.0]))


def test_the_measure_is_its_reference() -> None:
    assert measure_error(registry.get("measures", "angle")) <= 1e-13


def test_the_problem_is_what_it_says() -> None:
    for p in registry.get("problems", "turning").instances():
        guard(p)
        admit(p)


def test_the_theorem_holds_and_is_proved() -> None:
    assert opcheck.verify("elementary_gradient_sum", "turning").status in ("holds", "attained")
    assert opcheck.prove("elementary_gradient_sum")


def test_the_figure_kind_draws_its_runs() -> None:
    runs = {
        f"gamma {gamma:g}": opcheck.run("extragradient", "bilinear", 20, gamma=gamma, iterates=True)
        for gamma in (0.25, 0.5)
    }
    check_figure_kind("steps", runs)


def test_the_paper_shows_what_it_says() -> None:
    figure = registry.get("papers", "korpelevich1976").figure("bilinear")
    runs = simulate(figure)
    for check in figure.checks:
        assert check.seen(runs).passed, check.sentence
