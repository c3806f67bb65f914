"""Slurm's backfill looks ahead as far as ``bf_window``: what becomes of a job whose start lies beyond it.

Four whole nodes: ``big`` holds three, ``wide`` wants all four and has been waiting since the first minute, and small jobs
for one node keep coming. A plan that would start beyond the window is not made, so nothing keeps nodes for ``wide``.
slurm.conf(5) advises a window at least as long as the longest limit, "to prevent job starvation".
"""
from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from clustersim.experiments.base import Experiment, Figure, Outcome, Preset, Slider, Table, Value
from clustersim.figures import gantt_spec, node_bars
from clustersim.messages import N_, _, ngettext
from clustersim.slurm import Overheads, parse_workload, simulate_slurm
from clustersim.trace import Trace
from clustersim.units import HOUR, MINUTE, clock_time, human_duration

NODES, EVERY, FIRST = 4, 15, 5  # nodes; minutes between two small jobs; minute of the first
DEFAULT_WINDOW = 1440  # minutes


@lru_cache(maxsize=32)
def simulate(window: int, big: int, limit: int, small: int) -> Trace:
    """All times in minutes; every job takes exactly what it asked for. ``small`` is how many small jobs come."""
    jobs: list[dict[str, Any]] = [
        {"id": "big", "at": 0, "user": "alice", "nodes": 3, "run_s": big * MINUTE, "time_limit_min": big},
        {"id": "wide", "at": MINUTE, "user": "alice", "nodes": 4, "run_s": HOUR, "time_limit_min": 60}]
    jobs += [{"id": f"{i + 1}", "at": (FIRST + EVERY * i) * MINUTE, "user": "bob", "nodes": 1, "run_s": limit * MINUTE,
              "time_limit_min": limit} for i in range(small)]
    return simulate_slurm(parse_workload({
        "name": "backfill_window",
        "cluster": {"nodes": [{"name": f"n[1-{NODES}]", "cpus": 1}],
                    "partitions": [{"name": "main", "Default": "YES", "MaxTime": "INFINITE", "OverSubscribe": "EXCLUSIVE"}]},
        "config": {"PriorityType": "priority/basic", "SchedulerParameters": f"bf_interval=30,bf_window={window}"},
        "jobs": jobs}, "backfill_window"), overheads=Overheads(0, 0))


def passed(trace: Trace) -> int:
    """The small jobs that start before ``wide``."""
    wide = trace.job("wide").start or 0
    return sum((job.start or 0) < wide for job in trace.jobs if job.id not in {"big", "wide"})


def run(settings: Mapping[str, Value]) -> Outcome:
    window, big = int(settings["window"]), int(settings["big"])
    limit, small = int(settings["limit"]), int(settings["small"])
    trace, usual = simulate(window, big, limit, small), simulate(DEFAULT_WINDOW, big, limit, small)
    ahead = passed(trace)
    text = ngettext(
        "With a window of {window} {n} small job passes wide, which starts at {start}; with the default of one day it starts "
        "at {usual}.",
        "With a window of {window} {n} small jobs pass wide, which starts at {start}; with the default of one day it starts "
        "at {usual}.", ahead)
    said = text.format(window=human_duration(window * MINUTE), n=ahead, start=_start(trace), usual=_start(usual))
    return Outcome(said, (_figure(trace, window),), _table(trace, usual), {
        "wide_start_s": {"window": trace.job("wide").start, "default": usual.job("wide").start},
        "passed": {"window": ahead, "default": passed(usual)},
    })


def _start(trace: Trace) -> str:
    return clock_time(trace.job("wide").start or 0)


def _figure(trace: Trace, window: int) -> Figure:
    numbers = {job.id: 1 if job.id == "wide" else 0 if job.id == "big" else 2 for job in trace.jobs}
    small = [job for job in trace.jobs if job.id not in {"big", "wide"}]
    alt = _("big holds three nodes until {end}, wide all four from {start} to {stop}; the {n} small jobs hold one node each, "
            "and the last ends at {last}.")
    wide = trace.job("wide")
    return Figure("gantt", _("Four nodes with bf_window={minutes}").format(minutes=window), alt.format(
        end=clock_time(trace.job("big").end or 0), start=clock_time(wide.start or 0), stop=clock_time(wide.end or 0),
        n=len(small), last=clock_time(max(job.end or 0 for job in small))),
        gantt_spec(_("node"), [f"n{i + 1}" for i in range(NODES)], unit="h"),
        {"bars": node_bars(trace, numbers), "deaths": [],
         "marks": [{"time": round((wide.start or 0) / HOUR, 3), "label": _("wide starts")}]})


def _table(trace: Trace, usual: Trace) -> Table:
    columns = (_("job"), _("submitted"), _("start, this window"), _("start, one day"))
    rows = tuple((job.id, clock_time(job.submit), clock_time(job.start or 0), clock_time(usual.job(job.id).start or 0))
                 for job in trace.jobs)
    return Table(_("Starts with this window and with the default"), columns, rows)


EXPERIMENT = Experiment(
    id="backfill_window",
    title=N_("How far does backfill look ahead?"),
    caption=N_("wide waits for four nodes while small jobs for one node keep coming, one every quarter of an hour."),
    controls=(
        Slider("window", "bf_window", 15, 240, 15, 60, N_("min")),
        Slider("big", N_("big is out by its limit after"), 60, 180, 15, 120, N_("min")),
        Slider("limit", N_("Each small job asks for, and runs"), 30, 300, 30, 180, N_("min")),
        Slider("small", N_("Small jobs"), 4, 24, 1, 12),
    ),
    run=run,
    presets=(Preset(N_("A window of four hours"), {"window": 240}),),
)
