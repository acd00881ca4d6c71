"""Extragradient, EG+ and CEG+."""

from opcheck.model.proof import Proof
from opcheck.model.property import Comonotone, Lipschitz, Monotone, StronglyMonotone, WeakMinty
from opcheck.model.theorem import Source, theorem

MONOTONE = [Lipschitz("L", of="F"), Monotone(of="F")]
GORBUNOV = Source("gorbunov2022extragradient", "Theorem 3.3")
GORBUNOV_LEMMA = Source("gorbunov2022extragradient", "Lemma 3.2", confirmed=True)
NEGATIVE = Source("gorbunov2023convergence", "Theorem C.4")
CAI = Source("cai2022finite", "Theorem 1", derived=True)
TSENG = Source("tseng2000modified", "Lemma 3.1", derived=True)
WEAK = [Lipschitz("L", of="F"), WeakMinty("rho", of="S")]
FBF = {"Resolvent(zbar, solution)": "2*gamma", "Monotone(zbar, solution)": "2*gamma"}
# what both projections say, against each other and the solution
EG_NORMALS = {
    "Subgradient(zbar, next(z))": "2*gamma",
    "Subgradient(next(z), solution)": "2*gamma",
    "Subgradient(solution, zbar)": "2*gamma",
}
# what bounds the next distance, and the next residual by the step that was made
EG_FEJER = {"Monotone(zbar, solution)": "2*gamma", **EG_NORMALS}
EG_SHARE = "(1 - q**2)/(1 + q + q**2)**2"
EG_RESIDUAL = {
    "Resolvent(zbar, next(z))": f"2*gamma*{EG_SHARE}*(1 + q + q**2)*(1/q + 1)",
    "Lipschitz(zbar, next(z))": f"gamma**2*{EG_SHARE}*(1 + q + q**2)/q**2",
    "Lipschitz(z, zbar)": f"gamma**2*(1 + {EG_SHARE}*(1 + q + q**2)*(1/q + 1))",
}
EG_PLUS = {"WeakMinty(zbar)": "2*alpha*gamma", "Lipschitz(z, zbar)": "alpha*gamma**2"}

theorem(
    "gorbunov2022_eg_last",
    method="extragradient",
    given=MONOTONE,
    where="0 < gamma < 1/L",
    measure="residual",
    bound="R**2/(gamma**2*(1 - (gamma*L)**2)*(k + 1))",
    order="1/k",
    reaches=0.421,
    source=GORBUNOV,
    paper=[{"gamma": "1/(sqrt(2)*L)"}],
    doc="Last iterate of extragradient. The source asks γ ≤ 1/(√2 L); its proof works below 1/L.",
    proof=Proof(
        potential="distance + gamma**2*(1 - (gamma*L)**2)*k*residual",
        step={
            "Monotone(zbar)": "2*gamma",
            "Lipschitz(z, zbar)": "gamma**2",
            "Monotone(z, next(z))": "2*gamma*(1 - (gamma*L)**2)*(k + 1)",
            "Lipschitz(next(z), zbar)": "gamma**2*(1 - (gamma*L)**2)*(k + 1)",
        },
        end={
            "potential": "1/(gamma**2*(1 - (gamma*L)**2)*(k + 1))",
            "Monotone(zbar)": "2/(gamma*(1 - (gamma*L)**2)*(k + 1))",
            "Lipschitz(z, zbar)": "1/((1 - (gamma*L)**2)*(k + 1))",
        },
    ),
)

theorem(
    "gorbunov2022_eg_monotone",
    method="extragradient",
    given=MONOTONE,
    where="0 < gamma <= 1/L",
    measure="next(residual)",
    bound="residual - (1 - (gamma*L)**2)*operator_distance(zbar, before)",
    claim="one-step",
    reaches=1.0,
    source=GORBUNOV_LEMMA,
    horizons=[12],
    doc="‖F z_{k+1}‖² ≤ ‖F z_k‖² − (1 − γ²L²)‖F z̄_k − F z_k‖².",
    proof=Proof(
        end={"Monotone(z, next(z))": "2/gamma", "Lipschitz(next(z), zbar)": "1"},
    ),
)

theorem(
    "diakonikolas2021_eg_plus_lookahead",
    method="eg_plus",
    given=WEAK,
    where="max(0, -2*rho) < gamma <= 1/L, 0 < alpha < 1 + 2*rho/gamma",
    measure="upto(norm2(Fzbar))/(k + 1)",
    bound="R**2/(alpha*gamma**2*(1 + 2*rho/gamma - alpha)*(k + 1))",
    order="1/k",
    reaches=1.0,
    source=Source("diakonikolas2021efficient", "Theorem 3.2", derived=True),
    paper=[{"gamma": "1/L", "alpha": "1/2"}, {"gamma": "1/L", "alpha": "1/2 + rho/gamma"}],
    doc="Average of ‖F z̄‖² for EG+ under weak Minty ρ > −1/(2L). At γ = 1/L the residual at z "
    "itself need not vanish: F = L·I gives z̄ = 0 and z never moves.",
    proof=Proof(
        potential="distance + alpha*gamma**2*(1 + 2*rho/gamma - alpha)*before(norm2(Fzbar))",
        step=EG_PLUS,
        end={"next(potential)": "1/(alpha*gamma**2*(1 + 2*rho/gamma - alpha)*(k + 1))"},
    ),
)

theorem(
    "diakonikolas2021_eg_plus_base",
    method="eg_plus",
    given=WEAK,
    where="max(0, -2*rho) < gamma < 1/L, 0 < alpha <= 1 + 2*rho/gamma",
    measure="upto(norm2(Fz))/(k + 1)",
    bound="R**2/(alpha*gamma**2*(1 - (gamma*L)**2)*(k + 1))",
    order="1/k",
    reaches=1.0,
    source=Source("diakonikolas2021efficient", "Theorem 3.2", derived=True),
    doc="Average of ‖F z‖² for EG+ with γ < 1/L.",
    proof=Proof(
        potential="distance + alpha*gamma**2*(1 - (gamma*L)**2)*before(norm2(Fz))",
        step=EG_PLUS,
        end={"next(potential)": "1/(alpha*gamma**2*(1 - (gamma*L)**2)*(k + 1))"},
    ),
)

theorem(
    "pethick2022_ceg_plus",
    method="ceg_plus",
    given=WEAK,
    where="max(0, -2*rho) < gamma <= 1/L, 0 < alpha < 1 + 2*rho/gamma",
    measure="upto(norm2(g))/(gamma**2*(k + 1))",
    bound="R**2/(alpha*gamma**2*(1 + 2*rho/gamma - alpha)*(k + 1))",
    order="1/k",
    reaches=1.0,
    source=Source("pethick2022escaping", "Theorem 3.1", derived=True),
    paper=[{"gamma": "1/L", "alpha": "1/2 + rho/gamma"}],
    constrained=True,
    doc="Average of ‖v‖² with v = g/γ ∈ S(z̄) for CEG+, constraints allowed; tight at γ = 1/L.",
    proof=Proof(
        potential="distance + alpha*(1 + 2*rho/gamma - alpha)*before(norm2(g))",
        step=EG_PLUS,
        end={"next(potential)": "1/(alpha*gamma**2*(1 + 2*rho/gamma - alpha)*(k + 1))"},
    ),
)

theorem(
    "gorbunov2023_eg_last",
    method="extragradient",
    given=[Lipschitz("L", of="F"), Comonotone("rho", of="F")],
    where="-1/(8*L) <= rho, rho <= 0, max(0, -4*rho) < gamma <= 1/(2*L)",
    measure="residual",
    bound="28*R**2/(k*gamma**2 - 320*gamma*rho)",
    order="1/k",
    reaches=0.549,
    source=NEGATIVE,
    first=1,
    paper=[{"gamma": "1/(2*L)"}],
    doc="Last iterate of extragradient under cohypomonotonicity, both steps equal.",
    unproved="a potential of distance and residual exists at all points tried, with room in two "
    "parameters, and no simple functions were met",
)

theorem(
    "gorbunov2023_eg_monotone",
    method="extragradient",
    given=[Lipschitz("L", of="F"), Comonotone("rho", of="F")],
    where="-1/(8*L) <= rho, rho <= 0, max(0, -4*rho) < gamma <= 1/(2*L)",
    measure="next(residual)",
    bound="residual",
    claim="one-step",
    reaches=1.0,
    source=NEGATIVE,
    horizons=[12],
    paper=[{"gamma": "1/(2*L)"}],
    doc="The residual never grows there. It may with unequal steps, or with γ < −4ρ.",
    proof=Proof(
        end={
            "Comonotone(z, next(z))": "2/gamma",
            "Comonotone(zbar, next(z))": "-4*rho/gamma**2",
            "Lipschitz(zbar, next(z))": "1 - 2*rho/gamma + 4*rho**2/gamma**2",
        },
    ),
)

theorem(
    "gorbunov2023_eg_monotone_wide",
    method="extragradient",
    given=[Lipschitz("L", of="F"), Comonotone("rho", of="F")],
    where="-1/(8*L) <= rho, rho <= 0, "
    "-rho*(7*L*rho + 4)/(7*L*rho + 2) < gamma <= (7*L*rho + 2)/(2*L)",
    measure="next(residual)",
    bound="residual",
    claim="one-step",
    reaches=1.0,
    source=Source("gorbunov2023convergence", "Theorem C.4", derived=True),
    horizons=[12],
    paper=[{"gamma": "(7*L*rho + 2)/(2*L)"}],
    doc="The same for more γ: from about −2ρ on, and up to 1/L for ρ = 0.",
    proof=Proof(
        end={
            "Comonotone(z, next(z))": "2/gamma",
            "Comonotone(zbar, next(z))": "-4*rho/gamma**2",
            "Lipschitz(zbar, next(z))": "(gamma + 2*rho)/(L**2*gamma**3)",
        },
    ),
)

theorem(
    "korpelevich1976_eg_fejer",
    method="extragradient",
    given=MONOTONE,
    where="0 < gamma <= 1/L",
    measure="next(distance)",
    bound="distance - (1 - (gamma*L)**2)*distance(before, zbar)",
    claim="one-step",
    reaches=1.0,
    source=Source("korpelevich1976", "Lemma 1"),
    horizons=[12],
    constrained="subdifferential",
    doc="Fejér decrease of extragradient for A = ∂g, as a normal cone. Not for every monotone A: "
    "with F a quarter turn, A three times it and γ = 1/2 the left side is 1.92 times the right.",
    proof=Proof(
        end={**EG_FEJER, "Lipschitz(z, zbar)": "gamma**2"},
    ),
)

theorem(
    "elementary_gda_contraction",
    method="gradient_descent_ascent",
    given=[Lipschitz("L", of="F"), StronglyMonotone("mu", of="F")],
    where="0 < mu, 0 < gamma < 2*mu/L**2",
    measure="next(distance)",
    bound="(1 - 2*gamma*mu + (gamma*L)**2)*distance",
    claim="one-step",
    reaches=1.0,
    source=Source("elementary", confirmed=True),
    horizons=[12],
    constrained=True,
    doc="Projected gradient descent ascent contracts for a strongly monotone F.",
    proof=Proof(
        end={
            "Resolvent(next(z), solution)": "2*gamma",
            "StronglyMonotone(z, solution)": "2*gamma",
            "Lipschitz(z, solution)": "gamma**2",
        },
    ),
)

for _method, _factor, _words in (
    ("gradient_descent_ascent", "1 + s**2", "gradient descent ascent: it always grows"),
    ("extragradient", "1 - s**2 + s**4", "extragradient: it shrinks below s = 1 only"),
    ("proximal_point", "1/(1 + s**2)", "the proximal point method"),
):
    theorem(
        f"elementary_bilinear_{_method}",
        method=_method,
        given=[Lipschitz("L", of="F")],
        where="0 < gamma",
        let={"s": "gamma*L"},
        on=["bilinear"],
        measure="next(distance)",
        bound=f"({_factor})*distance",
        claim="equality",
        source=Source("elementary", confirmed=True),
        horizons=[40],
        doc=f"Exact factor of ‖z‖² on the bilinear game for {_words}; s = γL.",
        proof=Proof(turn=("0", "L**2")),
    )

theorem(
    "cai2022_eg_monotone",
    method="extragradient",
    given=MONOTONE,
    where="0 < gamma <= 1/L",
    measure="next(step_residual(z, Fz))",
    bound="step_residual(z, Fz)",
    claim="one-step",
    reaches=1.0,
    source=CAI,
    horizons=[12],
    first=1,
    constrained="subdifferential",
    doc="‖F z + c‖² never grows, c ∈ A z being what the second projection of the last step gives; "
    "it bounds the squared tangent residual. For A = ∂g, as a normal cone.",
    proof=Proof(
        end={
            "Monotone(z, next(z))": "2*gamma",
            "Lipschitz(zbar, next(z))": "gamma**2",
            "Subgradient(zbar, next(z))": "2*gamma",
            "Subgradient(next(z), z)": "2*gamma",
            "Subgradient(z, zbar)": "2*gamma",
        },
    ),
)

theorem(
    "cai2022_eg_last",
    method="extragradient",
    given=MONOTONE,
    where="0 < gamma < 1/L",
    let={"q": "gamma*L"},
    measure="step_residual(z, Fz)",
    bound="(1 + q + q**2)**2*R**2/((1 - q**2)*k)",
    order="1/k",
    reaches=0.108,
    source=CAI,
    first=1,
    constrained="subdifferential",
    doc="Last iterate of constrained extragradient: c ∈ A z as before. The source has 3 in place "
    "of 1 + q + q².",
    proof=Proof(
        potential="distance + (1 - q**2)/(1 + q + q**2)**2*k*step_residual(z, Fz)",
        begin=1,
        start={f"last({i})": m for i, m in (EG_FEJER | EG_RESIDUAL).items()},
        step=EG_FEJER
        | EG_RESIDUAL
        | {
            "Monotone(z, next(z))": f"2*gamma*k*{EG_SHARE}",
            "Lipschitz(zbar, next(z))": f"gamma**2*{EG_SHARE}*(k + (1 + q + q**2)/q**2)",
            "Subgradient(zbar, next(z))": f"2*gamma*(1 + k*{EG_SHARE})",
            "Subgradient(next(z), z)": f"2*gamma*k*{EG_SHARE}",
            "Subgradient(z, zbar)": f"2*gamma*k*{EG_SHARE}",
        },
        end={"potential": f"1/({EG_SHARE}*k)"},
    ),
)

theorem(
    "nemirovski2004_eg_gap",
    method="extragradient",
    given=[Lipschitz("L", of="F")],
    where="0 < gamma <= 1/L",
    measure="upto(gap(Fz, zbar))",
    bound="R**2/(2*gamma)",
    reaches=1.0,
    source=Source("nemirovski2004prox", "Theorem 3.2", derived=True),
    doc="Σ ⟨F z̄, z̄ − z*⟩: the linearised gap of the average look-ahead, at the solution. Above "
    "γ = 1/L it fails. That F is monotone, which makes each term ≥ 0, isn't used.",
    proof=Proof(
        potential="distance + 2*gamma*before(gap(Fz, zbar))",
        step={"Lipschitz(z, zbar)": "gamma**2"},
        end={"next(potential)": "1/(2*gamma)"},
    ),
)

theorem(
    "mokhtari2020_eg_contraction",
    method="extragradient",
    given=[Lipschitz("L", of="F"), StronglyMonotone("mu", of="F")],
    where="0 < mu, 0 < gamma <= (sqrt(mu**2 + L**2) - mu)/L**2",
    measure="next(distance)",
    bound="(1 - gamma*mu)*distance",
    claim="one-step",
    order="linear",
    reaches=1.0,
    source=Source("mokhtari2020unified", derived=True),
    horizons=[12],
    paper=[{"gamma": "1/(4*L)"}],
    constrained="subdifferential",
    doc="Extragradient contracts by 1 − γμ as long as γ²L² + 2γμ ≤ 1, for A = ∂g.",
    proof=Proof(
        end={
            "StronglyMonotone(zbar, solution)": "2*gamma",
            **EG_NORMALS,
            "Lipschitz(z, zbar)": "gamma**2",
        },
    ),
)

theorem(
    "gorbunov2023_eg_limit",
    method="eg_plus",
    given=[Lipschitz("L", of="F")],
    where="1/2 <= c, 0 < gamma <= 1/L, 0 < alpha <= 2",
    on=["tight_linear"],
    measure="R**2",
    bound="distance",
    reaches=1.0,
    source=Source("gorbunov2023convergence", derived=True),
    first=1,
    doc="A limit: on L times a rotation with ρ = −c/L ≤ −1/(2L) no EG+ step with γ ≤ 1/L comes "
    "closer to the solution.",
    proof=Proof(
        potential="-distance",
        at_most="-R**2",
        end={"potential": "1"},
        turn=("-c*L", "L**2*(1 - c**2)"),
    ),
)

theorem(
    "tseng2000_fbf_fejer",
    method="forward_backward_forward",
    given=MONOTONE,
    where="0 < gamma <= 1/L",
    measure="next(distance)",
    bound="distance - (1 - (gamma*L)**2)*distance(before, zbar)",
    claim="one-step",
    reaches=1.0,
    source=TSENG,
    horizons=[12],
    constrained=True,
    doc="Fejér decrease of Tseng's forward-backward-forward step, for every monotone A.",
    proof=Proof(end=FBF | {"Lipschitz(z, zbar)": "gamma**2"}),
)

theorem(
    "tseng2000_fbf_average",
    method="forward_backward_forward",
    given=MONOTONE,
    where="0 < gamma < 1/L",
    measure="upto(norm2(g))/(gamma**2*(k + 1))",
    bound="(1 + gamma*L)*R**2/(gamma**2*(1 - gamma*L)*(k + 1))",
    order="1/k",
    reaches=0.555,
    source=TSENG,
    constrained=True,
    doc="Average of ‖v‖² with v = g/γ ∈ S(z̄), and so of the best look-ahead.",
    proof=Proof(
        potential="distance + (1 - gamma*L)/(1 + gamma*L)*before(norm2(g))",
        step=FBF | {"Lipschitz(z, zbar)": "gamma/L"},
        end={"next(potential)": "(1 + gamma*L)/(gamma**2*(1 - gamma*L)*(k + 1))"},
    ),
)

theorem(
    "tseng2000_fbf_average_sharp",
    method="forward_backward_forward",
    given=MONOTONE,
    where="0 < gamma < 1/L",
    let={"q": "gamma*L"},
    measure="upto(norm2(g))/(gamma**2*(k + 1))",
    bound="(1 + q**2)*R**2/(gamma**2*(1 - q**2)*(k + 1))",
    order="1/k",
    reaches=0.999,
    source=TSENG,
    constrained=True,
    doc="The same with (1 + q²)/(1 − q²) in place of (1 + q)/(1 − q), q = γL.",
    proof=Proof(
        potential="distance + (1 - q**2)/(1 + q**2)*before(norm2(g))",
        step={
            "Lipschitz(z, zbar)": "2*gamma**2/(1 + q**2)",
            "Monotone(zbar)": "2*gamma",
            "Monotone(z, zbar)": "2*gamma*(1 - q**2)/(1 + q**2)",
            "Resolvent(zbar, solution)": "2*gamma",
        },
        end={"next(potential)": "(1 + q**2)/(gamma**2*(1 - q**2)*(k + 1))"},
    ),
)

theorem(
    "tseng2000_fbf_gap",
    method="forward_backward_forward",
    given=[Lipschitz("L", of="F")],
    where="0 < gamma <= 1/L",
    measure="upto(gap(g, zbar))",
    bound="R**2/2",
    reaches=1.0,
    source=TSENG,
    constrained=True,
    doc="Σ ⟨v, z̄ − z*⟩ ≤ R²/(2γ) with v = g/γ ∈ S(z̄): the gap at the solution. "
    "That F is monotone, which makes each term ≥ 0, isn't used.",
    proof=Proof(
        potential="distance + 2*before(gap(g, zbar))",
        step={"Lipschitz(z, zbar)": "gamma**2"},
        end={"next(potential)": "1/2"},
    ),
)
