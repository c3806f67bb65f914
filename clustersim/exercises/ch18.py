"""Exercises of chapter 18: how often to save, where to, and what the death of a node then costs."""
from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from clustersim.checks import Exercise, Misconception
from clustersim.experiments.checkpoint_tiers import at_risk
from clustersim.messages import N_
from clustersim.reliability.detection import NO_DIAGNOSIS, Detection
from clustersim.reliability.faults import Fault
from clustersim.reliability.theory import best_interval, checkpoints_to_keep, efficiency, young
from clustersim.trace import Trace
from clustersim.training import Checkpoints, Faults, Plan, Recovery, simulate
from clustersim.units import HOUR, MINUTE, human_duration

GAP, SAVE = 3 * HOUR, MINUTE  # between failures; that a save blocks
TRAIN, BLOCK, UPLOAD, DEATH = 20 * MINUTE, MINUTE, 10 * MINUTE, 50 * MINUTE  # the run of the forensic exercise
CHANGES = ("a quarter", "half", "the same", "twice", "four times")
MOVES = ("longer", "shorter", "the same")
LATENCY_H, INTERVAL_H = 72, 3


def broken(upload: float = UPLOAD) -> Trace:
    """Two hours of a job that trains for 20 min between saves, with one dead node at 50 min; restart takes 5 min."""
    return simulate(Plan(
        64, wall_days=1 / 12, checkpoints=Checkpoints.asynchronous(TRAIN, BLOCK, upload), detection=Detection(delay_s=0.0),
        faults=Faults(recorded=(Fault(DEATH * 1000, 3, "dead node"),)), diagnosis=NO_DIAGNOSIS,
        recovery=Recovery(restart=5.0 * MINUTE, spares=1, spare_kind="hot", swap=0.0)), seed=1)


def replayed(trace: Trace) -> float:
    """Seconds of work that was done twice."""
    return sum(span.end - span.start for span in trace.spans if span.kind == "replay") / trace.ticks


def mean_at_risk(interval: float, block: float, upload: float) -> float:
    """Seconds of work that a failure at a random moment costs, once saving has got into its rhythm."""
    saves = Checkpoints.asynchronous(interval, block, upload)
    until = 21 * (interval + block)
    late = [risk for time, risk in at_risk(saves, until) if time > interval + block + upload]
    return sum(late) / len(late)


def best_by_trial(restart: float, gap: float = GAP, save: float = SAVE) -> int:
    """The interval, in whole minutes, with the highest expected goodput: tried one by one."""
    return max(range(1, 241), key=lambda minutes: efficiency(minutes * MINUTE, save, gap, restart))


def _change(factor: float) -> str:
    """What happens to the interval when a save takes ``factor`` times as long."""
    ratio = young(SAVE * factor, GAP) / young(SAVE, GAP)
    return CHANGES[min(range(5), key=lambda i: abs((0.25, 0.5, 1, 2, 4)[i] - ratio))]


def _move() -> str:
    before, after = best_by_trial(5 * MINUTE), best_by_trial(20 * MINUTE)
    return MOVES[2] if before == after else MOVES[0] if after > before else MOVES[1]


@cache
def _details() -> Mapping[str, str]:
    return {
        "young": human_duration(young(SAVE, GAP)), "exact": human_duration(best_interval(SAVE, GAP)),
        "best": f"{best_by_trial(5 * MINUTE)}", "mean": human_duration(mean_at_risk(1800, 0.02, 120)),
        "keep": f"{checkpoints_to_keep(LATENCY_H, INTERVAL_H)}", "lost": human_duration(replayed(broken())),
        "at_once": human_duration(replayed(broken(upload=0.0)))}


EXERCISES = (
    Exercise(
        id="ex-18-1", kind="apply", form="duration", tolerance=45, expected=lambda: young(SAVE, GAP),
        question=N_("A job fails every 3 h on average and a save blocks it for 1 min. How long should it train between two "
                    "saves, by Young's rule?"),
        hint=N_("The square root of twice the product of the two times, both in one unit."),
        solution=N_("sqrt(2 x 60 s x 10,800 s) is {young}. The exact optimum is {exact}; nobody would notice the difference."),
        code="solution = young(60, 3 * 3600)",
        misconceptions=(
            Misconception(lambda: young(SAVE, GAP) / 2**0.5, N_("Is there not a factor of 2 under the root?")),
            Misconception(lambda: GAP / 2, N_("Half the time between failures. How much work would a failure then cost?")),
            Misconception(lambda: GAP, N_("One save a failure: then many failures come before the first save.")),
        ), details=_details,
    ),
    Exercise(
        id="ex-18-2", kind="transfer", form="choice", options=CHANGES, expected=lambda: _change(0.25),
        question=N_("New storage takes a save in a quarter of the time. What becomes of the best interval?"),
        hint=N_("The save stands under a square root."),
        solution=N_("The root of a quarter is a half. You save twice as often and still spend half as much time on it; the "
                    "work lost in a failure halves too."),
        code='ratio = young(15, 3 * 3600) / young(60, 3 * 3600)\n'
             'names = {0.25: "a quarter", 0.5: "half", 1.0: "the same"}\n'
             'solution = names[round(ratio, 2)]',
        misconceptions=(
            Misconception(CHANGES[0], N_("Then saving would cost as much time as before, and the gain would lie in lost work "
                                         "alone. Is that the best mix?")),
            Misconception(CHANGES[2], N_("The interval was a balance between two costs, and one of them has changed.")),
            Misconception(CHANGES[3], N_("Cheaper saves are a reason to save more often, not less.")),
        ),
    ),
    Exercise(
        id="ex-18-3", kind="transfer", form="choice", options=MOVES, expected=_move,
        question=N_("A restart now takes 20 min in place of 5 min. What becomes of the best interval between saves?"),
        hint=N_("Try all intervals with one restart time, then with the other. Which costs does the interval decide about?"),
        solution=N_("It stays at {best} min. A restart costs what it costs, whenever the last save was. It lowers goodput and "
                    "leaves the best interval where it is (Daly 2006)."),
        code='same = best_by_trial(5 * 60) == best_by_trial(20 * 60)\n'
             'solution = "the same" if same else "another"',
        misconceptions=(
            Misconception(MOVES[1], N_("A failure is more expensive now, true. Would saving more often make the restart any "
                                       "cheaper?")),
            Misconception(MOVES[0], N_("There is less time left for training. But does that make a save dearer or a failure "
                                       "rarer?")),
        ), details=_details,
    ),
    Exercise(
        id="ex-18-4", kind="apply", form="duration", tolerance=45, expected=lambda: mean_at_risk(1800, 0.02, 120),
        question=N_("Saves go to storage in the background: every 30 min, blocking for 0.02 s, safe after 2 min. How much work "
                    "does a failure at a random moment cost on average?"),
        hint=N_("A copy under way is of no use. How old is the newest safe one, at best and at worst?"),
        solution=N_("The newest safe copy is between 2 min and 32 min old, {mean} on average. The upload stops nobody and "
                    "still costs its 2 min at each failure."),
        code="solution = mean_at_risk(1800, 0.02, 120)",
        misconceptions=(
            Misconception(15 * MINUTE, N_("Half an interval. But is the newest copy safe in the moment it is made?")),
            Misconception(30 * MINUTE, N_("That is about the worst case without the upload.")),
            Misconception(32 * MINUTE, N_("That is the worst case. The question is the average.")),
            Misconception(2 * MINUTE, N_("The upload is one part of it. What about the work since that save?")),
        ), details=_details,
    ),
    Exercise(
        id="ex-18-5", kind="forensic", form="duration", tolerance=5, expected=lambda: replayed(broken()),
        question=N_("Read the record of the run: 20 min of training, 1 min of saving, safe 10 min later; a node dies after "
                    "50 min. How much work is done a second time?"),
        hint=N_("Which saves are safe at 50 min? The first is made at 21 min."),
        solution=N_("The save made at 42 min would have been safe at 52 min and went down with the node. The job goes back "
                    "to the one of 21 min and does {lost} again; had it been safe at once, {at_once}."),
        code='solution = sum(span.end - span.start for span in trace.spans\n'
             '               if span.kind == "replay") / trace.ticks',
        misconceptions=(
            Misconception(lambda: replayed(broken(upload=0.0)),
                          N_("You went back to the save of 42 min. Was it safe when the node died?")),
            Misconception(DEATH, N_("That is the whole run so far. One save was safe.")),
            Misconception(29 * MINUTE, N_("That is the time since the save. Was all of it training?")),
        ), details=_details,
    ),
    Exercise(
        id="ex-18-6", kind="apply", form="number", unit=N_("checkpoints"),
        expected=lambda: float(checkpoints_to_keep(LATENCY_H, INTERVAL_H)),
        question=N_("A silent corruption may go unnoticed for 72 h, and a checkpoint is written every 3 h. How many must "
                    "you keep so that one from before it is always left?"),
        hint=N_("Count the saves that fall into the 72 h. All of them may be corrupt."),
        solution=N_("24 saves fall into the 72 h and may hold the corruption, and one more must be left: {keep}."),
        code="solution = checkpoints_to_keep(72, 3)",
        misconceptions=(
            Misconception(24, N_("Those are the ones that may be corrupt. What do you go back to?")),
            Misconception(1, N_("The newest one is enough for a crash. Here it holds the corruption itself.")),
            Misconception(2, N_("Two guard against a save that is torn. Here many saves in a row may be wrong.")),
        ), details=_details,
    ),
)
