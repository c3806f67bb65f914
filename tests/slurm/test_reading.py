"""Broken workload files, by construction: each is refused with the file, the JSON path and what was expected."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clustersim.errors import ClusterSimError, InputError, UnsupportedError
from clustersim.slurm import parse_workload, read_workload, simulate_slurm
from tests.conftest import ROOT
from tests.slurm.build import document, job

GOLDEN = sorted((ROOT / "tests" / "golden" / "slurm_golden").glob("**/*.workload.json"))
REMOVED = object()


def whole() -> dict[str, Any]:
    """A workload in which every section and most keys occur."""
    data = document(
        job("a", account="lab", qos="q", nodes=1, gpus_per_node=1, nice=1, job_name="x", requeue=True),
        job(
            "b", 1, ntasks=2, cpus_per_task=1, dependency="afterok:$a", exclusive="user", constraint="fast", begin="now+1minute"
        ),
        job("c", 2, array="0-3%2", nodes=1, ntasks_per_node=1, nodelist="n1", exclude="n2", switches="1@5", hold=False),
        job("d", 3, gpus=2, exit_code=1, ignore_term=True, stoppable=True, extra_args=["--gres=gpu:a100:1"]),
        nodes=[
            {"name": "n[1-4]", "cpus": 4, "gpus": 2, "gpu_type": "a100", "weight": 1, "features": ["fast"], "memory_mb": 1000}
        ],
        config={
            "SchedulerParameters": "bf_interval=1",
            "KillWait": "5",
            "PriorityMaxAge": "1-0",
            "SelectTypeParameters": "CR_Core",
        },
        accounting={
            "qos": [
                {
                    "name": "q",
                    "priority": 1,
                    "preempt": "normal",
                    "MaxJobsPerUser": 2,
                    "MaxTRESPerUser": "cpu=4",
                    "MaxWall": "10",
                }
            ],
            "accounts": [{"name": "lab", "fairshare": 1}],
            "users": [{"name": "alice", "account": "lab", "qos": "q"}],
        },
        switches=[{"name": "s1", "nodes": "n[1-4]"}, {"name": "top", "switches": "s1"}],
        events=[
            {"at": 1, "do": "drain", "nodes": "n1", "reason": "x"},
            {"at": 2, "do": "scancel", "job": "a"},
            {"at": 3, "do": "create_reservation", "name": "r", "start_s": 60, "duration_min": 1, "nodes": "ALL"},
            {"at": 4, "do": "update_partition", "name": "main", "set": {"State": "UP"}},
        ],
        until_s=100,
    )
    data["cluster"]["partitions"][0].update(MaxNodes="4", PriorityTier=1, State="UP")
    return data


def paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The place of every value in the document."""
    found = [path] if path else []
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, below in items:
        found += paths(below, (*path, key))
    return found


def shown(path: tuple[Any, ...]) -> str:
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


def changed(path: tuple[Any, ...], value: object) -> dict[str, Any]:
    data = copy.deepcopy(whole())
    place: Any = data
    for part in path[:-1]:
        place = place[part]
    if value is REMOVED:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return data


def test_the_whole_document_is_legal() -> None:
    workload = parse_workload(whole())
    assert [spec.id for spec in workload.jobs] == ["a", "b", "c", "d"]
    simulate_slurm(workload).validate()


def refused(data: Any, where: str) -> str:
    with pytest.raises((InputError, UnsupportedError)) as caught:
        parse_workload(data, "w.json")
    assert caught.value.where.startswith("w.json")
    assert where in caught.value.where, (caught.value.where, where)
    return str(caught.value)


# What cannot stand anywhere: a list in place of a text or number, an object in place of a list, and the other way round.
WRONG: list[tuple[str, Callable[[Any], object]]] = [
    ("a list of lists", lambda old: [[1]]),
    ("an empty object", lambda old: {"nonsense_key": 1}),
    ("minus five", lambda old: -5),
]


@pytest.mark.parametrize("path", paths(whole()), ids=shown)
@pytest.mark.parametrize(("what", "make"), WRONG, ids=[what for what, _make in WRONG])
def test_a_value_of_the_wrong_kind_is_refused_with_its_path(
    path: tuple[Any, ...], what: str, make: Callable[[Any], object]
) -> None:
    value = -(2**31) if path[-1] == "nice" and what == "minus five" else make(None)  # sbatch takes nice from -2147483645
    data = changed(path, value)
    parent = shown(path[:-1]) if isinstance(path[-1], int) else shown(path)
    refused(data, parent)


@pytest.mark.parametrize("path", [p for p in paths(whole()) if isinstance(p[-1], str)], ids=shown)
def test_an_unknown_key_is_refused_with_a_suggestion(path: tuple[Any, ...]) -> None:
    data = changed(path, REMOVED)
    place: Any = data
    for part in path[:-1]:
        place = place[part]
    wrong = f"{path[-1]}x"
    original: Any = whole()
    for part in path:
        original = original[part]
    place[wrong] = original
    message = refused(data, "w.json")
    assert wrong in message or str(path[-1]) in message


REQUIRED = [
    ("cluster",),
    ("cluster", "nodes"),
    ("cluster", "partitions"),
    ("cluster", "nodes", 0, "name"),
    ("cluster", "nodes", 0, "cpus"),
    ("cluster", "partitions", 0, "name"),
    ("jobs", 0, "id"),
    ("jobs", 0, "at"),
    ("jobs", 0, "user"),
    ("jobs", 0, "run_s"),
    ("accounting", "qos", 0, "name"),
    ("accounting", "users", 0, "account"),
    ("events", 0, "at"),
    ("events", 0, "do"),
    ("events", 0, "nodes"),
    ("events", 0, "reason"),
    ("events", 1, "job"),
    ("events", 2, "start_s"),
    ("cluster", "switches", 0, "name"),
]


@pytest.mark.parametrize("path", REQUIRED, ids=shown)
def test_what_is_required_is_missed(path: tuple[Any, ...]) -> None:
    assert "found nothing" in refused(changed(path, REMOVED), shown(path)) or path[-1] in {"nodes", "partitions"}


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        (("jobs", 0, "partition"), "mian", "Did you mean main?"),
        (("jobs", 0, "qos"), "normla", "Did you mean normal?"),
        (("jobs", 0, "account"), "lba", "an account of this file"),
        (("jobs", 1, "dependency"), "afterok:$z", "a $job named before"),
        (("jobs", 1, "dependency"), "afterwards:$a", "singleton"),
        (("jobs", 0, "dependency"), "afterok:$b", "named before"),
        (("jobs", 1, "dependency"), "afterok:$a,afterok:$a?afterok:$a", "not both"),
        (("jobs", 2, "array"), "5-x", "task ids"),
        (("jobs", 2, "array"), "0-5000", "MaxArraySize"),
        (("jobs", 2, "array"), "0-3%0", "count"),
        (("jobs", 2, "nodelist"), "n9", "a node of the cluster"),
        (("jobs", 2, "nodelist"), "n[1-", "bracket"),
        (("jobs", 1, "begin"), "whenever", "now+COUNT"),
        (("jobs", 1, "constraint"), "fast&&", "features"),
        (("jobs", 1, "id"), "a", "an id that no other job has"),
        (("jobs", 0, "id"), "a b", "letters"),
        (("jobs", 0, "exit_code"), 300, "255"),
        (("jobs", 0, "time_limit_min"), 0, "a whole number from 1"),
        (("jobs", 0, "run_s"), 1.5, "a whole number"),
        (("jobs", 0, "run_s"), True, "a whole number"),
        (("jobs", 0, "run_s"), "60", "a whole number"),
        (("jobs", 2, "switches"), "x", "switches"),
        (("jobs", 3, "gpus_per_task"), 1, "ntasks"),
        (("config", "SchedulerParameters"), "bf_intervall=3", "Did you mean bf_interval?"),
        (("config", "SchedulerParameters"), "bf_interval=x", "a whole number"),
        (("config", "SchedulerParameters"), "bf_interval=0", "at least 1"),
        (("config", "SchedulerParameters"), "defer=1", "without a value"),
        (("config", "SchedulerTpye"), "sched/backfill", "Did you mean SchedulerType?"),
        (("config", "SchedulerType"), "sched/x", "sched/backfill"),
        (("config", "KillWait"), "soon", "a whole number"),
        (("config", "PriorityMaxAge"), "1-2-3", "D-H:MM:SS"),
        (("config", "AccountingStorageEnforce"), "limit", "Did you mean limits?"),
        (("config", "PreemptMode"), "KILL", "CANCEL"),
        (("cluster", "partitions", 0, "MaxTime"), "soon", "minutes"),
        (("cluster", "partitions", 0, "OverSubscribe"), "MAYBE", "EXCLUSIVE"),
        (("cluster", "partitions", 0, "Default"), "maybe", "YES"),
        (("cluster", "partitions", 0, "nodes"), "n[1-9]", "a node of the cluster"),
        (("cluster", "partitions", 0, "State"), "OPEN", "UP"),
        (("cluster", "partitions", 0, "MaxNodes"), "few", "a whole number"),
        (("cluster", "nodes", 0, "cpus"), 0, "a whole number from 1"),
        (("cluster", "nodes", 0, "name"), "n[3-1]", "rises"),
        (("cluster", "switches", 1, "switches"), "s9", "a switch named before"),
        (("cluster", "switches", 0, "switches"), "top", "a switch named before"),
        (("accounting", "qos", 0, "preempt"), "lwo", "a QOS of this file"),
        (("accounting", "qos", 0, "preemptmode"), "kill", "requeue"),
        (("accounting", "qos", 0, "MaxTRESPerUser"), "gpu=1", "gres/gpu"),
        (("accounting", "qos", 0, "MaxTRESPerUser"), "cpu=x", "with a count"),
        (("accounting", "users", 0, "account"), "lba", "an account of this file"),
        (("accounting", "users", 0, "qos"), "high", "a QOS of this file"),
        (("jobs", 0, "nodes"), "3-2", "LEAST-MOST"),
        (("jobs", 0, "nodes"), "2-", "a whole number from 1"),
        (("events", 0, "do"), "explode", "drain"),
        (("events", 1, "job"), "z", "the id of a job"),
        (("events", 1, "job"), "c[9]", "a task of its array"),
        (("events", 1, "job"), "c_4", "a task of its array"),
        (("events", 1, "job"), "a[0]", "a task of its array"),
        (("jobs", 3, "dependency"), "afterok:$c_9", "a $job named before"),
        (("jobs", 0, "partition"), ",", "a partition of the cluster"),
        (("events", 3, "set"), {}, "at least one partition key"),
        (("config", "KillWait"), 65_536, "from 0 to 65535"),
        (("config", "MaxArraySize"), 4_000_002, "4000001"),
        (("config", "PriorityCalcPeriod"), 0, "1 min or more"),
        (("config", "PriorityFlags"), "FAIRTREE", "Did you mean FAIR_TREE?"),
        (("config", "PreemptMode"), "CANCEL,REQUEUE", "one mode"),
        (("config", "PreemptMode"), "SUSPEND", "SUSPEND,GANG"),
        (("config", "PreemptMode"), "REQUEUE", "with preempt/none"),
        (("config", "PreemptType"), "preempt/qos", "CANCEL, REQUEUE or SUSPEND,GANG"),
        (("events", 2, "start_s"), 1, "a whole number from 3"),
        (("events", 2, "flags"), "MIANT", "Did you mean MAINT?"),
        (("events", 3, "name"), "mian", "Did you mean main?"),
        (("events", 3, "set"), {"Colour": "red"}, "a partition key"),
        (("until_s",), "late", "a whole number"),
        (("name",), "", "text"),
    ],
    ids=lambda value: shown(value) if isinstance(value, tuple) else None,
)
def test_a_wrong_value_is_refused_with_what_was_expected(path: tuple[Any, ...], value: object, expected: str) -> None:
    assert expected in refused(changed(path, value), shown(path))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("config", "PriorityWeightTRES"), "mem=1"),
        (("config", "SelectTypeParameters"), "CR_Core_Memory"),
        (("config", "SchedulerParameters"), "bf_busy_nodes"),
        (("jobs", 0, "extra_args"), ["--mem=4G"]),
        (("jobs", 1, "constraint"), "(a&b)|c"),
        (("jobs", 1, "begin"), "16:00"),
        (("accounting", "qos", 0, "GrpTRESMins"), "cpu=5"),
        (("cluster", "partitions", 0, "OverSubscribe"), "FORCE:2"),
        (("cluster", "partitions", 0, "AllowAccounts"), "lab"),
        (("events", 2, "flags"), "DAILY"),
    ],
    ids=lambda value: shown(value) if isinstance(value, tuple) else None,
)
def test_what_is_legal_but_not_modelled_says_so(path: tuple[Any, ...], value: object) -> None:
    with pytest.raises(UnsupportedError, match="is not modelled here") as caught:
        parse_workload(changed(path, value), "w.json")
    assert caught.value.where == f"w.json: {shown(path)}"


def test_a_key_twice_in_an_object_is_refused_wherever_it_stands() -> None:
    """The later one would win silently (RFC 8259, section 4)."""
    for path in paths(whole()):
        if isinstance(path[-1], str):
            place: Any = whole()
            for part in path:
                place = place[part]
            own = json.dumps({path[-1]: place})[1:-1]
            mark = changed(path, f"{MARK}")
            text = json.dumps(mark).replace(json.dumps({path[-1]: MARK})[1:-1], f"{own}, {own}")
            with pytest.raises(InputError, match="each key once in an object") as caught:
                parse_workload(text, "w.json")
            assert caught.value.where == f"w.json: {shown(path)}"


MARK = "here it stands"


@pytest.mark.parametrize("half", ["\\ud800", "\\udfff", "a\\uDBFFb"])
def test_half_a_character_is_refused_at_its_place(half: str) -> None:
    for path in (("jobs", 0, "user"), ("cluster", "nodes", 0, "name"), ("events", 0, "reason"), ("name",)):
        text = json.dumps(changed(path, MARK)).replace(MARK, half)
        with pytest.raises(InputError, match="surrogate") as caught:
            parse_workload(text, "w.json")
        assert caught.value.where == f"w.json: {shown(path)}"
    assert parse_workload(json.dumps(whole()).replace('"x"', '"\\ud83d\\ude00"')).jobs[0].name == "\U0001f600"


def test_numbers_beyond_all_measure_are_refused_at_their_place() -> None:
    for number, where in (("9" * 5_000, "line 1, column"), ("1e400", "jobs[0].run_s"), ("-Infinity", "jobs[0].run_s")):
        with pytest.raises(InputError) as caught:
            parse_workload(json.dumps(changed(("jobs", 0, "run_s"), MARK)).replace(f'"{MARK}"', number), "w.json")
        assert caught.value.where.startswith("w.json") and where in caught.value.where


@pytest.mark.parametrize("path", [
    ("cluster", "nodes", 0), ("cluster", "partitions", 0), ("cluster", "switches", 0), ("accounting", "qos", 0),
    ("accounting", "accounts", 0), ("accounting", "users", 0), ("jobs", 0), ("events", 2)], ids=shown)
def test_a_name_twice_is_refused_at_the_second(path: tuple[Any, ...]) -> None:
    data = copy.deepcopy(whole())
    place: Any = data
    for part in path[:-1]:
        place = place[part]
    place.append(copy.deepcopy(place[path[-1]]))
    key = "id" if path[0] == "jobs" else "name"
    assert "no other" in (said := refused(data, f"{shown((*path[:-1], len(place) - 1))}.{key}")) or "each user once" in said


def test_a_name_of_a_reservation_is_free_when_the_first_is_over() -> None:
    data = copy.deepcopy(whole())
    data["events"].append({**data["events"][2], "at": 120, "start_s": 200})
    assert len(parse_workload(data).events) == 5


def test_text_that_is_no_json_names_its_line(tmp_path: Path) -> None:
    broken = tmp_path / "w.json"
    broken.write_text('{"name": "x",\n "cluster": }', encoding="utf-8")
    with pytest.raises(InputError, match=r"w\.json, line 2, column 13"):
        read_workload(broken)
    with pytest.raises(InputError, match="a readable workload file"):
        read_workload(tmp_path / "missing.json")
    broken.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="a readable workload file"):
        read_workload(broken)
    with pytest.raises(InputError):
        parse_workload("[" * 100_000)


@settings(max_examples=300)
@given(st.sampled_from(GOLDEN), st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), min_size=1, max_size=4))
def test_random_mutations_end_without_a_traceback(path: Path, edits: list[tuple[int, int]]) -> None:
    """Whatever becomes of the file, it is read or refused with a clear message."""
    data = bytearray(path.read_bytes())
    for place, value in edits:
        data[place % len(data)] = value
    text = data.decode("utf-8", errors="replace")
    try:
        parse_workload(text)
    except ClusterSimError as error:
        assert str(error)


def test_extra_arguments_of_sbatch_are_what_the_keys_are() -> None:
    """They come last on the command line, so they win; what changes no schedule is passed over."""
    texts = ["--nodes=2-4", "--cpus-per-task=2", "--nice=-5", "--exclusive=user", "--job-name=7", "--comment=x", "--gpus=a:3"]
    [read] = parse_workload(document(job("a", nodes=1, extra_args=texts), nodes=[{"name": "n[1-4]", "cpus": 8}])).jobs
    [plain] = parse_workload(document(
        job("a", nodes="2-4", cpus_per_task=2, nice=-5, exclusive="user", job_name="7", extra_args=["--gpus=a:3"]),
        nodes=[{"name": "n[1-4]", "cpus": 8}])).jobs
    assert read == plain


@pytest.mark.parametrize(("text", "expected"), [("--nodes=4-2", "LEAST-MOST"), ("--ntasks=few", "a whole number"),
                                                ("--partition=nowhere", "a partition"), ("--begin=16:00", "16:00")])
def test_a_wrong_extra_argument_is_refused_where_it_stands(text: str, expected: str) -> None:
    with pytest.raises(ClusterSimError, match=re.escape(expected)) as caught:
        parse_workload(document(job("a", extra_args=[text])))
    assert "jobs[0].extra_args" in str(caught.value)


def test_the_measured_files_are_read() -> None:
    assert len(GOLDEN) >= 27
    for path in GOLDEN:
        assert read_workload(path).name == json.loads(path.read_text(encoding="utf-8"))["name"]
