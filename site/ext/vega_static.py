"""Vega-Lite results of notebook cells as inline SVG, with the cell's own text as the alternative text.

myst-nb does not know the MIME type and would warn. Its plug-ins for MIME types are found by entry points of installed
packages; this folder is none, so the renderer is added to the list that myst-nb keeps.
"""
from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import pictures
from docutils import nodes
from myst_nb.core.render import MimeData, NbElementRenderer, load_mime_renders
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import logging
from sphinx.util.typing import ExtensionMetadata

from clustersim.figures import MIME, for_page

logger = logging.getLogger(__name__)
LIBRARY_TEXT = "<"  # the text/plain that objects without a text of their own get: <IPython.core.display...>


class vega_figure(nodes.General, nodes.Element):
    """One chart; ``spec`` is its specification, ``alt`` and ``heading`` come from the text beside it."""


class VegaRenderer:
    """What myst-nb calls for every result; it answers for Vega-Lite only."""

    mime_priority_overrides = (("*", MIME, 1),)

    @staticmethod
    def handle_mime(_renderer: NbElementRenderer, data: MimeData, _inline: bool) -> list[nodes.Element] | None:
        if data.mime_type != MIME:
            return None
        spec = json.loads(data.content) if isinstance(data.content, str) else data.content
        return [vega_figure("", spec=spec)]


class TakeText(SphinxPostTransform):
    """Give each chart the text/plain of its own result; runs before myst-nb keeps one form of each result."""

    default_priority = 3

    def run(self, **_options: Any) -> None:
        for node in list(self.document.findall(vega_figure)):
            bundle = node.parent.parent if node.parent is not None else None
            texts = [form.astext() for form in bundle or () if getattr(form, "attributes", {}).get("mime_type") == "text/plain"]
            heading, _newline, alt = (texts[0].strip() if texts else "").partition("\n")
            node["heading"], node["alt"] = (heading, alt.strip()) if alt.strip() else ("", heading)
            if self.app.builder.format != "html":
                node.replace_self(nodes.paragraph("", ". ".join(filter(None, (node["heading"], node["alt"])))))
            if not node["alt"] or node["alt"].startswith(LIBRARY_TEXT):
                logger.warning("this figure has no text/plain that says what it shows", location=node)


def figure(spec: Mapping[str, Any], heading: str, alt: str) -> dict[str, Any]:
    """The parts of a chart in the form that `pictures` draws."""
    # The heading stands above the picture as text, so the drawing does not repeat it.
    # On a page it has the page's ground, light or dark.
    bare = {name: value for name, value in spec.items() if name not in ("datasets", "title")} | {"background": None}
    return {"name": "chart", "title": heading, "alt": alt, "spec": for_page(bare), "data": for_page(spec.get("datasets", {}))}


def visit_html(self: Any, node: vega_figure) -> None:
    text = json.dumps(node["spec"], sort_keys=True)
    self.cs_charts = getattr(self, "cs_charts", 0) + 1
    prefix = f"chart-{self.cs_charts}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"
    self.body.append(pictures.picture(figure(node["spec"], node.get("heading", ""), node.get("alt", "")), prefix))
    raise nodes.SkipNode


def setup(app: Sphinx) -> ExtensionMetadata:
    app.add_node(vega_figure, html=(visit_html, None))
    renderers = load_mime_renders()
    if VegaRenderer not in renderers:
        renderers.append(VegaRenderer)
    app.add_post_transform(TakeText)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
