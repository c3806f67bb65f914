"""The cluster at a glance, as ``sview`` shows it: every GPU, who holds it, node states and leaf switches, at any time.

A made-up day on 16 nodes of eight GPUs below four leaf switches: 70 jobs, from one GPU to four whole nodes, placed by the
simulated Slurm with ``topology/tree`` and backfill. One node is drained from 10:00 to 15:00, another is down from 13:00 to
16:00.
"""
from __future__ import annotations

import random
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from clustersim.experiments.base import Experiment, Figure, Outcome, Preset, Slider, Table, Value
from clustersim.figures import letters
from clustersim.figures_nodes import cells_of, map_spec
from clustersim.messages import N_, _, ngettext
from clustersim.slurm import parse_workload, simulate_slurm
from clustersim.trace import JobRecord, Trace
from clustersim.units import HOUR, MINUTE, clock_time, human_duration

LEAVES, PER_LEAF, GPUS = 4, 4, 8
JOBS = 70
# nodes, GPUs on each, how often of 20
SHAPES = ((1, 1, 4), (1, 2, 4), (1, 4, 3), (1, 8, 4), (2, 8, 3), (4, 8, 2))
DRAINED, DOWN = "n06", "n11"
DAY = 24 * HOUR
STATES = {"idle": "idle", "mixed": "mix", "allocated": "alloc", "planned": "plnd", "draining": "drng", "drained": "drain",
          "down": "down", "completing": "comp", "maint": "maint"}
UNUSABLE = frozenset({"draining", "drained", "down"})


def leaf(node: str) -> int:
    """The position of a node's leaf switch, from 0.

    >>> leaf("n05")
    1
    """
    return (int(node[1:]) - 1) // PER_LEAF


@lru_cache(maxsize=4)
def simulate(seed: int) -> Trace:
    count = LEAVES * PER_LEAF
    switches: list[dict[str, Any]] = [
        {"name": f"s{i + 1}", "nodes": f"n[{i * PER_LEAF + 1:02d}-{(i + 1) * PER_LEAF:02d}]"} for i in range(LEAVES)]
    return simulate_slurm(parse_workload({
        "name": "cluster_view",
        "cluster": {"nodes": [{"name": f"n[01-{count:02d}]", "cpus": 64, "gpus": GPUS}],
                    "partitions": [{"name": "main", "Default": "YES", "MaxTime": "INFINITE"}],
                    "switches": [*switches, {"name": "top", "switches": f"s[1-{LEAVES}]"}]},
        "config": {"PriorityType": "priority/basic", "SchedulerParameters": "bf_interval=30"},
        "jobs": _jobs(seed),
        "events": [{"at": 10 * HOUR, "do": "drain", "nodes": DRAINED, "reason": "ECC errors"},
                   {"at": 13 * HOUR, "do": "down", "nodes": DOWN, "reason": "fell off the bus"},
                   {"at": 15 * HOUR, "do": "resume", "nodes": DRAINED}, {"at": 16 * HOUR, "do": "resume", "nodes": DOWN}],
    }, "cluster_view"), until=DAY)


def _jobs(seed: int) -> list[dict[str, Any]]:
    """Arrivals at random over twenty hours, run times log-normal around three hours, limits half as long again."""
    rng = random.Random(seed)
    times = sorted(round(rng.uniform(0, 20 * HOUR)) for _job in range(JOBS))
    shapes = [shape for shape in SHAPES for _time in range(shape[2])]
    rows: list[dict[str, Any]] = []
    for i, at in enumerate(times):
        nodes, gpus, _share = rng.choice(shapes)
        run = round(min(max(rng.lognormvariate(9.2, 0.6), 30 * MINUTE), 8 * HOUR))
        rows.append({"id": f"{i + 1}", "at": at, "user": "alice", "run_s": run, "nodes": nodes, "ntasks": nodes,
                     "cpus_per_task": gpus, "gpus_per_node": gpus, "time_limit_min": -(-run * 3 // 2 // (30 * MINUTE)) * 30})
    return rows


def holders(trace: Trace, time: int) -> dict[str, list[str]]:
    """For each node the job on each of its GPUs at ``time`` ("": none)."""
    found = {node.name: [""] * node.gpus for node in trace.nodes}
    for job in trace.jobs:
        for run in job.runs:
            if run.start <= time < (run.end if run.end is not None else DAY):
                for place in run.places:
                    for gpu in place.gpus:
                        found[place.node][gpu] = job.id
    return found


def states(trace: Trace, time: int) -> dict[str, str]:
    """The long state of each node at ``time``."""
    found = {node.name: "idle" for node in trace.nodes}
    for event in trace.events():
        if event.time > time:
            break
        if event.kind == "node":
            found[event.subject] = event.detail["state"]
    return found


def waiting(trace: Trace, time: int) -> list[JobRecord]:
    """The jobs in the queue at ``time``, those that were put back included, in order of submission."""
    return [job for job in trace.jobs if job.submit <= time and not any(
        run.start <= time < (run.end if run.end is not None else DAY) for run in job.runs)
        and (not job.runs or job.runs[-1].start > time)]


def run(settings: Mapping[str, Value]) -> Outcome:
    trace, time = simulate(int(settings["seed"])), round(float(settings["time"]) * HOUR)
    held, seen, queue = holders(trace, time), states(trace, time), waiting(trace, time)
    busy = sum(bool(job) for gpus in held.values() for job in gpus)
    jobs = {job for gpus in held.values() for job in gpus if job}
    return Outcome(_summary(time, busy, len(jobs), seen, queue), (_figure(trace, time, held, seen),),
                   _table(held, seen), {
        "busy_gpus": busy, "running": len(jobs), "waiting": [job.id for job in queue],
        "states": seen, "held": held,
    })


def _summary(time: int, busy: int, running: int, seen: Mapping[str, str], queue: list[JobRecord]) -> str:
    parts = [_("At {time} {running} jobs hold {busy} of {all} GPUs").format(
        time=clock_time(time), running=running, busy=busy, all=LEAVES * PER_LEAF * GPUS)]
    parts += [_("{node} is {state}").format(node=node, state=state) for node, state in seen.items() if state in UNUSABLE]
    if queue:
        oldest = queue[0]
        parts.append(ngettext("{n} job waits", "{n} jobs wait", len(queue)).format(n=len(queue)))
        nodes = ngettext("{n} node", "{n} nodes", oldest.nodes).format(n=oldest.nodes)
        parts.append(_("{job} has waited {time} for {nodes} with {gpus} GPUs each").format(
            job=oldest.id, time=human_duration(time - oldest.submit), nodes=nodes, gpus=oldest.gpus // oldest.nodes))
    else:
        parts.append(_("nobody waits"))
    return "; ".join(parts) + "."


def _figure(trace: Trace, time: int, held: Mapping[str, list[str]], seen: Mapping[str, str]) -> Figure:
    numbers = letters(job.id for job in trace.jobs)
    cells: list[dict[str, Any]] = []
    marks: list[dict[str, Any]] = []
    names: list[dict[str, Any]] = []
    for block in range(LEAVES):
        nodes = [node for node in held if leaf(node) == block]
        left, top = (block % 2) * 13.2, (block // 2) * (PER_LEAF + 1)
        used = sum(bool(job) for node in nodes for job in held[node])
        names.append({"x": left, "y": top + 0.5, "text": _("leaf s{n}: {used}/{all} GPUs").format(
            n=block + 1, used=used, all=PER_LEAF * GPUS)})
        off = frozenset(i for i, node in enumerate(nodes) if seen[node] in UNUSABLE)
        drawn, text = cells_of([held[node] for node in nodes], numbers, left + 4.6, top + 1, off)
        cells += drawn
        marks += text
        names += [{"x": left, "y": top + 1.5 + i, "text": f"{node} {STATES[seen[node]]}"} for i, node in enumerate(nodes)]
    alt = _("Four leaf switches with four nodes each, a cell a GPU. {lines}.").format(lines="; ".join(
        f"{node} {STATES[seen[node]]} {sum(map(bool, gpus))}/{len(gpus)}" for node, gpus in held.items()))
    return Figure("map", _("Every GPU at {time}").format(time=clock_time(time)), alt,
                  map_spec(25.8, 2 * (PER_LEAF + 1)), {"cells": cells, "letters": marks, "names": names})


def _table(held: Mapping[str, list[str]], seen: Mapping[str, str]) -> Table:
    columns = (_("node"), _("switch"), _("state"), _("GPUs in use"), _("jobs"))
    rows = tuple((node, f"s{leaf(node) + 1}", STATES[seen[node]], f"{sum(map(bool, gpus))} / {len(gpus)}",
                  ", ".join(dict.fromkeys(job for job in gpus if job))) for node, gpus in held.items())
    return Table(_("The nodes, as sinfo would list them"), columns, rows)


EXPERIMENT = Experiment(
    id="cluster_view",
    title=N_("The cluster at a glance"),
    caption=N_("A made-up day on 128 GPUs below four leaf switches. n06 is drained from 10:00 to 15:00, n11 is down from "
               "13:00 to 16:00."),
    controls=(
        Slider("time", N_("Time of day"), 0, 23.75, 0.25, 13.5, "h"),
        Slider("seed", N_("Seed of the day's jobs"), 1, 20, 1, 1),
    ),
    run=run,
    presets=(Preset(N_("After both nodes have returned"), {"time": 16.25}),
             Preset(N_("Three in the morning"), {"time": 3})),
)
