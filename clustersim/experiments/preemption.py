"""Preemption: a job with the right to other jobs' nodes arrives; requeue, cancel, suspend or wait?

Requeue and cancel go by QOS, suspension by the tier of a partition: two jobs of one partition, one of which preempted the
other by QOS with SUSPEND, would be time sliced, which the simulator does not model. The three are compared with measured
runs in ``measured_preemption``.
"""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clustersim.experiments.base import Choice, Experiment, Figure, Outcome, Preset, Slider, Table, Value
from clustersim.figures import gantt_spec
from clustersim.figures_queue import pieces
from clustersim.messages import N_, _
from clustersim.slurm import Overheads, parse_workload, simulate_slurm
from clustersim.trace import JobRecord, Trace
from clustersim.units import MINUTE, clock_time, human_duration

NODES, GPUS = 4, 4
MODES = {"requeue": N_("REQUEUE"), "cancel": N_("CANCEL"), "suspend": N_("SUSPEND,GANG"), "off": N_("OFF")}
LOW = (("low1", "alice", 0, 2), ("low2", "carol", 5, 1), ("low3", "dave", 10, 1))  # id, user, submitted at (min), nodes
NAMES = ("low1", "low2", "low3", "high")


def workload(mode: str, settings: Mapping[str, Value]) -> dict[str, Any]:
    """Three jobs fill the cluster, a fourth may preempt them; ``mode`` says what becomes of the victims."""
    low, high, gpus = int(settings["low"]), int(settings["high"]), GPUS if settings["uses"] == "gpus" else 0
    jobs = [(name, user, at, nodes, low, "low") for name, user, at, nodes in LOW]
    jobs.append(("high", "bob", int(settings["at"]), 2, high, "high"))
    config: dict[str, Any] = {"PriorityType": "priority/multifactor", "AccountingStorageEnforce": "associations,limits,qos",
                              "PriorityWeightQOS": "1000"}
    parts: list[dict[str, Any]] = [{"name": "low", "Default": "YES", "PriorityTier": 1, "OverSubscribe": "FORCE:1"}]
    qos: list[dict[str, Any]] = [{"name": "low", "priority": 1}, {"name": "high", "priority": 100}]
    if mode == "suspend":
        parts.append({"name": "high", "PriorityTier": 10, "OverSubscribe": "FORCE:1"})
        config |= {"PreemptType": "preempt/partition_prio", "PreemptMode": "SUSPEND,GANG"}
    elif mode != "off":
        qos[0]["preemptmode"], qos[1]["preempt"] = mode, "low"
        config |= {"PreemptType": "preempt/qos", "PreemptMode": mode.upper(), "PreemptExemptTime": str(settings["exempt"])}
    tier = ("partition",) if mode == "suspend" else ()
    listed = [{"id": name, "user": user, "account": "lab", "qos": level, "at": at * MINUTE, "nodes": nodes,
               "ntasks_per_node": 4, "gpus_per_node": gpus, "run_s": run_min * MINUTE, "time_limit_min": run_min + 10,
               "stoppable": True, **dict.fromkeys(tier, level)} for name, user, at, nodes, run_min, level in jobs]
    return {"name": "preemption",
            "cluster": {"nodes": [{"name": f"n[1-{NODES}]", "cpus": 4, "gpus": GPUS}], "partitions": parts},
            "config": config, "jobs": sorted(listed, key=lambda job: int(str(job["at"]))),
            "accounting": {"qos": qos, "accounts": [{"name": "lab"}],
                           "users": [{"name": job[1], "account": "lab", "qos": "normal,low,high"} for job in jobs]}}


def simulate(mode: str, settings: Mapping[str, Value]) -> Trace:
    return simulate_slurm(parse_workload(workload(mode, settings), "preemption"), overheads=Overheads(0, 0))


def lost_s(job: JobRecord) -> int:
    """Node seconds of runs whose work is gone: all but the last run, and a last one that was preempted."""
    return sum(((run.end or 0) - run.start) * len(run.nodes) for run in job.runs if run.state == "PREEMPTED")


def run(settings: Mapping[str, Value]) -> Outcome:
    traces = {mode: simulate(mode, settings) for mode in MODES}
    mode = str(settings["mode"])
    waits = {name: trace.job("high").wait for name, trace in traces.items()}
    lost = {name: sum(lost_s(job) for job in trace.jobs) for name, trace in traces.items()}
    return Outcome(_summary(mode, traces[mode], lost[mode]), (_figure(mode, traces[mode]),), _table(traces, waits, lost), {
        "wait_s": waits, "lost_node_s": lost, "ends_s": {name: _ends(trace) for name, trace in traces.items()},
        "runs": {job.id: [(run.start, run.end, run.state) for run in job.runs] for job in traces[mode].jobs},
        "victims": {name: _victims(trace) for name, trace in traces.items()},
    })


def _ends(trace: Trace) -> dict[str, int | None]:
    return {job.id: job.end if job.state == "COMPLETED" else None for job in trace.jobs}


def _victims(trace: Trace) -> list[str]:
    """Jobs that were stopped, for good or for a while."""
    return [job.id for job in trace.jobs if job.extra.get("suspended") or any(run.state == "PREEMPTED" for run in job.runs)]


def _summary(mode: str, trace: Trace, lost: int) -> str:
    high, victims = trace.job("high"), _victims(trace)
    wait = _("after {time}").format(time=human_duration(high.wait)) if high.wait else _("at once")
    if not victims:
        return _("With {mode} high takes nothing from anybody and starts {wait}.").format(mode=_(MODES[mode]), wait=wait)
    word = {"requeue": _("sends {names} back to the queue"), "cancel": _("cancels {names}"),
            "suspend": _("suspends {names}")}[mode].format(names=", ".join(victims))
    text = _("With {mode} high {what} and starts {wait}").format(mode=_(MODES[mode]), what=word, wait=wait)
    if mode == "suspend":
        return text + _("; no work is lost.")
    text += _("; {lost} node minutes of work are lost").format(lost=round(lost / MINUTE))
    again = [(name, runs[1].start) for name in victims if len(runs := trace.job(name).runs) > 1]
    text += "".join(_(", {job} starts anew at {time}").format(job=name, time=clock_time(start)) for name, start in again)
    return text + "."


def _figure(mode: str, trace: Trace) -> Figure:
    numbers = {name: i for i, name in enumerate(NAMES)}
    bars = []
    for job in trace.jobs:
        for run_ in job.runs:
            spans = pieces(run_.start, trace.until if run_.end is None else run_.end, job.extra.get("suspended", ()))
            for i, node in enumerate(run_.nodes):
                bars += [{"row": node, "job": job.id, "n": numbers[job.id], "start": round(begin / MINUTE, 3),
                          "end": round(end / MINUTE, 3), "middle": round((begin + end) / 2 / MINUTE, 3),
                          "label": job.id if i == 0 else ""} for begin, end in spans]
    marks = [{"time": trace.job("high").submit / MINUTE, "label": _("high arrives")}]
    lines = [_("{job} on {nodes} {spans}").format(
        job=job.id, nodes=", ".join(run_.nodes), spans=_words(job, run_.start, run_.end))
        for job in trace.jobs for run_ in job.runs]
    title = _("Who has which node, with PreemptMode={mode}").format(mode=_(MODES[mode]))
    spec = gantt_spec(_("node"), [f"n{i + 1}" for i in range(NODES)], unit="min")
    return Figure("gantt", title, "; ".join(lines) + ".", spec, {"bars": bars, "deaths": [], "marks": marks})


def _words(job: JobRecord, start: int, end: int | None) -> str:
    spans = pieces(start, start if end is None else end, job.extra.get("suspended", ()))
    return _(" and ").join(_("from {start} to {end}").format(start=clock_time(a), end=clock_time(b)) for a, b in spans)


def _table(traces: Mapping[str, Trace], waits: Mapping[str, int | None], lost: Mapping[str, int]) -> Table:
    columns = (_("PreemptMode"), _("high waits"), _("victims"), _("work lost (node min)"), *(_("{job} is done").format(job=name)
                                                                                            for name in NAMES))
    rows = []
    for mode, trace in traces.items():
        ends = _ends(trace)
        done = (_("never") if ends[name] is None else clock_time(ends[name] or 0) for name in NAMES)
        rows.append((_(MODES[mode]), human_duration(waits[mode] or 0), ", ".join(_victims(trace)) or _("none"),
                     str(round(lost[mode] / MINUTE)), *done))
    return Table(_("The same four jobs under every mode"), columns, tuple(rows))


EXPERIMENT = Experiment(
    id="preemption",
    title=N_("A job that may take other jobs' nodes"),
    caption=N_("Three jobs fill four nodes. Then high comes, needs two nodes, and has the right to those of the others."),
    controls=(
        Choice("mode", N_("PreemptMode"), tuple(MODES.items()), "requeue"),
        Choice("uses", N_("The jobs use"),
               (("cpus", N_("all cores of their nodes")), ("gpus", N_("all cores and GPUs"))), "cpus"),
        Slider("at", N_("high arrives at"), 11, 60, 1, 30, N_("min")),
        Slider("high", N_("high runs for"), 1, 60, 1, 20, N_("min")),
        Slider("low", N_("The others run for"), 20, 120, 5, 60, N_("min")),
        Slider("exempt", N_("PreemptExemptTime"), 0, 60, 5, 0, N_("min"),
               help=N_("so long after its start a job is safe; REQUEUE and CANCEL only")),
    ),
    run=run,
    presets=(Preset(N_("Suspension, with jobs on GPUs"), {"mode": "suspend", "uses": "gpus"}),
             Preset(N_("Half an hour of protection"), {"exempt": 30})),
)
