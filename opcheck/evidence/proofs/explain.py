"""Why a proof is refused: what is left where it fails, term by term, and what would help.

What would help is looked for in floats, at that point alone: of every hypothesis at every pair of
points of the step, the one whose multiple brings what is left closest to a sum of squares. It is a
hint and no proof.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from flint import fmpq
from numpy.typing import NDArray

from opcheck.engine.ratio import Ratio
from opcheck.errors import OpcheckError, Undecided
from opcheck.evidence.proofs.reader import OF_A, Reader, Total
from opcheck.evidence.statement.positivity import Domain
from opcheck.model.measure import STANDING
from opcheck.model.property import Property, StronglyMonotone

Form = Mapping[tuple[int, int], Ratio]
POINTS = 12  # of the domain that are looked at
TERMS = 8  # of what is left that are printed
WEIGHTS = np.geomspace(1e-3, 1e3, 49)  # multiples of an inequality that are tried
NEGATIVE = 1e-9  # an eigenvalue below minus this part of the largest is no rounding


@dataclass(frozen=True)
class Failure:
    """A point of the domain at which what is left is negative.

    Attributes:
        at: values of the symbols.
        least: the smallest eigenvalue of what is left.
        matrix: what is left, over the basis vectors ``order``.
    """

    at: Mapping[str, fmpq]
    least: float
    matrix: NDArray[np.float64]
    order: Sequence[int]


def failure(form: Form, domain: Domain, names: set[str], indices: Sequence[str]) -> Failure | None:
    """The point, of some, at which a form is most negative; None where it is so at none."""
    order = sorted({i for i, _ in form})
    worst: Failure | None = None
    points = domain.points(names)
    # k is a whole number, and so is what it is made of
    whole = [p for p in points if all(p[n].q == 1 for n in indices if n in p)]
    for point in (whole or points)[:POINTS]:
        matrix = _matrix(form, order, domain, point)
        if matrix is None or not matrix.size:
            continue
        values = np.linalg.eigvalsh(matrix)
        if values[0] < -NEGATIVE * np.abs(values).max() and (
            worst is None or values[0] < worst.least
        ):
            worst = Failure(point, float(values[0]), matrix, order)
    return worst


def _matrix(
    form: Form, order: Sequence[int], domain: Domain, point: Mapping[str, fmpq]
) -> NDArray[np.float64] | None:
    """The form in floats at a point; None where it has no value there, or one beyond floats."""
    spots = {i: s for s, i in enumerate(order)}
    matrix = np.zeros((len(order), len(order)))
    for (i, j), c in form.items():
        value = domain.field.value(c, point)
        if value is None:
            return None
        try:
            matrix[spots[i], spots[j]] = int(value.p) / int(value.q)
        except OverflowError:
            return None
    return matrix


def in_words(failed: Failure, names: Sequence[str]) -> str:
    """What is left at the point, its largest terms first."""
    terms = []
    for a, b in itertools.combinations_with_replacement(range(len(failed.order)), 2):
        factor = failed.matrix[a, b] * (1 if a == b else 2)
        u, v = names[failed.order[a]], names[failed.order[b]]
        if factor:
            terms.append(
                (abs(factor), f"{factor:+.3g}·" + (f"‖{u}‖²" if a == b else f"⟨{u}, {v}⟩"))
            )
    terms.sort(reverse=True)
    more = f" and {len(terms) - TERMS} more" if len(terms) > TERMS else ""
    return " ".join(text for _, text in terms[:TERMS]) + more


def at_words(failed: Failure) -> str:
    """The point, as ``L = 2, gamma = 1/3``."""
    return ", ".join(f"{n} = {v}" for n, v in failed.at.items())


def open_sign(asked: Sequence[Property], failed: Failure) -> str:
    """The modulus of strong monotonicity that is negative at the point, as a hypothesis allows."""
    for property in asked:
        symbol = str(property.constant)
        if property.kind is StronglyMonotone and failed.at.get(symbol, fmpq(0)) < 0:
            return f"{property} allows {symbol} < 0; if 0 < {symbol} is meant, write it in where"
    return ""


def helper(reader: Reader, failed: Failure, domain: Domain, at: int) -> str:
    """The inequality that would help most at the point, in words; "" where none does."""
    best, gain, whole = "", 0.0, False
    for text in _candidates(reader):
        try:
            total = reader.known(text, at)
        except (OpcheckError, Undecided, TypeError, ZeroDivisionError):
            continue
        moved = _moved(failed, total, domain)
        if moved is None:
            continue
        value, weight = moved
        if value - failed.least > gain + 1e-9 * abs(failed.least):
            gain, whole = value - failed.least, value >= -1e-7 * np.abs(failed.matrix).max()
            best = f"{text} with the multiplier {weight:.3g}"
    if not best:
        return ""
    return f"{best} would {'mend it there' if whole else 'help most there'}"


def _moved(failed: Failure, total: Total, domain: Domain) -> tuple[float, float] | None:
    """The largest smallest eigenvalue by subtracting a multiple of an inequality, and which."""
    form: dict[tuple[int, int], Ratio] = {}
    for key, c in total.terms.items():
        if not isinstance(key, tuple):
            return None  # values of f, which have to cancel
        i, j = key
        form[i, j] = form[j, i] = c if i == j else c / 2
    order = sorted({*failed.order, *(i for i, _ in form)})
    other = _matrix(form, order, domain, failed.at)
    if other is None or not other.any():
        return None
    own = np.zeros_like(other)
    spots = [order.index(i) for i in failed.order]
    own[np.ix_(spots, spots)] = failed.matrix
    scale = np.abs(own).max() / np.abs(other).max()
    weights = WEIGHTS * scale
    least = np.linalg.eigvalsh(own - weights[:, None, None] * other)[:, 0]
    top = int(least.argmax())
    return float(least[top]), float(weights[top])


def _candidates(reader: Reader) -> Iterator[str]:
    points = list(_points(reader))
    for name, prop in reader.properties.items():
        if not prop.kind.of_values:
            yield from (f"{name}({p})" for p in points)
            if not prop.kind.star:
                yield from (f"{name}({p}, {q})" for p, q in itertools.combinations(points, 2))
    if reader.theorem.A != "zero":
        yield from (
            f"{OF_A[0]}({p}, {q})" for p, q in itertools.combinations(["solution", *points], 2)
        )


def _points(reader: Reader) -> Iterator[str]:
    """Rows that hold points, of this step and the next."""
    weights = reader.steps.weights[-1]
    for name, held in zip(reader.rows, weights, strict=True):
        if held == 1 and name != "anchor":
            yield name
            if name in STANDING:
                yield f"next({name})"
