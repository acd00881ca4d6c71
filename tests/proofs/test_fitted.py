"""Long formulas under names of their own: put back, they are what they stand for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import pytest

from opcheck import registry
from opcheck.model import grammar
from opcheck.model.grammar import Node
from opcheck.report import proofs
from opcheck.report.fitted import WIDTH, Fitted, width

registry.load()
DECLARED = [n for n in registry.names("theorems") if registry.get("theorems", n).proof]


class Spots(dict[str, Any]):
    """A number for every name, and a function of it for every call."""

    def __missing__(self, name: str) -> Any:
        return Fraction(sum(map(ord, name)), 7 + len(name))


def value(node: Node) -> Any:
    """A formula's value, where vectors are numbers and functions some polynomials."""
    text = re.sub(r"([A-Za-z]\w*)\(", r"CALL('\1')(", grammar.unparse(node))
    text = re.sub(r"(?<![\w.'])(\d+)", r"Q(\1)", text).replace("**Q(2)", "**2")
    text = re.sub(r"\*\*(\([^()]*(?:\([^()]*\)[^()]*)*\)|k|Q\(\d+\))", r"*POW(\1)", text)

    def called(name: str) -> Any:
        return lambda *parts: sum((i + 2) * Spots()[name] * p * p + p for i, p in enumerate(parts))

    spots = Spots(CALL=called, Q=Fraction, POW=lambda x: 3 * x + 1)
    return eval(text, {"__builtins__": {}}, spots)


def put_back(node: Node, fitted: Fitted) -> Node:
    parts = {name.name: part for name, part in fitted.parts.items()}
    for _ in range(len(parts) + 1):
        node = grammar.replaced(node, parts)
    assert not grammar.names(node) & parts.keys(), "a name stands for itself"
    return node


def formulas(name: str) -> Iterator[str]:
    for lemma in proofs.identities(name):
        for factor, term in lemma.products:
            yield f"({factor})*{term}"
        for weight, vector in lemma.squares:
            yield f"({weight})*norm2({vector})"
    proof = registry.get("theorems", name).proof
    assert proof is not None
    yield proof.potential or "0"


@pytest.mark.parametrize("name", DECLARED)
@pytest.mark.sampled(12)
def test_a_shorter_formula_is_the_formula(name: str) -> None:
    rows = frozenset(registry.get("theorems", name).iteration.rows)
    for source in formulas(name):
        tree = grammar.parse(source)
        fitted = Fitted(rows)
        short = fitted.shorter(tree, WIDTH)
        assert value(put_back(short, fitted)) == value(tree), source
        assert width(short) <= max(WIDTH, 0.6 * width(tree)), source


@pytest.mark.parametrize("name", DECLARED)
@pytest.mark.sampled(12)
def test_every_name_is_told_once_and_stands_for_something_else(name: str) -> None:
    text = proofs.latex(name)
    for display in text.split("the sum of")[1:]:
        told = re.findall(r"(?m)^([cevp]_\{\d+\}) & = (.*?)(?: \\\\)?$", display)
        assert len({left for left, _ in told}) == len(told)
        assert all(left != right for left, right in told)
        spoken = {*re.findall(r"\b[cevp]_\{\d+\}", display)}
        assert spoken == {left for left, _ in told}


def test_the_names_are_those_of_no_symbol() -> None:
    for name in DECLARED:
        theorem = registry.get("theorems", name)
        symbols = {*theorem.let, *theorem.proof.let, *theorem.iteration.rows}
        assert not [s for s in symbols if re.fullmatch(r"[cevp]_\d+", s)]
