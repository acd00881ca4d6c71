"""The matplotlib figure that a sheet is: it shows itself in a notebook and carries its caption.

Imported by what draws, and by nothing else: it takes matplotlib with it.
"""

from __future__ import annotations

import base64
import html
import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

from matplotlib.figure import Figure

from opcheck.report.style import METADATA, style

if TYPE_CHECKING:
    from opcheck.model.table import Table


class Drawing(Figure):
    """A figure with a caption.

    Attributes:
        caption: what the axes show and in which units, and what was left out; one text.
        data: what each panel draws.
        style: how its text is set.
    """

    def __init__(self, *sizes: Any, **options: Any) -> None:
        super().__init__(*sizes, **options)
        self.caption = ""
        self.data: list[Table] = []
        self.style = ""

    def save(self, path: str | Path) -> list[Path]:
        """Write ``STEM`` as SVG, PNG and PDF, or one of these; and what it draws as CSV beside it.

        Raises OpcheckError for another suffix or a place that can't be written.
        """
        from opcheck.report.figure import save_all

        return save_all(self, path)

    def svg(self) -> str:
        """The drawing as an element of a page: no text of its file before it."""
        with style(self.style), io.StringIO() as file:
            self.savefig(file, format="svg", metadata=METADATA[".svg"])
            text = file.getvalue()
        return text[text.index("<svg") :]

    def _repr_png_(self) -> bytes:
        """What a notebook shows, without a magic command."""
        with style(self.style), io.BytesIO() as file:
            self.savefig(file, format="png", metadata=METADATA[".png"])
            return file.getvalue()

    def _repr_html_(self) -> str:
        """The same at its size in inches, with the caption below."""
        data = base64.b64encode(self._repr_png_()).decode()
        caption = html.escape(self.caption)
        return (
            f'<figure style="margin:0"><img alt="{caption}" style="width:{self.get_figwidth():g}in;'
            f'max-width:100%;background:white" src="data:image/png;base64,{data}">'
            f"<figcaption>{caption}</figcaption></figure>"
        )
