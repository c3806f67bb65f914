"""The form of an outcome, and what the comparison finds."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest

from clustersim.slurm import Overheads, compare, outcome, parse_workload, replay, simulate_slurm
from clustersim.slurm.compare import standing_reasons
from clustersim.slurm.controller import LAUNCH_REAL_S, LAUNCH_S
from clustersim.slurm.outcome import start_order
from tests.conftest import ROOT
from tests.slurm.build import NO_OVERHEADS, document, job

GOLDEN = ROOT / "tests" / "golden" / "slurm_golden"


def both(name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    _trace, mine = replay(GOLDEN / f"{name}.workload.json")
    return mine, json.loads((GOLDEN / f"{name}.outcome.json").read_text(encoding="utf-8"))


def test_an_outcome_has_every_key_of_a_measured_one() -> None:
    mine, golden = both("timeouts")
    own = {"tolerance_s", "jitter_s"}  # what only repeated measuring can tell
    assert set(golden["jobs"]["ok"]) - own == set(mine["jobs"]["ok"])
    assert {"jobs", "start_order", "job_transitions", "node_transitions", "events", "workload"} <= set(mine)
    assert set(golden["job_transitions"][0]) == set(mine["job_transitions"][0])
    assert set(golden["node_transitions"][0]) == set(mine["node_transitions"][0])


def test_it_is_the_same_every_time() -> None:
    assert both("mix24_builtin")[0] == both("mix24_builtin")[0]


def test_waiting_cancelled_and_refused_jobs() -> None:
    workload = parse_workload(
        document(
            job("a", 0, 1000, 20, nodes=4),
            job("waits", 1),
            job("gone", 2),
            job("bad", 3, constraint="tpu"),
            job("arr", 4, array="0-1"),
            events=[{"at": 9, "do": "scancel", "job": "gone"}, {"at": 10, "do": "scancel", "job": "arr[1]"}],
            until_s=500,
        )
    )
    jobs = outcome(simulate_slurm(workload), workload)["jobs"]
    assert jobs["waits"]["state"] == "PENDING" and jobs["waits"]["reason"] == "Resources"
    assert jobs["waits"]["runs"] == [{"start_s": None, "end_s": None, "state": "PENDING", "nodes": []}]
    assert (jobs["gone"]["start_s"], jobs["gone"]["end_s"]) == (None, 9)
    assert jobs["bad"] == {
        "state": "REJECTED",
        "rc": 1,
        "stderr": "sbatch: error: Batch job submission failed: Invalid feature specification",
    }
    assert "arr_1" not in jobs and jobs["a"]["state"] == "RUNNING"
    rows = outcome(simulate_slurm(workload), workload)["job_transitions"]
    assert {"t": 10, "job": "arr_1", "state": "GONE", "reason": "Priority", "nodes": ""} in rows


def test_starts_close_together_form_a_group() -> None:
    jobs = {name: {"runs": [{"start_s": start}]} for name, start in (("a", 0), ("c", 3), ("b", 2), ("d", 4), ("e", None))}
    assert start_order(jobs) == [["a", "b", "c"], ["d"]]


BROKEN: list[tuple[str, Callable[[dict[str, Any]], object], str]] = [
    ("state", lambda o: o["jobs"]["over"].update(state="COMPLETED"), "over: state is COMPLETED, measured TIMEOUT"),
    ("nodes", lambda o: o["jobs"]["ok"]["runs"][0].update(nodes=["n2"]), "ok: run 0 nodes is n2, measured n1"),
    (
        "start",
        lambda o: o["jobs"]["over_wait"]["runs"][0].update(start_s=230),
        "over_wait: run 0 start_s is 230, measured 204 within 14 s",
    ),
    ("runs", lambda o: o["jobs"]["ok"]["runs"].append(o["jobs"]["ok"]["runs"][0]), "ok: runs is 2, measured 1"),
    ("missing", lambda o: o["jobs"].pop("ok"), "ok: missing, measured COMPLETED"),
    ("exit code", lambda o: o["jobs"]["ok"].update(exit_code="1:0"), "ok: exit code is 1:0, measured 0:0"),
    ("extra", lambda o: o["jobs"].update(extra=o["jobs"]["ok"]), "extra: not in the measured run"),
    ("order", lambda o: o["jobs"]["stubborn"]["runs"][0].update(start_s=3), "stubborn starts at 3, before over at 15"),
    (
        "reason",
        lambda o: o.update(job_transitions=[]),
        "over_wait: the reason Resources never appears; it was seen for 151.5 s",
    ),
]


@pytest.mark.parametrize(("what", "spoil", "said"), BROKEN, ids=[what for what, _spoil, _said in BROKEN])
def test_each_difference_is_found(what: str, spoil: Callable[[dict[str, Any]], object], said: str) -> None:
    mine, golden = both("timeouts")
    assert compare(mine, golden) == []
    spoilt = copy.deepcopy(mine)
    spoil(spoilt)
    assert any(said in text for text in compare(spoilt, golden))


def test_nodes_that_vary_are_not_compared() -> None:
    mine, golden = both("mix24_builtin")
    mine["jobs"]["m11"]["runs"][0]["nodes"] = ["n6"]
    assert compare(mine, golden) == []


def test_totals_are_compared_where_the_schedule_varies() -> None:
    _trace, mine = replay(GOLDEN / "not_unique" / "mix24_backfill.workload.json")
    golden = json.loads((GOLDEN / "not_unique" / "mix24_backfill.outcome.json").read_text(encoding="utf-8"))
    assert compare(mine, golden, unique=False) == []
    for one in mine["jobs"].values():
        one["runs"][0]["start_s"] += 500
    assert [text.split(" is ")[0] for text in compare(mine, golden, unique=False)] == ["mean wait", "last start"]
    mine["jobs"]["m00"]["runs"][0]["start_s"] = None
    assert compare(mine, golden, unique=False) == ["m00: never started"]


def test_short_lived_reasons_need_not_appear() -> None:
    rows = [
        {"t": 0.0, "job": "a", "state": "PENDING", "reason": "None"},
        {"t": 9.0, "job": "a", "state": "PENDING", "reason": "Priority"},
        {"t": 30.0, "job": "a", "state": "RUNNING", "reason": "None"},
    ]
    assert list(standing_reasons(rows)) == [("a", "Priority", 21.0)]


def test_a_job_that_was_over_ends_on_record_when_it_is_requeued() -> None:
    """``job_requeue`` closes the old record with the time of the requeue; measured: requeue_twice."""
    events = [{"at": 150, "do": "requeue", "job": "a"}, {"at": 300, "do": "requeue", "job": "a"}]
    workload = parse_workload(document(job("a", 0, 100, 5), events=events))
    runs = outcome(simulate_slurm(workload, overheads=NO_OVERHEADS), workload)["jobs"]["a"]["runs"]
    assert [(one["start_s"], one["end_s"]) for one in runs] == [(0, 150), (271, 300), (421, 521)]


def test_a_job_requeued_while_held_has_one_record() -> None:
    """Measured: hold_running."""
    events = [{"at": at, "do": do, "job": "a"} for at, do in ((40, "hold"), (60, "requeue"), (200, "release"))]
    workload = parse_workload(document(job("a", 0, 100, 5), events=events))
    runs = outcome(simulate_slurm(workload, overheads=NO_OVERHEADS), workload)["jobs"]["a"]["runs"]
    assert [(one["start_s"], one["end_s"]) for one in runs] == [(200, 300)]


@pytest.mark.parametrize(("do", "state"), [("scancel", "CANCELLED"), ("requeue", "REQUEUED")])
def test_a_job_stopped_in_a_pause_ended_on_record_when_the_pause_began(do: str, state: str) -> None:
    """``job_signal``, ``_job_requeue_op`` in ``job_mgr.c``; measured: suspend_three_tiers, suspend_events."""
    parts = [{"name": "low", "Default": "YES", "OverSubscribe": "FORCE:1"},
             {"name": "high", "PriorityTier": 2, "OverSubscribe": "FORCE:1"}]
    config = {"PreemptType": "preempt/partition_prio", "PreemptMode": "SUSPEND,GANG"}
    jobs = (job("a", 0, 200, 20, nodes=4, ntasks=16), job("b", 50, 100, 20, nodes=4, ntasks=16, partition="high"))
    events = [{"at": 80, "do": do, "job": "a"}]
    workload = parse_workload(document(*jobs, config=config, partitions=parts, events=events))
    run = outcome(simulate_slurm(workload, overheads=NO_OVERHEADS), workload)["jobs"]["a"]["runs"][0]
    assert (run["state"], run["end_s"]) == (state, 50)


def test_runs_last_as_much_longer_than_their_work_as_on_the_measured_clusters() -> None:
    longer: dict[float, list[int]] = {}
    for path in GOLDEN.glob("*.outcome.json"):
        found = json.loads(path.read_text())
        work = {one["id"]: one for one in json.loads(Path(str(path).replace("outcome", "workload")).read_text())["jobs"]}
        for name, one in found["jobs"].items():
            asked = work.get(name) or work[name.rpartition("_")[0]]
            if one["state"] == "COMPLETED" and len(one["runs"]) == 1 and not asked.get("stoppable"):
                longer.setdefault(found["speed"], []).append(one["end_s"] - one["start_s"] - asked["run_s"])
    assert sorted(longer) == [10, 30, 40]
    for speed, extra in longer.items():
        assert abs(LAUNCH_S + LAUNCH_REAL_S * speed - fmean(extra)) < 0.2
        assert Overheads.at_speed(speed).launch == 1
