"""A few steps of a method from an arbitrary state, for all k and all parameters at once.

The method's own text runs on combinations whose coefficients are rational functions of its
parameters and of k. What is found to hold of such a step holds of every step of every run.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from opcheck.engine.coefficients import (
    FIRST,
    ONE,
    UNCONSTRAINED,
    Recorder,
    fill,
    keep_weights,
    measured,
    reading,
    same_in_all,
    settled,
    state_of,
    vector_of,
)
from opcheck.engine.forms import (
    DIMENSION,
    DIMENSIONS,
    SHIFT,
    Coefficient,
    Form,
    Sparse,
    at_origin,
    weight,
)
from opcheck.engine.guard import guard_method
from opcheck.engine.ratio import Count, Field, Index, Ratio, Strict
from opcheck.engine.rows import DATA, INNER, in_every_dimension
from opcheck.engine.run import Take
from opcheck.errors import OpcheckError, Undecided
from opcheck.model.measure import STANDING
from opcheck.model.method import Method
from opcheck.model.primitives import BEFORE, EXTRA_ROWS, OTHER, SOLUTION
from opcheck.model.proof import FINAL
from opcheck.model.theorem import OfA

Quadratic = dict[tuple[int, int], Ratio]  # (i, j) with i <= j -> factor of <e_i, e_j>


class Unmade:
    """A parameter of a step that is not made; every use of it raises OpcheckError."""

    def _refused(self, *_: Any) -> Any:
        raise OpcheckError("a kernel reads a parameter of a step that is not made")

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __neg__ = _refused
    __truediv__ = __rtruediv__ = __pow__ = __int__ = __float__ = __bool__ = _refused
    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = _refused
    __hash__ = None  # type: ignore[assignment]


UNMADE = Unmade()


@functools.lru_cache(maxsize=256)
def from_the_start(method: Method, A: OfA) -> Steps:
    """The first steps of a run, for all parameters at once; integer ones are 2.

    Raises OpcheckError for a method that depends on where the origin lies or on the dimension,
    TypeError or Undecided for one that is not linear in its points.
    """
    field = Field([p.symbol for p in method.parameters])
    whole = {p.symbol for p in method.parameters if p.integer}
    return Steps(
        method,
        field,
        field.number(0),
        lambda name, _: 2 if name in whole else field.symbol(name),
        before=0,
        after=FIRST,
        A=A,
        start=True,
    )


class Steps:
    """Consecutive states, the first of unknown rows or the start of a run.

    Vectors are told for z* = 0; OpcheckError is raised for a method that depends on where the
    origin lies, or on the dimension.

    Attributes:
        oracle: the calls made, by the kernel, by measures and by proofs.
        states: rows before the first step, after it, and so on.
        weights: for each state, how often each row holds the shift of z*.
        origin: how many of the steps lie before k.
    """

    def __init__(
        self,
        method: Method,
        field: Field,
        k: Ratio,
        values: Callable[[str, int], Any],
        *,
        before: int,
        after: int,
        A: OfA,
        start: bool = False,
        least: int = 0,
    ) -> None:
        guard_method(method)
        self.method, self.field, self.k, self.values = method, field, k, values
        self.origin, self.A, self.least, self.started = before, A, least, start
        names = (
            ["z0"]
            if start
            else [name if name in STANDING else f"last({name})" for name in method.rows]
        )
        self.inner: dict[tuple[int, int], int] = {}  # vectors in the middle of inner loops
        self.unknown: Sparse = ((len(names), field.number(1)),)
        self.solution: Sparse = ()
        names.append("unknown")
        self.place = len(names)  # of the origin, told from the solution
        names.append("origin")
        self.oracle = Recorder(method.name, split=False, A=A, names=names, one=field.number(1))
        self.resolvent = self.oracle.resolvent if A != "zero" else UNCONSTRAINED
        self.states: list[list[Sparse]] = []
        self.weights: list[list[Ratio]] = []
        if "anchor" in method.zero:
            raise OpcheckError(f"{method.name} anchors at 0, which is not where the run began")
        self._begin(start)
        for step in range(before + after):
            self._advance(step - before)
            if not start:
                keep_weights(method, self._shifted(-1), self.weights[0])
        if (
            "anchor" in method.rows
            and len({s[method.rows.index("anchor")] for s in self.states}) > 1
        ):
            raise OpcheckError(f"{method.name} moves its anchor: it is not where the run began")

    def _begin(self, start: bool) -> None:
        """The first state, and how often its rows hold the shift."""
        method, unit, none = self.method, self.field.number(1), self.field.number(0)
        if start:
            held = [none if name in method.zero else unit for name in method.rows]
            self.states.append([((0, unit),) if w else () for w in held])
            self.weights.append(held)
            return
        fixed = settled(method, from_the_start(method, self.A).weights[1:])
        self.states.append([((i, unit),) for i in range(len(method.rows))])
        self.weights.append([self.field.number(w.constant()) for w in fixed])

    def index(self, offset: int) -> Index:
        """k + offset."""
        return Index(self.k + offset, self.origin + offset, self.least + offset)

    def _shifted(self, place: int) -> list[Sparse]:
        """A state as the kernel sees it."""
        pairs = zip(self.states[place], self.weights[place], strict=True)
        return [((SHIFT, w), *row) if w else row for row, w in pairs]

    def _params(self, offset: int) -> Any:
        packed: list[Any] = []
        for p in self.method.parameters:
            if p.sequence:
                count = self.origin + offset + 1
                values = [self.values(p.symbol, i - self.origin) for i in range(count)]
                values.append(self._ahead(p.symbol, count - self.origin))
                if "(" not in self.method.name:
                    values.append(UNMADE)  # else the last one would stand for all later ones
                elif any(v is UNMADE or v != values[0] for v in values):
                    raise Undecided(
                        f"{p.symbol} depends on k, and the base of {self.method.name} counts from "
                        "0 in every loop"
                    )
                packed += values
            else:
                packed.append(self.values(p.symbol, offset))
        out = np.empty(len(packed), dtype=object)
        out[:] = [
            Strict(v.field, v.num, v.den)
            if isinstance(v, Ratio) and not isinstance(v, Count)
            else v
            for v in packed
        ]
        return out

    def _ahead(self, name: str, offset: int) -> Any:
        """A parameter of a step that is not made, which may have no value there."""
        try:
            return self.values(name, offset)
        except OpcheckError:
            return UNMADE

    def _advance(self, offset: int) -> None:
        params, rows, read = self._params(offset), self._shifted(-1), {}
        for d in DIMENSIONS:
            own = state_of(rows, d)
            INNER.set((own, self._unknown_in(own)))
            with reading(self.method.name, d):
                in_every_dimension(self.method.kernel)(
                    self.oracle, DATA, self.resolvent, DATA, own, params, self.index(offset), ONE
                )
            read[d] = [vector_of(row) for row in own], len(self.oracle.calls)
        same_in_all(self.method.name, read)
        ends, _ = read[DIMENSION]
        self.states.append([at_origin(row) for row in ends])
        self.weights.append([self.field.number(weight(row)) for row in ends])

    def _unknown_in(self, state: Any) -> Callable[[int], None]:
        """What puts a vector of which nothing is known into a row; the same in each dimension."""
        step, met = len(self.states), [0]

        def put(i: int) -> None:
            met[0] += 1
            key = (step, met[0])
            if key not in self.inner:
                self.inner[key] = len(self.oracle.names)
                self.oracle.names.append(f"inner({self.method.rows[i]})")
            shift = weight(vector_of(state[i]))
            own = ((self.inner[key], self.field.number(1)),)
            fill(state[i], ((SHIFT, shift), *own) if shift else own)

        return put

    def row(self, name: str, offset: int) -> Sparse:
        """A row by name: z, anchor and solution before step k + offset, others after it."""
        if name == "solution":
            return self.solution
        place, i = offset + (name not in STANDING), self.method.rows.index(name)
        row = self._state(place)[i]
        if not self.started or self.origin + place or len(self.weights) < 2:
            return row
        # a row that begins as a point, and holds values later, holds one that moves with the origin
        held = self.weights[0][i] - self.weights[1][i]
        if held == 0:
            return row
        origin = Coefficient(((self.place, self.field.number(1)),))
        moved: Sparse = (Coefficient(row) + held * origin).vector
        return moved

    def _state(self, offset: int) -> list[Sparse]:
        place = self.origin + offset
        if not 0 <= place < len(self.states):
            raise OpcheckError(
                f"it speaks of step k − {-offset}, which is before the first; begin later"
                if place < 0
                else f"step k + {offset} is not made"
            )
        return self.states[place]

    def measured(self, take: Take, offset: int) -> Any:
        """A measure of step k + offset, as a quadratic form."""
        at = offset + int(take.in_step)
        self._state(at)
        place = self.origin + at
        rows = [*self._shifted(place), *[self.unknown] * EXTRA_ROWS]
        if place:
            rows[BEFORE] = self._shifted(place - 1)[0]
        rows[SOLUTION] = self.oracle.solution
        first, second = take.indices(self.method)
        if second != -1:
            rows[OTHER] = rows[second]
        name, read = take.measure.name, {}
        for d in DIMENSIONS:
            self.oracle.subject = name
            with reading(name, d):
                form = in_every_dimension(take.measure.kernel)(
                    self.oracle,
                    DATA,
                    self.resolvent,
                    DATA,
                    state_of(rows, d)[first:],
                    self._params(at),
                    self.index(at),  # as the driver counts: what step k wrote is seen at k + 1
                )
            self.oracle.subject = self.method.name
            read[d] = self.quadratic(measured(take, form), d)
        same_in_all(name, read)
        return read[DIMENSION]

    def quadratic(self, form: Any, dimension: int = DIMENSION) -> Quadratic:
        """A form over the basis."""
        if isinstance(form, int) and form == 0:
            return {}
        if not isinstance(form, Form):
            raise TypeError("what is measured is no quadratic form in the points of the run")
        total: Quadratic = {}
        for (u, v), c in form.inner_products(dimension).items():
            add_inner(total, u, v, self.field.number(c))
        return total

    def names(self, at: int) -> list[str]:
        """The basis vectors as texts of what they are at k + at.

        A value at what is no row is told by the combination that it was taken at, or that a
        resolvent was.
        """
        names = list(self.oracle.names)
        words: dict[Sparse, str] = {}
        places = sorted(range(len(self.states)), key=lambda p: (abs(p - self.origin - at), p))
        for place, (i, name) in itertools.product(places, enumerate(self.method.rows)):
            late = place - self.origin - at - (name not in STANDING)
            if self.started and place == 0 and name not in STANDING:
                continue  # what a row begins with is no row that a step wrote
            word = _shifted(name, late)
            if place == 0 and not self.started:
                names[i] = word
            if row := self.states[place][i]:
                words.setdefault(row, word)
        for of, point, value, before, gamma in self.oracle.calls:
            if len(value) != 1:
                continue
            index = value[0][0]
            if len(point) == 1 and names[point[0][0]].startswith(f"{FINAL}("):
                words.setdefault(point, names[point[0][0]])
            if point in words:
                names[index] = f"{of}({words[point]})"
            elif gamma == 0 and point:
                names[index] = f"{of}({told(names, dict(point))})"
            elif of == "S" and before:
                asked = words.get(before) or told(names, dict(before))
                names[index] = f"{of}(resolvent({asked}))"
        return names

    def value(self, of: str, point: Sparse) -> Sparse:
        """The operator's value at a point: what was returned there, or a new vector."""
        if of == "A" and self.A == "zero":
            return ()  # A = 0
        own = {of} if self.A != "zero" else {"F", "S"}
        for name, at, value, _, _ in self.oracle.calls:
            if at == point and name in own:
                return value
        if of == "F" or self.A == "zero":
            return self.oracle.ask("F", point, 0)[1]
        if point == ():
            return minus((), self.oracle.star()) if of == "A" else ()
        known = {name: value for name, at, value, _, _ in self.oracle.calls if at == point}
        if of == "S":
            return plus(self.value("F", point), self.value("A", point))
        if "S" in known:
            return minus(known["S"], self.value("F", point))
        raise OpcheckError(
            f"{of} is taken at a point that no resolvent returned: A need not have a value there"
        )


def plus(u: Sparse, v: Sparse) -> Sparse:
    """u + v."""
    return (Coefficient(u) + Coefficient(v)).vector


def minus(u: Sparse, v: Sparse) -> Sparse:
    """u − v."""
    return (Coefficient(u) - Coefficient(v)).vector


def add_inner(total: Quadratic, u: Sparse, v: Sparse, factor: Ratio) -> None:
    """Add factor · ⟨u, v⟩ to a form."""
    for i, a in u:
        for j, b in v:
            key = (min(i, j), max(i, j))
            partial = total.get(key)
            term = factor * a * b
            total[key] = term if partial is None else partial + term
            if not total[key]:
                del total[key]


def told(names: Sequence[str], vector: Mapping[int, Ratio]) -> str:
    """A combination as a text."""
    return combined(((c.factored(), names[i]) for i, c in vector.items()), "({})*{}", "-")


def _shifted(text: str, late: int) -> str:
    """A text so many steps later."""
    for _ in range(abs(late)):
        text = f"{'next' if late > 0 else 'last'}({text})"
    return text


def shown(names: Sequence[str], vector: Mapping[int, Ratio]) -> str:
    """A combination in words."""
    return combined(((value.factored(), names[i]) for i, value in vector.items()), "{}·{}", "−")


def combined(terms: Iterable[tuple[str, str]], product: str, minus: str) -> str:
    """Written factors times written vectors, one after the other, by their signs.

    Args:
        product: how a factor other than 1 stands beside its vector.
        minus: the sign; a factor has its own in front, as ASCII.
    """
    out = ""
    for factor, vector in terms:
        sign, size = ("+", minus)[factor.startswith("-")], factor.removeprefix("-")
        out += f" {sign} " if out else sign.removeprefix("+")
        out += vector if size == "1" else product.format(size, vector)
    return out or "0"
