"""Backfill's table of free nodes over time (``node_space`` in ``src/plugins/sched/backfill/backfill.c`` of Slurm 22.05)."""
from __future__ import annotations

from bisect import bisect_left, bisect_right


class NodeSpace:
    """From ``times[i]`` to ``times[i + 1]`` the nodes of the bit set ``nodes[i]`` are not planned for anybody.

    Times are rounded down to the resolution, as Slurm does. Neighbouring spans are never equal.
    """

    def __init__(self, now: int, resolution: int, window: int, nodes: int, clock: int = 0) -> None:
        self.resolution, self.clock = resolution, clock  # the grid lies on the wall clock, which showed ``clock`` at 0
        self.times = [self.floor(now), self.floor(now + window)]
        self.nodes = [nodes]

    def floor(self, time: int) -> int:
        return time - (time + self.clock) % self.resolution

    def _at(self, time: int) -> int:
        """The first span that ends behind ``time``."""
        return max(bisect_right(self.times, time) - 1, 0)

    def between(self, begin: int, end: int, nodes: int) -> tuple[int, int]:
        """Which of ``nodes`` are free from ``begin`` to ``end``, and from when more could be (0: never more)."""
        times, free, left, later = self.times, self.nodes, nodes, 0
        for i in range(self._at(begin), len(free)):
            here = left & free[i]
            if not later and i + 1 < len(free) and nodes & free[i + 1] & ~here:
                later = times[i + 1]
            if times[i] > end:
                break
            left = here
        return left, later

    def first(self, begin: int, seconds: int, nodes: int, count: int, required: int) -> tuple[int, int, int]:
        """The first time from ``begin`` on at which ``count`` of ``nodes``, all of ``required`` among them, are free for
        ``seconds``; else the last one looked at. With it these nodes, and from when more could be (0: never more)."""
        while True:
            free, later = self.between(begin, begin + seconds, nodes)
            if not later or (free.bit_count() >= count and not required & ~free):
                return begin, free, later
            begin = later

    def taken_behind(self, end: int, nodes: int) -> int:
        """When a plan that begins behind ``end`` first takes any of ``nodes`` (0: none does)."""
        for i in range(bisect_right(self.times, end), len(self.nodes)):
            if nodes & ~self.nodes[i]:
                return self.times[i]
        return 0

    def clashes(self, begin: int, end: int, nodes: int) -> bool:
        """Whether any of ``nodes`` is planned for somebody between ``begin`` and ``end``."""
        for i in range(self._at(begin), len(self.nodes)):
            if self.times[i] >= end:
                return False
            if nodes & ~self.nodes[i]:
                return True
        return False

    def reserve(self, begin: int, end: int, nodes: int) -> None:
        """Take the nodes out of the table; a plan covers one step of the resolution at least."""
        begin = max(begin, self.times[0])
        first = self._split(begin)
        behind = self._split(max(end, begin + self.resolution))
        for i in range(first, behind):
            self.nodes[i] &= ~nodes
        for i in range(min(behind, len(self.nodes) - 1), max(first, 1) - 1, -1):
            if self.nodes[i] == self.nodes[i - 1]:
                del self.nodes[i], self.times[i]

    def _split(self, time: int) -> int:
        """Let a span begin at ``time``; its position, or that behind the last span if the table does not reach so far."""
        i = bisect_left(self.times, time)
        if i == len(self.times):
            return len(self.nodes)
        if self.times[i] != time:
            self.times.insert(i, time)
            self.nodes.insert(i, self.nodes[i - 1])
        return i
