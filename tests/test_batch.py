"""FCFS and EASY, against worked cases and against a plain program that is obviously right."""
from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clustersim.batch import PoolSystem, replay_pool
from clustersim.clock import Clock
from clustersim.errors import InputError
from clustersim.workload import JobTable, generate

_path = Path(__file__).parent.parent / "benchmarks" / "heap_reference.py"
_spec = importlib.util.spec_from_file_location("heap_reference", _path)
heap_reference = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(heap_reference)


def table(*rows: tuple[int, int, int, int]) -> JobTable:
    """Rows of submission, cores, run time, limit; ids count from 1."""
    jobs = JobTable()
    for i, row in enumerate(rows, 1):
        jobs.append(i, *row)
    return jobs


def starts(jobs: JobTable, cores: int, policy: str) -> list[int]:
    trace = replay_pool(jobs, cores, policy).validate()
    return [job.start for job in trace.jobs]


def test_a_short_job_passes_a_blocked_head_without_delaying_it() -> None:
    jobs = table((0, 3, 600, 660), (30, 4, 300, 360), (60, 1, 240, 300))
    assert starts(jobs, 4, "fcfs") == [0, 600, 900]
    assert starts(jobs, 4, "easy") == [0, 600, 60]


def test_a_job_whose_limit_reaches_past_the_shadow_time_waits() -> None:
    jobs = table((0, 3, 600, 660), (30, 4, 300, 360), (60, 1, 240, 601))
    assert starts(jobs, 4, "easy") == [0, 600, 900]


def test_a_long_job_may_use_the_extra_cores_the_head_leaves() -> None:
    jobs = table((0, 3, 600, 660), (30, 3, 300, 360), (60, 1, 5_000, 6_000), (61, 1, 5_000, 6_000))
    assert starts(jobs, 4, "easy") == [0, 600, 60, 900]


def test_a_job_of_no_length_holds_its_cores_for_its_instant() -> None:
    jobs = table((0, 4, 0, 1), (0, 4, 10, 10))
    assert starts(jobs, 4, "fcfs") == [0, 0]
    kinds = [event.kind for event in replay_pool(jobs, 4, "fcfs").events()]
    assert kinds == ["submit", "submit", "start", "end", "start", "end"]


_ROW = st.tuples(st.integers(0, 60), st.integers(1, 8), st.integers(0, 40), st.integers(0, 30))
ROWS = st.lists(_ROW, min_size=1, max_size=25)


@settings(max_examples=300)
@given(ROWS, st.sampled_from(["fcfs", "easy"]), st.sampled_from([1, 15]))
def test_every_start_equals_the_plain_reference(rows: list[tuple[int, int, int, int]], policy: str, grain: int) -> None:
    """Coarse times (grain 15) make many events fall on one instant."""
    jobs = table(*((submit * grain, cores, run * grain, max(1, (run + slack) * grain)) for submit, cores, run, slack in rows))
    jobs.sort()
    plain = list(zip(jobs.submit, range(len(jobs)), jobs.ids, jobs.cores, jobs.runtime, jobs.limit, strict=True))
    assert starts(jobs, 8, policy) == heap_reference.naive(plain, 8, policy)


@settings(max_examples=100)
@given(ROWS)
def test_easy_never_delays_the_head_beyond_its_first_reservation(rows: list[tuple[int, int, int, int]]) -> None:
    jobs = table(*((submit, cores, run, max(1, run + slack)) for submit, cores, run, slack in rows))
    jobs.sort()
    promised: dict[int, int] = {}

    class Watched(PoolSystem):
        __slots__ = ()

        def instant(self, now: int) -> None:
            super().instant(now)
            if self.queue and self.planned:
                promised.setdefault(self.queue[0], self.reservation()[0])

    system = Watched(jobs, 8, "easy")
    Clock(system).run()
    assert all(system.starts[job] <= shadow for job, shadow in promised.items())


def test_jobs_that_cannot_run_are_refused_before_the_run() -> None:
    with pytest.raises(InputError, match="at most 4 cores"):
        replay_pool(table((0, 5, 1, 1)), 4)
    with pytest.raises(InputError, match="at least one job"):
        replay_pool(JobTable(), 4)
    with pytest.raises(InputError, match="fcfs, easy"):
        replay_pool(table((0, 1, 1, 1)), 4, "sjf")


def test_the_same_seed_gives_the_same_workload_and_another_another() -> None:
    assert generate(50, 64, 0.8, seed=3) == generate(50, 64, 0.8, seed=3)
    assert generate(50, 64, 0.8, seed=3) != generate(50, 64, 0.8, seed=4)
    jobs = generate(200, 64, 0.8, over_ask=1, seed=3)
    assert all(run <= limit < run + 300 for run, limit in zip(jobs.runtime, jobs.limit, strict=True))
