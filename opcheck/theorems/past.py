"""Past extragradient, also known as the optimistic gradient method."""

from opcheck.model.proof import Proof
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
