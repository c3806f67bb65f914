"""What jobs ask of nodes: a :class:`Shape` is the request itself, a :class:`Wish` what it comes to in one partition.

The jobs of a log ask for one of a few sizes again and again. They share one object, and what follows from it is worked out
once. Sources: ``_select_cores`` in ``src/plugins/select/cons_tres/job_test.c`` and ``get_node_cnts`` in
``src/slurmctld/node_scheduler.c`` of Slurm 22.05; facts, section 3.
"""
from __future__ import annotations

from dataclasses import dataclass, field, fields
from functools import partial
from typing import Any
from weakref import WeakValueDictionary

from clustersim.slurm.features import picks

NO_LIMIT = 2**32  # cores
CORE = 1 << 16  # what a node has, or a job wants of it, is one number: cores * CORE + GPUs
GPUS = CORE - 1  # the part of it that counts GPUs; no node has so many


def amount(cores: int, gpus: int) -> int:
    """That number; more GPUs than can be counted are as many as no node has."""
    return cores * CORE + min(gpus, GPUS)


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Shape:
    """All that decides on which nodes a job could run; counts of 0 mean "not given".

    ``min_nodes``/``max_nodes`` and ``min_cpus`` are what sbatch sends: with ``-N`` both equal it, without it one node at
    least and any number at most; a task needs ``cpus_per_task`` cores.
    """

    min_nodes: int = 1
    max_nodes: int = 0
    ntasks: int = 0
    ntasks_per_node: int = 0
    cpus_per_task: int = 1
    min_cpus: int = 1
    gpus_per_node: int = 0
    gpus_per_job: int = 0
    gpus_per_task: int = 0
    gpu_type: str = ""
    exclusive: str = ""  # "", "node" or "user"
    constraint: str = ""
    nodelist: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    gpus: int = field(init=False)  # all GPUs of the job, as far as the request says
    per_node: int = field(init=False)  # cores of the tasks that each node takes, or of one task

    def __post_init__(self) -> None:
        object.__setattr__(self, "per_node", max(self.ntasks_per_node, 1) * self.cpus_per_task)
        object.__setattr__(self, "gpus", self.gpus_per_job or self.gpus_per_node * self.min_nodes)

    @classmethod
    def of(cls, **asked: Any) -> Shape:
        """The one object for this request: two are equal only if they are the same."""
        shape = cls(**asked)
        return _SHAPES.setdefault(tuple(shape._asked().values()), shape)

    def but(self, **changes: Any) -> Shape:
        """The same with other values."""
        return Shape.of(**self._asked() | changes)

    def _asked(self) -> dict[str, Any]:
        return {one.name: getattr(self, one.name) for one in fields(self) if one.init}

    def __reduce__(self) -> tuple[Any, ...]:  # a copy, or what another process sends, is the same object too
        return partial(Shape.of, **self._asked()), ()


_SHAPES: WeakValueDictionary[tuple[Any, ...], Shape] = WeakValueDictionary()


@dataclass(slots=True, eq=False)
class Wish:
    """How many nodes a job of this shape wants in a partition, and what each of them must have.

    ``nodes`` (a bit set) are those that suit it in any state, ``required`` those it must have (``-w``); ``counted``: only so
    many nodes with a feature are looked for, one core on each (``_get_req_features``).
    """

    shape: Shape
    nodes: int
    min_nodes: int
    max_nodes: int
    req_nodes: int
    whole: bool  # every node for this job alone
    required: int = 0
    counted: bool = False
    cpus: int = field(init=False)  # that a node needs to be of any use ...
    least: int = field(init=False)  # ... and these with the GPUs, as one number
    picky: bool = field(init=False)  # the constraint says more than which nodes suit
    fixed: bool = field(init=False)  # how many nodes and cores it takes is known beforehand, unless nodes are taken whole
    most: int = field(init=False)  # cores that a node counts with, see _trimmed
    one_node: bool = field(init=False)  # it takes its cores from one node of the scheduler's choice, shared with others
    alike: bool = field(init=False)  # it takes the same cores from each of a fixed number of nodes of the scheduler's choice
    possible: dict[int, bool] = field(default_factory=dict)  # answers of placing.test_only, by the nodes asked about

    def __post_init__(self) -> None:
        shape = self.shape
        all_on_one = self.max_nodes == 1 and shape.max_nodes == 1
        tasks = shape.ntasks_per_node or (shape.ntasks if all_on_one else 0) or 1  # on each node (``min_tasks_this_node``)
        self.cpus = tasks * shape.cpus_per_task
        gpus = max(shape.gpus_per_node, shape.gpus_per_task * tasks, 1 if shape.gpus_per_job else 0)
        self.least = amount(self.cpus, gpus)
        self.most = NO_LIMIT if self.whole else _trimmed(shape, self.max_nodes)
        self.picky = picks(shape.constraint)
        self.fixed = not self.picky and not shape.gpus_per_job and self.max_nodes == self.min_nodes
        free = not self.whole and not self.required and not shape.gpus_per_job
        count = self.min_nodes
        exact = count == self.req_nodes == self.max_nodes
        self.one_node = free and exact and count == 1 and (not shape.ntasks_per_node or shape.min_cpus <= shape.per_node)
        self.alike = free and exact and count > 1 and shape.min_cpus == count * shape.per_node


def _trimmed(shape: Shape, max_nodes: int) -> int:
    """The cores that a node counts with for a job with GPUs, when it is known how many tasks the node gets: what these need
    (``_select_cores`` in ``job_test.c``, ``gres_select_filter_sock_core``; measured: mix_gpus). So an empty node is as good
    as a started one, and the first of them is taken."""
    if not shape.gpus:
        return NO_LIMIT
    if shape.ntasks_per_node:
        return shape.ntasks_per_node * shape.cpus_per_task
    if max_nodes == 1 and shape.max_nodes == 1 and shape.ntasks:
        return shape.ntasks * shape.cpus_per_task
    if shape.ntasks == 1 or shape.ntasks == shape.min_nodes == shape.max_nodes:
        return shape.cpus_per_task
    return NO_LIMIT
