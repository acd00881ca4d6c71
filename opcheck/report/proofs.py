r"""A proof as a text to be checked by hand: Markdown, or LaTeX that amsmath alone compiles.

Both are written from the same identities, each an equation between texts: what is to be shown is
the sum of multiplier times inequality and of weight times square.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from opcheck.engine.coefficients import STAR
from opcheck.engine.ratio import Field, Period, Ratio
from opcheck.engine.steps import combined
from opcheck.evidence.proofs.prove import Argument, Case, established
from opcheck.evidence.statement.ranges import symbols_of
from opcheck.model import grammar, typeset
from opcheck.model.theorem import Theorem, theorem_of
from opcheck.report.fitted import Fitted

CLAIMS = {
    "start": "B - V",
    "step": "V - next(V)",
    "end": "bound - measure",
    "length": "norm2(w) - norm2(v)",
}
SPARE = re.compile(r"\bs\.\d+\b")
COUNT = re.compile(r"\b([a-z]\w*)\.(\d+)\b")  # the second count of a loop of any length
FORMULA = "\0"  # around one within a sentence
RELATION_WORDS = {"equality": "=", "must fail": "≰"}


@dataclass(frozen=True)
class Identity:
    """One lemma: what is shown, and the terms that it is the sum of, as texts.

    Attributes:
        place: which lemma, and where it holds.
        shown: one of the texts of ``CLAIMS``.
        products: (multiplier, inequality).
        squares: (weight, vector).
        left: the factor of R² that is left, which is ≥ 0; "0" for none.
    """

    place: str
    shown: str
    products: tuple[tuple[str, str], ...]
    squares: tuple[tuple[str, str], ...]
    left: str


def identities(theorem: str | Theorem) -> list[Identity]:
    """The lemmas of a theorem's proof. Raises as ``prove``."""
    return [_identity(*each) for each in established(theorem_of(theorem))]


def _identity(case: Case, argument: Argument) -> Identity:
    part, _, place = argument.name.partition(", ")
    names = [_word(name) for name in case.reader.steps.names(case.at or 0)]
    for name, value in case.reader.case.items():  # a loop's length by what is counted in it
        if isinstance(value, Period):
            place = place.replace(f"{name} = {case.case[name]}", f"{name} = {_told(value.plain)}")
    return Identity(
        place=f"{part}, {place}" if place else part,
        shown=CLAIMS[part],
        products=tuple((_told(m), inequality) for inequality, _, m in argument.used),
        squares=tuple((_told(w), _combined(row, names)) for w, row in argument.squares),
        left=_told(argument.radius),
    )


def _told(value: Ratio) -> str:
    """A function as a text of the statement's own symbols, as a product of powers."""
    text = SPARE.sub(lambda m: f"({value.field.meaning(m[0])})", value.factored())
    return COUNT.sub(r"\1_\2", text)


def _word(name: str) -> str:
    """A vector's name as a text."""
    return name.replace(STAR, "F(solution)")


def _combined(row: Mapping[int, Ratio], names: list[str]) -> str:
    """A combination of vectors as a text."""
    return combined(((_told(c), names[i]) for i, c in row.items()), "({})*{}", "-")


def inequalities(theorem: Theorem) -> list[tuple[str, str]]:
    """Each hypothesis at u and v as a text that is ≥ 0; one about the solution has v = z*."""
    field = Field(symbols_of(theorem))
    told = []
    for prop in theorem.asked:
        of = "F" if prop.of == "T" else prop.of
        if prop.kind.better is None:
            form = prop.form()
        elif prop.number is not None:
            form = prop.form(prop.number)
        elif prop.symbol is not None:
            form = prop.form(field.symbol(prop.symbol))
        else:
            continue
        value, point = f"{of}(u) - {of}(v)", "u - v"
        a, b, c = form
        parts = [
            (a, f"norm2({point})"),
            (2 * b, f"inner({point}, {value})"),
            (c, f"norm2({value})"),
        ]
        text = " + ".join(_times(_number(c), term) for c, term in parts if c)
        told.append((f"{prop.kind.name}(u, v)", text))
    return told


def _times(factor: str, text: str) -> str:
    return text if factor == "1" else f"({factor})*{text}"


def _number(value: object) -> str:
    return value.factored() if isinstance(value, Ratio) else str(value)


def markdown(theorem: str | Theorem) -> str:
    """A theorem's proof as Markdown. Raises as ``prove``."""
    return "\n".join(_lines(theorem_of(theorem), _AsMarkdown())) + "\n"


def latex(theorem: str | Theorem) -> str:
    """A theorem's proof as a LaTeX document. Raises as ``prove``."""
    entry = theorem_of(theorem)
    body = "\n".join(_lines(entry, _AsLatex(frozenset(entry.iteration.rows))))
    head = (
        "\\documentclass{article}\n\\usepackage[T1]{fontenc}\n\\usepackage{amsmath}\n"
        "\\setlength{\\textwidth}{6.5in}\n\\setlength{\\oddsidemargin}{0in}\n\\allowdisplaybreaks\n"
    )
    return f"{head}\\begin{{document}}\n{body}\n\\end{{document}}\n"


def _lines(entry: Theorem, write: _AsMarkdown) -> Iterator[str]:
    lemmas = identities(entry)
    proof = entry.proof
    assert proof is not None
    sign = RELATION_WORDS.get(entry.claim, "<=")
    yield write.head(entry.name)
    yield write.words(f"Method: {entry.method}. Given: {'; '.join(entry.hypotheses)}.")
    ranges = [r for r in (entry.where, *(f"{n} = {f}" for n, f in entry.let.items())) if r]
    for text in ranges:
        yield write.words(f"With {write.code(text)}.")
    since = f" for every k from {entry.first} on" if entry.first else " for every k"
    yield write.words(f"Claim{since}:")
    yield write.shown([(entry.measure, f" {sign} ", entry.bound)])
    for name, text in inequalities(entry):
        yield write.words(f"{name} says that this is not negative:")
        yield write.shown([("", "", text)])
    for name, text in proof.let.items():
        yield write.words(f"In the proof {write.code(f'{name} = {text}')}.")
    if proof.potential:
        yield write.words("Potential V, and what it is at most where it starts:")
        yield write.shown([("V", " = ", proof.potential), ("B", " = ", proof.at_most)])
    for lemma in lemmas:
        yield write.words(f"{lemma.place}: the sum of")
        products = [_times(m, inequality) for m, inequality in lemma.products]
        squares = [_times(w, f"norm2({vector})") for w, vector in lemma.squares]
        rest = [_times(lemma.left, "R**2")] if lemma.left != "0" else []
        terms = [*products, *squares, *rest] or ["0"]
        yield write.shown(
            [
                (lemma.shown if i == 0 else "", " = " if i == 0 else " + ", t)
                for i, t in enumerate(terms)
            ]
        )
    end = "so V never grows, and at every k " if proof.potential else ""
    yield write.words(
        f"All multipliers and weights are not negative on the range, {end}the bound follows."
    )


class _AsMarkdown:
    """Texts as they are declared, in code."""

    def head(self, name: str) -> str:
        return f"# {name}\n"

    def words(self, sentence: str) -> str:
        return f"{sentence}\n"

    def code(self, text: str) -> str:
        return f"`{text}`"

    def shown(self, rows: list[tuple[str, str, str]]) -> str:
        return "\n".join(["```text", *(f"{a}{sign}{b}".strip() for a, sign, b in rows), "```", ""])


class _AsLatex(_AsMarkdown):
    """The same texts typeset; what is not ASCII in sentences is written out."""

    def __init__(self, rows: frozenset[str]) -> None:
        self.rows = rows

    def head(self, name: str) -> str:
        return rf"\section*{{{_plain(name)}}}"

    def words(self, sentence: str) -> str:
        return f"\n{_plain(sentence)}\n"

    def code(self, text: str) -> str:
        name, equals, source = text.partition(" = ")
        if equals:
            shown = " = ".join(typeset.of_proof(part, self.rows) for part in (name, source))
        else:
            shown = ", ".join(typeset.ranges(text))
        return f"{FORMULA}{shown}{FORMULA}"

    def shown(self, rows: list[tuple[str, str, str]]) -> str:
        fitted = Fitted(self.rows)
        shown = [
            row for a, sign, b in rows for row in fitted.lines(a, sign.strip(), grammar.parse(b))
        ]
        display = _aligned(shown)
        if fitted.parts:
            display += "\n\nwhere\n\n" + _aligned([*fitted.definitions()])
        return display


def _aligned(rows: list[tuple[str, str, str]]) -> str:
    """Rows of (left, sign, right) in LaTeX as a display."""
    relations = {"<=": r"\le", "≰": r"\nleq"}
    lines = [rf"{left} & {relations.get(sign, sign)} {right}" for left, sign, right in rows]
    return "\\begin{align*}\n" + " \\\\\n".join(lines) + "\n\\end{align*}"


WORDS = {
    "≥": r"$\ge$", "≤": r"$\le$", "ρ": r"$\rho$", "γ": r"$\gamma$", "∂": r"$\partial$",
    "−": "-", "τ": r"$\tau$", "λ": r"$\lambda$", "²": r"$^2$", "≠": r"$\ne$", "∈": r"$\in$",
}  # fmt: skip


def _plain(sentence: str) -> str:
    r"""A sentence in LaTeX: special characters escaped, others that sentences hold as commands."""
    parts = sentence.split(FORMULA)  # text and formula in turn
    return "".join(f"${part}$" if i % 2 else _escaped(part) for i, part in enumerate(parts))


def _escaped(text: str) -> str:
    out = ""
    for c in text:
        if c in "_&%#{}":
            out += f"\\{c}"
        elif c in "^~\\":
            out += rf"\char`\{c}"
        elif c in "<>*":
            out += f"${c}$"
        else:
            out += WORDS.get(c, c)
    return out
