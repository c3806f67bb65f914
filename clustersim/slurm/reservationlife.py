"""A reservation's life: it is made, begins, ends, and is purged by the periodic check that follows.

Sources: ``job_time_limit`` (``src/slurmctld/job_mgr.c``), ``job_resv_check`` and ``_foreach_clear_job_resv``
(``reservation.c``) of Slurm 22.05. ``ResvOverRun`` is 0, its default.
"""
from __future__ import annotations

from typing import TYPE_CHECKING

from clustersim.clock import INPUTS
from clustersim.messages import N_
from clustersim.slurm import lifecycle
from clustersim.slurm.jobs import Job
from clustersim.slurm.placing import FOR_MAINTENANCE, set_reason
from clustersim.slurm.reserve import Reservation
from clustersim.slurm.workload import OperatorAct

if TYPE_CHECKING:
    from clustersim.slurm.controller import Controller


def create_reservation(system: Controller, now: int, one: OperatorAct) -> None:
    """``scontrol create reservation``, unless scontrol would refuse it."""
    nodes = sum(1 << system.cluster.index[name] for name in one.nodes)
    made = Reservation(
        one.name, one.start, one.start + one.duration, nodes, frozenset(one.users), frozenset(one.accounts),
        maint="MAINT" in one.flags)
    if not _may_exist(system, made, "IGNORE_JOBS" in one.flags):
        return
    system.reservations.all[one.name] = made
    for edge in (max(made.start, now), made.end):
        system.agenda.put(edge, INPUTS, ("reservation", made.name))
    system.queue_main(now)


def _may_exist(system: Controller, made: Reservation, ignore_jobs: bool) -> bool:
    """Whether scontrol lets it be: not with a name that is taken, nor over nodes of another reservation, if neither is MAINT,
    nor, without IGNORE_JOBS, over nodes of a job whose limit reaches into it (``_resv_overlap``, ``_job_overlap`` in
    ``reservation.c``; measured)."""
    if made.name in system.reservations.all:
        return False
    if not made.maint and any(other.start < made.end and other.end > made.start and other.nodes & made.nodes and not other.maint
                              for other in system.reservations.all.values()):
        return False
    return ignore_jobs or not any(job.node_bits & made.nodes and job.state == "RUNNING" and job.limit_end > made.start
                                  for job in system.running.values())


def edge(system: Controller, now: int, name: str) -> None:
    """A reservation begins or ends."""
    one = system.reservations.all.get(name)
    if one is None:
        return
    system.maint = 0
    for other in system.reservations.active(now):
        system.maint |= other.nodes if other.maint else 0
    system.touched |= one.nodes
    system.queue_main(now)
    if now >= one.end:
        system.recheck_at(now, one.end + 1)  # its jobs learn that it is over
        system.agenda.put(_next_check(system, one.end), INPUTS, ("purge", name))


def _next_check(system: Controller, now: int) -> int:
    return system.grid(now + 1, lifecycle.PERIODIC_TIMEOUT)


def purge(system: Controller, now: int, name: str) -> None:
    """The periodic check after the end: jobs that still run in it are stopped, those that wait for it are held.

    A suspended job is not stopped, and as long as it is there the reservation stays.
    """
    one = system.reservations.all[name]
    inside = [job for job in system.running.values() if job.spec.reservation == name]
    for job in inside:
        if job.suspended_at is None:
            lifecycle.stop(system, job, now, "TIMEOUT", N_("its reservation is over"))
    if any(job.suspended_at is not None for job in inside):
        system.agenda.put(_next_check(system, now), INPUTS, ("purge", name))
        return
    del system.reservations.all[name]
    for job in system.jobs.values():
        if job.spec.reservation == name:
            _leave(system, job, now)
        if one.maint and job.detail == FOR_MAINTENANCE and job.state == "PENDING":
            set_reason(system, job, now, "None")


def _leave(system: Controller, job: Job, now: int) -> None:
    """The job has no reservation any more. If it waits, it is held, and squeue says why, unless an administrator held it."""
    name = job.spec.reservation
    job.spec = job.spec._replace(reservation="")
    if job.state == "PENDING" and job.reason != lifecycle.HELD["admin"]:
        job.held, job.eligible = "admin", None
        set_reason(system, job, now, "ReservationDeleted", f"Reservation {name} was deleted")
