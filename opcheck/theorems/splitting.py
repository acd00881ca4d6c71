"""Gradient steps of cocoercive operators, forward-backward and Douglas-Rachford splitting."""

from opcheck.model.proof import Proof
from opcheck.model.property import Cocoercive, Lipschitz, Monotone, StronglyMonotone
from opcheck.model.theorem import Source, theorem
from opcheck.theorems.fixed_point import UNPROVED, averaged, large_weight, small_weight

COCOERCIVE = [Cocoercive("beta", of="F")]
AVERAGED = "2*beta/(4*beta - gamma)"  # of J(I − γF)
COMBETTES = Source("combettes2015compositions", "Proposition 4.4", derived=True)

theorem(
    "baillon1977_gradient_last",
    method="gradient_descent_ascent",
    given=COCOERCIVE,
    where="beta <= gamma < 2*beta",
    let={"a": "gamma/(2*beta)"},
    measure="residual",
    bound=f"R**2/(2*beta)**2*{large_weight('a')}",
    order="1/k",
    reaches=1.0,
    source=Source("baillon1977", derived=True),
    horizons=[150],
    doc="Gradient steps of a β-cocoercive F are those of Krasnosel'skii and Mann with weight "
    "γ/(2β) on the nonexpansive I − 2βF; tight.",
    proof=averaged(
        "(2*beta*F(z))",
        {"Cocoercive(z)": "4*beta"},
        {"Cocoercive(z, next(z))": "4*beta"},
        size="1/(4*beta**2)",
    ),
)

theorem(
    "baillon1977_gradient_small_step",
    method="gradient_descent_ascent",
    given=COCOERCIVE,
    where="0 < gamma < beta",
    let={"a": "gamma/(2*beta)"},
    measure="residual",
    bound=f"R**2/(2*beta)**2*{small_weight('a')}",
    order="1/k",
    reaches=1.0,
    source=Source("baillon1977", derived=True),
    horizons=[150],
    doc="The same for γ < β, by what is known of small weights.",
    unproved=UNPROVED,
)

theorem(
    "diakonikolas2020_halpern",
    method="anchored_gradient",
    given=COCOERCIVE,
    where="0 < gamma <= 2*beta",
    measure="residual",
    bound="4*R**2/(gamma*(k + 1))**2",
    order="1/k**2",
    reaches=1.0,
    source=Source("diakonikolas2020halpern"),
    paper=[{"gamma": "2*beta"}],
    doc="Halpern's iteration of I − γF; R²/(β(k + 1))² at γ = 2β, where it is tight.",
    proof=Proof(
        potential="k*(k + 1)/4*gamma**2*norm2(F(z)) + (k + 1)/2*gamma*inner(F(z), z - anchor)",
        at_most="0",
        step={"Cocoercive(z, next(z))": "gamma*(k + 1)*(k + 2)/2"},
        end={"potential": "8/(gamma*(k + 1))**2", "Cocoercive(z)": "4/(gamma*(k + 1))"},
    ),
)

theorem(
    "combettes2015_fb_averaged",
    method="gradient_descent_ascent",
    given=COCOERCIVE,
    where="0 < gamma <= 2*beta",
    measure="next(distance)",
    bound="distance - (2*beta - gamma)/(2*beta)*distance(z, before)",
    claim="one-step",
    reaches=1.0,
    source=COMBETTES,
    horizons=[10],
    constrained=True,
    doc="A forward-backward step is 2β/(4β − γ)-averaged, for every monotone A.",
    proof=Proof(
        end={"Resolvent(next(z), solution)": "2*gamma", "Cocoercive(z, solution)": "2*gamma"},
    ),
)

theorem(
    "combettes2015_fb_last",
    method="gradient_descent_ascent",
    given=COCOERCIVE,
    where="0 < gamma < 2*beta",
    let={"a": AVERAGED},
    measure="distance(z, before)",
    bound=f"(a*R)**2*{large_weight('a')}",
    order="1/k",
    reaches=1.0,
    source=COMBETTES,
    constrained=True,
    doc="‖z_{k+1} − z_k‖² of forward-backward, from its averagedness and the tight factor of "
    "Krasnosel'skii and Mann.",
    proof=averaged(
        "((z - next(z))/a)",
        {"Resolvent(next(z), solution)": "2*gamma/a", "Cocoercive(z, solution)": "2*gamma/a"},
        {
            "Resolvent(next(z), next(next(z)))": "2*gamma/a",
            "Cocoercive(z, next(z))": "2*gamma/a",
        },
        size="a**2",
    ),
)

theorem(
    "elementary_fb_contraction",
    method="gradient_descent_ascent",
    given=[Cocoercive("beta", of="F"), StronglyMonotone("mu", of="F")],
    where="0 < mu, 0 < gamma <= 2*beta",
    measure="next(distance)",
    bound="(1 - mu*(2*gamma - gamma**2/beta))*distance",
    claim="one-step",
    reaches=1.0,
    source=Source("elementary", confirmed=True),
    horizons=[10],
    constrained=True,
    doc="Forward-backward contracts for a cocoercive and strongly monotone F, with the factor 1 at "
    "γ = 2β; tight.",
    proof=Proof(
        end={
            "Resolvent(next(z), solution)": "2*gamma",
            "Cocoercive(z, solution)": "gamma**2/beta",
            "StronglyMonotone(z, solution)": "2*gamma - gamma**2/beta",
        },
    ),
)

theorem(
    "eckstein1992_dr_fejer",
    method="douglas_rachford",
    given=[Monotone(of="F")],
    technical=[Lipschitz("L", of="F")],
    where="0 < gamma < 1/L, 0 < lam <= 2",
    measure="next(shadow_distance)",
    bound="shadow_distance - (2 - lam)/lam*distance(z, before)",
    claim="one-step",
    reaches=1.0,
    source=Source("eckstein1992", "Theorem 3", derived=True),
    horizons=[8],
    constrained=True,
    doc="Fejér decrease of Douglas-Rachford steps towards z* + γ F z*, for every monotone A. The "
    "loop that finds J_{γF} asks for γ < 1/L.",
    proof=Proof(
        end={"Monotone(x, solution)": "2*lam*gamma", "Resolvent(y, solution)": "2*lam*gamma"},
    ),
)

theorem(
    "he2015_dr_last",
    method="douglas_rachford",
    given=[Monotone(of="F")],
    technical=[Lipschitz("L", of="F")],
    where="0 < gamma < 1/L, 1 <= lam < 2",
    let={"a": "lam/2"},
    measure="distance(z, before)",
    bound=f"a**2*first(shadow_distance)*{large_weight('a')}",
    order="1/k",
    reaches=1.0,
    source=Source("he2015convergence", derived=True),
    constrained=True,
    doc="‖z_{k+1} − z_k‖² of Douglas-Rachford splitting by the tight factor of Krasnosel'skii and "
    "Mann, against the distance from z* + γ F z*.",
    proof=averaged(
        "((z - next(z))/a)",
        {"Monotone(x, solution)": "4*gamma", "Resolvent(y, solution)": "4*gamma"},
        {"Monotone(x, next(x))": "4*gamma", "Resolvent(y, next(y))": "4*gamma"},
        size="a**2",
        star="solution + gamma*F(solution)",
        at_most="first(shadow_distance)",
    ),
)

theorem(
    "he2015_dr_small_relaxation",
    method="douglas_rachford",
    given=[Monotone(of="F")],
    technical=[Lipschitz("L", of="F")],
    where="0 < gamma < 1/L, 0 < lam < 1",
    let={"a": "lam/2"},
    measure="distance(z, before)",
    bound=f"a**2*first(shadow_distance)*{small_weight('a')}",
    order="1/k",
    reaches=1.0,
    source=Source("he2015convergence", derived=True),
    constrained=True,
    doc="The same for λ < 1, by what is known of small weights.",
    unproved=UNPROVED,
)
