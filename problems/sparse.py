"""Sparse linear operators on grids and graphs, up to a million variables."""

from __future__ import annotations

from typing import Any

import numpy as np

from opcheck import (
    Comonotone,
    Lipschitz,
    Monotone,
    Problem,
    StronglyMonotone,
    exact,
    linear,
    problem_family,
)
from opcheck_problems._build import ASYMMETRIC, asymmetric
from opcheck_problems._checks import positive, require, whole


def laplacian(n: int) -> Any:
    """Graph Laplacian of the n×n grid, eigenvalues 4 sin²(iπ/2n) + 4 sin²(jπ/2n)."""
    import scipy.sparse

    path = 2 * scipy.sparse.eye_array(n, format="lil")
    path.setdiag(-1, 1)
    path.setdiag(-1, -1)
    path[0, 0] = path[n - 1, n - 1] = 1
    eye = scipy.sparse.eye_array(n, format="csr")
    path = path.tocsr()
    return scipy.sparse.kron(path, eye, format="csr") + scipy.sparse.kron(eye, path, format="csr")


@problem_family(
    "graph_laplacian_skew",
    facts=[
        exact(Lipschitz("sqrt(1 + (8*delta*cos(pi/(2*n))**2)**2)")),
        exact(Monotone()),
    ],
    presets=[{"n": 4, "delta": 2.0}],
)
def graph_laplacian_skew(n: int = 16, delta: float = 0.25) -> Problem:
    """F = (δΛx + y, −x + δΛy) with Λ the Laplacian of the n×n grid: min max
    δ xᵀΛx/2 + ⟨x, y⟩ − δ yᵀΛy/2, a bilinear game at every node with diffusion between nodes.

    Sparse and normal, with eigenvalues δλ ± i: monotone with μ = ρ = 0, attained by constants;
    unique zero 0. d = 2n²: 512 by default, a million for n = 707.

    Raises OpcheckError for n < 2, δ ≤ 0, or a δ that is no multiple of 2⁻²⁰: then δΛ is rounded.
    """
    import scipy.sparse

    n = whole(n, "n", 2)
    positive(delta, "delta")
    require(delta * 2**20 == int(delta * 2**20), f"delta = {delta} must be a multiple of 2^-20")
    diffusion = delta * laplacian(n)
    eye = scipy.sparse.eye_array(n * n, format="csr")
    matrix = scipy.sparse.block_array([[diffusion, eye], [-eye, diffusion]], format="csr")
    return Problem(linear(matrix), solution=np.zeros(2 * n * n))


@problem_family(
    "graph_flow",
    facts=[
        exact(Lipschitz("sqrt(delta**2 + 8)"), "a bound: ‖B‖² is at most twice the degree 4"),
        exact(StronglyMonotone("delta")),
        exact(Comonotone("delta/(delta**2 + 8)"), "a bound, as that of L"),
    ],
    presets=[{"n": 8, "seed": 1}],
)
def graph_flow(n: int = 128, delta: float = 0.125, seed: int = 0) -> Problem:
    """F = (δx + Bᵀy, −Bx + δy) + q with B the incidence matrix of a random graph on n nodes:
    potentials x at the nodes against flows y on the edges, both with a quadratic cost δ.

    The graph is a ring with the edges i to π(i) of a random permutation, so every degree is at most
    4. M = δI + skew is normal with μ = δ and ρ = min δ/(δ² + σ²). z* is a vector of small integers;
    d = 3n: 384 by default, a million for n = 333 333.

    Raises OpcheckError for n < 3 or δ ≤ 0.
    """
    import scipy.sparse

    n = whole(n, "n", 3)
    positive(delta, "delta")
    generator = np.random.default_rng(seed)
    node = np.arange(n)
    ends = np.concatenate([np.roll(node, -1), generator.permutation(n)])
    rows, columns = np.arange(2 * n), np.concatenate([node, node])
    values = np.concatenate([np.ones(2 * n), -np.ones(2 * n)])
    incidence = scipy.sparse.csr_array(
        (values, (np.concatenate([rows, rows]), np.concatenate([columns, ends]))),
        shape=(2 * n, n),
    )
    skew = scipy.sparse.block_array([[None, incidence.T], [-incidence, None]], format="csr")
    matrix = (skew + delta * scipy.sparse.eye_array(3 * n, format="csr")).tocsr()
    solution = generator.integers(-3, 4, 3 * n).astype(float)
    operator = linear(matrix, (-(matrix @ solution)).tolist())
    return Problem(operator, start=np.zeros(3 * n), solution=solution)


@problem_family(
    "sparse_asym_bilinear",
    facts=[exact(Lipschitz("q")), exact(Comonotone(ASYMMETRIC))],
    presets=[{"n": 4, "r": 0.75}],
)
def sparse_asym_bilinear(n: int = 256, q: float = 1.0, r: float = 0.625, seed: int = 0) -> Problem:
    """n blocks (q y, −r_i x) on randomly paired coordinates, r ≤ r_i ≤ q with r attained.

    Cohypomonotone with L = q and ρ = −(q − r)/(2qr), as asym_bilinear, and not monotone; the
    scattered pairing has no locality. d = 2n: 512 by default, a million for n = 500 000.

    Raises OpcheckError for n < 1 or unless q ≥ r > 0.
    """
    import scipy.sparse

    n = whole(n, "n")
    asymmetric(q, r)
    generator = np.random.default_rng(seed)
    pairs = generator.permutation(2 * n)
    x, y = pairs[:n], pairs[n:]
    slower = np.minimum(np.maximum(generator.uniform(r, q, n), r), q)
    slower[0] = r
    values = np.concatenate([np.full(n, float(q)), -slower])
    places = (np.concatenate([x, y]), np.concatenate([y, x]))
    matrix = scipy.sparse.csr_array((values, places), shape=(2 * n, 2 * n))
    return Problem(linear(matrix), solution=np.zeros(2 * n))


@problem_family(
    "sparse_skew_grid",
    facts=[exact(Lipschitz("4*cos(pi/(2*n + 1))**2")), exact(Monotone())],
)
def sparse_skew_grid(n: int = 16) -> Problem:
    """min_x max_y xᵀ(D ⊗ D)y with D the n×n backward difference: mixed differences on an n×n grid.

    Sparse and skew, four entries a row, d = 2n² unknowns, unique zero 0: 512 by default, ten
    thousand for n = 71, a million for n = 707.

    Raises OpcheckError for n < 2.
    """
    import scipy.sparse

    n = whole(n, "n", 2)
    difference = scipy.sparse.eye_array(n, format="csr") - scipy.sparse.eye_array(n, k=-1)
    coupling = scipy.sparse.kron(difference, difference, format="csr")
    matrix = scipy.sparse.block_array([[None, coupling], [-coupling.T, None]], format="csr")
    return Problem(linear(matrix), solution=np.zeros(2 * n * n))
