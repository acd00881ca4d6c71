"""Lemmas about one index that tests of their texts tell apart, and which of them serves where."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from opcheck.evidence.proofs.prove import Case
from opcheck.rocq.expressions import ATOM, At, Real, Writer
from opcheck.rocq.loops import Turn
from opcheck.rocq.scene import index_of
from opcheck.rocq.texts import Texts

HELD = {True: "_yes", False: "_no"}  # at the end of a lemma's name


@dataclass(frozen=True)
class Way:
    """The lemma of a case.

    Attributes:
        stem: its name without the tests that it takes to hold, or not to.
        turn: where in loops of any length its steps are.
    """

    stem: str
    case: Case
    turn: Turn | None = None

    @property
    def at(self) -> At:
        """The index that it is about."""
        return index_of(self.case)

    @property
    def taken(self) -> tuple[bool, ...]:
        """Which tests it takes to hold, in order."""
        return tuple(holds for _, _, holds in self.case.reader.assumed)

    @property
    def name(self) -> str:
        """The name of the lemma."""
        return self.stem + "".join(HELD[holds] for holds in self.taken)

    def always(self, depth: int) -> str:
        """The name of the lemma on a test that is always as taken, where those before it are."""
        return f"always_{self.stem}" + "".join(HELD[holds] for holds in self.taken[:depth])

    def test(self, depth: int, texts: Texts, at: At) -> tuple[Real, Real]:
        """Both sides of a test that it takes, for its lemma used at an index."""
        test, offset, _ = self.case.reader.assumed[depth]
        return texts.test(test, (at if self.case.at is None else At("")).plus(offset))

    def beside(self, other: Way, depth: int) -> bool:
        """Whether both are about one index and take the first tests alike."""
        return self.stem == other.stem and self.taken[:depth] == other.taken[:depth]


def forced(ways: Sequence[Way]) -> Iterator[tuple[Way, int]]:
    """A way, and the place of a test, for each test that no way beside it takes otherwise."""
    met = set()
    for way in ways:
        for depth in range(len(way.taken)):
            others = [w.taken[depth] for w in ways if w.beside(way, depth)]
            name = way.always(depth)
            if len({*others}) == 1 and name not in met:
                met.add(name)
                yield way, depth


def decision(
    ways: Sequence[Way], texts: Texts, write: Writer, at: At, arguments: str, depth: int = 0
) -> str:
    """The tactic that uses, of the lemmas about one index, the one whose tests hold.

    Args:
        arguments: that every one of them takes before the tests.
    """
    way = ways[0]
    tests = "".join(f" test{i}" for i in range(depth))
    if depth == len(way.taken):
        applied = f"{way.name}{arguments}{tests}"
        return f"exact ({applied})" if " " in applied else f"exact {applied}"
    small, large = (write(side, ATOM) for side in way.test(depth, texts, at))
    strict = way.case.reader.assumed[depth][0].relation in ("<", ">")
    sides = []
    for holds in (True, False):
        these = [w for w in ways if w.taken[depth] is holds]
        turned = ("Rlt_not_le _ _ " if strict else "Rle_not_lt _ _ ") if holds else ""
        known = f"({way.always(depth)}{arguments}{tests})"
        never = f"exfalso; exact ({turned}test{depth} {known})"
        sides.append(
            decision(these, texts, write, at=at, arguments=arguments, depth=depth + 1)
            if these
            else never
        )
    compared = f"R{'lt' if strict else 'le'}_dec {small} {large}"
    # not ``destruct``, which would decide the comparison in the goal as well
    tests = f"pose proof ({compared}) as [test{depth}|test{depth}]"
    return f"{tests}; [{sides[0]}|{sides[1]}]"
