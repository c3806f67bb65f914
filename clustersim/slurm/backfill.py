"""The backfill loop: every tested job gets a plan, and a job may start now only beside all plans made before it.

Source: facts, section 1; ``_attempt_backfill`` in ``src/plugins/sched/backfill/backfill.c`` of Slurm 22.05.
"""
from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from clustersim.slurm.fill import Ask, Chosen
from clustersim.slurm.future import will_run
from clustersim.slurm.jobs import Job
from clustersim.slurm.mainloop import is_completing, queue
from clustersim.slurm.nodespace import NodeSpace
from clustersim.slurm.placing import ask_for, eligible, set_reason, tres, try_now
from clustersim.units import MINUTE

if TYPE_CHECKING:
    from clustersim.slurm.controller import Controller


def run(system: Controller, now: int) -> None:
    """One cycle of ``sched/backfill``, or the estimates of ``sched/builtin`` (which start nothing)."""
    if is_completing(system, now):
        system.changed(now + 1)
        return
    if not system.settings.backfill:
        _estimate(system, now)
        return
    system.touched |= system.planned
    system.planned = 0
    options = system.settings.scheduler
    cycle = _Cycle(system, now)
    for job, name in queue(system, now):
        if cycle.tried >= options.bf_max_job_test:
            break
        if job.state == "PENDING" and not job.preempting:
            cycle.consider(job, name)
        if options.bf_max_job_start and cycle.started >= options.bf_max_job_start:
            break
    system.planned &= ~(system.pool.busy | system.closing_bits)
    system.touched |= system.planned


def _estimate(system: Controller, now: int) -> None:
    """sched/builtin's own thread: it only estimates starts, which fixes the cores that job size counts with."""
    for job, name in queue(system, now)[: system.settings.scheduler.bf_max_job_test]:
        ask = ask_for(system, job, name, system.available)
        found = will_run(system, ask, name, now)
        job.planned = found[0] if found else None


KEPT, LEFT_OUT, AGAIN = "kept", "left out", "again"


@dataclass(slots=True)
class _Spot:
    """A place for a job in the table: from ``begin`` on it could start at ``start``; ``later`` is the next time to try."""

    ask: Ask
    begin: int
    later: int
    start: int = 0
    chosen: Chosen | None = None
    tested: bool = False


class _Cycle:
    """One walk through the queue."""

    def __init__(self, system: Controller, now: int) -> None:
        options = system.settings.scheduler
        self.system, self.now, self.options = system, now, options
        self.space = NodeSpace(now, options.bf_resolution, options.bf_window * MINUTE, system.available, system.clock)
        self.tried = self.started = 0
        self.rejected: set[tuple[str, str]] = set()
        self.array_plans: Counter[str] = Counter()
        self.per_user: Counter[str] = Counter()
        self.per_partition: Counter[str] = Counter()
        self.plans_in: Counter[str] = Counter()

    def consider(self, job: Job, name: str) -> None:
        """Start the job, plan it, or leave it out."""
        system, spec = self.system, job.spec
        if spec.array and ((spec.id, name) in self.rejected or not self._array_open(job)):
            return
        if spec.array and not eligible(system, job, self.now):
            self.rejected.add((spec.id, name))
            return
        if not self.options.assoc_limit_stop:
            reason = system.policy.before(job)
            if reason:
                set_reason(system, job, self.now, reason)
                return
        options = self.options
        if (options.bf_max_job_user and self._over(self.per_user, spec.user, options.bf_max_job_user)) or \
                (options.bf_max_job_part and self._over(self.per_partition, name, options.bf_max_job_part)):
            return
        if job.partition != name:
            job.partition, job.priority = name, job.part_priority.get(name, job.worth)
        if not self._plan(job, name) and spec.array:
            self.rejected.add((spec.id, name))

    def _array_open(self, job: Job) -> bool:
        most = min(self.options.bf_max_job_array_resv, job.spec.array_limit or self.options.bf_max_job_array_resv)
        return self.array_plans[job.spec.id] < most

    @staticmethod
    def _over(counts: Counter[str], key: str, most: int) -> bool:
        counts[key] += 1
        return counts[key] > most

    def _plan(self, job: Job, name: str) -> bool:
        """Find the first start beside all plans so far. True if the job was started or planned."""
        system = self.system
        ask = ask_for(system, job, name, system.available & ~system.foreign(job))
        wanted = ask.nodes
        length = job.limit_seconds(system.partitions[name])
        plans, begin, counted = not self._too_young_or_low(job, name), self.now, False
        while True:
            spot = self._spot(ask, name, begin, length, wanted, plans)
            if spot is None:
                return False
            if spot.tested and not counted:
                self.tried += 1
                counted = True
            result = self._use(job, name, spot, length, plans)
            if result is not AGAIN:
                return result is KEPT
            begin = spot.later

    def _spot(self, ask: Ask, name: str, begin: int, length: int, nodes: int, plans: bool) -> _Spot | None:
        """The first placement for ``length`` seconds from ``begin`` on, with when to look again if it will not do; ``None`` if
        reserved for ever."""
        system, job = self.system, ask.job
        until = 0
        if job.spec.reservation or system.reservations.all:
            window = system.reservations.window(
                job, begin, length, system.pool.every, system.part_nodes[name], ask.required, move=True)
            if window.verdict:
                return None
            begin, until = window.when, window.until + 1 if window.overlap and window.until else 0
            free, later = self.space.between(begin, begin + length, nodes & window.nodes)
        elif plans:
            begin, free, later = self.space.first(begin, length, nodes, ask.wish.min_nodes, ask.required)
        else:
            free, later = self.space.between(begin, begin + length, nodes)
        ask = ask.on(free)
        spot = _Spot(ask, begin, min(later, until) if later and until else later or until)
        if free.bit_count() >= ask.wish.min_nodes and not ask.required & ~free:
            spot.tested = True
            found = will_run(system, ask, name, self.now, spot.later if plans else 0)
            if found is not None:
                spot.start, spot.chosen = max(found[0], begin), found[1]
        return spot

    def _use(self, job: Job, name: str, spot: _Spot, length: int, plans: bool) -> str:
        """Start the job there, or plan it (if it may have ``plans``), or say that a later time must be tried."""
        system, now = self.system, self.now
        if spot.chosen is None:
            return AGAIN if spot.later and plans else LEFT_OUT
        start, nodes = spot.start, spot.chosen.nodes
        if start <= now and nodes & system.closing_bits:
            start, spot.later = now + 1, 0  # wait until those nodes are clean
        if start <= now:
            result = try_now(system, job, name, system.available & spot.ask.nodes, now, "backfill")
            if result == "started":
                self._note_start(job)
                return KEPT
            if result in {"policy", "reserved"}:
                return LEFT_OUT
            spot.later = 0
        if start > now and not plans:
            return LEFT_OUT
        if spot.later and start > spot.later:
            return AGAIN
        if start > now + self.options.bf_window * MINUTE:
            job.planned = start
            return LEFT_OUT
        if start > now and self.space.clashes(self.space.floor(start), self.space.floor(start + length), nodes):
            spot.later = start + (start == spot.begin)
            return AGAIN
        self._look_again_when_it_fits_no_more(spot, length)
        return KEPT if self._reserve(job, name, start, length, spot.ask, spot.chosen) else LEFT_OUT

    def _look_again_when_it_fits_no_more(self, spot: _Spot, length: int) -> None:
        """What was tested from now on will, by the clock alone, come to reach into a plan made before. The cycle of that moment
        moves this job's own plan, which may make room behind it (measured: preempt_levels_shared)."""
        if spot.begin <= self.now:
            taken = self.space.taken_behind(self.now + length, spot.ask.nodes)
            if taken:
                self.system.recheck_at(self.now, taken - length)

    def _note_start(self, job: Job) -> None:
        self.started += 1
        if job.whole:
            self.space.reserve(0, self.space.floor(job.limit_end), job.node_bits)

    def _reserve(self, job: Job, name: str, start: int, length: int, ask: Ask, chosen: Chosen) -> bool:
        system, nodes = self.system, chosen.nodes
        if not self.options.assoc_limit_stop and system.policy.any:
            reason = system.policy.after(job, tres(system, ask, chosen), ask.required)
            if reason:
                set_reason(system, job, self.now, reason)
                return False
        self.plans_in[name] += 1
        job.planned = start
        if job.spec.array:
            self.array_plans[job.spec.id] += 1
        system.planned |= nodes
        self.space.reserve(self.space.floor(start), self.space.floor(start + length), nodes)
        return True

    def _too_young_or_low(self, job: Job, name: str) -> bool:
        """Jobs that may be started now but get no plan."""
        options, waited = self.options, self.now - (job.eligible if job.eligible is not None else self.now)
        return (bool(options.bf_min_prio_reserve) and job.priority < options.bf_min_prio_reserve) \
            or waited < options.bf_min_age_reserve \
            or (bool(options.bf_job_part_count_reserve) and self.plans_in[name] >= options.bf_job_part_count_reserve)
