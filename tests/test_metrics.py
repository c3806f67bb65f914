"""Metrics by hand, and the exact mean against fractions."""
from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clustersim.errors import InputError
from clustersim.metrics import TAU, _mean_slowdown, metrics
from clustersim.trace import JobRecord, Run, Trace


def test_three_jobs_by_hand() -> None:
    """Waits 0, 30, 0 s; bounded slowdowns 1, (30 + 20) / 20 and, as 5 s count as 10 s, 1."""
    rows = ((0, 0, 40, 2), (10, 40, 20, 4), (50, 50, 5, 1))
    jobs = [JobRecord(str(i), submit, run, None, cores, runs=(Run(start, start + run, "COMPLETED", cores=cores),))
            for i, (submit, start, run, cores) in enumerate(rows)]
    got = metrics(Trace("test", 4, jobs))
    assert (got.jobs, got.sum_wait, got.mean_wait, got.max_wait, got.jobs_that_waited) == (3, 30, 10.0, 30, 1)
    assert got.mean_bounded_slowdown_tau10 == (1 + 2.5 + 1) / 3
    assert (got.makespan, got.core_seconds, got.utilisation) == (60, 165, 165 / 240)


def test_a_trace_in_which_nothing_ran_has_no_metrics() -> None:
    with pytest.raises(InputError, match="at least one job that ran"):
        metrics(Trace("test", 4, [JobRecord("a", 0, 1, None, 1)]))


@given(st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 10**5)), min_size=1, max_size=40))
def test_the_mean_slowdown_is_the_exact_fraction_rounded_once(jobs: list[tuple[int, int]]) -> None:
    waits, runs = zip(*jobs, strict=True)
    exact = sum(Fraction(max(max(r, TAU), w + r), max(r, TAU)) for w, r in jobs) / len(jobs)
    assert _mean_slowdown(waits, runs) == float(exact)
