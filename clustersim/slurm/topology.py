"""``topology/tree``: jobs go to the leaf switches that fit best.

Source: facts, section 3, point 5; ``_eval_nodes_topo``, ``_topo_compare_switches`` and ``_topo_choose_best_switch`` in
``src/plugins/select/cons_tres/job_test.c`` of Slurm 22.05.
"""
from __future__ import annotations

from typing import TYPE_CHECKING

from clustersim.cluster import Cluster
from clustersim.slurm.jobs import bits_of

if TYPE_CHECKING:
    from clustersim.slurm.fill import Chosen, Filler

FAR = 1 << 30


class Tree:
    """The switches with their level, parent, nodes and distances from each other."""

    def __init__(self, cluster: Cluster) -> None:
        position = {switch.name: i for i, switch in enumerate(cluster.switches)}
        self.nodes: list[int] = []
        self.level: list[int] = []
        self.parent = list(range(len(cluster.switches)))
        for i, switch in enumerate(cluster.switches):
            children = [position[name] for name in switch.switches]
            bits = sum(1 << cluster.index[name] for name in switch.nodes)
            for child in children:
                bits |= self.nodes[child]
                self.parent[child] = i
            self.nodes.append(bits)
            self.level.append(1 + max(self.level[c] for c in children) if children else 0)
        self.distance = self._distances()

    def _distances(self) -> list[list[int]]:
        """Hops between switches: neighbours are 1 apart, switches without a common one infinitely far."""
        count = len(self.nodes)
        hops = [[0 if i == j else FAR for j in range(count)] for i in range(count)]
        for i, up in enumerate(self.parent):
            if up != i:
                hops[i][up] = hops[up][i] = 1
        for k in range(count):
            for i in range(count):
                for j in range(count):
                    hops[i][j] = min(hops[i][j], hops[i][k] + hops[k][j])
        return hops

    def leaves(self, nodes: int) -> int:
        """How many leaf switches the nodes touch."""
        return sum(1 for i, bits in enumerate(self.nodes) if not self.level[i] and bits & nodes)

    def choose(self, fill: Filler) -> Chosen | None:
        """Nodes under one top switch: lowest weights, then the leaf with the fewest free nodes that still holds the job."""
        available = fill.nodes
        top = self._top(fill, available)
        if top is None or fill.ask.required & ~self.nodes[top]:
            return None
        fill.add_required()
        if fill.done:
            return fill.answer
        must, best = self._by_weight(fill, available & self.nodes[top] & ~fill.taken.nodes)
        if best is None or fill.max_nodes <= 0:
            return None
        for i in bits_of(must):  # all nodes of the lower weights are used before the next weight is opened
            if fill.max_nodes > 0:
                fill.add(i)
        open_nodes = [(best | fill.taken.nodes) & bits for bits in self.nodes]
        needed = [bool(bits & fill.taken.nodes) for bits in self.nodes]
        if any(needed):
            for i, bits in enumerate(open_nodes):
                if needed[i] and not self.level[i] and self._fill(fill, bits):
                    return fill.answer
        self._spread(fill, open_nodes, needed)
        fits = fill.done or (fill.min_left <= 0 and fill.need_cpus <= 0 and fill.need_gpus <= 0)
        return fill.answer if fits else None

    def _top(self, fill: Filler, available: int) -> int | None:
        """The highest switch over all required nodes, or over nodes of the lowest weight that are enough."""
        top, lightest = None, (0, 0)
        required = fill.ask.required
        for i, bits in enumerate(self.nodes):
            here = bits & available
            if required:
                if required & here and (top is None or self.level[i] > self.level[top]):
                    top = i
                continue
            if not fill.enough_nodes(here.bit_count()) or not here:
                continue
            weight = min(fill.weight(n) for n in bits_of(here))
            if top is None or (self.level[i] >= self.level[top] and weight <= lightest):
                top, lightest = i, weight
        return top

    def _by_weight(self, fill: Filler, nodes: int) -> tuple[int, int | None]:
        """(nodes of lower weights, which must be used; all nodes opened), or ``None`` if even all are too few."""
        by_weight: dict[tuple[int, int], int] = {}
        for i in bits_of(nodes):
            by_weight[fill.weight(i)] = by_weight.get(fill.weight(i), 0) | 1 << i
        opened, lower = 0, 0
        for weight in sorted(by_weight):
            lower = opened
            opened |= by_weight[weight]
            gpus = fill.gpus(opened) if fill.need_gpus > 0 else 0
            if (fill.cores(opened) >= fill.need_cpus and fill.enough_nodes(opened.bit_count()) and gpus >= fill.need_gpus):
                return lower, opened
        return lower, None

    def _fill(self, fill: Filler, nodes: int) -> bool:
        for i in bits_of(nodes & ~fill.taken.nodes):
            if fill.max_nodes <= 0:
                break
            fill.add(i)
            if fill.done:
                return True
        return False

    def _spread(self, fill: Filler, open_nodes: list[int], needed: list[bool]) -> None:
        """Leaf after leaf: the nearest, and among equally near ones the best fit."""
        counts = [bits.bit_count() for bits in open_nodes]
        hops = [0] * len(counts)
        for i, used in enumerate(needed):
            if used:
                self._add_hops(hops, i)
        while True:
            best = -1
            for i in range(len(counts)):
                if not needed[i] and not self.level[i]:
                    best = self._better(hops, counts, fill.need_nodes, i, best)
            if best < 0:
                return
            self._add_hops(hops, best)
            before = fill.need_nodes
            if self._fill(fill, open_nodes[best]) or fill.need_nodes == before:
                return
            counts[best] = 0

    def _add_hops(self, hops: list[int], i: int) -> None:
        for j, distance in enumerate(self.distance[i]):
            hops[j] = min(hops[j] + distance, FAR)

    def _better(self, hops: list[int], counts: list[int], need: int, i: int, best: int) -> int:
        if best < 0 or hops[i] >= FAR or not counts[i]:
            return i if counts[i] and hops[i] < FAR else best
        order = self._compare(counts, need, i, best)
        if (hops[i] < hops[best] and order >= 0) or (hops[i] == hops[best] and order > 0):
            return i
        return best

    def _compare(self, counts: list[int], need: int, i: int, j: int) -> int:
        """1 if switch ``i`` is the better one: the tighter fit, or else the one whose parents fit."""
        while True:
            fits_i, fits_j = counts[i] >= need, counts[j] >= need
            if fits_i and fits_j:
                if counts[i] != counts[j]:
                    return 1 if counts[i] < counts[j] else -1
                break
            if fits_i or fits_j:
                return 1 if fits_i else -1
            up_i, up_j = self.parent[i], self.parent[j]
            if (up_i != i or up_j != j) and up_i != up_j:
                i, j = up_i, up_j
                continue
            break
        if counts[i] != counts[j]:
            return 1 if counts[i] > counts[j] else -1
        return (self.level[i] < self.level[j]) - (self.level[i] > self.level[j])
