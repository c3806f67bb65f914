"""Writes the log of a run and turns it into a :class:`~clustersim.trace.Trace`."""
from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, NamedTuple

from clustersim.clock import uncollected
from clustersim.slurm.jobs import Job, bits_of
from clustersim.spans import Deferred
from clustersim.trace import Event, JobRecord, Place, Run, Trace
from clustersim.trace import Node as TraceNode
from clustersim.units import MINUTE

if TYPE_CHECKING:
    from clustersim.slurm.controller import Controller


class Nodes(NamedTuple):
    """What decides the states of nodes at ``time``, each a bit set; ``nodes`` are those that may have changed."""

    time: int
    nodes: int
    busy: int
    full: int
    down: int
    drain: int
    completing: int
    maint: int
    planned: int

    def states(self) -> dict[str, int]:
        """The states that sinfo shows (long form), each with those of ``nodes`` that have it."""
        left, states = self.nodes, {}
        for state, some in (
                ("down", self.down), ("draining", self.drain & (self.busy | self.completing)), ("drained", self.drain),
                ("allocated", self.busy & self.full), ("mixed", self.busy), ("completing", self.completing),
                ("maint", self.maint), ("planned", self.planned), ("idle", left)):
            states[state] = left & some
            left &= ~some
        return states


# These take half the time of Event(...) and Nodes(...), of which every job has several.
_event: Callable[[tuple[Any, ...]], Event] = partial(tuple.__new__, Event)
nodes_now: Callable[[tuple[int, ...]], Nodes] = partial(tuple.__new__, Nodes)


@lru_cache(maxsize=100_000)  # the same shares of a node come again and again
def place(node: str, cpus: int, gpus: int) -> Place:
    """What a run holds on a node; ``gpus`` is the bit set of indices."""
    return Place(node, cpus, _indices(gpus))


@lru_cache(maxsize=4096)
def _indices(gpus: int) -> tuple[int, ...]:
    return tuple(bits_of(gpus))


class Recorder:
    """The log so far, and the last reasons written, so that only changes are.

    States of nodes are kept as they came and spelled out, node by node, when somebody looks at the log.
    """

    def __init__(self, names: list[str]) -> None:
        self.names = names
        self.log: list[Event | Nodes] = []
        self.reasons: dict[str, str] = {}
        self._last_reason: dict[str, int] = {}  # where in the log the job's last reason stands

    def write(self, time: int, kind: str, subject: str, **detail: Any) -> None:
        self.log.append(_event((time, kind, subject, detail)))

    def reason(self, now: int, job: Job) -> None:
        """Log the reason of a waiting job if it is another than before.

        Of several reasons at one instant the last is the event's; the others stand in its ``after``.
        """
        shown = job.shown_reason
        if self.reasons.get(job.key) == shown:
            return
        self.reasons[job.key] = shown
        place = self._last_reason.get(job.key, -1)
        last = self.log[place] if place >= 0 else None
        if isinstance(last, Event) and last.time == now:
            before = last.detail
            passed = [*before.get("after", ()), before["reason"]]
            self.log[place] = Event(now, "reason", job.key, {"reason": shown, "after": passed})
            return
        self._last_reason[job.key] = len(self.log)
        self.write(now, "reason", job.key, reason=shown)

    def forget_reason(self, job: Job) -> None:
        """After a start or a requeue the next reason counts as new."""
        self.reasons.pop(job.key, None)
        self._last_reason.pop(job.key, None)


def _spelled_out(log: Sequence[Event | Nodes], names: Sequence[str]) -> Iterator[Event]:
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
        for state, bits in entry.states().items():
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
    names, log = system.recorder.names, tuple(system.recorder.log)
    return Trace(policy, cluster.cpus, jobs, nodes, Deferred(lambda: _spelled_out(log, names)), until, seed)


def _record(system: Controller, job: Job) -> JobRecord:
    runs = list(job.runs)
    if job.state in {"RUNNING", "SUSPENDED"}:
        runs.append(current_run(job, None, job.state))
    spec = job.spec
    extra: dict[str, Any] = {"job": spec.id, "name": spec.name, "partition": job.partition or ",".join(job.partitions)}
    if job.qos:
        extra["qos"] = job.qos
    if job.account:
        extra["account"] = job.account
    if job.suspended_s:
        extra["suspended_s"] = job.suspended_s
    if job.key in system.pauses:
        extra["suspended"] = system.pauses[job.key]
    if job.end and not runs:
        extra["end_s"] = job.end
    if job.key in system.pauses and not spec.stoppable:
        extra["by_clock"] = True
    return JobRecord(
        id=job.key, submit=system.first_submit[job.key], runtime=spec.run + system.overheads.launch,
        limit=None if job.limit is None else job.limit * MINUTE, cores=spec.min_cpus, nodes=spec.min_nodes, gpus=spec.gpus,
        user=spec.user, state=job.state, reason=job.shown_reason if job.state == "PENDING" else "None", runs=tuple(runs),
        extra=extra)


def current_run(job: Job, end: int | None, state: str, released: int | None = None, exit_code: str = "0:0") -> Run:
    """The run that goes on (or just ended) as a trace keeps it."""
    return Run(job.start, end, state, job.places, job.total_cpus, released, exit_code)
