"""Nodes for two common kinds of jobs (``Wish.one_node``, ``Wish.alike``), by the rules of
:func:`~clustersim.slurm.fill.consecutive` without counting down.

A job that wants one node goes to the tightest run of neighbouring candidates of the lowest weight in which a node has enough
free cores, there to the node with the fewest. A job that takes the same from each of several nodes, where all candidates are
alike, goes to the shortest run that is long enough; if none is, to the longest one and on.
"""
from __future__ import annotations

from collections.abc import Iterator

from clustersim.slurm.fill import Chosen, lowest
from clustersim.slurm.pool import NodePool
from clustersim.slurm.shape import CORE, Wish


def one_node(pool: NodePool, nodes: int, wish: Wish) -> Chosen | None:
    """The one of ``nodes``, each of which has the cores of :attr:`Wish.cpus`; ``None`` if none has enough for the whole job."""
    cpus, most = wish.shape.min_cpus, wish.most
    alike = most <= wish.cpus
    if alike and most < cpus:
        return None
    levels = {} if alike else _levels(pool, nodes, most)
    for group in pool.by_weight.values():
        here = nodes & group
        if here and alike:
            run = _best_run(here, 1)
            return Chosen(run & -run, cpus, cpus)
        if here:
            found = _alone(levels, here, cpus) or _in_tightest_run(levels, here, cpus)
            if found:
                return Chosen(found, cpus, cpus)
    return None


def _levels(pool: NodePool, nodes: int, most: int) -> dict[int, int]:
    """``nodes`` by their free cores; ``most`` for all that have more."""
    levels: dict[int, int] = {}
    for amount, bits in pool.free.sets.items():
        cores = min(amount // CORE, most)
        levels[cores] = levels.get(cores, 0) | bits & nodes
    return levels


def _alone(levels: dict[int, int], nodes: int, cpus: int) -> int:
    """A candidate that is a run of its own, if no run of more nodes can be as tight; else 0."""
    alone = nodes & ~(nodes << 1) & ~(nodes >> 1)
    poorest, fewest, best = -1, 0, 0
    for free, bits in levels.items():
        if bits & nodes and (free < poorest or poorest < 0):
            poorest = free
        if free >= cpus and bits & alone and (free < fewest or not best):
            fewest, best = free, bits & alone
    return best & -best if fewest < 2 * poorest else 0  # two poor neighbours may have less


def _in_tightest_run(levels: dict[int, int], nodes: int, cpus: int) -> int:
    """The same among all runs: with the fewest free cores, of equals the first, that has a node with enough; 0 if none."""
    levels = {free: bits & nodes for free, bits in levels.items() if bits & nodes}
    enough = 0
    for free, bits in levels.items():
        if free >= cpus:
            enough |= bits
    tightest = best = 0
    while enough:
        low = enough & -enough
        run = _run_around(nodes, low)
        enough &= ~run
        size = sum([free * (bits & run).bit_count() for free, bits in levels.items()])
        if size < tightest or not best:
            tightest, best = size, run
    if not best:
        return 0
    least = min(free for free, bits in levels.items() if free >= cpus and bits & best)
    return levels[least] & best & -(levels[least] & best)


def alike_nodes(pool: NodePool, nodes: int, count: int, cpus: int) -> Chosen | None:
    """``count`` of ``nodes`` (there are so many), ``cpus`` on each; ``None`` if those of one weight are not all alike."""
    chosen, missing = 0, count
    for group in pool.by_weight.values():
        here = nodes & group
        if here:
            if not any(bits & here == here for bits in pool.free.sets.values()):
                return None
            while here and missing:
                run = _best_run(here, missing)
                here ^= run
                taken = lowest(run, missing)
                chosen |= taken
                missing -= taken.bit_count()
            if not missing:
                break
    return Chosen(chosen, count * cpus, cpus)


def _best_run(nodes: int, count: int) -> int:
    """The shortest run of neighbouring nodes that has ``count`` or more; if none has, the longest. Of equals the first."""
    starts, known = nodes, 1  # where so many nodes stand side by side
    while known < count:
        step = known if 2 * known <= count else count - known
        starts &= starts >> step
        known += step
    if not starts:
        return max(_runs(nodes), key=int.bit_count)
    alone = starts & ~(starts << 1) & ~(starts >> 1)  # runs of just that length have one place to start
    best = alone & -alone or min(_runs(starts), key=int.bit_count)
    first = best & -best
    return (first << best.bit_count() + count - 1) - first  # from there up to the run's last node


def _runs(nodes: int) -> Iterator[int]:
    """The runs of neighbouring nodes, the lowest first."""
    while nodes:
        run = nodes & ~(nodes + (nodes & -nodes))  # the carry runs up to the first gap
        yield run
        nodes ^= run


def _run_around(nodes: int, one: int) -> int:
    """The neighbouring ``nodes`` around ``one`` of them (a single bit), itself among them."""
    above = nodes & ~(nodes + one)  # the carry runs up to the first gap
    below = nodes & (one - 1)
    gap = ~below & (one - 1)  # the highest missing node below
    return above | below & -(1 << gap.bit_length())
