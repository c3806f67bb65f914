"""Detection, DCGM, the runbook and the planner: against the published tables, the source's exit codes, and brute force."""
from __future__ import annotations

import statistics
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clustersim.errors import InputError
from clustersim.reliability import dcgm, planner, runbook
from clustersim.reliability.causes import LINK_FLAP, Cause, catalogue, cause, published_mix
from clustersim.reliability.detection import Detection, Diagnosis
from clustersim.tables import table


def as_row(row: str, symptom: str) -> Cause:
    return Cause(f"{row} as {symptom}", symptom, row, "explicit", "replace", "node")


# --- who notices what, and when ------------------------------------------------------------------------------------------

@pytest.mark.parametrize("row", table("byterobust_detection").rows, ids=lambda r: str(r["root_cause"]))
def test_inspection_sees_each_fault_as_fast_as_published(row) -> None:
    rng = Random(1)
    what = as_row(str(row["root_cause"]), "slow" if row["detect_without_inspection"] == "mfu_monitor" else "hang")
    seconds, who = Detection(poll_s=None, slow=10_000.0).notice(what, rng)
    assert seconds == row["detect_with_inspection_s"] and who == "inspection"


@pytest.mark.parametrize("row", table("byterobust_detection").rows, ids=lambda r: str(r["root_cause"]))
def test_without_inspection_and_checks_it_takes_the_time_out_or_the_speed_monitor(row) -> None:
    alone = Detection(inspection=False, poll_s=None, log_s=None, node_silence_s=None, slow=1234.0)
    slow = row["detect_without_inspection"] == "mfu_monitor"
    seconds, who = alone.notice(as_row(str(row["root_cause"]), "slow" if slow else "hang"), Random(1))
    late = {"Driver hang": (480.0, "NCCL heartbeat monitor")}.get(str(row["root_cause"]), (600.0, "NCCL watchdog"))
    assert (seconds, who) == ((1234.0, "speed monitor") if slow else late)


def test_a_crash_shows_in_the_log_and_a_dead_node_by_its_silence() -> None:
    rng = Random(2)
    assert Detection(poll_s=None).notice(cause("Software bug"), rng) == (60.0, "process log")
    quiet = Detection(inspection=False, poll_s=None, log_s=None)
    assert quiet.notice(cause("Power supply"), rng) == (300.0, "scheduler heartbeat")
    assert Detection().notice(LINK_FLAP, rng)[0] == pytest.approx(30.06, abs=0.01)


def test_a_health_check_comes_half_a_period_late_on_average() -> None:
    rng = Random(3)
    delays = [Detection(inspection=False).notice(cause("NIC"), rng)[0] for _ in range(20_000)]
    assert statistics.fmean(delays) == pytest.approx(150, rel=0.02) and max(delays) <= 300


def test_the_earliest_watcher_wins_and_the_delay_never_grows_with_more_of_them() -> None:
    rng = Random(4)
    for what in catalogue().values():
        if what.symptom in ("silent", "slow"):
            continue
        few, many = Detection(inspection=False, poll_s=None), Detection()
        assert max(many.notice(what, rng)[0] for _ in range(50)) <= few.notice(what, rng)[0]
        assert many.watchers(what), what


def test_one_fixed_delay_replaces_everyone() -> None:
    for what in catalogue().values():
        assert Detection(delay_s=7.0).notice(what, Random(1)) == (7.0, "fixed delay")


def test_a_silent_corruption_has_no_watcher_but_an_alarm_on_the_loss() -> None:
    what = cause("Silent data corruption")
    assert Detection().watchers(what) == ()
    assert Detection(silent=4321.0).notice(what, Random(1)) == (4321.0, "loss and gradient alarm")
    assert Diagnosis().law(what).mean == 28_800 and Diagnosis().law(cause("NIC")).mean == 510


def test_a_dcgm_health_watch_sees_what_its_watches_count() -> None:
    alone = Detection(inspection=False, poll_s=None, log_s=None, dcgm_s=10.0)
    delays = [alone.notice(cause("GPU system processor"), Random(s)) for s in range(2000)]
    assert {who for _seconds, who in delays} == {"DCGM health watch"}
    assert statistics.fmean(seconds for seconds, _who in delays) == pytest.approx(5.0, abs=0.2)
    assert alone.notice(cause("NIC"), Random(1))[1] == "NCCL watchdog", "a NIC writes no Xid"


def test_causes_with_an_xid_are_cured_at_least_as_the_runbook_says() -> None:
    strength = {"drain_reset_gpu": 0, "drain_reboot_node": 1, "drain_replace": 2}
    ours = {"reset": 0, "reboot": 1, "replace": 2}
    known = [c for c in catalogue().values() if c.xid is not None]
    assert len(known) >= 4
    for what in known:
        assert ours[what.action] >= strength[runbook.decide([what.xid]).action], what


# --- dcgmi diag ---------------------------------------------------------------------------------------------------------

EVERYTHING = dcgm.Host(eud_package=True, grace=True, nccl_tests=True, rist=True)


def test_levels_are_nested_and_level_four_adds_memtest_and_pulse_test() -> None:
    sets = [set(dcgm.tests_of(level)) for level in (1, 2, 3, 4)]
    assert all(a < b for a, b in zip(sets, sets[1:], strict=False))
    assert sets[3] - sets[2] == {"memtest", "pulse_test"} and sets[0] == {"software"}
    assert {"eud", "cpu_eud"} <= sets[2] and not sets[3] & {"context_create", "sm_stress"}


@pytest.mark.parametrize("name, level", [("quick", 1), ("short", 1), ("medium", 2), ("long", 3), ("production_testing", 3),
                                         ("xlong", 4), ("3", 3), (2, 2)])
def test_names_of_levels(name: str | int, level: int) -> None:
    assert dcgm.level_of(name) == level


def test_an_unknown_level_or_defect_or_watch_is_refused() -> None:
    for call in (lambda: dcgm.level_of("5"), lambda: dcgm.coverage(1, "ghosts"), lambda: dcgm.watches("q")):
        with pytest.raises(InputError):
            call()


def test_eud_runs_as_root_with_its_package_only() -> None:
    assert "eud" in dcgm.tests_of(3, dcgm.Host(eud_package=True))
    assert "eud" not in dcgm.tests_of(3, dcgm.Host(eud_package=True, root=False))
    assert "eud" not in dcgm.tests_of(3, dcgm.Host())
    assert dcgm.tests_of(4, EVERYTHING) == dcgm.tests_of(4)


def test_durations_grow_with_the_level_and_agree_with_what_is_printed() -> None:
    seconds = [dcgm.duration(level) for level in (1, 2, 3, 4)]
    assert all(a.default < b.default and a.low <= a.default <= a.high for a, b in zip(seconds, seconds[1:], strict=False))
    assert seconds[1].low <= 120 <= seconds[1].high, dcgm.printed(2)
    assert seconds[2].low <= 600 <= seconds[2].high, "10 min were seen on 8 GPUs"
    assert dcgm.duration(4, EVERYTHING).high > 3600, dcgm.printed(4)


@pytest.mark.parametrize("errors, code", [([], 0), (["DCGM_FR_STRESS_LEVEL"], 226), (["DCGM_FR_PCI_REPLAY_RATE"], 205),
                                          (["DCGM_FR_TARGET_POWER", "DCGM_FR_FAULTY_MEMORY"], 205)])
def test_exit_codes_follow_the_severities(errors: list[str], code: int) -> None:
    assert dcgm.exit_code(errors) == code
    meaning = {0: "passed", 226: "none with isolate", 205: "isolate severity"}[code]
    assert meaning in dcgm.Result(1, code, {}, 0.0).meaning


def test_every_error_of_the_coverage_table_is_a_code_of_the_source() -> None:
    for row in table("dcgm_coverage"):
        assert dcgm.severity(str(row["error"])) in {"monitor", "isolate", "triage", "config", "reset"}
        assert 0 <= row["low"] <= row["default"] <= row["high"] <= 1
        assert row["test"] in table("dcgm_levels").column("test") and row["defect"] in planner.WARNING_DAYS


@pytest.mark.parametrize("level", [1, 2, 3, 4])
@pytest.mark.parametrize("defect", dcgm.defects())
def test_many_diagnoses_find_a_defect_as_often_as_the_coverage_says(level: int, defect: str) -> None:
    rng = Random(f"{level}{defect}")
    results = [dcgm.diagnose(level, [defect], rng, EVERYTHING) for _ in range(3000)]
    share = sum(bool(r.failed) for r in results) / len(results)
    assert share == pytest.approx(dcgm.coverage(level, defect, EVERYTHING), abs=0.03)
    assert all((r.exit_code == 0) == (not r.failed) for r in results)


def test_a_healthy_node_passes_and_the_published_recall_of_eud_is_the_tables() -> None:
    assert dcgm.diagnose(4, [], Random(1), EVERYTHING).exit_code == 0
    with_eud, without = (dcgm.coverage(3, "silent_corruption", dcgm.Host(eud_package=p)) for p in (True, False))
    assert 1 - (1 - with_eud) / (1 - without) == pytest.approx(0.7)


def test_fail_early_saves_time_only_where_something_fails() -> None:
    early = [dcgm.diagnose(4, ["driver"], Random(s), fail_early=True) for s in range(200)]
    full = dcgm.duration(4).default
    assert {r.seconds for r in early if r.failed} == {5.0} and {r.seconds for r in early if not r.failed} == {full}


def test_health_watches_and_the_xids_that_always_count() -> None:
    assert dcgm.watches() == ("pcie", "mem") and len(dcgm.watches("a")) == 10
    always = {x for x in table("xid").column("xid") if dcgm.xid_health(int(x or 0), "p") == "FAIL"}
    assert always == {48, 74, 79, 95, 119, 120, 140}
    assert dcgm.xid_health(94) == "WARN" and dcgm.xid_health(31, "p") == "PASS" and dcgm.xid_health(31) == "WARN"
    assert dcgm.xid_health(999_999) == "PASS" and dcgm.HEALTH["WARN"] == 10


# --- Xid and SXid -------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("code", table("xid").column("xid"))
def test_every_xid_leads_to_a_rung(code: int) -> None:
    decision = runbook.decide([code])
    assert decision.action in runbook.LADDER and decision.code == code
    action = str(runbook.xid(code)["recommended_cluster_action"])
    if action not in runbook.OPEN:
        assert runbook.rung(decision.action) == runbook.rung(action)


def test_every_sxid_of_the_table_is_found_and_leads_to_a_rung() -> None:
    codes = [c for row in table("sxid") for c in runbook.range_codes(str(row["sxid_codes"]))]
    assert len(codes) == len(set(codes)) > 90
    assert all(runbook.decide([], sxids=[c]).action in runbook.LADDER for c in codes)
    assert runbook.decide([], sxids=[23005]).action == "drain_reboot_node"
    with pytest.raises(InputError):
        runbook.sxid(1)


@pytest.mark.parametrize("codes, label, action", [
    ([13], "", "restart_app"), ([43], "", "restart_app"), ([79], "", "drain_reboot_node"),
    ([95], "", "drain_reset_gpu"), ([94], "", "restart_app"), ([45], "", "restart_app"),
    ([45, 79], "", "drain_reboot_node"), ([48, 63], "", "drain_reset_gpu"), ([48, 64], "", "drain_reset_gpu"),
    ([64], "", "drain_replace"), ([63], "", "reset_gpu_at_next_idle"), ([79, 154], "none", "ignore_and_watch"),
    ([13, 154], "node reboot", "drain_reboot_node"), ([171, 48], "", "drain_reset_gpu"),
])
def test_rules_of_pairs_and_of_the_drivers_advice(codes: list[int], label: str, action: str) -> None:
    assert runbook.decide(codes, label).action == action


def test_nvlink_5_codes_need_their_status_bits() -> None:
    assert runbook.decide([149]).action == "drain_reset_gpu"
    assert runbook.decide([149], fatal_bits=False).action == "ignore_and_watch"


def test_what_a_contained_error_asks_for_later() -> None:
    assert "idle" in runbook.decide([94]).then[0] and "level 3" in runbook.decide([79]).then[1]


def test_the_same_class_within_a_day_climbs_one_rung_to_the_top_and_no_further() -> None:
    book = runbook.Runbook()
    actions = [book.handle("n1", hour * 3600.0, [95]).action for hour in range(0, 6)]
    assert actions == ["drain_reset_gpu", "reset_node_fabric", "drain_reboot_node", "drain_replace", "drain_replace",
                       "drain_replace"]
    assert book.handle("n2", 6 * 3600.0, [95]).action == "drain_reset_gpu", "another node"
    assert book.handle("n1", 60 * 3600.0, [95]).action == "drain_reset_gpu", "more than a day later"
    assert book.handle("n1", 61 * 3600.0, [13]).action == "restart_app", "another class"


def test_nonsense_is_refused() -> None:
    for call in (lambda: runbook.decide([]), lambda: runbook.decide([154], "dance"), lambda: runbook.decide([7]),
                 lambda: runbook.rung("dance")):
        with pytest.raises(InputError):
            call()


# --- the planner --------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("chance, every, warning", [(0.8, 1.0, 3.0), (0.3, 7.0, 3.0), (1.0, 0.25, 7.0), (0.1, 1.0, 30.0)])
def test_found_in_time_agrees_with_a_simulation(chance: float, every: float, warning: float) -> None:
    rng, found, n = Random(1), 0, 20_000
    for _ in range(n):
        hurts, test = rng.expovariate(1 / warning), rng.random() * every
        while test < hurts:
            if rng.random() < chance:
                found += 1
                break
            test += every
    assert found / n == pytest.approx(planner.found_in_time(chance, every, warning), abs=0.012)


@given(st.floats(0, 1), st.floats(0.05, 60), st.floats(0.1, 90))
def test_found_in_time_is_a_share_and_testing_more_often_never_finds_less(chance: float, every: float, warning: float) -> None:
    often, seldom = (planner.found_in_time(chance, t, warning) for t in (every, 2 * every))
    assert 0 <= seldom <= often + 1e-12 <= 1 + 1e-9


def test_rates_by_defect_are_the_published_shares_of_the_rate() -> None:
    rates = planner.defect_rates(3.789)
    with_defect = sum(published_mix().share(n) for n in published_mix().names if cause(n).defect)
    assert sum(rates.values()) == pytest.approx(3.789 * with_defect)
    assert rates["memory_cells"] == pytest.approx(3.789 * (148 + 72 + 19) / 419)


def test_a_plan_keeps_its_budget_and_a_larger_budget_never_prevents_less() -> None:
    before = 0.0
    for minutes in (0, 0.05, 0.5, 2, 10, 60):
        schedule = planner.plan(minutes, 3.789)
        assert schedule.seconds_a_day <= minutes * 60 + 1e-9
        assert before <= schedule.prevented + 1e-12 and schedule.prevented + schedule.hopeless == pytest.approx(3.789)
        before = schedule.prevented
    assert planner.plan(0, 3.789).rounds == () and before > 1
    with pytest.raises(InputError):
        planner.plan(-1, 3.789)


def test_no_rhythm_within_the_budget_is_better_than_the_plan() -> None:
    rates = planner.defect_rates(3.789)
    best = planner.plan(3, 3.789, levels=(2, 3), every_days=(1.0, 3.0, 7.0))
    seconds = {level: dcgm.duration(level).default for level in (2, 3)}
    for second in (None, 1.0, 3.0, 7.0):
        for third in (None, 1.0, 3.0, 7.0):
            rounds = [planner.Round(lv, t, seconds[lv]) for lv, t in ((2, second), (3, third)) if t]
            other = planner.evaluate(rounds, rates)
            assert other.seconds_a_day > 180 or other.prevented <= best.prevented + 1e-12


def test_the_ends_of_the_assumed_ranges_lie_around_the_default() -> None:
    rates, rounds = planner.defect_rates(3.789), planner.plan(5, 3.789).rounds
    low, default, high = (planner.evaluate(rounds, rates, column=c).prevented for c in ("low", "default", "high"))
    assert low < default < high
