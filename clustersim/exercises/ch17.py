"""Exercises of chapter 17: who sees a fault and when, what a time-out costs, Xids, DCGM's levels and exit codes."""
from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from clustersim.checks import Exercise, Misconception
from clustersim.experiments.gpus_and_rate import rate_of
from clustersim.messages import N_
from clustersim.reliability import dcgm
from clustersim.reliability.causes import cause
from clustersim.reliability.dcgm import Host
from clustersim.reliability.detection import WATCHDOG_S, Detection
from clustersim.reliability.planner import found_in_time
from clustersim.reliability.runbook import LADDER, decide
from clustersim.reliability.theory import cluster_mttf_h
from clustersim.tables import table
from clustersim.units import HOUR, MINUTE, human_duration

NO_AGENT = Detection(inspection=False)
SLOW_S, FAST_S = WATCHDOG_S, 10.0
JOB, RSC_1 = 4_096, "meta_rsc_1"
CODES = (45, 48, 63)
ERRORS = ("DCGM_FR_STRESS_LEVEL", "DCGM_FR_FAULTY_MEMORY")
EVERY_DAYS, WARNING_DAYS = 7.0, 3.0


def mean_notice_s() -> float:
    """Mean time until a dead network card is seen where no agent inspects: health checks come round evenly."""
    first = NO_AGENT.watchers(cause("NIC"))[0]
    return first.fixed_s + first.period_s / 2


def points(gpus: int = JOB, seconds: float = SLOW_S - FAST_S) -> float:
    """Points of goodput that a delay costs a job at RSC-1's rate, to first order: delay over MTBF."""
    return 100 * seconds / (cluster_mttf_h(gpus, rate_of(RSC_1)) * HOUR)


def showing_as(*symptoms: str) -> int:
    """Llama 3's unexpected interruptions whose cause shows in one of these ways."""
    return sum(int(row["count"] or 0) for row in table("llama3_interruptions")
               if cause(str(row["component"])).symptom in symptoms)


def ran(level: int, host: Host | None = None) -> int:
    """How many tests of a level run on a host."""
    return len(dcgm.tests_of(level, host))


def share_found() -> float:
    """Per cent of the defects that a perfect weekly test finds in time."""
    return 100 * found_in_time(1.0, EVERY_DAYS, WARNING_DAYS)


@cache
def _details() -> Mapping[str, str]:
    hangs = showing_as("hang")
    return {"period": human_duration(NO_AGENT.watchers(cause("NIC"))[0].period_s), "points": f"{points():.2f}",
            "mtbf": human_duration(cluster_mttf_h(JOB, rate_of(RSC_1)) * HOUR), "hangs": str(hangs),
            "hours": f"{hangs * WATCHDOG_S / HOUR:.0f}", "run": str(ran(3, Host())), "all": str(ran(3)),
            "four": str(ran(4, Host()) - ran(3, Host())), "found": f"{share_found():.0f}",
            "daily": f"{100 * found_in_time(1.0, 1.0, WARNING_DAYS):.0f}"}


EXERCISES = (
    Exercise(
        id="ex-17-1", kind="apply", form="duration", tolerance=10, expected=mean_notice_s,
        question=N_("A network card dies, and the job hangs. No agent inspects the machines; a health check comes round every "
                    "5 min and sees a dead card at once; the NCCL time-out is 10 min. How long is it on average until somebody "
                    "knows?"),
        hint=N_("The fault falls anywhere between two rounds of the check, each moment as likely as the others."),
        solution=N_("The check comes {period} apart, so on average half of that passes. The time-out never gets its turn."),
        code='first = Detection(inspection=False).watchers(cause("NIC"))[0]\nsolution = first.fixed_s + first.period_s / 2',
        misconceptions=(
            Misconception(5 * MINUTE, N_("That is the longest it can take. How long is it on average?")),
            Misconception(WATCHDOG_S, N_("Before the time-out ends, somebody else has looked.")),
            Misconception(30, N_("30 s is what an agent on the machine needs. Here there is none.")),
            Misconception((5 * MINUTE + WATCHDOG_S) / 2, N_("The first to see it counts, not the mean of all who could.")),
        ), details=_details,
    ),
    Exercise(
        id="ex-17-2", kind="apply", form="number", unit=N_("points"), tolerance=0.01, expected=points,
        question=N_("A job on 4,096 GPUs fails at RSC-1's rate, 6.5 failures in 1,000 node-days. How many points of goodput "
                    "does it win, to first order, if every failure is known after 10 s in place of 600 s?"),
        hint=N_("Each failure costs 590 s less. How long is it between two failures?"),
        solution=N_("A failure comes every {mtbf}, and 590 s of that are {points} points."),
        code="mtbf_s = cluster_mttf_h(4096, 6.5) * 3600\nsolution = 100 * 590 / mtbf_s",
        misconceptions=(
            Misconception(lambda: points() / 100, N_("That is a share. A point is a hundredth.")),
            Misconception(lambda: points(JOB * 8), N_("You took every GPU for a node. There are eight in each.")),
            Misconception(lambda: points(8), N_("That is what one node on its own would win.")),
            Misconception(lambda: points() * 60, N_("Seconds over minutes: bring both to one unit.")),
            Misconception(lambda: points(JOB * 4), N_("That is the job on 16,384 GPUs.")),
        ), details=_details,
    ),
    Exercise(
        id="ex-17-3", kind="forensic", form="number", unit=N_("interruptions"), expected=lambda: showing_as("hang"),
        question=N_("Read Llama 3's causes together with the way each shows. How many of the 419 interruptions showed as a "
                    "hang, so that no process wrote an error before a time-out?"),
        hint=N_("Take the counts from the table of causes, and the symptom from the cause of the same name."),
        solution=N_("{hangs}: switches and cables, system processors, network cards, and the watchdog's own row. At ten "
                    "minutes each, {hours} hours of the 54 days would pass in silence."),
        code='rows = table("llama3_interruptions")\n'
             'solution = sum(row["count"] for row in rows\n'
             '               if cause(row["component"]).symptom == "hang")',
        misconceptions=(
            Misconception(7, N_("That is the row of the watchdog alone. It is the witness; which others does it have to "
                                "speak for?")),
            Misconception(lambda: showing_as("crash"), N_("These crash, and a crash writes a log.")),
            Misconception(lambda: 419 - showing_as("crash"),
                          N_("You counted everything that is no crash. A slow GPU and silent corruption do not hang.")),
            Misconception(35 + 7, N_("A GPU can hang as well: look at the symptom of its system processor.")),
        ), details=_details,
    ),
    Exercise(
        id="ex-17-4", kind="forensic", form="choice", options=LADDER, expected=lambda: decide(CODES).action,
        question=N_("Read the kernel log above. Which action of the ladder does it ask for?"),
        hint=N_("Three codes within a second belong together. Which of them is the cause, and which only tells more?"),
        solution=N_("48 is an uncorrectable memory error, 63 says that its row will be replaced, and 45 is an echo. Drain the "
                    "node, then reset the GPU: the replacement takes effect with the reset."),
        code="solution = decide([45, 48, 63]).action",
        misconceptions=(
            Misconception("restart_app", N_("45 follows what came with it. The program was not the cause.")),
            Misconception("reset_gpu_at_next_idle", N_("That would do for 63 alone. But 48 came with it: an error that could "
                                                       "not be corrected has reached a program.")),
            Misconception("drain_replace", N_("A row was replaced, which is what spare rows are for. A GPU that could not "
                                              "replace it would say 64.")),
            Misconception("drain_reboot_node", N_("The GPU still answers. What is the smallest step that activates a "
                                                  "replaced row?")),
        ), details=_details,
    ),
    Exercise(
        id="ex-17-5", kind="apply", form="number", unit=N_("tests"), expected=lambda: ran(3, Host()),
        question=N_("A node has no EUD package, no path to NCCL's tests and none to RIST, and no Grace CPU; its kind of GPU "
                    "allows `nvbandwidth`. How many of level 3's tests does `dcgmi diag -r 3` run on it?"),
        hint=N_("Level 3 includes levels 1 and 2. Cross out what its condition forbids."),
        solution=N_("{run} of {all}. It may pass without having run the others, and nothing in the exit code tells. Level 4 "
                    "adds {four}."),
        code="solution = len(dcgm.tests_of(3, dcgm.Host()))",
        misconceptions=(
            Misconception(lambda: ran(3), N_("That is every test of the level. Which of them have a condition that this node "
                                             "does not meet?")),
            Misconception(lambda: ran(4, Host()), N_("Two of these belong to level 4.")),
            Misconception(lambda: ran(3, Host()) - ran(2, Host()), N_("Those are the ones that level 3 adds. It runs the "
                                                                      "earlier ones as well.")),
            Misconception(lambda: ran(3, Host(eud_package=True)), N_("The EUD is part of level 3, but its package is not "
                                                                     "there.")),
        ), details=_details,
    ),
    Exercise(
        id="ex-17-6", kind="transfer", form="number", unit="", expected=lambda: dcgm.exit_code(ERRORS),
        question=N_("A script takes a node out of service if `dcgmi diag` ends with 2 or 3. One run reports a missed stress "
                    "target and faulty memory, the second with the severity \"isolate\". With which exit code does it end?"),
        hint=N_("Any error with the severity \"isolate\" decides. The chapter's table has the code."),
        solution=N_("205. The script knows neither 205 nor 226, so it leaves the node in service, whatever is found."),
        code=f'solution = dcgm.exit_code([{ERRORS[0]!r},\n                           {ERRORS[1]!r}])'.replace("'", '"'),
        misconceptions=(
            Misconception(lambda: dcgm.exit_code(ERRORS[:1]), N_("That is a failed test without \"isolate\".")),
            Misconception(3, N_("That is what older examples compare with, and no longer what comes.")),
            Misconception(2, N_("Older scripts say so. Look the code up for this version.")),
            Misconception(lambda: dcgm.exit_code([]), N_("That means that every test passed.")),
        ), details=_details,
    ),
    Exercise(
        id="ex-17-7", kind="transfer", form="number", unit=N_("%"), tolerance=1.0, expected=share_found,
        question=N_("A test that never misses runs once a week. A defect shows for 3 days on average before it stops the job, "
                    "sometimes much less and sometimes much more (exponentially). What share of the defects is found in time?"),
        hint=N_("The next run comes after a time between 0 and 7 days, each as likely. What is the chance that the defect "
                "waits that long, on average over those times?"),
        solution=N_("{found}%: (3/7)(1 - exp(-7/3)). Run every day, the same test would find {daily}%. A perfect test that "
                    "comes late is a poor one."),
        code="solution = 100 * found_in_time(1.0, every_days=7, warning_days=3)",
        misconceptions=(
            Misconception(100, N_("It never misses what is there when it runs. Is the job still running then?")),
            Misconception(lambda: 100 * WARNING_DAYS / EVERY_DAYS,
                          N_("That would hold if every defect showed for 3 days exactly. Those that show longer than a week "
                             "cannot be found twice.")),
            Misconception(lambda: 100 * 2.718281828 ** (-EVERY_DAYS / WARNING_DAYS),
                          N_("You let every defect begin right after a run. Most begin later.")),
            Misconception(50, N_("On average a run comes after half a week, but the average defect does not decide: short ones "
                                 "are lost whenever the run is late.")),
        ), details=_details,
    ),
)
