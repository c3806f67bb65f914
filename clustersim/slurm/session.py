"""A simulated cluster to work with: go on, go back, split in two, interfere, compare.

Nothing is undone by calculation: going back starts the run anew from its seed and plays the same inputs to the asked
instant. Splitting copies the controller's plain state. So both give exactly the state that was.
"""
from __future__ import annotations

import copy
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from clustersim.clock import FAULTS, INPUTS, Clock
from clustersim.errors import InputError
from clustersim.messages import _
from clustersim.slurm.conffile import Notice
from clustersim.slurm.controller import Controller, Overheads
from clustersim.slurm.differences import Differences, differences
from clustersim.slurm.jobs import bits_of
from clustersim.slurm.record import make_trace
from clustersim.slurm.requests import JobSpec, read_job
from clustersim.slurm.sbatch import parse_script
from clustersim.slurm.schema import MAX_SECONDS, Section
from clustersim.slurm.workload import OperatorAct, SlurmWorkload, read_event
from clustersim.trace import Trace


@dataclass(frozen=True, slots=True)
class Input:
    """Something that came from outside while the cluster ran, and the instant at which it was given."""

    given: int
    item: JobSpec | OperatorAct


@dataclass(frozen=True, slots=True)
class Row:
    """One job as it stands now. ``planned`` is the start that backfill last planned, in seconds; ``None``: no plan."""

    job: str
    user: str
    state: str
    reason: str
    priority: int
    start: int | None
    nodes: tuple[str, ...]
    planned: int | None


class Session:
    """One cluster at one instant, ``now`` (seconds). What happens *at* ``now`` has happened.

    >>> from clustersim.slurm import parse_workload
    >>> nodes, parts = [{"name": "n1", "cpus": 4}], [{"name": "main"}]
    >>> job = {"id": "a", "at": 10, "user": "alice", "run_s": 60, "nodes": 1}
    >>> lab = Session(parse_workload({"cluster": {"nodes": nodes, "partitions": parts}, "jobs": [job]}))
    >>> [lab.run_until(t).row("a").state for t in (10, 90)], lab.rewind(30).row("a").state
    (['RUNNING', 'COMPLETED'], 'RUNNING')
    """

    def __init__(self, workload: SlurmWorkload, seed: int = 0, overheads: Overheads | None = None) -> None:
        self.base, self.seed, self.overheads = workload, seed, overheads
        self.inputs: list[Input] = []
        self._specs = {spec.id: spec for spec in workload.jobs}
        self._begin()
        self.run_until(0)

    def _begin(self) -> None:
        self._system = Controller(self.base, self.seed, self.overheads)
        self._clock = Clock(self._system)
        self._played = 0  # how many of the inputs the system knows

    @property
    def now(self) -> int:
        return self._clock.now

    @property
    def workload(self) -> SlurmWorkload:
        """The workload with all that was put in, as one could have written it into a file."""
        items = [one.item for one in self.inputs]
        return replace(self.base, jobs=(*self.base.jobs, *(one for one in items if isinstance(one, JobSpec))),
                       events=(*self.base.events, *(one for one in items if isinstance(one, OperatorAct))))

    # going on, going back

    def advance(self, seconds: int) -> Session:
        """Let this much time pass; 0 lets everything of this instant happen that was just put in."""
        return self.run_until(self.now + _time(seconds, "seconds"))

    def run_until(self, time: int) -> Session:
        """Go on to ``time``, which may not lie before now."""
        if _time(time, "time") < self.now:
            raise InputError("time", time, _("{now} or later").format(now=self.now), _("rewind goes back."))
        while self._played < len(self.inputs) and self.inputs[self._played].given <= time:
            one = self.inputs[self._played]
            self._clock.run(one.given)
            self._put(one.item)
            self._played += 1
        self._clock.run(time)
        return self

    def rewind(self, time: int, forget: bool = False) -> Session:
        """Go back to ``time``. What was put in from then on comes again when the run goes on, unless ``forget``."""
        if _time(time, "time") > self.now:
            raise InputError("time", time, _("{now} or earlier").format(now=self.now), _("run_until goes on."))
        if forget:
            self.inputs = [one for one in self.inputs if one.given < time]
            kept = {one.item.id for one in self.inputs if isinstance(one.item, JobSpec)}
            first = {spec.id for spec in self.base.jobs}
            self._specs = {name: spec for name, spec in self._specs.items() if name in kept or name in first}
        self._begin()
        return self.run_until(time)

    def fork(self, time: int | None = None) -> Session:
        """A second cluster with the same past, now or at an earlier ``time``; the two go on apart."""
        twin = copy.copy(self)
        twin.inputs, twin._specs = list(self.inputs), dict(self._specs)
        if time is not None:
            return twin.rewind(time)  # makes a system of its own
        shared = (self.base.cluster, self.base.settings, self.base.accounting, *self._specs.values(),
                  *self._system.recorder.log)  # never change
        twin._system = copy.deepcopy(self._system, {id(one): one for one in shared})
        twin._clock = Clock(twin._system, self.now)
        return twin

    # interfering

    def inject(self, event: Mapping[str, Any] | OperatorAct) -> Session:
        """Let an operator, or chance, do something: an entry of ``events`` of a workload file, or the act itself.

        ``at`` may lie ahead, be left out (now) or lie in the past: then the run is played again from there to now.
        """
        if not isinstance(event, OperatorAct):
            event = read_event(Section(self._dated(event), "event", ""), self.base.cluster, self._specs)
        return self._give(event)

    def submit(self, job: Mapping[str, Any] | JobSpec) -> Session:
        """Submit a job: an entry of ``jobs`` of a workload file, or what was made of one. For ``at`` see :meth:`inject`."""
        base = self.base
        if not isinstance(job, JobSpec):
            item = Section(self._dated(job), "job", "")
            job = read_job(item, base.cluster, base.settings, base.accounting, self._specs)
        if job.id in self._specs:
            raise InputError("job: id", job.id, _("an id that no other job has"))
        self._specs[job.id] = job
        return self._give(job)

    def sbatch(self, text: str, id: str, user: str, run: int) -> tuple[Notice, ...]:
        """Submit a batch script now; what the reader should know about the script comes back."""
        base = self.base
        script = parse_script(text, base.cluster, base.settings, base.accounting, id=id, user=user, run=run, at=self.now,
                              before=self._specs)
        self.submit(script.spec)
        return script.notices

    def _dated(self, entry: object) -> object:
        return {"at": self.now, **entry} if isinstance(entry, Mapping) else entry

    def _give(self, item: JobSpec | OperatorAct) -> Session:
        now, given = self.now, min(item.at, self.now)
        self.inputs.insert(bisect_right(self.inputs, given, key=lambda one: one.given), Input(given, item))
        if given < now:
            self._begin()
        return self.run_until(now)

    def _put(self, item: JobSpec | OperatorAct) -> None:
        if isinstance(item, JobSpec):
            self._system.agenda.put(item.at, INPUTS, ("submit", item))
        else:
            self._system.agenda.put(item.at, FAULTS if item.do in {"down", "kill_slurmd"} else INPUTS, ("act", item))

    # looking

    def trace(self) -> Trace:
        """Everything that happened up to now."""
        return make_trace(self._system, self.base.settings.scheduler_type, self.now, self.seed)

    def rows(self) -> tuple[Row, ...]:
        """The jobs submitted so far, in the order of their submission."""
        rows = []
        for job in self._system.jobs.values():
            waits, runs = job.state == "PENDING", job.state in {"RUNNING", "SUSPENDED"}
            start = job.start if runs else job.runs[-1].start if job.runs and not waits else None
            nodes = tuple(place[0] for place in job.places) if runs else ()
            rows.append(Row(job.key, job.spec.user, job.state, job.shown_reason if waits else "None", job.priority, start,
                            nodes, job.planned if waits else None))
        return tuple(rows)

    def row(self, job: str) -> Row:
        """One job as it stands now."""
        for row in self.rows():
            if row.job == job:
                return row
        raise InputError("job", job, _("the id of a job submitted by now"))

    def nodes(self) -> dict[str, str]:
        """The state of each node as sinfo shows it (long form)."""
        system = self._system
        found = system.moment(system.pool.every).states(system.pool.by_cpus)
        states = {i: state for state, bits in found.items() for i in bits_of(bits)}
        return {node.name: states[i] for i, node in enumerate(self.base.cluster.nodes)}

    def compare(self, other: Session) -> Differences:
        """What went differently here and there, up to the earlier of the two instants."""
        until = min(self.now, other.now)
        here, there = (one if one.now == until else one.fork(until) for one in (self, other))
        return differences(here.trace(), there.trace())


def _time(value: int, name: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MAX_SECONDS:
        raise InputError(name, value, _("a whole number from {low} to {high}").format(low=0, high=MAX_SECONDS))
    return value
