"""Sets and functions made of others: products, block by block, and conjugates."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np

from opcheck import OpcheckError, Resolvent, resolvent_family
from opcheck.plugin import ConeProgram, Vector, arguments, fitted, registered, stack, total
from opcheck_problems._checks import require, whole
from opcheck_problems.sets._kernels import ROUNDING, count_of, size_of
from opcheck_problems.sets.affine import whole_space
from opcheck_problems.sets.bounded import ball, onto_simplex, simplex


def project_simplices(z, gamma, out, data):
    """Data: the length of the first block."""
    n = count_of(data[0])
    onto_simplex(z[:n], out[:n], data[1])
    onto_simplex(z[n:], out[n:], data[1])


@resolvent_family(
    program=ConeProgram(
        dim=6,
        says=lambda x, y, one: (
            None,
            [("plus", x), ("zero", total(x[:3]) - one), ("zero", total(x[3:]) - one)],
        ),
    ),
)
def simplices(n: int = 3, m: int = 3) -> Resolvent:
    """Projection onto Δ_n × Δ_m, the mixed strategies of two players.

    Raises OpcheckError for n < 1 or m < 1.
    """
    first, second = simplex(whole(n, "n")), simplex(whole(m, "m"))
    return Resolvent(
        project_simplices,
        np.array([float(n), 1.0]),
        n + m,
        f"simplex({n}) x simplex({m})",
        _both_hold(first, second, n),
    )


def _both_hold(left: Resolvent, right: Resolvent, n: int) -> Callable[[Vector], bool] | None:
    """Whether the first n coordinates lie in one set and the others in another."""
    first, second = left.contains, right.contains
    if first is None or second is None:
        return None
    return lambda z: first(z[:n]) and second(z[n:])


def _sum_of(left: Resolvent, right: Resolvent, n: int) -> Callable[[Vector], float] | None:
    """g(z) = g₁(first n coordinates) + g₂(the others)."""
    first, second = _value(left), _value(right)
    if first is None or second is None:
        return None
    return lambda z: first(z[:n]) + second(z[n:])


def _value(factor: Resolvent) -> Callable[[Vector], float] | None:
    contains = factor.contains
    return factor.value if contains is None else lambda z: 0.0 if contains(z) else np.inf


@resolvent_family(
    program=ConeProgram(dim=4, says=lambda x, y, one: (None, [("norm", stack(one, x[2:]))])),
)
def product(
    first: Resolvent | str | None = None,
    second: Resolvent | str | None = None,
    n: int = 0,
    m: int = 0,
) -> Resolvent:
    """J of A₁ × A₂, block by block; nest it for more blocks.

    A factor is a resolvent, or the name of a set, also with arguments as ``"box(0, 1)"``. ``n`` and
    ``m`` say on how many coordinates a factor acts that works on any number.

    Raises OpcheckError for a factor whose number of coordinates is not known, or is another.
    """
    left = _of_dimension(_named(whole_space() if first is None else first, "product"), n, "n")
    right = _of_dimension(_named(ball() if second is None else second, "product"), m, "m")
    n = left.dim
    contains = _both_hold(left, right, n)
    return Resolvent(
        _blocks(left.kernel, right.kernel),
        np.concatenate([[float(n), float(left.data.size)], left.data, right.data]),
        n + right.dim,
        f"{left.name} x {right.name}",
        contains,
        _sum_of(left, right, n) if contains is None else None,
        irrational=left.irrational or right.irrational,
    )


def _named(value: Resolvent | str, taker: str) -> Resolvent:
    """A resolvent, or that of a registered set by its name and arguments."""
    if isinstance(value, str):
        call = arguments(value)
        function = registered("sets", call[0]).function
        try:
            value = function(**fitted(function, call))
        except TypeError as error:
            raise OpcheckError(f"the set {value} can't be made: {error}") from error
    require(isinstance(value, Resolvent), f"{taker} takes a resolvent, not {value!r}")
    return value


def _of_dimension(factor: Resolvent, size: int, name: str) -> Resolvent:
    size = whole(size, name, 0)
    require(
        bool(factor.dim or size),
        f"a factor of a product needs a fixed dimension, and {factor.name} has none; give {name}",
    )
    require(
        size in (0, factor.dim) or not factor.dim,
        f"{factor.name} acts on {factor.dim} coordinates, not on {name} = {size}",
    )
    return factor if factor.dim else dataclasses.replace(factor, dim=size)


_products: dict[tuple[Callable[..., None], Callable[..., None]], Callable[..., None]] = {}


def _blocks(left: Callable[..., None], right: Callable[..., None]) -> Callable[..., None]:
    """One text for each pair of kernels, so that it is compiled once."""

    def project_product(z, gamma, out, data):
        n, m = count_of(data[0]), count_of(data[1])
        left(z[:n], gamma, out[:n], data[2 : 2 + m])
        right(z[n:], gamma, out[n:], data[2 + m :])

    return _products.setdefault((left, right), project_product)


@resolvent_family(
    program=ConeProgram(dim=2, extras=1, says=lambda x, y, one: (y, [("norm", stack(y, x))])),
)
def conjugate(g: Resolvent | str | None = None) -> Resolvent:
    """Proximal map of the conjugate g* of the function that another resolvent belongs to.

    In general J of γA⁻¹ for J of A, by Moreau: z − γ J_{A/γ}(z/γ). ``g`` is a resolvent or the name
    of a set or regulariser, also with arguments as ``"l1(0.5)"``. Default: g* = ‖·‖ of the unit
    ball of the plane. Values of g* are those that one long proximal step from 0 gives, and
    infinite where one of four times the length goes three times as far.

    Raises OpcheckError for what is no resolvent. Source: Moreau (1965); Bauschke and Combettes
    (2017), Proposition 23.20.
    """
    inner = _named(ball() if g is None else g, "conjugate")
    return Resolvent(
        _inverse(inner.kernel),
        inner.data,
        inner.dim,
        f"conjugate of {inner.name}",
        value=_conjugate_value(inner),
        irrational=inner.irrational,
    )


_inverses: dict[Callable[..., None], Callable[..., None]] = {}


def _inverse(kernel: Callable[..., None]) -> Callable[..., None]:
    """One text for each kernel, so that it is compiled once."""

    def moreau(z, gamma, out, data):
        x = z.copy()
        for i in range(z.shape[0]):
            x[i] = z[i] / gamma
        kernel(x, 1 / gamma, x, data)
        for i in range(z.shape[0]):
            out[i] = z[i] - gamma * x[i]

    return _inverses.setdefault(kernel, moreau)


LONG = 2.0**20  # how far the step goes at whose end a maximum is looked for


def _conjugate_value(inner: Resolvent) -> Callable[[Vector], float] | None:
    """u ↦ sup ⟨x, u⟩ − g(x)."""
    of = _value(inner)
    if of is None:
        return None

    def value(u: Vector) -> float:
        size = size_of(u)
        step = LONG / min(max(size, 1e-100), 1.0)
        x, further = inner(step * u, step), inner(4 * step * u, 4 * step)
        if size_of(x) <= ROUNDING * step * size:
            u = u - x / step  # where the supremum is at x; as near to u as rounding is
        elif size_of(further) > 3 * size_of(x):
            return np.inf  # it goes on in proportion to the step
        return float(x @ u) - of(x)

    return value
