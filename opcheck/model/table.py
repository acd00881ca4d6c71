"""Tables: named columns of numbers or words, with their units. What experiments give back."""

from __future__ import annotations

import csv
import html
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from opcheck.arguments import asked
from opcheck.document import write, writing
from opcheck.errors import OpcheckError
from opcheck.model.drawn import Drawn
from opcheck.model.result import Result

LISTED = 60  # rows that a notebook shows
GREEK = [
    rf"\{name}"
    for name in (
        *("alpha", "beta", "gamma", "delta", "varepsilon", "zeta", "eta", "theta", "kappa"),
        *("lambda", "mu", "nu", "xi", "pi", "rho", "sigma", "tau", "varphi", "chi", "psi", "omega"),
    )
]
LATEX = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        **{sign: rf"\{sign}" for sign in "&%$#_{}"},
        # what the classical engines of LaTeX do not know as letters
        **{
            sign: f"${command}$"
            for sign, command in {
                **dict(zip("αβγδεζηθκλμνξπρστφχψω", GREEK, strict=True)),
                **{"≤": r"\le", "≥": r"\ge", "≠": r"\ne", "−": "-", "→": r"\to", "∞": r"\infty"},
                **{"×": r"\times", "·": r"\cdot", "∈": r"\in", "∂": r"\partial", "√": r"\surd"},
                **{"‖": r"\Vert", "⟨": r"\langle", "⟩": r"\rangle", "²": "^2", "³": "^3"},
            }.items()
        },
        **{
            "…": r"\ldots{}",
            "–": "--",
            "<": r"\textless{}",
            ">": r"\textgreater{}",
            "|": r"\textbar{}",
        },
    }
)


@dataclass(frozen=True)
class Table(Drawn, Result):
    """Columns of one length.

    Attributes:
        columns: name -> values, shape (n,): whole numbers, floats, booleans or words.
        units: name -> unit or meaning, as ``1/L``; a column may have none.
        caption: what the rows are.

    Raises OpcheckError for columns of different lengths, of more than one axis, and for a unit of
    no column.
    """

    columns: Mapping[str, Any]  # arrays, once it is made
    units: Mapping[str, str] = field(default_factory=dict)
    caption: str = ""
    picture: ClassVar[str] = "table"

    def __post_init__(self) -> None:
        arrays = {name: _column(name, values) for name, values in self.columns.items()}
        lengths = {len(values) for values in arrays.values()}
        if len(lengths) > 1:
            told = ", ".join(f"{name} {len(values)}" for name, values in arrays.items())
            raise OpcheckError(f"the columns of a table differ in length: {told}")
        for name in self.units:
            if name not in arrays:
                raise OpcheckError(f"{name!r} has a unit and is no column: {', '.join(arrays)}")
        object.__setattr__(self, "columns", arrays)

    def __getitem__(self, name: str) -> NDArray[Any]:
        """A column. Raises OpcheckError for a name that is none."""
        if name not in self.columns:
            raise OpcheckError(
                f"the table has no column {name!r}; it has {', '.join(self.columns)}"
            )
        values: NDArray[Any] = self.columns[name]
        return values

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), ()))

    def __bool__(self) -> bool:
        return True  # also without rows

    def series(self) -> Mapping[str, Any]:
        """The columns."""
        return {name: values.tolist() for name, values in self.columns.items()}

    def rows(self) -> Iterator[dict[str, Any]]:
        """Each row, name -> Python value."""
        lists = [values.tolist() for values in self.columns.values()]
        for row in zip(*lists, strict=True):
            yield dict(zip(self.columns, row, strict=True))

    def where(self, **values: Any) -> Table:
        """The rows in which columns have these values. Raises OpcheckError for no such column."""
        keep = np.ones(len(self), dtype=bool)
        for name, value in values.items():
            keep &= self[name] == value
        kept = {name: column[keep] for name, column in self.columns.items()}
        return Table(kept, self.units, self.caption)

    def groups(self, *names: str) -> Iterator[tuple[tuple[Any, ...], Table]]:
        """The values of some columns, in the order of their first row, and the rows with them.

        Raises OpcheckError for a name that is no column.
        """
        keys = list(zip(*(self[name].tolist() for name in names), strict=True))
        for key in dict.fromkeys(keys):
            yield key, self.where(**dict(zip(names, key, strict=True)))

    def as_dict(self) -> dict[str, Any]:
        """Plain data, for JSON."""
        columns = {name: values.tolist() for name, values in self.columns.items()}
        return {"caption": self.caption, "units": dict(self.units), "columns": columns}

    def csv(self) -> str:
        """One line for each row below the names; a number in its shortest form that reads back."""
        file = io.StringIO()
        lines = csv.writer(file, lineterminator="\n")
        lines.writerow(self.columns)
        for row in self.rows():
            lines.writerow([repr(v) if isinstance(v, float) else v for v in row.values()])
        return file.getvalue()

    def markdown(self, digits: int = 4) -> str:
        """A table of GitHub's Markdown, floats to so many digits."""
        lines = [
            [escaped.replace("|", "\\|") for escaped in line]
            for line in [self._heads(), *self._cells(digits)]
        ]
        lines.insert(1, ["---:" if aligned else "---" for aligned in self._numeric()])
        return "".join(f"| {' | '.join(line)} |\n" for line in lines)

    def latex(self, digits: int = 4) -> str:
        """A ``tabular`` with the rules of booktabs, floats to so many digits."""
        columns = "".join("r" if aligned else "l" for aligned in self._numeric())
        head, *body = [
            " & ".join(cell.translate(LATEX) for cell in line) + r" \\"
            for line in [self._heads(), *self._cells(digits)]
        ]
        rules = [rf"\begin{{tabular}}{{{columns}}}", r"\toprule", head, r"\midrule", *body]
        return "\n".join([*rules, r"\bottomrule", r"\end{tabular}", ""])

    def save(self, path: str | Path) -> Path:
        """Write ``.csv``, ``.md``, ``.tex`` or ``.json``.

        Raises OpcheckError for another suffix, and where that is not possible.
        """
        target = Path(path)
        texts = {".csv": self.csv, ".md": self.markdown, ".tex": self.latex}
        suffix = target.suffix.lower()
        if suffix == ".json":
            return write(self, target)
        if suffix not in texts:
            raise OpcheckError(
                f"{target.name!r} is no table; end it in .csv, .md, .tex (booktabs) or .json"
            )
        with writing(target):
            target.write_text(texts[suffix](), encoding="utf-8", newline="\n")
        return target

    def _heads(self) -> list[str]:
        return [f"{n} ({self.units[n]})" if self.units.get(n) else n for n in self.columns]

    def _cells(self, digits: int) -> Iterator[list[str]]:
        for row in self.rows():
            yield [f"{v:.{digits}g}" if isinstance(v, float) else str(v) for v in row.values()]

    def _numeric(self) -> list[bool]:
        return [values.dtype.kind in "fiu" for values in self.columns.values()]

    def _repr_html_(self) -> str:
        """The first rows, with the caption."""
        first = [cells for cells, _ in zip(self._cells(4), range(LISTED), strict=False)]
        head = "".join(f"<th>{html.escape(name)}</th>" for name in self._heads())
        rows = ["".join(f"<td>{html.escape(cell)}</td>" for cell in line) for line in first]
        body = "".join(f"<tr>{row}</tr>" for row in [head, *rows])
        more = f" And {len(self) - LISTED} more rows." if len(self) > LISTED else ""
        return f"<table>{body}</table><p>{html.escape(self.caption)}{more}</p>"


def read_csv(path: str | Path) -> Table:
    """The table of a CSV file with names in its first line, as ``Table.save`` writes it.

    A column is whole numbers, else floats, else words.

    Raises OpcheckError for a file that can't be read, without names, or with rows that differ in
    length.
    """
    source = Path(path)
    try:
        with source.open(newline="", encoding="utf-8") as file:
            lines = [line for line in csv.reader(file) if line]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise OpcheckError(f"can't read {str(path)!r} as CSV: {error}") from error
    if not lines or len(set(lines[0])) < len(lines[0]):
        raise OpcheckError(f"{source.name!r} needs names in its first line, each another")
    names, *rows = lines
    for number, row in enumerate(rows, 2):
        if len(row) != len(names):
            raise OpcheckError(
                f"line {number} of {source.name!r} has {len(row)} values for {len(names)} names"
            )
    return Table({name: _read([row[i] for row in rows]) for i, name in enumerate(names)})


def _read(cells: Sequence[str]) -> NDArray[Any]:
    truths = {"True": True, "False": False}
    if cells and all(cell in truths for cell in cells):
        return np.array([truths[cell] for cell in cells])
    for kind in (int, float):
        try:
            return np.array([kind(cell) for cell in cells])
        except (ValueError, OverflowError):
            continue
    return np.array(cells)


def _column(name: str, values: Any) -> NDArray[Any]:
    if not isinstance(name, str):
        raise OpcheckError(f"a column of a table is named by a word, not by {name!r}")
    array = np.asarray(values)
    if array.ndim != 1 or array.dtype.kind not in "fiubU":
        raise OpcheckError(
            f"column {name!r} needs numbers, truths or words, one for each row, not "
            f"{array.dtype} of shape {array.shape}"
        )
    return array


Table.__init__ = asked(Table.__init__)  # type: ignore[method-assign]
