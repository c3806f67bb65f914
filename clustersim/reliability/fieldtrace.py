"""The InfiniteHBD fault trace: 584 real faults of 400 servers in 348 days, its statistics, and its replay.

Source: stepfun-ai/InfiniteHBD-Trace (Apache-2.0), table ``infinitehbd_fault_trace``; cite arXiv 2502.03885.
"""
from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from random import Random
from typing import NamedTuple

from clustersim.errors import InputError
from clustersim.messages import _
from clustersim.reliability.faults import DAY_MS, Fault
from clustersim.reliability.laws import Empirical
from clustersim.tables import Table, table

SERVERS, DAYS = 400, 348
NAME = "infinitehbd_fault_trace"


class Spell(NamedTuple):
    """One fault of one server; times in days."""

    node: str
    start: float
    repair: float
    cause: str


def spells(data: Table | None = None) -> tuple[Spell, ...]:
    """The rows of a fault trace in order of their start."""
    rows = data if data is not None else table(NAME)
    found = [Spell(str(r["node"]), float(r["start_day"] or 0), float(r["repair_days"] or 0), str(r["class"])) for r in rows]
    return tuple(sorted(found, key=lambda spell: spell.start))


def gaps(starts: Sequence[float]) -> list[float]:
    """Days from each start to the next one."""
    ordered = sorted(starts)
    return [b - a for a, b in zip(ordered, ordered[1:], strict=False)]


def variation(values: Sequence[float]) -> float:
    """Coefficient of variation, standard deviation (of the values as a whole) over mean: 1 for a Poisson process' gaps."""
    if len(values) < 2:
        raise InputError(_("values"), len(values), _("at least two"))
    return statistics.pstdev(values) / statistics.fmean(values)


def trace_statistics(data: Table | None = None, servers: int = SERVERS, days: float = DAYS) -> dict[str, float]:
    """What the trace comes to: ``faults``, ``nodes_hit``, ``rate_per_1000_node_days``, repair times, burstiness."""
    rows = spells(data)
    between = gaps([spell.start for spell in rows])
    repairs = [spell.repair for spell in rows]
    return {
        "faults": len(rows), "nodes_hit": len({spell.node for spell in rows}),
        "rate_per_1000_node_days": len(rows) / (servers * days) * 1000,
        "median_repair_days": statistics.median(repairs), "mean_repair_days": statistics.fmean(repairs),
        "interarrival_cv": variation(between), "zero_gaps": between.count(0.0), "gaps": len(between),
        "mean_interarrival_days": statistics.fmean(between), "median_interarrival_days": statistics.median(between),
    }


def repair_law() -> Empirical:
    """The repair times of the trace, in seconds, as a law to draw from."""
    return Empirical(tuple(spell.repair * 86_400 for spell in spells()))


def replay(nodes: int, seed: int = 0, servers: int = SERVERS, days: float = DAYS) -> tuple[Fault, ...]:
    """The trace as the faults of ``nodes`` nodes, with its repair times.

    Servers are assigned to nodes in an order that the seed shuffles. With more nodes than servers each further block of
    nodes gets the trace again, turned by a random time, so the length stays: bursts inside a block stay, those of
    different blocks do not coincide.
    """
    if nodes < 1:
        raise InputError(_("nodes"), nodes, _("at least 1"))
    rng = Random(f"{seed}/replay")
    names = sorted({spell.node for spell in spells()})
    names += [f"idle{i}" for i in range(servers - len(names))]
    found: list[Fault] = []
    for block in range(math.ceil(nodes / servers)):
        order = names[:]
        rng.shuffle(order)
        place = {name: block * servers + i for i, name in enumerate(order)}
        turn = rng.random() * days if block else 0.0
        for spell in spells():
            if place[spell.node] < nodes:
                time = int((spell.start + turn) % days * DAY_MS)
                found.append(Fault(time, place[spell.node], spell.cause, repair_s=spell.repair * 86_400))
    return tuple(sorted(found, key=lambda fault: (fault.time, fault.node)))
