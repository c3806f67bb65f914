"""A job's life after it was chosen: start, end, kill, requeue, suspension, and the nodes it leaves.

Sources: facts, sections 1 (time limits), 5 (requeue, node failure) and 6 (states); ``deallocate_nodes`` in
``src/slurmctld/node_scheduler.c``: the cores of a job that ended are free at once, but its nodes take no new job while
they complete.
"""
from __future__ import annotations

from typing import TYPE_CHECKING

from clustersim.clock import ENDS
from clustersim.messages import N_
from clustersim.slurm import preempt
from clustersim.slurm.fill import Ask
from clustersim.slurm.jobs import YEAR, Allocation, Job, bits_of
from clustersim.slurm.pool import Holding, holding
from clustersim.slurm.record import current_run, place
from clustersim.slurm.shape import CORE, GPUS
from clustersim.units import MINUTE

if TYPE_CHECKING:
    from clustersim.slurm.controller import Controller

HELD = {"user": "JobHeldUser", "admin": "JobHeldAdmin"}  # who holds a job -> its reason
PERIODIC_TIMEOUT = 30  # seconds between two checks of time limits (slurmctld.h; the same in 22.05 and 26.05)
REQUEUE_DELAY = 121  # credential lifetime (AuthInfo=cred_expire, 120 s) plus 1: measured, and job_mgr.c


def start(system: Controller, ask: Ask, partition: str, allocation: Allocation, held: Holding, now: int, by: str) -> None:
    """Give ``allocation`` (``held``: the same with nodes of equal shares together) to the job; it runs from ``now``."""
    job, part = ask.job, system.partitions[partition]
    if job.limit is None or (part.max_time is not None and job.limit > part.max_time):
        job.limit = part.default_time if part.default_time is not None else part.max_time
    job.state, job.reason, job.detail, job.partition = "RUNNING", "None", "", partition
    job.start, job.limit_end = now, now + (YEAR if job.limit is None else job.limit * MINUTE)
    job.allocation, job.holding, job.cores, job.whole, job.scheduler = allocation, held, ask.cores, ask.wish.whole, by
    bits = cores = 0
    for nodes, share in held:
        bits |= nodes
        cores += nodes.bit_count() * (share // CORE)
    job.node_bits, job.total_cpus = bits, cores
    names = system.recorder.names
    job.places = tuple([place(names[i], cpus, gpus_there) for i, cpus, gpus_there in allocation])
    job.planned, job.preempt_since, job.preempting, job.end = None, None, False, None
    system.pool.take(held)
    system.pool.turn_gpus(allocation)
    system.future.add(job)
    system.touched |= bits
    system.planned &= ~bits
    if job.spec.shape.exclusive == "user":
        system.owners.update((i, job.spec.user) for i in bits_of(job.node_bits))
    del system.pending[job.key]
    system.running[job.key] = job
    if job.spec.array:
        _split(system, job)
    if system.policy.any:
        gpus = sum(nodes.bit_count() * (share & GPUS) for nodes, share in held)
        job.held_tres = {"cpu": cores, "gres/gpu": gpus, "node": len(allocation)}
        system.policy.count_run(job, job.held_tres, bits)
    system.priorities.shares.run(job)
    if system.afters:
        system.recheck_at(now, now + 1)
    wait = now - job.submit
    job.said, job.said_at = "", -1
    system.recorder.write(now, "start", job.key, {"places": job.places, "wait": wait, "scheduler": by})
    job.work_left, job.resumed = job.spec.run + system.overheads.launch, now
    _go_on(system, job, now)
    system.calc_soon(now)


def list_last(system: Controller, jobs: list[Job]) -> None:
    """Put one record, all these tasks of an array, at the end of the controller's list of jobs."""
    system.last_listed += 1
    for job in jobs:
        job.listed = system.last_listed


def _split(system: Controller, job: Job) -> None:
    """A task that starts keeps the place of its array in the list; what is left of the array is a new record behind all
    others (``job_array_split`` in ``job_mgr.c``), which may make victims at once. Only ``sched/builtin`` walks the list;
    measured: builtin_reservation."""
    if not job.runs and (system.settings.preemption or not system.settings.backfill):
        left = [task for task in system.arrays[job.spec.id] if task.state == "PENDING" and not task.runs]
        for task in left:
            task.preempt_since = None
        if not system.settings.backfill and left:
            list_last(system, left)


def _go_on(system: Controller, job: Job, now: int) -> None:
    job.generation += 1
    job.resumed = now
    system.agenda.put(now + job.work_left, ENDS, ("done", (job.key, job.generation)))


def work_done(system: Controller, now: int, what: tuple[str, int]) -> None:
    """The work of a job (its key, and the generation it had) is finished, unless it was stopped meanwhile."""
    key, generation = what
    job = system.jobs[key]
    if job.generation != generation or job.state != "RUNNING":
        return
    code = job.spec.exit_code
    end(system, job, now, "FAILED" if code else "COMPLETED", f"{code}:0")


def end(system: Controller, job: Job, now: int, state: str, exit_code: str = "0:0", linger: int = 0,
        requeue: bool = False) -> None:
    """The job's end on record. Each node completes by itself: the first one, where the batch script runs, for ``linger``
    seconds more than the cleanup takes (``job_epilog_complete`` in ``job_mgr.c``; measured: clean_one_by_one)."""
    job.generation += 1
    if job.suspended_at is not None:
        _unpause(system, job, now)
        system.pool.take(holding(job.allocation, gpus=False))  # they were given back when it paused
        system.future.add(job)
    system.pool.give_back(job.holding)
    system.pool.turn_gpus(job.allocation)
    system.future.remove(job)
    system.priorities.shares.end(job, now)
    del system.running[job.key]
    system.closing_bits |= job.node_bits
    system.touched |= job.node_bits
    job.state, job.end, job.completing, job.requeue_pending = state, now, True, requeue
    system.completing[job.key] = job
    free = now + linger + system.overheads.cleanup
    job.runs.append(current_run(job, now, state, free, exit_code))
    system.recorder.write(now, "end", job.key, {"state": state, "exit_code": exit_code})
    if not requeue:
        system.policy.count_submit(job, -1)
    if system.settings.complete_wait:
        system.recheck_at(now, now + system.settings.complete_wait + 1)
    if system.owners:
        _owners_left(system, job)
    nodes, parts = job.node_bits, [(free, job.node_bits)]
    if linger:
        system.agenda.put(now + linger, ENDS, ("kill", job.key))
        slow = 1 << job.allocation[0][0]
        parts = [part for part in ((free - linger, nodes & ~slow), (free, slow)) if part[1]]
    if requeue:
        _back_to_queue(system, job, now)
    _clean_up(system, job, now, nodes, parts)


def _clean_up(system: Controller, job: Job, now: int, nodes: int, parts: list[tuple[int, int]]) -> None:
    """The nodes of the run that just ended become clean in ``parts``: (when, which)."""
    key, run, tres = job.key, len(job.runs), job.held_tres
    system.unclean[key, run] = nodes
    if len(parts) == 1 and parts[0][0] > now:  # settled and released in one go
        system.agenda.put(parts[0][0], ENDS, ("clean", (key, tres, run, nodes)))
        return
    system.agenda.put(now + system.overheads.cleanup, ENDS, ("settle", (key, tres, nodes)))
    for time, some in parts:
        if time == now:
            release(system, now, key, run, some)
        else:
            system.agenda.put(time, ENDS, ("release", (key, run, some)))


def settle(system: Controller, now: int, what: tuple[str, dict[str, int], int]) -> None:
    """The controller has heard of the end: limits count the job no longer. No loop is woken before all nodes are clean.

    Slurm does this at the end itself, but within a tick of the nodes' cleanup; one instant for both keeps a successor
    from starting elsewhere in that fraction of a second.
    """
    key, tres, nodes = what
    system.policy.count_run(system.jobs[key], tres, nodes, -1)
    system.seen_periodically(now)


def clean(system: Controller, now: int, what: tuple[str, dict[str, int], int, int]) -> None:
    """Both at once: the end is heard of, and the nodes are clean."""
    key, tres, run, nodes = what
    if system.policy.any:
        system.policy.count_run(system.jobs[key], tres, nodes, -1)
    release(system, now, key, run, nodes)


def _owners_left(system: Controller, job: Job) -> None:
    for i in bits_of(job.node_bits):
        if not any(other.node_bits >> i & 1 and other.spec.shape.exclusive == "user" for other in system.running.values()):
            system.owners.pop(i, None)


def kill(system: Controller, now: int, key: str) -> None:
    """KillWait is over: what ignored SIGTERM gets SIGKILL."""
    system.recorder.write(now, "signal", key, {"signal": "SIGKILL", "why": N_("it ignored SIGTERM for KillWait")})


def released(system: Controller, now: int, what: tuple[str, int, int]) -> None:
    """Some nodes of a run are clean: :func:`release`."""
    release(system, now, *what)


def release(system: Controller, now: int, key: str, run: int, nodes: int) -> None:
    """These nodes of the run are clean: they may take jobs again. With the last of them the main loop runs; before that
    the periodic runs find them (``_slurm_rpc_epilog_complete`` in ``proc_req.c``)."""
    job, stuck = system.jobs[key], nodes & system.silent & ~system.down
    if stuck:
        system.stuck.append((key, run, stuck))
        nodes &= ~stuck
    left = system.unclean[key, run] = system.unclean[key, run] & ~nodes
    system.closing_bits &= ~nodes
    for others in system.unclean.values():  # other jobs may complete on the same nodes
        system.closing_bits |= others
    system.touched |= nodes
    if nodes and system.settings.gang:
        preempt.wake_paused(system, now)
    if left:
        early = tuple((name, now) for name in system.names(nodes))
        job.runs[run - 1] = job.runs[run - 1]._replace(early=job.runs[run - 1].early + early)
        system.seen_periodically(now)
        return
    del system.unclean[key, run]
    job.completing = False
    del system.completing[key]
    system.recorder.write(now, "release", key, {})
    system.wake_main(now)


def release_stuck(system: Controller, now: int, _what: None = None) -> None:
    """These nodes answer again or are given up: what waited for their cleanup goes on."""
    waiting, system.stuck = system.stuck, []
    for key, run, nodes in waiting:
        old = system.jobs[key].runs[run - 1]
        system.jobs[key].runs[run - 1] = old._replace(released=now)
        release(system, now, key, run, nodes)


def stop(system: Controller, job: Job, now: int, state: str, why: str, requeue: bool = False) -> None:
    """SIGTERM now; what ignores it holds its nodes until KillWait is over."""
    system.recorder.write(now, "signal", job.key, {"signal": "SIGTERM", "why": why})
    end(system, job, now, state, linger=system.settings.kill_wait if job.spec.ignore_term else 0, requeue=requeue)


def check_limits(system: Controller, now: int) -> None:
    """The periodic check: end every running job that is past its limit (and OverTimeLimit)."""
    past = now - system.settings.over_time_limit
    for job in [job for *_key, job in system.future.until(past) if job.limited]:
        if job.preempt_since is not None:
            preempt.end_victim(system, job, now)
        else:
            stop(system, job, now, "TIMEOUT", N_("its time limit is over"))


def drop(system: Controller, job: Job, now: int, state: str = "CANCELLED") -> None:
    """A waiting job ends without a run."""
    job.state, job.end = state, now
    del system.pending[job.key]
    system.policy.count_submit(job, -1)
    system.recorder.write(now, "end", job.key, {"state": state, "exit_code": "0:0"})
    system.queue_main(now)


def run_again(system: Controller, job: Job, now: int) -> None:
    """A finished job goes back to the queue: its last run counts as requeued."""
    job.runs[-1] = job.runs[-1]._replace(state="REQUEUED")
    system.policy.count_submit(job)
    _back_to_queue(system, job, now)
    system.queue_main(now)


def may_requeue(system: Controller, job: Job) -> bool:
    return system.settings.job_requeue if job.spec.requeue is None else job.spec.requeue


def _back_to_queue(system: Controller, job: Job, now: int) -> None:
    job.state, job.submit, job.begin = "PENDING", now, max(job.begin, now + REQUEUE_DELAY)
    job.reason, job.detail, job.eligible, job.preempt_since = HELD.get(job.held, "BeginTime"), "", None, None
    job.allocation, job.node_bits, job.suspended_s = (), 0, 0
    job.limit = requested_limit(system, job)
    system.pending[job.key] = job
    system.recorder.write(now, "requeue", job.key, {"why": job.runs[-1].state})
    system.recorder.reason(now, job)
    system.recheck_at(now, job.begin)
    if system.settings.multifactor and not job.held:
        system.priorities.update(job, now)


def requested_limit(system: Controller, job: Job) -> int | None:
    """Minutes asked for, else the partition's default, which counts from the submission on."""
    if job.spec.limit is not None:
        return job.spec.limit
    return system.partitions[job.partitions[0]].default_time


def node_down(system: Controller, nodes: int, now: int) -> None:
    """Jobs on nodes that are lost go back to the queue, or end as NODE_FAIL."""
    for job in [job for job in system.running.values() if job.node_bits & nodes]:
        end(system, job, now, "NODE_FAIL", requeue=may_requeue(system, job))


def suspend(system: Controller, job: Job, now: int) -> None:
    """Stop a job's processes: higher tiers may use its cores; its memory and GPUs stay taken."""
    job.generation += 1
    job.state, job.suspended_at = "SUSPENDED", now
    if job.spec.stoppable:
        job.work_left -= now - job.resumed
    system.pool.give_back(holding(job.allocation, gpus=False))
    system.future.remove(job)
    system.touched |= job.node_bits
    system.pauses.setdefault(job.key, []).append([now, now])
    system.recorder.write(now, "signal", job.key, {"signal": "SIGSTOP", "why": N_("a job of higher tier needs its nodes")})


def resume(system: Controller, job: Job, now: int) -> None:
    """Go on after a suspension: the limit is moved by the time it took."""
    _unpause(system, job, now)
    system.pool.take(holding(job.allocation, gpus=False))
    system.future.add(job)
    job.state = "RUNNING"
    system.touched |= job.node_bits
    system.recorder.write(now, "signal", job.key, {"signal": "SIGCONT", "why": N_("its nodes are free again")})
    if job.spec.stoppable:
        _go_on(system, job, now)
    else:
        job.generation += 1
        left = max(job.start + job.spec.run + system.overheads.launch - now, 0)
        system.agenda.put(now + left, ENDS, ("done", (job.key, job.generation)))


def _unpause(system: Controller, job: Job, now: int) -> None:
    since = job.suspended_at if job.suspended_at is not None else now
    system.pauses[job.key][-1][1] = now
    job.suspended_s += now - since
    job.limit_end += now - since
    job.suspended_at = None
