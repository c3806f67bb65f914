"""The day that the living cluster on the first page plays: a made-up workload under simulated Slurm, as compact data.

Everything about the workload is an assumption of this book: the sizes, the run times and the arrivals are drawn from a
seed. What Slurm's backfill makes of it is simulated.
"""
from __future__ import annotations

import random
from typing import Any

from clustersim.slurm import parse_workload, simulate_slurm
from clustersim.trace import JobRecord, Trace
from clustersim.units import HOUR, MINUTE, clock_time

NODES, GPUS = 32, 8
UNTIL = 18 * HOUR
SEED = 4
ARRIVALS_UNTIL = UNTIL - 2 * HOUR
GAP = 10 * MINUTE  # seconds between two submissions on average
SIZES = ((1, 20), (2, 14), (4, 18), (8, 20), (16, 12), (32, 8), (64, 5), (128, 3))  # GPUs of a job, and how often
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ" + "abcdefghijklmnopqrstuvwxyz"
STEP = 5 * MINUTE  # of the scrubber


def workload() -> dict[str, Any]:
    """The jobs of the day in the form of ``tests/golden/slurm_golden/README.md``; a limit is what its user guessed."""
    rng = random.Random(SEED)
    jobs: list[dict[str, Any]] = []
    at = 0.0
    while at < ARRIVALS_UNTIL:
        gpus = rng.choices([size for size, _often in SIZES], [often for _size, often in SIZES])[0]
        run_s = int(min(rng.lognormvariate(0, 0.8) * (35 + 25 * gpus.bit_length()) * MINUTE, 9 * HOUR))
        limit = run_s * rng.uniform(1.1, 2.5)
        jobs.append({
            "id": f"job{len(jobs) + 1}", "at": int(at), "user": f"user{rng.randrange(1, 8)}", "run_s": max(run_s, MINUTE),
            "time_limit_min": -(-int(limit) // (15 * MINUTE)) * 15,
            "nodes": max(1, gpus // GPUS), "gpus_per_node": min(gpus, GPUS),
        })
        at += rng.expovariate(1 / GAP)
    return {
        "name": "living_cluster",
        "cluster": {"nodes": [{"name": f"n[01-{NODES}]", "cpus": 64, "gpus": GPUS}],
                    "partitions": [{"name": "main", "Default": "YES", "MaxTime": "INFINITE"}]},
        "config": {"SchedulerType": "sched/backfill", "PriorityType": "priority/basic"},
        "jobs": jobs, "until_s": UNTIL,
    }


def simulate() -> Trace:
    return simulate_slurm(parse_workload(workload(), "living_cluster"))


def day(trace: Trace) -> dict[str, Any]:
    """What the player needs: ``jobs`` as rows (letter, colour, GPUs, submit, start, end, places), times in seconds.

    A place is a node's number and a bit mask of its GPUs. A start or end after the day is ``UNTIL``.
    """
    names = {node.name: i for i, node in enumerate(trace.nodes)}
    rows: list[list[Any]] = []
    for job in sorted((job for job in trace.jobs if job.submit < UNTIL), key=lambda job: (job.submit, job.id)):
        start, end, places = _span(job, names)
        taken = {row[0] for row in rows if row[5] > job.submit}
        letter = next(letter for letter in LETTERS if letter not in taken)
        rows.append([letter, 1 + len(rows) % 8, job.gpus, job.submit, start, end, places])
    return {"nodes": len(trace.nodes), "gpus": GPUS, "until": UNTIL, "step": STEP, "jobs": rows}


def _span(job: JobRecord, names: dict[str, int]) -> tuple[int, int, list[list[int]]]:
    if not job.runs or job.runs[0].start >= UNTIL:
        return UNTIL, UNTIL, []
    run = job.runs[0]
    places = [[names[place.node], sum(1 << gpu for gpu in place.gpus)] for place in run.places]
    return run.start, min(run.end if run.end is not None else UNTIL, UNTIL), places


def counts(data: dict[str, Any], time: int) -> dict[str, int]:
    """Running and waiting jobs and busy GPUs at ``time`` seconds; the player counts in the same way."""
    running = [row for row in data["jobs"] if row[4] <= time < row[5]]
    waiting = [row for row in data["jobs"] if row[3] <= time < row[4]]
    return {"running": len(running), "waiting": len(waiting), "busy": sum(row[2] for row in running)}


def changes(data: dict[str, Any]) -> list[int]:
    """The instants at which something changes, in order."""
    return sorted({time for row in data["jobs"] for time in row[3:6] if time < data["until"]} | {0})


def fullest_queue(data: dict[str, Any]) -> int:
    """The first instant with the most jobs waiting."""
    return max(changes(data), key=lambda time: (counts(data, time)["waiting"], -time))


def largest_start(data: dict[str, Any]) -> int:
    """When the largest job starts that had to wait; the first of them if several are as large."""
    late = [row for row in data["jobs"] if row[3] + MINUTE < row[4] < data["until"]]
    return int(max(late, key=lambda row: (row[2], -row[4]))[4])


def hours(data: dict[str, Any]) -> list[tuple[str, dict[str, int]]]:
    """The day in a table: clock and counts at each full hour."""
    return [(clock_time(time), counts(data, time)) for time in range(0, data["until"], HOUR)]
