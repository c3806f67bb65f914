"""What a reader has read and solved, kept in the reader's own browser and nowhere else: ``progress.js``.

Here are its places in the pages: "I have read this" at the end of a chapter or notebook, the words for marks in the
navigation and at exercises, and the directive ``{progress}``, the table of everything with ways to save, read and erase it.
"""
from __future__ import annotations

from html import escape
from typing import Any

from chapter_numbers import topic
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import ExtensionMetadata

from clustersim.checks import exercises
from clustersim.messages import _

PAGE = "book/progress"


def words() -> dict[str, str]:
    """What the script says; ``{name}`` is filled in by it."""
    return {
        "read": _("read"), "solved": _("solved"), "count": _("{solved} of {all}"), "saved": _("Saved to {name}."),
        "merged": _("Taken over from {name}. New here: pages {pages}, exercises {exercises}."),
        "unusable": _("{name} was not saved by this book: nothing was changed."),
        "sure": _("Erase everything that is kept here?"), "erased": _("Erased: nothing is kept any more."),
        "forgetful": _("This browser does not let the book keep anything, as in some private windows. Marks last until you "
                       "leave the page."),
    }


def attributes() -> str:
    return " ".join(f'data-{name}="{escape(text)}"' for name, text in words().items())


def add(app: Sphinx, page: str, _template: str, context: dict[str, Any], doctree: nodes.document | None) -> None:
    """The words on every page; at the end of a chapter or notebook the button."""
    if doctree is None or "body" not in context:
        return
    body = f'{context["body"]}\n<div id="cs-progress-words" hidden data-pagefind-ignore="all" {attributes()}></div>'
    if topic(page) is not None:
        said = _("I have read this chapter") if page.startswith("book/") else _("I have worked through this notebook")
        link = ""
        if PAGE in app.env.found_docs:
            address = app.builder.get_relative_uri(page, PAGE)
            link = f' <a href="{escape(address)}">{escape(_("Your progress"))}</a>'
        body += (f'\n<p class="cs-done js-only"><button type="button" class="cs-done-button" aria-pressed="false" '
                 f'data-page="{escape(page)}">{escape(said)}</button>{link}</p>')
    context["body"] = body


class progress_table(nodes.General, nodes.Element):
    """Filled in when the page is written, as it needs the titles of all others."""


class Progress(SphinxDirective):
    def run(self) -> list[nodes.Node]:
        return [progress_table()]


def row(app: Sphinx, page: str) -> str:
    number = topic(page)
    ids = [item.id for item in exercises(number)] if number is not None and page.startswith("notebooks/") else []
    title = " ".join(app.env.titles[page].astext().split())
    if page.startswith("book/"):
        title = f"{number:02d} {title}"
    address = app.builder.get_relative_uri(PAGE, page)
    solved = f'<td class="cs-progress-solved">{len(ids) or ""}</td>'
    return (f'<tr data-page="{escape(page)}" data-exercises="{" ".join(ids)}"><th scope="row"><a href="{escape(address)}">'
            f'{escape(title)}</a></th><td class="cs-progress-read"></td>{solved}</tr>')


def visit(self: Any, _node: progress_table) -> None:
    app = self.builder.app
    pages = sorted(page for page in app.env.found_docs if topic(page) is not None)
    rows = "".join(row(app, page) for page in pages)
    heads = "".join(f'<th scope="col">{escape(text)}</th>' for text in (_("Page"), _("Read"), _("Exercises")))
    buttons = "".join(f'<button type="button" class="cs-progress-{name}">{escape(text)}</button> ' for name, text in (
        ("save", _("Save to a file")), ("load", _("Read from a file")), ("erase", _("Erase"))))
    self.body.append(
        f'<div class="cs-scroll"><table class="cs-progress"><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>'
        f'<noscript><p>{escape(_("Keeping track needs JavaScript."))}</p></noscript>'
        f'<div class="cs-progress-tools js-only">{buttons}<input type="file" accept="application/json,.json" hidden '
        f'aria-label="{escape(_("A file with saved progress"))}" /><p class="cs-progress-said" role="status"></p></div>')
    raise nodes.SkipNode


def setup(app: Sphinx) -> ExtensionMetadata:
    app.add_node(progress_table, html=(visit, None))
    app.add_directive("progress", Progress)
    app.connect("html-page-context", add, priority=600)
    app.add_js_file("progress.js", type="module")
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
