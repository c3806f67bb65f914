"""Small workloads for the tests of the simulated Slurm."""

from __future__ import annotations

from typing import Any

from clustersim.slurm import Overheads, parse_workload, simulate_slurm
from clustersim.trace import Trace

NO_OVERHEADS = Overheads(0, 0)
LAB = {
    "accounts": [{"name": "lab"}],
    "users": [{"name": name, "account": "lab", "qos": "normal,low,high"} for name in ("alice", "bob", "carol")],
    "qos": [{"name": "low", "priority": 10}, {"name": "high", "priority": 100}],
}


def job(name: str, at: int = 0, run: int = 60, limit: int | None = 2, **more: Any) -> dict[str, Any]:
    return {"id": name, "at": at, "user": "alice", "run_s": run, "time_limit_min": limit, **more}


def document(
    *jobs: dict[str, Any],
    nodes: Any = 4,
    cpus: int = 4,
    gpus: int = 0,
    exclusive: bool = True,
    config: dict[str, Any] | None = None,
    partitions: list[dict[str, Any]] | None = None,
    **more: Any,
) -> dict[str, Any]:
    """A workload as JSON data: ``nodes`` is a count or the whole list; one partition ``main`` unless told otherwise."""
    listed = nodes if isinstance(nodes, list) else [{"name": f"n[1-{nodes}]", "cpus": cpus, "gpus": gpus}]
    main = {"name": "main", "Default": "YES", "MaxTime": "INFINITE", "OverSubscribe": "EXCLUSIVE" if exclusive else "NO"}
    cluster = {
        "nodes": listed,
        "partitions": partitions or [main],
        **({"switches": more.pop("switches")} if "switches" in more else {}),
    }
    return {
        "name": "test",
        "cluster": cluster,
        "config": {"PriorityType": "priority/basic", **(config or {})},
        "jobs": list(jobs),
        **more,
    }


def run(
    *jobs: dict[str, Any], seed: int = 0, until: int | None = None, overheads: Overheads = NO_OVERHEADS, **more: Any
) -> Trace:
    """Simulate; every trace is validated. Without overheads times are what arithmetic gives."""
    return simulate_slurm(parse_workload(document(*jobs, **more)), seed, until, overheads).validate()


def starts(trace: Trace) -> dict[str, int | None]:
    return {record.id: record.start for record in trace.jobs}


def places(trace: Trace) -> dict[str, tuple[str, ...]]:
    return {record.id: record.runs[-1].nodes for record in trace.jobs if record.runs}


def gpus(trace: Trace, name: str) -> list[tuple[int, ...]]:
    return [place.gpus for place in trace.job(name).runs[-1].places]


def reasons(trace: Trace, name: str) -> list[str]:
    """The reasons of a waiting job in order, those of one instant included."""
    logged = [event.detail for event in trace.events() if event.kind == "reason" and event.subject == name]
    return [reason for detail in logged for reason in [*detail.get("after", ()), detail["reason"]]]
