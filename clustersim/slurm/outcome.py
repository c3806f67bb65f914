"""A simulated run in the form of a measured outcome (README of the conformance data, section "outcome")."""
from __future__ import annotations

from itertools import pairwise
from typing import Any

from clustersim import hostlist
from clustersim.slurm.workload import OperatorAct, SlurmWorkload
from clustersim.trace import Event, JobRecord, Run, Trace

ORDER_WITHIN = 3  # seconds: starts this close together form one group, as in the measured outcomes

# The reason squeue shows for a job that is over, by state.
_END_REASONS = {"TIMEOUT": "TimeLimit", "FAILED": "NonZeroExitCode", "NODE_FAIL": "NodeDown"}


def outcome(trace: Trace, workload: SlurmWorkload) -> dict[str, Any]:
    """Jobs, order of starts, transitions of jobs and nodes, and the operators' events; the same for the same trace."""
    gone = _gone(trace)
    jobs = {record.id: _job(record, trace) for record in trace.jobs if record.id not in gone}
    return {
        "workload": workload.name, "simulator": f"clustersim ({trace.policy}, seed {trace.seed})", "until_s": trace.until,
        "jobs": jobs, "start_order": start_order(jobs), "job_transitions": _job_transitions(trace, gone),
        "node_transitions": [{"t": e.time, "node": e.subject, "state": e.detail["state"]}
                             for e in trace.events() if e.kind == "node"],
        "events": [_event(act) for act in workload.events if act.at <= trace.until],
    }


def start_order(jobs: dict[str, Any]) -> list[list[str]]:
    """Groups of jobs by first start; a group spans ``ORDER_WITHIN`` seconds from its first."""
    starts = {name: [run["start_s"] for run in job.get("runs", ()) if run["start_s"] is not None] for name, job in jobs.items()}
    firsts = sorted((min(times), name) for name, times in starts.items() if times)
    groups: list[list[str]] = []
    begin = None
    for start, name in firsts:
        if begin is None or start - begin > ORDER_WITHIN:
            groups.append([])
            begin = start
        groups[-1].append(name)
    return [sorted(group) for group in groups]


def _gone(trace: Trace) -> set[str]:
    """Array tasks that were cancelled while waiting: squeue forgets them, and they leave no record."""
    return {job.id for job in trace.jobs if job.state == "CANCELLED" and not job.runs and job.id != job.extra.get("job")}


def _job(record: JobRecord, trace: Trace) -> dict[str, Any]:
    if record.state == "REJECTED":
        why = next(e.detail["why"] for e in trace.events() if e.kind == "reject" and e.subject == record.id)
        return {"state": "REJECTED", "rc": 1, "stderr": why}
    runs = [{"start_s": run.start, "end_s": _end_on_record(run, record, trace), "state": run.state, "nodes": list(run.nodes)}
            for run in record.runs if not _overwritten(run, record, trace)]
    waits = record.state in {"PENDING", "CANCELLED"} and (not runs or record.state == "PENDING")
    end = record.extra.get("end_s")
    if waits:
        runs.append({"start_s": None, "end_s": end, "state": record.state, "nodes": []})
    last = runs[-1]
    result = {
        "state": record.state, "start_s": last["start_s"], "end_s": last["end_s"], "nodes": last["nodes"],
        "exit_code": "0:0" if waits else record.runs[-1].exit_code, "submit_s": record.submit,
        "scheduler": "" if waits else _scheduler(record, trace), "runs": runs,
    }
    if record.state == "PENDING":
        result["reason"] = record.reason
    return result


def _end_on_record(run: Run, record: JobRecord, trace: Trace) -> int | None:
    """What the accounting says. A job that was over and is requeued ends when it is requeued (measured: requeue_twice), and
    one that is cancelled or requeued while it is suspended ended when it was suspended (``_job_requeue_op``; measured:
    suspend_three_tiers, suspend_events)."""
    if run.end is not None and run.state in {"CANCELLED", "NODE_FAIL", "REQUEUED"}:
        for pause, resumed in record.extra.get("suspended", ()):
            if resumed == run.end:
                return int(pause)
    if run.state != "REQUEUED" or run.end is None:
        return run.end
    requeues = (event.time for event in trace.events() if event.kind == "requeue" and event.subject == record.id)
    return next((time for time in requeues if time >= run.end), run.end)


def _overwritten(run: Run, record: JobRecord, trace: Trace) -> bool:
    """A job that is held when it is requeued keeps its record: the next run takes its place (measured: hold_running)."""
    if run.state != "REQUEUED":
        return False
    mine = [event for event in trace.events() if event.subject == record.id and event.kind in {"requeue", "reason"}]
    return any(one.kind == "requeue" and one.time == run.end and other.kind == "reason"
               and other.detail["reason"].startswith("JobHeld") for one, other in pairwise(mine))


def _scheduler(record: JobRecord, trace: Trace) -> str:
    starts = [str(e.detail["scheduler"]) for e in trace.events() if e.kind == "start" and e.subject == record.id]
    return starts[-1]


def _job_transitions(trace: Trace, gone: set[str]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    state: dict[str, tuple[str, str, str]] = {}
    for event in trace.events():
        passed = [("PENDING", reason, "") for reason in event.detail.get("after", ())]
        last = _transition(event, state.get(event.subject, ("", "None", "")), gone)
        for after in [*passed, *([last] if last else [])]:
            if after != state.get(event.subject):
                state[event.subject] = after
                rows.append({"t": event.time, "job": event.subject, "state": after[0], "reason": after[1], "nodes": after[2]})
    return rows


def _transition(event: Event, before: tuple[str, str, str], gone: set[str]) -> tuple[str, str, str] | None:
    """(state, reason, nodes) after the event, ``None`` if it changes nothing."""
    detail = event.detail
    if event.kind in {"submit", "requeue"}:
        return ("PENDING", "None", "")
    if event.kind == "reason":
        return ("RESV_DEL_HOLD" if detail["reason"].endswith(" was deleted") else "PENDING", detail["reason"], "")
    if event.kind == "start":
        return ("RUNNING", "None", hostlist.compress(place[0] for place in detail["places"]))
    if event.kind == "signal" and detail["signal"] in {"SIGSTOP", "SIGCONT"}:
        return ("SUSPENDED" if detail["signal"] == "SIGSTOP" else "RUNNING", "None", before[2])
    if event.kind == "end":
        ended = "GONE" if event.subject in gone else detail["state"]
        if ended == "REQUEUED":
            return None
        return (ended, _END_REASONS.get(ended, before[1]), before[2])
    return None


def _event(act: OperatorAct) -> dict[str, Any]:
    row: dict[str, Any] = {"at": act.at, "do": act.do, "rc": 0}
    if act.do == "create_reservation":
        row["text"] = f"Reservation created: {act.name}"
    return row
