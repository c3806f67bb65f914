"""Exercises of chapter 07: which node it will be, what packing is worth, when to wait for a switch.

Simulated where a question asks for a rule; read from the record of a real Slurm where it asks what happened.
"""
from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from clustersim.checks import Exercise, Misconception
from clustersim.exercises.recorded import recorded, workload
from clustersim.experiments import experiment, switches
from clustersim.messages import N_
from clustersim.slurm import Overheads, parse_workload, simulate_slurm
from clustersim.trace import JobRecord, Trace
from clustersim.units import MINUTE, human_duration

PACKED, SPREAD, LEAVES, DRAINED = "gpu_pack_default", "gpu_spread_lln", "topology_tree", "node_drain_resume"
NODES = ("c1", "c2", "d1", "d2", "g1")
EIGHT = tuple(f"g{i}" for i in range(1, 9))
CAUSES = ("gpu3 had no free GPU left", "gpu3 was planned for a job that waits", "gpu3 was the most loaded node",
          "CR_LLN takes the first nodes of the list")
GPUS, HOSTS = 8, 6


def asked(**settings: Any) -> dict[str, int]:
    """The cores that the job X gets of each node, with the controls of the figure ``which_node``."""
    cores: dict[str, int] = experiment("which_node")(**settings).values["cores"]
    return cores


def spread_without(*left_out: str) -> Trace:
    """The eight GPU jobs under simulated Slurm with CR_LLN, some of them left out."""
    case = workload(SPREAD)
    case["jobs"] = [job for job in case["jobs"] if job["id"] not in left_out]
    return simulate_slurm(parse_workload(case, SPREAD))


def whole_nodes(jobs: int, gpus: int, spread: bool = False) -> int:
    """On six nodes of eight GPUs: how many nodes are still empty when ``jobs`` jobs of ``gpus`` GPUs each run."""
    config = {"PriorityType": "priority/basic", "SelectTypeParameters": "CR_Core,CR_LLN" if spread else "CR_Core"}
    rows = [{"id": f"j{i}", "at": i, "user": "alice", "run_s": 1000, "time_limit_min": 30, "nodes": 1, "ntasks": 1,
             "cpus_per_task": gpus, "gpus_per_node": gpus} for i in range(jobs)]
    trace = simulate_slurm(parse_workload({
        "name": "whole", "cluster": {"nodes": [{"name": f"g[1-{HOSTS}]", "cpus": 64, "gpus": GPUS}],
                                     "partitions": [{"name": "main", "Default": "YES"}]},
        "config": config, "jobs": rows}, "whole"), overheads=Overheads(0, 0))
    return HOSTS - len({place.node for job in trace.jobs for place in job.runs[0].places})


def waits_or_not(minutes: int, percent: float = 10) -> tuple[int, int]:
    """When X is done (seconds) if it does not ask for one switch, and if it does."""
    plain = switches.simulate(4, minutes * MINUTE, percent, "", tree=True)
    one = switches.simulate(4, minutes * MINUTE, percent, "1@5:00", tree=True)
    return plain.end, one.end


def _started_before_an_earlier_one() -> set[str]:
    jobs = recorded(SPREAD).jobs
    slack = 3  # seconds: starts this close together are one group in the measured outcomes
    return {job.id for i, job in enumerate(jobs) if any(_start(other) > _start(job) + slack for other in jobs[:i])}


def _start(job: JobRecord) -> int:
    assert job.start is not None
    return job.start


def _cause() -> str:
    """Without the two jobs that wait, g7 gets gpu3; without only one of them the other is planned there."""
    taken = ["gpu3" in spread_without(*names).job("g7").runs[0].nodes for names in ((), ("g5",), ("g5", "g6"))]
    return CAUSES[1] if taken == [False, False, True] else CAUSES[0]


@cache
def _first_without(spread: bool) -> int:
    """The number of running two-GPU jobs at which no node is empty any more."""
    return next(jobs for jobs in range(1, HOSTS * GPUS // 2 + 1) if not whole_nodes(jobs, 2, spread))


def _full_and_mixed() -> int:
    """Seconds during which gpu3 of the packed run had no free GPU; sinfo called it mixed all the while."""
    trace = recorded(PACKED)
    asked_for = {job["id"]: job.get("gpus_per_node", 0) for job in workload(PACKED)["jobs"]}
    mine = [job for job in trace.jobs if "gpu3" in job.runs[0].nodes and asked_for[job.id]]
    times = sorted({_start(job) for job in mine} | {job.end or 0 for job in mine})
    full = 0
    for begin, end in zip(times, times[1:], strict=False):
        used = sum(asked_for[job.id] for job in mine if _start(job) <= begin < (job.end or 0))
        full += (end - begin) * (used == next(node.gpus for node in trace.nodes if node.name == "gpu3"))
    return full


@cache
def _break_even() -> int:
    """The shortest run time in minutes at which asking for one switch does not make X end later."""
    return next(minutes for minutes in range(1, 121) if waits_or_not(minutes)[1] <= waits_or_not(minutes)[0])


def leaf(node: str) -> str:
    """The leaf switch of a node of the measured workload: s1 has n1 to n4, s2 n5 to n8, s3 n9 to n12."""
    return switches.leaf(node)


def _left_idle() -> set[str]:
    """The leaf switches with idle nodes at the start of t4w that it did not take."""
    trace = recorded(LEAVES)
    now = _start(trace.job("t4w"))
    busy = {node for job in trace.jobs for run in job.runs if run.start <= now < (run.end or 0) for node in run.nodes}
    return {leaf(node.name) for node in trace.nodes if node.name not in busy}


def _idle_in_vain() -> int:
    """Seconds that n2 stood idle in front of ``two``: from the end of q2 to the start of two."""
    trace = recorded(DRAINED)
    return _start(trace.job("two")) - (trace.job("q2").end or 0)


@cache
def _details() -> Mapping[str, str]:
    trace, drained = recorded(PACKED), recorded(DRAINED)
    return {
        "taken": ", ".join(f"{node} {cores}" for node, cores in asked().items()),
        "packed": f"{_first_without(False)}", "spread": f"{_first_without(True)}",
        "full": human_duration(_full_and_mixed()), "even": f"{_break_even()}",
        "g5": human_duration((trace.job("g5").end or 0) - _start(trace.job("g5"))),
        "vain": human_duration(_idle_in_vain()),
        "waited": human_duration(_start(drained.job("two")) - drained.job("two").submit),
    }


EXERCISES = (
    Exercise(
        id="ex-07-1", kind="apply", form="names", options=NODES, expected=lambda: set(asked()),
        question=N_("c1 and c2 have 8 cores and weight 10, d1 and d2 16 cores and weight 20, g1 16 cores and weight 100. Four "
                    "cores of c1, all of c2 and four of d1 are taken. A job asks for `--ntasks=12` and nothing else. On which "
                    "nodes does it run?"),
        hint=N_("Weight comes first, then fit. What is free at the lowest weight, and is it enough?"),
        solution=N_("Cores taken: {taken}. The lowest weight is used up first, although it holds only a third of the job; the "
                    "rest goes to the next weight, and there to the node that is already started. Nobody asked for one node."),
        code='solution = set(asked(tasks=12))',
        misconceptions=(
            Misconception({"d2"}, N_("d2 has room for all of it. But does fit come before weight?")),
            Misconception({"d1"}, N_("That would be the answer to `--nodes=1`. Who asked for one node?")),
            Misconception({"c1", "c2"}, N_("Both have the lowest weight. How many cores of c2 are free?")),
            Misconception({"c1", "d2"}, N_("The weights are right. Within a weight, which node is the tighter fit?")),
        ), details=_details,
    ),
    Exercise(
        id="ex-07-2", kind="transfer", form="number",
        expected=lambda: max(weight for weight in range(1, 101) if "g1" in asked(tasks=12, weight=weight)),
        question=N_("The same job, the same nodes. What is the highest weight that g1 may have so that the job still lands on "
                    "it, in whole or in part?"),
        hint=N_("After c1 has been used up, which weight is opened next?"),
        solution=N_("Weights are opened one after the other, lowest first. g1 must come before d1 and d2, so its weight has to "
                    "be lower than theirs. An equal weight does not do: then d1, which is started already, fits more tightly."),
        code='solution = max(weight for weight in range(1, 101)\n'
             '               if "g1" in asked(tasks=12, weight=weight))',
        misconceptions=(
            Misconception(20, N_("With the same weight as d1 and d2 it competes with them by fit. Who wins?")),
            Misconception(10, N_("Up to there g1 gets the whole job. The question is also about a part of it.")),
            Misconception(100, N_("That is its weight now, and the job does not land there.")),
        ), details=_details,
    ),
    Exercise(
        id="ex-07-3", kind="forensic", form="names", options=EIGHT, expected=_started_before_an_earlier_one,
        question=N_("Read the record of the real Slurm with CR_LLN. Which jobs started before a job that had been submitted "
                    "earlier than they were?"),
        hint=N_("Go through the starts in order of submission, and look for one that is earlier than the one above it."),
        solution=N_("`g7` arrived after `g5` and `g6` and started long before both: one GPU on each of two nodes was to be "
                    "had, three or four GPUs on one node were not. It is backfill that let it pass."),
        code='jobs = record.jobs\n'
             'solution = {job.id for i, job in enumerate(jobs)\n'
             '            if any(other.start > job.start + 3 for other in jobs[:i])}',
        misconceptions=(
            Misconception({"g7", "g8"}, N_("One of them is right. Compare the start of `g8` with that of the job above it.")),
            Misconception(set(), N_("That would be strict order. Look at `g5` and the jobs below it.")),
            Misconception({"g5"}, N_("`g5` is the one that was passed. Who passed it?")),
        ), details=_details,
    ),
    Exercise(
        id="ex-07-4", kind="forensic", form="choice", options=CAUSES, expected=_cause,
        question=N_("Still that record: when `g7` came, gpu1 ran two jobs, gpu2 and gpu3 one each, and each node had two free "
                    "GPUs. With CR_LLN one expects gpu2 and gpu3; it got gpu1 and gpu2. Why not gpu3?"),
        hint=N_("Run the jobs again without those that were waiting: `spread_without(\"g5\", \"g6\")`."),
        solution=N_("Without `g5` and `g6` the job goes to gpu2 and gpu3. `g5` waits for a whole node, and gpu3 will be the "
                    "first to be empty by the limits, so backfill has planned `g5` there and keeps off the node everybody "
                    "whose limit reaches into the plan, its two idle GPUs included."),
        code='alone = spread_without("g5", "g6").job("g7").runs[0].nodes\n'
             'planned = "gpu3" in alone and "gpu3" not in spread_without().job("g7").runs[0].nodes\n'
             'solution = ("gpu3 was planned for a job that waits" if planned\n'
             '            else "gpu3 had no free GPU left")',
        misconceptions=(
            Misconception(CAUSES[0], N_("`g3` holds two of its four GPUs. How many does that leave?")),
            Misconception(CAUSES[2], N_("Count the jobs: gpu1 had two, gpu3 one.")),
            Misconception(CAUSES[3], N_("Then `g2` would not have gone to gpu2 before. Look at who waits.")),
        ), details=_details,
    ),
    Exercise(
        id="ex-07-5", kind="apply", form="number", unit=N_("jobs"), expected=lambda: _first_without(False),
        question=N_("Six empty nodes of eight GPUs. Jobs of two GPUs come one after the other and stay. Under best fit, how "
                    "many of them must be running until no node is empty any more?"),
        hint=N_("How many such jobs fill a node, and which job opens the last one?"),
        solution=N_("Four jobs fill a node, so five nodes take twenty jobs, and job number {packed} opens the sixth. Under "
                    "CR_LLN every job opens a node of its own as long as there is one: {spread} jobs are enough, with a "
                    "quarter of the GPUs taken."),
        code='solution = next(jobs for jobs in range(1, 25) if not whole_nodes(jobs, 2))',
        misconceptions=(
            Misconception(lambda: _first_without(True), N_("That is the answer for CR_LLN, where each job opens a new node.")),
            Misconception(HOSTS * GPUS // 2, N_("Then all GPUs are taken. The last empty node is gone before that.")),
            Misconception((HOSTS - 1) * GPUS // 2, N_("With so many, five nodes are full. Is the sixth still empty?")),
        ), details=_details,
    ),
    Exercise(
        id="ex-07-6", kind="forensic", form="duration", tolerance=10, expected=_full_and_mixed,
        question=N_("Read the record of the packed run. `sinfo` called gpu3 `mixed` from the start of `g5` to the end of the "
                    "run. For how long of it was no GPU of gpu3 free? (Which GPUs `g8` had on it is not on record; leave `g8` "
                    "out.)"),
        hint=N_("List the jobs on gpu3 with the GPUs that each holds there, and add them up between two changes."),
        solution=N_("First `g5` held all four, then `g6` three and `g7` one: {full} without a gap. Each of these jobs took one "
                    "core of sixteen, and `mixed` speaks of cores."),
        code='jobs = workload("gpu_pack_default")["jobs"]\n'
             'held = {job["id"]: job.get("gpus_per_node", 0) for job in jobs}\n'
             'here = [job for job in packed.jobs if "gpu3" in job.runs[0].nodes and held[job.id]]\n'
             'times = sorted({job.start for job in here} | {job.end for job in here})\n'
             'def used(time):\n'
             '    return sum(held[job.id] for job in here if job.start <= time < job.end)\n'
             'solution = sum(end - begin for begin, end in zip(times, times[1:])\n'
             '               if used(begin) == 4)',
        misconceptions=(
            Misconception(lambda: (recorded(PACKED).job("g5").end or 0) - _start(recorded(PACKED).job("g5")),
                          N_("For {g5} it was `g5` alone. Who came to gpu3 after it, and how many GPUs did they hold "
                             "together?")),
            Misconception(0, N_("`mixed` does not mean that a GPU is free. What does it count?")),
            Misconception(lambda: (recorded(PACKED).job("g8").end or 0) - _start(recorded(PACKED).job("g5")),
                          N_("That is the whole time in which it was `mixed`. Leave out the part that belongs to `g8`.")),
        ), details=_details,
    ),
    Exercise(
        id="ex-07-7", kind="transfer", form="number", unit=N_("min"), expected=_break_even,
        question=N_("X would start at once across two leaf switches and run a tenth longer, or two minutes later on one. From "
                    "which run time on, in whole minutes on one switch, is it done no later if it waits?"),
        hint=N_("What does crossing cost a job of ten minutes? Of sixty?"),
        solution=N_("Crossing costs a tenth of the run time, waiting costs two minutes: they are equal at {even} min. Below "
                    "that a job should take what there is."),
        code='def done_no_later(minutes):\n'
             '    plain, one = waits_or_not(minutes)\n'
             '    return one <= plain\n'
             'solution = next(minutes for minutes in range(1, 121) if done_no_later(minutes))',
        misconceptions=(
            Misconception(2, N_("That is the wait itself. What must the run be long enough to save?")),
            Misconception(22, N_("That counts the longer run. The question is about the run time on one switch.")),
            Misconception(12, N_("You added ten and two. One of them is a share of the run time, the other a time.")),
        ), details=_details,
    ),
    Exercise(
        id="ex-07-8", kind="forensic", form="names", options=("s1", "s2", "s3"), expected=_left_idle,
        question=N_("Read the record of the jobs on three leaf switches (s1 has n1 to n4, s2 n5 to n8, s3 n9 to n12). When "
                    "`t4w` started, on which leaves did nodes stay idle?"),
        hint=N_("Which jobs run at that moment, `t4w` included, and on which nodes?"),
        solution=N_("`t2b` had just given back n7 and n8, and they stayed idle: `t4w` took s3 whole instead of two nodes here "
                    "and two there. `t5`, which needs five nodes, could not start on two either."),
        code='now = leaves.job("t4w").start\n'
             'busy = {node for job in leaves.jobs for run in job.runs\n'
             '        if run.start <= now < run.end for node in run.nodes}\n'
             'solution = {leaf(node.name) for node in leaves.nodes if node.name not in busy}',
        misconceptions=(
            Misconception({"s3"}, N_("That is the leaf that `t4w` took. What was idle beside it?")),
            Misconception({"s2", "s3"}, N_("One of them is full once `t4w` has started.")),
            Misconception(set(), N_("Count the nodes: twelve, less those of the jobs that run.")),
        ), details=_details,
    ),
    Exercise(
        id="ex-07-9", kind="forensic", form="duration", tolerance=10, expected=_idle_in_vain,
        question=N_("Read the record of the drained node. The job `two` wants both nodes. For how long did n2 stand idle "
                    "while `two` waited for n1?"),
        hint=N_("Which job was the last on n2 before `two`, and when did it end?"),
        solution=N_("{vain}, from the end of `q2` until n1 was resumed. No job's end could have helped: in such a case the "
                    "reason of the waiting job names nodes that are down or drained, and `sinfo -R` says which."),
        code='solution = drained.job("two").start - drained.job("q2").end',
        misconceptions=(
            Misconception(lambda: _start(recorded(DRAINED).job("two")) - recorded(DRAINED).job("two").submit,
                          N_("That is how long `two` waited in all, {waited}. Most of that time n2 had work.")),
            Misconception(lambda: _start(recorded(DRAINED).job("two")) - (recorded(DRAINED).job("q1").end or 0),
                          N_("After `q1` another job ran on n2.")),
            Misconception(0, N_("Look at the end of `q2` and at the start of `two`.")),
        ), details=_details,
    ),
)
