"""The worst operators of a claim that are affine or have one fold, by semidefinite programs.

F(z) = Mz + q + u max(⟨w, z⟩ − 1, 0) with z* = 0, and A an affine relation, in every dimension at
once. For an affine F a hypothesis speaks of all differences of known points together, and not of
pairs: Σ c_i c_j of its form at (x_i, u_i), (x_j, u_j) is ≥ 0 for all c, where z* = 0 has value 0.
That is a matrix inequality in the Gram matrix of the run (Bousselmi, Hendrickx, Glineur 2024,
Theorem 3.1). With a fold, u is one vector more. Where the numbers s_i = ⟨w, x_i⟩ are fixed, both
slopes M and M + uwᵀ have values at every x_i that are linear in what is known, and the hypothesis
is such an inequality for each of them. The s_i are searched for.

From the Gram matrix the operators are read off: M, u and w on the span of the points at which F is
known, and A as a linear operator on the span of its points, plus the normal cone of that span. What
is read off is moved into the class, so that it can be run as any operator of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from flint import fmpq
from numpy.typing import NDArray

from opcheck.engine.coefficients import Vector
from opcheck.errors import OpcheckError
from opcheck.evidence.worst_case.claim import SOLUTION, Claim, Subdifferential, graph_of
from opcheck.evidence.worst_case.conic import seconds
from opcheck.evidence.worst_case.conic import solve as conic_here
from opcheck.evidence.worst_case.worst_case import Program, upper_triangle
from opcheck.model.operator import NO_CONSTRAINT, Operator, Resolvent

Floats = NDArray[np.float64]
Form = tuple[float, float, float]
LONGEST = 0.5  # seconds that the programs with a fold may take together at one k
TOLERANCE = 1e-8  # asked of the solver
LEAST = 0.005  # seconds of the smallest program
STARTS = 0.4  # of the programs with a fold, those at random s
RANK = 1e-5  # singular values below this part of the largest count as 0
RANKS = (1e-2, 1e-3, 1e-4, 1e-6)  # eigenvalues of a Gram matrix below these parts, in turn
GIVEN_UP = (1e-4, 2e-2)  # parts of the worst case, in turn, for a Gram matrix of low rank
GAIN = 1e-4  # by which a fold must be worse than none
FALL = 1e-13  # of the size of its terms, by which rounding may put a form below 0
CONTINUED = 60  # tries to continue M so that nothing need be moved
PULLS = 40  # halvings between what was read off and the middle of the class


@dataclass(frozen=True)
class Folded:
    """F(z) = Mz + q + u max(⟨w, z⟩ − 1, 0), A, and a start of norm 1.

    Attributes:
        M: shape (d, d).
        q, u, w, start: shape (d,); u = 0 where F is affine.
        T: of shape (d, d): the points and values of A are (s + Ts)/2 and (s − Ts)/2 − q for all s;
            None where A = 0.
    """

    M: Floats
    q: Floats
    u: Floats
    w: Floats
    T: Floats | None
    start: Floats

    @property
    def operator(self) -> Operator:
        """F."""
        data = np.concatenate([self.M.ravel(), self.q, self.u, self.w])
        return Operator(folded, data, len(self.q), str(self))

    @property
    def resolvent(self) -> Resolvent:
        """(I + γA)⁻¹."""
        if self.T is None:
            return NO_CONSTRAINT
        return Resolvent(
            resolvent, np.concatenate([self.T.ravel(), self.q]), len(self.q), self.constraint
        )

    @property
    def constraint(self) -> str:
        """A in words; "" where it is 0."""
        if self.T is None:
            return ""
        return f"(s + Ts)/2 ↦ (s − Ts)/2 − q for T = {_listed(self.T)}"

    def __str__(self) -> str:
        """M, q, the fold and the start, to twelve digits."""
        text = f"M = {_listed(self.M)}"
        text += f", q = {_listed(self.q)}" if self.q.any() else ""
        text += f" + {_listed(self.u)} max({_listed(self.w)}·z − 1, 0)" if self.u.any() else ""
        return f"{text} from {_listed(self.start)}"


def _listed(numbers: Floats) -> list[float]:
    return (np.round(numbers, 12) + 0.0).tolist()  # type: ignore[no-any-return]


def folded(z, out, data):  # type: ignore[no-untyped-def]
    """Data: M row by row, q, u, w."""
    d = z.shape[0]
    t = -1
    for i in range(d):
        t += data[d * d + 2 * d + i] * z[i]
    t = max(t, 0)
    for i in range(d):
        total = data[d * d + i] + data[d * d + d + i] * t
        for j in range(d):
            total += data[i * d + j] * z[j]
        out[i] = total


def resolvent(z, gamma, out, data):  # type: ignore[no-untyped-def]
    """p with p + γ(v − q) = z, p = (s + Ts)/2, v = (s − Ts)/2. Data: T row by row, q."""
    d = z.shape[0]
    # ((1 + γ)I + (1 − γ)T) s = 2(z + γq), by Gauss with pivots: ‖T‖ ≤ 1, so it has one solution
    rows = np.empty((d, d + 1))
    for i in range(d):
        for j in range(d):
            rows[i, j] = (1 - gamma) * data[i * d + j]
        rows[i, i] += 1 + gamma
        rows[i, d] = 2 * (z[i] + gamma * data[d * d + i])
    for i in range(d):
        top = i
        for r in range(i + 1, d):
            if abs(rows[r, i]) > abs(rows[top, i]):
                top = r
        for j in range(d + 1):
            rows[i, j], rows[top, j] = rows[top, j], rows[i, j]
        for r in range(i + 1, d):
            factor = rows[r, i] / rows[i, i]
            for j in range(i, d + 1):
                rows[r, j] -= factor * rows[i, j]
    for i in range(d - 1, -1, -1):
        for j in range(i + 1, d):
            rows[i, d] -= rows[i, j] * rows[j, d]
        rows[i, d] /= rows[i, i]
    for i in range(d):
        total = rows[i, d]
        for j in range(d):
            total += data[i * d + j] * rows[j, d]
        out[i] = total / 2


def worst_folded(claim: Claim, rng: np.random.Generator, folds: int) -> Iterator[Folded]:
    """Operators of the class close to the worst affine one, and to the worst one with a fold.

    Args:
        folds: programs for one fold, at most.

    They are of the class to rounding. None where the claim has no such program, or one that takes
    too long.
    """
    if not claim.graphs["F"] or claim.signed or not claim.bound:
        return
    whole = _with_sums(claim)
    graphs = [claim.graphs[graph_of(p, claim.A)] for p in claim.properties]
    if takes_long(len(whole.basis), sum(len(graph) ** 2 for graph in graphs)):
        return
    try:
        search = _Search(whole)
    except OpcheckError:  # too large for this machine
        return
    affine = search.solve(None)
    if affine is None:
        return
    for part in GIVEN_UP:
        lower = search.solve(None, (1 - part) * affine[0])
        yield from search.read_off(None, affine[1] if lower is None else lower[1])
    best = search.folded(rng, min(folds, search.affordable()), affine[0] * (1 + GAIN))
    if best is None:
        return
    value, s = best
    for part in GIVEN_UP:
        lower = search.solve(s, (1 - part) * value)
        if lower is not None:
            yield from search.read_off(s, lower[1])


def takes_long(basis: int, pairs: int = 0) -> bool:
    """Whether an affine program of that size does: asked before it is laid out in memory."""
    return seconds((basis + 1) * (basis + 2) + pairs / 2) > LONGEST


def _with_sums(claim: Claim) -> Claim:
    """With F at every point of A's graph where a hypothesis speaks of the sum: it has that too."""
    if claim.A == "zero" or all(p.of != "S" for p in claim.properties):
        return claim
    F, S = dict(claim.graphs["F"]), dict(claim.graphs["S"])
    at = {point for point, _ in F.values()}
    missing = [(name, *pair) for name, pair in claim.graphs["A"].items() if pair[0] not in at]
    size = len(claim.basis) + len(missing)
    zero, unit = fmpq(0), fmpq(1)
    origin = (zero,) * size
    S.setdefault(SOLUTION, (origin, origin))  # which the run itself may never have met

    def longer(vector: Vector) -> Vector:
        return (*vector, *[zero] * (size - len(vector)))

    for i, (name, point, value) in enumerate(missing, len(claim.basis)):
        own = tuple(unit if j == i else zero for j in range(size))
        F[f"F at {name}"] = point, own
        total = tuple(a + b for a, b in zip(longer(value), own, strict=True))
        S.setdefault(f"sum at {name}", (point, total))
    graphs = {
        of: {name: (longer(x), longer(u)) for name, (x, u) in graph.items()}
        for of, graph in (("F", F), ("A", claim.graphs["A"]), ("S", S))
    }
    basis = (*claim.basis, *(f"F at {name}" for name, *_ in missing))
    return replace(claim, basis=basis, graphs=graphs, inequalities=())


class _Search:
    """A claim's programs over Gram matrices of the basis and u, and what is read off them."""

    def __init__(self, claim: Claim) -> None:
        self.claim = claim
        self.program = program = Program(replace(claim, inequalities=()))
        self.stretch = np.append(program.stretch, 1.0)
        self.rows, self.columns = upper_triangle(program.n + 1)
        self.root = np.where(self.rows == self.columns, 1.0, np.sqrt(2.0))
        self.known = {of: self._known(of) for of in ("F", "A", "S")}
        self.X = self.known["F"][0]
        self.functionals = _span(self.X.T)  # what ⟨w, x_i⟩ may be
        self.forms = [
            (graph_of(p, claim.A), (float(a), float(b), float(c)))
            for p in claim.properties
            if p.kind is not Subdifferential
            for a, b, c in [p.form()]
        ]
        self.symmetric = claim.A == "subdifferential"
        measure, bound = (program.matrix(side) for side in (program.measure, program.bound))
        self.measure = self.vectors(np.pad(measure, (0, 1))[None])[0]
        self.bound = self.vectors(np.pad(bound, (0, 1))[None])[0]

    def _known(self, of: str) -> tuple[Floats, Floats]:
        """Points and values of a graph, less those at the solution, over basis and u: (m, n + 1).

        In the units of the program.
        """
        graph = self.claim.graphs[of]
        n = self.program.n
        both = [[[float(v) for v in w] for w in graph[name]] for name in graph if name != SOLUTION]
        if not both:
            return np.zeros((0, n + 1)), np.zeros((0, n + 1))
        solution = np.array([[float(v) for v in w] for w in graph[SOLUTION]])
        known = np.pad((np.array(both) - solution) / self.program.stretch, ((0, 0), (0, 0), (0, 1)))
        return known[:, 0], known[:, 1]

    def vectors(self, matrices: Floats) -> Floats:
        """The solver's vector form of the symmetric parts: (m, n + 1, n + 1) to (m, entries)."""
        both = matrices[:, self.rows, self.columns] + matrices[:, self.columns, self.rows]
        return np.asarray(both / 2 * self.root)

    def affordable(self) -> int:
        """How many programs with a fold may be solved."""
        m = sum(len(self.known[of][0]) ** 2 for of, _ in self.forms)
        return int(LONGEST / max(LEAST, seconds(2 * len(self.rows) + m)))

    def folded(
        self, rng: np.random.Generator, count: int, least: float
    ) -> tuple[float, Floats] | None:
        """Measure and s of the worst fold that so many programs reach, above ``least``.

        From the best of random s by a (1 + 1) evolution strategy with the 1/5 rule.
        """
        free = self.functionals
        size = free.shape[1]
        best: tuple[float, Floats] | None = None
        value, width = least, 0.3
        for i in range(count):
            draw = free @ rng.normal(size=size)
            if i < STARTS * count:
                spread = 10 ** rng.uniform(-1, 0.5)
                s = free @ (free.T @ (1 + spread * rng.normal(size=len(free))))
            elif best is None:
                return None
            else:
                s = best[1] + width * np.linalg.norm(best[1]) / np.sqrt(size) * draw
            solved = self.solve(s)
            better = solved is not None and solved[0] > value
            if solved is not None and better:
                value, best = solved[0], (solved[0], s)
            if i >= STARTS * count:
                width *= 1.5 if better else 1.5**-0.25
        return best

    def slopes(self, s: Floats | None) -> list[dict[str, tuple[Floats, Floats]]]:
        """Points and values of F, A and F + A on either side of the fold, as if there were none."""
        if s is None:
            return [self.known]
        u = np.zeros(self.program.n + 1)
        u[-1] = 1.0
        # F(x_i) = M x_i + u max(s_i − 1, 0), and (M + uwᵀ) x_i = M x_i + s_i u
        rise = np.maximum(s - 1, 0.0)
        at = {x.tobytes(): i for i, x in enumerate(self.X)}
        sides = []
        for on in (0.0, 1.0):
            move = np.outer(on * s - rise, u)
            side = {**self.known, "F": (self.X, self.known["F"][1] + move)}
            P, S = self.known["S"]
            if len(P) and self.claim.A != "zero":
                side["S"] = P, S + move[[at[p.tobytes()] for p in P]]
            sides.append(side)
        return sides

    def solve(self, s: Floats | None, least: float | None = None) -> tuple[float, Floats] | None:
        """The largest measure where bound ≤ 1, and a Gram matrix; None where there is none.

        With ``least`` the Gram matrix of least trace whose measure is that at least: the lower its
        rank, the more of an operator is determined.
        """
        from scipy import sparse

        parts, limits = [-sparse.eye(len(self.rows))], [np.zeros(len(self.rows))]
        cones = [("PSDTriangle", self.program.n + 1)]
        for side in self.slopes(s):
            for of, form in self.forms:
                X, U = side[of]
                if not len(X):
                    continue
                a, b, c = form
                i, j = upper_triangle(len(X))
                matrices = a * _outer(X[i], X[j]) + c * _outer(U[i], U[j])
                matrices += b * (_outer(X[i], U[j]) + _outer(U[i], X[j]))
                entries = self.vectors(matrices) * np.where(i == j, 1.0, np.sqrt(2.0))[:, None]
                parts.append(-sparse.csc_matrix(entries))
                limits.append(np.zeros(len(entries)))
                cones.append(("PSDTriangle", len(X)))
        if self.symmetric and len(self.known["A"][0]):
            # of a subdifferential: ⟨p_i, a_j⟩ = ⟨p_j, a_i⟩, and monotone
            P, W = self.known["A"]
            i, j = upper_triangle(len(P))
            skew = self.vectors(_outer(P[i], W[j]) - _outer(P[j], W[i]))[i != j]
            both = self.vectors(_outer(P[i], W[j])) * np.where(i == j, 1.0, np.sqrt(2.0))[:, None]
            for entries, cone in ((skew, "Zero"), (-both, "PSDTriangle")):
                if len(entries):
                    parts.append(sparse.csc_matrix(entries))
                    limits.append(np.zeros(len(entries)))
                    cones.append((cone, len(P) if cone == "PSDTriangle" else len(entries)))
        parts.append(sparse.csc_matrix(self.bound[None]))
        limits.append(np.ones(1))
        cones.append(("Nonnegative", 1))
        cost = -self.measure
        if least is not None:
            parts.append(sparse.csc_matrix(-self.measure[None]))
            limits.append(np.full(1, -least))
            cones.append(("Nonnegative", 1))
            cost = self.vectors(np.eye(self.program.n + 1)[None])[0]
        A, b_ = sparse.vstack(parts, format="csc"), np.concatenate(limits)
        if seconds(A.shape[0] + A.shape[1]) > LONGEST:
            return None
        status, x, _ = conic_here(cost, A, b_, cones, tolerances=(TOLERANCE,))
        if "Solved" not in status:
            return None
        gram = np.zeros((self.program.n + 1,) * 2)
        gram[self.rows, self.columns] = gram[self.columns, self.rows] = x / self.root
        return float(self.measure @ x), gram

    def read_off(self, s: Floats | None, gram: Floats) -> Iterator[Folded]:
        """Operators behind a Gram matrix, for some ranks and some ways to continue M."""
        sizes, vectors = np.linalg.eigh(gram / np.outer(self.stretch, self.stretch))
        for d in sorted({int((sizes > part * sizes[-1]).sum()) for part in RANKS}):
            yield from self._in(s, (vectors[:, -d:] * np.sqrt(np.maximum(sizes[-d:], 0.0))).T)

    def _in(self, s: Floats | None, columns: Floats) -> Iterator[Folded]:
        """The same in R^d, from the basis vectors as columns."""
        d = len(columns)
        start = columns[:, self.claim.basis.index("z0")]
        size = float(np.linalg.norm(start))
        centre = self._centre()
        if size == 0 or centre is None:
            return
        start, columns = start / size, columns / size
        in_space = (self.stretch * columns).T
        X, _ = (part @ in_space for part in self.known["F"])
        q = columns[:, :-1] @ np.array([float(v) for v in self._solution()])
        T = None
        if self.claim.A != "zero":
            P, W = (part @ in_space for part in self.known["A"])
            T = _reflection(P, W, self.symmetric)
        u, w = np.zeros(d), np.zeros(d)
        U = self.slopes(s)[0]["F"][1] @ in_space
        inverse = np.linalg.pinv(X, rcond=RANK)
        if s is not None:
            u, w = columns[:, -1], inverse @ s
        on_span = (inverse @ U).T
        span = _span(X)
        beyond = np.eye(d) - span @ span.T
        M = self._continued(on_span, beyond, u, w=w, T=T, centre=centre)
        part = self._within(M, u, w, T, centre)
        if part is not None:
            middle = centre * np.eye(d)
            yield Folded(M=middle + part * (M - middle), q=q, u=part * u, w=w, T=T, start=start)

    def _continued(
        self, M: Floats, beyond: Floats, u: Floats, w: Floats, T: Floats | None, centre: float
    ) -> Floats:
        """M on the span of the known points, with values beyond it that leave the most room."""
        if not beyond.any():
            return M
        ways = [
            M + sign * (beyond @ M).T @ beyond + level * beyond
            for sign in (-1.0, 0.0, 1.0)
            for level in (0.0, centre)
        ]
        rooms = [self._room(way, u, w, T) for way in ways]
        room, best = max(rooms), ways[int(np.argmax(rooms))]
        rng, width = np.random.default_rng(0), 0.1
        for _ in range(CONTINUED):
            if room >= -FALL:
                break
            way = best + width * rng.normal(size=M.shape) @ beyond
            other = self._room(way, u, w, T)
            width *= 1.5 if other > room else 1.5**-0.25
            if other > room:
                room, best = other, way
        return best

    def _solution(self) -> Vector:
        """F z* over the basis."""
        return self.claim.graphs["F"][SOLUTION][1]

    def _centre(self) -> float | None:
        """The f for which z ↦ f z has the most room in every hypothesis on F and S, if any has."""
        grid = np.linspace(-2.0, 2.0, 401)
        rooms = [a + 2 * b * grid + c * grid**2 for of, (a, b, c) in self.forms if of != "A"]
        room = np.min(rooms, axis=0) if rooms else np.ones(len(grid))
        return float(grid[int(np.argmax(room))]) if room.max() > 0 else None

    def _within(
        self, M: Floats, u: Floats, w: Floats, T: Floats | None, centre: float
    ) -> float | None:
        """The largest part of the way from ``centre`` · I to F on which every hypothesis holds."""
        middle = centre * np.eye(len(M))

        def holds(part: float) -> bool:
            return self._room(middle + part * (M - middle), part * u, w, T) >= -FALL

        if holds(1.0):
            return 1.0
        if not holds(0.0):
            return None
        low, high = 0.0, 1.0
        for _ in range(PULLS):
            half = (low + high) / 2
            low, high = (half, high) if holds(half) else (low, half)
        return low

    def _room(self, M: Floats, u: Floats, w: Floats, T: Floats | None) -> float:
        """The least eigenvalue of the hypotheses' forms, each in units of its terms.

        With a fold an average of the slopes has a form with c ≤ 0, which is concave in the slope,
        if both have; one with c > 0 where aγ² − 2bγ + c ≤ 0 for a γ < 1/L: it is then concave in
        the slope of (I + γS)⁻¹, S = F + A or F, whose argument runs over the whole space. Without
        such a γ the room is −∞.
        """
        eye = np.eye(len(M))
        T = eye if T is None else T
        point, value = (eye + T) / 2, (eye - T) / 2
        slopes = (M, M + np.outer(u, w)) if u.any() else (M,)
        L = max(float(np.linalg.norm(J, 2)) for J in slopes)
        room = np.inf
        for of, (a, b, c) in self.forms:
            if u.any() and c > 0 and of != "A":
                gamma = min(b / max(a, 1e-300), 0.999 / max(L, 1e-300))
                if a * gamma**2 - 2 * b * gamma + c > 0:
                    return -np.inf
            for J in slopes:
                x, v = {"F": (eye, J), "A": (point, value), "S": (point, J @ point + value)}[of]
                G = a * x.T @ x + b * (x.T @ v + v.T @ x) + c * v.T @ v
                p, r = float(np.linalg.norm(x, 2)), float(np.linalg.norm(v, 2))
                terms = abs(a) * p * p + 2 * abs(b) * p * r + abs(c) * r * r
                room = min(room, float(np.linalg.eigvalsh(G)[0]) / max(terms, 1e-300))
        return room


def _outer(first: Floats, second: Floats) -> Floats:
    """v_i w_iᵀ for rows: (m, n) twice to (m, n, n)."""
    return first[:, :, None] * second[:, None, :]


def _span(X: Floats) -> Floats:
    """An orthonormal basis of the span of rows, as columns."""
    _, sizes, rows = np.linalg.svd(X, full_matrices=False)
    return np.asarray(rows[sizes > RANK * max(sizes.max(initial=0.0), 1e-300)].T)


def _reflection(P: Floats, W: Floats, symmetric: bool) -> Floats:
    """T with T(p + v) = p − v for the rows of P and W, and Tn = −n for n ⊥ the span of P.

    That is A = B + N_V with B linear and V the span of P: maximally monotone, and a subdifferential
    where B is symmetric. A hypothesis on F + A then speaks of no other points than these.
    """
    span = _span(P)
    normal = np.eye(P.shape[1]) - span @ span.T
    T = np.linalg.pinv(np.vstack([P + W, normal]), rcond=RANK) @ np.vstack([P - W, -normal])
    T = (T + T.T) / 2 if symmetric else T.T
    return np.asarray(T / max(1.0, float(np.linalg.norm(T, 2))))
