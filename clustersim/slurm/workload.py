"""A workload file: cluster, configuration, accounting, jobs and what an operator does, read and checked.

The form is that of the measured Slurm schedules (README of the conformance data, ``tests/golden/slurm_golden``).
Keys that are legal there but not modelled raise :class:`~clustersim.errors.UnsupportedError` with their JSON path.
"""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from clustersim import hostlist, units
from clustersim.clock import uncollected
from clustersim.cluster import UNLIMITED_NODES, Cluster, Node, Partition, Switch
from clustersim.errors import InputError, UnsupportedError
from clustersim.jsontext import load_json, read_text
from clustersim.messages import _
from clustersim.slurm.accounts import Accounting, read_accounting
from clustersim.slurm.requests import JobSpec, names_job, plain_job, read_job
from clustersim.slurm.schema import BOUNDLESS, MAX_SECONDS, NOTHING, YES_NO, Section, suggest, whole, whole_k, words
from clustersim.slurm.settings import Settings, check_preemption, parse_settings, preempt_words

MAX_CPUS = 65_536


@dataclass(frozen=True, slots=True)
class OperatorAct:
    """One entry of ``events``: at ``at`` seconds somebody does ``do``. What it needs is in the other fields."""

    at: int
    do: str
    job: str = ""
    user: str = "root"
    nodes: tuple[str, ...] = ()
    reason: str = ""
    name: str = ""
    start: int = 0
    duration: int = 0  # seconds
    users: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()
    flags: frozenset[str] = frozenset()
    label: str = ""
    set: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class SlurmWorkload:
    """A checked workload. ``until`` is where the measured run stopped, in seconds (``None``: when all is done)."""

    name: str
    cluster: Cluster
    settings: Settings
    accounting: Accounting
    jobs: tuple[JobSpec, ...]
    events: tuple[OperatorAct, ...] = ()
    until: int | None = None
    speed: float | None = None  # simulated seconds in a real one, where the workload was measured


def read_workload(path: str | Path) -> SlurmWorkload:
    """The workload in the file ``path``; :class:`InputError` names file and JSON path of what is wrong."""
    return parse_workload(read_text(Path(path), _("a readable workload file")), Path(path).name)


def parse_workload(text: str | Mapping[str, Any], file: str = "workload") -> SlurmWorkload:
    """The workload in ``text`` (JSON, or the object itself)."""
    with uncollected():
        return _parse(text, file)


def _parse(text: str | Mapping[str, Any], file: str) -> SlurmWorkload:
    root = Section(load_json(text, file, _("a workload as JSON")) if isinstance(text, str) else text, file, "")
    root.only("name about features speed cluster config accounting jobs events until_s")
    cluster = _cluster(root.section("cluster") if "cluster" in root else _missing(root, "cluster"))
    config = root.section("config")
    settings = parse_settings(config.data, config.where)
    check_preemption(settings, config.where, config.data)
    accounting = read_accounting(root.section("accounting"))
    refuse_time_slices(settings, accounting, config.where("PreemptMode"))
    jobs = _jobs(root, cluster, settings, accounting)
    events = _events(root, cluster, {spec.id: spec for spec in jobs})
    until = root.integer("until_s") if root.raw("until_s") is not None else None
    name = root.text("name", "workload")
    return SlurmWorkload(name, cluster, settings, accounting, jobs, events, until, _speed(root))


def refuse_time_slices(settings: Settings, accounting: Accounting, where: str) -> None:
    """With ``preempt/qos`` and ``SUSPEND,GANG`` preemptor and victim share their cores in slices of time (slurm.conf(5),
    PreemptMode; measured): the newcomer starts suspended, and they take turns. That is not modelled."""
    victims = {name for one in accounting.qos.values() for name in one.preempt}
    modes = {accounting.qos[name].preempt_mode or settings.preempt_mode for name in victims}
    if settings.preempt_type == "preempt/qos" and "SUSPEND" in modes:
        raise UnsupportedError(where, _("suspending by QOS, which means taking turns on the same cores: use REQUEUE or "
                                        "CANCEL, or partitions of two tiers with preempt/partition_prio,"))


def _speed(root: Section) -> float | None:
    value = root.raw("speed")
    if value is not None and (isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 10_000):
        raise InputError(root.where("speed"), value, _("a number above 0, at most 10000"))
    return value


def _missing(section: Section, key: str) -> Section:
    raise InputError(section.where(key), NOTHING, _("a JSON object"))


def _cluster(section: Section) -> Cluster:
    nodes: dict[str, Node] = {}
    for item in section.sections("nodes", least=1):
        for name in hostlist.expand(item.text("name"), item.where("name")):
            if name in nodes:
                raise InputError(item.where("name"), name, _("a name that no other node has"))
            nodes[name] = Node(
                name, item.integer("cpus", low=1, high=MAX_CPUS), item.integer("gpus", 0, high=1024), item.text("gpu_type", ""),
                item.integer("memory_mb", 16_000, low=1), item.integer("weight", 1, high=2**32),
                frozenset(item.texts("features")))
        item.finish()
    partitions: dict[str, Partition] = {}
    for item in section.sections("partitions", least=1):
        partition = _partition(item, nodes)
        if partition.name in partitions:
            raise InputError(item.where("name"), partition.name, _("a name that no other partition has"))
        partitions[partition.name] = partition
    switches = _switches(section, nodes)
    section.finish()
    return in_table_order(Cluster(tuple(nodes.values()), tuple(partitions.values()), switches))


def in_table_order(cluster: Cluster) -> Cluster:
    """The cluster with its nodes by name, numbers counting as numbers, whatever the order in which the file names them.

    The controller sorts its table so (``_sort_nodes_by_name`` in ``src/slurmctld/read_config.c``; measured), and whoever
    looks for the first node that suits looks in this order.
    """
    place = {node.name: i for i, node in enumerate(sorted(cluster.nodes, key=lambda node: hostlist.natural(node.name)))}

    def ordered(names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(sorted(names, key=place.__getitem__))

    return Cluster(
        tuple(sorted(cluster.nodes, key=lambda node: place[node.name])),
        tuple(replace(part, nodes=ordered(part.nodes)) for part in cluster.partitions),
        tuple(replace(switch, nodes=ordered(switch.nodes)) for switch in cluster.switches))


_PARTITION_KEYS = {
    "Default": "default", "MaxTime": "max_time", "DefaultTime": "default_time", "MinNodes": "min_nodes",
    "MaxNodes": "max_nodes", "PriorityTier": "priority_tier", "PriorityJobFactor": "priority_job_factor",
    "OverSubscribe": "oversubscribe", "State": "state",
    "LLN": "lln", "PreemptMode": "preempt_mode", "GraceTime": "grace",
}
PARTITION_KEYS = frozenset(_PARTITION_KEYS)
_PARTITION_UNMODELLED = words("""
    AllowGroups AllowAccounts AllowQos DenyAccounts DenyQos QOS MaxCPUsPerNode DefMemPerNode
    DefMemPerCPU ExclusiveUser Hidden RootOnly OverTimeLimit TRESBillingWeights ReqResv""")


def _partition(item: Section, nodes: Mapping[str, Node]) -> Partition:
    name = item.text("name")
    values: dict[str, Any] = {"nodes": item.hosts("nodes", nodes, tuple(nodes))}
    for key in sorted(_PARTITION_UNMODELLED):
        if key in item:
            raise UnsupportedError(item.where(key), key)
    for key in _PARTITION_KEYS:
        if key in item:
            values.update(partition_value(key, item.raw(key), item.where(key)))
    item.finish(_PARTITION_UNMODELLED)
    return Partition(name, **values)


def partition_value(key: str, value: object, where: str) -> dict[str, Any]:
    """One partition key of slurm.conf as fields of :class:`Partition`; also what ``update_partition`` sets."""
    if key not in _PARTITION_KEYS:
        raise InputError(where, key, _("a partition key of slurm.conf"), suggest(key, _PARTITION_KEYS))
    text, field = str(value).strip(), _PARTITION_KEYS[key]
    if isinstance(value, bool) or not isinstance(value, str | int) or not text:
        raise InputError(where, value, _("text or a whole number, as in slurm.conf"))
    if key in {"MaxTime", "DefaultTime"}:
        return {field: units.parse_slurm_minutes(text, where)}
    if key == "OverSubscribe":
        mode, _colon, count = text.upper().partition(":")
        if mode not in {"NO", "EXCLUSIVE", "YES", "FORCE"} or (count and not whole(count)):
            raise InputError(where, text, "NO, EXCLUSIVE, YES[:n], FORCE[:n]")
        if mode == "FORCE" and int(count or 4) != 1:
            raise UnsupportedError(where, _("several jobs on one core"))
        return {"oversubscribe": mode, "max_share": int(count or 1)}
    if key in {"Default", "LLN"}:
        if text.lower() not in YES_NO:
            raise InputError(where, text, "YES, NO")
        return {field: YES_NO[text.lower()]}
    if key == "PreemptMode":
        mode, gang, within = preempt_words(text, where)
        if within or (gang and mode != "SUSPEND"):
            raise UnsupportedError(where, f"{key}={text}")
        return {field: mode}
    if key == "State":
        state = _DRAINS.get(text.upper(), text.upper())
        if state not in _STATES:
            raise InputError(where, text, _("one of {options}").format(options=", ".join(_STATES)), suggest(text, _STATES))
        return {field: state}
    if key in _UNBOUNDED and text.upper() in BOUNDLESS:
        return {field: _UNBOUNDED[key]}
    number, most = (whole_k(text), 2**32 - 1) if key in _UNBOUNDED else (whole(text), 65_533)
    if number is None or number > most:
        raise InputError(where, value, _("a whole number from {low} to {high}").format(low=0, high=most))
    return {field: number}


_UNBOUNDED = {"MinNodes": 1, "MaxNodes": UNLIMITED_NODES, "GraceTime": 2**32 - 1}  # what UNLIMITED is of each
_STATES = ("UP", "DOWN", "DRAIN", "INACTIVE")
_DRAINS = {"DRAINED": "DRAIN", "DRAINING": "DRAIN"}


def _switches(section: Section, nodes: Mapping[str, Node]) -> tuple[Switch, ...]:
    switches: dict[str, Switch] = {}
    for item in section.sections("switches"):
        name = item.text("name")
        below = hostlist.expand(item.text("switches"), item.where("switches")) if "switches" in item else []
        for child in below:
            if child not in switches:
                raise InputError(item.where("switches"), child, _("a switch named before"), suggest(child, switches))
        if name in switches:
            raise InputError(item.where("name"), name, _("a name that no other switch has"))
        hosts = item.hosts("nodes", nodes, ())
        if bool(below) == bool(hosts):
            raise InputError(item.where(), name, _("either nodes or switches"))
        item.finish()
        switches[name] = Switch(name, hosts, tuple(below))
    return tuple(switches.values())


def _jobs(root: Section, cluster: Cluster, settings: Settings, accounting: Accounting) -> tuple[JobSpec, ...]:
    jobs: dict[str, JobSpec] = {}
    for i, data in enumerate(root.rows("jobs")):
        spec = plain_job(data) or read_job(root.row("jobs", i), cluster, settings, accounting, jobs)
        if spec.id in jobs:
            raise InputError(root.row("jobs", i).where("id"), spec.id, _("an id that no other job has"))
        jobs[spec.id] = spec
    return tuple(jobs.values())


_ACTS = ("drain", "down", "resume", "kill_slurmd", "start_slurmd", "scancel", "hold", "release", "requeue",
         "create_reservation", "update_partition", "snapshot")
_RESERVATION_FLAGS = ("MAINT", "IGNORE_JOBS", "FLEX", "IGNORE", "OVERLAP", "DAILY", "WEEKLY", "PART_NODES", "ANY_NODES")


def _events(root: Section, cluster: Cluster, jobs: Mapping[str, JobSpec]) -> tuple[OperatorAct, ...]:
    """The events. Two reservations of one name may only follow each other, as scontrol refuses the second one else."""
    events = []
    over: dict[str, int] = {}  # until when each name is taken
    for item in root.sections("events"):
        one = read_event(item, cluster, jobs)
        if one.do == "create_reservation":
            if one.at < over.get(one.name, 0):
                raise InputError(item.where("name"), one.name, _("a name that no other reservation has at that time"))
            over[one.name] = one.start + one.duration
        events.append(one)
    return tuple(events)


def read_event(item: Section, cluster: Cluster, jobs: Mapping[str, JobSpec]) -> OperatorAct:
    """One entry of ``events``; ``jobs`` are those it may name, by id."""
    do = item.choice("do", _ACTS)
    at = item.integer("at")
    if do == "snapshot":
        item.finish(("commands", "label"))
        return OperatorAct(at, do, label=item.text("label", ""))
    if do in {"drain", "down", "resume", "kill_slurmd", "start_slurmd"}:
        act = OperatorAct(at, do, nodes=item.hosts("nodes", cluster.index), reason=item.text("reason", ""))
        if do in {"drain", "down"} and not act.reason:
            expected = _("a reason: scontrol refuses to {do} a node without one").format(do=do)
            raise InputError(item.where("reason"), NOTHING, expected)
    elif do == "create_reservation":
        act = _reservation(item, cluster, at)
    elif do == "update_partition":
        key = "partition" if "partition" in item else "name"
        act = OperatorAct(at, do, name=item.text(key), set=_settings_of(item))
        if cluster.partition(act.name) is None:
            raise InputError(item.where(key), act.name, _("a partition of the cluster"),
                             suggest(act.name, [p.name for p in cluster.partitions]))
    else:
        act = OperatorAct(at, do, job=item.text("job"), user=item.text("user", "root"))
        if not names_job(act.job, jobs):
            expected = _("the id of a job in this file, or of a task of its array, such as a[3]")
            raise InputError(item.where("job"), act.job, expected, suggest(act.job, jobs))
    item.finish(("label",))
    return act


def _settings_of(item: Section) -> tuple[tuple[str, str], ...]:
    values = item.section("set")
    if not values.data:
        raise InputError(item.where("set"), NOTHING if "set" not in item else {}, _("at least one partition key of slurm.conf"))
    for key, value in values.data.items():
        partition_value(key, value, values.where(key))
    return tuple((key, str(value)) for key, value in values.data.items())


def _reservation(item: Section, cluster: Cluster, at: int) -> OperatorAct:
    flags = frozenset(flag.strip().upper() for flag in item.text("flags", "").split(",") if flag.strip())
    for flag in sorted(flags):
        if flag not in _RESERVATION_FLAGS:
            hint = suggest(flag, _RESERVATION_FLAGS)
            raise InputError(item.where("flags"), flag, _("a flag of scontrol create reservation"), hint)
        if flag not in {"MAINT", "IGNORE_JOBS"}:
            raise UnsupportedError(item.where("flags"), flag)

    def names(key: str) -> tuple[str, ...]:
        return tuple(name.strip() for name in item.text(key, "").split(",") if name.strip())

    return OperatorAct(
        at, "create_reservation", name=item.text("name"), start=item.integer("start_s", low=at, high=MAX_SECONDS),
        duration=units.MINUTE * item.integer("duration_min", low=1), nodes=item.hosts("nodes", cluster.index), flags=flags,
        users=names("users"), accounts=names("accounts"))
