"""Whatever a user has, as a problem: a family, a file, a function, a matrix or a formula."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from opcheck import registry
from opcheck.engine.guard import guard
from opcheck.errors import OpcheckError
from opcheck.evidence.solutions import moved_start, with_solution
from opcheck.model.operator import Operator, linear, operator
from opcheck.model.problem import Family, Problem, Region, as_point, as_region
from opcheck.model.problem import problem as problem_named
from opcheck.model.symbolic import minmax

MATRICES = (".npy", ".npz", ".mtx")
DIMENSIONS = (*range(2, 33), 1)  # tried in turn where a function doesn't say its own


def subject(
    reference: str,
    start: Sequence[float] | None = None,
    dim: int | None = None,
    region: Region | float | str | None = None,
) -> Problem:
    """The problem that a reference names, with a zero found where none is known.

    Args:
        reference: a registered family; ``FILE.py`` or ``FILE.py:NAME``, where NAME is a registered
            family, an operator, a problem, a matrix, or a function ``F(z, out, data)`` or ``F(z)``;
            a matrix file (.npy, .npz, .mtx); or a payoff in x and y, as ``"x*y + x**2/2"``.
        start: z⁰; default the family's own, else ones.
        dim: of a function that works in several; default the least of 2, 3, ..., 32, 1 that works.
        region: that is looked at, or r for ‖z‖∞ ≤ r, or a text such as ``[.2,2]x[-1,1]``.

    Raises OpcheckError for anything else, with what to do.
    """
    if start is not None:
        dim = len(start)
    found = _found(reference, dim)
    made = found if isinstance(found, Problem) else _problem(found, reference, dim)
    if region is not None:
        made = replace(made, region=as_region(region, made.dim))
    if start is not None:
        made = replace(made, start=as_point(start, made))
    elif made.start.size == 0 or not isinstance(found, Problem | Family):
        made = replace(made, start=moved_start(made))
    guard(made)
    return with_solution(made)


def _found(reference: str, dim: int | None) -> Any:
    path = Path(reference)
    if path.suffix in MATRICES:
        return _matrix(path)
    if reference.endswith(".py") or ".py:" in reference:
        return _in_file(reference)
    if reference in registry.names("problems"):
        return problem_named(reference)
    if any(sign in reference for sign in "+-*/("):
        return minmax(reference)
    return problem_named(reference)  # says that it does not exist


def _matrix(path: Path) -> Any:
    if not path.is_file():
        raise OpcheckError(f"no file {str(path)!r}; give the path of a matrix file")
    try:
        if path.suffix == ".mtx":
            from scipy.io import mmread

            return mmread(path)
        if path.suffix == ".npy":
            return np.load(path, allow_pickle=False)
        with np.load(path, allow_pickle=False) as archive:
            names = list(archive)
            if "indptr" not in names:
                if len(names) != 1:
                    raise OpcheckError(
                        f"{path.name} holds {len(names)} arrays ({', '.join(names)}); "
                        "save the matrix alone"
                    )
                return archive[names[0]]
        from scipy.sparse import load_npz

        return load_npz(path)
    except (ValueError, OSError, EOFError) as error:
        raise OpcheckError(f"{path.name} is not a matrix file: {error}") from error


def _in_file(reference: str) -> Any:
    path, _, name = reference.partition(".py:")
    file = path if path.endswith(".py") else path + ".py"
    registry.load()
    module = registry.load_file(file)
    families = {n: registry.get("problems", n) for n in _registered(file)}
    if name:
        if name in families:
            return families[name]()
        if not hasattr(module, name):
            near = ", ".join([*families, *_candidates(module)]) or "nothing that could be checked"
            raise OpcheckError(f"{Path(file).name} has no {name!r}; it has {near}")
        return getattr(module, name)
    if len(families) == 1:
        return next(iter(families.values()))()
    names = list(families) or list(_candidates(module))
    if not names:
        raise OpcheckError(
            f"{Path(file).name} holds nothing that could be checked; define a function "
            "F(z, out, data) or F(z), a matrix, or a problem family"
        )
    if len(names) > 1:
        raise OpcheckError(
            f"{Path(file).name} holds {', '.join(names)}; name one as {file}:{names[0]}"
        )
    return getattr(module, names[0]) if not families else families[names[0]]()


def _registered(file: str) -> list[str]:
    here = str(Path(file).resolve())
    places = {n: registry.place("problems", n) for n in registry.names("problems")}
    return [n for n, place in places.items() if place.rpartition(":")[0] == here]


def _candidates(module: Any) -> list[str]:
    """Names of a file's own public operators, matrices, and functions of one or three arguments."""
    found = []
    for name, value in vars(module).items():
        if name.startswith("_"):
            continue
        own = inspect.isfunction(value) and value.__module__ == module.__name__
        fits = own and len(inspect.signature(value).parameters) in (1, 3)
        square = isinstance(value, np.ndarray) and value.ndim == 2
        if fits or square or isinstance(value, Operator | Problem):
            found.append(name)
    return found


def _problem(found: Any, reference: str, dim: int | None) -> Problem:
    name = Path(reference.replace(".py:", "/")).stem if not _is_formula(reference) else reference
    if isinstance(found, Family):
        return found()
    if isinstance(found, Operator):
        return Problem(name, found)
    if isinstance(found, np.ndarray | list) or hasattr(found, "tocsr"):
        return Problem(name, linear(found))
    if not callable(found):
        raise OpcheckError(
            f"{reference} is {type(found).__name__}; give a function F(z, out, data) or F(z), a "
            "matrix, an operator or a problem"
        )
    return _function(found, name, dim)


def _is_formula(reference: str) -> bool:
    return ".py" not in reference and Path(reference).suffix not in MATRICES


def _function(function: Any, name: str, dim: int | None) -> Problem:
    reasons = []
    for d in (dim,) if dim is not None else DIMENSIONS:
        made = Problem(name, operator(function, d), start=np.ones(d))
        try:
            guard(made)
            return made
        except OpcheckError as error:
            reasons.append(str(error))
    if dim is not None:
        raise OpcheckError(reasons[0])
    raise OpcheckError(
        f"{name!r} works in none of the dimensions 1 to {max(DIMENSIONS)}; in 2, {reasons[0]} "
        "(give --dim, or --start with a point)"
    )
