"""Nodes with cores and GPUs: the resource model that Slurm's selection works on.

Which nodes have how much is kept as bit sets (plain integers, bit *i* is the node at position *i*), one for each amount.
Jobs with the same share on many nodes so come and go in a few operations, and a copy, from which planning takes jobs
away, costs next to nothing.
"""
from __future__ import annotations

from functools import lru_cache

from clustersim.cluster import Cluster
from clustersim.slurm.features import feature_bits
from clustersim.slurm.jobs import Allocation

Holding = tuple[tuple[int, int, int], ...]  # (bit set of nodes, cores on each, GPUs on each)


def holding(allocation: Allocation, gpus: bool = True) -> Holding:
    """The allocation with nodes of equal shares together; without ``gpus`` only its cores."""
    if len(allocation) == 1:
        [(i, cpus, indices)] = allocation
        return ((1 << i, cpus, indices.bit_count() if gpus else 0),)
    shares: dict[tuple[int, int], int] = {}
    for i, cpus, indices in allocation:
        key = (cpus, indices.bit_count() if gpus else 0)
        shares[key] = shares.get(key, 0) | 1 << i
    return tuple((nodes, cpus, count) for (cpus, count), nodes in shares.items())


class Levels:
    """An amount for every node: ``sets[amount]`` are the nodes with exactly that much."""

    __slots__ = ("_asked", "every", "sets")

    def __init__(self, amounts: list[int] | None = None) -> None:
        self.sets: dict[int, int] = {}
        self.every = (1 << len(amounts or ())) - 1
        self._asked: dict[int, int] = {}  # answers of at_least since the last change
        for i, amount in enumerate(amounts or ()):
            self.sets[amount] = self.sets.get(amount, 0) | 1 << i

    def copy(self) -> Levels:
        twin = Levels.__new__(Levels)
        twin.sets, twin.every, twin._asked = self.sets.copy(), self.every, {}
        return twin

    def change(self, nodes: int, more: int) -> None:
        """Add ``more`` to the amount of all ``nodes``."""
        sets, moved = self.sets, []
        if self._asked:
            self._asked = {}
        for amount, bits in sets.items():
            here = bits & nodes
            if here == nodes:  # all have the same so far, as most jobs' nodes do
                if nodes == bits:
                    del sets[amount]
                else:
                    sets[amount] = bits ^ nodes
                sets[amount + more] = sets.get(amount + more, 0) | nodes
                return
            if here:
                moved.append((amount, here))
        for amount, here in moved:
            left = sets[amount] ^ here
            if left:
                sets[amount] = left
            else:
                del sets[amount]
        for amount, here in moved:
            sets[amount + more] = sets.get(amount + more, 0) | here

    def at_least(self, amount: int) -> int:
        """The nodes with so much or more."""
        known = self._asked.get(amount)
        if known is not None:
            return known
        found = self.every
        for value, bits in self.sets.items():
            if value < amount:
                found ^= bits
        self._asked[amount] = found
        return found

    def of(self, i: int) -> int:
        """The amount of node ``i``."""
        bit = 1 << i
        for amount, bits in self.sets.items():
            if bits & bit:
                return amount
        raise IndexError(i)

    def total(self, nodes: int) -> int:
        """The sum over ``nodes``."""
        found = 0
        for amount, bits in self.sets.items():
            found += amount * (bits & nodes).bit_count()
        return found


class NodePool:
    """What is free where: ``free_cpus`` and ``free_gpus``. A node all of whose cores are free has no job."""

    def __init__(self, cluster: Cluster) -> None:
        nodes = cluster.nodes
        self.size = len(nodes)
        self.every = (1 << self.size) - 1
        self.cpus = [node.cpus for node in nodes]
        self.gpus = [node.gpus for node in nodes]
        self.weight = [node.weight for node in nodes]
        self.by_weight = dict(sorted(Levels(self.weight).sets.items()))
        self.features = feature_bits([node.features for node in nodes])
        self.gpu_types = feature_bits([frozenset({node.gpu_type}) if node.gpu_type else frozenset() for node in nodes])
        self.by_cpus = Levels(self.cpus).sets
        self.all_cpus = self.cpus[0] if len(self.by_cpus) == 1 else 0  # the cores of every node, if all have the same
        self.free_cpus, self.free_gpus = Levels(self.cpus), Levels(self.gpus)
        self.gpu_busy = [0] * self.size  # bit set of GPU indices in use; kept by the real pool only, not by copies

    def copy(self) -> NodePool:
        """An independent copy of what changes, without GPU indices; the fixed part is shared."""
        twin = object.__new__(NodePool)
        twin.__dict__.update(self.__dict__)
        twin.free_cpus, twin.free_gpus = self.free_cpus.copy(), self.free_gpus.copy()
        return twin

    @property
    def busy(self) -> int:
        """The nodes with any job."""
        free = self.free_cpus.sets
        if self.all_cpus:
            return self.every & ~free.get(self.all_cpus, 0)
        busy = self.every
        for cpus, nodes in self.by_cpus.items():
            busy &= ~(nodes & free.get(cpus, 0))
        return busy

    def take(self, held: Holding) -> None:
        """Give these cores and GPUs away."""
        for nodes, cpus, gpus in held:
            self.free_cpus.change(nodes, -cpus)
            if gpus:
                self.free_gpus.change(nodes, -gpus)

    def give_back(self, held: Holding) -> None:
        """The reverse of :meth:`take`."""
        for nodes, cpus, gpus in held:
            self.free_cpus.change(nodes, cpus)
            if gpus:
                self.free_gpus.change(nodes, gpus)

    def turn_gpus(self, allocation: Allocation) -> None:
        """Note that these GPU indices are in use now, or are so no more."""
        busy = self.gpu_busy
        for i, _cpus, gpus in allocation:
            busy[i] ^= gpus

    def lowest_gpus(self, i: int, count: int) -> int:
        """The ``count`` free GPUs of node ``i`` with the lowest indices, as a bit set."""
        return _lowest_of(((1 << self.gpus[i]) - 1) & ~self.gpu_busy[i], count)


@lru_cache(maxsize=4096)
def _lowest_of(free: int, count: int) -> int:
    chosen = 0
    for _ in range(count):
        low = free & -free
        chosen |= low
        free ^= low
    return chosen
