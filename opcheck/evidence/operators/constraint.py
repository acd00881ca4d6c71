"""A constraint set or regulariser as people name it, fitted to a problem."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from opcheck import registry
from opcheck.errors import OpcheckError
from opcheck.model.operator import Resolvent
from opcheck.model.problem import Problem
from opcheck.model.written import arguments, fitted

ZERO = 1e-9  # relative; a natural residual below it is taken for 0
SHORT = {"nonneg": "orthant"}


def set_of(reference: str, dim: int) -> Resolvent:
    """The resolvent of a registered set with its arguments; what depends on d is filled in.

    Args:
        reference: ``simplex``, ``box:-1,1``, ``ball:0,0:1`` (a vector has commas, arguments have
            colons between them), ``half_space(a=(1, 1), b=0)``, or any of these after ``FILE.py:``.
        dim: d, the number of coordinates that it must act on.

    Raises OpcheckError for an unknown set, arguments that it doesn't take, or another dimension.
    """
    path, in_file, rest = reference.partition(".py:")
    call = arguments(rest if in_file else reference)
    name = call[0]
    if in_file:
        registry.load()
        module = registry.load_file(path + ".py")
        if not hasattr(module, name):
            raise OpcheckError(f"{path}.py has no {name!r}")
        function = getattr(module, name)
    else:
        function = registry.get("sets", SHORT.get(name, name)).function
    if isinstance(function, Resolvent):
        return _of_dimension(function, reference, dim)
    if not callable(function):
        raise OpcheckError(f"{reference} is {type(function).__name__}, and no set")
    values = fitted(function, call, vectors_first="(" not in reference)
    J = _made(function, reference, values)
    if J.dim in (0, dim):
        return J
    for filled in _filled(function, values, dim):
        try:
            other = _made(function, reference, filled)
        except OpcheckError:
            continue
        if other.dim in (0, dim):
            return other
    return _of_dimension(J, reference, dim)


def _of_dimension(J: Resolvent, reference: str, dim: int) -> Resolvent:
    if J.dim not in (0, dim):
        raise OpcheckError(f"the set {reference} has {J.dim} coordinates, and the operator {dim}")
    return J


def _made(function: Callable[..., Any], reference: str, values: dict[str, Any]) -> Resolvent:
    try:
        J = function(**values)
    except (TypeError, ValueError) as error:
        raise OpcheckError(f"the set {reference} can't be made: {error}") from error
    if not isinstance(J, Resolvent):
        raise OpcheckError(f"{reference} makes {type(J).__name__}, and no set")
    return J


def _filled(function: Callable[..., Any], values: dict[str, Any], dim: int) -> list[dict[str, Any]]:
    """The arguments that are left out, as they may follow from d: counts, and constant vectors."""
    free = {n: p for n, p in inspect.signature(function).parameters.items() if n not in values}
    counts = [n for n, p in free.items() if isinstance(p.default, int)]
    vectors = {
        n: np.full(dim, p.default[0])
        for n, p in free.items()
        if isinstance(p.default, tuple)
        and all(isinstance(v, int | float) and v == p.default[0] for v in p.default)
    }
    tries: list[dict[str, Any]] = [{**values, **vectors}] if vectors else []
    sizes = range(1, dim + 1) if counts else ()
    return [*tries, *({**values, **vectors, **dict.fromkeys(counts, n)} for n in sizes)]


def constrained_to(problem: Problem, constraint: str | Resolvent) -> Problem:
    """The problem with A in place of its own: facts of F stay, of A and S go; so does a solution
    that is none any more.

    Raises OpcheckError as ``set_of`` does.
    """
    J = (
        set_of(constraint, problem.dim)
        if isinstance(constraint, str)
        else _of_dimension(constraint, constraint.name, problem.dim)
    )
    constrained = replace(
        problem,
        resolvent=J,
        start=J(problem.start) if problem.start.size else problem.start,
        project=None,
        facts=tuple(f for f in problem.facts if f.property.of in ("F", "T")),
    )
    stays = problem.solution is not None and solves(constrained, problem.solution)
    return constrained if stays else replace(constrained, solution=None)


def solves(problem: Problem, z: NDArray[np.float64]) -> bool:
    """Whether the natural residual z − J(z − F z) is 0 up to rounding."""
    with np.errstate(all="ignore"):
        value = problem.operator(z)
        reached = problem.resolvent(z - value) if problem.constrained else z - value
    size = 1 + float(np.linalg.norm(z)) + float(np.linalg.norm(value))
    return bool(np.linalg.norm(z - reached) <= ZERO * size)
