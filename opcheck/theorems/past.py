"""One call a step: past extragradient (the optimistic gradient method), OGDA+, FRB, GRAAL."""

from opcheck.model.proof import Proof
from opcheck.model.property import Comonotone, Lipschitz, Monotone, StronglyMonotone, WeakMinty
from opcheck.model.theorem import Source, theorem

MONOTONE = [Lipschitz("L", of="F"), Monotone(of="F")]
FRB_POTENTIAL = (
    "norm2(z - solution) - 2*gamma*inner(F(z) - last(past), z - solution)"
    " + gamma*L*norm2(z - last(z))"
)
FRB_MONOTONE = {
    "Resolvent(next(z), solution)": "2*gamma",
    "Monotone(next(z), solution)": "2*gamma",
}
FRB_STEP = {**FRB_MONOTONE, "Lipschitz(z, last(z))": "gamma/L"}
FRB_START = {f"last({i})": m for i, m in FRB_MONOTONE.items()}
FRB = Source("malitsky2020forward", "Lemma 2.3", derived=True)

OGDA_SHARE = "(1 - (gamma*L)**2)"
OGDA_END = f"eta*{OGDA_SHARE}/((1 + (gamma*L)**2 + 2*gamma*rho*L**2)*kappa*(1 - q)*(k + 1))"

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
    proof=Proof(
        potential="distance + gamma**2*(k + 9)/3*(residual + 2*norm2(F(z) - last(Fzbar)))",
        at_most="(1 + q**2*(13/3 + 10*q**2))*R**2",
        begin=1,
        start={
            "Monotone(last(z))": "2*gamma",
            "Monotone(last(z), z)": "20*gamma/3",
            "Lipschitz(last(z), z)": "10*gamma**2",
            "Lipschitz(last(z), solution)": "gamma**2*(13/3 + 10*q**2)",
        },
        step={
            "Monotone(zbar)": "2*gamma",
            "Monotone(z, next(z))": "2*gamma*(k + 10)/3",
            "Lipschitz(next(z), zbar)": "gamma**2*(k + 10)",
        },
        end={"potential": "3/(gamma**2*(k + 9))"},
    ),
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
    proof=Proof(
        end={"Monotone(z, next(z))": "2/gamma", "Lipschitz(next(z), zbar)": "3"},
    ),
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
    constrained="subdifferential",
    doc="‖F z_k + c_k‖² + ‖F z_k − F z̄_{k−1}‖² never grows, c_k ∈ A z_k being what the last "
    "projection gives (0 where A = 0). For A = ∂g, as a normal cone.",
    proof=Proof(
        end={
            "Monotone(z, next(z))": "2*gamma",
            "Lipschitz(next(z), zbar)": "2*gamma**2",
            "Subgradient(zbar, next(z))": "gamma",
            "Subgradient(next(z), z)": "2*gamma",
            "Subgradient(z, zbar)": "gamma",
            "Subgradient(z, next(z))": "gamma",
        },
    ),
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
    unproved="its constant 1.3393 is the computed worst case of two steps, in floats; a potential "
    "from k = 2 on would need it in closed form",
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
    unproved="far from tight: its constants leave too much room for simple functions to be met",
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
    "η much smaller than γ, one call a step tolerates more than EG+ with two. The proof was found "
    "by opcheck discover, in other letters.",
    proof=Proof(
        potential=f"(1 - q)/{OGDA_SHARE}*(norm2(z - solution) + kappa*before(norm2(Fzbar)))"
        f" - gamma*eta*(1 - 2*(gamma*L)**2)/{OGDA_SHARE}*norm2(last(Fzbar))"
        f" - 2*eta*(gamma*L)**2/{OGDA_SHARE}*inner(last(Fzbar), z - last(zbar))"
        f" + gamma*eta*L**2/{OGDA_SHARE}*norm2(z - last(zbar))",
        begin=1,
        start={
            "last(WeakMinty(z))": f"2*eta*(1 - q)/{OGDA_SHARE}",
            "last(Lipschitz(z))": f"gamma*eta/{OGDA_SHARE}",
        },
        step={
            "WeakMinty(zbar)": f"2*eta*(1 - q)/{OGDA_SHARE}",
            "Lipschitz(zbar, last(zbar))": f"gamma*eta/{OGDA_SHARE}",
        },
        end={
            "next(potential)": "(1 + gamma*eta*L**2/(1 - q))/(kappa*(k + 1))",
            "WeakMinty(zbar)": f"2*(gamma*L)**2*{OGDA_END}",
            "Lipschitz(zbar)": f"gamma*{OGDA_END}",
        },
    ),
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
    constrained="subdifferential",
    doc="Energy of past extragradient started with an extragradient step: what it lost and what is "
    "left stay below the first squared distance. For A = ∂g, as a normal cone.",
    proof=Proof(
        potential="norm2(z - solution) + q*norm2(z - last(zbar))"
        " + (1 - q)*before(distance(before, zbar))",
        step={
            "Monotone(zbar, solution)": "2*gamma",
            "Subgradient(zbar, next(z))": "2*gamma",
            "Subgradient(next(z), solution)": "2*gamma",
            "Subgradient(solution, zbar)": "2*gamma",
            "Lipschitz(zbar, last(zbar))": "gamma/(2*L)",
        },
        end={"next(potential)": "1"},
    ),
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
    proof=Proof(
        potential="(norm2(z - solution) + norm2(last(zbar) - last(last(zbar)))/16)"
        "*(1 - gamma*mu)**(-k)",
        begin=1,
        start={
            "last(StronglyMonotone(zbar))": "2*gamma/(1 - gamma*mu)",
            "last(Lipschitz(z, zbar))": "gamma**2/(1 - gamma*mu)",
        },
        step={
            "StronglyMonotone(zbar)": "2*gamma*(1 - gamma*mu)**(-k - 1)",
            "Lipschitz(zbar, last(zbar))": "gamma**2*(1 - gamma*mu)**(-k - 1)",
            "last(Lipschitz(zbar, last(zbar)))": "gamma**2/4*(1 - gamma*mu)**(-k - 1)",
        },
        end={"potential": "(1 - gamma*mu)**k"},
    ),
)

theorem(
    "hsieh2019_peg_gap",
    method="warm_past_extragradient",
    given=[Lipschitz("L", of="F")],
    where="0 < gamma <= 1/(2*L)",
    measure="upto(gap(Fzbar, zbar))",
    bound="R**2/(2*gamma)",
    reaches=0.981,
    source=Source("hsieh2019convergence", derived=True),
    doc="Σ ⟨F z̄, z̄ − z*⟩: the linearised gap of the average look-ahead, at the solution. The "
    "potential shows it up to γ = 1/(2L). That F is monotone, which makes each term ≥ 0, isn't "
    "used.",
    proof=Proof(
        potential="norm2(z - solution) + (gamma*L)**2*norm2(last(zbar) - last(last(zbar)))"
        " + 2*gamma*before(gap(Fzbar, zbar))",
        begin=1,
        start={"last(Lipschitz(z, zbar))": "gamma**2"},
        step={
            "Lipschitz(zbar, last(zbar))": "gamma**2",
            "last(Lipschitz(zbar, last(zbar)))": "gamma**2",
        },
        end={"next(potential)": "1/(2*gamma)"},
    ),
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
    constrained="subdifferential",
    doc="Energy of the golden ratio algorithm with a fixed step: what it lost, Σ φ‖z − z̄‖², and "
    "what is left stay below the energy after the first step. For A = ∂g.",
    proof=Proof(
        potential="phi/(phi - 1)*distance(zbar) + phi/2*distance(z, before)"
        " + before(phi*distance(z, zbar))",
        at_most="first(phi/(phi - 1)*distance(zbar) + phi/2*distance(z, before))",
        step={
            "Monotone(next(z), solution)": "2*gamma",
            "Subgradient(solution, next(z))": "2*gamma",
            "Subgradient(next(next(z)), solution)": "2*gamma",
            "Subgradient(next(z), next(next(z)))": "2*gamma",
            "Lipschitz(next(z), z)": "2*gamma**2/phi",
        },
        end={"potential": "1"},
    ),
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
    proof=Proof(
        potential=f"{FRB_POTENTIAL} + (1 - 2*gamma*L)*before(distance(z, before))",
        begin=1,
        start=FRB_START,
        step=FRB_STEP,
        end={
            "next(potential)": "1/(1 - 2*gamma*L)",
            "Lipschitz(next(z), z)": "gamma/L/(1 - 2*gamma*L)",
        },
    ),
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
    proof=Proof(
        potential=FRB_POTENTIAL,
        begin=1,
        start=FRB_START,
        step=FRB_STEP,
        end={
            "potential": "1/(1 - gamma*L)",
            "Lipschitz(z, last(z))": "gamma/L/(1 - gamma*L)",
        },
    ),
)

theorem(
    "malitsky2020_frb_gap",
    method="forward_reflected_backward",
    given=[Lipschitz("L", of="F")],
    where="0 < gamma <= 1/(2*L)",
    measure="upto(gap(Fz, before)) - first(gap(Fz, before))",
    bound="R**2/(2*gamma)",
    reaches=0.981,
    source=FRB,
    first=1,
    doc="Σ ⟨F z, z − z*⟩ from the first step on: the linearised gap at the solution, A = 0. "
    "That F is monotone, which makes each term ≥ 0, isn't used.",
    proof=Proof(
        potential=f"{FRB_POTENTIAL} + 2*gamma*(upto(gap(Fz, before)) - first(gap(Fz, before)))",
        begin=1,
        step={"Lipschitz(z, last(z))": "gamma/L"},
        end={"potential": "1/(2*gamma)", "Lipschitz(z, last(z))": "1/(2*L)"},
    ),
)

theorem(
    "cevher2021_reflected",
    method="projected_reflected_gradient",
    given=[Lipschitz("L", of="F"), Monotone(of="F")],
    where="0 < gamma <= (sqrt(2) - 1)/L",
    let={"s": "gamma*L", "c": "1 - 2*s - s**2", "C": "2 + s + s**2 + s**3"},
    measure="(1 - s**2)*next(distance) + c*(upto(distance(z, zbar)) - first(distance(z, zbar)))",
    bound="C*R**2",
    source=Source("cevher2021reflected", derived=True),
    constrained=True,
    doc="Reflected forward-backward steps stay near, and their look-aheads come together. Shown up "
    "to γ = (√2 − 1)/L, where the second part is empty; the constants are ours.",
    proof=Proof(
        potential="(norm2(z - solution) + 2*gamma*inner(last(F(zbar)) - F(solution), z - last(z))"
        " + 2*norm2(z - last(z)) + s*norm2(z - last(zbar))"
        " + c*(before(distance(z, zbar)) - first(distance(z, zbar))))/C",
        begin=1,
        start={
            "last(Resolvent(next(z), solution))": "2*(2 + s)*gamma/C",
            "last(Monotone(zbar, solution))": "2*gamma/C",
            "last(Lipschitz(zbar, solution))": "(1 + s)*gamma**2/C",
        },
        step={
            "Resolvent(next(z), solution)": "2*gamma/C",
            "Resolvent(next(z), z)": "2*gamma/C",
            "Monotone(zbar, solution)": "2*gamma/C",
            "Lipschitz(zbar, last(zbar))": "gamma/((1 + s)*L*C)",
        },
        end={"next(potential)": "C", "Lipschitz(zbar, solution)": "gamma**2/2"},
    ),
)
