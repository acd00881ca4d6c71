"""What may be said of S = F + A where A is a normal cone, whose values have no bound."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import opcheck
from opcheck import Comonotone, Lipschitz, Monotone, StronglyMonotone, WeakMinty, field
from opcheck.engine.budget import allotted
from opcheck.evidence.operators.constants import constants
from opcheck.evidence.operators.normals import two_normals
from opcheck.evidence.operators.relied_on import contradictions, with_facts
from opcheck.evidence.statement.hypotheses import classes
from opcheck.model.problem import Problem

SETS = ["box:-1,1", "box:-0.67,0.33", "ball:0,0:1", "orthant", "simplex", "half_space:1,1:0.3"]


def constant(z: Any, out: Any, data: Any) -> None:
    out[0] = -1.8
    out[1] = 0.3


def steep(z: Any, out: Any, data: Any) -> None:
    out[0] = 30 * z[0] ** 7 + z[1]
    out[1] = -z[0] + 30 * z[1] ** 7


def relied_on(p: Problem, calls: float = np.inf) -> dict[tuple[str, str], float | None]:
    """The classes by kind and operator, from a search of so many calls of F."""
    with allotted(calls):
        return {
            (f.property.kind.name, f.property.of): f.property.constant
            for f in classes(with_facts(p, constants(p)))
        }


@pytest.mark.parametrize("set_", SETS)
@pytest.mark.parametrize(
    "F", [field(["-1.8 + 0*x", "0.3 + 0*y"], "x y"), constant], ids=["formula", "kernel"]
)
@pytest.mark.sampled(4)
def test_a_constant_operator_on_a_set_is_monotone_and_no_more(F: Any, set_: str) -> None:
    known = relied_on(opcheck.subject(F, dim=2, constraint=set_), 4000)
    assert known[Lipschitz.name, "F"] == 0
    assert known[Comonotone.name, "S"] == 0
    assert (Monotone.name, "S") in known
    for kind in (Lipschitz.name, "Cocoercive", StronglyMonotone.name):
        assert (kind, "S") not in known
    assert (StronglyMonotone.name, "F") not in known


@pytest.mark.parametrize("set_", SETS)
@pytest.mark.parametrize("F", ["x**2/2 - y**2/2 + x*y", "3*x**2 - y**2/2 + x", steep])
@pytest.mark.sampled(4)
def test_no_modulus_against_normals_is_positive(F: Any, set_: str) -> None:
    p = opcheck.subject(F, dim=2 if callable(F) else None, constraint=set_)
    with allotted(4000):
        of_S = {c.kind: c for c in constants(p) if c.of == "S"}
    assert of_S[Comonotone].upper <= 0
    assert WeakMinty not in of_S or of_S[WeakMinty].upper <= 0
    # the two normals at one point are a pair that says so
    stated = opcheck.exact(Comonotone(1e-3, of="S"))
    with_wrong = Problem(
        p.operator, p.resolvent, start=p.start, solution=p.solution, facts=(stated,)
    )
    assert contradictions(with_wrong, [of_S[Comonotone]])


def test_a_sum_is_no_more_strongly_monotone_than_its_F_on_the_set() -> None:
    with allotted(4000):
        found = constants(opcheck.subject(steep, dim=2, constraint="box:-1,1"))
    mu = {c.of: c.upper for c in found if c.kind is StronglyMonotone}
    assert mu["S"] <= mu["F"] < 1  # a search over S alone met 23 at best


@pytest.mark.parametrize("set_", SETS)
def test_two_normals_are_of_one_point_of_the_boundary(set_: str) -> None:
    p = opcheck.subject("x**2/2 - y**2/2 + x*y", constraint=set_)
    pair = two_normals(p)
    assert pair is not None
    assert pair.second is not None
    z, y = p.resolvent(pair.first), p.resolvent(pair.second)
    assert np.allclose(z, y, atol=1e-9 * (1 + np.abs(pair.second).max()))
    n = pair.first - z
    assert np.linalg.norm(n) > 1e-3
    assert np.allclose(pair.second - y, 2 * n, atol=1e-9 * (1 + np.abs(pair.second).max()))


@pytest.mark.parametrize(
    ("text", "ends"),
    [
        ("ball:0.5:2", (-1.5, 2.5)),
        ("ball:2:0.5", (1.5, 2.5)),
        ("half_space:-0.8:0.3", (-0.375, np.inf)),
        ("half_space:1:0.3", (-np.inf, 0.3)),
        ("ball:2", (-2, 2)),
        ("box:-1:2", (-1, 2)),
    ],
)
def test_in_one_dimension_arguments_keep_their_order(text: str, ends: tuple[float, float]) -> None:
    J = opcheck.subject([[1.0]], constraint=text, start=[0.1]).resolvent
    for z in (-50.0, 0.1, 50.0):
        assert J(np.array([z]))[0] == pytest.approx(np.clip(z, *ends))
