"""A real fault trace beside a Poisson process of the same length and number: gaps, bursts, quiet days.

Trace: InfiniteHBD (StepFun), 584 faults of 400 servers in 348 days, Apache-2.0, cite arXiv 2502.03885.
"""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from random import Random
from statistics import fmean, pvariance

from clustersim.experiments.base import Choice, Experiment, Figure, Outcome, Preset, Slider, Table, Value
from clustersim.figures_failures import curves_spec
from clustersim.messages import N_, _
from clustersim.reliability.fieldtrace import DAYS, gaps, spells, variation
from clustersim.units import DAY, human_duration

MINUTE_D = 1 / 1440
TESTS = "Stress Test Failure"  # found by people who went looking, on a day of their choice


@cache
def starts(which: str) -> tuple[float, ...]:
    """Days at which faults begin: ``all``, or without those that a stress test found (``running``)."""
    return tuple(s.start for s in spells() if which == "all" or s.cause != TESTS)


def incidents(days: Sequence[float], within: float) -> list[float]:
    """Faults that follow the one before them by at most ``within`` days count as one, at the time of the first.

    A negative ``within`` merges nothing.
    """
    return [day for i, day in enumerate(days) if i == 0 or day - days[i - 1] > within]


def poisson(count: int, seed: int) -> list[float]:
    """The same number of events at independent uniform times: a Poisson process, given how many there were."""
    rng = Random(f"{seed}/poisson")
    return sorted(rng.random() * DAYS for _event in range(count))


def measures(days: Sequence[float]) -> dict[str, float]:
    """Coefficient of variation of the gaps, variance over mean of the daily counts, busiest day, longest gap, quiet days."""
    counts = [0] * DAYS
    for day in days:
        counts[min(int(day), DAYS - 1)] += 1
    between = gaps(days)
    return {"events": len(days), "cv": variation(between), "dispersion": pvariance(counts) / fmean(counts),
            "busiest": max(counts), "quiet": counts.count(0), "longest_d": max(between),
            "together": sum(gap < MINUTE_D for gap in between)}


def run(settings: Mapping[str, Value]) -> Outcome:
    faults, within = starts(str(settings["which"])), int(settings["together"]) * MINUTE_D
    real, drawn = incidents(faults, within), incidents(poisson(len(faults), int(settings["seed"])), within)
    ours, other = measures(real), measures(drawn)
    summary = _("{n} incidents in {days} days. Coefficient of variation of the gaps: {a:.2f} in the trace, {b:.2f} in the "
                "Poisson process. {c} gaps of the trace are shorter than a minute, {d} of the other. Busiest day: {e} against "
                "{f}.").format(n=len(real), days=DAYS, a=ours["cv"], b=other["cv"], c=ours["together"], d=other["together"],
                               e=ours["busiest"], f=other["busiest"])
    return Outcome(summary, (_survival(real, drawn), _counts(real, drawn)), _table(ours, other),
                   {"trace": ours, "poisson": other})


def _survival(real: Sequence[float], drawn: Sequence[float]) -> Figure:
    names = [_("trace"), _("Poisson")]
    rows = []
    for name, days in zip(names, (real, drawn), strict=True):
        ordered = sorted(gaps(days))
        step = max(1, len(ordered) // 100)
        rows += [{"x": round(ordered[i], 4), "y": round(1 - i / len(ordered), 5), "name": name}
                 for i in [*range(0, len(ordered), step), len(ordered) - 1]]
    title = _("Share of the gaps that are longer than this")
    alt = _("The longest gap is {a} in the trace and {b} in the Poisson process.").format(
        a=human_duration(max(gaps(real)) * DAY), b=human_duration(max(gaps(drawn)) * DAY))
    spec = curves_spec(names, _("days to the next incident"), _("share of gaps"), log_y=True, steps=True)
    return Figure("gaps", title, alt, spec, {"curves": rows, "points": [], "marks": []})


def _counts(real: Sequence[float], drawn: Sequence[float]) -> Figure:
    names = [_("trace"), _("Poisson")]
    rows = []
    for name, days in zip(names, (real, drawn), strict=True):
        rows += [{"x": 0.0, "y": 0, "name": name}]
        rows += [{"x": round(day, 3), "y": i, "name": name} for i, day in enumerate(days, 1) if i % 4 == 0 or i == len(days)]
    title = _("Incidents so far")
    alt = _("The trace climbs to {a} in steps and stretches; the Poisson process to {b}, more evenly.").format(
        a=len(real), b=len(drawn))
    spec = curves_spec(names, _("day"), _("incidents so far"), steps=True, height=170)
    return Figure("counts", title, alt, spec, {"curves": rows, "points": [], "marks": []})


def _table(ours: Mapping[str, float], other: Mapping[str, float]) -> Table:
    lines = (("events", _("incidents"), "{:.0f}"), ("cv", _("coefficient of variation of the gaps"), "{:.2f}"),
             ("dispersion", _("variance over mean of the daily counts"), "{:.2f}"),
             ("together", _("gaps shorter than a minute"), "{:.0f}"), ("busiest", _("incidents on the busiest day"), "{:.0f}"),
             ("quiet", _("days without one"), "{:.0f}"), ("longest_d", _("longest gap (days)"), "{:.1f}"))
    rows = tuple((label, form.format(ours[key]), form.format(other[key])) for key, label, form in lines)
    return Table(_("The trace beside a Poisson process of as many faults"), (_("measure"), _("trace"), _("Poisson")), rows)


EXPERIMENT = Experiment(
    id="poisson_or_not",
    title=N_("Do real faults come independently of each other?"),
    caption=N_("Faults of 400 servers of StepFun in 348 days (InfiniteHBD trace) beside as many independent "
               "events."),
    controls=(
        Choice("together", N_("Faults count as one incident if they follow within"),
               (("-1", N_("nothing: every fault counts")), ("0", N_("0 min: the same instant")), ("10", N_("10 min")),
                ("60", N_("1 h")), ("360", N_("6 h"))), "-1"),
        Choice("which", N_("Faults"), (("all", N_("all")), ("running", N_("without those found by stress tests"))), "all"),
        Slider("seed", N_("Seed of the Poisson process"), 1, 50, 1, 1),
    ),
    run=run,
    presets=(Preset(N_("What comes within an hour is one incident"), {"together": "60"}),
             Preset(N_("Without stress tests"), {"which": "running"})),
)
