"""The rhythm of training and saving, in closed form, so that no checkpoint needs an event of its own.

A cycle is ``n`` stretches of ``train`` ms, each followed by a save that blocks ``fast`` ms; the n-th save also goes to
the slow tier and blocks ``slow`` ms more. Position ``e`` counts milliseconds of running since the last (re)start of the
rhythm. With one tier n is 1 and ``fast`` 0.
"""
from __future__ import annotations

from collections.abc import Iterator

NEVER = 1 << 60


class Cycle:
    """``train`` is at least 1; a job that never saves has ``train`` NEVER."""

    __slots__ = ("fast", "length", "n", "part", "slow", "train")

    def __init__(self, train: int, fast: int = 0, slow: int = 0, n: int = 1) -> None:
        self.train, self.fast, self.slow, self.n = train, fast, slow, n
        self.part = train + fast
        self.length = n * self.part + slow

    def trained(self, e: int) -> int:
        """Milliseconds of training (not of saving) in the first ``e`` ms."""
        train = self.train
        if e <= train:
            return e
        full, rest = divmod(e, self.length)
        if self.n == 1:
            return (full + 1) * train if rest > train else full * train + rest
        i = min(rest // self.part, self.n - 1)
        return (full * self.n + i) * train + min(rest - i * self.part, train)

    def saves(self, e: int) -> tuple[int, int]:
        """How many fast saves and slow saves have been written (not yet uploaded) after ``e`` ms."""
        full, rest = divmod(e, self.length)
        return full * self.n + min(rest // self.part, self.n), full

    def position(self, trained: int) -> int:
        """The earliest ``e`` at which this much training is done: the save that may follow is not in it."""
        if trained <= 0:
            return 0
        stretches, last = divmod(trained - 1, self.train)
        full, i = divmod(stretches, self.n)
        return full * self.length + i * self.part + last + 1

    def parts(self, start: int, end: int, shift: int = 0) -> Iterator[tuple[int, int, bool]]:
        """The pieces from position ``start`` to ``end``: first, last (both plus ``shift``), and whether it is training."""
        full, rest = divmod(start, self.length)
        i = min(rest // self.part, self.n - 1)
        turn = full * self.length + i * self.part + self.train
        while start < end:
            if start < turn:
                stop = turn if turn < end else end
                yield start + shift, stop + shift, True
                start = stop
            i += 1
            after = turn + self.fast
            if i == self.n:
                i, after = 0, after + self.slow
            stop = after if after < end else end
            if start < stop:
                yield start + shift, stop + shift, False
                start = stop
            turn = after + self.train
