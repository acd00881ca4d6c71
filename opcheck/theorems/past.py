"""Past extragradient, also known as the optimistic gradient method."""

from opcheck.model.property import Lipschitz, Monotone
from opcheck.model.theorem import Source, theorem

theorem(
    "gorbunov2022_peg_last",
    method="past_extragradient",
    given=[Lipschitz("L", of="F"), Monotone(of="F")],
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
