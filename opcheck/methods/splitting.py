"""Splittings with a resolvent of each operator on its own."""

from opcheck.kernels import axpy, combine, identity, resolvent_of_sum
from opcheck.methods._picard import picard
from opcheck.model.method import method


def _douglas_rachford(F, J, z, gamma=1 / 16, lam=0.4):
    x = picard(F, lambda v, _: v, z, gamma)
    return z + lam * (J(2 * x - z, gamma) - x)


@method(
    "douglas_rachford",
    params="gamma lam",
    rows="z x y",
    calls=0,
    source="lions1979splitting",
    constrained=True,
    reference=_douglas_rachford,
    shadow="gamma",
)
def douglas_rachford(F, F_data, J, J_data, state, params, k, n):
    """x = J_{γF} z,   y = J(2x − z),   z⁺ = z + λ(y − x)."""
    z, x, y = state[0], state[1], state[2]
    gamma, lam = params[0], params[1]
    for _ in range(n):
        resolvent_of_sum(F, F_data, identity, J_data, z, gamma, x)
        combine(y, 2, x, -1, z)
        J(y, gamma, y, J_data)
        axpy(z, z, lam, y)
        axpy(z, z, -lam, x)
