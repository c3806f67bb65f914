"""Runs of a real Slurm 22.05.8: what was submitted, what happened, and the record as a :class:`Trace`.

The files in ``exercises/recorded_runs`` are copies of cases of the conformance suite (``tests/golden/slurm_golden``,
whose README says how they were measured). Times are simulated seconds of a fast clock: a start is some seconds late, a
run some seconds long, within each job's ``tolerance_s``. Reasons were seen by asking ``squeue`` every 12 s or so.
"""
from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from clustersim import hostlist
from clustersim.errors import InputError
from clustersim.messages import _
from clustersim.trace import Event, JobRecord, Node, Place, Run, Trace
from clustersim.units import MINUTE

FOLDER = files("clustersim") / "exercises" / "recorded_runs"
NAMES = tuple(sorted(path.name.removesuffix(".outcome.json") for path in FOLDER.iterdir()
                     if path.name.endswith(".outcome.json")))

Data = dict[str, Any]


def workload(name: str) -> Data:
    """The jobs and the cluster of a recorded run, in the form of the conformance suite; a fresh copy each time."""
    return _read(name, "workload")


def outcome(name: str) -> Data:
    """What was measured, in the form of the conformance suite; a fresh copy each time."""
    return _read(name, "outcome")


def printed(name: str) -> str:
    """What the commands of the run's snapshots printed, each behind its prompt, without blanks at the ends of lines."""
    blocks = [f"$ {command}\n{text}" for one in outcome(name)["snapshots"].values() for command, text in one.items()]
    return "\n".join(line.rstrip() for block in blocks for line in block.rstrip().splitlines())


def recorded(name: str) -> Trace:
    """The measured run as a :class:`Trace`, times in seconds; which GPUs a job held is not on record.

    A refused job has sbatch's message as its reason. ``runtime`` is what the job's last run took by the record; ``extra``
    keeps the true work (``work_s``) and the tolerance of its times (``tolerance_s``). The log holds submissions, starts,
    ends, and the reasons as they were seen.
    """
    asked, seen = workload(name), outcome(name)
    nodes = tuple(Node(host, group["cpus"], group.get("gpus", 0))
                  for group in asked["cluster"]["nodes"] for host in hostlist.expand(group["name"]))
    cpus = {node.name: node.cpus for node in nodes}
    jobs = [_record(asked, job, key, seen, cpus) for job in asked["jobs"] for key in _keys(job, seen["jobs"])]
    until = max([*(run.end or 0 for job in jobs for run in job.runs), *(int(row["t"]) for row in seen["job_transitions"])])
    policy = _("measured on Slurm {version}").format(version=seen["slurm_version"])
    return Trace(policy, sum(cpus.values()), tuple(jobs), nodes, _log(jobs, seen), until=until)


def _keys(job: Data, seen: Mapping[str, Data]) -> list[str]:
    """Under which names the job stands in the outcome: its own, or one a task."""
    return [key for key in seen if key == job["id"] or ("array" in job and key.rpartition("_")[0] == job["id"])]


def _record(asked: Data, job: Data, key: str, outcome: Data, cpus: Mapping[str, int]) -> JobRecord:
    seen = outcome["jobs"][key]
    runs = tuple(_run(asked, job, run, cpus, seen["exit_code"]) for run in seen.get("runs", ()) if run["start_s"] is not None)
    pauses = _pauses(key, outcome)
    paused = sum(end - begin for begin, end in pauses)
    last = runs[-1].end if runs else None
    limit = job.get("time_limit_min")
    extra: Data = {"work_s": job["run_s"], "tolerance_s": seen.get("tolerance_s", outcome["time_tolerance_s"])}
    extra |= {"suspended": pauses, "suspended_s": paused} if pauses else {}
    extra |= {name: job[name] for name in ("qos", "account", "partition") if name in job}
    nodes = job.get("nodes", 1)
    return JobRecord(
        key, seen.get("submit_s", job["at"]), last - runs[-1].start - paused if last is not None else job["run_s"],
        None if limit is None else limit * MINUTE, runs[-1].cores if runs else nodes * _cores(job, nodes), nodes=nodes,
        gpus=job.get("gpus", nodes * job.get("gpus_per_node", 0)), user=job["user"], state=seen["state"],
        reason=seen.get("reason", seen.get("stderr", "None")), runs=runs, extra=extra)


def _run(asked: Data, job: Data, run: Data, cpus: Mapping[str, int], exit_code: str) -> Run:
    whole = job.get("exclusive") is True or any(
        part.get("OverSubscribe") == "EXCLUSIVE" for part in asked["cluster"]["partitions"]
        if part["name"] in job.get("partition", part["name"]).split(","))
    cores = _cores(job, len(run["nodes"]))
    places = tuple(Place(host, cpus[host] if whole else cores) for host in run["nodes"])
    return Run(run["start_s"], run["end_s"], run["state"], places, sum(place.cpus for place in places), exit_code=exit_code)


def _cores(job: Data, hosts: int) -> int:
    """Cores on each of ``hosts`` nodes that the job shares; 1 where the request leaves open how its tasks were spread."""
    tasks = job.get("ntasks", hosts if "nodes" in job else 1)
    each, rest = divmod(tasks, hosts)
    even = not rest and hosts == job.get("nodes", 1)
    return int(job.get("ntasks_per_node", each if even else 1) * job.get("cpus_per_task", 1))


def _pauses(key: str, outcome: Data) -> list[list[int]]:
    """When the job was suspended. Each change is dated back to the start or end of another job that came just before."""
    runs = [run for name, job in outcome["jobs"].items() if name != key for run in job.get("runs", ())]
    causes = {"SUSPENDED": sorted(run["start_s"] for run in runs if run["start_s"] is not None),
              "RUNNING": sorted(run["end_s"] for run in runs if run["end_s"] is not None)}
    pauses: list[list[int]] = []
    state = ""
    for row in (row for row in outcome["job_transitions"] if row["job"] == key):
        if row["state"] == "SUSPENDED" or (state == "SUSPENDED" and row["state"] == "RUNNING"):
            at = max(time for time in causes[row["state"]] if time <= row["t"])
            if row["state"] == "SUSPENDED":
                pauses.append([at, at])
            else:
                pauses[-1][1] = at
        state = row["state"]
    return pauses


def _log(jobs: Sequence[JobRecord], outcome: Data) -> tuple[Event, ...]:
    rows: list[tuple[int, int, Event]] = []
    for job in jobs:
        asked = {"user": job.user, "cores": job.cores, "nodes": job.nodes, "gpus": job.gpus, "limit": job.limit}
        if job.state == "REJECTED":
            rows.append((job.submit, 1, Event(job.submit, "reject", job.id, {"why": job.reason})))
            continue
        rows.append((job.submit, 1, Event(job.submit, "submit", job.id, asked)))
        for run in job.runs:
            where = [[place.node, place.cpus, []] for place in run.places]
            start = Event(run.start, "start", job.id, {"places": where, "wait": run.start - job.submit})
            rows.append((run.start, 3, start))
            if run.end is not None:
                rows.append((run.end, 0, Event(run.end, "end", job.id, {"state": run.state})))
    known = {job.id for job in jobs}
    for row in outcome["job_transitions"]:
        if row["state"] == "PENDING" and row["reason"] != "None" and row["job"] in known:
            rows.append((int(row["t"]), 2, Event(int(row["t"]), "reason", row["job"], {"reason": row["reason"]})))
    return tuple(event for _time, _phase, event in sorted(rows, key=lambda row: row[:2]))


@cache
def _text(name: str, part: str) -> str:
    if name not in NAMES:
        raise InputError(_("recorded run"), name, _("one of {names}").format(names=", ".join(NAMES)))
    return (FOLDER / f"{name}.{part}.json").read_text(encoding="utf-8")


def _read(name: str, part: str) -> Data:
    data: Data = json.loads(_text(name, part))
    return data
