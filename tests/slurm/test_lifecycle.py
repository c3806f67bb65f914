"""Ends, limits, kills, requeue and nodes (facts/slurm.md, sections 1, 5 and 6)."""

from __future__ import annotations

from clustersim.slurm import MEASURED, Overheads
from clustersim.trace import Trace
from tests.slurm.build import job, places, reasons, run, starts


def end(trace: object, name: str, i: int = -1) -> int | None:
    return trace.job(name).runs[i].end  # type: ignore[attr-defined]


def test_limits_are_noticed_at_the_next_periodic_check() -> None:
    trace = run(*(job(f"j{at}", at, 600, 1, nodes=1) for at in (0, 10, 20, 30)), nodes=4)
    ends = {at: end(trace, f"j{at}") for at in (0, 10, 20, 30)}
    assert ends == {0: 82, 10: 82, 20: 82, 30: 112}  # the daemon came up 68 s before zero: checks at 22, 52, 82, ...
    assert all(record.state == "TIMEOUT" for record in trace.jobs)


def test_other_seeds_have_other_phases_all_within_thirty_seconds() -> None:
    late = {end(run(job("a", 0, 600, 1), seed=seed), "a") - 60 for seed in range(12)}  # type: ignore[operator]
    assert len(late) > 3 and all(0 <= seconds < 30 for seconds in late)


def test_over_time_limit_adds_minutes() -> None:
    assert end(run(job("a", 0, 6000, 1), config={"OverTimeLimit": 5}), "a") == 382


def test_a_job_that_ends_at_its_limit_completes() -> None:
    assert run(job("a", 0, 60, 1)).job("a").state == "COMPLETED"


def test_what_ignores_sigterm_holds_its_node_for_kill_wait() -> None:
    trace = run(job("a", 0, 600, 1, nodes=1, ignore_term=True), job("b", 1, 10, nodes=1), nodes=1, config={"KillWait": 30})
    [stubborn] = trace.job("a").runs
    assert (stubborn.end, stubborn.released) == (82, 112) and starts(trace)["b"] == 112
    assert [e.detail["signal"] for e in trace.events() if e.kind == "signal"] == ["SIGTERM", "SIGKILL"]
    states = [e.detail["state"] for e in trace.events() if e.kind == "node"]
    assert states == ["idle", "allocated", "completing", "allocated", "idle"]


def test_nodes_of_a_job_become_clean_one_by_one() -> None:
    """Only the node of the batch script waits for KillWait (``job_epilog_complete``; measured: clean_one_by_one)."""
    jobs = (job("m", 0, 600, 5, nodes=3, ignore_term=True), job("s", 20, 60, nodes=1, nodelist="n3"))
    trace = run(*jobs, nodes=3, config={"KillWait": 60}, events=[{"at": 100, "do": "scancel", "job": "m"}])
    [stubborn] = trace.job("m").runs
    assert (stubborn.released, stubborn.early) == (160, (("n2", 100), ("n3", 100)))
    assert 100 <= starts(trace)["s"] <= 102  # type: ignore[operator]
    assert Trace.from_json(trace.to_json()).job("m").runs == trace.job("m").runs


def test_a_dead_daemon_keeps_its_own_node_only() -> None:
    """Measured: clean_dead_daemon."""
    jobs = (job("m", 0, 100, 4, nodes=2), job("s1", 20, 60, nodes=1), job("s2", 30, 60, nodes=2))
    trace = run(*jobs, nodes=2, events=[{"at": 60, "do": "kill_slurmd", "nodes": "n2"}], until=300)
    assert trace.job("m").runs[0].early == (("n1", 100),)
    assert starts(trace) == {"m": 0, "s1": 100, "s2": None} and places(trace)["s1"] == ("n1",)


def test_no_loop_is_woken_before_all_nodes_are_clean() -> None:
    """After scancel only backfill looks soon; the main loop keeps its period (``_slurm_rpc_kill_job`` in ``proc_req.c``)."""
    jobs = (job("m", 0, 600, 5, nodes=2, ignore_term=True), job("s", 20, 60, nodes=1, nodelist="n2"))
    config = {"KillWait": 600, "SchedulerType": "sched/builtin", "SchedulerParameters": "sched_interval=60"}
    trace = run(*jobs, nodes=2, config=config, events=[{"at": 100, "do": "scancel", "job": "m"}])
    assert starts(trace)["s"] == 112  # the daemon came up 68 s before zero


def test_a_running_job_that_is_held_goes_on_and_waits_when_it_is_requeued() -> None:
    """``_hold_job_rec`` sets priority 0 whatever the state; measured: hold_running."""
    acts = [{"at": 40, "do": "hold", "job": "a", "user": "alice"}, {"at": 45, "do": "hold", "job": "b"},
            {"at": 60, "do": "requeue", "job": "a"}, {"at": 300, "do": "release", "job": "a", "user": "alice"}]
    trace = run(job("a", 0, 200, 6), job("b", 5, 100, 6), nodes=2, events=acts)
    assert [(one.start, one.end, one.state) for one in trace.job("a").runs] == [(0, 60, "REQUEUED"), (300, 500, "COMPLETED")]
    assert reasons(trace, "a") == ["JobHeldUser"] and end(trace, "b") == 105


def test_overheads_make_runs_longer_and_successors_later() -> None:
    jobs = (job("a", 0, 100, nodes=4), job("b", 1, 100, nodes=4))
    assert starts(run(*jobs, overheads=MEASURED))["b"] == 102
    assert starts(run(*jobs, overheads=Overheads(launch=5, cleanup=0)))["b"] == 105


def test_exit_codes() -> None:
    trace = run(job("a", exit_code=3), job("b", 1))
    assert (trace.job("a").state, trace.job("a").runs[0].exit_code) == ("FAILED", "3:0")
    assert (trace.job("b").state, trace.job("b").runs[0].exit_code) == ("COMPLETED", "0:0")


def test_requeue_waits_121_seconds_and_starts_from_zero() -> None:
    trace = run(job("a", 0, 500, 20, nodes=4), events=[{"at": 100, "do": "requeue", "job": "a"}])
    first, second = trace.job("a").runs
    assert (first.state, first.end) == ("REQUEUED", 100)
    assert (second.start, second.end) == (221, 721)
    assert reasons(trace, "a")[0] == "BeginTime"


def test_a_job_that_is_over_can_be_run_again() -> None:
    """For MinJobAge, 300 s, the controller remembers it (measured: requeue_exit)."""
    def times(at: int) -> list[tuple[str, int | None, int | None]]:
        trace = run(job("a", 0, 100, 5, nodes=4), job("x", 450, 10), events=[{"at": at, "do": "requeue", "job": "a"}])
        return [(one.state, one.start, one.end) for one in trace.job("a").runs]

    assert times(150) == [("REQUEUED", 0, 100), ("COMPLETED", 271, 371)]
    assert times(400) == [("COMPLETED", 0, 100)]


def test_whatever_the_phase_killwait_follows_the_check() -> None:
    """The limit is noticed within half a minute, and what ignores SIGTERM frees its node KillWait after that."""
    seen = set()
    for seed in range(40):
        trace = run(job("a", 0, 900, 2, nodes=4, ignore_term=True), job("b", 1, 60, 2, nodes=4), seed=seed)
        end = trace.job("a").end
        assert end is not None and 120 <= end <= 150 and starts(trace)["b"] == end + 5
        seen.add(end)
    assert len(seen) > 10


def test_scancel_of_waiting_and_running_jobs() -> None:
    trace = run(
        job("a", 0, 500, 20, nodes=4),
        job("b", 1, 50, nodes=4),
        job("c", 2, 50, nodes=4),
        events=[{"at": 10, "do": "scancel", "job": "b"}, {"at": 20, "do": "scancel", "job": "a"}],
    )
    assert trace.job("b").state == "CANCELLED" and not trace.job("b").runs
    assert trace.job("a").state == "CANCELLED" and starts(trace)["c"] == 20


def test_nobody_but_root_may_touch_the_jobs_of_others() -> None:
    """``_job_signal``, ``update_job`` and ``job_requeue2`` in ``job_mgr.c``; measured: cancel_hold_many."""
    acts = [{"at": 10 + i, "do": do, "job": name, "user": "bob"}
            for i, (do, name) in enumerate([("scancel", "x"), ("requeue", "x"), ("scancel", "a"), ("hold", "a")])]
    trace = run(job("x", 0, 100, nodes=4), job("a", 1, 50, nodes=4), events=acts)
    assert [record.state for record in trace.jobs] == ["COMPLETED", "COMPLETED"] and starts(trace)["a"] == 100


def test_hold_and_release_by_owner_and_administrator() -> None:
    jobs = (job("x", 0, 100, nodes=4), job("a", 1, 50, nodes=4), job("b", 2, 50, nodes=4))
    mine = [
        {"at": 10, "do": "hold", "job": "a", "user": "alice"},
        {"at": 20, "do": "hold", "job": "b"},
        {"at": 300, "do": "release", "job": "a", "user": "alice"},
        {"at": 310, "do": "release", "job": "b", "user": "alice"},
    ]
    trace = run(*jobs, events=mine, until=1000)
    assert reasons(trace, "a")[-1] == "JobHeldUser" and starts(trace)["a"] == 300
    assert trace.job("b").reason == "JobHeldAdmin"  # a user cannot release an administrator's hold (measured)


def test_a_node_set_down_ends_or_requeues_its_jobs() -> None:
    trace = run(
        job("re", 0, 400, 10, nodes=2),
        job("no", 1, 400, 10, nodes=1, requeue=False),
        nodes=4,
        events=[{"at": 100, "do": "down", "nodes": "n[2-3]", "reason": "x"}],
        until=900,
    )
    assert [one.state for one in trace.job("re").runs] == ["NODE_FAIL", "COMPLETED"]
    assert places(trace)["re"] == ("n1", "n4") and trace.job("no").state == "NODE_FAIL"


def test_a_draining_node_finishes_its_job_and_takes_no_other() -> None:
    trace = run(
        job("a", 0, 100, nodes=1),
        job("b", 10, 50, nodes=1),
        nodes=1,
        events=[{"at": 20, "do": "drain", "nodes": "n1", "reason": "disk"}, {"at": 300, "do": "resume", "nodes": "n1"}],
    )
    assert trace.job("a").state == "COMPLETED" and starts(trace)["b"] == 300
    assert [(e.time, e.detail["state"]) for e in trace.events() if e.kind == "node"] == [
        (0, "idle"),
        (0, "allocated"),
        (20, "draining"),
        (100, "drained"),
        (300, "allocated"),
        (350, "idle"),
    ]


def test_a_dead_daemon_takes_its_node_down_after_slurmd_timeout() -> None:
    events = [{"at": 50, "do": "kill_slurmd", "nodes": "n1"}]
    trace = run(job("a", 0, 2000, 60, nodes=1), job("b", 1, 2000, 60, nodes=1), nodes=2, events=events, until=1500)
    lost = trace.job("a").runs[0]
    assert lost.state == "NODE_FAIL" and lost.end is not None
    # Started on at 0 s, pinged every 100 s from -65 s on: passed over at 35 s, dead at 135 s; at 335 s it has been silent
    # for SlurmdTimeout, and the ping after that says so.
    assert lost.end == 435
    assert trace.job("b").state == "RUNNING"


def test_a_node_that_answers_again_in_time_loses_nothing() -> None:
    events = [{"at": 50, "do": "kill_slurmd", "nodes": "n1"}, {"at": 200, "do": "start_slurmd", "nodes": "n1"}]
    trace = run(job("a", 0, 100, 5, nodes=1), job("b", 60, 50, 5, nodes=1), nodes=1, events=events, until=1500)
    [ended] = trace.job("a").runs
    assert ended.end == 100  # the job ended, but nobody could clean up after it
    assert ended.released is not None and 200 <= ended.released <= 260  # until the nodes of old jobs are asked again
    assert starts(trace)["b"] == ended.released


def test_return_to_service() -> None:
    events = [{"at": 10, "do": "kill_slurmd", "nodes": "n1"}, {"at": 800, "do": "start_slurmd", "nodes": "n1"}]
    back = run(job("a", 400, 10, nodes=1), nodes=1, events=events, until=1500)
    assert starts(back)["a"] == 800
    never = run(job("a", 400, 10, nodes=1), nodes=1, events=events, until=1500, config={"ReturnToService": "0"})
    assert starts(never)["a"] is None
    assert never.job("a").reason.startswith("Nodes required for job are DOWN")


def test_a_node_set_down_answers_and_is_up_again_with_return_to_service_2() -> None:
    """At once where a job was ended, else at the next ping, every SlurmdTimeout / 3 (``_node_did_resp``; measured)."""
    events = [{"at": 100, "do": "down", "nodes": "n[1-2]", "reason": "x"}]
    jobs = (job("a", 0, 300, nodes=1, requeue=False), job("b", 101, 10, nodes=1), job("c", 102, 10, nodes=1))
    config = {"ReturnToService": "2", "SlurmdTimeout": "60"}
    begun = starts(run(*jobs, nodes=2, events=events, config=config, until=900))
    assert begun["b"] == 101 and 101 < begun["c"] <= 121
    assert starts(run(*jobs, nodes=2, events=events, until=900))["b"] is None


def test_the_story_of_a_job_reads_well() -> None:
    trace = run(job("x", 0, 100, 5, nodes=4), job("a", 10, 60, 1, nodes=4))
    assert trace.story("a").splitlines() == [
        "00:00:10  a is submitted by alice: 4 nodes, time limit 1:00.",
        "00:00:10  a waits: Resources.",
        "00:01:40  a starts on n[1-4] after waiting 1 min 30 s.",
        "00:02:40  a ends, COMPLETED.",
        "00:02:40  the resources of a are free again.",
    ]
