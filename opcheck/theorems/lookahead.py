"""Lookahead over gradient descent ascent, extragradient, CEG+ and nonexpansive maps.

An iteration is one step of the base, so a double sum over loops and steps is one cumulative sum.
"""

from opcheck.model.proof import Proof
from opcheck.model.property import (
    Cocoercive,
    Lipschitz,
    Monotone,
    Nonexpansive,
    QuasiNonexpansive,
    WeakMinty,
)
from opcheck.model.theorem import Source, theorem

SECTION_7 = Source("pethick2023stable", "Section 7", derived=True)
THEOREM_73 = Source("pethick2023stable", "Theorem 7.3", derived=True)
WEAK = [Lipschitz("L", of="F"), WeakMinty("rho", of="S")]
LA_GDA = "lookahead(gradient_descent_ascent)"
# at the end of a loop z = (1 − λ) slow + λ w, so ‖slow − w‖ = ‖z − slow‖/λ
LOOP_RESIDUAL = "where(mod(k + 1, tau) == 0, distance(z, slow)/lam**2, 0)"
# inside a loop it is the end of the loop, were w not to move any more
LOOP_POTENTIAL = (
    "where(mod(k, tau) == 0, distance, "
    "(1 - lam)*norm2(last(slow) - solution) + lam*norm2(z - solution))"
)
LOOPS = [
    {"tau": "1", "k": "m"},
    {"tau": "2", "k": "2*m"},
    {"tau": "2", "k": "2*m + 1"},
    {"tau": "3", "k": "3*m"},
    {"tau": "3", "k": "3*m + 1"},
    {"tau": "3", "k": "3*m + 2"},
    {"tau": "4 + t"},
]
LA_CEG_PLUS = {
    "WeakMinty(zbar)": "2*lam*alpha*gamma",
    "Lipschitz(z, zbar)": "lam*alpha*gamma**2",
}

theorem(
    "pethick2023_la_gda_two",
    method=LA_GDA,
    given=WEAK,
    where="0 < gamma <= 1/L, 0 < lam <= min(1, (1 + 2*rho/gamma - q**2)/(2 - q**2))",
    let={
        "tau": "2",
        "q": "gamma*L",
        "c2": "1 - 2*lam + 2*rho/gamma",
        "c1": "c2 - (1 - lam)*q**2",
    },
    measure="upto(norm2(Fz)*(c1 + (c2 - c1)*mod(k, 2)))/(k + 1)",
    bound="R**2/(lam*gamma**2*(k + 1))",
    order="1/k",
    reaches=1.0,
    source=SECTION_7,
    paper=[{"gamma": "1/(sqrt(3)*L)", "lam": "(1 + 2*rho/gamma - q**2)/(2*(2 - q**2))"}],
    doc="LA-GDA with τ = 2: Σ c₁‖F z‖² + c₂‖F z̄‖², for ρ > −1/(3√3 L) at best.",
    proof=Proof(
        potential="where(mod(k, 2) == 0, distance, next(distance) + lam*gamma**2*c2*norm2(Fz))"
        " + lam*gamma**2*before(norm2(Fz)*(c1 + (c2 - c1)*mod(k, 2)))",
        step={
            "WeakMinty(z)": "where(mod(k, 2) == 0, 2*lam*gamma, 0)",
            "WeakMinty(next(z))": "where(mod(k, 2) == 0, 2*lam*gamma, 0)",
            "Lipschitz(z, next(z))": "where(mod(k, 2) == 0, lam*(1 - lam)*gamma**2, 0)",
        },
        end={"next(potential)": "1/(lam*gamma**2*(k + 1))"},
        cases=[{"k": "2*m"}, {"k": "2*m + 1"}],
    ),
)

theorem(
    "pethick2023_la_gda_two_sharp",
    method=LA_GDA,
    given=WEAK,
    where="rho <= 0, 0 < gamma < 1/L, 0 < lam < lam_max",
    let={
        "tau": "2",
        "q": "gamma*L",
        "lam_max": "(2*(1 - q) + 2*rho/gamma*(1 + (1 - q)**2))/(2 - q)**2",
    },
    measure="upto(norm2(Fz)*(1 - mod(k, 2)))/(k + 1)",
    bound="R**2/(lam*gamma**2*(2 - q)**2*(lam_max - lam)*(k + 1))",
    order="1/k",
    reaches=0.473,
    source=SECTION_7,
    paper=[{"gamma": "(2 - sqrt(2))/L", "lam": "lam_max/2"}],
    doc="The exact one-step certificate: ρ > −(√2 − 1)/(2L) at best.",
    proof=Proof(
        potential="where(mod(k, 2) == 0, distance, next(distance))"
        " + lam*gamma**2*(2 - q)**2*(lam_max - lam)*before(norm2(Fz)*(1 - mod(k, 2)))",
        step={
            "WeakMinty(z)": "where(mod(k, 2) == 0, 2*lam*gamma, 0)",
            "WeakMinty(next(z))": "where(mod(k, 2) == 0, 2*lam*gamma, 0)",
            "Lipschitz(z, next(z))": "where(mod(k, 2) == 0, "
            "lam*gamma**2*(1 - lam + (2*rho/gamma - lam)*(1 - q))/q, 0)",
        },
        end={"next(potential)": "1/(lam*gamma**2*(2 - q)**2*(lam_max - lam)*(k + 1))"},
        cases=[{"k": "2*m"}, {"k": "2*m + 1"}],
    ),
)

theorem(
    "pethick2023_la_gda_factor",
    method=LA_GDA,
    given=[Lipschitz("L", of="F")],
    where="0 < gamma <= 1/L, 0 < lam <= 1, 2 <= tau <= 12",
    let={
        "q": "gamma*L",
        "size": "sqrt((1 + q**2)**tau)",
        "real": "size*cos(tau*atan(q))",
        "factor": "(1 - lam)**2 + 2*lam*(1 - lam)*real + (lam*size)**2",
        "loops": "floor(k/tau)",
    },
    on=["bilinear"],
    measure="where(mod(k, tau) == 0, distance, R**2)",
    bound="where(mod(k, tau) == 0, R**2*factor**loops, R**2)",
    claim="equality",
    source=SECTION_7,
    horizons=[60],
    doc="Exact factor of a loop on the bilinear game: |1 − λ + λ(1 − iq)^τ|².",
    unproved="an equality with cos(τ atan q): no rational function of q for every τ at once",
)

theorem(
    "pethick2023_la_gda_large_tau",
    method=LA_GDA,
    given=[Lipschitz("L", of="F")],
    where="0 < lam <= 1, 7 <= tau <= 9",
    let={"gamma": "1/L"},
    on=["bilinear"],
    measure="where(mod(k, tau) == 0, distance, 0)",
    bound="R**2",
    claim="must fail",
    source=SECTION_7,
    doc="LA-GDA with γ = 1/L, τ = 7, 8, 9 leaves the bilinear game for every λ: Re (1 − i)^τ ≥ 1.",
    unproved="it says that a bound must fail: a potential shows upper bounds",
)

theorem(
    "pethick2023_la_average",
    method="lookahead(krasnoselskii_mann)",
    given=[QuasiNonexpansive(of="T")],
    where="0 < lam < 1, 1 <= tau",
    let={"a": "1"},
    measure=f"upto({LOOP_RESIDUAL})*tau/(k + 1)",
    bound="R**2*tau/(lam*(1 - lam)*(k + 1))",
    order="1/k",
    reaches=1.0,
    source=THEOREM_73,
    doc="Lookahead over a quasi-nonexpansive map: average of ‖z − T^τ z‖² over the loops.",
    proof=Proof(
        potential=f"{LOOP_POTENTIAL} + lam*(1 - lam)*before({LOOP_RESIDUAL})",
        step={"QuasiNonexpansive(z)": "lam"},
        end={"next(potential)": "tau/(lam*(1 - lam)*(k + 1))"},
        cases=LOOPS,
    ),
)

theorem(
    "pethick2023_la_last",
    method="lookahead(krasnoselskii_mann)",
    given=[Nonexpansive(of="T")],
    where="0 < lam < 1, 1 <= tau",
    let={"a": "1"},
    measure=LOOP_RESIDUAL,
    bound="R**2*tau/(lam*(1 - lam)*(k + 1))",
    order="1/k",
    reaches=1.0,
    source=THEOREM_73,
    doc="Lookahead over a nonexpansive map: ‖z − T^τ z‖² after the last loop. The limit lies in "
    "Fix(T^τ), which may exceed Fix(T): T = −I with τ = 2 never moves.",
    unproved="two loops are compared step by step, and a step knows the loop that it is in alone; "
    "for τ = 2, 3 an argument is known",
)

theorem(
    "pethick2023_la_energy",
    method="lookahead(krasnoselskii_mann)",
    given=[QuasiNonexpansive(of="T")],
    where="0 < a < 1, 0 < lam <= 1, 1 <= tau",
    measure=f"upto(lam*a*(1 - a)*residual(before) + lam*(1 - lam)*{LOOP_RESIDUAL})",
    bound="R**2",
    reaches=1.0,
    source=THEOREM_73,
    doc="Energy of Lookahead over a base with ‖Alg w − z*‖² ≤ ‖w − z*‖² − φ(w): here the averaged "
    "map, φ = a(1 − a)‖w − Tw‖².",
    proof=Proof(
        potential=f"{LOOP_POTENTIAL}"
        f" + before(lam*a*(1 - a)*residual(before) + lam*(1 - lam)*{LOOP_RESIDUAL})",
        step={"QuasiNonexpansive(z)": "lam*a"},
        end={"next(potential)": "1"},
        cases=LOOPS,
    ),
)

theorem(
    "pethick2023_la_eg",
    method="lookahead(extragradient)",
    given=[Lipschitz("L", of="F"), Monotone(of="F")],
    where="0 < gamma < 1/L, 0 < lam <= 1, 1 <= tau",
    measure="upto(residual(before))/(k + 1)",
    bound="R**2/(lam*gamma**2*(1 - (gamma*L)**2)*(k + 1))",
    order="1/k",
    reaches=1.0,
    source=SECTION_7,
    doc="LA-EG with any τ: average of ‖F w‖² over all base points.",
    proof=Proof(
        potential=f"{LOOP_POTENTIAL} + lam*gamma**2*(1 - (gamma*L)**2)*before(residual(before))",
        step={"Monotone(zbar)": "2*lam*gamma", "Lipschitz(z, zbar)": "lam*gamma**2"},
        end={"next(potential)": "1/(lam*gamma**2*(1 - (gamma*L)**2)*(k + 1))"},
        cases=LOOPS,
    ),
)

theorem(
    "pethick2023_la_ceg_plus",
    method="lookahead(ceg_plus)",
    given=WEAK,
    where="max(0, -2*rho) < gamma <= 1/L, 0 < alpha < 1 + 2*rho/gamma, 0 < lam <= 1, 1 <= tau",
    measure="upto(norm2(g))/(gamma**2*(k + 1))",
    bound="R**2/(lam*alpha*gamma**2*(1 + 2*rho/gamma - alpha)*(k + 1))",
    order="1/k",
    reaches=0.672,
    source=SECTION_7,
    paper=[{"gamma": "1/L", "alpha": "1/2 + rho/gamma", "lam": "1/2", "tau": "5"}],
    constrained=True,
    doc="LA-CEG+ (LA-EG+ without constraints) with any τ: average of ‖v‖², v ∈ S(w̄).",
    proof=Proof(
        potential=f"{LOOP_POTENTIAL} + lam*alpha*(1 + 2*rho/gamma - alpha)*before(norm2(g))",
        step=LA_CEG_PLUS,
        end={"next(potential)": "1/(lam*alpha*gamma**2*(1 + 2*rho/gamma - alpha)*(k + 1))"},
        cases=LOOPS,
    ),
)

theorem(
    "pethick2023_la_ceg_plus_energy",
    method="lookahead(ceg_plus)",
    given=WEAK,
    where="max(0, -2*rho) < gamma <= 1/L, 0 < alpha < 1 + 2*rho/gamma, 0 < lam <= 1, 1 <= tau",
    measure="lam*upto(alpha*(1 + 2*rho/gamma - alpha)*norm2(g)"
    " + alpha*(1 - (gamma*L)**2)*distance(before, zbar))",
    bound="R**2",
    reaches=1.0,
    source=SECTION_7,
    constrained=True,
    doc="The whole energy of LA-CEG+: both decrease terms summed stay below the first distance.",
    proof=Proof(
        potential=f"{LOOP_POTENTIAL} + lam*before(alpha*(1 + 2*rho/gamma - alpha)*norm2(g)"
        " + alpha*(1 - (gamma*L)**2)*distance(before, zbar))",
        step=LA_CEG_PLUS,
        end={"next(potential)": "1"},
        cases=LOOPS,
    ),
)

theorem(
    "pethick2023_la_gda_cocoercive",
    method=LA_GDA,
    given=[Cocoercive("beta", of="F")],
    where="0 < gamma < 2*beta, 0 < lam <= 1, 1 <= tau",
    measure="upto(residual(before))/(k + 1)",
    bound="R**2/(lam*gamma*(2*beta - gamma)*(k + 1))",
    order="1/k",
    reaches=1.0,
    source=SECTION_7,
    doc="LA-GDA with any τ for a cocoercive F: average of ‖F w‖² over all base points.",
    proof=Proof(
        potential=f"{LOOP_POTENTIAL} + lam*gamma*(2*beta - gamma)*before(residual(before))",
        step={"Cocoercive(z)": "2*lam*gamma"},
        end={"next(potential)": "1/(lam*gamma*(2*beta - gamma)*(k + 1))"},
        cases=LOOPS,
    ),
)

theorem(
    "pethick2023_la_gda_last",
    method=LA_GDA,
    given=[Cocoercive("beta", of="F")],
    where="0 < gamma <= 2*beta, 0 < lam < 1, 1 <= tau",
    measure=LOOP_RESIDUAL,
    bound="R**2*tau/(lam*(1 - lam)*(k + 1))",
    order="1/k",
    reaches=1.0,
    source=THEOREM_73,
    doc="LA-GDA for a cocoercive F: ‖z − w‖² of the last loop, γ = 2β included, where F = I/β with "
    "even τ never moves.",
    unproved="two loops are compared step by step, and a step knows the loop that it is in alone; "
    "for τ = 2, 3 an argument is known",
)
