"""What the names of a statement mean, and whether every text of it has a meaning.

Checked when a theorem is registered, so that a slip is one sentence about the declaration and not
a verdict on something else. What depends on the range of the parameters (roots, denominators) is
proved later, where ranges are known.
"""

from __future__ import annotations

import difflib
import keyword
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from opcheck import registry
from opcheck.errors import OpcheckError
from opcheck.model import grammar
from opcheck.model.grammar import (
    ACCUMULATING,
    ARGUMENTS,
    Binary,
    Call,
    Comparison,
    Name,
    Negative,
    Node,
    Number,
    walk,
)
from opcheck.model.proof import FINAL, RUN
from opcheck.model.property import KINDS, Property
from opcheck.model.text import Text

if TYPE_CHECKING:
    from opcheck.model.measure import Measure
    from opcheck.model.proof import Proof
    from opcheck.model.theorem import Theorem

LONGEST = 10**6  # steps of a run that a statement may ask for
DRIVEN = ("before", "solution")  # rows that every method has: the point before the step, z*
LINEAR = "linear"  # the order of what falls by a factor
RESERVED = {
    "k": "the index of the iteration",
    "j": "the index of a sum",
    "K": "the horizon",
    "R": "the distance of the start from the solution",
    "pi": "the number π",
    "solution": "the solution z*",
    "before": "the point before the step",
    "potential": "the potential of a proof",
    "resolvent_step": "the step of a resolvent",
    "next": "what follows",
    "last": "what came before",
    FINAL: "what comes last",
    **dict.fromkeys(ARGUMENTS, "a function"),
    **dict.fromkeys(("F", "A", "J", "S", "T"), "an operator"),
    **dict.fromkeys(("inner", "resolvent", "Resolvent", "Subgradient"), "a function of proofs"),
}


@dataclass(frozen=True)
class Signature:
    """The names of a statement.

    Attributes:
        constants: of its properties.
        parameters: of the method, those that ``let`` sets included, and free ones.
        whole: those that are whole numbers.
        let: name -> tree.
        varying: names in ``let`` and of sequence parameters that depend on k.
        rows: of the method, and the driver's.
    """

    constants: frozenset[str]
    parameters: frozenset[str]
    whole: frozenset[str]
    let: Mapping[str, Node]
    varying: frozenset[str]
    rows: tuple[str, ...]


def check(theorem: Theorem) -> None:
    """Raise OpcheckError, naming the theorem and the text, where a statement has no meaning."""
    try:
        signature = signature_of(theorem)
        _ranges(theorem, signature)
        _sides(theorem, signature)
        _numbers(theorem)
        _order(theorem)
        _proof(theorem, signature)
    except OpcheckError as error:
        text = str(error)
        prefix = f"{theorem.name}: "
        raise OpcheckError(text if text.startswith(prefix) else prefix + text) from error


def _order(theorem: Theorem) -> None:
    """Raise OpcheckError for an order that is no function of k, as ``fast``."""
    if theorem.order in ("", LINEAR):
        return
    tree = _parsed(theorem.order, "order")
    known = grammar.functions(tree) <= {"sqrt", "log"} and grammar.names(tree) == {"k"}
    if not known or any(isinstance(n, Comparison) for n in walk(tree)):
        raise OpcheckError(
            f"order = {theorem.order!r} is none; write a formula of k, as order='1/k**2', or "
            f"order={LINEAR!r}"
        )


def kinds(
    name: str,
    *,
    texts: Mapping[str, object],
    mappings: Mapping[str, object],
    properties: Mapping[str, object],
    names: Mapping[str, object],
) -> None:
    """Raise OpcheckError for the first argument of a declaration that is of another kind."""
    for what, value in texts.items():
        if not isinstance(value, str):
            raise OpcheckError(f"{name}: {what} = {value!r} is no text; write {what}='...'")
    for what, value in mappings.items():
        if not isinstance(value, Mapping):
            raise OpcheckError(f"{name}: {what} = {value!r} is no dict of names and formulas")
        for key, formula in value.items():
            if not isinstance(key, str) or not isinstance(formula, str):
                raise OpcheckError(
                    f"{name}: {what}[{key!r}] = {formula!r} is no formula; write it as text"
                )
    for what, value in properties.items():
        some = value if isinstance(value, Sequence) and not isinstance(value, str) else None
        for entry in [value] if some is None else some:
            if some is None or not isinstance(entry, Property):
                raise OpcheckError(
                    f"{name}: {what} holds {entry!r}; write {what}=[Lipschitz('L', of='F'), "
                    "Monotone(of='F')]"
                )
    for what, value in names.items():
        if isinstance(value, str) or not all(isinstance(v, str) for v in value):  # type: ignore[attr-defined]
            raise OpcheckError(f"{name}: {what} = {value!r} is no list of names")


def signature_of(theorem: Theorem) -> Signature:
    """The names of a theorem. Raises OpcheckError where one has no meaning, or two."""
    method = theorem.iteration
    constants = _constants(theorem)
    symbols = [p.symbol for p in method.parameters]
    for name in theorem.free:
        _fresh(name, "free symbol")
    for what, some in (("constant", constants), ("free symbol", theorem.free)):
        for name in some:
            if name in theorem.let:
                raise OpcheckError(f"let gives a value to the {what} {name!r}; call it otherwise")
    rows = (*method.rows, *DRIVEN)
    for name in theorem.let:
        _fresh(name, "symbol of let", used=name in symbols)
        if name in rows and name not in symbols:
            raise OpcheckError(f"{name!r} is a row of {method.name} and a symbol of let")
    for name in constants:
        if name in rows:
            raise OpcheckError(f"{name!r} is a row of {method.name} and a constant")
    let = {name: _parsed(source, f"let {name}") for name, source in theorem.let.items()}
    known = {*constants, *symbols, *theorem.free, *let, "k", "K", "R", "pi"}
    for name, tree in let.items():
        _symbols_among(tree, known, f"let {name} = {theorem.let[name]!r}")
    _acyclic(let)
    sequences = {p.symbol for p in method.parameters if p.sequence}
    loose = {*symbols, *theorem.free} - set(constants)
    varying = {"k"}
    while True:
        more = {n for n, tree in let.items() if grammar.names(tree) & varying} - varying
        if not more:
            break
        varying |= more
    for p in method.parameters:
        if p.symbol in varying and not p.sequence:
            raise OpcheckError(f"{p.symbol} is one number in {method.name}, and let has k in it")
    whole = {p.symbol for p in method.parameters if p.integer}
    unset = sequences - let.keys() - {c.name for c in theorem.chains}
    if unset:
        raise OpcheckError(f"the sequence {', '.join(sorted(unset))} is given no value by let")
    signature = Signature(
        constants=frozenset(constants),
        parameters=frozenset(loose),
        whole=frozenset(whole),
        let=let,
        varying=frozenset(varying - {"k"}),
        rows=rows,
    )
    for name, tree in let.items():
        _typed(tree, signature, frozenset(), f"let {name}")
    return signature


def _constants(theorem: Theorem) -> list[str]:
    _once(theorem)
    names: list[str] = []
    for prop in theorem.asked:
        if prop.of not in ("F", "A", "S", "T"):
            raise OpcheckError(f"{prop.kind.name} of {prop.of!r}: of is F, A, S or T")
        if prop.kind.better is None:
            if prop.constant is not None:
                raise OpcheckError(
                    f"{prop.kind.name} has no constant, and {prop.constant!r} is given"
                )
            continue
        if prop.number is not None:
            if prop.kind.positive and prop.number <= 0:
                raise OpcheckError(f"{prop} needs a positive constant")
            continue
        name = prop.constant
        if not isinstance(name, str) or not name.isidentifier():
            raise OpcheckError(
                f"{prop.kind.name}({name!r}): the constant of a hypothesis is a symbol or a number"
            )
        _fresh(name, "constant")
        if name in names:
            raise OpcheckError(
                f"two properties share the constant {name!r}; give each its own and relate them in "
                "where"
            )
        names.append(name)
    return names


def _once(theorem: Theorem) -> None:
    """Raise OpcheckError for a property that is given twice of one operator: texts name it once."""
    seen: dict[tuple[str, str], Property] = {}
    for prop in theorem.asked:
        key = prop.kind.name, prop.of
        if key in seen:
            raise OpcheckError(
                f"{seen[key]} and {prop} are one property twice: keep the stronger one, or relate "
                "their constants in where"
            )
        seen[key] = prop


def _fresh(name: str, what: str, used: bool = False) -> None:
    """Raise OpcheckError for a name that means something else already."""
    if not name.isidentifier() or keyword.iskeyword(name) or name.startswith("_"):
        raise OpcheckError(f"{name!r} is no name for a {what}")
    if name in RESERVED and not used:
        raise OpcheckError(f"{name!r} is {RESERVED[name]} and can't be a {what}")
    if name in registry.entered("measures"):
        raise OpcheckError(f"{name!r} is a measure and can't be a {what}")


def _parsed(source: str, what: str) -> Node:
    try:
        return Text(source).tree
    except OpcheckError as error:
        raise OpcheckError(f"{what}: {error}") from error


def _symbols_among(tree: Node, known: Iterable[str], what: str) -> None:
    measures = registry.entered("measures")
    for name in sorted(grammar.names(tree) - set(known)):
        if name in measures:
            raise OpcheckError(
                f"{what}: {name} is a measure, and measures stand in the measure and the bound only"
            )
        offered = ", ".join(sorted(set(known) - {"pi"}))
        raise OpcheckError(
            f"{what}: {name!r} is neither a constant nor a parameter of it{_near(name, known)}; "
            f"they are {offered}, and what free=[...] adds"
        )


def _near(name: str, known: Iterable[str]) -> str:
    """A hint at what may have been meant."""
    close = difflib.get_close_matches(name, list(known), 1, 0.6)
    return f" (did you mean {close[0]!r}?)" if close else ""


def _acyclic(let: Mapping[str, Node]) -> None:
    done: set[str] = set()
    waiting = dict(let)
    while waiting:
        ready = [n for n, tree in waiting.items() if not grammar.names(tree) & waiting.keys()]
        if not ready:
            raise OpcheckError(f"let goes in a circle: {', '.join(sorted(waiting))}")
        done |= set(ready)
        for name in ready:
            del waiting[name]


def _behind(names: Iterable[str], let: Mapping[str, Node]) -> set[str]:
    """The names, and those that ``let`` makes them of."""
    reached, waiting = set(names), [n for n in names if n in let]
    while waiting:
        more = grammar.names(let[waiting.pop()]) - reached
        reached |= more
        waiting += [n for n in more if n in let]
    return reached


def _ranges(theorem: Theorem, signature: Signature) -> None:
    let = signature.let
    open_ = signature.parameters - let.keys()
    ranged = [c.name for c in theorem.chains]
    settled = set(signature.constants) | {"K", "pi"}
    known = {*signature.constants, *signature.parameters, *let, "K", "pi"}
    if theorem.on:  # the parameters of its families are symbols too
        known |= set().union(*(c.symbols for c in [*theorem.conditions, *theorem.chains]))
    for chain in [*theorem.conditions, *theorem.chains]:
        ends = [end.tree for end in (chain.lo, chain.hi) if end is not None]
        trees = ends if chain.parameter else [*ends, _parsed(chain.name, "where")]
        used: set[str] = set()
        for tree in trees:
            _symbols_among(tree, known | {"k", "R"}, f"where: {chain}")
            _typed(tree, signature, frozenset(), f"where: {chain}")
            used |= _behind(grammar.names(tree), let)
        if "k" in used:
            raise OpcheckError(f"where: {chain} speaks of k, and a range is one for all k")
        if "R" in used:
            raise OpcheckError(f"where: {chain} speaks of R, which is no constant of the operator")
        early = (used & open_) - settled
        if early:
            raise OpcheckError(
                f"where: {chain} speaks of {', '.join(sorted(early))}, whose own range comes later"
                if chain.parameter and chain.name not in early
                else f"where: {chain} is no range of one parameter in terms of earlier symbols"
            )
        if chain.parameter:
            if chain.lo is None:
                raise OpcheckError(f"where: {chain} needs a lower end")
            settled.add(chain.name)
    for name in sorted(open_ - set(ranged)):
        raise OpcheckError(f"the parameter {name} has no range in where and no value in let")
    for name in theorem.at_least:
        if name not in let or name not in signature.whole:
            raise OpcheckError(f"at_least names {name!r}, which is no whole parameter set by let")
    for fixed in theorem.paper:
        for name, source in fixed.items():
            if name not in ranged:
                raise OpcheckError(f"paper gives a value to {name!r}, which where gives no range")
            _symbols_among(_parsed(source, f"paper {name}"), known, f"paper {name}")


def _sides(theorem: Theorem, signature: Signature) -> None:
    known = {*signature.constants, *signature.parameters, *signature.let, "k", "K", "R", "pi"}
    measures = registry.entered("measures")
    for what, side in (("measure", theorem.left), ("bound", theorem.right)):
        for name, rows in side.recorded.values():
            entry: Measure = measures[name]
            if len(rows) > len(entry.rows):
                raise OpcheckError(
                    f"{what}: {name} is taken at {len(entry.rows)} row(s), not {len(rows)}"
                )
            for row in (*rows, *entry.rows[len(rows) :]):
                if row not in signature.rows:
                    raise OpcheckError(
                        f"{what}: {theorem.iteration.name} has no row {row!r} for {name}; it has "
                        f"{', '.join(signature.rows)}"
                    )
        free = side.names - side.recorded.keys() - {f"next {key}" for key in side.ahead}
        if not theorem.on:  # a statement about one family speaks of its parameters too
            for name in sorted(free - known):
                raise OpcheckError(
                    f"{what}: {name!r} in {side.source!r} is no symbol of it"
                    f"{_near(name, [*known, *measures])}; they are "
                    f"{', '.join(sorted(known - {'pi'}))}, and measures"
                )
        _typed(side.tree, signature, frozenset(measures), f"{what} {side.source!r}")
    if not theorem.left.recorded and not theorem.right.recorded:
        raise OpcheckError("nothing is measured: neither side names a measure")


def _typed(node: Node, signature: Signature, measures: frozenset[str], what: str) -> None:
    """Raise OpcheckError where a function is given what it has no meaning for."""
    if isinstance(node, Call) and node.function in ACCUMULATING:
        (argument,) = node.arguments
        if not _varies(argument, signature, measures):
            raise OpcheckError(
                f"{what}: {grammar.unparse(node)} speaks of all k, and "
                f"{grammar.unparse(argument)} is one number"
            )
    if isinstance(node, Call) and node.function == "mod":
        for argument in node.arguments:
            if not _whole(argument, signature):
                raise OpcheckError(
                    f"{what}: mod takes whole numbers, and {grammar.unparse(argument)} is not "
                    "known to be one"
                )
        if isinstance(node.arguments[1], Number) and node.arguments[1].value < 1:
            raise OpcheckError(f"{what}: mod needs a period from 1 on")
    for child in grammar.children(node):
        if not (isinstance(node, Call) and node.function in measures):
            _typed(child, signature, measures, what)


def _varies(node: Node, signature: Signature, measures: frozenset[str]) -> bool:
    return any(
        (
            isinstance(n, Name)
            and (n.name == "k" or n.name in signature.varying or n.name in measures)
        )
        or (isinstance(n, Call) and n.function in measures)
        for n in grammar.walk(node)
    )


def _whole(node: Node, signature: Signature) -> bool:
    match node:
        case Number(value):
            return Fraction(value).denominator == 1
        case Name(name):
            if name in signature.let and name not in signature.whole:
                return _whole(signature.let[name], signature)
            return name in ("k", "K") or name in signature.whole
        case Negative(operand):
            return _whole(operand, signature)
        case Binary("+" | "-" | "*", left, right):
            return _whole(left, signature) and _whole(right, signature)
        case Call("ceil" | "floor", _):
            return True
        case Call("max" | "min" | "mod", arguments):
            return all(_whole(a, signature) for a in arguments)
    return False


def whole(node: Node, theorem: Theorem) -> bool:
    """Whether a tree is a whole number for every k and all parameters of a theorem."""
    return _whole(node, signature_of(theorem))


def _numbers(theorem: Theorem) -> None:
    if isinstance(theorem.first, bool) or not isinstance(theorem.first, int) or theorem.first < 0:
        raise OpcheckError(f"first = {theorem.first!r} is no k from 0 on")
    if not theorem.horizons:
        raise OpcheckError("horizons is empty: no run would be made")
    for horizon in theorem.horizons:
        if isinstance(horizon, bool) or not isinstance(horizon, int) or horizon < 1:
            raise OpcheckError(f"the horizon {horizon!r} is no whole number from 1 on")
        if horizon > LONGEST:
            raise OpcheckError(
                f"the horizon {horizon} is beyond {LONGEST}: no run is that long, and nothing "
                "would be compared; give smaller horizons"
            )
    if theorem.first >= max(theorem.horizons) and theorem.first > 0:
        raise OpcheckError(
            f"it is about k ≥ {theorem.first}, and runs end at k = {max(theorem.horizons)}: give "
            "larger horizons"
        )


def _proof(theorem: Theorem, signature: Signature) -> None:
    proof = theorem.proof
    if proof is None:
        return
    if not proof.cases:
        raise OpcheckError("the proof has no case: cases=() would show nothing")
    if proof.turn:
        _of_families(theorem)
    elif not proof.end:
        raise OpcheckError("the proof has no end: say why the bound follows")
    taken = {
        *signature.constants,
        *signature.parameters,
        *signature.let,
        *signature.rows,
        *RESERVED,
    }
    _cases(theorem, signature, taken)
    spoken = _Spoken(theorem, signature)
    if proof.horizon:
        _horizon(proof, taken)
        spoken.names.add(proof.horizon)
        spoken.functions[FINAL] = (1,)
    _texts(proof, spoken)


def _cases(theorem: Theorem, signature: Signature, taken: set[str]) -> None:
    """Raise OpcheckError for a case of what is no whole parameter, or out of its range."""
    assert theorem.proof is not None
    ranges = {c.name: c for c in theorem.chains}
    for case in theorem.proof.cases:
        for name, source in case.items():
            tree = _parsed(str(source), f"case {name}")
            if name == "k":
                fresh = grammar.names(tree) & taken
                if fresh or len(grammar.names(tree)) != 1:
                    raise OpcheckError(
                        f"case k = {source!r} is c*m + r in one further symbol m"
                        + (f", and {sorted(fresh)[0]!r} means something else" if fresh else "")
                    )
                continue
            if name not in signature.whole or name in signature.let:
                raise OpcheckError(
                    f"case {name} = {source!r}: cases choose k and whole parameters that where "
                    "ranges over; a real parameter stays a symbol"
                )
            _inside(ranges[name], _first_of_case(name, str(source), tree, taken))


def _horizon(proof: Proof, taken: set[str]) -> None:
    """Raise OpcheckError for a horizon that is no symbol, or of another form of proof."""
    if not proof.horizon.isidentifier() or proof.horizon in taken - {RUN}:
        raise OpcheckError(f"horizon = {proof.horizon!r} is no further symbol")
    if not proof.potential or proof.begin or list(proof.cases) != [{}]:
        raise OpcheckError("horizon= is for one potential from k = 0 on")
    if "next(potential)" in proof.end:
        raise OpcheckError("with horizon= nothing is shown of next(potential): use potential")


def _texts(proof: Proof, spoken: _Spoken) -> None:
    """Raise OpcheckError for a text that speaks of what is not there."""
    for name, source in proof.let.items():
        spoken.check(source, f"let {name} of the proof")
        if name in spoken.names or name in RESERVED or not name.isidentifier():
            raise OpcheckError(f"let of the proof: {name!r} is no further symbol")
        spoken.names.add(name)
    spoken.check(proof.potential or "0", "potential")
    spoken.check(proof.at_most, "at_most")
    for what, source in zip(("a", "s"), proof.turn, strict=False):
        spoken.check(source, f"{what} of turn")
    for what, part in (("start", proof.start), ("step", proof.step), ("end", proof.end)):
        for inequality, multiplier in part.items():
            if not (what == "end" and inequality in ("potential", "next(potential)")):
                spoken.inequality(inequality, what)
            spoken.check(multiplier, f"the multiplier of {inequality} in {what}")
    for cauchy, part in proof.shorter.items():
        spoken.inequality(cauchy, "shorter")
        for inequality, multiplier in part.items():
            spoken.inequality(inequality, f"what shows {cauchy}")
            spoken.check(multiplier, f"the multiplier of {inequality} for {cauchy}")


def _of_families(theorem: Theorem) -> None:
    """Raise OpcheckError where turn= is no a and s, or the statement is about no families."""
    assert theorem.proof is not None
    turn = theorem.proof.turn
    if isinstance(turn, str) or len(turn) != 2 or not all(isinstance(v, str) for v in turn):
        raise OpcheckError(f"turn = {turn!r} is not a and s of F = a I + G, G² = −s I, as texts")
    if not theorem.on or theorem.constrained:
        raise OpcheckError("turn= is for statements with on=, about families with A = 0")


def _first_of_case(name: str, source: str, tree: Node, taken: set[str]) -> int:
    """c of the case c, or of c + t, which is every whole number from c on."""
    match tree:
        case Number(int() as c) if c >= 1:
            return c
        case Binary("+", Number(int() as c), Name(symbol)) if c >= 1:
            if symbol in taken:
                raise OpcheckError(
                    f"case {name} = {source!r} is c + t with one further symbol t, and {symbol!r} "
                    "means something else"
                )
            return c
    raise OpcheckError(
        f"case {name} = {source!r} is no whole number from 1 on, nor c + t with a further symbol t"
    )


class _Spoken:
    """What the texts of a proof may speak of."""

    def __init__(self, theorem: Theorem, signature: Signature) -> None:
        kinds = [p.kind.name for p in theorem.asked]
        self.inequalities = {
            **dict.fromkeys(kinds, (1, 2)),
            "Resolvent": (2,),
            "Subgradient": (2,),
            "Least": (1,),
            "Mean": (1,),
            "Cauchy": (3,),
        }
        self.functions = {
            **dict.fromkeys(("F", "A", "S", "resolvent", "norm2", "next", "last"), (1,)),
            "inner": (2,),
            **{name: (count,) for name, count in ARGUMENTS.items()},
            **self.inequalities,
        }
        self.measures = registry.entered("measures")
        symbols = {*signature.constants, *signature.parameters, *signature.let, "k", "R"}
        if theorem.on:  # the parameters of its families are symbols too
            symbols |= set().union(*(c.symbols for c in [*theorem.conditions, *theorem.chains]))
        self.rows = {Name(row) for row in signature.rows}
        self.names = {*symbols, *signature.rows, *self.measures}

    def check(self, source: str, what: str) -> None:
        """Raise OpcheckError for a name or a function that means nothing in a proof."""
        tree = grammar.checked(grammar.parse(source))
        for node in grammar.walk(tree):
            if isinstance(node, Name) and node.name not in self.names:
                raise OpcheckError(
                    f"{what}: {node.name!r} in {source!r} is neither a row nor a symbol of it"
                    f"{_near(node.name, self.names)}"
                )
            if isinstance(node, Call):
                self._call(node, what, source)
                if node.function == FINAL and not {*node.arguments} <= self.rows:
                    raise OpcheckError(
                        f"{what}: {FINAL} takes a row of the method, not "
                        f"{grammar.unparse(node.arguments[0])!r}, in {source!r}"
                    )

    def inequality(self, source: str, part: str) -> None:
        """Raise OpcheckError for what is no inequality that is known."""
        self.check(source, part)
        node = grammar.parse(source)
        while isinstance(node, Call) and node.function in ("next", "last"):
            (node,) = node.arguments
        if not isinstance(node, Call) or node.function not in self.inequalities:
            raise OpcheckError(
                f"{part}: {source!r} is no inequality that is known: those are "
                f"{', '.join(self.inequalities)}"
            )

    def _call(self, node: Call, what: str, source: str) -> None:
        if node.function in self.measures and node.function not in self.functions:
            return
        counts = self.functions.get(node.function)
        if counts is None:
            if node.function in (kind.name for kind in KINDS):
                raise OpcheckError(
                    f"{what}: {node.function} in {source!r} is not given of any operator: add it "
                    "to given"
                )
            offered = ", ".join([*self.inequalities, "F", "A", "S", "resolvent", "inner", "norm2"])
            raise OpcheckError(
                f"{what}: {node.function!r} in {source!r} is neither a hypothesis nor a function "
                f"of proofs: {offered}"
            )
        if len(node.arguments) not in counts and node.function not in self.measures:
            raise OpcheckError(
                f"{what}: {node.function} takes {' or '.join(map(str, counts))} argument(s), not "
                f"{len(node.arguments)}, in {source!r}"
            )


def _inside(chain: object, value: int) -> None:
    from opcheck.model.text import Chain

    assert isinstance(chain, Chain)
    for end, below, strict in (
        (chain.lo, True, chain.strict[0]),
        (chain.hi, False, chain.strict[1]),
    ):
        bound = None if end is None else grammar.constant(end.tree)
        if bound is None:
            continue
        fails = value < bound if below else value > bound
        if fails or (strict and value == bound):
            raise OpcheckError(f"case {chain.name} = {value} is outside {chain}")
