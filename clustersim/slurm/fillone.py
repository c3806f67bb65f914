"""The node for a job that wants one, by the rules of :func:`~clustersim.slurm.fill.consecutive` but without counting down.

Most jobs want one node. Of the runs of neighbouring candidates of the lowest weight that have a node with enough free cores
such a job goes to the run with the fewest, there to the node with the fewest.
"""
from __future__ import annotations

from clustersim.slurm.fill import Ask, Chosen
from clustersim.slurm.pool import NodePool


def wants_one_node(ask: Ask) -> bool:
    """Whether the job takes its cores from one node of the scheduler's choice, shared with others."""
    spec = ask.job.spec
    one = ask.min_nodes == ask.req_nodes == ask.max_nodes == 1
    return (one and not ask.whole and not ask.required and not spec.gpus_per_job
            and (not spec.ntasks_per_node or spec.min_cpus <= spec.ntasks_per_node * spec.cpus_per_task))


def one_node(pool: NodePool, nodes: int, cpus: int) -> Chosen | None:
    """The one of ``nodes`` for a job of ``cpus`` cores, ``None`` if none of them has so many."""
    levels = pool.free_cpus.sets
    for group in pool.by_weight.values():
        here = nodes & group
        if here:
            found = _alone(levels, here, cpus) or _in_tightest_run(levels, here, cpus)
            if found:
                return Chosen(found, cpus, cpus)
    return None


def _alone(levels: dict[int, int], nodes: int, cpus: int) -> int:
    """A candidate that is a run of its own, if no run of more nodes can be as tight; else 0."""
    alone = nodes & ~(nodes << 1) & ~(nodes >> 1)
    poorest = fewest = best = 0
    for free, bits in levels.items():
        if bits & nodes and (free < poorest or not poorest):
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


def _run_around(nodes: int, one: int) -> int:
    """The neighbouring ``nodes`` around ``one`` of them (a single bit), itself among them."""
    above = nodes & ~(nodes + one)  # the carry runs up to the first gap
    below = nodes & (one - 1)
    gap = ~below & (one - 1)  # the highest missing node below
    return above | below & -(1 << gap.bit_length())
