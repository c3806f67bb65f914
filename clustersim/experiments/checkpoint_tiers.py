"""What to write where: saves that block, saves in the background, and copies in the memory of other nodes.

All times follow from the size of the state and the bandwidths (``clustersim.training.state``). Three plans meet the same
faults in ``clustersim.training``; a fault takes one node, or a switch with eight of them, and a copy in memory survives only
the first.
"""
from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import Any

from clustersim.experiments import losses
from clustersim.experiments.base import Choice, Experiment, Figure, Outcome, Preset, Slider, Table, Value
from clustersim.figures_curves import curve_spec
from clustersim.figures_queue import parts_spec
from clustersim.messages import N_, _
from clustersim.reliability.detection import NO_DIAGNOSIS, Detection
from clustersim.reliability.faults import Groups, Merged
from clustersim.reliability.laws import Fixed
from clustersim.reliability.theory import cluster_mttf_h
from clustersim.training import Checkpoints, Plan, Recovery, Report, report, simulate
from clustersim.training.plan import RATE
from clustersim.training.running import make_cycle, ms
from clustersim.training.state import State
from clustersim.units import MINUTE, human_duration

GPUS = ("1024", "4096", "16384", "32768")
SCHEMES = ("blocking", "background", "memory")
NAMES = {"blocking": N_("blocking"), "background": N_("in the background"), "memory": N_("peers' memory and storage")}
SWITCH_NODES = 8
FAULTS, LONGEST = 100, 60.0  # a run is as long as it takes to meet about so many faults, but at most so many days
FIND, START = 60.0, 300.0  # s: to notice and find, to start again without the load; RSC has 5 to 20 min for both and the load
POINTS = 240


def state(settings: Mapping[str, Value]) -> State:
    """The training state of the model on this cluster."""
    return State(float(settings["billions"]) * 1e9, int(settings["gpus"]), float(settings["storage"]))


def checkpoints(settings: Mapping[str, Value], scheme: str) -> Checkpoints:
    """The plan of saves; all three write to storage every ``interval`` minutes."""
    size, interval = state(settings), float(settings["interval"]) * MINUTE
    if scheme == "blocking":
        return Checkpoints.blocking(interval, size.write_s(), size.load_s())
    if scheme == "background":
        return Checkpoints.asynchronous(interval, size.snapshot_s(), size.write_s(), size.load_s())
    fast = min(float(settings["fast"]), interval)
    every = max(1, round(max(interval, size.write_s()) / fast))
    return Checkpoints.tiered(fast, size.snapshot_s() + size.peer_copy_s(), every, 0.0, size.write_s(),
                              fast_load_s=size.peer_copy_s(), load_s=size.load_s())


def at_risk(saves: Checkpoints, until_s: float) -> list[tuple[float, float]]:
    """(time, seconds of work that the death of one node would cost then), without a fault before."""
    cycle = make_cycle(Plan(8, wall_days=1.0, checkpoints=saves))
    upload, found = ms(saves.tier.upload_s), []
    for i in range(POINTS + 1):
        now = ms(until_s * i / POINTS)
        kept = max(0, now - upload) // cycle.length * cycle.n * cycle.train
        if saves.fast is not None:
            kept = max(kept, cycle.saves(now)[0] * cycle.train)
        found.append((now / 1000, max(0, cycle.trained(now) - kept) / 1000))
    return found


def simulated(settings: Mapping[str, Value], scheme: str) -> Report:
    """A run under node faults and switch faults; a seed gives the same faults to all schemes."""
    gpus, rate, share = int(settings["gpus"]), float(settings["rate"]), float(settings["together"]) / 100
    days = min(LONGEST, FAULTS * cluster_mttf_h(gpus, rate) / 24)
    seed = int(settings["seed"])
    plan = Plan(gpus, wall_days=days, checkpoints=checkpoints(settings, scheme),
                detection=Detection(delay_s=FIND), diagnosis=NO_DIAGNOSIS,
                recovery=Recovery(restart=START, spares=SWITCH_NODES, swap=0.0, queue_s=0.0, repair=0.0))
    nodes = plan.nodes + SWITCH_NODES
    switches = Groups(nodes, SWITCH_NODES, rate * share * SWITCH_NODES / 1000, Random(f"{seed}/switches"), "switch", Fixed(0.0))
    alone = losses.dying_nodes(nodes, rate * (1 - share), seed)
    return report(simulate(plan, seed, Merged([alone, switches])))


def run(settings: Mapping[str, Value]) -> Outcome:
    size = state(settings)
    plans = {scheme: checkpoints(settings, scheme) for scheme in SCHEMES}
    reports = {scheme: simulated(settings, scheme) for scheme in SCHEMES}
    values: dict[str, Any] = {
        "bytes": size.bytes, "write_s": size.write_s(), "snapshot_s": size.snapshot_s(), "peer_copy_s": size.peer_copy_s(),
        "goodput": {scheme: one.goodput for scheme, one in reports.items()},
        "lost": {scheme: losses.of_report(one) for scheme, one in reports.items()},
        "faults": {scheme: one.faults for scheme, one in reports.items()},
    }
    text = _("The state is {size:.2f} TB and takes {write} to storage. Goodput with saves that block: {a:.1%}; in the "
             "background: {b:.1%}; in the memory of other nodes as well: {c:.1%}.")
    goodput = values["goodput"]
    summary = text.format(size=size.bytes / 1e12, write=short(size.write_s()), a=goodput["blocking"],
                          b=goodput["background"], c=goodput["memory"])
    return Outcome(summary, (_exposure(settings, plans), _bars(reports)), _table(plans, reports), values)


def short(seconds: float) -> str:
    """A time that may be far below a second."""
    return human_duration(seconds) if seconds >= 10 else f"{seconds:.2g} s"


def _exposure(settings: Mapping[str, Value], plans: Mapping[str, Checkpoints]) -> Figure:
    until = 3 * float(settings["interval"]) * MINUTE
    points, worst = [], {}
    for scheme, saves in plans.items():
        curve = at_risk(saves, until)
        worst[scheme] = max(risk for _time, risk in curve)
        points += [{"x": round(x / MINUTE, 3), "value": round(risk / MINUTE, 3), "name": _(NAMES[scheme])}
                   for x, risk in curve]
    alt = _("Saw teeth: the work at risk grows until a save is safe. It reaches {a} with saves that block, {b} with saves in "
            "the background, {c} with copies in memory.")
    return Figure(
        "exposure", _("What the death of a node would cost at each moment"),
        alt.format(a=human_duration(worst["blocking"]), b=human_duration(worst["background"]),
                   c=human_duration(worst["memory"])),
        curve_spec([_(name) for name in NAMES.values()], _("time (min)"), _("work at risk (min)"), height=180),
        {"points": points, "marks": [], "dots": []})


def _bars(reports: Mapping[str, Report]) -> Figure:
    shares = {_(NAMES[scheme]): losses.of_report(one) for scheme, one in reports.items()}
    goodput = {_(NAMES[scheme]): one.goodput for scheme, one in reports.items()}
    alt = "; ".join(_("{name}: {lost:.1%} lost").format(name=name, lost=1 - good) for name, good in goodput.items()) + "."
    return Figure("losses", _("Where the time goes under the same faults"), alt,
                  parts_spec(losses.labels(), _("lost (% of the wall time)"), len(shares)),
                  losses.rows(shares, lambda name: _("goodput {good:.1%}").format(good=goodput[name])))


def _table(plans: Mapping[str, Checkpoints], reports: Mapping[str, Report]) -> Table:
    lines = []
    for scheme, saves in plans.items():
        block = (saves.fast.block_s if saves.fast else 0.0) or saves.tier.block_s
        lines.append((_(NAMES[scheme]), short(saves.interval_s or 0.0), short(block), short(saves.tier.upload_s),
                      f"{reports[scheme].goodput:.1%}", *losses.cells(losses.of_report(reports[scheme]))))
    return Table(_("Three plans of saving"),
                 (_("plan"), _("saves every"), _("blocks for"), _("safe on storage after"), _("goodput"), *losses.heads()),
                 tuple(lines))


EXPERIMENT = Experiment(
    id="checkpoint_tiers",
    title=N_("What to write where"),
    caption=N_("The same model and the same faults under three plans of saving; every time follows from size and bandwidth."),
    controls=(
        Slider("interval", N_("To storage every"), 2, 120, 1, 30, N_("min")),
        Slider("fast", N_("To the peers' memory every"), 5, 300, 5, 60, N_("s")),
        Slider("billions", N_("Parameters"), 1, 1000, 1, 405, N_("billion"), help=N_("14 bytes of state for each")),
        Choice("gpus", N_("GPUs"), tuple((n, f"{int(n):,}") for n in GPUS), "16384"),
        Slider("storage", N_("Storage takes"), 5, 1000, 5, 50, N_("GB/s for the whole job")),
        Slider("rate", N_("Failures per 1,000 node-days"), 0.5, 16, 0.1, round(RATE, 1)),
        Slider("together", N_("Failures that take eight nodes at once"), 0, 50, 1, 5, N_("%")),
        Slider("seed", N_("Seed"), 1, 20, 1, 1),
    ),
    run=run,
    presets=(Preset(N_("Half of the failures take eight nodes"), {"together": 50}),
             Preset(N_("Storage that takes 1,000 GB/s"), {"storage": 1000})),
)
