"""Real configuration files become the cluster and the settings that the simulator runs on."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from clustersim.errors import InputError
from clustersim.slurm import Overheads, simulate_slurm
from clustersim.slurm.conf import parse_slurm_conf, read_slurm_conf
from tests.slurm.conf_texts import GRES_CONF, SCRIPT, SLURM_CONF, TOPOLOGY_CONF, conf, script

# The seed's example, with the shape of the one in the comments of slurm.conf(5).
LARGE = """\
SlurmctldHost=linux0001  # the primary
SlurmctldHost=linux0002  # the backup
AuthType=auth/munge
PluginDir=/usr/local/slurm/lib
NodeName=DEFAULT CPUs=4 TmpDisk=16384 State=IDLE
NodeName=lx[0001-0002] State=DRAINED
NodeName=lx[0003-8000] RealMemory=2048 Weight=2
NodeName=lx[8001-9999] RealMemory=4096 Weight=6 Feature=video
PartitionName=DEFAULT MaxTime=30 MaxNodes=2
PartitionName=debug Nodes=lx[0003-0030] State=UP Default=YES
PartitionName=batch Nodes=lx[0041-9999] MaxTime=UNLIMITED MaxNodes=4096
"""


def test_the_large_example_loads_in_under_a_second() -> None:
    began = time.process_time()
    large = parse_slurm_conf(LARGE)
    assert time.process_time() - began < 1
    assert large.notices == ()
    nodes = large.cluster.nodes
    assert (len(nodes), nodes[0].name, nodes[-1].name) == (9999, "lx0001", "lx9999")
    assert {node.cpus for node in nodes} == {4}
    assert [(nodes[i].weight, nodes[i].memory_mb, set(nodes[i].features)) for i in (2, 7999, 8000)] == [
        (2, 2048, set()),
        (2, 2048, set()),
        (6, 4096, {"video"}),
    ]
    debug, batch = large.cluster.partitions
    assert (len(debug.nodes), debug.max_time, debug.max_nodes, debug.default) == (28, 30, 2, True)
    assert (len(batch.nodes), batch.max_time, batch.max_nodes, batch.default) == (9959, None, 4096, False)
    assert [(act.do, act.nodes) for act in large.acts] == [("drain", ("lx0001", "lx0002"))]


def test_a_job_runs_on_the_large_example() -> None:
    large = parse_slurm_conf(LARGE)
    asked = script("#!/bin/sh\n#SBATCH -p batch -N 3 -C video\nsrun x\n", large)
    trace = simulate_slurm(large.workload([asked.spec]), overheads=Overheads(0, 0)).validate()
    assert trace.job("job").runs[0].nodes == ("lx8001", "lx8002", "lx8003")
    assert [e.subject for e in trace.events() if e.kind == "node" and e.detail["state"] == "drained"] == ["lx0001", "lx0002"]


def test_every_part_of_the_small_example_arrives() -> None:
    small = conf()
    assert small.name == "lab"
    assert [node.name for node in small.cluster.nodes] == ["c01", "c02", "c03", "c04", "n1", "n2", "n3", "n4", "old1"]
    n1, c01 = small.cluster.nodes[4], small.cluster.nodes[0]
    assert (n1.cpus, n1.gpus, n1.gpu_type, n1.weight, n1.features) == (8, 4, "a100", 2, {"fast", "new"})
    assert (c01.cpus, c01.gpus, c01.weight, c01.memory_mb) == (8, 0, 1, 1000)
    gpu, everything = small.cluster.partitions
    assert gpu.nodes == ("n1", "n2", "n3", "n4") and gpu.default and gpu.max_time == 60
    assert (gpu.priority_tier, gpu.priority_job_factor, gpu.oversubscribe, gpu.default_time) == (2, 5, "FORCE", 10)
    assert len(everything.nodes) == 9 and everything.lln and everything.max_time is None
    assert [switch.name for switch in small.cluster.switches] == ["leaf1", "leaf2", "top"]
    assert [(act.do, act.nodes, act.reason) for act in small.acts] == [
        ("drain", ("old1",), "fan is loud"),
        ("down", ("c04",), "disk"),
    ]
    kept = small.settings
    assert (kept.kill_wait, kept.complete_wait, kept.over_time_limit, kept.gang, kept.limits) == (30, 32, 60, True, True)
    assert (kept.scheduler.bf_window, kept.scheduler.defer, kept.max_age) == (60, True, 7 * 86_400)


def test_what_is_not_said_has_slurms_own_default() -> None:
    bare = parse_slurm_conf("NodeName=a CPUs=2\nPartitionName=p Nodes=a\n")
    assert (bare.settings.kill_wait, bare.settings.return_to_service, bare.settings.scheduler.bf_interval) == (30, 0, 30)
    assert (bare.cluster.nodes[0].weight, bare.cluster.partitions[0].max_time) == (1, None)


def test_keys_count_in_any_case_and_blanks_may_stand_around_the_sign() -> None:
    text = 'nodename = a\\\n[1-2]  CPUS = 2 feature="x" \\\n weight=3 # end\nPARTITIONNAME=p nodes=a[1-2]\nkillwait=7'
    odd = parse_slurm_conf(text)
    assert [node.name for node in odd.cluster.nodes] == ["a1", "a2"]
    assert (odd.cluster.nodes[0].weight, odd.settings.kill_wait) == (3, 7)


def test_a_default_line_holds_until_the_next_one() -> None:
    text = "NodeName=DEFAULT CPUs=2 Weight=5\nNodeName=a\nNodeName=DEFAULT CPUs=3\nNodeName=b\nNodeName=c Weight=1\n"
    read = parse_slurm_conf(text + "PartitionName=p Nodes=ALL\n")
    assert [(node.cpus, node.weight) for node in read.cluster.nodes] == [(2, 5), (3, 5), (3, 1)]


def test_unlimited_overrides_a_default_limit() -> None:
    text = "NodeName=a\nPartitionName=DEFAULT MaxNodes=2 MaxTime=5\n"
    part = parse_slurm_conf(text + "PartitionName=p Nodes=a MaxNodes=UNLIMITED MaxTime=INFINITE\n").cluster.partitions[0]
    assert part.max_nodes > 4096 and part.max_time is None


def test_the_last_default_partition_counts() -> None:
    text = "NodeName=a\nPartitionName=p Nodes=a Default=YES\nPartitionName=q Nodes=a Default=YES\n"
    assert parse_slurm_conf(text).cluster.default_partition.name == "q"


def test_select_linear_gives_out_whole_nodes() -> None:
    text = "SelectType=select/linear\nNodeName=a CPUs=4\nPartitionName=p Nodes=a\n"
    assert parse_slurm_conf(text).cluster.partitions[0].oversubscribe == "EXCLUSIVE"


def test_without_a_select_type_nodes_are_shared() -> None:
    """slurm.conf(5), SelectType: select/cons_tres is the default from 23.11 on."""
    text = "{type}NodeName=a CPUs=4\nPartitionName=p Nodes=a\n"
    for line in ("", "SelectType=select/cons_tres\n", "SelectType=select/cons_res\n"):
        assert parse_slurm_conf(text.format(type=line)).cluster.partitions[0].oversubscribe != "EXCLUSIVE", line


def test_nodes_of_the_future_are_not_there_yet() -> None:
    text = "NodeName=a\nNodeName=b State=FUTURE\nPartitionName=p Nodes=a,b\n"
    read = parse_slurm_conf(text)
    assert [node.name for node in read.cluster.nodes] == ["a"] and read.cluster.partitions[0].nodes == ("a",)


def test_sockets_cores_and_threads_make_the_cpus() -> None:
    text = "NodeName=a Sockets=2 CoresPerSocket=8 ThreadsPerCore=2\nNodeName=b Sockets=2 CPUs=7 CoresPerSocket=4\n"
    read = parse_slurm_conf(text + "PartitionName=p Nodes=ALL\n")
    assert [node.cpus for node in read.cluster.nodes] == [32, 8]
    assert [str(notice) for notice in read.notices] == [
        "slurm.conf, line 2, CPUs: CPUs=7 does not match sockets, cores and threads; Slurm and this simulator take 8."
    ]


def test_files_are_included_and_neighbours_read(tmp_path: Path) -> None:
    (tmp_path / "slurm.conf").write_text("Include nodes.conf\nGresTypes=gpu\nPartitionName=p Nodes=ALL\n")
    (tmp_path / "nodes.conf").write_text("NodeName=n[1-2] Gres=gpu:2\n")
    (tmp_path / "gres.conf").write_text("Name=gpu Type=h100 Count=2\n")
    nodes = read_slurm_conf(tmp_path / "slurm.conf").cluster.nodes
    assert [(node.name, node.gpus, node.gpu_type) for node in nodes] == [("n1", 2, "h100"), ("n2", 2, "h100")]
    (tmp_path / "nodes.conf").write_text("NodeName=n[1-2] CPUs=x\n")
    with pytest.raises(InputError, match=r"nodes\.conf, line 1, CPUs: found 'x'"):
        read_slurm_conf(tmp_path / "slurm.conf")
    (tmp_path / "nodes.conf").write_text("Include slurm.conf\n")
    with pytest.raises(InputError, match="files that do not include themselves"):
        read_slurm_conf(tmp_path / "slurm.conf")
    with pytest.raises(InputError, match=r"a readable slurm\.conf"):
        read_slurm_conf(tmp_path / "none.conf")


def test_an_unknown_key_warns_with_a_suggestion() -> None:
    read = conf(SLURM_CONF.replace("KillWait=30", "KilWait=30").replace(" Weight=2", " Weigth=2"))
    assert [str(notice) for notice in read.notices[:2]] == [
        "slurm.conf, line 23, KilWait: KilWait is not a key of slurm.conf; it is left out. Did you mean KillWait?",
        "slurm.conf, line 37, Weigth: Weigth is not a key of a NodeName line; it is left out. Did you mean Weight?",
    ]
    assert read.cluster.nodes[0].weight == 1


@pytest.mark.parametrize(
    ("line", "where"),
    [
        ("PriorityWeightAssoc=5", "PriorityWeightAssoc"),
        ("SelectTypeParameters=CR_Core_Memory", "SelectTypeParameters"),
        ("JobSubmitPlugins=lua", "JobSubmitPlugins"),
        ("SchedulerParameters=bf_busy_nodes,bf_interval=7", "SchedulerParameters"),
        ("PartitionName=x Nodes=n1 AllowAccounts=a", "AllowAccounts"),
        ("PartitionName=x Nodes=n1 OverSubscribe=FORCE:4", "OverSubscribe"),
        ("NodeName=x CoreSpecCount=1", "CoreSpecCount"),
        ("NodeName=x Gres=nic:2", "Gres"),
    ],
)
def test_what_is_legal_and_not_modelled_is_said_and_left_out(line: str, where: str) -> None:
    number = SLURM_CONF.count("\n") + 1
    said = [str(n) for n in conf(f"{SLURM_CONF}{line}\n").notices if n.where == f"slurm.conf, line {number}, {where}"]
    assert len(said) == 1 and "not modelled here" in said[0]


def test_a_harmless_key_says_nothing() -> None:
    text = "AuthType=auth/munge\nSlurmdPort=6818\nNodeName=a NodeAddr=10.0.0.1 Port=7\n"
    assert parse_slurm_conf(text + "PartitionName=p Nodes=a AllowGroups=ALL Hidden=NO\n").notices == ()


def test_a_node_that_finds_fewer_gpus_is_drained() -> None:
    read = conf(gres=GRES_CONF.replace("Count=4", "Count=3"))
    assert [(act.nodes, act.reason) for act in read.acts if "gres" in act.reason] == [
        (("n3", "n4"), "gres/gpu count reported lower than configured (3 < 4)")
    ]


def test_gpus_found_by_the_hardware_are_trusted() -> None:
    read = conf(gres="AutoDetect=nvml\n")
    assert not [act for act in read.acts if "gres" in act.reason]


def test_gpus_of_two_types_on_one_node_count_together_and_this_is_said() -> None:
    read = conf(SLURM_CONF.replace("gpu:a100:4,nic:1", "gpu:a100:2,gpu:h100:2"), gres=None)
    assert {(node.gpus, node.gpu_type) for node in read.cluster.nodes if node.name.startswith("n")} == {(4, "")}
    assert [one.text for one in read.notices if one.where == "slurm.conf, line 37, Gres"] == [
        "GPUs of several types on one node are counted together here, without a type."
    ]


def test_switches_come_lower_ones_first_whatever_their_order() -> None:
    lines = TOPOLOGY_CONF.splitlines()
    read = conf(topology="\n".join(reversed(lines)))
    assert read.cluster.switches[-1].name == "top" and {s.name for s in read.cluster.switches[:2]} == {"leaf1", "leaf2"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("SwitchName=s Nodes=n[1-4],c[01-03]\n", "2 nodes are below no switch: c04,old1"),
        ("SwitchName=s Nodes=ALL\nSwitchName=t Nodes=n1\n", "1 node is below several leaf switches: n1"),
        ("SwitchName=s Nodes=n[1-4]\nSwitchName=t Nodes=c[01-04],old1\n", "no switch reaches all nodes"),
    ],
)
def test_a_tree_with_holes_is_said(text: str, said: str) -> None:
    assert any(said in str(notice) for notice in conf(topology=text).notices)


def test_topology_conf_counts_only_with_its_plugin() -> None:
    read = conf(SLURM_CONF.replace("TopologyPlugin=topology/tree\n", ""))
    assert read.cluster.switches == () and "topology.conf is passed over" in str(read.notices[-1])
    with pytest.raises(InputError, match=r"line 8, TopologyPlugin: .*a topology\.conf beside it"):
        conf(topology=None)


def test_every_option_of_the_script_arrives() -> None:
    spec, shape = script().spec, script().spec.shape
    assert (spec.name, spec.partitions, shape.min_nodes, shape.max_nodes) == ("train", ("gpu", "all"), 2, 3)
    assert (shape.ntasks, shape.ntasks_per_node, shape.cpus_per_task, shape.min_cpus) == (8, 4, 2, 16)
    assert (shape.gpus_per_node, shape.gpu_type, spec.limit, shape.constraint) == (4, "a100", 30, "fast&new")
    assert (shape.nodelist, shape.exclude, spec.begin, spec.nice) == (("n1", "n2"), ("c01",), 600, 5)
    assert (spec.requeue, spec.hold, spec.switches, spec.switch_wait) == (True, True, 1, 300)
    assert (spec.array, spec.array_limit, spec.dependency) == (tuple(range(8)), 2, "afterany:7")
    assert script().notices == ()


def test_a_line_behind_the_first_command_is_ignored_and_said() -> None:
    asked = script(SCRIPT + "#SBATCH --nodes=4\n")
    assert asked.spec.shape.min_nodes == 2
    assert [str(notice) for notice in asked.notices] == [
        "job.sh, line 20: this #SBATCH line stands behind the first command, so sbatch ignores it."
    ]


@pytest.mark.parametrize(
    ("line", "field", "value"),
    [
        ("-N3", "min_nodes", 3),
        ("-N 3", "min_nodes", 3),
        ("--nodes 3", "min_nodes", 3),
        ("-t 1-0", "limit", 1440),
        ("--nice", "nice", 100),
        ("--exclusive", "exclusive", "node"),
        ("--exclusive=user", "exclusive", "user"),
        ("--no-requeue", "requeue", False),
        ("-G 4", "gpus_per_job", 4),
        ("--gpus-per-node=h100:2", "gpu_type", "h100"),
        ("-n 4 --gpus-per-task=2", "gpus_per_job", 8),
        ("--time=UNLIMITED", "limit", 365 * 24 * 60),  # a year, as the scheduler plans it; not the partition's default
        ("--time=0", "limit", 365 * 24 * 60),
        ("--tasks-per-node=3", "ntasks_per_node", 3),
        ("-Hn3", "ntasks", 3),
        ("--nodes=1k", "min_nodes", 1024),
        ("--gres=gpu:a100:2,tmp:5G", "gpus_per_node", 2),
        ("--gres=gpu:3090:2", "gpu_type", "3090"),
        ("--gres=none", "gpus_per_node", 0),
        ('-J "a\\" name"', "name", 'a" name'),
        ("-J name#comment", "name", "name"),
        ("-J 'a name'", "name", "a name"),
    ],
)
def test_an_option_in_each_of_its_forms(line: str, field: str, value: object) -> None:
    spec = script(f"#!/bin/sh\n#SBATCH {line}\ntrue\n").spec
    assert getattr(spec if hasattr(spec, field) else spec.shape, field) == value


def test_a_later_option_overrides_an_earlier_one() -> None:
    assert script("#!/bin/sh\n#SBATCH -N 1-4\n#SBATCH -N 2\ntrue\n").spec.shape.max_nodes == 2


def test_memory_in_a_script_is_said_to_be_left_out() -> None:
    asked = script("#!/bin/sh\n#SBATCH --mem=4G\ntrue\n")
    assert [notice.where for notice in asked.notices] == ["job.sh, line 2, --mem"]
