"""Links into JupyterLite: from the page of a chapter or notebook to its notebook, from a live figure to one made of it.

A link is there only if what it leads to is there: the site build puts JupyterLite into the output before the pages.
"""
from __future__ import annotations

import json
from html import escape
from typing import Any

import language
from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata

from clustersim.messages import _

MB = 1_000_000


def link(app: Sphinx, page: str, notebook: str, words: str) -> str:
    """A link on ``page`` to ``lite/files/NOTEBOOK.ipynb`` as it opens there, or nothing where there is none.

    In an edition it leads to the notebook in its language.
    """
    path = f"{app.config.edition}/{notebook}.ipynb".lstrip("/")
    if not (language.site_root(app) / "lite" / "files" / path).is_file():
        return ""
    address = f"{language.to_root(app, page)}lite/notebooks/index.html?path={path}"
    return f'<a href="{escape(address)}">{escape(words)}</a>'


def figure_link(app: Sphinx, page: str, experiment: str) -> str:
    """Below a live figure: the same figure in a notebook."""
    found = link(app, page, f"figures/{experiment}", _("Open this figure in a notebook"))
    return found and f'<p class="lv-notebook">{found}</p>'


def page_link(app: Sphinx, page: str, notebook: str, words: str) -> str:
    """Below a title: the notebook, and what opening it costs."""
    found = link(app, page, notebook, words)
    if not found:
        return ""
    size = json.loads((language.site_root(app) / "lite" / "about.json").read_text("utf-8"))["bytes_gzip"]
    note = _("nothing to install; loads at least {size:.0f} MB the first time").format(size=size / MB)
    return f'\n<p class="cs-launch">{found} <small>({escape(note)})</small></p>'


def under_the_title(app: Sphinx, pagename: str, _template: str, context: dict[str, Any], doctree: object) -> None:
    """On the page of a chapter or of a notebook: the notebook to run."""
    folder, _slash, stem = pagename.rpartition("/")
    words = {"book": _("Open the notebook of this chapter in the browser"), "notebooks": _("Run this notebook in the browser")}
    if doctree is None or folder not in words or "body" not in context:
        return
    head, end, rest = str(context["body"]).partition("</h1>")
    if end:
        context["body"] = head + end + page_link(app, pagename, stem, words[folder]) + rest


def setup(app: Sphinx) -> ExtensionMetadata:
    app.connect("html-page-context", under_the_title)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
