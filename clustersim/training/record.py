"""The record of a run as the engine writes it, and the Trace that follows from it.

The engine notes one row for each phase and each stretch of running; checkpoints, work and replay inside a stretch follow
from the rhythm. :meth:`Record.trace` spells all of it out as spans, attempts and events, when somebody looks.
"""
from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from clustersim.reliability.faults import Fault
from clustersim.trace import Deferred, Event, JobRecord, Run, Span, Trace
from clustersim.training.cycle import Cycle

RUN = "run"
TICKS = 1000

# What a note holds besides time, kind and node.
DETAILS = {"fault": ("cause", "nodes", "symptom"), "notice": ("cause", "by", "lost_ms"), "stall": ("cause", "seconds"),
           "slow": ("cause", "factor"), "planned": ("seconds",)}

# A Span, or for a stretch of running (start, end, RUN, cause, e0, p0, high, num, den).
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

    def trace(self) -> Trace:
        return Trace(policy="training", cores=self.gpus, jobs=Deferred(self._jobs), log=Deferred(self._events),
                     until=self.until, seed=self.seed, spans=Deferred(self.spans), ticks=TICKS)

    # --- spans ---

    def spans(self) -> list[Span]:
        """Every span; new work is where progress passes its highest point so far, replay is where it does not yet."""
        out: list[Span] = []
        for row in self.rows:
            if row[2] == RUN:
                self._expand(row, out.append)
            else:
                out.append(row)  # type: ignore[arg-type]
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

    # --- attempts ---

    def attempts(self) -> list[tuple[int, int, str]]:
        """From the first running of each attempt to its end, and the cause that ended it (empty: still running)."""
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
        rows: list[tuple[int, int, Event]] = [(0, 0, Event(0, "submit", name, {"gpus": self.gpus, "limit": None}))]
        for number, (start, end, cause) in enumerate(self.attempts(), 1):
            rows.append((start, 5, Event(start, "start", name, {"cores": self.gpus, "wait": 0, "attempt": number})))
            if cause:
                rows.append((end, 2, Event(end, "end", name, {"state": "FAILED"})))
            elif self.state != "RUNNING":
                rows.append((end, 6, Event(end, "end", name, {"state": self.state})))
        for time, kind, node, detail in self.notes:
            rows.append((time, 1 if kind == "fault" else 3, Event(time, kind, name, {
                "node": f"node-{node}", **dict(zip(DETAILS[kind], detail, strict=True))})))
        rows.sort(key=lambda row: row[:2])
        return (row[2] for row in rows)
