"""The job between two events: what it is doing, how fast, how far it is, and what is written down about it."""
from __future__ import annotations

from collections.abc import Callable
from random import Random

from clustersim.clock import Agenda
from clustersim.reliability.faults import DAY_MS
from clustersim.training.cycle import NEVER, Cycle
from clustersim.training.plan import Plan
from clustersim.training.record import RUN, Record, Row
from clustersim.training.saves import Saves, Stretch

FINER = 1000  # speeds are fractions over multiples of this


def ms(seconds: float) -> int:
    """Seconds as whole ticks."""
    return int(seconds * 1000 + 0.5)


def make_cycle(plan: Plan) -> Cycle:
    """The rhythm of training and saving that a plan asks for."""
    saves = plan.checkpoints
    if saves.interval_s is None:
        return Cycle(NEVER)
    fast = ms(saves.fast.block_s) if saves.fast else 0
    return Cycle(max(1, ms(saves.interval_s)), fast, ms(saves.tier.block_s), saves.slow_every)


class Running:
    """Phases of a recovery up to ``_from``, then running from position ``_e0`` of the rhythm and from progress ``_p0``.

    ``_high`` is the furthest progress ever; ``_fast`` the progress in the fast tier (below 0: nothing is there).
    """

    def __init__(self, plan: Plan, seed: int) -> None:
        self.plan = plan
        self._name = plan.name
        self._rng = Random(f"{seed}/recovery")
        self._cycle = make_cycle(plan)
        work = None if plan.work_days is None else round(plan.work_days * DAY_MS)
        self._work = work if work is not None else NEVER
        self._wall = round(plan.wall_days * DAY_MS) if plan.wall_days is not None else NEVER
        self._record = Record(plan.name, self._cycle, plan.gpus, seed, work)
        self._agenda = Agenda()
        saves = plan.checkpoints
        self._has_fast = saves.fast is not None and saves.interval_s is not None
        silent = plan.faults.mix != "any" or plan.faults.recorded is not None
        self._saves = Saves(self._cycle, ms(saves.tier.upload_s), saves.keep, history=silent)
        self._from = self._e0 = self._p0 = self._high = 0
        self._fast = -1
        self._phases: list[Row] = []
        self._blame = ""  # what the work that is done again was lost to
        self._turn = 0  # counts changes of course, so that what was planned before one can tell
        self._slow: list[tuple[int, int, int]] = []  # slow phases under way: (end, thousandths of normal step time, node)
        self._lost: frozenset[int] = frozenset()  # replicas that are out
        self._num = self._den = 1
        self._finish = self._end_of_stretch()

    def _close(self, now: int, killed: bool) -> None:
        """Write down what happened up to ``now``; afterwards ``_p0`` and ``_e0`` stand where the job stands."""
        rows = self._record.rows
        start = self._from
        if now < start:
            for phase in self._phases:
                if phase[1] > now:
                    if now > phase[0]:
                        rows.append((phase[0], now, *phase[2:]))
                    break
                if phase[1] > phase[0]:
                    rows.append(phase)
            self._phases = []
            return
        rows += [phase for phase in self._phases if phase[1] > phase[0]]
        self._phases = []
        if now == start:
            return
        e0, p0, cycle, num, den = self._e0, self._p0, self._cycle, self._num, self._den
        self._e0 = e1 = e0 + now - start
        rows.append((start, now, RUN, self._blame, e0, p0, self._high, num, den))
        before = cycle.trained(e0)
        self._p0 = p1 = p0 + num * (cycle.trained(e1) - before) // den
        if p1 > self._high:
            self._high = p1
        if self._has_fast:
            written = cycle.saves(e1)[0]
            if written > cycle.saves(e0)[0]:
                self._fast = p0 + num * (written * cycle.train - before) // den
        if e1 >= cycle.length:
            self._saves.add(tuple.__new__(Stretch, (start, now, e0, p0, num, den, killed)))
        self._from = now

    def _phase(self, start: int, end: int, kind: str, cause: str) -> Row:
        return start, end, kind, self._name, cause, 0

    def _go(self, phases: list[Row], begin: int) -> None:
        """A new course: phases, then running from ``begin`` on."""
        self._phases, self._from = phases, begin
        self._turn += 1
        self._finish = self._wall if self._work == NEVER else self._end_of_stretch()

    def _end_of_stretch(self) -> int:
        """When the work would be done, or the time is up."""
        if self._work == NEVER:
            return self._wall
        trained = -(-(self._work - self._p0) * self._den // self._num)
        position = self._cycle.position(self._cycle.trained(self._e0) + trained)
        return min(self._wall, self._from + position - self._e0)

    def _set_speed(self, now: int) -> None:
        """Speed follows from the slowest node and the replicas that are there."""
        if self._slow:
            self._slow = [phase for phase in self._slow if phase[0] > now]
        if not self._slow and not self._lost:
            self._num = self._den = 1
            return
        elastic = self.plan.recovery.elastic
        replicas = elastic.replicas if elastic else 1
        self._num = (replicas - len(self._lost)) * FINER
        self._den = replicas * max([FINER, *(phase[1] for phase in self._slow)])

    def _change_speed(self, now: int, pause: list[Row] | None = None) -> None:
        """Go on at the speed that holds now, after a pause if there is one; a recovery under way is left alone."""
        if now < self._from:
            self._set_speed(now)
            self._finish = self._end_of_stretch()
            return
        self._close(now, killed=False)
        self._set_speed(now)
        self._go(pause or [], pause[-1][1] if pause else now)

    def _later(self, time: int, act: Callable[[int], None]) -> None:
        self._agenda.put(time, 1, act)

    def _note(self, time: int, kind: str, node: int, *detail: object) -> None:
        """An event for the log; what ``detail`` holds for each kind stands in ``record.DETAILS``."""
        self._record.notes.append((time, kind, node, detail))
