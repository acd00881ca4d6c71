"""Certificates: exact rational multipliers that prove a worst case, and the file that holds them.

A solver finds multipliers in floats, ``rounding`` makes them rational. Where that fails the bound
is raised a little and that is what is claimed. Nothing counts but the exact check of ``recheck``.
The file carries the statement and the text of all that ran, so that ``rerun``, which shares no code
with the library, can derive calls, measure and bound from them.
"""

from __future__ import annotations

import contextlib
import inspect
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from flint import fmpq

from opcheck import recheck, registry, rerun
from opcheck.arguments import asked, integer
from opcheck.document import write
from opcheck.engine.jit import callees
from opcheck.engine.kernel_text import source
from opcheck.engine.run import Take, take
from opcheck.errors import OpcheckError
from opcheck.evidence.certificates import rounding
from opcheck.evidence.certificates.from_proof import declared
from opcheck.evidence.certificates.rounding import exact
from opcheck.evidence.statement.evaluation import plan
from opcheck.evidence.statement.exact_parameters import along, simplest
from opcheck.evidence.statement.places import Place
from opcheck.evidence.worst_case.block import restated
from opcheck.evidence.worst_case.claim import Claim, Coverage, claim
from opcheck.evidence.worst_case.worst_case import ABOVE, Program, Solution, Unconverged
from opcheck.kernels import identity, resolvent_of_sum
from opcheck.model.drawn import Drawn
from opcheck.model.result import Result
from opcheck.model.theorem import Theorem, theorem_of

BUILT_IN = (identity, resolvent_of_sum)  # what they do is known to whoever reads a text
RAISED = (Fraction(1, 10**7), Fraction(1, 10**6), Fraction(1, 10**5), Fraction(1, 10**4))


class NotCertified(OpcheckError):
    """The inequalities do not give the bound, or no rational multipliers were found for it."""


@dataclass(frozen=True)
class Certificate(Drawn, Result):
    """A proof of measure ≤ ratio · bound at one k, for every operator in every dimension.

    Attributes:
        ratio: 1 where it is the theorem's own bound that is proved.
        tau: what is proved: measure ≤ tau R², or the ratio where the bound is no multiple of R².
        covers: the k that it is about.
        how: how the multipliers were found.
        document: everything needed to check it, as plain data.
        notes: what was rounded.
    """

    theorem: str
    k: int
    ratio: Fraction
    tau: Fraction
    covers: Coverage
    how: str
    document: Mapping[str, Any]
    notes: tuple[str, ...] = ()
    picture: ClassVar[str] = "certificate"

    def __str__(self) -> str:
        """What is proved, and for which constants, parameters and A."""
        return recheck.sentence(dict(self.document))

    @property
    def choice(self) -> str:
        """The constants and parameters that it holds for, and what A is."""
        return recheck.choice(dict(self.document))

    @property
    def valid(self) -> bool:
        """Whether the exact check of numbers and of words passes; run anew each time."""
        try:
            recheck.check(dict(self.document))
            recheck.words(dict(self.document), rerun)
        except recheck.Rejected:
            return False
        return True

    def as_dict(self) -> dict[str, Any]:
        """Plain data, for JSON; ``certificate`` is what its file holds."""
        return {
            "theorem": self.theorem,
            "k": self.k,
            "ratio": str(self.ratio),
            "tau": str(self.tau),
            "covers": str(self.covers),
            "choice": self.choice,
            "how": self.how,
            "notes": list(self.notes),
            "certificate": dict(self.document),
        }

    def save(self, path: str | Path) -> Path:
        """Write the document, as recheck reads it. Raises OpcheckError where that fails."""
        return write(self.document, path)


@asked
def certify(
    theorem: str | Theorem,
    k: int = 1,
    *,
    place: Place = "middle",
    ratio: Fraction | int | str = 1,
    **fixed: Any,
) -> Certificate:
    """A certificate of a theorem's bound at index k, or of the least above it that rounds.

    It holds for one choice of constants and parameters; ``certify_over`` takes several.

    Args:
        place: of the parameters in their ranges: "low", "middle" or "high".
        ratio: of the theorem's bound that is to be proved, as 99/100.
        fixed: constants and parameters by name, as numbers or formulas.

    Raises NotCertified where the inequalities do not give the bound, OpcheckError where the
    statement has no worst case to compute.
    """
    entry = theorem_of(theorem)
    try:
        target = Fraction(ratio)
    except (ValueError, ZeroDivisionError):
        raise OpcheckError(f"ratio {ratio!r} is no rational number; write 99/100") from None
    stated = claim(entry, integer(k, "k"), place, fixed)
    if target == 1 and entry.proof is not None:
        multipliers = declared(stated)
        if multipliers is not None and rounding.proves(stated, fmpq(1), multipliers):
            return _certificate(stated, fmpq(1), multipliers, "declared")
    program = Program(stated)
    if stated.signed:
        return _signed(program, target)
    value: float | None = None
    above = ABOVE * max(1.0, float(target))
    start: Solution | None = None
    # where the solver stops early its word is not needed: the exact check decides
    with contextlib.suppress(Unconverged):
        start = program.smallest()
        value, above = start.theta, above + start.error
    if value is not None and value > float(target) + above:
        raise NotCertified(
            f"{entry.name} at {stated.covers} is not certified: the inequalities give "
            f"{value:.7g} times the bound" + (f", not {target}" if target != 1 else "")
        )
    certificate = at(program, target, start) or _above(program, value, target)
    if certificate is not None:
        return certificate
    raise NotCertified(
        f"{entry.name} at {stated.covers} is not certified: no rational multipliers found"
    )


def _signed(program: Program, target: Fraction) -> Certificate:
    """Of a bound that may be negative: at the bound itself, since its multiples say nothing."""
    stated = program.claim
    what = f"{stated.setting.theorem.name} at {stated.covers} is not certified"
    if target != 1:
        raise NotCertified(
            f"{what} at {target} times its bound: both sides may be negative, so that a "
            "multiple of it says nothing of it"
        )
    certificate = at(program, target)
    if certificate is None:
        raise NotCertified(f"{what}: no rational multipliers found")
    return certificate


@dataclass(frozen=True)
class Attempt(Result):
    """What came of trying to certify a theorem at one k."""

    theorem: str
    k: int
    certificate: Certificate | None = None
    reason: str = ""
    refused: bool = False

    @property
    def kind(self) -> str:
        """``certified``, ``not certified``, or ``refused``: there is no worst case to compute."""
        if self.certificate is not None:
            return "certified"
        return "refused" if self.refused else "not certified"

    @property
    def at_bound(self) -> bool:
        """Whether the theorem's own bound is proved."""
        return self.certificate is not None and self.certificate.ratio <= 1

    @property
    def cell(self) -> str:
        """In a few letters, for a table."""
        if self.certificate is None:
            return self.kind
        if self.at_bound:
            return self.certificate.how
        return f"≤ {float(self.certificate.ratio):.10g} × bound"

    @property
    def notes(self) -> tuple[str, ...]:
        """What was rounded or assumed for it."""
        if self.certificate is None:
            return ()
        notes = [f"{self.theorem}: {note}" for note in self.certificate.notes]
        if self.certificate.document["statement"]["A"] == "subdifferential":
            notes.append(f"{self.theorem}: proved for A = ∂f with f convex, not for any monotone A")
        return tuple(notes)

    @property
    def choice(self) -> str:
        """Constants, parameters and A of the certificate; "" where there is none."""
        return "" if self.certificate is None else self.certificate.choice

    def as_dict(self) -> dict[str, Any]:
        """Plain data, for JSON."""
        row: dict[str, Any] = {"theorem": self.theorem, "k": self.k, "result": self.kind}
        if self.certificate is None:
            return row | {"reason": self.reason}
        own = {"k": self.k, "notes": list(self.notes)}
        return row | self.certificate.as_dict() | own

    def write_certificate(self, folder: str | Path) -> Path:
        """Write the certificate into a folder, under the theorem's name and k."""
        assert self.certificate is not None
        return self.certificate.save(Path(folder) / f"{self.theorem}-k{self.k}.json")


def attempts(
    theorem: str | Theorem,
    ks: Sequence[int],
    fixed: Mapping[str, Any] = {},
    *,
    place: Place = "middle",
    ratio: str = "1",
) -> list[Attempt]:
    """Certificates at each k, or why there is none; one that covers every k stands for all."""
    entry = theorem_of(theorem)
    tries: list[Attempt] = []
    for k in ks:
        if tries and tries[-1].certificate and tries[-1].certificate.covers.every:
            tries.append(Attempt(entry.name, k, tries[-1].certificate))
            continue
        tries.append(_attempt(entry, k, place, ratio, fixed))
    return tries


@dataclass(frozen=True)
class Point(Result):
    """One admissible value of a parameter, where it lies in its range, and what came of it."""

    parameter: str
    value: Fraction
    place: str
    attempt: Attempt

    @property
    def kind(self) -> str:
        """As of the attempt."""
        return self.attempt.kind

    @property
    def certificate(self) -> Certificate | None:
        """What is certified there, if anything."""
        return self.attempt.certificate

    def as_dict(self) -> dict[str, Any]:
        """Plain data, for JSON."""
        at = {"parameter": self.parameter, "value": str(self.value), "place": self.place}
        return {**at, **self.attempt.as_dict()}

    def write_certificate(self, folder: str | Path) -> Path:
        """Write the certificate into a folder, under the theorem's name, k and the value."""
        assert self.certificate is not None
        value = str(self.value).replace("/", "_")
        stem = f"{self.attempt.theorem}-k{self.attempt.k}-{self.parameter}-{value}"
        return self.certificate.save(Path(folder) / f"{stem}.json")


def certify_over(
    theorem: str | Theorem,
    parameter: str,
    k: int = 1,
    *,
    ratio: Fraction | int | str = 1,
    **fixed: Any,
) -> tuple[Point, ...]:
    """Attempts at five admissible values of one parameter: both ends, the quarters, the middle.

    An end that is closed and rational is taken exactly, any other is approached. The values between
    are not covered by that: ``prove`` is about all.

    Args:
        parameter: a symbol that ``where`` gives a range.
        fixed: constants and other parameters; what is not given stands in the middle of its range.

    Raises OpcheckError for a parameter without a range, and as ``certify`` does for bad input.
    """
    entry = theorem_of(theorem)
    horizon = k + 1 if plan(entry).in_steps else k
    return tuple(
        Point(
            parameter,
            value,
            place,
            _attempt(entry, k, "middle", ratio, {**fixed, parameter: value}),
        )
        for place, value in along(entry, parameter, k, horizon, fixed)
    )


def _attempt(
    theorem: Theorem, k: int, place: Place, ratio: Fraction | int | str, fixed: Mapping[str, Any]
) -> Attempt:
    try:
        certificate = certify(theorem, k, place=place, ratio=ratio, **fixed)
        return Attempt(theorem.name, k, certificate)
    except NotCertified as failed:
        return Attempt(theorem.name, k, reason=str(failed))
    except OpcheckError as refused:
        return Attempt(theorem.name, k, reason=str(refused), refused=True)


def at(program: Program, ratio: Fraction, start: Solution | None = None) -> Certificate | None:
    """A certificate of measure ≤ wanted · bound; None where no rational multipliers are found.

    ``start``: the program's own smallest multiple, where it was solved for already.
    """
    target = fmpq(ratio.numerator, ratio.denominator)
    for how, multipliers in rounding.attempts(program, target, start=start):
        if rounding.proves(program.claim, target, multipliers):
            return _certificate(program.claim, target, multipliers, how)
    return None


def _above(program: Program, value: float | None, ratio: Fraction) -> Certificate | None:
    """At the smallest multiple of the bound above the value at which rounding succeeds."""
    least = float(ratio) if value is None else max(value, 1e-9)
    for step in RAISED:
        low = Fraction(least) * (1 + step)
        target = simplest(exact(low), exact(low * (1 + step)))
        for how, multipliers in rounding.attempts(program, target, tight=False):
            if rounding.proves(program.claim, target, multipliers):
                return _certificate(program.claim, target, multipliers, f"{how}, raised")
    return None


# ---- the file ------------------------------------------------------------------------------------


def _certificate(
    stated: Claim, target: fmpq, multipliers: rounding.Multipliers, how: str
) -> Certificate:
    document = describe_claim(stated)
    document["ratio"] = str(target)
    document["multipliers"] = [
        {
            "property": stated.inequalities[i].property,
            "pair": list(stated.inequalities[i].pair),
            "value": str(value),
        }
        for i, value in sorted(multipliers.items())
    ]
    document["digest"] = recheck.digest(document)
    ratio = Fraction(int(target.p), int(target.q))
    scale = stated.scale
    theorem = stated.setting.theorem
    try:
        recheck.check(document)
        unread = recheck.words(document, rerun)
    except recheck.Rejected as reason:
        raise OpcheckError(
            f"{theorem.name}: the checker, which reads its texts on its own, rejects what was "
            f"certified: {reason}"
        ) from reason
    return Certificate(
        theorem=theorem.name,
        k=stated.setting.k,
        ratio=ratio,
        tau=ratio if scale is None else ratio * scale,
        covers=stated.covers,
        how=how,
        document=document,
        notes=(
            *stated.setting.notes,
            *([f"its words can't be checked from the file alone: {unread}"] if unread else []),
        ),
    )


def describe_claim(stated: Claim) -> dict[str, Any]:
    """What is claimed, as plain data: everything in a certificate but its proof."""
    basis, theorem = stated.basis, stated.setting.theorem

    def combination(vector: Any) -> dict[str, str]:
        return {basis[i]: str(v) for i, v in enumerate(vector) if v != 0}

    def terms(products: Any) -> list[dict[str, Any]]:
        return [
            {"factor": str(c), "left": combination(u), "right": combination(v)}
            for c, u, v in stated.inner(products)
        ]

    return {
        "format": recheck.FORMAT,
        "statement": _statement(stated),
        "texts": texts(theorem, "potential" in stated.about),
        "constrained": stated.A != "zero",
        "basis": list(basis),
        "calls": [
            {
                "name": name,
                "of": "F" if e.of == "S" and stated.A == "zero" else e.of,
                "before": combination(e.before),
                "gamma": str(e.gamma),
            }
            for name, e in stated.trace.calls
        ],
        "properties": [
            {
                "kind": p.kind.name,
                "constant": None if p.constant is None else str(p.constant),
                "of": p.of,
            }
            for p in stated.properties
        ],
        "measure": terms(stated.measure),
        "bound": terms(stated.bound),
    }


def _statement(stated: Claim) -> dict[str, Any]:
    """The statement in its own words, and the numbers at which it is claimed."""
    instance, theorem = stated.setting, stated.setting.theorem
    return {
        "theorem": theorem.name,
        "method": theorem.method,
        "claim": theorem.claim,
        "first": max(theorem.first, 0),
        "given": [
            {
                "kind": p.kind.name,
                "constant": None if p.kind.better is None else str(p.constant),
                "of": p.of,
            }
            for p in theorem.asked
        ],
        "hypotheses": [str(p) for p in theorem.asked],
        "where": theorem.where,
        "let": dict(theorem.let),
        "measure": theorem.measure,
        "bound": theorem.bound,
        "k": instance.k,
        "K": stated.horizon,
        "covers": str(stated.covers),
        "constants": {n: str(v) for n, v in instance.constants.items()},
        "parameters": {n: str(v) for n, v in instance.parameters.items()},
        "A": stated.A,
        **stated.about,
    }


def texts(theorem: Theorem, potential: bool = False) -> dict[str, Any]:
    """What runs: the source of the method's kernel, of its measures' kernels and of what they call.

    A text that can't be had, as of a generated function, is left out: then the file's words can't
    be checked from the file alone. ``potential``: the measure is a form in V, and not a text.
    """
    method = theorem.iteration
    kernels = _chain(theorem.method)
    takes = [] if potential else list(_takes(theorem))
    carried, numbers = _carried([*kernels, *(t.measure.kernel for _, _, t in takes)])
    return {
        "kernel": [f.__name__ for f in kernels],
        "rows": list(method.rows),
        "zero": sorted(method.zero),
        "parameters": [
            {"name": p.name, "integer": p.integer, "sequence": p.sequence}
            for p in method.parameters
        ],
        "measures": [
            {
                "measure": name,
                "written": list(written),
                "rows": list(t.rows),
                "of_point": t.measure.of_point,
                "function": t.measure.kernel.__name__,
            }
            for name, written, t in takes
        ],
        "functions": carried,
        "numbers": numbers,
    }


def _takes(theorem: Theorem) -> Iterator[tuple[str, tuple[str, ...], Take]]:
    """(measure, rows as written, take) of each that the statement records, in order."""
    recorded = {**theorem.left.recorded, **theorem.right.recorded}
    for key in plan(theorem).takes:
        name, written = recorded[key]
        yield name, tuple(written), take(name, written)


def _chain(method: str) -> list[Any]:
    """The kernels of a method's name, the outermost first."""
    outer, bracket, rest = method.partition("(")
    kernel = registry.get("methods", outer.strip()).kernel
    return [kernel, *(_chain(rest[:-1]) if bracket else [])]


def _carried(functions: Sequence[Any]) -> tuple[dict[str, str], dict[str, str]]:
    """Sources by the name they are called by, and the numbers they name."""
    sources: dict[str, str] = {}
    numbers: dict[str, str] = {}
    waiting = [(f.__name__, f) for f in functions]
    while waiting:
        name, function = waiting.pop(0)
        if function in BUILT_IN:
            continue
        function = getattr(function, "compiled", function)
        text = source(function)
        if name in sources:
            if sources[name] != text:  # two of one name: neither can be told from the other
                sources[name] = ""
            continue
        sources[name] = text
        for inner, value in callees(function):
            if isinstance(value, int | float) and not isinstance(value, bool):
                number = str(Fraction(value)) if np.isfinite(value) else ""
                if number and numbers.setdefault(inner, number) != number:
                    sources[name] = ""
            elif inspect.isfunction(value):
                waiting.append((inner, value))
    return {n: s for n, s in sources.items() if s}, numbers


def read_certificate(path: str | Path) -> Certificate:
    """The certificate of a file, its numbers checked.

    Raises NotCertified for a file that proves nothing, OpcheckError for one that can't be read.
    """
    try:
        document = recheck.load(str(path))
        recheck.check(document)
    except OSError as error:
        raise OpcheckError(f"{path} can't be read: {error.strerror}") from error
    except recheck.ERRORS as error:
        raise NotCertified(f"{path} is rejected: {error}") from error
    said, ratio = document["statement"], Fraction(document["ratio"])
    of_start = [{"z0": "1"}, {"z0": "1"}]
    squares = [t["factor"] for t in document["bound"] if [t["left"], t["right"]] == of_start]
    alone = len(squares) == len(document["bound"]) == 1
    return Certificate(
        theorem=said["theorem"],
        k=said["k"],
        ratio=ratio,
        tau=ratio * Fraction(squares[0]) if alone else ratio,
        covers=Coverage(None if said["covers"].startswith("every") else said["k"], said["covers"]),
        how=f"read from {Path(path).name}",
        document=document,
    )


@dataclass(frozen=True)
class Rechecked(Result):
    """What a file proves.

    Attributes:
        proved: the statement, with its constants, parameters and what A is.
        run: how calls, measure and bound were compared with the texts known here.
        numbers_only: they were not, so that it is not known whether the words fit the numbers.
    """

    proved: str
    run: str
    numbers_only: bool = False

    def __str__(self) -> str:
        """In a sentence."""
        return (
            f"numbers only: {self.run}: {self.proved}"
            if self.numbers_only
            else f"proved: {self.proved}; {self.run}"
        )

    def as_dict(self) -> dict[str, Any]:
        """Plain data, for JSON."""
        checked = "numbers only" if self.numbers_only else "words and numbers"
        return {"proved": self.proved, "run": self.run, "checked": checked}


def recheck_file(path: str | Path) -> Rechecked:
    """What a certificate's file proves, its run compared with the texts known here.

    Raises NotCertified where it proves nothing, or the run is not the method's; OpcheckError for a
    file that can't be read.
    """
    try:
        document = recheck.load(str(path))
        proved = recheck.check(document)
        unread = recheck.words(document, rerun)
        unknown = _unknown(document)
        if unknown:
            alone = unread or "what the file itself carries as their texts gives these numbers"
            return Rechecked(proved, f"{unknown} ({alone})", True)
        again = json.loads(json.dumps(describe_claim(_restated(document))))
        theorem, method = again["statement"]["theorem"], again["statement"]["method"]
        for part in again.keys() - {"texts"}:
            if again[part] != document[part]:
                raise NotCertified(f"its {part} is not what {theorem} and {method} give here")
        since = "" if document["texts"] == again["texts"] else ", which was edited since,"
    except OSError as error:
        raise OpcheckError(f"{path} can't be read: {error.strerror}") from error
    except (*recheck.ERRORS, OpcheckError) as error:
        raise NotCertified(f"{path} is rejected: {error}") from error
    return Rechecked(proved, f"the run is what the text of {method}{since} gives")


def _unknown(document: Mapping[str, Any]) -> str:
    """That its theorem, or its method, is not known here, and what to do; "" where it is."""
    said = document["statement"]
    name, kind = said["theorem"], "theorems"
    if "potential" in said:
        name, kind = said["method"].partition("(")[0].strip(), "methods"
    if name in registry.names(kind):
        return ""
    return f"{name} is not known here; give its file with --plugin FILE"


def _restated(document: Mapping[str, Any]) -> Claim:
    """What a file claims, made anew."""
    said = document["statement"]
    if "potential" in said:
        return restated(document)
    # numbers only: text from a file is never evaluated by the library
    fixed = {n: Fraction(v) for n, v in {**said["constants"], **said["parameters"]}.items()}
    theorem: Theorem = registry.get("theorems", said["theorem"])
    return claim(theorem, said["k"], fixed=fixed)
