"""The ``{live} ID`` directive: one experiment as a static picture that a click brings to life.

::

    ```{live} backfill
    :set: policy=fcfs load=0.9
    :name: live-backfill-fcfs
    Caption of this place in the book (optional; else the experiment's own).
    ```

In HTML: a numbered figure with inline SVG, summary and table, and what ``site/live/`` needs. Elsewhere: picture, caption,
summary and table. An unknown id, control or value is an error of the build.
"""
from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping
from functools import lru_cache
from html import escape
from pathlib import Path
from typing import Any

import language
import lite_links
import pictures
import vl_convert
from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util.docutils import SphinxDirective

import clustersim
from clustersim import page
from clustersim.errors import ClusterSimError
from clustersim.messages import _

SCRIPTS = Path(__file__).parents[1] / "live"


class live_figure(nodes.figure):
    """An experiment in the page; ``about`` is its description as JSON, cheap to keep; the only child is a caption."""


class Live(SphinxDirective):
    """Runs the experiment while the page is read, so that the picture is always what the code gives."""

    required_arguments = 1
    has_content = True
    option_spec = {"set": directives.unchanged_required, "name": directives.unchanged, "class": directives.class_option}

    def run(self) -> list[nodes.Node]:
        experiment = self.arguments[0]
        written = language.is_written(self.env, self.env.docname)
        try:
            about = described(experiment, self.options.get("set", "")) if written else page.introduction(experiment)
        except ClusterSimError as error:
            raise self.error(f"live figure: {error}") from None
        self._depend()
        name = self.options.setdefault("name", f"live-{experiment}")
        node = live_figure("", about=json.dumps(about), experiment=experiment, key=name.removeprefix("live-"),
                           classes=["cs-live", *self.options.get("class", [])])
        node.source, node.line = self.get_source_info()
        node["ids"] = [name]  # as written: docutils would turn the underscores of an id into hyphens
        node += self._caption(about["caption"])
        self.add_name(node)
        node["html"] = html(about, node["ids"][0], node["key"]) if written else ""
        return [node]

    def _caption(self, text: str) -> nodes.caption:
        caption = nodes.caption("", text, translatable=False)
        if self.content:
            inlines, _messages = self.parse_inline(" ".join(self.content), lineno=self.content_offset + 1)
            caption = nodes.caption(" ".join(self.content), "", *inlines)
        caption.source, caption.line = self.get_source_info()
        return caption

    def _depend(self) -> None:
        """A change in the simulator draws the picture anew."""
        for path in (*Path(clustersim.__file__).parent.rglob("*.py"), Path(__file__), Path(pictures.__file__)):
            self.env.note_dependency(str(path))


@lru_cache(maxsize=128)
def described(experiment: str, setting: str = "") -> dict[str, Any]:
    """``page.description``, once for each setting (``control=value ...``) in a build: some run for a second."""
    return page.description(experiment, _pairs(setting))


def _pairs(text: str) -> dict[str, str]:
    pairs = {}
    for part in text.replace(",", " ").split():
        name, equals, value = part.partition("=")
        if not equals:
            raise ClusterSimError(f":set: has {part!r}; write control=value, separated by spaces")
        pairs[name] = value
    return pairs


def html(about: Mapping[str, Any], element_id: str, key: str) -> str:
    """The inside of the figure: pictures, summary, table, and the description for the script."""
    outcome = about["outcome"]
    drawn = "".join(pictures.picture(figure, f"{element_id}-{i}") for i, figure in enumerate(outcome["figures"]))
    if pictures.shapes(drawn) > 2 * pictures.MOST_SHAPES * len(outcome["figures"]):
        raise ExtensionError(f"live figure {about['id']}: {pictures.shapes(drawn)} shapes make the page heavy; "
                             f"choose a default with fewer (at most {pictures.MOST_SHAPES} a picture)")
    block = {name: value for name, value in about.items() if name not in {"ok", "outcome", "caption"}}
    text = json.dumps(block, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    return (f'<live-experiment data-experiment="{escape(about["id"])}" data-key="{escape(key)}">'
            f'<script type="application/json">{text}</script>'
            f'<div class="cs-figures">{drawn}</div><p class="lv-summary">{escape(outcome["summary"])}</p>'
            f'<div class="lv-bar"></div>{_table_html(outcome["table"])}</live-experiment>')


def _table_html(table: Mapping[str, Any]) -> str:
    head = "".join(f'<th scope="col">{escape(column)}</th>' for column in table["columns"])
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in table["rows"])
    title = _("The same as a table: {caption}").format(caption=table["caption"])
    return (f'<details class="lv-table"><summary>{escape(_("Show as a table"))}</summary>'
            f'<div class="lv-scroll" role="region" tabindex="0" aria-label="{escape(title)}"><table>'
            f'<caption>{escape(table["caption"])}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div></details>')


def visit_html(self: Any, node: live_figure) -> None:
    self.body.append(self.starttag(node, "figure"))
    self.body.append(node["html"])
    self.body.append(lite_links.figure_link(self.builder.app, self.builder.current_docname, node["experiment"]))


def depart_html(self: Any, _node: live_figure) -> None:
    self.body.append("</figcaption>\n</figure>\n")  # docutils opens it for the caption and closes it with a figure


class OutsideHtml(SphinxPostTransform):
    """In LaTeX, text and the rest: an ordinary figure, the summary and an ordinary table."""

    default_priority = 5

    def is_supported(self) -> bool:
        return self.app.builder.format != "html" and self.app.builder.name != "gettext"

    def run(self, **_options: Any) -> None:
        for node in list(self.document.findall(live_figure)):
            outcome = json.loads(node["about"])["outcome"]
            images = [self._image(node["ids"][0], i, figure) for i, figure in enumerate(outcome["figures"])]
            figure = nodes.figure("", *images[:1], node.children[0], ids=node["ids"], names=node["names"])
            summary = nodes.paragraph("", outcome["summary"])
            node.replace_self([*images[1:], figure, summary, table_node(outcome["table"])])

    def _image(self, element_id: str, number: int, figure: Mapping[str, Any]) -> nodes.image:
        folder = Path(self.app.doctreedir) / "live"
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{element_id}-{number}.png"
        spec = pictures.fitted(_plain(figure["spec"]), figure["data"], pictures.WIDE)
        path.write_bytes(vl_convert.vegalite_to_png(spec, vl_version=pictures.VEGA_LITE, scale=2))
        self.env.images.add_file(self.env.docname, str(path))
        return nodes.image("", uri=str(path), candidates={"*": str(path)}, alt=figure["alt"], width="100%")


def _plain(value: Any) -> Any:
    """A specification whose colours are the plain ones again, for a picture without a style sheet."""
    text = json.dumps(value, ensure_ascii=False)
    return json.loads(re.sub(r"var\(--[\w-]+, ([^()]+)\)", r"\1", text))


def table_node(table: Mapping[str, Any]) -> nodes.table:
    """The table as docutils nodes."""
    columns = list(zip(table["columns"], *table["rows"], strict=True))
    widths = [max(1, *map(len, cells)) for cells in columns]  # the text builder never ends on columns too narrow for a word
    group = nodes.tgroup("", *(nodes.colspec(colwidth=width) for width in widths), cols=len(columns))
    group += nodes.thead("", _row(table["columns"]))
    group += nodes.tbody("", *map(_row, table["rows"]))
    return nodes.table("", nodes.title("", table["caption"]), group)


def _row(cells: list[str]) -> nodes.row:
    return nodes.row("", *(nodes.entry("", nodes.paragraph("", cell)) for cell in cells))


def prepare(app: Sphinx) -> None:
    """The page scripts, before the first page names them, and a place for drawings that outlives one build."""
    described.cache_clear()
    pictures.keep_in(Path(app.doctreedir).parent / ".pictures")
    if app.builder.format == "html" and not app.config.edition:
        shutil.copytree(SCRIPTS, Path(app.outdir) / "_static" / "live", dirs_exist_ok=True)


def add_scripts(app: Sphinx, _page: str, _template: str, _context: dict[str, Any], doctree: nodes.document | None) -> None:
    """Scripts and style only where a live figure is."""
    if doctree is not None and next(iter(doctree.findall(live_figure)), None) is not None:
        app.add_css_file("live/live.css")
        app.add_js_file("live/live.js", loading_method="defer")


def setup(app: Sphinx) -> dict[str, Any]:
    app.setup_extension("language")
    app.add_css_file("live/figures.css")  # on every page: pictures in notebooks use the palette too
    app.add_enumerable_node(live_figure, "figure", html=(visit_html, depart_html))
    app.add_directive("live", Live)
    app.add_post_transform(OutsideHtml)
    app.connect("builder-inited", prepare)
    app.connect("html-page-context", add_scripts)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
