"""Limits of a QOS and an account: who waits beside idle GPUs, and which reason squeue gives.

The workload is wider than the one measured in ``tests/golden/slurm_golden/qos_limits``; the reasons of the limits per user
and of the limit on time are measured there, the others follow ``acct_policy.c`` of Slurm 22.05.
"""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clustersim.experiments.base import Experiment, Figure, Outcome, Preset, Slider, Table, Toggle, Value
from clustersim.figures import gantt_spec, gpu_bars
from clustersim.figures_queue import reasons_spec, run_bars, wait_bars, waiting
from clustersim.messages import N_, _, ngettext
from clustersim.slurm import Overheads, parse_workload, simulate_slurm
from clustersim.trace import Trace
from clustersim.units import MINUTE, clock_time, human_duration

UNTIL = 90 * MINUTE
GPUS = 8
# id, user, submitted at (min), GPUs, runs for (min), time limit (min)
JOBS = (("a1", "alice", 0, 2, 40, 45), ("a2", "alice", 1, 2, 20, 30), ("a3", "alice", 2, 1, 20, 30),
        ("b1", "bob", 3, 1, 50, 60), ("b2", "bob", 4, 1, 30, 40), ("b3", "bob", 5, 1, 15, 20),
        ("c1", "carol", 6, 2, 30, 40), ("c2", "carol", 7, 1, 20, 180))


def workload(settings: Mapping[str, Value]) -> dict[str, Any]:
    """Two nodes of four GPUs, one account, one QOS whose limits are the controls."""
    qos: dict[str, Any] = {
        "name": "train", "MaxTRESPerUser": f"gres/gpu={settings['per_user']}", "MaxJobsPerUser": int(settings["jobs"]),
        "MaxWall": str(settings["wall"])}
    if settings["deny"]:
        qos["flags"] = "DenyOnLimit"
    users = list(dict.fromkeys(user for _id, user, *_rest in JOBS))
    return {
        "name": "limits_and_reasons",
        "cluster": {"nodes": [{"name": "gpu[1-2]", "cpus": 16, "gpus": GPUS // 2}],
                    "partitions": [{"name": "main", "Default": "YES", "MaxTime": "INFINITE"}]},
        "config": {"PriorityType": "priority/multifactor",
                   "AccountingStorageEnforce": "associations,limits,qos" if settings["enforce"] else "associations"},
        "accounting": {"qos": [qos], "accounts": [{"name": "lab", "GrpTRES": f"gres/gpu={settings['group']}"}],
                       "users": [{"name": user, "account": "lab", "qos": "normal,train"} for user in users]},
        "jobs": [{"id": name, "user": user, "account": "lab", "qos": "train", "at": at * MINUTE, "gpus_per_node": gpus,
                  "run_s": run_min * MINUTE, "time_limit_min": limit} for name, user, at, gpus, run_min, limit in JOBS],
    }


def simulate(settings: Mapping[str, Value]) -> Trace:
    return simulate_slurm(parse_workload(workload(settings), "limits_and_reasons"), until=UNTIL, overheads=Overheads(0, 0))


def run(settings: Mapping[str, Value]) -> Outcome:
    trace = simulate(settings)
    spans = waiting(trace)
    idle = idle_beside_waiting(trace, spans)
    reasons: dict[str, list[str]] = {job.id: [] for job in trace.jobs}
    for job, _begin, _end, reason in spans:
        if reason != "None" and reason not in reasons[job]:
            reasons[job].append(reason)
    return Outcome(_summary(trace, idle), (_lives(trace, spans), _gpus(trace)), _table(trace, reasons), {
        "starts_s": {job.id: job.start for job in trace.jobs}, "reasons": reasons, "idle": idle,
        "states": {job.id: job.state for job in trace.jobs},
    })


def idle_beside_waiting(trace: Trace, spans: list[tuple[str, int, int, str]]) -> tuple[int, int, int]:
    """(jobs, GPUs, since): when most jobs waited although enough GPUs for each of them stood idle, and how many did.

    Of several such instants the one with most idle GPUs, then the first.
    """
    asks = {job.id: job.gpus for job in trace.jobs}
    worst = (0, 0, 0)
    for now in sorted({begin for _job, begin, _end, _why in spans}):
        busy = sum(asks[job.id] for job in trace.jobs for run in job.runs if run.start <= now < (run.end or trace.until))
        waits = [job for job, begin, end, _why in spans if begin <= now < end and asks[job] <= GPUS - busy]
        worst = max(worst, (len(waits), GPUS - busy, -now))
    return worst[0], worst[1], -worst[2]


def _summary(trace: Trace, idle: tuple[int, int, int]) -> str:
    jobs, gpus, since = idle
    never = [job.id for job in trace.jobs if not job.runs]
    if jobs:
        text = ngettext("At {since} {jobs} job waits while {gpus} of {all} GPUs, enough for it, stand idle",
                        "At {since} {jobs} jobs wait while {gpus} of {all} GPUs, enough for each of them, stand idle", jobs)
        text = text.format(since=clock_time(since), jobs=jobs, gpus=gpus, all=GPUS)
    else:
        text = _("No job waits beside enough idle GPUs")
    if never:
        text += _("; never started: {names}").format(names=", ".join(never))
    return text + "."


def _lives(trace: Trace, spans: list[tuple[str, int, int, str]]) -> Figure:
    numbers = {name: i for i, (name, *_rest) in enumerate(JOBS)}
    lines = [_("{job} waits from {begin} to {end} ({reason})").format(
        job=job, begin=clock_time(begin), end=clock_time(end), reason=reason) for job, begin, end, reason in spans]
    alt = "; ".join(lines) + "." if lines else _("Nobody waits.")
    return Figure("lives", _("Why each job waits, and when it runs"), alt, reasons_spec(list(numbers)),
                  {"waits": wait_bars(spans, MINUTE), "bars": run_bars(trace, numbers, MINUTE)})


def _gpus(trace: Trace) -> Figure:
    numbers = {name: i for i, (name, *_rest) in enumerate(JOBS)}
    rows = [f"gpu{node} GPU {gpu}" for node in (1, 2) for gpu in range(GPUS // 2)]
    lines = [_("{job} holds {n} from {begin} to {end}").format(
        job=job.id, n=job.gpus, begin=clock_time(run.start), end=clock_time(run.end or trace.until))
        for job in trace.jobs for run in job.runs]
    alt = _("One row a GPU. {lines}.").format(lines="; ".join(lines))
    return Figure("gpus", _("The GPUs meanwhile"), alt, gantt_spec(_("GPU"), rows, 22, "min"),
                  {"bars": gpu_bars(trace, numbers, MINUTE), "deaths": [], "marks": []})


def _table(trace: Trace, reasons: Mapping[str, list[str]]) -> Table:
    columns = (_("job"), _("user"), _("GPUs"), _("time limit"), _("submitted"), _("start"), _("reasons in order"), _("state"))
    rows = []
    for (name, user, at, gpus, _run, limit), job in zip(JOBS, trace.jobs, strict=True):
        start = _("never") if job.start is None else clock_time(job.start)
        rows.append((name, user, str(gpus), human_duration(limit * MINUTE), clock_time(at * MINUTE), start,
                     ", ".join(reasons[name]), job.state))
    return Table(_("What each job asked for, and what kept it"), columns, tuple(rows))


EXPERIMENT = Experiment(
    id="limits_and_reasons",
    title=N_("Waiting beside idle GPUs"),
    caption=N_("Eight jobs of three users come within seven minutes to two nodes of four GPUs. All use one QOS and one "
               "account, and the limits are yours."),
    controls=(
        Slider("per_user", N_("QOS: MaxTRESPerUser=gres/gpu="), 1, 8, 1, 3),
        Slider("jobs", N_("QOS: MaxJobsPerUser="), 1, 4, 1, 2),
        Slider("wall", N_("QOS: MaxWall="), 15, 240, 15, 60, N_("min")),
        Slider("group", N_("Account: GrpTRES=gres/gpu="), 1, 8, 1, 6),
        Toggle("deny", N_("QOS: flag DenyOnLimit"), False, N_("refuse at submission what a limit on one job can never allow")),
        Toggle("enforce", N_("AccountingStorageEnforce has limits and qos"), True, N_("without them no limit holds")),
    ),
    run=run,
    presets=(Preset(N_("Limits that nobody enforces"), {"enforce": False}),
             Preset(N_("Refused at once"), {"deny": True})),
)
