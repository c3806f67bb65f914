"""Three ways back after a node has died: from a checkpoint, from the peers' memory, or on without it.

No benefit is typed in: a recovery takes what state size, bandwidths, replicas, process start and rendezvous make of it
(``clustersim.training.state``). The three meet the same faults in ``clustersim.training``.
"""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clustersim.experiments import losses
from clustersim.experiments.base import Choice, Experiment, Figure, Outcome, Preset, Slider, Table, Value
from clustersim.experiments.checkpoint_tiers import short
from clustersim.facts import fact
from clustersim.figures_queue import parts_spec
from clustersim.messages import N_, _
from clustersim.reliability.detection import NO_DIAGNOSIS, Detection
from clustersim.reliability.theory import best_interval, cluster_mttf_h
from clustersim.training import Checkpoints, Elastic, Peers, Plan, Recovery, Report, report, simulate
from clustersim.training.plan import RATE
from clustersim.training.state import State, rendezvous_s, saved_share
from clustersim.units import HOUR, MINUTE

GPUS = ("512", "2048", "8192", "16384")
WAYS = ("restart", "peers", "elastic")
NAMES = {"restart": N_("from a checkpoint"), "peers": N_("from the peers"), "elastic": N_("on without the node")}
FAULTS, LONGEST = 100, 60.0
STEP_S, LOWEST_S = 10.0, 1.0  # a step is lost whichever way; a save in the background still takes a moment
GPU_GB = 80.0  # H100, A100


def state(settings: Mapping[str, Value]) -> State:
    """The training state, held ``replicas`` times."""
    return State(float(settings["billions"]) * 1e9, int(settings["gpus"]), float(settings["storage"]),
                 int(settings["replicas"]))


def meeting(settings: Mapping[str, Value]) -> float:
    """Seconds until all processes have met again."""
    return rendezvous_s(int(settings["gpus"]), settings["rendezvous"] == "fast")


def back_s(settings: Mapping[str, Value]) -> dict[str, float]:
    """Seconds from a known fault to training again; the replacement is not in it, as all wait for it alike (not elastic)."""
    size, meet, start = state(settings), meeting(settings), float(settings["start"]) * MINUTE
    ready = 0.0 if settings["spare"] == "hot" else start
    return {"restart": size.restart_s(meet, start), "peers": size.peer_restore_s(meet, ready),
            "elastic": meet}


def interval_s(settings: Mapping[str, Value]) -> float:
    """The best interval for saves in the background, but not shorter than their upload."""
    size = state(settings)
    mtbf = cluster_mttf_h(size.gpus, float(settings["rate"])) * HOUR
    return max(best_interval(max(LOWEST_S, size.snapshot_s()), mtbf), size.write_s())


def simulated(settings: Mapping[str, Value], way: str) -> Report:
    """A run that goes this way after each fault."""
    size, back, swap = state(settings), back_s(settings), float(settings["swap"]) * MINUTE
    rate, replicas = float(settings["rate"]), int(settings["replicas"])
    # A new node that nobody waits for starts its processes before it joins.
    join = swap + (0.0 if settings["spare"] == "hot" else float(settings["start"]) * MINUTE)
    other: dict[str, Any] = {}
    if way == "peers":
        other = {"peers": Peers(back["peers"], replicas, STEP_S)}
    elif way == "elastic":
        other = {"elastic": Elastic(replicas, STEP_S, back["elastic"], meeting(settings) + size.peer_copy_s())}
    recovery = Recovery(restart=back["restart"] - size.load_s(), spares=8, queue_s=0.0, repair=0.0,
                        swap=join if way == "elastic" else swap, **other)
    saves = Checkpoints.asynchronous(interval_s(settings), max(LOWEST_S, size.snapshot_s()), size.write_s(), size.load_s())
    days = min(LONGEST, FAULTS * cluster_mttf_h(size.gpus, rate) / 24)
    plan = Plan(size.gpus, wall_days=days, checkpoints=saves,
                detection=Detection(delay_s=float(settings["find"]) * MINUTE), diagnosis=NO_DIAGNOSIS, recovery=recovery)
    seed = int(settings["seed"])
    return report(simulate(plan, seed, losses.dying_nodes(plan.nodes + plan.recovery.spares, rate, seed)))


def run(settings: Mapping[str, Value]) -> Outcome:
    size, back = state(settings), back_s(settings)
    reports = {way: simulated(settings, way) for way in WAYS}
    before = (float(settings["find"]) + float(settings["swap"])) * MINUTE
    outage = {"restart": before + back["restart"], "peers": before + back["peers"],
              "elastic": float(settings["find"]) * MINUTE + back["elastic"]}
    per_gpu = size.node_bytes / size.gpus_per_node / 1e9
    values: dict[str, Any] = {
              "back_s": back, "saved": saved_share(back["restart"], back["peers"]), "interval_s": interval_s(settings),
              "outage_s": outage, "saved_outage": saved_share(outage["restart"], outage["peers"]),
              "goodput": {way: one.goodput for way, one in reports.items()}, "gb_per_gpu": per_gpu,
              "lost": {way: losses.of_report(one) for way, one in reports.items()}}
    text = _("From a fault to training again it takes {restart} with a checkpoint and {peers} with the peers, {saved:.0%} "
             "less. Goodput: {a:.1%}, {b:.1%}, and {c:.1%} for going on without the node.")
    summary = text.format(restart=short(outage["restart"]), peers=short(outage["peers"]), saved=values["saved_outage"],
                          a=values["goodput"]["restart"], b=values["goodput"]["peers"], c=values["goodput"]["elastic"])
    if per_gpu > GPU_GB:
        summary += " " + _("But so many replicas do not fit: they would need {gb:.0f} GB on each GPU.").format(gb=per_gpu)
    return Outcome(summary, (_bars(reports),), _table(values, reports), values)


def _bars(reports: Mapping[str, Report]) -> Figure:
    shares = {_(NAMES[way]): losses.of_report(one) for way, one in reports.items()}
    goodput = {_(NAMES[way]): one.goodput for way, one in reports.items()}
    alt = "; ".join(_("{name}: {lost:.1%} lost").format(name=name, lost=1 - good) for name, good in goodput.items()) + "."
    return Figure("losses", _("Where the time goes with each way back"), alt,
                  parts_spec(losses.labels(), _("lost (% of the wall time)"), len(shares)),
                  losses.rows(shares, lambda name: _("goodput {good:.1%}").format(good=goodput[name])))


def _table(values: Mapping[str, Any], reports: Mapping[str, Report]) -> Table:
    lines = [(_(NAMES[way]), short(values["outage_s"][way]), short(values["back_s"][way]), f"{one.goodput:.1%}",
              *losses.cells(values["lost"][way])) for way, one in reports.items()]
    caption = _("Three ways back under the same faults. From the peers is {saved:.0%} shorter here than from a checkpoint; AWS "
                "claims {low} to {high} for its product ({year}).")
    low, high = fact("aws.checkpointless_low"), fact("aws.checkpointless_high")
    return Table(caption.format(saved=values["saved_outage"], low=low.text(), high=high.text(), year=_("December 2025")),
                 (_("way"), _("fault to training"), _("of which to get back"), _("goodput"), *losses.heads()), tuple(lines))


EXPERIMENT = Experiment(
    id="elastic_or_peers",
    title=N_("Three ways back"),
    caption=N_("The same faults met by a restart from storage, by recovery from replicas, and by going on with fewer."),
    controls=(
        Slider("billions", N_("Parameters"), 1, 1000, 1, 405, N_("billion")),
        Choice("gpus", N_("GPUs"), tuple((n, f"{int(n):,}") for n in GPUS), "16384"),
        Choice("replicas", N_("Full copies of the state"), tuple((n, n) for n in ("2", "4", "8", "16", "32")), "16"),
        Slider("storage", N_("Storage gives"), 5, 1000, 5, 50, N_("GB/s for the whole job")),
        Slider("start", N_("Starting processes and data loaders"), 0, 20, 0.5, 5, N_("min")),
        Choice("rendezvous", N_("Setting up communication"),
               (("fast", N_("as MegaScale after its change")), ("naive", N_("as before"))), "fast"),
        Choice("spare", N_("A spare has its processes"), (("hot", N_("started")), ("warm", N_("not started"))), "hot"),
        Slider("swap", N_("A spare is in place after"), 0, 60, 0.5, 1, N_("min")),
        Slider("find", N_("Noticing and finding"), 0, 60, 0.5, 2, N_("min")),
        Slider("rate", N_("Failures per 1,000 node-days"), 0.5, 16, 0.1, round(RATE, 1)),
        Slider("seed", N_("Seed"), 1, 20, 1, 1),
    ),
    run=run,
    presets=(Preset(N_("A spare only after an hour"), {"swap": 60}),
             Preset(N_("Ten minutes to notice and find"), {"find": 10})),
)
