"""Kernels and measures as people write them: read, or refused with what to write instead."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from opcheck.evidence.proofs.prove import attempt
from opcheck.kernels import OTHER, axpy
from opcheck.model.measure import measure
from opcheck.model.method import method
from opcheck.model.proof import Proof
from opcheck.model.property import Cocoercive
from opcheck.model.theorem import Source, Theorem

GRADIENT = {
    "given": [Cocoercive("beta", of="F")],
    "where": "0 < gamma <= 2*beta",
    "bound": "R**2",
    "source": Source("none"),
    "proof": Proof(potential="distance", step={"Cocoercive(z)": "2*gamma"}, end={"potential": "1"}),
}


def counted(F, F_data, J, J_data, state, params, k, n):  # type: ignore[no-untyped-def]
    """A gradient step, entry by entry."""
    for _ in range(n):
        F(state[0], state[1], F_data)
        for i, f in enumerate(state[1]):
            state[0, i] -= params[0] * f
        k += 1


def while_loop(F, F_data, J, J_data, state, params, k, n):  # type: ignore[no-untyped-def]
    """A gradient step, entry by entry."""
    z = state[0]
    for _ in range(n):
        F(z, state[1], F_data)
        i = 0
        while i < z.shape[0]:
            z[i] -= params[0] * state[1, i]
            i += 1
        k += 1


def signed(F, F_data, J, J_data, state, params, k, n):  # type: ignore[no-untyped-def]
    """A gradient step, whatever the sign of γ."""
    for _ in range(n):
        F(state[0], state[1], F_data)
        axpy(state[0], state[0], -params[0] if params[0] > 0 else params[0], state[1])
        k += 1


def converted(F, F_data, J, J_data, state, params, k, n):  # type: ignore[no-untyped-def]
    """A gradient step with a number that is one already."""
    for _ in range(n):
        F(state[0], state[1], F_data)
        axpy(state[0], state[0], -np.float64(params[0]), state[1])
        k += 1


@pytest.mark.parametrize(
    ("kernel", "instead"),
    [
        (counted, "loop over range(z.shape[0])"),
        (while_loop, "for i in range(z.shape[0])"),
        (signed, "whether gamma > 0; write the branch that the range leaves alone"),
        (converted, "float64 of numpy"),
    ],
)
def test_what_is_not_read_is_refused_with_what_to_write(
    kernel: Callable[..., Any], instead: str, own_registry: None
) -> None:
    step = method("natural", params="gamma", rows="z Fz", calls=1, source="none", constrained=False)
    step(kernel)
    said = attempt(Theorem("natural", method="natural", measure="distance", **GRADIENT))
    assert said.status == "not proved"
    assert instead in said.reason


def test_a_square_of_an_entry_is_a_product(own_registry: None) -> None:
    @measure(
        "square_sum",
        rows="z solution",
        latex="s",
        words="the squared distance",
        unit="z²",
        reference=lambda z, other: (z - other) @ (z - other),
    )
    def square_sum(F, F_data, J, J_data, state, params, k):  # type: ignore[no-untyped-def]
        """‖z − z*‖², entry by entry."""
        total = 0
        for i in range(state.shape[1]):
            x = state[0, i] - state[OTHER, i]
            total += x**2
        return total

    assert square_sum
    about = {"method": "gradient_descent_ascent", "measure": "square_sum"}
    assert attempt(Theorem("natural", **about, **GRADIENT)).status == "proved"
    cubes = Theorem("natural", **about, **GRADIENT | {"bound": "R**3"})
    assert attempt(cubes).status != "proved"
