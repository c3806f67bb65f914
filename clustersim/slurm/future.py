"""When could a job start if the running jobs end at their limits?

Source: facts, section 1; ``_will_run_test`` in ``src/plugins/select/cons_common/job_test.c`` of Slurm 22.05. Jobs are
taken away in order of their end, those that end close together at once (first within 30 s, then within windows that
double), so a plan can lie later than the very first possibility; that is Slurm's own coarseness.

For a job that needs empty nodes it is known which running job leaves which nodes empty, so the steps at which they are
too few are counted and not tried.
"""
from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator
from itertools import accumulate
from operator import or_
from typing import TYPE_CHECKING

from clustersim.slurm import preempt
from clustersim.slurm.fill import Ask, Chosen
from clustersim.slurm.jobs import Job
from clustersim.slurm.placing import place
from clustersim.slurm.pool import NodePool
from clustersim.slurm.select import usable
from clustersim.slurm.shape import CORE, GPUS

if TYPE_CHECKING:
    from clustersim.slurm.controller import Controller

FIRST_WINDOW = 30


class Future:
    """The running jobs by the end of their limits, and the nodes after the first of them are gone.

    What was found out is kept until a job starts or ends, pools by the number of jobs taken away. To take away a job on
    nodes that a question leaves out changes nothing for it, so all questions share them.
    """

    def __init__(self, pool: NodePool, jobs: Iterable[Job] = ()) -> None:
        self.pool = pool
        self.jobs = sorted((job.limit_end, job.number, job.task, job) for job in jobs)
        self.ends = [entry[0] for entry in self.jobs]  # when they end, in order
        self.nodes = [entry[3].node_bits for entry in self.jobs]  # and their nodes
        self.past = -1  # the last limit of a job that was taken out
        self._forget()

    def _position(self, job: Job) -> int:
        """Where the job stands, or would stand."""
        ends, end = self.ends, job.limit_end
        first = bisect_left(ends, end)
        behind = bisect_right(ends, end, first)
        return first if first == behind else bisect_left(self.jobs, (end, job.number, job.task), first, behind)

    def add(self, job: Job) -> None:
        position = self._position(job)
        self.jobs.insert(position, (job.limit_end, job.number, job.task, job))
        self.ends.insert(position, job.limit_end)
        self.nodes.insert(position, job.node_bits)
        self._forget()

    def remove(self, job: Job) -> None:
        position = self._position(job)
        del self.jobs[position], self.ends[position], self.nodes[position]
        if job.limit_end > self.past and job.limited:
            self.past = job.limit_end
        self._forget()

    def until(self, time: int) -> list[tuple[int, int, int, Job]]:
        """The jobs whose end is ``time`` or before."""
        return self.jobs[:bisect_right(self.ends, time)]

    def _forget(self) -> None:
        self._pools = {0: self.pool}
        self._held: list[int] | None = None

    def after(self, count: int) -> NodePool:
        """The nodes without the first ``count`` jobs."""
        if count not in self._pools:
            base = max(known for known in self._pools if known < count)
            pool = self._pools[base].copy()
            for _end, _number, _task, job in self.jobs[base:count]:
                pool.give_back(job.holding)
            self._pools[count] = pool
        return self._pools[count]

    def steps(self, nodes: int, clock: int, first: int = 0) -> Iterator[int]:
        """The position of the last job of each step in which jobs that hold any of ``nodes`` are taken away, from the step
        on that has the job at position ``first``. ``clock`` is what a wall clock shows at 0."""
        held, ends, count = self.nodes, self.ends, len(self.jobs)
        i, window, edge = 0, FIRST_WINDOW, 0
        while True:
            while i < count and not held[i] & nodes:
                i += 1
            if i == count:
                return
            if edge:
                while ends[i] > edge + window:
                    window *= 2
            else:
                edge = ends[i] + FIRST_WINDOW - (ends[i] + clock) % FIRST_WINDOW
            i = bisect_right(ends, edge + window, i)  # behind i: that job's end lies in the window
            if i > first:
                last = i - 1
                while not held[last] & nodes:
                    last -= 1
                yield last
            window *= 2

    @property
    def held(self) -> list[int]:
        """The nodes that jobs still hold when the first so many are gone, from none to all of them."""
        if self._held is None:
            self._held = [*accumulate(reversed(self.nodes), or_, initial=0)][::-1]
        return self._held


class PausingFuture(Future):
    """The same where some jobs are suspended: two jobs may hold the same cores, so cores are counted anew each time."""

    def __init__(self, system: Controller, pool: NodePool) -> None:
        super().__init__(pool, system.running.values())
        self.system = system

    def after(self, count: int) -> NodePool:
        if count not in self._pools:
            pool = preempt.free_beside(self.system, [entry[3] for entry in self.jobs[count:]])
            for *_key, job in self.jobs[:count]:
                for nodes, share in job.holding:
                    pool.free.change(nodes, share & GPUS)
            self._pools[count] = pool
        return self._pools[count]


def will_run(system: Controller, ask: Ask, partition: str, now: int, latest: int = 0) -> tuple[int, Chosen] | None:
    """(start, nodes) of the first placement found, ``None`` if there is none.

    A start after ``latest`` (if one is given) is of no use and need not be found, as long as trying leaves no trace.
    """
    pool, empty = preempt.pool_for(system), _needs_empty_nodes(system, ask)
    idle = pool.every & ~pool.busy if empty else 0
    if not empty or (ask.nodes & idle).bit_count() >= ask.wish.min_nodes:
        found = place(system, ask, pool, partition)
        if found is not None:
            return now, found
    if system.settings.preemption:
        preempted = preempt.without_victims(system, ask, partition, now)
        if preempted is not None:
            return now, preempted
    future = system.future if pool is system.pool else PausingFuture(system, pool)
    bound = latest if latest and _leaves_no_trace(system, ask) else None
    last = len(future.jobs) if bound is None else bisect_right(future.ends, max(bound, now))
    first, place_after = (_by_empty_nodes if empty else _by_trial)(system, ask, partition, future, last, idle)
    if first >= last:
        return None
    for position in future.steps(ask.nodes, system.clock, first):
        end = future.ends[position]
        if position >= last:
            return None
        found = place_after(position)
        if found is not None:
            return end if end > now else guess_end(system, end, now), found
    return None


def _leaves_no_trace(system: Controller, ask: Ask) -> bool:
    """Whether a placement that comes to nothing changes nothing: the job's cores are known and will be the same."""
    wish, shape = ask.wish, ask.wish.shape
    if not wish.fixed or ask.job.spec.switches:
        return False
    if wish.whole:
        [*sizes] = system.blank.by_cpus
        return len(sizes) == 1 and ask.job.total_cpus == wish.min_nodes * sizes[0]
    return ask.job.total_cpus == shape.min_cpus == wish.min_nodes * shape.per_node


def _needs_empty_nodes(system: Controller, ask: Ask) -> bool:
    """Whether the job can use no node on which another one runs: it takes nodes whole, or all the cores of each."""
    wish = ask.wish
    if system.pauses or wish.picky:
        return False
    return wish.whole or not ask.nodes & system.blank.free.at_least((wish.cpus + 1) * CORE)


Attempts = tuple[int, Callable[[int], Chosen | None]]  # see _by_trial


def _by_trial(system: Controller, ask: Ask, partition: str, future: Future, last: int, _idle: int) -> Attempts:
    """The position of the running job that must be gone before enough nodes can be there (here nothing is known: 0; at
    ``last`` or behind it is of no use), and what finds a place when the jobs up to a position are gone."""
    return 0, lambda position: place(system, ask, future.after(position + 1), partition)


def _by_empty_nodes(system: Controller, ask: Ask, partition: str, future: Future, last: int, idle: int) -> Attempts:
    """The same where each node must be empty: the empty ones are all that counts, and look as in an empty cluster."""
    fit, count, held, first = usable(ask, system.blank), ask.wish.min_nodes, future.held, 0
    if (fit & idle).bit_count() < count:
        if (fit & ~held[last]).bit_count() < count:
            return last, _nowhere
        first = bisect_left(held, count, 1, last, key=lambda nodes: (fit & ~nodes).bit_count()) - 1

    def on_empty_nodes(position: int) -> Chosen | None:
        empty = fit & ~held[position + 1]
        question = (empty, ask.required, system.partitions[partition])
        if ask.job.last_question == question and not ask.job.spec.switches:
            chosen: Chosen | None = ask.job.last_answer
            if chosen is not None:
                ask.job.total_cpus = chosen.cpus
            return chosen
        found = place(system, ask.on(empty), system.blank, partition)
        ask.job.last_question, ask.job.last_answer = question, found
        return found

    return first, on_empty_nodes


def _nowhere(_position: int) -> None:
    return None


def guess_end(system: Controller, end: int, now: int) -> int:
    """When a job past its limit will end, as backfill guesses (``_guess_job_end``)."""
    return max(end + system.settings.kill_wait + system.settings.over_time_limit, now + 1)
