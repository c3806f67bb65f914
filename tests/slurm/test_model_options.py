"""Options whose effect no measured schedule shows: each does what slurm.conf(5) says of it, or is known to do nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from clustersim.errors import UnsupportedError
from clustersim.experiments import backfill_grid
from clustersim.slurm import Controller, parse_workload
from clustersim.slurm.priority import Priorities
from tests.slurm.build import LAB, document, job, places, run, starts

EVERY_SECOND = "bf_interval=1,sched_interval=2,batch_sched_delay=0"
EVERY_HALF_MINUTE = "bf_interval=30,sched_interval=600,batch_sched_delay=0"
# d fits beside b, the first that waits, but not beside c, the second: see test_it_is_nearer_to_conservative_than_to_easy.
FOUR = (
    job("a", 0, 600, 10, nodes=2),
    job("b", 1, 600, 10, nodes=3),
    job("c", 2, 300, 5, nodes=4),
    job("d", 3, 1200, 20, nodes=1),
)


def options(text: str, base: str = EVERY_SECOND) -> dict[str, str]:
    return {"SchedulerParameters": f"{base},{text}" if text else base}


# --- backfill ----------------------------------------------------------------------------------------------------


def test_with_one_plan_a_partition_slurm_does_what_easy_does() -> None:
    assert starts(run(*FOUR, config=options("")))["d"] == 1500
    easy = starts(run(*FOUR, config=options("bf_job_part_count_reserve=1")))
    assert easy["d"] == 3 and easy["b"] == 600, "b keeps its promise, c has none"
    assert easy["c"] is not None and easy["c"] >= 1203


@pytest.mark.parametrize("option", ["bf_min_age_reserve=5", "bf_min_prio_reserve=4294901758"])
def test_young_and_low_jobs_get_no_plan(option: str) -> None:
    assert starts(run(*FOUR, config=options(option)))["d"] == 3


@pytest.mark.parametrize(("option", "second"), [
    ("bf_max_job_start=5", 30), ("bf_max_job_start=1", 90), ("bf_max_job_user=1", 90), ("bf_max_job_part=2", 90),
])
def test_bounds_of_one_round(option: str, second: int) -> None:
    """Two short jobs of one user could both pass in the round at 30 s; the one at 0 s had nothing to look at."""
    short = [job(f"s{i}", 2, 60, 2, user="bob") for i in (1, 2)]
    jobs = (job("a", 0, 600, 10, nodes=2), job("wide", 1, 60, 2, nodes=4), *short)
    found = starts(run(*jobs, config=options(option, EVERY_HALF_MINUTE)))
    assert (found["s1"], found["s2"]) == (30, second)


def test_an_array_gets_so_many_plans_and_no_more() -> None:
    """Two tasks of two nodes are planned for 600 s; with one plan only, one node is left for a job of 15 minutes."""
    jobs = (job("a", 0, 600, 10, nodes=3), job("arr", 1, 60, 2, nodes=2, array="1-3"), job("late", 2, 800, 15))
    assert starts(run(*jobs, config=options("bf_max_job_array_resv=1")))["late"] == 2
    late = starts(run(*jobs, config=options("")))["late"]
    assert late is not None and late >= 600


def test_a_coarse_grid_shortens_the_hole() -> None:
    """The hole is 26 min; its end at 27 min is rounded down to the grid, and an end that touches it collides."""
    for grid in backfill_grid.GRIDS:
        end = 27 * 60 // grid * grid
        most = max((limit for limit in range(1, 27) if (60 + 60 * limit) // grid * grid < end), default=0)
        assert backfill_grid.longest(grid, 27) <= most
        assert backfill_grid.longest(grid, 27) == max((limit for limit in range(1, 27) if 60 + 60 * limit < end), default=0)


def test_options_that_bound_computing_time_change_nothing() -> None:
    plain = starts(run(*FOUR, config=options("")))
    assert starts(run(*FOUR, config=options("max_sched_time=1,bf_max_time=1,bf_continue,sched_min_interval=1000"))) == plain


def test_defer_gathers_what_a_cleanup_would_wake() -> None:
    """Without backfill the next job starts when the main loop runs: at once, or gathered with others."""
    jobs = (job("a", 0, 100, 5, nodes=4), job("b", 95, 50, 5, nodes=4), job("x", 99, 10, 5, nodes=4))
    base = "sched_interval=600,batch_sched_delay=20"
    builtin = {"SchedulerType": "sched/builtin"}
    assert starts(run(*jobs, config={**builtin, "SchedulerParameters": base}))["b"] == 100
    deferred = starts(run(*jobs, config={**builtin, "SchedulerParameters": f"{base},defer"}))["b"]
    assert deferred is not None and deferred > 100


# --- priority ----------------------------------------------------------------------------------------------------


def size_factor(**config: str) -> float:
    """Priority of a job with 1 of 4 nodes, 4 of 16 cores and a limit of 10 min, with a weight of 1000 on size alone."""
    config = {"PriorityType": "priority/multifactor", "PriorityWeightJobSize": "1000", **config}
    system = Controller(parse_workload(document(job("a", limit=10, ntasks=4, nodes=1), config=config)))
    priorities = Priorities(system.cluster, system.settings, system.accounting)
    one = system_job(system)
    priorities.submit(one, 0)
    return one.priority


def system_job(system: Controller) -> Any:
    system.instant(0)
    return replace(next(iter({**system.pending, **system.running}.values())), total_cpus=4)


def test_job_size_can_favour_the_small_and_the_short() -> None:
    assert size_factor() == 250  # (1/4 + 4/16) / 2
    assert size_factor(PriorityFavorSmall="YES") == 750
    # slurm.conf(5): the size is divided by the time limit in minutes
    assert size_factor(PriorityFlags="SMALL_RELATIVE_TO_TIME") == 25
    assert size_factor(PriorityFlags="SMALL_RELATIVE_TO_TIME", PriorityFavorSmall="YES") == 975


# --- partitions, nodes, preemption -------------------------------------------------------------------------------


def test_min_nodes_of_a_partition() -> None:
    part = [{"name": "main", "MinNodes": "2", "OverSubscribe": "EXCLUSIVE"}]
    trace = run(job("few", nodes=1), job("open"), partitions=part, config={"EnforcePartLimits": "ALL"})
    assert trace.job("few").state == "REJECTED"
    assert len(places(trace)["open"]) == 2


def test_without_job_requeue_a_lost_job_fails() -> None:
    down = [{"at": 30, "do": "down", "nodes": "n1", "reason": "x"}]
    again = run(job("a", 0, 100, 5), events=down)
    assert [one.state for one in again.job("a").runs] == ["NODE_FAIL", "COMPLETED"]
    never = run(job("a", 0, 100, 5), events=down, config={"JobRequeue": "0"})
    assert never.job("a").state == "NODE_FAIL" and len(never.job("a").runs) == 1


def test_memory_is_not_given_out() -> None:
    nodes = [{"name": "n1", "cpus": 4, "memory_mb": 1}]
    assert starts(run(*(job(f"j{i}", i) for i in range(4)), nodes=nodes, exclusive=False)) == {f"j{i}": i for i in range(4)}


def test_sharing_cores_is_refused() -> None:
    with pytest.raises(UnsupportedError, match="several jobs on one core"):
        run(job("a"), partitions=[{"name": "main", "OverSubscribe": "FORCE:2"}])
    shared = run(job("a", ntasks=4), job("b", 1), nodes=1, partitions=[{"name": "main", "OverSubscribe": "YES:4"}])
    assert starts(shared)["b"] == 60


def preempting(mode: str, more: str = "") -> dict[str, str]:
    return {"PreemptType": "preempt/qos", "PreemptMode": mode, "AccountingStorageEnforce": "associations,limits,qos",
            **options(more)}


PREY = {**LAB, "qos": [{"name": "low", "priority": 10}, {"name": "high", "priority": 100, "preempt": "low"}]}


def victims(more: str, sizes: tuple[int, ...], wanted: int) -> set[str]:
    """Who is preempted of jobs v1, v2, ... of low QOS that came one after the other, when one of high QOS wants nodes."""
    low = [job(f"v{i + 1}", 60 * i, 600, 20, qos="low", account="lab", nodes=nodes) for i, nodes in enumerate(sizes)]
    high = job("new", 300, 60, 5, qos="high", account="lab", nodes=wanted)
    trace = run(*low, high, nodes=sum(sizes), accounting=PREY, config=preempting("CANCEL", more))
    return {one.id for one in trace.jobs if one.state == "PREEMPTED"}


def test_the_youngest_victim_can_come_first() -> None:
    assert victims("", (1, 1), 1) == {"v1"}
    assert victims("preempt_youngest_first", (1, 1), 1) == {"v2"}


def test_strict_order_of_victims() -> None:
    """Four nodes wanted of v1, v2 and v3 with one, two and three: all three had to go until v3 was tried first.

    As a rule v2 comes after it, which gives more of the nodes chosen than v1; in strict order v1, the smaller.
    """
    assert victims("", (1, 2, 3), 4) == {"v2", "v3"}
    assert victims("preempt_strict_order", (1, 2, 3), 4) == {"v1", "v3"}


def test_time_slices_are_not_taken() -> None:
    """Two jobs of one partition on one node: the second waits for the end of the first, however short the slice."""
    part = [{"name": "main", "OverSubscribe": "FORCE:1"}]
    config = {"PreemptType": "preempt/partition_prio", "PreemptMode": "SUSPEND,GANG", "SchedulerTimeSlice": "5"}
    trace = run(job("a", 0, 300, 10, ntasks=4), job("b", 1, 300, 10, ntasks=4), nodes=1, partitions=part, config=config)
    assert starts(trace) == {"a": 0, "b": 300}
