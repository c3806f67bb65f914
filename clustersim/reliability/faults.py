"""Processes that break nodes: each is an endless (or finite) series of faults in order of time.

A source knows physical nodes by number, those of the job first, then spares. It does not know which of them the job uses:
a fault of a node that is not in the job does not reach the job. So the hazard of each node stays its own whatever the
job does. Times are milliseconds from the start. Nothing is kept in a generator: a source can be copied in the middle.
"""
from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from heapq import heapify, heapreplace
from math import inf
from random import Random
from typing import NamedTuple, Protocol

from clustersim.reliability.causes import ANY
from clustersim.reliability.laws import Law, Mix

DAY_MS = 86_400_000
FAR = 1e16  # ms, 300,000 years: a fault that late does not come


class Fault(NamedTuple):
    """At ``time`` ms something happens to ``node`` (and the ``width`` - 1 nodes after it).

    ``seconds`` is how long a flap or a slow phase lasts; ``repair_s`` is how long the repair took where a trace says so,
    else negative. ``factor`` is the slowdown of a slow phase (1.34: every step takes 1.34 times as long).
    """

    time: int
    node: int
    cause: str
    width: int = 1
    seconds: float = 0.0
    repair_s: float = -1.0
    factor: float = 1.0


_fault = tuple.__new__  # makes one without looking at names and defaults, which would cost as much as drawing it


class Source(Protocol):
    """``take`` gives the next fault, or ``None`` when no more will come."""

    def take(self) -> Fault | None: ...


class Poisson:
    """Every node fails at a constant rate, lemons ``multiplier`` times as often (superposition of Poisson processes).

    ``per_node_day`` is the rate of a node that is no lemon. Lemons are the first ``lemons`` numbers of a shuffle.
    """

    def __init__(self, nodes: int, per_node_day: float, rng: Random, mix: Mix = ANY, lemons: int = 0,
                 multiplier: float = 1.0) -> None:
        self._rng, self._mix, self._nodes = rng, mix, nodes
        self.lemons: tuple[int, ...] = tuple(sorted(rng.sample(range(nodes), lemons))) if lemons else ()
        bad = lemons * multiplier
        self._lemon_share = bad / (nodes - lemons + bad) if bad else 0.0
        self._rate = (nodes - lemons + bad) * per_node_day / DAY_MS
        self._time = 0.0

    def take(self) -> Fault | None:
        if self._rate <= 0:
            return None
        rng = self._rng
        self._time += rng.expovariate(self._rate)
        if self._time > FAR:
            return None
        if self._lemon_share and rng.random() < self._lemon_share:
            node = self.lemons[int(rng.random() * len(self.lemons))]
        else:
            node = int(rng.random() * self._nodes)
            while self._lemon_share and node in self.lemons:
                node = int(rng.random() * self._nodes)
        return _fault(Fault, (int(self._time), node, self._mix.draw(rng), 1, 0.0, -1.0, 1.0))


class Renewal:
    """Each node fails after a time drawn from ``law`` (in days), is as good as new, and so on.

    All nodes are new at the start, so a Weibull shape below 1 shows its infant mortality; after many renewals the pooled
    stream comes near to Poisson with the rate nodes / mean.
    """

    def __init__(self, nodes: int, law: Law, rng: Random, mix: Mix = ANY) -> None:
        self._rng, self._mix, self._draw = rng, mix, law.draw
        self._heap = [(law.draw(rng) * DAY_MS, node) for node in range(nodes)]
        heapify(self._heap)

    def take(self) -> Fault | None:
        if not self._heap or self._heap[0][0] > FAR:
            return None
        time, node = self._heap[0]
        heapreplace(self._heap, (time + self._draw(self._rng) * DAY_MS, node))
        return Fault(int(time), node, self._mix.draw(self._rng))


class Groups:
    """Correlated faults: every group of ``size`` neighbouring nodes (a rack, the nodes behind a switch) goes down together."""

    def __init__(self, nodes: int, size: int, per_group_day: float, rng: Random, cause: str = "switch",
                 repair: Law | None = None) -> None:
        self._rng, self._size, self._cause, self._repair = rng, size, cause, repair
        self._nodes = nodes
        self._groups = -(-nodes // size)
        self._rate = self._groups * per_group_day / DAY_MS
        self._time = 0.0

    def take(self) -> Fault | None:
        if self._rate <= 0:
            return None
        self._time += self._rng.expovariate(self._rate)
        if self._time > FAR:
            return None
        first = int(self._rng.random() * self._groups) * self._size
        repair = self._repair.draw(self._rng) if self._repair else -1.0
        return Fault(int(self._time), first, self._cause, min(self._size, self._nodes - first), repair_s=repair)


class Episodes:
    """Flaps or slow phases: something that passes by itself after ``length`` seconds, at ``per_node_day`` a node."""

    def __init__(self, nodes: int, per_node_day: float, length: Law, rng: Random, cause: str, factor: float = 1.0) -> None:
        self._rng, self._length, self._cause, self._factor, self._nodes = rng, length, cause, factor, nodes
        self._rate = nodes * per_node_day / DAY_MS
        self._time = 0.0

    def take(self) -> Fault | None:
        if self._rate <= 0:
            return None
        self._time += self._rng.expovariate(self._rate)
        if self._time > FAR:
            return None
        node = int(self._rng.random() * self._nodes)
        return Fault(int(self._time), node, self._cause, seconds=self._length.draw(self._rng), factor=self._factor)


class Recorded:
    """Faults that are known in advance: a public trace, or those of an earlier run."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults: Sequence[Fault] = sorted(faults, key=lambda f: (f.time, f.node))
        self._next = 0

    def take(self) -> Fault | None:
        if self._next >= len(self.faults):
            return None
        self._next += 1
        return self.faults[self._next - 1]


class Merged:
    """Several sources as one, in order of time; at one instant the source named first comes first."""

    def __init__(self, sources: Sequence[Source]) -> None:
        self._sources = tuple(sources)
        self._heads = [source.take() for source in self._sources]

    def take(self) -> Fault | None:
        heads = self._heads
        best, when = -1, inf
        for i, head in enumerate(heads):
            if head is not None and head.time < when:
                best, when = i, head.time
        if best < 0:
            return None
        fault = heads[best]
        heads[best] = self._sources[best].take()
        return fault


def until(source: Source, end_ms: int) -> Iterator[Fault]:
    """The faults before ``end_ms``; one later fault is taken from the source."""
    while (fault := source.take()) is not None and fault.time < end_ms:
        yield fault
