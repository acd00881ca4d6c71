"""The vocabulary of kernels: what the text of a method, a measure, a set or an operator may call.

Each is a plain loop that reads the same under floats, balls, rationals and combinations of vectors
known by name; a kernel that calls nothing else can be verified, certified and proved alike. Names
in capitals are rows of a measure's state.
"""

from opcheck.model.anderson import resolvent_of_sum
from opcheck.model.linear_kernels import quadratic
from opcheck.model.primitives import (
    BEFORE,
    OTHER,
    SOLUTION,
    WORK,
    WORK_2,
    at,
    axpy,
    combine,
    copy,
    distance2,
    dot,
    identity,
    indices,
    middle,
    norm2,
    phase,
    slack,
    subtract,
    within,
)

__all__ = [
    "BEFORE",
    "OTHER",
    "SOLUTION",
    "WORK",
    "WORK_2",
    "at",
    "axpy",
    "combine",
    "copy",
    "distance2",
    "dot",
    "identity",
    "indices",
    "middle",
    "norm2",
    "phase",
    "quadratic",
    "resolvent_of_sum",
    "slack",
    "subtract",
    "within",
]
