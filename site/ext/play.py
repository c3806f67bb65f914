"""The directive ``{play}``: every experiment with its picture, what it shows, where it is, and settings worth a look.

The list comes from ``clustersim.experiments``, grouped by the page on which each stands. The pictures are files of their
own, light and dark, and a browser fetches them when they come into view.
"""
from __future__ import annotations

import re
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import language
import lite_links
import live
import pictures
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import ExtensionMetadata

from clustersim import page
from clustersim.experiments import IDS
from clustersim.messages import _

logger = logging.getLogger(__name__)
FOLDER = "_images/play"
SHORTEST = 45  # characters of a story


class gallery(nodes.General, nodes.Element):
    """The place of the list; its entries are filled in when every page has been read."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One experiment: what is said about it, and how high its picture is (px, at ``pictures.NARROW`` wide)."""

    id: str
    title: str
    story: str
    height: int
    presets: tuple[tuple[str, str], ...]


class Play(SphinxDirective):
    def run(self) -> list[nodes.Node]:
        self.env.note_dependency(__file__)
        if not language.is_written(self.env, self.env.docname):
            return []
        out = language.site_root(self.env.app) / FOLDER if self.env.app.builder.format == "html" else None
        node = gallery("", entries=[entry(name, out) for name in IDS])
        node.source, node.line = self.get_source_info()
        return [node]


def entry(name: str, out: Path | None) -> Entry:
    """What the list says about an experiment; its picture is written into ``out``."""
    about = live.described(name)
    figure = about["outcome"]["figures"][0]
    height = 0
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        for shade in ("light", "dark"):
            text = pictures.file(figure, shade == "dark")
            (out / f"{name}-{shade}.svg").write_text(text, "utf-8")
        found = re.search(r'height="([\d.]+)"', text)
        assert found is not None
        height = round(float(found[1]))
    tries = tuple((label, query(name, values)) for label, values in page.presets(name))
    return Entry(name, about["title"], story(about["caption"]), height, tries)


def query(name: str, values: dict[str, Any]) -> str:
    """The part of an address that carries a setting, as ``site/live/address.mjs`` reads it."""
    return urlencode([(f"live.{name}.{key}", str(value).lower() if isinstance(value, bool) else value)
                      for key, value in values.items()])


def story(text: str) -> str:
    """The first sentence of a caption, or as many as make a line or so."""
    sentences = re.split(r"(?<=[.?!])(\s+)|(?<=。)()", text)
    told = ""
    for part in filter(None, sentences):
        if len(told.strip()) >= SHORTEST:
            break
        told += part
    return told.strip()


# --- where each experiment stands -----------------------------------------------------------------------------------

def places(env: BuildEnvironment) -> dict[str, list[str]]:
    """The experiments on each page in their order, noted while it is read."""
    if not hasattr(env, "cs_live_places"):
        env.cs_live_places = {}  # type: ignore[attr-defined]
    found: dict[str, list[str]] = env.cs_live_places  # type: ignore[attr-defined]
    return found


def note(app: Sphinx, doctree: nodes.document) -> None:
    here = [node for node in doctree.findall(live.live_figure) if node["key"] == node["experiment"]]
    places(app.env)[app.env.docname] = [node["experiment"] for node in here]
    if next(iter(doctree.findall(gallery)), None) is not None:
        app.env.metadata[app.env.docname]["cs_gallery"] = True


def forget_page(_app: Sphinx, env: BuildEnvironment, docname: str) -> None:
    places(env).pop(docname, None)


def galleries(_app: Sphinx, env: BuildEnvironment) -> list[str]:
    """Pages with the list are written anew: another page may have a new title or figure."""
    return [docname for docname, data in env.metadata.items() if data.get("cs_gallery")]


def grouped(env: BuildEnvironment) -> dict[str, list[str]]:
    """Every experiment under the first page, in the order of their names, that has it."""
    seen: set[str] = set()
    groups = {}
    for docname in sorted(places(env)):
        new = [name for name in dict.fromkeys(places(env)[docname]) if name not in seen]
        seen.update(new)
        if new:
            groups[docname] = new
    return groups


# --- the list -------------------------------------------------------------------------------------------------------

def resolve(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    for node in list(doctree.findall(gallery)):
        entries = {item.id: item for item in node["entries"]}
        groups = grouped(app.env)
        lost = entries.keys() - {name for names in groups.values() for name in names}
        if lost:
            logger.warning("no page has the live figure %s: put `{live} %s` into a chapter", ", ".join(sorted(lost)), min(lost),
                           location=node)
        node.replace_self([section(app, docname, place, [entries[name] for name in names]) for place, names in groups.items()])


def section(app: Sphinx, docname: str, place: str, entries: list[Entry]) -> nodes.section:
    """One page's experiments under its title."""
    address = app.builder.get_relative_uri(docname, place)
    link = nodes.reference("", "", nodes.Text(app.env.titles[place].astext()), refuri=address, internal=True)
    cards = "".join(card(app, docname, address, item) for item in entries)
    return nodes.section("", nodes.title("", "", link), nodes.raw("", f'<ul class="cs-plays">{cards}</ul>', format="html"),
                         ids=[nodes.make_id(f"play-{Path(place).name}")])


def card(app: Sphinx, docname: str, address: str, item: Entry) -> str:
    up = language.to_root(app, docname)
    anchor = f"#live-{item.id}"
    shots = "".join(f'<img class="cs-when-{shade}" src="{up}{FOLDER}/{item.id}-{shade}.svg" alt="" loading="lazy" '
                    f'width="{pictures.NARROW}" height="{item.height}">' for shade in ("light", "dark"))
    tries = "".join(f'<li><a href="{escape(f"{address}?{setting}{anchor}")}">{escape(label)}</a></li>'
                    for label, setting in item.presets)
    notebook = lite_links.link(app, docname, f"figures/{item.id}", _("Open this figure in a notebook"))
    more = notebook and f'<li class="cs-not-in-print">{notebook}</li>'
    return (f'<li class="cs-play"><h3><a href="{escape(address + anchor)}">{escape(item.title)}</a></h3>'
            f'<div class="cs-shot">{shots}</div><p>{escape(item.story)}</p>'
            f'<ul class="cs-tries">{tries}{more}</ul></li>')


def setup(app: Sphinx) -> ExtensionMetadata:
    app.setup_extension("live")
    app.add_node(gallery)
    app.add_directive("play", Play)
    app.connect("doctree-read", note)
    app.connect("env-purge-doc", forget_page)
    app.connect("env-updated", galleries)
    app.connect("doctree-resolved", resolve)
    return {"version": "1", "env_version": 1, "parallel_read_safe": False, "parallel_write_safe": True}
