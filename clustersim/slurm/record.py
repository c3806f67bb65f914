"""Writes the log of a run and turns it into a :class:`~clustersim.trace.Trace`."""
from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, NamedTuple

from clustersim.clock import uncollected
from clustersim.slurm.jobs import Job, bits_of
from clustersim.slurm.shape import CORE
from clustersim.spans import Deferred
from clustersim.trace import Event, JobRecord, Place, Run, Trace
from clustersim.trace import Node as TraceNode
from clustersim.units import MINUTE

if TYPE_CHECKING:
    from clustersim.slurm.controller import Controller


class Nodes(NamedTuple):
    """What decides the states of nodes at ``time``: bit sets, and what is free as ``pool.Levels`` has it.

    ``nodes`` are those that may have changed.
    """

    time: int
    nodes: int
    free: dict[int, int]
    down: int
    drain: int
    completing: int
    maint: int
    planned: int

    def states(self, by_cpus: dict[int, int]) -> dict[str, int]:
        """The states that sinfo shows (long form), each with those of ``nodes`` that have it. ``by_cpus``: all cores of a node
        -> the nodes with so many."""
        left, states = self.nodes, {}
        busy = full = 0
        for amount, some in self.free.items():
            busy |= some & ~by_cpus.get(amount // CORE, 0)
            full |= some if amount < CORE else 0
        for state, some in (
                ("down", self.down), ("draining", self.drain & (busy | self.completing)), ("drained", self.drain),
                ("allocated", busy & full), ("mixed", busy), ("completing", self.completing),
                ("maint", self.maint), ("planned", self.planned), ("idle", left)):
            states[state] = left & some
            left &= ~some
        return states


# These take half the time of Event(...) and the like, of which every job has several.
_event: Callable[[tuple[Any, ...]], Event] = partial(tuple.__new__, Event)
_run: Callable[[tuple[Any, ...]], Run] = partial(tuple.__new__, Run)
_job_record: Callable[[tuple[Any, ...]], JobRecord] = partial(tuple.__new__, JobRecord)
nodes_now: Callable[[tuple[Any, ...]], Nodes] = partial(tuple.__new__, Nodes)


@lru_cache(maxsize=100_000)  # the same shares of a node come again and again
def place(node: str, cpus: int, gpus: int) -> Place:
    """What a run holds on a node; ``gpus`` is the bit set of indices."""
    return Place(node, cpus, _indices(gpus))


@lru_cache(maxsize=4096)
def _indices(gpus: int) -> tuple[int, ...]:
    return tuple(bits_of(gpus))


class Recorder:
    """The log so far. Of reasons only changes are written: a job knows what was said of it last.

    States of nodes are kept as they came and spelled out, node by node, when somebody looks at the log.
    """

    def __init__(self, names: list[str]) -> None:
        self.names = names
        self.log: list[Event | Nodes] = []

    def write(self, time: int, kind: str, subject: str, detail: dict[str, Any]) -> None:
        self.log.append(_event((time, kind, subject, detail)))

    def reason(self, now: int, job: Job) -> None:
        """Log the reason of a waiting job if it is another than before.

        Of several reasons at one instant the last is the event's; the others stand in its ``after``.
        """
        shown = job.shown_reason
        if job.said == shown:
            return
        job.said = shown
        last = self.log[job.said_at] if job.said_at >= 0 else None
        if isinstance(last, Event) and last.time == now:
            before = last.detail
            passed = [*before.get("after", ()), before["reason"]]
            self.log[job.said_at] = Event(now, "reason", job.key, {"reason": shown, "after": passed})
            return
        job.said_at = len(self.log)
        self.write(now, "reason", job.key, {"reason": shown})


def _spelled_out(log: Sequence[Event | Nodes], names: Sequence[str], by_cpus: dict[int, int]) -> Iterator[Event]:
    """The log with an event for each node whose state changed, in the order of the nodes."""
    known: dict[str, int] = {}  # state -> nodes last mentioned with it
    for entry in log:
        if isinstance(entry, Event):
            if entry.kind == "start":
                places = [[name, cpus, list(gpus)] for name, cpus, gpus in entry.detail["places"]]
                entry = entry._replace(detail={**entry.detail, "places": places})
            yield entry
            continue
        changed: list[tuple[int, str]] = []
        for state, bits in entry.states(by_cpus).items():
            news = bits & ~known.get(state, 0)
            if news:
                for other in known:
                    known[other] &= ~news
                known[state] = known.get(state, 0) | news
                changed += ((i, state) for i in bits_of(news))
        for i, state in sorted(changed):
            yield Event(entry.time, "node", names[i], {"state": state})


def make_trace(system: Controller, policy: str, until: int, seed: int) -> Trace:
    """Everything that happened up to ``until`` as a trace."""
    cluster = system.cluster
    nodes = tuple(TraceNode(node.name, node.cpus, node.gpus) for node in cluster.nodes)
    with uncollected():
        jobs = [_record(system, job) for job in system.jobs.values()]
    names, log, by_cpus = system.recorder.names, tuple(system.recorder.log), system.pool.by_cpus
    return Trace(policy, cluster.cpus, jobs, nodes, Deferred(lambda: _spelled_out(log, names, by_cpus)), until, seed)


def _record(system: Controller, job: Job) -> JobRecord:
    runs = list(job.runs)
    if job.state in {"RUNNING", "SUSPENDED"}:
        runs.append(current_run(job, None, job.state))
    spec, shape = job.spec, job.spec.shape
    extra: dict[str, Any] = {"job": spec.id, "name": spec.name, "partition": job.partition or ",".join(job.partitions)}
    if job.qos:
        extra["qos"] = job.qos
    if job.account:
        extra["account"] = job.account
    if job.suspended_s:
        extra["suspended_s"] = job.suspended_s
    if job.key in system.pauses:
        extra["suspended"] = system.pauses[job.key]
        if not spec.stoppable:
            extra["by_clock"] = True
    if job.end and not runs:
        extra["end_s"] = job.end
    limit = None if job.limit is None else job.limit * MINUTE
    reason = job.shown_reason if job.state == "PENDING" else "None"
    return _job_record((
        job.key, system.first_submit[job.key], spec.run + system.overheads.launch, limit, shape.min_cpus, shape.min_nodes,
        shape.gpus, spec.user, job.state, reason, tuple(runs), extra))


def current_run(job: Job, end: int | None, state: str, released: int | None = None, exit_code: str = "0:0") -> Run:
    """The run that goes on (or just ended) as a trace keeps it."""
    return _run((job.start, end, state, job.places, job.total_cpus, released, exit_code, ()))
