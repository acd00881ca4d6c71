"""Whatever a user has, as a problem: a family, a file, a function, a matrix or a formula."""

from __future__ import annotations

import inspect
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from opcheck import registry
from opcheck.arguments import asked, integer
from opcheck.engine import run as engine
from opcheck.engine.guard import first_look, guard
from opcheck.errors import OpcheckError
from opcheck.evidence.operators.constraint import constrained_to, solves
from opcheck.evidence.operators.matrix_file import READERS, is_matrix_file, matrix_in, real_matrix
from opcheck.evidence.operators.solutions import moved_start, with_solution
from opcheck.model import grammar
from opcheck.model.method import Method
from opcheck.model.operator import Operator, Resolvent, linear, operator
from opcheck.model.problem import Family, Problem, Region, as_point, as_region
from opcheck.model.problem import problem as problem_named
from opcheck.model.property import KINDS
from opcheck.model.symbolic import ELEMENTARY, minmax
from opcheck.model.text import text
from opcheck.model.written import call_of, schedule_of
from opcheck.watchdog import TooLong

DIMENSIONS = (*range(2, 33), 1)  # tried in turn where a function doesn't say its own
MOST = 1_000_000  # coordinates of a function; one look at it takes hundreds of vectors
TRYING = 5.0  # seconds for which dimensions are tried
PLAYER = re.compile(r"[xy]\d*")
ENDING = re.compile(r"\.[A-Za-z_]\w*$")  # of a file's name
OF_RUN = frozenset(inspect.signature(engine.run).parameters) - {"parameters"}
Given = Any  # a name, a Problem, a Family, an Operator, a function, or a matrix


def subject(
    target: Given,
    *,
    start: Sequence[float] | None = None,
    dim: int | None = None,
    region: Region | float | str | None = None,
    parameters: Mapping[str, Any] = {},
    constraint: str | Resolvent | None = None,
    game: bool = False,
    on_read: Callable[[Problem], None] = lambda problem: None,
) -> Problem:
    """The problem that somebody means, with a zero found where none is known.

    Args:
        target: a Problem, an Operator, a family, a function ``F(z)`` or ``F(z, out, data)``, a
            matrix (dense or scipy sparse); or a text: a registered family, ``bilinear``, also at
            parameters, ``bilinear(L=2)``; ``FILE.py`` or ``FILE.py:NAME``, where NAME is any of
            these; a matrix file (.npy, .npz, .mtx, .mtx.gz, .csv, .mat); or a payoff in x and y (or
            x0, x1, ..., y0, ...) that x minimises and y maximises, as ``"x*y + x**2/2"``.
        start: z⁰; default the family's own, else a point that is no zero.
        dim: of a function that works in several; default the least of 2, 3, ..., 32, 1 that works.
        region: that is looked at, or r for ‖z‖∞ ≤ r, or a text such as ``[.2,2]x[-1,1]``.
        parameters: of the family, or values for other symbols of a payoff.
        constraint: A, as ``box:-1,1`` or ``simplex`` or a Resolvent, in place of the problem's.
        game: a matrix M is a payoff xᵀMy on two simplices, not F(z) = Mz.
        on_read: called with the problem as it is read, before a start and a solution are sought.

    Raises OpcheckError for anything else, with what to do. A Problem without further wishes is
    taken as it is.
    """
    wishes = start is not None or region is not None or constraint is not None
    if isinstance(target, Problem) and not (wishes or parameters or game or dim is not None):
        on_read(target)
        return target
    if game and constraint is not None:
        raise OpcheckError("a game is played on two simplices; leave out the set, or the game")
    if dim is not None and dim < 1:
        raise OpcheckError(f"dim = {dim} must be a whole number from 1 on")
    if dim is not None and start is not None and len(start) != dim:
        raise OpcheckError(f"dim = {dim}, and the start has {len(start)} coordinates")
    stated, dim = dim, len(start) if start is not None else dim
    if dim is not None and dim > MOST:
        raise OpcheckError(f"dim = {dim} is more than the {MOST} coordinates that opcheck looks at")
    problem = _problem(target, dim, dict(parameters), game)
    if stated is not None and problem.dim != stated:
        raise OpcheckError(
            f"dim = {stated}: {problem.name!r} has {problem.dim} coordinates, and only a function "
            "works in several; leave dim out"
        )
    if constraint is not None:
        problem = constrained_to(problem, constraint)
    if region is not None:
        problem = replace(problem, region=as_region(region, problem.dim))
    on_read(problem)
    if start is not None:
        problem = replace(problem, start=as_point(start, problem))
    elif problem.start.size == 0 or (constraint is not None and solves(problem, problem.start)):
        problem = replace(problem, start=moved_start(problem))
    guard(problem)
    return with_solution(problem)


@asked
def run(
    method: str | Method,
    problem: Given,
    iterations: int = 1000,
    **options: Any,
) -> engine.Trajectory:
    """Run a method on what ``subject`` takes; a parameter may be a formula, also in k.

    Args:
        method: as in ``rapp``, ``lookahead(extragradient)`` or ``FILE.py:NAME``.
        problem: whatever ``subject`` takes.
        options: as ``opcheck.engine.run.run`` has them, and the method's parameters: numbers, texts
            as ``"1/L"`` with the constants and parameters that are known of the problem, and for a
            sequence a list, a text as ``"1/(k + 2)"`` or a function of k.

    Raises OpcheckError as both do.
    """
    target = subject(problem)
    values = {n: options.pop(n) for n in list(options) if n not in OF_RUN}
    return engine.run(
        method,
        target,
        iterations,
        **options,
        **method_values(values, target, integer(iterations, "iterations") + 1),
    )


def method_values(
    values: Mapping[str, Any], problem: Problem, length: int = 1, only_numbers: bool = False
) -> dict[str, Any]:
    """Parameters with their formulas and functions evaluated for a run of so many steps.

    Constants that a formula names are searched for where none are stated.

    Raises OpcheckError for a symbol that has no value here; k has none where ``only_numbers``.
    """
    symbols = _known(problem)
    asked = {n for v in values.values() if isinstance(v, str) for n in text(v).names}
    if not problem.facts and asked & {kind.symbol for kind in KINDS} - symbols.keys():
        from opcheck.evidence.operators.relied_on import (
            with_constants,  # which itself confronts subjects
        )

        symbols = _known(with_constants(problem))
    evaluated = {n: schedule_of(v, n, length, symbols) for n, v in values.items()}
    for name, value in evaluated.items() if only_numbers else ():
        if isinstance(value, list) and not isinstance(values[name], list):
            raise OpcheckError(f"{name} = {values[name]} depends on k; a theorem's is a number")
        if isinstance(value, int | float) and not np.isfinite(value):
            raise OpcheckError(f"{name} = {value} is not finite")
    return evaluated


def _known(problem: Problem) -> dict[str, float]:
    """What a formula may use: parameters of the problem, and the constants of F."""
    of_F = {
        fact.property.kind.symbol: problem.constant(fact)
        for fact in problem.all_facts()
        if fact.property.kind.symbol and fact.property.kind.better and fact.property.of == "F"
    }
    return {**problem.parameters, **of_F}


def parameters_of(reference: str) -> set[str]:
    """Names of the parameters that a problem takes: its family's, or a payoff's other symbols."""
    family = family_of(reference)
    if family is not None:
        return set(family.parameters())
    if _is_text(reference):
        words = set(re.findall(r"[A-Za-z_]\w*", reference))
        return {w for w in words - {*ELEMENTARY, "pi"} if not PLAYER.fullmatch(w)}
    return set()


def subject_and_rest(
    target: str, parameters: Mapping[str, Any], **wishes: Any
) -> tuple[Problem, dict[str, Any]]:
    """The subject with its own of some parameters, and the others, which are the method's.

    ``problem.NAME`` is the subject's where both have a NAME. Raises OpcheckError as ``subject``.
    """
    own = parameters_of(target)
    of_subject, rest = {}, {}
    for key, value in parameters.items():
        short = key.removeprefix("problem.")
        if short in own or short != key:
            of_subject[short] = value
        else:
            rest[key] = value
    return subject(target, parameters=of_subject, **wishes), rest


def is_subject(reference: str) -> bool:
    """Whether a text is more than a name: a file, a payoff, or a family at parameters."""
    called = call_of(reference)
    named = called is not None and called[0] in registry.names("problems")
    return named or _file_parts(reference)[1] or is_matrix_file(reference) or _is_text(reference)


def family_of(reference: str) -> Family | None:
    """The registered family that a text names, in the library or in a file; None for another."""
    path, in_file, name = _file_parts(reference)
    called = call_of(name)
    name = called[0] if called else name
    if not in_file:
        known = name in registry.names("problems")
        return registry.get("problems", name) if known else None
    registry.load()
    module = registry.load_file(path)
    families = _families(path)
    if not name and len(families) == 1:
        return next(iter(families.values()))
    if name and isinstance(getattr(module, name, None), Family):
        return getattr(module, name)  # type: ignore[no-any-return]
    return families.get(name)


def _file_parts(reference: str) -> tuple[str, bool, str]:
    """Path, whether it is one, and the name after it."""
    if reference.endswith(".py"):
        return reference, True, ""
    path, colon, name = reference.partition(".py:")
    return (path + ".py", True, name) if colon else ("", False, reference)


def _is_text(reference: str) -> bool:
    """Whether a reference is a payoff, and neither a file nor a name."""
    if _file_parts(reference)[1] or is_matrix_file(reference) or family_of(reference) is not None:
        return False
    if _is_place(reference):
        return False
    return any(sign in reference for sign in "+-*/(^") or PLAYER.fullmatch(reference) is not None


def _is_place(reference: str) -> bool:
    """Whether a reference is a folder, or a file of an ending that isn't read, there or not.

    Neither a formula nor a name ends in a dot and letters.
    """
    return ENDING.search(reference) is not None or Path(reference).is_dir()


def _not_read(reference: str) -> str:
    """What to give in place of a folder, or of a file of an ending that isn't read."""
    path = Path(reference)
    read = f"a problem is read from .py, or a matrix from {' '.join(READERS)}"
    if path.is_dir():
        return f"{reference!r} is a folder; name a file in it: {read}"
    if not path.exists():
        return f"no file {reference!r}; {read}"
    mend = "save its function as a .py file" if path.suffix == ".ipynb" else "write it as one"
    return f"{reference!r} is not read as a problem: {read}; {mend}"


def _problem(target: Given, dim: int | None, parameters: dict[str, Any], game: bool) -> Problem:
    name = target if isinstance(target, str) else ""
    value = target
    if isinstance(target, str):
        family = family_of(target)
        if family is not None:
            called = call_of(_file_parts(target)[2])
            given_twice = sorted((called[2] if called else {}).keys() & parameters.keys())
            if given_twice or (called and called[1]):
                raise OpcheckError(f"{target!r} gives a value twice, or one without its name")
            value = family
            parameters = {**(called[2] if called else {}), **parameters}
        elif _file_parts(target)[1]:
            path, _, rest = _file_parts(target)
            rest, value = _in_file(path, rest)
            name = rest if _file_parts(target)[2] else Path(path).stem
        elif is_matrix_file(target):
            value, name = matrix_in(target), Path(target).name
        elif _is_text(target):
            called = call_of(target)
            if called is not None and called[0] not in ELEMENTARY:
                registry.get("problems", called[0])  # says that it does not exist
            value, parameters = _payoff(target, parameters), {}
        elif _is_place(target):
            raise OpcheckError(_not_read(target))
        else:
            return problem_named(target, **parameters)  # says that it does not exist
    if isinstance(value, Family):
        value, parameters = value(**_typed(value, parameters)), {}
    if parameters:
        raise OpcheckError(
            f"{name or _kind(value)} takes no parameter {next(iter(parameters))!r}; only a problem "
            "family or a payoff does"
        )
    matrix = isinstance(value, np.ndarray | list | tuple) or hasattr(value, "tocsr")
    if game and not matrix:
        raise OpcheckError(f"a game needs a matrix of payoffs, and {name or _kind(value)} is none")
    if isinstance(value, Problem):
        return value
    if isinstance(value, Operator):
        return Problem(value, name=name or "operator", doc=f"F = {value.formula}")
    if matrix:
        return _of_matrix(value, name or "matrix", game)
    if isinstance(value, type) or not callable(value):
        raise OpcheckError(
            f"{name or repr(value)[:60]} is {_kind(value)}; give a function F(z, out, data) or "
            "F(z), a matrix, an operator, a problem, or the name of one"
        )
    return _function(value, name or getattr(value, "__name__", "F"), dim)


def _typed(family: Family, values: Mapping[str, Any]) -> dict[str, Any]:
    """Numbers as the family's defaults are: a count as an int where it is whole, else a float."""
    defaults, typed = family.parameters(), {}
    for name, value in values.items():
        value = _one_number(value, name) if isinstance(value, str) else value
        if isinstance(value, int | float) and isinstance(defaults.get(name), int | float):
            counts = isinstance(defaults[name], int) and float(value).is_integer()
            value = int(value) if counts else float(value)
        typed[name] = value
    return typed


def _kind(value: Any) -> str:
    return type(value).__name__


def _payoff(source: str, parameters: Mapping[str, Any]) -> Problem:
    words = sorted({w for w in re.findall(r"[A-Za-z_]\w*", source) if PLAYER.fullmatch(w)})
    formula, sizes = source, {}
    for player in "xy":
        numbered = [int(w[1:]) for w in words if w[0] == player and len(w) > 1]
        if numbered and player in words:
            raise OpcheckError(f"{source!r} has {player} and {player}{numbered[0]}; write one kind")
        sizes[player] = 1 + max(numbered, default=0)
        if numbered == [0]:  # a player of one dimension has no number
            formula = re.sub(rf"\b{player}0\b", player, formula)
    symbols = {n: _one_number(v, n) for n, v in parameters.items()}
    for symbol, value in symbols.items():
        if symbol not in parameters_of(source):
            raise OpcheckError(f"{source!r} has no symbol {symbol!r} to give a value")
        if not np.isfinite(value):
            raise OpcheckError(f"{symbol} = {value} in {source!r} is not finite")
    grammar.checked(grammar.parse(source))
    F = minmax(formula, sizes["x"], sizes["y"], **symbols)
    doc = "a payoff, read as F = (gradient in x, −gradient in y) of min over x, max over y"
    return Problem(F, name=source, doc=doc, parameters=symbols)


def _one_number(value: Any, name: str) -> float:
    """A parameter that is one number. Raises OpcheckError for anything else."""
    number = schedule_of(value, name, 1)
    if isinstance(number, bool) or not isinstance(number, int | float | np.number):
        raise OpcheckError(f"{name} = {value!r} must be a number")
    return float(number)


def _of_matrix(value: Any, name: str, game: bool) -> Problem:
    matrix = value if _holds_texts(value) else real_matrix(value, name)
    if game:
        return _game(matrix, name)
    rows, columns = (len(matrix), len(matrix[0])) if isinstance(matrix, list) else matrix.shape
    if rows != columns:
        raise OpcheckError(
            f"{name} is {rows} × {columns}, and F(z) = Mz needs a square matrix; --game takes it "
            "as the payoff of a game on two simplices (game=True in Python)"
        )
    kind = "sparse, " if hasattr(matrix, "tocsr") else ""
    doc = (
        f"{name}, {kind}{rows} × {columns}, read as F(z) = Mz; --game reads it as the payoff of a "
        "game on two simplices"
    )
    return Problem(linear(matrix), name=name, doc=doc)


def _holds_texts(value: Any) -> bool:
    """Whether a matrix is one of nested lists with formulas in it."""
    rows = isinstance(value, list | tuple) and all(isinstance(r, list | tuple) for r in value)
    return rows and any(isinstance(entry, str) for row in value for entry in row)


def _game(matrix: Any, name: str) -> Problem:
    """min over x, max over y of xᵀMy with x and y mixed strategies: F = (My, −Mᵀx)."""
    from scipy.sparse import block_array

    if _holds_texts(matrix):
        raise OpcheckError(f"{name} holds formulas; a game needs numbers")
    m, n = matrix.shape
    if hasattr(matrix, "tocsr"):
        F = linear(block_array([[None, matrix], [-matrix.T, None]], format="csr"))
    else:
        M = np.asarray(matrix, dtype=float)
        F = linear(np.block([[np.zeros((m, m)), M], [-M.T, np.zeros((n, n))]]))
    doc = (
        f"{name}, {m} × {n}, read as the payoff xᵀMy of a game: x minimises over the simplex of "
        f"R^{m}, y maximises over that of R^{n}"
    )
    simplices = registry.get("sets", "simplices").function(m, n)
    return Problem(F, simplices, name=f"{name} as a game", doc=doc)


def _in_file(path: str, name: str) -> tuple[str, Any]:
    """What a file holds under a name, or alone, with its name."""
    registry.load()
    module = registry.load_file(path)
    families = _families(path)
    held = dict.fromkeys([*families, *_candidates(module)])
    file = Path(path).name
    if name:
        if name in families:
            return name, families[name]
        if not name.isidentifier() or not hasattr(module, name):
            near = ", ".join(held) or "nothing that could be checked"
            raise OpcheckError(f"{file} has no {name!r}; it has {near}")
        return name, getattr(module, name)
    names = list(families) or _made_of_others(module, list(held))
    misfits = dict(_misfits(module))
    # what stands beside a misfit F, a matrix say, is not meant; what is made of a class F may be
    own = vars(module)
    made_of_it = any(type(own.get(name)) is own.get("F") for name in names)
    if "F" in misfits and not families and not made_of_it:
        raise OpcheckError(f"in {file}, F {misfits['F']}; write F(z, out, data) or F(z)")
    if not names:
        near = "".join(f" ({name} {what})" for name, what in list(misfits.items())[:3])
        raise OpcheckError(
            f"{file} holds nothing that could be checked{near}; define a function "
            "F(z, out, data) or F(z), a matrix, or a problem family"
        )
    if len(names) > 1:
        raise OpcheckError(f"{file} holds {', '.join(names)}; name one as {path}:{names[0]}")
    return names[0], families.get(names[0]) or getattr(module, names[0])


def _made_of_others(module: Any, names: list[str]) -> list[str]:
    """The problems among what a file holds; else the operators; else all, as they stand.

    A problem is made of an operator, and that of a function, which stand beside it.
    """
    for kind in (Problem, Operator):
        if narrower := [name for name in names if isinstance(getattr(module, name), kind)]:
            return narrower
    return names


def _families(path: str) -> dict[str, Family]:
    """The problem families that a file has registered, by name."""
    here = str(Path(path).resolve())
    places = {n: registry.place("problems", n) for n in registry.names("problems")}
    names = [n for n, place in places.items() if place.rpartition(":")[0] == here]
    return {n: registry.get("problems", n) for n in names}


def _candidates(module: Any) -> Iterator[str]:
    """Names of a file's own public operators, matrices, and functions of one or three arguments."""
    for name, value in vars(module).items():
        if name.startswith("_"):
            continue
        # a function, or an instance of a class that is called as one
        text = value if inspect.isfunction(value) else type(value)
        own = callable(value) and not isinstance(value, type) and text.__module__ == module.__name__
        fits = own and len(inspect.signature(value).parameters) in (1, 3)
        matrix = isinstance(value, np.ndarray) and value.ndim == 2
        sparse = hasattr(value, "tocsr") and not isinstance(value, type)
        if fits or matrix or sparse or isinstance(value, Operator | Problem):
            yield name


def _misfits(module: Any) -> Iterator[tuple[str, str]]:
    """A file's own public functions and classes that can't be an operator, each with why."""
    for name, value in vars(module).items():
        if name.startswith("_") or getattr(value, "__module__", None) != module.__name__:
            continue
        if isinstance(value, type):
            yield name, "is a class"
        elif inspect.isfunction(value):
            parameters = inspect.signature(value).parameters.values()
            if len(parameters) not in (1, 3):
                yield name, f"takes {len(parameters)} argument{'s' * (len(parameters) != 1)}"


def _function(function: Any, name: str, dim: int | None) -> Problem:
    """The function in the dimension asked for, else in the first whose points it takes."""
    doc, begun = f"the function {name} as F", time.monotonic()
    reasons: list[str] = []
    if dim is not None:
        return Problem(operator(function, dim), name=name, doc=doc)
    for d in DIMENSIONS:
        if time.monotonic() - begun > TRYING:
            raise OpcheckError(
                f"{name!r} is slow, and none of the dimensions tried in {TRYING:g} s fits, 2 to "
                f"{d - 1}: give --dim, or --start with a point; in 2, {reasons[0]}"
            )
        problem = Problem(operator(function, d), name=name, doc=doc)
        try:
            first_look(problem, np.ones(d))
            return problem
        except TooLong:
            raise
        except OpcheckError as error:
            reasons.append(str(error))
    if len({re.sub(r"[^A-Za-z]+", " ", reason) for reason in reasons}) == 1:
        raise OpcheckError(reasons[0])  # whatever the dimension
    raise OpcheckError(
        f"{name!r} works in none of the dimensions 1 to {max(DIMENSIONS)}; in 2, {reasons[0]} "
        "(give --dim, or --start with a point)"
    )
