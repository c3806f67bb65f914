"""Charts as plain data: Vega-Lite v5 specifications made from traces.

A specification uses palette entries as plain hex, so that Jupyter, vl-convert and print draw it as it is;
:func:`for_page` turns them into CSS variables, so that a page's dark mode follows its style sheet. Colour never stands
alone: job bars differ in stripes and carry the job's letter.
"""
from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from clustersim.messages import _
from clustersim.trace import Trace
from clustersim.units import HOUR

SCHEMA = "https://vega.github.io/schema/vega-lite/v5.json"
MIME = "application/vnd.vegalite.v5+json"
FONT = "Arial, Liberation Sans, Helvetica, sans-serif"  # as wide as the still pictures' program measures, almost everywhere
ONE_COLUMN = 330  # px: more than a narrow picture has in all, and less than a wide one has between its axes
FILLS = 8  # fills of jobs, by turns
LETTER = 10  # px that a letter of a label takes, with the room around it
WIDTH = 640  # px of the plotting area; a page may set another with `sized`

# Fills keep 3:1 against the page and 4.5:1 against the ink printed on them (after Okabe and Ito 2008, lightened).
PALETTE: dict[str, str] = {
    "ink": "#1d2733", "muted": "#55606e", "grid": "#dde3ea", "paper": "#fdfdfc",
    "job-1": "#6fb1e0", "job-2": "#f2b04c", "job-3": "#5cc49e", "job-4": "#e39bc3",
    "job-5": "#d9d05a", "job-6": "#ee8866", "job-7": "#858fdc", "job-8": "#969696",
    "tint-1": "#a9d0ec", "tint-2": "#f7cf91", "tint-3": "#9bdcc4", "tint-4": "#efc3dc",
    "tint-5": "#e8e29c", "tint-6": "#f5b8a3", "tint-7": "#b3baeb", "tint-8": "#c9c9c9",
    "in-order": "#a9bccf", "ahead": "#e08a1e", "edge": "#37475a", "bad": "#d1495b",
}


def sized(spec: Mapping[str, Any], width: int) -> dict[str, Any]:
    """``spec`` for a plotting area ``width`` px wide; a narrow one has fewer ticks on its time axis."""
    return {**spec, "width": width}


def for_page(value: Any) -> Any:
    """A copy of a specification with palette colours as ``var(--cs-NAME, #hex)``."""
    if isinstance(value, str):
        name = _NAMES.get(value)
        return f"var(--cs-{name}, {value})" if name else value
    if isinstance(value, Mapping):
        return {k: for_page(v) for k, v in value.items()}
    if isinstance(value, Sequence):
        return [for_page(v) for v in value]
    return value


_NAMES = {colour: name for name, colour in PALETTE.items()}


def inlined(spec: Mapping[str, Any], data: Mapping[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """``spec`` with its rows inside: what a notebook or vl-convert draws."""
    return {**spec, "datasets": {name: list(rows) for name, rows in data.items()}}


def base(height: int, layers: list[dict[str, Any]], description: str = "", fills: bool = False) -> dict[str, Any]:
    """The frame that all figures share: size, fonts, axes, no outside address but the schema's name.

    ``fills`` brings those of jobs, for :func:`by_number`.
    """
    axis = {"labelColor": PALETTE["muted"], "titleColor": PALETTE["ink"], "gridColor": PALETTE["grid"],
            "domainColor": PALETTE["muted"], "tickColor": PALETTE["muted"], "labelFontSize": 12, "titleFontSize": 12,
            "titleFontWeight": "normal", "labelPadding": 4, "titlePadding": 12,
            "labelSeparation": 5}  # a label that would come nearer to its neighbour is left out
    return {
        "$schema": SCHEMA, "description": description, "width": WIDTH, "height": height, "background": None,
        "padding": {"left": 14, "right": 10, "top": 4, "bottom": 4},
        **({"params": [{"name": "fills", "value": [job_fill(n) for n in range(FILLS)]}]} if fills else {}),
        "layer": layers,
        "config": {
            "font": FONT, "view": {"stroke": None}, "axis": axis,
            "legend": {"labelColor": PALETTE["ink"], "titleColor": PALETTE["ink"], "orient": "top", "labelFontSize": 12,
                       "titleFontSize": 12, "titleFontWeight": "normal", "columns": {"expr": f"width < {ONE_COLUMN} ? 1 : 2"},
                       "columnPadding": 26, "symbolStrokeColor": PALETTE["edge"]},
            "text": {"color": PALETTE["ink"]}, "rule": {"color": PALETTE["ink"]},
        },
    }


def mark_layers(field: str, x: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
    """Upright lines at ``field``, labelled. Dataset ``marks``: the field, label. ``x`` is the axis, if it is not the plot's.

    A label stands above the plot, to the side of its line on which there is room; where all together would not fit into
    one row, each has a row of its own.
    """
    x = x or {"field": field, "type": "quantitative"}
    right = f"width - scale('x', datum.{field}) < datum.long * {LETTER}"
    crowded = f"datum.letters * {LETTER} > width"
    label = {"type": "text", "align": {"expr": f"{right} ? 'right' : 'left'"}, "dx": {"expr": f"{right} ? -4 : 4"},
             "dy": {"expr": f"{crowded} ? -6 - 15 * (datum.place - 1) : -6"}, "baseline": "bottom", "fontSize": 12}
    counted = [{"calculate": "length(datum.label)", "as": "long"},
               {"joinaggregate": [{"op": "sum", "field": "long", "as": "letters"}]},
               {"window": [{"op": "row_number", "as": "place"}], "sort": [{"field": field}]}]
    return [_layer("marks", {"type": "rule", "strokeDash": [5, 3], "strokeWidth": 1.5}, {"x": x}),
            {**_layer("marks", label, {"x": x, "y": {"value": 0}, "text": {"field": "label"}}), "transform": counted}]


def job_fill(n: int) -> Any:
    """The fill of job number ``n``: one of eight colours, plain or with level, upright or slanted stripes by turns."""
    colour, tint = PALETTE[f"job-{n % FILLS + 1}"], PALETTE[f"tint-{n % FILLS + 1}"]
    if n % 4 == 0:
        return colour
    x2, y2, count = ((0, 1, 5), (1, 0, 16), (1, 1, 9))[n % 4 - 1]
    stops = []
    for i in range(count):
        paint = tint if i % 2 else colour
        stops += [{"offset": i / count, "color": paint}, {"offset": (i + 1) / count, "color": paint}]
    return {"gradient": "linear", "x1": 0, "y1": 0, "x2": x2, "y2": y2, "stops": stops}


def by_number() -> dict[str, Any]:
    """The encoding of a mark by the job's number, in a frame with ``fills``.

    Stripes that stand in the encoding itself would be in the drawing once for each mark, and most of it.
    """
    return {"value": {"expr": f"fills[datum.n % {FILLS}]"}}


def letters(ids: Iterable[str]) -> dict[str, int]:
    """Each job's number in order of first mention; colour and stripes follow from it in all figures."""
    numbers: dict[str, int] = {}
    for job in ids:
        numbers.setdefault(job, len(numbers))
    return numbers


def gantt_spec(title: str, order: Sequence[str], row_height: int = 34, unit: str = "h") -> dict[str, Any]:
    """Bars over time, a row a GPU or node of ``order``; bars carry the job's letter.

    Datasets: ``bars`` (row, job, n: its number, start, end, middle, label), ``deaths`` (row, begin, end, label: a launch
    that failed at ``end``) and ``marks`` (time, label: an upright line).
    """
    x = {"field": "start", "type": "quantitative", "title": _("time ({unit})").format(unit=unit),
         "axis": {"tickCount": 8}, "scale": {"nice": False}}
    y = {"field": "row", "type": "nominal", "title": title, "scale": {"domain": list(order)},
         "axis": {"grid": False, "ticks": False}}
    bar = {
        "data": {"name": "bars"},
        "mark": {"type": "bar", "stroke": PALETTE["edge"], "strokeWidth": 1, "cornerRadius": 2, "height": {"band": 0.8}},
        "encoding": {
            "x": x, "x2": {"field": "end"}, "y": y, "fill": by_number(),
            "tooltip": [{"field": "job", "title": _("job")}, {"field": "start", "title": _("start")},
                        {"field": "end", "title": _("end")}],
        },
    }
    where = {"x": {"field": "middle", "type": "quantitative"}, "y": y, "text": {"field": "label"}}
    letters = [{**_layer("bars", mark, where), "transform": [{"filter": "datum.label"}]}  # most of many bars have none
               for mark in _haloed({"fontSize": 14, "fontWeight": "bold"})]
    return base(row_height * len(order), [bar, *letters, *_death_layers(y), *mark_layers("time")], fills=True)


def _layer(data: str, mark: Mapping[str, Any], encoding: Mapping[str, Any]) -> dict[str, Any]:
    return {"data": {"name": data}, "mark": mark, "encoding": encoding}


def _haloed(style: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Text drawn twice, first as a broad outline in the page's colour, so that it reads on any fill."""
    halo = {"stroke": PALETTE["paper"], "strokeWidth": 4, "strokeJoin": "round", "aria": False}
    return [{"type": "text", **style, **halo}, {"type": "text", **style}]


def _death_layers(y: Mapping[str, Any]) -> list[dict[str, Any]]:
    end = {"field": "end", "type": "quantitative"}
    line = {"type": "rule", "stroke": PALETTE["bad"], "strokeWidth": 4}
    cross = {"type": "point", "shape": "cross", "angle": 45, "size": 160, "filled": True, "fill": PALETTE["bad"],
             "stroke": PALETTE["paper"], "opacity": 1}
    words = {"align": "left", "dx": 9, "fontSize": 12, "fontWeight": "bold"}
    return [_layer("deaths", line, {"x": {"field": "begin", "type": "quantitative"}, "x2": {"field": "end"}, "y": y}),
            _layer("deaths", cross, {"x": end, "y": y}),
            *(_layer("deaths", mark, {"x": end, "y": y, "text": {"field": "label"}}) for mark in _haloed(words))]


def gpu_bars(trace: Trace, numbers: Mapping[str, int], unit: int = HOUR) -> list[dict[str, Any]]:
    """One row of ``bars`` a GPU and run, times in ``unit`` seconds; the letter stands on the run's first GPU."""
    rows = []
    for job in trace.jobs:
        for run in job.runs:
            end = run.end if run.end is not None else trace.until
            first = True
            for place in run.places:
                for gpu in place.gpus:
                    rows.append(_bar(f"{place.node} GPU {gpu}", job.id, numbers[job.id], run.start / unit, end / unit,
                                     label=job.id if first else ""))
                    first = False
    return rows


def node_bars(trace: Trace, numbers: Mapping[str, int], unit: int = HOUR) -> list[dict[str, Any]]:
    """One row of ``bars`` a node and run, times in ``unit`` seconds."""
    rows = []
    for job in trace.jobs:
        for run in job.runs:
            end = run.end if run.end is not None else trace.until
            for i, place in enumerate(run.places):
                rows.append(_bar(place.node, job.id, numbers[job.id], run.start / unit, end / unit,
                                 label=job.id if i == 0 else ""))
    return rows


def _bar(row: str, job: str, n: int, start: float, end: float, label: str) -> dict[str, Any]:
    return {"row": row, "job": job, "n": n, "start": round(start, 4), "end": round(end, 4),
            "middle": round((start + end) / 2, 4), "label": label}


def pool_rectangles(trace: Trace, unit: int = HOUR) -> list[dict[str, Any]]:
    """A schedule on a pool as rectangles core x time: each job takes the lowest free cores, in few pieces.

    The pool has no places; which cores a job gets here is only a way to draw it. Rows: job, start, end (``unit``
    seconds), low, high (cores), kind (``ahead`` if backfilled, else ``in order``).
    """
    jobs = list(trace.jobs)  # a pool makes its records when they are asked for
    order = sorted(range(len(jobs)), key=lambda i: (jobs[i].start or 0, i))
    free: list[tuple[int, int]] = [(0, trace.cores)]
    running: list[tuple[int, list[tuple[int, int]]]] = []
    rows = []
    for i in order:
        job = jobs[i]
        run = job.runs[0]
        assert run.end is not None  # a replay ends when all jobs have
        for end, pieces in [r for r in running if r[0] <= run.start]:
            free = _merge(free + pieces)
            running.remove((end, pieces))
        pieces, free = _take(free, run.cores)
        running.append((run.end, pieces))
        kind = "ahead" if job.extra.get("backfilled") else "in order"
        rows += [{"job": job.id, "start": round(run.start / unit, 3), "end": round(run.end / unit, 3), "low": low,
                  "high": high, "kind": kind} for low, high in pieces]
    return rows


def _take(free: list[tuple[int, int]], need: int) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    for low, high in free:  # one piece if any gap is wide enough
        if high - low >= need:
            rest = [(a, b) for a, b in free if (a, b) != (low, high)]
            return [(low, low + need)], _merge(rest + ([(low + need, high)] if high - low > need else []))
    pieces, rest = [], []
    for low, high in free:
        part = min(need, high - low)
        if part:
            pieces.append((low, low + part))
            need -= part
        if low + part < high:
            rest.append((low + part, high))
    return pieces, rest


def _merge(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for low, high in sorted(spans):
        if merged and merged[-1][1] == low:
            merged[-1] = (merged[-1][0], high)
        else:
            merged.append((low, high))
    return merged


def schedule_spec(unit: str = "h") -> dict[str, Any]:
    """Rectangles core x time; dataset ``rectangles`` as :func:`pool_rectangles` makes it, with a translated ``kind``."""
    kinds = [_("in order"), _("ahead of its turn")]
    by_kind = {"field": "label", "type": "nominal", "title": None}
    colour = {**by_kind, "scale": {"domain": kinds, "range": [PALETTE["in-order"], PALETTE["ahead"]]}}
    outline = {**by_kind, "scale": {"domain": kinds, "range": [0.5, 1.6]}}
    rect = {
        "data": {"name": "rectangles"}, "mark": {"type": "rect", "stroke": PALETTE["edge"]},
        "encoding": {
            "x": {"field": "start", "type": "quantitative", "title": _("time ({unit})").format(unit=unit),
                  "scale": {"nice": False}, "axis": {"tickCount": 8}},
            "x2": {"field": "end"},
            "y": {"field": "low", "type": "quantitative", "title": _("cores"), "axis": {"tickCount": 4},
                  "scale": {"nice": False}},
            "y2": {"field": "high"}, "fill": colour, "strokeWidth": outline,
            "tooltip": [{"field": "job", "title": _("job")}, {"field": "label", "title": _("started")}],
        },
    }
    return base(220, [rect])


def waits_spec(unit: str = "h") -> dict[str, Any]:
    """One point a job: submission against wait, shape and colour by policy. Dataset ``waits``: submit, wait, policy."""
    names = [_("FCFS"), _("EASY")]
    point = {
        "data": {"name": "waits"},
        "mark": {"type": "point", "filled": False, "size": 34, "strokeWidth": 1.6},
        "encoding": {
            "x": {"field": "submit", "type": "quantitative", "title": _("submitted at ({unit})").format(unit=unit),
                  "axis": {"tickCount": 8}, "scale": {"nice": False}},
            "y": {"field": "wait", "type": "quantitative", "title": _("wait ({unit})").format(unit=unit),
                  "axis": {"tickCount": 5}},
            "stroke": {"field": "policy", "type": "nominal", "title": None,
                       "scale": {"domain": names, "range": [PALETTE["muted"], PALETTE["bad"]]}},
            "shape": {"field": "policy", "type": "nominal", "title": None,
                      "scale": {"domain": names, "range": ["circle", "triangle-up"]}},
        },
    }
    return base(180, [point])
