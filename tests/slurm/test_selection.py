"""Which nodes and GPUs a job gets (facts/slurm.md, section 3)."""

from __future__ import annotations

from typing import Any

import pytest

from clustersim.slurm.features import parse_constraint
from clustersim.slurm.fill import lowest
from tests.slurm.build import gpus, job, places, run, starts

MIXED = [
    {"name": "c[1-2]", "cpus": 8, "weight": 10, "features": ["cpu", "old"]},
    {"name": "d[1-2]", "cpus": 16, "weight": 20, "features": ["cpu", "new"]},
    {"name": "g1", "cpus": 16, "weight": 5, "features": ["gpu", "new"], "gpus": 4, "gpu_type": "a100"},
]


def on_mixed(*jobs: dict[str, Any]) -> dict[str, tuple[str, ...]]:
    return places(run(*jobs, nodes=MIXED, exclusive=False))


def test_low_weights_are_used_up_first() -> None:
    assert on_mixed(job("a", ntasks=16), job("b", 1, ntasks=8), job("c", 2, ntasks=4)) == {
        "a": ("g1",),
        "b": ("c1",),
        "c": ("c2",),
    }


def test_a_job_spans_weights_lowest_first() -> None:
    assert on_mixed(job("a", nodes=4))["a"] == ("c1", "c2", "d1", "g1")


def test_best_fit_fills_a_started_node_only_if_it_fits_better() -> None:
    trace = run(job("a", ntasks=3), job("b", 1, ntasks=6), job("c", 2, ntasks=5), nodes=3, cpus=8, exclusive=False)
    assert places(trace) == {"a": ("n1",), "b": ("n2",), "c": ("n1",)}


def test_runs_of_neighbours_the_tightest_that_suffices() -> None:
    jobs = (
        job("a", 0, 1000, 20, nodes=1),
        job("b", 1, 1000, 20, nodes=2),
        job("hole", 2, 50, 5, nodes=2),
        job("d", 3, 1000, 20, nodes=1),
        job("pair", 100, 50, 5, nodes=2),
    )
    trace = run(*jobs, nodes=9)
    assert places(trace)["hole"] == ("n4", "n5")
    assert places(trace)["pair"] == ("n4", "n5")  # a hole of two, rather than breaking the run n7 to n9


def test_when_no_run_suffices_the_biggest_comes_first() -> None:
    jobs = [job(f"x{i}", i, 1000 if i in {3, 8} else 10, 20, nodes=1) for i in range(1, 11)]
    trace = run(*jobs, job("wide", 100, 50, 5, nodes=6), nodes=10)
    assert places(trace)["x3"] == ("n3",) and places(trace)["x8"] == ("n8",)
    assert places(trace)["wide"] == ("n1", "n2", "n4", "n5", "n6", "n7")


def test_tasks_without_a_node_count_use_the_fewest_nodes() -> None:
    trace = run(
        job("a", ntasks=6),
        job("b", 1, ntasks=8, nodes=2),
        job("c", 2, ntasks=2, cpus_per_task=3),
        nodes=4,
        cpus=4,
        exclusive=False,
    )
    assert places(trace) == {"a": ("n1", "n2"), "b": ("n3", "n4"), "c": ("n1", "n2")}
    assert [place.cpus for place in trace.job("a").runs[0].places] == [4, 2]
    assert [place.cpus for place in trace.job("b").runs[0].places] == [4, 4]
    assert starts(trace)["c"] == 60  # two tasks of three cores need two nodes with three free


def test_a_range_of_nodes_takes_as_many_as_there_are() -> None:
    """--nodes=LEAST-MOST: ``_get_req_features`` asks for the most, and the least will do."""
    jobs = [job("a", nodes=2), job("r", 1, nodes="1-4"), job("w", 2, nodes="4-9")]
    spots = places(run(*jobs, nodes=5))
    assert spots["r"] == ("n3", "n4", "n5") and spots["w"] == ("n1", "n2", "n3", "n4", "n5")


def test_of_a_range_no_node_holds_more_cores_than_there_are_tasks_for() -> None:
    """Two nodes would do, so eight and one core are chosen and one more for the third; nine tasks are dealt out to them
    (``dist_tasks_compute_c_b``; measured: node_ranges_switches)."""
    trace = run(job("a", nodes="2-3", ntasks=9), nodes=3, cpus=8, exclusive=False)
    assert [place.cpus for place in trace.job("a").runs[0].places] == [7, 1, 1]


def test_more_nodes_than_tasks_are_never_asked_for() -> None:
    """sbatch cuts both ends of a range to the number of tasks (``sbatch/opt.c``)."""
    spots = places(run(job("a", nodes="1-4", ntasks=2), job("b", 1, nodes="3-5", ntasks=2), nodes=6))
    assert (len(spots["a"]), len(spots["b"])) == (2, 2)


def test_a_request_that_poor_nodes_would_spoil_leaves_them_out() -> None:
    """choose_nodes retries without the nodes that have least ("knapsack problem")."""
    trace = run(
        job("a", 0, 500, 10, ntasks=3),
        job("b", 1, 500, 10, ntasks=3, nodelist="n2"),
        job("two", 2, 50, 5, nodes=2, ntasks=8),
        nodes=4,
        cpus=4,
        exclusive=False,
    )
    assert places(trace)["two"] == ("n3", "n4") and starts(trace)["two"] == 2


def test_gpus_are_packed_and_given_lowest_index_first() -> None:
    trace = run(
        job("a", 0, 500, 10, gpus_per_node=1),
        job("b", 1, 100, 10, gpus_per_node=2),
        job("c", 2, 500, 10, gpus_per_node=1),
        job("d", 200, 500, 10, gpus_per_node=3),
        job("e", 201, 500, 10, gpus_per_node=2),
        nodes=2,
        cpus=16,
        gpus=4,
        exclusive=False,
    )
    assert places(trace) == {"a": ("n1",), "b": ("n1",), "c": ("n1",), "d": ("n2",), "e": ("n1",)}
    assert gpus(trace, "b") == [(1, 2)] and gpus(trace, "c") == [(3,)] and gpus(trace, "e") == [(1, 2)]


def test_least_loaded_nodes_spread_jobs() -> None:
    trace = run(
        *(job(f"j{i}", i, 500, 10, gpus_per_node=1) for i in range(4)),
        nodes=3,
        cpus=16,
        gpus=4,
        exclusive=False,
        config={"SelectTypeParameters": "CR_Core,CR_LLN"},
    )
    assert [nodes[0] for nodes in places(trace).values()] == ["n1", "n2", "n3", "n1"]
    trace = run(*(job(f"j{i}", i, 500, 10) for i in range(2)), nodes=2, partitions=[{"name": "main", "LLN": "YES"}])
    assert places(trace) == {"j0": ("n1",), "j1": ("n2",)}


def test_gpus_of_a_job_may_lie_on_several_nodes() -> None:
    trace = run(job("a", gpus=5), job("b", 1, gpus_per_task=2, ntasks=2), nodes=3, cpus=16, gpus=4, exclusive=False)
    assert places(trace) == {"a": ("n1", "n2"), "b": ("n3",)}
    assert gpus(trace, "a") == [(0, 1, 2, 3), (0,)] and gpus(trace, "b") == [(0, 1, 2, 3)]


def test_typed_gpus_and_unknown_types() -> None:
    nodes = [{"name": "a1", "cpus": 8, "gpus": 2, "gpu_type": "v100"}, {"name": "b1", "cpus": 8, "gpus": 2, "gpu_type": "a100"}]
    trace = run(
        job("a", extra_args=["--gres=gpu:a100:1"]), job("b", 1, extra_args=["--gres=gpu:h100:1"]), nodes=nodes, exclusive=False
    )
    assert places(trace) == {"a": ("b1",)}
    assert trace.job("b").state == "REJECTED"
    assert next(e.detail["why"] for e in trace.events() if e.kind == "reject").endswith(
        "Requested node configuration is not available"
    )


def test_exclusive_takes_an_empty_node_with_all_that_is_in_it() -> None:
    trace = run(
        job("s", 0, 300, 10, ntasks=1),
        job("x", 1, 60, 5, ntasks=1, exclusive=True),
        job("y", 2, 60, 5, gpus_per_node=1),
        nodes=2,
        cpus=8,
        gpus=2,
        exclusive=False,
    )
    assert places(trace) == {"s": ("n1",), "x": ("n2",), "y": ("n1",)}
    assert trace.job("x").runs[0].places[0].cpus == 8 and gpus(trace, "x") == [(0, 1)]


def test_exclusive_user_shares_with_own_jobs_only() -> None:
    trace = run(
        job("a", 0, 100, 5, ntasks=2, exclusive="user", user="alice"),
        job("b", 1, 50, 5, ntasks=2, user="bob"),
        job("c", 2, 50, 5, ntasks=2, user="alice"),
        nodes=1,
        cpus=8,
        exclusive=False,
    )
    assert starts(trace) == {"a": 0, "b": 100, "c": 2}


@pytest.mark.parametrize(("constraint", "node"), [("new", "g1"), ("cpu&new", "d1"), ("gpu|old", "g1"), ("old", "c1")])
def test_constraints_choose(constraint: str, node: str) -> None:
    assert on_mixed(job("a", constraint=constraint))["a"] == (node,)


def test_the_order_of_nodes_is_that_of_their_names() -> None:
    """Not that of the file: the controller sorts its table, numbers in names as numbers."""
    listed = [{"name": name, "cpus": 4} for name in ("n10", "n2", "m1")]
    assert places(run(job("a", nodes=1), job("b", 1, nodes=2), nodes=listed)) == {"a": ("m1",), "b": ("n2", "n10")}


def test_tasks_of_several_cores_are_squeezed_into_what_was_chosen() -> None:
    """Three tasks of three cores on four and five chosen: the third gets one core and one it shares (measured)."""
    jobs = (job("a", 0, 100, 5, ntasks=4), job("b", 1, 100, 5, ntasks=3, cpus_per_task=3))
    trace = run(*jobs, nodes=2, cpus=8, exclusive=False)
    assert [place.cpus for place in trace.job("b").runs[0].places] == [4, 3]
    alone = run(job("b", 1, 100, 5, ntasks=3, cpus_per_task=3), nodes=2, cpus=6, exclusive=False)
    assert [place.cpus for place in alone.job("b").runs[0].places] == [6, 3]


def test_an_empty_node_is_as_good_as_a_started_one_for_a_task_with_gpus() -> None:
    """Its node counts with the cores it needs and no more, so the first that fits is taken (``gres_select_filter_sock_core``;
    measured: mix_gpus). Without GPUs the started node fits better."""
    other = job("a", 0, 300, 9, ntasks=5, nodelist="n2")
    for more, node in (({"gpus_per_node": 2}, "n1"), ({}, "n2")):
        trace = run(other, job("b", 1, ntasks=1, **more), nodes=2, cpus=16, gpus=4, exclusive=False)
        assert places(trace)["b"] == (node,)


def test_nodes_that_must_be_alike() -> None:
    """``[a|b]``: the first kind with enough nodes, and never a mixture; measured: features_alike."""
    assert on_mixed(job("a", nodes=2, constraint="[old|new]"))["a"] == ("c1", "c2")
    jobs = (job("x", 0, 100, constraint="[old|new]", nodes=2), job("y", 1, 300, 9, constraint="[old|new]", nodes=2),
            job("z", 2, 60, constraint="[old|new]", nodes=2))
    kinds = [{"name": "o[1-3]", "cpus": 4, "features": ["old"]}, {"name": "n[1-3]", "cpus": 4, "features": ["new"]}]
    trace = run(*jobs, nodes=kinds)
    assert places(trace) == {"x": ("o1", "o2"), "y": ("n1", "n2"), "z": ("o1", "o2")} and starts(trace)["z"] == 100
    assert run(job("a", nodes=4, constraint="[old|new]"), nodes=kinds).job("a").state == "REJECTED"
    assert run(job("a", nodes=4, constraint="old|new"), nodes=kinds).job("a").state == "COMPLETED"


def test_counted_features() -> None:
    assert on_mixed(job("a", nodes=3, constraint="[new*2&old*1]"))["a"] == ("c1", "d1", "g1")
    assert parse_constraint("[new*2&old*1]").counts == (("new", 2), ("old", 1))


@pytest.mark.parametrize(("constraint", "nodes", "found"), [
    ("new*1", 3, ("c1", "c2", "d1")), ("cpu&new*1", 2, ("c1", "d1")), ("[cpu*1&new*2]", 4, ("c1", "c2", "d1", "d2")),
    ("new*1&old*1", 2, "Requested node configuration is not available"),
    ("new*2", 1, "Requested node configuration is not available"),
    ("[new*2&cpu*2]", 2, "Requested node configuration is not available"),
    ("[cpu&new*2]", 3, "Invalid feature specification"),
])
def test_counts_as_measured(constraint: str, nodes: int, found: str | tuple[str, ...]) -> None:
    """What a real sbatch made of them: features_probe."""
    listed = [{"name": "c[1-3]", "cpus": 4, "features": ["cpu", "old"], "weight": 1},
              {"name": "d[1-3]", "cpus": 4, "features": ["cpu", "new"], "weight": 5}]
    trace = run(job("a", nodes=nodes, constraint=constraint), nodes=listed)
    if isinstance(found, tuple):
        assert places(trace)["a"] == found
    else:
        assert [found in event.detail["why"] for event in trace.events() if event.kind == "reject"] == [True]


def test_nodelist_and_exclude() -> None:
    trace = run(job("a", nodes=2, nodelist="n3"), job("b", 1, nodes=1, exclude="n[1-2]"), nodes=4)
    assert places(trace) == {"a": ("n3", "n4"), "b": ("n3",)}
    assert starts(trace)["b"] == 60


SWITCHES = [
    {"name": "s1", "nodes": "n[1-4]"},
    {"name": "s2", "nodes": "n[5-8]"},
    {"name": "s3", "nodes": "n[9-12]"},
    {"name": "top", "switches": "s[1-3]"},
]


def test_the_leaf_with_the_fewest_free_nodes_that_holds_the_job() -> None:
    trace = run(
        job("a", 0, 500, 10, nodes=3),
        job("b", 1, 500, 10, nodes=2),
        job("c", 2, 500, 10, nodes=1),
        job("d", 3, 500, 10, nodes=2),
        job("e", 4, 500, 10, nodes=3),
        nodes=12,
        switches=SWITCHES,
    )
    assert places(trace) == {
        "a": ("n1", "n2", "n3"),
        "b": ("n5", "n6"),
        "c": ("n4",),
        "d": ("n7", "n8"),
        "e": ("n9", "n10", "n11"),
    }


def test_waiting_for_few_switches_has_an_end() -> None:
    jobs = (
        job("a", 0, 2000, 60, nodes=2),
        job("b", 1, 2000, 60, nodes=2, nodelist="n[5-6]"),
        job("c", 2, 2000, 60, nodes=2, nodelist="n[9-10]"),
    )
    spread = run(*jobs, job("w", 3, 60, 5, nodes=4), nodes=12, switches=SWITCHES)
    patient = run(*jobs, job("w", 3, 60, 5, nodes=4, switches="1@10"), nodes=12, switches=SWITCHES)
    assert starts(spread)["w"] == 3
    assert starts(patient)["w"] == 303  # cut at max_switch_wait
    longer = {"SchedulerParameters": "bf_interval=1,sched_interval=2,batch_sched_delay=0,max_switch_wait=3600"}
    told = run(*jobs, job("w", 3, 60, 5, nodes=4, switches="1@10"), nodes=12, switches=SWITCHES, config=longer)
    assert starts(told)["w"] == 603  # ten minutes later


def test_the_wait_for_few_switches_begins_with_the_submission() -> None:
    """``wait4switch_start`` is set when a place is first looked for (``_eval_nodes_topo``); measured: topology_switches."""
    jobs = (job("a", 0, 300, 60, nodes=12), job("w", 2, 60, 5, nodes=4, switches="1@2"))
    drain = [{"at": 200, "do": "drain", "nodes": "n[1,5,9]", "reason": "disk"}]  # three nodes are left below each switch
    assert starts(run(*jobs, nodes=12, switches=SWITCHES, events=drain))["w"] == 300
    wide = run(job("w", 0, 60, 5, nodes=5, switches="1@1"), nodes=12, switches=SWITCHES)
    assert starts(wide)["w"] == 60  # no switch has five nodes: it is not refused, but waits its minute


def test_no_node_gets_more_tasks_than_asked_for() -> None:
    jobs = (job("a", nodes=2, ntasks_per_node=3), job("b", 1, ntasks=6, ntasks_per_node=4))
    trace = run(*jobs, nodes=2, cpus=16, exclusive=False)
    assert [place.cpus for place in trace.job("a").runs[0].places] == [3, 3]
    assert [place.cpus for place in trace.job("b").runs[0].places] == [4, 4]  # measured


def test_many_nodes_at_once_are_the_lowest() -> None:
    assert lowest(0b110110, 3) == 0b010110 and lowest(0b101, 5) == 0b101 and lowest(0b101, 0) == 0


def test_every_task_has_its_gpus_on_its_own_node() -> None:
    """``gres_select_filter_sock_core``: as many tasks as there are GPUs for; measured: gpu_pack_four."""
    busy = [job("a", 0, 100, nodes=1, gpus_per_node=3, nodelist="n1"), job("b", 1, 900, 20, gpus_per_node=2, nodelist="n2")]
    shape = {"nodes": 2, "gpus": 4, "cpus": 8, "exclusive": False}
    pairs = run(*busy, job("w", 2, 50, nodes=2, ntasks_per_node=2, gpus_per_task=1), **shape)
    assert starts(pairs)["w"] == 100  # one GPU on n1 is not enough for two tasks
    three = run(*busy, job("w", 2, 50, ntasks=3, gpus_per_task=1), **shape)
    assert starts(three)["w"] == 2 and places(three)["w"] == ("n1", "n2") and gpus(three, "w") == [(3,), (2, 3)]


@pytest.mark.parametrize("select", ["CR_Core", "CR_Core,CR_LLN"])
def test_nodes_with_more_gpus_for_the_job_come_first(select: str) -> None:
    """The last byte of ``sched_weight`` in ``can_job_run_on_node``; measured: gpu_lln_mixed."""
    a = job("a", 0, 900, 20, gpus_per_node=3, nodelist="n1")
    b = job("b", 1, 900, 20, gpus_per_node=1, ntasks=4, nodelist="n2")
    config = {"SelectTypeParameters": select}
    trace = run(a, b, job("w", 2, 50, gpus=3), nodes=2, gpus=4, cpus=8, exclusive=False, config=config)
    assert places(trace)["w"] == ("n2",)


def test_a_feature_count_looks_for_one_core_on_each_node() -> None:
    """``_get_req_features`` sets ``min_cpus`` to the count meanwhile; measured: features_weights_more."""
    nodes = [{"name": "a1", "cpus": 2, "features": ["a"]}, {"name": "b[1-2]", "cpus": 2, "features": ["b"]}]
    busy = job("x", 0, 100, ntasks=1, nodelist="a1")
    trace = run(busy, job("w", 1, 50, nodes=3, constraint="[a*1&b*2]"), nodes=nodes, exclusive=False)
    assert starts(trace)["w"] == 1


def test_a_bracketed_count_prefers_nodes_that_have_the_first_feature_too() -> None:
    """``feature_bits`` in ``_pick_best_nodes`` are tried one after the other; measured: features_alike_counts."""
    nodes = [
        {"name": "a1", "cpus": 2, "features": ["x"]},
        {"name": "b[1-2]", "cpus": 2, "features": ["y"]},
        {"name": "c[1-2]", "cpus": 4, "features": ["x", "y"]},
    ]
    trace = run(job("w", 0, 50, nodes=3, constraint="[x*1&y*2]"), nodes=nodes, exclusive=False)
    assert places(trace)["w"] == ("a1", "c1", "c2")


def test_each_node_gives_cores_for_all_tasks_per_node() -> None:
    """``pn_min_cpus`` in ``_copy_job_desc_to_job_record`` and ``_cpus_to_use``; measured: shapes_odd_cores."""
    trace = run(job("w", 0, 50, ntasks=5, ntasks_per_node=2, cpus_per_task=2), cpus=4, exclusive=False)
    assert [place.cpus for place in trace.job("w").runs[0].places] == [4, 4, 4]
