"""What every page gets besides its text: a description, its place in the navigation, and no file that it does not use."""
from __future__ import annotations

from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment.adapters.toctree import document_toc
from sphinx.util.typing import ExtensionMetadata

LONGEST = 160  # characters of a description; search engines cut longer ones
# Scripts and styles of the theme and of Sphinx that our layout has no use for.
UNUSED = ("sphinx-book-theme.js", "sphinx_highlight.js", "doctools.js", "documentation_options.js", "translations.js",
          "sphinx-book-theme.css", "basic.css")


def description(doctree: nodes.document) -> str:
    """The first paragraph that is running text, cut at a word."""
    for paragraph in doctree.findall(nodes.paragraph):
        if isinstance(paragraph.parent, nodes.section):
            text = " ".join(paragraph.astext().split())
            if len(text) <= LONGEST:
                return text
            return text[: LONGEST - 1].rsplit(" ", 1)[0].rstrip(",;:") + "…"
    return ""


def is_unused(file: Any) -> bool:
    """Whether a script or style is none of ours: by its name, or an inline script that sets the theme's options."""
    body = str(getattr(file, "attributes", {}).get("body", ""))
    return Path(str(getattr(file, "filename", file) or "")).name in UNUSED or body.lstrip().startswith("DOCUMENTATION_OPTIONS")


def mark_current(html: str) -> str:
    """Tell assistive programs which entry of the navigation is this page."""
    link = '<a class="current reference internal" href="#"'
    return html.replace(link, link + ' aria-current="page"')


def fill(app: Sphinx, pagename: str, _template: str, context: dict[str, Any], doctree: nodes.document | None) -> None:
    own = 'name="description"' in (context.get("metatags") or "")
    text = description(doctree) if doctree is not None else ""
    context["cs_description"] = "" if own else text or app.config.html_title
    context["cs_toc"] = page_toc(app, pagename)
    maker = context.get("toctree")
    if maker is not None:
        context["cs_nav"] = lambda: mark_current(maker(maxdepth=3, collapse=True, includehidden=True, titles_only=True))
    for kind in ("script_files", "css_files"):
        context[kind] = [file for file in context[kind] if not is_unused(file)]


def page_toc(app: Sphinx, pagename: str) -> str:
    """The headings below the title as nested lists, or nothing where there are fewer than two."""
    if pagename not in app.env.tocs:
        return ""
    top = document_toc(app.env, pagename, app.tags)
    inner = next((child for item in top.children for child in item.children if isinstance(child, nodes.bullet_list)), None)
    if inner is None or len(inner) < 2:
        return ""
    return str(app.builder.render_partial(inner)["fragment"])  # type: ignore[attr-defined]


def setup(app: Sphinx) -> ExtensionMetadata:
    app.connect("html-page-context", fill, priority=900)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
