"""The extragradient family: look ahead, then step from z with what was seen there."""

from opcheck.kernels import axpy, subtract
from opcheck.model.method import method


def _extragradient(F, J, z, gamma=1 / 16):
    zbar = J(z - gamma * F(z), gamma)
    return J(z - gamma * F(zbar), gamma)


@method(
    "extragradient",
    params="gamma",
    rows="z zbar Fz",
    calls=2,
    source="korpelevich1976",
    points="z zbar",
    constrained=True,
    reference=_extragradient,
)
def extragradient(F, F_data, J, J_data, state, params, k, n):
    """z̄ = J(z − γ F z),   z⁺ = J(z − γ F z̄)."""
    z, zbar, Fz = state[0], state[1], state[2]
    gamma = params[0]
    for _ in range(n):
        F(z, Fz, F_data)
        axpy(zbar, z, -gamma, Fz)
        J(zbar, gamma, zbar, J_data)
        F(zbar, Fz, F_data)
        axpy(z, z, -gamma, Fz)
        J(z, gamma, z, J_data)


def _eg_plus(F, z, gamma=1 / 16, alpha=0.7):
    return z - alpha * gamma * F(z - gamma * F(z))


@method(
    "eg_plus",
    params="gamma alpha",
    rows="z zbar Fz Fzbar",
    calls=2,
    source="diakonikolas2021efficient",
    points="z zbar",
    constrained=False,
    reference=_eg_plus,
)
def eg_plus(F, F_data, J, J_data, state, params, k, n):
    """z̄ = z − γ F z,   z⁺ = z − α γ F z̄."""
    z, zbar, Fz, Fzbar = state[0], state[1], state[2], state[3]
    gamma, alpha = params[0], params[1]
    for _ in range(n):
        F(z, Fz, F_data)
        axpy(zbar, z, -gamma, Fz)
        F(zbar, Fzbar, F_data)
        axpy(z, z, -alpha * gamma, Fzbar)


def _ceg_plus(F, J, z, gamma=1 / 16, alpha=0.7):
    def H(v):
        return v - gamma * F(v)

    zbar = J(H(z), gamma)
    return z - alpha * (H(z) - H(zbar))


@method(
    "ceg_plus",
    params="gamma alpha",
    rows="z zbar Fz g",
    calls=2,
    source="pethick2022escaping",
    points="z zbar",
    constrained=True,
    reference=_ceg_plus,
)
def ceg_plus(F, F_data, J, J_data, state, params, k, n):
    """z̄ = J(z − γ F z),   g = (z − γ F z) − (z̄ − γ F z̄) ∈ γ S z̄,   z⁺ = z − α g."""
    z, zbar, Fz, g = state[0], state[1], state[2], state[3]
    gamma, alpha = params[0], params[1]
    for _ in range(n):
        F(z, Fz, F_data)
        axpy(g, z, -gamma, Fz)
        J(g, gamma, zbar, J_data)
        F(zbar, Fz, F_data)
        subtract(g, g, zbar)
        axpy(g, g, gamma, Fz)
        axpy(z, z, -alpha, g)


def _forward_backward_forward(F, J, z, gamma=1 / 16):
    zbar = J(z - gamma * F(z), gamma)
    return zbar - gamma * (F(zbar) - F(z))


@method(
    "forward_backward_forward",
    params="gamma",
    rows="z zbar Fz g",
    calls=2,
    source="tseng2000modified",
    points="z zbar",
    constrained=True,
    reference=_forward_backward_forward,
)
def forward_backward_forward(F, F_data, J, J_data, state, params, k, n):
    """z̄ = J(z − γ F z),   z⁺ = z̄ − γ(F z̄ − F z);  g = z − z⁺ ∈ γ S z̄."""
    z, zbar, Fz, g = state[0], state[1], state[2], state[3]
    gamma = params[0]
    for _ in range(n):
        F(z, Fz, F_data)
        axpy(g, z, -gamma, Fz)
        J(g, gamma, zbar, J_data)
        F(zbar, Fz, F_data)
        subtract(g, g, zbar)
        axpy(g, g, gamma, Fz)
        subtract(z, z, g)
