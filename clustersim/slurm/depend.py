"""Dependencies: may the job start, wait, or never?

Source: facts, section 8; ``test_job_dependency`` in ``src/slurmctld/job_scheduler.c`` of Slurm 22.05.
"""
from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from clustersim import units
from clustersim.slurm.jobs import Job

MET, WAITS, NEVER = "met", "waits", "never"
FINISHED = frozenset({"COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "NODE_FAIL", "PREEMPTED", "DEADLINE", "OUT_OF_MEMORY"})


@dataclass(frozen=True, slots=True)
class Dependency:
    """One clause. ``job`` is empty for a singleton; ``delay`` is seconds (``after`` only)."""

    kind: str
    job: str = ""
    delay: int = 0


def parse_dependency(text: str) -> tuple[tuple[Dependency, ...], bool]:
    """The clauses (``$`` taken off), and whether any one of them is enough (``?``)."""
    clauses = []
    for part in filter(None, re.split(r"[,?]", text)):
        kind, _colon, rest = part.partition(":")
        for name in rest.split(":") if rest else [""]:
            job, _plus, minutes = name.partition("+")
            clauses.append(Dependency(kind, job.removeprefix("$"), int(minutes or 0) * units.MINUTE))
    return tuple(clauses), "?" in text


def judge(job: Job, now: int, find: Callable[[str], list[Job]], rivals: Callable[[Job], bool]) -> str:
    """``met``, ``waits`` or ``never``. ``find(name)`` gives the job or all tasks of an array, nothing if unknown;
    ``rivals(job)`` tells whether an earlier job of the same name and user is not finished (singleton)."""
    clauses, any_of = parse_dependency(job.spec.dependency)
    answers = [_clause(place, clause, job, now, find, rivals) for place, clause in enumerate(clauses)]
    if any_of:
        whole = MET if MET in answers else NEVER if all(a == NEVER for a in answers) else WAITS
    else:
        whole = NEVER if NEVER in answers else WAITS if WAITS in answers else MET
    if whole == MET:  # no clause is left (``list_flush``)
        job.decided.update(dict.fromkeys(range(len(clauses)), MET))
    return whole


def _clause(
    place: int, clause: Dependency, job: Job, now: int, find: Callable[[str], list[Job]], rivals: Callable[[Job], bool]
) -> str:
    """The answer to one clause; once it is met or failed it stays so, whatever the other job does later (``depend_state``)."""
    if place not in job.decided:
        answer = (WAITS if rivals(job) else MET) if clause.kind == "singleton" else _one(clause, job, now, find)
        if answer == WAITS:
            return WAITS
        job.decided[place] = answer
    return job.decided[place]


def _one(clause: Dependency, job: Job, now: int, find: Callable[[str], list[Job]]) -> str:
    """One clause (``_test_job_dependency_common``): nothing is decided before every job that it names is over and clean."""
    others = find(clause.job)
    if clause.kind == "aftercorr":  # the whole array, if it has no task of this number (or this job is no task)
        others = [other for other in others if other.task == job.task >= 0] or others
    if not others:
        return MET  # unknown or forgotten: counts as satisfied (measured)
    if clause.kind == "after":
        started = [_begun(other) for other in others]
        if any(begun is None for begun in started):
            return WAITS
        return MET if all(begun is not None and begun + clause.delay <= now for begun in started) else WAITS
    if any(other.state not in FINISHED or other.completing for other in others):
        return WAITS
    good = all(other.state == "COMPLETED" for other in _on_record(others))
    return MET if clause.kind == "afterany" or good == (clause.kind != "afternotok") else NEVER


def _on_record(tasks: list[Job]) -> list[Job]:
    """Without the tasks that were cancelled while their array waited: they leave no record (``test_job_array_complete`` in
    ``job_mgr.c`` looks at records), unless the array's last waiting tasks went so, and its own record is cancelled."""
    gone = [task.end for task in tasks if task.state == "CANCELLED" and not task.runs and task.end is not None]
    started = [task.runs[0].start for task in tasks if task.runs]
    if not gone or not started or max(gone) >= max(started):
        return tasks
    return [task for task in tasks if task.runs]


def _begun(job: Job) -> int | None:
    """When the job started, or was cancelled before it could."""
    if job.state == "PENDING":
        return None
    return job.start if job.allocation or job.runs else job.end
