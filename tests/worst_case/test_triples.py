"""The three-point condition of Lipschitz monotone operators: necessary, and stronger than pairs."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from registered import stated

from opcheck.errors import OpcheckError
from opcheck.evidence.worst_case.claim import Claim, claim
from opcheck.evidence.worst_case.triples import three_point
from opcheck.evidence.worst_case.worst_case import Program, worst
from opcheck.model.property import Lipschitz, StronglyMonotone
from opcheck.model.theorem import Theorem, theorem_of


@functools.cache
def of_extragradient(k: int) -> Claim:
    return claim(theorem_of("gorbunov2022_eg_last"), k, fixed={"gamma": Fraction(1, 2)})


def strongly(mu: str) -> Theorem:
    given = [Lipschitz("L", of="F"), StronglyMonotone(mu, of="F")]
    return stated("gorbunov2022_eg_last", given=given, proof=None)


ROOTS = st.integers(0, 2**32 - 1)


def lipschitz_monotone(rng: np.random.Generator) -> Callable[[np.ndarray], np.ndarray]:
    """A 1-Lipschitz monotone map of R⁴: a projection, its rest, or a turn, in other axes."""
    turn, _ = np.linalg.qr(rng.normal(size=(4, 4)))
    centre, angle = rng.normal(size=4), rng.uniform(-np.pi / 2, np.pi / 2)
    skew = np.kron(np.eye(2), [[0.0, -1.0], [1.0, 0.0]])
    inner = [
        lambda w: np.clip(w - centre, -0.5, 0.5),
        lambda w: np.maximum(w - centre, 0),
        lambda w: w - w / max(float(np.linalg.norm(w)), 1.0),
        lambda w: np.cos(angle) * w + np.sin(angle) * skew @ w,
    ][int(rng.integers(4))]
    return lambda z: turn.T @ inner(turn @ z)


def forms_at(x: np.ndarray, u: np.ndarray) -> np.ndarray:
    """``three_point`` of three points, as numbers, at L = 1; shape (triples, 7)."""
    stated = of_extragradient(1)
    names = list(stated.graphs["F"])[:3]
    eye = np.eye(6)
    graph = {n: (tuple(eye[2 * i]), tuple(eye[2 * i + 1])) for i, n in enumerate(names)}
    few = Claim(**{**vars(stated), "graphs": {"F": graph}})
    vectors = np.stack([row for pair in zip(x, u, strict=True) for row in pair])

    def products(terms: list[tuple[float, np.ndarray, np.ndarray]]) -> np.ndarray:
        return np.array([sum(c * float(p @ vectors @ (q @ vectors)) for c, p, q in terms)])

    return three_point(few, products)[:, :, 0]


def room(x: np.ndarray, u: np.ndarray) -> float:
    """By how much the condition holds at its worst triple, with the best factors there."""
    least = np.inf
    for row in forms_at(x, u):
        cones = row[1:].clip(0).reshape(-1, 2)
        least = min(least, row[0] + float((2 * np.sqrt(cones[:, 0] * cones[:, 1])).sum()))
    return least


@given(ROOTS)
@settings(max_examples=60, deadline=None)
def test_the_values_of_every_such_operator_have_it(seed: int) -> None:
    rng = np.random.default_rng(seed)
    F, G = lipschitz_monotone(rng), lipschitz_monotone(rng)
    share = rng.choice([0.0, rng.uniform()])
    x = rng.normal(size=(3, 4)) * 10 ** rng.uniform(-2, 1)
    if rng.random() < 0.5:  # on a line, where pairs are tightest
        x[2] = x[0] + rng.uniform(-0.5, 1.5) * (x[1] - x[0])
    u = np.array([(1 - share) * F(z) + share * G(z) for z in x])
    assert room(x, u) >= -1e-7 * float((x**2).sum() + 1)


def test_pairs_admit_what_it_refuses() -> None:
    """F(±e₁) = e₂ and F(0) = 0 at L = 1: at (0, y), 0 < y < 1, no value is left."""
    x = np.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 0.0]])
    u = np.array([[0.0, 1.0], [0.0, 1.0], [0.0, 0.0]])
    for i, j in itertools.combinations(range(3), 2):
        dx, du = x[i] - x[j], u[i] - u[j]
        assert du @ du <= dx @ dx
        assert du @ dx >= 0
    assert room(x, u) < -0.9


@pytest.mark.parametrize("k", [1, 2])
def test_the_last_iterate_of_extragradient_is_worst_on_a_turn(k: int) -> None:
    """With it the upper bound is what F = a quarter turn has; pairs leave a gap from k = 2 on."""
    case = worst("gorbunov2022_eg_last", k, gamma="1/2", triples=True)
    assert case.triples == {1: 24, 2: 120}[k]
    factor = abs(1 - 0.5j * (1 - 0.5j)) ** 2  # z⁺ = z − γ f(z − γ f z) with f = i
    assert case.value == pytest.approx(factor**k, rel=1e-6)
    pairs = worst("gorbunov2022_eg_last", k, gamma="1/2").value
    assert pairs is not None
    assert case.value is not None
    assert pairs - case.value == pytest.approx({1: 0.0, 2: 0.0139421709}[k], abs=1e-6)


def test_what_the_solver_returns_proves_the_value() -> None:
    program = Program(of_extragradient(2), triples=True)
    solution = program.smallest()
    assert np.linalg.eigvalsh(solution.slack)[0] >= -1e-6


def test_other_classes_have_none() -> None:
    with pytest.raises(OpcheckError, match="three-point condition is of Lipschitz monotone F"):
        worst("baillon1996_km_last", 1, triples=True)
    with pytest.raises(OpcheckError, match="three-point condition"):  # μ < 0 is not monotone
        worst(strongly("-1/4"), 1, triples=True)
    assert worst(strongly("1/4"), 1, triples=True).triples
    with pytest.raises(OpcheckError, match="leave triples out"):
        worst("gorbunov2022_eg_last", 1, triples=True, sparse=True)
