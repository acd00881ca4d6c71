"""Gradient descent ascent, plain and anchored."""

from opcheck.model.method import method
from opcheck.model.primitives import axpy, combine


@method(
    "gradient_descent_ascent",
    params="gamma",
    rows="z Fz",
    calls=1,
    source="arrow1958",
    constrained=True,
)
def gradient_descent_ascent(F, F_data, J, J_data, state, params, k, n):
    """z⁺ = J(z − γ F z)."""
    z, Fz = state[0], state[1]
    gamma = params[0]
    for _ in range(n):
        F(z, Fz, F_data)
        axpy(z, z, -gamma, Fz)
        J(z, gamma, z, J_data)


@method(
    "anchored_gradient",
    params="gamma",
    rows="z anchor Fz",
    calls=1,
    source="diakonikolas2020halpern",
    constrained=False,
)
def anchored_gradient(F, F_data, J, J_data, state, params, k, n):
    """Halpern's iteration of T = I − γF:  z⁺ = β z⁰ + (1 − β)(z − γ F z),  β = 1/(k + 2)."""
    z, anchor, Fz = state[0], state[1], state[2]
    gamma = params[0]
    for _ in range(n):
        beta = 1 / (k + 2)
        F(z, Fz, F_data)
        axpy(z, z, -gamma, Fz)
        combine(z, beta, anchor, 1 - beta, z)
        k += 1
