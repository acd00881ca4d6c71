"""What is checked of a foreign operator: before it runs compiled, and while it runs interpreted."""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np

from opcheck.engine.jit import TRUSTED
from opcheck.errors import OpcheckError
from opcheck.model.operator import Vector
from opcheck.model.problem import Problem, points


def guard(problem: Problem) -> None:
    """Run a foreign operator interpreted, on fresh arrays, at the start and a few points about it.

    Raises OpcheckError, naming the operator and the mend, if it raises, indexes past an end,
    returns NaN, leaves entries unset, changes its input, or answers twice differently.
    """
    kernel = problem.operator.kernel
    if (getattr(kernel, "__module__", None) or "").partition(".")[0] not in TRUSTED:
        _guard(problem.name, _Key(problem))


class _Key:
    """A problem that compares by what its operator computes."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        op = problem.operator
        self.identity = (op.kernel, op.data.tobytes(), problem.start.tobytes(), problem.region)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Key) and self.identity == other.identity

    def __hash__(self) -> int:
        return hash(self.identity)


@functools.lru_cache(maxsize=256)
def _guard(name: str, key: _Key) -> None:
    problem = key.problem
    near = problem.start + 0.01 * np.random.default_rng(0).standard_normal((2, problem.dim))
    inside = points(problem, 1, np.random.default_rng(0)) if problem.region else near[:0]
    for z in np.concatenate([problem.start[None], near, inside]):
        first, second = _call(problem, z, 0.0), _call(problem, z, 1.0)
        if not np.isfinite(first).all():
            raise OpcheckError(
                f"the operator of {name!r} returns {first.tolist()} at {z.tolist()}; "
                "it must be finite there"
            )
        if not np.array_equal(first, second):
            again = _call(problem, z, 0.0)
            if np.array_equal(first, again):
                raise OpcheckError(
                    f"the operator of {name!r} leaves entries of out unset or adds to what is "
                    "there; write every out[i]"
                )
            raise OpcheckError(
                f"the operator of {name!r} is not deterministic: at {z.tolist()} it returns "
                f"{first.tolist()} and then {again.tolist()}; draw noise outside the operator"
            )


def _call(problem: Problem, z: Vector, fill: float) -> Vector:
    op, name = problem.operator, problem.name
    point, data = z.copy(), op.data.copy()
    out = np.full(problem.dim, fill)
    try:
        op.kernel(point, out, data)
    except OpcheckError:
        raise
    except Exception as error:
        raise blame(problem, error, z) from error
    if not np.array_equal(point, z):
        raise OpcheckError(f"the operator of {name!r} changes its input z; write only to out")
    if not np.array_equal(data, op.data, equal_nan=True):
        raise OpcheckError(f"the operator of {name!r} changes its data; data is read-only")
    return out


def blame(problem: Problem, error: Exception, z: Vector | None = None) -> OpcheckError:
    """What an operator raised, at z or somewhere in a compiled run, as an error that names it."""
    op, name = problem.operator, problem.name
    where = "in the run" if z is None else f"at {z.tolist()}"
    if isinstance(error, IndexError):
        return OpcheckError(
            f"the operator of {name!r} reads or writes past an array {where}: {error}; "
            f"z and out have {problem.dim} entries, data {op.data.size}"
        )
    return OpcheckError(f"the operator of {name!r} raises {type(error).__name__} {where}: {error}")


def watched(problem: Problem) -> Callable[[Vector, Vector, Vector], None]:
    """The operator's text with inputs that are read-only, as the compiled signature has them."""

    def F(z: Vector, out: Vector, data: Vector) -> None:
        point, constants = z.view(), data.view()
        point.flags.writeable = constants.flags.writeable = False
        try:
            problem.operator.kernel(point, out, constants)
        except OpcheckError:
            raise
        except Exception as error:
            raise blame(problem, error, z) from error

    return F
