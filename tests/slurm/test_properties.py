"""Laws that hold for every cluster and workload (hypothesis)."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clustersim.clock import Clock
from clustersim.slurm import Controller, Overheads, outcome, parse_workload, simulate_slurm
from clustersim.slurm.record import make_trace
from clustersim.trace import Trace
from tests.slurm.build import document, job

BASE = "bf_interval=1,sched_interval=2,batch_sched_delay=0,sched_min_interval=0"
USERS = ["alice", "bob"]


@st.composite
def jobs(draw: st.DrawFn, honest: bool = False, plain: bool = False) -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = []
    at = 0
    for i in range(draw(st.integers(2, 12))):
        at += draw(st.integers(0, 90))
        minutes = draw(st.integers(1, 12))
        run_s = minutes * 60 if honest else draw(st.integers(0, 800))
        more: dict[str, Any] = {"nodes": draw(st.integers(1, 4))}
        if not plain:
            shape = draw(st.sampled_from(["nodes", "tasks", "gpus", "total", "exclusive", "user"]))
            more = {
                "nodes": {"nodes": more["nodes"]},
                "tasks": {"ntasks": draw(st.integers(1, 12))},
                "gpus": {"gpus_per_node": draw(st.integers(1, 2)), "nodes": draw(st.integers(1, 3))},
                "total": {"gpus": draw(st.integers(1, 6))},
                "exclusive": {"nodes": 1, "exclusive": True},
                "user": {"ntasks": 1, "exclusive": "user"},
            }[shape]
            more["user"] = draw(st.sampled_from(USERS))
            if made and draw(st.booleans()):
                kind = draw(st.sampled_from(["afterok", "afterany", "after", "afternotok"]))
                more["dependency"] = f"{kind}:${draw(st.sampled_from([one['id'] for one in made]))}"
            if draw(st.integers(0, 5)) == 0:
                more["array"] = "0-2%2"
            if draw(st.integers(0, 5)) == 0:
                more["ignore_term"] = True
            if draw(st.integers(0, 7)) == 0:
                more["requeue"] = False
        made.append({**job(f"j{i}", at, run_s, minutes), **more})
    return made


@st.composite
def workloads(draw: st.DrawFn) -> dict[str, Any]:
    made = draw(jobs())
    names = [one["id"] for one in made]
    events: list[dict[str, Any]] = []
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, 900))
        node = f"n{draw(st.integers(1, 4))}"
        events.append(
            draw(
                st.sampled_from(
                    [
                        {"at": at, "do": "drain", "nodes": node, "reason": "x"},
                        {"at": at, "do": "down", "nodes": node, "reason": "x"},
                        {"at": at, "do": "kill_slurmd", "nodes": node},
                        {"at": at, "do": "scancel", "job": names[0]},
                        {"at": at, "do": "requeue", "job": names[0]},
                        {"at": at, "do": "hold", "job": names[-1]},
                        {
                            "at": at,
                            "do": "create_reservation",
                            "name": "r",
                            "start_s": at + 60,
                            "duration_min": 3,
                            "nodes": node,
                        },
                    ]
                )
            )
        )
    if len([one for one in events if one["do"] == "create_reservation"]) > 1:
        events = [one for one in events if one["do"] != "create_reservation"]
    config = {
        "SchedulerType": draw(st.sampled_from(["sched/backfill", "sched/builtin"])),
        "PriorityType": draw(st.sampled_from(["priority/basic", "priority/multifactor"])),
        "SchedulerParameters": draw(st.sampled_from([BASE, "", "default_queue_depth=2", f"{BASE},bf_max_job_test=3"])),
        "CompleteWait": str(draw(st.sampled_from([0, 30]))),
        "KillWait": str(draw(st.sampled_from([0, 30]))),
        "SelectTypeParameters": draw(st.sampled_from(["CR_Core", "CR_Core,CR_LLN"])),
        "PriorityWeightAge": "1000",
        "PriorityWeightJobSize": "500",
        "PriorityCalcPeriod": "1",
    }
    return document(
        *made,
        nodes=4,
        cpus=draw(st.integers(2, 8)),
        gpus=2,
        exclusive=draw(st.booleans()),
        config=config,
        events=events,
        until_s=6000,
    )


def no_health_check(examples: int) -> Any:
    return settings(
        max_examples=examples, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
    )


@no_health_check(150)
@given(workloads(), st.integers(0, 3), st.sampled_from([Overheads(), Overheads(0, 0), Overheads(1, 20)]))
def test_no_law_is_broken(data: dict[str, Any], seed: int, overheads: Overheads) -> None:
    """Trace.validate: nothing used twice, nothing before its submission, work conserved, log and jobs agree."""
    workload = parse_workload(data)
    trace = simulate_slurm(workload, seed, overheads=overheads).validate()
    assert Trace.from_json(trace.to_json()).to_json() == trace.to_json()
    assert simulate_slurm(workload, seed, overheads=overheads).to_json() == trace.to_json()
    assert set(outcome(trace, workload)["jobs"]) <= {record.id for record in trace.jobs}
    for record in trace.jobs:
        assert trace.story(record.id)


@no_health_check(60)
@given(workloads(), st.integers(0, 6000))
def test_a_run_can_stop_and_go_on_and_be_copied(data: dict[str, Any], stop: int) -> None:
    """All state is plain: a copy made in the middle ends as the original does."""
    workload = parse_workload(data)
    system = Controller(workload)
    clock = Clock(system)
    clock.run(stop)
    twin = copy.deepcopy(system)
    clock.run(6000)
    Clock(twin, stop).run(6000)
    expected = simulate_slurm(workload).to_json()
    for one in (system, twin):
        assert make_trace(one, workload.settings.scheduler_type, 6000, 0).to_json() == expected


@no_health_check(120)
@given(jobs(honest=True, plain=True))
def test_the_first_waiting_job_never_starts_later_than_planned(made: list[dict[str, Any]]) -> None:
    """With honest limits a plan of the queue's head is a promise, up to the resolution of the table."""
    system = Controller(parse_workload(document(*made, nodes=4)), overheads=Overheads(0, 0))
    promised: dict[str, int] = {}
    while (now := system.next_time()) is not None:
        system.instant(now)
        head = min(system.pending.values(), key=lambda one: -one.priority, default=None)
        if head is not None and head.planned is not None:
            promised.setdefault(head.key, head.planned)
            promised[head.key] = min(promised[head.key], head.planned)
    for key, planned in promised.items():
        assert system.jobs[key].runs[0].start <= planned + 60


@no_health_check(100)
@given(jobs(plain=True))
def test_builtin_starts_in_the_order_of_submission(made: list[dict[str, Any]]) -> None:
    workload = parse_workload(document(*made, nodes=4, config={"SchedulerType": "sched/builtin"}))
    starts = [record.start for record in simulate_slurm(workload).jobs]
    assert all(start is not None for start in starts) and starts == sorted(starts)  # type: ignore[type-var]


@no_health_check(60)
@given(jobs(plain=True))
def test_everything_ends(made: list[dict[str, Any]]) -> None:
    trace = simulate_slurm(parse_workload(document(*made, nodes=4))).validate()
    assert {record.state for record in trace.jobs} <= {"COMPLETED", "TIMEOUT"}
