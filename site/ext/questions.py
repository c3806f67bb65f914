"""A question to check oneself by: the directive ``{exercise}`` with ``{hint}`` and ``{solution}``.

::

    ::::{exercise} ex-05-2
    For what time does the scheduler plan the start of `wide`?

    :::{hint}
    Which of the two numbers does the scheduler know?
    :::
    :::{solution}
    For the end of `big1` by its limit.
    :::
    ::::

The id is optional; with it the box leads to that exercise in the chapter's notebook, where an answer is checked by
``clustersim.checks``. Without content, question, hint and solution are those of ``clustersim/exercises``. An unknown id
fails the build. After the last question of a chapter stand links to all exercises of its notebook, without a directive.
"""
from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import lite_links
from chapter_card import fixed
from docutils import nodes
from predict import FOLD, Reveal
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.transforms import SphinxTransform
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import ExtensionMetadata

from clustersim.checks import KIND_LABELS, Exercise, exercise, exercises
from clustersim.errors import ClusterSimError
from clustersim.messages import _

CHAPTER = re.compile(r"book/(\d\d)-[\w-]+")

def notebook_of(env: BuildEnvironment, number: str) -> str | None:
    """The notebook of the chapter with this number, which has two digits."""
    return next((doc for doc in sorted(env.found_docs) if doc.startswith(f"notebooks/{number}-")), None)


def way(env: BuildEnvironment, notebook: str, item: Exercise, words: str) -> nodes.reference:
    """A link to the exercise in the notebook; ``page_check`` fails if its heading is not there."""
    place = nodes.make_id(f"Exercise {item.id} ({KIND_LABELS[item.kind]})")
    address = env.app.builder.get_relative_uri(env.docname, notebook)
    return nodes.reference("", words, internal=True, refuri=f"{address}#{place}")


class Question(SphinxDirective):
    """A box of class ``cs-exercise``; what is folded in it follows the question."""

    has_content = True
    optional_arguments = 1

    def run(self) -> list[nodes.Node]:
        item = self._known()
        if item is None:
            self.assert_has_content()
        box = nodes.admonition("", classes=["cs-exercise"])
        box.source, box.line = self.get_source_info()
        if item is not None:
            box += self._title(item)
        if self.content:
            self.state.nested_parse(self.content, self.content_offset, box)
        elif item is not None:
            box += [self._said(nodes.paragraph(), item, item.question), self._fold("hint", _("Hint"), item, item.hint),
                    self._fold("solution", _("Solution"), item, item.solution)]
        if item is not None:
            box += self._link(item)
        return [box]

    def _known(self) -> Exercise | None:
        if not self.arguments:
            return None
        try:
            return exercise(self.arguments[0])
        except ClusterSimError as error:
            raise self.error(f"exercise: {error}") from None

    def _title(self, item: Exercise) -> nodes.title:
        return fixed(nodes.title, _("Exercise {id} ({kind})").format(id=item.id, kind=_(KIND_LABELS[item.kind])))

    def _said(self, node: nodes.paragraph, item: Exercise, text: str) -> nodes.paragraph:
        """Words of ``clustersim/exercises``, translated there; names stand in backticks."""
        for i, part in enumerate(item.text(text).split("`")):
            node += nodes.literal("", part) if i % 2 else nodes.Text(part)
        node["translatable"] = False
        return node

    def _fold(self, name: str, words: str, item: Exercise, text: str) -> nodes.admonition:
        return nodes.admonition("", fixed(nodes.title, words), self._said(nodes.paragraph(), item, text),
                                classes=[FOLD, f"cs-{name}"])

    def _link(self, item: Exercise) -> nodes.paragraph:
        notebook = notebook_of(self.env, item.id[3:5])
        if notebook is None:
            raise self.error(f"exercise {item.id}: there is no notebook notebooks/{item.id[3:5]}-...")
        link = way(self.env, notebook, item, _("Answer it in the notebook, which checks your answer"))
        return nodes.paragraph("", "", link, classes=["cs-to-notebook"], translatable=False)


class Onward(SphinxTransform):
    """After the last question of a chapter: the way to each exercise of its notebook, and to the notebook in the browser."""

    default_priority = 8  # before the page is translated and counted

    def apply(self, **_options: Any) -> None:
        chapter = CHAPTER.fullmatch(self.env.docname)
        boxes = [box for box in self.document.findall(nodes.admonition) if "cs-exercise" in box["classes"]]
        notebook = notebook_of(self.env, chapter[1]) if chapter else None
        if chapter and boxes and notebook and not self.document.get("source", "").endswith("<translated>"):
            self.env.note_dependency(self.env.doc2path(notebook))
            text = Path(self.env.doc2path(notebook)).read_text("utf-8")
            asked = [item for item in exercises(int(chapter[1])) if f"Exercise {item.id} (" in text]
            boxes[-1].parent.insert(boxes[-1].parent.index(boxes[-1]) + 1, self._ways(notebook, asked) if asked else [])

    def _ways(self, notebook: str, asked: Sequence[Exercise]) -> nodes.container:
        links = nodes.bullet_list(classes=["cs-exercises"])
        for item in asked:
            words = f"{item.id} ({_(KIND_LABELS[item.kind])})"
            line = nodes.paragraph("", "", way(self.env, notebook, item, words), translatable=False)
            links += nodes.list_item("", line)
        text = _("The notebook asks more, and checks your answers:")
        box = nodes.container("", nodes.paragraph("", text, translatable=False), links, classes=["cs-onward"])
        name = notebook.partition("/")[2]
        there = lite_links.link(self.env.app, self.env.docname, name, _("Open the notebook in the browser"))
        if there:
            box += nodes.raw("", f'<p class="cs-launch">{there}</p>', format="html")
        return box


class Hint(Reveal):
    def default_words(self) -> str:
        return _("Hint")


class Solution(Reveal):
    def default_words(self) -> str:
        return _("Solution")


def setup(app: Sphinx) -> ExtensionMetadata:
    app.add_directive("exercise", Question)
    app.add_transform(Onward)
    app.add_directive("hint", Hint, override=True)  # docutils has one that is not folded
    app.add_directive("solution", Solution)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
