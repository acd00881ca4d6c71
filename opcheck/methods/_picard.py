"""What the references in numpy share."""


def picard(F, J, z, gamma, times=200):
    """``times`` applications of w ↦ J(z − γ F w) from w = z; J_{γS} z to rounding where γL ≤ ½."""
    w = z
    for _ in range(times):
        w = J(z - gamma * F(w), gamma)
    return w
