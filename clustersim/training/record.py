"""The record of a run as the engine writes it, and the Trace that follows from it.

The engine notes one row for each phase and each stretch of running; checkpoints, work and replay inside a stretch follow
from the rhythm. :meth:`Record.trace` spells all of it out as spans, attempts and events, when somebody looks.
"""
from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any

from clustersim.reliability.faults import Fault
from clustersim.spans import Deferred, DeferredSpans, Span, Totals
from clustersim.trace import Event, JobRecord, Run, Trace
from clustersim.training.cycle import Cycle

RUN = "run"
TICKS = 1000

# What a note holds besides time and kind.
DETAILS = {"fault": ("node", "cause", "nodes", "symptom"), "notice": ("node", "cause", "by", "lost_ms"),
           "stall": ("node", "cause", "seconds"), "slow": ("node", "cause", "factor"), "planned": ("node", "seconds")}

# As a Span, or for a stretch of running (start, end, RUN, cause, e0, p0, high, num, den).
Row = tuple[Any, ...]


@dataclass
class Record:
    """``rows`` follow each other without a gap; ``notes`` are events; ``starts`` begin attempts."""

    name: str
    cycle: Cycle
    gpus: int
    seed: int | None
    work: int | None
    rows: list[Row] = field(default_factory=list)
    notes: list[tuple[int, str, int, tuple[object, ...]]] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)
    state: str = "RUNNING"
    until: int = 0
    _attempts: list[tuple[int, int, str]] | None = None

    def trace(self) -> Trace:
        return Trace(policy="training", cores=self.gpus, jobs=Deferred(self._jobs), log=Deferred(self._events),
                     until=self.until, seed=self.seed, spans=DeferredSpans(self.spans, self.totals), ticks=TICKS)

    # --- spans ---

    def spans(self) -> list[Span]:
        """Every span; new work is where progress passes its highest point so far, replay is where it does not yet."""
        out: list[Span] = []
        for row in self.rows:
            if row[2] == RUN:
                self._expand(row, out.append)
            else:
                out.append(tuple.__new__(Span, row))
        return out

    def _expand(self, row: Row, add: Callable[[Span], None]) -> None:
        start, end, _kind, cause, e0, p0, high, num, den = row
        name, cycle, make = self.name, self.cycle, tuple.__new__
        base = trained = cycle.trained(e0)
        done = high - p0 if high > p0 else 0  # work done before, and done again first
        turn = base - (-done * den // num)  # the trained time at which that ends
        for a, b, training in cycle.parts(e0, end - start + e0, start - e0):
            if not training:
                add(make(Span, (a, b, "checkpoint", name, "", 0)))
                continue
            after = trained + b - a
            if trained < turn:
                middle = b if after <= turn else a + turn - trained
                add(make(Span, (a, middle, "replay", name, cause, 0)))
                a = middle
            if after > turn:
                work = after - base if num == den else num * (after - base) // den
                add(make(Span, (a, b, "work", name, "", work - done)))
                done = work
            trained = after

    def totals(self) -> Totals:
        """What the spans add up to, in closed form: a save every few seconds costs no more than one every hour."""
        times: defaultdict[tuple[str, str], int] = defaultdict(int)
        training_all = run_all = work = 0
        trained = self.cycle.trained
        for row in self.rows:
            if row[2] != RUN:
                times[row[2], row[4]] += row[1] - row[0]
                continue
            start, end, _kind, cause, e0, p0, high, num, den = row
            training = trained(e0 + end - start) - trained(e0)
            run_all += end - start
            training_all += training
            done = num * training // den
            if high > p0:  # work done before, and done again first
                replay = min(training, -(-(high - p0) * den // num))
                times["replay", cause] += replay
                done = max(0, done - (high - p0))
            work += done
        replayed = sum(time for (kind, _cause), time in times.items() if kind == "replay")
        times["checkpoint", ""] += run_all - training_all
        found = {key: (time, 0) for key, time in times.items() if time}
        if training_all > replayed:
            found["work", ""] = training_all - replayed, work
        return found

    # --- attempts ---

    def attempts(self) -> list[tuple[int, int, str]]:
        """From the first running of each attempt to its end, and the cause that ended it (empty: still running)."""
        if self._attempts is None:
            self._attempts = self._find_attempts()
        return self._attempts

    def _find_attempts(self) -> list[tuple[int, int, str]]:
        found: list[tuple[int, int, str]] = []
        begin = end = -1
        for row in self.rows:
            if row[2] == RUN:
                begin, end = (row[0] if begin < 0 else begin), row[1]
            elif row[2] in ("stall", "grow", "shrink"):
                end = row[1] if begin >= 0 else end
            elif begin >= 0:
                found.append((begin, end, row[4]))
                begin = -1
        if begin >= 0:
            found.append((begin, end, ""))
        return found

    def _jobs(self) -> list[JobRecord]:
        runs = []
        for start, end, cause in self.attempts():
            running = not cause and self.state == "RUNNING"
            runs.append(Run(start, None if running else end, self.state if not cause else "FAILED", cores=self.gpus))
        work = self.work if self.work is not None else 0
        return [JobRecord(id=self.name, submit=0, runtime=work, limit=None, cores=self.gpus, gpus=self.gpus,
                          state=self.state, runs=tuple(runs), extra=dict(self.facts))]

    # --- events ---

    def _events(self) -> Iterator[Event]:
        name = self.name
        # Time, order at one instant, kind, detail; the sort is stable.
        rows: list[tuple[int, int, str, dict[str, Any]]] = [(0, 0, "submit", {"gpus": self.gpus, "limit": None})]
        for number, (start, end, cause) in enumerate(self.attempts(), 1):
            rows.append((start, 5, "start", {"cores": self.gpus, "wait": 0, "attempt": number}))
            if cause:
                rows.append((end, 2, "end", {"state": "FAILED"}))
            elif self.state != "RUNNING":
                rows.append((end, 6, "end", {"state": self.state}))
        for time, kind, node, detail in self.notes:
            found = dict(zip(DETAILS[kind], (f"node-{node}", *detail), strict=True))
            rows.append((time, 1 if kind == "fault" else 3, kind, found))
        rows.sort(key=itemgetter(0, 1))
        make = tuple.__new__
        return (make(Event, (time, kind, name, detail)) for time, _order, kind, detail in rows)
