"""What is public: names or objects everywhere, options by keyword, and one shape of results."""

from __future__ import annotations

import dataclasses
import functools
import inspect
import json
import typing
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

import opcheck
from opcheck import registry
from opcheck.errors import OpcheckError
from opcheck.evidence.dossier import Rung
from opcheck.model.result import Result

NAME = "gorbunov2022_eg_last"
STEP = "korpelevich1976_eg_fejer"
PUBLIC = {name: getattr(opcheck, name) for name in opcheck.__all__}
RESULTS = {n: v for n, v in PUBLIC.items() if isinstance(v, type) and issubclass(v, Result)}


def results_of(verb: Any) -> set[type]:
    """The types of results in what a function says that it returns."""
    try:
        returned = typing.get_type_hints(inspect.unwrap(verb)).get("return")
    except (TypeError, NameError):
        return set()
    kinds, waiting = set(), [returned]
    while waiting:
        kind = waiting.pop()
        waiting += typing.get_args(kind)
        if isinstance(kind, type) and issubclass(kind, Result):
            kinds.add(kind)
    return kinds


VERBS = {
    name: value
    for name, value in PUBLIC.items()
    if inspect.isfunction(value) and (results_of(value) or name in ("expected", "subject"))
}
MAIN = {"k", "iterations", "selector", "problem"}  # what a verb is about; the rest are its options


@functools.cache
def result(name: str) -> Any:
    """One of each type of results, by the shortest work that makes it."""
    by_type: Mapping[str, Callable[[], Any]] = {
        "Verdict": lambda: opcheck.verify(NAME, "bilinear"),
        "Report": lambda: opcheck.verify([NAME, STEP], "bilinear"),
        "WorstCase": lambda: opcheck.worst(NAME),
        "Attack": lambda: opcheck.attack(NAME, 1, budget=10),
        "Certificate": lambda: opcheck.certify(NAME),
        "Point": lambda: opcheck.certify_over(NAME, "gamma")[0],
        "Proved": lambda: opcheck.prove(NAME),
        "Potential": lambda: opcheck.lyapunov(
            "proximal_point", ["StronglyMonotone(1/4) of F"], gamma="1/2", theta="7/8"
        ),
        "OverRange": lambda: opcheck.lyapunov(
            "proximal_point", ["StronglyMonotone(1/4) of F"], gamma="1/2..1", theta="9/10"
        ),
        "Discovery": lambda: opcheck.discover(STEP, time_limit=60),
        "Improvement": lambda: opcheck.tighten(STEP, time_limit=60),
        "Dossier": lambda: opcheck.Dossier(NAME, (Rung("simulated", True, ("holds",), ""),) * 7),
        "CrossCheck": lambda: opcheck.CrossCheck(NAME, "none", {}, {}, {}, {}, 0, (), ()),
        "Trajectory": lambda: opcheck.run("extragradient", "bilinear", 3, gamma=0.5),
        "Constant": lambda: opcheck.constants("bilinear")[0],
        "Table": lambda: opcheck.Table({"k": [1, 2], "rate": [0.5, 0.25]}, caption="rates"),
        "Check": lambda: opcheck.check("x*y", quick=True, time_limit=1e-3),
    }
    return by_type[name]()


def test_verbs_and_results_are_the_ones_meant() -> None:
    assert {
        "attack",
        "certify",
        "certify_over",
        "check",
        "constants",
        "cross_check",
    } <= VERBS.keys()
    assert {"cross_check", "dossier", "lyapunov", "prove", "run", "verify", "worst"} <= VERBS.keys()
    returned = {kind for verb in VERBS.values() for kind in results_of(verb)}
    assert returned == set(RESULTS.values())


@pytest.mark.parametrize("name", VERBS)
def test_options_are_taken_by_keyword_alone(name: str) -> None:
    options = [
        p.name
        for p in inspect.signature(VERBS[name]).parameters.values()
        if p.default is not p.empty and p.kind is not p.KEYWORD_ONLY
    ]
    assert set(options) <= MAIN


@pytest.mark.parametrize("name", RESULTS)
@pytest.mark.sampled(4)
def test_results_have_one_shape(name: str, tmp_path: Path) -> None:
    it = result(name)
    assert type(it) is RESULTS[name]
    shown = repr(it)
    assert shown.startswith(f"{name}(")
    assert "\n" not in shown
    assert len(shown) <= 200
    assert it._repr_html_().startswith("<table><tr><th>")
    path = it.save(tmp_path / "new" / "it.json")
    data = json.loads(path.read_text(encoding="utf-8"))
    held = it.as_dict()["certificate"] if name == "Certificate" else it.as_dict()
    assert data.keys() == held.keys()
    assert data
    (tmp_path / "file").touch()
    with pytest.raises(OpcheckError, match=r"^can't write .*; name a folder that can be written$"):
        it.save(tmp_path / "file" / "it.json")


def test_a_notebook_shows_names_literally_and_ratios_in_full() -> None:
    verdict = opcheck.Verdict("<b>", "p", "violated", ratio=1 + 2.0**-52)
    shown = verdict._repr_html_()
    assert "<b>" not in shown
    assert "<td>&lt;b&gt;</td>" in shown
    assert "<td>1.0000000000000002</td>" in shown
    report = result("Report")
    assert all(f"<td>{s.theorem.name}</td>" in report._repr_html_() for s in report.summaries)


def test_a_run_is_plain_data() -> None:
    data = result("Trajectory").as_dict()
    assert data["k"] == [0, 1, 2, 3]
    assert data["parameters"] == {"gamma": 0.5}
    assert len(data["measures"]["residual"]) == 4
    assert "iterates" not in data
    whole = opcheck.run("extragradient", "bilinear", 3, gamma=0.5, iterates=True).as_dict()
    assert whole["iterates"][-1] == data["z"]


OF_A_THEOREM: dict[str, Callable[[Any], Any]] = {
    "verify": lambda t: opcheck.verify(t, "bilinear"),
    "worst": lambda t: opcheck.worst(t).ratio,
    "attack": lambda t: opcheck.attack(t, 1, budget=10),
    "certify": lambda t: opcheck.certify(t).document,
    "certify_over": lambda t: [p.as_dict() for p in opcheck.certify_over(t, "gamma")],
    "prove": lambda t: opcheck.prove(t),
}


@pytest.mark.parametrize("verb", OF_A_THEOREM)
def test_a_theorem_is_taken_by_name_or_as_an_object(verb: str) -> None:
    take = OF_A_THEOREM[verb]
    by_name = result("Attack") if verb == "attack" else take(NAME)
    assert by_name == take(registry.get("theorems", NAME))
    for wrong in (3, None, ["a", 3]):
        with pytest.raises(OpcheckError, match=r"theorem|must be a text"):
            take(wrong)


def test_a_statement_that_is_given_is_the_one_that_is_verified() -> None:
    """A changed copy has the name of a registered one, which is another statement."""
    true = registry.get("theorems", STEP)
    false = dataclasses.replace(true, bound="distance/1000", proof=None)
    verdict = opcheck.verify(false, "bilinear")
    assert isinstance(verdict, opcheck.Verdict)
    assert verdict.status == "violated"
    several = opcheck.verify([false, NAME], "bilinear")
    assert isinstance(several, opcheck.Report)
    assert [s.status for s in several.summaries] == ["violated", "holds"]


OF_A_PROBLEM: dict[str, Callable[[Any], Any]] = {
    "constants": lambda p: [c.as_dict() for c in opcheck.constants(p)],
    "run": lambda p: opcheck.run("extragradient", p, 2, gamma=0.5).as_dict(),
    "verify": lambda p: opcheck.verify(NAME, p),
    "expected": lambda p: opcheck.expected("extragradient", p, 2, gamma=0.5)["residual"].tolist(),
}


@pytest.mark.parametrize("verb", OF_A_PROBLEM)
def test_a_problem_is_taken_by_name_or_as_an_object(verb: str) -> None:
    name = "multiplicative_noise" if verb == "expected" else "bilinear"
    assert OF_A_PROBLEM[verb](name) == OF_A_PROBLEM[verb](opcheck.problem(name))


def test_a_method_is_taken_by_name_or_as_an_object() -> None:
    method = registry.get("methods", "proximal_point")
    given = ["StronglyMonotone(1/4) of F"]
    same = opcheck.lyapunov(method, given, gamma="1/2", theta="7/8")
    assert same.as_dict() == result("Potential").as_dict()
    runs = [opcheck.run(m, "bilinear", 2, gamma=0.5).as_dict() for m in (method, method.name)]
    assert runs[0] == runs[1]
