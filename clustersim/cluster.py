"""What a cluster is made of: nodes with cores and GPUs, partitions over them, switches between them.

Plain frozen data. :mod:`clustersim.slurm` builds it from the ``cluster`` section of a workload file; other readers
(``slurm.conf``) build the same.
"""
from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

UNLIMITED_NODES = 500_000  # Slurm's own upper bound (node_scheduler.c, "prevent overflows")


@dataclass(frozen=True, slots=True)
class Node:
    """One machine. ``cpus`` counts cores (one thread each); ``weight`` is Slurm's: low ones are filled first."""

    name: str
    cpus: int
    gpus: int = 0
    gpu_type: str = ""
    memory_mb: int = 16_000
    weight: int = 1
    features: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Partition:
    """A queue over some nodes. Times are minutes; ``None`` is no limit (or, for ``default_time``, none given).

    ``oversubscribe`` is ``NO``, ``EXCLUSIVE``, ``YES`` or ``FORCE``, ``max_share`` the count behind the colon.
    """

    name: str
    nodes: tuple[str, ...]
    default: bool = False
    max_time: int | None = None
    default_time: int | None = None
    min_nodes: int = 1
    max_nodes: int = UNLIMITED_NODES
    priority_tier: int = 1
    priority_job_factor: int = 1
    oversubscribe: str = "NO"
    max_share: int = 1
    state: str = "UP"
    lln: bool = False
    preempt_mode: str = ""
    grace: int = 0  # seconds that a victim of preemption still has


@dataclass(frozen=True, slots=True)
class Switch:
    """One switch of a tree topology: a leaf names ``nodes``, a higher one names ``switches``."""

    name: str
    nodes: tuple[str, ...] = ()
    switches: tuple[str, ...] = ()


@dataclass(frozen=True)
class Cluster:
    """Nodes in the order of choice, partitions and switches."""

    nodes: tuple[Node, ...]
    partitions: tuple[Partition, ...]
    switches: tuple[Switch, ...] = ()

    @cached_property
    def index(self) -> dict[str, int]:
        """The position of each node by name."""
        return {node.name: i for i, node in enumerate(self.nodes)}

    @cached_property
    def default_partition(self) -> Partition:
        """Where a job goes that names none: the one marked so, else the first."""
        return next((p for p in self.partitions if p.default), self.partitions[0])

    @property
    def cpus(self) -> int:
        return sum(node.cpus for node in self.nodes)

    def partition(self, name: str) -> Partition | None:
        """The partition of that name, if there is one."""
        return next((p for p in self.partitions if p.name == name), None)
