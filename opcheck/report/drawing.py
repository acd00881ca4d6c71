"""The matplotlib figure that a sheet is: it shows itself in a notebook and carries its caption.

Imported by what draws, and by nothing else: it takes matplotlib with it.
"""

from __future__ import annotations

import base64
import html
import io

from matplotlib.figure import Figure

from opcheck.report.style import METADATA, style


class Drawing(Figure):
    """A figure with a caption.

    Attributes:
        caption: what the axes show and in which units, and what was left out; one text.
    """

    caption: str = ""

    def _repr_png_(self) -> bytes:
        """What a notebook shows, without a magic command."""
        with style(), io.BytesIO() as file:
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
