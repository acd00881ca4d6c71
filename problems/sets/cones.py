"""Cones: the orthant, the second-order cone, the exponential cone."""

from __future__ import annotations

import numpy as np

from opcheck import Resolvent, resolvent_family
from opcheck.kernels import copy, middle, within
from opcheck.plugin import ConeProgram, Vector, stack
from opcheck_problems._checks import positive, whole
from opcheck_problems.sets._kernels import ROUNDING, clip, in_floats, length, positive_part, size_of


def project_orthant(z, gamma, out, data):
    """Data: 0, as a number of the reading."""
    for i in range(z.shape[0]):
        if z[i] < data[0]:
            out[i] = data[0]
        else:
            out[i] = z[i]


@resolvent_family(
    program=ConeProgram(dim=3, says=lambda x, y, one: (None, [("plus", x)])),
)
def orthant() -> Resolvent:
    """Projection onto {z ≥ 0}, in any dimension."""
    return Resolvent(project_orthant, np.zeros(1), 0, "orthant", lambda z: bool(np.all(z >= 0)))


def project_second_order(z, gamma, out, data):
    """Data: the slope s."""
    n = z.shape[0] - 1
    slope, height = data[0], z[n]
    size = length(z[:n])
    if size <= slope * height:
        copy(out, z)
    elif slope * size <= -height:
        for i in range(n + 1):
            out[i] = slope - slope
    else:
        top = (slope * size + height) / (1 + slope * slope)
        for i in range(n):
            out[i] = slope * top * (z[i] / size)
        out[n] = top


@resolvent_family(
    irrational=True,
    program=ConeProgram(dim=3, says=lambda x, y, one: (None, [("norm", stack(x[2], x[:2]))])),
)
def second_order_cone(n: int = 3, slope: float = 1.0) -> Resolvent:
    """Projection onto {(x, t) ∈ R^n : ‖x‖ ≤ slope t}, t being the last coordinate.

    Raises OpcheckError for n < 2, or a slope that is not positive and finite. Source: Bauschke
    (1996).
    """
    positive(slope, "slope")
    return Resolvent(
        project_second_order,
        np.array([float(slope)]),
        whole(n, "n", 2),
        f"second-order cone({n})",
        lambda z: bool(size_of(z[:-1]) - slope * z[-1] <= ROUNDING * (1 + slope) * abs(z).max()),
    )


def project_exponential(z, gamma, out, data):
    """Data: the largest modulus of the root looked for."""
    # Friberg: z = αp − βd with p = (ρ, 1, e^ρ), d = (−1, ρ − 1, e^−ρ) on the boundaries of K and of
    # its dual, orthogonal to each other, and α, β > 0, where z lies neither in K nor in −K*. The
    # first two coordinates give α and β as functions of ρ, the last an increasing equation for it.
    top = middle(z[0] - z[0])
    for i in range(3):
        size = abs(middle(z[i]))
        if not size <= top:
            top = size
    if not top > 0:
        copy(out, z)
        return
    x, y, t = middle(z[0] / top), middle(z[1] / top), middle(z[2] / top)
    far, zero = data[0], x - x
    if y > 0 and y * np.exp(x / y) <= t:
        p, q, r = x, y, t
    elif x <= 0 and y <= 0:
        p, q, r = x, zero, positive_part(t)
    elif x > 0 and -x * np.exp(y / x - 1) >= t:
        p, q, r = zero, zero, zero
    else:
        rho = _root(x, y, t, far, middle(top / top))
        a, b = _weights(x, y, rho)
        fall, half = np.exp(-rho), np.exp(rho / 2)
        r = half * a * half
        if y <= 0:
            # ρ may be large: of three equations for α and β those that lose nothing then
            r = positive_part(t + b * fall)
            a = r * fall
        p, q = a * rho, a
        if not in_floats(rho):
            x, y, t = p + b, q - b * (rho - 1), r - b * fall
    error = zero
    if not in_floats(zero):
        # of (x, y, t) the projection is known, which is as near as that point is
        for v, w in ((z[0], x), (z[1], y), (z[2], t)):
            error = error + 2 * abs(v / top - w)
    out[0], out[1], out[2] = (
        top * within(p, error),
        top * within(q, error),
        top * within(r, error),
    )


def _weights(x, y, rho):
    weight = rho * rho - rho + 1
    a, b = positive_part((rho - 1) * x + y), positive_part(x - rho * y)
    return middle(a / weight), middle(b / weight)


def _height(x, y, rho):
    a, b = _weights(x, y, rho)
    up = a * np.exp(rho) if a > 0 else a
    return middle(up - b * np.exp(-rho) if b > 0 else up)


def _root(x, y, t, far, step):
    lo, hi = -far, far
    if x > 0:
        lo = clip(middle(1 - y / x), lo, far)
    if y > 0:
        hi = clip(middle(x / y), -far, hi)
    if x <= 0:
        while step < far and _height(x, y, middle(hi - step)) > t:
            step = step + step
        lo = middle(hi - step)
    if y <= 0:
        while step < far and not _height(x, y, middle(lo + step)) > t:
            step = step + step
        hi = middle(lo + step)
    while True:
        rho = middle((lo + hi) / 2)
        if not lo < rho or not rho < hi:
            return rho
        if _height(x, y, rho) > t:
            hi = rho
        else:
            lo = rho


def _in_exponential(z: Vector) -> bool:
    """Whether some point of the cone differs from z by rounding in every coordinate."""
    slack = ROUNDING * float(abs(z).max())
    x, y, t = float(z[0]) - slack, float(z[1]), float(z[2]) + slack
    # y exp(x/y) falls in y up to y = x and then grows; for x ≤ 0 it grows
    y = min(max(x, y - slack, 0.0), y + slack)
    if y < 0 or t < 0:
        return False
    if y == 0:
        return x <= 0
    return t > 0 and bool(x / y + np.log(y) <= np.log(t))


@resolvent_family(
    irrational=True,
    program=ConeProgram(dim=3, says=lambda x, y, one: (None, [("exp", x)])),
)
def exponential_cone() -> Resolvent:
    """Projection onto the closure of {(x, y, t) ∈ R³ : y > 0, y exp(x/y) ≤ t}.

    By bisection of the increasing equation in one unknown that the two extreme rays give.

    Source: Friberg (2023), Projection onto the exponential cone: a univariate root-finding problem.
    """
    return Resolvent(project_exponential, np.array([1e100]), 3, "exponential cone", _in_exponential)
