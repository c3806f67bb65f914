"""What the live figures of chapters 04 and 06 teach, checked by hand, by formula, or against the measured runs."""
from __future__ import annotations

import json
import re
from math import exp, inf
from typing import Any

import pytest

from clustersim import measured
from clustersim.experiments import beside, experiment, fair_tree, limits_and_reasons, preemption, priority_parts
from clustersim.facts import fact
from clustersim.figures_queue import pieces, wait_bars, waiting
from clustersim.trace import Event, JobRecord, Run, Trace
from clustersim.units import HOUR, MINUTE
from tests.test_prose import ROOT

# --- what a priority is made of ----------------------------------------------------------------------------------


SETTINGS = ({}, {"nice": 1500}, {"max_age": 1, "weight_age": 4000}, {"weight_size": 0, "weight_qos": 0})


@pytest.mark.parametrize("values", SETTINGS)
def test_the_parts_add_up_to_the_priority_of_the_simulated_controller(values: dict[str, Any]) -> None:
    samples, _starts = priority_parts.simulate(priority_parts.EXPERIMENT.settings(values))
    assert len(samples) > 150
    for one in samples:  # Slurm cuts off what is behind the decimal point, and never goes below 1
        assert one.priority == max(int(one.age + one.size + one.qos - one.nice), 1)


def test_age_alone_lets_nobody_pass_until_the_older_job_reaches_its_maximum() -> None:
    assert experiment("priority_parts")(max_age=24).values["flips"] == []
    [(time, first, second)] = experiment("priority_parts")().values["flips"]
    # small stops at 1,125 points; wide begins at 500 at 03:00 and gains 250 an hour, so it is level at 05:30.
    assert (first, second) == ("wide", "small") and 5.5 * HOUR < time <= 5.5 * HOUR + 5 * MINUTE


def test_a_weight_is_an_exchange_rate() -> None:
    """QOS high is worth 2,000 points, an hour of waiting 250: only eight hours of waiting would outweigh it."""
    assert experiment("priority_parts")().values["order"] == ["urgent", "wide", "small"]
    assert experiment("priority_parts")(nice=1500).values["order"] == ["wide", "small", "urgent"]
    assert experiment("priority_parts")(weight_size=0, weight_qos=0).values["order"] == ["small", "wide", "urgent"]


# --- Fair Tree ---------------------------------------------------------------------------------------------------

def usage(trace: Trace, account: str, now: int, half_life: float) -> float:
    """Core seconds decayed to ``now``, integrated over every run: independent of the simulator's steps."""
    rate = 0.693 / half_life if half_life else 0.0
    total = 0.0
    for job in trace.jobs:
        if job.extra["account"] == account:
            for run in job.runs:
                begin, end = run.start, min(now, now if run.end is None else run.end)
                if end > begin:
                    grown = (exp(-rate * (now - end)) - exp(-rate * (now - begin))) / rate if rate else end - begin
                    total += fair_tree.CPUS * grown
    return total


@pytest.mark.parametrize("values", [{}, {"half_life": 0}, {"half_life": 0.5}, {"shares": 40, "length": 3}])
def test_level_is_share_over_use(values: dict[str, Any]) -> None:
    settings = fair_tree.EXPERIMENT.settings(values)
    trace, samples = fair_tree.simulate(settings)
    trace.validate()
    shares = {"physics": int(settings["shares"]), "chem": 100 - int(settings["shares"])}
    for sample in samples[60::7]:
        used = {name: usage(trace, name, sample.time, float(settings["half_life"]) * 86_400) for name in shares}
        for name, share in shares.items():  # root's own user has one share beside the accounts
            mine, all_of_it = used[name], sum(used.values())
            expected = share / (sum(shares.values()) + 1) / (mine / all_of_it) if mine else inf
            assert sample.level[name] == pytest.approx(expected, rel=0.03), (name, sample.time)


def test_a_user_who_never_ran_stands_behind_one_who_used_the_cluster_for_a_day() -> None:
    values = experiment("fair_tree")().values
    assert values["order_at_flip"] == ["bob", "alice", "dave", "carol"]
    submitted, started = values["dave"]
    assert started > submitted and values["behind_dave"] == ["alice"]


def test_the_past_weighs_less_the_shorter_the_half_life() -> None:
    waits = [experiment("fair_tree")(half_life=days).values["flip_s"] - 24 * HOUR for days in (0.5, 2, 7, 0)]
    assert waits == sorted(waits) and waits[0] < 8 * HOUR
    # Without decay chem has its 40 of 100 when it has used 16 h to physics' 24.
    assert 16 * HOUR <= waits[-1] <= 16 * HOUR + fair_tree.PERIOD


def test_in_the_long_run_an_account_gets_its_share() -> None:
    used = experiment("fair_tree")(half_life=0).values["used_s"]
    assert used["physics"] / sum(used.values()) == pytest.approx(0.6, abs=0.03)


# --- measured beside simulated -----------------------------------------------------------------------------------

CHOICES = [pytest.param(name, workload, id=workload) for name in ("measured_order", "measured_preemption")
           for workload, _label in experiment(name).controls[0].options]


@pytest.mark.parametrize(("name", "workload"), CHOICES)
def test_the_simulated_run_is_within_what_was_measured_whatever_the_phase(name: str, workload: str) -> None:
    for seed in (0, 1, 7, 20):
        real, trace, differences = beside.both(workload, seed)
        real.validate()
        trace.validate()
        assert differences == []
    outcome = experiment(name)(workload=workload)
    assert outcome.values["largest_gap_s"] <= 3 and f"all {len(real.jobs)} jobs" in outcome.summary
    assert outcome.values["measured_starts_s"] == {
        name: [run["start_s"] for run in one["runs"] if run["start_s"] is not None]
        for name, one in measured.outcome(workload)["jobs"].items()}


def test_a_difference_is_said() -> None:
    real, trace, _none = beside.both("qos_limits")
    text = beside._summary(real, {"a1": 30}, ["a1: state is FAILED, measured COMPLETED"])
    assert text.startswith("In 1 point") and "FAILED" in text
    assert beside._spread("x", [{"starts": {"x": [4]}}, {"starts": {"x": [6]}}, {"starts": {}}]) == "4 to 6"


def test_pauses_are_dated_back_to_what_caused_them() -> None:
    assert measured.recorded("preempt_partition_suspend").job("low1").extra["suspended"] == [[120, 421]]
    assert pieces(0, 901, [[120, 421]]) == [(0, 120), (421, 901)]


def test_a_record_tells_the_reasons_that_squeue_showed() -> None:
    story = measured.recorded("qos_limits").story("c3")
    assert story.index("QOSMaxJobsPerUserLimit") < story.index("QOSMaxWallDurationPerJobLimit") and "starts" not in story


# --- limits ------------------------------------------------------------------------------------------------------

def test_each_limit_gives_its_own_reason() -> None:
    values = experiment("limits_and_reasons")().values
    assert values["reasons"]["a2"][0] == "QOSMaxGRESPerUser"       # 2 of 3 GPUs in use, 2 more asked for
    assert values["reasons"]["b3"] == ["QOSMaxJobsPerUserLimit"]   # two jobs of bob run
    assert values["reasons"]["c1"] == ["AssocGrpGRES"]             # 5 of the account's 6 in use, 2 more asked for
    assert values["reasons"]["c2"] == ["QOSMaxWallDurationPerJobLimit"] and values["states"]["c2"] == "PENDING"
    assert values["idle"] == (4, 3, 7 * MINUTE)


def test_a_reason_removed_uncovers_the_next() -> None:
    assert experiment("limits_and_reasons")(per_user=8).values["reasons"]["a3"] == ["QOSMaxJobsPerUserLimit"]


def test_without_enforcement_no_limit_holds() -> None:
    reasons = experiment("limits_and_reasons")(enforce=False).values["reasons"]
    assert {why for whys in reasons.values() for why in whys} == {"Resources", "Priority"}


def test_deny_on_limit_refuses_only_what_one_job_can_never_do() -> None:
    states = experiment("limits_and_reasons")(deny=True).values["states"]
    assert [job for job, state in states.items() if state == "REJECTED"] == ["c2"]


@pytest.mark.parametrize("values", [{}, {"per_user": 2}, {"group": 4}, {"jobs": 1}, {"per_user": 8, "jobs": 4, "group": 3}])
def test_no_limit_is_ever_passed(values: dict[str, Any]) -> None:
    settings = limits_and_reasons.EXPERIMENT.settings(values)
    trace = limits_and_reasons.simulate(settings).validate()
    for now in range(0, trace.until, 30):
        running = [job for job in trace.jobs for run in job.runs if run.start <= now < (run.end or trace.until)]
        assert sum(job.gpus for job in running) <= int(settings["group"])
        for user in ("alice", "bob", "carol"):
            mine = [job for job in running if job.user == user]
            assert len(mine) <= int(settings["jobs"]) and sum(job.gpus for job in mine) <= int(settings["per_user"])


def test_waits_follow_from_the_log() -> None:
    log = (Event(0, "submit", "a"), Event(0, "reason", "a", {"reason": "Resources"}),
           Event(5, "reason", "a", {"reason": "Priority"}),
           Event(9, "start", "a", {}), Event(12, "end", "a", {}), Event(12, "requeue", "a"), Event(20, "submit", "b"))
    trace = Trace("x", 1, (JobRecord("a", 0, 3, None, 1, runs=(Run(9, 12, "PREEMPTED"),)),), log=log, until=30)
    spans = waiting(trace)
    assert spans == [("a", 0, 5, "Resources"), ("a", 5, 9, "Priority"), ("a", 12, 30, "None"), ("b", 20, 30, "None")]
    assert [row["letter"] for row in wait_bars(spans, 1)] == ["A", "B", "C", "C"]


# --- preemption --------------------------------------------------------------------------------------------------

def test_every_mode_serves_the_high_job_and_bills_somebody_else() -> None:
    values = experiment("preemption")().values
    assert values["wait_s"] == {"requeue": 0, "cancel": 0, "suspend": 0, "off": 30 * MINUTE}
    # low2 had run 25 min on one node and low3 20 min on one node.
    assert values["lost_node_s"] == {"requeue": 45 * MINUTE, "cancel": 45 * MINUTE, "suspend": 0, "off": 0}
    assert values["ends_s"]["cancel"]["low2"] is None and values["ends_s"]["suspend"]["low1"] == 80 * MINUTE


def test_a_victim_stays_away_for_two_minutes_even_if_its_nodes_are_free() -> None:
    runs = experiment("preemption")(high=1).values["runs"]
    stopped, again = runs["low2"][0][1], runs["low2"][1][0]
    assert again - stopped == fact("slurm.requeue_wait").value and runs["high"][0][1] < again


def test_suspension_frees_no_gpu() -> None:
    values = experiment("preemption")(uses="gpus").values
    assert values["wait_s"]["suspend"] == values["wait_s"]["off"] and values["victims"]["suspend"] == []
    assert values["wait_s"]["requeue"] == 0


def test_exempt_time_protects_the_young_and_can_cost_more_work() -> None:
    values = experiment("preemption")(exempt=30).values
    assert values["victims"]["requeue"] == ["low1"] and values["lost_node_s"]["requeue"] == 60 * MINUTE
    assert values["lost_node_s"]["requeue"] > experiment("preemption")().values["lost_node_s"]["requeue"]


@pytest.mark.parametrize("mode", preemption.MODES)
def test_preemption_traces_hold(mode: str) -> None:
    for values in ({}, {"at": 11}, {"at": 60}, {"high": 1}, {"low": 20}, {"exempt": 60}, {"uses": "gpus"}):
        preemption.simulate(mode, preemption.EXPERIMENT.settings(values)).validate()


# --- what the prose takes from the records -----------------------------------------------------------------------

def job(workload: str, name: str) -> dict[str, Any]:
    found: dict[str, Any] = measured.outcome(workload)["jobs"][name]
    return found


def test_derived_facts_of_the_measured_runs() -> None:
    for name in "abcd":
        one = job("fairshare_two_accounts", name)
        assert fact(f"fair.wait_{name}").value == one["start_s"] - one["submit_s"]
    record = measured.recorded("qos_limits")
    gpus = sum(node.gpus for node in record.nodes)
    busy = sum(one.gpus for one in record.jobs for run in one.runs if run.start <= 100 < (run.end or record.until))
    assert (fact("limits.gpus").value, fact("limits.idle").value) == (gpus, gpus - busy)
    waits = [one.id for one in record.jobs if one.submit <= 100 and (one.start is None or one.start > 100)]
    assert fact("limits.waiting").value == len(waits)
    first = job("preempt_qos_requeue", "low1")["runs"][0]
    assert fact("preempt.lost").value == (first["end_s"] - first["start_s"]) // MINUTE * len(first["nodes"])
    high = job("preempt_partition_suspend", "high1")
    assert fact("suspend.pause").value == high["end_s"] - high["start_s"]
    path = ROOT / "tests/golden/slurm_golden/cancel_hold_release.outcome.json"
    runs = json.loads(path.read_text(encoding="utf-8"))["jobs"]["run2"]["runs"]
    assert fact("requeue.gap").value == runs[1]["start_s"] - runs[0]["end_s"]


def test_listings_quoted_from_the_measured_runs_are_what_was_printed() -> None:
    """Every line of a listing that begins with ``$ sshare`` or ``$ sprio -l`` stands in a recorded snapshot."""
    printed = {re.sub(r"\s+", " ", line).strip() for name in measured.NAMES if measured.outcome(name).get("snapshots")
               for line in measured.printed(name).splitlines()}
    page = (ROOT / "book/04-priority-and-fair-share.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```console\n(\$ (?:sshare|sprio -l).*?)^```", page, re.M | re.S)
    quoted = [line for block in blocks for line in block.splitlines()]
    assert len(quoted) > 12
    for line in quoted:
        words = re.sub(r"\s+", " ", line).strip()
        assert any(full.startswith(words) for full in printed), line


def test_the_table_of_the_notebook_is_the_measured_workload() -> None:
    text = (ROOT / "notebooks/src/06-preemption-and-limits.md").read_text(encoding="utf-8")
    rows = [f"| {one['id']} | {one['at']} s | {one['nodes']} | {one.get('qos', 'normal')} | {one['run_s']} s |"
            for one in measured.workload("preempt_qos_requeue")["jobs"]]
    assert "\n".join(rows) in text
