"""What to expect of a run with kills, from an undisturbed run and one separate kill.

With L the length of a checkpoint interval in seconds (steps and one save), K intervals to do, and a repair of R seconds
from a kill until training goes on:

- given the kill times, each gap g between kills finishes ``floor(g / L)`` intervals and loses the rest of g;
- given only the mean gap M of an exponential law, K intervals need ``K M (exp(L/M) - 1)`` seconds of training, which
  M divides into kills of R seconds each. This is Daly's run time (2006, FGCS 22, 303-312) with a clock of failures that
  stands still during repairs; with one that runs on, M exp(R/M) takes the place of M + R.
"""
from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from statistics import fmean

from labs.torchrun.account import NS, Run, account


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds, each measured: one step, one save, and what a run spends before, after and at a kill.

    ``fastest`` and ``slowest`` are the restart with the fastest and the slowest start of the processes that was seen.
    ``start_waited`` and ``restart_waited`` are the parts of both in which other programs had the cores.
    """

    start: float
    step: float
    checkpoint: float
    end: float
    detection: float
    restart: float
    fastest: float
    slowest: float
    start_waited: float = 0.0
    restart_waited: float = 0.0

    @property
    def repair(self) -> float:
        return self.detection + self.restart

    def with_restart(self, seconds: float) -> Timing:
        return replace(self, restart=seconds)

    def as_busy_as(self, run: Run) -> Timing:
        """The same work on a machine whose cores were taken as often as in ``run``: nothing but the waiting is exchanged."""
        first, later = run.attempts[0], run.attempts[1:]
        restarts = [attempt.all_waited_ns / NS for attempt in later] or [self.restart_waited]
        start = self.start + first.all_waited_ns / NS - self.start_waited
        restart = self.restart + fmean(restarts) - self.restart_waited
        return replace(self, start=max(0.0, start), restart=max(0.0, restart))


@dataclass(frozen=True, slots=True)
class Forecast:
    """Kills (a mean, or a count) and seconds by kind, as ``account`` has them."""

    kills: float
    spent: dict[str, float]

    @property
    def wall(self) -> float:
        return sum(self.spent.values())

    @property
    def goodput(self) -> float:
        return self.spent["work"] / self.wall


def timing(undisturbed: Run, one_kill: Run) -> Timing:
    """The numbers that a prediction may use.

    Most of a restart is what every start of the processes does, from their first line to the first step. The two runs
    show three of those, so their mean is used, and only the rest of the restart is as it was at the one kill.
    """
    calm, hit = account(undisturbed), account(one_kill)
    (kill,), marks = one_kill.kills, [mark.kind for mark in undisturbed.attempts[0].marks]
    again = one_kill.attempts[-1]
    between = again.boot_ns - kill.noticed_ns
    starts = (*undisturbed.attempts, *one_kill.attempts)
    loads = [attempt.ready_ns - attempt.boot_ns for attempt in starts]
    return Timing(
        start=calm["start"] / NS, end=calm["end"] / NS,
        step=calm["work"] / NS / marks.count("step"), checkpoint=calm["checkpoint"] / NS / marks.count("saved"),
        detection=hit["detection"] / NS, restart=(between + fmean(loads)) / NS,
        fastest=(between + min(loads)) / NS, slowest=(between + max(loads)) / NS,
        start_waited=undisturbed.attempts[0].all_waited_ns / NS,
        restart_waited=(again.launcher_waited_ns + fmean(attempt.waited_ns for attempt in starts)) / NS)


def with_kills_at(t: Timing, intervals: int, every: int, at: Iterable[float]) -> Forecast:
    """Kills at the training times ``at`` (seconds, ascending; those after the end count for nothing)."""
    length = every * t.step + t.checkpoint
    left, lost, kills, before = intervals, 0.0, 0, 0.0
    for when in at:
        gap, before = when - before, when
        if gap >= left * length:
            break
        whole = math.floor(gap / length)
        left -= whole
        lost += gap - whole * length
        kills += 1
    return _forecast(t, intervals, every, kills, lost)


def with_rate(t: Timing, intervals: int, every: int, mean_gap: float) -> Forecast:
    """The mean over all draws of the kill times."""
    training = training_time(intervals, every * t.step + t.checkpoint, mean_gap)
    return _forecast(t, intervals, every, training / mean_gap, training - intervals * (every * t.step + t.checkpoint))


def training_time(intervals: int, length: float, mean_gap: float) -> float:
    """Mean training time in seconds, work done again included; infinite where the exponential overflows."""
    try:
        return intervals * mean_gap * math.expm1(length / mean_gap)
    except OverflowError:
        return math.inf


def best_interval(t: Timing, mean_gap: float) -> float:
    """Young's interval in steps, ``sqrt(2 c M)`` seconds for a save of c (1974); at least one step."""
    return max(1.0, math.sqrt(2 * t.checkpoint * mean_gap) / t.step)


def _forecast(t: Timing, intervals: int, every: int, kills: float, lost: float) -> Forecast:
    return Forecast(kills, {
        "work": intervals * every * t.step, "lost": lost, "checkpoint": intervals * t.checkpoint,
        "detection": kills * t.detection, "restart": kills * t.restart, "start": t.start, "end": t.end})
