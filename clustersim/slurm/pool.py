"""Nodes with cores and GPUs: the resource model that Slurm's selection works on.

Bit sets (plain integers, bit *i* is the node at position *i*) answer "which nodes"; per-node lists hold amounts. A copy
is cheap and independent, so that planning can take jobs away from it.
"""
from __future__ import annotations

from clustersim.cluster import Cluster
from clustersim.slurm.features import feature_bits
from clustersim.slurm.jobs import Allocation


class NodePool:
    """What is free where. ``used`` counts the jobs on each node; ``busy`` is the set of nodes with any."""

    def __init__(self, cluster: Cluster) -> None:
        nodes = cluster.nodes
        self.size = len(nodes)
        self.every = (1 << self.size) - 1
        self.cpus = [node.cpus for node in nodes]
        self.gpus = [node.gpus for node in nodes]
        self.weight = [node.weight for node in nodes]
        self.features = feature_bits([node.features for node in nodes])
        self.gpu_types = feature_bits([frozenset({node.gpu_type}) if node.gpu_type else frozenset() for node in nodes])
        self.free_cpus = list(self.cpus)
        self.gpu_busy = [0] * self.size  # bit set of GPU indices in use
        self.used = [0] * self.size
        self.busy = 0
        self.with_free_cpus: dict[int, int] = {}  # free cores -> nodes with exactly that many
        self.with_free_gpus = [0] * (max(self.gpus, default=0) + 1)  # [k]: nodes with exactly k free GPUs
        self.by_weight: dict[int, int] = {}
        for i, count in enumerate(self.gpus):
            bit = 1 << i
            self.with_free_gpus[count] |= bit
            self.with_free_cpus[self.cpus[i]] = self.with_free_cpus.get(self.cpus[i], 0) | bit
            self.by_weight[self.weight[i]] = self.by_weight.get(self.weight[i], 0) | bit
        self.by_weight = dict(sorted(self.by_weight.items()))

    def copy(self) -> NodePool:
        """An independent copy of the changing part; the fixed part is shared."""
        twin = object.__new__(NodePool)
        twin.__dict__.update(self.__dict__)
        twin.free_cpus, twin.gpu_busy = self.free_cpus[:], self.gpu_busy[:]
        twin.used, twin.with_free_gpus, twin.with_free_cpus = self.used[:], self.with_free_gpus[:], self.with_free_cpus.copy()
        return twin

    def free_gpus(self, i: int) -> int:
        return self.gpus[i] - self.gpu_busy[i].bit_count()

    def at_least_gpus(self, count: int) -> int:
        """The nodes with ``count`` free GPUs or more."""
        found = 0
        for bits in self.with_free_gpus[count:]:
            found |= bits
        return found

    def at_least_cpus(self, count: int) -> int:
        """The nodes with ``count`` free cores or more."""
        found = 0
        for free, bits in self.with_free_cpus.items():
            if free >= count:
                found |= bits
        return found

    def take(self, allocation: Allocation) -> None:
        """Give these cores and GPUs away."""
        for i, cpus, gpus in allocation:
            bit = 1 << i
            self._change_cpus(i, bit, -cpus)
            if gpus:
                self._change_gpus(i, bit, self.gpu_busy[i] | gpus)
            self.used[i] += 1
            self.busy |= bit

    def give_back(self, allocation: Allocation) -> None:
        """The reverse of :meth:`take`."""
        for i, cpus, gpus in allocation:
            bit = 1 << i
            self._change_cpus(i, bit, cpus)
            if gpus:
                self._change_gpus(i, bit, self.gpu_busy[i] & ~gpus)
            self.used[i] -= 1
            if not self.used[i]:
                self.busy &= ~bit

    def _change_cpus(self, i: int, bit: int, more: int) -> None:
        levels, free = self.with_free_cpus, self.free_cpus[i]
        left = levels[free] ^ bit
        if left:
            levels[free] = left
        else:
            del levels[free]
        self.free_cpus[i] = free = free + more
        levels[free] = levels.get(free, 0) | bit

    def _change_gpus(self, i: int, bit: int, gpus: int) -> None:
        count = self.gpus[i]
        self.with_free_gpus[count - self.gpu_busy[i].bit_count()] ^= bit
        self.gpu_busy[i] = gpus
        self.with_free_gpus[count - gpus.bit_count()] ^= bit

    def lowest_gpus(self, i: int, count: int) -> int:
        """The ``count`` free GPUs of node ``i`` with the lowest indices, as a bit set."""
        free = ((1 << self.gpus[i]) - 1) & ~self.gpu_busy[i]
        chosen = 0
        for _ in range(count):
            low = free & -free
            chosen |= low
            free ^= low
        return chosen
