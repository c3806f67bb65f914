"""Exercises of chapter 06: limits and their reasons, preemption and what it costs, read from four measured runs."""
from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from clustersim.checks import Exercise, Misconception
from clustersim.experiments import experiment
from clustersim.measured import recorded, workload
from clustersim.messages import N_
from clustersim.slurm import parse_workload, simulate_slurm
from clustersim.trace import Trace
from clustersim.units import MINUTE, clock_time, human_duration

REQUEUE, SUSPEND, LIMITS = "preempt_qos_requeue", "preempt_partition_suspend", "qos_limits"
JOBS = ("low1", "low2", "norm", "high1", "high2")
MODES = ("requeue", "cancel", "suspend", "off")
WHY = ("alice holds as many GPUs as the QOS allows one user", "no node has a GPU free",
       "a job of higher priority stands before it", "its time limit is longer than the QOS allows")
MEANS = {"QOSMaxGRESPerUser": WHY[0], "Resources": WHY[1], "Priority": WHY[2], "QOSMaxWallDurationPerJobLimit": WHY[3]}


def preempted(exempt: int = 0, **run_s: int) -> Trace:
    """The measured run with preemption and requeue again, simulated: other run times by job, PreemptExemptTime in minutes."""
    case = workload(REQUEUE)
    case["config"]["PreemptExemptTime"] = str(exempt)
    for job in case["jobs"]:
        job["run_s"] = run_s.get(job["id"], job["run_s"])
    return simulate_slurm(parse_workload(case, REQUEUE))


def limited(**minutes: int) -> Trace:
    """The measured run with limits again, simulated, time limits (minutes) changed by job: ``limited(c3=15)``."""
    case = workload(LIMITS)
    for job in case["jobs"]:
        job["time_limit_min"] = minutes.get(job["id"], job["time_limit_min"])
    return simulate_slurm(parse_workload(case, LIMITS))


def victims(trace: Trace) -> set[str]:
    """Jobs of which a run was ended by preemption."""
    return {job.id for job in trace.jobs if any(run.state == "PREEMPTED" for run in job.runs)}


def _again(trace: Trace) -> int:
    return trace.job("low1").runs[1].start


def _lost() -> float:
    first = recorded(REQUEUE).job("low1").runs[0]
    assert first.end is not None
    return (first.end - first.start) * len(first.nodes) / MINUTE


def _reason_at(name: str, job: str, time: int) -> str:
    """The last reason that squeue had shown for the job by ``time``."""
    events = (event for event in recorded(name).events() if event.subject == job and event.time <= time)
    seen = [event for event in events if event.kind == "reason"]
    return str(seen[-1].detail["reason"])


def idle(time: int) -> int:
    """GPUs of the measured run with limits that nobody held at ``time`` seconds."""
    record = recorded(LIMITS)
    held = sum(job.gpus for job in record.jobs for run in job.runs if run.start <= time < (run.end or record.until))
    return sum(node.gpus for node in record.nodes) - held


@cache
def _longest() -> int:
    """The longest limit in whole minutes with which c3 starts at all."""
    return max(minutes for minutes in range(1, 31) if limited(c3=minutes).job("c3").runs)


def _paused() -> int:
    low1 = recorded(SUSPEND).job("low1")
    return (low1.end or 0) - (low1.start or 0) - int(low1.extra["work_s"])


@cache
def _with_gpus() -> Mapping[str, int]:
    waits: Mapping[str, int] = experiment("preemption")(uses="gpus").values["wait_s"]
    return waits


def _serve() -> set[str]:
    return {mode for mode, wait in _with_gpus().items() if wait < MINUTE}


def _job(name: str, job: str) -> dict[str, Any]:
    found: dict[str, Any] = next(one for one in workload(name)["jobs"] if one["id"] == job)
    return found


@cache
def _exempt_start() -> int:
    start = preempted(exempt=5).job("high1").start
    assert start is not None
    return start


@cache
def _details() -> Mapping[str, str]:
    real, low1 = recorded(REQUEUE), recorded(SUSPEND).job("low1")
    short = preempted(high1=30)
    return {
        "stopped": clock_time(real.job("low1").runs[0].end or 0), "free": clock_time(short.job("high1").end or 0),
        "again": clock_time(_again(short)), "idle": str(idle(240)), "longest": str(_longest()),
        "work": human_duration(low1.extra["work_s"]), "took": human_duration((low1.end or 0) - (low1.start or 0)),
        "wait": human_duration(_with_gpus()["suspend"]), "exempt": clock_time(_exempt_start()),
    }


EXERCISES = (
    Exercise(
        id="ex-06-1", kind="apply", form="names", options=JOBS, expected=lambda: victims(preempted()),
        question=N_("Four nodes are full: `low1` holds two and `low2` one, both of QOS low, `norm` one of QOS normal. `high1` "
                    "needs two nodes and may preempt low. Which jobs are stopped for it?"),
        hint=N_("Whom may it stop at all? And how few of these does it need?"),
        solution=N_("Only QOS low may be preempted, and `low1` alone makes room for two nodes. Slurm tries the cheapest "
                    "victims first, but stops only those whose nodes the new job really gets."),
        code='solution = {job.id for job in trace.jobs\n'
             '            if any(run.state == "PREEMPTED" for run in job.runs)}',
        misconceptions=(
            Misconception({"low2"}, N_("It has one node. How many does `high1` need?")),
            Misconception({"low1", "low2"}, N_("Both may be stopped. Must both be?")),
            Misconception({"low2", "norm"}, N_("Two nodes, to be sure. But whose QOS may `high1` preempt?")),
            Misconception(set(), N_("Then `high1` would wait until `low1` ends. What does the QOS high allow?")),
        ), details=_details,
    ),
    Exercise(
        id="ex-06-2", kind="transfer", form="clock", tolerance=5, expected=lambda: _again(preempted(high1=30)),
        question=N_("Suppose `high1` had run for 30 s only. When would `low1` have started again?"),
        hint=N_("The nodes are free again early. What does squeue show as the reason of a job that was just requeued?"),
        solution=N_("The nodes are free at {free}, but a requeued job may not start for 121 s: it was stopped at {stopped}, "
                    "so it starts at {again}. Until then its reason is BeginTime."),
        code='trace = preempted(high1=30)\nsolution = trace.job("low1").runs[1].start',
        misconceptions=(
            Misconception(lambda: preempted(high1=30).job("high1").end, N_("That is when its nodes are free. May it start "
                                                                           "then?")),
            Misconception(lambda: _again(preempted()), N_("That is what happened with 300 s. Then the nodes were the last to "
                                                          "come.")),
            Misconception(lambda: (preempted(high1=30).job("high1").end or 0) + 121,
                          N_("You counted the 121 s from the wrong moment. When was `low1` put back into the queue?")),
        ), details=_details,
    ),
    Exercise(
        id="ex-06-3", kind="forensic", form="number", unit=N_("node min"), tolerance=0.1, expected=_lost,
        question=N_("Read the record of the real run. How many node minutes of work of `low1` were thrown away?"),
        hint=N_("How long was its first run, and on how many nodes?"),
        solution=N_("Three minutes on two nodes. The second run begins from zero and takes the full ten minutes, because a "
                    "plain script keeps nothing. A checkpoint would have saved part of it."),
        code='first = record.job("low1").runs[0]\nsolution = (first.end - first.start) * len(first.nodes) / 60',
        misconceptions=(
            Misconception(lambda: _lost() / 2, N_("That is one node. How many did it hold?")),
            Misconception(lambda: (_again(recorded(REQUEUE)) - (recorded(REQUEUE).job("low1").runs[0].end or 0)) * 2 / MINUTE,
                          N_("While it waited, others used the nodes. What had been computed and had to be computed again?")),
            Misconception(0, N_("Compare the length of the second run with the job's own run time. Did it go on where it "
                                "was?")),
        ), details=_details,
    ),
    Exercise(
        id="ex-06-4", kind="forensic", form="choice", options=WHY, expected=lambda: MEANS[_reason_at(LIMITS, "a2", 240)],
        question=N_("Read the record of the run with limits. At 00:04 half of the eight GPUs were idle, and `a2` asked for "
                    "one. Why did it wait?"),
        hint=N_("`print(record.story(\"a2\"))` tells the reason that squeue showed. Which number stands behind it?"),
        solution=N_("The reason is QOSMaxGRESPerUser: the QOS gpu2 allows one user two GPUs, and `a1` holds both. {idle} idle "
                    "GPUs do not change that."),
        code='assert "QOSMaxGRESPerUser" in record.story("a2")\n'
             'held = sum(job.gpus for job in record.jobs if job.user == "alice"\n'
             '           and job.runs and job.start <= 240 < job.end)\n'
             'assert held == 2  # MaxTRESPerUser of the QOS gpu2\n'
             'solution = "alice holds as many GPUs as the QOS allows one user"',
        misconceptions=(
            Misconception(WHY[1], N_("Count the GPUs that are held at 00:04. Then squeue would have said Resources.")),
            Misconception(WHY[2], N_("Then squeue would have said Priority. All weights were 0.")),
            Misconception(WHY[3], N_("That is what kept another job of this run for good. Which reason did `a2` have?")),
        ), details=_details,
    ),
    Exercise(
        id="ex-06-5", kind="forensic", form="number", unit=N_("min"), expected=_longest,
        question=N_("`c3` never started. Its reason was QOSMaxJobsPerUserLimit at first and QOSMaxWallDurationPerJobLimit at "
                    "the end. What is the longest time limit, in whole minutes, with which it would have started?"),
        hint=N_("Which limit does the QOS one set on the time? Is a job that asks for exactly that much over it?"),
        solution=N_("The QOS one has MaxWall=00:10:00, and {longest} min is not over it. The first reason hid the second: "
                    "only one is shown, the first that is found."),
        code='def starts(minutes):\n'
             '    return bool(limited(c3=minutes).job("c3").runs)\n'
             'solution = max(minutes for minutes in range(1, 31) if starts(minutes))',
        misconceptions=(
            Misconception(lambda: _longest() - 1, N_("That would start. Is one minute more really too much?")),
            Misconception(lambda: _job(LIMITS, "c3")["time_limit_min"], N_("That is what it asked for.")),
            Misconception(1, N_("It runs for one minute, but the limit may be longer than the run.")),
        ), details=_details,
    ),
    Exercise(
        id="ex-06-6", kind="forensic", form="duration", tolerance=10, expected=_paused,
        question=N_("Read the record of the run with suspension. For how long did `low1` stand still?"),
        hint=N_("Its work takes 10 min if nobody stops it. How long did it take?"),
        solution=N_("It took {took} for {work} of work, so it stood still for the difference, which is the run of `high1`. "
                    "Nothing was lost: it went on where it was, on the same nodes."),
        code='low1 = record.job("low1")\nsolution = low1.end - low1.start - low1.extra["work_s"]',
        misconceptions=(
            Misconception(lambda: (recorded(SUSPEND).job("low1").end or 0), N_("That is all the time it took, work included.")),
            Misconception(lambda: recorded(SUSPEND).job("low2").wait or 0, N_("That is how long `low2` waited.")),
            Misconception(0, N_("It kept its nodes, but another job had one of them in between. Could it go on with half?")),
        ), details=_details,
    ),
    Exercise(
        id="ex-06-7", kind="transfer", form="names", options=MODES, expected=_serve,
        question=N_("All jobs hold all GPUs of their nodes. `high` comes, needs the GPUs of two nodes and may preempt the "
                    "others. With which PreemptMode does it start within a minute?"),
        hint=N_("What does a suspended process give back, and what does it keep?"),
        solution=N_("Only a job that ends gives its GPUs back. Suspension frees cores and nothing else, so `high` waits for "
                    "{wait}, as if there were no preemption."),
        code='waits = experiment("preemption")(uses="gpus").values["wait_s"]\n'
             'solution = {mode for mode, wait in waits.items() if wait < 60}',
        misconceptions=(
            Misconception({"requeue", "cancel", "suspend"},
                          N_("With cores alone, yes. Set \"The jobs use\" to GPUs and look at suspend again.")),
            Misconception({"suspend"}, N_("It sounds gentle. But who holds the GPUs while the job sleeps?")),
            Misconception({"cancel"}, N_("A requeued job ends as well before it waits again.")),
        ), details=_details,
    ),
    Exercise(
        id="ex-06-8", kind="transfer", form="clock", tolerance=5, expected=_exempt_start,
        question=N_("Suppose PreemptExemptTime had been 5 min in the first run of this notebook. When would `high1` have "
                    "started?"),
        hint=N_("From which moment on does each possible victim count its five minutes? Who is enough for two nodes?"),
        solution=N_("`low1` started at 00:00 and is safe until 00:05; then it is stopped, and `high1` starts at {exempt}. The "
                    "time protects the start of a job, not the time after the other's arrival."),
        code='solution = preempted(exempt=5).job("high1").start',
        misconceptions=(
            Misconception(lambda: preempted().job("high1").start, N_("That is without the exempt time.")),
            Misconception(lambda: (preempted().job("high1").start or 0) + 5 * MINUTE,
                          N_("You counted from the arrival of `high1`. Whose run time is meant?")),
            Misconception(lambda: (recorded(REQUEUE).job("low2").end or 0),
                          N_("It need not wait for anybody to end. Who is no longer exempt after five minutes?")),
        ), details=_details,
    ),
)
