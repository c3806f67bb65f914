"""Words of code that stay in one piece at the end of a line.

Browsers break a line behind a hyphen, which would tear ``--exclusive`` into ``--`` and ``exclusive``. Long words may still
be broken, since on a narrow screen they would stand out of the page.
"""
from __future__ import annotations

from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util.typing import ExtensionMetadata

LONGEST = 30  # letters that fit into a box on a screen of 320 px


class KeepWhole(SphinxPostTransform):
    """Code between words whose own words are all short gets the class that book.css keeps whole."""

    default_priority = 900
    formats = ("html",)

    def run(self, **_options: Any) -> None:
        for node in self.document.findall(nodes.literal):
            if all(len(word) <= LONGEST for word in node.astext().split()):
                node["classes"].append("cs-whole")


def setup(app: Sphinx) -> ExtensionMetadata:
    app.add_post_transform(KeepWhole)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
