"""F(z) = Mz + q: one text each for few, some and many dense coordinates, and for sparse M.

Row loops win below d = 8. Above, an IEEE dot product can't be vectorised, so columns are added one
by one (strict IEEE, equal to the interpreted loop bit for bit). Above d = 128 BLAS is faster.
"""

from __future__ import annotations

import numpy as np

from opcheck.model.primitives import indices


def by_rows(z, out, data):
    """Data: M row by row, then q."""
    d = z.shape[0]
    for i in range(d):
        total = data[d * d + i]
        for j in range(d):
            total += data[i * d + j] * z[j]
        out[i] = total


def by_columns(z, out, data):
    """Data: M column by column, then q. Four columns a sweep: fewer passes over out."""
    d = z.shape[0]
    columns = data[: d * d].reshape((d, d))
    for i in range(d):
        out[i] = data[d * d + i]
    for j in range(0, d - 3, 4):
        a, b, c, e = z[j], z[j + 1], z[j + 2], z[j + 3]
        for i in range(d):
            out[i] = (
                out[i]
                + columns[j, i] * a
                + columns[j + 1, i] * b
                + columns[j + 2, i] * c
                + columns[j + 3, i] * e
            )
    for j in range(d - d % 4, d):
        for i in range(d):
            out[i] += columns[j, i] * z[j]


def by_blas(z, out, data):
    """Data as in by_columns; float64 only."""
    d = z.shape[0]
    np.dot(z, data[: d * d].reshape((d, d)), out)
    for i in range(d):
        out[i] += data[d * d + i]


def sparse(z, out, data):
    """Data: number of entries, q, the entries in CSR order, then row starts and columns."""
    d = z.shape[0]
    count = int(data[0])
    values = data[1 + d : 1 + d + count]
    index = indices(data, 1 + d + count, d + 1 + count)
    columns = index[d + 1 :]
    for i in range(d):
        total = data[1 + i]
        for j in range(index[i], index[i + 1]):
            total += values[j] * z[columns[j]]
        out[i] = total


def quadratic(z, out, data):
    """⟨Mz/2 + q, z⟩ into one entry, for symmetric M; data as in by_rows or by_columns."""
    d = z.shape[0]
    total = 0
    for i in range(d):
        row = 0
        for j in range(d):
            row += data[i * d + j] * z[j]
        total += (row / 2 + data[d * d + i]) * z[i]
    out[0] = total
