"""Operators and resolvents: a kernel text, its data, and the ways to make one.

A kernel is a plain Python function ``F(z, out, data)``: it reads the point ``z`` (d floats) and the
read-only ``data``, and writes F(z) into ``out``.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from opcheck.arguments import asked, refuse_unused
from opcheck.errors import OpcheckError, warn_once
from opcheck.model import linear_kernels
from opcheck.model.brief import brief
from opcheck.model.primitives import identity
from opcheck.model.text import FLOAT, Arithmetic, text

Vector = NDArray[np.float64]
Kernel = Callable[..., None]


def as_real(values: Any, what: str) -> Vector:
    """Numbers as floats of their own.

    Raises OpcheckError where they are complex, no numbers, masked, or whole and not in float64.
    """
    refuse_lost(values, what)
    with np.errstate(all="ignore"):
        try:
            array = np.asarray(values)
            if np.iscomplexobj(array):
                raise OpcheckError(
                    f"{what} has complex numbers; take real and imaginary parts as coordinates: "
                    "M becomes [[re M, -im M], [im M, re M]]"
                )
            return np.array(array, dtype=float)
        except (TypeError, ValueError, OverflowError) as error:
            raise OpcheckError(f"{what} must hold real numbers: {error}") from error


def refuse_lost(values: Any, what: str) -> None:
    """Raise OpcheckError for what numpy drops without a word: a mask, and digits of whole numbers.

    Args:
        values: numbers in an array or in nested lists.
    """
    if np.ma.is_masked(values):
        raise OpcheckError(f"{what} has masked entries; give a number for each")
    if isinstance(values, list | tuple):
        for value in values:
            if not isinstance(value, float):
                refuse_lost(value, what)
    elif isinstance(values, np.ndarray) and values.dtype.kind in "iuO":
        refuse_lost(values.ravel().tolist(), what)
    elif isinstance(values, int | np.integer) and abs(int(values)) > 2**53:
        with contextlib.suppress(OverflowError):
            rounded = int(float(values))
            if rounded != int(values):
                raise OpcheckError(
                    f"{what} has the entry {values}, which float64 rounds to {rounded}; write it "
                    "as a float if that is meant"
                )


@dataclass(frozen=True)
class Condition:
    """What a formula needs at a point to be defined and smooth there, read before any cancelling.

    Attributes:
        of: a denominator, or what a root or logarithm is taken of, as an operator into one entry.
        positive: it must be > 0; else only not 0.
    """

    of: Operator
    positive: bool

    def __str__(self) -> str:
        """As in ``cos(x) ≠ 0``."""
        return f"{self.of.formula} {'> 0' if self.positive else '≠ 0'}"


@brief
@dataclass(frozen=True)
class Operator:
    """A single-valued operator F on R^d.

    Attributes:
        kernel: the text, ``kernel(z, out, data)``.
        data: float64 vector that the kernel reads.
        dim: d.
        formula: how F reads, for people.
        entries: data as formulas in ``symbols``, for exact readings; None: the floats are exact.
        compiled: another kernel for float64 only (BLAS); None: the text itself.
        interpreted: the kernel is Python that numba can't compile; runs are slow.
        derive: makes ``slopes``, where a formula is known.
        matrix: M of F(z) = Mz + q, where F is affine and d moderate.
        potential: f of F = ∇f as such an operator, into one entry, where there is one.
        conditions: where they all hold F is smooth, and equal to its simplified kernel.
    """

    kernel: Kernel
    data: Vector
    dim: int
    formula: str = ""
    entries: tuple[Any, ...] | None = None
    symbols: Mapping[str, float] = field(default_factory=dict)
    compiled: Kernel | None = None
    interpreted: bool = False
    derive: Callable[[], Operator] | None = None
    matrix: NDArray[np.float64] | None = None
    potential: Operator | None = None
    conditions: tuple[Condition, ...] = ()

    @functools.cached_property
    def slopes(self) -> Operator | None:
        """The derivatives ∂F_i/∂z_j as such an operator, i before j; None where unknown.

        Those of the slopes are the second derivatives, and so on; each is made when asked for.
        """
        return None if self.derive is None else self.derive()

    def __call__(self, z: ArrayLike) -> Vector:
        """F(z) for one point (shape (d,)), interpreted."""
        out = np.empty(self.dim)
        self.kernel(np.ascontiguousarray(z, dtype=float), out, self.data)
        return out

    def sparse_matrix(self) -> Any:
        """M as a scipy sparse matrix, of an operator made from one; None for others."""
        if self.kernel is not linear_kernels.sparse:
            return None
        import scipy.sparse

        d, count = self.dim, int(self.data[0])
        index = self.data[1 + d + count :].view(np.uint32)
        parts = (self.data[1 + d : 1 + d + count], index[d + 1 : d + 1 + count], index[: d + 1])
        return scipy.sparse.csr_array(parts, shape=(d, d))

    def jacobian(self, z: ArrayLike) -> NDArray[np.float64]:
        """The d×d matrix of slopes at a point of shape (d,). Raises OpcheckError where unknown."""
        if self.matrix is not None:
            return self.matrix
        slopes = self.slopes
        if slopes is None:
            raise OpcheckError(f"the Jacobian of {self.formula or 'this operator'} is not known")
        return slopes(z).reshape(self.dim, self.dim)

    def data_in(self, arithmetic: Arithmetic, exact: Callable[[float], Any]) -> NDArray[Any]:
        """The data under an exact reading, as an object array with the raw floats beside it."""
        source: Sequence[Any] = self.data.tolist() if self.entries is None else self.entries
        symbols = {name: exact(v) for name, v in self.symbols.items()}
        values = [
            text(v).evaluate(symbols, arithmetic) if isinstance(v, str) else exact(v)
            for v in source
        ]
        out = np.empty(len(values), dtype=object).view(ExactData)
        out[:] = values
        out.raw = self.data
        return out


class ExactData(np.ndarray):
    """Object array of exact numbers that keeps the float buffer, for index regions in it."""

    raw: Vector

    def __array_finalize__(self, source: Any) -> None:
        """A view keeps the buffer."""
        self.raw = getattr(source, "raw", np.empty(0))


@brief
@dataclass(frozen=True)
class Resolvent:
    """J_{γA} = (I + γA)⁻¹ of a maximally monotone A: a projection or a proximal map.

    Attributes:
        kernel: ``kernel(z, gamma, out, data)``; ``out`` may be ``z`` itself.
        data: float64 vector that the kernel reads.
        dim: dimension it acts on; 0: any.
        name: how A reads, as in ``box[-1, 1]``.
        contains: for an indicator, whether a point lies in the set; None where A is not one.
        value: for A = ∂g other than an indicator, z ↦ g(z), inf outside its domain; None where A
            is an indicator's or not a subdifferential.
        ends: for the indicator of a box {lo ≤ z ≤ hi}, lo and hi: d numbers each, or one for all.
        irrational: the kernel has no value in exact rationals.
    """

    kernel: Kernel
    data: Vector
    dim: int
    name: str
    contains: Callable[[Vector], bool] | None = None
    value: Callable[[Vector], float] | None = None
    ends: tuple[Vector, Vector] | None = None
    irrational: bool = False

    def __post_init__(self) -> None:
        """Raises OpcheckError for parts that are none."""
        what = f"the resolvent {self.name!r}"
        for part, function in (("kernel", self.kernel), *self._functions()):
            if not callable(function):
                raise OpcheckError(
                    f"the {part} of {what} is {type(function).__name__}, not a function"
                )
        if not isinstance(self.dim, int | np.integer) or self.dim < 0:
            raise OpcheckError(f"dim = {self.dim!r} of {what} must be a whole number; 0 for any")
        object.__setattr__(self, "data", as_real(self.data, f"the data of {what}"))
        if self.data.ndim != 1:
            raise OpcheckError(f"the data of {what} have shape {self.data.shape}, not one row")
        for end in self.ends or ():
            if np.shape(end) not in ((), (1,), (self.dim,)):
                raise OpcheckError(
                    f"the ends of {what} have shape {np.shape(end)}, and it acts on {self.dim}"
                )

    def _functions(self) -> list[tuple[str, Any]]:
        parts = (("contains", self.contains), ("value", self.value))
        return [(name, function) for name, function in parts if function is not None]

    @property
    def subdifferential(self) -> bool:
        """Whether A is known to be ∂g of a convex g, by its set or by the values of g."""
        return self.contains is not None or self.value is not None or self.kernel is identity

    def __call__(self, z: ArrayLike, gamma: float = 1.0) -> Vector:
        """J_{γA}(z), interpreted. Raises OpcheckError for γ ≤ 0, or a z of another shape."""
        point = np.array(z, dtype=float)
        if not gamma > 0:
            raise OpcheckError(f"the resolvent of {self.name} needs gamma > 0, not {gamma}")
        if self.dim and point.shape != (self.dim,):
            raise OpcheckError(
                f"the resolvent of {self.name} acts on {self.dim} coordinates, "
                f"not on shape {point.shape}"
            )
        if point.ndim != 1 or point.size == 0:
            raise OpcheckError(
                f"the resolvent of {self.name} acts on one row of coordinates, "
                f"not on shape {point.shape}"
            )
        out = np.empty_like(point)
        with np.errstate(all="ignore"):  # as where it runs compiled
            self.kernel(point, gamma, out, self.data)
        return out


Resolvent.__init__ = asked(Resolvent.__init__)  # type: ignore[method-assign]
NO_CONSTRAINT = Resolvent(identity, np.empty(0), 0, "none")


@asked
def linear(
    matrix: ArrayLike | Sequence[Sequence[str | float]],
    offset: Sequence[str | float] | None = None,
    **symbols: float,
) -> Operator:
    """F(z) = Mz + q.

    Args:
        matrix: d×d numbers, a scipy sparse matrix, or nested lists whose entries may be formulas
            in ``symbols``, as ``"L*sqrt(1 - c**2)"``: then the exact readings know the entries
            exactly and not as rounded floats.
        offset: q, d numbers or formulas; default 0.

    Raises OpcheckError for a matrix that is not square, not finite, or does not fit q, and for a
    symbol that no entry has.
    """
    if hasattr(matrix, "tocsr"):
        refuse_unused(linear, symbols, offset if offset is not None else ())
        return _sparse(matrix, offset)
    refuse_lost(matrix, "a linear operator")
    rows: list[list[Any]] = (
        matrix.tolist() if isinstance(matrix, np.ndarray) else [list(r) for r in matrix]  # type: ignore[union-attr, arg-type]
    )
    d = len(rows)
    q = list(offset) if offset is not None else [0] * d
    if d == 0 or any(len(r) != d for r in rows):
        raise OpcheckError(
            f"a linear operator needs a square matrix, not one of {d} rows and "
            f"{len(rows[0]) if rows else 0} columns"
        )
    if len(q) != d:
        raise OpcheckError(f"offset has {len(q)} entries for a {d}×{d} matrix")
    ordered = [v for r in rows for v in r] if d < 8 else [r[j] for j in range(d) for r in rows]
    entries = [*ordered, *q]
    refuse_unused(linear, symbols, entries)
    values = _numbers(entries, symbols)
    formulas = tuple(entries) if any(isinstance(v, str) for v in entries) else None
    flat = values[: d * d].reshape(d, d)
    kernel = linear_kernels.by_rows if d < 8 else linear_kernels.by_columns
    return Operator(
        kernel=kernel,
        data=values,
        dim=d,
        formula="F(z) = Mz" + (" + q" if any(v != 0 for v in q) else ""),
        entries=formulas,
        symbols=symbols,
        compiled=linear_kernels.by_blas if d > 128 else None,
        matrix=flat if d < 8 else flat.T.copy(),
    )


def _numbers(entries: Any, symbols: Mapping[str, float]) -> Vector:
    values = [text(v).evaluate(symbols, FLOAT) if isinstance(v, str) else v for v in entries]
    out = as_real(values, "a linear operator")
    if not np.isfinite(out).all():
        raise OpcheckError("a linear operator needs finite entries; the matrix holds NaN or ±inf")
    return out


def _sparse(matrix: Any, offset: Sequence[Any] | None) -> Operator:
    csr = matrix.tocsr()
    csr.sort_indices()
    d = csr.shape[0]
    if csr.shape != (d, d):
        raise OpcheckError(f"a linear operator needs a square matrix, not shape {csr.shape}")
    if csr.nnz >= 2**32:
        raise OpcheckError(f"a sparse operator may hold 2^32 entries at most, not {csr.nnz}")
    q = _numbers(offset if offset is not None else [0] * d, {})
    values = _numbers(csr.data, {})
    index = np.concatenate([csr.indptr.astype(np.uint32), csr.indices.astype(np.uint32)])
    index = np.concatenate([index, np.zeros(index.size % 2, np.uint32)])
    data = np.concatenate([[float(csr.nnz)], q, values, index.view(float)])
    return Operator(linear_kernels.sparse, data, d, "F(z) = Mz (sparse)" if d else "")


@asked
def operator(
    function: Callable[..., Any],
    dim: int,
    data: ArrayLike = (),
    formula: str = "",
) -> Operator:
    """An operator from Python: a kernel ``f(z, out, data)``, or a function ``f(z)`` returning F(z).

    A kernel that numba can compile runs compiled; anything else runs interpreted, with a warning.

    Raises OpcheckError if it is no function of one or three arguments, for a dimension that is no
    whole number from 1 on, and for data that are no real numbers.
    """
    if not callable(function):
        raise OpcheckError(
            f"operator({function!r}, ...): it takes f(z, out, data) or f(z); of a matrix "
            "make one with opcheck.linear"
        )
    if not isinstance(dim, int | np.integer) or isinstance(dim, bool) or dim < 1:
        raise OpcheckError(f"dim = {dim!r} must be a whole number from 1 on")
    try:
        count = len(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        count = 1
    values = as_real(data, "data").ravel()
    name = formula or getattr(function, "__name__", "F")
    if count == 3:
        return Operator(function, values, dim, name)
    if count != 1:
        raise OpcheckError(
            f"operator {name!r} takes {count} arguments; write f(z, out, data) or f(z)"
        )

    @functools.wraps(function)
    def kernel(z: Any, out: Any, data: Any) -> None:
        returned = function(z)
        value = np.asarray(returned)
        if value.dtype == object and value.shape == ():
            what = "nothing" if returned is None else f"a {type(returned).__name__}"
            raise OpcheckError(f"operator {name!r} returns {what}; return the numbers of F(z)")
        if value.dtype.kind not in "fiubO" or value.dtype in (np.float16, np.float32):
            raise OpcheckError(
                f"operator {name!r} returns numbers of type {value.dtype}; return float64, and "
                "compute with it"
            )
        if value.shape != out.shape:
            raise OpcheckError(
                f"operator {name!r} returns shape {value.shape} for a point of shape {out.shape}"
            )
        out[:] = value

    kernel.__dict__.pop("__wrapped__", None)
    warn_once(
        f"operator {name!r} runs interpreted: write it as f(z, out, data) with plain loops to have "
        "it compiled"
    )
    return Operator(kernel, values, dim, name, interpreted=True)
