"""The sections with which every chapter ends: ``{key-points}``, ``{leaves-out}`` and ``{sources}``.

A directive makes the heading, in the language of the book and with one address in all languages, so an author writes the
content only. Each becomes a section right below the page's title, wherever the headings before it have led.
"""
from __future__ import annotations

from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import ExtensionMetadata

from clustersim.messages import N_, _

TITLES = {"key-points": N_("Key points"), "leaves-out": N_("What this model leaves out"), "sources": N_("Sources")}
MARK = "cs-end-section"


class EndSection(SphinxDirective):
    has_content = True

    def run(self) -> list[nodes.Node]:
        self.assert_has_content()
        title = TITLES[self.name]
        section = nodes.section("", nodes.title("", _(title), translatable=False), classes=[MARK, f"cs-{self.name}"],
                                names=[nodes.fully_normalize_name(title)])
        section.source, section.line = self.get_source_info()
        self.state.document.note_implicit_target(section, section)  # gives it its id
        section["ids"] = section["ids"] or [nodes.make_id(title)]
        self.state.nested_parse(self.content, self.content_offset, section)
        return [section]


class Raise(SphinxTransform):
    """Lift these sections out of the one they were written in; runs before anything counts or translates sections."""

    default_priority = 5

    def apply(self, **_options: Any) -> None:
        top = next((node for node in self.document.children if isinstance(node, nodes.section)), None)
        found = [node for node in self.document.findall(nodes.section) if MARK in node["classes"]]
        for section in reversed(found):  # so that each keeps its place among the others
            place: nodes.Node = section
            while place.parent is not None and place.parent is not top and place.parent is not self.document:
                place = place.parent
            if top is not None and place is not section and place.parent is top:
                section.parent.remove(section)
                top.insert(top.index(place) + 1, section)


def setup(app: Sphinx) -> ExtensionMetadata:
    for name in TITLES:
        app.add_directive(name, EndSection)
    app.add_transform(Raise)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
