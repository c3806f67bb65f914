"""Slurm's backfill plans on a grid (``bf_resolution``): how much of a hole is left on a coarse one.

Four whole nodes: ``big`` holds three until its limit, ``wide`` wants all four and is planned for that instant, ``small``
needs the one that is idle. Starts and ends of plans are rounded down to the grid, so the hole in front of ``wide`` looks
shorter than it is. The longest limit with which ``small`` still passes is found by trying.
"""
from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from clustersim.experiments.base import Choice, Experiment, Figure, Outcome, Preset, Slider, Table, Value
from clustersim.figures import gantt_spec, letters, node_bars
from clustersim.figures_nodes import columns_spec
from clustersim.messages import N_, _
from clustersim.slurm import Overheads, parse_workload, simulate_slurm
from clustersim.trace import Trace
from clustersim.units import MINUTE, clock_time

GRIDS = (60, 120, 300, 600, 900, 1800)  # seconds; the first is Slurm's default
NODES = 4


@cache
def simulate(resolution: int, hole: int, limit: int, runs: int) -> Trace:
    """``big`` is out at ``hole`` minutes by its limit, ``small`` comes at 1 min with ``limit`` and runs for ``runs``."""
    jobs: list[dict[str, Any]] = [
        {"id": "big", "at": 0, "user": "alice", "nodes": 3, "run_s": hole * MINUTE, "time_limit_min": hole},
        {"id": "wide", "at": 30, "user": "alice", "nodes": 4, "run_s": 5 * MINUTE, "time_limit_min": 5},
        {"id": "small", "at": MINUTE, "user": "alice", "nodes": 1, "run_s": min(runs, limit) * MINUTE,
         "time_limit_min": limit}]
    return simulate_slurm(parse_workload({
        "name": "backfill_grid",
        "cluster": {"nodes": [{"name": f"n[1-{NODES}]", "cpus": 1}],
                    "partitions": [{"name": "main", "Default": "YES", "MaxTime": "INFINITE", "OverSubscribe": "EXCLUSIVE"}]},
        "config": {"PriorityType": "priority/basic", "SchedulerParameters":
                   f"bf_interval=1,sched_interval=2,batch_sched_delay=0,bf_resolution={resolution}"},
        "jobs": jobs}, "backfill_grid"), overheads=Overheads(0, 0))


def passes(trace: Trace) -> bool:
    return (trace.job("small").start or 0) < (trace.job("wide").start or 0)


@cache
def longest(resolution: int, hole: int) -> int:
    """The longest limit of ``small`` in whole minutes with which it passes; 0 if none does."""
    return _last(lambda limit: passes(simulate(resolution, hole, limit, 1)), hole)


def _last(good: Callable[[int], bool], most: int) -> int:
    """The largest number up to ``most`` for which ``good`` holds, if it holds up to some number and not beyond."""
    low, high = 0, most
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if good(middle) else (low, middle - 1)
    return low


def run(settings: Mapping[str, Value]) -> Outcome:
    resolution, hole = int(str(settings["resolution"])), int(settings["hole"])
    limit = int(settings["limit"])
    trace = simulate(resolution, hole, limit, max(limit - 1, 1))
    found = {grid: longest(grid, hole) for grid in GRIDS}
    words = {"grid": f"{resolution} s", "hole": hole - 1, "limit": limit, "most": found[resolution]}
    if passes(trace):
        text = _("The hole in front of wide is {hole} min. On a grid of {grid} a limit of up to {most} min fits into it: "
                 "small, with {limit} min, passes.")
    else:
        text = _("The hole in front of wide is {hole} min. On a grid of {grid} a limit of up to {most} min fits into it: "
                 "small, with {limit} min, has to wait behind wide.")
    return Outcome(text.format(**words), (_columns(found, hole), _gantt(trace, resolution)), _table(found, hole), {
        "longest_min": found, "starts_s": {job.id: job.start for job in trace.jobs}, "passes": passes(trace),
    })


def _columns(found: Mapping[int, int], hole: int) -> Figure:
    rows = [{"column": f"{grid} s", "value": minutes, "text": f"{minutes}"} for grid, minutes in found.items()]
    alt = "; ".join(_("{grid} s: {minutes} min").format(grid=grid, minutes=minutes) for grid, minutes in found.items())
    title = _("Longest limit that fits into a hole of {hole} min, by bf_resolution")
    return Figure("longest", title.format(hole=hole - 1), alt + ".",
                  columns_spec("bf_resolution", _("limit (min)"), [f"{grid} s" for grid in GRIDS]), {"columns": rows})


def _gantt(trace: Trace, resolution: int) -> Figure:
    numbers = letters(job.id for job in trace.jobs)
    lines = [_("{job} from {start} to {end}").format(job=job.id, start=clock_time(job.start or 0), end=clock_time(job.end or 0))
             for job in trace.jobs]
    return Figure("gantt", _("Four nodes with bf_resolution={grid}").format(grid=resolution), "; ".join(lines) + ".",
                  gantt_spec(_("node"), [f"n{i + 1}" for i in range(NODES)], unit="min"),
                  {"bars": node_bars(trace, numbers, MINUTE), "deaths": [], "marks": []})


def _table(found: Mapping[int, int], hole: int) -> Table:
    columns = ("bf_resolution", _("hole"), _("longest limit that passes"), _("lost to the grid"))
    rows = tuple((f"{grid} s", f"{hole - 1} min", f"{most} min" if most else _("none"), f"{hole - 1 - most} min")
                 for grid, most in found.items())
    return Table(_("What is left of the hole"), columns, rows)


EXPERIMENT = Experiment(
    id="backfill_grid",
    title=N_("How coarse is the grid?"),
    caption=N_("big holds three of four nodes until its limit, wide waits for all four, small needs the one that is idle."),
    controls=(
        Choice("resolution", "bf_resolution", tuple((str(grid), f"{grid} s") for grid in GRIDS), "600"),
        Slider("limit", N_("Time limit of small"), 1, 45, 1, 20, N_("min")),
        Slider("hole", N_("big is out by its limit at"), 10, 45, 1, 27, N_("min")),
    ),
    run=run,
    presets=(Preset(N_("A grid of one minute"), {"resolution": "60"}),
             Preset(N_("A grid of half an hour"), {"resolution": "1800"})),
)
