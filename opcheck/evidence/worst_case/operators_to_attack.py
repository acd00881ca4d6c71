"""Operators of the plane that an attack runs: piecewise linear F, and A with a closed resolvent.

F(z) = Mz + Σ u_i clip(w_i·z − c_i, 0, h_i) + q, so that F(0) = q where every c_i ≥ 0. The slope
between any two points is an average of the slopes M + Σ_{i in I} u_i w_iᵀ, I any set of the ridges.
A = aI + sQ + B, Q the quarter turn, B zero or set-valued and monotone with 0 in its domain.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from opcheck.model.operator import NO_CONSTRAINT, Resolvent
from opcheck.model.property import Property

Floats = NDArray[np.float64]
Form = tuple[float, float, float]
RIDGES = 2
SIZE = 6 + 6 * RIDGES  # M, q, then u, w, c, h of each ridge
EYE = np.eye(2)


def piecewise(z, out, data):  # type: ignore[no-untyped-def]
    """Data: M row by row, q, then u, w, c, h of each of two ridges."""
    for i in range(2):
        out[i] = data[4 + i] + data[2 * i] * z[0] + data[2 * i + 1] * z[1]
    for r in range(2):
        o = 6 + 6 * r
        t = data[o + 2] * z[0] + data[o + 3] * z[1] - data[o + 4]
        t = min(max(t, 0), data[o + 5])
        out[0] += data[o] * t
        out[1] += data[o + 1] * t


def resolvent(z, gamma, out, data):  # type: ignore[no-untyped-def]
    """Data: a, s, which B, its number (level of a half-space, weight of |·|)."""
    a, s, part, level = data[0], data[1], data[2], data[3]
    p, t = 1 + gamma * a, gamma * s
    x, y = (p * z[0] + t * z[1]) / (p * p + t * t), (p * z[1] - t * z[0]) / (p * p + t * t)
    if part == 1:
        x, y = 0 * x, 0 * y
    elif part == 2:
        x = 0 * x
    elif part == 3:
        x = min(x, level)
    elif part == 4:
        x, y = min(x, level), min(y, level)
    elif part == 5:
        w = gamma * level / p
        x = max(x - w, 0 * x) - max(-x - w, 0 * x)
    out[0] = x
    out[1] = y


@dataclass(frozen=True)
class Part:
    """A = aI + sQ + B on the plane; s = 0 where B is not 0.

    Attributes:
        part: 0 B = 0; 1 the normal cone of {0}, 2 of {z_1 = 0}, 3 of {z_1 ≤ level}, 4 of
            {z_1, z_2 ≤ level}; 5 the subdifferential of level·|z_1|.
    """

    a: float = 0.0
    s: float = 0.0
    part: int = 0
    level: float = 0.0

    def __str__(self) -> str:
        """As in ``0.5 I + N of {z1 <= 0}``."""
        names = ["", "N of {0}", "N of {z1 = 0}", f"N of {{z1 <= {self.level:g}}}"]
        names += [f"N of {{z1, z2 <= {self.level:g}}}", f"subdifferential of {self.level:g}|z1|"]
        terms = [f"{self.a:g} I"] * (self.a != 0) + [f"{self.s:g} Q"] * (self.s != 0)
        return " + ".join([*terms, *([names[self.part]] if self.part else [])])

    @property
    def resolvent(self) -> Resolvent:
        """(I + γA)⁻¹."""
        if not str(self):
            return NO_CONSTRAINT
        data = np.array([self.a, self.s, float(self.part), self.level])
        return Resolvent(resolvent, data, 2, str(self))

    @property
    def linear(self) -> Floats:
        """The matrix of aI + sQ."""
        return np.array([[self.a, -self.s], [self.s, self.a]])

    def offset(self, at: Floats) -> Floats:
        """F(0) with −F(0) ∈ A(0), from rows of two numbers."""
        x, y = at[:, 0], at[:, 1]
        o = 0 * x
        tight = self.level == 0
        columns = {
            1: (x, y),
            2: (x, o),
            3: (-abs(x) * tight, o),
            4: (-abs(x) * tight, -abs(y) * tight),
            5: (self.level * np.tanh(x), o),
        }
        return np.column_stack(columns.get(self.part, (o, o)))


def parts(asked: Sequence[tuple[Property, Form]], subdifferential: bool) -> list[Part]:
    """The A that have every hypothesis on A; with A = ∂g only those that are one."""
    slopes = {0.0, 0.5, 2.0}
    slopes |= {-a / (2 * b) for p, (a, b, _) in asked if p.of == "A" and b}
    pool = [Part(a=a) for a in sorted(slopes)]
    for a in sorted(slopes):
        pool += [Part(a, 0.0, part, level) for part, level in ((1, 0.0), (2, 0.0))]
        pool += [Part(a, 0.0, part, 0.0) for part in (3, 4)]
    pool += [Part(0.0, 0.0, 3, 0.25), Part(0.0, 0.0, 5, 1.0), Part(0.0, 0.0, 5, 8.0)]
    if not subdifferential:
        pool += [Part(a, s) for a in sorted(slopes) for s in (0.5, 2.0, 8.0)]
    return [
        candidate
        for candidate in pool
        if all(has(candidate, form) for p, form in asked if p.of == "A")
    ]


def beside(part: Part, rng: np.random.Generator, asked: Sequence[tuple[Property, Form]]) -> Part:
    """A part with other factors, or the same where that one lacks a hypothesis on A."""
    a, s, weight = np.exp(rng.normal(size=3) * rng.choice([0.03, 0.3]))
    level = part.level * float(weight) if part.part == 5 else part.level
    other = Part(part.a * float(a), part.s * float(s), part.part, level)
    held = all(has(other, form) for p, form in asked if p.of == "A")
    return other if held else part


def has(part: Part, form: Form | tuple[Fraction, ...], *, exactly: bool = False) -> bool:
    """Whether A has a form; to rounding, or exactly where the form is one of rationals."""
    a, b, c = form
    if part.part == 1:
        return c >= 0  # one point, every value
    slope, turn = (Fraction(v) if exactly else v for v in (part.a, part.s))
    room = a + 2 * b * slope + c * (slope**2 + turn**2)
    if part.part and c:
        # only from monotonicity, which gives a form with a, b, c ≥ 0
        return min(a, b, c) >= 0
    return bool(room >= (0 if exactly else -1e-12))


def of_f(asked: Sequence[tuple[Property, Form]], part: Part) -> list[tuple[Form, Floats]] | None:
    """Forms that F + a matrix must have for the hypotheses on F and S; None: not with this A.

    With B ≠ 0 a hypothesis on S without a term in ‖u − v‖² holds where F + aI has it; one with a
    positive term follows from monotonicity; one with a negative term fails.
    """
    forms: list[tuple[Form, Floats]] = []
    for prop, (a, b, c) in asked:
        if prop.of == "A":
            continue
        if prop.of != "S":
            forms.append(((a, b, c), 0 * EYE))
        elif part.part == 1 and c >= 0:
            continue
        elif not part.part or c == 0:
            forms.append(((a, b, c), part.linear))
        elif min(a, b, c) >= 0:
            forms.append(((0.0, 0.5, 0.0), part.linear))
        else:
            return None
    return forms


def slopes(data: Floats) -> Floats:
    """M + Σ_{i in I} u_i w_iᵀ for every set I of ridges, shape (m, 4, 2, 2)."""
    M = data[:, :4].reshape(-1, 2, 2)
    matrices = []
    for on in itertools.product((0, 1), repeat=RIDGES):
        J = M.copy()
        for r, switch in enumerate(on):
            o = 6 + 6 * r
            J = J + switch * data[:, o : o + 2, None] * data[:, None, o + 2 : o + 4]
        matrices.append(J)
    return np.stack(matrices, axis=1)


def within(J: Floats, forms: Sequence[tuple[Form, Floats]]) -> NDArray[np.bool_]:
    """Whether slopes (m, n, 2, 2), and with them F, have every form.

    A form with c ≤ 0 is concave in the slope: averages have it too. One with c > 0 is read through
    p = (I + γF)⁻¹ w, a homeomorphism where γL < 1: in the slope of p it is concave where
    aγ² − 2bγ + c ≤ 0. Without such a γ only F of one slope passes.
    """
    inside = np.ones(len(J), dtype=bool)
    bent = abs(J - J[:, :1]).max(axis=(1, 2, 3)) > 0
    for (a, b, c), more in forms:
        S = J + more
        G = a * EYE + b * (S + S.swapaxes(2, 3)) + c * (S.swapaxes(2, 3) @ S)
        mean, half = (G[..., 0, 0] + G[..., 1, 1]) / 2, (G[..., 0, 0] - G[..., 1, 1]) / 2
        inside &= (mean >= np.hypot(half, G[..., 0, 1])).all(axis=1)
        if c > 0:
            L = np.linalg.norm(S, 2, axis=(2, 3)).max(axis=1)
            # F is at most as steep as its steepest piece
            gamma = np.minimum(b / max(a, 1e-300), 0.999 / np.maximum(L, 1e-300))
            inside &= ~bent | (a * gamma**2 - 2 * b * gamma + c <= 0)
    return inside


def bumps(forms: Sequence[tuple[Form, Floats]], star: Sequence[bool]) -> Floats:
    """x ↦ Lx up to a peak, down with slope −L to a small level, which stays, on the line.

    Between a point and 0 the slope lies in (0, L], and between two points in [−L, L]: a star
    hypothesis is checked at both ends of the first, any other at both ends of the second, which
    is enough for a form concave in the slope. Returns rows of data, none where a check fails.
    """
    tops = [x for (a, b, c), _ in forms if c < 0 for x in np.roots([c, 2 * b, a]).real]
    L = min([t for t in tops if t > 0], default=1.0)
    rows = []
    for peak in (0.2, 0.3, 0.36, 0.4, 0.45, 0.49):
        for low in (0.001, 0.003, 0.01, 0.03, 0.1):
            ends = [(0.0, L) if s else (-L, L) for s in star]
            if all(
                min(a + 2 * b * f + c * f * f for f in end) >= -1e-12
                and (c <= 0 or min(a, b, end[0]) >= 0)
                for ((a, b, c), _), end in zip(forms, ends, strict=True)
            ):
                fall = peak * (1 - 2 * low)
                first = [-2 * L, 0, 1, 0, peak, fall]
                second = [-L, 0, 1, 0, peak + fall, 1e6]
                # after the fall the slope is L again, and the second ridge takes it away
                rows.append([L, 0, 0, L, 0, 0, *first, *second])
    return np.array(rows).reshape(-1, SIZE)
