"""Gradient descent ascent."""

from opcheck.model.method import method
from opcheck.model.primitives import axpy


@method("gradient_descent_ascent", params="gamma", rows="z Fz", calls=1, source="arrow1958")
def gradient_descent_ascent(F, F_data, J, J_data, state, params, k, n):
    """z⁺ = J(z − γ F z)."""
    z, Fz = state[0], state[1]
    gamma = params[0]
    for _ in range(n):
        F(z, Fz, F_data)
        axpy(z, z, -gamma, Fz)
        J(z, gamma, z, J_data)
