"""What the experiments of chapters 18 and 19 teach, and the numbers that their pages name."""
from __future__ import annotations

import re
import time
from typing import Any

import pytest

from clustersim.experiments import experiment, losses, my_cluster
from clustersim.experiments.checkpoint_interval import month
from clustersim.facts import fact
from clustersim.reliability import counting, theory
from clustersim.reliability.detection import NO_DIAGNOSIS, Detection
from clustersim.reliability.faults import Fault
from clustersim.training import Checkpoints, Elastic, Faults, Plan, Recovery, report, simulate
from tests.conftest import ROOT


def values(name: str, **settings: Any) -> Any:
    return experiment(name)(**settings).values


def page(name: str) -> str:
    return (ROOT / "book" / name).read_text(encoding="utf-8")


def number(key: str) -> float:
    value = fact(key).value
    assert not isinstance(value, str)
    return value


# --- chapter 18 ---------------------------------------------------------------------------------------------------

def test_the_optimum_is_flat_and_does_not_move_with_the_restart() -> None:
    found = values("checkpoint_interval")
    assert found["best_s"] / 60 < 19 and 0.06 < found["price"] < 0.07
    for other in ("halved", "doubled"):
        assert 0.019 < found["best_goodput"] - found[other] < 0.023
    quick = values("checkpoint_interval", restart=0)
    assert quick["best_s"] == found["best_s"] and f"{quick['best_goodput']:.1%}" in page("18-checkpointing.md")
    assert f"{found['best_goodput']:.1%}" in page("18-checkpointing.md")


@pytest.mark.parametrize("settings", [{}, {"interval": 19}, {"gpus": "4096", "rate": 10, "write": 300, "interval": 30}])
def test_simulated_months_lie_around_the_exact_form(settings: dict[str, Any]) -> None:
    one = experiment("checkpoint_interval")
    months = [month(one.settings(settings), seed) for seed in range(100, 125)]
    assert sum(months) / 25 == pytest.approx(one(**settings).values["goodput"], abs=0.008)


def test_memory_brings_more_than_twice_what_the_background_brings() -> None:
    good = values("checkpoint_tiers")["goodput"]
    first, second = good["background"] - good["blocking"], good["memory"] - good["background"]
    assert 0.035 < first < 0.05 and second > 2 * first


def test_faults_that_take_both_copies_shrink_the_gain_of_memory() -> None:
    good = [values("checkpoint_tiers", together=share)["goodput"]["memory"] for share in (0, 10, 50)]
    assert good == sorted(good, reverse=True) and good[0] - good[-1] > 0.05


def test_size_and_blocking_of_the_published_checkpoints() -> None:
    found = values("checkpoint_tiers")
    assert found["bytes"] == 405e9 * 14 and f"{found['bytes'] / 1e12:.2f} TB" in page("18-checkpointing.md")
    assert 0.005 < found["snapshot_s"] < 10 * number("byterobust.every_step")
    assert round(number("bloom.size") * 1e12 / 176e9) == 13


def test_derived_numbers_about_bloom() -> None:
    mtbf = theory.cluster_mttf_h(number("bloom.gpus"), number("bloom.rate")) * 3600
    best = theory.best_interval(number("bloom.save"), mtbf)
    assert number("bloom.best_interval") == round(best)
    at_three, at_best = (theory.efficiency(t, number("bloom.save"), mtbf) for t in (number("bloom.interval") * 3600, best))
    assert number("bloom.price") == round(100 * (at_best - at_three), 2)
    forty = theory.efficiency(number("bloom.interval") * 3600, number("bloom.save"), mtbf / 40)
    assert number("bloom.loss_forty") == round(100 * (1 - forty))


# --- chapter 19 ---------------------------------------------------------------------------------------------------

def test_the_mean_is_not_enough_and_the_quantile_is() -> None:
    found = values("spares")
    assert found["enough"][0.99] == 13 and 0.45 < found["short"] < 0.55
    assert found["goodput"][0] < 0.5 < found["goodput"][6] < found["goodput"][13] - 0.14
    assert found["waited_s"][13] == 0.0
    assert counting.spares_for(512, 0.0065, 0.5 / 24, 0.99) == 1


def test_more_spares_never_wait_longer_under_the_same_faults() -> None:
    for seed in (1, 2, 3):
        waited = [values("spares", spares=n, seed=seed)["waited_s"][n] for n in range(0, 20, 3)]
        assert all(a >= b - 1 for a, b in zip(waited, waited[1:], strict=False)), waited


@pytest.mark.parametrize("settings", [{}, {"find": 0, "swap": 0}, {"find": 10}])
def test_what_peers_save_follows_from_the_rest_of_the_outage(settings: dict[str, Any]) -> None:
    saved = values("elastic_or_peers", **settings)["saved_outage"]
    assert f"{saved:.0%}" in page("19-recovering.md")


def test_the_vendors_range_is_reached_only_where_the_rest_is_short() -> None:
    low, high = number("aws.checkpointless_low") / 100, number("aws.checkpointless_high") / 100
    assert low <= values("elastic_or_peers", find=0, swap=0)["saved_outage"] <= high
    assert values("elastic_or_peers")["saved_outage"] < low


def test_elastic_wins_where_a_spare_is_late() -> None:
    late, soon = (values("elastic_or_peers", swap=swap)["goodput"] for swap in (60, 0))
    assert late["elastic"] > 0.94 and 0.6 < late["restart"] < late["peers"] < 0.75
    assert soon["elastic"] == pytest.approx(soon["peers"], abs=0.003)


def test_a_replacement_on_its_way_arrives_although_another_node_dies() -> None:
    """Two deaths 30 s apart, 60 s for a spare: the job is whole again about 90 s after the first."""
    faults = tuple(Fault(at * 1000, node, "dead node") for at, node in ((3600, 0), (3630, 1)))
    trace = simulate(Plan(
        64, wall_days=0.25, checkpoints=Checkpoints.blocking(600.0, 0.0), faults=Faults(recorded=faults),
        detection=Detection(delay_s=0.0), diagnosis=NO_DIAGNOSIS,
        recovery=Recovery(spares=4, swap=60.0, repair=0.0, elastic=Elastic(4, step_s=1.0, shrink_s=5.0, grow_s=5.0))), 1)
    slow = sum(span.end - span.start - span.work for span in trace.spans if span.kind == "work") / 1000
    assert sum(span.kind == "grow" for span in trace.spans) >= 1
    assert slow < 120 and report(trace).goodput > 0.99


def test_three_faults_catch_lemons_and_spare_the_good() -> None:
    found = values("lemons")
    assert found["hazard"] == pytest.approx(number("rsc.lemon_hazard") / 100, abs=0.005)
    assert found["failures"]["hunt"] < 0.7 * found["failures"]["keep"]
    lemons, good, _share = found["verdicts"][3]
    assert lemons > 6 and good < 0.2 and 45 < found["verdicts"][1][1] < 55
    weak = values("lemons", times=20)
    assert weak["hazard"] == pytest.approx(0.2, abs=0.01) and weak["failures"]["hunt"] > 0.9 * weak["failures"]["keep"]


def test_derived_numbers_about_lemons() -> None:
    share = counting.lemon_share(number("rsc.fail_before") / 100, number("rsc.fail_after") / 100)
    assert number("rsc.lemon_hazard") == round(100 * share)
    assert number("rsc.lemon_times") == round(counting.lemon_multiplier(number("rsc.lemon_share") / 100, share))


# --- my cluster ---------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("settings", [
    {}, {"interval": 0}, {"gpus": 16384, "saves": "background", "storage": 50, "billions": 405},
    {"gpus": 8192, "saves": "memory", "interval": 2}, {"back": "peers"}, {"rate": 10, "gpus": 16384},
])
def test_the_budget_adds_up_and_a_simulation_agrees(settings: dict[str, Any]) -> None:
    one = experiment("my_cluster")
    found, mine = one(**settings).values, my_cluster.cluster(one.settings(settings))
    assert found["goodput"] + sum(found["shares"].values()) == pytest.approx(1)
    if mine.peers:
        return  # the simulation loses steps there, which the budget leaves out
    load = mine.state.peer_copy_s() if mine.saves == "memory" else mine.state.load_s()
    plan = Plan(mine.gpus, max_faults=2000, checkpoints=Checkpoints.asynchronous(mine.every, mine.block, mine.lag),
                faults=Faults(mine.rate), detection=Detection(delay_s=mine.find), diagnosis=NO_DIAGNOSIS,
                recovery=Recovery(restart=mine.start + load, extra_s=mine.wait, spares=1, swap=0.0, queue_s=0.0, repair=0.0))
    runs = [report(simulate(plan, seed)) for seed in range(3)]
    assert sum(done.goodput for done in runs) / 3 == pytest.approx(found["goodput"], abs=0.02), "three standard errors"
    for group, share in losses.mean_of(map(losses.of_report, runs)).items():
        assert share == pytest.approx(found["shares"][group], abs=0.02), group


def test_the_page_says_what_helps_most_at_the_default() -> None:
    found = values("my_cluster")
    ranked = sorted(found["gains"], key=lambda name: -found["gains"][name])
    assert ranked[:3] == ["half as many failures", "fault known after 10 s", "saves in the background"]
    assert found["most"] == "fault known after 10 s" and 0.008 < found["gains"][ranked[2]] < 0.014


def test_the_calculator_answers_at_once() -> None:
    one = experiment("my_cluster")
    one()
    begin = time.process_time()
    for gpus in range(8, 8008, 400):
        one(gpus=gpus)
    assert (time.process_time() - begin) / 20 < 0.025, "a quarter of 100 ms, as a browser takes about four times as long"


def test_the_pages_name_no_number_that_the_figures_do_not_give() -> None:
    text = page("19-recovering.md")
    found = values("spares")
    [extra] = re.findall(r"bring (\d+) points of goodput", text)
    assert int(extra) == round(100 * (found["goodput"][13] - found["goodput"][6]))
