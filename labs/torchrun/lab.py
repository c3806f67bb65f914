"""The lab: an undisturbed run, one separate kill, a prediction, a run with kills; then the two are compared."""
from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from clustersim.messages import _
from labs.torchrun import predict
from labs.torchrun.account import Run, goodput
from labs.torchrun.predict import Forecast, Timing
from labs.torchrun.run import RunError, Signals, Watcher, run
from labs.torchrun.schedule import Strike, check, draw
from labs.torchrun.settings import Settings, Training

TOLERANCE = 0.08  # of goodput, between prediction and measurement
LOSS_DIGITS = 6
REHEARSAL_EVERY = 20  # steps between checkpoints in the run with the one kill
REHEARSAL_KILL = 1.5  # intervals before the kill


@dataclass(frozen=True, slots=True)
class Plan:
    """What the reader chose, and the kills drawn for it."""

    settings: Settings
    strikes: tuple[Strike, ...]

    def forecast(self, timing: Timing) -> Forecast:
        """With the kill times of the seed, which are known beforehand."""
        s = self.settings
        return predict.with_kills_at(timing, s.intervals, s.checkpoint_every, [strike.at_s for strike in self.strikes])

    def goodput_range(self, timing: Timing) -> tuple[float, float]:
        """With the slowest and with the fastest start of the processes that was seen."""
        low, high = (self.forecast(timing.with_restart(restart)).goodput for restart in (timing.slowest, timing.fastest))
        return low, high

    def forecast_of_the_rate(self, timing: Timing) -> Forecast:
        """With the rate alone: the mean over all seeds."""
        s = self.settings
        return predict.with_rate(timing, s.intervals, s.checkpoint_every, s.mean_gap_s)


@dataclass(frozen=True, slots=True)
class Result:
    plan: Plan
    timing: Timing
    undisturbed: Run
    killed: Run

    @property
    def forecast(self) -> Forecast:
        return self.plan.forecast(self.timing)

    @property
    def measured(self) -> float:
        return goodput(self.killed)

    @property
    def agrees(self) -> bool:
        return abs(self.forecast.goodput - self.measured) <= TOLERANCE

    @property
    def as_busy(self) -> Forecast:
        """What the prediction would have been on a machine as busy with other work as it was in the run with kills."""
        return self.plan.forecast(self.timing.as_busy_as(self.killed))

    @property
    def disturbed(self) -> bool:
        """Whether other work came or went meanwhile, so that the prediction was one for another machine.

        The system's own count of waiting decides, never the result: what the waiting alone does to the prediction.
        """
        return abs(self.as_busy.goodput - self.forecast.goodput) > TOLERANCE / 2

    @property
    def same_loss(self) -> bool:
        """To ``LOSS_DIGITS`` decimals; a loss that is not a number equals nothing."""
        a, b = self.undisturbed.loss, self.killed.loss
        return math.isfinite(a) and f"{a:.{LOSS_DIGITS}f}" == f"{b:.{LOSS_DIGITS}f}"


class Teller(Protocol):
    """Who is told how the lab goes on; ``watch`` gives the watcher of the next run, which has so many steps."""

    def watch(self, name: str, steps: int) -> Watcher: ...
    def expect(self, plan: Plan, timing: Timing) -> None: ...


def plan(settings: Settings) -> Plan:
    """The kills of a lab; InputError if kills come so fast that training would hardly move."""
    interval_s = settings.checkpoint_every * settings.training.step_s
    check(settings, predict.training_time(settings.intervals, interval_s, settings.mean_gap_s))
    return Plan(settings, draw(settings))


def rehearsal(settings: Settings) -> tuple[Training, tuple[Strike, ...]]:
    """A short run with one kill, of the last rank, between two checkpoints."""
    training = replace(settings.training, steps=2 * REHEARSAL_EVERY, checkpoint_every=REHEARSAL_EVERY)
    return training, (Strike(REHEARSAL_KILL * REHEARSAL_EVERY * training.step_s, training.processes - 1),)


def measure(plan: Plan, folder: Path, teller: Teller, signals: Signals) -> Result:
    """Make the three runs, each in a folder of its own."""
    short, strike = rehearsal(plan.settings)
    full = plan.settings.training
    undisturbed = run(full, folder / "undisturbed", (), teller.watch("undisturbed", full.steps), signals)
    one_kill = run(short, folder / "one-kill", strike, teller.watch("one-kill", short.steps), signals)
    if not one_kill.kills or one_kill.own_failures or undisturbed.own_failures:
        raise RunError(_("runs 1 and 2 did not go as planned: a kill came too late, or a process died without one. "
                         "Try again when the machine has less to do."))
    timing = predict.timing(undisturbed, one_kill)
    teller.expect(plan, timing)
    killed = run(full, folder / "killed", plan.strikes, teller.watch("killed", full.steps), signals)
    return Result(plan, timing, undisturbed, killed)
