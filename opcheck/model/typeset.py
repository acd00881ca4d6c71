r"""Texts of statements as LaTeX, in the plainest commands, which every renderer knows.

A sum, a mean or a minimum over earlier k gets an index of its own, and a row the index of the point
that it holds: ``next(residual)`` is ``\Vert F\,z_{k+1}\Vert^2``.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Set
from fractions import Fraction

from opcheck import registry
from opcheck.model.grammar import (
    Binary,
    Call,
    Comparison,
    Name,
    Negative,
    Node,
    Number,
    names,
    parse,
    parse_ranges,
    unparse,
)
from opcheck.model.measure import Measure, row_symbol
from opcheck.model.proof import FINAL, RUN

GREEK = (
    *("alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "kappa", "lambda"),
    *("mu", "nu", "xi", "rho", "sigma", "tau", "phi", "chi", "psi", "omega"),
)
LETTERS = {name: rf"\{name}" for name in (*GREEK, "pi")} | {"lam": r"\lambda", "eps": r"\epsilon"}
RELATIONS = {"<": "<", "<=": r"\le", ">": ">", ">=": r"\ge", "==": "="}
INDICES = "jil"  # of sums, from the outermost in
BINDING = {"+": 1, "-": 1, "*": 2, "/": 4, "**": 4}
FENCES = {
    "abs": (r"\left|", r"\right|"),
    "ceil": (r"\left\lceil", r"\right\rceil"),
    "floor": (r"\left\lfloor", r"\right\rfloor"),
}
FUNCTIONS = {"exp": r"\exp", "log": r"\log", "sin": r"\sin", "cos": r"\cos", "atan": r"\arctan"}
TIMES, DOT = r"\,", r" \cdot "


def formula(source: str | Node, sequences: Set[str] = frozenset(), at: str = "k") -> str:
    """A text as LaTeX, without the dollars around it.

    Args:
        sequences: symbols that depend on k, which get it as an index.
        at: the index that stands for k.

    Raises OpcheckError for what is no formula.
    """
    return _Writer(sequences).at(parse(source) if isinstance(source, str) else source, at)


def ranges(source: str, sequences: Set[str] = frozenset()) -> list[str]:
    """Each part of a ``where`` as LaTeX. Raises OpcheckError for what is no list of ranges."""
    write = _Writer(sequences).at
    parts = []
    for (first, *others), relations in parse_ranges(source):
        pairs = zip(relations, others, strict=True)
        rest = [f" {RELATIONS[relation]} {write(term, 'k')}" for relation, term in pairs]
        parts.append(write(first, "k") + "".join(rest))
    return parts


def symbol(name: str) -> str:
    r"""A symbol: ``gamma`` as ``\gamma``, ``rho1`` as ``\rho_{1}``, ``total`` as a word."""
    stem, bar = (name.removesuffix("bar"), True) if name.endswith("bar") else (name, False)
    stem, bar = (stem, bar) if stem else (name, False)
    letter, _, below = re.sub(r"_?(\d+)$", r"_\1", _ascii(stem)).partition("_")
    shown = LETTERS.get(letter, letter if len(letter) == 1 else rf"\mathrm{{{letter}}}")
    shown = rf"{{\bar{{{shown}}}}}" if bar else shown
    if not below:
        return shown
    return f"{shown}_{{{below}}}" if below.isdigit() else rf"{shown}_{{\mathrm{{{below}}}}}"


def _ascii(name: str) -> str:
    """A name in the letters that LaTeX sets: of a Greek letter its name, without accents."""
    out = ""
    for c in unicodedata.normalize("NFKD", name):
        if c.isascii():
            out += c
        elif not unicodedata.combining(c):
            out += unicodedata.name(c, f"u{ord(c):x}").split()[-1].lower()
    return out


class _Writer:
    """Writes trees; which symbols are sequences is the same everywhere in a statement."""

    def __init__(self, sequences: Set[str]) -> None:
        self.sequences = sequences
        self.measures: dict[str, Measure] = dict(registry.entered("measures"))

    def at(self, node: Node, k: str, binding: int = 0) -> str:
        """A tree at an index; in parentheses where what stands around it binds more."""
        match node:
            case Number(value):
                return _number(value)
            case Name("k"):
                return f"({k})" if binding > 1 and len(k) > 1 else k
            case Name(name):
                if name in self.measures:
                    return self.measure(name, (), k)
                return symbol(name) + (f"_{{{k}}}" if name in self.sequences else "")
            case Negative(operand):
                inner = f"-{self.at(operand, k, 2)}"
                return _fenced(inner) if binding > 1 else inner
            case Binary("/", Negative(left), right):
                inner = "-" + self.at(Binary("/", left, right), k)
                return _fenced(inner) if binding > 1 else inner
            case Binary("*", Negative(left), right):
                inner = "-" + self.at(Binary("*", left, right), k, 2)
                return _fenced(inner) if binding > 1 else inner
            case Binary("/", left, right):
                return rf"\frac{{{self.at(left, k)}}}{{{self.at(right, k)}}}"
            case Binary("**", left, right):
                base = self.at(left, k, 5)
                if isinstance(left, Binary) and left.operator in ("/", "**"):
                    base = _fenced(self.at(left, k))
                if isinstance(left, Name) and left.name in self.measures:
                    base = _fenced(base)
                if isinstance(left, Name) and left.name in self.sequences:
                    base = f"{{{base}}}"
                return f"{base}^{{{self.at(right, k)}}}"
            case Binary(operator, left, right):
                own = BINDING[operator]
                a, b = self.at(left, k, own), self.at(right, k, own + (operator != "+"))
                if operator == "*":
                    # what a sum stands before belongs to it
                    a = _fenced(a) if a.startswith((r"\sum", r"\min")) else a
                    inner = a + (DOT if b[:1].isdigit() or b.startswith("-") else TIMES) + b
                else:
                    inner = f"{a} {operator} {b}"
                return _fenced(inner) if binding > own else inner
            case Comparison(relation, left, right):
                return f"{self.at(left, k)} {RELATIONS[relation]} {self.at(right, k)}"
            case Call(function, arguments):
                return self.call(function, arguments, k, binding)

    def call(self, function: str, arguments: tuple[Node, ...], k: str, binding: int) -> str:
        """A function of the language, or a measure at rows."""
        if function in self.measures:
            rows = tuple(a.name for a in arguments if isinstance(a, Name))
            return self.measure(function, rows, k)
        if function == "where":
            return self.cases(arguments, k)
        first = arguments[0]
        if function == "next":
            return self.at(first, _after(k), binding)
        if function == "first":
            return self.at(first, "0", binding)
        if function in ("upto", "before", "best"):
            j = next(letter for letter in INDICES if letter not in k)
            inner = self.at(first, j, 2)
            if function == "best":
                return rf"\min_{{0 \le {j} \le {k}}} {inner}"
            shown = rf"\sum_{{{j}=0}}^{{{k if function == 'upto' else _before(k)}}} {inner}"
            return _fenced(shown) if binding > 2 else shown
        inside = [self.at(a, k) for a in arguments]
        if function == "sqrt":
            return rf"\sqrt{{{inside[0]}}}"
        if function == "mod":
            shown = rf"{self.at(first, k, 2)} \bmod {self.at(arguments[1], k, 2)}"
            return _fenced(shown) if binding > 1 else shown
        if function in FENCES:
            return f"{FENCES[function][0]} {inside[0]} {FENCES[function][1]}"
        name = FUNCTIONS.get(function, rf"\{function}" if function in ("max", "min") else "")
        name = name or rf"\mathrm{{{function}}}"
        return rf"{name}\left({', '.join(inside)}\right)"

    def cases(self, arguments: tuple[Node, ...], k: str) -> str:
        """``where(relation, then, else)``, one in the last part of another as a further line."""
        lines, rest = [], arguments
        while True:
            test, then, other = rest
            lines.append(rf"{self.at(then, k)} & \text{{if }} {self.at(test, k)}")
            if not (isinstance(other, Call) and other.function == "where"):
                break
            rest = other.arguments
        lines.append(rf"{self.at(other, k)} & \text{{else}}")
        return "\\begin{cases} " + r" \\ ".join(lines) + r" \end{cases}"

    def measure(self, name: str, rows: tuple[str, ...], k: str) -> str:
        """A measure at its rows, those that are named first; of none with a symbol its name."""
        entry = self.measures[name]
        rows = (*rows, *entry.rows[len(rows) :])
        within = entry.in_step(rows)
        symbols = [_row(row, k, within) for row in rows]
        if not entry.latex:
            inner = ", ".join(symbols)
            return rf"\mathrm{{{name.replace('_', ' ')}}}\left({inner}\right)"
        shown = entry.latex.format(*symbols, "", "", P="J_{\\gamma A}")
        return _indexed(shown, k)


class _ProofWriter(_Writer):
    """Also rows as vectors, and the functions of proofs; what names nothing is a symbol."""

    def __init__(self, rows: Set[str], potential: tuple[str, str], last: str) -> None:
        super().__init__(frozenset())
        (self.V, self.B), self.last = potential, last
        self.rows = {*rows, self.V}

    def at(self, node: Node, k: str, binding: int = 0) -> str:
        """As for statements."""
        if node == Name("potential"):
            shown = f"{self.B} - {self.V}_{{{k}}}"
            return _fenced(shown) if binding > 1 else shown
        if isinstance(node, Name) and node.name in self.rows and node.name not in self.measures:
            return "z_{0}" if node.name == "anchor" else f"{symbol(node.name)}_{{{k}}}"
        if isinstance(node, Name) and node.name == "solution":
            return "z^*"
        if isinstance(node, Name) and re.fullmatch(r"z0|[A-Z]\d+", node.name):
            return f"{node.name[0]}_{{{node.name[1:]}}}"
        return super().at(node, k, binding)

    def call(self, function: str, arguments: tuple[Node, ...], k: str, binding: int) -> str:
        """As for statements."""
        held = {*self.rows, "solution", "before"}
        plain = all(isinstance(a, Name) and a.name in held for a in arguments)
        if function == "last":
            return self.at(arguments[0], _before(k), binding)
        if function == FINAL and isinstance(arguments[0], Name):
            return self.at(arguments[0], self.last)
        if function == "norm2" and not (plain and function in self.measures):
            return rf"\left\Vert {self.at(arguments[0], k)} \right\Vert^{{2}}"
        if function == "inner" and len(arguments) == 1:  # a row before the last inner pass
            row = symbol(unparse(arguments[0]))
            return rf"\tilde{{{row}}}_{{{k}}}"
        if function == "inner":
            u, v = (self.at(a, k) for a in arguments)
            return rf"\left\langle {u}, {v} \right\rangle"
        if function == "resolvent":
            return rf"J\,{self.at(arguments[0], k, 5)}"
        if function in ("F", "A", "S"):
            return rf"{function}\,{self.at(arguments[0], k, 5)}"
        return super().call(function, arguments, k, binding)


def of_proof(
    source: str | Node,
    rows: Set[str] = frozenset(),
    at: str = "k",
    *,
    potential: tuple[str, str] = ("V", "B"),
    last: str = RUN,
) -> str:
    """A text of a potential argument as LaTeX, without the dollars around it.

    Args:
        rows: of the method, which are vectors.
        at: the index that stands for k.
        potential: what the potential, and what it is at most where it starts, are called.
        last: the index that stands for the last k.

    Raises OpcheckError for what is no formula.
    """
    tree = parse(source) if isinstance(source, str) else source
    return _ProofWriter(rows, potential, last).at(tree, at)


def _row(row: str, k: str, within: bool) -> str:
    """A row at an index: what a step writes belongs to it, and z is then the point it reached."""
    if within and row in ("z", "before"):
        return rf"z_{{{_after(k) if row == 'z' else k}}}"
    return _indexed(row_symbol(row), k)


def _indexed(shown: str, k: str) -> str:
    """LaTeX with the index k in another's place; a bar above a letter alone."""
    shown = re.sub(r"\\bar (\w)_", r"{\\bar{\1}}_", shown)
    shown = re.sub(r"\\mathrm{(F?)(\w)}_", lambda m: (r"F\," if m[1] else "") + m[2] + "_", shown)
    shown = shown.replace("_{k-1}", f"_{{{_before(k)}}}")
    return re.sub(r"_k(?![A-Za-z])", f"_{{{k}}}", shown)


def _after(k: str) -> str:
    return _moved(k, 1)


def _before(k: str) -> str:
    return _moved(k, -1)


def _moved(k: str, steps: int) -> str:
    """An index so many steps later, as k+2 or 3."""
    base, sign, count = re.fullmatch(r"(.*?)(?:([+-])(\d+))?", k).groups()  # type: ignore[union-attr]
    if k.isdigit():
        return f"{int(k) + steps}"
    late = int(f"{sign or '+'}{count or 0}") + steps
    return f"{base}{late:+d}" if late else base


def _fenced(inner: str) -> str:
    return rf"\left({inner}\right)"


def _number(value: int | Fraction) -> str:
    if isinstance(value, int) or value.denominator == 1:
        return str(int(value))
    text = f"{float(value):.15g}"
    if "e" not in text:
        return text
    mantissa, _, power = text.partition("e")
    return rf"{mantissa} \cdot 10^{{{int(power)}}}"


def dependent(let: Mapping[str, str], sequences: Set[str] = frozenset()) -> frozenset[str]:
    """The symbols of a ``let`` whose value changes with k, and those they are made of."""
    moving = set(sequences)
    for name, source in let.items():
        inside = names(parse(source))
        if "k" in inside or inside & moving:
            moving.add(name)
    return frozenset(moving)
