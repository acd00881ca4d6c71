"""Conic programs: solved here where they are small, else by a process that can be ended.

The solver does not hear Ctrl-C while it works. This file is also what the other process runs, so
it imports nothing of opcheck.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
TOLERANCES = (1e-10, 1e-8, 1e-7)  # asked of the solver in turn, until it reaches one
SMALL = 2000  # rows and columns below which a program takes about a second
SECONDS = 2e-10  # a program's seconds, over the cube of its rows and columns
PANIC = re.compile(rb"\n?thread '[^\n]* panicked at .*?\nnote: [^\n]*\n", re.DOTALL)


def seconds(size: float) -> float:
    """What a program of so many rows and columns takes, about."""
    return SECONDS * size**3


def conic(
    q: Floats, A: Any, b: Floats, cones: Sequence[tuple[str, int]]
) -> tuple[str, Floats, Floats]:
    """min qᵀx such that b − Ax lies in the cones: Clarabel's status, x and the dual z.

    Args:
        A: a scipy sparse matrix, its rows in the order of the cones.
        cones: kind, as ``PSDTriangle``, ``Nonnegative`` or ``Zero``, and size.
    """
    program = q, A, b, list(cones)
    if len(q) + len(b) <= SMALL or not sys.executable:
        return solve(*program)
    command = [sys.executable, "-P", __file__]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL) as child:
        try:
            answer, _ = child.communicate(pickle.dumps(program))
        except BaseException:
            child.kill()
            raise
    if child.returncode:  # as where another program ended it
        return f"Ended with code {child.returncode}", *_nothing(q, b)
    status, x, z = pickle.loads(answer)
    return str(status), np.asarray(x), np.asarray(z)


def _nothing(q: Floats, b: Floats) -> tuple[Floats, Floats]:
    return np.full(len(q), np.nan), np.full(len(b), np.nan)


def solve(
    q: Floats,
    A: Any,
    b: Floats,
    cones: Sequence[tuple[str, int]],
    tolerances: Sequence[float] = (),
) -> tuple[str, Floats, Floats]:
    """``conic`` in this process; ``tolerances``, or TOLERANCES, are asked of the solver in turn."""
    import clarabel
    from scipy import sparse

    P = sparse.csc_matrix((len(q), len(q)))
    parts = [getattr(clarabel, f"{kind}ConeT")(size) for kind, size in cones]
    settings = clarabel.DefaultSettings()
    settings.verbose = False
    for tolerance in tolerances or TOLERANCES:
        settings.tol_gap_abs = settings.tol_gap_rel = settings.tol_feas = tolerance
        try:
            with _without_panics():
                result = clarabel.DefaultSolver(P, q, A, b, parts, settings).solve()
        except BaseException as error:
            # a panic of Rust, as where an eigenvalue solver meets NaN on an infeasible program
            if type(error).__name__ != "PanicException":
                raise
            return "Panicked", *_nothing(q, b)
        status = str(result.status).rpartition(".")[2]
        if status == "Solved" or "Infeasible" in status:
            break
    return status, np.array(result.x), np.array(result.z)


@contextlib.contextmanager
def _without_panics() -> Iterator[None]:
    """What is written to the error output meanwhile comes after it, less what Rust says as it
    panics: that is an answer here."""
    try:
        sys.stderr.flush()
        own = os.dup(2)
    except (AttributeError, OSError, ValueError):  # there is no such output
        yield
        return
    with tempfile.TemporaryFile() as meanwhile:
        os.dup2(meanwhile.fileno(), 2)
        try:
            yield
        finally:
            with contextlib.suppress(AttributeError, OSError, ValueError):
                sys.stderr.flush()
            os.dup2(own, 2)
            os.close(own)
            meanwhile.seek(0)
            with contextlib.suppress(OSError):
                os.write(2, PANIC.sub(b"", meanwhile.read()))


if __name__ == "__main__":
    sys.stdout.buffer.write(pickle.dumps(solve(*pickle.loads(sys.stdin.buffer.read()))))
