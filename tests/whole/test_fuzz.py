"""Whatever is declared: one sentence, or an answer; no traceback, no hang, no verdict on nothing.

Declarations are made from those of the library by edits of single words, as by a slip of the pen.
"""

from __future__ import annotations

import dataclasses
import random
import re
import time
from typing import Any

import pytest
from timer import within

from opcheck import Lipschitz, Monotone, Proof, StronglyMonotone, WeakMinty, registry
from opcheck.errors import OpcheckError
from opcheck.evidence.certificates.certificate import certify
from opcheck.evidence.proofs.prove import attempt
from opcheck.evidence.simulation.verify import confront
from opcheck.evidence.statement.well_posed import well_posed
from opcheck.model import signature
from opcheck.model.problem import problem
from opcheck.model.theorem import Theorem

registry.load()
LIMIT = 30  # seconds that one declaration may take in all
WORDS = [
    "0",
    "1",
    "2",
    "-1",
    "1/2",
    "0.1",
    "1e-3",
    "1e308",
    "10**400",
    "k",
    "K",
    "R",
    "L",
    "rho",
    "mu",
    "gamma",
    "lam",
    "tau",
    "pi",
    "z",
    "zbar",
    "Fz",
    "solution",
    "before",
    "residual",
    "distance",
    "norm2",
    "gap",
    "upto(",
    "before(",
    "best(",
    "first(",
    "next(",
    "last(",
    "where(",
    "mod(",
    "max(",
    "min(",
    "sqrt(",
    "log(",
    "exp(",
    "ceil(",
    "(",
    ")",
    ",",
    "+",
    "-",
    "*",
    "/",
    "**",
    "<",
    "<=",
    "==",
    ">",
    "F(",
    "S(",
    "A(",
    "inner(",
    "Monotone(",
    "Lipschitz(",
    "Subgradient(",
    "resolvent(",
    "potential",
    "spare0",
    "s.0",
    "_x",
    "γ",
    "^",
    ";",
    "[",
    "]",
    "{",
    "}",
    "'",
    "\\",
    "\n",
    "lambda",
    "if",
    "in",
    "not",
    "1j",
    "0x10",
    "1_000",
]


def edited(source: str, draw: random.Random) -> str:
    """A text with one to three of its words left out, doubled, swapped or replaced."""
    words = re.findall(r"\w+\(?|\*\*|<=|==|\s+|.", source) or [""]
    for _ in range(draw.choice((1, 1, 2, 3))):
        at = draw.randrange(len(words))
        match draw.randrange(5):
            case 0:
                words[at] = ""
            case 1:
                words.insert(at, words[at])
            case 2:
                other = draw.randrange(len(words))
                words[at], words[other] = words[other], words[at]
            case 3:
                words.insert(at, draw.choice(WORDS))
            case _:
                words[at] = draw.choice(WORDS)
    return "".join(words)


def declared(draw: random.Random) -> Theorem:
    """A theorem of the library with one part edited, without its order, or that edited."""
    entry: Theorem = registry.get("theorems", draw.choice(registry.names("theorems")))
    if draw.random() < 1 / 16:
        return dataclasses.replace(entry, order=edited(entry.order or "1/k", draw))
    entry = dataclasses.replace(entry, order="")
    proof = entry.proof
    parts = [
        "measure",
        "bound",
        "where",
        "let",
        "given",
        "numbers",
        *(["proof"] * 3 if proof else []),
    ]
    match draw.choice(parts):
        case "measure":
            return dataclasses.replace(entry, measure=edited(entry.measure, draw))
        case "bound":
            return dataclasses.replace(entry, bound=edited(entry.bound, draw))
        case "where":
            return dataclasses.replace(entry, where=edited(entry.where, draw))
        case "let":
            let = dict(entry.let) or {"c": "gamma*2"}
            name = draw.choice(list(let))
            source = let.pop(name)
            let[edited(name, draw) if draw.random() < 0.3 else name] = edited(source, draw)
            return dataclasses.replace(entry, let=let)
        case "given":
            kinds = (Lipschitz, Monotone, StronglyMonotone, WeakMinty)
            constant = draw.choice(
                ["L", "rho", "mu", "k", "", None, 1, 0, -1, 2.5, "1/3", "R", float("nan")]
            )
            extra = draw.choice(kinds)(constant, of=draw.choice(["F", "A", "S", "T", "G"]))  # type: ignore[arg-type]
            return dataclasses.replace(entry, given=(*entry.given[: draw.randrange(3)], extra))
        case "numbers":
            return dataclasses.replace(
                entry,
                first=draw.choice([-1, 0, 1, 5, 10**9]),
                horizons=draw.choice([(), (0,), (3,), (10**9,), (2.5,)]),
            )
    assert proof is not None
    part = draw.choice(["potential", "at_most", "start", "step", "end", "cases", "begin"])
    value: Any = getattr(proof, part)
    if isinstance(value, str):
        value = edited(value, draw)
    elif part == "begin":
        value = draw.choice([-1, 0, 1, 2, 7])
    elif part == "cases":
        value = draw.choice(
            [
                (),
                ({"k": "2*m"},),
                ({"tau": "0"},),
                ({"k": edited("2*m + 1", draw)},),
                ({"gamma": "1"},),
            ]
        )
    else:
        value = dict(value) or {"Monotone(zbar)": "1"}
        name = draw.choice(list(value))
        multiplier = value.pop(name)
        turned = edited(name, draw) if draw.random() < 0.5 else name
        value[turned] = edited(multiplier, draw) if turned == name else multiplier
    return dataclasses.replace(entry, proof=dataclasses.replace(proof, **{part: value}))


def asleep() -> None:
    with within(1):
        time.sleep(5)


def tried(statement: Theorem, deep: bool) -> str:
    """What becomes of a declaration: "refused" or "answered"."""
    with within(LIMIT):
        try:
            signature.check(statement)
            well_posed(statement)
        except OpcheckError:
            return "refused"
        outcome = attempt(statement)
        assert outcome.status != "proved" or outcome.proved is not None
        if outcome.proved is not None:
            parts = {lemma.name.partition(",")[0] for lemma in outcome.proved.lemmas}
            assert "end" in parts
            assert statement.proof is not None
            asked = {"start", "step", "end"}
            if statement.proof.horizon == "K":
                asked.add("early")  # at the k before the last one of a run that is made for it
            assert not statement.proof.potential or parts - {"length"} == asked
        if deep:
            try:
                certificate = certify(statement, max(statement.first, 1))
                assert certificate.valid
            except OpcheckError:
                pass
            verdict = confront(statement, problem("bilinear"))
            assert verdict.status not in ("holds", "attained") or verdict.compared
    return "answered"


def fuzzed(count: int, seed: int, every: int) -> dict[str, int]:
    draw = random.Random(seed)
    outcomes = {"refused": 0, "answered": 0}
    for i in range(count):
        try:
            statement = declared(draw)
        except OpcheckError:  # a property that can't be written is refused where it is
            outcomes["refused"] += 1
            continue
        try:
            outcomes[tried(statement, i % every == 0)] += 1
        except Exception as error:
            fields = {f.name: getattr(statement, f.name) for f in dataclasses.fields(statement)}
            raise AssertionError(f"{type(error).__name__}: {error} from {fields}") from error
    return outcomes


@pytest.mark.ci
def test_edited_declarations_are_refused_or_answered() -> None:
    outcomes = fuzzed(150, 0, 25)
    assert min(outcomes.values()) > 10


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 21))
def test_many_edited_declarations_are_refused_or_answered(seed: int) -> None:
    outcomes = fuzzed(1000, seed, 40)
    assert min(outcomes.values()) > 50


def test_a_proof_of_what_is_edited_is_the_same_proof() -> None:
    """An edit that leaves the statement as it was leaves it proved: the fuzzer can tell."""
    entry: Theorem = registry.get("theorems", "gorbunov2022_eg_last")
    same = dataclasses.replace(entry, bound=f"1*({entry.bound})")
    assert entry.order == "1/k"
    assert attempt(same).status == "proved"
    assert tried(same, False) == "answered"
    with pytest.raises(TimeoutError):
        asleep()
    assert isinstance(entry.proof, Proof)
