"""Chapters are numbered by their file: ``book/05-backfill.md`` is chapter 5, its figures are 5.1, 5.2, ...

Sphinx counts the entries of a table of contents, so chapter 05 would be "2" as long as only two are written, and every
new chapter would renumber the rest. One number a topic, everywhere: here it replaces the first part of Sphinx's.
"""
from __future__ import annotations

import re
from collections.abc import Callable

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util.typing import ExtensionMetadata
from sphinx_external_toc.collectors import TocTreeCollectorWithStyles as Collector

_TOPIC = re.compile(r"(?:.*/)?(\d\d)-[^/]+")
Numbers = dict[str, dict[str, tuple[int, ...]]]


def topic(docname: str) -> int | None:
    """The number in a file's name, or None."""
    match = _TOPIC.fullmatch(docname)
    return int(match[1]) if match else None


def renumber(env: BuildEnvironment) -> None:
    """Put each chapter's own number into what Sphinx has counted."""
    for docname, counted in env.toc_secnumbers.items():
        number = topic(docname)
        if number is None:
            continue
        env.toc_secnumbers[docname] = {anchor: (number, *parts[1:]) if parts else parts for anchor, parts in counted.items()}
        places = [env.titles[docname], *env.tocs[docname].findall(nodes.reference)]
        for node in [place for place in places if place.get("secnumber")]:
            node["secnumber"] = [number, *node["secnumber"][1:]]


def wrap(original: Callable[[Collector, BuildEnvironment], list[str]]) -> Callable[..., list[str]]:
    def assign(self: Collector, env: BuildEnvironment) -> list[str]:
        # Sphinx compares with what it counted last time to see which pages changed.
        env.toc_secnumbers = getattr(env, "cs_counted", {})
        changed = original(self, env)
        env.cs_counted = dict(env.toc_secnumbers)  # type: ignore[attr-defined]
        renumber(env)
        return changed

    assign.cs_wraps = original  # type: ignore[attr-defined]
    return assign


def setup(app: Sphinx) -> ExtensionMetadata:
    current = Collector.assign_section_numbers
    if not hasattr(current, "cs_wraps"):
        Collector.assign_section_numbers = wrap(current)  # type: ignore[method-assign]
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
