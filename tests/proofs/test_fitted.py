"""Long formulas under names of their own: put back, they are what they stand for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import pytest

from opcheck import registry
from opcheck.model import grammar
from opcheck.model.grammar import Binary, Call, Comparison, Name, Negative, Node, Number
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


SHIFTS = {"next": 1, "last": -1}
OVER = ("upto", "before", "best", "first")  # an index of their own


def settled(node: Node, late: int = 0) -> Node:
    """A text without ``next`` and ``last``: k and every name as they are so many steps later."""
    match node:
        case Name("k"):
            return (
                Binary("+", node, Number(late)) if late >= 0 else Binary("-", node, Number(-late))
            )
        case Name(name):
            return Name(f"{name}_{late + 50}")
        case Negative(operand):
            return Negative(settled(operand, late))
        case Binary(sign, left, right):
            return Binary(sign, settled(left, late), settled(right, late))
        case Comparison(relation, left, right):
            return Comparison(relation, settled(left, late), settled(right, late))
        case Call(name, (argument,)) if name in SHIFTS:
            return settled(argument, late + SHIFTS[name])
        case Call("final", _):
            return node
        case Call(name, arguments) if name in OVER:
            return Call(f"{name}{late + 50}", arguments)
        case Call(name, arguments):
            return Call(name, tuple(settled(a, late) for a in arguments))
    return node


def keeps_indices(node: Node, fitted: Fitted) -> bool:
    """Whether no name for a part stands where its index would be another one."""
    parts = {name.name for name in fitted.parts}
    return not any(
        parts & grammar.names(call)
        for call in grammar.walk(node)
        if isinstance(call, Call) and call.function in (*SHIFTS, *OVER)
    )


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
        assert value(settled(put_back(short, fitted))) == value(settled(tree)), source
        assert keeps_indices(short, fitted), source
        assert all(
            keeps_indices(fitted.shorter(p, WIDTH), fitted) for p in [*fitted.parts.values()]
        )
        assert width(short) <= max(WIDTH, 0.6 * width(tree)), source


@pytest.mark.parametrize("name", DECLARED)
@pytest.mark.sampled(12)
def test_every_name_is_told_once_and_stands_for_something_else(name: str) -> None:
    text = proofs.latex(name)
    for display in text.split("the sum of")[1:]:
        told = re.findall(r"(?m)^([cexp]_\{\d+\}) & = (.*?)(?: \\\\)?$", display)
        assert len({left for left, _ in told}) == len(told)
        assert all(left != right for left, right in told)
        spoken = {*re.findall(r"\b[cexp]_\{\d+\}", display)}
        assert spoken == {left for left, _ in told}


def test_the_names_are_those_of_no_symbol() -> None:
    for name in DECLARED:
        theorem = registry.get("theorems", name)
        symbols = {*theorem.let, *theorem.proof.let, *theorem.iteration.rows}
        assert not [s for s in symbols if re.fullmatch(r"[cexp]_\d+", s)]
