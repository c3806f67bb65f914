"""Which nodes a job gets: the choice of ``select/cons_tres`` with ``CR_Core``.

Source: facts, section 3; ``_eval_nodes``, ``_eval_nodes_lln`` and ``choose_nodes`` in
``src/plugins/select/cons_tres/job_test.c`` of Slurm 22.05. One thread per core, GPUs not bound to sockets.
"""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from clustersim.slurm.jobs import Allocation, Job, bits_of
from clustersim.slurm.pool import NodePool
from clustersim.slurm.topology import Tree

Picked = list[tuple[int, int]]  # (node position, cores)


@dataclass(slots=True)
class Ask:
    """One placement question: the job, the nodes it may use and how many it wants."""

    job: Job
    nodes: int        # bit set of candidates
    min_nodes: int
    max_nodes: int
    req_nodes: int
    whole: bool       # every node for this job alone
    required: int = 0  # nodes it must have (-w)


class Selector:
    """Answers :class:`Ask` on a :class:`NodePool`; ``None`` means "does not fit"."""

    def __init__(self, lln: bool, tree: Tree | None) -> None:
        self.lln = lln
        self.tree = tree

    def choose(self, ask: Ask, pool: NodePool, lln: bool = False) -> Allocation | None:
        """Nodes with cores and GPU indices for the job, or ``None``."""
        nodes = usable(ask, pool)
        if nodes.bit_count() < ask.min_nodes or ask.required & ~nodes:
            return None
        spec = ask.job.spec
        min_nodes = ask.min_nodes
        if spec.ntasks_per_node and spec.ntasks:
            min_nodes = max(min_nodes, -(-spec.ntasks // spec.ntasks_per_node))
        most = ask.max_nodes
        if spec.ntasks and most > spec.ntasks:
            most = max(spec.ntasks, min_nodes)
        pick = self._method(lln or self.lln)
        available = {i: _available(ask, pool, i) for i in bits_of(nodes)}
        taken = pick(Filler(ask, pool, available, min_nodes, most))
        if taken is None and len(available) > min_nodes:
            taken = self._without_poor_nodes(pick, ask, pool, available, min_nodes, most)
        return None if taken is None else _with_gpus(ask, pool, taken)

    def _without_poor_nodes(self, pick: Method, ask: Ask, pool: NodePool, available: dict[int, int], min_nodes: int,
                            most: int) -> Picked | None:
        """Leave out the nodes with the least on them, more and more, "to avoid a possible knapsack problem"."""
        left = dict(available)
        rich = {i: cpus + (pool.free_gpus(i) if ask.job.spec.gpus else 0) for i, cpus in available.items()}
        for least in range(1, max(rich.values())):
            poor = [i for i in left if rich[i] <= least and not ask.required >> i & 1]
            for i in poor[: len(left) - min_nodes]:
                del left[i]
            if not poor:
                continue
            taken = pick(Filler(ask, pool, left, min_nodes, most))
            if taken is not None or len(left) <= min_nodes:
                return taken
        return None

    def _method(self, lln: bool) -> Method:
        if lln:
            return least_loaded
        if self.tree:
            return self.tree.choose
        return consecutive


def usable(ask: Ask, pool: NodePool) -> int:
    """The candidates with room for at least one task and the GPUs each node must give."""
    spec = ask.job.spec
    nodes = ask.nodes & ~(pool.busy if ask.whole else pool.full)
    gpus = max(spec.gpus_per_node, spec.gpus_per_task, 1 if spec.gpus_per_job else 0)
    if gpus:
        nodes &= pool.at_least_gpus(gpus) if gpus < len(pool.with_free_gpus) else 0
        if spec.gpu_type:
            nodes &= pool.gpu_types.get(spec.gpu_type, 0)
    least = least_cpus(ask)
    if least > 1:
        for i in bits_of(nodes):
            if pool.free_cpus[i] < least:
                nodes &= ~(1 << i)
    return nodes


def least_cpus(ask: Ask) -> int:
    """The cores a node needs to be of any use: one task, or the tasks each node must take."""
    spec = ask.job.spec
    if spec.ntasks_per_node:
        return spec.ntasks_per_node * spec.cpus_per_task
    if ask.max_nodes == 1 and spec.max_nodes == 1 and spec.ntasks:
        return spec.ntasks * spec.cpus_per_task
    return spec.cpus_per_task


def _available(ask: Ask, pool: NodePool, i: int) -> int:
    free = pool.free_cpus[i]
    return free if ask.whole else free - free % ask.job.spec.cpus_per_task


class Filler:
    """Counts down what a job still needs while nodes are added one by one (``_cpus_to_use``, ``gres_sched_add``)."""

    def __init__(self, ask: Ask, pool: NodePool, available: dict[int, int], min_nodes: int, max_nodes: int) -> None:
        spec = ask.job.spec
        self.ask, self.pool, self.available = ask, pool, available
        self.min_nodes, self.req_nodes, self.max_nodes = min_nodes, ask.req_nodes, max_nodes
        self.need_cpus = self.max_cpus = spec.min_cpus
        self.need_gpus = spec.gpus_per_job
        self.min_left = min_nodes
        self.need_nodes = min(min_nodes, ask.req_nodes) if self.need_gpus else max(min_nodes, ask.req_nodes)
        self.per_node = spec.ntasks_per_node * spec.cpus_per_task
        self.taken: Picked = []
        self.chosen = 0

    @property
    def done(self) -> bool:
        return self.need_nodes <= 0 and self.need_cpus <= 0 and self.need_gpus <= 0

    def enough_nodes(self, count: int) -> bool:
        need = self.need_nodes
        if self.req_nodes > self.min_nodes:
            need += self.min_nodes - self.req_nodes
        return count >= need

    def use(self, i: int) -> int:
        """The cores of node ``i`` the job would use now: never more than it needs beside one on each node to come."""
        cpus = self.available[i]
        if self.ask.whole:
            return cpus
        return min(cpus, max(self.max_cpus - max(self.min_left - 1, 0), self.per_node, self.ask.job.spec.cpus_per_task))

    def add(self, i: int) -> None:
        cpus = self.use(i)
        self.need_cpus -= cpus
        self.max_cpus -= cpus
        self.need_gpus -= self.pool.free_gpus(i) if self.ask.job.spec.gpus_per_job else 0
        self.need_nodes -= 1
        self.min_left -= 1
        self.max_nodes -= 1
        self.chosen |= 1 << i
        self.taken.append((i, cpus))

    def add_required(self) -> None:
        for i in bits_of(self.ask.required):
            self.add(i)


@dataclass(slots=True)
class _Stretch:
    """A run of neighbouring candidates of one weight; ``required`` is its first required node."""

    weight: int
    nodes: list[int]
    cpus: int = 0
    gpus: int = 0
    required: int = -1
    count: int = 0


Method = Callable[[Filler], Picked | None]


def consecutive(fill: Filler) -> Picked | None:
    """Best fit over runs of neighbouring nodes: lowest weight, then the tightest run that suffices, else the biggest.

    Within a run nodes are taken in order; when one node is enough, the one with the fewest free cores that does.
    """
    fill.add_required()
    if fill.done:
        return fill.taken
    stretches = _stretches(fill)
    while stretches and fill.max_nodes > 0:
        best = _best_stretch(fill, stretches)
        if best is None:
            break
        _fill_from(fill, best)
        if fill.done:
            return fill.taken
        stretches.remove(best)
    fits = fill.need_cpus <= 0 and fill.need_gpus <= 0 and fill.enough_nodes(0) and fill.taken
    return fill.taken if fits else None


def _stretches(fill: Filler) -> list[_Stretch]:
    found: list[_Stretch] = []
    last = -2
    for i in sorted(fill.available):
        weight = fill.pool.weight[i]
        if not found or i != last + 1 or (found[-1].count and found[-1].weight != weight):
            found.append(_Stretch(weight, []))
        last, stretch = i, found[-1]
        if fill.chosen >> i & 1:
            stretch.required = i if stretch.required < 0 else stretch.required
            continue
        if not stretch.count:
            stretch.weight = weight
        stretch.nodes.append(i)
        stretch.count += 1
        stretch.cpus += fill.available[i]
        stretch.gpus += fill.pool.free_gpus(i) if fill.need_gpus > 0 else 0
    return [stretch for stretch in found if stretch.count]


def _best_stretch(fill: Filler, stretches: list[_Stretch]) -> _Stretch | None:
    best, best_enough = None, False
    for one in stretches:
        enough = one.cpus >= fill.need_cpus and fill.enough_nodes(one.count) and one.gpus >= max(fill.need_gpus, 0)
        if (best is None or (best.required < 0 <= one.required) or one.weight < best.weight
                or (one.weight == best.weight and ((enough and (not best_enough or one.cpus < best.cpus))
                                                   or (not enough and one.cpus > best.cpus)))):
            best, best_enough = one, enough
    return best


def _fill_from(fill: Filler, stretch: _Stretch) -> None:
    nodes = stretch.nodes
    if stretch.required >= 0:  # first upwards from the required node, then downwards
        nodes = [i for i in nodes if i > stretch.required] + [i for i in reversed(nodes) if i < stretch.required]
    elif fill.need_nodes <= 1:
        single = [i for i in nodes if fill.available[i] >= fill.need_cpus and _gpus_enough(fill, i)]
        if single:
            nodes = [min(single, key=lambda i: (fill.available[i], i))]
    for i in nodes:
        if fill.done or fill.max_nodes <= 0:
            return
        if stretch.required < 0 and fill.max_nodes == 1 and fill.available[i] < fill.need_cpus:
            continue  # only one more node, and this one is too small
        fill.add(i)


def _gpus_enough(fill: Filler, i: int) -> bool:
    return fill.need_gpus <= 0 or fill.pool.free_gpus(i) >= fill.need_gpus


def least_loaded(fill: Filler) -> Picked | None:
    """``CR_LLN``: by weight, then always the node with the largest share of free cores."""
    if fill.ask.job.spec.ntasks:
        fill.max_nodes = min(fill.max_nodes, fill.ask.job.spec.ntasks)
    fill.add_required()
    pool = fill.pool
    order = sorted((i for i in fill.available if not fill.chosen >> i & 1),
                   key=lambda i: (pool.weight[i], -pool.free_cpus[i] / pool.cpus[i], i))
    for i in order:
        if fill.done or fill.max_nodes <= 0:
            break
        fill.add(i)
    fits = fill.done or (fill.need_cpus <= 0 and fill.min_left <= 0 and fill.need_gpus <= 0)
    return fill.taken if fits and fill.taken else None


def _with_gpus(ask: Ask, pool: NodePool, taken: Picked) -> Allocation:
    """The nodes in order with the GPUs of each: lowest index first; of a per-job count one on each node, then in order."""
    spec = ask.job.spec
    left = spec.gpus_per_job - len(taken)
    chosen = []
    for i, cpus in sorted(taken):
        if ask.whole:
            count = pool.gpus[i]
        elif spec.gpus_per_job:
            more = max(min(left, pool.free_gpus(i) - 1), 0)
            left -= more
            count = 1 + more
        else:
            count = spec.gpus_per_node
        chosen.append((i, cpus, pool.lowest_gpus(i, count)))
    return tuple(chosen)
