"""The day of the living cluster: true to the trace, small, and with something to see."""
from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import living_cluster
import living_day
import pytest

from clustersim.trace import Trace

SITE = Path(living_day.__file__).resolve().parents[1]
MOST_DATA, MOST_SCRIPT = 60_000, 10_000  # bytes


@pytest.fixture(scope="module")
def trace() -> Trace:
    return living_day.simulate().validate()


@pytest.fixture(scope="module")
def data(trace: Trace) -> dict[str, Any]:
    return living_day.day(trace)


def test_small(data: dict[str, Any]) -> None:
    assert len(json.dumps(data)) <= MOST_DATA
    assert (SITE / "cluster" / "player.js").stat().st_size <= MOST_SCRIPT


def test_the_rows_are_the_trace(trace: Trace, data: dict[str, Any]) -> None:
    names = [node.name for node in trace.nodes]
    jobs = sorted(trace.jobs, key=lambda job: (job.submit, job.id))
    assert len(jobs) == len(data["jobs"])
    for job, (_letter, _colour, gpus, submit, start, end, places) in zip(jobs, data["jobs"], strict=True):
        assert (gpus, submit) == (job.gpus, job.submit)
        assert start == min(job.start if job.start is not None else data["until"], data["until"])
        assert end == min(job.end if job.end is not None else data["until"], data["until"])
        held = {(names[node], gpu) for node, mask in places for gpu in range(data["gpus"]) if mask >> gpu & 1}
        if start < data["until"]:
            assert held == {(place.node, gpu) for place in job.runs[0].places for gpu in place.gpus}
            assert len(held) == gpus


def test_at_every_change_no_gpu_is_held_twice_and_letters_differ(data: dict[str, Any]) -> None:
    for time in living_day.changes(data):
        here = [row for row in data["jobs"] if row[3] <= time < row[5]]
        assert len({row[0] for row in here}) == len(here)
        held = [(node, gpu) for row in here if row[4] <= time for node, mask in row[6] for gpu in range(8) if mask >> gpu & 1]
        assert len(held) == len(set(held)) == living_day.counts(data, time)["busy"]


def test_there_is_something_to_see(data: dict[str, Any]) -> None:
    fullest = living_day.counts(data, living_day.fullest_queue(data))
    assert fullest["waiting"] >= 8
    assert all(living_day.counts(data, time)["waiting"] <= fullest["waiting"] for time in living_day.changes(data))
    busiest = max(living_day.counts(data, time)["busy"] for time in living_day.changes(data))
    assert busiest >= 0.95 * data["nodes"] * data["gpus"]
    assert [time for time, _text in living_cluster.moments(data)] == sorted({t for t, _text in living_cluster.moments(data)})


def test_the_printed_moment_is_the_data(data: dict[str, Any]) -> None:
    time = living_day.fullest_queue(data)
    text = living_cluster.html(data)
    busy = living_day.counts(data, time)["busy"]
    assert f'<b data-count="busy">{busy}</b>' in text
    drawn = text.partition('class="lc-nodes"')[2].partition('class="lc-wait"')[0]
    assert drawn.count("<rect") == data["nodes"] * data["gpus"]
    assert drawn.count("lc-idle") == data["nodes"] * data["gpus"] - busy
