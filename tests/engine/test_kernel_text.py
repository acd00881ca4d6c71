"""Kernels hold only what is read: else what is proved of one is not what runs (F3, F14)."""

from __future__ import annotations

import dataclasses
import functools
import itertools
import types
from typing import Any

import numba
import numpy as np
import pytest
from executed import executed
from registered import stated

import opcheck.kernels
from opcheck.engine.guard import guard_method
from opcheck.engine.kernel_text import parsed, read, source
from opcheck.errors import OpcheckError
from opcheck.evidence.certificates.certificate import certify
from opcheck.evidence.proofs.prove import attempt
from opcheck.kernels import axpy
from opcheck.model.method import Method
from opcheck.model.theorem import Theorem

TEXT = """
def steps(F, F_data, J, J_data, state, params, k, n):
    '''z <- z - gamma F z.'''
    z, Fz = state[0], state[1]
    for _ in range(n):
        F(z, Fz, F_data)
        {update}
        k += 1
"""
HELPER = """
def helper(z, a, y{more}):
    {body}
"""


class Counted:
    def __init__(self) -> None:
        self.calls = 0

    def __call__(self) -> int:
        self.calls += 1
        return -1 if self.calls < 10**6 else 1


def with_step(update: str, **scope: Any) -> Theorem:
    """Gradient steps whose update is this text, which sees these names."""
    entry = stated("elementary_gda_contraction", constrained=False)
    kernel = executed(TEXT.format(update=update), {"axpy": axpy, "np": np, **scope})["steps"]
    mine = dataclasses.replace(entry.iteration, kernel=kernel, constrained=False, reference=None)
    entry.__dict__["iteration"] = mine
    return entry


def helper(body: str, more: str = "") -> Any:
    return executed(HELPER.format(body=body, more=more), {"axpy": axpy})["helper"]


def status(entry: Theorem) -> str:
    return attempt(entry).status


@functools.wraps(axpy)
def wrapping(out, x, a, y):
    """The text of axpy, and its module, but not what it does beyond the fifth coordinate."""
    for i in range(out.shape[0]):
        out[i] = x[i] + (a if i < 5 else 0) * y[i]


FIVE = "for i in range(z.shape[0]):\n        z[i] = z[i] + (a if i < 5 else 0) * y[i]"
ALL = "for i in range(z.shape[0]):\n        z[i] = z[i] + a*y[i]"
SEEN = "SEEN[0] = SEEN[0] + 1; axpy(z, z, -params[0] if SEEN[0] < 10**6 else 1, Fz)"
# each is another method in some dimension or after some calls, or was refused by accident
OTHERWISE: dict[str, tuple[str, dict[str, Any]]] = {
    "a list": (SEEN, {"SEEN": [0]}),
    "an array": (SEEN, {"SEEN": np.zeros(1)}),
    "a dictionary": (SEEN, {"SEEN": {0: 0}}),
    "appended": ("S.append(1); axpy(z, z, -params[0] if S.count(1) < 10**6 else 1, Fz)", {"S": []}),
    "an object": ("axpy(z, z, params[0]*few(), Fz)", {"few": Counted()}),
    "an iterator": (
        "axpy(z, z, params[0]*(-1 if G.__next__() < 10**6 else 1), Fz)",
        {"G": itertools.count()},
    ),
    "chance": (
        "axpy(z, z, params[0]*(-1 if G.integers(10**9) else 1), Fz)",
        {"G": np.random.default_rng(0)},
    ),
    "a default": ("h(z, -params[0], Fz)", {"h": helper("axpy(z, z, a, y)", ", kept=(0, [0])")}),
    "str": ("axpy(z, z, -params[0] if str(z.shape[0]) != '9' else 1, Fz)", {}),
    "a string": ("axpy(z, z, -params[0] if f'{z.shape[0]}' != '9' else 1, Fz)", {}),
    "repr": ("axpy(z, z, -params[0] if '9' not in repr(z.shape[0]) else 1, Fz)", {}),
    "match": (
        "match z:\n            case [_, _, _, _, _]:\n                a = 1\n"
        "            case _:\n                a = -params[0]\n        axpy(z, z, a, Fz)",
        {},
    ),
    "try": (
        "a = -params[0]\n        try:\n            z[8]\n            a = 1\n"
        "        except Exception:\n            pass\n        axpy(z, z, a, Fz)",
        {},
    ),
    "is": ("axpy(z, z, -params[0] if k is not None else 1, Fz)", {}),
    "data": ("axpy(z, z, -params[0] if F_data.shape[0] != 9 else 1, Fz)", {}),
    "wrapped": ("wrapping(z, z, -params[0], Fz)", {"wrapping": wrapping}),
    "partial": ("h(z, -params[0], Fz)", {"h": functools.partial(helper(FIVE))}),
    "compiled": ("h(z, -params[0], Fz)", {"h": numba.njit(helper(FIVE))}),
    "a module": (
        "tools.step(z, -params[0], Fz)",
        {"tools": types.SimpleNamespace(step=helper(FIVE))},
    ),
    "helper": ("h(z, -params[0], Fz)", {"h": helper(FIVE)}),
}
READ = {
    "axpy": ("axpy(z, z, -params[0], Fz)", {}),
    "a module": ("kernels.axpy(z, z, -params[0], Fz)", {"kernels": opcheck.kernels}),
    "len": ("for i in range(len(z)):\n            z[i] -= params[0]*Fz[i]", {}),
    "ellipsis": ("z[...] = z - params[0]*Fz", {}),
    "numpy": ("z[:] = np.subtract(z, np.multiply(params[0], Fz))", {}),
    "a number": ("axpy(z, z, -ONE*params[0], Fz)", {"ONE": 1}),
    "a table": ("axpy(z, z, -TABLE[1]*params[0], Fz)", {"TABLE": (0, 1)}),
    "helper": ("h(z, -params[0], Fz)", {"h": helper("axpy(z, z, a, y)")}),
    "jitted": ("h(z, -params[0], Fz)", {"h": numba.njit(helper(ALL))}),
}


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("name", OTHERWISE)
def test_what_looks_elsewhere_is_not_proved(name: str) -> None:
    entry = with_step(OTHERWISE[name][0], **OTHERWISE[name][1])
    assert status(entry) == "not proved"
    with pytest.raises(OpcheckError):
        certify(entry, 1)


@pytest.mark.parametrize("name", READ)
def test_what_is_read_is_proved(name: str) -> None:
    assert status(with_step(READ[name][0], **READ[name][1])) == "proved"


KEPT = ("a list", "an array", "a dictionary", "appended", "an object", "an iterator", "chance")


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("name", KEPT)
def test_what_is_kept_outside_is_refused_before_it_runs(name: str) -> None:
    """F14: it need not have changed any answer yet."""
    method = with_step(OTHERWISE[name][0], **OTHERWISE[name][1]).iteration
    with pytest.raises(OpcheckError, match="changes something outside of its rows"):
        guard_method(method)


def without_a_text() -> Method:
    scope: dict[str, Any] = {"axpy": axpy}
    exec(TEXT.format(update="axpy(z, z, -params[0] if n < 10**9 else 1, Fz)"), scope)
    base = stated("elementary_gda_contraction").iteration
    return dataclasses.replace(base, kernel=scope["steps"], constrained=False, reference=None)


def test_a_kernel_without_a_text_is_refused() -> None:
    """It escaped the check of how it uses n."""
    with pytest.raises(OpcheckError, match="the text of steps can't be read"):
        guard_method(without_a_text())


def test_a_text_is_that_of_the_code_that_runs() -> None:
    honest = executed(TEXT.format(update="axpy(z, z, -params[0], Fz)"), {"axpy": axpy})["steps"]
    other = executed(TEXT.format(update="axpy(z, z, params[0], Fz)"), {"axpy": axpy})["steps"]
    assert "-params" in source(honest)
    honest.__code__ = other.__code__.replace(co_filename=honest.__code__.co_filename)
    fresh = types.FunctionType(honest.__code__, honest.__globals__)
    assert parsed(fresh) is None
    assert source(fresh) == ""


def test_a_wrapper_has_its_own_text() -> None:
    assert "i < 5" in source(wrapping)
    read(axpy)
