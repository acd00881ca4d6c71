"""Lookahead over any base method."""

from opcheck.kernels import combine, copy, phase
from opcheck.model.method import over


def _lookahead(step, z, k, memory, lam=0.3, tau=3):
    if k % tau == 0:
        memory["slow"] = z
    w = step(z, k % tau)
    return (1 - lam) * memory["slow"] + lam * w if k % tau == tau - 1 else w


@over(
    "lookahead",
    params="lam tau:int",
    rows="slow",
    loop="tau",
    source="zhang2019lookahead",
    reference=_lookahead,
)
def lookahead(base, F, F_data, J, J_data, state, params, k, n):
    """τ steps of the base from z, then z ← (1 − λ) slow + λ z, where slow is z before them.

    One iteration is one step of the base; every τ-th closes the loop, and the base counts
    from k = 0 anew; rows that it carries over, as an anchor, stay.
    """
    z, slow = state[0], state[-1]
    lam, tau = params[-2], int(params[-1])
    for j in range(n):
        t = phase(k + j, tau)
        if t == 0:
            copy(slow, z)
        base(F, F_data, J, J_data, state[:-1], params[:-2], t, 1)
        if t == tau - 1:
            combine(z, 1 - lam, slow, lam, z)
