"""Where the time of a training run goes, in six groups, for the bars of several experiments; and the exact budget of one.

The budget is Daly's model (``clustersim.reliability.theory``) taken apart: failures are a Poisson process in wall time,
so the share of a phase that lies from ``a`` to ``b`` after a failure is exp(-a/M) - exp(-b/M); saves that count take the
goodput times write/interval; what is left over is work that was lost and done again.
"""
from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from random import Random
from typing import Any

from clustersim.messages import N_, _
from clustersim.reliability.faults import Poisson
from clustersim.reliability.laws import Mix
from clustersim.reliability.theory import efficiency
from clustersim.training import Report

SAVE, AGAIN, FIND, WAIT, START, SLOW = "SAFWRL"
GROUPS = {
    SAVE: N_("saving"), AGAIN: N_("work done again"), FIND: N_("noticing and finding"), WAIT: N_("waiting for a node"),
    START: N_("restart and load"), SLOW: N_("fewer or slower GPUs"),
}
_KIND = {"checkpoint": SAVE, "replay": AGAIN, "detect": FIND, "diagnose": FIND, "queue": WAIT, "swap": WAIT, "repair": WAIT,
         "restart": START, "shrink": START, "grow": START, "slow": SLOW, "stall": SLOW, "planned": SLOW}

Shares = Mapping[str, float]
DEAD = "dead node"  # no row of fault_causes.csv: a crash that costs the node


def dying_nodes(nodes: int, per_1000_node_days: float, seed: int, lemons: int = 0, times: float = 1.0) -> Poisson:
    """Faults of which each takes one node; the rate is the mean over all nodes. The numbers drawn are those of a plan."""
    base = per_1000_node_days / 1000 * nodes / (nodes + lemons * (times - 1))
    return Poisson(nodes, base, Random(f"{seed}/faults"), Mix([(DEAD, 1.0)]), lemons, times)


def of_report(report: Report) -> Shares:
    """The losses of a simulated run as shares of its wall time, by group."""
    found = dict.fromkeys(GROUPS, 0.0)
    for kind, time in report.lost.items():
        found[_KIND[kind]] += time / report.wall
    return found


def mean_of(shares: Iterable[Shares]) -> Shares:
    """The mean of several runs of one length."""
    listed = list(shares)
    return {group: math.fsum(one[group] for one in listed) / len(listed) for group in GROUPS}


def budget(mtbf: float, interval: float, write: float, find: float, wait: float, start: float, lag: float = 0.0,
           checkpoints: bool = True) -> tuple[float, Shares]:
    """Goodput and losses in closed form; all times in one unit.

    ``lag`` is how long after its save a checkpoint is durable: it counts like restart time in the goodput (Daly's form
    with R + lag), and stands under work done again. Without ``checkpoints`` to go back to (recovery from peers) a failure
    costs no work; saves are still written every ``interval``.
    """
    recovery = find + wait + start
    if checkpoints:
        goodput = efficiency(interval, write, mtbf, recovery + lag)
    else:
        goodput = math.exp(-recovery / mtbf) * interval / (interval + write)
    ends = [0.0, find, find + wait, recovery]
    gone = [math.exp(-a / mtbf) - math.exp(-b / mtbf) for a, b in zip(ends, ends[1:], strict=False)]
    save = goodput * write / interval
    shares = {SAVE: save, AGAIN: max(0.0, 1 - goodput - save - sum(gone)), FIND: gone[0], WAIT: gone[1], START: gone[2],
              SLOW: 0.0}
    return goodput, shares


def label(group: str) -> str:
    """``S saving``: the letter that stands in the bar, and what it means."""
    return f"{group} {_(GROUPS[group])}"


def labels() -> list[str]:
    return [label(group) for group in GROUPS]


def rows(losses: Mapping[str, Shares], text: Callable[[str], str]) -> dict[str, list[dict[str, Any]]]:
    """The datasets of ``figures_queue.parts_spec``: a bar for each name, in per cent of the wall time; ``text`` at its end."""
    parts: list[dict[str, Any]] = []
    totals: list[dict[str, Any]] = []
    for rank, (name, shares) in enumerate(losses.items()):
        low = 0.0
        for group, share in shares.items():
            high = low + 100 * share
            if high > low:
                letter = group if high - low >= 1 else ""
                parts.append({"name": name, "rank": rank, "part": label(group), "letter": letter, "low": round(low, 3),
                              "high": round(high, 3), "middle": round((low + high) / 2, 3)})
            low = high
        totals.append({"name": name, "rank": rank, "value": round(low, 3), "text": text(name)})
    return {"parts": parts, "taken": [], "totals": totals}


def cells(shares: Shares) -> tuple[str, ...]:
    """Every group in per cent, for a table."""
    return tuple(f"{shares[group]:.1%}" for group in GROUPS)


def heads() -> tuple[str, ...]:
    return tuple(_(name) for name in GROUPS.values())
