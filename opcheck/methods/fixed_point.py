"""Fixed-point iterations of T = I − F."""

from opcheck.kernels import at, axpy, combine, copy, subtract
from opcheck.model.method import method


def _krasnoselskii_mann(F, z, k, a=(0.5, 0.3, 0.9)):
    return (1 - a[k]) * z + a[k] * (z - F(z))


@method(
    "krasnoselskii_mann",
    params="a[k]",
    rows="z Fz",
    calls=1,
    source="krasnoselskii1955",
    constrained=False,
    reference=_krasnoselskii_mann,
)
def krasnoselskii_mann(F, F_data, J, J_data, state, params, k, n):
    """z⁺ = (1 − a_k) z + a_k T z = z − a_k F z."""
    z, Fz = state[0], state[1]
    for _ in range(n):
        F(z, Fz, F_data)
        axpy(z, z, -at(params, 0, k), Fz)
        k += 1


def _halpern(F, z, z0, k):
    return z0 / (k + 2) + (k + 1) / (k + 2) * (z - F(z))


@method(
    "halpern",
    params="",
    rows="z anchor Fz",
    calls=1,
    source="halpern1967",
    constrained=False,
    reference=_halpern,
)
def halpern(F, F_data, J, J_data, state, params, k, n):
    """z⁺ = β z⁰ + (1 − β) T z,  β = 1/(k + 2)."""
    z, anchor, Fz = state[0], state[1], state[2]
    for _ in range(n):
        beta = 1 / (k + 2)
        F(z, Fz, F_data)
        axpy(z, z, -1, Fz)
        combine(z, beta, anchor, 1 - beta, z)
        k += 1


def _oc_halpern(F, z, z0, k, beta=(0.5, 0.3, 0.1)):
    return beta[k] * z0 + (1 - beta[k]) * (z - F(z))


@method(
    "oc_halpern",
    params="beta[k]",
    rows="z anchor Fz",
    calls=1,
    source="park2022",
    constrained=False,
    reference=_oc_halpern,
)
def oc_halpern(F, F_data, J, J_data, state, params, k, n):
    """z⁺ = β_k z⁰ + (1 − β_k) T z: Halpern's iteration with weights for a contraction."""
    z, anchor, Fz = state[0], state[1], state[2]
    for _ in range(n):
        beta = at(params, 0, k)
        F(z, Fz, F_data)
        axpy(z, z, -1, Fz)
        combine(z, beta, anchor, 1 - beta, z)
        k += 1


def _dual_halpern(F, z, k, memory, weight=(0.9, 0.8, 0.75)):
    last, memory["Tz"] = memory.get("Tz", z), z - F(z)
    return z + weight[k] * (memory["Tz"] - last)


@method(
    "dual_halpern",
    params="weight[k]",
    rows="z Tz past",
    calls=1,
    source="yoon2024optimal",
    constrained=False,
    reference=_dual_halpern,
)
def dual_halpern(F, F_data, J, J_data, state, params, k, n):
    """Dual OHM of horizon N: z⁺ = z + w_k (T z − T z₋), w_k = (N − k − 1)/(N − k), T z₋₁ := z⁰.

    Only z^{N−1} is fast.
    """
    z, Tz, past = state[0], state[1], state[2]
    for _ in range(n):
        F(z, Tz, F_data)
        axpy(Tz, z, -1, Tz)
        subtract(past, Tz, past)
        axpy(z, z, at(params, 0, k), past)
        copy(past, Tz)
        k += 1
