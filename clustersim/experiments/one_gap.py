"""One gap in a schedule: who may use it depends on the time limit, not on the run time.

Four whole nodes. ``big`` holds three of them, ``wide`` needs all four and waits, ``small`` needs one: may it pass? The
textbook answer is computed on a pool of four cores, Slurm's on four nodes with OverSubscribe=EXCLUSIVE, as measured in
``tests/golden/slurm_golden/backfill_same_jobs``.
"""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clustersim.batch import replay_pool
from clustersim.experiments.base import Choice, Experiment, Figure, Outcome, Preset, Slider, Table, Value
from clustersim.figures import gantt_spec, node_bars
from clustersim.messages import N_, _
from clustersim.slurm import parse_workload, simulate_slurm
from clustersim.trace import JobRecord, Place, Run, Trace
from clustersim.units import MINUTE, clock_time, human_duration, slurm_time
from clustersim.workload import JobTable

NODES = 4
# id, submitted at (s), nodes, run time (min), time limit (min); `small` takes both from the controls.
BIG, WIDE = ("big", 0, 3, 10, 11), ("wide", 30, 4, 5, 6)
SMALL_AT = 60


def rows(settings: Mapping[str, Value]) -> tuple[tuple[str, int, int, int, int], ...]:
    """The jobs; a job whose run time is above its limit is stopped at the limit by every scheduler here."""
    big = (*BIG[:4], int(settings["big_limit"]))
    return big, WIDE, ("small", SMALL_AT, 1, int(settings["run"]), int(settings["limit"]))


def simulate(policy: str, jobs: tuple[tuple[str, int, int, int, int], ...]) -> Trace:
    """The trace under ``fcfs``, ``easy`` (a pool of four) or ``slurm`` (sched/backfill on four nodes)."""
    return _slurm(jobs) if policy == "slurm" else _textbook(policy, jobs)


def _textbook(policy: str, jobs: tuple[tuple[str, int, int, int, int], ...]) -> Trace:
    table = JobTable()
    for i, (_name, at, nodes, run_min, limit_min) in enumerate(jobs):
        table.append(i, at, nodes, min(run_min, limit_min) * MINUTE, limit_min * MINUTE)
    pool = replay_pool(table, NODES, policy)
    return Trace(policy, NODES, tuple(on_nodes(pool, [row[0] for row in jobs])), until=pool.until)


def on_nodes(pool: Trace, names: list[str]) -> list[JobRecord]:
    """The pool's jobs on named nodes: each takes the lowest that are free."""
    busy = [0] * NODES
    records: dict[str, JobRecord] = {}
    for job in sorted(pool.jobs, key=lambda job: (job.start or 0, int(job.id))):
        run = job.runs[0]
        assert run.end is not None
        free = [i for i in range(NODES) if busy[i] <= run.start][: job.cores]
        for i in free:
            busy[i] = run.end
        places = tuple(Place(f"n{i + 1}", 1) for i in free)
        name = names[int(job.id)]
        records[name] = JobRecord(name, job.submit, job.runtime, job.limit, job.cores, job.cores, state="COMPLETED",
                                  runs=(Run(run.start, run.end, "COMPLETED", places, job.cores),), extra=job.extra)
    return [records[name] for name in names]


def _slurm(jobs: tuple[tuple[str, int, int, int, int], ...]) -> Trace:
    listed: list[dict[str, Any]] = [
        {"id": name, "at": at, "user": "alice", "nodes": nodes, "run_s": run_min * MINUTE, "time_limit_min": limit_min}
        for name, at, nodes, run_min, limit_min in jobs
    ]
    return simulate_slurm(parse_workload({
        "name": "one_gap",
        "cluster": {"nodes": [{"name": f"n[1-{NODES}]", "cpus": 1}],
                    "partitions": [{"name": "main", "Default": "YES", "MaxTime": "INFINITE", "OverSubscribe": "EXCLUSIVE"}]},
        "config": {"SchedulerType": "sched/backfill", "PriorityType": "priority/basic"},
        "jobs": listed,
    }, "one_gap"))


def run(settings: Mapping[str, Value]) -> Outcome:
    jobs = rows(settings)
    traces = {policy: simulate(policy, jobs) for policy in ("fcfs", "easy", "slurm")}
    shown = traces[str(settings["policy"])]
    return Outcome(_summary(shown, str(settings["policy"]), jobs), (_figure(shown, str(settings["policy"])),),
                   _table(traces, jobs), {
        "starts_s": {policy: {job.id: job.start for job in trace.jobs} for policy, trace in traces.items()},
    })


def _summary(trace: Trace, policy: str, jobs: tuple[tuple[str, int, int, int, int], ...]) -> str:
    small, wide = trace.job("small"), trace.job("wide")
    words = {"policy": _NAMES[policy](), "limit": slurm_time(jobs[2][4] * MINUTE), "small": clock_time(small.start or 0),
             "wide": clock_time(wide.start or 0)}
    if (small.start or 0) < (wide.start or 0):
        text = _("Under {policy} small, with a limit of {limit}, passes and starts at {small}; wide starts at {wide}.")
    else:
        text = _("Under {policy} small, with a limit of {limit}, waits until {small}, after wide, which starts at {wide}.")
    return text.format(**words)


_NAMES = {"fcfs": lambda: _("FCFS"), "easy": lambda: _("EASY"), "slurm": lambda: _("Slurm's backfill")}


def _figure(trace: Trace, policy: str) -> Figure:
    bars = node_bars(trace, {"big": 0, "wide": 1, "small": 2}, MINUTE)
    wide = trace.job("wide")
    lines = [_("{job} on {nodes} from {start} to {end}").format(
        job=job.id, nodes=", ".join(job.runs[0].nodes), start=clock_time(job.start or 0), end=clock_time(job.end or 0))
        for job in trace.jobs]
    marks = [{"time": round((wide.start or 0) / MINUTE, 2), "label": _("wide starts")}]
    return Figure("gantt", _("Four nodes under {policy}").format(policy=_NAMES[policy]()), "; ".join(lines) + ".",
                  gantt_spec(_("node"), [f"n{i + 1}" for i in range(NODES)], unit="min"),
                  {"bars": bars, "deaths": [], "marks": marks})


def _table(traces: Mapping[str, Trace], jobs: tuple[tuple[str, int, int, int, int], ...]) -> Table:
    columns = (_("job"), _("nodes"), _("runs for"), _("time limit"), _("start, FCFS"), _("start, EASY"), _("start, Slurm"))
    lines = []
    for name, _at, nodes, run_min, limit_min in jobs:
        starts = [clock_time(traces[policy].job(name).start or 0) for policy in ("fcfs", "easy", "slurm")]
        lines.append((name, str(nodes), human_duration(run_min * MINUTE), slurm_time(limit_min * MINUTE), *starts))
    return Table(_("The same three jobs under three schedulers"), columns, tuple(lines))


EXPERIMENT = Experiment(
    id="one_gap",
    title=N_("May the small job pass?"),
    caption=N_("Four whole nodes: big holds three, wide needs all four and waits, small needs one. Move small's time limit."),
    controls=(
        Choice("policy", N_("Scheduler"),
               (("easy", N_("EASY")), ("fcfs", N_("FCFS")), ("slurm", N_("Slurm's backfill"))), "easy"),
        Slider("limit", N_("Time limit of small"), 1, 30, 1, 5, N_("min")),
        Slider("run", N_("small really runs for"), 1, 30, 1, 4, N_("min")),
        Slider("big_limit", N_("Time limit of big, which runs 10 min"), 10, 30, 1, 11, N_("min")),
    ),
    run=run,
    presets=(Preset(N_("A limit of ten minutes, by the textbook"), {"limit": 10}),
             Preset(N_("The same limit under Slurm"), {"limit": 10, "policy": "slurm"})),
)
