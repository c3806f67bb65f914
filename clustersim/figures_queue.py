"""Charts of waiting jobs: numbers over time, the parts of a sum, and why each job waits. Plain data, as in ``figures``."""
from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from clustersim.figures import PALETTE, base, by_number, mark_layers
from clustersim.messages import _
from clustersim.trace import Trace
from clustersim.units import HOUR

LINES = ("job-1", "job-6", "job-3", "job-4", "job-7", "job-8")
DASHES = ([1, 0], [8, 4], [2, 3], [10, 3, 2, 3], [5, 2], [1, 4])


def _axis(title: str, unit: str) -> dict[str, Any]:
    return {"type": "quantitative", "title": title.format(unit=unit), "axis": {"tickCount": 8}, "scale": {"nice": False}}


def lines_spec(names: Sequence[str], title: str, unit: str = "h", log: bool = False, height: int = 200) -> dict[str, Any]:
    """Numbers that move in steps, a line a name: colour and dashes differ.

    Datasets: ``points`` (time, value, name), ``marks`` (time, label: an upright line).
    """
    by_name = {"field": "name", "type": "nominal", "title": None}
    domain = {"domain": list(names)}
    count = len(names)
    y = {"field": "value", "type": "quantitative", "title": title,
         "axis": {"values": [2.0 ** i for i in range(-6, 9)], "format": "~g"} if log else {"tickCount": 5},
         "scale": {"type": "log", "base": 2} if log else {"zero": True}}
    line = {
        "data": {"name": "points"}, "mark": {"type": "line", "interpolate": "step-after", "strokeWidth": 2.6, "clip": True},
        "encoding": {
            "x": {"field": "time", **_axis(_("time ({unit})"), unit)}, "y": y,
            "stroke": {**by_name, "scale": {**domain, "range": [PALETTE[LINES[i % 6]] for i in range(count)]}},
            "strokeDash": {**by_name, "scale": {**domain, "range": [DASHES[i % 6] for i in range(count)]}},
        },
    }
    return base(height, [line, *mark_layers("time")])


def parts_spec(parts: Sequence[str], title: str, rows: int) -> dict[str, Any]:
    """Sums as bars of stacked parts, a row a name, the largest on top. What is taken away stands at the end in red.

    Datasets: ``parts`` (name, rank, part, letter, low, high, middle), ``taken`` (name, rank, low, high) and ``totals``
    (name, rank, value, text).
    """
    y = {"field": "name", "type": "nominal", "title": None, "sort": {"field": "rank", "op": "min"},
         "axis": {"grid": False, "ticks": False}}
    x = {"field": "low", "type": "quantitative", "title": title, "axis": {"tickCount": 6}, "scale": {"nice": False}}
    fill = {"field": "part", "type": "nominal", "title": None,
            "scale": {"domain": list(parts), "range": [PALETTE[f"job-{i + 1}"] for i in range(len(parts))]}}
    bar = {"type": "bar", "stroke": PALETTE["edge"], "strokeWidth": 1, "height": {"band": 0.7}}
    at = {"field": "middle", "type": "quantitative"}
    taken = {**bar, "fill": PALETTE["bad"], "opacity": 0.55}
    total = {"type": "text", "align": "left", "dx": 6, "fontSize": 13}
    room = "scale('x', datum.high) - scale('x', datum.low) < 12 ? 0 : 1"  # no letter where it would cover its neighbours
    letter = {"type": "text", "fontSize": 13, "fontWeight": "bold", "opacity": {"expr": room}}
    return base(34 * rows, [
        {"data": {"name": "parts"}, "mark": bar, "encoding": {"x": x, "x2": {"field": "high"}, "y": y, "fill": fill}},
        {"data": {"name": "taken"}, "mark": taken, "encoding": {"x": x, "x2": {"field": "high"}, "y": y}},
        {"data": {"name": "parts"}, "mark": letter, "encoding": {"x": at, "y": y, "text": {"field": "letter"}}},
        {"data": {"name": "totals"}, "mark": total,
         "encoding": {"x": {"field": "value", "type": "quantitative"}, "y": y, "text": {"field": "text"}}},
    ])


def reasons_spec(order: Sequence[str], unit: str = "min") -> dict[str, Any]:
    """Each job's life in a row: thin bars while it waits, by reason; broad ones while it runs.

    Datasets: ``waits`` (row, start, end, middle, reason: letter and name, letter), ``bars`` (row, n, start, end, middle,
    label).
    """
    y = {"field": "row", "type": "nominal", "title": _("job"), "scale": {"domain": list(order)},
         "axis": {"grid": False, "ticks": False}}
    x = {"field": "start", **_axis(_("time ({unit})"), unit)}
    span = {"x": x, "x2": {"field": "end"}, "y": y}
    legend = {"columns": 1, "symbolType": "square", "labelLimit": 0}
    by_reason = {"field": "reason", "type": "nominal", "title": None, "legend": legend,
                 "scale": {"range": [PALETTE[f"tint-{i}"] for i in (2, 5, 4, 7, 6, 3, 8, 1)]}}
    wait = {"type": "bar", "stroke": PALETTE["edge"], "strokeDash": [3, 2], "strokeWidth": 1, "height": {"band": 0.42}}
    run = {"type": "bar", "stroke": PALETTE["edge"], "strokeWidth": 1, "cornerRadius": 2, "height": {"band": 0.8}}
    at = {"x": {"field": "middle", "type": "quantitative"}, "y": y}
    return base(30 * len(order), [
        {"data": {"name": "waits"}, "mark": wait, "encoding": {**span, "fill": by_reason}},
        {"data": {"name": "waits"}, "mark": {"type": "text", "fontSize": 11, "fontWeight": "bold"},
         "encoding": {**at, "text": {"field": "letter"}}},
        {"data": {"name": "bars"}, "mark": run, "encoding": {**span, "fill": by_number()}},
        {"data": {"name": "bars"}, "mark": {"type": "text", "fontSize": 12}, "encoding": {**at, "text": {"field": "label"}}},
    ], fills=True)


def waiting(trace: Trace) -> list[tuple[str, int, int, str]]:
    """(job, from, to, reason) of every time a job waited, from the log; waits of no length are left out.

    A job that never starts waits until the end of the trace. ``None`` is the reason before the first is known.
    """
    spans: list[tuple[str, int, int, str]] = []
    since: dict[str, tuple[int, str]] = {}
    for event in trace.events():
        job = event.subject
        if event.kind in {"submit", "requeue", "reason"}:
            _close(spans, since, job, event.time)
            since[job] = (event.time, str(event.detail.get("reason", "None")))
        elif event.kind in {"start", "end", "reject"}:
            _close(spans, since, job, event.time)
    for job in list(since):
        _close(spans, since, job, trace.until)
    return spans


def _close(spans: list[tuple[str, int, int, str]], since: dict[str, tuple[int, str]], job: str, now: int) -> None:
    begin, reason = since.pop(job, (now, ""))
    if now > begin:
        spans.append((job, begin, now, reason))


def wait_bars(spans: Iterable[tuple[str, int, int, str]], unit: int = HOUR) -> list[dict[str, Any]]:
    """Rows of ``waits``: every reason gets a letter in order of first mention."""
    letters: dict[str, str] = {}
    rows = []
    for job, begin, end, reason in spans:
        letter = letters.setdefault(reason, chr(ord("A") + len(letters)))
        rows.append({"row": job, "start": round(begin / unit, 4), "end": round(end / unit, 4),
                     "middle": round((begin + end) / 2 / unit, 4), "reason": f"{letter} {reason}", "letter": letter})
    return rows


def run_bars(trace: Trace, numbers: Mapping[str, int], unit: int = HOUR) -> list[dict[str, Any]]:
    """Rows of ``bars``: one a run, in the job's row; a suspended run in pieces."""
    rows = []
    for job in trace.jobs:
        for run in job.runs:
            stop = trace.until if run.end is None else run.end
            for begin, end in pieces(run.start, stop, job.extra.get("suspended", ())):
                rows.append({"row": job.id, "n": numbers[job.id], "start": round(begin / unit, 4), "end": round(end / unit, 4),
                             "middle": round((begin + end) / 2 / unit, 4), "label": ""})
    return rows


def pieces(start: int, stop: int, pauses: Iterable[Sequence[int]]) -> list[tuple[int, int]]:
    """The parts of a run in which it was not suspended, as (from, to)."""
    found = []
    for pause, resumed in pauses:
        if start <= pause < stop:
            found.append((start, pause))
            start = resumed
    return [*found, (start, stop)]
