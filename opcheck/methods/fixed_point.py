"""Fixed-point iterations of T = I − F."""

from opcheck.model.method import method
from opcheck.model.primitives import at, axpy, combine


@method(
    "krasnoselskii_mann",
    params="a[k]",
    rows="z Fz",
    calls=1,
    source="krasnoselskii1955",
    constrained=False,
)
def krasnoselskii_mann(F, F_data, J, J_data, state, params, k, n):
    """z⁺ = (1 − a_k) z + a_k T z = z − a_k F z."""
    z, Fz = state[0], state[1]
    for _ in range(n):
        F(z, Fz, F_data)
        axpy(z, z, -at(params, 0, k), Fz)
        k += 1


@method("halpern", params="", rows="z anchor Fz", calls=1, source="halpern1967", constrained=False)
def halpern(F, F_data, J, J_data, state, params, k, n):
    """z⁺ = β z⁰ + (1 − β) T z,  β = 1/(k + 2)."""
    z, anchor, Fz = state[0], state[1], state[2]
    for _ in range(n):
        beta = 1 / (k + 2)
        F(z, Fz, F_data)
        axpy(z, z, -1, Fz)
        combine(z, beta, anchor, 1 - beta, z)
        k += 1
