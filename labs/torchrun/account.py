"""Where the time of a run went, from what its processes said.

Every nanosecond from launch to exit belongs to exactly one kind::

    launch      ready                kill  noticed         ready                exit
      │  start    │ work, checkpoint,  │detec-│   restart    │ work, checkpoint │ end
      │           │ lost               │tion  │              │                  │

A step is *work* if its result was kept, and *lost* if it had to be done again because no checkpoint held it.
"""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from clustersim.errors import InvariantError

KINDS = ("work", "lost", "checkpoint", "detection", "restart", "start", "end")
NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Mark:
    """Rank 0 finished computing ``step`` (``kind`` "step") or saving it ("saved") at ``ns``."""

    kind: str
    step: int
    ns: int


@dataclass(frozen=True, slots=True)
class Attempt:
    """From one start of the processes to their end.

    ``boot_ns`` is when rank 0 began to run, before it loads PyTorch; ``ready_ns`` when all were there and training went
    on behind step ``resumed``. ``waited_ns`` is how long until then its processes (the slowest
    of them), and ``launcher_waited_ns`` how long torchrun since the attempt before, stood ready to run while other programs
    had the cores: as the system counts it, 0 where it does not.
    """

    number: int
    boot_ns: int
    ready_ns: int
    resumed: int
    marks: tuple[Mark, ...]
    waited_ns: int = 0
    launcher_waited_ns: int = 0

    @property
    def all_waited_ns(self) -> int:
        return self.waited_ns + self.launcher_waited_ns


@dataclass(frozen=True, slots=True)
class Kill:
    """``rank`` got SIGKILL at ``ns``, during ``attempt``; torchrun said so at ``noticed_ns``."""

    ns: int
    attempt: int
    rank: int
    noticed_ns: int


@dataclass(frozen=True, slots=True)
class Run:
    """Attempts that reached training, in order; kills, in order; the loss and digest that the last attempt ended with."""

    launch_ns: int
    exit_ns: int
    attempts: tuple[Attempt, ...]
    kills: tuple[Kill, ...]
    loss: float
    digest: str
    own_failures: int = 0  # attempts that ended without a kill of ours

    @property
    def wall_ns(self) -> int:
        return self.exit_ns - self.launch_ns


def account(run: Run) -> dict[str, int]:
    """Nanoseconds by kind, for all ``KINDS``; they add up to the wall time, or InvariantError says that they do not."""
    spent = dict.fromkeys(KINDS, 0)
    kills = {kill.attempt: kill for kill in run.kills}
    now = run.launch_ns
    for i, attempt in enumerate(run.attempts):
        spent["restart" if i else "start"] += attempt.ready_ns - now
        later = run.attempts[i + 1:]
        kill = kills.get(attempt.number)
        last = attempt.marks[-1].ns if attempt.marks else attempt.ready_ns
        stop = kill.ns if kill else last
        _train(spent, attempt, stop, later[0].resumed if later else None)
        now = stop
        if kill:
            spent["detection"] += kill.noticed_ns - kill.ns
            now = kill.noticed_ns
    spent["end"] += run.exit_ns - now
    if min(spent.values()) < 0 or sum(spent.values()) != run.wall_ns:
        raise InvariantError(f"times of a run of {run.wall_ns} ns do not add up: {spent}")
    return spent


def _train(spent: dict[str, int], attempt: Attempt, stop_ns: int, kept: int | None) -> None:
    """Add the time from ``attempt.ready_ns`` to ``stop_ns``; steps up to ``kept`` (None: all) were not done again."""
    now = attempt.ready_ns
    for mark in attempt.marks:
        until = min(mark.ns, stop_ns)
        if until <= now:
            continue
        again = kept is not None and mark.step > kept
        spent["lost" if again else "work" if mark.kind == "step" else "checkpoint"] += until - now
        now = until
    spent["lost"] += max(0, stop_ns - now)


def seconds(spent: Mapping[str, int]) -> dict[str, float]:
    return {kind: ns / NS for kind, ns in spent.items()}


def goodput(run: Run) -> float:
    """Share of the wall time, launch to exit, that was work."""
    return account(run)["work"] / run.wall_ns


def steps_lost(run: Run) -> list[int]:
    """For each kill, the steps that were finished and had to be done again."""
    lost = []
    for kill in run.kills:
        i = next(i for i, attempt in enumerate(run.attempts) if attempt.number == kill.attempt)
        done = [mark.step for mark in run.attempts[i].marks if mark.kind == "step" and mark.ns <= kill.ns]
        reached = max(done, default=run.attempts[i].resumed)
        lost.append(max(0, reached - run.attempts[i + 1].resumed) if i + 1 < len(run.attempts) else 0)
    return lost
