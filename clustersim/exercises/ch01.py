"""Exercises of chapter 01: three people, four GPUs, with and without a scheduler."""
from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from clustersim.checks import Exercise, Misconception
from clustersim.experiments import Slider, experiment, no_scheduler
from clustersim.messages import N_
from clustersim.trace import Trace
from clustersim.units import HOUR, MINUTE, clock_time

JOBS = ("A", "B", "C")
EVENTS = ("A ends", "B ends", "C starts", "C ends")
REMEDIES: Mapping[str, Mapping[str, int]] = {
    "look more often": {"look_every": 5}, "look less often": {"look_every": 120}, "launches show at once": {"launch": 0},
}


def _range(experiment_id: str, name: str) -> range:
    """The whole numbers that a slider offers."""
    control = next(c for c in experiment(experiment_id).controls if c.name == name)
    assert isinstance(control, Slider)
    return range(int(control.low), int(control.high) + 1, int(control.step))


def _slurm(**settings: Any) -> Mapping[str, Any]:
    return experiment("three_researchers")(**settings).values


def _start_of_c(**settings: Any) -> int:
    return int(_slurm(**settings)["starts_s"]["C"])


def _one_after_the_other() -> int:
    values = _slurm()
    return sum(int(values["ends_s"][job] - values["starts_s"][job]) for job in ("A", "B"))


def _events() -> dict[str, int]:
    """When each event happens, in seconds, ends before starts at the same instant."""
    values = _slurm()
    ends, starts = values["ends_s"], values["starts_s"]
    times = {"A ends": ends["A"], "B ends": ends["B"], "C ends": ends["C"], "C starts": starts["C"]}
    return dict(sorted(times.items(), key=lambda event: event[1]))


def _events_as_drawn() -> list[str]:
    """The seed's diagram: C waits for the end of B, and the end of A comes after that."""
    return ["B ends", "C starts", "A ends", "C ends"]


def _idle_as_drawn() -> float:
    """GPU hours idle in the diagram's schedule, where C begins when B ends."""
    values = _slurm()
    run_c = values["ends_s"]["C"] - values["starts_s"]["C"]
    gpus = (values["busy_gpu_h"] + values["idle_gpu_h"]) * HOUR / values["finish_s"]
    return float(gpus * (values["ends_s"]["B"] + run_c) / HOUR - values["busy_gpu_h"])


@cache
def _gpus_for_all() -> int:
    """The fewest GPUs with which nobody waits, of those that the slider offers."""
    return next(gpus for gpus in _range("three_researchers", "gpus")
                if all(wait is not None and wait < MINUTE for wait in _slurm(gpus=gpus)["waits_s"].values()))


@cache
def _who_decides() -> str:
    """The job whose run time, an hour longer, moves the start of C by an hour."""
    base, hours = _start_of_c(), experiment("three_researchers").defaults()
    names = {job: f"hours_{job.lower()}" for job in JOBS}
    moved = [job for job, name in names.items() if _start_of_c(**{name: float(hours[name]) + 1}) > base + HOUR / 2]
    assert len(moved) == 1
    return moved[0]


def _nobody(**settings: int) -> tuple[Trace, list[no_scheduler.Person]]:
    values = experiment("no_scheduler").settings(settings)
    return no_scheduler.simulate(int(values["look_every"]) * MINUTE, int(values["launch"]) * MINUTE, int(values["seed"]))


def _losers() -> set[str]:
    trace, _people = _nobody()
    return {event.subject for event in trace.events() if event.kind == "reject"}


def _survivors() -> set[str]:
    """The jobs that kept the GPUs on which somebody else's launch died."""
    _trace, people = _nobody()
    dead = {gpu for person in people for _begin, _end, gpus in person.failures for gpu in gpus}
    return {person.job for person in people if set(person.chosen) & dead and not person.failures}


def _days_with_a_collision(**settings: int) -> int:
    """Over all seeds that the slider offers."""
    days = (_nobody(**settings, seed=seed)[1] for seed in _range("no_scheduler", "seed"))
    return sum(any(person.failures for person in people) for people in days)


@cache
def _remedy() -> str:
    """The remedy that leaves the fewest days with a collision."""
    return min(REMEDIES, key=lambda name: _days_with_a_collision(**REMEDIES[name]))


@cache
def _details() -> Mapping[str, str]:
    values = _slurm()
    end_a, end_b = (clock_time(round(values["ends_s"][job] / MINUTE) * MINUTE) for job in ("A", "B"))
    return {"end_a": end_a, "end_b": end_b, "busy": f"{values['busy_gpu_h']:.0f}",
            "all": f"{values['busy_gpu_h'] + values['idle_gpu_h']:.0f}", "gpus": f"{_gpus_for_all()}"}


EXERCISES = (
    Exercise(
        id="ex-01-1", kind="forensic", form="names", options=JOBS, expected=_losers,
        question=N_("Read the stories of the day without a scheduler. Which jobs lost a launch because the GPUs they had "
                    "picked were taken?"),
        hint=N_("Look for the sentence that says that a launch was refused, and for the name it begins with."),
        solution=N_("Who loads second finds the memory of the GPU full and dies. That both looked at a GPU that seemed free is "
                    "the fault of neither."),
        code='solution = {event.subject for event in trace.events() if event.kind == "reject"}',
        misconceptions=(
            Misconception(_survivors, N_("That is who kept the GPU. Whose process came second?")),
            Misconception(lambda: set(JOBS), N_("Not everybody: a launch onto GPUs that nobody else wants goes well.")),
            Misconception(set(), N_("The schedule in the end shows no overlap, but it does not show the launches that died.")),
        ),
    ),
    Exercise(
        id="ex-01-2", kind="transfer", form="choice", options=tuple(REMEDIES), expected=_remedy,
        question=N_("Which of these three changes makes days with a collision rarest, over the seeds 1 to 50: everybody looks "
                    "every 5 minutes instead of 30, everybody looks every 2 hours, or a launch shows on the GPU at once?"),
        hint=N_("Two people collide when one looks after the other has chosen and before that shows. What makes this gap "
                "small?"),
        solution=N_("What helps is to close the gap between choosing and showing: then nobody can look into it, and no day "
                    "with a collision is left. A scheduler closes it for good: it alone chooses, and it writes its choice "
                    "down in the same step."),
        code='changes = {"look more often": dict(look_every=5),\n'
             '           "look less often": dict(look_every=120),\n'
             '           "launches show at once": dict(launch=0)}\n'
             'def days(change):\n'
             '    runs = (experiment("no_scheduler")(**change, seed=seed)\n'
             '            for seed in range(1, 51))\n'
             '    return sum(run.values["collisions"] > 0 for run in runs)\n'
             'solution = min(changes, key=lambda name: days(changes[name]))',
        misconceptions=(
            Misconception("look more often",
                          N_("Looking more often finds free GPUs sooner, and everybody else finds them sooner too. Try a few "
                             "seeds.")),
            Misconception("look less often",
                          N_("Fewer looks meet less often. But what happens to the GPUs in the meantime, and how often do two "
                             "looks still fall into one launch? Try a few seeds.")),
        ),
    ),
    Exercise(
        id="ex-01-3", kind="apply", form="clock", tolerance=MINUTE,
        expected=lambda: round(_start_of_c() / MINUTE) * MINUTE,
        question=N_("Alice, Bob and Carol submit their jobs at 00:00 to Slurm on one node with four GPUs. When does Carol's "
                    "job C start?"),
        hint=N_("Write down how many GPUs are free just before and just after each job ends. C needs one."),
        solution=N_("A ends at {end_a} and gives back two GPUs. C needs one of them and starts at once; it need not wait "
                    "for B, which ends at {end_b}."),
        code='outcome = experiment("three_researchers")()\nsolution = outcome.values["starts_s"]["C"]',
        misconceptions=(
            Misconception(lambda: _slurm()["ends_s"]["B"],
                          N_("You let C wait for B, as the diagram does. Which job is the first to give GPUs back?")),
            Misconception(0, N_("Add up what the three jobs ask for together, and compare it with what the node has.")),
            Misconception(_one_after_the_other,
                          N_("You ran A and B one after the other. Do they fit side by side on four GPUs?")),
        ), details=_details,
    ),
    Exercise(
        id="ex-01-4", kind="fix-the-diagram", form="order", options=EVENTS, expected=lambda: list(_events()),
        question=N_("The draft's diagram ends with: B ends, C starts, A ends, C ends. Put these four events into the order in "
                    "which they really happen."),
        hint=N_("Give every event its time first, then sort. A start follows the end that made room for it."),
        solution=N_("A ends first, which lets C start; C runs for an hour and ends before B does. In the diagram time does not "
                    "run downwards: it shows the end at {end_a} below the end at {end_b}."),
        code='values = experiment("three_researchers")().values\n'
             'times = {"A ends": values["ends_s"]["A"], "B ends": values["ends_s"]["B"],\n'
             '         "C ends": values["ends_s"]["C"], "C starts": values["starts_s"]["C"]}\n'
             'solution = sorted(times, key=times.get)',
        misconceptions=(
            Misconception(_events_as_drawn,
                          N_("That is the diagram as it stands. How long after the start does A end, and how long B?")),
            Misconception(["A ends", "B ends", "C starts", "C ends"],
                          N_("The two ends are in order now. But does C need the GPUs of both of them?")),
            Misconception(["A ends", "C starts", "B ends", "C ends"],
                          N_("C starts in the right place. How long does it run, compared with what B still has to do?")),
        ), details=_details,
    ),
    Exercise(
        id="ex-01-5", kind="apply", form="number", unit=N_("GPU h"), tolerance=0.1, expected=lambda: _slurm()["idle_gpu_h"],
        question=N_("Until the last job has ended, how many GPU hours stand idle? (Two GPUs idle for three hours are six GPU "
                    "hours.)"),
        hint=N_("Multiply the number of GPUs by the time of the last end, and subtract what the three jobs use."),
        solution=N_("The node offers {all} GPU hours until the last end, and the three jobs use {busy}. No scheduler could do "
                    "better with these jobs: B alone takes until then."),
        code='solution = experiment("three_researchers")().values["idle_gpu_h"]',
        misconceptions=(
            Misconception(0, N_("All four GPUs are busy at first. Look again at the time after A has ended.")),
            Misconception(lambda: _slurm()["busy_gpu_h"], N_("That is what the jobs use. The question is what is left over.")),
            Misconception(_idle_as_drawn,
                          N_("That is what the diagram's schedule would waste: in it, C begins only when B has ended.")),
        ), details=_details,
    ),
    Exercise(
        id="ex-01-6", kind="recall", form="choice", options=JOBS, expected=_who_decides,
        question=N_("One of the three jobs turns out to take an hour longer than told, and C starts an hour later than "
                    "planned. Which job was it?"),
        hint=N_("Move one slider at a time and watch the start of C."),
        solution=N_("C starts when the first of the two running jobs ends, and that is A. An hour more of B changes nothing "
                    "for C."),
        code='longer = {"A": dict(hours_a=4), "B": dict(hours_b=6), "C": dict(hours_c=2)}\n'
             'starts = {job: experiment("three_researchers")(**hours).values["starts_s"]["C"]\n'
             '          for job, hours in longer.items()}\n'
             'solution = max(starts, key=starts.get)',
        misconceptions=(
            Misconception("B", N_("B is the important one and the long one. But is it the first to give GPUs back?")),
            Misconception("C", N_("A job's own run time moves its end, not its start.")),
        ),
    ),
    Exercise(
        id="ex-01-7", kind="transfer", form="number", unit=N_("GPUs"), expected=_gpus_for_all,
        question=N_("How many GPUs must the node have, at the least, so that nobody waits at all?"),
        hint=N_("Nobody waits if everything that is asked for at the same time fits at the same time."),
        solution=N_("The three ask for {gpus} GPUs together, and they all ask at 00:00. With one GPU less, somebody waits."),
        code='for gpus in range(2, 9):\n'
             '    waits = experiment("three_researchers")(gpus=gpus).values["waits_s"]\n'
             '    if max(waits.values()) < 60:\n'
             '        break\n'
             'solution = gpus',
        misconceptions=(
            Misconception(4, N_("With four GPUs A and B run at once. What is left for C?")),
            Misconception(6, N_("You gave C two GPUs, as if GPUs came in pairs. Slurm hands them out one by one.")),
            Misconception(3, N_("You counted people, not what they ask for.")),
        ), details=_details,
    ),
)
