"""The optimisers of PyTorch against the kernels, and against what they promise."""

from __future__ import annotations

import copy
import io
import math
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import opcheck
from opcheck.errors import OpcheckError

torch = pytest.importorskip("torch.optim") and pytest.importorskip("torch")
from trained import PLAIN  # noqa: E402

from opcheck.torch import (  # noqa: E402
    GDA,
    RAPP,
    EGPlus,
    ExtraGradient,
    Lookahead,
    OptimisticGradient,
)

START = (0.7, -0.4, 0.3, 0.9)
COUPLING = [[0.6, -0.2], [0.3, 0.5]]
CURVATURE = {"bilinear": 0.0, "quadratic": 0.3}
PAYOFF = (
    "{c}*(x0**2 + x1**2)/2 - {c}*(y0**2 + y1**2)/2 + 0.6*x0*y0 - 0.2*x0*y1 + 0.3*x1*y0 + 0.5*x1*y1"
)
STEPS = 200

Make = Callable[[Any], Any]
CASES: dict[str, tuple[Make, str, dict[str, Any]]] = {
    **PLAIN,
    "LA-optimistic": (
        lambda g: Lookahead(OptimisticGradient(g, 0.3), lam=0.6, tau=4),
        "lookahead(forward_reflected_backward)",
        {"gamma": 0.3, "lam": 0.6, "tau": 4},
    ),
    "LA-LA-EG": (
        lambda g: Lookahead(Lookahead(ExtraGradient(g, 0.4), lam=0.6, tau=3), lam=0.5, tau=5),
        "lookahead(lookahead(extragradient))",
        {"gamma": 0.4, "base.lam": 0.6, "base.tau": 3, "lam": 0.5, "tau": 5},
    ),
    "LA-SGD": (
        lambda g: Lookahead(torch.optim.SGD(g, 0.3), lam=0.5, tau=7),
        "lookahead(gradient_descent_ascent)",
        {"gamma": 0.3, "lam": 0.5, "tau": 7},
    ),
}


class Game:
    """f(x, y) = c|x|²/2 − c|y|²/2 + ⟨x, B y⟩ in float64, as a closure of two players."""

    def __init__(self, curvature: float = 0.3) -> None:
        self.c, self.calls = curvature, 0
        self.x, self.y = (
            torch.nn.Parameter(torch.tensor(part, dtype=torch.float64))
            for part in (START[:2], START[2:])
        )
        self.B = torch.tensor(COUPLING, dtype=torch.float64)

    @property
    def groups(self) -> list[dict[str, Any]]:
        return [{"params": [self.x]}, {"params": [self.y], "maximize": True}]

    @property
    def z(self) -> NDArray[np.float64]:
        return torch.cat([self.x, self.y]).detach().numpy().copy()

    def __call__(self) -> Any:
        self.calls += 1
        x, y = self.x, self.y
        value = self.c * (x @ x - y @ y) / 2 + x @ self.B @ y
        value.backward()
        return value


def iterates(make: Make, game: Game, steps: int) -> NDArray[np.float64]:
    optimiser, points = make(game.groups), [game.z]
    for _ in range(steps):
        optimiser.step(game)
        points.append(game.z)
    return np.array(points)


@pytest.mark.parametrize("curvature", CURVATURE)
@pytest.mark.parametrize("name", CASES)
@pytest.mark.sampled(4)
def test_iterates_are_those_of_the_kernel(name: str, curvature: str) -> None:
    make, method, parameters = CASES[name]
    c = CURVATURE[curvature]
    field = opcheck.minmax(PAYOFF.format(c=c), x=2, y=2)
    problem = opcheck.Problem(field, start=START, solution=(0.0,) * 4, name="game")
    run = opcheck.run(method, problem, STEPS, iterates=True, record="all", **parameters)
    assert len(run.iterates) == STEPS + 1
    ours = iterates(make, Game(c), STEPS)
    scale = np.maximum(1.0, np.abs(run.iterates).max(axis=1, keepdims=True))
    assert (np.abs(ours - run.iterates) / scale).max() <= 1e-12


@pytest.mark.parametrize("name", CASES)
def test_a_training_that_was_killed_goes_on_bit_for_bit(name: str) -> None:
    make = CASES[name][0]
    whole = iterates(make, Game(), 40)
    first = Game()
    optimiser = make(first.groups)
    for _ in range(17):  # in the middle of every loop
        optimiser.step(first)
    file = io.BytesIO()
    torch.save({"z": [first.x, first.y], "steps": optimiser.state_dict()}, file)
    del optimiser
    file.seek(0)
    saved = torch.load(file, weights_only=True)  # plain data and tensors, nothing that runs
    second = Game()
    resumed = make(second.groups)
    with torch.no_grad():
        second.x.copy_(saved["z"][0])
        second.y.copy_(saved["z"][1])
    resumed.load_state_dict(saved["steps"])
    for k in range(17, 40):
        resumed.step(second)
        assert np.array_equal(second.z, whole[k + 1])


ADAM: dict[str, Make] = {
    "Adam": lambda g: GDA(g, 0.05, betas=(0.5, 0.9)),
    "ExtraAdam": lambda g: ExtraGradient(g, 0.05, betas=(0.0, 0.9)),
    "RAPP-Adam": lambda g: RAPP(g, 0.05, betas=(0.5, 0.9)),
    "optimistic Adam": lambda g: OptimisticGradient(g, 0.05, betas=(0.5, 0.9)),
    "LA-torch-Adam": lambda g: Lookahead(torch.optim.Adam(g, 0.05), tau=3),
    "LA-LA-Adam": lambda g: Lookahead(Lookahead(GDA(g, 0.05, betas=(0.9, 0.99)), tau=3), tau=4),
}


@pytest.mark.parametrize("name", ADAM)
def test_moments_are_part_of_the_state(name: str) -> None:
    CASES[name] = (ADAM[name], "", {})
    try:
        test_a_training_that_was_killed_goes_on_bit_for_bit(name)
    finally:
        del CASES[name]


def test_gda_with_moments_is_adam() -> None:
    ours = iterates(lambda g: GDA(g, 0.05, betas=(0.5, 0.9)), Game(), 100)
    theirs = iterates(lambda g: torch.optim.Adam(g, 0.05, betas=(0.5, 0.9)), _Cleared(), 100)
    assert np.abs(ours - theirs).max() <= 1e-12


class _Cleared(Game):
    """The game for an optimiser of torch, which leaves gradients to the closure."""

    def __call__(self) -> Any:
        self.x.grad = self.y.grad = None
        return super().__call__()


def test_every_evaluation_updates_the_moments() -> None:
    """ExtraAdam in numpy, from its two lines."""
    lr, b, b2, eps = 0.05, 0.5, 0.9, 1e-8
    B = np.array(COUPLING)
    z, m, v, t = np.array(START), np.zeros(4), np.zeros(4), 0

    def direction(w: NDArray[np.float64]) -> NDArray[np.float64]:
        nonlocal m, v, t
        F = np.concatenate([0.3 * w[:2] + B @ w[2:], 0.3 * w[2:] - B.T @ w[:2]])
        m, v, t = b * m + (1 - b) * F, b2 * v + (1 - b2) * F**2, t + 1
        return m / (1 - b**t) / (np.sqrt(v / (1 - b2**t)) + eps)

    ours = iterates(lambda g: ExtraGradient(g, lr, betas=(b, b2)), Game(), 50)
    for k in range(50):
        zbar = z - lr * direction(z)
        z = z - lr * direction(zbar)
        assert np.abs(ours[k + 1] - z).max() <= 1e-12


def test_a_forgotten_zero_grad_changes_nothing() -> None:
    for make, _, _ in CASES.values():
        assert np.array_equal(iterates(make, Game(), 15), iterates(make, _Cleared(), 15))


def test_maximize_is_a_sign() -> None:
    """A group that ascends f takes the steps of one that descends −f, with moments too."""

    class Negative(Game):
        groups = property(lambda self: [{"params": [self.x]}, {"params": [self.y]}])  # type: ignore[assignment]

        def __call__(self) -> Any:
            value = super().__call__()
            self.y.grad.neg_()
            return value

    for make in (*(case[0] for case in CASES.values()), *ADAM.values()):
        assert np.array_equal(iterates(make, Game(), 20), iterates(make, Negative(), 20))


def test_players_may_have_options_of_their_own() -> None:
    game = Game()
    groups = [{"params": [game.x], "lr": 0.1}, {"params": [game.y], "lr": 0.3, "maximize": True}]
    z = game.z
    GDA(groups, 0.2).step(game)
    F = np.concatenate([game.x.grad.numpy(), -game.y.grad.numpy()])
    assert np.allclose(game.z, z - np.array([0.1, 0.1, 0.3, 0.3]) * F, rtol=1e-15)


@pytest.mark.parametrize(
    ("name", "calls"),
    {"GDA": 1, "EG": 2, "EG+": 2, "RAPP": 4, "optimistic": 1, "LA-LA-EG": 2}.items(),
)
def test_a_step_evaluates_the_operator_as_often_as_it_says(name: str, calls: int) -> None:
    game = Game()
    CASES[name][0](game.groups).step(game)
    assert game.calls == calls


def test_steps_without_a_closure_take_the_gradients_that_are_there() -> None:
    for name in ("GDA", "optimistic", "LA-GDA", "LA-optimistic", "LA-SGD"):
        game = Game()
        optimiser, points = CASES[name][0](game.groups), [game.z]
        for _ in range(12):
            optimiser.zero_grad()
            game()
            optimiser.step()
            points.append(game.z)
        assert np.array_equal(np.array(points), iterates(CASES[name][0], Game(), 12))


# --- momentum under Lookahead


def heavy_ball(steps: int, lam: float, tau: int) -> NDArray[np.float64]:
    """SGD with momentum under Lookahead, written out: z is interpolated, the momentum is not."""
    lr, momentum = 0.05, 0.9
    B, z, points = np.array(COUPLING), np.array(START), [np.array(START)]
    m, slow = np.zeros(4), z
    for k in range(steps):
        slow = z if k % tau == 0 else slow
        F = np.concatenate([0.3 * z[:2] + B @ z[2:], 0.3 * z[2:] - B.T @ z[:2]])
        m = momentum * m + F
        z = z - lr * m
        z = (1 - lam) * slow + lam * z if k % tau == tau - 1 else z
        points.append(z)
    return np.array(points)


def test_momentum_goes_through_a_synchronisation_as_it_is() -> None:
    def make(groups: Any) -> Any:
        return Lookahead(torch.optim.SGD(groups, 0.05, momentum=0.9), lam=0.5, tau=5)

    assert np.abs(iterates(make, Game(), 100) - heavy_ball(100, 0.5, 5)).max() <= 1e-12


def test_buffers_are_neither_shrunk_nor_shared() -> None:
    """With λ in place of a copy, a buffer that the loop also keeps loses a factor λ each time."""
    game = Game()
    base = torch.optim.SGD(game.groups, 0.05, momentum=0.9)
    inner = Lookahead(base, lam=0.5, tau=2)
    outer = Lookahead(inner, lam=0.25, tau=4)
    for k in range(1, 25):
        before = {p: base.state[p]["momentum_buffer"].clone() for p in base.state}
        gradients: list[Any] = []

        def closure(kept: list[Any] = gradients) -> Any:
            value = game()
            kept += [game.x.grad.clone(), -game.y.grad.clone()]
            return value

        outer.step(closure)
        for p, F in zip((game.x, game.y), gradients, strict=True):
            buffer = base.state[p]["momentum_buffer"]
            expected = 0.9 * before[p] + F if p in before else F
            assert torch.equal(buffer, expected) or torch.allclose(buffer, expected, rtol=1e-15)
        memory = [game.x, game.y, *inner.slow, *outer.slow]
        memory += [base.state[p]["momentum_buffer"] for p in (game.x, game.y)]
        places = [t.untyped_storage().data_ptr() for t in memory]
        assert len(set(places)) == len(memory) == 8, k


def test_a_loaded_state_shares_nothing_with_the_one_it_came_from() -> None:
    make = ADAM["LA-LA-Adam"]
    first, second = Game(), Game()
    one, other = make(first.groups), make(second.groups)
    for _ in range(5):
        one.step(first)
    state = copy.deepcopy(one.state_dict())
    other.load_state_dict(state)
    held = copy.deepcopy(state)
    for _ in range(3):
        other.step(second)
    assert _same(state, held)


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(_same(a[n], b[n]) for n in a)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(_same(*pair) for pair in zip(a, b, strict=True))
    return bool(torch.equal(a, b)) if isinstance(a, torch.Tensor) else a == b


def test_a_schedule_of_lr_reaches_the_base() -> None:
    game = Game()
    base = GDA(game.groups, 0.4)
    outer = Lookahead(Lookahead(base, tau=2), tau=3)
    schedule = torch.optim.lr_scheduler.StepLR(outer, 1, gamma=0.5)
    outer.step(game)
    schedule.step()
    assert [g["lr"] for g in base.param_groups] == [0.2, 0.2]
    outer.load_state_dict(copy.deepcopy(outer.state_dict()))
    schedule.step()
    assert outer.param_groups is outer.base.param_groups is base.param_groups


# --- what is no step


def nan_after(game: Game, calls: int) -> Callable[[], Any]:
    def closure() -> Any:
        value = game()
        return value * math.nan if game.calls > calls else value

    return closure


@pytest.mark.parametrize("name", [*CASES, *ADAM])
def test_a_loss_that_is_nan_names_its_step_and_moves_nothing(name: str) -> None:
    make = ADAM[name] if name in ADAM else CASES[name][0]
    game = Game()
    optimiser = make(game.groups)
    optimiser.step(game)
    each = game.calls
    z = game.z
    with pytest.raises(OpcheckError, match=r"step 2 of \w+: the loss is nan"):
        optimiser.step(nan_after(game, 2 * each - 1))  # the last evaluation of the step
    assert np.array_equal(game.z, z)


def test_an_interrupted_step_moves_nothing() -> None:
    game = Game()
    optimiser = RAPP(game.groups, 0.5, tau=3)

    def closure() -> Any:
        if game.calls == 2:
            raise KeyboardInterrupt
        return game()

    with pytest.raises(KeyboardInterrupt):
        optimiser.step(closure)
    assert np.array_equal(game.z, np.array(START))


REFUSED: dict[str, tuple[Callable[[Game], Any], str]] = {
    "lam above 1": (
        lambda g: RAPP(g.groups, 0.1, lam=1.5),
        r"lam = 1.5 must be a number in \(0, 1\]",
    ),
    "lam 0": (lambda g: Lookahead(GDA(g.groups, 0.1), lam=0), "lam = 0 must be"),
    "lam nan": (lambda g: RAPP(g.groups, 0.1, lam=math.nan), "lam = nan must be"),
    "alpha": (lambda g: EGPlus(g.groups, 0.1, alpha=-0.5), "alpha = -0.5 must be"),
    "tau 0": (lambda g: RAPP(g.groups, 0.1, tau=0), "tau = 0 must be at least 1"),
    "tau a half": (lambda g: Lookahead(GDA(g.groups, 0.1), tau=2.5), "tau = 2.5 must be a whole"),
    "lr": (lambda g: GDA(g.groups, -0.1), r"lr = -0.1 must be a number in \(0, ∞\)"),
    "lr text": (lambda g: GDA(g.groups, "0.1"), "lr = '0.1' must be"),
    "betas": (lambda g: GDA(g.groups, 0.1, betas=(0.9, 1.0)), "betas = .* must be two numbers"),
    "eps": (lambda g: GDA(g.groups, 0.1, eps=0.0), "eps = 0.0 must be"),
    "maximize": (lambda g: GDA(g.groups, 0.1, maximize=1), "maximize = 1 must be True or False"),
    "misspelt": (
        lambda g: GDA([{"params": [g.x], "maximise": True}], 0.1),
        "no option 'maximise'; did you mean 'maximize'",
    ),
    "keyword": (lambda g: RAPP(g.groups, 0.1, lambd=0.5), "did you mean 'lam'"),
    "two taus": (
        lambda g: RAPP([{"params": [g.x], "tau": 2}, {"params": [g.y]}], 0.1),
        "tau = 3 in one group of parameters and 2 in another",
    ),
    "no base": (lambda g: Lookahead(g.groups), "goes over an optimiser, not list"),
    "no closure": (lambda g: RAPP(g.groups, 0.1).step(), "evaluates the operator 3 times"),
    "no gradient yet": (lambda g: GDA(g.groups, 0.1).step(), "no parameter has a gradient"),
    "no backward": (
        lambda g: GDA(g.groups, 0.1).step(lambda: torch.tensor(1.0)),
        "no parameter has a gradient; call backward",
    ),
    "nothing returned": (
        lambda g: RAPP(g.groups, 0.1).step(lambda: [g(), None][1]),
        "step 1 of RAPP: the closure returned None; it must return the loss",
    ),
    "state of another": (
        lambda g: GDA(g.groups, 0.1).load_state_dict(torch.optim.SGD(g.groups, 0.1).state_dict()),
        "not the state of a GDA: its groups have no lam",
    ),
    "state of no loop": (
        lambda g: Lookahead(GDA(g.groups, 0.1)).load_state_dict(GDA(g.groups, 0.1).state_dict()),
        "not the state of a Lookahead",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_it_is_refused_in_one_sentence(what: str) -> None:
    ask, sentence = REFUSED[what]
    game = Game()
    with pytest.raises(OpcheckError, match=sentence) as refused:
        ask(game)
    assert "\n" not in str(refused.value)
    assert np.array_equal(game.z, np.array(START))


def test_parameters_join_at_a_synchronisation_only() -> None:
    game, late = Game(), torch.nn.Parameter(torch.ones(2, dtype=torch.float64))
    outer = Lookahead(GDA([game.x], 0.1), tau=2)
    outer.step(game)
    with pytest.raises(OpcheckError, match="1 of 2 steps after a synchronisation"):
        outer.add_param_group({"params": [late]})
    outer.step(game)
    outer.add_param_group({"params": [late]})
    outer.step(game)
    assert len(outer.slow) == len(outer.param_groups) == 2


def test_a_player_without_a_gradient_stays() -> None:
    game = Game()

    def closure() -> Any:
        value = game()
        game.y.grad = None
        return value

    for make in (*(case[0] for case in CASES.values()), *ADAM.values()):
        game.__init__()  # type: ignore[misc]
        make(game.groups).step(closure)
        assert np.array_equal(game.z[2:], np.array(START[2:]))
        assert not np.array_equal(game.z[:2], np.array(START[:2]))


@pytest.mark.parametrize("betas", [None, (0.5, 0.9)])
def test_complex_parameters_are_two_real_ones(betas: Any) -> None:
    real = torch.nn.Parameter(torch.tensor([[1.0, -2.0], [0.5, 0.25]], dtype=torch.float64))
    whole = torch.nn.Parameter(torch.view_as_complex(real.detach().clone()))
    weight = torch.tensor([[3.0, 1.0], [-1.0, 2.0]], dtype=torch.float64)
    for parameter, view in ((real, lambda t: t), (whole, torch.view_as_real)):
        optimiser = Lookahead(RAPP([parameter], 0.1, betas=betas), tau=2)
        for _ in range(5):
            optimiser.step(
                lambda p=parameter, v=view: _backward((weight * v(p) ** 2).sum())  # type: ignore[misc]
            )
    assert torch.allclose(torch.view_as_real(whole.detach()), real.detach(), rtol=1e-14)


def _backward(value: Any) -> Any:
    value.backward()
    return value


def test_opcheck_does_not_import_torch() -> None:
    code = (
        "import sys, opcheck, opcheck.cli; from opcheck import registry; registry.load();"
        "print('torch' in sys.modules, 'sklearn' in sys.modules, registry.failures())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[0] == "False False []"


def test_without_torch_the_sentence_says_how_to_install_it() -> None:
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "try:\n    import opcheck.torch\n"
        "except ImportError as error:\n    print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "pip install 'opcheck[torch]'" in done.stdout
    assert len(done.stdout.splitlines()) == 1
