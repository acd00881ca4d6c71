"""Extragradient steps anchored at z⁰."""

from opcheck.kernels import at, axpy, combine, subtract
from opcheck.model.method import method


def _anchored_extragradient(F, z, z0, k, gamma=1 / 16):
    pulled = z + (z0 - z) / (k + 2)
    return pulled - gamma * F(pulled - gamma * F(z))


@method(
    "anchored_extragradient",
    params="gamma",
    rows="z zhalf anchor Fz",
    calls=2,
    source="yoon2021accelerated",
    points="z zhalf",
    constrained=False,
    reference=_anchored_extragradient,
)
def anchored_extragradient(F, F_data, J, J_data, state, params, k, n):
    """EAG-C: z½ = z + β(z⁰ − z) − γ F z,   z⁺ = z + β(z⁰ − z) − γ F z½,   β = 1/(k + 2)."""
    z, zhalf, anchor, Fz = state[0], state[1], state[2], state[3]
    gamma = params[0]
    for _ in range(n):
        beta = 1 / (k + 2)
        F(z, Fz, F_data)
        combine(z, beta, anchor, 1 - beta, z)
        axpy(zhalf, z, -gamma, Fz)
        F(zhalf, Fz, F_data)
        axpy(z, z, -gamma, Fz)
        k += 1


def _feg(F, z, z0, k, gamma=1 / 16, rho=-0.01):
    beta, Fz = 1 / (k + 1), F(z)
    half = z + beta * (z0 - z) - (1 - beta) * (gamma + 2 * rho) * Fz
    return z + beta * (z0 - z) - gamma * F(half) - (1 - beta) * 2 * rho * Fz


@method(
    "feg",
    params="gamma rho",
    rows="z zhalf anchor Fz",
    calls=2,
    source="lee2021fast",
    points="z zhalf",
    constrained=False,
    reference=_feg,
)
def feg(F, F_data, J, J_data, state, params, k, n):
    """Fast extragradient, with β = 1/(k + 1) and γ = 1/L.

    z½ = z + β(z⁰ − z) − (1 − β)(γ + 2ρ) F z,
    z⁺ = z + β(z⁰ − z) − γ F z½ − (1 − β) 2ρ F z.
    """
    z, zhalf, anchor, Fz = state[0], state[1], state[2], state[3]
    gamma, rho = params[0], params[1]
    for _ in range(n):
        beta = 1 / (k + 1)
        F(z, Fz, F_data)
        combine(z, beta, anchor, 1 - beta, z)
        axpy(zhalf, z, -(1 - beta) * (gamma + 2 * rho), Fz)
        axpy(z, z, -(1 - beta) * 2 * rho, Fz)
        F(zhalf, Fz, F_data)
        axpy(z, z, -gamma, Fz)
        k += 1


def _past_feg(F, z, z0, k, memory, gamma=1 / 16):
    pulled = z + (z0 - z) / (k + 1)
    y = pulled - k / (k + 1) * gamma * memory["last"] if k else z
    memory["last"] = F(y)
    return pulled - gamma * memory["last"]


@method(
    "past_feg",
    params="gamma",
    rows="z y anchor Fy",
    calls=1,
    source="trandinh2021halpern",
    points="y",
    constrained=False,
    reference=_past_feg,
)
def past_feg(F, F_data, J, J_data, state, params, k, n):
    """Fast extragradient with one call a step: the look-ahead reuses the last F y, β = 1/(k + 1).

    y = z + β(z⁰ − z) − (1 − β) γ F y₋,   z⁺ = z + β(z⁰ − z) − γ F y.
    """
    z, y, anchor, Fy = state[0], state[1], state[2], state[3]
    gamma = params[0]
    for _ in range(n):
        beta = 1 / (k + 1)
        combine(z, beta, anchor, 1 - beta, z)
        axpy(y, z, -(1 - beta) * gamma, Fy)
        F(y, Fy, F_data)
        axpy(z, z, -gamma, Fy)
        k += 1


def _dual_feg(F, z, k, memory, gamma=1 / 16, weight=(0.9, 0.8, 0.75)):
    w, v = weight[k], memory.get("v", 0)
    half = z - gamma * (F(z) - v)
    memory["v"] = w * v + (1 - w) * F(half)
    return half - gamma * w * (F(half) - F(z))


@method(
    "dual_feg",
    params="gamma weight[k]",
    rows="z zhalf v=0 Fz Fzhalf",
    calls=2,
    source="yoon2024optimal",
    points="z zhalf",
    constrained=False,
    reference=_dual_feg,
)
def dual_feg(F, F_data, J, J_data, state, params, k, n):
    """Dual FEG of horizon N, with w_k = (N − k − 1)/(N − k); only z^N is fast.

    z½ = z − γ(F z − v),   z⁺ = z½ − γ w (F z½ − F z),   v⁺ = w v + (1 − w) F z½.
    """
    z, zhalf, v, Fz, Fzhalf = state[0], state[1], state[2], state[3], state[4]
    gamma = params[0]
    for _ in range(n):
        weight = at(params, 1, k)
        F(z, Fz, F_data)
        subtract(zhalf, Fz, v)
        axpy(zhalf, z, -gamma, zhalf)
        F(zhalf, Fzhalf, F_data)
        subtract(Fz, Fzhalf, Fz)
        axpy(z, zhalf, -gamma * weight, Fz)
        combine(v, weight, v, 1 - weight, Fzhalf)
        k += 1
