"""Which nodes a job gets: the choice of ``select/cons_tres`` with ``CR_Core``.

Source: facts, section 3; ``_eval_nodes``, ``_eval_nodes_lln`` and ``choose_nodes`` in
``src/plugins/select/cons_tres/job_test.c`` of Slurm 22.05. One thread per core, GPUs not bound to sockets.

Nodes are looked at as bit sets wherever counts suffice: a list of all nodes per question is what makes a simulator slow.
"""
from __future__ import annotations

from collections.abc import Callable, Iterator
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
        taken = pick(Filler(ask, pool, nodes, min_nodes, most))
        if taken is None and nodes.bit_count() > min_nodes:
            taken = _without_poor_nodes(pick, ask, pool, nodes, min_nodes, most)
        return None if taken is None else _with_gpus(ask, pool, taken)

    def _method(self, lln: bool) -> Method:
        if lln:
            return least_loaded
        if self.tree:
            return self.tree.choose
        return consecutive


def _without_poor_nodes(pick: Method, ask: Ask, pool: NodePool, nodes: int, min_nodes: int, most: int) -> Picked | None:
    """Leave out the nodes with the least on them, more and more, "to avoid a possible knapsack problem"."""
    rich = {i: pool.free_cpus[i] + (pool.free_gpus(i) if ask.job.spec.gpus else 0) for i in bits_of(nodes)}
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
    spec = ask.job.spec
    nodes = ask.nodes & pool.at_least_cpus(least_cpus(ask))
    if ask.whole:
        nodes &= ~pool.busy
    gpus = max(spec.gpus_per_node, spec.gpus_per_task, 1 if spec.gpus_per_job else 0)
    if gpus:
        nodes &= pool.at_least_gpus(gpus)
        if spec.gpu_type:
            nodes &= pool.gpu_types.get(spec.gpu_type, 0)
    return nodes


def least_cpus(ask: Ask) -> int:
    """The cores a node needs to be of any use: one task, or the tasks each node must take."""
    spec = ask.job.spec
    if spec.ntasks_per_node:
        return spec.ntasks_per_node * spec.cpus_per_task
    if ask.max_nodes == 1 and spec.max_nodes == 1 and spec.ntasks:
        return spec.ntasks * spec.cpus_per_task
    return spec.cpus_per_task


class Filler:
    """Counts down what a job still needs while nodes are added one by one (``_cpus_to_use``, ``gres_sched_add``)."""

    def __init__(self, ask: Ask, pool: NodePool, nodes: int, min_nodes: int, max_nodes: int) -> None:
        spec = ask.job.spec
        self.ask, self.pool, self.nodes = ask, pool, nodes
        self.min_nodes, self.req_nodes, self.max_nodes = min_nodes, ask.req_nodes, max_nodes
        self.need_cpus = self.max_cpus = spec.min_cpus
        self.need_gpus = spec.gpus_per_job
        self.min_left = min_nodes
        self.need_nodes = min(min_nodes, ask.req_nodes) if self.need_gpus else max(min_nodes, ask.req_nodes)
        self.per_task = spec.cpus_per_task
        self.per_node = max(spec.ntasks_per_node, 1) * spec.cpus_per_task
        self.taken: Picked = []
        self.chosen = 0

    @property
    def done(self) -> bool:
        return self.need_nodes <= 0 and self.need_cpus <= 0 and self.need_gpus <= 0

    def available(self, i: int) -> int:
        """The cores of node ``i`` that tasks could fill."""
        free = self.pool.free_cpus[i]
        return free if self.ask.whole or self.per_task == 1 else free - free % self.per_task

    def enough_nodes(self, count: int) -> bool:
        need = self.need_nodes
        if self.req_nodes > self.min_nodes:
            need += self.min_nodes - self.req_nodes
        return count >= need

    def use(self, i: int) -> int:
        """The cores of node ``i`` the job would use now: never more than it needs beside one on each node to come."""
        cpus = self.available(i)
        if self.ask.whole:
            return cpus
        return min(cpus, max(self.max_cpus - max(self.min_left - 1, 0), self.per_node))

    def add(self, i: int) -> None:
        cpus = self.use(i)
        self.need_cpus -= cpus
        self.max_cpus -= cpus
        if self.ask.job.spec.gpus_per_job:
            self.need_gpus -= self.pool.free_gpus(i)
        self.need_nodes -= 1
        self.min_left -= 1
        self.max_nodes -= 1
        self.chosen |= 1 << i
        self.taken.append((i, cpus))

    def add_required(self) -> None:
        for i in bits_of(self.ask.required):
            self.add(i)


Method = Callable[[Filler], Picked | None]


@dataclass(slots=True)
class _Stretch:
    """A run of neighbouring candidates of one weight: its nodes, how many, and its first required node (or -1)."""

    nodes: int
    count: int
    required: int = -1

    @property
    def first(self) -> int:
        """The lowest node, as a bit: runs compare by it as by position."""
        return self.nodes & -self.nodes

    def amounts(self, fill: Filler) -> tuple[int, int]:
        """(cores, GPUs) that the run could give."""
        levels = fill.pool.with_free_cpus
        if self.count > len(levels):  # count by level rather than node by node
            task = 1 if fill.ask.whole else fill.per_task
            cpus = sum((free - free % task) * (bits & self.nodes).bit_count() for free, bits in levels.items())
        else:
            cpus = sum(fill.available(i) for i in bits_of(self.nodes))
        gpus = 0
        if fill.need_gpus > 0:
            gpus = sum(k * (bits & self.nodes).bit_count() for k, bits in enumerate(fill.pool.with_free_gpus))
        return cpus, gpus


def consecutive(fill: Filler) -> Picked | None:
    """Best fit over runs of neighbouring nodes: lowest weight, then the tightest run that suffices, else the biggest.

    Within a run nodes are taken in order; when one node is enough, the one with the fewest free cores that does.
    """
    fill.add_required()
    if fill.done:
        return fill.taken
    for group in fill.pool.by_weight.values():
        stretches = list(_stretches(fill, group))
        while stretches and fill.max_nodes > 0:
            best = _best_stretch(fill, stretches)
            _fill_from(fill, best)
            if fill.done:
                return fill.taken
            stretches.remove(best)
    fits = fill.need_cpus <= 0 and fill.need_gpus <= 0 and fill.enough_nodes(0) and fill.taken
    return fill.taken if fits else None


def _stretches(fill: Filler, group: int) -> Iterator[_Stretch]:
    """The runs among the candidates of one weight. Required nodes are chosen already; they join what is beside them."""
    nodes, required = fill.nodes & group, fill.ask.required
    while nodes:
        low = nodes & -nodes
        run = nodes & ~(nodes + low)
        nodes ^= run
        must = run & required
        free = run & ~must
        if free:
            yield _Stretch(free, free.bit_count(), (must & -must).bit_length() - 1)


def _best_stretch(fill: Filler, stretches: list[_Stretch]) -> _Stretch:
    with_required = [one for one in stretches if one.required >= 0]
    if with_required:
        return with_required[0]
    least = fill.per_node  # every usable node has at least that many free cores
    best, best_cpus = None, 0
    for one in sorted(stretches, key=lambda one: one.count):  # few nodes first: big runs need not be counted
        if not fill.enough_nodes(one.count):
            continue
        if best is not None and one.count * least > best_cpus:
            break
        cpus, gpus = one.amounts(fill)
        enough = cpus >= fill.need_cpus and gpus >= fill.need_gpus
        if enough and (best is None or (cpus, one.first) < (best_cpus, best.first)):
            best, best_cpus = one, cpus
    return best if best is not None else max(stretches, key=lambda one: (one.amounts(fill)[0], -one.first))


def _fill_from(fill: Filler, stretch: _Stretch) -> None:
    nodes = bits_of(stretch.nodes)
    if stretch.required >= 0:  # first upwards from the required node, then downwards
        nodes = [i for i in nodes if i > stretch.required] + [i for i in reversed(nodes) if i < stretch.required]
    elif fill.need_nodes <= 1:
        single = [(fill.available(i), i) for i in nodes if _gpus_enough(fill, i)]
        single = [pair for pair in single if pair[0] >= fill.need_cpus]
        if single:
            nodes = [min(single)[1]]
    for i in nodes:
        if fill.done or fill.max_nodes <= 0:
            return
        if stretch.required < 0 and fill.max_nodes == 1 and fill.available(i) < fill.need_cpus:
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
    order = sorted(bits_of(fill.nodes & ~fill.chosen), key=lambda i: (pool.weight[i], -pool.free_cpus[i] / pool.cpus[i], i))
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
