"""Momentum: heavy-ball steps whose factor may be a complex number."""

from opcheck.kernels import axpy, combine
from opcheck.model.method import method


def _complex_momentum(F, z, memory, gamma=1 / 16, beta_re=0.2, beta_im=0.3):
    memory["mu"] = (beta_re + 1j * beta_im) * memory.get("mu", 0) - F(z)
    return z + gamma * memory["mu"].real


@method(
    "complex_momentum",
    params="gamma beta_re beta_im",
    rows="z re=0 im=0 g",
    calls=1,
    source="lorraine2022complex",
    points="z",
    constrained=False,
    reference=_complex_momentum,
)
def complex_momentum(F, F_data, J, J_data, state, params, k, n):
    """μ⁺ = β μ − F z,   z⁺ = z + γ Re μ⁺  with β = β_re + i β_im, starting with μ = 0.

    Its rows ``re`` and ``im`` are the parts of μ. Of a real β > 0 it is the heavy-ball method, of a
    real β < 0 negative momentum, and all players step at once.
    """
    z, re, im, g = state[0], state[1], state[2], state[3]
    gamma, beta_re, beta_im = params[0], params[1], params[2]
    for _ in range(n):
        F(z, g, F_data)
        axpy(g, g, beta_im, im)
        combine(im, beta_re, im, beta_im, re)
        combine(re, beta_re, re, -1, g)
        axpy(z, z, gamma, re)
