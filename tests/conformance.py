"""What a declaration is held to: a method, a measure, a set by its reference, a figure by its runs.

The tests of the library ask it of all that is registered.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping
from typing import Any

import clarabel
import numpy as np
import scipy.sparse
from numpy.typing import NDArray

from opcheck import Trajectory, registry
from opcheck.kernels import BEFORE, OTHER, SOLUTION
from opcheck.model.measure import Measure
from opcheck.model.operator import linear
from opcheck.plugin import ConeProgram
from opcheck_problems.sets import box

Vector = NDArray[np.float64]
Map = Callable[[Vector], Vector]
Prox = Callable[[Vector, float], Vector]

# ---- methods -----------------------------------------------------------------------------------

TAKEN = {"F", "J", "z", "z0", "k", "memory", "step"}


def reference_of(name: str) -> Callable[..., Vector]:
    """One step in numpy, which names each of the method's parameters with a value."""
    entry = registry.get("methods", name)
    reference = entry.reference
    assert reference is not None, f"{name} has no reference; see @method(..., reference=)"
    taken = inspect.signature(reference).parameters
    assert set(taken) - TAKEN == {p.name for p in entry.parameters}
    assert all(taken[p.name].default is not inspect.Parameter.empty for p in entry.parameters)
    return reference  # type: ignore[no-any-return]


def kept(value: Any) -> Any:
    """A schedule with its last entry for every later step, as long as the longest run here."""
    return [*value, *value[-1:] * 64] if isinstance(value, list | tuple) else value


def values_of(name: str) -> dict[str, Any]:
    """Parameters at which a method is compared with its reference."""
    taken = inspect.signature(reference_of(name)).parameters
    return {n: kept(p.default) for n, p in taken.items() if n not in TAKEN}


def step_of(name: str, F: Map, J: Prox, z0: Vector) -> Callable[[Vector, int, Any], Vector]:
    """(z, k, memory) ↦ z⁺ by the reference."""
    reference, values = reference_of(name), values_of(name)
    taken = set(inspect.signature(reference).parameters)

    def step(z: Vector, k: int, memory: dict[str, Any]) -> Vector:
        whole = {"F": F, "J": J, "z": z, "z0": z0, "k": k, "memory": memory, **values}
        return reference(**{n: v for n, v in whole.items() if n in taken})

    return step


def by_reference(name: str, F: Map, J: Prox, z0: Vector, count: int) -> Vector:
    """z₀, ..., z_count by the reference."""
    step = step_of(name, F, J, z0)
    memory: dict[str, Any] = {}
    points = [z0]
    for k in range(count):
        points.append(step(points[-1], k, memory))
    return np.array(points)


# ---- measures ----------------------------------------------------------------------------------

D, ROWS = 5, 6


def measure_error(entry: Measure) -> float:
    """How far kernel and reference are from each other, relative, on states of unrelated rows."""
    assert entry.reference is not None, f"{entry.name} has no reference; see @measure(reference=)"
    random = np.random.default_rng(7)
    F = linear(0.4 * np.linalg.qr(random.standard_normal((D, D)))[0], random.standard_normal(D))
    J = box(-0.5, 0.75)
    worst = 0.0
    for gamma in (0.75, 1.25):
        state = random.standard_normal((ROWS, D))
        whole: dict[str, Any] = {
            "F": F,
            "J": J,
            "z": state[0].copy(),
            "other": state[OTHER].copy(),
            "before": state[BEFORE].copy(),
            "solution": state[SOLUTION].copy(),
            "gamma": gamma,
        }
        taken = inspect.signature(entry.reference).parameters
        theirs = float(entry.reference(**{name: whole[name] for name in taken}))
        ours = entry.kernel(F.kernel, F.data, J.kernel, J.data, state, np.array([gamma]), 3)
        assert math.isfinite(theirs)
        worst = max(worst, abs(ours - theirs) / abs(theirs))
        for name, row in (("z", 0), ("before", BEFORE), ("solution", SOLUTION)):
            assert (state[row] == whole[name]).all(), f"{entry.name} writes to {name}"
    return worst


# ---- sets --------------------------------------------------------------------------------------


def solve(z: Vector, gamma: float, program: ConeProgram) -> tuple[Vector, float]:
    """argmin ½‖x − z‖² + γ cost over x and y, and how far it may be from the true one.

    By strong convexity the distance is at most the root of twice the gap; the constraints hold to
    about 1e-10 only, which adds to it.
    """
    d, extras = z.size, program.extras
    unit = np.eye(d + extras + 1)
    x, y, one = unit[:d], unit[d:-1], unit[-1:]
    cost, constraints = program.says(x, y, one)
    plain, squared = cost if isinstance(cost, tuple) else (cost, np.zeros((0, d + extras + 1)))
    slope = np.zeros(d + extras) if plain is None else gamma * np.sum(plain, axis=0)[:-1]
    slope[:d] -= z
    quadratic = np.diag(np.append(np.ones(d), np.zeros(extras)))
    quadratic += gamma * squared[:, :-1].T @ squared[:, :-1]  # which have no constant
    stacked = [np.atleast_2d(rows) for _, rows in constraints]
    cones = [CONES[name](len(rows)) for (name, _), rows in zip(constraints, stacked, strict=True)]
    every = np.vstack([*stacked, np.zeros((0, d + extras + 1))])
    settings = clarabel.DefaultSettings()
    settings.verbose = False
    settings.tol_gap_abs = settings.tol_gap_rel = settings.tol_feas = 1e-12
    settings.tol_ktratio = 1e-10
    solution = clarabel.DefaultSolver(
        scipy.sparse.csc_matrix(np.triu(quadratic)),
        slope,
        scipy.sparse.csc_matrix(-every[:, :-1]),
        every[:, -1],
        cones,
        settings,
    ).solve()
    status, gap = str(solution.status), abs(solution.obj_val - solution.obj_val_dual)
    assert status in ("Solved", "AlmostSolved", "InsufficientProgress"), status
    return np.array(solution.x[:d]), 1e-6 + (2 * gap) ** 0.5


CONES = {
    "zero": clarabel.ZeroConeT,
    "plus": clarabel.NonnegativeConeT,
    "norm": clarabel.SecondOrderConeT,  # the first expression bounds the norm of the others
    "psd": lambda size: clarabel.PSDTriangleConeT(int((2 * size) ** 0.5)),
    "exp": lambda size: clarabel.ExponentialConeT(),  # b exp(a/b) ≤ c
}


def program_of(name: str) -> ConeProgram:
    program = registry.get("sets", name).program
    assert program is not None, f"{name} has no cone program; see @resolvent_family(program=)"
    return program


def solver_error(name: str, apply: Callable[[Vector, float], Vector]) -> float:
    """The largest distance to what the solver found, over what the solver may be off."""
    program = program_of(name)
    d = program.dim
    g = np.random.default_rng(31)
    worst = 0.0
    for gamma in (0.4, 1.7):
        for z in (*(2 * g.standard_normal((4, d))), np.linspace(-1.5, 0.5, d)):
            x, error = solve(z, gamma, program)
            worst = max(worst, float(np.linalg.norm(apply(z, gamma) - x)) / error)
    return worst


# ---- figure kinds ------------------------------------------------------------------------------


def check_figure_kind(name: str, runs: Mapping[str, Trajectory]) -> None:
    """It draws every run, changes none, says what it shows and documents its options.

    Args:
        runs: at least two, on one problem in the plane, with iterates.
    """
    kind = registry.get("figures", name)
    options = list(inspect.signature(kind.draw).parameters.values())[2:]
    for option in options:
        assert option.default is not inspect.Parameter.empty, f"{name}: {option.name}"
        assert option.name == "title" or f"    {option.name}: " in kind.doc, (
            f"{name}: {option.name}"
        )
    before = {
        label: [t.iterates.copy(), *map(np.copy, t.measures.values())] for label, t in runs.items()
    }
    drawing = kind(runs)
    legend = {t.get_text() for box in drawing.legends for t in box.get_texts()}
    named = legend | {t.get_text() for axes in drawing.axes for t in axes.get_yticklabels()}
    assert set(runs) <= named, f"{name} leaves out {set(runs) - named}"
    assert drawing.caption.endswith("."), f"{name} returns no caption"
    for label, t in runs.items():
        for was, now in zip(before[label], [t.iterates, *t.measures.values()], strict=True):
            assert was.tobytes() == now.tobytes(), f"{name} changes {label}"
    *_, other, label = runs  # what is drawn under a label are the numbers of that run
    swapped = kind({**runs, label: runs[other]})
    assert drawn(swapped) != drawn(drawing), f"{name} draws {label} whatever it is"


def drawn(drawing: Any) -> list[bytes]:
    """The numbers of every line."""
    numbers = [line.get_xydata().tobytes() for axes in drawing.axes for line in axes.lines]
    assert numbers, "nothing is drawn by a line"
    return numbers
