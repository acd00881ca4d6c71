"""Check certificates without a solver: ``python recheck.py FILE...``; the standard library alone.

A certificate says: measure ≤ ratio · bound for every operator with the listed properties, in every
dimension. Its proof: ratio · bound − measure − Σ multiplier · inequality is a sum of squares.
Points are rebuilt from the recorded calls (a resolvent's point is what it was applied to minus γ
times the value it returned; a call uses only what earlier ones returned), inequalities from the
properties' definitions at those points, and the difference is factored as L D Lᵀ in rationals.

Trusted is that the recorded calls, measure and bound are those of the method and the theorem that
are named: ``opcheck recheck`` also runs the method's own text again and compares.
"""

import hashlib
import json
import sys
from fractions import Fraction
from typing import Any

Vector = dict[str, Fraction]
STAR = "*"  # the solution: the origin, where F, A and S have the values F*, −F* and 0
HALF = Fraction(1, 2)
# (a, b, c) of a‖x − y‖² + 2b⟨x − y, u − v⟩ + c‖u − v‖² ≥ 0 for (x, u), (y, v) in the graph
FORMS: dict[str, Any] = {
    "Lipschitz": lambda c: (c * c, 0, -1),
    "Monotone": lambda c: (0, HALF, 0),
    "StronglyMonotone": lambda c: (-c, HALF, 0),
    **dict.fromkeys(("Comonotone", "Cocoercive", "WeakMinty"), lambda c: (0, HALF, -c)),
    **dict.fromkeys(("Nonexpansive", "QuasiNonexpansive"), lambda c: (1, 0, -1)),
    "ConicallyNonexpansive": lambda c: (2 * c - 1, 1 - c, -1),
}
ONLY_AT_THE_SOLUTION = {"WeakMinty", "QuasiNonexpansive"}


class Rejected(Exception):
    """The certificate proves nothing; the message says why."""


# what a file that is no certificate may also run into
ERRORS = (Rejected, OSError, LookupError, TypeError, ValueError, ArithmeticError, AttributeError)


def digest(document: dict[str, Any]) -> str:
    """Hash of everything but the digest itself."""
    rest = {name: value for name, value in document.items() if name != "digest"}
    return hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()


def plus(u: Vector, v: Vector, factor: Fraction | int = 1) -> Vector:
    """u + factor v."""
    total = {name: u.get(name, 0) + factor * v.get(name, 0) for name in (*u, *v)}
    return {name: Fraction(value) for name, value in total.items() if value}


def vector(entries: dict[str, str]) -> Vector:
    """A combination from the file."""
    return plus({name: Fraction(value) for name, value in entries.items()}, {})


def graphs(document: dict[str, Any]) -> dict[str, dict[str, tuple[Vector, Vector]]]:
    """Operator -> name -> (point, value), rebuilt from the calls."""
    star: Vector = {"F*": Fraction(1)} if "F*" in document["basis"] else {}
    known, found, feels = {"z0", *star}, {of: {} for of in "FAS"}, {}  # type: ignore[var-annotated]
    for call in document["calls"]:
        name, of, before = call["name"], call["of"], vector(call["before"])
        if not set(before) <= known or name in known or (of != "F" and not document["constrained"]):
            raise Rejected(f"the call {name} is not one that the run can make")
        known.add(name)
        feels[name] = {"F": 1, "A": -1, "S": 0}[of]
        value = {name: Fraction(1)}
        found[of][name] = (plus(before, value, -Fraction(call["gamma"])), value)
    for f, (x, u) in found["F"].items():
        sums = {f"{f}+{a}": (x, plus(u, v)) for a, (y, v) in found["A"].items() if x == y}
        rests = {f"{s}-{f}": (x, plus(v, u, -1)) for s, (y, v) in found["S"].items() if x == y}
        found["S"].update({n: p for n, p in sums.items() if "-" not in n})
        found["A"].update({n: p for n, p in rests.items() if "+" not in n})
    if document["constrained"] and not star:  # F may be shifted against A where no one feels it
        terms = [t for part in ("measure", "bound") for t in document[part]]
        felt = [vector(t[side]) for t in terms for side in ("left", "right")]
        for v in felt + [point for graph in found.values() for point, _ in graph.values()]:
            if sum(feels.get(name, 0) * value for name, value in v.items()):
                raise Rejected("F and A are felt apart, so F at the solution is not 0 at no loss")
    for of, value in (("F", star), ("A", plus({}, star, -1)), ("S", {})):
        found[of][STAR] = ({}, value)
    return found


def check(document: dict[str, Any]) -> str:
    """What is proved, in a sentence. Raises Rejected where nothing is."""
    if document.get("digest") != digest(document):
        raise Rejected("it was changed after it was written: its digest does not fit")
    known, ratio = graphs(document), Fraction(document["ratio"])
    S: dict[tuple[str, str], Fraction] = {}
    balance: dict[str, Fraction] = {}

    def add(factor: Fraction, u: Vector, v: Vector) -> None:
        for i, a in u.items():
            for j, b in v.items():
                for key in ((i, j), (j, i)):
                    S[key] = S.get(key, Fraction(0)) + factor * a * b / 2

    for sign, part in ((ratio, "bound"), (Fraction(-1), "measure")):
        for term in document[part]:
            add(sign * Fraction(term["factor"]), vector(term["left"]), vector(term["right"]))
    for one in document["multipliers"]:
        lam, (first, second) = Fraction(one["value"]), one["pair"]
        if lam < 0:
            raise Rejected("a multiplier is negative")
        prop = document["properties"][int(one["property"])]
        kind, of = prop["kind"], prop["of"]
        graph = known["F" if of == "T" or (of == "S" and not document["constrained"]) else of]
        (x, u), (y, v) = graph[first], graph[second]
        if kind == "Subdifferential":  # f(y) − f(x) − ⟨u, y − x⟩ ≥ 0; values of f must cancel
            balance[first] = balance.get(first, Fraction(0)) - lam
            balance[second] = balance.get(second, Fraction(0)) + lam
            add(lam, u, plus(y, x, -1))
            continue
        if kind not in FORMS or (kind in ONLY_AT_THE_SOLUTION and STAR not in (first, second)):
            raise Rejected(f"{kind} gives no inequality between {first} and {second}")
        a, b, c = FORMS[kind](Fraction(prop["constant"] or 0))
        if of == "T":  # T = I − F
            a, b, c = a + 2 * b + c, -b - c, c
        dx, du = plus(x, y, -1), plus(u, v, -1)
        for factor, left, right in ((a, dx, dx), (2 * b, dx, du), (c, du, du)):
            add(-lam * factor, left, right)
    if any(balance.values()):
        raise Rejected("the values of the convex function do not cancel")
    names = sorted({i for i, _ in S})
    if not semidefinite([[S.get((i, j), Fraction(0)) for j in names] for i in names]):
        raise Rejected("ratio · bound − measure − Σ multiplier · inequality is no sum of squares")
    said = document["statement"]
    return f"{said['theorem']}, {said['covers']}: measure ≤ {ratio} · bound"


def semidefinite(S: list[list[Any]]) -> bool:
    """Whether a symmetric matrix of rationals is positive semidefinite, by L D Lᵀ; S is used up."""
    for k, pivot in enumerate(S):
        if pivot[k] < 0 or (pivot[k] == 0 and any(v != 0 for v in pivot[k:])):
            return False
        for row in S[k + 1 :]:
            if row[k] != 0:
                factor = row[k] / pivot[k]
                row[k:] = [a - factor * b for a, b in zip(row[k:], pivot[k:], strict=True)]
    return True


def load(path: str) -> dict[str, Any]:
    """A certificate from its file."""
    with open(path, encoding="utf-8") as file:
        document = json.load(file)
    if not isinstance(document, dict) or document.get("format") != "opcheck certificate 1":
        raise Rejected("it is no certificate of this format")
    return document


def main(paths: list[str]) -> int:
    """Exit code 0 where every file proves what it says."""
    failed = not paths
    for path in paths:
        try:
            print(f"{path}: proved: {check(load(path))}")
        except ERRORS as error:
            print(f"{path}: REJECTED: {type(error).__name__}: {error}")
            failed = True
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
