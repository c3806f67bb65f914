"""Random clusters, queues and mishaps for the laws that hold for all of them (hypothesis), and a count of what they cover."""

from __future__ import annotations

from collections import Counter
from typing import Any

from hypothesis import strategies as st

from clustersim.trace import Trace
from tests.slurm.build import document, job

END = 6_000  # seconds; every run ends here
BASE = "bf_interval=1,sched_interval=2,batch_sched_delay=0,sched_min_interval=0"
MORE = ["bf_max_job_test=3", "bf_resolution=300", "bf_window=30"]
PARAMETERS = [BASE, "", "default_queue_depth=2", *(f"{BASE},{one}" for one in MORE)]
ODD: list[dict[str, Any]] = [
    *({"array": "0-2%2"}, {"ignore_term": True}, {"requeue": False}, {"exit_code": 1}),
    *({"constraint": text} for text in ("big", "[small|big]", "[small*1&big*1]")),
    *({} for _ in range(7)),
]
USERS = ["alice", "bob", "carol"]
ACCOUNTING = {
    "accounts": [{"name": "lab", "fairshare": 2}, {"name": "ops"}, {"name": "sub", "parent": "lab", "fairshare": 3}],
    "users": [
        {"name": "alice", "account": "lab", "qos": "normal,low,high"},
        {"name": "bob", "account": "ops", "qos": "normal,low,high"},
        {"name": "carol", "account": "sub", "qos": "normal,low,high", "fairshare": 5},
    ],
    "qos": [
        {"name": "low", "priority": 1, "GrpTRES": "node=3", "MaxTRESPerUser": "cpu=6", "preemptmode": "REQUEUE,WITHIN"},
        {"name": "high", "priority": 100, "preempt": "low,normal", "MaxJobsPerUser": 2},
    ],
}


@st.composite
def clusters(draw: st.DrawFn) -> list[dict[str, Any]]:
    """One or two kinds of nodes, two to six in all; the second kind may lack GPUs, have a feature and another weight."""
    sizes = {"cpus": draw(st.integers(2, 8)), "gpus": draw(st.integers(0, 4))}
    first = {"name": f"n[1-{draw(st.integers(2, 4))}]", **sizes, "features": ["small"]}
    if not draw(st.booleans()):
        return [first]
    size = {"cpus": draw(st.integers(1, 16)), "gpus": draw(st.integers(0, 8))}
    return [first, {"name": f"m[1-{draw(st.integers(1, 2))}]", **size, "weight": draw(st.integers(1, 3)), "features": ["big"]}]


@st.composite
def jobs(draw: st.DrawFn, most: int = 12) -> list[dict[str, Any]]:
    """A queue of every shape of request; some ask for what no node has and are refused, as they would be."""
    made: list[dict[str, Any]] = []
    at = 0
    for i in range(draw(st.integers(2, most))):
        at += draw(st.integers(0, 90))
        more = draw(shapes())
        more["user"] = draw(st.sampled_from(USERS))
        if made and draw(st.integers(0, 2)) == 0:
            kind = draw(st.sampled_from(["afterok", "afterany", "after", "afternotok"]))
            more["dependency"] = f"{kind}:${draw(st.sampled_from([one['id'] for one in made]))}"
        more |= draw(st.sampled_from(ODD))
        made.append({**job(f"j{i}", at, draw(st.integers(0, 800)), draw(st.integers(1, 12))), **more})
    return made


def shapes() -> st.SearchStrategy[dict[str, Any]]:
    few = st.integers(1, 3)
    return st.one_of(
        st.builds(lambda n: {"nodes": n}, few),
        st.builds(lambda n: {"nodes": n, "exclusive": True}, few),
        st.builds(lambda n: {"ntasks": n}, st.integers(1, 12)),
        st.builds(lambda n, g: {"nodes": n, "gpus_per_node": g}, few, few),
        st.builds(lambda g: {"gpus": g}, st.integers(1, 6)),
        st.builds(lambda t, g: {"ntasks": t, "gpus_per_task": g}, few, st.integers(1, 2)),
        st.just({"ntasks": 1, "exclusive": "user"}),
    )


@st.composite
def mishaps(draw: st.DrawFn, names: list[str], nodes: list[str]) -> list[dict[str, Any]]:
    """What an operator, or chance, does: nodes that fail and come back, jobs stopped, held and requeued, a reservation."""
    events: list[dict[str, Any]] = []
    if draw(st.integers(0, 7)):
        one_half = (len(nodes) + 1) // 2
        lost = ",".join(draw(st.lists(st.sampled_from(nodes), min_size=one_half, max_size=len(nodes), unique=True)))
        at = draw(st.integers(30, 400))
        power = {"do": "down", "reason": "power"}
        how = draw(st.sampled_from([power, power, {"do": "kill_slurmd"}]))
        events.append({"at": at, "nodes": lost, **how})
        back = "resume" if how["do"] == "down" else "start_slurmd"
        events.append({"at": at + draw(st.integers(60, 900)), "do": back, "nodes": lost})
    for _ in range(draw(st.integers(0, 3))):
        one, node = draw(st.sampled_from(names)), draw(st.sampled_from(nodes))
        kinds = [{"do": do, "job": one} for do in ("scancel", "requeue", "hold", "release")]
        kinds.append({"do": "drain", "nodes": node, "reason": "x"})
        events.append({"at": draw(st.integers(0, 900)), **draw(st.sampled_from(kinds))})
    if draw(st.integers(0, 4)) == 0:
        at = draw(st.integers(0, 900))
        span = {"start_s": at + 60, "duration_min": 3, "nodes": draw(st.sampled_from(nodes))}
        events.append({"at": at, "do": "create_reservation", "name": "r", **span})
    return events


@st.composite
def workloads(draw: st.DrawFn) -> dict[str, Any]:
    """A whole workload; in most of them there is a long job, and a higher tier or QOS whose jobs may push it out."""
    nodes = draw(clusters())
    names = [f"{kind}{i}" for kind, group in zip("nm", nodes, strict=False) for i in range(1, int(group["name"][-2]) + 1)]
    made = draw(jobs())
    exclusive = draw(st.booleans())
    main = {"name": "main", "Default": "YES", "OverSubscribe": "EXCLUSIVE" if exclusive else "NO"}
    config = draw(configs())
    partitions = [main]
    preempting = draw(st.sampled_from(["", "tier", "tier", "tier", "tier", "qos", "qos", "qos"]))
    if preempting == "tier":
        mode = draw(st.sampled_from(["REQUEUE", "CANCEL", "SUSPEND,GANG"]))
        config |= {"PreemptType": "preempt/partition_prio", "PreemptMode": mode}
        if mode == "SUSPEND,GANG":
            main["OverSubscribe"] = "FORCE:1"
        partitions.append({**main, "name": "urgent", "Default": "NO", "PriorityTier": 2})
    elif preempting == "qos":
        config |= {"PreemptType": "preempt/qos", "PreemptMode": draw(st.sampled_from(["REQUEUE", "CANCEL"]))}
    if preempting:
        whole = {"nodes": draw(st.integers(1, len(names))), "exclusive": True, "user": draw(st.sampled_from(USERS))}
        made.insert(0, {**job("first", 0, draw(st.integers(300, 900)), 15), **whole})
        for one in made[1:]:
            above = {"partition": "urgent"} if preempting == "tier" else {"qos": "high"}
            one |= draw(st.sampled_from([{}, {"qos": "low"}, above, above, above]))
            one["stoppable"] = draw(st.booleans())
    return document(
        *made,
        nodes=nodes,
        partitions=partitions,
        config=config,
        accounting=ACCOUNTING,
        events=draw(mishaps([one["id"] for one in made], names)),
        until_s=END,
    )


@st.composite
def configs(draw: st.DrawFn) -> dict[str, str]:
    multifactor = draw(st.booleans())
    weights = {"PriorityWeightAge": "1000", "PriorityWeightJobSize": "500", "PriorityCalcPeriod": "1"}
    return {
        "SchedulerType": draw(st.sampled_from(["sched/backfill", "sched/backfill", "sched/builtin"])),
        "PriorityType": "priority/multifactor" if multifactor else "priority/basic",
        "SchedulerParameters": draw(st.sampled_from(PARAMETERS)),
        "CompleteWait": str(draw(st.sampled_from([0, 30]))),
        "KillWait": str(draw(st.sampled_from([0, 30]))),
        "SelectTypeParameters": draw(st.sampled_from(["CR_Core", "CR_Core,CR_LLN"])),
        "AccountingStorageEnforce": draw(st.sampled_from(["", "", "", "limits"])),
        "PriorityDecayHalfLife": draw(st.sampled_from(["0", "0-00:30:00"])),
        **(weights if multifactor else {}),
        **({"PriorityWeightFairshare": "2000"} if multifactor and draw(st.booleans()) else {}),
        **({"PriorityWeightTRES": "CPU=300,GRES/gpu=900"} if multifactor and draw(st.booleans()) else {}),
    }


def count(seen: Counter[str], data: dict[str, Any], trace: Trace) -> None:
    """A run counts where a job was really pushed out, really lost its node, or really waited for another."""
    seen["runs"] += 1
    states = {run.state for record in trace.jobs for run in record.runs}
    seen["preemption"] += "PREEMPTED" in states or any("suspended_s" in record.extra for record in trace.jobs)
    seen["failure"] += "NODE_FAIL" in states
    events = list(trace.events())
    seen["dependency"] += any(event.detail.get("reason") == "Dependency" for event in events if event.kind == "reason")
    seen["requeue"] += any(event.kind == "requeue" for event in events)
