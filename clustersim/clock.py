"""Simulated time: the only module that knows SimPy.

One SimPy process serves the whole system (a process per job costs three to five times as much). A *system* keeps its
own agenda; the clock asks when something can happen next, sleeps until then and lets the system handle that one
instant::

    system.next_time() -> int | None      the earliest instant whose outcome can differ; None when nothing is left
    system.instant(now)                   everything at that instant, in the order ends, faults, inputs, controllers

All state lives in the system, none in the process, so a run can stop at any instant and go on later.
"""
from __future__ import annotations

import gc
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from heapq import heappop, heappush
from typing import Any, Protocol

import simpy

# Order of what happens at one instant.
PHASES = 4
ENDS, FAULTS, INPUTS, CONTROLLERS = range(PHASES)

NEVER = 2**62  # an instant that does not come


@contextmanager
def uncollected() -> Iterator[None]:
    """Keep Python from looking for garbage in cycles meanwhile.

    Jobs, runs and the log are there to stay, and every search walks through all of them: a fifth of a long run's time.
    Freezing and thawing puts them among the old objects, unseen, so that the next search does not begin with all of them.
    """
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            if not gc.get_freeze_count():  # else somebody froze objects for good
                gc.freeze()
                gc.unfreeze()
            gc.enable()


class System(Protocol):
    """What the clock drives."""

    def next_time(self) -> int | None: ...

    def instant(self, now: int) -> None: ...


class _Alarm(simpy.Event):
    """An event that is set again and again: a new ``Timeout`` for each instant costs twice as much."""

    _ok, _value = True, None

    def after(self, delay: int) -> simpy.Event:
        if delay < 0:
            raise ValueError(f"a delay of {delay}")
        self.callbacks = []
        self.env.schedule(self, delay=delay)
        return self


class Clock:
    """Drives one system. ``now`` is the last instant handled."""

    def __init__(self, system: System, start: int = 0) -> None:
        self.system = system
        self.now = start

    def run(self, until: int | None = None) -> int:
        """Handle every instant up to and including ``until`` (all there are if ``None``); returns the last one.

        Calling it again goes on from there. An instant earlier than ``now`` is a bug of the system and raises.
        """
        env = simpy.Environment(initial_time=self.now)
        env.process(self._serve(env, until))
        with uncollected():
            env.run()
        if until is not None:
            self.now = max(self.now, until)
        return self.now

    def _serve(self, env: simpy.Environment, until: int | None) -> Generator[simpy.Event, Any, None]:
        next_time, instant, alarm = self.system.next_time, self.system.instant, _Alarm(env)
        now, until = self.now, NEVER if until is None else until
        while (then := next_time()) is not None and then <= until:
            if then != now:
                yield alarm.after(then - now)
                now = then
            instant(now)
            self.now = now


class Agenda:
    """What a system still has to do: entries ordered by time, then phase, then order of entry."""

    def __init__(self) -> None:
        self._items: dict[int, list[Any]] = {}  # key of time and phase -> what is to do, in order of entry
        self._heap: list[int] = []  # the keys, except for ...
        self._known: list[int] = []  # ... those known beforehand, the earliest last, as long as an earlier one is on the heap
        self.soonest = NEVER  # when the next entry is due

    def fill(self, entries: Iterable[tuple[int, int, Any]]) -> None:
        """Put in many entries (time, phase, item) that are known beforehand; they do not burden the heap."""
        for time, phase, item in entries:
            key = time * PHASES + phase
            if key not in self._items:
                self._items[key] = []
                self._known.append(key)
            self._items[key].append(item)
        self._known.sort(reverse=True)
        self._look()

    def _look(self) -> None:
        heap, known = self._heap, self._known
        if known and (not heap or known[-1] < heap[0]):
            heappush(heap, known.pop())
        self.soonest = heap[0] // PHASES if heap else NEVER

    def put(self, time: int, phase: int, item: Any) -> None:
        key = time * PHASES + phase
        items = self._items.get(key)
        if items is not None:
            items.append(item)
            return
        self._items[key] = [item]
        heappush(self._heap, key)
        if time < self.soonest:
            self.soonest = time

    def next_time(self) -> int | None:
        return None if self.soonest == NEVER else self.soonest

    def pop(self, now: int) -> Any:
        """The next item due at ``now``, or ``None`` when there is no more."""
        return None if self.soonest > now else self.take()

    def take(self) -> Any:
        """The next item, whenever it is due; there must be one."""
        key = self._heap[0]
        items = self._items[key]
        item = items.pop(0)
        if not items:
            del self._items[key]
            heappop(self._heap)
            self._look()
        return item
