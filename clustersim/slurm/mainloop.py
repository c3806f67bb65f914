"""The main scheduling loop: strict priority order, one blocked partition at a time.

Source: facts, section 1; ``_schedule`` and ``sort_job_queue2`` in ``src/slurmctld/job_scheduler.c`` of Slurm 22.05.
"""
from __future__ import annotations

from functools import cmp_to_key
from typing import TYPE_CHECKING

from clustersim.slurm.jobs import Job
from clustersim.slurm.lifecycle import drop
from clustersim.slurm.placing import MISSING_NODES, PART_REASONS, eligible, part_trouble, set_reason, try_now

if TYPE_CHECKING:
    from clustersim.slurm.controller import Controller

Pair = tuple[Job, str]  # a job and one of its partitions


def is_completing(system: Controller, now: int) -> bool:
    """With CompleteWait nothing starts while a job that ended at most that long ago still cleans up."""
    wait = system.settings.complete_wait
    return bool(wait) and any(job.end is not None and job.end >= now - wait for job in system.completing.values())


def queue(system: Controller, now: int) -> list[Pair]:
    """(job, partition) pairs that could start, best first: preemptors, tier, priority, submission, job id."""
    pairs: list[Pair] = []
    for job in list(system.pending.values()):
        job.preempting = False
        if not eligible(system, job, now):
            if job.reason == "DependencyNeverSatisfied" and system.settings.scheduler.kill_invalid_depend:
                drop(system, job, now)
            continue
        pairs += [(job, name) for name in _open_to(system, job, now)]
    if len(pairs) > 1:
        _sort(system, pairs)
    return pairs


def _open_to(system: Controller, job: Job, now: int) -> list[str]:
    """The job's partitions whose limits it keeps. Of several the last word stays: what one of them says against the job, the
    next takes back if it has nothing to say (``_job_runnable_test2`` in ``job_scheduler.c``; measured: partition_states)."""
    names, said = [], job.reason
    for name in job.partitions:
        reason, _message = part_trouble(system, job, name)
        if reason:
            said = reason
        else:
            names.append(name)
            said = "None" if said in PART_REASONS else said
    if said in PART_REASONS:
        set_reason(system, job, now, said)
    elif said != job.reason:
        job.reason = said  # not logged: its next reason follows at once
    return names


def _sort(system: Controller, pairs: list[Pair]) -> None:
    reserved_first, fifo = bool(system.reservations.all), _fifo(system)

    def rank(pair: Pair) -> tuple[float, ...]:
        job, name = pair
        if fifo:
            return job.listed, job.task
        return (not (reserved_first and job.spec.reservation), -system.partitions[name].priority_tier,
                -job.part_priority.get(name, job.worth), job.submit, job.number, job.task)

    pairs.sort(key=rank)
    if system.settings.preempt_type == "preempt/qos":
        def preemptor_first(a: Pair, b: Pair) -> int:
            """A job whose QOS may preempt the other's is tried first, whatever their priorities."""
            qos = system.accounting.qos
            return (a[0].qos in qos[b[0].qos].preempt) - (b[0].qos in qos[a[0].qos].preempt)

        pairs.sort(key=cmp_to_key(preemptor_first))


def _fifo(system: Controller) -> bool:
    """sched/builtin with priority/basic and one tier walks the job list as it is, whatever the priorities."""
    if system.settings.backfill or system.settings.multifactor:
        return False
    return len({part.priority_tier for part in system.partitions.values()}) == 1


def run(system: Controller, now: int, full: bool) -> bool:
    """One pass. Returns whether every job was looked at: after an event only ``default_queue_depth`` are."""
    if not system.pending:
        return True
    if is_completing(system, now):
        return True  # the release of those nodes, or the end of CompleteWait, wakes the loop again
    available, tested = system.available, 0
    blocked: set[str] = set()
    rejected: dict[tuple[str, str], Job] = {}
    blocked_reservations: set[str] = set()
    for job, name in queue(system, now):
        if job.state != "PENDING" or job.preempting:
            continue
        if job.spec.array and (first := rejected.get((job.spec.id, name))):
            if job.runs and job.reason != first.reason:  # a task that came back to the queue (fill_array_reasons)
                set_reason(system, job, now, first.reason)
            continue
        if job.spec.array and not eligible(system, job, now):
            rejected[job.spec.id, name] = job
            continue
        tested += 1
        if not full and tested > system.settings.scheduler.default_queue_depth + 1:
            return False
        if job.partition != name:
            job.partition, job.priority = name, job.part_priority.get(name, job.worth)
        if (blocked or blocked_reservations) and _behind_a_blocked_job(system, job, name, blocked, blocked_reservations, now):
            continue
        if (available & system.part_nodes[name]).bit_count() < job.spec.shape.min_nodes:
            set_reason(system, job, now, "Resources", MISSING_NODES)
            blocked.add(name)
            available &= ~system.part_nodes[name]
            continue
        result = try_now(system, job, name, available, now, "main")
        if job.spec.array and result != "started":
            rejected[job.spec.id, name] = job
            _same_for_all_tasks(system, job, now)
        if result != "started":
            available = _after(system, job, name, result, available, blocked, blocked_reservations)
    return True


def _same_for_all_tasks(system: Controller, job: Job, now: int) -> None:
    """Tasks that have not started are one record in Slurm, so what keeps one keeps all (measured: arrays_mixed)."""
    for other in system.arrays[job.spec.id]:
        if other is not job and other.state == "PENDING" and not other.runs and not other.held and other.reason != job.reason:
            set_reason(system, other, now, job.reason, job.detail)


def _behind_a_blocked_job(system: Controller, job: Job, name: str, blocked: set[str], reservations: set[str], now: int) -> bool:
    if job.spec.reservation:
        if job.spec.reservation not in reservations:
            return False
        set_reason(system, job, now, "Priority")
        return True
    if name not in blocked:
        return False
    if job.reason in {"None", "Resources"}:
        set_reason(system, job, now, "Priority")
    return True


def _after(system: Controller, job: Job, name: str, result: str, available: int, blocked: set[str],
           reservations: set[str]) -> int:
    """What a failed try takes away from the jobs behind it."""
    stops = result in {"busy", "preempting"} or (result == "policy" and system.settings.scheduler.assoc_limit_stop)
    required = sum(1 << system.cluster.index[node] for node in job.spec.shape.nodelist)
    if required and required.bit_count() >= job.spec.shape.min_nodes:
        return available & ~required
    if result == "reserved" and job.spec.reservation in system.reservations.all:
        return available & ~system.reservations.all[job.spec.reservation].nodes
    if not stops:
        return available
    if job.spec.reservation:
        reservations.add(job.spec.reservation)
        return available
    blocked.add(name)
    return available & ~system.part_nodes[name]
