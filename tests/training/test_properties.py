"""Laws of every simulated training run, on made-up plans. The count of what the plans held is printed and checked."""
from __future__ import annotations

import copy
import math
import pickle
import statistics
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from clustersim.reliability.detection import Detection
from clustersim.reliability.faults import Recorded
from clustersim.trace import Trace
from clustersim.training import Checkpoints, Faults, Plan, Recovery, Simulation, report, simulate
from tests.training.plans import SHRINKING, kinds_of, plans

SEEN: Counter[str] = Counter()
SPANS: Counter[str] = Counter()
EXAMPLES = 250


@settings(max_examples=EXAMPLES)
@given(plans(), st.integers(0, 9))
@example(SHRINKING, 1)
def test_laws_of_a_run(plan: Plan, seed: int) -> None:
    simulation = Simulation(plan, seed)
    trace = simulation.run().validate()
    result = report(trace)
    SEEN.update(kinds_of(plan))
    SPANS.update({kind for kind, time in result.lost.items() if time} | ({"work"} if result.work else set()))
    # Every tick of the wall is new work or a loss, and every loss has a kind and a cause.
    assert result.work + sum(result.lost.values()) == result.wall == trace.until
    assert sum(result.by_cause.values()) == result.wall - result.work
    assert 0 <= result.goodput <= result.ettr <= 1
    assert all(span.start < span.end for span in trace.spans)
    # The same seed gives the same trace, and so do its own faults as a recorded source.
    text = trace.to_json()
    assert simulate(plan, seed).to_json() == text
    assert simulate(plan, seed, Recorded(simulation.faults)).to_json() == text
    assert Trace.from_json(text) == trace
    # What the record adds up in closed form is what its spans add up to, one by one.
    assert report(Trace.from_json(text)) == result


@settings(max_examples=60)
@given(plans(), st.integers(0, 9), st.lists(st.floats(0, 6), max_size=6))
def test_a_run_that_stops_on_the_way_is_the_same_run(plan: Plan, seed: int, stops: list[float]) -> None:
    simulation = Simulation(plan, seed)
    for days in sorted(stops):
        simulation.advance(round(days * 86_400_000))
    fork = copy.deepcopy(simulation)
    trace = simulation.run()
    assert trace == simulate(plan, seed) == fork.run()
    assert pickle.loads(pickle.dumps(trace)) == trace


def test_zz_what_the_plans_held(capsys: pytest.CaptureFixture[str]) -> None:
    """Runs after the laws (pytest keeps the order of a file): every feature and every kind of span came up."""
    if not SEEN:
        test_laws_of_a_run()
    with capsys.disabled():
        print("\nplans held:", ", ".join(f"{name} {n}" for name, n in sorted(SEEN.items())))
        print("spans seen:", ", ".join(f"{name} {n}" for name, n in sorted(SPANS.items())))
    wanted = {"work", "replay", "checkpoint", "detect", "diagnose", "repair", "queue", "swap", "restart", "stall", "slow",
              "planned", "shrink", "grow"}
    assert wanted <= set(SPANS), sorted(wanted - set(SPANS))
    assert min(SEEN.values()) >= EXAMPLES // 50 and len(SEEN) == 22, SEEN


# --- more of what helps never hurts, in expectation ---------------------------------------------------------------

RUNS = 60
BASE = Plan(gpus=1024, wall_days=20, checkpoints=Checkpoints.blocking(1800, 30),
            faults=Faults(per_1000_node_days=20, mix="llama3_interruptions"), recovery=Recovery(repair=(43_200.0, 172_800.0)))


def goodputs(plan: Plan) -> list[float]:
    return [report(simulate(plan, seed)).goodput for seed in range(RUNS)]


def not_worse(better: list[float], worse: list[float]) -> bool:
    """The tolerance: the difference of the means is above minus three standard errors of the paired differences."""
    gains = [a - b for a, b in zip(better, worse, strict=True)]
    return statistics.fmean(gains) >= -3 * statistics.stdev(gains) / math.sqrt(len(gains))


def test_more_spares_never_hurt_in_expectation() -> None:
    ladder = [goodputs(replace(BASE, recovery=replace(BASE.recovery, spares=n))) for n in (0, 1, 2, 4, 8, 16)]
    assert all(not_worse(more, less) for less, more in zip(ladder, ladder[1:], strict=False))
    assert statistics.fmean(ladder[-1]) > statistics.fmean(ladder[0]) + 0.1


def test_shorter_detection_never_hurts_in_expectation() -> None:
    base = replace(BASE, recovery=replace(BASE.recovery, spares=16))
    ladder = [goodputs(replace(base, detection=Detection(delay_s=s))) for s in (1800.0, 600.0, 60.0, 10.0, 0.0)]
    assert all(not_worse(short, long) for long, short in zip(ladder, ladder[1:], strict=False))
    assert statistics.fmean(ladder[-1]) > statistics.fmean(ladder[0])


def test_warm_spares_beat_cold_ones_and_hot_ones_beat_warm_ones() -> None:
    by_kind = {kind: goodputs(replace(BASE, recovery=replace(BASE.recovery, spares=16, spare_kind=kind)))
               for kind in ("cold", "warm", "hot")}
    assert not_worse(by_kind["warm"], by_kind["cold"]) and not_worse(by_kind["hot"], by_kind["warm"])
