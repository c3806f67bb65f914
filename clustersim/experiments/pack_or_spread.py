"""Packing against spreading: the same stream of GPU jobs under three orders of choice, until a whole node is wanted.

Six nodes of eight GPUs. Small jobs (one to four GPUs) are drawn with a seed; now and then ``W1``, ``W2``, ... ask for
many GPUs of one node. Only the order in which Slurm tries the nodes differs between the runs: its default, the tightest
fit by free cores; ``CR_LLN``, the least loaded node; or node weights that fill the nodes one after the other.
"""
from __future__ import annotations

import random
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from clustersim.experiments.base import Choice, Experiment, Figure, Outcome, Preset, Slider, Table, Value
from clustersim.figures import letters
from clustersim.figures_nodes import cells_of, map_spec
from clustersim.figures_queue import lines_spec
from clustersim.messages import N_, _
from clustersim.slurm import parse_workload, simulate_slurm
from clustersim.trace import JobRecord, Trace
from clustersim.units import HOUR, MINUTE, clock_time, human_duration

NODES, GPUS = 6, 8
SMALL = (1, 1, 1, 2, 2, 4)  # GPUs of a small job, drawn evenly: two on average are held for about two hours
JOBS, MEAN_RUN = 80, 2 * HOUR
FIRST_WIDE, EVERY_WIDE = 4 * HOUR, 3 * HOUR
POLICIES = ("fit", "lln", "weights")
_NAMES = {"fit": N_("best fit"), "lln": N_("CR_LLN"), "weights": N_("weights")}


@lru_cache(maxsize=16)
def simulate(policy: str, load: float, wide: int, seed: int) -> Trace:
    """The day under one order of choice; ``wide`` is how many GPUs the jobs W1, W2, ... ask for on one node."""
    nodes = [{"name": f"g{i + 1}", "cpus": 64, "gpus": GPUS, "weight": i + 1 if policy == "weights" else 1}
             for i in range(NODES)]
    config = {"PriorityType": "priority/basic", "SchedulerParameters": "bf_interval=30"}
    if policy == "lln":
        config["SelectTypeParameters"] = "CR_Core,CR_LLN"
    partitions = [{"name": "main", "Default": "YES", "MaxTime": "INFINITE"}]
    return simulate_slurm(parse_workload({
        "name": "pack_or_spread", "cluster": {"nodes": nodes, "partitions": partitions}, "config": config,
        "jobs": _jobs(load, wide, seed)}, "pack_or_spread"))


def _jobs(load: float, wide: int, seed: int) -> list[dict[str, Any]]:
    """Arrivals at random; run times log-normal around an hour and a half; limits in half hours, half as long again."""
    rng, time, rows = random.Random(seed), 0.0, []
    rate = load * NODES * GPUS / (sum(SMALL) / len(SMALL) * MEAN_RUN)
    for i in range(JOBS):
        time += rng.expovariate(rate)
        run = round(min(max(rng.lognormvariate(8.5, 0.7), 15 * MINUTE), 6 * HOUR))
        rows.append(_job(f"{i + 1}", round(time), run, -(-run * 3 // 2 // (30 * MINUTE)) * 30, rng.choice(SMALL)))
    wides = range(FIRST_WIDE, round(time), EVERY_WIDE)
    rows += [_job(f"W{i + 1}", at, HOUR, 90, wide) for i, at in enumerate(wides)]
    return sorted(rows, key=lambda row: row["at"])


def _job(name: str, at: int, run: int, limit: int, gpus: int) -> dict[str, Any]:
    return {"id": name, "at": at, "user": "alice", "run_s": run, "time_limit_min": limit, "nodes": 1, "ntasks": 1,
            "cpus_per_task": gpus, "gpus_per_node": gpus}


def wides(trace: Trace) -> list[JobRecord]:
    return [job for job in trace.jobs if job.id.startswith("W")]


def held(trace: Trace, time: int) -> list[list[str]]:
    """For each node and GPU the job that holds it at ``time``, before anything that starts then ("" if none)."""
    owners = [[""] * GPUS for _node in range(NODES)]
    index = {node.name: i for i, node in enumerate(trace.nodes)}
    for job in trace.jobs:
        for run in job.runs:
            if run.start < time < (run.released if run.released is not None else time + 1):
                for place in run.places:
                    for gpu in place.gpus:
                        owners[index[place.node]][gpu] = job.id
    return owners


def free_in(owners: list[list[str]]) -> list[int]:
    """Free GPUs of each node."""
    return [gpus.count("") for gpus in owners]


def run(settings: Mapping[str, Value]) -> Outcome:
    load, wide, seed = float(settings["load"]), int(settings["wide"]), int(settings["seed"])
    other = str(settings["other"])
    traces = {policy: simulate(policy, load, wide, seed) for policy in ("fit", other)}
    count = len(wides(traces["fit"]))
    number = min(int(settings["shown"]), count)
    at = wides(traces["fit"])[number - 1].submit
    free = {policy: free_in(held(trace, at)) for policy, trace in traces.items()}
    waits = {policy: [job.wait or 0 for job in wides(trace)] for policy, trace in traces.items()}
    small = {policy: [job.wait or 0 for job in trace.jobs if not job.id.startswith("W")] for policy, trace in traces.items()}
    figures = (_map(traces, free, at, number, wide), _lines(traces, wide))
    return Outcome(_summary(free, waits, at, number, wide), figures, _table(traces, wide), {
        "free_gpus": {policy: sum(counts) for policy, counts in free.items()},
        "nodes_that_fit": {policy: sum(n >= wide for n in counts) for policy, counts in free.items()},
        "wide_waits_s": waits, "small_wait_s": {policy: sum(times) / len(times) for policy, times in small.items()},
        "submitted_s": at,
    })


def _name(policy: str) -> str:
    return _(_NAMES[policy])


def _summary(free: Mapping[str, list[int]], waits: Mapping[str, list[int]], at: int, number: int, wide: int) -> str:
    text = _("{policy} leaves {free} GPUs free, at most {most} of them in one node, and W{n} waits {wait}")
    parts = [text.format(policy=_name(policy), free=sum(counts), most=max(counts), n=number,
                         wait=human_duration(waits[policy][number - 1])) for policy, counts in free.items()]
    return _("At {time} W{n} asks for {wide} GPUs of one node: {first}; {second}.").format(
        time=clock_time(at), n=number, wide=wide, first=parts[0], second=parts[1])


def _map(traces: Mapping[str, Trace], free: Mapping[str, list[int]], at: int, number: int, wide: int) -> Figure:
    numbers = letters(job.id for job in traces["fit"].jobs)
    cells: list[dict[str, Any]] = []
    marks: list[dict[str, Any]] = []
    names: list[dict[str, Any]] = [{"x": 0, "y": i + 1.5, "text": f"g{i + 1}"} for i in range(NODES)]
    for i, (policy, trace) in enumerate(traces.items()):
        left = 1 + i * (GPUS + 1)
        block, text = cells_of(held(trace, at), numbers, left, 1)
        cells += block
        marks += text
        names.append({"x": left, "y": 0.5, "text": _("{policy}, {free} GPUs free").format(
            policy=_name(policy), free=sum(free[policy]))})
    alt = "; ".join(_("{policy}: free GPUs by node {counts}").format(
        policy=_name(policy), counts=", ".join(map(str, counts))) for policy, counts in free.items())
    return Figure("map", _("Who holds which GPU when W{n} asks for {wide} on one node").format(n=number, wide=wide),
                  _("One row a node, one cell a GPU, at {time}. {alt}.").format(time=clock_time(at), alt=alt),
                  map_spec(2 * (GPUS + 1), NODES + 1), {"cells": cells, "letters": marks, "names": names})


def _lines(traces: Mapping[str, Trace], wide: int) -> Figure:
    end = max(job.submit for job in traces["fit"].jobs)
    points: list[dict[str, Any]] = []
    none = {}
    for policy, trace in traces.items():
        steps = _room(trace, wide, end)
        points += [{"time": round(time / HOUR, 3), "value": value, "name": _name(policy)} for time, value in steps]
        none[policy] = sum(later - time for (time, value), (later, _next) in zip(steps, steps[1:], strict=False) if not value)
    marks = [{"time": round(job.submit / HOUR, 3), "label": job.id} for job in wides(traces["fit"])]
    alt = "; ".join(_("under {policy} there is none for {time} of {whole}").format(
        policy=_name(policy), time=human_duration(time), whole=human_duration(end)) for policy, time in none.items())
    return Figure("room", _("Nodes with {wide} free GPUs over the day").format(wide=wide),
                  _("Nodes in which {wide} GPUs are free: {alt}.").format(wide=wide, alt=alt),
                  lines_spec([_name(policy) for policy in traces], _("nodes with room"), height=140),
                  {"points": points, "marks": marks})


def _room(trace: Trace, wide: int, end: int) -> list[tuple[int, int]]:
    """(time, nodes in which ``wide`` GPUs are free) at every change up to ``end``."""
    changes: list[tuple[int, str, int]] = []
    for job in trace.jobs:
        for one in job.runs:
            stop = one.released if one.released is not None else end
            for place in one.places:
                changes += [(one.start, place.node, -len(place.gpus)), (stop, place.node, len(place.gpus))]
    free = {node.name: node.gpus for node in trace.nodes}
    steps = [(0, NODES)]
    for time, node, more in sorted(changes):
        if time > end:
            break
        free[node] += more
        room = sum(count >= wide for count in free.values())
        if steps[-1][0] == time:
            steps.pop()
        if not steps or steps[-1][1] != room:
            steps.append((time, room))
    return [*steps, (end, steps[-1][1])]


def _table(traces: Mapping[str, Trace], wide: int) -> Table:
    columns = [_("job"), _("asks at")]
    for policy in traces:
        name = _name(policy)
        columns += [_("free GPUs, {policy}").format(policy=name), _("most in one node, {policy}").format(policy=name),
                    _("wait, {policy}").format(policy=name)]
    rows = []
    for i, job in enumerate(wides(traces["fit"])):
        row = [job.id, clock_time(job.submit)]
        for trace in traces.values():
            counts = free_in(held(trace, job.submit))
            row += [str(sum(counts)), str(max(counts)), human_duration(wides(trace)[i].wait or 0)]
        rows.append(tuple(row))
    return Table(_("The jobs that want {wide} GPUs of one node").format(wide=wide), tuple(columns), tuple(rows))


EXPERIMENT = Experiment(
    id="pack_or_spread",
    title=N_("Pack the jobs or spread them?"),
    caption=N_("Six nodes of eight GPUs, the same jobs on both sides; only the order in which Slurm tries the nodes differs."),
    controls=(
        Choice("other", N_("Compared with best fit"), (("lln", N_("CR_LLN: the least loaded node")),
                                                       ("weights", N_("weights: one node after the other"))), "lln"),
        Slider("wide", N_("W asks for"), 4, 8, 1, 8, N_("GPUs of one node")),
        Slider("load", N_("Load of the small jobs"), 0.3, 0.8, 0.05, 0.6,
               help=N_("GPUs they would hold on average, as a share of all")),
        Slider("shown", N_("Map at the submission of W number"), 1, 4, 1, 1),
        Slider("seed", N_("Seed"), 1, 50, 1, 1),
    ),
    run=run,
    presets=(Preset(N_("Weights against best fit"), {"other": "weights"}),
             Preset(N_("A fuller cluster"), {"load": 0.8})),
)
