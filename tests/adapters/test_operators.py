"""Operators of other libraries against opcheck's own, and what is none."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
import sympy

import opcheck
from opcheck import adapters
from opcheck.errors import MissingExtra, OpcheckError

PAYOFF = "x*y + x**2/2 - y**2/4 + sin(x)"
POINTS = np.random.default_rng(0).standard_normal((5, 2))
OURS = opcheck.minmax(PAYOFF)


def same(operator: Any) -> None:
    for z in POINTS:
        assert np.allclose(operator(z), OURS(z), rtol=1e-14, atol=1e-15)


def test_importing_costs_nothing() -> None:
    code = "import sys, opcheck, opcheck.adapters; print(sorted(sys.modules))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    for package in ("numpy", "torch", "jax", "optax", "casadi", "sympy"):
        assert f"'{package}'" not in out.stdout


def test_an_absent_package_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "casadi", None)
    monkeypatch.delitem(vars(adapters), "from_casadi", raising=False)
    with pytest.raises(MissingExtra, match=r"needs casadi .*pip install 'opcheck\[casadi\]'"):
        adapters.from_casadi  # noqa: B018
    with pytest.raises(AttributeError, match="no attribute 'from_matlab'"):
        adapters.from_matlab  # noqa: B018


@pytest.mark.parametrize("package", ["torch", "jax", "optax", "casadi"])
def test_no_adapter_goes_untested_in_ci(package: str) -> None:
    """Elsewhere a package may be absent, and its tests are left out; CI installs all."""
    assert not os.environ.get("CI") or importlib.util.find_spec(package)


# --- sympy

X, Y, A = sympy.symbols("x y a")
PHI = X * Y + X**2 / 2 - Y**2 / 4 + sympy.sin(X)


def test_a_payoff_of_sympy() -> None:
    operator = adapters.from_sympy(PHI, [X, Y], ascending=[Y])
    same(operator)
    assert operator.slopes is not None
    assert np.allclose(operator.jacobian([0.0, 0.0]), [[1, 1], [-1, 0.5]])


def test_components_and_a_potential_of_sympy() -> None:
    same(adapters.from_sympy([sympy.diff(PHI, X), -sympy.diff(PHI, Y)], [X, Y]))
    same(adapters.from_sympy(sympy.Matrix([sympy.diff(PHI, X), -sympy.diff(PHI, Y)]), [X, Y]))
    bowl = adapters.from_sympy(X**2 + 3 * Y**2, [X, Y])
    assert bowl.potential is not None
    assert bowl.potential([1.0, 2.0]) == 13.0


def test_floats_of_sympy_stay_the_numbers_that_they_are() -> None:
    third = sympy.Float(1 / 3)  # printed with 15 digits
    operator = adapters.from_sympy([third * X], [X])
    assert operator([1.0]) == 1 / 3


def test_any_name_of_sympy_is_fine() -> None:
    lam, z1 = sympy.symbols("lambda z1")
    operator = adapters.from_sympy([z1, -lam], [lam, z1])
    assert operator([2.0, 5.0]).tolist() == [5.0, -2.0]


@pytest.mark.ci
def test_constants_of_sympy_are_proved() -> None:
    operator = adapters.from_sympy(X * Y + X**2 / 2 - Y**2 / 2, [X, Y], ascending=[Y])
    constants = opcheck.constants(operator, rigorous=True)
    (strong,) = [c for c in constants if c.kind.name == "StronglyMonotone"]
    assert strong.lower == pytest.approx(1.0, rel=1e-6)
    assert strong.provenance == "certified"


SYMPY: dict[str, tuple[Any, ...]] = {
    "holds a, which is no variable": (A * X, [X]),
    "takes symbols": (X * Y, ["x", "y"]),
    "is named twice": (X, [X, X]),
    "ascends and is no variable": (X * Y, [X], [Y]),
    "only a payoff is ascended": ([X, Y], [X, Y], [Y]),
    "a field in 2 variables has 2 components, not 1": ([X], [X, Y]),
    "holds gamma; opcheck knows exp, log": ([sympy.gamma(X)], [X]),
}


@pytest.mark.parametrize("sentence", SYMPY)
def test_what_is_no_expression_of_sympy(sentence: str) -> None:
    expression, variables, *ascending = SYMPY[sentence]
    with pytest.raises(OpcheckError, match=sentence):
        adapters.from_sympy(expression, variables, ascending=ascending[0] if ascending else [])


# --- CasADi


def test_expressions_of_casadi() -> None:
    casadi = pytest.importorskip("casadi")
    x, y = casadi.SX.sym("x"), casadi.SX.sym("y")
    phi = x * y + x**2 / 2 - y**2 / 4 + casadi.sin(x)
    same(adapters.from_casadi(phi, [x, y], ascending=y))
    same(adapters.from_casadi([casadi.gradient(phi, x), -casadi.gradient(phi, y)], [x, y]))
    z = casadi.MX.sym("z", 2)
    psi = z[0] * z[1] + z[0] ** 2 / 2 + casadi.exp(z[1]) / (1 + z[0] ** 2) + casadi.sqrt(z[0] + 9)
    operator = adapters.from_casadi(psi, z)
    theirs = casadi.Function("F", [z], [casadi.gradient(psi, z)])
    for point in POINTS:
        assert np.allclose(operator(point), np.array(theirs(point)).ravel(), rtol=1e-13)
    assert operator.slopes is not None  # read, and not called


def test_what_is_no_expression_of_casadi() -> None:
    casadi = pytest.importorskip("casadi")
    x, y = casadi.SX.sym("x"), casadi.SX.sym("y")
    for sentence, expression, ascending in (
        ("is none of", [casadi.fabs(x), y], None),
        ("makes no function", [x, casadi.SX.sym("w")], None),
        ("one payoff or 2 components", [x, y, x], None),
        ("only a payoff is ascended", [x, y], y),
        ("ascending holds what is no variable", x * y, casadi.SX.sym("w")),
    ):
        with pytest.raises(OpcheckError, match=sentence):
            adapters.from_casadi(expression, [x, y], ascending=ascending)


# --- JAX


def test_functions_of_jax() -> None:
    jax = pytest.importorskip("jax")

    def payoff(z: Any) -> Any:
        return z[0] * z[1] + z[0] ** 2 / 2 - z[1] ** 2 / 4 + jax.numpy.sin(z[0])

    before = jax.config.jax_enable_x64
    same(adapters.from_jax(payoff, 2, ascending=[1]))
    same(adapters.from_jax(lambda z: jax.grad(payoff)(z) * jax.numpy.array([1.0, -1.0]), 2))
    assert jax.config.jax_enable_x64 == before
    run = opcheck.run("extragradient", opcheck.subject(adapters.from_jax(payoff, 2)), 5, gamma=0.1)
    assert run.status == "completed"


def test_what_is_no_function_of_jax() -> None:
    jax = pytest.importorskip("jax")
    for sentence, function, options in (
        ("returns float32", lambda z: z.astype(jax.numpy.float32), {}),
        (r"returns shape \(3,\) for a point of shape \(2,\)", lambda z: jax.numpy.ones(3), {}),
        ("raises TypeError in JAX", lambda z: z + "1", {}),
        ("only a payoff is ascended", lambda z: z, {"ascending": [0]}),
        ("names the coordinate 2 of 2", lambda z: z @ z, {"ascending": [2]}),
    ):
        with pytest.raises(OpcheckError, match=sentence):
            adapters.from_jax(function, 2, **options)


# --- PyTorch


def test_functions_and_modules_of_torch() -> None:
    torch = pytest.importorskip("torch")

    def payoff(z: Any) -> Any:
        return z[0] * z[1] + z[0] ** 2 / 2 - z[1] ** 2 / 4 + torch.sin(z[0])

    same(adapters.from_torch(payoff, 2, ascending=[1]))
    net = torch.nn.Linear(2, 2).double()
    operator = adapters.from_torch(net, 2)
    M = net.weight.detach().numpy()
    assert np.allclose(operator(POINTS[0]), M @ POINTS[0] + net.bias.detach().numpy())
    with pytest.raises(OpcheckError, match=r"of torch.float32.*call module.double\(\)"):
        adapters.from_torch(lambda z: z.float(), 2)(POINTS[0])
    with pytest.raises(OpcheckError, match="returns int; return a tensor"):
        adapters.from_torch(lambda z: 3, 2)(POINTS[0])


def test_losses_of_networks() -> None:
    torch = pytest.importorskip("torch")
    generator = torch.Generator().manual_seed(0)
    x = torch.nn.Parameter(torch.randn(2, 2, dtype=torch.float64, generator=generator))
    net = torch.nn.Linear(2, 1).double()

    def payoff() -> Any:
        return net(x).sum() - (net.weight**2).sum()

    problem = adapters.from_losses(payoff, [[x], net])
    assert problem.dim == 4 + 3
    before = problem.start.copy()
    F = problem.operator(problem.start + 1)
    w = net.weight.detach().numpy().ravel() + 1
    rows = x.detach().numpy() + 1
    assert np.allclose(F, [*w, *w, *(2 * w - rows.sum(axis=0)), -2.0])
    assert np.array_equal(np.concatenate([x.detach().numpy().ravel(), before[4:]]), before)
    # a loss for each player: both descend
    pair = adapters.from_losses(lambda: (payoff(), -payoff()), [[x], net])
    assert np.allclose(pair.operator(problem.start + 1), F)
    run = opcheck.run("extragradient", problem, 5, gamma=0.01)
    assert run.status == "completed"


def test_what_is_no_game_of_networks() -> None:
    torch = pytest.importorskip("torch")
    x = torch.ones(2, dtype=torch.float64, requires_grad=True)
    y = torch.ones(2, dtype=torch.float64, requires_grad=True)
    single = torch.ones(2, requires_grad=True)
    with pytest.raises(OpcheckError, match=r"a parameter is of torch\.float32"):
        adapters.from_losses(lambda: x @ single, [[x], [single]])
    with pytest.raises(OpcheckError, match="two players share a parameter"):
        adapters.from_losses(lambda: x @ x, [[x], [x]])
    with pytest.raises(OpcheckError, match="takes players with parameters"):
        adapters.from_losses(lambda: x @ y, [[x], []])
    z = torch.ones(1, dtype=torch.float64, requires_grad=True)
    game = adapters.from_losses(lambda: (x @ y, x @ y), [[x], [y], [z]])
    with pytest.raises(OpcheckError, match="there are 2 losses for 3 players"):
        game.operator(game.start)
