"""Job priority: ``priority/basic``, ``priority/multifactor`` and Fair Tree.

Source: facts, section 2; ``src/plugins/priority/multifactor/{priority_multifactor,fair_tree}.c`` of Slurm 22.05.
"""
from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import inf

from clustersim.cluster import Cluster, Partition
from clustersim.slurm.accounts import Accounting
from clustersim.slurm.jobs import Job
from clustersim.slurm.settings import Settings

FIRST_BASIC_PRIORITY = 4_294_901_759  # measured; counts down by one for each job
DECAY = 0.693  # Slurm's value of ln 2
MAX_PRIORITY = 2**32 - 1


class Priorities:
    """Sets and recalculates priorities; keeps the usage that fair share needs."""

    def __init__(self, cluster: Cluster, settings: Settings, accounting: Accounting) -> None:
        self.settings, self.accounting = settings, accounting
        self.cluster_cpus, self.node_count = cluster.cpus, len(cluster.nodes)
        self.next_basic = FIRST_BASIC_PRIORITY
        self.factors = {p.name: p.priority_job_factor for p in cluster.partitions}
        self.top_factor = max(self.factors.values(), default=0)
        self.top_qos = max((q.priority for q in accounting.qos.values()), default=0)
        self.shares = FairTree(accounting)
        varying = settings.weight_age or settings.weight_job_size or settings.weight_fairshare
        self.changes = bool(settings.multifactor and varying)

    def weigh(self, partition: Partition) -> None:
        """An operator changed the partition's PriorityJobFactor; the largest one ever seen stays the measure (``update_part``
        in ``partition_mgr.c``). Waiting jobs feel it at the next recalculation."""
        self.factors[partition.name] = partition.priority_job_factor
        self.top_factor = max(self.top_factor, partition.priority_job_factor)
        self.changes = self.settings.multifactor

    def submit(self, job: Job, now: int) -> None:
        """The priority of a new job. Jobs that may not start yet have no age."""
        if self.settings.multifactor:
            self.update(job, now)
        else:
            job.priority = self.next_basic
            self.next_basic -= 1

    def update(self, job: Job, now: int) -> None:
        """Apply the formula, once for each partition of the job."""
        common = self._common(job, now)
        for name in job.partitions:
            share = self.factors[name] / self.top_factor if self.top_factor else 0.0
            total = common + self.settings.weight_partition * share
            job.part_priority[name] = int(min(max(total, 1), MAX_PRIORITY))
        job.priority = job.part_priority[job.partition]

    def _common(self, job: Job, now: int) -> float:
        s, spec = self.settings, job.spec
        age = 0.0 if job.eligible is None else min((now - job.eligible) / s.max_age, 1.0) if s.max_age else 1.0
        total = s.weight_age * age - spec.nice
        if s.weight_job_size:
            total += s.weight_job_size * self._size(job)
        if s.weight_qos and self.top_qos:
            total += s.weight_qos * self.accounting.qos[job.qos].priority / self.top_qos
        if s.weight_fairshare:
            total += s.weight_fairshare * self.shares.factor.get((spec.user, job.account), 0.0)
        return total

    def _size(self, job: Job) -> float:
        """Before any placement was tried, the cores asked for count; after it those the job would get."""
        cpus, nodes = job.total_cpus or job.spec.min_cpus, job.spec.min_nodes
        if self.settings.small_relative_to_time:
            size = max(nodes * self.cluster_cpus / self.node_count, cpus) / max(job.limit or 1, 1) / self.cluster_cpus
            return min(max(1 - size if self.settings.favor_small else size, 0.0), 1.0)
        size = (nodes / self.node_count + cpus / self.cluster_cpus) / 2
        return min(max(1 - size if self.settings.favor_small else size, 0.0), 1.0)

    def period(self, now: int, pending: Iterable[Job]) -> None:
        """What happens every ``PriorityCalcPeriod``: usage decays and grows, priorities are recalculated."""
        if self.settings.weight_fairshare:
            self.shares.grow(now, self.settings.decay_half_life)
        for job in pending:
            if not job.held:
                self.update(job, now)


@dataclass(slots=True)
class _Branch:
    """One account or user of the tree. ``usage`` is in core seconds, decayed."""

    name: str
    user: bool
    shares: int
    parent: str = ""
    usage: float = 0.0
    children: list[str] = field(default_factory=list)
    level_fs: float = 0.0
    share: float = 0.0  # of its parent's shares
    who: tuple[str, str] = ("", "")  # of a user: name and account


class FairTree:
    """Fair Tree: siblings sorted by shares / usage, depth first; the users' ranks give the factor.

    Keys of branches are account names and ``user@account``; root's own user counts too (facts, section 2).
    """

    def __init__(self, accounting: Accounting) -> None:
        self.branches = {"": _Branch("", False, 1), "root@": _Branch("root@", True, 1, who=("root", ""))}
        self.branches[""].children.append("root@")
        for account in accounting.accounts.values():
            parent = "" if account.parent in {"", "root"} else account.parent
            self._add(_Branch(account.name, False, account.shares, parent))
        for one in accounting.associations.values():
            self._add(_Branch(f"{one.user}@{one.account}", True, one.shares, one.account, who=(one.user, one.account)))
        for branch in self.branches.values():
            total = sum(self.branches[name].shares for name in branch.children)
            for name in branch.children:
                self.branches[name].share = self.branches[name].shares / total if total else 0.0
        self.users = sum(branch.user for branch in self.branches.values())
        self.cores: defaultdict[str, int] = defaultdict(int)   # branch of a user -> cores of its running jobs
        self.early: defaultdict[str, int] = defaultdict(int)   # core seconds they did not use since ``last``
        self.last = 0
        self.rank()

    def _add(self, branch: _Branch) -> None:
        self.branches[branch.name] = branch
        self.branches[branch.parent].children.append(branch.name)

    @property
    def factor(self) -> dict[tuple[str, str], float]:
        """(user, account) -> fair-share as of the last recalculation; worked out when somebody asks."""
        if self._stale:
            self.rank()
        return self._factor

    def run(self, job: Job) -> None:
        """The job runs from its start on, or goes on after a suspension."""
        name = f"{job.spec.user}@{job.account}"
        self.cores[name] += job.total_cpus
        self.early[name] += job.total_cpus * self._late(job)

    def rest(self, job: Job) -> None:
        """The job is suspended: a recalculation does not count it."""
        name = f"{job.spec.user}@{job.account}"
        self.cores[name] -= job.total_cpus
        self.early[name] -= job.total_cpus * self._late(job)

    def end(self, job: Job, now: int) -> None:
        """The run is over: count what of it was not counted yet."""
        self.rest(job)
        if self._stale:
            self.rank()  # by the usage as it was at the recalculation
        self._charge({f"{job.spec.user}@{job.account}": job.total_cpus * (now - max(self.last, job.start))})

    def _late(self, job: Job) -> int:
        return job.start - self.last if job.start > self.last else 0

    def grow(self, now: int, half_life: int) -> None:
        """Decay all usage since the last time and add what ran since; see ``decay_apply_new_usage``."""
        factor = (1 - DECAY / half_life) ** (now - self.last) if half_life else 1.0
        for branch in self.branches.values():
            branch.usage *= factor
        passed, early = now - self.last, self.early
        self._charge({name: cores * passed - early[name] for name, cores in self.cores.items() if cores})
        self.early, self.last, self._stale = defaultdict(int), now, True

    def _charge(self, core_seconds: Mapping[str, int]) -> None:
        """Count these for users and for all accounts above them."""
        for name, amount in core_seconds.items():
            while name in self.branches:
                branch = self.branches[name]
                branch.usage += amount
                if not name:
                    break
                name = branch.parent

    def rank(self) -> None:
        """Walk the tree and give every user association its factor, rank / number of user associations."""
        self._factor: dict[tuple[str, str], float] = {}
        self._stale = False
        self._next = self._rank = self.users
        self._walk(self.branches[""].children[:], tied_with_parent=False)

    def _walk(self, names: list[str], tied_with_parent: bool) -> None:
        siblings: list[tuple[float, bool, int, _Branch]] = []
        for name in names:
            branch = self.branches[name]
            branch.level_fs = self._level(branch)
            siblings.append((-branch.level_fs, not branch.user, len(siblings), branch))
        siblings.sort()
        before: float | None = None
        skip = 0
        for i, (level, _account, _given, branch) in enumerate(siblings):
            if skip:
                skip -= 1
                continue
            tied = tied_with_parent if i == 0 and tied_with_parent else before == level
            if branch.user:
                if not tied:
                    self._rank = self._next
                self._factor[branch.who] = self._rank / self.users
                self._next -= 1
            else:
                while i + skip + 1 < len(siblings) and siblings[i + skip + 1][0] == level:
                    skip += 1  # of equals the users stand first, so these are accounts too
                self._walk([name for one in siblings[i:i + skip + 1] for name in one[3].children], tied)
            before = level

    def _level(self, branch: _Branch) -> float:
        if not branch.share:
            return 0.0
        part = branch.usage / self.branches[branch.parent].usage if branch.usage else 0.0
        return branch.share / part if part else inf
