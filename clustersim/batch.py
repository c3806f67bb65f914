"""Textbook FCFS and EASY backfill on a pool of cores: exact, quick, the yardstick for everything else.

One pass per instant, after all ends and submissions at that instant; if the pass starts a job of run time 0, the
instant is handled again. EASY (Lifka 1995; Mu'alem and Feitelson 2001): the first waiting job, the head, gets a
reservation at the *shadow time*, the earliest instant at which enough cores are free if every running job uses its
whole limit; a later job may start now if it fits the free cores and either ends by the shadow time or uses only the
*extra* cores that the head leaves over then. The reservation is made anew in every pass.
"""
from __future__ import annotations

import gc
from bisect import bisect_left, insort
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from heapq import heappop, heappush
from typing import Literal, overload

from clustersim.clock import Clock
from clustersim.errors import InputError
from clustersim.messages import _
from clustersim.trace import JobRecord, Run, Trace
from clustersim.workload import JobTable

POLICIES = ("fcfs", "easy")
Policy = Literal["fcfs", "easy"]


class PoolSystem:
    """The pool, the queue and the running jobs; a :class:`clustersim.clock.System`.

    Jobs are row numbers of the table. ``ends`` is a heap of (end, job) with the true ends, ``planned`` a sorted list of
    (start + limit, job), which is all that the policy may know.
    """

    __slots__ = ("_arrived", "backfilled", "cores", "easy", "ends", "free", "planned", "queue", "starts", "table")

    def __init__(self, table: JobTable, cores: int, policy: str) -> None:
        self.table, self.cores, self.easy = table, cores, policy == "easy"
        self.starts: list[int] = [0] * len(table)
        self.ends: list[tuple[int, int]] = []
        self.planned: list[tuple[int, int]] = []
        self.queue: list[int] = []
        self.backfilled: list[int] = []
        self.free = cores
        self._arrived = 0

    def next_time(self) -> int | None:
        arrived, submit, ends = self._arrived, self.table.submit, self.ends
        if arrived < len(submit):
            then = submit[arrived]
            return ends[0][0] if ends and ends[0][0] < then else then
        return ends[0][0] if ends else None

    def instant(self, now: int) -> None:
        ended = self._take_ends(now)
        known = len(self.queue)
        self._take_submissions(now)
        if not self.free:
            return
        if ended or not known:
            self._start_from_head(now)
            first = 1
        else:
            first = known  # nothing was freed, so the head and all behind it are as blocked as they were
        if self.easy and self.free and len(self.queue) > first:
            self._backfill(now, first)

    def _take_ends(self, now: int) -> bool:
        ends = self.ends
        if not ends or ends[0][0] != now:
            return False
        cores, limit, starts, planned, easy = self.table.cores, self.table.limit, self.starts, self.planned, self.easy
        free = self.free
        while ends and ends[0][0] == now:
            job = heappop(ends)[1]
            free += cores[job]
            if easy:
                del planned[bisect_left(planned, (starts[job] + limit[job], job))]
        self.free = free
        return True

    def _take_submissions(self, now: int) -> None:
        arrived, submit, queue = self._arrived, self.table.submit, self.queue
        n = len(submit)
        while arrived < n and submit[arrived] == now:
            queue.append(arrived)
            arrived += 1
        self._arrived = arrived

    def _start_from_head(self, now: int) -> None:
        table, queue, starts, ends, planned = self.table, self.queue, self.starts, self.ends, self.planned
        cores, easy, free, count = table.cores, self.easy, self.free, 0
        for job in queue:
            if cores[job] > free:
                break
            count += 1
            starts[job] = now
            free -= cores[job]
            heappush(ends, (now + table.runtime[job], job))
            if easy:
                insort(planned, (now + table.limit[job], job))
        if count:
            del queue[:count]
            self.free = free

    def _backfill(self, now: int, first: int) -> None:
        """Test the queue from place ``first`` on against the head's reservation."""
        table, queue, starts, ends, planned = self.table, self.queue, self.starts, self.ends, self.planned
        cores, limit, free = table.cores, table.limit, self.free
        shadow, extra = self.reservation()
        taken: list[int] = []
        for place in range(first, len(queue)):
            job = queue[place]
            size = cores[job]
            if size > free:
                continue
            if now + limit[job] > shadow:
                if size > extra:
                    continue
                extra -= size
            starts[job] = now
            free -= size
            heappush(ends, (now + table.runtime[job], job))
            insort(planned, (now + limit[job], job))
            taken.append(place)
            if not free:
                break
        self.free = free
        if taken:
            self.backfilled.extend(queue[place] for place in taken)
            for place in reversed(taken):
                del queue[place]

    def reservation(self) -> tuple[int, int]:
        """Shadow time and extra cores of the head, which waits."""
        cores, planned = self.table.cores, self.planned
        need, available = cores[self.queue[0]], self.free
        place, count = 0, len(planned)
        while place < count:
            end, job = planned[place]
            available += cores[job]
            place += 1
            if available >= need and (place == count or planned[place][0] > end):
                return end, available - need
        raise AssertionError("a job larger than the pool is never queued")


class PoolJobs(Sequence[JobRecord]):
    """The jobs of a finished run, kept as columns; a row becomes a :class:`JobRecord` when it is asked for."""

    def __init__(self, table: JobTable, starts: list[int], backfilled: list[int]) -> None:
        self.table, self.starts, self._backfilled = table, starts, backfilled
        self._ahead: frozenset[int] | None = None

    def __len__(self) -> int:
        return len(self.table)

    @overload
    def __getitem__(self, key: int) -> JobRecord: ...
    @overload
    def __getitem__(self, key: slice) -> list[JobRecord]: ...
    def __getitem__(self, key: int | slice) -> JobRecord | list[JobRecord]:
        if isinstance(key, slice):
            return [self[i] for i in range(*key.indices(len(self)))]
        t, i = self.table, range(len(self))[key]
        if self._ahead is None:
            self._ahead = frozenset(self._backfilled)
        start, cores = self.starts[i], t.cores[i]
        run = Run(start, start + t.runtime[i], "COMPLETED", cores=cores)
        return JobRecord(str(t.ids[i]), t.submit[i], t.runtime[i], t.limit[i], cores, state="COMPLETED", runs=(run,),
                         extra={"backfilled": True} if i in self._ahead else {})

    def __iter__(self) -> Iterator[JobRecord]:
        return (self[i] for i in range(len(self)))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and len(self) == len(other) and all(a == b for a, b in zip(self, other, strict=True))

    def columns(self) -> tuple[list[int], list[int], list[int], list[int]]:
        """Submission, start, run time (seconds) and cores of each job, in queue order."""
        return self.table.submit, self.starts, self.table.runtime, self.table.cores


def replay_pool(table: JobTable, cores: int, policy: str = "easy") -> Trace:
    """Run ``table`` on ``cores`` cores under ``"fcfs"`` or ``"easy"`` to the end.

    Every job must fit the pool (``read_swf`` drops those that do not). Jobs end at their run time, in seconds.
    """
    if policy not in POLICIES:
        raise InputError(_("policy"), policy, _("one of {names}").format(names=", ".join(POLICIES)))
    if not len(table):
        raise InputError(_("workload"), 0, _("at least one job that fits {cores} cores").format(cores=cores))
    if max(table.cores) > cores:
        raise InputError(_("workload"), max(table.cores), _("jobs of at most {cores} cores").format(cores=cores))
    table.sort()
    system = PoolSystem(table, cores, policy)
    with _no_collector():
        until = Clock(system, start=table.submit[0]).run()
    return Trace(policy=policy, cores=cores, jobs=PoolJobs(table, system.starts, system.backfilled), until=until)


@contextmanager
def _no_collector() -> Iterator[None]:
    """No garbage collector during a run: it makes no cycles, and scanning a million tuples costs more than the run."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
