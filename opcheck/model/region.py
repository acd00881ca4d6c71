"""Where local facts hold and where a search looks: a box, whose ends may be infinite, or a ball."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from opcheck.arguments import asked
from opcheck.errors import OpcheckError
from opcheck.model.primitives import WORK

Floats = NDArray[np.float64]
Ends = float | tuple[float, ...]
ROUNDING = 1e-12  # by which a point may lie outside, in units of the region's size
DECADES = 6  # of an infinite side, samples reach 10^±DECADES beyond its end, evenly in the log
READS = 'write a radius as 2, a box as "[.2,2]x[-1,1]", or a ball as 0,0:2 (centre:radius)'


@dataclass(frozen=True, init=False)
class Region:
    """A box {lower ≤ z ≤ upper}, a ball {‖z − centre‖ ≤ radius}, or the part of it in the set of A.

    ``Region(4.0)`` is ‖z‖∞ ≤ 4, ``Region(lower=[0, 0], upper=[1, inf])`` a box anywhere,
    ``Region(centre=[1, 0], radius=2)`` a ball.

    Attributes:
        lower, upper: of a box: d numbers each, or one for every coordinate; may be infinite.
        centre, radius: of a ball: d numbers, or one for every coordinate, and a positive number;
            None of a box.
        in_set: only points of the problem's own set {J_A(z) = z} are meant.
    """

    lower: Ends
    upper: Ends
    centre: Ends | None
    radius: float | None
    in_set: bool

    @asked
    def __init__(
        self,
        bound: float | None = None,
        *,
        lower: ArrayLike | None = None,
        upper: ArrayLike | None = None,
        centre: ArrayLike | None = None,
        radius: float | None = None,
        in_set: bool = False,
    ) -> None:
        """Make it.

        Args:
            bound: r of ‖z‖∞ ≤ r; alone.
            lower, upper: of a box; one that is left out is infinite.
            centre, radius: of a ball; the centre is 0 where it is left out.
            in_set: only the points of the set of A; alone, all of them.

        Raises OpcheckError for a radius that is not positive and finite, a lower end that is not
        below the upper one, NaN, and for a mixture of a box and a ball.
        """
        box, ball = lower is not None or upper is not None, centre is not None or radius is not None
        if in_set and not (bound is not None or box or ball):
            box = True
        if (bound is not None) + box + ball != 1:
            raise OpcheckError(
                "a region is a bound on ‖z‖∞, or lower and upper ends, or a centre and a radius"
            )
        middle: Ends | None = None
        if bound is not None:
            high = _radius(bound, "box")
            low = -high
            ends: tuple[Ends, Ends] = low, high
        elif box:
            ends = _ends(-np.inf if lower is None else lower, np.inf if upper is None else upper)
        else:
            radius = _radius(radius, "the radius of a ball")
            middle = _one(0.0 if centre is None else centre)
            with np.errstate(over="ignore"):
                ends = _one(np.subtract(middle, radius)), _one(np.add(middle, radius))
            if not np.isfinite([np.min(ends[0]), np.max(ends[1])]).all():
                raise OpcheckError(f"the ball of radius {radius:g} about {middle} is not finite")
        for name, value in (
            ("lower", ends[0]),
            ("upper", ends[1]),
            ("centre", middle),
            ("radius", radius),
            ("in_set", in_set),
        ):
            object.__setattr__(self, name, value)

    @property
    def ball(self) -> bool:
        """Whether it is a ball."""
        return self.radius is not None

    @property
    def bounded(self) -> bool:
        """Whether no end is infinite."""
        return bool(np.isfinite(self.lower).all() and np.isfinite(self.upper).all())

    @property
    def dim(self) -> int | None:
        """d where ends or centre are given by d numbers, None where one is for all."""
        return next((len(e) for e in (self.lower, self.upper) if isinstance(e, tuple)), None)

    @property
    def size(self) -> float:
        """The largest finite end, at least the radius of a ball; what rounding is relative to."""
        ends = np.abs(np.concatenate([np.atleast_1d(self.lower), np.atleast_1d(self.upper)]))
        return float(ends[np.isfinite(ends)].max(initial=0.0)) or 1.0

    @property
    def room(self) -> float:
        """What a point may lie beyond it by rounding; of a set, by what a projection leaves."""
        return (1e-9 if self.in_set else ROUNDING) * self.size

    def ends(self, dim: int) -> tuple[Floats, Floats]:
        """Lower and upper end of the bounding box, d numbers each.

        Raises OpcheckError for a region of another dimension.
        """
        if self.dim is not None and self.dim != dim:
            raise OpcheckError(f"the region {self} has {self.dim} coordinates, the problem {dim}")
        return tuple(
            np.broadcast_to(np.asarray(e, dtype=float), (dim,)).copy()
            for e in (self.lower, self.upper)
        )  # type: ignore[return-value]

    def excess(self, points: ArrayLike) -> Floats:
        """How far outside of the box or ball points of shape (..., d) lie; shape (...).

        At most 0 inside. In the largest coordinate for a box, as a distance for a ball.
        """
        z = np.asarray(points, dtype=float)
        if self.radius is not None:
            return np.asarray(np.linalg.norm(z - np.asarray(self.centre), axis=-1) - self.radius)
        low, high = self.ends(z.shape[-1])
        return np.asarray(np.maximum(low - z, z - high).max(axis=-1))

    def contains(self, points: ArrayLike) -> NDArray[np.bool_]:
        """Whether points of shape (..., d) lie in the box or ball, up to rounding; shape (...)."""
        return np.asarray(self.excess(points) <= ROUNDING * self.size)

    def watch(self, dim: int) -> Callable[..., float]:
        """``excess`` of the row in question, and of ``in_set`` its distance from J_A(z) if that is
        larger, as the kernel of a measure."""
        return _watch(self, dim)

    def clip(self, points: ArrayLike) -> Floats:
        """The nearest points of the box or ball, shape (..., d) as given."""
        z = np.asarray(points, dtype=float)
        low, high = self.ends(z.shape[-1])
        if self.radius is None:
            return np.asarray(np.clip(z, low, high))
        away = z - np.asarray(self.centre)
        length = np.linalg.norm(away, axis=-1, keepdims=True)
        with np.errstate(all="ignore"):
            inner = np.where(length > self.radius, self.radius / length * (1 - 2.0**-52), 1.0)
        return np.asarray(np.asarray(self.centre) + inner * away)

    def sample(self, count: int, dim: int, generator: np.random.Generator) -> Floats:
        """``count`` random points, shape (count, d), uniform where it is bounded.

        Of an infinite side, distances from the other end, else from 0, are even in the logarithm.
        """
        low, high = self.ends(dim)
        unit = generator.uniform(-1, 1, (count, dim))
        if self.radius is not None:
            direction = generator.standard_normal((count, dim))
            direction /= np.linalg.norm(direction, axis=1, keepdims=True)
            length = generator.uniform(0, 1, (count, 1)) ** (1 / dim)
            return np.asarray(np.asarray(self.centre) + self.radius * length * direction)
        far = np.sign(unit) * 10.0 ** (DECADES * (2 * np.abs(unit) - 1))
        with np.errstate(invalid="ignore"):
            inside = low + (unit + 1) / 2 * (high - low)
        if np.array_equal(low, -high):
            inside = np.where(np.isfinite(high), high * unit, inside)  # as exact as a product is
        out = np.where(np.isfinite(low) & np.isfinite(high), inside, far)
        out = np.where(np.isfinite(low) & np.isinf(high), low + np.abs(far), out)
        return np.asarray(np.where(np.isinf(low) & np.isfinite(high), high - np.abs(far), out))

    def within(self, other: Region) -> bool:
        """Whether it is a part of another region, of one problem."""
        if other.in_set and not self.in_set:
            return False
        dim = self.dim or other.dim or 1
        low, high = self.ends(dim)
        room = ROUNDING * other.size
        if other.radius is None:
            least, most = other.ends(dim)
            return bool((low >= least - room).all() and (high <= most + room).all())
        centre = np.broadcast_to(np.asarray(other.centre, dtype=float), (dim,))
        if self.radius is not None and self.centre == other.centre:
            return self.radius <= other.radius + room
        if self.dim is None and other.dim is None:
            return False  # corners, and other centres, are as far off as there are coordinates
        if self.radius is not None:
            apart = np.linalg.norm(np.asarray(self.centre) - centre)
            return bool(apart + self.radius <= other.radius + room)
        corner = np.maximum(np.abs(low - centre), np.abs(high - centre))
        return bool(np.linalg.norm(corner) <= other.radius + room)

    def __str__(self) -> str:
        """As in ``‖z‖∞ ≤ 4``, ``[0, 1] × [0, ∞)``, ``‖z − (1, 0)‖ ≤ 2`` or ``the set of A``."""
        if not self.in_set:
            return self._words()
        whole = self.radius is None and not np.isfinite([self.lower, self.upper]).any()
        return "the set of A" if whole else f"the set of A, {self._words()}"

    def _words(self) -> str:
        if self.radius is not None:
            middle = np.atleast_1d(np.asarray(self.centre))
            away = "z" if not middle.any() else f"z − ({_listed(middle)})"
            return f"‖{away}‖ ≤ {self.radius:g}"
        low, high = np.atleast_1d(self.lower), np.atleast_1d(self.upper)
        if (low == -high).all() and (high == high[0]).all():
            return f"‖z‖∞ ≤ {high[0]:g}"
        if isinstance(self.lower, float) and isinstance(self.upper, float):
            return f"{_side(self.lower, self.upper)} in every coordinate"
        low, high = np.broadcast_arrays(low, high)
        sides = [_side(p, q) for p, q in zip(low[:4], high[:4], strict=True)]
        return " × ".join([*sides, *(["..."] if len(low) > 4 else [])])

    def as_dict(self) -> dict[str, Any]:
        """Plain data, for JSON: ``lower`` and ``upper``, or ``centre`` and ``radius``."""

        def plain(ends: Ends | None) -> Any:
            return list(ends) if isinstance(ends, tuple) else ends

        if self.radius is not None:
            ends = {"centre": plain(self.centre), "radius": self.radius}
        else:
            ends = {"lower": plain(self.lower), "upper": plain(self.upper)}
        return {**ends, "in_set": True} if self.in_set else ends


def ends_of(region: Region | None, dim: int) -> tuple[Floats, Floats]:
    """Lower and upper end of the bounding box, d numbers each; infinite for the whole space."""
    return (np.full(dim, -np.inf), np.full(dim, np.inf)) if region is None else region.ends(dim)


def on_region(region: Region | None) -> str:
    """As in ``on ‖z‖∞ ≤ 4``, or ``on the whole space``."""
    return "on the whole space" if region is None else f"on {region}"


@functools.lru_cache(maxsize=64)
def _watch(region: Region, dim: int) -> Callable[..., float]:
    low, high = region.ends(dim)
    in_set = region.in_set
    if region.radius is None:

        def outside(F, F_data, J, J_data, state, params, k):  # type: ignore[no-untyped-def]
            most = -np.inf
            for i in range(state.shape[1]):
                most = max(most, low[i] - state[0][i], state[0][i] - high[i])
            return max(most, away(J, J_data, state)) if in_set else most

        return outside
    middle, radius = low / 2 + high / 2, float(region.radius)

    def beyond(F, F_data, J, J_data, state, params, k):  # type: ignore[no-untyped-def]
        square = 0.0
        for i in range(state.shape[1]):
            square += (state[0][i] - middle[i]) ** 2
        return max(square**0.5 - radius, away(J, J_data, state)) if in_set else square**0.5 - radius

    return beyond


def away(J: Any, J_data: Any, state: Any) -> Any:
    """The distance of a state's first row from J_A of it."""
    J(state[0], 1.0, state[WORK], J_data)
    square = 0.0
    for i in range(state.shape[1]):
        square += (state[0][i] - state[WORK][i]) ** 2
    return square**0.5


def _side(low: float, high: float) -> str:
    left = "(−∞" if low == -np.inf else f"[{low:g}"
    return f"{left}, ∞)" if high == np.inf else f"{left}, {high:g}]"


def _listed(values: Floats) -> str:
    more = ", ..." if len(values) > 4 else ""
    return ", ".join(f"{v:g}" for v in values[:4]) + more


def _radius(value: Any, what: str) -> float:
    """Raises OpcheckError for anything but a positive and finite number."""
    try:
        radius = float(value)
    except (TypeError, ValueError):
        radius = np.nan
    if not 0 < radius < np.inf or isinstance(value, str):
        raise OpcheckError(f"{what} = {value!r} must be a positive and finite number")
    return radius


def _one(value: ArrayLike) -> Ends:
    """A number for every coordinate, or a tuple of d numbers. Raises OpcheckError for NaN."""
    entries = np.asarray(value, dtype=float)
    if entries.ndim > 1 or not entries.size or np.isnan(entries).any():
        raise OpcheckError(
            f"a region needs a number, or one for each coordinate, not {entries.tolist()}"
        )
    return tuple(entries.tolist()) if entries.ndim else float(entries)


def _ends(lower: ArrayLike, upper: ArrayLike) -> tuple[Ends, Ends]:
    low, high = _one(lower), _one(upper)
    if isinstance(low, tuple) and isinstance(high, tuple) and len(low) != len(high):
        raise OpcheckError(f"a region has {len(low)} lower and {len(high)} upper ends")
    if not (np.asarray(low) < np.asarray(high)).all():
        raise OpcheckError(f"a region needs lower < upper, not lower = {low}, upper = {high}")
    return low, high


def region_of(text: str, dim: int | None = None) -> Region:
    """The region that a text names: ``2``, ``[.2,2]x[-1,1]``, ``[0,inf]``, ``0,0:2``.

    One number r is ‖z‖∞ ≤ r; intervals with an ``x`` between them are a box, a single one for every
    coordinate; ``centre:radius`` is a ball.

    Args:
        dim: coordinates that it must have; not compared where None.

    Raises OpcheckError for any other text, an empty region, or another number of coordinates.
    """
    compact = text.replace(" ", "")
    try:
        if ":" in compact:
            middle, radius = compact.split(":")
            centre = [float(v) for v in middle.split(",")]
            region = Region(
                centre=centre if len(centre) > 1 or dim == 1 else centre[0], radius=float(radius)
            )
        elif "[" in compact:
            sides = re.split(r"(?<=\])[x×*](?=\[)", compact)
            pairs = [_interval(side) for side in sides]
            low, high = (list(ends) for ends in zip(*pairs, strict=True))
            single = len(pairs) == 1 and dim != 1
            region = (
                Region(lower=low[0], upper=high[0]) if single else Region(lower=low, upper=high)
            )
        else:
            region = Region(float(compact))
    except ValueError:
        raise OpcheckError(f"{text!r} is no region; {READS}") from None
    if dim is not None:
        region.ends(dim)
    return region


def _interval(text: str) -> tuple[float, float]:
    """Raises ValueError for anything but ``[a,b]``."""
    match = re.fullmatch(r"\[([^,\[\]]+),([^,\[\]]+)\]", text)
    if match is None:
        raise ValueError
    return float(match[1]), float(match[2])


def as_region(value: Region | float | str, dim: int | None = None) -> Region:
    """A region from itself, from r for ‖z‖∞ ≤ r, or from a text as ``region_of`` reads it.

    Raises OpcheckError for one that is empty, unreadable, or of another number of coordinates.
    """
    if isinstance(value, str):
        return region_of(value, dim)
    region = value if isinstance(value, Region) else Region(value)
    if dim is not None:
        region.ends(dim)
    return region
