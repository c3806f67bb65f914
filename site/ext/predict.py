"""Predict, then look: the directives ``{predict}`` and ``{reveal}``.

::

    ::::{predict}
    Which way does the mean wait go?

    :::{reveal} What happens, and why
    Hardly anywhere.
    :::
    ::::

``{reveal}`` folds what it holds: native ``<details>``, so it works by keyboard and without a script, and is open on paper.
Its words are "Answer" unless it is given others. Where a figure gives the answer, ``{predict}`` stands alone before it.
"""
from __future__ import annotations

from chapter_card import fixed
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import ExtensionMetadata

from clustersim.messages import _

FOLD = "dropdown"  # the class that folded.py turns into <details>


class Predict(SphinxDirective):
    """A box with the question to commit to."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        self.assert_has_content()
        box = nodes.admonition("", fixed(nodes.title, _("Predict")), classes=["cs-predict"])
        box.source, box.line = self.get_source_info()
        self.state.nested_parse(self.content, self.content_offset, box)
        return [box]


class Reveal(SphinxDirective):
    """What to look at after one's own answer."""

    has_content = True
    optional_arguments = 1
    final_argument_whitespace = True

    def run(self) -> list[nodes.Node]:
        self.assert_has_content()
        box = nodes.admonition("", self._title(), classes=[FOLD, f"cs-{self.name}"])
        box.source, box.line = self.get_source_info()
        self.state.nested_parse(self.content, self.content_offset, box)
        return [box]

    def default_words(self) -> str:
        return _("Answer")

    def _title(self) -> nodes.title:
        if not self.arguments:
            return fixed(nodes.title, self.default_words())
        inlines, _messages = self.state.inline_text(self.arguments[0], self.lineno)
        title = nodes.title(self.arguments[0], "", *inlines)
        title.source, title.line = self.get_source_info()
        return title


def setup(app: Sphinx) -> ExtensionMetadata:
    app.add_directive("predict", Predict)
    app.add_directive("reveal", Reveal)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
