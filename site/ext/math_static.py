"""Formulas as MathML, made at build time: no script, no font to fetch, readable by screen readers.

Sphinx itself offers MathJax (a script of 0.3 MB per page with math) or pictures. Browsers draw MathML since 2023, and
docutils, which Sphinx is made of, already translates LaTeX to it.
"""
from __future__ import annotations

from typing import Any

from docutils import nodes
from docutils.utils.math import MathError
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.math import get_node_equation_number
from sphinx.util.typing import ExtensionMetadata

logger = logging.getLogger(__name__)


def mathml(node: nodes.Element, block: bool) -> str:
    """The formula of ``node`` as a ``<math>`` element; a formula that cannot be translated is a warning."""
    code = node.astext()
    try:
        return str(tex2mathml(code, as_block=block))
    except MathError as error:
        logger.warning("this formula cannot be shown: %s (%s)", code, error, location=node)
        return ""


def visit_inline(self: Any, node: nodes.math) -> None:
    self.body.append(self.starttag(node, "span", "", CLASS="math") + mathml(node, block=False) + "</span>")
    raise nodes.SkipNode


def visit_block(self: Any, node: nodes.math_block) -> None:
    self.body.append(self.starttag(node, "div", CLASS="math"))
    self.body.append(mathml(node, block=True))
    if node["number"]:
        self.body.append(f'<span class="eqno">({get_node_equation_number(self, node)})</span>')
    self.body.append("</div>\n")
    raise nodes.SkipNode


def setup(app: Sphinx) -> ExtensionMetadata:
    app.add_html_math_renderer("mathml_static", (visit_inline, None), (visit_block, None))
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
