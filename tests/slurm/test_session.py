"""A session goes on, goes back, splits and is interfered with; every way to an instant gives the same state there."""

from __future__ import annotations

import doctest
import time
from typing import Any

import pytest

from clustersim.errors import InputError
from clustersim.slurm import Overheads, Session, parse_workload, session, simulate_slurm
from clustersim.slurm.conf import parse_slurm_conf
from tests.slurm.build import NO_OVERHEADS, document, job

END = 2_000


def lab(*jobs: dict[str, Any], **more: Any) -> Session:
    return Session(parse_workload(document(*jobs, **more)), overheads=NO_OVERHEADS)


def queue() -> Session:
    """Two nodes, three jobs: b waits for both nodes behind a, and c, short enough, passes it."""
    made = [job("a", 0, 300, 6, nodes=1), job("b", 10, 200, 5, nodes=2), job("c", 20, 100, 2, nodes=1)]
    return lab(*made, nodes=2, config={"SchedulerParameters": "bf_interval=1,batch_sched_delay=0"})


def test_the_example_in_its_docstring_is_true() -> None:
    assert doctest.testmod(session).failed == 0


def test_steps_make_the_same_run_as_one_go() -> None:
    steps = queue()
    while steps.now < END:
        steps.advance(7)
    steps.rewind(END)
    workload = queue().workload
    expected = simulate_slurm(workload, until=END, overheads=NO_OVERHEADS).to_json()
    assert steps.trace().to_json() == queue().run_until(END).trace().to_json() == expected


def test_the_state_at_an_instant() -> None:
    here = queue().run_until(25)
    assert [(row.job, row.state, row.nodes) for row in here.rows()] == [
        ("a", "RUNNING", ("n1",)),
        ("b", "PENDING", ()),
        ("c", "RUNNING", ("n2",)),
    ]
    assert here.row("b").planned == 360 and here.row("b").reason in {"Resources", "Priority"}
    assert here.nodes() == {"n1": "allocated", "n2": "allocated"}
    with pytest.raises(InputError, match="'z', expected the id of a job submitted by now"):
        here.row("z")


@pytest.mark.parametrize("back", [0, 19, 20, 100, 333])
def test_going_back_gives_the_state_that_was(back: int) -> None:
    there = queue().run_until(back)
    here = queue().run_until(END).rewind(back)
    assert here.trace().to_json() == there.trace().to_json() and here.rows() == there.rows()
    assert here.run_until(END).trace().to_json() == queue().run_until(END).trace().to_json()


def test_a_fork_goes_its_own_way() -> None:
    here = queue().run_until(50)
    before = here.trace().to_json()
    there = here.fork().inject({"do": "down", "nodes": "n1", "reason": "no power"})
    there.inject({"at": 200, "do": "resume", "nodes": "n1"}).run_until(END)
    assert here.trace().to_json() == before
    here.run_until(END)
    found = here.compare(there)
    assert found.parted == 50 and not found.same
    assert {pair.job for pair in found.jobs} == {"a", "b"}
    assert "The two runs part at 00:00:50." in str(found) and "a: COMPLETED, 00:00 to 00:05 on n1 here" in str(found)
    waits = [[record.wait or 0 for record in one.trace().jobs] for one in (here, there)]
    assert found.mean_wait == (sum(waits[0]) / 3, sum(waits[1]) / 3) and waits[0] != waits[1]


def test_a_fork_from_the_past_leaves_the_present_alone() -> None:
    here = queue().run_until(500)
    there = here.fork(50)
    assert (here.now, there.now) == (500, 50)
    assert there.trace().to_json() == queue().run_until(50).trace().to_json()
    assert here.compare(there).same and str(here.compare(there)) == "The two runs are the same up to 00:00:50."


EVENTS: list[dict[str, Any]] = [
    {"do": "drain", "nodes": "n1", "reason": "x"},
    {"do": "down", "nodes": "n2", "reason": "x"},
    {"do": "kill_slurmd", "nodes": "n1"},
    {"do": "scancel", "job": "a"},
    {"do": "hold", "job": "b"},
    {"do": "requeue", "job": "a"},
    {"do": "create_reservation", "name": "r", "start_s": 400, "duration_min": 5, "nodes": "ALL"},
    {"do": "update_partition", "name": "main", "set": {"State": "DOWN"}},
]


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event["do"])
@pytest.mark.parametrize("at", [15, 150])
def test_an_event_now_ahead_or_in_the_past_is_the_event_in_the_file(event: dict[str, Any], at: int) -> None:
    """Three ways to interfere, and the same workload with the event written into it, make one and the same run."""
    ahead = queue().inject({"at": at, **event}).run_until(END)
    past = queue().run_until(END).inject({"at": at, **event})
    now = queue().run_until(at - 1).inject({"at": at, **event}).run_until(END)
    data = document(*JOBS, nodes=2, config={"SchedulerParameters": "bf_interval=1,batch_sched_delay=0"})
    written = parse_workload({**data, "events": [{"at": at, **event}]})
    expected = simulate_slurm(written, until=END, overheads=NO_OVERHEADS).validate().to_json()
    assert ahead.trace().to_json() == now.trace().to_json() == expected
    assert past.trace().to_json() == expected and past.now == END
    assert simulate_slurm(ahead.workload, until=END, overheads=NO_OVERHEADS).to_json() == expected


JOBS = [job("a", 0, 300, 6, nodes=1), job("b", 10, 200, 5, nodes=2), job("c", 20, 100, 2, nodes=1)]


def test_an_event_takes_effect_at_once() -> None:
    here = queue().run_until(25).inject({"do": "scancel", "job": "c"})
    assert here.row("c").state == "CANCELLED" and here.now == 25


def test_going_back_keeps_or_forgets_what_was_put_in() -> None:
    here = queue().run_until(100).inject({"do": "scancel", "job": "a"}).run_until(END)
    assert here.rewind(50).row("a").state == "RUNNING"
    assert here.run_until(END).row("a").state == "CANCELLED"
    assert here.rewind(100, forget=True).run_until(END).row("a").state == "COMPLETED"


def test_jobs_and_scripts_are_submitted_while_it_runs() -> None:
    here = queue().run_until(30).submit({"id": "d", "user": "bob", "run_s": 10, "nodes": 1, "dependency": "afterany:$c"})
    assert here.row("d").reason == "Dependency"
    said = here.sbatch("#!/bin/sh\n#SBATCH -N 1 -t 1 --mem=1G\nsrun x\n", "e", "bob", 20)
    assert [notice.where for notice in said] == ["job.sh, line 2, --mem"]
    here.run_until(END)
    assert {row.job: row.state for row in here.rows()} == dict.fromkeys("abcde", "COMPLETED")
    with pytest.raises(InputError, match="an id that no other job has"):
        here.submit({"id": "d", "user": "bob", "run_s": 10})
    here.rewind(20, forget=True).submit({"id": "d", "user": "bob", "run_s": 10})
    assert here.row("d").state == "PENDING"


def test_time_goes_the_asked_way_or_not_at_all() -> None:
    here = queue().run_until(100)
    with pytest.raises(InputError, match=r"100 or later\. rewind goes back"):
        here.run_until(99)
    with pytest.raises(InputError, match=r"100 or earlier\. run_until goes on"):
        here.rewind(101)
    for wrong in (-1, 1.5, True, "5"):
        with pytest.raises(InputError, match="a whole number"):
            here.advance(wrong)  # type: ignore[arg-type]
    with pytest.raises(InputError, match=r"event: do: found 'explode'"):
        here.inject({"do": "explode"})


def test_eight_thousand_nodes_fork_quickly() -> None:
    """A copy shares what never changes: the cluster's nodes and the configuration."""
    text = "NodeName=lx[0001-8000] CPUs=4\nPartitionName=p Nodes=ALL\n"
    here = Session(parse_slurm_conf(text).workload(), overheads=Overheads(0, 0))
    here.submit({"id": "a", "user": "alice", "run_s": 60, "nodes": 100}).advance(10)
    began = time.process_time()
    twin = here.fork()
    assert time.process_time() - began < 1
    assert twin.inject({"do": "scancel", "job": "a"}).row("a").state == "CANCELLED"
    assert here.row("a").state == "RUNNING"


@pytest.mark.parametrize("entry", ["drain", None, ["drain"], 5])
def test_what_is_no_entry_is_refused_in_words(entry: Any) -> None:
    lab = Session(parse_workload(document(job("a"))))
    for take, name in ((lab.inject, "event"), (lab.submit, "job")):
        with pytest.raises(InputError, match=rf"^{name}: found .*, expected a JSON object"):
            take(entry)
