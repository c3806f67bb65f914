"""Job priority: ``priority/basic`` and ``priority/multifactor``.

Source: facts, section 2; ``src/plugins/priority/multifactor/priority_multifactor.c`` of Slurm 22.05.
"""
from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, NamedTuple

from clustersim.cluster import Cluster, Partition
from clustersim.slurm.accounts import Accounting
from clustersim.slurm.fairtree import FairTree, Ranking
from clustersim.slurm.jobs import Job
from clustersim.slurm.requests import JobSpec
from clustersim.slurm.settings import Settings

FIRST_BASIC_PRIORITY = 4_294_901_759  # measured; counts down by one for each job
MAX_PRIORITY = 2**32 - 1


class Priorities:
    """Sets and recalculates priorities; keeps the usage that fair share needs."""

    def __init__(self, cluster: Cluster, settings: Settings, accounting: Accounting) -> None:
        self.settings, self.accounting, self.multifactor = settings, accounting, settings.multifactor
        self.cluster_cpus, self.node_count = cluster.cpus, len(cluster.nodes)
        self.next_basic = FIRST_BASIC_PRIORITY
        self.factors = {p.name: p.priority_job_factor for p in cluster.partitions}
        self.top_factor = max(self.factors.values(), default=0)
        self.top_qos = max((q.priority for q in accounting.qos.values()), default=0)
        self.shares = FairTree(accounting, settings.decay_half_life, settings.limits)
        self.totals = {p.name: _totals(cluster, p) for p in cluster.partitions} if settings.weight_tres else {}
        varying = settings.weight_age or settings.weight_job_size or settings.weight_fairshare
        self.changes = bool(settings.multifactor and varying)

    def weigh(self, partition: Partition) -> None:
        """An operator changed the partition's PriorityJobFactor; the largest one ever seen stays the measure (``update_part``
        in ``partition_mgr.c``). Waiting jobs feel it at the next recalculation."""
        self.factors = {**self.factors, partition.name: partition.priority_job_factor}
        self.top_factor = max(self.top_factor, partition.priority_job_factor)
        self.changes = self.settings.multifactor

    def submit(self, job: Job, now: int) -> None:
        """The priority of a new job. Jobs that may not start yet have no age."""
        if self.multifactor:
            self.update(job, now)
        else:
            job.priority = self.next_basic
            self.next_basic -= 1

    def update(self, job: Job, now: int) -> None:
        """Let the formula hold as of now. It is worked out when somebody asks: a job that starts alone needs no priority."""
        job.due = _reckoning((self, now, job.eligible, job.total_cpus, job.limit, self.shares.ranking, self.factors,
                              self.top_factor))

    def period(self, now: int, pending: Iterable[Job]) -> None:
        """What happens every ``PriorityCalcPeriod``: usage decays and grows, priorities are recalculated."""
        if self.settings.weight_fairshare:
            self.shares.grow(now)
        for job in pending:
            if not job.held:
                self.update(job, now)


def _totals(cluster: Cluster, partition: Partition) -> dict[str, int]:
    nodes = [cluster.nodes[cluster.index[name]] for name in partition.nodes]
    return {"cpu": sum(node.cpus for node in nodes), "gres/gpu": sum(node.gpus for node in nodes), "node": len(nodes)}


class Reckoning(NamedTuple):
    """All that a job's priority depends on, as it was at ``now``."""

    priorities: Priorities
    now: int
    eligible: int | None
    total_cpus: int
    limit: int | None
    ranking: Ranking
    factors: dict[str, int]
    top_factor: int

    def settle(self, job: Job) -> None:
        """Apply the formula, once for each partition of the job."""
        common, settings = self._common(job), self.priorities.settings
        for name in job.partitions:
            share = self.factors[name] / self.top_factor if self.top_factor else 0.0
            total = common + settings.weight_partition * share
            if settings.weight_tres:
                total += self._tres(job.spec, self.priorities.totals[name])
            job.part_priority[name] = int(min(max(total, 1), MAX_PRIORITY))
        job.priority = job.part_priority[job.partition]

    def _common(self, job: Job) -> float:
        s, spec, cluster = self.priorities.settings, job.spec, self.priorities
        age = 0.0 if self.eligible is None else min((self.now - self.eligible) / s.max_age, 1.0) if s.max_age else 1.0
        total = s.weight_age * age - spec.nice
        if s.weight_job_size:
            total += s.weight_job_size * self._size(job)
        if s.weight_qos and cluster.top_qos:
            total += s.weight_qos * cluster.accounting.qos[job.qos].priority / cluster.top_qos
        if s.weight_fairshare:
            total += s.weight_fairshare * self.ranking.factor.get((spec.user, job.account), 0.0)
        return total

    def _tres(self, spec: JobSpec, totals: Mapping[str, int]) -> float:
        """What the job asks for as a share of the partition (``_get_tres_factors`` in ``priority_multifactor.c``)."""
        asked = {"cpu": spec.shape.min_cpus, "gres/gpu": spec.shape.gpus, "node": spec.shape.min_nodes}
        weights = self.priorities.settings.weight_tres
        return sum(weight * asked[name] / totals[name] for name, weight in weights if totals[name])

    def _size(self, job: Job) -> float:
        """Before any placement was tried, the cores asked for count; after it those the job would get."""
        s, cluster = self.priorities.settings, self.priorities
        cpus, nodes = self.total_cpus or job.spec.shape.min_cpus, job.spec.shape.min_nodes
        if s.small_relative_to_time:
            least = max(nodes * cluster.cluster_cpus / cluster.node_count, cpus)
            size = least / max(self.limit or 1, 1) / cluster.cluster_cpus
        else:
            size = (nodes / cluster.node_count + cpus / cluster.cluster_cpus) / 2
        return min(max(1 - size if s.favor_small else size, 0.0), 1.0)


_reckoning: Callable[[tuple[Any, ...]], Reckoning] = partial(tuple.__new__, Reckoning)  # half the time of Reckoning(...)
