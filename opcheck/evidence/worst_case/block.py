"""A one-step potential as a claim: V at k + 1 ≤ θ V at k, from a state of which nothing is known.

V is a quadratic form in vectors of the state: z − z* (or z − z* − γ F z*, where the method stays at
z* + γ F z*), F z − F z*, and the rows that a step reads before it writes them. Those are arbitrary
vectors too: what is proved holds from any state, that of the start included, and does not use that
a row holds a value of F.

With a history V looks at earlier states as well: ``before(z)`` is the z of the step before, and
rows that a step writes are the values of F and A that it met. Then the earliest state alone is
arbitrary.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any, Literal, get_args

from flint import fmpq, fmpq_mat

from opcheck.engine.coefficients import Trace, Vector, filled, memory, points, resting, walk
from opcheck.engine.forms import Products, Sparse
from opcheck.engine.numbers import Ball
from opcheck.errors import OpcheckError
from opcheck.evidence.statement.exact_parameters import Setting, number, simplest
from opcheck.evidence.worst_case.claim import Claim, Coverage, assemble, resolvents_exist
from opcheck.model.method import Method, resolve
from opcheck.model.property import KINDS, Monotone, Property, property_of
from opcheck.model.theorem import OfA, Source, Theorem

VALUE = "F z"
Least = Literal["distance", "residual"]
OF_LEAST = {"distance": "z", "residual": VALUE}
Matrix = tuple[tuple[Fraction, ...], ...]


@dataclass(frozen=True)
class Block:
    """What is repeated, and of which operators.

    Attributes:
        given: properties with rational constants.
        parameters: exact values by full name.
        A: what A is.
        steps: iterations that are taken together.
        rows: that are carried over beside z.
        first: the k from which on every step is the same.
        vectors: in which V is a form: "z", "F z", rows, and each of them ``before(...)``.
        notes: what was rounded.
        away: c of rows that V tells from c F z* on, where they rest.
        history: how many earlier states V looks at.
        filled: rows that the steps fill, of which V may be made where there is a history.
        points: rows that V tells from z* on.
    """

    method: Method
    given: tuple[Property, ...]
    parameters: Mapping[str, Any]
    A: OfA
    steps: int
    rows: tuple[str, ...]
    first: int
    vectors: tuple[str, ...]
    notes: tuple[str, ...] = ()
    away: Mapping[str, fmpq] = field(default_factory=dict)
    history: int = 0
    filled: tuple[str, ...] = ()
    points: tuple[str, ...] = ()

    @property
    def covers(self) -> Coverage:
        """What a statement about it covers."""
        back = self.history * self.steps
        what = "every step" if self.steps == 1 else f"every {self.steps} steps together"
        what += f" from k = {self.first + back} on" if self.first + back else ""
        state = " and ".join(["z", *self.rows])
        verb = "are" if self.rows else "is"
        ago = f" {back} step{'s' if back > 1 else ''} before" if back else ""
        return Coverage(
            None, f"{what}: they depend on {state} alone, and {state}{ago} {verb} arbitrary"
        )

    @property
    def shadow(self) -> str:
        """The parameter γ where the method stays at z* + γ F z*; "" where at z* itself."""
        return self.method.shadow if self.A != "zero" else ""

    def run(self, blocks: int) -> tuple[Trace, list[dict[str, Vector]]]:
        """Calls, and what V may be made of before, between and after so many blocks of steps."""
        trace, states = walk(
            self.method,
            self.parameters,
            self.rows,
            self.history + blocks,
            steps=self.steps,
            A=self.A,
            residual=VALUE in map(of_now, self.vectors),
            first=self.first,
            away=self.away,
            filled_rows=self.filled,
            apart=any(p.of in ("F", "A") for p in self.given),
        )
        return trace, [
            {
                earlier(name, back): vector
                for back in range(self.history + 1)
                for name, vector in states[last - back].items()
            }
            for last in range(self.history, len(states))
        ]


def earlier(vector: str, steps: int) -> str:
    """A vector so many steps before."""
    return "before(" * steps + vector + ")" * steps


def of_now(vector: str) -> str:
    """The vector that it was so many steps before."""
    return vector.replace("before(", "").rstrip(")")


def block_of(
    method: str | Method,
    properties: Sequence[str | Property],
    parameters: Mapping[str, Any],
    *,
    vectors: Sequence[str] = (),
    steps: int = 1,
    A: OfA = "zero",
    history: int = 0,
) -> Block:
    """A method with fixed parameters on a class of operators.

    Args:
        properties: properties with constants, as ``Lipschitz(1) of F``.
        parameters: numbers or formulas by name, as "1/4".
        vectors: of the potential; default "z", "F z" (where A = 0, or something is known of F),
            the rows carried over, and of the history what these are not combinations of.
        steps: iterations that are taken together, from 1 on.
        A: what A is.
        history: how many earlier states the potential looks at, from 0 on.

    Raises OpcheckError for a method whose step is not the same fixed combination at every k, an
    unknown name, and a constant or parameter that is no number.
    """
    iteration = resolve(method)
    if steps < 1:
        raise OpcheckError(f"steps = {steps} must be a whole number from 1 on")
    if history < 0:
        raise OpcheckError(f"history = {history} must be a whole number from 0 on")
    if A != "zero" and not iteration.constrained:
        raise OpcheckError(f"{iteration.name} has no form with A ≠ 0")
    known = tuple(rational_property(p, A) for p in properties)
    if not known:
        raise OpcheckError("a class needs a property, as --given 'Lipschitz(1) of F'")
    notes: list[str] = []
    values = {iteration.parameter(n).name: v for n, v in parameters.items()}
    exact = {
        p.name: _parameter(p.name, values[p.name], p.integer, notes)
        for p in iteration.parameters
        if p.name in values
    }
    first, rows = _carried_over(iteration, exact, A, steps)
    others = filled(iteration, exact, A, steps=steps, first=first) if history else ()
    told = A == "zero" or (any(p.of == "F" for p in known) and not iteration.shadow)
    state = ("z", *((VALUE,) if told else ()), *rows)
    possible = [
        earlier(name, back)
        for back in range(history + 1)
        for name in (*state, *(others if back < history else ()))
    ]
    for name in vectors:
        if name not in possible:
            raise OpcheckError(
                f"a potential of {iteration.name} is made of {', '.join(possible)}, not of {name}"
            )
    block = Block(
        method=iteration,
        given=known,
        parameters=exact,
        A=A,
        steps=steps,
        rows=rows,
        first=first,
        vectors=tuple(dict.fromkeys(vectors)) or tuple(possible),
        notes=tuple(notes),
        away=resting(iteration, exact, (*rows, *others), A, first=first) if A != "zero" else {},
        history=history,
        filled=others,
        points=points(iteration, exact, A),
    )
    return block if vectors or not history else replace(block, vectors=_independent(block))


def _independent(block: Block) -> tuple[str, ...]:
    """The vectors that are no combinations of those in front of them."""
    _, (at,) = block.run(0)
    taken: list[str] = []
    for name in block.vectors:
        rows = [at[n] for n in (*taken, name)]
        if fmpq_mat(len(rows), len(rows[0]), [v for row in rows for v in row]).rank() == len(rows):
            taken.append(name)
    return tuple(taken)


def _carried_over(
    iteration: Method, exact: Mapping[str, Any], A: OfA, steps: int
) -> tuple[int, tuple[str, ...]]:
    """From which k on so many steps are always the same, and the rows that they read beside z."""
    try:
        # the first step may differ: it fills what later ones carry over
        carried = [(k, memory(iteration, exact, A, steps=steps, first=k)) for k in (0, steps)]
    except TypeError as error:
        raise OpcheckError(f"{iteration.name} has no potential to search for: {error}") from error
    same = [(k, rows) for k, rows in carried if rows is not None]
    if not same:
        together = f"{steps} steps together are" if steps > 1 else "a step is"
        raise OpcheckError(
            f"{iteration.name}: {together} not the same at every k, as with a weight that depends "
            "on k; a potential with constant coefficients needs that (for Lookahead take τ steps)"
        )
    first, rows = same[0]
    return first, rows


def decrease(block: Block, matrix: Matrix) -> Claim:
    """V after the steps ≤ V before them, as a claim whose ratio is θ."""
    trace, states = block.run(1)
    before, after = states
    return _claim(
        block,
        trace,
        form(block.vectors, matrix, after),
        bound=form(block.vectors, matrix, before),
        texts={"measure": "V at k + 1", "bound": "V at k"},
        about={"potential": _described(block, matrix, None)},
    )


def least(block: Block, matrix: Matrix, above: Least) -> Claim:
    """‖z − z*‖² or ‖F z‖² ≤ V, as a claim."""
    if above not in get_args(Least):
        raise OpcheckError(f"a potential lies above {' or '.join(get_args(Least))}, not {above!r}")
    if OF_LEAST[above] not in block.vectors or (above == "residual" and block.A != "zero"):
        raise OpcheckError(
            f"a potential made of {', '.join(block.vectors)} does not bound the {above}"
        )
    trace, states = block.run(0)
    return _claim(
        block,
        trace,
        form((OF_LEAST[above],), ((Fraction(1),),), states[-1]),
        bound=form(block.vectors, matrix, states[-1]),
        texts={"measure": above, "bound": "V at k"},
        about={"potential": _described(block, matrix, above)},
    )


def form(vectors: Sequence[str], matrix: Matrix, at: Mapping[str, Vector]) -> Products:
    """Σ P_ij ⟨v_i, v_j⟩ at one state."""
    products: Products = {}
    for i, first in enumerate(vectors):
        for j, second in enumerate(vectors[: i + 1]):
            c = Fraction(matrix[i][j]) * (1 if i == j else 2)
            key = (_sparse(at[second]), _sparse(at[first]))
            if c and all(key):
                products[key] = products.get(key, fmpq(0)) + fmpq(c.numerator, c.denominator)
    return {key: c for key, c in products.items() if c != 0}


def restated(document: Mapping[str, Any]) -> Claim:
    """The claim of a certificate that is about a potential, made anew from the method's text.

    Raises OpcheckError, LookupError, TypeError or ValueError where the document names none.
    """
    said, asked = document["statement"], document["properties"]
    named = said["potential"]
    kinds = {kind.name: kind for kind in KINDS}
    properties = [
        Property(kinds[p["kind"]], p["constant"] and Fraction(p["constant"]), p["of"])
        for p in asked
        if (p["of"], p["kind"]) not in (("A", "Monotone"), ("A", "Subdifferential"))
    ]
    said_of_A: OfA = said["A"]
    if document["constrained"] != (said_of_A != "zero"):
        raise ValueError("what A is is said twice, and not alike")
    block = block_of(
        said["method"],
        properties,
        # numbers only: text from a file is never evaluated
        {n: Fraction(v) for n, v in said["parameters"].items()},
        vectors=[str(v) for v in named["vectors"]],
        steps=int(named["steps"]),
        A=said_of_A,
        history=int(named.get("history", 0)),
    )
    matrix = tuple(tuple(Fraction(v) for v in line) for line in named["matrix"])
    return (
        decrease(block, matrix) if named["above"] is None else least(block, matrix, named["above"])
    )


def _described(block: Block, matrix: Matrix, above: Least | None) -> dict[str, Any]:
    told: dict[str, Any] = {}
    if block.shadow:
        told["shadow"] = str(block.parameters[block.method.shadow])
    if block.away:
        told["away"] = {name: str(c) for name, c in block.away.items()}
    if block.history:
        told["history"] = block.history
    return told | {
        "vectors": list(block.vectors),
        "matrix": [[str(v) for v in line] for line in matrix],
        "steps": block.steps,
        "above": above,
        "rows": list(block.rows),
        "first": block.first,
    }


def _claim(
    block: Block,
    trace: Trace,
    measure: Products,
    bound: Products,
    texts: Mapping[str, str],
    about: Mapping[str, Any],
) -> Claim:
    instance = Setting(
        _statement(block, **texts),
        k=0,
        values={},
        constants={},
        parameters={
            n: Fraction(int(fmpq(v).p), int(fmpq(v).q)) for n, v in block.parameters.items()
        },
        notes=block.notes,
    )
    resolvents_exist(instance, trace)
    return assemble(
        instance,
        trace,
        block.given,
        measure,
        bound,
        covers=block.covers,
        A=block.A,
        about=about,
    )


def _statement(block: Block, measure: str, bound: str) -> Theorem:
    """A statement of nobody's: what a certificate's head needs."""
    return Theorem(
        name=f"potential of {block.method.name}",
        method=block.method.name,
        given=block.given,
        measure=measure,
        bound=bound,
        claim="one-step",
        source=Source("found by search"),
        constrained="subdifferential" if block.A == "subdifferential" else block.A == "monotone",
    )


def rational_property(written: str | Property, A: OfA) -> Property:
    """A hypothesis with a rational constant. Raises OpcheckError for any other."""
    prop = property_of(written)
    if prop.of == "A" and A == "zero":
        raise OpcheckError(f"{prop}: A is 0 here; --constrained is for A ≠ 0")
    if prop.of == "A" and prop.kind is Monotone:
        raise OpcheckError("A is maximally monotone already: Monotone of A says no more")
    if prop.kind.better is None:
        if prop.constant not in (None, ""):
            raise OpcheckError(f"{prop.kind.name} has no constant, not {prop.constant}")
        return replace(prop, constant=None)
    if prop.constant in (None, ""):
        raise OpcheckError(f"{prop.kind.name} needs a constant, as {prop.kind.name}(1) of F")
    value = number(prop.constant)
    if isinstance(value, Ball):
        raise OpcheckError(f"{prop} has an irrational constant; give a rational one")
    if prop.kind.positive and value < 0:
        raise OpcheckError(f"{prop} needs a constant that is not negative")
    return replace(prop, constant=Fraction(int(value.p), int(value.q)))


def _parameter(name: str, written: Any, integer: bool, notes: list[str]) -> Any:
    value = number(written)
    if isinstance(value, Ball):
        middle = fmpq(*float(value.ball.mid()).as_integer_ratio())
        width = fmpq(1, 10**6)
        value = simplest(middle - width, middle + width)
        notes.append(f"{name} = {written} is irrational: {value} is taken instead")
    if integer:
        if value.q != 1 or value < 1:
            raise OpcheckError(f"{name} = {written} must be a whole number from 1 on")
        return int(value)
    return value


@functools.cache
def _sparse(vector: Vector) -> Sparse:
    return tuple((i, v) for i, v in enumerate(vector) if v != 0)
