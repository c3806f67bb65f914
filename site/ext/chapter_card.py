"""The directive ``{card}``: what a chapter takes, what it asks for and what one can do afterwards.

::

    :::{card}
    :read: 20
    :do: 25
    to have typed a command into a shell.

    - predict a small schedule by hand
    - read what Slurm says about a job that waits

    The page was checked against Slurm 22.05.8.
    :::

What stands before the list follows the words "You need", the items follow "Afterwards you can", and what stands after the
list is a remark. The minutes are estimates unless ``:measured:`` is given. All words but the content are translated.
"""
from __future__ import annotations

from typing import TypeVar

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import ExtensionMetadata

from clustersim.messages import _

Node = TypeVar("Node", bound=nodes.TextElement)


class Card(SphinxDirective):
    """An admonition of class ``cs-card``: a title and a list of what is needed, promised and remarked."""

    has_content = True
    option_spec = {"read": directives.positive_int, "do": directives.positive_int, "measured": directives.flag}

    def run(self) -> list[nodes.Node]:
        if not {"read", "do"} <= set(self.options):
            raise self.error("a card needs the minutes it takes: `:read: 20` and `:do: 25`")
        body = nodes.Element()
        self.state.nested_parse(self.content, self.content_offset, body)
        at = next((i for i, node in enumerate(body.children) if isinstance(node, nodes.bullet_list)), 0)
        if at == 0:
            raise self.error("a card says first what one needs, then as a list (`- ...`) what one can do afterwards")
        rows: list[tuple[str, list[nodes.Node]]] = [(_("It takes"), [self._times()]), (_("You need"), body.children[:at]),
                (_("Afterwards you can"), body.children[at:at + 1])]
        parts = [fixed(nodes.title, _("Before you start")), nodes.definition_list("", *(row(*pair) for pair in rows)),
                 *body.children[at + 1:]]
        card = nodes.admonition("", *parts, classes=["cs-card"])
        card.source, card.line = self.get_source_info()
        return [card]

    def _times(self) -> nodes.paragraph:
        words = _("{read} min to read and {do} min to try things, both measured.") if "measured" in self.options else _(
            "about {read} min to read and {do} min to try things, both estimated.")
        return fixed(nodes.paragraph, words.format(**self.options))


def fixed(kind: type[Node], text: str) -> Node:
    """A node with words of our own: translated already, so not a message of the page."""
    return kind("", text, translatable=False)


def row(label: str, content: list[nodes.Node]) -> nodes.definition_list_item:
    return nodes.definition_list_item("", fixed(nodes.term, label), nodes.definition("", *content))


def setup(app: Sphinx) -> ExtensionMetadata:
    app.add_directive("card", Card)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
