"""Lookahead over any base method."""

from opcheck.model.method import over
from opcheck.model.primitives import combine, copy, phase


@over("lookahead", params="lam tau:int", rows="slow", source="zhang2019lookahead")
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
