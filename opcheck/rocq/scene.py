"""The vectors of a lemma: the basis of opcheck's step, and the words that Rocq has for it."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Mapping
from typing import Any

from flint import fmpq

from opcheck.engine.forms import Coefficient, Sparse
from opcheck.engine.ratio import Ratio
from opcheck.engine.steps import add_inner
from opcheck.errors import InternalError
from opcheck.evidence.proofs.prove import Case, residue
from opcheck.evidence.proofs.reader import Total
from opcheck.model import grammar
from opcheck.model.grammar import Binary, Call, Name, Node, Number
from opcheck.model.measure import STANDING
from opcheck.model.proof import RUN
from opcheck.rocq.expressions import (
    HORIZON,
    LAST,
    Z0,
    ZSTAR,
    At,
    NotExported,
    Real,
    Tree,
    Vector,
    Writer,
    walk,
)
from opcheck.rocq.iteration import Iteration
from opcheck.rocq.loops import Turn, length_in
from opcheck.rocq.names import Names
from opcheck.rocq.texts import Texts
from opcheck.rocq.words import Symbol, combination, tight


class Scene:
    """One case of a proof with words for all its vectors.

    Attributes:
        at: its k, in Rocq.
        equations: lemmas about the rows of the steps that were made.
        twins: (word, word) of values that opcheck knows to be the same and Rocq has to be shown.
        values: what F is where a resolvent of F went.
        turn: where its steps stand in loops of any length; None where they are of none.
        inside: points before the last pass of an inner loop.

    Raises InternalError where the steps as written are not the kernel's.
    """

    def __init__(
        self, case: Case, iteration: Iteration, texts: Texts, names: Names, symbol: Symbol
    ) -> None:
        self.case, self.iteration, self.texts, self.names = case, iteration, texts, names
        self.reader, self.steps = case.reader, case.reader.steps
        self.symbol = symbol
        self.at = index_of(case)
        self.here = self.at if case.at is None else At("")  # where opcheck's offset is 0
        self.write = Writer(names)
        self.inside: set[int] = set()
        self.words: dict[int, str] = {}  # of basis vectors; of a resolvent's point, below 0
        self.turn = turn_of(case, names, self.at)
        self.equations: list[str] = []
        self.twins: dict[tuple[str, str], None] = {}
        self.values: dict[str, None] = {}
        self._walk()

    # ---- the steps that were made ----

    def _walk(self) -> None:
        method, steps = self.iteration.method, self.steps
        low = self.here.plus(-steps.origin)
        if self.case.at is not None:
            self.words[0] = "z0"
            self.equations += [f"{self.names(r)}_first" for r in self.iteration.live]
        else:
            for i, name in enumerate(method.rows):
                self.words[i] = self.write(self.iteration.row(name, low))
        for place in range(len(steps.states) - 1):
            at = low.plus(place)
            step = self.iteration.step(at, self.turn.role(at) if self.turn else "")
            if step.loop is not None:
                row = step.loop.row
                index = self._inside(row, at)
                if index is not None:
                    self.words[index] = self.write(step.loop.inside)
                    if steps.weights[place + 1][method.rows.index(row)] == 1:
                        self.inside.add(index)
            images = self.iteration.images(step, at)
            for call in step.calls:
                name, point = call.image.parts
                self._name(name, self.sparse(point), images[call.image])
            for name in self.iteration.live:
                own = steps.states[place + 1][method.rows.index(name)]
                if self.sparse(step.rows[name]) != own:
                    raise InternalError(
                        f"{self.case.theorem.name}: row {name} as written for Rocq is not that of "
                        f"{method.name}"
                    )
            self._equations(at)
        for of, point, value, _, gamma in steps.oracle.calls:
            if gamma != 0 and (of == "F" or (of == "S" and steps.A == "zero")):
                image, argument = self.word(-value[0][0]), self.argument(-value[0][0])
                size = self.write(self.texts.inlined(self.texts.size("JF")))
                at_point = self.row_at(point) or image
                equal = f"(/ ({size}) * ({argument} - {at_point}))%vec"
                self.values[f"F {tight(at_point)} = {equal}"] = None

    def _inside(self, row: str, at: At) -> int | None:
        """The vector that a row is before the last pass of a loop; None where it is known."""
        steps, place = self.steps, self.steps.origin + self.offset(at)
        for (step, _), index in steps.inner.items():
            if step == place + 1 and steps.oracle.names[index] == f"inner({row})":
                return index
        return None

    def _equations(self, at: At) -> None:
        """The lemmas of the rows of one step."""
        branch = self.iteration.branch_of(at)
        base = self.iteration.branches[branch]
        if self.turn is not None:
            argument, role = f" {self.turn.applied(at)}", self.turn.role(at)
            branch = self.iteration.roles.index(role)
        elif not base.base:
            argument = ""
        elif base.factor > 1:
            quotient = At("m", 1, at.add // base.factor).nat if at.base else at.add // base.factor
            argument = f" {quotient}"
        else:
            argument = f" {at.plus(-base.add).nat}"
        for name in self.iteration.live:
            lemma = f"{self.names(name)}_next{suffix(self.iteration, branch)}"
            self.equations.append(f"({lemma}{argument})" if argument else lemma)

    def _name(self, name: str, before: Sparse, image: Tree) -> None:
        """Note the word of a value or of a resolvent's point."""
        oracle, word = self.steps.oracle, self.write(image)
        if name == "F" and not before:
            return  # F z*
        gamma: Any = fmpq(0) if name == "F" else self.ratio(self.texts.size(name))
        key = ("F" if name == "F" else self._of(name), before, gamma)
        answer = next((v for k, v in oracle.seen.items() if k == key), None)
        if answer is None:
            raise InternalError(
                f"{self.case.theorem.name}: {word} is asked for in Rocq and by no step of "
                f"{self.iteration.method.name}"
            )
        value = answer[1]
        index = value[0][0] if name == "F" else -value[0][0]
        known = self.words.setdefault(index, word)
        self.same(word, known)

    def _of(self, name: str) -> str:
        return {"JA": "A", "JS": "S", "JF": "S" if self.steps.A == "zero" else "F"}[name]

    def same(self, left: str, right: str) -> None:
        """Note that two words stand for one vector."""
        if left != right and (right, left) not in self.twins:
            self.twins[left, right] = None

    def watch(self, tree: Tree) -> None:
        """Note the values in a text that stand there under words of their own.

        Of a sum also those in its last summands, which it is unfolded to.
        """
        for node in walk(tree):
            if node.kind == "before":
                term, at = node.parts
                source = next(n for n, name in self.texts.terms.items() if name == term)
                for j in range(at.add):
                    with contextlib.suppress(NotExported):  # of a step before those of the lemma
                        self.watch(self.texts.real(source, At(at.base, at.factor, j)))
            if not isinstance(node, Vector) or node.kind != "image":
                continue
            name, point = node.parts
            before = self.sparse(point)
            if name == "F":
                value = self.steps.value("F", before)
                if len(value) == 1:
                    self.same(self.write(node), self.word(value[0][0]))
            else:
                of = self._of(name)
                for kind, _, value, start, gamma in self.steps.oracle.calls:
                    if kind == of and start == before and gamma != 0:
                        self.same(self.write(node), self.word(-value[0][0]))

    # ---- trees over opcheck's basis ----

    def offset(self, at: At) -> int:
        """Steps from k, as the reader counts."""
        if (at.base, at.base and at.factor) != (self.here.base, self.here.base and self.at.factor):
            raise NotExported(f"index {at.nat} is none of the steps of this lemma")
        return at.add - self.here.add

    def sparse(self, tree: Vector) -> Sparse:
        """A vector over the basis, told for z* = 0."""
        return self._coefficient(tree).vector

    def _coefficient(self, tree: Vector) -> Coefficient:
        match tree.kind, tree.parts:
            case (("zero" | "zstar"), _):
                return Coefficient(())
            case "z0", _:
                rows = self.iteration.method.rows
                if self.case.at is not None:
                    return Coefficient(((0, self.reader.field.number(1)),))
                return Coefficient(self.steps.states[0][rows.index("anchor")])
            case "row", (name, at) if at.base in (LAST.base, HORIZON.base):
                return Coefficient(self.reader.final(name))
            case "row", (name, at):
                place = self.steps.origin + self.offset(at)
                if not 0 <= place < len(self.steps.states):
                    raise NotExported("it speaks of a step that opcheck did not make")
                row = self.steps.states[place][self.iteration.method.rows.index(name)]
                return Coefficient(row)
            case "inside", (name, at):
                index = self._inside(name, at)
                if index is not None:
                    return Coefficient(((index, self.reader.field.number(1)),))
                loop = self.iteration.step(at).loop
                assert loop is not None
                return self._coefficient(loop.begun)  # where the first pass changes nothing
            case "image", (name, point):
                before = self.sparse(point)
                if name == "F":
                    return Coefficient(self.steps.value("F", before))
                gamma = self.ratio(self.texts.size(name))
                return Coefficient(self.steps.oracle.ask(self._of(name), before, gamma)[0])
            case "negative", (a,):
                return -self._coefficient(a)
            case "+", (a, b):
                return self._coefficient(a) + self._coefficient(b)
            case "-", (a, b):
                return self._coefficient(a) - self._coefficient(b)
            case "scaled", (factor, a):
                scaled: Coefficient = self._coefficient(a) * self.ratio(factor)
                return scaled
        raise NotExported(f"a vector of the kind {tree.kind}")

    def ratio(self, tree: Real) -> Ratio:
        """A number of a kernel as a rational function."""
        value: Ratio = self._ratio(tree)
        return value

    def _ratio(self, tree: Real) -> Any:
        field = self.reader.field
        match tree.kind, tree.parts:
            case "number", (value,):
                return field.number(fmpq(value.numerator, value.denominator))
            case "symbol", (name,):
                return field.number(self.reader.symbol(name, 0))
            case "let", (name, at):
                return field.number(self.reader.symbol(name, self.offset(at)))
            case "of_horizon", (name, last, at):
                place = at if at is not None else last
                late = 0 if place == HORIZON else self.offset(place)
                return field.number(self.reader.symbol(name, late))
            case "index", (at,) if at == HORIZON:
                return field.number(self.reader.symbol(self.texts.horizon, 0))
            case "index", (at,) if at == LAST:
                return field.number(self.reader.symbol(RUN, 0))
            case "whole", (name,):
                return field.number(self.reader.symbol(name, 0).plain)
            case "index", (at,):
                return self.reader.k + self.offset(at)
            case "negative", (a,):
                return -self.ratio(a)
            case "+", (a, b):
                return self.ratio(a) + self.ratio(b)
            case "-", (a, b):
                return self.ratio(a) - self.ratio(b)
            case "*", (a, b):
                return self.ratio(a) * self.ratio(b)
            case "/", (a, b):
                return self.ratio(a) / self.ratio(b)
            case "^", (a, power):
                return self.ratio(a) ** power
        raise NotExported(f"a number of the kind {tree.kind} in a step")

    def compare(self, tree: Real, node: Node, late: int) -> None:
        """Hold a text as written against the same text as opcheck reads it, ``late`` steps on.

        Raises InternalError where they differ.
        """
        said = self.reader.read(node, self.at.add - self.here.add + late)
        gap: Any = self.total(tree) - said
        if gap.terms if isinstance(gap, Total) else gap:
            raise InternalError(
                f"{self.case.theorem.name}: {self.write(tree)} as written for Rocq is not "
                f"{grammar.unparse(node)}"
            )

    def total(self, tree: Real) -> Any:
        """A number of a statement as a rational function, or as a form over the basis."""
        late = (0, 1, -1)
        if self.case.at is None:
            for node, first in self.texts.firsts:
                if tree == first:
                    return self.reader.read(Call("first", (node,)))
        match tree.kind, tree.parts:
            case "case", (at, 0, values, _, no) if at.base and at.add > max(values):
                return self.total(no)
            case "case", (at, str(), _, yes, no) if self.turn is not None:
                return self.total(yes if self.turn.begun(at) else no)
            case "at last", (at, yes, no):
                return self.total(yes if self.reader.ended == self.offset(at) else no)
            case "inner", (u, v):
                if u == v == Z0 - ZSTAR:
                    return self.reader.read("R**2")
                terms: dict[tuple[int, int], Ratio] = {}
                add_inner(terms, self.sparse(u), self.sparse(v), self.reader.field.number(1))
                return Total(terms)
            case "negative", (a,):
                return -self.total(a)
            case "+", (a, b):
                return self.total(a) + self.total(b)
            case "-", (a, b):
                return self.total(a) - self.total(b)
            case "*", (a, b):
                return self.total(a) * self.total(b)
            case "/", (a, b):
                return self.total(a) / self.total(b)
            case "^", (a, power):
                return self.total(a) ** power
            case "^k", (a, at):
                for node, base in self.texts.powers:
                    if base == a and at == LAST:
                        return self.reader.read(Binary("**", node, Name(RUN)))
                    if base == a:
                        raised = Binary("**", node, Name("k"))
                        return self.reader.read(raised, self.offset(at))
            case "sqrt", _:
                here = self.at.add - self.here.add
                for (node, _), offset in itertools.product(list(self.texts.roots), late):
                    root = Call("sqrt", (node,))
                    with contextlib.suppress(NotExported):
                        if self.texts.real(root, self.at.plus(offset)) == tree:
                            return self.reader.read(root, here + offset)
            case "if", (small, large, _, yes, no):
                for test, at, sides in self.texts.tests:
                    if sides != (small, large):
                        continue
                    with contextlib.suppress(NotExported):  # met at another index
                        holds = Call("where", (test, Number(1), Number(0)))
                        held = self.reader.read(holds, self.offset(at))
                        return self.total(yes if held == 1 else no)
            case ((("before" | "best") as over), (term, at)):
                node = next(n for n, name in self.texts.terms.items() if name == term)
                return self.reader.read(Call(over, (node,)), self.offset(at))
            case (("number" | "symbol" | "let" | "of_horizon" | "index" | "whole"), _):
                return self.ratio(tree)
        raise NotExported(f"a number of the kind {tree.kind} in a lemma")

    # ---- basis vectors in words ----

    def word(self, index: int) -> str:
        """The word of a basis vector; below 0, of the point that a resolvent returned."""
        if index not in self.words:
            if index > 0 and self.steps.oracle.names[index] == "F*":
                self.words[index] = "F zstar"
                return self.words[index]
            if row := self.reader.row_of(index):
                final = self.texts.last.plus(row not in STANDING)
                self.words[index] = self.write(self.iteration.row(row, final))
                return self.words[index]
            of, point, _, before, _ = self._call(abs(index))
            start = point if index > 0 else before
            argument = self.row_at(start) or self.vector(dict(start), as_point=True)
            name = "F" if index > 0 else self._map(of)
            self.words[index] = f"{name} {tight(argument)}"
        return self.words[index]

    def _map(self, of: str) -> str:
        """The name of a resolvent."""
        return {"A": "JA", "S": "JF" if self.steps.A == "zero" else "JS", "F": "JF"}[of]

    def argument(self, index: int) -> str:
        """What F or a resolvent is applied to, in the word of a basis vector."""
        return self.word(index).split(" ", 1)[1]

    def _call(self, index: int) -> Any:
        return next(c for c in self.steps.oracle.calls if c[2][0][0] == index)

    def _point_like(self, index: int) -> bool:
        if index < 0:
            return True
        rows = self.iteration.method.rows
        if row := self.reader.row_of(index):
            return row not in self.iteration.method.zero
        if self.case.at is not None:
            return index == 0
        if index in self.inside:
            return True
        return index < len(rows) and self.steps.weights[0][index] == 1

    def vector(self, entries: Mapping[int, Any], *, as_point: bool) -> str:
        """A combination of basis vectors in words; a point where its weights are to add up to 1."""
        total: dict[int, Any] = {}

        def add(index: int, factor: Any) -> None:
            call = next((c for c in self.steps.oracle.calls if c[2][0][0] == index), None)
            if call is None or call[4] == 0:
                if call is not None and call[0] != "F":
                    raise NotExported(f"a value of {call[0]} that no resolvent gave")
                total[index] = total.get(index, 0) + factor
                return
            _, _, _, before, gamma = call  # value = (before − point)/γ
            for j, inner in before:
                add(j, factor * inner / gamma)
            total[-index] = total.get(-index, 0) - factor / gamma

        for index, factor in entries.items():
            add(index, factor)
        terms = {i: c for i, c in total.items() if c != 0}
        weight: Any = sum((c for i, c in terms.items() if self._point_like(i)), fmpq(0))
        rest = (1 if as_point else 0) - weight
        named = [(c, self.word(i)) for i, c in terms.items()]
        if rest != 0:
            named.append((rest, "zstar"))
        return combination(named, self.symbol)

    def only_row(self) -> str:
        """The one row, at the first state, that what is measured and the steps are made of.

        Raises NotExported where there are more.
        """
        if self.case.at is not None:
            return "z0"
        read = set(self.iteration.read) if len(self.steps.states) > 1 else set()
        rows = {"z", *read}
        if rows != {"z"}:
            raise NotExported(f"a turn of several rows: {', '.join(sorted(rows))}")
        return self.write(self.iteration.row("z", self.here.plus(-self.steps.origin)))

    def row_at(self, point: Sparse) -> str:
        """A row, at some state, that is this point; "" for none."""
        rows = self.iteration.method.rows
        for place, state in enumerate(self.steps.states):
            for name in self.iteration.live:
                i = rows.index(name)
                if self.steps.weights[place][i] == 1 and state[i] == point:
                    at = self.here.plus(place - self.steps.origin)
                    return self.write(self.iteration.row(name, at))
        if "anchor" in rows and self.steps.states[0][rows.index("anchor")] == point:
            return "z0"
        return ""


def index_of(case: Case) -> At:
    """The k of a case, in Rocq."""
    if case.at is not None:
        return At("", 1, case.at)
    if "k" in case.indices:
        return At("m", 1, case.least)
    modulus, rest = residue(case.theorem, case.case["k"])
    return At("m", modulus, rest)


def turn_of(case: Case, names: Names, at: At) -> Turn | None:
    """Where the steps of a case stand in loops of any length that are steps of their own."""
    length = length_in(case.case)
    if length is None or "(" not in case.theorem.iteration.name:
        return None
    return Turn(names(length.name), length.least, at, case.window, case.begins)


def suffix(iteration: Iteration, branch: int) -> str:
    """What tells the lemmas of one branch of a step from those of another."""
    if len(iteration.branches) == 1:
        return ""
    if iteration.roles:
        return f"_{iteration.roles[branch]}"
    return f"_{branch}" if iteration.by_residue else ("_first", "_later")[branch]
