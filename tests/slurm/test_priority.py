"""Priorities (facts/slurm.md, section 2), checked against numbers that the real Slurm printed."""

from __future__ import annotations

import json
import re

import pytest

from clustersim.errors import InputError, UnsupportedError
from clustersim.slurm import Controller, parse_workload
from clustersim.slurm.accounts import Account, Accounting, Association
from clustersim.slurm.fairtree import FairTree
from clustersim.slurm.priority import FIRST_BASIC_PRIORITY
from tests.conftest import ROOT
from tests.slurm.build import LAB, NO_OVERHEADS, document, job, run, starts

GOLDEN = ROOT / "tests" / "golden" / "slurm_golden"
QOS = {"PriorityType": "priority/multifactor", "PriorityWeightQOS": "1000", "AccountingStorageEnforce": "qos"}


def at(name: str, time: int) -> Controller:
    """The controller of a measured workload as it stands at ``time``."""
    from clustersim.clock import Clock

    text = (GOLDEN / f"{name}.workload.json").read_text(encoding="utf-8")
    system = Controller(parse_workload(text))
    Clock(system).run(time)
    return system


def sprio(name: str) -> dict[str, int]:
    """PRIORITY by job number of the snapshot's ``sprio -l``."""
    outcome = json.loads((GOLDEN / f"{name}.outcome.json").read_text(encoding="utf-8"))
    [snapshot] = outcome["snapshots"].values()
    rows = snapshot["sprio -l"].splitlines()[1:]
    return {
        int(number): int(priority) for number, _part, _user, priority in (re.split(r"\s+", row.strip())[:4] for row in rows)
    }


@pytest.mark.parametrize(
    ("name", "time", "age_step"),
    [("multifactor_qos_nice", 300, 0), ("multifactor_size_age_partition", 420, 17), ("fairshare_two_accounts", 960, 0)],
)
def test_priorities_are_those_of_the_real_sprio(name: str, time: int, age_step: int) -> None:
    """Age moves by PriorityCalcPeriod (a minute is 17 points of 1000 an hour); its phase is chance."""
    measured = sprio(name)
    mine = {one.number: one.priority for one in at(name, time).pending.values()}
    assert set(mine) == set(measured)
    assert all(abs(mine[number] - measured[number]) <= age_step for number in mine), (mine, measured)


def test_basic_priorities_count_down() -> None:
    system = Controller(parse_workload(document(job("a", nodes=4), job("b", 1), job("c", 2))))
    for time in (0, 1, 2):
        system.instant(time)
    assert [one.priority for one in system.jobs.values()] == [FIRST_BASIC_PRIORITY - i for i in range(3)]


def test_qos_and_nice_decide() -> None:
    jobs = (
        job("x", 0, 100, nodes=4, account="lab"),
        job("lo", 1, 10, nodes=4, account="lab", qos="low"),
        job("hi", 2, 10, nodes=4, account="lab", qos="high"),
        job("nice", 3, 10, nodes=4, account="lab", qos="high", nice=950),
    )
    assert starts(run(*jobs, config=QOS, accounting=LAB)) == {"x": 0, "hi": 100, "lo": 110, "nice": 120}


def test_with_no_weights_submission_decides() -> None:
    trace = run(
        job("x", 0, 100, nodes=4),
        job("b", 1, 10, nodes=4),
        job("c", 2, 10, nodes=4),
        config={"PriorityType": "priority/multifactor"},
    )
    assert starts(trace) == {"x": 0, "b": 100, "c": 110}


def test_size_counts_cores_asked_for_until_a_placement_was_tried() -> None:
    """2 of 6 nodes and 2 of 64 cores at weight 500 gave 91 (sprio_l)."""
    nodes = [{"name": "c[1-4]", "cpus": 8}, {"name": "g[1-2]", "cpus": 16}]
    config = {"PriorityType": "priority/multifactor", "PriorityWeightJobSize": "500", "SchedulerType": "sched/builtin"}
    system = Controller(parse_workload(document(job("x", nodes=6), job("two", 1, nodes=2), nodes=nodes, config=config)))
    system.instant(0)
    system.instant(1)
    assert system.jobs["two"].priority == 91


def test_age_counts_from_when_the_job_could_start() -> None:
    config = {
        "PriorityType": "priority/multifactor",
        "PriorityWeightAge": "100000",
        "PriorityMaxAge": "0-1",
        "PriorityCalcPeriod": "1",
        "SchedulerType": "sched/builtin",
    }
    trace = run(
        job("x", 0, 2000, 60, nodes=4),
        job("later", 1, 10, nodes=4, begin="now+15minutes"),
        job("old", 100, 10, nodes=4),
        config=config,
    )
    assert starts(trace) == {"x": 0, "old": 2000, "later": 2010}


def tree(users: dict[str, tuple[str, int]], accounts: dict[str, int], usage: dict[str, float]) -> dict[str, float]:
    accounting = Accounting(
        accounts={name: Account(name, shares=shares) for name, shares in accounts.items()},
        associations={(user, account): Association(user, account, shares) for user, (account, shares) in users.items()},
    )
    fair = FairTree(accounting)
    for user, (account, _shares) in users.items():
        for name in (f"{user}@{account}", account, ""):
            fair.branches[name].usage += usage.get(user, 0.0)
    fair.rank()
    return {user: fair.factor[user, account] for user, (account, _shares) in users.items()}


def test_fair_tree_gives_the_measured_factors() -> None:
    """Shares, usage and FairShare of the snapshot in fairshare_two_accounts (sshare -a -l)."""
    users = {"alice": ("physics", 50), "bob": ("physics", 50), "carol": ("chem", 50), "dave": ("chem", 50)}
    factors = tree(users, {"physics": 60, "chem": 40}, {"alice": 7195, "bob": 5609, "carol": 1202})
    assert factors == pytest.approx({"alice": 0.2, "bob": 0.4, "carol": 0.6, "dave": 0.8})


def test_a_user_of_a_better_account_beats_all_of_a_worse_one() -> None:
    users = {"a1": ("a", 1), "a2": ("a", 1), "b1": ("b", 1), "b2": ("b", 1)}
    factors = tree(users, {"a": 1, "b": 1}, {"a1": 10, "a2": 100, "b1": 200, "b2": 1})
    assert min(factors["a1"], factors["a2"]) > max(factors["b1"], factors["b2"])
    assert factors["a1"] > factors["a2"] and factors["b2"] > factors["b1"]


def test_ties_share_a_rank() -> None:
    factors = tree({"a": ("x", 1), "b": ("x", 1)}, {"x": 1}, {})
    assert factors["a"] == factors["b"]


def test_usage_decays_by_half() -> None:
    fair = FairTree(Accounting(accounts={"x": Account("x")}, associations={("a", "x"): Association("a", "x")}), 7 * 86_400)
    fair.branches["a@x"].usage = 1000.0
    fair.grow(7 * 86_400)
    assert fair.branches["a@x"].usage == pytest.approx(500.0, rel=0.001)


def used(system: Controller, time: int) -> dict[str, float]:
    """Usage by branch at ``time``, as of the last recalculation or end of a job."""
    from clustersim.clock import Clock

    Clock(system).run(time)
    return {name: branch.usage for name, branch in system.priorities.shares.branches.items()}


def shared(*jobs: dict[str, object], enforce: str = "limits", **config: str) -> Controller:
    more = {"PriorityType": "priority/multifactor", "PriorityWeightFairshare": "1000", "PriorityDecayHalfLife": "0",
            "PriorityCalcPeriod": "1", "AccountingStorageEnforce": enforce, **config}
    return Controller(parse_workload(document(*jobs, accounting=LAB, config=more)), overheads=NO_OVERHEADS)


def test_new_usage_decays_within_its_period() -> None:
    """``_apply_new_usage``: seconds * cores * factor ** seconds; measured: fairshare_half_life (snapshots of sshare)."""
    kept = 1 - 0.693 / 3600
    system = shared(job("a", 0, 600, 20, nodes=1, account="lab"), PriorityDecayHalfLife="0-01:00:00")
    first = 4 * 52 * kept**52  # the daemon came up 68 s before zero: recalculations at 52, 112, ...
    assert used(system, 53)["alice@lab"] == pytest.approx(first)
    assert used(system, 113)["alice@lab"] == pytest.approx(first * kept**60 + 4 * 60 * kept**60)


def sshare(text: str) -> dict[str, float]:
    """RawUsage by user of ``sshare -a -l``."""
    rows = [line.split() for line in text.splitlines()[2:]]
    return {row[1]: float(row[4]) for row in rows if len(row) > 5 and row[1] in {"alice", "bob", "carol", "dave"}}


def test_usage_is_that_of_the_real_sshare(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a half-life of an hour, at six times. The phase of the recalculation is chance: the first snapshot gives it."""
    outcome = json.loads((GOLDEN / "fairshare_half_life.outcome.json").read_text(encoding="utf-8"))
    measured = {int(label[1:]): sshare(snapshot["sshare -a -l"]) for label, snapshot in outcome["snapshots"].items()}

    def farthest(phase: int, times: list[int]) -> float:
        monkeypatch.setattr("clustersim.slurm.controller.STARTED", phase)
        mine = {time: used(at("fairshare_half_life", 0), time) for time in times}
        return max(abs(mine[time][f"{user}@{'a' if user in {'alice', 'bob'} else 'b'}"] - usage)
                   for time in times for user, usage in measured[time].items())

    phase = min(range(60, 120), key=lambda one: farthest(one, [200]))
    assert len(measured) == 6 and farthest(phase, [200]) <= 8  # a second on eight cores
    assert farthest(phase, sorted(measured)) <= 24  # each run took one to three seconds longer
    assert farthest(phase + 20, sorted(measured)) > 100


def test_what_ends_between_two_recalculations_counts_only_where_limits_are_enforced() -> None:
    """``_adjust_limit_usage`` in ``acct_policy.c`` tells the priority plugin of an end only then."""
    one = job("a", 0, 100, 20, nodes=1, account="lab")
    assert used(shared(one), 400)["alice@lab"] == 400
    assert used(shared(one, enforce="associations"), 400)["alice@lab"] == 4 * 52


def test_a_suspended_job_uses_its_share() -> None:
    """``decay_apply_new_usage`` passes over waiting and finished jobs only."""
    parts = [{"name": "low", "Default": "YES", "OverSubscribe": "FORCE:1"},
             {"name": "high", "PriorityTier": 2, "OverSubscribe": "FORCE:1"}]
    config = {"PreemptType": "preempt/partition_prio", "PreemptMode": "SUSPEND,GANG", "PriorityType": "priority/multifactor",
              "PriorityWeightFairshare": "1000", "PriorityDecayHalfLife": "0", "PriorityCalcPeriod": "1",
              "AccountingStorageEnforce": "limits"}
    jobs = (job("a", 0, 200, 20, nodes=4, ntasks=16, account="lab", stoppable=True),
            job("b", 50, 100, 20, nodes=4, ntasks=16, user="bob", account="lab", partition="high"))
    data = document(*jobs, accounting=LAB, config=config, partitions=parts)
    system = Controller(parse_workload(data), overheads=NO_OVERHEADS)
    assert used(system, 400)["alice@lab"] == 16 * 300
    assert [(run.start, run.end) for run in system.jobs["a"].runs] == [(0, 300)]


def test_weights_of_cores_gpus_and_nodes() -> None:
    """Shares of the partition's total (``_get_tres_factors``); measured: multifactor_tres."""
    config = {"PriorityType": "priority/multifactor", "PriorityWeightTRES": "CPU=1000,Node=500,GRES/gpu=3000"}
    nodes = [{"name": "n[1-3]", "cpus": 8, "gpus": 4}]
    jobs = (job("x", 0, 100, nodes=3), job("a", 1, ntasks=8, nodes=1), job("b", 2, ntasks=1, gpus_per_node=4),
            job("c", 3, ntasks=2, nodes=2, gpus_per_node=1))
    system = Controller(parse_workload(document(*jobs, nodes=nodes, config=config)))
    for time in range(4):
        system.instant(time)
    assert {key: one.priority for key, one in system.jobs.items() if key != "x"} == {"a": 500, "b": 1208, "c": 916}
    with pytest.raises(UnsupportedError, match="Mem"):
        parse_workload(document(nodes=nodes, config={"PriorityWeightTRES": "Mem=1"}))
    with pytest.raises(InputError, match="gres/gpu"):
        parse_workload(document(nodes=nodes, config={"PriorityWeightTRES": "gpu=1"}))
    with pytest.raises(InputError, match="NAME=WEIGHT"):
        parse_workload(document(nodes=nodes, config={"PriorityWeightTRES": "CPU"}))


def test_a_changed_partition_factor_is_felt_at_the_next_recalculation() -> None:
    """Measured: update_partition_priority. The largest factor ever seen stays the measure of all."""
    parts = [{"name": "main", "Default": "YES", "PriorityJobFactor": 10}, {"name": "side", "PriorityJobFactor": 5}]
    config = {"PriorityType": "priority/multifactor", "PriorityWeightPartition": "1000", "PriorityCalcPeriod": "1"}
    jobs = (job("x", 0, 200, 5, nodes=4, exclusive=True), job("a", 10, 60, 2, nodes=4, exclusive=True),
            job("b", 20, 60, 2, nodes=4, exclusive=True, partition="side"))
    change = [{"at": 90, "do": "update_partition", "name": "side", "set": {"PriorityJobFactor": "50"}}]
    assert starts(run(*jobs, partitions=parts, config=config)) == {"x": 0, "a": 200, "b": 260}
    assert starts(run(*jobs, partitions=parts, config=config, events=change)) == {"x": 0, "a": 260, "b": 200}
