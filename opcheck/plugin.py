"""What the author of a package of problems, sets, figures or papers needs beside ``opcheck``.

Declarations and what users call are in ``opcheck``, what kernels call in ``opcheck.kernels``; here
are the parts that declarations are made of, constants proved of matrices, cone programs of sets,
figure kinds, papers, and compiled loops of their experiments. opcheck's own packs import nothing
else of it.
"""

from opcheck.engine.growth import growth
from opcheck.engine.jit import compiled
from opcheck.model.cone_program import (
    ConeProgram,
    Constraints,
    Rows,
    moduli_at_most,
    stack,
    total,
    triangle,
)
from opcheck.model.matrix_facts import (
    NOTE,
    certified,
    corners,
    facts_of,
    lipschitz_above,
    monotone_below,
)
from opcheck.model.measure import row_symbol
from opcheck.model.operator import NO_CONSTRAINT, Operator, Vector
from opcheck.model.paper import (
    Check,
    Claim,
    Panel,
    PaperFigure,
    PaperRun,
    Runs,
    Training,
    column,
    diverges,
    ends_within,
    keeps_away,
    paper,
    reaches_before,
    slope,
)
from opcheck.model.property import Fact, Of
from opcheck.model.written import arguments, fitted
from opcheck.registry import entered
from opcheck.registry import get as registered
from opcheck.report.figure import figure

__all__ = [
    "NOTE",
    "NO_CONSTRAINT",
    "Check",
    "Claim",
    "ConeProgram",
    "Constraints",
    "Fact",
    "Of",
    "Operator",
    "Panel",
    "PaperFigure",
    "PaperRun",
    "Rows",
    "Runs",
    "Training",
    "Vector",
    "arguments",
    "certified",
    "column",
    "compiled",
    "corners",
    "diverges",
    "ends_within",
    "entered",
    "facts_of",
    "figure",
    "fitted",
    "growth",
    "keeps_away",
    "lipschitz_above",
    "moduli_at_most",
    "monotone_below",
    "paper",
    "reaches_before",
    "registered",
    "row_symbol",
    "slope",
    "stack",
    "total",
    "triangle",
]
