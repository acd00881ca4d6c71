"""The texts of kernels: their source, and what of one can be read for every dimension and step.

A text that is run in three dimensions and over a few steps stands for all of them only where it
has nowhere else to look. So what it may consist of is listed here, and not what it may not: plain
statements, numbers, rows, and functions that are themselves such texts.
"""

from __future__ import annotations

import ast
import builtins
import functools
import inspect
import linecache
import textwrap
import types
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

import numpy as np

from opcheck.engine.jit import plain

# what rows are good for beside + − · / with numbers and rows
ATTRIBUTES = frozenset(("shape", "size", "copy", "sum", "dot", "ndim", "fill"))
# of numpy and math, on rows and on numbers
LIBRARY = frozenset(
    (
        *("copyto", "copy", "sum", "dot", "empty_like", "zeros_like", "ones_like"),
        *("add", "subtract", "multiply", "divide", "negative", "positive", "matmul"),
        *("sqrt", "exp", "log", "sin", "cos", "abs", "absolute", "minimum", "maximum", "pi", "e"),
    )
)
BUILTINS = ("range", "abs", "min", "max", "int", "float", "len")
COORDINATES = "loop over range(z.shape[0])"
INSTEAD = {  # what to write for what is often written
    **{"enumerate": COORDINATES, "zip": COORDINATES, "reversed": COORDINATES},
    **{"float64": "leave it out", "array": "write to a row", "zeros": "use zeros_like of a row"},
    **{"norm": "use norm2", "vdot": "use dot", "inner": "use dot"},
    **{"a comprehension": COORDINATES, "square": "write x*x"},
}
READ = (
    *(ast.Expr, ast.Assign, ast.AugAssign, ast.AnnAssign, ast.For, ast.While, ast.If),
    *(ast.Return, ast.Pass, ast.Break, ast.Continue),
    *(ast.Name, ast.Constant, ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Compare, ast.IfExp),
    *(ast.Subscript, ast.Slice, ast.Tuple, ast.Call, ast.keyword, ast.Attribute),
    *(ast.expr_context, ast.boolop, ast.operator, ast.unaryop),
    *(ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Eq, ast.NotEq),
)
SAID: dict[type[ast.AST], str] = {
    **{ast.FunctionDef: "a function inside", ast.Lambda: "a function inside", ast.Try: "try"},
    **{ast.With: "with", ast.Match: "match", ast.JoinedStr: "a string", ast.List: "a list"},
    **{ast.ListComp: "a comprehension", ast.GeneratorExp: "a comprehension", ast.Starred: "*"},
    **{ast.Dict: "a dictionary", ast.NamedExpr: ":=", ast.Delete: "del", ast.Is: "is"},
    **{ast.IsNot: "is not", ast.In: "in", ast.NotIn: "not in"},
}
PARSED = 1024  # texts that are kept


class Unread(Exception):
    """A text holds what is not read for every dimension and step; the message says what."""


@functools.lru_cache(maxsize=PARSED)
def parsed(function: Callable[..., Any]) -> ast.FunctionDef | None:
    """The text of a function; None where none can be had that compiles to what is run.

    A wrapper shows the text of what it wraps, a file may have changed since it was read, and what
    ``exec`` made has none.
    """
    code = getattr(function, "__code__", None)
    if code is None:
        return None
    try:
        (node,) = ast.parse(textwrap.dedent(inspect.getsource(code))).body
        everything = "".join(linecache.getlines(code.co_filename, function.__globals__))
        compiled = _codes(everything, code.co_filename)
    except (OSError, TypeError, SyntaxError, ValueError):
        return None
    if not isinstance(node, ast.FunctionDef) or not any(_same(c, code) for c in compiled):
        return None
    return node


def source(function: Callable[..., Any]) -> str:
    """The text of a function without its decorators; "" where ``parsed`` has none."""
    node = parsed(function)
    if node is None:
        return ""
    text = textwrap.dedent(inspect.getsource(function.__code__))
    return "\n".join(text.splitlines()[node.lineno - 1 :])


@functools.lru_cache(maxsize=PARSED)
def _codes(text: str, filename: str) -> tuple[types.CodeType, ...]:
    """Of every function in the text of a file."""
    codes, waiting = [], [compile(text, filename, "exec", dont_inherit=True)]
    while waiting:
        code = waiting.pop()
        codes.append(code)
        waiting += _inner(code)
    return tuple(codes)


def _inner(code: types.CodeType) -> list[types.CodeType]:
    return [c for c in code.co_consts if isinstance(c, types.CodeType)]


def _same(one: types.CodeType, other: types.CodeType) -> bool:
    """Whether two codes stand at one place and do the same."""
    numbers = [[c for c in k.co_consts if not isinstance(c, types.CodeType)] for k in (one, other)]
    inner = [_inner(one), _inner(other)]
    return (
        (one.co_name, one.co_firstlineno) == (other.co_name, other.co_firstlineno)
        and one.co_code == other.co_code
        and (one.co_names, one.co_varnames) == (other.co_names, other.co_varnames)
        and (one.co_freevars, one.co_cellvars) == (other.co_freevars, other.co_cellvars)
        and repr(numbers[0]) == repr(numbers[1])
        and len(inner[0]) == len(inner[1])
        and all(_same(c, d) for c, d in zip(*inner, strict=True))
    )


@functools.lru_cache(maxsize=PARSED)
def read(function: Callable[..., Any]) -> None:
    """Raise Unread for a foreign text that holds anything but what is read.

    That is: assignments, ``for``, ``while`` and ``if``, arithmetic and comparisons, subscripts, and
    calls of functions that are such texts. What a text names besides is a number, or such a
    function: anything else (a list, an array, an object, a file) may be another at the next call.
    """
    name, node = function.__name__, parsed(function)
    if node is None:
        raise Unread(
            f"{name} has no text that can be read: it was made by exec or lambda, or its file has "
            "changed since; write it as a function in a file"
        )
    if node.args.vararg or node.args.kwarg:
        raise Unread(f"{name} takes any number of arguments")
    if hasattr(function, "compiled"):
        raise Unread(f"{name} is one text interpreted and another compiled")
    defaults = (*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values())
    if not all(map(_is_number, defaults)):
        raise Unread(f"{name} has a default that is no number, and may be kept between calls")
    for part in _parts(node.body):
        what = _unread(part) or _unknown(function, part)
        if what:
            line = getattr(part, "lineno", node.lineno)
            named = getattr(part, "attr", getattr(part, "id", what))
            instead = f"; {INSTEAD[named]}" if named in INSTEAD else ""
            raise Unread(
                f"{name} has {what} in line {line} of its text, which is not read{instead}"
            )


def _parts(body: list[ast.stmt]) -> Iterator[ast.AST]:
    """Every node of a text but docstrings and annotations."""
    waiting: list[ast.AST] = [*body]
    while waiting:
        part = waiting.pop(0)
        if isinstance(part, ast.Expr) and isinstance(part.value, ast.Constant):
            continue
        yield part
        children = [*ast.iter_child_nodes(part)]
        if isinstance(part, ast.AnnAssign):
            children.remove(part.annotation)
        waiting = children + waiting


def _unread(part: ast.AST) -> str:
    """What a node is that is not read; "" where it is."""
    if not isinstance(part, READ):
        return SAID.get(type(part), type(part).__name__.lower())
    if isinstance(part, ast.Constant) and not (part.value is ... or _is_number(part.value)):
        return "a string"
    if isinstance(part, ast.Call) and not isinstance(part.func, ast.Name | ast.Attribute):
        return "a call of what has no name"
    if isinstance(part, ast.For | ast.While) and part.orelse:
        return "else after a loop"
    return ""


def _unknown(function: Callable[..., Any], part: ast.AST) -> str:
    """What a name or an attribute stands for, where that is not read; else ""."""
    if isinstance(part, ast.Name) and _is_outer(function, part):
        value = _value(function, part)
        if not isinstance(value, types.ModuleType) and not _is_read(value):
            return f"{part.id}, neither a number nor a function with a text of its own,"
    if isinstance(part, ast.Attribute):
        module = _value(function, part.value)
        if not isinstance(module, types.ModuleType):
            return "" if part.attr in ATTRIBUTES else f"the attribute {part.attr}"
        value = getattr(module, part.attr, None)
        if module.__name__.partition(".")[0] in ("numpy", "math"):
            known = module.__name__ in ("numpy", "math") and part.attr in LIBRARY
        else:
            known = isinstance(value, types.ModuleType) or _is_read(value)
        return "" if known else f"{part.attr} of {module.__name__}"
    return ""


def _is_outer(function: Callable[..., Any], name: ast.Name) -> bool:
    code = function.__code__
    return name.id not in (*code.co_varnames, *code.co_cellvars)


def _value(function: Callable[..., Any], part: ast.expr) -> Any:
    """What a name from outside, or an attribute of a module, is; None for anything else."""
    if isinstance(part, ast.Attribute):
        module = _value(function, part.value)
        return getattr(module, part.attr, None) if isinstance(module, types.ModuleType) else None
    if not isinstance(part, ast.Name) or not _is_outer(function, part):
        return None
    free = function.__code__.co_freevars
    if part.id in free:
        return (function.__closure__ or ())[free.index(part.id)].cell_contents
    return function.__globals__.get(part.id, getattr(builtins, part.id, None))


def _is_read(value: Any) -> bool:
    """Whether a text may name it: a number, or what is a text or a builtin itself."""
    if _is_number(value) or plain(value) is not None:
        return True
    return any(value is getattr(builtins, name) for name in BUILTINS)


def _is_number(value: Any) -> bool:
    if isinstance(value, tuple):
        return all(map(_is_number, value))
    return value is None or isinstance(value, int | float | Fraction | np.number)
