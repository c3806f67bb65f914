"""Which diagnostic level how often, if each node has some minutes a day for it: the plan and what it finds in time.

Levels, durations and coverage: ``clustersim.reliability.dcgm``; the model and its assumptions:
``clustersim.reliability.planner``. Nearly every chance of finding a defect is assumed, so the figure shows both ends.
"""
from __future__ import annotations

import itertools
import math
from collections.abc import Mapping

from clustersim.experiments.base import Choice, Experiment, Figure, Outcome, Preset, Slider, Table, Toggle, Value
from clustersim.experiments.gpus_and_rate import fleets, rate_of
from clustersim.figures_failures import spans_spec
from clustersim.messages import N_, _
from clustersim.reliability import dcgm, planner
from clustersim.reliability.dcgm import Host
from clustersim.reliability.planner import Round, Schedule
from clustersim.tables import table
from clustersim.units import DAY, human_duration

TICKS = (0, 20, 40, 60, 80, 100)


def ends(schedule: Schedule, rate: float, host: Host) -> tuple[Schedule, Schedule]:
    """The same rounds with the low and with the high end of every assumed range."""
    rates = planner.defect_rates(rate)
    low, high = (planner.evaluate(schedule.rounds, rates, host, column, rate) for column in ("low", "high"))
    return low, high


def found_once(schedule: Schedule, kind: str, host: Host) -> float:
    """The share found in time if a test that misses a defect misses it every time.

    Each test can see this defect or cannot, with its coverage as the chance, once for all; what it can see it finds at its
    next run. The planner takes every run as a new chance, which is the other extreme.
    """
    chances = {str(row["test"]): float(row["default"] or 0) for row in table("dcgm_coverage").where(defect=kind)}
    warning = planner.WARNING_DAYS[kind][1]
    levels = [(set(dcgm.tests_of(one.level, host)), planner.found_in_time(1.0, one.every_days, warning))
              for one in schedule.rounds]
    total = 0.0
    for sees in itertools.product((True, False), repeat=len(chances)):
        able = {test for test, can in zip(chances, sees, strict=True) if can}
        chance = math.prod(p if test in able else 1 - p for test, p in chances.items())
        total += chance * (1 - math.prod(1 - found for tests, found in levels if tests & able))
    return total


def run(settings: Mapping[str, Value]) -> Outcome:
    rate, host = rate_of(str(settings["fleet"])), Host(eud_package=bool(settings["eud"]))
    best = planner.plan(float(settings["minutes"]), rate, host=host)
    low, high = ends(best, rate, host)
    rates = planner.defect_rates(rate)
    visible = sum(rates.values()) / rate
    once = {kind: found_once(best, kind, host) for kind in rates}
    stubborn = sum(rate * once[kind] for kind, rate in rates.items()) / rate_of(str(settings["fleet"]))
    used = human_duration(best.seconds_a_day)
    plan = ", ".join(_rhythm(one) for one in best.rounds) or _("nothing")
    summary = _("Within {minutes:g} min a day and node the best plan is: {plan}. It takes {used} a day, {share:.2%} of the "
                "fleet, and finds {found:.0%} of all failures in time if every run is a new chance, {once:.0%} if a test "
                "that misses a defect always misses it; {hidden:.0%} come from causes that no diagnostic sees coming.").format(
        minutes=float(settings["minutes"]), plan=plan, used=used, share=best.share_of_time, found=best.prevented / rate,
        once=stubborn, hidden=1 - visible)
    return Outcome(summary, (_figure(best, low, high, rates),), _table(best, low, high, rates, once), {
        "rounds": [(r.level, r.every_days) for r in best.rounds], "seconds_a_day": best.seconds_a_day,
        "share_of_time": best.share_of_time, "found": best.prevented / rate, "found_low": low.prevented / rate,
        "found_high": high.prevented / rate, "found_once": stubborn, "visible": visible, "by_defect": dict(best.found)})


def _rhythm(one: Round) -> str:
    return _("level {level} every {time}").format(level=one.level, time=human_duration(one.every_days * DAY))


def _names() -> dict[str, str]:
    return {"driver": _("driver or library"), "memory_cells": _("memory cells"), "pcie_link": _("PCIe link"),
            "nvlink": _("NVLink"), "thermal": _("cooling"), "power": _("power"), "slow_gpu": _("slow GPU"),
            "silent_corruption": _("silent corruption")}


def _figure(best: Schedule, low: Schedule, high: Schedule, rates: Mapping[str, float]) -> Figure:
    order = sorted(rates, key=lambda kind: -rates[kind])
    data = [{"name": _names()[kind], "rank": rank, "low": round(100 * low.found[kind], 2),
             "value": round(100 * best.found[kind], 2), "high": round(100 * high.found[kind], 2),
             "kind": "first",
             "text": f"{best.found[kind]:.0%} ({100 * low.found[kind]:.0f}-{100 * high.found[kind]:.0f})"}
            for rank, kind in enumerate(order)]
    title = _("Share of the defects found before they stop a job, the most frequent kind on top")
    alt = "; ".join(_("{name}: {low:.0f} to {high:.0f}%").format(**row) for row in data) + "."
    return Figure("found", title, alt, spans_spec(len(data), _("found in time (%)"), TICKS), {"spans": data})


def _table(best: Schedule, low: Schedule, high: Schedule, rates: Mapping[str, float],
           once: Mapping[str, float]) -> Table:
    columns = (_("defect"), _("failures per 1000 node-days"), _("found in time"), _("assumptions' ends"),
               _("if always missed once missed"))
    rows = []
    for kind in sorted(rates, key=lambda name: -rates[name]):
        rows.append((_names()[kind], f"{rates[kind]:.3f}", f"{best.found[kind]:.0%}",
                     f"{low.found[kind]:.0%} - {high.found[kind]:.0%}", f"{once[kind]:.0%}"))
    return Table(_("What the plan finds"), columns, tuple(rows))


EXPERIMENT = Experiment(
    id="diagnostic_planner",
    title=N_("Which diagnostic when?"),
    caption=N_("Every combination of rhythms of the four levels is tried. Bars: both ends of the assumed chances and warning "
               "times; the diamond is the middle."),
    controls=(
        Slider("minutes", N_("Minutes a day for each node"), 0, 60, 1, 5, N_("min")),
        Choice("fleet", N_("Failure rate of"), tuple((key, str(row["fleet"])) for key, row in fleets().items()),
               "llama_3_405b"),
        Toggle("eud", N_("The EUD package is installed"), False,
               help=N_("NVIDIA's closed diagnostics, part of levels 3 and 4")),
    ),
    run=run,
    presets=(Preset(N_("Half an hour a day"), {"minutes": 30}),
             Preset(N_("With the EUD"), {"eud": True})),
)
