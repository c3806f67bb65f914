"""How hard Slurm's backfill tries: rounds, depth and grid on a seeded queue, beside its defaults and beside strict order.

Forty jobs on eight whole nodes, shorter and longer ones mixed, limits up to twice the run time. Nothing here takes time
to compute, so a great depth costs nothing, as it does in a real controller.
"""
from __future__ import annotations

import random
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from clustersim.experiments.base import Choice, Experiment, Figure, Outcome, Preset, Slider, Table, Value
from clustersim.figures_nodes import columns_spec
from clustersim.messages import N_, _
from clustersim.slurm import Overheads, parse_workload, simulate_slurm
from clustersim.trace import Trace
from clustersim.units import HOUR, MINUTE, human_duration

JOBS, NODES = 40, 8
SIZES = (1, 1, 1, 2, 2, 3, 4, 8)  # nodes of a job, drawn evenly
GAP = 3 * MINUTE                  # mean time between two submissions
DEFAULTS = {"bf_interval": 30, "bf_max_job_test": 500, "bf_resolution": 60, "bf_window": 1440}
GRIDS = (60, 300, 600, 1800, 3600)


@lru_cache(maxsize=256)
def simulate(seed: int, scheduler: str = "sched/backfill", interval: int = 30, depth: int = 500, resolution: int = 60,
             ) -> Trace:
    """The queue under one setting; Slurm's defaults where none is given, but submissions are not gathered."""
    options = f"bf_interval={interval},bf_max_job_test={depth},bf_resolution={resolution},batch_sched_delay=0"
    return simulate_slurm(parse_workload({
        "name": "backfill_effort",
        "cluster": {"nodes": [{"name": f"n[1-{NODES}]", "cpus": 1}],
                    "partitions": [{"name": "main", "Default": "YES", "MaxTime": "INFINITE", "OverSubscribe": "EXCLUSIVE"}]},
        "config": {"SchedulerType": scheduler, "PriorityType": "priority/basic", "SchedulerParameters": options},
        "jobs": _jobs(seed)}, "backfill_effort"), overheads=Overheads(0, 0))


def _jobs(seed: int) -> list[dict[str, Any]]:
    """Arrivals at random, run times log-normal around four minutes, limits evenly between one and two run times."""
    rng, time, rows = random.Random(seed), 0.0, []
    for i in range(JOBS):
        time += rng.expovariate(1 / GAP)
        run = round(min(max(rng.lognormvariate(5.5, 0.9), MINUTE), HOUR))
        limit = -(-round(run * rng.uniform(1, 2)) // MINUTE)
        rows.append({"id": f"{i + 1}", "at": round(time), "user": "alice", "run_s": run, "time_limit_min": limit,
                     "nodes": rng.choice(SIZES)})
    return rows


def mean_wait(trace: Trace) -> float:
    return sum(job.wait or 0 for job in trace.jobs) / len(trace.jobs)


def backfilled(trace: Trace) -> int:
    """Jobs that backfill started, not the main loop."""
    return sum(event.kind == "start" and event.detail["scheduler"] == "backfill" for event in trace.events())


def run(settings: Mapping[str, Value]) -> Outcome:
    seed = int(settings["seed"])
    traces = {
        "strict": simulate(seed, "sched/builtin"),
        "yours": simulate(seed, "sched/backfill", int(settings["interval"]), int(settings["depth"]),
                          int(str(settings["resolution"]))),
        "default": simulate(seed),
    }
    waits = {name: mean_wait(trace) for name, trace in traces.items()}
    text = _("With bf_interval={interval}, bf_max_job_test={depth} and bf_resolution={resolution} the mean wait is {yours}; "
             "with Slurm's defaults it is {default}, and {strict} without backfill.")
    said = text.format(interval=settings["interval"], depth=settings["depth"], resolution=settings["resolution"],
                       **{name: human_duration(wait) for name, wait in waits.items()})
    return Outcome(said, (_figure(waits),), _table(traces), {
        "mean_wait_s": waits, "backfilled": {name: backfilled(trace) for name, trace in traces.items()}})


def _names() -> dict[str, str]:
    return {"strict": _("no backfill"), "yours": _("this setting"), "default": _("the defaults")}


def _figure(waits: Mapping[str, float]) -> Figure:
    names = _names()
    rows = [{"column": names[name], "value": round(wait / MINUTE, 2), "text": human_duration(wait)}
            for name, wait in waits.items()]
    alt = "; ".join(f"{row['column']}: {row['text']}" for row in rows)
    return Figure("waits", _("Mean wait of {n} jobs").format(n=JOBS), alt + ".",
                  columns_spec("", _("mean wait (min)"), list(names.values())), {"columns": rows})


def _table(traces: Mapping[str, Trace]) -> Table:
    names = _names()
    rows = tuple((names[name], human_duration(mean_wait(trace)), human_duration(max(job.wait or 0 for job in trace.jobs)),
                  str(backfilled(trace)), human_duration(max(job.end or 0 for job in trace.jobs)))
                 for name, trace in traces.items())
    columns = (_("setting"), _("mean wait"), _("longest wait"), _("started by backfill"), _("last end"))
    return Table(_("The same {n} jobs under three settings").format(n=JOBS), columns, rows)


EXPERIMENT = Experiment(
    id="backfill_effort",
    title=N_("How hard does backfill try?"),
    caption=N_("A seeded queue of 40 jobs on eight whole nodes. A small depth leaves most of the queue untried."),
    controls=(
        Slider("depth", "bf_max_job_test", 1, 40, 1, 3, N_("jobs")),
        Slider("interval", "bf_interval", 10, 600, 10, 30, "s"),
        Choice("resolution", "bf_resolution", tuple((str(grid), f"{grid} s") for grid in GRIDS), "60"),
        Slider("seed", N_("Seed"), 1, 50, 1, 1),
    ),
    run=run,
    presets=(Preset(N_("Every job is tried"), {"depth": 40}),
             Preset(N_("A grid of an hour"), {"resolution": "3600"})),
)
