"""Where a resolvent is a function on the whole space, by the hypotheses of a statement."""

from __future__ import annotations

from opcheck.model.theorem import Theorem

STEP = "resolvent_step"  # the γ of a resolvent in conditions for its existence


def resolvent_exists(theorem: Theorem, gamma: str, of: str = "S") -> tuple[tuple[str, ...], ...]:
    """What makes (I + γ S)⁻¹ a function on all of R^d, by the hypotheses of a theorem.

    S = F + A with A maximally monotone and F continuous, as every F here is taken to be.
    w ↦ J w + γ(F J w + w − J w), J = J_A, is then a continuous map of R^d, whose value z
    has J w among the p with z ∈ p + γ S p. Where z determines p, and p is a Lipschitz function of
    it, the map is one to one with a continuous inverse; so its image is closed, by invariance of
    domain it is open, and it is all of R^d.
    p is such a function

    - for γ L < 1, since p = J_{γA}(z − γ F p);
    - where S is monotone, or μ-strongly with 1 + γ μ > 0, since ⟨z − z', p − p'⟩ is at least
      (1 + γ μ)‖p − p'‖²;
    - where S is ρ-comonotone with γ + ρ > 0: then p + ((−ρ)/γ)(z − p) is a firmly nonexpansive
      function of z (Bauschke, Moursi and Wang, Generalized monotone operators and their averaged
      resolvents, 2021).

    A weak Minty inequality, or any other against the solution alone, gives none of them.

    Args:
        gamma: the step γ, as a text in the theorem's symbols.
        of: "F": the resolvent of F alone, as in Douglas-Rachford.

    Returns:
        Alternatives, each a set of strict or weak inequalities as texts ("0 < gamma"); one of them
        has to hold on the theorem's range.
    """
    apart = theorem.A != "zero"
    step, factor = f"0 < {gamma}", gamma if gamma.isidentifier() else f"({gamma})"
    alternatives: list[tuple[str, ...]] = []
    for prop in theorem.asked:
        about_f = prop.of == "F" or (prop.of == "S" and not apart)
        # F monotone makes F + A monotone; of F comonotone that is true for ρ ≥ 0 only
        whole = prop.of == of or (about_f and not apart)
        match prop.kind.name, prop.of:
            case "Lipschitz", _ if about_f:
                alternatives.append((step, f"{factor}*{prop.constant} < 1"))
            case (("Nonexpansive" | "ConicallyNonexpansive"), "T"):
                alternatives.append((step,))
            case "Cocoercive", _ if about_f or whole:
                alternatives.append((step,))
            case "Monotone", _ if about_f or whole:
                alternatives.append((step,))
            case "StronglyMonotone", _ if about_f or whole:
                alternatives.append((step, f"0 < 1 + {factor}*{prop.constant}"))
            case "Comonotone", _ if whole:
                alternatives.append((step, f"0 < {gamma} + {prop.constant}"))
            case "Comonotone", _ if about_f:
                alternatives.append((step, f"0 <= {prop.constant}"))
    return tuple(dict.fromkeys(alternatives))
