"""How often a job of a given size breaks if its nodes fail at a published rate: the mean, a month of it, all fleets.

Rates: table ``node_failure_rates``. The mean is the closed form 24000 / (nodes * rate); the month is drawn by the fault
process of the simulator (a Poisson process for each node).
"""
from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from random import Random

from clustersim.experiments.base import Choice, Experiment, Figure, Outcome, Preset, Slider, Table, Value
from clustersim.figures_failures import calendar, calendar_spec, ranked_spec
from clustersim.messages import N_, _
from clustersim.reliability.faults import DAY_MS, Poisson, until
from clustersim.reliability.theory import cluster_mttf_h, exponential_survival
from clustersim.tables import Row, slug, table
from clustersim.units import HOUR, human_duration

DAYS, DAY_H = 30, 24
GPUS = (8, 128, 1_024, 4_096, 16_384, 32_768, 100_000)
OTHER_MACHINES = ("Google TPU v4 machines",)  # four chips a machine: not on the scale of 8-GPU nodes


@cache
def fleets() -> dict[str, Row]:
    """The fleets of 8-GPU nodes by a short key, in the order of the table."""
    return {slug(row["fleet"]): row for row in table("node_failure_rates") if row["fleet"] not in OTHER_MACHINES}


def rate_of(key: str) -> float:
    """Failures per 1000 node-days."""
    return float(fleets()[key]["failures_per_1000_node_days"] or 0)


def month(gpus: int, rate: float, seed: int) -> list[float]:
    """Hours since the start at which something breaks, in 30 days."""
    nodes = max(1, gpus // 8)
    source = Poisson(nodes, rate / 1000, Random(f"{seed}/faults"))
    return [fault.time / (HOUR * 1000) for fault in until(source, DAYS * DAY_MS)]


def longest_calm(hours: list[float]) -> float:
    """The longest time without a failure in the month, its ends included, in hours."""
    edges = [0.0, *hours, float(DAYS * DAY_H)]
    return max(b - a for a, b in zip(edges, edges[1:], strict=False))


def run(settings: Mapping[str, Value]) -> Outcome:
    gpus, key, seed = int(settings["gpus"]), str(settings["fleet"]), int(settings["seed"])
    mttf = cluster_mttf_h(gpus, rate_of(key))
    found = month(gpus, rate_of(key), seed)
    calm = exponential_survival(DAY_H, mttf)
    means = {name: cluster_mttf_h(gpus, rate_of(name)) for name in fleets()}
    summary = _("{gpus:,} GPUs at the rate of {fleet} break once in {mttf} on average. This month it happens {n} times; the "
                "longest calm lasts {calm}. The chance of a day without a failure is {chance:.2g}%.").format(
        gpus=gpus, fleet=fleets()[key]["fleet"], mttf=human_duration(mttf * HOUR), n=len(found),
        calm=human_duration(longest_calm(found) * HOUR), chance=100 * calm)
    return Outcome(summary, (_calendar(found), _scale(means, key, gpus)), _table(means, gpus), {
        "mttf_h": mttf, "failures": len(found), "longest_calm_h": longest_calm(found), "calm_day": calm, "means_h": means})


def _calendar(found: list[float]) -> Figure:
    rows = calendar(found)
    busiest = max((row["count"] for row in rows), default=0)
    days = len({row["day"] for row in rows})
    title = _("A simulated month: each cell is an hour in which something broke")
    alt = _("{n} failures on {days} of {all} days; at most {most} in one hour.").format(
        n=len(found), days=days, all=DAYS, most=busiest)
    return Figure("month", title, alt, calendar_spec(DAYS), {"hours": rows})


def _scale(means: Mapping[str, float], key: str, gpus: int) -> Figure:
    order = sorted(means, key=lambda name: means[name])
    # What a fleet counted stands in brackets after its name; the table below has it in full.
    rows = [{"name": str(fleets()[name]["fleet"]).partition(" (")[0], "rank": rank, "value": round(means[name], 4),
             "kind": "chosen" if name == key else "other", "text": human_duration(means[name] * HOUR)}
            for rank, name in enumerate(order)]
    title = _("Mean time between failures of {gpus:,} GPUs, at each published rate").format(gpus=gpus)
    alt = _("Shortest with {first}: {low}; longest with {last}: {high}.").format(
        first=rows[0]["name"], low=rows[0]["text"], last=rows[-1]["name"], high=rows[-1]["text"])
    return Figure("fleets", title, alt, ranked_spec(len(rows), _("hours between failures")), {"ranked": rows})


def _table(means: Mapping[str, float], gpus: int) -> Table:
    columns = (_("fleet"), _("failures per 1000 node-days"), _("how it is known"), _("between failures"))
    rows = tuple((str(row["fleet"]), f"{rate_of(key):g}", f"{_(str(row['kind']))}: {_(str(row['how']))}",
                  human_duration(means[key] * HOUR))
                 for key, row in fleets().items())
    return Table(_("Published rates, and what they come to on {gpus:,} GPUs").format(gpus=gpus), columns, rows)


EXPERIMENT = Experiment(
    id="gpus_and_rate",
    title=N_("How often does a job of this size break?"),
    caption=N_("Nodes of eight GPUs fail independently at a constant rate; the job needs all of them. The month is one draw "
               "of that."),
    controls=(
        Choice("gpus", N_("GPUs of the job"), tuple((str(n), f"{n:,}") for n in GPUS), "16384"),
        Choice("fleet", N_("Failure rate of"), tuple((key, str(row["fleet"])) for key, row in fleets().items()),
               "llama_3_405b"),
        Slider("seed", N_("Seed of the month"), 1, 50, 1, 1),
    ),
    run=run,
    presets=(Preset(N_("A single server"), {"gpus": "8"}),
             Preset(N_("A hundred thousand GPUs"), {"gpus": "100000"})),
)
