"""The resolvent of a sum by Anderson's acceleration (Anderson 1965; Walker and Ni 2011)."""

from __future__ import annotations

import numpy as np

from opcheck.model.primitives import Read, axpy, copy, dot, norm2, subtract

MEMORY = 10  # differences that are combined, at most
ITERATIONS = 20000
# squared residuals, in units of ‖z‖² + ‖w‖²
EXACT = 1e-33  # nothing is left to gain
STALLED = 1e-30  # enough, once the residual no longer falls
FOUND = 1e-24  # the largest that counts as found
# beside the best so far: what has blown up, and how many iterations without a fourfold fall are too
# many for the acceleration, and for plain iteration
BLOWN_UP, TRIES, PATIENCE = 1e12, 60, 5000
DEPENDENT = 1e-24  # share of a squared difference left by the others, below which it is theirs


def _resolvent_of_sum(F, F_data, J, J_data, z, gamma, out):
    # Anderson acceleration of w <- J(z - gamma F(w)): plain Picard contracts only by gamma L a
    # step, hopeless close to gamma L = 1. The residual alone decides when to stop, so however a
    # point was found, it is the resolvent to rounding; where none is found the answer is NaN.
    d = z.shape[0]
    memory = min(d, MEMORY)
    W, G, Q = np.empty((memory + 1, d)), np.empty((memory + 1, d)), np.empty((memory, d))
    R, theta = np.empty((memory, memory)), np.empty(memory)
    w, g, r = z.copy(), np.empty(d), np.empty(d)
    best_g, best_size = z.copy(), np.inf
    scale, failures, stored, plain = norm2(z), 0, 0, False
    for _ in range(ITERATIONS):
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
        if size <= EXACT * size_of_w or (failures > 3 and best_size <= STALLED * size_of_w):
            break
        if plain:
            if not size <= 4.0 * best_size or failures > PATIENCE:
                break
            copy(w, g)
            continue
        if not size <= BLOWN_UP * best_size or failures > TRIES:
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
            if left <= DEPENDENT * before:
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
    if not best_size <= FOUND * size_of_w:
        out[0] = np.nan


def resolvent_of_sum(F, F_data, J, J_data, z, gamma, out):
    """out = (I + γ(F + A))⁻¹ z, the fixed point of w ↦ J(z − γ F w); needs γ L < 1 when A ≠ 0.

    Compiled: a safeguarded Anderson iteration to rounding. Under the other readings the reading
    of the operator answers: an enclosure, an exact solve, or one new basis vector.
    """
    if isinstance(F, Read):
        F.reading.resolvent_of_sum(F, F_data, J, J_data, z, gamma, out)
    else:
        _resolvent_of_sum(F, F_data, J, J_data, z, gamma, out)


resolvent_of_sum.compiled = _resolvent_of_sum  # type: ignore[attr-defined]
