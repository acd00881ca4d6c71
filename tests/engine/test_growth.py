"""The factor by which an error grows: against closed forms, companion matrices and real runs."""

from __future__ import annotations

import numpy as np
import pytest

from opcheck.engine.growth import growth, spectrum_of
from opcheck.engine.run import run
from opcheck.errors import OpcheckError
from opcheck.model.operator import linear
from opcheck.model.problem import Problem, problem

GENERATOR = np.random.default_rng(3)
LAMBDA = GENERATOR.normal(size=40) + 1j * GENERATOR.normal(size=40)
GAMMA = 0.3
Z = GAMMA * LAMBDA


@pytest.mark.parametrize(
    ("method", "factor"),
    [
        ("gradient_descent_ascent", np.abs(1 - Z)),
        ("extragradient", np.abs(1 - Z + Z**2)),
        ("proximal_point", 1 / np.abs(1 + Z)),
    ],
)
def test_of_one_step_it_is_the_modulus_of_the_polynomial(method: str, factor: np.ndarray) -> None:
    assert np.allclose(growth(method, LAMBDA, gamma=GAMMA), factor, rtol=1e-13, atol=0)


def test_of_a_step_with_a_past_it_is_the_root_of_its_polynomial() -> None:
    """z⁺ = z − 2γ F z + γ F z₋, so that μ² = (1 − 2γλ) μ + γλ."""
    roots = [np.abs(np.roots([1, -(1 - 2 * z), -z])).max() for z in Z]
    assert np.allclose(growth("past_extragradient", LAMBDA, gamma=GAMMA), roots, rtol=1e-10)


@pytest.mark.parametrize("tau", [1, 2, 7])
def test_of_lookahead_it_is_the_root_of_a_whole_round(tau: int) -> None:
    lam = 0.4
    whole = np.abs(1 - lam + lam * (1 - Z) ** tau) ** (1 / tau)
    name = "lookahead(gradient_descent_ascent)"
    assert np.allclose(growth(name, LAMBDA, gamma=GAMMA, lam=lam, tau=tau), whole, rtol=1e-12)


def test_of_lookahead_over_lookahead() -> None:
    inner = 1 - 0.5 + 0.5 * (1 - Z) ** 3
    whole = np.abs(1 - 0.25 + 0.25 * inner**2) ** (1 / 6)
    name = "lookahead(lookahead(gradient_descent_ascent))"
    values = {"base.base.gamma": GAMMA, "base.lam": 0.5, "base.tau": 3, "lam": 0.25, "tau": 6}
    assert np.allclose(growth(name, LAMBDA, **values), whole, rtol=1e-12)


@pytest.mark.parametrize(
    ("method", "values"),
    [
        ("extragradient", {"gamma": 0.4}),
        ("rapp", {"gamma": 0.4, "lam": 0.5, "tau": 4}),
        ("past_extragradient", {"gamma": 0.2}),
        ("lookahead(extragradient)", {"gamma": 0.4, "lam": 0.5, "tau": 3}),
    ],
)
@pytest.mark.parametrize("eigenvalue", [0.2 + 1j, -0.05 + 0.9j, 1.5 + 0.1j])
def test_a_real_run_on_the_plane_grows_by_it(
    method: str, values: dict, eigenvalue: complex
) -> None:
    a, b = eigenvalue.real, eigenvalue.imag
    plane = Problem(linear([[a, -b], [b, a]]), name="plane", start=np.array([1.0, 0.3]))
    sizes = np.sqrt(run(method, plane, 360, **values)["residual"])
    whole = (sizes[360] / sizes[60]) ** (1 / 300)
    assert whole == pytest.approx(growth(method, eigenvalue, **values).item(), rel=5e-3)


def test_what_depends_on_k_or_is_not_linear_is_refused() -> None:
    with pytest.raises(OpcheckError, match="changes from one k to the next"):
        growth("halpern", LAMBDA)
    with pytest.raises(OpcheckError, match="extragradient needs a value for gamma"):
        growth("extragradient", LAMBDA)


def test_eigenvalues_of_a_matrix_and_of_slopes_at_a_solution() -> None:
    table = spectrum_of(Problem(linear([[1.0, 2.0], [-2.0, 1.0]]), name="m", start=np.zeros(2)))
    assert table["re"] == pytest.approx([1, 1], rel=1e-14)
    assert table["im"] == pytest.approx([-2, 2], rel=1e-14)
    where = problem("forsaken")
    solution = where.solution_near(where.start)
    assert solution is not None
    step = 1e-6
    slopes = [
        (where.operator(solution + step * e) - where.operator(solution - step * e)) / (2 * step)
        for e in np.eye(2)
    ]
    expected = np.sort_complex(np.linalg.eigvals(np.array(slopes).T))
    found = spectrum_of(where)
    assert np.allclose(np.sort_complex(found["re"] + 1j * found["im"]), expected, atol=1e-6)
    assert "at the solution" in found.caption
