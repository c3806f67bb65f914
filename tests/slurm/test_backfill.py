"""The backfill loop: every tested job is planned, and nobody passes at a plan's expense (facts/slurm.md, section 1)."""

from __future__ import annotations

from clustersim.slurm import Session, parse_workload
from clustersim.slurm.nodespace import NodeSpace
from tests.slurm.build import NO_OVERHEADS, document, job, places, run, starts


def test_a_short_job_passes_a_long_one_does_not() -> None:
    trace = run(job("a", 0, 600, 10, nodes=3), job("wide", 1, 60, 2, nodes=4), job("long", 2, 60, 20), job("short", 3, 60, 9))
    assert starts(trace) == {"a": 0, "wide": 600, "long": 660, "short": 3}
    assert [e.detail["scheduler"] for e in trace.events() if e.kind == "start" and e.subject == "short"] == ["backfill"]


def test_only_limits_count_not_real_run_times() -> None:
    trace = run(job("a", 0, 60, 10, nodes=3), job("wide", 1, 60, 2, nodes=4), job("honest", 2, 500, 9))
    assert starts(trace)["honest"] == 2 and starts(trace)["wide"] == 502  # a ended early; the passer was still there


def test_it_is_nearer_to_conservative_than_to_easy() -> None:
    """d would not delay the first waiting job, but it would delay the second: it may not start."""
    trace = run(
        job("a", 0, 600, 10, nodes=2),
        job("b", 1, 600, 10, nodes=3),
        job("c", 2, 300, 5, nodes=4),
        job("d", 3, 1200, 20, nodes=1),
    )
    assert starts(trace) == {"a": 0, "b": 600, "c": 1200, "d": 1500}
    easy_would = run(job("a", 0, 600, 10, nodes=2), job("b", 1, 600, 10, nodes=3), job("d", 3, 1200, 20, nodes=1))
    assert starts(easy_would)["d"] == 3


def test_bf_max_job_test_bounds_the_walk() -> None:
    jobs = [job("a", 0, 600, 10, nodes=3), *(job(f"w{i}", 1, 60, 2, nodes=4) for i in range(3)), job("short", 2, 60, 5)]
    base = "bf_interval=1,sched_interval=2,batch_sched_delay=0"
    assert starts(run(*jobs, config={"SchedulerParameters": base}))["short"] == 2
    assert starts(run(*jobs, config={"SchedulerParameters": f"{base},bf_max_job_test=3"}))["short"] != 2


def test_a_cycle_comes_bf_interval_after_the_last() -> None:
    config = {"SchedulerParameters": "bf_interval=30,sched_interval=60,batch_sched_delay=0"}
    trace = run(job("a", 0, 600, 10, nodes=3), job("wide", 100, 60, 2, nodes=4), job("s", 110, 60, 2), config=config)
    assert starts(trace)["s"] == 130  # the cycle at 100 planned "wide"; the next is 30 s later


def test_plans_beyond_the_window_hold_nobody() -> None:
    """A plan that starts later than bf_window is not made: the long job may pass, and delays the head."""
    jobs = (job("a", 0, 7000, 120, nodes=3), job("wide", 1, 60, 2, nodes=4), job("long", 2, 9000, 150))
    base = "bf_interval=1,sched_interval=2,batch_sched_delay=0"
    assert starts(run(*jobs, config={"SchedulerParameters": base}))["long"] == 7060
    assert starts(run(*jobs, config={"SchedulerParameters": f"{base},bf_window=60"}))["long"] == 2


def test_without_a_limit_nothing_can_be_planned_behind_a_job() -> None:
    trace = run(job("a", 0, 600, None, nodes=3), job("wide", 1, 60, 2, nodes=4), job("long", 2, 6000, 100))
    assert starts(trace)["long"] == 2


def test_default_time_counts_as_the_limit() -> None:
    parts = [{"name": "main", "DefaultTime": "10", "OverSubscribe": "EXCLUSIVE"}]
    trace = run(
        job("a", 0, 300, None, nodes=3),
        job("wide", 1, 60, 2, nodes=4),
        job("s", 2, 60, 9),
        job("l", 3, 60, 12),
        partitions=parts,
    )
    assert starts(trace) == {"a": 0, "wide": 300, "s": 2, "l": 360}


def test_idle_nodes_kept_for_a_plan_are_planned() -> None:
    trace = run(job("a", 0, 600, 10, nodes=3), job("wide", 1, 60, 2, nodes=4))
    states = [(e.time, e.detail["state"]) for e in trace.events() if e.kind == "node" and e.subject == "n4"]
    assert states == [(0, "idle"), (1, "planned"), (600, "allocated"), (660, "idle")]


def test_builtin_plans_but_starts_nothing() -> None:
    trace = run(
        job("a", 0, 600, 10, nodes=3),
        job("wide", 1, 60, 2, nodes=4),
        job("s", 2, 60, 2),
        config={"SchedulerType": "sched/builtin"},
    )
    assert starts(trace)["s"] == 660
    assert not [e for e in trace.events() if e.kind == "node" and e.detail["state"] == "planned"]


def table(space: NodeSpace) -> list[tuple[int, int, int]]:
    return list(zip(space.times, space.times[1:], space.nodes, strict=False))


def test_the_table_of_free_nodes_is_rounded_to_the_resolution() -> None:
    space = NodeSpace(65, 60, 3600, 0b1111)
    space.reserve(space.floor(130), space.floor(250), 0b0011)
    assert table(space) == [
        (60, 120, 0b1111),
        (120, 240, 0b1100),
        (240, 3660, 0b1111),
    ]
    assert space.between(65, 100, 0b1111) == (0b1111, 240)
    assert space.between(65, 130, 0b1111) == (0b1100, 240)
    assert space.clashes(180, 240, 0b0001) and not space.clashes(240, 300, 0b0001)


def test_a_plan_covers_one_step_at_least() -> None:
    space = NodeSpace(0, 60, 3600, 0b1)
    space.reserve(120, 120, 0b1)
    assert table(space) == [(0, 120, 1), (120, 180, 0), (180, 3600, 1)]


def test_equal_neighbours_are_merged() -> None:
    space = NodeSpace(0, 60, 600, 0b11)
    space.reserve(60, 120, 0b1)
    space.reserve(120, 180, 0b1)
    assert table(space) == [(0, 60, 3), (60, 180, 2), (180, 600, 3)]


def test_completing_nodes_are_planned_not_used() -> None:
    """Backfill gives the first job the node that completes, and the second the clean ones; measured: clean_one_by_one."""
    jobs = (job("stubborn", 0, 600, 5, nodes=3, ignore_term=True), job("b", 5, 30, 2, nodes=1), job("c", 6, 60, 2, nodes=2))
    trace = run(*jobs, nodes=3, config={"KillWait": 40}, events=[{"at": 100, "do": "scancel", "job": "stubborn"}])
    assert trace.job("stubborn").runs[0].released == 140 == starts(trace)["b"] and starts(trace)["c"] == 100
    assert (places(trace)["b"], places(trace)["c"]) == (("n1",), ("n2", "n3"))


def test_a_plan_may_move_back_when_the_first_job_to_end_has_ended() -> None:
    """Running jobs are taken away in windows that double from the end of the first of them (``_will_run_test`` in
    ``cons_common/job_test.c``). At 120 s the wide job is planned for 480 s, when the fourth node is free. A second later the
    first to end is another one, whose windows take in the job that ends at 660 s as well: in this round the plan is 660 s, on
    other nodes, and a job of seven minutes may start on the node that the earlier plan had.
    """
    nodes = [{"name": "n[1-2]", "cpus": 2}, {"name": "m[1-2]", "cpus": 1}]
    early = [("a", 0, 11, 1), ("b", 0, 8, 1), ("c", 60, 1, 1), ("wide", 60, 1, 3)]
    late = [("d", 61, 7, 1), ("e", 61, 1, 1), ("f", 61, 1, 1)]
    jobs = [job(name, at, limit * 60, limit, nodes=count) for name, at, limit, count in [*early, *late]]
    lab = Session(parse_workload(document(*jobs, nodes=nodes)), overheads=NO_OVERHEADS)
    assert [lab.run_until(time).row("wide").planned for time in (60, 120, 121)] == [480, 480, 660]
    assert lab.row("d").start == 121 and lab.run_until(600).row("wide").start == 541


def test_a_plan_that_no_longer_fits_by_the_clock_alone_makes_room() -> None:
    """K may start at 410 and reach to the grid's 600, where P is planned, as long as a test of its four minutes from now on
    ends before 600; from 360 on it does not, K is planned behind P, and J gets the core. Measured: preempt_levels_shared."""
    jobs = (
        job("R1", 48, 590, 10, nodes=1, ntasks=3),
        job("R2", 50, 350, 6, nodes=1, exclusive=True),
        job("P", 60, 300, 6, nodes=2, ntasks=8),
        job("K", 70, 200, 4, nodes=2),
        job("J", 340, 30, 3, nodes=1),
    )
    begun = starts(run(*jobs, nodes=2, cpus=4, exclusive=False))
    assert begun["J"] in {360, 361}
