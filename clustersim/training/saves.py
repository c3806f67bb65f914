"""Which checkpoints exist and how far they reach: progress that is safe, in milliseconds of work."""
from __future__ import annotations

from typing import NamedTuple

from clustersim.training.cycle import Cycle


class Stretch(NamedTuple):
    """A time of running without a stop: from ``start`` to ``end`` ms, begun at position ``e0`` of the rhythm.

    Progress began at ``p0`` and grew by ``num`` / ``den`` of the time trained. ``killed``: a fault ended it, and with it
    every upload under way; otherwise uploads go on in the background.
    """

    start: int
    end: int
    e0: int
    p0: int
    num: int
    den: int
    killed: bool

    def progress(self, cycle: Cycle, trained: int) -> int:
        """Progress when the rhythm counts ``trained`` ms of training."""
        return self.p0 + self.num * (trained - cycle.trained(self.e0)) // self.den


class Point(NamedTuple):
    """A save made on purpose: the state of ``time``, safe at once."""

    time: int
    progress: int


class Saves:
    """The durable checkpoints of one run. ``history``: keep all (a silent corruption may need an old one)."""

    def __init__(self, cycle: Cycle, upload: int, keep: int | None, history: bool) -> None:
        self.cycle, self.upload, self.keep, self.history = cycle, upload, keep, history
        self._made: list[Stretch | Point] = []

    def add(self, stretch: Stretch) -> None:
        """A stretch has ended; one without a finished slow save is forgotten."""
        length = self.cycle.length
        end = stretch.e0 + stretch.end - stretch.start
        if end // length <= stretch.e0 // length:
            return
        if not self.history and (end - self.upload) // length > stretch.e0 // length:
            self._made.clear()  # all older saves are older than this durable one
        self._made.append(stretch)

    def add_point(self, time: int, progress: int) -> None:
        """A save made for a planned stop."""
        if not self.history:
            self._made.clear()
        self._made.append(Point(time, progress))

    def newest(self, now: int) -> int:
        """Progress in the newest durable checkpoint at ``now``; 0 if there is none."""
        cycle = self.cycle
        for made in reversed(self._made):
            if isinstance(made, Point):
                return made.progress
            last, before = self._durable(made, now)
            if last > before:
                return made.progress(cycle, last * cycle.n * cycle.train)
        return 0

    def before(self, now: int, moment: int) -> int:
        """Progress in the newest of the kept checkpoints whose state was taken by ``moment``; 0 if all are younger.

        Younger ones are dropped: they hold the corruption.
        """
        left = self.keep if self.keep is not None else 1 << 60
        cycle, lead = self.cycle, self.cycle.fast + self.cycle.slow
        while self._made and left > 0:
            made = self._made.pop()
            if isinstance(made, Point):
                if made.time <= moment:
                    self._made.append(made)
                    return made.progress
                left -= 1
                continue
            last, before = self._durable(made, now)
            # The state of save m is that of position m * length - lead.
            clean = min(last, (moment - made.start + made.e0 + lead) // cycle.length)
            left -= max(0, last - max(clean, before))
            if clean > before and left > 0:
                self._made.append(made._replace(end=made.start + clean * cycle.length - made.e0 + self.upload, killed=True))
                return made.progress(cycle, clean * cycle.n * cycle.train)
        self._made.clear()
        return 0

    def _durable(self, stretch: Stretch, now: int) -> tuple[int, int]:
        """The number of the last slow save that is durable at ``now``, and of the last before this stretch."""
        length = self.cycle.length
        end = stretch.e0 + stretch.end - stretch.start
        limit = end if stretch.killed else stretch.e0 + now - stretch.start
        return min(end // length, (limit - self.upload) // length), stretch.e0 // length
