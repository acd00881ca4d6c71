"""A certificate as a file of Rocq: one k, numbers for symbols, rational multipliers, squares."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any

from flint import fmpq

from opcheck import recheck, registry
from opcheck.engine.coefficients import STAR
from opcheck.engine.forms import Sparse
from opcheck.engine.ratio import Field, Ratio
from opcheck.errors import InternalError, OpcheckError
from opcheck.evidence.certificates.certificate import describe_claim
from opcheck.evidence.proofs.prove import Argument, Case, Squares
from opcheck.evidence.proofs.reader import Total
from opcheck.evidence.worst_case.claim import claim
from opcheck.model.proof import Proof
from opcheck.model.theorem import Theorem
from opcheck.rocq.development import Development, Part
from opcheck.rocq.expressions import At, NotExported, Real, number
from opcheck.rocq.lemma import Lemma
from opcheck.rocq.squares import squares_of

Pair = tuple[str, Sparse, Sparse, Fraction]  # an inequality, its points, its multiplier
HEAD = re.compile(
    r"^\(\* Written by opcheck for (\S+) at k = (\d+)\. .*?\n\(\* With (.*?)\. \*\)\n"
    r"\(\* Multipliers for (\S+) times the bound: (.*?)\. \*\)\n",
    re.DOTALL,
)


def export_certificate(document: Mapping[str, Any]) -> Development:
    """A certificate as a development of Rocq.

    Args:
        document: what its file holds.

    Raises Rejected where the certificate proves nothing, NotExported, with the part, where it has
    no form in Rocq here, InternalError where what was written is not what was certified.
    """
    recheck.check(dict(document))
    said = document["statement"]
    if "potential" in said:
        raise NotExported("a potential that lyapunov found has no form in Rocq here")
    if said["theorem"] not in registry.names("theorems"):
        raise NotExported(f"{said['theorem']} is not known here, and so not its words")
    theorem: Theorem = registry.get("theorems", said["theorem"])
    if said["A"] != theorem.A or theorem.claim not in recheck.CLAIMS:
        raise NotExported(f"{theorem.name} is about another A, or no bound from above")
    try:
        part = _Certified(_at_numbers(theorem, document), document)
        lines = [*_head(document), "Require Import Opcheck.", "", *part.lines()]
    except NotExported as reason:
        raise NotExported(f"{theorem.name} at k = {said['k']}: {reason}") from reason
    return Development(
        theorem.name, (f"{part.module}.{part.name}",), "\n".join(lines).rstrip() + "\n"
    )


def about(text: str) -> str:
    """What a development says of its certificate, in words; "" where it is none of one."""
    head = HEAD.match(text)
    if head is None:
        return ""
    _, k, numbers, ratio, _ = head.groups()
    times = "" if ratio == "1" else f"{ratio} times "
    return f"at k = {k} the measure is at most {times}the bound, with {numbers}"


def described(text: str) -> dict[str, Any] | None:
    """The certificate that a development says it was written from; None where it says none.

    The claim is made anew from the theorem that is known here; only the numbers are the text's.
    Raises OpcheckError for a theorem or numbers that there are not.
    """
    head = HEAD.match(text)
    if head is None:
        return None
    name, k, numbers, ratio, multipliers = head.groups()
    *pairs, _ = re.split(r",\s+", numbers)  # the last says what A is
    try:
        fixed = {n: _read(v) for n, v in (pair.split(" = ") for pair in pairs)}
        document = describe_claim(claim(registry.get("theorems", name), int(k), fixed=fixed))
        document["ratio"] = str(_read(ratio))
        names = [_inequality(prop) for prop in document["properties"]]
        document["multipliers"] = [
            {"property": names.index(prop), "pair": [p, q], "value": str(_read(value))}
            for prop, p, q, value in re.findall(
                r"(\w+ of \w) at (\S+), (\S+): (\S+?)(?:;|$)", " ".join(multipliers.split())
            )
        ]
    except (ValueError, ZeroDivisionError):
        raise OpcheckError(f"the numbers of the certificate of {name} can't be read") from None
    document["digest"] = recheck.digest(document)
    return document


def _read(text: str) -> Fraction:
    """A number of a file. Raises ValueError for what is no quotient of whole numbers."""
    if not re.fullmatch(r"-?\d+(/\d+)?", text):
        raise ValueError(text)
    return Fraction(text)


def _head(document: Mapping[str, Any]) -> list[str]:
    """What the file was written from, in its first lines."""
    said = document["statement"]
    used = [
        f"{_inequality(document['properties'][m['property']])} at {', '.join(m['pair'])}: "
        f"{m['value']}"
        for m in document["multipliers"]
    ]
    lines = [
        f"Written by opcheck for {said['theorem']} at k = {said['k']}. "
        "Compile Opcheck.v beside it first.",
        f"With {recheck.choice(dict(document))}.",
        f"Multipliers for {document['ratio']} times the bound: {'; '.join(used) or 'none'}.",
    ]
    wrapped = [textwrap.wrap(line, 94, break_long_words=False) for line in lines]
    return ["(* " + "\n   ".join(parts) + " *)" for parts in wrapped]


def _inequality(prop: Mapping[str, Any]) -> str:
    return f"{prop['kind']} of {prop['of']}"


def _at_numbers(theorem: Theorem, document: Mapping[str, Any]) -> Theorem:
    """The statement with the numbers of a certificate in place of constants and ranges."""
    said, own = document["statement"], document["properties"]
    given = [
        p if p.kind.better is None else replace(p, constant=Fraction(prop["constant"]))
        for p, prop in zip(theorem.asked, own, strict=False)
    ]
    numbers = {**said["constants"], **said["parameters"]}
    whole = {p.symbol for p in theorem.iteration.parameters if p.integer} - theorem.let.keys()
    fixed = replace(
        theorem,
        given=given,
        technical=(),
        where="",
        free=(),
        let={**{n: v for n, v in numbers.items() if n not in whole}, **theorem.let},
        proof=Proof(cases=({n: numbers[n] for n in numbers if n in whole},)),
    )
    fixed.__dict__["iteration"] = theorem.iteration  # also where that is no registered one
    return fixed


class _Certified(Part):
    """The statement at one k and at numbers."""

    def __init__(self, theorem: Theorem, document: Mapping[str, Any]) -> None:
        assert theorem.proof is not None
        (fixed,) = theorem.proof.cases
        super().__init__(theorem, fixed, [])
        said = document["statement"]
        self.document, self.at = document, At("", 1, int(said["k"]))
        self.name = self.words.of_theorem(f"{theorem.name}_at_{said['k']}")
        self.module = f"Of_{self.name}"
        self.case = Case(theorem, "end", fixed, self.at.add, self.at.add)

    def lines(self) -> list[str]:
        """The development."""
        left, right = self.sides(self.at)
        ratio = Fraction(self.document["ratio"])
        large = right if ratio == 1 else Real("*", (number(ratio), right))
        goal = self.write(left), self.write(large)
        lemma = _Lemma(self, goal)
        proof = lemma.lines("certified")
        terms = self.terms()
        lets = self.lets_of([left, right, *terms.values()])
        return [
            *self.premises(lets, terms),
            *self.equations(),
            "",
            *self.tactics(lets, terms),
            "",
            *proof,
            "",
            f"Theorem {self.name} :",
            f"  {goal[0]}",
            f"  <= {goal[1]}.",
            "Proof using All. exact certified. Qed.",
            f"End {self.module}.",
            f"End {self.module}.",
            f"Print Assumptions {self.module}.{self.name}.",
            "",
        ]


class _Lemma(Lemma):
    """The one inequality of a certificate."""

    closing = f"first [rational_sum | {Lemma.closing}]"  # the latter where a number is a root
    summed = "summands"

    def __init__(self, part: _Certified, goal: tuple[str, str]) -> None:
        theorem, case, at = part.theorem, part.case, part.at.add
        left, right = part.sides(part.at)
        self.document = part.document
        bound, measure = (case.reader.total(t.tree, at) for t in (theorem.right, theorem.left))
        rest = bound * case.reader.field.number(_exact(part.document["ratio"])) - measure
        self.pairs = self._pairs(case, theorem)
        used = []
        for i, (name, first, second, value) in enumerate(self.pairs):
            factor = case.reader.field.number(fmpq(value.numerator, value.denominator))
            rest = rest - case.reader.between(name, first, second) * factor
            used.append((str(i), str(value), factor))
        argument = Argument(
            "end", tuple(used), _squares(rest, case.reader.field), case.reader.field.number(0)
        )
        unfolded = [(left, theorem.left.tree, 0), (right, theorem.right.tree, 0)]
        super().__init__(part.setting, case, argument, lambda _: goal, unfolded)

    def inequality(self, source: str) -> tuple[str, str]:
        """What an inequality says is ≥ 0, and the proof of it."""
        name, first, second, _ = self.pairs[int(source)]
        return self.between(name, first, second)

    def _grouped(self, squares: list[str]) -> list[str]:
        """One summand, whose sign is one computation."""
        return ["(" + "\n      + ".join(squares) + ")"] if squares else []

    def _pairs(self, case: Case, theorem: Theorem) -> list[Pair]:
        """The inequalities of the certificate, at the points of the lemma."""
        document, asked = self.document, theorem.asked
        known = _named(case, document)
        graphs = recheck.graphs(dict(document))
        pairs = []
        for m in document["multipliers"]:
            if not (value := Fraction(m["value"])):
                continue
            prop = document["properties"][m["property"]]
            of = "F" if prop["of"] == "T" or (prop["of"] == "S" and theorem.A == "zero") else None
            points = [graphs[of or prop["of"]][name][0] for name in m["pair"]]
            first, second = (_sparse(case, known, point) for point in points)
            own = {"Monotone": "Resolvent", "Subdifferential": "Subgradient"}
            beyond = m["property"] >= len(asked)
            pairs.append((own[prop["kind"]] if beyond else prop["kind"], first, second, value))
        return pairs


def _named(case: Case, document: Mapping[str, Any]) -> dict[str, int]:
    """The vectors of a certificate among those of the lemma's run."""
    oracle = case.reader.steps.oracle
    known = {"z0": 0}
    if STAR in oracle.names:
        known[STAR] = list(oracle.names).index(STAR)
    for call in document["calls"]:
        if not {*call["before"]} <= known.keys():
            continue  # of a point that the lemma does not speak of
        before = {known[n]: _exact(v) for n, v in call["before"].items()}
        for of, _, value, start, gamma in oracle.calls:
            kind = "F" if of == "S" and case.theorem.A == "zero" else of
            size = gamma.constant() if isinstance(gamma, Ratio) else fmpq(gamma)
            same = {i: v.constant() for i, v in start} == before
            if kind == call["of"] and size == _exact(call["gamma"]) and same:
                known[call["name"]] = value[0][0]
    return known


def _sparse(case: Case, known: Mapping[str, int], vector: Mapping[str, Fraction]) -> Sparse:
    """A vector of the certificate over the basis of the lemma."""
    if not {*vector} <= known.keys():
        raise NotExported("an inequality is used at a point that the run here does not meet")
    entries = {known[n]: case.reader.field.number(_exact(str(v))) for n, v in vector.items()}
    return tuple(sorted(entries.items(), key=lambda entry: entry[0]))


def _squares(rest: Total, field: Field) -> Squares:
    """What is left as a sum of squares.

    Raises NotExported where it holds more than products of vectors, InternalError where it is no
    sum of squares although the checker says so.
    """
    if any(not isinstance(key, tuple) or c.symbols for key, c in rest.terms.items()):
        raise NotExported("its sides hold what is no rational multiple of a product of vectors")
    half = {(i, j): (c if i == j else c / 2).constant() for (i, j), c in rest.terms.items() if c}
    squares = squares_of(half | {(j, i): c for (i, j), c in half.items()})
    if squares is None:
        raise InternalError("what a certificate leaves is no sum of squares in Rocq")
    return tuple(
        (field.number(weight), {i: field.number(c) for i, c in row.items()})
        for weight, row in squares
    )


def _exact(value: str) -> fmpq:
    q = Fraction(value)
    return fmpq(q.numerator, q.denominator)
