"""Whether a resolvent is one: J_γ of one maximally monotone A, at many scales and several γ."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from opcheck.engine.trial import Text, text_of_resolvent
from opcheck.errors import OpcheckError
from opcheck.model.operator import Resolvent, Vector

Floats = NDArray[np.float64]
GAMMAS = (1.0, 0.25, 4.0)
POINTS = 16  # at scales from 1e-3 to 1e3 about each centre
NEAR = (1e-1, 1e-3, 1e-6)  # relative distances of close pairs
ROUNDING = 2.0**-36  # relative; what a text that only floats can read is taken to round
UNITS = 2.0**-44  # the same in units of the largest point looked at, since a set may be as far out
INWARD = 1e-6  # relative; how far inside of the set rounding may put a point outside


def guard_resolvent(resolvent: Resolvent, centres: Floats) -> None:
    """Take a resolvent of points at many scales about some centres, interpreted.

    Args:
        centres: shape (m, d).

    Raises OpcheckError, naming the resolvent and a point, if its text fails (raises, writes past an
    end, returns instead of writing, leaves entries unset, changes its input, is not deterministic,
    reads z after it has written to out, which may be z), if it is not firmly nonexpansive, if its
    values for several γ are not those of one A, or if it is not the projection onto the set, or the
    proximal map of the values, that it declares.
    """
    text = text_of_resolvent(resolvent)
    text.signature()
    z = _points(centres)
    values = {gamma: _taken(text, z, gamma) for gamma in GAMMAS}
    for gamma, J in values.items():
        _firmly_nonexpansive(text, z, J, gamma)
    if resolvent.contains is not None:
        _a_projection(resolvent, text, z, values)
    else:
        _of_one_operator(text, z, values)
    if resolvent.value is not None:
        _a_proximal_map(resolvent, text, z, values[1.0])
    if resolvent.ends is not None:
        low, high = resolvent.ends
        _same(text, z, values[1.0], np.clip(z, low, high), "its ends say that it is the box with")


def _points(centres: Floats) -> Floats:
    generator = np.random.default_rng(0)
    d = centres.shape[1]
    rows = []
    for centre in centres:
        scale = 10.0 ** np.linspace(-3, 3, POINTS)[:, None]
        away = centre + scale * generator.standard_normal((POINTS, d))
        near = [away + share * scale * generator.standard_normal((POINTS, d)) for share in NEAR]
        rows += [centre[None], away, near[generator.integers(len(near))]]
        rows += [n[generator.integers(POINTS, size=3)] for n in near]
    return np.concatenate(rows)


def _taken(text: Text, z: Floats, gamma: float) -> Floats:
    """J of each point; of the first ones with all that its text may do wrong."""
    out = np.empty_like(z)
    for i, point in enumerate(z):
        out[i] = text.settled(point, gamma) if i < 6 else text.call(point, gamma)
        if not np.isfinite(out[i]).all():
            raise OpcheckError(f"{text.subject} returns {out[i].tolist()} at {point.tolist()}")
        if i % 7 == 0:
            own = point.copy()
            text.kernel(own, gamma, own, text.data.copy())
            if not np.array_equal(own, out[i]):
                raise OpcheckError(
                    f"{text.subject} gives another value where out is z, which methods do: it "
                    "reads z[j] after it has written out[j]; keep what it needs in a variable"
                )
    return out


def _room(z: Floats, J: Floats) -> Floats:
    """What rounding may have moved each value by, shape (m,)."""
    size = np.linalg.norm(z, axis=1) + np.linalg.norm(J, axis=1)
    return np.asarray(ROUNDING * size + UNITS * np.max(size, initial=0.0))


def _firmly_nonexpansive(text: Text, z: Floats, J: Floats, gamma: float) -> None:
    room = _room(z, J)
    for i in range(len(z)):
        dz, dJ = z[i] - z[:i], J[i] - J[:i]
        short = np.einsum("ij,ij->i", dJ, dJ) - np.einsum("ij,ij->i", dJ, dz)
        lengths = np.linalg.norm(dz, axis=1) + 2 * np.linalg.norm(dJ, axis=1)
        lost = room[i] + room[:i]
        wrong = short > lost * lengths + lost**2
        if wrong.any():
            j = int(np.argmax(np.where(wrong, short / lengths**2, -np.inf)))
            raise OpcheckError(
                f"{text.subject} is not one of a monotone A: it is not firmly nonexpansive, since "
                f"J({_shown(z[i])}) = {_shown(J[i])} and J({_shown(z[j])}) = {_shown(J[j])} have "
                f"‖ΔJ‖² − ⟨ΔJ, Δz⟩ = {short[j]:.6g} > 0 (gamma = {gamma:g})"
            )


def _a_projection(resolvent: Resolvent, text: Text, z: Floats, values: dict[float, Floats]) -> None:
    assert resolvent.contains is not None
    J = values[1.0]
    for gamma, other in values.items():
        what = f"it depends on gamma, and is that of a set; gamma = {gamma:g} gives"
        _same(text, z, J, other, what)
    again = np.array([text.call(p, 1.0) for p in J])
    _same(text, J, J, again, "it is not idempotent: taken of its own value it gives")
    middle = J.mean(axis=0)
    for point, outward in zip(J, z - J, strict=True):
        length = float(np.linalg.norm(outward))
        to_middle = INWARD * (middle - point)
        back = -INWARD * np.linalg.norm(point) * outward / length if length > 0 else 0 * point
        inward = (0 * point, to_middle, back, to_middle + back)
        if not any(_within(resolvent, point + step) for step in inward):
            raise OpcheckError(
                f"{text.subject} gives {_shown(point)}, of which contains() says that it is not in "
                "the set; mend the one or the other (contains() must allow for rounding)"
            )
    # the rest stays among the points, since rounding is told by the largest
    inside = np.array([_within(resolvent, point) for point in z])[:, None]
    what = "contains() says that this point is in the set, and it is moved to"
    _same(text, z, z, np.where(inside, J, z), what)


def _within(resolvent: Resolvent, point: Vector) -> bool:
    assert resolvent.contains is not None
    try:
        answer: Any = resolvent.contains(point.copy())
        return bool(answer)
    except (Exception, SystemExit) as error:
        raise OpcheckError(
            f"contains() of {resolvent.name} raises {type(error).__name__} at {_shown(point)}: "
            f"{error}; it takes one point and returns True or False"
        ) from error


def _of_one_operator(text: Text, z: Floats, values: dict[float, Floats]) -> None:
    """J_γ(z) = J_μ(z μ/γ + (1 − μ/γ) J_γ(z)), which holds of one A and of nothing else."""
    for gamma, mu in ((4.0, 1.0), (1.0, 0.25)):
        J = values[gamma]
        moved = z * (mu / gamma) + (1 - mu / gamma) * J
        again = np.array([text.call(point, mu) for point in moved])
        what = f"it is not of one A: by its value for gamma = {mu:g} that for {gamma:g} would be"
        _same(text, z, J, again, what)


def _a_proximal_map(resolvent: Resolvent, text: Text, z: Floats, J: Floats) -> None:
    """(z − J z) is a subgradient of g at J z: g(w) ≥ g(J z) + ⟨z − J z, w − J z⟩ at γ = 1."""
    assert resolvent.value is not None
    try:
        g = np.array([float(resolvent.value(point.copy())) for point in J])
    except (Exception, SystemExit) as error:
        raise OpcheckError(
            f"value() of {resolvent.name} raises {type(error).__name__}: {error}; it takes one "
            "point and returns a number"
        ) from error
    room = _room(z, J)
    for i in np.flatnonzero(np.isfinite(g)):
        below = g[i] + (J - J[i]) @ (z[i] - J[i])
        lengths = np.linalg.norm(J - J[i], axis=1) + np.linalg.norm(z[i] - J[i])
        lost = ROUNDING * (np.abs(g) + abs(g[i]) + np.abs(below)) + (room[i] + room) * lengths
        wrong = np.isfinite(g) & (below - g > 2 * lost)
        if wrong.any():
            j = int(np.argmax(wrong))
            raise OpcheckError(
                f"{text.subject} is not the proximal map of its value(): at z = {_shown(z[i])} "
                f"z − J(z) is no subgradient, as the value at {_shown(J[j])} shows"
            )


def _same(text: Text, z: Floats, J: Floats, other: Floats, what: str) -> None:
    """Raises OpcheckError where two values of J differ by more than rounding."""
    apart = np.linalg.norm(J - other, axis=1)
    wrong = ~(apart <= 4 * _room(z, J))
    if wrong.any():
        i = int(np.argmax(np.where(wrong, apart / (1 + np.linalg.norm(z, axis=1)), -np.inf)))
        raise OpcheckError(
            f"{text.subject} is wrong: J({_shown(z[i])}) = {_shown(J[i])}; {what} "
            f"{_shown(other[i])}"
        )


def _shown(point: Vector) -> str:
    """As in ``(1, -0.5)``; of a long one the first six entries."""
    more = ", ..." if point.size > 6 else ""
    return f"({', '.join(f'{v:.9g}' for v in point[:6])}{more})"
