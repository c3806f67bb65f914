"""Advance reservations: which nodes may a job use at a time, and when is the next?

Source: facts, section 10; ``job_test_resv`` in ``src/slurmctld/reservation.c`` of Slurm 22.05. Whole nodes only.
"""
from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from clustersim.slurm.jobs import Job


@dataclass(frozen=True, slots=True)
class Reservation:
    """Nodes set aside from ``start`` to ``end`` (seconds) for some users and accounts, or for maintenance."""

    name: str
    start: int
    end: int
    nodes: int
    users: frozenset[str] = frozenset()
    accounts: frozenset[str] = frozenset()
    maint: bool = False

    def admits(self, job: Job) -> bool:
        return (not self.users or job.spec.user in self.users) and (not self.accounts or job.account in self.accounts)


class Window(NamedTuple):
    """An answer: the nodes the job may use at ``when``. ``verdict`` is "", "maint", "busy", "early" or "invalid"."""

    nodes: int
    when: int
    verdict: str = ""
    overlap: bool = False
    until: int = 0  # end of the first reservation in the way, 0 if none


class Reservations:
    """All reservations that exist."""

    def __init__(self) -> None:
        self.all: dict[str, Reservation] = {}

    def window(self, job: Job, when: int, seconds: int, every: int, partition: int, required: int, move: bool) -> Window:
        """Nodes for ``job`` at ``when`` for ``seconds``; with ``move`` a later time is sought if none is possible."""
        if job.spec.reservation:
            return self._own(job, when, seconds, every, required)
        if not self.all:
            return Window(every, when)
        for _try in range(11):
            nodes, overlap, until, verdict = every, False, 0, ""
            for one in self.all.values():
                if one.start >= when + seconds or one.end <= when:
                    continue
                until = min(until or one.end, one.end)
                if one.maint and not partition & ~one.nodes:
                    verdict = "maint"
                elif required & one.nodes:
                    verdict = "busy"
                if verdict:
                    later = one.end
                    break
                nodes &= ~one.nodes
                overlap = overlap or bool(partition & one.nodes)
            if not verdict or not move:
                return Window(0 if verdict else nodes, when, verdict, overlap, until)
            when = later
        return Window(0, when, verdict, True, until)

    def _own(self, job: Job, when: int, seconds: int, every: int, required: int) -> Window:
        """Inside its own reservation: without the nodes that another one (MAINT, say) holds while the job would run."""
        own = self.all.get(job.spec.reservation)
        if own is None or not own.admits(job) or when >= own.end or required & ~own.nodes:
            return Window(0, when, "invalid")
        if when < own.start:
            return Window(0, own.start, "early")
        nodes, until = own.nodes, 0
        for other in self.all.values():
            if other is own or own.maint or other.start >= when + seconds or other.end <= when or not nodes & other.nodes:
                continue
            nodes &= ~other.nodes
            until = min(until or other.end, other.end)
        return Window(nodes & every, when, overlap=bool(until), until=until)

    def reaches(self, job: Job, now: int, seconds: int) -> int | None:
        """When a run of ``seconds`` that starts then will for the first time reach into one more reservation."""
        later = (one.start - seconds + 1 for one in self.all.values() if one.start >= now + seconds)
        return None if job.spec.reservation else min(later, default=None)

    def over(self, job: Job, now: int) -> bool:
        """Whether the reservation that the job asks for is no more (``job_test_resv_now``)."""
        own = self.all.get(job.spec.reservation)
        return own is None or now > own.end

    def runs(self, job: Job, now: int) -> bool:
        """Whether the reservation that the job asks for has begun and is not over."""
        return not self.over(job, now) and self.all[job.spec.reservation].start <= now

    def active(self, now: int) -> list[Reservation]:
        return [one for one in self.all.values() if one.start <= now < one.end]
