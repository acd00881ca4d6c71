"""The vocabulary of kernels: plain loops, the same text under every reading.

A primitive with an attribute ``compiled`` has another text for float64; the interpreted text then
belongs to the other readings (balls, rationals, coefficients).
"""

from __future__ import annotations

import numpy as np

from opcheck.errors import OpcheckError

# Rows that the driver adds after a method's own: the point before the step, the solution, then, so
# that a view from any row on still holds them, the second argument and the scratch of measures.
BEFORE, SOLUTION, OTHER, WORK_2, WORK = -5, -4, -3, -2, -1
EXTRA_ROWS = 5


def axpy(out, x, a, y):
    """out = x + a y."""
    for i in range(x.shape[0]):
        out[i] = x[i] + a * y[i]


def copy(out, x):
    """out = x."""
    for i in range(x.shape[0]):
        out[i] = x[i]


def combine(out, a, x, b, y):
    """out = a x + b y."""
    for i in range(x.shape[0]):
        out[i] = a * x[i] + b * y[i]


def subtract(out, x, y):
    """out = x − y."""
    for i in range(x.shape[0]):
        out[i] = x[i] - y[i]


def norm2(x):
    """‖x‖²."""
    total = x[0] * x[0]
    for i in range(1, x.shape[0]):
        total += x[i] * x[i]
    return total


def dot(x, y):
    """⟨x, y⟩."""
    total = x[0] * y[0]
    for i in range(1, x.shape[0]):
        total += x[i] * y[i]
    return total


def distance2(x, y):
    """‖x − y‖²."""
    total = (x[0] - y[0]) * (x[0] - y[0])
    for i in range(1, x.shape[0]):
        total += (x[i] - y[i]) * (x[i] - y[i])
    return total


def _at(params, i, k):
    return params[min(i + int(k), params.shape[0] - 1)]


def at(params, i, k):
    """Entry k of the parameter sequence that starts at i; its last value is kept from then on."""
    # where k stands for every k, the sequence is laid out from there on
    return _at(params, i, getattr(k, "offset", k))


at.compiled = _at  # type: ignore[attr-defined]


def _phase(k, period):
    return int(k) % period


def phase(k, period):
    """k mod period, a whole number."""
    return k.phase(period) if hasattr(k, "phase") else _phase(k, period)


phase.compiled = _phase  # type: ignore[attr-defined]


def identity(z, gamma, out, data):
    """The resolvent of A = 0."""
    for i in range(z.shape[0]):
        out[i] = z[i]


def _unchanged(x):
    return x


def middle(x):
    """A number near x that is known exactly: a ball's midpoint, a float itself.

    An iteration runs on it; what it finds is then enclosed by ``within``. Raises OpcheckError for
    a rational, on which an iteration to rounding has no end.
    """
    if isinstance(x, float | int):
        return x
    if not hasattr(x, "middle"):
        raise OpcheckError("an iteration to rounding has no value in exact rationals")
    return x.middle()


middle.compiled = _unchanged  # type: ignore[attr-defined]


def _nearest(x, error):
    return x


def within(x, error):
    """Where a number is known to lie within ``error`` of x: a wider ball, x itself in float64."""
    return x.within(error) if hasattr(x, "within") else x


within.compiled = _nearest  # type: ignore[attr-defined]


def _slack(size):
    return 4e-15 * size


def slack(size):
    """What rounding may leave of a sum of terms of this size; the exact readings leave nothing."""
    return _slack(size) if isinstance(size, float) else 0


slack.compiled = _slack  # type: ignore[attr-defined]


def _indices(data, start, count):
    return data[start : start + (count + 1) // 2].view(np.uint32)


def indices(data, start, count):
    """``count`` unsigned 32-bit indices stored in the float buffer from entry ``start`` on."""
    return _indices(getattr(data, "raw", data), start, count)


indices.compiled = _indices  # type: ignore[attr-defined]


def _resolvent_of_sum(F, F_data, J, J_data, z, gamma, out):
    # Anderson acceleration of w <- J(z - gamma F(w)): plain Picard contracts only by gamma L a
    # step, hopeless close to gamma L = 1. The residual alone decides when to stop, so however a
    # point was found, it is the resolvent to rounding; where none is found the answer is NaN.
    d = z.shape[0]
    memory = min(d, 10)
    W, G, Q = np.empty((memory + 1, d)), np.empty((memory + 1, d)), np.empty((memory, d))
    R, theta = np.empty((memory, memory)), np.empty(memory)
    w, g, r = z.copy(), np.empty(d), np.empty(d)
    best_g, best_size = z.copy(), np.inf
    scale, failures, stored, plain = norm2(z), 0, 0, False
    for _ in range(20000):
        F(w, g, F_data)
        axpy(g, z, -gamma, g)
        J(g, gamma, g, J_data)
        subtract(r, g, w)
        size = norm2(r)
        size_of_w = scale + norm2(w)
        failures = 0 if size < 0.25 * best_size else failures + 1
        if size < best_size:
            copy(best_g, g)
            best_size = size
        if size <= 1e-33 * size_of_w or (failures > 3 and best_size <= 1e-30 * size_of_w):
            break
        if plain:
            if not size <= 4.0 * best_size or failures > 5000:
                break
            copy(w, g)
            continue
        if not size <= 1e12 * best_size or failures > 60:
            # a kink of J may defeat the acceleration; Picard contracts where gamma L < 1
            plain = True
            copy(w, best_g)
            continue
        if stored > memory:
            for j in range(memory):
                copy(W[j], W[j + 1])
                copy(G[j], G[j + 1])
            stored = memory
        copy(W[stored], w)
        copy(G[stored], g)
        stored += 1
        # least squares min ‖r − Σ θ_j Δr_j‖ by Gram-Schmidt, newest differences first
        columns = 0
        for j in range(stored - 2, -1, -1):
            q = Q[columns]
            for i in range(d):
                q[i] = (G[j + 1, i] - W[j + 1, i]) - (G[j, i] - W[j, i])
            before = norm2(q)
            for c in range(columns):
                R[c, columns] = dot(Q[c], q)
                axpy(q, q, -R[c, columns], Q[c])
            left = norm2(q)
            if left <= 1e-24 * before:
                break
            R[columns, columns] = np.sqrt(left)
            for i in range(d):
                q[i] /= R[columns, columns]
            theta[columns] = dot(q, r)
            columns += 1
        copy(w, g)
        for c in range(columns - 1, -1, -1):
            for e in range(c + 1, columns):
                theta[c] -= R[c, e] * theta[e]
            theta[c] /= R[c, c]
            j = stored - 2 - c
            for i in range(d):
                w[i] -= theta[c] * (G[j + 1, i] - G[j, i])
    copy(out, best_g)
    if not best_size <= 1e-24 * size_of_w:
        out[0] = np.nan


def resolvent_of_sum(F, F_data, J, J_data, z, gamma, out):
    """out = (I + γ(F + A))⁻¹ z, the fixed point of w ↦ J(z − γ F w); needs γ L < 1 when A ≠ 0.

    Compiled: a safeguarded Anderson iteration to rounding. Under the other readings the reading
    of the operator answers: an enclosure, an exact solve, or one new basis vector.
    """
    reading = getattr(F, "reading", None)
    if reading is None:
        _resolvent_of_sum(F, F_data, J, J_data, z, gamma, out)
    else:
        reading.resolvent_of_sum(F, F_data, J, J_data, z, gamma, out)


resolvent_of_sum.compiled = _resolvent_of_sum  # type: ignore[attr-defined]
