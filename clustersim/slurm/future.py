"""When could a job start if the running jobs end at their limits?

Source: facts, section 1; ``_will_run_test`` in ``src/plugins/select/cons_common/job_test.c`` of Slurm 22.05. Jobs are
taken away in order of their end, those that end close together at once (first within 30 s, then within windows that
double), so a plan can lie later than the very first possibility; that is Slurm's own coarseness.
"""
from __future__ import annotations

from typing import TYPE_CHECKING

from clustersim.slurm import preempt
from clustersim.slurm.fill import Ask, Chosen
from clustersim.slurm.jobs import Job
from clustersim.slurm.placing import place
from clustersim.slurm.pool import NodePool

if TYPE_CHECKING:
    from clustersim.slurm.controller import Controller

FIRST_WINDOW = 30


class Future:
    """The running jobs by the end of their limits, and the nodes after the first of them are gone.

    Made once for as long as no job starts or ends; pools are kept by the number of jobs taken away. To take away a job
    on nodes that a question leaves out changes nothing for it, so all questions share them.
    """

    def __init__(self, pool: NodePool, jobs: list[Job]) -> None:
        self.jobs = sorted(jobs, key=lambda job: (job.limit_end, job.number, job.task))
        self.pools = {0: pool}

    def after(self, count: int) -> NodePool:
        """The nodes without the first ``count`` jobs."""
        if count not in self.pools:
            base = max(known for known in self.pools if known < count)
            pool = self.pools[base].copy()
            for job in self.jobs[base:count]:
                pool.give_back(job.holding)
            self.pools[count] = pool
        return self.pools[count]


def will_run(system: Controller, ask: Ask, partition: str, now: int) -> tuple[int, Chosen] | None:
    """(start, nodes) of the first placement found, ``None`` if there is none."""
    pool = preempt.pool_for(system, partition)
    found = place(system, ask, pool, partition)
    if found is not None:
        return now, found
    preempted = preempt.without_victims(system, ask, partition, now)
    if preempted is not None:
        return now, preempted
    future = _future(system, pool)
    ends = [(job.limit_end, i) for i, job in enumerate(future.jobs) if job.node_bits & ask.nodes]
    window, edge, i = FIRST_WINDOW, 0, 0
    while i < len(ends):
        edge = edge or ends[i][0] + FIRST_WINDOW - (ends[i][0] + system.clock) % FIRST_WINDOW
        first = i
        while i < len(ends) and (i == first or ends[i][0] <= edge + window):
            i += 1
        last, position = ends[i - 1]
        window *= 2
        while i < len(ends) and ends[i][0] > edge + window:
            window *= 2
        found = place(system, ask, future.after(position + 1), partition)
        if found is not None:
            return last if last > now else guess_end(system, last, now), found
    return None


def _future(system: Controller, pool: NodePool) -> Future:
    if pool is not system.pool:  # seen from a tier at which suspended jobs hold their cores
        return Future(pool, list(system.running.values()))
    if system.future is None:
        system.future = Future(pool, [job for job in system.running.values() if job.suspended_at is None])
    return system.future


def guess_end(system: Controller, end: int, now: int) -> int:
    """When a job past its limit will end, as backfill guesses (``_guess_job_end``)."""
    return max(end + system.settings.kill_wait + system.settings.over_time_limit, now + 1)
