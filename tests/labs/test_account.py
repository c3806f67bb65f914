"""Where the time of a lab run went: hand-worked timelines, and sums that hold for any."""
from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clustersim.errors import InvariantError
from labs.torchrun.account import KINDS, Attempt, Kill, Mark, Run, account, goodput, steps_lost


def train(start: int, first: int, *, every: int, step: int, save: int, count: int) -> tuple[Mark, ...]:
    """Marks of ``count`` steps from ``first`` on: ``step`` ns each, and ``save`` ns after every ``every``-th."""
    marks, now = [], start
    for number in range(first, first + count):
        marks.append(Mark("step", number, now := now + step))
        if number % every == 0:
            marks.append(Mark("saved", number, now := now + save))
    return tuple(marks)


def test_an_undisturbed_run_is_start_work_checkpoints_and_end() -> None:
    marks = train(50, 1, every=2, step=10, save=3, count=4)
    run = Run(0, 111, (Attempt(0, 20, 50, 0, marks),), (), 0.5, "")
    assert account(run) == {"start": 50, "work": 40, "checkpoint": 6, "end": 15, "lost": 0, "detection": 0, "restart": 0}
    assert goodput(run) == pytest.approx(40 / 111)


def killed_in_step_6() -> Run:
    """Killed 4 ns into step 6, with step 4 saved: step 5 and the 4 ns are lost, noticed after 7, back 30 later."""
    first = Attempt(0, 20, 50, 0, train(50, 1, every=2, step=10, save=3, count=5))
    assert first.marks[-1].ns == 106
    again = Attempt(1, 125, 147, 4, train(147, 5, every=2, step=10, save=3, count=2))
    return Run(0, 175, (first, again), (Kill(110, 0, 1, 117),), 0.5, "")


def test_a_kill_costs_what_no_checkpoint_held_then_detection_then_restart() -> None:
    run = killed_in_step_6()
    assert account(run) == {"start": 50, "work": 60, "checkpoint": 9, "lost": 14, "detection": 7, "restart": 30, "end": 5}
    assert steps_lost(run) == [1]


def test_a_step_that_others_finished_after_the_kill_counts_until_the_kill_if_it_was_kept() -> None:
    """Process 1 dies while it waits out step 2; process 0 finishes and saves that step. Nothing is lost."""
    first = Attempt(0, 20, 50, 0, train(50, 1, every=2, step=10, save=3, count=2))
    again = Attempt(1, 90, 100, 2, train(100, 3, every=2, step=10, save=3, count=2))
    run = Run(0, 130, (first, again), (Kill(66, 0, 1, 76),), 0.5, "")
    spent = account(run)
    assert (spent["work"], spent["lost"], spent["checkpoint"], spent["detection"]) == (16 + 20, 0, 3, 10)
    assert steps_lost(run) == [0]


def test_a_kill_during_a_save_that_was_not_finished_loses_the_interval() -> None:
    first = Attempt(0, 20, 50, 0, train(50, 1, every=2, step=10, save=3, count=1) + (Mark("step", 2, 70),))
    again = Attempt(1, 90, 100, 0, train(100, 1, every=2, step=10, save=3, count=2))
    run = Run(0, 130, (first, again), (Kill(71, 0, 0, 72),), 0.5, "")
    assert account(run)["lost"] == 21
    assert steps_lost(run) == [2]


def test_an_attempt_that_failed_by_itself_has_no_detection() -> None:
    first = Attempt(0, 20, 50, 0, train(50, 1, every=2, step=10, save=3, count=3))
    again = Attempt(1, 120, 140, 2, train(140, 3, every=2, step=10, save=3, count=2))
    spent = account(Run(0, 170, (first, again), (), 0.5, "", own_failures=1))
    assert (spent["lost"], spent["detection"], spent["restart"]) == (10, 0, 140 - 83)


def test_times_that_run_backwards_are_refused() -> None:
    run = killed_in_step_6()
    with pytest.raises(InvariantError, match="do not add up"):
        account(Run(0, 160, run.attempts, run.kills, 0.5, ""))


@st.composite
def runs(draw: st.DrawFn) -> Run:
    """Attempts cut by kills anywhere between their start and their last word, resumed from what was saved by then."""
    every, step, save = draw(st.integers(1, 4)), draw(st.integers(1, 50)), draw(st.integers(0, 20))
    now = ready = draw(st.integers(0, 100))
    attempts, kills, resumed = [], [], 0
    for number in range(draw(st.integers(1, 5))):
        marks = train(ready, resumed + 1, every=every, step=step, save=save, count=draw(st.integers(1, 12)))
        attempts.append(Attempt(number, ready, ready, resumed, marks))
        now = draw(st.integers(ready, marks[-1].ns))
        noticed = now + draw(st.integers(0, 30))
        kills.append(Kill(now, number, 0, noticed))
        resumed = max([resumed, *(mark.step for mark in marks if mark.kind == "saved" and mark.ns <= now)])
        ready = noticed + draw(st.integers(0, 60))
    marks = train(ready, resumed + 1, every=every, step=step, save=save, count=every)
    attempts.append(Attempt(len(attempts), ready, ready, resumed, marks))
    return Run(0, marks[-1].ns + draw(st.integers(0, 40)), tuple(attempts), tuple(kills), 0.5, "")


@given(runs())
def test_times_add_up_to_the_wall_time_to_the_nanosecond_and_goodput_stays_within_one(run: Run) -> None:
    spent = account(run)
    assert set(spent) == set(KINDS)
    assert sum(spent.values()) == run.wall_ns
    assert min(spent.values()) >= 0
    assert 0 <= goodput(run) <= 1


@given(runs())
def test_work_is_each_step_once(run: Run) -> None:
    """Steps are equally long, and no mark outlives its kill here, so work is the number of steps kept times a step."""
    step = run.attempts[-1].marks[0].ns - run.attempts[-1].ready_ns
    assert account(run)["work"] == run.attempts[-1].marks[-1].step * step
