"""Questions that both loops ask about one job: may it start yet, where, and why not.

Sources: ``job_independent``, ``job_limits_check`` (``src/slurmctld/job_mgr.c``), ``select_nodes`` and
``_pick_best_nodes`` (``src/slurmctld/node_scheduler.c``) of Slurm 22.05; facts, sections 1, 3 and 7.
"""
from __future__ import annotations

from typing import TYPE_CHECKING

from clustersim import hostlist
from clustersim.slurm import depend, lifecycle, preempt
from clustersim.slurm.features import Constraint, parse_constraint
from clustersim.slurm.fill import Ask, Chosen
from clustersim.slurm.jobs import Job
from clustersim.slurm.pool import NodePool
from clustersim.slurm.reserve import Window
from clustersim.slurm.select import allocate
from clustersim.slurm.shape import Shape, Wish, amount

if TYPE_CHECKING:
    from clustersim.slurm.controller import Controller

MISSING_NODES = "Nodes required for job are DOWN, DRAINED or reserved for jobs in higher priority partitions"
PART_REASONS = frozenset({"PartitionTimeLimit", "PartitionNodeLimit", "PartitionDown", "PartitionInactive", "PartitionConfig"})
CLOSED = {"DOWN": "PartitionDown", "INACTIVE": "PartitionInactive"}  # state of a partition that starts no jobs -> reason
NO_CONSTRAINT = Constraint()
EVERYTHING = Window(-1, 0)  # no reservation is in the way
FOR_MAINTENANCE = "ReqNodeNotAvail, Reserved for maintenance"
STICKY = frozenset({"DependencyNeverSatisfied", "BadConstraints", "ReservationDeleted"})


def set_reason(system: Controller, job: Job, now: int, reason: str, detail: str = "") -> None:
    """Give the job a reason (and squeue's longer text) and log it if it is new."""
    job.reason, job.detail = reason, detail
    system.recorder.reason(now, job)


def eligible(system: Controller, job: Job, now: int) -> bool:
    """Whether nothing but resources and limits keeps the job (``job_independent``); sets the reason if something does."""
    reason = _obstacle(system, job, now)
    if reason:
        set_reason(system, job, now, reason, job.detail if job.reason == reason else "")
        return False
    if job.reason != "None" and job.reason in {"Dependency", "BeginTime", "JobArrayTaskLimit", "Reservation"}:
        job.reason = "None"  # not logged: the job starts now or gets its next reason
    if job.eligible is None:
        job.eligible = now
    return True


def _obstacle(system: Controller, job: Job, now: int) -> str:
    if job.reason in STICKY and not (job.reason == "BadConstraints" and system.reservations.over(job, now)):
        return job.reason
    if job.held:
        return lifecycle.HELD[job.held]
    if job.completing:
        return "BeginTime" if job.begin > now else "Cleaning"
    if job.spec.dependency:
        answer = depend.judge(job, now, lambda name: _named(system, name), lambda one: _rivals(system, one))
        if answer == depend.NEVER:
            return "DependencyNeverSatisfied"
        if answer == depend.WAITS:
            _recheck_delays(system, job, now)
            return "Dependency"
    limit = job.spec.array_limit
    if limit and sum(1 for other in system.arrays[job.spec.id] if other.state in {"RUNNING", "SUSPENDED"}) >= limit:
        return "JobArrayTaskLimit"
    if job.begin > now:
        return "BeginTime"
    return "Reservation" if job.spec.reservation and not system.reservations.runs(job, now) else ""


def _named(system: Controller, name: str) -> list[Job]:
    if name in system.jobs:
        job = system.jobs[name]
        return [] if job.state == "REJECTED" else [job]
    return system.arrays.get(name, [])


def _rivals(system: Controller, job: Job) -> bool:
    """Whether an earlier job of the same name and user has not ended (singleton)."""
    unfinished = (*system.pending.values(), *system.running.values(), *system.completing.values())
    return any(other.spec.name == job.spec.name and other.spec.user == job.spec.user and other.number < job.number
               for other in unfinished)


def _recheck_delays(system: Controller, job: Job, now: int) -> None:
    clauses, _any = depend.parse_dependency(job.spec.dependency)
    for clause in clauses:
        for other in _named(system, clause.job) if clause.delay else []:
            due = other.start + clause.delay
            if other.state != "PENDING" and due > now:
                system.recheck_at(now, due)


def taking_jobs(system: Controller, partitions: tuple[str, ...]) -> tuple[str, ...]:
    """The partitions that take submissions (``_alt_part_test`` in ``job_mgr.c``; measured: begin_partition_states)."""
    return tuple([name for name in partitions if system.partitions[name].state not in {"DRAIN", "INACTIVE"}])


def part_trouble(system: Controller, job: Job, partition: str) -> tuple[str, str]:
    """(reason, refusal) of the partition limit that keeps the job out, both "" if none does.

    ``_part_access_check`` and ``job_limits_check``; the refusal is printed only with ``EnforcePartLimits``. The limits of a
    partition that starts no jobs are not looked at (measured: partition_limits_three).
    """
    part = system.partitions[partition]
    if job.admitted is part:
        return "", ""
    spec, shape = job.spec, job.spec.shape
    if part.state in CLOSED:
        return CLOSED[part.state], ""
    if shape.min_cpus > system.part_cpus[partition]:
        return "PartitionConfig", "More processors requested than permitted"
    if shape.min_nodes > len(part.nodes) or (shape.max_nodes and not part.min_nodes <= shape.max_nodes <= part.max_nodes):
        return "PartitionNodeLimit", "Node count specification invalid"
    if spec.limit is not None and part.max_time is not None and spec.limit > part.max_time:
        return "PartitionTimeLimit", "Requested time limit is invalid (missing or exceeds some limit)"
    job.admitted = part
    return "", ""


def ask_for(system: Controller, job: Job, partition: str, among: int) -> Ask:
    """The placement question for this job in this partition, on such of the nodes that suit it as are ``among`` these."""
    wish = system.wish(job, partition)
    return Ask(job, wish.nodes & among, wish, wish.required)


def wish_of(system: Controller, shape: Shape, partition: str) -> Wish:
    """What a job of this shape wants in this partition (``get_node_cnts``, ``_resolve_shared_status``)."""
    part, index = system.partitions[partition], system.cluster.index
    least = shape.min_nodes if shape.min_nodes > part.min_nodes else part.min_nodes
    most = shape.max_nodes if 0 < shape.max_nodes < part.max_nodes else part.max_nodes
    whole = part.oversubscribe == "EXCLUSIVE" or shape.exclusive == "node"
    required = sum(1 << index[name] for name in shape.nodelist)
    nodes = system.part_nodes[partition] & _suiting(system, shape)
    return Wish(shape, nodes, least, max(most, least), most if shape.max_nodes else least, whole, required)


def _suiting(system: Controller, shape: Shape) -> int:
    """The nodes that the constraint, GPUs and exclusions leave, in any state."""
    gpus = max(shape.gpus_per_node, shape.gpus_per_task, 1) if shape.gpus_per_node or shape.gpus_per_job else 0
    pool = system.pool
    nodes = parse_constraint(shape.constraint).nodes(pool.features, pool.every)
    if gpus:
        nodes &= system.blank.free.at_least(amount(0, gpus))
        if shape.gpu_type:
            nodes &= pool.gpu_types.get(shape.gpu_type, 0)
    for name in shape.exclude:
        nodes &= ~(1 << system.cluster.index[name])
    return nodes


def place(system: Controller, ask: Ask, pool: NodePool, partition: str) -> Chosen | None:
    """Nodes for ``ask`` on ``pool``, with feature counts and ``--switches``."""
    chosen = _anywhere(system, ask, pool, partition)
    return chosen if chosen is None or not ask.job.spec.switches or _few_switches(system, ask.job, chosen) else None


def _anywhere(system: Controller, ask: Ask, pool: NodePool, partition: str) -> Chosen | None:
    """The same below any number of switches; notes the cores, which job size and limits go by."""
    lln = system.partitions[partition].lln
    constraint = parse_constraint(ask.wish.shape.constraint) if ask.wish.picky else NO_CONSTRAINT
    if constraint.counts and not _counted(system, ask, pool, lln):
        return None
    chosen = _alike(system, ask, pool, lln, constraint) if constraint.alike else system.selector.choose(ask, pool, lln)
    if chosen is not None:
        ask.job.total_cpus = chosen.cpus
    return chosen


def _alike(system: Controller, ask: Ask, pool: NodePool, lln: bool, constraint: Constraint) -> Chosen | None:
    """Nodes that all have the first feature for which there are enough."""
    for name in constraint.alike:
        one = ask.on(ask.nodes & pool.features.get(name, 0))
        chosen = None if one.required & ~one.nodes else system.selector.choose(one, pool, lln)
        if chosen is not None:
            ask.cores = one.cores
            return chosen
    return None


def _counted(system: Controller, ask: Ask, pool: NodePool, lln: bool) -> bool:
    """Pick the nodes that feature counts ask for and make them required; see :mod:`~clustersim.slurm.features`.

    In brackets, nodes that have the first feature as well are tried first, then those with the second, and so on
    (``feature_bits`` in ``_pick_best_nodes``; measured: features_alike_counts).
    """
    constraint, picked = parse_constraint(ask.wish.shape.constraint), 0
    kinds = [pool.features.get(name, 0) for name, _count in constraint.counts] if constraint.bracketed else [pool.every]
    for name, count in constraint.counts:
        having = pool.features.get(name, 0)
        if picked & ~having and not constraint.bracketed:
            return False
        nodes = ask.nodes & having & ~(picked if constraint.bracketed else 0)
        wish = Wish(ask.wish.shape, nodes, count, ask.wish.max_nodes, count, ask.wish.whole, counted=True)
        asks = (Ask(ask.job, nodes & kind, wish) for kind in kinds)
        found = next((found for one in asks if (found := system.selector.choose(one, pool, lln))), None)
        if found is None:
            return False
        picked |= found.nodes
    ask.required |= picked
    return ask.required.bit_count() <= ask.wish.max_nodes


def _few_switches(system: Controller, job: Job, chosen: Chosen) -> bool:
    """``--switches=n@time``: more leaf switches than asked for only after that time, which begins when a place is first
    looked for, be it at the submission (``_eval_nodes_topo`` in ``cons_tres/job_test.c``; measured: topology_switches)."""
    tree, now = system.selector.tree, system.now
    if tree is None or tree.leaves(chosen.nodes) <= job.spec.switches:
        return True
    since = _waits_for_switches_since(job, now)
    system.recheck_at(now, since + job.spec.switch_wait)
    return now - since >= job.spec.switch_wait


def _waits_for_switches_since(job: Job, now: int) -> int:
    if job.switch_since is None:
        job.switch_since = now
    return job.switch_since


def test_only(system: Controller, job: Job, wish: Wish, partition: str, nodes: int) -> bool:
    """Whether the job would fit on ``nodes`` if they were empty, below whatever switches."""
    if job.spec.switches and not job.held:
        _waits_for_switches_since(job, system.now)
    known = wish.possible.get(nodes)
    if known is None:
        before = job.total_cpus
        known = _anywhere(system, Ask(job, nodes, wish, wish.required), system.blank, partition) is not None
        wish.possible[nodes], job.total_cpus = known, before
    return known


def tres(system: Controller, ask: Ask, chosen: Chosen | None) -> dict[str, int]:
    """The amounts that limits count: of the placement, else of the request."""
    shape = ask.wish.shape
    if chosen is None:
        return system.policy.request(ask.job)
    gpus = shape.gpus_per_job or shape.gpus_per_node * chosen.count
    if ask.wish.whole:
        gpus = system.blank.free.all_gpus(chosen.nodes)
    return {"cpu": chosen.cpus, "gres/gpu": gpus, "node": chosen.count}


def try_now(system: Controller, job: Job, partition: str, available: int, now: int, by: str) -> str:
    """Start the job in ``partition`` on ``available`` nodes if it can be (``select_nodes``).

    Returns "started", or why not: "policy", "busy" (the partition is blocked), "reserved", "unavailable" (required or
    fitting nodes are down), "preempting". The reason of the job is set.
    """
    reason = system.policy.before(job) if system.policy.any else ""
    if reason:
        set_reason(system, job, now, reason)
        return "policy"
    ask = ask_for(system, job, partition, available)
    up, window = ask.nodes, EVERYTHING
    if job.spec.reservation or system.reservations.all:
        length = job.limit_seconds(system.partitions[partition])
        window = system.reservations.window(
            job, now, length, system.pool.every, system.part_nodes[partition], ask.required, move=False)
        up &= window.nodes
    ask.nodes = up & ~system.closing_bits
    if job.spec.shape.exclusive == "user" or system.owners:
        ask.nodes &= ~system.foreign(job)
    chosen, victims = (None, []) if ask.required & ~up else preempt.place_now(system, ask, partition, up, now)
    taken = chosen.nodes if chosen else ask.required
    reason = system.policy.after(job, tres(system, ask, chosen), taken) if system.policy.any else ""
    if reason:
        set_reason(system, job, now, reason)
        return "policy"
    if victims and not preempt.evict(system, ask, victims, now):
        set_reason(system, job, now, "Resources")
        return "preempting"
    if chosen is not None:
        allocation, held = allocate(ask, system.pool, chosen)
        lifecycle.start(system, ask, partition, allocation, held, now, by)
        return "started"
    _when_it_reaches_into_one_more(system, job, partition, now)
    if by == "main" and _can_never_be(system, ask, partition, window):
        return _hold_for_ever(system, job, now)
    return _why_not(system, ask, partition, up, window.verdict, available if by == "main" else system.available)


def _can_never_be(system: Controller, ask: Ask, partition: str, window: Window) -> bool:
    """Whether the nodes of the job's reservation, all empty and healthy, would not hold it. Other jobs for which that is so
    were refused; where another reservation has a part, or the job may go to another partition, it is not said."""
    if not ask.job.spec.reservation or window.verdict or window.overlap or len(ask.job.partitions) > 1:
        return False
    return not test_only(system, ask.job, ask.wish, partition, ask.wish.nodes & window.nodes)


def _hold_for_ever(system: Controller, job: Job, now: int) -> str:
    """Priority 0, with the reason (the end of ``schedule`` in ``job_scheduler.c``); tasks not started are one record."""
    for one in system.arrays[job.spec.id] if job.spec.array else [job]:
        if one.state == "PENDING" and (one is job or not one.runs):
            one.held = "admin"
            set_reason(system, one, now, "BadConstraints")
    return "unavailable"


def _when_it_reaches_into_one_more(system: Controller, job: Job, partition: str, now: int) -> None:
    """A waiting job may block nobody once it would reach into a reservation: the next periodic run sees it (measured:
    reservation_ignore)."""
    if system.reservations.all:
        changes = system.reservations.reaches(job, now, job.limit_seconds(system.partitions[partition]))
        if changes is not None:
            system.recheck_at(now, changes)


def _why_not(system: Controller, ask: Ask, partition: str, up: int, verdict: str, available: int) -> str:
    """The reason of a job that cannot start now (the end of ``_pick_best_nodes`` and of ``select_nodes``).

    To the main loop the nodes of those that are blocked before are not ``available`` either (measured: reservation_ignore_two).
    """
    job, now = ask.job, system.now
    if verdict == "maint":
        set_reason(system, job, now, "ReqNodeNotAvail", FOR_MAINTENANCE)
        return "reserved"
    if verdict in {"early", "invalid"}:
        set_reason(system, job, now, "Reservation")
        return "reserved"
    taken = up & system.closing_bits
    if not system.settings.preemption:
        taken |= up & (system.pool.busy if ask.wish.whole else system.foreign(job))
    if taken or ((up & ~taken).bit_count() >= ask.wish.min_nodes and test_only(system, job, ask.wish, partition, up)):
        set_reason(system, job, now, "Resources")
        return "busy"
    set_reason(system, job, now, "ReqNodeNotAvail", _which_are_missing(system, ask, partition, available))
    return "unavailable"


def _which_are_missing(system: Controller, ask: Ask, partition: str, available: int) -> str:
    gone = system.part_nodes[partition] & ~available & (ask.required or system.pool.every)
    where = hostlist.compress(system.names(gone)) if gone else ""
    return f"ReqNodeNotAvail, UnavailableNodes:{where}" if gone else "ReqNodeNotAvail, May be reserved for other job"


def room_at_sight(system: Controller, job: Job, partition: str) -> bool:
    """Whether enough nodes are there for a job that shares them, whichever they are, as most do."""
    wish = system.wish(job, partition)
    if wish.required or wish.whole or wish.shape.exclusive:
        return False
    return (wish.nodes & system.available).bit_count() >= wish.min_nodes


def trouble_at_submission(system: Controller, job: Job) -> tuple[str, str]:
    """(reason, squeue's text) of the test that a submission makes (``select_nodes``, ``test_only``), both "" if enough nodes
    of a right kind are idle (or shared) at all in one of its partitions, whatever the cores; measured: drain_shared."""
    reason, detail = "Resources", ""
    for name in job.partitions:
        if room_at_sight(system, job, name):
            return "", ""
        ask = ask_for(system, job, name, system.available)
        taken = ask.nodes & (system.closing_bits | system.pool.busy) if ask.wish.whole else 0
        if ask.required & ~system.available or (not taken and ask.nodes.bit_count() < ask.wish.min_nodes):
            reason, detail = "ReqNodeNotAvail", _which_are_missing(system, ask, name, system.available)
        elif (ask.nodes & ~taken).bit_count() >= ask.wish.min_nodes:
            return "", ""
    return reason, detail
