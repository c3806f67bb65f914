"""Solutions and boxes of class ``dropdown`` as ``<details>``: they open without a script, and print.

Jupyter Book folds them by a script (sphinx-togglebutton), which leaves them open where no script runs.
"""
from __future__ import annotations

from html import escape
from typing import Any

from docutils import nodes
from myst_nb.sphinx_ import HideCodeCellNode
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util.typing import ExtensionMetadata

from clustersim.messages import _


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


def depart_html(self: Any, _node: nodes.Element) -> None:
    self.body.append("</details>\n")


def visit_cell(self: Any, node: HideCodeCellNode) -> None:
    """A hidden notebook cell. myst-nb's own fold has a name that is not the words one sees."""
    solution = node.parent is not None and "tag_solution" in node.parent["classes"]
    words = _("Solution") if solution else _(node["prompt_show"])
    self.body.append(f'<details class="admonition cs-folded hide {" ".join(node["classes"])}">\n'
                     f'<summary class="admonition-title">{escape(words)}</summary>\n')


def setup(app: Sphinx) -> ExtensionMetadata:
    app.add_node(folded_box, html=(visit_html, depart_html))
    app.add_node(HideCodeCellNode, override=True, html=(visit_cell, depart_html))
    app.add_post_transform(Fold)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
