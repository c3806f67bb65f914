"""What a real Slurm takes is read, whatever it looks like: files as administrators write them.

Sources: slurm.conf(5), sbatch(1), and of Slurm 22.05 ``src/common/parse_config.c`` (lines), ``parse_value.c`` (numbers,
yes and no), ``read_config.c`` (keys), ``src/sbatch/opt.c`` (words of ``#SBATCH`` lines).
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from clustersim.errors import InputError
from clustersim.slurm.conf import SlurmConf, parse_slurm_conf, read_slurm_conf
from clustersim.slurm.sbatch import parse_script, read_script
from tests.slurm.conf_texts import GRES_CONF, SCRIPT, SLURM_CONF, TOPOLOGY_CONF, conf

SMALL = "ClusterName=Lab\nNodeName=n[1-4] CPUs=4\nPartitionName=p Nodes=ALL\n"


def small(line: str = "", part: str = "", node: str = "") -> SlurmConf:
    """The small file with a line more, or more in its node or partition line."""
    text = SMALL.replace("CPUs=4", f"CPUs=4 {node}").replace("Nodes=ALL", f"Nodes=ALL {part}")
    return parse_slurm_conf(f"{text}{line}\n")


def the_same(text: str, gres: str = GRES_CONF, topology: str = TOPOLOGY_CONF) -> None:
    """The text says what the whole example says."""
    assert (read := conf(text, gres, topology)).cluster == conf().cluster and read.settings == conf().settings


@pytest.mark.parametrize("change", [
    lambda text: text.replace("\n", "\r\n"),
    lambda text: text.replace("\n", " \t \n"),
    lambda text: re.sub(r"(?<!\\)\n", "\n\n \t\n", text),
    lambda text: text.replace("\n", "\n\t "),
    lambda text: text.replace("\n", "  # so it is\n").replace("\\  # so it is", "\\  # and goes on"),
    lambda text: text.replace(" Weight", " \\\n  Weight").replace(" State", " \\ \t\n State"),
    lambda text: text.replace("\nKillWait", "\n\\\n\\\n\nKillWait"),
    lambda text: text.rstrip("\n"),
    lambda text: text + "\\",
    lambda text: text.replace("Name=", "NAME=").replace("Nodes=", "nodes="),
    lambda text: text.replace("=DEFAULT", "=default"),
], ids=["CRLF", "trailing", "empty", "leading", "comments", "continued", "lone backslash", "no end", "last backslash", "case",
        "default"])
def test_the_form_of_a_line_changes_nothing(change: Any) -> None:
    the_same(change(SLURM_CONF), change(GRES_CONF), change(TOPOLOGY_CONF))


def test_a_backslash_shields_what_stands_behind_it() -> None:
    read = small(node=r'State=DRAIN Reason="ticket \#7, C:\\x"')
    assert read.acts[0].reason == r"ticket #7, C:\x"
    assert small("# a comment goes on nowhere \\").settings == small().settings


def test_old_encodings_and_an_editors_mark_are_read(tmp_path: Path) -> None:
    texts = {"slurm.conf": f"{SLURM_CONF}# für alle\n", "gres.conf": GRES_CONF, "topology.conf": TOPOLOGY_CONF}
    for name, text in texts.items():
        (tmp_path / name).write_bytes(b"\xef\xbb\xbf" + text.encode("latin-1"))
    assert read_slurm_conf(tmp_path / "slurm.conf").cluster == conf().cluster


def test_files_include_others_beside_them_and_by_the_name_of_the_cluster(tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    (tmp_path / "slurm.conf").write_text("ClusterName=Lab\nGresTypes=gpu\nINCLUDE\tparts/%c.conf # all\n")
    (tmp_path / "parts" / "lab.conf").write_text("Include nodes.conf\nPartitionName=p Nodes=ALL\n")
    (tmp_path / "parts" / "nodes.conf").write_text("NodeName=n[1-2] CPUs=4 Gres=gpu:2\n")
    (tmp_path / "gres.conf").write_text("Include gpus.conf\n")
    (tmp_path / "gpus.conf").write_text("Name=gpu Type=h100 Count=2\n")
    read = read_slurm_conf(tmp_path / "slurm.conf")
    assert {(node.gpus, node.gpu_type) for node in read.cluster.nodes} == {(2, "h100")} and read.notices == ()


@pytest.mark.parametrize(("value", "yes"), [(word, True) for word in ("YES", "yes", "Up", "TRUE", "1")]
                         + [(word, False) for word in ("NO", "no", "Down", "FALSE", "0")])
def test_yes_and_no_in_every_spelling(value: str, yes: bool) -> None:
    read = small(f"PriorityFavorSmall={value}", f"Default={value} LLN={value} Hidden={value}")
    assert (read.settings.favor_small, read.cluster.partitions[0].lln) == (yes, yes)
    assert read.cluster.partitions[0].default == yes


@pytest.mark.parametrize("word", ["UNLIMITED", "INFINITE", "unlimited"])
def test_a_number_may_have_no_bound(word: str) -> None:
    read = small(f"KillWait={word}\nOverTimeLimit={word}\nInactiveLimit={word}\nMaxMemPerNode={word}\nPriorityMaxAge={word}",
                 f"MaxTime={word} DefaultTime={word} MaxNodes={word} MaxCPUsPerNode={word}")
    assert (read.settings.kill_wait, read.settings.over_time_limit) == (65_535, 365 * 86_400)
    assert (read.cluster.partitions[0].max_time, read.cluster.partitions[0].max_nodes) == (None, 500_000)


@pytest.mark.parametrize(("text", "minutes"), [
    ("1-00", 1440), ("1-12:30", 2190), ("1-12:30:15", 2191), ("10:30", 11), ("1:00:00", 60), ("90", 90), ("-1", None),
    ('"45"', 45)])
def test_a_time_in_each_of_its_forms(text: str, minutes: int | None) -> None:
    assert small(part=f"MaxTime={text}").cluster.partitions[0].max_time == minutes


ALONE = """\
AccountingStorageTRES=gres/gpu,gres/gpu:a100,license/matlab,bb/cray,CPU
AccountingStorageType=accounting_storage/slurmdbd
AccountingStoreFlags=job_comment,job_env,job_script,job_extra
AcctGatherEnergyType=acct_gather_energy/gpu,acct_gather_energy/xcc
AcctGatherInterconnectType=acct_gather_interconnect/sysfs
AuthType=auth/slurm
AuthAltTypes=auth/jwt
BcastExclude=/lib,/usr/lib
BcastExclude=none
CliFilterPlugins=lua,cli_filter/user_defaults
CpuFreqDef=performance
CpuFreqGovernors=OnDemand,UserSpace
DebugFlags=backfill,Gres,NO_CONF_HASH
DebugFlags=""
GresTypes=""
GresTypes=gpu,mps,bandwidth,shard
HealthCheckNodeState=IDLE,CYCLE
JobAcctGatherFrequency=30
JobAcctGatherFrequency=task=30,energy=60,network=0,filesystem=0
JobAcctGatherParams=UsePSS,NoOverMemoryKill
HealthCheckNodeState=REBOOT_ONLY
JobAcctGatherParams=no_file_cache
SchedulerParameters=sched_interval=-1,bf_interval=-1
SelectType=select/cray_aries
SelectTypeParameters=CR_Core_Memory,CR_Pack_Nodes,other_cons_tres,CR_LLN
SuspendTime=None
TopologyPlugin=topology/ring
JobAcctGatherType=jobacct_gather/cgroup
JobCompType=jobcomp/kafka
JobCompType=none
JobContainerType=job_container/tmpfs
JobSubmitPlugins=lua,our_own_plugin
Licenses=matlab:10,ansys@server:5;foo
LogTimeFormat=iso8601_ms
LogTimeFormat=rfc5424,format_stderr
MaxArraySize=0
MaxJobCount=UNLIMITED
MpiDefault=pmix_v4
NamespaceType=namespace/linux
NodeFeaturesPlugins=node_features/helpers
PreemptExemptTime=-1
PrEpPlugins=prep/script
PriorityDecayHalfLife=-1
PriorityDecayHalfLife=0|PriorityUsageResetPeriod=Monthly
PrivateData=accounts,jobs,usage,users
ProctrackType=proctrack/pgid
PrologFlags=Alloc,Contain,X11
PrologFlags=RunInJob,ForceRequeueOnFail
PropagateResourceLimits=NONE
PropagateResourceLimitsExcept=MEMLOCK,STACK
ReconfigFlags=KeepPartState,KeepPowerSaveSettings
RequeueExit=1-9,18
SlurmSchedLogLevel=1|SlurmSchedLogFile=/var/log/sched
SlurmctldDebug=Debug2
SlurmctldDebug=3
SlurmctldHost=a|SlurmctldHost=b(10.0.0.2)
SlurmctldHost=a(fe80::1)
SlurmctldPort=6817-6820
SlurmdUser=root
MaxJobCount=10k
PriorityWeightAge=100K
SrunPortRange=60001-63000
SuspendExcStates=CLOUD,DOWN
SuspendTime=INFINITE
SuspendTime=-1
SuspendTime=600
TopologyParam=RouteTree,TopoMaxSizeUnroll=4
SwitchType=switch/hpe_slingshot
TaskPlugin=affinity,cgroup
TaskPlugin=task/affinity,task/cgroup
TaskPluginParam=autobind=threads,SlurmdOffSpec
TopologyPlugin=topology/flat
TreeWidth=65533
X11Parameters=home_xauthority"""


@pytest.mark.parametrize("line", ALONE.split("\n"))
def test_values_that_slurm_takes(line: str) -> None:
    """Each was also given to the commands of a real 22.05, which took it unless only a newer version knows the word."""
    assert all("left out" in notice.text for notice in small(line.replace("|", "\n")).notices)


@pytest.mark.parametrize(("part", "node"), [
    ("SuspendTime=-1", "SuspendTime=INFINITE"), ("OverTimeLimit=UNLIMITED CpuBind=cores", "CpuBind=sockets CPUSpecList=0-1,3"),
    ("TRESBillingWeights=CPU=1.0,Mem=0.25G,GRES/gpu=2,license/a=.5", "TRESWeights=CPU=1.0,Mem=0.25G"),
    ("SelectTypeParameters=CR_Socket_Memory", "NodeAddr=10.0.0.[1-4] NodeHostname=h[01-04]"),
    ("GraceTime=UNLIMITED MaxMemPerNode=UNLIMITED", "NodeHostname=localhost Port=[17001-17004]"), ("QOS=part", "Port=6818")])
def test_values_in_a_line_that_slurm_takes(part: str, node: str) -> None:
    assert all("left out" in notice.text for notice in small(part=part, node=node).notices)


def test_a_k_behind_a_long_number_is_1024() -> None:
    read = small("PriorityWeightAge=2k\nMaxArraySize=1K", "MaxNodes=1K GraceTime=1k", "RealMemory=64k Weight=1k TmpDisk=2k")
    node, part = read.cluster.nodes[0], read.cluster.partitions[0]
    assert (read.settings.weight_age, read.settings.max_array_size, part.max_nodes, part.grace) == (2048, 1024, 1024, 1024)
    assert (node.memory_mb, node.weight) == (65_536, 1024)


def test_a_weight_may_have_no_bound_and_usage_may_halve_never() -> None:
    assert small(node="Weight=UNLIMITED").cluster.nodes[0].weight == 2**32 - 2
    assert small("PriorityDecayHalfLife=UNLIMITED").settings.decay_half_life > 100 * 365 * 86_400


@pytest.mark.parametrize(("part", "shared", "said"), [
    ("Exclusive=NODE", "EXCLUSIVE", 0), ("Exclusive=topo", "EXCLUSIVE", 1), ("Exclusive=USER", "NO", 1),
    ("Exclusive=NO", "NO", 0),
    ("Exclusive=NO OverSubscribe=EXCLUSIVE", "NO", 0), ("OverSubscribe=YES:2 Exclusive=none", "YES", 0)])
def test_exclusive_of_a_partition_as_26_05_writes_it(part: str, shared: str, said: int) -> None:
    read = small(part=part)
    assert (read.cluster.partitions[0].oversubscribe, len(read.notices)) == (shared, said)


def test_a_key_given_twice_is_noticed_and_the_last_one_counts() -> None:
    read = small("KillWait=10\nKillWait=20")
    assert read.settings.kill_wait == 20 and [notice.where for notice in read.notices] == ["slurm.conf, line 4, KillWait"]


@pytest.mark.parametrize(("part", "field", "value"), [
    ("State=DRAINED", "state", "DRAIN"), ("State=up", "state", "UP"), ("PreemptMode=on", "preempt_mode", "SUSPEND"),
    ("PreemptMode=GANG,SUSPEND", "preempt_mode", "SUSPEND"), ("PreemptMode=CLUSTER", "preempt_mode", "OFF"),
    ("Shared=EXCLUSIVE", "oversubscribe", "EXCLUSIVE"), ("OverSubscribe=force:1", "oversubscribe", "FORCE"),
    ("MinNodes=UNLIMITED", "min_nodes", 1)])
def test_words_of_a_partition(part: str, field: str, value: object) -> None:
    read = small(part=part)
    assert getattr(read.cluster.partitions[0], field) == value and read.notices == ()


@pytest.mark.parametrize(("plugin", "shared"), [("linear", "EXCLUSIVE"), ("cons_res", "NO"), ("cons_tres", "NO")])
def test_a_way_to_select_that_is_obeyed_is_not_said_to_be_left_out(plugin: str, shared: str) -> None:
    read = small(f"SelectType=select/{plugin}")
    assert read.cluster.partitions[0].oversubscribe == shared and read.notices == ()


def test_nodes_of_a_partition_may_stand_between_blanks() -> None:
    assert parse_slurm_conf(SMALL.replace("Nodes=ALL", 'Nodes="n1 n[3-4]"')).cluster.partitions[0].nodes == ("n1", "n3", "n4")


@pytest.mark.parametrize(("line", "field", "value"), [
    ("AccountingStorageEnforce=2", "enforce", frozenset({"limits"})),
    ("EnforcePartLimits=YES", "enforce_part_limits", "ANY"),
    ("EnforcePartLimits=0", "enforce_part_limits", "NO"),
    ("PreemptExemptTime=-1", "preempt_exempt", 0),
    ("PriorityWeightTRES=CPU=5,Mem=7,GRES/gpu=9", "weight_tres", (("cpu", 5.0), ("gres/gpu", 9.0))),
    ("PriorityFlags=MAX_TRES,SMALL_RELATIVE_TO_TIME", "small_relative_to_time", True),
    ("SelectTypeParameters=CR_Core_Memory,CR_LLN", "lln", True),
    ("PreemptType=preempt/partition_prio\nPreemptMode=gang,on", "gang", True),
])
def test_a_list_keeps_the_words_that_are_modelled(line: str, field: str, value: object) -> None:
    assert getattr(small(line).settings, field) == value


@pytest.mark.parametrize(("gres", "found", "said"), [
    ("gpu:1080ti:4", (4, "1080ti"), 0), ("gpu:3090:2", (2, "3090"), 0), ("gpu:a100_1g.5gb:7", (7, "a100_1g.5gb"), 0),
    ("gpu:a100:4(S:0-1)", (4, "a100"), 0), ("none", (0, ""), 0), ("(null)", (0, ""), 0), ('""', (0, ""), 0),
    ("gpu:2,bandwidth:lustre:no_consume:4G", (2, ""), 1), ("gpu:a:2,gpu:b:3", (5, ""), 1)])
def test_resources_of_a_node_as_sites_write_them(gres: str, found: tuple[int, str], said: int) -> None:
    read = small("GresTypes=gpu,bandwidth", node=f"Gres={gres}")
    assert (read.cluster.nodes[0].gpus, read.cluster.nodes[0].gpu_type) == found and len(read.notices) == said


def test_a_type_of_gpus_counts_in_any_case_and_switches_may_hold_nodes_of_the_future() -> None:
    text = f"{SMALL}GresTypes=gpu\nTopologyPlugin=topology/tree\nNodeName=f[1-2] State=FUTURE\nNodeName=g1 Gres=gpu:h100:2\n"
    read = parse_slurm_conf(text, gres="NodeName=g1,f1 Name=gpu Type=H100 Files=/dev/nvidia[0-1] Link=-1,4\n",
                            topology="SwitchName=s Nodes=n[1-4],f[1-2],g1\n")
    assert read.acts == () and read.cluster.switches[0].nodes == ("g1", "n1", "n2", "n3", "n4")


@pytest.mark.parametrize("line", [
    "Name=gpu", "Name=gpu Count=2", "Name=GPU File=/dev/nvidia0,/dev/nvidia1", "Name=gpu File=/dev/nvidia[0-1] Cores=0-3:2,1",
    "NodeName=n[1-4] Name=gpu File=/dev/nvidia[0-1] COREs=0,1,2-3 Links=-1,16", "AutoDetect=nvml", "NodeName=n1 AutoDetect=off",
    "AutoDetect=NVML Name=gpu Type=h100 File=/dev/nvidia[0-1]",
    "Name=gpu Type=a100_3g.20gb MultipleFiles=/dev/nvidia-caps/nvidia-cap[1-2]",
    "Name=gpu File=/dev/dri/renderD[128-129] Flags=amd_gpu_env,explicit", "Name=mps Count=200 Flags=CountOnly",
    "Name=shard Count=8 # four a GPU", "NodeName=n[1-2],n4 Name=gpu \\\n  File=/dev/nvidia[0-1]"])
def test_lines_of_gres_conf_that_slurm_takes(line: str) -> None:
    text = f"{SMALL}GresTypes=gpu,mps,shard\n".replace("CPUs=4", "CPUs=4 Gres=gpu:2")
    read = parse_slurm_conf(text, gres=f"{line}\n")
    assert all("drained" in notice.text or "not modelled" in notice.text for notice in read.notices)


@pytest.mark.parametrize("text", [
    "SwitchName=s Nodes=n[1-4]", "SwitchName=s Nodes=ALL", "switchname=S1 nodes=n1,n[2-4] linkspeed=4294967295",
    "SwitchName=s[1-2] Nodes=n[1-4]", "SwitchName=top Switches=a,b\nSwitchName=a Nodes=n[1-2]\nSwitchName=b Nodes=n[3-4]",
    "SwitchName=a Nodes=n1\nSwitchName=b Nodes=n[2-4]",
    "SwitchName=a Nodes=n[1-4],n1 \\\n LinkSpeed=1000  # a remark", "# nothing"])
def test_a_topology_that_slurm_takes(text: str) -> None:
    read = parse_slurm_conf(f"{SMALL}TopologyPlugin=topology/tree\n", topology=text)
    below = {node for switch in read.cluster.switches for node in switch.nodes}
    assert below == ({"n1", "n2", "n3", "n4"} if "=" in text else set())


def test_a_usual_time_beyond_the_limit_is_left_out_as_slurm_does() -> None:
    read = small(part="DefaultTime=100 MaxTime=50")
    assert (read.cluster.partitions[0].default_time, [notice.where for notice in read.notices]) == (
        None, ["slurm.conf, line 3, PartitionName"])


@pytest.mark.parametrize(("text", "line"), [
    (SCRIPT.replace("\n", "\r\n"), 1), (SCRIPT.replace("srun", "sr\0un"), 19), ("\ufeff" + SCRIPT, 1)])
def test_what_sbatch_itself_refuses_is_refused(text: str, line: int, tmp_path: Path) -> None:
    (tmp_path / "job.sh").write_bytes(text.encode())
    whole = conf()
    with pytest.raises(InputError, match=rf"^job\.sh, line {line}: "):
        read_script(tmp_path / "job.sh", whole.cluster, whole.settings)


@pytest.mark.parametrize("line", [
    "#SBATCH--nodes=2", "#SBATCH\t--nodes=2", "#SLURM --nodes=2", "#SBATCH -N2 -vv", "#SBATCH --nodes=2 # --hold",
    "#SBATCH -N2 --requeue=expedite", "#SBATCH -N2 --account=lab --qos=high", "#SBATCH --comment=é -N2",
    r'#SBATCH --comment="a\" b" -N2', r"#SBATCH --comment=a\ -N2", r"#SBATCH --comment=\#3\'s -N2"])
def test_lines_of_a_script_that_sbatch_takes(line: str) -> None:
    whole = conf()
    read = parse_script(f"#!/bin/bash\n  # a remark\n{line}\n##SBATCH --bogus\n# SBATCH --bogus\ntrue\n", whole.cluster,
                        whole.settings)
    assert (read.spec.shape.min_nodes, read.spec.account, read.spec.hold) == (2, "", False)
    assert len(read.notices) == ("requeue=" in line) + 2 * ("account" in line)


OPTIONS = """\
--batch=a&b
--prefer=fast
--tres-per-task=cpu=4,gres/gpu:a100:1
--acctg-freq=30
--acctg-freq=task=30,energy=60
--bbf=burst.txt
--core-spec=0
--cpu-freq=high
--cpu-freq=2400000
--cpu-freq=low-highm1:OnDemand
--cpu-freq=performance
--deadline=now+1hour
--deadline=2030-01-31T12:00:00
--deadline=tomorrow
--deadline=16:00
--deadline=01/31/30-23:59
--delay-boot=10:00
--distribution=block
-m cyclic:block
-m *:fcyclic,NoPack
-m plane=4
-m arbitrary
-B 2:8:1
-B *:4
--exclusive=exclusive
--export=NONE
--export=
--export=ALL,A=b
--export-file=env.txt
--get-user-env
--get-user-env=10L
--gpu-bind=closest
--gpu-bind=verbose,single:2
--gpu-bind=map_gpu:0,1*4,2
--gpu-bind=mask_gpu:0x3,0xc
--gpus-per-socket=volta:3,kepler:1
--gpu-freq=medium,memory=high,verbose
--gres=none
--gres-flags=enforce-binding
--hint=nomultithread
--kill-on-invalid-dep=Yes
--licenses=matlab:2,ansys@server
--mail-type=END,TIME_LIMIT_80
--mem=4GB
--mem=0
--mem-bind=verbose,local
--mem-bind=map_mem:0,1
--mem-per-cpu=512
--nice=-5
--no-kill
--no-kill=off
--open-mode=append
--priority=TOP
--profile=Energy,Task
--propagate
--propagate=MEMLOCK,STACK
--signal=B:USR1@120
--signal=SIGTERM
--signal=10@60
--signal=R:INT@30
--switches=2@1-0
--time=UNLIMITED
--time=1-0
--time-min=30
--time=0
--tmp=1G
--wait-all-nodes=1"""


@pytest.mark.parametrize("line", OPTIONS.split("\n"))
def test_values_of_options_that_sbatch_takes(line: str) -> None:
    """Each was also given to the sbatch of a real 22.05, which took it (files that it names must be there)."""
    whole = conf()
    read = parse_script(f"#!/bin/sh\n#SBATCH {line}\n", whole.cluster, whole.settings)
    assert all("not modelled" in notice.text for notice in read.notices)


@pytest.mark.parametrize("word", ["topo", "mcs", "oversubscribe"])
def test_a_way_to_be_exclusive_that_is_not_modelled_is_left_out_with_a_notice(word: str) -> None:
    whole = conf()
    read = parse_script(f"#!/bin/sh\n#SBATCH --exclusive={word}\n", whole.cluster, whole.settings)
    assert read.spec.shape.exclusive == "" and len(read.notices) == 1
