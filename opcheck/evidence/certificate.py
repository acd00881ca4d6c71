"""Certificates: exact rational multipliers that prove a worst case, and the file that holds them.

A solver finds multipliers in floats. At a bound that is met with equality the slack matrix is
singular, so rounding breaks it; there the multipliers are moved onto the exact solutions of
"slack · kernel = 0" with the kernel snapped to rationals. Where that fails the bound is raised a
little and that is what is claimed. Nothing counts but the exact check of ``recheck``.
"""

from __future__ import annotations

import hashlib
import inspect
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from flint import fmpq, fmpq_mat

from opcheck import registry
from opcheck.engine.jit import fingerprint, visible
from opcheck.errors import OpcheckError
from opcheck.evidence import recheck
from opcheck.evidence.inequalities import Claim, claim
from opcheck.evidence.potential import restated
from opcheck.evidence.setting import Place, simplest
from opcheck.evidence.worst_case import ABOVE, Floats, Program, Solution, Unconverged
from opcheck.model.theorem import Theorem

Multipliers = dict[int, fmpq]
RAISED = (Fraction(1, 10**7), Fraction(1, 10**6), Fraction(1, 10**5), Fraction(1, 10**4))
FINE = (64, 2**12, 2**24)  # denominators of multipliers
CLOSE = 1e-4  # part of a bound by which its worst case may miss it and still count as tight
BEYOND = -1e-6  # with a largest margin below this the target is out of reach
WITHIN = (
    1e-13,
    1e-11,
    1e-9,
    1e-7,
    1e-5,
)  # a kernel's entry is the simplest rational within so much


class NotCertified(OpcheckError):
    """The inequalities do not give the bound, or no rational multipliers were found for it."""


@dataclass(frozen=True)
class Certificate:
    """A proof of measure ≤ ratio · bound at one k, for every operator in every dimension.

    Attributes:
        ratio: 1 where it is the theorem's own bound that is proved.
        tau: what is proved: measure ≤ tau R², or the ratio where the bound is no multiple of R².
        covers: the k that it is about.
        how: how the multipliers were found.
        document: everything needed to check it, as plain data.
    """

    theorem: str
    k: int
    ratio: Fraction
    tau: Fraction
    covers: str
    how: str
    document: Mapping[str, Any]

    @property
    def valid(self) -> bool:
        """Whether the exact check passes; run anew each time."""
        try:
            recheck.check(dict(self.document))
        except recheck.Rejected:
            return False
        return True

    def save(self, path: str | Path) -> Path:
        """Write the JSON file. Raises OpcheckError where that is not possible."""
        target = Path(path)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            text = json.dumps(self.document, indent=1, ensure_ascii=False)
            target.write_text(text + "\n", encoding="utf-8")
        except OSError as error:
            raise OpcheckError(f"{target} can't be written: {error.strerror}") from error
        return target


def certify(
    theorem: str | Theorem,
    k: int = 1,
    place: Place = "middle",
    ratio: Fraction | int | str = 1,
    **given: Any,
) -> Certificate:
    """A certificate of a theorem's bound at index k, or of the least above it that rounds.

    Args:
        place: of the parameters in their ranges: "low", "middle" or "high".
        ratio: of the theorem's bound that is to be proved, as 99/100.
        given: constants and parameters by name, as numbers or formulas.

    Raises NotCertified where the inequalities do not give the bound, OpcheckError where the
    statement has no worst case to compute.
    """
    entry: Theorem = registry.get("theorems", theorem) if isinstance(theorem, str) else theorem
    try:
        wanted = Fraction(ratio)
    except (ValueError, ZeroDivisionError):
        raise OpcheckError(f"ratio {ratio!r} is no rational number; write 99/100") from None
    reason = ""
    for convex in (False, True):
        stated = claim(entry, k, place, given, convex)
        program = Program(stated)
        last = convex or not stated.graphs["A"]
        value: float | None = None
        start: Solution | None = None
        try:
            start = program.smallest()
            value = start.theta
        except Unconverged:
            pass  # its word is not needed: the exact check decides
        except OpcheckError:
            if last:
                raise
            continue
        if value is not None and value > float(wanted) + ABOVE * max(1.0, float(wanted)):
            reason = (
                f"{entry.name} at {stated.covers} is not certified: the inequalities give "
                f"{value:.7g} times the bound" + (f", not {wanted}" if wanted != 1 else "")
            )
            if last:
                break
            continue
        found = at(program, wanted, start) or _above(program, value, wanted)
        if found is not None:
            return found
        reason = f"{entry.name} at {stated.covers} is not certified: no rational multipliers found"
        if last:
            break
    raise NotCertified(reason)


@dataclass(frozen=True)
class Attempt:
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
        document = self.certificate.document
        found = [f"{self.theorem}: {note}" for note in document["statement"]["notes"]]
        if any(p["kind"] == "Subdifferential" for p in document["properties"]):
            found.append(f"{self.theorem}: proved for A = ∂f with f convex, not for any monotone A")
        return tuple(found)

    def as_dict(self) -> dict[str, Any]:
        """Plain data, for JSON."""
        row: dict[str, Any] = {"theorem": self.theorem, "k": self.k, "result": self.kind}
        if self.certificate is None:
            return row | {"reason": self.reason}
        return row | {
            "ratio": str(self.certificate.ratio),
            "tau": str(self.certificate.tau),
            "covers": self.certificate.covers,
            "how": self.certificate.how,
            "notes": list(self.notes),
            "certificate": dict(self.certificate.document),
        }

    def save(self, folder: str | Path) -> Path:
        """Write the certificate into a folder, under the theorem's name and k."""
        assert self.certificate is not None
        return self.certificate.save(Path(folder) / f"{self.theorem}-k{self.k}.json")


def attempts(
    theorem: str, ks: Sequence[int], place: Place, ratio: str, given: Mapping[str, Any]
) -> list[Attempt]:
    """Certificates at each k, or why there is none; one that covers every k stands for all."""
    found: list[Attempt] = []
    for k in ks:
        if found and found[-1].certificate and found[-1].certificate.covers.startswith("every"):
            found.append(Attempt(theorem, k, found[-1].certificate))
            continue
        try:
            found.append(Attempt(theorem, k, certify(theorem, k, place, ratio, **given)))
        except NotCertified as failed:
            found.append(Attempt(theorem, k, None, str(failed)))
        except OpcheckError as refused:
            found.append(Attempt(theorem, k, None, str(refused), True))
    return found


def at(program: Program, wanted: Fraction, start: Solution | None = None) -> Certificate | None:
    """A certificate of measure ≤ wanted · bound; None where no rational multipliers are found.

    ``start``: the program's own smallest multiple, where it was solved for already.
    """
    target = fmpq(wanted.numerator, wanted.denominator)
    for how, multipliers in _attempts(program, target, start=start):
        if _proves(program.claim, target, multipliers):
            return _certificate(program.claim, target, multipliers, how)
    return None


def _above(program: Program, value: float | None, wanted: Fraction) -> Certificate | None:
    """At the smallest multiple of the bound above the value at which rounding succeeds."""
    least = float(wanted) if value is None else max(value, 1e-9)
    for step in RAISED:
        low = Fraction(least) * (1 + step)
        target = simplest(_exact(low), _exact(low * (1 + step)))
        for how, multipliers in _attempts(program, target, tight=False):
            if _proves(program.claim, target, multipliers):
                return _certificate(program.claim, target, multipliers, f"{how}, raised")
    return None


def _exact(value: Fraction) -> fmpq:
    return fmpq(value.numerator, value.denominator)


# ---- rounding ------------------------------------------------------------------------------------


def _attempts(
    program: Program, target: fmpq, tight: bool = True, start: Solution | None = None
) -> Iterator[tuple[str, Multipliers]]:
    """Rational multipliers that may prove the target, the simplest ways first."""
    theta = float(Fraction(int(target.p), int(target.q)))
    balanced = not len(program.balance)
    if start is not None and balanced and theta - start.theta < CLOSE * theta:
        chosen = np.flatnonzero(_active(start))
        for dimension in _kernels(start)[:1] if chosen.size else []:
            lam = np.zeros(len(start.lam))
            lam[chosen] = _polished(program, theta, start, chosen, dimension)[0]
            for denominator in FINE[:2]:
                yield "snapped", _snapped(lam * program.unit, denominator)
    central = program.margin(theta)
    if not np.isfinite(central.lam).all():
        return
    lowest = float(np.linalg.eigvalsh(central.slack)[0]) if program.n else 0.0
    if lowest < BEYOND:
        return
    if lowest > 1e-9 and balanced:
        for denominator in FINE:
            yield "interior", _snapped(central.lam * program.unit, denominator)
    light = program.lightest(theta, np.ones(len(central.lam)))
    sources = [s for s in (light, central) if np.isfinite(s.lam).all()]
    if balanced and tight:
        for denominator in FINE[:2]:
            for source in sources:
                yield "snapped", _snapped(_active(source) * program.unit, denominator)
    for source in sources:
        yield from _projections(program, target, source, 3 if tight else 1)
    few = np.flatnonzero(program.sparse(central))
    if tight and few.size:  # where too many will do, the solver is vague about each
        alone = program.margin(theta, few)
        if np.isfinite(alone.lam).all():
            if balanced:
                yield "snapped", _snapped(_active(alone) * program.unit, FINE[0])
            yield from _projections(program, target, alone, 3)


def _active(source: Solution) -> Floats:
    """The multipliers that are not 0: larger than their own dual variable."""
    top = max(float(source.lam.max(initial=0.0)), 1e-12)
    used = (source.lam > 1e-6 * top) & (source.lam > 1e-2 * np.maximum(source.weight, 0.0))
    return np.where(used, source.lam, 0.0)


def _snapped(lam: Floats, denominator: int) -> Multipliers:
    found = {int(i): _rational(lam[i], denominator) for i in np.flatnonzero(lam > 0)}
    return {i: value for i, value in found.items() if value > 0}


def _rational(value: float, denominator: int) -> fmpq:
    return _exact(Fraction(float(value)).limit_denominator(denominator))


def _kernels(source: Solution) -> list[int]:
    """Dimensions that the kernel of the slack matrix may have, the most likely first."""
    values = np.linalg.eigvalsh(source.slack)
    size = max(float(values[-1]), 1e-12) if len(values) else 1.0
    counts = [int((values < size * cut).sum()) for cut in (1e-5, 1e-6, 1e-4, 1e-7, 1e-3)]
    return list(dict.fromkeys(counts))


def _projections(
    program: Program, target: fmpq, source: Solution, guesses: int
) -> Iterator[tuple[str, Multipliers]]:
    """Multipliers close to the solver's for which slack · kernel = 0 holds exactly."""
    lam = _active(source)
    chosen = np.flatnonzero(lam)
    chosen = chosen[np.argsort(-lam[chosen], kind="stable")]  # large ones are solved for
    exact = [_matrix(program.claim, {int(i): fmpq(1)}) for i in chosen]
    constant = _constant(program.claim, target)
    signs = program.claim.balance()
    balance = [[fmpq(int(line[i])) for i in chosen] + [fmpq(0)] for line in signs]
    for dimension in _kernels(source)[:guesses] if chosen.size else []:
        theta = float(Fraction(int(target.p), int(target.q)))
        floats = None
        if dimension:
            floats = _with_identity(_polished(program, theta, source, chosen, dimension)[1])
            if floats is None:
                continue
        tried = set()
        for within in WITHIN if dimension else WITHIN[:1]:
            rows = list(balance)
            if floats is not None:
                kernel = _rationals(floats, within)
                if kernel is None or str(kernel) in tried:
                    continue
                tried.add(str(kernel))
                columns = [(m * kernel).entries() for m in exact]
                right = (constant * kernel).entries()
                rows += [[c[r] for c in columns] + [right[r]] for r in range(len(right))]
            for values in _solved(rows, [float(lam[i] * program.unit[i]) for i in chosen]):
                if all(v >= 0 for v in values):
                    moved = {int(i): v for i, v in zip(chosen, values, strict=True) if v > 0}
                    yield "projected" if dimension else "interior", moved


def _solved(rows: list[list[fmpq]], near: Sequence[float]) -> Iterator[list[fmpq]]:
    """Exact solutions of linear equations, the free unknowns rounded more and more finely."""
    count = len(near)
    reduced, rank = fmpq_mat(rows or [[fmpq(0)] * (count + 1)]).rref()
    pivots = [next(c for c in range(count + 1) if reduced[r, c] != 0) for r in range(rank)]
    if count in pivots:
        return
    free = [c for c in range(count) if c not in pivots]
    for denominator in FINE:
        values = [_rational(v, denominator) for v in near]
        for r, c in enumerate(pivots):
            rest = (reduced[r, j] * values[j] for j in free if j > c)
            values[c] = reduced[r, count] - sum(rest, fmpq(0))
        yield values


def _polished(
    program: Program, target: float, source: Solution, chosen: Any, dimension: int
) -> tuple[Floats, Floats]:
    """The chosen multipliers, and the kernel of the slack matrix, one vector a column, to rounding.

    The kernel is the range of the solver's Gram matrix P Pᵀ, good to 1e-6 or so. Newton's method on
    what optimality asks does the rest: slack · P = 0, and each inequality in use is an equality on
    P Pᵀ. Both are needed: with either alone the root is not isolated, or not simple. Where it does
    not converge, both are the solver's.
    """
    values, vectors = np.linalg.eigh(source.gram)
    P = vectors[:, -dimension:] * np.sqrt(np.maximum(values[-dimension:], 1e-12 * values[-1]))
    P /= max(float(np.linalg.norm(P)), 1e-300)
    used = np.array([program.matrix(program.forms[i]) for i in chosen])
    constant = program.matrix(target * program.bound - program.measure)
    equations = np.concatenate([used, constant[None]])
    lam, refined, count = source.lam[chosen].copy(), P.copy(), len(chosen)
    for _ in range(8):
        slack = constant - np.tensordot(lam, used, 1)
        images = equations @ refined
        flat = images.reshape(count + 1, -1)
        wrong = np.concatenate(
            [
                (slack @ refined).ravel(),
                flat @ refined.ravel(),
                [np.sum(refined**2) - 1],
            ]
        )
        jacobian = np.block(
            [
                [-flat[:count].T, np.kron(slack, np.eye(dimension))],
                [np.zeros((count + 1, count)), 2 * flat],
                [np.zeros((1, count)), 2 * refined.reshape(1, -1)],
            ]
        )
        off = float(np.abs(wrong).max())
        if off < 1e-14 or not off < 1e-2:
            break
        step = np.linalg.lstsq(jacobian, -wrong, rcond=1e-10)[0]
        lam = lam + step[:count]
        refined = refined + step[count:].reshape(refined.shape)
    if np.isfinite(refined).all() and np.abs(refined - P).max() < 1e-2:
        return lam, refined / program.stretch[:, None]
    return source.lam[chosen], P / program.stretch[:, None]


def _with_identity(P: Floats) -> Floats | None:
    """The same range with an identity block in it; None where P is short of rank."""
    rows: list[int] = []
    work = P.copy()
    for _ in range(P.shape[1]):  # rows of the identity block, by complete pivoting
        sizes = np.linalg.norm(work, axis=1)
        r = int(np.argmax(sizes))
        rows.append(r)
        direction = work[r] / max(float(sizes[r]), 1e-300)
        work -= np.outer(work @ direction, direction)
    try:
        return np.asarray(P @ np.linalg.inv(P[rows]))
    except np.linalg.LinAlgError:
        return None


def _rationals(matrix: Floats, within: float) -> Any:
    """The simplest rationals so close, or None where these are as long as those of any numbers."""
    width = Fraction(within)
    rows = [[Fraction(float(v)) for v in row] for row in matrix]
    found = [[simplest(_exact(v - width), _exact(v + width)) for v in row] for row in rows]
    longest = max((int(v.q) for row in found for v in row), default=1)
    return fmpq_mat(found) if longest < 0.2 / within**0.5 else None


# ---- exact ---------------------------------------------------------------------------------------


def _matrix(stated: Claim, multipliers: Multipliers) -> Any:
    """Σ λ_i C_i."""
    n = len(stated.basis)
    which = np.array(list(multipliers), dtype=np.int64)
    found = list(stated.differences(which))
    x = fmpq_mat([list(d) for _, d, _ in found])
    u = fmpq_mat([list(d) for _, _, d in found])
    total = fmpq_mat(n, n)
    weights = list(multipliers.values())
    for part, left, right in ((0, x, x), (1, x, u), (1, u, x), (2, u, u)):
        scaled = [
            [lam * form[part] * v for v in row]
            for lam, (form, _, _), row in zip(weights, found, right.tolist(), strict=True)
        ]
        total = total + left.transpose() * fmpq_mat(scaled)
    return total


def _constant(stated: Claim, target: fmpq) -> Any:
    """target · bound − measure."""
    n = len(stated.basis)
    total = fmpq_mat(n, n)
    for sign, products in ((target, stated.bound), (fmpq(-1), stated.measure)):
        for factor, u, v in stated.inner(products):
            left, right = fmpq_mat([u]), fmpq_mat([v])
            outer = left.transpose() * right
            total = total + (outer + outer.transpose()) * (sign * factor / 2)
    return total


def _proves(stated: Claim, target: fmpq, multipliers: Multipliers) -> bool:
    slack = _constant(stated, target)
    if multipliers:
        slack = slack - _matrix(stated, multipliers)
    return recheck.semidefinite([list(row) for row in slack.tolist()])


# ---- the file ------------------------------------------------------------------------------------


def _certificate(stated: Claim, target: fmpq, multipliers: Multipliers, how: str) -> Certificate:
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
    found = Certificate(
        theorem.name,
        stated.setting.k,
        ratio,
        ratio if scale is None else ratio * scale,
        stated.covers,
        how,
        document,
    )
    if not found.valid:
        raise OpcheckError(f"{theorem.name}: the checker rejects what was certified; report this")
    return found


def describe_claim(stated: Claim) -> dict[str, Any]:
    """What is claimed, as plain data: everything in a certificate but its proof."""
    chosen, basis = stated.setting, stated.basis
    theorem = chosen.theorem

    def combination(vector: Any) -> dict[str, str]:
        return {basis[i]: str(v) for i, v in enumerate(vector) if v != 0}

    def terms(products: Any) -> list[dict[str, Any]]:
        return [
            {"factor": str(c), "left": combination(u), "right": combination(v)}
            for c, u, v in stated.inner(products)
        ]

    return {
        "format": "opcheck certificate 1",
        "statement": {
            "theorem": theorem.name,
            "method": theorem.method_name,
            "measure": theorem.measure,
            "bound": theorem.bound,
            "k": chosen.k,
            "covers": stated.covers,
            "constants": {n: str(v) for n, v in chosen.constants.items()},
            "parameters": {n: str(v) for n, v in chosen.parameters.items()},
            "notes": list(chosen.notes),
            **stated.about,
        },
        "text": text_hash(theorem),
        "constrained": stated.constrained,
        "basis": list(basis),
        "calls": [
            {
                "name": name,
                "of": "F" if e.of == "S" and not stated.constrained else e.of,
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


def text_hash(theorem: Theorem) -> str:
    """Hash of the source of a theorem's method and of what that calls."""
    found = hashlib.sha256()
    for function in visible(theorem.method.kernel):
        try:
            found.update(inspect.getsource(function).encode())
        except (OSError, TypeError):  # generated: the code itself
            found.update(fingerprint(function).encode())
    return found.hexdigest()


def recheck_file(path: str | Path) -> tuple[str, str]:
    """What a file proves, and how its run was compared with the method's own text.

    Raises OpcheckError where it proves nothing, or the run is not the method's.
    """
    try:
        document = recheck.load(str(path))
        proved = recheck.check(document)
        said = document["statement"]
        stated = _restated(document)
        if stated is None:
            return proved, f"{said['theorem']} is not known here, so its run was not compared"
        theorem = stated.setting.theorem
        again = describe_claim(stated)
        again["statement"]["notes"] = said["notes"]
        for part in again.keys() - {"text"}:
            if json.loads(json.dumps(again[part])) != document[part]:
                raise NotCertified(
                    f"its {part} is not what {theorem.name} and {theorem.method_name} give here"
                )
        same = document["text"] == again["text"]
    except (*recheck.ERRORS, OpcheckError) as error:
        raise NotCertified(f"{path} is rejected: {_sentence(error)}") from error
    since = "" if same else ", which was edited since,"
    return proved, f"the run is what the text of {theorem.method_name}{since} gives"


def _restated(document: Mapping[str, Any]) -> Claim | None:
    """What a file claims, made anew; None for a theorem that is not known here."""
    said = document["statement"]
    if "potential" in said:
        return restated(document)
    if said["theorem"] not in registry.names("theorems"):
        return None
    kinds = [p["kind"] for p in document["properties"]]
    # numbers only: text from a file is never evaluated
    given = {n: Fraction(v) for n, v in {**said["constants"], **said["parameters"]}.items()}
    theorem: Theorem = registry.get("theorems", said["theorem"])
    return claim(theorem, int(said["k"]), given=given, convex="Subdifferential" in kinds)


def _sentence(error: Exception) -> str:
    return f"it has no {error}" if isinstance(error, KeyError) else str(error)
