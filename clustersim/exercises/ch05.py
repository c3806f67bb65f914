"""Exercises of chapter 05: who may pass in a queue, what it costs, and what Slurm does differently.

Three small workloads on four whole nodes, two of them recorded on a real Slurm, and one seeded queue on a pool of cores.
"""
from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from clustersim.batch import PoolSystem, replay_pool
from clustersim.checks import Exercise, Misconception
from clustersim.clock import Clock
from clustersim.exercises import ch05_plans
from clustersim.exercises.ch05_plans import PAYS, four_runs, longest_on_grid, passes_wide, pays_under_easy, pays_under_slurm
from clustersim.exercises.recorded import recorded, workload
from clustersim.messages import N_
from clustersim.slurm import parse_workload, simulate_slurm
from clustersim.trace import Trace
from clustersim.units import MINUTE, clock_time, human_duration
from clustersim.workload import JobTable, generate

FIVE = "backfill_same_jobs"  # big1 holds three of four nodes, wide wants all, small, small_long and mid come after
RECORD = "backfill_does_not_delay_top"
FIVE_JOBS = ("big1", "wide", "small", "small_long", "mid")
RECORD_JOBS = ("run2", "top", "too_long", "fits_1", "fits_2", "late_fit")
__all__ = ["EXERCISES", "five", "four_runs", "longest_on_grid", "mixed", "passes_wide", "pays_under_easy", "pays_under_slurm"]
HALVES = ("those who ask exactly", "those who ask for five times", "both wait as long")

NODES = 4


def five(**limits: int) -> Trace:
    """The five jobs under simulated Slurm, time limits (minutes) changed by job; nobody's true run time changes."""
    case = workload(FIVE)
    for job in case["jobs"]:
        job["time_limit_min"] = limits.get(job["id"], job["time_limit_min"])
    return simulate_slurm(parse_workload(case, FIVE))


def mixed(seed: int) -> Trace:
    """200 jobs on 64 cores under EASY; every other one asks for its true run time, the rest for five times that on average."""
    exact, padded = (generate(200, 64, 0.85, over_ask=over, seed=seed) for over in (1, 5))
    exact.limit = [a if i % 2 == 0 else b for i, (a, b) in enumerate(zip(exact.limit, padded.limit, strict=True))]
    return replay_pool(exact, 64, "easy")


def _start(trace: Trace, job: str) -> int:
    start = trace.job(job).start
    assert start is not None
    return start


def _passed(trace: Trace) -> set[str]:
    """The jobs that were submitted after ``wide`` and started before it."""
    wide = trace.job("wide")
    return {job.id for job in trace.jobs if job.submit > wide.submit and _start(trace, job.id) < _start(trace, "wide")}


@cache
def _would_fit_by_run_time() -> set[str]:
    """Who would pass if the scheduler knew true run times: the same jobs, each with its run time as its limit."""
    return _passed(five(**{job["id"]: -(-job["run_s"] // MINUTE) for job in workload(FIVE)["jobs"]}))


def _planned_start_of_wide() -> int:
    """The reservation that ``wide`` holds when ``small`` arrives, by the textbook rule."""
    table = JobTable()
    for number, job in enumerate(workload(FIVE)["jobs"]):
        table.append(number, job["at"], job["nodes"], job["run_s"], job["time_limit_min"] * MINUTE)
    system = PoolSystem(table, NODES, "easy")
    Clock(system).run(until=_job("small")["at"])
    return system.reservation()[0]


def _job(name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(job for job in workload(FIVE)["jobs"] if job["id"] == name)
    return found


def _starts_in_order() -> list[str]:
    trace = five()
    names = [name for name in FIVE_JOBS if name != "mid"]  # it starts in the same instant as small_long
    return sorted(names, key=lambda name: _start(trace, name))


@cache
def _longest_limit() -> int:
    """The longest whole-minute limit with which small_long still starts before wide."""
    return max(minutes for minutes in range(1, 31) if "small_long" in _passed(five(small_long=minutes)))


@cache
def _longest_on_paper() -> int:
    """The same for textbook EASY, where a job gives its node back in the second in which it ends."""
    def passes(minutes: int) -> bool:
        table = JobTable()
        for number, job in enumerate(workload(FIVE)["jobs"]):
            limit = minutes if job["id"] == "small_long" else job["time_limit_min"]
            table.append(number, job["at"], job["nodes"], min(job["run_s"], limit * MINUTE), limit * MINUTE)
        start = {FIVE_JOBS[int(job.id)]: job.start or 0 for job in replay_pool(table, NODES, "easy").jobs}
        return start["small_long"] < start["wide"]

    return max(minutes for minutes in range(1, 31) if passes(minutes))


def _waited_in_vain() -> set[str]:
    """Jobs of the record that found enough idle nodes, would have ended before ``top`` began, and yet waited."""
    trace = recorded(RECORD)
    top = _start(trace, "top")
    return {job.id for job in trace.jobs if (job.wait or 0) > job.extra["tolerance_s"]
            and _idle(trace, job.submit) >= job.nodes and job.submit + job.extra["work_s"] <= top}


def _idle(trace: Trace, time: int) -> int:
    return len(trace.nodes) - sum(len(run.nodes) for job in trace.jobs for run in job.runs
                                  if run.start <= time < (run.end or 0))


def _earlier_than_promised() -> int:
    trace = recorded(RECORD)
    return _promise(trace) - _start(trace, "top")


def _promise(trace: Trace) -> int:
    """When ``top`` can start at the latest: run2, which holds the other nodes, is out at its limit."""
    limit = trace.job("run2").limit
    assert limit is not None
    return _start(trace, "run2") + limit


def _who_pays() -> set[str]:
    easy, slurm = pays_under_easy(), pays_under_slurm()
    return {name for name, start in easy.items() if start > _start(slurm, name) + MINUTE}


@cache
def _who_waits_less() -> str:
    """By mean wait over seeds 1 to 50; ``both`` if the means are within 5 percent."""
    waits: dict[int, list[int]] = {0: [], 1: []}
    for seed in range(1, 51):
        for number, job in enumerate(mixed(seed).jobs):
            waits[number % 2].append(job.wait or 0)
    exact, padded = (sum(waits[half]) / len(waits[half]) for half in (0, 1))
    if abs(exact - padded) <= 0.05 * max(exact, padded):
        return HALVES[2]
    return HALVES[0] if exact < padded else HALVES[1]


@cache
def _details() -> Mapping[str, str]:
    trace = recorded(RECORD)
    return {
        "planned": clock_time(_planned_start_of_wide()),
        "limit_long": human_duration(_job("small_long")["time_limit_min"] * MINUTE),
        "run_long": human_duration(_job("small_long")["run_s"]),
        "end_small": clock_time(_start(five(), "small") + _job("small")["run_s"]),
        "longest": f"{_longest_limit()}",
        "promise": clock_time(_promise(trace)), "top": clock_time(_start(trace, "top")),
        "asked": human_duration(trace.job("too_long").limit or 0),
        "took": human_duration(trace.job("too_long").extra["work_s"]),
    }


EXERCISES = (
    Exercise(
        id="ex-05-1", kind="apply", form="names", options=FIVE_JOBS, expected=lambda: _passed(five()),
        question=N_("Five jobs come to four whole nodes. Which of those that were submitted after `wide` start before it "
                    "under Slurm's backfill?"),
        hint=N_("A job may pass only if nodes are idle for it now and its time limit ends before `wide` can begin."),
        solution=N_("One node is idle beside `big1`. Only `small` both fits there and promises, by its limit, to be gone by "
                    "{planned}, when `wide` can begin at the latest. `small_long` asks for {limit_long}, and what counts is "
                    "what it asks for."),
        code='wide = trace.job("wide")\n'
             'solution = {job.id for job in trace.jobs\n'
             '            if job.submit > wide.submit and job.start < wide.start}',
        misconceptions=(
            Misconception(set(), N_("That is strict order, first come, first served. What else could the idle node do "
                                    "meanwhile?")),
            Misconception(_would_fit_by_run_time,
                          N_("You went by how long the jobs really run. The scheduler cannot know that; what was it told?")),
            Misconception({"small", "mid"}, N_("Both have a short limit. How many nodes does each need, and how many are "
                                               "idle?")),
            Misconception({"small", "small_long", "mid"}, N_("Smaller than `wide` is not enough. Check nodes and limits one "
                                                             "by one.")),
        ), details=_details,
    ),
    Exercise(
        id="ex-05-2", kind="apply", form="clock", tolerance=10, expected=_planned_start_of_wide,
        question=N_("At 00:01 `small` arrives and `big1` still runs. For what time does the scheduler plan the start of "
                    "`wide`?"),
        hint=N_("`wide` needs all four nodes. By when are they free for certain, as far as the scheduler can know?"),
        solution=N_("`big1` may use its nodes until its limit, so `wide` is planned for {planned}. If `big1` ends before "
                    "that, `wide` starts before that: the plan is a promise, not an appointment."),
        code='big1 = trace.job("big1")\nsolution = big1.start + big1.limit',
        misconceptions=(
            Misconception(lambda: _job("big1")["run_s"], N_("That is when `big1` really ends. The scheduler only knows its "
                                                            "limit.")),
            Misconception(lambda: _planned_start_of_wide() + _job("wide")["time_limit_min"] * MINUTE,
                          N_("You added the limit of `wide` itself. That tells when it ends, not when it starts.")),
            Misconception(lambda: _job("wide")["at"] + _job("big1")["time_limit_min"] * MINUTE,
                          N_("You counted from the submission of `wide`. When did `big1`'s limit begin to run?")),
        ), details=_details,
    ),
    Exercise(
        id="ex-05-3", kind="fix-the-diagram", form="order", options=("big1", "wide", "small", "small_long"),
        expected=_starts_in_order,
        question=N_("A colleague sketches the starts of four of the jobs as: `big1`, `small`, `small_long`, `wide`. \"When "
                    "`small` is done, `small_long` takes its node and is out before `wide` needs it.\" Put the four into the "
                    "order of their real starts."),
        hint=N_("Look at the node when `small` has ended: how long may `small_long` keep it, and when can `wide` begin?"),
        solution=N_("`small_long` really needs only {run_long} and would have been out in time, but it asked for "
                    "{limit_long}, which reaches past {planned}. The node stays idle from {end_small} on, although nobody "
                    "would have lost anything."),
        code='names = ["big1", "wide", "small", "small_long"]\n'
             'solution = sorted(names, key=lambda name: trace.job(name).start)',
        misconceptions=(
            Misconception(["big1", "small", "small_long", "wide"],
                          N_("That is the sketch. Its argument uses the true run time of `small_long`. Who knows that?")),
            Misconception(["big1", "wide", "small", "small_long"],
                          N_("That is the order of submission. One of the jobs may pass: which, and why?")),
            Misconception(["small", "big1", "wide", "small_long"], N_("A job cannot start before it is submitted.")),
        ), details=_details,
    ),
    Exercise(
        id="ex-05-4", kind="transfer", form="number", unit=N_("min"), expected=_longest_limit,
        question=N_("What is the longest time limit, in whole minutes, with which `small_long` would have started before "
                    "`wide`?"),
        hint=N_("Try it: change the limit of `small_long` and run again. The node that `small` leaves is idle until `wide` "
                "can begin."),
        solution=N_("`small` gives its node back a moment after {end_small}, and `wide` may need it at {planned}: a limit of "
                    "{longest} minutes fits between the two, and one minute more misses by seconds. Whoever asks for less "
                    "gets in earlier."),
        code='def passes(minutes):\n'
             '    changed = five(small_long=minutes)\n'
             '    return changed.job("small_long").start < changed.job("wide").start\n'
             'solution = max(minutes for minutes in range(1, 31) if passes(minutes))',
        misconceptions=(
            Misconception(_longest_on_paper,
                          N_("On paper that fits to the second. But a real Slurm needs a moment to clean up after `small`, "
                             "and the gap is shorter by that moment.")),
            Misconception(lambda: _planned_start_of_wide() // MINUTE,
                          N_("That would fit if it started at 00:00. When is a node free for it?")),
            Misconception(lambda: (_planned_start_of_wide() - _job("small_long")["at"]) // MINUTE,
                          N_("You counted from its submission. But who holds the fourth node at that time?")),
            Misconception(lambda: _job("small_long")["run_s"] // MINUTE,
                          N_("That is its true run time, and it would do. Is there room for a longer limit?")),
        ), details=_details,
    ),
    Exercise(
        id="ex-05-5", kind="forensic", form="names", options=RECORD_JOBS, expected=_waited_in_vain,
        question=N_("Read the record of the real Slurm. Which job found an idle node when it was submitted and would have "
                    "ended, by its true run time, before `top` began, and yet had to wait?"),
        hint=N_("For each job that waited: how many nodes were idle when it came, and how many did it need?"),
        solution=N_("`too_long` took {took}, but it asked for {asked}. That reaches past the start promised to `top`, so "
                    "backfill left it where it was. The nodes it could have used were given to jobs that came later and asked "
                    "for less."),
        code='top = record.job("top").start\n'
             'def idle(time):\n'
             '    return 4 - sum(job.nodes for job in record.jobs if job.start <= time < job.end)\n'
             'solution = {job.id for job in record.jobs\n'
             '            if job.wait > job.extra["tolerance_s"] and idle(job.submit) >= job.nodes\n'
             '            and job.submit + job.extra["work_s"] <= top}',
        misconceptions=(
            Misconception({"top"}, N_("`top` waited too. But were there enough idle nodes for it when it came?")),
            Misconception({"top", "too_long"}, N_("Both waited. For which of them was there room at once?")),
            Misconception({"late_fit"},
                          N_("`late_fit` waited for a moment, within the tolerance of the measurement, for a node that was "
                             "just given back.")),
            Misconception(set(), N_("Compare submission and start of every job, and count the idle nodes between them.")),
        ), details=_details,
    ),
    Exercise(
        id="ex-05-6", kind="forensic", form="duration", tolerance=10, expected=_earlier_than_promised,
        question=N_("Still in the record: how much earlier did `top` start than the time that could be promised to it when it "
                    "was submitted?"),
        hint=N_("The promise follows from the job that held the other nodes. What was its time limit?"),
        solution=N_("`run2` held two nodes and could have kept them until {promise}; it ended early and `top` started at "
                    "{top}. The jobs that passed `top` cost it nothing: it was never later than promised."),
        code='run2, top = record.job("run2"), record.job("top")\nsolution = run2.start + run2.limit - top.start',
        misconceptions=(
            Misconception(0, N_("It was not later than promised. But was `run2` still running when its limit came?")),
            Misconception(lambda: recorded(RECORD).job("top").wait or 0, N_("That is how long `top` waited in all. When was "
                                                                            "it promised to start?")),
            Misconception(lambda: recorded(RECORD).job("run2").limit or 0, N_("That is the promise itself, counted from "
                                                                              "00:00.")),
        ), details=_details,
    ),
    Exercise(
        id="ex-05-7", kind="transfer", form="names", options=tuple(row[0] for row in PAYS), expected=_who_pays,
        question=N_("Textbook EASY protects the first waiting job only; Slurm plans a start for every job it looks at. In the "
                    "queue `first`, `head`, `second`, `long`: who starts later under EASY than under Slurm?"),
        hint=N_("`long` fits beside `head`. Who needs the node that `long` then keeps?"),
        solution=N_("`long` takes the node that `head` leaves over. That does not hurt `head`, so EASY allows it; but "
                    "`second` needs all four nodes and has to wait until `long` is done. Slurm has already planned `second` "
                    "and keeps `long` back."),
        code='easy, slurm = pays_under_easy(), pays_under_slurm()\n'
             'solution = {name for name, start in easy.items()\n'
             '            if start > slurm.job(name).start + 60}',
        misconceptions=(
            Misconception({"head"}, N_("The head is the one job that EASY never delays. Look further back.")),
            Misconception({"long"}, N_("`long` is the one that gains under EASY. At whose cost?")),
            Misconception(set(), N_("No job before `long` is delayed by a bug. But one of them has no reservation under "
                                    "EASY.")),
            Misconception({"head", "second"}, N_("One of the two has a reservation under both. Which?")),
        ),
    ),
    Exercise(
        id="ex-05-8", kind="transfer", form="choice", options=HALVES, expected=_who_waits_less,
        question=N_("On 64 cores half of the users ask exactly for what their jobs take, the other half for five times that "
                    "on average. Averaged over 50 seeds: which half waits less?"),
        hint=N_("Who fits more easily into a gap that ends when the head must start?"),
        solution=N_("A short limit fits into more gaps. That all ask for too much hardly changes the mean wait of all; that "
                    "you do, while others do not, changes yours."),
        code='waits = [[], []]\n'
             'for seed in range(1, 51):\n'
             '    for number, job in enumerate(mixed(seed).jobs):\n'
             '        waits[number % 2].append(job.wait)\n'
             'exact, padded = (sum(half) / len(half) for half in waits)\n'
             'less = exact < padded\n'
             'solution = "those who ask exactly" if less else "those who ask for five times"',
        misconceptions=(
            Misconception(HALVES[1], N_("A longer limit keeps a job from being stopped. Does it help it to start?")),
            Misconception(HALVES[2], N_("If all ask for too much, hardly anybody gains. What if only the others do?")),
        ),
    ),
    *ch05_plans.EXERCISES,
)
