"""Krasnosel'skii-Mann and Halpern: residuals of nonexpansive maps."""

from opcheck.model.proof import Proof
from opcheck.model.property import Nonexpansive
from opcheck.model.theorem import Source, theorem

theorem(
    "lieder2018_km_last",
    method="krasnoselskii_mann",
    given=[Nonexpansive(of="T")],
    where="1/2 <= a < 1",
    measure="residual",
    bound="R**2*where(a <= (1 + sqrt(k/(k + 1)))/2, (k/(k + 1))**k/((k + 1)*a*(1 - a)), "
    "4*(2*a - 1)**(2*k))",
    order="1/k",
    reaches=1.0,
    source=Source("lieder2018", "Theorem 4.9"),
    doc="‖z − Tz‖² of the last iterate for a constant weight; tight. False for a < 1/2.",
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
    order="1/k",
    reaches=1.0,
    source=Source("baillon1996", "Hilbert case"),
    doc="‖z_k − Tz_k‖² ≤ R²/Σ_{i≤k} a_i(1 − a_i) for any weights in [0, 1]; here the schedules "
    "a_k = s + (1 − 2s)/(k + 2), from 1/(k + 2) over the constant 1/2 to 1 − 1/(k + 2).",
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
