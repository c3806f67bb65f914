"""How often to save: goodput against the checkpoint interval, its optimum, and simulated runs beside the closed form.

The curve is Daly's exact form; the dots are runs of ``clustersim.training`` of a month each, a seed a dot, so they scatter
as months do. A save blocks the job. Time to notice, repair and restart is one number here, as the interval does not
depend on it.
"""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clustersim.experiments.base import Choice, Experiment, Figure, Outcome, Preset, Slider, Table, Value
from clustersim.figures_curves import curve_spec
from clustersim.messages import N_, _
from clustersim.reliability.detection import NO_DIAGNOSIS, Detection
from clustersim.reliability.theory import best_interval, cluster_mttf_h, efficiency, young
from clustersim.training import Checkpoints, Faults, Plan, Recovery, report, simulate
from clustersim.training.plan import RATE
from clustersim.units import HOUR, MINUTE, human_duration

GPUS = ("384", "1024", "4096", "16384", "98304")
LOW, HIGH, STEPS = 1.0, 480.0, 60  # minutes of the curve
RUNS, DAYS = 3, 30
TICKS = (1, 2, 5, 10, 20, 60, 120, 240, 480)


def mtbf_s(settings: Mapping[str, Value]) -> float:
    """Seconds between failures of the job."""
    return cluster_mttf_h(int(settings["gpus"]), float(settings["rate"])) * HOUR


def goodput(settings: Mapping[str, Value], interval_s: float) -> float:
    """The expected share of new work with this interval."""
    return efficiency(interval_s, float(settings["write"]), mtbf_s(settings), float(settings["restart"]) * MINUTE)


def month(settings: Mapping[str, Value], seed: int) -> float:
    """The goodput of one simulated month with the chosen interval."""
    plan = Plan(int(settings["gpus"]), wall_days=DAYS, faults=Faults(float(settings["rate"])),
                checkpoints=Checkpoints.blocking(float(settings["interval"]) * MINUTE, float(settings["write"])),
                detection=Detection(delay_s=0.0), diagnosis=NO_DIAGNOSIS,
                recovery=Recovery(restart=float(settings["restart"]) * MINUTE, spares=4, spare_kind="hot", swap=0.0,
                                  queue_s=0.0, repair=0.0))
    return report(simulate(plan, seed)).goodput


def run(settings: Mapping[str, Value]) -> Outcome:
    best = best_interval(float(settings["write"]), mtbf_s(settings))
    chosen = float(settings["interval"]) * MINUTE
    at_best, here = goodput(settings, best), goodput(settings, chosen)
    months = [month(settings, seed) for seed in range(1, RUNS + 1)]
    values: dict[str, Any] = {
        "mtbf_s": mtbf_s(settings), "best_s": best, "goodput": here, "best_goodput": at_best, "price": at_best - here,
        "young_s": young(float(settings["write"]), mtbf_s(settings)), "months": months,
        "halved": goodput(settings, best / 2), "doubled": goodput(settings, best * 2)}
    text = _("A failure every {gap} on average: saving every {best} is best and gives a goodput of {top:.1%}; every {chosen} "
             "gives {here:.1%}.")
    summary = text.format(gap=human_duration(values["mtbf_s"]), best=human_duration(best), top=at_best,
                          chosen=human_duration(chosen), here=here)
    return Outcome(summary, (_figure(settings, values),), _table(settings, values), values)


def _figure(settings: Mapping[str, Value], values: Mapping[str, Any]) -> Figure:
    grid = [LOW * (HIGH / LOW) ** (i / STEPS) for i in range(STEPS + 1)]
    name = _("expected")
    points = [{"x": round(x, 3), "value": round(100 * goodput(settings, x * MINUTE), 3), "name": name} for x in grid]
    best = values["best_s"] / MINUTE
    marks = [{"x": round(best, 2), "label": _("best")}] if LOW <= best <= HIGH else []
    dots = [{"x": float(settings["interval"]), "value": round(100 * value, 3)} for value in values["months"]]
    alt = _("Goodput against the time between saves, on a logarithmic axis: a flat hill with its top at {best}. Three "
            "simulated months with {chosen} between saves gave {low:.1%} to {high:.1%}.")
    return Figure(
        "goodput", _("Goodput against the time between two saves"),
        alt.format(best=human_duration(values["best_s"]), chosen=human_duration(float(settings["interval"]) * MINUTE),
                   low=min(values["months"]), high=max(values["months"])),
        curve_spec([name], _("training between two saves (min)"), _("goodput (%); circles: one month each"), TICKS),
        {"points": points, "marks": marks, "dots": dots})


def _table(settings: Mapping[str, Value], values: Mapping[str, Any]) -> Table:
    chosen = float(settings["interval"]) * MINUTE
    best = values["best_s"]
    lines = []
    for name, interval in ((_("half the best"), best / 2), (_("the best"), best), (_("Young's rule"), values["young_s"]),
                           (_("twice the best"), best * 2), (_("as set"), chosen)):
        here = goodput(settings, interval)
        lines.append((name, human_duration(interval), f"{here:.1%}", f"{100 * (values['best_goodput'] - here):.1f}"))
    return Table(_("What it costs to miss the best interval"),
                 (_("time between saves"), _("length"), _("goodput"), _("points below the best")), tuple(lines))


EXPERIMENT = Experiment(
    id="checkpoint_interval",
    title=N_("How often to save"),
    caption=N_("Expected goodput against the time between two blocking saves, with three simulated months as circles."),
    controls=(
        Slider("interval", N_("Training between two saves"), 1, 240, 1, 60, N_("min")),
        Choice("gpus", N_("GPUs"), tuple((n, f"{int(n):,}") for n in GPUS), "16384"),
        Slider("rate", N_("Failures per 1,000 node-days"), 0.5, 16, 0.1, round(RATE, 1)),
        Slider("write", N_("A save blocks the job for"), 1, 600, 1, 60, N_("s")),
        Slider("restart", N_("From a failure to training again"), 0, 60, 1, 10, N_("min"),
               help=N_("noticing, finding, replacing, restarting and loading")),
    ),
    run=run,
    presets=(Preset(N_("384 GPUs"), {"gpus": "384"}),
             Preset(N_("98,304 GPUs"), {"gpus": "98304"})),
)
