"""From a solver's multipliers to rational ones that may prove a bound.

At a bound that is met with equality the slack matrix is singular, so rounding breaks it; there the
multipliers are short fractions, or are moved onto the exact solutions of "slack · kernel = 0" with
the kernel snapped to rationals. Nothing here is trusted: ``certificate`` checks what comes out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from flint import fmpq, fmpq_mat

from opcheck import recheck
from opcheck.evidence.certificates.newton import polished, precise, with_identity
from opcheck.evidence.statement.exact_parameters import simplest
from opcheck.evidence.worst_case.claim import Claim, combined, constant_of
from opcheck.evidence.worst_case.worst_case import Floats, Program, Solution

Multipliers = dict[int, fmpq]
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


def exact(value: Fraction) -> fmpq:
    """A Fraction as flint's rational."""
    return fmpq(value.numerator, value.denominator)


def attempts(
    program: Program, target: fmpq, tight: bool = True, start: Solution | None = None
) -> Iterator[tuple[str, Multipliers]]:
    """Rational multipliers that may prove the target, the simplest ways first."""
    theta = float(Fraction(int(target.p), int(target.q)))
    balanced = not len(program.balance)
    if start is not None and balanced and theta - start.theta < CLOSE * theta:
        active = np.flatnonzero(_active(start))
        for dimension in _kernels(start)[:1] if active.size else []:
            lam = np.zeros(len(start.lam))
            lam[active] = polished(program, theta, start, active, dimension)[0]
            for denominator in FINE[:2]:
                yield "snapped", _snapped(lam * program.unit, denominator)
        yield from _projections(program, target, start, 1)
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
    rounded = {int(i): _rational(lam[i], denominator) for i in np.flatnonzero(lam > 0)}
    return {i: value for i, value in rounded.items() if value > 0}


def _rational(value: float, denominator: int) -> fmpq:
    return exact(Fraction(float(value)).limit_denominator(denominator))


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
    active = np.flatnonzero(lam)
    active = active[np.argsort(-lam[active], kind="stable")]  # large ones are solved for
    forms = [combined(program.claim, {int(i): fmpq(1)}) for i in active]
    constant = constant_of(program.claim, target)
    signs = program.claim.balance()
    balance = [[fmpq(int(line[i])) for i in active] + [fmpq(0)] for line in signs]
    near = lam[active] * program.unit[active]
    for dimension in _kernels(source)[:guesses] if active.size else []:
        kernels: Iterator[Any] = iter([None])
        if dimension:
            theta = float(Fraction(int(target.p), int(target.q)))
            better, P = polished(program, theta, source, active, dimension)
            kernels = _rational_kernels(forms, constant, better * program.unit[active], P)
        for kernel in kernels:
            rows = list(balance)
            if kernel is not None:
                columns = [(m * kernel).entries() for m in forms]
                right = (constant * kernel).entries()
                rows += [[c[r] for c in columns] + [right[r]] for r in range(len(right))]
            for values in _solved(rows, near.tolist()):
                if all(v >= 0 for v in values):
                    moved = {int(i): v for i, v in zip(active, values, strict=True) if v > 0}
                    yield "projected" if dimension else "interior", moved


def _rational_kernels(forms: Sequence[Any], constant: Any, lam: Floats, P: Floats) -> Iterator[Any]:
    """Rational matrices that may be the kernel P: the float's own, then one in many bits."""
    echelon = with_identity(P)
    if echelon is None:
        return
    rows, floats = echelon
    tried = set()
    for within in WITHIN:
        kernel = _rationals(floats, within)
        if kernel is not None and str(kernel) not in tried:
            tried.add(str(kernel))
            yield kernel
    kernel = precise(forms, constant, lam, P, rows)
    if kernel is not None and str(kernel) not in tried:
        yield kernel


def _solved(rows: list[list[fmpq]], near: Sequence[float]) -> Iterator[list[fmpq]]:
    """Exact solutions of linear equations, the free unknowns rounded more and more finely."""
    count = len(near)
    reduced, rank = fmpq_mat(rows or [[fmpq(0)] * (count + 1)]).rref()
    pivots = [next(c for c in range(count + 1) if reduced[r, c] != 0) for r in range(rank)]
    if count in pivots:
        return
    free = [c for c in range(count) if c not in pivots]
    for denominator in FINE if free else FINE[:1]:
        values = [_rational(v, denominator) for v in near]
        for r, c in enumerate(pivots):
            rest = (reduced[r, j] * values[j] for j in free if j > c)
            values[c] = reduced[r, count] - sum(rest, fmpq(0))
        yield values


def _rationals(matrix: Floats, within: float) -> Any:
    """The simplest rationals so close, or None where these are as long as those of any numbers."""
    width = Fraction(within)
    rows = [[Fraction(float(v)) for v in row] for row in matrix]
    entries = [[simplest(exact(v - width), exact(v + width)) for v in row] for row in rows]
    longest = max((int(v.q) for row in entries for v in row), default=1)
    return fmpq_mat(entries) if longest < 0.2 / within**0.5 else None


def proves(stated: Claim, target: fmpq, multipliers: Multipliers) -> bool:
    """Whether target · bound − measure − Σ λ_i C_i is positive semidefinite, exactly."""
    slack = constant_of(stated, target)
    if multipliers:
        slack = slack - combined(stated, multipliers)
    return recheck.semidefinite([list(row) for row in slack.tolist()])
