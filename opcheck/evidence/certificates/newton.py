"""The kernel of a slack matrix and the multipliers in use, far beyond what the solver gives.

Newton's method on the conditions of optimality: in floats to 1e-14, and from there in hundreds of
bits, so that rationals with long denominators can be read off.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from flint import arb, arb_mat, fmpq, fmpq_mat

from opcheck.engine.forms import dyadic
from opcheck.engine.numbers import precision
from opcheck.evidence.statement.exact_parameters import simplest
from opcheck.evidence.worst_case.worst_case import Floats, Program, Solution

BITS = 600
LARGEST = 90  # unknowns that are worth solving for in so many bits: about a second
DAMPED = 150  # the damping, as a power of two: it costs convergence so many bits an iteration


def polished(
    program: Program, target: float, source: Solution, active: Any, dimension: int
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
    used = np.array([program.matrix(program.forms[i]) for i in active])
    constant = program.matrix(target * program.bound - program.measure)
    equations = np.concatenate([used, constant[None]])
    lam, refined, count = source.lam[active].copy(), P.copy(), len(active)
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
    return source.lam[active], P / program.stretch[:, None]


def with_identity(P: Floats) -> tuple[list[int], Floats] | None:
    """Rows on which the same range has an identity block, and it with that; None short of rank."""
    rows: list[int] = []
    work = P.copy()
    for _ in range(P.shape[1]):  # by complete pivoting
        sizes = np.linalg.norm(work, axis=1)
        r = int(np.argmax(sizes))
        rows.append(r)
        direction = work[r] / max(float(sizes[r]), 1e-300)
        work -= np.outer(work @ direction, direction)
    try:
        return rows, np.asarray(P @ np.linalg.inv(P[rows]))
    except np.linalg.LinAlgError:
        return None


def precise(
    forms: Sequence[Any], constant: Any, lam: Floats, P: Floats, rows: Sequence[int]
) -> Any | None:
    """The kernel with its identity block in rationals, by the same iteration in BITS bits.

    Args:
        forms, constant: exact matrices C_i and target · bound − measure.
        lam, P: where to start: multipliers of these forms, and a kernel good to rounding.
        rows: of the identity block.

    Returns None where it is large, does not converge, or what it converges to is not rational.
    As many multipliers move as the kernel determines; a part 2^-DAMPED of the identity is added.
    """
    moving = _independent(forms, P)
    if len(moving) + P.size > LARGEST:
        return None
    with precision(BITS):
        iterated = _iterated([arb_mat(C) for C in forms], arb_mat(constant), lam, P, moving)
        if iterated is None:
            return None
        n, d = P.shape
        block = arb_mat(d, d, [iterated[i, j] for i in rows for j in range(d)])
        try:
            kernel = iterated * block.inv()
        except ZeroDivisionError:
            return None
        out = fmpq_mat(n, d)
        width, longest = fmpq(1, 2 ** (BITS // 3)), 2 ** (BITS // 8)
        for i in range(n):
            for j in range(d):
                value = dyadic(kernel[i, j])
                out[i, j] = simplest(value - width, value + width)
                if out[i, j].q > longest:
                    return None
        return out


def _independent(forms: Sequence[Any], P: Floats) -> list[int]:
    """Forms whose products with P span those of all, by pivoting."""
    from scipy.linalg import qr

    images = np.array([[float(v) for v in C.entries()] for C in forms])
    images = (images.reshape(len(forms), *[len(P)] * 2) @ P).reshape(len(forms), -1)
    _, upper, order = qr(images.T, mode="economic", pivoting=True)
    sizes = np.abs(np.diag(upper))
    return order[: int((sizes > 1e-9 * sizes[0]).sum())].tolist() if len(sizes) else []


def _iterated(
    forms: Sequence[Any], constant: Any, lam: Floats, P: Floats, moving: Sequence[int]
) -> Any | None:
    (n, d), count = P.shape, len(moving)
    size = n * d
    x = arb_mat(n, d, [arb(float(v)) for v in (P / np.linalg.norm(P)).ravel()])
    weights = [arb(float(v)) for v in lam]
    for _ in range(12):
        slack = constant
        for weight, C in zip(weights, forms, strict=True):
            slack = slack - C * weight
        point = x.entries()
        images = [(C * x).entries() for C in (*forms, constant)]
        wrong = (slack * x).entries()
        wrong += [sum((a * b for a, b in zip(u, point, strict=True)), arb(0)) for u in images]
        wrong.append(sum((a * a for a in point), arb(-1)))
        if all(abs(v) < arb(2) ** (-BITS // 2) for v in wrong):
            return x
        J = arb_mat(len(wrong), count + size)
        for k, which in enumerate(moving):
            for i in range(size):
                J[i, k] = -images[which][i]
        for i in range(n):
            for j in range(n):
                for e in range(d):
                    J[i * d + e, count + j * d + e] = slack[i, j]
        for k, u in enumerate([*images, point]):
            for i in range(size):
                J[size + k, count + i] = 2 * u[i]
        turned = J.transpose()
        normal, right = turned * J, turned * arb_mat(len(wrong), 1, wrong)
        for i in range(count + size):
            normal[i, i] = normal[i, i] + arb(2) ** -DAMPED
        try:
            step = normal.solve(right, algorithm="approx").entries()
        except ZeroDivisionError:
            return None
        for k, which in enumerate(moving):
            weights[which] = (weights[which] - step[k]).mid()
        x = arb_mat(n, d, [(a - b).mid() for a, b in zip(point, step[count:], strict=True)])
    return None
