"""More exercises of chapter 05, on what Slurm's plans are: how many, on which grid, how far ahead, and how chance decides.

``ch05`` appends them to its own.
"""
from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from clustersim.batch import replay_pool
from clustersim.checks import Exercise, Misconception
from clustersim.exercises.recorded import outcome, recorded, workload
from clustersim.experiments import backfill_grid, backfill_window
from clustersim.messages import N_
from clustersim.slurm import parse_workload, simulate_slurm
from clustersim.trace import Trace
from clustersim.units import MINUTE, human_duration
from clustersim.workload import JobTable

# A queue in which textbook EASY delays the second waiting job: id, submitted (min), nodes, run time = limit (min).
PAYS = (("first", 0, 2, 10), ("head", 1, 3, 10), ("second", 2, 4, 5), ("long", 3, 1, 30))
FOUR_NODES, NODES = "backfill_same_jobs", 4  # the measured cluster of four whole nodes
MIX = "mix24_backfill"
MIX_JOBS = tuple(f"m{i:02d}" for i in range(24))
OPTIONS = ("bf_job_part_count_reserve=1", "bf_max_job_test=1", "bf_max_job_start=1", "bf_resolution=1")
HOLE, GRID = 27, 600  # minutes until big's limit, seconds of the grid: the default of the figure backfill_grid


def pays_under_slurm(option: str = "") -> Trace:
    """The queue PAYS on four whole nodes under simulated Slurm, with one more option of SchedulerParameters if given."""
    case = workload(FOUR_NODES)
    every_second = "bf_interval=1,sched_interval=2,batch_sched_delay=0"
    case["config"]["SchedulerParameters"] = f"{every_second},{option}" if option else every_second
    case["jobs"] = [{"id": name, "at": at * MINUTE, "user": "alice", "nodes": nodes, "run_s": minutes * MINUTE,
                     "time_limit_min": minutes} for name, at, nodes, minutes in PAYS]
    return simulate_slurm(parse_workload(case, "pays"))


def pays_under_easy() -> dict[str, int]:
    """Start of each job of PAYS in seconds on a pool of four nodes under textbook EASY."""
    table = JobTable()
    for number, (_name, at, nodes, minutes) in enumerate(PAYS):
        table.append(number, at * MINUTE, nodes, minutes * MINUTE, minutes * MINUTE)
    return {PAYS[int(job.id)][0]: job.start or 0 for job in replay_pool(table, NODES, "easy").jobs}


def longest_on_grid(resolution: int) -> int:
    """The longest limit in minutes with which ``small`` passes in the figure backfill_grid, 0 if none does."""
    return backfill_grid.longest(resolution, HOLE)


def passes_wide(window: int) -> int:
    """How many small jobs pass ``wide`` in the figure backfill_window, with a window of so many minutes."""
    return backfill_window.passed(backfill_window.simulate(window, 120, 180, 12))


def four_runs() -> dict[str, list[int]]:
    """The start of each of the 24 jobs in every run of the real Slurm, in seconds, a column a run."""
    runs = [run["starts"] for run in outcome(MIX)["all_runs"]]
    return {job: [run[job][0] for run in runs] for job in MIX_JOBS}


def _start(trace: Trace, job: str) -> int:
    start = trace.job(job).start
    assert start is not None
    return start


def _like_easy() -> str:
    """The one option with which everybody starts as under EASY, within half a minute."""
    def alike(option: str) -> bool:
        slurm = pays_under_slurm(option)
        return all(abs(start - _start(slurm, job)) <= MINUTE / 2 for job, start in pays_under_easy().items())

    [same] = (option for option in OPTIONS if alike(option))
    return same


def _passed_most() -> str:
    """The job of the published run that started before most of those submitted earlier."""
    jobs = recorded(MIX).jobs
    return max(jobs, key=lambda job: sum(_start(recorded(MIX), other.id) > _start(recorded(MIX), job.id)
                                         for other in jobs if other.submit < job.submit)).id


def _moved(minutes: float) -> set[str]:
    return {job for job, starts in four_runs().items() if max(starts) - min(starts) > minutes * MINUTE}


@cache
def _details() -> Mapping[str, str]:
    return {
        "asked_m21": human_duration(recorded(MIX).job("m21").limit or 0),
        "default": f"{longest_on_grid(60)}", "coarse": f"{longest_on_grid(GRID)}",
    }


EXERCISES = (
    Exercise(
        id="ex-05-9", kind="transfer", form="choice", options=OPTIONS, expected=_like_easy,
        question=N_("In the queue `first`, `head`, `second`, `long` Slurm keeps `long` back for the sake of `second`. With "
                    "which option of SchedulerParameters would it do what textbook EASY does?"),
        hint=N_("EASY gives one job a plan, the first that waits. Try `pays_under_slurm(option)` and compare the starts."),
        solution=N_("It says for how many jobs of a partition backfill keeps a plan. With one, `head` keeps its promise and "
                    "`second` has none; the default of 0 means all, which is why Slurm as it comes is nearer to conservative "
                    "backfill."),
        code='easy = pays_under_easy()\n'
             'def like_easy(option):\n'
             '    slurm = pays_under_slurm(option)\n'
             '    return all(abs(start - slurm.job(name).start) < 30\n'
             '               for name, start in easy.items())\n'
             'options = ["bf_job_part_count_reserve=1", "bf_max_job_test=1",\n'
             '           "bf_max_job_start=1", "bf_resolution=1"]\n'
             'solution = next(option for option in options if like_easy(option))',
        misconceptions=(
            Misconception(OPTIONS[1], N_("Then only `head` is looked at. Who would start `long`?")),
            Misconception(OPTIONS[2], N_("That bounds how many start in a round. How many plans are made?")),
            Misconception(OPTIONS[3], N_("A finer grid makes holes longer by seconds. Is the plan of `second` in the way by "
                                         "seconds?")),
        ),
    ),
    Exercise(
        id="ex-05-10", kind="apply", form="number", unit=N_("min"), expected=lambda: longest_on_grid(GRID),
        question=N_("`small` comes at 00:01, and by its limit `big` makes room for `wide` at 00:27. With `bf_resolution=600`, "
                    "what is the longest limit in whole minutes with which `small` passes?"),
        hint=N_("Starts and ends of plans are rounded down to full ten minutes. For when is `wide` planned then?"),
        solution=N_("The plan of `wide` is rounded down to 00:20, and an end that touches it collides, so `small` must be over "
                    "before that: {coarse} min, where a grid of a minute allows {default}."),
        code='solution = longest_on_grid(600)',
        misconceptions=(
            Misconception(lambda: longest_on_grid(60), N_("That is what the default grid of a minute allows.")),
            Misconception(HOLE - 1, N_("That is the hole to the second. What does the grid leave of it?")),
            Misconception(GRID * (HOLE * MINUTE // GRID) // MINUTE - 1,
                          N_("Close. An end that touches the beginning of the next plan counts as a collision.")),
        ), details=_details,
    ),
    Exercise(
        id="ex-05-11", kind="transfer", form="number", unit=N_("min"),
        expected=lambda: next(window for window in range(15, 241, 15) if not passes_wide(window)),
        question=N_("`big` holds three of four nodes for two hours, `wide` waits for all four, and small jobs of three hours "
                    "each keep coming. Which of the windows 15, 30, 45, ... min is the shortest with which nobody passes "
                    "`wide`?"),
        hint=N_("When can `wide` start at the earliest, seen from the first minute?"),
        solution=N_("The plan has to lie inside the window from the first round on. `big` may stay for two hours, so the "
                    "window must reach that far. The manual advises a window at least as long as the longest limit."),
        code='solution = next(window for window in range(15, 241, 15)\n'
             '                if passes_wide(window) == 0)',
        misconceptions=(
            Misconception(180, N_("That is the limit of the small jobs. Is it they whom `wide` waits for?")),
            Misconception(60, N_("That is how long `wide` runs. The window is about when it can start.")),
            Misconception(75, N_("One small job still passes: it comes before the plan has moved into the window.")),
        ),
    ),
    Exercise(
        id="ex-05-12", kind="forensic", form="choice", options=MIX_JOBS, expected=_passed_most,
        question=N_("Read the record of the 24 jobs with backfill. Which job started before the largest number of jobs that "
                    "had been submitted earlier?"),
        hint=N_("Look at the bottom of the list for a start that is far too early for its place."),
        solution=N_("`m21` needs one node and asked for {asked_m21}. Those it passed want two or four nodes, all but `m16`, "
                    "which asked for longer. When one node had nothing to do until the next plan, `m21` was the one that "
                    "fitted."),
        code='def passed(job):\n'
             '    return sum(other.start > job.start for other in mix.jobs\n'
             '               if other.submit < job.submit)\n'
             'solution = max(mix.jobs, key=passed).id',
        misconceptions=(
            Misconception("m12", N_("It has the shortest run of those with one node. But count whom it passed.")),
            Misconception("m10", N_("It passed two. Is there one further back that passed more?")),
            Misconception("m23", N_("It is the last one. Look when it started.")),
        ), details=_details,
    ),
    Exercise(
        id="ex-05-13", kind="forensic", form="names", options=MIX_JOBS, expected=lambda: _moved(2),
        question=N_("The same 24 jobs were run four times on the real Slurm, with nothing changed (`four_runs()`). The starts "
                    "of which jobs moved by more than two minutes from run to run?"),
        hint=N_("For each job, compare the smallest of its four starts with the largest."),
        solution=N_("`m15` and `m21` fit into the same hole. In two runs the hole was one node wide when backfill looked, and "
                    "`m21` took it; in the other two a second node had fallen free some seconds before, and `m15`, which is "
                    "ahead of it, took both. Neither schedule is wrong."),
        code='solution = {job for job, starts in four_runs().items()\n'
             '            if max(starts) - min(starts) > 120}',
        misconceptions=(
            Misconception(lambda: _moved(1), N_("These moved by more than one minute. The question asks for two.")),
            Misconception({"m15"}, N_("It moved. Somebody else must have moved the other way.")),
            Misconception(set(), N_("The machine and the jobs were the same. Were the starts?")),
        ),
    ),
)
