"""What verbs give back: plain data, a file of it, one line, and a table in a notebook."""

from __future__ import annotations

import dataclasses
import html
import importlib.util
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from opcheck.document import write
from opcheck.errors import MissingExtra
from opcheck.model.brief import brief, in_short

LISTED = 20  # results that a table shows of a sequence of them


class Result:
    """The base of a dataclass that a verb returns; its ``repr`` is one line."""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        brief(cls)

    def as_dict(self) -> dict[str, Any]:
        """Plain data, for JSON."""
        return dataclasses.asdict(self)  # type: ignore[call-overload, no-any-return]

    def save(self, path: str | Path) -> Path:
        """Write a JSON file. Raises OpcheckError where that is not possible."""
        return write(self, path)

    def series(self) -> Mapping[str, Sequence[Any]]:
        """Columns of words and numbers: a row for each result it holds, else one of its own."""
        for field in dataclasses.fields(self):  # type: ignore[arg-type]
            held = getattr(self, field.name)
            if _several(held) and held:
                return _scalars(held)
        return _scalars([self])

    def to_frame(self) -> Any:
        """The columns of ``series`` as a frame of pandas or, where that is absent, of polars.

        Raises MissingExtra where neither is installed.
        """
        columns = {name: list(values) for name, values in self.series().items()}
        for library in ("pandas", "polars"):
            if importlib.util.find_spec(library) is not None:
                return importlib.import_module(library).DataFrame(columns)
        raise MissingExtra("a frame needs pandas or polars; install one with: pip install pandas")

    def _repr_html_(self) -> str:
        """The fields that are not empty, each on a row; results that it holds as a table."""
        rows = []
        for field in dataclasses.fields(self):  # type: ignore[arg-type]
            value = getattr(self, field.name)
            shown = _listed(value) if _several(value) and value else _cell(value)
            if shown:
                rows.append(f"<tr><th>{field.name}</th><td>{shown}</td></tr>")
        return f"<table>{''.join(rows)}</table>"


def _several(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(v, Result) for v in value)


def _scalars(results: Sequence[Result]) -> dict[str, list[Any]]:
    """Of what is a word or a number in the plain data of all, and not empty in all."""
    data = [result.as_dict() for result in results]
    columns = {name: [row.get(name) for row in data] for name in data[0]}
    return {
        name: values
        for name, values in columns.items()
        if all(isinstance(value, str | int | float | None) for value in values)
        and any(value not in ("", None) for value in values)
    }


def _listed(results: Sequence[Result]) -> str:
    """A row for each."""
    columns = _scalars(results[:LISTED])
    head = "".join(f"<th>{name}</th>" for name in columns)
    rows = [
        "".join(f"<td>{_cell(value)}</td>" for value in row)
        for row in zip(*columns.values(), strict=True)
    ]
    rows += [f"<td>and {len(results) - LISTED} more</td>"] if len(results) > LISTED else []
    return f"<table>{''.join(f'<tr>{row}</tr>' for row in (head, *rows))}</table>"


def _cell(value: Any) -> str:
    """One value; "" for nothing."""
    if value is None or (hasattr(value, "__len__") and not len(value)):
        return ""
    exact = isinstance(value, str | float)  # a ratio near 1 is not rounded to it
    return html.escape(str(value) if exact else in_short(value))
