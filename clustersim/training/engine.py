"""A training run under faults as discrete events on the shared clock. Times are milliseconds.

Between two faults everything is determined, so the system has an event for each fault, for the end, and for what changes
the speed of a job that runs on; checkpoints need none (``cycle``). A fault in the middle of a recovery starts it anew.
"""
from __future__ import annotations

from functools import partial

from clustersim.clock import Clock
from clustersim.reliability.causes import Cause, cause
from clustersim.reliability.counting import nccl_ib_error_s
from clustersim.reliability.faults import Fault, Source
from clustersim.reliability.laws import Law, as_law
from clustersim.trace import Trace
from clustersim.training.cycle import NEVER
from clustersim.training.plan import STRAGGLER_FACTOR, Plan
from clustersim.training.pool import Pool
from clustersim.training.record import Row
from clustersim.training.running import Running, ms
from clustersim.training.sources import PLANNED, make_source


def simulate(plan: Plan, seed: int, source: Source | None = None) -> Trace:
    """The whole run as a Trace; the same plan and seed give the same one. ``source`` replaces the plan's faults."""
    return Simulation(plan, seed, source).run()


class Simulation(Running):
    """A run that can stop at any instant and go on: :meth:`advance` as often as wanted, then :meth:`run` to the end."""

    def __init__(self, plan: Plan, seed: int, source: Source | None = None) -> None:
        super().__init__(plan, seed)
        own, self._lemons = make_source(plan, seed)
        self._source: Source = own if source is None else source
        if source is not None:
            self._saves.history = True  # it may hold silent corruptions, which reach back
        self._pool = Pool(plan, self._rng)
        recovery = plan.recovery
        self._restart, self._planned = as_law(recovery.restart), as_law(plan.planned)
        self._elastic, self._peers, self._extra = recovery.elastic, recovery.peers, ms(recovery.extra_s)
        self._acts = {"reset": as_law(recovery.reset), "reboot": as_law(recovery.reboot)}
        self._searches: dict[str, Law] = {}
        self._wait = (0, 0)  # the job stands without processes from, to: it waits for nodes
        self._hold = 0  # until then it waits for all its nodes, so that nobody joins one by one
        self._survives = plan.checkpoints.fast.survives if plan.checkpoints.fast else frozenset()
        self._due: set[int] = set()  # when nodes are expected, each instant once
        self._count = 0
        self._next = self._source.take()
        self._done = False
        self._clock = Clock(self)

    # --- the clock's side ---

    def advance(self, until: int) -> None:
        """Handle every instant up to ``until`` ms."""
        self._clock.run(until)

    def run(self) -> Trace:
        """Go on to the end; the Trace of the whole run."""
        self._clock.run()
        return self._record.trace()

    @property
    def faults(self) -> tuple[Fault, ...]:
        """Every fault that was drawn so far, those that did not reach the job too: a source for a replay."""
        return tuple(self._record.faults)

    def next_time(self) -> int | None:
        if self._done:
            return None
        when, fault = self._finish, self._next
        if fault is not None and fault.time < when:
            when = fault.time
        due = self._agenda.next_time()
        return due if due is not None and due < when else when

    def instant(self, now: int) -> None:
        """The end first, then what was due, then one fault; a second one at this instant is the next pass."""
        if now >= self._finish:
            self._stop(now)
            return
        if (act := self._agenda.pop(now)) is not None:
            act(now)
            return
        fault = self._next
        if fault is not None and fault.time <= now:
            self._next = self._source.take()
            self._hit(fault, now)
            if self._count == self.plan.max_faults:
                self._stop(now)

    def _stop(self, now: int) -> None:
        self._close(now, killed=False)
        record, recovery = self._record, self.plan.recovery
        if self._work != NEVER and self._p0 >= self._work:
            record.state = "COMPLETED"
        record.until = now
        record.facts = {"gpus_per_node": self.plan.gpus_per_node, "spares": recovery.spares,
                        "spare_kind": recovery.spare_kind, "faults": self._count}
        self._done = True

    # --- faults ---

    def _hit(self, fault: Fault, now: int) -> None:
        """What a fault does depends on its symptom and on what the job is doing."""
        if fault.cause == PLANNED:
            self._record.faults.append(fault)
            self._planned_stop(now)
            return
        pool = self._pool
        pool.settle(now)
        first, width, slot_of = fault.node, fault.width, pool.slot_of
        nodes = [node for node in range(first, first + width) if node in slot_of] if width != 1 else (
            [first] if first in slot_of else [])
        self._record.faults.append(fault)
        if not nodes or (pool.cured and self._spared(first)):
            return
        what = cause(fault.cause)
        if what.scope == "job" and fault.cause != "any" and self._wait[0] <= now < self._wait[1]:
            return  # nothing runs that could fail
        symptom = what.symptom
        if symptom == "flap" and self._flap(fault, now) or symptom == "slow" and self._slows(fault, what, now):
            return
        self._count += 1
        delay, who = self.plan.detection.notice(what, self._rng)
        self._record.notes.append((now, "fault", nodes[0], (what.name, len(nodes), symptom)))
        noticed = now + int(delay * 1000 + 0.5)
        if symptom == "silent":
            self._later(noticed, partial(self._corruption, what, nodes, now, who))
        elif not (self._elastic and what.scope != "job" and self._shrink(what, nodes, now, noticed, who, fault)):
            self._interrupt(what, nodes, now, noticed, who, fault.repair_s)

    def _spared(self, node: int) -> bool:
        """Whether a good machine stands where a lemon was, and would not have failed now."""
        if node not in self._pool.cured or node not in self._lemons:
            return False
        return self._rng.random() * max(1.0, self.plan.faults.lemon_multiplier) >= 1

    def _interrupt(self, what: Cause, nodes: list[int], now: int, noticed: int, who: str, repair_s: float) -> None:
        """The job stops at once, and goes on from a checkpoint or from its peers."""
        self._close(now, killed=True)
        peers, load = self._peers, 0.0
        if peers is not None and self._peers_hold(what, nodes, peers.replicas):
            restored = max(self._p0 - self._p0 % max(1, ms(peers.step_s)), self._saves.newest(now))
            restart = as_law(peers.restore_s).draw(self._rng)
        else:
            restored, load = self._restore_point(what.scope, now)
            restart = self._restart.draw(self._rng) + load
        self._record.notes.append((noticed, "notice", nodes[0], (what.name, who, self._p0 - restored)))
        phases: list[Row] = [(now, noticed, "detect", self._name, what.name, 0)]
        self._recover(what, nodes, phases, noticed, restored, restart, repair_s)

    def _restore_point(self, scope: str, now: int) -> tuple[int, float]:
        """The furthest progress that a copy holds after a fault of this scope, and the seconds to load it."""
        tiers = self.plan.checkpoints
        slow = self._saves.newest(now)
        if self._has_fast:
            if scope not in self._survives:
                self._fast = -1
            elif tiers.fast is not None and self._fast >= slow:
                return self._fast, tiers.fast.load_s
        return slow, tiers.tier.load_s if slow else 0.0

    def _peers_hold(self, what: Cause, nodes: list[int], replicas: int) -> bool:
        """Whether a replica of every lost part is left: places of one part are nodes / replicas apart."""
        if what.scope == "job":
            return True  # the processes are restarted where they were; their peers' memory holds the state
        apart = self.plan.nodes // replicas
        slot_of = self._pool.slot_of
        gone: dict[int, int] = {}
        for slot in [*(slot_of[n] for n in nodes), *self._pool.missing]:
            gone[slot % apart] = gone.get(slot % apart, 0) + 1
        return max(gone.values()) < replicas

    def _recover(self, what: Cause, nodes: list[int], phases: list[Row], at: int, restored: int, restart_s: float,
                 repair_s: float = -1.0) -> None:
        """From ``at`` on: diagnose, repair or replace, queue, restart from ``restored``."""
        pool, rng = self._pool, self._rng
        self._wait, self._hold = (0, 0), 0
        name, job = what.name, self._name
        search = self._searches.get(name) or self._search(what)
        ready = at + int(search.draw(rng) * 1000 + 0.5)
        phases.append((at, ready, "diagnose", job, name, 0))
        if what.takes_node:
            for node in nodes:
                pool.take_out(node, at, repair_s)
            if self._slow:
                self._slow = [phase for phase in self._slow if phase[2] not in nodes]
        elif what.action in self._acts:
            done = ready + ms(self._acts[what.action].draw(rng))
            phases.append((ready, done, "repair", job, name, 0))
            ready = done
        if pool.missing:
            ready = self._replace(phases, ready, name)
        if self._extra:
            phases.append((ready, ready + self._extra, "queue", job, name, 0))
            ready += self._extra
        begin = ready + int(restart_s * 1000 + 0.5)
        phases.append((ready, begin, "restart", job, name, 0))
        self._p0, self._e0, self._blame = restored, 0, name
        if self._slow or self._lost or self._num != self._den:
            self._set_speed(begin)
        self._go(phases, begin)

    def _replace(self, phases: list[Row], ready: int, name: str) -> int:
        """Nodes for the missing places; a job with replicas enough does not wait for them."""
        if self._elastic is not None and len(self._out()) < self._elastic.replicas:
            self._lost = self._out()
            self._request(ready)
            return ready
        wait, there = self._pool.fill(ready)
        self._lost = frozenset()
        self._wait, self._hold = (ready, wait), there
        if wait > ready:
            phases.append((ready, wait, "queue", self._name, name, 0))
        phases.append((wait, there, "swap", self._name, name, 0))
        return there

    def _search(self, what: Cause) -> Law:
        if what.name not in self._searches:
            self._searches[what.name] = self.plan.diagnosis.law(what)
        return self._searches[what.name]

    # --- what does not stop the job at once ---

    def _corruption(self, what: Cause, nodes: list[int], began: int, who: str, now: int) -> None:
        """A silent corruption is noticed: back to a checkpoint from before it, or to the start if none is kept."""
        self._close(now, killed=True)
        self._pool.settle(now)
        restored = self._saves.before(now, began)
        self._fast = -1
        still = [node for node in nodes if node in self._pool.slot_of]
        self._note(now, "notice", nodes[0], what.name, who, self._p0 - restored)
        restart = self._restart.draw(self._rng) + self.plan.checkpoints.tier.load_s
        self._recover(what, still, [], now, restored, restart)

    def _flap(self, fault: Fault, now: int) -> bool:
        """A link is away for a moment: NCCL retries, and the job only stands still if it is short enough."""
        if now < self._from:
            return True
        if fault.seconds > nccl_ib_error_s():
            return False
        self._close(now, killed=False)
        self._note(now, "stall", fault.node, fault.cause, round(fault.seconds, 3))
        end = now + ms(fault.seconds)
        self._go([self._phase(now, end, "stall", fault.cause)], end)
        return True

    def _slows(self, fault: Fault, what: Cause, now: int) -> bool:
        """A node is slow, and so is everybody; it passes, or someone notices and the node is replaced."""
        if now < self._from:
            return True
        passes = now + ms(fault.seconds) if fault.seconds else NEVER
        end, who = passes, ""
        slow = self.plan.faults.slow
        if not fault.seconds or (slow is not None and slow.evict):
            delay, who = self.plan.detection.notice(what, self._rng)
            end = min(passes, now + ms(delay))
        factor = fault.factor if fault.seconds else STRAGGLER_FACTOR
        self._note(now, "slow", fault.node, what.name, factor)
        self._slow.append((end, round(factor * 1000), fault.node))
        self._change_speed(now)
        if end < passes:
            self._later(end, partial(self._evict, what, fault.node, who))
        else:
            self._later(end, self._change_speed)
        return True

    def _evict(self, what: Cause, node: int, who: str, now: int) -> None:
        """The slow node is known: save, then go on without it; no work is lost."""
        if now < self._from or node not in self._pool.slot_of:
            self._change_speed(now)
            return
        self._count += 1
        self._close(now, killed=False)
        self._note(now, "notice", node, what.name, who, 0)
        saved = now + ms(self.plan.checkpoints.tier.block_s)
        self._pool.settle(now)
        phases = [self._phase(now, saved, "checkpoint", what.name)]
        self._recover(what, [node], phases, saved, self._p0, self._restart.draw(self._rng))
        self._later(saved, partial(self._saved, self._turn, self._p0))

    def _planned_stop(self, now: int) -> None:
        """Firmware, configuration, data: save and stop; one that falls into a recovery is done in its shadow."""
        if now < self._from:
            return
        self._close(now, killed=False)
        saved = now + ms(self.plan.checkpoints.tier.block_s)
        end = saved + ms(self._planned.draw(self._rng))
        self._note(now, "planned", 0, round((end - now) / 1000))
        self._e0, self._blame = 0, PLANNED
        self._go([self._phase(now, saved, "checkpoint", PLANNED), self._phase(saved, end, "planned", PLANNED)], end)
        self._later(saved, partial(self._saved, self._turn, self._p0))

    def _saved(self, turn: int, progress: int, now: int) -> None:
        if turn == self._turn:
            self._saves.add_point(now, progress)

    # --- replicas that come and go ---

    def _out(self) -> frozenset[int]:
        """The replicas that lack a node, now or until one arrives."""
        elastic, pool = self.plan.recovery.elastic, self._pool
        if elastic is None:
            return frozenset()
        size = self.plan.nodes // elastic.replicas
        return frozenset(slot // size for slot in [*pool.missing, *(entry[2] for entry in pool.incoming)])

    def _shrink(self, what: Cause, nodes: list[int], now: int, noticed: int, who: str, fault: Fault) -> bool:
        """The other replicas go on; ``False`` if none is left."""
        elastic = self.plan.recovery.elastic
        assert elastic is not None
        pool, size = self._pool, self.plan.nodes // elastic.replicas
        out = self._out() | {pool.slot_of[node] // size for node in nodes}
        if len(out) == elastic.replicas or now < self._hold:
            return False
        located = noticed + ms(self._search(what).draw(self._rng))
        for node in nodes:
            if what.takes_node:
                pool.take_out(node, noticed, fault.repair_s)
            else:
                pool.leave(node, located + (ms(self._acts[what.action].draw(self._rng)) if what.action in self._acts else 0))
        lost = 0
        if now < self._from:
            self._lost = out  # the others go on with the recovery
            self._change_speed(now)
        elif out != self._lost:
            self._close(now, killed=False)
            lost = self._p0 % max(1, ms(elastic.step_s))
            self._p0 -= lost
            self._blame, self._lost = what.name, out
            end = noticed + ms(as_law(elastic.shrink_s).draw(self._rng))
            self._set_speed(end)
            self._go([self._phase(now, noticed, "detect", what.name), self._phase(noticed, end, "shrink", what.name)], end)
        self._note(noticed, "notice", nodes[0], what.name, who, lost)
        self._request(located)
        return True

    def _request(self, at: int) -> None:
        """Ask for nodes for all missing places; the job grows as they come."""
        self._pool.fill(at)
        for time in sorted({entry[0] for entry in self._pool.incoming} - self._due):
            self._due.add(time)
            self._later(time, self._grow)

    def _grow(self, now: int) -> None:
        """Nodes have come; a replica that is complete joins after a pause."""
        elastic = self.plan.recovery.elastic
        assert elastic is not None
        self._due.discard(now)
        if now < self._hold:
            return
        self._pool.arrive(now)  # asking anew for those on the way would put them off, again and again
        self._request(now)
        out = self._out()
        if out == self._lost:
            return
        self._lost = out
        end = now + ms(as_law(elastic.grow_s).draw(self._rng))
        self._change_speed(now, [self._phase(now, end, "grow", "grow")])
