"""Which physical node fills which place of the job, which stand by, and which are in repair."""
from __future__ import annotations

from heapq import heapify, heappop, heappush
from random import Random

from clustersim.reliability.laws import Law, as_law
from clustersim.training.plan import Plan


class Pool:
    """Nodes 0 to n-1 begin in the job, the spares after them stand by. Times in milliseconds."""

    def __init__(self, plan: Plan, rng: Random) -> None:
        recovery = plan.recovery
        self.slot_of = {node: node for node in range(plan.nodes)}
        self.spares = list(range(plan.nodes + recovery.spares - 1, plan.nodes - 1, -1))
        self.incoming: list[tuple[int, int, int, int]] = []  # (arrival, node, slot, free from): on the way into the job
        self.missing: list[int] = []  # slots that nobody fills and nobody is on the way to
        self.cured: set[int] = set()
        self._repairs: list[tuple[int, int]] = []
        self._rng = rng
        self._repair: Law = as_law(recovery.repair)
        self._swap: Law = as_law(recovery.swap_time)
        self._queue: Law | None = None if recovery.queue_s is None else as_law(recovery.queue_s)
        self._lemon_after = recovery.lemon_after
        self._faults: dict[int, int] = {}

    def settle(self, now: int) -> None:
        """Everything up to ``now``: arrivals are in the job, repaired nodes stand by; who is late is missing again."""
        repairs = self._repairs
        if self.incoming:
            late = False
            for time, node, slot, free in self.incoming:
                if time <= now:
                    self.slot_of[node] = slot
                else:
                    repairs.append((free, node))
                    self.missing.append(slot)
                    late = True
            self.incoming.clear()
            if late:
                heapify(repairs)
        while repairs and repairs[0][0] <= now:
            self.spares.append(heappop(repairs)[1])

    def arrive(self, now: int) -> None:
        """Who has come by ``now`` is in the job; who is late stays on the way."""
        for entry in [entry for entry in self.incoming if entry[0] <= now]:
            self.incoming.remove(entry)
            self.slot_of[entry[1]] = entry[2]

    def take_out(self, node: int, now: int, repair_s: float) -> None:
        """The node leaves the job and goes into repair."""
        slot = self.slot_of.pop(node)
        seconds = repair_s if repair_s >= 0 else self._repair.draw(self._rng)
        heappush(self._repairs, (now + round(seconds * 1000), node))
        if self._lemon_after is not None:
            self._faults[node] = self._faults.get(node, 0) + 1
            if self._faults[node] >= self._lemon_after:
                self.cured.add(node)  # another machine comes in its place, under its number
        self.missing.append(slot)

    def leave(self, node: int, back: int) -> None:
        """The node is reset or rebooted and comes back to its own place at ``back``."""
        self.incoming.append((back, node, self.slot_of.pop(node), back))

    def fill(self, now: int) -> tuple[int, int]:
        """A node for every missing slot, asked for at ``now``: when the last one is free, and when the last one is in."""
        wait = there = now
        if self.missing:
            swap = round(self._swap.draw(self._rng) * 1000)
            for slot in self.missing:
                free, node = self._find(now)
                self.incoming.append((free + swap, node, slot, free))
                wait = max(wait, free)
            self.missing.clear()
            there = wait + swap
        return wait, there

    def _find(self, now: int) -> tuple[int, int]:
        if self.spares:
            return now, self.spares.pop()
        at, node = heappop(self._repairs)  # a node that left is in it for each missing slot, so it is not empty
        if self._queue is not None and at > now:
            # A machine from the scheduler if that is sooner, under the number of the one that it replaces.
            at = min(at, now + round(self._queue.draw(self._rng) * 1000))
        return max(at, now), node
