"""QOS and association limits, partition limits, refusals (facts/slurm.md, sections 7 and 9)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.slurm.build import LAB, job, reasons, run, starts

LIMITS = {"AccountingStorageEnforce": "associations,limits,qos"}


def limited(
    qos: dict[str, Any] | None = None, account: dict[str, Any] | None = None, user: dict[str, Any] | None = None
) -> dict[str, Any]:
    return {
        "qos": [{"name": "q", **(qos or {})}],
        "accounts": [{"name": "lab", **(account or {})}],
        "users": [{"name": name, "account": "lab", "qos": "normal,q", **(user or {})} for name in ("alice", "bob")],
    }


def two(**more: Any) -> tuple[dict[str, Any], ...]:
    common = {"account": "lab", "qos": "q", **more}
    return job("a", 0, 100, 5, **common), job("b", 1, 50, 5, **common)


@pytest.mark.parametrize(
    ("accounting", "reason"),
    [
        (limited(qos={"MaxJobsPerUser": 1}), "QOSMaxJobsPerUserLimit"),
        (limited(qos={"GrpJobs": 1}), "QOSGrpJobsLimit"),
        (limited(qos={"MaxJobsPerAccount": 1}), "MaxJobsPerAccount"),
        (limited(qos={"MaxTRESPerUser": "gres/gpu=1"}), "QOSMaxGRESPerUser"),
        (limited(qos={"MaxTRESPerUser": "cpu=1"}), "QOSMaxCpuPerUserLimit"),
        (limited(qos={"GrpTRES": "gres/gpu=1"}), "QOSGrpGRES"),
        (limited(qos={"GrpTRES": "cpu=1"}), "QOSGrpCpuLimit"),
        (limited(qos={"MaxTRESPerAccount": "gres/gpu=1"}), "MaxGRESPerAccount"),
        (limited(user={"MaxJobs": 1}), "AssocMaxJobsLimit"),
        (limited(account={"GrpTRES": "gres/gpu=1"}), "AssocGrpGRES"),
        (limited(account={"GrpJobs": 1}), "AssocGrpJobsLimit"),
    ],
)
def test_the_second_job_waits_with_the_reason_and_blocks_nobody(accounting: dict[str, Any], reason: str) -> None:
    other = job("other", 2, 10, user="bob") if "user" in reason.lower() or reason == "AssocMaxJobsLimit" else None
    jobs = (*two(gpus_per_node=1), *([dict(other, account="lab", qos="q")] if other else []))
    trace = run(*jobs, accounting=accounting, config=LIMITS, cpus=8, gpus=4, exclusive=False)
    assert starts(trace)["b"] == 100 and reasons(trace, "b")[-1] == reason
    if other:
        assert starts(trace)["other"] == 2


@pytest.mark.parametrize(
    ("accounting", "reason"),
    [
        (limited(qos={"MaxWall": "00:04:00"}), "QOSMaxWallDurationPerJobLimit"),
        (limited(qos={"MaxTRESPerJob": "cpu=1"}), "QOSMaxCpuPerJobLimit"),
        (limited(qos={"MinTRES": "cpu=9"}), "QOSMinCpuNotSatisfied"),
        (limited(user={"MaxWall": "4"}), "AssocMaxWallDurationPerJobLimit"),
        (limited(account={"MaxTRESPerJob": "node=1"}), "AssocMaxNodePerJobLimit"),
    ],
)
def test_a_job_over_a_limit_of_its_own_waits_for_ever(accounting: dict[str, Any], reason: str) -> None:
    trace = run(job("a", 0, 100, 5, nodes=2, account="lab", qos="q"), accounting=accounting, config=LIMITS, until=1000)
    assert trace.job("a").state == "PENDING" and trace.job("a").reason == reason


def test_limits_do_not_hold_unless_enforced() -> None:
    assert starts(run(*two(), accounting=limited(qos={"MaxJobsPerUser": 1})))["b"] == 1


def test_a_limit_blocks_the_partition_with_assoc_limit_stop() -> None:
    config = {
        **LIMITS,
        "SchedulerType": "sched/builtin",
        "SchedulerParameters": "sched_interval=2,batch_sched_delay=0,assoc_limit_stop",
    }
    jobs = (*two(gpus_per_node=1), job("c", 2, 10, 5, user="bob", account="lab"))
    accounting = limited(qos={"MaxTRESPerUser": "gres/gpu=1"})
    assert starts(run(*jobs, accounting=accounting, config=config, gpus=2, exclusive=False))["c"] == 100


SHORT_AND_LONG = [{"name": "s", "Default": "YES", "MaxTime": "10"}, {"name": "l", "MaxTime": "60", "MaxNodes": "2"}]


def why(trace: Any, name: str) -> str:
    return next(e.detail["why"] for e in trace.events() if e.kind == "reject" and e.subject == name)


@pytest.mark.parametrize(
    ("jobs", "more", "said"),
    [
        (
            [job("a", user="zoe", account="lab")],
            {"config": LIMITS, "accounting": LAB},
            "Invalid account or account/partition combination specified",
        ),
        (
            [job("a", account="lab", qos="q")],
            {"config": LIMITS, "accounting": dict(LAB, qos=[*LAB["qos"], {"name": "q"}])},
            "Invalid qos specification",
        ),
        ([job("a", nice=-5)], {}, "Invalid --nice value"),
        ([job("a", constraint="tpu")], {}, "Invalid feature specification"),
        ([job("a", reservation="none")], {}, "Requested reservation is invalid"),
        ([job("a", gpus_per_node=9)], {"gpus": 2}, "Requested node configuration is not available"),
        ([job("a", nodes=5)], {"config": {"EnforcePartLimits": "ALL"}}, "Node count specification invalid"),
        ([job("a", ntasks=40)], {"config": {"EnforcePartLimits": "ALL"}}, "More processors requested than permitted"),
        (
            [job("a", limit=20)],
            {"config": {"EnforcePartLimits": "ALL"}, "partitions": [{"name": "main", "MaxTime": "10"}]},
            "Requested time limit is invalid (missing or exceeds some limit)",
        ),
        (
            [job("a", limit=20, nodes=3, partition="s,l")],
            {"config": {"EnforcePartLimits": "ALL"}, "partitions": SHORT_AND_LONG},
            "Requested time limit is invalid (missing or exceeds some limit)",
        ),
        (
            [job("a", limit=20, nodes=3, partition="s,l")],  # ANY asks every partition; the last one's no is told
            {"config": {"EnforcePartLimits": "ANY"}, "partitions": SHORT_AND_LONG},
            "Node count specification invalid",
        ),
    ],
)
def test_refusals_in_the_words_of_the_real_sbatch(jobs: list[Any], more: dict[str, Any], said: str) -> None:
    """The messages are those of the recorded outputs of the real commands."""
    trace = run(*jobs, **more)
    assert trace.job("a").state == "REJECTED"
    assert why(trace, "a") == f"sbatch: error: Batch job submission failed: {said}"


def test_submission_limits_are_always_refused() -> None:
    jobs = [job(f"j{i}", i, 50, account="lab", qos="q") for i in range(3)]
    trace = run(*jobs, accounting=limited(qos={"MaxSubmitJobsPerUser": 2}), config=LIMITS)
    assert [record.state for record in trace.jobs] == ["COMPLETED", "COMPLETED", "REJECTED"]
    assert why(trace, "j2").startswith("sbatch: error: QOSMaxSubmitJobPerUserLimit\n")


def test_deny_on_limit_refuses_what_could_never_run() -> None:
    trace = run(*two(), accounting=limited(qos={"MaxWall": "4", "flags": "DenyOnLimit"}), config=LIMITS)
    assert trace.job("a").state == "REJECTED"


@pytest.mark.parametrize(
    ("more", "reason"),
    [({"limit": 20}, "PartitionTimeLimit"), ({"nodes": 3}, "PartitionNodeLimit"), ({"ntasks": 40}, "PartitionConfig")],
)
def test_without_enforcement_partition_limits_make_jobs_wait(more: dict[str, Any], reason: str) -> None:
    parts = [{"name": "main", "MaxTime": "10", "MaxNodes": "2"}]
    trace = run(
        {**job("a"), **({"time_limit_min": more.pop("limit")} if "limit" in more else {}), **more},
        job("b", 1),
        partitions=parts,
        until=100,
    )
    assert trace.job("a").reason == reason and reasons(trace, "a")[0] == "PartitionConfig"
    assert starts(trace)["b"] == 1


def test_the_second_partition_is_used_when_the_first_cannot() -> None:
    parts = [{"name": "short", "MaxTime": "10", "nodes": "n1", "Default": "YES"}, {"name": "long", "nodes": "n2"}]
    trace = run(
        job("x", 0, 100, 5, partition="short"),
        job("y", 1, 60, 5, nodes=1, partition="short,long"),
        nodes=2,
        partitions=[{**part, "OverSubscribe": "EXCLUSIVE"} for part in parts],
    )
    assert starts(trace)["y"] == 1 and trace.job("y").extra["partition"] == "long"


def test_a_partition_that_is_down_starts_nothing_until_it_is_up() -> None:
    events = [
        {"at": 5, "do": "update_partition", "name": "main", "set": {"State": "DOWN"}},
        {"at": 50, "do": "update_partition", "name": "main", "set": {"State": "UP"}},
    ]
    trace = run(job("a", 10), events=events)
    assert starts(trace)["a"] == 50 and "PartitionDown" in reasons(trace, "a")


def test_the_limits_of_a_partition_that_is_down_are_not_looked_at() -> None:
    """``_part_access_check`` asks for ``PARTITION_SCHED`` before each limit; measured: partition_limits_three."""
    events = [{"at": 50, "do": "update_partition", "name": "main", "set": {"State": "DOWN"}}]
    parts = [{"name": "main", "Default": "YES", "MaxTime": "10"}]
    trace = run(job("a", 10, 60, 20), events=events, partitions=parts, until=200)
    assert reasons(trace, "a")[-2:] == ["PartitionTimeLimit", "PartitionDown"]


@pytest.mark.parametrize(("asked", "seen"), [("q,main", False), ("main,q", True)])
def test_of_several_partitions_the_last_has_the_word(asked: str, seen: bool) -> None:
    """What one says against a job the next takes back, if it may run there (``_job_runnable_test2``; measured)."""
    parts = [{"name": "main", "Default": "YES", "OverSubscribe": "EXCLUSIVE"}, {"name": "q", "State": "DOWN"}]
    trace = run(job("x", 0, 100, nodes=4), job("a", 10, 60, nodes=4, partition=asked), partitions=parts)
    assert ("PartitionDown" in reasons(trace, "a")) == seen and "Resources" in reasons(trace, "a")
    assert starts(trace)["a"] == 100


def test_a_job_that_all_its_partitions_refuse_has_the_reason_of_the_last() -> None:
    parts = [{"name": "main", "Default": "YES", "MaxNodes": "1"}, {"name": "q", "MaxTime": "2"}]
    trace = run(job("a", 10, 60, 5, nodes=4, partition="main,q"), partitions=parts, until=200)
    assert reasons(trace, "a")[-1] == "PartitionTimeLimit"


def test_a_node_counts_once_for_all_jobs_of_a_group() -> None:
    """``_get_unique_job_node_cnt`` in ``acct_policy.c``; measured: limits_grp_and_user."""
    jobs = (job("a", 0, 100, 5, nodes=2, account="lab", qos="q"), job("b", 1, 50, 5, nodes=2, account="lab", qos="q"),
            job("c", 2, 50, 5, nodes=3, account="lab", qos="q"))
    for accounting in (limited(qos={"GrpTRES": "node=2"}), limited(qos={"MaxTRESPerUser": "node=2"}),
                       limited(account={"GrpTRES": "node=2"})):
        trace = run(*jobs, accounting=accounting, config=LIMITS, exclusive=False, until=400)
        assert starts(trace) == {"a": 0, "b": 1, "c": None}
    whole = run(*(dict(one, exclusive=True) for one in jobs[:2]), accounting=limited(qos={"GrpTRES": "node=2"}), config=LIMITS)
    assert starts(whole) == {"a": 0, "b": 100}


def test_a_limit_that_denies_is_named() -> None:
    """Measured: limits_deny_arrays."""
    for limits, reason in (({"MaxWall": "4"}, "QOSMaxWallDurationPerJobLimit"), ({"MaxTRES": "cpu=1"}, "QOSMaxCpuPerJobLimit")):
        one = job("a", 0, 60, 9, ntasks=2, account="lab", qos="q")
        trace = run(one, config=LIMITS, accounting=limited(qos={**limits, "flags": "DenyOnLimit"}))
        assert why(trace, "a").startswith(f"sbatch: error: {reason}\nsbatch: error: Batch job submission failed: Job violates")


@pytest.mark.parametrize("state", ["DRAIN", "INACTIVE"])
def test_a_partition_that_is_draining_or_inactive_takes_no_submission(state: str) -> None:
    """``_alt_part_test`` in ``job_mgr.c``; measured: begin_partition_states."""
    parts = [{"name": "main", "Default": "YES"}, {"name": "q", "State": state}]
    trace = run(job("a", partition="q"), job("b", 1, partition="q,main"), partitions=parts)
    assert why(trace, "a").endswith(": Required partition not available (inactive or drain)")
    assert trace.job("b").extra["partition"] == "main" and starts(trace)["b"] == 1
