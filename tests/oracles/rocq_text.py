"""What a development of Rocq says, evaluated on exact rationals from its text alone.

It knows the little of the language that developments use, and nothing of how they are written.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any

KEYWORDS = {"in", "with", "end", "then", "else"}
TOKEN = re.compile(r"%vec|\{\||\|\}|:=|=>|[^\W\d][\w.']*|\d+|\S")


class Vector(tuple[Any, ...]):
    """A vector of rationals."""

    __slots__ = ()

    def __add__(self, other: Any) -> Vector:
        return Vector(a + b for a, b in zip(self, other, strict=True))

    def __sub__(self, other: Any) -> Vector:
        return Vector(a - b for a, b in zip(self, other, strict=True))

    def __rmul__(self, factor: Any) -> Vector:
        return Vector(factor * a for a in self)

    def __mul__(self, factor: Any) -> Vector:
        raise TypeError("a vector stands before *")


def inner(u: Vector, v: Vector) -> Any:
    """⟨u, v⟩."""
    return sum((a * b for a, b in zip(u, v, strict=True)), Fraction(0))


def function(arity: int) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Mark a function of Rocq with the number of its arguments."""

    def mark(apply: Callable[..., Any]) -> Callable[..., Any]:
        apply.arity = arity  # type: ignore[attr-defined]
        return apply

    return mark


@functools.cache
def _tokens(text: str) -> list[str]:
    return TOKEN.findall(text)


class Reading:
    """One term, read and evaluated from left to right."""

    def __init__(self, text: str, names: Mapping[str, Any]) -> None:
        self.tokens, self.at, self.names = _tokens(text), 0, dict(names)

    def peek(self) -> Any:
        return self.tokens[self.at] if self.at < len(self.tokens) else None

    def take(self, expected: str | None = None) -> str:
        token = self.peek()
        assert token is not None
        assert expected in (None, token), (expected, token, self.tokens)
        self.at += 1
        return str(token)

    def whole(self) -> Any:
        """All of the text as one term."""
        value = self.term()
        assert self.peek() is None, self.tokens[self.at :]
        return value

    def term(self) -> Any:
        if self.peek() == "let":
            self.take()
            name = self.take()
            self.take(":=")
            value = self.term()
            self.take("in")
            return self._inside({name: value}, self.term)
        if self.peek() == "match":
            return self._match()
        if self.peek() == "if":
            return self._if()
        return self._sum()

    def _inside(self, more: Mapping[str, Any], read: Callable[[], Any]) -> Any:
        outer, self.names = self.names, {**self.names, **more}
        value = read()
        self.names = outer
        return value

    def _match(self) -> Any:
        self.take("match")
        value, result, settled = self.term(), None, False
        self.take("with")
        while self.peek() != "end":
            if self.peek() == "|":
                self.take()
            hit = False
            while self.peek() != "=>":
                pattern = self.take()
                hit |= pattern == "_" or pattern == str(value) or (pattern == "O" and value == 0)
                if pattern == "S":
                    self.take()
                    hit = value > 0
            self.take("=>")
            branch = self.term()
            if hit and not settled:
                result, settled = branch, True
        self.take("end")
        assert settled
        return result

    def _if(self) -> Any:
        self.take("if")
        holds = self._applied()
        self.take("then")
        yes = self.term()
        self.take("else")
        no = self.term()
        return yes if holds else no

    def _sum(self) -> Any:
        value = self._product()
        while self.peek() in ("+", "-"):
            sign, other = self.take(), self._product()
            value = value + other if sign == "+" else value - other
        return value

    def _product(self) -> Any:
        value = self._signed()
        while self.peek() in ("*", "/"):
            sign, other = self.take(), self._signed()
            value = value * other if sign == "*" else Fraction(value) / other
        return value

    def _signed(self) -> Any:
        if self.peek() == "-":
            self.take()
            return -self._signed()
        if self.peek() == "/":
            self.take()
            return 1 / Fraction(self._signed())
        value = self._applied()
        if self.peek() == "^":
            self.take()
            power = self._applied()
            return value**power
        return value

    def _applied(self) -> Any:
        head = self._atom()
        if callable(head):
            arity = head.arity  # type: ignore[attr-defined]
            values: list[Any] = []
            while len(values) < arity and self._begins():
                values.append(self._atom())
            if len(values) == arity:
                return head(*values)
            return function(arity - len(values))(functools.partial(head, *values))
        return head

    def _begins(self) -> bool:
        """Whether an atom comes next."""
        token = self.peek()
        if token is None or token in KEYWORDS:
            return False
        return token in ("(", "{|") or re.match(r"\w", token) is not None

    def _atom(self) -> Any:
        token = self.take()
        if token == "(":
            value = self._function() if self.peek() == "fun" else self.term()
            self.take(")")
        elif token == "{|":
            value = {}
            while self.peek() != "|}":
                field = self.take()
                self.take(":=")
                value[field] = self.term()
                if self.peek() == ";":
                    self.take()
            self.take()
        else:
            value = int(token) if token.isdigit() else self.names[token]
            if getattr(value, "arity", None) == 0:
                value = value()
        while self.peek() == "%vec":
            self.take()
        return value

    def _function(self) -> Any:
        self.take("fun")
        name = self.take()
        self.take("=>")
        start = self.at
        depth = 0
        while depth or self.peek() != ")":
            depth += {"(": 1, ")": -1}.get(self.take(), 0)
        body = " ".join(self.tokens[start : self.at])
        names = self.names
        return function(1)(lambda x: Reading(body, {**names, name: x}).whole())


class Development:
    """The statement of one module of a file.

    Attributes:
        hypotheses: name -> what is assumed.
        definitions: name -> (arguments, body).
        left, right: of the theorem; relation: between them; first, until: its least and its last k.
    """

    def __init__(self, text: str, name: str) -> None:
        module = re.search(rf"^Module Of_{name}\.$(.*?)^Print Assumptions", text, re.M | re.S)
        assert module is not None
        self.text = module[1]
        self.hypotheses = dict(re.findall(r"^Hypothesis (\w+) : (.*?)\.$", self.text, re.M | re.S))
        defined = re.findall(
            r"^Definition (\w+)((?: \(\w+ : \w+\))*) : \w+ :=\s(.*?)\.$", self.text, re.M | re.S
        )
        self.definitions = {
            name: (re.findall(r"\((\w+) :", arguments), body) for name, arguments, body in defined
        }
        fields = re.search(r"^Record state := \{(.*?)\}\.$", self.text, re.M)
        assert fields is not None
        self.rows = [f.split()[0].removeprefix("row_") for f in fields[1].split(";")]
        start = re.search(
            r"match k with O => (\{\|.*?\|\}) \| S j => step j \(run j\) end\.", self.text
        )
        assert start is not None
        self.start = start[1]
        stated = re.search(
            rf"^Theorem {name} :(?: forall k : nat,)?(?: \((\d+) <= k\)%nat ->)?"
            r"(?: \(k <= (\d+)\)%nat ->)?( \(k <= K\)%nat ->)?\n  (.*?)\n  (<=|=) (.*?)\.\n",
            self.text,
            re.M | re.S,
        )
        assert stated is not None
        self.first = int(stated[1] or 0)
        self.until = None if stated[2] is None else int(stated[2])
        self.to_last = stated[3] is not None  # k ≤ K, the horizon of the run
        self.left, self.relation, self.right = stated[4], stated[5], stated[6]

    def names(self, values: Mapping[str, Any], sqrt: Callable[[Any], Any]) -> dict[str, Any]:
        """What the names of the development mean.

        Args:
            values: of its variables: numbers, points, and maps that are marked functions.
        """
        zero = Vector([Fraction(0)] * len(values["zstar"]))
        names: dict[str, Any] = {**values, "zero": zero, "sqrt": function(1)(sqrt)}
        names["norm2"] = function(1)(lambda u: inner(u, u))
        names["inner"] = function(2)(inner)
        names["INR"] = function(1)(lambda n: Fraction(n))
        names["S"] = function(1)(lambda n: n + 1)
        names["Nat.pred"] = function(1)(lambda n: max(n - 1, 0))
        names["Nat.modulo"] = function(2)(lambda a, b: a % b)
        names["Nat.eqb"] = function(2)(lambda a, b: a == b)
        for row in self.rows:
            names[f"row_{row}"] = function(1)(lambda s, row=row: s[f"row_{row}"])
        states: list[Any] = []

        def run(k: int) -> Any:
            while len(states) <= k:
                last = len(states) - 1
                states.append(
                    names["step"](last, states[last]) if states else self.value(self.start, names)
                )
            return states[k]

        names["run"] = function(1)(run)

        def total(term: Any, k: int) -> Any:
            return sum((term(j) for j in range(k)), Fraction(0))

        names["before"] = function(2)(total)
        names["best"] = function(2)(lambda term, k: min(term(j) for j in range(k + 1)))
        names["Rle_dec"] = function(2)(lambda a, b: a <= b)
        names["Rlt_dec"] = function(2)(lambda a, b: a < b)
        names["Rmax"] = function(2)(lambda a, b: max(a, b))

        def passes(n: int, one: Any, x: Any) -> Any:
            for _ in range(n):
                x = one(x)
            return x

        names["passes"] = function(3)(passes)
        for name, (arguments, body) in self.definitions.items():
            names[name] = self._defined(arguments, body, names)
        return names

    def _defined(self, arguments: Sequence[str], body: str, names: dict[str, Any]) -> Any:
        def apply(*values: Any) -> Any:
            return Reading(body, {**names, **dict(zip(arguments, values, strict=True))}).whole()

        return function(len(arguments))(apply)

    def value(self, text: str, names: Mapping[str, Any]) -> Any:
        """A term in words."""
        return Reading(text, names).whole()
