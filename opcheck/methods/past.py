"""Past extragradient: one call a step, the look-ahead reuses the last one."""

from opcheck.model.method import method
from opcheck.model.primitives import axpy


@method(
    "past_extragradient",
    params="gamma",
    rows="z zbar Fzbar=0",
    calls=1,
    source="popov1980",
    points="zbar",
)
def past_extragradient(F, F_data, J, J_data, state, params, k, n):
    """z̄_k = J(z − γ F z̄_{k−1}),   z⁺ = J(z − γ F z̄_k);  starts with F z̄_{−1} := 0.

    With A = 0 this is the optimistic gradient method z̄⁺ = z̄ − 2γ F z̄ + γ F z̄_{−}.
    """
    z, zbar, Fzbar = state[0], state[1], state[2]
    gamma = params[0]
    for _ in range(n):
        axpy(zbar, z, -gamma, Fzbar)
        J(zbar, gamma, zbar, J_data)
        F(zbar, Fzbar, F_data)
        axpy(z, z, -gamma, Fzbar)
        J(z, gamma, z, J_data)
