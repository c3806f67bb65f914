"""What the simulator skips to be quick changes no schedule."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clustersim.slurm import Overheads, fill, future, parse_workload, simulate_slurm
from tests.slurm.build import document, job
from tests.slurm.random_workloads import workloads
from tests.slurm.test_properties import examples


@st.composite
def crowds(draw: st.DrawFn) -> dict[str, Any]:
    """More GPU jobs than a small cluster can hold, a third of them on whole nodes."""
    made, at = [], 0
    for i in range(draw(st.integers(8, 30))):
        at += draw(st.integers(0, 60))
        minutes = draw(st.integers(1, 40))
        gpus = draw(st.sampled_from([1, 1, 2, 4, 4, 8, 16]))
        more: dict[str, Any] = {"gpus_per_node": min(gpus, 4), "nodes": -(-gpus // 4), "cpus_per_task": 2, "ntasks": gpus}
        made.append({**job(f"j{i}", at, draw(st.integers(30, 60 * minutes)), minutes), **more})
    config = {"PriorityWeightAge": 1000, "PriorityType": "priority/multifactor"}
    return document(*made, nodes=6, cpus=8, gpus=4, exclusive=draw(st.booleans()), config=config)


@examples(60)
@given(st.one_of(workloads(), crowds()), st.sampled_from([Overheads(), Overheads(0, 0)]))
def test_what_is_skipped_could_not_have_mattered(data: dict[str, Any], overheads: Overheads) -> None:
    workload = parse_workload(data)
    quick = simulate_slurm(workload, overheads=overheads).to_json()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(future, "_needs_empty_nodes", lambda system, ask: False)
        patch.setattr(future, "_leaves_no_trace", lambda system, ask: False)
        patch.setattr(fill, "_take_one_alone", lambda fill, nodes: False)
        assert simulate_slurm(workload, overheads=overheads).to_json() == quick
