"""The fault processes that a plan asks for, each with a generator of its own, so that one does not disturb another."""
from __future__ import annotations

from random import Random

from clustersim.reliability.causes import ANY, LINK_FLAP, STRAGGLER, published_mix
from clustersim.reliability.faults import Episodes, Groups, Merged, Poisson, Recorded, Renewal, Source
from clustersim.reliability.laws import Fixed, as_law
from clustersim.training.plan import Plan

PLANNED = "planned"


def make_source(plan: Plan, seed: int) -> tuple[Source, frozenset[int]]:
    """Everything that happens to the nodes of the job and its spares, and which of them are lemons."""
    faults = plan.faults
    if faults.recorded is not None:
        return Recorded(faults.recorded), frozenset()
    nodes = plan.nodes + plan.recovery.spares
    sources: list[Source] = []
    lemons: frozenset[int] = frozenset()
    mix = ANY if faults.mix == "any" else published_mix(faults.mix)
    if faults.law is not None:
        sources.append(Renewal(nodes, faults.law, Random(f"{seed}/faults"), mix))
    elif faults.per_1000_node_days:
        count, times = round(faults.lemon_fraction * nodes), faults.lemon_multiplier
        base = faults.per_1000_node_days / 1000 * nodes / (nodes + count * (times - 1))
        poisson = Poisson(nodes, base, Random(f"{seed}/faults"), mix, count, times)
        lemons = frozenset(poisson.lemons)
        sources.append(poisson)
    if faults.switch_per_1000_days:
        sources.append(Groups(nodes, faults.switch_nodes, faults.switch_per_1000_days / 1000, Random(f"{seed}/switches"),
                              faults.switch_cause, as_law(faults.switch_repair)))
    if faults.flaps_per_1000_node_days:
        sources.append(Episodes(nodes, faults.flaps_per_1000_node_days / 1000, as_law(faults.flap_length),
                                Random(f"{seed}/flaps"), LINK_FLAP.name))
    if faults.slow is not None:
        sources.append(Episodes(nodes, faults.slow.per_1000_node_days / 1000, as_law(faults.slow.length),
                                Random(f"{seed}/slow"), STRAGGLER.name, faults.slow.factor))
    if faults.planned_per_day:
        sources.append(Episodes(1, faults.planned_per_day, Fixed(0.0), Random(f"{seed}/planned"), PLANNED))
    return (sources[0] if len(sources) == 1 else Merged(sources)), lemons

