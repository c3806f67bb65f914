"""Charts of failures: a calendar of them, numbers with their ranges, many runs as bars, curves. Plain data."""
from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from clustersim.figures import PALETTE, base, mark_layers
from clustersim.messages import _

Row = dict[str, Any]
LINES = ("job-1", "bad", "job-3", "job-7")
DASHES = ([1, 0], [7, 4], [2, 3], [10, 3, 2, 3])
DECADES = [round(n * 10.0 ** power, 9) for power in range(-4, 6) for n in (1, 2, 5)]  # ticks of a logarithmic axis


def _layer(data: str, mark: Mapping[str, Any], encoding: Mapping[str, Any]) -> Row:
    return {"data": {"name": data}, "mark": mark, "encoding": encoding}


def _number(name: str, title: str, log: bool = False, ticks: int = 6, **scale: Any) -> Row:
    kind = {"type": "log"} if log else {}
    axis = {"values": DECADES, "format": ",~f", "labelOverlap": "greedy"} if log else {"tickCount": ticks}
    return {"field": name, "type": "quantitative", "title": title, "axis": axis, "scale": {"nice": False, **kind, **scale}}


def calendar_spec(days: int = 30) -> Row:
    """A month: a row a day, a column an hour. Dataset ``hours`` (day, hour, end, count, text: the count if above 1)."""
    y = {"field": "day", "type": "ordinal", "title": _("day"), "scale": {"domain": list(range(1, days + 1))},
         "axis": {"values": [1, 5, 10, 15, 20, 25, 30], "grid": False, "ticks": False}}
    x = {**_number("hour", _("hour of the day"), domain=[0, 24]), "axis": {"values": list(range(0, 25, 4))}}
    fill = {"condition": [{"test": "datum.count >= 3", "value": PALETTE["job-6"]},
                          {"test": "datum.count === 2", "value": PALETTE["job-2"]}], "value": PALETTE["tint-2"]}
    cell = {"type": "rect", "stroke": PALETTE["edge"], "strokeWidth": 0.6}
    return base(11 * days, [
        _layer("hours", cell, {"x": x, "x2": {"field": "end"}, "y": y, "fill": fill,
                               "tooltip": [{"field": "count", "title": _("failures in this hour")}]}),
        _layer("hours", {"type": "text", "fontSize": 9, "align": "left", "dx": 9},
               {"x": x, "y": y, "text": {"field": "text"}}),
    ])


def calendar(hours: Iterable[float]) -> list[Row]:
    """Rows of ``hours`` from instants in hours since the start."""
    counts: dict[int, int] = {}
    for hour in hours:
        counts[int(hour)] = counts.get(int(hour), 0) + 1
    return [{"day": at // 24 + 1, "hour": at % 24, "end": at % 24 + 1, "count": n, "text": str(n) if n > 1 else ""}
            for at, n in sorted(counts.items())]


def ranked_spec(rows: int, title: str, log: bool = True) -> Row:
    """One number a row, the largest on top, those of ``kind`` "chosen" filled and larger.

    Dataset ``ranked`` (name, rank, value, kind: chosen or other, text).
    """
    y = {"field": "name", "type": "nominal", "title": None, "sort": {"field": "rank", "op": "min"},
         "axis": {"grid": True, "ticks": False, "labelLimit": 200}}
    x = _number("value", title, log=log, padding=14)
    chosen = "datum.kind === 'chosen'"
    point = {"type": "point", "stroke": PALETTE["edge"], "strokeWidth": 1.5, "opacity": 1}
    return base(26 * rows, [
        _layer("ranked", point, {"x": x, "y": y,
               "fill": {"condition": {"test": chosen, "value": PALETTE["ahead"]}, "value": PALETTE["in-order"]},
               "shape": {"condition": {"test": chosen, "value": "diamond"}, "value": "circle"},
               "size": {"condition": {"test": chosen, "value": 190}, "value": 70}}),
        _layer("ranked", {"type": "text", "align": "left", "dx": 10, "fontSize": 12},
               {"x": x, "y": y, "text": {"field": "text"}}),
    ])


def spans_spec(rows: int, title: str, ticks: Sequence[float], log: bool = False) -> Row:
    """From where to where each row reaches, with a mark on the value that counts; ``log`` is logarithmic above 1.

    Dataset ``spans`` (name, rank, low, value, high, kind: first or other, text).
    """
    y = {"field": "name", "type": "nominal", "title": None, "sort": {"field": "rank", "op": "min"},
         "axis": {"grid": False, "ticks": False, "labelLimit": 260}}
    scale: Row = {"domain": [ticks[0], ticks[-1]], "nice": False}
    if log:
        scale = {**scale, "type": "symlog", "constant": 1}
    x: Row = {"field": "low", "type": "quantitative", "title": title, "axis": {"values": list(ticks)}, "scale": scale}
    bar = {"type": "bar", "fill": PALETTE["in-order"], "stroke": PALETTE["edge"], "strokeWidth": 1, "height": {"band": 0.5}}
    at = {**x, "field": "value"}
    return base(30 * rows, [
        _layer("spans", bar, {"x": x, "x2": {"field": "high"}, "y": y}),
        _layer("spans", {"type": "point", "size": 130, "fill": PALETTE["ahead"], "stroke": PALETTE["edge"],
                         "strokeWidth": 1.5, "opacity": 1}, {
            "x": at, "y": y, "shape": {"condition": {"test": "datum.kind === 'first'", "value": "diamond"},
                                                     "value": "stroke"}}),
        _layer("spans", {"type": "text", "align": "left", "dx": 8, "fontSize": 12},
               {"x": {**x, "field": "high"}, "y": y, "text": {"field": "text"}}),
    ])


def runs_spec(title: str, count: str, height: int = 150) -> Row:
    """Many runs as bars, a few runs as points under them, upright lines for what was published.

    Datasets: ``bars`` (low, high, count), ``points`` (value), ``marks`` (at, label).
    """
    x = {**_number("low", title, ticks=8, zero=False), "scale": {"nice": True, "zero": False}}
    bar = {"type": "bar", "fill": PALETTE["in-order"], "stroke": PALETTE["edge"], "strokeWidth": 0.8}
    point = {"type": "point", "shape": "triangle-up", "size": 90, "filled": True, "fill": PALETTE["ahead"],
             "stroke": PALETTE["edge"], "opacity": 1}
    return base(height, [
        _layer("bars", bar, {"x": x, "x2": {"field": "high"}, "y2": {"datum": 0},
                             "y": {"field": "count", "type": "quantitative", "title": count, "axis": {"tickCount": 4}}}),
        _layer("points", point, {"x": {"field": "value", "type": "quantitative"}, "y": {"value": height - 7}}),
        *mark_layers("at"),
    ])


def histogram(values: Sequence[float], width: float) -> list[Row]:
    """Rows of ``bars``: how many values lie from a multiple of ``width`` to below the next one."""
    counts: dict[int, int] = {}
    for value in values:
        place = int(value // width)
        counts[place] = counts.get(place, 0) + 1
    return [{"low": round(place * width, 9), "high": round((place + 1) * width, 9), "count": n}
            for place, n in sorted(counts.items())]


def curves_spec(names: Sequence[str], x: str, y: str, log_x: bool = False, log_y: bool = False, steps: bool = False,
                height: int = 210) -> Row:
    """Curves that differ in colour and dashes, points of runs, upright lines.

    Datasets: ``curves`` (x, y, name), ``points`` (x, y), ``marks`` (at, label).
    """
    by_name = {"field": "name", "type": "nominal", "title": None, "legend": {"offset": 26}}
    domain = {"domain": list(names)}
    along, up = _number("x", x, log_x, ticks=8), _number("y", y, log_y, ticks=5, zero=False)
    shape = {"interpolate": "step-after"} if steps else {}
    point = {"type": "point", "shape": "triangle-up", "size": 70, "filled": True, "fill": PALETTE["ahead"],
             "stroke": PALETTE["edge"], "opacity": 1}
    return base(height, [
        _layer("curves", {"type": "line", "strokeWidth": 2.6, **shape}, {
            "x": along, "y": up,
            "stroke": {**by_name, "scale": {**domain, "range": [PALETTE[LINES[i % 4]] for i in range(len(names))]}},
            "strokeDash": {**by_name, "scale": {**domain, "range": [DASHES[i % 4] for i in range(len(names))]}}}),
        _layer("points", point, {"x": {**along, "title": x}, "y": up}),
        *mark_layers("at"),
    ])
