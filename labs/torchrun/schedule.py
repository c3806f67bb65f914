"""When which process is killed."""
from __future__ import annotations

import random
from dataclasses import dataclass

from clustersim.errors import InputError
from clustersim.messages import _
from labs.torchrun.settings import Settings

LONGEST = 5   # times the undisturbed training time: how far a schedule reaches, and how slow a run may become
TRIES = 1000  # at most; a schedule with the expected number of kills or more turns up within a few


@dataclass(frozen=True, slots=True)
class Strike:
    """Kill ``rank`` when the training time (see ``draw``) reaches ``at_s``."""

    at_s: float
    rank: int


def draw(settings: Settings) -> tuple[Strike, ...]:
    """The kills of one run, by the seed: exponential gaps of mean ``settings.mean_gap_s``, any rank alike.

    The clock of the gaps is training time: it runs while steps are computed, computed again or saved, and stands still
    from a kill until training goes on. So the same seed kills at the same point of the training on every machine.
    Schedules with fewer than ``settings.fewest_kills`` kills within the undisturbed training time are drawn again, from
    the same generator. Kills beyond the end of the training are part of the schedule and are never carried out.
    """
    generator = random.Random(settings.seed)
    for _try in range(TRIES):
        strikes = _one(generator, settings, LONGEST * settings.length_s)
        if sum(strike.at_s < settings.length_s for strike in strikes) >= settings.fewest_kills:
            return strikes
    raise AssertionError("a Poisson stream reaches its own mean far more often than once in a thousand draws")


def _one(generator: random.Random, settings: Settings, reach_s: float) -> tuple[Strike, ...]:
    strikes: list[Strike] = []
    at = 0.0
    while (at := at + generator.expovariate(1 / settings.mean_gap_s)) < reach_s:
        strikes.append(Strike(at, generator.randrange(settings.processes)))
    return tuple(strikes)


def check(settings: Settings, expected_training_s: float) -> None:
    """Refuse settings under which training hardly moves: kills come faster than checkpoints."""
    times = expected_training_s / settings.length_s
    if times > LONGEST:
        raise InputError(
            _("--rate with --checkpoint-every"), f"{settings.rate_per_min:g}, {settings.checkpoint_every}",
            _("a rate at which {n} steps are often done between two kills").format(n=settings.checkpoint_every),
            _("The training would take {x:.0f} times as long as undisturbed: lower one of the two.").format(x=times))
