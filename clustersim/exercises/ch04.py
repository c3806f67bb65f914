"""Exercises of chapter 04: what a priority is made of, who goes first between two accounts, and three measured runs."""
from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Mapping
from functools import cache

from clustersim.checks import Exercise, Misconception
from clustersim.experiments import experiment, priority_parts
from clustersim.measured import outcome, recorded, workload
from clustersim.messages import N_
from clustersim.slurm import parse_workload, simulate_slurm
from clustersim.slurm.accounts import read_accounting
from clustersim.slurm.fairtree import FairTree
from clustersim.slurm.schema import Section
from clustersim.trace import Trace
from clustersim.units import HOUR, clock_time, human_duration

QUEUE, PARTS, SHARES = "multifactor_qos_nice", "multifactor_size_age_partition", "fairshare_two_accounts"
WAITING = ("lo", "me", "me_nice", "hi", "hi_nice")
USERS = ("alice", "bob", "carol", "dave")
WHY = ("dave, of the same account, had used less", "carol had used more than anybody of physics",
       "d was shorter and backfill let it pass", "d had a QOS of higher priority")


def queue(**nice: int) -> Trace:
    """The measured queue behind X again, simulated, with other values of ``--nice`` by job: ``queue(hi=1000)``."""
    case = workload(QUEUE)
    for job in case["jobs"]:
        job["nice"] = nice.get(job["id"], job.get("nice", 0))
    return simulate_slurm(parse_workload(case, QUEUE))


def sprio(name: str) -> dict[str, dict[str, int]]:
    """What ``sprio -l`` printed in the snapshot of a recorded run: job -> column -> points."""
    [snapshot] = outcome(name)["snapshots"].values()
    head, *lines = (re.split(r"\s+", line.strip()) for line in snapshot["sprio -l"].strip().splitlines())
    ids = [job["id"] for job in workload(name)["jobs"]]
    return {ids[int(row[0]) - 1]: {column: int(text) for column, text in zip(head[3:12], row[3:], strict=False)}
            for row in lines}


def used(name: str = SHARES) -> dict[str, int]:
    """The column RawUsage of ``sshare -a -l`` in the snapshot of a recorded run, by account and user, in core seconds."""
    [snapshot] = outcome(name)["snapshots"].values()
    found = re.findall(r"^ *(\w+) (?: +(\w+))? +\d+ +[\d.]+ +(\d+)", snapshot["sshare -a -l"], re.M)
    return {user or account: int(usage) for account, user, usage in found}


def places(**usage: int) -> dict[str, float]:
    """FairShare of the four users of the recorded run if they had used so many core seconds: ``places(carol=9000)``.

    Who is not named has used what the snapshot says.
    """
    case, real = workload(SHARES)["accounting"], used()
    tree = FairTree(read_accounting(Section(case, SHARES, "accounting")))
    for user in USERS:
        account = _account(user)
        for branch in (f"{user}@{account}", account, ""):
            tree.branches[branch].usage += usage.get(user, real[user])
    tree.rank()
    return {user: tree.factor[user, _account(user)] for user in USERS}


def _account(user: str) -> str:
    account: str = next(one["account"] for one in workload(SHARES)["accounting"]["users"] if one["name"] == user)
    return account


def in_order(trace: Trace) -> list[str]:
    """The jobs that waited behind X, in the order of their starts."""
    return sorted(WAITING, key=lambda name: trace.job(name).start or 0)


@cache
def _enough() -> int:
    """The smallest nice with which ``hi`` starts after ``lo``."""
    return bisect_left(range(100_001), True, key=lambda nice: in_order(queue(hi=nice))[-1] == "hi")


def _in_express() -> int:
    rows = sprio(PARTS)
    return rows["wide"]["PRIORITY"] - rows["wide"]["PARTITION"] + rows["exp_wide"]["PARTITION"]


def _why_c_waited() -> str:
    """What the record says about the job that started between the submission of ``d`` and the start of ``c``."""
    record = recorded(SHARES)
    c, d = record.job("c"), record.job("d")
    before = {job.id for job in record.jobs if d.submit <= (job.start or 0) < (c.start or 0)}
    same = d.extra["account"] == c.extra["account"] and places()["dave"] > places()["carol"]
    return WHY[0] if before == {"d"} and same else WHY[1]


def _more() -> float:
    """Core seconds that chem would have had to use beyond what it did for both accounts to be level."""
    case, real = workload(SHARES)["accounting"]["accounts"], used()
    shares = {account["name"]: account["fairshare"] for account in case}
    return float(real["physics"] * shares["chem"] / shares["physics"] - real["chem"])


def _after() -> list[str]:
    share = places(carol=9000)
    return sorted(share, key=lambda user: -share[user])


@cache
def _passes(max_age: int) -> int:
    """When ``wide`` passes ``small`` in the figure of the chapter."""
    [(time, _first, _second)] = experiment("priority_parts")(max_age=max_age).values["flips"]
    return int(time)


def _stops(max_age: int) -> int:
    """When ``small`` has reached PriorityMaxAge, in hours, and gains no more."""
    return priority_parts.SUBMITS["small"] + max_age * HOUR


@cache
def _details() -> Mapping[str, str]:
    real, rows = used(), sprio(PARTS)
    return {
        "nice": f"{_enough():,}", "wide": f"{rows['wide']['PRIORITY']:,}", "express": f"{rows['exp_wide']['PARTITION']:,}",
        "main": f"{rows['wide']['PARTITION']:,}", "physics": f"{real['physics']:,}", "chem": f"{real['chem']:,}",
        "level": f"{_more() + real['chem']:,.0f}", "waited": human_duration(recorded(SHARES).job("c").wait or 0),
        "passes": clock_time(_passes(6)), "stops": clock_time(_stops(6)),
    }


EXERCISES = (
    Exercise(
        id="ex-04-1", kind="apply", form="order", options=WAITING, expected=lambda: in_order(queue()),
        question=N_("Five jobs wait behind X. Priority is 100,000 times the QOS factor, less nice. In which order do `lo`, "
                    "`me`, `me_nice`, `hi` and `hi_nice` start?"),
        hint=N_("Divide each QOS priority by the largest, multiply by the weight, take nice away, and sort."),
        solution=N_("The priorities are 100,000 for `hi`, 50,000 for `me`, 40,000 for `hi_nice`, 20,000 for `me_nice` and "
                    "10,000 for `lo`. With all other weights at 0 nothing else counts."),
        code='solution = in_order(queue())',
        misconceptions=(
            Misconception(list(WAITING), N_("That is the order of submission. It decides between equals only.")),
            Misconception(["hi", "hi_nice", "me", "me_nice", "lo"],
                          N_("You sorted by QOS and let nice decide within one. Nice is in points, as the QOS is: they add "
                             "up.")),
            Misconception(["hi_nice", "hi", "me_nice", "me", "lo"],
                          N_("You added nice. It is taken away: a job with nice lets others go first.")),
        ), details=_details,
    ),
    Exercise(
        id="ex-04-2", kind="transfer", form="number", unit=N_("points"), expected=_enough,
        question=N_("`hi` was submitted after `lo`. What is the smallest nice with which `hi` would have started after `lo`?"),
        hint=N_("At which nice are the two level, and who goes first then? Try `in_order(queue(hi=...))`."),
        solution=N_("At {nice} both have 10,000 points, and among equals the earlier submission goes first. Nice is "
                    "subtracted in points, so its effect depends on the weights of your cluster."),
        code='nice = 0\n'
             'for step in (10_000, 1_000, 100, 10, 1):\n'
             '    while in_order(queue(hi=nice + step))[-1] != "hi":\n'
             '        nice += step\n'
             'solution = nice + 1',
        misconceptions=(
            Misconception(lambda: _enough() + 1, N_("That does it. But what happens one point earlier, when they are level?")),
            Misconception(50_000, N_("With that it is level with `me`. `lo` is further down.")),
            Misconception(100_000, N_("That takes away everything `hi` has. How much has `lo`?")),
            Misconception(100, N_("That is what a plain --nice takes away. Compare it with the weight.")),
        ), details=_details,
    ),
    Exercise(
        id="ex-04-3", kind="forensic", form="number", unit=N_("points"), tolerance=1, expected=_in_express,
        question=N_("Read the `sprio -l` that the real Slurm printed. What priority would `wide` (job 4) have had at that "
                    "moment in the partition `express`?"),
        hint=N_("Which columns depend on the partition, and which on the job alone?"),
        solution=N_("Only the column PARTITION changes: {wide} less {main} plus {express}. It would have gone before "
                    "everybody."),
        code='rows = sprio("multifactor_size_age_partition")\n'
             'wide, other = rows["wide"], rows["exp_wide"]\n'
             'solution = wide["PRIORITY"] - wide["PARTITION"] + other["PARTITION"]',
        misconceptions=(
            Misconception(lambda: sprio(PARTS)["wide"]["PRIORITY"] + sprio(PARTS)["exp_wide"]["PARTITION"],
                          N_("You left the points of `main` in. A job has those of one partition.")),
            Misconception(lambda: sprio(PARTS)["exp_wide"]["PRIORITY"],
                          N_("That is `exp_wide`. How do the two jobs differ in size and age?")),
            Misconception(lambda: sprio(PARTS)["wide"]["PRIORITY"], N_("That is what it has in `main`.")),
        ), details=_details,
    ),
    Exercise(
        id="ex-04-4", kind="forensic", form="choice", options=WHY, expected=_why_c_waited,
        question=N_("Read the record of the two accounts. Job 7, `c` of carol, stood first from 00:08:48 on. From 00:09:13 its "
                    "reason was Priority, and it waited for another two minutes after the nodes had fallen free. Why?"),
        hint=N_("Which job started when the nodes fell free? Whose is it, and in which account?"),
        solution=N_("`d` of dave came last and started first. Both are in chem, and within chem only their own use counts: "
                    "dave had used nothing. Together `c` waited {waited}."),
        code='record = recorded("fairshare_two_accounts")\n'
             'first = min((job for job in record.jobs if job.start > 1001), key=lambda job: job.start)\n'
             'same = first.extra["account"] == record.job("c").extra["account"]\n'
             'less = used()[first.user] < used()["carol"]\n'
             'assert first.id == "d" and same and less\n'
             'solution = "dave, of the same account, had used less"',
        misconceptions=(
            Misconception(WHY[1], N_("Compare the accounts in sshare: who of physics stands before carol?")),
            Misconception(WHY[2], N_("All four jobs have the same limit and need all nodes. And which scheduler was set?")),
            Misconception(WHY[3], N_("No job of this run names a QOS. Which weight is not 0?")),
        ), details=_details,
    ),
    Exercise(
        id="ex-04-5", kind="forensic", form="number", unit=N_("core s"), tolerance=20, expected=_more,
        question=N_("In the snapshot of that run physics has used 12,804 core seconds and chem 1,202, with 60 and 40 shares. "
                    "How many core seconds more would chem have had to use to be level with physics?"),
        hint=N_("Level means the same LevelFS: use in proportion to shares."),
        solution=N_("For 60 shares physics has used {physics}, so 40 shares are level at {level}. Of these chem has used "
                    "{chem}."),
        code='solution = used()["physics"] * 40 / 60 - used()["chem"]',
        misconceptions=(
            Misconception(lambda: used()["physics"] - used()["chem"],
                          N_("That would be as much use for fewer shares. What is divided by what in LevelFS?")),
            Misconception(lambda: used()["physics"] * 60 / 40 - used()["chem"],
                          N_("You turned the shares round: the account with fewer shares may use less.")),
            Misconception(lambda: used()["physics"] * 40 / 60, N_("That is the whole use of chem at that point. How much is "
                                                                  "new?")),
        ), details=_details,
    ),
    Exercise(
        id="ex-04-6", kind="transfer", form="order", options=USERS, expected=_after,
        question=N_("Suppose carol had used 9,000 core seconds instead of 1,202, everybody else what the snapshot says, dave "
                    "nothing. In which order do alice, bob, carol and dave stand now, the first in line first?"),
        hint=N_("Compare the two accounts first, and the users only within an account. `places(carol=9000)` tells."),
        solution=N_("Chem is now the account that has used more than its share, so all of physics goes before all of chem: "
                    "bob, who used less, before alice, then dave before carol. That dave never ran anything helps him within "
                    "chem only."),
        code='share = places(carol=9000)\nsolution = sorted(share, key=lambda user: -share[user])',
        misconceptions=(
            Misconception(["dave", "bob", "alice", "carol"],
                          N_("You sorted the users by what they used. Fair Tree compares the accounts before it looks "
                             "inside.")),
            Misconception(["dave", "carol", "bob", "alice"], N_("That is the order of the snapshot. Is chem still ahead?")),
            Misconception(["dave", "bob", "carol", "alice"], N_("Users of two accounts never mix. Which account goes first?")),
            Misconception(["alice", "bob", "dave", "carol"], N_("Physics goes first. Who of the two has used less there?")),
        ), details=_details,
    ),
    Exercise(
        id="ex-04-7", kind="transfer", form="clock", tolerance=400, expected=lambda: _passes(6),
        question=N_("In the figure, set PriorityMaxAge to 6 h and leave all else. At what time does `wide` pass `small` now?"),
        hint=N_("`small` stops at 1,125 points. `wide` begins at 03:00 with 500. How many points an hour does age give now?"),
        solution=N_("1,000 points in 6 h are 167 an hour. `small` stops gaining at {stops}, and `wide` makes up its 625 "
                    "points by {passes}, at the next recalculation after 06:45."),
        code='[(time, first, second)] = experiment("priority_parts")(max_age=6).values["flips"]\nsolution = time',
        misconceptions=(
            Misconception(lambda: _passes(4), N_("That is the answer for 4 h. Age is slower now.")),
            Misconception(lambda: _stops(6), N_("That is when `small` stops. How far behind is `wide` then?")),
            Misconception(lambda: priority_parts.SUBMITS["wide"],
                          N_("At its submission `wide` has the points of its size only.")),
        ), details=_details,
    ),
)
