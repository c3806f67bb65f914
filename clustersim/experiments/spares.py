"""Spares against waiting: how many nodes are out of service at once, and what a job without a spare waits for.

One list of faults with their repair times is drawn and met by the same job with different numbers of spares, in
``clustersim.training``. The counts beside it are the closed form: nodes in repair are Poisson, whatever the law of repair.
"""
from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from random import Random
from typing import Any

from clustersim.experiments import losses
from clustersim.experiments.base import Choice, Experiment, Figure, Outcome, Preset, Slider, Table, Value
from clustersim.figures_curves import curve_spec
from clustersim.figures_queue import lines_spec
from clustersim.messages import N_, _
from clustersim.reliability.counting import nodes_in_repair, poisson_at_least, spares_for
from clustersim.reliability.defaults import number
from clustersim.reliability.detection import NO_DIAGNOSIS, Detection
from clustersim.reliability.faults import DAY_MS, Fault
from clustersim.reliability.laws import Law, Lognormal
from clustersim.trace import Trace
from clustersim.training import Checkpoints, Faults, Plan, Recovery, report, simulate
from clustersim.training.report import gpu_hour_usd
from clustersim.units import DAY, HOUR, MONTH_H, human_duration, three_digits

GPUS = ("1024", "2048", "4096", "8192")
MOST, DAYS = 40, 60
TAIL = number("repair_days.median") / number("repair_days.mean")  # InfiniteHBD: half of the repairs are far below the mean
RECOVERY_S = 600.0  # notice, find, restart and load: the same for all, so that only the wait differs
NODE = 8


def repair_law(days: float) -> Law:
    """Repair times with this mean and the tail of the InfiniteHBD trace, in seconds."""
    return Lognormal(TAIL * days * DAY, days * DAY)


@lru_cache(maxsize=32)
def drawn(gpus: int, rate: float, repair_days: float, seed: int) -> tuple[Fault, ...]:
    """The faults of all nodes and the largest number of spares, each with its repair time."""
    rng, law, nodes = Random(f"{seed}/spares"), repair_law(repair_days), gpus // NODE + MOST
    found: list[Fault] = []
    time = 0.0
    while True:
        time += rng.expovariate(nodes * rate / 1000)
        if time >= DAYS:
            return tuple(found)
        found.append(Fault(int(time * DAY_MS), rng.randrange(nodes), losses.DEAD, repair_s=law.draw(rng)))


def simulated(settings: Mapping[str, Value], spares: int) -> Trace:
    """Two months of the job with so many spares."""
    faults = drawn(int(settings["gpus"]), float(settings["rate"]), float(settings["repair"]), int(settings["seed"]))
    return simulate(Plan(
        int(settings["gpus"]), wall_days=DAYS, checkpoints=Checkpoints.blocking(1800.0, 0.0), faults=Faults(recorded=faults),
        detection=Detection(delay_s=0.0), diagnosis=NO_DIAGNOSIS,
        recovery=Recovery(restart=RECOVERY_S, spares=spares, swap=0.0, queue_s=float(settings["wait"]) * HOUR)), 1)


def out_of_service(settings: Mapping[str, Value], trace: Trace) -> list[tuple[float, int]]:
    """(day, nodes in repair) at every change, from the faults that struck the job."""
    faults = drawn(int(settings["gpus"]), float(settings["rate"]), float(settings["repair"]), int(settings["seed"]))
    repairs = {(fault.time, f"node-{fault.node}"): fault.repair_s for fault in faults}
    changes: list[tuple[float, int]] = []
    for event in trace.events():
        if event.kind == "fault":
            length = repairs[event.time, str(event.detail["node"])]
            changes += [(event.time / DAY_MS, 1), (event.time / DAY_MS + length / DAY, -1)]
    count, found = 0, [(0.0, 0)]
    for day, step in sorted(changes):
        count += step
        if day <= DAYS:
            found.append((day, count))
    return [*found, (float(DAYS), found[-1][1])]


def run(settings: Mapping[str, Value]) -> Outcome:
    nodes, rate, repair = int(settings["gpus"]) // NODE, float(settings["rate"]) / 1000, float(settings["repair"])
    chosen, mean = int(settings["spares"]), nodes_in_repair(nodes, rate, repair)
    enough = {q: spares_for(nodes, rate, repair, q) for q in (0.5, 0.9, 0.99)}
    counts = sorted({0, *enough.values(), chosen})
    traces = {count: simulated(settings, count) for count in counts if count <= MOST}
    goodput = {count: report(trace).goodput for count, trace in traces.items()}
    waited = {count: report(trace).lost.get("queue", 0) / 1000 for count, trace in traces.items()}
    values: dict[str, Any] = {"mean": mean, "enough": enough, "goodput": goodput, "waited_s": waited,
              "short": poisson_at_least(chosen + 1, mean), "usd_month": chosen * NODE * MONTH_H * gpu_hour_usd()}
    text = _("On average {mean:.1f} of {nodes} nodes are in repair. {spares} spares are too few {short:.1%} of the time; in "
             "this run the job waited {waited} and reached a goodput of {good:.1%}.")
    summary = text.format(mean=mean, nodes=nodes, spares=chosen, short=values["short"],
                          waited=human_duration(waited[chosen]), good=goodput[chosen])
    return Outcome(summary, (_series(settings, traces[chosen]), _chances(mean, chosen)), _table(values), values)


def _series(settings: Mapping[str, Value], trace: Trace) -> Figure:
    chosen, series = int(settings["spares"]), out_of_service(settings, trace)
    broken, spare = _("nodes in repair"), _("spares")
    points: list[dict[str, Any]] = [{"time": round(day, 3), "value": n, "name": broken} for day, n in series]
    points += [{"time": time, "value": chosen, "name": spare} for time in (0, DAYS)]
    alt = _("Nodes in repair over two simulated months: up to {most} at once. Whenever there are more than {spares}, the job "
            "has to wait for a node.")
    return Figure("repair", _("Nodes in repair against the spares there are"),
                  alt.format(most=max(n for _day, n in series), spares=chosen),
                  lines_spec([broken, spare], _("nodes"), unit=_("days")), {"points": points, "marks": []})


def _chances(mean: float, chosen: int) -> Figure:
    name = _("too few")
    points = [{"x": n, "value": round(100 * poisson_at_least(n + 1, mean), 4), "name": name} for n in range(MOST + 1)]
    alt = _("The chance that the spares do not suffice falls with their number; with {spares} it is {short:.1%}.")
    return Figure("chance", _("How often so many spares are too few"),
                  alt.format(spares=chosen, short=poisson_at_least(chosen + 1, mean)),
                  curve_spec([name], _("spares"), _("too few (% of the time)"), height=140),
                  {"points": points, "marks": [{"x": chosen, "label": _("as set")}], "dots": []})


def _table(values: Mapping[str, Any]) -> Table:
    price = NODE * MONTH_H * gpu_hour_usd()
    lines = []
    for count, good in values["goodput"].items():
        lines.append((str(count), f"{poisson_at_least(count + 1, values['mean']):.1%}",
                      human_duration(values["waited_s"][count]), f"{good:.1%}", three_digits(count * price)))
    return Table(_("The same faults with other numbers of spares"),
                 (_("spares"), _("too few"), _("waited in 60 days"), _("goodput"), _("USD a month for the spares")),
                 tuple(lines))


EXPERIMENT = Experiment(
    id="spares",
    title=N_("Spares or waiting"),
    caption=N_("A job, two months of faults and repairs, and the number of nodes that stand by."),
    controls=(
        Slider("spares", N_("Spare nodes"), 0, MOST, 1, 6),
        Choice("gpus", N_("GPUs of the job"), tuple((n, f"{int(n):,}") for n in GPUS), "4096"),
        Slider("rate", N_("Failures per 1,000 node-days"), 0.5, 16, 0.1, 6.5),
        Slider("repair", N_("Mean repair"), 0.1, 6, 0.1, 2, N_("days")),
        Slider("wait", N_("Without a spare, a node comes after at most"), 0.5, 48, 0.5, 8, N_("h")),
        Slider("seed", N_("Seed"), 1, 20, 1, 1),
    ),
    run=run,
    presets=(Preset(N_("No spares"), {"spares": 0}),
             Preset(N_("Thirteen spares"), {"spares": 13})),
)
