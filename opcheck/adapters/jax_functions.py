"""Operators from functions of JAX."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np

from opcheck.adapters.foreign import interpreted, signs
from opcheck.arguments import integer
from opcheck.errors import OpcheckError
from opcheck.model.operator import Operator, Vector


def from_jax(
    function: Callable[[Any], Any], dim: int, *, ascending: Sequence[int] = ()
) -> Operator:
    """F from a function of JAX: z ↦ F(z), or z ↦ φ(z), one number, whose gradient is taken.

    Args:
        function: takes an array of float64, shape (d,); it is traced, and compiled by JAX.
        dim: d.
        ascending: coordinates that ascend φ, with −∂φ in F; the others descend.

    Returns an operator that opcheck runs interpreted. It computes in float64 whatever JAX is set
    to, which it leaves as it was.

    Raises OpcheckError for a function that returns another shape, or single precision, or raises.
    """
    size = integer(dim, "dim", 1)
    sign = signs(size, ascending)
    name = getattr(function, "__name__", type(function).__name__)
    with jax.enable_x64(True):
        try:
            shape = jax.eval_shape(function, np.zeros(size))
        except Exception as error:
            about = " ".join(str(error).split())[:200]
            raise OpcheckError(f"{name} raises {type(error).__name__} in JAX: {about}") from error
        if getattr(shape, "dtype", None) != np.float64:
            raise OpcheckError(
                f"{name} returns {getattr(shape, 'dtype', type(shape).__name__)}; make its "
                "constants of float64, with jax.enable_x64(True)"
            )
        if shape.shape == (size,) and ascending:
            raise OpcheckError("components of F are as they are; only a payoff is ascended")
        if shape.shape not in ((), (size,)):
            raise OpcheckError(
                f"{name} returns shape {shape.shape} for a point of shape ({size},); return one "
                "number, or as many as there are coordinates"
            )
        compiled = jax.jit(function if shape.shape == (size,) else jax.grad(function))

    def F(z: Vector) -> Vector:
        with jax.enable_x64(True):
            return np.asarray(sign * np.asarray(compiled(np.asarray(z, dtype=float))))

    return interpreted(F, size, name)
