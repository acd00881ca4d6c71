"""Sphinx: Markdown, one theme, and mathematics as MathML, which needs no network."""

from __future__ import annotations

import re
from typing import Any

from docutils import nodes
from docutils.utils.math.latex2mathml import tex2mathml

from opcheck import __version__

project = "opcheck"
author = "The opcheck developers"
copyright = author
release = version = __version__
extensions = ["myst_parser"]
html_theme = "furo"
html_title = "opcheck"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sourcelink = False
html_show_sphinx = False
html_math_renderer = "mathml"
templates_path: list[str] = []
myst_enable_extensions = ["dollarmath", "deflist"]
myst_heading_anchors = 4
myst_links_external_new_tab = False
# two pages show a Rocq file and a table of steps with "..." for what is left out
suppress_warnings = ["misc.highlighting_failure"]
nitpicky = True


def _mathml(text: str, **options: Any) -> str:
    r"""MathML; an index behind ``\bar z`` stands beside it, where docutils would put it below."""
    return tex2mathml(re.sub(r"(\\bar ?(?:\w|{\w})}?)_", r"\1{}_", text), **options)


def _inline(writer: Any, node: nodes.math) -> None:
    writer.body.append(_mathml(node.astext()))
    raise nodes.SkipNode


def _display(writer: Any, node: nodes.math_block) -> None:
    text = _mathml(node.astext(), as_block=True)
    writer.body.append(f'<div class="formula">{text}</div>\n')
    raise nodes.SkipNode


def setup(app: Any) -> None:
    """Register the renderer."""
    app.add_html_math_renderer("mathml", (_inline, None), (_display, None))
