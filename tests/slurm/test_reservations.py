"""Advance reservations (facts/slurm.md, section 10)."""

from __future__ import annotations

from typing import Any

from tests.slurm.build import job, places, reasons, run, starts


def reservation(**more: Any) -> dict[str, Any]:
    return {"at": 0, "do": "create_reservation", "name": "r", "start_s": 600, "duration_min": 5, "nodes": "ALL", **more}


def test_only_jobs_whose_limit_ends_before_it_may_start() -> None:
    events = [reservation(flags="MAINT")]
    trace = run(
        job("fits", 10, 60, 9, nodes=1), job("long", 11, 60, 10, nodes=1), job("late", 500, 30, 2, nodes=1), events=events
    )
    assert starts(trace) == {"fits": 10, "long": 900, "late": 900}
    assert reasons(trace, "long")[-1] == "ReqNodeNotAvail, Reserved for maintenance"
    assert (600, "maint") in [(e.time, e.detail["state"]) for e in trace.events() if e.kind == "node" and e.subject == "n1"]


def test_a_running_job_is_left_alone() -> None:
    trace = run(job("a", 0, 3000, 100, nodes=1), events=[reservation(at=10, flags="MAINT,IGNORE_JOBS")])
    assert trace.job("a").state == "COMPLETED"


def test_part_of_the_nodes() -> None:
    events = [reservation(nodes="n[1-2]", users="bob")]
    trace = run(job("a", 10, 60, 60, nodes=1), job("wide", 20, 60, 60, nodes=3), events=events)
    assert places(trace)["a"] == ("n3",) and starts(trace)["wide"] == 900


def test_its_users_wait_for_its_begin_and_run_inside() -> None:
    events = [reservation(nodes="n[1-2]", users="bob")]
    trace = run(job("in", 10, 60, 5, nodes=2, user="bob", reservation="r"), job("out", 20, 60, 5, nodes=1), events=events)
    assert starts(trace) == {"in": 600, "out": 20} and places(trace)["in"] == ("n1", "n2")
    assert reasons(trace, "in") == ["Reservation"]


def test_others_have_no_right_to_it() -> None:
    trace = run(job("in", 10, 60, 5, nodes=1, reservation="r"), events=[reservation(users="bob")], until=2000)
    assert trace.job("in").state == "REJECTED"
    [why] = [event.detail["why"] for event in trace.events() if event.kind == "reject"]
    assert why == "sbatch: error: Batch job submission failed: Access denied to requested reservation"


def test_maintenance_takes_nodes_from_another_reservation() -> None:
    """Only while the job would run: before it a short job may use the reservation, a long one waits."""
    team = reservation(start_s=0, duration_min=30, users="bob")
    maint = {**reservation(flags="MAINT,IGNORE_JOBS", nodes="n[1-4]"), "name": "m"}
    jobs = (job("short", 10, 60, 5, nodes=1, user="bob", reservation="r"),
            job("long", 20, 60, 20, nodes=1, user="bob", reservation="r"))
    assert starts(run(*jobs, events=[team, maint])) == {"short": 10, "long": 900}


def test_a_reservation_over_running_jobs_or_over_another_is_refused() -> None:
    """What names a reservation that could not be made is refused in turn (measured)."""
    busy = job("busy", 0, 60, 30, nodes=4)
    late = job("late", 700, 60, 5, nodes=1, user="bob", reservation="r")
    over_job = run(busy, late, events=[reservation(at=10, users="bob")])
    assert over_job.job("late").state == "REJECTED"
    ignoring = run(busy, late, events=[reservation(at=10, users="bob", flags="IGNORE_JOBS")])
    assert starts(ignoring)["late"] == 700
    second = [reservation(users="alice"), {**reservation(at=1, users="bob"), "name": "s"}]
    assert run({**late, "reservation": "s"}, events=second).job("late").state == "REJECTED"
    maint = [reservation(users="bob"), {**reservation(at=1, flags="MAINT", nodes="n1"), "name": "m"}]
    assert run(late, events=maint).job("late").runs[0].nodes == ("n2",)


def test_a_job_that_comes_to_reach_into_a_reservation_blocks_no_longer() -> None:
    """The periodic main loop sees it, though nothing else happens; measured: reservation_ignore."""
    create = {"at": 1, "do": "create_reservation", "duration_min": 5, "users": "bob", "flags": "IGNORE_JOBS"}
    events = [{**create, "name": f"of_{node}", "start_s": at, "nodes": node} for at, node in ((180, "n1"), (120, "n2"))]
    jobs = (job("a", 0, 200, 8, nodes=1), job("d", 40, 60, 2, nodes=2), job("e", 50, 60, 8, nodes=1))
    trace = run(*jobs, nodes=3, events=events, config={"SchedulerType": "sched/builtin"})
    assert starts(trace)["e"] == 62 and places(trace)["e"] == ("n3",)  # until 60 d may still end before n1 is reserved


def test_a_job_that_outlives_its_reservation_is_stopped_at_the_next_check() -> None:
    """``job_time_limit``; a job of somebody else goes on, and one that waits is held: its reservation was deleted."""
    events = [reservation(nodes="n[1-2]", users="bob")]
    trace = run(job("in", 10, 900, 60, nodes=2, user="bob", reservation="r"), job("out", 20, 1200, 30, nodes=1),
                job("next", 30, 60, 5, nodes=1, user="bob", reservation="r"), events=events, until=2000)
    [run_in] = trace.job("in").runs
    assert run_in.state == "TIMEOUT" and 900 < run_in.end <= 930 and trace.job("out").state == "COMPLETED"
    assert reasons(trace, "next") == ["Reservation", "Resources", "Reservation", "Reservation r was deleted"]
    assert trace.job("next").state == "PENDING"


def test_a_job_whose_reservation_was_deleted_runs_anywhere_once_it_is_released() -> None:
    events = [reservation(nodes="n1", users="bob"), {"at": 1000, "do": "release", "job": "late"}]
    trace = run(job("busy", 0, 850, 60, nodes=1, user="bob"), job("late", 10, 60, 5, nodes=1, user="bob", reservation="r",
                begin="now+950"), events=events, until=2000)
    assert starts(trace)["late"] == 1000


def test_what_a_reservation_can_never_hold_is_held_for_ever() -> None:
    """``schedule``: never runnable. When the reservation is over the reason is that of any held job (measured)."""
    events = [reservation(nodes="n[1-2]", users="bob")]
    trace = run(job("wide", 10, 60, 5, nodes=3, user="bob", reservation="r"), events=events, until=2000)
    assert reasons(trace, "wide") == ["Reservation", "BadConstraints", "JobHeldAdmin"]


def test_a_name_is_taken_until_the_reservation_is_purged() -> None:
    again = [reservation(), {**reservation(start_s=960), "at": 901}]
    trace = run(job("a", 910, 60, 30, nodes=1), events=again, until=2000)
    assert starts(trace)["a"] == 910
