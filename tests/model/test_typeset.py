"""Texts of statements as LaTeX."""

from __future__ import annotations

import re

import pytest

from opcheck import registry
from opcheck.model.typeset import dependent, formula, of_proof, ranges, symbol

registry.load()  # measures have symbols


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("R**2/(k + 1)", r"\frac{R^{2}}{k + 1}"),
        ("-1/(2*L)", r"-\frac{1}{2\,L}"),
        ("a - (b - c)", r"a - \left(b - c\right)"),
        ("a - (b + c)", r"a - \left(b + c\right)"),
        ("a*(b + c)", r"a\,\left(b + c\right)"),
        ("2*3", r"2 \cdot 3"),
        ("(-a)**2", r"\left(-a\right)^{2}"),
        ("(a/b)**2", r"\left(\frac{a}{b}\right)^{2}"),
        ("(a**b)**c", r"\left(a^{b}\right)^{c}"),
        ("a**(b + 1)", r"a^{b + 1}"),
        ("sqrt(gamma*L)", r"\sqrt{\gamma\,L}"),
        ("abs(rho)", r"\left| \rho \right|"),
        ("mod(k + 1, tau)", r"\left(k + 1\right) \bmod \tau"),
        ("1e-30", r"1 \cdot 10^{-30}"),
        ("where(k == 0, 1, where(k < 3, 2, 0))", None),
        ("residual", r"\Vert F\,z_{k}\Vert^2"),
        ("next(residual)", r"\Vert F\,z_{k+1}\Vert^2"),
        ("first(residual)", r"\Vert F\,z_{0}\Vert^2"),
        ("residual**2", r"\left(\Vert F\,z_{k}\Vert^2\right)^{2}"),
        # what a step writes belongs to it, and z is then where it arrived
        ("distance(z, before)", r"\Vert z_{k+1} - z_{k}\Vert^2"),
        ("residual(before)", r"\Vert F\,z_{k}\Vert^2"),
        ("norm2(Fzbar)", r"\Vert F\,{\bar{z}}_{k}\Vert^2"),
        ("best(distance)", r"\min_{0 \le j \le k} \Vert z_{j} - z^*\Vert^2"),
        ("upto(k*residual)", r"\sum_{j=0}^{k} j\,\Vert F\,z_{j}\Vert^2"),
        ("2*before(a)", r"2\,\left(\sum_{j=0}^{k-1} a\right)"),
        ("upto(upto(a))", r"\sum_{j=0}^{k} \sum_{i=0}^{j} a"),
    ],
)
def test_a_text_is_set_as_a_person_would(text: str, shown: str | None) -> None:
    cases = (
        r"\begin{cases} 1 & \text{if } k = 0 \\ 2 & \text{if } k < 3 \\ 0 & \text{else} \end{cases}"
    )
    assert formula(text) == (shown or cases)


def test_a_sequence_has_an_index() -> None:
    moving = dependent({"a": "lam/2", "b": "a*k", "c": "2", "e": "b + 1"}, {"lam"})
    assert moving == {"lam", "a", "b", "e"}
    assert formula("upto(lam**2*c)", moving) == r"\sum_{j=0}^{k} {\lambda_{j}}^{2}\,c"
    assert formula("next(a)", moving) == "a_{k+1}"


def test_ranges_are_set_part_by_part() -> None:
    assert ranges("0 < gamma <= 1/L, -1/L < rho") == [
        r"0 < \gamma \le \frac{1}{L}",
        r"-\frac{1}{L} < \rho",
    ]
    assert ranges("") == []


@pytest.mark.parametrize(
    ("name", "shown"),
    [("lam", r"\lambda"), ("rho2", r"\rho_{2}"), ("rhobar", r"{\bar{\rho}}"), ("q", "q")],
)
def test_symbols(name: str, shown: str) -> None:
    assert symbol(name) == shown


@pytest.mark.parametrize("name", registry.names("theorems"))
def test_every_statement_is_set(name: str) -> None:
    theorem = registry.get("theorems", name)
    moving = theorem.sequences
    parts = [theorem.latex(), *ranges(theorem.where, moving)]
    parts += [formula(text, moving) for text in theorem.let.values()]
    for shown in parts:
        assert shown.isascii()
        assert shown.count("{") == shown.count("}")
        assert len(re.findall(r"\\left(?![a-z])", shown)) == len(
            re.findall(r"\\right(?![a-z])", shown)
        )
        # no name of the language is left as letters side by side
        words = re.findall(r"[A-Za-z]+", re.sub(r"\\[A-Za-z]+(\{[a-z]+\})?", " ", shown))
        assert all(len(word) == 1 or word in ("if", "else") for word in words), shown
    assert theorem._repr_latex_() == rf"$\displaystyle {theorem.latex()}$"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("last(last(z))", "z_{k-2}"),
        ("next(next(z))", "z_{k+2}"),
        ("last(next(z))", "z_{k}"),
        ("final(z)", "z_{K}"),
        ("γ*z", r"\gamma\,z_{k}"),
        ("é*z", r"e\,z_{k}"),
        ("bar*z", r"\mathrm{bar}\,z_{k}"),
        ("inner(w)", r"\tilde{w}_{k}"),
    ],
)
def test_texts_of_proofs(text: str, shown: str) -> None:
    assert of_proof(text, frozenset({"z", "w"})) == shown
