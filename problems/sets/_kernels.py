"""What the kernels of several resolvents share: plain loops, the same text under every reading."""

from __future__ import annotations

import numpy as np

from opcheck.kernels import distance2, norm2
from opcheck.plugin import Vector

# of ``contains``: what projecting in float64 may leave, relative to the set's size
ROUNDING = 1e-12


def count_of(number):
    """A nonnegative whole number of any reading as an int."""
    count = 0
    while count < number:
        count += 1
    return count


def _always(x):
    return True


def in_floats(x):
    """Whether x is a float64, so that it rounds and may leave its range; no exact reading does."""
    return isinstance(x, float)


in_floats.compiled = _always


def length(x):
    """‖x‖, also where its square is out of float64's range."""
    total = norm2(x)
    if in_floats(total) and not 1e-280 < total < 1e300:
        top = abs(x[0])
        for i in range(1, x.shape[0]):
            top = max(top, abs(x[i]))
        if 0 < top < np.inf:
            total = (x[0] / top) * (x[0] / top)
            for i in range(1, x.shape[0]):
                total += (x[i] / top) * (x[i] / top)
            return top * np.sqrt(total)
    return np.sqrt(total)


def gap(x, y):
    """‖x − y‖, also where its square is out of float64's range."""
    total = distance2(x, y)
    if in_floats(total) and not 1e-280 < total < 1e300:
        return length(x - y)
    return np.sqrt(total)


def size_of(z: Vector) -> float:
    """‖z‖ for ``contains``: as ``length``, and without a warning."""
    unit = float(abs(z).max())
    return unit * float(np.linalg.norm(z / unit)) if 0 < unit < np.inf else unit


def positive_part(x):
    """max(x, 0) without a comparison, so that a ball around 0 has one."""
    return (x + abs(x)) / 2


def clip(x, lo, hi):
    """x moved into [lo, hi]."""
    if x < lo:
        return lo
    if x > hi:
        return hi
    return x


def soft(x, threshold):
    """x moved towards 0 by the threshold, at most to 0."""
    if -threshold <= x <= threshold:
        return threshold - threshold
    if x > threshold:
        return x - threshold
    return x + threshold


def threshold_of(z, total):
    """The largest z_i and the t < 0 with Σ max(z_i − τ, 0) = total > 0 for τ = largest + t.

    Apart, since z_i − largest − t loses nothing where the z_i are large. Michelot's (1986) active
    sets: the t that the active coordinates call for only grows, so the sets only shrink. They start
    from t ≥ −total, which the largest coordinate alone calls for.
    """
    n = z.shape[0]
    top = z[0]
    for i in range(1, n):
        if z[i] > top:
            top = z[i]
    return top, _few_active(z, top, total) if n < 64 else _many_active(z, top, total)


def _few_active(z, top, total):
    # looks at every coordinate again, which is cheaper than memory for the active ones
    t, active = -total, 0
    for _ in range(z.shape[0] + 1):
        count, rest = 0, -total
        for i in range(z.shape[0]):
            y = z[i] - top
            if y > t:
                count += 1
                rest += y
        if count == active:
            break
        active = count
        t = rest / count
    return t


def _many_active(z, top, total):
    kept = z.copy()
    length, active = z.shape[0], 0
    for i in range(length):
        kept[i] = z[i] - top
    t = -total
    while True:
        # every entry is written, and its place then kept or not: no branch to mispredict
        count = 0
        for i in range(length):
            y = kept[i]
            kept[count] = y
            if y > t:
                count += 1
        if count == active:
            break
        rest = -total
        for i in range(count):
            rest += kept[i]
        length = active = count
        t = rest / count
    return t


def onto_box_hyperplane(z, out, a, lo, hi, b):
    """out = projection of z onto {lo ≤ x ≤ hi, ⟨a, x⟩ = b}, which must not be empty.

    Variable fixing (Kiwiel 2008): project onto the hyperplane alone, and fix for good the
    coordinates that left the box on the side that outweighs the other. No pass fixes none, so
    there are at most n; the coordinates that stay free end with z_i − τ a_i.
    """
    n = z.shape[0]
    p = z.copy()
    free = np.ones(n, np.int64)
    left = n
    for i in range(n):
        if a[i] == 0:
            p[i] = clip(z[i], lo[i], hi[i])
            free[i] = 0
            left -= 1
    for _ in range(n):
        if left == 0:
            break
        over, weight = -b, b - b
        for i in range(n):
            if free[i] == 1:
                over += a[i] * z[i]
                weight += a[i] * a[i]
            else:
                over += a[i] * p[i]
        step = over / weight
        gap, outside = b - b, 0
        for i in range(n):
            if free[i] == 1:
                x = z[i] - step * a[i]
                p[i] = x
                if x < lo[i]:
                    p[i] = lo[i]
                elif x > hi[i]:
                    p[i] = hi[i]
                else:
                    continue
                outside += 1
                gap += a[i] * (p[i] - x)
        if outside == 0 or gap == 0:
            break
        for i in range(n):
            if free[i] == 1:
                x = z[i] - step * a[i]
                low = x < lo[i]
                if low or x > hi[i]:
                    # a larger τ moves x by −a_i: fixed are those that it moves further outside
                    sinks = a[i] > 0
                    if (gap > 0) == (low == sinks):
                        free[i] = 0
                        left -= 1
    for i in range(n):
        out[i] = p[i]


def solve(gram, x, n):
    """x ← G⁻¹x in place for a positive definite n×n matrix, kept row by row and overwritten."""
    for j in range(n):
        for i in range(j + 1, n):
            factor = gram[i * n + j] / gram[j * n + j]
            for k in range(j + 1, n):
                gram[i * n + k] = gram[i * n + k] - factor * gram[j * n + k]
            x[i] = x[i] - factor * x[j]
    for i in range(n - 1, -1, -1):
        for k in range(i + 1, n):
            x[i] = x[i] - gram[i * n + k] * x[k]
        x[i] = x[i] / gram[i * n + i]
