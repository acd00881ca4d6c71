"""Symbolic proofs: a declared potential argument, checked for all k and all admissible parameters.

The method's own text makes one step from an arbitrary state, with rational functions of k and of
the parameters as coefficients. What is to be shown minus the declared combination of inequalities
must leave a sum of squares: its symmetric elimination has pivots that are proved to be ≥ 0. Where a
pivot vanishes the form is a limit of forms where it does not.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Literal

from opcheck import registry
from opcheck.engine.ratio import Field, Period, Ratio, Special
from opcheck.engine.run import Take, take
from opcheck.engine.steps import Steps, shown
from opcheck.errors import OpcheckError, Undecided
from opcheck.evidence.proofs.explain import at_words, failure, helper, in_words, open_sign
from opcheck.evidence.proofs.reader import CAUCHY, SHIFT, Reader, Total
from opcheck.evidence.proofs.turns import Turning, check_family
from opcheck.evidence.statement.exact_parameters import EmptyRange, setting
from opcheck.evidence.statement.expressible import refusal
from opcheck.evidence.statement.positivity import DEPTH, Domain
from opcheck.evidence.statement.ranges import symbols_of
from opcheck.evidence.statement.resolvents import STEP, resolvent_exists
from opcheck.evidence.statement.scalars import Open
from opcheck.evidence.statement.well_posed import well_posed
from opcheck.model import grammar
from opcheck.model.grammar import Binary, Call, Comparison, Name, Node, Number
from opcheck.model.measure import STANDING
from opcheck.model.proof import RUN, Proof
from opcheck.model.result import Result
from opcheck.model.text import Chain
from opcheck.model.theorem import WORDS_OF_A, Theorem, theorem_of

Part = Literal["start", "step", "end", "early"]
INVARIANT = "potential"
POINTS = (
    "F",
    "A",
    "S",
    "Resolvent",
    "Subgradient",
    CAUCHY,
)  # functions of points, beside hypotheses
ENDS = ("end", "early")
APART = 8  # first k that may be treated apart
KNOWN = (INVARIANT, f"next({INVARIANT})")
SHOWN = {  # by a part of an argument
    "start": "B − V at the start",
    "step": "V − next(V)",
    "end": "bound − measure",
    "early": "bound − measure before the last k",
    "length": "‖w‖² − ‖v‖² for Cauchy(u, v, w)",
}
TESTS = 3  # of the texts of an inequality that may be open at once
Assumed = tuple[Comparison, int, bool]  # a test, the offset from k, whether it holds
Used = tuple[str, str, Ratio]  # an inequality, the formula of its multiplier, and that
Squares = tuple[tuple[Ratio, Mapping[int, Ratio]], ...]  # (weight, vector)


class NotProved(OpcheckError):
    """A declared argument is wrong, or a sign could not be settled."""


@dataclass(frozen=True)
class Lemma(Result):
    """One inequality of a proof.

    Attributes:
        name: "start", "step", "end" or "length", with the case.
        multipliers: of the inequalities used.
        squares: (weight, vector) of what is left.
    """

    name: str
    multipliers: tuple[tuple[str, str], ...]
    squares: tuple[tuple[str, str], ...]

    @property
    def shows(self) -> str:
        """What is the sum of these, in words, with the case."""
        part, comma, case = self.name.partition(", ")
        return f"{SHOWN[part]}{comma}{case}"


@dataclass(frozen=True)
class Argument:
    """A lemma as data, over the basis of its case's step.

    Attributes:
        name: as that of the lemma; "length, ..." of what an inequality of Cauchy rests on.
        used: (inequality, formula of its multiplier, multiplier); those whose multiplier is not 0.
        squares: (weight, vector) of what is left.
        radius: the factor of R² that is left.
        rests: the inequality of Cauchy that rests on it; "" for a part of the argument.
    """

    name: str
    used: tuple[tuple[str, str, Ratio], ...]
    squares: Squares
    radius: Ratio
    rests: str = ""


@dataclass(frozen=True)
class Proved(Result):
    """A statement shown for all k and all admissible real parameters, in every dimension.

    Attributes:
        covers: for which k, whole parameters and A.
        only: the part of the stated range of whole parameters that the cases show; "" for all.
        remark: the author's word on the cases; it shows nothing.
        at_most: what the potential is at most where it starts.
        lemmas: every inequality that was shown: the start, each step and each end of each case.
        symbols: what the spare symbols of the formulas stand for.
    """

    theorem: str
    covers: str
    only: str
    remark: str
    potential: str
    at_most: str
    lemmas: tuple[Lemma, ...]
    symbols: Mapping[str, str]


def prove(theorem: str | Theorem) -> Proved:
    """Check a theorem's declared potential argument.

    Raises NotProved where it does not show the statement, with the part that fails, OpcheckError
    where none is declared.
    """
    entry = theorem_of(theorem)
    lemmas: list[Lemma] = []
    meanings: dict[str, str] = {}
    for case, argument in established(entry):
        lemmas.append(case.worded(argument))
        meanings |= case.meanings()
    proof = entry.proof
    assert proof is not None
    only = _only(entry, proof)
    return Proved(
        theorem=entry.name,
        covers=_covers(entry, only),
        only=only,
        remark=proof.remark,
        potential=proof.potential,
        at_most=proof.at_most,
        lemmas=tuple(lemmas),
        symbols=meanings,
    )


def established(theorem: Theorem) -> list[tuple[Case, Argument]]:
    """Every inequality of a declared argument that shows its statement, and what shows it.

    Raises as ``prove``.
    """
    proof = theorem.proof
    if proof is None:
        raise OpcheckError(f"{theorem.name} declares no potential argument")
    shown_cases: list[tuple[Case, Argument]] = []
    try:
        well_posed(theorem)
        _complete(theorem, proof)
        admits(theorem)
        for part, case in _parts_of(proof):
            try:
                shown_cases += settled(theorem, part, case)
            except NotProved:
                raise
            except OpcheckError as error:
                raise NotProved(f"{theorem.name}, {part}: {error}") from error
    except NotProved:
        raise
    except (OpcheckError, Undecided, TypeError) as error:
        sentence = str(error).removeprefix(f"{theorem.name}: ")
        raise NotProved(f"{theorem.name}: {sentence}") from error
    return shown_cases


def admits(theorem: Theorem) -> None:
    """Raise NotProved where no constants and parameters are found that the statement is about."""
    k = max(theorem.first, 1)
    try:
        setting(theorem, k, k + 1)
    except EmptyRange as empty:
        sentence = str(empty).removeprefix(f"{theorem.name}: ")
        raise NotProved(
            f"{theorem.name}: nothing was found that it is about, and a proof of that shows "
            f"nothing: {sentence}"
        ) from empty
    except OpcheckError:
        pass  # a choice is there, and is irrational


def _parts_of(proof: Proof) -> Iterator[tuple[Part, Mapping[str, str]]]:
    if proof.potential:
        yield from (("start", fixed) for fixed in fixed_choices(proof))
        yield from (("step", case) for case in proof.cases)
    yield from (("end", case) for case in proof.cases)
    if proof.horizon == RUN:
        yield "early", {}


def _cases(
    theorem: Theorem, part: Part, case: Mapping[str, str]
) -> Iterator[tuple[Lemma, Mapping[str, str]]]:
    """The lemmas of a part, and what their spare symbols stand for."""
    for each, argument in settled(theorem, part, case):
        yield each.worded(argument), each.meanings()


def settled(
    theorem: Theorem, part: Part, case: Mapping[str, str]
) -> Iterator[tuple[Case, Argument]]:
    """A part at the first few k of a run, if they differ, and then for all others at once.

    They differ where the part speaks of steps before k, or where a text or a kernel treats some k
    apart. Raises NotProved where one is not shown.
    """
    assert theorem.proof is not None
    proof, theorem = theorem.proof, with_symbols(theorem, part)
    least = _least(theorem, proof, part)
    if part == "start":
        yield from _split(theorem, part, case, least, least)
        return
    before, _ = _reach(theorem, proof, part)
    general = None
    late = before
    if proof.until is not None:
        late = max(before, proof.until + 1 - least)
    if proof.horizon not in ("", RUN) and part == "end":
        late = max(late, 1 - least)  # with N = 0 no step is shown
    places = _places(theorem, part, case)
    while general is None:
        try:
            general = [
                each
                for begins in places
                for each in _split(theorem, part, case, None, least + late, begins=begins)
            ]
        except Special as special:
            if special.k > least + before + APART:
                raise
            late = max(late, special.k - least) + 1
    if late and "k" in case:
        raise NotProved(f"{theorem.name}, {part}: its first steps differ, and k = {case['k']}")
    for at in range(least, least + late):
        yield from _split(theorem, part, case, at, at)
    yield from general


def with_symbols(theorem: Theorem, part: Part) -> Theorem:
    """The statement with the further symbols of its argument, that for the last k among them."""
    assert theorem.proof is not None
    horizon = theorem.proof.horizon
    let, where, free = {**theorem.let, **theorem.proof.let}, theorem.where, theorem.free
    if horizon and part != "end":  # there it is k
        end = f"k + 1 <= {horizon}"
        if part == "start":
            end = f"{theorem.first if horizon == RUN else 1} <= {horizon}"
        where, free = (f"{where}, {end}" if where else end), (*free, horizon)
    if not horizon and not let:
        return theorem
    widened = replace(theorem, let=let, where=where, free=free)
    widened.__dict__["iteration"] = theorem.iteration  # also where that is no registered one
    return widened


def _split(
    theorem: Theorem,
    part: Part,
    case: Mapping[str, str],
    at: int | None,
    least: int,
    *,
    begins: int | None = None,
    assumed: Sequence[Assumed] = (),
) -> list[tuple[Case, Argument]]:
    """One inequality, or where a test of its texts holds for some symbols only one each way."""
    try:
        whole = Case(theorem, part, case, at, least, begins=begins, assumed=assumed)
        return [whole.settled(), *((whole, length) for length in whole.lengths)]
    except Open as question:
        if len(assumed) == TESTS:
            raise
        test, offset = question.test, question.offset
        settled = question.reading.holds(test, offset)
    return [
        each
        for holds in (True, False)
        if settled in (holds, None)
        for each in _split(
            theorem,
            part,
            case,
            at,
            least,
            begins=begins,
            assumed=[*assumed, (test, offset, holds)],
        )
    ]


def _places(theorem: Theorem, part: Part, case: Mapping[str, str]) -> list[int | None]:
    """Where a loop begins that is longer than the steps spoken of: at k + i, or nowhere there.

    Raises NotProved where such a loop may begin twice.
    """
    if "(" not in theorem.iteration.name:
        return [None]  # an inner loop is passed through in one step
    whole = {name: opened(source) for name, source in case.items() if name != "k"}
    loops = {name: least for name, (least, symbol) in whole.items() if symbol}
    if len(loops) > 1:
        raise NotProved(
            f"{theorem.name}, {part}: loops of any length {' and '.join(loops)} begin at steps of "
            "their own, and one such loop alone can be told; give the others by number"
        )
    for name, least in loops.items():
        low, high = _window(theorem, part)
        if least < high - low + 1:
            raise NotProved(
                f"{theorem.name}, {part}: it speaks of {high - low + 1} steps in a row, in "
                f"which a loop of {name} = {least} may begin twice; give the cases below "
                f"{name} = {high - low + 1} by number"
            )
        return [*range(low, high + 1), None]
    return [None]


def _window(theorem: Theorem, part: Part) -> tuple[int, int]:
    """The first and last i of the k + i that a part may ask to begin a loop."""
    assert theorem.proof is not None
    before, after = _reach(theorem, theorem.proof, part)
    return -before, after


def opened(source: str) -> tuple[int, str]:
    """The least value of a whole parameter, and the symbol in c + t that makes it every one."""
    match grammar.parse(source):
        case Number(int() as c):
            return c, ""
        case Binary("+", Number(int() as c), Name(name)):
            return c, name
    raise OpcheckError(f"{source!r} is neither a whole number nor of the form c + t")


def _least(theorem: Theorem, proof: Proof, part: Part) -> int:
    """The k from which on a part is to be shown."""
    return theorem.first if part in ENDS else proof.begin


def _reach(theorem: Theorem, proof: Proof, part: Part) -> tuple[int, int]:
    """How many steps before and after k the texts of a part speak of."""
    potential = proof.potential or "0"
    using = _using(proof, part)
    trees = [grammar.parse(source) for source in [*using, *using.values()]]
    whole = grammar.parse(potential)
    if part in ENDS:
        trees += [theorem.left.tree, theorem.right.tree]
    else:
        trees.append(whole)
    if part == "step":
        trees.append(Call("next", (whole,)))
    low, high = 0, 1
    for tree in trees:
        a, b = span(grammar.replaced(tree, {INVARIANT: whole}), 0, theorem)
        low, high = min(low, a), max(high, b)
    return -low, high


def _using(proof: Proof, part: Part) -> Mapping[str, str]:
    """The declared inequalities of a part; before the last k of a run a bound stands by itself."""
    declared: Mapping[str, str] = {} if part == "early" else getattr(proof, part)
    return declared


def fixed_choices(proof: Proof) -> list[dict[str, str]]:
    """The choices of integer parameters, each once."""
    values = [{n: v for n, v in case.items() if n != "k"} for case in proof.cases]
    return [case for i, case in enumerate(values) if case not in values[:i]]


def _complete(theorem: Theorem, proof: Proof) -> None:
    """Raise NotProved where the parts of an argument do not add up to the statement."""
    if proof.turn:
        check_family(theorem, (proof.turn[0], proof.turn[1]))
    if theorem.claim not in ("upper bound", "one-step", *["equality"] * bool(proof.turn)):
        raise NotProved(f"{theorem.name}: a potential shows upper bounds only")
    if not proof.turn and (reason := refusal(theorem)):
        raise NotProved(f"{theorem.name}: {reason}")
    if proof.until is not None and proof.potential:
        raise NotProved(
            f"{theorem.name}: until = {proof.until} is for statements without a potential"
        )
    if not proof.potential and (proof.start or proof.step or {*KNOWN} & {*proof.end}):
        raise NotProved(
            f"{theorem.name}: without a potential the end alone is the proof: declare potential=, "
            "or leave out start, step and what the end says of it"
        )
    if proof.potential and proof.begin > theorem.first + (INVARIANT not in proof.end):
        raise NotProved(f"{theorem.name}: the induction starts after k = {theorem.first}")
    if theorem.at_least:
        raise NotProved(
            f"{theorem.name}: it is about every {', '.join(theorem.at_least)} from what let says "
            "on, and a proof would speak of that alone"
        )
    whole = {p.symbol for p in theorem.iteration.parameters if p.integer} - theorem.let.keys()
    for case in proof.cases:
        for name in sorted(whole - case.keys()):
            raise NotProved(f"{theorem.name}: the case {dict(case)} gives {name} no value")
    for fixed in fixed_choices(proof):
        sources = [
            case.get("k", "m") for case in proof.cases if {**case, "k": ""} == {**fixed, "k": ""}
        ]
        residues = [residue(theorem, source) for source in sources]
        moduli = {modulus for modulus, _ in residues}
        if len(moduli) != 1 or {r for _, r in residues} != set(range(moduli.pop())):
            raise NotProved(f"{theorem.name}: k = {', '.join(sources)} are not all k")


def _only(theorem: Theorem, proof: Proof) -> str:
    """The whole parameters that the cases speak of, where the statement ranges over more.

    A case gives each of them one number, or every one from there on; together they are to meet
    every choice in the product of the ranges.
    """
    integer = {p.symbol for p in theorem.iteration.parameters if p.integer}
    chains = {chain.name: chain for chain in theorem.chains if chain.name in integer}
    choices = [{n: opened(case[n]) for n in chains} for case in fixed_choices(proof)]
    stated = {n: _stated(chain, [c[n][0] for c in choices]) for n, chain in chains.items()}

    def met(choice: Mapping[str, int]) -> bool:
        return any(
            all(value >= c[n][0] if c[n][1] else value == c[n][0] for n, value in choice.items())
            for c in choices
        )

    parts = [
        f"{n} = {_listed([c[n] for c in choices])} of {chains[n]}"
        for n, values in stated.items()
        if not all(met({n: value}) for value in values)
    ]
    if parts or all(met(dict(zip(stated, v, strict=True))) for v in product(*stated.values())):
        return " and ".join(parts)
    together = (", ".join(f"{n} = {_listed([case[n]])}" for n in chains) for case in choices)
    return f"{' or '.join(together)} of {', '.join(map(str, chains.values()))}"


def _stated(chain: Chain, given: Sequence[int]) -> list[int]:
    """Whole numbers of a range, one for all that cases from these numbers on can't tell apart."""
    low, high = (None if e is None else grammar.constant(e.tree) for e in (chain.lo, chain.hi))
    least = 1 if low is None else math.floor(low) + 1 if chain.strict[0] else math.ceil(low)
    most = max(given) + 1  # an end that depends on constants leaves nothing out
    if high is not None:
        most = min(most, math.ceil(high) - 1 if chain.strict[1] else math.floor(high))
    return sorted(n for n in {least, *given, *(n + 1 for n in given)} if least <= n <= most)


def _listed(given: Sequence[tuple[int, str]]) -> str:
    """Numbers that cases give a whole parameter, and from where on every one."""
    values = sorted({value for value, symbol in given if not symbol})
    beyond = [f"from {value} on" for value, symbol in given if symbol]
    return ", ".join([*map(str, values), *beyond[:1]])


def _covers(theorem: Theorem, only: str) -> str:
    assert theorem.proof is not None
    turn = theorem.proof.turn
    parts = ["every k" if theorem.first == 0 else f"every k ≥ {theorem.first}"]
    parts += [only] if only else []
    if turn:
        real = "" if turn[0] == "0" else f"{turn[0]} I + "
        parts.append(f"F = {real}G with G skew, G² = −({turn[1]}) I")
    return "; ".join([*parts, WORDS_OF_A[theorem.A]])


class Case:
    """One inequality of a proof at one choice of the integer parameters.

    Args:
        at: the number that k is; None where it stands for all from ``least`` on.
        begins: the i for which a loop longer than all that is spoken of begins at k + i, where i is
            from ``window[0]`` to ``window[1]``.
        assumed: tests of its texts that are taken to hold, or not to.
    """

    def __init__(
        self,
        theorem: Theorem,
        part: Part,
        case: Mapping[str, str],
        at: int | None,
        least: int,
        *,
        begins: int | None = None,
        assumed: Sequence[Assumed] = (),
    ) -> None:
        assert theorem.proof is not None
        self.theorem, self.part, self.case, self.proof = theorem, part, dict(case), theorem.proof
        self.at, self.least, self.begins = at, least, begins
        whole = {n: opened(source) for n, source in case.items() if n != "k"}
        counts = {n: (symbol, f"{symbol}.1") for n, (_, symbol) in whole.items() if symbol}
        stands = sorted(grammar.names(grammar.parse(case["k"]))) if "k" in case else ["k"]
        self.indices = [] if at is not None else stands
        self.indices += [symbol for pair in counts.values() for symbol in pair]
        field = Field([*symbols_of(theorem, [*case]), *self.indices])
        self.window = _window(theorem, part)
        before, after = _reach(theorem, self.proof, part)
        if at is not None:
            k, before, after = field.number(0), 0, at + after
        else:
            modulus, rest = residue(theorem, case.get("k", "k"))
            k = field.symbol(self.indices[0]) * modulus + rest
        fixed: dict[str, int | Period] = {n: least for n, (least, _) in whole.items()}
        for name, pair in counts.items():
            window, start = self.window, begins
            if "(" not in theorem.iteration.name:
                window, start = (1, 0), 0  # nothing begins anew
            fixed[name] = Period(field, pair, whole[name][0], k=k, window=window, begins=start)
        self.reader = Reader(
            theorem,
            field,
            k,
            fixed,
            before=before,
            after=after,
            started=at is not None,
            least=self.least,
            indices=self.indices,
            assumed=assumed,
            ended=(at or 0) if part == "end" and self.proof.horizon else None,
        )
        self.lengths: list[Argument] = []  # what the roots of products rest on

    def meanings(self) -> dict[str, str]:
        """What the spare symbols stand for."""
        spares = self.reader.spares
        names = [*spares.sums, *spares.powers, *spares.lasts, *spares.roots]
        return {n: self.reader.field.meaning(n) for n in names}

    def domain(self) -> Domain:
        """Constants and parameters that the statement admits, and k from ``least`` on."""
        return self.reader.domain()

    def step(self) -> Steps:
        """The step from k to k + 1 alone, from rows of which nothing is known."""
        reader = self.reader
        return Reader(
            self.theorem,
            reader.field,
            reader.k,
            reader.case,
            before=0,
            after=1,
            started=False,
            least=self.least,
            indices=self.indices,
            assumed=reader.assumed,
            ended=reader.ended,
        ).steps

    def settled(self) -> tuple[Case, Argument]:
        """Itself, and what shows it. Raises NotProved where nothing does."""
        return self, self.argument()

    def worded(self, argument: Argument) -> Lemma:
        """What shows it, in words."""
        names = self.reader.steps.names(self.at or 0)
        squares = [(weight.factored(), shown(names, row)) for weight, row in argument.squares]
        if argument.radius:
            squares.append((argument.radius.factored(), "z0 − solution"))
        return Lemma(
            argument.name,
            tuple((inequality, formula) for inequality, formula, _ in argument.used),
            tuple(squares),
        )

    def argument(self) -> Argument:
        """What shows it. Raises NotProved where it is not shown."""
        at, potential = self.at or 0, self.proof.potential
        if self.part == "start":
            return self._show(self.invariant(at), at)
        if self.part == "step":
            first, then = (self.reader.total(self.proof.at_most, at + late) for late in (0, 1))
            if (first - then).terms:
                raise NotProved(f"{self.theorem.name}: at_most must not depend on k")
            grown = Call("next", (grammar.parse(potential),))
            target = Binary("-", grammar.parse(potential), grown)
        else:
            target = Binary("-", self.theorem.right.tree, self.theorem.left.tree)
        return self._show(self.reader.total(target, at), at)

    @staticmethod
    def _index(late: int) -> Node:
        """k + late as a text."""
        return Binary("+" if late > 0 else "-", Name("k"), Number(abs(late)))

    def _loop(self) -> str:
        """Where a loop of any length begins, in words."""
        nested = "(" in self.theorem.iteration.name
        if (
            not nested
            or self.at is not None
            or all(not opened(v)[1] for n, v in self.case.items() if n != "k")
        ):
            return ""
        if self.begins is None:
            return ", inside a loop"
        place = "k" if not self.begins else f"k {'−+'[self.begins > 0]} {abs(self.begins)}"
        return f", a loop begins at {place}"

    def invariant(self, offset: int) -> Total:
        """B − V."""
        most, potential = grammar.parse(self.proof.at_most), grammar.parse(self.proof.potential)
        return self.reader.total(Binary("-", most, potential), offset)

    def _show(self, target: Total, at: int) -> Argument:
        spoken = self.case if self.at is None else {**self.case, "k": str(self.at)}
        name = self.part + "".join(f", {n} = {v}" for n, v in spoken.items()) + self._loop()
        if self.at is None and self.proof.until is not None:
            name += f", k > {self.proof.until}"
        for test, offset, holds in self.reader.assumed:
            index = self._index(offset - at) if offset != at else Name("k")
            told = grammar.unparse(grammar.replaced(test, {"k": index}))
            name += f", {'' if holds else 'not '}{told}"
        place = f"{self.theorem.name}, {name}"
        rest, used = self._less(target, _using(self.proof, self.part), place, at)
        for inequality, _, _ in used:
            if inequality.startswith(f"{CAUCHY}("):
                self.lengths.append(self._length(inequality, name, at))
        if self.proof.turn:
            rest = self._turned(rest, place)
        else:
            self._resolvents_exist(place)
        self._quotients_exist(place)
        radius = rest.terms.get("R**2", self.reader.field.number(0))
        return Argument(name, tuple(used), self._squares(rest, place, at), radius)

    def _less(
        self, target: Total, using: Mapping[str, str], place: str, at: int
    ) -> tuple[Total, list[Used]]:
        """What a combination of inequalities leaves, and the multipliers that are not 0."""
        rest, used = target, list[Used]()
        for inequality, formula in using.items():
            factor = self.reader.read(formula, at)
            if not isinstance(factor, Ratio):
                raise NotProved(f"{place}: the multiplier {formula!r} is no number")
            if not factor:
                continue
            if inequality in KNOWN and self.part == "end":
                if self.proof.horizon not in ("", RUN) and not at and self.at is not None:
                    raise NotProved(f"{place}: nothing is shown of the potential with no step")
                value = self.invariant(at + KNOWN.index(inequality))
            else:
                value = self.reader.known(inequality, at)
            either = inequality in KNOWN and self.theorem.claim == "equality"
            if not either and not self.domain().nonnegative(factor):
                raise NotProved(
                    f"{place}: the multiplier of {inequality} is not shown to be ≥ 0: "
                    f"{factor.factored()}"
                )
            rest = rest - value * factor
            used.append((inequality, formula, factor))
        return rest, used

    def _length(self, inequality: str, name: str, at: int) -> Argument:
        """‖w‖² − ‖v‖² ≥ 0, for the inequality of Cauchy that asks for it."""
        place = f"{self.theorem.name}, {name}, {inequality}"
        target = self.reader.lengths(inequality, at)
        rest, used = self._less(target, self.proof.shorter.get(inequality, {}), place, at)
        if any(each.startswith(f"{CAUCHY}(") for each, _, _ in used):
            raise NotProved(f"{place}: lengths are compared by quadratic forms alone")
        squares = self._squares(rest, place, at)
        none = self.reader.field.number(0)
        return Argument(f"length, {name}", tuple(used), squares, none, rests=inequality)

    def _turned(self, rest: Total, place: str) -> Total:
        """What is left on every F of the families, as squares of rows.

        Raises NotProved where it is not 0 and the statement an equality, or no sum of such squares.
        """
        real, square = (self.reader.read(source) for source in self.proof.turn)
        turning = Turning(self.reader.steps, real, square)
        for divisor in turning.divisors:
            if not self.domain().nonzero(divisor):
                raise NotProved(f"{place}: a resolvent divides by {divisor.factored()}")
        form = {key: c for key, c in rest.terms.items() if isinstance(key, tuple)}
        others = {key: c for key, c in rest.terms.items() if key not in form}
        names = self.reader.steps.oracle.names
        squares = dict(others)
        for (u, w, turned), c in turning.left(form).items():
            if u != w:
                first = f"G {names[u]}" if turned else names[u]
                raise NotProved(f"{place}: ⟨{first}, {names[w]}⟩ is left with {c.factored()}")
            squares[u, u] = c
        if squares and self.theorem.claim == "equality":
            key, c = next(iter(squares.items()))
            left = f"‖{names[key[0]]}‖²" if isinstance(key, tuple) else key
            raise NotProved(f"{place}: {left} is left with the factor {c.factored()}")
        return Total(squares)

    def _quotients_exist(self, place: str) -> None:
        """Raise NotProved where a kernel divides by what is not shown to be other than 0."""
        for divisor in dict.fromkeys(self.reader.field.divisors):
            if not self.domain().nonzero(divisor):
                raise NotProved(
                    f"{place}: the text divides by {divisor.factored()}, which is not shown to be "
                    "other than 0"
                )

    def _resolvents_exist(self, place: str) -> None:
        """Raise NotProved where some resolvent that was taken is not shown to be a function."""
        taken = {(of, g) for of, _, _, _, g in self.reader.steps.oracle.calls if g != 0}
        for of, gamma in sorted(taken, key=repr):
            step = self.reader.field.number(gamma)
            self.reader.images[STEP] = step
            alternatives = (
                ((f"0 < {STEP}",),) if of == "A" else resolvent_exists(self.theorem, STEP, of)
            )
            if not any(all(map(self._shown, conditions)) for conditions in alternatives):
                asked = " or ".join(" and ".join(conditions) for conditions in alternatives)
                raise NotProved(
                    f"{place}: the resolvent of {of} with {STEP} = {step.factored()} is not shown "
                    f"to exist and to be single-valued"
                    + (f", for want of {asked}" if asked else ": no hypothesis gives it")
                )

    def _shown(self, condition: str) -> bool:
        """Whether an inequality is proved on the domain."""
        ((terms, relations),) = grammar.parse_ranges(condition)
        low, high = (self.reader.read(term) for term in terms)
        gap = high - low
        domain = self.domain()
        return domain.positive(gap) if relations == ["<"] else domain.nonnegative(gap)

    def _squares(self, rest: Total, step: str, at: int) -> Squares:
        """The remainder as squares with weights ≥ 0. Raises NotProved where it is none."""
        if any(isinstance(e, tuple) and self.reader.steps.place in e for e in rest.terms):
            raise NotProved(
                f"{step}: it speaks of a row that is a point where the run begins and a value "
                "later, or the other way round, so that it depends on where the origin lies: begin "
                "later"
            )
        form = _form(rest, self.domain(), step)
        names, domain = self.reader.steps.names(at), self.domain()
        if (squares := _eliminated(form, domain, 0)) is not None:
            return squares
        symbols = set().union(*(c.symbols for c in form.values()))
        failed = failure(form, domain, {*self.reader.field.known, *symbols}, self.indices)
        if failed is None:
            if (squares := _eliminated(form, domain, DEPTH)) is not None:
                return squares
            raise NotProved(
                f"{step}: what is left is not shown to be a sum of squares: "
                + _shown_form(form, names)
            )
        left, place = in_words(failed, names), at_words(failed)
        hint = open_sign(self.theorem.asked, failed) or helper(self.reader, failed, domain, at)
        raise NotProved(
            f"{step}: what is left is no sum of squares at {place}: {left} takes the value "
            f"{failed.least:.3g}" + (f"; {hint}" if hint else "")
        )


def residue(theorem: Theorem, source: str) -> tuple[int, int]:
    """(c, r) of k = c m + r, 0 ≤ r < c. Raises OpcheckError for another form."""
    period, rest = 0, 0
    match grammar.parse(source):
        case Name():
            period, rest = 1, 0
        case Binary("*", Number(int() as c), Name()):
            period, rest = c, 0
        case Binary("+", Binary("*", Number(int() as c), Name()), Number(int() as r)):
            period, rest = c, r
    if not 0 <= rest < period:
        raise OpcheckError(f"{theorem.name}: k = {source!r} is not of the form c*m + r, r < c")
    return period, rest


def span(node: Node, at: int, theorem: Theorem, evaluated: bool = False) -> tuple[int, int]:
    """First and one past the last step that a text at k + at needs.

    ``evaluated``: an operator is evaluated there, so the step that went there must be among them.
    """
    low = high = 0
    use: Take | None = None
    measures = registry.entered("measures")
    if isinstance(node, Call):
        if node.function in POINTS or node.function in {p.kind.name for p in theorem.asked}:
            evaluated = True
        at += SHIFT.get(node.function, 0)
        rows = [a.name for a in node.arguments if isinstance(a, Name)]
        if node.function in measures and len(rows) == len(node.arguments):
            use = take(node.function, rows)
    elif isinstance(node, Name) and node.name in theorem.iteration.rows:
        # what step k + at writes; the state before the first step holds the one before
        high = at + (node.name not in STANDING)
        low = min(high - (evaluated and node.name not in STANDING), 0)
    elif isinstance(node, Name) and node.name in measures:
        use = take(node.name)
    if use is not None:
        high = at + use.in_step
        low = min(high - use.measure.of_point, 0)
    for child in grammar.children(node):
        a, b = span(child, at, theorem, evaluated)
        low, high = min(low, a), max(high, b)
    return low, high


def _form(rest: Total, domain: Domain, place: str) -> dict[tuple[int, int], Ratio]:
    """The remainder as a symmetric form. Raises NotProved where it holds more than products."""
    form: dict[tuple[int, int], Ratio] = {}
    for key, c in rest.terms.items():
        if isinstance(key, tuple):
            i, j = key
            form[i, j] = form[j, i] = c if i == j else c / 2
        elif key == "R**2":
            if not domain.nonnegative(c):
                raise NotProved(
                    f"{place}: R² is left with the factor {_meant(c)}, not shown to be ≥ 0"
                )
        else:
            raise NotProved(f"{place}: {key} is left with the factor {_meant(c)}")
    return form


def _meant(factor: Ratio) -> str:
    """A factor, and what its spare symbols stand for."""
    spare = sorted(name for name in factor.symbols if name not in factor.field.known)
    words = "".join(f", {name} = {factor.field.meaning(name)}" for name in spare)
    return factor.factored() + words


def _eliminated(
    whole: Mapping[tuple[int, int], Ratio], domain: Domain, depth: int
) -> Squares | None:
    """Symmetric elimination with pivots that are proved to be ≥ 0; None where there is none."""
    form = dict(whole)
    squares: list[tuple[Ratio, Mapping[int, Ratio]]] = []
    left = sorted({i for i, _ in form})
    while form:
        pivot = _pivot(form, left, domain, depth)
        if pivot is None:
            return None
        d = form[pivot, pivot]
        row = {j: form[pivot, j] / d for j in left if (pivot, j) in form}
        squares.append((d, row))
        for i in row:
            for j in row:
                value = form.get((i, j), domain.field.number(0)) - d * row[i] * row[j]
                if value:
                    form[i, j] = value
                else:
                    form.pop((i, j), None)
        left = [i for i in left if i != pivot]
    return tuple(squares)


def _pivot(
    form: Mapping[tuple[int, int], Ratio], left: Sequence[int], domain: Domain, depth: int
) -> int | None:
    diagonal = [i for i in left if (i, i) in form]
    for i in sorted(diagonal, key=lambda i: len(repr(form[i, i]))):
        if domain.nonnegative(form[i, i], depth):
            return i
    return None


def _shown_form(form: Mapping[tuple[int, int], Ratio], names: Sequence[str]) -> str:
    return " + ".join(
        f"({(c * (1 if i == j else 2)).factored()})·⟨{names[i]}, {names[j]}⟩"
        for (i, j), c in sorted(form.items())
        if i <= j
    )


@dataclass(frozen=True)
class ProofAttempt(Result):
    """What came of a theorem's potential argument.

    Attributes:
        status: "proved"; "in part", where it shows the theorem for some whole parameters only; "not
            proved", where it does not show the theorem; "none", where none is declared.
        reason: why it is not proved, or not declared, where the statement says so.
    """

    theorem: str
    status: Literal["proved", "in part", "not proved", "none"]
    proved: Proved | None = None
    reason: str = ""


def attempt(theorem: str | Theorem) -> ProofAttempt:
    """Check a theorem's argument, where there is one; a wrong one is told, not raised."""
    theorem = theorem_of(theorem)
    if theorem.proof is None:
        return ProofAttempt(theorem.name, "none", reason=theorem.unproved)
    try:
        proved = prove(theorem)
        return ProofAttempt(theorem.name, "in part" if proved.only else "proved", proved)
    except OpcheckError as error:
        return ProofAttempt(theorem.name, "not proved", reason=str(error))
