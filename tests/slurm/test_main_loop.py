"""The main loop: strict order per partition, and what does not block (facts/slurm.md, section 1)."""

from __future__ import annotations

from tests.slurm.build import LAB, job, places, reasons, run, starts

BUILTIN = {"SchedulerType": "sched/builtin"}
TWO = [{"name": "left", "nodes": "n[1-2]", "Default": "YES"}, {"name": "right", "nodes": "n[3-4]"}]


def test_a_job_that_does_not_fit_blocks_all_behind_it() -> None:
    trace = run(job("a", 0, 100, nodes=3), job("b", 1, 50, nodes=2), job("c", 2, 50, nodes=1), config=BUILTIN)
    assert starts(trace) == {"a": 0, "b": 100, "c": 100}
    assert reasons(trace, "b")[-1] == "Resources"
    assert reasons(trace, "c") == ["Priority"]


def test_only_the_partition_of_the_blocked_job_is_blocked() -> None:
    trace = run(
        job("a", 0, 100, nodes=2),
        job("b", 1, 50, nodes=1),
        job("c", 2, 50, nodes=1, partition="right"),
        config=BUILTIN,
        partitions=TWO,
        exclusive=False,
    )
    assert starts(trace) == {"a": 0, "b": 1, "c": 2}
    trace = run(
        job("a", 0, 100, ntasks=8),
        job("b", 1, 50, nodes=1),
        job("c", 2, 50, nodes=1, partition="right"),
        config=BUILTIN,
        partitions=TWO,
    )
    assert starts(trace) == {"a": 0, "b": 100, "c": 2}


def test_nodes_of_a_blocked_partition_are_taken_from_later_partitions() -> None:
    both = [
        {"name": "all", "nodes": "n[1-4]", "Default": "YES", "OverSubscribe": "EXCLUSIVE"},
        {"name": "some", "nodes": "n[3-4]", "OverSubscribe": "EXCLUSIVE"},
    ]
    trace = run(
        job("a", 0, 100, nodes=2),
        job("wide", 1, 50, nodes=3),
        job("c", 2, 50, nodes=1, partition="some"),
        config=BUILTIN,
        partitions=both,
    )
    assert starts(trace) == {"a": 0, "wide": 100, "c": 100}
    assert places(trace)["c"] == ("n4",)
    assert "Nodes required for job are DOWN, DRAINED or reserved for jobs in higher priority partitions" in reasons(trace, "c")


def test_required_busy_nodes_block_only_themselves() -> None:
    trace = run(job("a", 0, 100, nodes=1), job("b", 1, 50, nodes=1, nodelist="n1"), job("c", 2, 50, nodes=1), config=BUILTIN)
    assert starts(trace) == {"a": 0, "b": 100, "c": 2}


def test_held_and_not_yet_eligible_jobs_do_not_block() -> None:
    trace = run(
        job("a", 0, 50, nodes=4),
        job("held", 1, 10, hold=True),
        job("later", 2, 10, begin="now+10minutes"),
        job("c", 3, 10, nodes=4),
        config=BUILTIN,
        until=2000,
    )
    assert starts(trace) == {"a": 0, "held": None, "later": 602, "c": 50}
    assert trace.job("held").reason == "JobHeldUser"
    assert reasons(trace, "later")[0] == "BeginTime"


def test_after_an_event_only_the_first_of_the_queue_are_tried() -> None:
    """default_queue_depth; the periodic run tries all (slurm.conf(5), SchedulerParameters)."""
    config = {**BUILTIN, "SchedulerParameters": "default_queue_depth=2,sched_interval=50,batch_sched_delay=0"}
    limited = dict(
        LAB, qos=[{"name": "one", "MaxJobsPerUser": 1}], users=[{"name": "alice", "account": "lab", "qos": "normal,one"}]
    )
    waiting = [job(f"w{i}", 1, 10, qos="one", account="lab") for i in range(4)]
    config["AccountingStorageEnforce"] = "limits"
    trace = run(
        job("first", 0, 10_000, 200, qos="one", account="lab"),
        *waiting,
        job("free", 2, 10, account="lab"),
        config=config,
        accounting=limited,
        until=400,
    )
    assert starts(trace)["free"] == 32  # the daemon started 68 s before zero: its full runs come at 32, 82, ...


def test_batch_submissions_are_gathered() -> None:
    config = {**BUILTIN, "SchedulerParameters": "sched_interval=60,batch_sched_delay=3"}
    trace = run(job("a", 10, 5), job("b", 11, 5), job("c", 12, 5), config=config)
    assert starts(trace) == {"a": 10, "b": 13, "c": 13}


def test_complete_wait_holds_everything_back_while_a_job_cleans_up() -> None:
    jobs = (job("stubborn", 0, 600, 1, ignore_term=True), job("b", 200, 30, nodes=2))
    free = run(*jobs, config={**BUILTIN, "KillWait": 200})
    held = run(*jobs, config={**BUILTIN, "KillWait": 200, "CompleteWait": 150})
    noticed = free.job("stubborn").end
    assert noticed is not None and starts(free)["b"] == 200
    first_full_run = noticed + 150 + 1 + (noticed + 150 + 1) % 2  # sched_interval is 2 s
    assert starts(held)["b"] == first_full_run


def test_fifo_walks_the_job_list_whatever_the_priorities() -> None:
    """sched/builtin with priority/basic: a released job keeps its place; with backfill it goes behind the others."""
    jobs = (job("a", 0, 100, nodes=4), job("b", 1, 10, nodes=4, hold=True), job("c", 2, 10, nodes=4))
    events = [{"at": 50, "do": "release", "job": "b"}]
    assert starts(run(*jobs, config=BUILTIN, events=events)) == {"a": 0, "b": 100, "c": 110}
    assert starts(run(*jobs, events=events)) == {"a": 0, "b": 110, "c": 100}


def test_the_first_reason_is_that_of_the_submission() -> None:
    trace = run(job("a", 0, 100, nodes=4), job("b", 1, 50, nodes=4), job("c", 2, 50, nodes=4), config=BUILTIN)
    assert reasons(trace, "b") == ["Resources"]
    assert reasons(trace, "c") == ["Resources", "Priority", "Resources"]
    assert places(trace)["c"] == ("n1", "n2", "n3", "n4")


def test_a_submission_tells_which_nodes_are_missing() -> None:
    """The end of ``_pick_best_nodes``: too few nodes are up and none of the others is busy; measured: drain_shared."""
    drain = [{"at": 1, "do": "drain", "nodes": "n1", "reason": "disk"}]
    jobs = (job("a", 0, 100, nodes=2, ntasks=8), job("b", 5, 50, nodes=3), job("c", 6, 50, nodelist="n1"),
            job("d", 7, 50, nodes=4))
    trace = run(*jobs, nodes=4, exclusive=False, events=drain, until=80)
    text = "ReqNodeNotAvail, UnavailableNodes:n1"
    assert reasons(trace, "c")[0] == reasons(trace, "d")[0] == text


def test_fifo_finds_the_rest_of_an_array_behind_all_others() -> None:
    """A task that starts leaves a new record at the end of the list (``job_array_split``; measured: builtin_reservation)."""
    jobs = (job("x", 0, 50, nodes=2), job("a", 1, 50, nodes=1, array="0-1%1"), job("b", 2, 50, nodes=2))
    assert starts(run(*jobs, nodes=2, config={"SchedulerType": "sched/builtin"})) == {"x": 0, "a_0": 50, "b": 100, "a_1": 150}
    assert starts(run(*jobs, nodes=2)) == {"x": 0, "a_0": 50, "a_1": 100, "b": 150}


def test_after_a_task_started_fifo_looks_again_for_those_that_now_come_before_the_rest() -> None:
    """The pass that starts the task goes on with its array; the next periodic one walks the new list (``schedule`` in
    ``job_scheduler.c``; measured: builtin_array_rest)."""
    jobs = (job("x", 0, 50, nodes=2), job("a", 1, 50, nodes=2, array="0-1"), job("b", 2, 90, nodes=1))
    begun = starts(run(*jobs, nodes=3, config={"SchedulerType": "sched/builtin"}))
    assert begun["a_0"] == 50 and begun["a_1"] == 100
    assert begun["b"] in {51, 52}


def test_nodes_kept_for_a_blocked_job_count_as_unavailable_to_those_behind() -> None:
    """``_schedule`` takes them out of ``avail_node_bitmap``, which the reason is made of; measured: reservation_ignore_two."""
    jobs = (job("a", 0, 100, nodes=1, nodelist="n1"), job("b", 1, 50, nodelist="n1"), job("c", 2, 50, nodelist="n1"))
    trace = run(*jobs, config=BUILTIN)
    assert "ReqNodeNotAvail, UnavailableNodes:n1" in reasons(trace, "c")


def test_a_task_that_came_back_has_the_reason_that_keeps_its_array() -> None:
    """``fill_array_reasons`` in ``job_scheduler.c``; measured: array_preempt_limits."""
    jobs = (job("a", 0, 400, 20, nodes=1, array="0-5"), job("b", 10, 500, 20, nodes=3))
    events = [{"at": 50, "do": "requeue", "job": "a[0]"}]
    trace = run(*jobs, nodes=4, events=events, until=350)
    assert reasons(trace, "a_0") == ["BeginTime", "Resources"]


def test_a_release_of_what_is_not_held_costs_the_place_in_the_queue() -> None:
    """``_update_job`` works the priority out anew, without the nice value; measured: mix20_events."""
    jobs = (job("x", 0, 100, nodes=4), job("a", 1, 10, nodes=4), job("b", 2, 10, nodes=4))
    release = [{"at": 50, "do": "release", "job": "a"}]
    assert starts(run(*jobs, events=release)) == {"x": 0, "b": 100, "a": 110}
    own = [{"at": 50, "do": "release", "job": "a", "user": "alice"}]
    assert starts(run(*jobs, events=own)) == {"x": 0, "a": 100, "b": 110}
    multifactor = {"PriorityType": "priority/multifactor", "PriorityWeightJobSize": "1000"}
    nice = (job("x", 0, 100, nodes=4), job("a", 1, 10, nodes=4, nice=100), job("b", 2, 10, nodes=4, nice=50))
    assert starts(run(*nice, config=multifactor, events=release)) == {"x": 0, "a": 100, "b": 110}
