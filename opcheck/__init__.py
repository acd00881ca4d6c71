"""opcheck: is this convergence statement true, how tight is it, where does it stop being true?

Everything public is here and loads when it is first used, so that importing costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

_WHERE = {
    "OpcheckError": "opcheck.errors",
    "Cocoercive": "opcheck.model.property",
    "Comonotone": "opcheck.model.property",
    "ConicallyNonexpansive": "opcheck.model.property",
    "Lipschitz": "opcheck.model.property",
    "Monotone": "opcheck.model.property",
    "Nonexpansive": "opcheck.model.property",
    "PLStar": "opcheck.model.property",
    "Problem": "opcheck.model.problem",
    "Proof": "opcheck.model.proof",
    "QuasiNonexpansive": "opcheck.model.property",
    "Region": "opcheck.model.problem",
    "Resolvent": "opcheck.model.operator",
    "SampleOracle": "opcheck.model.oracle",
    "Source": "opcheck.model.theorem",
    "StronglyMonotone": "opcheck.model.property",
    "WeakMinty": "opcheck.model.property",
    "additive": "opcheck.model.oracle",
    "attack": "opcheck.evidence.worst_case.attack",
    "certify": "opcheck.evidence.certificates.certificate",
    "certify_over": "opcheck.evidence.certificates.certificate",
    "check": "opcheck.evidence.check",
    "constants": "opcheck.evidence.operators.constants",
    "dossier": "opcheck.evidence.dossier",
    "estimated": "opcheck.model.property",
    "exact": "opcheck.model.property",
    "expected": "opcheck.engine.expected",
    "field": "opcheck.model.symbolic",
    "gaussian": "opcheck.model.oracle",
    "gradient": "opcheck.model.symbolic",
    "linear": "opcheck.model.operator",
    "lyapunov": "opcheck.evidence.certificates.lyapunov",
    "measure": "opcheck.model.measure",
    "method": "opcheck.model.method",
    "mini_batch": "opcheck.model.oracle",
    "minmax": "opcheck.model.symbolic",
    "multiplicative": "opcheck.model.oracle",
    "operator": "opcheck.model.operator",
    "over": "opcheck.model.method",
    "pareto": "opcheck.model.oracle",
    "problem": "opcheck.model.problem",
    "problem_family": "opcheck.model.problem",
    "resolvent_family": "opcheck.model.problem",
    "prove": "opcheck.evidence.proofs.prove",
    "run": "opcheck.evidence.operators.subject",
    "subject": "opcheck.evidence.operators.subject",
    "theorem": "opcheck.model.theorem",
    "verify": "opcheck.evidence.simulation.verify",
    "worst": "opcheck.evidence.worst_case.worst_case",
}


__all__ = sorted([*_WHERE, "available"])


def available(kind: str) -> list[str]:
    """Names of one kind: problems, methods, measures, theorems, sets, figures, papers.

    Raises OpcheckError for another kind.
    """
    from opcheck import registry

    return registry.names(kind)


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("opcheck")
    if name not in _WHERE:
        raise AttributeError(f"module 'opcheck' has no attribute {name!r}")
    value = getattr(importlib.import_module(_WHERE[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*__all__, "__version__"]


if TYPE_CHECKING:
    from opcheck.engine.expected import expected as expected
    from opcheck.errors import OpcheckError as OpcheckError
    from opcheck.evidence.certificates.certificate import certify as certify
    from opcheck.evidence.certificates.certificate import certify_over as certify_over
    from opcheck.evidence.certificates.lyapunov import lyapunov as lyapunov
    from opcheck.evidence.check import check as check
    from opcheck.evidence.dossier import dossier as dossier
    from opcheck.evidence.operators.constants import constants as constants
    from opcheck.evidence.operators.subject import run as run
    from opcheck.evidence.operators.subject import subject as subject
    from opcheck.evidence.proofs.prove import prove as prove
    from opcheck.evidence.simulation.verify import verify as verify
    from opcheck.evidence.worst_case.attack import attack as attack
    from opcheck.evidence.worst_case.worst_case import worst as worst
    from opcheck.model.measure import measure as measure
    from opcheck.model.method import method as method
    from opcheck.model.method import over as over
    from opcheck.model.operator import Resolvent as Resolvent
    from opcheck.model.operator import linear as linear
    from opcheck.model.operator import operator as operator
    from opcheck.model.oracle import SampleOracle as SampleOracle
    from opcheck.model.oracle import additive as additive
    from opcheck.model.oracle import gaussian as gaussian
    from opcheck.model.oracle import mini_batch as mini_batch
    from opcheck.model.oracle import multiplicative as multiplicative
    from opcheck.model.oracle import pareto as pareto
    from opcheck.model.problem import Problem as Problem
    from opcheck.model.problem import Region as Region
    from opcheck.model.problem import problem as problem
    from opcheck.model.problem import problem_family as problem_family
    from opcheck.model.problem import resolvent_family as resolvent_family
    from opcheck.model.proof import Proof as Proof
    from opcheck.model.property import Cocoercive as Cocoercive
    from opcheck.model.property import Comonotone as Comonotone
    from opcheck.model.property import ConicallyNonexpansive as ConicallyNonexpansive
    from opcheck.model.property import Lipschitz as Lipschitz
    from opcheck.model.property import Monotone as Monotone
    from opcheck.model.property import Nonexpansive as Nonexpansive
    from opcheck.model.property import PLStar as PLStar
    from opcheck.model.property import QuasiNonexpansive as QuasiNonexpansive
    from opcheck.model.property import StronglyMonotone as StronglyMonotone
    from opcheck.model.property import WeakMinty as WeakMinty
    from opcheck.model.property import estimated as estimated
    from opcheck.model.property import exact as exact
    from opcheck.model.symbolic import field as field
    from opcheck.model.symbolic import gradient as gradient
    from opcheck.model.symbolic import minmax as minmax
    from opcheck.model.theorem import Source as Source
    from opcheck.model.theorem import theorem as theorem
