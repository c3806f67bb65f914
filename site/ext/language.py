"""The language of the pages: the program's sentences, captions and titles, the switch, and editions.

An edition is the book in another language, in a folder of its own: ``ja/``. It holds the pages that are finished in that
language (``site/translations.toml``). Sphinx reads the whole book for it, so that every reference and number works, and
writes the finished pages; a link to any other page leads to the English one and says so. Scripts, styles and drawings
are those of the English site.
"""
from __future__ import annotations

import json
import re
import shutil
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.environment import BuildEnvironment
from sphinx.util.typing import ExtensionMetadata

from clustersim.messages import _, set_language

LIST = Path(__file__).parents[1] / "translations.toml"
ENGLISH = ("en", "English")
SEARCH = "search"  # the one page of an edition that is no document
INDEX = "pagefind/"  # where site/build/search_index.py puts the index of the pages beside it
UNSHIPPED = ("_static", "_images", ".buildinfo", "objects.inv", "searchindex.js")  # the English site's are used


@dataclass(frozen=True, slots=True)
class Language:
    """A language besides English: ``pages`` are finished, ``program`` are patterns of the files whose messages they show."""

    code: str
    name: str
    pages: tuple[str, ...]
    program: tuple[str, ...]

    @property
    def tag(self) -> str:
        """The code as HTML writes it."""
        return self.code.replace("_", "-")


@cache
def languages(path: Path = LIST) -> dict[str, Language]:
    """The entries of ``site/translations.toml`` by code."""
    entries = tomllib.loads(path.read_text("utf-8"))
    return {code: Language(code, entry["name"], tuple(entry["pages"]), tuple(entry["program"]))
            for code, entry in entries.items()}


def edition(config: Config) -> Language | None:
    """The edition that is being built, or None for the site itself."""
    code = config.edition
    return languages()[code] if code else None


def is_written(env: BuildEnvironment, docname: str) -> bool:
    """Whether a reader will see this page; costly figures need not be drawn for one that is only read for its references."""
    which = edition(env.config)
    return env.app.builder.name != "gettext" and (which is None or docname in which.pages)


def site_root(app: Sphinx) -> Path:
    """The folder of the whole site; an edition is built into a folder below it."""
    return Path(app.outdir).parent if app.config.edition else Path(app.outdir)


def to_root(app: Sphinx, docname: str) -> str:
    """The way from a page to the site's root: ``../`` or ``../../``."""
    return "../" * app.builder.get_target_uri(docname).count("/")


# --- settings --------------------------------------------------------------------------------------------------------

def begin(_app: Sphinx, config: Config) -> None:
    set_language(config.language)
    for name in ("html_title", "project", "author"):
        if config[name]:
            setattr(config, name, _(config[name]))


def addresses(app: Sphinx) -> None:
    """In an edition: finished pages are in its folder, all others at the site's root."""
    if app.builder.format == "html":
        # No search of Sphinx's own; ours is made by site/build/search_index.py. The builder's type does not know the name.
        setattr(app.builder, "search", False)  # noqa: B010
        app.config.html_additional_pages = {**app.config.html_additional_pages, SEARCH: "search.html"}
    which = edition(app.config)
    if which is None or app.builder.format != "html":
        return
    plain = app.builder.get_target_uri

    def target(docname: str, typ: str | None = None) -> str:
        uri = plain(docname, typ)
        return f"{which.code}/{uri}" if docname in (*which.pages, SEARCH) else uri

    app.builder.get_target_uri = target  # type: ignore[method-assign]


def captions(app: Sphinx, doctree: nodes.document) -> None:
    """The captions of the table of contents; sphinx_external_toc puts them in after Sphinx has translated the page."""
    for node in doctree.findall(addnodes.toctree):
        if app.builder.name == "gettext":
            node.attributes.pop("rawcaption", None)  # a message of the program, not of this page
        caption = node.get("caption")
        if caption:
            node["caption"] = _(caption)


# --- what the template shows -----------------------------------------------------------------------------------------

def links(app: Sphinx, pagename: str) -> list[dict[str, Any]]:
    """For each language the same page, or the first of the edition where it is not finished: code, name, href, same, here."""
    up, which = to_root(app, pagename), edition(app.config)
    if not app.config.editions and which is None:
        return []
    known = pagename in app.env.found_docs or pagename == SEARCH
    found = [{"code": ENGLISH[0], "name": ENGLISH[1], "href": f"{up}{pagename}.html", "same": True, "here": which is None}]
    for code in app.config.editions:
        one = languages()[code]
        same = known and pagename in (*one.pages, SEARCH)
        found.append({"code": one.tag, "name": one.name, "href": f"{up}{code}/{pagename if same else one.pages[0]}.html",
                      "same": same, "here": one == which})
    return found


def alternates(found: list[dict[str, Any]], up: str, address: str) -> list[tuple[str, str]]:
    """Language and address of the same page in every language, for search engines: whole addresses, or none at all.

    ``up`` leads from the page to the site's root, ``address`` is where the site is published ("" if nobody said).
    """
    same = [(one["code"], address.rstrip("/") + "/" + one["href"].removeprefix(up)) for one in found if one["same"]]
    return same if address and len(same) > 1 else []


def fill(app: Sphinx, pagename: str, _template: str, context: dict[str, Any], _doctree: nodes.document | None) -> None:
    context["_"] = _  # our sentences are in one catalogue, wherever they stand
    context["cs_languages"] = links(app, pagename)
    context["cs_alternates"] = alternates(context["cs_languages"], to_root(app, pagename), str(app.config.html_baseurl or ""))
    if pagename == SEARCH:
        context["cs_search"] = search_words(app)
    context["cs_language"] = str(app.config.language or "en").replace("_", "-")


def search_words(app: Sphinx) -> str:
    """What the search page's script needs, as JSON: its sentences, the indexes to ask, the pages that are translated."""
    which = edition(app.config)
    up = to_root(app, SEARCH)
    english = {"folder": up + INDEX, "lang": "en", "own": which is None}
    own = [] if which is None else [{"folder": f"{up}{which.code}/{INDEX}", "lang": which.tag, "own": True}]
    words = {
        "searching": _("Searching …"), "one": _("1 page has “{term}”."), "many": _("{n} pages have “{term}”."),
        "nothing": _("No page has “{term}”."), "more": _("Show more"), "english": _("Pages in English"),
        "failed": _("The search could not be loaded. Reload the page to try again."),
        "file": _("This page was opened from a file; the search works from a web address only. Serve the folder, for instance "
                  "with: python3 -m http.server"),
    }
    block = {"words": words, "indexes": [*own, english], "pages": [f"{page}.html" for page in which.pages] if which else []}
    return json.dumps(block, ensure_ascii=False).replace("<", "\\u003c")


# --- the finished edition --------------------------------------------------------------------------------------------

def mark_english(page: str, up: str, code: str) -> str:
    """Links of an edition's page that lead to an English one say so; in the navigation their words are English, too.

    A notebook of the edition in JupyterLite is not English, though its address does not begin with the language.
    """
    own = rf'(?!{code}/|[^"]*[?&]path={code}/)'
    away = re.compile(rf'<a (?![^>]*hreflang=)([^>]*href="{re.escape(up)}{own}(?:[\w-]+/)*[\w.-]+\.html[^"]*")')
    parts = re.split(r"(<nav .*?</nav>)", page, flags=re.DOTALL)
    marked = [away.sub(r'<a hreflang="en" lang="en" \1' if part.startswith("<nav ") else r'<a hreflang="en" \1', part)
              for part in parts]
    return "".join(marked)


def finish(app: Sphinx, error: Exception | None) -> None:
    which = edition(app.config)
    if error is not None or which is None or app.builder.name != "html":
        return
    out = Path(app.outdir)
    for path in out.rglob("*.html"):
        before = path.read_text("utf-8")
        after = mark_english(before, "../" * len(path.relative_to(out.parent).parts[:-1]), which.code)
        if after != before:
            path.write_text(after, "utf-8")
    for name in UNSHIPPED:
        path = out / name
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)


def setup(app: Sphinx) -> ExtensionMetadata:
    app.add_config_value("edition", "", "env")  # the code of the edition that is built; empty for the site itself
    app.add_config_value("editions", [], "html")  # the codes of the editions that stand beside it
    app.connect("config-inited", begin)
    app.connect("builder-inited", addresses)
    app.connect("doctree-read", captions, priority=100)  # before the table of contents is kept
    app.connect("html-page-context", fill, priority=400)
    app.connect("build-finished", finish, priority=850)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
