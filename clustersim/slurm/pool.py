"""Nodes with cores and GPUs: the resource model that Slurm's selection works on.

Which nodes have how much is kept as bit sets (plain integers, bit *i* is the node at position *i*), one for each amount.
Jobs with the same share on many nodes so come and go in a few operations, and a copy, from which planning takes jobs
away, costs next to nothing.
"""
from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from clustersim.cluster import Cluster
from clustersim.slurm.features import feature_bits
from clustersim.slurm.jobs import Allocation
from clustersim.slurm.shape import CORE, GPUS

Holding = tuple[tuple[int, int], ...]  # (bit set of nodes, what each of them gives)


def holding(allocation: Iterable[tuple[int, int, int]], gpus: bool = True) -> Holding:
    """The allocation with nodes of equal shares together; without ``gpus`` only its cores."""
    shares: dict[int, int] = {}
    for i, cpus, indices in allocation:
        share = cpus * CORE + indices.bit_count() if gpus else cpus * CORE
        shares[share] = shares.get(share, 0) | 1 << i
    return tuple((nodes, share) for share, nodes in shares.items())


def _grouped(amounts: list[int]) -> dict[int, int]:
    """The nodes of each amount as bit sets."""
    groups: dict[int, int] = {}
    for i, amount in enumerate(amounts):
        groups[amount] = groups.get(amount, 0) | 1 << i
    return groups


class Levels:
    """Cores and GPUs of every node: ``sets[amount]`` are the nodes with exactly ``amount`` (see ``shape.CORE``)."""

    __slots__ = ("_asked", "every", "sets")

    def __init__(self, amounts: list[int]) -> None:
        self.sets = _grouped(amounts)
        self.every = (1 << len(amounts)) - 1
        self._asked: dict[int, int] = {}  # answers of at_least since the last change

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
        """The nodes with so many cores or more and so many GPUs or more."""
        known = self._asked.get(amount)
        if known is not None:
            return known
        found, gpus = self.every, amount & GPUS
        for value, bits in self.sets.items():
            if value < amount or value & GPUS < gpus:
                found ^= bits
        self._asked[amount] = found
        return found

    def cores(self, i: int) -> int:
        """The cores of node ``i``."""
        return self._of(i) // CORE

    def gpus(self, i: int) -> int:
        """The GPUs of node ``i``."""
        return self._of(i) & GPUS

    def _of(self, i: int) -> int:
        bit = 1 << i
        for amount, bits in self.sets.items():
            if bits & bit:
                return amount
        raise IndexError(i)

    def all_cores(self, nodes: int) -> int:
        """The cores of all of ``nodes``."""
        return sum([amount // CORE * (bits & nodes).bit_count() for amount, bits in self.sets.items()])

    def all_gpus(self, nodes: int) -> int:
        """The GPUs of all of ``nodes``."""
        return sum([(amount & GPUS) * (bits & nodes).bit_count() for amount, bits in self.sets.items()])


class NodePool:
    """What is free where. A node all of whose cores are free has no job that runs."""

    def __init__(self, cluster: Cluster) -> None:
        nodes = cluster.nodes
        self.size = len(nodes)
        self.every = (1 << self.size) - 1
        self.cpus = [node.cpus for node in nodes]
        self.gpus = [node.gpus for node in nodes]
        self.weight = [node.weight for node in nodes]
        self.by_weight = dict(sorted(_grouped(self.weight).items()))
        self.by_cpus = _grouped(self.cpus)
        self.all_cpus = self.cpus[0] if len(self.by_cpus) == 1 else 0  # the cores of every node, if all have the same
        self.features = feature_bits([node.features for node in nodes])
        self.gpu_types = feature_bits([frozenset({node.gpu_type}) if node.gpu_type else frozenset() for node in nodes])
        self.free = Levels([node.cpus * CORE + node.gpus for node in nodes])
        self.gpu_busy = [0] * self.size  # bit set of GPU indices in use; kept by the real pool only, not by copies

    def copy(self) -> NodePool:
        """An independent copy of what changes, without GPU indices; the fixed part is shared."""
        twin = object.__new__(NodePool)
        twin.__dict__.update(self.__dict__)
        twin.free = self.free.copy()
        return twin

    @property
    def busy(self) -> int:
        """The nodes with any job."""
        if self.all_cpus:
            return self.every ^ self.free.at_least(self.all_cpus * CORE)
        busy = self.every
        for cpus, nodes in self.by_cpus.items():
            busy &= ~(nodes & self.free.at_least(cpus * CORE))
        return busy

    def take(self, held: Holding) -> None:
        """Give these cores and GPUs away."""
        for nodes, share in held:
            self.free.change(nodes, -share)

    def give_back(self, held: Holding) -> None:
        """The reverse of :meth:`take`."""
        for nodes, share in held:
            self.free.change(nodes, share)

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
