"""What one run of the lab is made of."""
from __future__ import annotations

from dataclasses import dataclass, replace

TORCH = "2.13.0"  # the version this lab was tried with; pyproject.toml pins the same
SHARE = 0.35      # of the minutes asked for: training time of one run (two full runs, starts, restarts fill the rest)
FEWEST = 4        # kills, where the rate lets us expect that many


@dataclass(frozen=True, slots=True)
class Training:
    """One training. A step takes ``step_s`` seconds, and every ``checkpoint_every`` steps one checkpoint is saved.

    A step computes, averages gradients over all processes, and then waits until ``step_s`` is over: the wait stands for
    the part of a step that an accelerator would do, and it keeps the length of a step the same on a slow or busy machine.
    """

    processes: int
    steps: int
    checkpoint_every: int
    step_s: float = 0.1


@dataclass(frozen=True, slots=True)
class Settings:
    """One lab: what the reader chooses. The rate is in kills a minute of training."""

    processes: int = 2
    minutes: float = 4.0
    rate_per_min: float = 3.0
    seed: int = 1
    checkpoint_every: int = 20

    @property
    def training(self) -> Training:
        """A full run: whole checkpoint intervals, at least one."""
        one = Training(self.processes, self.checkpoint_every, self.checkpoint_every)
        intervals = max(1, round(self.minutes * 60 * SHARE / (one.step_s * one.steps)))
        return replace(one, steps=intervals * self.checkpoint_every)

    @property
    def intervals(self) -> int:
        return self.training.steps // self.checkpoint_every

    @property
    def length_s(self) -> float:
        """Of the steps of a full run, without checkpoints and starts."""
        return self.training.steps * self.training.step_s

    @property
    def mean_gap_s(self) -> float:
        """Mean training time between kills."""
        return 60 / self.rate_per_min

    @property
    def fewest_kills(self) -> int:
        """A schedule holds at least this many kills: ``FEWEST``, or what the rate lets us expect if that is less."""
        return min(FEWEST, int(self.length_s / self.mean_gap_s))
