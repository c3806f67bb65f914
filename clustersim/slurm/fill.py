"""Adding nodes to a job one by one, or many at once, until it has what it needs.

Source: ``_eval_nodes``, ``_eval_nodes_lln``, ``_cpus_to_use`` and ``gres_sched_add`` in
``src/plugins/select/cons_tres`` of Slurm 22.05; facts, section 3.
"""
from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from operator import attrgetter

from clustersim.slurm.jobs import Job, bits_of
from clustersim.slurm.pool import NodePool
from clustersim.slurm.shape import CORE, GPUS, NO_LIMIT, Wish, amount


@dataclass(slots=True, eq=False)
class Ask:
    """One placement question: the job, the nodes it may use (a bit set) and what it wants of them."""

    job: Job
    nodes: int
    wish: Wish
    required: int = 0  # nodes it must have
    cores: tuple[tuple[int, int], ...] = ()  # which cores it gets, where preemption by suspension has to know

    def on(self, nodes: int) -> Ask:
        """The same question about other candidates."""
        return Ask(self.job, nodes, self.wish, self.required)


@dataclass(slots=True)
class Chosen:
    """An answer: nodes as a bit set and the cores on them. ``differing`` has the nodes that do not give ``each``."""

    nodes: int = 0
    cpus: int = 0
    each: int = 0
    differing: dict[int, int] = field(default_factory=dict)

    @property
    def count(self) -> int:
        return self.nodes.bit_count()

    def on(self, i: int) -> int:
        """The cores on node ``i``."""
        return self.differing.get(i, self.each)


class Filler:
    """Counts down what a job still needs while nodes are added."""

    def __init__(self, ask: Ask, pool: NodePool, nodes: int, min_nodes: int, max_nodes: int) -> None:
        wish, shape = ask.wish, ask.wish.shape
        self.ask, self.pool, self.nodes = ask, pool, nodes
        self.min_nodes, self.req_nodes, self.max_nodes = min_nodes, wish.req_nodes, max_nodes
        self.need_cpus = self.max_cpus = wish.min_nodes if wish.counted else shape.min_cpus
        self.need_gpus = shape.gpus_per_job
        self.min_left = min_nodes
        self.need_nodes = min(min_nodes, wish.req_nodes) if self.need_gpus else max(min_nodes, wish.req_nodes)
        self.per_task = shape.cpus_per_task
        self.per_node = shape.per_node
        # Where every node gives its share and no more, nodes can be added many at a time.
        self.uniform = not wish.whole and not self.need_gpus and self.need_cpus == min_nodes * self.per_node == (
            self.need_nodes * self.per_node)
        self.most = wish.most
        self.task_gpus = 0 if wish.whole else shape.gpus_per_task
        self.near_gpus = NO_LIMIT if wish.whole and shape.gpus else shape.gpus_per_job  # as many as count for the weight
        self.taken = Chosen(each=self.per_node if self.uniform else 0)

    @property
    def done(self) -> bool:
        return self.need_nodes <= 0 and self.need_cpus <= 0 and self.need_gpus <= 0

    @property
    def answer(self) -> Chosen | None:
        return self.taken if self.taken.nodes else None

    def available(self, i: int) -> int:
        """The cores that node ``i`` could give, whether tasks of ``cpus_per_task`` fill them or not (see ``spread_tasks``)."""
        cpus = min(self.pool.free.cores(i), self.most)
        if self.task_gpus:  # no more tasks than there are GPUs for (gres_select_filter_sock_core)
            return min(cpus, self.pool.free.gpus(i) // self.task_gpus * self.per_task)
        return cpus

    def cores(self, nodes: int) -> int:
        """The cores that all of ``nodes`` could give."""
        if self.task_gpus:
            return sum(self.available(i) for i in bits_of(nodes))
        if self.most == NO_LIMIT:
            return self.pool.free.all_cores(nodes)
        return sum(min(free // CORE, self.most) * (bits & nodes).bit_count() for free, bits in self.pool.free.sets.items())

    def same_cores(self, nodes: int) -> int:
        """What each of ``nodes`` could give, if they are all alike; else 0."""
        for free, bits in self.pool.free.sets.items() if not self.task_gpus else ():
            if bits & nodes:
                return 0 if nodes & ~bits else min(free // CORE, self.most)
        return 0

    def weight(self, i: int) -> tuple[int, int]:
        """What node ``i`` is chosen by first. Of equal weights nodes with more GPUs that the job could use are lighter
        (``sched_weight`` in ``can_job_run_on_node``; measured: gpu_lln_mixed)."""
        return self.pool.weight[i], -min(self.pool.free.gpus(i), self.near_gpus)

    def groups(self) -> Iterator[int]:
        """The candidates of each weight, the lightest first."""
        for group in self.pool.by_weight.values():
            if not self.near_gpus:
                yield group
                continue
            near: dict[int, int] = {}
            for free, bits in self.pool.free.sets.items():
                count = min(free & GPUS, self.near_gpus)
                near[count] = near.get(count, 0) | bits & group
            yield from (near[count] for count in sorted(near, reverse=True))

    def gpus(self, nodes: int) -> int:
        """The free GPUs of all of ``nodes``."""
        return self.pool.free.all_gpus(nodes)

    def enough_nodes(self, count: int) -> bool:
        need = self.need_nodes
        if self.req_nodes > self.min_nodes:
            need += self.min_nodes - self.req_nodes
        return count >= need

    def use(self, i: int) -> int:
        """The cores of node ``i`` the job would use now: never more than it needs beside one on each node to come."""
        cpus = self.available(i)
        if self.ask.wish.whole:
            return cpus
        shape = self.ask.wish.shape
        if shape.ntasks_per_node and shape.ntasks > 1:  # all its tasks, though fewer are left (pn_min_cpus; shapes_odd_cores)
            return min(cpus, self.per_node)
        left = max(self.max_cpus - max(self.min_left - 1, 0), self.per_task)
        if self.uniform or shape.ntasks_per_node:  # no node gets more tasks than ntasks_per_node
            left = min(left, self.per_node)
        return min(cpus, left)

    def add(self, i: int) -> None:
        """Take node ``i``."""
        cpus = self.use(i)
        if cpus != self.taken.each:
            self.taken.differing[i] = cpus
        if self.ask.wish.shape.gpus_per_job:
            self.need_gpus -= self.pool.free.gpus(i)
        self._count(1 << i, 1, cpus)

    def add_many(self, nodes: int) -> None:
        """Take all of ``nodes``; only where each gives its share (``uniform``) or all it has (whole nodes)."""
        count = nodes.bit_count()
        if self.ask.wish.whole:
            self.taken.differing.update((i, self.available(i)) for i in bits_of(nodes))
            self._count(nodes, count, self.cores(nodes))
        else:
            self._count(nodes, count, count * self.per_node)

    def _count(self, nodes: int, count: int, cpus: int) -> None:
        self.need_cpus -= cpus
        self.max_cpus -= cpus
        self.need_nodes -= count
        self.min_left -= count
        self.max_nodes -= count
        self.taken.nodes |= nodes
        self.taken.cpus += cpus

    def add_required(self) -> None:
        for i in bits_of(self.ask.required):
            self.add(i)


Method = Callable[[Filler], Chosen | None]


@dataclass(slots=True, eq=False)
class _Stretch:
    """A run of neighbouring candidates of one weight: how many cores, its lowest node (as a bit: runs compare by it as by
    position), all its nodes, how many, and its first required node (or -1)."""

    cpus: int
    first: int
    nodes: int
    count: int
    required: int


def consecutive(fill: Filler) -> Chosen | None:
    """Best fit over runs of neighbouring nodes: lowest weight, then the tightest run that suffices, else the biggest.

    Within a run nodes are taken in order; when one node is enough, the one with the fewest free cores that does.
    """
    fill.add_required()
    if fill.done:
        return fill.answer
    for group in fill.groups():
        if _take_one_alone(fill, fill.nodes & group):
            return fill.answer
        stretches = sorted(_stretches(fill, group), key=_size)
        while stretches and fill.max_nodes > 0:
            _fill_from(fill, stretches.pop(_best_stretch(fill, stretches)))
            if fill.done:
                return fill.answer
    return fill.answer if fill.need_cpus <= 0 and fill.need_gpus <= 0 and fill.enough_nodes(0) else None


def _take_one_alone(fill: Filler, nodes: int) -> bool:
    """Take the one node that a job needs, if it stands alone and no run of more nodes can be as tight."""
    if fill.need_nodes > 1 or fill.need_gpus > 0 or fill.ask.required or fill.max_nodes <= 0 or not fill.enough_nodes(1):
        return False
    alone = nodes & ~(nodes << 1) & ~(nodes >> 1)
    i = _best_single(fill, alone) if alone else -1
    if i < 0 or fill.use(i) < fill.need_cpus:
        return False
    if fill.available(i) >= 2 * min(free // CORE for free, bits in fill.pool.free.sets.items() if bits & nodes):
        return False  # two poor neighbours may have less
    fill.add(i)
    return fill.done


def _stretches(fill: Filler, group: int) -> Iterator[_Stretch]:
    """The runs among the candidates of one weight. Required nodes are chosen already; they join what is beside them."""
    nodes, required = fill.nodes & group, fill.ask.required
    each = fill.same_cores(nodes)
    while nodes:
        low = nodes & -nodes
        free = run = nodes & ~(nodes + low)
        nodes ^= run
        must = 0
        if required:
            must = run & required
            free = run & ~must
        if free:
            count = free.bit_count()
            yield _Stretch(count * each if each else fill.cores(free), free & -free, free, count,
                           (must & -must).bit_length() - 1)


def _best_stretch(fill: Filler, stretches: list[_Stretch]) -> int:
    """The position of the run to take from next, in a list sorted by size."""
    if fill.ask.required:
        beside = [i for i, one in enumerate(stretches) if one.required >= 0]
        if beside:
            return min(beside, key=lambda i: stretches[i].first)
    for i in range(bisect_left(stretches, fill.need_cpus, key=_cpus), len(stretches)):
        one = stretches[i]
        if fill.enough_nodes(one.count) and (fill.need_gpus <= 0 or fill.gpus(one.nodes) >= fill.need_gpus):
            return i
    return bisect_left(stretches, stretches[-1].cpus, key=_cpus)


_cpus, _size = attrgetter("cpus"), attrgetter("cpus", "first")


def _fill_from(fill: Filler, stretch: _Stretch) -> None:
    if stretch.required < 0 and fill.need_nodes <= 1:
        single = _best_single(fill, stretch.nodes)
        if single >= 0:
            fill.add(single)
            return
    nodes = stretch.nodes
    if stretch.required < 0 and (fill.uniform or fill.ask.wish.whole) and fill.need_nodes > 1:
        many = lowest(nodes, min(fill.need_nodes, fill.max_nodes) - (0 if fill.uniform else 1))
        fill.add_many(many)
        nodes &= ~many
    order = bits_of(nodes) if not fill.done else []
    if stretch.required >= 0:  # first upwards from the required node, then downwards
        order = [i for i in order if i > stretch.required] + [i for i in reversed(order) if i < stretch.required]
    for i in order:
        if fill.done or fill.max_nodes <= 0:
            return
        if stretch.required < 0 and fill.max_nodes == 1 and fill.available(i) < fill.need_cpus:
            continue  # only one more node, and this one is too small
        fill.add(i)


def _best_single(fill: Filler, nodes: int) -> int:
    """The node with the fewest free cores that is enough alone, -1 if none is."""
    best, fewest = -1, 0
    if fill.task_gpus:
        enough = [i for i in bits_of(nodes) if fill.available(i) >= fill.need_cpus]
        return min(enough, key=fill.available, default=-1)
    for free, bits in fill.pool.free.sets.items():
        here = bits & nodes
        free = min(free // CORE, fill.most)
        if not here or free < fill.need_cpus or (best >= 0 and free > fewest):
            continue
        if fill.need_gpus > 0:
            here &= fill.pool.free.at_least(amount(0, fill.need_gpus))
        if here:
            first = (here & -here).bit_length() - 1
            best, fewest = (first if free < fewest or best < 0 else min(first, best)), free
    return best


def lowest(nodes: int, count: int) -> int:
    """The ``count`` lowest nodes of a bit set (all of them if there are fewer).

    >>> bin(lowest(0b110110, 3))
    '0b10110'
    """
    if nodes.bit_count() <= count:
        return nodes
    low, high = 0, nodes.bit_length()
    while low < high:  # the smallest prefix that holds so many
        middle = (low + high) // 2
        if (nodes & ((1 << middle) - 1)).bit_count() >= count:
            high = middle
        else:
            low = middle + 1
    return nodes & ((1 << low) - 1)


def least_loaded(fill: Filler) -> Chosen | None:
    """``CR_LLN``: by weight, then always the node with the largest share of free cores."""
    if fill.ask.wish.shape.ntasks:
        fill.max_nodes = min(fill.max_nodes, fill.ask.wish.shape.ntasks)
    fill.add_required()
    pool = fill.pool
    order = sorted(bits_of(fill.nodes & ~fill.taken.nodes),
                   key=lambda i: (fill.weight(i), -pool.free.cores(i) / pool.cpus[i], i))
    for i in order:
        if fill.done or fill.max_nodes <= 0:
            break
        fill.add(i)
    fits = fill.done or (fill.need_cpus <= 0 and fill.min_left <= 0 and fill.need_gpus <= 0)
    return fill.answer if fits else None
