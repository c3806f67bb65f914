"""Which diagnostic when: given minutes a day for each node, the rhythm of levels that finds most defects before they hurt.

The model. A defect of some kind begins at a rate per node; it shows for a while (exponential, mean ``warning_days``) before
it stops the job. A level run every T days meets it in that while or not, and finds it with the level's coverage. What the
rates come from: failures per node-day times the share of causes with that kind of defect (``fault_causes.csv``). How long
a defect shows before it hurts is published nowhere: ``WARNING_DAYS`` are assumed ranges.
"""
from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from clustersim.errors import InputError
from clustersim.messages import _
from clustersim.reliability.causes import cause, published_mix
from clustersim.reliability.dcgm import Host, coverage, defects, duration

# Mean days from the first sign to the failure: low, default, high. Assumed.
WARNING_DAYS: Mapping[str, tuple[float, float, float]] = {
    "driver": (0.1, 1.0, 7.0), "memory_cells": (0.5, 3.0, 14.0), "pcie_link": (0.5, 3.0, 14.0), "nvlink": (0.5, 3.0, 14.0),
    "thermal": (1.0, 7.0, 30.0), "power": (0.5, 3.0, 14.0), "slow_gpu": (1.0, 7.0, 30.0),
    "silent_corruption": (7.0, 30.0, 90.0),
}
EVERY_DAYS = (1 / 24, 0.25, 1.0, 2.0, 3.0, 7.0, 14.0, 30.0)


@dataclass(frozen=True, slots=True)
class Round:
    """A level that runs on every node every ``every_days`` and takes ``seconds`` each time."""

    level: int
    every_days: float
    seconds: float

    @property
    def seconds_a_day(self) -> float:
        return self.seconds / self.every_days


@dataclass(frozen=True)
class Schedule:
    """A plan and what it brings. ``found`` is the share of each defect that is found in time; rates per 1000 node-days."""

    rounds: tuple[Round, ...]
    found: Mapping[str, float]
    prevented: float
    hopeless: float

    @property
    def seconds_a_day(self) -> float:
        """What one node spends in diagnostics a day."""
        return math.fsum(r.seconds_a_day for r in self.rounds)

    @property
    def share_of_time(self) -> float:
        """Share of the fleet's time that goes into diagnostics."""
        return self.seconds_a_day / 86_400


def found_in_time(chance: float, every_days: float, warning_days: float) -> float:
    """The chance that a level run every T days finds a defect before it hurts.

    The first run comes at a uniform time in [0, T) after the defect began, the defect hurts after an exponential time of
    mean L, each run finds it with ``chance`` c: (c L/T) (1 - q) / (1 - (1 - c) q) with q = exp(-T/L).
    """
    if chance <= 0:
        return 0.0
    q = math.exp(-every_days / warning_days)
    return chance * warning_days / every_days * (1 - q) / (1 - (1 - chance) * q)


def defect_rates(per_1000_node_days: float, mix: str = "llama3_interruptions") -> dict[str, float]:
    """Failures per 1000 node-days by kind of defect; causes without one are left out: no diagnostic sees them coming."""
    shares: dict[str, float] = {}
    weights = published_mix(mix)
    for name in dict.fromkeys(weights.names):
        kind = cause(name).defect
        if kind:
            shares[kind] = shares.get(kind, 0.0) + weights.share(name) * per_1000_node_days
    return shares


def evaluate(rounds: Sequence[Round], rates: Mapping[str, float], host: Host | None = None, column: str = "default",
             total: float | None = None) -> Schedule:
    """What these rounds bring; ``column`` low or high takes that end of every assumed range."""
    found = {kind: _found(tuple((r.level, r.every_days) for r in rounds), kind, host, column) for kind in defects()}
    prevented = math.fsum(rate * found.get(kind, 0.0) for kind, rate in rates.items())
    return Schedule(tuple(rounds), found, prevented, (total or math.fsum(rates.values())) - prevented)


def _found(rounds: Sequence[tuple[int, float]], kind: str, host: Host | None, column: str) -> float:
    warning = WARNING_DAYS[kind][("low", "default", "high").index(column)]
    missed = math.prod(1 - found_in_time(coverage(level, kind, host, column), every, warning) for level, every in rounds)
    return 1 - missed


def plan(minutes_a_day: float, per_1000_node_days: float, mix: str = "llama3_interruptions", host: Host | None = None,
         levels: Sequence[int] = (1, 2, 3, 4), every_days: Sequence[float] = EVERY_DAYS) -> Schedule:
    """The rounds that prevent most failures within the budget; with equal effect the cheaper ones.

    Every combination of at most one rhythm a level is tried. Not in the budget: level 2 after a failed job and level 3
    before a node returns to service (NVIDIA's advice), which follow the failures and not the calendar.
    """
    if not minutes_a_day >= 0:
        raise InputError(_("minutes a day"), minutes_a_day, _("a number of 0 or more"))
    host = host or Host()
    rates = defect_rates(per_1000_node_days, mix)
    seconds = {level: duration(level, host).default for level in levels}
    missed = {(level, every, kind): 1 - found_in_time(coverage(level, kind, host), every, WARNING_DAYS[kind][1])
              for level in levels for every in every_days for kind in rates}
    best: tuple[float, float, tuple[tuple[int, float], ...]] = (0.0, 0.0, ())
    for rhythm in itertools.product((0.0, *every_days), repeat=len(levels)):
        chosen = tuple((level, every) for level, every in zip(levels, rhythm, strict=True) if every)
        cost = math.fsum(seconds[level] / every for level, every in chosen)
        if cost > minutes_a_day * 60:
            continue
        prevented = math.fsum(
            rate * (1 - math.prod(missed[level, every, kind] for level, every in chosen)) for kind, rate in rates.items())
        if (prevented, -cost) > (best[0], -best[1]):
            best = prevented, cost, chosen
    rounds = [Round(level, every, seconds[level]) for level, every in best[2]]
    return evaluate(rounds, rates, host, total=per_1000_node_days)
