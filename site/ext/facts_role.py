"""The role ``{fact}`` and the directive ``{facts}``: numbers in the prose come from the ledger and nowhere else.

``{fact}`slurm.bf_interval` `` prints the number with its unit; it leads to its row in the table that ``{facts}`` makes
(or to its source where no page has that table), and hovering tells its standing, source and the day it was read. An
unknown key is a warning, hence a failed build. A fact whose source should be read again gets a badge; its age is judged
against the date of the commit, so that the same commit always builds the same book.
"""
from __future__ import annotations

from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util.docutils import SphinxDirective, SphinxRole
from sphinx.util.typing import ExtensionMetadata

from clustersim.errors import FactError
from clustersim.facts import Fact, all_facts, commit_date, fact
from clustersim.messages import N_, _

STANDING = {"measured": N_("measured"), "derived": N_("derived"), "assumed": N_("assumed")}


class fact_reference(nodes.Inline, nodes.TextElement):
    """A cited fact; becomes a link when the whole book has been read."""


def about(entry: Fact) -> str:
    """What hovering over a fact tells."""
    return _("{standing}; source: {source}; read on {day}").format(
        standing=_(STANDING[entry.status]), source=entry.source, day=entry.read.isoformat())


def anchor(key: str) -> str:
    return "fact-" + key.replace(".", "-").replace("_", "-")


def badge() -> nodes.inline:
    return nodes.inline("", _("source due for another look"), classes=["cs-fact-stale"])


class FactRole(SphinxRole):
    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        try:
            entry = fact(self.text)
        except FactError as error:
            message = self.inliner.reporter.error(str(error), line=self.lineno)
            return [self.inliner.problematic(self.rawtext, self.rawtext, message)], [message]
        return [fact_reference(self.rawtext, entry.text(), key=entry.key)], []


class FactTable(SphinxDirective):
    """The whole ledger as a table, one row a fact, each with an address of its own."""

    def run(self) -> list[nodes.Node]:
        table_pages(self.env)[self.env.docname] = True
        heads = [_("number"), _("key"), _("standing"), _("source"), _("read on")]
        group = nodes.tgroup("", *(nodes.colspec(colwidth=width) for width in (14, 22, 10, 42, 12)), cols=len(heads))
        group += nodes.thead("", nodes.row("", *(nodes.entry("", nodes.paragraph("", head)) for head in heads)))
        group += nodes.tbody("", *map(self._row, all_facts().values()))
        return [nodes.table("", nodes.title("", _("Every number that the prose cites")), group, classes=["cs-facts"])]

    def _row(self, entry: Fact) -> nodes.row:
        source = nodes.paragraph("", "")
        source += nodes.reference("", entry.source, refuri=entry.url) if entry.url else nodes.literal("", entry.source)
        if entry.note:
            source += nodes.Text(". " + entry.note)
        number = nodes.paragraph("", entry.text(), ids=[anchor(entry.key)])
        day = nodes.paragraph("", entry.read.isoformat())
        if entry.is_stale(commit_date()):
            day += [nodes.Text(" "), badge()]
        cells = [number, nodes.paragraph("", "", nodes.literal("", entry.key)),
                 nodes.paragraph("", _(STANDING[entry.status])), source, day]
        return nodes.row("", *(nodes.entry("", cell) for cell in cells))


def table_pages(env: BuildEnvironment) -> dict[str, bool]:
    """The pages that hold the table of facts."""
    if not hasattr(env, "cs_fact_pages"):
        env.cs_fact_pages = {}  # type: ignore[attr-defined]
    pages: dict[str, bool] = env.cs_fact_pages  # type: ignore[attr-defined]
    return pages


def forget_page(_app: Sphinx, env: BuildEnvironment, docname: str) -> None:
    table_pages(env).pop(docname, None)


def resolve(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Turn each cited fact into a link with its standing, source and date."""
    page = next(iter(sorted(table_pages(app.env))), None)
    for node in list(doctree.findall(fact_reference)):
        entry = fact(node["key"])
        uri = entry.url
        if page is not None:
            uri = app.builder.get_relative_uri(docname, page) + "#" + anchor(entry.key)
        text = nodes.inline("", node.astext(), classes=["cs-fact"])
        link: nodes.Node = text
        if uri:
            link = nodes.reference("", "", text, refuri=uri, internal=page is not None, reftitle=about(entry),
                                   classes=["cs-fact-link"])
        stale = [nodes.Text(" "), badge()] if entry.is_stale(commit_date()) else []
        node.replace_self([link, *stale])


def setup(app: Sphinx) -> ExtensionMetadata:
    app.add_node(fact_reference)
    app.add_role("fact", FactRole())
    app.add_directive("facts", FactTable)
    app.connect("env-purge-doc", forget_page)
    app.connect("doctree-resolved", resolve)
    metadata: Any = {"version": "1", "env_version": 1, "parallel_read_safe": False, "parallel_write_safe": True}
    return metadata  # type: ignore[no-any-return]
