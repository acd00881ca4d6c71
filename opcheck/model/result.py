"""What verbs give back: plain data, a file of it, one line, and a table in a notebook."""

from __future__ import annotations

import dataclasses
import html
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from opcheck.document import write
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

    def _repr_html_(self) -> str:
        """The fields that are not empty, each on a row; results that it holds as a table."""
        rows = []
        for field in dataclasses.fields(self):  # type: ignore[arg-type]
            value = getattr(self, field.name)
            several = isinstance(value, list | tuple) and all(isinstance(v, Result) for v in value)
            shown = _listed(value) if several and value else _cell(value)
            if shown:
                rows.append(f"<tr><th>{field.name}</th><td>{shown}</td></tr>")
        return f"<table>{''.join(rows)}</table>"


def _listed(results: Sequence[Result]) -> str:
    """A row for each, of what is a word or a number in the plain data of all."""
    data = [result.as_dict() for result in results[:LISTED]]
    columns = [
        name
        for name in data[0]
        if all(isinstance(row.get(name), str | int | float | None) for row in data)
        and any(row.get(name) not in ("", None) for row in data)
    ]
    head = "".join(f"<th>{name}</th>" for name in columns)
    rows = ["".join(f"<td>{_cell(row[name])}</td>" for name in columns) for row in data]
    rows += [f"<td>and {len(results) - LISTED} more</td>"] if len(results) > LISTED else []
    return f"<table>{''.join(f'<tr>{row}</tr>' for row in (head, *rows))}</table>"


def _cell(value: Any) -> str:
    """One value; "" for nothing."""
    if value is None or (hasattr(value, "__len__") and not len(value)):
        return ""
    exact = isinstance(value, str | float)  # a ratio near 1 is not rounded to it
    return html.escape(str(value) if exact else in_short(value))
