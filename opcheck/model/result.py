"""What verbs give back: plain data, a file of it, one line, and a table in a notebook."""

from __future__ import annotations

import dataclasses
import html
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
        """The fields that are not empty, each on a row; of results that it holds a line each."""
        rows = []
        for field in dataclasses.fields(self):  # type: ignore[arg-type]
            value = getattr(self, field.name)
            several = isinstance(value, list | tuple) and any(isinstance(v, Result) for v in value)
            lines = [repr(v) for v in value[:LISTED]] if several else [in_short(value)]
            lines += ["..."] if several and len(value) > LISTED else []
            if value is not None and lines != ["''"] and lines != ["()"] and lines != ["{}"]:
                shown = "<br>".join(html.escape(line) for line in lines)
                rows.append(f"<tr><th>{field.name}</th><td>{shown}</td></tr>")
        return f"<table>{''.join(rows)}</table>"
