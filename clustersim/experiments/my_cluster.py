"""My cluster: one page of sliders, the budget of a training run, and what would help most. All in closed form.

Where the budget comes from stands in ``losses.budget`` (Daly's exact form taken apart); times to save and load follow
from ``clustersim.training.state``. The setting is in the address of the page, so a result is shared as a link.
"""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from clustersim.experiments import losses
from clustersim.experiments.base import Choice, Experiment, Figure, Outcome, Preset, Slider, Table, Value
from clustersim.figures_queue import parts_spec
from clustersim.messages import N_, _
from clustersim.reliability.counting import spares_for
from clustersim.reliability.theory import best_interval, cluster_mttf_h
from clustersim.training.plan import RATE
from clustersim.training.report import gpu_hour_usd
from clustersim.training.state import State
from clustersim.units import HOUR, MINUTE, MONTH_H, human_duration, three_digits

SHORTEST_S = 10.0  # no interval below a step or two
REPAIR_DAYS = 2.0  # as in the example of the spares; the calculator asks for nothing that it can leave out
FAST_FIND_S = 10.0


@dataclass(frozen=True)
class Cluster:
    """What the sliders say. Times in seconds; ``interval`` 0 means the best one."""

    gpus: int
    rate: float
    billions: float
    storage: float
    saves: str
    interval: float
    find: float
    wait: float
    start: float
    peers: bool

    @property
    def mtbf(self) -> float:
        return cluster_mttf_h(self.gpus, self.rate) * HOUR

    @property
    def state(self) -> State:
        return State(self.billions * 1e9, self.gpus, self.storage, replicas=2 if self.peers else 1)

    @property
    def block(self) -> float:
        """How long a save stops the job."""
        size = self.state
        by_kind = {"blocking": size.write_s(), "background": size.snapshot_s(),
                   "memory": size.snapshot_s() + size.peer_copy_s()}
        return max(0.001, by_kind[self.saves])

    @property
    def lag(self) -> float:
        """How long after it a save is safe."""
        return self.state.write_s() if self.saves == "background" else 0.0

    @property
    def best(self) -> float:
        return max(SHORTEST_S, self.lag, best_interval(self.block, self.mtbf))

    @property
    def every(self) -> float:
        return max(self.interval, self.lag) if self.interval else self.best

    def budget(self) -> tuple[float, losses.Shares]:
        """Goodput and losses."""
        size = self.state
        from_memory = self.peers or self.saves == "memory"
        load = size.peer_copy_s() if from_memory else size.load_s()
        return losses.budget(self.mtbf, self.every, self.block, self.find, self.wait, self.start + load, self.lag,
                             checkpoints=not self.peers)


def cluster(settings: Mapping[str, Value]) -> Cluster:
    """The sliders as numbers in seconds."""
    return Cluster(int(settings["gpus"]), float(settings["rate"]), float(settings["billions"]), float(settings["storage"]),
                   str(settings["saves"]), float(settings["interval"]) * MINUTE, float(settings["find"]),
                   float(settings["wait"]) * MINUTE, float(settings["start"]) * MINUTE, settings["back"] == "peers")


def changes(mine: Cluster) -> dict[str, Cluster]:
    """The cluster as set, and with one thing changed at a time, by name (not yet translated)."""
    return {
        N_("as set"): mine,
        N_("best interval"): replace(mine, interval=0.0),
        N_("saves in the background") if mine.saves == "blocking" else N_("saves to a peer's memory"):
            replace(mine, saves="background" if mine.saves == "blocking" else "memory"),
        N_("fault known after 10 s"): replace(mine, find=min(mine.find, FAST_FIND_S)),
        N_("a spare at once"): replace(mine, wait=0.0),
        N_("restart in half the time"): replace(mine, start=mine.start / 2),
        N_("half as many failures"): replace(mine, rate=mine.rate / 2),
    }


def run(settings: Mapping[str, Value]) -> Outcome:
    mine, price = cluster(settings), float(settings["price"])
    found = {name: other.budget() for name, other in changes(mine).items()}
    goodput, shares = found["as set"]
    month = mine.gpus * MONTH_H * price
    nodes = max(1, mine.gpus // 8)
    gains = {name: good - goodput for name, (good, _shares) in found.items() if name != "as set"}
    most = max((name for name in gains if name != "half as many failures"), key=lambda name: gains[name])
    values = {"mtbf_s": mine.mtbf, "best_s": mine.best, "every_s": mine.every, "block_s": mine.block, "goodput": goodput,
              "lost_usd_month": month * (1 - goodput), "gains": gains, "failures_month": MONTH_H * HOUR / mine.mtbf,
              "spares": spares_for(nodes, mine.rate / 1000, REPAIR_DAYS, 0.99), "shares": shares, "most": most}
    text = _("A failure every {gap}; goodput {good:.1%}. The {lost:.1%} that are lost cost about {usd} USD a month. What would "
             "help most: {most}, {gain:+.1f} points.")
    summary = text.format(gap=human_duration(mine.mtbf), good=goodput, lost=1 - goodput,
                          usd=three_digits(month * (1 - goodput)), most=_(most), gain=100 * gains[most])
    shown = {_(name): budget for name, budget in found.items()}
    return Outcome(summary, (_figure(shown),), _table(mine, shown, values, price), values)


def _figure(found: Mapping[str, tuple[float, losses.Shares]]) -> Figure:
    alt = "; ".join(_("{name}: goodput {good:.1%}").format(name=name, good=good) for name, (good, _s) in found.items()) + "."
    return Figure("budget", _("Where the time goes, and with one thing changed"), alt,
                  parts_spec(losses.labels(), _("lost (% of the wall time)"), len(found)),
                  losses.rows({name: shares for name, (_good, shares) in found.items()},
                              lambda name: _("goodput {good:.1%}").format(good=found[name][0])))


def _table(mine: Cluster, found: Mapping[str, tuple[float, losses.Shares]], values: Mapping[str, Any], price: float) -> Table:
    month = mine.gpus * MONTH_H * price
    lines = [(name, f"{good:.1%}", three_digits(month * (1 - good)), *losses.cells(shares))
             for name, (good, shares) in found.items()]
    caption = _("The budget. Failures a month: {failures:.1f}; state {tb:.2f} TB; a save blocks {block:.2g} s; "
                "interval {every}, best {best}; spares for 99% of the time at two days of repair: {spares}.")
    return Table(caption.format(failures=values["failures_month"], tb=mine.state.bytes / 1e12, block=mine.block,
                                every=human_duration(mine.every), best=human_duration(mine.best), spares=values["spares"]),
                 (_("cluster"), _("goodput"), _("USD a month lost"), *losses.heads()), tuple(lines))


EXPERIMENT = Experiment(
    id="my_cluster",
    title=N_("My cluster"),
    caption=N_("A budget in closed form. Set your own numbers; the address of the page then holds them."),
    controls=(
        Slider("gpus", N_("GPUs"), 8, 32_768, 8, 4096),
        Slider("rate", N_("Failures per 1,000 node-days"), 0.1, 20, 0.1, round(RATE, 1)),
        Slider("billions", N_("Parameters"), 1, 2000, 1, 70, N_("billion"), help=N_("14 bytes of state for each")),
        Slider("storage", N_("Storage takes"), 1, 1000, 1, 20, N_("GB/s for the whole job")),
        Choice("saves", N_("Saves"), (("blocking", N_("block until written")), ("background", N_("go on in the background")),
                                      ("memory", N_("to the memory of another node"))), "blocking"),
        Slider("interval", N_("Training between two saves"), 0, 240, 1, 60, N_("min"), help=N_("0: the best")),
        Slider("find", N_("Noticing and finding a fault"), 0, 7200, 10, 600, N_("s")),
        Slider("wait", N_("Until another node is there"), 0, 240, 1, 5, N_("min")),
        Slider("start", N_("Restart without loading"), 0, 60, 0.5, 10, N_("min")),
        Choice("back", N_("State comes back from"),
               (("checkpoint", N_("the checkpoint")), ("peers", N_("replicas, no work is lost"))), "checkpoint"),
        Slider("price", N_("A GPU hour"), 0, 20, 0.01, gpu_hour_usd(), N_("USD")),
    ),
    run=run,
    presets=(Preset(N_("A fault is known after 10 s"), {"find": 10}),
             Preset(N_("Copies in the memory of another node"), {"saves": "memory"})),
)
