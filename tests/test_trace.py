"""A trace tells stories, survives a file, and refuses to be impossible."""
from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from clustersim.batch import replay_pool
from clustersim.errors import InputError, InvariantError, UnsupportedError
from clustersim.trace import FORMAT, Event, JobRecord, Node, Place, Run, Trace
from clustersim.workload import generate

NODES = (Node("n1", 4, 2), Node("n2", 4, 0))


def job(name: str, start: int, end: int, *places: Place, **changes) -> JobRecord:
    run = Run(start, end, "COMPLETED", places, sum(p.cpus for p in places), changes.pop("released", None))
    record = JobRecord(name, 0, end - start, None, run.cores, state="COMPLETED", runs=(run,))
    return record._replace(**changes)


def trace(*jobs: JobRecord, log: tuple[Event, ...] | None = None) -> Trace:
    return Trace("test", 8, jobs, NODES, log, until=100)


def test_a_sound_trace_passes_and_is_returned() -> None:
    sound = trace(job("a", 0, 10, Place("n1", 2, (0,))), job("b", 0, 10, Place("n1", 2, (1,))),
                  job("c", 10, 20, Place("n1", 4, (0, 1))))
    assert sound.validate() is sound


@pytest.mark.parametrize(("jobs", "what"), [
    ([job("a", 0, 10, Place("n1", 1, (0,))), job("b", 9, 20, Place("n1", 1, (0,)))],
     "GPU 0 of n1 is held by a until 10 and by b from 9"),
    ([job("a", 0, 10, Place("n1", 1, (0,)), released=15), job("b", 12, 20, Place("n1", 1, (0,)))],
     "held by a until 15"),
    ([job("a", 0, 10, Place("n1", 3)), job("b", 5, 20, Place("n1", 2))], "at 5 s 5 cores are in use on n1, which has 4"),
    ([job("a", 0, 10, Place("n1", 1, (2,)))], "which has 2"),
    ([job("a", 0, 10, Place("n9", 1))], "not a node"),
    ([job("a", 5, 15, Place("n1", 1), submit=6)], "starts at 5, before 6"),
    ([job("a", 0, 10, Place("n1", 1), runtime=9)], "completed after 10 s; its work takes 9"),
    ([job("a", 0, 10, Place("n1", 1), released=8)], "out of order"),
])
def test_what_cannot_be_is_refused(jobs: list[JobRecord], what: str) -> None:
    with pytest.raises(InvariantError, match=what.replace("(", r"\(")):
        trace(*jobs).validate()


def test_a_pool_has_a_capacity_too() -> None:
    runs = [JobRecord(n, 0, 10, None, 5, state="COMPLETED", runs=(Run(0, 10, "COMPLETED", cores=5),)) for n in "ab"]
    with pytest.raises(InvariantError, match="10 cores are in use on the pool, which has 8"):
        Trace("test", 8, runs).validate()


def test_a_second_run_begins_after_the_first_is_released() -> None:
    runs = (Run(0, 5, "NODE_FAIL", (Place("n1", 1),), 1, 9), Run(8, 18, "COMPLETED", (Place("n2", 1),), 1))
    with pytest.raises(InvariantError, match="starts at 8, before 9"):
        trace(JobRecord("a", 0, 10, None, 1, runs=runs)).validate()


def test_the_log_must_agree_with_the_jobs() -> None:
    one = job("a", 0, 10, Place("n1", 1))
    with pytest.raises(InvariantError, match="1 runs, its log 0 starts"):
        trace(one, log=(Event(0, "submit", "a"),)).validate()
    with pytest.raises(InvariantError, match="goes back from 5 to 3"):
        trace(one, log=(Event(5, "start", "a"), Event(3, "end", "a"))).validate()


def test_a_trace_survives_its_file(tmp_path: Path) -> None:
    pool = replay_pool(generate(30, 16, 0.9, seed=5), 16)
    log = (Event(0, "start", "a", {"wait": 0}), Event(10, "end", "a", {"state": "X"}))
    nodes = trace(job("a", 0, 10, Place("n1", 1, (0,))), log=log)
    for one in (pool, nodes):
        one.save(tmp_path / "t.json")
        again = Trace.load(tmp_path / "t.json")
        assert again == one and again.to_json() == one.to_json()
        assert list(again.events()) == list(one.events())


@pytest.mark.parametrize(("text", "what"), [("{", "line 1"), ("[]", "key format"), ('{"format": "x"}', "key format"),
                                            ('{"format": "clustersim-trace/1"}', "nodes.*a list")])
def test_a_file_that_is_no_trace_is_refused(text: str, what: str) -> None:
    with pytest.raises(InputError, match=f"t.json.*{what}"):
        Trace.from_json(text, "t.json")


@pytest.mark.parametrize(("path", "value", "what"), [
    (("jobs", 0, "submit"), "x", r"jobs\[0\]\.submit: found 'x', expected int"),
    (("jobs", 1, "submit"), ..., r"jobs\[1\]: .*JobRecord with submit"),
    (("jobs", 2, "colour"), 1, r"jobs\[2\]\.colour: found 'colour', expected one of id, submit"),
    (("jobs", 0, "runs", 0), 7, r"jobs\[0\], runs\[0\]: found 7"),
    (("nodes", 0), None, r"nodes\[0\]: found None, expected the fields of Node"),
    (("jobs", 0, "runs", 0, "places", 0, "gpus"), 1, r"jobs\[0\], runs\[0\], places\[0\]: found None"),
    (("log", 3), [1, 2, 3, {}], r"log\[3\]\.kind: found 2, expected str"), (("seed",), "x", "seed: found 'x'"),
])
def test_what_is_wrong_in_a_trace_is_named_with_its_place(path: tuple[Any, ...], value: Any, what: str) -> None:
    jobs = (job(name, 10 * i, 10 * i + 10, Place("n1", 2, (0,))) for i, name in enumerate("abc"))
    data = json.loads(trace(*jobs, log=tuple(Event(i, "submit", "a") for i in range(5))).to_json())
    assert Trace.from_json(json.dumps(data)).job("c").runs[0].places == (Place("n1", 2, (0,)),)
    where = data
    for key in path[:-1]:
        where = where[key]
    if value is ...:
        del where[path[-1]]
    else:
        where[path[-1]] = value
    with pytest.raises(InputError, match=f"t.json[,.].*{what}|t.json.{what}"):
        Trace.from_json(json.dumps(data), "t.json")


@pytest.mark.parametrize("odd", ["e\nd", "\x1b[31m", "\r", "\x00", "\u2028"])
def test_a_message_is_one_line_whatever_a_key_holds(odd: str) -> None:
    with pytest.raises(InputError) as caught:
        Trace.from_json(json.dumps({"format": FORMAT, "nodes": [{odd: 1}], "jobs": []}), "t.json")
    assert str(caught.value).isprintable() and ascii(odd)[1:-1] in str(caught.value)
    assert str(UnsupportedError("t.json", odd)) == f"t.json: {ascii(odd)[1:-1]} is not modelled here"


def test_a_trace_that_is_no_text_is_named_with_the_byte(tmp_path: Path) -> None:
    (tmp_path / "t.json").write_bytes(b"{\xff")
    with pytest.raises(InputError, match=r"t\.json, byte 1: .*UTF-8"):
        Trace.load(tmp_path / "t.json")


def test_the_story_of_a_job_is_its_life_in_order() -> None:
    pool = replay_pool(generate(200, 64, 0.85, seed=1), 64, "easy")
    moved = next(record for record in pool.jobs if record.extra.get("backfilled"))
    lines = pool.story(f"job-{moved.id}").splitlines()
    assert ["submitted" in lines[0], "moved forward by backfill" in lines[1], "ends, COMPLETED" in lines[2]] == [True] * 3
    assert len(lines) == 3
    with pytest.raises(InputError, match=r"'job-999', expected one of 1, 2, 3, 4, 5, 6, 7, 8…"):
        pool.story("job-999")
