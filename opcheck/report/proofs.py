r"""A proof as a text to be checked by hand: Markdown, or LaTeX that amsmath alone compiles.

Both are written from the same identities, each an equation between texts: what is to be shown is
the sum of multiplier times inequality and of weight times square.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from opcheck import registry
from opcheck.engine.coefficients import STAR
from opcheck.engine.ratio import Field, Period, Ratio
from opcheck.engine.steps import combined
from opcheck.errors import OpcheckError
from opcheck.evidence.proofs.prove import Argument, Case, established
from opcheck.evidence.proofs.reader import SHIFT
from opcheck.evidence.statement.ranges import symbols_of
from opcheck.model import grammar, typeset
from opcheck.model.grammar import Call, Name, Node
from opcheck.model.measure import STANDING
from opcheck.model.proof import RUN
from opcheck.model.theorem import Theorem, theorem_of
from opcheck.report.fitted import Fitted

SPARE = re.compile(r"\bs\.\d+\b")
COUNT = re.compile(r"\b([a-z]\w*)\.(\d+)\b")  # the second count of a loop of any length
FORMULA = "\0"  # around one within a sentence
POINTS = (
    ("u", "v", "w"),
    ("x", "y", "t"),
    ("p", "q", "r"),
    ("a", "b", "d"),
)  # letters for points that are no row of the method
FURTHER = (  # inequalities that need no hypothesis on F
    ("Resolvent({u}, {v})", "inner({u} - {v}, A({u}) - A({v}))"),
    ("Subgradient({u}, {v})", "f({v}) - f({u}) - inner(A({u}), {v} - {u})"),
    ("Cauchy({u}, {v}, {w})", "sqrt(norm2({u})*norm2({w})) - inner({u}, {v})"),
    ("Least(s)", "s - best(s)"),
    ("Mean(s)", "before(s) - k*best(s)"),
)
RELATION_WORDS = {"equality": "=", "must fail": "≰"}


@dataclass(frozen=True)
class Step:
    """What one step makes of the rows.

    Attributes:
        place: for which k and whole parameters.
        rows: (row after it, combination of rows before it and of values), as texts.
    """

    place: str
    rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Identity:
    """One lemma: what is shown, and the terms that it is the sum of, as texts.

    Attributes:
        place: which lemma, and where it holds.
        shown: what is to be ≥ 0 of the part, or which vector is the longer one.
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


def potential_names(theorem: Theorem) -> tuple[str, str]:
    """What V and B are called: other letters where the statement's symbols have these."""
    assert theorem.proof is not None
    own = {*theorem.let, *theorem.proof.let, *theorem.iteration.rows, *symbols_of(theorem)}
    V, B = ([*(n for n in letters if n not in own), letters[0]][0] for letters in ("VWU", "BCD"))
    return V, B


def _claims(theorem: Theorem) -> dict[str, str]:
    """What each part of an argument shows to be ≥ 0, as texts."""
    V, B = potential_names(theorem)
    return {
        "start": f"{B} - {V}",
        "step": f"{V} - next({V})",
        "end": "bound - measure",
        "early": "bound - measure",
    }


def _identity(case: Case, argument: Argument) -> Identity:
    part, _, place = argument.name.partition(", ")

    def told(value: Ratio) -> str:
        return _told(value, lambda factor: _negative(case, factor))

    names = [_word(name) for name in case.reader.steps.names(case.at or 0)]
    for name, value in case.reader.case.items():  # a loop's length by what is counted in it
        if isinstance(value, Period):
            place = place.replace(f"{name} = {case.case[name]}", f"{name} = {_told(value.plain)}")
    return Identity(
        place=f"{part}, {place}" if place else part,
        shown=_longer(argument.rests) if argument.rests else _claims(case.theorem)[part],
        products=tuple((told(m), inequality) for inequality, _, m in argument.used),
        squares=tuple((told(w), _combined(row, names)) for w, row in argument.squares),
        left=told(argument.radius),
    )


def _longer(cauchy: str) -> str:
    """What ‖w‖² − ‖v‖² is for ``Cauchy(u, v, w)``, also at another step."""
    node, around = grammar.parse(cauchy), "{}"
    while isinstance(node, Call) and node.function in SHIFT:
        around = around.format(f"{node.function}({{}})")
        (node,) = node.arguments
    assert isinstance(node, Call)
    _, shorter, longer = map(grammar.unparse, node.arguments)
    return around.format(f"norm2({longer}) - norm2({shorter})")


def _negative(case: Case, factor: Any) -> bool:
    """Whether a factor is seen to be negative on the range, and is better turned round."""
    field = case.reader.field
    return len(factor.to_dict()) > 1 and case.domain().positive(Ratio(field, -factor, field.one))


def _told(value: Ratio, negative: Callable[[Any], bool] = lambda _: False) -> str:
    """A function as a text of the statement's own symbols, as a product of powers."""
    text = SPARE.sub(lambda m: f"({value.field.meaning(m[0])})", value.factored(negative))
    return COUNT.sub(r"\1_\2", text)


def steps(theorem: Theorem, shown: Sequence[tuple[Case, Argument]]) -> list[Step]:
    """What a step makes of the rows, wherever a proof tells one for every k."""
    out: dict[str, Step] = {}
    for case, argument in shown:
        if case.part not in ("step", "end") or case.at is not None or argument.rests:
            continue
        place = argument.name.partition(", ")[2]
        for _ in case.reader.assumed:  # tests of texts make no other step
            place = place.rpartition(", ")[0] if ", " in place else ""
        if place in out:
            continue
        alone = case.step()
        names = [_word(name) for name in alone.names(0)]
        rows = []
        for row, vector in zip(theorem.iteration.rows, alone.states[1], strict=True):
            word = row if row not in STANDING else f"next({row})"
            if row != "anchor" and word != (told := _combined(dict(vector), names)):
                rows.append((word, told))
        out[place] = Step(place, tuple(_defined_first(rows)))
    return list(out.values())


def _defined_first(rows: Sequence[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """The rows of a step in an order in which none speaks of one that comes later; a resolvent is
    told by what it is at its own point."""
    left = list(rows)
    while left:
        words = {word: rf"(?<!\w){re.escape(word)}(?!\w)" for word, _ in left}
        ready = [
            (own, told)
            for own, told in left
            if not any(re.search(w, told) for word, w in words.items() if word != own)
        ]
        yield from ready or left
        left = [row for row in left if row not in ready] if ready else []


def _word(name: str) -> str:
    """A vector's name as a text."""
    return name.replace(STAR, "F(solution)")


def _combined(row: Mapping[int, Ratio], names: list[str]) -> str:
    """A combination of vectors as a text."""
    return combined(((_told(c), names[i]) for i, c in row.items()), "({})*{}", "-")


def inequalities(theorem: Theorem, used: Sequence[str] = ()) -> list[tuple[str, str]]:
    """Each hypothesis at two points, and each further inequality that is used, as a text ≥ 0."""
    field = Field(symbols_of(theorem))
    own = {*theorem.iteration.rows, *theorem.let, *field.names}
    u, v, w = next((letters for letters in POINTS if not own & {*letters}), POINTS[0])
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
        value, point = f"{of}({u}) - {of}({v})", f"{u} - {v}"
        a, b, c = form
        parts = [
            (a, f"norm2({point})"),
            (2 * b, f"inner({point}, {value})"),
            (c, f"norm2({value})"),
        ]
        text = " + ".join(_times(_number(c), term) for c, term in parts if c)
        told.append((f"{prop.kind.name}({u}, {v})", text))
    called = {node.function for text in used for node in _calls(text)}
    further = [pair for pair in FURTHER if pair[0].partition("(")[0] in called]
    return told + [
        (call.format(u=u, v=v, w=w), text.format(u=u, v=v, w=w)) for call, text in further
    ]


def _calls(text: str) -> Iterator[Call]:
    return (n for n in grammar.walk(grammar.parse(text)) if isinstance(n, Call))


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
    if entry.proof is None:
        raise OpcheckError(f"{entry.name} declares no potential argument")
    body = "\n".join(_lines(entry, _AsLatex(entry)))
    head = (
        "\\documentclass{article}\n\\usepackage[T1]{fontenc}\n\\usepackage{amsmath}\n"
        "\\setlength{\\textwidth}{6.5in}\n\\setlength{\\oddsidemargin}{0in}\n\\allowdisplaybreaks\n"
    )
    return f"{head}\\begin{{document}}\n{body}\n\\end{{document}}\n"


def _lines(entry: Theorem, write: _AsMarkdown) -> Iterator[str]:
    shown = established(entry)
    lemmas = [_identity(*each) for each in shown]
    proof = entry.proof
    assert proof is not None
    sign = RELATION_WORDS.get(entry.claim, "<=")
    yield write.head(entry.name)
    yield write.words(f"Method: {entry.method}. Given: {'; '.join(entry.hypotheses)}.")
    ranges = [r for r in (entry.where, *(f"{n} = {f}" for n, f in entry.let.items())) if r]
    for text in ranges:
        yield write.words(f"With {write.code(text)}.")
    single_steps = steps(entry, shown)
    for step in single_steps:
        yield write.words(f"Step k{write.place(step.place)}:")
        yield write.shown([(row, " = ", told) for row, told in step.rows])
    since = f" for every k from {entry.first} on" if entry.first else " for every k"
    yield write.words(f"Claim{since}:")
    yield write.shown([(entry.measure, f" {sign} ", entry.bound)])
    told = " ".join(vector for step in single_steps for _, vector in step.rows)
    inner = re.search(r"\binner\((\w+)\)", told)
    yield from _conventions(entry, write, inner[1] if inner else "")
    V, B = potential_names(entry)
    used = [inequality for lemma in lemmas for _, inequality in lemma.products]
    for name, text in inequalities(entry, used):
        yield write.words(f"{name} says that this is not negative:")
        yield write.shown([("", "", text)])
    for name, text in proof.let.items():
        yield write.words(f"In the proof {write.code(f'{name} = {text}')}.")
    if proof.potential:
        yield write.words(f"Potential {V}, and {B}, which it is at most where it starts:")
        yield write.shown([(V, " = ", proof.potential), (B, " = ", proof.at_most)])
    for lemma in lemmas:
        part, _, place = lemma.place.partition(", ")
        yield write.words(f"{PARTS.get(part, part)}{write.place(place)}: the sum of")
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
    end = f"so {V} never grows, and at every k " if proof.potential else ""
    yield write.words(
        f"All multipliers and weights are not negative on the range, {end}the bound follows."
    )


def _conventions(entry: Theorem, write: _AsMarkdown, inner: str) -> Iterator[str]:
    """What a reader is to know of the letters.

    Args:
        inner: the row of an inner loop of which nothing is known before its last pass; "".
    """
    proof = entry.proof
    assert proof is not None
    yield write.words(
        f"Points are told from the solution on: below {write.code('solution')} is 0, and a "
        f"property of one point is that of it and the solution. "
        f"{write.code('R**2')} is {write.code('norm2(z0 - solution)')}."
    )
    if any(p.of == "T" for p in entry.asked):
        yield write.words("F = I - T; what is given of T is written for F.")
    if entry.A != "zero":
        yield write.words(
            "A(u) is the element of A at u that a resolvent gave there, S(u) = F(u) + A(u), and "
            "F(solution) + A(solution) = 0."
        )
    trees = [entry.left.tree, entry.right.tree, grammar.parse(proof.potential or "0")]
    for name, row in dict.fromkeys(each for tree in trees for each in _values_in(tree)):
        yield write.words(f"In {name} v is the row {write.code(row)}.")
    if inner:
        yield write.words(
            f"{write.code(f'inner({inner})')} is {inner} before the last pass of the inner loop; "
            "nothing is known of it."
        )
    if proof.horizon:
        last = write.code(proof.horizon)
        of = "for which the run is made" if proof.horizon == RUN else "of the statement"
        yield write.words(
            f"{last} is the last k, {of}: before it {write.code(f'k + 1 <= {proof.horizon}')}, and "
            f"in the end {last} is k."
        )


PARTS = {"start": "start", "step": "step", "end": "end", "early": "before the last k"}


def _values_in(tree: Node) -> Iterator[tuple[str, str]]:
    """Each measure in a text whose formula has v for a row, with that row."""
    measures = registry.entered("measures")
    for node in grammar.walk(tree):
        name = node.name if isinstance(node, Name) else getattr(node, "function", "")
        if name not in measures or "v_k" not in measures[name].latex:
            continue
        given = node.arguments if isinstance(node, Call) else ()
        rows = [a.name for a in given if isinstance(a, Name)]
        rows += measures[name].rows[len(rows) :]
        of_values = (i for i, row in enumerate(measures[name].rows) if row.startswith("F"))
        yield name, rows[next(of_values)]


class _AsMarkdown:
    """Texts as they are declared, in code."""

    def place(self, said: str) -> str:
        """For which k and whole parameters, and where which tests hold."""
        parts = [part for part in said.split(", ") if part]
        return "".join(f", {self._condition(part)}" for part in _joined(parts))

    def _condition(self, text: str) -> str:
        word, text = ("not ", text[4:]) if text.startswith("not ") else ("", text)
        return f"{word}{self.code(text)}" if re.search("[=<>]", text) else f"{word}{text}"

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

    def __init__(self, theorem: Theorem) -> None:
        assert theorem.proof is not None
        self.rows = frozenset(theorem.iteration.rows)
        self.potential, self.last = potential_names(theorem), theorem.proof.horizon or RUN

    def head(self, name: str) -> str:
        return rf"\section*{{{_plain(name)}}}"

    def words(self, sentence: str) -> str:
        return f"\n{_plain(sentence)}\n"

    def code(self, text: str) -> str:
        name, equals, source = text.partition(" = ")
        if equals:
            shown = " = ".join(map(self._formula, (name, source)))
        elif re.search("[<>]", text):
            shown = ", ".join(typeset.ranges(text))
        else:
            shown = self._formula(text)
        return f"{FORMULA}{shown}{FORMULA}"

    def _formula(self, text: str) -> str:
        return typeset.of_proof(text, self.rows, potential=self.potential, last=self.last)

    def shown(self, rows: list[tuple[str, str, str]]) -> str:
        fitted = Fitted(self.rows, self.potential, self.last)
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


def _joined(parts: Sequence[str]) -> Iterator[str]:
    """Parts that were split at commas, put together again where one had parentheses open."""
    held = ""
    for part in parts:
        held = f"{held}, {part}" if held else part
        if held.count("(") == held.count(")"):
            yield held
            held = ""


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
