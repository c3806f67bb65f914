"""The same three people and four GPUs with Slurm in charge: who starts when, and what idles.

The story is littlemex's (CC BY 4.0); a tenth of it was measured on a real Slurm 22.05.8
(``tests/golden/slurm_golden/seed_three_researchers``).
"""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clustersim.experiments.base import Choice, Experiment, Figure, Outcome, Preset, Slider, Table, Value
from clustersim.figures import gantt_spec, gpu_bars
from clustersim.messages import N_, _
from clustersim.slurm import parse_workload, simulate_slurm
from clustersim.trace import JobRecord, Trace
from clustersim.units import HOUR, MINUTE, clock_time, human_duration

NODE = "gpu1"
QOS = (("low", 10), ("medium", 50), ("high", 100))
PEOPLE = (("A", "alice", "medium"), ("B", "bob", "high"), ("C", "carol", "low"))


def workload(settings: Mapping[str, Value]) -> dict[str, Any]:
    """The workload in the form of the measured cases; each time limit is a tenth above the run time."""
    gpus = {"A": 2, "B": 2, "C": int(settings["gpus_c"])}
    jobs = []
    for job, user, qos in PEOPLE:
        run_s = round(float(settings[f"hours_{job.lower()}"]) * HOUR)
        jobs.append({"id": job, "at": 0, "user": user, "account": "lab", "qos": qos, "gpus_per_node": gpus[job], "run_s": run_s,
                     "time_limit_min": -(-run_s * 11 // 10 // MINUTE)})
    names = ",".join(name for name, _priority in QOS)
    return {
        "name": "three_researchers",
        "cluster": {"nodes": [{"name": NODE, "cpus": 16, "gpus": int(settings["gpus"])}],
                    "partitions": [{"name": "main", "Default": "YES", "MaxTime": "INFINITE"}]},
        "config": {"SchedulerType": f"sched/{settings['scheduler']}", "PriorityType": "priority/multifactor",
                   "AccountingStorageEnforce": "associations,limits,qos", "PriorityWeightQOS": "100000"},
        "accounting": {"qos": [{"name": name, "priority": priority} for name, priority in QOS],
                       "accounts": [{"name": "lab"}],
                       "users": [{"name": user, "account": "lab", "qos": names} for _job, user, _qos in PEOPLE]},
        "jobs": jobs,
    }


def run(settings: Mapping[str, Value]) -> Outcome:
    trace = simulate_slurm(parse_workload(workload(settings), _("three_researchers")))
    ran = [job for job in trace.jobs if job.runs]
    last = max(job.end or 0 for job in ran)
    used = sum(job.gpus * job.runtime for job in ran)
    idle = int(settings["gpus"]) * last - used
    return Outcome(_summary(trace, last, idle), (_figure(trace, int(settings["gpus"])),), _table(trace), {
        "starts_s": {job.id: job.start for job in trace.jobs}, "ends_s": {job.id: job.end for job in trace.jobs},
        "waits_s": {job.id: job.wait for job in trace.jobs}, "finish_s": last, "busy_gpu_h": used / HOUR,
        "idle_gpu_h": idle / HOUR,
    })


def _minute(seconds: int) -> str:
    return clock_time(round(seconds / MINUTE) * MINUTE)


def _summary(trace: Trace, last: int, idle: int) -> str:
    parts = []
    for job in trace.jobs:
        if not job.runs:
            parts.append(_("{job} is refused").format(job=job.id))
        elif (job.wait or 0) < MINUTE:
            parts.append(_("{job} starts at once").format(job=job.id))
        else:
            parts.append(_("{job} starts at {time}").format(job=job.id, time=_minute(job.start or 0)))
    return _("{starts}; all is done at {last}, and {idle:.1f} GPU hours stood idle until then.").format(
        starts=_(", ").join(parts), last=_minute(last), idle=idle / HOUR)


def _figure(trace: Trace, gpus: int) -> Figure:
    rows = [f"{NODE} GPU {gpu}" for gpu in range(gpus)]
    bars = gpu_bars(trace, {job: i for i, (job, _user, _qos) in enumerate(PEOPLE)})
    waited = [job for job in trace.jobs if job.runs and (job.wait or 0) >= MINUTE]
    marks = [{"time": round((job.start or 0) / HOUR, 4), "label": _("{job} starts").format(job=job.id)} for job in waited]
    lines = [_line(job) for job in trace.jobs if job.runs]
    alt = _("One row a GPU of {node}. {lines}.").format(node=NODE, lines=_("; ").join(lines))
    return Figure("gantt", _("Who gets which GPU when Slurm is in charge"), alt, gantt_spec(_("GPU"), rows),
                  {"bars": bars, "deaths": [], "marks": marks})


def _line(job: JobRecord) -> str:
    gpus = ", ".join(str(gpu) for place in job.runs[0].places for gpu in place.gpus)
    return _("{job} holds GPU {gpus} from {start} to {end}").format(
        job=job.id, gpus=gpus, start=_minute(job.start or 0), end=_minute(job.end or 0))


def _table(trace: Trace) -> Table:
    columns = (_("job"), _("user"), _("QOS"), _("start"), _("wait"), _("GPUs"), _("end"), _("state"))
    rows = []
    for job, (_job, user, qos) in zip(trace.jobs, PEOPLE, strict=True):
        if job.runs:
            gpus = ", ".join(str(gpu) for place in job.runs[0].places for gpu in place.gpus)
            start, end = _minute(job.start or 0), _minute(job.end or 0)
            wait = human_duration(round((job.wait or 0) / MINUTE) * MINUTE)
        else:
            gpus, start, wait, end = "", "", "", ""
        rows.append((job.id, user, qos, start, wait, gpus, end, job.state))
    return Table(_("The day of each job under Slurm"), columns, tuple(rows))


EXPERIMENT = Experiment(
    id="three_researchers",
    title=N_("Three people, four GPUs, and Slurm"),
    caption=N_("All three jobs are submitted at 00:00. Slurm orders them by the priority of their QOS and starts what fits."),
    controls=(
        Choice("scheduler", N_("Scheduler"), (("backfill", "sched/backfill"), ("builtin", "sched/builtin")), "backfill"),
        Slider("gpus", N_("GPUs in the node"), 2, 8, 1, 4),
        Slider("hours_a", N_("A runs for"), 0.5, 8, 0.5, 3, N_("h")),
        Slider("hours_b", N_("B runs for"), 0.5, 8, 0.5, 5, N_("h")),
        Slider("hours_c", N_("C runs for"), 0.5, 8, 0.5, 1, N_("h")),
        Slider("gpus_c", N_("C asks for"), 1, 4, 1, 1, N_("GPUs")),
    ),
    run=run,
    presets=(Preset(N_("Three GPUs, and nobody may pass"), {"gpus": 3, "scheduler": "builtin"}),
             Preset(N_("Three GPUs, and passing is allowed"), {"gpus": 3})),
)
