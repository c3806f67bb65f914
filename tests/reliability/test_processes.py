"""Fault processes and laws: means, bursts, shares, order; the public trace and its replay."""
from __future__ import annotations

import statistics
from collections import Counter
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clustersim.errors import InputError
from clustersim.reliability import fieldtrace
from clustersim.reliability.causes import catalogue, cause, published_mix
from clustersim.reliability.faults import DAY_MS, Episodes, Fault, Groups, Merged, Poisson, Recorded, Renewal, until
from clustersim.reliability.laws import (
    Empirical,
    Exponential,
    Fixed,
    Lognormal,
    LogUniform,
    Mix,
    Uniform,
    Weibull,
    as_law,
)
from clustersim.reliability.theory import weibull_first_failure
from clustersim.tables import names, table

LAWS = [Fixed(3.0), Uniform(1.0, 5.0), LogUniform(0.5, 20.0), Exponential(2.0), Weibull(4.0, 0.7), Weibull(4.0, 2.0),
        Lognormal(0.85, 2.0), Empirical((1.0, 2.0, 6.0))]


@pytest.mark.parametrize("law", LAWS, ids=repr)
def test_the_mean_of_many_draws_is_the_mean(law) -> None:
    rng = Random(1)
    assert statistics.fmean(law.draw(rng) for _ in range(60_000)) == pytest.approx(law.mean, rel=0.03)


def test_laws_refuse_nonsense() -> None:
    for make in (lambda: Exponential(0), lambda: Weibull(1, -1), lambda: Lognormal(2, 1), lambda: Uniform(3, 1),
                 lambda: Empirical(()), lambda: LogUniform(0, 1), lambda: as_law(-1), lambda: Mix([])):
        with pytest.raises(InputError):
            make()


def test_poisson_has_its_rate_and_gaps_of_variation_one() -> None:
    faults = list(until(Poisson(2048, 0.0065, Random(1)), 1000 * DAY_MS))
    assert len(faults) == pytest.approx(2048 * 6.5, rel=0.02)
    gaps = fieldtrace.gaps([f.time for f in faults])
    assert fieldtrace.variation(gaps) == pytest.approx(1.0, abs=0.03)
    assert max(Counter(f.node for f in faults).values()) < 25  # mean 6.5 a node


def test_lemons_hold_their_share_of_the_faults() -> None:
    source = Poisson(1000, 0.01, Random(2), lemons=12, multiplier=20)
    faults = list(until(source, 500 * DAY_MS))
    share = sum(f.node in source.lemons for f in faults) / len(faults)
    assert share == pytest.approx(12 * 20 / (988 + 12 * 20), abs=0.02)
    assert len(faults) == pytest.approx((988 + 240) * 0.01 * 500, rel=0.05)


def test_fresh_weibull_nodes_fail_early_and_settle_to_poisson_later() -> None:
    nodes, mean = 128, 100.0
    firsts = [Renewal(nodes, Weibull(mean, 0.7), Random(seed)).take().time / DAY_MS for seed in range(1500)]
    assert statistics.fmean(firsts) == pytest.approx(weibull_first_failure(mean, 0.7, nodes), rel=0.12)
    late = [f.time for f in until(Renewal(nodes, Weibull(mean, 0.7), Random(1)), 9000 * DAY_MS) if f.time > 3000 * DAY_MS]
    assert len(late) == pytest.approx(6000 * nodes / mean, rel=0.05)
    assert fieldtrace.variation(fieldtrace.gaps(late)) == pytest.approx(1.0, abs=0.06)


def test_groups_take_neighbours_and_no_more_than_there_are() -> None:
    faults = list(until(Groups(20, 8, 0.1, Random(1)), 500 * DAY_MS))
    assert {(f.node, f.width) for f in faults} == {(0, 8), (8, 8), (16, 4)}
    assert len(faults) == pytest.approx(3 * 0.1 * 500, rel=0.25)


def test_merged_sources_come_in_order_and_lose_nothing() -> None:
    def parts():
        return [Poisson(10, 0.5, Random(1)), Episodes(10, 0.3, Fixed(5), Random(2), "link flap")]
    merged = list(until(Merged(parts()), 100 * DAY_MS))
    assert [f.time for f in merged] == sorted(f.time for f in merged)
    assert sorted(merged) == sorted(f for part in parts() for f in until(part, 100 * DAY_MS))


@given(st.lists(st.integers(0, 10**9), max_size=40))
def test_recorded_faults_come_back_sorted_and_then_none(times: list[int]) -> None:
    source = Recorded(Fault(t, 0, "any") for t in times)
    assert [f.time for f in until(source, 10**12)] == sorted(times)
    assert source.take() is None


def test_mixes_of_published_tables_have_the_printed_shares() -> None:
    llama = published_mix()
    assert llama.share("Faulty GPU") == pytest.approx(148 / 419)
    drawn = Counter(llama.draw(Random(i)) for i in range(0))
    rng = Random(3)
    drawn.update(llama.draw(rng) for _ in range(40_000))
    assert drawn["Faulty GPU"] / 40_000 == pytest.approx(148 / 419, abs=0.01)
    assert published_mix("infinitehbd_fault_trace").share("GPU") == pytest.approx(0.2705, abs=5e-4)
    assert published_mix("philly_failure_shares").share("GPU") < 0.001


def test_every_cause_of_the_mixes_has_a_row_or_the_rule_for_the_rest() -> None:
    rows = {str(r["root_cause"]) for r in table("byterobust_detection")}
    for found in catalogue().values():
        assert found.detection_row in rows | {""}, found
    assert set(table("llama3_interruptions").column("component")) <= set(catalogue())
    assert cause("no such cause").action == "replace" and cause("no such cause").name == "no such cause"
    assert "fault_causes" in names()


def test_the_trace_is_what_its_statistics_table_says() -> None:
    found = Counter((r["level"], r["class"], r["description"]) for r in table("infinitehbd_fault_trace"))
    assert found == {(r["level"], r["class"], r["description"]): r["count"] for r in table("infinitehbd_fault_statistics")}


def test_the_trace_is_burstier_than_poisson() -> None:
    assert fieldtrace.trace_statistics()["interarrival_cv"] > 1.5
    assert fieldtrace.trace_statistics()["zero_gaps"] == 55
    with pytest.raises(InputError):
        fieldtrace.variation([1.0])


@pytest.mark.parametrize("nodes, blocks", [(400, 1), (800, 2), (1000, 2.5)])
def test_replay_keeps_rate_repairs_and_length(nodes: int, blocks: float) -> None:
    faults = fieldtrace.replay(nodes, seed=4)
    assert len(faults) == pytest.approx(584 * blocks, rel=0.1)
    assert nodes != 400 or len(faults) == 584
    assert all(0 <= f.node < nodes and 0 <= f.time <= 348 * DAY_MS and f.repair_s >= 0 for f in faults)
    assert faults == fieldtrace.replay(nodes, seed=4) != fieldtrace.replay(nodes, seed=5)
    mean = statistics.fmean(f.repair_s for f in faults) / 86_400
    assert nodes % 400 or mean == pytest.approx(5.535, abs=0.01)
    assert fieldtrace.repair_law().mean / 86_400 == pytest.approx(5.535, abs=0.01)
