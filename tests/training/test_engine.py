"""The training run against a naive second by second one, against closed forms, and one scenario for each way to recover."""
from __future__ import annotations

import statistics
from dataclasses import replace
from random import Random

import pytest

from clustersim.errors import InputError
from clustersim.reliability import counting, fieldtrace, theory
from clustersim.reliability.detection import NO_DIAGNOSIS, Detection
from clustersim.reliability.faults import Fault, Recorded
from clustersim.reliability.laws import Exponential
from clustersim.training import (
    Checkpoints,
    Elastic,
    Faults,
    Peers,
    Plan,
    Recovery,
    Report,
    Simulation,
    Slow,
    Tier,
    report,
    simulate,
)

DAY = 86_400_000


def second_by_second(times: list[int], interval: int, write: int, detect: int, restart: int, wall: int) -> dict[str, int]:
    """The job model of the theory, a second at a time and without any cleverness."""
    spent = {"work": 0, "replay": 0, "checkpoint": 0, "detect": 0, "restart": 0}
    progress = safe = high = trained = writing = 0
    waiting: list[str] = []
    pending = sorted(times)
    for now in range(wall):
        while pending and pending[0] == now:
            pending.pop(0)
            progress, trained, writing = safe, 0, 0
            waiting = ["detect"] * detect + ["restart"] * restart
        if waiting:
            spent[waiting.pop(0)] += 1
            continue
        if writing:
            spent["checkpoint"] += 1
            writing -= 1
            safe = progress if not writing else safe
            continue
        spent["replay" if progress < high else "work"] += 1
        progress, trained = progress + 1, trained + 1
        high = max(high, progress)
        if trained % interval == 0:
            writing = write
            safe = progress if not write else safe
    return spent


def simple(wall_s: float | None, interval: float, write: float, detect: float, restart: float, **more) -> Plan:
    return Plan(gpus=8, wall_days=None if wall_s is None else wall_s / 86_400,
                checkpoints=Checkpoints.blocking(interval, write), detection=Detection(delay_s=float(detect)),
                diagnosis=NO_DIAGNOSIS, recovery=Recovery(restart=float(restart)), **more)


@pytest.mark.parametrize("seed", range(60))
def test_the_run_equals_the_naive_one_to_the_second(seed: int) -> None:
    rng = Random(seed)
    interval, write, detect, restart = rng.randint(1, 60), rng.randint(0, 20), rng.randint(0, 30), rng.randint(0, 40)
    wall = rng.randint(1, 1500)
    times = [rng.randrange(wall) for _ in range(rng.randint(0, 15))]
    faults = Recorded(Fault(t * 1000, 0, "any") for t in times)
    result = report(simulate(simple(wall, interval, write, detect, restart), 0, faults).validate())
    want = second_by_second(times, interval, write, detect, restart, wall)
    got = {"work": result.work, **{kind: result.lost.get(kind, 0) for kind in ("replay", "checkpoint", "detect", "restart")}}
    assert got == {kind: value * 1000 for kind, value in want.items()}


@pytest.mark.parametrize("mtbf, interval, write, restart", [
    (180, 20, 1, 10), (110.8, 60, 0, 5), (30, 20, 4, 3), (600, 90, 5, 0)])
def test_goodput_agrees_with_the_exact_form_within_one_percent(mtbf, interval, write, restart) -> None:
    plan = replace(simple(None, interval * 60, write * 60, 0, restart * 60, max_faults=100_000),
                   faults=Faults(per_1000_node_days=1000 * 1440 / mtbf))
    share = report(simulate(plan, seed=5)).goodput
    assert share == pytest.approx(theory.efficiency(interval, write, mtbf, restart), rel=0.01)


def hit(plan: Plan, *faults: Fault, seed: int = 0) -> Report:
    return report(simulate(plan, seed, Recorded(faults)).validate())


HOUR = 3_600_000


def test_a_run_without_faults_loses_its_checkpoints_only() -> None:
    plan = simple(None, 3600, 60, 10, 300, work_days=1.0, faults=Faults(per_1000_node_days=0))
    trace = simulate(plan, 0).validate()
    assert trace.jobs[0].state == "COMPLETED"
    assert report(trace).lost == {"checkpoint": 23 * 60_000}, "the last save is not needed"
    assert trace.jobs[0].runs[0].end == DAY + 23 * 60_000


def test_an_upload_makes_a_checkpoint_durable_late() -> None:
    """A save each hour that is uploaded for 30 min: at 2 h 20 the first one counts, at 2 h 40 the second."""
    base = replace(simple(4 * 3600, 1, 0, 0, 60), checkpoints=Checkpoints.asynchronous(3600, 0, 1800))
    for minute, lost in ((20, 80), (40, 40)):
        result = hit(base, Fault(2 * HOUR + minute * 60_000, 0, "any"))
        assert result.lost == {"replay": min(lost * 60_000, 4 * HOUR - 2 * HOUR - minute * 60_000 - 60_000), "restart": 60_000}


def test_the_uploads_limit_the_rhythm() -> None:
    assert Checkpoints.asynchronous(600, 1, 1800).interval_s == 1800


def test_the_memory_of_peers_helps_where_it_survives() -> None:
    tiers = Checkpoints.tiered(600, 0, 6, 0, survives=frozenset({"job", "node"}))
    base = replace(simple(6 * 3600, 1, 0, 0, 60), checkpoints=tiers, gpus=64, recovery=Recovery(restart=60.0, spares=8))
    when = 3 * HOUR + 1_500_000  # 25 min after the last slow save, 5 min after the last fast one
    assert hit(base, Fault(when, 0, "any")).lost["replay"] == 300_000
    assert hit(base, Fault(when, 0, "Faulty GPU")).lost["replay"] == 300_000
    assert hit(base, Fault(when, 0, "rack", width=4)).lost["replay"] == 1_500_000


def test_two_tiers_waste_about_what_theory_says() -> None:
    """T24's setting: 80 % of the failures (a software crash) leave the fast copy, the rest (a rack) do not."""
    mtbf, d1, d2 = 180.0, 0.05, 4.0
    fast, slow = theory.two_tier_intervals(mtbf, 0.8, d1, d2)
    every = round(slow / fast)
    tiers = Checkpoints.tiered(fast * 60, d1 * 60, every, d2 * 60, survives=frozenset({"job"}))
    rng, time, faults = Random(1), 0.0, []
    for _ in range(20_000):
        time += rng.expovariate(1 / (mtbf * 60_000))
        faults.append(Fault(int(time), 0, "any" if rng.random() < 0.8 else "CPU"))
    plan = replace(simple(time / 1000, 1, 0, 0, 0), checkpoints=tiers, recovery=Recovery(restart=0.0, reboot=0.0))
    waste = 1 - hit(plan, *faults).goodput
    assert waste == pytest.approx(theory.two_tier_waste(mtbf, 0.8, d1, d2, (fast, fast * every)), rel=0.05)


@pytest.mark.parametrize("keep, lost_h", [(None, 2.5), (12, 2.5), (2, 8.5)])
def test_a_silent_corruption_needs_a_checkpoint_from_before_it(keep: int | None, lost_h: float) -> None:
    """Corrupt at 6.5 h, noticed at 8.5 h, saves each hour: back to 6 h, or to the start if only two are kept."""
    plan = replace(simple(24 * 3600, 1, 0, 0, 60), checkpoints=Checkpoints.blocking(3600, 0, keep=keep), gpus=16,
                   detection=Detection(silent=7200.0), recovery=Recovery(restart=60.0, spares=1, spare_kind="hot", swap=0.0),
                   faults=Faults(mix="llama3_interruptions"))
    result = hit(plan, Fault(int(6.5 * HOUR), 0, "Silent data corruption"))
    assert result.lost["replay"] == lost_h * HOUR
    assert theory.checkpoints_to_keep(2.0, 1.0) == 3


def test_an_elastic_job_loses_a_replica_and_not_the_work() -> None:
    """T25: the loss is about (T_repair / M) / D; one repair of 2 h in a day is 2/24/16 of the throughput.

    The 3 s of the step under way take 3.2 s again at 15/16 of the speed, and count as replay, not as slow.
    """
    plan = Plan(gpus=16 * 8, wall_days=1, checkpoints=Checkpoints(None, Tier(0.0)), detection=Detection(delay_s=0.0),
                diagnosis=NO_DIAGNOSIS, recovery=Recovery(
                    repair=7200.0, swap=0.0, elastic=Elastic(16, step_s=10.0, shrink_s=5.0, grow_s=5.0)))
    result = hit(plan, Fault(6 * HOUR + 3_000, 3, "Faulty GPU"))
    assert result.lost == {"slow": -(-(7_200_000 - 5_000 - 3_200) // 16), "shrink": 5_000, "grow": 5_000, "replay": 3_200}
    assert 1 - result.goodput == pytest.approx(counting.elastic_loss(2, 24, 16), abs=2e-4)


def test_an_elastic_job_stands_still_when_every_replica_is_hit() -> None:
    plan = Plan(gpus=32, wall_days=1, checkpoints=Checkpoints.blocking(3600, 0), detection=Detection(delay_s=0.0),
                diagnosis=NO_DIAGNOSIS, recovery=Recovery(restart=60.0, repair=7200.0, swap=0.0, elastic=Elastic(2)))
    result = hit(plan, Fault(6 * HOUR + 600_000, 0, "Faulty GPU"), Fault(7 * HOUR + 600_000, 2, "Faulty GPU"))
    assert result.lost["queue"] == 2 * HOUR and result.lost["restart"] == 60_000


def test_recovery_from_peers_loses_a_step_and_fails_over_when_all_replicas_are_hit() -> None:
    plan = Plan(gpus=4 * 8, wall_days=1, checkpoints=Checkpoints.blocking(3600, 0), detection=Detection(delay_s=0.0),
                diagnosis=NO_DIAGNOSIS, recovery=Recovery(restart=900.0, spares=4, swap=0.0, peers=Peers(30.0, 2, step_s=10.0)))
    one = hit(plan, Fault(6 * HOUR + 1_804_000, 1, "Faulty GPU"))
    assert one.lost == {"restart": 30_000, "replay": 4_000}
    both = hit(plan, Fault(6 * HOUR + 1_804_000, 0, "rack", width=4))
    assert both.lost == {"restart": 900_000, "replay": 1_804_000}


@pytest.mark.parametrize("length_s, lost", [(20.0, {"stall": 20_000}), (40.0, {"detect": 30_065, "restart": 60_000})])
def test_a_link_flap_is_survived_while_nccl_retries(length_s: float, lost: dict[str, int]) -> None:
    plan = replace(simple(7200, 600, 0, 0, 60), detection=Detection())
    assert hit(plan, Fault(1_200_000, 0, "link flap", seconds=length_s)).lost == lost


def test_a_slow_node_slows_the_whole_job_until_it_passes_or_is_evicted() -> None:
    base = replace(simple(6 * 3600, 600, 0, 0, 60), gpus=16, recovery=Recovery(restart=60.0, spares=1, swap=0.0))
    fault = Fault(HOUR, 1, "straggler", seconds=3600.0, factor=1.25)
    assert hit(base, fault).lost == {"slow": HOUR // 5}
    evicting = replace(base, detection=Detection(slow=600.0), faults=Faults(slow=Slow(0.0, evict=True)))
    result = hit(evicting, fault)
    assert result.lost == {"slow": 120_000, "restart": 60_000} and result.by_cause["straggler"] == 60_000
    assert result.goodput < result.ettr


def test_a_planned_stop_saves_first() -> None:
    plan = replace(simple(7200, 3600, 30, 0, 60), planned=600.0)
    assert hit(plan, Fault(1_800_000, 0, "planned")).lost == {"checkpoint": 60_000, "planned": 600_000}
    broken = hit(plan, Fault(1_800_000, 0, "planned"), Fault(2_600_000, 0, "any"))
    assert broken.lost["replay"] == 2_600_000 - 1_800_000 - 630_000, "only the work since the planned save"


def test_a_job_without_a_spare_waits_for_the_repair_or_for_the_scheduler() -> None:
    base = replace(simple(24 * 3600, 600, 0, 60, 60), gpus=16, recovery=Recovery(restart=60.0, repair=7200.0, swap=30.0))
    fault = Fault(HOUR, 1, "Faulty GPU")
    assert hit(base, fault).lost["queue"] == 7_200_000
    assert hit(replace(base, recovery=replace(base.recovery, queue_s=900.0)), fault).lost["queue"] == 900_000
    assert "queue" not in hit(replace(base, recovery=replace(base.recovery, spares=1)), fault).lost


def test_a_switch_takes_all_its_nodes_at_once_and_needs_as_many_spares() -> None:
    base = replace(simple(24 * 3600, 600, 0, 60, 60), gpus=64, recovery=Recovery(restart=60.0, repair=7200.0, spares=3))
    fault = Fault(HOUR, 4, "switch", width=4, repair_s=3600.0)
    assert hit(base, fault).lost["queue"] == 3_600_000
    assert "queue" not in hit(replace(base, recovery=replace(base.recovery, spares=4)), fault).lost


def test_a_fault_of_a_node_outside_the_job_does_not_reach_it() -> None:
    plan = replace(simple(7200, 600, 0, 0, 60), recovery=Recovery(restart=60.0, spares=2))
    result = hit(plan, Fault(HOUR, 2, "any"))
    assert result.lost == {} and result.faults == 0


def test_lemon_hunting_removes_their_faults() -> None:
    base = Plan(gpus=1024, wall_days=60, checkpoints=Checkpoints.blocking(1800, 10), detection=Detection(delay_s=10.0),
                faults=Faults(per_1000_node_days=10, mix="infinitehbd_fault_trace", lemon_fraction=0.05, lemon_multiplier=50),
                recovery=Recovery(restart=300.0, spares=16, repair=7200.0))
    hunting = replace(base, recovery=replace(base.recovery, lemon_after=2))
    kept, hunted = ([report(simulate(plan, seed)).faults for seed in range(5)] for plan in (base, hunting))
    assert statistics.fmean(hunted) < 0.6 * statistics.fmean(kept)


def test_the_public_trace_runs_as_the_faults_of_a_job() -> None:
    faults = fieldtrace.replay(400, seed=1)
    plan = Plan(gpus=3200, wall_days=348, checkpoints=Checkpoints.blocking(3600, 60), faults=Faults(recorded=faults),
                recovery=Recovery(spares=40))
    result = report(simulate(plan, 1).validate())
    assert 0.5 < result.goodput < 0.99 and 300 < result.faults <= 584
    fewer = report(simulate(replace(plan, recovery=Recovery(spares=1)), 1))
    assert fewer.goodput < result.goodput


def test_a_renewal_process_with_an_exponential_law_is_the_poisson_process() -> None:
    poisson = Plan(gpus=512, wall_days=60, checkpoints=Checkpoints.blocking(1800, 30), faults=Faults(per_1000_node_days=20))
    renewal = replace(poisson, faults=Faults(law=Exponential(50.0)))
    means = [statistics.fmean(report(simulate(plan, s)).goodput for s in range(20)) for plan in (poisson, renewal)]
    assert means[0] == pytest.approx(means[1], abs=0.01)


def test_money_is_gpu_hours_times_a_dated_price_and_counts_the_spares() -> None:
    plan = replace(simple(86_400, 3600, 0, 0, 60), gpus=64, recovery=Recovery(restart=60.0, spares=2))
    result = hit(plan)
    assert result.gpu_hours == pytest.approx((64 + 16) * 24)
    assert result.cost_usd(2.0) == pytest.approx(2 * result.gpu_hours)
    assert result.cost_usd() > 0 and result.lost_gpu_hours == 0


def test_the_story_of_a_run_names_who_noticed_what_was_lost_and_the_attempts() -> None:
    plan = replace(simple(7200, 600, 0, 0, 60), gpus=16, detection=Detection(), recovery=Recovery(restart=60.0, spares=1))
    simulation = Simulation(plan, 0, Recorded([Fault(1_500_000, 1, "Faulty GPU")]))
    trace = simulation.run()
    assert trace.story("training").splitlines() == [
        "00:00  training is submitted: 16 GPUs, time limit UNLIMITED.",
        "00:00  training starts at once.",
        "00:25  node-1 fails under training: Faulty GPU.",
        "00:25  training ends, FAILED.",
        "00:25:10  inspection notices (Faulty GPU); 5 min of the work of training are lost.",
        "00:27:10  training runs again, attempt 2."]


def test_plans_refuse_what_cannot_be() -> None:
    for make in (lambda: Plan(gpus=12, wall_days=1), lambda: Plan(gpus=16), lambda: Plan(gpus=16, wall_days=0),
                 lambda: Checkpoints.blocking(0, 1), lambda: Tier(-1), lambda: Recovery(spare_kind="lukewarm"),
                 lambda: Recovery(spares=-1), lambda: Elastic(1), lambda: Faults(per_1000_node_days=-1),
                 lambda: Faults(lemon_fraction=1.0), lambda: Plan(gpus=24, wall_days=1, recovery=Recovery(peers=Peers(1.0, 2))),
                 lambda: Checkpoints(60, Tier(1), slow_every=2)):
        with pytest.raises(InputError):
            make()
    with pytest.raises(InputError, match="training run with its spans"):
        from clustersim.trace import Trace
        report(Trace("fcfs", 4, ()))


def test_an_elastic_job_looks_once_for_each_node_that_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nodes under way are asked for again at each fault; each instant of arrival is still looked at once."""
    looks: list[int] = []
    plain = Simulation._grow

    def counted(self: Simulation, now: int) -> None:
        looks.append(now)
        plain(self, now)

    monkeypatch.setattr(Simulation, "_grow", counted)
    plan = Plan(gpus=2048, wall_days=10, faults=Faults(per_1000_node_days=30, mix="infinitehbd_fault_trace"),
                recovery=Recovery(spares=4, elastic=Elastic(32)))
    result = report(simulate(plan, 1).validate())
    assert result.faults > 50 and result.lost["grow"] > 0
    assert len(looks) == len(set(looks)) <= 4 * result.faults
