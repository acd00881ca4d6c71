"""What the search for constants and solutions must not say, and what it must find."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import scipy.sparse

from opcheck.engine.budget import allotted
from opcheck.errors import OpcheckError
from opcheck.evidence.check import check
from opcheck.evidence.operators import effort
from opcheck.evidence.operators.constant import Constant
from opcheck.evidence.operators.constants import constants
from opcheck.evidence.operators.relied_on import contradictions, with_facts
from opcheck.evidence.operators.solutions import moved_start, solution, with_solution
from opcheck.evidence.operators.subject import subject
from opcheck.evidence.simulation.verify import confront
from opcheck.evidence.statement.hypotheses import classes
from opcheck.model.operator import linear, operator
from opcheck.model.problem import Problem, Region
from opcheck.model.problem import problem as problem_named
from opcheck.model.property import (
    Comonotone,
    Kind,
    Lipschitz,
    Monotone,
    StronglyMonotone,
    WeakMinty,
    exact,
)
from opcheck.model.symbolic import field, minmax
from opcheck.registry import get


def of_kernel(kernel: Callable[..., None], dim: int, data: Any = (), **more: Any) -> Problem:
    more.setdefault("start", np.ones(dim))
    return Problem(operator(kernel, dim, data), name=kernel.__name__, **more)


def of_texts(texts: list[str], variables: str = "x y", **more: Any) -> Problem:
    more.setdefault("start", np.ones(len(variables.split())))
    return Problem(field(texts, variables), name=", ".join(texts), **more)


def by_kind(found: list[Constant]) -> dict[tuple[Kind, str], Constant]:
    return {(c.kind, c.of): c for c in found}


def seventh(z: Any, out: Any, data: Any) -> None:
    out[0] = 30 * z[0] ** 7 + z[1]
    out[1] = -z[0] + 30 * z[1] ** 7


@pytest.mark.ci
def test_facts_on_a_set_are_no_facts_about_the_space() -> None:
    """A3: L of a kernel with a set is that of F on the set; a start outside is inconclusive."""
    more = {
        "resolvent": get("sets", "box")(-1.0, 1.0),
        "start": np.array([3.0, -3.0]),
        "solution": np.zeros(2),
    }
    outside = of_kernel(seventh, 2, **more)
    text = of_texts(["30*x**7 + y", "-x + 30*y**7"], **more)
    for p in (outside, text):
        found = constants(p)
        L = by_kind(found)[Lipschitz, "F"]
        assert L.region == Region(in_set=True)
        assert 210 < L.lower < 210.005
        where = with_facts(p, found)
        assert where.region == Region(in_set=True)
        verdict = confront(get("theorems", "korpelevich1976_eg_fejer"), where)
        assert verdict.status == "inconclusive"
        assert "leaves the region the set of A" in verdict.reason
    inside = replace(with_facts(outside, found), start=np.array([0.5, -0.5]))
    assert confront(get("theorems", "korpelevich1976_eg_fejer"), inside).status == "holds"


@pytest.mark.parametrize("radius", [0.5, 1.0, 1.001])
@pytest.mark.ci
def test_a_region_that_equals_the_set_has_its_normals(radius: float) -> None:
    """A4: at a face of [−1, 1]² the sum has no comonotonicity; inside it has that of F."""
    c = 0.99**0.5
    p = Problem(
        linear([[-0.1, c], [-c, -0.1]]),
        get("sets", "box")(-1.0, 1.0),
        start=np.full(2, 0.25),
        region=Region(radius),
    )
    rho = by_kind(constants(p))[Comonotone, "S"]
    if radius < 1:
        assert rho.upper == pytest.approx(-0.1, rel=1e-3)
    else:
        assert rho.upper < -10


@pytest.mark.parametrize(
    "radii", [(1.1, 20.0), pytest.param((1.1, 1.5, 5.0, 10.0, 20.0, 50.0), marks=pytest.mark.slow)]
)
@pytest.mark.ci
def test_a_larger_region_never_has_a_better_constant(radii: tuple[float, ...]) -> None:
    """A5: the polar game, whose weak Minty constant a search over a wide box overlooks."""
    p = problem_named("polar_game", a=1.0)
    found = [by_kind(constants(p, region=r)) for r in radii]
    for small, large in itertools.pairwise(found):
        for key, c in small.items():
            worse, side = (1, "lower") if key[0] is Lipschitz else (-1, "upper")
            before, after = getattr(c, side), getattr(large[key], side)
            assert worse * after >= worse * before - 1e-6 * abs(before), key


def rooted(z: Any, out: Any, data: Any) -> None:
    size = (z[0] ** 2 + z[1] ** 2) ** 0.25
    out[0] = z[0] / max(size, 1e-300) + z[1]
    out[1] = z[1] / max(size, 1e-300) - z[0]


def squared(z: Any, out: Any, data: Any) -> None:
    out[0] = z[0] * z[0] + z[1]
    out[1] = -z[0]


@pytest.mark.ci
def test_no_finite_constant_is_said_to_be_none() -> None:
    """A6: slopes like t^(−1/2) or |z|; moduli that fall without end."""
    found = by_kind(constants(of_kernel(rooted, 2)))
    assert found[Lipschitz, "F"].lower == np.inf
    assert "t^(-0.5) at distance t from (0, 0)" in found[Lipschitz, "F"].note
    for p in (of_kernel(squared, 2), of_texts(["x**2 + y", "-x"])):
        found = by_kind(constants(p))
        assert found[Lipschitz, "F"].lower == np.inf
        assert "|z|" in found[Lipschitz, "F"].note
        assert found[StronglyMonotone, "F"].value == -np.inf
        assert not any(
            f.property.kind is not Comonotone for f in with_facts(p, [*found.values()]).facts
        )
    cubic = of_texts(["x**3 - y", "y**3 + x"], solution=np.zeros(2))
    facts = with_facts(cubic, constants(cubic)).facts
    assert all(f.property.constant == 0 for f in facts)  # monotone, and no more than that


def by_rows(z: Any, out: Any, data: Any) -> None:
    n = z.shape[0]
    for i in range(n):
        total = 0.0
        for j in range(n):
            total += data[i * n + j] * z[j]
        out[i] = total


@pytest.mark.parametrize("seed", [0, *(pytest.param(s, marks=pytest.mark.slow) for s in (1, 2))])
@pytest.mark.ci
def test_a_simplex_is_searched_along_itself(seed: int) -> None:
    """A7: L, μ and ρ of a linear map on differences that add up to 0."""
    rng = np.random.default_rng(4)
    M = rng.standard_normal((6, 6))
    p = of_kernel(by_rows, 6, M.ravel(), resolvent=get("sets", "simplex")(6), start=np.ones(6) / 6)
    V = np.linalg.svd(np.ones((1, 6)))[2][1:].T
    found = by_kind(constants(p, seed=seed))
    L, mu = np.linalg.norm(M @ V, 2), np.linalg.eigvalsh(V.T @ (M + M.T) @ V)[0] / 2
    assert found[Lipschitz, "F"].lower == pytest.approx(L, rel=1e-6)
    assert found[StronglyMonotone, "F"].upper == pytest.approx(mu, rel=1e-6)


def congested(z: Any, out: Any, data: Any) -> None:
    """Routes over links whose cost is 1 + 0.15 flow⁴."""
    n = z.shape[0]
    for i in range(n):
        out[i] = 0.0
    for e in range(data.shape[0] // n):
        flow = 0.0
        for i in range(n):
            flow += data[e * n + i] * z[i]
        for i in range(n):
            out[i] += data[e * n + i] * (1 + 0.15 * flow**4)


@pytest.mark.parametrize("seed", [1, pytest.param(0, marks=pytest.mark.slow)])
@pytest.mark.ci
def test_extremes_at_corners_of_simplices_are_met(seed: int) -> None:
    """G10: a traffic equilibrium; slopes are steepest at one of the corners."""
    sizes, links = (2, 3, 2, 3), 8
    d = sum(sizes)
    routes = (np.random.default_rng(3).uniform(size=(links, d)) < 0.4).astype(float)
    sets = get("sets", "product")(get("sets", "simplices")(2, 3), get("sets", "simplices")(2, 3))
    p = of_kernel(congested, d, routes.ravel(), resolvent=sets, start=np.full(d, 1 / 3))
    blocks = [np.linalg.svd(np.ones((1, n)))[2][1:].T for n in sizes]
    V = np.zeros((d, d - len(sizes)))
    ends = np.cumsum([0, *sizes])
    for k, block in enumerate(blocks):
        V[ends[k] : ends[k + 1], ends[k] - k : ends[k + 1] - k - 1] = block
    steepest = 0.0
    for choice in np.ndindex(*sizes):
        z = np.zeros(d)
        z[ends[:-1] + choice] = 1
        slope = routes.T @ np.diag(0.6 * (routes @ z) ** 3) @ routes
        steepest = max(steepest, float(np.linalg.norm(slope @ V, 2)))
    L, *_ = constants(p, seed=seed)
    assert 0.999 * steepest <= L.lower <= steepest * (1 + 1e-9)


@pytest.mark.parametrize(
    "matrix",
    [
        pytest.param([[1.0, 0, 1], [0, 0, 2], [-1, -2, 0]], id="KKT of a QP"),
        pytest.param([[1.0, 1, 0], [1, 1, 0], [0, 0, 0]], id="singular"),
        pytest.param(
            [[0.0, 1e-3, 1], [-1e-3, 0, 1e-9], [-1, -1e-9, 0]], id="skew, nearly singular"
        ),
    ],
)
def test_a_singular_symmetric_part_is_monotone(matrix: list[list[float]]) -> None:
    """G7, G3: decided on the floats themselves, and refuted by no rounding."""
    found = by_kind(constants(Problem(linear(matrix), start=np.ones(3))))
    assert found[StronglyMonotone, "F"].lower == 0
    assert found[StronglyMonotone, "F"].provenance == "certified"
    assert found[Comonotone, "F"].lower >= 0


def test_large_matrices_are_decided_block_by_block() -> None:
    """G7: a KKT matrix and a Laplacian with more rows than an elimination takes."""
    rng = np.random.default_rng(0)
    n = 45
    B, A = rng.standard_normal((2, n, n))
    kkt = np.block([[B @ B.T / n, A.T], [-A, np.zeros((n, n))]])
    laplacian = 2 * np.eye(2 * n) - np.eye(2 * n, k=1) - np.eye(2 * n, k=-1)
    laplacian[0, 0] = laplacian[-1, -1] = 1
    for matrix in (kkt, laplacian):
        found = by_kind(constants(Problem(linear(matrix), start=np.ones(2 * n))))
        assert found[StronglyMonotone, "F"].lower == 0
        assert found[StronglyMonotone, "F"].provenance == "certified"
    low = rng.standard_normal((2 * n, 3))
    gram = Problem(linear(low @ low.T), start=np.ones(2 * n))
    mu = by_kind(constants(gram))[StronglyMonotone, "F"]
    assert mu.provenance == "estimated"  # rounded, its least eigenvalue has either sign
    facts = [
        f for f in with_facts(gram, constants(gram)).facts if f.property.kind is StronglyMonotone
    ]
    assert [f.property.constant for f in facts] == [0.0]


def test_a_hilbert_matrix_is_positive_definite() -> None:
    """G3: no pair refutes it, however small its eigenvalues."""
    hilbert = [[1 / (i + j + 1) for j in range(12)] for i in range(12)]
    p = Problem(linear(hilbert), start=np.ones(12), facts=(exact(StronglyMonotone(0.0)),))
    found = constants(p)
    assert by_kind(found)[Comonotone, "F"].lower == 0
    assert contradictions(p, found) == []


def test_a_nilpotent_matrix_has_no_modulus_and_a_nearly_singular_one_may() -> None:
    """G3: what M sends to 0 and Mᵀ doesn't is a proof only in rationals."""
    none = by_kind(constants(Problem(linear([[0.0, 1.0], [0.0, 0.0]]), start=np.ones(2))))
    assert none[Comonotone, "F"].upper == -np.inf
    tiny = by_kind(constants(Problem(linear([[1e-14, 1.0], [0.0, 1e-14]]), start=np.ones(2))))
    assert tiny[Comonotone, "F"].upper > -np.inf or tiny[Comonotone, "F"].upper == np.inf


@pytest.mark.parametrize("L", [1e8, 1e12, 1e-20])
def test_a_wrong_constant_is_refuted_at_every_scale(L: float) -> None:
    """G2: Lipschitz(L/10) of a map with the slope L."""
    p = Problem(linear([[L]]), start=np.ones(1), facts=(exact(Lipschitz(L / 10)),))
    found = constants(p)
    assert by_kind(found)[Lipschitz, "F"].upper == pytest.approx(L, rel=1e-9)
    (wrong,) = contradictions(p, found)
    assert wrong.attained == pytest.approx(L, rel=1e-9)


@pytest.mark.parametrize(
    ("texts", "variables", "kind", "value"),
    [
        (["1", "2"], "x y", Lipschitz, 0.0),
        (["x + y", "x + y"], "x y", StronglyMonotone, 0.0),
        (["x + y", "x + y"], "x y", Comonotone, 0.5),
        (["1e7*y", "-1e7*x"], "x y", Lipschitz, 1e7),
        (["1e7*y", "-1e7*x"], "x y", StronglyMonotone, 0.0),
        (["tanh(1e7*x)"], "x", Lipschitz, 1e7),
        (["-tanh(1e7*x)"], "x", StronglyMonotone, -1e7),
        (["-1/(1 + exp(x))"], "x", Comonotone, 4.0),
        (["-1/(1 + exp(x))"], "x", Lipschitz, 0.25),
    ],
)
@pytest.mark.sampled(4)
def test_no_scale_is_absolute(texts: list[str], variables: str, kind: Kind, value: float) -> None:
    """G8: a finite constant is found whatever the units."""
    c = by_kind(constants(of_texts(texts, variables)))[kind, "F"]
    seen = c.lower if kind is Lipschitz else c.upper
    assert seen == pytest.approx(value, rel=1e-6, abs=1e-6)


def test_a_pair_counts_for_every_kind() -> None:
    """G9: the point that shows weak Minty to be at most 3/4 has a slope of 4/3."""

    def turned(z: Any, out: Any, data: Any) -> None:
        size = (z[0] ** 2 + z[1] ** 2) ** 0.5
        slope = 1.0 + max(0.0, 1 / 3 - abs(size - 2.0))
        out[0] = slope * z[0]
        out[1] = slope * z[1]

    found = by_kind(constants(of_kernel(turned, 2, solution=np.zeros(2))))
    weak, L = found[WeakMinty, "F"], found[Lipschitz, "F"]
    assert weak.upper == pytest.approx(0.75, rel=1e-3)
    assert L.lower >= 1 / weak.upper - 1e-6


@pytest.mark.parametrize(
    "p",
    [
        of_texts(["exp(x)*y", "-exp(x)"]),
        of_texts(
            [
                "-1/(1+exp(x+2*y)) - 2/(1+exp(2*x-y))",
                "-2/(1+exp(x+2*y)) + 1/(1+exp(2*x-y))",
            ]
        ),
        of_texts(["1", "2"]),
        Problem(linear(np.eye(4) - 0.25, [1.0] * 4), start=np.ones(4)),
    ],
    ids=["exp", "logistic", "constant", "inconsistent"],
)
def test_no_zero_is_invented(p: Problem) -> None:
    """G4: small values are none."""
    assert solution(p) is None


def sigmoid(z: Any, out: Any, data: Any) -> None:
    out[0] = math.exp(z[0]) / (1 + math.exp(z[0]))
    out[1] = z[1]


@pytest.mark.parametrize("constraint", [None, "box:-50000,10", "ball:0,0:100"])
@pytest.mark.ci
def test_a_value_that_underflows_is_no_zero(constraint: str | None) -> None:
    """A sigmoid is 0 far out in floats only."""
    for given in ("log(1+exp(x)) - y**2/2", of_kernel(sigmoid, 2)):
        assert subject(given, constraint=constraint, start=[1.0, 1.0]).solution is None


def test_singular_zeros_are_found_where_values_are_exact() -> None:
    """A slope of 0 is none that underflows."""

    def cubic(z: Any, out: Any, data: Any) -> None:
        out[0] = z[0] * abs(z[0])
        out[1] = z[1] ** 3

    for p in (of_kernel(cubic, 2), of_texts(["x**3", "y**3"]), of_texts(["x+y", "x+y"])):
        found = solution(p)
        assert found is not None, p.name
        assert not (found + found[::-1]).any(), p.name


@pytest.mark.parametrize(
    ("payoff", "constraint", "where"),
    [
        ("x", "box:-4,4", [-4.0, 1.0]),
        ("x/10 - y/100", "box:-1,1", [-1.0, -1.0]),
        ("x - y**2/2 + 3*y", "box:-4,2", [-4.0, 2.0]),
        ("x**2/20 + 0*y", "box:-1,1", [0.0, 1.0]),
    ],
)
def test_a_compact_set_has_a_solution_of_constant_slopes(
    payoff: str, constraint: str, where: list[float]
) -> None:
    """At a vertex, where extragradient leads at any step."""
    found = subject(payoff, constraint=constraint).solution
    assert found is not None
    assert found.tolist() == where


@pytest.mark.parametrize("payoff", ["x**2*y**2/2-2*y**2", "sin(10*x)/10 - y**2/2"])
def test_a_solution_in_the_region_is_preferred(payoff: str) -> None:
    """Of several."""
    p = subject(payoff, region=1)
    assert p.solution is not None
    assert p.region is not None
    assert p.region.contains(p.solution[None]).all()


def test_zeros_are_found_with_sets_and_for_large_matrices() -> None:
    """C5: by our own method and Newton's on the natural map, or by one factorisation."""
    for name in ("rps", "two_link", "cournot_orthant", "nash_cournot5", "sun_nonlinear"):
        p = problem_named(name)
        found = solution(replace(p, solution=None, project=None))
        assert found is not None
        assert p.solution is not None
        assert np.abs(found - p.solution).max() <= 1e-7 * (1 + np.abs(p.solution).max()), name
    ones = np.ones(400)
    sparse = scipy.sparse.diags([3 * ones, -ones[1:], -ones[1:]], [0, 1, -1]).tocsr()
    p = Problem(linear(sparse, ones), start=ones)
    z = with_solution(p).solution
    assert z is not None
    assert np.abs(sparse @ z + 1).max() <= 1e-12
    assert solution(of_texts(["x**3", "y**3"])).tolist() == [0, 0]  # type: ignore[union-attr]


@pytest.mark.slow
@pytest.mark.parametrize("d", [350, 400, 600])
def test_a_large_dense_matrix_is_checked_to_the_end(d: int) -> None:
    """B1: from 400 on a check ended in ``max() arg is an empty sequence``."""
    rng = np.random.default_rng(d)
    B = rng.standard_normal((d, d)) / np.sqrt(d)
    found = check(B - B.T + B @ B.T / d, quick=True)
    assert found.ok
    assert {c.provenance for c in found.constants} == {"certified"}
    assert "Monotone" in {f.property.kind.name for f in found.classes}
    assert sum(v.status == "holds" for v in found.verdicts) > 20


def test_a_default_start_is_no_solution() -> None:
    """G6: ones and a Laplacian."""
    laplacian = np.eye(5) - 0.2
    start = moved_start(Problem(linear(laplacian)))
    assert np.linalg.norm(laplacian @ start) > 0.1
    box = Problem(linear(np.eye(2)), get("sets", "box")(0.0, 0.5))
    assert moved_start(box).tolist() == [0.5, 0.5]
    inside = Problem(linear(np.eye(2)), region=Region(lower=[2, 2], upper=[3, 3]))
    assert moved_start(inside).tolist() == [2.0, 2.0]


@pytest.mark.ci
def test_a_proof_is_used_beyond_what_is_stated() -> None:
    """C5: a certified constant that is better than the stated one is a fact of that run."""
    p = subject("x**2/2 + x*y - y**2/2")
    p = replace(p, facts=(exact(StronglyMonotone(0.25)), exact(Lipschitz(3))))
    facts = with_facts(p, constants(p, rigorous=True)).facts
    best = max(f.property.constant for f in facts if f.property.kind is StronglyMonotone)
    assert best == pytest.approx(1.0, rel=1e-5)
    assert min(f.property.constant for f in facts if f.property.kind is Lipschitz) < 1.5


@pytest.mark.slow
def test_a_text_and_a_kernel_get_the_same_classes() -> None:
    """A1: a refuted class comes back by no way."""

    def kernel(z: Any, out: Any, data: Any) -> None:
        out[0] = 4 * z[0] ** 3 - 20 * z[0] + z[1]
        out[1] = -z[0] + 4 * z[1] ** 3 - 20 * z[1]

    text = subject("x**4 - 10*x**2 + x*y - y**4 + 10*y**2")
    for p in (of_kernel(kernel, 2, solution=np.zeros(2)), text):
        found = check(p)
        assert by_kind(list(found.constants))[StronglyMonotone, "F"].upper <= -20 + 1e-6
        assert not any("onotone" in f.property.kind.name for f in found.classes)


def test_a_region_of_another_dimension_is_refused() -> None:
    with pytest.raises(OpcheckError, match="has 3 coordinates"):
        constants(of_texts(["y", "-x"]), region="[0,1]x[0,1]x[0,1]")
    minmax_start = Problem(minmax("x*y"), start=np.ones(2))
    assert constants(minmax_start, region="0,0:2")[0].region == Region(centre=[0, 0], radius=2)


@pytest.mark.parametrize("ends", ["box:.5,1", "box:1,3", "box:-2,-1", "simplex", "ball:2,2:1"])
@pytest.mark.sampled(2)
def test_a_solution_on_the_boundary_is_one(ends: str) -> None:
    """A zero of F + A at which F is not 0: what looks at F alone must not take it for one of F."""
    problem = subject("x*y", constraint=ends)
    assert problem.solution is not None
    assert np.linalg.norm(problem.operator(problem.solution)) > 0.1
    L, *_ = constants(problem)
    assert L.lower == pytest.approx(1)


@pytest.mark.parametrize(
    ("payoff", "box", "least"),
    [
        ("x*y + x**2", "[1,2]x[-1,1]", 0.2),
        ("x*y + x**2/2", "[1,2]x[-1,1]", None),
        ("x*y + log(1+x**2)", "[.2,2]x[-1,1]", None),
        ("x*y + x**2 - y**2", "[.5,3]x[1,2]", None),
    ],
)
@pytest.mark.ci
def test_weak_minty_of_a_region_away_from_the_solution(
    payoff: str, box: str, least: float | None
) -> None:
    """The slopes at a solution outside of the region say nothing of the points inside."""
    problem = subject(payoff, region=box)
    assert problem.region is not None
    lower, upper = problem.region.ends(2)
    axes = [np.linspace(a, b, 201) for a, b in zip(lower, upper, strict=True)]
    grid = np.stack(np.meshgrid(*axes), axis=-1).reshape(-1, 2)
    values = np.array([problem.operator(z) for z in grid])
    ratio = (values * grid).sum(axis=1) / (values**2).sum(axis=1)
    found = next(c for c in constants(problem) if c.kind.name == "WeakMinty")
    assert found.upper == pytest.approx(float(ratio.min()), rel=1e-3)
    if least is not None:
        assert found.upper == pytest.approx(least, rel=1e-9)


@pytest.mark.parametrize("ends", ["half_space:1,1:0", "half_space:3,-1:2", "ball:1,0:2", "simplex"])
@pytest.mark.parametrize("seed", range(2))
@pytest.mark.sampled(4)
def test_rounding_of_a_resolvent_refutes_no_proof(ends: str, seed: int) -> None:
    """F and A are monotone, so F + A is: the search must not find a pair of floats against it."""
    M = np.array([[0.0, 1.0], [-1.0, 0.0]]) * 10.0 ** (3 * seed)
    problem = subject(scipy.sparse.csr_array(M), constraint=ends, region="0,0:2")
    for c in constants(problem, seed=seed):
        if c.kind.better == "larger":
            assert c.lower >= 0
            assert c.upper >= 0


@pytest.mark.filterwarnings("ignore:operator")
def test_a_modulus_of_the_size_of_rounding_is_0_also_without_a_pair() -> None:
    def F(z: list[float]) -> list[float]:
        return [z[1], -z[0]]

    p = Problem(operator(F, 2), name="skew", start=np.ones(2))
    slope = Constant(Lipschitz, "F", 1.0, np.inf, "estimated", None, "")
    for value, relied in ((-1.87e-18, 0.0), (-1e-7, -1.001e-7)):
        rho = Constant(Comonotone, "F", -np.inf, value, "estimated", None, "")
        (fact,) = [f for f in with_facts(p, [slope, rho]).facts if f.property.kind is Comonotone]
        assert p.constant(fact) == pytest.approx(relied, rel=1e-12)


MODULI = (Comonotone, StronglyMonotone, WeakMinty)


def refuting_lines(p: Problem, lines: list[Constant]) -> list[str]:
    """What is relied on that a line of the page refutes, or leaves open."""
    said = []
    for fact, c in itertools.product(classes(with_facts(p, lines)), lines):
        if (fact.property.kind, fact.property.of) == (c.kind, c.of):
            value = p.constant(fact)
            beyond = value - c.upper if c.kind.better == "larger" else c.lower - value
            room = 1e-9 * abs(value)
            if beyond > room or (c.upper < 0 and not c.settled):
                said.append(f"{fact.property} against {c}")
    return said


@pytest.mark.ci
def test_no_class_is_better_than_any_line_of_the_page() -> None:
    """Of all kinds, whatever searches came to: they need not agree with each other."""
    generator, p = np.random.default_rng(0), subject("x*y")
    for _ in range(60):
        L = float(generator.choice([0.0, 1e-3, 0.5, 1.0, 2.0, 1e4, np.inf]))
        lines = [Constant(Lipschitz, "F", L, np.inf, "estimated", None, "")]
        for kind in MODULI:
            value = float(generator.choice([-1e8, -2.0, -0.7, 0.0, 1e-9, 0.3, 1.0, 40.0, np.inf]))
            settled = bool(generator.uniform() < 0.6)
            c = Constant(kind, "F", -np.inf, value, "estimated", None, "", settled=settled)
            lines.append(c)
        order = generator.permutation(len(lines))
        assert not refuting_lines(p, [lines[i] for i in order])


@pytest.mark.parametrize(
    "payoff",
    [
        "x**4 - 10*x**2 + x*y - y**4 + 10*y**2",
        "x**4/4 - x**2/2 + 2*x*y - y**4/4 + y**2/2",
        "cos(3*x) + x*y - y**2",
    ],
)
def test_what_fails_against_the_solution_fails_on_all_pairs(payoff: str) -> None:
    p = subject(payoff)
    with allotted(4000):
        lines = constants(p)
    of = {c.kind: c for c in lines}
    assert of[Comonotone].upper <= of[WeakMinty].upper
    assert of[Comonotone].value <= of[WeakMinty].value
    assert not refuting_lines(p, lines)


DIVERGING = [
    [
        [-2.22489405e-05, 5.48657257e-05, -3.12794359e-05, -2.34134715e-05],
        [3.67046412e-05, -2.44093745e-05, -4.81593865e-05, -2.77395423e-05],
        [3.93725473e-05, 2.28285706e-05, 3.98043910e-05, -3.70961764e-05],
        [4.04896708e-05, 3.00773654e-05, -1.22367400e-05, 4.83534673e-05],
    ],
    [
        [-3e-08, -1e-08, 1e-08, -1e-08],
        [-2e-08, 1e-08, 1e-08, 2e-08],
        [1e-08, 2e-08, 0.0, -1e-08],
        [-3e-08, 2e-08, -2e-08, 3e-08],
    ],
]


@pytest.mark.parametrize("set_", ["orthant", "box:0,inf", "half_space:1,1,1,1:0.3"])
@pytest.mark.parametrize("seed", range(12))
def test_a_method_that_diverges_finds_no_solution(set_: str, seed: int) -> None:
    """A solution that was found is one, at a usual size; else none is known, which is no error."""
    generator = np.random.default_rng(seed)
    M = 10.0 ** generator.uniform(-9, 2) * generator.integers(-5, 6, (4, 4))
    p = subject(M, constraint=set_)
    if p.solution is not None:
        z = p.solution
        assert np.abs(z).max() < 1e12
        gamma = (1 + np.linalg.norm(z)) / max(np.linalg.norm(M @ z), 1e-300)
        left = z - p.resolvent(z - gamma * (M @ z), gamma)
        assert np.linalg.norm(left) <= 1e-9 * (1 + np.linalg.norm(z))


@pytest.mark.parametrize("rows", DIVERGING)
def test_divergence_leaves_the_trivial_solution(rows: list[list[float]]) -> None:
    p = subject(np.array(rows), constraint="orthant")  # 0 solves it
    assert p.solution is None or np.abs(p.solution).max() < 1e12


def counted(problem: Problem) -> tuple[Problem, list[int]]:
    """A problem of the same F, as Python text, and how often it was called."""
    calls = [0]

    def F(z: Any) -> Any:
        calls[0] += 1
        return problem.operator(z)

    return subject(F, dim=problem.dim), calls


@pytest.mark.filterwarnings("ignore:operator 'F' runs interpreted")
def test_the_calls_that_are_told_are_those_that_were_made(monkeypatch: pytest.MonkeyPatch) -> None:
    p, calls = counted(of_texts(["y", "-x"]))
    monkeypatch.setattr(effort, "seconds_a_call", lambda problem: 0.005)
    monkeypatch.setattr("opcheck.evidence.check.theorems_in_order", list)
    before = calls[0]
    (said,) = (s for s in check(p).left_out if "calls were made" in s)
    told = int(said.partition(" a call: ")[2].partition(" calls")[0])
    assert abs(calls[0] - before - told) <= 0.1 * told
    assert 800 < told <= 900  # as many as fit


def test_a_function_of_too_many_coordinates_is_refused_by_its_size() -> None:
    with pytest.raises(OpcheckError, match="more than the 1000000 coordinates"):
        subject(lambda z: z, dim=100_000_000)


@pytest.mark.parametrize("width", [1e-6, 1e-7, 1e-4])
def test_a_kink_near_the_solution_is_met_with_few_calls(width: float) -> None:
    def clipped(z: Any, out: Any, data: Any) -> None:
        for i in range(len(z)):
            out[i] = 1750 * min(max(z[i], -data[0]), data[0])

    with allotted(4000):
        L = by_kind(constants(of_kernel(clipped, 2, [width])))[Lipschitz, "F"]
    assert L.lower > 1000


def stiff(z: Any, out: Any, data: Any) -> None:
    """Q φ(Qᵀ(z − c)), φ with the slopes left, middle on a stretch after at, and right."""
    n = z.shape[0]
    for i in range(n):
        out[i] = 0.0
    for j in range(n):
        row = n * n + 5 * j
        t = -data[row + 3]
        for i in range(n):
            t += data[i * n + j] * (z[i] - data[n * n + 5 * n + i])
        value = data[row] * min(t, 0.0) + data[row + 1] * min(max(t, 0.0), data[row + 4])
        value += data[row + 2] * max(t - data[row + 4], 0.0)
        for i in range(n):
            out[i] += data[i * n + j] * value


@pytest.mark.parametrize(
    "seed",
    [s if s in (1, 2) else pytest.param(s, marks=pytest.mark.slow) for s in range(16)],
)
@pytest.mark.ci
def test_stretches_of_a_millionth_near_the_solution_are_seen(seed: int) -> None:
    """L was 13 times too small, and μ wrong in its sign: slopes were taken with steps of 1e-5."""
    rng = np.random.default_rng(1000 + seed)
    n = int(rng.integers(1, 5))
    slopes = rng.uniform(0.1, 3, (n, 3))
    slopes[:, 1] *= 10.0
    if seed % 2:
        slopes[:, 1] = np.where(rng.uniform(size=n) < 0.5, -0.3, 40.0) * rng.uniform(0.5, 1, n)
    width = 10.0 ** rng.uniform(-7, -5)
    at, stretch = width * rng.uniform(-1, 1, n), width * rng.uniform(0.3, 3, n)
    Q = np.linalg.qr(rng.standard_normal((n, n)))[0]
    centre = rng.standard_normal(n) * rng.choice([0, 1, 5.0])
    numbers = np.column_stack([slopes, at, stretch]).ravel()
    p = subject(operator(stiff, n, np.concatenate([Q.ravel(), numbers, centre])))
    assert p.solution is not None
    by = by_kind(constants(p))
    L, mu = slopes.max(), slopes.min()
    assert by[Lipschitz, "F"].lower == pytest.approx(L, rel=2e-4)
    assert by[StronglyMonotone, "F"].upper == pytest.approx(mu, abs=2e-4 * L)
    facts = {
        f.property.kind: f.property.constant for f in classes(with_facts(p, list(by.values())))
    }
    assert facts[Lipschitz] >= L
    assert facts.get(StronglyMonotone, 0.0) <= max(mu, 0.0)
    assert Monotone not in facts or mu >= 0


def test_other_work_of_the_machine_does_not_make_a_kernel_slow(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A busy machine gave a search for the zero some thousand calls, and none was found."""
    p = of_kernel(stiff, 1, [1.0, *[1.0] * 3, 0.0, 1.0, 0.0], start=np.ones(1))
    now = itertools.count(0.0, 0.01)
    monkeypatch.setattr("time.perf_counter", lambda: next(now))
    assert 0 < effort.seconds_a_call(p) < 1e-4


def test_a_modulus_that_falls_below_what_rounding_shows_is_none() -> None:
    """Mean slopes between −2 and 1 cross 0, and no ρ is left; −52670 was stated as a class."""

    def F(z: Any, out: Any, data: Any) -> None:
        jump = min(max(z[0] - 1.0, -data[0]), data[0])
        out[0] = (z[0] - 1.0) - 3.0 * jump + z[1]
        out[1] = -(z[0] - 1.0) + z[1]

    p = of_kernel(F, 2, [1e-6], start=np.ones(2), solution=np.array([1.0, 0.0]))
    kinds = {f.property.kind for f in classes(with_facts(p, constants(p)))}
    assert Lipschitz in kinds
    assert not kinds & {Comonotone, WeakMinty, Monotone}
