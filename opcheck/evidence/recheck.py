"""Check certificates without a solver: ``python recheck.py FILE...``; the standard library alone.

A certificate says: measure ≤ ratio · bound for every operator with the listed properties, in any
dimension. Its proof: ratio · bound − measure − Σ multiplier · inequality is a sum of squares.
Points are rebuilt from the calls (a resolvent's is what it was applied to minus γ times the value
returned; a call uses what earlier ones returned, or vectors no call returns: those are arbitrary),
inequalities from the properties' definitions, and L D Lᵀ is in rationals. Trusted is that calls,
measure and bound are those of the method's and theorem's texts, which ``opcheck recheck`` reads.
"""

import hashlib
import json
import sys
from collections import defaultdict
from fractions import Fraction
from typing import Any

Vector = dict[str, Fraction]
STAR = "*"  # the solution: the origin, where F, A and S have the values F*, −F* and 0
# (a, b, c) of a‖x − y‖² + b⟨x − y, u − v⟩ + c‖u − v‖² ≥ 0 for (x, u), (y, v) in the graph
FORMS: dict[str, Any] = {
    "Lipschitz": lambda c: (c * c, 0, -1),
    "Monotone": lambda _: (0, 1, 0),
    "StronglyMonotone": lambda c: (-c, 1, 0),
    **dict.fromkeys(("Comonotone", "Cocoercive", "WeakMinty"), lambda c: (0, 1, -c)),
    **dict.fromkeys(("Nonexpansive", "QuasiNonexpansive"), lambda _: (1, 0, -1)),
    "ConicallyNonexpansive": lambda c: (2 * c - 1, 2 - 2 * c, -1),
}
ERRORS = (OSError, LookupError, TypeError, ValueError, ArithmeticError, AttributeError)
ONLY_AT_THE_SOLUTION = {"WeakMinty", "QuasiNonexpansive"}


class Rejected(ValueError):
    """The certificate proves nothing; the message says why."""


def digest(document: dict[str, Any]) -> str:
    """Hash of everything but the digest itself."""
    text = json.dumps({n: v for n, v in document.items() if n != "digest"}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def plus(u: dict[str, Any], v: dict[str, Any], factor: Fraction | int = 1) -> Vector:
    """u + factor v, of combinations of named vectors; numbers may be texts, as in the file."""
    total = u | {n: Fraction(u.get(n, 0)) + factor * Fraction(value) for n, value in v.items()}
    return {name: Fraction(value) for name, value in total.items() if value}


def graphs(document: dict[str, Any]) -> dict[str, dict[str, tuple[Vector, Vector]]]:
    """Operator -> name -> (point, value), rebuilt from the calls."""
    star: Vector = {"F*": Fraction(1)} if "F*" in document["basis"] else {}
    arbitrary = {*document["basis"]} - {call["name"] for call in document["calls"]}
    feels, found = dict.fromkeys(("z0", *arbitrary), 0), {of: {} for of in "FAS"}  # type: ignore
    for call in document["calls"]:
        name, of, before = call["name"], call["of"], plus(call["before"], {})
        new = name not in feels and (of == "F" or document["constrained"])
        if not (new and before.keys() <= feels.keys()):
            raise Rejected(f"the call {name} is not one that the run can make")
        feels[name] = {"F": 1, "A": -1, "S": 0}[of]
        point = plus(before, {name: 1}, -Fraction(call["gamma"]))
        found[of][name] = (point, {name: Fraction(1)})
    for f, (x, u) in found["F"].items():
        sums = {f"{f}+{a}": (x, plus(u, v)) for a, (y, v) in found["A"].items() if x == y}
        rests = {f"{s}-{f}": (x, plus(v, u, -1)) for s, (y, v) in found["S"].items() if x == y}
        found["S"].update({n: p for n, p in sums.items() if "-" not in n})
        found["A"].update({n: p for n, p in rests.items() if "+" not in n})
    if document["constrained"] and not star:  # F may be shifted against A where nothing feels it
        terms = document["measure"] + document["bound"]
        felt = [plus(t[side], {}) for t in terms for side in ("left", "right")]
        felt += [point for graph in found.values() for point, _ in graph.values()]
        if any(sum(feels.get(n, 0) * value for n, value in v.items()) for v in felt):
            raise Rejected("F and A are felt apart, so F at the solution can't be taken as 0")
    for of, value in (("F", star), ("A", plus({}, star, -1)), ("S", {})):
        found[of][STAR] = ({}, value)
    return found


def check(document: dict[str, Any]) -> str:
    """What is proved, in a sentence. Raises Rejected where nothing is."""
    if document.get("digest") != digest(document):
        raise Rejected("it was changed after it was written: its digest does not fit")
    known, ratio = graphs(document), Fraction(document["ratio"])
    S: dict[tuple[str, str], Fraction] = defaultdict(Fraction)
    balance: dict[tuple[Any, str], Fraction] = defaultdict(Fraction)

    def add(factor: Fraction, u: Vector, v: Vector) -> None:
        for i, a in u.items() if factor else ():
            for j, b in v.items():
                S[i, j] += (half := factor * a * b / 2)
                S[j, i] += half

    for sign, part in ((ratio, "bound"), (Fraction(-1), "measure")):
        for t in document[part]:
            add(sign * Fraction(t["factor"]), plus(t["left"], {}), plus(t["right"], {}))
    for one in document["multipliers"]:
        lam, (first, second) = Fraction(one["value"]), one["pair"]
        if lam < 0:
            raise Rejected("a multiplier is negative")
        prop = document["properties"][int(one["property"])]
        kind, of = prop["kind"], prop["of"]
        graph = known["F" if of == "T" or (of == "S" and not document["constrained"]) else of]
        (x, u), (y, v) = graph[first], graph[second]
        if kind == "Subdifferential":  # f(y) − f(x) − ⟨u, y − x⟩ ≥ 0; values of f must cancel
            balance[one["property"], first] -= lam
            balance[one["property"], second] += lam
            add(lam, u, plus(y, x, -1))
            continue
        if kind not in FORMS or (kind in ONLY_AT_THE_SOLUTION and STAR not in (first, second)):
            raise Rejected(f"{kind} gives no inequality between {first} and {second}")
        a, b, c = FORMS[kind](Fraction(prop["constant"] or 0))
        if of == "T":  # T = I − F
            a, b, c = a + b + c, -b - 2 * c, c
        dx, du = plus(x, y, -1), plus(u, v, -1)
        for factor, left, right in ((a, dx, dx), (b, dx, du), (c, du, du)):
            add(-lam * factor, left, right)
    if any(balance.values()):
        raise Rejected("the values of the convex function do not cancel")
    names = {i for i, _ in S}
    if not semidefinite([[S[i, j] for j in names] for i in names]):
        raise Rejected("ratio · bound − measure − Σ multiplier · inequality is no sum of squares")
    said = document["statement"]
    return f"{said['theorem']}, {said['covers']}: measure ≤ {ratio} · bound"


def semidefinite(S: list[list[Any]]) -> bool:
    """Whether a symmetric matrix of rationals is positive semidefinite, by L D Lᵀ; S is used up."""
    for k, pivot in enumerate(S):
        if pivot[k] < 0 or (pivot[k] == 0 and any(v != 0 for v in pivot[k:])):
            return False
        for row in [row for row in S[k + 1 :] if row[k] != 0]:
            f = row[k] / pivot[k]
            row[k:] = [a - f * b for a, b in zip(row[k:], pivot[k:], strict=True)]
    return True


def load(path: str) -> dict[str, Any]:
    """A certificate from its file."""
    with open(path, encoding="utf-8") as file:
        document: dict[str, Any] = json.load(file)
    if document.get("format") != "opcheck certificate 1":
        raise Rejected("it is no certificate of this format")
    return document


if __name__ == "__main__":
    for path in sys.argv[1:]:
        try:
            print(f"{path}: proved: {check(load(path))}")
        except ERRORS as error:
            sys.exit(f"{path}: REJECTED: {type(error).__name__}: {error}")
