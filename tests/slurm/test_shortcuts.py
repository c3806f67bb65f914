"""What the simulator skips to be quick changes no schedule."""

from __future__ import annotations

import copy
import itertools
import pickle
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clustersim.cluster import Cluster, Node, Partition
from clustersim.errors import ClusterSimError
from clustersim.slurm import (
    Clock,
    Controller,
    Overheads,
    fill,
    future,
    parse_workload,
    placing,
    requests,
    select,
    simulate_slurm,
)
from clustersim.slurm.accounts import Accounting
from clustersim.slurm.fill import Ask, Filler
from clustersim.slurm.jobs import Job
from clustersim.slurm.pool import NodePool
from clustersim.slurm.quickfill import alike_nodes, one_node
from clustersim.slurm.requests import JobSpec
from clustersim.slurm.schema import Section
from clustersim.slurm.settings import Settings
from clustersim.slurm.shape import CORE, Shape, Wish
from tests.slurm.build import document, job
from tests.slurm.random_workloads import workloads
from tests.slurm.test_properties import examples


@st.composite
def crowds(draw: st.DrawFn) -> dict[str, Any]:
    """More GPU jobs than a small cluster can hold, a third of them on whole nodes."""
    made, at = [], 0
    for i in range(draw(st.integers(8, 30))):
        at += draw(st.integers(0, 60))
        minutes = draw(st.integers(1, 40))
        gpus = draw(st.sampled_from([1, 1, 2, 4, 4, 8, 16]))
        more: dict[str, Any] = {"gpus_per_node": min(gpus, 4), "nodes": -(-gpus // 4), "cpus_per_task": 2, "ntasks": gpus}
        made.append({**job(f"j{i}", at, draw(st.integers(30, 60 * minutes)), minutes), **more})
    config = {"PriorityWeightAge": 1000, "PriorityType": "priority/multifactor"}
    return document(*made, nodes=6, cpus=8, gpus=4, exclusive=draw(st.booleans()), config=config)


def test_a_plain_job_is_read_as_with_care() -> None:
    """Every set of the plain keys, each right or wrong in every way it can be: the same job, or it is no plain one."""
    right = {"id": "a.b-1", "user": "alice", "at": 3, "run_s": 0, "time_limit_min": 5, "nodes": 3, "ntasks": 6,
             "ntasks_per_node": 2, "cpus_per_task": 2, "gpus_per_node": 1}
    wrong = [None, True, "", "x y", "7", 7, -1, 0, 1.0, 10**10, [], {}]
    entries = [{key: right[key] for i, key in enumerate(right) if among >> i & 1} for among in range(1 << len(right))]
    entries += [{**right, key: value} for key in [*right, "job_name", "nice", "oops"] for value in wrong]
    plain = 0
    for entry in entries:
        quick = requests.plain_job(entry)
        if quick is not None:
            plain += 1
            assert read(entry) == quick, entry
    assert len(entries) > plain > 60


def read(entry: dict[str, Any]) -> Any:
    cluster = Cluster((Node("n", 64),), (Partition("main", ("n",)),))
    try:
        return requests.read_job(Section(entry, "w.json", "jobs[0]"), cluster, Settings(), Accounting(), {})
    except ClusterSimError as error:
        return str(error)


class CarefulWish(Wish):
    """A wish that no shortcut fulfils."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.one_node = self.alike = False


@examples(60)
@given(st.one_of(workloads(), crowds()), st.sampled_from([Overheads(), Overheads(0, 0)]))
def test_what_is_skipped_could_not_have_mattered(data: dict[str, Any], overheads: Overheads) -> None:
    workload = parse_workload(data)
    quick = simulate_slurm(workload, overheads=overheads).to_json()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(future, "_needs_empty_nodes", lambda system, ask: False)
        patch.setattr(future, "_leaves_no_trace", lambda system, ask: False)
        patch.setattr(fill, "_take_one_alone", lambda fill, nodes: False)
        patch.setattr(placing, "Wish", CarefulWish)
        patch.setattr(select, "_full_of_tasks", lambda ask, chosen: False)
        patch.setattr(placing, "room_at_sight", lambda system, job, partition: False)
        apart = [spec._replace(shape=replace(spec.shape)) for spec in workload.jobs]  # every job asks in its own way
        workload = replace(workload, jobs=tuple(apart))
        assert simulate_slurm(workload, overheads=overheads).to_json() == quick


@examples(200)
@given(st.lists(st.integers(1, 4), min_size=1, max_size=12), st.lists(st.tuples(st.integers(0, 2**12 - 1), st.integers(1, 4))))
def test_levels_are_what_counting_node_by_node_gives(cores: list[int], takes: list[tuple[int, int]]) -> None:
    """A node has as many GPUs as cores, and a job takes one of them with the first core."""
    machines = tuple(Node(f"n{i}", count, count) for i, count in enumerate(cores))
    pool = NodePool(Cluster(machines, (Partition("main", tuple(node.name for node in machines)),)))
    free, gpus, held = list(cores), list(cores), []
    for bits, count in takes:
        if bits % 3 == 0 and held:  # a job ends
            nodes, count = held.pop()
            pool.give_back(((nodes, count * CORE + 1),))
            free = [left + count * (nodes >> i & 1) for i, left in enumerate(free)]
            gpus = [left + (nodes >> i & 1) for i, left in enumerate(gpus)]
        elif nodes := sum(1 << i for i, left in enumerate(free) if bits >> i & 1 and left >= count):
            held.append((nodes, count))
            pool.take(((nodes, count * CORE + 1),))
            free = [left - count * (nodes >> i & 1) for i, left in enumerate(free)]
            gpus = [left - (nodes >> i & 1) for i, left in enumerate(gpus)]
        assert [pool.free.cores(i) for i in range(pool.size)] == free
        assert [pool.free.gpus(i) for i in range(pool.size)] == gpus
        assert (pool.free.all_cores(pool.every), pool.free.all_gpus(pool.every)) == (sum(free), sum(gpus))
        for least, few in itertools.product(range(6), range(4)):
            enough = [i for i, left in enumerate(free) if left >= least and gpus[i] >= few]
            assert pool.free.at_least(least * CORE + few) == sum(1 << i for i in enough)
        assert pool.busy == sum(1 << i for i, left in enumerate(free) if left < cores[i])


def test_equal_requests_are_one_object_wherever_they_come_from() -> None:
    one = Shape.of(min_nodes=2, gpus_per_node=8, constraint="fast")
    assert Shape.of(gpus_per_node=8, constraint="fast", min_nodes=2) is one
    assert one.but(constraint="slow").but(constraint="fast") is one
    assert copy.deepcopy(one) is one and pickle.loads(pickle.dumps(one)) is one
    assert one.but(min_nodes=3) is not one and (one.gpus, one.but(min_nodes=3).gpus) == (16, 24)


@pytest.mark.parametrize("much", [{"gpus_per_node": 65_535}, {"gpus_per_node": 65_536}, {"gpus": 65_536, "nodes": 1},
                                  {"gpus_per_task": 40_000, "ntasks": 2, "nodes": 1}])
def test_no_number_of_gpus_is_taken_for_cores(much: dict[str, int]) -> None:
    """Cores and GPUs of a node are one number, which a job could ask too much of."""
    made = {key: value for key, value in job("a", 0, 30, 5).items() if key != "nodes"}
    trace = simulate_slurm(parse_workload(document({**made, **much}, nodes=2, cpus=64, gpus=4)))
    assert trace.jobs[0].state == "REJECTED"


def test_what_jobs_want_follows_a_change_of_their_partition() -> None:
    """The second of two equal jobs comes when its partition gives nodes to one job alone."""
    jobs = [{**job(f"j{i}", at, 30, 5), "nodes": 1} for i, at in enumerate((0, 100))]
    made = document(*jobs, nodes=2, cpus=4)
    name = made["cluster"]["partitions"][0]["name"]
    made["events"] = [{"at": 50, "do": "update_partition", "name": name, "set": {"OverSubscribe": "EXCLUSIVE"}}]
    system = Controller(parse_workload(made))
    Clock(system).run(60)
    assert not system.wishes[name]
    Clock(system, 60).run()
    assert [wish.whole for wish in system.wishes[name].values()] == [True]


def pool_of(nodes: list[tuple[int, int]]) -> NodePool:
    """Nodes of 6 cores, of which so many are free, and of such a weight."""
    machines = tuple(Node(f"n{i}", 6, weight=weight) for i, (_free, weight) in enumerate(nodes))
    pool = NodePool(Cluster(machines, (Partition("main", tuple(node.name for node in machines)),)))
    for i, (free, _weight) in enumerate(nodes):
        pool.take(((1 << i, (6 - free) * CORE),))
    return pool


@examples(300)
@given(
    st.lists(st.tuples(st.integers(0, 6), st.sampled_from([1, 1, 1, 2])), min_size=1, max_size=24),
    st.integers(0, 2**24 - 1),
    st.integers(1, 4),
    st.booleans(),
)
def test_the_node_for_one_is_the_one_that_counting_down_finds(
    nodes: list[tuple[int, int]], among: int, cpus: int, gpu: bool
) -> None:
    """Nodes of so many free cores and such a weight, and which of them come into question."""
    pool = pool_of(nodes)
    shape = Shape.of(ntasks=cpus, min_cpus=cpus, max_nodes=1, gpus_per_node=int(gpu))
    nodes, wish = among & pool.free.at_least(cpus * CORE), Wish(shape, pool.every, 1, 1, 1, whole=False)
    ask = Ask(Job("a", JobSpec("a", 0, "alice", 60, shape=shape), 1), nodes, wish)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fill, "_take_one_alone", lambda fill, nodes: False)
        slow = fill.consecutive(Filler(ask, pool, ask.nodes, 1, 1))
    quick = one_node(pool, nodes, wish)
    assert (quick and (quick.nodes, quick.cpus)) == (slow and (slow.nodes, slow.cpus))
    assert quick is None or quick.on(quick.nodes.bit_length() - 1) == cpus


@examples(300)
@given(st.lists(st.sampled_from([1, 1, 1, 2]), min_size=2, max_size=24), st.integers(0, 2**24 - 1), st.data())
def test_alike_nodes_are_those_that_counting_down_finds(weights: list[int], among: int, data: st.DataObject) -> None:
    pool = pool_of([(data.draw(st.sampled_from([4, 6])) if weight > 1 else 5, weight) for weight in weights])
    nodes = among & pool.every
    count = data.draw(st.integers(2, max(2, nodes.bit_count())))
    if nodes.bit_count() < count:
        return
    shape = Shape.of(ntasks_per_node=2, cpus_per_task=2, ntasks=2 * count, min_cpus=4 * count, min_nodes=count, max_nodes=count)
    job = Job("a", JobSpec("a", 0, "alice", 60, shape=shape), 1)
    wish = Wish(shape, pool.every, count, count, count, whole=False)
    slow = fill.consecutive(Filler(Ask(job, nodes, wish), pool, nodes, count, count))
    quick = alike_nodes(pool, nodes, count, 4)
    assert slow is not None
    assert quick is None or (quick.nodes, quick.cpus, quick.each) == (slow.nodes, slow.cpus, slow.each)
    assert quick is not None or len({pool.free.cores(i) for i in range(pool.size) if nodes >> i & 1}) > 1
