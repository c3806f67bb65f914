"""What one job asks for: the sbatch options of a workload entry as numbers the scheduler works with."""
from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from clustersim import units
from clustersim.cluster import Cluster
from clustersim.errors import InputError, UnsupportedError
from clustersim.messages import _
from clustersim.slurm.accounts import Accounting
from clustersim.slurm.features import parse_constraint
from clustersim.slurm.sbatchoptions import PASSED_OVER, READ
from clustersim.slurm.schema import MAX_SECONDS, Section, suggest, whole
from clustersim.slurm.settings import Settings
from clustersim.slurm.shape import Shape

MAX_COUNT = 65_536


class JobSpec(NamedTuple):
    """One submission. ``limit`` is minutes (``None``: none given); a count of 0 means "not given"."""

    id: str
    at: int
    user: str
    run: int
    limit: int | None = None
    name: str = ""
    partitions: tuple[str, ...] = ()
    qos: str = ""
    account: str = ""
    nice: int = 0
    shape: Shape = Shape.of()
    hold: bool = False
    begin: int = 0  # seconds after the submission
    requeue: bool | None = None
    reservation: str = ""
    switches: int = 0
    switch_wait: int = 0
    exit_code: int = 0
    ignore_term: bool = False
    stoppable: bool = False
    dependency: str = ""
    array: tuple[int, ...] = ()
    array_limit: int = 0


def read_job(item: Section, cluster: Cluster, settings: Settings, accounting: Accounting,
             before: Mapping[str, JobSpec]) -> JobSpec:
    """One entry of ``jobs``; ``before`` are the jobs above it, which a dependency may name."""
    item = _with_options(item)
    values = _identity(item, cluster, accounting)
    shape = _size(item)
    _gpus(item, shape)
    _extra_args(item, shape)
    exclusive = item.raw("exclusive", False)
    if not (isinstance(exclusive, bool) or exclusive == "user"):
        raise InputError(item.where("exclusive"), exclusive, _("true, false or \"user\""))
    begin = item.text("begin", "")
    ids, limit = parse_array(item.text("array", ""), item.where("array"), settings.max_array_size)
    constraint = item.text("constraint", "")
    parse_constraint(constraint, item.where("constraint"))
    count, wait = _switch_request(item, settings.scheduler.max_switch_wait)
    shape |= {"exclusive": "node" if exclusive is True else exclusive or "", "constraint": constraint,
              "nodelist": item.hosts("nodelist", cluster.index, ()), "exclude": item.hosts("exclude", cluster.index, ())}
    spec = JobSpec(
        **values, shape=Shape.of(**shape), hold=item.boolean("hold", False),
        begin=parse_begin(begin, item.where("begin")) if begin else 0,
        requeue=item.boolean("requeue") if "requeue" in item else None, reservation=item.text("reservation", ""),
        exit_code=item.integer("exit_code", 0, high=255), ignore_term=item.boolean("ignore_term", False),
        stoppable=item.boolean("stoppable", False), array=ids, array_limit=limit, dependency=item.text("dependency", ""),
        switches=count, switch_wait=wait)
    _check_dependency(item, spec, before)
    item.finish()
    return spec


_NEEDED, _SIZES = {"id", "user", "at", "run_s"}, ("nodes", "ntasks", "ntasks_per_node", "cpus_per_task", "gpus_per_node")
_KNOWN = _NEEDED | {"time_limit_min", *_SIZES}
_ID = re.compile(r"[A-Za-z0-9_.-]+")
_NOT_GIVEN = object()


def plain_job(data: Any) -> JobSpec | None:
    """The job if it has nothing but who, when and how large, all as it should be; else it has to be read with care.

    Most jobs of a large file are so, many of the same size.
    """
    if type(data) is not dict or not _NEEDED <= data.keys() <= _KNOWN:
        return None
    find = data.get
    name, user, at, run, limit = data["id"], data["user"], data["at"], data["run_s"], find("time_limit_min", _NOT_GIVEN)
    if type(name) is not str or not _ID.fullmatch(name) or type(user) is not str or not user:
        return None
    if not (type(at) is type(run) is int and 0 <= at <= MAX_SECONDS and 0 <= run <= MAX_SECONDS):
        return None
    if limit is _NOT_GIVEN:
        limit = None
    elif type(limit) is not int or not 1 <= limit <= MAX_SECONDS:
        return None
    try:
        rest = _plain_size(*[find(key, _NOT_GIVEN) for key in _SIZES])
    except TypeError:  # a list or an object
        return None
    return None if rest is None else JobSpec._make((name, at, user, run, limit, name, *rest))


@lru_cache(maxsize=4096, typed=True)  # typed: neither true nor 1.0 is 1
def _plain_size(nodes: Any, tasks: Any, per_node: Any, per_task: Any, gpus: Any) -> tuple[Any, ...] | None:
    """All fields behind the name for a job of this size, ``None`` if a value is not as it should be."""
    for value, low in ((nodes, 1), (tasks, 1), (per_node, 1), (per_task, 1), (gpus, 0)):
        if value is not _NOT_GIVEN and (type(value) is not int or not low <= value <= MAX_COUNT):
            return None
    nodes, tasks, per_node, gpus = (0 if value is _NOT_GIVEN else value for value in (nodes, tasks, per_node, gpus))
    per_task = 1 if per_task is _NOT_GIVEN else per_task
    shape = Shape.of(**_size_of(nodes, nodes, tasks, per_node, per_task), gpus_per_node=gpus)
    return JobSpec("", 0, "", 0, shape=shape)[JobSpec._fields.index("name") + 1:]


def _identity(item: Section, cluster: Cluster, accounting: Accounting) -> dict[str, Any]:
    limit = None if item.raw("time_limit_min") is None else item.integer("time_limit_min", low=1)
    partitions = tuple(name.strip() for name in item.text("partition", "").split(",") if name.strip())
    if "partition" in item and not partitions:
        raise InputError(item.where("partition"), item.raw("partition"), _("a partition of the cluster"))
    for name in partitions:
        if cluster.partition(name) is None:
            raise InputError(item.where("partition"), name, _("a partition of the cluster"),
                             suggest(name, [p.name for p in cluster.partitions]))
    qos, account = item.text("qos", ""), item.text("account", "")
    if qos and qos not in accounting.qos:
        raise InputError(item.where("qos"), qos, _("a QOS of this file"), suggest(qos, accounting.qos))
    if account and account not in accounting.accounts:
        raise InputError(item.where("account"), account, _("an account of this file"), suggest(account, accounting.accounts))
    job_id = item.text("id")
    if not _ID.fullmatch(job_id):
        raise InputError(item.where("id"), job_id, _("letters, digits, dots, dashes and underscores"))
    return {
        "id": job_id, "at": item.integer("at"), "user": item.text("user"), "run": item.integer("run_s"), "limit": limit,
        "name": item.text("job_name", job_id), "partitions": partitions, "qos": qos, "account": account,
        "nice": item.integer("nice", 0, low=-2_147_483_645, high=2_147_483_645)}


_RANGE = re.compile(r"([1-9]\d{0,8})-([1-9]\d{0,8})", re.ASCII)


def _node_counts(item: Section) -> tuple[int, int]:
    """(least, most) nodes: ``"nodes": 3``, or ``"nodes": "2-4"`` for ``--nodes=2-4``; (0, 0) if not given."""
    match = _RANGE.fullmatch(text) if isinstance(text := item.raw("nodes"), str) else None
    if not match:
        return (count := item.integer("nodes", low=1, high=MAX_COUNT) if "nodes" in item else 0), count
    least, most = int(match[1]), int(match[2])
    if not least <= most <= MAX_COUNT:
        raise InputError(item.where("nodes"), text, _("a count of nodes, or LEAST-MOST"))
    return least, most


def _size(item: Section) -> dict[str, Any]:
    least, most = _node_counts(item)
    tasks = item.integer("ntasks", low=1, high=MAX_COUNT) if "ntasks" in item else 0
    per_node = item.integer("ntasks_per_node", low=1, high=MAX_COUNT) if "ntasks_per_node" in item else 0
    per_task = item.integer("cpus_per_task", 1, low=1, high=MAX_COUNT)
    return _size_of(least, most, tasks, per_node, per_task)


def _size_of(least: int, most: int, tasks: int, per_node: int, per_task: int) -> dict[str, Any]:
    """What sbatch makes of the numbers of nodes, tasks, tasks a node and cores a task (0: not given).

    Without tasks a fixed count of nodes means one core a node, a range one core in all (``sbatch/opt.c``: one process a
    node is the default only where both ends are the same).
    """
    if tasks:  # sbatch: "can't run 1 processes on 2 nodes, setting nnodes to 1"
        least, most = min(least, tasks), min(most, tasks)
    fixed = least == most
    least = max(least, 1)
    if per_node and not tasks:
        tasks = per_node * least
    return {"min_nodes": least, "max_nodes": most, "ntasks": tasks, "ntasks_per_node": per_node, "cpus_per_task": per_task,
            "min_cpus": (tasks or (least if fixed else 1)) * per_task}


def _gpus(item: Section, shape: dict[str, Any]) -> None:
    per_node, total, per_task = (item.integer(key, 0, high=MAX_COUNT) for key in ("gpus_per_node", "gpus", "gpus_per_task"))
    if per_task:
        if not shape["ntasks"]:
            raise InputError(item.where("gpus_per_task"), per_task, _("ntasks beside it"))
        total = per_task * shape["ntasks"]
    shape.update(gpus_per_node=per_node, gpus_per_job=total, gpus_per_task=per_task)


_AS_KEYS = {name: key for name, key in READ.items() if name not in {
    "gres", "gpus", "gpus-per-node", "time", "hold", "requeue", "no-requeue"}}
_NUMBERS = frozenset({"nodes", "ntasks", "ntasks_per_node", "cpus_per_task", "gpus_per_task", "nice"})
_OPTION = re.compile(r"--([a-z-]+)(?:=(.*))?", re.DOTALL)


class _WithOptions(Section):
    """A job with those of its ``extra_args`` that are keys as well; errors name the place where they stand."""

    def __init__(self, item: Section, options: dict[str, Any]) -> None:
        self.options = options
        super().__init__({**item.data, **options}, item.file, item.path)

    def where(self, key: str = "") -> str:
        return super().where("extra_args" if key in self.options else key)


def _with_options(item: Section) -> Section:
    """``extra_args`` come last on sbatch's command line, so ``--nodes=2-4`` there is the job's ``nodes``."""
    options: dict[str, Any] = {}
    for match in map(_OPTION.fullmatch, item.texts("extra_args") if "extra_args" in item else ()):
        if match and match[1] in _AS_KEYS and match[2]:
            key, text = _AS_KEYS[match[1]], match[2]
            options[key] = int(text) if key in _NUMBERS and re.fullmatch(r"-?\d{1,9}", text, re.ASCII) else text
    return _WithOptions(item, options) if options else item


def _extra_args(item: Section, shape: dict[str, Any]) -> None:
    for text in item.texts("extra_args"):
        option = _OPTION.fullmatch(text)
        if option and (option[1] in PASSED_OVER or (option[1] in _AS_KEYS and option[2])):
            continue
        match = re.fullmatch(r"--gres=gpu(?::([A-Za-z0-9][\w.+-]*))??(?::(\d{1,9}))?", text)
        if match:
            shape.update(gpu_type=match[1] or "", gpus_per_node=int(match[2] or 1))
            continue
        match = re.fullmatch(r"--gpus(-per-node)?=(?:([A-Za-z0-9][\w.+-]*):)?(\d{1,9})", text)
        if not match:
            raise UnsupportedError(item.where("extra_args"), text)
        shape["gpu_type"] = match[2] or ""
        shape["gpus_per_node" if match[1] else "gpus_per_job"] = int(match[3])


def _switch_request(item: Section, most: int) -> tuple[int, int]:
    """(leaf switches at most, seconds to wait for so few): never more than ``max_switch_wait`` (``job_mgr.c``)."""
    value = item.raw("switches")
    if value is None:
        return 0, 0
    match = re.fullmatch(r"(\d{1,9})(?:@(.+))?", str(value))
    if isinstance(value, bool) or not match or not int(match[1]):
        raise InputError(item.where("switches"), value, _("a count of switches, or count@time"))
    minutes = units.parse_slurm_minutes(match[2], item.where("switches")) if match[2] else None
    return int(match[1]), most if minutes is None else min(minutes * units.MINUTE, most)


def parse_array(text: str, where: str, max_size: int) -> tuple[tuple[int, ...], int]:
    """``0-7%2``, ``1-15:2``, ``1,5,9`` as task ids in rising order and the limit of tasks at once (0: none)."""
    if not text:
        return (), 0
    body, _sign, limit = text.partition("%")
    if _sign and not whole(limit):
        raise InputError(where, text, _("a count behind %, such as 0-7%2"))
    ids: set[int] = set()
    for part in body.split(","):
        match = re.fullmatch(r"(\d{1,9})(?:-(\d{1,9})(?::(\d{1,9}))?)?", part.strip())
        if not match or int(match[2] or match[1]) < int(match[1]) or (match[3] and not int(match[3])):
            raise InputError(where, text, _("task ids such as 0-7, 1-15:2 or 1,5,9, with %n for at most n at once"))
        last = int(match[2] or match[1])
        if last >= max_size:
            raise InputError(where, text, _("task ids below MaxArraySize {size}").format(size=max_size))
        ids.update(range(int(match[1]), last + 1, int(match[3] or 1)))
    return tuple(sorted(ids)), int(limit or 0)


_UNITS = {"": 1, "second": 1, "minute": units.MINUTE, "hour": units.HOUR, "day": units.DAY, "week": 7 * units.DAY}


def parse_begin(text: str, where: str) -> int:
    """``now+15minutes`` as seconds after the submission. Clock times need a calendar and are not modelled."""
    match = re.fullmatch(r"now(?:\+(\d{1,9})([a-z]*))?", text.strip().lower())
    unit = (match[2] or "").rstrip("s") if match else ""
    if not match or unit not in _UNITS:
        if re.match(r"\d|today|tomorrow|midnight|noon|fika|teatime", text.strip().lower()):
            raise UnsupportedError(where, text)
        raise InputError(where, text, _("now+COUNT[seconds|minutes|hours|days|weeks]"))
    return int(match[1] or 0) * _UNITS[unit]


_TASK = re.compile(r"(.+)(?:_(\d{1,9})|\[(\d{1,9})\])", re.ASCII | re.DOTALL)


def names_job(name: str, jobs: Mapping[str, JobSpec]) -> bool:
    """Whether ``name`` is the id of one of ``jobs``, or a task of an array among them: ``arr_5`` or ``arr[5]``."""
    match = _TASK.fullmatch(name)
    return name in jobs or (match is not None and match[1] in jobs and int(match[2] or match[3]) in jobs[match[1]].array)


def _check_dependency(item: Section, spec: JobSpec, before: Mapping[str, JobSpec]) -> None:
    where = item.where("dependency")
    if "," in spec.dependency and "?" in spec.dependency:
        raise InputError(where, spec.dependency, _("either commas (all) or question marks (any), not both"))
    for part in filter(None, re.split(r"[,?]", spec.dependency)):
        kind, _colon, rest = part.partition(":")
        if kind == "singleton" and not rest:
            continue
        if kind in {"afterburstbuffer", "expand"} and rest:
            raise UnsupportedError(where, kind)
        if kind not in {"after", "afterok", "afternotok", "afterany", "aftercorr"} or not rest:
            raise InputError(where, part, _("after, afterok, afternotok, afterany or aftercorr with :$job, or singleton"))
        for name in rest.split(":"):
            job, _plus, minutes = name.partition("+")
            if minutes and (kind != "after" or whole(minutes) is None):
                raise InputError(where, name, _("minutes behind + only with after, such as after:$a+2"))
            if job.startswith("$") and not names_job(job[1:], before):
                raise InputError(where, name, _("a $job named before this one"), suggest(job[1:], before))
            if not job.startswith("$") and whole(job.partition("_")[0]) is None:
                raise InputError(where, name, _("$job or a job number"))
