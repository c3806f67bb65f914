"""Exercises of chapter 19: spares, ways back, lemons, and the budget of a whole cluster."""
from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from clustersim.checks import Exercise, Misconception
from clustersim.experiments import experiment
from clustersim.messages import N_
from clustersim.reliability.counting import (
    elastic_loss,
    hazard,
    lemon_share,
    nodes_in_repair,
    poisson_at_least,
    spares_for,
)
from clustersim.training.state import saved_share

NODES, RATE, REPAIR_DAYS = 512, 0.0065, 2.0
BEFORE_S, RESTART_S, PEERS_S = 660.0, 453.0, 40.0  # notice, find and replace; back from a checkpoint; back from the peers
GOOD_NODES, GOOD_RATE, DAYS = 506, 0.00178, 60
CLUSTER = {"gpus": 1024, "rate": 6.5, "billions": 70, "storage": 2, "saves": "blocking", "interval": 30, "find": 60,
           "wait": 5, "start": 5}
HELPS = ("best interval", "saves in the background", "fault known after 10 s", "a spare at once", "restart in half the time")


def accused(after: int) -> float:
    """Good nodes that have so many faults in the time by chance."""
    return GOOD_NODES * poisson_at_least(after, GOOD_RATE * DAYS)


@cache
def gains() -> Mapping[str, float]:
    """What each change would bring to ``CLUSTER``, as shares of its time."""
    found: Mapping[str, float] = experiment("my_cluster")(**CLUSTER).values["gains"]
    return {name: gain for name, gain in found.items() if name in HELPS}


def share_saved() -> float:
    """By how many per cent the outage is shorter."""
    return 100 * saved_share(BEFORE_S + RESTART_S, BEFORE_S + PEERS_S)


@cache
def _details() -> Mapping[str, str]:
    ranked = sorted(gains(), key=lambda name: -gains()[name])
    return {
        "mean": f"{nodes_in_repair(NODES, RATE, REPAIR_DAYS):.1f}", "spares": f"{spares_for(NODES, RATE, REPAIR_DAYS, 0.99)}",
        "fewer": f"{spares_for(NODES, RATE, REPAIR_DAYS / 4, 0.99)}", "loss": f"{100 * elastic_loss(2, 3, 16):.1f}",
        "saved": f"{share_saved():.0f}", "back": f"{100 * saved_share(RESTART_S, PEERS_S):.0f}",
        "lemon": f"{100 * lemon_share(0.14, 0.04):.0f}", "two": f"{accused(2):.1f}", "three": f"{accused(3):.1f}",
        "first": ranked[0], "gain": f"{100 * gains()[ranked[0]]:.1f}", "second": ranked[1],
        "gain2": f"{100 * gains()[ranked[1]]:.1f}"}


EXERCISES = (
    Exercise(
        id="ex-19-1", kind="apply", form="number", unit=N_("spares"),
        expected=lambda: float(spares_for(NODES, RATE, REPAIR_DAYS, 0.99)),
        question=N_("A job runs on 512 nodes; 6.5 of 1,000 fail each day and a repair takes 2 days on average. How many spares "
                    "are enough 99% of the time?"),
        hint=N_("The number of nodes in repair is Poisson. Its mean is nodes x rate x days; you need its 99% quantile."),
        solution=N_("On average {mean} nodes are in repair, and {spares} spares are enough 99% of the time. Nearly half of "
                    "them are there for bad luck."),
        code="solution = spares_for(512, 0.0065, 2, 0.99)",
        misconceptions=(
            Misconception(7, N_("That is the mean, rounded up. How often are more in repair than the mean?")),
            Misconception(4, N_("That is a day's failures. A repair takes longer than a day.")),
            Misconception(lambda: spares_for(NODES, RATE, REPAIR_DAYS, 0.5), N_("That is enough half of the time.")),
        ), details=_details,
    ),
    Exercise(
        id="ex-19-2", kind="transfer", form="number", unit=N_("spares"),
        expected=lambda: float(spares_for(NODES, RATE, REPAIR_DAYS / 4, 0.99)),
        question=N_("Now a repair takes 12 h on average in place of 2 days. How many spares are enough 99% of the time?"),
        hint=N_("The mean is a quarter of what it was. Is its quantile, too?"),
        solution=N_("{fewer} in place of {spares}. The mean fell to a quarter and the spares did not: the smaller the "
                    "number, the larger its chance part."),
        code="solution = spares_for(512, 0.0065, 0.5, 0.99)",
        misconceptions=(
            Misconception(3, N_("A quarter of the former answer. The spread of a Poisson number shrinks with its root only.")),
            Misconception(2, N_("That is the mean, rounded up.")),
            Misconception(lambda: spares_for(NODES, RATE, REPAIR_DAYS, 0.99), N_("That was with 2 days. Fewer nodes are in "
                                                                                "repair at once now.")),
        ), details=_details,
    ),
    Exercise(
        id="ex-19-3", kind="apply", form="number", unit="%", tolerance=0.1, expected=lambda: 100 * elastic_loss(2, 3, 16),
        question=N_("An elastic job of 16 replicas loses one for 2 h whenever a node dies, every 3 h on average. What share "
                    "of its throughput is lost, in per cent?"),
        hint=N_("How much of the time is a replica out, and what part of the job is that?"),
        solution=N_("A replica is out for two thirds of the time, and it is a sixteenth of the job: {loss}%. A restart of "
                    "10 min on a hot spare every 3 h would cost 5.6%."),
        code="solution = 100 * elastic_loss(2, 3, 16)",
        misconceptions=(
            Misconception(lambda: 100 * elastic_loss(2, 3, 1), N_("That would be so if the whole job stood still.")),
            Misconception(lambda: 100 / 16, N_("That is the loss while a replica is out. Is one always out?")),
        ), details=_details,
    ),
    Exercise(
        id="ex-19-4", kind="transfer", form="number", unit="%", tolerance=1, expected=share_saved,
        question=N_("Noticing, finding and replacing take 660 s. Then a restart from a checkpoint takes 453 s, recovery "
                    "from peers 40 s. By how many per cent is the time from the fault to training again shorter with peers?"),
        hint=N_("Both ways begin with the same 660 s."),
        solution=N_("{saved}%. The last part alone is {back}% shorter. A figure of the second kind says little until you "
                    "know the first part."),
        code="solution = 100 * (1 - (660 + 40) / (660 + 453))",
        misconceptions=(
            Misconception(lambda: 100 * saved_share(RESTART_S, PEERS_S), N_("You left out what comes before, and it is the "
                                                                           "same for both.")),
            Misconception(80, N_("That is what a vendor claims. What do the numbers above give?")),
        ), details=_details,
    ),
    Exercise(
        id="ex-19-5", kind="apply", form="number", unit="%", tolerance=1, expected=lambda: 100 * lemon_share(0.14, 0.04),
        question=N_("After lemons were taken out, 4% of the large jobs failed in place of 14%. What share of the hazard, "
                    "the rate of failures behind these chances, had the lemons brought, in per cent?"),
        hint=N_("The hazard behind a chance p of failing is -ln(1 - p). Compare before and after."),
        solution=N_("-ln(0.86) is 0.151 and -ln(0.96) is 0.041, so {lemon}% of the hazard went with them."),
        code="solution = 100 * lemon_share(0.14, 0.04)",
        misconceptions=(
            Misconception(10, N_("That is the difference of the two chances.")),
            Misconception(lambda: 100 * hazard(0.04) / hazard(0.14), N_("That is what was left over.")),
        ), details=_details,
    ),
    Exercise(
        id="ex-19-6", kind="apply", form="number", unit=N_("nodes"), tolerance=0.2, expected=lambda: accused(2),
        question=N_("506 good nodes fail 1.78 times in 1,000 node-days. How many of them will have two faults or more within "
                    "60 days, by chance?"),
        hint=N_("The faults of one node are Poisson with mean 0.00178 x 60. What is the chance of at least two?"),
        solution=N_("{two} of them; with a threshold of three it is {three}. Who takes nodes out after two faults, without "
                    "a look at the cause, throws good ones away every month."),
        code="solution = 506 * poisson_at_least(2, 0.00178 * 60)",
        misconceptions=(
            Misconception(lambda: accused(1), N_("That is how many have one fault or more.")),
            Misconception(0, N_("Two faults in one node look like a pattern. But there are 506 nodes.")),
            Misconception(lambda: GOOD_NODES * GOOD_RATE * DAYS, N_("That is the number of all their faults.")),
        ), details=_details,
    ),
    Exercise(
        id="ex-19-7", kind="forensic", form="choice", options=HELPS, expected=lambda: max(gains(), key=lambda n: gains()[n]),
        question=N_("A 70-billion model on 1,024 GPUs, storage of 2 GB/s, saves that block every 30 min, faults known after "
                    "60 s. Which single change helps most?"),
        hint=N_("How long does a save of 0.98 TB block the job at 2 GB/s?"),
        solution=N_("{first}: {gain} points. A save blocks for more than 8 min of every 38. Next comes {second} with "
                    "{gain2} points; everything that shortens recovery brings next to nothing here."),
        code='solution = max(gains(), key=gains().get)',
        misconceptions=(
            Misconception(HELPS[0], N_("A longer interval helps a lot here. Is there a way not to stand still at all?")),
            Misconception(HELPS[2], N_("A failure comes once in more than a day. How much time goes into noticing it, and how "
                                       "much into saving?")),
            Misconception(HELPS[3], N_("The job waits 5 min for a node once in more than a day.")),
            Misconception(HELPS[4], N_("A restart comes once in more than a day. What comes every half hour?")),
        ), details=_details,
    ),
)
