"""Terms of the glossary, explained where they stand: a ``{term}`` link carries the glossary's words for it.

Each page that uses terms holds their definitions once, hidden, and each link names its own by ``aria-describedby``: a
screen reader has it without a script. ``terms.js`` shows the same words on hover, focus and touch. Without JavaScript the
link leads to the glossary, as it always does.
"""
from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from html import escape
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util.typing import ExtensionMetadata

from clustersim.messages import _

# What Sphinx writes for a resolved {term}.
LINK = re.compile(r'<a class="reference internal" href="([^"#]*)#(term-[^"]+)"(?=[^>]*><span class="xref std std-term">)')
Terms = dict[str, str]


def definitions(env: BuildEnvironment) -> Terms:
    """The text of each term of every glossary, by the id of its place; synonyms share a text."""
    pages = {page for (kind, _name), (page, _place) in env.domaindata["std"]["objects"].items() if kind == "term"}
    found: Terms = {}
    for page in sorted(pages):
        for item in env.get_doctree(page).findall(nodes.definition_list_item):
            text = " ".join(part.astext() for part in item.findall(nodes.definition))
            found |= {name: " ".join(text.split()) for term in item.findall(nodes.term) for name in term["ids"]}
    return found


def explained(body: str, terms: Terms) -> tuple[str, list[str]]:
    """The page's text with each term's link naming its explanation, and the ids of the terms that it uses."""
    used: dict[str, None] = {}

    def mark(match: re.Match[str]) -> str:
        if match[2] not in terms:
            return match[0]
        used[match[2]] = None
        return f'<a class="reference internal cs-term" href="{match[1]}#{match[2]}" aria-describedby="{place(match[2])}"'

    return LINK.sub(mark, body), list(used)


def place(term: str) -> str:
    """The id of the hidden explanation of a term on a page that uses it."""
    return f"explained-{term}"


def box(used: Iterable[str], terms: Terms) -> str:
    """The explanations of a page, hidden; the script takes its words from here."""
    items = "".join(f'<p id="{escape(place(name))}">{escape(terms[name])}</p>' for name in used)
    again = escape(_("Tap the term again to open the glossary."))
    return f'\n<div class="cs-terms" hidden data-pagefind-ignore="all" data-again="{again}">{items}</div>'


def add(app: Sphinx, _page: str, _template: str, context: dict[str, Any], doctree: nodes.document | None) -> None:
    if doctree is None or "body" not in context:
        return
    terms: Terms = app.env.cs_terms  # type: ignore[attr-defined]
    body, used = explained(str(context["body"]), terms)
    if used:
        context["body"] = body + box(used, terms)
        app.add_js_file("terms.js", type="module")


def users(env: BuildEnvironment) -> Iterator[str]:
    """Pages that refer to a term."""
    for page in env.found_docs:
        if any(node.get("reftype") == "term" for node in env.get_doctree(page).findall(nodes.Element)):
            yield page


def renew(app: Sphinx, env: BuildEnvironment) -> list[str]:
    """Pages to write again because an explanation changed."""
    before, now = getattr(env, "cs_terms", {}), definitions(env)
    env.cs_terms = now  # type: ignore[attr-defined]
    return sorted(users(env)) if before and before != now else []


def setup(app: Sphinx) -> ExtensionMetadata:
    app.connect("env-updated", renew)
    app.connect("html-page-context", add)
    return {"version": "1", "env_version": 1, "parallel_read_safe": True, "parallel_write_safe": True}
