"""Which nodes a job gets: the choice of ``select/cons_tres`` with ``CR_Core``.

Source: facts, section 3; ``_eval_nodes``, ``_eval_nodes_lln`` and ``choose_nodes`` in
``src/plugins/select/cons_tres/job_test.c`` of Slurm 22.05. One thread per core, GPUs not bound to sockets.

Nodes are looked at as bit sets wherever counts suffice: a list of all nodes per question is what makes a simulator slow.
"""
from __future__ import annotations

from clustersim.slurm.fill import Ask, Chosen, Filler, Method, consecutive, least_loaded
from clustersim.slurm.jobs import Allocation, bits_of
from clustersim.slurm.pool import Holding, NodePool, holding
from clustersim.slurm.quickfill import alike_nodes, one_node
from clustersim.slurm.shape import CORE
from clustersim.slurm.topology import Tree


class Selector:
    """Answers :class:`Ask` on a :class:`NodePool`; ``None`` means "does not fit"."""

    def __init__(self, lln: bool, tree: Tree | None) -> None:
        self.lln = lln
        self.tree = tree

    def choose(self, ask: Ask, pool: NodePool, lln: bool = False) -> Chosen | None:
        """Nodes and cores for the job, or ``None``."""
        wish, nodes = ask.wish, usable(ask, pool)
        min_nodes, shape = wish.min_nodes, wish.shape
        if nodes.bit_count() < min_nodes or ask.required & ~nodes:
            return None
        lln = lln or self.lln
        if not (lln or self.tree or ask.required):
            if wish.one_node:
                return one_node(pool, nodes, wish)
            if wish.alike:
                alike = alike_nodes(pool, nodes, min_nodes, shape.min_cpus // min_nodes)
                if alike is not None:
                    return alike
        tasks = min_nodes * shape.ntasks_per_node if wish.counted and shape.ntasks_per_node else shape.ntasks
        if shape.ntasks_per_node and tasks:
            min_nodes = max(min_nodes, -(-tasks // shape.ntasks_per_node))
        most = wish.max_nodes
        if tasks and most > tasks:
            most = max(tasks, min_nodes)
        pick = self._method(lln)
        taken = pick(Filler(ask, pool, nodes, min_nodes, most))
        if taken is None and nodes.bit_count() > min_nodes:
            taken = _without_poor_nodes(pick, ask, pool, nodes, min_nodes, most)
        return taken

    def _method(self, lln: bool) -> Method:
        if lln:
            return least_loaded
        if self.tree:
            return self.tree.choose
        return consecutive


def _without_poor_nodes(pick: Method, ask: Ask, pool: NodePool, nodes: int, min_nodes: int, most: int) -> Chosen | None:
    """Leave out the nodes with the least on them, more and more, "to avoid a possible knapsack problem"."""
    rich = {i: pool.free.cores(i) + (pool.free.gpus(i) if ask.wish.shape.gpus else 0) for i in bits_of(nodes)}
    for least in range(1, max(rich.values())):
        poor = [i for i, wealth in rich.items() if wealth <= least and not ask.required >> i & 1]
        for i in poor[: len(rich) - min_nodes]:
            del rich[i]
            nodes &= ~(1 << i)
        if not poor:
            continue
        taken = pick(Filler(ask, pool, nodes, min_nodes, most))
        if taken is not None or len(rich) <= min_nodes:
            return taken
    return None


def usable(ask: Ask, pool: NodePool) -> int:
    """The candidates with room for at least one task and the GPUs each node must give."""
    wish = ask.wish
    nodes = ask.nodes & pool.free.at_least(wish.least)
    if wish.whole:
        nodes &= ~pool.busy
    if wish.shape.gpu_type:
        nodes &= pool.gpu_types.get(wish.shape.gpu_type, 0)
    return nodes


def allocate(ask: Ask, pool: NodePool, chosen: Chosen) -> tuple[Allocation, Holding]:
    """The nodes in order with cores and GPUs: lowest index first; a task's where the task is; of a per-job
    count one on each node, then in order. With it the same with nodes of equal shares together."""
    wish, shape = ask.wish, ask.wish.shape
    cpus = chosen.each if not chosen.differing and _full_of_tasks(ask, chosen) else 0
    if cpus and not wish.whole and not shape.gpus_per_job:
        count = shape.gpus_per_node
        allocation = tuple([(i, cpus, pool.lowest_gpus(i, count) if count else 0) for i in bits_of(chosen.nodes)])
        return allocation, ((chosen.nodes, cpus * CORE + count),)
    left = shape.gpus_per_job - chosen.count
    result = []
    plain = wish.whole or (shape.cpus_per_task == 1 and chosen.cpus <= _cores_dealt(ask, chosen))
    for i, cores in ((i, chosen.on(i)) for i in bits_of(chosen.nodes)) if plain else spread_tasks(ask, chosen).items():
        if wish.whole:
            count = pool.gpus[i]
        elif shape.gpus_per_task:
            count = -(-cores // shape.cpus_per_task) * shape.gpus_per_task
        elif shape.gpus_per_job:
            more = max(min(left, pool.free.gpus(i) - 1), 0)
            left -= more
            count = 1 + more
        else:
            count = shape.gpus_per_node
        result.append((i, cores, pool.lowest_gpus(i, count) if count else 0))
    return tuple(result), holding(result)


def _full_of_tasks(ask: Ask, chosen: Chosen) -> bool:
    """Whether whole tasks fill what each node gives (the same on all), so that :func:`spread_tasks` would change nothing."""
    shape, task = ask.wish.shape, ask.wish.shape.cpus_per_task
    return task == 1 or (not chosen.each % task
                         and (not shape.ntasks_per_node or shape.ntasks_per_node * chosen.count * task == chosen.cpus))


def _cores_dealt(ask: Ask, chosen: Chosen) -> int:
    """The cores for which tasks are dealt out (``ncpus`` in ``cons_common/job_test.c``): what was asked for, or what each node
    has to give. More may have been chosen where a range of nodes was asked for (measured: node_ranges_switches)."""
    shape = ask.wish.shape
    return max(shape.min_cpus, chosen.count * shape.per_node)


def spread_tasks(ask: Ask, chosen: Chosen) -> dict[int, int]:
    """The cores on each node when tasks are dealt out to the cores chosen there.

    One task goes to each node, then one after the other to each node with room for a whole one. Where no whole task fits any
    more the rest squeezes in, and the job gets fewer cores than it asked for: with 4 and 5 cores chosen, three tasks of three
    get 4 and 3 (``dist_tasks_compute_c_b`` in ``cons_tres/dist_tasks.c``; measured).
    """
    shape, task = ask.wish.shape, ask.wish.shape.cpus_per_task
    most = {i: chosen.on(i) for i in bits_of(chosen.nodes)}
    tasks = shape.ntasks_per_node * chosen.count if shape.ntasks_per_node else max(_cores_dealt(ask, chosen) // task, 1)
    given = {i: min(task, cores) for i, cores in most.items()}
    left = tasks - len(most)
    if tasks * task == chosen.cpus and not any(cores % task for cores in most.values()):
        return most  # room for just these tasks
    while left > 0:
        room = [i for i in most if most[i] - given[i] >= task] or list(most)
        for i in room[:left]:
            given[i] = min(given[i] + task, most[i])
        left -= len(room)
    return given
