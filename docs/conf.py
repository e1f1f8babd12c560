"""Sphinx: API pages from the docstrings, and the gallery, both written into `generated/` before Sphinx reads it."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

import api  # noqa: E402
import gallery  # noqa: E402
from latex2mathml.converter import convert  # noqa: E402

import banditlab  # noqa: E402

# The name of a function, with its power or alone, before what it is of: convert leaves no room between them.
_NAME = re.compile(r"(<msup><mi>log</mi><mn>\d</mn></msup>|(?<!<msup>)(?<!<msub>)<mi>(?:log|cosh)</mi>)(?=<m(?!o))")

project = "banditlab"
author = "The banditlab authors"
project_copyright = author
version = release = banditlab.__version__

extensions = ["sphinx.ext.autodoc", "sphinx.ext.viewcode", "numpydoc", "myst_parser"]
myst_enable_extensions = ["dollarmath", "colon_fence"]
myst_heading_anchors = 3
exclude_patterns = ["_build"]
default_role = "py:obj"
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False
autodoc_typehints = "none"  # the docstrings say it with shapes
autodoc_member_order = "bysource"
toc_object_entries_show_parents = "hide"
add_module_names = False
python_maximum_signature_line_length = 90

html_theme = "furo"
html_title = f"banditlab {version}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_math_renderer = "mathml"
html_copy_source = False
html_show_sphinx = False
html_last_updated_fmt = None


def setup(app: Any) -> dict[str, Any]:
    """Formulas as MathML, which browsers draw without a script; pages that are made from the package."""
    app.add_html_math_renderer("mathml", (_visit("inline"), None), (_visit("block"), None))
    app.connect("autodoc-process-docstring", _norms, priority=100)  # before numpydoc
    pictures = os.environ.get("DOCS_GALLERY", "1") != "0"
    if pictures:
        gallery.draw()
    gallery.write(HERE / "generated" / "gallery", pictures=pictures)
    api.write(HERE / "generated" / "api")
    return {"parallel_read_safe": False}


def _visit(display: str) -> Any:
    def visit(self: Any, node: Any) -> None:
        from docutils.nodes import SkipNode

        formula = convert(node.astext(), display=display)
        formula = re.sub(r"(<mo[^>]*>)\\([{}]</mo>)", r"\1\2", formula)  # large braces, which convert leaves
        formula = _NAME.sub(r'\1<mspace width="0.17em"/>', formula)
        self.body.append(formula if display == "inline" else f'<div class="formula">{formula}</div>\n')
        raise SkipNode

    return visit


def _norms(app: Any, what: str, name: str, thing: Any, options: Any, lines: list[str]) -> None:
    """Bars in docstrings are norms and conditions, not Docutils' substitutions."""
    lines[:] = [api.plain(line) for line in lines]
