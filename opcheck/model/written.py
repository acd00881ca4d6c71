"""What people write for things with arguments, as ``thesis_game(a=2)``, ``box:-1,1``, ``1/k``."""

from __future__ import annotations

import ast
import contextlib
import inspect
import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from opcheck.errors import OpcheckError
from opcheck.model.text import FLOAT, text

Call = tuple[str, list[Any], dict[str, Any]]
LIMIT = 1_000_000  # entries of a schedule


def call_of(source: str) -> Call | None:
    """Name, positional and named arguments of ``NAME(ARGUMENTS)``; None for anything else.

    Arguments are numbers (or formulas of numbers), words, and nested brackets of them.
    """
    try:
        tree = ast.parse(source.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    if not isinstance(tree, ast.Call) or not isinstance(tree.func, ast.Name):
        return None
    if any(word.arg is None for word in tree.keywords):
        return None
    try:
        named = {str(word.arg): _literal(word.value) for word in tree.keywords}
        return tree.func.id, [_literal(a) for a in tree.args], named
    except OpcheckError:
        return None


def _literal(node: ast.expr) -> Any:
    if isinstance(node, ast.Tuple | ast.List):
        return [_literal(part) for part in node.elts]
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float | str):
        return node.value
    if isinstance(node, ast.Name) and node.id not in ("pi", "inf", "nan"):
        return node.id
    if isinstance(node, ast.Call) and node.keywords + node.args and not _formula(node):
        return ast.unparse(node)  # a thing with arguments of its own
    return number(ast.unparse(node))


def _formula(node: ast.Call) -> bool:
    """Whether a call is a function's that formulas know, as ``sqrt(2)``."""
    try:
        text(ast.unparse(node))
    except OpcheckError:
        return False
    return True


def number(source: str) -> float | int:
    """The number that a formula without symbols is, as ``1/2``, ``sqrt(2)`` or ``inf``.

    Raises OpcheckError for anything else.
    """
    with contextlib.suppress(ValueError):
        return int(source)
    with contextlib.suppress(ValueError):
        return float(source)
    with np.errstate(all="ignore"):
        value = text(source).evaluate({}, FLOAT)
    return value if isinstance(value, int) else float(value)


def parts(source: str, separator: str = ",") -> list[str]:
    """The text cut at commas that stand in no bracket."""
    depth, pieces = 0, [""]
    for letter in source:
        depth += (letter in "([") - (letter in ")]")
        if letter == separator and depth == 0:
            pieces.append("")
        else:
            pieces[-1] += letter
    return pieces


def arguments(source: str) -> Call:
    """A name with arguments, as ``box(-1, 1)`` or with groups of numbers, as ``ball:0,0:1``.

    Groups come as one positional argument each, a list where it has several numbers.

    Raises OpcheckError for anything else.
    """
    called = call_of(source)
    if called is not None:
        return called
    name, *groups = source.split(":")
    if not re.fullmatch(r"\w+", name.strip()):
        raise OpcheckError(
            f"{source!r} is no name with arguments; write it as box:-1,1 or box(-1, 1)"
        )
    try:
        values = [[number(p) for p in parts(group)] for group in groups]
    except OpcheckError as error:
        raise OpcheckError(f"{source!r} holds what is no number: {error}") from error
    return name.strip(), [v[0] if len(v) == 1 else v for v in values], {}


def fitted(
    function: Callable[..., Any], call: Call, *, vectors_first: bool = False
) -> dict[str, Any]:
    """The arguments of a call by the names of a function's parameters.

    A group of several numbers goes to the first parameter that is a vector, a single number to the
    first that is a number; numbers in one group alone are spread over a function of numbers:
    ``box:-1,1`` is ``box(lo=-1, hi=1)``. In R¹ all groups are single numbers: with
    ``vectors_first`` they then go to vectors before numbers, as ``ball:0.5:2``, centre and radius.

    Raises OpcheckError where they don't fit.
    """
    name, positional, named = call
    takes = inspect.signature(function).parameters
    free = [n for n in takes if n not in named]
    unknown = [n for n in named if n not in takes]
    if unknown:
        raise OpcheckError(
            f"{name} has no argument {unknown[0]!r}; it takes {', '.join(takes) or 'none'}"
        )
    vectors = {n for n in free if isinstance(takes[n].default, tuple | list)}
    either = {n for n in free if "ArrayLike" in str(takes[n].annotation)} - vectors
    single = len(positional) == 1 and isinstance(positional[0], list)
    if single and not vectors and len(positional[0]) <= len(free):
        positional = list(positional[0])
    values = dict(named)
    short = len(positional) > 1 and not any(isinstance(v, list) for v in positional)
    for value in positional:
        several = isinstance(value, list)
        fits = [n for n in free if (n in vectors | either if several else n not in vectors)]
        ends = [n for n in free if not several and n in vectors]
        fits = ends + fits if vectors_first and short else fits or ends
        if not fits:
            raise OpcheckError(
                f"{name} has no place for {value}; it takes {', '.join(takes) or 'no arguments'}"
            )
        values[fits[0]] = [value] if fits[0] in vectors and not several else value
        free.remove(fits[0])
    return values


def schedule_of(
    value: Any, name: str, length: int, symbols: Mapping[str, float] = {}
) -> float | int | list[float]:
    """A parameter as people give it, as a number or as one number for each k = 0, ..., length − 1.

    Args:
        value: a number, a list of them, a formula in k and ``symbols``, or a function of k.
        symbols: what a formula may use beside k, as L.

    Raises OpcheckError for a formula with another symbol, or a function that fails.
    """
    k = np.arange(float(min(length, LIMIT)))
    if callable(value):
        try:
            return [float(value(int(i))) for i in k]
        except (Exception, SystemExit) as error:  # a stranger's function
            raise OpcheckError(
                f"{name} as a function of k raises {type(error).__name__}: {error}"
            ) from error
    if not isinstance(value, str):
        return value  # type: ignore[no-any-return]
    formula = text(value)
    unknown = sorted(formula.names - symbols.keys() - {"k"})
    if unknown:
        known = ", ".join(["k", *symbols])
        raise OpcheckError(f"{name} = {value} uses {unknown[0]!r}; it may use {known}")
    with np.errstate(all="ignore"):
        evaluated = formula.evaluate({**symbols, "k": k}, FLOAT)
    if "k" not in formula.names:
        return evaluated if isinstance(evaluated, int) else float(evaluated)
    return np.broadcast_to(np.asarray(evaluated, dtype=float), k.shape).tolist()  # type: ignore[no-any-return]
