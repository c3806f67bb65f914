"""Who holds a promise: the first waiting job only, or every job that was looked at.

Four whole nodes, four jobs. ``long`` fits beside ``head`` and so delays nobody whom EASY protects, but ``second`` needs
all four nodes and stands behind it. Slurm plans a start for every job it tests, in rounds; the second figure shows what
each round planned (``squeue --start`` prints the last one).
"""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clustersim.batch import replay_pool
from clustersim.clock import Clock
from clustersim.experiments.base import Choice, Experiment, Figure, Outcome, Preset, Slider, Table, Value
from clustersim.experiments.one_gap import NODES, on_nodes
from clustersim.figures import gantt_spec, letters, node_bars
from clustersim.figures_queue import lines_spec
from clustersim.messages import N_, _
from clustersim.slurm import Controller, Overheads, SlurmWorkload, parse_workload, simulate_slurm
from clustersim.trace import Trace
from clustersim.units import MINUTE, clock_time, human_duration
from clustersim.workload import JobTable

Row = tuple[str, int, int, int, int]  # id, submitted (min), nodes, runs (min), limit (min)


def rows(settings: Mapping[str, Value]) -> tuple[Row, ...]:
    """The four jobs; those whose limit is no control take exactly what they asked for."""
    limit = int(settings["limit"])
    return (("first", 0, 2, int(settings["runs"]), 10), ("head", 1, 3, 10, 10), ("second", 2, 4, 5, 5),
            ("long", 3, 1, limit, limit))


def easy(jobs: tuple[Row, ...]) -> Trace:
    """The jobs on a pool of four under textbook EASY, drawn on nodes."""
    table = JobTable()
    for i, (_name, at, nodes, runs, limit) in enumerate(jobs):
        table.append(i, at * MINUTE, nodes, runs * MINUTE, limit * MINUTE)
    pool = replay_pool(table, NODES, "easy")
    return Trace("easy", NODES, tuple(on_nodes(pool, [row[0] for row in jobs])), until=pool.until)


def workload(jobs: tuple[Row, ...]) -> SlurmWorkload:
    listed: list[dict[str, Any]] = [
        {"id": name, "at": at * MINUTE, "user": "alice", "nodes": nodes, "run_s": runs * MINUTE, "time_limit_min": limit}
        for name, at, nodes, runs, limit in jobs]
    return parse_workload({
        "name": "second_in_line",
        "cluster": {"nodes": [{"name": f"n[1-{NODES}]", "cpus": 1}],
                    "partitions": [{"name": "main", "Default": "YES", "MaxTime": "INFINITE", "OverSubscribe": "EXCLUSIVE"}]},
        "config": {"SchedulerType": "sched/backfill", "PriorityType": "priority/basic"}, "jobs": listed,
    }, "second_in_line")


def plans(what: SlurmWorkload, until: int) -> dict[str, list[tuple[int, int]]]:
    """For each job that waits the (time, planned start) of every minute's last round, as ``squeue --start`` would say."""
    system = Controller(what, overheads=Overheads(0, 0))
    clock = Clock(system)
    seen: dict[str, list[tuple[int, int]]] = {}
    for now in range(0, until + 1, MINUTE):
        clock.run(now)
        for job in system.pending.values():
            if job.planned is not None:
                seen.setdefault(job.key, []).append((now, job.planned))
    return seen


def run(settings: Mapping[str, Value]) -> Outcome:
    jobs = rows(settings)
    what = workload(jobs)
    traces = {"easy": easy(jobs), "slurm": simulate_slurm(what, overheads=Overheads(0, 0))}
    shown = str(settings["policy"])
    starts = {policy: {job.id: job.start or 0 for job in trace.jobs} for policy, trace in traces.items()}
    promised = plans(what, max(starts["slurm"].values()))
    figures = (_gantt(traces[shown], shown), _plans(promised, traces["slurm"]))
    return Outcome(_summary(starts), figures, _table(jobs, starts, promised), {"starts_s": starts, "plans_s": promised})


def _name(policy: str) -> str:
    return _("EASY") if policy == "easy" else _("Slurm")


def _summary(starts: Mapping[str, Mapping[str, int]]) -> str:
    lost = starts["easy"]["second"] - starts["slurm"]["second"]
    words = {"long": clock_time(starts["easy"]["long"]), "later": clock_time(starts["slurm"]["long"]),
             "second": clock_time(starts["easy"]["second"]), "plan": clock_time(starts["slurm"]["second"])}
    if lost > 0:
        text = _("EASY starts long at {long} and second at {second}; Slurm starts second at {plan} and long at {later}. By "
                 "letting long pass EASY costs second {time}.")
        return text.format(time=human_duration(lost), **words)
    return _("EASY starts long at {long} and second at {second}; Slurm starts second at {plan} and long at {later}. Nobody "
             "loses by it.").format(**words)


def _gantt(trace: Trace, policy: str) -> Figure:
    numbers = letters(job.id for job in trace.jobs)
    lines = [_("{job} on {nodes} from {start} to {end}").format(
        job=job.id, nodes=", ".join(job.runs[0].nodes), start=clock_time(job.start or 0), end=clock_time(job.end or 0))
        for job in trace.jobs]
    marks = [{"time": round((trace.job("second").start or 0) / MINUTE, 2), "label": _("second starts")}]
    return Figure("gantt", _("Four nodes under {policy}").format(policy=_name(policy)), "; ".join(lines) + ".",
                  gantt_spec(_("node"), [f"n{i + 1}" for i in range(NODES)], unit="min"),
                  {"bars": node_bars(trace, numbers, MINUTE), "deaths": [], "marks": marks})


def _plans(promised: Mapping[str, list[tuple[int, int]]], trace: Trace) -> Figure:
    kept = {job: [*rounds, (trace.job(job).start or 0, rounds[-1][1])] for job, rounds in promised.items()}
    points = [{"time": round(now / MINUTE, 2), "value": round(plan / MINUTE, 2), "name": job}
              for job, rounds in kept.items() for now, plan in rounds]
    marks = [{"time": round((job.start or 0) / MINUTE, 2), "label": _("{job} starts").format(job=job.id)}
             for job in trace.jobs if job.id in promised]
    alt = "; ".join(_("{job} is planned for {first} first, for {last} at last").format(
        job=job, first=clock_time(rounds[0][1]), last=clock_time(rounds[-1][1])) for job, rounds in promised.items())
    return Figure("plans", _("What each round of Slurm's backfill plans"), alt + ".",
                  lines_spec(["head", "second", "long"], _("planned start (min)"), unit="min", height=150),
                  {"points": points, "marks": marks})


def _table(jobs: tuple[Row, ...], starts: Mapping[str, Mapping[str, int]],
           promised: Mapping[str, list[tuple[int, int]]]) -> Table:
    columns = (_("job"), _("submitted"), _("nodes"), _("runs for"), _("time limit"), _("start, EASY"), _("start, Slurm"),
               _("first plan, Slurm"))
    lines = []
    for name, at, nodes, runs, limit in jobs:
        plan = clock_time(promised[name][0][1]) if name in promised else _("none needed")
        lines.append((name, clock_time(at * MINUTE), str(nodes), human_duration(runs * MINUTE), human_duration(limit * MINUTE),
                      clock_time(starts["easy"][name]), clock_time(starts["slurm"][name]), plan))
    return Table(_("The same four jobs under EASY and under Slurm"), columns, tuple(lines))


EXPERIMENT = Experiment(
    id="second_in_line",
    title=N_("Who is promised what?"),
    caption=N_("Four whole nodes. long fits beside head; second, behind head, needs all four nodes."),
    controls=(
        Choice("policy", N_("Schedule shown"), (("easy", N_("EASY")), ("slurm", N_("Slurm"))), "easy"),
        Slider("limit", N_("long asks for, and runs"), 1, 60, 1, 30, N_("min")),
        Slider("runs", N_("first really runs for (limit 10 min)"), 4, 10, 1, 10, N_("min")),
    ),
    run=run,
    presets=(Preset(N_("Under Slurm's plans"), {"policy": "slurm"}),
             Preset(N_("Slurm, and first ends early"), {"policy": "slurm", "runs": 5})),
)
