"""Manifests of papers that would show nothing are refused: what is said to be seen is looked at."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from opcheck.errors import OpcheckError
from opcheck.model.paper import (
    Check,
    Claim,
    Panel,
    PaperFigure,
    PaperRun,
    Runs,
    diverges,
    ends_within,
    paper,
)
from opcheck.report.reproduce import reproduce, simulate


def run(**changes: Any) -> PaperRun:
    plain: dict[str, Any] = {"iterations": 30, "parameters": {"gamma": 0.5}}
    return PaperRun("extragradient", **plain | changes)


def figure(*checks: Check, label: str = "EG", **changes: Any) -> PaperFigure:
    plain: dict[str, Any] = {
        "id": "f",
        "title": "t",
        "caption": "c",
        "experiment": Runs("bilinear", {label: run()}, start=(1.0, 1.0)),
        "panels": (Panel("rate", {"title": ""}),),
        "checks": checks,
    }
    return PaperFigure(**plain | changes)


def last(runs: Any) -> float:
    return float(runs["EG"]["distance"][-1])


ENDS = ends_within("EG", 1.0, last=2)


@pytest.mark.parametrize(
    ("declare", "why"),
    [
        (lambda: Check("EG ends", last, 1, 0), "no number is"),
        (lambda: Check("EG ends", last, math.nan, 1), "no number is"),
        (lambda: Check("EG ends", last), "any number passes"),
        (lambda: Check(" ", last, 0, 1), "no sentence"),
        (lambda: ends_within("EG", math.inf), "not positive and finite"),
        (lambda: diverges("EG", -5.0), "not positive and finite"),
        (lambda: run(iterations=0), "iterations = 0"),
        (lambda: run(seeds=0), "seeds = 0"),
        (lambda: run(every=31), "every 31 of 30"),
        (lambda: paper("p", source="lee2021fast", citation="x"), "neither figures nor claims"),
        (lambda: declared(figure()), "no checks"),
        (lambda: declared(figure(ENDS, panels=())), "no panels"),
        (lambda: declared(figure(ENDS, id="../f")), "names files"),
        (lambda: declared(figure(ENDS, number="2"), missing={"2": "?"}), "said to be missing"),
        (lambda: declared(figure(ENDS), missing={"3": " "}), "without a reason"),
        (
            lambda: declared(figure(ENDS), claims=[Claim("c", "", check=ENDS, figure="f")]),
            "nothing",
        ),
        (lambda: declared(figure(ENDS), claims=[Claim("c", "s", waiting=" ")]), "waiting is blank"),
    ],
)
def test_a_manifest_that_shows_nothing_is_refused(
    declare: Callable[[], Any], why: str, own_registry: None
) -> None:
    with pytest.raises(OpcheckError, match=why):
        declare()


def declared(*figures: PaperFigure, **rest: Any) -> Any:
    return paper("p", source="none", citation="nobody", figures=figures, **rest)


@pytest.mark.parametrize(
    ("check", "why"),
    [
        (Check("EG is 3.14", lambda _: 3.14, 3.1, 3.2), "looks at none of the data"),
        (ends_within("GDA", 1.0, last=2), "KeyError: 'GDA'; the data are of EG"),
        (ends_within("EG", 1.0, last=1000), "of 31 recorded steps there are no last 1000"),
        (ends_within("EG", 1.0, last=0), "no last 0"),
        (Check("EG ends", lambda runs: runs["EG"]["distance"], 0, 1), "has no value"),
        (Check("EG ends", lambda runs: runs["EG"] and None, 0, 1), "has no value"),
    ],
)
def test_a_check_that_has_no_value_of_the_data_is_refused(check: Check, why: str) -> None:
    parts = simulate(figure(ENDS))
    assert ENDS.seen(parts).passed
    with pytest.raises(OpcheckError, match=why):
        check.seen(parts)


def test_a_label_that_is_another_method_is_refused() -> None:
    with pytest.raises(OpcheckError, match="'rapp' is a run of extragradient"):
        simulate(figure(ENDS, experiment=Runs("bilinear", {"rapp": run()})))


def test_a_record_that_was_changed_by_hand_is_made_anew(
    own_registry: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A number that failed, rewritten as one that passes, was shown as seen."""
    far = ends_within("EG", 1e-30, last=2)
    declared(figure(far))
    monkeypatch.setattr("opcheck.registry.place", lambda *_: f"{__file__}:1")
    assert not reproduce("p", out=tmp_path).ok
    record = tmp_path / "records" / "figure-f.json"
    kept = json.loads(record.read_text())
    (seen,) = kept["data"]["checks"]
    seen |= {"value": 0.0, "passed": True}
    record.write_text(json.dumps(kept))
    assert not reproduce("p", out=tmp_path).ok
