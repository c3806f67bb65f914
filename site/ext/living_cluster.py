"""The ``{living-cluster}`` directive: a simulated day on 256 GPUs as plain SVG, with a player that starts paused.

No Python and no chart library in the browser: the day is simulated at build time (`living_day`), drawn at its most
telling moment, and ``site/cluster/player.js`` shows any other moment of it. Without JavaScript and in print the picture,
the counts and a table by the hour stand there.
"""
from __future__ import annotations

import json
import shutil
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

import language
import living_day
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import ExtensionMetadata

import clustersim
from clustersim.messages import _
from clustersim.units import clock_time

SCRIPTS = Path(__file__).parents[1] / "cluster"
CELL, GAP = 16, 2  # px in a node's drawing
COLUMNS, ROWS = 4, 2
CHIPS = 8  # waiting jobs shown by name


class living_cluster(nodes.General, nodes.Element):
    """The figure; ``day`` is its data, ``html`` the mark-up."""


class LivingCluster(SphinxDirective):
    def run(self) -> list[nodes.Node]:
        if not language.is_written(self.env, self.env.docname):
            return []
        data = _day()
        for path in (*Path(clustersim.__file__).parent.rglob("*.py"), Path(__file__), Path(living_day.__file__)):
            self.env.note_dependency(str(path))
        node = living_cluster("", day=data, html=html(data), ids=["living-cluster"])
        node.source, node.line = self.get_source_info()
        return [node]


@cache
def _day() -> dict[str, Any]:
    return living_day.day(living_day.simulate().validate())


def words() -> dict[str, str]:
    """What the player says; ``{name}`` is filled in by it."""
    return {
        "play": _("Play"), "pause": _("Pause"), "next": _("Next change"), "time": _("Time of day"), "speed": _("Speed"),
        "per_second": _("{n} min a second"), "speak": _("{clock}, {running} running, {waiting} waiting, {busy} GPUs busy"),
        "running": _("running jobs"), "waiting": _("waiting jobs"), "busy": _("of {n} GPUs busy"), "more": _("and {n} more"),
        "nobody": _("nobody"), "moments": _("Moments"),
    }


def moments(data: dict[str, Any]) -> list[list[Any]]:
    """Instants worth a look: time in seconds, and what is to be seen."""
    found = [[0, _("The day begins")], [living_day.fullest_queue(data), _("The longest queue")],
             [living_day.largest_start(data), _("The largest job starts at last")]]
    return sorted(found)


def spoken(data: dict[str, Any], time: int) -> str:
    return words()["speak"].format(clock=clock_time(time), **living_day.counts(data, time))


def html(data: dict[str, Any]) -> str:
    """The figure as it is printed: the moment of the longest queue."""
    time = living_day.fullest_queue(data)
    block = {**data, "time": time, "chips": CHIPS, "words": words(), "moments": moments(data)}
    text = json.dumps(block, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    drawn = "".join(_node(number, cells) for number, cells in enumerate(_owners(data, time)))
    return (f'<div class="lc-player"><script type="application/json">{text}</script>{_status(data, time)}'
            f'<div class="lc-nodes" role="img" aria-label="{escape(spoken(data, time))}">{drawn}</div>{_queue(data, time)}'
            f'<div class="lc-controls"></div>{_legend()}{_table(data)}</div>')


def _owners(data: dict[str, Any], time: int) -> list[list[tuple[str, int] | None]]:
    """For each node and GPU the letter and colour of the job that holds it."""
    cells: list[list[tuple[str, int] | None]] = [[None] * data["gpus"] for _node in range(data["nodes"])]
    for letter, colour, _gpus, _submit, start, end, places in data["jobs"]:
        if start <= time < end:
            for node, mask in places:
                for gpu in range(data["gpus"]):
                    if mask >> gpu & 1:
                        cells[node][gpu] = (letter, colour)
    return cells


def _node(number: int, cells: list[tuple[str, int] | None]) -> str:
    """One node: eight cells, a job's letter in the first that it holds here."""
    size = CELL + GAP
    shapes, seen = [], set()
    for gpu, owner in enumerate(cells):
        x, y = gpu % COLUMNS * size + GAP / 2, gpu // COLUMNS * size + GAP / 2
        kind = f"lc-{owner[1]}" if owner else "lc-idle"
        label = owner[0] if owner and owner not in seen else ""
        seen.add(owner)
        shapes.append(f'<rect class="{kind}" x="{x:g}" y="{y:g}" width="{CELL}" height="{CELL}" rx="2"/>'
                      f'<text x="{x + CELL / 2:g}" y="{y + CELL / 2 + 4.5:g}">{label}</text>')
    title = escape(_("node {n}").format(n=f"{number + 1:02d}"))
    return (f'<svg class="lc-node" viewBox="0 0 {COLUMNS * size} {ROWS * size}" aria-hidden="true" focusable="false" '
            f'data-node="{title}">{"".join(shapes)}</svg>')


def _status(data: dict[str, Any], time: int) -> str:
    now, say = living_day.counts(data, time), words()
    busy = say["busy"].format(n=data["nodes"] * data["gpus"])
    parts = ((str(now["running"]), say["running"], "running"), (str(now["waiting"]), say["waiting"], "waiting"),
             (str(now["busy"]), busy, "busy"))
    rest = "".join(f'<span><b data-count="{name}">{value}</b> {escape(label)}</span>' for value, label, name in parts)
    return f'<p class="lc-status"><span class="lc-clock">{clock_time(time)}</span>{rest}</p>'


def _queue(data: dict[str, Any], time: int) -> str:
    rows = [row for row in data["jobs"] if row[3] <= time < row[4]]
    chips = "".join(f"<li>{row[0]} <span>{row[2]}</span></li>" for row in rows[:CHIPS])
    if len(rows) > CHIPS:
        chips += f'<li class="lc-more">{escape(words()["more"].format(n=len(rows) - CHIPS))}</li>'
    label = escape(_("Waiting, in order of submission, with the GPUs asked for"))
    return f'<div class="lc-wait"><p>{label}</p><ol class="lc-queue">{chips}</ol></div>'


def _legend() -> str:
    def cell(kind: str, letter: str = "") -> str:
        return ('<svg viewBox="0 0 18 18" aria-hidden="true" focusable="false">'
                f'<rect class="{kind}" x="1" y="1" width="16" height="16" rx="2"/><text x="9" y="13.5">{letter}</text></svg>')

    entries = ((cell("lc-1", "A"), _("a GPU that job A holds; its letter stands once on each node")),
               (cell("lc-idle"), _("an idle GPU")))
    items = "".join(f"<li>{drawn}<span>{escape(text)}</span></li>" for drawn, text in entries)
    return f'<ul class="lc-legend">{items}</ul>'


def _table(data: dict[str, Any]) -> str:
    say = words()
    columns = (_("time"), say["running"], say["waiting"], say["busy"].format(n=data["nodes"] * data["gpus"]))
    head = "".join(f'<th scope="col">{escape(column)}</th>' for column in columns)
    rows = ((clock, now["running"], now["waiting"], now["busy"]) for clock, now in living_day.hours(data))
    body = "".join(f'<tr><th scope="row">{clock}</th>' + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"
                   for clock, *cells in rows)
    return (f'<details class="lc-table"><summary>{escape(_("Show the day as a table"))}</summary>'
            f'<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></details>')


def caption(data: dict[str, Any]) -> str:
    text = _("A made-up day on {nodes} nodes of {gpus} GPUs: {jobs} jobs, placed by simulated Slurm with backfill.")
    return text.format(nodes=data["nodes"], gpus=data["gpus"], jobs=len(data["jobs"]))


def visit_html(self: Any, node: living_cluster) -> None:
    self.body.append(self.starttag(node, "figure", CLASS="living-cluster"))
    self.body.append(f'{node["html"]}<figcaption>{escape(caption(node["day"]))}</figcaption></figure>\n')
    raise nodes.SkipNode


def visit_other(self: Any, node: living_cluster) -> None:
    """Outside HTML the caption and the counts of the moment stand for the picture."""
    text = f'{caption(node["day"])} {spoken(node["day"], living_day.fullest_queue(node["day"]))}.'
    if hasattr(self, "add_text"):
        self.new_state(0)
        self.add_text(text)
        self.end_state()
    else:
        self.body.append(f"\n{self.encode(text)}\n")
    raise nodes.SkipNode


def copy_scripts(app: Sphinx) -> None:
    if app.builder.format == "html" and not app.config.edition:
        shutil.copytree(SCRIPTS, Path(app.outdir) / "_static" / "cluster", dirs_exist_ok=True)


def add_scripts(app: Sphinx, _page: str, _template: str, _context: dict[str, Any], doctree: nodes.document | None) -> None:
    if doctree is not None and next(iter(doctree.findall(living_cluster)), None) is not None:
        app.add_css_file("cluster/cluster.css")
        app.add_js_file("cluster/player.js", loading_method="defer")


def setup(app: Sphinx) -> ExtensionMetadata:
    app.setup_extension("language")
    app.add_node(living_cluster, html=(visit_html, None), text=(visit_other, None), latex=(visit_other, None))
    app.add_directive("living-cluster", LivingCluster)
    app.connect("builder-inited", copy_scripts)
    app.connect("html-page-context", add_scripts)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
