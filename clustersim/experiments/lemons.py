"""Lemon hunting: a few nodes bring most of the failures; after how many should a node be taken out for good?

The same faults strike a job that takes every repaired node back and one that does not after ``after`` faults; a good machine
then stands in its place. The rate given is the mean over all nodes, so more lemons make the others better, not the job worse.
"""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clustersim.experiments import losses
from clustersim.experiments.base import Choice, Experiment, Figure, Outcome, Preset, Slider, Table, Value
from clustersim.figures_queue import lines_spec
from clustersim.messages import N_, _
from clustersim.reliability.counting import poisson_at_least
from clustersim.reliability.detection import NO_DIAGNOSIS, Detection
from clustersim.reliability.faults import DAY_MS
from clustersim.trace import Trace
from clustersim.training import Checkpoints, Faults, Plan, Recovery, report, simulate
from clustersim.units import DAY

GPUS = ("1024", "4096", "8192")
DAYS, SPARES = 60, 16
REPAIR_DAYS = 0.5  # short, so that a lemon soon comes back: what happens where a passed test returns a node
RECOVERY_S, INTERVAL_S, SAVE_S = 900.0, 1200.0, 10.0
THRESHOLDS = range(1, 7)


def rates(settings: Mapping[str, Value]) -> tuple[float, float]:
    """Failures a day of a good node and of a lemon; their mean over all nodes is the rate that is set."""
    share, times = float(settings["share"]) / 100, float(settings["times"])
    good = float(settings["rate"]) / 1000 / (1 - share + share * times)
    return good, good * times


def hazard(settings: Mapping[str, Value]) -> float:
    """The share of all failures that the lemons bring."""
    return float(settings["share"]) / 100 * rates(settings)[1] / (float(settings["rate"]) / 1000)


def simulated(settings: Mapping[str, Value], after: int | None) -> Trace:
    """Two months; ``after``: a node with so many faults is not taken back."""
    share, times, seed = float(settings["share"]) / 100, float(settings["times"]), int(settings["seed"])
    plan = Plan(int(settings["gpus"]), wall_days=DAYS, checkpoints=Checkpoints.blocking(INTERVAL_S, SAVE_S),
                faults=Faults(float(settings["rate"]), lemon_fraction=share, lemon_multiplier=times),
                detection=Detection(delay_s=0.0), diagnosis=NO_DIAGNOSIS,
                recovery=Recovery(restart=RECOVERY_S, spares=SPARES, swap=0.0, repair=REPAIR_DAYS * DAY, lemon_after=after))
    nodes = plan.nodes + SPARES
    return simulate(plan, seed, losses.dying_nodes(nodes, float(settings["rate"]), seed, round(share * nodes), times))


def fault_days(trace: Trace) -> list[float]:
    """When the job was struck, in days."""
    return [event.time / DAY_MS for event in trace.events() if event.kind == "fault"]


def verdicts(settings: Mapping[str, Value], after: int) -> tuple[float, float, float]:
    """Expected lemons caught in ``DAYS`` days, good nodes accused, and the share of lemons among the accused."""
    nodes, share = int(settings["gpus"]) / 8, float(settings["share"]) / 100
    good, bad = rates(settings)
    caught = nodes * share * poisson_at_least(after, bad * DAYS)
    accused = nodes * (1 - share) * poisson_at_least(after, good * DAYS)
    return caught, accused, caught / (caught + accused) if caught + accused else 0.0


def run(settings: Mapping[str, Value]) -> Outcome:
    after = int(settings["after"])
    traces = {"keep": simulated(settings, None), "hunt": simulated(settings, after)}
    struck = {name: fault_days(trace) for name, trace in traces.items()}
    values: dict[str, Any] = {
        "failures": {name: len(days) for name, days in struck.items()},
        "last_month": {name: sum(day >= DAYS / 2 for day in days) for name, days in struck.items()},
        "goodput": {name: report(trace).goodput for name, trace in traces.items()},
        "hazard": hazard(settings), "verdicts": {k: verdicts(settings, k) for k in THRESHOLDS}}
    text = _("{share:g}% of the nodes bring {hazard:.0%} of the failures. In two months the job was struck {keep} times when "
             "every node came back, and {hunt} times when none came back after fault number {after}: goodput "
             "{a:.1%} and {b:.1%}.")
    summary = text.format(share=float(settings["share"]), hazard=values["hazard"], keep=values["failures"]["keep"],
                          hunt=values["failures"]["hunt"], after=after, a=values["goodput"]["keep"],
                          b=values["goodput"]["hunt"])
    return Outcome(summary, (_figure(struck, values),), _table(values), values)


def _figure(struck: Mapping[str, list[float]], values: Mapping[str, Any]) -> Figure:
    names = {"keep": _("every node comes back"), "hunt": _("not after so many faults")}
    points: list[dict[str, Any]] = []
    for key, days in struck.items():
        points += [{"time": round(day, 3), "value": n, "name": names[key]} for n, day in enumerate([0.0, *days])]
        points.append({"time": DAYS, "value": len(days), "name": names[key]})
    alt = _("Failures of the job counted over 60 days. With every node taken back they grow steadily to {keep}; with lemons "
            "taken out the line bends and ends at {hunt}.")
    return Figure("failures", _("Failures of the job so far"), alt.format(**values["failures"]),
                  lines_spec(list(names.values()), _("failures"), unit=_("days")), {"points": points, "marks": []})


def _table(values: Mapping[str, Any]) -> Table:
    lines = [(str(after), f"{caught:.1f}", f"{accused:.1f}", f"{right:.0%}")
             for after, (caught, accused, right) in values["verdicts"].items()]
    return Table(_("Who is taken out in 60 days, expected"),
                 (_("after so many faults"), _("lemons"), _("good nodes"), _("lemons among those taken out")), tuple(lines))


EXPERIMENT = Experiment(
    id="lemons",
    title=N_("Hunting lemons"),
    caption=N_("The same faults with every repaired node taken back, and with nodes taken out for good after some faults."),
    controls=(
        Slider("after", N_("Taken out for good after"), 1, 6, 1, 3, N_("faults")),
        Slider("share", N_("Lemons"), 0.2, 5, 0.2, 1.2, N_("% of the nodes")),
        Slider("times", N_("A lemon fails"), 1, 300, 1, 222, N_("times as often")),
        Choice("gpus", N_("GPUs"), tuple((n, f"{int(n):,}") for n in GPUS), "4096"),
        Slider("rate", N_("Failures per 1,000 node-days, mean over all"), 0.5, 16, 0.1, 6.5),
        Slider("seed", N_("Seed"), 1, 20, 1, 1),
    ),
    run=run,
    presets=(Preset(N_("Out after one fault"), {"after": 1}),
             Preset(N_("Lemons that fail 20 times as often"), {"times": 20})),
)
