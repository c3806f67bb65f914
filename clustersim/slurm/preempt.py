"""Preemption: which running jobs must go (or pause) so that a job may start.

Sources: facts, section 4; ``_run_now`` and ``_job_test`` in ``src/plugins/select/cons_common/job_test.c``,
``src/slurmctld/preempt.c`` and ``gang.c`` of Slurm 22.05. Time slicing between jobs of one tier is not modelled.
"""
from __future__ import annotations

from typing import TYPE_CHECKING

from clustersim.messages import N_
from clustersim.slurm import lifecycle, placing
from clustersim.slurm.fill import Ask, Chosen
from clustersim.slurm.jobs import Job
from clustersim.slurm.pool import NodePool, holding

if TYPE_CHECKING:
    from clustersim.slurm.controller import Controller

MESSAGE_TIMEOUT = 10  # seconds; with KillWait the time in which a preemptor makes no more victims
_PRIORITY_SHIFT = 16  # victims: QOS priority (or tier) first, then fewer nodes


def may_preempt(system: Controller, job: Job, partition: str, victim: Job) -> bool:
    """Whether ``job`` in ``partition`` has the right to the victim's nodes."""
    settings = system.settings
    if settings.preempt_type == "preempt/qos":
        if victim.qos == job.qos:
            return settings.preempt_within and job.priority > victim.priority
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
        for victim in found:
            if victim.start + exempt > now:
                system.recheck_at(now, victim.start + exempt)
        found = [victim for victim in found if victim.start + exempt <= now]
    if system.settings.scheduler.preempt_youngest_first:
        return sorted(found, key=lambda victim: -victim.start)
    by_qos = system.settings.preempt_type == "preempt/qos"
    return sorted(found, key=lambda victim: (
        (system.accounting.qos[victim.qos].priority if by_qos else system.partitions[victim.partition].priority_tier)
        << _PRIORITY_SHIFT) + len(victim.allocation))


def pool_for(system: Controller, partition: str) -> NodePool:
    """What is free for a job of this partition: the cores of a suspended job are, but only for higher tiers."""
    if not system.settings.gang:
        return system.pool
    tier = system.partitions[partition].priority_tier
    paused = [job for job in system.running.values()
              if job.suspended_at is not None and system.partitions[job.partition].priority_tier >= tier]
    if not paused:
        return system.pool
    pool = system.pool.copy()
    for job in paused:
        pool.take(holding(job.allocation, gpus=False))
    return pool


def place_now(system: Controller, ask: Ask, partition: str, up: int, now: int) -> tuple[Chosen | None, list[Job]]:
    """(nodes, []) if the job fits now, (nodes, victims) if it does once they are gone, else (None, [])."""
    found = placing.place(system, ask, pool_for(system, partition), partition)
    if found is not None:
        return found, []
    victims = candidates(system, ask.job, partition, now)
    if not victims:
        return None, []
    ask.nodes = up & ~system.closing_bits & ~system.foreign(ask.job)
    if mode_of(system, victims[0]) == "SUSPEND":
        return _over_suspended(system, ask, partition, victims)
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


def _over_suspended(system: Controller, ask: Ask, partition: str, victims: list[Job]) -> tuple[Chosen | None, list[Job]]:
    """On the cores of jobs that will pause; lower partitions are spared, one after the other, as far as possible."""
    pausing = [victim for victim in victims if mode_of(system, victim) == "SUSPEND" and victim.suspended_at is None]
    found, spared = None, set[str]()
    for name in ["", *dict.fromkeys(victim.partition for victim in pausing)]:
        future = pool_for(system, partition).copy()
        for victim in pausing:
            if victim.partition not in spared | {name}:
                future.give_back(holding(victim.allocation, gpus=False))
        better = placing.place(system, ask, future, partition)
        if better is None:
            break
        found = better
        spared.add(name)
    if found is None:
        return None, []
    chosen = found.nodes
    return found, [victim for victim in pausing if victim.node_bits & chosen]


def without_victims(system: Controller, ask: Ask, partition: str, now: int) -> Chosen | None:
    """Where the job would run if everything it may preempt were gone: backfill plans such a job for now."""
    victims = candidates(system, ask.job, partition, now)
    if not victims:
        return None
    future = system.pool.copy()
    for victim in victims:
        if victim.suspended_at is None:
            future.give_back(victim.holding)
    return placing.place(system, ask, future, partition)


def evict(system: Controller, job: Job, victims: list[Job], now: int) -> bool:
    """Make the victims leave. True if they only pause, so that the job may start at once."""
    if mode_of(system, victims[0]) == "SUSPEND":
        for victim in victims:
            lifecycle.suspend(system, victim, now)
        return True
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
        system.recorder.write(now, "signal", victim.key, signal="SIGTERM", why=N_("its grace time begins"))
        system.limit_check(victim)
    return now < victim.limit_end


def end_victim(system: Controller, victim: Job, now: int) -> None:
    """The victim goes, and comes back if its mode and its own wish say so."""
    again = mode_of(system, victim) == "REQUEUE" and lifecycle.may_requeue(system, victim)
    lifecycle.stop(system, victim, now, "PREEMPTED", N_("a job with the right to its nodes needs them"), requeue=again)


def wake_paused(system: Controller, now: int) -> None:
    """Let every suspended job go on whose cores nobody of a higher tier uses any more (gang scheduler)."""
    for job in [job for job in system.running.values() if job.suspended_at is not None]:
        tier = system.partitions[job.partition].priority_tier
        above = (other for other in system.running.values()
                 if other.suspended_at is None and system.partitions[other.partition].priority_tier > tier)
        if not any(other.node_bits & job.node_bits for other in above) and not system.closing_bits & job.node_bits:
            lifecycle.resume(system, job, now)
