"""``NodeName``, ``DownNodes`` and ``NodeSet`` lines of a slurm.conf.

Source: slurm.conf(5), "NODE CONFIGURATION". A ``NodeName=DEFAULT`` line holds for the lines below it, key by key, until
another one sets the key anew.
"""
from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from clustersim import hostlist
from clustersim.cluster import Node
from clustersim.errors import InputError
from clustersim.messages import _
from clustersim.slurm import confvalues
from clustersim.slurm.conffile import DEFAULT, MAX_NUMBER, Entry, Keys, Notice
from clustersim.slurm.confkeys import NODE_KEYS, NODE_NOT_MODELLED, NODE_NUMBERS
from clustersim.slurm.gresconf import node_gres
from clustersim.slurm.schema import BOUNDLESS, suggest, words
from clustersim.slurm.workload import MAX_CPUS, OperatorAct

# What a state in slurm.conf means at the start: an act of the operator, nothing, or no node yet.
_STATES = {
    "UNKNOWN": "", "IDLE": "", "ALLOCATED": "", "MIXED": "", "CLOUD": "", "FUTURE": "future",
    "DOWN": "down", "DRAIN": "drain", "DRAINED": "drain", "DRAINING": "drain", "FAIL": "drain", "FAILING": "drain"}
_NO_REASON = "slurm.conf"
_OWN = words("BcastAddr NodeAddr NodeHostname")
_TEXTS = words("CpuBind CPUSpecList RestrictedCoresPerGPU SuspendTime TRESWeights")
_LARGE = words("MemSpecLimit RealMemory TmpDisk")
MAX_WEIGHT = 2**32 - 2  # UNLIMITED is the largest number less one (_parse_nodename)


@dataclass(slots=True)
class NodeLines:
    """The nodes so far, in the order of the file, and what is done to them at the start."""

    types: tuple[str, ...]
    notices: list[Notice]
    nodes: dict[str, Node] = field(default_factory=dict)
    acts: list[OperatorAct] = field(default_factory=list)
    future: set[str] = field(default_factory=set)
    sets: dict[str, tuple[str, ...]] = field(default_factory=dict)
    _default: dict[str, Entry] = field(default_factory=dict)
    _said: set[Entry] = field(default_factory=set)

    def add(self, entries: list[Entry]) -> None:
        """One NodeName line."""
        keys = Keys.of(_("a NodeName line"), NODE_KEYS, self.notices, Feature="Features", Procs="CPUs")
        record = keys.record(entries)
        names = record.pop("NodeName")
        _check(record)
        if names.value.upper() == DEFAULT:
            for key in sorted(_OWN & set(record)):
                raise record[key].wrong(_("no {key} in a DEFAULT line: each node has its own").format(key=key))
            self._default.update(record)
            return
        if names.value.upper() in {"", "ALL"}:
            raise names.wrong(_("names of nodes; DEFAULT and ALL are reserved words"))
        record = {**self._default, **record}
        for key in sorted(NODE_NOT_MODELLED & set(record)):
            self._once(keys, record[key])
        hosts = hostlist.expand(names.value, names.where)
        _check_addresses(record, len(hosts))
        state = record.get("State")
        kind = _state(state) if state else ""
        if kind == "future":
            self.future.update(hosts)
            return
        self._make(names, hosts, record, keys)
        if state and kind:
            reason = record["Reason"].value if "Reason" in record else _NO_REASON
            self.acts.append(OperatorAct(0, kind, nodes=tuple(hosts), reason=reason or _NO_REASON))
        elif state and state.value.upper() == "CLOUD":
            self._once(keys, state)

    def _once(self, keys: Keys, entry: Entry) -> None:
        """A DEFAULT that is not modelled is said once, not for every line that takes it."""
        if entry not in self._said:
            self._said.add(entry)
            keys.left_out(entry)

    def _make(self, names: Entry, hosts: list[str], record: Mapping[str, Entry], keys: Keys) -> None:
        cpus = _cpus(names, record, self.notices)
        gpus, gpu_type = node_gres(record["Gres"], self.types, keys) if "Gres" in record else (0, "")
        memory = record["RealMemory"].number(low=1) if "RealMemory" in record else 1
        weight = _weight(record["Weight"]) if "Weight" in record else 1
        features = frozenset(record["Features"].words()) if "Features" in record else frozenset()
        for name in hosts:
            if name in self.nodes:
                raise InputError(names.where, name, _("a name that no other node has"))
            self.nodes[name] = Node(name, cpus, gpus, gpu_type, memory, weight, features)

    def down(self, entries: list[Entry]) -> None:
        """One DownNodes line: nodes that are not usable at the start."""
        keys = Keys.of(_("a DownNodes line"), ("DownNodes", "Reason", "State"), self.notices)
        record = keys.record(entries)
        names = record["DownNodes"]
        state = record.get("State")
        kind = _state(state) if state else "down"
        if kind not in {"down", "drain"}:
            raise (state or names).wrong("DOWN, DRAIN, FAIL, FAILING")
        reason = record["Reason"].value if "Reason" in record else _NO_REASON
        self.acts.append(OperatorAct(0, kind, nodes=self.known(names), reason=reason or _NO_REASON))

    def node_set(self, entries: list[Entry]) -> None:
        """One NodeSet line: a name for nodes that share a feature or are listed."""
        keys = Keys.of(_("a NodeSet line"), ("NodeSet", "Feature", "Nodes"), self.notices)
        record = keys.record(entries)
        name = record["NodeSet"]
        if name.value in self.sets or name.value in self.nodes:
            raise name.wrong(_("a name that no other node or set of nodes has"))
        if ("Feature" in record) == ("Nodes" in record):
            raise name.wrong(_("either Feature or Nodes in the line"))
        if "Nodes" in record:
            self.sets[name.value] = self.known(record["Nodes"])
            return
        feature = record["Feature"]
        known = {word for node in self.nodes.values() for word in node.features}
        if feature.value not in known:
            raise feature.wrong(_("a feature of some node"), suggest(feature.value, known))
        self.sets[name.value] = tuple(n.name for n in self.nodes.values() if feature.value in n.features)

    def known(self, entry: Entry) -> tuple[str, ...]:
        """The nodes that a host list means (``ALL``, names of node sets, nodes), in the order of the file."""
        names: Iterable[str] = self.nodes if entry.value.upper() == "ALL" else hostlist.expand(entry.value, entry.where)
        found: set[str] = set()
        for name in names:
            if name in self.sets:
                found.update(self.sets[name])
            elif name in self.nodes:
                found.add(name)
            elif name not in self.future:
                raise InputError(entry.where, name, _("a node of this file"), suggest_node(name, self.nodes))
        if len(found) == len(self.nodes):
            return tuple(self.nodes)
        return tuple(name for name in self.nodes if name in found)


def suggest_node(name: str, nodes: Mapping[str, object]) -> str:
    """:func:`suggest`, but for thousands of names that differ in a number: then only which names there are."""
    return suggest(name, nodes) if len(nodes) <= 100 else _("Known here: {keys}").format(keys=hostlist.compress(nodes))


def _check(record: Mapping[str, Entry]) -> None:
    """Values that are wrong in a DEFAULT line are wrong there, not where they are first used."""
    for key in sorted(NODE_NUMBERS & set(record)):
        if key == "Weight":
            _weight(record[key])
            continue
        low = 0 if key in {"TmpDisk", "CoreSpecCount", "MemSpecLimit"} else 1
        record[key].number(low, MAX_CPUS if key == "CPUs" else MAX_NUMBER if key in _LARGE else 2**16 - 3)
    for key in _TEXTS & set(record):
        confvalues.check(key, record[key])
    if "State" in record:
        _state(record["State"])
    if "Features" in record:
        for word in record["Features"].words():
            if any(char in "&|*[]()" for char in word):
                raise record["Features"].wrong(_("features without &, |, *, brackets and parentheses"))


def _weight(entry: Entry) -> int:
    return MAX_WEIGHT if entry.value.upper() in BOUNDLESS else entry.number(high=MAX_WEIGHT)


def _check_addresses(record: Mapping[str, Entry], count: int) -> None:
    """``NodeAddr``, ``NodeHostname`` and the like name one thing for all nodes or one for each (``read_config.c``)."""
    for key in sorted((_OWN | {"Port"}) & set(record)):
        entry = record[key]
        found = len(hostlist.expand(f"p{entry.value}" if key == "Port" else entry.value, entry.where))
        if found not in {1, count}:
            raise entry.wrong(_("1 or {count}, as many as NodeName").format(count=count))


def _state(entry: Entry) -> str:
    if entry.value.upper() not in _STATES:
        raise entry.wrong(_("one of {options}").format(options=", ".join(_STATES)), suggest(entry.value, _STATES))
    return _STATES[entry.value.upper()]


def _cpus(names: Entry, record: Mapping[str, Entry], notices: list[Notice]) -> int:
    """CPUs, or what boards, sockets, cores and threads make; where both stand and differ, Slurm takes the latter."""
    def number(key: str) -> int:
        return record[key].number(low=1) if key in record else 1

    sockets = number("Sockets") if "Sockets" in record else number("Boards") * number("SocketsPerBoard")
    cores, threads = sockets * number("CoresPerSocket"), number("ThreadsPerCore")
    shaped = any(key in record for key in ("Sockets", "SocketsPerBoard", "CoresPerSocket", "ThreadsPerCore"))
    total = cores * threads
    given = record.get("CPUs")
    if total > MAX_CPUS:
        raise InputError(names.where, total, _("at most {count} CPUs in a node").format(count=MAX_CPUS))
    if given is None:
        return total
    cpus = given.number(low=1, high=MAX_CPUS)
    if shaped and cpus not in {total, cores, sockets}:
        text = _("CPUs={cpus} does not match sockets, cores and threads; Slurm and this simulator take {total}.")
        notices.append(Notice(given.where, text.format(cpus=cpus, total=total)))
        return total
    return cpus
