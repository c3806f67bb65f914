"""What the experiments on failures and their detection teach, and the numbers that chapters 16 and 17 quote."""
from __future__ import annotations

import math
import re
from collections import Counter
from statistics import fmean, median

import pytest

from clustersim.experiments import experiment, llama3_54_days
from clustersim.experiments.diagnostic_planner import found_once
from clustersim.experiments.gpus_and_rate import fleets, month, rate_of
from clustersim.experiments.poisson_or_not import incidents, measures, poisson, starts
from clustersim.facts import fact
from clustersim.reliability import counting, dcgm, fieldtrace, planner, theory
from clustersim.reliability.causes import published_mix
from clustersim.tables import table
from clustersim.units import three_digits
from tests.conftest import ROOT


def number(key: str) -> float:
    return float(fact(key).value)


def printed(value: float, key: str) -> bool:
    """Whether the fact is this number, to the last digit that the ledger holds."""
    return value == pytest.approx(number(key), rel=1e-12)


# --- chapter 16 --------------------------------------------------------------------------------------------------

def test_ten_times_the_gpus_break_ten_times_as_often() -> None:
    small, large = (experiment("gpus_and_rate")(gpus=gpus, fleet="meta_rsc_1").values["mttf_h"] for gpus in ("1024", "16384"))
    assert small == pytest.approx(16 * large) and large == pytest.approx(24_000 / (2_048 * 6.5))


def test_the_simulated_month_has_the_rate_that_was_asked_for() -> None:
    """Over 50 months the number of failures is a Poisson mean; 4 standard errors allow for chance."""
    for gpus, key in ((1_024, "meta_rsc_1"), (16_384, "llama_3_405b")):
        expected = 30 * 24 / theory.cluster_mttf_h(gpus, rate_of(key))
        seen = fmean(len(month(gpus, rate_of(key), seed)) for seed in range(1, 51))
        assert abs(seen - expected) < 4 * math.sqrt(expected / 50)


def test_one_node_seldom_breaks_and_a_large_job_is_never_spared_for_a_day() -> None:
    one, many = (experiment("gpus_and_rate")(gpus=gpus).values for gpus in ("8", "16384"))
    assert one["failures"] == 0 and many["longest_calm_h"] < 24 and many["calm_day"] < 0.001


def test_the_trace_is_burstier_than_any_poisson_process_of_the_slider() -> None:
    ours = experiment("poisson_or_not")().values["trace"]
    others = [measures(poisson(len(starts("all")), seed)) for seed in range(1, 51)]
    for key in ("cv", "dispersion", "busiest", "quiet", "longest_d", "together"):
        assert ours[key] > max(other[key] for other in others), key
    for key in ("cv", "dispersion"):
        assert fmean(other[key] for other in others) == pytest.approx(1, abs=0.05)


def test_merging_what_comes_together_leaves_the_trace_burstier_still() -> None:
    within = 60 / 1440
    merged = [incidents(poisson(len(starts("all")), seed), within) for seed in range(1, 51)]
    sizes, ours = [len(days) for days in merged], incidents(starts("all"), within)
    assert (len(ours), min(sizes), max(sizes)) == tuple(number(f"hbd.merged_{k}") for k in ("trace", "low", "high"))
    assert measures(ours)["cv"] > max(measures(days)["cv"] for days in merged)


def test_stored_runs_are_what_the_engine_gives() -> None:
    """Every fiftieth row is made again; the whole table was made by the same function."""
    rows = table("llama3_runs").rows
    assert [row["seed"] for row in rows] == list(range(1, llama3_54_days.STORED + 1))
    for row in rows[::50]:
        assert llama3_54_days.one(int(row["seed"] or 0)) == (row["interruptions"], row["ettr"])


def test_stored_runs_agree_with_theory() -> None:
    counts = [float(row["interruptions"] or 0) for row in table("llama3_runs")]
    ratios = [float(row["ettr"] or 0) for row in table("llama3_runs")]
    assert fmean(counts) == pytest.approx(number("llama3.unexpected"), abs=4 * math.sqrt(419 / 1000))
    assert fmean(ratios) == pytest.approx(experiment("llama3_54_days")().values["closed"], abs=0.001)


def test_the_published_time_needs_faster_recovery_than_rsc_reports() -> None:
    default, fast = (experiment("llama3_54_days")(**values).values for values in ({}, {"recovery": 5, "interval": 10}))
    assert default["stored_above"] == 0
    assert all(ettr > llama3_54_days.PUBLISHED for _n, ettr in fast["live"])


def test_numbers_of_chapter_16() -> None:
    assert printed(theory.cluster_mttf_h(1024, number("rsc.rate_1")), "rsc.model_1024")
    assert printed(theory.cluster_mttf_h(8, number("rsc.rate_1")) / 24, "rsc.model_8")
    assert printed(theory.node_rate(1024, number("rsc.mttf_1024")), "rsc.implied_1024")
    assert round(theory.cluster_mttf_h(16_384, number("rsc.rate_1")), 1) == number("rsc.mttf_16384")
    assert printed(number("llama3.unexpected") / (2_048 * number("llama3.days")) * 1000, "llama3.rate")
    for key, name in (("fleets.opt", "opt_175b"), ("fleets.nebius", "nebius_3000_gpu_cluster"), ("rsc.rate_1", "meta_rsc_1"),
                      ("rsc.rate_2", "meta_rsc_2")):
        assert rate_of(name) == number(key)
    values = experiment("gpus_and_rate")().values
    assert values["failures"] == number("fleets.month") and printed(100 * values["calm_day"], "fleets.calm_day")
    assert {key for key in fleets() if rate_of(key) > 7} == {"opt_175b"}


def test_numbers_of_the_table_with_the_misprint() -> None:
    rows = table("llama3_interruptions")
    gpu = sum(int(row["count"] or 0) for row in rows.where(category="GPU"))
    sums = {key: sum(float(row["percent_as_printed"] or 0) for row in part)
            for key, part in (("all", rows.rows), ("gpu", rows.where(category="GPU")))}
    assert (rows.row("Faulty GPU")["count"], gpu) == (number("llama3.faulty_gpu"), number("llama3.gpu_count"))
    assert rows.row("Faulty GPU")["percent_as_printed"] == number("llama3.faulty_gpu_printed")
    assert printed(100 * 148 / 419, "llama3.faulty_gpu_share") and printed(100 * gpu / 419, "llama3.gpu_share")
    assert sums == pytest.approx({"all": number("llama3.printed_sum"), "gpu": number("llama3.gpu_printed")})


def test_numbers_of_the_fault_trace() -> None:
    found, spells = fieldtrace.trace_statistics(), fieldtrace.spells()
    assert (found["faults"], found["nodes_hit"], found["zero_gaps"], found["gaps"]) == tuple(
        number(f"hbd.{key}") for key in ("faults", "nodes_hit", "zero_gaps", "gaps"))
    assert printed(found["interarrival_cv"], "hbd.cv") and printed(found["rate_per_1000_node_days"], "hbd.rate")
    assert (number("hbd.servers"), number("hbd.days")) == (fieldtrace.SERVERS, fieldtrace.DAYS)
    assert printed(median(spell.repair for spell in spells), "hbd.repair_median")
    assert printed(fmean(spell.repair for spell in spells), "hbd.repair_mean")
    assert printed(400 * (1 - math.exp(-584 / 400)), "hbd.nodes_expected")
    assert Counter(spell.node for spell in spells).most_common(1)[0][1] == number("hbd.top_node")
    size, start = max((sum(0 <= s.start - first.start < 1 / 1440 for s in spells), first.start) for first in spells)
    assert size == number("hbd.batch")
    assert {s.cause for s in spells if 0 <= s.start - start < 1 / 1440} == {"Stress Test Failure"}
    assert printed(max(measures(poisson(584, seed))["cv"] for seed in range(1, 51)), "hbd.poisson_cv")


def test_numbers_of_the_opening_and_of_the_assumptions() -> None:
    assert printed(1000 / number("llama3.rate"), "llama3.node_mtbf") and number("llama3.nodes") == number("llama3.gpus") / 8
    defaults = llama3_54_days.EXPERIMENT.defaults()
    assert tuple(defaults[name] for name in ("recovery", "interval", "write")) == tuple(
        number(f"llama3_runs.{name}") for name in ("recovery", "interval", "write"))
    reach = [minutes for minutes in (half / 2 for half in range(2, 121))
             if llama3_54_days.expected({**defaults, "recovery": minutes}) >= llama3_54_days.PUBLISHED]
    assert max(reach) == number("llama3_runs.enough")
    above = experiment("llama3_54_days")().values["stored_above"]
    assert (above, len(table("llama3_runs"))) == (number("llama3_runs.above"), number("llama3_runs.count"))


def test_numbers_of_the_thousand_runs() -> None:
    values = experiment("llama3_54_days")().values
    assert values["stored_counts"][::2] == (number("llama3_runs.lowest"), number("llama3_runs.highest"))
    assert printed(100 * values["stored_ettr"][2], "llama3_runs.best") and printed(values["budget_min"], "llama3.budget")
    assert number("llama3_runs.mean") == pytest.approx(100 * fmean(float(r["ettr"] or 0) for r in table("llama3_runs")))


# --- chapter 17 --------------------------------------------------------------------------------------------------

def test_inspection_sees_a_dead_cable_ten_times_sooner_than_the_watchdog() -> None:
    alone = {"inspection": False, "poll": False, "log": False}
    assert experiment("who_notices")(**alone).values["mean_s"] == 600
    assert experiment("who_notices")(**alone, watchdog=120).values["mean_s"] == 120
    assert experiment("who_notices")().values["mean_s"] <= 60


def test_the_process_log_helps_with_a_crash_and_not_with_a_hang() -> None:
    for cause, seen in (("Software bug", True), ("Network switch/cable", False)):
        assert ("process log" in experiment("who_notices")(cause=cause).values["watchers"]) is seen


def test_nobody_but_the_alarm_notices_silent_corruption() -> None:
    values = experiment("who_notices")(cause="Silent data corruption", dcgm="a").values
    assert values["watchers"] == ["loss and gradient alarm"] and values["mean_s"] > 3600


def test_more_watchers_never_notice_later() -> None:
    for cause in ("Faulty GPU", "GPU system processor", "Host maintenance", "NIC"):
        none = {"inspection": False, "poll": False, "log": False}
        means = [experiment("who_notices")(cause=cause, **{**none, **more}).values["mean_s"]
                 for more in ({}, {"poll": True}, {"poll": True, "log": True}, {"poll": True, "log": True, "inspection": True})]
        assert means == sorted(means, reverse=True)


def test_a_late_notice_costs_a_large_job_more_than_ten_times_the_share() -> None:
    values = experiment("detection_delay")().values
    assert printed(values["points"], "delay.points") and printed(values["small_points"], "delay.small_points")
    assert three_digits(values["gpu_hours"]) == f"{number('delay.gpu_hours'):,.0f}"
    assert values["points"] > 10 * values["small_points"]
    assert experiment("detection_delay")(delay=10).values["gpu_hours"] == 0


def test_the_worked_example_of_600_against_10_seconds() -> None:
    assert printed(100 * (600 - 10) / (180 * 60), "delay.example")


def test_simulated_goodput_is_near_the_closed_form() -> None:
    for delay in (10, 600, 1800):
        values = experiment("detection_delay")(delay=delay).values
        assert fmean(values["simulated"]) == pytest.approx(values["goodput"], abs=0.02)


def test_more_minutes_never_find_less() -> None:
    found = [experiment("diagnostic_planner")(minutes=minutes).values["found"] for minutes in (0, 1, 5, 10, 30, 60)]
    assert found == sorted(found) and found[0] == 0


def test_a_test_that_stays_blind_finds_less_than_one_that_gets_new_chances() -> None:
    for minutes in (1, 5, 30):
        values = experiment("diagnostic_planner")(minutes=minutes).values
        assert 0 < values["found_once"] < values["found"] < values["visible"]


def test_with_one_test_once_blindness_is_the_planner_times_its_coverage() -> None:
    """Thermal defects are seen by two tests of level 3: a run finds them unless both are blind, at its first round."""
    host, rounds = dcgm.Host(), [planner.Round(3, 2.0, dcgm.duration(3).default)]
    schedule = planner.evaluate(rounds, planner.defect_rates(4.0), host)
    expected = (1 - 0.4 * 0.3) * planner.found_in_time(1.0, 2.0, planner.WARNING_DAYS["thermal"][1])
    assert found_once(schedule, "thermal", host) == pytest.approx(expected)


def test_the_eud_changes_what_is_found_of_silent_corruption() -> None:
    with_it, without = (experiment("diagnostic_planner")(minutes=5, eud=eud).values["by_defect"] for eud in (True, False))
    assert with_it["silent_corruption"] > 1.5 * without["silent_corruption"]


def test_numbers_of_chapter_17() -> None:
    seen = {str(row["root_cause"]): row["detect_with_inspection_s"] for row in table("byterobust_detection")}
    assert (seen["GPU lost"], seen["NIC crash"], seen["Switch down"]) == tuple(
        number(f"byterobust.{key}") for key in ("gpu_lost", "nic", "switch"))
    assert printed(counting.nccl_ib_timeout_s(), "nccl.ib_timeout") and printed(counting.nccl_ib_error_s(), "nccl.ib_error")
    values = experiment("diagnostic_planner")().values
    assert printed(100 * values["found"], "planner.found") and printed(100 * (1 - values["visible"]), "planner.hidden")
    assert printed(100 * values["found_once"], "planner.once")
    assert len(table("dcgm_error_severity")) == number("dcgm.codes")
    assert "about 10 min" in str(table("byterobust_detection").rows[0]["source"]) and number("pytorch.nccl_timeout") == 600
    assert sum(published_mix().share(name) for name in published_mix().names) == pytest.approx(1)


def test_the_table_of_levels_in_the_chapter_is_the_one_of_the_source() -> None:
    page = (ROOT / "book/17-detecting-failures.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\w+) \| ?(yes|) ?\| ?(yes|) ?\| ?(yes|) ?\| ?(yes|) ?\|", page, re.M)
    told = {name: [cell == "yes" for cell in cells] for name, *cells in rows}
    numbered = [row for row in table("dcgm_levels") if row["level4_xlong"]]
    assert told == {str(row["test"]): [bool(row[dcgm.COLUMNS[level]]) for level in (1, 2, 3, 4)] for row in numbered}
