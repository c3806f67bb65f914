"""Where two runs part, and what became of each job in one and in the other."""
from __future__ import annotations

from dataclasses import dataclass
from itertools import zip_longest

from clustersim.messages import _, ngettext
from clustersim.trace import JobRecord, Trace
from clustersim.units import clock_time


@dataclass(frozen=True, slots=True)
class JobPair:
    """One job that fared differently; ``None`` where it does not exist."""

    job: str
    here: JobRecord | None
    there: JobRecord | None


@dataclass(frozen=True, slots=True)
class Differences:
    """``parted`` is the instant of the first event that is not the same (``None``: the runs are the same).

    ``mean_wait`` is the mean of start minus submission over the jobs that started in both, in seconds (here, there);
    ``None`` if there are none.
    """

    until: int
    parted: int | None
    jobs: tuple[JobPair, ...]
    mean_wait: tuple[float, float] | None

    @property
    def same(self) -> bool:
        return self.parted is None and not self.jobs

    def __str__(self) -> str:
        if self.same:
            return _("The two runs are the same up to {time}.").format(time=clock_time(self.until))
        text = ngettext("{n} job fared differently", "{n} jobs fared differently", len(self.jobs)).format(n=len(self.jobs))
        lines = [f"{text}."]
        if self.parted is not None:
            lines.insert(0, _("The two runs part at {time}.").format(time=clock_time(self.parted)))
        lines += [_("{job}: {here} here, {there} there").format(job=pair.job, here=_told(pair.here), there=_told(pair.there))
                  for pair in self.jobs]
        return "\n".join(lines)


def differences(here: Trace, there: Trace) -> Differences:
    """The differences of two traces of the same length."""
    events = zip_longest(here.events(), there.events())
    parted = next((min(one.time for one in pair if one) for pair in events if pair[0] != pair[1]), None)
    mine, others = ({record.id: record for record in trace.jobs} for trace in (here, there))
    names = dict.fromkeys((*mine, *others))
    pairs = tuple(JobPair(name, mine.get(name), others.get(name)) for name in names if mine.get(name) != others.get(name))
    waits = [(a, b) for name in names if name in mine and name in others
             if (a := mine[name].wait) is not None and (b := others[name].wait) is not None]
    mean = (sum(a for a, _b in waits) / len(waits), sum(b for _a, b in waits) / len(waits)) if waits else None
    return Differences(here.until, parted, pairs, mean)


def _told(record: JobRecord | None) -> str:
    if record is None:
        return _("not submitted")
    if not record.runs:
        return _("{state}, never started").format(state=record.state)
    run = record.runs[-1]
    end = _("still runs") if run.end is None else clock_time(run.end)
    return _("{state}, {start} to {end} on {nodes}").format(
        state=record.state, start=clock_time(run.start), end=end, nodes=",".join(run.nodes))
