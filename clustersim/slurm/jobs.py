"""The controller's record of one job: plain state that can be copied, no behaviour beyond small questions."""
from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

from clustersim import units
from clustersim.cluster import Partition
from clustersim.slurm.requests import JobSpec
from clustersim.trace import Place, Run

YEAR = 365 * units.DAY  # how long a job without a limit looks (backfill.c, YEAR_SECONDS)

Allocation = tuple[tuple[int, int, int], ...]  # (node position, cores, bit set of GPU indices) for each node


class Due(Protocol):
    """A priority still to be worked out."""

    def settle(self, job: Job, /) -> None: ...


@dataclass(slots=True, eq=False)
class Job:
    """One job, or one task of an array. ``number`` is Slurm's job id: earlier submissions have lower ones.

    ``reason`` is the reason's short name; ``detail`` the longer text that squeue prints in its place, if any.
    ``eligible`` is when the job could first have started (Slurm's ``begin_time``): ``None`` while it may not.
    """

    key: str
    spec: JobSpec
    number: int
    task: int = -1
    submit: int = 0
    listed: int = 0  # place in the controller's list of jobs: rising
    state: str = "PENDING"
    reason: str = "None"
    detail: str = ""
    said: str = "None"  # the reason that the log gave last; "" after a start, when the next one counts as new ...
    said_at: int = -1  # ... and where in the log it stands
    held: str = ""  # "", "user" or "admin"
    worth: int = 0  # the last priority that was worked out, in the job's partition ...
    worths: dict[str, int] = field(default_factory=dict)  # ... and in each of its partitions
    due: Due | None = None  # a priority that holds but is not worked out yet
    partitions: tuple[str, ...] = ()
    partition: str = ""
    account: str = ""
    qos: str = ""
    limit: int | None = None  # minutes
    begin: int = 0
    eligible: int | None = None
    decided: dict[int, str] = field(default_factory=dict)  # clauses of the dependency, by place, that are met or can never be
    total_cpus: int = 0  # cores at the last placement tried; 0 before any
    planned: int | None = None  # start estimated by the last backfill cycle
    switch_since: int | None = None
    # the current run
    start: int = 0
    limit_end: int = 0  # when the limit is reached
    allocation: Allocation = ()
    holding: tuple[tuple[int, int], ...] = ()  # the same, with nodes of equal shares together (pool.Holding)
    node_bits: int = 0
    cores: tuple[tuple[int, int], ...] = ()  # (node position, bit set of cores); kept with GANG only
    whole: bool = False
    held_tres: dict[str, int] = field(default_factory=dict)  # what limits count for the run
    generation: int = 0  # counts runs and interruptions: an agenda entry of an older one is void
    work_left: int = 0
    resumed: int = 0
    suspended_s: int = 0
    suspended_at: int | None = None
    preempt_since: int | None = None
    preempting: bool = False
    end: int | None = None
    scheduler: str = ""
    requeue_pending: bool = False
    runs: list[Run] = field(default_factory=list)
    places: tuple[Place, ...] = ()
    completing: bool = False
    last_question: tuple[int, int, Partition] | None = None  # on which empty nodes planning last looked for a place ...
    last_answer: Any = None  # ... and what it found (fill.Chosen)
    admitted: Partition | None = None  # the partition, as it is, whose limits were last seen not to keep the job out

    @property
    def priority(self) -> int:
        """As of the last recalculation."""
        self._settle()
        return self.worth

    @priority.setter
    def priority(self, value: int) -> None:
        self._settle()
        self.worth = value

    @property
    def part_priority(self) -> dict[str, int]:
        """The same in each of the job's partitions; empty with ``priority/basic``."""
        self._settle()
        return self.worths

    def _settle(self) -> None:
        if self.due is not None:
            due, self.due = self.due, None
            due.settle(self)

    @property
    def limited(self) -> bool:
        """Whether the run ends at ``limit_end``: by its limit, or as a victim whose grace time has begun."""
        return self.limit is not None or self.preempt_since is not None

    @property
    def shown_reason(self) -> str:
        """What squeue's ``%r`` prints."""
        return self.detail or self.reason

    @property
    def cpus(self) -> int:
        return sum(cpus for _node, cpus, _gpus in self.allocation)

    @property
    def gpus(self) -> int:
        return sum(gpus.bit_count() for _node, _cpus, gpus in self.allocation)

    def limit_seconds(self, partition: Partition) -> int:
        """The limit that planning counts with: the job's, cut to the partition's; a year when there is none."""
        limit, most = self.limit, partition.max_time
        if limit is None:
            limit = most
        elif most is not None:
            limit = min(limit, most)
        return YEAR if limit is None else limit * units.MINUTE


def bits_of(positions: int) -> list[int]:
    """The positions set in a bit set, rising.

    >>> bits_of(0b1011)
    [0, 1, 3]
    """
    if not positions & (positions - 1):
        return [positions.bit_length() - 1] if positions else []
    digits = bin(positions)[:1:-1]  # lowest first; finding in text beats taking bits off a long number
    found = []
    i = digits.find("1")
    while i >= 0:
        found.append(i)
        i = digits.find("1", i + 1)
    return found
