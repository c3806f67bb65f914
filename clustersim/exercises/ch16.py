"""Exercises of chapter 16: from a published rate to hours, what tables hide, what a trace of real faults shows."""
from __future__ import annotations

from collections.abc import Mapping

from clustersim.checks import Exercise, Misconception
from clustersim.experiments.gpus_and_rate import rate_of
from clustersim.facts import fact
from clustersim.messages import N_
from clustersim.reliability.fieldtrace import spells
from clustersim.reliability.theory import cluster_mttf_h, exponential_survival, interruption_budget
from clustersim.tables import table
from clustersim.units import HOUR, human_duration

RSC_1, LLAMA_3 = "meta_rsc_1", "llama_3_405b"
JOB, SMALL_JOB = 4_096, 1_024  # GPUs
TARGET = 0.95


def _mttf_s() -> float:
    return cluster_mttf_h(JOB, rate_of(RSC_1)) * HOUR


def _calm_day() -> float:
    return 100 * exponential_survival(24, cluster_mttf_h(SMALL_JOB, rate_of(RSC_1)))


def _gpu_share(column: str) -> float:
    """Share of the class GPU among Llama 3's interruptions in percent, by count or by the printed percentages."""
    rows = table("llama3_interruptions")
    part = sum(float(row[column] or 0) for row in rows.where(category="GPU"))
    return 100 * part / sum(float(row[column] or 0) for row in rows) if column == "count" else part


def _again() -> int:
    """Faults of the trace on a server that had one before."""
    return len(spells()) - _hit()


def _hit() -> int:
    return len({spell.node for spell in spells()})


def _hit_again() -> int:
    """Servers with at least two faults."""
    nodes = [spell.node for spell in spells()]
    return sum(nodes.count(node) > 1 for node in set(nodes))


def _number(key: str) -> float:
    return float(fact(key).value)


def _budget_min(target: float = TARGET, planned: bool = True) -> float:
    interruptions = _number("llama3.unexpected") + (_number("llama3.planned") if planned else 0)
    return interruption_budget(_number("llama3.days") * 1440, interruptions, target)


def _gpus_for(hours: float) -> int:
    """The smallest number of GPUs, in whole nodes of eight, whose MTBF at Llama 3's rate is below ``hours``."""
    gpus = 8
    while cluster_mttf_h(gpus, rate_of(LLAMA_3)) >= hours:
        gpus += 8
    return gpus


def _details() -> Mapping[str, str]:
    return {"mttf": human_duration(_mttf_s()), "mttf_small": human_duration(cluster_mttf_h(SMALL_JOB, rate_of(RSC_1)) * HOUR),
            "again": str(_again()), "hit": str(_hit()), "faults": str(len(spells())), "budget": f"{_budget_min():.1f}",
            "nodes": f"{_gpus_for(1) // 8:,}", "printed": f"{_gpu_share('percent_as_printed'):.1f}"}


EXERCISES = (
    Exercise(
        id="ex-16-1", kind="apply", form="duration", tolerance=300, expected=_mttf_s,
        question=N_("A job runs on 4,096 GPUs in nodes of eight. Its nodes fail at the rate of RSC-1, 6.5 per 1,000 node-days. "
                    "How long is it between two failures on average?"),
        hint=N_("How many nodes are there, and how many node-days pass in an hour?"),
        solution=N_("512 nodes collect 1,000 node-days in 46.9 h, in which 6.5 of them fail: one in {mttf}."),
        code='nodes = 4096 / 8\nsolution = 24_000 / (nodes * 6.5) * 3600',
        misconceptions=(
            Misconception(lambda: _mttf_s() / 8, N_("You divided by the GPUs. The rate counts failures of nodes, each with "
                                                    "eight of them.")),
            Misconception(lambda: _mttf_s() / 24, N_("Hours and days: the rate is for 1,000 node-days, not for 1,000 "
                                                     "node-hours.")),
            Misconception(lambda: cluster_mttf_h(8, rate_of(RSC_1)) * HOUR,
                          N_("That is one node on its own. How many of them must work at the same time?")),
        ), details=_details,
    ),
    Exercise(
        id="ex-16-2", kind="transfer", form="number", unit=N_("%"), tolerance=0.6, expected=_calm_day,
        question=N_("At the same rate a job on 1,024 GPUs breaks every 28.8 h on average. What is the chance that it gets "
                    "through a day of 24 h without a failure?"),
        hint=N_("Failures that come independently at a constant rate: the chance of none in a time t is exp(-t / mean)."),
        solution=N_("exp(-24 / 28.8). A mean of {mttf_small} does not protect a day of 24 h: more often than not the day has a "
                    "failure."),
        code='mttf = cluster_mttf_h(1024, 6.5)\nsolution = 100 * exp(-24 / mttf)',
        misconceptions=(
            Misconception(lambda: 100 * 24 / cluster_mttf_h(SMALL_JOB, rate_of(RSC_1)),
                          N_("That is the mean number of failures in a day, written as a percentage.")),
            Misconception(lambda: 100 - 100 * 24 / cluster_mttf_h(SMALL_JOB, rate_of(RSC_1)),
                          N_("You took the mean number of failures from one. What would that give for a day of 48 h?")),
            Misconception(lambda: 100 - _calm_day(), N_("That is the chance of at least one failure.")),
            Misconception(100, N_("24 h are less than the mean. But does a failure wait for the mean?")),
        ), details=_details,
    ),
    Exercise(
        id="ex-16-3", kind="forensic", form="number", unit=N_("%"), tolerance=0.1, expected=lambda: _gpu_share("count"),
        question=N_("Read Llama 3's table of causes. What share of the 419 unexpected interruptions belongs to the class GPU, "
                    "by count?"),
        hint=N_("Add up the counts of the class and divide by the sum of all counts."),
        solution=N_("268 of 419. The often quoted {printed}% adds up printed percentages, one of which is a misprint."),
        code='rows = table("llama3_interruptions").rows\n'
             'gpu = sum(row["count"] for row in rows if row["category"] == "GPU")\n'
             'solution = 100 * gpu / sum(row["count"] for row in rows)',
        misconceptions=(
            Misconception(lambda: _gpu_share("percent_as_printed"),
                          N_("You added the percentages as printed. Compare them with the counts, row by row.")),
            Misconception(lambda: 100 * 148 / 419, N_("That is the row \"Faulty GPU\" alone. Which other rows are of the "
                                                      "class?")),
        ), details=_details,
    ),
    Exercise(
        id="ex-16-4", kind="forensic", form="number", unit=N_("faults"), expected=_again,
        question=N_("Read the fault trace. How many of its faults struck a server that had already had one?"),
        hint=N_("Every server that was hit has exactly one first fault."),
        solution=N_("{faults} faults on {hit} servers: {hit} are a first one, {again} are not. Thrown at random, about 277 "
                    "would not be."),
        code='faults = spells()\nsolution = len(faults) - len({fault.node for fault in faults})',
        misconceptions=(
            Misconception(_hit, N_("That is the number of servers that were hit at all.")),
            Misconception(_hit_again, N_("You counted servers with several faults. How many faults did they have after the "
                                         "first?")),
            Misconception(lambda: len(spells()) - 400, N_("400 servers were watched, but not all of them were hit.")),
        ), details=_details,
    ),
    Exercise(
        id="ex-16-5", kind="apply", form="number", unit=N_("min"), tolerance=0.05, expected=_budget_min,
        question=N_("Llama 3's run had 466 interruptions in 54 days, planned ones included. How many minutes may an "
                    "interruption cost on average, all losses counted, if 95% of the time is to be effective?"),
        hint=N_("How many minutes are five percent of the 54 days?"),
        solution=N_("54 days are 77,760 min; a twentieth of that over 466 is {budget} min. Half of it is gone before anybody "
                    "acts if a time-out of four minutes has to notice."),
        code='solution = 54 * 24 * 60 * (1 - 0.95) / 466',
        misconceptions=(
            Misconception(lambda: _budget_min(0.9), N_("That is the budget for 90%.")),
            Misconception(lambda: _budget_min(planned=False), N_("You divided by the unexpected ones only. Do planned stops "
                                                                 "cost no time?")),
            Misconception(lambda: _budget_min(0.05), N_("That is the time that trains. Which part may be lost?")),
        ), details=_details,
    ),
    Exercise(
        id="ex-16-6", kind="transfer", form="number", unit=N_("GPUs"), expected=lambda: _gpus_for(1),
        question=N_("At Llama 3's rate (3.789 failures per 1,000 node-days), how many GPUs, in whole nodes of eight, does a "
                    "job need at least so that it breaks more often than once an hour?"),
        hint=N_("Turn the formula round: how many node-days an hour must there be for one failure?"),
        solution=N_("One failure in 264 node-days, or 6,334 node-hours: {nodes} nodes see more than one an hour. Clusters of "
                    "that size exist."),
        code='gpus = 8\nwhile cluster_mttf_h(gpus, 3.789) >= 1:\n    gpus += 8\nsolution = gpus',
        misconceptions=(
            Misconception(lambda: _gpus_for(1) // 8, N_("That is the number of nodes. How many GPUs are in them?")),
            Misconception(lambda: _gpus_for(24), N_("That breaks once a day.")),
            Misconception(lambda: _gpus_for(1) - 8, N_("With one node less it is still a little over an hour.")),
        ), details=_details,
    ),
)
