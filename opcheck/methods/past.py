"""One call a step: past extragradient and its kin reuse what F was at the last point."""

from opcheck.kernels import axpy, combine, copy
from opcheck.model.method import method


def _past_extragradient(F, J, z, k, memory, gamma=1 / 16):
    zbar = J(z - gamma * memory["last"], gamma) if k else z
    memory["last"] = F(zbar)
    return J(z - gamma * memory["last"], gamma)


@method(
    "past_extragradient",
    params="gamma",
    rows="z zbar Fzbar",
    calls=1,
    source="popov1980",
    points="zbar",
    constrained=True,
    reference=_past_extragradient,
)
def past_extragradient(F, F_data, J, J_data, state, params, k, n):
    """z̄_k = J(z − γ F z̄_{k−1}),   z⁺ = J(z − γ F z̄_k);  starts with z̄_0 := z⁰.

    That is F z̄_{−1} := 0 where A = 0, and then this is the optimistic gradient method
    z̄⁺ = z̄ − 2γ F z̄ + γ F z̄_{−}.
    """
    z, zbar, Fzbar = state[0], state[1], state[2]
    gamma = params[0]
    for _ in range(n):
        if k == 0:
            copy(zbar, z)
        else:
            axpy(zbar, z, -gamma, Fzbar)
            J(zbar, gamma, zbar, J_data)
        F(zbar, Fzbar, F_data)
        axpy(z, z, -gamma, Fzbar)
        J(z, gamma, z, J_data)
        k += 1


def _warm_past_extragradient(F, J, z, memory, gamma=1 / 16):
    last = memory.setdefault("zbar", z)
    memory["zbar"] = J(z - gamma * F(last), gamma)
    return J(z - gamma * F(memory["zbar"]), gamma)


@method(
    "warm_past_extragradient",
    params="gamma",
    rows="z zbar Fzbar",
    calls=1,
    source="popov1980",
    points="zbar",
    constrained=True,
    reference=_warm_past_extragradient,
)
def warm_past_extragradient(F, F_data, J, J_data, state, params, k, n):
    """Past extragradient started with z̄_{−1} := z⁰, so that its first step is one of extragradient.

    With A = 0 its look-ahead points are those of forward-reflected-backward, one step ahead.
    """
    z, zbar, Fzbar = state[0], state[1], state[2]
    gamma = params[0]
    for _ in range(n):
        if k == 0:
            F(z, Fzbar, F_data)
        axpy(zbar, z, -gamma, Fzbar)
        J(zbar, gamma, zbar, J_data)
        F(zbar, Fzbar, F_data)
        axpy(z, z, -gamma, Fzbar)
        J(z, gamma, z, J_data)
        k += 1


def _ogda_plus(F, z, memory, gamma=1 / 16, eta=1 / 32):
    memory["last"] = F(z - gamma * memory.get("last", 0))
    return z - eta * memory["last"]


@method(
    "ogda_plus",
    params="gamma eta",
    rows="z zbar Fzbar=0",
    calls=1,
    source="boehm2023solving",
    points="zbar",
    constrained=False,
    reference=_ogda_plus,
)
def ogda_plus(F, F_data, J, J_data, state, params, k, n):
    """z̄_k = z − γ F z̄_{k−1},   z⁺ = z − η F z̄_k;  starts with F z̄_{−1} := 0."""
    z, zbar, Fzbar = state[0], state[1], state[2]
    gamma, eta = params[0], params[1]
    for _ in range(n):
        axpy(zbar, z, -gamma, Fzbar)
        F(zbar, Fzbar, F_data)
        axpy(z, z, -eta, Fzbar)


def _forward_reflected_backward(F, J, z, memory, gamma=1 / 16):
    last, memory["z"] = memory.get("z", z), z
    return J(z - gamma * (2 * F(z) - F(last)), gamma)


@method(
    "forward_reflected_backward",
    params="gamma",
    rows="z Fz past",
    calls=1,
    source="malitsky2020forward",
    constrained=True,
    reference=_forward_reflected_backward,
)
def forward_reflected_backward(F, F_data, J, J_data, state, params, k, n):
    """z⁺ = J(z − 2γ F z + γ F z₋), with z₋₁ := z⁰; the optimistic gradient method where A = 0."""
    z, Fz, past = state[0], state[1], state[2]
    gamma = params[0]
    for _ in range(n):
        F(z, Fz, F_data)
        if k == 0:
            copy(past, Fz)
        axpy(z, z, -2 * gamma, Fz)
        axpy(z, z, gamma, past)
        J(z, gamma, z, J_data)
        copy(past, Fz)
        k += 1


def _golden_ratio(F, J, z, memory, gamma=1 / 16, phi=1.5):
    memory["mean"] = ((phi - 1) * z + memory.get("mean", z)) / phi
    return J(memory["mean"] - gamma * F(z), gamma)


@method(
    "golden_ratio",
    params="gamma phi",
    rows="z zbar Fz",
    calls=1,
    source="malitsky2020golden",
    constrained=True,
    reference=_golden_ratio,
)
def golden_ratio(F, F_data, J, J_data, state, params, k, n):
    """z⁺ = J(z̄ − γ F z),   z̄⁺ = ((φ − 1) z⁺ + z̄)/φ: the golden ratio algorithm, fixed step."""
    z, zbar, Fz = state[0], state[1], state[2]
    gamma, phi = params[0], params[1]
    for _ in range(n):
        F(z, Fz, F_data)
        axpy(z, zbar, -gamma, Fz)
        J(z, gamma, z, J_data)
        combine(zbar, 1 - 1 / phi, z, 1 / phi, zbar)
