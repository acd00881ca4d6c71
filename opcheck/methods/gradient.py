"""Gradient descent ascent, plain and anchored."""

from opcheck.kernels import axpy, combine
from opcheck.model.method import method


def _gradient(F, J, z, gamma=1 / 16):
    return J(z - gamma * F(z), gamma)


@method(
    "gradient_descent_ascent",
    params="gamma",
    rows="z Fz",
    calls=1,
    source="arrow1958",
    constrained=True,
    reference=_gradient,
)
def gradient_descent_ascent(F, F_data, J, J_data, state, params, k, n):
    """z⁺ = J(z − γ F z)."""
    z, Fz = state[0], state[1]
    gamma = params[0]
    for _ in range(n):
        F(z, Fz, F_data)
        axpy(z, z, -gamma, Fz)
        J(z, gamma, z, J_data)


def _anchored_gradient(F, z, z0, k, gamma=1 / 16):
    return z0 / (k + 2) + (k + 1) / (k + 2) * (z - gamma * F(z))


@method(
    "anchored_gradient",
    params="gamma",
    rows="z anchor Fz",
    calls=1,
    source="diakonikolas2020halpern",
    constrained=False,
    reference=_anchored_gradient,
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
