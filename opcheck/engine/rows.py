"""Rows of a method that are in no dimension in particular, and how its text is run on them.

What a text gives in dimensions 1, 2 and 3 stands for every dimension because it can't tell one
coordinate, or one dimension, from another: an index over coordinates is good for subscripts alone,
the dimension for ``range`` alone, and between two passes of such a loop no number may change, so
that every further pass is like the last.
"""

from __future__ import annotations

import functools
import sys
import types
from collections.abc import Callable, Iterator, Sequence
from contextvars import ContextVar
from typing import Any

import numpy as np

from opcheck.engine.forms import Opaque
from opcheck.engine.jit import TRUSTED, foreign, plain
from opcheck.engine.kernel_text import ATTRIBUTES, Unread, read
from opcheck.engine.numbers import exactly
from opcheck.engine.ratio import Count, Period
from opcheck.errors import Undecided

# of numpy, on rows; beside ATTRIBUTES and + − · / with numbers and rows
FUNCTIONS = frozenset(("copyto", "copy", "sum", "dot", "empty_like", "zeros_like", "ones_like"))
UFUNCS = frozenset(("add", "subtract", "multiply", "divide", "negative", "positive", "matmul"))


class ComputedWith(Exception):
    """A text computes with the dimension, or with an index over coordinates."""


def _refuse(*_: Any, **__: Any) -> Any:
    raise ComputedWith(
        "it computes with the dimension, which may only be looped over: for i in range(z.shape[0])"
    )


def _refuse_index(*_: Any, **__: Any) -> Any:
    raise ComputedWith("it computes with the index of a coordinate, which may only be a subscript")


OPERATORS = (
    *("lt", "le", "gt", "ge", "eq", "ne", "bool", "neg", "pos", "abs", "invert", "index", "int"),
    *("float", "complex", "round", "trunc", "floor", "ceil", "len", "iter", "contains", "call"),
    *(f"{r}{name}" for r in ("", "r") for name in ("add", "sub", "mul", "truediv", "floordiv")),
    *(f"{r}{name}" for r in ("", "r") for name in ("mod", "pow", "divmod", "and", "or", "xor")),
    *(f"{r}{name}" for r in ("", "r") for name in ("lshift", "rshift", "matmul")),
)


class Dimension(Opaque):
    """A dimension: good for ``range`` alone."""

    __slots__ = ("count",)
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, count: int) -> None:
        self.count = count


class Axis(Opaque):
    """The index of a coordinate: good for a subscript alone."""

    __slots__ = ("place",)
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, place: int) -> None:
        self.place = place


class Data(Opaque):
    """The data of an operator, which a text may only hand on."""

    __slots__ = ()
    __hash__ = None  # type: ignore[assignment]

    def __getattr__(self, name: str) -> Any:
        raise ComputedWith(f"it looks at {name} of the data of F or J, which are one operator's")


class Steps(Opaque):
    """The number n of iterations that a kernel is asked for: good for ``range`` alone."""

    __slots__ = ("count",)
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, count: int) -> None:
        self.count = count


class Several:
    """A whole number that stands for many, in a reading without a field of them (``Count``)."""

    def passes(self, begun: Sequence[Any]) -> Any:
        """What ``range`` goes through, ``begun`` what it is given in front."""
        raise Undecided("the number of passes of a loop can't be told")


def _refuse_steps(*_: Any, **__: Any) -> Any:
    raise ComputedWith("it computes with n, the number of steps, which may only be looped over")


def _refuse_data(*_: Any, **__: Any) -> Any:
    raise ComputedWith("it looks into the data of F or J, which are one operator's")


for _name in (*OPERATORS, "getitem", "setitem"):
    setattr(Data, f"__{_name}__", _refuse_data)
for _name in OPERATORS:
    setattr(Dimension, f"__{_name}__", _refuse)
    setattr(Axis, f"__{_name}__", _refuse_index)
    setattr(Steps, f"__{_name}__", _refuse_steps)


DATA = Data()  # of no operator in particular


class Rows(np.ndarray[Any, Any]):
    """A row, or several, whose last axis is that of the coordinates."""

    def __getattribute__(self, name: str) -> Any:
        if not name.startswith("_") and name not in ATTRIBUTES:
            raise ComputedWith(f"it asks a row for {name}")
        return np.ndarray.__getattribute__(self, name)

    @property  # type: ignore[misc]
    def shape(self) -> Any:
        """The number of rows, and the dimension."""
        *rows, dimension = np.ndarray.shape.__get__(self)
        return (*rows, Dimension(dimension))

    @property
    def size(self) -> Any:
        """The dimension, of one row."""
        if np.ndarray.ndim.__get__(self) != 1:
            _refuse()
        return Dimension(np.ndarray.size.__get__(self))

    def __len__(self) -> int:
        rows: tuple[int, ...] = np.ndarray.shape.__get__(self)[:-1]
        return rows[0] if rows else _refuse()

    def __iter__(self) -> Iterator[Any]:
        if np.ndarray.ndim.__get__(self) == 1:
            raise ComputedWith("it goes through a row otherwise than by range(z.shape[0])")
        return iter([self[i] for i in range(len(self))])

    def __getitem__(self, key: Any) -> Any:
        return np.ndarray.__getitem__(self, _key(self, key))

    def __setitem__(self, key: Any, value: Any) -> None:
        np.ndarray.__setitem__(self, _key(self, key), value)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        summed = ufunc.__name__ == "matmul" or (method == "reduce" and ufunc is np.add)
        if ufunc.__name__ not in UFUNCS or not (method == "__call__" or summed):
            raise ComputedWith(f"it calls numpy's {ufunc.__name__} on rows")
        operands = [bare(v) for v in inputs]
        if "out" in options:
            options["out"] = tuple(bare(v) for v in options["out"])
        result = getattr(ufunc, method)(*operands, **options)
        if summed:
            return _no_number(result)
        return result.view(Rows) if isinstance(result, np.ndarray) else result

    def __array_function__(self, function: Any, kinds: Any, args: Any, options: Any) -> Any:
        if function.__name__ not in FUNCTIONS:
            raise ComputedWith(f"it calls numpy's {function.__name__} on rows")
        result = function(*map(bare, args), **{n: bare(v) for n, v in options.items()})
        if function.__name__ in ("sum", "dot"):
            return _no_number(result)
        return result.view(Rows) if isinstance(result, np.ndarray) else result

    def sum(self, *_: Any, **__: Any) -> Any:
        """Over the coordinates of a row."""
        return _no_number(np.add.reduce(bare(self)))

    def dot(self, other: Any, *_: Any) -> Any:
        """⟨x, y⟩."""
        return _no_number(np.dot(bare(self), bare(other)))


def bare(value: Any) -> Any:
    """The array of rows, for what may know the dimension."""
    return np.ndarray.view(value, np.ndarray) if isinstance(value, Rows) else value


def _no_number(total: Any) -> Any:
    """A sum over coordinates that is a form; of plain numbers it counts the dimension."""
    if isinstance(total, np.ndarray) or not hasattr(total, "products"):
        raise ComputedWith("it sums numbers over the coordinates")
    return total


def _key(rows: Rows, key: Any) -> Any:
    """A subscript as the array takes it. Raises ComputedWith for one that picks coordinates."""
    keys = key if isinstance(key, tuple) else (key,)
    *before, last = keys
    if any(isinstance(k, Axis) for k in before):
        _refuse_index()
    if len(keys) < np.ndarray.ndim.__get__(rows):
        if isinstance(last, Axis):
            _refuse_index()
        return key
    if isinstance(last, Axis):
        return (*before, last.place)
    if key is ...:
        return key
    whole = isinstance(last, slice) and (last.start, last.stop, last.step) in (
        (None, None, None),
        (0, None, None),
    )
    if whole or (type(last) is int and last == 0):
        return (*before, slice(None) if whole else 0)
    raise ComputedWith("it picks coordinates by a number or a slice")


class _Coordinates:
    """A loop over coordinates."""

    def __init__(self, start: int, stop: int, frame: types.FrameType) -> None:
        self.at, self.stop, self.start = start, stop, start
        self.before: list[Any] | None = None
        # our own texts are read by people
        module = frame.f_globals.get("__name__") or ""
        self.watched = module.partition(".")[0] not in TRUSTED

    def __iter__(self) -> _Coordinates:
        return self

    def __next__(self) -> Axis:
        if self.watched and self.at > self.start:
            now = _numbers(sys._getframe(1))
            if self.before is not None and now != self.before:
                raise ComputedWith("a number changes from one coordinate to the next")
            self.before = now
        if self.at >= self.stop:
            raise StopIteration
        self.at += 1
        return Axis(self.at - 1)


def _numbers(frame: types.FrameType) -> list[Any]:
    """All that a text holds that is no vector: equal after two passes, it stays."""
    names = {n: v for n, v in frame.f_globals.items() if n in frame.f_code.co_names}
    return [
        (name, _told(value))
        for name, value in {**names, **frame.f_locals}.items()
        if not isinstance(value, Rows | Opaque | types.ModuleType | _Coordinates)
    ]


def _told(value: Any) -> Any:
    """A number, or what holds some, so that two are equal only where they are the same."""
    if isinstance(value, np.ndarray):
        value = value.ravel().tolist()
    if isinstance(value, list | tuple):
        return [_told(v) for v in value]
    vector = callable(value) or hasattr(value, "vector") or hasattr(value, "products")
    return None if vector else repr(value)


def _range(*ends: Any) -> Any:
    """``range``, also over coordinates and over steps."""
    *begun, stop = ends
    if isinstance(stop, Dimension):
        if len(begun) > 1 or any(type(v) is not int or v not in (0, 1) for v in begun):
            raise ComputedWith("it loops over part of the coordinates")
        return _Coordinates(begun[0] if begun else 0, stop.count, sys._getframe(1))
    if isinstance(stop, Steps):
        if begun and (len(begun) > 1 or begun[0] != 0 or type(begun[0]) is not int):
            raise ComputedWith("it makes other steps than n from 0 on")
        return range(stop.count)
    if any(isinstance(v, Dimension | Axis | Steps) for v in begun):
        raise ComputedWith("it loops over part of the coordinates")
    if isinstance(stop, Several):
        return stop.passes(begun)
    if isinstance(stop, Count):
        state, unknown = INNER.get()
        return Passes(stop, state, unknown, sys._getframe(1), begun)
    return range(*ends)


# the state that a text runs on, and what makes a row one of which nothing is known
INNER: ContextVar[tuple[Any, Callable[[int], None]]] = ContextVar("inner loops")


class Passes:
    """A loop of at least two passes: the first, and the last from rows of which nothing is known.

    Rows that the first pass changes hold anything in between; that the last changes no other shows
    that none does. Raises Undecided where more than rows of the state may change.
    """

    def __init__(
        self,
        count: Count,
        state: Any,
        unknown: Callable[[int], None],
        frame: types.FrameType,
        begun: Any,
    ) -> None:
        if not isinstance(count, Period) or count.least < 2 or begun:
            raise Undecided(f"a loop of {count} passes can't be told")
        own = [v for v in frame.f_locals.values() if isinstance(v, np.ndarray)]
        if not all(
            np.shares_memory(bare(v), bare(state)) or not isinstance(v, Rows) for v in own
        ) or any(isinstance(v, list | dict | set) for v in frame.f_locals.values()):
            raise Undecided("an inner loop may change more than the rows of the state")
        self.state, self.unknown = state, unknown
        self.numbers = dict(_numbers(frame))
        self.passed, self.changed = 0, set[int]()
        self.first = self._rows()

    def _rows(self) -> list[list[Any]]:
        return [[entry.vector for entry in bare(row)] for row in self.state]

    def __iter__(self) -> Passes:
        return self

    def __next__(self) -> Any:
        frame = sys._getframe(1)
        now = dict(_numbers(frame))
        # the name that counts the passes holds none
        if any(now[n] != told for n, told in self.numbers.items() if n in now) or any(
            hasattr(v, "vector") or hasattr(v, "products")
            for v in frame.f_locals.values()
            if not isinstance(v, Opaque | Rows)
        ):
            raise Undecided("a number changes from one pass of an inner loop to the next")
        self.passed += 1
        rows = self._rows()
        if self.passed == 1:
            return Steps(0)
        changed = {i for i, row in enumerate(rows) if row != self.first[i]}
        if self.passed == 2:
            self.changed = changed
            for i in sorted(changed):
                self.unknown(i)
            return Steps(0)
        if not changed <= self.changed:
            raise Undecided("an inner loop changes a row that its first pass does not")
        raise StopIteration


_own: dict[Any, Callable[..., Any]] = {}  # texts of opcheck, as they are run on rows


def _int(value: Any) -> Any:
    """``int``, of a whole number that stands for many itself."""
    return value if isinstance(value, Count | Several) else int(value)


def _len(value: Any) -> Any:
    """``len``, of a row its dimension."""
    if isinstance(value, Rows) and np.ndarray.ndim.__get__(value) == 1:
        return value.size
    return len(value)


OWN = {"range": _range, "len": _len, "int": _int}  # functions of Python, as texts on rows see them


@functools.lru_cache(maxsize=1024)
def in_every_dimension(function: Callable[..., Any]) -> Callable[..., Any]:
    """A kernel's text, exact, to be run on ``Rows``; with it every text that it calls.

    Raises ComputedWith for a foreign text that holds what is not read (``kernel_text.read``).
    """
    text: Callable[..., Any] = _transformed(function, {})
    return text


def _transformed(function: Any, others: dict[Any, Callable[..., Any]]) -> Any:
    text = plain(function)
    if text is None:
        return function
    known = others if foreign(text) else _own
    if text in known:
        return known[text]
    if foreign(text):
        try:
            read(text)
        except Unread as error:
            raise ComputedWith(str(error)) from error
    exact: Any = exactly(text)
    scope = {**text.__globals__, **OWN}
    cells = tuple(
        types.CellType(_transformed(c.cell_contents, others)) for c in text.__closure__ or ()
    )
    ours = types.FunctionType(exact.__code__, scope, text.__name__, text.__defaults__, cells)
    ours.__kwdefaults__ = text.__kwdefaults__
    known[text] = ours
    for name in _names(text.__code__):
        value = scope.get(name)
        if name in OWN:
            continue
        if plain(value) is not None:
            scope[name] = _transformed(value, others)
        elif isinstance(value, types.ModuleType):
            scope[name] = _module(value, others)
    return ours


def _module(module: types.ModuleType, others: dict[Any, Callable[..., Any]]) -> Any:
    """A module whose texts are run on rows; numpy and math as they are."""
    if module.__name__.partition(".")[0] in ("numpy", "math"):
        return module
    return _Module(module, others)


class _Module:
    def __init__(self, module: types.ModuleType, others: dict[Any, Callable[..., Any]]) -> None:
        self._module, self._others = module, others

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._module, name)
        if isinstance(value, types.ModuleType):
            return _module(value, self._others)
        return _transformed(value, self._others)


def _names(code: types.CodeType) -> set[str]:
    inner = [c for c in code.co_consts if isinstance(c, types.CodeType)]
    return {*code.co_names, *(n for c in inner for n in _names(c))}
