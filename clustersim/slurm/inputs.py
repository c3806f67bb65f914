"""What comes from outside: submissions and the acts of operators.

Sources: ``job_allocate`` and ``_top_priority`` in ``src/slurmctld/job_mgr.c`` for the reasons a job gets at its
submission; facts, sections 5 (nodes), 7 (reasons), 9 (refusals) and 10 (reservations).
"""
from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from clustersim.clock import FAULTS, INPUTS
from clustersim.messages import N_
from clustersim.slurm import lifecycle
from clustersim.slurm.accounts import Association
from clustersim.slurm.depend import FINISHED
from clustersim.slurm.features import parse_constraint
from clustersim.slurm.jobs import Job, bits_of
from clustersim.slurm.placing import eligible, part_trouble, taking_jobs, test_only, trouble_at_submission
from clustersim.slurm.requests import JobSpec
from clustersim.slurm.reservationlife import create_reservation
from clustersim.slurm.workload import OperatorAct, partition_value

if TYPE_CHECKING:
    from clustersim.slurm.controller import Controller

REFUSED = "sbatch: error: Batch job submission failed: {why}"  # printed as it is, in every language


def submit(system: Controller, now: int, spec: JobSpec) -> None:
    """sbatch: refuse what can never run, queue the rest."""
    association, shape = system.accounting.association(spec.user, spec.account), spec.shape
    tasks = [_job(system, spec, association, now, task) for task in spec.array or (-1,)]
    first = tasks[0]
    why = _refusal(system, first, association, len(tasks), now)
    if why:
        first.key = spec.id
        first.state, first.reason = "REJECTED", why
        system.jobs[spec.id], system.first_submit[spec.id] = first, now
        system.recorder.write(now, "reject", spec.id, {"why": why})
        return
    system.next_number += 1
    system.afters |= "after:" in spec.dependency
    lifecycle.list_last(system, tasks)
    for job in tasks:
        system.jobs[job.key] = system.pending[job.key] = job
        system.first_submit[job.key] = now
        system.policy.count_submit(job)
        limit = None if job.limit is None else job.limit * 60
        system.recorder.write(now, "submit", job.key, {
            "user": spec.user, "cores": shape.min_cpus, "nodes": shape.min_nodes, "gpus": shape.gpus, "limit": limit,
            "partition": ",".join(job.partitions)})
    if spec.array:
        system.arrays[spec.id] = tasks
    _first_reason(system, first, now)
    for job in tasks[1:]:  # the tasks of an array are one record until they start
        job.held, job.eligible = first.held, first.eligible
        job.worth, job.worths = first.priority, dict(first.part_priority)
        job.reason, job.detail = first.reason, first.detail
        system.recorder.reason(now, job)
    if spec.begin:
        system.recheck_at(now, now + spec.begin)
    system.queue_main(now)
    system.calc_soon(now)


def _job(system: Controller, spec: JobSpec, association: Association | None, now: int, task: int) -> Job:
    key = spec.id if not spec.array else f"{spec.id}_{task}"
    partitions = spec.partitions or system.default_partition
    if len(partitions) > 1:
        partitions = taking_jobs(system, partitions) or partitions
        partitions = tuple(sorted(partitions, key=lambda name: -system.partitions[name].priority_tier))
    qos = spec.qos or (association.default_qos if association else "") or "normal"
    job = Job(key, spec, system.next_number, task, now, partitions=partitions, partition=partitions[0], qos=qos,
              account=association.account if association else spec.account, begin=now + spec.begin)
    job.limit = lifecycle.requested_limit(system, job)
    job.held = "user" if spec.hold else ""
    return job


def _refusal(system: Controller, job: Job, association: Association | None, tasks: int, now: int) -> str:
    """What sbatch prints when the controller refuses the job at once; "" if it does not."""
    spec, settings = job.spec, system.settings
    if not taking_jobs(system, job.partitions):
        return REFUSED.format(why="Required partition not available (inactive or drain)")
    if association is None and settings.associations:
        return REFUSED.format(why="Invalid account or account/partition combination specified")
    if "qos" in settings.enforce and association and job.qos not in (association.qos or ("normal",)):
        return REFUSED.format(why="Invalid qos specification")
    if spec.nice < 0:
        return REFUSED.format(why="Invalid --nice value")
    troubles = [part_trouble(system, job, name) for name in job.partitions]
    mode = settings.enforce_part_limits
    said = [message for _reason, message in troubles if message] if mode != "NO" else []
    if (mode == "ALL" and said) or (mode == "ANY" and len(said) == len(troubles)):
        return REFUSED.format(why=said[0 if mode == "ALL" else -1])  # _valid_job_part: ALL stops at the first, ANY goes on
    limit = system.policy.any and (system.policy.refuse_submit(job, tasks) or system.policy.deny_on_limit(job))
    if limit:
        why = "Job violates accounting/QOS policy (job submit limit, user's size and/or time limits)"
        return f"sbatch: error: {limit}\n" + REFUSED.format(why=why)
    if spec.reservation and system.reservations.over(job, now):
        return REFUSED.format(why="Requested reservation is invalid")
    if spec.reservation and not system.reservations.all[spec.reservation].admits(job):
        return REFUSED.format(why="Access denied to requested reservation")
    if spec.shape.constraint:
        constraint = parse_constraint(spec.shape.constraint)
        if not constraint.legal or constraint.names() - set(system.pool.features):
            return REFUSED.format(why="Invalid feature specification")
    if _fits_nowhere(system, job, troubles):
        return REFUSED.format(why="Requested node configuration is not available")
    return ""


def _fits_nowhere(system: Controller, job: Job, troubles: list[tuple[str, str]]) -> bool:
    """Whether the job would find no place in any partition that is open to it, though one is, were all nodes empty."""
    closed = True
    for i, name in enumerate(job.partitions):
        if not troubles[i][0]:
            wish = system.wish(job, name)
            if test_only(system, job, wish, name, wish.nodes):
                return False
            closed = False
    return not closed


def _first_reason(system: Controller, job: Job, now: int) -> None:
    """The reason set by the submission itself, before any loop has run."""
    free = eligible(system, job, now)
    if not job.held:
        system.priorities.submit(job, now)
    if not free:
        return
    if job.admitted is None and all(part_trouble(system, job, name)[0] for name in job.partitions):
        job.reason = "PartitionConfig"
    else:
        if not job.spec.array and not _top_priority(system, job):
            job.reason = "Priority"
        trouble = trouble_at_submission(system, job)
        if trouble[0]:
            job.reason, job.detail = trouble
    if job.reason != "None":
        system.recorder.reason(now, job)


def _top_priority(system: Controller, job: Job) -> bool:
    mine = system.part_nodes[job.partition]
    for other in system.pending.values():
        if other is not job and other.priority > job.priority and other.eligible is not None and not other.held \
                and system.part_nodes[other.partition] & mine:
            return False
    return True


# operators


def act(system: Controller, now: int, one: OperatorAct) -> None:
    """Do what an operator (or a broken machine) does."""
    if one.do == "snapshot":
        return
    subject = one.job or one.name or ",".join(one.nodes)
    system.recorder.write(now, "input", subject, {"do": one.do, "user": one.user, "reason": one.reason})
    _ACTS[one.do](system, now, one)


def targets(system: Controller, one: OperatorAct) -> list[Job]:
    """One job, one task (``arr[5]`` or ``arr_5``), or all tasks of an array; of others' jobs only root may touch any."""
    match = re.fullmatch(r"(.+)\[(\d+)\]", one.job)
    name = f"{match[1]}_{match[2]}" if match else one.job
    jobs = [system.jobs[name]] if name in system.jobs else system.arrays.get(name, [])
    return [job for job in jobs if one.user in {"root", job.spec.user}]



def _scancel(system: Controller, now: int, one: OperatorAct) -> None:
    for job in targets(system, one):
        if job.state == "PENDING" and not job.completing:
            lifecycle.drop(system, job, now)
        elif job.state in {"RUNNING", "SUSPENDED"}:
            lifecycle.stop(system, job, now, "CANCELLED", N_("scancel"))


def _hold(system: Controller, now: int, one: OperatorAct) -> None:
    """Priority 0: the job waits with the reason. One that runs goes on; if it comes back to the queue, it is held."""
    for job in (job for job in targets(system, one) if job.state in {"PENDING", "RUNNING", "SUSPENDED"}):
        job.held = "user" if one.user == job.spec.user else "admin"
        if job.state == "PENDING":
            job.reason, job.detail, job.eligible = lifecycle.HELD[job.held], "", None
            system.recorder.reason(now, job)
            system.changed(now)


def _release(system: Controller, now: int, one: OperatorAct) -> None:
    """A job that nobody holds loses its nice value and its place, if root asks (``_update_job``; measured: mix20_events)."""
    for job in targets(system, one):
        if not job.held and one.user == "root" and job.state in {"PENDING", "RUNNING", "SUSPENDED"}:
            job.spec = job.spec._replace(nice=0)
            system.priorities.submit(job, now)
        elif job.held and (job.held == "user" or one.user == "root"):
            job.held = ""
            if job.state == "PENDING":
                job.reason, job.detail = "None", ""
                eligible(system, job, now)
                system.priorities.submit(job, now)  # with priority/basic it goes behind all others
    system.queue_main(now)


MIN_JOB_AGE = 300  # seconds after its end the controller forgets a job (slurm.conf(5), MinJobAge)


def _requeue(system: Controller, now: int, one: OperatorAct) -> None:
    """A job that is over is run again too, as long as the controller remembers it (``_job_requeue`` in ``job_mgr.c``)."""
    for job in (job for job in targets(system, one) if lifecycle.may_requeue(system, job)):
        if job.state in {"RUNNING", "SUSPENDED"}:
            lifecycle.stop(system, job, now, "REQUEUED", N_("requeued by an operator"), requeue=True)
        elif job.state in FINISHED and job.runs and job.end is not None and now - job.end < MIN_JOB_AGE:
            lifecycle.run_again(system, job, now)


def _bits(system: Controller, one: OperatorAct) -> int:
    return sum(1 << system.cluster.index[name] for name in one.nodes)


def _drain(system: Controller, now: int, one: OperatorAct) -> None:
    system.drain |= _bits(system, one)
    _nodes_changed(system, now, one)


def _down(system: Controller, now: int, one: OperatorAct) -> None:
    bits = _bits(system, one)
    if system.settings.return_to_service == 2:
        _back_with_the_next_answer(system, now, bits & ~system.silent)
    system.down |= bits
    lifecycle.node_down(system, bits, now)
    _nodes_changed(system, now, one)


def _back_with_the_next_answer(system: Controller, now: int, bits: int) -> None:
    """With ReturnToService 2 a node that is down is up again once its daemon answers whatever: at once where a job is ended by
    it, else at the next ping (``_node_did_resp`` in ``node_mgr.c``; measured: return_to_service_2)."""
    asked = bits & sum(1 << i for i in bits_of(bits) if any(job.node_bits >> i & 1 for job in system.running.values()))
    if asked:
        system.agenda.put(now + ANSWER, INPUTS, ("answer", asked))
    timeout = system.settings.slurmd_timeout
    for i in bits_of(bits & ~asked) if timeout else ():
        system.agenda.put(_next_ping_of(system, i, now, max(timeout // 3, 1))[1], INPUTS, ("answer", 1 << i))


def _resume(system: Controller, now: int, one: OperatorAct) -> None:
    """A drained node is back at once, a node that was down when it has answered the ping that this sends."""
    bits = _bits(system, one)
    system.drain &= ~bits
    asked = bits & system.down & ~system.silent
    if asked:
        system.agenda.put(now + ANSWER, INPUTS, ("answer", asked))
    _nodes_changed(system, now, one)


def answer(system: Controller, now: int, bits: int) -> None:
    """Nodes that were resumed have answered."""
    back = bits & ~system.silent
    system.down &= ~back
    system.touched |= back
    system.queue_main(now)


def _nodes_changed(system: Controller, now: int, one: OperatorAct) -> None:
    for name in one.nodes:
        system.node_reason[system.cluster.index[name]] = one.reason
    system.touched |= _bits(system, one)
    system.queue_main(now)


PURGE_JOB_INTERVAL, MESSAGE_TIMEOUT = 60, 10  # seconds
ANSWER = 1  # seconds: the ping goes out with the next turn of the controller's loop (_require_node_reg in node_mgr.c)
PING_OFFSET = 3  # seconds after the daemon's start (MIN_CHECKIN_TIME); pings follow every SlurmdTimeout / 3


def _kill_slurmd(system: Controller, now: int, one: OperatorAct) -> None:
    """The daemon is gone. Jobs go on (their steps report their end themselves), but the node cannot be cleaned up after them.

    Pings come every SlurmdTimeout / 3, and pass over a node that answered anything since the one before. A ping gives a
    node up if its last answer was SlurmdTimeout old at the ping before (``ping_nodes.c``; measured).
    """
    bits, timeout = _bits(system, one), system.settings.slurmd_timeout
    system.silent |= bits
    for i in bits_of(bits) if timeout else ():
        every = max(timeout // 3, 1)
        heard, _due = _next_ping_of(system, i, now, every)
        system.given_up[i] = _ping(system, heard + timeout, every) + every
        system.agenda.put(system.given_up[i], FAULTS, ("timeout", i))
    _nodes_changed(system, now, one)


def _ping(system: Controller, time: int, every: int) -> int:
    """The first ping at or after ``time``."""
    return system.grid(time - PING_OFFSET, every) + PING_OFFSET


def _next_ping_of(system: Controller, i: int, now: int, every: int) -> tuple[int, int]:
    """(when the node last answered, when it will be asked again), if nothing else is heard of it."""
    heard = _last_contact(system, i)
    while (due := _ping(system, heard + every + 1, every)) <= now:
        heard = due
    return heard, due


def _last_contact(system: Controller, i: int) -> int:
    """When a job last began there as on its first node, which launches it, or ended; else when the controller came up."""
    name = system.cluster.nodes[i].name
    times = [job.start for job in system.running.values() if job.allocation[0][0] == i]
    times += [run.end for job in system.jobs.values() for run in job.runs if run.end is not None and name in run.nodes]
    return max(times, default=-system.started)


def node_timeout(system: Controller, now: int, i: int) -> None:
    """SlurmdTimeout is over: the node is DOWN, reason "Not responding"."""
    lost = 1 << i & system.silent if system.given_up.get(i) == now else 0
    system.down |= lost
    system.touched |= lost
    if lost:
        system.node_reason[i] = "Not responding"
    lifecycle.node_down(system, lost, now)
    lifecycle.release_stuck(system, now)
    system.queue_main(now)


def _start_slurmd(system: Controller, now: int, one: OperatorAct) -> None:
    bits, back = _bits(system, one) & system.silent, system.settings.return_to_service
    system.silent &= ~bits
    for i in bits_of(bits):
        if back == 2 or (back == 1 and system.node_reason.get(i) == "Not responding"):
            system.down &= ~(1 << i)
    if system.stuck:
        system.agenda.put(_asked_again_at(system, now), INPUTS, ("stuck", None))
    system.touched |= bits
    system.queue_main(now)


def _asked_again_at(system: Controller, now: int) -> int:
    """When nodes are asked once more to clean up after completing jobs (``_list_find_job_old`` in ``job_mgr.c``; measured)."""
    ended = max(system.jobs[key].runs[run - 1].end or 0 for key, run, _nodes in system.stuck)
    again = ended + system.settings.kill_wait + 2 * MESSAGE_TIMEOUT + 1
    return system.grid(max(now, again), PURGE_JOB_INTERVAL)


def _update_partition(system: Controller, now: int, one: OperatorAct) -> None:
    part = system.partitions[one.name]
    for key, value in one.set:
        part = replace(part, **partition_value(key, value, key))
    system.partitions[one.name], system.wishes[one.name] = part, {}
    if any(key == "PriorityJobFactor" for key, _value in one.set):
        system.priorities.weigh(part)
        system.calc_soon(now)
    system.queue_main(now)


_ACTS = {
    "scancel": _scancel, "hold": _hold, "release": _release, "requeue": _requeue,
    "drain": _drain, "down": _down, "resume": _resume,
    "kill_slurmd": _kill_slurmd, "start_slurmd": _start_slurmd, "create_reservation": create_reservation,
    "update_partition": _update_partition,
}
