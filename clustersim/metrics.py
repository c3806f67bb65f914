"""Figures of merit of a run, computed from its :class:`~clustersim.trace.Trace` alone.

Definitions (``tests/golden/swf_reference/README.md``): wait = start - submission; bounded slowdown = max(1, (wait + run)
/ max(run, 10 s)) (Feitelson and Rudolph 1998); makespan = last end - first submission; utilisation = core seconds used /
(cores x makespan). Over all jobs that ran, with no warm-up cut. Means are exact fractions rounded once to a double.
"""
from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

from clustersim.errors import InputError
from clustersim.messages import _
from clustersim.trace import Trace

TAU = 10  # seconds; shorter run times count as this long in the bounded slowdown


@dataclass(frozen=True, slots=True)
class Metrics:
    """Times in seconds, work in core seconds, ``utilisation`` from 0 to 1."""

    jobs: int
    sum_wait: int
    mean_wait: float
    max_wait: int
    jobs_that_waited: int
    mean_bounded_slowdown_tau10: float
    first_submit: int
    last_end: int
    makespan: int
    core_seconds: int
    utilisation: float

    def as_dict(self) -> dict[str, float]:
        return asdict(self)


def metrics(trace: Trace) -> Metrics:
    """The metrics of all first runs that ended. :class:`InputError` if no job ran."""
    submit, start, runtime, cores = columns(trace)
    if not submit:
        raise InputError(_("trace"), 0, _("at least one job that ran"))
    waits = [s - b for s, b in zip(start, submit, strict=True)]
    first = min(submit)
    last = max(map(int.__add__, start, runtime))
    area = sum(map(int.__mul__, cores, runtime))
    total = sum(waits)
    capacity = trace.cores * (last - first)
    return Metrics(
        jobs=len(waits), sum_wait=total, mean_wait=total / len(waits), max_wait=max(waits),
        jobs_that_waited=len(waits) - waits.count(0), mean_bounded_slowdown_tau10=_mean_slowdown(waits, runtime),
        first_submit=first, last_end=last, makespan=last - first, core_seconds=area,
        utilisation=area / capacity if capacity else 0.0,
    )


def columns(trace: Trace) -> tuple[Sequence[int], Sequence[int], Sequence[int], Sequence[int]]:
    """Submission, start, run time and cores of each job that ran, in the order of ``trace.jobs``."""
    stored = getattr(trace.jobs, "columns", None)
    if stored is not None:
        return stored()  # type: ignore[no-any-return]
    ran = [(j.submit, j.runs[0].start, j.runs[0].end - j.runs[0].start, j.cores)
           for j in trace.jobs if j.runs and j.runs[0].end is not None]
    submit, start, runtime, cores = zip(*ran, strict=True) if ran else ((), (), (), ())
    return submit, start, runtime, cores


def _mean_slowdown(waits: Iterable[int], runtimes: Iterable[int]) -> float:
    """The mean of max(d, wait + run) / d with d = max(run, TAU), exact and rounded once.

    Numerators are added per denominator; the few thousand fractions left are added as integers scaled by a power of
    two. The error is below one unit a denominator, so the rounding is certain unless both ends round differently;
    then more bits decide.
    """
    sums: dict[int, int] = {}
    count = 0
    for wait, run in zip(waits, runtimes, strict=True):
        bound = run if run > TAU else TAU
        value = wait + run
        sums[bound] = sums.get(bound, 0) + (value if value > bound else bound)
        count += 1
    bits = 128
    while True:
        low = sum((value << bits) // bound for bound, value in sums.items())
        inexact = sum(1 for bound, value in sums.items() if (value << bits) % bound)
        scale = count << bits
        if low / scale == (low + inexact) / scale:
            return low / scale
        bits *= 2


def start_lines(trace: Trace) -> Iterable[str]:
    """One line ``id start`` a job, in queue order."""
    table = getattr(trace.jobs, "table", None)
    if table is not None:
        return (f"{job} {start}\n" for job, start in zip(table.ids, trace.jobs.starts, strict=True))  # type: ignore[attr-defined]
    return (f"{job.id} {job.start}\n" for job in trace.jobs if job.start is not None)


def start_hashes(lines: Sequence[str]) -> dict[str, str]:
    """SHA-256 over the first thousand start lines and over all of them."""
    return {
        "sha256_first_1000_starts": hashlib.sha256("".join(lines[:1000]).encode()).hexdigest(),
        "sha256_all_starts": hashlib.sha256("".join(lines).encode()).hexdigest(),
    }
