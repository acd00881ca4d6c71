"""What a method and a statement offer an argument: points, inequalities, vectors."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from opcheck.engine.forms import Sparse
from opcheck.errors import OpcheckError, Undecided
from opcheck.evidence.discover.reading import Reading
from opcheck.evidence.proofs.reader import Reader
from opcheck.model import grammar
from opcheck.model.measure import STANDING
from opcheck.model.theorem import Theorem

SOLUTION = "solution"
LOOPED = "slow"  # the row of a method that goes in loops: where its loop began
CASES = (1, 2, 3)  # whole numbers that an open parameter is claimed for
SOUGHT = 3  # of which a loop has a first, a middle and a last step
SOUGHT_INSIDE = 2  # where the parameter counts what happens inside a step
LATER = ("next(z)", "resolvent(next(z))")  # points behind the step that are spoken of


@dataclass(frozen=True)
class Loop:
    """How k and whole parameters are split into cases.

    Attributes:
        period: how many steps a loop of the method has in the search; 1 for none.
        tau: that number as the statement has it.
        fixed: whole parameters that have values in the search.
        cases: as a proof declares them.
    """

    period: int = 1
    tau: str = ""
    fixed: Mapping[str, int] = field(default_factory=dict)
    cases: tuple[Mapping[str, str], ...] = ({},)


def loop_of(theorem: Theorem) -> Loop:
    """The cases of a method with a whole parameter.

    An open one is searched at one number and claimed for a few; ``prove`` says for which it holds.
    """
    whole = [p.symbol for p in theorem.iteration.parameters if p.integer]
    if len(whole) != 1:
        return Loop()
    (name,) = whole
    loops = LOOPED in theorem.iteration.rows
    number = grammar.constant(grammar.parse(theorem.let[name])) if name in theorem.let else None
    if name in theorem.let:
        if not loops or number is None or number.denominator != 1:
            return Loop()
        cases = _residues(int(number), {})
        return Loop(int(number), str(number), {}, tuple(cases))
    if not loops:
        return Loop(1, name, {name: SOUGHT_INSIDE}, tuple({name: str(n)} for n in CASES))
    cases = [case for n in CASES for case in _residues(n, {name: str(n)})]
    return Loop(SOUGHT, name, {name: SOUGHT}, tuple(cases))


def _residues(period: int, fixed: Mapping[str, str]) -> list[dict[str, str]]:
    if period == 1:
        return [{**fixed, "k": "m"}]
    texts = [f"{period}*m" + (f" + {r}" if r else "") for r in range(period)]
    return [{**fixed, "k": text} for text in texts]


@dataclass(frozen=True)
class Material:
    """Texts to argue with.

    Attributes:
        points: at which the step evaluates an operator, and the point it reaches.
        earlier: those of the step before, where the method remembers it.
        remembered: vectors that vanish where the run stands still, made of rows that are read
            before they are written: as ``F(z) - last(Fzbar)``.
        carried: what a step finds in those rows: values of F, and where they were taken.
        residual: a vector that says how far z is from being a solution: ``F(z)``; "".
        anchored: whether the method goes back to where it began.
    """

    points: tuple[str, ...]
    earlier: tuple[str, ...]
    remembered: tuple[str, ...]
    carried: tuple[str, ...]
    residual: str
    anchored: bool


def material(theorem: Theorem, loop: Loop) -> Material:
    """Read off one step of the method, and the measure."""
    sources = [theorem.measure, theorem.bound, "next(z)"]
    reading = Reading(theorem, sources, fixed=loop.fixed, period=loop.period)
    for source in sources[:2]:
        for offset in (0, 1):
            try:
                reading.general.read(source, offset)
            except (OpcheckError, Undecided, TypeError, IndexError):
                continue
    reader = reading.general
    steps = reader.steps
    spoken = Texts(reader)
    points: dict[str, None] = {}
    for _, point, _, _, _ in steps.oracle.calls:
        text = spoken.of(point)
        if text and (text in LATER or not text.startswith(("last(", "next("))):
            points[text] = None
    for text in ("z", "next(z)"):
        points.setdefault(text)
    points.pop("anchor", None)
    carried = _carried(reading)
    values = _values(reading)
    remembered = [f"z - last({row})" for row in carried if row not in values]
    remembered += [f"F(z) - last({row})" for row in carried if row in values]
    held = [f"last({row})" if row in values else f"z - last({row})" for row in carried]
    rows = theorem.iteration.points
    earlier = (
        [row if row in STANDING else f"last({row})" for row in rows if row != "z"]
        if carried
        else []
    )
    if carried:
        earlier.append("last(z)")
        looked = [row for row in rows if row not in STANDING]
        remembered += [f"z - last({row})" for row in looked if row not in carried]
        held += [f"z - last({row})" for row in looked if row not in carried]
        remembered += [f"last({row}) - last(last({row}))" for row in looked]
        remembered.append("z - last(z)")
    taken = [t for t in points if t == "resolvent(z)"]
    residual = "z - resolvent(z)" if taken else "F(z)" if theorem.A == "zero" else ""
    return Material(
        points=tuple(points),
        earlier=tuple(dict.fromkeys(earlier)),
        remembered=tuple(dict.fromkeys(remembered)),
        carried=tuple(dict.fromkeys(held)),
        residual=residual,
        anchored="anchor" in theorem.iteration.rows,
    )


def inequalities(theorem: Theorem, points: Sequence[str]) -> Iterator[str]:
    """Every hypothesis at every pair of the points, and against the solution."""
    for prop in theorem.given:
        name = prop.kind.name
        if prop.kind.of_values:
            continue
        for point in points:
            yield f"{name}({point})"
        if not prop.kind.star:
            for a, b in itertools.combinations(points, 2):
                yield f"{name}({a}, {b})"
    if theorem.A == "subdifferential":
        for a, b in itertools.permutations([*points, SOLUTION], 2):
            yield f"Subgradient({a}, {b})"
    if theorem.A == "monotone":
        for a, b in itertools.combinations([*points, SOLUTION], 2):
            yield f"Resolvent({a}, {b})"


def _carried(reading: Reading) -> list[str]:
    """Rows that a step reads before it writes them, z and the anchor aside."""
    steps = reading.general.steps
    rows = steps.method.rows
    known = {i for i, row in enumerate(rows) if row in ("z", "anchor")}
    first = steps.states[0]
    basis = {row[0][0]: rows[i] for i, row in enumerate(first) if row and i not in known}
    used = {i for i, _ in steps.states[1][0]}
    for _, point, _, _, _ in steps.oracle.calls:
        used |= {i for i, _ in point}
    return [name for i, name in basis.items() if i in used and name != LOOPED]


def _values(reading: Reading) -> set[str]:
    """Rows that hold a value of an operator, and not a point."""
    steps = reading.general.steps
    values = {value for _, _, value, _, _ in steps.oracle.calls}
    last = steps.states[-1]
    return {name for name, row in zip(steps.method.rows, last, strict=True) if row in values}


class Texts:
    """Points of a reading by texts that name them."""

    def __init__(self, reader: Reader) -> None:
        self.steps = reader.steps
        symbols = [p.symbol for p in self.steps.method.parameters]
        self.gamma = reader.symbol(symbols[0], 0) if symbols else None
        self.known: dict[Sparse, str] = {}
        rows = self.steps.method.rows
        for offset, wrap in ((0, "{}"), (1, "next({})"), (-1, "last({})")):
            for row in sorted(rows, key=lambda row: (row not in STANDING, rows.index(row))):
                try:
                    vector = self.steps.row(row, offset)
                except OpcheckError:
                    continue
                if vector:
                    self.known.setdefault(vector, wrap.format(row))

    def of(self, point: Sparse) -> str:
        """A text for a point; "" where none is known."""
        for of, reached, _, before, gamma in self.steps.oracle.calls:
            if reached == point and of == "S" and gamma == self.gamma and before in self.known:
                return f"resolvent({self.known[before]})"
        if point in self.known:
            return self.known[point]
        parts: list[str] = []
        for i, c in point:
            text = self._basis(i)
            if not text:
                return ""
            factor = c.factored()
            minus, factor = factor.startswith("-"), factor.removeprefix("-")
            sign = ("-" if minus else "") if not parts else (" - " if minus else " + ")
            parts.append(sign + (text if factor == "1" else f"{factor}*{text}"))
        return "".join(parts)

    def _basis(self, i: int) -> str:
        for vector, text in self.known.items():
            if len(vector) == 1 and vector[0][0] == i and vector[0][1] == 1:
                return text
        for of, point, value, _, gamma in self.steps.oracle.calls:
            if len(value) == 1 and value[0][0] == i and of == "F" and gamma == 0:
                inner = self.of(point)
                return f"F({inner})" if inner else ""
        return ""
