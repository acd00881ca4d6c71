"""A linear program with semidefinite remainders, at numbers: potential and multipliers at once."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from opcheck.evidence.discover.reading import Numbers
from opcheck.evidence.worst_case.conic import conic

Floats = NDArray[np.float64]
Column = Hashable
Term = tuple[Column | None, Numbers]  # an unknown, or None for what has no unknown, and its form
Line = Sequence[tuple[Column | None, float]]
REACHED = ("Solved", "AlmostSolved")
LARGEST = 1e6  # of an unknown
TINY = 1e-13  # part of the largest entry below which another is 0
CANCELLED = 1e-12  # part of its largest term below which a sum is 0


@dataclass
class Block:
    """Σ x_c M_c + M_0, to be positive semidefinite.

    Attributes:
        label: which part it is, and at which k.
        forms: by unknown; None is M_0.
        place: the vectors that occur, and their row.
    """

    label: Any
    forms: dict[Column | None, Numbers]
    place: dict[int, int]

    def matrices(self) -> tuple[Floats, dict[Column, Floats]]:
        """M_0, and M_c by unknown."""
        n = len(self.place)
        whole: dict[Column | None, Floats] = {None: np.zeros((n, n))}
        for column, form in self.forms.items():
            matrix = whole.setdefault(column, np.zeros((n, n)))
            for key, v in form.items():
                i, j = self.place[key[0]], self.place[key[1]]
                matrix[i, j] += v / 2
                matrix[j, i] += v / 2
        return whole.pop(None), whole


@dataclass
class Program:
    """Unknowns, of which some are ≥ 0; blocks ⪰ 0; lines that are 0 or ≥ 0."""

    columns: dict[Column, int] = field(default_factory=dict)
    signed: set[Column] = field(default_factory=set)
    blocks: list[Block] = field(default_factory=list)
    equal: list[Line] = field(default_factory=list)
    least: list[Line] = field(default_factory=list)

    def add(self, label: Any, terms: Iterable[Term], signed: Iterable[Column]) -> None:
        """A part: its products are a block, R² must be left with a factor ≥ 0, all else with 0."""
        forms: dict[Column | None, Numbers] = {}
        sizes: dict[Any, float] = {}
        for column, form in terms:
            own = forms.setdefault(column, {})
            for key, v in form.items():
                own[key] = own.get(key, 0.0) + v
                sizes[column, key] = max(sizes.get((column, key), 0.0), abs(v))
        top = max((abs(v) for form in forms.values() for v in form.values()), default=0.0)
        # what cancels leaves rounding, which is no number
        forms = {
            c: {
                key: v
                for key, v in form.items()
                if abs(v) > max(TINY * top, CANCELLED * sizes[c, key])
            }
            for c, form in forms.items()
        }
        for column in forms:
            if column is not None:
                self.columns.setdefault(column, len(self.columns))
        self.signed.update(c for c in signed if c in forms)
        keys = {key for form in forms.values() for key in form}
        for name in sorted(key for key in keys if not isinstance(key, tuple)):
            line = [(c, form[name]) for c, form in forms.items() if name in form]
            (self.least if name == "R**2" else self.equal).append(line)
        products = {
            c: {key: v for key, v in form.items() if isinstance(key, tuple)}
            for c, form in forms.items()
        }
        self.blocks.append(Block(label, products, _places(products.values())))

    def reduce(self) -> None:
        """A row whose diagonal entry can't be positive must vanish: it becomes equations.

        Without that a tight program has no interior, and the solver nothing to hold on to.
        """
        zero: set[Column] = set()
        while any(self._reduced(block, zero) for block in self.blocks):
            pass
        self.equal += [[(c, 1.0)] for c in sorted(zero, key=repr)]

    def _reduced(self, block: Block, zero: set[Column]) -> bool:
        block.forms = {c: form for c, form in block.forms.items() if c not in zero}
        for i in list(block.place):
            diagonal = {c: f[i, i] for c, f in block.forms.items() if f.get((i, i))}
            if not all(c in self.signed and v < 0 for c, v in diagonal.items()):
                continue
            zero.update(c for c in diagonal if c is not None)
            keys = sorted({key for f in block.forms.values() for key in f if i in key})
            for key in keys:
                line = [(c, f[key]) for c, f in block.forms.items() if key in f and c not in zero]
                if line:
                    self.equal.append(line)
            block.forms = {
                c: {key: v for key, v in f.items() if i not in key}
                for c, f in block.forms.items()
                if c not in zero
            }
            block.place = _places(block.forms.values())
            return True
        return False

    def margin(self) -> tuple[float, Floats]:
        """The largest t ≤ 1 with all blocks ⪰ t in their own scale, and the unknowns there."""
        if not self.columns:
            return self._constant(), np.zeros(0)
        status, x = self._solve({}, slack=None)
        if status not in REACHED:
            return -1.0, x[:-1]
        return float(x[-1]), x[:-1]

    def _constant(self) -> float:
        """The margin of a program without unknowns."""
        if any(_contradicts(line) for line in self.equal):
            return -1.0
        margin = min([0.0, *(sum(v for _, v in line) for line in self.least)])
        for block in self.blocks:
            matrix, _ = block.matrices()
            if len(matrix):
                size = np.abs(matrix).max() or 1.0
                margin = min(margin, float(np.linalg.eigvalsh(matrix / size)[0]))
        return margin

    def minimum(self, cost: Mapping[Column, float], slack: float = 0.0) -> Floats | None:
        """Unknowns of least cost with all blocks ⪰ slack; None where the solver finds none."""
        status, x = self._solve(cost, slack=slack)
        return x[:-1] if status in REACHED else None

    def _solve(self, cost: Mapping[Column, float], slack: float | None) -> tuple[str, Floats]:
        from scipy import sparse

        count = len(self.columns)
        if any(_contradicts(line) for line in self.equal):
            return "Contradiction", np.zeros(count + 1)
        rows: list[Floats] = []
        constants: list[Floats] = []
        cones: list[tuple[str, int]] = []
        for block in self.blocks:
            if not block.place:
                continue
            matrix, constant = self._triangle(block)
            rows.append(-matrix)
            constants.append(constant)
            cones.append(("PSDTriangle", len(block.place)))
        products = sum(map(len, rows))
        t = np.zeros(count + 1)
        t[-1] = 1.0
        at_least = [self._line(line) for line in self.least]
        for column in self.columns:
            unit = self._line([(column, 1.0)])[0]
            at_least += [(unit, LARGEST * (column not in self.signed)), (-unit, LARGEST)]
        equal = [self._line(line) for line in self.equal]
        if slack is None:
            at_least.append((-t, 1.0))
        else:
            equal.append((t, -slack))
        for part, cone in ((at_least, "Nonnegative"), (equal, "Zero")):
            if part:
                rows.append(-np.array([v for v, _ in part]))
                constants.append(np.array([c for _, c in part]))
                cones.append((cone, len(part)))
        objective = -t if slack is None else np.zeros(count + 1)
        for column, weight in cost.items():
            objective[self.columns[column]] += weight
        A = np.vstack(rows)
        size = np.abs(A[:products]).max(axis=0, initial=0.0)  # columns to size 1: k² is large
        size[size == 0] = 1.0
        size[-1] = 1.0
        status, x, _ = conic(
            objective / size, sparse.csc_matrix(A / size), np.concatenate(constants), cones
        )
        return status, x / size

    def _triangle(self, block: Block) -> tuple[Floats, Floats]:
        """The block's upper triangle as a function of the unknowns and t, its vectors to scale."""
        n = len(block.place)
        constant, by_column = block.matrices()
        sizes = [np.abs(np.diag(m)) for m in [constant, *by_column.values()]]
        scale = np.maximum(np.max(sizes, axis=0), 1e-12) ** -0.5
        columns, rows = np.tril_indices(n)
        weight = scale[rows] * scale[columns] * np.where(rows == columns, 1.0, 2**0.5)
        matrix = np.zeros((len(rows), len(self.columns) + 1))
        for column, m in by_column.items():
            matrix[:, self.columns[column]] = m[rows, columns] * weight
        whole = constant[rows, columns] * weight
        top = max(np.abs(matrix).max(initial=0.0), np.abs(whole).max(initial=0.0), 1e-300)
        matrix, whole = matrix / top, whole / top
        matrix[rows == columns, -1] = -1.0
        return matrix, whole

    def _line(self, line: Line) -> tuple[Floats, float]:
        row = np.zeros(len(self.columns) + 1)
        constant = 0.0
        for column, weight in line:
            if column is None:
                constant += weight
            else:
                row[self.columns[column]] += weight
        top = max(np.abs(row).max(), abs(constant), 1e-300)
        return row / top, constant / top


def _places(forms: Iterable[Numbers]) -> dict[int, int]:
    return {i: n for n, i in enumerate(sorted({i for form in forms for key in form for i in key}))}


def _contradicts(line: Line) -> bool:
    return all(c is None for c, _ in line) and abs(sum(v for _, v in line)) > 1e-9
