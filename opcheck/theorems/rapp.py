"""RAPP: inexact Krasnosel'skii-Mann on the resolvent, whose errors the inner loop controls.

Notation: q = γL, β = 1 + ρ/γ, a = λ(2β − λ), c = λ²/a, J = J_{γS}, r_k = z_k − J z_k,
e_k = w_k − J z_k.
"""

from opcheck.model.proof import Proof
from opcheck.model.property import Comonotone, Lipschitz, WeakMinty
from opcheck.model.theorem import Source, theorem

SECTION_6 = Source("pethick2023stable", "Theorem 6.2 and Theorem C.1", derived=True)
SECTION_5 = Source("pethick2023stable", "Section 5", derived=True)
COROLLARY = Source("pethick2023stable", "Corollary 6.4 and Remark E.4", derived=True)
COMONOTONE = [Lipschitz("L", of="F"), Comonotone("rho", of="S")]
WEAK = [Lipschitz("L", of="F"), WeakMinty("rho", of="S")]
CONIC = "-1/L < rho, max(0, -rho) < gamma < 1/L, 0 < lam < 2*beta"
LET = {"beta": "1 + rho/gamma", "q": "gamma*L", "a": "lam*(2*beta - lam)", "c": "lam**2/a"}
BEST = {"gamma": "0.9/L", "lam": "1 + rho/gamma", "tau": "5"}
INNER = [{"tau": "1"}, {"tau": "2 + t"}]  # inner steps
CAUCHY = "Cauchy(w - resolvent(z), z - lam*(z - resolvent(z)) - solution, z - solution)"
ERRORS = "before(2*lam*sqrt(inner_error*distance) + lam**2*inner_error)"

theorem(
    "pethick2023_ikm_average",
    method="rapp",
    given=[WeakMinty("rho", of="S")],
    technical=[Lipschitz("L", of="F")],
    where=f"{CONIC}, 1 <= tau",
    let=LET,
    measure="upto(resolvent_residual)/(k + 1)",
    bound=f"(R**2 + {ERRORS})/(a*(k + 1))",
    reaches=1.0,
    source=SECTION_6,
    paper=[BEST],
    constrained=True,
    doc="Average residual of inexact Krasnosel'skii-Mann with arbitrary errors, under the weak "
    "Minty inequality alone. The errors here are those of τ inner steps.",
    proof=Proof(
        potential=f"distance + a*before(resolvent_residual) - {ERRORS}",
        step={"WeakMinty(resolvent(z))": "2*lam*gamma", CAUCHY: "2*lam"},
        shorter={CAUCHY: {"WeakMinty(resolvent(z))": "2*lam*gamma"}},
        end={"potential": "1/(a*(k + 1))", "WeakMinty(resolvent(z))": "2*lam*gamma/(a*(k + 1))"},
        cases=INNER,
    ),
)

theorem(
    "pethick2023_ikm_radius",
    method="rapp",
    given=[WeakMinty("rho", of="S")],
    technical=[Lipschitz("L", of="F")],
    where=f"{CONIC}, 1 <= tau",
    let=LET,
    measure="sqrt(distance)",
    bound="R + lam*before(sqrt(inner_error))",
    reaches=1.0,
    source=SECTION_6,
    first=1,
    paper=[BEST],
    constrained=True,
    doc="The iterates stay within R plus the errors made: no bounded diameter is assumed.",
    unproved="a sum of norms, not of squares: the triangle inequality is no quadratic form",
)

theorem(
    "pethick2023_ikm_residual",
    method="rapp",
    given=[Comonotone("rho", of="S")],
    technical=[Lipschitz("L", of="F")],
    where=f"{CONIC}, 1 <= tau",
    let=LET,
    measure="next(resolvent_residual)",
    bound="resolvent_residual + c*inner_error",
    claim="one-step",
    reaches=1.0,
    source=SECTION_6,
    horizons=[12],
    paper=[BEST],
    constrained=True,
    doc="One inexact step raises the residual by c‖e_k‖² at most; tight.",
    proof=Proof(
        end={"Comonotone(resolvent(z), resolvent(next(z)))": "2*gamma/lam"},
        cases=INNER,
    ),
)

theorem(
    "pethick2023_ikm_last",
    method="rapp",
    given=[Comonotone("rho", of="S")],
    technical=[Lipschitz("L", of="F")],
    where=f"{CONIC}, 1 <= tau",
    let=LET,
    measure="resolvent_residual",
    bound=f"(R**2 + {ERRORS})/(a*(k + 1)) + c/(k + 1)*before((k + 1)*inner_error)",
    reaches=1.0,
    source=SECTION_6,
    paper=[BEST],
    constrained=True,
    doc="Last iterate of inexact Krasnosel'skii-Mann with arbitrary errors.",
    proof=Proof(
        potential=f"distance + a*k*resolvent_residual - {ERRORS} - a*c*before((k + 1)*inner_error)",
        step={
            "Comonotone(resolvent(z))": "2*lam*gamma",
            "Comonotone(resolvent(z), resolvent(next(z)))": "2*gamma/lam*a*(k + 1)",
            CAUCHY: "2*lam",
        },
        shorter={CAUCHY: {"Comonotone(resolvent(z))": "2*lam*gamma"}},
        end={"potential": "1/(a*(k + 1))", "Comonotone(resolvent(z))": "2*lam*gamma/(a*(k + 1))"},
        cases=INNER,
    ),
)

theorem(
    "pethick2023_inner_loop",
    method="inner_loop",
    given=[Lipschitz("L", of="F")],
    where="0 < gamma < 1/L",
    measure="inner_error(z, anchor)",
    bound="(gamma*L)**(2*k)*first(inner_error(z, anchor))",
    order="linear",
    reaches=1.0,
    source=SECTION_5,
    horizons=[12],
    first=1,
    constrained=True,
    doc="The inner loop contracts by q = γL a step, relative to ‖z − J_{γS} z‖; no monotonicity.",
    proof=Proof(
        potential="inner_error(z, anchor)*(gamma*L)**(-2*k)",
        at_most="first(inner_error(z, anchor))",
        step={
            "Resolvent(next(z), resolvent(anchor))": "2*gamma*(gamma*L)**(-2*(k + 1))",
            "Lipschitz(z, resolvent(anchor))": "gamma**2*(gamma*L)**(-2*(k + 1))",
        },
        end={"potential": "(gamma*L)**(2*k)"},
    ),
)

for _name, _measure, _bound, _doc in (
    (
        "pethick2023_rapp_last",
        "resolvent_residual",
        "exp(kappa + kappa**2)/(1 - kappa)*R**2/(a*(k + 1))",
        "Last iterate of RAPP with τ of order log K: O(1/K) outer steps, O(K log K) calls.",
    ),
    (
        "pethick2023_rapp_radius",
        "distance",
        "exp(kappa)*R**2",
        "RAPP's iterates stay within e^(κ/2) times the first distance.",
    ),
):
    theorem(
        _name,
        method="rapp",
        given=COMONOTONE,
        where=f"{CONIC}, 0 < kappa < 1",
        free=["kappa"],
        at_least=["tau"],
        let=LET
        | {"tau": "max(1, ceil(log(sqrt(lam/(2*beta - lam))*sqrt(K + kappa)/kappa)/log(1/q)))"},
        measure=_measure,
        bound=_bound,
        order="1/k" if _measure == "resolvent_residual" else "",
        reaches=1.0,
        source=COROLLARY,
        horizons=[1, 10, 100, 300],
        first=0 if _measure == "resolvent_residual" else 1,
        paper=[{"gamma": "0.9/L", "lam": "1 + rho/gamma", "kappa": "1/2"}],
        constrained=True,
        doc=_doc,
        unproved="τ grows like a logarithm of K, and the bound holds exponentials: neither is a "
        "rational function",
    )

theorem(
    "pethick2023_rapp_anytime",
    method="rapp",
    given=COMONOTONE,
    where=f"{CONIC}, 0 < kappa < 1",
    free=["kappa"],
    at_least=["tau"],
    let=LET
    | {"tau": "max(1, ceil(log(lam/(kappa*sqrt(a))*sqrt((k + 1)*(k + 2) + kappa))/log(1/q)))"},
    measure="resolvent_residual",
    bound="exp(kappa + kappa**2)/(1 - kappa)*R**2/(a*(k + 1))",
    order="1/k",
    reaches=1.0,
    source=COROLLARY,
    paper=[{"gamma": "0.9/L", "lam": "1 + rho/gamma", "kappa": "1/2"}],
    constrained=True,
    doc="The same bound for every k at once, with τ_k growing like log k.",
    unproved="τ grows like a logarithm of k, and the bound holds exponentials: neither is a "
    "rational function",
)

AVERAGE = "R**2/(lam*gamma**2*(1 + 2*rho/gamma - lam)*(k + 1))"

theorem(
    "pethick2023_rapp_average_two",
    method="rapp",
    given=WEAK,
    where="-1/(2*L) < rho, max(0, -2*rho) < gamma <= 1/L, 0 < lam < 1 + 2*rho/gamma",
    let={"tau": "2"},
    measure="upto(norm2(Fw))/(k + 1)",
    bound=AVERAGE,
    order="1/k",
    reaches=1.0,
    source=Source("pethick2023stable", "Section 9", derived=True),
    paper=[{"gamma": "1/L", "lam": "(1 + 2*rho/gamma)/2"}],
    doc="RAPP with τ = 2 and A = 0 is EG+: the average of ‖F w‖² at the last look-ahead needs "
    "neither a logarithm nor more than the weak Minty inequality.",
    proof=Proof(
        potential="distance + lam*gamma**2*(1 + 2*rho/gamma - lam)*before(norm2(Fw))",
        step={
            "WeakMinty(z - gamma*F(z))": "2*lam*gamma",
            "Lipschitz(z, z - gamma*F(z))": "lam*gamma**2",
        },
        end={"next(potential)": "1/(lam*gamma**2*(1 + 2*rho/gamma - lam)*(k + 1))"},
    ),
)

theorem(
    "pethick2023_rapp_average",
    method="rapp",
    given=WEAK,
    where="-1/(2*L) < rho, max(0, -2*rho) < gamma < 1/L, "
    "1 + log(2 + q)/log(1/q) <= tau, 0 < lam < 1 + 2*rho/gamma",
    let={"q": "gamma*L"},
    measure="upto(norm2(Fw))/(k + 1)",
    bound=AVERAGE,
    order="1/k",
    reaches=1.0,
    source=Source("pethick2023stable", "Section 9", derived=True),
    doc="The same for any fixed τ with q^(τ−1)(2 + q) ≤ 1.",
    unproved="the range of τ holds a logarithm, which an argument would use",
)

theorem(
    "pethick2023_inner_loop_posterior",
    method="inner_loop",
    given=[Lipschitz("L", of="F")],
    where="0 < gamma < 1/L",
    let={"q": "gamma*L"},
    measure="next(inner_error(z, anchor))",
    bound="(q/(1 - q))**2*distance(z, before)",
    claim="one-step",
    reaches=1.0,
    source=SECTION_5,
    horizons=[12],
    constrained=True,
    doc="The error of the inner loop by the length of its last step: a computable stopping rule.",
    proof=Proof(
        end={
            "Resolvent(next(z), resolvent(anchor))": "2*gamma/(1 - q)",
            "Lipschitz(z, resolvent(anchor))": "gamma**2/(1 - q)",
        },
    ),
)

theorem(
    "pethick2023_rapp_computable",
    method="rapp",
    given=[Lipschitz("L", of="F")],
    where="0 < gamma < 1/L, 0 < lam <= 1, 1 <= tau",
    let={"q": "gamma*L"},
    measure="(1 - q**tau)**2*resolvent_residual",
    bound="distance(before, w)",
    claim="one-step",
    reaches=1.0,
    source=SECTION_5,
    horizons=[8],
    constrained=True,
    doc="(1 − q^τ)‖r‖ ≤ ‖z − w‖: the residual bounded by what the inner loop has at hand.",
    unproved="the triangle inequality over τ inner steps, for every τ: q^τ is no function of a "
    "step",
)
