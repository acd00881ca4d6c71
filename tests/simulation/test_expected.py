"""Exact expectations over samples: closed forms, many seeds, published bounds in expectation."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from registered import family, problems

from opcheck import registry
from opcheck.engine.expected import expected
from opcheck.engine.run import named_take, run, run_batch
from opcheck.errors import OpcheckError
from opcheck.evidence.statement.hypotheses import Inapplicable, match
from opcheck.model.method import method, resolve
from opcheck.model.operator import linear
from opcheck.model.oracle import gaussian, multiplicative, pareto
from opcheck.model.problem import Problem, problem
from opcheck.model.property import Lipschitz, Monotone, StronglyMonotone
from opcheck.model.theorem import Source, Theorem, theorem

SIGMAS = 5.5  # a normal deviate beyond it has probability 4e-8
ALL = problems()
AFFINE = [
    dataclasses.replace(p, oracle=None)
    for p in ALL
    if p.operator.matrix is not None
    and p.dim <= 4
    and not p.constrained
    and p.solution is not None
    and not p.control
]


def noisy(p: Problem, sigma: float) -> Problem:
    return dataclasses.replace(p, oracle=gaussian(p.operator, sigma))


GAUSS = noisy(problem("tight_linear"), 0.5)
SHRINKING = noisy(problem("tight_linear", c=-0.5), 0.5)


def by_seeds(
    name: str, p: Problem, iterations: int, measures: tuple[str, ...], same: bool, **values: Any
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and standard error over many runs, [measure, k]."""
    count = 4000
    takes = [named_take(m) for m in measures]
    batch = run_batch(
        p,
        resolve(name),
        [values] * count,
        range(iterations + 1),
        takes,
        seeds=range(count),
        same_sample=same,
    )
    return batch.record.mean(axis=0), batch.record.std(axis=0) / np.sqrt(count)


CASES: list[tuple[str, Problem, tuple[str, ...], dict[str, Any]]] = [
    ("extragradient", GAUSS, ("residual", "distance", "norm2(zbar)"), {"gamma": 0.4}),
    ("extragradient", problem("finite_sum_cohypo", pairs=1), ("distance",), {"gamma": 0.2}),
    ("extragradient", problem("scaled_lips_bilinear"), ("distance",), {"gamma": 0.2}),
    ("extragradient", problem("multiplicative_noise"), ("residual",), {"gamma": 0.3}),
    ("feg", SHRINKING, ("residual",), {"gamma": 0.5, "rho": 0.0}),
    ("past_extragradient", SHRINKING, ("distance",), {"gamma": 0.2}),
    ("rapp", SHRINKING, ("distance",), {"gamma": 0.4, "lam": 0.7, "tau": [1, 3, 2, 2, 2, 2]}),
    (
        "lookahead(gradient_descent_ascent)",
        SHRINKING,
        ("distance",),
        {"gamma": 0.3, "lam": 0.5, "tau": 3},
    ),
]


@pytest.mark.parametrize("same", [False, True])
@pytest.mark.parametrize(
    ("name", "p", "measures", "values"), CASES, ids=[f"{c[0]} {c[1].name}" for c in CASES]
)
@pytest.mark.sampled(4)
def test_expectations_are_those_of_many_seeds(
    name: str, p: Problem, measures: tuple[str, ...], values: dict[str, Any], same: bool
) -> None:
    found = expected(name, p, 6, measures=measures, same_sample=same, **values)
    mean, error = by_seeds(name, p, 6, measures, same, **values)
    for j, measure in enumerate(measures):
        room = SIGMAS * error[j] + 1e-10 * np.abs(found[measure])
        assert (np.abs(mean[j] - found[measure]) <= room).all(), (mean[j], found[measure])


def test_fresh_and_same_samples_differ() -> None:
    noised = problem("multiplicative_noise")
    fresh, same = (
        expected("extragradient", noised, 8, measures=("distance",), same_sample=s, gamma=0.4)
        for s in (False, True)
    )
    assert np.abs(fresh["distance"] / same["distance"] - 1).max() > 0.01


def test_without_noise_it_is_the_run() -> None:
    p = noisy(problem("tight_linear"), 0.0)
    found = expected("feg", p, 40, measures=("residual", "distance"), gamma=1.0, rho=-0.1)
    clean = run("feg", problem("tight_linear"), 40, gamma=1.0, rho=-0.1)
    for measure, values in found.items():
        assert values == pytest.approx(clean[measure], rel=1e-9, abs=1e-13)


def lipschitz(p: Problem) -> float:
    """L, or 0 where it is not stated."""
    return next((p.constant(f) for f in p.facts if f.property.kind is Lipschitz), 0.0)


MOVING = [p for p in AFFINE if lipschitz(p) > 0]


@pytest.mark.parametrize("p", MOVING, ids=[p.name for p in MOVING])
@pytest.mark.sampled(4)
def test_the_inner_loop_in_expectation(p: Problem) -> None:
    """E‖w_t − J z‖² ≤ q^{2t}‖z − J z‖² + γ²σ²(1 − q^{2t})/(1 − q²), q = γL < 1; an equality where
    ‖F x − F y‖ = L‖x − y‖ for all pairs (after Pethick et al. 2023; the constants are derived)."""
    L = lipschitz(p)
    for q in (0.3, 0.9):
        gamma, sigma, measure = q / L, 2.0 * L, "inner_error(z, anchor)"
        found = expected("inner_loop", noisy(p, sigma), 25, measures=(measure,), gamma=gamma)[
            measure
        ]
        t = np.arange(26)
        bound = q ** (2 * t) * found[0] + (gamma * sigma) ** 2 * (1 - q ** (2 * t)) / (1 - q**2)
        assert (found <= bound * (1 + 1e-12)).all()
        matrix = p.operator.matrix
        assert matrix is not None
        if np.allclose(matrix.T @ matrix, L**2 * np.eye(p.dim), rtol=0, atol=1e-14 * L**2):
            assert found == pytest.approx(bound, rel=1e-11)


def hypotheses(*properties: Any) -> Theorem:
    return theorem(
        "own_hypotheses",
        method="extragradient",
        given=properties,
        where="gamma > 0",
        measure="residual",
        bound="1",
        source=Source("own"),
    )


def known_of(theorem: Any, problem: Any) -> Any:
    try:
        return match(theorem, problem)
    except Inapplicable:
        return None


@pytest.mark.ci
def test_stochastic_extragradient_under_strong_monotonicity(own_registry: None) -> None:
    """E‖z_k − z*‖² ≤ (1 − γμ)^k R² + 3γσ²/μ for γ ≤ 1/(4L), independent samples (derived)."""
    asked, ratios = hypotheses(Lipschitz("L"), StronglyMonotone("mu")), []
    for p in AFFINE:
        known = known_of(asked, p)
        if known is None or not known.values["mu"] > 0:
            continue
        L, mu = known.values["L"], known.values["mu"]
        start = float(((p.start - p.solution) ** 2).sum())
        for gamma in (0.25 / L, 0.05 / L):
            for sigma in (0.1 * L, 10 * L):
                found = expected(
                    "extragradient", noisy(p, sigma), 60, measures=("distance",), gamma=gamma
                )
                bound = (1 - gamma * mu) ** np.arange(61) * start + 3 * gamma * sigma**2 / mu
                ratios.append((found["distance"] / bound).max())
    assert len(ratios) >= 12
    assert max(ratios) <= 1


@pytest.mark.parametrize(
    "where",
    [
        pytest.param([p for p in AFFINE if p.name == family(p)], id="families"),
        pytest.param(AFFINE, id="all", marks=pytest.mark.slow),
    ],
)
@pytest.mark.ci
def test_stochastic_fast_extragradient(where: list[Problem], own_registry: None) -> None:
    """E‖F z_k‖² ≤ 4L²R²/k² + (4k + 2/k)σ² for constant variance (Lee and Kim 2021, Theorem 6.1)."""
    asked, ratios = hypotheses(Lipschitz("L"), Monotone()), []
    for p in where:
        known = known_of(asked, p)
        if known is None or not known.values["L"] > 0 or p.dim > 2:
            continue
        L = known.values["L"]
        near = p.solution_near(p.start)
        assert near is not None
        for sigma in (0.01 * L, L):
            found = expected("feg", noisy(p, sigma), 30, gamma=1 / L, rho=0.0)["residual"][1:]
            k = np.arange(1, 31)
            start = float(((p.start - near) ** 2).sum())
            bound = 4 * L**2 * start / k**2 + (4 * k + 2 / k) * sigma**2
            ratios.append((found / bound).max())
    assert len(ratios) >= 12
    assert 0.4 < max(ratios) <= 1 + 1e-12


def test_the_bound_of_constant_variance_is_the_published_sum() -> None:
    """(6/k²)(σ_0² + Σ_{0<i<k} (i²σ_i² + (i + 1)²σ_{i+½}²)) with every σ the same."""
    k = np.arange(1, 31)
    sums = [1 + sum(i**2 + (i + 1) ** 2 for i in range(1, n)) for n in k]
    assert 6 / k**2 * np.array(sums) == pytest.approx(4 * k + 2 / k, rel=1e-13)


def refused(match: str, p: Problem, name: str = "extragradient", **options: Any) -> None:
    with pytest.raises(OpcheckError, match=match):
        expected(name, p, 3, **({"gamma": 0.1} | options))


def test_what_has_no_exact_expectation_is_refused(own_registry: None) -> None:
    F = linear(np.eye(2))
    refused("no sample oracle", problem("tight_linear"))
    heavy = Problem(F, name="heavy", start=np.ones(2), oracle=pareto(F, 1.0, 3.0))
    refused("no sample oracle", heavy)
    refused("affine F and A = 0", problem("additive_noise", base="bilinear_box"))
    curved = problem("tanh_saddle")
    refused("affine F", dataclasses.replace(curved, oracle=multiplicative(curved.operator, 0.1)))
    refused("combinations", problem("finite_sum_scsc"), "rapp", lam=0.5, tau=9)
    refused("compares two steps", GAUSS, measures=("operator_distance",))
    refused("no quadratic form", GAUSS, measures=("max_norm",))

    @method("own_normalised", params="gamma", rows="z Fz", calls=1, constrained=False, source="own")
    def own_normalised(F, F_data, J, J_data, state, params, k, n):  # type: ignore[no-untyped-def]
        for _ in range(n):
            F(state[0], state[1], F_data)
            size = 1 + state[1] @ state[1]
            state[0] -= params[0] / size * state[1]

    refused("not affine", GAUSS, "own_normalised")
    liar = dataclasses.replace(resolve("extragradient"), calls="1", name="own_liar")
    registry.register("methods", "own_liar", liar, "here")
    refused("makes more calls", GAUSS, "own_liar")
