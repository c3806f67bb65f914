"""Dependencies and arrays (facts/slurm.md, section 8)."""

from __future__ import annotations

import pytest

from clustersim.slurm.depend import Dependency, parse_dependency
from clustersim.slurm.requests import parse_array
from tests.slurm.build import job, reasons, run, starts


@pytest.mark.parametrize(
    ("dependency", "start"),
    [
        ("afterok:$good", 100),
        ("afterany:$bad", 50),
        ("afternotok:$bad", 50),
        ("afterany:$good:$bad", 100),
        ("after:$good", 3),
        ("after:$good+2", 120),
        ("afterok:$bad?afterok:$good", 100),
        ("afterok:99999", 3),
        ("afterok:$good,afternotok:$bad", 100),
    ],
)
def test_when_a_dependency_lets_the_job_go(dependency: str, start: int) -> None:
    trace = run(
        job("good", 0, 100, nodes=1), job("bad", 1, 49, nodes=1, exit_code=1), job("x", 3, 10, dependency=dependency), until=900
    )
    assert starts(trace)["x"] == start
    assert start == 3 or reasons(trace, "x")[0] == "Dependency"


@pytest.mark.parametrize(
    "dependency", ["afterok:$bad", "afternotok:$good", "afterok:$bad,afterok:$good", "afterok:$bad?afternotok:$good"]
)
def test_what_can_never_be_met_waits_for_ever(dependency: str) -> None:
    jobs = (job("good", 0, 100), job("bad", 1, 49, exit_code=1), job("x", 3, 10, dependency=dependency))
    trace = run(*jobs, until=900)
    assert trace.job("x").reason == "DependencyNeverSatisfied"
    config = {"SchedulerParameters": "bf_interval=1,sched_interval=2,batch_sched_delay=0,kill_invalid_depend"}
    assert run(*jobs, until=900, config=config).job("x").state == "CANCELLED"


@pytest.mark.parametrize(
    ("dependency", "start"), [("afterany:$a", 100), ("afterany:$a,afterany:$b", 200), ("after:$a,afterany:$b", 200)]
)
def test_a_clause_that_was_met_stays_met_when_its_job_is_requeued(dependency: str, start: int) -> None:
    """``depend_state`` is never taken back (``test_job_dependency``); measured: dependencies_requeued."""
    jobs = (
        job("a", 0, 50, nodes=1),
        job("b", 1, 199, 5, nodes=1),
        job("c", 2, 98, nodes=2),
        job("x", 3, 40, nodes=3, dependency=dependency),
    )
    again = [{"at": at, "do": "requeue", "job": name} for at, name in ((60, "a"), (210, "x"), (300, "a"))]
    trace = run(*jobs, until=900, events=again)
    assert [one.start for one in trace.job("x").runs] == [start, 331]
    assert trace.job("a").runs[-1].start == 421


def test_a_clause_that_failed_stays_failed_when_its_job_is_run_again() -> None:
    jobs = (job("a", 0, 50, nodes=1), job("b", 1, 10, nodes=1), job("x", 3, 40, dependency="afternotok:$a?afternotok:$b"))
    trace = run(*jobs, until=900, events=[{"at": 60, "do": "requeue", "job": "a"}, {"at": 190, "do": "scancel", "job": "a"}])
    assert trace.job("a").state == "CANCELLED"
    assert (trace.job("x").state, trace.job("x").reason) == ("PENDING", "DependencyNeverSatisfied")


def test_singletons_of_one_name_and_user_run_one_at_a_time() -> None:
    one = {"job_name": "solo", "dependency": "singleton"}
    trace = run(
        job("a", 0, 100, **one), job("b", 1, 10, **one), job("c", 2, 10, user="bob", **one), job("d", 3, 10, job_name="solo")
    )
    assert starts(trace) == {"a": 0, "b": 100, "c": 2, "d": 3}


def test_clauses_are_read() -> None:
    assert parse_dependency("after:$a+2:$b,singleton") == (
        (Dependency("after", "a", 120), Dependency("after", "b"), Dependency("singleton")),
        False,
    )


def test_an_array_runs_at_most_its_limit_at_once() -> None:
    trace = run(job("arr", 0, 100, array="0-5%2"), job("other", 1, 10), nodes=4)
    assert [starts(trace)[f"arr_{i}"] for i in range(6)] == [0, 0, 100, 100, 200, 200]
    assert starts(trace)["other"] == 1 and reasons(trace, "arr_3") == ["JobArrayTaskLimit"]


def test_array_tasks_keep_their_place_in_the_queue() -> None:
    trace = run(job("x", 0, 100, nodes=4), job("arr", 1, 10, array="1-3", nodes=4), job("late", 2, 10, nodes=4))
    assert starts(trace) == {"x": 0, "arr_1": 100, "arr_2": 110, "arr_3": 120, "late": 130}


def test_one_task_or_all_can_be_cancelled() -> None:
    jobs = (job("x", 0, 100, nodes=4), job("arr", 1, 10, array="0-2", nodes=4))
    trace = run(*jobs, events=[{"at": 5, "do": "scancel", "job": "arr[1]"}])
    assert [trace.job(f"arr_{i}").state for i in range(3)] == ["COMPLETED", "CANCELLED", "COMPLETED"]
    trace = run(*jobs, events=[{"at": 5, "do": "scancel", "job": "arr"}])
    assert {trace.job(f"arr_{i}").state for i in range(3)} == {"CANCELLED"}


def test_aftercorr_goes_task_by_task() -> None:
    trace = run(job("a", 0, 100, array="0-2%1", nodes=1), job("b", 1, 10, array="0-2", nodes=1, dependency="aftercorr:$a"))
    assert [starts(trace)[f"b_{i}"] for i in range(3)] == [100, 200, 300]


@pytest.mark.parametrize(
    ("text", "ids", "limit"),
    [("0-7%2", tuple(range(8)), 2), ("1-15:4", (1, 5, 9, 13), 0), ("9,1,5", (1, 5, 9), 0), ("3", (3,), 0)],
)
def test_array_syntax(text: str, ids: tuple[int, ...], limit: int) -> None:
    assert parse_array(text, "array", 1001) == (ids, limit)


ARRAY = job("arr", 0, 100, array="0-3%1", nodes=1)


@pytest.mark.parametrize(
    ("dependency", "cancelled", "start"),
    [
        ("afterok:$arr", ["arr[2]"], 300),  # a task that never left the array's record leaves none of its own
        ("afternotok:$arr", ["arr[2]"], None),
        ("afterok:$arr", ["arr[3]", "arr[2]", "arr[1]"], None),  # now the array's record itself is cancelled
        ("afternotok:$arr", ["arr[3]", "arr[2]", "arr[1]"], 100),
        ("afternotok:$arr", ["arr[0]"], 305),  # one that ran and did not complete is enough
    ],
)
def test_a_dependency_on_an_array_counts_the_tasks_on_record(dependency: str, cancelled: list[str], start: int | None) -> None:
    """``test_job_array_complete`` in ``job_mgr.c`` looks at job records; measured: array_cancel_tasks."""
    acts = [{"at": 5, "do": "scancel", "job": name} for name in cancelled]
    trace = run(ARRAY, job("x", 1, 10, dependency=dependency), events=acts, until=900)
    assert starts(trace).get("x") == start
    assert start is not None or trace.job("x").reason == "DependencyNeverSatisfied"


def test_nothing_is_decided_before_the_whole_array_is_over() -> None:
    """``_test_job_dependency_common`` in ``job_scheduler.c`` asks first whether all are completed."""
    trace = run(job("arr", 0, 100, array="0-3%1", nodes=1, exit_code=1), job("x", 1, 10, dependency="afterok:$arr"), until=900)
    never = [event.time for event in trace.events() if event.kind == "reason" and "Never" in event.detail["reason"]]
    assert never == [400]


def test_aftercorr_without_a_task_of_that_number_waits_for_the_whole_array() -> None:
    trace = run(ARRAY, job("x", 1, 10, dependency="aftercorr:$arr"), job("y", 2, 10, array="3-4", dependency="aftercorr:$arr"))
    assert starts(trace)["x"] == starts(trace)["y_3"] == starts(trace)["y_4"] == 400


def test_who_waited_for_a_start_waits_for_resources_from_then_on() -> None:
    """The periodic runs test dependencies anew; measured: mix20_events."""
    trace = run(job("a", 0, 100, nodes=4), job("p", 1, 200, 10, nodes=4), job("x", 2, 10, dependency="after:$p"))
    logged = [event for event in trace.events() if event.kind == "reason" and event.subject == "x"]
    found = [(event.time, event.detail["reason"]) for event in logged]
    assert [reason for _time, reason in found] == ["Dependency", "Resources"] and 100 <= found[1][0] <= 102
