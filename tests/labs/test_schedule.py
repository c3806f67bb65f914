"""The kills: reproducible, with the law that they claim, and never so many that nothing is done."""
from __future__ import annotations

from statistics import fmean, pstdev

import pytest

from clustersim.errors import InputError
from labs.torchrun.lab import plan
from labs.torchrun.schedule import draw
from labs.torchrun.settings import FEWEST, Settings


def test_the_seed_decides() -> None:
    assert draw(Settings(seed=7)) == draw(Settings(seed=7))
    assert draw(Settings(seed=7)) != draw(Settings(seed=8))


def test_gaps_are_exponential_with_the_mean_of_the_rate() -> None:
    """Over long schedules, where drawing again hardly ever happens: mean and deviation are both 60 / rate."""
    settings = [Settings(minutes=120, rate_per_min=4, seed=seed) for seed in range(5)]
    gaps = [b.at_s - a.at_s for each in settings for a, b in zip(draw(each), draw(each)[1:], strict=False)]
    assert len(gaps) > 4000
    assert fmean(gaps) == pytest.approx(15, rel=0.05)
    assert pstdev(gaps) == pytest.approx(15, rel=0.08)


@pytest.mark.parametrize("processes", [2, 3, 4])
def test_every_process_is_hit_sooner_or_later(processes: int) -> None:
    ranks = {strike.rank for seed in range(10) for strike in draw(Settings(processes=processes, seed=seed))}
    assert ranks == set(range(processes))


def test_every_seed_of_the_default_settings_gives_four_kills() -> None:
    settings = [Settings(seed=seed) for seed in range(100)]
    counts = [sum(strike.at_s < each.length_s for strike in draw(each)) for each in settings]
    assert min(counts) == FEWEST
    assert max(counts) > FEWEST


def test_a_low_rate_is_not_bent_to_four_kills() -> None:
    rare = Settings(rate_per_min=0.5)
    assert rare.fewest_kills == 0
    assert fmean(sum(strike.at_s < rare.length_s for strike in draw(Settings(rate_per_min=0.5, seed=seed)))
                 for seed in range(300)) == pytest.approx(rare.length_s / 120, rel=0.15)


def test_a_run_is_whole_intervals() -> None:
    for every in (1, 7, 20, 100, 5000):
        settings = Settings(checkpoint_every=every)
        assert settings.training.steps == settings.intervals * every


def test_kills_faster_than_checkpoints_are_refused_with_a_remedy() -> None:
    with pytest.raises(InputError, match="lower one of the two"):
        plan(Settings(rate_per_min=60, checkpoint_every=100))
