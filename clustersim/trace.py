"""The record of a simulated run: what happened, when, to whom and why.

Figures, metrics, checks and look-alike commands are computed from a :class:`Trace` alone. Times are integer ticks from
the run's zero, one second long unless the trace says otherwise; intervals are half-open, ``[start, end)``.
"""
from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from clustersim.errors import InputError, InvariantError
from clustersim.jsontext import load_json, read_text
from clustersim.messages import _
from clustersim.spans import Span
from clustersim.story import sentence
from clustersim.units import clock_time

FORMAT = "clustersim-trace/1"


class Place(NamedTuple):
    """What one run holds on one node: ``cpus`` cores and the GPUs with these indices."""

    node: str
    cpus: int
    gpus: tuple[int, ...] = ()


class Run(NamedTuple):
    """One run of a job. ``end`` is the end on record; ``released`` is when all its resources were free again.

    Both are ``None`` while the job runs. ``early`` names nodes that were free before ``released``, and when. On a pool of
    cores ``places`` is empty and ``cores`` counts.
    """

    start: int
    end: int | None
    state: str
    places: tuple[Place, ...] = ()
    cores: int = 0
    released: int | None = None
    exit_code: str = "0:0"
    early: tuple[tuple[str, int], ...] = ()

    @property
    def nodes(self) -> tuple[str, ...]:
        return tuple(place.node for place in self.places)


class JobRecord(NamedTuple):
    """One job: its request, every run of it, and how it stood at the end of the trace.

    ``runtime`` is the time the work takes if left alone, ``limit`` the time limit, both in seconds (``limit`` is
    ``None`` where there is none). ``state`` is Slurm's long name; ``reason`` says why a waiting job waits.
    """

    id: str
    submit: int
    runtime: int
    limit: int | None
    cores: int
    nodes: int = 1
    gpus: int = 0
    user: str = ""
    state: str = "PENDING"
    reason: str = "None"
    runs: tuple[Run, ...] = ()
    extra: Mapping[str, Any] = MappingProxyType({})

    @property
    def start(self) -> int | None:
        """The first start, in seconds; ``None`` if the job never ran."""
        return self.runs[0].start if self.runs else None

    @property
    def end(self) -> int | None:
        """The last end on record, in seconds; ``None`` if the job waits or runs."""
        return self.runs[-1].end if self.runs else None

    @property
    def wait(self) -> int | None:
        """Seconds from submission to the first start."""
        return self.runs[0].start - self.submit if self.runs else None


class Event(NamedTuple):
    """One entry of the log: at ``time`` seconds ``kind`` happened to ``subject`` (a job id or a node name).

    Kinds: ``submit``, ``reason``, ``start``, ``signal``, ``end``, ``release``, ``requeue``, ``reject``, ``node``
    (state change), ``input`` (an operator's act); of a training run also ``fault``, ``notice``, ``stall``, ``slow``,
    ``planned``. ``detail`` holds plain data that explains it.
    """

    time: int
    kind: str
    subject: str
    detail: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Node:
    """Capacity of one node as the trace needs it."""

    name: str
    cpus: int
    gpus: int = 0


@dataclass(frozen=True)
class Trace:
    """What happened. ``cores`` is the size of the pool, or the sum over ``nodes``; ``until`` is where the run ended.

    ``spans`` say what a job did at every instant, if that is on record; ``ticks`` is the number of ticks a second.
    """

    policy: str
    cores: int
    jobs: Sequence[JobRecord]
    nodes: tuple[Node, ...] = ()
    log: Sequence[Event] | None = None
    until: int = 0
    seed: int | None = None
    spans: Sequence[Span] = ()
    ticks: int = 1

    def events(self) -> Iterator[Event]:
        """The log in order of time. A run on a pool of cores stores none: it follows from the jobs."""
        return iter(self.log) if self.log is not None else _derived_events(self.jobs)

    def job(self, job_id: str) -> JobRecord:
        """The job with this id (``job-3`` also finds the numbered job ``3``); :class:`InputError` lists what there is."""
        for name in (job_id, job_id.removeprefix("job-")):
            for record in self.jobs:
                if record.id == name:
                    return record
        known = ", ".join(record.id for record in self.jobs[:8])
        raise InputError(_("job id"), job_id, _("one of {known}").format(known=known + ("…" if len(self.jobs) > 8 else "")))

    def story(self, subject: str) -> str:
        """The life of one job (or node) in sentences, one a line, each beginning with the clock."""
        if subject not in {node.name for node in self.nodes}:
            subject = self.job(subject).id
        mine = (e for e in self.events() if e.subject == subject)
        lines = [f"{clock_time(e.time // self.ticks)}  {sentence(e.kind, e.subject, e.detail)}" for e in mine]
        return "\n".join(lines)

    def validate(self) -> Trace:
        """Prove the laws that hold in every cluster, or raise :class:`InvariantError`; returns the trace itself.

        No core and no GPU is held twice, no job starts before its submission or runs twice at once, a completed run
        lasted exactly as long as its work, and the log agrees with the jobs. Spans of a job follow each other without a
        gap, and the new work in them is the work of a job that completed.
        """
        spanned = _check_spans(self)
        for record in self.jobs:
            _check_job(record, record.id in spanned)
        _check_capacity(self)
        if self.log is not None:
            _check_log(self)
        return self

    def to_json(self) -> str:
        """The trace as JSON text, the same for the same run."""
        data = {
            "format": FORMAT, "policy": self.policy, "cores": self.cores, "until": self.until, "seed": self.seed,
            "nodes": [asdict(n) for n in self.nodes],
            "jobs": [_job_data(j) for j in self.jobs],
            "log": None if self.log is None else [[e.time, e.kind, e.subject, dict(e.detail)] for e in self.log],
        }
        if self.spans or self.ticks != 1:
            data |= {"ticks": self.ticks, "spans": [list(span) for span in self.spans]}
        return json.dumps(data, ensure_ascii=False, separators=(",", ":"))

    def save(self, path: str | Path) -> None:
        Path(path).write_text(self.to_json(), encoding="utf-8")

    @classmethod
    def from_json(cls, text: str, where: str = "trace") -> Trace:
        """A saved trace; :class:`InputError` names what is wrong with the text."""
        data = load_json(text, where, _("a trace as JSON"))
        if not isinstance(data, dict) or data.get("format") != FORMAT:
            raise InputError(f"{where}, key format", data.get("format") if isinstance(data, dict) else data, FORMAT)
        log = None if data.get("log") is None else _rows(data, "log", where, lambda row, at: _tuple(Event, row, at))
        spans = _rows(data, "spans", where, lambda row, at: _tuple(Span, row, at)) if "spans" in data else ()
        plain = {name: data.get(name, 1 if name == "ticks" else None) for name in ("policy", "cores", "until", "seed", "ticks")}
        return _made(cls, {  # type: ignore[no-any-return]
            **plain, "nodes": _rows(data, "nodes", where, lambda row, at: _made(Node, row, at)),
            "jobs": _rows(data, "jobs", where, _job_from), "log": log, "spans": spans}, where)

    @classmethod
    def load(cls, path: str | Path) -> Trace:
        """The trace in a file; :class:`InputError` names file and place of what is wrong with it."""
        return cls.from_json(read_text(Path(path), _("a trace that can be read")), str(path))


class _Early(NamedTuple):
    node: str
    time: int


def _job_data(job: JobRecord) -> dict[str, Any]:
    runs = []
    for run in job.runs:
        data = run._asdict() | {"places": [place._asdict() for place in run.places]}
        if not run.early:
            del data["early"]
        runs.append(data)
    return job._asdict() | {"runs": runs, "extra": dict(job.extra)}


_PLAIN = {"str": str, "int": int, "int | None": int | None, "dict[str, Any]": dict, "Mapping[str, Any]": dict}


def _rows(data: Mapping[str, Any], key: str, where: str, make: Callable[[Any, str], Any]) -> tuple[Any, ...]:
    rows = data.get(key)
    if not isinstance(rows, list):
        raise InputError(f"{where}, {key}", rows, _("a list"))
    return tuple(make(row, f"{where}, {key}[{i}]") for i, row in enumerate(rows))


def _made(kind: Any, data: Any, where: str) -> Any:
    """The record ``kind`` from its fields by name, those of a plain type checked."""
    if not isinstance(data, dict):
        raise InputError(where, data, _("the fields of {record}").format(record=kind.__name__))
    types = {name: getattr(wanted, "__forward_arg__", wanted) for name, wanted in kind.__annotations__.items()}
    for name, value in data.items():
        wanted = _PLAIN.get(types.get(name, ""))
        if name not in types or (wanted and (not isinstance(value, wanted) or isinstance(value, bool))):
            expected = types.get(name) or _("one of {known}").format(known=", ".join(types))
            raise InputError(f"{where}.{name}", value if name in types else name, expected)
    try:
        return kind(**data)
    except TypeError:
        text = _("{record} with {fields}").format(record=kind.__name__, fields=", ".join(n for n in types if n not in data))
        raise InputError(where, sorted(data), text) from None


def _tuple(kind: Any, row: Any, where: str) -> Any:
    names = list(kind.__annotations__)
    return _made(kind, dict(zip(names, row, strict=False)) if isinstance(row, list) and len(row) <= len(names) else row, where)


def _run_from(data: Any, where: str) -> Run:
    def place(row: Any, at: str) -> Any:
        whole = isinstance(row, dict) and isinstance(row.get("gpus"), list)
        return _made(Place, {**row, "gpus": tuple(row["gpus"])} if whole else None, at)

    if isinstance(data, dict):
        data = {**data, "places": _rows(data, "places", where, place)}
        if "early" in data:
            data["early"] = _rows(data, "early", where, lambda row, at: tuple(_tuple(_Early, row, at)))
    return _made(Run, data, where)  # type: ignore[no-any-return]


def _job_from(data: Any, where: str) -> JobRecord:
    whole = {**data, "runs": _rows(data, "runs", where, _run_from)} if isinstance(data, dict) else data
    return _made(JobRecord, whole, where)  # type: ignore[no-any-return]


def _derived_events(jobs: Sequence[JobRecord]) -> Iterator[Event]:
    rows: list[tuple[int, int, int, int, Event]] = []
    for i, job in enumerate(jobs):
        submit = Event(job.submit, "submit", job.id, {"cores": job.cores, "limit": job.limit})
        rows.append((job.submit, 1, i, 0, submit))
        for run in job.runs:
            by = "backfill" if job.extra.get("backfilled") else "main"
            start = Event(run.start, "start", job.id, {"cores": run.cores, "wait": run.start - job.submit, "scheduler": by})
            rows.append((run.start, 2, i, 0, start))
            if run.end is not None:
                end = Event(run.end, "end", job.id, {"state": run.state})
                rows.append((run.end, 0 if run.end > run.start else 2, i, 1, end))
    # At one instant: ends, submissions, then starts; the end of a run of no length follows its own start.
    rows.sort(key=lambda row: row[:4])
    return (row[4] for row in rows)


def _check_spans(trace: Trace) -> set[str]:
    """The subjects with spans, each span proved to follow the one before it."""
    last: dict[str, int] = {}
    done: dict[str, int] = {}
    for span in trace.spans:
        at = last.get(span.subject, span.start)
        if span.start != at or span.end < span.start:
            raise InvariantError(f"{span.kind} of {span.subject} from {span.start} to {span.end} does not follow on {at}")
        if not 0 <= span.work <= span.end - span.start or (span.work and span.kind != "work"):
            raise InvariantError(f"{span.kind} of {span.subject} from {span.start} to {span.end} holds {span.work} of work")
        last[span.subject] = span.end
        done[span.subject] = done.get(span.subject, 0) + span.work
    for job in trace.jobs:
        if job.id in last and job.state == "COMPLETED" and done[job.id] != job.runtime:
            raise InvariantError(f"job {job.id} completed with {done[job.id]} of work in its spans; it takes {job.runtime}")
        if job.id in last and last[job.id] != trace.until:
            raise InvariantError(f"the spans of job {job.id} end at {last[job.id]}, the trace at {trace.until}")
    return set(last)


def _check_job(job: JobRecord, spanned: bool = False) -> None:
    before = job.submit
    for run in job.runs:
        if run.start < before:
            raise InvariantError(f"job {job.id} starts at {run.start}, before {before}, when it could at the earliest")
        if run.end is None:
            continue
        released = run.released if run.released is not None else run.end
        if not run.start <= run.end <= released:
            raise InvariantError(f"job {job.id}: start {run.start}, end {run.end}, release {released} are out of order")
        if not all(node in run.nodes and run.end <= time <= released for node, time in run.early):
            raise InvariantError(f"job {job.id}: {run.early} are not nodes that were free between its end and its release")
        if run.state == "COMPLETED" and run.end != _work_done(job, run) and not spanned:
            raise InvariantError(f"job {job.id} completed after {run.end - run.start} s; its work takes {job.runtime} s")
        before = run.start if job.extra.get("resubmitted") else released


def _work_done(job: JobRecord, run: Run) -> int:
    """When the work of a run is done: a pause puts it off, but only to its own end where the work waits ``by_clock``."""
    done = run.start + job.runtime
    for pause, resumed in job.extra.get("suspended", ()):
        if run.start <= pause <= done:  # an end comes first in its instant: a pause then says the work was not done
            done = max(done, resumed) if job.extra.get("by_clock") else done + resumed - pause
    return done


def _spans(trace: Trace) -> Iterator[tuple[JobRecord, Run, int, int]]:
    for job in trace.jobs:
        for run in job.runs:
            end = run.released if run.released is not None else run.end
            stop = end if end is not None else max(trace.until, run.start) + 1
            # A run of zero seconds holds its place for the instant: it must fit beside the others, so count it as open.
            yield job, run, run.start, stop


def _check_capacity(trace: Trace) -> None:
    capacity = {n.name: n for n in trace.nodes}
    changes: list[tuple[int, int, str, int]] = []
    held: dict[tuple[str, int], list[tuple[int, int, str]]] = {}
    for job, run, start, stop in _spans(trace):
        if not trace.nodes:
            changes += [(start, 1, "", run.cores), (stop, 0, "", -run.cores)] if stop > start else []
            continue
        early = dict(run.early)
        for place in run.places:
            if place.node not in capacity:
                raise InvariantError(f"job {job.id} runs on {place.node}, which is not a node of the cluster")
            free = early.get(place.node, stop)
            for begin, end in _unpaused(job, run, start, free):
                changes += [(begin, 1, place.node, place.cpus), (end, 0, place.node, -place.cpus)] if end > begin else []
            for gpu in place.gpus:
                held.setdefault((place.node, gpu), []).append((start, free, job.id))
    _check_cores(trace, capacity, sorted(changes))
    for (node, gpu), spans in held.items():
        if gpu >= capacity[node].gpus:
            raise InvariantError(f"job {spans[0][2]} holds GPU {gpu} of {node}, which has {capacity[node].gpus}")
        spans.sort()
        for (_a, stop, first), (start, _b, second) in zip(spans, spans[1:], strict=False):
            if start < stop:
                raise InvariantError(f"GPU {gpu} of {node} is held by {first} until {stop} and by {second} from {start}")


def _unpaused(job: JobRecord, run: Run, start: int, stop: int) -> Iterator[tuple[int, int]]:
    """The parts of a run in which it used its cores: a suspended job keeps its GPUs, but others may have its cores.

    A run that ended in a pause never had them again, however long its nodes took to clean up.
    """
    for pause, resumed in job.extra.get("suspended", ()):
        if start <= pause < stop:
            yield start, pause
            start = stop if run.end is not None and resumed >= run.end else resumed
    yield start, stop


def _check_cores(trace: Trace, capacity: dict[str, Node], changes: list[tuple[int, int, str, int]]) -> None:
    used: dict[str, int] = {}
    for time, _order, node, cores in changes:
        used[node] = used.get(node, 0) + cores
        limit = capacity[node].cpus if node else trace.cores
        if used[node] > limit:
            raise InvariantError(f"at {time} s {used[node]} cores are in use on {node or 'the pool'}, which has {limit}")


def _check_log(trace: Trace) -> None:
    starts: dict[str, int] = {}
    time = None
    for event in trace.events():
        if time is not None and event.time < time:
            raise InvariantError(f"the log goes back from {time} to {event.time} at {event.kind} of {event.subject}")
        time = event.time
        if event.kind == "start":
            starts[event.subject] = starts.get(event.subject, 0) + 1
    for job in trace.jobs:
        if starts.get(job.id, 0) != len(job.runs):
            raise InvariantError(f"job {job.id} has {len(job.runs)} runs, its log {starts.get(job.id, 0)} starts")
