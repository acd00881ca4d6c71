"""Printed identities hold on runs: in exact rationals, by an evaluator of their texts alone."""

from __future__ import annotations

import itertools
import re
from typing import Any

import numpy as np
import pytest
from flint import fmpq
from oracles.exact_runs import Affine
from oracles.printed import Printed
from registered import exported, stated

from opcheck import registry
from opcheck.evidence.proofs.prove import established
from opcheck.model import grammar
from opcheck.model.theorem import Theorem
from opcheck.report import proofs

registry.load()
# a row in the middle of an inner loop, roots of what is measured, and families with a turn
APART = re.compile(r"\binner\(\w+\)|\bCauchy\(|\bLeast\(|\bMean\(")  # have tests of their own
ROUNDS = 6
PRIMES = (101, 103, 107, 109, 113, 127, 131, 137)


def situation(theorem: Theorem, place: str, draw: np.random.Generator) -> dict[str, Any] | None:
    """k, whole parameters and horizon of a lemma, and its tests; None where a loop is open."""
    said: dict[str, Any] = {"whole": {}, "tests": []}
    part, *conditions = place.removeprefix("length, ").split(", ")
    beyond = int(draw.integers(2, 5))
    said["k"] = theorem.first + beyond if part in ("end", "early") else theorem.proof.begin + beyond
    if part == "start":
        said["k"] = theorem.proof.begin
    whole = {p.symbol for p in theorem.iteration.parameters if p.integer}
    for condition in conditions:
        if "loop" in condition:
            return None
        name, _, value = condition.partition(" = ")
        if name == "k" and value.isdigit():
            said["k"] = int(value)
        elif name == "k":
            m = int(draw.integers(2, 5))
            said["k"] = int(eval(value, {"__builtins__": {}}, {"m": m}))
            said["whole"]["m"] = m
        elif name in whole:
            if not value.isdigit():
                return None
            said["whole"][name] = int(value)
        else:
            negative = condition.startswith("not ")
            said["tests"].append((condition.removeprefix("not "), not negative))
    k = said["k"]
    horizon = theorem.proof.horizon
    if horizon:
        late = int(draw.integers(0, 4))
        last = {"end": k, "start": 1 + late, "early": k + 1 + late}.get(part, k + 1 + late)
        said["whole"][horizon] = last
    return said


@pytest.mark.parametrize("name", exported())
@pytest.mark.sampled(12)
def test_a_printed_identity_holds_on_runs(name: str) -> None:
    theorem = registry.get("theorems", name)
    if theorem.proof.turn:
        return
    draw = np.random.default_rng(11)
    lemmas = proofs.identities(theorem)
    for lemma in lemmas:
        texts = [lemma.shown, *(t for pair in (*lemma.products, *lemma.squares) for t in pair)]
        if any(APART.search(text) for text in texts):
            continue
        met = 0
        for _ in range(ROUNDS):
            said = situation(theorem, lemma.place, draw)
            if said is None:
                break
            problem = Affine(draw, 2, theorem.A != "zero")
            problem.solution = [fmpq(0)] * 2
            constants = [p.symbol for p in theorem.asked if p.symbol is not None]
            names = [*constants, *(c.name for c in [*theorem.conditions, *theorem.chains])]
            real = [n for n in dict.fromkeys(names) if n.isidentifier() and n not in said["whole"]]
            values = {
                n: fmpq(int(draw.integers(10, 999)), p) for n, p in zip(real, PRIMES, strict=False)
            }
            k = said["k"]
            last = said["whole"].get("K", k + 4)
            run = Printed(theorem, problem, values, said["whole"], min(k + 4, last + 1))
            if any(run.text(test, k) is not holds for test, holds in said["tests"]):
                continue
            met += 1
            sides = {"bound - measure": (theorem.right.tree, theorem.left.tree)}
            if lemma.shown in sides:
                right, left = sides[lemma.shown]
                shown = run.value(right, k) - run.value(left, k)
            else:
                shown = run.text(lemma.shown, k)
            total = sum((run.text(m, k) * run.text(i, k) for m, i in lemma.products), fmpq(0))
            total += sum(
                (run.text(w, k) * run.text(f"norm2({v})", k) for w, v in lemma.squares), fmpq(0)
            )
            total += run.text(lemma.left, k) * run.text("R**2", k)
            assert shown == total, (lemma.place, k, values)
        assert met or said is None or said["tests"], lemma.place


def test_most_identities_are_looked_at() -> None:
    looked = 0
    for name in exported():
        theorem = registry.get("theorems", name)
        if theorem.proof.turn:
            continue
        texts = [*theorem.proof.step, *theorem.proof.end]
        looked += not any(APART.search(text) for text in texts)
        assert grammar.parse(theorem.proof.at_most)
    assert looked > 60


STEPS = ("gorbunov2022_eg_last", "malitsky2020_golden_ratio", "park2022_os_ppm", "yoon2021_eag_c")


@pytest.mark.parametrize("name", STEPS)
def test_a_row_of_a_step_is_told_before_it_is_used(name: str) -> None:
    """next(z) came first, and spoke of the zbar of the line below."""
    theorem = registry.get("theorems", name)
    for step in proofs.steps(theorem, established(theorem)):
        words = [word for word, _ in step.rows]
        for i, (_, told) in enumerate(step.rows):
            names = set(re.findall(r"next\(\w+\)|last\(\w+\)|\w+", told))
            assert not names & {*words[i + 1 :]}, (step.place, step.rows)


# best iterates, a subdifferential, any A, roots, and two hypotheses on F alone
SAID = (
    "gorbunov2023_ppm_star",
    "malitsky2020_golden_ratio",
    "malitsky2020_frb_sum",
    "pethick2023_ikm_last",
    "yoon2021_eag_c",
)


def used_by(theorem: Theorem) -> list[str]:
    """The inequalities of a proof."""
    return [i for p in (theorem.proof.start, theorem.proof.step, theorem.proof.end) for i in p]


def test_all_further_inequalities_are_looked_at() -> None:
    told = {c.partition("(")[0] for n in SAID for c, _ in proofs.inequalities(*_of(n))}
    assert {call.partition("(")[0] for call, _ in proofs.FURTHER} <= told


@pytest.mark.parametrize("name", exported())
def test_points_have_letters_of_their_own(name: str) -> None:
    theorem, used = _of(name)
    for call, _ in proofs.inequalities(theorem, used):
        points = set(call.partition("(")[2].rstrip(")").split(", "))
        assert not points & {*theorem.iteration.rows, *theorem.let}


def _of(name: str) -> tuple[Theorem, list[str]]:
    theorem = registry.get("theorems", name)
    return theorem, used_by(theorem)


@pytest.mark.parametrize("name", SAID)
def test_what_an_inequality_is_said_to_say_is_what_it_says(name: str) -> None:
    """The words beside a proof, against the values that the identities above are checked with."""
    theorem = registry.get("theorems", name)
    draw = np.random.default_rng(3)
    problem = Affine(draw, 2, theorem.A != "zero")
    problem.solution = [fmpq(0)] * 2
    constants = [p.symbol for p in theorem.asked if p.symbol is not None]
    real = [*constants, *(c.name for c in [*theorem.conditions, *theorem.chains])]
    values: dict[str, Any] = {n: fmpq(i + 3, 7) for i, n in enumerate(real) if n.isidentifier()}
    whole = {p.symbol: 2 for p in theorem.iteration.parameters if p.integer}
    run = Printed(theorem, problem, values, whole, 4)
    run.values |= {n: run._vector(problem.vector(draw)) for n in itertools.chain(*proofs.POINTS)}
    told = proofs.inequalities(theorem, used_by(theorem))
    assert told
    for call, text in told:
        if "(s)" in call:
            call, text = (t.replace("(s)", "(residual)") for t in (call, text))
            text = text.replace("s - ", "residual - ", 1)
        assert run.text(text, 2) == run.text(call, 2), call


def test_letters_that_a_statement_has_are_not_those_of_its_proof() -> None:
    entry = stated("lieder2021_halpern", let={"V": "1", "B": "2"}, bound="V*B*2*R**2/(k + 1)**2")
    text = proofs.latex(entry)
    assert r"C - W_{k}" in text
    assert "V_{k}" not in text
    assert "Potential W, and C" in text
