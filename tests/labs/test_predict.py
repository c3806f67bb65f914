"""The prediction: worked by hand, against a step-by-step count, and its mean against the closed form."""
from __future__ import annotations

import random
from dataclasses import replace
from statistics import fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs.torchrun.account import KINDS, NS, Attempt, Kill, Mark, Run
from labs.torchrun.predict import Timing, best_interval, timing, training_time, with_kills_at, with_rate

# An interval of 4 steps takes 3 s.
T = Timing(start=5, step=0.5, checkpoint=1, end=2, detection=0.25, restart=3, fastest=2, slowest=5)


def test_two_kills_by_hand() -> None:
    """6 intervals. The gap of 7 s finishes two and loses 1 s; the gap of 4.5 s finishes one and loses 1.5 s."""
    forecast = with_kills_at(T, intervals=6, every=4, at=[7, 11.5, 99])
    assert forecast.kills == 2
    assert forecast.spent == {
        "work": 12, "lost": 2.5, "checkpoint": 6, "detection": 0.5, "restart": 6, "start": 5, "end": 2}
    assert forecast.wall == 34
    assert forecast.goodput == pytest.approx(12 / 34)


def test_without_kills_only_start_checkpoints_and_end_are_lost() -> None:
    assert with_kills_at(T, 6, 4, []).goodput == pytest.approx(12 / 25)


def by_steps(t: Timing, intervals: int, every: int, at: list[float]) -> tuple[int, float]:
    """Kills and lost seconds, by going through the training one step and one save at a time."""
    clock = saved_at = lost = 0.0
    kills, saved, step = 0, 0, 0
    while saved < intervals * every:
        step += 1
        end = clock + t.step + (t.checkpoint if step % every == 0 else 0)
        if kills < len(at) and at[kills] < end:
            clock = at[kills]
            lost += clock - saved_at
            kills, step, saved_at = kills + 1, saved, clock
            continue
        clock = end
        if step % every == 0:
            saved, saved_at = step, clock
    return kills, lost


@given(st.lists(st.integers(1, 400), max_size=8), st.integers(1, 12), st.integers(1, 6))
def test_it_agrees_with_a_count_step_by_step(gaps: list[int], intervals: int, every: int) -> None:
    # Steps and saves are multiples of 1/8 s and kills fall between them, so floats are exact and no tie can arise.
    at = [sum(gaps[:i + 1]) / 8 + 1 / 16 for i in range(len(gaps))]
    t = Timing(start=0, step=0.5, checkpoint=0.125, end=0, detection=0, restart=0, fastest=0, slowest=0)
    forecast = with_kills_at(t, intervals, every, at)
    assert (forecast.kills, forecast.spent["lost"]) == by_steps(t, intervals, every, at)


def test_the_rate_alone_gives_the_mean_over_many_draws() -> None:
    generator, mean_gap = random.Random(5), 6.0
    walls, kills = [], []
    for _draw in range(20_000):
        at, now = [], 0.0
        while (now := now + generator.expovariate(1 / mean_gap)) < 200:
            at.append(now)
        forecast = with_kills_at(T, 6, 4, at)
        walls.append(forecast.wall)
        kills.append(forecast.kills)
    closed = with_rate(T, 6, 4, mean_gap)
    assert fmean(walls) == pytest.approx(closed.wall, rel=0.01)
    assert fmean(kills) == pytest.approx(closed.kills, rel=0.01)


def test_rare_kills_cost_nothing_and_frequent_ones_everything() -> None:
    assert training_time(6, 3, 1e9) == pytest.approx(18)
    assert training_time(6, 3, 1e-6) == float("inf")


def test_more_kills_never_help() -> None:
    goodputs = [with_rate(T, 20, 4, mean_gap).goodput for mean_gap in (2, 5, 10, 30, 100)]
    assert goodputs == sorted(goodputs)


def test_young_s_interval() -> None:
    """Published example: a save of 5 min and a mean gap of 120 min give sqrt(2 * 5 * 120) = 34.64 min."""
    t = Timing(start=0, step=1, checkpoint=5, end=0, detection=0, restart=0, fastest=0, slowest=0)
    assert best_interval(t, 120) == pytest.approx(34.64, abs=0.005)


def test_a_prediction_uses_means_of_what_two_runs_show() -> None:
    """Three starts of the processes took 4, 6 and 8 s from first line to first step; torchrun took 1 s in between."""
    calm = Run(0, 20 * NS, (Attempt(0, 3 * NS, 7 * NS, 0, (Mark("step", 1, 9 * NS), Mark("step", 2, 11 * NS),
                                                           Mark("saved", 2, 12 * NS)), 1 * NS, 2 * NS),), (), 0.5, "")
    before = Attempt(0, 3 * NS, 9 * NS, 0, (Mark("step", 1, 10 * NS), Mark("saved", 1, 11 * NS)), 3 * NS, 4 * NS)
    after = Attempt(1, 15 * NS, 23 * NS, 1, (Mark("step", 2, 24 * NS),), 5 * NS, NS // 2)
    hit = Run(0, 25 * NS, (before, after), (Kill(12 * NS, 0, 1, 14 * NS),), 0.5, "")
    assert timing(calm, hit) == Timing(
        start=7, step=2, checkpoint=1, end=8, detection=2, restart=1 + 6, fastest=1 + 4, slowest=1 + 8,
        start_waited=1 + 2, restart_waited=3 + 0.5)


def test_a_busier_machine_changes_the_waiting_and_nothing_else() -> None:
    """Calm runs waited 1 s at the start and 0.5 s in a restart; the other run waits 3 s at the start, 2 s and 3 s after."""
    t = Timing(start=5, step=0.5, checkpoint=1, end=2, detection=0.25, restart=3, fastest=2, slowest=5, start_waited=1,
               restart_waited=0.5)
    waits = ((2, 1), (1.5, 0.5), (3, 0))
    attempts = tuple(Attempt(i, 0, 0, 0, (), int(own * NS), int(launcher * NS)) for i, (own, launcher) in enumerate(waits))
    assert t.as_busy_as(Run(0, NS, attempts, (), 0.5, "")) == replace(t, start=5 + 3 - 1, restart=3 + 2.5 - 0.5)
    assert t.as_busy_as(Run(0, NS, attempts[:1], (), 0.5, "")) == replace(t, start=7), "without a kill no restart waited"


def test_a_forecast_has_the_kinds_of_an_account() -> None:
    assert set(with_rate(T, 6, 4, 6).spent) == set(KINDS)
