"""Regions: boxes and balls anywhere, and the texts that name them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from opcheck.errors import OpcheckError
from opcheck.evidence.operators.constants import constants
from opcheck.evidence.simulation.verify import confront
from opcheck.model.operator import linear
from opcheck.model.problem import Problem, Region, points, region_of
from opcheck.model.property import Lipschitz, Monotone, exact
from opcheck.model.region import as_region
from opcheck.model.symbolic import minmax
from opcheck.registry import get

inf = float("inf")
REGIONS = [
    Region(4.0),
    Region(lower=[0.2, -1.0], upper=[2.0, 1.0]),
    Region(lower=0.0, upper=[inf, 1.0]),
    Region(upper=[1.0, 2.0]),
    Region(centre=[3.0, -1.0], radius=0.5),
    Region(radius=2.0),
]


@pytest.mark.parametrize("region", REGIONS, ids=str)
def test_what_is_sampled_or_clipped_lies_inside(region: Region) -> None:
    rng = np.random.default_rng(0)
    inside = region.sample(500, 2, rng)
    assert region.contains(inside).all()
    assert np.isfinite(inside).all()
    anywhere = 10 * rng.standard_normal((500, 2))
    clipped = region.clip(anywhere)
    assert region.contains(clipped).all()
    free = region.contains(anywhere)
    assert np.array_equal(clipped[free], anywhere[free])
    low, high = region.ends(2)
    assert ((low <= clipped + 1e-12) & (clipped <= high + 1e-12)).all()
    # the nearest point: no sampled one is nearer
    gap = np.linalg.norm(anywhere[:, None] - inside[None], axis=2).min(axis=1)
    assert (np.linalg.norm(anywhere - clipped, axis=1) <= gap * (1 + 1e-12)).all()
    state = np.concatenate([clipped[:1], anywhere[:1]])
    kernel = region.watch(2)
    for row in (0, 1):
        seen = kernel(None, None, None, None, state[row:], None, 0.0)
        assert seen == pytest.approx(float(region.excess(state[row])), abs=1e-12)


def test_one_region_lies_within_another() -> None:
    box = Region(lower=[0, 0], upper=[1, 2])
    assert box.within(Region(2.0))
    assert not Region(2.0).within(box)
    assert box.within(Region(lower=0.0))
    assert box.within(Region(centre=[0, 0], radius=5**0.5))
    assert not box.within(Region(centre=[0, 0], radius=2.2))
    assert Region(radius=1.0).within(Region(1.0))
    assert not Region(1.0).within(Region(radius=1.2))
    assert Region(centre=[1, 0], radius=1.0).within(Region(radius=2.0))
    assert not Region(centre=[1, 0], radius=1.1).within(Region(radius=2.0))


@pytest.mark.parametrize(
    ("text", "region", "words"),
    [
        ("2", Region(2.0), "‖z‖∞ ≤ 2"),
        ("[.2,2]x[-1,1]", Region(lower=[0.2, -1], upper=[2, 1]), "[0.2, 2] × [-1, 1]"),
        ("[0, inf] x [-1, 1]", Region(lower=[0, -1], upper=[inf, 1]), "[0, ∞) × [-1, 1]"),
        ("[0,1]", Region(lower=0, upper=1), "[0, 1] in every coordinate"),
        ("0,0:2", Region(centre=[0, 0], radius=2), "‖z‖ ≤ 2"),
        ("1,-1:.5", Region(centre=[1, -1], radius=0.5), "‖z − (1, -1)‖ ≤ 0.5"),
        ("0:1", Region(centre=0, radius=1), "‖z‖ ≤ 1"),
    ],
)
def test_a_text_names_a_region(text: str, region: Region, words: str) -> None:
    assert region_of(text, 2) == region
    assert str(region) == words


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("two", "is no region; write a radius as 2"),
        ("[0,1", "is no region"),
        ("[0,1,2]", "is no region"),
        ("[0,1]y[0,1]", "is no region"),
        ("0,0:2:3", "is no region"),
        ("0,0:", "is no region"),
        ("", "is no region"),
        ("-1", "must be a positive and finite number"),
        ("nan", "must be a positive and finite number"),
        ("[1,0]x[0,1]", "lower < upper"),
        ("[nan,0]x[0,1]", "not"),
        ("0,0:-1", "positive and finite number"),
        ("0,inf:1", "not finite"),
        ("[0,1]x[0,1]x[0,1]", "has 3 coordinates, the problem 2"),
        ("0,0,0:1", "has 3 coordinates, the problem 2"),
    ],
)
def test_a_text_that_names_none_gets_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(OpcheckError) as caught:
        region_of(text, 2)
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_region_is_one_thing() -> None:
    for arguments in ({}, {"bound": 1, "radius": 1}, {"lower": 0, "radius": 1}, {"centre": [0]}):
        with pytest.raises(OpcheckError):
            Region(**arguments)  # type: ignore[arg-type]
    with pytest.raises(OpcheckError, match="2 lower and 3 upper"):
        Region(lower=[0, 0], upper=[1, 1, 1])


@pytest.mark.parametrize("region", REGIONS[1:], ids=str)
def test_a_run_that_leaves_a_region_is_inconclusive(region: Region) -> None:
    facts = (exact(Monotone(), local=True), exact(Lipschitz(1), local=True))
    p = Problem(
        linear([[0, 1], [-1, 0]]), name="turn", start=np.ones(2), solution=np.zeros(2), facts=facts
    )
    verdict = confront(get("theorems", "gorbunov2022_eg_last"), replace(p, region=region))
    known = region.contains(p.start) and region.contains([0.6, -0.8])
    if not known:
        assert verdict.status == "inconclusive"
        assert f"leaves the region {region}" in verdict.reason


@pytest.mark.parametrize(
    ("region", "L"),
    [
        (Region(lower=[1.0, -1.0], upper=[3.0, 1.0]), 6.0),
        (Region(centre=[1.0, 0.0], radius=2.0), 6.0),
        (Region(lower=[-1.0, 0.0], upper=[2.0, 5.0]), 10.0),
    ],
    ids=str,
)
@pytest.mark.ci
def test_constants_are_those_of_the_region(region: Region, L: float) -> None:
    """F = ∇(x² x/3 …): slopes 2x and 2y; what is proved on a ball is proved on its box."""
    p = Problem(minmax("x**3/3 - y**3/3"), start=np.ones(2))
    found, *_ = constants(p, rigorous=True, region=region)
    assert found.lower == pytest.approx(L, rel=1e-5)
    assert L <= found.upper <= L * (1 + 1e-5)
    assert found.region == region
    assert ("ball" in found.note) == region.ball


def test_points_of_a_cube_are_what_they_were() -> None:
    p = Problem(linear([[1.0, 0.0], [0.0, 1.0]]), start=np.ones(2), region=Region(3.0))
    drawn: Any = points(p, 5, np.random.default_rng(7))
    assert np.array_equal(drawn, 3.0 * np.random.default_rng(7).uniform(-1, 1, (5, 2)))


def test_a_ball_lies_within_another_in_every_dimension() -> None:
    """Centres of one number are as far apart as there are coordinates."""
    inner, outer = Region(centre=1.0, radius=1.0), Region(centre=0.0, radius=2.0)
    far = np.full(2, 1.0 + 0.5**0.5)
    assert inner.contains(far[None]).all()
    assert not outer.contains(far[None]).any()
    assert not inner.within(outer)
    assert Region(centre=0.0, radius=1.0).within(outer)
    assert Region(centre=(1.0,), radius=1.0).within(outer)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Region([1, 2]),  # type: ignore[arg-type]
        lambda: Region("2"),  # type: ignore[arg-type]
        lambda: Region(np.inf),
        lambda: Region(radius="2"),  # type: ignore[arg-type]
        lambda: Region(radius=np.nan),
        lambda: Region(centre=[1e308, 0], radius=1e308),
        lambda: as_region([1, 2]),  # type: ignore[arg-type]
    ],
)
def test_what_is_no_radius_is_refused_in_a_sentence(wrong: Callable[[], object]) -> None:
    with pytest.raises(OpcheckError, match=r"positive and finite|not finite"):
        wrong()
