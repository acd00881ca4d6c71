"""First steps on the bilinear game, in closed form: F is s/γ times a quarter turn.

A rate leaves room for a wrong step; an equality does not.
"""

from opcheck.model.property import Lipschitz
from opcheck.model.theorem import Source, theorem

EXTRAGRADIENT = "1 - s**2 + s**4"

for _method, _parameters, _first, _second in (
    ("forward_backward_forward", "", EXTRAGRADIENT, f"({EXTRAGRADIENT})**2"),
    (
        "anchored_extragradient",
        "",
        EXTRAGRADIENT,
        "(1 - 7*s**2/3 + s**4)**2 + 25*s**2*(1 - s**2)**2/9",
    ),
    ("past_extragradient", "", "1 + s**2", "(1 - 2*s**2)**2 + 4*s**2"),
    (
        "warm_past_extragradient",
        "",
        EXTRAGRADIENT,
        "(1 - 3*s**2)**2 + 4*s**2*(1 - s**2)**2",
    ),
    (
        "golden_ratio",
        ", 1 < phi <= (1 + sqrt(5))/2",
        "1 + s**2",
        "(1 - s**2)**2 + s**2*(2 - 1/phi)**2",
    ),
):
    theorem(
        f"elementary_first_steps_{_method}",
        method=_method,
        given=[Lipschitz("L", of="F")],
        where=f"0 < gamma{_parameters}",
        let={"s": "gamma*L"},
        on=["bilinear"],
        measure="distance",
        bound=f"R**2*where(k == 1, {_first}, where(k == 2, {_second}, 1))",
        claim="equality",
        source=Source("elementary", confirmed=True),
        horizons=[2],
        doc=f"Exact ‖z‖² after one and after two steps of {_method.replace('_', ' ')} on the "
        "bilinear game; s = γL.",
    )
