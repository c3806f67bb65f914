"""Preemption: which running jobs must go (or pause) so that a job may start.

Sources: facts, section 4; ``_run_now`` and ``_job_test`` in ``src/plugins/select/cons_common/job_test.c``,
``src/slurmctld/preempt.c`` and ``gang.c`` of Slurm 22.05. Time slicing between jobs of one tier is not modelled.
"""
from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from clustersim.messages import N_
from clustersim.slurm import lifecycle, placing
from clustersim.slurm.fill import Ask, Chosen, lowest
from clustersim.slurm.jobs import Job, bits_of
from clustersim.slurm.pool import Levels, NodePool
from clustersim.slurm.shape import CORE

if TYPE_CHECKING:
    from clustersim.slurm.controller import Controller

MESSAGE_TIMEOUT = 10  # seconds; with KillWait the time in which a preemptor makes no more victims
_PRIORITY_SHIFT = 16  # victims: QOS priority (or tier) first, then fewer nodes


def may_preempt(system: Controller, job: Job, partition: str, victim: Job) -> bool:
    """Whether ``job`` in ``partition`` has the right to the victim's nodes."""
    settings = system.settings
    if settings.preempt_type == "preempt/qos":
        if victim.qos == job.qos:
            within = settings.preempt_within or system.accounting.qos[job.qos].within
            return within and job.priority > victim.priority
        return victim.qos in system.accounting.qos[job.qos].preempt
    theirs = system.partitions[victim.partition]
    return theirs.priority_tier < system.partitions[partition].priority_tier and theirs.preempt_mode != "OFF"


def mode_of(system: Controller, victim: Job) -> str:
    """What happens to the victim: CANCEL, REQUEUE, SUSPEND or OFF."""
    if system.settings.preempt_type == "preempt/qos":
        return system.accounting.qos[victim.qos].preempt_mode or system.settings.preempt_mode
    return system.partitions[victim.partition].preempt_mode or system.settings.preempt_mode


def grace_of(system: Controller, victim: Job) -> int:
    """Seconds that the victim still has (``GraceTime`` of its QOS or partition)."""
    if system.settings.preempt_type == "preempt/qos":
        return system.accounting.qos[victim.qos].grace
    return system.partitions[victim.partition].grace


def candidates(system: Controller, job: Job, partition: str, now: int) -> list[Job]:
    """Running jobs on the partition's nodes that may be preempted, cheapest first."""
    if not system.settings.preemption or system.settings.preempt_mode == "OFF":
        return []
    nodes, exempt = system.part_nodes[partition], system.settings.preempt_exempt
    found = [victim for victim in system.running.values()
             if victim.node_bits & nodes and may_preempt(system, job, partition, victim) and mode_of(system, victim) != "OFF"]
    if exempt:
        young = [victim for victim in found if victim.start + exempt > now and not _leaves_its_cores_at_once(system, victim)]
        for victim in young:
            system.recheck_at(now, victim.start + exempt)
        found = [victim for victim in found if victim not in young]
    if system.settings.scheduler.preempt_youngest_first:
        return sorted(found, key=lambda victim: -victim.start)
    by_qos = system.settings.preempt_type == "preempt/qos"
    return sorted(found, key=lambda victim: (
        (system.accounting.qos[victim.qos].priority if by_qos else system.partitions[victim.partition].priority_tier)
        << _PRIORITY_SHIFT) + len(victim.allocation))


def _leaves_its_cores_at_once(system: Controller, victim: Job) -> bool:
    """PreemptExemptTime keeps a job off the list of candidates, but with GANG a partition of higher tier takes the cores of the
    lower ones without that list (steps 2 to 4 of ``_job_test`` in ``cons_common/job_test.c``; measured: suspend_exempt)."""
    return system.settings.gang and system.settings.preempt_type == "preempt/partition_prio"


def pool_for(system: Controller) -> NodePool:
    """What is free beside all jobs: with GANG the cores of a suspended job are not."""
    if not system.settings.gang or all(job.suspended_at is None for job in system.running.values()):
        return system.pool
    return free_beside(system, system.running.values())


def _used(system: Controller, jobs: Iterable[Job]) -> list[int]:
    """The cores of each node that these jobs hold, as bit sets. A suspended job and who runs on its cores hold the same."""
    used = [0] * system.pool.size
    for job in jobs:
        for i, cores in job.cores:
            used[i] |= cores
    return used


def free_beside(system: Controller, jobs: Iterable[Job]) -> NodePool:
    """Nodes on which only ``jobs`` hold cores; GPUs as they are."""
    pool = system.pool.copy()
    free = pool.free
    pool.free = Levels([(pool.cpus[i] - used.bit_count()) * CORE + free.gpus(i) for i, used in enumerate(_used(system, jobs))])
    return pool


def _pick_cores(system: Controller, chosen: Chosen, jobs: Iterable[Job]) -> tuple[tuple[int, int], ...]:
    """The lowest cores of the chosen nodes that none of ``jobs`` holds."""
    used, picked = _used(system, jobs), []
    for i in bits_of(chosen.nodes):
        free = ((1 << system.pool.cpus[i]) - 1) & ~used[i]
        picked.append((i, lowest(free, chosen.on(i))))
    return tuple(picked)


def place_now(system: Controller, ask: Ask, partition: str, up: int, now: int) -> tuple[Chosen | None, list[Job]]:
    """(nodes, []) if the job fits now, (nodes, victims) if it does once they are gone, else (None, [])."""
    found = placing.place(system, ask, pool_for(system), partition)
    if found is not None:
        if system.settings.gang:
            ask.cores = _pick_cores(system, found, system.running.values())
        return found, []
    victims = candidates(system, ask.job, partition, now)
    if not victims:
        return None, []
    ask.nodes = up & ~system.closing_bits & ~system.foreign(ask.job)
    if system.settings.gang:
        found, over = _over_lower_tiers(system, ask, partition, victims)
        if found is not None:
            return found, over
    return _fewest_victims(system, ask, partition, [v for v in victims if mode_of(system, v) in {"REQUEUE", "CANCEL"}])


def _fewest_victims(system: Controller, ask: Ask, partition: str, order: list[Job]) -> tuple[Chosen | None, list[Job]]:
    """Take victims away one by one until the job fits, then once more with the useful ones in front.

    With ``preempt_strict_order`` only the last one comes to the front, and the others keep their order.
    """
    passes, options = 0, system.settings.scheduler
    while True:
        future, gone, found = system.pool.copy(), [], None
        for victim in order:
            if not victim.node_bits & ask.nodes:
                continue
            if victim.suspended_at is None:
                future.give_back(victim.holding)
            gone.append(victim)
            found = placing.place(system, ask, future, partition)
            if found is not None:
                break
        if found is None:
            return None, []
        chosen = found.nodes
        passes += 1
        if passes > options.preempt_reorder_count + 1 or len(order) <= passes:
            return found, [victim for victim in gone if victim.node_bits & chosen]
        last, before = gone[-1], set(map(id, gone[:-1]))
        if options.preempt_strict_order:
            order = [last, *(victim for victim in order if victim is not last)]
            continue

        def usefulness(victim: Job, last: Job = last, before: set[int] = before, chosen: int = chosen) -> int:
            if victim is last:
                return -system.pool.size - 1
            return -(victim.node_bits & chosen).bit_count() if id(victim) in before else 0

        order = sorted(order, key=usefulness)


def _over_lower_tiers(system: Controller, ask: Ask, partition: str, victims: list[Job]) -> tuple[Chosen | None, list[Job]]:
    """With GANG: on the cores of jobs that pause or will; lower partitions are spared, the highest first, as far as possible.

    The job gets the lowest cores that nobody of the other partitions holds, and who of the lower ones has them must pause,
    or go, by the mode of its partition: free cores beside them are not looked for (``_job_test`` in
    ``cons_common/job_test.c``; measured: suspend_cores, suspend_grace_tiers).
    """
    below = sorted({victim.partition for victim in victims},
                   key=lambda name: (-system.partitions[name].priority_tier, name))
    found, spared = None, set[str]()
    for name in ["", *below]:
        beside = [job for job in system.running.values() if job.partition not in below or job.partition in spared | {name}]
        better = placing.place(system, ask, free_beside(system, beside), partition)
        if better is None:
            break
        found, ask.cores = better, _pick_cores(system, better, beside)
        spared.add(name)
    if found is None:
        return None, []
    return found, [victim for victim in victims if victim.suspended_at is None and _overlap(victim, ask.cores)]


def _overlap(job: Job, cores: tuple[tuple[int, int], ...]) -> bool:
    mine = dict(job.cores)
    return any(mine.get(i, 0) & others for i, others in cores)


def without_victims(system: Controller, ask: Ask, partition: str, now: int) -> Chosen | None:
    """Where the job would run if everything it may preempt were gone: backfill plans such a job for now."""
    victims = candidates(system, ask.job, partition, now)
    if not victims:
        return None
    if system.settings.gang:
        return placing.place(system, ask, free_beside(
            system, [job for job in system.running.values() if id(job) not in set(map(id, victims))]), partition)
    future = system.pool.copy()
    for victim in victims:
        future.give_back(victim.holding)
    return placing.place(system, ask, future, partition)


def evict(system: Controller, ask: Ask, victims: list[Job], now: int) -> bool:
    """Make the victims leave. True if the job may start at once: with GANG it was placed on their cores, and they pause, or go
    while it runs already (``_preempt_job_dequeue`` in ``gang.c``)."""
    if ask.cores:
        for victim in victims:
            if mode_of(system, victim) == "SUSPEND":
                lifecycle.suspend(system, victim, now)
            else:
                end_victim(system, victim, now)
        return True
    job = ask.job
    patience = system.settings.kill_wait + MESSAGE_TIMEOUT
    if job.preempt_since is not None and job.preempt_since > now - patience:
        return False  # the last victims may still be on their way out
    job.preempt_since, job.preempting = now, True
    for victim in victims:
        if not _in_grace(system, victim, now):
            end_victim(system, victim, now)
    if any(victim.preempt_since is not None and victim.state == "RUNNING" for victim in victims):
        system.recheck_at(now, now + patience)
    return False


def _in_grace(system: Controller, victim: Job, now: int) -> bool:
    """Whether the victim may still run (``_job_check_grace`` in ``preempt.c``); the first question starts its grace time.

    SIGTERM goes to the steps, not to the batch script, so a script without srun runs on until the time is over (measured).
    """
    grace = grace_of(system, victim)
    if not grace:
        return False
    if victim.preempt_since is None:
        system.future.remove(victim)
        victim.preempt_since, victim.limit_end = now, min(victim.limit_end, now + grace)
        system.future.add(victim)
        system.recorder.write(now, "signal", victim.key, {"signal": "SIGTERM", "why": N_("its grace time begins")})
    return now < victim.limit_end


def end_victim(system: Controller, victim: Job, now: int) -> None:
    """The victim goes, and comes back if its mode and its own wish say so."""
    again = mode_of(system, victim) == "REQUEUE" and lifecycle.may_requeue(system, victim)
    lifecycle.stop(system, victim, now, "PREEMPTED", N_("a job with the right to its nodes needs them"), requeue=again)


def wake_paused(system: Controller, now: int) -> None:
    """Let every suspended job go on whose cores nobody of a higher tier uses any more, higher tiers first (``gang.c``)."""
    def tier(job: Job) -> int:
        return system.partitions[job.partition].priority_tier

    for job in sorted((job for job in system.running.values() if job.suspended_at is not None), key=lambda job: -tier(job)):
        above = (other for other in system.running.values() if other.suspended_at is None and tier(other) > tier(job))
        if not any(_overlap(job, other.cores) for other in above) and not system.closing_bits & job.node_bits:
            lifecycle.resume(system, job, now)
