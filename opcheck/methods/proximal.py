"""Proximal point methods: the resolvent of the whole sum S = F + A, exact or approximate."""

from opcheck.kernels import at, axpy, combine, copy, resolvent_of_sum
from opcheck.methods._picard import picard
from opcheck.model.method import method


def _proximal_point(F, J, z, gamma=1 / 16):
    return picard(F, J, z, gamma)


@method(
    "proximal_point",
    params="gamma",
    rows="z Jz",
    calls=0,
    source="rockafellar1976",
    constrained=True,
    reference=_proximal_point,
)
def proximal_point(F, F_data, J, J_data, state, params, k, n):
    """z⁺ = J_{γS} z."""
    z, Jz = state[0], state[1]
    gamma = params[0]
    for _ in range(n):
        resolvent_of_sum(F, F_data, J, J_data, z, gamma, Jz)
        copy(z, Jz)


def _relaxed_proximal_point(F, J, z, gamma=1 / 16, lam=0.4):
    return (1 - lam) * z + lam * picard(F, J, z, gamma)


@method(
    "relaxed_proximal_point",
    params="gamma lam",
    rows="z Jz",
    calls=0,
    source="eckstein1992",
    constrained=True,
    reference=_relaxed_proximal_point,
)
def relaxed_proximal_point(F, F_data, J, J_data, state, params, k, n):
    """z⁺ = (1 − λ) z + λ J_{γS} z."""
    z, Jz = state[0], state[1]
    gamma, lam = params[0], params[1]
    for _ in range(n):
        resolvent_of_sum(F, F_data, J, J_data, z, gamma, Jz)
        combine(z, 1 - lam, z, lam, Jz)


def _inner_loop(F, J, z, z0, gamma=1 / 16):
    return J(z0 - gamma * F(z), gamma)


@method(
    "inner_loop",
    params="gamma",
    rows="z anchor Fz",
    calls=1,
    source="pethick2023stable",
    constrained=True,
    reference=_inner_loop,
)
def inner_loop(F, F_data, J, J_data, state, params, k, n):
    """w⁺ = J(z⁰ − γ F w): the loop inside RAPP on its own; row ``z`` is w, ``anchor`` is z⁰."""
    w, anchor, Fw = state[0], state[1], state[2]
    gamma = params[0]
    for _ in range(n):
        F(w, Fw, F_data)
        axpy(w, anchor, -gamma, Fw)
        J(w, gamma, w, J_data)


def _approximate_proximal_point(F, J, z, k, gamma=1 / 16, tau=(1, 4, 2, 3)):
    return picard(F, J, z, gamma, tau[k])


@method(
    "approximate_proximal_point",
    params="gamma tau[k]:int",
    rows="z w Fw",
    calls="tau",
    source="pethick2023stable",
    points="z w",
    constrained=True,
    reference=_approximate_proximal_point,
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


def _rapp(F, J, z, k, gamma=1 / 16, lam=0.4, tau=(3, 1, 5)):
    return (1 - lam) * z + lam * picard(F, J, z, gamma, tau[k])


@method(
    "rapp",
    params="gamma lam tau[k]:int",
    rows="z w Fw",
    calls="tau",
    source="pethick2023stable",
    points="z w",
    constrained=True,
    reference=_rapp,
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


def _anchored_proximal_point(F, J, z, z0, k, gamma=1 / 16, lam=0.4, beta=(0.2, 0.1)):
    return beta[k] * z0 + (1 - beta[k]) * _relaxed_proximal_point(F, J, z, gamma, lam)


@method(
    "anchored_proximal_point",
    params="gamma lam beta[k]",
    rows="z anchor Jz",
    calls=0,
    source="alacaoglu2024revisiting",
    constrained=True,
    reference=_anchored_proximal_point,
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


def _accelerated_proximal_point(F, J, z, k, memory, gamma=1 / 16):
    x, before = memory.get("x", z), memory.get("z", z)
    memory["x"], memory["z"] = picard(F, J, z, gamma), z
    return memory["x"] + k / (k + 2) * (memory["x"] - x) - k / (k + 2) * (x - before)


@method(
    "accelerated_proximal_point",
    params="gamma",
    rows="z x past Jz",
    calls=0,
    source="kim2021accelerated",
    constrained=True,
    reference=_accelerated_proximal_point,
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
