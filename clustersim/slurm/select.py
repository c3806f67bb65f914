"""Which nodes a job gets: the choice of ``select/cons_tres`` with ``CR_Core``.

Source: facts, section 3; ``_eval_nodes``, ``_eval_nodes_lln`` and ``choose_nodes`` in
``src/plugins/select/cons_tres/job_test.c`` of Slurm 22.05. One thread per core, GPUs not bound to sockets.

Nodes are looked at as bit sets wherever counts suffice: a list of all nodes per question is what makes a simulator slow.
"""
from __future__ import annotations

from clustersim.slurm.fill import Ask, Chosen, Filler, Method, consecutive, least_loaded, trimmed
from clustersim.slurm.jobs import Allocation, bits_of
from clustersim.slurm.pool import NodePool
from clustersim.slurm.quickfill import alike_nodes, one_node, wants_alike_nodes, wants_one_node
from clustersim.slurm.topology import Tree


class Selector:
    """Answers :class:`Ask` on a :class:`NodePool`; ``None`` means "does not fit"."""

    def __init__(self, lln: bool, tree: Tree | None) -> None:
        self.lln = lln
        self.tree = tree

    def choose(self, ask: Ask, pool: NodePool, lln: bool = False) -> Chosen | None:
        """Nodes and cores for the job, or ``None``."""
        nodes = usable(ask, pool)
        if nodes.bit_count() < ask.min_nodes or ask.required & ~nodes:
            return None
        lln = lln or self.lln
        spec = ask.job.spec
        if not lln and not self.tree:
            if wants_one_node(ask):
                return one_node(pool, nodes, spec.min_cpus, trimmed(ask))
            if wants_alike_nodes(ask):
                alike = alike_nodes(pool, nodes, ask.min_nodes, spec.min_cpus // ask.min_nodes)
                if alike is not None:
                    return alike
        min_nodes = ask.min_nodes
        tasks = ask.min_nodes * spec.ntasks_per_node if ask.counted and spec.ntasks_per_node else spec.ntasks
        if spec.ntasks_per_node and tasks:
            min_nodes = max(min_nodes, -(-tasks // spec.ntasks_per_node))
        most = ask.max_nodes
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
    rich = {i: pool.free_cpus.of(i) + (pool.free_gpus.of(i) if ask.job.spec.gpus else 0) for i in bits_of(nodes)}
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
    spec, tasks = ask.job.spec, least_tasks(ask)
    nodes = ask.nodes & pool.free_cpus.at_least(tasks * spec.cpus_per_task)
    if ask.whole:
        nodes &= ~pool.busy
    gpus = max(spec.gpus_per_node, spec.gpus_per_task * tasks, 1 if spec.gpus_per_job else 0)
    if gpus:
        nodes &= pool.free_gpus.at_least(gpus)
        if spec.gpu_type:
            nodes &= pool.gpu_types.get(spec.gpu_type, 0)
    return nodes


def least_cpus(ask: Ask) -> int:
    """The cores a node needs to be of any use."""
    return least_tasks(ask) * ask.job.spec.cpus_per_task


def least_tasks(ask: Ask) -> int:
    """One task, or the tasks each node must take (``min_tasks_this_node`` in ``_select_cores``)."""
    spec = ask.job.spec
    if spec.ntasks_per_node:
        return spec.ntasks_per_node
    return spec.ntasks if ask.max_nodes == 1 and spec.max_nodes == 1 and spec.ntasks else 1


def allocate(ask: Ask, pool: NodePool, chosen: Chosen) -> Allocation:
    """The nodes in order with cores and GPUs: lowest index first; a task's where the task is; of a per-job
    count one on each node, then in order."""
    spec = ask.job.spec
    cpus = chosen.each if not chosen.differing and _full_of_tasks(ask, chosen) else 0
    if cpus and not ask.whole and not spec.gpus_per_job:
        count = spec.gpus_per_node
        return tuple([(i, cpus, pool.lowest_gpus(i, count) if count else 0) for i in bits_of(chosen.nodes)])
    left = spec.gpus_per_job - chosen.count
    result = []
    plain = ask.whole or spec.cpus_per_task == 1
    for i, cores in ((i, chosen.on(i)) for i in bits_of(chosen.nodes)) if plain else spread_tasks(ask, chosen).items():
        if ask.whole:
            count = pool.gpus[i]
        elif spec.gpus_per_task:
            count = -(-cores // spec.cpus_per_task) * spec.gpus_per_task
        elif spec.gpus_per_job:
            more = max(min(left, pool.free_gpus.of(i) - 1), 0)
            left -= more
            count = 1 + more
        else:
            count = spec.gpus_per_node
        result.append((i, cores, pool.lowest_gpus(i, count) if count else 0))
    return tuple(result)


def _full_of_tasks(ask: Ask, chosen: Chosen) -> bool:
    """Whether whole tasks fill what each node gives (the same on all), so that :func:`spread_tasks` would change nothing."""
    spec, task = ask.job.spec, ask.job.spec.cpus_per_task
    return task == 1 or (not chosen.each % task
                         and (not spec.ntasks_per_node or spec.ntasks_per_node * chosen.count * task == chosen.cpus))


def spread_tasks(ask: Ask, chosen: Chosen) -> dict[int, int]:
    """The cores on each node when tasks of several cores are dealt out to the cores chosen there.

    One task goes to each node, then one after the other to each node with room for a whole one. Where no whole task fits any
    more the rest squeezes in, and the job gets fewer cores than it asked for: with 4 and 5 cores chosen, three tasks of three
    get 4 and 3 (``dist_tasks_compute_c_b`` in ``cons_tres/dist_tasks.c``; measured).
    """
    spec, task = ask.job.spec, ask.job.spec.cpus_per_task
    most = {i: chosen.on(i) for i in bits_of(chosen.nodes)}
    tasks = spec.ntasks_per_node * chosen.count if spec.ntasks_per_node else max(chosen.cpus // task, 1)
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
