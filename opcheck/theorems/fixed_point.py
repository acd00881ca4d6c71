"""Krasnosel'skii-Mann and Halpern: residuals of nonexpansive maps."""

from collections.abc import Mapping

from opcheck.model.proof import Proof
from opcheck.model.property import Lipschitz, Nonexpansive
from opcheck.model.theorem import Source, theorem


def averaged(
    residual: str,
    one: Mapping[str, str],
    two: Mapping[str, str],
    *,
    a: str = "a",
    size: str = "1",
    star: str = "solution",
    at_most: str = "R**2",
) -> Proof:
    """The argument of Krasnosel'skii and Mann's last iterate, for z⁺ = z − a r with r = z − N z.

    With q = ν/(ν + 1) and 0 ≤ k ≤ ν, V_k q^k ν is (ν − k) ‖z − z*‖² + k (1 − a)(νa + a − 1) ‖r‖²
    + 2k(1 − a) ⟨r, z − z*⟩. Below the crossing of the two bounds ν = N, above q = (2a − 1)².

    Args:
        residual: r as a text.
        one: what says 2⟨r, z − z*⟩ ≥ ‖r‖², as inequalities with multipliers.
        two: the same of z and the next z.
        a: the weight, in [1/2, 1), as a text.
        size: what is measured over ‖r‖², as a text.
        star: z*, the fixed point of N, as a text.
        at_most: ‖z_0 − z*‖².
    """
    low = f"{a} <= (1 + sqrt(N/(N + 1)))/2"
    end = f"where({low}, (k/(k + 1))**k/((k + 1)*{a}*(1 - {a})), 4*(2*{a} - 1)**(2*k))"
    last = f"where({low}, 1/((k + 1)*{a}), 4*(1 - {a})*k/nu + 2*(nu - k)/nu)"
    return Proof(
        let={
            "nu": f"where({low}, N, 1/(4*{a}*(1 - {a})) - 1)",
            "growth": f"where({low}, ((N + 1)/N)**k, (2*{a} - 1)**(-2*k))/nu",
        },
        potential=f"growth*((nu - k)*norm2(z - ({star}))"
        f" + k*(1 - {a})*(nu*{a} + {a} - 1)*norm2({residual})"
        f" + 2*k*(1 - {a})*inner({residual}, z - ({star})))",
        at_most=at_most,
        step={
            **{i: f"{m}*growth*(k + 1)*(nu + 1)*(1 - {a})" for i, m in two.items()},
            **{i: f"{m}*growth*({a}*(nu - k + 1) - 1)" for i, m in one.items()},
        },
        end={
            "potential": f"where(k == 0, 0, {size}*{end})",
            **{i: f"{m}*{size}*where(k == 0, 2, {last})" for i, m in one.items()},
        },
        horizon="N",
    )


def large_weight(a: str) -> str:
    """The tight factor of R² that bounds ‖z_k − Tz_k‖² for a weight in [1/2, 1), as a text.

    Lieder 2018, Theorem 4.9: the larger one of two extremal maps' values.
    """
    return (
        f"where({a} <= (1 + sqrt(k/(k + 1)))/2, (k/(k + 1))**k/((k + 1)*{a}*(1 - {a})), "
        f"4*(2*{a} - 1)**(2*k))"
    )


def small_weight(a: str) -> str:
    """The same for a weight in (0, 1/2), as a text; it agrees with all worst cases computed.

    The larger one of a map's value of Huber's kind on the line, and a rotation's.
    """
    line, rotation = f"4/(1 + 2*k*{a})**2", f"(k/(k + 1))**k/((k + 1)*{a}*(1 - {a}))"
    return f"where((k + 1)*{a}*(1 - {a}) >= 1/4, max({line}, {rotation}), {line})"


UNPROVED = "it is lieder2018_km_small_weight in other variables, which is not proved"

theorem(
    "lieder2018_km_last",
    method="krasnoselskii_mann",
    given=[Nonexpansive(of="T")],
    where="1/2 <= a < 1",
    measure="residual",
    bound=f"R**2*{large_weight('a')}",
    order="1/k",
    reaches=1.0,
    source=Source("lieder2018", "Theorem 4.9"),
    doc="‖z − Tz‖² of the last iterate for a constant weight; tight. False for a < 1/2.",
    proof=averaged("F(z)", {"Nonexpansive(z)": "1"}, {"Nonexpansive(z, next(z))": "1"}),
)

theorem(
    "baillon1996_km_last",
    method="krasnoselskii_mann",
    given=[Nonexpansive(of="T")],
    free=["s"],
    where="0 <= s <= 1",
    let={"a": "s + (1 - 2*s)/(k + 2)"},
    measure="residual",
    bound="R**2/upto(a*(1 - a))",
    reaches=1.0,
    source=Source("baillon1996", "Hilbert case"),
    doc="‖z_k − Tz_k‖² ≤ R²/Σ_{i≤k} a_i(1 − a_i) for any weights in [0, 1]; here the schedules "
    "a_k = s + (1 − 2s)/(k + 2), from 1/(k + 2) over the constant 1/2 to 1 − 1/(k + 2). "
    "Falls like 1/k for 0 < s < 1, and only like 1/log k at the two ends.",
    proof=Proof(
        potential="distance + before(a*(1 - a))*residual",
        step={"Nonexpansive(z)": "a", "Nonexpansive(z, next(z))": "upto(a*(1 - a))/a"},
        end={"potential": "1/upto(a*(1 - a))", "Nonexpansive(z)": "a/upto(a*(1 - a))"},
    ),
)

theorem(
    "lieder2021_halpern",
    method="halpern",
    given=[Nonexpansive(of="T")],
    measure="residual",
    bound="4*R**2/(k + 1)**2",
    order="1/k**2",
    reaches=1.0,
    source=Source("lieder2021", "Theorem 2.1"),
    doc="‖z − Tz‖² of Halpern's iteration with β = 1/(k + 2); tight at every k.",
    proof=Proof(
        potential="k*(k + 1)/4*norm2(F(z)) + (k + 1)/2*inner(F(z), z - anchor)",
        at_most="0",
        step={"Nonexpansive(z, next(z))": "(k + 1)*(k + 2)/4"},
        end={"potential": "8/(k + 1)**2", "Nonexpansive(z)": "2/(k + 1)"},
    ),
)


theorem(
    "lieder2018_km_small_weight",
    method="krasnoselskii_mann",
    given=[Nonexpansive(of="T")],
    where="0 < a < 1/2",
    measure="residual",
    bound=f"R**2*{small_weight('a')}",
    order="1/k",
    reaches=1.0,
    source=Source("lieder2018", "Theorem 4.9", derived=True),
    doc="The same for a < 1/2, where the source's formula is exceeded by up to 36 %. Fitted to the "
    "worst cases of k ≤ 9 and met by two maps; no proof for all k is known.",
    unproved="no argument for all k is known: of the potentials of lieder2018_km_last the solver "
    "finds none at a = 1/4 from N = 4 on",
)

DUAL_VALUE = "(last(past) - final(z) + F(final(z)))"  # T z₋ − T z at the last k

# S_k = 1 + g + ... + g^k for T 1/g-Lipschitz, and Halpern's weights 1/(1 + g² + ... + g^(2k+2))
CONTRACTIVE = {
    "beta": "(g**2 - 1)/(g**(2*k + 4) - 1)",
    "total": "(g**(k + 1) - 1)/(g - 1)",
}
PHI, PHI_NEXT = "(g**(2*k + 2) - 1)/(g**2 - 1)", "(g**(2*k + 4) - 1)/(g**2 - 1)"
# of T = I − r; the parts are 0 at k = 0, where z is the anchor
CONTRACTIVE_POTENTIAL = (
    f"{PHI}*(g**(2*k) - 1)/(g**2 - 1)*g**(4 - 2*k)*norm2({{r}})"
    f" + 2*{PHI}*g**(2 - 2*k)*inner({{r}}, z - anchor)"
    f" - (g**2 - 1)*{PHI}*g**(-2*k)*norm2(z - anchor)"
)
CONTRACTIVE_END = "(1 + g)**2*g**(k - 3)/((1 + g**(k + 1))*total**2)"

theorem(
    "park2022_oc_halpern",
    method="oc_halpern",
    given=[Lipschitz("q", of="T")],
    where="0 < q, q < 1",
    let={"g": "1/q", **CONTRACTIVE},
    measure="residual",
    bound="(1 + 1/g)**2*R**2/total**2",
    order="linear",
    reaches=1.0,
    source=Source("park2022", "Corollary 3.3"),
    horizons=[40],
    doc="‖z − Tz‖² of Halpern's iteration with weights for a 1/g-contraction; tight and optimal.",
    proof=Proof(
        potential=CONTRACTIVE_POTENTIAL.format(r="F(z)"),
        at_most="0",
        step={"Lipschitz(z, next(z))": f"g**2*{PHI}*{PHI_NEXT}*g**(-2*k)"},
        end={
            "potential": CONTRACTIVE_END,
            "Lipschitz(z, solution)": "g**2*(1 + 1/g)/(g*total)",
        },
    ),
)

# φ_j = 1 + g² + ... + g^(2j) for j = K − k, and the same one further from the last k
LEFT, FURTHER = "((g**(2*K - 2*k + 2) - 1)/(g**2 - 1))", "((g**(2*K - 2*k + 4) - 1)/(g**2 - 1))"
NEARER = "((g**(2*K - 2*k) - 1)/(g**2 - 1))"

theorem(
    "yoon2024_dual_oc_halpern",
    method="dual_halpern",
    given=[Lipschitz("q", of="T")],
    where="0 < q, q < 1",
    let={"g": "1/q", "weight": f"1 - 1/{LEFT}", "total": "(g**(K + 1) - 1)/(g - 1)"},
    measure="where(k == K, residual, 0)",
    bound="(1 + 1/g)**2*R**2/total**2",
    reaches=1.0,
    source=Source("yoon2024optimal", derived=True),
    horizons=[1, 2, 5, 20],
    doc="The last iterate of Dual OHM with weights for a 1/g-contraction; tight, as OC-Halpern is.",
    proof=Proof(
        let={"larger": "1 + g**(-K - 1)"},
        potential=f"norm2(F(final(z))) + larger*(2*inner(z - final(z), {DUAL_VALUE})"
        f" - {FURTHER}/({FURTHER} - 1)*norm2(z - final(z))"
        f" - ({LEFT} - 1)/{LEFT}*norm2({DUAL_VALUE}))",
        at_most="(1 + 1/g)**2*R**2/total**2",
        start={"Lipschitz(final(z), solution)": "(1 + g)/total"},
        step={"Lipschitz(z, final(z))": f"larger*g**(2*K - 2*k)/({LEFT}*{NEARER})"},
        end={"potential": "1"},
        horizon="K",
    ),
)

theorem(
    "yoon2024_dual_halpern",
    method="dual_halpern",
    given=[Nonexpansive(of="T")],
    let={"weight": "(K - k)/(K + 1 - k)"},
    measure="where(k == K, residual, 0)",
    bound="4*R**2/(K + 1)**2",
    order="1/k**2",
    reaches=1.0,
    source=Source("yoon2024optimal"),
    horizons=[1, 2, 5, 20, 100, 300],
    doc="The last iterate of Dual OHM with horizon K + 1; tight. Earlier iterates are not fast.",
    proof=Proof(
        let={"left": "K + 1 - k"},
        potential="norm2(F(final(z)))/2 - (left + 1)/left*norm2(z - final(z))"
        " + 2*inner(z - final(z), last(past) - final(z) + F(final(z)))"
        " - (left - 1)/left*norm2(last(past) - final(z) + F(final(z)))",
        at_most="2*R**2/(K + 1)**2",
        start={"Nonexpansive(final(z))": "1/(K + 1)"},
        step={"Nonexpansive(z, final(z))": "1/(left*(left - 1))"},
        end={"potential": "2"},
        horizon="K",
    ),
)
