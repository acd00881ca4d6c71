"""Proximal point methods on S = F + A, with the resolvent of the sum computed to rounding.

The resolvent comes from the loop w ← J(z − γ F w), so γ L < 1 is asked for throughout.
"""

from opcheck.model.proof import Proof
from opcheck.model.property import Comonotone, Lipschitz, Monotone, StronglyMonotone, WeakMinty
from opcheck.model.theorem import Source, theorem
from opcheck.theorems.fixed_point import (
    CONTRACTIVE,
    CONTRACTIVE_END,
    CONTRACTIVE_POTENTIAL,
    PHI,
    PHI_NEXT,
    UNPROVED,
    averaged,
    large_weight,
    small_weight,
)

PETHICK = Source("pethick2023stable", "Section 6", derived=True)
RELAXED = {"beta": "1 + rho/gamma", "a": "lam*(2*beta - lam)"}
STEPS = "-1/L < rho, max(0, -rho) < gamma < 1/L"
CONIC = f"{STEPS}, 0 < lam < 2*beta"
BEST = {"gamma": "0.9/L", "lam": "1 + rho/gamma"}

theorem(
    "gu2020_ppm_last",
    method="proximal_point",
    given=[Monotone(of="S")],
    technical=[Lipschitz("L", of="F")],
    where="0 < gamma < 1/L",
    measure="distance(z, before)",
    bound="R**2*(k/(k + 1))**k/(k + 1)",
    order="1/k",
    reaches=1.0,
    source=Source("gu2020tight", "Section 4"),
    constrained=True,
    doc="‖z_{k+1} − z_k‖² of the proximal point method, any γ > 0; tight.",
    proof=averaged(
        "(2*(z - resolvent(z)))",
        {"Monotone(resolvent(z))": "4*gamma"},
        {"Monotone(resolvent(z), resolvent(next(z)))": "4*gamma"},
        a="1/2",
        size="1/4",
    ),
)

theorem(
    "gorbunov2023_ppm_last",
    method="proximal_point",
    given=[Comonotone("rho", of="S")],
    technical=[Lipschitz("L", of="F")],
    where="rho <= 0, max(0, -2*rho) < gamma < 1/L",
    let={"a": "gamma/(2*(gamma + rho))"},
    measure="distance(z, before)",
    bound="R**2*where(a <= (1 + sqrt(k/(k + 1)))/2, "
    "gamma/(gamma + 2*rho)*(k/(k + 1))**k/(k + 1), 4*a**2*(2*a - 1)**(2*k))",
    order="1/k",
    reaches=1.0,
    source=Source("gorbunov2023convergence", "Theorem 3.2", derived=True),
    constrained=True,
    doc="The same under cohypomonotonicity with γ > −2ρ: J = (1 − a)I + aN with N nonexpansive, "
    "then the tight Krasnosel'skii-Mann factor. Sharper than the published γR²/((γ + 2ρ)(k + 1)).",
    proof=averaged(
        "((z - resolvent(z))/a)",
        {"Comonotone(resolvent(z))": "2*gamma/a"},
        {"Comonotone(resolvent(z), resolvent(next(z)))": "2*gamma/a"},
        size="a**2",
    ),
)

theorem(
    "pethick2023_relaxed_fejer",
    method="relaxed_proximal_point",
    given=[WeakMinty("rho", of="S")],
    technical=[Lipschitz("L", of="F")],
    where=CONIC,
    let=RELAXED,
    measure="next(distance)",
    bound="distance - a*resolvent_residual",
    claim="one-step",
    reaches=1.0,
    source=PETHICK,
    horizons=[12],
    paper=[BEST],
    constrained=True,
    doc="Fejér decrease of the exact relaxed proximal point step, under the weak Minty inequality "
    "alone: ‖z_{k+1} − z*‖² ≤ ‖z_k − z*‖² − λ(2β − λ)‖r_k‖², β = 1 + ρ/γ.",
    proof=Proof(end={"WeakMinty(resolvent(z))": "2*lam*gamma"}),
)

theorem(
    "pethick2023_relaxed_monotone",
    method="relaxed_proximal_point",
    given=[Comonotone("rho", of="S")],
    technical=[Lipschitz("L", of="F")],
    where=CONIC,
    let=RELAXED,
    measure="next(resolvent_residual)",
    bound="resolvent_residual",
    claim="one-step",
    reaches=1.0,
    source=PETHICK,
    horizons=[12],
    paper=[BEST],
    constrained=True,
    doc="The residual r = z − J_{γS} z never grows.",
    proof=Proof(end={"Comonotone(resolvent(z), resolvent(next(z)))": "2*gamma/lam"}),
)

theorem(
    "pethick2023_relaxed_last",
    method="relaxed_proximal_point",
    given=[Comonotone("rho", of="S")],
    technical=[Lipschitz("L", of="F")],
    where=CONIC,
    let=RELAXED,
    measure="resolvent_residual",
    bound="R**2/(a*(k + 1))",
    order="1/k",
    reaches=1.0,
    source=PETHICK,
    paper=[BEST],
    constrained=True,
    doc="Last iterate of exact relaxed proximal point. For ρ ≥ −γ/2 and λ < 1 it is at most "
    "R²/(λ(1 − λ)(k + 1)), free of ρ. On linear operators the worst case is (k/(k + 1))^k of it.",
    proof=Proof(
        potential="distance + a*k*resolvent_residual",
        step={
            "Comonotone(resolvent(z), solution)": "2*lam*gamma",
            "Comonotone(resolvent(z), resolvent(next(z)))": "2*gamma/lam*a*(k + 1)",
        },
        end={
            "potential": "1/(a*(k + 1))",
            "Comonotone(resolvent(z), solution)": "2*lam*gamma/(a*(k + 1))",
        },
    ),
)

theorem(
    "lieder2018_relaxed_last",
    method="relaxed_proximal_point",
    given=[Comonotone("rho", of="S")],
    technical=[Lipschitz("L", of="F")],
    where=f"{STEPS}, beta <= lam < 2*beta",
    let={"beta": "1 + rho/gamma", "a": "lam/(2*beta)"},
    measure="resolvent_residual",
    bound=f"R**2/(4*beta**2)*{large_weight('a')}",
    order="1/k",
    reaches=1.0,
    source=Source("lieder2018", "Theorem 4.9", derived=True),
    horizons=[100],
    paper=[BEST],
    constrained=True,
    doc="The same sharply: J = (1 − a)I + aN with N nonexpansive and a = 1/(2β), so the relaxed "
    "step is one of Krasnosel'skii and Mann with weight λa.",
    proof=averaged(
        "(2*beta*(z - resolvent(z)))",
        {"Comonotone(resolvent(z))": "4*beta*gamma"},
        {"Comonotone(resolvent(z), resolvent(next(z)))": "4*beta*gamma"},
        size="1/(4*beta**2)",
    ),
)

theorem(
    "lieder2018_relaxed_small",
    method="relaxed_proximal_point",
    given=[Comonotone("rho", of="S")],
    technical=[Lipschitz("L", of="F")],
    where=f"{STEPS}, 0 < lam < beta",
    let={"beta": "1 + rho/gamma", "a": "lam/(2*beta)"},
    measure="resolvent_residual",
    bound=f"R**2/(4*beta**2)*{small_weight('a')}",
    order="1/k",
    reaches=1.0,
    source=Source("lieder2018", "Theorem 4.9", derived=True),
    horizons=[100],
    constrained=True,
    doc="The same for λ < β, by what is known of small weights.",
    unproved=UNPROVED,
)

theorem(
    "gorbunov2023_ppm_star",
    method="proximal_point",
    given=[WeakMinty("rho", of="S")],
    technical=[Lipschitz("L", of="F")],
    where="rho <= 0, max(0, -2*rho) < gamma < 1/L",
    measure="best(distance(z, before))",
    bound="(gamma*R)**2/(k*gamma*(gamma + 2*rho) + (gamma + rho)**2)",
    order="1/k",
    reaches=0.5,
    source=Source("gorbunov2023convergence", "Theorem 3.1", derived=True),
    constrained=True,
    doc="Best iterate of the proximal point method under the weak Minty inequality alone; exactly "
    "tight. The last iterate has no rate there.",
    proof=Proof(
        potential="distance + (1 + 2*rho/gamma)*before(distance(z, before))",
        step={"WeakMinty(resolvent(z))": "2*gamma"},
        let={"share": "gamma**2/(k*gamma*(gamma + 2*rho) + (gamma + rho)**2)"},
        end={
            "potential": "share",
            "Mean(distance(z, before))": "share*(1 + 2*rho/gamma)",
            "Least(distance(z, before))": "share*(1 + rho/gamma)**2",
            "WeakMinty(resolvent(z))": "2*share*(gamma + rho)",
        },
    ),
)

theorem(
    "rockafellar1976_ppm_contraction",
    method="proximal_point",
    given=[StronglyMonotone("mu", of="S")],
    technical=[Lipschitz("L", of="F")],
    where="0 < mu, 0 < gamma < 1/L",
    measure="next(distance)",
    bound="distance/(1 + gamma*mu)**2",
    claim="one-step",
    order="linear",
    reaches=1.0,
    source=Source("rockafellar1976", "Proposition 3"),
    horizons=[10],
    constrained=True,
    doc="The proximal point method contracts by 1/(1 + γμ), for every monotone A; tight.",
    proof=Proof(
        end={"StronglyMonotone(next(z), solution)": "2*gamma/(1 + gamma*mu)"},
    ),
)

theorem(
    "alacaoglu2024_conic_halpern",
    method="anchored_proximal_point",
    given=[Comonotone("rho", of="S")],
    technical=[Lipschitz("L", of="F")],
    where="-1/L < rho, max(0, -rho) < gamma < 1/L",
    let={"lam": "2*(gamma + rho)/gamma", "beta": "1/(k + 2)"},
    measure="resolvent_residual",
    bound="(gamma/(gamma + rho))**2*R**2/(k + 1)**2",
    order="1/k**2",
    reaches=1.0,
    source=Source("alacaoglu2024revisiting", derived=True),
    horizons=[100],
    paper=[{"gamma": "0.9/L"}],
    constrained=True,
    doc="Halpern's iteration of the nonexpansive part N of J = (1 − a)I + aN, a = γ/(2(γ + ρ)), "
    "for ρ > −1/L; tight.",
    proof=Proof(
        potential="k*(k + 1)/4*lam**2*resolvent_residual"
        " + (k + 1)/2*lam*inner(z - resolvent(z), z - anchor)",
        at_most="0",
        step={
            "Comonotone(resolvent(z), resolvent(next(z)))": "(gamma + rho)*(k + 1)*(k + 2)",
        },
        end={
            "potential": "8/(lam*(k + 1))**2",
            "Comonotone(resolvent(z), solution)": "8*(gamma + rho)/(lam**2*(k + 1))",
        },
    ),
)

APPM = "(z - 2*last(x) + last(past))"

theorem(
    "kim2021_appm",
    method="accelerated_proximal_point",
    given=[Monotone(of="S")],
    technical=[Lipschitz("L", of="F")],
    where="0 < gamma < 1/L",
    measure="resolvent_residual",
    bound="R**2/(k + 1)**2",
    order="1/k**2",
    reaches=1.0,
    source=Source("kim2021accelerated", "Theorem 4.1"),
    horizons=[100],
    constrained=True,
    doc="Accelerated proximal point method: ‖x_{k+1} − z_k‖² with x_{k+1} = J z_k; tight. Under "
    "cohypomonotonicity it loses the rate. The proof was found by opcheck discover; its terms are "
    "gathered here, with u = z − 2x + z₋.",
    proof=Proof(
        potential=f"norm2(z - solution + k*{APPM}) + 2*k*(k + 1)*(norm2(z - resolvent(z))"
        f" - inner(z - resolvent(z), {APPM}))",
        step={"Monotone(resolvent(z), resolvent(next(z)))": "2*gamma*(k + 1)*(k + 2)"},
        end={"potential": "1/(k + 1)**2", "Monotone(resolvent(z))": "2*gamma/(k + 1)"},
    ),
)

theorem(
    "park2022_os_ppm",
    method="anchored_proximal_point",
    given=[StronglyMonotone("mu", of="S")],
    technical=[Lipschitz("L", of="F")],
    where="0 < mu, 0 < gamma < 1/L",
    let={"g": "1 + 2*gamma*mu", "lam": "1 + 1/g", **CONTRACTIVE},
    measure="resolvent_residual",
    bound="R**2/total**2",
    order="linear",
    reaches=1.0,
    source=Source("park2022", "Theorem 3.2"),
    horizons=[15],
    constrained=True,
    doc="OS-PPM, as Halpern's iteration of the 1/g-contraction (1 + 1/g)J − I/g with g = 1 + 2γμ; "
    "tight and optimal.",
    proof=Proof(
        potential=CONTRACTIVE_POTENTIAL.format(r="lam*(z - resolvent(z))"),
        at_most="0",
        step={
            "StronglyMonotone(resolvent(z), resolvent(next(z)))": "2*gamma*(1 + g)"
            f"*{PHI}*{PHI_NEXT}*g**(-2*k)",
        },
        end={
            "potential": f"({CONTRACTIVE_END})/lam**2",
            "StronglyMonotone(resolvent(z), solution)": (
                "2*gamma*(1 + g)*(1 + 1/g)/(g*total)/lam**2"
            ),
        },
    ),
)
