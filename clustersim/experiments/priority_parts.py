"""Multifactor priority over time: three jobs wait behind one, and what their priorities are made of.

The priorities are those of the simulated controller, read every PriorityCalcPeriod; the parts follow from the formula of
Slurm 22.05 (priority_multifactor page), and a test holds that they add up.
"""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from clustersim.clock import Clock
from clustersim.experiments.base import Experiment, Figure, Outcome, Preset, Slider, Table, Value
from clustersim.figures_queue import lines_spec, parts_spec
from clustersim.messages import N_, _
from clustersim.slurm import Controller, Overheads, parse_workload
from clustersim.slurm.jobs import Job
from clustersim.units import HOUR, MINUTE, clock_time

NODES, HELD = 4, 8 * HOUR  # the blocker keeps all four nodes that long
PERIOD = 5 * MINUTE        # PriorityCalcPeriod, Slurm's default
SUBMITS = {"small": 10 * MINUTE, "wide": 3 * HOUR, "urgent": 6 * HOUR}
NAMES = tuple(SUBMITS)
PARTS = ("age", "size", "QOS")


@dataclass(frozen=True, slots=True)
class Sample:
    """One job's priority at one instant, and its parts in points. ``nice`` is taken away."""

    time: int
    job: str
    priority: int
    age: float
    size: float
    qos: float
    nice: int


def workload(settings: Mapping[str, Value]) -> dict[str, Any]:
    """The blocker and the three jobs behind it, as a workload in the form of the measured ones."""
    jobs = [("blocker", "dave", 0, NODES, "normal", 0, HELD), ("small", "alice", SUBMITS["small"], 1, "normal", 0, HOUR),
            ("wide", "bob", SUBMITS["wide"], NODES, "normal", 0, HOUR),
            ("urgent", "carol", SUBMITS["urgent"], 1, "high", int(settings["nice"]), HOUR)]
    users = [{"name": user, "account": "lab", "qos": "normal,high"} for _id, user, *_rest in jobs]
    return {
        "name": "priority_parts",
        "cluster": {"nodes": [{"name": f"n[1-{NODES}]", "cpus": 1}],
                    "partitions": [{"name": "main", "Default": "YES", "MaxTime": "INFINITE", "OverSubscribe": "EXCLUSIVE"}]},
        "config": {"SchedulerType": "sched/builtin", "PriorityType": "priority/multifactor",
                   "AccountingStorageEnforce": "associations,limits,qos", "PriorityCalcPeriod": str(PERIOD // MINUTE),
                   "PriorityMaxAge": str(int(settings["max_age"]) * HOUR // MINUTE),
                   "PriorityWeightAge": str(settings["weight_age"]), "PriorityWeightJobSize": str(settings["weight_size"]),
                   "PriorityWeightQOS": str(settings["weight_qos"])},
        "accounting": {"qos": [{"name": "high", "priority": 100}], "accounts": [{"name": "lab"}], "users": users},
        "jobs": [{"id": name, "user": user, "account": "lab", "at": at, "nodes": nodes, "qos": qos, "nice": nice,
                  "run_s": run_s, "time_limit_min": run_s // MINUTE + 10} for name, user, at, nodes, qos, nice, run_s in jobs],
    }


def simulate(settings: Mapping[str, Value]) -> tuple[list[Sample], dict[str, int]]:
    """Samples of every waiting job at every recalculation until the blocker ends, and when each job then starts."""
    system = Controller(parse_workload(workload(settings), "priority_parts"), overheads=Overheads(0, 0))
    clock = Clock(system)
    samples: list[Sample] = []
    moments = sorted({*range(0, HELD, PERIOD), *(spec.at for spec in parse_workload(workload(settings)).jobs)})
    for now in moments:
        clock.run(now)
        samples += [_sample(system, system.pending[name], now) for name in NAMES if name in system.pending]
    clock.run()
    return samples, {name: system.jobs[name].runs[0].start for name in NAMES}


def _sample(system: Controller, job: Job, now: int) -> Sample:
    """The parts as sprio lists them. Age counts up to the last recalculation, as the priority does."""
    s, spec = system.settings, job.spec
    counted = max(job.submit, now - (now + system.started) % PERIOD)
    age = s.weight_age * min((counted - job.submit) / s.max_age, 1.0)
    size = s.weight_job_size * (spec.shape.min_nodes / NODES + spec.shape.min_cpus / NODES) / 2
    qos = s.weight_qos * system.accounting.qos[job.qos].priority / system.priorities.top_qos
    return Sample(now, job.key, job.priority, age, size, qos, spec.nice)


def run(settings: Mapping[str, Value]) -> Outcome:
    samples, starts = simulate(settings)
    look = int(round(float(settings["look"]) * HOUR))
    shown = at(samples, look)
    order = sorted(starts, key=lambda name: starts[name])
    flips = turns(samples)
    return Outcome(_summary(shown, look, flips, order), (_lines(samples, look, flips), _bars(shown, look)),
                   _table(shown, starts, look), {
        "starts_s": starts, "order": order, "flips": flips,
        "samples": [(one.time, one.job, one.priority) for one in samples],
        "parts": {one.job: {"age": one.age, "size": one.size, "QOS": one.qos, "nice": one.nice, "priority": one.priority}
                  for one in shown},
    })


def at(samples: list[Sample], time: int) -> list[Sample]:
    """The last sample of each job up to ``time``, the highest priority first; of equals the earlier submitted."""
    last = {one.job: one for one in samples if one.time <= time}
    return sorted(last.values(), key=lambda one: (-one.priority, NAMES.index(one.job)))


def turns(samples: list[Sample]) -> list[tuple[int, str, str]]:
    """(when, who, whom): each time a job that was behind another passes it. Coming in ahead is not passing."""
    found: list[tuple[int, str, str]] = []
    ahead: dict[tuple[str, str], bool] = {}
    for time in sorted({one.time for one in samples}):
        now = [one.job for one in at([one for one in samples if one.time == time], time)]
        for i, first in enumerate(now):
            for second in now[i + 1:]:
                if ahead.get((second, first)):
                    found.append((time, first, second))
                ahead[first, second], ahead[second, first] = True, False
    return found


def _summary(shown: list[Sample], look: int, flips: list[tuple[int, str, str]], order: list[str]) -> str:
    text = _("When the nodes fall free at {time}, the order is {order}").format(time=clock_time(HELD), order=", ".join(order))
    if flips:
        passed = [_("{first} passes {second} at {time}").format(first=a, second=b, time=clock_time(t)) for t, a, b in flips]
        text += "; " + ", ".join(passed)
    else:
        text += _("; nobody passes anybody while they wait")
    if shown:
        points = [f"{one.job} {one.priority:,}" for one in shown]
        text += _(". At {time}: {points}").format(time=clock_time(look), points=", ".join(points))
    return text + "."


def _lines(samples: list[Sample], look: int, flips: list[tuple[int, str, str]]) -> Figure:
    points: list[dict[str, Any]] = [
        {"time": round(one.time / HOUR, 4), "value": one.priority, "name": one.job} for one in samples]
    ends = at(samples, HELD)
    points += [{"time": HELD / HOUR, "value": one.priority, "name": one.job} for one in ends]
    marks = [{"time": round(time / HOUR, 4), "label": _("{first} passes").format(first=first)} for time, first, _who in flips]
    marks.append({"time": look / HOUR, "label": _("parts")})
    last = ", ".join(f"{one.job} {one.priority:,}" for one in ends)
    alt = _("One line a waiting job. At the end: {points}.").format(points=last)
    return Figure("lines", _("Priority of the waiting jobs over time"), alt, lines_spec(NAMES, _("priority")),
                  {"points": points, "marks": marks})


def _bars(shown: list[Sample], look: int) -> Figure:
    words = {"age": _("age"), "size": _("job size"), "QOS": _("QOS")}
    parts, taken, totals, lines = [], [], [], []
    for rank, one in enumerate(shown):
        low = 0.0
        where = {"name": one.job, "rank": rank}
        for part, value in zip(PARTS, (one.age, one.size, one.qos), strict=True):
            letter = words[part][0].upper() if value > 60 else ""
            parts += [{**where, "part": words[part], "letter": letter, "low": round(low, 1), "high": round(low + value, 1),
                       "middle": round(low + value / 2, 1)}] if value else []
            low += value
        taken += [{**where, "low": round(low - one.nice, 1), "high": round(low, 1)}] if one.nice else []
        totals.append({**where, "value": round(low, 1), "text": f"{one.priority:,}"})
        lines.append(_("{job} {points:,}: age {age:,.0f}, job size {size:,.0f}, QOS {qos:,.0f}, nice {nice:,}").format(
            job=one.job, points=one.priority, age=one.age, size=one.size, qos=one.qos, nice=one.nice))
    title = _("What the priorities are made of at {time}").format(time=clock_time(look))
    alt = "; ".join(lines) + "." if lines else _("Nobody waits at this time.")
    spec = parts_spec([words[part] for part in PARTS], _("points"), len(NAMES))
    return Figure("parts", title, alt, spec, {"parts": parts, "taken": taken, "totals": totals})


def _table(shown: list[Sample], starts: Mapping[str, int], look: int) -> Table:
    columns = (_("job"), _("submitted"), _("priority"), _("age"), _("job size"), _("QOS"), _("nice"), _("start"))
    known = {one.job: one for one in shown}
    rows = []
    for name in sorted(NAMES, key=lambda name: (name not in known, starts[name])):
        one = known.get(name)
        numbers = ("",) * 5
        if one:
            numbers = (str(one.priority), f"{one.age:.0f}", f"{one.size:.0f}", f"{one.qos:.0f}", str(one.nice))
        rows.append((name, clock_time(SUBMITS[name]), *numbers, clock_time(starts[name])))
    return Table(_("As sprio would list them at {time}, and when each job starts").format(time=clock_time(look)), columns,
                 tuple(rows))


EXPERIMENT = Experiment(
    id="priority_parts",
    title=N_("What a priority is made of"),
    caption=N_("A job holds all four nodes until 08:00. Behind it wait small (one node, since 00:10), wide (four nodes, since "
               "03:00) and urgent (one node, QOS high, since 06:00)."),
    controls=(
        Slider("look", N_("Look at the parts at"), 0.5, 7.75, 0.25, 7, N_("h")),
        Slider("weight_age", N_("PriorityWeightAge"), 0, 4000, 100, 1000),
        Slider("max_age", N_("PriorityMaxAge"), 1, 24, 1, 4, N_("h"), help=N_("after that long a wait, age adds no more")),
        Slider("weight_size", N_("PriorityWeightJobSize"), 0, 4000, 100, 500),
        Slider("weight_qos", N_("PriorityWeightQOS"), 0, 4000, 100, 2000),
        Slider("nice", N_("urgent is submitted with --nice="), 0, 3000, 100, 0),
    ),
    run=run,
    presets=(Preset(N_("Age that takes a day to be full"), {"max_age": 24}),
             Preset(N_("A QOS without weight"), {"weight_qos": 0})),
)
