"""First steps on the bilinear game, in closed form: F is s/γ times a quarter turn.

A rate leaves room for a wrong step; an equality does not.
"""

from opcheck.model.proof import Proof
from opcheck.model.property import Lipschitz
from opcheck.model.theorem import Source, theorem

TURN = ("0", "L**2")  # what the bilinear game is, in any dimension
FIRST_STEPS = Proof(turn=TURN, until=2)
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
    ("projected_reflected_gradient", "", "1 + s**2", "(1 - 2*s**2)**2 + 4*s**2"),
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
        measure="where(k <= 2, distance, 0)",
        bound=f"R**2*where(k == 0, 1, where(k == 1, {_first}, where(k == 2, {_second}, 0)))",
        claim="equality",
        source=Source("elementary", confirmed=True),
        horizons=[2],
        doc=f"Exact ‖z‖² after one and after two steps of {_method.replace('_', ' ')} on the "
        "bilinear game; s = γL.",
        proof=FIRST_STEPS,
    )

for _method, _square, _ends in (
    ("runge_kutta_2", "1 + s**4/4", "at no step do they converge"),
    ("runge_kutta_4", "1 - s**6/72 + s**8/576", "they converge for γL < 2√2"),
):
    theorem(
        f"elementary_{_method}_bilinear",
        method=_method,
        given=[Lipschitz("L", of="F")],
        where="0 < gamma",
        let={"s": "gamma*L"},
        on=["bilinear"],
        measure="distance",
        bound=f"R**2*({_square})**k",
        claim="equality",
        source=Source("elementary", confirmed=True),
        horizons=[20],
        doc="Exact ‖z‖² of Runge–Kutta steps on the bilinear game, |P(is)|² with P the first terms "
        f"of exp(−x): {_ends}.",
        proof=Proof(
            potential=f"distance/({_square})**k",
            end={"potential": f"({_square})**k"},
            turn=TURN,
        ),
    )

theorem(
    "elementary_first_steps_complex_momentum",
    method="complex_momentum",
    given=[Lipschitz("L", of="F")],
    where="0 < gamma, -1 < beta_re < 1, -1 < beta_im < 1",
    let={"s": "gamma*L"},
    on=["bilinear"],
    measure="where(k <= 3, distance, 0)",
    bound="R**2*where(k == 0, 1, where(k == 1, 1 + s**2, "
    "where(k == 2, (1 - s**2)**2 + s**2*(2 + beta_re)**2, "
    "where(k == 3, (1 - (3 + 2*beta_re)*s**2)**2 "
    "+ s**2*(3 + 2*beta_re + beta_re**2 - beta_im**2 - s**2)**2, 0))))",
    claim="equality",
    source=Source("elementary", confirmed=True),
    horizons=[3],
    doc="Exact ‖z‖² after one, two and three steps of complex momentum on the bilinear game; the "
    "imaginary part of β first shows in the third.",
    proof=Proof(turn=TURN, until=3),
)

theorem(
    "elementary_lookahead_past_extragradient",
    method="lookahead(past_extragradient)",
    given=[Lipschitz("L", of="F")],
    where="0 < gamma, 0 < lam < 1, 1 <= tau <= 1",
    let={"s": "lam*gamma*L"},
    on=["bilinear"],
    measure="next(distance)",
    bound="(1 + s**2)*distance",
    claim="equality",
    source=Source("elementary", confirmed=True),
    horizons=[12],
    doc="Exact ‖z‖² of Lookahead with τ = 1 over past extragradient on the bilinear game: each "
    "step begins anew, and is one of gradient descent ascent with step λγ.",
    proof=Proof(turn=TURN, cases=({"tau": "1"},)),
)
