"""Priorities (facts/slurm.md, section 2), checked against numbers that the real Slurm printed."""

from __future__ import annotations

import json
import re

import pytest

from clustersim.slurm import Controller, parse_workload
from clustersim.slurm.accounts import Account, Accounting, Association
from clustersim.slurm.fairtree import FairTree
from clustersim.slurm.priority import FIRST_BASIC_PRIORITY
from tests.conftest import ROOT
from tests.slurm.build import LAB, document, job, run, starts

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
    fair = FairTree(Accounting(accounts={"x": Account("x")}, associations={("a", "x"): Association("a", "x")}))
    fair.branches["a@x"].usage = 1000.0
    fair.grow(7 * 86_400, 7 * 86_400)
    assert fair.branches["a@x"].usage == pytest.approx(500.0, rel=0.001)


def test_a_changed_partition_factor_is_felt_at_the_next_recalculation() -> None:
    """Measured: update_partition_priority. The largest factor ever seen stays the measure of all."""
    parts = [{"name": "main", "Default": "YES", "PriorityJobFactor": 10}, {"name": "side", "PriorityJobFactor": 5}]
    config = {"PriorityType": "priority/multifactor", "PriorityWeightPartition": "1000", "PriorityCalcPeriod": "1"}
    jobs = (job("x", 0, 200, 5, nodes=4, exclusive=True), job("a", 10, 60, 2, nodes=4, exclusive=True),
            job("b", 20, 60, 2, nodes=4, exclusive=True, partition="side"))
    change = [{"at": 90, "do": "update_partition", "name": "side", "set": {"PriorityJobFactor": "50"}}]
    assert starts(run(*jobs, partitions=parts, config=config)) == {"x": 0, "a": 200, "b": 260}
    assert starts(run(*jobs, partitions=parts, config=config, events=change)) == {"x": 0, "a": 260, "b": 200}
