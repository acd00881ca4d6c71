"""One inequality of a proof as a lemma: the sum that shows it, and why each part is nonnegative."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from typing import Any

from opcheck.engine.forms import Sparse
from opcheck.engine.ratio import Ratio, factorised
from opcheck.errors import OpcheckError, Undecided
from opcheck.evidence.proofs.prove import KNOWN, Argument, Assumed, Case, opened
from opcheck.evidence.proofs.reader import CAUCHY, OF_A, OF_BEST, SHIFT
from opcheck.evidence.statement.ranges import low_ends, of_last_power, parts_of_end
from opcheck.evidence.statement.scalars import Scalars
from opcheck.model import grammar
from opcheck.model.grammar import Call, Comparison, Name, Node
from opcheck.model.proof import RUN
from opcheck.model.property import Cocoercive, Lipschitz, Property, StronglyMonotone
from opcheck.model.theorem import Theorem
from opcheck.rocq.expressions import (
    HORIZON,
    LAST,
    At,
    NotExported,
    Real,
    Tree,
    Vector,
    Writer,
    number,
    replaced,
    walk,
)
from opcheck.rocq.iteration import Iteration
from opcheck.rocq.loops import room, spare
from opcheck.rocq.names import Names
from opcheck.rocq.scene import Scene
from opcheck.rocq.signs import Charts, with_a_square
from opcheck.rocq.texts import Texts
from opcheck.rocq.words import polynomial, ratio, tight


@dataclass(frozen=True)
class End:
    """small < large or small ≤ large, as a range says, in words and as functions.

    Attributes:
        values: of small and large, where they are rational functions.
        trees: of small and large.
    """

    small: str
    large: str
    strict: bool
    trees: tuple[Real, Real]
    values: tuple[Ratio, Ratio] | None = None

    @property
    def words(self) -> str:
        """The inequality."""
        return f"{self.small} {'<' if self.strict else '<='} {self.large}"


@dataclass(frozen=True)
class Agreement:
    """small ≤ large, which two hypotheses on F imply where there are two points.

    Attributes:
        lemma: of the prelude, that says so.
        positive: the constant that is positive.
        first, second: the hypotheses.
    """

    small: str
    large: str
    lemma: str
    positive: str
    first: str
    second: str


START = At("")
WITHIN = "ltac:(lia) ltac:(lia)"  # that the last k is late enough
Member = tuple[str, str, str]  # x, u, why u belongs to x
AGREE = {Lipschitz: "one_point_of_lipschitz", Cocoercive: "one_point_of_cocoercive"}


@dataclass(frozen=True)
class Setting:
    """What all lemmas of a development share."""

    theorem: Theorem
    iteration: Iteration
    texts: Texts
    names: Names
    charts: Charts

    def write(self, tree: Tree) -> str:
        """A tree in words."""
        return Writer(self.names)(tree)

    def plain(self, tree: Tree) -> str:
        """A tree in words without the symbols of ``let``, as proofs see it."""
        return Writer(self.names)(self.texts.inlined(tree))

    def constant(self, prop: Property) -> str:
        """The constant of a hypothesis in words; "" where it has none."""
        if prop.kind.better is None:
            return ""
        if prop.number is not None:
            return Writer(self.names)(number(prop.number), 5)
        tree = self.texts.real(grammar.parse(str(prop.constant)), At(""))
        return Writer(self.names)(self.texts.inlined(tree), 5)

    def ends(self, scalars: Scalars | None = None, at: At = START) -> list[End]:
        """The ranges of the statement, end by end, at an index where they speak of it."""
        theorem, whole = self.theorem, self.texts.whole
        out = []
        for chain in [*theorem.conditions, *theorem.chains]:
            if chain.name in whole:
                continue
            middle = grammar.parse(chain.name)
            for end, function, strict in (
                (chain.lo, "max", chain.strict[0]),
                (chain.hi, "min", chain.strict[1]),
            ):
                for part in parts_of_end(end.tree, function) if end else ():
                    low, high = (part, middle) if end is chain.lo else (middle, part)
                    out.append(self._end(low, high, strict, scalars, at))
        return out

    def _end(self, low: Node, high: Node, strict: bool, scalars: Scalars | None, at: At) -> End:
        trees = (self.texts.real(low, at), self.texts.real(high, at))
        values, write = None, self.write
        if scalars is not None:
            write = self.plain
            with contextlib.suppress(OpcheckError, Undecided, TypeError):
                values = (scalars.read(low), scalars.read(high))
        return End(write(trees[0]), write(trees[1]), strict, trees, values)

    def positive(self) -> list[str]:
        """Constants that the hypotheses take to be positive."""
        return [
            self.constant(p)
            for p in self.theorem.asked
            if p.kind.positive and p.kind.better and p.number is None
        ]

    def agreeing(self) -> list[Agreement]:
        """What two hypotheses on one operator say of their constants, if it has two values.

        Raises NotExported where the operator may have no value somewhere.
        """
        out = []
        for a, b in itertools.permutations(self.theorem.asked, 2):
            if a.of != b.of or a.kind is not StronglyMonotone or b.kind not in AGREE:
                continue
            if self.operator(a.of) != "(graph F)":
                raise NotExported(f"{a} and {b} are about an operator that need not be a function")
            mu, c = self.constant(a), self.constant(b)
            small, large = (mu, c) if b.kind is Lipschitz else (f"({mu} * {c})", "1")
            out.append(
                Agreement(
                    small=small,
                    large=large,
                    lemma=AGREE[b.kind],
                    positive=c,
                    first=hypothesis(b),
                    second=hypothesis(a),
                )
            )
        return out

    def turn(self) -> list[str]:
        """a and s of the families F = a I + G with G G = −s I, in words."""
        proof = self.theorem.proof
        assert proof is not None
        trees = [self.texts.real(grammar.parse(source), At("")) for source in proof.turn]
        return [Writer(self.names)(tree, 5) for tree in trees]

    def operator(self, of: str) -> str:
        """The graph that a hypothesis speaks of."""
        if of == "T":
            return "(graph (fun x => (x - F x)%vec))"
        if of == "A":
            return "A"
        return "(graph F)" if of == "F" or self.theorem.A == "zero" else "(plus F A)"


def called(source: str) -> tuple[Call, int]:
    """An inequality as a call, without ``next`` and ``last`` around it, and the steps they say."""
    node, late = grammar.parse(source), 0
    while isinstance(node, Call) and node.function in SHIFT:
        late += SHIFT[node.function]
        node = node.arguments[0]
    assert isinstance(node, Call)
    return node, late


def of_cauchy(source: str) -> bool:
    """Whether an inequality is ``Cauchy(u, v, w)``, also at another step."""
    return source not in KNOWN and called(source)[0].function == CAUCHY


def cauchy(texts: Texts, source: str, at: At) -> tuple[Vector, Vector, Vector]:
    """u, v and w of ``Cauchy(u, v, w)``."""
    node, late = called(source)
    u, v, w = (texts.vector(argument, at.plus(late)) for argument in node.arguments)
    return u, v, w


def hypothesis(prop: Property) -> str:
    """The name of a hypothesis."""
    return f"{prop.kind.name}_of_{prop.of}"


@dataclass(frozen=True)
class Test:
    """A comparison that a lemma takes to hold, or not to, with what it says then."""

    small: str
    large: str
    strict: bool
    holds: bool

    @property
    def words(self) -> str:
        """What is taken."""
        word = f"{self.small} {'<' if self.strict else '<='} {self.large}"
        return word if self.holds else f"~ {word}"


class Lemma:
    """A proof of small ≤ large at one case.

    Args:
        goal: index -> small and large in words.
        texts: what they unfold to: trees, the texts that they are of, and how many steps later.
        lengths: ``Cauchy(u, v, w)`` -> the lemma that v is no longer than w.
        forced: a test, the steps from k, and whether it holds, where that is what is shown.

    ``lines`` raises InternalError where a tree is not what opcheck reads its text as.
    """

    closing = "expand; field; side"  # how two sides over the same vectors are seen to be equal
    summed = "sign"  # and how the sum is seen to be nonnegative

    def __init__(
        self,
        setting: Setting,
        case: Case,
        argument: Argument,
        goal: Callable[[At], tuple[str, str]],
        texts: Sequence[tuple[Real, Node, int]],
        lengths: Mapping[str, str] = {},
        forced: Assumed | None = None,
    ) -> None:
        self.setting, self.case, self.argument, self.goal = setting, case, argument, goal
        self.reader, self.texts = case.reader, setting.texts
        self.facts: dict[str, str] = {}  # what is asserted -> how it is shown
        self.signs: dict[str, int] = {}  # of factors
        self.tried: Set[str] = set()  # asserted where Rocq shows them
        self.counted = False  # whether what a whole parameter of any value is made of is told
        self.scene = Scene(case, setting.iteration, setting.texts, setting.names, self.symbol)
        self.unfolded, self.lengths, self.forced = texts, lengths, forced
        self.tests = [self._test(*assumed) for assumed in self.reader.assumed]

    # ---- symbols and signs ----

    def symbol(self, name: str) -> str:
        """A symbol of the case's field in words."""
        spares, at = self.reader.spares, self.scene.at
        if name in (counts := self._counts()):
            self.counted = True
            return counts[name]
        if name in self.case.indices:
            if name == "k":
                return f"(INR m + {self.case.least})" if self.case.least else "INR m"
            return "INR m"
        if name in spares.lasts:
            return f"({tight(self.base(spares.lasts[name]))} ^ {LAST.nat})"
        if name in spares.sums or name.startswith("s."):
            return self._spare(name, at)
        if name == self.texts.horizon:
            return HORIZON.real
        if name == RUN and self.texts.run:
            return LAST.real
        return self.setting.names(name)

    def _counts(self) -> dict[str, str]:
        """The counts that a whole parameter of any value is made of, in words."""
        length = self.setting.iteration.length
        if length is None:
            return {}
        _, symbol = opened(self.case.case[length.name])
        turn, word = self.scene.turn, self.setting.names(length.name)
        rest = turn.spare if turn else spare(word, length.least)
        return {symbol: rest, f"{symbol}.1": "INR gone"}

    def _spare(self, name: str, at: At) -> str:
        spares = self.reader.spares
        if name in spares.sums:
            node = grammar.parse(self.reader.field.meaning(name))
            assert isinstance(node, Call)
            return f"(before {self.texts.terms[node.arguments[0]]} {at.nat})"
        if name in spares.powers:
            base = tight(self.base(spares.powers[name]))
            if not at.base:
                return f"({base} ^ {at.add})"
            power = f"{base} ^ {At(at.base, at.factor).nat}"
            return f"({power} * {base} ^ {at.add})" if at.add else f"({power})"
        if name in spares.roots:
            return f"(sqrt {tight(self.radicand(spares.roots[name]))})"
        raise NotExported(f"{self.reader.field.meaning(name)} in a sum of squares")

    def base(self, value: Ratio) -> str:
        """What is raised to the power k, as the texts have it."""
        return self._as_written(value, [node for node, _ in self.texts.powers])

    def radicand(self, value: Ratio) -> str:
        """What a root is taken of, as the texts have it."""
        return self._as_written(value, [node for node, _ in self.texts.roots])

    def _as_written(self, value: Ratio, among: Sequence[Node]) -> str:
        here = self.scene.at.add - self.scene.here.add
        for node, late in itertools.product(list(among), (0, 1, -1)):
            with contextlib.suppress(OpcheckError, Undecided, TypeError):
                if self.reader.read(node, here + late) == value:
                    return self.setting.plain(self.texts.real(node, self.scene.at.plus(late)))
        raise NotExported(f"{value} is in no text as it is")

    def orient(self, factor: Any) -> int:
        """The sign of a factor; the fact of it is asserted."""
        key = str(factor)
        if key in self.signs:
            return self.signs[key]
        domain, field = self.case.domain(), self.reader.field
        value = Ratio(field, factor, field.one)
        sign, strict = 0, True
        if domain.positive(value):
            sign = 1
        elif domain.positive(-value):
            sign = -1
        elif domain.nonnegative(value):
            sign, strict = 1, False
        elif domain.nonnegative(-value):
            sign, strict = -1, False
        self.signs[key] = sign or 1
        if sign:
            turned = factor if sign > 0 else -factor
            word = polynomial(field, turned, self.symbol)
            terms = turned.to_dict()
            how = "signs"
            mixed = any(c < 0 for c in terms.values()) or not all(
                domain.nonnegative(field.symbol(n)) for n in value.symbols
            )
            if len(terms) > 1 and mixed:
                call = self.setting.charts.lemma(self, turned, strict)
                how = f"first [lra | {call} | signs]" if call else how
            self.facts.setdefault(f"0 {'<' if strict else '<='} {word}", how)
        return sign or 1

    def ratio(self, value: Ratio) -> str:
        """A function in words, with factors whose signs are known."""
        return ratio(value, self.symbol, self.orient)

    # ---- inequalities ----

    def member(self, of: str, point: Sparse) -> Member:
        """A point of a graph: x, u, and the proof that u belongs to x."""
        scene = self.scene
        if of == "F":
            if point == ():
                return "zstar", "F zstar", "eq_refl"
            value = scene.steps.value("F", point)
            if len(value) != 1:
                raise NotExported("F at a point of an inequality has no word of its own")
            index = value[0][0]
            at_point = scene.argument(index)
            if self._by_resolvent(index):
                at_point = scene.row_at(point) or scene.word(-index)
            return at_point, f"F {tight(at_point)}", "eq_refl"
        if point == ():
            if of == "A":
                return "zstar", "-1 * F zstar", "solution_of_A"
            return "zstar", "zero", "solution"
        for kind, place, value, _, gamma in scene.steps.oracle.calls:
            if place != point or gamma == 0:
                continue
            index = -value[0][0]
            argument, at_point = scene.argument(index), scene.word(index)
            name = at_point.split(" ", 1)[0]
            size = self.setting.plain(self.texts.size(name))
            element = f"/ ({size}) * ({argument} - {at_point})"
            resolved = f"{name}_is_resolvent {tight(argument)}%vec"
            if kind == of:
                return at_point, element, f"({resolved})"
            if kind == "A" and of == "S":
                whole = f"F {tight(at_point)} + {element}"
                known = scene.steps.value("F", point)
                scene.same(f"F {tight(at_point)}", scene.word(known[0][0]))
                return at_point, whole, f"(ex_intro _ _ (conj ({resolved}) eq_refl))"
            if kind == "S" and of == "A":
                rest = f"{element} - F {tight(at_point)}"
                return at_point, rest, f"(rest_of_sum _ _ _ _ ({resolved}))"
        raise NotExported(f"no element of {of} at a point of an inequality")

    def _by_resolvent(self, index: int) -> bool:
        """Whether F is known at a point as what a resolvent of F gave there."""
        return any(c[2][0][0] == index and c[4] != 0 for c in self.scene.steps.oracle.calls)

    def inequality(self, source: str) -> tuple[str, str]:
        """What an inequality says is ≥ 0, and the proof of it."""
        node, late = called(source)
        at = self.scene.at.plus(late)
        if node.function == CAUCHY:
            return self._cauchy(source)
        if node.function in OF_BEST:
            term = f"{self.texts.term(node.arguments[0])} {at.nat}"
            if node.function == "Least":
                return f"({term} - best {term})", f"(gap _ _ (best_least {term}))"
            mean = f"(before {term} - INR {at.nat} * best {term})"
            return mean, f"(gap _ _ (best_mean {term}))"
        points = list(node.arguments)
        points = points if len(points) == 2 else [*points, Name("solution")]
        vectors = [self.texts.vector(n, at) for n in points]
        for vector in vectors:
            self.scene.watch(vector)
        first, second = map(self.scene.sparse, vectors)
        return self.between(node.function, first, second)

    def _cauchy(self, source: str) -> tuple[str, str]:
        """√(‖u‖² ‖w‖²) − ⟨u, v⟩."""
        if source not in self.lengths:
            raise NotExported(f"nothing is shown of the lengths of {source}")
        vectors = cauchy(self.texts, source, self.scene.at)
        for vector in vectors:
            self.scene.watch(vector)
        u, v, w = vectors
        root = Real("sqrt", ((u * u) * (w * w),))
        words = " ".join(f"{tight(self.setting.write(x))}%vec" for x in vectors)
        known = ["m", *(n for n, _ in self.scene.turn.premises)] if self.scene.turn else ["m"]
        shorter = self.lengths[source]
        if self.scene.at.base:
            shorter = f"({shorter} {' '.join(known)})"
        said = f"({self.setting.write(root)} - {self.setting.write(u * v)})"
        return said, f"(gap _ _ (inner_at_most_root {words} {shorter}))"

    def between(self, name: str, first: Sparse, second: Sparse) -> tuple[str, str]:
        """What an inequality between two points says is ≥ 0, and the proof of it."""
        if name in OF_A:
            (x, u, p), (y, v, q) = self.member("A", first), self.member("A", second)
            x, u, y, v = map(tight, (x, u, y, v))
            applied = f"{x}%vec {u}%vec {y}%vec {v}%vec {p} {q}"
            if name == "Resolvent":
                return f"inner ({x} - {y}) ({u} - {v})", f"(A_monotone {applied})"
            linear = f"f {x} + inner {u} ({y} - {x})"
            return f"(f {y} - ({linear}))", f"(gap _ _ (A_subgradient {applied}))"
        prop = self.reader.properties[name]
        of = (
            "F"
            if prop.of == "T" or (prop.of == "S" and self.setting.theorem.A == "zero")
            else prop.of
        )
        (x, u, p), (y, v, q) = self.member(of, first), self.member(of, second)
        if prop.of == "T":
            u, v = f"{tight(x)} - {tight(u)}", f"{tight(y)} - {tight(v)}"
        x, u, y, v = map(tight, (x, u, y, v))
        c, known = self.setting.constant(prop), hypothesis(prop)
        if prop.kind.star:
            if y != "zstar":
                (x, u, p), (y, v, q) = (y, v, q), (x, u, p)
            applied = f"(gap _ _ ({known} {x}%vec {u}%vec {p}))"
            if name == "WeakMinty":
                return f"(inner ({x} - zstar) {u} - {c} * norm2 {u})", applied
            if name == "QuasiNonexpansive":
                return f"(norm2 ({x} - zstar) - norm2 ({u} - zstar))", applied
            raise NotExported(f"the property {name} has no form in Rocq here")
        applied = f"({known} {x}%vec {u}%vec {y}%vec {v}%vec {p} {q})"
        dx, du = f"({x} - {y})", f"({u} - {v})"
        said = {
            "Lipschitz": f"({c} ^ 2 * norm2 {dx} - norm2 {du})",
            "Monotone": f"inner {dx} {du}",
            "StronglyMonotone": f"(inner {dx} {du} - {c} * norm2 {dx})",
            "Comonotone": f"(inner {dx} {du} - {c} * norm2 {du})",
            "Cocoercive": f"(inner {dx} {du} - {c} * norm2 {du})",
            "Nonexpansive": f"(norm2 {dx} - norm2 {du})",
        }
        if name not in said:
            raise NotExported(f"the property {name} has no form in Rocq here")
        return said[name], applied if name == "Monotone" else f"(gap _ _ {applied})"

    # ---- what a case takes for granted ----

    def _test(self, test: Comparison, offset: int, holds: bool) -> Test:
        """A test that a case takes to hold or not, as the texts have it."""
        small, large = self.texts.test(test, self.scene.here.plus(offset))
        write, strict = self.setting.write, test.relation in ("<", ">")
        return Test(write(small), write(large), strict, holds)

    def premises(self) -> list[tuple[str, str]]:
        """What is assumed of the case beside the hypotheses, with names."""
        out = []
        match self.case.part:
            case "start" if self.texts.run:
                out.append(("upto", f"({self.case.theorem.first} <= {LAST.nat})%nat"))
            case "start" if self.of_horizon:
                out.append(("upto", f"(1 <= {HORIZON.nat})%nat"))
            case "step" | "early" if self.of_horizon or self.texts.run:
                out.append(("upto", f"({self.scene.at.plus(1).nat} <= {self.texts.last.nat})%nat"))
            case "end" if self.texts.run:
                out.append(("ended", f"({LAST.nat} = {self.scene.at.nat})%nat"))
        return out + [(f"test{i}", test.words) for i, test in enumerate(self.tests)]

    @property
    def of_horizon(self) -> bool:
        """Whether it speaks of a last k that is to come."""
        return bool(self.texts.horizon) and self.texts.ended is None

    def _opened(self) -> list[str]:
        """The start of the proof, where the premises get the form that signs are seen from."""
        premises = [name for name, _ in self.premises()]
        lines = [f"  intros {' '.join(premises)}."] if premises else []
        if "upto" in premises:
            lines += ["  pose proof (le_INR _ _ upto) as reach; rewrite ?S_INR in reach."]
            lines += ["  cbn [INR] in reach."]
        lines += ["  pose proof (pos_INR m) as m_positive."] if self.scene.at.base else []
        lines.append("  unfold_known.")
        compared = f"Nat.eqb {self.scene.at.nat} {LAST.nat}"
        if self.case.part == "end" and self.texts.run:
            lines.append(f"  assert (last : {compared} = true) by (apply Nat.eqb_eq; lia).")
        if self.case.part == "early":
            lines.append(f"  assert (last : {compared} = false) by (apply Nat.eqb_neq; lia).")
        for i, (test, offset, _) in enumerate(self.reader.assumed):
            own = self.tests[i]
            taken = f"test{i}"
            if not own.holds:
                lemma = "Rnot_lt_le" if own.strict else "Rnot_le_lt"
                taken = f"({lemma} _ _ test{i})"
            lines.append(f"  pose proof {taken} as taken{i}.")
            for root, value in self._known_roots(test, offset):
                lines += [self._root_is(root, value), f"  rewrite root in taken{i}; clear root."]
        return lines

    def _root_is(self, root: Real, value: int, name: str = "root") -> str:
        """The root of 0 or of 1 as a fact."""
        inner = self.setting.plain(root.parts[0])
        return (
            f"  assert ({name} : sqrt {tight(inner)} = {value}) by (replace ({inner}) with {value} "
            f"by same_number; apply sqrt_{value})."
        )

    def _known_roots(self, test: Comparison, offset: int) -> Iterator[tuple[Real, int]]:
        """Roots of 0 and of 1 in a test."""
        for node in grammar.walk(test):
            if isinstance(node, Call) and node.function == "sqrt":
                value = self.reader.read(node, offset)
                if value in (0, 1):
                    yield self.texts.real(node, self.scene.here.plus(offset)), int(value == 1)

    # ---- the lemma ----

    def lines(self, name: str) -> list[str]:
        """The lemma with its proof."""
        scene, argument = self.scene, self.argument
        excess, strict = self._excess()  # first: what it reads has signs that are told
        self._constraints()
        self._of_spares()
        parts, known = [], {}
        for inequality, _, factor in argument.used:
            if inequality in KNOWN and self.case.part == "end":
                at = scene.at.plus(KNOWN.index(inequality))
                word, proof = self._bounded(at)
            else:
                word, proof = self.inequality(inequality)
            known[word] = proof
            parts.append(f"{self.ratio(factor)} * {tight(word)}")
        squares = [self._square(weight, row) for weight, row in argument.squares]
        parts += self._grouped(squares)
        if argument.radius:
            parts.append(f"{self.ratio(argument.radius)} * norm2 (z0 - zstar)")
        if excess is not None:
            parts.append(self.ratio(excess))
        for tree, node, late in self.unfolded:
            scene.watch(tree)
            scene.compare(tree, node, late)
        self._of_divisors()
        small, large = self.goal(scene.at)
        equal = self.setting.theorem.claim == "equality"
        general = bool(scene.at.base)
        relation = "=" if equal else "<" if strict else "<="
        turn, length = scene.turn, self.setting.iteration.length
        typed = " (m : nat)" if self.forced else " m"  # where it may not occur
        indices = typed * general + f" {HORIZON.nat}" * self.of_horizon
        indices += "".join(f" ({n} : {said})" for n, said in turn.premises) if turn else ""
        premises = "".join(f"{words} -> " for _, words in self.premises())
        lines = [f"Lemma {name}{indices} : {premises}{small} {relation} {large}.", "Proof."]
        lines += [f"  {fact}" for fact in (turn.facts() if turn else [])]
        if self.counted and length:
            word = self.setting.names(length.name)
            spared = turn.room() if turn else room(word, length.least)
            lines += [f"  {fact}" for fact in spared]
        lines += self._opened()
        lines += [
            f"  {'try ' if fact in self.tried else ''}assert ({fact}) by ({how})."
            for fact, how in self.facts.items()
        ]
        for i, (word, proof) in enumerate(known.items()):
            says = f"known{i} : {word} = 0" if equal else f"0 <= {word}"
            lines.append(f"  assert ({says}) by exact {proof}.")
        tidy = f"unfold_lets; {'' if general else 'cbn [Nat.mul Nat.add]; '}numbers;"
        if self.texts.horizon:  # powers stand in what it defines
            tidy += " rewrite <- ?tech_pow_Rmult, ?pow_O;"
        tidy += "".join(f" settle test{i};" for i in range(len(self.tests)))
        roots = self._known_roots(*self.forced[:2]) if self.forced else iter(())
        for i, (root, value) in enumerate(roots):
            lines.append(self._root_is(root, value, f"root{i}"))
            tidy += f" rewrite ?root{i};"
        for i, (own, other) in enumerate(self._inverses()):
            how = "apply pow_of_inverse; same_number"
            lines.append(f"  assert (inverse{i} : {own} = / {other}) by ({how}).")
            tidy += f" rewrite ?inverse{i};"
        total = "\n    + ".join(parts) or "0"
        if self.setting.theorem.proof and self.setting.theorem.proof.turn:
            shown = self._turned(tidy)
        else:
            shown = self._added_up(lines, tidy, general)
        lemma = "by_equal" if equal else "by_positive_sum" if strict else "by_sum"
        lines += [f"  apply {lemma} with (\n    {total}).", *shown]
        rewritten = "".join(f"rewrite known{i}; " for i in range(len(known)))
        lines += [f"  - {rewritten}ring." if equal else f"  - {self.summed}.", "Qed."]
        return lines

    def _excess(self) -> tuple[Ratio | None, bool]:
        """Large − small of the test that is shown, and whether it is > 0; None for no test."""
        if self.forced is None:
            return None, False
        test, offset, holds = self.forced
        gap, strict = self.reader.gap(test, offset)
        return (gap, strict) if holds else (-gap, not strict)

    def _square(self, weight: Ratio, row: Mapping[int, Ratio]) -> str:
        vector = self.scene.vector(dict(sorted(row.items())), as_point=False)
        return f"{self.ratio(weight)} * norm2 {vector}"

    def _grouped(self, squares: list[str]) -> list[str]:
        """The squares as summands."""
        return squares

    def _added_up(self, lines: list[str], tidy: str, general: bool) -> list[str]:
        """That the two sides differ by the sum; what it needs is asserted in ``lines``."""
        scene = self.scene
        equations = "".join(f" generalize {e};" for e in dict.fromkeys(scene.equations))
        ended = ""
        if self.case.part == "end" and self.texts.run:
            ended = " rewrite ?ended, ?S_INR; cbn [INR]; repeat settle_alike;"
            tidy += ended
        for i, (left, right) in enumerate(scene.twins):
            lines.append(
                f"  assert (same{i} : ({left})%vec = ({right})%vec) by (f_equal;{equations} {tidy} "
                "abstract_all; intros; subst; same_vectors)."
            )
            equations = f" generalize same{i};" + equations
        for i, equation in enumerate(scene.values):
            lines.append(f"  assert (value{i} : {equation}) by exact (eq_sym (JF_is_resolvent _)).")
            equations += f" generalize value{i};"
        if self.setting.theorem.A == "zero":
            equations += " generalize solution_of_F;"
        told = f"{scene.turn.unfolding if scene.turn else ''}{equations}"
        if self.case.part == "early" or ended:
            told = f" rewrite ?last;{ended}{told}"
        return [f"  - unfold_all;{told} {tidy} abstract_all; intros; subst; {self.closing}."]

    def _turned(self, tidy: str) -> list[str]:
        """That the two sides differ by the sum where F is a scale and a turn.

        Every vector is zstar, or a combination of d and G d for the one row zstar + d.
        """
        scene = self.scene
        family = "(turn_alone _ _ _ family)" if self.setting.turn()[0] == "0" else "family"
        rewritten = " | ".join(f"rewrite {e}" for e in dict.fromkeys(scene.equations))
        lines = [
            f"  - destruct {family} as (G & skew & square & affine).",
            f"    unfold_all;{scene.turn.unfolding if scene.turn else ''} "
            f"repeat first [{rewritten}].",
        ]
        row = scene.only_row()
        taken = [c for c in scene.steps.oracle.calls if c[4] != 0]
        if taken:
            if len(taken) > 1 or scene.argument(-taken[0][2][0][0]) != tight(row):
                raise NotExported("a resolvent of a turn at what is no row, or several")
            size = self.setting.plain(self.texts.size("JF"))
            lines += [
                f"    generalize (before_resolvent F {tight(size)} JF ({row}) ltac:(sign) "
                "JF_is_resolvent).",
                f"    generalize (JF ({row})); generalize ({row}); intros q p ->.",
            ]
            row = "p"
        lines += [
            "    rewrite ?affine.",
            f"    destruct (apart ({row}) zstar) as [d moved]; rewrite ?moved.",
            f"    {tidy} turned G skew square; {tidy} field; side.",
        ]
        return lines

    def _bounded(self, at: At) -> tuple[str, str]:
        """B − V ≥ 0 at an index, and the proof of it."""
        proof = self.setting.theorem.proof
        assert proof is not None
        start = at.plus(-proof.begin)
        if start.base == "" and start.add < 0:
            raise NotExported("the potential is used before it begins")
        most = self.setting.plain(self.texts.real(grammar.parse(proof.at_most), At("")))
        lemma = "no_gap" if self.setting.theorem.claim == "equality" else "gap"
        if self.texts.run:
            own = replace(self.setting, texts=self.setting.texts.at_end(LAST))
            most = own.plain(own.texts.real(grammar.parse(proof.at_most), At("")))
            return f"({most} - V {at.nat})", f"({lemma} _ _ (bounded {start.nat} {WITHIN}))"
        if proof.horizon:
            within = f"{at.nat} {start.nat} {WITHIN}"
            return f"({most} - V {at.nat} {at.nat})", f"({lemma} _ _ (bounded {within}))"
        return f"({most} - V {at.nat})", f"({lemma} _ _ (bounded {start.nat}))"

    def _inverses(self) -> Iterator[tuple[str, str]]:
        """Powers x^k, as the texts have them, that opcheck reads as 1/y^k; with y^k."""
        bare = At(self.scene.at.base, self.scene.at.factor).nat if self.scene.at.base else ""
        bases, here = self.reader.spares.powers.values(), self.scene.at.add - self.scene.here.add
        for node in dict.fromkeys(node for node, _ in self.texts.powers):
            value = None
            with contextlib.suppress(OpcheckError, Undecided, TypeError):
                value = self.reader.read(node, here)
            if bare and value and value not in bases and 1 / value in bases:
                own = self.setting.plain(self.texts.real(node, self.scene.at))
                yield f"{tight(own)} ^ {bare}", f"{tight(self.base(1 / value))} ^ {bare}"

    # ---- what is known of the symbols ----

    def _of_divisors(self) -> None:
        """The signs of what the texts divide by, beside those that are asserted already."""
        asserted = {*self.facts}
        trees = [self.texts.inlined(tree) for tree, _, _ in self.unfolded]
        quotients = [n for tree in trees for n in walk(tree) if n.kind == "/"]
        for divisor in dict.fromkeys(quotient.parts[1] for quotient in quotients):
            with contextlib.suppress(NotExported):  # a power of k, say, has its fact already
                for factor, _ in factorised(self.scene.ratio(divisor).num)[1]:
                    self.orient(factor)
        # not all are needed, as where a divisor cancels
        self.tried = self.facts.keys() - asserted

    def _constraints(self) -> None:
        """What the ranges say, without denominators."""
        field = self.reader.field
        for prop in self.setting.theorem.asked:
            if prop.symbol is not None and prop.kind.positive and prop.symbol in field.known:
                self.signs[str(field.symbol(prop.symbol).num)] = 1
        ends = [*self.setting.ends(self.reader, self.scene.here), *self._ends_of_tests()]
        for end in [*ends, *_joined(ends)]:
            if end.values is None:
                continue
            gap = end.values[1] - end.values[0]
            if not gap.symbols:
                continue
            if gap.symbols & {*self.reader.spares.roots}:
                self._without_root(gap, end)
                continue
            numerator, denominator = gap.num, gap.den
            sign = 1
            for factor, power in factorised(denominator)[1]:
                if self.orient(factor) < 0 and power % 2:
                    sign = -sign
            if sign < 0:
                numerator, denominator = -numerator, -denominator
            word = polynomial(field, numerator, self.symbol)
            below = self.ratio(Ratio(field, denominator, field.one))
            self.facts.setdefault(
                f"0 {'<' if end.strict else '<='} {word}",
                f"replace ({word}) with (({end.large} - ({end.small})) * ({below})) by "
                "same_number; sign",
            )
            self._single(numerator)

    def _ends_of_tests(self) -> Iterator[End]:
        """What the tests say, as ends of ranges; in their words roots of 0 and 1 are numbers."""
        for test, offset, holds in self.reader.assumed:
            images: dict[Tree, Tree] = {
                root: number(value) for root, value in self._known_roots(test, offset)
            }
            sides = self.texts.test(test, self.scene.here.plus(offset))
            values = [self.reader.read(node, offset) for node in (test.left, test.right)]
            if test.relation in (">", ">="):
                values.reverse()
            trees = [replaced(tree, images) for tree in sides]
            if not holds:
                trees.reverse()
                values.reverse()
            words = [self.setting.plain(tree) for tree in trees]
            strict = (test.relation in ("<", ">")) == holds
            yield End(words[0], words[1], strict, (trees[0], trees[1]), (values[0], values[1]))

    def _single(self, numerator: Any) -> None:
        """Note the sign of a polynomial > 0 that is one factor."""
        constant, factors = factorised(numerator)
        if len(factors) == 1 and factors[0][1] == 1:
            self.signs.setdefault(str(factors[0][0]), 1 if constant > 0 else -1)

    def _without_root(self, gap: Ratio, end: End) -> None:
        """a + b √x ≥ 0 with a ≤ 0 ≤ b as b² x − a² ≥ 0, and with b ≤ 0 ≤ a as a² − b² x ≥ 0."""
        field, domain = self.reader.field, self.case.domain()
        for name, inner in self.reader.spares.roots.items():
            if name not in gap.symbols:
                continue
            a = field.at(gap, {name: field.number(0)})
            b = field.at(gap, {name: field.number(1)}) - a
            if a + b * field.symbol(name) != gap:
                continue
            said = tight(self.radicand(inner))
            between = f"({end.large} - ({end.small}))"
            if domain.nonnegative(a) and domain.nonnegative(-b):
                relation = "<" if end.strict else "<="
                lax = "" if end.strict else "_lax"
                times, less = ("Rmult_lt_0_compat", "less")
                if not end.strict:
                    times, less = ("Rmult_le_pos", "at_most")
                squared = a * a - b * b * inner
                self.facts.setdefault(f"0 <= {self.symbol(name)}", "apply sqrt_pos")
                alone = polynomial(field, a.num, self.symbol)
                below = self.ratio(Ratio(field, a.den, field.one))
                slope = self.ratio(-b)
                self.facts.setdefault(
                    f"0 {relation} {alone}",
                    f"replace ({alone}) with (({between} + {slope} * sqrt {said}) * {below}) by "
                    "same_number; sign",
                )
                self._single(a.num)
                large, under = self.ratio(a), self.ratio(inner)
                summed = f"{large} ^ 2 - {slope} ^ 2 * {under}"
                ordered = f"{large} - {slope} * sqrt {said}"
                how = f"with_root{lax}; [sign|sign|]"
            else:
                relation, times, less = "<=", "Rmult_le_pos", "at_most"
                squared = b * b * inner - a * a
                larger, smaller, under = (self.ratio(v) for v in (b, -a, inner))
                summed = f"{larger} ^ 2 * {under} - {smaller} ^ 2"
                ordered = f"{larger} * sqrt {said} - {smaller}"
                how = "without_root; [sign|sign|sign|]"
            word = polynomial(field, squared.num, self.symbol)
            below = self.ratio(Ratio(field, squared.den, field.one))
            self.facts.setdefault(
                f"0 {relation} {word}",
                f"replace ({word}) with (({summed}) * {below}) by same_number; apply {times}; "
                f"[|sign]; apply {how}; replace (sqrt {tight(under)}) with (sqrt {said}) by "
                f"(f_equal; same_number); apply {less}; replace ({ordered}) with {between} by "
                "same_number; lra",
            )
            self._single(squared.num)
            self._at_low_ends(Ratio(field, squared.num, field.one), relation)

    def _at_low_ends(self, value: Ratio, relation: str) -> None:
        """Of value > 0 or ≥ 0 that falls in a symbol: the same at what this is at least."""
        field, domain = self.reader.field, self.case.domain()
        known = [c for c in domain.constraints if c.value.den.is_one()]
        for name, low in low_ends(value, known, domain):
            own = field.symbol(name)
            above = polynomial(field, (own - low).num, self.symbol)
            at_end = field.at(value, {name: low})
            slope = value - field.at(value, {name: own + 1})
            if f"0 <= {above}" not in self.facts or not at_end.den.is_one():
                continue
            word, said = (polynomial(field, v.num, self.symbol) for v in (at_end, value))
            self.facts.setdefault(
                f"0 {relation} {word}",
                f"replace ({word}) with (({said}) + {self.ratio(slope)} * ({above})) by ring; sign",
            )
            self._single(at_end.num)

    def _of_spares(self) -> None:
        """What is known of powers and sums."""
        for name, base in self.reader.spares.powers.items():
            self._of_power(name, base)
        for name, base in self.reader.spares.lasts.items():
            self._of_last_power(name, base)
        for name, term in self.reader.spares.sums.items():
            self._of_sum(name, term)
        for name, inner in self.reader.spares.roots.items():
            self._of_root(name, inner)

    def _of_power(self, name: str, base: Ratio) -> None:
        domain, at = self.case.domain(), self.scene.at
        word = self.base(base)
        if not domain.positive(base):
            if self.setting.theorem.claim == "equality" and domain.nonnegative(base - 1):
                return  # nothing is compared, and ``side`` sees that it is not 0
            if squared := with_a_square(self.reader.field, base.num, self.symbol):
                below = self.ratio(Ratio(self.reader.field, base.den, self.reader.field.one))
                self.facts.setdefault(
                    f"0 < {word}",
                    f"replace ({word}) with (({squared}) / {below}) by same_number; sign",
                )
                self.facts.setdefault(f"0 < {self.symbol(name)}", "apply pow_lt; assumption")
                return
            raise NotExported(f"no chart shows that {word} > 0, which is raised to the power k")
        self.facts.setdefault(
            f"0 < {word}", f"replace ({word}) with ({self.ratio(base)}) by same_number; sign"
        )
        bare = At(at.base, at.factor).nat if at.base else at.nat
        self.facts.setdefault(f"0 < {tight(word)} ^ {bare}", "apply pow_lt; assumption")
        own = self.symbol(name)
        for sign, lemma in ((1, "pow_at_least"), (-1, "pow_at_most")):
            if not domain.nonnegative((base - 1) * sign):
                continue
            margin = self.ratio((base - 1) * sign)
            above = f"{own} - 1" if sign > 0 else f"1 - {own}"
            below = f"{word} - 1" if sign > 0 else f"1 - ({word})"
            joined = ""
            if at.base and at.add:
                joined = (
                    f"replace {own} with ({tight(word)} ^ {at.nat}) by "
                    "(rewrite ?tech_pow_Rmult; try ring; simpl pow; ring); "
                )
            self.facts.setdefault(
                f"0 <= {above}",
                f"{joined}apply gap; apply {lemma}; [lra|]; apply at_most; "
                f"replace ({below}) with ({margin}) by same_number; sign",
            )
            return

    def _of_last_power(self, name: str, base: Ratio) -> None:
        """Of x^K: its sign, and for x ≥ 1 what of it is known beside x^k."""
        domain, field, own = self.case.domain(), self.reader.field, self.symbol(name)
        word = self.base(base)
        self.facts.setdefault(
            f"0 < {word}", f"replace ({word}) with ({self.ratio(base)}) by same_number; sign"
        )
        self.facts.setdefault(f"0 < {own}", "apply pow_lt; assumption")
        (above,) = of_last_power(self.reader, domain, name, base)[1:] or (None,)
        if above is None:
            return
        margin = self.ratio(base - 1)
        left = field.symbol(RUN) - self.reader.k
        at = self.scene.at.plus(int(domain.nonnegative(left - 1)))
        least = f"{tight(word)} ^ {at.nat}"
        numerator, denominator = above.value.num, above.value.den
        polynomial_ = polynomial(field, numerator, self.symbol)
        below = self.ratio(Ratio(field, denominator, field.one))
        self.facts.setdefault(
            f"0 <= {polynomial_}",
            f"replace ({polynomial_}) with (({own} - {least}) * ({below})) by "
            "(rewrite <- ?tech_pow_Rmult; simpl pow; same_number); "
            "apply Rmult_le_pos; [apply gap; apply Rle_pow; [apply at_most; "
            f"replace ({word} - 1) with ({margin}) by same_number; sign|lia]|sign]",
        )

    def _of_root(self, name: str, inner: Ratio) -> None:
        domain, own = self.case.domain(), self.symbol(name)
        self.facts.setdefault(f"0 <= {own}", "apply sqrt_pos")
        if inner.symbols and domain.positive(inner):
            margin, word = self.ratio(inner), self.radicand(inner)
            self.facts.setdefault(
                f"0 < {own}",
                f"apply sqrt_lt_R0; replace ({word}) with ({margin}) by same_number; sign",
            )
        if inner.symbols and domain.nonnegative(inner - 1):
            margin, word = self.ratio(inner - 1), self.radicand(inner)
            self.facts.setdefault(
                f"0 <= {own} - 1",
                f"apply gap; rewrite <- sqrt_1 at 1; apply sqrt_le_1_alt; apply at_most; "
                f"replace (({word}) - 1) with ({margin}) by same_number; sign",
            )

    def _of_sum(self, name: str, term: Ratio) -> None:
        node = grammar.parse(self.reader.field.meaning(name))
        assert isinstance(node, Call)
        word = self.texts.terms[node.arguments[0]]
        field, domain = self.reader.field, self.case.domain()

        def at_j(symbol: str) -> str:
            return "INR j" if symbol == "k" else self.symbol(symbol)

        def sign(factor: Any) -> int:
            return 1 if domain.nonnegative(Ratio(field, factor, field.one)) else -1

        written = ratio(term, at_j, sign)
        shown = []
        for polynomial_ in (term.num, term.den):
            for factor, _ in factorised(polynomial_)[1]:
                turned = factor if sign(factor) > 0 else -factor
                shown.append(f"assert (0 <= {polynomial(field, turned, at_j)}) by signs")
        self.facts.setdefault(
            f"0 <= before {word} {self.scene.at.nat}",
            "apply before_positive; intro j; pose proof (pos_INR j); "
            + "".join(f"{fact}; " for fact in shown)
            + f"rewrite {word}_is; unfold_lets; match goal with |- 0 <= ?g => "
            f"replace g with ({written}) by same_number end; sign",
        )


def _joined(ends: Sequence[End]) -> Iterator[End]:
    """lo < x and x < hi: what lies between shows that lo < hi."""
    for low in ends:
        for high in ends:
            if low.large == high.small and low.small != high.large and low.values and high.values:
                yield End(
                    low.small,
                    high.large,
                    low.strict or high.strict,
                    (low.trees[0], high.trees[1]),
                    (low.values[0], high.values[1]),
                )
