"""One call a step: past extragradient (the optimistic gradient method), OGDA+, FRB, GRAAL."""

from opcheck.model.property import Comonotone, Lipschitz, Monotone, StronglyMonotone, WeakMinty
from opcheck.model.theorem import Source, theorem

MONOTONE = [Lipschitz("L", of="F"), Monotone(of="F")]
FRB = Source("malitsky2020forward", "Lemma 2.3", derived=True)

theorem(
    "gorbunov2022_peg_last",
    method="past_extragradient",
    given=MONOTONE,
    where="0 < gamma <= 1/(3*L)",
    let={"q": "gamma*L"},
    measure="residual",
    bound="3*(1 + q**2*(13/3 + 10*q**2))*R**2/(gamma**2*(k + 9))",
    order="1/k",
    reaches=0.266,
    source=Source("gorbunov2022last", "Theorem 1", derived=True),
    first=1,
    doc="Last iterate of past extragradient started with F z̄_{−1} := 0; the source's potential "
    "decreases already with A_1 = 10/3, which sharpens its constant.",
)

theorem(
    "gorbunov2022_peg_potential",
    method="past_extragradient",
    given=MONOTONE,
    where="0 < gamma <= sqrt(2)/(3*L)",
    measure="next(residual) + 2*next(value_distance)",
    bound="residual + 2*value_distance",
    claim="one-step",
    reaches=1.0,
    source=Source("gorbunov2022last", "Lemma 3.1", confirmed=True),
    horizons=[12],
    first=1,
    doc="‖F z_k‖² + 2‖F z_k − F z̄_{k−1}‖² never grows.",
)

theorem(
    "cai2022_peg_potential",
    method="past_extragradient",
    given=MONOTONE,
    where="0 < gamma <= 1/(2*L)",
    measure="next(step_residual) + gamma**2*next(value_distance)",
    bound="step_residual + gamma**2*value_distance",
    claim="one-step",
    reaches=1.0,
    source=Source("cai2022finite", derived=True),
    horizons=[12],
    first=1,
    constrained=True,
    doc="‖F z_k + c_k‖² + ‖F z_k − F z̄_{k−1}‖² never grows, c_k ∈ A z_k being what the last "
    "projection gives (0 where A = 0). For A = ∂g, as a normal cone.",
)

theorem(
    "gorbunov2022_peg_constrained_last",
    method="past_extragradient",
    given=MONOTONE,
    let={"gamma": "1/(4*L)"},
    measure="distance(z, before)",
    bound="24*1.3393*R**2/(3*(k + 1) + 32)",
    order="1/k",
    reaches=0.092,
    source=Source("gorbunov2022last", "Theorem 2", derived=True),
    first=1,
    constrained=True,
    doc="‖z_{k+1} − z_k‖² of constrained past extragradient at γ = 1/(4L). The constant 1.3393 is "
    "the computed worst case of the potential after two steps.",
)

theorem(
    "gorbunov2023_peg_last",
    method="past_extragradient",
    given=[Lipschitz("L", of="F"), Comonotone("rho", of="F")],
    where="-5/(62*L) <= rho, rho <= 0, max(0, -4*rho) < gamma <= 10/(31*L)",
    measure="residual",
    bound="717*R**2/(k*gamma*(gamma + 3*rho) + 800*gamma**2)",
    order="1/k",
    reaches=0.132,
    source=Source("gorbunov2023convergence"),
    first=1,
    paper=[{"gamma": "10/(31*L)"}],
    doc="Last iterate of past extragradient under cohypomonotonicity; far from tight.",
)

theorem(
    "boehm2023_ogda_plus",
    method="ogda_plus",
    given=[Lipschitz("L", of="F"), WeakMinty("rho", of="S")],
    where="-1/L < rho, rho <= 0, max(0, -rho) < gamma < 1/L, "
    "0 < eta < 2*(gamma + rho)*(1 - (gamma*L)**2)/(1 + (gamma*L)**2 + 2*gamma*rho*L**2)",
    let={
        "q": "L**2*gamma*(gamma + eta)",
        "kappa": "eta*(2*gamma - eta + 2*rho - gamma*(eta*L)**2/(1 - q))",
    },
    measure="upto(norm2(Fzbar))/(k + 1)",
    bound="(1 + gamma*eta*L**2/(1 - q))*R**2/(kappa*(k + 1))",
    order="1/k",
    reaches=1.0,
    source=Source("boehm2023solving", derived=True),
    horizons=[150],
    paper=[{"gamma": "1/(2*L)", "eta": "gamma"}],
    doc="Average of ‖F z̄‖² for past extragradient with two steps, under weak Minty ρ > −1/L: with "
    "η much smaller than γ, one call a step tolerates more than EG+ with two.",
)

theorem(
    "popov1980_energy",
    method="warm_past_extragradient",
    given=MONOTONE,
    where="0 < gamma <= 1/(3*L)",
    let={"q": "gamma*L"},
    measure="next(distance) + q*distance(z, zbar) + (1 - q)*upto(distance(before, zbar))",
    bound="R**2",
    reaches=1.0,
    source=Source("popov1980", derived=True),
    constrained=True,
    doc="Energy of past extragradient started with an extragradient step: what it lost and what is "
    "left stay below the first squared distance. For A = ∂g, as a normal cone.",
)

theorem(
    "gidel2019_peg_contraction",
    method="warm_past_extragradient",
    given=[Lipschitz("L", of="F"), StronglyMonotone("mu", of="F")],
    where="0 < mu, 0 < gamma <= 1/(4*L)",
    measure="distance",
    bound="(1 - gamma*mu)**k*R**2",
    order="linear",
    reaches=1.0,
    source=Source("gidel2019variational", derived=True),
    horizons=[100],
    first=1,
    paper=[{"gamma": "1/(4*L)"}],
    doc="Past extragradient started with an extragradient step. Started with F z̄_{−1} := 0 the "
    "bound fails at k = 1.",
)

theorem(
    "hsieh2019_peg_gap",
    method="warm_past_extragradient",
    given=MONOTONE,
    where="0 < gamma <= 1/(3*L)",
    measure="upto(gap(Fzbar, zbar))",
    bound="R**2/(2*gamma)",
    reaches=0.986,
    source=Source("hsieh2019convergence", derived=True),
    doc="Σ ⟨F z̄, z̄ − z*⟩: the linearised gap of the average look-ahead, at the solution.",
)

theorem(
    "malitsky2020_golden_ratio",
    method="golden_ratio",
    given=MONOTONE,
    where="1 < phi <= (1 + sqrt(5))/2, 0 < gamma <= phi/(2*L)",
    measure="phi/(phi - 1)*distance(zbar) + phi/2*distance(z, before)"
    " + before(phi*distance(z, zbar))",
    bound="first(phi/(phi - 1)*distance(zbar) + phi/2*distance(z, before))",
    reaches=1.0,
    source=Source("malitsky2020golden", "Theorem 1", derived=True),
    first=1,
    paper=[{"phi": "(1 + sqrt(5))/2", "gamma": "phi/(2*L)"}],
    constrained=True,
    doc="Energy of the golden ratio algorithm with a fixed step: what it lost, Σ φ‖z − z̄‖², and "
    "what is left stay below the energy after the first step. For A = ∂g.",
)

theorem(
    "malitsky2020_frb_sum",
    method="forward_reflected_backward",
    given=MONOTONE,
    where="0 < gamma < 1/(2*L)",
    measure="upto(distance(z, before))",
    bound="R**2/(1 - 2*gamma*L)",
    reaches=0.576,
    source=FRB,
    constrained=True,
    doc="Σ ‖z_{k+1} − z_k‖² of forward-reflected-backward, for every monotone A.",
)

theorem(
    "malitsky2020_frb_distance",
    method="forward_reflected_backward",
    given=MONOTONE,
    where="0 < gamma <= 1/(2*L)",
    measure="distance",
    bound="R**2/(1 - gamma*L)",
    reaches=1.0,
    source=FRB,
    first=1,
    constrained=True,
    doc="The iterates stay within 1/(1 − γL) of the first squared distance.",
)

theorem(
    "malitsky2020_frb_gap",
    method="forward_reflected_backward",
    given=MONOTONE,
    where="0 < gamma <= 1/(2*L)",
    measure="upto(gap(Fz, before)) - first(gap(Fz, before))",
    bound="R**2/(2*gamma)",
    reaches=0.981,
    source=FRB,
    first=1,
    doc="Σ ⟨F z, z − z*⟩ from the first step on: the linearised gap at the solution, A = 0.",
)
