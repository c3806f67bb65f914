"""The simulated slurmctld: one system for the clock, plain state, lazy periodic loops.

Order at one instant: ends, faults, inputs, then the controllers: priorities, time limits, main loop, backfill. Periodic
loops do not tick: each says when it could next do something new, and the clock jumps there.

``started`` is when the daemon came up before the run's zero. It fixes the phase of everything periodic: the check of
time limits (every 30 s), the full run of the main loop (``sched_interval``), the recalculation of priorities. In
reality the phase is chance (of three time-outs in the measured runs two spread over 22 and 12 s). Seed 0 takes 68 s:
the measured clusters came up 55 to 93 s before their first job, and with 68 s the limit check falls between the
quarter minutes at which the measured jobs reach their limits, so that no result hangs on a tie. Other seeds draw it.

``clock`` is what a wall clock showed at the run's zero, in seconds past the full hour. Backfill's grid (``bf_resolution``)
and the windows in which it takes running jobs away lie on that clock. Seed 0 begins on the full hour, other seeds draw it.
"""
from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from clustersim.clock import FAULTS, INPUTS, NEVER, Agenda
from clustersim.slurm import backfill, inputs, lifecycle, mainloop, reservationlife
from clustersim.slurm.future import Future
from clustersim.slurm.jobs import Job, bits_of
from clustersim.slurm.lifecycle import PERIODIC_TIMEOUT
from clustersim.slurm.placing import wish_of
from clustersim.slurm.policy import Policy
from clustersim.slurm.pool import NodePool
from clustersim.slurm.priority import Priorities
from clustersim.slurm.record import Nodes, Recorder, nodes_now
from clustersim.slurm.reserve import Reservations
from clustersim.slurm.select import Selector
from clustersim.slurm.shape import Shape, Wish
from clustersim.slurm.topology import Tree
from clustersim.slurm.workload import SlurmWorkload, refuse_time_slices
from clustersim.units import HOUR

STARTED = 68
# A run lasts longer than its work: by waits that go by the (fast) clock, and by work that takes real time (measured).
LAUNCH_S, LAUNCH_REAL_S, CLEANUP_REAL_S = 0.6, 0.022, 0.024


@dataclass(frozen=True, slots=True)
class Overheads:
    """Seconds that a real cluster adds: ``launch`` to every run, ``cleanup`` between a job's end and free nodes.

    Most measured runs lasted 1 s longer than their work, on a clock 10 times fast as on one 30 or 40 times fast: on average
    0.8, 1.1 and 1.5 s. A successor started 0 to 1 s after the end, which is about 0.024 s in real time.
    """

    launch: int = 1
    cleanup: int = 1

    @classmethod
    def at_speed(cls, speed: float) -> Overheads:
        """What they are on a clock that runs ``speed`` times fast, in whole simulated seconds."""
        return cls(round(LAUNCH_S + LAUNCH_REAL_S * speed), round(CLEANUP_REAL_S * speed))


MEASURED = Overheads()


class Controller:
    """All state of the run. What happens is in :mod:`lifecycle`, :mod:`inputs`, :mod:`mainloop` and :mod:`backfill`."""

    __slots__ = (  # with more than 30 attributes and without these, calling a method takes twice the time
        "accounting", "afters", "agenda", "arrays", "bf_dirty", "blank", "calc_at", "clock", "closing_bits", "cluster",
        "completing", "default_partition", "down", "drain", "first_submit", "full_at", "future", "given_up", "jobs",
        "last_listed", "last_main", "main_at", "maint", "next_bf", "next_number", "node_reason", "now", "overheads",
        "owners", "part_cpus", "part_nodes", "partitions", "pauses", "pending", "planned", "policy", "pool",
        "priorities", "rechecks", "recorder", "reservations", "running", "selector", "settings", "silent", "started",
        "stuck", "touched", "unclean", "wishes")

    def __init__(self, workload: SlurmWorkload, seed: int = 0, overheads: Overheads | None = None) -> None:
        self.cluster, self.settings, self.accounting = workload.cluster, workload.settings, workload.accounting
        if overheads is None:
            overheads = MEASURED if workload.speed is None else Overheads.at_speed(workload.speed)
        self.overheads = overheads
        refuse_time_slices(self.settings, self.accounting, f"{workload.name}: config.PreemptMode")
        self.partitions = {p.name: p for p in self.cluster.partitions}
        self.part_nodes = {p.name: sum(1 << self.cluster.index[n] for n in p.nodes) for p in self.cluster.partitions}
        self.part_cpus = {p.name: sum(self.cluster.nodes[self.cluster.index[n]].cpus for n in p.nodes)
                          for p in self.cluster.partitions}
        self.default_partition = (self.cluster.default_partition.name,)
        self.wishes: dict[str, dict[Shape, Wish]] = {name: {} for name in self.partitions}
        self.afters = False  # whether a job waits for the start of another
        self.pool = NodePool(self.cluster)
        self.blank = NodePool(self.cluster)  # the empty cluster: could the job ever run?
        self.selector = Selector(self.settings.lln, Tree(self.cluster) if self.cluster.switches else None)
        self.priorities = Priorities(self.cluster, self.settings, self.accounting)
        self.policy = Policy(self.accounting, self.settings)
        self.reservations = Reservations()
        self.recorder = Recorder([node.name for node in self.cluster.nodes])
        self.agenda = Agenda()
        self._no_jobs()
        self._healthy_nodes()
        draw = random.Random(seed).randrange
        self.started, self.clock = (STARTED, 0) if seed == 0 else (draw(600), draw(HOUR))
        self._first_ticks()
        self._load(workload)

    def _no_jobs(self) -> None:
        self.jobs: dict[str, Job] = {}
        self.arrays: dict[str, list[Job]] = {}
        self.pending: dict[str, Job] = {}
        self.running: dict[str, Job] = {}
        self.first_submit: dict[str, int] = {}
        self.pauses: dict[str, list[list[int]]] = {}
        self.next_number = 1
        self.last_listed = 0
        self.completing: dict[str, Job] = {}
        self.future = Future(self.pool)  # the jobs that run and are not suspended

    def _healthy_nodes(self) -> None:
        self.closing_bits = self.down = self.drain = self.silent = self.planned = self.maint = 0
        self.unclean: dict[tuple[str, int], int] = {}  # (job, run) that is over -> nodes that still complete
        self.stuck: list[tuple[str, int, int]] = []  # (job, run, nodes that cannot be cleaned up: their daemon is dead)
        self.given_up: dict[int, int] = {}  # node -> when a ping will give it up, if its daemon stays dead
        self.owners: dict[int, str] = {}
        self.node_reason: dict[int, str] = {}
        self.touched = self.pool.every

    def _first_ticks(self) -> None:
        self.now = 0
        self.rechecks: set[int] = set()
        self.main_at = self.full_at = self.calc_at = NEVER  # the next turn of each loop
        self.last_main = -self.started
        self.bf_dirty = NEVER  # since when there is something new for backfill
        self.next_bf = self.settings.scheduler.bf_interval - self.started  # when backfill may run again

    def _load(self, workload: SlurmWorkload) -> None:
        self.agenda.fill((spec.at, INPUTS, ("submit", spec)) for spec in workload.jobs)
        for act in workload.events:
            phase = FAULTS if act.do in {"down", "kill_slurmd"} else INPUTS
            self.agenda.put(act.at, phase, ("act", act))
        self.recorder.log.append(self.moment(self.pool.every))

    # the clock's side

    def next_time(self) -> int | None:
        soonest = self.agenda.soonest
        if self.calc_at < soonest:
            soonest = self.calc_at
        if self.main_at < soonest:
            soonest = self.main_at
        if self.full_at < soonest:
            soonest = self.full_at
        if (self.pending or self.planned) and self.bf_dirty < soonest:
            soonest = min(max(self.bf_dirty, self.next_bf), soonest)
        over, ends = self.settings.over_time_limit, self.future.ends
        if ends and ends[0] + over <= soonest:
            soonest = self._limit_at(soonest)
        if soonest == NEVER and self.future.past >= 0:  # a run without an end of its own ends with the last check of a limit
            soonest = self.grid(self.future.past + over, PERIODIC_TIMEOUT)
            return soonest if soonest > self.now else None
        return None if soonest == NEVER else soonest

    def _limit_at(self, soonest: int) -> int:
        """When the periodic check will next find a limit that is over, if that is before ``soonest``."""
        over = self.settings.over_time_limit
        for end, _number, _task, job in self.future.jobs:
            if end + over > soonest:
                break
            if job.limited:
                return min(self.grid(max(end + over, self.now), PERIODIC_TIMEOUT), soonest)  # a job may resume after its limit
        return soonest

    def instant(self, now: int) -> None:
        self.now = now
        if self.bf_dirty < now and self.next_bf < now and not (self.pending or self.planned):
            # A cycle over an empty queue has passed. The thread makes one after any change, whether jobs wait or not
            # (``_more_work`` in ``backfill.c``); it does nothing, but the next comes ``bf_interval`` after it.
            self.next_bf, self.bf_dirty = self._next_cycle(max(self.next_bf, self.bf_dirty)), NEVER
        agenda = self.agenda
        while agenda.soonest <= now:
            kind, what = agenda.take()
            _HANDLERS[kind](self, now, what)
        if self.calc_at <= now:
            self._recalculate(now)
        if (now + self.started) % PERIODIC_TIMEOUT == 0 and self.future.ends:
            lifecycle.check_limits(self, now)
        if self.main_at <= now or self.full_at <= now:
            self._main(now)
        if self.bf_dirty <= now and self.next_bf <= now and (self.pending or self.planned):
            self.next_bf, self.bf_dirty = self._next_cycle(now), NEVER
            backfill.run(self, now)
        if self.touched:
            self.recorder.log.append(self.moment(self.touched))
            self.touched = 0

    def _main(self, now: int) -> None:
        full, order = self.full_at <= now, self.last_listed
        self.main_at, self.last_main = NEVER, now
        everything = not self.pending or mainloop.run(self, now, full)
        everything &= order == self.last_listed  # what is left of an array that started went behind all others: look again
        self.full_at = NEVER if everything else self.grid(now + 1, self.settings.scheduler.sched_interval)

    # when the loops run

    def grid(self, time: int, interval: int) -> int:
        """The first tick of a loop with this interval at or after ``time``."""
        return time + (-self.started - time) % interval

    def _next_cycle(self, last: int) -> int:
        """When backfill may run again after a cycle at ``last``."""
        return last + self.settings.scheduler.bf_interval

    def queue_main(self, now: int) -> None:
        """Somebody asked for scheduling; runs are gathered for ``batch_sched_delay``."""
        at = self.last_main + self.settings.scheduler.batch_sched_delay
        if at < now:
            at = now
        if at < self.main_at:
            self.main_at = at
        if self.bf_dirty == NEVER:
            self.bf_dirty = now

    def wake_main(self, now: int) -> None:
        """A job's nodes are clean again: the main loop runs at once (not with ``defer``)."""
        if self.settings.scheduler.defer:
            self.queue_main(now)
        else:
            self.main_at = now
            self.changed(now)

    def changed(self, now: int) -> None:
        """Something changed that the next backfill cycle should see."""
        if self.bf_dirty == NEVER:
            self.bf_dirty = now

    def seen_periodically(self, now: int) -> None:
        """Something changed that wakes no loop: the next periodic runs will see it, the main loop in a second or later."""
        due = self.grid(now + 1, self.settings.scheduler.sched_interval)
        self.full_at = min(due, self.full_at)
        self.changed(now)

    def recheck_at(self, now: int, time: int) -> None:
        """Nothing happens at ``time``, but from then on a job may be eligible: the next periodic runs will see it."""
        time = max(time, now)
        if time not in self.rechecks:
            self.rechecks.add(time)
            self.agenda.put(time, INPUTS, ("recheck", None))

    def calc_soon(self, now: int) -> None:
        """Something runs or waits: keep the periodic recalculation of priorities going."""
        if self.calc_at == NEVER and self.priorities.changes:
            self.calc_at = self.grid(now + 1, self.settings.calc_period)

    def _recalculate(self, now: int) -> None:
        self.calc_at = NEVER
        self.priorities.period(now, self.pending.values())
        if self.pending or self.running:
            self.calc_soon(now)
            self.full_at = self.grid(now, self.settings.scheduler.sched_interval)
            self.changed(now)

    # nodes

    @property
    def available(self) -> int:
        """Nodes that may start jobs: up, not draining, answering."""
        return self.pool.every & ~(self.down | self.drain | self.silent)

    def wish(self, job: Job, partition: str) -> Wish:
        """What the job wants in the partition; jobs of the same shape want the same."""
        known, shape = self.wishes[partition], job.spec.shape
        found = known.get(shape)
        if found is None:
            found = known[shape] = wish_of(self, shape, partition)
        return found

    def names(self, bits: int) -> list[str]:
        return [self.cluster.nodes[i].name for i in bits_of(bits)]

    def foreign(self, job: Job) -> int:
        """Nodes that other users' ``--exclusive=user`` (or this job's own) rules out."""
        if job.spec.shape.exclusive == "user":
            return self._bits(other for other in self.running.values() if other.spec.user != job.spec.user)
        if not self.owners:
            return 0
        return sum(1 << i for i, user in self.owners.items() if user != job.spec.user)

    def _bits(self, jobs: Iterable[Job]) -> int:
        found = 0
        for job in jobs:
            found |= job.node_bits
        return found

    def moment(self, nodes: int) -> Nodes:
        """What decides the states of ``nodes`` now."""
        return nodes_now((self.now, nodes, self.pool.free.sets.copy(), self.down, self.drain, self.closing_bits, self.maint,
                          self.planned))


def _recheck(system: Controller, now: int, _what: None) -> None:
    system.rechecks.discard(now)
    system.full_at = system.grid(now, system.settings.scheduler.sched_interval)
    system.changed(now)


_HANDLERS: dict[str, Callable[..., None]] = {
    "submit": inputs.submit, "act": inputs.act, "recheck": _recheck, "reservation": reservationlife.edge,
    "purge": reservationlife.purge,
    "done": lifecycle.work_done, "settle": lifecycle.settle, "release": lifecycle.released, "clean": lifecycle.clean,
    "kill": lifecycle.kill,
    "timeout": inputs.node_timeout, "answer": inputs.answer, "stuck": lifecycle.release_stuck,
}
