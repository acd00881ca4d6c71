"""Sample oracles: what a method sees of F where F is known through samples only.

A sample is a row ξ of floats, drawn outside the kernels from a seeded Generator; the oracle's text
turns it into F̂(z, ξ), whose mean is F(z). Methods do not know: they call an F like any other.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from opcheck.errors import OpcheckError
from opcheck.model.brief import brief
from opcheck.model.operator import Kernel, Operator, Vector

Draw = Callable[[np.random.Generator, int], NDArray[np.float64]]
HEAD = 4  # entries before an oracle's own data, see ``sampled``
ENUMERABLE = 4096  # samples that a finite support may have


@brief
@dataclass(frozen=True)
class SampleOracle:
    """An unbiased sample F̂(z, ξ) of F(z).

    Attributes:
        kernel: ``kernel(z, xi, out, data)`` writes F̂(z, ξ).
        data: float64 vector that the kernel reads.
        width: number of floats in ξ.
        draw: (generator, count) -> independent samples, shape (count, width).
        variance: z -> E‖F̂(z, ξ) − F(z)‖², inf where there is none.
        bound: the largest variance over all z, σ² of a theorem; inf where there is no bound.
        formula: how F̂ and its variance read.
        support: all samples (s, width) with their probabilities (s,), where they are few.
        alike: a finite law with the mean and the covariance of ξ, where F̂ is affine in ξ.
    """

    kernel: Kernel
    data: Vector
    width: int
    draw: Draw
    variance: Callable[[Vector], float]
    bound: float
    formula: str
    support: tuple[NDArray[np.float64], Vector] | None = None
    alike: tuple[NDArray[np.float64], Vector] | None = None

    @property
    def law(self) -> tuple[NDArray[np.float64], Vector] | None:
        """Few samples with their probabilities that give every second moment, if any do."""
        return self.support or self.alike

    def __call__(self, z: ArrayLike, xi: ArrayLike) -> Vector:
        """F̂(z, ξ) for one point (d,) and one sample (width,), interpreted."""
        point = np.ascontiguousarray(z, dtype=float)
        out = np.empty_like(point)
        self.kernel(point, np.ascontiguousarray(xi, dtype=float), out, self.data)
        return out

    def samples(self, generator: np.random.Generator, count: int) -> NDArray[np.float64]:
        """Draws, shape (count, width). Raises OpcheckError where ``draw`` returns another shape."""
        drawn = np.asarray(self.draw(generator, count), dtype=float)
        if drawn.shape != (count, self.width):
            raise OpcheckError(
                f"the oracle {self.formula} draws shape {drawn.shape} where {count} samples of "
                f"{self.width} floats were asked for"
            )
        return drawn


@functools.cache
def sampled(kernel: Kernel) -> Kernel:
    """The oracle as an F that counts its calls: each takes the next of the samples laid out.

    Data: samples taken, samples laid out, floats in each, entries of the oracle's own data; then
    those data; then the samples. A call beyond the last is counted and answers NaN.
    """

    def F(z, out, data):  # type: ignore[no-untyped-def]
        taken, width, own = int(data[0]), int(data[2]), int(data[3])
        data[0] = taken + 1
        if taken < int(data[1]):
            at = HEAD + own + taken * width
            kernel(z, data[at : at + width], out, data[HEAD : HEAD + own])
        else:
            for i in range(out.shape[0]):
                out[i] = np.nan

    F.__module__ = kernel.__module__  # compiled with as much trust as the text inside
    return F


@functools.cache
def _plus(base: Kernel) -> Kernel:
    def plus(z, xi, out, data):  # type: ignore[no-untyped-def]
        base(z, out, data)
        for i in range(out.shape[0]):
            out[i] += xi[i]

    plus.__module__ = base.__module__
    return plus


@functools.cache
def _times(base: Kernel) -> Kernel:
    def times(z, xi, out, data):  # type: ignore[no-untyped-def]
        base(z, out, data)
        for i in range(out.shape[0]):
            out[i] *= xi[0]

    times.__module__ = base.__module__
    return times


def additive(operator: Operator, draw: Draw, variance: float, formula: str) -> SampleOracle:
    """F̂(z, ξ) = F(z) + ξ for centred samples ξ of R^d with E‖ξ‖² = ``variance``."""
    kernel = _plus(operator.compiled or operator.kernel)
    return SampleOracle(
        kernel=kernel,
        data=operator.data,
        width=operator.dim,
        draw=draw,
        variance=lambda z: variance,
        bound=variance,
        formula=formula,
    )


def gaussian(operator: Operator, sigma: float) -> SampleOracle:
    """F̂ = F + ξ with ξ ~ N(0, σ²/d I), so that E‖F̂ − F‖² = σ² in every dimension.

    Raises OpcheckError unless σ is finite and at least 0.
    """
    if not 0 <= sigma < np.inf:
        raise OpcheckError(f"sigma = {sigma} must be finite and not negative")
    d = operator.dim
    each = sigma / np.sqrt(d)

    def draw(generator: np.random.Generator, count: int) -> NDArray[np.float64]:
        return np.asarray(each * generator.standard_normal((count, d)))

    formula = f"F + N(0, σ²/d I), E‖F̂ − F‖² = σ² = {sigma**2:.6g}"
    noisy = additive(operator, draw, sigma**2, formula)
    if 2 * d > ENUMERABLE:
        return noisy
    ends = sigma * np.concatenate([np.eye(d), -np.eye(d)])
    return replace(noisy, alike=(ends, np.full(2 * d, 0.5 / d)))


def pareto(operator: Operator, scale: float, tail: float) -> SampleOracle:
    """F̂ = F + ξ with independent symmetric ξ_i, P(|ξ_i| > t) = (s/t)^α for t ≥ s.

    The mean is 0 for α > 1; E‖ξ‖² = d s² α/(α − 2) for α > 2 and infinite else.

    Raises OpcheckError unless s is finite and at least 0, and α > 1.
    """
    if not 0 <= scale < np.inf:
        raise OpcheckError(f"scale = {scale} must be finite and not negative")
    if not tail > 1:
        raise OpcheckError(f"tail = {tail} must be above 1, or the noise has no mean")
    d = operator.dim

    def draw(generator: np.random.Generator, count: int) -> NDArray[np.float64]:
        u = generator.random((count, d, 2))
        return np.asarray(np.where(u[..., 0] < 0.5, -scale, scale) * (1 - u[..., 1]) ** (-1 / tail))

    variance = d * scale**2 * tail / (tail - 2) if tail > 2 else np.inf
    law = f"F + ξ, P(|ξ_i| > t) = ({scale:g}/t)^{tail:g}"
    said = f"E‖F̂ − F‖² = {variance:.6g}" if tail > 2 else "E‖F̂ − F‖² infinite"
    return additive(operator, draw, variance, f"{law}, {said}")


def multiplicative(operator: Operator, size: float) -> SampleOracle:
    """F̂ = ξ F with ξ = 1 ± s, each with probability 1/2: E‖F̂ − F‖² = s²‖F z‖².

    Raises OpcheckError unless s is finite and at least 0.
    """
    if not 0 <= size < np.inf:
        raise OpcheckError(f"size = {size} must be finite and not negative")

    def draw(generator: np.random.Generator, count: int) -> NDArray[np.float64]:
        return np.where(generator.random((count, 1)) < 0.5, 1 - size, 1 + size)

    def variance(z: Vector) -> float:
        value = operator(z)
        return float(size**2 * (value @ value))

    values = np.array([[1 - size], [1 + size]])
    return SampleOracle(
        kernel=_times(operator.compiled or operator.kernel),
        data=operator.data,
        width=1,
        draw=draw,
        variance=variance,
        bound=np.inf if size else 0.0,
        formula=f"(1 ± s) F, E‖F̂ − F‖² = s²‖F z‖², s² = {size**2:.6g}",
        support=(values, np.full(2, 0.5)),
    )


def _mean_of_batch(z, xi, out, data):  # type: ignore[no-untyped-def]
    """Data: component by component M_i row by row, then q_i; ξ holds the indices drawn."""
    d, count = z.shape[0], xi.shape[0]
    for i in range(d):
        out[i] = 0
        for s in range(count):
            at = int(xi[s]) * d * (d + 1)
            row = data[at + d * d + i]
            for j in range(d):
                row += data[at + i * d + j] * z[j]
            out[i] += row / count


def mini_batch(
    matrices: NDArray[np.float64],
    offsets: NDArray[np.float64],
    size: int = 1,
    weights: ArrayLike | None = None,
) -> SampleOracle:
    """F̂(z) = (1/b) Σ (M_i z + q_i) over b indices drawn independently with probabilities p.

    Unbiased for F = Σ p_i (M_i z + q_i); E‖F̂ − F‖² = (Σ p_i ‖F_i z‖² − ‖F z‖²)/b.

    Args:
        matrices, offsets: shapes (n, d, d) and (n, d).
        size: b.
        weights: p, n numbers that sum to 1; default 1/n each. For importance sampling of a mean
            hand over components divided by n p_i.

    Raises OpcheckError for b < 1, shapes that do not fit, or weights that are no probabilities.
    """
    n, d = len(matrices), matrices.shape[-1]
    if matrices.shape != (n, d, d) or offsets.shape != (n, d):
        raise OpcheckError(
            f"components have shapes (n, d, d) and (n, d), not {matrices.shape} and {offsets.shape}"
        )
    if size != int(size) or size < 1:
        raise OpcheckError(f"batch = {size} must be a whole number from 1 on")
    p = np.full(n, 1 / n) if weights is None else np.asarray(weights, dtype=float)
    if p.shape != (n,) or not (p >= 0).all() or abs(p.sum() - 1) > 1e-12:
        raise OpcheckError(f"the weights of {n} components must be as many, and sum to 1")
    b = int(size)

    def draw(generator: np.random.Generator, count: int) -> NDArray[np.float64]:
        indices: Any = (
            generator.integers(0, n, (count, b))
            if weights is None
            else generator.choice(n, (count, b), p=p)
        )
        return np.asarray(indices, dtype=float)

    def variance(z: Vector) -> float:
        each = matrices @ z + offsets
        off = each - p @ each
        return float(p @ (off * off).sum(axis=1)) / b

    support = None
    if n**b <= ENUMERABLE:
        rows = np.array(list(itertools.product(range(n), repeat=b)), dtype=float)
        support = rows, p[rows.astype(int)].prod(axis=1)
    same = not (matrices - matrices[0]).any()
    return SampleOracle(
        kernel=_mean_of_batch,
        data=np.concatenate([matrices.reshape(n, d * d), offsets], axis=1).ravel(),
        width=b,
        draw=draw,
        variance=variance,
        bound=variance(np.zeros(d)) if same else np.inf,
        formula=f"the mean of {b} of {n} components drawn "
        f"{'evenly' if weights is None else 'by weight'}",
        support=support,
    )
