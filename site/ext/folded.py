"""Solutions and boxes of class ``dropdown`` as ``<details>``: they open without a script, and print.

Jupyter Book folds them by a script (sphinx-togglebutton), which leaves them open where no script runs.
"""
from __future__ import annotations

from html import escape
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util.typing import ExtensionMetadata


class folded_box(nodes.General, nodes.Element):
    """A box whose first child is its title."""


class Fold(SphinxPostTransform):
    """Runs late: the titles of solutions are known only when references have been resolved."""

    default_priority = 900
    formats = ("html",)

    def run(self, **_options: Any) -> None:
        boxes = [node for node in self.document.findall(nodes.Element) if isinstance(node, nodes.Admonition)]
        for node in boxes:
            if "dropdown" not in node["classes"] or not isinstance(node.children[0], nodes.title):
                continue
            box = folded_box("", *node.children, ids=node["ids"], names=node["names"])
            box["classes"] = [name for name in node["classes"] if name != "dropdown"]
            node.replace_self(box)


def visit_html(self: Any, node: folded_box) -> None:
    self.body.append(self.starttag(node, "details", CLASS="admonition cs-folded"))
    title = node.children[0]
    # Words only: a link inside what folds and unfolds would be a control inside a control.
    self.body.append(f'<summary class="admonition-title">{escape(" ".join(title.astext().split()))}</summary>\n')
    node.remove(title)


def depart_html(self: Any, _node: folded_box) -> None:
    self.body.append("</details>\n")


def setup(app: Sphinx) -> ExtensionMetadata:
    app.add_node(folded_box, html=(visit_html, depart_html))
    app.add_post_transform(Fold)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
