"""Methods: an update text, the rows of its state, its parameters and its oracle cost.

``advance(F, F_data, J, J_data, state, params, k, n)`` makes n iterations from iteration k on; row 0
of ``state`` is z. A method over a method (Lookahead) has the text of its base in front of these
arguments and is bound to it by a closure, so that any depth runs by the same driver.
"""

from __future__ import annotations

import dataclasses
import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from opcheck import registry
from opcheck.arguments import asked
from opcheck.errors import OpcheckError
from opcheck.model.brief import brief
from opcheck.model.text import FLOAT, text

Advance = Callable[..., None]
Reference = Callable[..., Any]


@dataclass(frozen=True)
class Parameter:
    """One parameter; ``integer`` ones count, ``sequence`` ones have a value for each k."""

    name: str
    integer: bool
    sequence: bool

    @property
    def symbol(self) -> str:
        """The name without ``base.``."""
        return self.name.rpartition(".")[2]


@brief
@dataclass(frozen=True)
class Method:
    """An iteration.

    Attributes:
        kernel: the text of ``advance``.
        parameters: in the order of ``params``.
        rows: names of the state rows; row 0 is ``z``.
        zero: rows that start at 0; the others start at z⁰.
        calls: operator calls an iteration, as a formula in the parameters.
        points: rows that hold the points at which F is evaluated.
        constrained: whether the method uses J, and so solves 0 ∈ F + A with A ≠ 0.
        source: BibTeX key.
        reference: one step in plain numpy; see ``method``.
        shadow: the parameter γ where z converges to z* + γ F z*, and not to a solution z*; "".
        loops: names of the parameters τ that close a loop, after which what is inside of it counts
            from k = 0 anew; outermost first.
    """

    name: str
    kernel: Advance
    parameters: tuple[Parameter, ...]
    rows: tuple[str, ...]
    zero: frozenset[str]
    calls: str
    points: tuple[str, ...]
    constrained: bool
    source: str
    doc: str
    reference: Reference | None = None
    shadow: str = ""
    loops: tuple[str, ...] = ()

    def parameter(self, name: str) -> Parameter:
        """By full name or, where it is the only one, by symbol.

        Raises OpcheckError for a name that no parameter or more than one has.
        """
        hits = [p for p in self.parameters if p.name == name]
        hits = hits or [p for p in self.parameters if p.symbol == name]
        if len(hits) != 1:
            names = ", ".join(p.name for p in self.parameters) or "none"
            raise OpcheckError(f"{self.name} has no parameter {name!r}; it takes {names}")
        return hits[0]

    def pack(self, values: Mapping[str, Any], length: int = 1) -> list[Any]:
        """``params`` for given values; one number for a sequence is laid out to ``length`` entries.

        Raises OpcheckError for a missing, unknown, non-finite or non-integer value, and for a list
        that is shorter than a run of ``length`` − 1 steps.
        """
        by_name = {self.parameter(name).name: value for name, value in values.items()}
        missing = [p.name for p in self.parameters if p.name not in by_name]
        if missing:
            raise OpcheckError(f"{self.name} needs a value for {', '.join(missing)}")
        packed: list[Any] = []
        for p in self.parameters:
            value = by_name[p.name]
            shape, parts = np.shape(value), np.ravel(np.array(value, dtype=object))
            if (
                len(shape) > p.sequence
                or 0 in shape
                or any(
                    part is None or isinstance(part, str | complex) or callable(part)
                    for part in parts
                )
            ):
                kind = "a number or a list of them" if p.sequence else "a number"
                raise OpcheckError(f"{self.name}: {p.name} = {_shown(value)} must be {kind}")
            entries = list(np.atleast_1d(value)) if p.sequence else [value]
            if p.sequence:
                entries = (entries + entries[-1:] * length)[: max(length, 1)]
            for entry in entries:
                if isinstance(entry, float | int | np.number):
                    if not np.isfinite(entry):
                        raise OpcheckError(f"{self.name}: {p.name} = {entry} is not finite")
                    if p.integer and (entry != int(entry) or entry < 1):
                        raise OpcheckError(
                            f"{self.name}: {p.name} = {entry} must be a whole number from 1 on"
                        )
            if shape and shape[0] < length - 1:
                raise OpcheckError(
                    f"{self.name}: {p.name} has {shape[0]} entries and the run {length - 1} steps; "
                    "give one for each, or one number for all"
                )
            packed += [int(e) for e in entries] if p.integer else entries
        return packed

    def pack_batch(self, values: Sequence[Mapping[str, Any]], length: int) -> NDArray[np.float64]:
        """``params`` of m runs, shape (m, p): ``pack`` for each, in one go where all are numbers.

        Raises OpcheckError as ``pack`` does.
        """
        names = set(map(tuple, values))
        kinds = {type(entry) for v in values for entry in v.values()}
        self.pack(values[0])
        if kinds <= {int, float, np.float64, np.int64} and len(names) == 1:
            source = {self.parameter(key).name: key for key in names.pop()}
            order = [source[p.name] for p in self.parameters]
            table = np.array([[v[key] for key in order] for v in values], dtype=float)
            whole = table[:, [p.integer for p in self.parameters]]
            if np.isfinite(table).all() and (whole >= 1).all() and (whole == whole.round()).all():
                return table.reshape(len(values), -1)
        constant = all(np.ndim(entry) == 0 for v in values for entry in v.values())
        packed = [self.pack(v, 1 if constant else length) for v in values]
        return np.array(packed, dtype=float).reshape(len(values), -1)

    def calls_at(self, values: Mapping[str, Any]) -> NDArray[np.float64]:
        """Operator calls an iteration (scalar, or one for each k of a sequence)."""
        # of two parameters with one symbol the innermost counts: it is the base that calls F
        symbols = {
            p.symbol: values.get(p.name, values.get(p.symbol))
            for p in reversed(self.parameters)
            if p.name in values or p.symbol in values
        }
        calls = np.asarray(text(self.calls).evaluate(symbols, FLOAT), dtype=float)
        steps = np.arange(calls.size)
        for name in self.loops:
            steps %= int(values[name])
        return calls[steps] if calls.ndim else calls


@brief
@dataclass(frozen=True)
class Over:
    """A method of methods: ``kernel(base, F, F_data, J, J_data, state, params, k, n)``.

    Its rows and parameters follow the base's, so it finds them at the end of each.

    Attributes:
        loop: the parameter τ after whose steps the base counts from k = 0 anew; "" if it counts on.
    """

    name: str
    kernel: Advance
    parameters: tuple[Parameter, ...]
    rows: tuple[str, ...]
    source: str
    doc: str
    reference: Reference | None = None
    loop: str = ""

    def __call__(self, base: Method) -> Method:
        """The method over ``base``."""
        return _bound(self, base)


@functools.cache
def _bound(over: Over, base: Method) -> Method:
    over_kernel, base_kernel = over.kernel, base.kernel

    def advance(F, F_data, J, J_data, state, params, k, n):  # type: ignore[no-untyped-def]
        over_kernel(base_kernel, F, F_data, J, J_data, state, params, k, n)

    advance.__qualname__ = advance.__name__ = f"{over.name}_{base.kernel.__name__}"
    inner = tuple(dataclasses.replace(p, name=f"base.{p.name}") for p in base.parameters)
    return Method(
        name=f"{over.name}({base.name})",
        kernel=advance,
        parameters=(*inner, *over.parameters),
        rows=(*base.rows, *over.rows),
        zero=base.zero,
        calls=base.calls,
        points=base.points,
        constrained=base.constrained,
        source=over.source,
        loops=(*filter(None, [over.loop]), *(f"base.{name}" for name in base.loops)),
        doc=f"{over.doc}\n\nBase: {base.name}. {base.doc}",
    )


def _shown(value: Any) -> str:
    """As in Python, a long list by its ends."""
    if isinstance(value, list | tuple | np.ndarray) and len(value) > 8:
        first = ", ".join(repr(v) for v in value[:3])
        return f"[{first}, ..., {value[-1]!r}] ({len(value)} entries)"
    return repr(value)


def _parameters(source: str) -> tuple[Parameter, ...]:
    parameters = []
    for word in source.split():
        name, _, kind = word.partition(":")
        parameters.append(
            Parameter(
                name=name.removesuffix("[k]"),
                integer=kind == "int",
                sequence=name.endswith("[k]"),
            )
        )
    return tuple(parameters)


def _reference(reference: Reference | None, name: str) -> Reference | None:
    if reference is not None and not callable(reference):
        raise OpcheckError(
            f"the reference of method {name!r} is {type(reference).__name__}; give a function "
            "that makes one step in numpy"
        )
    return reference


@asked
def method(
    name: str,
    *,
    params: str,
    rows: str,
    calls: int | str,
    source: str,
    constrained: bool | None = None,
    points: str = "z",
    reference: Reference | None = None,
    shadow: str = "",
) -> Callable[[Advance], Advance]:
    """Register an iteration.

    Args:
        params: names in the order of ``params``; ``tau:int`` counts, ``a[k]`` has a value for each
            k and must come last.
        rows: state rows; the first is z; ``Fz=0`` starts at 0 instead of at z⁰.
        calls: operator calls an iteration: a number or a formula in the parameters.
        constrained: to be said of every method: True where it calls J, directly or by
            ``resolvent_of_sum``, and so has a form with A ≠ 0; False where it has none.
        points: rows at which F is evaluated.
        source: BibTeX key, or a name of your own.
        reference: one step in plain numpy, written from the paper, against which the kernel is
            tested: a function that returns z⁺ and names what it takes among ``F`` (z ↦ F z), ``J``
            ((z, γ) ↦ J z), ``z``, ``z0``, ``k``, ``memory`` (a dict, empty at k = 0) and the
            parameters, each of which has the value at which to compare for its default; that of
            ``a[k]`` is a tuple, whose last entry stays.
        shadow: the parameter γ where z converges to z* + γ F z* and a resolvent of F leads from
            there to a solution z*; "" where z itself converges to one.

    Raises OpcheckError where ``constrained`` is not said, ``shadow`` is no parameter, or the name
    is taken.
    """
    if not isinstance(constrained, bool):
        raise OpcheckError(
            f"method {name!r} must say constrained=True (it calls J and runs where A is not 0) or "
            "constrained=False"
        )

    if shadow and shadow not in {p.name for p in _parameters(params)}:
        raise OpcheckError(
            f"method {name!r}: shadow={shadow!r} is none of its parameters, {params}"
        )

    def enter(function: Advance) -> Advance:
        words = rows.split()
        entry = Method(
            name=name,
            kernel=function,
            parameters=_parameters(params),
            rows=tuple(w.removesuffix("=0") for w in words),
            zero=frozenset(w.removesuffix("=0") for w in words if w.endswith("=0")),
            calls=str(calls),
            points=tuple(points.split()),
            constrained=constrained,
            source=source,
            doc=inspect.cleandoc(function.__doc__ or ""),
            reference=_reference(reference, name),
            shadow=shadow,
        )
        registry.register("methods", name, entry, registry.place_of(function))
        return function

    return enter


@asked
def over(
    name: str,
    *,
    params: str,
    rows: str,
    source: str,
    loop: str = "",
    reference: Reference | None = None,
) -> Callable[[Advance], Advance]:
    """Register a method of methods; arguments as for ``method``.

    Args:
        loop: the parameter τ after whose steps the base counts from k = 0 anew; "" if it counts on.
        reference: as for ``method``, but of F and J it takes ``step``: (z, k) ↦ z after the base's
            step k.
    """

    def enter(function: Advance) -> Advance:
        entry = Over(
            name=name,
            kernel=function,
            parameters=_parameters(params),
            rows=tuple(rows.split()),
            source=source,
            loop=loop,
            doc=inspect.cleandoc(function.__doc__ or ""),
            reference=_reference(reference, name),
        )
        registry.register("methods", name, entry, registry.place_of(function))
        return function

    return enter


def resolve(name: str | Method) -> Method:
    """The method of a name such as ``rapp``, ``lookahead(extragradient)`` or ``FILE.py:NAME``.

    Raises OpcheckError for an unknown name, or a method of methods without its base.
    """
    if isinstance(name, Method):
        return name
    if not isinstance(name, str):
        raise OpcheckError(f"method {name!r} is no name; 'opcheck list methods' shows them")
    outer, bracket, rest = name.partition("(")
    named = _named(outer.strip())
    if bracket:
        if not isinstance(named, Over) or not rest.endswith(")"):
            raise OpcheckError(f"{name!r}: {outer!r} takes no base method")
        return named(resolve(rest[:-1].strip()))
    if isinstance(named, Over):
        raise OpcheckError(f"{name!r} runs over another method; write {name}(METHOD)")
    entry: Method = named
    return entry


def _named(name: str) -> Method | Over:
    if not name.endswith(".py") and ".py:" not in name:
        return registry.get("methods", name)  # type: ignore[no-any-return]
    here = registry.in_file("methods", name)
    if len(here) != 1:
        raise OpcheckError(f"{name} registers {', '.join(here)}; name one as {name}:{here[0]}")
    return registry.get("methods", here[0])  # type: ignore[no-any-return]


def row_indices(method: Method, names: Sequence[str], extra: Mapping[str, int]) -> list[int]:
    """State rows by name; ``extra`` holds the driver's. Raises OpcheckError for an unknown one."""
    indices = []
    for name in names:
        if name in extra:
            indices.append(extra[name])
        elif name in method.rows:
            indices.append(method.rows.index(name))
        else:
            rows = ", ".join((*method.rows, *extra))
            raise OpcheckError(f"{method.name} has no row {name!r}; rows are {rows}")
    return indices
