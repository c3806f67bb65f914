"""Made-up plans for property tests, and a count of what they held."""
from __future__ import annotations

from collections import Counter

from hypothesis import strategies as st

from clustersim.reliability.detection import NO_DIAGNOSIS, Detection, Diagnosis
from clustersim.reliability.laws import Exponential, Weibull
from clustersim.training import Checkpoints, Elastic, Faults, Peers, Plan, Recovery, Slow, Tier

seconds = st.floats(0, 900)


def checkpoints() -> st.SearchStrategy[Checkpoints]:
    interval = st.floats(120, 7200)
    return st.one_of(
        st.builds(Checkpoints.blocking, interval, seconds),
        st.builds(Checkpoints.asynchronous, interval, st.floats(0, 60), st.floats(0, 3000), st.floats(0, 60)),
        st.builds(Checkpoints.tiered, interval, st.floats(0, 10), st.integers(1, 5), seconds, st.floats(0, 3000),
                  st.sampled_from([frozenset({"job"}), frozenset({"job", "node"})]), st.floats(0, 30), st.floats(0, 300),
                  st.sampled_from([None, 1, 2, 5])),
        st.just(Checkpoints(None, Tier(0.0))),
    )


def faults() -> st.SearchStrategy[Faults]:
    rare = st.sampled_from([0.0, 0.0, 300.0])
    return st.builds(
        Faults, st.floats(0, 2000), st.sampled_from(["any", "llama3_interruptions", "infinitehbd_fault_trace"]),
        st.sampled_from([None, None, Weibull(2.0, 0.7), Exponential(1.5)]), st.sampled_from([0.0, 0.1]),
        st.just(20.0), rare, st.sampled_from([2, 5]), st.sampled_from(["switch", "rack"]), st.just((60.0, 7200.0)), rare,
        st.just((1.0, 60.0)), st.sampled_from([None, Slow(300.0), Slow(300.0, evict=True)]), st.sampled_from([0.0, 2.0]))


def recoveries() -> st.SearchStrategy[Recovery]:
    other = st.sampled_from([{}, {"elastic": Elastic(2)}, {"elastic": Elastic(2, 5.0)},
                             {"elastic": Elastic(4, 7.0, (5.0, 50.0), 20.0)},
                             {"peers": Peers(30.0)}, {"peers": Peers((10.0, 90.0), 4)}])
    return st.builds(
        lambda spares, kind, queue, extra, repair, lemon, more: Recovery(
            restart=(20.0, 300.0), spares=spares, spare_kind=kind, queue_s=queue, extra_s=extra, repair=repair,
            lemon_after=lemon, **more),
        st.integers(0, 4), st.sampled_from(["hot", "warm", "cold"]), st.sampled_from([None, 0.0, (30.0, 4000.0)]),
        st.sampled_from([0.0, 45.5]), st.sampled_from([0.0, 3600.0, (600.0, 90_000.0)]), st.sampled_from([None, 1, 2]), other)


def detections() -> st.SearchStrategy[Detection]:
    return st.one_of(st.builds(Detection, inspection=st.booleans(), poll_s=st.sampled_from([None, 300.0])),
                     st.builds(Detection, delay_s=st.floats(0, 900)))


def plans() -> st.SearchStrategy[Plan]:
    return st.builds(
        lambda nodes, wall, work, *rest: Plan(8 * nodes, wall, work if wall is None or work < 0.4 else None, *rest),
        st.sampled_from([4, 8, 16]), st.sampled_from([None, 0.3, 1.0, 2.0]), st.floats(0.05, 1.0), checkpoints(),
        faults().filter(lambda f: f.per_1000_node_days < 1500 or f.law is not None), detections(),
        st.sampled_from([NO_DIAGNOSIS, Diagnosis((10.0, 300.0), 600.0, 900.0)]), recoveries(),
    ).map(bounded)


# Shrinks for want of a spare and grows when the node is repaired: random plans come to it in some runs and not in others.
SHRINKING = Plan(64, 2.0, None, Checkpoints.blocking(1800.0, 60.0), Faults(1000.0), Detection(delay_s=60.0), NO_DIAGNOSIS,
                 Recovery(restart=(20.0, 300.0), spares=0, repair=3600.0, elastic=Elastic(2)))


def bounded(plan: Plan) -> Plan:
    """A job that may never end (no checkpoints, many faults) gets an end on the wall."""
    from dataclasses import replace

    return plan if plan.wall_days is not None else replace(plan, wall_days=3.0)


def kinds_of(plan: Plan) -> Counter[str]:
    """What a plan has in it, for the count of what was covered."""
    saves, faults_, recovery = plan.checkpoints, plan.faults, plan.recovery
    found = {
        "no checkpoints": saves.interval_s is None, "blocking": saves.fast is None and not saves.tier.upload_s,
        "upload": saves.tier.upload_s > 0, "two tiers": saves.fast is not None, "slow_every > 1": saves.slow_every > 1,
        "mix": faults_.mix != "any", "renewal": faults_.law is not None, "lemons": faults_.lemon_fraction > 0,
        "switches": faults_.switch_per_1000_days > 0, "flaps": faults_.flaps_per_1000_node_days > 0,
        "slow": faults_.slow is not None, "evict": faults_.slow is not None and faults_.slow.evict,
        "planned": faults_.planned_per_day > 0, "elastic": recovery.elastic is not None, "peers": recovery.peers is not None,
        "spares": recovery.spares > 0, "no spares": not recovery.spares, "queue": recovery.queue_s is not None,
        "lemon hunt": recovery.lemon_after is not None, "fixed detection": plan.detection.delay_s is not None,
        "work to do": plan.work_days is not None, "wall only": plan.work_days is None,
    }
    return Counter(name for name, there in found.items() if there)
