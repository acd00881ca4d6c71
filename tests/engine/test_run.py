"""Runs: what is recorded when, cutting and batching that change no bit, and how a run ends."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from opcheck.engine import run as running
from opcheck.engine.run import Trajectory, run, run_batch, schedule, take
from opcheck.errors import OpcheckError
from opcheck.model.method import resolve
from opcheck.model.operator import Resolvent, linear, operator
from opcheck.model.problem import Problem, problem

D = 4
RANDOM = np.random.default_rng(7)
MATRIX = 0.3 * (np.eye(D) - 0.8 * np.linalg.qr(RANDOM.standard_normal((D, D)))[0])
LINEAR = Problem(
    linear(MATRIX), name="linear", start=RANDOM.standard_normal(D), solution=np.zeros(D)
)
DIVERGING = Problem(linear([[-1.0, 0.0], [0.0, 1.0]]), name="diverging", start=np.array([1.0, 0.0]))
EVERY: dict[str, dict[str, Any]] = {
    "extragradient": {"gamma": 0.5},
    "past_extragradient": {"gamma": 0.4},
    "halpern": {},
    "feg": {"gamma": 0.5, "rho": -0.05},
    "krasnoselskii_mann": {"a": [0.5, 0.25, 0.75] * 20},
    "rapp": {"gamma": 0.5, "lam": 0.3, "tau": [1, 3, 2] * 20},
    "proximal_point": {"gamma": 0.7},
    "lookahead(eg_plus)": {"gamma": 0.5, "alpha": 0.6, "lam": 0.3, "tau": 5},
    "lookahead(lookahead(eg_plus))": {
        "gamma": 0.5, "alpha": 0.6, "base.lam": 0.3, "base.tau": 3, "lam": 0.8, "tau": 7,
    },
}  # fmt: skip
N = 60
each_method = pytest.mark.parametrize(("method", "values"), EVERY.items(), ids=EVERY.keys())


def everything(t: Trajectory) -> bytes:
    """All that a run recorded, to the bit."""
    names = sorted(t.measures)
    parts = [t.k, t.z, t.iterates, t.oracle_calls, *[t[n] for n in names]]
    return b"|".join(np.ascontiguousarray(p).tobytes() for p in parts) + t.status.encode()


def whole_space(z, gamma, out, data):
    for i in range(z.shape[0]):
        out[i] = z[i]


@pytest.mark.parametrize("method", [m for m in EVERY if resolve(m).constrained])
def test_leaving_out_the_resolvent_of_no_constraint_changes_no_bit(method: str) -> None:
    """With A = 0 the compiler sees the identity; here it calls it by its address."""
    called = dataclasses.replace(
        LINEAR, resolvent=Resolvent(whole_space, np.empty(0), 0, "the whole space")
    )
    seen, unseen = (
        run(method, p, N, iterates=True, measures=["norm2"], **EVERY[method])
        for p in (LINEAR, called)
    )
    assert np.array_equal(seen.iterates, unseen.iterates)
    assert np.array_equal(seen["norm2"], unseen["norm2"])


# ---- what is recorded --------------------------------------------------------------------------


@each_method
@pytest.mark.parametrize("record", ["log", 7, [0, 1, 5, 59], [33]])
def test_a_sparser_record_holds_the_same_values(
    method: str, values: dict[str, Any], record: str | int | Sequence[int]
) -> None:
    """Measures of rows that are written in a step, and of the point before it, among them."""
    rows = ["residual(before)", "distance(z, before)", "norm2(z)"]
    full = run(method, LINEAR, N, iterates=True, measures=rows, **values)
    part = run(method, LINEAR, N, record=record, iterates=True, measures=rows, **values)
    assert full.k.tolist() == list(range(N + 1))
    assert part.k[-1] == N
    assert set(part.measures) == {"residual", "distance", *rows}
    for name in part.measures:
        assert part[name].tobytes() == full[name][part.k].tobytes()
    assert part.iterates.tobytes() == full.iterates[part.k].tobytes()
    assert part.oracle_calls.tolist() == full.oracle_calls[part.k].tolist()
    assert part.z.tobytes() == full.z.tobytes() == full.iterates[-1].tobytes()


def test_measures_are_what_their_formulas_say() -> None:
    t = run("extragradient", LINEAR, N, iterates=True, gamma=0.5, measures=[
        "max_norm", "norm2(z)", "norm2(Fz)", "residual(zbar)", "distance(z, before)",
        "operator_distance(z, before)",
    ])  # fmt: skip
    z = t.iterates
    F = z @ MATRIX.T
    zbar = z - 0.5 * F
    close = {"rtol": 1e-13, "atol": 0}
    np.testing.assert_allclose(t["residual"], (F**2).sum(1), **close)
    np.testing.assert_allclose(t["distance"], (z**2).sum(1), **close)
    np.testing.assert_allclose(t["norm2(z)"], (z**2).sum(1), **close)
    np.testing.assert_array_equal(t["max_norm"], np.abs(z).max(1))
    # rows written in the step from k − 1 to k: the last look-ahead point, and F there
    np.testing.assert_allclose(t["norm2(Fz)"][1:], ((zbar @ MATRIX.T)[:-1] ** 2).sum(1), **close)
    np.testing.assert_allclose(
        t["residual(zbar)"][1:], ((zbar @ MATRIX.T)[:-1] ** 2).sum(1), **close
    )
    step = np.diff(z, axis=0)
    np.testing.assert_allclose(t["distance(z, before)"][1:], (step**2).sum(1), rtol=1e-12)
    np.testing.assert_allclose(
        t["operator_distance(z, before)"][1:], ((step @ MATRIX.T) ** 2).sum(1), rtol=1e-12
    )


def test_the_natural_residual_sees_the_constraint() -> None:
    where = problem("bilinear_box")
    t = run("extragradient", where, 20, iterates=True, gamma=0.5)
    z, F = t.iterates, np.array([where.operator(p) for p in t.iterates])
    expected = ((z - np.clip(z - F, -1, 1)) ** 2).sum(1)
    np.testing.assert_allclose(t["natural_residual"], expected, rtol=1e-12, atol=1e-30)
    assert "residual" not in t.measures


def test_the_log_schedule_is_dense_at_first_and_ends_at_the_end() -> None:
    stops = schedule("log", 10**6)
    assert stops[:4] == [0, 1, 2, 3]
    assert stops[-1] == 10**6
    assert len(stops) < 202
    assert all(b > a for a, b in itertools.pairwise(stops))
    # neighbours are at most 7.2 % apart, 10^(6/199), once that is more than rounding to integers
    assert all(b <= 1.09 * a for a, b in itertools.pairwise(stops) if a > 100)
    assert schedule("log", 0) == schedule("all", 0) == [0]


@pytest.mark.parametrize("record", ["some", 0, -3, True, [-1], [61]])
def test_a_senseless_schedule_is_refused(record: Any) -> None:
    with pytest.raises(OpcheckError, match="record"):
        run("halpern", LINEAR, N, record=record)


def test_zero_iterations_record_the_start() -> None:
    t = run("extragradient", LINEAR, 0, gamma=0.5, iterates=True)
    assert t.k.tolist() == [0]
    assert t.iterates.tolist() == [LINEAR.start.tolist()]
    assert t.oracle_calls.tolist() == [0]


# ---- cutting and batching ----------------------------------------------------------------------


@each_method
@pytest.mark.parametrize("record", ["all", [0, 31, 47]])
@pytest.mark.parametrize("chunk", [1, 2, 13])
@pytest.mark.sampled(4)
def test_a_run_cut_into_calls_changes_no_bit(
    monkeypatch: pytest.MonkeyPatch,
    method: str,
    values: dict[str, Any],
    record: str | Sequence[int],
    chunk: int,
) -> None:
    """k goes on across calls: Halpern's weights, Lookahead's loops, sequences."""
    calls: list[int] = []
    options: dict[str, Any] = {"record": record, "iterates": True, "measures": ["residual(before)"]}
    whole = everything(run(method, LINEAR, N, **options, **values))
    monkeypatch.setattr(running, "CHUNK", chunk)
    cut = run(method, LINEAR, N, progress=calls.append, **options, **values)
    assert everything(cut) == whole
    assert calls[-1] == N
    assert len(calls) >= N // chunk
    assert max(np.diff([0, *calls])) <= chunk


def batch_of(method: str, values: dict[str, Any]) -> list[dict[str, Any]]:
    scaled = [dict(values) for _ in range(5)]
    for i, one in enumerate(scaled):
        for name in one.keys() & {"gamma", "alpha", "lam"}:
            one[name] = one[name] * (1 - i / 16)
    return scaled


@each_method
@pytest.mark.parametrize("threads", [1, 2, 3, 8])
def test_a_batch_is_its_single_runs(method: str, values: dict[str, Any], threads: int) -> None:
    """Own parameters, own start and own operator data for each run; any number of threads."""
    chosen, stops = resolve(method), [0, 1, 10, 40]
    takes = [take("residual"), take("distance"), take("residual", ["before"])]
    five = batch_of(method, values)
    starts = RANDOM.standard_normal((5, D))
    data = LINEAR.operator.data * (1 - np.arange(5)[:, None] / 32)
    together = run_batch(
        LINEAR, chosen, five, stops, takes, starts=starts, data=data, path=True, threads=threads
    )
    assert together.record.shape == (5, 3, 4)
    for i in range(5):
        alone_problem = dataclasses.replace(
            LINEAR,
            start=starts[i],
            operator=dataclasses.replace(LINEAR.operator, data=data[i].copy()),
        )
        alone = run_batch(alone_problem, chosen, [five[i]], stops, takes, path=True)
        for field in ("record", "path", "state", "status"):
            one, all_of_them = getattr(alone, field)[0], getattr(together, field)[i]
            assert one.tobytes() == all_of_them.tobytes(), field
    assert len({together.path[i].tobytes() for i in range(5)}) == 5


def test_a_batch_with_one_start_and_one_table_serves_all() -> None:
    chosen = resolve("gradient_descent_ascent")
    steps = [{"gamma": g} for g in (0.1, 0.2, 0.4)]
    batch = run_batch(LINEAR, chosen, steps, [5], [], threads=2)
    for one, z in zip(steps, batch.state[:, 0], strict=True):
        power = np.linalg.matrix_power(np.eye(D) - one["gamma"] * MATRIX, 5)
        np.testing.assert_allclose(z, power @ LINEAR.start, rtol=1e-13)


def test_each_run_of_a_batch_measures_the_distance_to_its_own_nearest_solution() -> None:
    """F = (0, z₁) vanishes on a line; a run along z₁ keeps z₀, and so its projection."""
    line = Problem(
        linear([[0, 0], [0, 1]]),
        name="line",
        start=np.array([0.0, 1.0]),
        project=lambda z: np.array([z[0], 0.0]),
    )
    starts = np.array([[0.0, 1.0], [5.0, 1.0], [-7.0, 2.0]])
    batch = run_batch(
        line, resolve("gradient_descent_ascent"), [{"gamma": 0.5}] * 3, [0, 3], [take("distance")],
        starts=starts,
    )  # fmt: skip
    assert batch.record[:, 0].tolist() == [[1, 2.0**-6], [1, 2.0**-6], [4, 4 * 2.0**-6]]


def test_a_run_does_not_touch_what_it_was_given() -> None:
    start, data = LINEAR.start.copy(), LINEAR.operator.data.copy()
    starts = np.ones((2, D))
    run_batch(LINEAR, resolve("halpern"), [{}, {}], [30], [], starts=starts)
    assert starts.tolist() == np.ones((2, D)).tolist()
    assert LINEAR.start.tolist() == start.tolist()
    assert LINEAR.operator.data.tolist() == data.tolist()


@each_method
def test_the_same_run_twice_is_the_same_to_the_bit(method: str, values: dict[str, Any]) -> None:
    first, second = (run(method, LINEAR, N, iterates=True, **values) for _ in range(2))
    assert everything(first) == everything(second)


def test_a_seed_draws_the_start() -> None:
    one, again, other = (run("halpern", LINEAR, 5, seed=s, iterates=True) for s in (3, 3, 4))
    assert everything(one) == everything(again)
    assert one.iterates[0].tolist() != other.iterates[0].tolist()
    assert (one.seed, other.seed) == (3, 4)
    told = run("halpern", LINEAR, 5, start=one.iterates[0], iterates=True)
    assert everything(told) == everything(one)
    with pytest.raises(OpcheckError, match="which is not noisy; leave out the seed, or the start"):
        run("halpern", LINEAR, 5, start=one.iterates[0], seed=9)


# ---- how a run ends ----------------------------------------------------------------------------


@pytest.mark.parametrize("record", ["all", 50])
def test_a_diverging_run_stops_at_the_norm_limit(record: Any) -> None:
    """F = −z with γ = 1 doubles z, so ‖z‖ passes 10^150 at k = ⌈150 log₂ 10⌉ = 499."""
    t = run("gradient_descent_ascent", DIVERGING, 600, gamma=1.0, record=record)
    crossing = 499 if record == "all" else 500  # seen at the next stop
    assert t.status == f"left the norm limit (diverged) at k = {crossing}"
    seen = t.k <= crossing
    np.testing.assert_array_equal(t["residual"][seen], 4.0 ** t.k[seen])
    assert np.isnan(t["residual"][~seen]).all()
    assert t.z[0] == 2.0**crossing


def test_the_limit_of_a_batch_stops_only_the_runs_that_pass_it() -> None:
    steps = [{"gamma": g} for g in (1.0, 0.25, -0.5)]
    batch = run_batch(
        DIVERGING, resolve("gradient_descent_ascent"), steps, list(range(21)), [take("norm2")],
        limit=1000.0, threads=2,
    )  # fmt: skip
    assert batch.status.tolist() == [1 + 10, 0, 0]  # 2^10 > 1000; 1.25^20 = 87; halved
    assert np.isnan(batch.record[0, 0, 11:]).all()
    np.testing.assert_allclose(batch.record[1, 0], 1.25 ** (2 * np.arange(21)), rtol=1e-13)
    assert batch.state[2, 0, 0] == 0.5**20


def rooted(z, out, data):
    out[0] = 1 + np.sqrt(z[0]) - np.sqrt(z[0])
    out[1] = z[1]


def test_a_run_that_becomes_nan_says_when() -> None:
    """z₀ falls by 1 a step from 3: √z₀ is NaN at k = 4, and so z at k = 5."""
    where = Problem(operator(rooted, 2), name="rooted", start=np.array([3.0, 1.0]))
    with pytest.warns(UserWarning, match="'rooted' is not defined at .*% of the points looked at"):
        t = run("gradient_descent_ascent", where, 20, gamma=1.0)
    assert t.status == "became NaN at k = 5"
    assert np.isfinite(t["residual"][:4]).all()
    assert np.isnan(t["residual"][4:]).all()


def test_a_completed_run_says_so() -> None:
    assert run("halpern", LINEAR, 5).status == "completed"


class Stopped(Exception):
    """The user's patience."""


@pytest.mark.parametrize("interrupt", [KeyboardInterrupt, Stopped])
def test_a_long_run_can_be_interrupted(interrupt: type[BaseException]) -> None:
    """10^12 iterations would take days; the second look at Ctrl-C ends them."""
    looks: list[int] = []

    def look(k: int) -> None:
        looks.append(k)
        if len(looks) == 2:
            raise interrupt

    where = dataclasses.replace(LINEAR, start=np.full(D, 1e-3))
    with pytest.raises(interrupt):
        run("gradient_descent_ascent", where, 10**12, gamma=1e-9, record=[0], progress=look)
    assert 0 < looks[0] <= running.CHUNK
    assert looks[0] < looks[1] <= 2 * running.CHUNK


# ---- what a run costs and refuses --------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "values", "each"),
    [
        ("gradient_descent_ascent", {"gamma": 0.1}, [1] * 6),
        ("extragradient", {"gamma": 0.1}, [2] * 6),
        ("past_extragradient", {"gamma": 0.1}, [1] * 6),
        ("rapp", {"gamma": 0.1, "lam": 0.5, "tau": 3}, [3] * 6),
        ("rapp", {"gamma": 0.1, "lam": 0.5, "tau": [1, 2, 4, 4, 4, 4]}, [1, 2, 4, 4, 4, 4]),
        ("rapp", {"gamma": 0.1, "lam": 0.5, "tau": [1, 2, 3, 4, 5, 6, 7, 8]}, [1, 2, 3, 4, 5, 6]),
        ("approximate_proximal_point", {"gamma": 0.1, "tau": [5, *[1] * 5]}, [5, 1, 1, 1, 1, 1]),
        ("lookahead(extragradient)", {"gamma": 0.1, "lam": 0.5, "tau": 3}, [2] * 6),
        (
            "lookahead(rapp)",
            {"gamma": 0.1, "base.lam": 0.5, "base.tau": 2, "lam": 0.5, "tau": 5},
            [2] * 6,
        ),
        (
            "lookahead(rapp)",
            {"gamma": 0.1, "base.lam": 0.5, "base.tau": [1, 2, 3, 4, 5, 6], "lam": 0.5, "tau": 4},
            [1, 2, 3, 4, 1, 2],
        ),
    ],
)  # fmt: skip
def test_oracle_calls(method: str, values: dict[str, Any], each: list[int]) -> None:
    """As declared, and as counted on an operator that counts."""
    calls = 0

    def counting(z: NDArray[np.float64]) -> NDArray[np.float64]:
        nonlocal calls
        calls += 1
        return MATRIX @ z

    expected = [0, *np.cumsum(each)]
    assert run(method, LINEAR, 6, **values).oracle_calls.tolist() == expected
    with pytest.warns(UserWarning, match="interpreted"):
        where = Problem(operator(counting, D), name="counting", start=LINEAR.start)
    run_batch(where, resolve(method), [values], [6], [])
    before = calls
    run_batch(where, resolve(method), [values], [6], [])  # the guard has been satisfied
    assert calls - before == expected[-1]


def test_a_bad_request_is_refused_with_a_reason() -> None:
    def wrong(match: str, *args: Any, **values: Any) -> None:
        with pytest.raises(OpcheckError, match=match):
            run(*args, **values)

    wrong("needs a value for gamma", "extragradient", LINEAR)
    wrong("no parameter 'step'", "extragradient", LINEAR, step=1.0)
    wrong("not finite", "extragradient", LINEAR, gamma=np.nan)
    wrong("whole number", "rapp", LINEAR, gamma=0.1, lam=0.5, tau=1.5)
    wrong("whole number", "rapp", LINEAR, gamma=0.1, lam=0.5, tau=[2, 0])
    wrong(
        "needs a value for base.lam, tau",
        "lookahead(rapp)",
        LINEAR,
        **{"gamma": 1.0, "base.tau": 1, "lam": 1.0},
    )
    wrong("must not be negative", "halpern", LINEAR, -1)
    wrong(r"shape \(3,\)", "halpern", LINEAR, start=[1.0, 2.0, 3.0])
    wrong("not finite", "halpern", LINEAR, start=[np.inf] * D)
    wrong("no measure is named", "halpern", LINEAR, measures=["resdual"])
    wrong("no row 'zbar'", "halpern", LINEAR, measures=["residual(zbar)"])
    wrong("no form for constraints", "eg_plus", problem("bilinear_box"), gamma=0.1, alpha=0.5)
    wrong("at most 8 measures", "halpern", LINEAR, measures=[f"norm2(z, {r})" for r in "abcdefgh"])
    with pytest.raises(OpcheckError, match="'speed' was not taken; taken are residual, distance"):
        run("halpern", LINEAR, 1)["speed"]
