"""Explicit Runge–Kutta steps along ż = −F z; that of order 1 is gradient descent ascent."""

from opcheck.kernels import axpy, copy
from opcheck.model.method import method


def _runge_kutta_2(F, z, gamma=1 / 16):
    slope = F(z)
    return z - gamma / 2 * (slope + F(z - gamma * slope))


@method(
    "runge_kutta_2",
    params="gamma",
    rows="z zbar Fz Fzbar",
    calls=2,
    source="acuna2022domain",
    points="z zbar",
    constrained=False,
    reference=_runge_kutta_2,
)
def runge_kutta_2(F, F_data, J, J_data, state, params, k, n):
    """Heun's step:  z̄ = z − γ F z,   z⁺ = z − (γ/2)(F z + F z̄)."""
    z, zbar, Fz, Fzbar = state[0], state[1], state[2], state[3]
    gamma = params[0]
    for _ in range(n):
        F(z, Fz, F_data)
        axpy(zbar, z, -gamma, Fz)
        F(zbar, Fzbar, F_data)
        axpy(z, z, -gamma / 2, Fz)
        axpy(z, z, -gamma / 2, Fzbar)


def _runge_kutta_4(F, z, gamma=1 / 16):
    first = F(z)
    second = F(z - gamma / 2 * first)
    third = F(z - gamma / 2 * second)
    fourth = F(z - gamma * third)
    return z - gamma * (first + 2 * second + 2 * third + fourth) / 6


@method(
    "runge_kutta_4",
    params="gamma",
    rows="z zbar Fz g",
    calls=4,
    source="acuna2022domain",
    points="z zbar",
    constrained=False,
    reference=_runge_kutta_4,
)
def runge_kutta_4(F, F_data, J, J_data, state, params, k, n):
    """z⁺ = z − (γ/6)(s₁ + 2s₂ + 2s₃ + s₄), the slopes s₁ = F z, s₂ = F(z − γ/2 s₁),
    s₃ = F(z − γ/2 s₂), s₄ = F(z − γ s₃).
    """
    z, zbar, Fz, g = state[0], state[1], state[2], state[3]
    gamma = params[0]
    for _ in range(n):
        F(z, Fz, F_data)
        copy(g, Fz)
        axpy(zbar, z, -gamma / 2, Fz)
        F(zbar, Fz, F_data)
        axpy(g, g, 2, Fz)
        axpy(zbar, z, -gamma / 2, Fz)
        F(zbar, Fz, F_data)
        axpy(g, g, 2, Fz)
        axpy(zbar, z, -gamma, Fz)
        F(zbar, Fz, F_data)
        axpy(g, g, 1, Fz)
        axpy(z, z, -gamma / 6, g)
