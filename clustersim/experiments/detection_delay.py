"""What it costs to notice late: goodput of a job over the delay between a failure and the moment somebody knows.

The curve is Daly's exact form with the delay as a part of the restart; the points are runs of 30 days on the shared engine.
The rest of the recovery (search, queue, restart) is one fixed time. Price: the fact ``price.h100_gpu_hour``.
"""
from __future__ import annotations

from collections.abc import Mapping

from clustersim.experiments.base import Choice, Experiment, Figure, Outcome, Preset, Slider, Table, Value
from clustersim.experiments.gpus_and_rate import fleets, rate_of
from clustersim.figures_failures import curves_spec
from clustersim.messages import N_, _
from clustersim.reliability.detection import NO_DIAGNOSIS, WATCHDOG_S, Detection
from clustersim.reliability.theory import cluster_mttf_h, efficiency
from clustersim.training import Checkpoints, Faults, Plan, Recovery, report, simulate
from clustersim.training.report import gpu_hour_usd
from clustersim.units import MONTH_H, human_duration, three_digits

DAYS, RUNS = 30, 2
FAST_S = 10.0  # ByteRobust's inspections see a lost GPU or a driver that hangs after 10 s (table byterobust_detection)
SMALL = 1_024
DELAYS = (2, 3, 5, 7, 10, 15, 20, 30, 45, 60, 90, 120, 180, 240, 300, 420, 600, 900, 1_200, 1_800, 2_700, 3_600)


def goodput(gpus: int, per_1000_node_days: float, delay_s: float, settings: Mapping[str, Value]) -> float:
    """The closed form."""
    mttf_s = cluster_mttf_h(gpus, per_1000_node_days) * 3600
    rest = float(settings["rest"]) * 60
    return efficiency(float(settings["interval"]) * 60, float(settings["write"]), mttf_s, delay_s + rest)


def simulated(settings: Mapping[str, Value], seed: int) -> float:
    """The same, as a run of 30 days on the engine."""
    plan = Plan(
        gpus=int(settings["gpus"]), wall_days=DAYS,
        checkpoints=Checkpoints.blocking(float(settings["interval"]) * 60, float(settings["write"])),
        faults=Faults(rate_of(str(settings["fleet"]))), detection=Detection(delay_s=float(settings["delay"])),
        diagnosis=NO_DIAGNOSIS, recovery=Recovery(restart=float(settings["rest"]) * 60))
    return report(simulate(plan, seed)).goodput


def run(settings: Mapping[str, Value]) -> Outcome:
    gpus, rate, delay = int(settings["gpus"]), rate_of(str(settings["fleet"])), float(settings["delay"])
    own, fast, slow = (goodput(gpus, rate, seconds, settings) for seconds in (delay, FAST_S, WATCHDOG_S))
    hours = (fast - own) * gpus * MONTH_H
    runs = [simulated(settings, seed) for seed in range(1, RUNS + 1)]
    more = _("more") if hours >= 0 else _("less")
    summary = _("{gpus:,} GPUs that notice a failure after {delay} reach a goodput of {own:.1%}. After {fast} it would be "
                "{best:.1%}: the difference is about {hours} GPU hours a month {more}, {usd} USD at {price:.2f} USD a "
                "GPU hour.").format(
        gpus=gpus, delay=human_duration(delay), own=own, fast=human_duration(FAST_S), best=fast, hours=three_digits(abs(hours)),
        more=more, usd=three_digits(abs(hours) * gpu_hour_usd()), price=gpu_hour_usd())
    return Outcome(summary, (_figure(settings, runs),), _table(settings), {
        "goodput": own, "fast": fast, "slow": slow, "points": 100 * (fast - slow), "gpu_hours": hours,
        "usd": hours * gpu_hour_usd(), "simulated": runs,
        "small_points": 100 * (goodput(SMALL, rate, FAST_S, settings) - goodput(SMALL, rate, WATCHDOG_S, settings))})


def _sizes(settings: Mapping[str, Value]) -> list[tuple[str, int]]:
    gpus = int(settings["gpus"])
    return [(_("this job"), gpus), (_("a job of {n:,} GPUs").format(n=SMALL), SMALL)]


def _figure(settings: Mapping[str, Value], runs: list[float]) -> Figure:
    rate, delay = rate_of(str(settings["fleet"])), float(settings["delay"])
    curves = [{"x": x, "y": round(100 * goodput(gpus, rate, x, settings), 3), "name": name}
              for name, gpus in _sizes(settings) for x in DELAYS]
    title = _("Goodput over the time until a failure is noticed")
    alt = _("The goodput of this job falls from {a:.1f}% with a delay of {low} s to {b:.1f}% with {high} s.").format(
        a=curves[0]["y"], low=DELAYS[0], b=curves[len(DELAYS) - 1]["y"], high=DELAYS[-1])
    spec = curves_spec([name for name, _n in _sizes(settings)], _("seconds until somebody knows"), _("goodput (%)"), log_x=True)
    marks = [{"at": FAST_S, "label": _("inspection")}, {"at": WATCHDOG_S, "label": _("time-out")}]
    return Figure("goodput", title, alt, spec, {
        "curves": curves, "points": [{"x": delay, "y": round(100 * value, 3)} for value in runs], "marks": marks})


def _table(settings: Mapping[str, Value]) -> Table:
    rate = rate_of(str(settings["fleet"]))
    columns = (_("noticed after"), *(name for name, _n in _sizes(settings)))
    chosen = sorted({FAST_S, 60.0, 300.0, WATCHDOG_S, 1_800.0, float(settings["delay"])})
    rows = tuple((human_duration(x), *(f"{goodput(gpus, rate, x, settings):.1%}" for _name, gpus in _sizes(settings)))
                 for x in chosen)
    return Table(_("Goodput, closed form"), columns, rows)


EXPERIMENT = Experiment(
    id="detection_delay",
    title=N_("What does it cost to notice late?"),
    caption=N_("Curves: closed form. Triangles: simulated runs of 30 days at your delay. The delay axis is logarithmic."),
    controls=(
        Slider("delay", N_("A failure is noticed after"), 10, 1_800, 10, WATCHDOG_S, N_("s")),
        Choice("gpus", N_("GPUs of the job"), tuple((str(n), f"{n:,}") for n in (1_024, 4_096, 16_384, 32_768)), "16384"),
        Choice("fleet", N_("Failure rate of"), tuple((key, str(row["fleet"])) for key, row in fleets().items()),
               "llama_3_405b"),
        Slider("rest", N_("Search, queue and restart together"), 1, 60, 1, 15, N_("min")),
        Slider("interval", N_("A checkpoint every"), 5, 120, 5, 30, N_("min")),
        Slider("write", N_("A checkpoint stops training for"), 0, 300, 5, 10, N_("s")),
    ),
    run=run,
    presets=(Preset(N_("A thousand GPUs"), {"gpus": "1024"}),
             Preset(N_("Noticed after ten seconds"), {"delay": 10})),
)
