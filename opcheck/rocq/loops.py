"""Loops of any length: a whole parameter that has every value from one on, as Rocq is told of it.

Such a loop is run through in one step, or it is a step of its own that counts where it stands. One
of the first kind is so many passes of one row; its last pass begins from a row of which nothing is
known. One of the second kind has a first step, a last one, and those between; a lemma is about a
few steps in a row, in which one loop ends at most.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from opcheck.engine.rows import Several, Steps
from opcheck.errors import Undecided
from opcheck.evidence.proofs.prove import opened
from opcheck.rocq.expressions import At, NotExported, Vector, replaced

ROLES = ("first", "middle", "last")  # of a step in a loop


@dataclass(frozen=True)
class Length(Several):
    """A whole parameter that has every value from ``least`` on, as a kernel gets it.

    Attributes:
        less: what was taken from it.
    """

    name: str
    least: int
    less: int = 0

    def __sub__(self, other: Any) -> Any:
        if not isinstance(other, int):
            return NotImplemented
        return Length(self.name, self.least, self.less + other)

    def phase(self, role: str) -> Phase:
        """k modulo it, at a step of that role. Raises Undecided for a step without one."""
        if not role or self.less:
            raise Undecided(f"k mod {self.name} depends on k")
        return Phase(role, self)


@dataclass(frozen=True)
class Phase:
    """Where in a loop a step is, by its role; "" where that is not known.

    Attributes:
        offset: where a sequence is read; a base that counts anew has constant ones alone.
    """

    role: str
    length: Length
    offset = 0

    def __add__(self, other: Any) -> Any:
        if not isinstance(other, int):
            return NotImplemented
        return self if other == 0 else Phase("", self.length)

    def phase(self, period: Any) -> Any:
        """It modulo a period. Raises Undecided."""
        raise Undecided(f"what a step does depends on k mod {self.length.name} mod {period}")

    def __eq__(self, other: object) -> bool:
        last = Length(self.length.name, self.length.least, 1)
        if self.role and isinstance(other, int) and other == 0:
            return self.role == "first"
        if self.role and other == last:
            return self.role == "last"
        raise Undecided(f"what a step does depends on where in the loop of {last.name} steps it is")

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = None  # type: ignore[assignment]


@dataclass(frozen=True)
class Loop:
    """An inner loop of one step.

    Attributes:
        row: that each pass changes.
        begun: the row where the loop begins.
        inside: the row before the last pass.
        body: the row after that, told by ``inside`` and by rows that stay.
        calls: the numbers of calls before the loop, up to its second pass, and up to its end.
    """

    row: str
    begun: Vector
    inside: Vector
    body: Vector
    calls: tuple[int, int, int]


class Passes(Several):
    """The passes of a kernel's inner loop over trees: the first, and one from any row inside.

    ``prove`` has run the same loop, and refuses one that changes more than rows.

    Args:
        rows: the names of the state's rows.
        count: how many calls were made so far.
    """

    def __init__(self, rows: Sequence[str], state: Any, at: At, count: Any) -> None:
        self.rows, self.state, self.at, self.count = rows, state, at, count
        self.stages: list[list[Vector]] = []
        self.calls: list[int] = []
        self.changed: list[int] = []

    def passes(self, begun: Sequence[Any]) -> Passes:
        """The loop itself, once. Raises Undecided for a second one."""
        if begun or self.stages:
            raise Undecided("a step of two loops of any length, or of one that begins later")
        return self

    def __sub__(self, other: Any) -> Any:
        raise Undecided("the text computes with the number of passes of a loop")

    def __iter__(self) -> Passes:
        return self

    def __next__(self) -> Any:
        self.stages.append([own[0] for own in self.state])
        self.calls.append(self.count())
        if len(self.stages) == 2:
            first, second = self.stages
            self.changed = [i for i, row in enumerate(second) if row != first[i]]
            for i in self.changed:
                self.state[i][0] = Vector("inside", (self.rows[i], self.at))
        if len(self.stages) == 3:
            raise StopIteration
        return Steps(0)

    def loop(self) -> Loop | None:
        """What it was; None where there was none. Raises NotExported for more than one row."""
        if not self.stages:
            return None
        begun, first, last = self.stages
        bodies = {self.rows[i]: last[i] for i in self.changed}
        read = {n for b in bodies.values() for n in _inside(b)}
        if len(read) != 1:
            raise NotExported("an inner loop over more rows than one")
        (row,) = read
        i = self.rows.index(row)
        inside = Vector("inside", (row, self.at))
        if replaced(last[i], {inside: begun[i]}) != first[i]:
            raise NotExported("the first pass of an inner loop is another than the rest")
        before, second, end = self.calls
        return Loop(row, begun[i], inside, last[i], (before, second, end))


def _inside(tree: Any) -> set[str]:
    """The rows inside of a loop that a tree speaks of."""
    if isinstance(tree, Vector) and tree.kind == "inside":
        return {tree.parts[0]}
    parts = getattr(tree, "parts", ())
    return set().union(*(_inside(part) for part in parts))


def speaks_of_inside(tree: Any) -> bool:
    """Whether a tree speaks of a row inside of a loop."""
    return bool(_inside(tree))


def length_in(fixed: Mapping[str, str]) -> Length | None:
    """The whole parameter that has every value from one on; None where all have one.

    Raises NotExported where several are open.
    """
    lengths = [Length(n, opened(v)[0]) for n, v in fixed.items() if n != "k" and opened(v)[1]]
    if len(lengths) > 1:
        raise NotExported(f"{' and '.join(x.name for x in lengths)} are open at once")
    return lengths[0] if lengths else None


@dataclass(frozen=True)
class Turn:
    """Where the steps of one lemma stand in loops that are longer than all of them.

    Attributes:
        word: of the length.
        at: the lemma's k.
        window: the first and the last i of the k + i that it speaks of.
        begins: the i at which a loop begins; None where none does.
    """

    word: str
    least: int
    at: At
    window: tuple[int, int]
    begins: int | None

    @property
    def name(self) -> str:
        """What tells its lemmas from others."""
        return "inside" if self.begins is None else f"at_{self.begins - self.window[0]}"

    @property
    def indices(self) -> list[At]:
        """The steps that are spoken of."""
        low, high = self.window
        low = max(low, -self.at.add) if not self.at.base else low
        return [self.at.plus(i) for i in range(low, high + 1)]

    def phase(self, at: At) -> str:
        """An index modulo the length."""
        return f"Nat.modulo {at.nat} {self.word}"

    @property
    def premises(self) -> list[tuple[str, str]]:
        """What is known of the loop, with the names: nothing of a k that is a number."""
        if not self.at.base:
            return []
        if self.begins is not None:
            return [("turn", f"{self.phase(self.at.plus(self.begins))} = 0%nat")]
        return [(f"off_{i}", f"{self.phase(at)} <> 0%nat") for i, at in enumerate(self.indices)]

    def begun(self, at: At) -> bool:
        """Whether a loop begins at an index."""
        if not self.at.base:
            return at.add == 0
        return self.begins is not None and at.add == self.at.add + self.begins

    def role(self, at: At) -> str:
        """The role of the step at an index."""
        if self.begun(at):
            return "first"
        return "last" if self.at.base and self.begun(at.plus(1)) else "middle"

    def applied(self, at: At) -> str:
        """The arguments of an equation of rows at an index, by its role."""
        place = {x.add: f"phase_{i}" for i, x in enumerate(self.indices)}
        match self.role(at):
            case "first":
                return f"{at.nat} {place[at.add]}"
            case "last":
                return f"{at.nat} {place[at.add + 1]}"
        return f"{at.nat} _ _ {place[at.add]} {place[at.add + 1]}"

    def facts(self) -> list[str]:
        """Steps of a proof after which ``phase_i`` says where each index stands."""
        tau, lines = self.word, []
        for i, at in enumerate(self.indices):
            if not self.at.base:
                said = f"{self.phase(at)} = {at.add}%nat"
                lines.append(f"assert (phase_{i} : {said}) by (apply Nat.mod_small; lia).")
            elif self.begins is None and i:
                said = f"{self.phase(at)} = {'(S ' * (i + 1)}gone{')' * (i + 1)}"
                known = f"(phase_next {tau} _ ltac:(lia) off_{i})"
                lines.append(
                    f"assert (phase_{i} : {said}) by exact "
                    f"(eq_trans {known} (f_equal S phase_{i - 1}))."
                )
            elif self.begins is None:
                lines.append(f"destruct (phase_inside _ off_{i}) as [gone phase_{i}].")
            else:
                lines.append(self._beside(i, at))
        return lines

    def room(self) -> list[str]:
        """Steps of a proof that show the counts that the length is made of to be ≥ 0."""
        if not self.at.base or self.begins is not None:
            return room(self.word, self.least)
        last = len(self.indices) - 1
        end = f"Nat.mod_upper_bound {self.indices[-1].nat} {self.word} ltac:(lia)"
        return [
            "pose proof (pos_INR gone) as gone_positive.",
            f"pose proof ({end}) as rest. rewrite phase_{last} in rest. "
            "pose proof (le_INR _ _ rest) as further; rewrite !S_INR in further.",
            f"assert (0 <= {self.spare}) by lra.",
        ]

    def _beside(self, i: int, at: At) -> str:
        """Where an index stands, from where a loop begins."""
        assert self.begins is not None
        far = at.add - self.at.add - self.begins
        if far == 0:
            return f"pose proof turn as phase_{i}."
        if far > 0:
            return (
                f"assert (phase_{i} : {self.phase(at)} = {far}%nat) by exact "
                f"(phase_after {self.word} _ {far} ltac:(lia) turn)."
            )
        return (
            f"destruct (phase_before {self.word} {at.nat} {-far} ltac:(lia) turn) as "
            f"[gone_{i} phase_{i}]."
        )

    @property
    def spare(self) -> str:
        """What the length has beyond the least that it must have."""
        if self.at.base and self.begins is None:
            return f"(INR {self.word} - INR gone - {len(self.indices) + 1})"
        return spare(self.word, self.least)

    @property
    def unfolding(self) -> str:
        """How a text is told at these indices."""
        known = ", ".join(f"?phase_{i}" for i in range(len(self.indices)))
        return f" rewrite {known}; cbv beta iota;"


def spare(word: str, least: int) -> str:
    """What a length has beyond its least."""
    return f"(INR {word} - {least})"


def room(word: str, least: int) -> list[str]:
    """Steps of a proof that show that to be ≥ 0."""
    return [
        f"pose proof (le_INR _ _ range_{word}) as room; cbn [INR] in room.",
        f"assert (0 <= {spare(word, least)}) by lra.",
    ]


def split(turns: Sequence[tuple[Turn, str]], at: At) -> list[tuple[str, str, str]]:
    """The tests of an index that tell lemmas apart: (test, lemma, its arguments) for each.

    The last is about a loop that begins nowhere near, and has no test.
    """
    out = []
    off = [f"off_{i}" for i in range(len(turns) - 1)]
    for i, (turn, name) in enumerate(turns):
        if turn.begins is None:
            out.append(("", name, f"{at.base} {' '.join(off)}"))
            continue
        test = f"destruct (Nat.eq_dec ({turn.phase(at.plus(turn.begins))}) 0) as [turn|{off[i]}]; "
        out.append((test, name, f"{at.base} turn"))
    return out
