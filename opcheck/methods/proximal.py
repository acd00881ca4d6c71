"""Proximal point methods: the resolvent of the whole sum S = F + A, exact or approximate."""

from opcheck.model.method import method
from opcheck.model.primitives import at, axpy, combine, copy, resolvent_of_sum


@method(
    "proximal_point",
    params="gamma",
    rows="z Jz",
    calls=0,
    source="rockafellar1976",
    constrained=True,
)
def proximal_point(F, F_data, J, J_data, state, params, k, n):
    """z⁺ = J_{γS} z."""
    z, Jz = state[0], state[1]
    gamma = params[0]
    for _ in range(n):
        resolvent_of_sum(F, F_data, J, J_data, z, gamma, Jz)
        copy(z, Jz)


@method(
    "relaxed_proximal_point",
    params="gamma lam",
    rows="z Jz",
    calls=0,
    source="eckstein1992",
    constrained=True,
)
def relaxed_proximal_point(F, F_data, J, J_data, state, params, k, n):
    """z⁺ = (1 − λ) z + λ J_{γS} z."""
    z, Jz = state[0], state[1]
    gamma, lam = params[0], params[1]
    for _ in range(n):
        resolvent_of_sum(F, F_data, J, J_data, z, gamma, Jz)
        combine(z, 1 - lam, z, lam, Jz)


@method(
    "inner_loop",
    params="gamma",
    rows="z anchor Fz",
    calls=1,
    source="pethick2023stable",
    constrained=True,
)
def inner_loop(F, F_data, J, J_data, state, params, k, n):
    """w⁺ = J(z⁰ − γ F w): the loop inside RAPP on its own; row ``z`` is w, ``anchor`` is z⁰."""
    w, anchor, Fw = state[0], state[1], state[2]
    gamma = params[0]
    for _ in range(n):
        F(w, Fw, F_data)
        axpy(w, anchor, -gamma, Fw)
        J(w, gamma, w, J_data)


@method(
    "approximate_proximal_point",
    params="gamma tau[k]:int",
    rows="z w Fw",
    calls="tau",
    source="pethick2023stable",
    points="z w",
    constrained=True,
)
def approximate_proximal_point(F, F_data, J, J_data, state, params, k, n):
    """w ← z;  τ_k times  w ← J(z − γ F w);  z⁺ = w."""
    z, w, Fw = state[0], state[1], state[2]
    gamma = params[0]
    for _ in range(n):
        copy(w, z)
        for _ in range(int(at(params, 1, k))):
            F(w, Fw, F_data)
            axpy(w, z, -gamma, Fw)
            J(w, gamma, w, J_data)
        copy(z, w)
        k += 1


@method(
    "rapp",
    params="gamma lam tau[k]:int",
    rows="z w Fw",
    calls="tau",
    source="pethick2023stable",
    points="z w",
    constrained=True,
)
def rapp(F, F_data, J, J_data, state, params, k, n):
    """w ← z;  τ_k times  w ← J(z − γ F w);  z⁺ = (1 − λ) z + λ w."""
    z, w, Fw = state[0], state[1], state[2]
    gamma, lam = params[0], params[1]
    for _ in range(n):
        copy(w, z)
        for _ in range(int(at(params, 2, k))):
            F(w, Fw, F_data)
            axpy(w, z, -gamma, Fw)
            J(w, gamma, w, J_data)
        combine(z, 1 - lam, z, lam, w)
        k += 1


@method(
    "anchored_proximal_point",
    params="gamma lam beta[k]",
    rows="z anchor Jz",
    calls=0,
    source="alacaoglu2024revisiting",
    constrained=True,
)
def anchored_proximal_point(F, F_data, J, J_data, state, params, k, n):
    """Halpern on the relaxed resolvent: z⁺ = β_k z⁰ + (1 − β_k)(z + λ(J_{γS} z − z))."""
    z, anchor, Jz = state[0], state[1], state[2]
    gamma, lam = params[0], params[1]
    for _ in range(n):
        beta = at(params, 2, k)
        resolvent_of_sum(F, F_data, J, J_data, z, gamma, Jz)
        combine(z, 1 - lam, z, lam, Jz)
        combine(z, beta, anchor, 1 - beta, z)
        k += 1


@method(
    "accelerated_proximal_point",
    params="gamma",
    rows="z x past Jz",
    calls=0,
    source="kim2021accelerated",
    constrained=True,
)
def accelerated_proximal_point(F, F_data, J, J_data, state, params, k, n):
    """x⁺ = J_{γS} z,   z⁺ = x⁺ + w(x⁺ − x) − w(x − z₋),  w = k/(k + 2)."""
    z, x, past, Jz = state[0], state[1], state[2], state[3]
    gamma = params[0]
    for _ in range(n):
        w = k / (k + 2)
        resolvent_of_sum(F, F_data, J, J_data, z, gamma, Jz)
        combine(past, w, past, -2 * w, x)
        axpy(past, past, 1 + w, Jz)
        copy(x, Jz)
        combine(Jz, 1, past, 0, z)
        copy(past, z)
        copy(z, Jz)
        k += 1
