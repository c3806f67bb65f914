"""Broken configuration files and scripts, by construction: each is refused with file, line and key (or option).

Workload files have tests of their own in ``test_reading.py``. A case is a piece of a whole file and what is put in its
place; the line expected is where the piece stands, so no line number is written down.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator

import pytest

from clustersim.errors import ClusterSimError, InputError
from clustersim.slurm import confkeys, confvalues, parse_workload, settings
from clustersim.slurm.workload import PARTITION_KEYS
from tests.slurm.conf_texts import GRES_CONF, SCRIPT, SLURM_CONF, TOPOLOGY_CONF, conf, script
from tests.slurm.test_reading import REQUIRED, WRONG, paths, whole

Case = tuple[str, str, str, str]  # kind of file, what stands there, what is put there, key that the error names
TEXTS = {"slurm.conf": SLURM_CONF, "gres.conf": GRES_CONF, "topology.conf": TOPOLOGY_CONF, "job.sh": SCRIPT}
READERS: dict[str, Callable[[str], object]] = {
    "slurm.conf": conf,
    "gres.conf": lambda text: conf(gres=text),
    "topology.conf": lambda text: conf(topology=text),
    "job.sh": script,
}
NO_NUMBERS = ("x", "-1", "1.5", "0x10", "²", "9" * 25)
NO_HOSTS = ("n[1-", "n1]", "n[[1]]", "n[3-1]", "n[a-b]", "n[]", "n1,,n2", ",n1", "n[1-99999999]", "n[0-999][0-999]")
NO_TIMES = ("soon", "1-2-3", "1:2:3:4", "-5", "1.5")


def _conf_numbers() -> Iterator[Case]:
    alone = """PriorityWeightAge PriorityWeightFairshare PriorityWeightJobSize PriorityWeightPartition PriorityWeightQOS
        KillWait CompleteWait OverTimeLimit SlurmdTimeout SlurmctldTimeout MinJobAge SchedulerTimeSlice MaxArraySize """
    in_lines = """Sockets CoresPerSocket ThreadsPerCore RealMemory TmpDisk CPUs Weight MinNodes MaxNodes PriorityTier
        PriorityJobFactor"""
    for key in (alone + in_lines).split():
        piece = next(word for word in SLURM_CONF.split() if word.startswith(f"{key}="))
        for wrong in NO_NUMBERS:
            yield "slurm.conf", piece, f"{key}={wrong}", key
    for option in ["bf_interval", "bf_window", "bf_resolution", "bf_max_job_test", "sched_interval", "default_queue_depth"]:
        for wrong in ("x", "-1", "1.5", ""):
            yield "slurm.conf", f"{option}=", f"{option}={wrong}?", "SchedulerParameters"
    for key in ("Sockets", "CoresPerSocket", "ThreadsPerCore", "RealMemory", "CPUs"):
        piece = next(word for word in SLURM_CONF.split() if word.startswith(f"{key}="))
        yield "slurm.conf", piece, f"{key}=0", key


def _conf_bits() -> Iterator[Case]:
    """Every key whose value Slurm reads as a number or as yes or no, where it stands; most have no effect here."""
    alone = {*settings.MODELLED, *confkeys.PASSED_OVER, *confkeys.NOT_MODELLED}
    part = {*confkeys.PARTITION_PASSED_OVER, *confkeys.PARTITION_NOT_MODELLED, *PARTITION_KEYS}
    for line, keys in (("KillWait=30", alone), ("LLN=YES", part)):
        for key in sorted(keys & set(confvalues.BITS)):
            bits = confvalues.BITS[key]
            piece = next((word for word in SLURM_CONF.split() if word.startswith(f"{key}=")), line)
            for wrong in ("x", "-1", str(2**bits)):
                yield "slurm.conf", piece, f"{key}={wrong}", key


def _conf_texts() -> Iterator[Case]:
    """Every key with a text of one form, a plugin or words out of a list; and what keys say together."""
    table: dict[str, tuple[str, ...]] = {
        **dict.fromkeys(sorted({*confvalues.WORDS, *confvalues.ONE} - {"SelectTypeParameters", "Exclusive", "CpuBind"}),
                        ("bogus", "-7")),
        **dict.fromkeys(confvalues.PLUGINS, ("bogus", "bogus/none", "task/cgruop")),
        **dict.fromkeys(confvalues.OPEN_PLUGINS, ("bogus/lua", "a/b/c")),
        **dict.fromkeys(("SlurmctldDebug", "SlurmdSyslogDebug"), ("debug6", "10")),
        **dict.fromkeys(("RequeueExit", "RequeueExitHold"), ("x", "-1", "1-", "1;2")),
        "AccountingStorageTRES": ("gpu", "cpu;mem"), "BcastExclude": ("lib", "/lib,usr"), "ClusterName": ('""',),
        "FirstJobId": ("0", "UNLIMITEDLY"), "GresTypes": ("gpu;mps", "7"), "JobAcctGatherFrequency": ("x", "task=x", "30,x"),
        "Licenses": ("a:b", "a:-1", ":3"), "MaxDBDMsgs": ("1",), "MaxJobCount": ("0",), "MaxStepCount": ("0",),
        "MCSParameters": ("ondemand",), "MpiDefault": ("openmpy", "pmi3"), "PriorityDecayHalfLife": ("0",),
        "PropagatePrioProcess": ("3", "UNLIMITED"), "PropagateResourceLimits": ("core", "RLIMIT_CORE"),
        "SlurmSchedLogLevel": ("1",), "SlurmctldHost": ("a(b", "a)b", "a b", "a()"), "SrunPortRange": ("x", "1", "9-8"),
        "SlurmctldPort": ("x", "0", "70000", "6820-6817", "1,2"), "SuspendTime": ("x", "1.5", "10:00", "-2"),
        "TopologyParam": ("TopoOptionl", "TopoMaxSizeUnroll=x"), "TreeWidth": ("0",),
    }
    for key, wrongs in table.items():
        piece = next((word for word in SLURM_CONF.split() if word.startswith(f"{key}=")), "KillWait=30")
        for wrong in wrongs:
            wrong = f'"{wrong}"' if " " in wrong else wrong
            yield "slurm.conf", piece, f"{key}={wrong}", key
    parts = {"Exclusive": ("YES", "NODES"), "OverTimeLimit": ("x",), "SuspendTime": ("x",), "TRESBillingWeights": ("x", "CPU"),
             "SelectTypeParameters": ("CR_Cores", "CR_CPU"), "CpuBind": ("sock",), "AllocNodes": ("login[1-",)}
    nodes = {"CpuBind": ("sock",), "CPUSpecList": ("x", "1-"), "TRESWeights": ("CPU=x",), "SuspendTime": ("x",),
             "NodeAddr": ("a[1-3]", "a[1"), "NodeHostname": ("b[1-2]",), "Port": ("[1-3]",)}
    for place, table in (("LLN=YES", parts), ("Weight=2", nodes)):
        for key, wrongs in table.items():
            for wrong in wrongs:
                yield "slurm.conf", place, f"{place} {key}={wrong}", key
    yield "slurm.conf", "TmpDisk=100", "TmpDisk=100 NodeAddr=x", "NodeAddr"
    yield "slurm.conf", "KillWait=30", "KillWait=x\nKillWait=30", "KillWait"
    yield "slurm.conf", "KillWait=30", "SlurmctldHost=a(\nSlurmctldHost=b", "SlurmctldHost"
    yield "slurm.conf", "KillWait=30", "FirstJobId=9\nMaxJobId=8", "FirstJobId"
    yield "slurm.conf", "KillWait=30", "KillWait=30 InactiveLimit=5", "InactiveLimit"
    yield "slurm.conf", "KillWait=30", "Include=more.conf", "Include"
    yield "slurm.conf", "KillWait=30", "KillWait=30k", "KillWait"
    yield "slurm.conf", "RealMemory=1000", "RealMemory=4G", "RealMemory"


def _conf_words() -> Iterator[Case]:
    table = {
        "SchedulerType": ("sched/backfil", "backfill"),
        "SelectType": ("select/cons_tress", "linear"),
        "SelectTypeParameters": ("CR_Cores", "CR_Core,What"),
        "TopologyPlugin": ("topology/tre", "tree"),
        "PriorityType": ("priority/multi", "basic"),
        "PriorityMaxAge": NO_TIMES,
        "PriorityCalcPeriod": NO_TIMES,
        "PriorityDecayHalfLife": NO_TIMES,
        "PriorityFavorSmall": ("MAYBE", "2"),
        "AccountingStorageEnforce": ("limit", "associations,qs"),
        "EnforcePartLimits": ("SOME", "2"),
        "ReturnToService": ("3", "yes"),
        "JobRequeue": ("2", "yes"),
        "PreemptType": ("preempt/priority", "qos"),
        "PreemptMode": ("KILL", "SUSPEND,GNAG", "SUSPEND", "OFF", "GANG", "CANCEL,REQUEUE", "SUSPEND,GANG,WITHIN"),
        "PriorityFlags": ("FAIRTREE",),
        "PreemptExemptTime": NO_TIMES,
        "Gres": ("gpu:a100:b100:4", "gpu::4", "gpu:-1", "gpu:4:a100", "gpus:4", "7", "gpu:99999"),
        "Features": ("a&b", "a|b", "a*2", "[a]"),
        "Feature": ("slow", "fasst"),
        "MaxTime": NO_TIMES,
        "DefaultTime": NO_TIMES,
        "Default": ("MAYBE", "2"),
        "OverSubscribe": ("MAYBE", "YES:x", "FORCE:-1", "EXCLUSIV"),
        "LLN": ("MAYBE", "2"),
        "DownNodes": (*NO_HOSTS, "n9"),
        "NodeName": NO_HOSTS,
        "NodeSet": ("n1",),
        "Nodes": (*NO_HOSTS, "n9", "fastoness"),
    }
    for key, wrong in table.items():
        piece = next(word for word in SLURM_CONF.split() if word.startswith(f"{key}=") and "DEFAULT" not in word)
        for value in wrong:
            yield "slurm.conf", piece, f"{key}={value}", key
    for piece in ("State=UNKNOWN\nNodeName=c", "State=DRAIN", "State=DOWN", "State=UP\n"):
        for value in ("OPEN", "DWON"):
            yield "slurm.conf", piece, piece.replace(piece.split("\n")[0].split("=")[1], value, 1), "State"


def _conf_shapes() -> Iterator[Case]:
    """Lines that are no KEY=VALUE pairs, keys twice in a line, names twice in a file."""
    for line in (one for one in SLURM_CONF.splitlines() if one.startswith(("KillWait", "NodeName=n", "PartitionName=a"))):
        for wrong in ("nonsense", "=5", "a b=c", 'Reason="no end', "Key=", "ä=1", '"x"=y', "Include", "Include none.conf"):
            lonely = wrong.startswith("Include ")
            yield "slurm.conf", line, wrong if lonely else f"{line} {wrong}", "Include" if lonely else ""
    for word in ("Weight=2", "CPUs=8", "MinNodes=1", "LLN=YES"):
        key = word.partition("=")[0]
        yield "slurm.conf", word, f"{word} {key.upper()}=1", key.upper()
    yield "slurm.conf", "NodeName=old1", "NodeName=n1", "NodeName"
    yield "slurm.conf", "PartitionName=all", "PartitionName=gpu", "PartitionName"
    for name in ("ALL", '""', "all"):
        yield "slurm.conf", "NodeName=old1", f"NodeName={name}", "NodeName"
    yield "slurm.conf", "PartitionName=all", 'PartitionName=""', "PartitionName"
    yield "slurm.conf", "PreemptType=preempt/partition_prio\nPreemptMode=SUSPEND,GANG", "PreemptType=preempt/qos", "PreemptType"
    yield "slurm.conf", "PreemptType=preempt/partition_prio\nPreemptMode", "PreemptMode", "PreemptMode"
    yield "slurm.conf", "ClusterName=Lab", "Include %c.conf", "Include"
    yield "slurm.conf", "NodeSet=fastones Feature=fast", "NodeSet=fastones", "NodeSet"
    yield "slurm.conf", "NodeSet=fastones Feature=fast", "NodeSet=fastones Feature=fast Nodes=n1", "NodeSet"
    yield "slurm.conf", "GresTypes=gpu,nic", "FrontendName=x", "FrontendName"
    yield "slurm.conf", "DownNodes=c04 State=DOWN", "DownNodes=c04 State=IDLE", "State"
    yield "slurm.conf", "Sockets=2 CoresPerSocket=4", "Sockets=60000 CoresPerSocket=4\nNodeName=z", "NodeName"


def _gres() -> Iterator[Case]:
    for wrong in (*NO_NUMBERS, "0", "2000"):
        yield "gres.conf", "Count=4", f"Count={wrong}", "Count"
    for wrong in (*NO_HOSTS, "n9", "c1"):
        yield "gres.conf", "NodeName=n[3-4]", f"NodeName={wrong}", "NodeName"
    for wrong in ("nvlm", "yes", "1"):
        yield "gres.conf", "AutoDetect=off", f"AutoDetect={wrong}", "AutoDetect"
    for wrong in ("gpus", "mps", "7"):
        yield "gres.conf", "Name=gpu Type=a100 Count", f"Name={wrong} Type=a100 Count", "Name"
    for wrong in (".", "a:b", "a100,h100", "-"):
        yield "gres.conf", "Type=a100 Count", f"Type={wrong} Count", "Type"
    for wrong in ("nvidia0", "/dev/nvidia[0-", "/dev/nvidia[3-0]", "/dev/a,,/dev/b", "./dev/x"):
        yield "gres.conf", "File=/dev/nvidia[0-3]", f"File={wrong}", "File"
    yield "gres.conf", "Cores=0-7", "Count=3", "Count"
    for wrong in ("a-b", "0-", "0..7", "7-0", "0-7;9"):
        yield "gres.conf", "Cores=0-7", f"Cores={wrong}", "Cores"
    for key, wrongs in {"Flags": ("bogus", "nvidia_gpu"), "Links": ("x", "1,x", "-3"), "MultipleFiles": ("dev/x",)}.items():
        for wrong in wrongs:
            yield "gres.conf", "Cores=0-7", f"Cores=0-7 {key}={wrong}", key
    for kind in ("gres.conf", "topology.conf"):
        yield kind, TEXTS[kind].splitlines()[1], "Include nowhere.conf", "Include"
    yield "gres.conf", "Name=gpu Type=a100 Count=4", "Type=a100 Count=4", "NodeName"
    for wrong in ("nonsense", "=5", 'Type="x', "count=4"):
        yield "gres.conf", "Count=4", f"Count=4 {wrong}", "count" if "count" in wrong else ""


def _topology() -> Iterator[Case]:
    for wrong in (*NO_HOSTS, "n9", "leaf1"):
        yield "topology.conf", "Nodes=n[1-4]", f"Nodes={wrong}", "Nodes"
    for wrong in ("leaf[1-", "leaf9", "leaf[1-3]", "n1", "leaf1,,leaf2", "top", "leaf[1-2],top"):
        yield "topology.conf", "Switches=leaf[1-2]", f"Switches={wrong}", "Switches"
    for wrong in NO_NUMBERS:
        yield "topology.conf", "LinkSpeed=100", f"LinkSpeed={wrong}", "LinkSpeed"
    for wrong in ("leaf1", "leaf[1-", "s[3-1]", ",s", "s[a]", "s]", "s[0-999][0-999]"):
        yield "topology.conf", "SwitchName=leaf2", f"SwitchName={wrong}", "SwitchName"
    yield "topology.conf", "SwitchName=top Switches", "Switches", "Switches"
    yield "topology.conf", "Switches=leaf[1-2]", "", "SwitchName"
    yield "topology.conf", "Switches=leaf[1-2]", "Nodes=n1 Switches=leaf[1-2]", "SwitchName"
    yield "topology.conf", "SwitchName=top", "BlockName=top", "BlockName"
    yield "topology.conf", "SwitchName=top", "SwitchName=mid Switches=leaf1\nSwitchName=top", "Switches"
    for wrong in ("nonsense", "=5", 'LinkSpeed="x', "linkspeed=1 LINKSPEED=2"):
        yield "topology.conf", "Nodes=c[01-04],old1", f"Nodes=c[01-04],old1 {wrong}", "LINKSPEED" if "SPEED" in wrong else ""


def _script() -> Iterator[Case]:
    counts = {"--ntasks=8": "--ntasks", "--ntasks-per-node=4": "--ntasks-per-node", "-c 2": "--cpus-per-task"}
    for piece, key in counts.items():
        for wrong in (*NO_NUMBERS, "0", "70000"):
            yield "job.sh", f"#SBATCH {piece}\n", f"#SBATCH {key}={wrong}\n", key
    table = {
        "--job-name=train": ("",),
        "--partition=gpu,all": ("gppu", "gpu,alll", ""),
        "--nodes=2-3": ("x", "0", "3-2", "2-", "-1", "1-99999", "2-3-4", ""),
        "--gres=gpu:a100:4": ("gpus:4", "gpu:a100:b", "gpu::4", "4", "gpu:70000", ""),
        "--time=0:30:00": (*NO_TIMES, "99999999", ""),
        '--constraint="fast&new"': ("fast&&new", "fast|", "2*fast", "fast*x", ""),
        "--nodelist=n[1-2]": (*NO_HOSTS, "n9", ""),
        "--exclude=c01": (*NO_HOSTS, "c9", ""),
        "--begin=now+10minutes": ("whenever", "now+x", "now-5", "now+5fortnights", "16:00", ""),
        "--nice=5": ("x", "1.5", "99999999999", "9999999999"),
        "--switches=1@10": ("x", "0", "1@soon", "1@", ""),
        "--array=0-7%2": ("x", "7-0", "0-7%0", "0-7%x", "0-9999", "1:2", "0-7:0", ""),
        "--dependency=afterany:7": ("afterwards:7", "afterany:", "afterany:x", "afterok:7+5", "after:7,after:8?after:9", ""),
    }
    for piece, wrongs in table.items():
        option = piece.partition("=")[0]
        for wrong in wrongs:
            yield "job.sh", piece, f"{option}={wrong}", option
    for wrong in ("--noodes=2", "--", "-y", "-Z 3", "nodes=2", "---nodes=2", "--nodes 2 3", '--comment="no end', "-N"):
        yield "job.sh", "--output=%j.log ", f"{wrong} ", "--nodes" if wrong == "-N" else ""
    for flag in ("--hold", "--no-requeue", "--contiguous"):
        yield "job.sh", "--hold", f"{flag}=yes", flag
    for wrong in ("hetjob", "-Hq", "-HZ", "--=2", "--gres=gpu:a:1,gpu:b:1", "--gpus=a:1,b:2", "--nodes=1,3"):
        key = {"-Hq": "--qos", "hetjob": "", "-HZ": "", "--=2": ""}.get(wrong, wrong[:7].rstrip("="))
        yield "job.sh", "#SBATCH -c 2", f"#SBATCH {wrong}", key
    for wrong in ("yes", "node"):
        yield "job.sh", "--hold", f"--exclusive={wrong}", "--exclusive"
    for wrong in ("x", "a100", "a100:x", "-1", "70000", ""):
        yield "job.sh", "--hold", f"--gpus={wrong}", "--gpus"
        yield "job.sh", "--hold", f"--gpus-per-node={wrong}", "--gpus-per-node"
    for first in ("", "echo", "# /bin/bash", "/bin/bash"):
        yield "job.sh", "#!/bin/bash", first, ""


def _script_options_without_effect() -> Iterator[Case]:
    table = {
        "mem": ("x", "-1", "4X", "1.5G", ""),
        "mem-per-cpu": ("x", ""),
        "mincpus": ("x", "-1", ""),
        "threads-per-core": ("x", ""),
        "cpus-per-gpu": ("x", "a100:2"),
        "gpus-per-socket": ("x", "-1"),
        "time-min": NO_TIMES,
        "priority": ("x", "-1"),
        "kill-on-invalid-dep": ("maybe",),
        "wait-all-nodes": ("2",),
        "open-mode": ("x",),
        "signal": ("x@", "@60", "USR1@x", "USR3", "SIGBOGUS@60", "0", "B:"),
        "mail-type": ("SOMETIMES", "END,LATER"),
        "hint": ("bogus",),
        "licenses": ("", "a:b", ":1", "a:-1"),
        **dict.fromkeys(("bbf", "export-file", "nodefile"), ("",)),
        "acctg-freq": ("x", "task=x", "30s"),
        "core-spec": ("x", "-1"),
        "cpu-freq": ("x", "high-x", "fast:OnDemand", ""),
        "deadline": ("x", "1:2:3", "3", "4G", "all", "now+x", "now+5fortnights", "2030-13", ""),
        "delay-boot": ("x", "1.5", "4G", "1:2:3:4", ""),
        "distribution": ("x", "plane", "plane=0", "block:x", "block:block:block:block", "blocks", ""),
        "extra-node-info": ("x", "1:2:3:4", "8x", "1.5", ""),
        "get-user-env": ("x", "1.5", "10x"),
        "gpu-bind": ("x", "map_gpu:x", "mask_gpu:0xg", "single:x", "gpu:closest", ""),
        "gpu-freq": ("x", "memory=x", "high,speed=low", ""),
        "gres-flags": ("x", "disable", ""),
        "mem-bind": ("x", "map_mem", ""),
        "no-kill": ("x", "yes"),
        "ntasks-per-core": ("0", "x"),
        "ntasks-per-gpu": ("0", "x"),
        "ntasks-per-socket": ("0", "1K"),
        "ntasks-per-tres": ("x",),
        "oom-kill-step": ("2", "x"),
        "profile": ("x", "energy,x", ""),
        "propagate": ("x", "core", "CORE,x"),
        "requeue": ("x", "yes"),
        "segment": ("0", "x"),
        "batch": ("a&&b",),
        "prefer": ("a&&b", "a|"),
        "tres-per-task": ("x", "gpu:1", "cpu", "cpu=x"),
        "sockets-per-node": ("0", "2-"),
        "thread-spec": ("0", "x"),
        "tmp": ("x", "4X"),
    }
    for name, wrongs in table.items():
        for wrong in wrongs:
            yield "job.sh", "--hold", f"--{name}={wrong}", f"--{name}"


_ALL = (*_conf_numbers(), *_conf_bits(), *_conf_texts(), *_conf_words(), *_conf_shapes(), *_gres(), *_topology(), *_script(),
        *_script_options_without_effect())
CASES = list(dict.fromkeys(_ALL))  # each once


def test_there_are_cases_of_every_kind() -> None:
    """At least 300 breakages in all and 40 of each file; those of workload files stand in test_reading.py."""
    counts = {kind: len({case for case in CASES if case[0] == kind}) for kind in TEXTS}
    counts["workload"] = len(paths(whole())) * len(WRONG) + len(REQUIRED)
    print(counts)
    assert min(counts.values()) >= 40 and sum(counts.values()) >= 300


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[0]}: {case[2][:60]!a}"[:90])
def test_a_broken_file_is_refused_at_its_place(case: Case) -> None:
    kind, piece, wrong, key = case
    text = TEXTS[kind]
    assert piece in text
    place = text.index(piece)
    broken = text[:place] + wrong + text[place + len(piece) :]
    first = text[:place].count("\n") + 1
    lines = range(first, first + wrong.count("\n") + 1)
    with pytest.raises(ClusterSimError) as caught:
        READERS[kind](broken)
    found: str = caught.value.where  # type: ignore[attr-defined]
    assert found in {f"{kind}, line {line}{f', {key}' if key else ''}" for line in lines}, str(caught.value)


@pytest.mark.parametrize("kind", TEXTS)
def test_the_whole_files_are_legal(kind: str) -> None:
    READERS[kind](TEXTS[kind])
    noticed = {notice.where for notice in conf().notices}
    assert noticed == {"slurm.conf, line 37, Gres", "gres.conf, line 5, Name"}  # only GPUs are scheduled here


def _keys(kind: str) -> list[str]:
    words = [word for line in TEXTS[kind].splitlines() if not line.startswith("#") for word in line.split()]
    return sorted({word.partition("=")[0] for word in words if "=" in word} - {"NodeName", "PartitionName", "SwitchName"})


@pytest.mark.parametrize(("kind", "key"), [(kind, key) for kind in TEXTS if kind != "job.sh" for key in _keys(kind)])
def test_a_misspelt_key_is_noticed_with_its_place_and_the_right_word(kind: str, key: str) -> None:
    text = TEXTS[kind]
    place = next(i for i in range(len(text)) if text.startswith(f"{key}=", i) and (not i or text[i - 1] in " \n"))
    broken = f"{text[:place]}{key}q{text[place + len(key) :]}"
    where = f"{kind}, line {text[:place].count(chr(10)) + 1}, {key}q"
    try:
        read = READERS[kind](broken)
    except InputError as error:  # the line cannot do without the key
        assert str(error).startswith(kind)
        return
    said = [str(notice) for notice in read.notices if notice.where == where]  # type: ignore[attr-defined]
    assert len(said) == 1 and f"Did you mean {key}?" in said[0]


@pytest.mark.parametrize("missing", ["NodeName", "PartitionName"])
def test_a_cluster_needs_nodes_and_partitions(missing: str) -> None:
    text = "NodeName=a\nPartitionName=p Nodes=ALL\n"
    kept = "\n".join(line for line in text.splitlines() if not line.startswith(missing))
    with pytest.raises(InputError, match=rf"slurm\.conf: found .*, expected at least one {missing} line"):
        conf(kept, None, None)


MUTATED: dict[str, tuple[str, Callable[[str], object]]] = {
    **{kind: (text, READERS[kind]) for kind, text in TEXTS.items()},
    "workload": (json.dumps(whole()), parse_workload),
}
EACH = 1_000
BYTES = b"\x00\x09\x0a\x20\"#%&'*,-./:=[]\\{}|0519aNx\xc2\xb2\xff"


@pytest.mark.parametrize("kind", MUTATED)
def test_random_mutations_of_bytes_end_without_a_traceback(kind: str) -> None:
    """Whatever becomes of the file, it is read or refused with a clear message (1,000 times each of five kinds)."""
    text, read = MUTATED[kind]
    assert EACH * len(MUTATED) >= 5_000
    chance = random.Random(f"mutations of {kind}")
    refused = 0
    for _ in range(EACH):
        data = bytearray(text.encode())
        for _ in range(chance.randint(1, 4)):
            place, length = chance.randrange(len(data)), chance.choice((1, 1, 1, 7))
            likely = [chance.random() < 0.7 for _ in range(chance.randint(0, 3))]
            put = bytes(chance.choice(BYTES) if one else chance.randrange(256) for one in likely)
            data[place : place + length] = put
        try:
            read(data.decode("utf-8", errors="replace"))
        except ClusterSimError as error:
            refused += 1
            assert str(error)
    assert EACH / 10 < refused < EACH
