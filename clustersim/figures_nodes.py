"""Charts of nodes: a map of GPUs and who holds them, amounts over time, and runs side by side.

Plain data like :mod:`clustersim.figures`, from which frame and colours come. On a map every node is a row of cells, one
a GPU; a run's letter stands once on each node that it holds, and colour never stands alone.
"""
from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from clustersim.figures import ONE_COLUMN, PALETTE, base, by_number

Row = dict[str, Any]

NARROW_CELL = 18  # px, as broad as two bold figures; in narrower cells letters are small
IDLE, OFF, CHOSEN = "idle", "off", "chosen"  # kinds of cells that no job holds, and the edge of those just given away


def layer(data: str, mark: Mapping[str, Any], encoding: Mapping[str, Any]) -> Row:
    return {"data": {"name": data}, "mark": mark, "encoding": encoding}


def hatch() -> Row:
    """The fill of what cannot be used: slanted stripes of grey."""
    stops, count = [], 11
    for i in range(count):
        paint = PALETTE["grid"] if i % 2 else PALETTE["muted"]
        stops += [{"offset": i / count, "color": paint}, {"offset": (i + 1) / count, "color": paint}]
    return {"gradient": "linear", "x1": 0, "y1": 0, "x2": 1, "y2": 1, "stops": stops}


def haloed(style: Mapping[str, Any]) -> list[Row]:
    """Text drawn twice, first as a broad outline in the page's colour, so that it reads on any fill."""
    halo = {"stroke": PALETTE["paper"], "strokeWidth": 4, "strokeJoin": "round", "aria": False}
    return [{"type": "text", **style, **halo}, {"type": "text", **style}]


def map_spec(width: float, height: float, row: int = 22) -> Row:
    """Cells on a plane of ``width`` by ``height`` units, counted from the upper left; a unit of height is ``row`` px.

    Datasets: ``cells`` (x, x2, y, y2, kind, n, who: whose it is; kind is ``idle``, ``off`` or ``job``, of which ``n`` is
    the number), ``letters`` (x, y, text), ``names`` (x, y, text: left-aligned, of nodes and blocks).
    """
    x = {"field": "x", "type": "quantitative", "axis": None, "scale": {"domain": [0, width], "nice": False}}
    y = {"field": "y", "type": "quantitative", "axis": None,
         "scale": {"domain": [0, height], "nice": False, "reverse": True}}
    fills = [{"test": f"datum.kind === '{IDLE}'", "value": PALETTE["paper"]},
             {"test": f"datum.kind === '{OFF}'", "value": {"expr": "hatch"}}]
    edge = {"condition": {"test": f"datum.kind === '{IDLE}'", "value": PALETTE["muted"]}, "value": PALETTE["edge"]}
    cells = layer("cells", {"type": "rect", "strokeWidth": 1}, {
        "x": x, "x2": {"field": "x2"}, "y": y, "y2": {"field": "y2"}, "fill": {"condition": fills, **by_number()},
        "stroke": edge, "tooltip": [{"field": "who", "type": "nominal"}]})
    text = {"x": x, "y": y, "text": {"field": "text"}}
    small, names_small = ({"expr": f"width < {NARROW_CELL} * {width} ? {size} : 12"} for size in (9, 10))
    letters = [layer("letters", mark, text) for mark in haloed({"fontSize": small, "fontWeight": "bold", "baseline": "middle"})]
    names = layer("names", {"type": "text", "align": "left", "baseline": "middle", "fontSize": names_small}, text)
    frame = base(round(row * height), [cells, *letters, names], fills=True)
    return {**frame, "params": [*frame["params"], {"name": "hatch", "value": hatch()}]}


def cells_of(held: Sequence[Sequence[str]], numbers: Mapping[str, int], left: float, top: float,
             off: frozenset[int] = frozenset()) -> tuple[list[Row], list[Row]]:
    """``cells`` and ``letters`` of a block of nodes, one a unit high: ``held[i][g]`` is the job on GPU ``g`` ("": none).

    ``off`` are the positions of nodes that take no job; their idle GPUs are hatched.
    """
    cells: list[Row] = []
    letters: list[Row] = []
    for i, gpus in enumerate(held):
        seen: set[str] = set()
        for g, job in enumerate(gpus):
            kind = "job" if job else OFF if i in off else IDLE
            cells.append({"x": left + g + 0.06, "x2": left + g + 0.94, "y": top + i + 0.1, "y2": top + i + 0.9,
                          "kind": kind, "n": numbers.get(job, 0), "who": job or kind})
            if job and job not in seen:
                seen.add(job)
                letters.append({"x": left + g + 0.5, "y": top + i + 0.52, "text": job})
    return cells, letters


SERIES = (("job-1", [1, 0]), ("tint-2", [4, 2]), ("in-order", [1, 2]))  # fill and edge of each series


def pairs_spec(x_title: str, y_title: str, order: Sequence[str], series: Sequence[str], row: int = 30) -> Row:
    """Bars side by side, a row each of ``order``, a bar each of ``series`` (at most three): fill and edge differ.

    Datasets: ``pairs`` (row, series, start, end), ``ticks`` (row, series, time: an upright stroke across the
    bar of the first series, for the others a filled mark in their colour).
    """
    x = {"field": "start", "type": "quantitative", "title": x_title, "axis": {"tickCount": 8}, "scale": {"nice": False}}
    y = {"field": "row", "type": "nominal", "title": y_title, "scale": {"domain": list(order), "paddingInner": 0.25},
         "axis": {"grid": False, "ticks": False}}
    by = {"field": "series", "type": "nominal", "title": None}
    offset = {"field": "series", "type": "nominal", "scale": {"domain": list(series)}}
    fill = {**by, "scale": {"domain": list(series), "range": [PALETTE[name] for name, _dash in SERIES[: len(series)]]}}
    edge = {**by, "scale": {"domain": list(series), "range": [dash for _name, dash in SERIES[: len(series)]]}}
    bars = layer("pairs", {"type": "bar", "stroke": PALETTE["edge"], "strokeWidth": 1.2}, {
        "x": x, "x2": {"field": "end"}, "y": y, "yOffset": offset, "fill": fill, "strokeDash": edge,
        "tooltip": [{"field": "row"}, {"field": "series"}, {"field": "start"}, {"field": "end"}]})
    others = {"condition": {"test": f"datum.series === {json.dumps(series[0])}", "value": "stroke"}, "value": "diamond"}
    strokes = layer("ticks", {"type": "point", "angle": 90, "size": 90, "stroke": PALETTE["ink"], "strokeWidth": 1.5,
                              "opacity": 1}, {
        "x": {"field": "time", "type": "quantitative"}, "y": y, "yOffset": offset, "fill": fill,
        "shape": others})
    return base(row * len(order), [bars, strokes])


def shares_spec(x_title: str, order: Sequence[str], shares: Sequence[str], most: int, row: int = 34) -> Row:
    """What of each node is used by whom, as stacked bars, and a sentence behind each.

    ``shares`` are at most three names (others, the job, free), the axis ends at ``most``. Datasets: ``shares`` (row, share,
    low, high), ``verdicts`` (row, x, text).
    """
    y = {"field": "row", "type": "nominal", "title": None, "scale": {"domain": list(order)},
         "axis": {"grid": False, "ticks": False}}
    x = {"field": "low", "type": "quantitative", "title": x_title, "axis": {"tickCount": 6},
         "scale": {"domain": [0, most], "nice": False}}
    fills = [PALETTE["in-order"], PALETTE["ahead"], PALETTE["paper"]]
    bars = layer("shares", {"type": "bar", "stroke": PALETTE["edge"], "strokeWidth": 1, "height": {"band": 0.62}}, {
        "x": x, "x2": {"field": "high"}, "y": y,
        "fill": {"field": "share", "type": "nominal", "title": None, "scale": {"domain": list(shares), "range": fills}},
        "tooltip": [{"field": "row"}, {"field": "share"}, {"field": "low"}, {"field": "high"}]})
    where = {"x": {"field": "x", "type": "quantitative"}, "y": y, "text": {"field": "text"}}
    broken = f"width < {ONE_COLUMN} && indexof(datum.text, ', ') > 0"  # in a narrow picture a sentence takes two lines
    style = {"align": "left", "baseline": "middle", "dx": 6, "fontSize": 12, "lineHeight": 14,
             "lineBreak": {"expr": f"width < {ONE_COLUMN} ? ', ' : '\\n'"}, "dy": {"expr": f"{broken} ? -7 : 0"}}
    return base(row * len(order), [bars, *(layer("verdicts", mark, where) for mark in haloed(style))])


def columns_spec(x_title: str, y_title: str, order: Sequence[str], height: int = 130) -> Row:
    """Upright bars with their values on top. Dataset: ``columns`` (column, value, text)."""
    x = {"field": "column", "type": "nominal", "title": x_title, "scale": {"domain": list(order)}, "axis": {"labelAngle": 0}}
    y = {"field": "value", "type": "quantitative", "title": y_title, "axis": {"tickCount": 4}}
    bars = layer("columns", {"type": "bar", "fill": PALETTE["job-1"], "stroke": PALETTE["edge"], "strokeWidth": 1,
                             "width": {"band": 0.6}}, {"x": x, "y": y})
    texts = layer("columns", {"type": "text", "dy": -8, "fontSize": 12}, {"x": x, "y": y, "text": {"field": "text"}})
    return base(height, [bars, texts])
