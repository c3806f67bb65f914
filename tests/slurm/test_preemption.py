"""Preemption by QOS and by partition (facts/slurm.md, section 4)."""

from __future__ import annotations

from typing import Any

import pytest

from clustersim.errors import UnsupportedError
from tests.slurm.build import job, places, reasons, run, starts


def qos(mode: str, **more: Any) -> dict[str, Any]:
    return {
        "config": {
            "PriorityType": "priority/multifactor",
            "PriorityWeightQOS": "1000",
            "AccountingStorageEnforce": "qos",
            "PreemptType": "preempt/qos",
            "PreemptMode": mode.upper(),
            **more,
        },
        "accounting": {
            "qos": [{"name": "low", "priority": 1, "preemptmode": mode}, {"name": "high", "priority": 9, "preempt": "low"}],
            "accounts": [{"name": "lab"}],
            "users": [{"name": "alice", "account": "lab", "qos": "normal,low,high"}],
        },
    }


def lab(name: str, at: int, quality: str, nodes: int, run_s: int = 500) -> dict[str, Any]:
    return job(name, at, run_s, 20, account="lab", qos=quality, nodes=nodes)


def test_a_requeued_victim_starts_again_from_zero() -> None:
    trace = run(lab("low", 0, "low", 4), lab("high", 100, "high", 2, 300), **qos("requeue"))
    assert [(one.state, one.start, one.end) for one in trace.job("low").runs] == [
        ("PREEMPTED", 0, 100),
        ("COMPLETED", 400, 900),
    ]
    assert starts(trace)["high"] == 100 and reasons(trace, "low") == ["BeginTime", "Resources"]


def test_a_cancelled_victim_is_gone() -> None:
    trace = run(lab("low", 0, "low", 4), lab("high", 100, "high", 2, 300), **qos("cancel"))
    assert trace.job("low").state == "PREEMPTED" and starts(trace)["high"] == 100


def test_no_more_victims_than_needed_the_smaller_first() -> None:
    trace = run(
        lab("l1", 0, "low", 2),
        lab("l2", 1, "low", 1),
        lab("l3", 2, "low", 1),
        lab("high", 100, "high", 1, 100),
        **qos("cancel"),
    )
    assert [trace.job(name).state for name in ("l1", "l2", "l3")] == ["COMPLETED", "PREEMPTED", "COMPLETED"]


def test_equals_and_betters_are_safe() -> None:
    trace = run(lab("norm", 0, "normal", 4, 200), lab("high", 100, "high", 4), **qos("cancel"))
    assert trace.job("norm").state == "COMPLETED" and starts(trace)["high"] == 200


def test_idle_nodes_come_before_victims() -> None:
    trace = run(lab("low", 0, "low", 3), lab("high", 100, "high", 1), **qos("cancel"))
    assert trace.job("low").state == "COMPLETED" and places(trace)["high"] == ("n4",)


def test_exempt_time_protects_the_young() -> None:
    trace = run(lab("low", 0, "low", 4), lab("high", 100, "high", 4, 50), **qos("cancel", PreemptExemptTime="5"))
    [killed] = trace.job("low").runs
    assert killed.state == "PREEMPTED" and killed.end is not None and 300 <= killed.end <= 302


def test_higher_tiers_preempt_lower_partitions() -> None:
    parts = [
        {"name": "low", "Default": "YES", "PriorityTier": 1, "OverSubscribe": "EXCLUSIVE"},
        {"name": "high", "PriorityTier": 5, "OverSubscribe": "EXCLUSIVE"},
    ]
    config = {"PreemptType": "preempt/partition_prio", "PreemptMode": "REQUEUE"}
    trace = run(
        job("l", 0, 500, 20, nodes=4, partition="low"),
        job("h", 100, 50, 5, nodes=1, partition="high"),
        partitions=parts,
        config=config,
    )
    assert starts(trace)["h"] == 100 and [one.state for one in trace.job("l").runs] == ["PREEMPTED", "COMPLETED"]


def test_a_suspended_job_goes_on_where_it_was() -> None:
    parts = [
        {"name": "low", "Default": "YES", "PriorityTier": 1, "OverSubscribe": "FORCE:1"},
        {"name": "high", "PriorityTier": 5, "OverSubscribe": "FORCE:1"},
    ]
    config = {"PreemptType": "preempt/partition_prio", "PreemptMode": "SUSPEND,GANG"}
    common = {"ntasks_per_node": 4, "stoppable": True}
    trace = run(
        job("l", 0, 500, 20, nodes=2, partition="low", **common),
        job("h", 100, 300, 9, nodes=1, partition="high", **common),
        job("l2", 150, 10, 2, nodes=1, partition="low", **common),
        nodes=2,
        partitions=parts,
        config=config,
    )
    assert starts(trace) == {"l": 0, "h": 100, "l2": 800}
    [paused] = trace.job("l").runs
    assert paused.end == 800 and trace.job("l").extra["suspended"] == [[100, 400]]
    assert [e.detail["signal"] for e in trace.events() if e.kind == "signal"] == ["SIGSTOP", "SIGCONT"]


def test_exempt_time_does_not_keep_a_higher_tier_from_the_cores() -> None:
    """Steps 2 to 4 of ``_job_test`` take the cores of lower partitions without a list of candidates; measured:
    suspend_exempt."""
    parts = [
        {"name": "low", "Default": "YES", "PriorityTier": 1, "OverSubscribe": "FORCE:1"},
        {"name": "high", "PriorityTier": 5, "OverSubscribe": "FORCE:1"},
    ]
    config = {"PreemptType": "preempt/partition_prio", "PreemptMode": "SUSPEND,GANG", "PreemptExemptTime": "00:05:00"}
    jobs = (job("l", 0, 500, 20, nodes=1, ntasks=4), job("h", 100, 50, 9, nodes=1, ntasks=4, partition="high"))
    trace = run(*jobs, nodes=1, partitions=parts, config=config)
    assert starts(trace)["h"] == 100 and trace.job("l").extra["suspended"] == [[100, 150]]


@pytest.mark.parametrize("pause", [3, 11, 25])
def test_a_job_that_resumes_after_its_limit_is_noticed_by_the_next_check(pause: int) -> None:
    """Its limit moves by the pause, which may end after the check that would have noticed it."""
    parts = [{"name": name, "Default": "YES" if tier == 1 else "NO", "PriorityTier": tier, "OverSubscribe": "FORCE:1"}
             for name, tier in (("low", 1), ("high", 5))]
    config = {"PreemptType": "preempt/partition_prio", "PreemptMode": "SUSPEND,GANG"}
    whole, paused = {"nodes": 1, "ntasks_per_node": 4}, 0
    for at in range(60, 91):
        trace = run(job("l", 0, 500, 1, partition="low", **whole), job("h", at, pause, 5, partition="high", **whole),
                    nodes=1, partitions=parts, config=config)
        [low], high = trace.job("l").runs, trace.job("h").runs[0]
        assert low.state == "TIMEOUT" and low.end is not None and high.end is not None
        if trace.job("l").extra.get("suspended"):
            paused += 1
            assert high.end <= low.end <= high.end + 30
        else:
            assert 60 <= low.end <= 90
    assert paused


def test_grace_time_lets_a_victim_run_on() -> None:
    """SIGTERM at once, but a batch script hears nothing of it; the end comes with the time, 60 s later or a look after it.

    The newcomer asks again every 15 s (KillWait 5 and MessageTimeout 10), so it notices at 160 s. Measured: preempt_qos_grace.
    """
    more = qos("cancel")
    more["accounting"]["qos"][0]["GraceTime"] = 60
    trace = run(lab("low", 0, "low", 4), lab("high", 100, "high", 2, 300), **more)
    [run_of_low] = trace.job("low").runs
    assert run_of_low.state == "PREEMPTED" and run_of_low.end is not None and 160 <= run_of_low.end <= 175
    assert starts(trace)["high"] == run_of_low.end
    assert [e.time for e in trace.events() if e.kind == "signal" and e.subject == "low"] == [100, run_of_low.end]


def test_a_victim_in_its_grace_time_may_finish() -> None:
    parts = [
        {"name": "low", "Default": "YES", "PriorityTier": 1, "OverSubscribe": "EXCLUSIVE", "GraceTime": 60},
        {"name": "high", "PriorityTier": 5, "OverSubscribe": "EXCLUSIVE"},
    ]
    config = {"PreemptType": "preempt/partition_prio", "PreemptMode": "CANCEL"}
    jobs = (job("l", 0, 130, 20, nodes=4, partition="low"), job("h", 100, 50, 5, nodes=1, partition="high"))
    trace = run(*jobs, partitions=parts, config=config)
    assert trace.job("l").state == "COMPLETED" and starts(trace)["h"] == 130


def test_within_one_qos_priority_decides() -> None:
    """With WITHIN a job of the same QOS and higher priority preempts; without it, it waits."""
    def trace(mode: str) -> Any:
        more = qos("cancel", PreemptMode=mode)
        cheap = job("cheap", 0, 500, 20, nodes=4, account="lab", qos="low", nice=100)
        return run(cheap, job("dear", 100, 60, 5, nodes=4, account="lab", qos="low"), **more)

    assert starts(trace("CANCEL"))["dear"] == 500
    assert starts(trace("CANCEL,WITHIN"))["dear"] == 100 and trace("CANCEL,WITHIN").job("cheap").state == "PREEMPTED"


def test_a_qos_can_let_its_own_jobs_preempt_each_other() -> None:
    """``within`` of the preemptor's QOS counts; alone it leaves its jobs no mode, so nobody does (``preempt_qos.c``)."""
    def trace(mode: str) -> Any:
        more = qos(mode, PreemptMode="CANCEL")
        cheap = job("cheap", 0, 500, 20, nodes=4, account="lab", qos="low", nice=100)
        return run(cheap, job("dear", 100, 60, 5, nodes=4, account="lab", qos="low"), **more)

    assert starts(trace("cancel,within"))["dear"] == 100 and trace("cancel,within").job("cheap").state == "PREEMPTED"
    assert starts(trace("cancel"))["dear"] == starts(trace("within"))["dear"] == 500


def test_a_qos_whose_mode_is_off_has_the_clusters() -> None:
    """Measured: preempt_qos_off. sacctmgr stores off as 0, which is also "none of its own"."""
    more = qos("cancel")
    more["accounting"]["qos"][0]["preemptmode"] = "off"
    assert run(lab("low", 0, "low", 4), lab("high", 100, "high", 2, 300), **more).job("low").state == "PREEMPTED"


def test_suspending_by_qos_is_refused() -> None:
    """On a real cluster the newcomer starts suspended and both take turns (measured)."""
    with pytest.raises(UnsupportedError, match="PreemptMode: suspending by QOS.*two tiers"):
        run(lab("low", 0, "low", 4), **qos("suspend", PreemptMode="SUSPEND,GANG"))


def test_the_lowest_tier_pauses_first() -> None:
    """Nodes of the higher of two lower partitions are left out of the search first (``_job_test``, step 3; measured)."""
    parts = [{"name": name, "Default": "YES" if name == "low" else "NO", "PriorityTier": tier, "OverSubscribe": "FORCE:1"}
             for name, tier in (("low", 1), ("mid", 5), ("high", 9))]
    config = {"PreemptType": "preempt/partition_prio", "PreemptMode": "SUSPEND,GANG"}
    trace = run(
        job("m", 0, 300, 20, nodes=1, ntasks_per_node=4, partition="mid"),
        job("l", 1, 300, 20, nodes=1, ntasks_per_node=4, partition="low"),
        job("h", 100, 50, 20, nodes=1, ntasks_per_node=4, partition="high"),
        nodes=2, partitions=parts, config=config,
    )
    assert places(trace)["h"] == places(trace)["l"] == ("n2",)
    assert [e.subject for e in trace.events() if e.kind == "signal"] == ["l", "l"]


def test_the_tasks_of_an_array_preempt_one_right_after_the_other() -> None:
    """``job_array_split`` in ``job_mgr.c`` resets ``preempt_start_time`` for what is left of the array."""
    more = qos("cancel", PreemptMode="REQUEUE")
    more["accounting"]["qos"] += [{"name": "mid", "priority": 5, "preempt": "low"}]
    more["accounting"]["qos"][1]["preempt"] = "low,mid"
    more["accounting"]["users"][0]["qos"] = "normal,low,mid,high"
    below = [{**lab("a", 0, "low", 1), "array": "0-1"}, {**lab("b", 10, "mid", 1), "array": "0-1"}, lab("m", 80, "mid", 1, 80)]
    trace = run(*below, {**lab("h", 120, "high", 1, 80), "array": "1-3"}, nodes=4, **more)
    assert max(starts(trace)[f"h_{i}"] or 0 for i in (1, 2, 3)) <= 124


@pytest.mark.parametrize(("mode", "ended"), [("REQUEUE", ["PREEMPTED", "COMPLETED"]), ("CANCEL", ["PREEMPTED"])])
def test_with_gang_who_does_not_pause_goes_while_the_job_runs_already(mode: str, ended: list[str]) -> None:
    """``_job_test`` places over all lower tiers, ``gang.c`` does with each what its partition says (measured:
    suspend_grace_tiers). PreemptExemptTime does not count there."""
    parts = [{"name": "low", "Default": "YES", "PreemptMode": mode, "OverSubscribe": "FORCE:1"},
             {"name": "mid", "PriorityTier": 2, "OverSubscribe": "FORCE:1"},
             {"name": "top", "PriorityTier": 3, "OverSubscribe": "FORCE:1"}]
    config = {"PreemptType": "preempt/partition_prio", "PreemptMode": "SUSPEND,GANG", "PreemptExemptTime": "00:05:00"}
    jobs = (job("l", 0, 200, 20, ntasks=4, nodes=1), job("m", 10, 200, 20, ntasks=4, nodes=1, partition="mid", stoppable=True),
            job("t", 50, 40, 5, ntasks=8, nodes=2, partition="top"))
    trace = run(*jobs, nodes=2, config=config, partitions=parts, exclusive=False, until=1000)
    assert starts(trace)["t"] == 50
    assert [one.state for one in trace.job("l").runs] == ended and [one.end for one in trace.job("m").runs] == [250]
