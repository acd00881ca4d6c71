"""Anchored extragradient methods: O(1/k²) in the squared residual."""

from opcheck.model.proof import Proof
from opcheck.model.property import Comonotone, Lipschitz, Monotone
from opcheck.model.theorem import Source, theorem

LEE = Source("lee2021fast", "Theorem 4.1", confirmed=True)

theorem(
    "yoon2021_eag_c",
    method="anchored_extragradient",
    given=[Lipschitz("L", of="F"), Monotone(of="F")],
    let={"gamma": "1/(8*L)"},
    measure="residual",
    bound="260*(L*R)**2/(k + 1)**2",
    order="1/k**2",
    reaches=0.965,
    source=Source("yoon2021accelerated", "Theorem 1"),
    horizons=[400],
    doc="EAG-C with γ = 1/(8L). The limit constant is 4/γ² = 256 L², so 260 is nearly met. The "
    "shape of the potential was found by search, its numbers by hand: 260 = 256·65/64.",
    proof=Proof(
        potential="norm2(anchor - solution) + gamma**2*(k**2/2 + 5*k/4 + 1)*norm2(F(z))"
        " + gamma*(k + 1)*inner(F(z), z - anchor)",
        at_most="65/64*R**2",
        start={"Lipschitz(z)": "gamma**2"},
        step={
            "Monotone(z, next(z))": "gamma*(k + 1)*(k + 2)",
            "Lipschitz(zhalf, next(z))": "3/2*gamma**2*(k + 2)**2",
        },
        end={"potential": "256*L**2/(k + 1)**2", "Monotone(z)": "32*L/(k + 1)"},
    ),
)

theorem(
    "lee2021_feg",
    method="feg",
    given=[Lipschitz("L", of="F"), Comonotone("rho", of="F")],
    where="-1/(2*L) < rho",
    let={"gamma": "1/L"},
    measure="residual",
    bound="4*R**2/((1/L + 2*rho)**2*k**2)",
    order="1/k**2",
    reaches=1.0,
    source=LEE,
    first=1,
    doc="FEG for ρ > −1/(2L), ρ > 0 included; attained.",
    proof=Proof(
        potential="(k**2/2*(1/L + 2*rho) - k*rho)*norm2(F(z)) + k*inner(F(z), z - anchor)",
        at_most="0",
        step={
            "Comonotone(z, next(z))": "k*(k + 1)",
            "Lipschitz(next(z), zhalf)": "(k + 1)**2/(2*L)",
        },
        end={"potential": "4/((1/L + 2*rho)*k**2)", "Comonotone(z)": "4/((1/L + 2*rho)*k)"},
    ),
)

theorem(
    "lee2021_feg_equality",
    method="feg",
    given=[Lipschitz("L", of="F"), Comonotone("rho", of="F")],
    where="-1/(2*L) < rho",
    let={"gamma": "1/L"},
    on=["feg_tight"],
    measure="where(k == n, residual, R**2)",
    bound="where(k == n, 4*R**2/((1/L + 2*rho)**2*n**2), R**2)",
    claim="equality",
    source=Source("lee2021fast", "Theorem 4.1", derived=True),
    horizons=[100],
    first=1,
    doc="On L times a rotation by (2j + 1)π/(3n) FEG meets its bound with equality at k = n: the "
    "constant can't be improved for ρ < 0 either, which the source leaves open.",
    unproved="an equality at one k, at an angle that depends on it: no rational function of k",
)

theorem(
    "trandinh2021_past_feg",
    method="past_feg",
    given=[Lipschitz("L", of="F"), Monotone(of="F")],
    where="0 < gamma <= 1/(2*L)",
    measure="residual",
    bound="4*R**2/(gamma*k)**2",
    order="1/k**2",
    reaches=0.961,
    source=Source("trandinh2021halpern", derived=True),
    first=1,
    paper=[{"gamma": "1/(2*L)"}],
    doc="FEG with one call a step; 16 L²R²/k² at γ = 1/(2L). Tight in the limit of large k.",
    proof=Proof(
        potential="gamma*k**2/2*(norm2(F(z)) + norm2(F(z) - last(Fy))) + k*inner(F(z), z - anchor)",
        at_most="0",
        step={
            "Monotone(z, next(z))": "k*(k + 1)",
            "Lipschitz(next(z), y)": "gamma*(k + 1)**2",
        },
        end={"potential": "4/(gamma*k**2)", "Monotone(z)": "4/(gamma*k)"},
    ),
)

DUAL_FEG = (
    "(4*L/(K - k)*inner(z - final(z), F(final(z)) - last(v))"
    " + 4*inner(last(v), F(final(z))) - 2*norm2(last(v)) - norm2(F(final(z))))"
)

theorem(
    "yoon2024_dual_feg",
    method="dual_feg",
    given=[Lipschitz("L", of="F"), Monotone(of="F")],
    let={"gamma": "1/L", "weight": "where(k < K, (K - k - 1)/(K - k), 0)"},
    measure="where(k == K, residual, 0)",
    bound="4*(L*R)**2/K**2",
    order="1/k**2",
    reaches=1.0,
    source=Source("yoon2024optimal"),
    horizons=[1, 2, 3, 5, 20, 100, 300],
    first=1,
    doc="The last iterate of Dual FEG with horizon K; tight from K = 2 on.",
    proof=Proof(
        # the last step goes to final(z) itself: there V stays what it was
        potential=f"where(k < K, {DUAL_FEG}, last({DUAL_FEG}))",
        at_most="4*(L*R)**2/K**2",
        start={"Monotone(final(z))": "4*L/K"},
        step={
            "Monotone(zhalf, final(z))": "where(k + 1 < K, 4*L/((K - k)*(K - k - 1)), 0)",
            "Lipschitz(z, zhalf)": "where(k + 1 < K, 2/(K - k)**2, 0)",
        },
        end={"potential": "1", "Lipschitz(last(z), z)": "2"},
        horizon="K",
    ),
)
