"""Runs of a real Slurm 22.05.8, for exercises that read a record instead of a simulation.

The files are copies of two cases of the conformance suite (``tests/golden/slurm_golden``, whose README says how they
were measured): the workload as it was submitted and what then happened. Times are simulated seconds of a fast clock; a
start is some seconds late, a run some seconds long, within each job's ``tolerance_s``.
"""
from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any

from clustersim import hostlist
from clustersim.errors import InputError
from clustersim.messages import _
from clustersim.trace import JobRecord, Node, Place, Run, Trace
from clustersim.units import MINUTE

NAMES = ("backfill_same_jobs", "backfill_does_not_delay_top")


def workload(name: str) -> dict[str, Any]:
    """The jobs and the cluster of a recorded run, in the form of the conformance suite; a fresh copy each time."""
    return _read(name, "workload")


def outcome(name: str) -> dict[str, Any]:
    """What was measured, in the form of the conformance suite; a fresh copy each time."""
    return _read(name, "outcome")


def recorded(name: str) -> Trace:
    """The measured run as a :class:`Trace`: whole nodes, times in seconds.

    ``runtime`` is what the job took by the record; ``extra`` keeps the true work (``work_s``) and the tolerance of its
    times (``tolerance_s``).
    """
    asked, seen = workload(name), outcome(name)
    nodes = tuple(Node(host, group["cpus"], group.get("gpus", 0))
                  for group in asked["cluster"]["nodes"] for host in hostlist.expand(group["name"]))
    cpus = {node.name: node.cpus for node in nodes}
    jobs = tuple(_record(job, seen["jobs"][job["id"]], cpus) for job in asked["jobs"])
    until = max(job.end for job in jobs if job.end is not None)
    policy = _("measured on Slurm {version}").format(version=seen["slurm_version"])
    return Trace(policy, sum(cpus.values()), jobs, nodes, until=until)


def _record(job: dict[str, Any], seen: dict[str, Any], cpus: dict[str, int]) -> JobRecord:
    places = tuple(Place(host, cpus[host]) for host in seen["nodes"])
    cores = sum(place.cpus for place in places)
    run = Run(seen["start_s"], seen["end_s"], seen["state"], places, cores, exit_code=seen["exit_code"])
    return JobRecord(
        job["id"], seen["submit_s"], seen["end_s"] - seen["start_s"], job["time_limit_min"] * MINUTE, cores,
        nodes=job["nodes"], user=job["user"], state=seen["state"], runs=(run,),
        extra={"work_s": job["run_s"], "tolerance_s": seen["tolerance_s"]},
    )


@cache
def _text(name: str, part: str) -> str:
    if name not in NAMES:
        raise InputError(_("recorded run"), name, _("one of {names}").format(names=", ".join(NAMES)))
    return (files("clustersim.exercises") / "recorded_runs" / f"{name}.{part}.json").read_text(encoding="utf-8")


def _read(name: str, part: str) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(_text(name, part))
    return data
