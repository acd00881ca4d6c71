"""Sample oracles: unbiased, of the stated variance, reproducible; and what noise may not touch."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.stats
from click.testing import CliRunner
from numpy.typing import NDArray
from registered import problems

import opcheck
from opcheck import registry
from opcheck.cli import main
from opcheck.engine import jit as compiler
from opcheck.engine import sampling
from opcheck.engine.run import run, run_batch, take
from opcheck.errors import OpcheckError
from opcheck.evidence.simulation.bounds import with_bounds
from opcheck.evidence.simulation.verify import confront
from opcheck.model.method import resolve
from opcheck.model.operator import linear, operator
from opcheck.model.oracle import (
    SampleOracle,
    additive,
    gaussian,
    mini_batch,
    multiplicative,
    pareto,
    sampled,
)
from opcheck.model.problem import Problem, points, problem

Vector = NDArray[np.float64]
ALL = problems()
NOISY = [p for p in ALL if p.oracle is not None]
FINITE = [p for p in NOISY if p.oracle is not None and p.oracle.support is not None]
DRAWN = [p for p in NOISY if p not in FINITE]
SIGMAS = 5.5  # a normal deviate beyond it has probability 4e-8
EG = resolve("extragradient")
BASE = problem("tight_linear")
GAUSS = dataclasses.replace(BASE, oracle=gaussian(BASE.operator, 0.5))
STEP = {"gamma": 0.3}


def named(problems: list[Problem]) -> dict[str, object]:
    return {"argvalues": problems, "ids": [p.name for p in problems]}


def oracle_of(p: Problem) -> SampleOracle:
    assert p.oracle is not None
    return p.oracle


def near(p: Problem, count: int) -> Vector:
    """The start, the solution, and points about them."""
    known = [p.start] + ([p.solution] if p.solution is not None else [])
    return np.concatenate([known, points(p, count, np.random.default_rng(5))])


# --- the oracles ----------------------------------------------------------------------------------


def on_samples(oracle: SampleOracle, z: Vector, drawn: NDArray[np.float64]) -> NDArray[np.float64]:
    """F̂(z, ξ) of every sample, by the compiled text that takes them one by one in a run."""
    F = compiler.jit(sampled(oracle.kernel), "sampled_operator")
    head = [0, len(drawn), oracle.width, oracle.data.size]
    data = np.concatenate([head, oracle.data, drawn.ravel()])
    values = np.empty((len(drawn), z.size))
    for row in values:
        F(z, row, data)
    return values


@pytest.mark.parametrize("p", **named(FINITE))
def test_a_finite_oracle_is_unbiased_and_has_its_variance_by_enumeration(p: Problem) -> None:
    oracle = oracle_of(p)
    assert oracle.support is not None
    samples, weights = oracle.support
    assert abs(weights.sum() - 1) < 1e-12
    for z in near(p, 4):
        values = np.array([oracle(z, xi) for xi in samples])
        size = np.abs(values).max() * np.finfo(float).eps * 40 * p.dim
        assert np.abs(weights @ values - p.operator(z)).max() <= size
        exact = weights @ ((values - p.operator(z)) ** 2).sum(axis=1)
        assert oracle.variance(z) == pytest.approx(exact, rel=1e-11, abs=size**2)


@pytest.mark.parametrize("p", **named(FINITE))
def test_a_finite_oracle_draws_by_its_probabilities(p: Problem) -> None:
    samples, weights = oracle_of(p).support or (None, None)
    assert samples is not None
    assert weights is not None
    count = int(max(2000, 40 / weights[weights > 0].min()))
    drawn = oracle_of(p).samples(np.random.default_rng(11), count)
    _, first, inverse = np.unique(
        np.concatenate([samples, drawn]), axis=0, return_index=True, return_inverse=True
    )
    assert (first < len(samples)).all(), "a sample outside the support"
    seen = np.bincount(inverse[len(samples) :], minlength=len(first))
    asked = np.bincount(inverse[: len(samples)], weights=weights, minlength=len(first)) * count
    assert scipy.stats.chisquare(seen[asked > 0], asked[asked > 0]).pvalue > 1e-6


def fourth_moment(oracle: SampleOracle) -> bool:
    """Whether ‖ξ‖⁴ has a mean, so that a normal deviate judges the variance."""
    return "P(|ξ_i| > t)" not in oracle.formula


@pytest.mark.parametrize("p", **named(DRAWN))
def test_a_drawn_oracle_is_unbiased_and_has_its_variance(p: Problem) -> None:
    oracle, count = oracle_of(p), 20_000
    drawn = oracle.samples(np.random.default_rng(12), count)
    for z in near(p, 1):
        off = on_samples(oracle, z, drawn) - p.operator(z)
        # about 0 the number of positive signs is binomial where the noise is symmetric, and the
        # mean is normal where it has a variance
        signs = (off > 0).sum(axis=0)
        if np.isfinite(oracle.variance(z)):
            deviate = off.mean(axis=0) / (off.std(axis=0) / np.sqrt(count))
        else:
            deviate = (signs - count / 2) / np.sqrt(count / 4)
        assert np.abs(deviate).max() < SIGMAS
        if fourth_moment(oracle):
            square = (off**2).sum(axis=1)
            error = square.std() / np.sqrt(count)
            assert abs(square.mean() - oracle.variance(z)) < SIGMAS * error


@pytest.mark.parametrize("tail", [1.5, 3.0, 6.0])
def test_pareto_noise_has_the_law_and_the_variance_of_scipy(tail: float) -> None:
    oracle = pareto(linear(np.eye(3)), 0.2, tail)
    drawn = oracle.samples(np.random.default_rng(3), 40_000).ravel()
    law = scipy.stats.pareto(tail, scale=0.2)
    assert scipy.stats.kstest(np.abs(drawn), law.cdf).pvalue > 1e-6
    assert scipy.stats.binomtest(int((drawn > 0).sum()), drawn.size).pvalue > 1e-6
    assert oracle.bound == pytest.approx(3 * law.moment(2) if tail > 2 else np.inf, rel=1e-12)


def test_gaussian_noise_has_one_variance_in_every_dimension() -> None:
    for d in (1, 2, 50):
        oracle = gaussian(linear(np.eye(d)), 0.7)
        square = (oracle.samples(np.random.default_rng(d), 20_000) ** 2).sum(axis=1)
        # ‖ξ‖² d/σ² is χ² with d degrees of freedom
        assert scipy.stats.kstest(square * d / 0.49, scipy.stats.chi2(d).cdf).pvalue > 1e-6
        assert oracle.bound == oracle.variance(np.ones(d)) == pytest.approx(0.49)


def test_a_sampled_game_has_the_second_moment_of_its_weights() -> None:
    p = problem("sampled_matrix_game")
    assert p.operator.matrix is not None
    frobenius = (p.operator.matrix**2).sum() / 2
    for z in near(p, 3):
        second = oracle_of(p).variance(z) + (p.operator(z) ** 2).sum()
        assert second == pytest.approx(frobenius * (z**2).sum(), rel=1e-12)


def test_a_larger_batch_divides_the_variance() -> None:
    one, four = (problem("finite_sum_cohypo", batch=b) for b in (1, 4))
    for z in near(one, 3):
        assert oracle_of(four).variance(z) == pytest.approx(oracle_of(one).variance(z) / 4)


def test_a_sum_of_equal_slopes_has_a_bounded_variance() -> None:
    offsets = np.array([[1.0, 0.0], [-3.0, 2.0]])
    oracle = mini_batch(np.stack([np.eye(2)] * 2), offsets)
    assert oracle.bound == oracle.variance(np.array([5.0, 6.0])) == 5.0
    assert mini_batch(np.stack([np.eye(2), 2 * np.eye(2)]), offsets).bound == np.inf


# --- runs on samples ------------------------------------------------------------------------------


def by_hand(p: Problem, gamma: float, samples: Vector, steps: int, same: bool) -> Vector:
    """Extragradient with explicit samples, in numpy."""
    z, path, used = p.start.copy(), [p.start], 0
    for _ in range(steps):
        zbar = p.resolvent(z - gamma * oracle_of(p)(z, samples[used]), gamma)
        used += not same
        z = p.resolvent(z - gamma * oracle_of(p)(zbar, samples[used]), gamma)
        used += 1
        path.append(z)
    return np.array(path)


def first_samples(p: Problem, seed: int, count: int) -> Vector:
    return oracle_of(p).samples(np.random.default_rng(seed), sampling.BLOCK)[:count]


@pytest.mark.parametrize("p", **named(NOISY))
@pytest.mark.parametrize("same", [False, True])
def test_a_run_is_the_method_on_the_samples_of_its_seed(p: Problem, same: bool) -> None:
    expected = by_hand(p, 0.1, first_samples(p, 4, 40), 12, same)
    found = run("extragradient", p, 12, seed=4, iterates=True, same_sample=same, gamma=0.1)
    scale = 1 + np.abs(expected).max()
    assert np.abs(found.iterates - expected).max() < 1e-12 * scale
    assert np.abs(expected[1] - run("extragradient", p, 12, seed=5, gamma=0.1).z).max() > 0


def test_the_samples_of_an_inner_loop_follow_its_length() -> None:
    tau = [1, 3, 2, 2, 2]
    for same in (False, True):
        samples, z, used = first_samples(GAUSS, 1, 20), GAUSS.start, 0
        for inner in tau:
            w = z
            for _ in range(inner):
                w = z - 0.4 * oracle_of(GAUSS)(w, samples[used])
                used += not same
            used += same
            z = 0.3 * z + 0.7 * w
        values = {"gamma": 0.4, "lam": 0.7, "tau": tau}
        found = run("rapp", GAUSS, 5, seed=1, same_sample=same, **values)
        assert found.z == pytest.approx(z, rel=1e-13)


def together(seeds: list[int], **options: Any) -> dict[int, bytes]:
    values = [STEP] * len(seeds)
    stops = options.pop("stops", range(61))
    takes = [take("residual"), take("distance")]
    batch = run_batch(GAUSS, EG, values, stops, takes, seeds=seeds, **options)
    return {
        s: batch.record[i, :, -1].tobytes() + batch.state[i, 0].tobytes()
        for i, s in enumerate(seeds)
    }


def test_a_run_depends_on_its_seed_and_not_on_its_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    alone = {s: together([s])[s] for s in (3, 4, 5, 6)}
    assert len(set(alone.values())) == 4
    assert together([6, 3, 5, 4, 9]).items() >= alone.items()
    assert together([3, 4, 5, 6], threads=2) == alone
    assert together([3, 4, 5, 6], stops=[60]) == alone
    monkeypatch.setattr(sampling, "FLOATS", 7 * 4 * 4)  # laid out for 7 iterations at a time
    assert together([3, 4, 5, 6]) == alone
    assert together([3, 4, 5, 6], stops=[60]) == alone


def test_a_longer_run_begins_like_a_shorter_one() -> None:
    short, long = (
        run("extragradient", GAUSS, n, seed=2, iterates=True, gamma=0.3) for n in (200, 700)
    )
    assert short.iterates.tobytes() == long.iterates[:201].tobytes()
    again = run("extragradient", GAUSS, 200, seed=2, iterates=True, gamma=0.3)
    assert again.iterates.tobytes() == short.iterates.tobytes()


def test_measures_see_the_mean_and_take_no_samples() -> None:
    found = run(
        "extragradient",
        GAUSS,
        50,
        seed=8,
        iterates=True,
        gamma=0.3,
        measures=["residual(zbar)", "operator_distance"],
    )
    expected = [float((GAUSS.operator(z) ** 2).sum()) for z in found.iterates]
    assert found["residual"] == pytest.approx(expected, rel=1e-13)
    bare = run_batch(GAUSS, EG, [STEP], [50], [], seeds=[8], path=True)
    assert bare.path[0, -1].tobytes() == found.iterates[-1].tobytes()


def test_noise_of_size_zero_is_no_noise() -> None:
    clean = run("extragradient", BASE, 40, iterates=True, gamma=0.3)
    for oracle in (gaussian(BASE.operator, 0), multiplicative(BASE.operator, 0)):
        quiet = dataclasses.replace(BASE, oracle=oracle)
        assert run("extragradient", quiet, 40, iterates=True, gamma=0.3).iterates.tobytes() == (
            clean.iterates.tobytes()
        )


def test_an_interpreted_operator_takes_the_same_samples() -> None:
    with pytest.warns(UserWarning, match="interpreted"):
        slow = operator(lambda z: BASE.operator.matrix @ z, 2)
    p = dataclasses.replace(BASE, operator=slow, oracle=gaussian(slow, 0.5))
    one, two = (run("extragradient", q, 30, seed=3, iterates=True, gamma=0.3) for q in (p, GAUSS))
    assert one.iterates == pytest.approx(two.iterates, rel=1e-12)


def test_a_blas_operator_is_sampled_on_top_of_its_compiled_text() -> None:
    generator = np.random.default_rng(0)
    M = generator.standard_normal((150, 150)) / 50 + np.eye(150)
    F = linear(M)
    p = Problem(F, name="large", start=np.ones(150), oracle=gaussian(F, 1.0))
    expected = by_hand(p, 0.1, p.oracle.samples(np.random.default_rng(6), 27), 10, False)
    found = run("extragradient", p, 10, seed=6, iterates=True, gamma=0.1)
    assert found.iterates == pytest.approx(expected, rel=1e-11)


@pytest.mark.ci
def test_the_inner_loop_has_its_closed_form_in_the_mean() -> None:
    """E‖w_t − w*‖² = q^{2t}‖z − w*‖² + γ²σ²(1 − q^{2t})/(1 − q²) where ‖Fz‖ = L‖z‖."""
    gamma, sigma, count = 0.8, 0.5, 40_000
    M = BASE.operator.matrix
    assert M is not None
    target = np.linalg.solve(np.eye(2) + gamma * M, BASE.start)
    runs = run_batch(
        GAUSS,
        resolve("inner_loop"),
        [{"gamma": gamma}] * count,
        range(12),
        [],
        seeds=range(count),
        path=True,
    )
    distances = ((runs.path - target) ** 2).sum(axis=2)
    t, q = np.arange(12), gamma
    first = float(((BASE.start - target) ** 2).sum())
    expected = q ** (2 * t) * first + (gamma * sigma) ** 2 * (1 - q ** (2 * t)) / (1 - q**2)
    found = distances
    error = found.std(axis=0) / np.sqrt(count)
    assert (np.abs(found.mean(axis=0) - expected) <= SIGMAS * error + 1e-11 * expected).all()
    assert (error[1:] < 0.005 * expected[1:]).all()


def test_what_a_diverging_run_leaves_over_is_no_error() -> None:
    F = linear(-np.eye(2))
    p = Problem(F, name="away", start=np.ones(2), oracle=gaussian(F, 0.1))
    found = run("gradient_descent_ascent", p, 2000, gamma=1.0)
    assert found.status.startswith("left the norm limit")


# --- statements about F are not judged on samples -------------------------------------------------


def test_verify_confronts_the_mean_and_says_so() -> None:
    found, clean = (
        confront(registry.get("theorems", "gorbunov2022_eg_last"), p)
        for p in (noisy_rotation(), problem("rotation_shift"))
    )
    assert (found.status, found.ratio, found.k) == (clean.status, clean.ratio, clean.k)
    assert found.problem == f"{clean.problem} (mean)"


def noisy_rotation() -> Problem:
    p = problem("rotation_shift")
    return dataclasses.replace(p, oracle=gaussian(p.operator, 3.0))


def test_no_bound_is_put_on_a_noisy_run() -> None:
    p = noisy_rotation()
    noisy, notes = with_bounds(run("extragradient", p, 20, gamma=0.5))
    assert noisy.bounds == {}
    assert notes == ["the run is noisy: no statement about the mean operator bounds it"]
    clean, _ = with_bounds(run("extragradient", problem("rotation_shift"), 20, gamma=0.5))
    assert clean.bounds["residual"]


def cli(*words: str, code: int = 0) -> str:
    result = CliRunner().invoke(main, list(words))
    assert result.exit_code == code, result.output
    return result.output


def test_the_command_says_noisy_with_seed_and_variance() -> None:
    words = ("run", "extragradient", "additive_noise", "-p", "gamma=0.3", "-n", "30")
    shown = cli(*words, "--seed", "3")
    assert "noisy       F + N(0, σ²/d I), E‖F̂ − F‖² = σ² = 0.01; a fresh sample each call" in shown
    assert "seed        3" in shown
    assert "≤" not in shown
    assert shown == cli(*words, "--seed", "3") != cli(*words, "--seed", "4")
    assert cli(*words, "--json") == cli(*words, "--seed", "0", "--json")
    same = cli(*words, "--seed", "3", "--same-sample")
    assert "one sample an iteration" in same
    finite = cli("run", "extragradient", "finite_sum_scsc", "-p", "gamma=0.1", "-n", "2")
    assert "components drawn evenly; variance" in finite


def test_the_command_puts_noise_on_any_problem(tmp_path: Path) -> None:
    words = ("run", "extragradient", "tight_linear", "-p", "gamma=0.3", "-n", "30", "--seed", "3")
    made = cli("run", "extragradient", "additive_noise", *words[3:], "--json")
    assert (
        cli(*words, "--noise", "0.1", "--json").partition('"seed"')[2]
        == (made.partition('"seed"')[2])
    )
    cli("run", "extragradient", "additive_noise", "-p", "gamma=0.3", "--noise", "1", code=2)
    cli(*words, "--same-sample", code=2)
    cli(*words, "--noise", "-1", code=2)


def test_a_plug_in_is_noisy_by_one_line(tmp_path: Path, own_registry: None) -> None:
    file = tmp_path / "mine.py"
    file.write_text(
        "import opcheck\n"
        "@opcheck.problem_family('own_noisy', start=(1.0, 1.0), solution=(0.0, 0.0))\n"
        "def own_noisy(a=1.0):\n"
        "    F = opcheck.minmax('a*x*y + x**2/2 - y**2/2', x=1, y=1, a=a)\n"
        "    return opcheck.Problem(F, oracle=opcheck.gaussian(F, 0.2))\n"
    )
    shown = cli("run", "extragradient", str(file), "-p", "gamma=0.3", "-n", "10")
    assert "σ² = 0.04" in shown


# --- bad oracles ----------------------------------------------------------------------------------


def refused(match: str, action: Callable[[], Any]) -> None:
    with pytest.raises(OpcheckError, match=match):
        action()


def test_a_bad_request_is_refused_with_a_reason() -> None:
    F = BASE.operator
    refused("sigma = -1", lambda: gaussian(F, -1))
    refused("sigma = inf", lambda: gaussian(F, np.inf))
    refused("no mean", lambda: pareto(F, 1.0, 1.0))
    refused("scale = nan", lambda: pareto(F, np.nan, 3.0))
    refused("size = -0.5", lambda: multiplicative(F, -0.5))
    M, q = np.zeros((3, 2, 2)), np.zeros((3, 2))
    refused("batch = 0", lambda: mini_batch(M, q, 0))
    refused("batch = 1.5", lambda: mini_batch(M, q, 1.5))  # type: ignore[arg-type]
    refused("shapes", lambda: mini_batch(M, q[:2]))
    refused("sum to 1", lambda: mini_batch(M, q, 1, [0.5, 0.25, 0.5]))
    refused("sum to 1", lambda: mini_batch(M, q, 1, [1.5, -0.5, 0.0]))
    refused("sum to 1", lambda: mini_batch(M, q, 1, [0.5, 0.5]))
    refused("seed = -1", lambda: run("extragradient", GAUSS, 3, seed=-1, gamma=0.1))
    refused("no sample oracle", lambda: run("extragradient", BASE, 3, same_sample=True, gamma=0.1))
    refused("no sample oracle", lambda: run_batch(BASE, EG, [STEP], [3], [], seeds=[1]))
    refused("as many seeds", lambda: run_batch(GAUSS, EG, [STEP], [3], [], seeds=[1, 2]))
    refused("resolvent of the sum", lambda: run("proximal_point", GAUSS, 3, gamma=0.1))
    refused(
        "resolvent of the sum",
        lambda: run("lookahead(proximal_point)", GAUSS, 3, gamma=0.1, lam=0.5, tau=2),
    )
    flat = additive(F, lambda generator, count: np.zeros(count), 0.0, "F + 0")
    refused(
        r"draws shape \(256,\)",
        lambda: run("extragradient", dataclasses.replace(BASE, oracle=flat), 3, gamma=0.1),
    )


@pytest.mark.parametrize("stated", [1, 3])
def test_a_method_that_miscounts_its_calls_is_found_out(stated: int) -> None:
    liar = dataclasses.replace(EG, calls=str(stated))
    refused(
        f"states {stated} operator calls an iteration, which makes {10 * stated}, but it made 20",
        lambda: run_batch(GAUSS, liar, [STEP], [10], [], seeds=[1]),
    )


def test_a_kernel_that_reads_past_its_samples_is_stopped() -> None:
    def reads_on(z, xi, out, data):  # type: ignore[no-untyped-def]
        for i in range(z.shape[0]):
            out[i] = xi[i + 1]

    bad = dataclasses.replace(oracle_of(GAUSS), kernel=reads_on)
    refused(
        "past an array",
        lambda: run("extragradient", dataclasses.replace(GAUSS, oracle=bad), 3, gamma=0.1),
    )


def test_the_public_names_are_the_oracle_s() -> None:
    for name in ("SampleOracle", "additive", "gaussian", "mini_batch", "multiplicative", "pareto"):
        assert getattr(opcheck, name).__module__ == "opcheck.model.oracle"
