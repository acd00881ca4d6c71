"""Check certificates without a solver: ``python recheck.py FILE...``; the standard library alone.

A certificate says: measure ≤ ratio · bound for every operator with the listed properties, in any
dimension. Its proof: ratio · bound − measure − Σ multiplier · inequality is a sum of squares.
Points are rebuilt from the calls (a resolvent's is what it was applied to minus γ times the value
returned; a call uses what earlier ones returned, or vectors no call returns: those are arbitrary),
inequalities from the properties' definitions, and L D Lᵀ is in rationals. That is ``check``. That
calls, measure and bound are those of the texts in the file is ``words``, which needs ``rerun.py``
beside this script; without it, or where it can't read a text, the output says "numbers only" and
the exit code is 1, unless ``--numbers-only`` was asked for.
"""

import hashlib
import importlib.util
import json
import os
import re
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
OPERATOR_A = {  # what A is -> in words
    "zero": "A = 0",
    "monotone": "A maximally monotone",
    "subdifferential": "A = ∂f with f convex",
}
CLAIMS = ("upper bound", "one-step")
FORMAT = "opcheck certificate 2"
RATIONAL = re.compile(r"-?[0-9]{1,4000}(/0*[1-9][0-9]{0,3999})?")
SIZE, DEPTH, VECTORS, LONGEST = 4_000_000, 12, 500, 20_000  # bytes, levels, basis, lists and texts

# ---- the file ------------------------------------------------------------------------------------

number, maybe = "number", "number or null"
_many, _words = {"*": number}, {"*": str}
_term = {"factor": number, "left": _many, "right": _many}
_property = {"kind": str, "constant": maybe, "of": str}
SHAPE: dict[str, Any] = {
    "format": str,
    "statement": {
        "theorem": str,
        "method": str,
        "claim": str,
        "first": int,
        "given": [{"kind": str, "constant": (str, None), "of": str}],
        "hypotheses": [str],
        "where": str,
        "let": _words,
        "measure": str,
        "bound": str,
        "k": int,
        "K": int,
        "covers": str,
        "constants": _many,
        "parameters": _many,
        "A": str,
        "potential?": {
            "vectors": [str],
            "matrix": [[number]],
            "steps": int,
            "above": (str, None),
            "rows": [str],
            "first": int,
            "shadow?": number,
            "away?": _many,
            "history?": int,
        },
    },
    "texts": {
        "kernel": [str],
        "rows": [str],
        "zero": [str],
        "parameters": [{"name": str, "integer": bool, "sequence": bool}],
        "measures": [
            {"measure": str, "written": [str], "rows": [str], "of_point": bool, "function": str}
        ],
        "functions": _words,
        "numbers": _many,
    },
    "constrained": bool,
    "basis": [str],
    "calls": [{"name": str, "of": str, "before": _many, "gamma": number}],
    "properties": [_property],
    "measure": [_term],
    "bound": [_term],
    "ratio": number,
    "multipliers": [{"property": int, "pair": [str], "value": number}],
    "digest": str,
}


class Rejected(ValueError):
    """The certificate proves nothing; the message says why."""


def shaped(value: Any, shape: Any, place: str = "it") -> None:
    """Raises Rejected where a field is missing, unknown, of another kind, or too large."""
    if isinstance(shape, dict) and isinstance(value, dict):
        every = shape.get("*")
        names = {n.removesuffix("?"): s for n, s in shape.items()}
        for name in value if every is None else ():
            if name not in names:
                raise Rejected(f"{place} has an unknown field {str(name)[:40]!r}")
        for name in shape if every is None else ():
            if name.removesuffix("?") not in value and not name.endswith("?"):
                raise Rejected(f"{place} has no {name!r}")
        for name, part in value.items():
            shaped(part, every or names[name], f"{place}, {str(name)[:40]}")
    elif isinstance(shape, list) and isinstance(value, list):
        for part in value:
            shaped(part, shape[0], place)
    elif value is None and (shape is maybe or isinstance(shape, tuple)):
        return
    elif shape is number or shape is maybe:
        if not isinstance(value, str) or not RATIONAL.fullmatch(value):
            raise Rejected(f"{place} holds {str(value)[:40]!r}, no fraction of at most 4000 digits")
    elif type(value) is not (shape[0] if isinstance(shape, tuple) else shape):
        raise Rejected(f"{place} is of another kind than the format says")
    if isinstance(value, list | dict | str) and len(value) > LONGEST:
        raise Rejected(f"{place} is longer than {LONGEST}")
    if type(value) is int and not 0 <= value <= LONGEST:
        raise Rejected(f"{place} is not between 0 and {LONGEST}")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    entries = dict(pairs)
    if len(entries) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(n for n in names if names.count(n) > 1)
        raise Rejected(f"it says {twice[:40]!r} twice")
    return entries


def _no_number(text: str) -> Any:
    raise Rejected(f"it holds the number {text[:40]}; numbers are texts such as '1/3'")


def _count(text: str) -> int:
    return int(text) if len(text) < 10 else _no_number(text)


def load(path: str) -> dict[str, Any]:
    """A certificate from its file. Raises OSError, or Rejected for what is no certificate."""
    if os.path.getsize(path) > SIZE:
        raise Rejected(f"it is larger than {SIZE} bytes")
    with open(path, "rb") as file:
        try:
            text = file.read(SIZE + 1).decode("utf-8")
        except UnicodeDecodeError:
            raise Rejected("it is no text in UTF-8") from None
    depth = 0
    for sign in re.findall(r'"(?:[^"\\]|\\.)*"|[\[\]{}]', text, re.DOTALL):
        depth += (sign in "[{") - (sign in "]}")
        if depth > DEPTH:
            raise Rejected(f"it is nested more than {DEPTH} deep")
    try:
        document: Any = json.loads(
            text,
            object_pairs_hook=_once,
            parse_constant=_no_number,
            parse_float=_no_number,
            parse_int=_count,
        )
    except (json.JSONDecodeError, RecursionError) as error:
        raise Rejected(f"it is no JSON: {error}") from None
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise Rejected(f"it is no certificate of this format, {FORMAT!r}")
    return document


def digest(document: dict[str, Any]) -> str:
    """Hash of everything but the digest itself."""
    text = json.dumps({n: v for n, v in document.items() if n != "digest"}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


# ---- the numbers ---------------------------------------------------------------------------------


def plus(u: dict[str, Any], v: dict[str, Any], factor: Fraction | int = 1) -> Vector:
    """u + factor v, of combinations of named vectors; numbers may be texts, as in the file."""
    total = u | {n: Fraction(u.get(n, 0)) + factor * Fraction(value) for n, value in v.items()}
    return {name: Fraction(value) for name, value in total.items() if value}


def graphs(document: dict[str, Any]) -> dict[str, dict[str, tuple[Vector, Vector]]]:
    """Operator -> name -> (point, value), rebuilt from the calls."""
    star: Vector = {"F*": Fraction(1)} if "F*" in document["basis"] else {}
    arbitrary = {*document["basis"]} - {call["name"] for call in document["calls"]}
    feels, known = dict.fromkeys(("z0", *arbitrary), 0), {of: {} for of in "FAS"}  # type: ignore
    for call in document["calls"]:
        name, of, before = call["name"], call["of"], plus(call["before"], {})
        new = name not in {*feels, "F*", STAR} and (of == "F" or document["constrained"])
        if not (new and before.keys() <= feels.keys() and of in known):
            raise Rejected(f"the call {name} is not one that the run can make")
        feels[name] = {"F": 1, "A": -1, "S": 0}[of]
        point = plus(before, {name: 1}, -Fraction(call["gamma"]))
        known[of][name] = (point, {name: Fraction(1)})
    for f, (x, u) in known["F"].items():
        sums = {f"{f}+{a}": (x, plus(u, v)) for a, (y, v) in known["A"].items() if x == y}
        rests = {f"{s}-{f}": (x, plus(v, u, -1)) for s, (y, v) in known["S"].items() if x == y}
        known["S"].update({n: p for n, p in sums.items() if "-" not in n})
        known["A"].update({n: p for n, p in rests.items() if "+" not in n})
    if document["constrained"] and not star:  # F may be shifted against A where nothing feels it
        terms = document["measure"] + document["bound"]
        felt = [plus(t[side], {}) for t in terms for side in ("left", "right")]
        felt += [point for graph in known.values() for point, _ in graph.values()]
        if any(sum(feels.get(n, 0) * value for n, value in v.items()) for v in felt):
            raise Rejected("F and A are felt apart, so F at the solution can't be taken as 0")
    for of, value in (("F", star), ("A", plus({}, star, -1)), ("S", {})):
        known[of][STAR] = ({}, value)
    return known


def check(document: dict[str, Any]) -> str:
    """What the numbers prove, in the statement's words. Raises Rejected where nothing is proved."""
    if document.get("digest") != digest(document):
        raise Rejected("it was changed after it was written: its digest does not fit")
    shaped(document, SHAPE)
    if len(document["basis"]) > VECTORS:
        raise Rejected(f"it has more than {VECTORS} vectors")
    claim = document["statement"]["claim"]
    if claim not in CLAIMS:
        raise Rejected(f"its claim is {claim[:20]!r}, and what it proves is a bound from above")
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
    for multiplier in document["multipliers"]:
        lam = Fraction(multiplier["value"])
        if lam < 0:
            raise Rejected("a multiplier is negative")
        if multiplier["property"] >= len(document["properties"]) or len(multiplier["pair"]) != 2:
            raise Rejected("a multiplier is of no inequality")
        prop = document["properties"][multiplier["property"]]
        (first, second), kind, of = multiplier["pair"], prop["kind"], prop["of"]
        graph = known.get("F" if of == "T" or (of == "S" and not document["constrained"]) else of)
        if graph is None or not {first, second} <= graph.keys():
            raise Rejected(f"nothing is known of {of[:20]} at {first[:20]} and {second[:20]}")
        (x, u), (y, v) = graph[first], graph[second]
        if kind == "Subdifferential":  # f(y) − f(x) − ⟨u, y − x⟩ ≥ 0; values of f must cancel
            balance[multiplier["property"], first] -= lam
            balance[multiplier["property"], second] += lam
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
    return sentence(document)


def semidefinite(S: list[list[Any]]) -> bool:
    """Whether a symmetric matrix of rationals is positive semidefinite, by L D Lᵀ; S is used up."""
    for k, pivot in enumerate(S):
        if pivot[k] < 0 or (pivot[k] == 0 and any(v != 0 for v in pivot[k:])):
            return False
        for row in [row for row in S[k + 1 :] if row[k] != 0]:
            f = row[k] / pivot[k]
            row[k:] = [a - f * b for a, b in zip(row[k:], pivot[k:], strict=True)]
    return True


def choice(document: dict[str, Any]) -> str:
    """The constants and parameters that it holds for, and what A is."""
    said = document["statement"]
    numbers = [f"{n} = {v}" for n, v in {**said["constants"], **said["parameters"]}.items()]
    return ", ".join([*numbers, OPERATOR_A.get(said["A"], "?")])


def sentence(document: dict[str, Any]) -> str:
    """The statement, for the one choice of constants and parameters that it is about."""
    said = document["statement"]
    return (
        f"{said['theorem']}, {said['covers']}, in every dimension, for "
        f"{', '.join(said['hypotheses'])} with {choice(document)}: measure ≤ {document['ratio']} "
        f"· bound (measure: {said['measure']}; bound: {said['bound']}"
        f"{''.join(f'; {name} = {text}' for name, text in said['let'].items())}"
        f"{_potential(said['potential']) if 'potential' in said else ''})"
    )


def _potential(named: dict[str, Any]) -> str:
    """What V is: the form of its vectors, each told from where it rests."""
    names = [f"{name} − z*" if name == "z" else str(name) for name in named["vectors"]]
    terms = []
    for i, line in enumerate(named["matrix"][: len(names)]):
        for j, value in enumerate(line[: i + 1]):
            if Fraction(value) and j < len(names):
                factor = Fraction(value) * (1 if i == j else 2)
                terms.append(f"({factor}) ⟨{names[j]}, {names[i]}⟩")
    rest = "; vectors told from where they rest" if len(names) > 1 or "shadow" in named else ""
    return f"; V = {' + '.join(terms) or '0'}{rest}"


def unchecked(document: dict[str, Any]) -> str:
    """The words of a file that nothing in it is checked against: names, and the whole range."""
    said = document["statement"]
    range_ = f", and the range {said['where']!r} beyond this choice" if said["where"] else ""
    return f"not checked: that {said['method']} and {said['theorem']} are so called{range_}"


# ---- the words -----------------------------------------------------------------------------------


def words(document: dict[str, Any], rerun: Any) -> str:
    """Compare the statement with the numbers. "" where it was; else why its texts can't be read.

    ``rerun``: the module of that name. Raises Rejected where the words say something else.
    """
    try:
        rerun.compare(document, semidefinite)
    except rerun.Unread as reason:
        return str(reason)
    except rerun.Differs as reason:
        raise Rejected(str(reason)) from None
    return ""


def _beside() -> Any:
    """``rerun.py`` beside this script, or None."""
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "rerun.py")
    spec = importlib.util.spec_from_file_location("rerun", path)
    if spec is None or spec.loader is None or not os.path.isfile(path):
        return None
    module = importlib.util.module_from_spec(spec)
    sys.modules["rerun"] = module  # where its dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def main(arguments: list[str]) -> int:
    """Check files one after the other.

    0 where numbers and words of each were checked, 1 where not, 2 where no file is named.
    """
    rerun, worst = _beside(), 0
    paths = [a for a in arguments if a != "--numbers-only"]
    if not paths:
        print("usage: recheck.py [--numbers-only] FILE...", file=sys.stderr)
        return 2
    for path in paths:
        try:
            document = load(path)
            proved = check(document)
            open_ = "there is no rerun.py beside" if rerun is None else words(document, rerun)
        except ERRORS as error:
            kind = "" if isinstance(error, Rejected) else f"{type(error).__name__}: "
            print(f"{path}: REJECTED: {kind}{error}", file=sys.stderr)
            worst = 1
            continue
        if open_:
            print(f"{path}: numbers only: the words were not checked ({open_}): {proved}")
            worst = worst if "--numbers-only" in arguments else 1
        else:
            print(f"{path}: proved: {proved}; {unchecked(document)}")
    return worst


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
