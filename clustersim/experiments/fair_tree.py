"""Fair Tree: two accounts share a cluster, one of them has used it alone; who goes first, and when does it flip?

The shares, the tree and the decay are those of the simulated controller, read every PriorityCalcPeriod.
"""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf
from typing import Any

from clustersim.clock import Clock
from clustersim.experiments.base import Experiment, Figure, Outcome, Preset, Slider, Table, Value
from clustersim.figures import gantt_spec
from clustersim.figures_queue import lines_spec
from clustersim.messages import N_, _
from clustersim.slurm import Controller, Overheads, parse_workload
from clustersim.slurm.record import make_trace
from clustersim.slurm.settings import BASE_SCHEDULER_PARAMETERS
from clustersim.trace import Trace
from clustersim.units import DAY, HOUR, MINUTE, clock_time, human_duration

CPUS = 4                   # one node, given out whole
PERIOD = 30 * MINUTE       # PriorityCalcPeriod here, to keep the figure quick; Slurm's default is 5 min
AFTER = 48 * HOUR          # how long the figure goes on after alice's long job
PEOPLE = (("alice", "physics"), ("bob", "physics"), ("carol", "chem"), ("dave", "chem"))
ACCOUNTS = ("physics", "chem")


@dataclass(frozen=True, slots=True)
class Sample:
    """The tree at one instant. ``level`` is LevelFS by account, ``factor`` FairShare by user."""

    time: int
    level: Mapping[str, float]
    factor: Mapping[str, float]

    @property
    def first(self) -> str:
        """The account whose users go first; physics if they are level."""
        return max(ACCOUNTS, key=lambda name: self.level[name])


def workload(settings: Mapping[str, Value]) -> dict[str, Any]:
    """Alice alone, then alice and carol with more to do than the time allows; dave comes with one job, late."""
    head, length = int(settings["head"]) * HOUR, int(settings["length"]) * HOUR
    each = AFTER // length
    jobs = [_job("alice-long", "alice", 0, head)]
    jobs += [_job(f"{user}-{i + 1}", user, head - HOUR, length) for user in ("alice", "carol") for i in range(each)]
    jobs.append(_job("dave-1", "dave", head + int(settings["dave_at"]) * HOUR, length))
    shares = {"physics": int(settings["shares"]), "chem": 100 - int(settings["shares"])}
    half_life = round(float(settings["half_life"]) * DAY / MINUTE)
    return {
        "name": "fair_tree",
        "cluster": {"nodes": [{"name": "n1", "cpus": CPUS}],
                    "partitions": [{"name": "main", "Default": "YES", "MaxTime": "INFINITE", "OverSubscribe": "EXCLUSIVE"}]},
        "config": {"SchedulerType": "sched/builtin", "SchedulerParameters": f"{BASE_SCHEDULER_PARAMETERS},bf_max_job_test=1",
                   "PriorityType": "priority/multifactor",
                   "AccountingStorageEnforce": "associations,limits", "PriorityWeightFairshare": "100000",
                   "PriorityCalcPeriod": str(PERIOD // MINUTE), "PriorityDecayHalfLife": str(half_life)},
        "accounting": {"qos": [], "accounts": [{"name": name, "fairshare": share} for name, share in shares.items()],
                       "users": [{"name": user, "account": account} for user, account in PEOPLE]},
        "jobs": sorted(jobs, key=lambda job: job["at"]),
    }


def _job(name: str, user: str, at: int, run_s: int) -> dict[str, Any]:
    return {"id": name, "at": at, "user": user, "account": dict(PEOPLE)[user], "run_s": run_s,
            "time_limit_min": run_s // MINUTE + 10}


def simulate(settings: Mapping[str, Value]) -> tuple[Trace, list[Sample]]:
    """The run up to ``AFTER`` past alice's long job, and the tree at every recalculation."""
    system = Controller(parse_workload(workload(settings), "fair_tree"), overheads=Overheads(0, 0))
    clock, samples = Clock(system), []
    end = int(settings["head"]) * HOUR + AFTER
    for now in range(0, end + 1, PERIOD):
        clock.run(now)
        tree = system.priorities.shares
        tree.rank()
        samples.append(Sample(now, {name: tree.ranking.level(tree.branches[name]) for name in ACCOUNTS},
                              {user: tree.factor[user, account] for user, account in PEOPLE}))
    return make_trace(system, "fair tree", end, 0), samples


def run(settings: Mapping[str, Value]) -> Outcome:
    trace, samples = simulate(settings)
    head = int(settings["head"]) * HOUR
    flips = [after.time for before, after in zip(samples, samples[1:], strict=False) if before.first != after.first]
    flip = next((time for time in flips if time > head), None)
    used = {name: _used(trace, name) for name in ACCOUNTS}
    values = {
        "flip_s": flip, "flips": len([time for time in flips if time > head]), "used_s": used,
        "order_at_flip": _order(samples, flip) if flip is not None else [],
        "dave": (trace.job("dave-1").submit, trace.job("dave-1").start), "behind_dave": _passed_dave(trace),
    }
    return Outcome(_summary(trace, head, flip, used), (_gantt(trace, flip), _levels(samples, flip)),
                   _table(samples, flip, trace, head), values)


def _used(trace: Trace, account: str) -> int:
    """Seconds of the node that the account's jobs had."""
    names = {user for user, one in PEOPLE if one == account}
    runs = (run for job in trace.jobs if job.user in names for run in job.runs)
    return sum((trace.until if run.end is None else run.end) - run.start for run in runs)


def _order(samples: list[Sample], time: int) -> list[str]:
    """The users at ``time``, the highest FairShare first."""
    sample = next(one for one in samples if one.time == time)
    return sorted(sample.factor, key=lambda user: -sample.factor[user])


def _passed_dave(trace: Trace) -> list[str]:
    """Whose jobs started while dave's only job waited, in order, each named once."""
    dave = trace.job("dave-1")
    until = trace.until if dave.start is None else dave.start
    starts = sorted((job.start, job.user) for job in trace.jobs if job.start is not None and dave.submit <= job.start < until)
    return list(dict.fromkeys(user for _start, user in starts))


def _summary(trace: Trace, head: int, flip: int | None, used: Mapping[str, int]) -> str:
    dave = trace.job("dave-1")
    if flip is None:
        text = _("After alice's {head} chem goes first until the end of the figure").format(head=human_duration(head))
    else:
        text = _("After alice's {head} chem goes first for {time}, then physics for the first time").format(
            head=human_duration(head), time=human_duration(flip - head))
    share = used["physics"] / (sum(used.values()) or 1)
    text += _("; by the end physics has had {share:.0%} of the node's time").format(share=share)
    if dave.start is None:
        return text + _(". Dave's only job, submitted at {time}, never starts.").format(time=clock_time(dave.submit))
    return text + _(". Dave's only job, submitted at {time}, starts at {start}.").format(
        time=clock_time(dave.submit), start=clock_time(dave.start))


def _gantt(trace: Trace, flip: int | None) -> Figure:
    numbers = {user: i for i, (user, _account) in enumerate(PEOPLE)}
    rows = {user: f"{user} ({account})" for user, account in PEOPLE if user != "bob"}
    bars = []
    for job in trace.jobs:
        for run in job.runs:
            end = trace.until if run.end is None else run.end
            if end == run.start:  # it starts as the figure ends
                continue
            bars.append({"row": rows[job.user], "job": job.id, "n": numbers[job.user], "start": round(run.start / HOUR, 3),
                         "end": round(end / HOUR, 3), "middle": round((run.start + end) / 2 / HOUR, 3), "label": ""})
    marks = [{"time": flip / HOUR, "label": _("physics goes first")}] if flip is not None else []
    times = {user: sum((trace.until if run.end is None else run.end) - run.start for job in trace.jobs if job.user == user
                       for run in job.runs) for user in rows}
    alt = _("One row a user, one bar a job that has the node. Node time: {list}.").format(
        list=", ".join(f"{user} {human_duration(time)}" for user, time in times.items()))
    return Figure("gantt", _("Who has the node"), alt, gantt_spec(_("user"), list(rows.values()), 28),
                  {"bars": bars, "deaths": [], "marks": marks})


def _levels(samples: list[Sample], flip: int | None) -> Figure:
    points = [{"time": round(one.time / HOUR, 3), "value": round(one.level[name], 4), "name": name}
              for name in ACCOUNTS for one in samples if 0 < one.level[name] < inf]
    marks = [{"time": flip / HOUR, "label": _("they cross")}] if flip is not None else []
    last = ", ".join(f"{name} {samples[-1].level[name]:.2f}" for name in ACCOUNTS)
    alt = _("LevelFS of the two accounts on a logarithmic scale; the higher goes first. At the end: {last}.").format(last=last)
    title = _("LevelFS: what each account was promised, divided by what it used")
    return Figure("levels", title, alt, lines_spec(ACCOUNTS, _("LevelFS"), log=True, height=180),
                  {"points": points, "marks": marks})


def _table(samples: list[Sample], flip: int | None, trace: Trace, head: int) -> Table:
    before = next(one for one in samples if one.time >= head)
    after = next((one for one in samples if one.time == flip), samples[-1])
    columns = (_("user"), _("account"), _("FairShare at {time}").format(time=clock_time(before.time)),
               _("FairShare at {time}").format(time=clock_time(after.time)), _("first start after alice's long job"))
    rows = []
    for user, account in PEOPLE:
        starts = [job.start for job in trace.jobs if job.user == user and job.start is not None and job.start >= head]
        rows.append((user, account, f"{before.factor[user]:.2f}", f"{after.factor[user]:.2f}",
                     clock_time(min(starts)) if starts else _("never")))
    return Table(_("The users' places when alice's long job ends, and when physics first goes ahead"), columns, tuple(rows))


EXPERIMENT = Experiment(
    id="fair_tree",
    title=N_("Two accounts, one cluster"),
    caption=N_("Alice (physics) has the only node to herself. An hour before she is done she and carol (chem) submit more than "
               "it can do; dave (chem), who never ran anything, comes later with one job. Bob (physics) is away."),
    controls=(
        Slider("head", N_("Alice is alone for"), 2, 48, 2, 24, N_("h")),
        Slider("half_life", N_("PriorityDecayHalfLife"), 0, 14, 0.25, 7, N_("d"), help=N_("0: usage never decays")),
        Slider("shares", N_("Shares of physics, of 100"), 10, 90, 5, 60),
        Slider("length", N_("Each job runs"), 2, 6, 1, 2, N_("h")),
        Slider("dave_at", N_("Dave comes after alice's long job by"), 0, 40, 1, 15, N_("h")),
    ),
    run=run,
    presets=(Preset(N_("Half of it is forgotten in half a day"), {"half_life": 0.5}),
             Preset(N_("Nothing is ever forgotten"), {"half_life": 0})),
)
