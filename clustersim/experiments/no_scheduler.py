"""Four GPUs, three people and nobody in charge: what looking at nvidia-smi and hoping costs.

Everything about the people is an assumption of this book: each looks at fixed intervals from a first look drawn with
the seed; launches when enough GPUs look free, always on the lowest-numbered ones; a launch shows on a GPU only when the
model is loaded. Who loads second onto a GPU runs out of memory, dies, and is noticed at the owner's next look.
"""
from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from clustersim.clock import ENDS, INPUTS, Agenda, Clock
from clustersim.experiments.base import Experiment, Figure, Outcome, Preset, Slider, Table, Value
from clustersim.figures import gantt_spec, gpu_bars
from clustersim.messages import N_, _, ngettext
from clustersim.trace import Event, JobRecord, Node, Place, Run, Trace
from clustersim.units import HOUR, MINUTE, clock_time, human_duration

GPUS = 4
NODE = "gpu1"


@dataclass
class Person:
    """One researcher and the one job of theirs; times in seconds."""

    job: str
    user: str
    gpus: int
    work: int
    look: int = 0
    chosen: tuple[int, ...] = ()
    failures: list[tuple[int, int, tuple[int, ...]]] = field(default_factory=list)
    start: int | None = None


PEOPLE = (("A", "alice", 2, 3 * HOUR), ("B", "bob", 2, 5 * HOUR), ("C", "carol", 1, 1 * HOUR))


class SharedNode:
    """The node as its users see it; a :class:`clustersim.clock.System`. ``busy`` is what nvidia-smi shows."""

    def __init__(self, people: list[Person], every: int, launch: int) -> None:
        self.people, self.every, self.launch = people, every, launch
        self.busy: dict[int, str] = {}
        self.agenda = Agenda()
        self.log: list[Event] = []
        for person in people:
            self.log.append(Event(0, "submit", person.job, {"user": person.user, "gpus": person.gpus, "limit": None}))
            self.agenda.put(person.look, INPUTS, (self._look, person))

    def next_time(self) -> int | None:
        return self.agenda.next_time()

    def instant(self, now: int) -> None:
        while (item := self.agenda.pop(now)) is not None:
            act, person = item
            act(now, person)

    def _look(self, now: int, person: Person) -> None:
        free = [gpu for gpu in range(GPUS) if gpu not in self.busy]
        if len(free) < person.gpus:
            self.agenda.put(now + self.every, INPUTS, (self._look, person))
            return
        person.chosen = tuple(free[: person.gpus])
        if not self.launch:
            self._loaded(now, person)  # it shows at once, so whoever looks at the same instant sees it
            return
        self.agenda.put(now + self.launch, INPUTS, (self._loaded, person))

    def _loaded(self, now: int, person: Person) -> None:
        if any(gpu in self.busy for gpu in person.chosen):
            person.failures.append((now - self.launch, now, person.chosen))
            self.log.append(Event(now, "reject", person.job, {"why": _("out of memory, the GPU was taken meanwhile")}))
            self.agenda.put(now + self.every, INPUTS, (self._look, person))
            return
        self.busy.update(dict.fromkeys(person.chosen, person.job))
        person.start = now
        places = [[NODE, person.gpus, list(person.chosen)]]
        self.log.append(Event(now, "start", person.job, {"wait": now, "places": places}))
        self.agenda.put(now + person.work, ENDS, (self._ended, person))

    def _ended(self, now: int, person: Person) -> None:
        for gpu in person.chosen:
            del self.busy[gpu]
        self.log.append(Event(now, "end", person.job, {"state": "COMPLETED"}))


def simulate(look_every: int, launch: int, seed: int) -> tuple[Trace, list[Person]]:
    """The day without a scheduler: its trace and its people. Intervals in seconds."""
    rng = random.Random(seed)
    people = [Person(*row, look=rng.randrange(0, look_every, MINUTE)) for row in PEOPLE]
    node = SharedNode(people, look_every, launch)
    until = Clock(node).run()
    jobs = tuple(_record(person) for person in people)
    return Trace("nobody", GPUS, jobs, (Node(NODE, GPUS, GPUS),), tuple(node.log), until, seed), people


def _record(person: Person) -> JobRecord:
    assert person.start is not None  # everybody gets a turn in the end: work is finite and looking never stops
    places = (Place(NODE, person.gpus, person.chosen),)
    run = Run(person.start, person.start + person.work, "COMPLETED", places, person.gpus)
    return JobRecord(person.job, 0, person.work, None, person.gpus, gpus=person.gpus, user=person.user, state="COMPLETED",
                     runs=(run,))


def idle_while_waiting(trace: Trace) -> int:
    """GPU seconds that stood idle while somebody who waited could have used them.

    Counted from 0 to the last start, at most as many GPUs as the waiting people ask for in all.
    """
    edges = sorted({0, *(t for job in trace.jobs for t in (job.runs[0].start, job.runs[0].end or 0))})
    total = 0
    for low, high in zip(edges, edges[1:], strict=False):
        held = sum(job.gpus for job in trace.jobs if job.runs[0].start <= low < (job.runs[0].end or 0))
        wanted = sum(job.gpus for job in trace.jobs if job.runs[0].start > low)
        total += min(GPUS - held, wanted) * (high - low)
    return total


def run(settings: Mapping[str, Value]) -> Outcome:
    trace, people = simulate(int(settings["look_every"]) * MINUTE, int(settings["launch"]) * MINUTE, int(settings["seed"]))
    collisions = sum(len(person.failures) for person in people)
    idle, best = idle_while_waiting(trace), _with_scheduler()
    last = max(job.end or 0 for job in trace.jobs)
    summary = ngettext(
        "Without a scheduler {n} launch dies, {idle:.1f} GPU hours stand idle while somebody waits, and the last job ends at "
        "{last}; a scheduler that knows every request is done at {best}.",
        "Without a scheduler {n} launches die, {idle:.1f} GPU hours stand idle while somebody waits, and the last job ends at "
        "{last}; a scheduler that knows every request is done at {best}.", collisions,
    ).format(n=collisions, idle=idle / HOUR, last=clock_time(last), best=clock_time(best))
    return Outcome(summary, (_figure(trace, people, summary),), _table(trace, people), {
        "collisions": collisions, "idle_gpu_h": idle / HOUR, "finish_s": last, "scheduler_finish_s": best,
        "starts_s": {job.id: job.start for job in trace.jobs},
    })


def _with_scheduler() -> int:
    """When the same jobs end if each starts as soon as enough GPUs are free, the longest first (seconds)."""
    from clustersim.batch import replay_pool
    from clustersim.metrics import metrics
    from clustersim.workload import JobTable

    table = JobTable()
    for i, (_job, _user, gpus, work) in enumerate(sorted(PEOPLE, key=lambda row: -row[3])):
        table.append(i, 0, gpus, work, work)
    return metrics(replay_pool(table, GPUS, "easy")).last_end


def _figure(trace: Trace, people: list[Person], alt: str) -> Figure:
    numbers = {row[0]: i for i, row in enumerate(PEOPLE)}
    deaths: list[dict[str, Any]] = [
        {"row": f"{NODE} GPU {gpu}", "begin": round(begin / HOUR, 4), "end": round(end / HOUR, 4),
         "label": _("{job} dies").format(job=person.job) if gpu == gpus[0] else ""}
        for person in people for begin, end, gpus in person.failures for gpu in gpus
    ]
    rows = [f"{NODE} GPU {gpu}" for gpu in range(GPUS)]
    return Figure("gantt", _("Who gets which GPU when nobody is in charge"), alt, gantt_spec(_("GPU"), order=rows),
                  {"bars": gpu_bars(trace, numbers), "deaths": deaths, "marks": []})


def _table(trace: Trace, people: list[Person]) -> Table:
    rows = []
    for job, person in zip(trace.jobs, people, strict=True):
        deaths = ", ".join(clock_time(end) for _begin, end, _gpus in person.failures) or _("none")
        gpus = ", ".join(map(str, person.chosen))
        start, end = clock_time(job.start or 0), clock_time(job.end or 0)
        rows.append((job.id, job.user, clock_time(person.look), deaths, start, gpus, end))
    columns = (_("job"), _("user"), _("first look"), _("launches that died"), _("start"), _("GPUs"), _("end"))
    return Table(_("The day of each job, {wait} waited in all").format(
        wait=human_duration(sum(job.wait or 0 for job in trace.jobs))), columns, tuple(rows))


EXPERIMENT = Experiment(
    id="no_scheduler",
    title=N_("Three people, four GPUs, nobody in charge"),
    caption=N_("Each person looks at nvidia-smi now and then and launches on the lowest-numbered GPUs that look free."),
    controls=(
        Slider("look_every", N_("Each looks every"), 5, 120, 5, 30, N_("min")),
        Slider("launch", N_("A launch shows after"), 0, 30, 1, 10, N_("min")),
        Slider("seed", N_("Seed"), 1, 50, 1, 1),
    ),
    run=run,
    presets=(Preset(N_("Everybody looks every five minutes"), {"look_every": 5}),
             Preset(N_("A launch shows at once"), {"launch": 0})),
)
