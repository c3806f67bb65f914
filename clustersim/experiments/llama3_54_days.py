"""Llama 3's 54 days run many times on the shared engine, with what Meta published marked.

Published (arXiv 2407.21783, section 3.3.4): 16,384 GPUs, 54 days, 419 unexpected and 47 planned interruptions, an effective
training time above 90%. Not published: checkpoint interval, its cost, time to recover. Recovery defaults to the middle of
RSC's 5 to 20 min (``defaults.toml``); interval and cost are assumed. Every interruption, planned or not, costs the same
recovery. ``data/llama3_runs.csv`` holds 1,000 runs at the defaults; :func:`one` makes each of its rows.
"""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache

from clustersim.experiments.base import Choice, Experiment, Figure, Outcome, Preset, Slider, Table, Value
from clustersim.experiments.gpus_and_rate import fleets, rate_of
from clustersim.facts import fact
from clustersim.figures_failures import histogram, runs_spec
from clustersim.messages import N_, _
from clustersim.reliability.defaults import span
from clustersim.reliability.detection import NO_DIAGNOSIS, Detection
from clustersim.reliability.theory import cluster_mttf_h, efficiency, interruption_budget
from clustersim.tables import table
from clustersim.training import Checkpoints, Faults, Plan, Recovery, report, simulate

PUBLISHED = 0.90  # "above 90%"
RECOVERY_MIN = sum(span("restart_s")) / 2 / 60
INTERVAL_MIN, WRITE_S = 15, 10  # assumed
KEY = "llama_3_405b"
FLEETS = (KEY, "meta_rsc_1", "meta_rsc_2", "nebius_3000_gpu_cluster")
STORED = 1_000


def number(key: str) -> float:
    """A number of the fact ledger."""
    return float(fact(key).value)


@cache
def gpus() -> int:
    return int(number("llama3.gpus"))


@cache
def days() -> int:
    return int(number("llama3.days"))


@cache
def planned() -> int:
    """Planned interruptions of the run."""
    return int(number("llama3.planned"))


def plan(interval_min: float, write_s: float, recovery_min: float, per_1000_node_days: float) -> Plan:
    """The run: nobody searches, every interruption costs ``recovery_min`` and the work since the last checkpoint."""
    recovery_s = recovery_min * 60
    return Plan(
        gpus=gpus(), wall_days=days(), checkpoints=Checkpoints.blocking(interval_min * 60, write_s),
        faults=Faults(per_1000_node_days, planned_per_day=planned() / days()), detection=Detection(delay_s=0.0),
        diagnosis=NO_DIAGNOSIS, recovery=Recovery(restart=recovery_s), planned=recovery_s)


def one(seed: int, settings: Mapping[str, Value] | None = None) -> tuple[int, float]:
    """Unexpected interruptions and effective training time of one run; at the defaults a row of the stored table."""
    values = settings or EXPERIMENT.defaults()
    made = plan(float(values["interval"]), float(values["write"]), float(values["recovery"]), rate_of(str(values["fleet"])))
    result = report(simulate(replace(made, name="llama3"), seed))
    return result.faults, round(result.ettr, 5)


def run(settings: Mapping[str, Value]) -> Outcome:
    stored = [(int(row["interruptions"] or 0), float(row["ettr"] or 0)) for row in table("llama3_runs")]
    live = [one(seed, settings) for seed in range(1, int(settings["runs"]) + 1)]
    closed = expected(settings)
    reached = sum(ettr > PUBLISHED for _n, ettr in live)
    low, high = min(n for n, _ettr in live), max(n for n, _ettr in live)
    mean = sum(ettr for _n, ettr in live) / len(live)
    summary = _("{runs} runs of {days} days on {gpus:,} GPUs: {low} to {high} unexpected interruptions, effective training "
                "time {mean:.1%} on average (closed form {closed:.1%}); {reached} of them above the published 90%.").format(
        runs=len(live), days=days(), gpus=gpus(), low=low, high=high, mean=mean, closed=closed, reached=reached)
    return Outcome(summary, (_counts(stored, live), _ettr(stored, live)), _table(stored, live, closed), {
        "live": live, "stored_counts": spread([n for n, _e in stored]), "stored_ettr": spread([e for _n, e in stored]),
        "stored_above": sum(e > PUBLISHED for _n, e in stored), "closed": closed, "mean": mean, "budget_min": budget_min()})


def expected(settings: Mapping[str, Value]) -> float:
    """Daly's exact form for the unexpected ones; the planned ones, which lose no work, scale it by what they take."""
    mttf_min = cluster_mttf_h(gpus(), rate_of(str(settings["fleet"]))) * 60
    recovery, write = float(settings["recovery"]), float(settings["write"]) / 60
    ideal = efficiency(float(settings["interval"]), write, mttf_min, recovery)
    return ideal * (1 - planned() * (recovery + write) / (days() * 1440))


def budget_min() -> float:
    """The mean loss in minutes that all interruptions together may have if 90% of the time is to be effective."""
    return interruption_budget(days() * 1440, number("llama3.unexpected") + planned(), PUBLISHED)


def spread(values: list[float] | list[int]) -> tuple[float, float, float]:
    """Smallest, middle and largest."""
    ordered = sorted(values)
    return float(ordered[0]), float(ordered[len(ordered) // 2]), float(ordered[-1])


def _counts(stored: list[tuple[int, float]], live: list[tuple[int, float]]) -> Figure:
    low, middle, high = spread([n for n, _e in stored])
    title = _("Unexpected interruptions in 54 days: 1,000 runs at the default settings, and yours")
    alt = _("The 1,000 runs have {low:.0f} to {high:.0f}, half of them at most {middle:.0f}; published are {n:.0f}.").format(
        low=low, high=high, middle=middle, n=number("llama3.unexpected"))
    return Figure("counts", title, alt, runs_spec(_("unexpected interruptions"), _("runs")), {
        "bars": histogram([float(n) for n, _e in stored], 5), "points": [{"value": n} for n, _e in live],
        "marks": [{"at": number("llama3.unexpected"), "label": _("published: {n:.0f}").format(n=number("llama3.unexpected"))}]})


def _ettr(stored: list[tuple[int, float]], live: list[tuple[int, float]]) -> Figure:
    low, middle, high = spread([e for _n, e in stored])
    title = _("Effective training time: 1,000 runs at the default settings, and yours")
    alt = _("The 1,000 runs lie between {low:.1%} and {high:.1%}, half of them at most {middle:.1%}; published is more than "
            "90%.").format(low=low, high=high, middle=middle)
    return Figure("ettr", title, alt, runs_spec(_("effective training time (%)"), _("runs")), {
        "bars": histogram([100 * e for _n, e in stored], 0.2), "points": [{"value": round(100 * e, 3)} for _n, e in live],
        "marks": [{"at": 100 * PUBLISHED, "label": _("published: above 90%")}]})


def _table(stored: list[tuple[int, float]], live: list[tuple[int, float]], closed: float) -> Table:
    (a, b, c), (d, e, f) = spread([n for n, _e in stored]), spread([x for _n, x in stored])
    rows = [(_("published by Meta, 2024"), f"{number('llama3.unexpected'):.0f}", _("above 90%")),
            (_("1,000 runs, default settings: lowest"), f"{a:.0f}", f"{d:.1%}"),
            (_("1,000 runs, default settings: median"), f"{b:.0f}", f"{e:.1%}"),
            (_("1,000 runs, default settings: highest"), f"{c:.0f}", f"{f:.1%}")]
    rows += [(_("your settings, seed {n}").format(n=i), str(n), f"{x:.1%}") for i, (n, x) in enumerate(live, 1)]
    rows.append((_("your settings, closed form"), "", f"{closed:.1%}"))
    return Table(_("Interruptions and effective training time"),
                 (_("run"), _("unexpected interruptions"), _("effective training time")), tuple(rows))


EXPERIMENT = Experiment(
    id="llama3_54_days",
    title=N_("Llama 3's 54 days, run again"),
    caption=N_("Bars: 1,000 runs at the default settings, made beforehand. Triangles: runs at your settings, made now. Dashed: "
               "what Meta published. Interval and cost of a checkpoint are our assumptions."),
    controls=(
        Choice("fleet", N_("Failure rate of"), tuple((key, str(fleets()[key]["fleet"])) for key in FLEETS), KEY),
        Slider("recovery", N_("From an interruption to training again"), 1, 60, 0.5, RECOVERY_MIN, N_("min")),
        Slider("interval", N_("A checkpoint every"), 5, 120, 5, INTERVAL_MIN, N_("min")),
        Slider("write", N_("A checkpoint stops training for"), 0, 300, 5, WRITE_S, N_("s")),
        Slider("runs", N_("Runs"), 1, 8, 1, 3),
    ),
    run=run,
    presets=(Preset(N_("Training again after five minutes"), {"recovery": 5}),
             Preset(N_("A checkpoint an hour"), {"interval": 60})),
)
