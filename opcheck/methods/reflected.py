"""The projected reflected gradient method: one call and one projection a step."""

from opcheck.kernels import axpy, combine, copy
from opcheck.model.method import method


def _projected_reflected_gradient(F, J, z, memory, gamma=1 / 16):
    last, memory["z"] = memory.get("z", z), z
    return J(z - gamma * F(2 * z - last), gamma)


@method(
    "projected_reflected_gradient",
    params="gamma",
    rows="z zbar last Fzbar",
    calls=1,
    source="malitsky2015projected",
    points="zbar",
    constrained=True,
    reference=_projected_reflected_gradient,
)
def projected_reflected_gradient(F, F_data, J, J_data, state, params, k, n):
    """z̄ = 2z − z₋,   z⁺ = J(z − γ F z̄), with z₋₁ := z⁰; z̄ may lie outside of a constraint set."""
    z, zbar, last, Fzbar = state[0], state[1], state[2], state[3]
    gamma = params[0]
    for _ in range(n):
        combine(zbar, 2, z, -1, last)
        copy(last, z)
        F(zbar, Fzbar, F_data)
        axpy(z, z, -gamma, Fzbar)
        J(z, gamma, z, J_data)
